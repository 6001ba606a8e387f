/*
 * test_seq.c - Sequence numbers live on a circle
 */
#include "core/seq.h"

#include "arena_rig.h"
#include "core/assert.h"
#include "unit.h"

static void equal(void)
{
	static const tcp_seq some[] = {0, 1, 0x7fffffff, 0x80000000,
				       0xffffffff};

	for (size_t i = 0; i < ARRAY_LEN(some); i++) {
		CU_ASSERT_FALSE(seq_lt(some[i], some[i]));
		CU_ASSERT_FALSE(seq_gt(some[i], some[i]));
		CU_ASSERT_TRUE(seq_leq(some[i], some[i]));
		CU_ASSERT_TRUE(seq_geq(some[i], some[i]));
		CU_ASSERT_EQUAL(seq_diff(some[i], some[i]), 0);
	}
}

/* RFC 9293, 3.4: modulo 2^32 */
static void across_the_wrap(void)
{
	CU_ASSERT_TRUE(seq_lt(0xffffffff, 0));
	CU_ASSERT_TRUE(seq_gt(5, 0xfffffffb));
	CU_ASSERT_EQUAL(seq_diff(5, 0xfffffffb), 10);
	CU_ASSERT_EQUAL(seq_diff(0xfffffffb, 5), -10);
	CU_ASSERT_EQUAL(seq_max(0xffffffff, 0), 0);
	CU_ASSERT_EQUAL(seq_min(0xffffffff, 0), 0xffffffff);
}

/* Up to one less than half the circle ahead is later. */
static void half_the_circle(void)
{
	CU_ASSERT_TRUE(seq_lt(0, 0x7fffffff));
	CU_ASSERT_TRUE(seq_gt(0, 0x80000001));
	CU_ASSERT_TRUE(seq_lt(0x80000000, 0xffffffff));
	CU_ASSERT_TRUE(seq_gt(0x80000000, 0x7fffffff));
}

static void random_by_distance(void)
{
	uint64_t seed = 2;
	tcp_seq a, b;
	int32_t d;

	for (int i = 0; i < 20000; i++) {
		a = (tcp_seq)rig_random(&seed);
		d = (int32_t)(rig_random(&seed) >> (32 + rig_below(&seed, 31)));
		if (d == INT32_MIN)
			d = 0;
		b = a + (uint32_t)d;
		CU_ASSERT_EQUAL(seq_diff(b, a), d);
		CU_ASSERT_EQUAL(seq_lt(a, b), d > 0);
		CU_ASSERT_EQUAL(seq_leq(a, b), d >= 0);
		CU_ASSERT_EQUAL(seq_gt(a, b), d < 0);
		CU_ASSERT_EQUAL(seq_geq(a, b), d <= 0);
		CU_ASSERT_EQUAL(seq_max(a, b), d > 0 ? b : a);
		CU_ASSERT_EQUAL(seq_min(a, b), d > 0 ? a : b);
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(equal),
	UNIT_TEST(across_the_wrap),
	UNIT_TEST(half_the_circle),
	UNIT_TEST(random_by_distance),
};

int main(int argc, char **argv)
{
	return unit_run("seq", tests, ARRAY_LEN(tests), argc, argv);
}
