/*
 * test_wire_icmp.c - ICMP and ICMPv6, and the segments their errors quote
 */
#include <string.h>

#include "core/wire.h"
#include "packet.h"
#include "unit.h"

static enum drop_reason parse(const struct packet *p, struct icmp_msg *m)
{
	struct ip_pkt ip;
	enum drop_reason why = wire_ip_parse(p->b, p->len, &ip);

	memset(m, 0xa5, sizeof(*m));
	return why == DROP_NONE ? wire_icmp_parse(&ip, m) : why;
}

/* An error about a segment of ours of which @quote bytes came back. */
static enum drop_reason error(int v6, uint8_t type, uint8_t code, uint32_t rest,
			      size_t quote, struct icmp_msg *m)
{
	struct packet q, p;

	packet_tcp(&q, v6, TH_ACK, NULL, 0, "0123456789", 10);
	packet_icmp(&p, v6, type, code, rest, q.b, quote);
	return parse(&p, m);
}

static void too_short(void)
{
	struct icmp_msg m;
	struct packet p;

	packet_ip4(&p, IP_PROTO_ICMP, "\10\0\0\0\0\0\0", 7);
	CU_ASSERT_EQUAL(parse(&p, &m), DROP_ICMP_SHORT);
	packet_ip6(&p, IP_PROTO_ICMPV6, "\x80\0\0\0\0\0\0", 7);
	CU_ASSERT_EQUAL(parse(&p, &m), DROP_ICMP_SHORT);
	packet_ip6(&p, IP_PROTO_ICMPV6, "\x80\0\0\0\0\0\0\0", 8);
	CU_ASSERT_EQUAL(parse(&p, &m), DROP_NONE);
}

/* ICMPv6's spans the addresses (RFC 4443, 2.3), ICMP's does not. */
static void checksum(void)
{
	struct icmp_msg m;
	struct packet p;
	unsigned int missed = 0;

	for (int v6 = 0; v6 < 2; v6++) {
		packet_icmp(&p, v6, v6 ? 128 : 8, 0, 0x00010002, "odd", 3);
		for (size_t bit = p.body * 8; bit < p.len * 8; bit++) {
			p.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			missed += parse(&p, &m) != DROP_ICMP_CHECKSUM;
			p.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		CU_ASSERT_EQUAL(missed, 0);
		CU_ASSERT_EQUAL(parse(&p, &m), DROP_NONE);
	}
	p.b[39] ^= 4;
	CU_ASSERT_EQUAL(parse(&p, &m), DROP_ICMP_CHECKSUM);
}

static void kinds(void)
{
	static const struct {
		int v6;
		uint8_t type;
		enum icmp_kind want;
	} cases[] = {
		{0, 0, ICMP_OTHER},	     {0, 3, ICMP_UNREACHABLE},
		{0, 4, ICMP_QUENCH},	     {0, 5, ICMP_OTHER},
		{0, 8, ICMP_ECHO},	     {0, 11, ICMP_TIME_EXCEEDED},
		{0, 12, ICMP_PARAM_PROBLEM}, {0, 13, ICMP_OTHER},
		{0, 128, ICMP_OTHER},	     {1, 1, ICMP_UNREACHABLE},
		{1, 2, ICMP_TOO_BIG},	     {1, 3, ICMP_TIME_EXCEEDED},
		{1, 4, ICMP_PARAM_PROBLEM},  {1, 8, ICMP_OTHER},
		{1, 128, ICMP_ECHO},	     {1, 129, ICMP_OTHER},
		{1, 133, ICMP_OTHER},
	};
	struct icmp_msg m;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(DROP_NONE, error(cases[i].v6, cases[i].type, 1,
						 0, 50, &m));
		CU_ASSERT_EQUAL(m.kind, cases[i].want);
		CU_ASSERT_EQUAL(m.quoted, cases[i].want != ICMP_OTHER &&
						  cases[i].want != ICMP_ECHO);
		if (cases[i].want == ICMP_TIME_EXCEEDED)
			CU_ASSERT_EQUAL(m.code, 1);
	}
}

/* RFC 1191, 4; RFC 8201: the next hop's MTU, 0 from an old router. */
static void too_big(void)
{
	struct icmp_msg m;

	CU_ASSERT_EQUAL(error(0, 3, 4, 0xffff05dc, 28, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.kind, ICMP_TOO_BIG);
	CU_ASSERT_EQUAL(m.mtu, 1500);
	CU_ASSERT_EQUAL(m.code, 4);
	CU_ASSERT_TRUE(m.quoted);
	CU_ASSERT_EQUAL(error(0, 3, 4, 0, 28, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.kind, ICMP_TOO_BIG);
	CU_ASSERT_EQUAL(m.mtu, 0);
	CU_ASSERT_EQUAL(error(0, 3, 3, 1500, 28, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.kind, ICMP_UNREACHABLE);
	CU_ASSERT_EQUAL(m.mtu, 0);
	CU_ASSERT_EQUAL(error(1, 2, 0, 0x00010500, 48, &m), DROP_NONE);
	CU_ASSERT_EQUAL(m.kind, ICMP_TOO_BIG);
	CU_ASSERT_EQUAL(m.mtu, 0x10500);
	CU_ASSERT_EQUAL(m.code, 4);
}

/* RFC 4443, 3.1, in RFC 792's and RFC 1812's numbers. */
static void unreachable_codes(void)
{
	static const uint8_t as4[] = {0, 13, 1, 1, 3, 13, 13, 1};
	struct icmp_msg m;

	for (uint8_t code = 0; code < sizeof(as4); code++) {
		CU_ASSERT_EQUAL(error(1, 1, code, 0, 48, &m), DROP_NONE);
		CU_ASSERT_EQUAL(m.code, as4[code]);
	}
	for (uint8_t code = 0; code < 16; code++) {
		CU_ASSERT_EQUAL(error(0, 3, code, 0, 28, &m), DROP_NONE);
		CU_ASSERT_EQUAL(m.code, code);
	}
}

/* RFC 792: eight bytes of the segment are enough; seven are not. */
static void quote_truncated(void)
{
	struct icmp_msg m;

	for (size_t len = 0; len <= 50; len++) {
		CU_ASSERT_EQUAL(error(0, 3, 3, 0, len, &m), DROP_NONE);
		CU_ASSERT_EQUAL(m.quoted, len >= 28);
		CU_ASSERT_EQUAL(error(1, 1, 4, 0, len, &m), DROP_NONE);
		CU_ASSERT_EQUAL(m.quoted, len >= 48);
	}
}

static void quote_fields(void)
{
	struct icmp_msg m;

	for (int v6 = 0; v6 < 2; v6++) {
		error(v6, v6 ? 1 : 3, 0, 0, v6 ? 48 : 28, &m);
		CU_ASSERT_TRUE_FATAL(m.quoted);
		CU_ASSERT_EQUAL(ip_mapped(m.q_src.b), !v6);
		CU_ASSERT_EQUAL(m.q_src.b[15], 1);
		CU_ASSERT_EQUAL(ip_mapped(m.q_dst.b), !v6);
		CU_ASSERT_EQUAL(m.q_dst.b[15], 2);
		CU_ASSERT_EQUAL(m.q_sport, 40000);
		CU_ASSERT_EQUAL(m.q_dport, 7);
		CU_ASSERT_EQUAL(m.q_seq, 0x01020304);
	}
}

/* Parse an error that quotes @q after byte @at of it was set to @b. */
static bool quoted_with(int v6, size_t at, uint8_t b)
{
	struct packet q, p;
	struct icmp_msg m;

	packet_tcp(&q, v6, TH_ACK, NULL, 0, "0123456789", 10);
	q.b[at] = b;
	packet_icmp(&p, v6, v6 ? 1 : 3, 0, 0, q.b, q.len);
	CU_ASSERT_EQUAL(parse(&p, &m), DROP_NONE);
	return m.quoted;
}

/* What is no segment of ours is not taken for one. */
static void quote_of_something_else(void)
{
	CU_ASSERT_FALSE(quoted_with(0, 0, 0x65)); /* other version */
	CU_ASSERT_FALSE(quoted_with(0, 0, 0x44)); /* impossible length */
	CU_ASSERT_FALSE(quoted_with(0, 0, 0x4f)); /* options beyond the quote */
	CU_ASSERT_FALSE(quoted_with(0, 9, 17));	  /* UDP */
	CU_ASSERT_FALSE(quoted_with(0, 7, 1));	  /* not the first fragment */
	CU_ASSERT_TRUE(quoted_with(0, 6, 0x20));  /* the first one */
	CU_ASSERT_TRUE(quoted_with(0, 0, 0x46));  /* options */
	CU_ASSERT_TRUE(
		quoted_with(0, 10, 0xff)); /* checksum: routers touch it */
	CU_ASSERT_TRUE(quoted_with(0, 3, 0xff)); /* length: some touch that */
	CU_ASSERT_FALSE(quoted_with(1, 0, 0x45));
	CU_ASSERT_FALSE(quoted_with(1, 6, 17));
	CU_ASSERT_FALSE(quoted_with(1, 6, 44)); /* we send no fragments */
	CU_ASSERT_TRUE(quoted_with(1, 7, 0));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(too_short),
		UNIT_TEST(checksum),
		UNIT_TEST(kinds),
		UNIT_TEST(too_big),
		UNIT_TEST(unreachable_codes),
		UNIT_TEST(quote_truncated),
		UNIT_TEST(quote_fields),
		UNIT_TEST(quote_of_something_else),
	};

	return unit_run("wire_icmp", tests, sizeof(tests) / sizeof(tests[0]),
			argc, argv);
}
