/*
 * test_spsc.c - Records from one thread to another
 */
#include "spsc.h"

#include <pthread.h>
#include <string.h>

#include "unit.h"

#define RING 4096

static struct spsc ring;

static bool put(uint32_t number, size_t len, size_t spare)
{
	uint8_t *to = spsc_put(&ring, len, spare);

	if (!to)
		return false;
	memset(to, (int)(number & 0xff), len);
	spsc_commit(&ring);
	return true;
}

/* Its length, if it is record @number and whole; else 0. */
static size_t get(uint32_t number)
{
	size_t len;
	const uint8_t *at = spsc_peek(&ring, &len);

	if (!at)
		return 0;
	for (size_t i = 0; i < len; i++)
		if (at[i] != (uint8_t)number)
			return 0;
	spsc_next(&ring);
	return len;
}

static void come_out_as_they_went_in(void)
{
	size_t len;

	CU_ASSERT_EQUAL_FATAL(spsc_init(&ring, RING), 0);
	CU_ASSERT_PTR_NULL(spsc_peek(&ring, &len));
	for (uint32_t i = 1; i <= 3; i++)
		CU_ASSERT_TRUE(put(i, i * 100, 0));
	for (uint32_t i = 1; i <= 3; i++)
		CU_ASSERT_EQUAL(get(i), i * 100);
	CU_ASSERT_PTR_NULL(spsc_peek(&ring, &len));
	spsc_free(&ring);
}

/* What is not complete is not there. */
static void nothing_before_the_commit(void)
{
	size_t len;

	CU_ASSERT_EQUAL_FATAL(spsc_init(&ring, RING), 0);
	CU_ASSERT_PTR_NOT_NULL(spsc_put(&ring, 10, 0));
	CU_ASSERT_PTR_NULL(spsc_peek(&ring, &len));
	spsc_commit(&ring);
	CU_ASSERT_PTR_NOT_NULL(spsc_peek(&ring, &len));
	spsc_free(&ring);
}

/* Every length, many times around the end of the ring. */
static void in_one_piece_wherever_the_end_is(void)
{
	CU_ASSERT_EQUAL_FATAL(spsc_init(&ring, RING), 0);
	for (uint32_t i = 0; i < 3000; i++) {
		CU_ASSERT_TRUE_FATAL(put(i, i % 777 + 1, 0));
		CU_ASSERT_EQUAL_FATAL(get(i), i % 777 + 1);
	}
	CU_ASSERT_EQUAL(spsc_lost(&ring), 0);
	spsc_free(&ring);
}

static void a_full_ring_loses_and_counts(void)
{
	uint32_t n = 0, kept;

	CU_ASSERT_EQUAL_FATAL(spsc_init(&ring, RING), 0);
	while (put(n, 100, 0))
		n++;
	kept = n;
	CU_ASSERT_EQUAL(kept, RING / (100 + 4 + 8));
	CU_ASSERT_FALSE(put(n, 100, 0));
	CU_ASSERT_EQUAL(spsc_lost(&ring), 2);
	for (n = 0; n < kept; n++)
		CU_ASSERT_EQUAL(get(n), 100);
	CU_ASSERT_TRUE(put(n, 100, 0));
	spsc_free(&ring);
}

static void room_is_kept_for_what_matters_more(void)
{
	uint32_t n = 0;

	CU_ASSERT_EQUAL_FATAL(spsc_init(&ring, RING), 0);
	while (put(n, 100, RING / 8))
		n++;
	CU_ASSERT_TRUE(put(n, RING / 8 - 100, 0));
	spsc_free(&ring);
}

#define MANY 200000u

static void *write_many(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < MANY;)
		if (put(i, i % 61 + 1, 0))
			i++;
	return NULL;
}

static void two_threads(void)
{
	uint32_t wrong = 0;
	pthread_t id;
	size_t len;

	CU_ASSERT_EQUAL_FATAL(spsc_init(&ring, RING), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&id, NULL, write_many, NULL), 0);
	for (uint32_t i = 0; i < MANY;) {
		if (!spsc_peek(&ring, &len))
			continue;
		wrong += get(i) != i % 61 + 1;
		i++;
	}
	pthread_join(id, NULL);
	CU_ASSERT_EQUAL(wrong, 0);
	spsc_free(&ring);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(come_out_as_they_went_in),
		UNIT_TEST(nothing_before_the_commit),
		UNIT_TEST(in_one_piece_wherever_the_end_is),
		UNIT_TEST(a_full_ring_loses_and_counts),
		UNIT_TEST(room_is_kept_for_what_matters_more),
		UNIT_TEST(two_threads),
	};

	return unit_run("spsc", tests, sizeof(tests) / sizeof(tests[0]), argc,
			argv);
}
