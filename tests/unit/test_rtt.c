/*
 * test_rtt.c - Retransmission timeout (RFC 6298)
 */
#include "core/rtt.h"

#include <stdint.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

static const struct rtt_limits limits = {
	.initial_us = 1000000,
	.min_us = 200000,
	.max_us = 120000000,
};

/* No limit in the way. */
static const struct rtt_limits open = {
	.initial_us = 1000000,
	.min_us = 1,
	.max_us = UINT32_MAX,
};

/* At one time, all of them. */
static void sample(struct rtt *r, const struct rtt_limits *l, uint32_t us)
{
	struct rtt_recent recent = {0};

	rtt_sample(r, &recent, l, us, 0);
}

/* RFC 6298, 2.1 */
static void before_the_first_sample(void)
{
	struct rtt r = {1, 2, 3, 4};

	rtt_init(&r, &limits);
	CU_ASSERT_EQUAL(r.srtt_us, 0);
	CU_ASSERT_EQUAL(r.min_us, 0);
	CU_ASSERT_EQUAL(r.rto_us, 1000000);
}

/* RFC 6298, 2.2: SRTT = R, RTTVAR = R / 2, RTO = SRTT + 4 * RTTVAR */
static void first_sample(void)
{
	struct rtt r;

	rtt_init(&r, &limits);
	sample(&r, &limits, 100000);
	CU_ASSERT_EQUAL(r.srtt_us, 100000);
	CU_ASSERT_EQUAL(r.rttvar_us, 50000);
	CU_ASSERT_EQUAL(r.rto_us, 300000);
	CU_ASSERT_EQUAL(r.min_us, 100000);
}

/* RFC 6298, 2.3: RTTVAR by the old SRTT, then SRTT */
static void second_sample(void)
{
	struct rtt r;

	rtt_init(&r, &limits);
	sample(&r, &limits, 100000);
	sample(&r, &limits, 180000);
	CU_ASSERT_EQUAL(r.rttvar_us, (3 * 50000 + 80000 + 2) / 4);
	CU_ASSERT_EQUAL(r.srtt_us, 110000);
	CU_ASSERT_EQUAL(r.rto_us, 110000 + 4 * 57500);
	sample(&r, &limits, 30000);
	CU_ASSERT_EQUAL(r.rttvar_us, (3 * 57500 + 80000 + 2) / 4);
	CU_ASSERT_EQUAL(r.srtt_us, 100000);
	CU_ASSERT_EQUAL(r.min_us, 30000);
	sample(&r, &limits, 50000);
	CU_ASSERT_EQUAL(r.min_us, 30000);
}

/* RFC 6298, 2: the variation counts for a granule of the clock at least. */
static void steady_samples_keep_a_granule(void)
{
	struct rtt r;

	rtt_init(&r, &open);
	for (int i = 0; i < 100; i++)
		sample(&r, &open, 5000);
	CU_ASSERT_EQUAL(r.srtt_us, 5000);
	CU_ASSERT(r.rttvar_us <= 2);
	CU_ASSERT_EQUAL(r.rto_us, 5256);
}

/* RFC 6298, 2.4 and 2.5 */
static void limits_are_kept(void)
{
	struct rtt r;

	rtt_init(&r, &limits);
	sample(&r, &limits, 50);
	CU_ASSERT_EQUAL(r.rto_us, limits.min_us);
	rtt_init(&r, &limits);
	sample(&r, &limits, 100000000);
	CU_ASSERT_EQUAL(r.rto_us, limits.max_us);
}

static void zero_counts_as_one(void)
{
	struct rtt r;

	rtt_init(&r, &open);
	for (int i = 0; i < 50; i++) {
		sample(&r, &open, 0);
		CU_ASSERT_EQUAL(r.srtt_us, 1);
	}
	CU_ASSERT_EQUAL(r.min_us, 1);
}

static void largest_samples_do_not_wrap(void)
{
	struct rtt r;

	rtt_init(&r, &open);
	for (int i = 0; i < 20; i++) {
		sample(&r, &open, UINT32_MAX);
		CU_ASSERT_EQUAL(r.srtt_us, UINT32_MAX);
		CU_ASSERT_EQUAL(r.rto_us, UINT32_MAX);
	}
	sample(&r, &open, 1);
	CU_ASSERT(r.srtt_us < UINT32_MAX && r.srtt_us > UINT32_MAX / 8 * 7);
}

/* RFC 6298, 5.5 */
static void backoff_doubles_up_to_the_limit(void)
{
	struct rtt r;

	rtt_init(&r, &limits);
	CU_ASSERT_EQUAL(rtt_backed_off(&r, &limits, 0), 1000000);
	CU_ASSERT_EQUAL(rtt_backed_off(&r, &limits, 1), 2000000);
	CU_ASSERT_EQUAL(rtt_backed_off(&r, &limits, 6), 64000000);
	CU_ASSERT_EQUAL(rtt_backed_off(&r, &limits, 7), 120000000);
	CU_ASSERT_EQUAL(rtt_backed_off(&r, &limits, 31), 120000000);
	CU_ASSERT_EQUAL(rtt_backed_off(&r, &limits, 32), 120000000);
	CU_ASSERT_EQUAL(rtt_backed_off(&r, &limits, 63), 120000000);
	CU_ASSERT_EQUAL(rtt_backed_off(&r, &limits, 255), 120000000);
}

/* Against RFC 6298 in floating point: the rounding loses a few microseconds,
 * never more. */
static void random_against_formula(void)
{
	struct rtt r;
	uint64_t seed = 9;
	double srtt = 0, var = 0, us, off, rto, min = 1e9;

	rtt_init(&r, &open);
	for (int i = 0; i < 10000; i++) {
		us = 1 + rig_below(&seed, 1u << rig_below(&seed, 27));
		sample(&r, &open, (uint32_t)us);
		if (i == 0) {
			srtt = us;
			var = us / 2;
		} else {
			off = srtt > us ? srtt - us : us - srtt;
			var = var * 3 / 4 + off / 4;
			srtt = srtt * 7 / 8 + us / 8;
		}
		rto = srtt + (4 * var > 256 ? 4 * var : 256);
		min = us < min ? us : min;
		CU_ASSERT(r.srtt_us > srtt - 5 && r.srtt_us < srtt + 5);
		CU_ASSERT(r.rttvar_us > var - 8 && r.rttvar_us < var + 8);
		CU_ASSERT(r.rto_us > rto - 37 && r.rto_us < rto + 37);
		CU_ASSERT_EQUAL(r.min_us, (uint32_t)min);
	}
}

/* RFC 4015, 3.2, step 10: the larger of before and now, both. */
static void timed_out_too_early(void)
{
	struct rtt before, r;

	rtt_init(&before, &limits);
	sample(&before, &limits, 100000);
	r = before;
	sample(&r, &limits, 5000000);
	rtt_spurious(&r, &limits, &before, 900000);
	CU_ASSERT_EQUAL(r.srtt_us, 900000);
	CU_ASSERT_EQUAL(r.rttvar_us, 450000);
	CU_ASSERT_EQUAL(r.rto_us, 900000 + 4 * 450000);
	rtt_spurious(&r, &limits, &before, 60000);
	CU_ASSERT_EQUAL(r.srtt_us, 100000 + 2 * 256);
	CU_ASSERT_EQUAL(r.rttvar_us, 50000);
	CU_ASSERT_EQUAL(r.rto_us, 100000 + 2 * 256 + 4 * 50000);
}

struct path {
	struct rtt r;
	struct rtt_recent recent;
};

/* min_us after a sample of @us at @s seconds. */
static uint32_t least(struct path *p, int64_t s, uint32_t us)
{
	rtt_sample(&p->r, &p->recent, &limits, us, s * 1000000);
	return p->r.min_us;
}

/* RFC 8985, 6.2, step 1: the smallest of this period and the one before. */
static void longer_path(void)
{
	struct path p = {0};

	rtt_init(&p.r, &limits);
	CU_ASSERT_EQUAL(least(&p, 30, 40000), 40000);
	CU_ASSERT_EQUAL(least(&p, 149, 10000), 10000);
	CU_ASSERT_EQUAL(least(&p, 150, 90000), 10000);
	CU_ASSERT_EQUAL(least(&p, 170, 70000), 10000);
	CU_ASSERT_EQUAL(least(&p, 299, 80000), 10000);
	CU_ASSERT_EQUAL(least(&p, 300, 90000), 70000);
	CU_ASSERT_EQUAL(least(&p, 449, 90000), 70000);
	CU_ASSERT_EQUAL(least(&p, 450, 95000), 90000);
	CU_ASSERT_EQUAL(least(&p, 451, 20000), 20000);
	CU_ASSERT_EQUAL(least(&p, 599, 90000), 20000);
	CU_ASSERT_EQUAL(least(&p, 749, 90000), 20000);
	CU_ASSERT_EQUAL(least(&p, 750, 95000), 90000);
}

/* It lasts through a silence, and ends with the first sample behind it. */
static void longer_path_after_a_silence(void)
{
	struct path p = {0};

	rtt_init(&p.r, &limits);
	CU_ASSERT_EQUAL(least(&p, 149, 10000), 10000);
	CU_ASSERT_EQUAL(least(&p, 300, 90000), 90000);
	CU_ASSERT_EQUAL(least(&p, 310, 80000), 80000);
	/* The numbers of periods begin again, from whichever there was. */
	CU_ASSERT_EQUAL(least(&p, 150 * RTT_PERIODS - 1, 50000), 50000);
	CU_ASSERT_EQUAL(least(&p, 150 * RTT_PERIODS, 90000), 50000);
	CU_ASSERT_EQUAL(least(&p, 150 * (RTT_PERIODS + 1), 95000), 90000);
	CU_ASSERT_EQUAL(least(&p, 150 * (RTT_PERIODS + 3), 97000), 97000);
}

/* Of a period whose smallest was not kept nothing is left in the next one. */
static void longer_path_and_forgotten(void)
{
	struct path p = {0};

	rtt_init(&p.r, &limits);
	CU_ASSERT_EQUAL(least(&p, 10, 10000), 10000);
	p.recent.least_us = 0;
	CU_ASSERT_EQUAL(least(&p, 20, 50000), 10000);
	p.recent.least_us = 0;
	CU_ASSERT_EQUAL(least(&p, 150, 90000), 90000);
	CU_ASSERT_EQUAL(least(&p, 151, 70000), 70000);
}

static const struct unit_test tests[] = {
	UNIT_TEST(before_the_first_sample),
	UNIT_TEST(first_sample),
	UNIT_TEST(second_sample),
	UNIT_TEST(steady_samples_keep_a_granule),
	UNIT_TEST(limits_are_kept),
	UNIT_TEST(zero_counts_as_one),
	UNIT_TEST(largest_samples_do_not_wrap),
	UNIT_TEST(backoff_doubles_up_to_the_limit),
	UNIT_TEST(random_against_formula),
	UNIT_TEST(timed_out_too_early),
	UNIT_TEST(longer_path),
	UNIT_TEST(longer_path_after_a_silence),
	UNIT_TEST(longer_path_and_forgotten),
};

int main(int argc, char **argv)
{
	return unit_run("rtt", tests, ARRAY_LEN(tests), argc, argv);
}
