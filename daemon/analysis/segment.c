/*
 * segment.c - What the first bytes of a packet say
 *
 * The engine's parser (core/wire.h) judges: one wrong bit, and a packet is
 * dropped. This one is for showing packets, also those that were dropped and
 * those of which only a part was kept, so it tells what it can read and leaves
 * zero what it cannot.
 */
#include <tcphs/segment.h>

#include <string.h>

#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_ICMPV6 58
#define IP6_LEN	     40
#define EXTENSIONS   8 /* headers that are passed over */

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static size_t decode_ip4(const uint8_t *d, size_t len, struct segment *s)
{
	size_t head = (d[0] & 15u) * 4u;

	if (len < 20 || head < 20)
		return 0;
	s->tos = d[1];
	s->ip_len = get16(d + 2);
	s->ip_id = (uint16_t)get16(d + 4);
	s->fragment = get16(d + 6) & 0x3fff;
	s->ttl = d[8];
	s->proto = d[9];
	memset(s->src.b, 0, 10);
	memset(s->src.b + 10, 0xff, 2);
	s->dst = s->src;
	memcpy(s->src.b + 12, d + 12, 4);
	memcpy(s->dst.b + 12, d + 16, 4);
	s->kind = get16(d + 6) & 0x1fff ? SEGMENT_OTHER : SEGMENT_NONE;
	return head;
}

/* RFC 8200, 4: past the extension headers that look like one another. */
static size_t decode_ip6(const uint8_t *d, size_t len, struct segment *s)
{
	size_t head = IP6_LEN;

	if (len < IP6_LEN)
		return 0;
	s->tos = (uint8_t)(get16(d) >> 4);
	s->ip_len = IP6_LEN + get16(d + 4);
	s->proto = d[6];
	s->ttl = d[7];
	memcpy(s->src.b, d + 8, 16);
	memcpy(s->dst.b, d + 24, 16);
	for (int i = 0; i < EXTENSIONS && head + 8 <= len; i++) {
		if (s->proto == 44) { /* fragment */
			s->fragment = true;
			if (get16(d + head + 2) & 0xfff8)
				s->kind = SEGMENT_OTHER;
			s->proto = d[head];
			head += 8;
		} else if (s->proto == 0 || s->proto == 43 || s->proto == 60) {
			s->proto = d[head];
			head += 8 + d[head + 1] * 8u;
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
		s->sack[s->nsack].start = get32(o + at);
		s->sack[s->nsack++].end = get32(o + at + 4);
	}
}

static void decode_option(const uint8_t *o, size_t len, struct segment *s)
{
	switch (o[0] << 8 | (int)len) {
	case 2 << 8 | 4:
		s->options |= SEGMENT_MSS;
		s->mss = (uint16_t)get16(o + 2);
		break;
	case 3 << 8 | 3:
		s->options |= SEGMENT_WSCALE;
		s->wscale = o[2];
		break;
	case 4 << 8 | 2:
		s->options |= SEGMENT_SACK_OK;
		break;
	case 8 << 8 | 10:
		s->options |= SEGMENT_TS;
		s->ts_val = get32(o + 2);
		s->ts_ecr = get32(o + 6);
		break;
	default:
		if (o[0] == 5)
			decode_sack(o, len, s);
		else
			s->options |= SEGMENT_UNKNOWN;
	}
}

static void decode_options(const uint8_t *o, size_t len, struct segment *s)
{
	for (size_t at = 0, n; at < len && o[at] != 0; at += n) {
		if (o[at] == 1) {
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

	if (len < ip + 20)
		return;
	s->kind = SEGMENT_TCP;
	s->sport = (uint16_t)get16(t);
	s->dport = (uint16_t)get16(t + 2);
	s->seq = get32(t + 4);
	s->ack = get32(t + 8);
	s->flags = t[13];
	s->wnd = (uint16_t)get16(t + 14);
	s->csum = (uint16_t)get16(t + 16);
	s->up = (uint16_t)get16(t + 18);
	head = (t[12] >> 4) * 4u;
	head = head < 20 ? 20 : head;
	s->text_len =
		s->ip_len > ip + head ? s->ip_len - (uint32_t)(ip + head) : 0;
	s->head_len = (uint32_t)(ip + head);
	if (s->head_len > len)
		s->head_len = (uint32_t)len;
	decode_options(t + 20, s->head_len - ip - 20, s);
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
	if (s->proto == PROTO_TCP) {
		decode_tcp(data, len, ip, s);
	} else if (s->proto == (s->v6 ? PROTO_ICMPV6 : PROTO_ICMP) &&
		   len >= ip + 8) {
		s->kind = SEGMENT_ICMP;
		s->icmp_type = data[ip];
		s->icmp_code = data[ip + 1];
		s->head_len = (uint32_t)ip + 8;
	} else {
		s->kind = SEGMENT_OTHER;
	}
}
