/*
 * test_tcp_half.c - SYN-RECEIVED as a record: what else may come than the ACK
 */
#include "rig.h"

#define SYN_ALL \
	SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK, TS(77), SCALE(3))
#define SYNACK_ALL                                              \
	SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001, \
	    MSS(rig_mss()), SACK_OK, TS(77), SCALE(7))
#define OTHER_PORT 40001

/* A record of a peer with no option but an MSS. */
static void half_open(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_check(rig_state() == TCP_SYN_RECEIVED);
}

static void half_open_all(void)
{
	rig_rx(SYN_ALL);
	rig_expect(SYNACK_ALL);
}

/* It is as it was, and the right ACK completes it. */
static void completes(void)
{
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_only()->opened == 1);
	rig_expect_silence();
}

/* RFC 5961, 3.2: in the window, but not its first number. */
static void rcv_rst_inside_window(void)
{
	half_open();
	rig_rx(SEG(.flags = TH_RST, .seq = 5011));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, WND(65535)));
	rig_wait(MS(250));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 65534));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_check(rig_dropped(DROP_RST_INEXACT) == 2);
	rig_check(rig_stats().challenge_acks == 2);
	completes();
	rig_end();
}

static void rcv_rst_outside_window(void)
{
	half_open();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 65535));
	rig_rx(SEG(.flags = TH_RST, .seq = 5000));
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 5000, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_RST_WINDOW) == 3);
	completes();
	rig_end();
}

/* RFC 5961, 4.2: another SYN of the same client. If it forgot the first, our
 * ACK makes it send the RST that clears the way. */
static void rcv_other_syn(void)
{
	half_open();
	rig_rx(SEG(.flags = TH_SYN, .seq = 9000, MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_SYN_CHALLENGED) == 1);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_check(rig_stats().half_open == 0);
	rig_rx(SEG(.flags = TH_SYN, .seq = 9000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 9001,
		       MSS(rig_mss())));
	rig_end();
}

/* A SYN-ACK is none that a client sends to a listener. */
static void rcv_synack(void)
{
	half_open();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_check(rig_dropped(DROP_SYN_CHALLENGED) == 1);
	completes();
	rig_end();
}

/* RFC 7323, 5.3: older than the SYN, so it is not from this connection. The
 * challenge has a timestamp and a scaled window, as any segment. */
static void rcv_old_timestamp(void)
{
	half_open_all();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(76),
		   .len = 10));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, TS(77),
		       WND(65535 >> 7)));
	rig_check(rig_dropped(DROP_PAWS) == 1);
	rig_check(rig_only()->opened == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(77)));
	rig_check(rig_only()->opened == 1);
	rig_end();
}

/* Timestamps were agreed upon, and the ACK has none: such peers exist. */
static void rcv_ack_without_timestamp(void)
{
	half_open_all();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .no_ts = true));
	rig_check(rig_only()->opened == 1);
	rig_end();
}

/* RFC 5961, 7: challenges have a rate, each record one of its own beside that
 * of all. */
static void challenge_rate(void)
{
	rig.conf.challenge_ack_rate = 1;
	half_open();
	for (int i = 0; i < 3; i++)
		rig_rx(SEG(.flags = TH_RST, .seq = 5011));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_expect_silence_for(MS(250));
	rig_check(rig_dropped(DROP_CHALLENGE_RATE) == 2);
	rig_rx(SEG(.flags = TH_RST, .seq = 5011));
	rig_expect_silence();
	rig_wait(MS(600));
	rig_rx(SEG(.flags = TH_RST, .seq = 5011));
	rig_expect_silence();
	rig_wait(MS(250));
	rig_rx(SEG(.flags = TH_RST, .seq = 5011));
	rig_forget();
	rig_check(rig_stats().challenge_acks == 2);
	completes();
	rig_end();
}

/* RFC 6298, 2.5: the wait between SYN-ACKs has a bound. */
static void synack_wait_bounded(void)
{
	rig.conf.rto_max_us = MS(1500);
	rig.conf.synack_retries = 3;
	half_open();
	rig_expect_after(S(1), SEG(.flags = TH_SYN | TH_ACK, .seq = 1000,
				   .ack = 5001, MSS(rig_mss())));
	rig_expect_after(MS(1500), SEG(.flags = TH_SYN | TH_ACK, .seq = 1000,
				       .ack = 5001, MSS(rig_mss())));
	rig_expect_after(MS(1500), SEG(.flags = TH_SYN | TH_ACK, .seq = 1000,
				       .ack = 5001, MSS(rig_mss())));
	rig_expect_silence_for(S(2));
	rig_check(rig_stats().half_open == 0);
	rig_end();
}

/* No bound on half-open ones but the stack's. */
static void backlog_unlimited(void)
{
	rig.listener.backlog = 0;
	half_open();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = OTHER_PORT));
	rig_check(rig_stats().half_open == 2);
	rig_check(rig_stats().cookies_sent == 0);
	rig_forget();
	rig_end();
}

/* A SYN and a FIN in one: nobody honest sends that. */
static void rcv_syn_fin_listen(void)
{
	rig_rx(SEG(.flags = TH_SYN | TH_FIN, .seq = 5000));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_TCP_FLAGS) == 1);
	rig_end();
}

/* Its service does not want it: refused, or as if there was nobody. */
static void on_syn_refuses(void)
{
	rig.on_syn = SYN_REFUSE;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5001));
	rig.on_syn = SYN_SILENCE;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_expect_silence();
	rig_check(rig.syns == 2);
	rig_check(rig_dropped(DROP_SYN_DENIED) == 2);
	rig.on_syn = SYN_ACCEPT;
	half_open();
	rig_end();
}

/* ---- cookies ---- */

static void cookie_sent(const struct rig_seg *syn, const struct rig_seg *synack)
{
	rig.conf.cookies = COOKIES_ALWAYS;
	rig_rx(syn);
	rig_expect(synack);
	rig_check(rig_stats().half_open == 0);
}

/* Each option of a cookie is an answer to its own. */
static void cookie_some_options(void)
{
	struct conn_info info;

	cookie_sent(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(7)),
		    SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
			MSS(rig_mss()), TS(7)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(8)));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.ts && !info.sack && !info.wscale);
	rig_end();
}

static void cookie_sack_off(void)
{
	struct conn_info info;

	rig.conf.sack = false;
	cookie_sent(SYN_ALL,
		    SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
			MSS(rig_mss()), TS(77), SCALE(7)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(78)));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.ts && !info.sack && info.wscale);
	rig_end();
}

/* Timestamps were switched off while a cookie was out: it counts, without. */
static void cookie_timestamps_switched_off(void)
{
	struct conn_info info;
	struct stack_conf c;

	cookie_sent(SYN_ALL, SYNACK_ALL);
	c = rig.conf;
	c.timestamps = false;
	stack_reconf(rig.st, &c);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(78)));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.state == TCP_ESTABLISHED && !info.ts);
	rig_end();
}

/* There was room when the cookie left, and none when it came back. */
static void cookie_comes_back_too_late(void)
{
	rig.conf.max_connections = 1;
	cookie_sent(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)),
		    SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
			MSS(rig_mss())));
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			  .peer_port = OTHER_PORT));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_only()->opened == 0);
	rig_check(rig_stats().limits[LIMIT_CONNECTIONS] == 1);
	rig_check(rig_dropped(DROP_ACK_LIMIT) == 1);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = OTHER_PORT));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_only()->opened == 1);
	rig_end();
}

/* The same from one address, where the listener wants it told. */
static void cookie_source_full(void)
{
	rig.conf.max_per_source = 1;
	rig.listener.overflow = OVERFLOW_RESET;
	cookie_sent(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)),
		    SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
			MSS(rig_mss())));
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			  .peer_port = OTHER_PORT));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect(SEG(.flags = TH_RST, .seq = 1001));
	rig_expect_silence();
	rig_check(rig_only()->opened == 0);
	rig_check(rig_stats().limits[LIMIT_PER_SOURCE] == 1);
	rig_check(rig_dropped(DROP_ACK_LIMIT) == 1);
	rig_end();
}

/* A connection that came by cookie ends, and in the same batch a new one comes
 * from the same place: that one counts, not a memory of the old. */
static void cookie_closed_and_opened_again(void)
{
	rig.close_with_peer = true;
	cookie_sent(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)),
		    SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
			MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5002));
	rig.conf.cookies = COOKIES_NEVER;
	stack_reconf(rig.st, &rig.conf);
	rig_hold();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	rig_rx(SEG(.flags = TH_SYN, .seq = 90000, MSS(1000)));
	rig_release();
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_FIN);
	rig_check(rig_stats().time_wait == 0);
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_forget();
	rig_end();
}

/* Alone, it is remembered: a late copy of its first segment opens nothing. */
static void cookie_closed_is_remembered(void)
{
	rig.close_with_peer = true;
	cookie_sent(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)),
		    SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
			MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5002));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	rig_check(rig_stats().time_wait == 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_only()->opened == 1);
	rig_forget();
	rig_end();
}

/* ---- replies without a record ---- */

/* More answers than are held: the rest is lost like packets are. */
static void replies_bounded(void)
{
	struct stack_pkt out;
	unsigned int n = 0;

	rig.conf.cookies = COOKIES_ALWAYS;
	rig.event_mask = 0;
	rig_hold();
	for (uint32_t i = 0; i < 4200; i++)
		rig_rx(SEG(.flags = TH_SYN, .seq = 5000,
			   .peer_port = (uint16_t)(RIG_PEER_PORT + i)));
	while (stack_output(rig.st, &out, rig.now_us))
		n++;
	rig_release();
	rig_check(n == 4096);
	rig_check(rig_stats().cookies_sent == 4096);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 4200 - 4096);
	rig_expect_silence();
	rig_end();
}

static void reconf_wscale(uint8_t to)
{
	struct stack_conf c = rig.conf;

	c.window_scale = to;
	stack_reconf(rig.st, &c);
}

/* RFC 7323, 2.2: what the SYN-ACK said counts, whatever is configured since. */
static void scale_changes_and_text_comes(void)
{
	reconf_wscale(0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(78),
		   .len = 100));
	rig_wait(MS(50));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101, TS(78),
		       WND(512)));
	rig_end();
}

static void scale_changed_before_the_ack(void)
{
	half_open_all();
	scale_changes_and_text_comes();
}

static void scale_changed_after_a_cookie(void)
{
	cookie_sent(SYN_ALL, SYNACK_ALL);
	scale_changes_and_text_comes();
}

static void a_cookie_of_two_scales_ago_is_none(void)
{
	cookie_sent(SYN_ALL, SYNACK_ALL);
	reconf_wscale(0);
	reconf_wscale(3);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(78)));
	rig_check(rig_stats().cookies_rejected == 1);
	rig_end();
}

static void no_cookie_opens_while_stopping(void)
{
	cookie_sent(SYN_ALL, SYNACK_ALL);
	stack_stop(rig.st, rig.now_us);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(78)));
	rig_expect(SEG(.flags = TH_RST, .seq = 1001));
	rig_check(rig_only()->opened == 0);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(scale_changed_before_the_ack),
	UNIT_TEST(scale_changed_after_a_cookie),
	UNIT_TEST(a_cookie_of_two_scales_ago_is_none),
	UNIT_TEST(no_cookie_opens_while_stopping),
	UNIT_TEST(rcv_rst_inside_window),
	UNIT_TEST(rcv_rst_outside_window),
	UNIT_TEST(rcv_other_syn),
	UNIT_TEST(rcv_synack),
	UNIT_TEST(rcv_old_timestamp),
	UNIT_TEST(rcv_ack_without_timestamp),
	UNIT_TEST(challenge_rate),
	UNIT_TEST(synack_wait_bounded),
	UNIT_TEST(backlog_unlimited),
	UNIT_TEST(rcv_syn_fin_listen),
	UNIT_TEST(on_syn_refuses),
	UNIT_TEST(cookie_some_options),
	UNIT_TEST(cookie_sack_off),
	UNIT_TEST(cookie_timestamps_switched_off),
	UNIT_TEST(cookie_comes_back_too_late),
	UNIT_TEST(cookie_source_full),
	UNIT_TEST(cookie_closed_and_opened_again),
	UNIT_TEST(cookie_closed_is_remembered),
	UNIT_TEST(replies_bounded),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_half", tests, ARRAY_LEN(tests), argc, argv);
}
