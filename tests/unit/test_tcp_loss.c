/*
 * test_tcp_loss.c - Retransmission by time and on evidence
 */
#include "rig.h"

#define TEXT(at, n) SEG(.flags = TH_ACK, .seq = (at), .ack = 5001, .len = (n))

static void rx_ack(tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
}

/* Ten segments of 1000, from 1001 to 11000, all of them in flight. */
static void ten_in_flight(void)
{
	rig_established();
	rig_send(10000);
	for (tcp_seq i = 0; i < 10; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	rig_expect_silence();
}

/* RFC 6298, 2.1 and 5.4-5.6; RFC 9293, 3.8.2 (MUST-19). */
static void rto_backs_off(void)
{
	rig_established();
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	rig_expect_after(S(1), TEXT(1001, 1000));
	rig_expect_after(S(2), TEXT(1001, 1000));
	rig_expect_after(S(4), TEXT(1001, 1000));
	rig_expect_after(S(8), TEXT(1001, 1000));
	rx_ack(2001);
	rig_expect_silence_for(S(100));
	rig_check(rig_stats().retransmit_rto == 4);
	rig_end();
}

/* RFC 6298, 5.5: at most 60 s. */
static void rto_maximum(void)
{
	rig_established();
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	for (int64_t gap_s = 1; gap_s < 60; gap_s *= 2)
		rig_expect_after(S(gap_s), TEXT(1001, 1000));
	rig_expect_after(S(60), TEXT(1001, 1000));
	rig_expect_after(S(60), TEXT(1001, 1000));
	rig_end();
}

/* RFC 6298, 5.3: an ACK of new text starts the timer anew. */
static void rto_restarted_by_ack(void)
{
	rig_established();
	rig_send(2000);
	rig_expect(TEXT(1001, 1000));
	rig_expect(TEXT(2001, 1000));
	rig_wait(MS(500));
	rx_ack(2001);
	rig_expect_after(S(1), TEXT(2001, 1000));
	rig_end();
}

/* RFC 6298, 2.2 and 2.3; RFC 9293, 3.8.1 (MUST-18): RTO = SRTT + 4 RTTVAR, and
 * it is kept to. */
static void rto_from_rtt(void)
{
	struct conn_info info;

	rig.conf.rto_initial_us = S(3);
	rig.conf.rto_min_us = MS(200);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_wait(MS(800));
	rx_ack(1001);
	rig_send(100);
	rig_expect(TEXT(1001, 100));
	rig_wait(MS(800));
	rx_ack(1101);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.srtt_us >= 799000 && info.srtt_us <= 801000);
	rig_check(info.rttvar_us >= 299000 && info.rttvar_us <= 401000);
	rig_check(info.rto_us - info.srtt_us - 4 * info.rttvar_us <= 1000);
	rig_check(info.rto_us >= info.srtt_us + 4 * info.rttvar_us - 1000);
	rig_send(100);
	rig_expect(TEXT(1101, 100));
	rig_expect_after(info.rto_us, TEXT(1101, 100));
	rig_end();
}

/* RFC 6298, 3 (Karn); RFC 9293, 3.8.1 (MUST-18): an ACK of what was sent twice
 * measures nothing. */
static void rto_karn(void)
{
	struct conn_info before, after;

	rig_established();
	rig_check(rig_info(RIG_PEER_PORT, &before));
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	rig_expect_after(S(1), TEXT(1001, 1000));
	rig_wait(MS(100));
	rx_ack(2001);
	rig_check(rig_info(RIG_PEER_PORT, &after));
	rig_check(after.srtt_us == before.srtt_us);
	rig_check(after.rttvar_us == before.rttvar_us);
	rig_end();
}

/* (MUST-18): nor does a SACK of it. */
static void rto_karn_by_sack(void)
{
	struct conn_info before, after;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK));
	rig_send(3000);
	rig_wait(S(3));
	rig_forget();
	rx_ack(2001);
	rig_expect(TEXT(2001, 1000));
	rig_expect(TEXT(3001, 1000));
	rig_check(rig_info(RIG_PEER_PORT, &before));
	rig_wait(MS(100));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 2001,
		   SACK(3001, 4001)));
	rig_check(rig_info(RIG_PEER_PORT, &after));
	rig_check(after.srtt_us == before.srtt_us);
	rig_check(after.backoff == before.backoff && after.backoff > 0);
	rig_forget();
	rig_end();
}

/* The same for the timeout itself: it stays doubled until there is a sample.
 * Or a path that is longer would never be measured, and all be sent twice. */
static void rto_of_a_long_path(void)
{
	const int64_t rtt_us = MS(2500);
	struct conn_info info;
	tcp_seq seq = 1001;

	rig_established();
	for (int64_t rto_us = S(1); rto_us < rtt_us; rto_us *= 2) {
		rig_send(1000);
		rig_expect(TEXT(seq, 1000));
		rig_expect_after(rto_us, TEXT(seq, 1000));
		rig_expect_silence_for(rtt_us - rto_us - RIG_LATE_US);
		seq += 1000;
		rx_ack(seq);
	}
	rig_send(1000);
	rig_expect(TEXT(seq, 1000));
	rig_expect_silence_for(rtt_us);
	rx_ack(seq + 1000);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.backoff == 0);
	rig_check(info.srtt_us > 300000);
	rig_end();
}

/* What the probes of a closed window were doubled to is not for text that is
 * lost when it has opened. */
static void rto_after_a_closed_window(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(0)));
	rig_send(1000);
	for (int64_t us = S(1); us <= S(16); us *= 2) {
		rig_expect_after(us, TEXT(1001, 1));
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(0)));
	}
	rx_ack(1001);
	rig_expect(TEXT(1001, 1000));
	rig_expect_after(S(1), TEXT(1001, 1000));
	rig_end();
}

/* The same if the byte of a probe is what found room. */
static void rto_after_a_probe_was_taken(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(0)));
	rig_send(1001);
	for (int64_t us = S(1); us <= S(4); us *= 2)
		rig_expect_after(us, TEXT(1001, 1));
	rx_ack(1002);
	rig_expect(TEXT(1002, 1000));
	rig_expect_after(S(1), TEXT(1002, 1000));
	rig_end();
}

/* Nor does an ACK of what was sent once but lay behind it: what arrived is only
 * acknowledged when the hole is filled, and that took a timeout. */
static void rto_measures_no_repair(void)
{
	struct conn_info before, after;

	ten_in_flight();
	rig_check(rig_info(RIG_PEER_PORT, &before));
	rig_expect_after(S(1), TEXT(1001, 1000));
	rig_wait(MS(100));
	rx_ack(11001);
	rig_check(rig_info(RIG_PEER_PORT, &after));
	rig_check(after.srtt_us == before.srtt_us);
	rig_check(after.rttvar_us == before.rttvar_us);
	rig_end();
}

/* RFC 5681, 3.1; RFC 9293, 3.8.2 (MUST-19): after a timeout the window is one segment, then slow start
 * up to half of what was in flight. */
static void rto_then_slow_start(void)
{
	struct conn_info info;

	ten_in_flight();
	rig_expect_after(S(1), TEXT(1001, 1000));
	rig_expect_silence();
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.cwnd == 1000);
	rig_check(info.ssthresh == 5000);
	rx_ack(2001);
	rig_expect(TEXT(2001, 1000));
	rig_expect(TEXT(3001, 1000));
	rig_expect_silence();
	rx_ack(3001);
	rig_expect(TEXT(4001, 1000));
	rig_expect(TEXT(5001, 1000));
	rig_expect_silence();
	rx_ack(11001);
	rig_expect_silence_for(S(100));
	rig_end();
}

/* The ACK of the original is in time to stop the rest. */
static void rto_spurious_acked(void)
{
	ten_in_flight();
	rig_expect_after(S(1), TEXT(1001, 1000));
	rx_ack(11001);
	rig_expect_silence_for(S(100));
	rig_check(rig_stats().retransmit_rto == 1);
	rig_end();
}

/* RFC 9293, 3.8.3 (MUST-20): given up after `retries`. */
static void rto_given_up(void)
{
	rig.conf.retries = 3;
	rig_established();
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	rig_expect_after(S(1), TEXT(1001, 1000));
	rig_expect_after(S(2), TEXT(1001, 1000));
	rig_expect_after(S(4), TEXT(1001, 1000));
	rig_wait(S(7));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_wait(S(2));
	rig_forget();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_DATA);
	rig_check(rig_stats().closed_timeout == 1);
	rig_end();
}

/* RFC 5482: or after so much time. */
static void user_timeout(void)
{
	rig.conf.user_timeout_us = S(10);
	rig_established();
	rig_send(1000);
	rig_wait(S(9));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_wait(S(8));
	rig_forget();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_USER);
	rig_end();
}

/* Progress within that time keeps it alive. */
static void user_timeout_with_progress(void)
{
	rig.conf.user_timeout_us = S(10);
	rig_established();
	for (tcp_seq i = 0; i < 5; i++) {
		rig_send(100);
		rig_wait(S(6));
		rig_forget();
		rx_ack(1101 + i * 100);
	}
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 5681, 3.2: three duplicates, not two. */
static void fast_retransmit(void)
{
	struct conn_info info;

	ten_in_flight();
	rx_ack(1001);
	rx_ack(1001);
	rig_expect_silence();
	rx_ack(1001);
	rig_expect(TEXT(1001, 1000));
	rig_expect_silence();
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.ssthresh == 5000);
	rx_ack(1001); /* further ones repeat nothing */
	rx_ack(1001);
	rig_expect_silence();
	rx_ack(11001);
	rig_expect_silence_for(S(100));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.cwnd >= 1000 && info.cwnd <= 6000);
	rig_check(rig_stats().retransmit_fast == 1);
	rig_check(rig_stats().retransmit_rto == 0);
	rig_end();
}

/* RFC 5681, 2: an ACK with text, or with another window, is no duplicate. */
static void no_fast_retransmit_text(void)
{
	ten_in_flight();
	for (tcp_seq i = 0; i < 6; i++)
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001 + i * 10, .ack = 1001,
			   .len = 10));
	rig_check(rig_stats().retransmit_fast == 0);
	rig_forget();
	rig_end();
}

static void no_fast_retransmit_window(void)
{
	ten_in_flight();
	for (uint16_t i = 0; i < 6; i++)
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   WND(50000 + i * 1000)));
	rig_expect_silence();
	rig_end();
}

/* Nothing in flight: nothing to duplicate. */
static void no_fast_retransmit_idle(void)
{
	rig_established();
	for (unsigned int i = 0; i < 10; i++)
		rx_ack(1001);
	rig_expect_silence();
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	rig_expect_silence();
	rig_end();
}

/* RFC 6582, 3.2: each partial ACK repairs the next hole at once. */
static void newreno_partial_acks(void)
{
	ten_in_flight();
	for (unsigned int i = 0; i < 3; i++)
		rx_ack(1001);
	rig_expect(TEXT(1001, 1000));
	rx_ack(4001);
	rig_expect(TEXT(4001, 1000));
	rig_expect_silence();
	rx_ack(7001);
	rig_expect(TEXT(7001, 1000));
	rig_expect_silence();
	rx_ack(11001);
	rig_expect_silence_for(S(100));
	rig_check(rig_stats().retransmit_fast == 3);
	rig_check(rig_stats().retransmit_rto == 0);
	rig_end();
}

/* RFC 6582, 3.2: during recovery three more duplicates start nothing new, and
 * the lost retransmission waits for its timeout. */
static void newreno_retransmission_lost(void)
{
	ten_in_flight();
	for (unsigned int i = 0; i < 9; i++)
		rx_ack(1001);
	rig_expect(TEXT(1001, 1000));
	rig_expect_silence();
	rig_wait(S(1) + MS(1));
	rig_expect(TEXT(1001, 1000));
	rig_expect_silence();
	rx_ack(11001);
	rig_expect_silence_for(S(100));
	rig_end();
}

/* New text flows during recovery as the window allows (RFC 5681, 3.2). */
static void newreno_sends_new_text(void)
{
	struct tcp_seg s;
	struct conn_info info;
	unsigned int fresh = 0;

	rig_established();
	rig_send(30000);
	for (tcp_seq i = 0; i < 10; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	for (unsigned int i = 0; i < 9; i++)
		rx_ack(1001);
	while (rig_take(&s)) {
		if (s.seq == 1001)
			continue;
		rig_check(s.seq == 11001 + fresh * 1000);
		fresh++;
	}
	/* 5 + 9 segments of window, 10 of them in flight: four more. Two of
	 * them may have left before (RFC 3042); they do not count for
	 * ssthresh (RFC 5681, 3.2, step 2). */
	rig_check(fresh == 4);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.ssthresh == 5000);
	rig_end();
}

/* The text sent again may be cut anew, but is the same (compared by the rig),
 * when small segments were joined meanwhile. */
static void rto_joins_small_segments(void)
{
	struct tcp_seg s;

	rig.listener.nodelay = true;
	rig_established();
	rig_send(10);
	rig_expect(TEXT(1001, 10));
	rig_send(10);
	rig_expect(TEXT(1011, 10));
	rig_send(10);
	rig_expect(TEXT(1021, 10));
	rig_wait(S(1) + MS(1));
	rig_check(rig_take(&s) && s.seq == 1001 && s.len >= 10 && s.len <= 30);
	rig_forget();
	rx_ack(1031);
	rig_expect_silence_for(S(100));
	rig_end();
}

/* RFC 2018, 5, RFC 6675: blocks that were reported are not sent again. */
static void sack_one_hole(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK));
	rig_send(10000);
	for (tcp_seq i = 0; i < 10; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	for (tcp_seq i = 1; i <= 3; i++)
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   SACK(2001, 2001 + i * 1000)));
	rig_expect(TEXT(1001, 1000));
	rig_expect_silence();
	rx_ack(11001);
	rig_expect_silence_for(S(100));
	rig_end();
}

/* A SACK of text that was never sent is no evidence and does no harm. */
static void sack_of_nothing(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK));
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   SACK(50001, 60001)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, SACK(900, 800)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   SACK2(1001, 0x80001001, 500, 700)));
	rig_forget();
	rx_ack(2001);
	rig_expect_silence_for(S(10));
	rig_end();
}

/* RFC 9293, 3.8.4 (MUST-26, MUST-29, SHLD-12, MAY-5): only when idle, without
 * text, more than one probe. */
static void keepalive(void)
{
	struct tcp_seg s;
	unsigned int probes = 0;

	rig.conf.keepalive_us = S(100);
	rig_established();
	rig_expect_silence_for(S(99));
	rig_wait(S(2));
	rig_check(rig_take(&s));
	rig_check(s.flags == TH_ACK && s.seq == 1000 && s.len <= 1);
	rx_ack(1001);
	rig_expect_silence_for(S(99));
	rig_wait(S(3600));
	while (rig_take(&s))
		probes += !(s.flags & TH_RST);
	rig_check(probes >= 2);
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_KEEPALIVE);
	rig_end();
}

static void keepalive_off(void)
{
	rig_established();
	rig_expect_silence_for(S(3 * 3600));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 6582, 3.2, step 2, and 4: duplicate ACKs at the end of what a timeout sent
 * again are those of segments that had arrived before. */
static void newreno_needless_are_no_loss(void)
{
	struct tcp_seg s;
	unsigned int fresh = 0;

	rig_established();
	rig_send(30000);
	rig_forget();
	rig_wait(S(1) + MS(1));
	rig_expect(TEXT(1001, 1000));
	rx_ack(1001); /* no F-RTO (RFC 5682, 2.1) */
	rx_ack(2001);
	rx_ack(4001);
	rig_forget();
	rx_ack(11001);
	rig_forget();
	for (unsigned int i = 0; i < 6; i++)
		rx_ack(11001);
	rig_check(rig_stats().retransmit_fast == 0);
	/* RFC 3042, 2: new text for two of them. */
	while (rig_take(&s)) {
		rig_check(s.len == 1000);
		fresh++;
	}
	rig_check(fresh == 2);
	rx_ack(12001);
	rig_forget();
	for (unsigned int i = 0; i < 3; i++)
		rx_ack(12001);
	rig_check(rig_stats().retransmit_fast == 1);
	rig_forget();
	rig_end();
}

/* RFC 3465, 2.3: after a timeout an ACK may cover what arrived long before, and
 * says nothing of the path: only what was sent again counts. */
static void rto_then_all_acked(void)
{
	struct conn_info info;

	rig_established();
	rig_send(30000);
	rig_forget();
	rig_wait(S(1) + MS(1));
	rig_expect(TEXT(1001, 1000));
	rx_ack(1001); /* no F-RTO (RFC 5682, 2.1) */
	rx_ack(11001);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.cwnd == 2000);
	rig_forget();
	rig_end();
}

/* RFC 6582, 3.2, step 3: a partial ACK covers what duplicates had stood for. */
static void newreno_partial_ack_deflates(void)
{
	struct conn_info info;

	ten_in_flight();
	for (unsigned int i = 0; i < 3; i++)
		rx_ack(1001);
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.in_flight == 7000);
	rx_ack(4001);
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.in_flight == 6000);
	rx_ack(11001);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(rto_backs_off),
	UNIT_TEST(rto_maximum),
	UNIT_TEST(rto_restarted_by_ack),
	UNIT_TEST(rto_from_rtt),
	UNIT_TEST(rto_karn),
	UNIT_TEST(rto_karn_by_sack),
	UNIT_TEST(rto_of_a_long_path),
	UNIT_TEST(rto_after_a_closed_window),
	UNIT_TEST(rto_after_a_probe_was_taken),
	UNIT_TEST(rto_measures_no_repair),
	UNIT_TEST(rto_then_slow_start),
	UNIT_TEST(rto_spurious_acked),
	UNIT_TEST(rto_given_up),
	UNIT_TEST(user_timeout),
	UNIT_TEST(user_timeout_with_progress),
	UNIT_TEST(fast_retransmit),
	UNIT_TEST(no_fast_retransmit_text),
	UNIT_TEST(no_fast_retransmit_window),
	UNIT_TEST(no_fast_retransmit_idle),
	UNIT_TEST(newreno_partial_acks),
	UNIT_TEST(newreno_retransmission_lost),
	UNIT_TEST(newreno_sends_new_text),
	UNIT_TEST(rto_joins_small_segments),
	UNIT_TEST(sack_one_hole),
	UNIT_TEST(sack_of_nothing),
	UNIT_TEST(keepalive),
	UNIT_TEST(keepalive_off),
	UNIT_TEST(newreno_needless_are_no_loss),
	UNIT_TEST(rto_then_all_acked),
	UNIT_TEST(newreno_partial_ack_deflates),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_loss", tests, ARRAY_LEN(tests), argc, argv);
}
