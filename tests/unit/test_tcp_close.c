/*
 * test_tcp_close.c - All ways to end (RFC 9293, 3.6)
 */
#include "rig.h"

#define FIN_OF(at, a) SEG(.flags = TH_ACK | TH_FIN, .seq = (at), .ack = (a))
#define ACK_OF(at, a) SEG(.flags = TH_ACK, .seq = (at), .ack = (a))

static void rx_ack(tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
}

static void rx_fin(tcp_seq seq, tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = seq, .ack = ack));
}

/* Up to FIN-WAIT-2. */
static void closed_actively(void)
{
	rig_established();
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_FIN_WAIT_1);
	rx_ack(1002);
	rig_expect_silence();
	rig_check(rig_state() == TCP_FIN_WAIT_2);
}

/* Up to TIME-WAIT. */
static void in_time_wait(void)
{
	closed_actively();
	rx_fin(5001, 1002);
	rig_expect(ACK_OF(1002, 5002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_TIME_WAIT);
}

/* RFC 9293, 3.6 and 3.6.1 (MUST-13): FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT for
 * 2 MSL. The service hears of the end at once. */
static void close_active(void)
{
	in_time_wait();
	rig_check(rig_only()->peer_closed == 1);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_FIN);
	rig_check(rig_stats().time_wait == 1 && rig_stats().full == 0);
	rig_expect_silence_for(S(59));
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_expect_silence_for(S(2));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_stats().closed_fin == 1);
	rig_end();
}

/* CLOSE-WAIT, LAST-ACK; no TIME-WAIT. */
static void close_passive(void)
{
	rig_established();
	rx_fin(5001, 1001);
	rig_expect(ACK_OF(1001, 5002));
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_check(rig_only()->peer_closed == 1);
	rig_check(rig_only()->closed == 0);
	rig_close();
	rig_expect(FIN_OF(1001, 5002));
	rig_check(rig_state() == TCP_LAST_ACK);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_FIN);
	rig_check(rig_stats().time_wait == 0);
	rig_end();
}

/* A service that closes at once: the FIN carries the ACK. */
static void close_passive_at_once(void)
{
	rig.close_with_peer = true;
	rig_established();
	rx_fin(5001, 1001);
	rig_expect(FIN_OF(1001, 5002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_LAST_ACK);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	rig_check(rig_state() == TCP_CLOSED);
	rig_end();
}

/* RFC 9293, figure 13: both FINs cross. */
static void close_simultaneous(void)
{
	rig_established();
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rx_fin(5001, 1001);
	rig_expect(ACK_OF(1002, 5002));
	rig_check(rig_state() == TCP_CLOSING);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_FIN);
	rig_end();
}

/* FIN and the ACK of ours in one segment: straight to TIME-WAIT. */
static void close_active_fin_with_ack(void)
{
	rig_established();
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rx_fin(5001, 1002);
	rig_expect(ACK_OF(1002, 5002));
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_end();
}

/* Text goes on towards us after our FIN. */
static void half_closed_by_us(void)
{
	closed_actively();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1002, .len = 3000));
	rig_wait(MS(41));
	rig_expect(ACK_OF(1002, 8001));
	rig_check(rig_only()->received == 3000);
	rig_check(rig_state() == TCP_FIN_WAIT_2);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 8001, .ack = 1002,
		   .len = 100));
	rig_expect(ACK_OF(1002, 8102));
	rig_check(rig_only()->received == 3100);
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_end();
}

/* Text arrives in FIN-WAIT-1, too. */
static void half_closed_by_us_text_before_ack(void)
{
	rig_established();
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_wait(MS(41));
	rig_expect(ACK_OF(1002, 5101));
	rig_check(rig_only()->received == 100);
	rig_end();
}

/* Text goes on towards the peer after its FIN. */
static void half_closed_by_peer(void)
{
	rig_established();
	rx_fin(5001, 1001);
	rig_expect(ACK_OF(1001, 5002));
	rig_send(2500);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5002, .len = 1000));
	rig_expect(SEG(.flags = TH_ACK, .seq = 2001, .ack = 5002, .len = 1000));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 3001));
	rig_expect(SEG(.flags = TH_ACK, .seq = 3001, .ack = 5002, .len = 500));
	rig_close();
	rig_expect(FIN_OF(3501, 5002));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 3502));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_FIN);
	rig_end();
}

/* on_peer_closed comes after the last byte was read, not before. */
static void peer_closed_after_text(void)
{
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001,
		   .len = 100));
	rig_expect(ACK_OF(1001, 5102));
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_check(rig_only()->peer_closed == 0);
	rig_read_on();
	rig_check(rig_only()->received == 100);
	rig_check(rig_only()->peer_closed == 1);
	rig_end();
}

/* A FIN is retransmitted like text, alone or with the last of it. */
static void fin_retransmitted(void)
{
	rig_established();
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rig_expect_after(S(1), FIN_OF(1001, 5001));
	rig_expect_after(S(2), FIN_OF(1001, 5001));
	rig_expect_after(S(4), FIN_OF(1001, 5001));
	rx_ack(1002);
	rig_check(rig_state() == TCP_FIN_WAIT_2);
	rig_check(rig_stats().retransmit_fin == 3);
	rig_expect_silence_for(S(50));
	rig_end();
}

static void fin_with_text_retransmitted(void)
{
	rig_established();
	rig_send(10);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 10));
	rig_close();
	rig_expect(FIN_OF(1011, 5001));
	rig_wait(S(1) + MS(1));
	rig_expect(SEG(.flags = TH_ACK | TH_FIN, .seq = 1001, .ack = 5001,
		       .len = 10));
	rig_forget();
	rx_ack(1012);
	rig_check(rig_state() == TCP_FIN_WAIT_2);
	rig_end();
}

static void fin_retransmitted_last_ack(void)
{
	rig.close_with_peer = true;
	rig_established();
	rx_fin(5001, 1001);
	rig_expect(FIN_OF(1001, 5002));
	rig_expect_after(S(1), FIN_OF(1001, 5002));
	rx_fin(5001, 1001); /* it has not seen ours */
	rig_check(rig_state() == TCP_LAST_ACK);
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	rig_check(rig_state() == TCP_CLOSED);
	rig_end();
}

/* An unanswered FIN is given up. */
static void fin_given_up(void)
{
	rig.conf.retries = 3;
	rig_established();
	rig_close();
	rig_wait(S(20));
	rig_forget();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_DATA);
	rig_end();
}

/* A peer that never closes is waited for so long; its text is reset then. */
static void fin_wait_2_times_out(void)
{
	closed_actively();
	rig_wait(S(59));
	rig_check(rig_state() == TCP_FIN_WAIT_2);
	rig_wait(S(2));
	rig_forget();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_FIN_WAIT2);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1002, .len = 10));
	rig_expect(SEG(.flags = TH_RST, .seq = 1002));
	rig_end();
}

/* RFC 9293, 3.10.7.4, eighth: the FIN again: ACK again, 2 MSL anew. */
static void rcv_fin_time_wait(void)
{
	in_time_wait();
	rig_wait(S(50));
	rx_fin(5001, 1002);
	rig_expect(ACK_OF(1002, 5002));
	rig_expect_silence_for(S(59));
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_expect_silence_for(S(2));
	rig_check(rig_state() == TCP_CLOSED);
	rig_end();
}

/* RFC 1337: a RST does not cut TIME-WAIT short. */
static void rcv_rst_time_wait(void)
{
	in_time_wait();
	rig_rx(SEG(.flags = TH_RST, .seq = 5002));
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 5002, .ack = 1002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_end();
}

/* Text in TIME-WAIT is acknowledged away, not taken. */
static void rcv_text_time_wait(void)
{
	in_time_wait();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1002, .len = 10));
	rig_expect(ACK_OF(1002, 5002));
	rig_expect_silence();
	rig_check(rig_only()->received == 0);
	rig_end();
}

/* An old segment without anything in it is not answered for ever. */
static void rcv_ack_time_wait(void)
{
	in_time_wait();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_end();
}

/* RFC 9293, 3.6.1 (MAY-2): a SYN beyond the old connection opens a new one,
 * whose number lies beyond ours, too. */
static void rcv_syn_time_wait_beyond(void)
{
	tcp_seq old;

	in_time_wait();
	old = rig_only()->iss_off + 1002;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5003, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5004,
		       MSS(rig_mss())));
	rig_check(seq_gt(rig_only()->iss_off + RIG_ISS, old));
	rig_check(rig_stats().time_wait == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5004, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_only()->opened == 2);
	rig_end();
}

/* One that is not is an old duplicate: the ACK makes a live peer reset. */
static void rcv_syn_time_wait_old(void)
{
	in_time_wait();
	rig_rx(SEG(.flags = TH_SYN, .seq = 4000, MSS(1000)));
	rig_expect(ACK_OF(1002, 5002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_end();
}

static void in_time_wait_with_timestamps(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(100000)));
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002,
		   TS(100100)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1002, .ack = 5002, TS(100100)));
	rig_check(rig_state() == TCP_TIME_WAIT);
}

/* RFC 6191: a newer timestamp is as good as a higher number (SHLD-4). */
static void rcv_syn_time_wait_newer_timestamp(void)
{
	in_time_wait_with_timestamps();
	rig_rx(SEG(.flags = TH_SYN, .seq = 4000, MSS(1000), TS(100101)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 4001,
		       MSS(rig_mss()), TS(100101)));
	rig_check(rig_stats().time_wait == 0);
	rig_end();
}

static void rcv_syn_time_wait_older_timestamp(void)
{
	struct tcp_seg s;

	in_time_wait_with_timestamps();
	rig_rx(SEG(.flags = TH_SYN, .seq = 4000, MSS(1000), TS(99000)));
	rig_check(rig_take(&s) && s.flags == TH_ACK && s.ack == 5002);
	rig_expect_silence();
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_end();
}

/* RFC 9293, 3.10.5: ABORT. Text for it is reset from then on. */
static void abort_established(void)
{
	struct tcp_seg s;

	rig_established();
	rig_send(100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 100));
	rig_abort();
	rig_check(rig_take(&s));
	rig_check(s.flags & TH_RST && s.seq == 1101 && s.len == 0);
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_RESET_BY_US);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1101, .len = 10));
	rig_expect(SEG(.flags = TH_RST, .seq = 1101));
	rig_end();
}

static void abort_close_wait(void)
{
	struct tcp_seg s;

	rig_established();
	rx_fin(5001, 1001);
	rig_expect(ACK_OF(1001, 5002));
	rig_abort();
	rig_check(rig_take(&s) && s.flags & TH_RST && s.seq == 1001);
	rig_check(rig_state() == TCP_CLOSED);
	rig_end();
}

static void abort_fin_wait_2(void)
{
	struct tcp_seg s;

	closed_actively();
	rig_abort();
	rig_check(rig_take(&s) && s.flags & TH_RST && s.seq == 1002);
	rig_check(rig_state() == TCP_CLOSED);
	rig_end();
}

/* A RST in the closing states. */
static void rcv_rst_fin_wait_1(void)
{
	rig_established();
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_expect_silence_for(S(10));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_RESET_BY_PEER);
	rig_end();
}

static void rcv_rst_fin_wait_2(void)
{
	closed_actively();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_RESET_BY_PEER);
	rig_end();
}

static void rcv_rst_close_wait(void)
{
	rig_established();
	rx_fin(5001, 1001);
	rig_expect(ACK_OF(1001, 5002));
	rig_rx(SEG(.flags = TH_RST, .seq = 5002));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_RESET_BY_PEER);
	rig_end();
}

static void rcv_rst_last_ack(void)
{
	rig.close_with_peer = true;
	rig_established();
	rx_fin(5001, 1001);
	rig_expect(FIN_OF(1001, 5002));
	rig_rx(SEG(.flags = TH_RST, .seq = 5002));
	rig_expect_silence_for(S(10));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_end();
}

static void rcv_rst_closing(void)
{
	rig_established();
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rx_fin(5001, 1001);
	rig_expect(ACK_OF(1002, 5002));
	rig_rx(SEG(.flags = TH_RST, .seq = 5002));
	rig_expect_silence_for(S(10));
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_end();
}

/* RFC 9293, 3.10.7.4, seventh: nothing comes behind a FIN. */
static void rcv_text_after_fin(void)
{
	rig_established();
	rx_fin(5001, 1001);
	rig_expect(ACK_OF(1001, 5002));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1001, .len = 10));
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5002, .ack = 1001,
		   .len = 10));
	rig_wait(MS(41));
	rig_forget();
	rig_check(rig_only()->received == 0);
	rig_check(rig_only()->peer_closed == 1);
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_close();
	rig_expect(FIN_OF(1001, 5002)); /* RCV.NXT stayed */
	rig_end();
}

/* RFC 9293, 3.10.7.4, fifth: only the right number ends LAST-ACK. */
static void rcv_wrong_ack_last_ack(void)
{
	rig.close_with_peer = true;
	rig_established();
	rx_fin(5001, 1001);
	rig_expect(FIN_OF(1001, 5002));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1003));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1001));
	rig_forget();
	rig_check(rig_state() == TCP_LAST_ACK);
	rig_end();
}

/* CLOSE twice is CLOSE once. */
static void close_twice(void)
{
	rig_established();
	rig_close();
	rig_expect(FIN_OF(1001, 5001));
	rig_close();
	rig_expect_silence();
	rig_check(rig_state() == TCP_FIN_WAIT_1);
	rig_end();
}

/* stack_stop(): a FIN to every peer, no new work. */
static void stop_closes_everything(void)
{
	unsigned int i;

	rig_established();
	for (i = 0; i < 1000 && !stack_stop(rig.st, rig.now_us); i++)
		;
	rig_check(i < 1000);
	rig_wait(MS(1));
	rig_expect(FIN_OF(1001, 5001));
	rig_rx(SEG(.flags = TH_SYN, .seq = 100, .peer_port = 40001, MSS(1000)));
	rig_forget();
	rig_check(rig_stats().half_open == 0);
	rig_check(rig_dropped(DROP_SYN_STOPPING) == 1);
	rx_fin(5001, 1002);
	rig_expect(ACK_OF(1002, 5002));
	rig_check(rig_stats().full == 0);
	rig_end();
}

/* Closed by an operator, a service that answers nothing any more must not hold
 * the connection: what waits and what comes is thrown away. */
static void dismissed_with_text(void)
{
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	tcp_dismiss(rig.st, rig_only()->c);
	rig_wait(MS(1));
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5101, .ack = 1002, .len = 100));
	rig_check(rig_state() == TCP_FIN_WAIT_2);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5201, .ack = 1002));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1002, .ack = 5202));
	rig_check(rig_only()->received == 0);
	rig_check(rig_stats().full == 0 && rig_stats().time_wait == 1);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(dismissed_with_text),
	UNIT_TEST(close_active),
	UNIT_TEST(close_passive),
	UNIT_TEST(close_passive_at_once),
	UNIT_TEST(close_simultaneous),
	UNIT_TEST(close_active_fin_with_ack),
	UNIT_TEST(half_closed_by_us),
	UNIT_TEST(half_closed_by_us_text_before_ack),
	UNIT_TEST(half_closed_by_peer),
	UNIT_TEST(peer_closed_after_text),
	UNIT_TEST(fin_retransmitted),
	UNIT_TEST(fin_with_text_retransmitted),
	UNIT_TEST(fin_retransmitted_last_ack),
	UNIT_TEST(fin_given_up),
	UNIT_TEST(fin_wait_2_times_out),
	UNIT_TEST(rcv_fin_time_wait),
	UNIT_TEST(rcv_rst_time_wait),
	UNIT_TEST(rcv_text_time_wait),
	UNIT_TEST(rcv_ack_time_wait),
	UNIT_TEST(rcv_syn_time_wait_beyond),
	UNIT_TEST(rcv_syn_time_wait_old),
	UNIT_TEST(rcv_syn_time_wait_newer_timestamp),
	UNIT_TEST(rcv_syn_time_wait_older_timestamp),
	UNIT_TEST(abort_established),
	UNIT_TEST(abort_close_wait),
	UNIT_TEST(abort_fin_wait_2),
	UNIT_TEST(rcv_rst_fin_wait_1),
	UNIT_TEST(rcv_rst_fin_wait_2),
	UNIT_TEST(rcv_rst_close_wait),
	UNIT_TEST(rcv_rst_last_ack),
	UNIT_TEST(rcv_rst_closing),
	UNIT_TEST(rcv_text_after_fin),
	UNIT_TEST(rcv_wrong_ack_last_ack),
	UNIT_TEST(close_twice),
	UNIT_TEST(stop_closes_everything),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_close", tests, ARRAY_LEN(tests), argc, argv);
}
