/*
 * steer.c - Whose is a packet, or a connection, when there are several shards?
 *
 * A connection belongs to the shard that a keyed hash of its two ends names, the
 * same for both directions, from its first SYN to the end of its TIME-WAIT. No
 * table has to be shared or kept for that, a SYN that comes twice comes to the
 * same half-open record, and a cookie comes back to whoever made it. The kernel
 * deals packets by the same hash, if it takes a program (steer_bpf.c); if not, it
 * has its own way (threads.c). So this is asked for each packet, and seldom has
 * another answer than "here".
 *
 * An ICMP error is for the shard of the connection it quotes. What belongs to no
 * connection, pings and datagrams, and fragments, which have no ports but in
 * the first, are for shard 0.
 */
#include "steer.h"

#include "core/be.h"
#include "core/wire.h"

#define COMMON 0 /* the shard of what belongs to no connection */

static unsigned int steer_icmp(const struct steer *s, const struct ip_pkt *ip,
			       unsigned int here);

/* Sums of products of keyed pairs (NH, of RFC 4418, 5.2.2, in 64 bits): few
 * instructions for the kernel's machine (steer_bpf.c), and nobody who does not
 * know the keys can choose ends that collide. */
static uint64_t end_sum(const struct steer *s, const struct ip_addr *a,
			uint16_t port)
{
	const uint64_t *k = s->key;

	return (be_get32(a->b) + k[0]) * (be_get32(a->b + 4) + k[1]) +
	       (be_get32(a->b + 8) + k[2]) * (be_get32(a->b + 12) + k[3]) +
	       (port + k[4]) * k[5];
}

unsigned int steer_ends(const struct steer *s, const struct ip_addr *a,
			uint16_t a_port, const struct ip_addr *b,
			uint16_t b_port)
{
	uint64_t sum = end_sum(s, a, a_port) + end_sum(s, b, b_port);

	sum = (sum ^ sum >> 32) * s->key[6];
	return (unsigned int)((sum >> 32) % s->shards);
}

unsigned int steer_packet(const struct steer *s, const void *pkt, size_t len,
			  unsigned int here)
{
	struct ip_pkt ip;

	if (wire_ip_parse(pkt, len, &ip) != DROP_NONE)
		return here;
	if (ip.fragment)
		return COMMON;
	if (ip.proto == IP_PROTO_TCP) {
		if (ip.body_len < 4)
			return here;
		return steer_ends(s, &ip.src, be_get16(ip.body), &ip.dst,
				  be_get16(ip.body + 2));
	}
	if (ip.proto == (ip.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP))
		return steer_icmp(s, &ip, here);
	return COMMON;
}

static unsigned int steer_icmp(const struct steer *s, const struct ip_pkt *ip,
			       unsigned int here)
{
	struct icmp_msg m;

	if (wire_icmp_parse(ip, &m) != DROP_NONE)
		return here;
	if (!m.quoted)
		return COMMON;
	return steer_ends(s, &m.q_src, m.q_sport, &m.q_dst, m.q_dport);
}
