/*
 * analyze.c - Judge the connections of capture files
 *
 * Frames come from the files, merged by time, go through the decoder to the
 * judge (tcphs/analysis.h), and each verdict becomes a row: one item in JSON,
 * from which the table takes its cells as it does with those of the daemon.
 */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/analysis.h>

#include "capset.h"
#include "output.h"
#include "verdict.h"

#define FRAGMENT_MEMORY (4u << 20)

struct analyze {
	struct cli *cli;
	struct table table;
	struct analysis *judge;
	struct decoder *decoder;
};

static const struct column columns[] = {
	{"ID", "id", COLUMN_COUNT, true, 0},
	{"CLIENT", "client", COLUMN_TEXT, true, 0},
	{"SERVER", "server", COLUMN_TEXT, true, 0},
	{"OUTCOME", "outcome", COLUMN_TEXT, true, 0},
	{"STAGE", "stage", COLUMN_TEXT, false, 0},
	{"HS", "handshake_us", COLUMN_TIME, true, 2},
	{"PACKETS", "packets", COLUMN_COUNT, true, 4},
	{"C2S", "bytes_c2s", COLUMN_BYTES, true, 5},
	{"S2C", "bytes_s2c", COLUMN_BYTES, true, 6},
	{"RETR", "retrans", COLUMN_COUNT, true, 3},
	{"ENDING", "ending", COLUMN_TEXT, true, 1},
	{"ANOMALIES", "anomalies", COLUMN_TEXT, true, 7},
	{"START", "start", COLUMN_TEXT, false, 0},
	{"ZEEK", "zeek_state", COLUMN_TEXT, false, 0},
	{"HISTORY", "zeek_history", COLUMN_TEXT, false, 0},
	{"COMPLETENESS", "completeness", COLUMN_COUNT, false, 0},
	{"COMMUNITY", "community_id", COLUMN_TEXT, false, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static enum cli_exit judge_files(struct analyze *z, struct capset *set);
static bool whole(const struct cli *cli);
static void row(void *ctx, const struct verdict *v);
static void put(struct analyze *z, json_t *item);

enum cli_exit analyze_run(struct cli *cli, int argc, char **argv)
{
	const struct analysis_conf conf = ANALYSIS_DEFAULTS;
	struct analyze z = {.cli = cli};
	struct capset *set;
	enum cli_exit e;

	set = capset_open(argc, argv);
	if (!set)
		return CLI_NO;
	z.decoder = decoder_new(FRAGMENT_MEMORY);
	z.judge = analysis_new(&conf, row, &z);
	if (!z.decoder || !z.judge) {
		complain("out of memory");
		e = CLI_NO;
	} else {
		e = judge_files(&z, set);
	}
	analysis_free(z.judge);
	decoder_free(z.decoder);
	capset_close(set);
	return e;
}

static enum cli_exit judge_files(struct analyze *z, struct capset *set)
{
	struct packet p;
	struct frame f;
	enum cli_exit e;

	e = table_begin(&z->table, z->cli, columns);
	if (e != CLI_OK)
		return e;
	while (capset_next(set, &f)) {
		decode(z->decoder, &f, &p);
		analysis_take(z->judge, &p);
	}
	analysis_end(z->judge);
	if (whole(z->cli))
		put(z, summary_json(analysis_stats(z->judge)));
	table_end(&z->table, true);
	return capset_damaged(set) && z->cli->strict ? CLI_NO : CLI_OK;
}

/* With all there is to say, or only what a table has columns for? */
static bool whole(const struct cli *cli)
{
	return cli->format == FORMAT_JSON || cli->format == FORMAT_NDJSON;
}

static void row(void *ctx, const struct verdict *v)
{
	struct analyze *z = ctx;

	if (z->cli->format == FORMAT_NONE)
		return;
	put(z, whole(z->cli) ? verdict_json(v) : verdict_row(v));
}

static void put(struct analyze *z, json_t *item)
{
	char *text = json_dumps(item, JSON_COMPACT);

	table_row(&z->table, text, strlen(text));
	free(text);
	json_decref(item);
}
