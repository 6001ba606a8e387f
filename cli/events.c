/*
 * events.c - What happened, and what happens
 *
 * The daemon remembers its latest events and sends those that match, oldest
 * first; with --follow it goes on. For people an event is a line as in the log,
 * with --classic nothing but its sentence. Programs get the objects as they
 * come.
 */
#include "cli.h"

#include <string.h>
#include <time.h>

#include "client.h"
#include "member.h"
#include "names.h"
#include "output.h"
#include "since.h"

#define FOREVER_US INT64_C(3600000000000)

static const struct column columns[] = {
	{"TIME", "time", COLUMN_TEXT, true, 0},
	{"SEQ", "seq", COLUMN_COUNT, true, 0},
	{"EVENT", "event", COLUMN_TEXT, true, 0},
	{"LEVEL", "level", COLUMN_TEXT, true, 0},
	{"CONN", "conn", COLUMN_TEXT, true, 0},
	{"ROLE", "role", COLUMN_TEXT, true, 0},
	{"LISTENER", "listener", COLUMN_TEXT, false, 0},
	{"LOCAL", "local_addr", COLUMN_TEXT, true, 0},
	{"LPORT", "local_port", COLUMN_TEXT, true, 0},
	{"PEER", "peer_addr", COLUMN_TEXT, true, 0},
	{"PPORT", "peer_port", COLUMN_TEXT, true, 0},
	{"REASON", "reason", COLUMN_TEXT, true, 0},
	{"OUTCOME", "outcome", COLUMN_TEXT, false, 0},
	{"HS", "hs_us", COLUMN_TIME, false, 0},
	{"MESSAGE", "message", COLUMN_TEXT, true, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

struct stream {
	struct cli *cli;
	struct table table; /* unless it is text */
	uint64_t shown;
};

/* "2026-11-21T15:24:54.123456Z" as the clock on the wall, "16:24:54.123456" */
static void local_time(const char *time, char *buf, size_t len)
{
	struct tm tm = {0};
	const char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &tm);
	time_t s;
	size_t n;

	snprintf(buf, len, "%s", time);
	if (!rest)
		return;
	s = timegm(&tm);
	localtime_r(&s, &tm);
	n = strftime(buf, len, "%H:%M:%S", &tm);
	snprintf(buf + n, len - n, "%.*s", (int)strcspn(rest, "Z"), rest);
}

static void end_text(const struct cli *cli, const json_t *o, bool peer,
		     char *buf, size_t len)
{
	const char *addr = member_text(o, peer ? "peer_addr" : "local_addr");
	json_int_t port = json_integer_value(
		json_object_get(o, peer ? "peer_port" : "local_port"));
	bool v6 = strchr(addr, ':');

	if (!port)
		snprintf(buf, len, "%s", addr);
	else
		snprintf(buf, len, v6 ? "[%s]:%lld" : "%s:%lld", addr,
			 (long long)port);
	if (cli->resolve)
		(void)names_put(buf, len);
}

/* The client at the left, as in the log. */
static void text_line(const struct cli *cli, const json_t *o, char *buf,
		      size_t len)
{
	bool client = strcmp(member_text(o, "role"), "client") == 0;
	const char *conn = member_text(o, "conn");
	char time[64], left[320], right[320];
	size_t n;

	local_time(member_text(o, "time"), time, sizeof(time));
	n = (size_t)snprintf(buf, len, "%s %s%s%s", time, conn,
			     *conn ? " " : "", member_text(o, "message"));
	if (!*member_text(o, "peer_addr") || n >= len)
		return;
	end_text(cli, o, !client, left, sizeof(left));
	end_text(cli, o, client, right, sizeof(right));
	snprintf(buf + n, len - n, "  %s -> %s", left, right);
}

static const char *level_sgr(const struct cli *cli, const char *level)
{
	if (strcmp(level, "error") == 0 || strcmp(level, "warning") == 0)
		return output_sgr(cli, SGR_RED);
	if (strcmp(level, "notice") == 0)
		return output_sgr(cli, SGR_YELLOW);
	return strcmp(level, "debug") == 0 ? output_sgr(cli, SGR_DIM) : "";
}

static int text_row(struct stream *s, const char *text, size_t len)
{
	const struct cli *cli = s->cli;
	json_t *o = output_item(text, len);
	const char *sgr;
	char line[2048];

	if (!o)
		return CLI_PROTOCOL;
	if (cli->classic)
		snprintf(line, sizeof(line), "%s", member_text(o, "message"));
	else
		text_line(cli, o, line, sizeof(line));
	text_clean(line);
	sgr = level_sgr(cli, member_text(o, "level"));
	fprintf(cli->out, "%s%s%s\n", sgr, line,
		*sgr ? output_sgr(cli, SGR_OFF) : "");
	json_decref(o);
	return ferror(cli->out) ? ITEM_ENOUGH : ITEM_NEXT;
}

static int row(void *arg, const char *text, size_t len)
{
	struct stream *s = arg;
	int verdict;

	s->shown++;
	if (s->cli->format == FORMAT_TEXT)
		verdict = text_row(s, text, len);
	else
		verdict = table_row(&s->table, text, len);
	if (s->cli->follow && !client_has_line(s->cli->client))
		fflush(s->cli->out);
	return verdict;
}

static enum cli_exit make_params(const struct cli *cli, int argc, char **argv,
				 json_t **params)
{
	char since[SINCE_TEXT_MAX];
	int64_t wall_us;

	if (cli->since && !since_parse(cli->since, &wall_us))
		return CLI_USAGE;
	*params = client_filter(argc, argv);
	json_object_set_new(*params, "follow", json_boolean(cli->follow));
	if (cli->since)
		json_object_set_new(*params, "since",
				    json_string(since_text(wall_us, since)));
	if (cli->level)
		json_object_set_new(*params, "level", json_string(cli->level));
	return CLI_OK;
}

enum cli_exit events_run(struct cli *cli, int argc, char **argv)
{
	struct stream s = {.cli = cli};
	enum cli_exit e;
	json_t *params;

	/* What goes on for ever is no one document. */
	if (cli->follow && cli->format == FORMAT_JSON)
		cli->format = FORMAT_NDJSON;
	e = make_params(cli, argc, argv, &params);
	if (e != CLI_OK)
		return e;
	e = table_begin(&s.table, cli, columns);
	if (e != CLI_OK) {
		json_decref(params);
		return e;
	}
	if (cli->follow) {
		cli->client->timeout_us = FOREVER_US;
		names_patience(NAMES_LIVE_US);
	}
	e = client_call(cli->client, "events.follow", params, row, &s, NULL);
	if (cli->format != FORMAT_TEXT)
		table_end(&s.table, e == CLI_OK);
	if (e == CLI_OK && argc > 0 && !s.shown)
		return CLI_NO; /* as grep */
	return e;
}
