/*
 * session.c - Talking: connect, attach and send
 *
 * What the peer says goes to stdout as it is, and stdin to the peer; words
 * about the connection go to stderr. One request with text is under way at a
 * time, so stdin is read no faster than the peer reads. The end of stdin is a
 * FIN; then the peer's is waited for. Ctrl-C ends our side, a second one resets.
 *
 * --classic is for people: lines of the peer and of ours with a name in front.
 */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "output.h"

#define CHUNK  (32 * 1024) /* of stdin in one request */
#define BASE64 sodium_base64_VARIANT_ORIGINAL

struct session {
	struct cli *cli;
	const char *peer;	     /* what --classic calls it */
	json_int_t id;		     /* of conn.open or conn.attach */
	json_int_t sending, closing; /* requests under way; 0 = none */
	char conn[16];
	bool open, stdin_over, ended, line_begun;
	enum cli_exit exit;
	bool over;
};

static volatile sig_atomic_t interrupts;

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
	const char *conn = json_string_value(json_object_get(item, "id"));
	char local[80], peer[80];

	s->open = true;
	snprintf(s->conn, sizeof(s->conn), "%s", conn ? conn : "");
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

/* What could steer a terminal is not for it; nor is our own. */
static void put_visible(FILE *out, uint8_t c)
{
	if (c == '\n' || c == '\t' || (c >= ' ' && c != 0x7f && c < 0x80) ||
	    c >= 0xa0)
		putc(c, out);
	else
		fprintf(out, "\\x%02x", c);
}

static void print_classic(struct session *s, const uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!s->line_begun)
			fprintf(s->cli->out, "%s: ", s->peer);
		s->line_begun = text[i] != '\n';
		put_visible(s->cli->out, text[i]);
	}
}

static void echo_classic(struct session *s, const uint8_t *text, size_t len)
{
	fputs("You: ", s->cli->out);
	for (size_t i = 0; i < len; i++)
		put_visible(s->cli->out, text[i]);
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
		if (s->cli->classic)
			print_classic(s, text, len);
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

	s->over = true;
	if (reason && strcmp(reason, "fin") != 0 && s->exit == CLI_OK)
		s->exit = interrupts > 1 ? CLI_OK : CLI_RESET;
	if (s->cli->quiet)
		return;
	if (s->cli->classic && s->line_begun)
		putc('\n', s->cli->out);
	if (s->cli->classic && interrupts)
		fprintf(stderr, "Connection closed by us\n");
	else if (s->cli->classic)
		fprintf(stderr, "%s disconnected.\n", s->peer);
	if (!s->cli->classic || s->exit != CLI_OK)
		fprintf(stderr, "closed: %s\n", words ? words : "?");
}

/* ---- what the daemon says ---------------------------------------------- */

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
	if (strcmp(event, "open") == 0)
		say_open(s, item);
	else if (strcmp(event, "text") == 0)
		say_text(s, item);
	else if (strcmp(event, "peer_closed") == 0)
		s->stdin_over = true; /* nobody is there to read it */
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
	if (id == s->id && result)
		say_end(s, result);
	else if (id == s->id && error) {
		if (s->cli->classic)
			fprintf(stderr, "Failed to connect to %s.\n", s->peer);
		s->over = true;
		s->exit = client_failed(error, NULL);
	} else if (id == s->sending)
		s->sending = 0; /* an error: the end is about to be told */
	else if (!json_object_get(line, "id") && error)
		return client_failed(error, NULL);
	return CLI_OK;
}

/* ---- the loop ---------------------------------------------------------- */

static enum cli_exit take_stdin(struct session *s)
{
	uint8_t text[CHUNK];
	ssize_t n = read(STDIN_FILENO, text, sizeof(text));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return CLI_OK;
	if (n <= 0) {
		s->stdin_over = true;
		return CLI_OK;
	}
	if (s->cli->classic)
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

static enum cli_exit turn(struct session *s, const sigset_t *waiting)
{
	struct client *client = s->cli->client;
	bool want_text = s->open && !s->stdin_over && !s->sending;
	struct pollfd p[2] = {
		{.fd = client->fd, .events = POLLIN},
		{.fd = want_text ? STDIN_FILENO : -1, .events = POLLIN},
	};
	enum cli_exit e = CLI_OK;
	json_t *line;

	if (s->open && s->stdin_over && !s->ended && !s->sending)
		return send_text(s, NULL, 0, true);
	if (!client_has_line(client) && ppoll(p, 2, NULL, waiting) < 0)
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

static enum cli_exit talk(struct session *s, const char *method, json_t *params)
{
	struct sigaction act = {.sa_handler = on_interrupt}, was;
	sigset_t block, waiting;
	enum cli_exit e;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &waiting);
	sigaction(SIGINT, &act, &was);
	interrupts = 0;
	if (s->cli->classic)
		fprintf(stderr, "%s: Not Connected\n", s->peer);
	e = client_begin(s->cli->client, method, params, &s->id);
	while (e == CLI_OK && !s->over)
		e = turn(s, &waiting);
	sigaction(SIGINT, &was, NULL);
	sigprocmask(SIG_SETMASK, &waiting, NULL);
	return e == CLI_OK ? s->exit : e;
}

/* ---- commands ---------------------------------------------------------- */

enum cli_exit connect_run(struct cli *cli, int argc, char **argv)
{
	struct session s = {.cli = cli, .peer = "Server"};
	json_t *params;
	int port, source;

	(void)argc;
	if (!text_parse_port(argv[1], &port) ||
	    (cli->source && !text_parse_port(cli->source, &source)))
		return CLI_USAGE;
	params = json_pack("{s:s, s:i, s:b}", "address", argv[0], "port", port,
			   "nodelay", cli->nodelay);
	if (cli->source)
		json_object_set_new(params, "local_port", json_integer(source));
	return talk(&s, "conn.open", params);
}

enum cli_exit attach_run(struct cli *cli, int argc, char **argv)
{
	struct session s = {.cli = cli, .peer = "Client"};

	(void)argc;
	return talk(&s, "conn.attach", json_pack("{s:s}", "conn", argv[0]));
}

enum cli_exit send_run(struct cli *cli, int argc, char **argv)
{
	char *text = text_join(argc - 1, argv + 1), *line = NULL;
	enum cli_exit e = CLI_NO;
	json_t *result = NULL;

	if (text && asprintf(&line, "%s\n", text) >= 0)
		e = client_call(
			cli->client, "conn.send",
			json_pack("{s:s, s:s}", "conn", argv[0], "text", line),
			NULL, NULL, &result);
	if (e == CLI_OK)
		output_sentence(
			cli, result, "%" JSON_INTEGER_FORMAT " bytes queued",
			json_integer_value(json_object_get(result, "sent")));
	json_decref(result);
	free(line);
	free(text);
	return e;
}
