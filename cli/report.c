/*
 * report.c - What happened over a time, added up
 *
 * The events are those that the daemon remembers, or those of its log files,
 * which it need not be running for. Attempts that a limit or an allow-list
 * turned away make no event of their own at level info: of a daemon they are
 * taken from its memory of packets. What the sums cover is part of the report:
 * the daemon forgets, and log files begin somewhere.
 */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/plural.h>

#include "client.h"
#include "member.h"
#include "output.h"
#include "security.h"
#include "since.h"

static enum cli_exit of_daemon(struct cli *cli, struct report *r);
static int take_item(void *arg, const char *text, size_t len);
static int take_turned_away(void *arg, const char *text, size_t len);
static enum cli_exit of_file(struct report *r, const char *name);
static void take_line(struct report *r, const json_t *o);
static void take_event(struct report *r, const json_t *o, int64_t at_us);
static void take_completed(struct report *r, const json_t *o);
static void take_failed(struct report *r, const json_t *o, const char *outcome,
			const char *reason);
static void take_alert(struct report *r, const json_t *o, const char *event);
static struct report_group *group_of(struct report *r, const char *listener,
				     bool client);
static enum cli_exit show(struct cli *cli, struct report *r);
static void report_free(struct report *r);

enum cli_exit report_run(struct cli *cli, int argc, char **argv)
{
	struct report r = {
		.until_us = since_now_us(),
		.files = argc > 0,
	};
	enum cli_exit e = CLI_OK;

	if (cli->since && !since_parse(cli->since, &r.since_us))
		return CLI_USAGE;
	if (cli->verify && !r.files) {
		complain("--verify wants the log files");
		return CLI_USAGE;
	}
	if (cli->security && !(r.security = security_new())) {
		complain("no memory");
		return CLI_NO;
	}
	r.alerts = json_array();
	r.endings = json_object();
	if (!r.files)
		e = of_daemon(cli, &r);
	for (int i = 0; e == CLI_OK && i < argc; i++)
		e = of_file(&r, argv[i]);
	if (r.from_us < r.since_us)
		r.from_us = r.since_us;
	if (e == CLI_OK)
		e = show(cli, &r);
	if (e == CLI_OK && cli->verify && (r.gaps || r.torn)) {
		complain("%llu gap%s and %llu damaged line%s in the log",
			 (unsigned long long)r.gaps, plural(r.gaps),
			 (unsigned long long)r.torn, plural(r.torn));
		e = CLI_NO;
	}
	report_free(&r);
	return e;
}

/* ---- from the daemon ---------------------------------------------------- */

static enum cli_exit of_daemon(struct cli *cli, struct report *r)
{
	int64_t started_us = 0;
	enum cli_exit e;
	json_t *status;

	e = client_open(cli->client, cli->socket, cli->timeout_us);
	if (e != CLI_OK)
		return e;
	e = client_call(cli->client, "status", NULL, NULL, NULL, &status);
	if (e == CLI_OK)
		e = client_call(cli->client, "events.follow", NULL, take_item,
				r, NULL);
	if (e == CLI_OK)
		e = client_call(
			cli->client, "conn.recent",
			json_pack("{s:s}", "filter", "outcome = rejected"),
			take_turned_away, r, NULL);
	if (e == CLI_NOT_FOUND) /* no packets are kept; that was said */
		e = CLI_OK;
	client_close(cli->client);
	if (e != CLI_OK)
		return e;
	(void)since_utc(member_text(status, "started"), &started_us);
	json_decref(status);
	/* The first number says that nothing was forgotten before it. */
	if (!r->from_us || r->line == 1)
		r->from_us = started_us;
	if (r->since_us && r->since_us < r->from_us)
		r->cut = r->from_us == started_us
				 ? "the daemon was started only then"
				 : "the daemon remembers no more (log.recent)";
	return CLI_OK;
}

/* All that is remembered comes; what is too old tells how far that goes. */
static int take_item(void *arg, const char *text, size_t len)
{
	json_t *o = json_loadb(text, len, 0, NULL);
	struct report *r = arg;
	int64_t at_us;

	if (!since_utc(member_text(o, "time"), &at_us)) {
		json_decref(o);
		complain("an item of the daemon is no event");
		return CLI_PROTOCOL;
	}
	if (!r->from_us) {
		r->from_us = at_us;
		r->line = member_number(o, "seq");
	}
	if (at_us >= r->since_us)
		take_event(r, o, at_us);
	json_decref(o);
	return ITEM_NEXT;
}

/* A SYN that opened nothing, by a reason to drop it. */
static int take_turned_away(void *arg, const char *text, size_t len)
{
	json_t *o = json_loadb(text, len, 0, NULL);
	const char *drop = member_text(o, "drop");
	struct report *r = arg;
	int64_t at_us;

	if (*drop && since_utc(member_text(o, "closed"), &at_us) &&
	    at_us >= r->since_us) {
		take_failed(r, o, "rejected", drop);
		if (r->security)
			security_turned_away(r->security, o);
	}
	json_decref(o);
	return ITEM_NEXT;
}

/* ---- from log files ------------------------------------------------------ */

static enum cli_exit of_file(struct report *r, const char *name)
{
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "r");
	enum cli_exit e = CLI_OK;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	json_t *o;

	if (!f) {
		complain("cannot read %s: %s", name, strerror(errno));
		return CLI_NO;
	}
	while ((len = getline(&line, &size, f)) > 0) {
		o = json_loadb(line, (size_t)len, 0, NULL);
		take_line(r, o);
		json_decref(o);
	}
	if (ferror(f)) {
		complain("cannot read %s: %s", name, strerror(errno));
		e = CLI_NO;
	}
	free(line);
	if (f != stdin)
		fclose(f);
	return e;
}

/* Lines are numbered; a daemon that starts begins with 1. */
static void take_line(struct report *r, const json_t *o)
{
	json_int_t line = member_number(o, "line");
	int64_t at_us;

	r->lines++;
	if (line <= 0 || !since_utc(member_text(o, "time"), &at_us)) {
		r->torn++;
		return;
	}
	if (r->line && line != r->line + 1 && line != 1)
		r->gaps++;
	r->line = line;
	if (!r->from_us) {
		r->from_us = at_us;
		if (r->since_us && r->since_us < at_us)
			r->cut = "the log begins there";
	}
	if (at_us >= r->since_us)
		take_event(r, o, at_us);
}

/* ---- adding up ----------------------------------------------------------- */

static void take_event(struct report *r, const json_t *o, int64_t at_us)
{
	const char *event = member_text(o, "event");

	r->events++;
	if (r->files)
		r->until_us = at_us;
	if (r->security)
		security_event(r->security, o);
	if (strcmp(event, "handshake.completed") == 0) {
		take_completed(r, o);
	} else if (strcmp(event, "handshake.failed") == 0) {
		take_failed(r, o, member_text(o, "outcome"),
			    member_text(o, "reason"));
	} else if (strcmp(event, "segment.refused") == 0) {
		/* A RST to nobody's segment; an attempt if that was a SYN. */
		if (strcmp(member_text(o, "seg_flags"), "S") == 0)
			take_failed(r, o, "refused", "no_listener");
	} else if (strcmp(event, "handshake.slow") == 0) {
		group_of(r, member_text(o, "listener"),
			 strcmp(member_text(o, "role"), "client") == 0)
			->slow++;
	} else if (strcmp(event, "conn.closed") == 0) {
		const char *why = member_text(o, "reason");

		json_object_set_new(
			r->endings, why,
			json_integer(member_number(r->endings, why) + 1));
	} else if (strncmp(event, "alert.", 6) == 0) {
		take_alert(r, o, event);
	} else if (strcmp(event, "daemon.ready") == 0) {
		r->starts++;
	} else if (strcmp(event, "lost") == 0) {
		r->lost += (uint64_t)member_number(o, "count");
	}
}

static void take_completed(struct report *r, const json_t *o)
{
	struct report_group *g =
		group_of(r, member_text(o, "listener"),
			 strcmp(member_text(o, "role"), "client") == 0);
	const json_t *hs = json_object_get(o, "hs_us");
	bool cookie =
		strcmp(member_text(o, "outcome"), "completed_cookie") == 0;

	g->outcome[cookie ? ATTEMPT_COMPLETED_COOKIE : ATTEMPT_COMPLETED]++;
	g->resent += member_number(o, "retrans") > 0;
	if (!hs)
		return;
	if (g->nhs == g->room) {
		size_t room = g->room ? 2 * g->room : 256;
		int64_t *more = realloc(g->hs_us, room * sizeof(*more));

		if (!more)
			return; /* counted, but not timed */
		g->hs_us = more;
		g->room = room;
	}
	g->hs_us[g->nhs++] = json_integer_value(hs);
}

static enum outcome outcome_of(const char *name)
{
	for (int o = 0; o < ATTEMPT_NOUTCOMES; o++)
		if (strcmp(name, outcome_name((enum outcome)o)) == 0)
			return (enum outcome)o;
	return ATTEMPT_PROTOCOL_ERROR; /* of a newer daemon */
}

static struct report_failure *failure_of(struct report *r,
					 const struct report_failure *like)
{
	struct report_failure *more;

	for (size_t i = 0; i < r->nfailures; i++) {
		struct report_failure *f = &r->failure[i];

		if (f->client == like->client &&
		    strcmp(f->listener, like->listener) == 0 &&
		    strcmp(f->outcome, like->outcome) == 0 &&
		    strcmp(f->reason, like->reason) == 0)
			return f;
	}
	more = reallocarray(r->failure, r->nfailures + 1, sizeof(*more));
	if (!more)
		abort();
	r->failure = more;
	more[r->nfailures] = *like;
	return &more[r->nfailures++];
}

/* Ends are an object in a record, two fields in an event. */
static void peer_of(const json_t *o, char *buf, size_t size)
{
	json_t *end = json_object_get(o, "peer");

	if (end)
		json_incref(end);
	else
		end = json_pack("{s:s, s:I}", "ip", member_text(o, "peer_addr"),
				"port", member_number(o, "peer_port"));
	output_cell(end, COLUMN_TEXT, true, buf, size);
	json_decref(end);
}

static void take_failed(struct report *r, const json_t *o, const char *outcome,
			const char *reason)
{
	const char *time = member_text(o, "time"),
		   *conn = member_text(o, "conn");
	struct report_failure like = {
		.client = strcmp(member_text(o, "role"), "client") == 0,
	};
	struct report_failure *f;

	snprintf(like.listener, sizeof(like.listener), "%s",
		 member_text(o, "listener"));
	snprintf(like.outcome, sizeof(like.outcome), "%s", outcome);
	snprintf(like.reason, sizeof(like.reason), "%s", reason);
	group_of(r, like.listener, like.client)->outcome[outcome_of(outcome)]++;
	f = failure_of(r, &like);
	f->n++;
	time = *time ? time : member_text(o, "closed");
	if (strcmp(time, f->time) < 0)
		return;
	snprintf(f->time, sizeof(f->time), "%s", time);
	snprintf(f->conn, sizeof(f->conn), "%s",
		 *conn ? conn : member_text(o, "id"));
	peer_of(o, f->peer, sizeof(f->peer));
}

/* A daemon that starts numbers its alerts anew: one that is raised is another
 * one, though one of this name may not have ended. */
static void take_alert(struct report *r, const json_t *o, const char *event)
{
	bool raised = strcmp(event, "alert.raised") == 0;
	const char *id = member_text(o, "alert"),
		   *time = member_text(o, "time");
	static const char *const kept[] = {"kind", "severity", "listener",
					   "source", "conn"};
	json_t *a = NULL;
	size_t i;

	for (i = json_array_size(r->alerts); i > 0 && !a && !raised; i--) {
		json_t *old = json_array_get(r->alerts, i - 1);

		if (strcmp(member_text(old, "id"), id) == 0 &&
		    !json_object_get(old, "ended"))
			a = old;
	}
	if (!a) {
		a = json_pack("{s:s, s:s}", "id", id, "began", time);
		json_array_append_new(r->alerts, a);
	}
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (json_object_get(o, kept[i]))
			json_object_set(a, kept[i],
					json_object_get(o, kept[i]));
	if (strcmp(event, "alert.ended") == 0)
		json_object_set_new(a, "ended", json_string(time));
	json_object_set(a, "message", json_object_get(o, "message"));
}

static struct report_group *group_of(struct report *r, const char *listener,
				     bool client)
{
	struct report_group *more;

	for (size_t i = 0; i < r->ngroups; i++)
		if (r->group[i].client == client &&
		    strcmp(r->group[i].listener, listener) == 0)
			return &r->group[i];
	more = reallocarray(r->group, r->ngroups + 1, sizeof(*more));
	if (!more)
		abort();
	r->group = more;
	more += r->ngroups++;
	*more = (struct report_group){.client = client};
	snprintf(more->listener, sizeof(more->listener), "%s", listener);
	return more;
}

/* ---- the end -------------------------------------------------------------- */

typedef void show_fn(const struct cli *cli, const json_t *doc);

static json_t *document(struct report *r)
{
	json_t *doc;

	if (!r->security)
		return report_document(r);
	doc = security_json(r->security);
	json_object_set_new(doc, "period", report_period(r));
	return doc;
}

static enum cli_exit show(struct cli *cli, struct report *r)
{
	static const struct {
		const char *name;
		enum cli_format format;
		show_fn *show[2]; /* of the report, of its security */
	} formats[] = {
		{"text", FORMAT_TEXT, {report_text, security_text}},
		{"html", FORMAT_TEXT, {report_html, security_html}},
		{"csv", FORMAT_CSV, {report_csv, security_csv}},
		{"json", FORMAT_JSON, {NULL, NULL}},
		{"", FORMAT_NDJSON, {NULL, NULL}},
		{"", FORMAT_TSV, {report_csv, security_csv}},
		{"", FORMAT_RAW, {report_csv, security_csv}},
		{"", FORMAT_NONE, {NULL, NULL}},
	};
	const char *name = cli->draw;
	show_fn *how;
	json_t *doc;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (name ? strcmp(name, formats[i].name) != 0
			 : formats[i].format != cli->format)
			continue;
		cli->format = formats[i].format;
		how = formats[i].show[r->security != NULL];
		doc = document(r);
		if (how)
			how(cli, doc);
		else
			output_document(cli, doc, NULL);
		json_decref(doc);
		return CLI_OK;
	}
	complain("-f wants text, html, csv or json, not '%s'", name);
	return CLI_USAGE;
}

static void report_free(struct report *r)
{
	for (size_t i = 0; i < r->ngroups; i++)
		free(r->group[i].hs_us);
	free(r->group);
	free(r->failure);
	json_decref(r->alerts);
	json_decref(r->endings);
	security_free(r->security);
}
