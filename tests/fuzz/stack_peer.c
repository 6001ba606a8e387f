/*
 * stack_peer.c - The other end: packets made for the stack, and judged
 *
 * The judge knows nothing of the engine. Each packet that comes out has to
 * pass the parser, fit the device, carry flags that make sense together and
 * text that an application of ours has sent at that place.
 */
#include <stdlib.h>
#include <string.h>

#include "core/be.h"
#include "stack_fuzz.h"

#define PEER_MSS    1400
#define PEER_WSCALE 3
#define FRAG6_LEN   8
#define FRAG6_PROTO 44

static struct peer *peer_find(struct fuzz *f, const struct tcp_seg *s);
static void peer_learn(struct peer *p, const struct tcp_seg *s);
static void check_text(const struct fuzz *f, const struct peer *p,
		       const struct tcp_seg *s);

void peer_choose(struct fuzz *f, bool v6, uint16_t own_port, uint8_t opts)
{
	struct peer *p = &f->peers[f->peer];

	memset(p, 0, sizeof(*p));
	p->addr = v6 ? f->conf.host6 : f->conf.host4;
	p->own = v6 ? f->conf.own6 : f->conf.own4;
	p->port = f->next_port++;
	p->own_port = own_port;
	p->opts = opts & (OPT_TS | OPT_SACK_OK);
	p->snd_nxt = p->port * 2654435761u; /* some wrap soon, some do not */
}

struct tcp_seg peer_segment(const struct fuzz *f)
{
	const struct peer *p = &f->peers[f->peer];

	return (struct tcp_seg){
		.src = p->addr,
		.dst = p->own,
		.sport = p->port,
		.dport = p->own_port,
		.seq = p->snd_nxt,
		.ack = p->rcv_nxt,
		.wnd = 0xffff,
		.flags = TH_ACK,
		.opts = p->opts & OPT_TS,
		.ttl = 64,
		.ts_val = (uint32_t)(f->now_us / 1000),
		.ts_ecr = p->ts_recent,
	};
}

struct tcp_seg peer_syn(const struct fuzz *f)
{
	const struct peer *p = &f->peers[f->peer];
	struct tcp_seg s = peer_segment(f);

	s.flags = TH_SYN;
	s.opts = OPT_MSS | OPT_WSCALE | p->opts;
	s.mss = PEER_MSS;
	s.wscale = PEER_WSCALE;
	return s;
}

void peer_packet(struct fuzz *f, const struct tcp_seg *s)
{
	uint8_t *text;
	uint32_t head, off;
	tcp_seq seq = s->seq + !!(s->flags & TH_SYN);

	head = wire_tcp_build(f->pkt, s, f->next_port, WIRE_CSUM_PARTIAL, 0,
			      &off);
	text = f->pkt + head;
	for (uint32_t i = 0; i < s->len; i++)
		text[i] = pattern(seq + i);
	f->pkt_len = head + s->len;
	packet_seal(f->pkt, f->pkt_len);
}

void peer_packet_options(struct fuzz *f, const struct tcp_seg *s,
			 const uint8_t *opts, uint8_t n)
{
	bool v6 = !ip_mapped(s->src.b);
	size_t head = (v6 ? WIRE_IP6_LEN : WIRE_IP4_LEN) + WIRE_TCP_LEN;
	uint8_t *len = f->pkt + (v6 ? 4 : 2);

	peer_packet(f, s);
	memmove(f->pkt + head + n, f->pkt + head, f->pkt_len - head);
	memcpy(f->pkt + head, opts, n);
	f->pkt_len += n;
	f->pkt[head - 8] = (uint8_t)((WIRE_TCP_LEN + n) / 4 << 4);
	be_put16(len, (uint16_t)(be_get16(len) + n));
	packet_seal(f->pkt, f->pkt_len);
}

void packet_input(struct fuzz *f, const struct stack_rx *meta)
{
	/* A copy of its own size that is gone afterwards: ASan sees both a
	 * read beyond the packet and one after its end. */
	uint8_t *copy = malloc(f->pkt_len ? f->pkt_len : 1);

	if (!copy)
		return;
	memcpy(copy, f->pkt, f->pkt_len);
	stack_input(f->st, copy, f->pkt_len, meta, f->now_us);
	free(copy);
	stack_check(f->st);
}

void peer_icmp(struct fuzz *f, const struct tcp_seg *s, uint8_t type,
	       uint8_t code, uint32_t rest, size_t quote)
{
	static uint8_t body[8 + PKT_MAX];
	const struct peer *p = &f->peers[f->peer];
	struct ip_addr own;
	struct tcp_seg q;
	uint32_t off, len = f->out_len;
	bool v6;

	memcpy(body + 8, f->out, f->out_len);
	if (s || !len) {
		q = s ? *s : peer_segment(f);
		own = q.dst;
		q.dst = q.src;
		q.src = own;
		q.sport = p->own_port;
		q.dport = p->port;
		q.len = 0;
		len = wire_tcp_build(body + 8, &q, 0, WIRE_CSUM_FULL, 0, &off);
	}
	v6 = body[8] >> 4 == 6;
	len = 8 + (uint32_t)(quote < len ? quote : len);
	body[0] = type;
	body[1] = code;
	be_put32(body + 4, rest);
	off = wire_ip_build(f->pkt, v6 ? &f->conf.host6 : &f->conf.host4,
			    v6 ? &f->conf.own6 : &f->conf.own4,
			    v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, 64, 0, 0,
			    false, len);
	memcpy(f->pkt + off, body, len);
	f->pkt_len = off + len;
	packet_seal(f->pkt, f->pkt_len);
}

/* Body bytes [@from, @to) of @whole as a fragment, put in. */
static void put_fragment(struct fuzz *f, const uint8_t *whole, size_t head,
			 size_t from, size_t to, bool more)
{
	size_t body = head;

	memcpy(f->pkt, whole, head);
	if (whole[0] >> 4 == 6) {
		f->pkt[6] = FRAG6_PROTO;
		f->pkt[head] = whole[6];
		f->pkt[head + 1] = 0;
		be_put16(f->pkt + head + 2, (uint16_t)(from | more));
		be_put32(f->pkt + head + 4, f->next_port);
		body += FRAG6_LEN;
		be_put16(f->pkt + 4, (uint16_t)(FRAG6_LEN + to - from));
	} else {
		be_put16(f->pkt + 2, (uint16_t)(head + to - from));
		be_put16(f->pkt + 6, (uint16_t)(from / 8 | more << 13));
	}
	memcpy(f->pkt + body, whole + head + from, to - from);
	f->pkt_len = body + to - from;
	packet_seal(f->pkt, f->pkt_len);
	packet_input(f, NULL);
}

void peer_fragment(struct fuzz *f, uint8_t cut, bool twice)
{
	static uint8_t whole[PKT_MAX];
	size_t head, body, at = cut * 8u;

	memcpy(whole, f->pkt, f->pkt_len);
	head = whole[0] >> 4 == 6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	if (f->pkt_len < head)
		return;
	body = f->pkt_len - head;
	if (at > body)
		at = body / 8 * 8;
	put_fragment(f, whole, head, at, body, false);
	put_fragment(f, whole, head, 0, at, true);
	if (twice)
		put_fragment(f, whole, head, 0, at, true);
}

void peer_pieces(struct fuzz *f, unsigned int n)
{
	static uint8_t whole[PKT_MAX];
	size_t head, body, len = f->pkt_len;

	memcpy(whole, f->pkt, len);
	head = whole[0] >> 4 == 6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	if (len < head || len - head > UINT16_MAX)
		return;
	body = len - head;
	for (unsigned int i = 0; i < n; i++) {
		size_t from = feed8(&f->in) * 8u, to = feed8(&f->in);

		from = from < body ? from : 0;
		to = to && from + to * 8 < body ? from + to * 8 : body;
		put_fragment(f, whole, head, from, to, to < body);
	}
}

/* The packet as one piece in f->out, its checksum complete. */
static void gather(struct fuzz *f, const struct stack_pkt *out)
{
	uint16_t csum;

	ASSERT(out->iov_len > 0);
	ASSERT(out->iov_len <= STACK_IOV_MAX);
	f->out_len = 0;
	for (unsigned int i = 0; i < out->iov_len; i++) {
		ASSERT(f->out_len + out->iov[i].iov_len <= PKT_MAX);
		memcpy(f->out + f->out_len, out->iov[i].iov_base,
		       out->iov[i].iov_len);
		f->out_len += out->iov[i].iov_len;
	}
	ASSERT(f->out_len == out->len);
	ASSERT(out->ipv6 == (f->out[0] >> 4 == 6));
	if (!out->csum_partial)
		return;
	ASSERT(f->conf.csum_offload);
	ASSERT(out->csum_start + out->csum_offset + 2u <= out->len);
	csum = csum_fold(csum_partial(f->out + out->csum_start,
				      out->len - out->csum_start, 0));
	be_put16(f->out + out->csum_start + out->csum_offset, csum);
}

static void check_size(const struct fuzz *f, const struct stack_pkt *out,
		       uint32_t text)
{
	if (!out->gso_size) {
		ASSERT(out->len <= f->conf.mtu);
		return;
	}
	ASSERT(f->conf.gso_max != 0);
	ASSERT(out->csum_partial);
	ASSERT(out->len <= f->conf.gso_max);
	ASSERT(text > out->gso_size);
	ASSERT(out->len - text + out->gso_size <= f->conf.mtu);
}

static void check_flags(const struct tcp_seg *s, uint16_t gso_size)
{
	ASSERT(!(s->flags & TH_SYN) || !(s->flags & (TH_FIN | TH_RST)));
	ASSERT(!(s->flags & TH_RST) || !(s->flags & TH_FIN));
	ASSERT(!(s->flags & TH_RST) || s->len == 0);
	/* A mark lies ahead, and each segment has its own distance to it. */
	ASSERT(!(s->flags & TH_URG) || (s->up > 0 && !gso_size));
	/* Only a SYN and an answer to a segment with ACK have none. */
	ASSERT(s->flags & (TH_ACK | TH_SYN | TH_RST));
}

void packet_output(struct fuzz *f, const struct stack_pkt *out)
{
	struct ip_pkt ip;
	struct icmp_msg m;
	struct tcp_seg s;
	struct peer *p;

	gather(f, out);
	ASSERT(wire_ip_parse(f->out, f->out_len, &ip) == DROP_NONE);
	ASSERT(ip.head_len + ip.body_len == f->out_len);
	ASSERT(memcmp(&ip.src, ip.v6 ? &f->conf.own6 : &f->conf.own4, 16) ==
		       0 ||
	       f->conf.own_prefix);
	if (ip.proto != IP_PROTO_TCP) {
		ASSERT(ip.proto == (ip.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP));
		ASSERT(f->out_len <= f->conf.mtu);
		/* A long echo reply leaves in pieces, and only that does. */
		if (!ip.fragment)
			ASSERT(wire_icmp_parse(&ip, &m) == DROP_NONE);
		return;
	}
	ASSERT(!ip.fragment);
	ASSERT(wire_tcp_parse(&ip, false, &s) == DROP_NONE);
	check_size(f, out, s.len);
	check_flags(&s, out->gso_size);
	p = peer_find(f, &s);
	if (!p)
		return;
	peer_learn(p, &s);
	check_text(f, p, &s);
}

/* To whom @s goes; a SYN of the stack makes the current place its peer. */
static struct peer *peer_find(struct fuzz *f, const struct tcp_seg *s)
{
	struct peer *p;

	for (p = f->peers; p < f->peers + PEERS_MAX; p++) {
		if (p->port == s->dport && p->own_port == s->sport &&
		    memcmp(&p->addr, &s->dst, 16) == 0 &&
		    memcmp(&p->own, &s->src, 16) == 0)
			return p;
	}
	if ((s->flags & (TH_SYN | TH_ACK)) != TH_SYN)
		return NULL;
	peer_choose(f, !ip_mapped(s->dst.b), s->sport, s->opts);
	p = &f->peers[f->peer];
	p->port = s->dport;
	p->own = s->src;
	p->active = true;
	return p;
}

static void peer_learn(struct peer *p, const struct tcp_seg *s)
{
	struct start *t;
	tcp_seq end = s->seq + seg_len(s);

	if (s->flags & TH_ACK)
		p->acked = s->ack;
	if (s->opts & OPT_TS)
		p->ts_recent = s->ts_val;
	if (s->flags & TH_RST)
		return;
	if (!(s->flags & TH_SYN)) {
		p->rcv_nxt = seq_max(p->rcv_nxt, end);
		return;
	}
	p->rcv_nxt = end;
	p->opts &= s->opts;
	if (p->active) {
		p->stream = s->seq + 1;
		return;
	}
	for (unsigned int i = 0; i < p->nstarts && i < STARTS_MAX; i++) {
		t = &p->starts[i];
		if (t->own == s->seq && t->peer == s->ack - 1)
			return;
	}
	if (p->nstarts < STARTS_MAX) {
		t = &p->starts[p->nstarts];
		t->own = s->seq;
		t->peer = s->ack - 1;
	}
	p->nstarts++;
}

/* Is the text of @s what the application sends @off bytes into its stream? */
static bool text_fits(const struct fuzz *f, const struct peer *p,
		      const struct tcp_seg *s, uint32_t off, tcp_seq peer_iss)
{
	if (off > INT32_MAX)
		return false;
	if (p->active || p->own_port == APP_SOURCE)
		return memcmp(s->text, source_at(off), s->len) == 0;
	if (p->own_port == APP_DISCARD)
		return false;
	for (uint32_t i = 0; i < s->len && f->pattern_only; i++) {
		if (s->text[i] != pattern(peer_iss + 1 + off + i))
			return false;
	}
	return true;
}

static void check_text(const struct fuzz *f, const struct peer *p,
		       const struct tcp_seg *s)
{
	tcp_seq seq = s->seq + !!(s->flags & TH_SYN);

	if (!s->len)
		return;
	if (p->active) {
		ASSERT(text_fits(f, p, s, seq - p->stream, 0));
		return;
	}
	if (p->nstarts > STARTS_MAX)
		return;
	for (unsigned int i = 0; i < p->nstarts; i++) {
		if (text_fits(f, p, s, seq - p->starts[i].own - 1,
			      p->starts[i].peer))
			return;
	}
	ASSERT(!"text that no application sent");
}
