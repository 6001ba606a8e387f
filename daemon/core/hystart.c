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
 *
 * The smallest of a round is that of its beginning, when the queue of the round
 * before has just drained. So this sees a queue a round late, when cwnd may be
 * four times what the path holds, and a queue as long as the path is overrun by
 * then. What is added here: if each sample of a quarter of a round trip lies a
 * sixteenth above the smallest of the round before, there is a queue now, and
 * what was acknowledged in this quarter says what the path carries. If cwnd is
 * more than that in a round trip, it grows by a quarter for as long as this is
 * so; if not, it was jitter. Slow start ends when it is twice as much: a queue as
 * long as the path is full then, and what a reduction leaves is enough for the
 * path. Not earlier, for beside somebody else the queue may be theirs, and who
 * stops first has the smaller window for minutes. A pause of one of the ends is
 * no queue either: what it held back comes all at once when it is over. Near
 * peers are left to RFC 9406, for there it is the ends that take the time.
 * (Linux ends slow start by the length of a train of ACKs, which shows the same
 * but needs unpaced senders.)
 *
 * RFC 9406, 4.2 limits what one ACK may add (L); here it is infinite, for the
 * reason given in cc_newreno.c.
 */
#include "hystart.h"

#include <stdbool.h>

/* RFC 9406, 4.3 */
#define RTT_THRESH_MIN_US 4000
#define RTT_THRESH_MAX_US 16000
#define RTT_DIVISOR	  8
#define RTT_SAMPLES	  8
#define CSS_DIVISOR	  4
#define CSS_ROUNDS	  5
/* Parts of a round trip. */
#define STRETCH_DIVISOR 4
#define PAUSE_DIVISOR	8
#define RISE_DIVISOR	16
#define RISE_MIN_US	1000
#define NEAR_US		4000

static void round_begin(struct hystart *h, tcp_seq nxt);
static void sample(struct hystart *h, uint32_t rtt_us);
static void judge(struct hystart *h);
static uint64_t path_holds(struct hystart *h, const struct cc_ack *ack);
static uint32_t risen_us(const struct hystart *h);

enum hystart_phase hystart_ack(struct hystart *h, const struct cc_ack *ack,
			       uint32_t cwnd)
{
	uint64_t holds;

	if (!h->begun || seq_geq(ack->una, h->round_end))
		round_begin(h, ack->nxt);
	if (ack->rtt_us)
		sample(h, ack->rtt_us);
	if (h->samples >= RTT_SAMPLES)
		judge(h);
	holds = path_holds(h, ack);
	if (cwnd / 2 > holds)
		h->phase = HYSTART_DONE;
	else if (cwnd > holds && h->phase == HYSTART_SLOW_START)
		return HYSTART_CONSERVATIVE;
	return h->phase;
}

uint32_t hystart_grow(struct hystart *h, struct cc *cc,
		      const struct cc_ack *ack)
{
	enum hystart_phase phase = HYSTART_SLOW_START;
	uint32_t acked = ack->acked, grow;

	/* RFC 9406, 4.2: the first slow start only; later ones know where to
	 * end. */
	if (cc->ssthresh == SSTHRESH_INFINITE) {
		phase = hystart_ack(h, ack, cc->cwnd);
		if (phase == HYSTART_DONE)
			cc->ssthresh = cc->cwnd;
	}
	if (cc->cwnd >= cc->ssthresh) {
		cc->acked_frac = 0;
		return acked;
	}
	if (!ack->cwnd_limited)
		return 0;
	if (phase == HYSTART_CONSERVATIVE) {
		cc->acked_frac += acked % CSS_DIVISOR;
		acked = acked / CSS_DIVISOR + cc->acked_frac / CSS_DIVISOR;
		cc->acked_frac %= CSS_DIVISOR;
	}
	grow = cc->ssthresh - cc->cwnd;
	if (grow > acked)
		grow = acked;
	cc->cwnd += grow;
	return acked - grow;
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
	if (h->phase == HYSTART_SLOW_START && h->last_min_us &&
	    h->round_min_us >= risen_us(h)) {
		h->phase = HYSTART_CONSERVATIVE;
		h->base_us = h->round_min_us;
		h->rounds = 0;
	} else if (h->phase == HYSTART_CONSERVATIVE &&
		   h->round_min_us < h->base_us) {
		h->phase = HYSTART_SLOW_START;
	}
}

/* Bytes that the path takes in a round trip, if all samples of a stretch show a
 * queue; else more than any window. */
static uint64_t path_holds(struct hystart *h, const struct cc_ack *ack)
{
	int64_t passed, pause = ack->now_us - h->heard_us;
	uint32_t rise = h->last_min_us / RISE_DIVISOR;

	h->heard_us = ack->now_us;
	h->queued_acked += ack->acked;
	if (pause > h->last_min_us / PAUSE_DIVISOR)
		h->queued = 0;
	if (!ack->rtt_us)
		return UINT64_MAX;
	if (rise < RISE_MIN_US)
		rise = RISE_MIN_US;
	if (h->last_min_us < NEAR_US || ack->rtt_us < h->last_min_us + rise) {
		h->queued = 0;
		return UINT64_MAX;
	}
	if (!h->queued) {
		h->queued_us = ack->now_us;
		h->queued_acked = 0;
	}
	if (h->queued < RTT_SAMPLES)
		h->queued++;
	passed = ack->now_us - h->queued_us;
	if (h->queued < RTT_SAMPLES ||
	    passed < h->last_min_us / STRETCH_DIVISOR)
		return UINT64_MAX;
	return (uint64_t)h->queued_acked * h->last_min_us / (uint64_t)passed;
}

/* What lies clearly above the round before. */
static uint32_t risen_us(const struct hystart *h)
{
	uint32_t thresh = h->last_min_us / RTT_DIVISOR;

	if (thresh > RTT_THRESH_MAX_US)
		thresh = RTT_THRESH_MAX_US;
	if (thresh < RTT_THRESH_MIN_US)
		thresh = RTT_THRESH_MIN_US;
	return h->last_min_us < UINT32_MAX - thresh ? h->last_min_us + thresh
						    : UINT32_MAX;
}
