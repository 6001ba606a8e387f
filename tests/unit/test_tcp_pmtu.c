/*
 * test_tcp_pmtu.c - Paths that take less than the interface: RFC 1191, RFC 4821
 *
 * The path here drops what is longer than path.most and says nothing, or what a
 * test has it say; the peer acknowledges the rest, with SACK.
 */
#include <string.h>

#include "core/tcp_priv.h"
#include "packet.h"
#include "rig.h"

#define TEXT_MAX (1u << 20)
#define RTT_US	 MS(10)
#define TEN_MIN	 S(600)

static struct {
	size_t most;		/* bytes of a packet that passes */
	uint8_t got[TEXT_MAX];	/* of the text, from RIG_ISS + 1 on */
	uint32_t next;		/* the first byte that is missing */
	uint32_t top;		/* behind the last one that is there */
	unsigned int swallowed; /* packets */
	size_t longest;		/* that arrived, in the last round */
	bool tells;		/* routers say what they take */
} path;

static size_t heads(void)
{
	return rig.v6 ? 60 : 40;
}

static size_t base_mtu(void)
{
	return rig.v6 ? 1280 : 1024;
}

static struct conn_info info(void)
{
	struct conn_info i;

	memset(&i, 0, sizeof(i));
	rig_check(rig_info(RIG_PEER_PORT, &i));
	return i;
}

/* Behind the last number that left. */
static tcp_seq sent_to(void)
{
	return info().snd_nxt - rig_only()->iss_off;
}

/* A router's error about the segment at @seq; @mtu 0: it does not say. */
static void too_big(uint32_t mtu, tcp_seq seq)
{
	struct rig_conn *rc = rig_only();
	struct tcp_seg t = {
		.src = rig.own,
		.dst = rig.peer,
		.sport = RIG_PORT,
		.dport = RIG_PEER_PORT,
		.seq = seq + rc->iss_off,
		.flags = TH_ACK,
		.ttl = 64,
	};
	uint8_t quote[WIRE_HEAD_MAX];
	struct packet p;
	uint32_t off;

	wire_tcp_build(quote, &t, 0, WIRE_CSUM_FULL, 0, &off);
	packet_icmp(&p, rig.v6, rig.v6 ? 2 : 3, rig.v6 ? 0 : 4, mtu, quote,
		    off + 8);
	rig_rx_packet(p.b, p.len);
}

static void arrived(const struct tcp_seg *s, size_t len)
{
	uint32_t at = s->seq - (RIG_ISS + 1);

	if (len > path.longest)
		path.longest = len;
	rig_check(at + s->len <= TEXT_MAX);
	if (rig.failed)
		return;
	memset(path.got + at, 1, s->len);
	if (at + s->len > path.top)
		path.top = at + s->len;
	while (path.next < path.top && path.got[path.next])
		path.next++;
}

/* What arrived is acknowledged, the highest stretch first. */
static void acknowledge(void)
{
	struct rig_seg ack = {
		.flags = TH_ACK,
		.seq = 5001,
		.ack = RIG_ISS + 1 + path.next,
	};
	uint32_t end = path.top, start;

	while (end > path.next && ack.nsack < 3) {
		while (end > path.next && !path.got[end - 1])
			end--;
		for (start = end; start > path.next && path.got[start - 1];)
			start--;
		if (start == end)
			break;
		ack.sack[ack.nsack].start = RIG_ISS + 1 + start;
		ack.sack[ack.nsack++].end = RIG_ISS + 1 + end;
		end = start;
	}
	rig_rx(&ack);
}

/* A round trip: whether anything passed. */
static bool round_trip(void)
{
	tcp_seq big[64];
	unsigned int nbig = 0, n = 0;
	struct tcp_seg s;
	size_t len;

	path.longest = 0;
	while (rig_take(&s)) {
		len = heads() + wire_tcp_optlen(&s) + s.len;
		if (len <= path.most) {
			arrived(&s, len);
			n++;
			continue;
		}
		path.swallowed++;
		if (nbig < 64)
			big[nbig++] = s.seq;
	}
	rig_wait(RTT_US);
	for (unsigned int i = 0; path.tells && i < nbig; i++)
		too_big((uint32_t)path.most, big[i]);
	if (n)
		acknowledge();
	return n > 0;
}

/* Until @bytes have arrived; false if that takes more than @us. */
static bool deliver(uint32_t bytes, int64_t us)
{
	int64_t end_us = rig.now_us + us;

	while (path.next < bytes && !rig.failed && rig.now_us < end_us)
		if (!round_trip() && path.next < bytes)
			rig_wait(MS(10));
	return path.next >= bytes;
}

/* @n times, a second each, so much that a probe finds something to carry. */
static bool drip(uint32_t from, unsigned int n)
{
	for (unsigned int i = 1; i <= n; i++) {
		rig_send(20000);
		if (!deliver(from + i * 20000, S(5)))
			return false;
		rig_wait(S(1));
	}
	return true;
}

static void established(size_t most)
{
	memset(&path, 0, sizeof(path));
	path.most = most;
	rig.conf.mtu_probing = true;
	rig.conf.sndbuf = TEXT_MAX;
	rig.conf.rto_min_us = MS(200);
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(rig_mss()), SACK_OK,
			  TS(1), SCALE(7)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(20000)));
	rig_forget();
}

/* RFC 4821, 7.7: full segments vanish; the third try is a smaller one. */
static void black_hole(void)
{
	established(1200);
	if (rig.v6)
		path.most = 1290;
	rig_send(200000);
	rig_check(deliver(200000, S(10)));
	rig_check(rig_stats().mtu_black_holes == 1);
	rig_check(path.longest <= path.most);
	/* The rest was found out by probes. */
	rig_check(drip(200000, 20));
	rig_check(info().pmtu <= path.most);
	rig_check(info().pmtu > path.most - 9);
	rig_check(rig_stats().mtu_probes_lost >= 1);
	rig_check(rig_stats().mtu_black_holes == 1);
	rig_end();
}

/* What is too small to vanish is sent again as it is. */
static void dead_path(void)
{
	struct tcp_seg s;

	established(100);
	rig_send(500);
	rig_check(rig_take(&s) && s.len == 500);
	for (unsigned int i = 0; i < 5; i++) {
		rig_wait(S(30));
		while (rig_take(&s))
			rig_check(s.len == 500);
	}
	rig_check(info().pmtu == 1500);
	rig_check(rig_stats().mtu_black_holes == 0);
	rig_end();
}

/* RFC 4821, 7.7: further timeouts, down to what every path takes. */
static void floor_reached(void)
{
	size_t least = rig.v6 ? 1280 : 552, mss = least - heads() - 12;
	struct tcp_seg s;

	established(100);
	rig_send(5000);
	rig_wait(S(100));
	rig_forget();
	rig_check(info().pmtu == least);
	rig_wait(S(60));
	rig_check(rig_take(&s) && s.len == mss);
	rig_forget();
	rig_end();
}

/* An outage looks just like it; when it is over, all is as it was. */
static void outage(void)
{
	established(100);
	rig_send(300000);
	deliver(1, S(3));
	rig_check(info().pmtu < 1500);
	path.most = 65535;
	rig_check(deliver(300000, S(10)));
	rig_check(info().pmtu == 1500);
	rig_check(rig_stats().mtu_probes == 1);
	rig_check(rig_stats().mtu_probes_lost == 0);
	rig_end();
}

static void probing_off(void)
{
	established(1200);
	rig_end();
	established(1200);
	rig_end();
	memset(&path, 0, sizeof(path));
	path.most = 1200;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(rig_mss()), SACK_OK,
			  TS(1), SCALE(7)));
	rig_send(50000);
	rig_check(!deliver(1, S(60)));
	rig_check(info().pmtu == 1500);
	rig_forget();
	rig_end();
}

/* RFC 4821, 7.6.2: a lost probe is no sign of congestion; nor is what a router
 * refused (RFC 1191, 6.4). */
static void lost_probe_spares_cwnd(void)
{
	struct conn_info before;

	established(base_mtu() + 100);
	path.tells = true;
	before = info();
	rig_send(100000);
	rig_check(deliver(100000, S(5)));
	rig_check(info().pmtu == path.most);
	rig_check(info().ssthresh == before.ssthresh);
	path.tells = false;
	rig_wait(TEN_MIN);
	path.swallowed = 0;
	rig_send(200000);
	rig_check(deliver(300000, S(5)));
	rig_check(path.swallowed == 1);
	rig_check(rig_stats().mtu_probes_lost == 1);
	rig_check(rig_stats().retransmit_rto == 0);
	rig_check(info().ssthresh == before.ssthresh);
	rig_check(info().cwnd > before.cwnd);
	rig_end();
}

/* RFC 8201, 4: ten minutes after a router lowered it, not before. */
static void raised_after_ten_minutes(void)
{
	established(base_mtu() + 100);
	path.tells = true;
	rig_send(100000);
	rig_check(deliver(100000, S(5)));
	rig_check(info().pmtu == path.most);
	path.most = 65535;
	rig_wait(TEN_MIN - S(20));
	rig_send(100000);
	rig_check(deliver(200000, S(5)));
	rig_check(info().pmtu == base_mtu() + 100);
	rig_check(rig_stats().mtu_probes == 0);
	rig_wait(S(20));
	rig_send(100000);
	rig_check(deliver(300000, S(5)));
	rig_check(info().pmtu == 1500);
	rig_check(rig_stats().mtu_probes == 1);
	rig_end();
}

/* RFC 4821, 7.4: three segments behind a probe show soon that it is lost. */
static void probe_with_others_behind(void)
{
	uint32_t need;

	established(base_mtu() + 100);
	path.tells = true;
	rig_send(100000);
	rig_check(deliver(100000, S(5)));
	path.most = 65535;
	rig_wait(TEN_MIN);
	need = 1500 - (uint32_t)heads() - 12 + 3 * info().snd_mss;
	rig_send(need - 1);
	rig_check(deliver(100000 + need - 1, S(5)));
	rig_check(rig_stats().mtu_probes == 0);
	rig_send(need);
	rig_check(deliver(100000 + 2 * need - 1, S(5)));
	rig_check(rig_stats().mtu_probes == 1);
	rig_check(info().pmtu == 1500);
	rig_end();
}

/* Ten minutes after a router lowered it, with a window in flight from just
 * before: its segments, from 6001 on. */
static void flight_at_raise_time(void)
{
	established(65535);
	rig_send(5000);
	rig_forget();
	too_big((uint32_t)base_mtu() + 100, 1001);
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001));
	rig_wait(TEN_MIN - MS(1));
	rig_send(100000);
	rig_forget();
	rig_wait(MS(2));
	rig_expect_silence();
}

/* RFC 4821, 7.4: a probe waits until cwnd has room for it, and what is smaller
 * does not overtake it. It has arrived as soon as a SACK says so (7.6.1). */
static void probe_waits_for_room(void)
{
	uint32_t full = 1500 - (uint32_t)heads() - 12;
	struct tcp_seg s;

	flight_at_raise_time();
	rig_check(rig.st->pool_path.in_use == 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001 + 680));
	rig_expect_silence();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001 + 1000));
	rig_check(rig_take(&s) && s.len == full);
	rig_check(info().mtu_probe == 1500);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001 + 1000, .nsack = 1,
		   .sack = {{s.seq, s.seq + full}}));
	rig_check(info().pmtu == 1500);
	rig_check(rig.st->pool_path.in_use == 0); /* nothing to look for */
	rig_forget();
	rig_end();
}

/* RFC 4821, 7.4: nor does it leave while losses are repaired. New text does,
 * no longer than before, and waits for nothing. */
static void no_probe_beside_losses(void)
{
	uint32_t mss, fresh = 0;
	struct tcp_seg s;
	tcp_seq end;

	flight_at_raise_time();
	mss = info().snd_mss;
	end = sent_to();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001,
		   SACK(6001 + mss, 6001 + 4 * mss)));
	rig_check(info().recovery[0] == 'f');
	rig_check(rig_take(&s) && s.seq == 6001 && s.len == mss);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001 + 6 * mss));
	while (rig_take(&s)) {
		rig_check(s.len == mss);
		fresh += seq_geq(s.seq, end);
	}
	rig_check(fresh > 0);
	rig_check(info().recovery[0] == 'f');
	rig_check(rig_stats().mtu_probes == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = sent_to()));
	rig_check(info().recovery[0] == 'o');
	rig_check(rig_take(&s) && s.len > mss);
	rig_check(info().mtu_probe == 1500);
	rig_forget();
	rig_end();
}

/* Nor does urgent data go with it: if it is lost, so is what cannot wait. What
 * is behind that data does. */
static void no_probe_of_urgent_data(void)
{
	struct tcp_seg s;
	uint32_t mss;

	established(base_mtu() + 100);
	path.tells = true;
	rig_send(100000);
	rig_check(deliver(100000, S(5)));
	path.most = 65535;
	rig_wait(TEN_MIN);
	mss = info().snd_mss;
	rig_send_urgent(5 * mss);
	for (unsigned int i = 0; i < 5; i++)
		rig_check(rig_take(&s) && s.flags & TH_URG && s.len == mss);
	rig_send(20000);
	rig_check(rig_take(&s) && !(s.flags & TH_URG) && s.len > mss);
	rig_check(info().mtu_probe == 1500);
	rig_forget();
	rig_end();
}

/* RFC 4821, 7.6.4: lost among others, it is not known to be its length. The same
 * is tried again, a second later. */
static void probe_lost_among_others(void)
{
	uint32_t full = 1500 - (uint32_t)heads() - 12, mss;
	struct tcp_seg s, last;

	flight_at_raise_time();
	mss = info().snd_mss;
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001 + 5 * mss));
	rig_check(rig_take(&s) && s.len == full);
	while (rig_take(&last))
		;
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001 + 5 * mss,
		   .nsack = 1,
		   .sack = {{s.seq + full, s.seq + full + 3 * mss}}));
	rig_forget();
	rig_check(info().recovery[0] == 'f');
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 6001 + 6 * mss,
		   .nsack = 1,
		   .sack = {{s.seq + full, s.seq + full + 3 * mss}}));
	rig_forget();
	rig_check(info().mtu_probe == 0);
	rig_check(rig_stats().mtu_probes_lost == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = sent_to()));
	rig_forget();
	rig_check(rig_stats().mtu_probes == 1);
	rig_wait(S(1));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = sent_to()));
	rig_check(rig_stats().mtu_probes == 2);
	rig_check(info().mtu_probe == 1500);
	rig_forget();
	rig_end();
}

/* A router that refuses the probe says what it takes: that is tried next. */
static void probe_refused_by_router(void)
{
	established(base_mtu() + 100);
	path.tells = true;
	rig_send(100000);
	rig_check(deliver(100000, S(5)));
	rig_wait(TEN_MIN);
	path.most = base_mtu() + 177;
	rig_send(200000);
	rig_check(deliver(300000, S(5)));
	rig_check(info().pmtu == path.most);
	rig_check(rig_stats().mtu_probes == 2);
	rig_check(rig_stats().mtu_probes_lost == 1);
	rig_end();
}

/* ---- "packet too big", true and false --------------------------------- */

/* RFC 5927, 7.2: before anything of that size was acknowledged, at once. */
static void too_big_at_first(void)
{
	established(65535);
	rig_send(5000);
	rig_forget();
	too_big(1300, 1001);
	rig_check(info().pmtu == 1300);
	rig_forget();
	rig_end();
}

/* RFC 1191, 6.4 speaks of the segments that were too big. If what was sent in
 * their place is lost, too, that is congestion. */
static void too_big_and_then_lost(void)
{
	struct conn_info before;
	tcp_seq end = 0;
	struct tcp_seg s;

	established(65535);
	before = info();
	rig_send(10000);
	rig_forget();
	too_big(1300, 1001);
	while (rig_take(&s))
		end = s.seq + s.len;
	rig_check(seq_gt(end, 1001 + 4 * info().snd_mss));
	rig_check(info().ssthresh == before.ssthresh);
	rig_wait(MS(50));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   SACK(1001 + info().snd_mss, end)));
	rig_check(info().recovery[0] == 'f');
	rig_check(info().ssthresh < before.ssthresh);
	rig_forget();
	rig_end();
}

/* ... later only if the segment times out, too. */
static void too_big_while_all_arrives(void)
{
	struct tcp_seg s;

	established(65535);
	rig_send(20000);
	rig_check(deliver(20000, S(1)));
	rig_send(5000);
	too_big(1290, 21001);
	rig_check(info().pmtu == 1500);
	rig_check(deliver(25000, S(1)));
	rig_wait(S(10));
	rig_check(info().pmtu == 1500);
	/* Nor does it count for what is sent afterwards. */
	rig_send(5000);
	rig_forget();
	rig_wait(MS(300));
	rig_check(rig_take(&s));
	rig_check(info().backoff == 1);
	rig_check(info().pmtu == 1500);
	rig_forget();
	rig_end();
}

static void too_big_and_timeout(void)
{
	established(65535);
	rig_send(20000);
	rig_check(deliver(20000, S(1)));
	path.most = 1290;
	rig_send(5000);
	too_big(1290, 21001);
	rig_check(info().pmtu == 1500);
	rig_check(deliver(25000, S(5)));
	rig_check(info().pmtu == 1290);
	rig_check(rig_stats().mtu_black_holes == 0);
	rig_end();
}

/* RFC 8201, 4: less than the minimum is discarded; RFC 791, 3.2. */
static void too_big_impossible(void)
{
	established(65535);
	rig_send(5000);
	rig_forget();
	too_big(rig.v6 ? 1279 : 67, 1001);
	rig_expect_silence();
	rig_check(info().pmtu == 1500);
	too_big(rig.v6 ? 1280 : 68, 1001);
	rig_check(info().pmtu == (rig.v6 ? 1280 : 552));
	rig_forget();
	rig_end();
}

/* Nothing that we sent can have been longer than what the peer takes. */
static void too_big_for_nothing(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1300), SACK_OK));
	rig_send(5000);
	rig_forget();
	too_big(1300 + (uint32_t)heads(), 1001);
	rig_expect_silence();
	rig_check(info().pmtu == 1500);
	too_big(1299 + (uint32_t)heads(), 1001);
	rig_check(info().snd_mss == 1299);
	rig_forget();
	rig_end();
}

/* A peer that takes little sets the limit; nothing is probed for. */
static void small_peer(void)
{
	rig.conf.mtu_probing = true;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(400), SACK_OK));
	rig_send(20000);
	rig_wait(S(100));
	rig_forget();
	rig_check(info().snd_mss == 400);
	rig_check(rig_stats().mtu_black_holes == 0);
	rig_end();
}

/* Without SACK nothing larger is tried: its loss would be taken for others'. */
static void no_probe_without_sack(void)
{
	struct tcp_seg s;

	rig.conf.mtu_probing = true;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(rig_mss())));
	rig_send(50000);
	rig_wait(S(4));
	rig_forget();
	rig_check(info().pmtu == base_mtu());
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001,
		   .ack = 1001 + info().snd_nxt - info().snd_una));
	for (unsigned int i = 0; i < 20 && !rig.failed; i++) {
		tcp_seq end = 0;

		while (rig_take(&s)) {
			rig_check(s.len <= base_mtu() - heads());
			end = s.seq + s.len;
		}
		if (!end)
			break;
		rig_wait(MS(10));
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = end));
	}
	rig_check(rig_stats().mtu_probes == 0);
	rig_forget();
	rig_end();
}

/* Which size is on its way shows. */
static void probe_shows(void)
{
	established(base_mtu() + 100);
	path.tells = true;
	rig_send(100000);
	rig_check(deliver(100000, S(5)));
	rig_check(info().mtu_probe == 0);
	rig_wait(TEN_MIN);
	rig_send(100000);
	while (!info().mtu_probe && path.next < 200000 && !rig.failed)
		round_trip();
	rig_check(info().mtu_probe == 1500);
	rig_forget();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(black_hole),
	UNIT_TEST(dead_path),
	UNIT_TEST(floor_reached),
	UNIT_TEST(outage),
	UNIT_TEST(probing_off),
	UNIT_TEST(lost_probe_spares_cwnd),
	UNIT_TEST(raised_after_ten_minutes),
	UNIT_TEST(probe_with_others_behind),
	UNIT_TEST(probe_waits_for_room),
	UNIT_TEST(no_probe_beside_losses),
	UNIT_TEST(no_probe_of_urgent_data),
	UNIT_TEST(probe_lost_among_others),
	UNIT_TEST(probe_refused_by_router),
	UNIT_TEST(probe_shows),
	UNIT_TEST(too_big_at_first),
	UNIT_TEST(too_big_and_then_lost),
	UNIT_TEST(too_big_while_all_arrives),
	UNIT_TEST(too_big_and_timeout),
	UNIT_TEST(too_big_impossible),
	UNIT_TEST(too_big_for_nothing),
	UNIT_TEST(small_peer),
	UNIT_TEST(no_probe_without_sack),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_pmtu", tests, ARRAY_LEN(tests), argc, argv);
}
