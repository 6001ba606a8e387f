/*
 * packet.h - Packets written by hand, for tests of what reads them
 *
 * Shares nothing with daemon/core/wire*.c, so that a mistake there is not made
 * here too. Between 198.18.66.1 and .2, or fd74:6370:6873::1 and ::2; ports
 * 40000 and 7.
 */
#ifndef TCPHS_TEST_PACKET_H
#define TCPHS_TEST_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 2048

struct packet {
	uint8_t b[PACKET_MAX];
	size_t len;
	size_t body; /* offset of what follows the IP header */
};

/** packet_csum() - RFC 1071, 4.1, one 16-bit word after the other */
uint16_t packet_csum(const uint8_t *p, size_t len);

/** packet_ip4() - IPv4 header of 20 bytes, TTL 64, and a body */
void packet_ip4(struct packet *p, uint8_t proto, const void *body, size_t len);

/** packet_ip6() - IPv6 header, hop limit 64, and a body */
void packet_ip6(struct packet *p, uint8_t proto, const void *body, size_t len);

/** packet_tcp() - A whole segment; @optlen may be 0 to 40, divisible by 4 */
void packet_tcp(struct packet *p, int v6, uint8_t flags, const void *opts,
		size_t optlen, const void *text, size_t len);

/** packet_icmp() - A whole ICMP or ICMPv6 message: 8 bytes and what follows */
void packet_icmp(struct packet *p, int v6, uint8_t type, uint8_t code,
		 uint32_t rest, const void *data, size_t len);

/** packet_seal() - Set the checksums again after bytes were changed */
void packet_seal(struct packet *p);

#endif
