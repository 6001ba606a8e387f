/*
 * test_pktmem.c - Which packets are kept, and what is known of their ends
 *
 * The first tests let a stack do something; the others invent packets.
 */
#include <stdlib.h>
#include <string.h>

#include "pktmem.h"
#include "rig.h"

static struct pktmem *mem;
static void *room;
static struct pktbus bus;

static void look(uint32_t packets, uint32_t snaplen, size_t len);

static void start(uint32_t packets, uint32_t snaplen, size_t len)
{
	rig_start();
	look(packets, snaplen, len);
}

static void look(uint32_t packets, uint32_t snaplen, size_t len)
{
	const struct pktmem_conf conf = {packets, snaplen, {1, 2, 3}};

	room = calloc(1, len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(room);
	mem = pktmem_init(room, len, &conf);
	pktbus_init(&bus, rig.st);
	pktbus_add(&bus, pktmem_sink(mem));
}

static void end(void)
{
	pktbus_remove(&bus, pktmem_sink(mem));
	free(room);
	rig_forget();
	rig_end();
}

static struct pktmem_conn conn(uint32_t id)
{
	struct pktmem_conn c = {.id = 0};
	pktmem_ref ref = pktmem_by_id(mem, id);

	if (ref)
		pktmem_conn(mem, ref, &c);
	return c;
}

static unsigned int count(uint32_t id, uint32_t *numbers)
{
	static struct pktmem_packet p;
	pktmem_ref ref = pktmem_by_id(mem, id);
	uint64_t cursor = 0;
	unsigned int n = 0;

	while (ref && pktmem_next(mem, ref, &cursor, &p))
		if (numbers)
			numbers[n++] = p.number;
		else
			n++;
	return n;
}

/* ---- what a stack does ------------------------------------------------- */

static void a_whole_life(void)
{
	struct pktmem_conn c;

	start(32, 262, PKTMEM_MIN);
	rig_established();
	c = conn(1);
	rig_check(c.outcome == ATTEMPT_COMPLETED && c.stage == STAGE_HSACK);
	rig_check(!c.ended && c.packets == 3 && c.kept == 3);
	rig_check(c.state == TCP_ESTABLISHED && c.synack_us == c.opened_us);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_check(conn(1).stage == STAGE_FIRST_DATA);
	rig_wait(S(2));
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5011, .ack = 1001));
	rig_close();
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5012, .ack = 1002));
	c = conn(1);
	rig_check(c.ended && c.reason == CLOSE_FIN && c.stage == STAGE_LATER);
	rig_check(c.bytes_in == 10 && c.bytes_out == 0);
	rig_check(c.ended_us - c.opened_us >= S(2));
	rig_check(c.outcome == ATTEMPT_COMPLETED && c.handshake_us >= 0);
	rig_check(c.kept == c.packets && count(1, NULL) == c.kept);
	rig_check(pktmem_last(mem, false) == pktmem_by_id(mem, 1));
	rig_check(!pktmem_last(mem, true));
	end();
}

/* Nor does a SYN begin anything there (RFC 5961, 4; RFC 9293, 3.10.7.4). */
static void one_that_was_there_before(void)
{
	rig_start();
	rig_established();
	look(32, 262, PKTMEM_MIN);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5100));
	rig_check(conn(1).outcome == ATTEMPT_MIDSTREAM && conn(1).kept == 2);
	rig_check(!conn(1).ended);
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	end();
	rig_start();
	rig_established();
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	look(32, 262, PKTMEM_MIN);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5001));
	rig_check(conn(1).outcome == ATTEMPT_MIDSTREAM && conn(1).kept == 2);
	end();
}

static void a_refusal_in_time_wait(void)
{
	struct pktmem_conn c;

	start(32, 262, PKTMEM_MIN);
	rig_established();
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	rig.on_syn = SYN_REFUSE;
	rig_rx(SEG(.flags = TH_SYN, .seq = 105000));
	c = conn(2);
	rig_check(c.outcome == ATTEMPT_REJECTED && c.stage == STAGE_SYN);
	rig_check(c.ended && c.kept == 2 && c.drop == DROP_SYN_DENIED);
	rig_check(conn(1).outcome == ATTEMPT_COMPLETED);
	end();
}

static void a_refusal(void)
{
	struct pktmem_conn c;

	start(32, 262, PKTMEM_MIN);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .port = 9));
	c = conn(1);
	rig_check(c.outcome == ATTEMPT_REFUSED && c.stage == STAGE_SYN);
	rig_check(c.ended && c.kept == 2 && c.local_port == 9);
	rig_check(pktmem_last(mem, true) == pktmem_by_id(mem, 1));
	/* A stray segment is no attempt. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 3, .port = 9));
	rig_check(conn(1).kept == 2 && !conn(2).id);
	/* Another SYN from the same port is another attempt. */
	rig_rx(SEG(.flags = TH_SYN, .seq = 9000, .port = 9));
	rig_check(conn(1).kept == 2 && conn(2).kept == 2);
	rig_check(pktmem_by_ends(mem, &rig.own, 9, &rig.peer, RIG_PEER_PORT) ==
		  pktmem_by_id(mem, 2));
	end();
}

/* Nobody answers, so the client sends its SYN again: it is one attempt. */
static void a_denial_in_silence(void)
{
	struct pktmem_conn c;

	rig.on_syn = SYN_SILENCE;
	start(32, 262, PKTMEM_MIN);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_wait(S(1));
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	c = conn(1);
	rig_check(c.outcome == ATTEMPT_REJECTED && c.drop == DROP_SYN_DENIED);
	rig_check(c.kept == 2 && c.id == 2);
	rig_check(pktmem_by_id(mem, 1) == pktmem_by_id(mem, 2));
	end();
}

static void a_cookie_is_one_connection(void)
{
	struct pktmem_conn c;

	rig.conf.cookies = COOKIES_ALWAYS;
	start(32, 262, PKTMEM_MIN);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_check(conn(1).outcome == ATTEMPT_OPEN);
	rig_check(conn(1).stage == STAGE_SYNACK);
	rig_forget();
	rig_end();
	free(room);

	rig.conf.cookies = COOKIES_ALWAYS;
	start(32, 262, PKTMEM_MIN);
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	c = conn(2);
	rig_check(c.outcome == ATTEMPT_COMPLETED_COOKIE && c.kept == 3);
	rig_check(pktmem_by_id(mem, 1) == 0);
	rig_abort();
	rig_check(conn(2).reason == CLOSE_RESET_BY_US && conn(2).kept == 4);
	end();
}

static void half_open_ones_that_fail(void)
{
	start(32, 262, PKTMEM_MIN);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_check(conn(1).outcome == ATTEMPT_RESET_BY_CLIENT);
	rig_check(conn(1).stage == STAGE_SYNACK && conn(1).ended);
	rig_rx(SEG(.flags = TH_SYN, .seq = 6000));
	rig_check(conn(2).outcome == ATTEMPT_OPEN && !conn(2).ended);
	rig_wait(S(200));
	rig_check(conn(2).outcome == ATTEMPT_TIMEOUT_ACK);
	rig_check(conn(2).reason == CLOSE_TIMEOUT_SYNACK);
	rig_check(conn(2).retrans == 5 && conn(2).kept == 7);
	end();
}

static void syn_synack(uint16_t port)
{
	struct tcp_seg s;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = port));
	rig_check(rig_take(&s) && s.flags == (TH_SYN | TH_ACK));
}

/* It knows of the RST that ends it, and that it is the end. */
static void half_open_when_the_listener_goes(void)
{
	start(32, 262, PKTMEM_MIN);
	syn_synack(RIG_PEER_PORT);
	rig_check(stack_listener_enable(rig.st, rig.listener.name, false) == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(conn(1).outcome == ATTEMPT_RESET_BY_SERVER);
	rig_check(conn(1).ended && conn(1).kept == 4);
	end();
}

/* Two handshakes, and room for one connection: the second one was refused. */
static void half_open_without_room(void)
{
	for (int reset = 0; reset < 2; reset++) {
		rig.listener.max_connections = 1;
		rig.listener.overflow = reset ? OVERFLOW_RESET : OVERFLOW_DROP;
		start(32, 262, PKTMEM_MIN);
		syn_synack(RIG_PEER_PORT);
		syn_synack(40001);
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   .peer_port = 40001));
		rig_check(conn(1).outcome == ATTEMPT_COMPLETED);
		rig_check(conn(2).outcome ==
			  (reset ? ATTEMPT_REJECTED : ATTEMPT_OPEN));
		rig_check(conn(2).drop == DROP_ACK_LIMIT);
		rig_wait(S(200));
		rig_check(conn(2).outcome == ATTEMPT_REJECTED);
		rig_check(conn(2).reason == CLOSE_LIMIT && conn(2).ended);
		rig_check(conn(2).kept == (reset ? 4 : 8));
		rig_abort();
		end();
	}
}

/* The same with cookies; and what was refused may come in later. */
static void a_cookie_without_room(void)
{
	rig.conf.cookies = COOKIES_ALWAYS;
	rig.listener.max_connections = 1;
	start(32, 262, PKTMEM_MIN);
	syn_synack(40001);
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = 40001));
	rig_check(conn(4).outcome == ATTEMPT_REJECTED);
	rig_check(conn(4).drop == DROP_ACK_LIMIT && conn(4).kept == 3);
	rig_abort();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = 40001));
	rig_check(conn(5).outcome == ATTEMPT_COMPLETED_COOKIE);
	rig_check(conn(5).drop == DROP_NONE && conn(5).kept == 4);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = 40001));
	end();
}

/* Of a thousand in a tenth of a second all are kept; of more, who returns his
 * cookie. */
static void a_flood_of_cookies(void)
{
	struct pktmem_conn c;

	rig.conf.cookies = COOKIES_ALWAYS;
	start(32, 262, 2 << 20);
	for (uint16_t i = 1; i <= 1001; i++)
		syn_synack(i);
	rig_check(conn(1).kept == 2 && conn(1000).kept == 2);
	rig_check(!conn(1001).id);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = 1001));
	c = conn(1002);
	rig_check(c.outcome == ATTEMPT_COMPLETED_COOKIE && c.kept == 1);
	rig_check(c.handshake_us < 0);
	rig_wait(MS(100));
	syn_synack(2001);
	rig_check(conn(1003).kept == 2);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = 1001));
	end();
}

static void our_own_that_nobody_answers(void)
{
	start(32, 262, PKTMEM_MIN);
	rig_open();
	rig_wait(S(300));
	rig_check(conn(1).outcome == ATTEMPT_TIMEOUT_SYN);
	rig_check(conn(1).role == ROLE_CLIENT);
	rig_check(pktmem_last(mem, true) == pktmem_by_id(mem, 1));
	end();
}

/* ---- invented packets -------------------------------------------------- */

static uint8_t bytes[3000];
static bool in_one_part;

static void show(uint32_t id, uint32_t len, enum tcp_state before,
		 enum tcp_state after, unsigned int flags)
{
	/* In three parts, as text from a queue may lie. */
	struct iovec iov[3] = {{bytes, 40}, {bytes + 40, 7}, {bytes + 47, 0}};
	const struct tcp_key ends = {.peer_port = (uint16_t)id};
	const struct stack_packet p = {
		.at_us = (int64_t)id,
		.iov = iov,
		.iov_len = in_one_part ? 1 : 3,
		.len = len,
		.conn = id,
		.ends = &ends,
		.text = len - 40,
		.state_before = (uint8_t)before,
		.state_after = (uint8_t)after,
		.flags = (uint8_t)(flags | PACKET_OUT | PACKET_CSUM_PARTIAL),
		.gso_size = 1448,
	};

	iov[2].iov_len = len - 47;
	if (in_one_part)
		iov[0].iov_len = len;
	pktmem_sink(mem)->packet(pktmem_sink(mem), &p);
}

static unsigned int known(void)
{
	uint64_t cursor = 0;
	unsigned int n = 0;

	while (pktmem_walk(mem, &cursor))
		n++;
	return n;
}

static void grow(uint32_t id, unsigned int n)
{
	while (n-- > 0)
		show(id, 60, TCP_ESTABLISHED, TCP_ESTABLISHED, 0);
}

static void open_one(uint32_t id)
{
	show(id, 60, TCP_SYN_RECEIVED, TCP_SYN_RECEIVED, 0);
	show(id, 60, TCP_SYN_RECEIVED, TCP_ESTABLISHED, 0);
}

static void close_one(uint32_t id)
{
	const struct tcp_key ends = {.peer_port = (uint16_t)id};
	const struct conn_end e = {
		.id = id, .reason = CLOSE_FIN, .ends = &ends};

	pktmem_sink(mem)->ended(pktmem_sink(mem), &e);
}

/* Half stay, the others are the latest; the jump in the numbers shows it. */
static void first_and_last(void)
{
	static const uint32_t want[] = {1, 2, 3, 98, 99, 100, 101};
	uint32_t got[16];

	start(7, 262, PKTMEM_MIN);
	open_one(1);
	grow(1, 99);
	rig_check(count(1, got) == 7);
	rig_check(memcmp(got, want, sizeof(want)) == 0);
	rig_check(conn(1).packets == 101 && conn(1).kept == 7);
	end();
}

/* Of each length the right bytes: of first packets up to snaplen, of later ones
 * the headers. */
static void bytes_of_length(uint32_t len, uint32_t most)
{
	static struct pktmem_packet p;
	uint64_t cursor = 0;

	open_one(len);
	grow(len, most == 1000 ? 0 : 10);
	show(len, len, TCP_ESTABLISHED, TCP_ESTABLISHED, 0);
	while (pktmem_next(mem, pktmem_by_id(mem, len), &cursor, &p))
		;
	rig_check(p.len == len);
	rig_check(p.snapped == (len < most ? len : most));
	rig_check(memcmp(p.data, bytes, p.snapped) == 0);
	rig_check(p.gso_size == 1448 && p.csum_partial);
	rig_check(p.flags == PACKET_OUT);
}

static void bytes_of_any_length(void)
{
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	start(10, 1000, PKTMEM_MIN);
	for (uint32_t len = 48; len < 1300; len++)
		bytes_of_length(len, len % 2 ? 1000 : 104);
	end();
	start(10, 1000, PKTMEM_MIN);
	in_one_part = true;
	for (uint32_t len = 1; len < 1300; len++)
		bytes_of_length(len, len % 2 ? 1000 : 104);
	for (uint32_t len = 2000; len < 2300; len++)
		bytes_of_length(len, 104);
	end();
	start(10, 60, PKTMEM_MIN);
	for (uint32_t len = 1; len < 200; len++)
		bytes_of_length(len, 60);
	in_one_part = false;
	end();
}

/* However many SYNs come: who is connected, and who was, is still known. */
static void a_flood_forgets_its_own(void)
{
	unsigned int live = 0, closed = 0;

	start(32, 262, PKTMEM_MIN);
	for (uint32_t id = 1; id <= 20; id++) {
		open_one(id);
		if (id > 10)
			close_one(id);
	}
	for (uint32_t id = 100; id < 50000; id++)
		show(id, 60, TCP_SYN_RECEIVED, TCP_SYN_RECEIVED, 0);
	for (uint32_t id = 1; id <= 10; id++)
		live += count(id, NULL) == 2;
	for (uint32_t id = 11; id <= 20; id++)
		closed += count(id, NULL) == 2;
	rig_check(live == 10 && closed == 10);
	rig_check(conn(49999).kept == 1 && !conn(100).id);
	end();
}

/* The other way round: those that live leave room for attempts. */
static void many_that_live_leave_room(void)
{
	unsigned int attempts = 0, before;

	start(32, 262, PKTMEM_MIN);
	for (uint32_t id = 1; id <= 10; id++)
		show(id, 60, TCP_SYN_RECEIVED, TCP_SYN_RECEIVED, 0);
	for (uint32_t id = 100; id < 20000; id++) {
		open_one(id);
		grow(id, id % 40);
	}
	for (uint32_t id = 1; id <= 10; id++)
		attempts += count(id, NULL) == 1;
	rig_check(attempts == 10);
	/* One that was forgotten costs nobody his. */
	rig_check(!conn(100).id);
	before = known();
	for (uint32_t id = 100; id < 300; id++)
		grow(id, 1);
	rig_check(known() >= before && !conn(299).id);
	/* But that it ended is known. */
	close_one(400);
	rig_check(conn(400).ended && conn(400).kept == 0);
	rig_check(conn(400).reason == CLOSE_FIN);
	end();
}

/* One that is used stays before one that sleeps. */
static void who_is_used_stays(void)
{
	start(32, 262, PKTMEM_MIN);
	open_one(1);
	open_one(2);
	for (uint32_t id = 100; id < 5000; id++) {
		open_one(id);
		if (id % 50 == 0)
			grow(1, 1);
	}
	rig_check(conn(1).id == 1 && !conn(2).id);
	end();
}

/* More may be kept from now on, but no more than there is room for. */
static void more_bytes_from_now_on(void)
{
	static struct pktmem_packet p;
	uint64_t cursor = 0;

	start(10, 262, PKTMEM_MIN);
	pktmem_snaplen(mem, 65575);
	open_one(1);
	show(1, 3000, TCP_ESTABLISHED, TCP_ESTABLISHED, 0);
	while (pktmem_next(mem, pktmem_by_id(mem, 1), &cursor, &p))
		;
	rig_check(p.snapped == PKTMEM_SNAP_MAX && p.len == 3000);
	end();
}

/* Sizes, ends and ids at random; every cell comes back in the end. */
static void no_cell_is_lost(void)
{
	unsigned int seen = 0;
	uint64_t cursor = 0;
	pktmem_ref ref;

	start(10, 600, PKTMEM_MIN);
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		uint32_t id = 1 + (uint32_t)random() % 3000;

		if (!pktmem_by_id(mem, id))
			open_one(id);
		else if (random() % 8 == 0)
			close_one(id);
		else
			show(id, 48 + (uint32_t)random() % 900, TCP_ESTABLISHED,
			     TCP_ESTABLISHED, 0);
	}
	while ((ref = pktmem_walk(mem, &cursor))) {
		struct pktmem_conn c;

		pktmem_conn(mem, ref, &c);
		rig_check(count(c.id, NULL) == c.kept);
		rig_check(pktmem_by_id(mem, c.id) == ref);
		seen++;
	}
	rig_check(seen > 20);
	/* All packets of one flow fit again, whatever was there before. */
	for (uint32_t id = 10000; id < 10010; id++) {
		open_one(id);
		for (int i = 0; i < 20; i++)
			show(id, 600, TCP_ESTABLISHED, TCP_ESTABLISHED, 0);
		rig_check(count(id, NULL) == 10);
	}
	end();
}

/* A trace lies where another one was, which had everything that can be had. */
static void nothing_is_left_of_another(void)
{
	const struct tcp_key ends = {.peer_port = 9};
	struct conn_end e = {.state = TCP_LAST_ACK,
			     .reason = CLOSE_FIN,
			     .odd = true,
			     .retrans = 4,
			     .at_us = S(5),
			     .opened_us = S(3),
			     .handshake_us = 1000,
			     .bytes_in = 5,
			     .bytes_out = 6,
			     .ends = &ends};
	struct pktmem_conn c;
	uint32_t numbers[4];

	start(4, 262, PKTMEM_MIN);
	for (e.id = 1; e.id < 2000; e.id++) {
		open_one(e.id);
		grow(e.id, e.id % 20);
		pktmem_sink(mem)->ended(pktmem_sink(mem), &e);
	}
	c = conn(1999);
	rig_check(c.ended && c.ended_us == S(5) && c.reason == CLOSE_FIN);
	rig_check(c.retrans == 4 && c.bytes_in == 5 && c.bytes_out == 6);
	rig_check(c.handshake_us == 1000 && c.established_us == 1999);
	for (uint32_t id = 3000; id < 4000; id++) {
		show(id, 60, TCP_SYN_SENT, TCP_SYN_SENT, 0);
		c = conn(id);
		rig_check(c.outcome == ATTEMPT_MIDSTREAM && !c.ended);
		rig_check(!c.reason && !c.drop && !c.retrans);
		rig_check(!c.synack_us && !c.established_us && !c.ended_us);
		rig_check(c.handshake_us == -1 && !c.bytes_in && !c.bytes_out);
		rig_check(c.state == TCP_SYN_SENT && c.opened_us == id);
		rig_check(c.packets == 1 && c.kept == 1);
		rig_check(count(id, numbers) == 1 && numbers[0] == 1);
	}
	end();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(a_whole_life),
		UNIT_TEST(one_that_was_there_before),
		UNIT_TEST(a_refusal),
		UNIT_TEST(a_refusal_in_time_wait),
		UNIT_TEST(a_denial_in_silence),
		UNIT_TEST(a_cookie_is_one_connection),
		UNIT_TEST(half_open_ones_that_fail),
		UNIT_TEST(half_open_when_the_listener_goes),
		UNIT_TEST(half_open_without_room),
		UNIT_TEST(a_cookie_without_room),
		UNIT_TEST(a_flood_of_cookies),
		UNIT_TEST(our_own_that_nobody_answers),
		UNIT_TEST(first_and_last),
		UNIT_TEST(bytes_of_any_length),
		UNIT_TEST(a_flood_forgets_its_own),
		UNIT_TEST(many_that_live_leave_room),
		UNIT_TEST(who_is_used_stays),
		UNIT_TEST(more_bytes_from_now_on),
		UNIT_TEST(no_cell_is_lost),
		UNIT_TEST(nothing_is_left_of_another),
	};

	return rig_main("pktmem", tests, sizeof(tests) / sizeof(*tests), argc,
			argv);
}
