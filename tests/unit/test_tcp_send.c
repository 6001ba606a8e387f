/*
 * test_tcp_send.c - Cutting text into segments
 */
#include <errno.h>

#include "rig.h"

#define TEXT(at, n) SEG(.flags = TH_ACK, .seq = (at), .ack = 5001, .len = (n))
#define PUSHED(at, n) \
	SEG(.flags = TH_ACK | TH_PSH, .seq = (at), .ack = 5001, .len = (n))

static void rx_ack(tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
}

/* RFC 9293, 3.9.1.2 (MUST-61): PSH on the last segment of what is queued. */
static void send_pushed(void)
{
	rig_established();
	rig_send(100);
	rig_expect(PUSHED(1001, 100));
	rx_ack(1101);
	rig_send(3000);
	rig_expect(TEXT(1101, 1000));
	rig_expect(TEXT(2101, 1000));
	rig_expect(PUSHED(3101, 1000));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.7.1 (MUST-16): the peer's MSS, less the options in use. */
static void send_mss_of_peer_with_timestamps(void)
{
	rig_established_all();
	rig_send(2000);
	rig_expect(TEXT(1001, 988));
	rig_expect(TEXT(1989, 988));
	rx_ack(2977);
	rig_expect(TEXT(2977, 24));
	rig_end();
}

/* (MUST-16): SACK blocks count while there is something to tell. */
static void send_mss_beside_sack(void)
{
	rig_established_all();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5101, .ack = 1001, .len = 100));
	rig_forget();
	rig_send(2000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 976,
		       SACK(5101, 5201)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1977, .ack = 5001, .len = 976,
		       SACK(5101, 5201)));
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 3001, .len = 100));
	rig_forget();
	rig_send(988);
	rig_expect(SEG(.flags = TH_ACK, .seq = 3001, .ack = 5201, .len = 988));
	rig_end();
}

/* The path's size bounds it as well. */
static void send_mss_of_path(void)
{
	uint16_t mss;

	rig.conf.mtu = 1280;
	mss = rig_mss();
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(9000)));
	rig_send(mss * 2u);
	rig_expect(TEXT(1001, mss));
	rig_expect(TEXT(1001 + mss, mss));
	rig_end();
}

/* A peer with an MSS of 88 gets segments of 88; one of 0 does not get none. */
static void send_tiny_mss(void)
{
	struct tcp_seg s;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(88)));
	rig_send(200);
	rig_expect(TEXT(1001, 88));
	rig_expect(TEXT(1089, 88));
	rig_forget();
	rig_end();
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(0)));
	rig_send(200);
	rig_check(rig_take(&s) && s.len > 0);
	rig_forget();
	rig_end();
}

/* RFC 9293, 3.7.4 (SHLD-7): a small segment waits while anything is
 * unacknowledged, and collects what follows. */
static void send_nagle(void)
{
	rig_established();
	rig_send(10);
	rig_expect(TEXT(1001, 10));
	rig_send(10);
	rig_send(10);
	rig_expect_silence_for(MS(500));
	rx_ack(1011);
	rig_expect(TEXT(1011, 20));
	rig_expect_silence();
	rig_end();
}

/* Full segments never wait. */
static void send_nagle_full_segments(void)
{
	rig_established();
	rig_send(10);
	rig_expect(TEXT(1001, 10));
	rig_send(1995);
	rig_expect(TEXT(1011, 1000));
	rig_expect_silence_for(MS(500));
	rig_send(5);
	rig_expect(TEXT(2011, 1000));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.7.4 (MUST-17): and off, every send leaves. */
static void send_nodelay(void)
{
	rig.listener.nodelay = true;
	rig_established();
	rig_send(10);
	rig_expect(TEXT(1001, 10));
	rig_send(10);
	rig_expect(TEXT(1011, 10));
	rig_send(1010);
	rig_expect(TEXT(1021, 1000));
	rig_expect(TEXT(2021, 10));
	rig_end();
}

/* The FIN takes the last small segment along. */
static void send_nagle_then_close(void)
{
	rig_established();
	rig_send(10);
	rig_expect(TEXT(1001, 10));
	rig_send(10);
	rig_expect_silence();
	rig_close();
	rig_expect(SEG(.flags = TH_ACK | TH_FIN, .seq = 1011, .ack = 5001,
		       .len = 10));
	rig_expect_silence();
	rig_end();
}

/* RFC 6928: ten segments, at most 14600 bytes, before the first ACK. */
static void send_initial_window(void)
{
	rig_established();
	rig_send(30000);
	for (tcp_seq i = 0; i < 10; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	rig_expect_silence();
	/* Slow start (RFC 5681, 3.1): one segment more for each one acked. */
	rx_ack(2001);
	rig_expect(TEXT(11001, 1000));
	rig_expect(TEXT(12001, 1000));
	rig_expect_silence();
	rx_ack(4001);
	for (tcp_seq i = 0; i < 3; i++)
		rig_expect(TEXT(13001 + i * 1000, 1000));
	rig_forget(); /* RFC 5681 lets one ACK of two count for two or one */
	rig_end();
}

static void send_initial_window_large_mss(void)
{
	uint32_t sum = 0;
	struct tcp_seg s;

	rig.conf.mtu = 9000;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(8000)));
	rig_send(60000);
	while (rig_take(&s))
		sum += s.len;
	rig_check(sum == 16000); /* 2 x MSS is more than 14600 */
	rig_end();
}

/* What is in flight never exceeds the peer's window. */
static void send_within_window(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(2500)));
	rig_send(30000);
	rig_expect(TEXT(1001, 1000));
	rig_expect(TEXT(2001, 1000));
	rig_expect_silence(); /* 500 more would be a silly segment */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 2001, WND(2500)));
	rig_expect(TEXT(3001, 1000));
	rig_expect_silence();
	rig_end();
}

/* RFC 7323, 2.3: later windows are scaled by the peer's shift. */
static void send_scaled_window(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(4),
		   WND(3000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), SCALE(7)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(250)));
	rig_send(30000);
	for (tcp_seq i = 0; i < 4; i++)
		rig_expect(TEXT(1001 + i * 1000, 1000));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.10.7.4: an older segment does not bring its window back. */
static void send_window_of_newest_segment(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(2000)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5011, .ack = 1001, .len = 10,
		   WND(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10,
		   WND(5000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5021));
	rig_send(3000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5021, .len = 1000));
	rig_expect_silence();
	rig_end();
}

/* The other way round: a segment sent again has an old number and may bring the
 * newest ACK, with a smaller window. Whether that window is taken or not, the
 * one from before must not be counted from the new ACK. */
static void send_window_of_retransmission(void)
{
	uint32_t sum = 0;
	struct tcp_seg s;

	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5101, .ack = 1001, .len = 100,
		   WND(3000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_send(9000);
	rig_expect(TEXT(1001, 1000));
	rig_expect(TEXT(2001, 1000));
	rig_expect(TEXT(3001, 1000));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 4001, .len = 100,
		   WND(1000)));
	while (rig_take(&s))
		sum += s.len;
	rig_check(sum <= 1000);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5201, .ack = 4001, WND(1000)));
	while (rig_take(&s))
		sum += s.len;
	rig_check(sum == 1000);
	rig_end();
}

/* The queue has a limit, and says when there is room again. */
static void send_queue_full(void)
{
	ssize_t took;

	rig.conf.sndbuf = 20000;
	rig_established();
	took = rig_send(50000);
	rig_check(took > 0 && took <= 20000);
	rig_check(rig_send(10) == 0);
	rig_check(rig_only()->writable == 0);
	rig_forget();
	rx_ack(11001);
	rig_forget();
	rig_check(rig_only()->writable == 1);
	rig_check(rig_send(1000) == 1000);
	rig_forget();
	rig_end();
}

/* One packet for the device to cut, no larger than it takes. */
static void send_super_segment(void)
{
	struct tcp_seg s;

	rig.conf.csum_offload = true;
	rig.conf.gso_max = 8192;
	rig_established();
	rig_send(10000);
	rig_check(rig_take(&s) && s.seq == 1001);
	rig_check(s.gso_size == 1000);
	rig_check(s.len >= 7000 && s.len <= 8192);
	rig_check(s.len % 1000 == 0);
	rig_expect(TEXT(1001 + s.len, 10000 - s.len));
	rig_expect_silence();
	rig_end();
}

/* A segment that fits is none. */
static void send_no_super_segment(void)
{
	struct tcp_seg s;

	rig.conf.csum_offload = true;
	rig.conf.gso_max = 65535;
	rig_established();
	rig_send(1000);
	rig_check(rig_take(&s) && s.len == 1000 && s.gso_size == 0);
	rig_end();
}

/* RFC 9293, 3.10.2: SEND after CLOSE is an error. */
static void send_after_close(void)
{
	rig_established();
	rig_close();
	rig_expect(SEG(.flags = TH_ACK | TH_FIN, .seq = 1001, .ack = 5001));
	rig_check(rig_send(10) == -EPIPE);
	rig_expect_silence();
	rig_end();
}

/* A congestion window that was not used for a while is not trusted
 * (RFC 5681, 4.1). */
static void send_after_idle(void)
{
	tcp_seq at = 1001;
	struct tcp_seg s;
	uint32_t sum = 0;

	rig_established();
	for (unsigned int i = 0; i < 4; i++) {
		tcp_seq end = at;

		rig_send(40000);
		while (rig_take(&s))
			end = s.seq + s.len;
		while (seq_lt(at, 1001 + rig_only()->sent)) {
			rx_ack(end);
			at = end;
			while (rig_take(&s))
				end = s.seq + s.len;
		}
	}
	rig_wait(S(10));
	rig_send(60000);
	while (rig_take(&s))
		sum += s.len;
	rig_check(sum == 10000);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(send_pushed),
	UNIT_TEST(send_mss_of_peer_with_timestamps),
	UNIT_TEST(send_mss_beside_sack),
	UNIT_TEST(send_mss_of_path),
	UNIT_TEST(send_tiny_mss),
	UNIT_TEST(send_nagle),
	UNIT_TEST(send_nagle_full_segments),
	UNIT_TEST(send_nodelay),
	UNIT_TEST(send_nagle_then_close),
	UNIT_TEST(send_initial_window),
	UNIT_TEST(send_initial_window_large_mss),
	UNIT_TEST(send_within_window),
	UNIT_TEST(send_scaled_window),
	UNIT_TEST(send_window_of_newest_segment),
	UNIT_TEST(send_window_of_retransmission),
	UNIT_TEST(send_queue_full),
	UNIT_TEST(send_super_segment),
	UNIT_TEST(send_no_super_segment),
	UNIT_TEST(send_after_close),
	UNIT_TEST(send_after_idle),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_send", tests, ARRAY_LEN(tests), argc, argv);
}
