/*
 * wheel.h - A hierarchical timing wheel
 *
 * Four levels of 256 slots, ticks of 32 us: 8 ms, 2 s, 9 min, 38 h.
 * Arming, cancelling and expiring cost the same whatever the number of entries
 * (Varghese and Lauck, 1987). The entries lie inside other objects of an arena
 * at one offset and are linked by references.
 *
 * A deadline that moves later is not re-queued: wheel_arm() leaves an entry
 * where it is if it would fire earlier anyway, and the owner looks again when
 * it does. So an entry that is armed fires at or before its deadline plus one
 * tick, never later.
 */
#ifndef TCPHS_WHEEL_H
#define TCPHS_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pool.h"

#define WHEEL_TICK_SHIFT 5 /* 32 us */
#define WHEEL_LEVELS	 4
#define WHEEL_SLOTS	 256
#define WHEEL_BATCH	 1024

struct wheel_entry {
	ref_t next;
	ref_t prev;    /* or WHEEL_HEAD | slot for the first; 0 = not armed */
	uint32_t tick; /* when it fires */
};

#define WHEEL_HEAD 0x80000000u

struct wheel {
	uint8_t *base;	 /* of the arena */
	uint32_t off;	 /* of the wheel_entry in an object */
	uint32_t armed;	 /* entries */
	uint32_t moving; /* level whose slot at `now` is being emptied, or 0 */
	uint64_t now;	 /* the tick that was last expired */
	uint64_t bits[WHEEL_LEVELS][WHEEL_SLOTS / 64]; /* slots in use */
	ref_t slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, const struct arena *a, size_t off,
		int64_t now_us);

/**
 * wheel_arm() - Have an object fire at @at_us or earlier
 *
 * Rounded up to the next tick; a time that has passed fires at the next
 * wheel_pop(). Does nothing if it is armed for an earlier time already.
 */
void wheel_arm(struct wheel *w, ref_t obj, int64_t at_us);

/** wheel_cancel() - Take it out; nothing happens if it is not armed */
void wheel_cancel(struct wheel *w, ref_t obj);

/** wheel_armed() - Is it queued? */
bool wheel_armed(const struct wheel *w, ref_t obj);

/**
 * wheel_pop() - Take out the next object that is due
 *
 * Objects armed meanwhile for a time that has passed come out as well, so the
 * caller must re-arm for later than @now_us or bound its loop. An object whose
 * time lies more than 6 days ahead comes out early.
 *
 * Return: 0 if none is due, or if WHEEL_BATCH entries had to be moved to
 *         nearer slots and that was enough for one call: wheel_deadline() has
 *         passed then, and the next call goes on
 */
ref_t wheel_pop(struct wheel *w, int64_t now_us);

/**
 * wheel_deadline() - When wheel_pop() may have something, or less early
 *
 * Return: never later than the earliest entry; TIME_NEVER (INT64_MAX) if empty
 */
int64_t wheel_deadline(const struct wheel *w);

#endif
