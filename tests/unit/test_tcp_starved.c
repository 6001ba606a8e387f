/*
 * test_tcp_starved.c - No memory, at each place where some is asked for
 *
 * Who is connected stays connected, nothing is forgotten that was promised, and
 * when there is memory again everything goes on by itself.
 */
#include <string.h>

#include "core/tcp_priv.h"
#include "rig.h"

#define PAGES_TAG  255 /* no pool of the stack has it */
#define OTHER_PORT 40001
#define RETRY	   MS(51) /* what could not be queued is tried again */
#define IDLE	   S(1)	  /* after which a connection holds no active record */

static void *pages[512];
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

static void feed(void)
{
	while (npages)
		arena_page_free(&rig.st->arena, pages[--npages]);
	stack_check(rig.st);
}

static void end(void)
{
	feed();
	rig_end();
}

static void rx_ack(tcp_seq seq, tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = ack));
}

/* Idle, without an active record. */
static void idle(void)
{
	rig_established();
	rig_wait(IDLE);
	rig_check(!rig_only()->c->active);
	starve(0);
}

/* A SYN is refused in silence: the client tries again. */
static void rcv_syn_listen(void)
{
	rig_start();
	starve(8);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_SYN_MEMORY) == 1);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 1);
	feed();
	rig_established();
	end();
}

/* The ACK finds no memory for a connection; a later one does. */
static void rcv_ack_syn_received(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	starve(0);
	rx_ack(5001, 1001);
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 1);
	rig_check(rig_dropped(DROP_SYN_MEMORY) == 1);
	feed();
	rig_expect_after(S(1), SEG(.flags = TH_SYN | TH_ACK, .seq = 1000,
				   .ack = 5001, MSS(rig_mss())));
	rx_ack(5001, 1001);
	rig_check(rig_state() == TCP_ESTABLISHED);
	end();
}

/* The same with a cookie; the count of the source is right afterwards. */
static void rcv_ack_cookie(void)
{
	rig.conf.cookies = COOKIES_ALWAYS;
	rig.conf.max_per_source = 2;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	/* Neither for the count of its source nor for itself. */
	starve(0);
	rx_ack(5001, 1001);
	rig_expect_silence();
	rig_check(rig_only()->opened == 0);
	rig_check(rig_stats().limits[LIMIT_PER_SOURCE] == 0);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 1);
	feed();
	starve(1); /* for the count only */
	rx_ack(5001, 1001);
	rig_expect_silence();
	rig_check(rig_only()->opened == 0);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 2);
	feed();
	rx_ack(5001, 1001);
	rig_check(rig_only()->opened == 1);
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			  .peer_port = OTHER_PORT));
	rig_check(rig_stats().limits[LIMIT_PER_SOURCE] == 0);
	end();
}

static void open_refused(void)
{
	struct tcp_conn *c = NULL;

	rig_start();
	starve(4);
	rig_check(stack_open(rig.st, rig.listener.service, NULL, &rig.peer, 80,
			     NULL, 0, rig.now_us, &c) < 0);
	rig_check(!c);
	rig_check(rig_stats().full == 0);
	end();
}

/* Nothing is taken, and when there is memory the service is told. */
static void send_idle(void)
{
	idle();
	rig_check(rig_send(100) == 0);
	rig_check(rig_stats().limits[LIMIT_MEMORY] >= 1);
	rig_wait(S(1));
	rig_check(rig_send(100) == 0);
	feed();
	rig_check(rig_only()->writable == 0);
	rig_wait(RETRY);
	rig_check(rig_only()->writable == 1);
	rig_check(rig_send(100) == 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 100));
	end();
}

/* The same where only the text finds no room. */
static void send_active(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_check(rig_only()->c->active != 0);
	starve(0);
	rig_check(rig_send(100) == 0);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 1);
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5011));
	rig_wait(S(1));
	feed();
	rig_check(rig_only()->writable > 0);
	rig_only()->writable = 0;
	rig_check(rig_send(100) == 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5011, .len = 100));
	rx_ack(5011, 1101);
	rig_wait(S(1));
	rig_check(rig_only()->writable <= 1);
	end();
}

/* The last pages are kept for records: text waits in its service, but nobody
 * stands still. */
static void send_little(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_wait(MS(41));
	rig_forget();
	starve(4);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 0);
	rig_check(rig_send(5000) == 400);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 1);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5011, .len = 400));
	rig_check(rig_send(5000) == 0);
	rig_expect_silence();
	rx_ack(5011, 1401);
	rig_check(rig_only()->writable == 1);
	rig_check(rig_send(5000) == 400);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1401, .ack = 5011, .len = 400));
	feed();
	rig_check(rig_send(5000) == 5000);
	rig_forget();
	end();
}

/* The last pages are not for more active records, but for what those need that
 * there are: or all of them wait for each other. */
static void rcv_text_last_pages(void)
{
	rig_established();
	rig_wait(IDLE);
	rig_check(!rig_only()->c->active);
	starve(3);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_expect_silence();
	rig_check(!rig_only()->c->active);
	rig_check(rig_stats().limits[LIMIT_MEMORY] >= 1);
	feed();
	starve(4);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_check(rig_only()->received == 100);
	rig_check(rig_send(50) == 50);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101, .len = 50));
	end();
}

/* Nor are the very last for text: who reads to answer, as echo does, would wait
 * for memory that only reading gives back. */
static void rcv_text_leaves_room_for_answers(void)
{
	uint64_t before;

	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 256 << 10;
	rig_established_all();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 1000));
	rig_forget();
	starve(2);
	before = rig_dropped(DROP_MEMORY);
	for (tcp_seq seq = 6001; seq < 206001; seq += 1000) {
		rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001,
			   .len = 1000));
		rig_forget();
	}
	rig_check(rig_dropped(DROP_MEMORY) > before);
	rig_check(arena_left(&rig.st->arena) == 2);
	rig_check(rig_send(50) == 50);
	rig_wait(0);
	rig_check(rig_only()->sent == 50);
	rig_forget();
	end();
}

/* With the memory full an active record is for somebody else as soon as it has
 * nothing to do. */
static void idle_for_others(void)
{
	rig_established();
	starve(8);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_check(rig_send(50) == 50);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101, .len = 50));
	rx_ack(5101, 1051);
	rig_check(rig_only()->c->active != 0);
	rig_wait(MS(10) + RIG_LATE_US);
	rig_check(rig_only()->c->active == 0);
	end();
}

/* A SYN finds memory only if there is some for all that are half-open, too: who
 * got a SYN-ACK believes to be connected. */
static void rcv_syn_half_open(void)
{
	struct tcp_seg s;

	rig.memory = STACK_MEM_MIN;
	rig.conf.max_half_open = 1000;
	rig_start();
	for (uint16_t i = 0; i < 256; i++) /* more than a page of connections */
		rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			   .peer_port = (uint16_t)(OTHER_PORT + i)));
	while (rig_take(&s)) /* learns the numbers */
		rig_check(s.flags == (TH_SYN | TH_ACK));
	starve(11);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_SYN_MEMORY) == 1);
	for (uint16_t i = 0; i < 256; i++)
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   .peer_port = (uint16_t)(OTHER_PORT + i)));
	rig_check(rig_stats().full == 256);
	rig_check(rig_dropped(DROP_SYN_MEMORY) == 1);
	end();
}

/* Asked to be told of room, without memory to remember it in a list. */
static void want_write_idle(void)
{
	idle();
	tcp_want_write(rig.st, rig_only()->c);
	rig_wait(RETRY);
	rig_check(rig_only()->writable == 0);
	feed();
	rig_wait(RETRY);
	rig_check(rig_only()->writable == 1);
	rig_wait(S(5));
	rig_check(rig_only()->writable == 1);
	end();
}

/* The FIN leaves as soon as there is memory for it. */
static void close_idle(void)
{
	idle();
	rig_close();
	rig_expect_silence_for(S(1));
	rig_check(rig_state() == TCP_FIN_WAIT_1);
	feed();
	rig_wait(RETRY);
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5001));
	end();
}

/* The end of a connection needs no memory; its RST does, and the peer asks. */
static void abort_idle(void)
{
	idle();
	rig_abort();
	rig_expect_silence();
	rig_check(rig_only()->reason == CLOSE_RESET_BY_US);
	rig_check(rig_stats().full == 0);
	feed();
	rx_ack(5001, 1001);
	rig_expect(SEG(.flags = TH_RST, .seq = 1001));
	end();
}

/* Text that cannot be taken is not acknowledged: it comes again. */
static void rcv_text_idle(void)
{
	idle();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_expect_silence();
	rig_check(rig_only()->received == 0);
	rig_check(rig_dropped(DROP_MEMORY) == 1);
	feed();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_check(rig_only()->received == 100);
	end();
}

static void rcv_fin_idle(void)
{
	idle();
	rig_rx(SEG(.flags = TH_FIN | TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	feed();
	rig_rx(SEG(.flags = TH_FIN | TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5002));
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_check(rig_only()->peer_closed == 1);
	end();
}

/* An ACK that is owed leaves later. */
static void rcv_old_idle(void)
{
	idle();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 1001, .len = 1));
	rig_expect_silence();
	feed();
	rig_wait(RETRY);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	end();
}

/* Settings of its own are refused; those in force stay. */
static void set_timeouts(void)
{
	idle();
	rig_check(tcp_set_user_timeout(rig.st, rig_only()->c, S(9)) < 0);
	rig_check(tcp_set_keepalive(rig.st, rig_only()->c, S(9)) < 0);
	rig_check(rig_stats().limits[LIMIT_MEMORY] >= 2);
	rig_expect_silence_for(S(20));
	feed();
	rig_check(tcp_set_keepalive(rig.st, rig_only()->c, S(30)) == 0);
	rig_wait(S(11));
	rig_check(rig_stats().keepalive_probes == 1);
	rig_forget();
	end();
}

/* Windows close to two segments as their text comes in, and not before: what
 * was promised stays promised. */
static void windows_close(void)
{
	struct tcp_seg s = {.wnd = 0};
	tcp_seq seq = 5001;

	rig_established();
	starve(rig.st->arena.npages / 8 - 1);
	for (; seq <= 5001 + 80000; seq += 1000) {
		rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001,
			   .len = 1000));
		rig_wait(MS(41));
		while (rig_take(&s))
			;
		rig_check(seq - 5001 > 60000 || s.wnd > 1000);
	}
	rig_check(s.ack == seq && s.wnd <= 2000 && s.wnd >= 1000);
	rig_check(rig_only()->received == 81000);
	end();
}

/* With more than an eighth left nobody is short of anything. */
static void windows_stay(void)
{
	struct tcp_seg s = {.wnd = 0};

	rig_established();
	starve(rig.st->arena.npages / 8 + 4);
	for (tcp_seq seq = 5001; seq <= 5001 + 80000; seq += 1000) {
		rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001,
			   .len = 1000));
		rig_wait(MS(41));
		while (rig_take(&s))
			;
	}
	rig_check(s.wnd > 30000);
	end();
}

/* With hardly any left, nothing more for who has text unread. */
static void windows_shut(void)
{
	struct tcp_seg s = {.wnd = 1};

	rig_established();
	rig_read_stop();
	starve(rig.st->arena.npages / 32 - 1);
	for (tcp_seq at = 0; at < 65535; at += 1285)
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001 + at, .ack = 1001,
			   .len = 1285));
	rig_wait(MS(41));
	while (rig_take(&s))
		;
	rig_check(s.ack == 5001 + 65535 && s.wnd == 0);
	rig_read(30000);
	rig_expect_silence();
	rig_read_on();
	rig_check(rig_take(&s));
	rig_check(s.wnd > 0 && s.wnd <= 2 * 1285);
	rig_expect_silence();
	end();
}

/* TIME-WAIT is forgotten rather than new work refused. */
static void time_wait(void)
{
	rig_established();
	rig_close();
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5001));
	rx_ack(5001, 1002);
	starve(0);
	rig_rx(SEG(.flags = TH_FIN | TH_ACK, .seq = 5001, .ack = 1002));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1002, .ack = 5002));
	rig_check(rig_stats().time_wait == 0);
	rig_check(rig_stats().full == 0);
	rig_check(rig_only()->reason == CLOSE_FIN);
	rig_check(rig_state() == TCP_CLOSED);
	end();
}

/* And before the last memory is left to those who are connected. */
static void time_wait_leaves_room(void)
{
	rig.memory = STACK_MEM_MIN;
	rig_established();
	rig_close();
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5001));
	rx_ack(5001, 1002);
	starve(12);
	rig_check(!stack_is_full(rig.st));
	rig_rx(SEG(.flags = TH_FIN | TH_ACK, .seq = 5001, .ack = 1002));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1002, .ack = 5002));
	rig_check(rig_stats().time_wait == 0);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 1);
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			  .peer_port = OTHER_PORT));
	rig_check(rig_state_of(OTHER_PORT) == TCP_ESTABLISHED);
	end();
}

/* A refusal finds no memory for its RST: the client tries again. */
static void refuse(void)
{
	rig_start();
	starve(0);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .port = 9));
	rig_expect_silence();
	rig_check(rig_stats().resets_out == 0);
	feed();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .port = 9));
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5001));
	rig_check(rig_stats().resets_out == 1);
	end();
}

/* Text waits for a window, and when that opens there is no memory to remember
 * what was sent: it leaves when there is, before a RTO is over. */
static void send_without_record(void)
{
	struct tcp_seg s;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(0)));
	rig_check(rig_send(100) == 100);
	rig_expect_silence();
	starve(0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(8000)));
	rig_expect_silence();
	rig_check(rig_stats().limits[LIMIT_MEMORY] >= 1);
	feed();
	rig_wait(S(1) + RIG_LATE_US);
	rig_check(rig_take(&s) && s.seq == 1001 && s.len == 100);
	rx_ack(5001, 1101);
	rig_expect_silence_for(S(5));
	end();
}

/* What it was like before a timeout finds no place: it is not undone then, but
 * what was lost is sent again all the same. */
static void rexmt_without_undo(void)
{
	struct tcp_seg s;

	rig_established();
	rig_check(rig_send(100) == 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 100));
	starve(0);
	rig_wait(S(1) + RIG_LATE_US);
	rig_check(rig_take(&s) && s.seq == 1001 && s.len == 100);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 1);
	rig_forget();
	rx_ack(5001, 1101);
	rig_expect_silence_for(S(5));
	end();
}

/* Neither the reply nor, with a page for that, its text. */
static void echo(void)
{
	uint8_t m[256] = {rig.v6 ? 128 : 8}, pkt[400];
	uint8_t proto = rig.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP;
	uint32_t head, sum = 0;
	uint16_t csum;

	rig_start();
	if (rig.v6)
		sum = csum_pseudo(&rig.peer, &rig.own, proto, sizeof(m));
	csum = csum_fold(csum_partial(m, sizeof(m), sum));
	m[2] = (uint8_t)(csum >> 8);
	m[3] = (uint8_t)csum;
	head = wire_ip_build(pkt, &rig.peer, &rig.own, proto, 64, 0, 1, true,
			     sizeof(m));
	memcpy(pkt + head, m, sizeof(m));
	for (uint32_t left = 0; left < 2; left++) {
		size_t len;

		starve(left);
		rig_rx_packet(pkt, head + sizeof(m));
		rig_check(!rig_take_packet(&len));
		rig_check(rig_stats().limits[LIMIT_MEMORY] == left + 1);
		feed();
	}
	rig_check(rig_stats().echo_out == 0);
	rig_rx_packet(pkt, head + sizeof(m));
	rig_check(rig_stats().echo_out == 1);
	rig_forget();
	end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(send_without_record),
	UNIT_TEST(rexmt_without_undo),
	UNIT_TEST(echo),
	UNIT_TEST(rcv_syn_listen),
	UNIT_TEST(rcv_ack_syn_received),
	UNIT_TEST(rcv_ack_cookie),
	UNIT_TEST(open_refused),
	UNIT_TEST(send_idle),
	UNIT_TEST(send_active),
	UNIT_TEST(send_little),
	UNIT_TEST(rcv_text_last_pages),
	UNIT_TEST(rcv_text_leaves_room_for_answers),
	UNIT_TEST(idle_for_others),
	UNIT_TEST(rcv_syn_half_open),
	UNIT_TEST(want_write_idle),
	UNIT_TEST(close_idle),
	UNIT_TEST(abort_idle),
	UNIT_TEST(rcv_text_idle),
	UNIT_TEST(rcv_fin_idle),
	UNIT_TEST(rcv_old_idle),
	UNIT_TEST(set_timeouts),
	UNIT_TEST(windows_close),
	UNIT_TEST(windows_stay),
	UNIT_TEST(windows_shut),
	UNIT_TEST(time_wait),
	UNIT_TEST(time_wait_leaves_room),
	UNIT_TEST(refuse),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_starved", tests, ARRAY_LEN(tests), argc, argv);
}
