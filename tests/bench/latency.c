/*
 * latency.c - Percentiles of very many latencies in little memory
 *
 * Counts in steps that grow with the latency: each power of two of nanoseconds
 * is cut into 256 equal steps, so that a percentile is right to 0.4 % wherever
 * it lies. Below 256 ns the steps are single nanoseconds.
 */
#include "latency.h"

#define LAST (LATENCY_POWERS * LATENCY_STEPS - 1)

void latency_add(struct latency *l, uint64_t ns)
{
	unsigned int step = (unsigned int)ns, power;

	if (ns >= LATENCY_STEPS) {
		power = 63u - (unsigned int)__builtin_clzll(ns) -
			LATENCY_STEP_BITS;
		step = power * LATENCY_STEPS + (unsigned int)(ns >> power);
	}
	l->counts[step < LAST ? step : LAST]++;
	l->n++;
}

double latency_percentile(const struct latency *l, double percent)
{
	uint64_t before = 0;
	double rank = percent / 100 * (double)l->n;

	for (unsigned int i = 0; i <= LAST; i++) {
		before += l->counts[i];
		if (before && (double)before >= rank) {
			unsigned int power = i / LATENCY_STEPS;
			uint64_t step = i % LATENCY_STEPS;

			if (power > 0) {
				power--;
				step += LATENCY_STEPS;
			}
			return (double)((step + 1) << power) / 1000;
		}
	}
	return 0;
}
