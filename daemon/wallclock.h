/*
 * wallclock.h - How the wall clock stands to the monotonic one
 *
 * All times of the daemon are monotonic; people are shown the wall clock. Both
 * cannot be read at one moment, and whoever is taken off the processor between
 * two readings is wrong by as long as that took. So the wall clock is read
 * between two readings of the other, again if they lie far apart, and the
 * closest pair counts.
 */
#ifndef TCPHS_WALLCLOCK_H
#define TCPHS_WALLCLOCK_H

#include <stdint.h>
#include <time.h>

#define WALLCLOCK_CLOSE_NS \
	5000 /* a reading takes less than a hundredth of it */
#define WALLCLOCK_TRIES 8

static inline int64_t wallclock_read_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/** wallclock_off_ns() - What to add to a monotonic time for that of the wall */
static inline int64_t wallclock_off_ns(void)
{
	int64_t best_ns = INT64_MAX, off_ns = 0;

	for (int i = 0; i < WALLCLOCK_TRIES && best_ns > WALLCLOCK_CLOSE_NS;
	     i++) {
		int64_t before_ns = wallclock_read_ns(CLOCK_MONOTONIC);
		int64_t wall_ns = wallclock_read_ns(CLOCK_REALTIME);
		int64_t took_ns =
			wallclock_read_ns(CLOCK_MONOTONIC) - before_ns;

		if (took_ns < best_ns) {
			best_ns = took_ns;
			off_ns = wall_ns - before_ns - took_ns / 2;
		}
	}
	return off_ns;
}

#endif
