/*
 * test_table.c - The table of connections
 */
#include "core/table.h"

#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define TAG 9

static const uint8_t secret[16] = "sixteen letters";

struct rig {
	struct arena_rig mem;
	struct pool pool;
	struct table t;
};

static void rig_init(struct rig *r, uint32_t pages)
{
	arena_rig_init(&r->mem, pages);
	pool_init(&r->pool, &r->mem.arena, 64, 0, 1);
	CU_ASSERT_TRUE_FATAL(table_init(&r->t, &r->mem.arena, secret, TAG));
}

static void rig_free(struct rig *r)
{
	arena_rig_free(&r->mem);
}

static struct table_entry *rig_ptr(struct rig *r, ref_t e)
{
	return ref_ptr(&r->mem.arena, e);
}

/* The client @n: 198.18.x.y port p to our port 7. */
static struct tcp_key client(uint32_t n)
{
	struct tcp_key k = {
		.local.b = {[10] = 0xff, 0xff, 198, 18, 66, 2},
		.peer.b = {[10] = 0xff, 0xff, 198, 18},
		.local_port = 7,
		.peer_port = (uint16_t)(1024 + n % 60000),
	};

	k.peer.b[14] = (uint8_t)(n / 60000 >> 8);
	k.peer.b[15] = (uint8_t)(n / 60000);
	return k;
}

static ref_t rig_entry(struct rig *r, uint32_t n)
{
	struct table_entry *e = pool_get(&r->pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	e->key = client(n);
	return ptr_ref(&r->mem.arena, e);
}

static uint32_t rig_buckets(const struct rig *r)
{
	return (1u << r->t.level) + r->t.split;
}

static void no_page_for_the_table(void)
{
	struct arena_rig mem;
	struct table t;

	arena_rig_init(&mem, 1);
	arena_page(&mem.arena, 1);
	CU_ASSERT_FALSE(table_init(&t, &mem.arena, secret, TAG));
	arena_rig_free(&mem);
}

/* Its first page may have belonged to another. */
static void first_page_is_not_clean(void)
{
	struct arena_rig mem;
	struct tcp_key k;
	struct table t;
	void *page;

	arena_rig_init(&mem, 1);
	page = arena_page(&mem.arena, 1);
	memset(page, 0xff, PAGE_SIZE_B);
	arena_page_free(&mem.arena, page);
	CU_ASSERT_TRUE_FATAL(table_init(&t, &mem.arena, secret, TAG));
	for (uint32_t i = 0; i < 1000; i++) {
		k = client(i);
		CU_ASSERT_EQUAL(table_find(&t, &k), 0);
	}
	arena_rig_free(&mem);
}

/* Each of the four parts of a key counts. */
static void keys_that_differ_a_little(void)
{
	struct rig r;
	struct tcp_key k;
	ref_t e;

	rig_init(&r, 4);
	e = rig_entry(&r, 5);
	table_insert(&r.t, e);
	k = client(5);
	CU_ASSERT_EQUAL(table_find(&r.t, &k), e);
	k.local.b[15] ^= 1;
	CU_ASSERT_EQUAL(table_find(&r.t, &k), 0);
	k = client(5);
	k.peer.b[0] ^= 0x80;
	CU_ASSERT_EQUAL(table_find(&r.t, &k), 0);
	k = client(5);
	k.local_port ^= 0x100;
	CU_ASSERT_EQUAL(table_find(&r.t, &k), 0);
	k = client(5);
	k.peer_port ^= 1;
	CU_ASSERT_EQUAL(table_find(&r.t, &k), 0);
	rig_free(&r);
}

static void replace_keeps_the_place(void)
{
	struct rig r;
	struct tcp_key k = client(1);
	ref_t a, b;

	rig_init(&r, 4);
	a = rig_entry(&r, 1);
	b = rig_entry(&r, 1);
	table_insert(&r.t, a);
	table_replace(&r.t, a, b);
	CU_ASSERT_EQUAL(r.t.n, 1);
	CU_ASSERT_EQUAL(table_find(&r.t, &k), b);
	table_remove(&r.t, b);
	CU_ASSERT_EQUAL(r.t.n, 0);
	CU_ASSERT_EQUAL(table_find(&r.t, &k), 0);
	rig_free(&r);
}

/* Two secrets put the same keys into different buckets. */
static void secret_decides_the_bucket(void)
{
	static const uint8_t other[16] = "another sixteen";
	struct rig r;
	struct table u;
	uint32_t same = 0;
	const ref_t *x, *y;

	rig_init(&r, 8);
	CU_ASSERT_TRUE_FATAL(table_init(&u, &r.mem.arena, other, TAG));
	for (uint32_t i = 0; i < 500; i++) {
		table_insert(&r.t, rig_entry(&r, i));
		table_insert(&u, rig_entry(&r, i));
	}
	x = ref_ptr(&r.mem.arena, r.t.segment[0]);
	y = ref_ptr(&r.mem.arena, u.segment[0]);
	for (uint32_t i = 0; i < TABLE_SEGMENT; i++)
		same += x[i] && y[i];
	CU_ASSERT(same < 100); /* 15 expected */
	rig_free(&r);
}

static uint32_t longest_chain(struct rig *r)
{
	uint32_t longest = 0, n;
	const ref_t *page;

	for (uint32_t b = 0; b < rig_buckets(r); b++) {
		page = ref_ptr(&r->mem.arena, r->t.segment[b / TABLE_SEGMENT]);
		n = 0;
		for (ref_t e = page[b % TABLE_SEGMENT]; e;
		     e = rig_ptr(r, e)->chain)
			n++;
		longest = n > longest ? n : longest;
	}
	return longest;
}

/* No insertion does more than a few steps, and chains stay short. */
static void growth_in_small_steps(void)
{
	enum { N = 200000 };
	static ref_t e[N];
	struct rig r;
	struct tcp_key k;
	uint32_t was, splits_max = 0;

	rig_init(&r, 400);
	for (uint32_t i = 0; i < N; i++) {
		was = rig_buckets(&r);
		e[i] = rig_entry(&r, i);
		table_insert(&r.t, e[i]);
		if (rig_buckets(&r) - was > splits_max)
			splits_max = rig_buckets(&r) - was;
	}
	CU_ASSERT(splits_max <= 2);
	CU_ASSERT_EQUAL(r.t.n, N);
	CU_ASSERT(rig_buckets(&r) >= 2 * N);
	CU_ASSERT(rig_buckets(&r) <= 2 * N + 2);
	CU_ASSERT(longest_chain(&r) <= 10);
	for (uint32_t i = 0; i < N; i++) {
		k = client(i);
		CU_ASSERT_EQUAL(table_find(&r.t, &k), e[i]);
		k.local_port = 9;
		CU_ASSERT_EQUAL(table_find(&r.t, &k), 0);
	}
	for (uint32_t i = 0; i < N; i++) {
		table_remove(&r.t, e[i]);
		pool_put(&r.pool, ref_ptr(&r.mem.arena, e[i]));
	}
	CU_ASSERT_EQUAL(r.t.n, 0);
	CU_ASSERT_EQUAL(longest_chain(&r), 0);
	/* What is left is the table itself and the pool's spare page. */
	CU_ASSERT_EQUAL(r.mem.arena.used, r.t.nsegments + 1);
	rig_free(&r);
}

/* Without a page to grow into chains get longer; with one it catches up. */
static void growth_waits_for_memory(void)
{
	enum { N = 20000, ALL = 35000 };
	static ref_t e[ALL];
	struct rig r;
	struct tcp_key k;
	void *page, *hog[64];
	uint32_t nhog = 0;

	rig_init(&r, 64);
	for (uint32_t i = 0; i < ALL; i++)
		e[i] = rig_entry(&r, i);
	while ((page = arena_page(&r.mem.arena, 2)))
		hog[nhog++] = page;
	for (uint32_t i = 0; i < N; i++)
		table_insert(&r.t, e[i]);
	CU_ASSERT_EQUAL(rig_buckets(&r), TABLE_SEGMENT);
	for (uint32_t i = 0; i < N; i++) {
		k = client(i);
		CU_ASSERT_EQUAL(table_find(&r.t, &k), e[i]);
	}
	while (nhog > 0)
		arena_page_free(&r.mem.arena, hog[--nhog]);
	for (uint32_t i = N; i < ALL; i++)
		table_insert(&r.t, e[i]);
	CU_ASSERT(rig_buckets(&r) >= 2 * ALL);
	for (uint32_t i = 0; i < ALL; i++) {
		k = client(i);
		CU_ASSERT_EQUAL(table_find(&r.t, &k), e[i]);
	}
	rig_free(&r);
}

/* Against an array: entry @i of it is the client @i, or 0. */
static void random_against_array(void)
{
	enum { N = 40000 };
	static ref_t e[N];
	struct rig r;
	struct tcp_key k;
	uint64_t seed = 3;
	uint32_t n = 0, i;
	ref_t with;

	rig_init(&r, 100);
	memset(e, 0, sizeof(e));
	for (int step = 0; step < 300000; step++) {
		/* It fills, empties and fills again. */
		bool fill = step / 60000 % 2 == 0 || rig_below(&seed, 8) == 0;

		i = rig_below(&seed, N);
		k = client(i);
		CU_ASSERT_EQUAL(table_find(&r.t, &k), e[i]);
		if (!e[i] && fill) {
			e[i] = rig_entry(&r, i);
			table_insert(&r.t, e[i]);
			n++;
		} else if (e[i] && !fill) {
			table_remove(&r.t, e[i]);
			pool_put(&r.pool, rig_ptr(&r, e[i]));
			e[i] = 0;
			n--;
		} else if (e[i]) {
			with = rig_entry(&r, i);
			table_replace(&r.t, e[i], with);
			pool_put(&r.pool, rig_ptr(&r, e[i]));
			e[i] = with;
		}
		CU_ASSERT_EQUAL(r.t.n, n);
	}
	CU_ASSERT(r.t.nsegments > 3);
	for (i = 0; i < N; i++) {
		k = client(i);
		CU_ASSERT_EQUAL(table_find(&r.t, &k), e[i]);
	}
	rig_free(&r);
}

static const struct unit_test tests[] = {
	UNIT_TEST(no_page_for_the_table),
	UNIT_TEST(first_page_is_not_clean),
	UNIT_TEST(keys_that_differ_a_little),
	UNIT_TEST(replace_keeps_the_place),
	UNIT_TEST(secret_decides_the_bucket),
	UNIT_TEST(growth_in_small_steps),
	UNIT_TEST(growth_waits_for_memory),
	UNIT_TEST(random_against_array),
};

int main(int argc, char **argv)
{
	return unit_run("table", tests, ARRAY_LEN(tests), argc, argv);
}
