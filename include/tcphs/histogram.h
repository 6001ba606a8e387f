/*
 * histogram.h - How long things took, in constant memory
 *
 * Buckets are log-linear: two significant decimal digits of a microsecond
 * count, from 1 us to 100 s. So a percentile is at most a tenth too high, and
 * the bounds that people and Prometheus like (250 us, 1 ms, 2.5 s) are bounds
 * of buckets: what is counted up to one of them is exact.
 */
#ifndef TCPHS_HISTOGRAM_H
#define TCPHS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_DECADES 7 /* beyond the first ten microseconds */
/* The last one takes what is longer than 100 s. */
#define HISTOGRAM_BUCKETS (10 + 90 * HISTOGRAM_DECADES + 1)

struct histogram {
	uint64_t count;
	uint64_t sum_us;
	int64_t min_us, max_us; /* meaningless if count is 0 */
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

/**
 * histogram_add() - Something took @us; @n times
 *
 * What is negative counts as 0.
 */
void histogram_add(struct histogram *h, int64_t us, uint64_t n);

/** histogram_merge() - Add all of @from to @h */
void histogram_merge(struct histogram *h, const struct histogram *from);

/** histogram_bound() - Upper bound of a bucket, inclusive; the last: INT64_MAX */
int64_t histogram_bound(size_t bucket);

/**
 * histogram_up_to() - How many took @us or less
 * @us: A bound of a bucket; else the answer is that of the bound below
 */
uint64_t histogram_up_to(const struct histogram *h, int64_t us);

/**
 * histogram_percentile() - What @permille of a thousand took at most
 *
 * Return: microseconds, not below the true value and at most a tenth above it;
 *         0 if nothing was added
 */
int64_t histogram_percentile(const struct histogram *h, unsigned int permille);

#endif
