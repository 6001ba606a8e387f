/*
 * cwv.h - Is cwnd still true? (RFC 7661)
 */
#ifndef TCPHS_CWV_H
#define TCPHS_CWV_H

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"

/* All zero: nothing was measured, which counts as valid (RFC 7661, 4.2). */
struct cwv {
	int64_t half_us;   /* when the half of the sampling period began */
	int64_t since_us;  /* the window was last valid, or decayed, then */
	uint32_t acked;	   /* of the round in work, bytes */
	uint32_t pipe[2];  /* the most of a round: this half, the one before */
	tcp_seq round_end; /* the round is over when this is acknowledged */
	/* Of a recovery: what its reduction took a share of if cwnd was stale,
	 * else 0; what was sent again and arrived. Bytes. */
	uint32_t loss_from, resent;
	bool in_round;
	bool begun;
	bool known; /* a round was measured */
};

struct cwv_ack {
	uint32_t acked;	  /* bytes newly acknowledged */
	tcp_seq una, nxt; /* snd_una after it, snd_nxt */
	uint32_t cwnd, srtt_us;
	int64_t now_us;
};

/**
 * cwv_ack() - Count what an ACK acknowledges
 *
 * To be called with each ACK for new bytes while nothing is being repaired.
 *
 * Return: true if cwnd was not made use of for so long that it is to be taken
 *         down (RFC 7661, 4.4.3); once every five minutes
 */
bool cwv_ack(struct cwv *v, const struct cwv_ack *ack);

/** cwv_pipe() - pipeACK: the most bytes a round trip carried lately */
uint32_t cwv_pipe(const struct cwv *v);

/** cwv_recovered() - Of @ssthresh, what is left as a recovery ends (4.4.2) */
uint32_t cwv_recovered(const struct cwv *v, uint32_t ssthresh);

/** cwv_valid() - Was half of @cwnd in use at least (RFC 7661, 4.3)? */
bool cwv_valid(const struct cwv *v, uint32_t cwnd);

/** cwv_stale() - Has it not been for longer than pipeACK may lag behind? */
bool cwv_stale(const struct cwv *v, uint32_t cwnd, uint32_t srtt_us,
	       int64_t now_us);

#endif
