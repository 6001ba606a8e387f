/*
 * test_flow_end.c - How a connection ended, as the judge sees it
 */
#include "core/assert.h"
#include "flow_rig.h"
#include "unit.h"

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

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(fin_not_captured),
		UNIT_TEST(fin_not_captured_before),
		UNIT_TEST(half_closed),
		UNIT_TEST(half_closed_long),
		UNIT_TEST(reset_exact),
		UNIT_TEST(reset_out_of_window),
		UNIT_TEST(reset_in_window_ignored),
	};

	return unit_run("flow_end", tests, ARRAY_LEN(tests), argc, argv);
}
