/*
 * rtt.c - Round-trip time and retransmission timeout (RFC 6298)
 *
 * Plain microseconds with rounding; the eighths that are lost are below what
 * the timer can tell apart. Which segments may be measured (Karn's algorithm,
 * RFC 6298, 3) and when the backoff ends is the caller's business. RFC 9293,
 * 3.8.1 (MUST-18).
 *
 * The smallest sample is that of two periods, this and the one before, so that
 * a path that became longer is known to be so after five minutes at most
 * (RFC 8985, 6.2, step 1; Linux remembers as long). With a new period the sample
 * that came first in it is all there is if the one before had none, or if the
 * caller had no room to keep its smallest.
 */
#include "rtt.h"

#include <stdbool.h>

/* G of RFC 6298, 2: a tick of the wheel that fires the timer. */
#define GRANULARITY_US 256
#define PERIOD_US      (150ll * 1000000)

static void take_least(struct rtt *r, struct rtt_recent *recent,
		       uint32_t sample_us, int64_t now_us);
static void set_rto(struct rtt *r, const struct rtt_limits *l);
static uint32_t clamp_rto(const struct rtt_limits *l, uint64_t rto_us);

void rtt_init(struct rtt *r, const struct rtt_limits *l)
{
	*r = (struct rtt){.rto_us = l->initial_us};
}

void rtt_sample(struct rtt *r, struct rtt_recent *recent,
		const struct rtt_limits *l, uint32_t sample_us, int64_t now_us)
{
	uint64_t srtt = r->srtt_us, var = r->rttvar_us, off;

	if (!sample_us)
		sample_us = 1;
	if (!srtt) {
		srtt = sample_us; /* RFC 6298, 2.2 */
		var = sample_us / 2;
	} else {
		/* RFC 6298, 2.3: the variation first, by the old SRTT. */
		off = srtt > sample_us ? srtt - sample_us : sample_us - srtt;
		var = (3 * var + off + 2) / 4;
		srtt = (7 * srtt + sample_us + 4) / 8;
	}
	r->srtt_us = (uint32_t)srtt;
	r->rttvar_us = (uint32_t)var;
	take_least(r, recent, sample_us, now_us);
	set_rto(r, l);
}

void rtt_spurious(struct rtt *r, const struct rtt_limits *l,
		  const struct rtt *before, uint32_t sample_us)
{
	uint32_t srtt = before->srtt_us + 2 * GRANULARITY_US;

	r->srtt_us = srtt > sample_us ? srtt : sample_us;
	r->rttvar_us = before->rttvar_us > sample_us / 2 ? before->rttvar_us
							 : sample_us / 2;
	set_rto(r, l);
}

uint32_t rtt_backed_off(const struct rtt *r, const struct rtt_limits *l,
			unsigned int shift)
{
	if (shift > 31)
		return l->max_us;
	return clamp_rto(l, (uint64_t)r->rto_us << shift);
}

static void take_least(struct rtt *r, struct rtt_recent *recent,
		       uint32_t sample_us, int64_t now_us)
{
	uint8_t period = (uint8_t)(now_us / PERIOD_US % RTT_PERIODS);

	if (period != recent->period || !r->min_us) {
		bool next = period == (recent->period + 1) % RTT_PERIODS;

		r->min_us = next ? recent->least_us : 0;
		*recent = (struct rtt_recent){.period = period};
	}
	if (!recent->least_us || sample_us < recent->least_us)
		recent->least_us = sample_us;
	if (!r->min_us || sample_us < r->min_us)
		r->min_us = sample_us;
}

static void set_rto(struct rtt *r, const struct rtt_limits *l)
{
	uint64_t var = 4 * (uint64_t)r->rttvar_us;

	if (var < GRANULARITY_US)
		var = GRANULARITY_US;
	r->rto_us = clamp_rto(l, r->srtt_us + var);
}

/* RFC 6298, 2.4 and 2.5 */
static uint32_t clamp_rto(const struct rtt_limits *l, uint64_t rto_us)
{
	if (rto_us < l->min_us)
		return l->min_us;
	if (rto_us > l->max_us)
		return l->max_us;
	return (uint32_t)rto_us;
}
