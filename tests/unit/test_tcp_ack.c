/*
 * test_tcp_ack.c - When an ACK is sent (RFC 9293, 3.8.6.3; RFC 5681, 4.2)
 */
#include "rig.h"

static void rx_text(tcp_seq seq, uint32_t len)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001, .len = len));
}

#define ACK_OF(n) SEG(.flags = TH_ACK, .seq = 1001, .ack = (n))

/* RFC 9293, 3.8.6.3 (SHLD-18): after 40 ms. */
static void ack_delayed(void)
{
	rig_established();
	rx_text(5001, 100);
	rig_expect_after(MS(40), ACK_OF(5101));
	rig_expect_silence_for(S(5));
	rig_end();
}

/* The delay runs from the first byte that waits, not from the last. */
static void ack_delay_not_restarted(void)
{
	rig_established();
	rx_text(5001, 10);
	rig_wait(MS(30));
	rx_text(5011, 10);
	rig_expect_after(MS(10), ACK_OF(5021));
	rig_end();
}

/* RFC 9293, 3.8.6.3 (SHLD-19): every second full-sized segment. */
static void ack_every_second_segment(void)
{
	tcp_seq seq = 5001;
	uint32_t mss;

	rig_established();
	mss = rig_mss();
	for (unsigned int i = 0; i < 10; i++) {
		rx_text(seq, mss);
		rig_expect_silence();
		rx_text(seq + mss, mss);
		seq += 2 * mss;
		rig_expect(ACK_OF(seq));
		rig_expect_silence();
	}
	rig_end();
}

/* The second segment need not be a full one, nor the first. */
static void ack_more_than_a_segment(void)
{
	uint32_t mss;

	rig_established();
	mss = rig_mss();
	rx_text(5001, mss);
	rx_text(5001 + mss, 1);
	rig_expect(ACK_OF(5002 + mss));
	rx_text(5002 + mss, 1);
	rig_expect_silence();
	rx_text(5003 + mss, mss);
	rig_expect(ACK_OF(5003 + 2 * mss));
	rig_expect_silence_for(MS(100));
	rig_end();
}

/* The first ones at once, whatever their size, and then by the rules. */
static void ack_at_once_at_the_start(void)
{
	tcp_seq seq = 5001;
	uint32_t len;

	rig.conf.quick_acks = 16;
	rig_established();
	for (unsigned int i = 0; i < 16; i++) {
		len = i % 2 ? rig_mss() : 10;
		rx_text(seq, len);
		seq += len;
		rig_expect(ACK_OF(seq));
		rig_expect_silence();
	}
	for (unsigned int i = 0; i < 2; i++) {
		rx_text(seq, 10);
		seq += 10;
		rig_expect_after(MS(40), ACK_OF(seq));
	}
	rig_end();
}

/* A turn has one ACK then, too, and all its segments count. */
static void ack_at_once_for_a_turn(void)
{
	tcp_seq seq = 5001;

	rig.conf.quick_acks = 5;
	rig_established();
	rig_hold();
	for (unsigned int i = 0; i < 4; i++, seq += 10)
		rx_text(seq, 10);
	rig_release();
	rig_expect(ACK_OF(seq));
	rig_expect_silence_for(MS(100));
	rx_text(seq, 10);
	rig_expect(ACK_OF(seq + 10));
	rx_text(seq + 10, 10);
	rig_expect_after(MS(40), ACK_OF(seq + 20));
	rig_end();
}

/* RFC 5681, 4.1: the peer restarts after an RTO, and so do we; not before, as
 * long as what is in flight keeps the record. */
static void ack_at_once_after_a_silence(void)
{
	rig.conf.quick_acks = 1;
	rig_established();
	rig_send(10);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 10));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1011, .ack = 5011));
	rig_wait(MS(900));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5011, .ack = 1001, .len = 10));
	rig_expect_after(MS(40),
			 SEG(.flags = TH_ACK, .seq = 1011, .ack = 5021));
	rig_wait(MS(2100));
	rig_forget(); /* what is not acknowledged was sent again */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5021, .ack = 1011, .len = 10));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1011, .ack = 5031));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5031, .ack = 1011, .len = 10));
	rig_expect_after(MS(40),
			 SEG(.flags = TH_ACK, .seq = 1011, .ack = 5041));
	rig_end();
}

/* RFC 5681, 3.2: behind a hole, 64 times as many as at the start. */
static void ack_at_once_where_text_is_lost(void)
{
	tcp_seq seq = 5011;

	rig.conf.quick_acks = 1;
	rig_established();
	rx_text(seq, 10);
	rig_forget();
	rx_text(5001, 10);
	rig_expect(ACK_OF(seq + 10));
	for (unsigned int i = 1; i < 64; i++) {
		seq += 10;
		rx_text(seq, 10);
		rig_expect(ACK_OF(seq + 10));
		rig_wait(MS(1));
	}
	rx_text(seq + 10, 10);
	rig_expect_after(MS(40), ACK_OF(seq + 20));
	rig_end();
}

/* A silence takes none of them away; text in flight keeps the record. */
static void ack_at_once_after_loss_and_silence(void)
{
	rig.conf.quick_acks = 1;
	rig_established();
	rig_send(10);
	rx_text(5011, 10);
	rx_text(5001, 10);
	rig_wait(MS(2100));
	rig_forget(); /* what is not acknowledged was sent again */
	for (tcp_seq seq = 5021; seq < 5051; seq += 10) {
		rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1011,
			   .len = 10));
		rig_expect(SEG(.flags = TH_ACK, .seq = 1011, .ack = seq + 10));
	}
	rig_end();
}

/* A peer that sends one segment at a time is found out when they are over. */
static void ack_at_once_then_each(void)
{
	uint32_t mss;
	tcp_seq seq = 5001;

	rig.conf.quick_acks = 2;
	rig_established();
	mss = rig_mss();
	for (unsigned int i = 0; i < 6; i++) {
		rx_text(seq, mss);
		seq += mss;
		if (i == 2)
			rig_expect_after(MS(40), ACK_OF(seq));
		else
			rig_expect(ACK_OF(seq));
		rig_expect_silence();
	}
	rig_end();
}

/* A peer that sends one segment at a time waits for our timer once, not each
 * time. */
static void ack_each_segment_of_a_slow_peer(void)
{
	uint32_t mss;
	tcp_seq seq = 5001;

	rig_established();
	mss = rig_mss();
	rx_text(seq, mss);
	seq += mss;
	rig_expect_after(MS(40), ACK_OF(seq));
	for (unsigned int i = 0; i < 10; i++) {
		rx_text(seq, mss);
		seq += mss;
		rig_expect(ACK_OF(seq));
		rig_expect_silence();
	}
	/* A small one is a message: somebody may answer it. */
	rx_text(seq, 500);
	seq += 500;
	rig_expect_after(MS(40), ACK_OF(seq));
	/* Two together: it can. */
	rig_hold();
	rx_text(seq, mss);
	rx_text(seq + mss, mss);
	seq += 2 * mss;
	rig_release();
	rig_expect(ACK_OF(seq));
	rx_text(seq, mss);
	rig_expect_silence_for(MS(39));
	rig_end();
}

/* The same if its own timer is quicker than ours (RFC 8985, 7). */
static void ack_each_segment_of_an_impatient_peer(void)
{
	uint32_t mss;

	rig_established();
	mss = rig_mss();
	rx_text(5001, mss);
	rig_expect_silence_for(MS(10));
	rx_text(5001, mss);
	rig_expect(ACK_OF(5001 + mss));
	rx_text(5001 + mss, mss);
	rig_expect(ACK_OF(5001 + 2 * mss));
	rig_expect_silence_for(MS(100));
	rig_end();
}

/* 2 x RMSS bytes in small segments count the same. */
static void ack_two_mss_in_small_segments(void)
{
	tcp_seq seq = 5001;
	struct tcp_seg s;
	bool acked = false;

	rig_established();
	for (unsigned int i = 0; i < 8 && !acked; i++, seq += 500) {
		rx_text(seq, 500);
		acked = rig_take(&s);
	}
	rig_check(acked);
	rig_check(s.ack == seq);
	rig_check(seq - 5001 <= 2u * rig_mss() + 500);
	rig_end();
}

/* RFC 9293, 3.10.7.4 (MUST-58, MUST-59): one turn, one ACK. */
static void ack_once_a_turn(void)
{
	rig_established();
	rig_hold();
	for (tcp_seq i = 0; i < 10; i++)
		rx_text(5001 + i * 1000, 1000);
	rig_release();
	rig_expect(ACK_OF(15001));
	rig_expect_silence_for(MS(100));
	rig_end();
}

/* Text that leaves anyway carries the ACK. */
static void ack_rides_on_text(void)
{
	rig_established();
	rx_text(5001, 100);
	rig_send(10);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101, .len = 10));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5101, .ack = 1011));
	rig_expect_silence_for(S(5));
	rig_end();
}

/* An ACK is never acknowledged. */
static void ack_of_nothing(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect_silence_for(S(5));
	rig_end();
}

/* RFC 9293, 3.8.4: a keep-alive of a peer is answered, with and without its
 * byte of garbage. */
static void rcv_keepalive(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 1001));
	rig_expect(ACK_OF(5001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 1001, .len = 1));
	rig_expect(ACK_OF(5001));
	rig_expect_silence();
	rig_check(rig_only()->received == 0);
	rig_end();
}

/* A FIN is acknowledged without delay. */
static void ack_of_fin(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	rig_expect(ACK_OF(5002));
	rig_expect_silence_for(S(5));
	rig_end();
}

/* A zero-window probe is answered at once. */
static void ack_of_window_probe(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig_established();
	rig_read_stop();
	rx_text(5001, 4096);
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0)));
	for (unsigned int i = 0; i < 3; i++) {
		rx_text(9097, 1);
		rig_expect(
			SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0)));
	}
	rig_expect_silence();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(ack_delayed),
	UNIT_TEST(ack_delay_not_restarted),
	UNIT_TEST(ack_every_second_segment),
	UNIT_TEST(ack_more_than_a_segment),
	UNIT_TEST(ack_at_once_at_the_start),
	UNIT_TEST(ack_at_once_for_a_turn),
	UNIT_TEST(ack_at_once_after_a_silence),
	UNIT_TEST(ack_at_once_where_text_is_lost),
	UNIT_TEST(ack_at_once_after_loss_and_silence),
	UNIT_TEST(ack_at_once_then_each),
	UNIT_TEST(ack_each_segment_of_a_slow_peer),
	UNIT_TEST(ack_each_segment_of_an_impatient_peer),
	UNIT_TEST(ack_two_mss_in_small_segments),
	UNIT_TEST(ack_once_a_turn),
	UNIT_TEST(ack_rides_on_text),
	UNIT_TEST(ack_of_nothing),
	UNIT_TEST(rcv_keepalive),
	UNIT_TEST(ack_of_fin),
	UNIT_TEST(ack_of_window_probe),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_ack", tests, ARRAY_LEN(tests), argc, argv);
}
