/*
 * test_cwv.c - Congestion window validation (RFC 7661)
 *
 * A sender that has @rate bytes for each round trip of 100 ms.
 */
#include "core/cwv.h"

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define RTT_US 100000
#define SECOND INT64_C(1000000)
#define CWND   100000

struct sender {
	struct cwv v;
	tcp_seq una;
	int64_t now_us;
	unsigned int decays;
};

/* Round trips in which @rate bytes are sent and come back in two ACKs. */
static void run_for(struct sender *s, int64_t us, uint32_t rate)
{
	for (int64_t end = s->now_us + us; s->now_us < end;) {
		tcp_seq nxt = s->una + rate;

		for (int i = 0; i < 2; i++) {
			s->una += rate / 2;
			s->now_us += RTT_US / 2;
			s->decays += cwv_ack(
				&s->v, &(struct cwv_ack){.acked = rate / 2,
							 .una = s->una,
							 .nxt = nxt,
							 .cwnd = CWND,
							 .srtt_us = RTT_US,
							 .now_us = s->now_us});
		}
	}
}

/* 4.2: as long as nothing was measured, cwnd is as good as any. */
static void nothing_measured(void)
{
	struct sender s = {.una = 1};

	CU_ASSERT(cwv_valid(&s.v, CWND));
	CU_ASSERT_EQUAL(cwv_pipe(&s.v), 0);
}

/* 4.2: what a round trip carries. */
static void measures_a_round(void)
{
	struct sender s = {.una = UINT32_MAX - 100000};

	run_for(&s, SECOND, 60000);
	CU_ASSERT_EQUAL(cwv_pipe(&s.v), 60000);
}

/* 4.3: half of it. */
static void valid_from_half_on(void)
{
	struct cwv v = {.begun = true, .known = true, .pipe = {0, 50000}};

	CU_ASSERT(cwv_valid(&v, 100000));
	CU_ASSERT(!cwv_valid(&v, 100002));
	v.pipe[0] = 60000;
	CU_ASSERT(cwv_valid(&v, 120000));
}

/* 4.2: a second, two at most; then a slower sender shows. */
static void forgets(void)
{
	struct sender s = {.una = 1};

	run_for(&s, 5 * SECOND, CWND);
	run_for(&s, SECOND / 2, 1000);
	CU_ASSERT(cwv_valid(&s.v, CWND));
	run_for(&s, 2 * SECOND, 1000);
	CU_ASSERT(!cwv_valid(&s.v, CWND));
	CU_ASSERT(cwv_pipe(&s.v) <= 2000);
}

/* After a silence nothing of before counts. */
static void forgets_in_silence(void)
{
	struct sender s = {.una = 1};

	run_for(&s, 5 * SECOND, CWND);
	s.now_us += 10 * SECOND;
	run_for(&s, SECOND, 1000);
	CU_ASSERT(!cwv_valid(&s.v, CWND));
}

/* 4.4.3: five minutes, and every five minutes. */
static void decays(void)
{
	struct sender s = {.una = 1};

	run_for(&s, 600 * SECOND, CWND);
	CU_ASSERT_EQUAL(s.decays, 0);
	run_for(&s, 299 * SECOND, 1000);
	CU_ASSERT_EQUAL(s.decays, 0);
	run_for(&s, 5 * SECOND, 1000);
	CU_ASSERT_EQUAL(s.decays, 1);
	run_for(&s, 294 * SECOND, 1000);
	CU_ASSERT_EQUAL(s.decays, 1);
	run_for(&s, 7 * SECOND, 1000);
	CU_ASSERT_EQUAL(s.decays, 2);
}

/* Not before a second, or three round trips, without half of it in use. */
static void stale(void)
{
	struct sender s = {.una = 1};

	CU_ASSERT(!cwv_stale(&s.v, CWND, RTT_US, 10 * SECOND));
	run_for(&s, 3 * SECOND, 60000);
	while (cwv_valid(&s.v, CWND))
		run_for(&s, RTT_US, 10000);
	CU_ASSERT(!cwv_stale(&s.v, CWND, RTT_US, s.now_us));
	run_for(&s, SECOND * 4 / 5, 10000);
	CU_ASSERT(!cwv_stale(&s.v, CWND, RTT_US, s.now_us));
	run_for(&s, SECOND * 2 / 5, 10000);
	CU_ASSERT(cwv_stale(&s.v, CWND, RTT_US, s.now_us));
	CU_ASSERT(!cwv_stale(&s.v, CWND, 5 * RTT_US, s.now_us));
	CU_ASSERT(!cwv_stale(&s.v, 20000, RTT_US, s.now_us));
}

/* One burst that fills half of it starts the five minutes anew. */
static void burst_validates(void)
{
	struct sender s = {.una = 1};

	run_for(&s, 200 * SECOND, 1000);
	run_for(&s, RTT_US, CWND);
	run_for(&s, 299 * SECOND, 1000);
	CU_ASSERT_EQUAL(s.decays, 0);
	run_for(&s, 5 * SECOND, 1000);
	CU_ASSERT_EQUAL(s.decays, 1);
}

/* 4.4.2: (max(pipeACK, LossFlightSize) - R) / 2, or whatever the share is. */
static void less_by_what_was_sent_again(void)
{
	struct cwv v = {.loss_from = 100000};

	CU_ASSERT_EQUAL(cwv_recovered(&v, 50000), 50000);
	v.resent = 10000;
	CU_ASSERT_EQUAL(cwv_recovered(&v, 50000), 45000);
	CU_ASSERT_EQUAL(cwv_recovered(&v, 70000), 63000);
	v.resent = 100000;
	CU_ASSERT_EQUAL(cwv_recovered(&v, 50000), 0);
	v.resent = UINT32_MAX;
	CU_ASSERT_EQUAL(cwv_recovered(&v, 50000), 0);
	v = (struct cwv){.loss_from = UINT32_MAX, .resent = 1};
	CU_ASSERT_EQUAL(cwv_recovered(&v, UINT32_MAX), UINT32_MAX - 1);
	v.loss_from = 0;
	CU_ASSERT_EQUAL(cwv_recovered(&v, 50000), 50000);
}

static const struct unit_test tests[] = {
	UNIT_TEST(nothing_measured),
	UNIT_TEST(measures_a_round),
	UNIT_TEST(valid_from_half_on),
	UNIT_TEST(forgets),
	UNIT_TEST(forgets_in_silence),
	UNIT_TEST(decays),
	UNIT_TEST(burst_validates),
	UNIT_TEST(less_by_what_was_sent_again),
	UNIT_TEST(stale),
};

int main(int argc, char **argv)
{
	return unit_run("cwv", tests, ARRAY_LEN(tests), argc, argv);
}
