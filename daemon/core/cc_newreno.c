/*
 * cc_newreno.c - Slow start and congestion avoidance (RFC 5681)
 *
 * RFC 9293, 3.8.2 (MUST-19); the backoff of the timer is tcp_timer.c's.
 *
 * Windows grow by bytes acknowledged (RFC 3465), so peers that acknowledge
 * seldom or byte by byte make no difference. RFC 3465, 2.2 limits the growth of
 * one ACK to two segments (L) against bursts. Here an ACK answers a super-
 * segment of up to 64 KiB as a rule and that limit would make slow start slower
 * than linear, so, as in Linux, L is all that was acknowledged; what keeps this
 * honest is that a window grows only if it was the limit (RFC 7661, 4.3, and
 * RFC 5681, 4.1 for the idle case).
 *
 * NewReno's own part, how long a recovery lasts (RFC 6582), is the caller's: it
 * calls loss() once a round.
 */
#include "cc.h"
#include "hystart.h"

_Static_assert(sizeof(struct hystart) <= sizeof(struct cc_state),
	       "what slow start remembers fits in struct cc_state");

static void newreno_ack(struct cc *cc, struct cc_state *st,
			const struct cc_ack *ack);
static void newreno_loss(struct cc *cc, struct cc_state *st, uint32_t in_flight,
			 int64_t now_us);
static void newreno_timeout(struct cc *cc, struct cc_state *st,
			    uint32_t in_flight, uint8_t first, int64_t now_us);
static uint32_t half_in_flight(const struct cc *cc, uint32_t in_flight);

const struct cc_algorithm cc_newreno = {
	.name = "newreno",
	.ack = newreno_ack,
	.loss = newreno_loss,
	.timeout = newreno_timeout,
};

static void newreno_ack(struct cc *cc, struct cc_state *st,
			const struct cc_ack *ack)
{
	uint32_t acked = ack->acked;

	/* Slow start (RFC 5681, 3.1; RFC 9406), but not beyond its end: the
	 * rest counts for congestion avoidance. */
	if (cc->cwnd < cc->ssthresh)
		acked = hystart_grow((struct hystart *)st->word, cc, ack);
	if (!ack->cwnd_limited)
		return;
	if (cc->cwnd >= cc->ssthresh) {
		/* One segment for each window acknowledged. What was sent under
		 * a larger window counts for one of now. */
		cc->acked_frac += acked < cc->cwnd ? acked : cc->cwnd;
		if (cc->acked_frac >= cc->cwnd) {
			cc->acked_frac -= cc->cwnd;
			cc->cwnd += cc->mss;
		}
	}
	if (cc->cwnd > CWND_MAX)
		cc->cwnd = CWND_MAX;
}

static void newreno_loss(struct cc *cc, struct cc_state *st, uint32_t in_flight,
			 int64_t now_us)
{
	(void)st;
	(void)now_us;
	cc->ssthresh = half_in_flight(cc, in_flight);
	cc->cwnd = cc->ssthresh;
	cc->acked_frac = 0;
}

static void newreno_timeout(struct cc *cc, struct cc_state *st,
			    uint32_t in_flight, uint8_t first, int64_t now_us)
{
	(void)st;
	(void)now_us;
	/* RFC 5681, 3.1: ssthresh is held when a retransmission is lost. */
	if (first)
		cc->ssthresh = half_in_flight(cc, in_flight);
	cc->cwnd = cc->mss; /* the loss window */
	cc->acked_frac = 0;
}

/* RFC 5681, 3.1 (4). From what is in flight, not from cwnd, which may be far
 * more than was used. */
static uint32_t half_in_flight(const struct cc *cc, uint32_t in_flight)
{
	uint32_t half = in_flight / 2;

	return half > 2 * cc->mss ? half : 2 * cc->mss;
}
