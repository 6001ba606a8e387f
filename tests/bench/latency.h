/*
 * latency.h - Percentiles of very many latencies in little memory
 */
#ifndef TCPHS_BENCH_LATENCY_H
#define TCPHS_BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_STEP_BITS 8 /* 256 steps in each power of two: 0.4 % */
#define LATENCY_STEPS	  (1 << LATENCY_STEP_BITS)
#define LATENCY_POWERS	  32 /* up to 2^39 ns, 9 minutes */

struct latency {
	uint64_t n;
	uint64_t counts[LATENCY_POWERS * LATENCY_STEPS];
};

/** latency_add() - Count one; beyond 9 minutes it counts as 9 minutes */
void latency_add(struct latency *l, uint64_t ns);

/**
 * latency_percentile() - Which latency is not exceeded by @percent of them
 *
 * Return: microseconds, 0 if there is none
 */
double latency_percentile(const struct latency *l, double percent);

#endif
