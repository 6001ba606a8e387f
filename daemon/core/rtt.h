/*
 * rtt.h - Round-trip time and retransmission timeout (RFC 6298)
 */
#ifndef TCPHS_RTT_H
#define TCPHS_RTT_H

#include <stdint.h>

struct rtt {
	uint32_t srtt_us; /* 0 before the first sample */
	uint32_t rttvar_us;
	uint32_t rto_us; /* without backoff */
	uint32_t min_us; /* smallest sample lately; 0 before the first */
};

/* What "lately" is; the numbers of periods begin again with 0. */
#define RTT_PERIODS 128

struct rtt_recent {
	uint32_t least_us; /* smallest sample of the period; 0 = not known */
	uint8_t period;	   /* of the last sample */
};

struct rtt_limits {
	uint32_t initial_us, min_us, max_us;
};

/** rtt_init() - RTO is the initial one (RFC 6298, 2.1) */
void rtt_init(struct rtt *r, const struct rtt_limits *l);

/**
 * rtt_sample() - Take a measurement (RFC 6298, 2.2 and 2.3)
 * @recent:    As it was left the last time; least_us may have been lost
 * @sample_us: At least 1 is counted
 */
void rtt_sample(struct rtt *r, struct rtt_recent *recent,
		const struct rtt_limits *l, uint32_t sample_us, int64_t now_us);

/**
 * rtt_spurious() - The timer ran out too early (RFC 4015, 3.2, step 10)
 * @before:    As it was when it did
 * @sample_us: First round trip of what was sent after that
 */
void rtt_spurious(struct rtt *r, const struct rtt_limits *l,
		  const struct rtt *before, uint32_t sample_us);

/** rtt_backed_off() - RTO after @shift doublings (5.5), at most max_us */
uint32_t rtt_backed_off(const struct rtt *r, const struct rtt_limits *l,
			unsigned int shift);

#endif
