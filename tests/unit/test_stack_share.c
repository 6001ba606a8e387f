/*
 * test_stack_share.c - A stack that is one of several
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/wire.h"
#include "rig.h"

static const struct tcp_service silent = {.name = "silent"};

static uint32_t last_id;
static unsigned int asked;
static uint32_t shown; /* bytes of the last whole packet */
static bool taken;

static bool odd_ports(void *ctx, const struct ip_addr *local,
		      uint16_t local_port, const struct ip_addr *peer,
		      uint16_t peer_port)
{
	(void)ctx;
	asked++;
	CU_ASSERT_EQUAL(memcmp(local, &rig.own, sizeof(*local)), 0);
	CU_ASSERT_EQUAL(memcmp(peer, &rig.peer, sizeof(*peer)), 0);
	CU_ASSERT_EQUAL(peer_port, 7);
	return local_port % 2;
}

static bool take_whole(void *ctx, const void *pkt, size_t len)
{
	(void)ctx;
	(void)pkt;
	shown = (uint32_t)len;
	return taken;
}

static void share(void)
{
	const struct stack_share s = {
		.ours = odd_ports,
		.whole = take_whole,
		.last_id = &last_id,
	};

	rig_start();
	stack_share(rig.st, &s);
	asked = shown = 0;
	last_id = 41;
}

/* RFC 6056: still any port, but of those whose answers come here. */
static void chosen_ports_are_ours(void)
{
	struct tcp_conn *c;
	struct conn_info info;

	share();
	for (int i = 0; i < 8; i++) {
		CU_ASSERT_EQUAL_FATAL(stack_open(rig.st, &silent, NULL,
						 &rig.peer, 7, NULL, 0,
						 rig.now_us, &c),
				      0);
		tcp_info(rig.st, c, &info, rig.now_us);
		CU_ASSERT_EQUAL(info.local_port % 2, 1);
		CU_ASSERT_EQUAL(info.id, 42u + (uint32_t)i);
	}
	CU_ASSERT_TRUE(asked >= 8);
	/* A port that somebody names is his affair. */
	asked = 0;
	CU_ASSERT_EQUAL(stack_open(rig.st, &silent, NULL, &rig.peer, 7, NULL,
				   50000, rig.now_us, &c),
			0);
	CU_ASSERT_EQUAL(asked, 0);
	CU_ASSERT_EQUAL(last_id, 50);
	stack_abort_all(rig.st, rig.now_us);
	rig_forget();
	rig_end();
}

/* Both halves of a SYN; what comes of it is up to whoever gets the whole. */
static void rx_syn_in_two(void)
{
	uint8_t whole[RIG_PACKET_MAX], piece[RIG_PACKET_MAX];
	const uint32_t cut = 40, head = rig.v6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	uint32_t len =
		rig_packet(whole, SEG(.flags = TH_SYN, .seq = 5000, .len = 60));
	uint32_t n;

	n = wire_ip_piece(piece, whole, 9, 0, cut, true);
	memcpy(piece + n, whole + head, cut);
	stack_input(rig.st, piece, n + cut, NULL, rig.now_us);
	n = wire_ip_piece(piece, whole, 9, cut, len - head - cut, false);
	memcpy(piece + n, whole + head + cut, len - head - cut);
	stack_input(rig.st, piece, n + len - head - cut, NULL, rig.now_us);
	CU_ASSERT_EQUAL(shown, len);
}

static void whole_ones_can_go_elsewhere(void)
{
	share();
	taken = true;
	rx_syn_in_two();
	CU_ASSERT_EQUAL(rig_stats().syns_in, 0);
	rig_expect_silence();
	taken = false;
	rx_syn_in_two();
	CU_ASSERT_EQUAL(rig_stats().syns_in, 1);
	rig_forget();
	rig_end();
}

static struct stack_counts elsewhere;

static void others(void *ctx, unsigned int listener, struct stack_counts *sum)
{
	(void)ctx;
	CU_ASSERT_EQUAL(listener, 0);
	sum->connections += elsewhere.connections;
	sum->half_open += elsewhere.half_open;
	sum->listener_connections += elsewhere.listener_connections;
	sum->listener_half_open += elsewhere.listener_half_open;
}

static unsigned int let_in(struct stack_counts there)
{
	static uint16_t port = 40000;

	elsewhere = there;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = port++));
	rig_forget();
	return rig_stats().half_open;
}

/* Room for ten in all, five of them half-open; the listener has its own. */
static void limits_count_the_others(void)
{
	const struct stack_share s = {.others = others};

	rig.conf.max_connections = 10;
	rig.conf.max_half_open = 5;
	rig.conf.cookies = COOKIES_NEVER;
	rig.listener.max_connections = 8;
	rig.listener.backlog = 4;
	rig_start();
	stack_share(rig.st, &s);
	CU_ASSERT_EQUAL(let_in((struct stack_counts){10, 0, 0, 0}), 0);
	CU_ASSERT_EQUAL(let_in((struct stack_counts){0, 5, 0, 0}), 0);
	CU_ASSERT_EQUAL(let_in((struct stack_counts){0, 0, 8, 0}), 0);
	CU_ASSERT_EQUAL(let_in((struct stack_counts){0, 0, 0, 4}), 0);
	CU_ASSERT_EQUAL(let_in((struct stack_counts){9, 4, 7, 3}), 1);
	CU_ASSERT_EQUAL(let_in((struct stack_counts){9, 3, 7, 2}), 1);
	CU_ASSERT_EQUAL(let_in((struct stack_counts){8, 3, 7, 2}), 2);
	stack_abort_all(rig.st, rig.now_us);
	rig_wait(S(300)); /* they give up */
	rig_forget();
	rig_end();
}

static int listen_at(unsigned int index, const char *name, uint16_t port)
{
	struct stack_listener l = {
		.service = &silent,
		.port = port,
		.enabled = true,
		.backlog = 9,
	};

	snprintf(l.name, sizeof(l.name), "%s", name);
	return stack_listen_at(rig.st, index, &l);
}

static void listeners_where_they_are_wanted(void)
{
	rig_start(); /* its own is at 0 */
	CU_ASSERT_EQUAL(listen_at(7, "a", 1000), 7);
	CU_ASSERT_EQUAL(listen_at(7, "a", 1001), 7);
	CU_ASSERT_EQUAL(listen_at(7, "b", 1002), -ENOSPC);
	CU_ASSERT_EQUAL(listen_at(8, "a", 1003), -ENOSPC);
	CU_ASSERT_EQUAL(listen_at(8, "b", 1001), -EADDRINUSE);
	CU_ASSERT_EQUAL(listen_at(STACK_LISTENERS_MAX, "b", 1002), -ENOSPC);
	CU_ASSERT_EQUAL(listen_at(STACK_LISTENERS_MAX - 1, "b", 1002),
			STACK_LISTENERS_MAX - 1);
	rig_end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(chosen_ports_are_ours),
		UNIT_TEST(whole_ones_can_go_elsewhere),
		UNIT_TEST(limits_count_the_others),
		UNIT_TEST(listeners_where_they_are_wanted),
	};

	return rig_main("stack_share", tests, ARRAY_LEN(tests), argc, argv);
}
