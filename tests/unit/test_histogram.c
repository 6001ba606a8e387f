/*
 * test_histogram.c - Buckets, bounds and percentiles
 */
#include <string.h>

#include <tcphs/histogram.h>

#include "core/assert.h"
#include "unit.h"

static struct histogram h;

static void clear(void)
{
	memset(&h, 0, sizeof(h));
}

/* In which bucket does @us land? */
static size_t bucket(int64_t us)
{
	size_t found = HISTOGRAM_BUCKETS;

	clear();
	histogram_add(&h, us, 1);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (h.bucket[i])
			found = i;
	return found;
}

/* Each bound is the last value inside its bucket, and bounds only grow. */
static void bounds_are_inclusive(void)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		CU_ASSERT_EQUAL(bucket(histogram_bound(i)), i);
		CU_ASSERT_EQUAL(bucket(histogram_bound(i) + 1), i + 1);
		CU_ASSERT(histogram_bound(i) < histogram_bound(i + 1));
	}
	CU_ASSERT_EQUAL(histogram_bound(HISTOGRAM_BUCKETS - 2), 100000000);
	CU_ASSERT_EQUAL(histogram_bound(HISTOGRAM_BUCKETS - 1), INT64_MAX);
}

static void ends_of_the_scale(void)
{
	CU_ASSERT_EQUAL(bucket(-5), 0);
	CU_ASSERT_EQUAL(h.sum_us, 0);
	CU_ASSERT_EQUAL(bucket(0), 0);
	CU_ASSERT_EQUAL(bucket(1), 0);
	CU_ASSERT_EQUAL(bucket(2), 1);
	CU_ASSERT_EQUAL(bucket(100000001), HISTOGRAM_BUCKETS - 1);
	CU_ASSERT_EQUAL(bucket(INT64_MAX), HISTOGRAM_BUCKETS - 1);
}

/* What Prometheus asks for: counts up to round bounds are exact. */
static void up_to_round_bounds(void)
{
	static const int64_t round[] = {100,   250,	500,	 1000,	  2500,
					25000, 1000000, 2500000, 60000000};

	for (size_t i = 0; i < ARRAY_LEN(round); i++) {
		clear();
		histogram_add(&h, round[i], 1);
		CU_ASSERT_EQUAL(histogram_up_to(&h, round[i]), 1);
		histogram_add(&h, round[i] + 1, 1);
		CU_ASSERT_EQUAL(histogram_up_to(&h, round[i]), 1);
	}
}

static void sums_and_extremes(void)
{
	clear();
	histogram_add(&h, 300, 2);
	histogram_add(&h, 7, 1);
	histogram_add(&h, 9, 0);
	CU_ASSERT_EQUAL(h.count, 3);
	CU_ASSERT_EQUAL(h.sum_us, 607);
	CU_ASSERT_EQUAL(h.min_us, 7);
	CU_ASSERT_EQUAL(h.max_us, 300);
}

/* Never below the true value, and at most a tenth above it. */
static void percentiles(void)
{
	static const unsigned int permille[] = {1,   100, 500, 900,
						990, 999, 1000};

	clear();
	CU_ASSERT_EQUAL(histogram_percentile(&h, 500), 0);
	for (int64_t us = 1; us <= 100000; us++)
		histogram_add(&h, us, 1);
	for (size_t i = 0; i < ARRAY_LEN(permille); i++) {
		int64_t want = 100 * (int64_t)permille[i];
		int64_t got = histogram_percentile(&h, permille[i]);

		CU_ASSERT(got >= want);
		CU_ASSERT(got <= want + want / 10);
	}
	CU_ASSERT_EQUAL(histogram_percentile(&h, 1000), 100000);
}

/* One value: all percentiles are that, not the bound of its bucket. */
static void percentile_of_one(void)
{
	clear();
	histogram_add(&h, 1234, 1);
	CU_ASSERT_EQUAL(histogram_percentile(&h, 0), 1234);
	CU_ASSERT_EQUAL(histogram_percentile(&h, 500), 1234);
	clear();
	histogram_add(&h, 200000000, 1);
	CU_ASSERT_EQUAL(histogram_percentile(&h, 999), 200000000);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(bounds_are_inclusive), UNIT_TEST(ends_of_the_scale),
		UNIT_TEST(up_to_round_bounds),	 UNIT_TEST(sums_and_extremes),
		UNIT_TEST(percentiles),		 UNIT_TEST(percentile_of_one),
	};

	return unit_run("histogram", tests, ARRAY_LEN(tests), argc, argv);
}
