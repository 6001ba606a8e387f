/*
 * test_cli_probe.c - What probe says of handshakes, one by one and together
 */
#include "../../cli/probe.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "unit.h"

/* The whole output in a format, to be freed; the exit code in @e. */
static char *report(enum cli_format format, const struct probe_answer *a,
		    size_t n, enum probe_outcome expect, enum cli_exit *e)
{
	struct cli cli = {.format = format, .header = true};
	struct probe_report r;
	char *text;
	size_t len;

	cli.out = open_memstream(&text, &len);
	CU_ASSERT_EQUAL_FATAL(probe_report_begin(&r, &cli, "fd00::1", "80"),
			      CLI_OK);
	for (size_t i = 0; i < n; i++)
		CU_ASSERT(probe_report_add(&r, &a[i]));
	*e = probe_report_exit(&r, expect);
	probe_report_end(&r);
	fclose(cli.out);
	return text;
}

static void expect(enum cli_format format, const struct probe_answer *a,
		   size_t n, const char *want)
{
	enum cli_exit e;
	char *got = report(format, a, n, PROBE_NOUTCOMES, &e);

	CU_ASSERT_STRING_EQUAL(got, want);
	free(got);
}

static const struct probe_answer some[] = {
	{PROBE_OPEN, 213, 0, 210, "c1"},
	{PROBE_OPEN, 1003412, 1, 400, "c2"},
	{PROBE_REFUSED, 101, 0, -1, "c3"},
	{PROBE_NOT_OPENED, -1, -1, -1, ""},
};

static void in_words(void)
{
	expect(FORMAT_TEXT, some, ARRAY_LEN(some),
	       "probing fd00::1 port 80\n"
	       "   1  open in 0.213 ms\n"
	       "   2  open in 1003.412 ms, 2 SYNs, the last answered in "
	       "0.400 ms\n"
	       "   3  refused after 0.101 ms\n"
	       "   4  not possible from here\n"
	       "4 probes of fd00::1 port 80: 2 open, 1 refused, 1 not possible "
	       "from here\n"
	       "open in ms: min 0.213 p50 0.213 p95 1003.412 p99 1003.412 max "
	       "1003.412\n");
	expect(FORMAT_TEXT, some, 0,
	       "probing fd00::1 port 80\n0 probes of fd00::1 port 80\n");
	expect(FORMAT_NONE, some, ARRAY_LEN(some), "");
}

static void for_programs(void)
{
	expect(FORMAT_NDJSON, some + 2, 2,
	       "{\"probe\":1,\"outcome\":\"refused\",\"words\":\"refused\","
	       "\"time_us\":101,\"retrans\":0,\"conn\":\"c3\"}\n"
	       "{\"probe\":2,\"outcome\":\"local\",\"words\":\"not possible "
	       "from here\"}\n"
	       "{\"summary\":{\"address\":\"fd00::1\",\"port\":80,\"count\":2,"
	       "\"outcomes\":{\"refused\":1,\"local\":1}}}\n");
	expect(FORMAT_CSV, some + 1, 1,
	       "probe,outcome,time_us,retrans,rtt_us,conn\n"
	       "1,open,1003412,1,400,c2\n");
}

/* Nearest rank: 99 of 100 times do not exceed p99. */
static void percentiles(void)
{
	struct probe_answer a[100];
	enum cli_exit e;
	char *text;

	for (int i = 0; i < 100; i++)
		a[i] = (struct probe_answer){PROBE_OPEN, 1000 * (100 - i), 0,
					     -1, ""};
	text = report(FORMAT_TEXT, a, 100, PROBE_NOUTCOMES, &e);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "min 1.000 p50 50.000 p95 95.000 "
					    "p99 99.000 max 100.000\n"));
	free(text);
	CU_ASSERT_EQUAL(e, CLI_OK);
}

static enum cli_exit exit_of(size_t from, size_t n, enum probe_outcome want)
{
	enum cli_exit e;

	free(report(FORMAT_NONE, some + from, n, want, &e));
	return e;
}

static void exit_codes(void)
{
	CU_ASSERT_EQUAL(exit_of(0, 2, PROBE_NOUTCOMES), CLI_OK);
	CU_ASSERT_EQUAL(exit_of(0, 3, PROBE_NOUTCOMES), CLI_REFUSED);
	CU_ASSERT_EQUAL(exit_of(0, 4, PROBE_NOUTCOMES), CLI_LOCAL);
	CU_ASSERT_EQUAL(exit_of(2, 1, PROBE_REFUSED), CLI_OK);
	CU_ASSERT_EQUAL(exit_of(0, 3, PROBE_OPEN), CLI_NO);
	CU_ASSERT_EQUAL(exit_of(0, 0, PROBE_OPEN), CLI_NO);
	CU_ASSERT_EQUAL(probe_outcome_parse("reset"), PROBE_RESET);
	CU_ASSERT_EQUAL(probe_outcome_parse("resets"), PROBE_NOUTCOMES);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(in_words),
		UNIT_TEST(for_programs),
		UNIT_TEST(percentiles),
		UNIT_TEST(exit_codes),
	};

	return unit_run("cli_probe", tests, ARRAY_LEN(tests), argc, argv);
}
