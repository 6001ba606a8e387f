/*
 * steer.c - Whose is a packet, or a connection, when there are several shards?
 *
 * A connection belongs to the shard that a keyed hash of its two ends names, the
 * same for both directions, from its first SYN to the end of its TIME-WAIT. No
 * table has to be shared or kept for that, a SYN that comes twice comes to the
 * same half-open record, and a cookie comes back to whoever made it. The kernel
 * does not know this hash. Where it does not know a flow yet, it deals the
 * packet to any queue; once the shard has answered through its own queue, tun
 * remembers that for as long as the flow is not silent for a few seconds, and
 * steers what follows there (threads.c). So this is asked for each packet, and
 * seldom has another answer than "here".
 *
 * An ICMP error is for the shard of the connection it quotes. What belongs to no
 * connection, pings and datagrams, and fragments, which have no ports but in
 * the first, are for shard 0.
 */
#include "steer.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

#include "core/be.h"
#include "core/wire.h"

#define COMMON 0 /* the shard of what belongs to no connection */

static unsigned int steer_icmp(const struct steer *s, const struct ip_pkt *ip,
			       unsigned int here);

unsigned int steer_ends(const struct steer *s, const struct ip_addr *a,
			uint16_t a_port, const struct ip_addr *b,
			uint16_t b_port)
{
	struct {
		struct ip_addr low, high;
		uint16_t low_port, high_port;
	} ends;
	int order = memcmp(a, b, sizeof(*a));
	uint64_t hash;

	_Static_assert(sizeof(ends) == 36, "no padding may be hashed");
	if (order < 0 || (order == 0 && a_port < b_port)) {
		ends.low = *a;
		ends.low_port = a_port;
		ends.high = *b;
		ends.high_port = b_port;
	} else {
		ends.low = *b;
		ends.low_port = b_port;
		ends.high = *a;
		ends.high_port = a_port;
	}
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)&ends,
			 sizeof(ends), s->key);
	return (unsigned int)(hash % s->shards);
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
