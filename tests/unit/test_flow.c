/*
 * test_flow.c - How a connection began and ended, as the judge sees it
 */
#include <string.h>

#include "core/assert.h"
#include "flow_rig.h"
#include "unit.h"

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

/* Zeek's letters beyond those of every connection. */
static void zeek_letters(void)
{
	const struct verdict *v;

	begin();
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	v = end();
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "^hA");
	done();

	handshake();
	c(PSH, CISN + 101, SISN + 1, 100);
	s(ACK, SISN + 1, CISN + 201, 0); /* of what is missing here, too */
	for (int i = 0; i < 12; i++) {
		wait_ms(300);
		c(PSH, CISN + 101, SISN + 1, 100);
	}
	cap.p.notes = NOTE_TCP_SUM;
	s(PSH, SISN + 1, CISN + 201, 10);
	cap.p.wnd = 0;
	s(ACK, SISN + 11, CISN + 201, 0);
	c(SYN | FIN, CISN + 201, SISN + 11, 0);
	c(FIN | RST, CISN + 201, SISN + 11, 0);
	v = end();
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "ShADaGTTcwQI");
	done();
}

/* What comes again with another number has its letter again, and a closed window
 * the tenth time. A FIN that brings text is no d. */
static void zeek_letters_again(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 100);
	s(FIN, SISN + 1, CISN + 101, 300);
	wait_ms(300);
	s(FIN, SISN + 1, CISN + 101, 300);
	c(FIN, CISN + 101, SISN + 302, 0);
	c(RST, CISN + 102, 0, 0);
	c(RST, CISN + 102, 0, 0);
	c(RST, CISN + 202, 0, 0);
	v = end();
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "ShADftFRR");
	done();

	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	s(SA, SISN, CISN + 1, 0);
	s(SA, SISN + 3000, CISN + 1, 0);
	v = end();
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "Shh");
	done();

	begin(); /* both call */
	c(SYN, CISN, 0, 0);
	s(SYN, SISN, 0, 0);
	c(SA, CISN, SISN + 1, 0);
	s(SA, SISN, CISN + 1, 0);
	v = end();
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "Ss");
	done();

	handshake();
	for (int i = 0; i < 12; i++) {
		cap.p.wnd = 0;
		s(ACK, SISN + 1, CISN + 1, 0);
	}
	v = end();
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "ShAaww");
	done();
}

/* Nobody has room behind the last of the text, and nobody needs it. */
static void zeek_letters_of_the_end(void)
{
	const struct verdict *v;

	handshake();
	s(FIN, SISN + 1, CISN + 1, 0);
	cap.p.wnd = 0;
	c(ACK, CISN + 1, SISN + 2, 0);
	v = end();
	CU_ASSERT_STRING_EQUAL(v->zeek_history, "ShAf");
	done();
}

static void expect_state(const char *state)
{
	CU_ASSERT_STRING_EQUAL(end()->zeek_state, state);
	done();
}

/* Two sides that were open before, by how they closed. */
static void zeek_states_of_midstream(void)
{
	begin();
	c(FIN, 7000, 3000, 0);
	s(FIN, 3000, 7001, 0);
	c(ACK, 7001, 3001, 0);
	expect_state("SF");

	begin();
	c(FIN, 7000, 3000, 0);
	s(ACK, 3000, 7001, 0);
	expect_state("SH");

	begin();
	s(FIN, 3000, 7000, 0);
	c(ACK, 7000, 3001, 0);
	expect_state("SHR");

	begin();
	c(PSH, 7000, 3000, 100);
	s(RST, 3000, 0, 0);
	expect_state("RSTRH");

	begin();
	s(PSH, 3000, 7000, 100);
	c(RST, 7000, 0, 0);
	expect_state("OTH");
}

/* The capture began behind the SYN: what the client says opens it. */
static void zeek_states_without_syn(void)
{
	begin();
	s(SA, SISN, CISN + 1, 0);
	expect_state("OTH");

	begin();
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	expect_state("S1");

	begin();
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	s(RST, SISN + 1, 0, 0);
	expect_state("RSTR");

	begin();
	s(SA, SISN, CISN + 1, 0);
	c(RST, CISN + 1, 0, 0);
	expect_state("RSTO");

	begin();
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	c(FIN, CISN + 1, SISN + 1, 0);
	s(FIN, SISN + 1, CISN + 2, 0);
	expect_state("SF");
}

/* The SYN-ACK is missing. */
static void zeek_states_without_synack(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	c(RST, CISN + 1, 0, 0);
	expect_state("OTH"); /* RSTOS0 is a SYN and a RST, and no ACK */

	begin();
	c(SYN, CISN, 0, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	s(PSH, SISN + 1, CISN + 1, 100);
	expect_state("OTH");

	begin();
	c(SYN, CISN, 0, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	s(FIN, SISN + 1, CISN + 1, 0);
	expect_state("S3");
}

/* Both have closed: a RST behind that changes nothing. */
static void zeek_state_closed_and_reset(void)
{
	handshake();
	c(FIN, CISN + 1, SISN + 1, 0);
	s(FIN, SISN + 1, CISN + 2, 0);
	c(RST, CISN + 2, 0, 0);
	expect_state("SF");

	handshake();
	c(FIN, CISN + 1, SISN + 1, 0);
	s(ACK, SISN + 1, CISN + 2, 0);
	s(RST, SISN + 1, 0, 0);
	expect_state("RSTR");
}

/* There is room for the letters of every connection, whatever stood before. */
static void zeek_letters_many(void)
{
	const struct verdict *v;

	handshake();
	for (int i = 0; i < 1000; i++) {
		wait_ms(300);
		cap.p.notes = NOTE_TCP_SUM;
		cap.p.wnd = 0;
		c(PSH, CISN + 1, SISN + 1, 100);
		cap.p.notes = NOTE_TCP_SUM;
		cap.p.wnd = 0;
		s(PSH, SISN + 1, CISN + 1, 100);
	}
	c(PSH, CISN + 1, SISN + 1, 100);
	s(PSH, SISN + 1, CISN + 101, 100);
	c(FIN, CISN + 101, SISN + 101, 0);
	s(FIN, SISN + 101, CISN + 102, 0);
	s(RST, SISN + 102, 0, 0);
	v = end();
	CU_ASSERT(strlen(v->zeek_history) <= 18);
	for (const char *letter = "ShADdFfr"; *letter; letter++)
		CU_ASSERT_PTR_NOT_NULL(strchr(v->zeek_history, *letter));
	done();
}

/* The capture has not the server's FIN, and the client's ACK of it. What was
 * acknowledged before the client closed may be a byte of text. */
static void fin_not_captured(void)
{
	const struct verdict *v;

	handshake();
	c(FIN, CISN + 1, SISN + 1, 0);
	c(ACK, CISN + 2, SISN + 2, 0);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_FIN_BOTH);
	CU_ASSERT_EQUAL(v->first_fin, CLIENT);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 0);
	CU_ASSERT_EQUAL(v->side[SERVER].captured, 0);
	done();

	begin(); /* one direction, and the server closes first */
	c(SYN, CISN, 0, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	c(PSH, CISN + 1, SISN + 1, 100);
	c(ACK, CISN + 101, SISN + 501, 0);
	c(FIN, CISN + 101, SISN + 502, 0);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_FIN_BOTH);
	CU_ASSERT_EQUAL(v->first_fin, SERVER);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 500);
	done();

	handshake();
	c(ACK, CISN + 1, SISN + 2, 0);
	c(PSH, CISN + 1, SISN + 2, 100);
	c(FIN, CISN + 101, SISN + 2, 0);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_HALF_CLIENT);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 1);
	done();
}

/* Acknowledged before the client closes: it is the FIN once the server has
 * answered that and said no more, as after any first FIN that was missed. */
static void fin_not_captured_before(void)
{
	const struct verdict *v;

	handshake();
	s(PSH, SISN + 1, CISN + 1, 100);
	c(ACK, CISN + 1, SISN + 101, 0);
	c(ACK, CISN + 1, SISN + 102, 0);
	c(FIN, CISN + 1, SISN + 102, 0);
	s(ACK, SISN + 102, CISN + 2, 0);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_FIN_BOTH);
	CU_ASSERT_EQUAL(v->first_fin, SERVER);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 100);
	CU_ASSERT_EQUAL(v->side[SERVER].captured, 100);
	done();

	handshake();
	s(PSH, SISN + 1, CISN + 1, 100);
	c(ACK, CISN + 1, SISN + 102, 0);
	c(FIN, CISN + 1, SISN + 102, 0);
	s(PSH, SISN + 102, CISN + 2, 50);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_HALF_CLIENT);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 151);
	CU_ASSERT_EQUAL(v->side[SERVER].captured, 150);
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

/* It closed in the end, and had been half-closed for an hour until then. */
static void half_closed_long(void)
{
	const struct verdict *v;

	handshake();
	c(FIN, CISN + 1, SISN + 1, 0);
	s(ACK, SISN + 1, CISN + 2, 0);
	wait_ms(3600 * 1000);
	s(FIN, SISN + 1, CISN + 2, 0);
	c(ACK, CISN + 2, SISN + 2, 0);
	v = end();
	CU_ASSERT_EQUAL(v->ending, ENDING_FIN_BOTH);
	CU_ASSERT_PTR_NOT_NULL(odd(v, ANOMALY_HALF_CLOSED_LONG));
	done();

	/* That it says so once more is no news. */
	handshake();
	c(FIN, CISN + 1, SISN + 1, 0);
	s(FIN, SISN + 1, CISN + 2, 0);
	wait_ms(3600 * 1000);
	s(FIN, SISN + 1, CISN + 2, 0);
	c(ACK, CISN + 2, SISN + 2, 0);
	v = end();
	CU_ASSERT_PTR_NULL(odd(v, ANOMALY_HALF_CLOSED_LONG));
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
	expect_only(v, ANOMALY_CLOSE_BY_RESET);
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
	CU_ASSERT_EQUAL(v->completeness, 1 + 2 + 4 + 8 + 32);
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
	CU_ASSERT_EQUAL(v->completeness, 1 + 2 + 4 + 8 + 32);
	done();
}

/* ---- many of them -------------------------------------------------------- */

/* Something else passes, and time with it. */
static void other(void)
{
	cap.p.kind = PACKET_OTHER;
	cap.p.ns = cap.ns += MS;
	analysis_take(cap.judge, &cap.p);
}

/* Silence ends attempts sooner than connections. */
static void silence(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	wait_ms(131 * 1000);
	cap.p.kind = PACKET_OTHER;
	analysis_take(cap.judge, &cap.p);
	CU_ASSERT_EQUAL(cap.n, 0); /* its time is 0: not yet */
	other();
	other();
	CU_ASSERT_EQUAL(cap.n, 1);
	done();

	handshake();
	wait_ms(131 * 1000);
	other();
	other();
	CU_ASSERT_EQUAL(cap.n, 0);
	done();
}

/* Who speaks after a long silence goes on: what it says first, and all behind
 * it, is of one connection. */
static void silence_broken(void)
{
	const struct verdict *v;

	handshake();
	c(PSH, CISN + 1, SISN + 1, 10);
	wait_ms(24ll * 3600 * 1000);
	s(PSH, SISN + 1, CISN + 11, 20);
	c(FIN, CISN + 11, SISN + 21, 0);
	s(FIN, SISN + 21, CISN + 12, 0);
	c(ACK, CISN + 12, SISN + 22, 0);
	v = end();
	CU_ASSERT_EQUAL(cap.n, 1);
	CU_ASSERT_EQUAL(v->ending, ENDING_FIN_BOTH);
	CU_ASSERT_EQUAL(v->side[SERVER].by_seq, 20);
	done();

	/* As many packets of others, and it is over. */
	handshake();
	wait_ms(24ll * 3600 * 1000);
	other();
	other();
	CU_ASSERT_EQUAL(cap.n, 1);
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

/* A damaged record names another year: nothing ends, now or later. */
static void another_year(void)
{
	handshake();
	cap.p.kind = PACKET_OTHER;
	cap.p.ns = cap.ns + 365ll * 24 * 3600 * 1000 * MS;
	analysis_take(cap.judge, &cap.p);
	c(PSH, CISN + 1, SISN + 1, 10);
	s(ACK, SISN + 1, CISN + 11, 0);
	other();
	CU_ASSERT_EQUAL(cap.n, 0);
	end();
	CU_ASSERT_EQUAL(cap.n, 1);
	done();
}

/* Two of them: from then on silence is counted from there. */
static void another_year_twice(void)
{
	begin();
	for (int i = 0; i < 2; i++) {
		cap.p.kind = PACKET_OTHER;
		cap.p.ns = cap.ns + 365ll * 24 * 3600 * 1000 * MS;
		analysis_take(cap.judge, &cap.p);
	}
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
	end();
	CU_ASSERT_EQUAL(cap.n, 1);
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

static void expect_place(uint64_t conn, enum side side, uint32_t client,
			 uint32_t server)
{
	struct packet_place at;

	analysis_place(cap.judge, &at);
	CU_ASSERT_EQUAL(at.conn, conn);
	CU_ASSERT_EQUAL(at.side, side);
	CU_ASSERT_EQUAL(at.base[CLIENT], client);
	CU_ASSERT_EQUAL(at.base[SERVER], server);
}

static void where_packets_belong(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	expect_place(1, CLIENT, CISN, 0);
	s(SA, SISN, CISN + 1, 0);
	expect_place(1, SERVER, CISN, SISN);
	c(ACK, CISN + 1, SISN + 1, 0);
	expect_place(1, CLIENT, CISN, SISN);
	cap.p.kind = PACKET_OTHER;
	c(0, 0, 0, 0);
	expect_place(0, CLIENT, 0, 0);
	end();
	done();
}

/* The first number of a side is 1, as in Wireshark; what the other one
 * acknowledged says what that is. */
static void where_packets_belong_midstream(void)
{
	begin();
	c(PSH, 7000, 9000, 100);
	expect_place(1, CLIENT, 6999, 8999);
	s(ACK, 9000, 7100, 0);
	expect_place(1, SERVER, 6999, 8999);
	s(PSH, 9500, 7100, 10);
	expect_place(1, SERVER, 6999, 8999);
	end();
	done();
}

/* On an interface time goes on though nothing comes. */
static void silence_without_packets(void)
{
	handshake();
	c(RST, CISN + 1, 0, 0);
	CU_ASSERT_EQUAL(cap.n, 0);
	analysis_tick(cap.judge, cap.ns + 9000 * MS);
	CU_ASSERT_EQUAL(cap.n, 0);
	analysis_tick(cap.judge, cap.ns + 12000 * MS);
	CU_ASSERT_EQUAL(cap.n, 1);
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
		UNIT_TEST(half_closed_long),
		UNIT_TEST(reset_exact),
		UNIT_TEST(reset_out_of_window),
		UNIT_TEST(reset_in_window_ignored),
		UNIT_TEST(silence),
		UNIT_TEST(ecn),
		UNIT_TEST(windows),
		UNIT_TEST(zeek_letters),
		UNIT_TEST(fin_not_captured),
		UNIT_TEST(fin_not_captured_before),
		UNIT_TEST(syn_again_behind_its_answer),
		UNIT_TEST(zeek_letters_many),
		UNIT_TEST(zeek_letters_again),
		UNIT_TEST(zeek_letters_of_the_end),
		UNIT_TEST(zeek_states_of_midstream),
		UNIT_TEST(zeek_states_without_syn),
		UNIT_TEST(zeek_states_without_synack),
		UNIT_TEST(zeek_state_closed_and_reset),
		UNIT_TEST(silence_broken),
		UNIT_TEST(options_cut),
		UNIT_TEST(another_year),
		UNIT_TEST(another_year_twice),
		UNIT_TEST(eviction),
		UNIT_TEST(where_packets_belong),
		UNIT_TEST(where_packets_belong_midstream),
		UNIT_TEST(silence_without_packets),
		UNIT_TEST(sentences),
	};

	return unit_run("flow", tests, ARRAY_LEN(tests), argc, argv);
}
