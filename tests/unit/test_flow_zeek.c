/*
 * test_flow_zeek.c - A connection in Zeek's words: its state and history
 */
#include <string.h>

#include "core/assert.h"
#include "flow_rig.h"
#include "unit.h"

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

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(zeek_letters),
		UNIT_TEST(zeek_letters_again),
		UNIT_TEST(zeek_letters_of_the_end),
		UNIT_TEST(zeek_states_of_midstream),
		UNIT_TEST(zeek_states_without_syn),
		UNIT_TEST(zeek_states_without_synack),
		UNIT_TEST(zeek_state_closed_and_reset),
		UNIT_TEST(zeek_letters_many),
	};

	return unit_run("flow_zeek", tests, ARRAY_LEN(tests), argc, argv);
}
