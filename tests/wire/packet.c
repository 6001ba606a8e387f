/*
 * packet.c - The bytes of packets, built and read apart from the engine
 */
#include "packet.h"

#include <string.h>

#include "core/assert.h"

#define IP4_LEN	 20
#define IP6_LEN	 40
#define TCP_LEN	 20
#define ICMP_LEN 8
#define FRAG_LEN 8
#define UDP_LEN	 8
#define UDP_PORT 4000 /* of both ends */

#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_UDP    17
#define PROTO_FRAG   44
#define PROTO_ICMPV6 58

static const struct {
	const char *name;
	int type4, code4, type6, code6; /* -1 = there is none */
} kinds[] = {
	{"echo", 8, 0, 128, 0},	     {"reply", 0, 0, 129, 0},
	{"net", 3, 0, 1, 0},	     {"host", 3, 1, 1, 3},
	{"protocol", 3, 2, 4, 1},    {"port", 3, 3, 1, 4},
	{"too_big", 3, 4, 2, 0},     {"source_route", 3, 5, -1, -1},
	{"prohibited", 3, 13, 1, 1}, {"ttl", 11, 0, 3, 0},
	{"reassembly", 11, 1, 3, 1}, {"param", 12, 0, 4, 0},
	{"quench", 4, 0, -1, -1},    {"incomplete", -1, -1, 4, 3},
};

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* RFC 1071, one word after the other. */
static uint32_t sum(const uint8_t *p, size_t len, uint32_t s)
{
	for (size_t i = 0; i < len; i++) {
		s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		s = (s & 0xffff) + (s >> 16);
	}
	return s;
}

/* Over the pseudo-header and @body; 0 if its own field is right. */
static uint16_t body_sum(const struct packet *p, uint8_t proto,
			 const uint8_t *body, size_t len)
{
	uint32_t s = 0;

	if (proto != PROTO_ICMP) {
		s = p->v6 ? sum(p->src.b, 16, s) : sum(p->src.b + 12, 4, s);
		s = p->v6 ? sum(p->dst.b, 16, s) : sum(p->dst.b + 12, 4, s);
		s += proto + (uint32_t)len;
	}
	return (uint16_t)~sum(body, len, (s & 0xffff) + (s >> 16));
}

/* ---- building --------------------------------------------------------- */

static size_t build_tcp(uint8_t *t, const struct packet *p)
{
	size_t head = TCP_LEN + p->nopt;

	memset(t, 0, TCP_LEN);
	put16(t, p->sport);
	put16(t + 2, p->dport);
	put32(t + 4, p->seq);
	put32(t + 8, p->ack);
	t[12] = (uint8_t)((p->doff >= 0 ? (size_t)p->doff : head / 4) << 4 |
			  p->reserved);
	t[13] = p->flags;
	put16(t + 14, p->wnd);
	put16(t + 18, p->up);
	memcpy(t + TCP_LEN, p->opt, p->nopt);
	if (p->len)
		memcpy(t + head, p->text, p->len);
	put16(t + 16, body_sum(p, PROTO_TCP, t, head + p->len));
	if (p->bad_sum)
		t[16] ^= 0x10;
	return head + p->len;
}

static size_t build_icmp(uint8_t *m, const struct packet *p)
{
	m[0] = p->type;
	m[1] = p->code;
	m[2] = m[3] = 0;
	put32(m + 4, p->rest);
	if (p->len)
		memcpy(m + ICMP_LEN, p->text, p->len);
	put16(m + 2, body_sum(p, p->v6 ? PROTO_ICMPV6 : PROTO_ICMP, m,
			      ICMP_LEN + p->len));
	if (p->bad_sum)
		m[2] ^= 0x10;
	return ICMP_LEN + p->len;
}

/* Any bytes; of UDP a header that is in order (RFC 768). */
static size_t build_other(uint8_t *b, const struct packet *p)
{
	size_t head = p->other == PROTO_UDP ? UDP_LEN : 0;

	if (p->len)
		memcpy(b + head, p->text, p->len);
	if (p->other != PROTO_UDP)
		return p->len;
	put16(b, UDP_PORT);
	put16(b + 2, UDP_PORT);
	put16(b + 4, head + p->len);
	put16(b + 6, 0);
	put16(b + 6, body_sum(p, PROTO_UDP, b, head + p->len));
	return head + p->len;
}

static void seal4(uint8_t *h, size_t len, bool bad)
{
	put16(h + 10, 0);
	put16(h + 10, (uint16_t)~sum(h, len, 0));
	if (bad)
		h[10] ^= 0x10;
}

static size_t head4(uint8_t *h, const struct packet *p, uint8_t proto)
{
	size_t len = IP4_LEN + p->n_ip_raw;

	memset(h, 0, IP4_LEN);
	h[0] = (uint8_t)(0x40 | len / 4);
	h[1] = p->tos;
	put16(h + 4, p->id);
	put16(h + 6, 0x4000);
	h[8] = p->ttl;
	h[9] = proto;
	memcpy(h + 12, p->src.b + 12, 4);
	memcpy(h + 16, p->dst.b + 12, 4);
	if (p->n_ip_raw)
		memcpy(h + IP4_LEN, p->ip_raw, p->n_ip_raw);
	return len;
}

static size_t head6(uint8_t *h, const struct packet *p, uint8_t proto)
{
	size_t len = IP6_LEN;

	memset(h, 0, IP6_LEN);
	h[0] = (uint8_t)(0x60 | p->tos >> 4);
	h[1] = (uint8_t)(p->tos << 4);
	h[6] = proto;
	h[7] = p->ttl;
	memcpy(h + 8, p->src.b, 16);
	memcpy(h + 24, p->dst.b, 16);
	if (p->n_ip_raw) {
		h[6] = (uint8_t)p->ext;
		h[len] = proto;
		memcpy(h + len + 1, p->ip_raw, p->n_ip_raw);
		len += 1u + p->n_ip_raw;
	}
	return len;
}

size_t packet_build(uint8_t buf[PACKET_MAX], const struct packet *p)
{
	uint8_t proto = p->other ? p->other
			: p->tcp ? PROTO_TCP
			: p->v6	 ? PROTO_ICMPV6
				 : PROTO_ICMP;
	size_t head = (p->v6 ? head6 : head4)(buf, p, proto), len;

	len = head + (p->other ? build_other
		      : p->tcp ? build_tcp
			       : build_icmp)(buf + head, p);
	if (p->v6) {
		put16(buf + 4,
		      p->iplen >= 0 ? (size_t)p->iplen : len - IP6_LEN);
	} else {
		put16(buf + 2, p->iplen >= 0 ? (size_t)p->iplen : len);
		seal4(buf, head, p->bad_ip_sum);
	}
	return len;
}

size_t packet_piece(uint8_t buf[PACKET_MAX], const uint8_t *whole, size_t len,
		    const struct packet *p, int from, int to)
{
	size_t head = p->v6 ? IP6_LEN : IP4_LEN, size = len - head;
	size_t begin = (size_t)from < size ? (size_t)from : size;
	size_t end = to >= 0 && (size_t)to < size ? (size_t)to : size;
	bool more = end < size;

	memcpy(buf, whole, head);
	if (end < begin)
		end = begin;
	if (p->v6) {
		uint8_t *f = buf + head;

		f[0] = buf[6];
		f[1] = 0;
		put16(f + 2, begin / 8 << 3 | more);
		put32(f + 4, p->id);
		buf[6] = PROTO_FRAG;
		head += FRAG_LEN;
		put16(buf + 4, head + end - begin - IP6_LEN);
	} else {
		put16(buf + 2, head + end - begin);
		put16(buf + 6, (size_t)more << 13 | begin / 8);
		seal4(buf, head, false);
	}
	memcpy(buf + head, whole + len - size + begin, end - begin);
	return head + end - begin;
}

/* ---- reading ---------------------------------------------------------- */

static const char *read_option(struct packet *p, const uint8_t *o, size_t len)
{
	static const uint8_t lengths[] = {[2] = 4, [3] = 3, [4] = 2, [8] = 10};

	if (o[0] < ARRAY_LEN(lengths) && lengths[o[0]] && len != lengths[o[0]])
		return "an option of odd length";
	switch (o[0]) {
	case 2:
		p->has_mss = true;
		p->mss = get16(o + 2);
		return NULL;
	case 3:
		p->has_ws = true;
		p->ws = o[2];
		return NULL;
	case 4:
		p->sack_ok = true;
		return NULL;
	case 5:
		if (len < 10 || (len - 2) % 8 || len > 2 + 8 * PACKET_SACK)
			return "SACK of odd length";
		for (size_t i = 2; i < len; i += 8) {
			p->sack[p->nsack].start = get32(o + i);
			p->sack[p->nsack++].end = get32(o + i + 4);
		}
		return NULL;
	case 8:
		p->has_ts = true;
		p->ts_val = get32(o + 2);
		p->ts_ecr = get32(o + 6);
		return NULL;
	default:
		p->odd = true;
		return NULL;
	}
}

static const char *read_options(struct packet *p)
{
	const uint8_t *o = p->opt, *end = o + p->nopt;
	const char *why;

	while (o < end) {
		if (o[0] == 0) { /* RFC 9293, 3.1 (MUST-69) */
			for (; o < end; o++)
				if (*o)
					return "padding that is not zero";
			return NULL;
		}
		if (o[0] == 1) {
			o++;
			continue;
		}
		if (end - o < 2 || o[1] < 2 || o[1] > end - o)
			return "an option of impossible length";
		why = read_option(p, o, o[1]);
		if (why)
			return why;
		o += o[1];
	}
	return NULL;
}

static const char *read_tcp(struct packet *p, const uint8_t *t, size_t len)
{
	size_t head;

	if (len < TCP_LEN)
		return "a TCP header cut short";
	head = (size_t)(t[12] >> 4) * 4;
	if (head < TCP_LEN || head > len)
		return "an impossible data offset";
	if (body_sum(p, PROTO_TCP, t, len) != 0)
		return "a wrong TCP checksum";
	p->tcp = true;
	p->sport = get16(t);
	p->dport = get16(t + 2);
	p->seq = get32(t + 4);
	p->ack = get32(t + 8);
	p->reserved = t[12] & 0xf;
	p->flags = t[13];
	p->wnd = get16(t + 14);
	p->up = get16(t + 18);
	p->nopt = (uint8_t)(head - TCP_LEN);
	memcpy(p->opt, t + TCP_LEN, p->nopt);
	p->text = t + head;
	p->len = (uint32_t)(len - head);
	if (p->reserved)
		return "reserved bits that are set";
	if (!(p->flags & TH_ACK) && p->ack)
		return "an ack number without ACK";
	if (!(p->flags & TH_URG) && p->up)
		return "an urgent pointer without URG";
	return read_options(p);
}

static const char *read_icmp(struct packet *p, const uint8_t *m, size_t len)
{
	if (len < ICMP_LEN)
		return "an ICMP header cut short";
	if (body_sum(p, p->v6 ? PROTO_ICMPV6 : PROTO_ICMP, m, len) != 0)
		return "a wrong ICMP checksum";
	p->icmp = true;
	p->type = m[0];
	p->code = m[1];
	p->rest = get32(m + 4);
	p->text = m + ICMP_LEN;
	p->len = (uint32_t)(len - ICMP_LEN);
	return NULL;
}

static const char *read_body(struct packet *p, uint8_t proto,
			     const uint8_t *body, size_t len)
{
	if (proto == PROTO_TCP)
		return read_tcp(p, body, len);
	if (proto == (p->v6 ? PROTO_ICMPV6 : PROTO_ICMP))
		return read_icmp(p, body, len);
	return "a protocol we did not expect";
}

static void map4(struct ip_addr *a, const uint8_t *b)
{
	memset(a->b, 0, 10);
	memset(a->b + 10, 0xff, 2);
	memcpy(a->b + 12, b, 4);
}

const char *packet_read(const uint8_t *buf, size_t len, struct packet *p)
{
	memset(p, 0, sizeof(*p));
	if (len >= IP6_LEN && buf[0] >> 4 == 6) {
		p->v6 = true;
		p->tos = (uint8_t)(buf[0] << 4 | buf[1] >> 4);
		p->ttl = buf[7];
		memcpy(p->src.b, buf + 8, 16);
		memcpy(p->dst.b, buf + 24, 16);
		if (get16(buf + 4) != len - IP6_LEN)
			return "a wrong IPv6 length";
		return read_body(p, buf[6], buf + IP6_LEN, len - IP6_LEN);
	}
	if (len < IP4_LEN || buf[0] != 0x45)
		return "no plain IP header";
	p->tos = buf[1];
	p->id = get16(buf + 4);
	p->ttl = buf[8];
	map4(&p->src, buf + 12);
	map4(&p->dst, buf + 16);
	if (get16(buf + 2) != len)
		return "a wrong IPv4 length";
	if ((uint16_t)~sum(buf, IP4_LEN, 0) != 0)
		return "a wrong IPv4 checksum";
	if (get16(buf + 6) & 0x3fff)
		return "a fragment";
	return read_body(p, buf[9], buf + IP4_LEN, len - IP4_LEN);
}

/* ---- ICMP ------------------------------------------------------------- */

bool packet_icmp(const char *kind, bool v6, uint8_t *type, uint8_t *code)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int t = v6 ? kinds[i].type6 : kinds[i].type4;

		if (strcmp(kind, kinds[i].name) != 0 || t < 0)
			continue;
		*type = (uint8_t)t;
		*code = (uint8_t)(v6 ? kinds[i].code6 : kinds[i].code4);
		return true;
	}
	return false;
}

const char *packet_icmp_kind(const struct packet *p)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (p->type == (p->v6 ? kinds[i].type6 : kinds[i].type4) &&
		    p->code == (p->v6 ? kinds[i].code6 : kinds[i].code4))
			return kinds[i].name;
	return "other";
}
