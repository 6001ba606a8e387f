/*
 * test_tcp_reassembly.c - Text that comes early (RFC 9293, 3.10.7.4 (SHLD-31))
 */
#include "rig.h"

static void rx_text(tcp_seq seq, uint32_t len)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001, .len = len));
}

#define ACK_OF(n) SEG(.flags = TH_ACK, .seq = 1001, .ack = (n))

/* RFC 5681, 4.2; RFC 9293, 3.10.7.4 (MAY-13): early text is answered at once, and so is what fills a hole
 * - with everything that is in order then. */
static void rcv_early_then_hole_filled(void)
{
	rig_established();
	rx_text(5101, 100);
	rig_expect(ACK_OF(5001));
	rig_expect_silence();
	rig_check(rig_only()->received == 0);
	rx_text(5001, 100);
	rig_expect(ACK_OF(5201));
	rig_expect_silence_for(MS(100));
	rig_check(rig_only()->received == 200);
	rig_end();
}

/* Filled from behind, one after the other. */
static void rcv_backwards(void)
{
	rig_established();
	for (tcp_seq seq = 5901; seq > 5001; seq -= 100) {
		rx_text(seq, 100);
		rig_expect(ACK_OF(5001));
	}
	rx_text(5001, 100);
	rig_expect(ACK_OF(6001));
	rig_expect_silence();
	rig_check(rig_only()->received == 1000);
	rig_end();
}

/* A part of a hole is filled: acknowledged at once, too. */
static void rcv_hole_filled_partly(void)
{
	rig_established();
	rx_text(5301, 100);
	rig_expect(ACK_OF(5001));
	rx_text(5001, 100);
	rig_expect(ACK_OF(5101));
	rx_text(5101, 200);
	rig_expect(ACK_OF(5401));
	rig_expect_silence();
	rig_check(rig_only()->received == 400);
	rig_end();
}

/* P6: a segment inside one that is held, and one that covers it. */
static void rcv_contained_and_covering(void)
{
	rig_established();
	rx_text(5101, 300);
	rig_expect(ACK_OF(5001));
	rx_text(5201, 50);
	rig_expect(ACK_OF(5001));
	rx_text(5051, 500);
	rig_expect(ACK_OF(5001));
	rx_text(5001, 60);
	rig_expect(ACK_OF(5551));
	rig_expect_silence();
	rig_check(rig_only()->received == 550);
	rig_end();
}

/* Overlaps at both ends, in both orders. */
static void rcv_overlaps(void)
{
	rig_established();
	rx_text(5101, 100);
	rig_expect(ACK_OF(5001));
	rx_text(5151, 100);
	rig_expect(ACK_OF(5001));
	rx_text(5401, 100);
	rig_expect(ACK_OF(5001));
	rx_text(5351, 100);
	rig_expect(ACK_OF(5001));
	rx_text(5201, 200);
	rig_expect(ACK_OF(5001));
	rx_text(5001, 101);
	rig_expect(ACK_OF(5501));
	rig_expect_silence();
	rig_check(rig_only()->received == 500);
	rig_end();
}

/* The first copy of a byte wins: later ones cannot rewrite it. */
static void rcv_conflicting_copies(void)
{
	rig_established();
	rx_text(5011, 10);
	rig_expect(ACK_OF(5001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5011, .ack = 1001,
		   .text = "**********"));
	rig_expect(ACK_OF(5001));
	rx_text(5001, 10);
	rig_expect(ACK_OF(5021));
	rig_check(rig_only()->received == 20); /* compared with the pattern */
	rig_end();
}

/* The hole is filled by a segment that goes on into what is held. */
static void rcv_conflicting_fill(void)
{
	rig_established();
	rx_text(5006, 10);
	rig_expect(ACK_OF(5001));
	rx_text(5001, 5);
	rig_expect(ACK_OF(5016));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .text = "***************"));
	rig_expect(ACK_OF(5016));
	rig_check(rig_only()->received == 15);
	rig_end();
}

/* More holes than are remembered: some text may be dropped, none is wrong. */
static void rcv_many_holes(void)
{
	rig_established();
	for (tcp_seq i = 0; i < 100; i++)
		rx_text(5011 + i * 20, 10);
	rig_forget();
	for (tcp_seq i = 0; i < 101; i++)
		rx_text(5001 + i * 20, 20);
	rig_wait(MS(41));
	rig_forget();
	rig_check(rig_only()->received == 2020);
	rig_end();
}

/* A FIN that comes early waits for its turn. */
static void rcv_fin_early(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5101, .ack = 1001,
		   .len = 100));
	rig_expect(ACK_OF(5001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rx_text(5001, 100);
	rig_forget();
	/* Whether the FIN was kept or must come again, it counts now. */
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5101, .ack = 1001,
		   .len = 100));
	rig_wait(MS(41));
	rig_forget();
	rig_check(rig_only()->received == 200);
	rig_check(rig_only()->peer_closed == 1);
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_end();
}

/* Early text shrinks nothing: the window's right edge stays (SHLD-14). */
static void rcv_early_window_edge(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 8192;
	rig_established();
	rig_read_stop();
	rx_text(6001, 1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, WND(8192)));
	rx_text(5001, 1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 7001, WND(6192)));
	rig_end();
}

/* RFC 2018, 4: the block with what arrived last comes first. */
static void sack_blocks_newest_first(void)
{
	rig_established_all();
	rx_text(5101, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK(5101, 5201)));
	rx_text(5301, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK2(5301, 5401, 5101, 5201)));
	rx_text(5501, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK3(5501, 5601, 5301, 5401, 5101, 5201)));
	rx_text(5201, 100); /* joins the first two */
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001,
		       SACK2(5101, 5401, 5501, 5601)));
	rx_text(5001, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5401,
		       SACK(5501, 5601)));
	rx_text(5401, 100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5601));
	rig_expect_silence();
	rig_check(rig_only()->received == 600);
	rig_end();
}

/* RFC 2018, 2: not to a peer that did not offer it (checked by the rig), and
 * not when all is in order. */
static void no_sack_in_order(void)
{
	rig_established_all();
	rx_text(5001, 100);
	rig_expect_after(MS(40), ACK_OF(5101));
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(rcv_early_then_hole_filled),
	UNIT_TEST(rcv_backwards),
	UNIT_TEST(rcv_hole_filled_partly),
	UNIT_TEST(rcv_contained_and_covering),
	UNIT_TEST(rcv_overlaps),
	UNIT_TEST(rcv_conflicting_copies),
	UNIT_TEST(rcv_conflicting_fill),
	UNIT_TEST(rcv_many_holes),
	UNIT_TEST(rcv_fin_early),
	UNIT_TEST(rcv_early_window_edge),
	UNIT_TEST(sack_blocks_newest_first),
	UNIT_TEST(no_sack_in_order),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_reassembly", tests, ARRAY_LEN(tests), argc, argv);
}
