/*
 * test_wheel.c - The timing wheel
 */
#include "core/wheel.h"

#include <stdlib.h>
#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define TICK   (1ll << WHEEL_TICK_SHIFT) /* us */
#define SECOND 1000000ll
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

struct obj {
	uint32_t number;
	struct wheel_entry timer;
	int64_t at_us; /* earliest time it was armed for; 0 = not armed */
	uint8_t rest[32];
};

struct rig {
	struct arena_rig mem;
	struct pool pool;
	struct wheel w;
};

static void rig_init(struct rig *r, int64_t now_us)
{
	arena_rig_init(&r->mem, 512);
	pool_init(&r->pool, &r->mem.arena, sizeof(struct obj), 0, 1);
	wheel_init(&r->w, &r->mem.arena, offsetof(struct obj, timer), now_us);
}

static ref_t rig_obj(struct rig *r)
{
	struct obj *o = pool_get(&r->pool);

	memset(o, 0, sizeof(*o));
	return ptr_ref(&r->mem.arena, o);
}

static struct obj *rig_ptr(struct rig *r, ref_t ref)
{
	return ref_ptr(&r->mem.arena, ref);
}

static void rig_free(struct rig *r)
{
	arena_rig_free(&r->mem);
}

static void empty(void)
{
	struct rig r;

	rig_init(&r, 12345);
	CU_ASSERT_EQUAL(wheel_deadline(&r.w), INT64_MAX);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 12345), 0);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 400 * DAY), 0);
	CU_ASSERT_EQUAL(wheel_deadline(&r.w), INT64_MAX);
	rig_free(&r);
}

static void fires_not_before_its_time(void)
{
	static const int64_t delays[] = {
		1,
		TICK - 1,
		TICK,
		TICK + 1,
		255 * TICK,
		256 * TICK,
		257 * TICK,
		40000,
		200000,
		SECOND,
		65535 * TICK,
		65536 * TICK,
		65537 * TICK,
		60 * SECOND,
		2 * HOUR,
		(1ll << 24) * TICK,
		9 * HOUR,
		18 * HOUR,
	};
	static const int64_t starts[] = {
		0,
		1,
		255 * TICK + 255,
		65535 * TICK,
		0xffffffffll * TICK,
		(1ll << 40) + 77,
	};
	struct rig r;
	ref_t o;

	for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
		for (size_t d = 0; d < ARRAY_LEN(delays); d++) {
			int64_t at = starts[s] + delays[d];

			rig_init(&r, starts[s]);
			o = rig_obj(&r);
			wheel_arm(&r.w, o, at);
			CU_ASSERT_TRUE(wheel_armed(&r.w, o));
			CU_ASSERT_EQUAL(wheel_pop(&r.w, at - 1), 0);
			CU_ASSERT(wheel_deadline(&r.w) < at + TICK);
			CU_ASSERT_EQUAL(wheel_pop(&r.w, at + TICK - 1), o);
			CU_ASSERT_FALSE(wheel_armed(&r.w, o));
			CU_ASSERT_EQUAL(wheel_pop(&r.w, at + TICK - 1), 0);
			rig_free(&r);
		}
	}
}

static void past_fires_at_once(void)
{
	struct rig r;
	ref_t o;

	rig_init(&r, 10 * SECOND);
	o = rig_obj(&r);
	wheel_arm(&r.w, o, SECOND);
	CU_ASSERT(wheel_deadline(&r.w) <= 10 * SECOND);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 10 * SECOND), o);
	wheel_arm(&r.w, o, -5);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 10 * SECOND), o);
	wheel_arm(&r.w, o, 10 * SECOND - 10 * SECOND % TICK);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 10 * SECOND), o);
	/* A clock that stands still or is read late does no harm either. */
	wheel_arm(&r.w, o, 0);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 9 * SECOND), o);
	CU_ASSERT_EQUAL(r.w.armed, 0);
	rig_free(&r);
}

static void later_leaves_it_in_place(void)
{
	struct rig r;
	struct wheel_entry was;
	ref_t o;

	rig_init(&r, 0);
	o = rig_obj(&r);
	wheel_arm(&r.w, o, SECOND);
	was = rig_ptr(&r, o)->timer;
	wheel_arm(&r.w, o, 2 * SECOND);
	CU_ASSERT_EQUAL(memcmp(&was, &rig_ptr(&r, o)->timer, sizeof(was)), 0);
	CU_ASSERT_EQUAL(r.w.armed, 1);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, SECOND + TICK), o);
	rig_free(&r);
}

static void earlier_moves_it(void)
{
	struct rig r;
	ref_t o;

	rig_init(&r, 0);
	o = rig_obj(&r);
	wheel_arm(&r.w, o, HOUR);
	wheel_arm(&r.w, o, SECOND);
	CU_ASSERT_EQUAL(r.w.armed, 1);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, SECOND + TICK), o);
	CU_ASSERT_EQUAL(wheel_deadline(&r.w), INT64_MAX);
	rig_free(&r);
}

/* The low 32 bits of the tick wrap after 12 days. */
static void moves_across_the_wrap(void)
{
	const int64_t now = 0xfffffff0ll * TICK;
	struct rig r;
	ref_t o;

	rig_init(&r, now);
	o = rig_obj(&r);
	wheel_arm(&r.w, o, now + 100 * TICK);
	wheel_arm(&r.w, o, now + 5 * TICK);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, now + 5 * TICK), o);
	wheel_arm(&r.w, o, now + 6 * TICK);
	wheel_arm(&r.w, o, now + 100 * TICK);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, now + 6 * TICK), o);
	rig_free(&r);
}

/* Time goes on in an empty wheel, so what is armed then is not far ahead. */
static void idle_for_a_month(void)
{
	struct rig r;
	ref_t o;

	rig_init(&r, 0);
	o = rig_obj(&r);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 30 * DAY), 0);
	wheel_arm(&r.w, o, 30 * DAY + 9 * HOUR);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 30 * DAY + 9 * HOUR - 1), 0);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 30 * DAY + 9 * HOUR + TICK), o);
	rig_free(&r);
}

static void cancel_first_middle_last(void)
{
	struct rig r;
	ref_t o[4];

	rig_init(&r, 0);
	for (int i = 0; i < 4; i++) {
		o[i] = rig_obj(&r);
		wheel_arm(&r.w, o[i], SECOND);
	}
	wheel_cancel(&r.w, o[1]);
	wheel_cancel(&r.w, o[1]);
	wheel_cancel(&r.w, o[3]);
	CU_ASSERT_EQUAL(r.w.armed, 2);
	wheel_cancel(&r.w, o[0]);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 2 * SECOND), o[2]);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 2 * SECOND), 0);
	CU_ASSERT_EQUAL(wheel_deadline(&r.w), INT64_MAX);
	rig_free(&r);
}

/* Of two that are due the earlier comes first, whatever the levels. */
static void pops_in_order(void)
{
	static const int64_t at[] = {15 * HOUR, 2 * HOUR, 30 * SECOND,
				     SECOND,	40000,	  1};
	struct rig r;
	ref_t o[ARRAY_LEN(at)];

	rig_init(&r, 3 * TICK);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		o[i] = rig_obj(&r);
		wheel_arm(&r.w, o[i], at[i]);
	}
	for (size_t i = ARRAY_LEN(at); i-- > 0;)
		CU_ASSERT_EQUAL(wheel_pop(&r.w, 18 * HOUR), o[i]);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 18 * HOUR), 0);
	rig_free(&r);
}

/* What a handler arms for later does not come out in the same turn. */
static void rearmed_while_popping(void)
{
	struct rig r;
	ref_t o;
	int n = 0;

	rig_init(&r, 0);
	for (int i = 0; i < 10; i++)
		wheel_arm(&r.w, rig_obj(&r), i * 50000);
	while ((o = wheel_pop(&r.w, SECOND))) {
		n++;
		wheel_arm(&r.w, o, SECOND + 1);
	}
	CU_ASSERT_EQUAL(n, 10);
	while ((o = wheel_pop(&r.w, SECOND + TICK)))
		n++;
	CU_ASSERT_EQUAL(n, 20);
	rig_free(&r);
}

/* Beyond half of the circle of ticks: looks again, at most each 18 hours. */
static void far_deadlines_look_again(void)
{
	static const int64_t far[] = {21 * HOUR, 30 * DAY, 500 * DAY,
				      INT64_MAX};
	struct rig r;
	int64_t now, at;
	int looks;
	ref_t o;

	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		rig_init(&r, 5 * SECOND);
		o = rig_obj(&r);
		wheel_arm(&r.w, o, far[i]);
		now = 5 * SECOND;
		for (looks = 0; looks < 1000 && now < far[i]; looks++) {
			do {
				at = wheel_deadline(&r.w);
				CU_ASSERT_FATAL(at != INT64_MAX);
				now = at > now ? at : now;
			} while (!wheel_pop(&r.w, now));
			CU_ASSERT(now - TICK < far[i]);
			if (now < far[i])
				wheel_arm(&r.w, o, far[i]);
		}
		CU_ASSERT(looks <= 1000);
		CU_ASSERT(far[i] > 500 * DAY ||
			  looks <= 1 + far[i] / (18 * HOUR));
		rig_free(&r);
	}
}

/* The loop wakes up for an entry an hour away only a few times. */
static void few_wakes_on_the_way(void)
{
	struct rig r;
	int64_t now = 777;
	int wakes = 0;

	rig_init(&r, now);
	wheel_arm(&r.w, rig_obj(&r), now + 15 * HOUR);
	do {
		CU_ASSERT(wheel_deadline(&r.w) > now);
		now = wheel_deadline(&r.w);
		wakes++;
	} while (!wheel_pop(&r.w, now));
	CU_ASSERT(wakes <= WHEEL_LEVELS);
	CU_ASSERT(now >= 777 + 15 * HOUR);
	rig_free(&r);
}

/* A full slot of an upper level is moved in slices, none lost or late. */
static void many_in_one_slot(void)
{
	enum { N = 10 * WHEEL_BATCH + 1 };
	struct rig r;
	int64_t now = 0;
	int n = 0, calls = 0;
	ref_t o;

	rig_init(&r, 0);
	for (int i = 0; i < N; i++)
		wheel_arm(&r.w, rig_obj(&r), 20 * SECOND + i % 1000);
	while (n < N) {
		CU_ASSERT_FATAL(wheel_deadline(&r.w) <
				20 * SECOND + 1000 + TICK);
		if (wheel_deadline(&r.w) > now)
			now = wheel_deadline(&r.w);
		while ((o = wheel_pop(&r.w, now)))
			n++;
		CU_ASSERT_FATAL(calls++ < 100);
	}
	CU_ASSERT(calls > 20); /* two levels, ten slices */
	CU_ASSERT(now < 20 * SECOND + 1000 + TICK);
	CU_ASSERT_EQUAL(wheel_deadline(&r.w), INT64_MAX);
	rig_free(&r);
}

/* A slice that ends midway leaves arming and cancelling intact. */
static void changes_while_moving(void)
{
	enum { N = 3 * WHEEL_BATCH };
	struct rig r;
	ref_t o[N], late, past;
	int n = 0;

	rig_init(&r, 0);
	for (int i = 0; i < N; i++) {
		o[i] = rig_obj(&r);
		wheel_arm(&r.w, o[i], 2 * SECOND);
	}
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 2 * SECOND), 0);
	CU_ASSERT(wheel_deadline(&r.w) <= 2 * SECOND);
	for (int i = 0; i < N; i += 2)
		wheel_cancel(&r.w, o[i]);
	late = rig_obj(&r);
	past = rig_obj(&r);
	wheel_arm(&r.w, late, 2 * SECOND + 20 * TICK);
	wheel_arm(&r.w, past, SECOND);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 2 * SECOND), past);
	while (wheel_deadline(&r.w) <= 2 * SECOND + TICK)
		if (wheel_pop(&r.w, 2 * SECOND + TICK))
			n++;
	CU_ASSERT_EQUAL(n, N / 2);
	CU_ASSERT_EQUAL(r.w.armed, 1);
	CU_ASSERT_EQUAL(wheel_pop(&r.w, 3 * SECOND), late);
	rig_free(&r);
}

/*
 * Against a plain array: arms, moves, cancels and jumps of all sizes. Each
 * entry must come out at the first pop at or after its time and not earlier
 * than the time it was armed for first.
 */
#define NOBJ 400

static int64_t some_delay(uint64_t *seed)
{
	uint32_t bits = rig_below(seed, WHEEL_TICK_SHIFT + 30);

	return (int64_t)(rig_random(seed) >> (63 - bits)) - 1000;
}

static void model_pop_all(struct rig *r, const ref_t *o, int64_t now)
{
	int64_t last = INT64_MIN;
	struct obj *p;
	ref_t ref;

	while ((ref = wheel_pop(&r->w, now))) {
		p = rig_ptr(r, ref);
		CU_ASSERT(p->at_us != 0);
		CU_ASSERT(p->at_us <= now);
		CU_ASSERT(p->at_us + TICK > last);
		last = p->at_us;
		p->at_us = 0;
	}
	/* An entry may be late by less than a tick. */
	for (int i = 0; i < NOBJ; i++) {
		p = rig_ptr(r, o[i]);
		CU_ASSERT_EQUAL(wheel_armed(&r->w, o[i]), p->at_us != 0);
		if (p->at_us)
			CU_ASSERT(p->at_us > now - TICK);
	}
}

static void model_run(uint64_t seed, int64_t start_us)
{
	struct rig r;
	ref_t o[NOBJ];
	int64_t now = start_us, at, earliest;
	struct obj *p;

	rig_init(&r, now);
	for (int i = 0; i < NOBJ; i++)
		o[i] = rig_obj(&r);
	for (int step = 0; step < 6000; step++) {
		uint32_t i = rig_below(&seed, NOBJ);

		p = rig_ptr(&r, o[i]);
		switch (rig_below(&seed, 8)) {
		case 0:
			wheel_cancel(&r.w, o[i]);
			p->at_us = 0;
			break;
		case 1:
			now += some_delay(&seed) >> rig_below(&seed, 30);
			if (now < (int64_t)(r.w.now << WHEEL_TICK_SHIFT))
				now = (int64_t)(r.w.now << WHEEL_TICK_SHIFT);
			model_pop_all(&r, o, now);
			break;
		case 2:
			earliest = INT64_MAX;
			for (int k = 0; k < NOBJ; k++) {
				at = rig_ptr(&r, o[k])->at_us;
				if (at && at < earliest)
					earliest = at;
			}
			at = wheel_deadline(&r.w);
			CU_ASSERT((at == INT64_MAX) == (earliest == INT64_MAX));
			CU_ASSERT(at <= now || at - TICK < earliest);
			if (at == INT64_MAX)
				break;
			now = at > now ? at : now;
			model_pop_all(&r, o, now);
			break;
		default:
			at = now + some_delay(&seed);
			wheel_arm(&r.w, o[i], at);
			/* All that has passed is due alike. */
			if (at < (int64_t)(r.w.now << WHEEL_TICK_SHIFT))
				at = (int64_t)(r.w.now << WHEEL_TICK_SHIFT);
			if (!p->at_us || at < p->at_us)
				p->at_us = at;
		}
	}
	for (int i = 0; i < NOBJ; i++)
		wheel_cancel(&r.w, o[i]);
	CU_ASSERT_EQUAL(r.w.armed, 0);
	for (int k = 0; k < WHEEL_LEVELS; k++)
		for (int i = 0; i < WHEEL_SLOTS / 64; i++)
			CU_ASSERT_EQUAL(r.w.bits[k][i], 0);
	rig_free(&r);
}

static void random_against_array(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		model_run(seed, (int64_t)seed * 1000003);
}

static void random_around_the_wrap(void)
{
	for (uint64_t seed = 21; seed <= 30; seed++)
		model_run(seed, 0xfffffff0ll * TICK);
}

static const struct unit_test tests[] = {
	UNIT_TEST(empty),
	UNIT_TEST(fires_not_before_its_time),
	UNIT_TEST(past_fires_at_once),
	UNIT_TEST(later_leaves_it_in_place),
	UNIT_TEST(earlier_moves_it),
	UNIT_TEST(moves_across_the_wrap),
	UNIT_TEST(idle_for_a_month),
	UNIT_TEST(cancel_first_middle_last),
	UNIT_TEST(pops_in_order),
	UNIT_TEST(rearmed_while_popping),
	UNIT_TEST(far_deadlines_look_again),
	UNIT_TEST(few_wakes_on_the_way),
	UNIT_TEST(many_in_one_slot),
	UNIT_TEST(changes_while_moving),
	UNIT_TEST(random_against_array),
	UNIT_TEST(random_around_the_wrap),
};

int main(int argc, char **argv)
{
	return unit_run("wheel", tests, ARRAY_LEN(tests), argc, argv);
}
