/*
 * test_tcp_input.c - Which segments a connection believes
 */
#include "rig.h"

#define CHALLENGE SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001)

/* RFC 9293, 3.5.3: a RST exactly at RCV.NXT resets. */
static void rcv_rst_established_exact(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_RESET_BY_PEER);
	rig_check(rig_stats().resets_in == 1);
	rig_end();
}

/* RFC 9293, 3.5.3 (SHLD-2): text in a RST does not matter. */
static void rcv_rst_established_with_text(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_RST | TH_ACK, .seq = 5001, .ack = 1001,
		   .len = 20));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->received == 0);
	rig_end();
}

/* RFC 5961, 3.2: a RST inside the window but off its edge is challenged. */
static void rcv_rst_established_inside_window(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 10));
	rig_expect(CHALLENGE);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 65534));
	rig_expect(CHALLENGE);
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_stats().challenge_acks == 2);
	rig_check(rig_dropped(DROP_RST_INEXACT) == 2);
	rig_end();
}

/* RFC 9293, 3.10.7.4, second: outside the window it is dropped in silence. */
static void rcv_rst_established_outside_window(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_RST, .seq = 5000));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 65535));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001 + 0x80000000u));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 9293, 3.4 (MUST-66): a RST counts while the window is closed. */
static void rcv_rst_zero_window(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 4096));
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0)));
	rig_rx(SEG(.flags = TH_RST, .seq = 9097));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_RESET_BY_PEER);
	rig_end();
}

/* RFC 9293, 3.10.7.4, first: ACKs count while the window is closed. */
static void rcv_ack_zero_window(void)
{
	struct conn_info info;

	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 4096));
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0)));
	rig_send(100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, .len = 100));
	rig_rx(SEG(.flags = TH_ACK, .seq = 9097, .ack = 1101));
	rig_check(rig_info(RIG_PEER_PORT, &info) && info.snd_una);
	rig_check(info.in_flight == 0);
	/* The ACK of a segment whose text does not fit counts as well. */
	rig_send(100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1101, .ack = 9097, .len = 100));
	rig_rx(SEG(.flags = TH_ACK, .seq = 9097, .ack = 1201, .len = 1));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1201, .ack = 9097, WND(0)));
	rig_expect_silence_for(S(2));
	rig_end();
}

/* RFC 5961, 4.2: a SYN is challenged wherever its number lies. */
static void rcv_syn_established(void)
{
	static const tcp_seq at[] = {5000, 5001, 5010, 4000, 900000};

	rig_established();
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		rig_rx(SEG(.flags = TH_SYN, .seq = at[i], MSS(1000)));
		rig_expect(CHALLENGE);
		rig_expect_silence_for(MS(250));
	}
	rig_check(rig_state() == TCP_ESTABLISHED);
	/* Those outside the window fail the check before already. */
	rig_check(rig_dropped(DROP_SYN_CHALLENGED) + rig_dropped(DROP_SEQ) +
			  rig_dropped(DROP_DUPLICATE) ==
		  ARRAY_LEN(at));
	rig_end();
}

/* A peer that lost its memory answers the challenge with a RST that counts,
 * and its next SYN opens. */
static void rcv_syn_established_after_crash(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_SYN, .seq = 90000, MSS(1000)));
	rig_expect(CHALLENGE);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_check(rig_state() == TCP_CLOSED);
	rig_rx(SEG(.flags = TH_SYN, .seq = 90000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 90001,
		       MSS(rig_mss())));
	rig_end();
}

/* RFC 5961, 7: so many a second from all together, and no more. How many of the
 * last ones there are is left to chance, since who counts those of connections
 * of his own could tell whether others got any (Cao et al., "Off-path TCP
 * exploits: global rate limit considered dangerous", 2016). */
static void challenge_acks_limited(void)
{
	bool refused = false, again = false;
	uint64_t n = 0;

	rig.conf.challenge_ack_rate = 10;
	for (uint16_t i = 0; i < 100; i++) {
		rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
				  .peer_port = RIG_PEER_PORT + i));
	}
	for (uint16_t i = 0; i < 100; i++) {
		rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			   .peer_port = RIG_PEER_PORT + i));
		if (rig_stats().challenge_acks == n)
			refused = true;
		else
			again |= refused;
		n = rig_stats().challenge_acks;
	}
	rig_forget();
	rig_check(n >= 5 && n <= 10);
	rig_check(again);
	rig_check(rig_dropped(DROP_CHALLENGE_RATE) == 100 - n);
	rig_wait(S(1));
	rig_rx(SEG(.flags = TH_RST, .seq = 5010));
	rig_expect(CHALLENGE);
	rig_end();
}

/* Of one connection it is four a second, whatever asks for them, so no peer
 * takes those of all others. */
static void challenge_acks_of_one_limited(void)
{
	unsigned int n = 0;
	struct tcp_seg s;

	rig_established();
	for (unsigned int i = 0; i < 1000; i++) {
		rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
		rig_rx(SEG(.flags = TH_RST, .seq = 5010));
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1002));
		rig_rx(SEG(.flags = TH_ACK, .seq = 4000, .ack = 1001));
		rig_wait(MS(10));
	}
	while (rig_take(&s))
		n++;
	rig_check(n >= 40 && n <= 44);
	rig_end();
}

/* Probes of an idle connection take nothing from the challenges. */
static void probes_not_challenges(void)
{
	rig.conf.challenge_ack_rate = 0;
	rig_established();
	for (unsigned int i = 0; i < 10; i++) {
		rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 1001));
		rig_expect(CHALLENGE);
		rig_expect_silence_for(MS(250));
	}
	/* With a byte of text, as some send them, there is a timer behind. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 1001, .len = 1));
	rig_expect(CHALLENGE);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5000, .ack = 1001, .len = 1));
	rig_expect(CHALLENGE);
	rig_end();
}

/* The same for resets to nobody. */
static void resets_limited(void)
{
	unsigned int n = 0;
	struct tcp_seg s;

	rig.conf.rst_rate = 10;
	for (unsigned int i = 0; i < 100; i++)
		rig_rx(SEG(.flags = TH_SYN, .seq = i, .port = 9));
	while (rig_take(&s))
		n++;
	rig_check(n >= 5 && n <= 11);
	rig_check(rig_dropped(DROP_RST_RATE) == 100 - n);
	rig_end();
}

/* RFC 9293, 3.10.7.4, fifth: what was not sent cannot be acknowledged; the
 * segment is answered and its text not taken. */
static void rcv_ack_future(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1002, .len = 10));
	rig_expect(CHALLENGE);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001 + 0x7fffffffu,
		   .len = 10));
	rig_expect(CHALLENGE);
	rig_expect_silence();
	rig_check(rig_only()->received == 0);
	rig_check(rig_dropped(DROP_ACK_FUTURE) == 2);
	rig_end();
}

/* RFC 5961, 5.2; RFC 9293, 3.10.7.4 (MAY-12): not even text with an ACK older than the largest window the
 * peer ever gave. */
static void rcv_ack_too_old(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001 - 65536,
		   .len = 10));
	rig_expect(CHALLENGE);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001 - 0x7ffffff0u,
		   .len = 10));
	rig_expect(CHALLENGE);
	rig_expect_silence();
	rig_check(rig_only()->received == 0);
	rig_check(rig_dropped(DROP_ACK_OLD) == 2);
	rig_end();
}

/* Only a little old: the text is good. */
static void rcv_ack_old_within_window(void)
{
	rig_established();
	rig_send(1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1000));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 2001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_check(rig_only()->received == 10);
	rig_expect_after(MS(40),
			 SEG(.flags = TH_ACK, .seq = 2001, .ack = 5011));
	rig_end();
}

/* P1: text without the ACK flag is never delivered, nor is its FIN. */
static void rcv_text_without_ack(void)
{
	rig_established();
	rig_rx(SEG(.flags = 0, .seq = 5001, .len = 10));
	rig_rx(SEG(.flags = TH_FIN, .seq = 5001, .len = 10));
	rig_rx(SEG(.flags = TH_PSH | TH_URG, .seq = 5001, .len = 10));
	rig_expect_silence_for(MS(100));
	rig_check(rig_only()->received == 0);
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_dropped(DROP_ACK_MISSING) == 3);
	rig_end();
}

/* RFC 9293, 3.10.7.4, first: an unacceptable segment is answered. */
static void rcv_text_outside_window(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001 + 65535, .ack = 1001,
		   .len = 10));
	rig_expect(CHALLENGE);
	rig_rx(SEG(.flags = TH_ACK, .seq = 4000, .ack = 1001, .len = 10));
	rig_expect(CHALLENGE);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001 + 0x80000000u, .ack = 1001,
		   .len = 10));
	rig_expect(CHALLENGE);
	rig_expect_silence();
	rig_check(rig_only()->received == 0);
	rig_end();
}

/* Received before: answered at once, so that a lost ACK is made good. */
static void rcv_text_again(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_expect_after(MS(40),
			 SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101));
	rig_expect_silence();
	rig_check(rig_only()->received == 100);
	rig_end();
}

/* The part that is new is taken from a segment that is partly old. */
static void rcv_text_partly_again(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_wait(MS(41));
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5051, .ack = 1001, .len = 100));
	rig_check(rig_only()->received == 150);
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5151));
	rig_end();
}

/* The part inside the window is taken from a segment that reaches beyond. */
static void rcv_text_beyond_window(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001,
		   .len = 5000));
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0)));
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED); /* the FIN was cut off */
	rig_forget();
	rig_read_on();
	rig_check(rig_only()->received == 4096);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(4096)));
	rig_end();
}

/* A damaged segment leaves no trace. */
static void rcv_text_bad_checksum(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100,
		   .bad_csum = true));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .bad_csum = true));
	rig_expect_silence_for(MS(100));
	rig_check(rig_only()->received == 0);
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(rig_dropped(DROP_TCP_CHECKSUM) == 2);
	rig_end();
}

/* A super-segment is as good as its parts. */
static void rcv_super_segment(void)
{
	rig_established();
	rig_rx_super(SEG(.flags = TH_ACK | TH_PSH, .seq = 5001, .ack = 1001,
			 .len = 20000),
		     1000);
	rig_check(rig_only()->received == 20000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 25001));
	rig_expect_silence_for(MS(100));
	rig_end();
}

static void rcv_super_segment_with_fin(void)
{
	rig_established();
	rig_rx_super(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001,
			 .len = 2500),
		     1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 7502));
	rig_check(rig_only()->received == 2500);
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(rcv_rst_established_exact),
	UNIT_TEST(rcv_rst_established_with_text),
	UNIT_TEST(rcv_rst_established_inside_window),
	UNIT_TEST(rcv_rst_established_outside_window),
	UNIT_TEST(rcv_rst_zero_window),
	UNIT_TEST(rcv_ack_zero_window),
	UNIT_TEST(rcv_syn_established),
	UNIT_TEST(rcv_syn_established_after_crash),
	UNIT_TEST(challenge_acks_limited),
	UNIT_TEST(challenge_acks_of_one_limited),
	UNIT_TEST(probes_not_challenges),
	UNIT_TEST(resets_limited),
	UNIT_TEST(rcv_ack_future),
	UNIT_TEST(rcv_ack_too_old),
	UNIT_TEST(rcv_ack_old_within_window),
	UNIT_TEST(rcv_text_without_ack),
	UNIT_TEST(rcv_text_outside_window),
	UNIT_TEST(rcv_text_again),
	UNIT_TEST(rcv_text_partly_again),
	UNIT_TEST(rcv_text_beyond_window),
	UNIT_TEST(rcv_text_bad_checksum),
	UNIT_TEST(rcv_super_segment),
	UNIT_TEST(rcv_super_segment_with_fin),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_input", tests, ARRAY_LEN(tests), argc, argv);
}
