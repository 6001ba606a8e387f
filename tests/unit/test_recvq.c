/*
 * test_recvq.c - The receive queue
 */
#include "core/recvq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define NEXT 0xfffff000u /* the numbers wrap soon */

struct rig {
	struct arena_rig mem;
	struct recvq_pools ps;
	struct recvq q;
};

static void rig_init(struct rig *r, uint32_t pages)
{
	arena_rig_init(&r->mem, pages);
	recvq_pools_init(&r->ps, &r->mem.arena, 1, 2);
	recvq_init(&r->q, NEXT);
}

static void rig_free(struct rig *r)
{
	recvq_clear(&r->q, &r->ps);
	CU_ASSERT_EQUAL(r->ps.blk.in_use, 0);
	CU_ASSERT_EQUAL(r->q.head, 0);
	CU_ASSERT_EQUAL(r->q.tail, 0);
	CU_ASSERT(r->mem.arena.used <= 1);
	arena_rig_free(&r->mem);
}

static int put(struct rig *r, uint32_t off, const char *text, uint32_t *took)
{
	return recvq_put(&r->q, &r->ps, NEXT + off, text, strlen(text), took);
}

/* Put and expect @new bytes of it to be taken. */
static void put_ok(struct rig *r, uint32_t off, const char *text, uint32_t new)
{
	uint32_t took;

	CU_ASSERT_EQUAL(put(r, off, text, &took), 0);
	CU_ASSERT_EQUAL(took, new);
}

/* Take all that is ready and compare. */
static void get(struct rig *r, const char *text)
{
	size_t len = 0, n;
	const uint8_t *p;
	char buf[256];

	while ((n = recvq_peek(&r->q, &r->ps, &p)) > 0) {
		CU_ASSERT_FATAL(len + n < sizeof(buf));
		memcpy(buf + len, p, n);
		len += n;
		recvq_consume(&r->q, &r->ps, n);
	}
	buf[len] = '\0';
	CU_ASSERT_STRING_EQUAL(buf, text);
	CU_ASSERT_EQUAL(r->q.ready, 0);
}

static void in_order(void)
{
	struct rig r;

	rig_init(&r, 1);
	put_ok(&r, 0, "hello", 5);
	CU_ASSERT_EQUAL(r.q.ready, 5);
	CU_ASSERT_EQUAL(r.q.next, NEXT + 5);
	put_ok(&r, 5, " world", 6);
	get(&r, "hello world");
	/* Nothing held, no block held. */
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 0);
	put_ok(&r, 11, "!", 1);
	get(&r, "!");
	rig_free(&r);
}

static void hole_is_filled(void)
{
	struct rig r;

	rig_init(&r, 1);
	put_ok(&r, 5, "world", 5);
	CU_ASSERT_EQUAL(r.q.ready, 0);
	CU_ASSERT_EQUAL(r.q.next, NEXT);
	CU_ASSERT_EQUAL(r.q.ooo.n, 1);
	get(&r, "");
	put_ok(&r, 0, "hello", 5);
	CU_ASSERT_EQUAL(r.q.next, NEXT + 10);
	CU_ASSERT_EQUAL(r.q.ooo.n, 0);
	get(&r, "helloworld");
	rig_free(&r);
}

static void first_copy_wins(void)
{
	struct rig r;

	rig_init(&r, 1);
	put_ok(&r, 4, "4567", 4);
	put_ok(&r, 10, "ab", 2);
	put_ok(&r, 2, "xxxxxxxxxxxx", 6);
	CU_ASSERT_EQUAL(r.q.ooo.n, 1);
	put_ok(&r, 4, "yyyy", 0);
	put_ok(&r, 0, "zzzzz", 2);
	get(&r, "zzxx4567xxabxx");
	rig_free(&r);
}

/* A segment that fills two holes at once and reaches beyond. */
static void in_order_over_ranges(void)
{
	struct rig r;

	rig_init(&r, 1);
	put_ok(&r, 2, "B", 1);
	put_ok(&r, 4, "D", 1);
	put_ok(&r, 7, "G", 1);
	put_ok(&r, 0, "......", 4);
	CU_ASSERT_EQUAL(r.q.next, NEXT + 6);
	CU_ASSERT_EQUAL(r.q.ooo.n, 1);
	get(&r, "..B.D.");
	put_ok(&r, 6, ".", 1);
	get(&r, ".G");
	rig_free(&r);
}

/* Byte @n of a long stream. */
static uint8_t byte_at(uint64_t n)
{
	return (uint8_t)(n * 31 + (n >> 7) * 5 + (n >> 15));
}

static const uint8_t *stream(uint32_t off, size_t len)
{
	static uint8_t buf[300000];

	for (size_t i = 0; i < len; i++)
		buf[i] = byte_at(off + i);
	return buf;
}

static void get_stream(struct rig *r, uint32_t off, uint32_t len)
{
	unsigned int wrong = 0;
	const uint8_t *p;
	size_t n;

	CU_ASSERT_EQUAL(r->q.ready, len);
	while ((n = recvq_peek(&r->q, &r->ps, &p)) > 0) {
		for (size_t i = 0; i < n; i++)
			wrong += p[i] != byte_at(off++);
		recvq_consume(&r->q, &r->ps, n);
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void super_segments_in_order(void)
{
	struct rig r;
	uint32_t off = 0, took;

	rig_init(&r, 32);
	for (int i = 0; i < 20; i++, off += 65000) {
		CU_ASSERT_EQUAL(recvq_put(&r.q, &r.ps, NEXT + off,
					  stream(off, 65000), 65000, &took),
				0);
		CU_ASSERT_EQUAL(took, 65000);
	}
	CU_ASSERT(r.ps.blk.in_use <= off / 4000);
	get_stream(&r, 0, off);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 0);
	rig_free(&r);
}

/* Blocks come in backwards: the grid is laid by the last one. */
static void backwards(void)
{
	struct rig r;
	uint32_t took;

	rig_init(&r, 16);
	for (uint32_t off = 200000; off > 0;) {
		off -= 1000;
		CU_ASSERT_EQUAL(recvq_put(&r.q, &r.ps, NEXT + off,
					  stream(off, 1000), 1000, &took),
				0);
		CU_ASSERT_EQUAL(took, 1000);
		CU_ASSERT(r.ps.blk.in_use <= (200000 - off) / 4000 + 2);
	}
	get_stream(&r, 0, 200000);
	rig_free(&r);
}

/* A byte far away costs one block and not what lies between. */
static void far_byte_is_one_block(void)
{
	struct rig r;

	rig_init(&r, 2);
	put_ok(&r, 4000000, "x", 1);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 1);
	put_ok(&r, 0, "abc", 3);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 2);
	get(&r, "abc");
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 1);
	rig_free(&r);
}

static void too_many_holes(void)
{
	struct rig r;
	uint32_t took;

	rig_init(&r, 8);
	for (uint32_t i = 1; i <= RECVQ_RANGES_MAX; i++)
		put_ok(&r, 10 * i, "x", 1);
	CU_ASSERT_EQUAL(put(&r, 5, "y", &took), -ENOSPC);
	CU_ASSERT_EQUAL(took, 0);
	CU_ASSERT_EQUAL(r.q.ooo.n, RECVQ_RANGES_MAX);
	/* What touches a range, or is in order, still goes. */
	put_ok(&r, 11, "y", 1);
	put_ok(&r, 29, "y", 1);
	put_ok(&r, 0, "0123456789", 10);
	CU_ASSERT_EQUAL(r.q.ooo.n, RECVQ_RANGES_MAX - 1);
	put_ok(&r, 14, "y", 1);
	rig_free(&r);
}

/* As many as a block holds, one more, and all of them are in order: the page is
 * given back. */
static void very_many_holes_take_a_page(void)
{
	uint32_t used, n = RECVQ_RANGES_BLK;
	struct rig r;

	rig_init(&r, 4);
	put_ok(&r, 0, "a", 1);
	for (uint32_t i = 1; i <= n; i++)
		put_ok(&r, 2 * i, "x", 1);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 2);
	used = r.mem.arena.used;
	put_ok(&r, 2 * n + 2, "x", 1);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 1);
	CU_ASSERT_EQUAL(r.mem.arena.used, used + 1);
	CU_ASSERT_EQUAL(r.q.ooo.n, n + 1);
	CU_ASSERT_EQUAL(ranges_bytes(&r.q.ooo), n + 1);
	for (uint32_t i = 0; i <= n; i++)
		put_ok(&r, 2 * i + 1, "-", 1);
	CU_ASSERT_EQUAL(r.q.ready, 2 * n + 3);
	CU_ASSERT_EQUAL(r.q.ooo.n, 0);
	CU_ASSERT_EQUAL(r.mem.arena.used, used);
	/* And if it is thrown away. */
	for (uint32_t i = 0; i <= n; i++)
		put_ok(&r, 4000 + 2 * i, "x", 1);
	CU_ASSERT_EQUAL(r.mem.arena.used, used + 1);
	rig_free(&r);
}

/* The block that many ranges lie in goes back with the last of them. */
static void many_holes_take_a_block(void)
{
	struct rig r;

	rig_init(&r, 2);
	put_ok(&r, 0, "ab", 2);
	for (uint32_t i = 0; i < RECVQ_RANGES_OWN; i++)
		put_ok(&r, 3 + 2 * i, "x", 1);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 1);
	put_ok(&r, 3 + 2 * RECVQ_RANGES_OWN, "x", 1);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 2);
	CU_ASSERT_EQUAL(r.q.ooo.n, RECVQ_RANGES_OWN + 1);
	for (uint32_t i = 0; i <= RECVQ_RANGES_OWN; i++)
		put_ok(&r, 2 + 2 * i, "-", 1);
	CU_ASSERT_EQUAL(r.q.ooo.n, 0);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 1);
	get(&r, "ab-x-x-x-x-x");
	rig_free(&r);
}

static void many_holes_without_memory(void)
{
	struct rig r;
	uint32_t took;

	rig_init(&r, 2);
	r.ps.blk.max = 1;
	for (uint32_t i = 1; i <= RECVQ_RANGES_OWN; i++)
		put_ok(&r, 2 * i, "x", 1);
	CU_ASSERT_EQUAL(put(&r, 100, "x", &took), -ENOMEM);
	CU_ASSERT_EQUAL(took, 0);
	CU_ASSERT_EQUAL(r.q.ooo.n, RECVQ_RANGES_OWN);
	put_ok(&r, 3, "x", 1);
	put_ok(&r, 100, "x", 1);
	rig_free(&r);
}

static void memory_runs_out_in_order(void)
{
	struct rig r;
	uint32_t took, more;

	rig_init(&r, 1);
	CU_ASSERT_EQUAL(
		recvq_put(&r.q, &r.ps, NEXT, stream(0, 100000), 100000, &took),
		-ENOMEM);
	CU_ASSERT(took > 64000 && took < 65536);
	CU_ASSERT_EQUAL(r.q.next, NEXT + took);
	CU_ASSERT_EQUAL(recvq_put(&r.q, &r.ps, NEXT + took, "x", 1, &more),
			-ENOMEM);
	CU_ASSERT_EQUAL(more, 0);
	get_stream(&r, 0, took);
	rig_free(&r);
}

static void memory_runs_out_beyond_a_hole(void)
{
	struct rig r;
	uint32_t took;

	rig_init(&r, 1);
	CU_ASSERT_EQUAL(recvq_put(&r.q, &r.ps, NEXT + 10, stream(10, 100000),
				  100000, &took),
			-ENOMEM);
	CU_ASSERT_EQUAL(r.q.ooo.n, 1);
	CU_ASSERT_EQUAL(ranges_bytes(&r.q.ooo), took);
	CU_ASSERT(took > 60000);
	/* The first block began at 10: there is none for what comes before. */
	CU_ASSERT_EQUAL(recvq_put(&r.q, &r.ps, NEXT, stream(0, 10), 10, &took),
			-ENOMEM);
	CU_ASSERT_EQUAL(took, 0);
	CU_ASSERT_EQUAL(r.q.ready, 0);
	rig_free(&r);
}

/* With all ranges used the whole would have joined one at its end; the part
 * that memory allows joins none, and leaves no block behind. */
static void memory_and_ranges_run_out(void)
{
	struct rig r;
	uint32_t took, used, end = 200000;
	void *hog;

	rig_init(&r, 4);
	put_ok(&r, 0, "ready", 5);
	for (uint32_t i = 0; i < RECVQ_RANGES_MAX; i++)
		put_ok(&r, end + 2 * i, "x", 1);
	used = r.ps.blk.in_use;
	while (r.ps.blk.in_use < 30) {
		hog = pool_get(&r.ps.blk);
		CU_ASSERT_PTR_NOT_NULL_FATAL(hog);
	}
	r.ps.blk.max = 32;
	CU_ASSERT_EQUAL(recvq_put(&r.q, &r.ps, NEXT + end - 50000,
				  stream(0, 50000), 50000, &took),
			-ENOMEM);
	CU_ASSERT_EQUAL(took, 0);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 30);
	CU_ASSERT_EQUAL(r.q.ooo.n, RECVQ_RANGES_MAX);
	put_ok(&r, end + 1, "y", 1);
	get(&r, "ready");
	recvq_clear(&r.q, &r.ps);
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 30 - used);
	arena_rig_free(&r.mem);
}

/* The last block's, first the one after the other; what is ready stays. */
static void cut_the_farthest(void)
{
	struct rig r;
	uint32_t took;

	rig_init(&r, 2);
	put_ok(&r, 0, "ready", 5);
	CU_ASSERT_EQUAL(recvq_far(&r.q, &r.ps), NEXT + 5);
	CU_ASSERT_EQUAL(recvq_early(&r.q), 0);
	put_ok(&r, 10, "near", 4);
	CU_ASSERT_EQUAL(recvq_early(&r.q), 0); /* the same block */
	CU_ASSERT_EQUAL(recvq_put(&r.q, &r.ps, NEXT + 20000, stream(0, 6000),
				  6000, &took),
			0);
	put_ok(&r, 40000, "far", 3);
	CU_ASSERT_EQUAL(recvq_early(&r.q), 4);
	recvq_cut(&r.q, &r.ps);
	CU_ASSERT_EQUAL(r.q.ooo.n, 2);
	CU_ASSERT_EQUAL(recvq_early(&r.q), 3);
	recvq_cut(&r.q, &r.ps); /* in the middle of a range */
	CU_ASSERT_EQUAL(r.q.ooo.n, 2);
	CU_ASSERT_EQUAL(r.q.ooo.r[1].start, NEXT + 20000);
	CU_ASSERT(seq_lt(r.q.ooo.r[1].end, NEXT + 26000));
	CU_ASSERT_EQUAL(recvq_early(&r.q), 2);
	recvq_cut(&r.q, &r.ps);
	recvq_cut(&r.q, &r.ps);
	CU_ASSERT_EQUAL(r.q.ooo.n, 1);
	CU_ASSERT_EQUAL(recvq_early(&r.q), 0);
	CU_ASSERT_EQUAL(recvq_far(&r.q, &r.ps), NEXT + 5);
	recvq_cut(&r.q, &r.ps);
	CU_ASSERT_EQUAL(r.q.ooo.n, 0);
	CU_ASSERT_EQUAL(r.q.nblk, 1);
	put_ok(&r, 5, " text", 5);
	get(&r, "ready text");
	rig_free(&r);
}

/* The block of the ranges goes when few are left, and counts until then. */
static void cut_gives_back_ranges(void)
{
	struct rig r;

	rig_init(&r, 4);
	for (uint32_t i = 1; i <= RECVQ_RANGES_BLK + 1; i++)
		put_ok(&r, 20000 + 2 * i, "x", 1);
	for (uint32_t i = 1; i <= 3; i++)
		put_ok(&r, 2 * i, "x", 1);
	CU_ASSERT_EQUAL(r.q.ooo.max, RECVQ_RANGES_MAX);
	CU_ASSERT_EQUAL(recvq_early(&r.q), 2 + 16);
	for (uint32_t i = 1; i <= RECVQ_RANGES_OWN; i++)
		put_ok(&r, 50000 + 2 * i, "y", 1);
	recvq_cut(&r.q, &r.ps);
	CU_ASSERT_EQUAL(r.q.ooo.max, RECVQ_RANGES_MAX);
	recvq_cut(&r.q, &r.ps);
	CU_ASSERT_EQUAL(r.q.ooo.n, 3);
	CU_ASSERT_PTR_EQUAL(r.q.ooo.r, r.q.own);
	CU_ASSERT_EQUAL(recvq_early(&r.q), 1);
	put_ok(&r, 0, "abababa", 4);
	get(&r, "abxbxbx");
	rig_free(&r);
}

/* From the page to a block, if there is one for them. */
static void cut_gives_back_a_page(void)
{
	struct rig r;

	for (unsigned int full = 0; full < 2; full++) {
		rig_init(&r, 4);
		for (uint32_t i = 1; i <= RECVQ_RANGES_BLK; i++)
			put_ok(&r, 2 * i, "x", 1);
		put_ok(&r, 20000, "y", 1);
		CU_ASSERT_EQUAL(r.q.ooo.max, RECVQ_RANGES_MAX);
		r.ps.blk.max = full ? 1 : 0;
		recvq_cut(&r.q, &r.ps);
		r.ps.blk.max = 0;
		CU_ASSERT_EQUAL(r.q.ooo.n, RECVQ_RANGES_BLK);
		CU_ASSERT_EQUAL(r.q.ooo.max,
				full ? RECVQ_RANGES_MAX : RECVQ_RANGES_BLK);
		CU_ASSERT_EQUAL(r.q.ooo.r[499].end, NEXT + 1001);
		rig_free(&r);
	}
}

/* Held: as many blocks as there are, and no page for holes. */
static void hold(void)
{
	struct rig r;
	uint32_t took;

	rig_init(&r, 4);
	put_ok(&r, 10, "a", 1);
	recvq_hold(&r.ps, 2);
	put_ok(&r, 10000, "b", 1);
	CU_ASSERT_EQUAL(put(&r, 20000, "c", &took), -ENOMEM);
	recvq_release(&r.ps);
	put_ok(&r, 20000, "c", 1);
	recvq_hold(&r.ps, 2);
	put_ok(&r, 10001, "b", 1);
	CU_ASSERT_EQUAL(put(&r, 30000, "d", &took), -ENOMEM);
	recvq_release(&r.ps);
	for (uint32_t i = 1; i <= RECVQ_RANGES_BLK - 3; i++)
		put_ok(&r, 12000 + 2 * i, "x", 1);
	recvq_hold(&r.ps, 1);
	CU_ASSERT_EQUAL(put(&r, 9999, "b", &took), 0);
	CU_ASSERT_EQUAL(put(&r, 15, "b", &took), -ENOSPC);
	recvq_release(&r.ps);
	put_ok(&r, 15, "b", 1);
	CU_ASSERT_EQUAL(r.q.ooo.max, RECVQ_RANGES_MAX);
	rig_free(&r);
}

/* RCV.NXT steps over the number of a FIN; what is ready stays what it is. */
static void next_may_step_over_a_fin(void)
{
	struct rig r;

	rig_init(&r, 1);
	put_ok(&r, 0, "last words", 10);
	r.q.next++;
	get(&r, "last words");
	CU_ASSERT_EQUAL(r.ps.blk.in_use, 0);
	rig_free(&r);
}

static void direct_bypasses_the_queue(void)
{
	struct rig r;

	rig_init(&r, 1);
	CU_ASSERT_TRUE(recvq_direct(&r.q, 1000000));
	recvq_advance(&r.q, &r.ps, 5);
	CU_ASSERT_EQUAL(r.q.next, NEXT + 5);
	CU_ASSERT_EQUAL(r.q.ready, 0);
	CU_ASSERT_EQUAL(r.mem.arena.used, 0);
	put_ok(&r, 5, "x", 1);
	CU_ASSERT_FALSE(recvq_direct(&r.q, 1)); /* after what is ready */
	get(&r, "x");
	put_ok(&r, 10, "abc", 3);
	put_ok(&r, 15, "z", 1);
	CU_ASSERT_TRUE(recvq_direct(&r.q, 4));
	CU_ASSERT_FALSE(recvq_direct(&r.q, 5)); /* overlaps what is held */
	recvq_advance(&r.q, &r.ps, 3);
	CU_ASSERT_EQUAL(r.q.ready, 0);
	recvq_advance(&r.q, &r.ps, 1);
	CU_ASSERT_EQUAL(r.q.next, NEXT + 13);
	CU_ASSERT_EQUAL(r.q.ooo.n, 1);
	get(&r, "abc");
	rig_free(&r);
}

/*
 * Against an array of bytes: segments with contents of their own, so that it
 * matters which copy of a byte was kept, at random places of a window.
 */
#define WINDOW 20000

struct model {
	uint8_t byte[4 * WINDOW]; /* from the first byte not consumed */
	bool held[4 * WINDOW];
	tcp_seq first; /* number of byte[0] */
};

static uint32_t model_ready(const struct model *m)
{
	uint32_t n = 0;

	while (m->held[n])
		n++;
	return n;
}

static uint32_t model_ranges(const struct model *m, uint32_t from)
{
	uint32_t n = 0;

	for (uint32_t i = from + 1; i < 3 * WINDOW; i++)
		n += m->held[i] && !m->held[i - 1];
	return n;
}

/* How many ranges there would be; [at, at + len) is put back as it was. */
static uint32_t model_would_be(struct model *m, uint32_t at, uint32_t len)
{
	static bool was[WINDOW];
	uint32_t n;

	memcpy(was, m->held + at, len);
	memset(m->held + at, true, len);
	n = model_ranges(m, model_ready(m));
	memcpy(m->held + at, was, len);
	return n;
}

static void model_compare(const struct model *m, const struct rig *r)
{
	uint32_t ready = model_ready(m), held = 0, i, blocks;

	CU_ASSERT_EQUAL(r->q.ready, ready);
	CU_ASSERT_EQUAL(r->q.next, m->first + ready);
	CU_ASSERT_EQUAL(r->q.ooo.n, model_ranges(m, ready));
	blocks = ready / 4000 + 2 + (r->q.ooo.max == RECVQ_RANGES_BLK);
	for (i = 0; i < r->q.ooo.n; i++) {
		const struct range *g = &r->q.ooo.r[i];

		CU_ASSERT(!m->held[g->start - m->first - 1]);
		CU_ASSERT(m->held[g->start - m->first]);
		CU_ASSERT(m->held[g->end - m->first - 1]);
		CU_ASSERT(!m->held[g->end - m->first]);
		blocks += (g->end - g->start) / 4000 + 2;
	}
	for (i = ready; i < 3 * WINDOW; i++)
		held += m->held[i];
	CU_ASSERT_EQUAL(ranges_bytes(&r->q.ooo), held);
	CU_ASSERT(r->ps.blk.in_use <= blocks);
	CU_ASSERT_EQUAL(r->ps.blk.in_use,
			r->q.nblk + (r->q.ooo.max == RECVQ_RANGES_BLK));
	CU_ASSERT(recvq_early(&r->q) <= r->ps.blk.in_use);
}

static void model_put(struct model *m, struct rig *r, uint64_t *seed)
{
	static uint8_t data[WINDOW];
	uint32_t ready = model_ready(m), at, len, took, new = 0;
	int rc;

	at = rig_below(seed, 3) ? rig_below(seed, 1 << rig_below(seed, 16)) : 0;
	len = 1 + rig_below(seed, 1 << rig_below(seed, 14));
	if (at + len > WINDOW)
		return;
	at += ready;
	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)(rig_random(seed) >> 56);
	rc = recvq_put(&r->q, &r->ps, m->first + at, data, len, &took);
	if (rc == -ENOSPC) {
		CU_ASSERT_EQUAL(took, 0);
		CU_ASSERT(model_would_be(m, at, len) > RECVQ_RANGES_MAX);
		return;
	}
	CU_ASSERT(rc == -ENOMEM ||
		  model_would_be(m, at, len) <= RECVQ_RANGES_MAX);
	for (uint32_t i = 0; i < len; i++) {
		if (m->held[at + i])
			continue;
		if (rc && new == took)
			break; /* memory ran out here */
		m->held[at + i] = true;
		m->byte[at + i] = data[i];
		new ++;
	}
	CU_ASSERT_EQUAL(took, new);
}

static void model_cut(struct model *m, struct rig *r)
{
	uint32_t before = recvq_early(&r->q);
	tcp_seq far;

	if (!r->q.ooo.n)
		return;
	far = recvq_far(&r->q, &r->ps);
	recvq_cut(&r->q, &r->ps);
	CU_ASSERT(before == 0 || recvq_early(&r->q) < before);
	for (uint32_t i = far - m->first; i < 3 * WINDOW; i++)
		m->held[i] = false;
}

static void model_take(struct model *m, uint32_t n)
{
	memmove(m->byte, m->byte + n, sizeof(m->byte) - n);
	memmove(m->held, m->held + n, sizeof(m->held) - n);
	memset(m->held + sizeof(m->held) - n, 0, n);
	m->first += n;
}

static void model_consume(struct model *m, struct rig *r, uint64_t *seed)
{
	const uint8_t *p;
	size_t n = recvq_peek(&r->q, &r->ps, &p);

	CU_ASSERT((n > 0) == (model_ready(m) > 0));
	if (!n)
		return;
	CU_ASSERT_EQUAL(memcmp(p, m->byte, n), 0);
	if (rig_below(seed, 3) == 0)
		n = 1 + rig_below(seed, (uint32_t)n);
	recvq_consume(&r->q, &r->ps, n);
	model_take(m, (uint32_t)n);
}

static void random_run(uint64_t seed, uint32_t blocks)
{
	static struct model m;
	struct rig r;
	uint32_t n;

	rig_init(&r, 4);
	r.ps.blk.max = blocks;
	memset(&m, 0, sizeof(m));
	m.first = NEXT;
	for (int step = 0; step < 800; step++) {
		if (rig_below(&seed, 20) == 0)
			model_cut(&m, &r);
		switch (rig_below(&seed, 4)) {
		case 0:
			model_consume(&m, &r, &seed);
			break;
		case 1:
			n = 1 + rig_below(&seed, 3000);
			if (!recvq_direct(&r.q, n))
				break;
			for (uint32_t i = 0; i < n; i++)
				CU_ASSERT(!m.held[i]);
			recvq_advance(&r.q, &r.ps, n);
			model_take(&m, n);
			break;
		default:
			if (r.q.ready < WINDOW)
				model_put(&m, &r, &seed);
		}
		model_compare(&m, &r);
	}
	rig_free(&r);
}

static void random_against_array(void)
{
	for (uint64_t seed = 1; seed <= 10; seed++)
		random_run(seed, 0);
}

static void random_with_too_little_memory(void)
{
	for (uint64_t seed = 11; seed <= 20; seed++)
		random_run(seed, 7);
}

static const struct unit_test tests[] = {
	UNIT_TEST(in_order),
	UNIT_TEST(hole_is_filled),
	UNIT_TEST(first_copy_wins),
	UNIT_TEST(in_order_over_ranges),
	UNIT_TEST(super_segments_in_order),
	UNIT_TEST(backwards),
	UNIT_TEST(far_byte_is_one_block),
	UNIT_TEST(too_many_holes),
	UNIT_TEST(very_many_holes_take_a_page),
	UNIT_TEST(many_holes_take_a_block),
	UNIT_TEST(many_holes_without_memory),
	UNIT_TEST(memory_runs_out_in_order),
	UNIT_TEST(memory_runs_out_beyond_a_hole),
	UNIT_TEST(memory_and_ranges_run_out),
	UNIT_TEST(cut_the_farthest),
	UNIT_TEST(cut_gives_back_ranges),
	UNIT_TEST(cut_gives_back_a_page),
	UNIT_TEST(hold),
	UNIT_TEST(next_may_step_over_a_fin),
	UNIT_TEST(direct_bypasses_the_queue),
	UNIT_TEST(random_against_array),
	UNIT_TEST(random_with_too_little_memory),
};

int main(int argc, char **argv)
{
	return unit_run("recvq", tests, ARRAY_LEN(tests), argc, argv);
}
