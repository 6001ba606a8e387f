/*
 * cc.h - Congestion control behind one table
 *
 * Windows in bytes. The caller counts what is in flight and tells what
 * happened; the algorithm answers with cwnd and ssthresh. What an algorithm
 * remembers beside them lies in struct cc_state, which is gone while nothing
 * is in flight (an idle connection keeps cwnd and ssthresh only).
 *
 * Both structs are plain values: a caller that copied them before loss() or
 * timeout() and learns that it was spurious gives the copies to cc_undo().
 */
#ifndef TCPHS_CC_H
#define TCPHS_CC_H

#include <stdint.h>

#include "seq.h"

#define SSTHRESH_INFINITE UINT32_MAX
/* No peer can offer a larger window (RFC 7323, 2.3). */
#define CWND_MAX (65535u << 14)

struct cc_state {
	uint64_t word[12]; /* the algorithm's own; zeroed at the start */
};

struct cc {
	uint32_t cwnd, ssthresh; /* bytes */
	uint32_t mss;		 /* SMSS */
	uint32_t acked_frac;	 /* what did not make cwnd grow yet */
};

struct cc_ack {
	uint32_t acked;	    /* bytes newly acknowledged */
	uint32_t in_flight; /* bytes before this ACK */
	uint32_t srtt_us, min_rtt_us;
	uint32_t rtt_us;  /* measured by this ACK; 0 if nothing was */
	tcp_seq una, nxt; /* snd_una after it, snd_nxt */
	int64_t now_us;
	uint8_t cwnd_limited; /* the window, not the sender, was the limit */
};

struct cc_algorithm {
	const char *name;
	void (*ack)(struct cc *, struct cc_state *, const struct cc_ack *);
	/* Loss by evidence (once a round): lowers ssthresh and cwnd. */
	void (*loss)(struct cc *, struct cc_state *, uint32_t in_flight,
		     int64_t now_us);
	/* Retransmission timeout: ssthresh as above if @first, cwnd 1 MSS. */
	void (*timeout)(struct cc *, struct cc_state *, uint32_t in_flight,
			uint8_t first, int64_t now_us);
};

extern const struct cc_algorithm cc_newreno;
extern const struct cc_algorithm cc_cubic;

/**
 * cc_undo() - A loss was none (RFC 9438, 4.9; RFC 4015, 3.2, step 8)
 * @was, @was_state: Copies from before loss() or timeout()
 *
 * What grew meanwhile stays.
 */
void cc_undo(struct cc *cc, struct cc_state *st, const struct cc *was,
	     const struct cc_state *was_state);

/** cc_restart() - After a silence of an RTO: no more than IW (RFC 5681, 4.1) */
void cc_restart(struct cc *cc);

/** cc_decay() - A window nobody made use of: half of it (RFC 7661, 4.4.3) */
void cc_decay(struct cc *cc);

/** cc_initial_window() - RFC 6928: min(10 MSS, max(2 MSS, 14600)) */
uint32_t cc_initial_window(uint32_t mss);

#endif
