/*
 * test_hystart.c - HyStart++ alone, and as slow start
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

/* An ACK of no time: whatever it says, no stretch of a round trip is over. */
static enum hystart_phase at_once(struct rig *r, uint32_t rtt_us)
{
	const struct cc_ack ack = {
		.una = r->una, .nxt = r->nxt, .rtt_us = rtt_us};

	return hystart_ack(&r->h, &ack, CWND_MAX);
}

/* A round of @n ACKs for a segment each; the first ends the round before. */
static enum hystart_phase round_of(struct rig *r, int n, uint32_t rtt_us)
{
	enum hystart_phase phase = HYSTART_SLOW_START;

	r->nxt = r->una + MSS + (uint32_t)n * MSS;
	for (int i = 0; i < n; i++) {
		r->una += MSS;
		phase = at_once(r, rtt_us);
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
			CU_ASSERT_EQUAL(at_once(&r, us), HYSTART_SLOW_START);
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

/* ---- a queue seen within a round ------------------------------------- */

/* A round of @n ACKs, one each @each_us, whose round trips grow by @by_us from
 * one to the next. Each is for a segment. */
static enum hystart_phase stretch(struct rig *r, int64_t *now_us, int n,
				  int64_t each_us, uint32_t rtt_us,
				  uint32_t by_us, uint32_t cwnd)
{
	enum hystart_phase phase = HYSTART_SLOW_START;
	struct cc_ack ack = {.acked = MSS};

	r->nxt = r->una + MSS + (uint32_t)n * MSS;
	for (int i = 0; i < n && phase != HYSTART_DONE; i++) {
		r->una += MSS;
		*now_us += each_us;
		ack.una = r->una;
		ack.nxt = r->nxt;
		ack.now_us = *now_us;
		ack.rtt_us = rtt_us + (uint32_t)i * by_us;
		phase = hystart_ack(&r->h, &ack, cwnd);
	}
	return phase;
}

/* A segment each millisecond is 40 in a round trip; 60 are too many, and a
 * quarter of a round trip above shows it. */
static void queue_within_a_round_slows_growth(void)
{
	struct rig r = rig_at(1000);
	uint32_t cwnd = 60 * MSS;
	int64_t now_us = 1;

	stretch(&r, &now_us, 40, 500, 40 * MS, 0, cwnd);
	stretch(&r, &now_us, 40, 500, 40 * MS, 0, cwnd);
	/* 2.5 ms above are there with the sixth, 10 ms later it is clear. */
	CU_ASSERT_EQUAL(stretch(&r, &now_us, 15, MS, 40 * MS, 500, cwnd),
			HYSTART_SLOW_START);
	CU_ASSERT_EQUAL(stretch(&r, &now_us, 1, MS, 48 * MS, 0, cwnd),
			HYSTART_CONSERVATIVE);
	CU_ASSERT_EQUAL(stretch(&r, &now_us, 1, MS, 42 * MS, 0, cwnd),
			HYSTART_SLOW_START);
}

/* Twice what the path takes is enough for anything. */
static void twice_the_path_ends_it(void)
{
	static const struct {
		uint32_t segments;
		enum hystart_phase phase;
	} cases[] = {{40, HYSTART_SLOW_START},
		     {41, HYSTART_CONSERVATIVE},
		     {80, HYSTART_CONSERVATIVE},
		     {82, HYSTART_DONE}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig r = rig_at(1000);
		uint32_t cwnd = cases[i].segments * MSS;
		int64_t now_us = 1;

		stretch(&r, &now_us, 40, 500, 40 * MS, 0, cwnd);
		stretch(&r, &now_us, 40, 500, 40 * MS, 0, cwnd);
		CU_ASSERT_EQUAL(stretch(&r, &now_us, 30, MS, 43 * MS, 0, cwnd),
				cases[i].phase);
	}
}

/* Where the ends take longer than the path, RFC 9406 alone decides. */
static void near_peers_go_on(void)
{
	struct rig r = rig_at(1000);
	uint32_t cwnd = 100 * MSS;
	int64_t now_us = 1;

	stretch(&r, &now_us, 40, 40, 3 * MS, 0, cwnd);
	stretch(&r, &now_us, 40, 40, 3 * MS, 0, cwnd);
	CU_ASSERT_EQUAL(stretch(&r, &now_us, 60, 100, 5 * MS, 0, cwnd),
			HYSTART_SLOW_START);
}

/* After a silence what is seen is a new stretch. */
static void silence_is_no_stretch(void)
{
	struct rig r = rig_at(1000);
	uint32_t cwnd = 60 * MSS;
	int64_t now_us = 1;

	stretch(&r, &now_us, 40, 500, 40 * MS, 0, cwnd);
	stretch(&r, &now_us, 40, 500, 40 * MS, 0, cwnd);
	for (int i = 0; i < 20; i++) {
		now_us += 6 * MS;
		CU_ASSERT_EQUAL(stretch(&r, &now_us, 6, 500, 43 * MS, 0, cwnd),
				HYSTART_SLOW_START);
	}
}

/* As long, but more comes through in that time than cwnd is: no queue of ours. */
static void delay_without_a_full_path_goes_on(void)
{
	struct rig r = rig_at(1000);
	uint32_t cwnd = 60 * MSS;
	int64_t now_us = 1;

	stretch(&r, &now_us, 40, 500, 40 * MS, 0, cwnd);
	stretch(&r, &now_us, 40, 500, 40 * MS, 0, cwnd);
	CU_ASSERT_EQUAL(stretch(&r, &now_us, 160, 500, 40 * MS, 250, cwnd),
			HYSTART_SLOW_START);
}

/* Held back for 30 ms, then all at once: RFC 9406 may be careful for a moment,
 * but the path is not full. */
static void pause_within_a_round_goes_on(void)
{
	struct rig r = rig_at(1000);
	enum hystart_phase phase = HYSTART_SLOW_START;
	struct cc_ack ack = {.acked = MSS};
	uint32_t cwnd = CWND_MAX;

	for (int round = 0; round < 20; round++) {
		stretch(&r, &ack.now_us, 40, 500, 40 * MS, 0, cwnd);
		ack.nxt = r.nxt + 40 * MSS;
		ack.now_us += 30 * MS;
		for (uint32_t i = 0; i < 30; i++) {
			ack.una = r.una += MSS;
			ack.rtt_us = (70 - i) * MS;
			phase = hystart_ack(&r.h, &ack, cwnd);
			CU_ASSERT_NOT_EQUAL(phase, HYSTART_DONE);
		}
		CU_ASSERT_EQUAL(phase, HYSTART_SLOW_START);
	}
}

/* A single quick one in between, and the stretch begins anew. */
static void quick_sample_breaks_the_stretch(void)
{
	struct rig r = rig_at(1000);
	struct cc_ack ack = {.acked = MSS};
	uint32_t cwnd = CWND_MAX;

	stretch(&r, &ack.now_us, 40, 500, 40 * MS, 0, cwnd);
	stretch(&r, &ack.now_us, 40, 500, 40 * MS, 0, cwnd);
	ack.nxt = r.una + 1000 * MSS;
	for (int i = 0; i < 100; i++) {
		ack.una = r.una += MSS;
		ack.now_us += MS;
		ack.rtt_us = i % 9 ? 60 * MS : 42 * MS;
		CU_ASSERT_EQUAL(hystart_ack(&r.h, &ack, cwnd),
				HYSTART_SLOW_START);
	}
}

/* ---- as slow start of the algorithms --------------------------------- */

struct flow {
	const struct cc_algorithm *algorithm;
	struct cc cc;
	struct cc_state st;
	tcp_seq una;
	int64_t now_us;
};

static struct flow flow_new(const struct cc_algorithm *algorithm)
{
	struct flow f;

	memset(&f, 0, sizeof(f));
	f.algorithm = algorithm;
	f.cc = (struct cc){
		.cwnd = 10 * MSS, .ssthresh = SSTHRESH_INFINITE, .mss = MSS};
	f.una = 0u - 30 * MSS;
	return f;
}

/*
 * A round trip behind a queue that holds what the path does not. The window is
 * paced over half of the round trip; where that is more than the path takes in
 * it, each ACK comes later than the one before.
 */
static void flow_round(struct flow *f, uint32_t base_us, uint32_t path)
{
	uint32_t wnd = f->cc.cwnd, send_us = base_us / 2, n = wnd / (2 * MSS);
	uint32_t drain_us = (uint32_t)((uint64_t)base_us * wnd / path);
	uint32_t late_us = drain_us > base_us ? drain_us - base_us : 0;
	uint32_t span_us = drain_us > send_us ? drain_us : send_us;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t rtt =
			base_us + late_us / 2 +
			(uint32_t)((uint64_t)(span_us - send_us) * i / n);

		f->una += 2 * MSS;
		f->now_us += span_us / n;
		f->algorithm->ack(&f->cc, &f->st,
				  &(struct cc_ack){.acked = 2 * MSS,
						   .in_flight = f->cc.cwnd,
						   .srtt_us = rtt,
						   .min_rtt_us = base_us,
						   .rtt_us = rtt,
						   .una = f->una,
						   .nxt = f->una + f->cc.cwnd,
						   .now_us = f->now_us,
						   .cwnd_limited = 1});
	}
	if (span_us < base_us)
		f->now_us += base_us - span_us;
}

/* Slow start ends by itself, and sooner than where the round trips of the
 * beginnings of rounds are all that counts: at four times the path. */
static void leaves_slow_start_on_delay(const struct cc_algorithm *algorithm)
{
	static const uint32_t paths[] = {150, 170, 200,	 230,
					 260, 300, 1000, 4300};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct flow f = flow_new(algorithm);
		uint32_t path = paths[i] * MSS, rounds = 0;

		while (f.cc.ssthresh == SSTHRESH_INFINITE && rounds++ < 40)
			flow_round(&f, 40 * MS, path);
		CU_ASSERT(f.cc.ssthresh >= path + path / 2);
		CU_ASSERT(f.cc.ssthresh < 3 * path + path / 2);
		flow_round(&f, 40 * MS, path);
		CU_ASSERT(f.cc.cwnd >= f.cc.ssthresh);
		CU_ASSERT(f.cc.cwnd < f.cc.ssthresh + 10 * MSS);
	}
}

static void cubic_leaves_slow_start_on_delay(void)
{
	leaves_slow_start_on_delay(&cc_cubic);
}

static void newreno_leaves_slow_start_on_delay(void)
{
	leaves_slow_start_on_delay(&cc_newreno);
}

/* RFC 9406, 4.2: a quarter of what slow start would add, to the byte. */
static void cubic_grows_by_a_quarter_when_careful(void)
{
	struct flow f = flow_new(&cc_cubic);
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
	struct flow f = flow_new(&cc_cubic);
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
	UNIT_TEST(queue_within_a_round_slows_growth),
	UNIT_TEST(twice_the_path_ends_it),
	UNIT_TEST(near_peers_go_on),
	UNIT_TEST(silence_is_no_stretch),
	UNIT_TEST(delay_without_a_full_path_goes_on),
	UNIT_TEST(pause_within_a_round_goes_on),
	UNIT_TEST(quick_sample_breaks_the_stretch),
	UNIT_TEST(cubic_leaves_slow_start_on_delay),
	UNIT_TEST(newreno_leaves_slow_start_on_delay),
	UNIT_TEST(cubic_grows_by_a_quarter_when_careful),
	UNIT_TEST(later_slow_starts_go_by_ssthresh),
};

int main(int argc, char **argv)
{
	return unit_run("hystart", tests, ARRAY_LEN(tests), argc, argv);
}
