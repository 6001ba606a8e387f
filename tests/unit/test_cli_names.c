/*
 * test_cli_names.c - Names instead of numbers
 *
 * Asked is the getnameinfo() below: 10.0.0.N is called hostN, after some time;
 * 10.1.0.0/16 has no names, and who is asked for 10.2.0.0/16 never answers.
 */
#include "../../cli/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/assert.h"
#include "unit.h"

static unsigned int asked, asked_otherwise; /* by threads of names.c */

int getnameinfo(const struct sockaddr *sa, socklen_t salen, char *host,
		socklen_t hostlen, char *serv, socklen_t servlen, int flags)
{
	const struct sockaddr_in *sin = (const void *)sa;
	uint32_t a = ntohl(sin->sin_addr.s_addr);

	(void)salen;
	(void)serv;
	(void)servlen;
	__atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
	if (flags != NI_NAMEREQD)
		__atomic_add_fetch(&asked_otherwise, 1, __ATOMIC_RELAXED);
	if (sa->sa_family == AF_INET6) {
		snprintf(host, hostlen, "six.example");
		return 0;
	}
	while (a >> 16 == 0x0a02)
		pause();
	if (a >> 16 == 0x0a01)
		return EAI_NONAME;
	usleep(20000);
	snprintf(host, hostlen, (a & 255) == 66 ? "e\x1b[31mvil" : "host%u",
		 a & 255);
	return 0;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void expect(const char *end, const char *want)
{
	char text[300];

	snprintf(text, sizeof(text), "%s", end);
	CU_ASSERT_EQUAL(names_put(text, sizeof(text)), strlen(want));
	CU_ASSERT_STRING_EQUAL(text, want);
}

static void ends_get_names(void)
{
	names_patience(10000000);
	expect("10.0.0.1:7", "host1:echo");
	expect("10.0.0.1", "host1");
	expect("10.0.0.2:65535", "host2:65535");
	expect("[fd74::1]:80", "six.example:http");
	expect("fd74::1", "six.example");
	CU_ASSERT_EQUAL(asked, 3);
}

static void no_name_no_change(void)
{
	names_patience(10000000);
	expect("10.1.0.1:65534", "10.1.0.1:65534");
	expect("10.1.0.1", "10.1.0.1");
	expect("10.1.0.1:80", "10.1.0.1:http");
}

static void what_is_no_end_stays(void)
{
	static const char *const texts[] = {
		"",
		"-",
		"?",
		"[fd74::1]",
		"[fd74::1",
		"10.0.0.1:",
		"10.0.0.1:-1",
		"10.0.0.1:80x",
		"10.0.0.256",
		"host1:7",
		"10.0.0.1:70000",
		"[10.0.0.1]:7]",
	};
	unsigned int before = asked;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		names_ask(texts[i]);
		if (strcmp(texts[i], "[fd74::1]") != 0)
			expect(texts[i], texts[i]);
	}
	CU_ASSERT_EQUAL(asked, before);
}

/* Who may be asked for his name may answer anything. */
static void controls_do_not_pass(void)
{
	names_patience(10000000);
	expect("10.0.0.66:65535", "e?[31mvil:65535");
}

static void a_name_is_cut_to_its_room(void)
{
	char text[8] = "10.0.0.1";

	names_patience(10000000);
	text[7] = '\0';
	snprintf(text, sizeof(text), "fd74::1");
	CU_ASSERT_EQUAL(names_put(text, sizeof(text)), 7);
	CU_ASSERT_STRING_EQUAL(text, "six.exa");
}

/* A hundred at 20 ms each are not two seconds. */
static void many_are_asked_at_once(void)
{
	char end[32], want[32];
	int64_t before = now_us();

	names_patience(60000000);
	for (int i = 100; i < 200; i++) {
		snprintf(end, sizeof(end), "10.0.0.%d:65535", i);
		names_ask(end);
	}
	for (int i = 100; i < 200; i++) {
		snprintf(end, sizeof(end), "10.0.0.%d:65535", i);
		snprintf(want, sizeof(want), "host%d:65535", i);
		expect(end, want);
	}
	CU_ASSERT_TRUE(now_us() - before < 100 * 20000);
	CU_ASSERT_EQUAL(asked_otherwise, 0);
}

/* Takes all threads there are, so it has to come last. */
static void waiting_has_an_end(void)
{
	int64_t before = now_us();
	char end[32];

	names_patience(100000);
	for (int i = 1; i < 200; i++) {
		snprintf(end, sizeof(end), "10.2.0.%d:65535", i);
		expect(end, end);
	}
	CU_ASSERT_TRUE(now_us() - before >= 100000);
	CU_ASSERT_TRUE(now_us() - before < 10000000);
	/* What is known already needs no thread. */
	expect("10.0.0.1:7", "host1:echo");
	expect("10.0.0.9:65535", "10.0.0.9:65535");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(ends_get_names),
		UNIT_TEST(no_name_no_change),
		UNIT_TEST(what_is_no_end_stays),
		UNIT_TEST(controls_do_not_pass),
		UNIT_TEST(a_name_is_cut_to_its_room),
		UNIT_TEST(many_are_asked_at_once),
		UNIT_TEST(waiting_has_an_end),
	};

	return unit_run("cli_names", tests, ARRAY_LEN(tests), argc, argv);
}
