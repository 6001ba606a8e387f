/*
 * report_html.c - A report as a page
 *
 * Whatever comes from outside goes through page_escape().
 */
#include "report.h"

#include <string.h>

#include <tcphs/plural.h>

#include "member.h"
#include "output.h"
#include "page.h"
#include "security.h"

static const char style[] =
	"td, th { white-space: nowrap }\n"
	"td.bar { width: 24em } td.bar div { background: var(--blue); "
	"height: 1em; min-width: 1px }\n"
	"p.note { color: var(--bad) }\n";

struct html_column {
	const char *heading, *key;
	enum column_kind kind;
};

static const struct html_column group_columns[] = {
	{"Listener", "listener", COLUMN_TEXT},
	{"Role", "role", COLUMN_TEXT},
	{"Attempts", "attempts", COLUMN_COUNT},
	{"Completed", "completed", COLUMN_COUNT},
	{"Failed", "failed", COLUMN_COUNT},
	{"Resent", "resent", COLUMN_COUNT},
	{"Slow", "slow", COLUMN_COUNT},
	{"Min", "min_us", COLUMN_TIME},
	{"p50", "p50_us", COLUMN_TIME},
	{"p90", "p90_us", COLUMN_TIME},
	{"p99", "p99_us", COLUMN_TIME},
	{"Max", "max_us", COLUMN_TIME},
	{NULL, NULL, COLUMN_TEXT},
};

static const struct html_column failure_columns[] = {
	{"Count", "count", COLUMN_COUNT},
	{"Listener", "listener", COLUMN_TEXT},
	{"Role", "role", COLUMN_TEXT},
	{"Outcome", "outcome", COLUMN_TEXT},
	{"Reason", "reason", COLUMN_TEXT},
	{"Last", "last", COLUMN_TEXT},
	{"Peer", "peer", COLUMN_TEXT},
	{"Connection", "conn", COLUMN_TEXT},
	{NULL, NULL, COLUMN_TEXT},
};

static const struct html_column alert_columns[] = {
	{"Began", "began", COLUMN_TEXT},
	{"Ended", "ended", COLUMN_TEXT},
	{"Kind", "kind", COLUMN_TEXT},
	{"Severity", "severity", COLUMN_TEXT},
	{"Listener", "listener", COLUMN_TEXT},
	{"Source", "source", COLUMN_TEXT},
	{"What", "message", COLUMN_TEXT},
	{NULL, NULL, COLUMN_TEXT},
};

static const struct html_column source_columns[] = {
	{"Source", "source", COLUMN_TEXT},
	{"Completed", "completed", COLUMN_COUNT},
	{"Refused", "refused", COLUMN_COUNT},
	{"Rejected", "rejected", COLUMN_COUNT},
	{"Unanswered", "unanswered", COLUMN_COUNT},
	{"Reset", "reset", COLUMN_COUNT},
	{"Strays", "strays", COLUMN_COUNT},
	{"Ports", "ports", COLUMN_COUNT},
	{"ISN", "isn", COLUMN_TEXT},
	{"Options", "options", COLUMN_TEXT},
	{"Last", "last", COLUMN_TEXT},
	{NULL, NULL, COLUMN_TEXT},
};

static void put_finding(FILE *out, const json_t *f);
static void put_value(FILE *out, const json_t *o, const char *key,
		      enum column_kind kind);
static void put_period(FILE *out, const json_t *period);
static void put_table(FILE *out, const char *title,
		      const struct html_column *columns, const json_t *rows,
		      const char *none);
static void put_counts(FILE *out, const char *title, const json_t *counts);
static void put_steps(FILE *out, const json_t *steps);

void report_html(const struct cli *cli, const json_t *doc)
{
	const json_t *total = json_object_get(doc, "total");
	FILE *out = cli->out;

	page_head(out, "Handshakes", "", style);
	put_period(out, json_object_get(doc, "period"));
	put_table(out, "By listener", group_columns,
		  json_object_get(doc, "groups"), "Nobody tried to connect.");
	put_counts(out, "Outcomes", json_object_get(total, "outcomes"));
	put_steps(out, json_object_get(total, "steps"));
	put_table(out, "Failures", failure_columns,
		  json_object_get(doc, "failures"), "None.");
	put_counts(out, "How connections ended",
		   json_object_get(doc, "endings"));
	put_table(out, "Alerts", alert_columns, json_object_get(doc, "alerts"),
		  "None.");
	fputs("</body>\n</html>\n", out);
}

void security_html(const struct cli *cli, const json_t *doc)
{
	const json_t *findings = json_object_get(doc, "findings");
	FILE *out = cli->out;

	page_head(out, "Security", "", style);
	put_period(out, json_object_get(doc, "period"));
	if (!json_array_size(findings))
		fputs("<p>Nothing looks wrong.</p>\n", out);
	for (size_t i = 0; i < json_array_size(findings); i++)
		put_finding(out, json_array_get(findings, i));
	put_table(out, "Who came", source_columns,
		  json_object_get(doc, "sources"), "Nobody.");
	fputs("</body>\n</html>\n", out);
}

/* A heading, its numbers as a table of one row each, and the words. */
static void put_finding(FILE *out, const json_t *f)
{
	static const char *const words[][2] = {
		{"Meaning", "meaning"},
		{"Innocent causes", "innocent"},
		{"What to do", "action"},
	};
	const json_t *from = json_object_get(f, "from");
	const char *key;
	json_t *v;

	fputs("<h2>", out);
	put_value(out, f, "title", COLUMN_TEXT);
	fputs("</h2>\n<table>\n", out);
	json_object_foreach(json_object_get(f, "numbers"), key, v)
	{
		fputs("<tr><td>", out);
		page_escape(out, key);
		fprintf(out,
			"</td><td class=\"n\">%" JSON_INTEGER_FORMAT
			"</td></tr>\n",
			json_integer_value(v));
	}
	fputs("</table>\n", out);
	if (json_array_size(from)) {
		fputs("<p>From", out);
		for (size_t i = 0; i < json_array_size(from); i++) {
			fputs(i ? ", " : " ", out);
			page_escape(out,
				    json_string_value(json_array_get(from, i)));
		}
		fputs("</p>\n", out);
	}
	if (json_object_get(f, "message")) {
		fputs("<p>", out);
		put_value(out, f, "last", COLUMN_TEXT);
		fputs(" ", out);
		put_value(out, f, "message", COLUMN_TEXT);
		fputs("</p>\n", out);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		fprintf(out, "<p><b>%s</b> ", words[i][0]);
		put_value(out, f, words[i][1], COLUMN_TEXT);
		fputs("</p>\n", out);
	}
}

static void put_value(FILE *out, const json_t *o, const char *key,
		      enum column_kind kind)
{
	char cell[1024];

	output_cell(json_object_get(o, key), kind, true, cell, sizeof(cell));
	page_escape(out, cell);
}

static void put_period(FILE *out, const json_t *period)
{
	fputs("<p>", out);
	put_value(out, period, "from", COLUMN_TEXT);
	fputs(" to ", out);
	put_value(out, period, "until", COLUMN_TEXT);
	fputs(" (", out);
	put_value(out, period, "covered_us", COLUMN_TIME);
	fputs("), from ", out);
	put_value(out, period, "events", COLUMN_COUNT);
	fprintf(out, " event%s</p>\n", plural(member_number(period, "events")));
	if (json_object_get(period, "cut")) {
		fputs("<p class=\"note\">Asked from ", out);
		put_value(out, period, "asked_from", COLUMN_TEXT);
		fputs(", but ", out);
		put_value(out, period, "cut", COLUMN_TEXT);
		fputs(".</p>\n", out);
	}
	if (member_number(period, "lost")) {
		fputs("<p class=\"note\">", out);
		put_value(out, period, "lost", COLUMN_COUNT);
		fprintf(out,
			" event%s lost: the figures are what is left.</p>\n",
			plural(member_number(period, "lost")));
	}
}

static void put_table(FILE *out, const char *title,
		      const struct html_column *columns, const json_t *rows,
		      const char *none)
{
	const struct html_column *c;

	fprintf(out, "<h2>%s</h2>\n", title);
	if (!json_array_size(rows)) {
		fprintf(out, "<p>%s</p>\n", none);
		return;
	}
	fputs("<div class=\"scroll\"><table>\n<tr>", out);
	for (c = columns; c->heading; c++)
		fprintf(out, "<th%s>%s</th>",
			c->kind == COLUMN_TEXT ? "" : " class=\"n\"",
			c->heading);
	fputs("</tr>\n", out);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		fputs("<tr>", out);
		for (c = columns; c->heading; c++) {
			fprintf(out, "<td%s>",
				c->kind == COLUMN_TEXT ? "" : " class=\"n\"");
			put_value(out, json_array_get(rows, i), c->key,
				  c->kind);
			fputs("</td>", out);
		}
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

/* A bar as long as @n is of @most. */
static void put_bar_row(FILE *out, const char *label, json_int_t n,
			json_int_t most)
{
	fputs("<tr><td>", out);
	page_escape(out, label);
	fprintf(out,
		"</td><td class=\"n\">%" JSON_INTEGER_FORMAT
		"</td><td class=\"bar\"><div style=\"width:%.1f%%\"></div>"
		"</td></tr>\n",
		n, most > 0 ? 100.0 * (double)n / (double)most : 0.0);
}

static void put_counts(FILE *out, const char *title, const json_t *counts)
{
	json_int_t most = 0;
	const char *key;
	json_t *v;

	if (!json_object_size(counts))
		return;
	/* jansson's macro takes no const object; it is not changed. */
	json_object_foreach((json_t *)(uintptr_t)counts, key, v)
	{
		if (json_integer_value(v) > most)
			most = json_integer_value(v);
	}
	fprintf(out, "<h2>%s</h2>\n<table>\n", title);
	json_object_foreach((json_t *)(uintptr_t)counts, key, v)
	{
		put_bar_row(out, key, json_integer_value(v), most);
	}
	fputs("</table>\n", out);
}

static void put_steps(FILE *out, const json_t *steps)
{
	char label[TEXT_NUMBER_MAX + 8], time[TEXT_NUMBER_MAX];
	json_int_t most = 0, n;

	if (!json_array_size(steps))
		return;
	for (size_t i = 0; i < json_array_size(steps); i++) {
		n = json_integer_value(
			json_array_get(json_array_get(steps, i), 1));
		most = n > most ? n : most;
	}
	fputs("<h2>How long handshakes took</h2>\n<table>\n", out);
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);

		snprintf(label, sizeof(label), "up to %s",
			 text_duration(
				 json_integer_value(json_array_get(step, 0)),
				 time));
		put_bar_row(out, label,
			    json_integer_value(json_array_get(step, 1)), most);
	}
	fputs("</table>\n", out);
}
