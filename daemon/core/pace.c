/*
 * pace.c - Spread a window over the round trip
 *
 * A window sent in one burst has to wait in a queue somewhere, or is lost there.
 * Spread over the round trip it finds room. The rate is a little above cwnd a
 * round trip, so that it is cwnd that limits a flow in the end and not the
 * clock here: a fifth more in congestion avoidance, twice as much in slow start
 * (and up to where it ends), for each round doubles the window. These are
 * Linux's figures.
 */
#include "pace.h"

#define US_PER_S       1000000
#define SLOW_START_PCT 200
#define AVOIDANCE_PCT  120
#define BURSTS_PER_S   1000
#define BURST_SEGMENTS 2
#define SHIFT_SRTT     256
#define SHIFT_LEAST_US 64 /* two ticks of the wheel */
/* The wheel and the loop are late by less than this together. */
#define CATCH_UP_US 2000

uint64_t pace_rate(uint32_t cwnd, uint32_t ssthresh, uint32_t srtt_us)
{
	uint64_t pct = cwnd < ssthresh / 2 ? SLOW_START_PCT : AVOIDANCE_PCT;

	if (!srtt_us)
		return 0;
	return (uint64_t)cwnd * pct * (US_PER_S / 100) / srtt_us;
}

uint32_t pace_burst(uint64_t rate, uint32_t mss)
{
	uint64_t len = rate / BURSTS_PER_S, least = BURST_SEGMENTS * mss;

	if (len < least)
		len = least;
	return len < UINT32_MAX ? (uint32_t)len : UINT32_MAX;
}

uint32_t pace_shift(uint64_t rate, uint32_t mss, uint32_t srtt_us)
{
	uint64_t us = (uint64_t)mss * US_PER_S / rate;

	if (us > srtt_us / SHIFT_SRTT)
		us = srtt_us / SHIFT_SRTT;
	return us < SHIFT_LEAST_US ? 0 : (uint32_t)us;
}

int64_t pace_next(int64_t next_us, uint64_t rate, uint32_t len, int64_t now_us)
{
	if (next_us < now_us - CATCH_UP_US)
		next_us = now_us - CATCH_UP_US;
	return next_us + (int64_t)((uint64_t)len * US_PER_S / rate);
}
