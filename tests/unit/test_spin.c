/*
 * test_spin.c - When to look for packets instead of sleeping
 */
#include "spin.h"

#include "core/assert.h"
#include "unit.h"

static struct spin s;
static int64_t now_us;

/* A turn, a pause of @us, a packet: did we look, and was it found so? */
static bool packet_after(int64_t us)
{
	int64_t until_us;

	spin_rest(&s, now_us);
	until_us = spin_until(&s, now_us);
	if (until_us > now_us) {
		CU_ASSERT(until_us - now_us <= 200);
		if (now_us + us <= until_us) {
			now_us += us;
			spin_found(&s);
			return true;
		}
		spin_gave_up(&s);
	}
	now_us += us;
	spin_woken(&s, now_us);
	return false;
}

static unsigned int found_of(unsigned int n, int64_t us)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < n; i++)
		found += packet_after(us);
	return found;
}

static void start(bool on)
{
	now_us = 1000000;
	spin_init(&s, on);
	spin_rest(&s, now_us);
}

static void off(void)
{
	start(false);
	CU_ASSERT_EQUAL(found_of(10000, 50), 0);
	CU_ASSERT_EQUAL(s.missed, 0);
}

/* Requests and answers: after a few, all of them are found. */
static void rhythm(void)
{
	start(true);
	CU_ASSERT_EQUAL(found_of(8, 50), 0);
	CU_ASSERT_EQUAL(found_of(100000, 50), 100000);
	CU_ASSERT_EQUAL(s.paid, 100000);
	CU_ASSERT_EQUAL(s.missed, 0);
}

/* Of several threads, added up. */
static void counted(void)
{
	uint64_t paid = 5, missed = 7;

	start(true);
	(void)found_of(108, 50);
	spin_gave_up(&s);
	spin_counts(&s, &paid, &missed);
	CU_ASSERT_EQUAL(paid, 5 + s.paid);
	CU_ASSERT_EQUAL(missed, 8);
}

/* What comes now and then is slept for. */
static void no_rhythm(void)
{
	start(true);
	CU_ASSERT_EQUAL(found_of(100000, 1000), 0);
	CU_ASSERT_EQUAL(s.missed, 0);
}

/* A pause ends it, once, and a new rhythm begins it again. */
static void pause(void)
{
	start(true);
	for (int i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(found_of(108, 50), 100);
		(void)found_of(1, 1000000);
	}
	CU_ASSERT_EQUAL(s.missed, 100);
}

/* A peer who never speaks while we look, being on our core: pauses are short
 * whenever we sleep, and looking never pays. It soon costs next to nothing. */
static void same_core(void)
{
	start(true);
	for (int i = 0; i < 1000000; i++) {
		spin_rest(&s, now_us);
		if (spin_until(&s, now_us) > now_us)
			spin_gave_up(&s);
		now_us += 60;
		spin_woken(&s, now_us);
	}
	CU_ASSERT_EQUAL(s.paid, 0);
	CU_ASSERT(s.missed <= 260);
}

/* ... but is tried again, and forgotten when it pays. */
static void tries_again(void)
{
	unsigned int left;

	same_core();
	left = (unsigned int)(s.need - s.rhythm);
	CU_ASSERT_EQUAL(found_of(20000, 50), 20000 - left);
	(void)found_of(1, 1000000);
	CU_ASSERT_EQUAL(found_of(108, 50), 100);
}

static const struct unit_test tests[] = {
	UNIT_TEST(off),	    UNIT_TEST(rhythm),	  UNIT_TEST(no_rhythm),
	UNIT_TEST(pause),   UNIT_TEST(same_core), UNIT_TEST(tries_again),
	UNIT_TEST(counted),
};

int main(int argc, char **argv)
{
	return unit_run("spin", tests, ARRAY_LEN(tests), argc, argv);
}
