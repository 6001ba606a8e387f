/*
 * segment.c - What the first bytes of a packet say
 *
 * The engine's parser (core/wire.h) judges: one wrong bit, and a packet is
 * dropped. That of captures (decode.h) says which bit is wrong, looks into
 * tunnels and puts fragments together. This one is for showing packets, also
 * those that were dropped and those of which only a part was kept, so it tells
 * what it can read and leaves zero what it cannot.
 */
#include <tcphs/segment.h>

#include <string.h>

#include "core/be.h"
#include "core/wire.h"

#define EXTENSIONS 8 /* headers that are passed over */

static size_t decode_ip4(const uint8_t *d, size_t len, struct segment *s)
{
	size_t head = (d[0] & 15u) * 4u;

	if (len < WIRE_IP4_LEN || head < WIRE_IP4_LEN)
		return 0;
	s->tos = d[1];
	s->ip_len = be_get16(d + 2);
	s->ip_id = be_get16(d + 4);
	s->fragment = be_get16(d + 6) & (IP4_MF | IP4_OFF_MASK);
	s->ttl = d[8];
	s->proto = d[9];
	ip_map4(&s->src, d + 12);
	ip_map4(&s->dst, d + 16);
	s->kind = be_get16(d + 6) & IP4_OFF_MASK ? SEGMENT_OTHER : SEGMENT_NONE;
	return head;
}

/* RFC 8200, 4: past the extension headers that look like one another. */
static size_t decode_ip6(const uint8_t *d, size_t len, struct segment *s)
{
	size_t head = WIRE_IP6_LEN;

	if (len < WIRE_IP6_LEN)
		return 0;
	s->tos = (uint8_t)(be_get16(d) >> 4);
	s->ip_len = WIRE_IP6_LEN + be_get16(d + 4);
	s->proto = d[6];
	s->ttl = d[7];
	memcpy(s->src.b, d + 8, 16);
	memcpy(s->dst.b, d + 24, 16);
	for (int i = 0; i < EXTENSIONS && head + 8 <= len; i++) {
		if (s->proto == IP6_FRAGMENT) {
			s->fragment = true;
			if (be_get16(d + head + 2) & IP6_OFF_MASK)
				s->kind = SEGMENT_OTHER;
			s->proto = d[head];
			head += WIRE_FRAG6_LEN;
		} else if (s->proto == IP6_HOPOPTS || s->proto == IP6_ROUTING ||
			   s->proto == IP6_DSTOPTS) {
			s->proto = d[head];
			head += (d[head + 1] + 1u) * IP6_EXT_UNIT;
		} else {
			break;
		}
	}
	return head;
}

static void decode_sack(const uint8_t *o, size_t len, struct segment *s)
{
	s->options |= SEGMENT_SACK;
	for (size_t at = 2; at + 8 <= len && s->nsack < SEGMENT_SACK_MAX;
	     at += 8) {
		s->sack[s->nsack].start = be_get32(o + at);
		s->sack[s->nsack++].end = be_get32(o + at + 4);
	}
}

static void decode_option(const uint8_t *o, size_t len, struct segment *s)
{
	switch (o[0] << 8 | (int)len) {
	case TCPOPT_MSS << 8 | 4:
		s->options |= SEGMENT_MSS;
		s->mss = be_get16(o + 2);
		break;
	case TCPOPT_WSCALE << 8 | 3:
		s->options |= SEGMENT_WSCALE;
		s->wscale = o[2];
		break;
	case TCPOPT_SACK_OK << 8 | 2:
		s->options |= SEGMENT_SACK_OK;
		break;
	case TCPOPT_TS << 8 | 10:
		s->options |= SEGMENT_TS;
		s->ts_val = be_get32(o + 2);
		s->ts_ecr = be_get32(o + 6);
		break;
	default:
		if (o[0] == TCPOPT_SACK)
			decode_sack(o, len, s);
		else
			s->options |= SEGMENT_UNKNOWN;
	}
}

static void decode_options(const uint8_t *o, size_t len, struct segment *s)
{
	for (size_t at = 0, n; at < len && o[at] != TCPOPT_EOL; at += n) {
		if (o[at] == TCPOPT_NOP) {
			n = 1;
			continue;
		}
		n = at + 1 < len ? o[at + 1] : 0;
		if (n < 2 || at + n > len) {
			s->options |= SEGMENT_BAD;
			return;
		}
		decode_option(o + at, n, s);
	}
}

static void decode_tcp(const uint8_t *d, size_t len, size_t ip,
		       struct segment *s)
{
	const uint8_t *t = d + ip;
	size_t head;

	if (len < ip + WIRE_TCP_LEN)
		return;
	s->kind = SEGMENT_TCP;
	s->sport = be_get16(t);
	s->dport = be_get16(t + 2);
	s->seq = be_get32(t + 4);
	s->ack = be_get32(t + 8);
	s->flags = t[13];
	s->wnd = be_get16(t + 14);
	s->csum = be_get16(t + 16);
	s->up = be_get16(t + 18);
	head = (t[12] >> 4) * 4u;
	head = head < WIRE_TCP_LEN ? WIRE_TCP_LEN : head;
	s->text_len =
		s->ip_len > ip + head ? s->ip_len - (uint32_t)(ip + head) : 0;
	s->head_len = (uint32_t)(ip + head);
	if (s->head_len > len)
		s->head_len = (uint32_t)len;
	decode_options(t + WIRE_TCP_LEN, s->head_len - ip - WIRE_TCP_LEN, s);
}

void segment_decode(const uint8_t *data, size_t len, struct segment *s)
{
	size_t ip;

	memset(s, 0, sizeof(*s));
	if (len == 0)
		return;
	s->v6 = data[0] >> 4 == 6;
	ip = s->v6 ? decode_ip6(data, len, s) : decode_ip4(data, len, s);
	s->head_len = (uint32_t)(ip < len ? ip : len);
	if (!ip || ip > len || s->kind == SEGMENT_OTHER)
		return;
	if (s->proto == IP_PROTO_TCP) {
		decode_tcp(data, len, ip, s);
	} else if (s->proto == (s->v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP) &&
		   len >= ip + WIRE_ICMP_LEN) {
		s->kind = SEGMENT_ICMP;
		s->icmp_type = data[ip];
		s->icmp_code = data[ip + 1];
		s->head_len = (uint32_t)ip + WIRE_ICMP_LEN;
	} else {
		s->kind = SEGMENT_OTHER;
	}
}
