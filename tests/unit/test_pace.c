/*
 * test_pace.c - Spreading a window over the round trip
 */
#include "core/pace.h"

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define MSS 1448

static void rate(void)
{
	/* 100 segments and 100 ms: 1.2 times 10 segments each 10 ms. */
	CU_ASSERT_EQUAL(pace_rate(144800, 144800, 100000), 1737600);
	CU_ASSERT_EQUAL(pace_rate(144800, 0, 100000), 1737600);
	/* Slow start, and its last doubling. */
	CU_ASSERT_EQUAL(pace_rate(144800, UINT32_MAX, 100000), 2896000);
	CU_ASSERT_EQUAL(pace_rate(144800, 200000, 100000), 1737600);
	CU_ASSERT_EQUAL(pace_rate(144800, UINT32_MAX, 0), 0);
	/* The largest window on the shortest path. */
	CU_ASSERT_EQUAL(pace_rate(65535u << 14, UINT32_MAX, 1),
			(uint64_t)(65535u << 14) * 2000000);
}

static void burst(void)
{
	CU_ASSERT_EQUAL(pace_burst(1, MSS), 2 * MSS);
	CU_ASSERT_EQUAL(pace_burst(12500000, MSS), 12500);
	CU_ASSERT_EQUAL(pace_burst(UINT64_MAX, MSS), UINT32_MAX);
}

/* What is sent takes its time, from when the last was through. */
static void pauses(void)
{
	CU_ASSERT_EQUAL(pace_next(5000000, 1000000, 1000, 4999000), 5001000);
	CU_ASSERT_EQUAL(pace_next(5000000, 1000000, 1000, 5000700), 5001000);
}

/* Late by up to two milliseconds, it catches up; later, no more than that. */
static void catches_up(void)
{
	CU_ASSERT_EQUAL(pace_next(5000000, 1000000, 1000, 5002000), 5001000);
	CU_ASSERT_EQUAL(pace_next(5000000, 1000000, 1000, 5002500), 5001500);
	CU_ASSERT_EQUAL(pace_next(0, 1000000, 1000, 5000000), 4999000);
}

/* A segment's time, of srtt a small part, and nothing that no timer can do. */
static void shift(void)
{
	CU_ASSERT_EQUAL(pace_shift(14480000, MSS, 100000), 100);
	CU_ASSERT_EQUAL(pace_shift(1448000, MSS, 100000), 390);
	CU_ASSERT_EQUAL(pace_shift(1448000, MSS, 256 * 64), 64);
	CU_ASSERT_EQUAL(pace_shift(1448000, MSS, 256 * 64 - 1), 0);
	CU_ASSERT_EQUAL(pace_shift(100000000, MSS, 100000), 0);
	CU_ASSERT_EQUAL(pace_shift(1, UINT16_MAX, UINT32_MAX), 16777215);
}

/* A timer that is late each time: the rate is kept. */
static void late_timers(void)
{
	int64_t now_us = 1000000, next_us = 0;
	uint64_t sent = 0;

	while (now_us < 11000000) {
		while (next_us <= now_us) {
			next_us = pace_next(next_us, 12500000, 12500, now_us);
			sent += 12500;
		}
		now_us = next_us + 1100;
	}
	CU_ASSERT(sent >= 124000000 && sent <= 126000000);
}

static const struct unit_test tests[] = {
	UNIT_TEST(rate),       UNIT_TEST(burst), UNIT_TEST(pauses),
	UNIT_TEST(catches_up), UNIT_TEST(shift), UNIT_TEST(late_timers),
};

int main(int argc, char **argv)
{
	return unit_run("pace", tests, ARRAY_LEN(tests), argc, argv);
}
