/*
 * test_tcp_odd.c - Text and packets that do not fit their connection
 */
#include "rig.h"

#define WANTED \
	(UINT64_C(1) << EVENT_TEXT_CONFLICT | UINT64_C(1) << EVENT_TTL_ODD)

/* How many were told since the last call, and the last of them. */
static struct event last;

static unsigned int told(enum event_type type)
{
	const struct event *e;
	unsigned int n = 0;

	while ((e = stack_event_next(rig.st)))
		if (e->type == type) {
			last = *e;
			n++;
		}
	return n;
}

static void start(void)
{
	rig.event_mask = WANTED;
	rig_established();
}

static void end(void)
{
	rig_forget();
	rig_end();
}

#define TEXT(n, ...) \
	rig_rx(SEG(.flags = TH_ACK, .seq = (n), .ack = 1001, __VA_ARGS__))

static void other_text_under_the_same_number(void)
{
	start();
	TEXT(5001, .len = 10);
	TEXT(5001, .text = "0000000000");
	rig_check(told(EVENT_TEXT_CONFLICT) == 1);
	rig_check(last.conn == 1 && last.seg_seq == 5001 && last.a == 0);
	/* Years later: it is what was received before, whatever it says. */
	rig_wait(S(1000));
	TEXT(5001, .text = "1111111111");
	rig_check(told(EVENT_TEXT_CONFLICT) == 1);
	end();
}

/* One that brings something new behind what it repeats wrongly. */
static void other_text_in_front_of_new(void)
{
	start();
	TEXT(5001, .len = 10);
	rig_conn(RIG_PEER_PORT)->reading = false;
	TEXT(5001, .text = "00000000000000");
	rig_check(told(EVENT_TEXT_CONFLICT) == 1);
	end();
}

/* Behind a hole, where nothing was read yet. */
static void other_text_out_of_order(void)
{
	start();
	TEXT(5101, .len = 10);
	TEXT(5101, .text = "0000000000");
	rig_check(told(EVENT_TEXT_CONFLICT) == 1);
	TEXT(5001, .len = 100);
	rig_check(told(EVENT_TEXT_CONFLICT) == 0);
	end();
}

/* Retransmissions that repeat, shorter, longer, or in other pieces. */
static void honest_text(void)
{
	start();
	TEXT(5001, .len = 1000);
	TEXT(5001, .len = 1000);
	TEXT(5001, .len = 5);
	TEXT(5001, .len = 1400);
	TEXT(5301, .len = 700);
	/* A keep-alive's octet is not text: RFC 1122, 4.2.3.6. */
	TEXT(5400, .len = 1);
	TEXT(5400, .text = "0");
	/* Damaged, or outside the window: not taken, not compared. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .text = "0000000000", .bad_csum = true));
	TEXT(5001 + 10000000, .text = "0000000000");
	rig_check(told(EVENT_TEXT_CONFLICT) == 0);
	end();
}

/* The same number again, when numbers have come round. */
static void text_of_a_later_lap(void)
{
	start();
	for (unsigned int i = 0; i < 20; i++) {
		TEXT(5001 + i * 100, .len = 100);
		rig_wait(MS(600));
	}
	rig_check(told(EVENT_TEXT_CONFLICT) == 0);
	end();
}

static void packets_from_elsewhere(void)
{
	start();
	for (unsigned int i = 0; i < 5; i++) {
		TEXT(5001 + i, .len = 1);
		TEXT(5001, .ttl = 49, .len = 1);
	}
	rig_check(told(EVENT_TTL_ODD) == 4);
	TEXT(5006, .len = 1);
	rig_check(told(EVENT_TTL_ODD) == 1);
	rig_check(last.a == 1 && last.b == (49 << 8 | 64) && !last.seg_flags);
	end();
}

/* After it nothing may come. */
static void a_reset_from_elsewhere(void)
{
	start();
	rig_rx(SEG(.flags = TH_RST, .seq = 9000, .ttl = 243));
	rig_check(told(EVENT_TTL_ODD) == 1);
	rig_check(last.b == (243 << 8 | 64) && last.seg_flags & TH_RST);
	end();
}

/* A route changes for good, and a bundle of paths differs by one hop. */
static void honest_paths(void)
{
	start();
	for (unsigned int i = 0; i < 10; i++)
		TEXT(5001 + i, .len = 1, .ttl = (uint8_t)(64 + i % 2));
	for (unsigned int i = 10; i < 20; i++)
		TEXT(5001 + i, .len = 1, .ttl = 50);
	rig_rx(SEG(.flags = TH_RST, .seq = 9000, .ttl = 51));
	rig_check(told(EVENT_TTL_ODD) == 0);
	end();
}

/* Nobody wants to know: nothing is remembered that could be told later. */
static void not_asked(void)
{
	rig.event_mask = UINT64_C(1) << EVENT_SYN_RECEIVED;
	rig_established();
	TEXT(5001, .len = 10);
	stack_event_mask(rig.st, WANTED);
	TEXT(5001, .text = "0000000000", .ttl = 49);
	rig_check(!told(EVENT_TEXT_CONFLICT) && !told(EVENT_TTL_ODD));
	end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(other_text_under_the_same_number),
		UNIT_TEST(other_text_in_front_of_new),
		UNIT_TEST(other_text_out_of_order),
		UNIT_TEST(honest_text),
		UNIT_TEST(text_of_a_later_lap),
		UNIT_TEST(packets_from_elsewhere),
		UNIT_TEST(a_reset_from_elsewhere),
		UNIT_TEST(honest_paths),
		UNIT_TEST(not_asked),
	};

	return rig_main("tcp_odd", tests, sizeof(tests) / sizeof(*tests), argc,
			argv);
}
