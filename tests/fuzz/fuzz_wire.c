/*
 * fuzz_wire.c - Whatever is read from a packet lies in it and can be written
 *
 * The input is a packet, behind one byte that says whether checksums are made
 * right first (otherwise hardly anything passes them). A segment that was read
 * is written again and read back: nothing but what wire_tcp_build() does not
 * write may be different.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/wire.h"
#include "seal.h"

#define PKT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static void check_ip(const struct ip_pkt *ip, const uint8_t *pkt, size_t len)
{
	ASSERT(ip->head == pkt);
	ASSERT(ip->head_len >= WIRE_IP4_LEN);
	ASSERT(ip->body == pkt + ip->head_len);
	ASSERT(ip->head_len + ip->body_len <= len);
	ASSERT(ip->v6 == (pkt[0] >> 4 == 6));
	ASSERT(ip_mapped(ip->src.b) == !ip->v6);
	ASSERT(ip_mapped(ip->dst.b) == !ip->v6);
	ASSERT(ip->fragment || (!ip->frag_off && !ip->frag_more));
	/* All of it is there: ASan would see a byte that is not. */
	csum_partial(ip->head, ip->head_len + ip->body_len, 0);
}

static void check_seg(const struct tcp_seg *s, const struct ip_pkt *ip)
{
	ASSERT(s->sport != 0);
	ASSERT(s->dport != 0);
	ASSERT(s->text >= ip->body + WIRE_TCP_LEN);
	ASSERT(s->text + s->len == ip->body + ip->body_len);
	ASSERT(s->nsack <= SACK_BLOCKS_MAX);
	ASSERT((s->nsack != 0) == !!(s->opts & OPT_SACK));
	ASSERT(s->wscale <= 14);
	ASSERT(s->gso_size == 0);
	if (!(s->flags & TH_SYN))
		ASSERT(!(s->opts & (OPT_MSS | OPT_WSCALE | OPT_SACK_OK)));
}

/* Equal in all that goes out again. */
static void check_same(const struct tcp_seg *a, const struct tcp_seg *b)
{
	ASSERT(memcmp(&a->src, &b->src, 16) == 0);
	ASSERT(memcmp(&a->dst, &b->dst, 16) == 0);
	ASSERT(a->sport == b->sport);
	ASSERT(a->dport == b->dport);
	ASSERT(a->seq == b->seq);
	ASSERT(a->wnd == b->wnd);
	ASSERT(a->flags == b->flags);
	ASSERT((a->opts & ~(OPT_UNKNOWN | OPT_SACK)) == (b->opts & ~OPT_SACK));
	ASSERT(a->tos == b->tos);
	ASSERT(a->ttl == b->ttl);
	ASSERT(a->mss == b->mss);
	ASSERT(a->wscale == b->wscale);
	ASSERT(a->ts_val == b->ts_val);
	ASSERT(a->ts_ecr == b->ts_ecr);
	ASSERT(b->nsack <= a->nsack);
	ASSERT(memcmp(a->sack, b->sack, b->nsack * sizeof(a->sack[0])) == 0);
	if (a->flags & TH_ACK)
		ASSERT(a->ack == b->ack);
	if (a->flags & TH_URG)
		ASSERT(a->up == b->up);
	ASSERT(a->len == b->len);
	if (a->len)
		ASSERT(memcmp(a->text, b->text, a->len) == 0);
}

static void rebuild(const struct tcp_seg *s)
{
	uint8_t pkt[WIRE_HEAD_MAX + PKT_MAX];
	struct ip_pkt ip;
	struct tcp_seg again;
	uint32_t head, off, sum = csum_partial(s->text, s->len, 0);

	head = wire_tcp_build(pkt, s, 0, WIRE_CSUM_FULL, sum, &off);
	ASSERT(head == off + WIRE_TCP_LEN + wire_tcp_optlen(s));
	ASSERT(head <= WIRE_HEAD_MAX);
	memcpy(pkt + head, s->text, s->len);
	ASSERT(wire_ip_parse(pkt, head + s->len, &ip) == DROP_NONE);
	ASSERT(!ip.fragment);
	ASSERT(ip.body == pkt + off);
	ASSERT(wire_tcp_parse(&ip, false, &again) == DROP_NONE);
	check_same(s, &again);
}

static void input(uint8_t *pkt, size_t len, bool seal)
{
	struct icmp_msg m;
	struct tcp_seg s;
	struct ip_pkt ip;

	if (seal)
		packet_seal(pkt, len);
	if (wire_ip_parse(pkt, len, &ip) != DROP_NONE)
		return;
	check_ip(&ip, pkt, len);
	if (ip.fragment)
		return;
	if (ip.proto == IP_PROTO_TCP) {
		if (wire_tcp_parse(&ip, false, &s) != DROP_NONE)
			return;
		check_seg(&s, &ip);
		rebuild(&s);
	} else if (ip.proto == (ip.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP)) {
		if (wire_icmp_parse(&ip, &m) != DROP_NONE)
			return;
		ASSERT(m.kind > ICMP_NONE);
		ASSERT(m.kind <= ICMP_OTHER);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *pkt;

	if (size < 1 || size - 1 > PKT_MAX)
		return 0;
	/* A copy of its own size, so that ASan sees the end of the packet. */
	pkt = malloc(size - 1 ? size - 1 : 1);
	if (!pkt)
		return 0;
	memcpy(pkt, data + 1, size - 1);
	input(pkt, size - 1, data[0] & 1);
	free(pkt);
	return 0;
}
