/*
 * packet.h - The bytes of packets, built and read apart from the engine
 *
 * Shares nothing with daemon/core/wire*.c, so that a mistake there is not made
 * here too, and builds what nobody should send.
 */
#ifndef TCPHS_WIRE_PACKET_H
#define TCPHS_WIRE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/event.h>

#define PACKET_MAX  (65535 + 64)
#define PACKET_SACK 4

/* A packet in both directions; numbers as on the wire, ports in host order. */
struct packet {
	bool v6;
	struct ip_addr src, dst;
	uint8_t ttl, tos;
	uint16_t id; /* IPv4 identification, or of IPv6 fragments */
	/* To build only: what should not be. */
	bool bad_sum, bad_ip_sum;
	int iplen, doff; /* -1 = the right one */
	const uint8_t *ip_raw;
	uint8_t n_ip_raw;
	int ext; /* type of the IPv6 header in ip_raw; -1 = IPv4 options */

	/* TCP */
	bool tcp;
	uint16_t sport, dport, wnd, up;
	uint32_t seq, ack;
	uint8_t flags, reserved;
	uint8_t opt[40], nopt; /* as they lie in the header, padded */
	const uint8_t *text;
	uint32_t len;
	/* What is in opt, when read. */
	bool has_mss, has_ws, sack_ok, has_ts, odd;
	uint16_t mss;
	uint8_t ws, nsack;
	uint32_t ts_val, ts_ecr;
	struct {
		uint32_t start, end;
	} sack[PACKET_SACK];

	/* ICMP: text and len are what follows its eight bytes. */
	bool icmp;
	uint8_t type, code;
	uint32_t rest; /* bytes 4 to 7 */

	/* To build only: another protocol, with text and len. */
	uint8_t other;
};

/** packet_build() - Write the bytes of @p to @buf; their number */
size_t packet_build(uint8_t buf[PACKET_MAX], const struct packet *p);

/**
 * packet_piece() - Write the fragment [from, to) of the built packet @whole
 * @to: -1 = to the end
 */
size_t packet_piece(uint8_t buf[PACKET_MAX], const uint8_t *whole, size_t len,
		    const struct packet *p, int from, int to);

/**
 * packet_read() - Take a packet apart
 *
 * Every checksum, length and padding byte of it is judged.
 *
 * Return: NULL, or what is wrong with it
 */
const char *packet_read(const uint8_t *buf, size_t len, struct packet *p);

/**
 * packet_icmp() - Type and code of a kind of message
 *
 * Kinds: echo reply net host protocol port too_big source_route prohibited ttl
 * reassembly param quench incomplete (RFC 7112: a first fragment).
 *
 * Return: false if the family has no such message
 */
bool packet_icmp(const char *kind, bool v6, uint8_t *type, uint8_t *code);

/** packet_icmp_kind() - The other way round; "other" if it is none of them */
const char *packet_icmp_kind(const struct packet *p);

#endif
