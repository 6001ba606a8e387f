/*
 * show.c - One connection, with everything the stack knows of it
 *
 * The first line is that of the list. Below stands what ss -tiom would say, in
 * its words where it has them, sorted by what one looks for: what was
 * negotiated, the path, what holds sending back, what was lost, receiving, the
 * sums, the numbers, the timers. What does not apply is not there. Amounts are
 * bytes unless they count something.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "columns.h"

#define LABEL_WIDTH 9
#define VALUE_MAX   256
#define SSTHRESH    "ssthresh"

struct fact {
	const char *name;  /* for people */
	const char *field; /* in the tcb, or beside it */
	enum column_kind kind;
};

static const struct fact options[] = {
	{"", "options", COLUMN_TEXT},
	{"snd_wscale:", "snd_wscale", COLUMN_COUNT},
	{"rcv_wscale:", "rcv_wscale", COLUMN_COUNT},
	{"dscp:", "dscp", COLUMN_COUNT},
	{NULL, NULL, COLUMN_TEXT},
};
static const struct fact path[] = {
	{"rtt:", "srtt_us", COLUMN_TIME},
	{"rttvar:", "rttvar_us", COLUMN_TIME},
	{"minrtt:", "min_rtt_us", COLUMN_TIME},
	{"rto:", "rto_us", COLUMN_TIME},
	{"pmtu:", "pmtu", COLUMN_COUNT},
	{"probe:", "mtu_probe", COLUMN_COUNT},
	{"mss:", "snd_mss", COLUMN_COUNT},
	{"peer_mss:", "peer_mss", COLUMN_COUNT},
	{"own_mss:", "own_mss", COLUMN_COUNT},
	{NULL, NULL, COLUMN_TEXT},
};
static const struct fact sending[] = {
	{"", "congestion", COLUMN_TEXT},
	{"cwnd:", "cwnd", COLUMN_COUNT},
	{"ssthresh:", SSTHRESH, COLUMN_COUNT},
	{"pacing_rate:", "pacing_rate", COLUMN_COUNT},
	{"wnd:", "snd_wnd", COLUMN_COUNT},
	{"queued:", "send_queued", COLUMN_COUNT},
	{"in_flight:", "in_flight", COLUMN_COUNT},
	{"acked:", "bytes_acked", COLUMN_COUNT},
	{"urgent:", "urgent_out", COLUMN_COUNT},
	{NULL, NULL, COLUMN_TEXT},
};
static const struct fact losses[] = {
	{"", "recovery", COLUMN_TEXT},
	{"sacked:", "sacked", COLUMN_COUNT},
	{"lost:", "lost", COLUMN_COUNT},
	{"tries:", "tries", COLUMN_COUNT},
	{"backoff:", "backoff", COLUMN_COUNT},
	{"reordering:", "reordering", COLUMN_COUNT},
	{"undone:", "undone", COLUMN_COUNT},
	{NULL, NULL, COLUMN_TEXT},
};
static const struct fact receiving[] = {
	{"wnd:", "rcv_wnd", COLUMN_COUNT},
	{"rtt:", "recv_rtt_us", COLUMN_TIME},
	{"buffer:", "rcvbuf", COLUMN_COUNT},
	{"mss:", "recv_mss", COLUMN_COUNT},
	{"queued:", "recv_queued", COLUMN_COUNT},
	{"out_of_order:", "recv_ooo", COLUMN_COUNT},
	{"urgent:", "urgent_in", COLUMN_COUNT},
	{NULL, NULL, COLUMN_TEXT},
};
static const struct fact totals[] = {
	{"segs_in:", "segs_in", COLUMN_COUNT},
	{"segs_out:", "segs_out", COLUMN_COUNT},
	{"retrans:", "retrans", COLUMN_COUNT},
	{"bytes_in:", "bytes_in", COLUMN_COUNT},
	{"bytes_out:", "bytes_out", COLUMN_COUNT},
	{"memory:", "memory", COLUMN_COUNT},
	{NULL, NULL, COLUMN_TEXT},
};
static const struct fact numbers[] = {
	{"iss:", "iss", COLUMN_COUNT},
	{"snd_una:", "snd_una", COLUMN_COUNT},
	{"snd_nxt:", "snd_nxt", COLUMN_COUNT},
	{"snd_max:", "snd_max", COLUMN_COUNT},
	{"irs:", "irs", COLUMN_COUNT},
	{"rcv_nxt:", "rcv_nxt", COLUMN_COUNT},
	{NULL, NULL, COLUMN_TEXT},
};
static const struct fact timers[] = {
	{"rexmt:", "rexmt_us", COLUMN_TIME},
	{"persist:", "persist_us", COLUMN_TIME},
	{"delack:", "delack_us", COLUMN_TIME},
	{"reorder:", "reorder_us", COLUMN_TIME},
	{"probe:", "probe_us", COLUMN_TIME},
	{"pace:", "pace_us", COLUMN_TIME},
	{"hold:", "hold_us", COLUMN_TIME},
	{"keepalive:", "keepalive_us", COLUMN_TIME},
	{"linger:", "linger_us", COLUMN_TIME},
	{NULL, NULL, COLUMN_TEXT},
};

static void show_text(const struct cli *cli, const json_t *conn);
static void put_facts(const struct cli *cli, const char *label,
		      const json_t *from, const struct fact *facts);
static bool applies(const struct fact *fact, const json_t *v);

enum cli_exit show_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	json_t *conn;

	(void)argc;
	e = client_call(cli->client, "conn.show",
			json_pack("{s:s}", "conn", argv[0]), NULL, NULL, &conn);
	if (e != CLI_OK)
		return e;
	output_document(cli, conn, show_text);
	json_decref(conn);
	return CLI_OK;
}

static void show_text(const struct cli *cli, const json_t *conn)
{
	const json_t *tcb = json_object_get(conn, "tcb");
	char *text = json_dumps(conn, JSON_COMPACT);
	struct table t;

	if (text && table_begin(&t, cli, connection_columns) == CLI_OK) {
		table_row(&t, text, strlen(text));
		table_end(&t, true);
	}
	free(text);
	if (!tcb)
		return;
	put_facts(cli, "options", conn, options);
	put_facts(cli, "path", conn, path);
	put_facts(cli, "sending", conn, sending);
	put_facts(cli, "losses", conn, losses);
	put_facts(cli, "receiving", conn, receiving);
	put_facts(cli, "totals", conn, totals);
	put_facts(cli, "numbers", conn, numbers);
	put_facts(cli, "timers", json_object_get(tcb, "timers"), timers);
}

/* In the control block; or beside it, where the line above has it rounded. */
static const json_t *find(const json_t *from, const char *field)
{
	const json_t *v = json_object_get(json_object_get(from, "tcb"), field);

	return v ? v : json_object_get(from, field);
}

/* One line, or more if the terminal is narrow; none if there are no facts. */
static void put_facts(const struct cli *cli, const char *label,
		      const json_t *from, const struct fact *facts)
{
	size_t column = 0;

	for (; facts->name; facts++) {
		const json_t *v = find(from, facts->field);
		char cell[VALUE_MAX];
		size_t len;

		if (!applies(facts, v))
			continue;
		len = strlen(facts->name) +
		      output_cell(v, facts->kind, true, cell, sizeof(cell));
		if (column == 0) {
			fprintf(cli->out, "%s%*s%s ", output_sgr(cli, SGR_BOLD),
				LABEL_WIDTH, label, output_sgr(cli, SGR_OFF));
			column = LABEL_WIDTH + 1;
		} else if (cli->screen_cols &&
			   column + 1 + len > cli->screen_cols) {
			fprintf(cli->out, "\n%*s ", LABEL_WIDTH, "");
			column = LABEL_WIDTH + 1;
		}
		fprintf(cli->out, " %s%s", facts->name, cell);
		column += 1 + len;
	}
	if (column > 0)
		fputc('\n', cli->out);
}

/* RFC 5681, 3.1: before the first loss ssthresh is arbitrarily high. */
static bool applies(const struct fact *fact, const json_t *v)
{
	if (!v || (json_is_array(v) && json_array_size(v) == 0))
		return false;
	return strcmp(fact->field, SSTHRESH) != 0 ||
	       json_integer_value(v) < INT32_MAX;
}
