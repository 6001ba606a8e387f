/*
 * test_selfcheck.c - Which verdicts fit what an endpoint knows
 */
#include "selfcheck.h"

#include <stdlib.h>

#include "rig.h"

static bool agrees(enum outcome known, enum tcp_role role, enum judged says)
{
	const struct pktmem_conn c = {.outcome = known, .role = (uint8_t)role};
	const struct verdict v = {.outcome = (uint8_t)says};

	return selfcheck_agrees(&v, &c);
}

static void what_fits(void)
{
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_COMPLETED, ROLE_SERVER, JUDGED_COMPLETED));
	CU_ASSERT_TRUE(agrees(ATTEMPT_REFUSED, ROLE_CLIENT, JUDGED_REFUSED));
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_TIMEOUT_SYN, ROLE_CLIENT, JUDGED_TIMEOUT));
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_TIMEOUT_ACK, ROLE_SERVER, JUDGED_HALF_OPEN));
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_RESET_BY_CLIENT, ROLE_SERVER, JUDGED_RESET_MID));
	CU_ASSERT_TRUE(
		agrees(ATTEMPT_RESET_BY_CLIENT, ROLE_CLIENT, JUDGED_TIMEOUT));
	CU_ASSERT_TRUE(agrees(ATTEMPT_REJECTED, ROLE_SERVER, JUDGED_TIMEOUT));
}

static void what_does_not(void)
{
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_COMPLETED, ROLE_SERVER, JUDGED_HALF_OPEN));
	CU_ASSERT_FALSE(agrees(ATTEMPT_COMPLETED_SIMULTANEOUS, ROLE_CLIENT,
			       JUDGED_COMPLETED));
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_TIMEOUT_ACK, ROLE_SERVER, JUDGED_COMPLETED));
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_RESET_BY_CLIENT, ROLE_SERVER, JUDGED_TIMEOUT));
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_UNREACHABLE, ROLE_CLIENT, JUDGED_TIMEOUT));
	CU_ASSERT_FALSE(
		agrees(ATTEMPT_PROTOCOL_ERROR, ROLE_CLIENT, JUDGED_COMPLETED));
}

/* ---- a stack is watched ------------------------------------------------ */

static struct pktbus bus;
static void *room;
static struct pktmem *known;
static struct selfcheck check;

static void start(void)
{
	const struct pktmem_conf conf = {.packets = 8, .snaplen = 128};

	rig_start();
	room = calloc(1, PKTMEM_MIN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(room);
	known = pktmem_init(room, PKTMEM_MIN, &conf);
	pktbus_init(&bus, rig.st);
	pktbus_add(&bus, pktmem_sink(known));
	CU_ASSERT_EQUAL_FATAL(selfcheck_start(&check, &bus, known), 0);
}

/* The bus ends before the judge is asked for the rest, as in the daemon. */
static void all_judged(uint64_t agreed, uint64_t unknown)
{
	pktbus_remove(&bus, &check.sink);
	selfcheck_stop(&check);
	rig_check(check.agreed == agreed && check.unknown == unknown);
	rig_check(check.differed == 0);
	pktbus_remove(&bus, pktmem_sink(known));
	free(room);
	rig_end();
}

static void judged(uint64_t agreed, uint64_t unknown)
{
	rig_abort();
	rig_forget();
	all_judged(agreed, unknown);
}

static void a_connection_is_compared(void)
{
	start();
	rig_established();
	judged(1, 0);
}

/* Who looks on sees two handshakes. */
static void one_that_found_no_room_is_not(void)
{
	struct tcp_seg s;

	rig.listener.max_connections = 1;
	start();
	for (uint16_t port = RIG_PEER_PORT; port < RIG_PEER_PORT + 2; port++) {
		rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = port));
		rig_check(rig_take(&s));
	}
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = RIG_PEER_PORT + 1));
	rig_wait(S(200));
	judged(1, 1);
}

/* The first one is not compared: its ends are another's by then. */
static void one_that_is_refused_in_time_wait_is(void)
{
	start();
	rig_established();
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	rig_forget();
	rig.on_syn = SYN_REFUSE;
	rig_wait(S(1));
	rig_rx(SEG(.flags = TH_SYN, .seq = 5002 + 100000));
	rig_forget();
	all_judged(1, 1);
}

/* Some of the packets of a connection may be among those that were lost. */
static void one_with_a_gap_is_not(void)
{
	start();
	rig_established();
	pktbus_missed(&bus, rig.now_us);
	judged(0, 1);
}

static void one_after_the_gap_is(void)
{
	start();
	pktbus_missed(&bus, rig.now_us);
	rig_wait(S(1));
	rig_established();
	judged(1, 0);
}

/* The judge puts fragments together, too. */
static void one_whose_syn_came_in_pieces_is(void)
{
	const struct rig_whole *w;

	start();
	w = rig_whole(
		SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK, SCALE(7)),
		1);
	rig_rx_piece(w, 24, w->len - w->head);
	rig_rx_piece(w, 0, 24);
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = RIG_ISS, .ack = 5001,
		       MSS(rig_mss()), SACK_OK, SCALE(7)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	judged(1, 0);
}

/* Of pieces longer than heads it sees too little. */
static void one_whose_syn_came_in_long_pieces_is_not(void)
{
	const struct rig_whole *w;

	start();
	w = rig_whole(SEG(.flags = TH_SYN, .seq = 5000, .len = 800), 1);
	rig_rx_piece(w, 400, w->len - w->head);
	rig_rx_piece(w, 0, 400);
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = RIG_ISS, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	judged(0, 1);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(what_fits),
		UNIT_TEST(what_does_not),
		UNIT_TEST(a_connection_is_compared),
		UNIT_TEST(one_that_found_no_room_is_not),
		UNIT_TEST(one_that_is_refused_in_time_wait_is),
		UNIT_TEST(one_with_a_gap_is_not),
		UNIT_TEST(one_after_the_gap_is),
		UNIT_TEST(one_whose_syn_came_in_pieces_is),
		UNIT_TEST(one_whose_syn_came_in_long_pieces_is_not),
	};

	return rig_main("selfcheck", tests, ARRAY_LEN(tests), argc, argv);
}
