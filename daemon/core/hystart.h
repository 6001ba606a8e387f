/*
 * hystart.h - When slow start should end before it loses (RFC 9406)
 */
#ifndef TCPHS_HYSTART_H
#define TCPHS_HYSTART_H

#include <stdint.h>

#include "seq.h"

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
};

/**
 * hystart_ack() - Take an ACK of slow start into account (RFC 9406, 4.2)
 * @h:      State
 * @una:    First number that is not acknowledged
 * @nxt:    Next number to send
 * @rtt_us: Measured by this ACK; 0 if it measured nothing
 *
 * To be called with each ACK for new bytes, whether cwnd may grow or not.
 *
 * Return: enum hystart_phase, what is allowed from this ACK on
 */
enum hystart_phase hystart_ack(struct hystart *h, tcp_seq una, tcp_seq nxt,
			       uint32_t rtt_us);

#endif
