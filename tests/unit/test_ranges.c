/*
 * test_ranges.c - Ranges of sequence numbers
 */
#include "core/ranges.h"

#include <string.h>

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

#define ROOM 16

/* An empty set with room for ROOM ranges. */
#define RANGES(rs)                \
	struct range room_[ROOM]; \
	struct ranges rs;         \
                                  \
	ranges_init(&rs, room_, ROOM)

static void expect(const struct ranges *rs, uint32_t n, const struct range *r)
{
	CU_ASSERT_EQUAL_FATAL(rs->n, n);
	CU_ASSERT_EQUAL(memcmp(rs->r, r, n * sizeof(*r)), 0);
}

static void apart_in_any_order(void)
{
	static const struct range want[] = {{10, 20}, {30, 40}, {50, 60}};
	RANGES(rs);

	CU_ASSERT_TRUE(ranges_add(&rs, 30, 40));
	CU_ASSERT_TRUE(ranges_add(&rs, 50, 60));
	CU_ASSERT_TRUE(ranges_add(&rs, 10, 20));
	expect(&rs, 3, want);
	CU_ASSERT_EQUAL(ranges_bytes(&rs), 30);
}

static void touching_are_joined(void)
{
	static const struct range want[] = {{5, 45}};
	RANGES(rs);

	ranges_add(&rs, 10, 20);
	ranges_add(&rs, 30, 40);
	CU_ASSERT_TRUE(ranges_add(&rs, 5, 10));
	CU_ASSERT_TRUE(ranges_add(&rs, 40, 45));
	CU_ASSERT_EQUAL(rs.n, 2);
	CU_ASSERT_TRUE(ranges_add(&rs, 20, 30));
	expect(&rs, 1, want);
}

static void overlapping_are_joined(void)
{
	static const struct range want[] = {{5, 70}, {90, 95}};
	RANGES(rs);

	ranges_add(&rs, 10, 20);
	ranges_add(&rs, 30, 40);
	ranges_add(&rs, 50, 60);
	ranges_add(&rs, 90, 95);
	CU_ASSERT_TRUE(ranges_add(&rs, 33, 37)); /* in one already */
	CU_ASSERT_EQUAL(rs.n, 4);
	CU_ASSERT_TRUE(ranges_add(&rs, 5, 70));
	expect(&rs, 2, want);
}

static void empty_adds_nothing(void)
{
	RANGES(rs);

	CU_ASSERT_TRUE(ranges_add(&rs, 7, 7));
	CU_ASSERT_EQUAL(rs.n, 0);
	CU_ASSERT_EQUAL(ranges_bytes(&rs), 0);
	CU_ASSERT_FALSE(ranges_has(&rs, 7, 8));
	ranges_trim(&rs, 100);
	CU_ASSERT_EQUAL(rs.n, 0);
}

static void one_too_many_changes_nothing(void)
{
	struct range was[ROOM], more[ROOM + 1];
	RANGES(rs);

	for (uint32_t i = 0; i < ROOM; i++) {
		CU_ASSERT_TRUE(ranges_fit(&rs, 10 * i, 10 * i + 5));
		CU_ASSERT_TRUE(ranges_add(&rs, 10 * i, 10 * i + 5));
	}
	memcpy(was, rs.r, sizeof(was));
	CU_ASSERT_FALSE(ranges_fit(&rs, 6, 8));
	CU_ASSERT_FALSE(ranges_add(&rs, 6, 8));
	CU_ASSERT_FALSE(ranges_add(&rs, 1000, 1001));
	CU_ASSERT_FALSE(ranges_fit(&rs, 0u - 10, 0u - 5));
	CU_ASSERT_FALSE(ranges_add(&rs, 0u - 10, 0u - 5));
	CU_ASSERT_TRUE(ranges_fit(&rs, 8, 8));
	expect(&rs, ROOM, was);
	/* One that joins needs no place. */
	CU_ASSERT_TRUE(ranges_fit(&rs, 5, 10));
	CU_ASSERT_TRUE(ranges_add(&rs, 5, 10));
	CU_ASSERT_EQUAL(rs.n, ROOM - 1);
	CU_ASSERT_TRUE(ranges_add(&rs, 1000, 1001));
	/* Elsewhere there is more room. */
	ranges_move(&rs, more, ROOM + 1);
	memset(room_, 0, sizeof(room_));
	CU_ASSERT_TRUE(ranges_add(&rs, 2000, 2001));
	CU_ASSERT_EQUAL(rs.n, ROOM + 1);
	CU_ASSERT_TRUE(ranges_has(&rs, 0, 15));
	CU_ASSERT_FALSE(ranges_fit(&rs, 3000, 3001));
}

static void trim_before_inside_and_behind(void)
{
	static const struct range cut[] = {{35, 40}, {50, 60}};
	RANGES(rs);

	ranges_add(&rs, 10, 20);
	ranges_add(&rs, 30, 40);
	ranges_add(&rs, 50, 60);
	ranges_trim(&rs, 10);
	CU_ASSERT_EQUAL(rs.n, 3);
	ranges_trim(&rs, 20);
	CU_ASSERT_EQUAL(rs.n, 2);
	ranges_trim(&rs, 35);
	expect(&rs, 2, cut);
	ranges_trim(&rs, 60);
	CU_ASSERT_EQUAL(rs.n, 0);
}

static void has_within_one_range_only(void)
{
	RANGES(rs);

	ranges_add(&rs, 10, 20);
	ranges_add(&rs, 21, 30);
	CU_ASSERT_TRUE(ranges_has(&rs, 10, 20));
	CU_ASSERT_TRUE(ranges_has(&rs, 25, 26));
	CU_ASSERT_FALSE(ranges_has(&rs, 9, 11));
	CU_ASSERT_FALSE(ranges_has(&rs, 19, 21));
	CU_ASSERT_FALSE(ranges_has(&rs, 15, 25));
}

/* RFC 9293, 3.4: the numbers wrap, also within a range. */
static void across_the_wrap(void)
{
	static const struct range want[] = {{0xffffff00, 0x10}, {0x20, 0x30}};
	RANGES(rs);

	ranges_add(&rs, 0x20, 0x30);
	ranges_add(&rs, 0, 0x10);
	ranges_add(&rs, 0xffffff00, 0);
	expect(&rs, 2, want);
	CU_ASSERT_EQUAL(ranges_bytes(&rs), 0x120);
	CU_ASSERT_TRUE(ranges_has(&rs, 0xfffffff0, 5));
	ranges_trim(&rs, 0xffffffff);
	CU_ASSERT_EQUAL(rs.r[0].start, 0xffffffff);
	ranges_trim(&rs, 0x11);
	CU_ASSERT_EQUAL(rs.n, 1);
}

/* Against an array of flags that begins shortly before the numbers wrap. */
#define SPAN  400
#define FIRST (0u - SPAN / 2)

static uint32_t runs(const bool *in)
{
	uint32_t n = in[0];

	for (int i = 1; i < SPAN; i++)
		n += in[i] && !in[i - 1];
	return n;
}

static void compare(const struct ranges *rs, const bool *in)
{
	uint32_t bytes = 0;

	CU_ASSERT_EQUAL_FATAL(rs->n, runs(in));
	for (uint32_t i = 0; i < SPAN; i++) {
		bytes += in[i];
		CU_ASSERT_EQUAL(ranges_has(rs, FIRST + i, FIRST + i + 1),
				in[i]);
	}
	CU_ASSERT_EQUAL(ranges_bytes(rs), bytes);
	for (uint32_t i = 1; i < rs->n; i++)
		CU_ASSERT(seq_lt(rs->r[i - 1].end, rs->r[i].start));
}

static void random_against_flags(void)
{
	bool in[SPAN] = {false}, would[SPAN], fit;
	uint32_t at, len, refused = 0;
	struct range was[ROOM];
	uint64_t seed = 5;
	RANGES(rs);

	for (int step = 0; step < 5000; step++) {
		at = rig_below(&seed, SPAN - 20);
		len = rig_below(&seed, 20);
		if (rig_below(&seed, 20) == 0) {
			ranges_trim(&rs, FIRST + at);
			memset(in, 0, at);
		} else {
			memcpy(would, in, sizeof(in));
			memset(would + at, true, len);
			memcpy(was, rs.r, rs.n * sizeof(was[0]));
			fit = ranges_fit(&rs, FIRST + at, FIRST + at + len);
			if (ranges_add(&rs, FIRST + at, FIRST + at + len)) {
				CU_ASSERT_TRUE(fit);
				memcpy(in, would, sizeof(in));
			} else {
				CU_ASSERT_FALSE(fit);
				CU_ASSERT(runs(would) > ROOM);
				expect(&rs, ROOM, was);
				refused++;
			}
		}
		compare(&rs, in);
	}
	CU_ASSERT(refused > 0);
}

static const struct unit_test tests[] = {
	UNIT_TEST(apart_in_any_order),
	UNIT_TEST(touching_are_joined),
	UNIT_TEST(overlapping_are_joined),
	UNIT_TEST(empty_adds_nothing),
	UNIT_TEST(one_too_many_changes_nothing),
	UNIT_TEST(trim_before_inside_and_behind),
	UNIT_TEST(has_within_one_range_only),
	UNIT_TEST(across_the_wrap),
	UNIT_TEST(random_against_flags),
};

int main(int argc, char **argv)
{
	return unit_run("ranges", tests, ARRAY_LEN(tests), argc, argv);
}
