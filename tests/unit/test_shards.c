/*
 * test_shards.c - Several stacks as one
 */
#include "shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define N      2
#define MEMORY STACK_MEM_MIN

static const struct tcp_service silent = {.name = "silent"};

static struct shards shards;
static void *memory[N + 1];
static struct stack *names;

static void start(void)
{
	static const uint8_t seed[32] = {1};
	struct stack *st[N + 1];

	rig_start();
	for (unsigned int i = 0; i <= N; i++) {
		memory[i] = aligned_alloc(STACK_ALIGN, MEMORY);
		CU_ASSERT_PTR_NOT_NULL_FATAL(memory[i]);
		memset(memory[i], 0, MEMORY);
		st[i] = stack_init(memory[i], MEMORY, stack_conf(rig.st), seed,
				   1);
		CU_ASSERT_PTR_NOT_NULL_FATAL(st[i]);
	}
	names = st[N];
	CU_ASSERT_EQUAL_FATAL(shards_many(&shards, st, N, names), 0);
	shards_release_all(&shards);
}

static void stop(void)
{
	shards_free(&shards);
	for (unsigned int i = 0; i <= N; i++)
		free(memory[i]);
	rig_end();
}

static int listen_at(const char *name, uint16_t port)
{
	struct stack_listener l = {
		.service = &silent,
		.port = port,
		.enabled = true,
		.backlog = 9,
		.max_connections = 3,
	};

	snprintf(l.name, sizeof(l.name), "%s", name);
	return shards_listen(&shards, &l);
}

static const char *name_at(struct stack *st, int index)
{
	static struct listener_info info;

	return stack_listener_info(st, (unsigned int)index, &info)
		       ? info.conf.name
		       : "";
}

/* A SYN into one of them: the listener's slot there is held by it. */
static void syn_into(struct stack *st, uint16_t port)
{
	uint8_t pkt[RIG_PACKET_MAX];
	uint32_t len = rig_packet(
		pkt, SEG(.flags = TH_SYN, .seq = 5000, .port = port));

	stack_input(st, pkt, len, NULL, stack_now(st) + 1);
}

static void rates_are_shared_rounded_up(void)
{
	struct stack_conf c = {
		.max_connections = 9,
		.max_half_open = 1,
		.max_per_source = 9,
		.rst_rate = 0,
		.challenge_ack_rate = 1,
		.icmp_rate = 10,
	};

	shards_share(&c, 4);
	CU_ASSERT_EQUAL(c.max_connections, 9);
	CU_ASSERT_EQUAL(c.max_half_open, 1);
	CU_ASSERT_EQUAL(c.max_per_source, 3);
	CU_ASSERT_EQUAL(c.rst_rate, 0);
	CU_ASSERT_EQUAL(c.challenge_ack_rate, 1);
	CU_ASSERT_EQUAL(c.icmp_rate, 10);
}

/* A listener was removed, but in one shard somebody is still there. */
static void an_index_means_the_same_everywhere(void)
{
	int a, b, again;

	start();
	a = listen_at("a", 1000);
	syn_into(shards.st[1], 1000);
	shards_unlisten(&shards, "a");
	CU_ASSERT_STRING_EQUAL(name_at(shards.st[0], a), "");
	CU_ASSERT_STRING_EQUAL(name_at(shards.st[1], a), "a");
	b = listen_at("b", 1000);
	CU_ASSERT_NOT_EQUAL(a, b);
	for (unsigned int i = 0; i < N; i++)
		CU_ASSERT_STRING_EQUAL(name_at(shards.st[i], b), "b");
	CU_ASSERT_STRING_EQUAL(name_at(names, b), "b");
	/* Its events have a name as long as they may come. */
	CU_ASSERT_STRING_EQUAL(name_at(names, a), "a");
	again = listen_at("a", 2000);
	CU_ASSERT_EQUAL(again, a);
	for (unsigned int i = 0; i < N; i++)
		CU_ASSERT_STRING_EQUAL(name_at(shards.st[i], a), "a");
	stop();
}

static bool count_one(struct stack *st, struct tcp_conn *c,
		      const struct conn_info *info, void *arg)
{
	(void)st;
	(void)c;
	(void)info;
	++*(unsigned int *)arg;
	return true;
}

static void walks_and_sums_take_all(void)
{
	unsigned int n = 0, steps = 0;
	struct stack_stats stats;
	struct listener_info info;
	uint64_t cursor = 0;
	int i;

	start();
	i = listen_at("a", 1000);
	syn_into(shards.st[0], 1000);
	syn_into(shards.st[1], 1000);
	shards_stats(&shards, &stats);
	CU_ASSERT_EQUAL(stats.half_open, 2);
	CU_ASSERT_EQUAL(stats.syns_in, 2);
	CU_ASSERT_TRUE(shards_listener_info(&shards, (unsigned int)i, &info));
	CU_ASSERT_EQUAL(info.half_open, 2);
	while (shards_walk(&shards, &cursor, 1, 10, count_one, &n))
		CU_ASSERT_TRUE_FATAL(++steps < 1000);
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_EQUAL(shards_enable(&shards, "a", false), 0);
	CU_ASSERT_TRUE(shards_listener_info(&shards, (unsigned int)i, &info));
	CU_ASSERT_FALSE(info.conf.enabled);
	stop();
}

#define HOLDS	  200
#define TURNS_MAX 200000000u

static unsigned int turns; /* guarded by shard 0, as are these */
static bool inside, clash, enough;

static void *take_turns(void *arg)
{
	bool more = true;

	(void)arg;
	while (more) {
		shards_enter(&shards, 0);
		clash |= inside;
		inside = true;
		more = ++turns < TURNS_MAX && !enough;
		inside = false;
		shards_leave(&shards, 0);
	}
	return NULL;
}

/* Whoever holds a shard is alone, and gets in although it is always busy. */
static void a_held_shard_stands_still(void)
{
	unsigned int seen;
	pthread_t id;

	start();
	turns = 0;
	enough = false;
	CU_ASSERT_EQUAL_FATAL(pthread_create(&id, NULL, take_turns, NULL), 0);
	for (unsigned int held = 1; held <= HOLDS; held++) {
		shards_hold(&shards, 0);
		shards_hold(&shards, 0); /* may be nested */
		clash |= inside;
		inside = true;
		seen = turns;
		shards_release(&shards, 0);
		inside = false;
		clash |= turns != seen;
		enough = held == HOLDS;
		shards_release(&shards, 0);
	}
	pthread_join(id, NULL);
	CU_ASSERT_FALSE(clash);
	CU_ASSERT_TRUE(turns < TURNS_MAX);
	stop();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(rates_are_shared_rounded_up),
		UNIT_TEST(an_index_means_the_same_everywhere),
		UNIT_TEST(walks_and_sums_take_all),
		UNIT_TEST(a_held_shard_stands_still),
	};

	return rig_main("shards", tests, ARRAY_LEN(tests), argc, argv);
}
