/*
 * test_tcp_limits.c - Full tables, SYN cookies, no memory
 *
 * Each limit refuses new work and is counted; who is in stays in.
 */
#include "rig.h"

#define SYNACK(port, ...)                                       \
	SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001, \
	    .peer_port = (port), __VA_ARGS__)

static void rx_syn(uint16_t port)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = port, MSS(1000)));
}

static void handshake_from(uint16_t port)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = port,
			  MSS(1000)));
}

/* The connection of RIG_PEER_PORT works: text both ways. */
static void check_works(void)
{
	struct rig_conn *rc = rig_only();
	tcp_seq rcv = 5001 + rc->received, snd = 1001 + rc->sent;

	rig_rx(SEG(.flags = TH_ACK, .seq = rcv, .ack = snd, .len = 100));
	rig_check(rc->received == rcv - 5001 + 100);
	rig_check(rig_send(50) == 50);
	rig_expect(
		SEG(.flags = TH_ACK, .seq = snd, .ack = rcv + 100, .len = 50));
	rig_rx(SEG(.flags = TH_ACK, .seq = rcv + 100, .ack = snd + 50));
	rig_expect_silence();
}

/* The half-open table is full: the next SYN-ACK is a cookie, kept by nobody. */
static void fill_half_open(void)
{
	rig.conf.max_half_open = 1;
	rx_syn(40001);
	rig_expect(SYNACK(40001, MSS(rig_mss())));
	rig_check(rig_stats().half_open == 1);
}

/* With more than half of the places taken, of all or of a listener, a SYN is
 * answered three times and not six. */
static void half_open_crowd(void)
{
	for (unsigned int of_listener = 0; of_listener < 2; of_listener++) {
		rig.conf.max_half_open = of_listener ? 1000 : 3;
		rig.listener.backlog = of_listener ? 3 : 1000;
		rx_syn(40001);
		rig_wait(S(9));
		rig_check(rig_stats().retransmit_synack == 3);
		rig_check(rig_stats().half_open == 1);
		rx_syn(40002);
		rig_wait(MS(6500)); /* the first one's next is due */
		rig_check(rig_stats().half_open == 1);
		rig_check(rig_stats().retransmit_synack == 3 + 2);
		rig_wait(S(200)); /* the second one is alone now */
		rig_check(rig_stats().retransmit_synack == 3 + 5);
		rig_check(rig_stats().half_open == 0);
		rig_forget();
		rig_end();
	}
}

/* Who repeats his SYN is none of those that were made up. */
static void half_open_in_earnest(void)
{
	rig.conf.max_half_open = 3;
	rx_syn(40001);
	rx_syn(40002);
	rx_syn(40001);
	rig_wait(S(8));
	rig_check(rig_stats().half_open == 1);
	rig_check(rig_state_of(40001) == TCP_SYN_RECEIVED);
	rig_wait(S(200));
	rig_check(rig_stats().retransmit_synack == 1 + 5 + 2);
	rig_forget();
	rig_end();
}

/* RFC 4987, 3.6: the handshake completes without a record. */
static void cookie_completes(void)
{
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_check(rig_stats().half_open == 1);
	rig_check(rig_stats().cookies_sent == 1);
	rig_wait(S(1) / 2);
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_only()->opened == 1);
	rig_check(rig_stats().cookies_accepted == 1);
	check_works();
	rig_end();
}

/* The ACK is lost, and the first text proves the cookie. */
static void cookie_completes_with_text(void)
{
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_only()->received == 100);
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101));
	rig_end();
}

/* A cookie keeps the MSS, rounded down: never a segment beyond it. */
static void cookie_keeps_mss(void)
{
	struct tcp_seg s;
	uint32_t sum = 0;

	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_send(3000);
	while (rig_take(&s)) {
		rig_check(s.len <= 1000);
		sum += s.len;
	}
	rig_check(sum >= 1000);
	rig_end();
}

/* With timestamps it keeps scale and SACK as well. */
static void cookie_keeps_options(void)
{
	struct conn_info info;

	fill_half_open();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(7), SACK_OK,
		   SCALE(5)));
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss()), TS(7), SACK_OK,
			  SCALE(7)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(8)));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.state == TCP_ESTABLISHED);
	rig_check(info.ts && info.sack && info.wscale);
	rig_check(info.snd_wscale == 5 && info.rcv_wscale == 7);
	check_works();
	rig_end();
}

/* Without timestamps there is nowhere to keep them: they are not offered. */
static void cookie_without_timestamps(void)
{
	struct conn_info info;

	fill_half_open();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK, SCALE(5)));
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(!info.ts && !info.sack && !info.wscale);
	rig_end();
}

/* A guess opens nothing. RFC 9293, 3.10.7.2 wants a RST; while cookies are out
 * it may be text whose first segment was lost, so it is dropped instead. */
static void cookie_guessed(void)
{
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	for (tcp_seq i = 1; i <= 300; i++) {
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001 + i));
		rig_expect_silence();
	}
	rig_check(rig_state() == TCP_CLOSED);
	/* Another first number is another cookie. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_only()->opened == 0);
	rig_check(rig_stats().cookies_rejected == 301);
	rig_check(rig_dropped(DROP_COOKIE) == 301);
	rig_check(rig_stats().cookies_accepted == 0);
	rig_end();
}

/* T7: ACK and RST together complete no handshake. */
static void cookie_with_rst(void)
{
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_only()->opened == 0);
	rig_end();
}

/* A SYN twice: the first copy got a cookie, the second found room for a record
 * with another number. The ACK of the first answer is as good. */
static void cookie_then_record(void)
{
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = 40001));
	rig_check(rig_stats().half_open == 0);
	rx_syn(RIG_PEER_PORT);
	rig_forget();
	rig_check(rig_stats().half_open == 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_stats().half_open == 0);
	check_works();
	rig_end();
}

/* The number of a record is no cookie: when the record is gone, its ACK opens
 * nothing, for its timestamp has no options in it. */
static void record_is_no_cookie(void)
{
	fill_half_open();
	rx_syn(40002);
	rig_expect(SYNACK(40002, MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = 40001));
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_check(rig_stats().half_open == 1);
	rig_wait(S(10));
	rig_check(rig_stats().half_open == 0);
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_forget();
	rig_check(rig_only()->opened == 0);
	rig_check(rig_stats().cookies_accepted == 0);
	rig_end();
}

/* The same with a minute in between: the record has another number than the
 * cookie, which is as good as before. */
static void cookie_then_other_record(void)
{
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_wait(S(65));
	rig_forget();
	rx_syn(RIG_PEER_PORT);
	rig_forget();
	rig_check(rig_stats().half_open == 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001 + 5));
	rig_expect(SEG(.flags = TH_RST, .seq = 1001 + 5));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_stats().half_open == 0);
	check_works();
	rig_end();
}

/* A cookie gets old, in two minutes. */
static void cookie_expires(void)
{
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_wait(S(129));
	rig_forget();
	/* Under pressure again, as the stack sees it. */
	rx_syn(40002);
	rx_syn(40003);
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect(SEG(.flags = TH_RST, .seq = 1001));
	rig_expect_silence();
	rig_check(rig_only()->opened == 0);
	rig_check(rig_dropped(DROP_COOKIE) == 0);
	rig_end();
}

/* RFC 9293, 3.10.7.2: while cookies are out, an ACK of a number that none of
 * them can have is of a connection that is gone, and its peer is told. */
static void cookie_of_another_time(void)
{
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_FIN | TH_ACK, .seq = 5001,
		   .ack = 1001 + (1u << 27)));
	rig_expect(SEG(.flags = TH_RST, .seq = 1001 + (1u << 27)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	check_works();
	rig_end();
}

/* Cookies always: no record is ever made. */
static void cookies_always(void)
{
	rig.conf.cookies = COOKIES_ALWAYS;
	handshake_from(RIG_PEER_PORT);
	rig_check(rig_stats().cookies_accepted == 1);
	check_works();
	rx_syn(40001);
	rig_forget();
	rig_check(rig_stats().half_open == 0);
	rig_end();
}

/* Cookies never: silence, so that the client tries again. */
static void half_open_full(void)
{
	rig.conf.cookies = COOKIES_NEVER;
	fill_half_open();
	rx_syn(RIG_PEER_PORT);
	rig_expect_silence();
	rig_check(rig_stats().limits[LIMIT_HALF_OPEN] == 1);
	rig_check(rig_dropped(DROP_SYN_LIMIT) == 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = 40001));
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_end();
}

/* The listener's own bound does the same. */
static void backlog_full(void)
{
	rig.conf.cookies = COOKIES_NEVER;
	rig.listener.backlog = 2;
	rx_syn(40001);
	rig_expect(SYNACK(40001, MSS(rig_mss())));
	rx_syn(40002);
	rig_expect(SYNACK(40002, MSS(rig_mss())));
	rx_syn(40003);
	rig_expect_silence();
	rig_check(rig_stats().limits[LIMIT_BACKLOG] == 1);
	rig_end();
}

static void backlog_full_cookie(void)
{
	rig.listener.backlog = 1;
	rx_syn(40001);
	rig_expect(SYNACK(40001, MSS(rig_mss())));
	rx_syn(RIG_PEER_PORT);
	rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
	rig_check(rig_stats().cookies_sent == 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* max_connections: refused as the listener says; the others go on. */
static void connections_full(void)
{
	rig.conf.max_connections = 2;
	handshake_from(RIG_PEER_PORT);
	handshake_from(40001);
	rx_syn(40002);
	rig_expect_silence();
	rig_check(rig_stats().limits[LIMIT_CONNECTIONS] >= 1);
	rig_check(rig_dropped(DROP_SYN_LIMIT) == 1);
	check_works();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = 40001));
	handshake_from(40002);
	check_works();
	rig_end();
}

static void connections_full_reset(void)
{
	rig.conf.max_connections = 1;
	rig.listener.overflow = OVERFLOW_RESET;
	handshake_from(RIG_PEER_PORT);
	rx_syn(40001);
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5001,
		       .peer_port = 40001));
	check_works();
	rig_end();
}

static void listener_full(void)
{
	rig.listener.max_connections = 1;
	handshake_from(RIG_PEER_PORT);
	rx_syn(40001);
	rig_expect_silence();
	rig_check(rig_stats().limits[LIMIT_LISTENER] == 1);
	check_works();
	rig_end();
}

/* SYNs that come together all find room; their ACKs do not. */
static void rx_syn_and_expect(uint16_t port)
{
	rx_syn(port);
	rig_expect(SYNACK(port, MSS(rig_mss())));
}

static void rx_ack(uint16_t port)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = port));
}

static void listener_full_when_acked(void)
{
	rig.listener.max_connections = 1;
	rig.listener.overflow = OVERFLOW_RESET;
	rx_syn_and_expect(RIG_PEER_PORT);
	rx_syn_and_expect(40001);
	rx_ack(RIG_PEER_PORT);
	rig_expect_silence();
	rx_ack(40001);
	rig_expect(SEG(.flags = TH_RST, .seq = 1001, .peer_port = 40001));
	rig_expect_silence();
	rig_check(rig_conn(40001)->opened == 0);
	rig_check(rig_stats().half_open == 0 && rig_stats().full == 1);
	rig_check(rig_dropped(DROP_ACK_LIMIT) == 1);
	rig_check(rig_stats().limits[LIMIT_LISTENER] == 1);
	check_works();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 100));
	handshake_from(40002);
	rig_check(rig_conn(40002)->opened == 1);
	rig_end();
}

/* The ACK counts as lost, and so does text behind it; the first of both that
 * comes again when there is room completes the handshake. */
static void listener_full_when_acked_silent(void)
{
	static const uint32_t lens[] = {0, 100};

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		rig.listener.max_connections = 1;
		rx_syn_and_expect(40001);
		rx_syn_and_expect(RIG_PEER_PORT);
		rx_ack(40001);
		rx_ack(RIG_PEER_PORT);
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   .len = 100));
		rig_expect_silence();
		rig_check(rig_only()->opened == 0);
		rig_check(rig_state() == TCP_SYN_RECEIVED);
		rig_check(rig_dropped(DROP_ACK_LIMIT) == 2);
		rig_wait(S(1) + MS(1));
		rig_expect(SYNACK(RIG_PEER_PORT, MSS(rig_mss())));
		rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = 40001));
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   .len = lens[i]));
		rig_check(rig_state() == TCP_ESTABLISHED);
		rig_check(rig_only()->opened == 1);
		rig_check(rig_only()->received == lens[i]);
		rig_wait(MS(41));
		rig_forget();
		rig_end();
	}
}

/* There never is: it has as many tries as any, for it is no forgery. */
static void listener_full_for_good(void)
{
	rig.listener.max_connections = 1;
	rig.conf.max_half_open = 3;
	rx_syn_and_expect(40001);
	rx_syn_and_expect(40002);
	rx_syn_and_expect(RIG_PEER_PORT);
	rx_ack(40001);
	rx_ack(40002);
	rx_ack(RIG_PEER_PORT);
	rig_expect_silence();
	rig_check(rig_stats().half_open == 2);
	rig_wait(S(8));
	rig_check(rig_stats().half_open == 2);
	rig_wait(S(200));
	rig_check(rig_stats().half_open == 0);
	rig_check(rig_stats().retransmit_synack == 2 * 5);
	rig_forget();
	rx_ack(RIG_PEER_PORT);
	rig_expect(SEG(.flags = TH_RST, .seq = 1001));
	rig_end();
}

/* A limit that was lowered while the handshake was under way. */
static void connections_lowered(void)
{
	struct stack_conf c;

	rig.listener.overflow = OVERFLOW_RESET;
	handshake_from(RIG_PEER_PORT);
	rx_syn_and_expect(40001);
	c = rig.conf;
	c.max_connections = 1;
	stack_reconf(rig.st, &c);
	rx_ack(40001);
	rig_expect(SEG(.flags = TH_RST, .seq = 1001, .peer_port = 40001));
	rig_check(rig_stats().limits[LIMIT_CONNECTIONS] == 1);
	check_works();
	rig_end();
}

/* All of them in one turn, and all ACKs in the next: one gets in. */
static void listener_full_in_a_burst(void)
{
	unsigned int opened = 0;
	struct tcp_seg s;

	rig.listener.max_connections = 1;
	rig.listener.overflow = OVERFLOW_RESET;
	rig_start();
	rig_hold();
	for (uint16_t i = 0; i < 200; i++)
		rx_syn((uint16_t)(RIG_PEER_PORT + i));
	rig_release();
	while (rig_take(&s))
		rig_check(s.flags == (TH_SYN | TH_ACK));
	rig_check(rig_stats().half_open == 200);
	rig_hold();
	for (uint16_t i = 0; i < 200; i++)
		rx_ack((uint16_t)(RIG_PEER_PORT + i));
	rig_release();
	rig_forget();
	for (uint16_t i = 0; i < 200; i++)
		opened += rig_conn((uint16_t)(RIG_PEER_PORT + i))->opened;
	rig_check(opened == 1 && rig_stats().full == 1);
	rig_check(rig_stats().half_open == 0);
	rig_check(rig_dropped(DROP_ACK_LIMIT) == 199);
	check_works();
	rig_end();
}

/* Whether a turn has one packet or both is not for the peers to know. */
static void a_place_is_free_in_the_same_turn(void)
{
	rig.listener.max_connections = 1;
	rig.conf.max_per_source = 1;
	rig.conf.max_connections = 1;
	handshake_from(RIG_PEER_PORT);
	rig_hold();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rx_syn(40001);
	rig_release();
	rig_expect(SYNACK(40001, MSS(rig_mss())));
	rx_ack(40001);
	rig_check(rig_stats().full == 1 && rig_stats().half_open == 0);
	rig_end();
}

static void source_full(void)
{
	struct ip_addr other = rig.peer;

	rig.conf.max_per_source = 2;
	handshake_from(RIG_PEER_PORT);
	handshake_from(40001);
	rx_syn(40002);
	rig_expect_silence();
	rig_check(rig_stats().limits[LIMIT_PER_SOURCE] == 1);
	other.b[15] = 77;
	rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = 40003,
		      MSS(1000)),
		  &other, &rig.own);
	rig_expect(SYNACK(40003, MSS(rig_mss())));
	check_works();
	/* One that ended makes room. */
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = 40001));
	handshake_from(40002);
	rig_end();
}

/* Memory: connections until no more get in. Those who are in still work, and
 * what ends gives its place back. */
static void memory_full(void)
{
	struct tcp_seg s;
	uint16_t in = 0;
	bool refused = false;

	rig.memory = STACK_MEM_MIN;
	rig.conf.max_connections = 1000000;
	rig.conf.max_half_open = 1000;
	rig.conf.cookies = COOKIES_NEVER;
	rig.event_mask = 0;
	handshake_from(RIG_PEER_PORT);
	while (!refused && !rig.failed && in < 20000) {
		uint16_t port = (uint16_t)(RIG_PEER_PORT + 1 + in);

		rx_syn(port);
		refused = !rig_take(&s);
		if (refused)
			break;
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   .peer_port = port));
		refused = rig_conn(port)->opened == 0;
		rig_forget();
		in += !refused;
	}
	rig_check(refused && in > 100);
	rig_check(rig_stats().limits[LIMIT_MEMORY] >= 1);
	rig_check(rig_state() == TCP_ESTABLISHED);
	check_works();
	for (uint16_t i = 0; i < in; i++)
		rig_rx(SEG(.flags = TH_RST, .seq = 5001,
			   .peer_port = (uint16_t)(RIG_PEER_PORT + 1 + i)));
	rig_forget();
	rig_check(rig_stats().full == 1);
	handshake_from((uint16_t)(RIG_PEER_PORT + 1 + in + 1));
	check_works();
	rig_end();
}

/* Memory: everybody's window is open and nobody reads. No connection breaks,
 * and when the readers wake up everything arrives. */
static void memory_full_of_text(void)
{
	tcp_seq sent[64] = {0};
	struct tcp_seg s;

	rig.memory = STACK_MEM_MIN;
	rig.event_mask = 0;
	for (uint16_t i = 0; i < ARRAY_LEN(sent); i++) {
		handshake_from((uint16_t)(RIG_PEER_PORT + i));
		rig_conn((uint16_t)(RIG_PEER_PORT + i))->reading = false;
	}
	for (unsigned int round = 0; round < 200 && !rig.failed; round++) {
		for (uint16_t i = 0; i < ARRAY_LEN(sent); i++) {
			if (round == 100) {
				struct rig_conn *rc =
					rig_conn((uint16_t)(RIG_PEER_PORT + i));

				rig_check(rc->c != NULL);
				rc->reading = true;
				if (rc->c)
					tcp_resume(rig.st, rc->c);
			}
			if (sent[i] < 60000)
				rig_rx(SEG(.flags = TH_ACK,
					   .seq = 5001 + sent[i], .ack = 1001,
					   .peer_port =
						   (uint16_t)(RIG_PEER_PORT +
							      i),
					   .len = 1000));
		}
		rig_wait(MS(41));
		while (rig_take(&s)) {
			rig_check(s.flags == TH_ACK);
			sent[s.dport - RIG_PEER_PORT] = s.ack - 5001;
		}
	}
	for (uint16_t i = 0; i < ARRAY_LEN(sent); i++) {
		rig_check(sent[i] >= 60000);
		rig_check(rig_conn((uint16_t)(RIG_PEER_PORT + i))->received ==
			  sent[i]);
	}
	rig_end();
}

/* Cookies need no record, but what they open does: without memory for that,
 * nobody is made to believe in a connection. */
static void memory_full_no_cookie(void)
{
	uint16_t in = 0;
	struct tcp_seg s;

	rig.memory = STACK_MEM_MIN;
	rig.conf.max_connections = 1000000;
	rig.conf.cookies = COOKIES_ALWAYS;
	rig.event_mask = 0;
	for (; in < 20000; in++) {
		uint16_t port = (uint16_t)(RIG_PEER_PORT + in);

		rx_syn(port);
		if (!rig_take(&s))
			break;
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   .peer_port = port));
		rig_check(rig_conn(port)->opened == 1);
		rig_forget();
	}
	rig_check(in > 100 && in < 20000);
	rig_check(rig_dropped(DROP_SYN_MEMORY) == 1);
	for (uint16_t i = 0; i < in; i++)
		rig_rx(SEG(.flags = TH_RST, .seq = 5001,
			   .peer_port = (uint16_t)(RIG_PEER_PORT + i)));
	rig_forget();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(memory_full_no_cookie),
	UNIT_TEST(half_open_crowd),
	UNIT_TEST(half_open_in_earnest),
	UNIT_TEST(cookie_completes),
	UNIT_TEST(cookie_completes_with_text),
	UNIT_TEST(cookie_keeps_mss),
	UNIT_TEST(cookie_keeps_options),
	UNIT_TEST(cookie_without_timestamps),
	UNIT_TEST(cookie_guessed),
	UNIT_TEST(cookie_with_rst),
	UNIT_TEST(cookie_then_record),
	UNIT_TEST(record_is_no_cookie),
	UNIT_TEST(cookie_then_other_record),
	UNIT_TEST(cookie_expires),
	UNIT_TEST(cookie_of_another_time),
	UNIT_TEST(cookies_always),
	UNIT_TEST(half_open_full),
	UNIT_TEST(backlog_full),
	UNIT_TEST(backlog_full_cookie),
	UNIT_TEST(connections_full),
	UNIT_TEST(connections_full_reset),
	UNIT_TEST(listener_full),
	UNIT_TEST(listener_full_when_acked),
	UNIT_TEST(listener_full_when_acked_silent),
	UNIT_TEST(listener_full_for_good),
	UNIT_TEST(listener_full_in_a_burst),
	UNIT_TEST(a_place_is_free_in_the_same_turn),
	UNIT_TEST(connections_lowered),
	UNIT_TEST(source_full),
	UNIT_TEST(memory_full),
	UNIT_TEST(memory_full_of_text),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_limits", tests, ARRAY_LEN(tests), argc, argv);
}
