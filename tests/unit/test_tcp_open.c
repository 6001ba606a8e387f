/*
 * test_tcp_open.c - Passive open, and segments for nobody
 */
#include "rig.h"

/* RFC 9293, 3.5: the three segments, nothing more. A peer that offers only an
 * MSS is answered with only an MSS. */
static void rcv_syn_listen(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), WND(65535)));
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_check(rig_stats().half_open == 1);
	rig_check(rig_stats().full == 0);

	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_only()->opened == 1);
	rig_check(rig_stats().handshakes == 1);
	rig_end();
}

/* RFC 7323, 2.2 and 3.2, RFC 2018, 2: each option answers its own. */
static void rcv_syn_listen_all_options(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK, TS(77),
		   SCALE(3)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), SACK_OK, TS(77), SCALE(7)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(78)));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

static void rcv_syn_listen_only_timestamps(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(77)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), TS(77)));
	rig_end();
}

static void rcv_syn_listen_only_sack(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), SACK_OK));
	rig_end();
}

static void rcv_syn_listen_only_scale(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(0)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), SCALE(7)));
	rig_end();
}

/* What the configuration switches off is not answered. */
static void rcv_syn_listen_options_off(void)
{
	rig.conf.sack = false;
	rig.conf.timestamps = false;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK, TS(77)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_end();
}

/* RFC 9293, 3.7.1 (MUST-15): 536 or 1220 for a peer that says nothing. */
static void rcv_syn_listen_no_mss(void)
{
	uint16_t mss = rig_default_mss();

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000));
	rig_check(rig_send(mss + 10u) == mss + 10);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = mss));
	rig_forget();
	rig_end();
}

/* RFC 7323, 2.3: the window of a SYN-ACK is never scaled, later ones are. */
static void rcv_syn_listen_scaled_window(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 1 << 20;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(7)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), SCALE(7), WND(65535)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 1000));
	rig_expect_after(MS(40), SEG(.flags = TH_ACK, .seq = 1001, .ack = 6001,
				     WND((1 << 20) >> 7)));
	rig_end();
}

/* RFC 6298, 2.1 and 5.5: again after 1, 2, 4, 8, 16 s; then the record goes
 * without a word (RFC 9293, 3.8.3 (MUST-20)). */
static void synack_retransmitted_then_given_up(void)
{
	static const int64_t gaps_s[] = {1, 2, 4, 8, 16};

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(2)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), SCALE(7)));
	for (size_t i = 0; i < ARRAY_LEN(gaps_s); i++) {
		rig_expect_after(S(gaps_s[i]),
				 SEG(.flags = TH_SYN | TH_ACK, .seq = 1000,
				     .ack = 5001, MSS(rig_mss()), SCALE(7)));
	}
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_check(rig_stats().retransmit_synack == 5);
	rig_expect_silence_for(S(33));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_stats().half_open == 0);
	rig_check(rig_stats().handshakes_failed == 1);
	rig_check(rig_only()->opened == 0 && rig_only()->closed == 0);
	rig_end();
}

/* RFC 5681, 3.1: whose SYN-ACK was lost is sent one segment at first. */
static void synack_lost_then_one_segment(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_expect_after(S(1), SEG(.flags = TH_SYN | TH_ACK, .seq = 1000,
				   .ack = 5001, MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_send(5000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1000));
	rig_expect_silence();
	rig_end();
}

/* The client's SYN again: it has not seen our SYN-ACK. */
static void rcv_syn_syn_received_again(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_wait(MS(500));
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_check(rig_stats().half_open == 1);
	rig_end();
}

/* The last ACK is lost and the first text completes the handshake. */
static void rcv_text_syn_received(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_only()->received == 100);
	rig_expect_after(MS(40),
			 SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101));
	rig_end();
}

/* Text and FIN in the segment that completes the handshake. */
static void rcv_text_fin_syn_received(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001,
		   .len = 100));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5102));
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_check(rig_only()->received == 100);
	rig_check(rig_only()->peer_closed == 1);
	rig_end();
}

/* RFC 9293, 3.10.7.4: text without the ACK flag is never taken. */
static void rcv_text_without_ack_syn_received(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = 0, .seq = 5001, .len = 100));
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_check(rig_only()->opened == 0);
	rig_end();
}

/* RFC 9293, 3.10.7.4, fifth: an ACK of what was not sent is answered with a
 * RST of that number, and opens nothing. */
static void rcv_wrong_ack_syn_received(void)
{
	static const int32_t off[] = {-1, 0, 2, 100000, -100000, INT32_MIN};

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	for (size_t i = 0; i < ARRAY_LEN(off); i++) {
		tcp_seq ack = 1000 + (tcp_seq)off[i];

		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
		rig_expect(SEG(.flags = TH_RST, .seq = ack));
		rig_expect_silence();
		rig_check(rig_state() == TCP_SYN_RECEIVED);
	}
	rig_check(rig_only()->opened == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 7323, 2.2: the answer to a segment beside the window is no SYN, so its
 * window is scaled. */
static void rcv_text_outside_window_syn_received(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(2)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), SCALE(7), WND(65535)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001 + 70000, .ack = 1001,
		   .len = 10));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       WND(65535 >> 7)));
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_end();
}

/* RFC 9293, 3.10.7.4: a RST returns a passive open to LISTEN. */
static void rcv_rst_syn_received(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_stats().half_open == 0);
	/* The next one from there is as good as any. */
	rig_rx(SEG(.flags = TH_SYN, .seq = 6000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 6001,
		       MSS(rig_mss())));
	rig_end();
}

/* A RST beside the window is nobody's. */
static void rcv_rst_syn_received_outside_window(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 100000));
	rig_rx(SEG(.flags = TH_RST, .seq = 4000));
	rig_forget();
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_end();
}

/* A reset and an ACK in one segment complete no handshake. */
static void rcv_rst_ack_syn_received(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->opened == 0);
	rig_end();
}

/* RFC 9293, 3.10.7.1: RST,ACK of number 0 that acknowledges the SYN. */
static void rcv_syn_closed_port(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .port = 9, MSS(1000)));
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5001));
	rig_expect_silence();
	rig_check(rig_stats().resets_out == 1);
	rig_end();
}

/* The same, text and FIN counted (SEG.LEN). */
static void rcv_text_closed_port(void)
{
	rig_rx(SEG(.flags = TH_SYN | TH_FIN, .seq = 5000, .len = 10,
		   .port = 9));
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5012));
	rig_rx(SEG(.flags = 0, .seq = 5000, .len = 10, .port = 9));
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5010));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.10.7.1: RST of the number acknowledged, without the ACK flag. */
static void rcv_ack_closed_port(void)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 7777, .port = 9));
	rig_expect(SEG(.flags = TH_RST, .seq = 7777));
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 7777,
		   .port = 9));
	rig_expect(SEG(.flags = TH_RST, .seq = 7777));
	rig_rx(SEG(.flags = TH_FIN | TH_ACK, .seq = 5000, .ack = 7777, .len = 5,
		   .port = 9));
	rig_expect(SEG(.flags = TH_RST, .seq = 7777));
	rig_expect_silence();
	rig_end();
}

/* No reset answers a reset. */
static void rcv_rst_closed_port(void)
{
	rig_rx(SEG(.flags = TH_RST, .seq = 5000, .port = 9));
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 5000, .ack = 1, .port = 9));
	rig_rx(SEG(.flags = TH_RST, .seq = 5000));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_RST_NOBODY) == 3);
	rig_end();
}

/* RFC 9293, 3.10.7.2: an ACK for a listener is reset, other flags dropped. */
static void rcv_ack_listen(void)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 7777));
	rig_expect(SEG(.flags = TH_RST, .seq = 7777));
	rig_rx(SEG(.flags = TH_FIN, .seq = 5000));
	rig_rx(SEG(.flags = 0, .seq = 5000, .len = 10));
	rig_expect_silence();
	rig_check(rig_stats().half_open == 0);
	rig_end();
}

static void rcv_syn_ack_listen(void)
{
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 7777,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_RST, .seq = 7777));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.10.7.2, first: not even with a SYN. */
static void rcv_syn_rst_listen(void)
{
	rig_rx(SEG(.flags = TH_SYN | TH_RST, .seq = 5000));
	rig_expect_silence();
	rig_check(rig_stats().half_open == 0);
	rig_end();
}

/* RFC 9293, 3.1 (MUST-3): a damaged SYN opens nothing, resets nothing. */
static void rcv_syn_bad_checksum(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), .bad_csum = true));
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .port = 9, .bad_csum = true));
	rig_expect_silence();
	rig_check(rig_stats().half_open == 0);
	rig_check(rig_dropped(DROP_TCP_CHECKSUM) == 2);
	rig_end();
}

/* RFC 9293, 3.9.2.3 (MUST-57): neither answered nor reset. */
static void rcv_syn_broadcast(void)
{
	const struct ip_addr to4[] = {
		{{[10] = 0xff, 0xff, 198, 18, 66, 255}},
		{{[10] = 0xff, 0xff, 255, 255, 255, 255}},
		{{[10] = 0xff, 0xff, 224, 0, 0, 1}},
	};
	const struct ip_addr to6[] = {
		{{0xff, 0x02, [15] = 1}},
		{{0xff, 0x0e, [15] = 5}},
	};
	size_t n = rig.v6 ? ARRAY_LEN(to6) : ARRAY_LEN(to4);

	for (size_t i = 0; i < n; i++) {
		rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)),
			  &rig.peer, rig.v6 ? &to6[i] : &to4[i]);
		rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, .port = 9),
			  &rig.peer, rig.v6 ? &to6[i] : &to4[i]);
	}
	rig_expect_silence();
	rig_check(rig_stats().half_open == 0);
	rig_check(rig_dropped(DROP_IP_BROADCAST) == 2 * n);
	rig_end();
}

/* RFC 9293, 3.9.2.3 (MUST-63). */
static void rcv_syn_impossible_source(void)
{
	const struct ip_addr from4[] = {
		{{[10] = 0xff, 0xff, 198, 18, 66, 255}},
		{{[10] = 0xff, 0xff, 255, 255, 255, 255}},
		{{[10] = 0xff, 0xff, 224, 0, 0, 1}},
		{{[10] = 0xff, 0xff, 127, 0, 0, 1}},
		{{[10] = 0xff, 0xff, 0, 0, 0, 0}},
	};
	const struct ip_addr from6[] = {
		{{0xff, 0x02, [15] = 1}},
		{{[15] = 0}},
		{{[15] = 1}},
	};
	size_t n = rig.v6 ? ARRAY_LEN(from6) : ARRAY_LEN(from4);

	for (size_t i = 0; i < n; i++)
		rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)),
			  rig.v6 ? &from6[i] : &from4[i], &rig.own);
	rig_expect_silence();
	rig_check(rig_stats().half_open == 0);
	rig_check(rig_dropped(DROP_IP_SOURCE) == n);
	rig_end();
}

/* Sent to itself: the "land" attack. */
static void rcv_syn_from_itself(void)
{
	rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = RIG_PORT),
		  &rig.own, &rig.own);
	rig_expect_silence();
	rig_check(rig_stats().half_open == 0);
	rig_end();
}

static void rcv_syn_for_another_host(void)
{
	struct ip_addr other = rig.own;

	other.b[15] = 77;
	rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)), &rig.peer,
		  &other);
	rig_expect_silence();
	rig_check(rig_dropped(DROP_IP_NOT_OURS) == 1);
	rig_end();
}

/* The real initial number of a connection from @port, opened and reset. */
static tcp_seq isn_of(uint16_t port)
{
	tcp_seq isn;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = port, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       .peer_port = port, MSS(rig_mss())));
	isn = RIG_ISS + rig_conn(port)->iss_off;
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = port));
	rig_conn(port)->iss_known = false;
	rig_expect_silence();
	return isn;
}

/* RFC 9293, 3.4.1 (MUST-8), RFC 6528: on the clock of 4 us within one pair of
 * ends, unrelated between two. */
static void isn_clock_and_hash(void)
{
	tcp_seq first = isn_of(40000), again, other = isn_of(40001);
	tcp_seq third = isn_of(40002);

	rig_check(other != first);
	rig_check(third - other != other - first);
	rig_check(third - other != 1 && other - first != 1);
	rig_wait(S(4));
	again = isn_of(40000);
	rig_check(again - first >= 900000 && again - first <= 1100000);
	rig_end();
}

/* A service may keep silent, or refuse. */
static void rcv_syn_service_silent(void)
{
	rig.on_syn = SYN_SILENCE;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect_silence();
	rig_check(rig.syns == 1);
	rig_check(rig_stats().half_open == 0);
	rig_end();
}

static void rcv_syn_service_refuses(void)
{
	rig.on_syn = SYN_REFUSE;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5001));
	rig_expect_silence();
	rig_check(rig.syns == 1);
	rig_check(rig_stats().half_open == 0);
	rig_end();
}

/* A listener that is switched off is a closed port; on again, it is not. */
static void listener_disabled(void)
{
	rig_start();
	rig_check(stack_listener_enable(rig.st, "rig", false) == 0);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5001));
	rig_check(stack_listener_enable(rig.st, "rig", true) == 0);
	rig_rx(SEG(.flags = TH_SYN, .seq = 6000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 6001,
		       MSS(rig_mss())));
	rig_end();
}

/* RFC 9293, 3.9.1.1 (MUST-41): those who are in stay in. */
static void listener_removed_connections_stay(void)
{
	rig_established();
	rig_check(stack_unlisten(rig.st, "rig") == 0);
	rig_check(stack_unlisten(rig.st, "rig") < 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_expect_after(MS(40),
			 SEG(.flags = TH_ACK, .seq = 1001, .ack = 5011));
	rig_check(rig_only()->received == 10);
	rig_rx(SEG(.flags = TH_SYN, .seq = 6000, .peer_port = 40001));
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 6001,
		       .peer_port = 40001));
	rig_end();
}

/* A client outside the allow-list gets no answer at all. */
static void rcv_syn_not_allowed(void)
{
	rig.listener.nallow = 1;
	rig.listener.allow[0] = (struct ip_prefix){rig.own, 128};
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_forget();
	rig_check(rig_stats().half_open == 0);
	rig_check(rig_dropped(DROP_SYN_DENIED) == 1);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(rcv_syn_listen),
	UNIT_TEST(rcv_syn_listen_all_options),
	UNIT_TEST(rcv_syn_listen_only_timestamps),
	UNIT_TEST(rcv_syn_listen_only_sack),
	UNIT_TEST(rcv_syn_listen_only_scale),
	UNIT_TEST(rcv_syn_listen_options_off),
	UNIT_TEST(rcv_syn_listen_no_mss),
	UNIT_TEST(rcv_syn_listen_scaled_window),
	UNIT_TEST(synack_retransmitted_then_given_up),
	UNIT_TEST(synack_lost_then_one_segment),
	UNIT_TEST(rcv_syn_syn_received_again),
	UNIT_TEST(rcv_text_syn_received),
	UNIT_TEST(rcv_text_fin_syn_received),
	UNIT_TEST(rcv_text_without_ack_syn_received),
	UNIT_TEST(rcv_wrong_ack_syn_received),
	UNIT_TEST(rcv_text_outside_window_syn_received),
	UNIT_TEST(rcv_rst_syn_received),
	UNIT_TEST(rcv_rst_syn_received_outside_window),
	UNIT_TEST(rcv_rst_ack_syn_received),
	UNIT_TEST(rcv_syn_closed_port),
	UNIT_TEST(rcv_text_closed_port),
	UNIT_TEST(rcv_ack_closed_port),
	UNIT_TEST(rcv_rst_closed_port),
	UNIT_TEST(rcv_ack_listen),
	UNIT_TEST(rcv_syn_ack_listen),
	UNIT_TEST(rcv_syn_rst_listen),
	UNIT_TEST(rcv_syn_bad_checksum),
	UNIT_TEST(rcv_syn_broadcast),
	UNIT_TEST(rcv_syn_impossible_source),
	UNIT_TEST(rcv_syn_from_itself),
	UNIT_TEST(rcv_syn_for_another_host),
	UNIT_TEST(isn_clock_and_hash),
	UNIT_TEST(rcv_syn_service_silent),
	UNIT_TEST(rcv_syn_service_refuses),
	UNIT_TEST(listener_disabled),
	UNIT_TEST(listener_removed_connections_stay),
	UNIT_TEST(rcv_syn_not_allowed),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_open", tests, ARRAY_LEN(tests), argc, argv);
}
