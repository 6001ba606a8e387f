/*
 * test_tcp_active.c - Active and simultaneous open
 */
#include <errno.h>

#include "rig.h"

/* The SYN that rig_open() must have brought about. */
#define OUR_SYN                                                           \
	SEG(.flags = TH_SYN, .seq = 1000, MSS(rig_mss()), SACK_OK, TS(0), \
	    SCALE(7), WND(65535))

static void opened(void)
{
	rig_open();
	rig_expect(OUR_SYN);
	rig_check(rig_state() == TCP_SYN_SENT);
}

/* RFC 9293, 3.5: SYN with all options, ACK to the SYN-ACK at once. */
static void open_then_synack(void)
{
	opened();
	rig_expect_silence();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_only()->opened == 1);
	rig_check(rig_stats().handshakes_active == 1);
	/* Nothing but the MSS was answered, so nothing else is used. */
	rig_check(rig_send(2000) == 2000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1000));
	rig_expect(SEG(.flags = TH_ACK, .seq = 2001, .ack = 5001, .len = 1000));
	rig_end();
}

static void open_then_synack_all_options(void)
{
	struct conn_info info;

	opened();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000), TS(900), SACK_OK, SCALE(9), WND(100)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, TS(900)));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.ts && info.sack && info.wscale);
	rig_check(info.snd_wscale == 9 && info.rcv_wscale == 7);
	rig_check(info.snd_wnd == 100); /* RFC 7323, 2.3: not scaled in a SYN */
	rig_check(info.role == ROLE_CLIENT);
	rig_end();
}

/* RFC 7323, 2.2: who does not answer our window scale gets no scaled windows. */
static void open_then_synack_without_scale(void)
{
	struct conn_info info;

	opened();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, WND(65535)));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(!info.wscale && info.rcv_wnd == 65535);
	rig_end();
}

/* Text that was sent before the answer leaves with the ACK or after it. */
static void open_send_then_synack(void)
{
	opened();
	rig_send(100);
	rig_expect_silence();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 100));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.10.7.3, second: RST,ACK of our SYN refuses. */
static void open_then_refused(void)
{
	opened();
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1 && rig_only()->opened == 0);
	rig_check(rig_only()->reason == CLOSE_REFUSED);
	rig_end();
}

/* A RST that acknowledges nothing, or the wrong thing, is dropped. */
static void open_then_wrong_rst(void)
{
	opened();
	rig_rx(SEG(.flags = TH_RST, .seq = 5000));
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 1000));
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 1002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_end();
}

/* RFC 9293, 3.10.7.3, first: RST of that number, and the attempt goes on. */
static void open_then_wrong_ack(void)
{
	opened();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1000,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_RST, .seq = 1000));
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1002,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_RST, .seq = 1002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* An ACK without SYN opens nothing, whatever it acknowledges. */
static void open_then_bare_ack(void)
{
	opened();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_check(rig_only()->received == 0);
	rig_end();
}

/* RFC 9293, 3.8.3 (MUST-22), with 1, 2, 4 ... s between them. */
static void open_times_out(void)
{
	rig.conf.syn_retries = 3;
	opened();
	rig_expect_after(S(1), OUR_SYN);
	rig_expect_after(S(2), OUR_SYN);
	rig_expect_after(S(4), OUR_SYN);
	rig_expect_silence_for(S(9));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1 && rig_only()->opened == 0);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_SYN);
	rig_end();
}

/* RFC 9293, 3.10.8: the user timeout ends an open in any state; once that is
 * established, it counts from what is sent then. */
static void open_user_timeout(void)
{
	rig.conf.user_timeout_us = MS(2500);
	opened();
	rig_expect_after(S(1), OUR_SYN);
	rig_expect_silence_for(MS(1400));
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_expect_silence_for(MS(200));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_USER);
	rig_end();
}

static void open_then_user_timeout_is_over(void)
{
	rig.conf.user_timeout_us = MS(2500);
	opened();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_expect_silence_for(S(60));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 6298, 5.7: after a lost SYN the RTO for text starts at 3 s. */
static void open_syn_lost_then_rto_3s(void)
{
	opened();
	rig_expect_after(S(1), OUR_SYN);
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_send(10);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 10));
	rig_expect_after(S(3), SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
				   .len = 10));
	rig_end();
}

/* RFC 5681, 3.1: and it is sent one segment at first. */
static void open_syn_lost_then_one_segment(void)
{
	opened();
	rig_expect_after(S(1), OUR_SYN);
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_send(5000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1000));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.5 (MUST-10), figure 8: both SYNs cross. */
static void open_simultaneous(void)
{
	opened();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_only()->opened == 1);
	rig_forget(); /* whether the second SYN is acknowledged is a matter of
		       * taste: RFC 9293, 3.10.7.4 says it may be */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_wait(MS(41));
	rig_check(rig_only()->received == 10);
	rig_forget();
	rig_end();
}

/* The same with a bare ACK for the last segment. */
static void open_simultaneous_then_ack(void)
{
	opened();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 7323, 2.2: the window of a SYN-ACK is not scaled here either. */
static void open_simultaneous_scaled(void)
{
	opened();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(4),
		   WND(3200)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), SCALE(7)));
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000), SCALE(4), WND(3200)));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_forget();
	rig_send(9000);
	for (tcp_seq i = 0; i < 3; i++)
		rig_expect(SEG(.flags = TH_ACK, .seq = 1001 + i * 1000,
			       .ack = 5001, .len = 1000));
	rig_expect_silence();
	rig_end();
}

/* Our SYN-ACK is lost: it is sent again, as any SYN. */
static void open_simultaneous_synack_lost(void)
{
	opened();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_wait(S(4));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* Text that waits for the handshake leaves with its end, even if the ACK that
 * ends it brings neither a larger window nor anything else that is new. */
static void open_simultaneous_with_text(void)
{
	rig_open();
	rig_expect(SEG(.flags = TH_SYN, .seq = 1000, MSS(rig_mss()), SACK_OK,
		       TS(0), SCALE(7)));
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_send(10);
	rig_expect_silence();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 10));
	rig_end();
}

/* RFC 9293, 3.10.7.4 (MUST-11): an active open that is reset in SYN-RECEIVED
 * is refused, not back in LISTEN. */
static void open_simultaneous_then_rst(void)
{
	opened();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_REFUSED);
	rig_end();
}

/* RFC 9293, 3.9.1.1 (MUST-46). */
static void open_impossible_peer(void)
{
	const struct ip_addr to4[] = {
		{{[10] = 0xff, 0xff, 198, 18, 66, 255}},
		{{[10] = 0xff, 0xff, 255, 255, 255, 255}},
		{{[10] = 0xff, 0xff, 224, 0, 0, 1}},
		{{[10] = 0xff, 0xff, 0, 0, 0, 0}},
	};
	const struct ip_addr to6[] = {
		{{0xff, 0x02, [15] = 1}},
		{{[15] = 0}},
	};
	size_t n = rig.v6 ? ARRAY_LEN(to6) : ARRAY_LEN(to4);
	struct tcp_conn *c;

	rig_start();
	for (size_t i = 0; i < n; i++)
		rig_check(stack_open(rig.st, rig.listener.service, NULL,
				     rig.v6 ? &to6[i] : &to4[i], 80, NULL, 0,
				     rig.now_us, &c) == -EINVAL);
	rig_check(stack_open(rig.st, rig.listener.service, NULL, &rig.peer, 0,
			     NULL, 0, rig.now_us, &c) == -EINVAL);
	rig_wait(S(1));
	rig_expect_silence();
	rig_end();
}

static void open_pair_in_use(void)
{
	struct tcp_conn *c;

	opened();
	rig_check(stack_open(rig.st, rig.listener.service, NULL, &rig.peer,
			     RIG_PEER_PORT, NULL, rig_only()->port, rig.now_us,
			     &c) == -EADDRINUSE);
	rig_end();
}

/* Who called is remembered to the end of TIME-WAIT, and counted. */
static void close_is_a_clients(void)
{
	struct conn_info info;

	opened();
	rig_check(rig_stats().clients[TCP_SYN_SENT] == 1);
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_check(rig_stats().clients[TCP_ESTABLISHED] == 1);
	rig_close();
	rig_expect(SEG(.flags = TH_FIN | TH_ACK, .seq = 1001, .ack = 5001));
	rig_rx(SEG(.flags = TH_FIN | TH_ACK, .seq = 5001, .ack = 1002));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1002, .ack = 5002));
	rig_check(rig_stats().conns[TCP_TIME_WAIT] == 1);
	rig_check(rig_stats().clients[TCP_TIME_WAIT] == 1);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.state == TCP_TIME_WAIT && info.role == ROLE_CLIENT);
	rig_expect_silence_for(S(61));
	rig_check(rig_stats().clients[TCP_TIME_WAIT] == 0);
	rig_end();
}

/* RFC 9293, 3.10.4: CLOSE in SYN-SENT ends it without a segment. */
static void open_then_close(void)
{
	opened();
	rig_close();
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1 && rig_only()->opened == 0);
	rig_end();
}

static void open_then_abort(void)
{
	opened();
	rig_abort();
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_RESET_BY_US);
	rig_end();
}

/* RFC 9293, 3.10.7.3: the FIN of a SYN-ACK counts once established; a copy of
 * the SYN-ACK is challenged (RFC 5961, 4.2). */
static void synack_again_in_established(void)
{
	opened();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(open_then_synack),
	UNIT_TEST(open_then_synack_all_options),
	UNIT_TEST(open_then_synack_without_scale),
	UNIT_TEST(open_send_then_synack),
	UNIT_TEST(open_then_refused),
	UNIT_TEST(open_then_wrong_rst),
	UNIT_TEST(open_then_wrong_ack),
	UNIT_TEST(open_then_bare_ack),
	UNIT_TEST(open_times_out),
	UNIT_TEST(open_user_timeout),
	UNIT_TEST(open_then_user_timeout_is_over),
	UNIT_TEST(open_syn_lost_then_rto_3s),
	UNIT_TEST(open_syn_lost_then_one_segment),
	UNIT_TEST(open_simultaneous),
	UNIT_TEST(open_simultaneous_then_ack),
	UNIT_TEST(open_simultaneous_scaled),
	UNIT_TEST(open_simultaneous_synack_lost),
	UNIT_TEST(open_simultaneous_with_text),
	UNIT_TEST(open_simultaneous_then_rst),
	UNIT_TEST(open_impossible_peer),
	UNIT_TEST(open_pair_in_use),
	UNIT_TEST(close_is_a_clients),
	UNIT_TEST(open_then_close),
	UNIT_TEST(open_then_abort),
	UNIT_TEST(synack_again_in_established),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_active", tests, ARRAY_LEN(tests), argc, argv);
}
