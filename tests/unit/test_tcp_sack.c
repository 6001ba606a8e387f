/*
 * test_tcp_sack.c - What the peer is told about holes
 *
 * Many segments in one batch, so that one ACK cannot tell all of it.
 */
#include "rig.h"

#define ACK_OF(n) SEG(.flags = TH_ACK, .seq = 1001, .ack = (n))

static void rx_text(tcp_seq seq, uint32_t len)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001, .len = len));
}

/* RFC 2018, 4: each would have come first in an ACK of its own. */
static void five_ranges_take_two_acks(void)
{
	rig_established_all();
	rig_hold();
	for (tcp_seq at = 5101; at <= 5901; at += 200)
		rx_text(at, 100);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK3(5501, 5601, 5301, 5401, 5101, 5201)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK3(5901, 6001, 5701, 5801, 5501, 5601)));
	rig_expect_silence();
	rig_end();
}

/* RFC 5681, 3.2: what came before a loss makes cwnd grow, if its ACK does not
 * tell of the loss. */
static void a_new_hole_is_told_later(void)
{
	rig_established_all();
	rig_hold();
	rx_text(5001, 1000);
	rx_text(6001, 1000);
	rx_text(8001, 1000);
	rx_text(9001, 1000);
	rig_release();
	rig_expect(ACK_OF(7001));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 7001,
		       SACK(8001, 10001)));
	rig_expect_silence();
	/* A second one, and some of the first: it is in recovery already. */
	rig_hold();
	rx_text(7001, 500);
	rx_text(11001, 1000);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 7501,
		       SACK2(11001, 12001, 8001, 10001)));
	rig_expect_silence();
	/* All filled, and a new one with a duplicate. */
	rig_hold();
	rx_text(7501, 500);
	rx_text(10001, 1000);
	rx_text(5001, 100);
	rx_text(13001, 1000);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 12001,
		       SACK2(5001, 5101, 13001, 14001)));
	rig_expect_silence();
	rig_end();
}

/* Segments beyond the second hole came before what fills the first. An ACK that
 * fails to tell of them is one of later text that came without them: they would
 * be sent again. */
static void a_hole_behind_the_first_is_told_at_once(void)
{
	rig_established_all();
	rx_text(6001, 1000);
	rx_text(8001, 1000);
	rig_forget();
	rig_hold();
	rx_text(9001, 1000);
	rx_text(5001, 1000);
	rx_text(10001, 1000);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 7001,
		       SACK(8001, 11001)));
	rig_expect_silence();
	rig_end();
}

/* One that came and went in the same batch is none. */
static void a_hole_that_is_filled_is_not_told(void)
{
	rig_established_all();
	rig_hold();
	rx_text(6001, 1000);
	rx_text(5001, 1000);
	rig_release();
	rig_expect(ACK_OF(7001));
	rig_expect_silence_for(MS(100));
	rig_end();
}

/* The text that goes out with the first has room for no blocks. */
static void text_out_before_a_new_hole(void)
{
	rig_established_all();
	rig_hold();
	rx_text(5001, 1000);
	rx_text(7001, 1000);
	rig_send(988 + 976 + 10);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 6001, .len = 988));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1989, .ack = 6001, .len = 976,
		       SACK(7001, 8001)));
	rig_forget();
	rig_end();
}

/* Only what is not told yet needs an ACK; the rest of the room repeats. */
static void told_ranges_are_repeated(void)
{
	rig_established_all();
	rx_text(5101, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK(5101, 5201)));
	rx_text(5301, 100);
	rig_forget();
	rig_hold();
	rx_text(5501, 100);
	rx_text(5201, 100); /* joins the first two */
	rx_text(5701, 100);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK3(5701, 5801, 5101, 5401, 5501, 5601)));
	rig_expect_silence();
	rx_text(5901, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK3(5901, 6001, 5701, 5801, 5101, 5401)));
	rx_text(5001, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5401,
		       SACK3(5901, 6001, 5701, 5801, 5501, 5601)));
	rig_expect_silence();
	rig_end();
}

/* More ranges than the list has places for: the oldest are told when others are
 * not any more, the connection goes on. */
static void more_ranges_than_a_batch_may_tell(void)
{
	const unsigned int n = 40;
	unsigned int acks = 0;
	struct tcp_seg s;

	rig_established_all();
	rig_hold();
	for (unsigned int i = 0; i < n; i++)
		rx_text(5011 + 20 * i, 10);
	rig_release();
	while (rig_take(&s)) {
		rig_check(s.nsack == 3);
		acks++;
	}
	rig_check(acks == 8);
	rx_text(5001, 10);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5021,
		       SACK3(5791, 5801, 5771, 5781, 5751, 5761)));
	rig_expect_silence();
	rig_end();
}

/* RFC 2883, 4: each duplicate is told, once. Neighbours are one. */
static void duplicates_are_told_one_by_one(void)
{
	rig_established_all();
	rx_text(5001, 1000);
	rig_forget();
	rig_hold();
	rx_text(5001, 100);
	rx_text(5101, 100);
	rx_text(5601, 100);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 6001,
		       SACK(5001, 5201)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 6001,
		       SACK(5601, 5701)));
	rig_expect_silence();
	rx_text(6001, 1000);
	rx_text(7001, 1000);
	rig_expect(ACK_OF(8001));
	rig_end();
}

/* Without SACK there is nothing to tell of them but where we are. */
static void duplicates_without_sack(void)
{
	rig_established();
	rx_text(5001, 1000);
	rig_forget();
	rig_hold();
	rx_text(5001, 100);
	rx_text(5201, 100);
	rx_text(5601, 100);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 6001));
	rig_expect_silence();
	rig_end();
}

/* A keep-alive probe is old, but nothing in it came twice. */
static void probe_is_no_duplicate(void)
{
	rig_established_all();
	rx_text(5000, 0);
	rig_expect(ACK_OF(5001));
	rig_expect_silence();
	rig_end();
}

/* RFC 2883, 4.1.2: beyond a hole, in front of the block that has it. */
static void duplicate_beyond_a_hole(void)
{
	rig_established_all();
	rx_text(5101, 100);
	rig_forget();
	rx_text(5201, 100);
	rig_forget();
	rx_text(5101, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK2(5101, 5201, 5101, 5301)));
	rx_text(5101, 200); /* both again */
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK2(5101, 5301, 5101, 5301)));
	rig_expect_silence();
	rig_end();
}

/* At a closed window nothing behind RCV.NXT is taken, so it did not come twice.
 */
static void duplicate_at_closed_window(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig_established_all();
	rig_read_stop();
	for (tcp_seq at = 5001; at < 5001 + 4096; at += 1024)
		rx_text(at, 1024);
	rig_wait(MS(100));
	rig_forget();
	rx_text(9047, 100); /* half of it is new */
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0),
		       SACK(9047, 9097)));
	rig_expect_silence();
	rig_end();
}

/* RFC 5681, 4.2: a peer without SACK counts the duplicate ACKs. */
static void without_sack_an_ack_for_each(void)
{
	rig_established();
	rig_hold();
	rx_text(5101, 100);
	rx_text(5201, 100);
	rx_text(5301, 100);
	rig_release();
	for (int i = 0; i < 3; i++)
		rig_expect(ACK_OF(5001));
	rig_expect_silence();
	/* The one that moves on is none of them. */
	rig_hold();
	rx_text(5001, 50);
	rx_text(5501, 100);
	rx_text(5601, 100);
	rig_release();
	for (int i = 0; i < 3; i++)
		rig_expect(ACK_OF(5051));
	rig_expect_silence();
	rig_hold();
	rx_text(5701, 100);
	rx_text(5051, 450);
	rig_release();
	rig_expect(ACK_OF(5801));
	rig_expect_silence();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(five_ranges_take_two_acks),
	UNIT_TEST(a_new_hole_is_told_later),
	UNIT_TEST(a_hole_behind_the_first_is_told_at_once),
	UNIT_TEST(a_hole_that_is_filled_is_not_told),
	UNIT_TEST(text_out_before_a_new_hole),
	UNIT_TEST(told_ranges_are_repeated),
	UNIT_TEST(more_ranges_than_a_batch_may_tell),
	UNIT_TEST(duplicates_are_told_one_by_one),
	UNIT_TEST(duplicates_without_sack),
	UNIT_TEST(probe_is_no_duplicate),
	UNIT_TEST(duplicate_beyond_a_hole),
	UNIT_TEST(duplicate_at_closed_window),
	UNIT_TEST(without_sack_an_ack_for_each),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_sack", tests, ARRAY_LEN(tests), argc, argv);
}
