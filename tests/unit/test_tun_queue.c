/*
 * test_tun_queue.c - The kernel's table of interfaces
 */
#include "unit.h"

#include <string.h>

#include "core/assert.h"
#include "tun_queue.h"

#define HEAD                                                                 \
	"Inter-|   Receive                            |  Transmit\n"         \
	" face |bytes    packets errs drop fifo frame compressed multicast|" \
	"bytes    packets errs drop fifo colls carrier compressed\n"

static bool parse(const char *text, const char *name, uint64_t *lost)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	bool found = tun_queue_parse(f, name, lost);

	fclose(f);
	return found;
}

static void dropped_in_transmission(void)
{
	static const char text[] =
		HEAD "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
		     " tcphs0:18446744073709551615 2 3 4 5 6 7 8 9 10 11 "
		     "5000000000 13 14 15 16\n";
	uint64_t lost = 0;

	CU_ASSERT(parse(text, "lo", &lost));
	CU_ASSERT_EQUAL(lost, 12);
	CU_ASSERT(parse(text, "tcphs0", &lost));
	CU_ASSERT_EQUAL(lost, 5000000000);
}

/* A name is whole or not ours. */
static void others(void)
{
	static const char text[] =
		HEAD " tcphs01: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
		     "   phs0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
		     " tcphs2: 1 2 3\n";
	uint64_t lost = 77;

	CU_ASSERT(!parse(text, "tcphs0", &lost));
	CU_ASSERT(!parse(text, "tcphs2", &lost));
	CU_ASSERT(!parse(HEAD, "face ", &lost));
	CU_ASSERT_EQUAL(lost, 77);
}

/* What this kernel really says. */
static void of_this_machine(void)
{
	uint64_t lost = 77;

	CU_ASSERT(tun_queue_lost("lo", &lost));
	CU_ASSERT_EQUAL(lost, 0);
	CU_ASSERT(!tun_queue_lost("no-such-one", &lost));
}

static const struct unit_test tests[] = {
	UNIT_TEST(dropped_in_transmission),
	UNIT_TEST(others),
	UNIT_TEST(of_this_machine),
};

int main(int argc, char **argv)
{
	return unit_run("tun_queue", tests, ARRAY_LEN(tests), argc, argv);
}
