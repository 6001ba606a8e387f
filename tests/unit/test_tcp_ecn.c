/*
 * test_tcp_ecn.c - Explicit congestion notification
 *
 * RFC 3168, 6.1 (RFC 9293, 3.8.2 (SHLD-8)). What is not said to be ECT is
 * expected to be not-ECT, here and in all other suites.
 */
#include "rig.h"

#include "core/tcp_priv.h"

#define SETUP	 (TH_ECE | TH_CWR)
#define SYN	 TH_SYN
#define SYNACK	 (TH_SYN | TH_ACK)
#define ACK	 TH_ACK
#define ECE_ACK	 (TH_ACK | TH_ECE)
#define ECT0	 .ecn = IP_ECN_ECT0
#define CE	 .ecn = IP_ECN_CE
#define SYN_OPTS MSS(rig_mss()), SACK_OK, TS(0), SCALE(7)

static bool ecn_on(void)
{
	struct conn_info i;

	return rig_info(RIG_PEER_PORT, &i) && i.ecn;
}

static struct conn_info info(void)
{
	struct conn_info i = {0};

	rig_check(rig_info(RIG_PEER_PORT, &i));
	return i;
}

/* A server's connection that agreed to ECN. */
static void established_ecn(void)
{
	rig.conf.ecn = ECN_ACCEPT;
	rig_rx(SEG(.flags = SYN | SETUP, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = SYNACK | TH_ECE, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
	rig_expect_silence();
	rig_check(ecn_on());
}

/* 6.1.1: a SYN with both flags asks, the SYN-ACK with ECE agrees. */
static void syn_accepted(void)
{
	established_ecn();
	rig_end();
}

/* Anything else does not ask, and gets neither flag back. */
static void syn_not_asking(void)
{
	static const struct {
		uint8_t flags, ecn;
		enum stack_ecn conf;
	} cases[] = {
		{SYN, 0, ECN_ACCEPT},
		{SYN | TH_ECE, 0, ECN_ACCEPT},
		{SYN | TH_CWR, 0, ECN_ACCEPT},
		{SYN | SETUP, 0, ECN_NO},
		{SYN | SETUP, IP_ECN_ECT0, ECN_ACCEPT},
		{SYN | SETUP, IP_ECN_CE, ECN_REQUEST},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		rig.conf.ecn = cases[i].conf;
		rig_rx(SEG(.flags = cases[i].flags, .ecn = cases[i].ecn,
			   .seq = 5000, MSS(1000)));
		rig_expect(SEG(.flags = SYNACK, .seq = 1000, .ack = 5001,
			       MSS(rig_mss())));
		rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
		rig_check(!ecn_on());
		rig_send(10);
		rig_expect(
			SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 10));
		/* Marks are not ours to echo, echoes not ours to obey. */
		rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 1011,
			   .len = 2000, CE));
		rig_expect(SEG(.flags = ACK, .seq = 1011, .ack = 7001));
		rig_check(rig_stats().ce_in == 0);
		rig_check(rig_stats().ece_in == 0);
		rig_end();
	}
}

/* A repeated SYN-ACK says the same; a repeated SYN without the flags takes
 * back what the first one asked for (6.1.1, 6.1.1.1). */
static void syn_repeated(void)
{
	rig.conf.ecn = ECN_ACCEPT;
	rig_rx(SEG(.flags = SYN | SETUP, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = SYNACK | TH_ECE, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_expect_after(S(1), SEG(.flags = SYNACK | TH_ECE, .seq = 1000,
				   .ack = 5001, MSS(rig_mss())));
	rig_rx(SEG(.flags = SYN, .seq = 5000, MSS(1000)));
	rig_expect(
		SEG(.flags = SYNACK, .seq = 1000, .ack = 5001, MSS(rig_mss())));
	rig_rx(SEG(.flags = SYN | SETUP, .seq = 5000, MSS(1000)));
	rig_expect(
		SEG(.flags = SYNACK, .seq = 1000, .ack = 5001, MSS(rig_mss())));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
	rig_check(!ecn_on());
	rig_end();
}

/* A cookie remembers it in the timestamp, or there is nothing to remember. */
static void syn_cookie(void)
{
	rig.conf.ecn = ECN_ACCEPT;
	rig.conf.cookies = COOKIES_ALWAYS;
	rig_rx(SEG(.flags = SYN | SETUP, .seq = 5000, MSS(1000), TS(1)));
	rig_expect(SEG(.flags = SYNACK | TH_ECE, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), TS(1)));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
	rig_check(ecn_on());
	rig_end();

	rig.conf.ecn = ECN_ACCEPT;
	rig.conf.cookies = COOKIES_ALWAYS;
	rig_rx(SEG(.flags = SYN, .seq = 5000, MSS(1000), TS(1)));
	rig_expect(SEG(.flags = SYNACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), TS(1)));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(!ecn_on());
	rig_end();

	rig.conf.ecn = ECN_ACCEPT;
	rig.conf.cookies = COOKIES_ALWAYS;
	rig_rx(SEG(.flags = SYN | SETUP, .seq = 5000, MSS(1000)));
	rig_expect(
		SEG(.flags = SYNACK, .seq = 1000, .ack = 5001, MSS(rig_mss())));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_check(!ecn_on());
	rig_end();
}

/* Our own SYN asks if it is to; what agrees is ECE without CWR (6.1.1.2). */
static void open_asks(void)
{
	static const uint8_t answers[] = {TH_ECE, SETUP, TH_CWR, 0};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		rig.conf.ecn = ECN_REQUEST;
		rig_open();
		rig_expect(SEG(.flags = SYN | SETUP, .seq = 1000, SYN_OPTS));
		rig_check(!ecn_on());
		rig_rx(SEG(.flags = SYNACK | answers[i], .seq = 5000,
			   .ack = 1001, MSS(1000)));
		rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5001));
		rig_check(ecn_on() == (answers[i] == TH_ECE));
		rig_send(10);
		rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5001,
			       .len = 10,
			       .ecn = answers[i] == TH_ECE ? IP_ECN_ECT0 : 0));
		rig_end();
	}
	rig.conf.ecn = ECN_ACCEPT;
	rig_open();
	rig_expect(SEG(.flags = SYN, .seq = 1000, SYN_OPTS));
	rig_rx(SEG(.flags = SYNACK | TH_ECE, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5001));
	rig_check(!ecn_on());
	rig_end();
}

/* 6.1.1.1: the second SYN does without. Who answers the first one all the same
 * may mark, and is echoed, but our text is not marked (6.1.1). */
static void open_falls_back(void)
{
	rig.conf.ecn = ECN_REQUEST;
	rig_open();
	rig_expect(SEG(.flags = SYN | SETUP, .seq = 1000, SYN_OPTS));
	rig_expect_after(S(1), SEG(.flags = SYN, .seq = 1000, SYN_OPTS));
	rig_rx(SEG(.flags = SYNACK | TH_ECE, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5001));
	rig_send(10);
	rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 10));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1011, .len = 10, CE));
	rig_expect(SEG(.flags = ECE_ACK, .seq = 1011, .ack = 5011));
	rig_end();

	rig.conf.ecn = ECN_REQUEST;
	rig_open();
	rig_expect(SEG(.flags = SYN | SETUP, .seq = 1000, SYN_OPTS));
	rig_expect_after(S(1), SEG(.flags = SYN, .seq = 1000, SYN_OPTS));
	rig_rx(SEG(.flags = SYNACK, .seq = 5000, .ack = 1001, MSS(1000)));
	rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5001));
	rig_check(!ecn_on());
	rig_end();
}

/* Both ask; the ECE of the peer's SYN-ACK is no echo of a mark. */
static void open_simultaneous(void)
{
	rig.conf.ecn = ECN_REQUEST;
	rig_open();
	rig_expect(SEG(.flags = SYN | SETUP, .seq = 1000, SYN_OPTS));
	rig_rx(SEG(.flags = SYN | SETUP, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = SYNACK | TH_ECE, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_send(10);
	rig_rx(SEG(.flags = SYNACK | TH_ECE, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(
		SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 10, ECT0));
	rig_check(ecn_on());
	rig_check(rig_stats().ece_in == 0);
	rig_end();
}

/* Text sent for the first time is ECT(0), with whatever DSCP. */
static void snd_text(void)
{
	struct tcp_seg s;

	established_ecn();
	rig_send(10);
	rig_expect(
		SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 10, ECT0));
	tcp_set_dscp(rig_only()->c, 46);
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1011));
	rig_send(10);
	rig_check(rig_take(&s));
	rig_check(s.tos == (46 << 2 | IP_ECN_ECT0));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1021, .len = 2000));
	rig_check(rig_take(&s));
	rig_check(s.tos == 46 << 2);
	rig_end();

	rig.conf.gso_max = 60000;
	established_ecn();
	rig_send(5000);
	rig_expect(
		SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 5000, ECT0));
	rig_end();
}

/* 6.1.5, 6.1.6, 6.1.4: no retransmission, no probe, no FIN or RST alone. */
static void snd_control(void)
{
	established_ecn();
	rig_send(10);
	rig_expect(
		SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 10, ECT0));
	rig_expect_after(
		S(1), SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 10));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1011, WND(0)));
	rig_send(10);
	rig_expect_after(S(2),
			 SEG(.flags = ACK, .seq = 1011, .ack = 5001, .len = 1));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1011));
	rig_expect(SEG(.flags = ACK | TH_CWR, .seq = 1011, .ack = 5001,
		       .len = 10, ECT0));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1021));
	rig_close();
	rig_expect(SEG(.flags = ACK | TH_FIN, .seq = 1021, .ack = 5001));
	rig_abort();
	rig_expect(SEG(.flags = ACK | TH_RST, .seq = 1022, .ack = 5001));
	rig_end();
}

/* 6.1.3: a mark is echoed with every ACK until CWR comes. */
static void rcv_mark(void)
{
	established_ecn();
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001, .len = 10, ECT0));
	rig_expect_after(MS(40), SEG(.flags = ACK, .seq = 1001, .ack = 5011));
	rig_rx(SEG(.flags = ACK, .seq = 5011, .ack = 1001, .len = 10, CE));
	rig_expect(SEG(.flags = ECE_ACK, .seq = 1001, .ack = 5021));
	rig_rx(SEG(.flags = ACK, .seq = 5021, .ack = 1001, .len = 10, ECT0));
	rig_expect_after(MS(40),
			 SEG(.flags = ECE_ACK, .seq = 1001, .ack = 5031));
	rig_send(10);
	rig_expect(SEG(.flags = ECE_ACK, .seq = 1001, .ack = 5031, .len = 10,
		       ECT0));
	rig_rx(SEG(.flags = ACK | TH_CWR, .seq = 5031, .ack = 1011, .len = 10,
		   ECT0));
	rig_expect(SEG(.flags = ACK, .seq = 1011, .ack = 5041));
	/* CWR itself may be marked: a new one. */
	rig_rx(SEG(.flags = ACK, .seq = 5041, .ack = 1011, .len = 10, CE));
	rig_expect(SEG(.flags = ECE_ACK, .seq = 1011, .ack = 5051));
	rig_rx(SEG(.flags = ACK | TH_CWR, .seq = 5051, .ack = 1011, .len = 10,
		   CE));
	rig_expect(SEG(.flags = ECE_ACK, .seq = 1011, .ack = 5061));
	rig_check(rig_stats().ce_in == 3);
	rig_abort();
	rig_expect(SEG(.flags = ACK | TH_RST, .seq = 1011, .ack = 5061));
	rig_end();
}

/* One of several segments is enough, if one ACK answers all. */
static void rcv_mark_among_others(void)
{
	established_ecn();
	rig_hold();
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001, .len = 10, CE));
	rig_rx(SEG(.flags = ACK, .seq = 5011, .ack = 1001, .len = 10, ECT0));
	rig_release();
	rig_expect(SEG(.flags = ECE_ACK, .seq = 1001, .ack = 5021));
	/* Out of order it counts, too. */
	rig_rx(SEG(.flags = ACK | TH_CWR, .seq = 5021, .ack = 1001, .len = 10,
		   ECT0));
	rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5031));
	rig_rx(SEG(.flags = ACK, .seq = 5041, .ack = 1001, .len = 10, CE));
	rig_expect(SEG(.flags = ECE_ACK, .seq = 1001, .ack = 5031));
	rig_end();
}

/* 6.1.5: not on what is outside the window, or was received before; and pure
 * ACKs are not ECN-capable at all. */
static void rcv_mark_ignored(void)
{
	established_ecn();
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001, .len = 10, ECT0));
	rig_expect_after(MS(40), SEG(.flags = ACK, .seq = 1001, .ack = 5011));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001, .len = 10, CE));
	rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5011));
	rig_rx(SEG(.flags = ACK, .seq = 5011 + 70000, .ack = 1001, .len = 10,
		   CE));
	rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5011));
	rig_rx(SEG(.flags = ACK, .seq = 5011, .ack = 1001, CE));
	rig_expect_silence();
	rig_check(rig_stats().ce_in == 0);
	rig_end();
}

/* Have 10 segments of 1000 in flight, at cwnd 10000. */
static void flight(void)
{
	struct tcp_seg s;

	rig_send(20000);
	for (unsigned int i = 0; i < 10; i++) {
		rig_check(rig_take(&s));
		rig_check(s.len == 1000 && (s.tos & 3) == IP_ECN_ECT0);
	}
	rig_expect_silence();
	rig_check(info().in_flight == 10000);
}

/* 6.1.2: an echo halves the window, once for what was in flight, and does not
 * make it grow; CWR is on the next new text and on no other. */
static void snd_echoed(void)
{
	established_ecn();
	flight();
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 2001));
	rig_check(info().cwnd == 5000);
	rig_check(info().ssthresh == 5000);
	rig_expect_silence();
	for (tcp_seq ack = 3001; ack <= 6001; ack += 1000)
		rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = ack));
	rig_expect_silence();
	rig_check(info().cwnd == 5000);
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 7001));
	rig_expect(SEG(.flags = ACK | TH_CWR, .seq = 11001, .ack = 5001,
		       .len = 1000, ECT0));
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 11001));
	for (tcp_seq seq = 12001; seq < 16001; seq += 1000)
		rig_expect(SEG(.flags = ACK, .seq = seq, .ack = 5001,
			       .len = 1000, ECT0));
	rig_expect_silence();
	rig_check(info().cwnd == 5000);
	rig_check(rig_stats().ecn_reductions == 1);
	rig_check(rig_stats().ece_in == 7);
	/* The peer saw CWR. What it echoes now is of another round. */
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 12001));
	rig_check(rig_stats().ecn_reductions == 2);
	rig_check(info().cwnd == 2500);
	rig_forget();
	rig_end();
}

/* CWR leaves in one segment: the device would put it into each of many. */
static void snd_cwr_alone(void)
{
	rig.conf.gso_max = 60000;
	established_ecn();
	rig_send(30000);
	rig_expect(SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 10000,
		       ECT0));
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 11001));
	rig_expect(SEG(.flags = ACK | TH_CWR, .seq = 11001, .ack = 5001,
		       .len = 1000, ECT0));
	rig_expect(SEG(.flags = ACK, .seq = 12001, .ack = 5001, .len = 4000,
		       ECT0));
	rig_expect_silence();
	rig_end();
}

/* RFC 9438, 4.6: CUBIC goes to 0.7 of it. */
static void snd_echoed_cubic(void)
{
	rig.conf.congestion = CC_CUBIC;
	established_ecn();
	flight();
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 2001));
	rig_check(info().cwnd == 7000);
	rig_forget();
	rig_end();
}

/* 6.1.2: once for losses and marks of one window, and CWR tells of that. */
static void snd_echoed_in_recovery(void)
{
	uint32_t ssthresh, nxt;

	established_ecn();
	flight();
	for (unsigned int i = 0; i < 3; i++)
		rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 1001));
	rig_forget();
	rig_check(rig_stats().ecn_reductions == 0);
	ssthresh = info().ssthresh;
	nxt = info().snd_nxt - rig_only()->iss_off;
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = nxt));
	rig_check(info().ssthresh == ssthresh);
	rig_check(rig_stats().ecn_reductions == 0);
	rig_expect(SEG(.flags = ACK | TH_CWR, .seq = nxt, .ack = 5001,
		       .len = 1000, ECT0));
	rig_forget();
	rig_end();
}

/* Two segments are the least after a loss; marks may go down to one, and then
 * to one an RTO (6.1.2; RFC 9438, 4.6). */
static void snd_echoed_to_the_last(void)
{
	established_ecn();
	rig_send(2000);
	rig_forget();
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 3001));
	rig_check(info().cwnd == 1000);
	rig_send(3000);
	rig_expect(SEG(.flags = ACK | TH_CWR, .seq = 3001, .ack = 5001,
		       .len = 1000, ECT0));
	rig_expect_silence();
	rig_wait(MS(10));
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 4001));
	rig_check(info().cwnd == 1000);
	rig_check(info().hold_in_us == S(1));
	rig_expect_after(S(1), SEG(.flags = ACK | TH_CWR, .seq = 4001,
				   .ack = 5001, .len = 1000, ECT0));
	/* Without another mark it recovers. */
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 5001));
	rig_check(info().cwnd == 2000);
	rig_expect(
		SEG(.flags = ACK, .seq = 5001, .ack = 5001, .len = 1000, ECT0));
	rig_end();
}

/* While new text waits for that RTO, what is in flight may be lost: the probe
 * (RFC 8985, 7.3) is of old text then, as if there were no other. */
static void probe_between_segments(void)
{
	struct tcp_seg s;

	rig.listener.nodelay = true;
	rig.conf.ecn = ECN_ACCEPT;
	rig_rx(SEG(.flags = TH_SYN | TH_ECE | TH_CWR, .seq = 5000, MSS(1000),
		   SACK_OK));
	rig_check(rig_take(&s));
	rig_wait(MS(10));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
	rig_send(2000);
	rig_forget();
	rig_wait(MS(10));
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 3001));
	rig_check(info().cwnd == 1000);
	for (unsigned int i = 0; i < 5; i++)
		rig_send(300);
	rig_forget();
	rig_check(info().in_flight == 900);
	rig_wait(MS(10));
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 3301));
	rig_check(info().cwnd == 1000);
	/* Two round trips, and what a delayed ACK and a client may take. */
	rig_expect_after(MS(20 + 10 + 200), SEG(.flags = ACK, .seq = 3601,
						.ack = 5001, .len = 300));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 3301, SACK(3601, 3901)));
	rig_forget();
	rig_end();
}

/* What an RTO did is told as well. */
static void snd_cwr_after_timeout(void)
{
	established_ecn();
	rig_send(1000);
	rig_expect(
		SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 1000, ECT0));
	rig_expect_after(
		S(1), SEG(.flags = ACK, .seq = 1001, .ack = 5001, .len = 1000));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 2001));
	rig_send(1000);
	rig_expect(SEG(.flags = ACK | TH_CWR, .seq = 2001, .ack = 5001,
		       .len = 1000, ECT0));
	rig_end();
}

/* A connection that ends leaves nothing of it to the next one. */
static void reused_after_time_wait(void)
{
	established_ecn();
	rig_close();
	rig_expect(SEG(.flags = ACK | TH_FIN, .seq = 1001, .ack = 5001));
	rig_rx(SEG(.flags = ACK | TH_FIN, .seq = 5001, .ack = 1002));
	rig_expect(SEG(.flags = ACK, .seq = 1002, .ack = 5002));
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_only()->iss_known = false;
	rig_rx(SEG(.flags = SYN, .seq = 900000, MSS(1000)));
	rig_expect(SEG(.flags = SYNACK, .seq = 1000, .ack = 900001,
		       MSS(rig_mss())));
	rig_end();
}

/* 6.1.2: nor for a loss in the window that a mark reduced. */
static void snd_lost_after_echo(void)
{
	established_ecn();
	flight();
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 2001));
	rig_check(info().ssthresh == 5000);
	for (unsigned int i = 0; i < 3; i++)
		rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 2001));
	rig_expect(SEG(.flags = ACK, .seq = 2001, .ack = 5001, .len = 1000));
	rig_check(info().ssthresh == 5000);
	/* A loss of the next window is another one. */
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 11001));
	rig_forget();
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 12001));
	rig_forget();
	for (unsigned int i = 0; i < 3; i++)
		rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 12001));
	rig_check(info().ssthresh < 5000);
	rig_forget();
	rig_end();
}

/* Nor for one that a tail loss probe repaired. */
static void snd_probed_after_echo(void)
{
	struct tcp_seg s;

	rig.conf.ecn = ECN_ACCEPT;
	rig_rx(SEG(.flags = TH_SYN | TH_ECE | TH_CWR, .seq = 5000, MSS(1000),
		   SACK_OK));
	rig_check(rig_take(&s));
	rig_wait(MS(10));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
	rig_send(10000);
	rig_forget();
	rig_wait(MS(10));
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 9001));
	rig_check(info().ssthresh == 5000);
	rig_wait(MS(60));
	rig_check(rig_take(&s) && s.seq == 10001 && s.len == 1000);
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 11001));
	rig_send(1000);
	rig_forget();
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 12001));
	rig_check(info().ssthresh == 5000);
	rig_end();
}

/* RFC 4015, 3.2: a reduction that was taken back is none, and what was in
 * flight may have been marked. */
static void snd_echoed_after_undo(void)
{
	struct tcp_seg s;

	rig.conf.ecn = ECN_ACCEPT;
	rig_rx(SEG(.flags = TH_SYN | TH_ECE | TH_CWR, .seq = 5000, MSS(1012),
		   SACK_OK, TS(1)));
	rig_check(rig_take(&s));
	rig_wait(MS(100));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001));
	rig_send(20000);
	rig_forget();
	rig_wait(MS(100));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 1001, SACK(2001, 5001)));
	rig_check(rig_take(&s) && s.seq == 1001);
	rig_forget();
	rig_wait(MS(10));
	rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = 5001, .echo_ago_ms = 100));
	rig_check(rig_stats().spurious_recoveries == 1);
	/* No CWR either: it would hide the next mark. */
	while (rig_take(&s))
		rig_check(!(s.flags & TH_CWR));
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 6001));
	rig_check(rig_stats().ecn_reductions == 1);
	rig_forget();
	rig_end();
}

/* What was reduced for is in flight, or its number would come round and hide a
 * mark half the numbers later. */
static void reduced_up_to_what_is_in_flight(void)
{
	const struct tcp_active *a;

	established_ecn();
	flight();
	rig_rx(SEG(.flags = ECE_ACK, .seq = 5001, .ack = 2001));
	a = ref_ptr(&rig.st->arena, rig_only()->c->active);
	rig_check(a->cwr_end == rig_only()->c->snd_nxt);
	for (tcp_seq ack = 11001; ack <= 13001; ack += 1000)
		rig_rx(SEG(.flags = ACK, .seq = 5001, .ack = ack));
	rig_forget();
	rig_check(a->cwr_end == 12001 + rig_only()->iss_off);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(syn_accepted),
	UNIT_TEST(syn_not_asking),
	UNIT_TEST(syn_repeated),
	UNIT_TEST(syn_cookie),
	UNIT_TEST(open_asks),
	UNIT_TEST(open_falls_back),
	UNIT_TEST(open_simultaneous),
	UNIT_TEST(snd_text),
	UNIT_TEST(snd_control),
	UNIT_TEST(rcv_mark),
	UNIT_TEST(rcv_mark_among_others),
	UNIT_TEST(rcv_mark_ignored),
	UNIT_TEST(snd_echoed),
	UNIT_TEST(snd_cwr_alone),
	UNIT_TEST(snd_echoed_cubic),
	UNIT_TEST(snd_echoed_in_recovery),
	UNIT_TEST(snd_echoed_to_the_last),
	UNIT_TEST(probe_between_segments),
	UNIT_TEST(snd_cwr_after_timeout),
	UNIT_TEST(reused_after_time_wait),
	UNIT_TEST(snd_lost_after_echo),
	UNIT_TEST(snd_probed_after_echo),
	UNIT_TEST(snd_echoed_after_undo),
	UNIT_TEST(reduced_up_to_what_is_in_flight),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_ecn", tests, ARRAY_LEN(tests), argc, argv);
}
