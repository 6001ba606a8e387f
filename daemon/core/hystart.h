/*
 * hystart.h - When slow start should end before it loses (RFC 9406)
 */
#ifndef TCPHS_HYSTART_H
#define TCPHS_HYSTART_H

#include <stdint.h>

#include "cc.h"

enum hystart_phase {
	HYSTART_SLOW_START,
	HYSTART_CONSERVATIVE, /* a quarter of slow start's growth */
	HYSTART_DONE,	      /* congestion avoidance from here on */
};

/* All zero is the beginning; a round-trip time of 0 stands for infinity. */
struct hystart {
	tcp_seq round_end; /* the round is over when this is acknowledged */
	uint32_t last_min_us, round_min_us;
	uint32_t base_us; /* what conservative slow start began with */
	uint8_t samples;  /* of this round, counted up to the limit */
	uint8_t rounds;	  /* of conservative slow start, ended ones */
	uint8_t phase;
	uint8_t begun;
	/* A stretch of samples that all show a queue. */
	uint8_t queued; /* so many, counted up to the limit; 0 = none */
	uint32_t queued_acked;
	int64_t queued_us; /* since */
	int64_t heard_us;  /* the last ACK */
};

/**
 * hystart_ack() - Take an ACK of slow start into account (RFC 9406, 4.2)
 *
 * To be called with each ACK for new bytes, whether @cwnd may grow or not.
 *
 * Return: enum hystart_phase, what is allowed from this ACK on
 */
enum hystart_phase hystart_ack(struct hystart *h, const struct cc_ack *ack,
			       uint32_t cwnd);

/**
 * hystart_grow() - Slow start: cwnd grows, or ssthresh is set to end it
 * @cc: Below ssthresh
 *
 * Return: bytes acknowledged that are left for congestion avoidance
 */
uint32_t hystart_grow(struct hystart *h, struct cc *cc,
		      const struct cc_ack *ack);

#endif
