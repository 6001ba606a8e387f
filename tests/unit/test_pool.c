/*
 * test_pool.c - Arena and pools
 */
#include "core/pool.h"

#include <stdlib.h>
#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define TAG   7
#define OTHER 8

static void arena_too_small(void)
{
	struct arena a;
	void *mem = aligned_alloc(PAGE_SIZE_B, 2 * PAGE_SIZE_B);

	memset(mem, 0, 2 * PAGE_SIZE_B);
	CU_ASSERT_FALSE(arena_init(&a, mem, 0, 0));
	CU_ASSERT_FALSE(arena_init(&a, mem, PAGE_SIZE_B, 0));
	CU_ASSERT_FALSE(arena_init(&a, mem, PAGE_SIZE_B, PAGE_SIZE_B + 1));
	/* Two pages, one for the list of owners unless something is in it. */
	CU_ASSERT_TRUE(arena_init(&a, mem, 2 * PAGE_SIZE_B, PAGE_SIZE_B - 2));
	CU_ASSERT_FALSE(arena_init(&a, mem, 2 * PAGE_SIZE_B, PAGE_SIZE_B - 1));
	free(mem);
}

static void arena_page_zero_is_never_given(void)
{
	struct arena_rig r;
	uint8_t *page;

	arena_rig_init(&r, 3);
	CU_ASSERT_EQUAL(r.arena.first, 1);
	for (int i = 0; i < 3; i++) {
		page = arena_page(&r.arena, TAG);
		CU_ASSERT_PTR_NOT_NULL_FATAL(page);
		CU_ASSERT(page >= r.arena.base + PAGE_SIZE_B);
		CU_ASSERT(ptr_ref(&r.arena, page) != 0);
		CU_ASSERT_PTR_EQUAL(ref_ptr(&r.arena, ptr_ref(&r.arena, page)),
				    page);
	}
	CU_ASSERT_PTR_NULL(arena_page(&r.arena, TAG));
	CU_ASSERT_EQUAL(r.arena.used, 3);
	arena_rig_free(&r);
}

static void arena_used_pages_go_before_new_ones(void)
{
	struct arena_rig r;
	void *a, *b;

	arena_rig_init(&r, 8);
	a = arena_page(&r.arena, TAG);
	b = arena_page(&r.arena, TAG);
	memset(a, 0xff, PAGE_SIZE_B);
	memset(b, 0xff, PAGE_SIZE_B);
	arena_page_free(&r.arena, a);
	arena_page_free(&r.arena, b);
	CU_ASSERT_EQUAL(r.arena.used, 0);
	CU_ASSERT_PTR_EQUAL(arena_page(&r.arena, OTHER), b);
	CU_ASSERT_PTR_EQUAL(arena_page(&r.arena, OTHER), a);
	CU_ASSERT_EQUAL(r.arena.untouched, r.arena.first + 2);
	arena_rig_free(&r);
}

static void pool_sizes_are_rounded_up(void)
{
	struct arena_rig r;
	struct pool p;

	arena_rig_init(&r, 2);
	pool_init(&p, &r.arena, 33, 0, TAG);
	CU_ASSERT_EQUAL(p.size, 64);
	CU_ASSERT_EQUAL(p.per_page, 1023);
	pool_init(&p, &r.arena, PAGE_SIZE_B - PAGE_HEAD, 0, TAG);
	CU_ASSERT_EQUAL(p.per_page, 1);
	CU_ASSERT_EQUAL(r.arena.used, 0);
	arena_rig_free(&r);
}

static void pool_maximum_is_kept(void)
{
	struct arena_rig r;
	struct pool p;
	void *a;

	arena_rig_init(&r, 2);
	pool_init(&p, &r.arena, 64, 2, TAG);
	a = pool_get(&p);
	CU_ASSERT_PTR_NOT_NULL(a);
	CU_ASSERT_PTR_NOT_NULL(pool_get(&p));
	CU_ASSERT_PTR_NULL(pool_get(&p));
	pool_put(&p, a);
	CU_ASSERT_PTR_NOT_NULL(pool_get(&p));
	/* A reload may lower the maximum below what is in use. */
	p.max = 1;
	CU_ASSERT_PTR_NULL(pool_get(&p));
	arena_rig_free(&r);
}

/* What fits without another page: an empty one that is kept back is another. */
static void pool_room_is_in_pages_in_use(void)
{
	struct arena_rig r;
	struct pool p;
	void *a, *b;

	arena_rig_init(&r, 2);
	pool_init(&p, &r.arena, PAGE_SIZE_B / 4, 0, TAG); /* 3 in a page */
	CU_ASSERT_EQUAL(pool_room(&p), 0);
	a = pool_get(&p);
	CU_ASSERT_EQUAL(pool_room(&p), 2);
	(void)pool_get(&p);
	(void)pool_get(&p);
	CU_ASSERT_EQUAL(pool_room(&p), 0);
	b = pool_get(&p);
	CU_ASSERT_EQUAL(pool_room(&p), 2);
	pool_put(&p, a);
	CU_ASSERT_EQUAL(pool_room(&p), 3);
	pool_put(&p, b);
	CU_ASSERT_EQUAL(pool_room(&p), 1);
	arena_rig_free(&r);
}

static void pool_arena_empty(void)
{
	struct arena_rig r;
	struct pool p;
	uint32_t n = 0;

	arena_rig_init(&r, 3);
	pool_init(&p, &r.arena, 4096, 0, TAG);
	while (pool_get(&p))
		n++;
	CU_ASSERT_EQUAL(n, 3 * 15);
	CU_ASSERT_EQUAL(p.in_use, n);
	CU_ASSERT_PTR_NULL(pool_get(&p));
	arena_rig_free(&r);
}

static void pool_empty_pages_but_one_go_back(void)
{
	struct arena_rig r;
	struct pool p;
	void *obj[4 * 15];

	arena_rig_init(&r, 4);
	pool_init(&p, &r.arena, 4096, 0, TAG);
	for (size_t i = 0; i < ARRAY_LEN(obj); i++)
		obj[i] = pool_get(&p);
	CU_ASSERT_EQUAL(r.arena.used, 4);
	for (size_t i = 0; i < ARRAY_LEN(obj); i++)
		pool_put(&p, obj[i]);
	CU_ASSERT_EQUAL(r.arena.used, 1);
	CU_ASSERT_EQUAL(p.in_use, 0);
	CU_ASSERT(p.spare != 0);
	/* The page kept back is used first. */
	CU_ASSERT_PTR_NOT_NULL(pool_get(&p));
	CU_ASSERT_EQUAL(r.arena.used, 1);
	CU_ASSERT_EQUAL(p.spare, 0);
	arena_rig_free(&r);
}

/* What a pool keeps back is not lost to the others. */
static void pool_spare_page_is_given_up(void)
{
	struct arena_rig r;
	struct pool p, q;

	arena_rig_init(&r, 3);
	pool_init(&p, &r.arena, 64, 0, TAG);
	pool_init(&q, &r.arena, PAGE_SIZE_B - PAGE_HEAD, 0, OTHER);
	pool_put(&p, pool_get(&p));
	CU_ASSERT_EQUAL(r.arena.used, 1);
	CU_ASSERT_EQUAL(arena_left(&r.arena), 3);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_PTR_NOT_NULL(pool_get(&q));
	CU_ASSERT_EQUAL(arena_left(&r.arena), 0);
	CU_ASSERT_PTR_NULL(pool_get(&q));
	CU_ASSERT_PTR_NULL(pool_get(&p));
	arena_rig_free(&r);
}

static void pool_one_object_a_page(void)
{
	struct arena_rig r;
	struct pool p;
	void *a, *b;

	arena_rig_init(&r, 2);
	pool_init(&p, &r.arena, PAGE_SIZE_B - PAGE_HEAD, 0, TAG);
	a = pool_get(&p);
	b = pool_get(&p);
	CU_ASSERT_PTR_NULL(pool_get(&p));
	memset(a, 0xff, p.size);
	memset(b, 0xff, p.size);
	pool_put(&p, a);
	pool_put(&p, b);
	CU_ASSERT_EQUAL(r.arena.used, 1);
	CU_ASSERT_PTR_NOT_NULL(pool_get(&p));
	CU_ASSERT_PTR_NOT_NULL(pool_get(&p));
	CU_ASSERT_PTR_NULL(pool_get(&p));
	arena_rig_free(&r);
}

/* A page that was full is used again as soon as there is a place in it. */
static void pool_full_page_gets_room(void)
{
	struct arena_rig r;
	struct pool p;
	void *obj[2 * 15];

	arena_rig_init(&r, 2);
	pool_init(&p, &r.arena, 4096, 0, TAG);
	for (size_t i = 0; i < ARRAY_LEN(obj); i++)
		obj[i] = pool_get(&p);
	CU_ASSERT_PTR_NULL(pool_get(&p));
	pool_put(&p, obj[20]);
	pool_put(&p, obj[3]);
	CU_ASSERT_PTR_EQUAL(pool_get(&p), obj[3]);
	CU_ASSERT_PTR_EQUAL(pool_get(&p), obj[20]);
	CU_ASSERT_PTR_NULL(pool_get(&p));
	arena_rig_free(&r);
}

/* An object taken and given back in turn does not move pages. */
static void pool_last_object_keeps_its_page(void)
{
	struct arena_rig r;
	struct pool p;
	void *a;

	arena_rig_init(&r, 2);
	pool_init(&p, &r.arena, 64, 0, TAG);
	a = pool_get(&p);
	for (int i = 0; i < 10; i++) {
		pool_put(&p, a);
		CU_ASSERT_EQUAL(r.arena.used, 1);
		CU_ASSERT_PTR_EQUAL(pool_get(&p), a);
	}
	CU_ASSERT_EQUAL(r.arena.untouched, r.arena.first + 1);
	arena_rig_free(&r);
}

static bool marked(const uint8_t *obj)
{
	for (int i = 40; i < 64; i++)
		if (obj[i])
			return true;
	return false;
}

/* pool.h: bytes 40 to 63, even on a page that another pool had before. */
static void pool_mark_is_zero(void)
{
	static const uint32_t sizes[] = {64, 96, 256};
	struct arena_rig r;
	struct pool p;
	uint64_t cursor = 0;
	uint8_t *obj[20];

	arena_rig_init(&r, 1);
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		void *page = arena_page(&r.arena, OTHER);

		memset(page, 0xff, PAGE_SIZE_B);
		arena_page_free(&r.arena, page);
		pool_init(&p, &r.arena, sizes[k], 0, TAG);
		for (int i = 0; i < 20; i++) {
			obj[i] = pool_get(&p);
			CU_ASSERT_FALSE(marked(obj[i]));
			memset(obj[i], 0xff, p.size);
		}
		for (int i = 0; i < 20; i++)
			pool_put(&p, obj[i]);
		for (int i = 0; i < 20; i++) {
			CU_ASSERT_FALSE(marked(obj[i]));
			CU_ASSERT_PTR_EQUAL(pool_get(&p), obj[19 - i]);
			CU_ASSERT_FALSE(marked(obj[i]));
		}
		for (int i = 0; i < 20; i++)
			pool_put(&p, obj[i]);
		cursor = 0;
		for (uint8_t *o; (o = pool_next(&p, &cursor));)
			CU_ASSERT_FALSE(marked(o));
		arena_page_free(&r.arena, r.arena.base + PAGE_SIZE_B);
	}
	arena_rig_free(&r);
}

static void pool_small_objects_are_left_alone(void)
{
	struct arena_rig r;
	struct pool p;
	uint8_t *a, *b;

	arena_rig_init(&r, 1);
	pool_init(&p, &r.arena, 32, 0, TAG);
	a = pool_get(&p);
	b = pool_get(&p);
	memset(b, 0xff, 32);
	pool_put(&p, a);
	CU_ASSERT_PTR_EQUAL(pool_get(&p), a);
	for (int i = 0; i < 32; i++)
		CU_ASSERT_EQUAL(b[i], 0xff);
	arena_rig_free(&r);
}

static void pool_walk_of_nothing(void)
{
	struct arena_rig r;
	struct pool p;
	uint64_t cursor = 0;

	arena_rig_init(&r, 1);
	pool_init(&p, &r.arena, 64, 0, TAG);
	CU_ASSERT_PTR_NULL(pool_next(&p, &cursor));
	CU_ASSERT_PTR_NULL(pool_next(&p, &cursor));
	arena_rig_free(&r);
}

/* A walk looks at what was in use once and costs no memory for the rest. */
static void pool_walk_ends_at_the_last_used(void)
{
	struct arena_rig r;
	struct pool p;
	uint64_t cursor = 0;
	void *a, *b;

	arena_rig_init(&r, 1);
	pool_init(&p, &r.arena, 64, 0, TAG);
	a = pool_get(&p);
	b = pool_get(&p);
	CU_ASSERT_PTR_EQUAL(pool_next(&p, &cursor), a);
	CU_ASSERT_PTR_EQUAL(pool_next(&p, &cursor), b);
	CU_ASSERT_PTR_NULL(pool_next(&p, &cursor));
	arena_rig_free(&r);
}

/*
 * Two pools take and give back at random while a walk goes over one of them.
 * Each live object carries its number, which shows that no two share bytes;
 * those that live during the whole walk must be seen exactly once.
 */
#define NOBJ 3000

struct model {
	struct pool pool;
	uint8_t *obj[NOBJ];
	bool old[NOBJ]; /* lives since the walk began */
	uint8_t seen[NOBJ];
};

static void model_toggle(struct model *m, uint32_t i)
{
	uint32_t n;

	if (m->obj[i]) {
		memcpy(&n, m->obj[i] + 44, sizeof(n));
		CU_ASSERT_EQUAL(n, i + 1);
		memcpy(&n, m->obj[i] + m->pool.size - 4, sizeof(n));
		CU_ASSERT_EQUAL(n, i + 1);
		pool_put(&m->pool, m->obj[i]);
		m->obj[i] = NULL;
		m->old[i] = false;
		return;
	}
	m->obj[i] = pool_get(&m->pool);
	if (!m->obj[i])
		return;
	CU_ASSERT_FALSE(marked(m->obj[i]));
	n = i + 1;
	memcpy(m->obj[i] + 44, &n, sizeof(n));
	memcpy(m->obj[i] + m->pool.size - 4, &n, sizeof(n));
}

static void model_see(struct model *m, const uint8_t *obj)
{
	uint32_t n;

	memcpy(&n, obj + 44, sizeof(n));
	if (!n)
		return; /* free */
	CU_ASSERT_FATAL(n <= NOBJ);
	CU_ASSERT_PTR_EQUAL(m->obj[n - 1], obj);
	m->seen[n - 1]++;
}

static void model_walk_begins(struct model *m)
{
	for (int i = 0; i < NOBJ; i++)
		m->old[i] = m->obj[i] != NULL;
	memset(m->seen, 0, sizeof(m->seen));
}

static void model_walk_ends(const struct model *m)
{
	for (int i = 0; i < NOBJ; i++)
		if (m->old[i])
			CU_ASSERT_EQUAL(m->seen[i], 1);
}

static void pool_random_with_walks(void)
{
	static struct model m[2];
	struct arena_rig r;
	uint64_t seed = 1;
	uint64_t cursor;
	uint32_t live, biased;
	uint8_t *obj;

	arena_rig_init(&r, 12); /* too few for all: get fails at times */
	memset(m, 0, sizeof(m));
	pool_init(&m[0].pool, &r.arena, 256, 0, TAG);
	pool_init(&m[1].pool, &r.arena, 96, 0, OTHER);
	for (int round = 0; round < 60; round++) {
		cursor = 0;
		model_walk_begins(&m[0]);
		biased = rig_below(&seed, NOBJ);
		while ((obj = pool_next(&m[0].pool, &cursor))) {
			model_see(&m[0], obj);
			for (int i = 0; i < 3; i++) {
				model_toggle(&m[0],
					     rig_below(&seed, biased + 1));
				model_toggle(&m[1], rig_below(&seed, NOBJ));
			}
		}
		model_walk_ends(&m[0]);
		for (int i = 0; i < 500; i++)
			model_toggle(&m[0], rig_below(&seed, NOBJ));
	}
	for (int k = 0; k < 2; k++) {
		live = 0;
		for (int i = 0; i < NOBJ; i++)
			live += m[k].obj[i] != NULL;
		CU_ASSERT_EQUAL(m[k].pool.in_use, live);
		for (uint32_t i = 0; i < NOBJ; i++)
			if (m[k].obj[i])
				model_toggle(&m[k], i);
	}
	CU_ASSERT_EQUAL(r.arena.used, 2); /* the two kept back */
	arena_rig_free(&r);
}

static const struct unit_test tests[] = {
	UNIT_TEST(arena_too_small),
	UNIT_TEST(arena_page_zero_is_never_given),
	UNIT_TEST(arena_used_pages_go_before_new_ones),
	UNIT_TEST(pool_sizes_are_rounded_up),
	UNIT_TEST(pool_maximum_is_kept),
	UNIT_TEST(pool_room_is_in_pages_in_use),
	UNIT_TEST(pool_arena_empty),
	UNIT_TEST(pool_empty_pages_but_one_go_back),
	UNIT_TEST(pool_spare_page_is_given_up),
	UNIT_TEST(pool_one_object_a_page),
	UNIT_TEST(pool_full_page_gets_room),
	UNIT_TEST(pool_last_object_keeps_its_page),
	UNIT_TEST(pool_mark_is_zero),
	UNIT_TEST(pool_small_objects_are_left_alone),
	UNIT_TEST(pool_walk_of_nothing),
	UNIT_TEST(pool_walk_ends_at_the_last_used),
	UNIT_TEST(pool_random_with_walks),
};

int main(int argc, char **argv)
{
	return unit_run("pool", tests, ARRAY_LEN(tests), argc, argv);
}
