/*
 * test_cli_output.c - Cells and tables in each format
 */
#include "../../cli/output.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "unit.h"

static const struct column columns[] = {
	{"ID", "id", COLUMN_TEXT, true, 0},
	{"STATE", "state", COLUMN_STATE, true, 0},
	{"AGE", "age_us", COLUMN_TIME, true, 2},
	{"IN", "bytes_in", COLUMN_BYTES, true, 1},
	{"NOTE", "note", COLUMN_TEXT, false, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static const char *const rows[] = {
	"{\"id\":\"c1\",\"state\":\"syn-received\",\"age_us\":1900000}",
	"{\"id\":\"c12\",\"state\":\"established\",\"age_us\":210,"
	"\"bytes_in\":2048,\"note\":\"a, \\\"b\\\"\",\"more\":1}",
};

/* The table of @rows as @cli wants it, to be freed. */
static char *table(struct cli cli, bool complete)
{
	struct table t;
	char *text;
	size_t len;

	cli.out = open_memstream(&text, &len);
	CU_ASSERT_EQUAL_FATAL(table_begin(&t, &cli, columns), CLI_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CU_ASSERT_EQUAL(table_row(&t, rows[i], strlen(rows[i])),
				ITEM_NEXT);
	table_end(&t, complete);
	fclose(cli.out);
	return text;
}

#define EXPECT(text, ...)                                           \
	do {                                                        \
		char *got = table((struct cli){__VA_ARGS__}, true); \
                                                                    \
		CU_ASSERT_STRING_EQUAL(got, text);                  \
		free(got);                                          \
	} while (0)

static void formats(void)
{
	EXPECT("ID   STATE        AGE    IN\n"
	       "c1   SYN-RCVD    1.9s     -\n"
	       "c12  ESTAB     0.21ms  2.0K\n",
	       .header = true);
	EXPECT("id,state,age_us,bytes_in\n"
	       "c1,syn-received,1900000,\n"
	       "c12,established,210,2048\n",
	       .header = true, .format = FORMAT_CSV);
	EXPECT("c1\t\nc12\ta, \"b\"\n", .format = FORMAT_TSV,
	       .columns = "id,note");
	EXPECT("c1,\nc12,\"a, \"\"b\"\"\"\n", .format = FORMAT_CSV,
	       .columns = "id,note");
	EXPECT("c1 -\nc12 a,\\x20\"b\"\n", .format = FORMAT_RAW,
	       .columns = "ID,Note");
	EXPECT("{\"id\":\"c1\"}\n{\"id\":\"c12\",\"bytes_in\":2048}\n",
	       .format = FORMAT_NDJSON, .columns = "id,in");
	EXPECT("", .format = FORMAT_NONE, .header = true);
}

/* Rows that are made here look like those of the daemon. */
static void value_of(const void *of, const struct column *c, struct value *v)
{
	static const struct value second[] = {
		{.type = VALUE_TEXT, .text = "c12"},
		{.type = VALUE_TEXT, .text = "established"},
		{.type = VALUE_NUMBER, .number = 210},
		{.type = VALUE_NUMBER, .number = 2048},
		{.type = VALUE_END,
		 .number = 80,
		 .addr = {.b = {[0] = 0xfd, [15] = 2}}},
	};

	CU_ASSERT_STRING_EQUAL(of, "second");
	*v = second[c - columns];
}

static char *made_table(struct cli cli)
{
	struct table t;
	char *text;
	size_t len;

	cli.out = open_memstream(&text, &len);
	CU_ASSERT_EQUAL_FATAL(table_begin(&t, &cli, columns), CLI_OK);
	CU_ASSERT_EQUAL(table_values(&t, value_of, "second"), ITEM_NEXT);
	table_end(&t, true);
	fclose(cli.out);
	return text;
}

#define EXPECT_MADE(text, ...)                                     \
	do {                                                       \
		char *got = made_table((struct cli){__VA_ARGS__}); \
                                                                   \
		CU_ASSERT_STRING_EQUAL(got, text);                 \
		free(got);                                         \
	} while (0)

static void made_rows(void)
{
	EXPECT_MADE("ID   STATE     AGE    IN  NOTE\n"
		    "c12  ESTAB  0.21ms  2.0K  [fd00::2]:80\n",
		    .header = true, .columns = "+note");
	EXPECT_MADE("c12\testablished\t210\t2048\n", .format = FORMAT_TSV);
	EXPECT_MADE("{\"id\":\"c12\",\"bytes_in\":2048,"
		    "\"note\":{\"ip\":\"fd00::2\",\"port\":80}}\n",
		    .format = FORMAT_NDJSON, .columns = "id,in,note");
}

/* Unless fields are picked JSON passes byte for byte, new fields too. */
static void json_passes(void)
{
	char want[512];

	snprintf(want, sizeof(want), "%s\n%s\n", rows[0], rows[1]);
	EXPECT(want, .format = FORMAT_NDJSON);
	snprintf(want, sizeof(want), "[\n%s,\n%s\n]\n", rows[0], rows[1]);
	EXPECT(want, .format = FORMAT_JSON);
}

/* A document that an error cut short must not look whole. */
static void json_cut_short(void)
{
	struct cli cli = {.format = FORMAT_JSON};
	char *got = table(cli, false);

	CU_ASSERT_PTR_NULL(strchr(got, ']'));
	free(got);
}

static void picked_columns(void)
{
	EXPECT("NOTE    ID\n-       c1\na, \"b\"  c12\n", .header = true,
	       .columns = "note,id");
	EXPECT("ID   STATE        AGE    IN  NOTE\n"
	       "c1   SYN-RCVD    1.9s     -  -\n"
	       "c12  ESTAB     0.21ms  2.0K  a, \"b\"\n",
	       .header = true, .columns = "+note");
}

/* Narrower: first the gap, then IN, then AGE; what was picked stays. */
static void narrow_screens(void)
{
	EXPECT("ID  STATE       AGE   IN\n"
	       "c1  SYN-RCVD   1.9s    -\n"
	       "c12 ESTAB    0.21ms 2.0K\n",
	       .header = true, .screen_cols = 26);
	EXPECT("ID  STATE       AGE\n"
	       "c1  SYN-RCVD   1.9s\n"
	       "c12 ESTAB    0.21ms\n",
	       .header = true, .screen_cols = 20);
	EXPECT("c1  SYN-RCVD\nc12 ESTAB\n", .screen_cols = 5);
	EXPECT("c1   SYN-RCVD    1.9s\nc12  ESTAB     0.21ms\n",
	       .screen_cols = 5, .columns = "id,state,age");
}

/* The end of a list is the first to go, as long as something is left of it. */
static void narrow_lists(void)
{
	static const struct column some[] = {
		{"ID", "id", COLUMN_TEXT, true, 0},
		{"AGE", "age_us", COLUMN_TIME, true, 1},
		{"WORDS", "words", COLUMN_LIST, true, 2},
		{NULL, NULL, COLUMN_TEXT, false, 0},
	};
	static const char row[] = "{\"id\":\"c1\",\"age_us\":210,\"words\":"
				  "\"one,two,three,four,five\"}";
	static const struct {
		unsigned int cols;
		const char *want;
	} screens[] = {
		{33, "c1 0.21ms one,two,three,four,five\n"},
		{30, "c1 0.21ms one,two,three,fou...\n"},
		{24, "c1 one,two,three,four...\n"},
		{10, "c1\n"},
	};
	struct cli cli = {.format = FORMAT_TEXT};
	struct table t;
	char *text;
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(screens); i++) {
		cli.screen_cols = screens[i].cols;
		cli.out = open_memstream(&text, &len);
		CU_ASSERT_EQUAL_FATAL(table_begin(&t, &cli, some), CLI_OK);
		CU_ASSERT_EQUAL(table_row(&t, row, strlen(row)), ITEM_NEXT);
		table_end(&t, true);
		fclose(cli.out);
		CU_ASSERT_STRING_EQUAL(text, screens[i].want);
		free(text);
	}
}

static void colour(void)
{
	EXPECT("STATE\n\033[33mSYN-RCVD\033[0m\n\033[32mESTAB\033[0m\n",
	       .header = true, .colour = true, .columns = "state");
}

/* Rows flow after the first thousand; a wider cell then widens its column. */
static void many_rows(void)
{
	struct cli cli = {.columns = "id,age"};
	static const char wide[] = "{\"id\":\"c1000000\",\"age_us\":0}";
	static const char narrow[] = "{\"id\":\"c1\",\"age_us\":0}";
	size_t len, lines = 0;
	struct table t;
	char *text;

	cli.out = open_memstream(&text, &len);
	table_begin(&t, &cli, columns);
	for (int i = 0; i < 1500; i++)
		table_row(&t, narrow, strlen(narrow));
	fflush(cli.out);
	CU_ASSERT(len > 0);
	table_row(&t, wide, strlen(wide));
	table_row(&t, narrow, strlen(narrow));
	table_end(&t, true);
	fclose(cli.out);
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	CU_ASSERT_EQUAL(lines, 1502);
	CU_ASSERT_EQUAL(strncmp(text, "c1  0.00ms\nc1  0.00ms\n", 22), 0);
	CU_ASSERT_STRING_EQUAL(strstr(text, "c1000000"),
			       "c1000000  0.00ms\nc1        0.00ms\n");
	free(text);
}

static void cells(void)
{
	static const struct {
		const char *json;
		enum column_kind kind;
		const char *human, *plain;
	} t[] = {
		{"\"fin-wait-2\"", COLUMN_STATE, "FIN-WAIT-2", "fin-wait-2"},
		{"\"new-state\"", COLUMN_STATE, "new-state", "new-state"},
		{"-5", COLUMN_TIME, "-5", "-5"},
		{"1.5", COLUMN_TIME, "1.5", "1.5"},
		{"true", COLUMN_COUNT, "yes", "yes"},
		{"null", COLUMN_TEXT, "-", ""},
		{"[]", COLUMN_TEXT, "", ""},
		{"[\"a\",[1,2]]", COLUMN_TEXT, "a,1,2", "a,1,2"},
		{"{\"ip\":\"::1\",\"port\":7}", COLUMN_TEXT, "[::1]:7",
		 "[::1]:7"},
		{"{\"x\":1}", COLUMN_TEXT, "?", "?"},
		{"\"\\u001b[2J\"", COLUMN_TEXT, "?[2J", "?[2J"},
	};
	char buf[64];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		json_t *v = json_loads(t[i].json, JSON_DECODE_ANY, NULL);

		output_cell(v, t[i].kind, true, buf, sizeof(buf));
		CU_ASSERT_STRING_EQUAL(buf, t[i].human);
		output_cell(v, t[i].kind, false, buf, sizeof(buf));
		CU_ASSERT_STRING_EQUAL(buf, t[i].plain);
		json_decref(v);
	}
}

/* Whatever does not fit is cut, never written beyond the buffer. */
static void cells_are_cut(void)
{
	static const char *const values[] = {
		"\"abcdefgh\"",
		"[\"ab\",\"cd\",\"ef\"]",
		"{\"ip\":\"198.18.66.2\",\"port\":80}",
		"123456789",
		"[[[[1,2],3],4],5]",
	};

	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		json_t *v = json_loads(values[i], JSON_DECODE_ANY, NULL);

		for (size_t size = 1; size < 9; size++) {
			char buf[10];
			size_t n;

			memset(buf, '#', sizeof(buf));
			n = output_cell(v, COLUMN_TEXT, true, buf, size);
			CU_ASSERT(n < size);
			CU_ASSERT_EQUAL(buf[n], '\0');
			CU_ASSERT_EQUAL(buf[size], '#');
		}
		json_decref(v);
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(formats),	   UNIT_TEST(made_rows),
	UNIT_TEST(json_passes),	   UNIT_TEST(json_cut_short),
	UNIT_TEST(picked_columns), UNIT_TEST(narrow_screens),
	UNIT_TEST(narrow_lists),   UNIT_TEST(colour),
	UNIT_TEST(many_rows),	   UNIT_TEST(cells),
	UNIT_TEST(cells_are_cut),
};

int main(int argc, char **argv)
{
	return unit_run("cli_output", tests, ARRAY_LEN(tests), argc, argv);
}
