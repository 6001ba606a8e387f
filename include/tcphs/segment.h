/*
 * segment.h - What the first bytes of a packet say
 */
#ifndef TCPHS_SEGMENT_H
#define TCPHS_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/event.h>

#define SEGMENT_SACK_MAX 4

enum segment_kind {
	SEGMENT_NONE, /* nothing can be said about it */
	SEGMENT_TCP,
	SEGMENT_ICMP,
	SEGMENT_OTHER, /* a fragment but the first, or another protocol */
};

enum segment_option {
	SEGMENT_MSS = 1 << 0,
	SEGMENT_WSCALE = 1 << 1,
	SEGMENT_SACK_OK = 1 << 2,
	SEGMENT_TS = 1 << 3,
	SEGMENT_SACK = 1 << 4,
	SEGMENT_UNKNOWN = 1 << 5, /* at least one that is not of these */
	SEGMENT_BAD = 1 << 6,	  /* they end in the middle of one */
};

struct segment {
	enum segment_kind kind;
	bool v6;
	bool fragment;
	uint8_t proto; /* of the IP header, or of the last one before it */
	uint8_t ttl, tos;
	uint16_t ip_id;	   /* IPv4 */
	uint32_t ip_len;   /* by the IP header */
	uint32_t head_len; /* bytes in front of the text, as far as they came */
	struct ip_addr src, dst;
	/* SEGMENT_TCP */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint16_t wnd, up, csum;
	uint8_t flags;	   /* TH_* */
	uint8_t options;   /* enum segment_option */
	uint32_t text_len; /* by the lengths in the headers */
	uint16_t mss;
	uint8_t wscale;
	uint8_t nsack;
	uint32_t ts_val, ts_ecr;
	struct {
		uint32_t start, end;
	} sack[SEGMENT_SACK_MAX];
	/* SEGMENT_ICMP */
	uint8_t icmp_type, icmp_code;
};

/**
 * segment_decode() - Take apart what was kept of a packet
 * @data: From the version nibble on, perhaps cut off, perhaps malformed
 *
 * Nothing is checked that does not have to be: this is for showing.
 */
void segment_decode(const uint8_t *data, size_t len, struct segment *s);

#endif
