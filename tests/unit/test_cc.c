/*
 * test_cc.c - Congestion control
 */
#include "core/cc.h"

#include <stdbool.h>
#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define MSS 1460

struct rig {
	struct cc cc;
	struct cc_state st;
};

static struct rig rig_with(uint32_t cwnd, uint32_t ssthresh)
{
	struct rig r;

	memset(&r, 0, sizeof(r));
	r.cc.cwnd = cwnd;
	r.cc.ssthresh = ssthresh;
	r.cc.mss = MSS;
	return r;
}

static void ack(struct rig *r, uint32_t acked, bool limited)
{
	cc_newreno.ack(&r->cc, &r->st,
		       &(struct cc_ack){.acked = acked,
					.in_flight = r->cc.cwnd,
					.srtt_us = 1000,
					.min_rtt_us = 1000,
					.cwnd_limited = limited});
}

/* RFC 6928, 2 */
static void initial_window(void)
{
	CU_ASSERT_EQUAL(cc_initial_window(1460), 14600);
	CU_ASSERT_EQUAL(cc_initial_window(536), 5360);
	CU_ASSERT_EQUAL(cc_initial_window(1), 10);
	CU_ASSERT_EQUAL(cc_initial_window(1461), 14600);
	CU_ASSERT_EQUAL(cc_initial_window(7300), 14600);
	CU_ASSERT_EQUAL(cc_initial_window(8960), 17920);
	CU_ASSERT_EQUAL(cc_initial_window(65480), 130960);
}

/* RFC 5681, 3.1: doubled by a window acknowledged, in whatever pieces. */
static void slow_start_doubles_each_round(void)
{
	struct rig r = rig_with(10 * MSS, SSTHRESH_INFINITE);

	for (int i = 0; i < 10; i++)
		ack(&r, MSS, true);
	CU_ASSERT_EQUAL(r.cc.cwnd, 20 * MSS);
	ack(&r, 20 * MSS, true); /* one ACK for a super-segment */
	CU_ASSERT_EQUAL(r.cc.cwnd, 40 * MSS);
}

/* RFC 3465, 2: an ACK for a byte is worth a byte. */
static void ack_division_gains_nothing(void)
{
	struct rig r = rig_with(10 * MSS, SSTHRESH_INFINITE);

	for (int i = 0; i < MSS; i++)
		ack(&r, 1, true);
	CU_ASSERT_EQUAL(r.cc.cwnd, 11 * MSS);
	r = rig_with(10 * MSS, 10 * MSS);
	for (int i = 0; i < 10 * MSS; i++)
		ack(&r, 1, true);
	CU_ASSERT_EQUAL(r.cc.cwnd, 11 * MSS);
}

static void slow_start_ends_at_ssthresh(void)
{
	struct rig r = rig_with(10 * MSS, 12 * MSS);

	ack(&r, 8 * MSS, true);
	CU_ASSERT_EQUAL(r.cc.cwnd, 12 * MSS);
	CU_ASSERT_EQUAL(r.cc.acked_frac, 6 * MSS); /* the rest counts on */
	ack(&r, 6 * MSS, true);
	CU_ASSERT_EQUAL(r.cc.cwnd, 13 * MSS);
}

/* RFC 5681, 3.1: one segment a round. */
static void avoidance_adds_a_segment_each_round(void)
{
	struct rig r = rig_with(20 * MSS, 20 * MSS);

	for (uint32_t round = 20; round < 30; round++) {
		CU_ASSERT_EQUAL(r.cc.cwnd, round * MSS);
		for (uint32_t i = 0; i < round; i++)
			ack(&r, MSS, true);
	}
	CU_ASSERT_EQUAL(r.cc.cwnd, 30 * MSS);
}

/* More acknowledged at once than the window is: still one segment. */
static void avoidance_after_a_larger_window(void)
{
	struct rig r = rig_with(10 * MSS, 10 * MSS);

	ack(&r, 500 * MSS, true);
	CU_ASSERT_EQUAL(r.cc.cwnd, 11 * MSS);
	ack(&r, MSS, true);
	CU_ASSERT_EQUAL(r.cc.cwnd, 11 * MSS);
}

/* RFC 7661, 4.3: what was not used proves nothing. */
static void no_growth_unless_limited(void)
{
	struct rig r = rig_with(10 * MSS, SSTHRESH_INFINITE);

	ack(&r, 5 * MSS, false);
	CU_ASSERT_EQUAL(r.cc.cwnd, 10 * MSS);
	r = rig_with(10 * MSS, 5 * MSS);
	ack(&r, 10 * MSS, false);
	CU_ASSERT_EQUAL(r.cc.cwnd, 10 * MSS);
	CU_ASSERT_EQUAL(r.cc.acked_frac, 0);
}

/* RFC 5681, 3.1 (4) */
static void loss_halves_what_is_in_flight(void)
{
	struct rig r = rig_with(100 * MSS, SSTHRESH_INFINITE);

	r.cc.acked_frac = 77;
	cc_newreno.loss(&r.cc, &r.st, 40 * MSS, 0);
	CU_ASSERT_EQUAL(r.cc.ssthresh, 20 * MSS);
	CU_ASSERT_EQUAL(r.cc.cwnd, 20 * MSS);
	CU_ASSERT_EQUAL(r.cc.acked_frac, 0);
	cc_newreno.loss(&r.cc, &r.st, MSS, 0);
	CU_ASSERT_EQUAL(r.cc.ssthresh, 2 * MSS);
	CU_ASSERT_EQUAL(r.cc.cwnd, 2 * MSS);
}

/* RFC 5681, 3.1: the first timeout sets ssthresh, those after it hold it. */
static void timeout_goes_back_to_one_segment(void)
{
	struct rig r = rig_with(100 * MSS, SSTHRESH_INFINITE);

	cc_newreno.timeout(&r.cc, &r.st, 60 * MSS, 1, 0);
	CU_ASSERT_EQUAL(r.cc.ssthresh, 30 * MSS);
	CU_ASSERT_EQUAL(r.cc.cwnd, MSS);
	cc_newreno.timeout(&r.cc, &r.st, MSS, 0, 0);
	CU_ASSERT_EQUAL(r.cc.ssthresh, 30 * MSS);
	CU_ASSERT_EQUAL(r.cc.cwnd, MSS);
	ack(&r, MSS, true);
	CU_ASSERT_EQUAL(r.cc.cwnd, 2 * MSS);
}

/* RFC 7323, 2.3: no peer can offer more than 1 GiB. */
static void window_has_an_end(void)
{
	struct rig r = rig_with(1u << 30, SSTHRESH_INFINITE);

	for (int i = 0; i < 10; i++) {
		ack(&r, UINT32_MAX, true);
		CU_ASSERT_EQUAL(r.cc.cwnd, 65535u << 14);
	}
}

/* Whatever happens, in whatever order. */
/* RFC 4015, 3.2, step 8: what was before the loss, but no less than now. */
static void undone(void)
{
	struct rig r = rig_with(20 * MSS, SSTHRESH_INFINITE), was = r;

	cc_newreno.timeout(&r.cc, &r.st, 20 * MSS, 1, 0);
	cc_undo(&r.cc, &r.st, &was.cc, &was.st);
	CU_ASSERT_EQUAL(r.cc.cwnd, 20 * MSS);
	CU_ASSERT_EQUAL(r.cc.ssthresh, SSTHRESH_INFINITE);
	was.cc.ssthresh = 10 * MSS;
	r.cc.cwnd = 30 * MSS;
	r.cc.ssthresh = 15 * MSS;
	cc_undo(&r.cc, &r.st, &was.cc, &was.st);
	CU_ASSERT_EQUAL(r.cc.cwnd, 30 * MSS);
	CU_ASSERT_EQUAL(r.cc.ssthresh, 15 * MSS);
}

/* RFC 5681, 4.1, and RFC 7661, 4.4.3: down to IW, and slow start leads back. */
static void restart_and_decay(void)
{
	struct rig r = rig_with(40 * MSS, 20 * MSS);
	uint32_t iw = cc_initial_window(MSS);

	cc_restart(&r.cc);
	CU_ASSERT_EQUAL(r.cc.cwnd, iw);
	CU_ASSERT_EQUAL(r.cc.ssthresh, 30 * MSS);
	cc_restart(&r.cc);
	CU_ASSERT_EQUAL(r.cc.cwnd, iw);
	CU_ASSERT_EQUAL(r.cc.ssthresh, 30 * MSS);
	r = rig_with(40 * MSS, SSTHRESH_INFINITE);
	cc_decay(&r.cc);
	CU_ASSERT_EQUAL(r.cc.cwnd, 20 * MSS);
	CU_ASSERT_EQUAL(r.cc.ssthresh, SSTHRESH_INFINITE);
	cc_decay(&r.cc);
	cc_decay(&r.cc);
	CU_ASSERT_EQUAL(r.cc.cwnd, iw);
}

static void random_stays_in_bounds(void)
{
	struct rig r = rig_with(10 * MSS, SSTHRESH_INFINITE);
	uint64_t seed = 4;
	uint32_t was, acked, flight;

	for (int i = 0; i < 100000; i++) {
		was = r.cc.cwnd;
		flight = rig_below(&seed, was + 1);
		switch (rig_below(&seed, 40)) {
		case 0:
			cc_newreno.loss(&r.cc, &r.st, flight, i);
			CU_ASSERT(r.cc.cwnd <= was || was < 2 * MSS);
			break;
		case 1:
			cc_newreno.timeout(&r.cc, &r.st, flight,
					   (uint8_t)rig_below(&seed, 2), i);
			break;
		default:
			acked = rig_below(&seed, flight + 1);
			ack(&r, acked, rig_below(&seed, 4) != 0);
			CU_ASSERT(r.cc.cwnd >= was);
			CU_ASSERT(r.cc.cwnd - was <= acked + MSS);
			CU_ASSERT(was < r.cc.ssthresh ||
				  r.cc.cwnd - was <= MSS);
			CU_ASSERT(r.cc.acked_frac <= r.cc.cwnd);
		}
		CU_ASSERT(r.cc.cwnd >= MSS);
		CU_ASSERT(r.cc.ssthresh >= 2 * MSS);
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(initial_window),
	UNIT_TEST(slow_start_doubles_each_round),
	UNIT_TEST(ack_division_gains_nothing),
	UNIT_TEST(slow_start_ends_at_ssthresh),
	UNIT_TEST(avoidance_adds_a_segment_each_round),
	UNIT_TEST(avoidance_after_a_larger_window),
	UNIT_TEST(no_growth_unless_limited),
	UNIT_TEST(loss_halves_what_is_in_flight),
	UNIT_TEST(timeout_goes_back_to_one_segment),
	UNIT_TEST(window_has_an_end),
	UNIT_TEST(undone),
	UNIT_TEST(restart_and_decay),
	UNIT_TEST(random_stays_in_bounds),
};

int main(int argc, char **argv)
{
	return unit_run("cc", tests, ARRAY_LEN(tests), argc, argv);
}
