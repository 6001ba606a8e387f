/*
 * spin.h - When to look for packets instead of sleeping
 */
#ifndef TCPHS_SPIN_H
#define TCPHS_SPIN_H

#include <stdbool.h>
#include <stdint.h>

struct spin {
	bool on;	       /* interface.busy_poll */
	uint16_t rhythm;       /* short pauses in a row */
	uint16_t need;	       /* so many before we look; grows with misses */
	int64_t quiet_us;      /* when the last turn ended */
	uint64_t paid, missed; /* of its thread: spin_counts() */
};

void spin_init(struct spin *s, bool on);

/** spin_rest() - A turn is over, nothing waits */
void spin_rest(struct spin *s, int64_t now_us);

/** spin_until() - How long to look from now on; not at all: @now_us or less */
int64_t spin_until(const struct spin *s, int64_t now_us);

/** spin_found() - A packet came while we looked */
void spin_found(struct spin *s);

/** spin_gave_up() - None came */
void spin_gave_up(struct spin *s);

/** spin_woken() - A packet woke us from sleep */
void spin_woken(struct spin *s, int64_t now_us);

/** spin_counts() - Add how often something came while it looked, or nothing;
 * its thread need not wait for that */
void spin_counts(const struct spin *s, uint64_t *paid, uint64_t *missed);

#endif
