/*
 * session.c - Talking: connect, attach and send
 *
 * What the peer says goes to stdout, and stdin to the peer; words about the
 * connection go to stderr. One request with text is under way at a time, so
 * stdin is read no faster than the peer reads. The end of stdin is a FIN; then
 * the peer's is waited for. Ctrl-C ends our side, a second one resets.
 *
 * connect is for programs, too, and as binary safe as nc; attach is for people,
 * with the peer's name in front of each line. A terminal gets no controls of the
 * peer's from either; --raw gives everything as it came.
 *
 * --classic has lines of the peer and of ours with a name in front,
 * and the steps of the handshake and of the close as the daemon tells them
 * (events.follow). Those come on a request of their own, and may come later
 * than what they led to. So words about the connection, and what the peer says,
 * wait for the step that the handshake was completed; but not without end. Whose
 * FIN was the first is told at the end: by the steps, or by the peer's having
 * come while we had said nothing of one.
 */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tcphs/jsontext.h>
#include <tcphs/plural.h>

#include "client.h"
#include "output.h"

#define CHUNK  (32 * 1024) /* of stdin in one request */
#define BASE64 sodium_base64_VARIANT_ORIGINAL

#define SECOND_US 1000000

#define HELD_MAX     64	  /* items that wait for a step */
#define LAST_STEP_MS 1000 /* it is waited for when all else is over */

enum first_fin { FIN_NONE, FIN_OURS, FIN_PEERS };

struct session {
	struct cli *cli;
	const char *peer;	     /* what --classic calls it, */
	const char *own;	     /* and us */
	json_int_t id;		     /* of conn.open or conn.attach */
	json_int_t sending, closing; /* requests under way; 0 = none */
	char conn[16];
	bool calls;	     /* connect, not attach */
	bool named, visible; /* lines of the peer's; its controls */
	bool open, stdin_over, ended, line_begun;
	enum cli_exit exit;
	bool over;
	int64_t until_us; /* patience with the handshake; INT64_MAX = the daemon's */
	json_t *last; /* the answer to conn.open or conn.attach */
	/* --classic */
	json_int_t steps;  /* events.follow; 0 = none */
	char steps_of[16]; /* connection whose steps are told */
	bool completed;	   /* its handshake was told */
	bool closed;	   /* its end was told */
	json_t *opened;	   /* item whose words wait for the former, */
	json_t *held;	   /* and those that came behind it */
	enum first_fin first_fin;
};

static volatile sig_atomic_t interrupts;

static enum cli_exit take_event(struct session *s, json_t *item);
static int64_t now_us(void);

static void on_interrupt(int sig)
{
	(void)sig;
	interrupts++;
}

/* ---- words ------------------------------------------------------------- */

static void end_text(json_t *end, char *buf, size_t len)
{
	const char *ip = json_string_value(json_object_get(end, "ip"));
	json_int_t port = json_integer_value(json_object_get(end, "port"));

	snprintf(buf, len, ip && strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld",
		 ip ? ip : "?", (long long)port);
}

static void say_open(struct session *s, json_t *item)
{
	const json_t *us = json_object_get(item, "handshake_us");
	char local[80], peer[80];

	if (s->cli->quiet)
		return;
	end_text(json_object_get(item, "local"), local, sizeof(local));
	end_text(json_object_get(item, "peer"), peer, sizeof(peer));
	if (s->cli->classic)
		fprintf(stderr, "Connected to %s at %s\n", s->peer, peer);
	else if (us)
		fprintf(stderr, "connected %s -> %s in %.3f ms\n", local, peer,
			(double)json_integer_value(us) / 1000);
	else
		fprintf(stderr, "attached to %s, %s -> %s\n", s->conn, local,
			peer);
}

/* A character of text that ends with a zero. What could steer a terminal is not
 * for it; nor is our own. Return: its bytes */
static size_t put_visible(FILE *out, const uint8_t *text)
{
	uint32_t code;
	size_t n = jsontext_utf8(text, &code);

	if (n && (code == '\n' || code == '\t' || !jsontext_is_control(code))) {
		fwrite(text, 1, n, out);
		return n;
	}
	fprintf(out, "\\x%02x", *text);
	return 1;
}

static void print_visible(struct session *s, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (!s->line_begun && s->named)
			fprintf(s->cli->out, "%s: ", s->peer);
		s->line_begun = text[i] != '\n';
		i += put_visible(s->cli->out, text + i);
	}
}

static void echo_classic(struct session *s, const uint8_t *text, size_t len)
{
	fputs("You: ", s->cli->out);
	for (size_t i = 0; i < len;)
		i += put_visible(s->cli->out, text + i);
	if (text[len - 1] != '\n')
		putc('\n', s->cli->out);
	fflush(s->cli->out);
}

static void say_text(struct session *s, json_t *item)
{
	const char *base64 = json_string_value(json_object_get(item, "base64"));
	size_t most = base64 ? strlen(base64) : 0, len = 0;
	uint8_t *text = malloc(most + 1);

	if (text && base64 &&
	    sodium_base642bin(text, most + 1, base64, most, NULL, &len, NULL,
			      BASE64) == 0) {
		text[len] = '\0';
		if (s->visible)
			print_visible(s, text, len);
		else
			fwrite(text, 1, len, s->cli->out);
		if (fflush(s->cli->out) != 0) {
			complain("what came cannot be written: %s",
				 strerror(errno));
			s->exit = CLI_NO;
			s->over = true;
		}
	}
	free(text);
}

static void say_end(struct session *s, json_t *result)
{
	const char *reason =
		json_string_value(json_object_get(result, "reason"));
	const char *words = json_string_value(json_object_get(result, "words"));

	if (reason && strcmp(reason, "fin") != 0 && s->exit == CLI_OK)
		s->exit = interrupts > 1 ? CLI_OK : CLI_RESET;
	if (s->cli->quiet)
		return;
	if (s->named && s->line_begun)
		putc('\n', s->cli->out);
	if (s->cli->classic &&
	    (interrupts > 1 || (s->first_fin == FIN_OURS && s->exit == CLI_OK)))
		fprintf(stderr, "Connection closed by %s\n", s->own);
	else if (s->cli->classic)
		fprintf(stderr, "%s disconnected.\n", s->peer);
	if (!s->cli->classic || s->exit != CLI_OK)
		fprintf(stderr, "closed: %s\n", words ? words : "?");
}

/* ---- --classic --------------------------------------------------------- */

static enum cli_exit follow_steps(struct session *s, const char *filter)
{
	return client_begin(
		s->cli->client, "events.follow",
		json_pack("{s:b, s:s}", "follow", 1, "filter", filter),
		&s->steps);
}

/* What waited for the handshake to be told need wait no more. */
static void let_go(struct session *s)
{
	json_t *opened = s->opened, *held = s->held, *item;
	size_t i;

	s->opened = s->held = NULL;
	if (opened)
		say_open(s, opened);
	json_array_foreach(held, i, item)(void) take_event(s, item);
	json_decref(opened);
	json_decref(held);
}

/* Nothing is told any more. */
static void no_steps(struct session *s)
{
	s->steps = 0;
	s->completed = s->closed = true;
	let_go(s);
}

/* The connection that is meant is the first that is opened from now on. */
static void take_step(struct session *s, const json_t *item)
{
	const char *event = json_string_value(json_object_get(item, "event"));
	const char *words = json_string_value(json_object_get(item, "message"));
	const char *conn = json_string_value(json_object_get(item, "conn"));
	char line[512];

	if (!event || !words || !conn)
		return;
	if (!*s->steps_of && strcmp(event, "syn.sent") == 0)
		snprintf(s->steps_of, sizeof(s->steps_of), "%s", conn);
	if (strcmp(conn, s->steps_of) != 0)
		return;
	snprintf(line, sizeof(line), "%s", words);
	text_clean(line);
	fprintf(stderr, "%s\n", line);
	if (!s->first_fin && strcmp(event, "fin.sent") == 0)
		s->first_fin = FIN_OURS;
	else if (!s->first_fin && strcmp(event, "fin.received") == 0)
		s->first_fin = FIN_PEERS;
	s->completed |= strcmp(event, "handshake.completed") == 0;
	s->closed |= strcmp(event, "conn.closed") == 0;
	if (s->completed)
		let_go(s);
}

/* ---- what the daemon says ---------------------------------------------- */

static enum cli_exit take_open(struct session *s, json_t *item)
{
	const char *conn = json_string_value(json_object_get(item, "id"));
	char filter[32];

	s->open = true;
	snprintf(s->conn, sizeof(s->conn), "%s", conn ? conn : "");
	if (s->steps && !s->completed) {
		s->opened = json_incref(item);
		s->held = json_array();
		return CLI_OK;
	}
	say_open(s, item);
	if (!s->cli->classic || s->cli->quiet || s->completed)
		return CLI_OK;
	snprintf(s->steps_of, sizeof(s->steps_of), "%s", s->conn);
	snprintf(filter, sizeof(filter), "id = %s", s->conn);
	return follow_steps(s, filter);
}

static enum cli_exit send_text(struct session *s, const uint8_t *text,
			       size_t len, bool end)
{
	char base64[sodium_base64_ENCODED_LEN(CHUNK, BASE64)];

	sodium_bin2base64(base64, sizeof(base64), text, len, BASE64);
	s->ended |= end;
	return client_begin(s->cli->client, "conn.send",
			    json_pack("{s:I, s:s, s:b}", "session", s->id,
				      "base64", base64, "end", end),
			    &s->sending);
}

static enum cli_exit take_event(struct session *s, json_t *item)
{
	const char *event = json_string_value(json_object_get(item, "event"));

	if (!event)
		return CLI_OK;
	if (s->held && json_array_size(s->held) < HELD_MAX) {
		json_array_append(s->held, item);
		return CLI_OK;
	}
	let_go(s);
	if (strcmp(event, "open") == 0)
		return take_open(s, item);
	if (strcmp(event, "text") == 0)
		say_text(s, item);
	else if (strcmp(event, "peer_closed") == 0) {
		s->stdin_over = true; /* nobody is there to read it */
		if (!s->first_fin && !s->ended)
			s->first_fin = FIN_PEERS;
	}
	return CLI_OK;
}

static enum cli_exit take_line(struct session *s, json_t *line)
{
	json_int_t id = json_integer_value(json_object_get(line, "id"));
	json_t *item = json_object_get(line, "item");
	json_t *result = json_object_get(line, "result");
	json_t *error = json_object_get(line, "error");

	if (id == s->id && item)
		return take_event(s, item);
	if (s->steps && id == s->steps) {
		if (item)
			take_step(s, item);
		else
			no_steps(s);
	} else if (id == s->id && (result || error)) {
		s->last = json_incref(line);
		s->over = true;
	} else if (id == s->sending)
		s->sending = 0; /* an error: the end is about to be told */
	else if (!json_object_get(line, "id") && error)
		return client_failed(error, NULL);
	return CLI_OK;
}

/* Does the answer tell of an attempt that has steps? Who is refused at once may
 * know it before the first of them is told. */
static bool was_tried(const json_t *answer)
{
	static const char *const codes[] = {"refused", "timeout", "unreachable",
					    "protocol_error"};
	const char *code = json_string_value(
		json_object_get(json_object_get(answer, "error"), "code"));

	for (size_t i = 0; code && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

/* What is left of the steps, and then how it ended. */
static enum cli_exit take_last(struct session *s)
{
	struct client *client = s->cli->client;
	struct pollfd p = {.fd = client->fd, .events = POLLIN};
	json_t *result = json_object_get(s->last, "result"), *line;
	bool has_steps = *s->steps_of || was_tried(s->last);
	enum cli_exit e = CLI_OK;

	while (s->steps && has_steps && !s->closed && e == CLI_OK &&
	       (client_has_line(client) || poll(&p, 1, LAST_STEP_MS) > 0)) {
		e = client_line(client, &line);
		if (e != CLI_OK)
			break;
		e = take_line(s, line);
		json_decref(line);
	}
	no_steps(s);
	if (result) {
		say_end(s, result);
	} else if (s->last) {
		if (s->cli->classic && s->calls)
			fprintf(stderr, "Failed to connect to server.\n");
		s->exit =
			client_failed(json_object_get(s->last, "error"), NULL);
	}
	json_decref(s->last);
	return e;
}

/* ---- the loop ---------------------------------------------------------- */

static enum cli_exit take_stdin(struct session *s)
{
	uint8_t text[CHUNK + 1];
	ssize_t n = read(STDIN_FILENO, text, CHUNK);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return CLI_OK;
	if (n <= 0) {
		s->stdin_over = true;
		return CLI_OK;
	}
	text[n] = '\0';
	if (s->cli->classic && s->named)
		echo_classic(s, text, (size_t)n);
	return send_text(s, text, (size_t)n, false);
}

/* The first interrupt is a FIN, the second a RST. */
static enum cli_exit take_interrupt(struct session *s)
{
	if (!s->open) {
		s->over = true;
		s->exit = CLI_NO;
		return CLI_OK;
	}
	s->stdin_over = true;
	if (interrupts < 2 || s->closing)
		return CLI_OK;
	return client_begin(s->cli->client, "conn.close",
			    json_pack("{s:s, s:b}", "conn", s->conn, "rst", 1),
			    &s->closing);
}

/* The connection goes when we do. */
static enum cli_exit no_answer(struct session *s)
{
	if (s->cli->classic)
		fprintf(stderr, "Failed to connect to server.\n");
	complain("no answer in %.1f s", (double)s->cli->timeout_us / SECOND_US);
	s->over = true;
	s->exit = CLI_NO_ANSWER;
	return CLI_OK;
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND_US + ts.tv_nsec / 1000;
}

static enum cli_exit turn(struct session *s, const sigset_t *waiting)
{
	struct client *client = s->cli->client;
	bool want_text = s->open && !s->opened && !s->stdin_over && !s->sending;
	struct pollfd p[2] = {
		{.fd = client->fd, .events = POLLIN},
		{.fd = want_text ? STDIN_FILENO : -1, .events = POLLIN},
	};
	int64_t left_us = s->until_us - now_us();
	const struct timespec ts = {
		.tv_sec = left_us > 0 ? left_us / SECOND_US : 0,
		.tv_nsec = left_us > 0 ? left_us % SECOND_US * 1000 : 0,
	};
	enum cli_exit e = CLI_OK;
	json_t *line;

	if (!s->open && left_us <= 0)
		return no_answer(s);
	if (s->open && s->stdin_over && !s->ended && !s->sending)
		return send_text(s, NULL, 0, true);
	if (!client_has_line(client) &&
	    ppoll(p, 2, s->open ? NULL : &ts, waiting) < 0)
		return errno == EINTR ? take_interrupt(s) : CLI_NO;
	if (client_has_line(client) || p[0].revents) {
		e = client_line(client, &line);
		if (e != CLI_OK)
			return e;
		e = take_line(s, line);
		json_decref(line);
	}
	if (e == CLI_OK && !s->over && p[1].revents)
		e = take_stdin(s);
	return e;
}

/* @named:  Lines of the peer's have its name in front
 * @filter: Whose steps are told from the start; NULL = of nobody */
static enum cli_exit talk(struct session *s, const char *method, json_t *params,
			  bool named, const char *filter)
{
	bool raw = s->cli->raw;
	struct sigaction act = {.sa_handler = on_interrupt}, was;
	sigset_t block, waiting;
	enum cli_exit e;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &waiting);
	sigaction(SIGINT, &act, &was);
	interrupts = 0;
	s->named = named && !raw;
	s->visible = !raw && (named || s->cli->terminal);
	e = filter ? follow_steps(s, filter) : CLI_OK;
	if (e == CLI_OK)
		e = client_begin(s->cli->client, method, params, &s->id);
	while (e == CLI_OK && !s->over)
		e = turn(s, &waiting);
	if (e == CLI_OK)
		e = take_last(s);
	sigaction(SIGINT, &was, NULL);
	sigprocmask(SIG_SETMASK, &waiting, NULL);
	return e == CLI_OK ? s->exit : e;
}

/* ---- commands ---------------------------------------------------------- */

enum cli_exit connect_run(struct cli *cli, int argc, char **argv)
{
	struct session s = {
		.cli = cli,
		.peer = "Server",
		.own = "Client",
		.calls = true,
	};
	char *end[2], filter[128];
	json_t *params;
	int port, source;

	if (!text_take_end(argc, argv, end, &port) ||
	    (cli->source && !text_parse_port(cli->source, &source)))
		return CLI_USAGE;
	params = json_pack("{s:s, s:i, s:b}", "address", end[0], "port", port,
			   "nodelay", cli->nodelay);
	if (cli->source)
		json_object_set_new(params, "local_port", json_integer(source));
	if (cli->classic && !cli->quiet)
		fprintf(stderr, "Client: Not Connected\n");
	snprintf(filter, sizeof(filter),
		 strchr(end[0], ':') ? "role = client and dst [%.64s]:%d"
				     : "role = client and dst %.64s:%d",
		 end[0], port);
	s.until_us = cli->timeout_set ? now_us() + cli->timeout_us : INT64_MAX;
	return talk(&s, "conn.open", params, cli->classic,
		    cli->classic && !cli->quiet ? filter : NULL);
}

enum cli_exit attach_run(struct cli *cli, int argc, char **argv)
{
	struct session s = {
		.cli = cli,
		.peer = "Client",
		.own = "Server",
		.until_us = INT64_MAX,
	};

	(void)argc;
	return talk(&s, "conn.attach", json_pack("{s:s}", "conn", argv[0]),
		    true, NULL);
}

enum cli_exit send_run(struct cli *cli, int argc, char **argv)
{
	char *text = text_join(argc - 1, argv + 1), *line = NULL;
	enum cli_exit e = CLI_NO;
	json_t *result = NULL;
	json_int_t sent;

	if (text && asprintf(&line, "%s\n", text) >= 0)
		e = client_call(
			cli->client, "conn.send",
			json_pack("{s:s, s:s}", "conn", argv[0], "text", line),
			NULL, NULL, &result);
	sent = json_integer_value(json_object_get(result, "sent"));
	if (e == CLI_OK)
		output_sentence(cli, result,
				"%" JSON_INTEGER_FORMAT " byte%s queued", sent,
				plural(sent));
	json_decref(result);
	free(line);
	free(text);
	return e;
}
