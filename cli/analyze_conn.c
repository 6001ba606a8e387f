/*
 * analyze_conn.c - One connection in full: what it means, and its ladder
 *
 * The judge says to which connection each packet went, so one pass is enough
 * and a pipe will do. Reading ends when its verdict is there.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tcphs/plural.h>

#include "analyze.h"
#include "diagram.h"
#include "explain.h"
#include "kept.h"
#include "verdict.h"

#define KEPT_HALF 64
#define LINE_MAX  512

struct one {
	struct kept *kept;
	struct ladder_style style;
	struct verdict v;
	bool judged;
};

static enum cli_exit begin(struct analyze *z);
static void packet(struct analyze *z, const struct frame *f,
		   const struct packet *p, const struct packet_place *at);
static void verdict(struct analyze *z, const struct verdict *v);
static enum cli_exit end(struct analyze *z);
static void free_one(struct analyze *z);
static void explain(const struct cli *cli, const struct verdict *v);
static void explain_steps(const struct cli *cli, const struct verdict *v);
static void explain_options(const struct cli *cli, const struct verdict *v);
static void explain_text_of(const struct cli *cli, const struct verdict *v);
static void explain_anomalies(const struct cli *cli, const struct verdict *v);
static void explain_elsewhere(const struct cli *cli, const struct verdict *v);
static enum cli_exit draw(struct analyze *z);

const struct view conn_view = {
	.begin = begin,
	.packet = packet,
	.verdict = verdict,
	.end = end,
	.free = free_one,
};

static enum cli_exit begin(struct analyze *z)
{
	struct one *one = calloc(1, sizeof(*one));

	if (!one)
		return CLI_NO;
	z->own = one;
	one->kept = kept_new(KEPT_HALF);
	return one->kept ? diagram_style(z->cli, &one->style) : CLI_NO;
}

static void packet(struct analyze *z, const struct frame *f,
		   const struct packet *p, const struct packet_place *at)
{
	struct one *one = z->own;

	(void)f;
	if (at->conn == z->cli->connection)
		kept_add(one->kept, p, at);
}

static void verdict(struct analyze *z, const struct verdict *v)
{
	struct one *one = z->own;

	if (v->id != z->cli->connection)
		return;
	one->v = *v;
	one->judged = true;
	z->enough = true;
}

static enum cli_exit end(struct analyze *z)
{
	const struct one *one = z->own;
	struct cli *cli = z->cli;

	if (!one->judged) {
		complain("there is no connection %" PRIu32 "%s",
			 cli->connection, z->filter ? " that matches" : "");
		return CLI_NOT_FOUND;
	}
	if (cli->format == FORMAT_NDJSON) {
		char text[VERDICT_JSON_MAX];
		size_t len = verdict_json(&one->v, text);

		fwrite(text, 1, len, cli->out);
		fputc('\n', cli->out);
		return CLI_OK;
	}
	if (cli->format == FORMAT_NONE)
		return CLI_OK;
	if (!cli->draw)
		explain(cli, &one->v);
	if (cli->no_ladder)
		return CLI_OK;
	if (!cli->draw)
		fputc('\n', cli->out);
	return draw(z);
}

static void free_one(struct analyze *z)
{
	struct one *one = z->own;

	if (!one)
		return;
	kept_free(one->kept);
	free(one);
}

static void explain(const struct cli *cli, const struct verdict *v)
{
	char text[LINE_MAX];
	struct value c, s;
	char client[64], server[64];

	verdict_value(v, &verdict_columns[VERDICT_CLIENT], &c);
	verdict_value(v, &verdict_columns[VERDICT_SERVER], &s);
	output_value(&c, COLUMN_TEXT, true, client, sizeof(client));
	output_value(&s, COLUMN_TEXT, true, server, sizeof(server));
	fprintf(cli->out, "%s#%" PRIu64 "  %s -> %s%s   outcome: %s%s%s%s\n",
		output_sgr(cli, SGR_BOLD), v->id, client, server,
		v->client_known ? "" : " (guessed by the ports)",
		judged_name(v->outcome),
		v->ending == ENDING_NONE ? "" : ", ending: ",
		v->ending == ENDING_NONE ? "" : ending_name(v->ending),
		output_sgr(cli, SGR_OFF));
	verdict_sentence(v, text, sizeof(text));
	explain_text(cli, "What happened", text);
	explain_text(cli, "Why", judged_causes(v->outcome));
	explain_text(cli, "Next", judged_next(v->outcome));
	explain_steps(cli, v);
	explain_options(cli, v);
	explain_text_of(cli, v);
	explain_anomalies(cli, v);
	explain_elsewhere(cli, v);
}

static size_t put_step(char *text, size_t n, const char *name,
		       const struct verdict_step *s, int64_t since_ns)
{
	char number[TEXT_NUMBER_MAX];

	if (!s->frame)
		return n;
	n += (size_t)snprintf(text + n, LINE_MAX - n, "%s%s in frame %" PRIu64,
			      n ? ", " : "", name, s->frame);
	if (since_ns >= 0)
		n += (size_t)snprintf(text + n, LINE_MAX - n, ", %s later",
				      text_duration(since_ns / 1000, number));
	if (s->tries > 1)
		n += (size_t)snprintf(text + n, LINE_MAX - n,
				      " (%" PRIu32 " times)", s->tries);
	return n;
}

static void explain_steps(const struct cli *cli, const struct verdict *v)
{
	char text[LINE_MAX] = "";
	size_t n = 0;

	n = put_step(text, n, "SYN", &v->syn, -1);
	n = put_step(text, n, "SYN-ACK", &v->synack, v->syn_synack_ns);
	n = put_step(text, n, "ACK", &v->ack, v->synack_ack_ns);
	if (v->simultaneous)
		n += (size_t)snprintf(text + n, LINE_MAX - n,
				      "; both sides called");
	if (v->split)
		n += (size_t)snprintf(text + n, LINE_MAX - n,
				      "; the server split its answer");
	if (v->cookie_like)
		snprintf(text + n, LINE_MAX - n,
			 "; the answer looks like a SYN cookie");
	explain_text(cli, "Handshake", *text ? text : "none in this capture");
}

static void put_offer(char *text, const char *who, const struct verdict_side *s)
{
	size_t n = strlen(text);

	n += (size_t)snprintf(text + n, LINE_MAX - n, "%s%s:", n ? "; " : "",
			      who);
	if (s->opts & POPT_MSS)
		n += (size_t)snprintf(text + n, LINE_MAX - n, " MSS %u",
				      s->mss);
	if (s->opts & POPT_WSCALE)
		n += (size_t)snprintf(text + n, LINE_MAX - n,
				      " window scale %u", s->wscale);
	snprintf(text + n, LINE_MAX - n, "%s%s%s",
		 s->opts & POPT_SACK_OK ? " SACK" : "",
		 s->opts & POPT_TS ? " timestamps" : "",
		 s->opts ? "" : " none");
}

static void explain_options(const struct cli *cli, const struct verdict *v)
{
	char text[LINE_MAX] = "";

	if (v->syn.frame)
		put_offer(text, "client", &v->side[CLIENT]);
	if (v->synack.frame)
		put_offer(text, "server", &v->side[SERVER]);
	if (*text)
		explain_text(cli, "Options", text);
}

static void put_side(char *text, const char *who, const struct verdict_side *s)
{
	size_t n = strlen(text);

	n += (size_t)snprintf(text + n, LINE_MAX - n,
			      "%s%s: %" PRIu64 " packet%s, %" PRIu64 " byte%s",
			      n ? "; " : "", who, s->packets,
			      plural(s->packets), s->by_seq, plural(s->by_seq));
	if (s->captured < s->by_seq)
		n += (size_t)snprintf(text + n, LINE_MAX - n,
				      " (%" PRIu64 " of them not captured)",
				      s->by_seq - s->captured);
	if (s->seen_before + s->filled_hole + s->needless + s->late)
		n += (size_t)snprintf(
			text + n, LINE_MAX - n,
			", sent again %" PRIu32 " seen before, %" PRIu32
			" into holes, %" PRIu32 " needless, %" PRIu32
			" only late",
			s->seen_before, s->filled_hole, s->needless, s->late);
	if (s->window_known)
		n += (size_t)snprintf(text + n, LINE_MAX - n,
				      ", window %" PRIu32 " to %" PRIu32,
				      s->window_min, s->window_max);
	if (s->zero_windows)
		snprintf(text + n, LINE_MAX - n,
			 ", closed its window %" PRIu32 " time%s",
			 s->zero_windows, plural(s->zero_windows));
}

static void explain_text_of(const struct cli *cli, const struct verdict *v)
{
	char text[LINE_MAX] = "";

	put_side(text, "client", &v->side[CLIENT]);
	put_side(text, "server", &v->side[SERVER]);
	explain_text(cli, "Text", text);
}

static void explain_anomalies(const struct cli *cli, const struct verdict *v)
{
	struct explain_judged odd;
	char text[LINE_MAX];

	for (int i = 0; i < v->nanomalies; i++) {
		const struct anomaly *a = &v->anomaly[i];
		const char *clause = anomaly_clause(a->kind);
		size_t n;

		n = (size_t)snprintf(text, sizeof(text),
				     "%s (%s): %s, by the %s, frame %" PRIu64,
				     anomaly_name(a->kind),
				     severity_name(anomaly_severity(a->kind)),
				     anomaly_meaning(a->kind),
				     a->side == CLIENT ? "client" : "server",
				     a->frame);
		if (a->count > 1)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      " and %" PRIu32 " more",
					      a->count - 1);
		if (a->expected || a->got)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "; expected %" PRId64
					      ", got %" PRId64,
					      a->expected, a->got);
		if (*clause)
			snprintf(text + n, sizeof(text) - n, " [%s]", clause);
		explain_text(cli, "Odd", text);
		if (!explain_judged(anomaly_name(a->kind), &odd))
			continue;
		explain_text(cli, "  why", odd.causes);
		explain_text(cli, "  next", odd.advice);
	}
}

static void explain_elsewhere(const struct cli *cli, const struct verdict *v)
{
	char text[LINE_MAX], id[COMMUNITY_ID_MAX];

	verdict_community(v, id);
	snprintf(text, sizeof(text),
		 "Zeek: %s %s; Wireshark: tcp.completeness == %u; community id "
		 "%s",
		 v->zeek_state, v->zeek_history, v->completeness, id);
	explain_text(cli, "Elsewhere", text);
}

static enum cli_exit draw(struct analyze *z)
{
	const struct one *one = z->own;
	struct ladder_style style = one->style;
	struct cli *cli = z->cli;
	char id[16], *text;

	if (style.times == LADDER_CLOCK && cli->local) {
		time_t s = (time_t)(one->v.start_ns / 1000000000);
		struct tm tm;

		style.clock_us = localtime_r(&s, &tm)
					 ? (int64_t)tm.tm_gmtoff * 1000000
					 : 0;
	}
	snprintf(id, sizeof(id), "#%" PRIu64, one->v.id);
	text = kept_draw(one->kept, diagram_format(cli), &style, id, &one->v);
	if (!text) {
		complain("no memory for the ladder");
		return CLI_NO;
	}
	fputs(text, cli->out);
	free(text);
	return CLI_OK;
}
