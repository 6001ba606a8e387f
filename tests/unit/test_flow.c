/*
 * test_flow.c - What the passive judge says of a connection
 *
 * Each test is a capture: c() is a packet of the client, s() one of the server,
 * a millisecond apart. Then the verdict is looked at.
 */
#include <string.h>

#include <tcphs/analysis.h>

#include "core/assert.h"
#include "unit.h"

#define SYN  TH_SYN
#define SA   (TH_SYN | TH_ACK)
#define ACK  TH_ACK
#define PSH  (TH_PSH | TH_ACK)
#define FIN  (TH_FIN | TH_ACK)
#define RST  TH_RST
#define RA   (TH_RST | TH_ACK)
#define MS   1000000ll
#define CISN 1000u
#define SISN 5000u
#define WND  60000
#define TTL  64

#define VERDICTS_MAX 8

static struct capture {
	struct analysis *judge;
	struct verdict v[VERDICTS_MAX];
	unsigned int n;
	struct packet p; /* what the next packet is made of */
	int64_t ns;
	uint64_t frame;
} cap;

static void keep(void *ctx, const struct verdict *v)
{
	(void)ctx;
	CU_ASSERT_FATAL(cap.n < VERDICTS_MAX);
	cap.v[cap.n++] = *v;
}

static void fresh(void)
{
	memset(&cap.p, 0, sizeof(cap.p));
	cap.p.kind = PACKET_TCP;
	cap.p.wnd = WND;
	cap.p.ttl = TTL;
}

static void begin_with(size_t memory)
{
	struct analysis_conf conf = ANALYSIS_DEFAULTS;

	conf.memory = memory;
	memset(&cap, 0, sizeof(cap));
	cap.judge = analysis_new(&conf, keep, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(cap.judge);
	fresh();
}

static void begin(void)
{
	begin_with(1 << 20);
}

/* The verdict on the first connection. */
static const struct verdict *end(void)
{
	analysis_end(cap.judge);
	CU_ASSERT_FATAL(cap.n >= 1);
	return &cap.v[0];
}

static void done(void)
{
	analysis_free(cap.judge);
	cap.judge = NULL;
}

static void wait_ms(int64_t ms)
{
	cap.ns += (ms - 1) * MS;
}

static void send_packet(uint8_t from, uint16_t flags, uint32_t seq,
			uint32_t ack, uint32_t len)
{
	static const uint8_t text[2000] = {1, 2, 3};
	static const struct ip_addr addr[2] = {
		{.b = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}},
		{.b = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}},
	};
	static const uint16_t port[2] = {40000, 80};

	cap.p.number = ++cap.frame;
	cap.p.ns = cap.ns += MS;
	cap.p.src = addr[from];
	cap.p.dst = addr[!from];
	cap.p.sport = port[from];
	cap.p.dport = port[!from];
	cap.p.flags = flags;
	cap.p.seq = seq;
	cap.p.ack = ack;
	cap.p.len = cap.p.cap_len = len;
	if (!cap.p.text)
		cap.p.text = text;
	if (flags & SYN && !cap.p.opts) {
		cap.p.opts = POPT_MSS | POPT_SACK_OK | POPT_WSCALE;
		cap.p.mss = 1460;
	}
	analysis_take(cap.judge, &cap.p);
	fresh();
}

static void c(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	send_packet(0, flags, seq, ack, len);
}

static void s(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	send_packet(1, flags, seq, ack, len);
}

static void handshake(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
}

static const struct anomaly *odd(const struct verdict *v,
				 enum anomaly_kind kind)
{
	for (int i = 0; i < v->nanomalies; i++)
		if (v->anomaly[i].kind == kind)
			return &v->anomaly[i];
	return NULL;
}

static void expect_none(const struct verdict *v)
{
	for (int i = 0; i < v->nanomalies; i++)
		fprintf(stderr, "unexpected: %s\n",
			anomaly_name(v->anomaly[i].kind));
	CU_ASSERT_EQUAL(v->nanomalies, 0);
}

/* ---- outcomes ------------------------------------------------------------ */

static void outcome_completed(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	s(PSH, SISN + 1, CISN + 101, 300);
	c(FIN, CISN + 101, SISN + 301, 0);
	s(FIN, SISN + 301, CISN + 102, 0);
	c(ACK, CISN + 102, SISN + 302, 0);
	v = end();
	CU_ASSERT_EQUAL(cap.n, 1);
	CU_ASSERT_EQUAL(v->outcome, JUDGED_COMPLETED);
	CU_ASSERT_EQUAL(v->stage, REACHED_LATER);
	CU_ASSERT_FALSE(v->inferred);
	CU_ASSERT_TRUE(v->client_known);
	CU_ASSERT_EQUAL(v->side[CLIENT].port, 40000);
	CU_ASSERT_EQUAL(v->syn.frame, 1);
	CU_ASSERT_EQUAL(v->synack.frame, 2);
	CU_ASSERT_EQUAL(v->ack.frame, 3);
	CU_ASSERT_EQUAL(v->syn_synack_ns, MS);
	CU_ASSERT_EQUAL(v->synack_ack_ns, MS);
	CU_ASSERT_EQUAL(v->total_ns, 2 * MS);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 300);
	CU_ASSERT_EQUAL(v->ending, ENDING_FIN_BOTH);
	CU_ASSERT_EQUAL(v->first_fin, CLIENT);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "SF");
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "ShADdFf");
	CU_ASSERT_EQUAL(v->completeness, 31);
	expect_none(v);
	done();
}

static void outcome_refused(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(RA, 0, CISN + 1, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_REFUSED);
	CU_ASSERT_EQUAL(v->stage, REACHED_SYN);
	CU_ASSERT_EQUAL(v->ending, ENDING_NONE);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "REJ");
	CU_ASSERT_EQUAL(v->completeness, 33);
	expect_none(v);
	done();
}

/* RFC 9293, 3.10.7.3: a RST that acknowledges something else is forged. */
static void refused_by_a_forged_rst(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(RA, 0, CISN + 2, 0);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_COMPLETED);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_RST_OUT_OF_WINDOW));
	done();
}

/* The same socket calls again, with the same number: two attempts. */
static void refused_twice(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	s(RA, 0, CISN + 1, 0);
	c(SYN, CISN, 0, 0);
	s(RA, 0, CISN + 1, 0);
	end();
	CU_ASSERT_EQUAL(cap.n, 2);
	CU_ASSERT_EQUAL(cap.v[1].outcome, JUDGED_REFUSED);
	done();
}

static void outcome_timeout(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	wait_ms(1000);
	c(SYN, CISN, 0, 0);
	wait_ms(2000);
	c(SYN, CISN, 0, 0);
	v = end();
	CU_ASSERT_EQUAL(cap.n, 1);
	CU_ASSERT_EQUAL(v->outcome, JUDGED_TIMEOUT);
	CU_ASSERT_EQUAL(v->syn.tries, 3);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "S0");
	CU_ASSERT_EQUAL(v->completeness, 1);
	expect_none(v);
	done();
}

static void timeout_with_icmp(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	cap.p.kind = PACKET_ICMP;
	cap.p.icmp_type = 3;
	cap.p.icmp_code = 13;
	c(0, CISN, 0, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_TIMEOUT);
	CU_ASSERT_TRUE(v->icmp);
	CU_ASSERT_EQUAL(v->icmp_code, 13);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_ICMP_ERROR));
	done();
}

/* RFC 5927, 4.1: it quotes what was never sent. */
static void icmp_forged(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	cap.p.kind = PACKET_ICMP;
	cap.p.icmp_type = 3;
	c(0, CISN + 7777, 0, 0);
	v = end();
	CU_ASSERT_FALSE(v->icmp);
	expect_none(v);
	done();
}

static void outcome_reset_mid(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	c(RST, CISN + 1, 0, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_RESET_MID);
	CU_ASSERT_EQUAL(v->stage, REACHED_SYNACK);
	CU_ASSERT_EQUAL(v->completeness, 35);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "RSTO");
	done();
}

/* The client gives up before there is an answer. */
static void reset_before_any_answer(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	c(RST, CISN + 1, 0, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_RESET_MID);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "RSTOS0");
	done();
}

static void outcome_half_open(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	wait_ms(1000);
	s(SA, SISN, CISN + 1, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_HALF_OPEN);
	CU_ASSERT_EQUAL(v->synack.tries, 2);
	CU_ASSERT_EQUAL(v->completeness, 3);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "S1");
	done();
}

/* tshark takes any ACK for the third step: this one is forged. */
static void half_open_with_a_forged_ack(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 100, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_HALF_OPEN);
	CU_ASSERT_EQUAL(v->completeness & 4, 0);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_ACK_OUT_OF_WINDOW));
	done();
}

static void outcome_midstream(void)
{
	const struct verdict *v;

	begin();
	s(PSH, 7000, 3000, 100);
	c(ACK, 3000, 7100, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_MIDSTREAM);
	CU_ASSERT_FALSE(v->client_known);
	CU_ASSERT_EQUAL(v->side[SERVER].port, 80); /* the lower one */
	CU_ASSERT_EQUAL(v->ending, ENDING_OPEN);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "OTH");
	expect_none(v);
	done();
}

static void outcome_syn_missing(void)
{
	const struct verdict *v;

	begin();
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_SYN_MISSING);
	CU_ASSERT_EQUAL(v->side[CLIENT].port, 40000);
	CU_ASSERT_EQUAL(v->completeness, 6);
	expect_none(v);
	done();
}

static void outcome_synack_missing(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	c(PSH, CISN + 1, SISN + 1, 10);
	v = end();
	CU_ASSERT_EQUAL(cap.n, 1);
	CU_ASSERT_EQUAL(v->outcome, JUDGED_SYNACK_MISSING);
	expect_none(v);
	done();
}

/* The third step was lost to the capture, or carried the first text. */
static void completed_inferred(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	s(PSH, SISN + 1, CISN + 1, 10);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_COMPLETED);
	CU_ASSERT_TRUE(v->inferred);
	done();

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	c(PSH, CISN + 1, SISN + 1, 10);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_COMPLETED);
	CU_ASSERT_FALSE(v->inferred);
	CU_ASSERT_EQUAL(v->stage, REACHED_FIRST_DATA);
	done();
}

static void simultaneous(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(SYN, SISN, 0, 0);
	c(SA, CISN, SISN + 1, 0);
	s(SA, SISN, CISN + 1, 0);
	v = end();
	CU_ASSERT_EQUAL(cap.n, 1);
	CU_ASSERT_TRUE(v->simultaneous);
	CU_ASSERT_EQUAL(v->outcome, JUDGED_COMPLETED);
	done();
}

static void another_number_another_attempt(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	c(SYN, CISN + 9999, 0, 0);
	s(SA, SISN, CISN + 10000, 0);
	c(ACK, CISN + 10000, SISN + 1, 0);
	end();
	CU_ASSERT_EQUAL(cap.n, 2);
	CU_ASSERT_EQUAL(cap.v[0].outcome, JUDGED_TIMEOUT);
	CU_ASSERT_EQUAL(cap.v[1].outcome, JUDGED_COMPLETED);
	done();
}

/* The ports of a closed connection are used again. */
static void reused_ports(void)
{
	handshake();
	c(FIN, CISN + 1, SISN + 1, 0);
	s(FIN, SISN + 1, CISN + 2, 0);
	c(ACK, CISN + 2, SISN + 2, 0);
	c(SYN, CISN + 70000, 0, 0);
	s(RA, 0, CISN + 70001, 0);
	end();
	CU_ASSERT_EQUAL(cap.n, 2);
	CU_ASSERT_EQUAL(cap.v[0].ending, ENDING_FIN_BOTH);
	CU_ASSERT_EQUAL(cap.v[1].outcome, JUDGED_REFUSED);
	done();
}

static void syn_in_established(void)
{
	const struct verdict *v;

	handshake();
	c(SYN, CISN + 70000, 0, 0);
	s(ACK, SISN + 1, CISN + 1, 0);
	c(PSH, CISN + 1, SISN + 1, 10);
	v = end();
	CU_ASSERT_EQUAL(cap.n, 1);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_SYN_IN_ESTABLISHED));
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 10);
	done();
}

static void two_synacks(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	s(SA, SISN + 50000, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 50001, 0);
	s(PSH, SISN + 50001, CISN + 1, 10);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_SYNACK_TWO_ISN));
	CU_ASSERT_EQUAL(v->outcome, JUDGED_COMPLETED);
	/* The one that was taken up counts. */
	CU_ASSERT_EQUAL(v->synack.seq, SISN + 50000);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 10);
	done();
}

static void synack_of_something_else(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 500, 0);
	v = end();
	CU_ASSERT_EQUAL(v->outcome, JUDGED_TIMEOUT);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_SYNACK_ACK_MISMATCH));
	done();
}

static void cookie_like(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	cap.p.opts = POPT_MSS;
	cap.p.mss = 536;
	s(SA, SISN, CISN + 1, 0);
	v = end();
	CU_ASSERT_TRUE(v->cookie_like);
	done();
}

static void fast_open(void)
{
	const struct verdict *v;

	begin();
	cap.p.opts = POPT_MSS | POPT_TFO;
	cap.p.mss = 1460;
	c(SYN, CISN, 0, 50);
	s(SA, SISN, CISN + 51, 0);
	v = end();
	CU_ASSERT_EQUAL(v->tfo, TFO_ACCEPTED);
	done();

	begin();
	cap.p.opts = POPT_MSS | POPT_TFO;
	cap.p.mss = 1460;
	c(SYN, CISN, 0, 50);
	s(SA, SISN, CISN + 1, 0);
	v = end();
	CU_ASSERT_EQUAL(v->tfo, TFO_IGNORED);
	done();
}

/* ---- endings ------------------------------------------------------------- */

static void half_closed(void)
{
	const struct verdict *v;

	handshake();
	s(FIN, SISN + 1, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 2, 0);
	c(PSH, CISN + 1, SISN + 2, 10);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_HALF_SERVER);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "S3");
	done();
}

static void reset_exact(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 10);
	s(RST, SISN + 1, 0, 0);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_RST_SERVER);
	CU_ASSERT_TRUE(v->rst_plausible);
	CU_ASSERT_STRING_EQUAL(v->zeek_state, "RSTR");
	expect_none(v);
	done();
}

static void reset_out_of_window(void)
{
	const struct verdict *v;
	const struct anomaly *a;

	handshake();
	s(RST, SISN + 100000000, 0, 0);
	s(PSH, SISN + 1, CISN + 1, 10);
	c(ACK, CISN + 1, SISN + 11, 0);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_OPEN);
	a = odd(v, ANOMALY_RST_OUT_OF_WINDOW);
	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_EQUAL(a->frame, 4);
	CU_ASSERT_EQUAL(a->expected, SISN + 1);
	CU_ASSERT_EQUAL(a->got, SISN + 100000000);
	/* Nothing behind it is taken for a copy of what came before. */
	CU_ASSERT_EQUAL(v->side[SERVER].seen_before, 0);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 10);
	done();
}

static void reset_in_window_ignored(void)
{
	const struct verdict *v;

	handshake();
	cap.p.ttl = TTL - 9;
	s(RST, SISN + 500, 0, 0);
	s(PSH, SISN + 1, CISN + 1, 10);
	c(ACK, CISN + 1, SISN + 11, 0);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_OPEN);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_RST_NOT_EXACT));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_RST_IGNORED));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_RST_TTL_MISMATCH));
	done();
}

/* ---- text that comes again ----------------------------------------------- */

static void seen_before(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	wait_ms(300);
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	expect_none(v);
	done();
}

static void needless(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	s(ACK, SISN + 1, CISN + 101, 0);
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].needless, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].seen_before, 0);
	done();
}

/* The first copy never came here; it was noticed and sent again. */
static void fills_a_hole(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 101, SISN + 1, 100);
	wait_ms(300);
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 0);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 200);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 200);
	done();
}

static void late_by_time(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	wait_ms(20);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	c(PSH, CISN + 101, SISN + 1, 100);
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 0);
	done();
}

static void late_by_timestamp(void)
{
	const struct verdict *v;

	handshake();
	cap.p.opts = POPT_TS;
	cap.p.ts_val = 20;
	c(PSH, CISN + 101, SISN + 1, 100);
	wait_ms(300);
	cap.p.opts = POPT_TS;
	cap.p.ts_val = 10;
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 1);
	done();
}

/* What was never captured was acknowledged: it is missing, no more. */
static void not_captured(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	s(ACK, SISN + 1, CISN + 1101, 0);
	c(PSH, CISN + 1101, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 1200);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 200);
	expect_none(v);
	done();
}

/* An ACK came before the text that was sent before it. */
static void overtaken_by_an_ack(void)
{
	const struct verdict *v;

	handshake();
	c(ACK, CISN + 101, SISN + 1, 0);
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].late + v->side[CLIENT].filled_hole, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].captured, 100);
	done();
}

static void keep_alive(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	s(ACK, SISN + 1, CISN + 101, 0);
	wait_ms(60000);
	c(ACK, CISN + 100, SISN + 1, 1);
	s(ACK, SISN + 1, CISN + 101, 0);
	v = end();
	CU_ASSERT_EQUAL(v->side[CLIENT].needless, 0);
	expect_none(v);
	done();
}

static void out_of_window(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1 + WND + 1, SISN + 1, 100);
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_SEQ_OUT_OF_WINDOW));
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[CLIENT].filled_hole, 0);
	done();
}

static void different_data(void)
{
	static const uint8_t other[100] = {9, 9, 9};
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	cap.p.text = other;
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_DIFFERENT_DATA));
	done();
}

/* ---- windows, options, headers ------------------------------------------- */

static void zero_window(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	cap.p.wnd = 0;
	s(ACK, SISN + 1, CISN + 101, 0);
	c(ACK, CISN + 101, SISN + 1, 1); /* a probe is no text */
	cap.p.wnd = 0;
	s(ACK, SISN + 1, CISN + 101, 0);
	s(ACK, SISN + 1, CISN + 101, 0);
	v = end();
	CU_ASSERT_EQUAL(v->side[SERVER].zero_windows, 1);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 100);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_ZERO_WINDOW));
	done();
}

static void window_shrunk(void)
{
	const struct verdict *v;

	handshake();
	s(ACK, SISN + 1, CISN + 1, 0);
	cap.p.wnd = WND / 2;
	s(ACK, SISN + 1, CISN + 1, 0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_WINDOW_SHRUNK));
	done();
}

static void odd_flags(void)
{
	const struct verdict *v;

	handshake();
	c(TH_FIN | TH_URG | TH_PSH, CISN + 1, 0, 0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_FLAGS_ODD));
	done();
}

static void options_changed(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	cap.p.opts = POPT_MSS;
	cap.p.mss = 1460;
	c(SYN, CISN, 0, 0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_OPTIONS_CHANGED));
	done();
}

static void timestamps(void)
{
	const uint8_t with = POPT_MSS | POPT_TS;
	const struct verdict *v;

	begin();
	cap.p.opts = with;
	cap.p.mss = 1460;
	cap.p.ts_val = 100;
	c(SYN, CISN, 0, 0);
	cap.p.opts = with;
	cap.p.mss = 1460;
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0); /* without */
	cap.p.opts = POPT_TS;
	cap.p.ts_val = 50;
	c(PSH, CISN + 1, SISN + 1, 10);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_TS_MISSING));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_TS_BACKWARDS));
	done();
}

/* Wrong on the wire: nobody takes it, and it comes again. */
static void checksum_bad(void)
{
	const struct verdict *v;

	handshake();
	cap.p.notes = NOTE_TCP_SUM;
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_CHECKSUM_BAD));
	done();
}

/* Wrong where it was captured: the other side takes it. */
static void checksum_offload(void)
{
	const struct verdict *v;

	handshake();
	cap.p.notes = NOTE_TCP_SUM;
	c(PSH, CISN + 1, SISN + 1, 100);
	s(ACK, SISN + 1, CISN + 101, 0);
	v = end();
	CU_ASSERT_PTR_NULL(odd(v, ANOMALY_CHECKSUM_BAD));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_CHECKSUM_OFFLOAD));
	done();
}

static void other_ways(void)
{
	const struct verdict *v;

	handshake();
	cap.p.ttl = TTL - 3;
	s(PSH, SISN + 1, CISN + 1, 10);
	cap.p.flags = 0;
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_TTL_SHIFT));
	done();
}

static void syn_options(void)
{
	const struct verdict *v;

	begin();
	cap.p.opts = POPT_MSS | POPT_WSCALE;
	cap.p.mss = 64;
	cap.p.wscale = 15;
	cap.p.notes = NOTE_OPTION;
	c(SYN | 0x200, CISN, 0, 0);
	v = end();
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_MSS_TINY));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_WS_OVER_14));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_OPTION_TRUNCATED));
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_RESERVED_BITS));
	done();
}

/* ---- many of them -------------------------------------------------------- */

/* Silence ends attempts sooner than connections. */
static void silence(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	wait_ms(131 * 1000);
	cap.p.kind = PACKET_OTHER;
	analysis_take(cap.judge, &cap.p);
	CU_ASSERT_EQUAL(cap.n, 0); /* its time is 0: not yet */
	cap.p.ns = cap.ns + MS;
	analysis_take(cap.judge, &cap.p);
	CU_ASSERT_EQUAL(cap.n, 1);
	done();

	handshake();
	wait_ms(131 * 1000);
	cap.p.kind = PACKET_OTHER;
	cap.p.ns = cap.ns + MS;
	analysis_take(cap.judge, &cap.p);
	CU_ASSERT_EQUAL(cap.n, 0);
	done();
}

/* Memory for two: the third one makes room, and is counted. */
static void eviction(void)
{
	begin_with(2 * 512);
	for (uint16_t i = 0; i < 3; i++) {
		cap.p.ns = cap.ns += MS;
		cap.p.number = i + 1u;
		cap.p.src.b[15] = 1;
		cap.p.dst.b[15] = 2;
		cap.p.sport = (uint16_t)(1000 + i);
		cap.p.dport = 80;
		cap.p.flags = SYN;
		analysis_take(cap.judge, &cap.p);
	}
	CU_ASSERT_EQUAL(cap.n, 1);
	CU_ASSERT_EQUAL(analysis_stats(cap.judge)->evicted, 1);
	CU_ASSERT_EQUAL(analysis_stats(cap.judge)->live, 2);
	analysis_end(cap.judge);
	CU_ASSERT_EQUAL(cap.n, 3);
	CU_ASSERT_EQUAL(cap.v[0].side[CLIENT].port, 1000);
	CU_ASSERT_EQUAL(analysis_stats(cap.judge)->outcomes[JUDGED_TIMEOUT], 3);
	done();
}

static void sentences(void)
{
	char text[200];

	handshake();
	c(FIN, CISN + 1, SISN + 1, 0);
	s(FIN, SISN + 1, CISN + 2, 0);
	verdict_sentence(end(), text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "Handshake completed in 2.000 ms; closed "
				     "by both, the client first.");
	CU_ASSERT_EQUAL(verdict_sentence(&cap.v[0], text, 5),
			(int)strlen("Handshake completed in 2.000 ms; closed "
				    "by both, the client first."));
	CU_ASSERT_STRING_EQUAL(text, "Hand");
	done();
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(outcome_completed),
		UNIT_TEST(outcome_refused),
		UNIT_TEST(refused_by_a_forged_rst),
		UNIT_TEST(refused_twice),
		UNIT_TEST(outcome_timeout),
		UNIT_TEST(timeout_with_icmp),
		UNIT_TEST(icmp_forged),
		UNIT_TEST(outcome_reset_mid),
		UNIT_TEST(reset_before_any_answer),
		UNIT_TEST(outcome_half_open),
		UNIT_TEST(half_open_with_a_forged_ack),
		UNIT_TEST(outcome_midstream),
		UNIT_TEST(outcome_syn_missing),
		UNIT_TEST(outcome_synack_missing),
		UNIT_TEST(completed_inferred),
		UNIT_TEST(simultaneous),
		UNIT_TEST(another_number_another_attempt),
		UNIT_TEST(reused_ports),
		UNIT_TEST(syn_in_established),
		UNIT_TEST(two_synacks),
		UNIT_TEST(synack_of_something_else),
		UNIT_TEST(cookie_like),
		UNIT_TEST(fast_open),
		UNIT_TEST(half_closed),
		UNIT_TEST(reset_exact),
		UNIT_TEST(reset_out_of_window),
		UNIT_TEST(reset_in_window_ignored),
		UNIT_TEST(seen_before),
		UNIT_TEST(needless),
		UNIT_TEST(fills_a_hole),
		UNIT_TEST(late_by_time),
		UNIT_TEST(late_by_timestamp),
		UNIT_TEST(not_captured),
		UNIT_TEST(overtaken_by_an_ack),
		UNIT_TEST(keep_alive),
		UNIT_TEST(out_of_window),
		UNIT_TEST(different_data),
		UNIT_TEST(zero_window),
		UNIT_TEST(window_shrunk),
		UNIT_TEST(odd_flags),
		UNIT_TEST(options_changed),
		UNIT_TEST(timestamps),
		UNIT_TEST(checksum_bad),
		UNIT_TEST(checksum_offload),
		UNIT_TEST(other_ways),
		UNIT_TEST(syn_options),
		UNIT_TEST(silence),
		UNIT_TEST(eviction),
		UNIT_TEST(sentences),
	};

	return unit_run("flow", tests, ARRAY_LEN(tests), argc, argv);
}
