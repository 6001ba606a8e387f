/*
 * analyze_table.c - A row for each connection
 *
 * --json and --ndjson are the same here: JSON Lines with all there is to say, a
 * line as soon as a connection has ended, so that neither we nor the reader keep
 * them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/plural.h>

#include "analyze.h"
#include "findings.h"
#include "summary.h"
#include "verdict.h"

static enum cli_exit begin(struct analyze *z);
static void row(struct analyze *z, const struct verdict *v);
static void put_sources(struct analyze *z);
static void put(struct analyze *z, json_t *item);
static enum cli_exit end(struct analyze *z);
static void put_findings(const struct analyze *z);
static void tell_unread(const struct analysis_stats *stats);
static void free_rows(struct analyze *z);
static bool whole(const struct cli *cli);

const struct view table_view = {
	.begin = begin,
	.verdict = row,
	.end = end,
	.free = free_rows,
};

static enum cli_exit begin(struct analyze *z)
{
	enum cli_exit e = table_begin(&z->table, z->cli, verdict_columns);

	z->table.at_once = z->live;
	if (e == CLI_OK && (whole(z->cli) || z->live)) {
		z->summary = summary_new();
		if (!z->summary)
			return CLI_NO;
	}
	if (e == CLI_OK && whole(z->cli))
		put_sources(z);
	if (e != CLI_OK || !z->cli->sort)
		return e;
	if (whole(z->cli)) {
		complain("--sort and JSON Lines: choose one, or columns by -o");
		return CLI_USAGE;
	}
	z->sorted = sorted_new(verdict_columns, z->cli->sort);
	return z->sorted ? CLI_OK : CLI_USAGE;
}

static void row(struct analyze *z, const struct verdict *v)
{
	char text[VERDICT_JSON_MAX];
	size_t len;

	if (z->cli->format == FORMAT_NONE)
		return;
	if (whole(z->cli)) {
		len = verdict_json(v, text);
		table_row(&z->table, text, len);
	} else if (!z->sorted) {
		table_values(&z->table, verdict_value, v);
	} else if (!sorted_add(z->sorted, &z->table, verdict_value, v)) {
		z->failed = true;
	}
}

/* What the lines are about. */
static void put_sources(struct analyze *z)
{
	if (z->live)
		put(z, json_pack("{s:s, s:i, s:s, s:s}", "type", "interface",
				 "schema", 1, "name", z->cli->interface, "link",
				 link_name(live_link(z->live))));
	for (unsigned int i = 0; z->set && i < capset_count(z->set); i++)
		put(z, json_pack("{s:s, s:i, s:s, s:s}", "type", "file",
				 "schema", 1, "path", capset_path(z->set, i),
				 "format", capset_format(z->set, i)));
}

static void put(struct analyze *z, json_t *item)
{
	char *text = json_dumps(item, JSON_COMPACT);

	table_row(&z->table, text, strlen(text));
	free(text);
	json_decref(item);
}

static enum cli_exit end(struct analyze *z)
{
	bool text = z->cli->format == FORMAT_TEXT;
	json_t *all;

	if (z->sorted)
		sorted_write(z->sorted, &z->table);
	all = z->summary ? analyze_summary(z) : NULL;
	if (whole(z->cli)) {
		for (size_t i = 0; i < json_array_size(z->findings); i++)
			put(z, json_incref(json_array_get(z->findings, i)));
		put(z, json_incref(all));
	}
	table_end(&z->table, true);
	/* Who pressed Ctrl-C wants to know what it was. */
	if (text && z->live) {
		fputc('\n', z->cli->out);
		summary_text(z->cli, all);
	} else if (text) {
		put_findings(z);
		tell_unread(analysis_stats(z->judge));
	}
	json_decref(all);
	return CLI_OK;
}

static void put_findings(const struct analyze *z)
{
	char words[FINDING_WORDS_MAX];

	for (size_t i = 0; i < json_array_size(z->findings); i++)
		fprintf(z->cli->out, "%s%s\n", i ? "" : "\n",
			finding_words(json_array_get(z->findings, i), words));
}

/* An empty table, or one with less than there was, has a reason. */
static void tell_unread(const struct analysis_stats *stats)
{
	uint64_t broken = stats->packets[PACKET_BROKEN], all = 0;
	unsigned int most = 1;

	for (unsigned int i = 0; i < PACKET_NKINDS; i++)
		all += stats->packets[i];
	for (unsigned int i = 2; i < FAULT_NFAULTS; i++)
		if (stats->faults[i] > stats->faults[most])
			most = i;
	if (broken)
		complain("%" PRIu64 " of %" PRIu64
			 " packet%s cannot be read: %s%s",
			 broken, all, plural(all), fault_words(most),
			 stats->faults[most] < broken ? ", and more" : "");
	else if (all && !stats->packets[PACKET_TCP])
		complain("none of %" PRIu64 " packet%s is TCP", all,
			 plural(all));
}

static void free_rows(struct analyze *z)
{
	sorted_free(z->sorted);
}

/* With all there is to say, or only what a table has columns for? */
static bool whole(const struct cli *cli)
{
	return cli->format == FORMAT_NDJSON && !cli->columns;
}
