/*
 * test_tcp_spurious.c - Losses that were none (RFC 3522, 4015, 5682, 3708)
 *
 * The peer is 100 ms away, the RTO is 1 s. A flight is ten segments of 1000
 * bytes, from 1001 on, with as much again waiting behind it.
 */
#include "rig.h"

#define TEXT(at, n) SEG(.flags = TH_ACK, .seq = (at), .ack = 5001, .len = (n))
#define RTT_US	    MS(100)
#define PTO_US	    (2 * RTT_US + MS(10))
#define CWND	    10000

static void rx_ack(tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
}

/* An ACK for a segment that left @ms before the last one did. */
static void rx_late_ack(tcp_seq ack, uint32_t ms)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack,
		   .echo_ago_ms = ms));
}

static void rx_sack(tcp_seq ack, tcp_seq start, tcp_seq end)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack, SACK(start, end)));
}

static void expect_text(tcp_seq from, unsigned int segments)
{
	for (unsigned int i = 0; i < segments; i++)
		rig_expect(TEXT(from + i * 1000, 1000));
	rig_expect_silence();
}

static struct conn_info look(void)
{
	struct conn_info info = {0};

	rig_check(rig_info(RIG_PEER_PORT, &info));
	return info;
}

static void flight(const struct rig_seg *syn, uint32_t len)
{
	struct tcp_seg s;

	rig_rx(syn);
	rig_check(rig_take(&s) && s.flags == (TH_SYN | TH_ACK));
	rig_wait(RTT_US);
	rx_ack(1001);
	rig_send(len);
	expect_text(1001, 10);
}

static void flight_plain(void)
{
	flight(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)), 20000);
}

static void flight_ts(void)
{
	flight(SEG(.flags = TH_SYN, .seq = 5000, MSS(1012), TS(1)), 20000);
}

static void flight_sack(void)
{
	flight(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK), 20000);
}

static void flight_sack_ts(void)
{
	flight(SEG(.flags = TH_SYN, .seq = 5000, MSS(1012), SACK_OK, TS(1)),
	       20000);
}

static void timeout(void)
{
	rig_expect_after(S(1), TEXT(1001, 1000));
	rig_expect_silence();
	rig_check(look().cwnd == 1000);
	rig_check(look().ssthresh < CWND);
}

static void expect_undone(unsigned int timeouts, unsigned int recoveries)
{
	rig_check(rig_stats().spurious_timeouts == timeouts);
	rig_check(rig_stats().spurious_recoveries == recoveries);
	rig_check(look().undone == timeouts + recoveries);
	if (timeouts + recoveries) {
		rig_check(look().cwnd >= CWND);
		rig_check(look().ssthresh == UINT32_MAX);
		rig_check(look().lost == 0);
	} else {
		rig_check(look().ssthresh < CWND);
	}
}

/* RFC 3522, 3.2 (5); RFC 4015, 3.2 (7) and (8): the ACK answers the original.
 * Nothing but the first segment is sent again; new text goes on. */
static void eifel_timeout(void)
{
	flight_ts();
	timeout();
	rx_late_ack(3001, 1000);
	expect_undone(1, 0);
	rig_check(rig_take(&(struct tcp_seg){0}));
	rig_forget();
	rig_check(look().in_flight >= 8000 + 2000);
	rx_late_ack(11001, 0);
	rig_forget();
	rig_check(look().retrans == 1);
	rig_end();
}

/* RFC 4015, 3.2 and 3.4: with ECE on it there was congestion all the same, and
 * no later ACK without it changes that. */
static void eifel_timeout_marked(void)
{
	struct tcp_seg s;

	rig.conf.ecn = ECN_ACCEPT;
	rig_rx(SEG(.flags = TH_SYN | TH_ECE | TH_CWR, .seq = 5000, MSS(1012),
		   TS(1)));
	rig_check(rig_take(&s) && s.flags == (TH_SYN | TH_ACK | TH_ECE));
	rig_wait(RTT_US);
	rx_ack(1001);
	rig_send(20000);
	rig_forget();
	rig_check(look().ecn);
	rig_wait(S(1) + MS(10));
	rig_check(rig_take(&s) && s.seq == 1001);
	rig_rx(SEG(.flags = TH_ACK | TH_ECE, .seq = 5001, .ack = 3001,
		   .echo_ago_ms = 1010));
	rig_forget();
	expect_undone(0, 0);
	rx_late_ack(4001, 1000);
	rig_forget();
	expect_undone(0, 0);
	rx_late_ack(11001, 0);
	rig_forget();
	rig_end();
}

/* It answers the retransmission. */
static void eifel_timeout_real(void)
{
	flight_ts();
	timeout();
	rx_ack(3001);
	rig_expect(TEXT(3001, 1000));
	rig_forget();
	expect_undone(0, 0);
	/* ... and an odd echo later on changes nothing. */
	rx_late_ack(11001, 2000);
	expect_undone(0, 0);
	rig_forget();
	rig_end();
}

/* Two timeouts in a row: what was before the first is put back. */
static void eifel_two_timeouts(void)
{
	flight_ts();
	timeout();
	rig_expect_after(S(2), TEXT(1001, 1000));
	rx_late_ack(3001, 3000);
	expect_undone(1, 0);
	rig_check(look().backoff == 0);
	rig_forget();
	rig_end();
}

/* RFC 4015, 3.2 (10): the first round trip of new text counts in full. */
static void rto_adapted(void)
{
	struct conn_info before, after;

	flight_ts();
	before = look();
	timeout();
	rx_late_ack(11001, 1000);
	rig_forget();
	rig_wait(MS(900));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 12001));
	after = look();
	rig_check(after.srtt_us >= MS(899) && after.srtt_us <= MS(901));
	rig_check(after.rttvar_us == after.srtt_us / 2);
	rig_check(after.rto_us > 2 * before.rto_us);
	rig_forget();
	rig_end();
}

/* RFC 5682, 2.1: new text after the first ACK; the second one advances. */
static void frto(void)
{
	flight_plain();
	timeout();
	rx_ack(2001);
	expect_text(11001, 2);
	rx_ack(3001);
	expect_undone(1, 0);
	rig_check(look().retrans == 1);
	rig_forget();
	rig_check(look().in_flight >= 10000);
	rx_ack(13001);
	rig_forget();
	rig_end();
}

/* 2.1, step 2 (b): two segments, however much the first ACK acknowledges. */
static void frto_two_segments(void)
{
	flight_plain();
	timeout();
	rx_ack(6001);
	expect_text(11001, 2);
	rx_ack(7001);
	expect_undone(1, 0);
	rig_forget();
	rig_end();
}

/* 2.1, step 3 (a): a duplicate, so the rest was lost; at most 3 MSS. */
static void frto_real(void)
{
	flight_plain();
	timeout();
	rx_ack(2001);
	expect_text(11001, 2);
	rx_ack(2001);
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	expect_undone(0, 0);
	rig_check(look().cwnd <= 3000);
	rx_ack(13001);
	expect_undone(0, 0);
	rig_forget();
	rig_end();
}

/* 2.1, step 2 (a): a duplicate first. */
static void frto_duplicate_first(void)
{
	flight_plain();
	timeout();
	rx_ack(1001);
	rx_ack(2001);
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	rx_ack(3001);
	expect_undone(0, 0);
	rig_forget();
	rig_end();
}

/* ... or all of it acknowledged: that says nothing. */
static void frto_all_acked(void)
{
	flight_plain();
	timeout();
	rx_ack(11001);
	expect_undone(0, 0);
	rig_forget();
	rig_end();
}

/* ... or nothing new to send. */
static void frto_nothing_new(void)
{
	flight(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)), 10000);
	timeout();
	rx_ack(2001);
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	rx_ack(3001);
	expect_undone(0, 0);
	rig_forget();
	rig_end();
}

/* ... or no room for it in the peer's window. */
static void frto_closed_window(void)
{
	flight_plain();
	timeout();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 2001, WND(9500)));
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	rx_ack(11001);
	rig_forget();
	rig_end();
}

/* 3.1: with SACK, and a probe of new text (RFC 8985, 7.3) before the timeout. */
static void sack_timeout(void)
{
	flight_sack();
	rig_expect_after(PTO_US, TEXT(11001, 1000));
	timeout();
}

static void frto_sack(void)
{
	sack_timeout();
	rx_ack(2001);
	expect_text(12001, 2);
	rx_ack(3001);
	expect_undone(1, 0);
	rig_forget();
	rig_end();
}

/* 3.1, step 3 (b): a SACK of what left before will do. */
static void frto_sack_block(void)
{
	sack_timeout();
	rx_ack(2001);
	expect_text(12001, 2);
	rx_sack(2001, 4001, 5001);
	expect_undone(1, 0);
	rx_ack(14001);
	rig_forget();
	rig_end();
}

/* 3.1, step 3 (a): one of what left after is the contrary. */
static void frto_sack_real(void)
{
	sack_timeout();
	rx_ack(2001);
	expect_text(12001, 2);
	rx_sack(2001, 12001, 13001);
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	expect_undone(0, 0);
	rig_check(look().cwnd <= 3000);
	rx_ack(14001);
	rig_forget();
	rig_end();
}

/* All of the flight but the first segment arrived, and that is sent again. */
static void fast_retransmit(void)
{
	rig_wait(RTT_US);
	rx_sack(1001, 2001, 11001);
	rig_expect(TEXT(1001, 1000));
	rig_forget();
	rig_check(look().ssthresh < CWND);
	rig_wait(MS(10));
}

/* What is overtaken arrives in the same batch as what overtook it: it is lost
 * for a moment, and nothing leaves that an echo or a D-SACK could speak of. */
static void overtaken_in_a_batch(void)
{
	flight_sack();
	rig_wait(RTT_US);
	rig_hold();
	rx_sack(1001, 2001, 5001);
	rx_ack(5001);
	rig_release();
	expect_undone(0, 1);
	rig_check(look().retrans == 0);
	rig_forget();
	rig_check(look().retrans == 0);
	rx_ack(11001);
	rig_forget();
	rig_end();
}

/* One of two, and the other one is sent again. */
static void half_overtaken_in_a_batch(void)
{
	flight_sack();
	rig_wait(RTT_US);
	rig_hold();
	rx_sack(1001, 3001, 7001);
	rx_sack(2001, 3001, 7001);
	rig_release();
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	expect_undone(0, 0);
	rx_ack(11001);
	rig_forget();
	rig_end();
}

/* Without SACK, three duplicate ACKs say it. */
static void overtaken_in_a_batch_without_sack(void)
{
	flight_plain();
	rig_wait(RTT_US);
	rig_hold();
	for (unsigned int i = 0; i < 3; i++)
		rx_ack(1001);
	rx_ack(5001);
	rig_release();
	expect_undone(0, 1);
	rig_forget();
	rig_check(look().retrans == 0);
	rx_ack(11001);
	rig_forget();
	rig_end();
}

/* RFC 3708: it came twice, says the peer; the recovery is over by then. */
static void dsack(void)
{
	flight_sack();
	fast_retransmit();
	rx_ack(11001);
	rig_forget();
	expect_undone(0, 0);
	rig_wait(RTT_US);
	rx_sack(11001, 1001, 2001);
	expect_undone(0, 1);
	rig_forget();
	rig_end();
}

/* One of two. */
static void dsack_of_half(void)
{
	flight_sack();
	rig_wait(RTT_US);
	rx_sack(1001, 3001, 11001);
	rig_expect(TEXT(1001, 1000));
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	rx_ack(11001);
	rx_sack(11001, 2001, 3001);
	expect_undone(0, 0);
	rx_sack(11001, 2001, 3001);
	rx_sack(11001, 1001, 2001);
	rig_forget();
	rig_end();
}

/* Of something sent before the recovery, or never sent again. */
static void dsack_of_other_text(void)
{
	flight_sack();
	rx_ack(3001);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(3001, 4001, 11001);
	rig_expect(TEXT(3001, 1000));
	rig_forget();
	rx_sack(3001, 1001, 2001);
	rx_ack(11001);
	expect_undone(0, 0);
	rig_forget();
	rig_end();
}

/* A round trip after the recovery it is too late. */
static void dsack_too_late(void)
{
	tcp_seq nxt;

	flight_sack();
	fast_retransmit();
	rx_ack(11001);
	rig_forget();
	nxt = look().snd_nxt - look().iss + RIG_ISS;
	rig_wait(RTT_US);
	rx_ack(nxt);
	rig_forget();
	nxt = look().snd_nxt - look().iss + RIG_ISS;
	rx_ack(nxt);
	rx_sack(nxt, 1001, 2001);
	expect_undone(0, 0);
	rig_forget();
	rig_end();
}

/* A timeout whose retransmission was needless, found by D-SACK. */
static void dsack_timeout(void)
{
	flight(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK), 10000);
	rig_expect_after(PTO_US, TEXT(10001, 1000));
	timeout();
	rx_ack(11001);
	rx_sack(11001, 10001, 11001);
	expect_undone(0, 0);
	rx_sack(11001, 1001, 2001);
	expect_undone(1, 0);
	rig_end();
}

/* RFC 3522: a fast retransmission of what was only overtaken. */
static void eifel_fast(void)
{
	flight_sack_ts();
	fast_retransmit();
	rx_late_ack(11001, 100);
	expect_undone(0, 1);
	rig_forget();
	rig_end();
}

/* Without SACK as well. */
static void eifel_fast_newreno(void)
{
	flight_ts();
	rig_wait(RTT_US);
	for (unsigned int i = 0; i < 9; i++)
		rx_late_ack(1001, 0);
	rig_forget();
	rig_check(look().ssthresh < CWND);
	rx_late_ack(11001, 100);
	expect_undone(0, 1);
	rig_forget();
	rig_end();
}

/* Two were sent again: as long as one of them is out, nothing is known; and if
 * that one was needed, the loss was real. */
static void eifel_fast_two(void)
{
	flight_sack_ts();
	rig_wait(RTT_US);
	rx_sack(1001, 3001, 11001);
	rig_expect(TEXT(1001, 1000));
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	rx_late_ack(2001, 100);
	expect_undone(0, 0);
	rx_late_ack(11001, 100);
	expect_undone(0, 1);
	rig_forget();
	rig_end();
}

static void eifel_fast_one_real(void)
{
	flight_sack_ts();
	rig_wait(RTT_US);
	rx_sack(1001, 3001, 11001);
	rig_expect(TEXT(1001, 1000));
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	rx_late_ack(2001, 100);
	rig_forget();
	rx_ack(11001);
	expect_undone(0, 0);
	rig_forget();
	rig_end();
}

/* A tail loss probe was the first that was sent again, and the last segment by
 * then is not it: new text followed. */
static void eifel_probed_before(void)
{
	flight(SEG(.flags = TH_SYN, .seq = 5000, MSS(1012), SACK_OK, TS(1)),
	       10000);
	rig_wait(RTT_US);
	rx_ack(8001);
	rig_expect_after(PTO_US, TEXT(10001, 1000));
	rig_wait(MS(20));
	rig_send(4000);
	expect_text(11001, 4);
	rig_wait(MS(80));
	/* What followed overtakes the probe. */
	rx_sack(10001, 11001, 15001);
	rig_expect(TEXT(10001, 1000));
	rig_wait(MS(10));
	rx_late_ack(15001, 100); /* the probe, and it was needed */
	expect_undone(0, 0);
	rig_end();
}

/* RFC 6582, 3.2, step 2: of what was in flight then, something may be lost. */
static void lost_after_undo(void)
{
	flight_plain();
	rig_wait(RTT_US);
	rig_hold();
	for (unsigned int i = 0; i < 3; i++)
		rx_ack(1001);
	rx_ack(5001);
	rig_release();
	expect_undone(0, 1);
	rig_forget();
	for (unsigned int i = 0; i < 3; i++)
		rx_ack(5001);
	rig_check(rig_stats().retransmit_fast == 1);
	rig_forget();
	rig_end();
}

/* What was taken for the ACK of the retransmission, a round trip later, was that
 * of the original: RACK must not find lost what left before the copy. */
static void frto_sack_not_lost_again(void)
{
	sack_timeout();
	rig_wait(RTT_US);
	rx_ack(2001);
	expect_text(12001, 2);
	rx_sack(2001, 4001, 5001);
	expect_undone(1, 0);
	rig_check(look().in_flight > 10000);
	rx_ack(14001);
	rig_forget();
	rig_check(look().retrans == 1);
	rig_end();
}

/* Of something that left first during the recovery: the network's copy. */
static void dsack_of_newer_text(void)
{
	flight_sack();
	fast_retransmit();
	rx_ack(11001);
	rig_forget();
	rx_sack(12001, 11001, 12001);
	expect_undone(0, 0);
	rx_sack(12001, 1001, 2001);
	expect_undone(0, 1);
	rig_forget();
	rig_end();
}

/* 3.1, step 3 (b): what a tail loss probe sent again is no original. */
static void frto_sack_of_a_probe(void)
{
	flight(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK), 10000);
	rig_expect_after(PTO_US, TEXT(10001, 1000));
	timeout();
	rig_send(5000);
	rig_expect_silence();
	rx_ack(2001);
	expect_text(11001, 2);
	rx_sack(2001, 10001, 11001);
	expect_undone(0, 0);
	rig_expect_silence();
	rx_sack(2001, 9001, 11001);
	expect_undone(1, 0);
	rx_ack(13001);
	rig_forget();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(eifel_timeout),
	UNIT_TEST(eifel_timeout_marked),
	UNIT_TEST(eifel_timeout_real),
	UNIT_TEST(eifel_two_timeouts),
	UNIT_TEST(rto_adapted),
	UNIT_TEST(frto),
	UNIT_TEST(frto_two_segments),
	UNIT_TEST(frto_real),
	UNIT_TEST(frto_duplicate_first),
	UNIT_TEST(frto_all_acked),
	UNIT_TEST(frto_nothing_new),
	UNIT_TEST(frto_closed_window),
	UNIT_TEST(frto_sack),
	UNIT_TEST(frto_sack_block),
	UNIT_TEST(frto_sack_real),
	UNIT_TEST(overtaken_in_a_batch),
	UNIT_TEST(half_overtaken_in_a_batch),
	UNIT_TEST(overtaken_in_a_batch_without_sack),
	UNIT_TEST(dsack),
	UNIT_TEST(dsack_of_half),
	UNIT_TEST(dsack_of_other_text),
	UNIT_TEST(dsack_too_late),
	UNIT_TEST(dsack_timeout),
	UNIT_TEST(eifel_fast),
	UNIT_TEST(eifel_fast_newreno),
	UNIT_TEST(eifel_fast_two),
	UNIT_TEST(eifel_fast_one_real),
	UNIT_TEST(eifel_probed_before),
	UNIT_TEST(lost_after_undo),
	UNIT_TEST(frto_sack_not_lost_again),
	UNIT_TEST(dsack_of_newer_text),
	UNIT_TEST(frto_sack_of_a_probe),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_spurious", tests, ARRAY_LEN(tests), argc, argv);
}
