/*
 * test_tcp_rack.c - RACK and tail loss probes (RFC 8985)
 *
 * The peer does SACK and is 100 ms away; its RTO is 1 s, so that what comes
 * sooner came by evidence.
 */
#include "rig.h"

#include "core/tcp_priv.h"

#define TEXT(at, n) SEG(.flags = TH_ACK, .seq = (at), .ack = 5001, .len = (n))
#define RTT_US	    MS(100)
/* 2 SRTT and what a client may take to be scheduled. */
#define PTO_US (2 * RTT_US + MS(10))

static void rx_ack(tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
}

static void rx_sack(tcp_seq ack, tcp_seq start, tcp_seq end)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack, SACK(start, end)));
}

static void open_with(const struct rig_seg *syn)
{
	struct tcp_seg s;

	rig_rx(syn);
	rig_check(rig_take(&s) && s.flags == (TH_SYN | TH_ACK));
	rig_wait(RTT_US);
	rx_ack(1001);
}

static void open_sack(void)
{
	open_with(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK));
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

/* 9.1, example 2: a retransmission that is lost again is found by one that left
 * with it and arrived. */
static void lost_retransmission(void)
{
	rig_send(10000);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(1001, 3001, 11001);
	expect_text(1001, 2);
	rig_wait(RTT_US);
	rx_sack(1001, 2001, 11001);
	expect_text(1001, 1);
	rig_wait(RTT_US);
	rx_ack(11001);
	rig_expect_silence_for(S(10));
	rig_check(rig_stats().retransmit_rto == 0);
	rig_end();
}

static void lost_retransmission_plain(void)
{
	open_sack();
	lost_retransmission();
}

/* 6.2, step 2: the timestamp an ACK echoes is that of the segment at its left
 * edge; behind a hole it says nothing about what a block reports. */
static void lost_retransmission_timestamps(void)
{
	open_with(SEG(.flags = TH_SYN, .seq = 5000, MSS(1012), SACK_OK, TS(1)));
	rig_send(10000);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(1001, 3001, 11001);
	expect_text(1001, 2);
	rig_wait(RTT_US);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .echo_ago_ms = 200, SACK(2001, 11001)));
	expect_text(1001, 1);
	rx_ack(11001);
	rig_end();
}

/* 6.2, step 4: three segments beyond a hole, or one and a quarter of a round
 * trip. */
static void three_beyond_a_hole(void)
{
	open_sack();
	rig_send(5000);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(1001, 2001, 4001);
	rig_expect_silence();
	rx_sack(1001, 2001, 5001);
	expect_text(1001, 1);
	rx_ack(6001);
	rig_end();
}

static void one_and_a_while(void)
{
	open_sack();
	rig_send(2000);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(1001, 2001, 3001);
	rig_check(look().reorder_in_us > MS(23));
	rig_expect_after(RTT_US / 4, TEXT(1001, 1000));
	rx_ack(3001);
	rig_check(look().reorder_in_us == -1);
	rig_end();
}

/* 6.2, steps 3 and 4: once one original was overtaken, numbers prove nothing
 * any more. */
static void reordering_is_tolerated(void)
{
	open_sack();
	rig_send(8000);
	rig_forget();
	rig_wait(RTT_US);
	rig_check(look().reordering == 3);
	rx_sack(1001, 6001, 7001);
	rx_sack(1001, 2001, 3001);
	rig_check(look().reordering == 5);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   SACK2(5001, 9001, 2001, 3001)));
	rig_expect_silence_for(MS(20));
	rx_ack(9001); /* all of it came */
	rig_expect_silence_for(S(10));
	rig_check(rig_stats().retransmit_fast == 0);
	rig_end();
}

/* What was sent again and turns out to have been late was reordered as well: by
 * the timestamp its ACK echoes, or by an ACK that comes before the second copy
 * could have been there. */
static void late_though_sent_again(void)
{
	rig_send(10000);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(1001, 2001, 6001);
	expect_text(1001, 1);
	rig_check(look().reordering == 3);
	rig_wait(MS(5));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001,
		   .echo_ago_ms = (uint32_t)(RTT_US / 1000) + 5));
	rig_check(look().reordering == 5);
	rx_ack(11001);
	rig_end();
}

static void late_though_sent_again_plain(void)
{
	open_sack();
	late_though_sent_again();
}

static void late_though_sent_again_timestamps(void)
{
	open_with(SEG(.flags = TH_SYN, .seq = 5000, MSS(1012), SACK_OK, TS(1)));
	late_though_sent_again();
}

/* RFC 5681, 3.1: a path on which there is always a hole somewhere, and then a
 * loss: what is in flight counts, however long ago the first hole was. */
static void loss_among_holes(void)
{
	tcp_seq at = 11001;

	open_sack();
	rig_send(10000);
	rig_wait(RTT_US);
	rx_ack(at);
	for (unsigned int i = 0; i < 20; i++, rig_wait(RTT_US / 5)) {
		rig_send(2000);
		if (i < 5)
			continue;
		rx_sack(at, at + 1000, at + 2000);
		at += 2000;
	}
	rig_check(look().recovery[0] == 'o');
	rx_sack(at, at + 1000, at + 9000);
	rig_wait(RTT_US / 2);
	rig_check(look().recovery[0] == 'f');
	rig_check(look().ssthresh == 5000);
	rig_forget();
	rig_end();
}

/* 6.2, step 3: what one ACK reports together, in whatever order its blocks
 * stand (RFC 2018, 4), was not seen to be reordered. */
static void blocks_are_no_reordering(void)
{
	open_sack();
	rig_send(8000);
	rig_forget();
	rig_wait(RTT_US);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   SACK2(7001, 8001, 3001, 5001)));
	rig_expect(TEXT(1001, 1000));
	rig_forget();
	rig_check(look().reordering == 3);
	rx_ack(9001);
	rig_forget();
	rig_end();
}

/* A hole of one segment at @at and one beyond it; found lost after @wait_us. */
static tcp_seq hole(tcp_seq at, int64_t wait_us)
{
	rig_send(2000);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(at, at + 1000, at + 2000);
	rig_expect_after(wait_us, TEXT(at, 1000));
	rig_expect_silence();
	return at + 2000;
}

/* The peer got [@at, @at + 1000) twice. */
static void rx_twice(tcp_seq ack, tcp_seq at)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack,
		   SACK(at, at + 1000)));
}

/* 6.2, step 4: a quarter more for each round with a D-SACK, up to SRTT; and
 * after sixteen recoveries without one it is a quarter again. */
static void window_grows_with_dsack(void)
{
	tcp_seq at = 1001, end;

	open_sack();
	rig_send(4000);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(at, at + 2000, at + 3000);
	rx_sack(at, at + 1000, at + 3000);
	rx_ack(at += 4000);
	for (unsigned int n = 1; n <= 5; n++) {
		end = hole(at, (n < 4 ? n : 4) * RTT_US / 4);
		rx_ack(end); /* it had been late, not lost */
		rig_send(1000);
		rig_expect(TEXT(end, 1000));
		rx_twice(end, at);
		rx_twice(end, at); /* the same round */
		rig_wait(RTT_US);
		at = end + 1000;
		rx_ack(at);
	}
	rig_check(rig_stats().dsacks_in == 10);
	for (unsigned int n = 0; n < 16; n++) {
		at = hole(at, RTT_US);
		rx_ack(at);
	}
	at = hole(at, RTT_US / 4);
	rx_ack(at);
	rig_end();
}

/* 7.3: new text, if there is any, one segment whatever cwnd says; then the RTO
 * counts from there. */
static void probe_with_new_text(void)
{
	struct conn_info info;

	open_sack();
	rig_send(20000);
	expect_text(1001, 10);
	info = look();
	rig_check(info.probe_in_us > PTO_US - MS(1));
	rig_expect_after(PTO_US, TEXT(11001, 1000));
	rig_check(look().cwnd == info.cwnd);
	rig_expect_after(S(1), TEXT(1001, 1000));
	rig_check(rig_stats().retransmit_probe == 0);
	rx_ack(12001);
	rig_forget();
	rig_end();
}

/* ... though Nagle held it back. */
static void probe_with_small_text(void)
{
	open_sack();
	rig_send(100);
	rig_expect(TEXT(1001, 100));
	rig_send(50);
	rig_expect_silence();
	rig_expect_after(PTO_US + MS(200), TEXT(1101, 50));
	rx_ack(1151);
	rig_end();
}

/* ... unless the peer's window has no room for it. */
static void probe_and_closed_window(void)
{
	open_with(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK,
		      WND(3000)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(3000)));
	rig_send(5000);
	expect_text(1001, 3);
	rig_expect_after(PTO_US, TEXT(3001, 1000));
	rig_check(rig_stats().retransmit_probe == 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 4001, WND(3000)));
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001, WND(3000)));
	rig_end();
}

/* 7.3 and 7.4.1: else the last segment; its SACK shows what is missing. */
static void probe_with_last_segment(void)
{
	open_sack();
	rig_send(3000);
	expect_text(1001, 3);
	rig_expect_after(PTO_US, TEXT(3001, 1000));
	rig_wait(RTT_US);
	rx_sack(1001, 3001, 4001);
	expect_text(1001, 1);
	rig_wait(RTT_US);
	rx_sack(2001, 3001, 4001);
	expect_text(2001, 1);
	rig_wait(RTT_US);
	rx_ack(4001);
	rig_expect_silence_for(S(10));
	rig_check(rig_stats().retransmit_rto == 0);
	rig_end();
}

/* 7.2: an ACK of new text starts the probe's timer anew. */
static void probe_restarted_by_ack(void)
{
	open_sack();
	rig_send(3000);
	expect_text(1001, 3);
	rig_wait(MS(150));
	rx_ack(2001);
	rig_check(look().probe_in_us > PTO_US - MS(1));
	rig_expect_silence_for(MS(205));
	rx_ack(4001);
	rig_check(look().probe_in_us == -1);
	rig_end();
}

/* 7.2: with anything SACKed it is RACK's business. */
static void no_probe_with_sack(void)
{
	open_sack();
	rig_send(3000);
	expect_text(1001, 3);
	rx_sack(1001, 2001, 3001);
	rig_check(look().probe_in_us == -1);
	rx_ack(4001);
	rig_forget();
	rig_end();
}

/* 7.2: where the RTO would come first, the probe takes its place. */
static void probe_instead_of_rto(void)
{
	struct conn_info info;

	rig.conf.rto_min_us = MS(200);
	open_sack();
	rig_send(1000);
	expect_text(1001, 1);
	info = look();
	rig_check(info.rto_us < MS(310)); /* and PTO 410 ms */
	rig_expect_after(info.rto_us, TEXT(1001, 1000));
	rig_check(look().cwnd == info.cwnd);
	rig_check(rig_stats().retransmit_probe == 1);
	rig_expect_after(info.rto_us, TEXT(1001, 1000));
	rig_check(rig_stats().retransmit_rto == 1);
	rx_ack(2001);
	rig_end();
}

/* 7.2: a second, if no round trip was ever measured. */
static void probe_without_rtt(void)
{
	rig.conf.rto_initial_us = S(3);
	rig.conf.cookies = COOKIES_ALWAYS;
	open_with(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK, TS(1)));
	rig_send(100);
	rig_forget();
	rig_check(look().srtt_us == 0);
	rig_check(look().probe_in_us > MS(990));
	rig_check(look().probe_in_us <= S(1));
	rx_ack(1101);
	rig_end();
}

static void probed(void)
{
	open_sack();
	rig_send(3000);
	expect_text(1001, 3);
	rig_expect_after(PTO_US, TEXT(3001, 1000));
}

/* 7.4.2: the probe repaired the only loss, which shows when more is acknowledged
 * and nothing said that it came twice. */
static void probe_repaired(void)
{
	uint32_t cwnd;

	probed();
	cwnd = look().cwnd;
	rx_ack(4001);
	rig_check(look().cwnd == cwnd);
	rig_send(1000);
	rig_expect(TEXT(4001, 1000));
	rx_ack(5001);
	rig_check(look().ssthresh < cwnd);
	rig_check(look().cwnd < cwnd);
	rig_end();
}

/* Case 1: a D-SACK. The ACK of the original came before, or is lost. */
static void probe_needless_dsack(void)
{
	uint32_t cwnd;

	probed();
	cwnd = look().cwnd;
	rx_ack(4001);
	rx_twice(4001, 3001);
	rig_send(1000);
	rig_expect(TEXT(4001, 1000));
	rx_ack(5001);
	rig_check(look().cwnd >= cwnd);
	rig_check(look().ssthresh == UINT32_MAX);
	rig_end();
}

/* Case 2: a duplicate ACK of a peer that does not say what it is for. */
static void probe_needless_dupack(void)
{
	uint32_t cwnd;

	probed();
	cwnd = look().cwnd;
	rx_ack(4001);
	rx_ack(4001);
	rig_send(1000);
	rig_expect(TEXT(4001, 1000));
	rx_ack(5001);
	rig_check(look().cwnd >= cwnd);
	rig_check(look().ssthresh == UINT32_MAX);
	rig_end();
}

/* 7.3: no second one before a round trip was measured: without timestamps an
 * ACK of what was sent twice measures none. */
static void one_probe_a_round_trip(void)
{
	open_sack();
	rig_send(1000);
	expect_text(1001, 1);
	rig_expect_after(PTO_US + MS(200), TEXT(1001, 1000));
	rx_ack(2001);
	rx_twice(2001, 1001);
	rig_send(1000);
	rig_expect(TEXT(2001, 1000));
	rig_check(look().probe_in_us == -1);
	rig_expect_after(S(1), TEXT(2001, 1000));
	rx_ack(3001);
	rig_send(1000);
	rig_expect(TEXT(3001, 1000));
	rig_wait(RTT_US);
	rx_ack(4001);
	rig_send(1000);
	rig_expect(TEXT(4001, 1000));
	rig_check(look().probe_in_us > 0);
	rx_ack(5001);
	rig_end();
}

/* 6.3: what left a moment before the RTO is not lost with the first one. */
static void timeout_spares_the_young(void)
{
	open_sack();
	rig_send(1000);
	expect_text(1001, 1);
	rig_wait(RTT_US);
	rx_ack(2001);
	rig_send(2000);
	expect_text(2001, 2);
	rig_expect_after(PTO_US, TEXT(3001, 1000));
	rig_wait(MS(960));
	rig_send(1000);
	expect_text(4001, 1);
	rig_expect_after(MS(40), TEXT(2001, 1000));
	rig_expect_silence();
	rig_check(look().lost == 1000);
	rig_check(look().in_flight == 2000);
	rx_ack(5001);
	rig_end();
}

/* Records are of holes and what lies between them, however many segments that
 * is and in whatever order it came. */
static void sacked_neighbours_are_one(void)
{
	uint32_t each = sizeof(struct tx_rec), before;

	open_sack();
	rig_send(10000);
	rig_forget();
	before = look().memory;
	rig_wait(RTT_US);
	rx_sack(1001, 9001, 10001);
	rig_check(look().memory == before);
	rx_sack(1001, 4001, 5001);
	rig_check(look().memory == before);
	rx_sack(1001, 5001, 6001);
	rig_check(look().memory == before - each);
	rx_sack(1001, 7001, 9001);
	rig_check(look().memory == before - 3 * each);
	rx_sack(1001, 6001, 7001);
	rig_check(look().memory == before - 5 * each);
	rig_check(look().sacked == 6000);
	rig_forget();
	rx_ack(4001);
	rig_wait(MS(1));
	rig_check(look().sacked == 6000);
	rx_ack(10001);
	rig_check(look().sacked == 0);
	rig_check(look().in_flight == 1000);
	rx_ack(11001);
	rig_forget();
	rig_end();
}

/* ... but what was sent again is a record of its own, for Eifel. */
static void sent_again_stays_apart(void)
{
	uint32_t each = sizeof(struct tx_rec), before;

	open_sack();
	rig_send(10000);
	rig_forget();
	before = look().memory;
	rig_wait(RTT_US);
	rx_sack(1001, 3001, 11001);
	expect_text(1001, 2);
	rig_check(look().memory == before - 7 * each);
	rig_wait(RTT_US);
	rx_sack(1001, 2001, 11001);
	rig_check(look().memory == before - 7 * each);
	rig_forget();
	rx_ack(11001);
	rig_forget();
	rig_end();
}

/* @n segments of 1000 are sent; every second one arrives in time, those between
 * them @late_us behind. */
static tcp_seq late_round(tcp_seq at, uint32_t n, int64_t late_us)
{
	rig_send(n * 1000);
	rig_forget();
	rig_wait(RTT_US);
	for (uint32_t i = 1; late_us && i < n; i += 2)
		rx_sack(at, at + i * 1000, at + (i + 1) * 1000);
	rig_wait(late_us);
	for (uint32_t i = 2; i <= n; i += 2)
		rx_ack(at + i * 1000);
	rig_forget();
	return at + n * 1000;
}

/* RFC 9406: a hole is filled late, but what was SACKed in time shows that there
 * is no queue. */
static void late_segments_are_no_queue(void)
{
	tcp_seq at = 1001;

	open_with(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK,
		      SCALE(7)));
	at = late_round(at, 4, MS(1));
	at = late_round(at, 10, 0);
	at = late_round(at, 14, 0);
	for (int i = 0; i < 8; i++)
		at = late_round(at, 20, MS(20));
	rig_check(look().retrans == 0);
	rig_check(look().ssthresh == UINT32_MAX);
	rig_end();
}

/* RFC 2018, 8: the peer threw away what it had SACKed. That shows when it is
 * the front, and a timeout believes nothing that was said. */
static void reneged(void)
{
	open_sack();
	rig_send(5000);
	expect_text(1001, 5);
	rx_sack(1001, 2001, 6001);
	expect_text(1001, 1);
	rx_ack(2001);
	rig_check(look().sacked == 4000);
	rig_wait(S(2));
	expect_text(2001, 1);
	rig_check(look().sacked == 0);
	rx_ack(3001);
	for (tcp_seq seq = 3001; seq < 6001; seq += 1000) {
		rig_expect(TEXT(seq, 1000));
		rx_ack(seq + 1000);
	}
	rig_expect_silence();
	rig_check(look().in_flight == 0);
	rig_end();
}

/* Peers who SACK each second byte (CVE-2019-11478) get no record for each, and no
 * packet for each byte between. */
static void single_bytes_are_not_cut_out(void)
{
	uint32_t before;

	open_sack();
	rig_send(10000);
	expect_text(1001, 10);
	rig_wait(RTT_US);
	before = look().memory;
	for (tcp_seq at = 2001; at < 11001; at += 8)
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
			   .nsack = 4,
			   .sack = {{at, at + 1},
				    {at + 2, at + 3},
				    {at + 4, at + 5},
				    {at + 6, at + 7}}));
	rig_check(look().memory < before + 40 * sizeof(struct tx_rec));
	rig_forget();
	rig_check(rig_stats().retransmit_fast <= 40);
	rx_ack(11001);
	rig_check(look().in_flight == 0);
	rig_end();
}

/* 6.2, step 4: a round is over when it is acknowledged, however long ago. */
static void rounds_of_dsack_end(void)
{
	const struct tcp_active *a;

	open_sack();
	rig_send(2000);
	rig_forget();
	rx_ack(2001);
	rx_twice(2001, 1001);
	a = ref_ptr(&rig.st->arena, rig_only()->c->active);
	rig_check(a->reo_grown);
	rx_ack(3001);
	rig_send(1000);
	rig_forget();
	rx_ack(4001);
	rig_check(!a->reo_grown);
	rig_end();
}

/* 7.1: a timeout ends the wait for what a probe tells; the next flight has its
 * own. */
static void probe_after_timeout(void)
{
	open_with(SEG(.flags = TH_SYN, .seq = 5000, MSS(1012), SACK_OK, TS(1)));
	rig_send(1000);
	rig_forget();
	rig_wait(RTT_US);
	rx_ack(2001);
	rig_send(2000);
	expect_text(2001, 2);
	rig_expect_after(PTO_US, TEXT(3001, 1000));
	rig_expect_after(S(1), TEXT(2001, 1000));
	rig_wait(RTT_US);
	rx_ack(4001);
	rig_forget();
	rig_send(1000);
	rig_expect(TEXT(4001, 1000));
	rig_check(look().probe_in_us > 0);
	rx_ack(5001);
	rig_end();
}

/* RFC 9937, 6: what was SACKed before the recovery is not delivered in it, and
 * RecoverFS is without it. Half of what is delivered may leave. */
static void recover_fs_without_sacked(void)
{
	open_sack();
	rig_send(10000);
	rig_forget();
	rig_wait(RTT_US);
	rx_sack(1001, 2001, 4001);
	rig_send(20000);
	rig_forget();
	rig_check(look().in_flight == 10000);
	rx_sack(1001, 2001, 5001);
	rig_forget();
	rig_check(look().ssthresh == 5000);
	rx_sack(1001, 2001, 6001);
	rig_check(look().cwnd == look().in_flight);
	rx_sack(1001, 2001, 7001);
	/* 3000 * 5000 / 10000, less what was sent again */
	rig_check(look().cwnd == look().in_flight + 500);
	rx_ack(31001 - 18000);
	rig_forget();
	rig_end();
}

/* 7.4.2: the D-SACK of a probe says nothing of the path's order. */
static void probe_is_no_reordering(void)
{
	const struct tcp_active *a;

	probed();
	a = ref_ptr(&rig.st->arena, rig_only()->c->active);
	rx_ack(4001);
	rx_twice(4001, 3001);
	rig_check(rig_stats().dsacks_in == 1);
	rig_check(a->reo_mult == 1);
	rig_check(!a->reo_grown);
	rig_end();
}

/* For five minutes, a segment with each round trip of @rtt_us; @pause_us after
 * it. Then two, the second of which arrives: how long is the first waited for? */
static void expect_window(tcp_seq *at, int64_t rtt_us, int64_t pause_us,
			  int64_t window_us)
{
	struct tcp_seg s;

	for (int64_t us = 0; us <= S(300); us += rtt_us + pause_us) {
		rig_send(1000);
		rig_check(rig_take(&s));
		rig_wait(rtt_us);
		*at += 1000;
		rx_ack(*at);
		rig_wait(pause_us);
	}
	rig_send(2000);
	expect_text(*at, 2);
	rig_wait(rtt_us);
	rx_sack(*at, *at + 1000, *at + 2000);
	rig_expect_after(window_us, TEXT(*at, 1000));
	*at += 2000;
	rx_ack(*at);
}

/* 6.2, step 1: a quarter of the smallest round trip, and when the path became
 * longer, of what it is now; also if there was nothing to keep in between. */
static void window_of_a_longer_path(void)
{
	static const int64_t pauses_us[] = {0, S(5)};

	for (size_t i = 0; i < ARRAY_LEN(pauses_us); i++) {
		tcp_seq at = 1001;

		open_sack();
		expect_window(&at, MS(40), pauses_us[i], MS(10));
		rig_check(look().min_rtt_us == MS(40));
		expect_window(&at, MS(200), pauses_us[i], MS(50));
		rig_check(look().min_rtt_us == MS(200));
		rig_end();
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(single_bytes_are_not_cut_out),
	UNIT_TEST(late_segments_are_no_queue),
	UNIT_TEST(sacked_neighbours_are_one),
	UNIT_TEST(sent_again_stays_apart),
	UNIT_TEST(lost_retransmission_plain),
	UNIT_TEST(lost_retransmission_timestamps),
	UNIT_TEST(three_beyond_a_hole),
	UNIT_TEST(one_and_a_while),
	UNIT_TEST(reordering_is_tolerated),
	UNIT_TEST(late_though_sent_again_plain),
	UNIT_TEST(late_though_sent_again_timestamps),
	UNIT_TEST(loss_among_holes),
	UNIT_TEST(blocks_are_no_reordering),
	UNIT_TEST(window_grows_with_dsack),
	UNIT_TEST(probe_with_new_text),
	UNIT_TEST(probe_with_small_text),
	UNIT_TEST(probe_and_closed_window),
	UNIT_TEST(probe_with_last_segment),
	UNIT_TEST(probe_restarted_by_ack),
	UNIT_TEST(no_probe_with_sack),
	UNIT_TEST(probe_instead_of_rto),
	UNIT_TEST(probe_without_rtt),
	UNIT_TEST(probe_repaired),
	UNIT_TEST(probe_needless_dsack),
	UNIT_TEST(probe_needless_dupack),
	UNIT_TEST(one_probe_a_round_trip),
	UNIT_TEST(timeout_spares_the_young),
	UNIT_TEST(reneged),
	UNIT_TEST(rounds_of_dsack_end),
	UNIT_TEST(probe_after_timeout),
	UNIT_TEST(recover_fs_without_sacked),
	UNIT_TEST(probe_is_no_reordering),
	UNIT_TEST(window_of_a_longer_path),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_rack", tests, ARRAY_LEN(tests), argc, argv);
}
