/*
 * test_tcp_idle.c - What cwnd is worth when it is not made use of
 *
 * Restart after silence (RFC 5681, 4.1) and window validation (RFC 7661). The
 * peer is 100 ms away and its window is large.
 */
#include "rig.h"

#define RTT_US MS(100)
#define IW     10000

static tcp_seq at;

static struct conn_info look(void)
{
	struct conn_info info = {0};

	rig_check(rig_info(RIG_PEER_PORT, &info));
	return info;
}

static void rx_ack(tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
}

/* A round trip with @len bytes, all of them acknowledged at its end. */
static void round_trip(uint32_t len)
{
	struct tcp_seg s;

	rig_send(len);
	rig_wait(RTT_US);
	while (rig_take(&s))
		;
	at += len;
	rx_ack(at);
}

/* cwnd is 40000 or more; @flags, beside SYN, are the peer's. */
static void grown_by(uint8_t flags)
{
	struct tcp_seg s;

	rig_rx(SEG(.flags = TH_SYN | flags, .seq = 5000, MSS(1000), SACK_OK,
		   SCALE(7)));
	rig_check(rig_take(&s));
	rig_wait(RTT_US);
	at = 1001;
	rx_ack(at);
	round_trip(10000);
	round_trip(20000);
	rig_check(look().cwnd >= 40000);
}

static void grown(void)
{
	grown_by(0);
}

/* Sent at once; what is not acknowledged yet. */
static uint32_t burst(void)
{
	struct tcp_seg s;
	uint32_t n = 0;

	rig_send(50000);
	while (rig_take(&s))
		n += s.len;
	at += 50000;
	return n;
}

/* RFC 5681, 4.1: a silence shorter than the RTO costs nothing, whether or not
 * its record was kept meanwhile. */
static void short_silence(void)
{
	uint32_t cwnd;

	grown();
	cwnd = look().cwnd;
	rig_wait(MS(300));
	rig_check(look().cwnd == cwnd);
	rig_check(burst() >= 40000);
	rig_wait(RTT_US);
	rx_ack(at - 50000 + 40000);
	rig_forget();
	rx_ack(at);
	rig_wait(MS(950));
	rig_check(look().cwnd >= cwnd);
	rig_end();
}

/* A longer one does, and slow start leads back to three quarters. */
static void long_silence(void)
{
	uint32_t cwnd;

	grown();
	round_trip(30000);
	cwnd = look().cwnd;
	rig_wait(MS(1100));
	rig_check(look().cwnd == IW);
	rig_check(look().ssthresh == UINT32_MAX);
	rig_check(burst() == IW);
	rig_check(cwnd > IW);
	rig_forget();
	rig_end();
}

/* ... though text kept coming from the peer, so that its record was in use. */
static void long_silence_while_reading(void)
{
	grown();
	for (tcp_seq i = 0; i < 12; i++) {
		rig_wait(MS(100));
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001 + i * 100, .ack = at,
			   .len = 100));
	}
	rig_forget();
	rig_check(burst() == IW);
	rig_forget();
	rig_end();
}

/* ssthresh after a loss: what the path took lately is remembered. */
static void silence_after_a_loss(void)
{
	uint32_t cwnd;

	grown();
	rig_send(40000);
	rig_wait(RTT_US);
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at,
		   SACK(at + 1000, at + 40000)));
	rig_forget();
	at += 40000;
	rx_ack(at);
	round_trip(20000);
	cwnd = look().cwnd;
	rig_check(look().ssthresh <= cwnd);
	rig_wait(MS(1100));
	rig_check(look().cwnd == IW);
	rig_check(look().ssthresh >= cwnd - cwnd / 4);
	rig_end();
}

/* RFC 7661, 4.4.3: after five minutes with less than half of it in use it is
 * halved, and not below IW. */
static void unused_for_five_minutes(void)
{
	uint32_t cwnd;

	grown();
	cwnd = look().cwnd;
	for (int i = 0; i < 2990; i++)
		round_trip(1000);
	rig_check(look().cwnd == cwnd);
	for (int i = 0; i < 40; i++)
		round_trip(1000);
	rig_check(look().cwnd == cwnd / 2);
	for (int i = 0; i < 3000; i++)
		round_trip(1000);
	rig_check(look().cwnd == IW);
	for (int i = 0; i < 3000; i++)
		round_trip(1000);
	rig_check(look().cwnd == IW);
	rig_end();
}

/* RFC 7661, 4.4.2: a loss when little is in flight takes it down to half of
 * what a round trip carried lately, not of what happens to be there. */
static void loss_of_a_slow_sender(void)
{
	uint32_t cwnd;

	grown();
	for (int i = 0; i < 30; i++)
		round_trip(8000);
	cwnd = look().cwnd;
	rig_send(4000);
	rig_forget();
	rig_wait(RTT_US);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at,
		   SACK(at + 1000, at + 4000)));
	rig_check(cwnd >= 40000);
	rig_check(look().ssthresh == 8000 / 2);
	rig_forget();
	rig_end();
}

/* Of 8 segments, after rounds of 8, the first @holes are lost. */
static void slow_sender_loses(tcp_seq holes)
{
	grown();
	for (int i = 0; i < 30; i++)
		round_trip(8000);
	rig_send(8000);
	rig_forget();
	rig_wait(RTT_US);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at,
		   SACK(at + holes * 1000, at + 8000)));
	rig_check(look().ssthresh == 8000 / 2);
	rig_forget();
	rig_wait(RTT_US);
}

/* ... and, when that is repaired, of what was not lost. */
static void end_of_its_recovery(void)
{
	slow_sender_loses(2);
	/* The first one is lost once more; that counts once. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at,
		   SACK(at + 1000, at + 8000)));
	rig_forget();
	rig_wait(RTT_US);
	rig_check(look().retrans == 3);
	rx_ack(at + 8000);
	rig_check(look().ssthresh == (8000 - 2000) / 2);
	rig_check(look().cwnd == (8000 - 2000) / 2);
	rig_end();
}

/* Two segments are the least. */
static void end_of_a_large_repair(void)
{
	slow_sender_loses(5);
	rx_ack(at + 1000);
	rig_forget();
	rig_wait(RTT_US);
	rig_check(look().retrans == 5);
	rx_ack(at + 8000);
	rig_check(look().ssthresh == 2000);
	rig_end();
}

/* It was needless, says the peer then. */
static void end_of_a_needless_recovery(void)
{
	uint32_t cwnd;

	slow_sender_loses(1);
	cwnd = look().cwnd;
	rx_ack(at + 8000);
	rig_check(look().cwnd == (8000 - 1000) / 2);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at + 8000,
		   SACK(at, at + 1000)));
	rig_check(look().cwnd >= 40000);
	rig_check(cwnd < 40000);
	rig_check(look().ssthresh == UINT32_MAX);
	rig_end();
}

/* Who fills the window ends where the recovery led to, also in slow start, when
 * no round has carried half of it yet. */
static void end_of_a_valid_one(void)
{
	uint32_t ssthresh;

	grown();
	rig_send(60000);
	rig_forget();
	rig_wait(RTT_US);
	rx_ack(at + 10000);
	rig_forget();
	rig_check(look().cwnd >= 50000);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at + 10000,
		   SACK(at + 11000, at + 40000)));
	ssthresh = look().ssthresh;
	rig_forget();
	rig_wait(RTT_US);
	rx_ack(at + 60000);
	rig_check(ssthresh == 50000 / 2);
	rig_check(look().ssthresh == ssthresh);
	rig_check(look().cwnd == ssthresh);
	rig_end();
}

/* ... and so does a mark, though half of that is more than is in flight. */
static void mark_of_a_slow_sender(void)
{
	rig.conf.ecn = ECN_ACCEPT;
	grown_by(TH_ECE | TH_CWR);
	for (int i = 0; i < 30; i++)
		round_trip(8000);
	rig_send(2000);
	rig_forget();
	rig_wait(RTT_US);
	at += 2000;
	rig_rx(SEG(.flags = TH_ACK | TH_ECE, .seq = 5001, .ack = at));
	rig_check(rig_stats().ecn_reductions == 1);
	rig_check(look().ssthresh == 8000 / 2);
	rig_check(look().cwnd == 8000 / 2);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(short_silence),
	UNIT_TEST(long_silence),
	UNIT_TEST(long_silence_while_reading),
	UNIT_TEST(silence_after_a_loss),
	UNIT_TEST(unused_for_five_minutes),
	UNIT_TEST(loss_of_a_slow_sender),
	UNIT_TEST(end_of_its_recovery),
	UNIT_TEST(end_of_a_large_repair),
	UNIT_TEST(end_of_a_needless_recovery),
	UNIT_TEST(end_of_a_valid_one),
	UNIT_TEST(mark_of_a_slow_sender),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_idle", tests, ARRAY_LEN(tests), argc, argv);
}
