/*
 * test_tcp_timestamps.c - RFC 7323: which one is echoed, which one is too old
 */
#include "rig.h"

static void rx_text(tcp_seq seq, uint32_t len, uint32_t ts)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001, .len = len,
		   TS(ts)));
}

#define ECHO(a, t) SEG(.flags = TH_ACK, .seq = 1001, .ack = (a), TS(t))

/* MSS 1000 and timestamps; the peer's clock shows 100. */
static void established(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(100)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), TS(100)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(101)));
	rig_expect_silence();
}

/* RFC 7323, 4.3 (A): of the earliest segment that a delayed ACK covers. */
static void echo_with_delayed_ack(void)
{
	established();
	rx_text(5001, 100, 110);
	rx_text(5101, 100, 120);
	rig_wait(MS(41));
	rig_expect(ECHO(5201, 110));
	rx_text(5201, 100, 130);
	rig_wait(MS(41));
	rig_expect(ECHO(5301, 130));
	rig_end();
}

/* (B): of the last segment in order while there is a hole; (C): of the one
 * that fills it. */
static void echo_with_hole(void)
{
	established();
	rx_text(5001, 100, 110);
	rig_wait(MS(41));
	rig_expect(ECHO(5101, 110));
	rx_text(5201, 100, 120);
	rig_expect(ECHO(5101, 110));
	rx_text(5301, 100, 130);
	rig_expect(ECHO(5101, 110));
	rx_text(5101, 100, 140);
	rig_expect(ECHO(5401, 140));
	rig_end();
}

/* What we send carries the newest one, too. */
static void echo_with_text(void)
{
	established();
	rig_send(100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 100,
		       TS(101)));
	rig_end();
}

/* RFC 7323, 5.3: text with an older timestamp is an old duplicate: answered,
 * not taken. */
static void paws_drops_text(void)
{
	established();
	rx_text(5001, 100, 110);
	rig_wait(MS(41));
	rig_expect(ECHO(5101, 110));
	rx_text(5101, 100, 109);
	rig_expect(ECHO(5101, 110));
	rx_text(5101, 100, 110 - 0x70000000u);
	rig_expect(ECHO(5101, 110));
	rig_check(rig_only()->received == 100);
	rig_check(rig_dropped(DROP_PAWS) == 2);
	rx_text(5101, 100, 110); /* the same is not older */
	rig_check(rig_only()->received == 200);
	rig_wait(MS(41));
	rig_forget();
	rig_end();
}

/* As above, with a round trip of 100 ms; 5001 to 5100 arrived in each of two,
 * the clock shows 400, and what begins at 5301 waits behind a hole. */
static void hole(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(100)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), TS(100)));
	rig_wait(MS(100));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(200)));
	for (unsigned int i = 0; i < 2; i++) {
		rx_text(5001 + 50 * i, 50, 300 + 100 * i);
		rig_wait(MS(100));
		rig_forget();
	}
	rx_text(5301, 100, 403);
	rig_expect(ECHO(5101, 400));
}

/* RFC 7323, 5.3, its last example: what left before the repair of a hole, but
 * arrives behind it, is no old duplicate. */
static void paws_spares_overtaken_text(void)
{
	hole();
	rx_text(5101, 100, 450);
	rig_expect(ECHO(5201, 450));
	rx_text(5201, 100, 402);
	rig_expect(ECHO(5401, 450)); /* its clock is not taken */
	rig_check(rig_only()->received == 400);
	rig_check(rig_dropped(DROP_PAWS) == 0);
	rig_end();
}

/* RFC 7323, 5.3 (R1), to the letter. */
static void paws_spares_nothing_if_strict(void)
{
	rig.conf.timestamps_strict = true;
	hole();
	rx_text(5101, 100, 450);
	rig_expect(ECHO(5201, 450));
	rx_text(5201, 100, 402);
	rig_expect(ECHO(5201, 450));
	rig_check(rig_only()->received == 200);
	rig_check(rig_dropped(DROP_PAWS) == 1);
	rig_end();
}

/* It left some round trips ago at most. */
static void paws_drops_older_text_in_a_hole(void)
{
	hole();
	rx_text(5101, 100, 450);
	rig_expect(ECHO(5201, 450));
	rx_text(5201, 100, 299);
	rig_expect(ECHO(5201, 450));
	rig_check(rig_only()->received == 200);
	rig_check(rig_dropped(DROP_PAWS) == 1);
	rig_end();
}

/* Behind the last text that waits, nothing says how old it is. */
static void paws_drops_older_text_at_the_end(void)
{
	hole();
	rx_text(5101, 100, 450);
	rig_expect(ECHO(5201, 450));
	rx_text(5401, 100, 402);
	rig_expect(ECHO(5201, 450));
	rig_check(rig_dropped(DROP_PAWS) == 1);
	rig_end();
}

/* Nor is its ACK. */
static void paws_drops_ack(void)
{
	struct conn_info info;

	established();
	rig_send(100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 100));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1101, TS(50)));
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.in_flight == 100);
	rig_end();
}

/* RFC 5961, 5.2: a segment whose ACK is a guess is dropped, and its clock with
 * it, or all that comes from the real peer would look old. */
static void guess_does_not_set_clock(void)
{
	established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 4991, .ack = 900000, .len = 20,
		   TS(0x70000000u)));
	rig_expect(ECHO(5001, 101));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001 - 900000,
		   TS(0x70000000u)));
	rig_expect(ECHO(5001, 101));
	rx_text(5001, 100, 110);
	rig_check(rig_only()->received == 100);
	rig_wait(MS(41));
	rig_expect(ECHO(5101, 110));
	rig_end();
}

/* Two ends that find each other's ACKs old must not answer for ever, each the
 * other: four a second. Text is answered always. */
static void old_acks_do_not_storm(void)
{
	established();
	rx_text(5001, 100, 110);
	rig_wait(MS(41));
	rig_expect(ECHO(5101, 110));
	for (unsigned int i = 0; i < 40; i++)
		rig_rx(SEG(.flags = TH_ACK, .seq = 5101, .ack = 1001, TS(50)));
	for (unsigned int i = 0; i < 4; i++)
		rig_expect(ECHO(5101, 110));
	rig_expect_silence();
	rx_text(5101, 10, 50);
	rig_expect(ECHO(5101, 110));
	rig_wait(MS(251));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5101, .ack = 1001, TS(50)));
	rig_expect(ECHO(5101, 110));
	rig_end();
}

/* RFC 7323, 5.3: a RST is not subject to it, and carries none (5.2). */
static void paws_spares_rst(void)
{
	established();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, TS(50)));
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_end();
}

/* The clock wraps: a small number is newer than a huge one. */
static void paws_wraps(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(0xfffffff0u)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), TS(0xfffffff0u)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, TS(0xfffffff8u)));
	rx_text(5001, 100, 5);
	rig_wait(MS(41));
	rig_expect(ECHO(5101, 5));
	rig_check(rig_only()->received == 100);
	rig_end();
}

/* RFC 7323, 5.5: after 24 days of silence nothing can be told from it. */
static void paws_forgets(void)
{
	established();
	rx_text(5001, 100, 110);
	rig_wait(S(25 * 86400));
	rig_forget();
	rx_text(5101, 100, 20);
	rig_check(rig_only()->received == 200);
	rig_wait(MS(41));
	rig_expect(ECHO(5201, 20));
	rx_text(5201, 100, 21);
	rig_check(rig_only()->received == 300);
	rig_wait(MS(41));
	rig_forget();
	rig_end();
}

/* T6: peers that leave the option out sometimes. We take the segment, against
 * RFC 7323, 3.2 (SHOULD drop): a hang is worse. */
static void missing_taken(void)
{
	established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100,
		   .no_ts = true));
	rig_check(rig_only()->received == 100);
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5101));
	rig_end();
}

static void missing_dropped_if_strict(void)
{
	rig.conf.timestamps_strict = true;
	established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100,
		   .no_ts = true));
	rig_wait(MS(41));
	rig_forget();
	rig_check(rig_only()->received == 0);
	rig_check(rig_dropped(DROP_TS_MISSING) == 1);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .no_ts = true));
	rig_check(rig_state() == TCP_CLOSED);
	rig_end();
}

/* The last ACK of the handshake without it (gVisor hangs there). */
static void missing_in_handshake(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(100)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), TS(100)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .no_ts = true));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 7323, 5.4: our clock ticks once in 1 ms to 1 s and never back. */
static void clock_rate(void)
{
	uint32_t first, ticks;

	established();
	rig_send(10);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 10));
	first = rig_only()->ts_val;
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1011, TS(102)));
	rig_wait(S(10));
	rig_send(10);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1011, .ack = 5001, .len = 10));
	ticks = rig_only()->ts_val - first;
	rig_check(ticks >= 10 && ticks <= 10000);
	rig_end();
}

/* RFC 7323, 4: with timestamps, text sent twice measures the RTT as well. */
static void rtt_of_retransmission(void)
{
	struct conn_info info;

	established();
	rig_send(100);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 100));
	rig_wait(S(1) + MS(1));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 100));
	rig_wait(MS(200));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1101, TS(102)));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.srtt_us >= 10000 && info.srtt_us <= 250000);
	rig_end();
}

/* But not an echo from the future, nor of long ago: it is none of ours. */
static void rtt_of_no_echo(void)
{
	static const uint32_t ago_ms[] = {(uint32_t)-20000, 700000};
	struct conn_info before, after;
	tcp_seq seq = 1001;

	established();
	rig_check(rig_info(RIG_PEER_PORT, &before));
	for (size_t i = 0; i < ARRAY_LEN(ago_ms); i++) {
		rig_send(100);
		rig_expect(SEG(.flags = TH_ACK, .seq = seq, .ack = 5001,
			       .len = 100));
		rig_wait(S(9));
		rig_forget(); /* again, and again */
		seq += 100;
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = seq,
			   .echo_ago_ms = ago_ms[i]));
		rig_check(rig_info(RIG_PEER_PORT, &after));
		rig_check(after.srtt_us == before.srtt_us);
	}
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(echo_with_delayed_ack),
	UNIT_TEST(echo_with_hole),
	UNIT_TEST(echo_with_text),
	UNIT_TEST(paws_drops_text),
	UNIT_TEST(guess_does_not_set_clock),
	UNIT_TEST(old_acks_do_not_storm),
	UNIT_TEST(paws_spares_overtaken_text),
	UNIT_TEST(paws_spares_nothing_if_strict),
	UNIT_TEST(paws_drops_older_text_in_a_hole),
	UNIT_TEST(paws_drops_older_text_at_the_end),
	UNIT_TEST(paws_drops_ack),
	UNIT_TEST(paws_spares_rst),
	UNIT_TEST(paws_wraps),
	UNIT_TEST(paws_forgets),
	UNIT_TEST(missing_taken),
	UNIT_TEST(missing_dropped_if_strict),
	UNIT_TEST(missing_in_handshake),
	UNIT_TEST(clock_rate),
	UNIT_TEST(rtt_of_retransmission),
	UNIT_TEST(rtt_of_no_echo),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_timestamps", tests, ARRAY_LEN(tests), argc, argv);
}
