/*
 * client.c - The control socket, seen from the client
 *
 * One request at a time. The daemon answers with lines; those of other ids are
 * what is left of a cancelled request and are passed over.
 *
 * A listing may have a million items, and jansson needs 5 us for each. So an
 * item is not parsed here: a line that begins as the daemon begins it is cut,
 * and the text of the item is handed on. Who shows it as JSON copies it. Any
 * other line is parsed in full, whatever the order of its fields.
 *
 * ppoll() stands before each read, so the time-out bounds the silence and not
 * the length of a listing.
 */
#include "client.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <tcphs/ctl.h>

#define READ_SIZE 65536

/* A request on its way. */
struct call {
	json_int_t id;
	char head[64]; /* what a line with an item begins with */
	size_t head_len;
	const json_t *params;
	client_item_fn *item;
	void *arg;
	json_t **result;
	bool done, enough;
};

static enum cli_exit connect_failed(const char *path, int err);
static enum cli_exit read_greeting(struct client *c);
static enum cli_exit send_request(struct client *c, const char *method,
				  json_t *params);
static enum cli_exit send_cancel(struct client *c, json_int_t id);
static enum cli_exit take_line(struct call *call, const char *line, size_t len);
static enum cli_exit take_object(struct call *call, const json_t *line);
static enum cli_exit give_item(struct call *call, const char *text, size_t len);
static bool cut_item(const struct call *call, const char *line, size_t len,
		     const char **text, size_t *text_len);
static const char *skip_string(const char *p, const char *end);
static enum cli_exit read_line(struct client *c, char **line, size_t *len);
static enum cli_exit read_more(struct client *c);
static enum cli_exit wait_for(struct client *c, short events);
static enum cli_exit gone(void);

enum cli_exit client_open(struct client *c, const char *path,
			  int64_t timeout_us)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval tv = {.tv_sec = timeout_us / 1000000,
			     .tv_usec = timeout_us % 1000000};
	int fd, err;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		complain("the path of the socket is too long: %s", path);
		return CLI_USAGE;
	}
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		complain("cannot make a socket: %s", strerror(errno));
		return CLI_NO;
	}
	/* While the backlog is full connect() waits, at most so long. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		err = errno;
		close(fd);
		return connect_failed(path, err);
	}
	return client_attach(c, fd, timeout_us);
}

enum cli_exit client_attach(struct client *c, int fd, int64_t timeout_us)
{
	enum cli_exit e;

	*c = (struct client){.fd = fd, .timeout_us = timeout_us};
	e = read_greeting(c);
	if (e != CLI_OK)
		client_close(c);
	return e;
}

void client_close(struct client *c)
{
	close(c->fd);
	free(c->buf);
	c->fd = -1;
	c->buf = NULL;
}

enum cli_exit client_call(struct client *c, const char *method, json_t *params,
			  client_item_fn *item, void *arg, json_t **result)
{
	enum cli_exit e = send_request(c, method, params);
	struct call call = {
		.id = c->id,
		.params = params,
		.item = item,
		.arg = arg,
		.result = result,
	};
	bool cancelled = false;
	char *line;
	size_t len;

	call.head_len =
		(size_t)snprintf(call.head, sizeof(call.head),
				 "{\"id\":%lld,\"item\":", (long long)call.id);
	if (result)
		*result = NULL;
	while (e == CLI_OK && !call.done) {
		e = read_line(c, &line, &len);
		if (e == CLI_OK)
			e = take_line(&call, line, len);
		if (e == CLI_OK && call.enough && !cancelled) {
			cancelled = true;
			e = send_cancel(c, call.id);
		}
	}
	json_decref(params);
	return e;
}

json_t *client_filter(int n, char **words)
{
	char *filter = text_join(n, words);
	json_t *params = json_object();

	if (filter && *filter)
		json_object_set_new(params, "filter", json_string(filter));
	free(filter);
	return params;
}

static enum cli_exit connect_failed(const char *path, int err)
{
	const struct group *gr;
	struct stat st;

	switch (err) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		complain("no daemon at %s (is tcphsd running? try: systemctl "
			 "status tcphsd)",
			 path);
		return CLI_NO_DAEMON;
	case EACCES:
	case EPERM:
		gr = stat(path, &st) == 0 && st.st_gid != 0 &&
				     (st.st_mode & S_IWGRP)
			     ? getgrgid(st.st_gid)
			     : NULL;
		if (gr)
			complain("permission denied on %s (members of group "
				 "'%s' may use it; or try sudo)",
				 path, gr->gr_name);
		else
			complain("permission denied on %s (try sudo)", path);
		return CLI_DENIED;
	case EAGAIN:
		complain("the daemon takes no connection at %s", path);
		return CLI_TIMEOUT;
	default:
		complain("cannot connect to %s: %s", path, strerror(err));
		return CLI_NO_DAEMON;
	}
}

static enum cli_exit read_greeting(struct client *c)
{
	const json_t *hello, *error;
	const char *version;
	enum cli_exit e;
	json_int_t proto;
	json_t *j;
	char *line;
	size_t len;

	e = read_line(c, &line, &len);
	if (e != CLI_OK)
		return e;
	j = json_loadb(line, len, 0, NULL);
	hello = json_object_get(j, "tcphs");
	error = json_object_get(j, "error");
	proto = json_integer_value(json_object_get(hello, "proto"));
	version = json_string_value(json_object_get(hello, "version"));
	if (error) {
		e = client_failed(error, NULL);
	} else if (!hello) {
		complain("what answers at the socket is no tcphsd");
		e = CLI_PROTOCOL;
	} else if (proto != CTL_PROTO) {
		complain("tcphsd %s speaks protocol %lld, this tcphsctl "
			 "%s speaks %d; use the tcphsctl of that tcphsd",
			 version ? version : "(unknown)", (long long)proto,
			 TCPHS_VERSION, CTL_PROTO);
		e = CLI_PROTOCOL;
	}
	json_decref(j);
	return e;
}

static enum cli_exit send_request(struct client *c, const char *method,
				  json_t *params)
{
	enum cli_exit e = CLI_OK;
	size_t len, sent = 0;
	char *text;
	json_t *j;
	ssize_t n;

	j = json_pack("{s:I, s:s}", "id", ++c->id, "method", method);
	if (params)
		json_object_set(j, "params", params);
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	if (!text) {
		complain("no memory");
		return CLI_NO;
	}
	len = strlen(text);
	text[len++] = '\n'; /* in the place of the final zero */
	if (len > CTL_REQUEST_MAX) {
		complain("the arguments are too long");
		e = CLI_USAGE;
	}
	while (e == CLI_OK && sent < len) {
		e = wait_for(c, POLLOUT);
		if (e != CLI_OK)
			break;
		n = send(c->fd, text + sent, len - sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			break; /* gone; what it said last is still to be read */
	}
	free(text);
	return e;
}

enum cli_exit client_begin(struct client *c, const char *method, json_t *params,
			   json_int_t *id)
{
	enum cli_exit e = send_request(c, method, params);

	json_decref(params);
	*id = c->id;
	return e;
}

bool client_has_line(const struct client *c)
{
	return c->end > c->start &&
	       memchr(c->buf + c->start, '\n', c->end - c->start);
}

enum cli_exit client_line(struct client *c, json_t **line)
{
	enum cli_exit e;
	size_t len;
	char *text;

	e = read_line(c, &text, &len);
	if (e != CLI_OK)
		return e;
	*line = json_loadb(text, len, 0, NULL);
	if (*line)
		return CLI_OK;
	complain("the answer of the daemon is not JSON");
	return CLI_PROTOCOL;
}

static enum cli_exit send_cancel(struct client *c, json_int_t id)
{
	json_t *params = json_pack("{s:I}", "id", id);
	enum cli_exit e = send_request(c, "cancel", params);

	json_decref(params);
	return e;
}

static enum cli_exit take_line(struct call *call, const char *line, size_t len)
{
	enum cli_exit e;
	const char *text;
	size_t text_len;
	json_t *j;

	if (cut_item(call, line, len, &text, &text_len))
		return give_item(call, text, text_len);
	j = json_loadb(line, len, 0, NULL);
	if (!json_is_object(j)) {
		complain("the answer of the daemon is not JSON");
		e = CLI_PROTOCOL;
	} else {
		e = take_object(call, j);
	}
	json_decref(j);
	return e;
}

/* A line without an id is about the line or the connection, so about us. */
static enum cli_exit take_object(struct call *call, const json_t *line)
{
	const json_t *id = json_object_get(line, "id");
	const json_t *item = json_object_get(line, "item");
	const json_t *error = json_object_get(line, "error");
	json_t *result = json_object_get(line, "result");
	enum cli_exit e = CLI_OK;
	char *text;

	if (json_is_integer(id) && json_integer_value(id) != call->id)
		return CLI_OK;
	if (item) {
		text = json_dumps(item, JSON_COMPACT | JSON_ENCODE_ANY);
		e = give_item(call, text, strlen(text));
		free(text);
	} else if (error) {
		call->done = true;
		if (!call->enough)
			e = client_failed(error, call->params);
	} else if (result) {
		call->done = true;
		if (call->result && !call->enough)
			*call->result = json_incref(result);
	}
	return e;
}

static enum cli_exit give_item(struct call *call, const char *text, size_t len)
{
	int verdict;

	if (!call->item || call->enough)
		return CLI_OK;
	verdict = call->item(call->arg, text, len);
	if (verdict == ITEM_ENOUGH)
		call->enough = true;
	return verdict > 0 ? (enum cli_exit)verdict : CLI_OK;
}

enum cli_exit client_failed(const json_t *error, const json_t *params)
{
	static const struct {
		const char *wire;
		enum cli_exit exit;
	} codes[] = {
#define CODE(name, wire, exit) {wire, (enum cli_exit)(exit)},
		CTL_ERROR_LIST(CODE)
#undef CODE
	};
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *msg = json_string_value(json_object_get(error, "message"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	const char *filter =
		json_string_value(json_object_get(params, "filter"));
	const json_t *at = json_object_get(error, "at");

	if (!code)
		code = "error without a code";
	if (!msg)
		msg = code;
	if (hint && *hint)
		complain("%s (%s)", msg, hint);
	else
		complain("%s", msg);
	if (filter && json_is_integer(at))
		complain_at(filter, json_integer_value(at));
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(code, codes[i].wire) == 0)
			return codes[i].exit;
	return CLI_NO;
}

/*
 * Cut ITEM out of {"id":N,"item":ITEM}. Only if the braces of ITEM close
 * exactly before the last one: a field that came later would be part of it
 * otherwise. False says that the line deserves a real parser.
 */
static bool cut_item(const struct call *call, const char *line, size_t len,
		     const char **text, size_t *text_len)
{
	const char *end = line + len, *p = line + call->head_len;
	int depth = 0;

	if (len < call->head_len + 3 ||
	    memcmp(line, call->head, call->head_len) != 0 || *p != '{')
		return false;
	for (*text = p; p < end; p++) {
		if (*p == '"')
			p = skip_string(p + 1, end);
		else if (*p == '{')
			depth++;
		else if (*p == '}' && --depth == 0)
			break;
		if (p >= end || (unsigned char)*p < ' ')
			return false;
	}
	if (p != end - 2 || end[-1] != '}')
		return false;
	*text_len = (size_t)(p + 1 - *text);
	return true;
}

/* Its last quote; @end, or what no string may have, if there is none. */
static const char *skip_string(const char *p, const char *end)
{
	while (p < end && *p != '"' && (unsigned char)*p >= ' ')
		p += *p == '\\' ? 2 : 1;
	return p;
}

/* @line: Valid until the next read; without its line feed */
static enum cli_exit read_line(struct client *c, char **line, size_t *len)
{
	enum cli_exit e;
	char *lf = NULL;

	for (;;) {
		size_t have = c->end - c->start;

		if (have > c->looked)
			lf = memchr(c->buf + c->start + c->looked, '\n',
				    have - c->looked);
		if (lf)
			break;
		c->looked = have;
		if (have >= CLIENT_LINE_MAX) {
			complain("the daemon's line does not end");
			return CLI_PROTOCOL;
		}
		e = read_more(c);
		if (e != CLI_OK)
			return e;
	}
	*line = c->buf + c->start;
	*len = (size_t)(lf - *line);
	c->start += *len + 1;
	c->looked = 0;
	return CLI_OK;
}

static enum cli_exit read_more(struct client *c)
{
	enum cli_exit e;
	ssize_t n;

	if (c->start > 0) {
		memmove(c->buf, c->buf + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
	}
	if (c->size - c->end < READ_SIZE) {
		char *buf = realloc(c->buf, c->size + READ_SIZE);

		if (!buf) {
			complain("no memory");
			return CLI_NO;
		}
		c->buf = buf;
		c->size += READ_SIZE;
	}
	e = wait_for(c, POLLIN);
	if (e != CLI_OK)
		return e;
	n = read(c->fd, c->buf + c->end, c->size - c->end);
	if (n <= 0)
		return gone();
	c->end += (size_t)n;
	return CLI_OK;
}

static enum cli_exit wait_for(struct client *c, short events)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	struct timespec ts = {.tv_sec = c->timeout_us / 1000000,
			      .tv_nsec = c->timeout_us % 1000000 * 1000};
	char buf[TEXT_NUMBER_MAX];
	int n = ppoll(&p, 1, &ts, c->waiting);

	if (n > 0)
		return CLI_OK;
	if (n < 0) {
		c->interrupted = true;
		return CLI_NO;
	}
	complain("no answer from the daemon in %s",
		 text_duration(c->timeout_us, buf));
	return CLI_TIMEOUT;
}

static enum cli_exit gone(void)
{
	complain("the daemon is gone");
	return CLI_NO_DAEMON;
}
