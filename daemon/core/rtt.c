/*
 * rtt.c - Round-trip time and retransmission timeout (RFC 6298)
 *
 * Plain microseconds with rounding; the eighths that are lost are below what
 * the timer can tell apart. Which segments may be measured (Karn's algorithm,
 * RFC 6298, 3) and when the backoff ends is the caller's business. RFC 9293,
 * 3.8.1 (MUST-18).
 */
#include "rtt.h"

/* G of RFC 6298, 2: a tick of the wheel that fires the timer. */
#define GRANULARITY_US 256

static void set_rto(struct rtt *r, const struct rtt_limits *l);
static uint32_t clamp_rto(const struct rtt_limits *l, uint64_t rto_us);

void rtt_init(struct rtt *r, const struct rtt_limits *l)
{
	*r = (struct rtt){.rto_us = l->initial_us};
}

void rtt_sample(struct rtt *r, const struct rtt_limits *l, uint32_t sample_us)
{
	uint64_t srtt = r->srtt_us, var = r->rttvar_us, off;

	if (!sample_us)
		sample_us = 1;
	if (!srtt) {
		srtt = sample_us; /* RFC 6298, 2.2 */
		var = sample_us / 2;
		r->min_us = sample_us;
	} else {
		/* RFC 6298, 2.3: the variation first, by the old SRTT. */
		off = srtt > sample_us ? srtt - sample_us : sample_us - srtt;
		var = (3 * var + off + 2) / 4;
		srtt = (7 * srtt + sample_us + 4) / 8;
		if (sample_us < r->min_us)
			r->min_us = sample_us;
	}
	r->srtt_us = (uint32_t)srtt;
	r->rttvar_us = (uint32_t)var;
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
