/*
 * report_show.c - A report for people and for spreadsheets
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include <tcphs/plural.h>

#include "member.h"
#include "output.h"
#include "since.h"

static const struct column group_columns[] = {
	{"LISTENER", "listener", COLUMN_TEXT, true, 0},
	{"ROLE", "role", COLUMN_TEXT, true, 0},
	{"ATTEMPTS", "attempts", COLUMN_COUNT, true, 0},
	{"DONE", "completed", COLUMN_COUNT, true, 0},
	{"FAILED", "failed", COLUMN_COUNT, true, 0},
	{"RESENT", "resent", COLUMN_COUNT, true, 1},
	{"SLOW", "slow", COLUMN_COUNT, true, 2},
	{"TIMED", "timed", COLUMN_COUNT, false, 0},
	{"MIN", "min_us", COLUMN_TIME, true, 3},
	{"P50", "p50_us", COLUMN_TIME, true, 0},
	{"P90", "p90_us", COLUMN_TIME, true, 0},
	{"P99", "p99_us", COLUMN_TIME, true, 0},
	{"MAX", "max_us", COLUMN_TIME, true, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static const struct column failure_columns[] = {
	{"COUNT", "count", COLUMN_COUNT, true, 0},
	{"LISTENER", "listener", COLUMN_TEXT, true, 0},
	{"ROLE", "role", COLUMN_TEXT, true, 1},
	{"OUTCOME", "outcome", COLUMN_TEXT, true, 0},
	{"REASON", "reason", COLUMN_TEXT, true, 0},
	{"LAST", "last", COLUMN_TEXT, true, 3},
	{"PEER", "peer", COLUMN_TEXT, true, 2},
	{"CONN", "conn", COLUMN_TEXT, true, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static const char csv_columns[] = "listener,role,attempts,completed,failed,"
				  "resent,slow,timed,min_us,p50_us,p90_us,"
				  "p99_us,max_us";

static void put_row(struct table *t, const json_t *row);
static void put_endings(const struct cli *cli, const json_t *endings);
static void put_alerts(const struct cli *cli, const json_t *alerts);

void report_text(const struct cli *cli, const json_t *doc)
{
	const json_t *groups = json_object_get(doc, "groups");
	const json_t *failures = json_object_get(doc, "failures");

	report_put_period(cli, json_object_get(doc, "period"));
	if (json_array_size(groups))
		report_put_table(cli, "Handshakes", group_columns, groups,
				 json_array_size(groups) > 1
					 ? json_object_get(doc, "total")
					 : NULL);
	else
		fputs("\nNobody tried to connect.\n", cli->out);
	if (json_array_size(failures)) {
		report_put_table(cli, "Failures", failure_columns, failures,
				 NULL);
		fputs("What a word means, and what to do: tcphsctl explain "
		      "WORD\n",
		      cli->out);
	}
	put_endings(cli, json_object_get(doc, "endings"));
	put_alerts(cli, json_object_get(doc, "alerts"));
}

/* A row for each group; no sum, which a spreadsheet would count twice. */
void report_csv(const struct cli *cli, const json_t *doc)
{
	struct cli as = *cli;

	as.columns = csv_columns;
	report_put_rows(&as, group_columns, json_object_get(doc, "groups"),
			NULL);
}

static const char *value(const json_t *o, const char *key,
			 enum column_kind kind, char buf[256])
{
	output_cell(json_object_get(o, key), kind, true, buf, 256);
	return buf;
}

void report_put_period(const struct cli *cli, const json_t *period)
{
	char a[256], b[256], c[256];

	fprintf(cli->out, "%s to %s (%s)\n",
		value(period, "from", COLUMN_TEXT, a),
		value(period, "until", COLUMN_TEXT, b),
		value(period, "covered_us", COLUMN_TIME, c));
	if (json_object_get(period, "cut"))
		fprintf(cli->out, "asked from %s, but %s\n",
			value(period, "asked_from", COLUMN_TEXT, a),
			value(period, "cut", COLUMN_TEXT, b));
	if (member_number(period, "lost"))
		fprintf(cli->out,
			"%s event%s lost: the figures are what is left\n",
			value(period, "lost", COLUMN_COUNT, a),
			plural(member_number(period, "lost")));
	if (json_object_get(period, "lines"))
		fprintf(cli->out,
			"%s line%s, %s gap%s, %s damaged; the daemon "
			"started %s time%s\n",
			value(period, "lines", COLUMN_COUNT, a),
			plural(member_number(period, "lines")),
			value(period, "gaps", COLUMN_COUNT, b),
			plural(member_number(period, "gaps")),
			value(period, "damaged", COLUMN_COUNT, c),
			value(period, "starts", COLUMN_COUNT, (char[256]){0}),
			plural(member_number(period, "starts")));
}

static void put_title(const struct cli *cli, const char *title)
{
	fprintf(cli->out, "\n%s%s%s\n", output_sgr(cli, SGR_BOLD), title,
		output_sgr(cli, SGR_OFF));
}

void report_put_table(const struct cli *cli, const char *title,
		      const struct column *columns, const json_t *rows,
		      const json_t *last)
{
	put_title(cli, title);
	report_put_rows(cli, columns, rows, last);
}

void report_put_rows(const struct cli *cli, const struct column *columns,
		     const json_t *rows, const json_t *last)
{
	struct table t;

	if (table_begin(&t, cli, columns) != CLI_OK)
		return;
	for (size_t i = 0; i < json_array_size(rows); i++)
		put_row(&t, json_array_get(rows, i));
	if (last) {
		json_t *sum = json_copy((json_t *)(uintptr_t)last);

		json_object_set_new(sum, "listener", json_string("all"));
		put_row(&t, sum);
		json_decref(sum);
	}
	table_end(&t, true);
}

static void put_row(struct table *t, const json_t *row)
{
	char *text = json_dumps(row, JSON_COMPACT);

	if (text)
		table_row(t, text, strlen(text));
	free(text);
}

static void put_endings(const struct cli *cli, const json_t *endings)
{
	const char *key;
	json_t *v;

	if (!json_object_size(endings))
		return;
	put_title(cli, "How connections ended");
	/* jansson's macro takes no const object; it is not changed. */
	json_object_foreach((json_t *)(uintptr_t)endings, key, v)
	{
		char name[64];

		snprintf(name, sizeof(name), "%s", key);
		text_clean(name);
		fprintf(cli->out, "%8" JSON_INTEGER_FORMAT "  %s\n",
			json_integer_value(v), name);
	}
}

static void put_alerts(const struct cli *cli, const json_t *alerts)
{
	char a[256], b[256];

	if (!json_array_size(alerts)) {
		fputs("\nNo alerts.\n", cli->out);
		return;
	}
	put_title(cli, "Alerts");
	for (size_t i = 0; i < json_array_size(alerts); i++) {
		const json_t *o = json_array_get(alerts, i);

		fprintf(cli->out, "%s  %s%s%s%s\n",
			value(o, "began", COLUMN_TEXT, a),
			output_sgr(cli, SGR_YELLOW),
			value(o, "message", COLUMN_TEXT, b),
			output_sgr(cli, SGR_OFF),
			json_object_get(o, "ended") ? "" : " (goes on)");
	}
}
