/*
 * test_tcp_drs.c - Windows that grow with what the peer makes of them
 *
 * The handshake takes no time here, and the text a tenth of a second for each
 * round: a flight comes in ten pieces, 10 ms apart, and what follows is the
 * next flight. So a round that is measured with the handshake sees a tenth.
 */
#include "core/tcp_priv.h"
#include "rig.h"

#define PAGES_TAG 255 /* no pool of the stack has it */

#define PIECES 10
#define RTT_MS 100

static void open_path(bool ts)
{
	rig.conf.rcvbuf = 65536;
	rig.conf.rcvbuf_max = 4 << 20;
	rig.conf.timestamps = ts;
	rig_established_all();
}

/* Look at the ACKs, for their timestamps. */
static void take_acks(void)
{
	struct tcp_seg s;

	while (rig_take(&s))
		;
}

static struct conn_info info(void)
{
	struct conn_info in = {0};

	rig_info(RIG_PEER_PORT, &in);
	return in;
}

/* One flight of @len bytes from @seq; the ACK that released each piece left a
 * round trip before. */
static tcp_seq flight(tcp_seq seq, uint32_t len, uint32_t echo_ago_ms)
{
	uint32_t piece = len / PIECES / 1000 * 1000;

	for (unsigned int i = 0; i < PIECES; i++) {
		rig_hold();
		for (uint32_t at = 0; at < piece; at += 1000)
			rig_rx(SEG(.flags = TH_ACK, .seq = seq + at,
				   .ack = 1001, .len = 1000,
				   .echo_ago_ms = echo_ago_ms));
		rig_release();
		take_acks();
		seq += piece;
		rig_wait(MS(RTT_MS / PIECES));
		take_acks();
	}
	return seq;
}

/* Flights as large as the window. */
static void fill_windows(tcp_seq seq, unsigned int rounds, uint32_t echo)
{
	for (unsigned int i = 0; i < rounds; i++)
		seq = flight(seq, info().rcv_wnd, echo);
}

/* Timestamps say how long a round is, whatever the handshake took. */
static void by_timestamps(void)
{
	open_path(true);
	rig_check(info().srtt_us < 1000);
	fill_windows(5001, 4, RTT_MS - RTT_MS / PIECES);
	rig_check(info().rcvbuf >= 1 << 20);
	rig_end();
}

/* Without them the time of a whole window does. */
static void by_windows(void)
{
	open_path(false);
	fill_windows(5001, 6, 0);
	rig_check(info().rcvbuf >= 1 << 20);
	rig_end();
}

/* Nothing beyond what was allowed, nor more than the memory is worth. */
static void not_beyond_the_most(void)
{
	open_path(true);
	fill_windows(5001, 8, RTT_MS - RTT_MS / PIECES);
	rig_check(info().rcvbuf == 4 << 20);
	rig_end();
}

static void not_when_memory_is_short(void)
{
	struct arena *a;

	open_path(true);
	a = &rig.st->arena;
	while (arena_left(a) > a->npages / 2)
		ASSERT(arena_page(a, PAGES_TAG));
	fill_windows(5001, 4, RTT_MS - RTT_MS / PIECES);
	rig_check(info().rcvbuf == 65536);
	for (uint32_t n = a->first; n < a->npages; n++)
		if (a->owner[n] == PAGES_TAG)
			arena_page_free(a, a->base + (size_t)n * PAGE_SIZE_B);
	rig_end();
}

/* A flight that stays as large as it is needs no more than twice of it. */
static void no_more_than_is_used(void)
{
	tcp_seq seq = 5001;

	open_path(true);
	for (unsigned int i = 0; i < 20; i++)
		seq = flight(seq, 60000, RTT_MS - RTT_MS / PIECES);
	rig_check(info().rcvbuf >= 120000);
	rig_check(info().rcvbuf <= 400000);
	rig_end();
}

/* Each flight doubles, and the ACKs of this one, from its first on, let go the
 * next. */
static void slow_start_is_not_held_back(void)
{
	tcp_seq seq = 5001;

	open_path(true);
	for (uint32_t n = 10; n <= 640; n *= 2) {
		for (uint32_t i = 0; i < n; i++, seq += 1000) {
			rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001,
				   .len = 1000, .echo_ago_ms = RTT_MS));
			take_acks();
			rig_check(i != 1 || info().rcv_wnd >= 2000 * n);
		}
		rig_wait(MS(RTT_MS));
		take_acks();
	}
	rig_end();
}

static uint32_t measured(void)
{
	return info().recv_rtt_us;
}

static void rx_echo(tcp_seq seq, uint32_t len, uint32_t ago_ms)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = seq, .ack = 1001, .len = len,
		   .echo_ago_ms = ago_ms));
	take_acks();
}

/* The first full segment with an echo counts, an eighth; not one that repeats
 * it, nor a message, which may have waited, nor what is no echo of ours. */
static void echoes_that_count(void)
{
	rig.conf.quick_acks = 16;
	open_path(true);
	rx_echo(5001, 1000, 16);
	rig_check(measured() == 16000);
	rig_wait(MS(8));
	rx_echo(6001, 1000, 16); /* what was echoed before */
	rig_check(measured() == 16000);
	rx_echo(7001, 10, 0);
	rig_check(measured() == 16000);
	rx_echo(7011, 1000, 100000);
	rig_check(measured() == 16000);
	rx_echo(8011, 1000, (uint32_t)-5);
	rig_check(measured() == 16000);
	rig_wait(MS(8));
	rx_echo(9011, 1000, 0);
	rig_check(measured() == 15000);
	rig_end();
}

/* Less than a tick of the clock is half of one. */
static void echo_within_a_tick(void)
{
	open_path(true);
	rx_echo(5001, 1000, 0);
	rig_check(measured() == 500);
	rig_end();
}

/* Without timestamps the quickest window counts. */
static void windows_that_count(void)
{
	rig.conf.quick_acks = 255;
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4000;
	rig_established();
	rx_echo(5001, 1000, 0);
	rig_wait(MS(30));
	rx_echo(6001, 3000, 0);
	rig_check(measured() == 0);
	rx_echo(9001, 1000, 0);
	rig_check(measured() == 30000);
	rig_wait(MS(20));
	rx_echo(10001, 3000, 0);
	rx_echo(13001, 1000, 0);
	rig_check(measured() == 20000);
	rig_wait(MS(40));
	rx_echo(14001, 3000, 0);
	rx_echo(17001, 1000, 0);
	rig_check(measured() == 20000);
	rig_check(rig_only()->received == 13000);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(by_timestamps),	 UNIT_TEST(by_windows),
	UNIT_TEST(not_beyond_the_most),	 UNIT_TEST(not_when_memory_is_short),
	UNIT_TEST(no_more_than_is_used), UNIT_TEST(slow_start_is_not_held_back),
	UNIT_TEST(echoes_that_count),	 UNIT_TEST(echo_within_a_tick),
	UNIT_TEST(windows_that_count),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_drs", tests, ARRAY_LEN(tests), argc, argv);
}
