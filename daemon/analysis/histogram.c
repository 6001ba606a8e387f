/*
 * histogram.c - How long things took, in constant memory
 *
 * Bucket 0 holds up to 1 us, bucket 9 up to 10 us, each a microsecond wide.
 * From there on a decade has 90 of equal width: up to 11, 12, ... 100, then
 * 110, 120, ... 1000. A bound belongs to the bucket below it.
 */
#include <tcphs/histogram.h>

#define FIRST 10 /* buckets of one microsecond */
#define WIDE  90 /* buckets of each decade beyond */
#define LAST  (HISTOGRAM_BUCKETS - 1)

static size_t bucket_of(int64_t us);

void histogram_add(struct histogram *h, int64_t us, uint64_t n)
{
	if (!n)
		return;
	if (us < 0)
		us = 0;
	if (!h->count || us < h->min_us)
		h->min_us = us;
	if (!h->count || us > h->max_us)
		h->max_us = us;
	h->count += n;
	h->sum_us += (uint64_t)us * n;
	h->bucket[bucket_of(us)] += n;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	if (!from->count)
		return;
	if (!h->count || from->min_us < h->min_us)
		h->min_us = from->min_us;
	if (!h->count || from->max_us > h->max_us)
		h->max_us = from->max_us;
	h->count += from->count;
	h->sum_us += from->sum_us;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->bucket[i] += from->bucket[i];
}

int64_t histogram_bound(size_t bucket)
{
	int64_t width = 1;

	if (bucket < FIRST)
		return (int64_t)bucket + 1;
	if (bucket >= LAST)
		return INT64_MAX;
	bucket -= FIRST;
	for (size_t decade = bucket / WIDE; decade > 0; decade--)
		width *= 10;
	return (int64_t)(FIRST + bucket % WIDE + 1) * width;
}

uint64_t histogram_up_to(const struct histogram *h, int64_t us)
{
	uint64_t n = 0;

	for (size_t i = 0; i < LAST && histogram_bound(i) <= us; i++)
		n += h->bucket[i];
	return n;
}

int64_t histogram_percentile(const struct histogram *h, unsigned int permille)
{
	/* The rank, rounded up, without a product that may overflow. */
	uint64_t rank = h->count / 1000 * permille +
			(h->count % 1000 * permille + 999) / 1000;
	uint64_t n = 0;

	if (!h->count)
		return 0;
	for (size_t i = 0; i < LAST; i++) {
		n += h->bucket[i];
		if (n && n >= rank)
			return histogram_bound(i) < h->max_us
				       ? histogram_bound(i)
				       : h->max_us;
	}
	return h->max_us;
}

static size_t bucket_of(int64_t us)
{
	int64_t below = us > 0 ? us - 1 : 0; /* a bound is the last inside */
	size_t decade = 0;

	if (below < FIRST)
		return (size_t)below;
	while (below >= FIRST + WIDE) {
		below /= 10;
		decade++;
	}
	if (decade >= HISTOGRAM_DECADES)
		return LAST;
	return FIRST + decade * WIDE + (size_t)below - FIRST;
}
