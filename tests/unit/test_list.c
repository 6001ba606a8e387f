/*
 * test_list.c - Queues linked by references
 */
#include "core/list.h"

#include <stddef.h>
#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define NOBJ 50

struct obj {
	uint32_t number;
	struct list_link a, b; /* it can wait in two queues */
};

struct rig {
	struct arena_rig mem;
	struct pool pool;
	struct list a, b;
	ref_t o[NOBJ];
};

static void rig_init(struct rig *r)
{
	struct obj *o;

	arena_rig_init(&r->mem, 1);
	pool_init(&r->pool, &r->mem.arena, sizeof(struct obj), 0, 1);
	list_init(&r->a, offsetof(struct obj, a));
	list_init(&r->b, offsetof(struct obj, b));
	for (int i = 0; i < NOBJ; i++) {
		o = pool_get(&r->pool);
		memset(o, 0, sizeof(*o));
		r->o[i] = ptr_ref(&r->mem.arena, o);
	}
}

static void rig_free(struct rig *r)
{
	arena_rig_free(&r->mem);
}

static bool queued(struct rig *r, const struct list *l, int i)
{
	return list_queued(list_link(&r->mem.arena, l, r->o[i]));
}

static void empty(void)
{
	struct rig r;

	rig_init(&r);
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), 0);
	CU_ASSERT_EQUAL(r.a.n, 0);
	CU_ASSERT_FALSE(queued(&r, &r.a, 0));
	list_remove(&r.mem.arena, &r.a, r.o[0]);
	CU_ASSERT_EQUAL(r.a.n, 0);
	rig_free(&r);
}

static void first_in_first_out(void)
{
	struct rig r;

	rig_init(&r);
	for (int i = 0; i < 3; i++)
		list_append(&r.mem.arena, &r.a, r.o[i]);
	CU_ASSERT_EQUAL(r.a.n, 3);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE(queued(&r, &r.a, i));
		CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), r.o[i]);
		CU_ASSERT_FALSE(queued(&r, &r.a, i));
	}
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), 0);
	rig_free(&r);
}

/* Also when it is the only one, whose links both say "end". */
static void twice_is_once(void)
{
	struct rig r;

	rig_init(&r);
	list_append(&r.mem.arena, &r.a, r.o[0]);
	list_append(&r.mem.arena, &r.a, r.o[0]);
	CU_ASSERT_EQUAL(r.a.n, 1);
	list_append(&r.mem.arena, &r.a, r.o[1]);
	list_append(&r.mem.arena, &r.a, r.o[0]);
	CU_ASSERT_EQUAL(r.a.n, 2);
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), r.o[0]);
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), r.o[1]);
	rig_free(&r);
}

static void remove_first_middle_last_only(void)
{
	struct rig r;

	rig_init(&r);
	for (int i = 0; i < 5; i++)
		list_append(&r.mem.arena, &r.a, r.o[i]);
	list_remove(&r.mem.arena, &r.a, r.o[0]);
	list_remove(&r.mem.arena, &r.a, r.o[2]);
	list_remove(&r.mem.arena, &r.a, r.o[4]);
	list_remove(&r.mem.arena, &r.a, r.o[4]);
	CU_ASSERT_EQUAL(r.a.n, 2);
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), r.o[1]);
	list_remove(&r.mem.arena, &r.a, r.o[3]);
	CU_ASSERT_EQUAL(r.a.head, LIST_END);
	CU_ASSERT_EQUAL(r.a.tail, LIST_END);
	list_append(&r.mem.arena, &r.a, r.o[2]);
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), r.o[2]);
	rig_free(&r);
}

static void two_queues_do_not_meet(void)
{
	struct rig r;

	rig_init(&r);
	list_append(&r.mem.arena, &r.a, r.o[0]);
	list_append(&r.mem.arena, &r.b, r.o[0]);
	list_append(&r.mem.arena, &r.b, r.o[1]);
	list_remove(&r.mem.arena, &r.a, r.o[0]);
	CU_ASSERT_TRUE(queued(&r, &r.b, 0));
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.b), r.o[0]);
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.b), r.o[1]);
	rig_free(&r);
}

/* Against an array in the order of the queue. */
static void random_against_array(void)
{
	struct rig r;
	uint64_t seed = 6;
	uint32_t n = 0, at;
	ref_t want[NOBJ], o;

	rig_init(&r);
	for (int step = 0; step < 20000; step++) {
		o = r.o[rig_below(&seed, NOBJ)];
		for (at = 0; at < n && want[at] != o; at++)
			;
		switch (rig_below(&seed, 4)) {
		case 0:
			list_remove(&r.mem.arena, &r.a, o);
			break;
		case 1:
			at = 0;
			CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a),
					n ? want[0] : 0);
			break;
		default:
			list_append(&r.mem.arena, &r.a, o);
			if (at == n)
				want[n++] = o;
			at = n;
		}
		if (at < n) {
			n--;
			memmove(&want[at], &want[at + 1],
				(n - at) * sizeof(want[0]));
		}
		CU_ASSERT_EQUAL(r.a.n, n);
	}
	for (at = 0; at < n; at++)
		CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), want[at]);
	CU_ASSERT_EQUAL(list_pop(&r.mem.arena, &r.a), 0);
	rig_free(&r);
}

static const struct unit_test tests[] = {
	UNIT_TEST(empty),
	UNIT_TEST(first_in_first_out),
	UNIT_TEST(twice_is_once),
	UNIT_TEST(remove_first_middle_last_only),
	UNIT_TEST(two_queues_do_not_meet),
	UNIT_TEST(random_against_array),
};

int main(int argc, char **argv)
{
	return unit_run("list", tests, ARRAY_LEN(tests), argc, argv);
}
