/*
 * test_analysis.c - Which connection a packet belongs to, and when it is over
 */
#include "core/assert.h"
#include "flow_rig.h"
#include "unit.h"

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
		UNIT_TEST(silence),
		UNIT_TEST(silence_broken),
		UNIT_TEST(another_year),
		UNIT_TEST(another_year_twice),
		UNIT_TEST(eviction),
		UNIT_TEST(where_packets_belong),
		UNIT_TEST(where_packets_belong_midstream),
		UNIT_TEST(silence_without_packets),
	};

	return unit_run("analysis", tests, ARRAY_LEN(tests), argc, argv);
}
