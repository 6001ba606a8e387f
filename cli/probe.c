/*
 * probe.c - Is somebody there, and how long does a handshake take?
 *
 * Each probe is a connection that the daemon opens (conn.open) and that ends as
 * soon as it is there: our FIN, then the peer's, for which a moment is waited,
 * because a peer that accepts and resets is not one that serves. Who does not
 * close in that time is left to the daemon, which waits on without us.
 *
 * The times are the daemon's: from its first SYN to the SYN-ACK, or to what was
 * the answer instead. One probe follows another at the interval, like a ping's.
 */
#include "probe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINGER_US INT64_C(500000) /* for the peer's FIN */
#define SECOND_US 1000000

struct probe {
	struct cli *cli;
	const char *addr;
	int port;
	sigset_t waiting; /* signal mask while we do */
	struct probe_report report;
	/* The one under way. */
	struct probe_answer answer;
	json_int_t id, closing; /* of conn.open; of conn.send or cancel */
	bool open, over;
	int64_t until_us; /* patience with the daemon, or the peer's FIN */
};

static enum cli_exit probe_all(struct probe *p, enum probe_outcome expect);
static enum cli_exit probe_one(struct probe *p);
static enum cli_exit turn(struct probe *p);
static enum cli_exit take_line(struct probe *p, const json_t *line);
static enum cli_exit take_open(struct probe *p, const json_t *item);
static void take_numbers(struct probe *p, const json_t *conn);
static enum cli_exit take_failure(struct probe *p, const json_t *error);
static enum cli_exit too_long(struct probe *p);
static void pause_until(struct probe *p, int64_t at_us);
static int wait_until(struct probe *p, struct pollfd *fds, nfds_t n,
		      int64_t at_us);
static int64_t number_of(const json_t *o, const char *name);
static int64_t now_us(void);
static void on_interrupt(int sig);

static volatile sig_atomic_t interrupted;

enum cli_exit probe_run(struct cli *cli, int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_interrupt}, was;
	enum probe_outcome expect = PROBE_NOUTCOMES;
	struct probe p = {.cli = cli};
	enum cli_exit e;
	char *end[2];
	sigset_t block;

	if (!text_take_end(argc, argv, end, &p.port))
		return CLI_USAGE;
	p.addr = end[0];
	if (cli->expect)
		expect = probe_outcome_parse(cli->expect);
	if (cli->expect && expect == PROBE_NOUTCOMES) {
		complain("--expect wants open, refused, timeout, unreachable, "
			 "protocol_error or reset, not '%s'",
			 cli->expect);
		return CLI_USAGE;
	}
	e = probe_report_begin(&p.report, cli, end[0], end[1]);
	if (e != CLI_OK)
		return e;
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &p.waiting);
	sigdelset(&p.waiting, SIGINT);
	sigaction(SIGINT, &act, &was);
	e = probe_all(&p, expect);
	sigaction(SIGINT, &was, NULL);
	sigprocmask(SIG_SETMASK, &p.waiting, NULL);
	return e;
}

static enum cli_exit probe_all(struct probe *p, enum probe_outcome expect)
{
	const struct cli *cli = p->cli;
	enum cli_exit e = CLI_OK, verdict;
	int64_t next_us = now_us();

	while (!interrupted) {
		e = probe_one(p);
		if (e != CLI_OK || !p->over)
			break;
		if (!probe_report_add(&p->report, &p->answer)) {
			e = CLI_NO;
			break;
		}
		if (p->report.count == cli->count)
			break;
		next_us += cli->interval_us;
		if (next_us < now_us())
			next_us = now_us();
		pause_until(p, next_us);
	}
	if (interrupted && cli->terminal && cli->format == FORMAT_TEXT)
		fputc('\n', cli->out); /* behind the ^C */
	verdict = probe_report_exit(&p->report, expect);
	probe_report_end(&p->report);
	return e == CLI_OK ? verdict : e;
}

/* Leaves p->over false if it was interrupted before there was an answer. */
static enum cli_exit probe_one(struct probe *p)
{
	enum cli_exit e;

	p->open = p->over = false;
	p->closing = 0;
	p->answer = (struct probe_answer){
		.time_us = -1, .retrans = -1, .rtt_us = -1};
	p->until_us = now_us() + p->cli->timeout_us + 10 * SECOND_US;
	e = client_begin(p->cli->client, "conn.open",
			 json_pack("{s:s, s:i, s:I}", "address", p->addr,
				   "port", p->port, "patience_us",
				   (json_int_t)p->cli->timeout_us),
			 &p->id);
	while (e == CLI_OK && !p->over && !(interrupted && !p->open))
		e = turn(p);
	return e;
}

static enum cli_exit turn(struct probe *p)
{
	struct client *client = p->cli->client;
	struct pollfd fd = {.fd = client->fd, .events = POLLIN};
	enum cli_exit e;
	json_t *line;

	if (!client_has_line(client) && wait_until(p, &fd, 1, p->until_us) <= 0)
		return now_us() < p->until_us ? CLI_OK : too_long(p);
	e = client_line(client, &line);
	if (e != CLI_OK)
		return e;
	e = take_line(p, line);
	json_decref(line);
	return e;
}

static enum cli_exit take_line(struct probe *p, const json_t *line)
{
	json_int_t id = json_integer_value(json_object_get(line, "id"));
	const json_t *item = json_object_get(line, "item");
	const json_t *result = json_object_get(line, "result");
	const json_t *error = json_object_get(line, "error");
	const char *event, *reason;

	if (id != p->id) /* of conn.send, or of what came before */
		return json_object_get(line, "id") || !error
			       ? CLI_OK
			       : client_failed(error, NULL);
	event = json_string_value(json_object_get(item, "event"));
	reason = json_string_value(json_object_get(result, "reason"));
	if (event && strcmp(event, "open") == 0)
		return take_open(p, item);
	if (error)
		return take_failure(p, error);
	if (!result)
		return CLI_OK; /* what it says is not for us */
	p->over = true;
	if (!p->open) /* it ended before we could be told */
		take_numbers(p, result);
	if (reason && strcmp(reason, "reset_by_peer") == 0)
		p->answer.outcome = PROBE_RESET;
	return CLI_OK;
}

static enum cli_exit take_open(struct probe *p, const json_t *item)
{
	p->open = true;
	take_numbers(p, item);
	p->until_us = now_us() + LINGER_US;
	return client_begin(p->cli->client, "conn.send",
			    json_pack("{s:I, s:s, s:b}", "session", p->id,
				      "text", "", "end", 1),
			    &p->closing);
}

static void take_numbers(struct probe *p, const json_t *conn)
{
	const char *id = json_string_value(json_object_get(conn, "id"));

	p->answer.outcome = PROBE_OPEN;
	p->answer.time_us = number_of(conn, "handshake_us");
	p->answer.retrans = number_of(conn, "retrans");
	p->answer.rtt_us = number_of(conn, "rtt_us");
	snprintf(p->answer.conn, sizeof(p->answer.conn), "%s", id ? id : "");
}

static enum cli_exit take_failure(struct probe *p, const json_t *error)
{
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *conn = json_string_value(json_object_get(error, "conn"));

	p->over = true;
	if (p->open)
		return CLI_OK; /* cancelled: too_long() */
	p->answer.outcome = probe_outcome_parse(code ? code : "");
	if (p->answer.outcome == PROBE_NOUTCOMES)
		return client_failed(error, NULL);
	p->answer.time_us = number_of(error, "time_us");
	p->answer.retrans = number_of(error, "retrans");
	snprintf(p->answer.conn, sizeof(p->answer.conn), "%s",
		 conn ? conn : "");
	return CLI_OK;
}

/* The peer keeps its end open, as it may; or the daemon is mute. */
static enum cli_exit too_long(struct probe *p)
{
	if (!p->open) {
		complain("the daemon does not answer");
		return CLI_TIMEOUT;
	}
	p->until_us = INT64_MAX; /* client_line() has a limit of its own */
	return client_begin(p->cli->client, "cancel",
			    json_pack("{s:I}", "id", p->id), &p->closing);
}

static void pause_until(struct probe *p, int64_t at_us)
{
	while (!interrupted && now_us() < at_us)
		wait_until(p, NULL, 0, at_us);
}

/* ppoll() until a point in time, with SIGINT let in. */
static int wait_until(struct probe *p, struct pollfd *fds, nfds_t n,
		      int64_t at_us)
{
	int64_t left_us = at_us - now_us();
	struct timespec ts;

	if (left_us < 0)
		left_us = 0;
	if (left_us > SECOND_US) /* the caller comes again */
		left_us = SECOND_US;
	ts.tv_sec = left_us / SECOND_US;
	ts.tv_nsec = left_us % SECOND_US * 1000;
	return ppoll(fds, n, &ts, &p->waiting);
}

static int64_t number_of(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND_US + ts.tv_nsec / 1000;
}

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}
