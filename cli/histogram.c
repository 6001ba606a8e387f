/*
 * histogram.c - How long handshakes took, as bars
 *
 * The daemon's buckets are finer than a terminal is high: they are put together
 * in steps of 1, 2 and 5, which are bounds of buckets, too. Empty steps between
 * two others are shown, for a gap tells something.
 */
#include "cli.h"

#include <inttypes.h>
#include <string.h>

#include <tcphs/plural.h>

#include "client.h"
#include "member.h"
#include "output.h"

#define STEPS	   27 /* 1 us, 2 us, 5 us, ... 500 s */
#define BAR_MAX	   40
#define BAR_LEAST  8
#define FIXED_COLS 36 /* of a line, beside the bar */

static const struct column columns[] = {
	{"LISTENER", "listener", COLUMN_TEXT, true, 0},
	{"ROLE", "role", COLUMN_TEXT, true, 2},
	{"COUNT", "count", COLUMN_COUNT, true, 0},
	{"MIN", "min_us", COLUMN_TIME, true, 1},
	{"P50", "p50_us", COLUMN_TIME, true, 0},
	{"P90", "p90_us", COLUMN_TIME, true, 0},
	{"P99", "p99_us", COLUMN_TIME, true, 0},
	{"P999", "p999_us", COLUMN_TIME, false, 0},
	{"MAX", "max_us", COLUMN_TIME, true, 0},
	{"SUM", "sum_us", COLUMN_TIME, false, 0},
	{"RESENT", "resent", COLUMN_COUNT, false, 0},
	{"SYN-AGAIN", "syn_again", COLUMN_COUNT, false, 0},
	{"COOKIES", "cookies", COLUMN_COUNT, false, 0},
	{"SLOW", "slow", COLUMN_COUNT, true, 3},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

/* What was drawn so far. */
struct drawing {
	const struct cli *cli;
	bool any;
	bool all; /* those that have nothing to show, too */
};

static int draw(void *arg, const char *text, size_t len);
static void put_head(const struct cli *cli, const json_t *o);
static void put_failures(const struct cli *cli, const json_t *outcomes);
static void put_percentiles(const struct cli *cli, const json_t *o);
static void put_bars(const struct cli *cli, const json_t *o);
static int64_t step_bound(unsigned int step);
static const char *step_label(unsigned int step, char buf[TEXT_NUMBER_MAX]);

enum cli_exit histogram_run(struct cli *cli, int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : NULL;
	struct drawing d = {.cli = cli, .all = cli->verbose || name};
	json_t *params = NULL;
	enum cli_exit e;
	struct table t;

	if (name && strncmp(name, "listener=", 9) == 0)
		name += 9;
	if (name)
		params = json_pack("{s:s}", "listener", name);
	if (cli->format == FORMAT_TEXT && !cli->columns) {
		e = client_call(cli->client, "histogram", params, draw, &d,
				NULL);
		if (e == CLI_OK && !d.any)
			fputs("no handshakes yet\n", cli->out);
		return e;
	}
	e = table_begin(&t, cli, columns);
	if (e != CLI_OK) {
		json_decref(params);
		return e;
	}
	e = client_call(cli->client, "histogram", params, table_row, &t, NULL);
	table_end(&t, e == CLI_OK);
	return e;
}

static int draw(void *arg, const char *text, size_t len)
{
	struct drawing *d = arg;
	json_t *o = json_loadb(text, len, 0, NULL);
	json_int_t count = member_number(o, "count"), all = 0;
	const char *key;
	json_t *v;

	json_object_foreach(json_object_get(o, "outcomes"), key, v) all +=
		json_integer_value(v);
	if (all || count || d->all) {
		if (d->any)
			fputc('\n', d->cli->out);
		d->any = true;
		put_head(d->cli, o);
		if (count) {
			put_percentiles(d->cli, o);
			put_bars(d->cli, o);
		}
	}
	json_decref(o);
	return ITEM_NEXT;
}

static void put_head(const struct cli *cli, const json_t *o)
{
	const json_t *outcomes = json_object_get(o, "outcomes");
	char name[64];

	if (!json_object_get(o, "listener"))
		snprintf(name, sizeof(name), "our own connections");
	else
		output_cell(json_object_get(o, "listener"), COLUMN_TEXT, true,
			    name, sizeof(name));
	fprintf(cli->out, "%s%s%s  %" JSON_INTEGER_FORMAT " handshake%s",
		output_sgr(cli, SGR_BOLD), name, output_sgr(cli, SGR_OFF),
		member_number(outcomes, "completed"),
		plural(member_number(outcomes, "completed")));
	if (member_number(o, "cookies"))
		fprintf(cli->out,
			" (%" JSON_INTEGER_FORMAT " by cookie, not timed)",
			member_number(o, "cookies"));
	if (member_number(o, "slow"))
		fprintf(cli->out, ", %" JSON_INTEGER_FORMAT " slow",
			member_number(o, "slow"));
	if (member_number(o, "resent"))
		fprintf(cli->out,
			", %" JSON_INTEGER_FORMAT " after a retransmission",
			member_number(o, "resent"));
	put_failures(cli, outcomes);
	fputc('\n', cli->out);
}

static void put_failures(const struct cli *cli, const json_t *outcomes)
{
	const char *key;
	char name[32];
	json_t *v;

	/* jansson's macro takes no const object; it is not changed. */
	json_object_foreach((json_t *)(uintptr_t)outcomes, key, v)
	{
		if (strcmp(key, "completed") == 0 || !json_integer_value(v))
			continue;
		snprintf(name, sizeof(name), "%s", key);
		text_clean(name);
		fprintf(cli->out, ", %" JSON_INTEGER_FORMAT " %s",
			json_integer_value(v), name);
	}
}

static void put_percentiles(const struct cli *cli, const json_t *o)
{
	static const char *const shown[][2] = {
		{"min", "min_us"}, {"p50", "p50_us"},	 {"p90", "p90_us"},
		{"p99", "p99_us"}, {"p99.9", "p999_us"}, {"max", "max_us"},
	};
	char buf[TEXT_NUMBER_MAX];

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		fprintf(cli->out, "  %s %s", shown[i][0],
			text_duration(member_number(o, shown[i][1]), buf));
	fputc('\n', cli->out);
}

static void put_bars(const struct cli *cli, const json_t *o)
{
	const json_t *buckets = json_object_get(o, "buckets");
	json_int_t n[STEPS + 1] = {0}, most = 0,
			     count = member_number(o, "count");
	unsigned int step, first = STEPS, last = 0, width = BAR_MAX;
	char buf[TEXT_NUMBER_MAX];
	json_t *pair;
	size_t i;

	json_array_foreach(buckets, i, pair)
	{
		int64_t us = json_integer_value(json_array_get(pair, 0));

		for (step = 0; step < STEPS && step_bound(step) < us; step++)
			;
		n[step] += json_integer_value(json_array_get(pair, 1));
		first = step < first ? step : first;
		last = step > last ? step : last;
		most = n[step] > most ? n[step] : most;
	}
	if (cli->screen_cols && cli->screen_cols < FIXED_COLS + BAR_MAX)
		width = cli->screen_cols > FIXED_COLS + BAR_LEAST
				? cli->screen_cols - FIXED_COLS
				: BAR_LEAST;
	for (step = first; step <= last; step++) {
		unsigned int bar = most ? (unsigned int)((double)n[step] *
							 width / (double)most)
					: 0;

		if (n[step] && !bar)
			bar = 1; /* a few are not none */
		fprintf(cli->out, "  up to %-7s %s", step_label(step, buf),
			output_sgr(cli, SGR_CYAN));
		for (unsigned int k = 0; k < width; k++)
			fputc(k < bar ? '#' : ' ', cli->out);
		fprintf(cli->out, "%s %8" JSON_INTEGER_FORMAT " %5.1f%%\n",
			output_sgr(cli, SGR_OFF), n[step],
			100. * (double)n[step] / (double)count);
	}
}

/* 1, 2, 5, 10, ... microseconds */
static int64_t step_bound(unsigned int step)
{
	static const int first[] = {1, 2, 5};
	int64_t us = first[step % 3];

	for (; step >= 3; step -= 3)
		us *= 10;
	return us;
}

/* "20us", "5ms", "2s" */
static const char *step_label(unsigned int step, char buf[TEXT_NUMBER_MAX])
{
	static const char *const units[] = {"us", "ms", "s"};
	static const int first[] = {1, 2, 5};
	int n = first[step % 3];

	if (step >= STEPS)
		return "forever";
	for (unsigned int zeros = step / 3 % 3; zeros > 0; zeros--)
		n *= 10;
	snprintf(buf, TEXT_NUMBER_MAX, "%d%s", n, units[step / 9]);
	return buf;
}
