/*
 * test_path.c - The bad network of the end-to-end tests
 *
 * What compares two senders on it stands on this: the same seed does the same
 * to the Nth packet, and rates, queues and chances are what was asked for.
 */
#include "e2e/path.h"

#include "unit.h"

#define MS 1000000ll

/* Rows of a run of N packets, 1 for each that arrived. */
#define N 100000

static uint64_t arrived(struct path *p, bool *row)
{
	uint64_t n = 0;

	for (int i = 0; i < N; i++) {
		row[i] = path_take(p, 1500, i * MS, false) != PATH_LOST;
		n += row[i];
	}
	return n;
}

static void perfect_by_default(void)
{
	const struct path_opts none = {.rate = 0};
	struct path p;

	path_init(&p, &none, 1, 0);
	CU_ASSERT_EQUAL(path_take(&p, 1500, 5 * MS, false), 5 * MS);
	CU_ASSERT_EQUAL(path_take(&p, 1500, 5 * MS, true), PATH_LOST);
	CU_ASSERT_EQUAL(p.seen, 2);
	CU_ASSERT_EQUAL(p.lost, 1);
}

/* 1500 bytes take 120 us at 100 Mbit/s. Two fit into the queue beside the one
 * that is being sent, which counts by what is left of it. */
static void rate_and_queue(void)
{
	const struct path_opts o = {
		.rate = 100000000,
		.queue = 4500,
		.delay_us = 10000,
	};
	struct path p;

	path_init(&p, &o, 1, 0);
	CU_ASSERT_EQUAL(path_take(&p, 1500, 0, false), 10 * MS + 120000);
	CU_ASSERT_EQUAL(path_take(&p, 1500, 0, false), 10 * MS + 240000);
	CU_ASSERT_EQUAL(path_take(&p, 1500, 0, false), 10 * MS + 360000);
	CU_ASSERT_EQUAL(path_take(&p, 1500, 0, false), PATH_LOST);
	CU_ASSERT_EQUAL(p.full, 1);
	CU_ASSERT_EQUAL(path_take(&p, 1500, 120000, false), 10 * MS + 480000);
	CU_ASSERT_EQUAL(path_take(&p, 1500, 50 * MS, false), 60 * MS + 120000);
}

static void late_ones_are_overtaken(void)
{
	const struct path_opts o = {.late_ppm = 50000, .late_us = 2000};
	struct path p;
	int64_t at;

	path_init(&p, &o, 3, 0);
	for (int i = 0; i < N; i++) {
		at = path_take(&p, 1500, i * MS, false) - i * MS;
		if (at != 0)
			CU_ASSERT_EQUAL(at, 2 * MS);
	}
	CU_ASSERT(p.late > N / 20 - N / 200 && p.late < N / 20 + N / 200);
	CU_ASSERT_EQUAL(p.lost, 0);
}

static void single_losses_are_as_many_as_asked(void)
{
	const struct path_opts o = {.loss_ppm = 10000};
	static bool row[N];
	struct path p;
	uint64_t lost;

	path_init(&p, &o, 1, 0);
	lost = N - arrived(&p, row);
	CU_ASSERT(lost > N / 100 - N / 500 && lost < N / 100 + N / 500);
	CU_ASSERT_EQUAL(p.lost, lost);
}

/* A burst each 2000 packets, four long on average. */
static void bursts_have_their_length(void)
{
	const struct path_opts o = {.burst_ppm = 500, .burst_end_ppm = 250000};
	static bool row[N];
	struct path p;
	int bursts = 0, lost;

	path_init(&p, &o, 1, 0);
	lost = N - (int)arrived(&p, row);
	for (int i = 1; i < N; i++)
		bursts += row[i - 1] && !row[i];
	CU_ASSERT(bursts > 35 && bursts < 65);
	CU_ASSERT(lost > 3 * bursts && lost < 5 * bursts);
}

static int lost_of_thousand(const struct path_opts *o)
{
	struct path p;
	int lost = 0;

	path_init(&p, o, 1, 0);
	for (int i = 0; i < 1000; i++)
		lost += path_take(&p, 1500, i * 1000 * MS, false) == PATH_LOST;
	return lost;
}

/* One packet a second: in time each burst takes one of them, else all. */
static void bursts_end_in_time(void)
{
	struct path_opts o = {.burst_ppm = 100000, .burst_end_ppm = 1};

	CU_ASSERT(lost_of_thousand(&o) > 900);
	o.burst_most_us = 999999;
	CU_ASSERT(lost_of_thousand(&o) > 50 && lost_of_thousand(&o) < 150);
}

/* One seed repeats itself whatever else is set, another one and the other
 * direction differ. */
static void fate_follows_from_the_seed(void)
{
	const struct path_opts o = {.loss_ppm = 10000};
	const struct path_opts more = {
		.loss_ppm = 10000,
		.late_ppm = 50000,
		.late_us = 1000,
		.delay_us = 10000,
	};
	static bool a[N], b[N];
	struct path p;
	int same[3] = {0};

	path_init(&p, &o, 7, 0);
	arrived(&p, a);
	for (int which = 0; which < 3; which++) {
		path_init(&p, which ? &o : &more, which == 1 ? 8 : 7,
			  which == 2);
		arrived(&p, b);
		for (int i = 0; i < N; i++)
			same[which] += a[i] == b[i];
	}
	CU_ASSERT_EQUAL(same[0], N);
	CU_ASSERT(same[1] < N);
	CU_ASSERT(same[2] < N);
}

/* A flow's dice are not thrown for others, and no two flows have the same. */
static void each_flow_has_its_fate(void)
{
	const struct path_opts o = {.burst_ppm = 500, .burst_end_ppm = 250000};
	struct path_dice alone, other, again;
	int same = 0, lost = 0;
	struct path p;

	path_init(&p, &o, 7, 0);
	path_dice_init(&alone, 7, 0, 1);
	path_dice_init(&again, 7, 0, 1);
	path_dice_init(&other, 7, 0, 2);
	for (int i = 0; i < N; i++) {
		int64_t a = path_take_by(&p, &alone, 1500, i * MS, false);
		int64_t b = path_take_by(&p, &other, 1500, i * MS, false);

		path_take(&p, 1500, i * MS, false);
		CU_ASSERT_EQUAL(path_take_by(&p, &again, 1500, i * MS, false),
				a);
		lost += a == PATH_LOST;
		same += a == PATH_LOST && b == PATH_LOST;
	}
	CU_ASSERT_EQUAL(p.seen, 4 * N);
	CU_ASSERT(lost > 100 && lost < 350);
	CU_ASSERT(same < lost / 4);
}

static const struct unit_test tests[] = {
	UNIT_TEST(perfect_by_default),
	UNIT_TEST(rate_and_queue),
	UNIT_TEST(late_ones_are_overtaken),
	UNIT_TEST(single_losses_are_as_many_as_asked),
	UNIT_TEST(bursts_have_their_length),
	UNIT_TEST(bursts_end_in_time),
	UNIT_TEST(fate_follows_from_the_seed),
	UNIT_TEST(each_flow_has_its_fate),
};

int main(int argc, char **argv)
{
	return unit_run("path", tests, sizeof(tests) / sizeof(tests[0]), argc,
			argv);
}
