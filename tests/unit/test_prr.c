/*
 * test_prr.c - Proportional rate reduction, against RFC 9937 in doubles
 */
#include "core/prr.h"

#include <math.h>
#include <stdbool.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define MSS 1000

struct rig {
	struct prr p;
	uint32_t in_flight, ssthresh;
};

/* One ACK; all that it allows is sent, in whole segments. */
static uint32_t ack_and_send(struct rig *r, uint32_t delivered, uint32_t lost,
			     bool safe)
{
	uint32_t n;

	r->in_flight -= delivered + lost;
	n = prr_ack(&r->p, &(struct prr_ack){.delivered = delivered,
					     .in_flight = r->in_flight,
					     .ssthresh = r->ssthresh,
					     .mss = MSS,
					     .safe = safe});
	n -= n % MSS;
	prr_sent(&r->p, n);
	r->in_flight += n;
	return n;
}

/* The algorithm of RFC 9937, 6 */
static double model(const struct prr *before, const struct prr_ack *a)
{
	double delivered = (double)before->delivered + a->delivered;
	double out = before->out, n;

	if (a->in_flight > a->ssthresh) {
		n = ceil(delivered * a->ssthresh / before->recover_fs) - out;
	} else {
		n = fmax(delivered - out, a->delivered);
		if (a->safe)
			n += a->mss;
		n = fmin((double)a->ssthresh - a->in_flight, n);
	}
	n = fmax(n, 0);
	if (!before->out)
		n = fmax(n, a->mss);
	return n;
}

/* One of 20 lost, ssthresh 7/10: 14 in flight at the end, and on the way each
 * ACK of ten lets seven leave. */
static void one_loss_spreads_the_reduction(void)
{
	struct rig r = {.in_flight = 20 * MSS, .ssthresh = 14 * MSS};
	uint32_t sent = 0, silent = 0, most_silent = 0;

	prr_enter(&r.p, 20 * MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, MSS, MSS, false), MSS);
	for (int i = 0; i < 18; i++) {
		uint32_t n = ack_and_send(&r, MSS, 0, false);

		CU_ASSERT(n <= MSS);
		silent = n ? 0 : silent + 1;
		most_silent = silent > most_silent ? silent : most_silent;
		sent += n;
	}
	CU_ASSERT_EQUAL(r.in_flight, 14 * MSS);
	CU_ASSERT_EQUAL(sent, 13 * MSS);
	CU_ASSERT(most_silent <= 2); /* where the formula changes; else 1 */
}

/* Below ssthresh after heavy loss: a byte for a byte (CRB) until ACKs show that
 * retransmissions arrive, then a segment more each time (SSRB). */
static void heavy_loss_recovers_by_slow_start(void)
{
	struct rig r = {.in_flight = 100 * MSS, .ssthresh = 70 * MSS};

	prr_enter(&r.p, 100 * MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, MSS, 80 * MSS, false), MSS);
	CU_ASSERT_EQUAL(r.in_flight, 20 * MSS);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(ack_and_send(&r, MSS, 0, false), MSS);
	CU_ASSERT_EQUAL(r.in_flight, 20 * MSS);
	for (int i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(ack_and_send(&r, MSS, 0, true), 2 * MSS);
	CU_ASSERT_EQUAL(r.in_flight, 30 * MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, 5 * MSS, 0, true), 6 * MSS);
}

/* However much was delivered, not beyond ssthresh. */
static void never_beyond_ssthresh(void)
{
	struct rig r = {.in_flight = 100 * MSS, .ssthresh = 70 * MSS};

	prr_enter(&r.p, 100 * MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, 60 * MSS, MSS, true), 31 * MSS);
	CU_ASSERT_EQUAL(r.in_flight, 70 * MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, MSS, 0, true), MSS);
	CU_ASSERT_EQUAL(r.in_flight, 70 * MSS);
}

/* The first retransmission leaves, whatever the sums say; the second waits. */
static void first_retransmission_is_forced(void)
{
	struct rig r = {.in_flight = 20 * MSS, .ssthresh = 2 * MSS};

	prr_enter(&r.p, 20 * MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, 0, MSS, false), MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, MSS, 0, false), 0);
	r = (struct rig){.in_flight = 2 * MSS, .ssthresh = 2 * MSS};
	prr_enter(&r.p, 2 * MSS);
	r.in_flight -= MSS;
	CU_ASSERT_EQUAL(ack_and_send(&r, 0, 0, false), MSS);
}

/* What is found lost leaves flight, but nothing arrived for it. */
static void loss_alone_makes_no_room(void)
{
	struct rig r = {.in_flight = 100 * MSS, .ssthresh = 70 * MSS};

	prr_enter(&r.p, 100 * MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, MSS, MSS, false), MSS);
	CU_ASSERT_EQUAL(ack_and_send(&r, 0, 60 * MSS, false), 0);
	CU_ASSERT_EQUAL(ack_and_send(&r, MSS, 0, false), MSS);
}

/* Without text to send, what was allowed is kept for later. */
static void unused_allowance_is_kept(void)
{
	struct prr p;
	struct prr_ack a = {.ssthresh = 70 * MSS, .mss = MSS};

	prr_enter(&p, 100 * MSS);
	a.delivered = 20 * MSS;
	a.in_flight = 79 * MSS;
	CU_ASSERT_EQUAL(prr_ack(&p, &a), 14 * MSS);
	prr_sent(&p, MSS);
	a.delivered = MSS;
	a.in_flight = 79 * MSS;
	CU_ASSERT_EQUAL(prr_ack(&p, &a), 13700);
}

/* A new recovery knows nothing of the last one. */
static void recovery_starts_anew(void)
{
	struct rig r = {.in_flight = 100 * MSS, .ssthresh = 70 * MSS};

	prr_enter(&r.p, 100 * MSS);
	ack_and_send(&r, 50 * MSS, 0, true);
	prr_enter(&r.p, 10 * MSS);
	CU_ASSERT_EQUAL(r.p.recover_fs, 10 * MSS);
	CU_ASSERT_EQUAL(r.p.delivered, 0);
	CU_ASSERT_EQUAL(r.p.out, 0);
}

/* 10 Gbit/s over 100 ms: products beyond 32 bits; sums that end, not wrap. */
static void large_windows(void)
{
	struct rig r = {.in_flight = 1000000 * MSS, .ssthresh = 700000 * MSS};
	struct prr p;
	struct prr_ack a = {.delivered = UINT32_MAX,
			    .ssthresh = UINT32_MAX,
			    .mss = MSS,
			    .safe = true};

	prr_enter(&r.p, 1000000 * MSS);
	ack_and_send(&r, 100 * MSS, 100 * MSS, false);
	for (int i = 0; i < 9998; i++)
		ack_and_send(&r, 100 * MSS, 0, false);
	CU_ASSERT_EQUAL(r.in_flight, 700000 * MSS);
	prr_enter(&p, 1);
	CU_ASSERT_EQUAL(prr_ack(&p, &a), UINT32_MAX);
	CU_ASSERT_EQUAL(prr_ack(&p, &a), UINT32_MAX);
	prr_sent(&p, UINT32_MAX);
	prr_sent(&p, UINT32_MAX);
	a.in_flight = UINT32_MAX;
	a.ssthresh = 1;
	a.delivered = 1;
	CU_ASSERT_EQUAL(prr_ack(&p, &a), 0);
}

static void random_follows_the_formula(void)
{
	uint64_t seed = 7;

	for (int i = 0; i < 2000; i++) {
		uint32_t flight = MSS * (1 + rig_below(&seed, 100000));
		struct prr p, before;

		prr_enter(&p, flight);
		for (int n = 0; n < 50; n++) {
			struct prr_ack a = {
				.delivered = rig_below(&seed, flight / 8 + 1),
				.in_flight = rig_below(&seed, flight + 1),
				.ssthresh = 2 * MSS + rig_below(&seed, flight),
				.mss = MSS,
				.safe = rig_below(&seed, 2)};
			uint32_t got;

			before = p;
			got = prr_ack(&p, &a);
			CU_ASSERT(fabs(got - model(&before, &a)) < 1e-3);
			prr_sent(&p, rig_below(&seed, got + 1));
		}
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(one_loss_spreads_the_reduction),
	UNIT_TEST(heavy_loss_recovers_by_slow_start),
	UNIT_TEST(never_beyond_ssthresh),
	UNIT_TEST(first_retransmission_is_forced),
	UNIT_TEST(loss_alone_makes_no_room),
	UNIT_TEST(unused_allowance_is_kept),
	UNIT_TEST(recovery_starts_anew),
	UNIT_TEST(large_windows),
	UNIT_TEST(random_follows_the_formula),
};

int main(int argc, char **argv)
{
	return unit_run("prr", tests, ARRAY_LEN(tests), argc, argv);
}
