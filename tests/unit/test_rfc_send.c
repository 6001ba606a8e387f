/*
 * test_rfc_send.c - RFC 9293, 3.8.6 and 3.9.1.2: shrinking windows, PUSH
 */
#include "rig.h"

#define TEXT(at, n) SEG(.flags = TH_ACK, .seq = (at), .ack = 5001, .len = (n))
#define PUSHED(at, n) \
	SEG(.flags = TH_ACK | TH_PSH, .seq = (at), .ack = 5001, .len = (n))

static void rx_wnd(tcp_seq ack, uint16_t wnd)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack, WND(wnd)));
}

/* RFC 9293, 3.9.1.2 (SHLD-28, SHLD-27, MAY-16): what was written in small
 * pieces leaves in full segments, with one PSH at the end. */
static void small_writes_are_joined(void)
{
	struct tcp_seg s;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(0)));
	for (unsigned int i = 0; i < 25; i++)
		rig_send(100);
	rig_expect_silence();
	rx_wnd(1001, 65535);
	for (unsigned int i = 0; i < 2; i++) {
		rig_check(rig_take(&s) && s.len == 1000);
		rig_check(!(s.flags & TH_PSH));
	}
	rig_expect(PUSHED(3001, 500));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.9.1.2 (MUST-60): nothing waits for a PUSH. What Nagle holds
 * leaves with the next ACK, what the window holds after a while. */
static void small_writes_leave(void)
{
	struct tcp_seg s;

	rig_established();
	rig_send(10);
	rig_expect(TEXT(1001, 10));
	rig_send(10);
	rig_expect_silence();
	rx_wnd(1011, 65535);
	rig_expect(TEXT(1011, 10));
	rx_wnd(1021, 4);
	rig_send(10);
	rig_wait(S(2));
	rig_check(rig_take(&s) && s.seq == 1021 && s.len >= 1 && s.len <= 4);
	rig_forget();
	rig_end();
}

/* The window closes over three segments in flight. */
static void window_closed_in_flight(void)
{
	rig_established();
	rig_send(3000);
	for (tcp_seq i = 0; i < 3; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	rx_wnd(1001, 0);
}

/* RFC 9293, 3.8.6 (MUST-35, MAY-7): it is asked again and again, with text that
 * lies beyond it now, and the text goes on when it opens. */
static void window_shrinks_to_zero(void)
{
	struct tcp_seg s;

	window_closed_in_flight();
	for (unsigned int i = 0; i < 5; i++) {
		rig_wait(S(60));
		rig_check(rig_take(&s) && s.seq == 1001 && s.len >= 1);
		rig_forget();
		rx_wnd(1001, 0);
		rig_expect_silence();
	}
	rx_wnd(2001, 65535);
	rig_wait(S(60));
	rig_check(rig_take(&s) && s.seq == 2001);
	rig_forget();
	rx_wnd(4001, 65535);
	rig_expect_silence_for(S(120));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 9293, 3.8.6 (SHLD-17): text beyond the edge is no reason to give up a
 * peer that answers. */
static void window_shrunk_for_hours(void)
{
	struct tcp_seg s;

	rig.conf.retries = 3;
	window_closed_in_flight();
	for (unsigned int i = 0; i < 2 * 3600 && !rig.failed; i += 5) {
		rig_wait(S(5));
		while (rig_take(&s))
			rx_wnd(1001, 0);
	}
	rig_check(rig_state() == TCP_ESTABLISHED);
	rx_wnd(4001, 65535);
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.8.6 (SHLD-16): old text inside what is left of the window is
 * sent again. */
static void window_shrinks_then_loss(void)
{
	rig_established();
	rig_send(5000);
	for (tcp_seq i = 0; i < 5; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	rx_wnd(1001, 2000);
	rig_expect_after(S(1), TEXT(1001, 1000));
	rx_wnd(2001, 1000);
	rig_expect(TEXT(2001, 1000));
	rig_forget();
	rx_wnd(6001, 65535);
	rig_expect_silence_for(S(10));
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(small_writes_are_joined),  UNIT_TEST(small_writes_leave),
	UNIT_TEST(window_shrinks_to_zero),   UNIT_TEST(window_shrunk_for_hours),
	UNIT_TEST(window_shrinks_then_loss),
};

int main(int argc, char **argv)
{
	return rig_main("rfc_send", tests, ARRAY_LEN(tests), argc, argv);
}
