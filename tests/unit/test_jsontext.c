/*
 * test_jsontext.c - Any bytes as a JSON string, judged by jansson
 */
#include "unit.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <tcphs/jsontext.h>

#include "core/assert.h"

/* What a program reads back; NULL if it is no JSON. */
static const char *read_back(const char *s)
{
	static char back[256];
	char json[512];
	size_t n = jsontext(json, sizeof(json), s);
	json_t *j = json_loadb(json, n, JSON_DECODE_ANY, NULL);
	const char *text = json_string_value(j);

	snprintf(back, sizeof(back), "%s", text ? text : "");
	json_decref(j);
	return text ? back : NULL;
}

static void text_comes_through(void)
{
	CU_ASSERT_STRING_EQUAL(read_back(""), "");
	CU_ASSERT_STRING_EQUAL(read_back("a \"b\" \\ c"), "a \"b\" \\ c");
	CU_ASSERT_STRING_EQUAL(read_back("gr\xc3\xbc\xc3\x9f \xe2\x82\xac"),
			       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac");
	CU_ASSERT_STRING_EQUAL(read_back("\xf0\x9f\x98\x80"),
			       "\xf0\x9f\x98\x80");
}

/* No byte of it moves a terminal's cursor. */
static void controls_are_escaped(void)
{
	char json[64];
	size_t n = jsontext(json, sizeof(json), "\x1b[2J\n\x7f\xc2\x9b");

	json[n] = '\0';
	CU_ASSERT_STRING_EQUAL(json, "\"\\u001b[2J\\u000a\\u007f\\u009b\"");
	CU_ASSERT_STRING_EQUAL(read_back("\x1b[2J\n"), "\x1b[2J\n");
}

/* RFC 3629, 4: strays, cut and overlong forms, surrogates, beyond the end. */
static void what_is_not_utf8_is_replaced(void)
{
	static const char *const bad[] = {
		"\x80",
		"\xff",
		"\xc0\xaf",
		"\xe0\x80\xaf",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80",
		"\xe2\x82",
		"\xc3",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *back = read_back(bad[i]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(back);
		CU_ASSERT_EQUAL(strncmp(back, "\xef\xbf\xbd", 3), 0);
	}
}

/* All of it or nothing, and never more than there is room for. */
static void room_is_kept_to(void)
{
	char json[16];

	for (size_t room = 0; room < 12; room++) {
		size_t n;

		memset(json, 'x', sizeof(json));
		n = jsontext(json, room, "ab\n\"");
		CU_ASSERT_EQUAL(n, room >= 12 ? 12 : 0);
		for (size_t i = room; i < sizeof(json); i++)
			CU_ASSERT_EQUAL(json[i], 'x');
	}
	CU_ASSERT_EQUAL(jsontext(json, 12, "ab\n\""), 12);
}

static void cleaned_text_obeys_nobody(void)
{
	char s[] = "a\x1b[2J\n\xc2\x9b\xff\xc3\xbc";

	jsontext_clean(s);
	CU_ASSERT_STRING_EQUAL(s, "a?[2J????\xc3\xbc");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(text_comes_through),
		UNIT_TEST(controls_are_escaped),
		UNIT_TEST(what_is_not_utf8_is_replaced),
		UNIT_TEST(room_is_kept_to),
		UNIT_TEST(cleaned_text_obeys_nobody),
	};

	return unit_run("jsontext", tests, ARRAY_LEN(tests), argc, argv);
}
