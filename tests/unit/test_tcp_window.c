/*
 * test_tcp_window.c - Closed, small and moving windows (RFC 9293, 3.8.6)
 */
#include "rig.h"

#define TEXT(at, n) SEG(.flags = TH_ACK, .seq = (at), .ack = 5001, .len = (n))

static void rx_wnd(tcp_seq ack, uint16_t wnd)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack, WND(wnd)));
}

static void rx_text(tcp_seq seq, uint32_t len)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001, .len = len));
}

/* RFC 9293, 3.8.6.1 (MUST-36, SHLD-29, SHLD-30): one byte after one RTO, then
 * at twice the interval each time. */
static void snd_zero_window_probed(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(0)));
	rig_send(3000);
	rig_expect_silence();
	for (unsigned int i = 0; i < 5; i++) {
		rig_expect_after(S(1 << i), TEXT(1001, 1));
		rx_wnd(1001, 0);
		rig_expect_silence();
	}
	rig_check(rig_stats().window_probes == 5);
	/* P9: an opened window is used at once. */
	rx_wnd(1001, 65535);
	rig_expect(TEXT(1001, 1000));
	rig_expect(TEXT(2001, 1000));
	rig_expect(TEXT(3001, 1000));
	rig_expect_silence();
	rig_end();
}

/* Both ends probe, and both bytes are taken: the peer's ACK has the number
 * before its own, and is heard all the same. */
static void snd_probes_crossed(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(0)));
	rig_send(3000);
	rig_expect_after(S(1), TEXT(1001, 1));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 1,
		   WND(0)));
	rig_expect_after(MS(40),
			 SEG(.flags = TH_ACK, .seq = 1001, .ack = 5002));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1002, WND(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1002, .ack = 5002, .len = 1000));
	rig_expect_silence();
	rig_end();
}

/* Our window lost a little by rounding, and the peer had used it up: its ACKs have
 * the number where it seems to end, and count (RFC 7323, 2.4). */
static void snd_ack_behind_a_rounded_window(void)
{
	rig.conf.window_scale = 7;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(0)));
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	rx_text(5001, 1000);
	rig_wait(MS(41));
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 6001 - 127, .ack = 2001,
		   WND(65535)));
	rig_expect_silence();
	rig_wait(S(10));
	rig_expect_silence();
	rig_check(rig_stats().dropped[DROP_DUPLICATE] == 0);
	/* A unit behind is old, and answered. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 6001 - 128, .ack = 2001,
		   WND(65535)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 2001, .ack = 6001));
	rig_end();
}

/* A window that closes later. */
static void snd_window_closes(void)
{
	rig_established();
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	rx_wnd(2001, 0);
	rig_send(1000);
	rig_expect_silence();
	rig_expect_after(S(1), TEXT(2001, 1));
	/* The byte was taken: the next probe has the next one. */
	rx_wnd(2002, 0);
	rig_wait(S(10));
	rig_expect(TEXT(2002, 1));
	rig_forget();
	rx_wnd(2002, 65535);
	rig_expect(TEXT(2002, 999));
	rig_end();
}

/* RFC 9293, 3.8.6.1 (MUST-37): as long as probes are answered, for ever. */
static void snd_zero_window_for_hours(void)
{
	struct tcp_seg s;
	unsigned int probes = 0;

	rig.conf.retries = 3;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(0)));
	rig_send(1000);
	for (unsigned int i = 0; i < 4 * 3600 && !rig.failed; i += 10) {
		rig_wait(S(10));
		while (rig_take(&s)) {
			probes++;
			rx_wnd(1001, 0);
		}
	}
	rig_check(probes >= 200 && probes <= 1000); /* at most 60 s apart */
	rig_check(rig_state() == TCP_ESTABLISHED);
	rx_wnd(1001, 65535);
	rig_expect(TEXT(1001, 1000));
	rig_end();
}

/* Unanswered probes end it like unanswered text (MUST-20). */
static void snd_zero_window_peer_gone(void)
{
	rig.conf.retries = 3;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(0)));
	rig_send(1000);
	rig_wait(S(600));
	rig_forget();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_DATA);
	rig_end();
}

/* RFC 9293, 3.8.6 (MUST-34, SHLD-15): the right edge moves left. Nothing new
 * is sent, and what is acknowledged still counts. */
static void snd_window_shrinks(void)
{
	rig_established();
	rig_send(5000);
	for (tcp_seq i = 0; i < 5; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	rx_wnd(2001, 1000);
	rig_send(1000);
	rig_expect_silence();
	rx_wnd(6001, 1000);
	rig_expect(TEXT(6001, 1000));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.8.6 (SHLD-17): what lies beyond the edge then is sent again, and
 * does not time out as long as there are answers. */
static void snd_window_shrinks_to_nothing(void)
{
	struct tcp_seg s;
	unsigned int again = 0;

	rig_established();
	rig_send(1000);
	rig_expect(TEXT(1001, 1000));
	rx_wnd(1001, 0);
	for (unsigned int i = 0; i < 40; i++) {
		rig_wait(S(61));
		while (rig_take(&s))
			again++;
		rx_wnd(1001, 0);
	}
	rig_check(again >= 40);
	rig_check(rig_state() == TCP_ESTABLISHED);
	rx_wnd(2001, 1000);
	rig_send(1000);
	rig_expect(TEXT(2001, 1000));
	rig_end();
}

/* (MUST-38): half of the largest window there ever was is no small piece. */
static void snd_half_of_a_small_window(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(600)));
	rig_send(2000);
	rig_expect(TEXT(1001, 600));
	rx_wnd(1601, 300);
	rig_expect(TEXT(1601, 300));
	rx_wnd(1901, 299);
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.8.6.2.1 (MUST-38): not in small pieces. With nothing in flight
 * a timer overrides that after a while. */
static void snd_silly_window(void)
{
	struct tcp_seg s;
	bool sent;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(4000)));
	rig_send(8000);
	for (tcp_seq i = 0; i < 4; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	rx_wnd(5001, 100);
	rig_expect_silence_for(MS(99));
	rig_wait(S(1) + MS(100));
	sent = rig_take(&s);
	rig_check(sent && s.seq == 5001 && s.len == 100);
	rig_forget();
	/* Half of the largest window is no longer silly. */
	rx_wnd(5001, 2000);
	rig_check(rig_take(&s) && s.len >= 900);
	rig_forget();
	rig_end();
}

/* Two segments into every window, so that the second one brings an ACK: RFC
 * 9293, 3.8.6.3 (SHLD-19) lets a peer delay that of the first. */
static void snd_two_segments_a_window(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1400), WND(2000)));
	rig_send(3000);
	rig_expect(TEXT(1001, 1000));
	rig_expect(TEXT(2001, 1000));
	rig_expect_silence();
	/* A larger window takes larger ones. */
	rx_wnd(3001, 8000);
	rig_expect(TEXT(3001, 1000));
	rig_send(2800);
	rig_expect(TEXT(4001, 1400));
	rig_expect(TEXT(5401, 1400));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.8.6.2.2 (MUST-39): the window opens by a segment or half the
 * buffer at least, and says so at once (P9). */
static void rcv_window_opens(void)
{
	struct tcp_seg s;
	uint32_t read = 0;
	bool told = false;

	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 8192;
	rig_established();
	rig_read_stop();
	rx_text(5001, 4096);
	rx_text(9097, 4096);
	rig_wait(MS(41));
	rig_check(rig_take(&s));
	while (s.wnd && rig_take(&s))
		;
	rig_check(s.ack == 13193 && s.wnd == 0);
	rig_expect_silence();
	for (; read < 8192 && !told; read += 128) {
		rig_read(128);
		told = rig_take(&s);
	}
	rig_check(told && s.ack == 13193);
	rig_check(s.wnd == read && read >= 1460 - 20 && read <= 4096);
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.8.6.1 (MAY-8): a reader may pause for as long as it likes. */
static void rcv_window_closed_for_hours(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig_established();
	rig_read_stop();
	rx_text(5001, 4096);
	rig_wait(MS(41));
	rig_forget();
	for (unsigned int i = 0; i < 120; i++) {
		rx_text(9097, 1); /* the peer's probe */
		rig_expect(
			SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0)));
		rig_expect_silence_for(S(60));
	}
	rig_read_on();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(4096)));
	rx_text(9097, 1);
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9098));
	rig_end();
}

/* Small text does not move a full window on, though its field counts in units
 * of 128 bytes, and what it seemed to take back is taken all the same. RFC 7323,
 * 2.4. */
static void rcv_window_full_in_small_steps(void)
{
	tcp_seq seq = 5001, end = 5001 + 4096 + 127;
	struct tcp_seg s;

	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig.conf.window_scale = 7;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(0)));
	rig_read_stop();
	for (unsigned int i = 0; i < 500; i++) {
		rx_text(seq, 10);
		rig_wait(MS(41));
		rig_check(rig_take(&s));
		rig_check(seq_leq(s.ack + s.wnd * 128u, end));
		seq = s.ack;
	}
	rig_check(seq_geq(seq, 5001 + 4096) && s.wnd == 0);
	rig_read_on();
	rig_check(rig_take(&s));
	rig_check(s.wnd == 4096 / 128);
	rig_end();
}

/* A reader that keeps up causes no window updates. */
static void rcv_window_no_updates(void)
{
	rig_established();
	for (tcp_seq i = 0; i < 20; i++) {
		rx_text(5001 + i * 100, 100);
		rig_wait(MS(41));
		rig_expect(SEG(.flags = TH_ACK, .seq = 1001,
			       .ack = 5101 + i * 100));
		rig_expect_silence();
	}
	rig_end();
}

/* What is left of the window takes no further segment: the peer waits for the
 * ACK that moves it, which need not come from a timer. */
static void rcv_window_too_small_for_another(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 2400;
	rig_established();
	for (tcp_seq seq = 5001; seq < 5001 + 10 * 1400; seq += 1400) {
		rx_text(seq, 1400);
		rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = seq + 1400,
			       WND(2400)));
		rig_expect_silence();
	}
	/* If it cannot move, there is nothing to be quick about. */
	rig_read_stop();
	rx_text(5001 + 10 * 1400, 1400);
	rig_expect_after(MS(40), SEG(.flags = TH_ACK, .seq = 1001,
				     .ack = 5001 + 11 * 1400, WND(1000)));
	rig_end();
}

/* Nor from text that does not come: what is read moves it at once. */
static void rcv_window_read_for_another(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 2400;
	rig_established();
	rig_read_stop();
	rx_text(5001, 1400);
	rig_expect_after(MS(40), SEG(.flags = TH_ACK, .seq = 1001, .ack = 6401,
				     WND(1000)));
	rig_read(1400);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 6401, WND(2400)));
	rig_expect_silence();
	rig_end();
}

/* Behind a FIN nothing waits for a window. */
static void rcv_window_behind_a_fin(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001,
		   .len = 4000));
	rig_forget();
	rig_read_on();
	rig_check(rig_only()->received == 4000);
	rig_expect_silence_for(S(1));
	rig_end();
}

/* A window that is short is worth a packet of its own by two segments more. */
static void rcv_window_two_segments_more(void)
{
	rig_established();
	rig_read_stop();
	for (uint32_t i = 0; i < 40; i++)
		rx_text(5001 + i * 1400, 1400);
	rig_wait(MS(40));
	rig_forget();
	rig_read(2000);
	rig_expect_silence();
	rig_read(1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001 + 40 * 1400,
		       WND(65535 - 40 * 1400 + 3000)));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.8.6.2.2: half of what can be offered, if that is less than a
 * segment and, without the scale, less than half the buffer. */
static void rcv_window_opens_by_half(void)
{
	rig.conf.mtu = 65520;
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 1 << 17;
	rig_established();
	for (tcp_seq seq = 5001; seq < 5001 + 10 * 40000; seq += 40000) {
		rx_text(seq, 40000);
		rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = seq + 40000,
			       WND(65535)));
	}
	rig_end();
}

/* RFC 9293, 3.8.6 (SHLD-14): the right edge never moves left, whatever the
 * size of the pieces. */
static void rcv_window_edge_stays(void)
{
	tcp_seq edge = 5001 + 16384, seq = 5001;
	struct tcp_seg s;

	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 16384;
	rig_established();
	rig_read_stop();
	for (unsigned int i = 0; seq_lt(seq, edge); i++) {
		uint32_t n = 1 + i * 97 % 1400;

		if (n > edge - seq)
			n = edge - seq;
		rx_text(seq, n);
		seq += n;
		if (i % 5 == 4)
			rig_read(50);
		while (rig_take(&s)) {
			rig_check(seq_geq(s.ack + s.wnd, edge));
			edge = s.ack + s.wnd;
		}
	}
	rig_wait(MS(41));
	while (rig_take(&s))
		rig_check(seq_geq(s.ack + s.wnd, edge));
	rig_end();
}

/* The same when the window is rounded by its scale. */
static void rcv_window_edge_stays_scaled(void)
{
	tcp_seq edge = 0, seq = 5001;
	struct tcp_seg s;

	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 262144;
	rig.conf.window_scale = 7;
	rig_established_all();
	rig_read_stop();
	for (unsigned int i = 0; i < 150; i++) {
		uint32_t n = 1 + i * 97 % 988;

		rx_text(seq, n);
		seq += n;
		rig_wait(MS(41));
		while (rig_take(&s)) {
			tcp_seq e = s.ack + ((uint32_t)s.wnd << 7);

			/* By less than a step of the scale it may seem to. */
			rig_check(!edge || seq_geq(e + 127, edge));
			if (!edge || seq_gt(e, edge))
				edge = e;
		}
	}
	rig_end();
}

/* One flight of @n bytes, and the window offered when it was read. */
static uint32_t flight(tcp_seq *seq, uint32_t n)
{
	struct tcp_seg s = {.wnd = 0};

	for (tcp_seq end = *seq + n; *seq != end; *seq += 1000)
		rx_text(*seq, 1000);
	while (rig_take(&s))
		;
	rig_wait(MS(1));
	return (uint32_t)s.wnd << 7;
}

/* A sender in slow start has twice as much in flight with each round trip. While
 * one flight is read, the window has room for the next one already. */
static void rcv_window_ahead_of_slow_start(void)
{
	tcp_seq seq = 5001;
	uint32_t wnd;

	rig.conf.rcvbuf = 65536;
	rig.conf.rcvbuf_max = 1 << 20;
	rig.conf.window_scale = 7;
	rig_established_all();
	for (uint32_t n = 10000; n <= 160000; n *= 2) {
		wnd = flight(&seq, n);
		rig_check(wnd >= (n > 30000 ? 2 * n - n / 8 : 65000));
	}
	rig_end();
}

/* A sender that is not faster than before needs no more than twice its flight; a
 * fifth more is what it grew by. */
static void rcv_window_stays_with_a_steady_sender(void)
{
	tcp_seq seq = 5001;

	rig.conf.rcvbuf = 65536;
	rig.conf.rcvbuf_max = 1 << 20;
	rig.conf.window_scale = 7;
	rig_established_all();
	for (uint32_t n = 10000; n < 50000; n += 2000)
		(void)flight(&seq, n);
	for (unsigned int i = 0; i < 20; i++)
		rig_check(flight(&seq, 50000) <= 120000);
	rig_end();
}

/* Text that waits behind a closed window, and a FIN behind it. */
static void snd_close_zero_window(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(0)));
	rig_send(500);
	rig_close();
	rig_expect_silence();
	rig_expect_after(S(1), TEXT(1001, 1));
	rx_wnd(1001, 65535);
	rig_expect(SEG(.flags = TH_ACK | TH_FIN, .seq = 1001, .ack = 5001,
		       .len = 500));
	rig_expect_silence();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(snd_zero_window_probed),
	UNIT_TEST(snd_probes_crossed),
	UNIT_TEST(snd_ack_behind_a_rounded_window),
	UNIT_TEST(snd_window_closes),
	UNIT_TEST(snd_zero_window_for_hours),
	UNIT_TEST(snd_zero_window_peer_gone),
	UNIT_TEST(snd_window_shrinks),
	UNIT_TEST(snd_window_shrinks_to_nothing),
	UNIT_TEST(snd_half_of_a_small_window),
	UNIT_TEST(snd_silly_window),
	UNIT_TEST(snd_two_segments_a_window),
	UNIT_TEST(rcv_window_opens),
	UNIT_TEST(rcv_window_closed_for_hours),
	UNIT_TEST(rcv_window_full_in_small_steps),
	UNIT_TEST(rcv_window_no_updates),
	UNIT_TEST(rcv_window_too_small_for_another),
	UNIT_TEST(rcv_window_read_for_another),
	UNIT_TEST(rcv_window_behind_a_fin),
	UNIT_TEST(rcv_window_two_segments_more),
	UNIT_TEST(rcv_window_opens_by_half),
	UNIT_TEST(rcv_window_edge_stays),
	UNIT_TEST(rcv_window_edge_stays_scaled),
	UNIT_TEST(snd_close_zero_window),
	UNIT_TEST(rcv_window_ahead_of_slow_start),
	UNIT_TEST(rcv_window_stays_with_a_steady_sender),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_window", tests, ARRAY_LEN(tests), argc, argv);
}
