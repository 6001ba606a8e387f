/*
 * wheel.c - A hierarchical timing wheel
 *
 * Time is a number of ticks; its low 32 bits are four digits of 8 bits, one
 * for each level. An entry lies at the level of the highest digit in which its
 * tick differs from `now`, in the slot of that digit. So level 0 holds what
 * falls due before the lowest digit wraps, each slot there exactly one tick,
 * and everything on a level is earlier than anything on the levels above it.
 *
 * To go forward is to find the first slot in use on the lowest level in use,
 * by its bits, and to jump there: empty time costs nothing, however long. At
 * level 0 the entries of that slot are due. Above, `now` becomes the start of
 * the slot and its entries move down, which happens to an entry at most once a
 * level. A slot of an upper level can hold any number of entries, so they move
 * WHEEL_BATCH a call and not all at once; `now` waits for the last of them.
 *
 * Ticks are compared on a circle. Entries are never more than half of it
 * ahead; a deadline beyond (19 h) is cut to that, and its owner looks again.
 */
#include "wheel.h"

#include <string.h>

#include "assert.h"

#define DIGIT	  8 /* bits */
#define TICKS_MAX 0x7fffffffu

static struct wheel_entry *entry(const struct wheel *w, ref_t obj);
static uint64_t tick_of(const struct wheel *w, int64_t at_us);
static void link_entry(struct wheel *w, ref_t obj, struct wheel_entry *e);
static void unlink_entry(struct wheel *w, struct wheel_entry *e);
static bool advance(struct wheel *w, uint64_t due, uint32_t *budget);
static void move_down(struct wheel *w, uint32_t *budget);
static bool next_slot(const struct wheel *w, uint32_t *level, uint64_t *tick);
static uint32_t first_slot(const uint64_t *bits, uint32_t from);

void wheel_init(struct wheel *w, const struct arena *a, size_t off,
		int64_t now_us)
{
	memset(w, 0, sizeof(*w));
	w->base = a->base;
	w->off = (uint32_t)off;
	w->now = (uint64_t)now_us >> WHEEL_TICK_SHIFT;
}

void wheel_arm(struct wheel *w, ref_t obj, int64_t at_us)
{
	struct wheel_entry *e = entry(w, obj);
	uint32_t tick = (uint32_t)tick_of(w, at_us);

	if (e->prev) {
		if ((int32_t)(e->tick - tick) <= 0)
			return;
		unlink_entry(w, e);
	} else {
		w->armed++;
	}
	e->tick = tick;
	link_entry(w, obj, e);
}

void wheel_cancel(struct wheel *w, ref_t obj)
{
	struct wheel_entry *e = entry(w, obj);

	if (!e->prev)
		return;
	unlink_entry(w, e);
	e->prev = 0;
	w->armed--;
}

bool wheel_armed(const struct wheel *w, ref_t obj)
{
	return entry(w, obj)->prev != 0;
}

ref_t wheel_pop(struct wheel *w, int64_t now_us)
{
	uint64_t due = (uint64_t)now_us >> WHEEL_TICK_SHIFT;
	uint32_t budget = WHEEL_BATCH;
	ref_t obj;

	while (!(obj = w->slot[0][w->now % WHEEL_SLOTS]))
		if (!budget || !advance(w, due, &budget))
			return 0;
	wheel_cancel(w, obj);
	return obj;
}

int64_t wheel_deadline(const struct wheel *w)
{
	uint64_t tick = w->now;
	uint32_t level;

	if (!w->moving && !next_slot(w, &level, &tick))
		return INT64_MAX;
	return (int64_t)(tick << WHEEL_TICK_SHIFT);
}

static struct wheel_entry *entry(const struct wheel *w, ref_t obj)
{
	return (struct wheel_entry *)(w->base + ((size_t)obj << REF_SHIFT) +
				      w->off);
}

/* The first tick that is not before @at_us, within what the wheel can hold. */
static uint64_t tick_of(const struct wheel *w, int64_t at_us)
{
	uint64_t tick;

	if (at_us <= (int64_t)(w->now << WHEEL_TICK_SHIFT))
		return w->now;
	tick = (((uint64_t)at_us - 1) >> WHEEL_TICK_SHIFT) + 1;
	if (tick - w->now > TICKS_MAX)
		return w->now + TICKS_MAX;
	return tick;
}

static void link_entry(struct wheel *w, ref_t obj, struct wheel_entry *e)
{
	uint32_t differ = (uint32_t)w->now ^ e->tick;
	uint32_t level = (31 - (uint32_t)__builtin_clz(differ | 1)) / DIGIT;
	uint32_t slot = e->tick >> (level * DIGIT) & (WHEEL_SLOTS - 1);
	ref_t *head = &w->slot[level][slot];

	e->next = *head;
	e->prev = WHEEL_HEAD | level << DIGIT | slot;
	if (e->next)
		entry(w, e->next)->prev = obj;
	*head = obj;
	w->bits[level][slot / 64] |= 1ull << slot % 64;
}

/* Leaves e->prev alone: the caller clears it or links the entry again. */
static void unlink_entry(struct wheel *w, struct wheel_entry *e)
{
	uint32_t level, slot;

	if (e->next)
		entry(w, e->next)->prev = e->prev;
	if (!(e->prev & WHEEL_HEAD)) {
		entry(w, e->prev)->next = e->next;
		return;
	}
	level = (e->prev & ~WHEEL_HEAD) >> DIGIT;
	slot = e->prev & (WHEEL_SLOTS - 1);
	w->slot[level][slot] = e->next;
	if (!e->next)
		w->bits[level][slot / 64] &= ~(1ull << slot % 64);
}

/* Nothing is due at `now`: go to where something may be. False if that lies
 * beyond @due. */
static bool advance(struct wheel *w, uint64_t due, uint32_t *budget)
{
	uint64_t tick;

	if (!w->moving) {
		if (!next_slot(w, &w->moving, &tick) || tick > due) {
			w->moving = 0;
			if (w->now < due)
				w->now = due;
			return false;
		}
		w->now = tick;
	}
	if (w->moving)
		move_down(w, budget);
	return true;
}

/* `now` is in the slot, so each entry finds a place on a lower level. */
static void move_down(struct wheel *w, uint32_t *budget)
{
	uint32_t at = w->now >> (w->moving * DIGIT) & (WHEEL_SLOTS - 1);
	const ref_t *head = &w->slot[w->moving][at];
	struct wheel_entry *e;
	ref_t obj;

	while ((obj = *head) && *budget) {
		e = entry(w, obj);
		unlink_entry(w, e);
		link_entry(w, obj, e);
		--*budget;
	}
	if (!obj)
		w->moving = 0;
}

/* The first slot in use and its first tick. False if all are empty. */
static bool next_slot(const struct wheel *w, uint32_t *level, uint64_t *tick)
{
	uint32_t shift, at, slot;
	uint64_t base;

	for (uint32_t k = 0; k < WHEEL_LEVELS; k++) {
		shift = k * DIGIT;
		at = w->now >> shift & (WHEEL_SLOTS - 1);
		base = w->now >> shift >> DIGIT << DIGIT;
		/* The slot at `now` itself can be in use at level 0 only. */
		slot = first_slot(w->bits[k], k ? at + 1 : at);
		if (slot == WHEEL_SLOTS && k == WHEEL_LEVELS - 1) {
			slot = first_slot(w->bits[k], 0);
			base += WHEEL_SLOTS; /* once round */
		}
		if (slot < WHEEL_SLOTS) {
			*level = k;
			*tick = (base + slot) << shift;
			return true;
		}
	}
	return false;
}

/* WHEEL_SLOTS if none is in use from there on. */
static uint32_t first_slot(const uint64_t *bits, uint32_t from)
{
	uint32_t i = from / 64;
	uint64_t word;

	if (from >= WHEEL_SLOTS)
		return WHEEL_SLOTS;
	word = bits[i] & ~0ull << from % 64;
	while (!word) {
		if (++i == WHEEL_SLOTS / 64)
			return WHEEL_SLOTS;
		word = bits[i];
	}
	return i * 64 + (uint32_t)__builtin_ctzll(word);
}
