/*
 * seal.c - Make the checksums of a mutated packet right
 */
#include "seal.h"

#include "core/be.h"
#include "core/wire.h"

/* The field at @at of the body, over all of the body. */
static void seal_body(uint8_t *body, const struct ip_pkt *ip, uint32_t at,
		      bool pseudo)
{
	uint32_t sum = 0;

	if (ip->body_len < at + 2)
		return;
	if (pseudo)
		sum = csum_pseudo(&ip->src, &ip->dst, ip->proto, ip->body_len);
	be_put16(body + at, 0);
	be_put16(body + at, csum_fold(csum_partial(body, ip->body_len, sum)));
}

void packet_seal(uint8_t *pkt, size_t len)
{
	struct ip_pkt ip;
	size_t head_len;

	if (len >= WIRE_IP4_LEN && pkt[0] >> 4 == 4) {
		head_len = (pkt[0] & 0xfu) * 4;
		if (head_len > len)
			return;
		be_put16(pkt + 10, 0);
		be_put16(pkt + 10, csum_fold(csum_partial(pkt, head_len, 0)));
	}
	if (wire_ip_parse(pkt, len, &ip) != DROP_NONE || ip.fragment)
		return;
	if (ip.proto == IP_PROTO_TCP)
		seal_body(pkt + ip.head_len, &ip, 16, true);
	else if (ip.proto == (ip.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP))
		seal_body(pkt + ip.head_len, &ip, 2, ip.v6);
}
