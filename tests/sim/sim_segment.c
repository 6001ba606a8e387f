/*
 * sim_segment.c - A TCP segment taken apart and put together again
 *
 * IPv4 headers may have options, which are forgotten; IPv6 extension headers
 * are nothing that stacks send with TCP, so such a packet is not understood.
 */
#include "sim_segment.h"

#include <string.h>

#include "sim.h"

#define TCP_HEAD 20

static uint32_t pseudo(const struct segment *s, uint8_t proto, uint32_t len)
{
	uint32_t n = s->v6 ? 16 : 4, sum;

	sum = packet_sum(s->src, n, proto + len);
	return packet_sum(s->dst, n, sum);
}

static bool parse_ip(const uint8_t *pkt, uint32_t len, struct segment *s,
		     uint32_t *head, uint32_t *total)
{
	if (len < 20)
		return false;
	s->v6 = pkt[0] >> 4 == 6;
	if (s->v6) {
		*head = 40;
		if (len < 40 || pkt[6] != PROTO_TCP)
			return false;
		*total = 40u + get16(pkt + 4);
		s->tos = (uint8_t)(pkt[0] << 4 | pkt[1] >> 4);
		s->ttl = pkt[7];
		memcpy(s->src, pkt + 8, 16);
		memcpy(s->dst, pkt + 24, 16);
	} else {
		*head = (pkt[0] & 15) * 4u;
		if (pkt[0] >> 4 != 4 || *head < 20 || *head > len ||
		    packet_sum(pkt, *head, 0) != 0xffff ||
		    pkt[9] != PROTO_TCP || get16(pkt + 6) & 0x3fff)
			return false;
		*total = get16(pkt + 2);
		s->tos = pkt[1];
		s->ttl = pkt[8];
		s->ip_id = get16(pkt + 4);
		s->df = pkt[6] & 0x40;
		memcpy(s->src, pkt + 12, 4);
		memcpy(s->dst, pkt + 16, 4);
	}
	return *total <= len && *total >= *head + TCP_HEAD;
}

bool segment_parse(const uint8_t *pkt, uint32_t len, struct segment *s)
{
	uint32_t head, total, tcp_len, off;
	const uint8_t *t;

	memset(s, 0, sizeof(*s));
	if (!parse_ip(pkt, len, s, &head, &total))
		return false;
	t = pkt + head;
	tcp_len = total - head;
	off = (t[12] >> 4) * 4u;
	if (off < TCP_HEAD || off > tcp_len ||
	    packet_sum(t, tcp_len, pseudo(s, PROTO_TCP, tcp_len)) != 0xffff)
		return false;
	s->sport = get16(t);
	s->dport = get16(t + 2);
	s->seq = get32(t + 4);
	s->ack = get32(t + 8);
	s->flags = t[13];
	s->wnd = get16(t + 14);
	s->up = get16(t + 18);
	s->opt_len = (uint8_t)(off - TCP_HEAD);
	memcpy(s->opt, t + TCP_HEAD, s->opt_len);
	s->text = t + off;
	s->len = tcp_len - off;
	return true;
}

uint32_t segment_ip(uint8_t *buf, const struct segment *s, uint8_t proto,
		    uint32_t len)
{
	if (s->v6) {
		memset(buf, 0, 8);
		buf[0] = (uint8_t)(0x60 | s->tos >> 4);
		buf[1] = (uint8_t)(s->tos << 4);
		put16(buf + 4, len);
		buf[6] = proto;
		buf[7] = s->ttl;
		memcpy(buf + 8, s->src, 16);
		memcpy(buf + 24, s->dst, 16);
		return 40;
	}
	memset(buf, 0, 20);
	buf[0] = 0x45;
	buf[1] = s->tos;
	put16(buf + 2, 20 + len);
	put16(buf + 4, s->ip_id);
	buf[6] = s->df ? 0x40 : 0;
	buf[8] = s->ttl;
	buf[9] = proto;
	memcpy(buf + 12, s->src, 4);
	memcpy(buf + 16, s->dst, 4);
	put16(buf + 10, 0xffffu ^ packet_sum(buf, 20, 0));
	return 20;
}

uint32_t segment_build(uint8_t *buf, const struct segment *s)
{
	uint32_t opts = (s->opt_len + 3u) & ~3u;
	uint32_t tcp_len = TCP_HEAD + opts + s->len, head;
	uint8_t *t;

	ASSERT(opts <= SEGMENT_OPT_MAX);
	t = buf + (s->v6 ? 40 : 20);
	if (s->len)
		memmove(t + TCP_HEAD + opts, s->text, s->len);
	head = segment_ip(buf, s, PROTO_TCP, tcp_len);
	put16(t, s->sport);
	put16(t + 2, s->dport);
	put32(t + 4, s->seq);
	put32(t + 8, s->ack);
	t[12] = (uint8_t)((TCP_HEAD + opts) / 4 << 4);
	t[13] = s->flags;
	put16(t + 14, s->wnd);
	put16(t + 16, 0);
	put16(t + 18, s->up);
	memset(t + TCP_HEAD, KIND_EOL, opts);
	memcpy(t + TCP_HEAD, s->opt, s->opt_len);
	put16(t + 16,
	      0xffffu ^ packet_sum(t, tcp_len, pseudo(s, PROTO_TCP, tcp_len)));
	return head + tcp_len;
}

uint8_t *segment_opt(struct segment *s, uint8_t kind)
{
	for (unsigned int i = 0; i < s->opt_len && s->opt[i] != KIND_EOL;) {
		if (s->opt[i] == KIND_NOP) {
			i++;
			continue;
		}
		if (i + 1 >= s->opt_len || s->opt[i + 1] < 2 ||
		    i + s->opt[i + 1] > s->opt_len)
			return NULL;
		if (s->opt[i] == kind)
			return s->opt + i;
		i += s->opt[i + 1];
	}
	return NULL;
}

void segment_opt_add(struct segment *s, uint8_t kind, const uint8_t *body,
		     uint8_t len)
{
	ASSERT(s->opt_len + len + 2 <= SEGMENT_OPT_MAX);
	s->opt[s->opt_len] = kind;
	s->opt[s->opt_len + 1] = (uint8_t)(len + 2);
	if (len)
		memcpy(s->opt + s->opt_len + 2, body, len);
	s->opt_len = (uint8_t)(s->opt_len + len + 2);
}

void segment_opt_drop(struct segment *s, uint8_t kind)
{
	uint8_t *o = segment_opt(s, kind);

	if (o)
		memset(o, KIND_NOP, o[1]);
}
