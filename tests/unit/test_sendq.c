/*
 * test_sendq.c - The send queue
 */
#include "core/sendq.h"

#include <stdlib.h>
#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define NIOV 64

static const uint8_t tags[3] = {1, 2, 3};

struct rig {
	struct arena_rig mem;
	struct sendq_pools ps;
	struct sendq q;
};

static void rig_init(struct rig *r, uint32_t pages)
{
	arena_rig_init(&r->mem, pages);
	sendq_pools_init(&r->ps, &r->mem.arena, tags);
	memset(&r->q, 0, sizeof(r->q));
}

/* Everything went back but the page each pool may keep. */
static void rig_free(struct rig *r)
{
	sendq_clear(&r->q, &r->ps);
	CU_ASSERT_EQUAL(r->q.len, 0);
	CU_ASSERT_EQUAL(r->q.head, 0);
	CU_ASSERT_EQUAL(r->q.tail, 0);
	CU_ASSERT_EQUAL(r->ps.small.in_use, 0);
	CU_ASSERT_EQUAL(r->ps.large.in_use, 0);
	CU_ASSERT_EQUAL(r->ps.ref.in_use, 0);
	CU_ASSERT(r->mem.arena.used <= 3);
	arena_rig_free(&r->mem);
}

static uint8_t byte_at(uint64_t n)
{
	return (uint8_t)(n * 167 + (n >> 8) * 13 + (n >> 16));
}

/* A stretch of a stream whose byte @n is byte_at(n). */
static const uint8_t *stream(uint64_t at, size_t len)
{
	static uint8_t buf[300000];

	for (size_t i = 0; i < len; i++)
		buf[i] = byte_at(at + i);
	return buf;
}

/* Bytes of [off, off + len) seen from the byte number @una of the stream. */
static uint32_t view_check(struct rig *r, uint64_t una, uint32_t off,
			   uint32_t len, unsigned int niov)
{
	struct iovec iov[NIOV];
	uint32_t got, seen = 0;
	unsigned int n, wrong = 0;

	n = sendq_view(&r->q, &r->ps, off, len, iov, niov, &got);
	CU_ASSERT(n <= niov);
	CU_ASSERT(got <= len);
	CU_ASSERT(got == len || n == niov);
	for (unsigned int i = 0; i < n; i++) {
		const uint8_t *p = iov[i].iov_base;

		CU_ASSERT(iov[i].iov_len > 0);
		for (size_t k = 0; k < iov[i].iov_len; k++)
			wrong += p[k] != byte_at(una + off + seen++);
	}
	CU_ASSERT_EQUAL(seen, got);
	CU_ASSERT_EQUAL(wrong, 0);
	return got;
}

static void nothing_queued(void)
{
	struct iovec iov[1];
	struct rig r;
	uint32_t got = 7;

	rig_init(&r, 1);
	CU_ASSERT_EQUAL(sendq_append(&r.q, &r.ps, "x", 0), 0);
	CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, "x", 0), 0);
	CU_ASSERT_EQUAL(sendq_view(&r.q, &r.ps, 0, 0, iov, 1, &got), 0);
	CU_ASSERT_EQUAL(got, 0);
	sendq_drop(&r.q, &r.ps, 0);
	sendq_clear(&r.q, &r.ps);
	CU_ASSERT_EQUAL(r.mem.arena.used, 0);
	rig_free(&r);
}

static void one_byte_takes_a_small_block(void)
{
	struct rig r;

	rig_init(&r, 1);
	CU_ASSERT_EQUAL(sendq_append(&r.q, &r.ps, stream(0, 1), 1), 1);
	CU_ASSERT_EQUAL(r.ps.small.in_use, 1);
	CU_ASSERT_EQUAL(r.ps.large.in_use, 0);
	CU_ASSERT_EQUAL(view_check(&r, 0, 0, 1, 1), 1);
	sendq_drop(&r.q, &r.ps, 1);
	CU_ASSERT_EQUAL(r.ps.small.in_use, 0);
	rig_free(&r);
}

/* Small writes fill the blocks; they do not get one each. */
static void small_writes_share_blocks(void)
{
	struct rig r;

	rig_init(&r, 10);
	for (uint32_t i = 0; i < 100000; i += 100)
		CU_ASSERT_EQUAL(sendq_append(&r.q, &r.ps, stream(i, 100), 100),
				100);
	CU_ASSERT(r.ps.small.in_use <= 5);
	CU_ASSERT(r.ps.large.in_use <= 7);
	CU_ASSERT_EQUAL(view_check(&r, 0, 0, 100000, NIOV), 100000);
	rig_free(&r);
}

/* The largest segment must be few parts for one writev(). */
static void super_segment_is_few_parts(void)
{
	struct iovec iov[NIOV];
	struct rig r;
	uint32_t got;

	rig_init(&r, 10);
	sendq_append(&r.q, &r.ps, stream(0, 200000), 200000);
	for (uint32_t off = 0; off <= 134000; off += 1000) {
		unsigned int n =
			sendq_view(&r.q, &r.ps, off, 65535, iov, NIOV, &got);

		CU_ASSERT_EQUAL(got, 65535);
		CU_ASSERT(n <= 6);
	}
	rig_free(&r);
}

static void references_are_not_copied(void)
{
	static const char page[500] = "a page that is constant";
	struct iovec iov[4];
	struct rig r;
	uint32_t got;

	rig_init(&r, 2);
	sendq_append(&r.q, &r.ps, "ab", 2);
	CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, page, sizeof(page)),
			sizeof(page));
	/* What is copied after a reference must not go into its block. */
	sendq_append(&r.q, &r.ps, "cd", 2);
	CU_ASSERT_EQUAL(
		sendq_view(&r.q, &r.ps, 1, sizeof(page) + 2, iov, 4, &got), 3);
	CU_ASSERT_EQUAL(got, sizeof(page) + 2);
	CU_ASSERT_PTR_EQUAL(iov[1].iov_base, page);
	CU_ASSERT_EQUAL(iov[1].iov_len, sizeof(page));
	CU_ASSERT_EQUAL(memcmp(iov[2].iov_base, "c", 1), 0);
	sendq_drop(&r.q, &r.ps, 7);
	CU_ASSERT_EQUAL(sendq_view(&r.q, &r.ps, 0, 3, iov, 4, &got), 1);
	CU_ASSERT_PTR_EQUAL(iov[0].iov_base, page + 5);
	rig_free(&r);
}

/* A reference to what lies behind a block's bytes is still no part of it. */
static void reference_behind_a_block(void)
{
	struct iovec iov[4];
	struct rig r;
	uint32_t got;

	rig_init(&r, 2);
	sendq_append(&r.q, &r.ps, "ab", 2);
	sendq_view(&r.q, &r.ps, 0, 2, iov, 4, &got);
	sendq_append_ref(&r.q, &r.ps, (uint8_t *)iov[0].iov_base + 2, 200);
	CU_ASSERT_EQUAL(r.ps.ref.in_use, 1);
	rig_free(&r);
}

/* Copies and references by turns, as a server of pages has them, take memory for
 * what they hold: each copy took a large block once. */
static void copies_among_references(void)
{
	const uint8_t *text = stream(0, 10000);
	struct rig r;

	rig_init(&r, 16);
	sendq_append_ref(&r.q, &r.ps, text, 4000);
	for (unsigned int i = 0; i < 100; i++) {
		CU_ASSERT_EQUAL(sendq_append(&r.q, &r.ps, text + 5000, 100),
				100);
		CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, text, 300), 300);
	}
	CU_ASSERT_EQUAL(r.ps.large.in_use, 0);
	CU_ASSERT_EQUAL(r.ps.small.in_use, 100);
	CU_ASSERT_EQUAL(r.ps.ref.in_use, 101);
	sendq_clear(&r.q, &r.ps);
	rig_free(&r);
}

/* What is too short for a reference goes to the copies behind which it comes. */
static void short_references_are_copied(void)
{
	const uint8_t *text = stream(0, 10000);
	struct rig r;

	rig_init(&r, 16);
	for (unsigned int i = 0; i < 200; i++) {
		CU_ASSERT_EQUAL(sendq_append(&r.q, &r.ps, text, 1), 1);
		CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, text + 9, 1), 1);
	}
	CU_ASSERT_EQUAL(r.q.len, 400);
	CU_ASSERT_EQUAL(r.ps.small.in_use, 1);
	CU_ASSERT_EQUAL(r.ps.ref.in_use, 0);
	sendq_clear(&r.q, &r.ps);
	rig_free(&r);
}

/* A reference that only ever grows while its front is acknowledged comes to
 * more bytes than 32 bits can count. Nobody reads them. */
static void endless_reference(void)
{
	const uintptr_t base = 1 << 20;
	struct iovec iov[4];
	struct rig r;
	uint64_t una = 0, end = 0;
	uint32_t got;

	rig_init(&r, 2);
	for (int i = 0; i < 12; i++) {
		end += sendq_append_ref(&r.q, &r.ps, (const void *)(base + end),
					0x60000000);
		CU_ASSERT_EQUAL_FATAL(r.q.len, end - una);
		sendq_view(&r.q, &r.ps, r.q.len - 1, 1, iov, 4, &got);
		CU_ASSERT_EQUAL((uintptr_t)iov[0].iov_base, base + end - 1);
		sendq_drop(&r.q, &r.ps, r.q.len - 10);
		una = end - 10;
		sendq_view(&r.q, &r.ps, 0, 10, iov, 4, &got);
		CU_ASSERT_EQUAL((uintptr_t)iov[0].iov_base, base + una);
	}
	rig_free(&r);
}

static void adjoining_references_are_one_part(void)
{
	static const uint8_t data[2000];
	struct iovec iov[4];
	struct rig r;
	uint32_t got;

	rig_init(&r, 2);
	for (int i = 0; i < 2000; i += 10)
		sendq_append_ref(&r.q, &r.ps, data + i, 10);
	CU_ASSERT_EQUAL(r.ps.ref.in_use, 1);
	CU_ASSERT_EQUAL(sendq_view(&r.q, &r.ps, 0, 2000, iov, 4, &got), 1);
	sendq_append_ref(&r.q, &r.ps, data, 1000);
	CU_ASSERT_EQUAL(r.ps.ref.in_use, 2);
	rig_free(&r);
}

/* Offsets are 32 bits wide: the queue takes half of that and no more. Nobody
 * reads the bytes. */
static void queue_has_a_limit(void)
{
	const uint8_t *data = stream(0, 1);
	struct iovec iov[4];
	struct rig r;
	uint32_t got;

	rig_init(&r, 2);
	CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, data, 0x60000000),
			0x60000000);
	CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, data, 1ull << 40),
			0x1fffffff);
	CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, data, 1), 0);
	CU_ASSERT_EQUAL(sendq_append(&r.q, &r.ps, data, 1), 0);
	CU_ASSERT_EQUAL(r.q.len, 0x7fffffff);
	sendq_drop(&r.q, &r.ps, 0x50000000);
	CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, data, 0x50000000),
			0x50000000);
	for (uint32_t off = 0; off < 0x7fff0000; off += 0x1fff0000) {
		sendq_view(&r.q, &r.ps, off, 0xffff, iov, 4, &got);
		CU_ASSERT_EQUAL(got, 0xffff);
	}
	sendq_view(&r.q, &r.ps, 0x7ffffffe, 1, iov, 4, &got);
	CU_ASSERT_EQUAL((uintptr_t)iov[0].iov_base,
			(uintptr_t)data + 0x4fffffff);
	rig_free(&r);
}

/* iovecs run out: the caller is told how far they reach. */
static void few_parts_reach_less_far(void)
{
	struct rig r;
	uint32_t got;

	rig_init(&r, 10);
	sendq_append(&r.q, &r.ps, stream(0, 100000), 100000);
	got = view_check(&r, 0, 10, 90000, 2);
	CU_ASSERT(got > 16000 && got < 33000);
	CU_ASSERT_EQUAL(view_check(&r, 0, 10, 90000, 0), 0);
	rig_free(&r);
}

/* After a view the cursor is at the last block seen, also when blocks before
 * it go: the next one in sequence has nothing to walk. */
static void cursor_follows_sending_and_acks(void)
{
	enum { LEN = 2000000, STEP = 50000 };
	struct rig r;
	uint32_t off = 0;
	uint64_t una = 0;

	rig_init(&r, 64);
	for (uint32_t at = 0; at < LEN; at += STEP)
		sendq_append(&r.q, &r.ps, stream(at, STEP), STEP);
	while (una + off + STEP <= LEN) {
		CU_ASSERT_EQUAL(view_check(&r, una, off, STEP, NIOV), STEP);
		off += STEP;
		CU_ASSERT(off - 1 - r.q.cur_off < r.ps.large.size);
		if (off > 300000) {
			sendq_drop(&r.q, &r.ps, 123457);
			off -= 123457;
			una += 123457;
			CU_ASSERT(r.q.cur != 0);
			CU_ASSERT(off - 1 - r.q.cur_off < r.ps.large.size);
		}
	}
	/* All acknowledged that was sent: the cursor's block goes as well. */
	sendq_drop(&r.q, &r.ps, off);
	una += off;
	CU_ASSERT_EQUAL(view_check(&r, una, 0, r.q.len, NIOV), r.q.len);
	rig_free(&r);
}

static void memory_runs_out(void)
{
	struct rig r, full;
	size_t taken;

	rig_init(&r, 2);
	taken = sendq_append(&r.q, &r.ps, stream(0, 300000), 300000);
	CU_ASSERT(taken > 120000 && taken < 131072);
	CU_ASSERT_EQUAL(r.q.len, taken);
	CU_ASSERT_EQUAL(view_check(&r, 0, 0, r.q.len, NIOV), taken);
	CU_ASSERT_EQUAL(sendq_append(&r.q, &r.ps, "x", 1), 0);
	CU_ASSERT_EQUAL(sendq_append_ref(&r.q, &r.ps, "x", 1), 0);
	rig_free(&r);

	/* No page for large blocks, but some small ones are left. */
	rig_init(&full, 1);
	sendq_append(&full.q, &full.ps, stream(0, 1), 1);
	taken = sendq_append(&full.q, &full.ps, stream(1, 9999), 9999);
	CU_ASSERT_EQUAL(taken, 9999);
	CU_ASSERT_EQUAL(view_check(&full, 0, 0, 10000, NIOV), 10000);
	rig_free(&full);
}

static void clear_gives_all_back(void)
{
	struct rig r;

	rig_init(&r, 64);
	sendq_append(&r.q, &r.ps, stream(0, 300000), 300000);
	sendq_append_ref(&r.q, &r.ps, "x", 1);
	sendq_clear(&r.q, &r.ps);
	CU_ASSERT(r.mem.arena.used <= 3);
	/* And the queue can be used again. */
	sendq_append(&r.q, &r.ps, stream(5, 1000), 1000);
	CU_ASSERT_EQUAL(view_check(&r, 5, 0, 1000, NIOV), 1000);
	rig_free(&r);
}

/* Against the stream itself, on memory that runs out at times. */
static void random_run(uint64_t seed)
{
	static uint8_t constant[1 << 20];
	struct rig r;
	uint64_t una = 0, end = 0;
	uint32_t off = 0, len;
	size_t n;

	rig_init(&r, 12);
	for (size_t i = 0; i < sizeof(constant); i++)
		constant[i] = byte_at(i);
	for (int step = 0; step < 2000; step++) {
		len = rig_below(&seed, 1u << rig_below(&seed, 18));
		switch (rig_below(&seed, 6)) {
		case 0:
			n = sendq_append(&r.q, &r.ps, stream(end, len), len);
			CU_ASSERT(n <= len);
			end += n;
			break;
		case 1:
			if (end + len > sizeof(constant))
				break;
			end += sendq_append_ref(&r.q, &r.ps, constant + end,
						len);
			break;
		case 2: /* acknowledged */
			if (len > r.q.len)
				len = r.q.len;
			sendq_drop(&r.q, &r.ps, len);
			una += len;
			off = off > len ? off - len : 0;
			break;
		case 3: /* sent again from anywhere */
			off = rig_below(&seed, r.q.len + 1);
			break;
		default: /* sent on */
			if (len > r.q.len - off)
				len = r.q.len - off;
			off += view_check(&r, una, off, len,
					  rig_below(&seed, NIOV));
		}
		CU_ASSERT_EQUAL(r.q.len, end - una);
	}
	rig_free(&r);
}

static void random_against_stream(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		random_run(seed);
}

static const struct unit_test tests[] = {
	UNIT_TEST(nothing_queued),
	UNIT_TEST(one_byte_takes_a_small_block),
	UNIT_TEST(small_writes_share_blocks),
	UNIT_TEST(super_segment_is_few_parts),
	UNIT_TEST(references_are_not_copied),
	UNIT_TEST(reference_behind_a_block),
	UNIT_TEST(copies_among_references),
	UNIT_TEST(short_references_are_copied),
	UNIT_TEST(endless_reference),
	UNIT_TEST(adjoining_references_are_one_part),
	UNIT_TEST(queue_has_a_limit),
	UNIT_TEST(few_parts_reach_less_far),
	UNIT_TEST(cursor_follows_sending_and_acks),
	UNIT_TEST(memory_runs_out),
	UNIT_TEST(clear_gives_all_back),
	UNIT_TEST(random_against_stream),
};

int main(int argc, char **argv)
{
	return unit_run("sendq", tests, ARRAY_LEN(tests), argc, argv);
}
