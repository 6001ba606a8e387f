/*
 * wrap.c - From a segment to the frame that the tap writes down
 *
 * Headers are put in front of what is there already, from the inside out: TCP,
 * IP, tunnels, tags, the link. Each says what it left behind: a packet of IPv4
 * or IPv6, or an Ethernet frame; the next one has a number for that.
 */
#include <string.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "core/be.h"
#include "core/wire.h"
#include "gen.h"

#define HEAD_ROOM   512
#define TEXT_MAX    65536
#define TEXT_PERIOD 65521 /* the text repeats, but not soon */
#define PIECE	    64	  /* bytes in the first of two fragments */

enum inside { INSIDE_IP4, INSIDE_IP6, INSIDE_ETHERNET };

struct pack {
	uint8_t *p; /* the first byte so far */
	uint32_t len;
	enum inside inside;
};

static uint8_t buffer[2][HEAD_ROOM + TEXT_MAX];
static uint8_t text[2 * TEXT_PERIOD];

static uint8_t *front(struct pack *k, uint32_t n)
{
	k->p -= n;
	k->len += n;
	memset(k->p, 0, n);
	return k->p;
}

static void front16(struct pack *k, uint16_t v)
{
	be_put16(front(k, 2), v);
}

/* Bytes that say where they belong; another content for @other. */
static void put_text(uint8_t *to, const struct seg *s)
{
	uint32_t at = s->seq % TEXT_PERIOD;

	if (!text[0])
		for (uint32_t i = 0; i < sizeof(text); i++)
			text[i] = (uint8_t)(1 + (i % TEXT_PERIOD) % 251);
	memcpy(to, text + (at + s->other_text) % TEXT_PERIOD,
	       s->len < TEXT_PERIOD ? s->len : TEXT_PERIOD);
}

static uint32_t options(uint8_t *o, const struct seg *s)
{
	uint32_t n = 0;

	if (s->opts & POPT_MSS) {
		o[n] = 2;
		o[n + 1] = 4;
		be_put16(o + n + 2, s->mss);
		n += 4;
	}
	if (s->opts & POPT_SACK_OK) {
		memcpy(o + n, "\4\2\1\1", 4);
		n += 4;
	}
	if (s->opts & POPT_TS) {
		memcpy(o + n, "\1\1\10\12", 4);
		be_put32(o + n + 4, s->ts_val);
		be_put32(o + n + 8, s->ts_ecr);
		n += 12;
	}
	if (s->opts & POPT_WSCALE) {
		memcpy(o + n, "\1\3\3", 3);
		o[n + 3] = s->wscale;
		n += 4;
	}
	if (s->opts & POPT_SACK) {
		memcpy(o + n, "\1\1\5", 3);
		o[n + 3] = (uint8_t)(2 + 8 * s->nsacks);
		n += 4;
		for (int i = 0; i < 2 * s->nsacks; i++, n += 4)
			be_put32(o + n, s->sack[i]);
	}
	if (s->opts & POPT_TFO) {
		memcpy(o + n, "\1\1\42", 3);
		o[n + 3] = (uint8_t)(2 + s->tfo_len);
		memset(o + n + 4, 0x77, s->tfo_len);
		n += 4u + s->tfo_len;
	}
	if (s->bad_option) {
		memcpy(o + n, "\10\50\0\0", 4);
		n += 4;
	}
	return n;
}

static void put_sum(struct pack *k, const struct seg *s,
		    const struct ip_addr *src, const struct ip_addr *dst)
{
	uint32_t pseudo = csum_pseudo(src, dst, IP_PROTO_TCP, k->len);
	uint16_t sum;

	if (s->sum == SUM_PART) {
		be_put16(k->p + 16, (uint16_t)~csum_fold(pseudo));
		return;
	}
	sum = csum_fold(csum_partial(k->p, k->len, pseudo));
	if (s->sum == SUM_BAD)
		sum ^= 0x1234;
	be_put16(k->p + 16, sum);
}

static void put_tcp(struct pack *k, const struct conv *c, const struct seg *s,
		    uint8_t *end)
{
	const struct truth *h = &c->truth[s->truth];
	enum side to = s->from == CLIENT ? SERVER : CLIENT;
	uint8_t opts[60], *t;
	uint32_t n = options(opts, s);

	k->p = end - s->len;
	k->len = s->len;
	put_text(k->p, s);
	memcpy(front(k, n), opts, n);
	t = front(k, WIRE_TCP_LEN);
	be_put16(t, h->port[s->from]);
	be_put16(t + 2, h->port[to]);
	be_put32(t + 4, s->seq);
	be_put32(t + 8, s->ack);
	t[12] = (uint8_t)((WIRE_TCP_LEN + n) / 4 << 4);
	if (s->reserved)
		t[12] |= 4;
	t[13] = (uint8_t)s->flags;
	be_put16(t + 14, s->wnd);
	put_sum(k, s, &h->addr[s->from], &h->addr[to]);
}

static void put_ip4(struct pack *k, const struct ip_addr *src,
		    const struct ip_addr *dst, uint8_t proto, uint8_t ttl,
		    uint16_t id)
{
	uint32_t len = k->len + WIRE_IP4_LEN;
	uint8_t *h = front(k, WIRE_IP4_LEN);

	h[0] = 0x45;
	be_put16(h + 2, (uint16_t)len);
	be_put16(h + 4, id);
	h[8] = ttl;
	h[9] = proto;
	memcpy(h + 12, src->b + 12, 4);
	memcpy(h + 16, dst->b + 12, 4);
	be_put16(h + 10, csum_fold(csum_partial(h, WIRE_IP4_LEN, 0)));
	k->inside = INSIDE_IP4;
}

static void put_ip6(struct pack *k, const struct ip_addr *src,
		    const struct ip_addr *dst, uint8_t next, uint8_t hops)
{
	uint32_t len = k->len;
	uint8_t *h = front(k, WIRE_IP6_LEN);

	h[0] = 0x60;
	be_put16(h + 4, (uint16_t)len);
	h[6] = next;
	h[7] = hops;
	memcpy(h + 8, src->b, 16);
	memcpy(h + 24, dst->b, 16);
	k->inside = INSIDE_IP6;
}

static void put_ip(struct pack *k, const struct conv *c, const struct seg *s)
{
	const struct truth *h = &c->truth[s->truth];
	const struct ip_addr *src = &h->addr[s->from];
	const struct ip_addr *dst = &h->addr[!s->from];

	if (ip_addr_is4(src)) {
		put_ip4(k, src, dst, IP_PROTO_TCP, s->ttl, (uint16_t)s->order);
		if (c->path.length_0) {
			be_put16(k->p + 2, 0);
			be_put16(k->p + 10, 0);
			be_put16(k->p + 10, csum_fold(csum_partial(
						    k->p, WIRE_IP4_LEN, 0)));
		}
		return;
	}
	if (c->path.extension) { /* destination options: padding */
		uint8_t *x = front(k, 8);

		x[0] = IP_PROTO_TCP;
		x[2] = 1;
		x[3] = 4;
	}
	put_ip6(k, src, dst, c->path.extension ? 60 : IP_PROTO_TCP, s->ttl);
	if (c->path.length_0)
		be_put16(k->p + 4, 0);
}

/* An ICMP error that quotes the packet and comes to who sent it. */
static void put_icmp(struct pack *k, const struct conv *c, const struct seg *s)
{
	const struct truth *h = &c->truth[s->truth];
	const struct ip_addr *to = &h->addr[!s->from];
	struct ip_addr router = h->addr[s->from];
	bool v6 = !ip_addr_is4(to);
	struct seg quoted = *s;
	uint32_t sum = 0;
	uint8_t *i;

	quoted.from = !s->from;
	put_tcp(k, c, &quoted, k->p + k->len);
	put_ip(k, c, &quoted);
	i = front(k, WIRE_ICMP_LEN);
	router.b[15] ^= 1;
	i[0] = v6 ? 1 : 3;
	i[1] = v6 ? 3 : 1; /* host or address unreachable */
	if (v6)
		sum = csum_pseudo(&router, to, IP_PROTO_ICMPV6, k->len);
	be_put16(i + 2, csum_fold(csum_partial(i, k->len, sum)));
	if (v6)
		put_ip6(k, &router, to, IP_PROTO_ICMPV6, 60);
	else
		put_ip4(k, &router, to, IP_PROTO_ICMP, 60, 1);
}

static void put_ethernet(struct pack *k, uint16_t type)
{
	uint8_t *h = front(k, 14);

	memset(h, 2, 12);
	be_put16(h + 12, type);
	k->inside = INSIDE_ETHERNET;
}

static uint16_t ethertype(const struct pack *k)
{
	return k->inside == INSIDE_IP4 ? 0x0800 : 0x86dd;
}

static const struct ip_addr tunnel_end[2] = {
	{.b = {[10] = 0xff, [11] = 0xff, [12] = 172, [13] = 16, [15] = 1}},
	{.b = {[10] = 0xff, [11] = 0xff, [12] = 172, [13] = 16, [15] = 2}},
};

static void put_outer(struct pack *k, enum side from, uint8_t proto)
{
	put_ip4(k, &tunnel_end[from], &tunnel_end[!from], proto, 60, 7);
}

static void put_udp(struct pack *k, uint16_t port)
{
	uint32_t len = k->len + 8;
	uint8_t *h = front(k, 8);

	be_put16(h, 50000);
	be_put16(h + 2, port);
	be_put16(h + 4, (uint16_t)len);
}

static void put_tunnel(struct pack *k, enum layer layer, uint32_t number,
		       enum side from)
{
	uint32_t len = k->len;
	uint8_t *h;

	switch (layer) {
	case LAYER_GRE:
		h = front(k, 8);
		h[0] = 0x20; /* with a key */
		be_put16(h + 2, ethertype(k));
		be_put32(h + 4, number);
		put_outer(k, from, 47);
		break;
	case LAYER_IPIP:
		put_outer(k, from, k->inside == INSIDE_IP4 ? 4 : 41);
		break;
	case LAYER_VXLAN:
		put_ethernet(k, ethertype(k));
		h = front(k, 8);
		h[0] = 8;
		be_put32(h + 4, number << 8);
		put_udp(k, 4789);
		put_outer(k, from, IP_PROTO_UDP);
		break;
	case LAYER_GENEVE:
		put_ethernet(k, ethertype(k));
		h = front(k, 12);
		h[0] = 1; /* an option of four bytes */
		be_put16(h + 2, 0x6558);
		be_put32(h + 4, number << 8);
		put_udp(k, 6081);
		put_outer(k, from, IP_PROTO_UDP);
		break;
	case LAYER_GTPU:
		h = front(k, 8);
		h[0] = 0x30;
		h[1] = 255;
		be_put16(h + 2, (uint16_t)len);
		be_put32(h + 4, number);
		put_udp(k, 2152);
		put_outer(k, from, IP_PROTO_UDP);
		break;
	default: /* ERSPAN type II */
		put_ethernet(k, ethertype(k));
		h = front(k, 16);
		h[0] = 0x10; /* with a number */
		be_put16(h + 2, 0x88be);
		put_outer(k, from, 47);
		break;
	}
}

/* What stands between the link and the packet; returns the ethertype. */
static uint16_t put_tag(struct pack *k, enum layer layer, uint32_t number,
			uint16_t type)
{
	uint32_t len = k->len;
	uint8_t *h;

	switch (layer) {
	case LAYER_VLAN:
		front16(k, type);
		front16(k, (uint16_t)number);
		return 0x8100;
	case LAYER_MPLS:
		/* Nothing but IP can be known below it. */
		ASSERT(type == 0x0800 || type == 0x86dd);
		be_put32(front(k, 4), number << 12 | 0x100 | 64);
		return 0x8847;
	default:
		ASSERT(type == 0x0800 || type == 0x86dd);
		front16(k, type == 0x0800 ? 0x0021 : 0x0057);
		h = front(k, 6);
		h[0] = 0x11;
		be_put16(h + 2, (uint16_t)number);
		be_put16(h + 4, (uint16_t)(len + 2));
		return 0x8864;
	}
}

static bool link_has_types(uint32_t link)
{
	return link == LINK_ETHERNET || link == LINK_LINUX_SLL ||
	       link == LINK_LINUX_SLL2 || link == LINK_IEEE802_11 ||
	       link == LINK_RADIOTAP;
}

static void put_wlan(struct pack *k, uint16_t type, bool qos)
{
	uint8_t *h = front(k, 8);

	memcpy(h, "\xaa\xaa\3\0\0\0", 6);
	be_put16(h + 6, type);
	h = front(k, qos ? 26 : 24);
	h[0] = qos ? 0x88 : 0x08;
	h[1] = 1;
}

static void put_link(struct pack *k, uint32_t link, uint16_t type, bool swapped,
		     enum side from)
{
	bool v4 = k->inside == INSIDE_IP4;
	uint8_t *h;

	switch (link) {
	case LINK_ETHERNET:
		put_ethernet(k, type);
		break;
	case LINK_NULL:
	case LINK_LOOP:
		h = front(k, 4);
		be_put32(h, v4 ? 2 : 30);
		if (link == LINK_NULL && !swapped)
			be_put32(h, (v4 ? 2u : 30u) << 24);
		break;
	case LINK_PPP:
	case LINK_PPP_HDLC:
		front16(k, v4 ? 0x0021 : 0x0057);
		if (link == LINK_PPP_HDLC)
			front16(k, 0xff03);
		break;
	case LINK_LINUX_SLL:
		h = front(k, 16);
		be_put16(h, from == CLIENT ? 4 : 0);
		be_put16(h + 14, type);
		break;
	case LINK_LINUX_SLL2:
		h = front(k, 20);
		be_put16(h, type);
		h[10] = from == CLIENT ? 4 : 0;
		break;
	case LINK_RADIOTAP:
		put_wlan(k, type, true);
		h = front(k, 12);
		h[2] = 12;
		break;
	case LINK_IEEE802_11:
		put_wlan(k, type, false);
		break;
	default:
		break;
	}
}

static void put_around(struct pack *k, const struct conv *c, uint32_t link,
		       bool swapped, enum side from)
{
	const struct path *w = &c->path;
	uint16_t type;
	int i;

	for (i = w->nlayers - 1; i >= 0 && w->layer[i] >= LAYER_NTAGS; i--)
		put_tunnel(k, (enum layer)w->layer[i], w->number[i], from);
	type = ethertype(k);
	for (; i >= 0; i--)
		type = put_tag(k, (enum layer)w->layer[i], w->number[i], type);
	put_link(k, link, type, swapped, from);
}

/* The IP packet in @k becomes two; the second one is in @rest. */
static void cut(struct pack *k, struct pack *rest, uint16_t id)
{
	bool v4 = k->inside == INSIDE_IP4;
	uint32_t head = v4 ? WIRE_IP4_LEN : WIRE_IP6_LEN;
	uint32_t body = k->len - head, tail = body - PIECE;
	uint8_t saved[WIRE_IP6_LEN], *h;

	memcpy(saved, k->p, head);
	rest->p = buffer[1] + sizeof(buffer[1]) - tail;
	rest->len = tail;
	rest->inside = k->inside;
	memcpy(rest->p, k->p + head + PIECE, tail);
	memmove(buffer[0] + sizeof(buffer[0]) - PIECE, k->p + head, PIECE);
	k->p = buffer[0] + sizeof(buffer[0]) - PIECE;
	k->len = PIECE;
	for (int i = 0; i < 2; i++) {
		struct pack *one = i ? rest : k;
		uint32_t len = one->len;

		if (!v4) {
			h = front(one, WIRE_FRAG6_LEN);
			h[0] = saved[6];
			be_put16(h + 2, (uint16_t)(i ? PIECE : 1));
			be_put32(h + 4, id);
			len += WIRE_FRAG6_LEN;
		}
		h = front(one, head);
		memcpy(h, saved, head);
		if (!v4) {
			be_put16(h + 4, (uint16_t)len);
			h[6] = 44;
			continue;
		}
		be_put16(h + 2, (uint16_t)(head + len));
		be_put16(h + 6, i ? PIECE / 8 : 0x2000);
		be_put16(h + 10, 0);
		be_put16(h + 10, csum_fold(csum_partial(h, head, 0)));
	}
}

static void finish(struct wrapped *w, const struct pack *k, const struct seg *s,
		   const struct path *path)
{
	*w = (struct wrapped){k->p, k->len, k->len};
	if (path->snap < s->len)
		w->cap_len -= s->len - path->snap;
}

unsigned int wrap(const struct conv *c, const struct seg *s, uint32_t link,
		  bool swapped, struct wrapped out[2])
{
	enum side from = (enum side)s->from;
	struct pack k = {.p = buffer[0] + sizeof(buffer[0])}, rest;

	if (s->icmp) {
		put_icmp(&k, c, s);
	} else {
		put_tcp(&k, c, s, k.p);
		put_ip(&k, c, s);
	}
	if (c->path.fragments && s->len >= 2 * PIECE && !s->icmp) {
		cut(&k, &rest, (uint16_t)s->order);
		put_around(&rest, c, link, swapped, from);
		put_around(&k, c, link, swapped, from);
		out[0] = (struct wrapped){k.p, k.len, k.len};
		out[1] = (struct wrapped){rest.p, rest.len, rest.len};
		return 2;
	}
	put_around(&k, c, link, swapped, from);
	finish(&out[0], &k, s, &c->path);
	return 1;
}

void wrap_draw(struct path *p, struct rng *r, uint32_t link)
{
	bool tags = link_has_types(link) && one_in(r, 3);
	bool tunnels = one_in(r, 3);

	p->snap = UINT16_MAX;
	for (int i = 0; tags && i < 2; i++) {
		/* Only VLANs are in each other. */
		p->layer[p->nlayers] =
			(uint8_t)(i ? draw(r, LAYER_NTAGS) : LAYER_VLAN);
		p->number[p->nlayers++] = between(r, 1, 4000);
		if (one_in(r, 2))
			break;
	}
	if (tunnels) {
		p->layer[p->nlayers] =
			(uint8_t)between(r, LAYER_NTAGS, LAYER_NLAYERS - 1);
		p->number[p->nlayers++] = between(r, 1, 1u << 20);
	}
	if (one_in(r, 4))
		p->fragments = true;
	else if (one_in(r, 4))
		p->snap = (uint16_t)between(r, 0, 100);
	p->extension = one_in(r, 4);
	/* Only without anything around that has a length of its own. */
	p->length_0 = !p->nlayers && !p->fragments && one_in(r, 6);
}

uint8_t wrap_encaps(const struct conv *c, struct encap encap[ENCAPS_MAX])
{
	static const uint8_t kinds[] = {
		[LAYER_VLAN] = ENCAP_VLAN,     [LAYER_MPLS] = ENCAP_MPLS,
		[LAYER_PPPOE] = ENCAP_PPPOE,   [LAYER_GRE] = ENCAP_GRE,
		[LAYER_IPIP] = ENCAP_IPIP,     [LAYER_VXLAN] = ENCAP_VXLAN,
		[LAYER_GENEVE] = ENCAP_GENEVE, [LAYER_GTPU] = ENCAP_GTPU,
		[LAYER_ERSPAN] = ENCAP_ERSPAN,
	};
	const struct path *w = &c->path;
	uint8_t n;

	for (n = 0; n < w->nlayers; n++) {
		encap[n].kind = kinds[w->layer[n]];
		encap[n].number = w->number[n];
		if (w->layer[n] == LAYER_IPIP) {
			encap[n].number = 0;
			if (!ip_addr_is4(&c->truth[0].addr[0]))
				encap[n].kind = ENCAP_SIXINFOUR;
		} else if (w->layer[n] == LAYER_ERSPAN) {
			encap[n].number = 0;
		}
	}
	return n;
}
