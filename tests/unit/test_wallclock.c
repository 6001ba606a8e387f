/*
 * test_wallclock.c - Two clocks, and somebody who is kept from reading them
 */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "core/assert.h"

#include "unit.h"

/* What passes before each reading, microseconds; then 1 each time. */
static struct {
	int64_t now_us;
	int pauses[24];
	unsigned int n;
} clocks;

#define OFF_S 1700000000 /* how far the wall clock is ahead */

static int fake_gettime(clockid_t id, struct timespec *ts)
{
	int pause = clocks.n < 24 ? clocks.pauses[clocks.n++] : 0;

	clocks.now_us += pause ? pause : 1;
	ts->tv_sec = clocks.now_us / 1000000 + (id == CLOCK_REALTIME) * OFF_S;
	ts->tv_nsec = clocks.now_us % 1000000 * 1000;
	return 0;
}

#define clock_gettime fake_gettime
#include "wallclock.h"

static int64_t error_ns(void)
{
	return wallclock_off_ns() - OFF_S * INT64_C(1000000000);
}

static void begin(void)
{
	memset(&clocks, 0, sizeof(clocks));
}

static void nobody_interrupts(void)
{
	begin();
	CU_ASSERT_EQUAL(error_ns(), 0);
	CU_ASSERT_EQUAL(clocks.n, 3);
}

/* 10 ms between the first readings, 20 between those of the second pair. */
static void interrupted_twice(void)
{
	begin();
	clocks.pauses[1] = 10000;
	clocks.pauses[5] = 20000;
	CU_ASSERT_EQUAL(error_ns(), 0);
	CU_ASSERT_EQUAL(clocks.n, 9);
}

/* The closest pair counts, and it comes to an end. */
static void always_interrupted(void)
{
	begin();
	for (int i = 1; i < 24; i += 3)
		clocks.pauses[i] = 10000;
	clocks.pauses[4] = 100;
	CU_ASSERT(error_ns() <= 50000 && error_ns() >= -50000);
}

static const struct unit_test tests[] = {
	UNIT_TEST(nobody_interrupts),
	UNIT_TEST(interrupted_twice),
	UNIT_TEST(always_interrupted),
};

int main(int argc, char **argv)
{
	return unit_run("wallclock", tests, ARRAY_LEN(tests), argc, argv);
}
