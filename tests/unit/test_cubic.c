/*
 * test_cubic.c - CUBIC against the formulas of RFC 9438 in doubles
 *
 * RFC 9293, 3.8.2 (MAY-18). A flow is a window that is acknowledged once a round trip, in pieces spread
 * evenly over it. The model beside it sees the same ACKs.
 */
#include "core/cc.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define MSS    1460
#define BETA   0.7
#define C      0.4
#define SECOND INT64_C(1000000)

struct flow {
	struct cc cc;
	struct cc_state st;
	int64_t now_us;
	uint32_t rtt_us;
};

/* RFC 9438, 4.1.2; windows in segments, times in seconds. */
struct model {
	double cwnd, w_max, w_est, cwnd_prior, k, t;
};

static struct flow flow_with(uint32_t mss, uint32_t segments, uint32_t rtt_us)
{
	struct flow f;

	memset(&f, 0, sizeof(f));
	f.cc.mss = mss;
	f.cc.cwnd = mss * segments;
	f.cc.ssthresh = SSTHRESH_INFINITE;
	f.rtt_us = rtt_us;
	f.now_us = 5 * SECOND;
	return f;
}

static void ack(struct flow *f, uint32_t acked, bool limited)
{
	cc_cubic.ack(&f->cc, &f->st,
		     &(struct cc_ack){.acked = acked,
				      .in_flight = f->cc.cwnd,
				      .srtt_us = f->rtt_us,
				      .min_rtt_us = f->rtt_us,
				      .now_us = f->now_us,
				      .cwnd_limited = limited});
}

static void loss(struct flow *f)
{
	cc_cubic.loss(&f->cc, &f->st, f->cc.cwnd, f->now_us);
}

static struct model model_of(const struct flow *f, double w_max_bytes)
{
	struct model m = {.cwnd = (double)f->cc.cwnd / f->cc.mss,
			  .w_max = w_max_bytes / f->cc.mss};

	m.w_est = m.cwnd;
	m.cwnd_prior = m.w_max;
	m.k = cbrt((m.w_max - m.cwnd) / C);
	return m;
}

static double model_curve(const struct model *m, double t)
{
	return C * pow(t - m->k, 3) + m->w_max;
}

/* RFC 9438, 4.2 to 4.5 */
static void model_ack(struct model *m, double segments, double rtt)
{
	double alpha =
		m->w_est < m->cwnd_prior ? 3 * (1 - BETA) / (1 + BETA) : 1;
	double target = model_curve(m, m->t + rtt);

	m->w_est += alpha * segments / m->cwnd;
	if (model_curve(m, m->t) < m->w_est) {
		m->cwnd = fmax(m->cwnd, m->w_est);
		return;
	}
	target = fmin(fmax(target, m->cwnd), 1.5 * m->cwnd);
	m->cwnd += (target - m->cwnd) / m->cwnd * segments;
}

/* One round trip, in ACKs of @piece bytes; @m, if any, sees them too. */
static void round_trip(struct flow *f, uint32_t piece, struct model *m)
{
	uint32_t wnd = f->cc.cwnd, done, len;
	int64_t start = f->now_us;

	for (done = 0; done < wnd; done += len) {
		len = wnd - done < piece ? wnd - done : piece;
		ack(f, len, true);
		if (m) {
			model_ack(m, (double)len / f->cc.mss,
				  (double)f->rtt_us / SECOND);
		}
		f->now_us = start + (int64_t)f->rtt_us * (done + len) / wnd;
		if (m)
			m->t += (double)f->rtt_us / SECOND * len / wnd;
	}
}

static void run_for(struct flow *f, int64_t us, uint32_t piece)
{
	int64_t until = f->now_us + us;

	while (f->now_us < until)
		round_trip(f, piece, NULL);
}

static bool near(double a, double b, double part)
{
	return fabs(a - b) <= part * fabs(b);
}

/* RFC 9438, 4.6 */
static void loss_keeps_seven_tenths(void)
{
	struct flow f = flow_with(MSS, 100, 100000);

	f.cc.acked_frac = 77;
	loss(&f);
	CU_ASSERT_EQUAL(f.cc.ssthresh, 70 * MSS);
	CU_ASSERT_EQUAL(f.cc.cwnd, 70 * MSS);
	CU_ASSERT_EQUAL(f.cc.acked_frac, 0);
	cc_cubic.loss(&f.cc, &f.st, 10 * MSS, 0); /* less than cwnd was used */
	CU_ASSERT_EQUAL(f.cc.ssthresh, 7 * MSS);
	cc_cubic.loss(&f.cc, &f.st, MSS, 0);
	CU_ASSERT_EQUAL(f.cc.ssthresh, 2 * MSS);
	CU_ASSERT_EQUAL(f.cc.cwnd, 2 * MSS);
}

/* RFC 9438, 4.2 to 4.5: concave, convex and Reno-friendly, in whatever pieces
 * the ACKs come, ACK by ACK. */
static void growth_follows_the_formulas(void)
{
	static const struct {
		uint32_t mss, segments, rtt_us, piece;
		int rounds;
	} cases[] = {
		{1460, 1000, 100000, 2, 300}, {1460, 1000, 100000, 44, 300},
		{1460, 100, 20000, 1, 2000},  {1460, 20, 1000, 2, 3000},
		{536, 5000, 200000, 2, 200},  {8948, 400, 50000, 7, 500},
		{64, 300, 300000, 1, 100},    {65483, 50, 40000, 1, 500},
		{1460, 40, 500000, 3, 150},   {1440, 10, 60000, 1, 600},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct flow f = flow_with(cases[i].mss, cases[i].segments,
					  cases[i].rtt_us);
		struct model m;
		uint32_t w_max = f.cc.cwnd;
		double worst = 0;

		loss(&f);
		m = model_of(&f, w_max);
		for (int n = 0; n < cases[i].rounds; n++) {
			double off;

			round_trip(&f, cases[i].piece * f.cc.mss, &m);
			off = fabs((double)f.cc.cwnd / f.cc.mss - m.cwnd) /
			      m.cwnd;
			worst = fmax(worst, off);
		}
		CU_ASSERT(m.cwnd > m.w_max);
		CU_ASSERT(worst < 0.003);
	}
}

/* RFC 9438, 4.2: W_max again K seconds after, and flat around it. */
static void w_max_again_after_k(void)
{
	struct flow f = flow_with(MSS, 1000, 100000);
	int64_t k_us = (int64_t)(cbrt(300 / C) * SECOND); /* 9.09 s */
	uint32_t early;

	loss(&f);
	run_for(&f, k_us / 2, 2 * MSS);
	early = f.cc.cwnd;
	/* An eighth of what was given up is left at half the time. */
	CU_ASSERT(near(early, (1000 - 300 / 8.0) * MSS, 0.01));
	run_for(&f, k_us / 2 - f.rtt_us, 2 * MSS);
	CU_ASSERT(near(f.cc.cwnd, 1000.0 * MSS, 0.001));
	run_for(&f, k_us / 2, 2 * MSS);
	CU_ASSERT(near(f.cc.cwnd, (1000 + 300 / 8.0) * MSS, 0.01));
	run_for(&f, k_us / 2, 2 * MSS);
	CU_ASSERT(near(f.cc.cwnd, 1300.0 * MSS, 0.02));
}

/* RFC 9438, 4.3: what Reno would have, where round trips are short: 9/17 of a
 * segment each until the window before the loss, one from there on. */
static void small_networks_get_renos_share(void)
{
	struct flow f = flow_with(MSS, 20, 1000);

	loss(&f);
	for (int i = 0; i < 10; i++)
		round_trip(&f, MSS, NULL);
	CU_ASSERT(near(f.cc.cwnd, (14 + 10 * 9 / 17.0) * MSS, 0.005));
	while (f.cc.cwnd < 20 * MSS)
		round_trip(&f, MSS, NULL);
	for (int i = 0; i < 10; i++)
		round_trip(&f, MSS, NULL);
	CU_ASSERT(near(f.cc.cwnd, 30.0 * MSS, 0.02));
}

/* 10 Gbit/s over 100 ms: 125 MB in flight, K is 40 s. */
static void long_fat_network(void)
{
	struct flow f = flow_with(MSS, 85616, 100000);
	int64_t k_us = (int64_t)(cbrt(0.3 * 85616 / C) * SECOND);
	uint32_t w_max = f.cc.cwnd;
	struct model m;

	loss(&f);
	m = model_of(&f, w_max);
	for (int64_t t = 0; t < k_us; t += f.rtt_us)
		round_trip(&f, 65536, &m);
	CU_ASSERT(near(f.cc.cwnd, w_max, 0.001));
	for (int64_t t = 0; t < k_us; t += f.rtt_us)
		round_trip(&f, 65536, &m);
	CU_ASSERT(near(f.cc.cwnd, m.cwnd * MSS, 0.001));
	CU_ASSERT(near(f.cc.cwnd, 1.3 * w_max, 0.02));
}

/* RFC 9438, 4.7 */
static void fast_convergence_makes_room(void)
{
	struct flow f = flow_with(MSS, 1000, 100000);
	struct model m;

	loss(&f);
	run_for(&f, SECOND, 2 * MSS);
	CU_ASSERT(f.cc.cwnd < 1000 * MSS);
	m.w_max = f.cc.cwnd * (1 + BETA) / 2;
	loss(&f);
	m = model_of(&f, m.w_max);
	run_for(&f, (int64_t)(m.k * SECOND) - f.rtt_us, 2 * MSS);
	/* Flat around the lower W_max, and so below the old one. */
	CU_ASSERT(near(f.cc.cwnd, m.w_max * MSS, 0.002));
}

/* Two flows behind one queue come to equal shares. */
static void two_flows_converge(void)
{
	struct flow a = flow_with(MSS, 900, 50000);
	struct flow b = flow_with(MSS, 100, 50000);
	double sum_a = 0, sum_b = 0;

	a.cc.ssthresh = a.cc.cwnd;
	b.cc.ssthresh = b.cc.cwnd;
	for (int i = 0; i < 20000; i++) {
		if (a.cc.cwnd + b.cc.cwnd > 1000 * MSS) {
			loss(&a);
			loss(&b);
		}
		round_trip(&a, 8 * MSS, NULL);
		round_trip(&b, 8 * MSS, NULL);
		if (i >= 10000) {
			sum_a += a.cc.cwnd;
			sum_b += b.cc.cwnd;
		}
	}
	/* Jain's index of fairness */
	CU_ASSERT(pow(sum_a + sum_b, 2) /
			  (2 * (sum_a * sum_a + sum_b * sum_b)) >
		  0.99);
}

/* RFC 9438, 4.4: never more than half as much again in a round trip. */
static void growth_of_a_round_is_bounded(void)
{
	struct flow f = flow_with(MSS, 10, 2000 * 1000);
	uint32_t was;

	loss(&f);
	for (int i = 0; i < 10; i++) {
		was = f.cc.cwnd;
		round_trip(&f, MSS, NULL);
		CU_ASSERT(f.cc.cwnd >= was);
		/* The bound is on the window of each ACK, not of the first. */
		CU_ASSERT(f.cc.cwnd <= was * 1.65);
	}
	was = f.cc.cwnd;
	ack(&f, 4 * was, true); /* far more than cwnd at once */
	CU_ASSERT(f.cc.cwnd <= was + was / 2);
}

/* RFC 9438, 4.8 and RFC 5681, 3.1 */
static void timeout_starts_flat(void)
{
	struct flow f = flow_with(MSS, 1000, 100000);
	struct model m;

	cc_cubic.timeout(&f.cc, &f.st, 600 * MSS, 1, f.now_us);
	CU_ASSERT_EQUAL(f.cc.ssthresh, 420 * MSS);
	CU_ASSERT_EQUAL(f.cc.cwnd, MSS);
	cc_cubic.timeout(&f.cc, &f.st, MSS, 0, f.now_us);
	CU_ASSERT_EQUAL(f.cc.ssthresh, 420 * MSS);
	CU_ASSERT_EQUAL(f.cc.cwnd, MSS);
	ack(&f, 400 * MSS, true);
	CU_ASSERT_EQUAL(f.cc.cwnd, 401 * MSS);
	f.now_us += SECOND;
	ack(&f, 19 * MSS, true);
	CU_ASSERT_EQUAL(f.cc.cwnd, 420 * MSS);
	/* W_max is cwnd now, K is 0; the window before still sets alpha. */
	m = model_of(&f, f.cc.cwnd);
	m.cwnd_prior = 1000;
	for (int i = 0; i < 100; i++)
		round_trip(&f, 2 * MSS, &m);
	CU_ASSERT(near(f.cc.cwnd, m.cwnd * MSS, 0.002));
	CU_ASSERT(m.cwnd > 700); /* 420 + 0.4 * 10^3: not the old curve */
}

/* A loss after a timeout ends what the timeout began. */
static void loss_after_timeout_has_a_k(void)
{
	struct flow f = flow_with(MSS, 100, 100000);
	struct model m;

	cc_cubic.timeout(&f.cc, &f.st, 100 * MSS, 1, f.now_us);
	f.cc.cwnd = 200 * MSS;
	loss(&f);
	m = model_of(&f, 200 * MSS);
	for (int i = 0; i < 50; i++)
		round_trip(&f, 2 * MSS, &m);
	CU_ASSERT(near(f.cc.cwnd, m.cwnd * MSS, 0.002));
}

/* RFC 9438, 4.10: no loss yet, so W_max is the window of then. */
static void avoidance_without_a_loss(void)
{
	struct flow f = flow_with(MSS, 200, 100000);
	struct model m;

	f.cc.ssthresh = f.cc.cwnd;
	m = model_of(&f, f.cc.cwnd);
	for (int i = 0; i < 60; i++)
		round_trip(&f, 2 * MSS, &m);
	CU_ASSERT(near(f.cc.cwnd, m.cwnd * MSS, 0.002));
	CU_ASSERT(m.cwnd > 270);
}

/* Beyond ssthresh the rest of an ACK counts for avoidance. */
static void slow_start_ends_at_ssthresh(void)
{
	struct flow f = flow_with(MSS, 10, 1000);

	f.cc.ssthresh = 12 * MSS;
	ack(&f, 8 * MSS, true);
	CU_ASSERT(f.cc.cwnd > 12 * MSS);
	CU_ASSERT(f.cc.cwnd <= 12 * MSS + MSS);
	f = flow_with(MSS, 10, 1000);
	for (int i = 0; i < 10; i++)
		ack(&f, MSS, true);
	CU_ASSERT_EQUAL(f.cc.cwnd, 20 * MSS);
	ack(&f, 20 * MSS, false);
	CU_ASSERT_EQUAL(f.cc.cwnd, 20 * MSS);
}

/* RFC 9438, 4.2 and 5.8: a minute of trickle makes no difference. */
static void application_limited_time_does_not_count(void)
{
	struct flow f = flow_with(MSS, 1000, 100000), g;

	loss(&f);
	run_for(&f, 3 * SECOND, 2 * MSS);
	g = f;
	for (int i = 0; i < 600; i++) {
		f.now_us += 100000;
		ack(&f, MSS, false);
	}
	CU_ASSERT_EQUAL(f.cc.cwnd, g.cc.cwnd);
	run_for(&f, 3 * SECOND, 2 * MSS);
	run_for(&g, 3 * SECOND, 2 * MSS);
	CU_ASSERT(near(f.cc.cwnd, g.cc.cwnd, 0.0005));
}

/* After an hour of silence a full window is sent: one round trip counts. */
static void silence_counts_as_one_round_trip(void)
{
	struct flow f = flow_with(MSS, 1000, 100000), g;

	loss(&f);
	run_for(&f, 3 * SECOND, 2 * MSS);
	g = f;
	f.now_us += 3600 * SECOND;
	g.now_us += f.rtt_us;
	ack(&f, 700 * MSS, true);
	ack(&g, 700 * MSS, true);
	CU_ASSERT_EQUAL(f.cc.cwnd, g.cc.cwnd);
	run_for(&f, SECOND, 2 * MSS);
	run_for(&g, SECOND, 2 * MSS);
	CU_ASSERT_EQUAL(f.cc.cwnd, g.cc.cwnd);
}

/* State is gone after an idle time; the windows are not. */
static void forgotten_state_starts_flat(void)
{
	struct flow f = flow_with(MSS, 1000, 100000);
	struct model m;

	loss(&f);
	run_for(&f, SECOND, 2 * MSS);
	memset(&f.st, 0, sizeof(f.st));
	m = model_of(&f, f.cc.cwnd);
	for (int i = 0; i < 60; i++)
		round_trip(&f, 2 * MSS, &m);
	CU_ASSERT(near(f.cc.cwnd, m.cwnd * MSS, 0.002));
}

/* RFC 9438, 4.9: a reduction is undone, curve and all. */
static void reduction_can_be_undone(void)
{
	struct flow f = flow_with(MSS, 1000, 100000), g, before;

	loss(&f);
	run_for(&f, SECOND, 2 * MSS);
	g = before = f;
	cc_cubic.timeout(&f.cc, &f.st, f.cc.cwnd, 1, f.now_us);
	ack(&f, MSS, true);
	cc_undo(&f.cc, &f.st, &before.cc, &before.st);
	run_for(&f, SECOND, 2 * MSS);
	run_for(&g, SECOND, 2 * MSS);
	CU_ASSERT_EQUAL(f.cc.cwnd, g.cc.cwnd);
}

/* Neither the largest window nor centuries of time overflow anything. */
static void extremes(void)
{
	static const uint32_t mss[] = {1, 64, 1460, 65535};

	for (size_t i = 0; i < ARRAY_LEN(mss); i++) {
		struct flow f = flow_with(mss[i], 1, UINT32_MAX);

		f.cc.cwnd = CWND_MAX;
		f.now_us = INT64_MAX / 4096;
		cc_cubic.loss(&f.cc, &f.st, UINT32_MAX, f.now_us);
		CU_ASSERT_EQUAL(f.cc.ssthresh,
				(uint32_t)(UINT32_MAX * UINT64_C(7) / 10));
		loss(&f);
		f.cc.cwnd = f.cc.ssthresh = 2 * mss[i];
		for (int n = 0; n < 200; n++) {
			uint32_t was = f.cc.cwnd;

			ack(&f, UINT32_MAX, true);
			CU_ASSERT(f.cc.cwnd >= was);
			CU_ASSERT(f.cc.cwnd <= CWND_MAX);
			f.now_us += UINT32_MAX;
		}
		CU_ASSERT_EQUAL(f.cc.cwnd, CWND_MAX);
	}
}

/* Whatever happens, in whatever order. */
static void random_stays_in_bounds(void)
{
	struct flow f = flow_with(MSS, 10, 1000);
	uint64_t seed = 9;

	for (int i = 0; i < 200000; i++) {
		uint32_t was = f.cc.cwnd, flight = rig_below(&seed, was + 1);
		uint32_t acked = rig_below(&seed, flight + 1);

		f.now_us += rig_below(&seed, 1u << rig_below(&seed, 31));
		f.rtt_us = 1 + rig_below(&seed, 1u << rig_below(&seed, 31));
		switch (rig_below(&seed, 60)) {
		case 0:
			cc_cubic.loss(&f.cc, &f.st, flight, f.now_us);
			CU_ASSERT(f.cc.cwnd <= was || was < 2 * MSS);
			break;
		case 1:
			cc_cubic.timeout(&f.cc, &f.st, flight,
					 (uint8_t)rig_below(&seed, 2),
					 f.now_us);
			CU_ASSERT_EQUAL(f.cc.cwnd, MSS);
			break;
		case 2:
			memset(&f.st, 0, sizeof(f.st));
			break;
		default:
			ack(&f, acked, rig_below(&seed, 4) != 0);
			CU_ASSERT(f.cc.cwnd >= was);
			CU_ASSERT(f.cc.cwnd - was <= acked + MSS);
		}
		CU_ASSERT(f.cc.cwnd >= MSS);
		CU_ASSERT(f.cc.cwnd <= CWND_MAX);
		CU_ASSERT(f.cc.ssthresh >= 2 * MSS);
	}
}

/* RFC 9438, 4.1.2: after an idle time, slow start leads back to three quarters
 * of the window, and what follows is another stage of congestion avoidance:
 * its W_est is the window it began with. */
static void avoidance_after_slow_start_begins_anew(void)
{
	struct flow f = flow_with(MSS, 40, 10000);
	uint32_t was;

	loss(&f);
	run_for(&f, 10 * SECOND, 2 * MSS);
	was = f.cc.cwnd;
	cc_restart(&f.cc);
	CU_ASSERT(f.cc.cwnd < f.cc.ssthresh);
	while (f.cc.cwnd < f.cc.ssthresh)
		ack(&f, 2 * MSS, true);
	for (int i = 0; i < 4; i++)
		ack(&f, 2 * MSS, true);
	CU_ASSERT(f.cc.cwnd < was - was / 8);
}

static const struct unit_test tests[] = {
	UNIT_TEST(loss_keeps_seven_tenths),
	UNIT_TEST(growth_follows_the_formulas),
	UNIT_TEST(w_max_again_after_k),
	UNIT_TEST(small_networks_get_renos_share),
	UNIT_TEST(long_fat_network),
	UNIT_TEST(fast_convergence_makes_room),
	UNIT_TEST(two_flows_converge),
	UNIT_TEST(growth_of_a_round_is_bounded),
	UNIT_TEST(timeout_starts_flat),
	UNIT_TEST(loss_after_timeout_has_a_k),
	UNIT_TEST(avoidance_without_a_loss),
	UNIT_TEST(slow_start_ends_at_ssthresh),
	UNIT_TEST(application_limited_time_does_not_count),
	UNIT_TEST(silence_counts_as_one_round_trip),
	UNIT_TEST(forgotten_state_starts_flat),
	UNIT_TEST(reduction_can_be_undone),
	UNIT_TEST(extremes),
	UNIT_TEST(random_stays_in_bounds),
	UNIT_TEST(avoidance_after_slow_start_begins_anew),
};

int main(int argc, char **argv)
{
	return unit_run("cubic", tests, ARRAY_LEN(tests), argc, argv);
}
