/*
 * test_cli_text.c - Numbers and words for people
 */
#include "../../cli/text.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "unit.h"

static void durations(void)
{
	static const struct {
		int64_t us;
		const char *text;
	} t[] = {
		{0, "0.00ms"},	       {4, "0.00ms"},
		{5, "0.01ms"},	       {210, "0.21ms"},
		{9994, "9.99ms"},      {9995, "10.0ms"},
		{99949, "99.9ms"},     {99950, "100ms"},
		{999499, "999ms"},     {999500, "1s"},
		{1900000, "1.9s"},     {12400000, "12.4s"},
		{48000000, "48s"},     {59949999, "59.9s"},
		{59950000, "1m0s"},    {60000000, "1m0s"},
		{312000000, "5m12s"},  {3599999999, "59m59s"},
		{3600000000, "1h0m"},  {86399999999, "23h59m"},
		{86400000000, "1d0h"}, {INT64_MAX, "106751991d4h"},
	};
	char buf[TEXT_NUMBER_MAX];

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		CU_ASSERT_STRING_EQUAL(text_duration(t[i].us, buf), t[i].text);
}

static void integers(void)
{
	static const struct {
		int64_t n;
		const char *text;
	} t[] = {
		{0, "0"},
		{7, "7"},
		{-10, "-10"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};
	char buf[TEXT_NUMBER_MAX];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		CU_ASSERT_EQUAL(text_integer(t[i].n, buf), strlen(t[i].text));
		CU_ASSERT_STRING_EQUAL(buf, t[i].text);
	}
}

static void sizes(void)
{
	static const struct {
		uint64_t n;
		const char *text;
	} t[] = {
		{0, "0"},
		{1023, "1023"},
		{1024, "1.0K"},
		{1229, "1.2K"},
		{102348, "99.9K"},
		{102400, "100K"},
		{1048063, "1023K"},
		{1048064, "1.0M"},
		{536870912, "512M"},
		{UINT64_MAX, "16.0E"},
	};
	char buf[TEXT_NUMBER_MAX];

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		CU_ASSERT_STRING_EQUAL(text_bytes(t[i].n, buf), t[i].text);
}

static void durations_read(void)
{
	static const struct {
		const char *text;
		int64_t us; /* -1 = none */
	} t[] = {
		{"2", 2000000},	 {"0.5", 500000},   {"10ms", 10000},
		{"5s", 5000000}, {"2m", 120000000}, {"1h", 3600000000},
		{"7us", 7},	 {"0", 0},	    {"8760h", 31536000000000},
		{"8761h", -1},	 {"", -1},	    {"-1", -1},
		{"+1", -1},	 {" 1", -1},	    {"1 s", -1},
		{"inf", -1},	 {"nan", -1},	    {"0x10", -1},
		{"5sec", -1},	 {"s", -1},	    {"1e400", -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int64_t us = -1;
		bool ok = text_parse_duration(t[i].text, &us);

		CU_ASSERT_EQUAL(ok, t[i].us >= 0);
		CU_ASSERT_EQUAL(us, t[i].us);
	}
}

/* What a terminal would obey: C0, DEL, and C1 in UTF-8. Other UTF-8 stays. */
static void control_characters(void)
{
	char s[] = "a\x1b[31mb\r\n\t\x7f"
		   "c\xc2\x9b"
		   "d\xc3\xa9\xc2\xa0\xc2";

	text_clean(s);
	CU_ASSERT_STRING_EQUAL(s, "a?[31mb????c??d\xc3\xa9\xc2\xa0\xc2");
}

static void words_joined(void)
{
	char a[] = "state", b[] = "", c[] = "x y";
	char *words[] = {a, b, c};
	char *s = text_join(3, words);

	CU_ASSERT_STRING_EQUAL(s, "state  x y");
	free(s);
	s = text_join(0, words);
	CU_ASSERT_STRING_EQUAL(s, "");
	free(s);
}

static const struct unit_test tests[] = {
	UNIT_TEST(integers),
	UNIT_TEST(durations),
	UNIT_TEST(sizes),
	UNIT_TEST(durations_read),
	UNIT_TEST(control_characters),
	UNIT_TEST(words_joined),
};

int main(int argc, char **argv)
{
	return unit_run("cli_text", tests, ARRAY_LEN(tests), argc, argv);
}
