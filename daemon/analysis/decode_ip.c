/*
 * decode_ip.c - IPv4 and IPv6 of captured packets
 *
 * The shorter of two lengths holds: that of the header and that of the layer
 * below. A length of zero is how Linux writes down a super-segment of more than
 * 64 KiB ("BIG TCP"); then the layer below has the only one.
 *
 * Fragments are put together by the engine's own reassembly (core/reasm.h),
 * within the decoder's memory, and the whole is decoded like any packet.
 */
#include <string.h>

#include "core/be.h"
#include "core/wire.h"
#include "decode.h"

#define PROTO_IPIP 4
#define PROTO_6IN4 41
#define PROTO_GRE  47

#define IP6_EXT_MAX 8 /* extension headers that are walked over */

static enum packet_kind ip4(struct decoding *g);
static enum packet_kind ip6(struct decoding *g);
static enum packet_kind by_proto(struct decoding *g, uint8_t proto, bool v6);
static enum packet_kind fragment(struct decoding *g, struct ip_pkt *ip,
				 uint32_t cap);

enum packet_kind decode_ip(struct decoding *g)
{
	if (g->v.cap < 1)
		return decode_short(g, FAULT_IP_HEADER);
	switch (g->v.p[0] >> 4) {
	case 4:
		return ip4(g);
	case 6:
		return ip6(g);
	default:
		return decode_broken(g, FAULT_IP_HEADER);
	}
}

/* What the header says of its length, against what is there. */
static void limit(struct decoding *g, uint32_t total, bool none)
{
	g->p->notes &= (uint8_t) ~(NOTE_LENGTH_0 | NOTE_LENGTH);
	if (none) {
		g->p->notes |= NOTE_LENGTH_0;
		total = g->v.len;
	}
	if (total > g->v.len)
		g->p->notes |= NOTE_LENGTH;
	view_limit(&g->v, total);
	g->p->ip_len = g->v.len;
	g->p->ip = g->v.p;
	g->p->ip_cap = g->v.cap;
}

static enum packet_kind ip4(struct decoding *g)
{
	const uint8_t *h = g->v.p;
	struct packet *p = g->p;
	uint32_t head_len, total, frag;
	struct ip_pkt ip;

	if (g->v.cap < WIRE_IP4_LEN)
		return decode_short(g, FAULT_IP_HEADER);
	head_len = (h[0] & 0xfu) * 4;
	total = be_get16(h + 2);
	if (head_len < WIRE_IP4_LEN)
		return decode_broken(g, FAULT_IP_HEADER);
	if (total && total < head_len)
		return decode_broken(g, FAULT_IP_LENGTH);
	limit(g, total, !total);
	p->notes &= (uint8_t)~NOTE_IP_SUM;
	ip_map4(&p->src, h + 12);
	ip_map4(&p->dst, h + 16);
	p->ttl = h[8];
	p->tos = h[1];
	p->ip_id = be_get16(h + 4);
	p->has_ip_id = true;
	if (!view_skip(&g->v, head_len))
		return decode_short(g, FAULT_IP_LENGTH);
	if (csum_fold(csum_partial(h, head_len, 0)) != 0)
		p->notes |= NOTE_IP_SUM;
	frag = be_get16(h + 6);
	if (!(frag & (IP4_MF | IP4_OFF_MASK)))
		return by_proto(g, h[9], false);
	memset(&ip, 0, sizeof(ip));
	ip.proto = h[9];
	ip.frag_off = (uint16_t)((frag & IP4_OFF_MASK) * 8);
	ip.frag_more = frag & IP4_MF;
	ip.frag_id = p->ip_id;
	ip.head_len = head_len;
	ip.head = h;
	return fragment(g, &ip, g->v.cap);
}

static enum packet_kind ip6(struct decoding *g)
{
	const uint8_t *h = g->v.p, *ext;
	struct packet *p = g->p;
	uint8_t next;
	struct ip_pkt ip;
	uint32_t len, frag;

	if (g->v.cap < WIRE_IP6_LEN)
		return decode_short(g, FAULT_IP_HEADER);
	len = be_get16(h + 4);
	limit(g, WIRE_IP6_LEN + len, !len);
	memcpy(p->src.b, h + 8, 16);
	memcpy(p->dst.b, h + 24, 16);
	p->ttl = h[7];
	p->tos = (uint8_t)(be_get16(h) >> 4);
	p->has_ip_id = false;
	next = h[6];
	view_skip(&g->v, WIRE_IP6_LEN);
	for (int i = 0; i < IP6_EXT_MAX; i++) {
		ext = g->v.p;
		switch (next) {
		case IP6_HOPOPTS:
		case IP6_ROUTING:
		case IP6_DSTOPTS:
		case IP6_AUTH:
			if (g->v.cap < 8)
				return decode_short(g, FAULT_IP_LENGTH);
			len = next == IP6_AUTH ? (ext[1] + 2u) * 4
					       : (ext[1] + 1u) * 8;
			next = ext[0];
			if (!view_skip(&g->v, len))
				return decode_short(g, FAULT_IP_LENGTH);
			break;
		case IP6_FRAGMENT:
			if (!view_skip(&g->v, WIRE_FRAG6_LEN))
				return decode_short(g, FAULT_IP_LENGTH);
			next = ext[0];
			frag = be_get16(ext + 2);
			if (!(frag & (IP6_OFF_MASK | IP6_MF)))
				break; /* RFC 6946: the only one */
			memset(&ip, 0, sizeof(ip));
			ip.v6 = true;
			ip.proto = next;
			ip.frag_off = (uint16_t)(frag & IP6_OFF_MASK);
			ip.frag_more = frag & IP6_MF;
			ip.frag_id = be_get32(ext + 4);
			ip.head_len = (uint32_t)(g->v.p - h);
			ip.head = h;
			return fragment(g, &ip, g->v.cap);
		default:
			return by_proto(g, next, true);
		}
	}
	return decode_broken(g, FAULT_IP_HEADER);
}

static enum packet_kind by_proto(struct decoding *g, uint8_t proto, bool v6)
{
	enum encap_kind tunnel;

	switch (proto) {
	case IP_PROTO_TCP:
		return decode_tcp(g);
	case IP_PROTO_ICMP:
		return v6 ? PACKET_OTHER : decode_icmp(g, false);
	case IP_PROTO_ICMPV6:
		return v6 ? decode_icmp(g, true) : PACKET_OTHER;
	case IP_PROTO_UDP:
		return decode_udp(g);
	case PROTO_GRE:
		return decode_gre(g);
	case PROTO_IPIP:
	case PROTO_6IN4:
		tunnel = v6		       ? ENCAP_IPIN6
			 : proto == PROTO_IPIP ? ENCAP_IPIP
					       : ENCAP_SIXINFOUR;
		if (!decode_encap(g, tunnel, 0))
			return decode_broken(g, FAULT_DEPTH);
		return decode_ip(g);
	default:
		return PACKET_OTHER;
	}
}

/* @ip says where it belongs; the rest comes from the packet. */
static enum packet_kind fragment(struct decoding *g, struct ip_pkt *ip,
				 uint32_t cap)
{
	struct reasm *r = &g->d->reasm;
	int64_t now_us = g->p->ns / 1000;
	struct reasm_lost lost;
	struct reasm_pkt whole;

	if (!g->d->reassembles || g->d->holds)
		return PACKET_FRAGMENT;
	ip->src = g->p->src;
	ip->dst = g->p->dst;
	if (cap < g->v.len) { /* the rest of it can only be in the way */
		reasm_refuse(r, ip, now_us);
		return decode_broken(g, FAULT_CUT);
	}
	ip->ttl = g->p->ttl;
	ip->tos = g->p->tos;
	ip->fragment = true;
	ip->body = g->v.p;
	ip->body_len = cap;
	while (reasm_expire(r, now_us, &lost))
		;
	switch (reasm_input(r, ip, now_us, &whole)) {
	case REASM_HELD:
	case REASM_COPY:
		return PACKET_FRAGMENT;
	case REASM_DONE:
		g->d->holds = true;
		g->p->notes |= NOTE_WHOLE;
		g->v = (struct view){whole.data, whole.len, whole.len};
		return decode_ip(g);
	default:
		return decode_broken(g, FAULT_FRAGMENT);
	}
}
