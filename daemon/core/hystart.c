/*
 * hystart.c - When slow start should end before it loses (RFC 9406)
 *
 * A queue that fills shows as a round trip that grows. Slow start is watched in
 * rounds: a round ends when what was sent last at its beginning is
 * acknowledged. If the smallest of at least eight samples of a round lies an
 * eighth (but 4 to 16 ms) above that of the round before, conservative slow
 * start begins: growth by a quarter, for five rounds. If the round trip falls
 * below what it began with, the rise was jitter and slow start goes on; if not,
 * the window of then is the end of slow start.
 */
#include "hystart.h"

/* RFC 9406, 4.3 */
#define RTT_THRESH_MIN_US 4000
#define RTT_THRESH_MAX_US 16000
#define RTT_DIVISOR	  8
#define RTT_SAMPLES	  8
#define CSS_ROUNDS	  5

static void round_begin(struct hystart *h, tcp_seq nxt);
static void sample(struct hystart *h, uint32_t rtt_us);
static void judge(struct hystart *h);

enum hystart_phase hystart_ack(struct hystart *h, tcp_seq una, tcp_seq nxt,
			       uint32_t rtt_us)
{
	if (!h->begun || seq_geq(una, h->round_end))
		round_begin(h, nxt);
	if (rtt_us)
		sample(h, rtt_us);
	if (h->samples >= RTT_SAMPLES)
		judge(h);
	return h->phase;
}

static void round_begin(struct hystart *h, tcp_seq nxt)
{
	/* The round in which it was entered counts, short as it may have been:
	 * RFC 9406, 4.2. */
	if (h->phase == HYSTART_CONSERVATIVE && ++h->rounds == CSS_ROUNDS)
		h->phase = HYSTART_DONE;
	h->begun = 1;
	h->round_end = nxt;
	h->last_min_us = h->round_min_us;
	h->round_min_us = 0;
	h->samples = 0;
}

static void sample(struct hystart *h, uint32_t rtt_us)
{
	if (!h->round_min_us || rtt_us < h->round_min_us)
		h->round_min_us = rtt_us;
	if (h->samples < RTT_SAMPLES)
		h->samples++;
}

static void judge(struct hystart *h)
{
	uint32_t thresh = h->last_min_us / RTT_DIVISOR;

	if (thresh > RTT_THRESH_MAX_US)
		thresh = RTT_THRESH_MAX_US;
	if (thresh < RTT_THRESH_MIN_US)
		thresh = RTT_THRESH_MIN_US;
	if (h->phase == HYSTART_SLOW_START && h->last_min_us &&
	    h->round_min_us >= (uint64_t)h->last_min_us + thresh) {
		h->phase = HYSTART_CONSERVATIVE;
		h->base_us = h->round_min_us;
		h->rounds = 0;
	} else if (h->phase == HYSTART_CONSERVATIVE &&
		   h->round_min_us < h->base_us) {
		h->phase = HYSTART_SLOW_START;
	}
}
