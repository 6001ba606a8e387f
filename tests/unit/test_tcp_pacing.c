/*
 * test_tcp_pacing.c - When text leaves, if not at once
 */
#include "rig.h"

static tcp_seq at;

static struct conn_info look(void)
{
	struct conn_info info = {0};

	rig_check(rig_info(RIG_PEER_PORT, &info));
	return info;
}

static uint32_t taken(void)
{
	struct tcp_seg s;
	uint32_t n = 0;

	while (rig_take(&s))
		n += s.len;
	return n;
}

static void rx_ack(tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
}

static void round_trip(uint32_t len, int64_t rtt_us)
{
	rig_send(len);
	rig_wait(rtt_us);
	taken();
	at += len;
	rx_ack(at);
}

/* A window of 40 segments of 1000, in slow start. */
static void grown(int64_t rtt_us)
{
	struct tcp_seg s;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK, SCALE(7)));
	rig_check(rig_take(&s));
	rig_wait(rtt_us);
	at = 1001;
	rx_ack(at);
	round_trip(10000, rtt_us);
	round_trip(20000, rtt_us);
	rig_check(look().cwnd == 40000);
}

/*
 * RFC 8985, 7.3: nor does a tail loss probe wait for the clock of pacing. It
 * comes first if the path got shorter at once: the pause after what left was made
 * for the long one. One byte acknowledged is one sample.
 */
static void probe_does_not_wait(void)
{
	rig.conf.pacing = true;
	rig.conf.gso_max = 60000;
	rig.conf.rto_initial_us = S(3);
	grown(S(2));
	rig_wait(MS(100));
	rig_send(20000);
	rig_check(taken() == 2000);
	rig_wait(MS(2));
	rig_check(taken() == 0);
	for (tcp_seq i = 1; i <= 80; i++)
		rx_ack(at + i);
	rig_check(taken() == 0);
	rig_check(look().probe_in_us > 0);
	rig_check(look().probe_in_us + MS(10) < look().pace_in_us);
	rig_wait(look().probe_in_us + RIG_LATE_US);
	rig_check(taken() == 1000);
	rig_check(look().pace_in_us > 0);
	rig_end();
}

/* Two windows a round trip, some bytes each millisecond. */
static void spread_over_the_round_trip(void)
{
	uint32_t n, each;

	rig.conf.pacing = true;
	grown(MS(100));
	rig_check(look().pacing_rate ==
		  2 * 40000 * 1000000ull / (uint64_t)look().srtt_us);
	each = (uint32_t)(look().pacing_rate / 1000);
	rig_check(each >= 800 && each <= 1000);
	rig_send(60000);
	n = taken();
	rig_check(n >= 2000 && n <= 6000);
	rig_check(look().pace_in_us > 0 && look().pace_in_us <= MS(5));
	for (uint32_t i = 1; i <= 40; i++) {
		rig_wait(MS(1));
		n += taken();
		rig_check(n <= 6000 + i * each);
		rig_check(n + 4000 >= i * each || n == 40000);
	}
	rig_wait(MS(20));
	n += taken();
	rig_check(n == 40000); /* and there cwnd ends it */
	rig_check(look().pace_in_us == -1);
	at += 60000;
	rx_ack(at - 20000);
	rig_wait(MS(100));
	rx_ack(at);
	rig_forget();
	rig_end();
}

/* A loss was repaired, and nothing is in flight. */
static void avoiding(int64_t rtt_us)
{
	grown(rtt_us);
	rig_send(40000);
	rig_wait(rtt_us);
	taken();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at,
		   SACK(at + 1000, at + 40000)));
	rig_wait(rtt_us);
	taken();
	at += 40000;
	rx_ack(at);
	rig_check(look().ssthresh == look().cwnd);
}

/* 1.2 of them where slow start ends. */
static void slower_in_avoidance(void)
{
	rig.conf.pacing = true;
	avoiding(MS(100));
	rig_check(look().pacing_rate ==
		  look().cwnd * 1200000ull / (uint64_t)look().srtt_us);
	rig_end();
}

/* A segment is acknowledged, long after anything had to wait for the clock:
 * when does the next one leave, in us after that? */
static int64_t answered_after(void)
{
	int64_t in_us;

	rig_wait(MS(10));
	rig_check(taken() == 0);
	at += 1000;
	rx_ack(at);
	in_us = look().pace_in_us;
	if (in_us <= 0)
		rig_check(taken() == 1000);
	else
		rig_check(taken() == 0);
	rig_wait(MS(1));
	rig_check(taken() == (in_us <= 0 ? 0 : 1000));
	return in_us <= 0 ? 0 : in_us;
}

/* Where cwnd is the limit, an answer leaves a little later than at once, and not
 * like clockwork. */
static void answers_vary(void)
{
	int64_t us, least_us = S(1), most_us = 0;

	rig.conf.pacing = true;
	avoiding(MS(100));
	rig_send(150000);
	rig_wait(MS(100));
	taken();
	for (int i = 0; i < 20; i++) {
		us = answered_after();
		least_us = us < least_us ? us : least_us;
		most_us = us > most_us ? us : most_us;
	}
	rig_check(least_us < 100 && most_us > 250);
	rig_check(most_us <= look().srtt_us / 256);
	rig_forget();
	rig_end();
}

/* ... but not who has little to send. */
static void answers_at_once(void)
{
	rig.conf.pacing = true;
	avoiding(MS(100));
	rig_wait(MS(100));
	taken();
	for (int i = 0; i < 20; i++) {
		rig_send(1000);
		rig_check(taken() == 1000);
		rig_wait(MS(100));
		at += 1000;
		rx_ack(at);
	}
	rig_end();
}

/* RFC 6928: what every connection may begin with leaves at once. */
static void initial_window_at_once(void)
{
	struct tcp_seg s;

	rig.conf.pacing = true;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK));
	rig_check(rig_take(&s));
	rig_wait(MS(100));
	rx_ack(1001);
	rig_send(20000);
	rig_check(taken() == 10000);
	rig_check(look().pacing_rate == 0);
	rig_end();
}

/* A near peer, or nobody who wants it. */
static void near_peer_at_once(void)
{
	rig.conf.pacing = true;
	grown(900);
	rig_check(look().pacing_rate == 0);
	rig_send(60000);
	rig_check(taken() == 40000);
	rig_end();
}

static void switched_off(void)
{
	grown(MS(100));
	rig_check(look().pacing_rate == 0);
	rig_send(60000);
	rig_check(taken() == 40000);
	rig_end();
}

/* Nor does a super-segment hold more than may leave at once. */
static void super_segments_spread(void)
{
	struct tcp_seg s;

	rig.conf.pacing = true;
	rig.conf.gso_max = 60000;
	grown(MS(100));
	rig_send(60000);
	rig_check(rig_take(&s) && s.len == 2000);
	rig_wait(MS(60));
	rig_forget();
	rig_end();
}

/* While text waits for its time it is not the sender who has none: what was
 * known about cwnd holds (RFC 9438, 5.8), and it goes on growing. */
static void cwnd_grows_meanwhile(void)
{
	rig.conf.pacing = true;
	grown(MS(100));
	rig_send(200000);
	rig_wait(MS(100));
	rig_check(taken() == 40000);
	rx_ack(at + 30000);
	rig_check(look().cwnd == 70000);
	rig_check(look().in_flight < 35000);
	rig_check(look().pace_in_us > 0);
	rx_ack(at + 31000);
	rig_check(look().cwnd == 71000);
	rig_wait(MS(60));
	rig_forget();
	rig_end();
}

/* A FIN alone is no text. */
static void fin_at_once(void)
{
	rig.conf.pacing = true;
	grown(MS(100));
	rig_send(2000);
	rig_check(taken() == 2000);
	rig_close();
	rig_expect(
		SEG(.flags = TH_ACK | TH_FIN, .seq = at + 2000, .ack = 5001));
	rig_end();
}

/* A loss is repaired at once, whatever waits; what follows is spread. */
static void first_retransmission_at_once(void)
{
	struct tcp_seg s;

	rig.conf.pacing = true;
	grown(MS(100));
	rig_send(60000);
	rig_wait(MS(100));
	rig_check(taken() == 40000);
	rx_ack(at + 10000);
	rig_forget();
	rig_check(look().pace_in_us > 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at + 10000,
		   SACK(at + 30000, at + 40000)));
	rig_check(rig_take(&s) && s.seq == at + 10000);
	rig_check(taken() <= 6000);
	rig_check(look().pace_in_us > 0);
	rig_wait(MS(200));
	rig_forget();
	rig_end();
}

/* ... however much cwnd lets go. */
static void retransmissions_spread(void)
{
	uint32_t n;

	rig.conf.pacing = true;
	grown(MS(100));
	rig_send(60000);
	rig_wait(MS(100));
	rig_check(taken() == 40000);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at,
		   SACK(at + 20000, at + 40000)));
	n = taken();
	rig_check(n >= 1000 && n <= 6000);
	rig_wait(MS(20));
	rig_check(taken() >= 2000);
	rig_wait(MS(200));
	rig_forget();
	rig_end();
}

/* While losses are repaired cwnd is what may leave now: less than the window,
 * whose rate stays what counts. */
static void rate_of_the_window_in_recovery(void)
{
	struct conn_info info;
	uint32_t flight;

	rig.conf.pacing = true;
	grown(MS(100));
	rig_send(60000);
	rig_wait(MS(100));
	rig_check(taken() == 40000);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = at,
		   SACK(at + 10000, at + 40000)));
	rig_forget();
	info = look();
	flight = info.snd_nxt - info.snd_una;
	rig_check(info.cwnd < flight);
	rig_check(info.pacing_rate ==
		  flight * 1200000ull / (uint64_t)info.srtt_us);
	rig_wait(MS(200));
	rig_forget();
	rig_end();
}

/* Without text to send nothing is armed. */
static void no_timer_without_text(void)
{
	rig.conf.pacing = true;
	grown(MS(100));
	rig_send(1000);
	rig_check(taken() == 1000);
	rig_check(look().pace_in_us == -1);
	at += 1000;
	rx_ack(at);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(probe_does_not_wait),
	UNIT_TEST(spread_over_the_round_trip),
	UNIT_TEST(slower_in_avoidance),
	UNIT_TEST(answers_vary),
	UNIT_TEST(answers_at_once),
	UNIT_TEST(initial_window_at_once),
	UNIT_TEST(near_peer_at_once),
	UNIT_TEST(switched_off),
	UNIT_TEST(super_segments_spread),
	UNIT_TEST(cwnd_grows_meanwhile),
	UNIT_TEST(fin_at_once),
	UNIT_TEST(first_retransmission_at_once),
	UNIT_TEST(retransmissions_spread),
	UNIT_TEST(rate_of_the_window_in_recovery),
	UNIT_TEST(no_timer_without_text),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_pacing", tests, ARRAY_LEN(tests), argc, argv);
}
