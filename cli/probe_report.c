/*
 * probe_report.c - What probe says
 *
 * A line for each handshake as it ends, and one or two about all of them. The
 * percentiles are times that were really measured (nearest rank), of handshakes
 * that completed; how long a refusal took is on its line alone.
 */
#include "probe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/plural.h>

static void add_text(const struct probe_report *r,
		     const struct probe_answer *a);
static json_t *answer_json(const struct probe_report *r,
			   const struct probe_answer *a);
static void end_text(const struct probe_report *r);
static json_t *summary_json(const struct probe_report *r);
static void put_json(const struct cli *cli, const json_t *doc);
static int64_t percentile(const struct probe_report *r, unsigned int percent);
static int by_time(const void *a, const void *b);

static const struct {
	const char *name, *words;
	enum cli_exit exit;
} outcomes[] = {
#define PROBE_ROW(name, wire, words, exit) {wire, words, exit},
	PROBE_LIST(PROBE_ROW)
#undef PROBE_ROW
};

static const unsigned int percents[] = {50, 95, 99};

static const struct column columns[] = {
	{"PROBE", "probe", COLUMN_COUNT, true, 0},
	{"OUTCOME", "outcome", COLUMN_TEXT, true, 0},
	{"TIME", "time_us", COLUMN_TIME, true, 0},
	{"RETR", "retrans", COLUMN_COUNT, true, 0},
	{"RTT", "rtt_us", COLUMN_TIME, true, 0},
	{"CONN", "conn", COLUMN_TEXT, true, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

enum probe_outcome probe_outcome_parse(const char *name)
{
	int i = 0;

	while (i < PROBE_NOUTCOMES && strcmp(name, outcomes[i].name) != 0)
		i++;
	return (enum probe_outcome)i;
}

enum cli_exit probe_report_begin(struct probe_report *r, const struct cli *cli,
				 const char *addr, const char *port)
{
	*r = (struct probe_report){.cli = cli, .addr = addr, .port = port};
	if (cli->format == FORMAT_TEXT)
		fprintf(cli->out, "probing %s port %s\n", addr, port);
	else if (cli->format == FORMAT_JSON)
		r->answers = json_array();
	else
		return table_begin(&r->table, cli, columns);
	return CLI_OK;
}

bool probe_report_add(struct probe_report *r, const struct probe_answer *a)
{
	unsigned int room = r->room ? 2 * r->room : 64;
	int64_t *more;
	json_t *o;

	r->count++;
	r->outcomes[a->outcome]++;
	if (a->outcome == PROBE_OPEN && r->ntimes == r->room) {
		more = reallocarray(r->time_us, room, sizeof(*more));
		if (!more)
			return false;
		r->time_us = more;
		r->room = room;
	}
	if (a->outcome == PROBE_OPEN)
		r->time_us[r->ntimes++] = a->time_us;
	if (r->cli->format == FORMAT_TEXT) {
		add_text(r, a);
	} else {
		o = answer_json(r, a);
		if (r->answers) {
			json_array_append_new(r->answers, o);
		} else {
			char *text = json_dumps(o, JSON_COMPACT);

			json_decref(o);
			if (!text)
				return false;
			table_row(&r->table, text, strlen(text));
			free(text);
		}
	}
	return fflush(r->cli->out) == 0;
}

void probe_report_end(struct probe_report *r)
{
	json_t *summary, *o;

	if (r->ntimes)
		qsort(r->time_us, r->ntimes, sizeof(*r->time_us), by_time);
	if (r->cli->format == FORMAT_TEXT)
		end_text(r);
	else if (!r->answers)
		table_end(&r->table, true);
	if (r->cli->format == FORMAT_JSON || r->cli->format == FORMAT_NDJSON) {
		summary = summary_json(r);
		o = r->answers ? json_pack("{s:O, s:o}", "probes", r->answers,
					   "summary", summary)
			       : json_pack("{s:o}", "summary", summary);
		put_json(r->cli, o);
		json_decref(o);
	}
	json_decref(r->answers);
	free(r->time_us);
}

enum cli_exit probe_report_exit(const struct probe_report *r,
				enum probe_outcome expect)
{
	enum cli_exit worst = CLI_OK;

	if (expect != PROBE_NOUTCOMES)
		return r->outcomes[expect] == r->count && r->count ? CLI_OK
								   : CLI_NO;
	for (int i = 0; i < PROBE_NOUTCOMES; i++)
		if (r->outcomes[i] && outcomes[i].exit > worst)
			worst = outcomes[i].exit;
	return worst;
}

static void add_text(const struct probe_report *r, const struct probe_answer *a)
{
	const struct cli *cli = r->cli;
	bool open = a->outcome == PROBE_OPEN;

	fprintf(cli->out, "%4u  %s%s%s", r->count,
		output_sgr(cli, open ? SGR_GREEN : SGR_RED),
		outcomes[a->outcome].words, output_sgr(cli, SGR_OFF));
	if (a->time_us >= 0)
		fprintf(cli->out, "%s %.3f ms",
			open || a->outcome == PROBE_RESET ? " in" : " after",
			(double)a->time_us / 1000);
	if (a->retrans > 0)
		fprintf(cli->out, ", %" PRId64 " SYNs", a->retrans + 1);
	if (a->retrans > 0 && a->rtt_us >= 0)
		fprintf(cli->out, ", the last answered in %.3f ms",
			(double)a->rtt_us / 1000);
	fputc('\n', cli->out);
}

/* What is not known is left out. */
static json_t *answer_json(const struct probe_report *r,
			   const struct probe_answer *a)
{
	json_t *o = json_pack("{s:i, s:s, s:s}", "probe", (int)r->count,
			      "outcome", outcomes[a->outcome].name, "words",
			      outcomes[a->outcome].words);

	if (a->time_us >= 0)
		json_object_set_new(o, "time_us", json_integer(a->time_us));
	if (a->retrans >= 0)
		json_object_set_new(o, "retrans", json_integer(a->retrans));
	if (a->rtt_us >= 0)
		json_object_set_new(o, "rtt_us", json_integer(a->rtt_us));
	if (*a->conn)
		json_object_set_new(o, "conn", json_string(a->conn));
	return o;
}

static void end_text(const struct probe_report *r)
{
	FILE *out = r->cli->out;
	const char *comma = ": ";

	fprintf(out, "%u probe%s of %s port %s", r->count, plural(r->count),
		r->addr, r->port);
	for (int i = 0; i < PROBE_NOUTCOMES; i++) {
		if (!r->outcomes[i])
			continue;
		fprintf(out, "%s%u %s", comma, r->outcomes[i],
			outcomes[i].words);
		comma = ", ";
	}
	fputc('\n', out);
	if (!r->ntimes)
		return;
	fprintf(out, "open in ms: min %.3f", (double)r->time_us[0] / 1000);
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
		fprintf(out, " p%u %.3f", percents[i],
			(double)percentile(r, percents[i]) / 1000);
	fprintf(out, " max %.3f\n", (double)r->time_us[r->ntimes - 1] / 1000);
}

static json_t *summary_json(const struct probe_report *r)
{
	json_t *counts = json_object(), *o;
	char name[16];

	for (int i = 0; i < PROBE_NOUTCOMES; i++)
		if (r->outcomes[i])
			json_object_set_new(
				counts, outcomes[i].name,
				json_integer((json_int_t)r->outcomes[i]));
	o = json_pack("{s:s, s:i, s:i, s:o}", "address", r->addr, "port",
		      atoi(r->port), "count", (int)r->count, "outcomes",
		      counts);
	if (!r->ntimes)
		return o;
	json_object_set_new(o, "min_us", json_integer(r->time_us[0]));
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		snprintf(name, sizeof(name), "p%u_us", percents[i]);
		json_object_set_new(o, name,
				    json_integer(percentile(r, percents[i])));
	}
	json_object_set_new(o, "max_us",
			    json_integer(r->time_us[r->ntimes - 1]));
	return o;
}

static void put_json(const struct cli *cli, const json_t *doc)
{
	json_dumpf(doc, cli->out,
		   output_flags(cli) |
			   (cli->format == FORMAT_JSON ? JSON_INDENT(2)
						       : JSON_COMPACT));
	fputc('\n', cli->out);
}

/* The smallest time that so many percent of them do not exceed. */
static int64_t percentile(const struct probe_report *r, unsigned int percent)
{
	uint64_t rank = ((uint64_t)r->ntimes * percent + 99) / 100;

	return r->time_us[rank - 1];
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}
