/*
 * test_ipaddr.c - Addresses and prefixes to text and back
 */
#include <tcphs/ipaddr.h>

#include <string.h>

#include "unit.h"

/* There and back through every function gives @want. */
static void expect_prefix(const char *text, unsigned int len, const char *want)
{
	char buf[IPPREFIX_TEXT_MAX];
	struct ip_prefix p;

	CU_ASSERT_FATAL(ipprefix_parse(text, &p));
	CU_ASSERT_EQUAL(p.len, len);
	CU_ASSERT_STRING_EQUAL(ipprefix_format(&p, buf), want);
}

static void expect_masked(const char *text, const char *want)
{
	char buf[IPPREFIX_TEXT_MAX];
	struct ip_prefix p;

	CU_ASSERT_FATAL(ipprefix_parse(text, &p));
	ipprefix_mask(&p);
	CU_ASSERT_STRING_EQUAL(ipprefix_format(&p, buf), want);
}

/* RFC 4291, 2.5.5.2: IPv4 lies behind ::ffff:0:0/96. */
static void ip4_is_mapped(void)
{
	static const uint8_t want[16] = {0, 0, 0,    0,	   0,	0,  0,	0,
					 0, 0, 0xff, 0xff, 198, 18, 66, 2};
	char buf[IPADDR_TEXT_MAX];
	struct ip_addr a;

	CU_ASSERT_FATAL(ipaddr_parse("198.18.66.2", &a));
	CU_ASSERT_EQUAL(memcmp(a.b, want, sizeof(want)), 0);
	CU_ASSERT_STRING_EQUAL(ipaddr_format(&a, buf), "198.18.66.2");
	CU_ASSERT_FATAL(ipaddr_parse("::ffff:198.18.66.2", &a));
	CU_ASSERT_EQUAL(memcmp(a.b, want, sizeof(want)), 0);
}

/* RFC 5952, 4: lower case, the longest run of zeros shortened. */
static void ip6_is_written_short(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"FD74:6370:6873:0:0:0:0:2", "fd74:6370:6873::2"},
		{"0:0:0:0:0:0:0:0", "::"},
		{"::1", "::1"},
		{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
		{"2001:0db8::0001", "2001:db8::1"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	};
	char buf[IPADDR_TEXT_MAX];
	struct ip_addr a;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_FATAL(ipaddr_parse(cases[i].text, &a));
		CU_ASSERT_STRING_EQUAL(ipaddr_format(&a, buf), cases[i].want);
	}
}

static void what_is_no_address_is_refused(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"198.18.66",
		"198.18.66.2 ",
		"198.18.66.256",
		"198.18.66.2.1",
		"1.2.3.4/32",
		"fd74:::2",
		"fd74::2%lo",
		"fd74",
		"::g",
		"localhost",
	};
	struct ip_addr a, before;

	memset(&a, 0xa5, sizeof(a));
	before = a;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(ipaddr_parse(bad[i], &a));
	CU_ASSERT_EQUAL(memcmp(&a, &before, sizeof(a)), 0);
}

static void prefixes_keep_host_bits(void)
{
	expect_prefix("198.18.66.1/24", 120, "198.18.66.1/24");
	expect_prefix("198.18.66.1", 128, "198.18.66.1/32");
	expect_prefix("0.0.0.0/0", 96, "0.0.0.0/0");
	expect_prefix("fd74:6370:6873::1/64", 64, "fd74:6370:6873::1/64");
	expect_prefix("fd74::1", 128, "fd74::1/128");
	expect_prefix("::/0", 0, "::/0");
	/* Written as IPv6, a length counts all 128 bits. */
	expect_prefix("::ffff:198.18.66.0/120", 120, "198.18.66.0/24");
	expect_prefix("::ffff:0.0.0.0/64", 64, "::ffff:0.0.0.0/64");
}

static void what_is_no_prefix_is_refused(void)
{
	static const char *const bad[] = {
		"",
		"/",
		"/24",
		"198.18.66.1/",
		"198.18.66.1/33",
		"198.18.66.1/024",
		"fd74::1/129",
		"fd74::1/-1",
		"fd74::1/64/64",
		"fd74::1/6 ",
		"fd74::1/0x40",
		"fd74::1/4294967360",
		"11111111111111111111111111111111111111111111111111/8",
	};
	struct ip_prefix p, before;

	memset(&p, 0xa5, sizeof(p));
	before = p;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_FALSE(ipprefix_parse(bad[i], &p));
	CU_ASSERT_EQUAL(memcmp(&p, &before, sizeof(p)), 0);
}

static void mask_clears_host_bits(void)
{
	expect_masked("198.18.66.1/24", "198.18.66.0/24");
	expect_masked("198.18.66.255/28", "198.18.66.240/28");
	expect_masked("198.18.66.255/32", "198.18.66.255/32");
	expect_masked("198.18.66.255/0", "0.0.0.0/0");
	expect_masked("fd74:ffff::1/17", "fd74:8000::/17");
	expect_masked("fd74::1/0", "::/0");
}

/* RFC 5952, 6: brackets keep the port apart. */
static void ports_are_set_apart(void)
{
	char buf[IPPORT_TEXT_MAX];
	struct ip_addr a;

	CU_ASSERT_FATAL(ipaddr_parse("198.18.66.2", &a));
	CU_ASSERT_STRING_EQUAL(ipport_format(&a, 80, buf), "198.18.66.2:80");
	CU_ASSERT_STRING_EQUAL(ipport_format(&a, 0, buf), "198.18.66.2:0");
	CU_ASSERT_STRING_EQUAL(ipport_format(&a, 10000, buf),
			       "198.18.66.2:10000");
	CU_ASSERT_FATAL(ipaddr_parse("fd74::2", &a));
	CU_ASSERT_STRING_EQUAL(ipport_format(&a, 65535, buf),
			       "[fd74::2]:65535");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(ip4_is_mapped),
		UNIT_TEST(ip6_is_written_short),
		UNIT_TEST(what_is_no_address_is_refused),
		UNIT_TEST(prefixes_keep_host_bits),
		UNIT_TEST(what_is_no_prefix_is_refused),
		UNIT_TEST(mask_clears_host_bits),
		UNIT_TEST(ports_are_set_apart),
	};

	return unit_run("ipaddr", tests, sizeof(tests) / sizeof(tests[0]), argc,
			argv);
}
