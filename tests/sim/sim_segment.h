/*
 * sim_segment.h - A TCP segment taken apart and put together again
 *
 * For what stands outside of the stacks: the simple peer, the middlebox, the
 * attacker. It shares no code with daemon/core/wire.h, so that no error of the
 * one is hidden by the other. Options stay raw bytes; everything unknown goes
 * through untouched.
 */
#ifndef TCPHS_SIM_SEGMENT_H
#define TCPHS_SIM_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_ICMPV6 58

/* Option kinds (RFC 9293, 3.1; RFC 7323; RFC 2018). */
#define KIND_EOL     0
#define KIND_NOP     1
#define KIND_MSS     2
#define KIND_WSCALE  3
#define KIND_SACK_OK 4
#define KIND_SACK    5
#define KIND_TS	     8

#define SEGMENT_OPT_MAX 40

struct segment {
	bool v6;
	uint8_t src[16], dst[16]; /* the first four bytes if not v6 */
	uint8_t tos, ttl;
	uint16_t ip_id;
	bool df;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t wnd, up;
	uint8_t opt[SEGMENT_OPT_MAX];
	uint8_t opt_len;
	const uint8_t *text;
	uint32_t len; /* of text */
};

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/** ahead() - How far @a lies ahead of @b in the circle of numbers */
static inline int32_t ahead(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

/** segment_parse() - Take a packet apart; false if it is no intact segment */
bool segment_parse(const uint8_t *pkt, uint32_t len, struct segment *s);

/**
 * segment_build() - Put it together, checksums and all
 * @buf: SIM_PACKET_MAX bytes; may hold s->text behind the headers, not in them
 *
 * Return: bytes written
 */
uint32_t segment_build(uint8_t *buf, const struct segment *s);

/** segment_opt() - Find an option; NULL if it is not there */
uint8_t *segment_opt(struct segment *s, uint8_t kind);

/** segment_opt_add() - Append an option of @len bytes behind kind and length */
void segment_opt_add(struct segment *s, uint8_t kind, const uint8_t *body,
		     uint8_t len);

/** segment_opt_drop() - Overwrite an option with NOPs, as middleboxes do */
void segment_opt_drop(struct segment *s, uint8_t kind);

/** segment_ip() - Write an IP header in front of @len bytes; Return: its size */
uint32_t segment_ip(uint8_t *buf, const struct segment *s, uint8_t proto,
		    uint32_t len);

#endif
