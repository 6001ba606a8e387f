/*
 * test_flow.c - How a connection began, as the judge sees it
 */
#include <string.h>

#include "core/assert.h"
#include "flow_rig.h"
#include "unit.h"

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
	expect_only(v, ANOMALY_SYN_RETRANSMITTED);
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
	CU_ASSERT_EQUAL(v->completeness, 13); /* SYN, ACK, text */
	expect_only(v, ANOMALY_ASYMMETRIC);
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

	begin();
	cap.p.opts = POPT_MSS | POPT_TFO;
	cap.p.mss = 1460;
	c(SYN, CISN, 0, 50);
	s(SA, SISN, CISN + 21, 0);
	c(PSH, CISN + 21, SISN + 1, 30);
	v = end();
	CU_ASSERT_EQUAL(v->tfo, TFO_PARTLY);
	CU_ASSERT_EQUAL(v->side[CLIENT].by_seq, 50);
	done();
}

/* The SYN-ACK was lost behind the capture: a SYN that comes again is not what it
 * answers, and nothing took less than no time. */
static void syn_again_behind_its_answer(void)
{
	const struct verdict *v;

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	wait_ms(1000);
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	c(PSH, CISN + 101, SISN + 1, 100);
	wait_ms(0);
	c(PSH, CISN + 1, SISN + 1, 100);
	v = end();
	CU_ASSERT_EQUAL(v->syn.tries, 2);
	CU_ASSERT_EQUAL(v->last_syn_synack_ns, MS);
	CU_ASSERT_EQUAL(v->side[CLIENT].late, 1);
	done();
}

/* RFC 3168, 6.1.1; RFC 9768, 3.1.1. */
static void ecn(void)
{
	static const struct {
		uint16_t syn, synack;
		bool client, server;
	} all[] = {
		{0, 0, false, false},
		{TH_ECE | TH_CWR, TH_ECE, true, true},
		{TH_ECE | TH_CWR, 0, true, false},
		/* All bits back: it copies what it does not know. */
		{0x100 | TH_ECE | TH_CWR, 0x100 | TH_ECE | TH_CWR, true, false},
		{0x100 | TH_ECE | TH_CWR, TH_CWR, true, true},
		{TH_ECE, 0, false, false},
	};
	const struct verdict *v;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		begin();
		c(SYN | all[i].syn, CISN, 0, 0);
		s(SA | all[i].synack, SISN, CISN + 1, 0);
		v = end();
		CU_ASSERT_EQUAL(v->side[CLIENT].ecn, all[i].client);
		CU_ASSERT_EQUAL(v->side[SERVER].ecn, all[i].server);
		done();
	}
}

static void windows(void)
{
	const struct verdict *v;

	handshake();
	cap.p.wnd = 100;
	s(ACK, SISN + 1, CISN + 1, 0);
	v = end();
	CU_ASSERT_TRUE(v->side[SERVER].window_known);
	CU_ASSERT_EQUAL(v->side[SERVER].window_min, 100);
	CU_ASSERT_EQUAL(v->side[SERVER].window_max, WND);
	CU_ASSERT_EQUAL(v->side[CLIENT].window_min, WND);
	done();

	begin(); /* who knows the scale? */
	c(PSH, CISN + 1, SISN + 1, 10);
	s(ACK, SISN + 1, CISN + 11, 0);
	v = end();
	CU_ASSERT_FALSE(v->side[CLIENT].window_known);
	CU_ASSERT_FALSE(v->side[SERVER].window_known);
	done();
}

/* The snap length ends inside of the SYNs' options: nothing is said of those
 * that are not there, and windows cannot be known. */
static void options_cut(void)
{
	const struct verdict *v;

	begin();
	cap.p.opts = POPT_MSS | POPT_SACK_OK | POPT_WSCALE;
	cap.p.mss = 1460;
	c(SYN, CISN, 0, 0);
	cap.p.opts = POPT_OTHER; /* not those of the rig */
	cap.p.notes = NOTE_OPTIONS_CUT;
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	c(PSH, CISN + 1 + 2 * WND, SISN + 1, 10);
	v = end();
	expect_none(v);
	CU_ASSERT_FALSE(v->cookie_like);
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
		UNIT_TEST(syn_again_behind_its_answer),
		UNIT_TEST(ecn),
		UNIT_TEST(windows),
		UNIT_TEST(options_cut),
		UNIT_TEST(sentences),
	};

	return unit_run("flow", tests, ARRAY_LEN(tests), argc, argv);
}
