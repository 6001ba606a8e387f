/*
 * test_hystart.c - HyStart++ alone, and as CUBIC's slow start
 */
#include "core/hystart.h"

#include <stdbool.h>
#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "core/cc.h"
#include "unit.h"

#define MSS 1460
#define MS  1000

struct rig {
	struct hystart h;
	tcp_seq una, nxt;
};

static struct rig rig_at(tcp_seq iss)
{
	return (struct rig){.una = iss, .nxt = iss + 10 * MSS};
}

/* A round of @n ACKs for a segment each; the first ends the round before. */
static enum hystart_phase round_of(struct rig *r, int n, uint32_t rtt_us)
{
	enum hystart_phase phase = HYSTART_SLOW_START;

	r->nxt = r->una + MSS + (uint32_t)n * MSS;
	for (int i = 0; i < n; i++) {
		r->una += MSS;
		phase = hystart_ack(&r->h, r->una, r->nxt, rtt_us);
		r->nxt += MSS;
	}
	return phase;
}

/* RFC 9406, 4.2: the smallest of a round against that of the round before. */
static void rising_round_trip_slows_growth(void)
{
	struct rig r = rig_at(1000);

	CU_ASSERT_EQUAL(round_of(&r, 10, 40 * MS), HYSTART_SLOW_START);
	CU_ASSERT_EQUAL(round_of(&r, 20, 40 * MS), HYSTART_SLOW_START);
	CU_ASSERT_EQUAL(round_of(&r, 20, 45 * MS), HYSTART_CONSERVATIVE);
}

/* RFC 9406, 4.3: an eighth, but at least 4 and at most 16 ms. */
static void thresholds(void)
{
	static const struct {
		uint32_t base_us, thresh_us;
	} cases[] = {{50, 4 * MS},	  {8 * MS, 4 * MS},
		     {32 * MS, 4 * MS},	  {40 * MS, 5 * MS},
		     {80 * MS, 10 * MS},  {128 * MS, 16 * MS},
		     {200 * MS, 16 * MS}, {3000 * MS, 16 * MS}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t base = cases[i].base_us, add = cases[i].thresh_us;
		struct rig below = rig_at(1), at = rig_at(1);

		round_of(&below, 10, base);
		round_of(&at, 10, base);
		round_of(&below, 10, base);
		round_of(&at, 10, base);
		CU_ASSERT_EQUAL(round_of(&below, 40, base + add - 1),
				HYSTART_SLOW_START);
		CU_ASSERT_EQUAL(round_of(&at, 40, base + add),
				HYSTART_CONSERVATIVE);
	}
}

/* RFC 9406, 4.2: eight samples or no verdict, and no sample is no sample. */
static void few_samples_prove_nothing(void)
{
	struct rig r = rig_at(1000);

	round_of(&r, 10, 40 * MS);
	CU_ASSERT_EQUAL(round_of(&r, 7, 90 * MS), HYSTART_SLOW_START);
	r = rig_at(1000);
	round_of(&r, 10, 40 * MS);
	round_of(&r, 10, 40 * MS);
	CU_ASSERT_EQUAL(round_of(&r, 30, 0), HYSTART_SLOW_START);
	/* Nothing to compare with either. */
	CU_ASSERT_EQUAL(round_of(&r, 30, 90 * MS), HYSTART_SLOW_START);
}

/* One quick ACK in a round says that there is no queue. */
static void jitter_does_not_end_slow_start(void)
{
	struct rig r = rig_at(1000);
	uint64_t seed = 3;

	for (int round = 0; round < 200; round++) {
		r.nxt = r.una + 16 * MSS;
		for (int i = 0; i < 16; i++) {
			uint32_t us = 40 * MS + rig_below(&seed, 60 * MS);

			if (i == 3)
				us = 40 * MS + rig_below(&seed, 4 * MS);
			r.una += MSS;
			CU_ASSERT_EQUAL(hystart_ack(&r.h, r.una, r.nxt, us),
					HYSTART_SLOW_START);
		}
	}
}

/* RFC 9406, 4.2: five rounds, that of the entry among them. */
static void five_careful_rounds_end_it(void)
{
	struct rig r = rig_at(1000);

	round_of(&r, 20, 40 * MS);
	round_of(&r, 20, 40 * MS);
	CU_ASSERT_EQUAL(round_of(&r, 20, 50 * MS), HYSTART_CONSERVATIVE);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(round_of(&r, 20, 51 * MS),
				HYSTART_CONSERVATIVE);
	CU_ASSERT_EQUAL(round_of(&r, 20, 51 * MS), HYSTART_DONE);
	CU_ASSERT_EQUAL(round_of(&r, 20, 20 * MS), HYSTART_DONE);
}

/* RFC 9406, 4.2: below what it began with, it was no queue. */
static void falling_round_trip_resumes(void)
{
	struct rig r = rig_at(1000);

	round_of(&r, 20, 40 * MS);
	round_of(&r, 20, 40 * MS);
	CU_ASSERT_EQUAL(round_of(&r, 20, 50 * MS), HYSTART_CONSERVATIVE);
	/* The same is not less, and seven samples are too few. */
	CU_ASSERT_EQUAL(round_of(&r, 20, 50 * MS), HYSTART_CONSERVATIVE);
	CU_ASSERT_EQUAL(round_of(&r, 7, 48 * MS), HYSTART_CONSERVATIVE);
	CU_ASSERT_EQUAL(round_of(&r, 20, 49 * MS), HYSTART_SLOW_START);
	/* The next time has five rounds of its own. */
	CU_ASSERT_EQUAL(round_of(&r, 20, 60 * MS), HYSTART_CONSERVATIVE);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(round_of(&r, 20, 61 * MS),
				HYSTART_CONSERVATIVE);
	CU_ASSERT_EQUAL(round_of(&r, 20, 61 * MS), HYSTART_DONE);
}

/* RFC 9293, 3.4: wherever the numbers begin. */
static void numbers_wrap(void)
{
	static const tcp_seq starts[] = {0, 0x7ffffff0, 0x80000010,
					 0u - 15 * MSS};

	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct rig r = rig_at(starts[i]);

		round_of(&r, 10, 40 * MS);
		round_of(&r, 20, 40 * MS);
		CU_ASSERT_EQUAL(round_of(&r, 20, 50 * MS),
				HYSTART_CONSERVATIVE);
		for (int n = 0; n < 4; n++)
			round_of(&r, 20, 50 * MS);
		CU_ASSERT_EQUAL(round_of(&r, 20, 50 * MS), HYSTART_DONE);
	}
}

struct flow {
	struct cc cc;
	struct cc_state st;
	tcp_seq una;
	int64_t now_us;
};

static struct flow flow_new(void)
{
	struct flow f;

	memset(&f, 0, sizeof(f));
	f.cc = (struct cc){
		.cwnd = 10 * MSS, .ssthresh = SSTHRESH_INFINITE, .mss = MSS};
	f.una = 0u - 30 * MSS;
	return f;
}

/* A round trip of CUBIC behind a queue that holds what the path does not. */
static void flow_round(struct flow *f, uint32_t base_us, uint32_t path)
{
	uint32_t wnd = f->cc.cwnd, rtt = base_us;

	if (wnd > path)
		rtt = (uint32_t)((uint64_t)base_us * wnd / path);
	for (uint32_t done = 0; done < wnd; done += 2 * MSS) {
		f->una += 2 * MSS;
		cc_cubic.ack(&f->cc, &f->st,
			     &(struct cc_ack){.acked = 2 * MSS,
					      .in_flight = f->cc.cwnd,
					      .srtt_us = rtt,
					      .min_rtt_us = base_us,
					      .rtt_us = rtt,
					      .una = f->una,
					      .nxt = f->una + f->cc.cwnd,
					      .now_us = f->now_us,
					      .cwnd_limited = 1});
		f->now_us += rtt / (wnd / (2 * MSS) + 1);
	}
}

/* Slow start ends without a loss, not far beyond what the path holds. */
static void cubic_leaves_slow_start_on_delay(void)
{
	struct flow f = flow_new();
	uint32_t path = 1000 * MSS;
	int rounds = 0;

	while (f.cc.ssthresh == SSTHRESH_INFINITE && rounds++ < 40)
		flow_round(&f, 100 * MS, path);
	CU_ASSERT_NOT_EQUAL(f.cc.ssthresh, SSTHRESH_INFINITE);
	CU_ASSERT(f.cc.ssthresh >= path);
	/* Plain slow start would be at 64 times as much. */
	CU_ASSERT(f.cc.ssthresh < 8 * path);
	CU_ASSERT(f.cc.cwnd >= f.cc.ssthresh);
	CU_ASSERT(f.cc.cwnd < f.cc.ssthresh + 10 * MSS);
}

/* RFC 9406, 4.2: a quarter of what slow start would add, to the byte. */
static void cubic_grows_by_a_quarter_when_careful(void)
{
	struct flow f = flow_new();
	struct cc_ack ack = {.srtt_us = 1, .cwnd_limited = 1};
	uint32_t was;

	for (int round = 0; round < 2; round++) {
		ack.rtt_us = round ? 60 * MS : 40 * MS;
		for (int i = 0; i < 10; i++) {
			ack.una = (uint32_t)(round * 10 + i + 1);
			ack.nxt = (uint32_t)(round * 10 + 11);
			ack.acked = 1;
			cc_cubic.ack(&f.cc, &f.st, &ack);
		}
	}
	was = f.cc.cwnd;
	ack.acked = 7;
	for (int i = 0; i < 400; i++)
		cc_cubic.ack(&f.cc, &f.st, &ack);
	CU_ASSERT(f.cc.cwnd - was >= 699);
	CU_ASSERT(f.cc.cwnd - was <= 701);
	was = f.cc.cwnd;
	ack.cwnd_limited = 0;
	cc_cubic.ack(&f.cc, &f.st, &ack);
	CU_ASSERT_EQUAL(f.cc.cwnd, was);
}

/* RFC 9406, 4.2: only the first slow start has to find out where to end. */
static void later_slow_starts_go_by_ssthresh(void)
{
	struct flow f = flow_new();
	uint32_t rtt = 10 * MS;

	f.cc.ssthresh = 100000 * MSS;
	for (int i = 0; i < 12; i++, rtt *= 2) {
		uint32_t was = f.cc.cwnd;

		flow_round(&f, rtt, UINT32_MAX);
		CU_ASSERT_EQUAL(f.cc.cwnd, 2 * was);
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(rising_round_trip_slows_growth),
	UNIT_TEST(thresholds),
	UNIT_TEST(few_samples_prove_nothing),
	UNIT_TEST(jitter_does_not_end_slow_start),
	UNIT_TEST(five_careful_rounds_end_it),
	UNIT_TEST(falling_round_trip_resumes),
	UNIT_TEST(numbers_wrap),
	UNIT_TEST(cubic_leaves_slow_start_on_delay),
	UNIT_TEST(cubic_grows_by_a_quarter_when_careful),
	UNIT_TEST(later_slow_starts_go_by_ssthresh),
};

int main(int argc, char **argv)
{
	return unit_run("hystart", tests, ARRAY_LEN(tests), argc, argv);
}
