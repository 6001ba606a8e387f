/*
 * test_tcp_early.c - Text beyond holes, when memory is short (RFC 2018, 8)
 *
 * A greedy peer, and an honest one beside it. The stack has 16 blocks for text
 * of this kind when memory is short, of 4 KiB each. A byte in each of 15, and
 * their ranges in the last one, is what it takes to fill them.
 */
#include <string.h>

#include "core/tcp_priv.h"
#include "rig.h"

#define PAGES_TAG 255 /* no pool of the stack has it */
#define GREEDY	  40001
#define OTHER	  40002
#define STEP	  4052 /* bytes of a block */
#define BLOCKS	  16
#define BYTES	  (BLOCKS - 1)

static void *pages[64];
static size_t npages;

/* All pages but @left are gone. */
static void starve(uint32_t left)
{
	struct arena *a = &rig.st->arena;

	while (arena_left(a) > left) {
		ASSERT(npages < ARRAY_LEN(pages));
		pages[npages] = arena_page(a, PAGES_TAG);
		ASSERT(pages[npages]);
		npages++;
	}
	stack_check(rig.st);
}

static void end(void)
{
	while (npages)
		arena_page_free(&rig.st->arena, pages[--npages]);
	rig_end();
}

static void rx_text(uint16_t port, tcp_seq seq, uint32_t len)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001, .len = len,
		   .peer_port = port));
}

static void handshake(uint16_t port)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = RIG_IRS, MSS(RIG_PEER_MSS),
			  SACK_OK, .peer_port = port));
}

static void open_both(void)
{
	rig.memory = STACK_MEM_MIN;
	handshake(RIG_PEER_PORT);
	handshake(GREEDY);
}

/* The first byte is missing, and then one comes for each block. */
static void rx_bytes(uint16_t port, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		rx_text(port, 5002 + i * STEP, 1);
	rig_forget();
}

static uint32_t held(uint16_t port)
{
	struct conn_info info = {0};

	rig_info(port, &info);
	return info.recv_ooo;
}

static uint64_t evicted(void)
{
	return rig_dropped(DROP_OOO_EVICTED);
}

/* Who is honest finds room, and takes it from the far end of the other. */
static void greedy_gives_way(void)
{
	open_both();
	starve(5);
	rx_bytes(GREEDY, 0, BYTES);
	rig_check(held(GREEDY) == BYTES);
	rx_text(RIG_PEER_PORT, 6001, 1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK(6001, 7001)));
	rig_check(evicted() == 1);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 1);
	rig_check(held(GREEDY) == BYTES - 1);
	rig_check(held(RIG_PEER_PORT) == 1000);
	rx_text(RIG_PEER_PORT, 5001, 1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 7001));
	rig_check(rig_only()->received == 2000);
	rig_check(rig_dropped(DROP_MEMORY) == 0);
	end();
}

/* RFC 2018, 8: ACKs do not tell of it any more, and when it comes again it is
 * not said to have come twice. */
static void greedy_is_told_the_truth(void)
{
	tcp_seq last = 5002 + (BYTES - 1) * STEP;

	open_both();
	starve(5);
	rx_bytes(GREEDY, 0, 1);
	rx_bytes(GREEDY, 2, BYTES - 1);
	rx_text(GREEDY, last, 1);
	rx_text(GREEDY, 5002 + STEP, 1);
	rig_forget();
	rx_text(RIG_PEER_PORT, 6001, 1);
	rig_forget();
	rig_check(evicted() == 1);
	/* The last one was told twice, and is gone. */
	rx_text(GREEDY, 5002 + STEP, 1);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       .peer_port = GREEDY, .nsack = 4,
		       .sack = {{5002 + STEP, 5003 + STEP},
				{5002 + STEP, 5003 + STEP},
				{last - STEP, last - STEP + 1},
				{last - 2 * STEP, last - 2 * STEP + 1}}));
	rx_text(RIG_PEER_PORT, 5001, 1000);
	rig_forget();
	rx_text(GREEDY, last, 1);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       .peer_port = GREEDY, .nsack = 4,
		       .sack = {{last, last + 1},
				{5002 + STEP, 5003 + STEP},
				{last - STEP, last - STEP + 1},
				{last - 2 * STEP, last - 2 * STEP + 1}}));
	end();
}

/* What was given up comes again, and nothing is lost or wrong. */
static void greedy_goes_on(void)
{
	uint32_t len = 15 * STEP + 3000;

	open_both();
	starve(5);
	for (uint32_t at = 1000; at < len; at += 1000)
		rx_text(GREEDY, 5001 + at, at + 1000 < len ? 1000 : len - at);
	rx_text(RIG_PEER_PORT, 6001, 1000);
	rig_check(evicted() == 1);
	rig_forget();
	for (uint32_t at = 0; at < len; at += 1000)
		rx_text(GREEDY, 5001 + at, at + 1000 < len ? 1000 : len - at);
	rig_forget();
	rig_check(rig_conn(GREEDY)->received == len);
	rig_check(held(RIG_PEER_PORT) == 1000);
	end();
}

/* It has no more than all there is, and does not get it from who has less. */
static void greedy_gets_no_more(void)
{
	open_both();
	starve(5);
	rx_text(RIG_PEER_PORT, 6001, 1000);
	rx_bytes(GREEDY, 0, BYTES - 1);
	rig_check(held(GREEDY) == BYTES - 1);
	rx_bytes(GREEDY, BYTES - 1, BYTES);
	rig_check(held(GREEDY) == BYTES - 1);
	rig_check(held(RIG_PEER_PORT) == 1000);
	rig_check(evicted() == 0);
	rig_check(rig_dropped(DROP_MEMORY) == 1);
	end();
}

/* Nearer text is worth more than what lies farther ahead, of its own. */
static void greedy_prefers_what_is_near(void)
{
	open_both();
	starve(5);
	rx_text(RIG_PEER_PORT, 6001, 1000);
	rx_bytes(GREEDY, 1, BYTES);
	rig_check(held(GREEDY) == BYTES - 1);
	rx_bytes(GREEDY, 0, 1);
	rig_check(held(GREEDY) == BYTES - 1);
	rig_check(evicted() == 1);
	rx_bytes(GREEDY, BYTES - 1, BYTES); /* the one it lost */
	rig_check(held(GREEDY) == BYTES - 1);
	rig_check(rig_dropped(DROP_MEMORY) == 1);
	rig_check(held(RIG_PEER_PORT) == 1000);
	end();
}

/* Two of the same kind share what there is, and a third one, too. */
static void equals_share(void)
{
	open_both();
	handshake(OTHER);
	starve(5);
	rx_bytes(GREEDY, 0, BYTES);
	rx_bytes(OTHER, 0, BYTES);
	rig_check(held(GREEDY) == BYTES / 2);
	rig_check(held(OTHER) == BYTES / 2);
	rx_bytes(GREEDY, 0, BYTES);
	rig_check(held(GREEDY) == BYTES / 2);
	rig_check(held(OTHER) == BYTES / 2);
	/* The ranges of four need no block. */
	rx_bytes(RIG_PEER_PORT, 0, BYTES);
	rig_check(held(RIG_PEER_PORT) == 5);
	rig_check(held(GREEDY) >= 4 && held(GREEDY) <= 5);
	rig_check(held(OTHER) >= 4 && held(OTHER) <= 5);
	end();
}

/* What it takes to remember holes counts like text. */
static void holes_count(void)
{
	open_both();
	starve(5);
	rx_bytes(GREEDY, 0, 7);
	for (unsigned int i = 0; i < 8; i++)
		rx_text(RIG_PEER_PORT, 5002 + i * STEP, STEP);
	rig_forget();
	rx_bytes(GREEDY, 7, 8);
	rig_check(held(GREEDY) == 7);
	rig_check(held(RIG_PEER_PORT) == 8 * STEP);
	rig_check(evicted() == 0);
	rig_check(rig_dropped(DROP_MEMORY) == 1);
	end();
}

/* While there is memory nobody is asked, and no share is fixed. */
static void plenty(void)
{
	open_both();
	rig_check(stack_pages_left(rig.st) > 8);
	rx_bytes(GREEDY, 0, BYTES);
	rx_bytes(RIG_PEER_PORT, 0, BYTES);
	rig_check(held(GREEDY) == BYTES);
	rig_check(held(RIG_PEER_PORT) == BYTES);
	rig_check(evicted() == 0);
	end();
}

/* No memory at all: text in order takes what text beyond a hole has, */
static void in_order_without_memory(void)
{
	open_both();
	rig_read_stop();
	starve(5); /* for blocks, and for active records, with three to spare */
	rx_bytes(GREEDY, 0, BYTES);
	starve(0);
	rig_check(held(GREEDY) == BYTES);
	for (unsigned int i = 0; i < 3; i++)
		rx_text(RIG_PEER_PORT, 5001 + i * STEP, STEP);
	rig_check(evicted() == 3);
	rig_check(held(GREEDY) == BYTES - 3);
	/* but not from who has less than its owner leaves unread. */
	for (unsigned int i = 3; i < BLOCKS - 1; i++)
		rx_text(RIG_PEER_PORT, 5001 + i * STEP, STEP);
	rig_check(held(GREEDY) == BYTES / 2);
	rig_check(evicted() == BLOCKS / 2);
	rig_check(rig_dropped(DROP_MEMORY) > 0);
	rig_forget();
	rig_read_on();
	rig_check(rig_only()->received == BLOCKS / 2 * STEP);
	end();
}

/* Half of a segment finds room, and then the other half. */
static void in_order_in_parts(void)
{
	open_both();
	rig_read_stop();
	starve(5);
	rx_bytes(GREEDY, 0, BYTES);
	starve(0);
	rig_rx_super(
		SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 5 * STEP),
		1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001 + 5 * STEP));
	rig_check(evicted() == 5);
	rig_read_on();
	rig_check(rig_only()->received == 5 * STEP);
	end();
}

/* Its own text beyond a hole goes for what fills the hole. */
static void in_order_for_its_own(void)
{
	open_both();
	rig_read_stop();
	starve(5);
	rx_bytes(RIG_PEER_PORT, 1, BYTES);
	rx_text(GREEDY, 6001, 1);
	rig_forget();
	starve(0);
	rx_text(RIG_PEER_PORT, 5001, 1);
	rig_check(evicted() == 1);
	rig_forget();
	rig_check(held(RIG_PEER_PORT) == BYTES - 2);
	rig_check(held(GREEDY) == 1);
	rig_read_on();
	rig_check(rig_only()->received == 1);
	end();
}

/* Who is gone holds nothing that could be taken, and leaves room. */
static void nothing_of_the_dead(void)
{
	open_both();
	handshake(OTHER);
	starve(5);
	rx_bytes(GREEDY, 0, 9);
	rx_bytes(OTHER, 0, 4);
	rig_hold();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = GREEDY));
	rx_text(RIG_PEER_PORT, 5002, 3 * STEP);
	rig_release();
	rig_forget();
	rig_check(held(OTHER) == 3);
	rig_check(held(RIG_PEER_PORT) == 3 * STEP);
	rx_text(RIG_PEER_PORT, 5002 + 3 * STEP, 8 * STEP);
	rig_check(held(OTHER) == 3);
	rig_check(held(RIG_PEER_PORT) == 11 * STEP);
	rig_forget();
	rig_check(evicted() == 1);
	end();
}

/* A hole that is filled, and text that is read, change what somebody holds;
 * stack_check() compares. */
static void rank_follows(void)
{
	open_both();
	rig_read_stop();
	rx_bytes(RIG_PEER_PORT, 0, 4);
	rx_text(RIG_PEER_PORT, 5001, STEP);
	rx_text(RIG_PEER_PORT, 5001 + STEP, 1);
	rig_read(STEP / 2);
	rig_read(STEP / 2 + 2);
	rig_read_on();
	rx_text(RIG_PEER_PORT, 5002 + STEP, 2 * STEP);
	rig_forget();
	rig_check(held(RIG_PEER_PORT) == 0);
	rig_check(rig_only()->received == 3 * STEP + 2);
	end();
}

/* Text of more blocks than there are: the end of it does not give way to its
 * own middle. It did so for ever (found by fuzz_stack). */
static void too_long_at_once(void)
{
	open_both();
	starve(5);
	rx_bytes(GREEDY, 0, BYTES);
	rx_text(RIG_PEER_PORT, 5002, 60000);
	rig_check(held(RIG_PEER_PORT) >= BLOCKS / 2 * STEP);
	rig_check(held(RIG_PEER_PORT) < 60000);
	rig_check(held(GREEDY) >= BLOCKS / 2 - 1);
	rig_forget();
	end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(greedy_gives_way),
	UNIT_TEST(greedy_is_told_the_truth),
	UNIT_TEST(greedy_goes_on),
	UNIT_TEST(greedy_gets_no_more),
	UNIT_TEST(greedy_prefers_what_is_near),
	UNIT_TEST(equals_share),
	UNIT_TEST(holes_count),
	UNIT_TEST(plenty),
	UNIT_TEST(in_order_without_memory),
	UNIT_TEST(in_order_in_parts),
	UNIT_TEST(in_order_for_its_own),
	UNIT_TEST(nothing_of_the_dead),
	UNIT_TEST(rank_follows),
	UNIT_TEST(too_long_at_once),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_early", tests, ARRAY_LEN(tests), argc, argv);
}
