/*
 * test_capset.c - Files of frames in a wrong order, and several at once
 *
 * A file is a pcap of frames of one byte, which tells them apart.
 */
#include "../../cli/capset.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/assert.h"
#include "unit.h"

#define FILES_MAX  2
#define FRAMES_MAX 256

struct rig {
	char path[FILES_MAX][24];
	int n;
	int64_t at[FRAMES_MAX]; /* as they came */
	uint8_t name[FRAMES_MAX];
	uint64_t number[FRAMES_MAX];
	unsigned int got;
};

static void put32(FILE *f, uint32_t v)
{
	CU_ASSERT_EQUAL(fwrite(&v, sizeof(v), 1, f), 1);
}

/* A frame for each time in microseconds; its name is its place, or @first on. */
static void rig_file(struct rig *r, const uint32_t *us, unsigned int n,
		     uint8_t first)
{
	char *path = r->path[r->n++];
	FILE *f;

	strcpy(path, "/tmp/test_capset.XXXXXX");
	f = fdopen(mkstemp(path), "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	put32(f, 0xa1b2c3d4);
	put32(f, 4u << 16 | 2);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, LINK_ETHERNET);
	for (unsigned int i = 0; i < n; i++) {
		put32(f, 1);
		put32(f, us[i]);
		put32(f, 1);
		put32(f, 1);
		fputc((uint8_t)(first + i), f);
	}
	fclose(f);
}

static void rig_read(struct rig *r)
{
	char *paths[FILES_MAX] = {r->path[0], r->path[1]};
	struct capset *set = capset_open(r->n, paths);
	struct frame f[CAPSET_NEXT_MAX];
	unsigned int n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(set);
	while ((n = capset_next(set, f, CAPSET_NEXT_MAX)))
		for (unsigned int i = 0; i < n && r->got < FRAMES_MAX; i++) {
			CU_ASSERT_EQUAL(f[i].cap_len, 1);
			r->at[r->got] = (f[i].ns - 1000000000) / 1000;
			r->name[r->got] = f[i].bytes[0];
			r->number[r->got++] = f[i].number;
		}
	CU_ASSERT_EQUAL(capset_damaged(set), 0);
	capset_close(set);
	for (int i = 0; i < r->n; i++)
		unlink(r->path[i]);
}

static void in_order_they_pass(void)
{
	struct rig r = {.n = 0};
	uint32_t us[200];

	for (unsigned int i = 0; i < 200; i++)
		us[i] = 10 * i;
	rig_file(&r, us, 200, 0);
	rig_read(&r);
	CU_ASSERT_EQUAL(r.got, 200);
	for (unsigned int i = 0; i < r.got; i++) {
		CU_ASSERT_EQUAL(r.name[i], i);
		CU_ASSERT_EQUAL(r.number[i], i + 1);
	}
}

/* 63 frames too late is not too late; of each 63 the last one is the first. */
static void within_the_window_they_are_sorted(void)
{
	struct rig r = {.n = 0};
	uint32_t us[189];

	for (unsigned int i = 0; i < 189; i++)
		us[i] = i / 63 * 63 + 62 - i % 63;
	rig_file(&r, us, 189, 0);
	rig_read(&r);
	CU_ASSERT_EQUAL(r.got, 189);
	for (unsigned int i = 0; i < r.got; i++)
		CU_ASSERT_EQUAL(r.at[i], i);
	CU_ASSERT_EQUAL(r.number[0], 63); /* that of the file */
}

static void beyond_it_they_are_not(void)
{
	struct rig r = {.n = 0};
	uint32_t us[100];

	for (unsigned int i = 0; i < 100; i++)
		us[i] = i == 80 ? 0 : i + 1;
	rig_file(&r, us, 100, 0);
	rig_read(&r);
	CU_ASSERT_EQUAL(r.got, 100);
	CU_ASSERT_EQUAL(r.name[0], 0);
	CU_ASSERT_EQUAL(r.name[80 - 63], 80);
}

static void of_the_same_time_the_first_one_first(void)
{
	const uint32_t us[] = {5, 3, 3, 5, 3, 4, 4};
	const uint8_t order[] = {1, 2, 4, 5, 6, 0, 3};
	struct rig r = {.n = 0};

	rig_file(&r, us, 7, 0);
	rig_read(&r);
	CU_ASSERT_EQUAL(r.got, 7);
	CU_ASSERT_EQUAL(memcmp(r.name, order, sizeof(order)), 0);
}

static void two_files_are_merged_and_numbered(void)
{
	const uint32_t one[] = {1, 4, 5}, two[] = {2, 3, 9, 8};
	const uint8_t order[] = {0, 100, 101, 1, 2, 103, 102};
	struct rig r = {.n = 0};

	rig_file(&r, one, 3, 0);
	rig_file(&r, two, 4, 100);
	rig_read(&r);
	CU_ASSERT_EQUAL(r.got, 7);
	CU_ASSERT_EQUAL(memcmp(r.name, order, sizeof(order)), 0);
	for (unsigned int i = 0; i < r.got; i++)
		CU_ASSERT_EQUAL(r.number[i], i + 1);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(in_order_they_pass),
		UNIT_TEST(within_the_window_they_are_sorted),
		UNIT_TEST(beyond_it_they_are_not),
		UNIT_TEST(of_the_same_time_the_first_one_first),
		UNIT_TEST(two_files_are_merged_and_numbered),
	};

	return unit_run("capset", tests, ARRAY_LEN(tests), argc, argv);
}
