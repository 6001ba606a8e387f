/*
 * security_show.c - Findings for people and for spreadsheets
 */
#include "security.h"

#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "member.h"
#include "output.h"
#include "report.h"

#define SOURCES_TEXT 20 /* rows; the others are in JSON */

static const struct column finding_columns[] = {
	{"CODE", "code", COLUMN_TEXT, true, 0},
	{"SEVERITY", "severity", COLUMN_TEXT, true, 0},
	{"COUNT", "count", COLUMN_COUNT, true, 0},
	{"SOURCES", "sources", COLUMN_COUNT, true, 0},
	{"FIRST", "first", COLUMN_TEXT, true, 0},
	{"LAST", "last", COLUMN_TEXT, true, 0},
	{"NUMBERS", "numbers", COLUMN_TEXT, true, 0},
	{"MEANING", "meaning", COLUMN_TEXT, true, 0},
	{"INNOCENT", "innocent", COLUMN_TEXT, true, 0},
	{"ACTION", "action", COLUMN_TEXT, true, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static const struct column source_columns[] = {
	{"SOURCE", "source", COLUMN_TEXT, true, 0},
	{"DONE", "completed", COLUMN_COUNT, true, 0},
	{"REFUSED", "refused", COLUMN_COUNT, true, 0},
	{"REJECTED", "rejected", COLUMN_COUNT, true, 0},
	{"UNANSWERED", "unanswered", COLUMN_COUNT, true, 0},
	{"RESET", "reset", COLUMN_COUNT, true, 0},
	{"STRAYS", "strays", COLUMN_COUNT, true, 3},
	{"PORTS", "ports", COLUMN_COUNT, true, 0},
	{"ISN", "isn", COLUMN_TEXT, true, 2},
	{"OPTIONS", "options", COLUMN_TEXT, true, 1},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static void put_finding(const struct cli *cli, const json_t *f);
static json_t *flat(const json_t *finding);

void security_text(const struct cli *cli, const json_t *doc)
{
	const json_t *findings = json_object_get(doc, "findings");
	const json_t *sources = json_object_get(doc, "sources");
	json_int_t all =
		json_integer_value(json_object_get(doc, "sources_total"));
	json_t *some = json_array();

	report_put_period(cli, json_object_get(doc, "period"));
	if (!json_array_size(findings))
		fputs("\nNothing looks wrong.\n", cli->out);
	for (size_t i = 0; i < json_array_size(findings); i++)
		put_finding(cli, json_array_get(findings, i));
	for (size_t i = 0; i < json_array_size(sources) && i < SOURCES_TEXT;
	     i++)
		json_array_append(some, json_array_get(sources, i));
	if (json_array_size(some))
		report_put_table(cli, "Who came", source_columns, some, NULL);
	if (all > SOURCES_TEXT)
		fprintf(cli->out, "and %" JSON_INTEGER_FORMAT " more\n",
			all - SOURCES_TEXT);
	json_decref(some);
}

/* A row for each finding. */
void security_csv(const struct cli *cli, const json_t *doc)
{
	const json_t *findings = json_object_get(doc, "findings");
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(findings); i++)
		json_array_append_new(rows, flat(json_array_get(findings, i)));
	report_put_rows(cli, finding_columns, rows, NULL);
	json_decref(rows);
}

/* "probes 40, ports 25"; a value beyond the room is left out. */
static const char *numbers_text(const json_t *numbers, char *buf, size_t size)
{
	char cell[64], name[48];
	const char *key;
	size_t n = 0;
	json_t *v;

	*buf = '\0';
	/* jansson's macro takes no const object; it is not changed. */
	json_object_foreach((json_t *)(uintptr_t)numbers, key, v)
	{
		size_t len = strlen(key);
		bool time = len > 3 && strcmp(key + len - 3, "_us") == 0;

		snprintf(name, sizeof(name), "%.*s",
			 (int)(time ? len - 3 : len), key);
		for (char *c = name; *c; c++)
			*c = *c == '_' ? ' ' : *c;
		output_cell(v, time ? COLUMN_TIME : COLUMN_COUNT, true, cell,
			    sizeof(cell));
		if (n + strlen(name) + strlen(cell) + 4 > size)
			break;
		n += (size_t)snprintf(buf + n, size - n, "%s%s %s",
				      n ? ", " : "", name, cell);
	}
	text_clean(buf);
	return buf;
}

static const char *list_text(const json_t *list, char *buf, size_t size)
{
	size_t n = 0;

	*buf = '\0';
	for (size_t i = 0; i < json_array_size(list) && n < size; i++)
		n += (size_t)snprintf(
			buf + n, size - n, "%s%s", i ? ", " : "",
			json_string_value(json_array_get(list, i)));
	return buf;
}

static void put_finding(const struct cli *cli, const json_t *f)
{
	char words[512], title[80], count[64];

	snprintf(title, sizeof(title), "%s", member_text(f, "title"));
	text_clean(title);
	output_cell(json_object_get(f, "count"), COLUMN_COUNT, true, count,
		    sizeof(count));
	fprintf(cli->out, "\n%s%s%s (%s): %s%s\n", output_sgr(cli, SGR_BOLD),
		title, output_sgr(cli, SGR_OFF), member_text(f, "severity"),
		count,
		json_is_true(json_object_get(f, "active")) ? ", goes on" : "");
	advice_put(cli, "numbers",
		   numbers_text(json_object_get(f, "numbers"), words,
				sizeof(words)));
	advice_put(cli, "from",
		   list_text(json_object_get(f, "from"), words, sizeof(words)));
	if (json_object_get(f, "first")) {
		snprintf(words, sizeof(words), "%s, last %s",
			 member_text(f, "first"), member_text(f, "last"));
		advice_put(cli, "first", words);
		advice_put(cli, "latest", member_text(f, "message"));
	}
	advice_put(cli, "meaning", member_text(f, "meaning"));
	advice_put(cli, "innocent", member_text(f, "innocent"));
	advice_put(cli, "do", member_text(f, "action"));
}

/* As a row: its numbers are one text. */
static json_t *flat(const json_t *finding)
{
	json_t *row = json_copy((json_t *)(uintptr_t)finding);
	const json_t *numbers = json_object_get(finding, "numbers");
	json_t *sources = json_object_get(numbers, "sources");
	size_t from = json_array_size(json_object_get(finding, "from"));
	char words[512];

	json_object_set_new(
		row, "numbers",
		json_string(numbers_text(numbers, words, sizeof(words))));
	if (sources)
		json_object_set(row, "sources", sources);
	else if (from)
		json_object_set_new(row, "sources",
				    json_integer((json_int_t)from));
	return row;
}
