/*
 * test_cli_item.c - Items read without a tree look as with one
 *
 * What item_values() takes must come out as jansson has it, byte for byte, and
 * what is not JSON must be left to jansson, who says so. So each item is put
 * into two tables: one as it comes, the other always by way of a tree.
 */
#include "../../cli/item.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "unit.h"

static const struct column columns[] = {
	{"ID", "id", COLUMN_TEXT, true, 0},
	{"STATE", "state", COLUMN_STATE, true, 0},
	{"PEER", "peer", COLUMN_TEXT, true, 0},
	{"AGE", "age_us", COLUMN_TIME, true, 0},
	{"IN", "bytes_in", COLUMN_BYTES, true, 0},
	{"RETR", "retrans", COLUMN_COUNT, true, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

/* As the daemon writes them. */
static const char *const plain[] = {
	"{\"id\":\"c1\",\"state\":\"established\",\"role\":\"server\","
	"\"local\":{\"ip\":\"198.18.66.2\",\"port\":7},"
	"\"peer\":{\"ip\":\"198.18.66.1\",\"port\":50112},"
	"\"listener\":\"echo\",\"age_us\":60123456,\"idle_us\":2,"
	"\"handshake_us\":51,\"rtt_us\":48,\"retrans\":0,"
	"\"bytes_in\":18446744073709,\"bytes_out\":2}",
	"{\"id\":\"c4294967295\",\"state\":\"time-wait\",\"role\":\"client\","
	"\"local\":{\"ip\":\"fd74:6370:6873::2\",\"port\":65535},"
	"\"peer\":{\"ip\":\"fd74:6370:6873::1\",\"port\":0}}",
};

/* JSON that is read here as well, or just not; and what is none. */
static const char *const odd[] = {
	"{}",
	"{\"id\":\"\"}",
	"{\"\":1}",
	"{\"id\":\"c1\",\"id\":\"c2\"}",
	"{\"ids\":1,\"i\":2}",
	"{\"id\":-5,\"age_us\":-5,\"bytes_in\":-5}",
	"{\"id\":-0}",
	"{\"id\":-}",
	"{\"id\":01}",
	"{\"id\":+1}",
	"{\"age_us\":1.5}",
	"{\"age_us\":1e3}",
	"{\"age_us\":\"never\"}",
	"{\"bytes_in\":999999999999999999}",
	"{\"bytes_in\":9223372036854775807}",
	"{\"bytes_in\":9223372036854775808}",
	"{\"id\":true,\"state\":null,\"age_us\":false}",
	"{\"id\":[1,2],\"state\":\"new\"}",
	"{\"id\":{}}",
	"{\"state\":{\"ip\":\"::1\",\"port\":7}}",
	"{\"peer\":{\"port\":7,\"ip\":\"::1\"}}",
	"{\"peer\":{\"ip\":\"::1\",\"port\":7,\"more\":1}}",
	"{\"peer\":{\"ip\":\"::1\"}}",
	"{\"peer\":{\"ip\":\"somewhere\",\"port\":-1}}",
	("{\"peer\":{\"ip\":\"0123456789012345678901234567890123456789012345\","
	 "\"port\":1}}"),
	"{\"peer\":{\"ip\":7,\"port\":7}}",
	"{\"id\":\"a\\\"b\"}",
	"{\"id\":\"\\u001b[2J\"}",
	"{\"id\":\"\x1b\"}",
	"{\"id\":\"\x7f\"}",
	"{\"id\":\"\xc3\xa4\"}",
	"{\"id\":\"\xc2\x9b\"}",
	"{\"id\":\"\xc3\"}",
	"{ \"id\" : 1 }",
	"{\"id\":1}\n",
	"{\"id\":1} ",
	"{\"id\":1}}",
	"{\"id\":1,}",
	"{,\"id\":1}",
	"{\"id\"}",
	"{id:1}",
	"{\"id\":1",
	"[]",
	"1",
	"\"id\"",
	"null",
	"",
};

static struct value values[OUTPUT_COLUMNS_MAX];

static bool is_plain(const char *text, size_t len)
{
	const struct column *col[ARRAY_LEN(columns)];

	for (unsigned int i = 0; columns[i].heading; i++)
		col[i] = &columns[i];
	return item_values(text, len, col, ARRAY_LEN(columns) - 1, values);
}

/* To be freed. */
static char *one_row(const struct cli *like, bool tree, const char *text,
		     size_t len, int *verdict)
{
	struct cli cli = *like;
	struct table t;
	size_t out_len;
	char *out;

	cli.out = open_memstream(&out, &out_len);
	CU_ASSERT_EQUAL_FATAL(table_begin(&t, &cli, columns), CLI_OK);
	if (tree) {
		t.rows = 1;
		t.ops->begin(&t);
		*verdict = t.ops->row(&t, text, len);
	} else {
		*verdict = table_row(&t, text, len);
	}
	table_end(&t, true);
	fclose(cli.out);
	return out;
}

static void compare(const char *text, size_t len)
{
	static const struct cli clis[] = {
		{.header = true},
		{.format = FORMAT_CSV, .columns = "state,id,id,peer,age_us,in"},
		{.format = FORMAT_RAW, .columns = "+retr"},
	};

	for (size_t i = 0; i < ARRAY_LEN(clis); i++) {
		int verdict, want_verdict;
		char *got = one_row(&clis[i], false, text, len, &verdict);
		char *want = one_row(&clis[i], true, text, len, &want_verdict);

		/* One that differs is enough of thousands. */
		CU_ASSERT_EQUAL_FATAL(verdict, want_verdict);
		CU_ASSERT_STRING_EQUAL_FATAL(got, want);
		free(got);
		free(want);
	}
}

static void plain_items(void)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		CU_ASSERT(is_plain(plain[i], strlen(plain[i])));
		compare(plain[i], strlen(plain[i]));
	}
	CU_ASSERT_EQUAL(values[0].type, VALUE_TEXT);
	CU_ASSERT_STRING_EQUAL(values[0].text, "c4294967295");
	CU_ASSERT_STRING_EQUAL(values[2].text, "[fd74:6370:6873::1]:0");
	CU_ASSERT_EQUAL(values[3].type, VALUE_NONE);
}

static void odd_items(void)
{
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		compare(odd[i], strlen(odd[i]));
}

/* Words around what a cell and a value have room for. */
static void long_words(void)
{
	char text[VALUE_TEXT_MAX * 3];

	for (int len = VALUE_TEXT_MAX - 2; len < VALUE_TEXT_MAX + 2; len++) {
		snprintf(text, sizeof(text), "{\"id\":\"%0*d\",\"retrans\":3}",
			 len, 7);
		compare(text, strlen(text));
		snprintf(text, sizeof(text), "{\"%0*d\":\"id\"}", len, 7);
		compare(text, strlen(text));
	}
}

/* Each byte of an item in turn is another one, or is where it ends. */
static void damaged_items(void)
{
	static const char other[] = "\"\\{}[]:,-0.e \x01\x80";
	char text[512];

	for (size_t n = 0; n < ARRAY_LEN(plain); n++) {
		size_t len = strlen(plain[n]);

		for (size_t i = 0; i < len; i++) {
			compare(plain[n], i);
			memcpy(text, plain[n], len);
			for (const char *o = other; *o; o++) {
				text[i] = *o;
				compare(text, len);
			}
			text[i] = '\0';
			compare(text, len);
		}
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(plain_items),
	UNIT_TEST(odd_items),
	UNIT_TEST(long_words),
	UNIT_TEST(damaged_items),
};

int main(int argc, char **argv)
{
	FILE *nowhere = fopen("/dev/null", "w");
	int ret;

	complaints(nowhere); /* what is wrong with thousands of items */
	ret = unit_run("cli_item", tests, ARRAY_LEN(tests), argc, argv);
	complaints(NULL);
	fclose(nowhere);
	return ret;
}
