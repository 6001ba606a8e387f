/*
 * test_stack_ahead.c - A hint that must never be believed wrongly
 *
 * Enough half-open records for the hint to be taken at all; the packets are of
 * peers at different ports of one host.
 */
#include <stdlib.h>
#include <string.h>

#include "core/tcp_priv.h"
#include "packet.h"
#include "rig.h"

#define MANY	   3000
#define FIRST_PORT 20000
#define SYN_SEQ	   0x01020304

static struct packet packets[STACK_AHEAD];
static struct stack_in in[STACK_AHEAD];

static void flush(void)
{
	struct stack_pkt pkt;

	while (stack_output(rig.st, &pkt, rig.now_us))
		;
	stack_reap(rig.st, rig.now_us);
}

/* The @i-th packet to come: of peer @n, one number further than its SYN. */
static void put(unsigned int i, unsigned int n, uint8_t flags, size_t text)
{
	static const uint8_t letters[64];
	unsigned int port = FIRST_PORT + n;
	struct packet *p = &packets[i];

	packet_tcp(p, rig.v6, flags, NULL, 0, letters, text);
	p->b[p->body] = (uint8_t)(port >> 8);
	p->b[p->body + 1] = (uint8_t)port;
	p->b[p->body + 7] += !(flags & TH_SYN);
	packet_seal(p);
	in[i] = (struct stack_in){.pkt = p->b, .len = p->len};
}

static void input(unsigned int i)
{
	stack_input(rig.st, in[i].pkt, in[i].len, &in[i].meta, rig.now_us);
	stack_check(rig.st);
}

static void start(unsigned int n)
{
	rig.conf.max_half_open = rig.listener.backlog = MANY + 1000;
	rig_start();
	for (unsigned int i = 0; i < n; i++) {
		put(0, i, TH_SYN, 0);
		stack_input(rig.st, in[0].pkt, in[0].len, NULL, rig.now_us);
		flush();
	}
	CU_ASSERT_EQUAL(rig_stats().half_open, n);
}

/* More records than a turn of the rig has packets: they give up here. */
static void end(void)
{
	while (stack_deadline(rig.st) != TIME_NEVER) {
		rig.now_us += MS(100);
		stack_expire(rig.st, rig.now_us);
		flush();
	}
	rig_end();
}

static uint32_t hash_of(unsigned int n)
{
	struct tcp_key key = {
		.local = rig.v6 ? rig.conf.own6 : rig.conf.own4,
		.peer = rig.v6 ? rig.conf.host6 : rig.conf.host4,
		.local_port = RIG_PORT,
		.peer_port = (uint16_t)(FIRST_PORT + n),
	};

	return table_hash(&rig.st->table, &key);
}

/* What is asked for ahead is found: a RST for each second record. */
static void each_finds_its_record(void)
{
	start(MANY);
	for (unsigned int i = 0; i < STACK_AHEAD; i++)
		put(i, i * 181, TH_RST, 0);
	stack_ahead(rig.st, in, STACK_AHEAD);
	for (unsigned int i = 0; i < STACK_AHEAD; i++) {
		CU_ASSERT_TRUE(in[i].meta.hashed);
		CU_ASSERT_EQUAL(in[i].meta.hash, hash_of(i * 181));
		input(i);
		CU_ASSERT_EQUAL(rig_stats().half_open, MANY - 1 - i);
	}
	end();
}

/* Side by side or not, the same peer has the same hash. */
static void one_peer_again_and_again(void)
{
	start(MANY);
	for (unsigned int i = 0; i < STACK_AHEAD; i++)
		put(i, i / 3 % 2, TH_RST | TH_ACK, i % 4);
	packets[1].b[rig.v6 ? 6 : 9] = 17; /* no segment, in between */
	stack_ahead(rig.st, in, STACK_AHEAD);
	CU_ASSERT_FALSE(in[1].meta.hashed);
	for (unsigned int i = 0; i < STACK_AHEAD; i += i ? 1 : 2) {
		CU_ASSERT_TRUE(in[i].meta.hashed);
		CU_ASSERT_EQUAL(in[i].meta.hash, hash_of(i / 3 % 2));
	}
	end();
}

/* A record may go, and another come, between the hint and the packet. */
static void what_was_near_is_gone(void)
{
	start(MANY);
	put(0, 7, TH_RST, 0);
	put(1, 7, TH_SYN, 0);
	put(2, 7, TH_RST, 0);
	put(3, 7, TH_RST, 0);
	stack_ahead(rig.st, in, 4);
	input(0);
	CU_ASSERT_EQUAL(rig_stats().half_open, MANY - 1);
	input(1);
	CU_ASSERT_EQUAL(rig_stats().half_open, MANY);
	input(2);
	CU_ASSERT_EQUAL(rig_stats().half_open, MANY - 1);
	input(3);
	CU_ASSERT_EQUAL(rig_stats().half_open, MANY - 1);
	end();
}

/* Nothing is read beyond a packet's end, and what is no plain segment has no
 * hash: memory on the heap, so that the sanitizer sees it. */
static void odd_ones_are_left_alone(void)
{
	start(MANY);
	for (size_t len = 0; len < 60; len++) {
		uint8_t *short_one = malloc(len + 1);
		size_t ports = rig.v6 ? 44 : 24;

		put(0, 7, TH_RST, 0);
		memcpy(short_one + 1, packets[0].b,
		       len < packets[0].len ? len : packets[0].len);
		in[0].pkt = short_one + 1;
		in[0].len = len < packets[0].len ? len : packets[0].len;
		stack_ahead(rig.st, in, 1);
		CU_ASSERT_EQUAL(in[0].meta.hashed, len >= ports);
		free(short_one);
	}
	put(0, 7, TH_RST, 0); /* another protocol */
	packets[0].b[rig.v6 ? 6 : 9] = 17;
	put(1, 7, TH_RST, 0);
	if (!rig.v6) {
		packets[1].b[6] = 0x20; /* a first fragment, and a later one */
		put(2, 7, TH_RST, 0);
		packets[2].b[7] = 1;
		put(3, 7, TH_RST, 0); /* options behind the packet's end */
		packets[3].b[0] = 0x4f;
	} else {
		packets[1].b[6] = 44; /* the same */
		put(2, 7, TH_RST, 0);
		packets[2].b[6] = 0;
		put(3, 7, TH_RST, 0);
		packets[3].b[6] = 58;
	}
	stack_ahead(rig.st, in, 4);
	for (unsigned int i = 0; i < 4; i++) {
		CU_ASSERT_FALSE(in[i].meta.hashed);
		input(i);
	}
	CU_ASSERT_EQUAL(rig_stats().half_open, MANY);
	end();
}

/* Few records are near anyway. */
static void few_are_not_worth_it(void)
{
	start(100);
	put(0, 7, TH_RST, 0);
	stack_ahead(rig.st, in, 1);
	CU_ASSERT_FALSE(in[0].meta.hashed);
	input(0);
	CU_ASSERT_EQUAL(rig_stats().half_open, 99);
	end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(each_finds_its_record),
		UNIT_TEST(one_peer_again_and_again),
		UNIT_TEST(what_was_near_is_gone),
		UNIT_TEST(odd_ones_are_left_alone),
		UNIT_TEST(few_are_not_worth_it),
	};

	return rig_main("stack_ahead", tests, sizeof(tests) / sizeof(*tests),
			argc, argv);
}
