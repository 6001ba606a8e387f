/*
 * http.c - The services http and metrics: requests in, answers out (RFC 9110,
 * RFC 9112)
 *
 * A connection with no request under way has no memory here: its user pointer
 * is NULL and its only trace is the alarm. The first byte of a request brings a
 * struct http_conn, which goes when the answer is with TCP:
 *
 *	NULL -> HEAD -> [BODY ->] ANSWER -> NULL, or LINGER -> CLOSED
 *
 * Requests are answered one at a time. While an answer is being sent no input
 * is consumed, so whoever pipelines without reading meets a closed window, in
 * the manner of echo.
 *
 * Text that arrives when a connection is gone is answered with RST, and a RST
 * destroys the answer on its way (RFC 9112, 9.6). So when a body was refused or
 * input is left over, the connection lingers: it discards until the client
 * closes or HTTP_LINGER_US have passed, and then closes.
 */
#include "service/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/assert.h"
#include "service/service.h"

/* Heads read and requests answered before others get their turn. */
#define STEPS_A_TURN 16

static const struct route {
	const struct tcp_service *service;
	const char *path; /* one that ends in '/' and more takes the rest */
	const char *allow;
	http_begin_fn *begin;
	const char *words;
} routes[] = {
	{&http_service, "/", "GET, HEAD", http_page_begin,
	 "this daemon and its connections"},
	{&http_service, "/connections.json", "GET, HEAD", http_json_begin,
	 "every connection, for programs"},
	{&http_service, "/bytes/", "GET, HEAD", http_bytes_begin,
	 "and a number N: N bytes, byte i being i mod 251"},
	{&http_service, "/upload", "POST, PUT", http_upload_begin,
	 "POST or PUT: answers length and sha256"},
	{&metrics_service, "/", "GET, HEAD", http_metrics_root, "this"},
	{&metrics_service, "/metrics", "GET, HEAD", http_metrics_begin,
	 "the daemon's figures, for Prometheus"},
};

/* The user pointer of a connection after tcp_close(); never written. */
static struct http_conn closed = {.phase = HTTP_CLOSED};

static bool http_head_read(struct stack *st, struct tcp_conn *c,
			   struct http_conn *h);
static void http_route(struct stack *st, struct tcp_conn *c,
		       struct http_conn *h);
static bool http_go_on(struct stack *st, struct tcp_conn *c,
		       struct http_conn *h);
static void http_finish(struct stack *st, struct tcp_conn *c,
			struct http_conn *h);
static void http_close(struct stack *st, struct tcp_conn *c);

static void http_alarm_in(struct stack *st, struct tcp_conn *c, int64_t in_us)
{
	tcp_alarm(st, c, stack_now(st) + in_us);
}

static void http_open(struct stack *st, struct tcp_conn *c)
{
	http_alarm_in(st, c, HTTP_IDLE_US);
}

/* One step: false if there is nothing to do until something happens. */
static bool http_step(struct stack *st, struct tcp_conn *c)
{
	struct http_conn *h = tcp_user(c);

	switch (h ? h->phase : HTTP_HEAD) {
	case HTTP_HEAD:
		return http_head_read(st, c, h);
	case HTTP_BODY:
		return http_upload_take(st, c, h) && http_go_on(st, c, h);
	case HTTP_ANSWER:
		return false;
	case HTTP_LINGER:
	case HTTP_CLOSED:
		discard_data(st, c);
		return false;
	}
	return false;
}

static void http_data(struct stack *st, struct tcp_conn *c)
{
	for (int i = 0; i < STEPS_A_TURN; i++)
		if (!http_step(st, c))
			return;
	tcp_resume(st, c);
}

void http_writable(struct stack *st, struct tcp_conn *c)
{
	struct http_conn *h = tcp_user(c);

	if (!h)
		return;
	if (h->phase == HTTP_BODY)
		http_send(st, c, h); /* 100 Continue */
	else if (h->phase == HTTP_ANSWER && http_go_on(st, c, h))
		tcp_resume(st, c);
}

static void http_peer_closed(struct stack *st, struct tcp_conn *c)
{
	struct http_conn *h = tcp_user(c);

	if (!h || h->phase == HTTP_LINGER) {
		http_close(st, c);
		return;
	}
	if (h->phase == HTTP_CLOSED)
		return;
	h->peer_closed = true;
	if (h->phase == HTTP_ANSWER)
		return;
	http_fail(h, 400, "the connection closed amid a request",
		  "RFC 9112, 8");
	http_go_on(st, c, h);
}

static void http_alarm(struct stack *st, struct tcp_conn *c)
{
	struct http_conn *h = tcp_user(c);

	if (!h || h->phase == HTTP_LINGER) {
		http_close(st, c);
		return;
	}
	if (h->phase != HTTP_HEAD && h->phase != HTTP_BODY)
		return;
	http_fail(h, 408,
		  h->phase == HTTP_HEAD
			  ? "the head did not arrive within 10 seconds"
			  : "nothing of the body arrived for 30 seconds",
		  "RFC 9110, 15.5.9");
	http_go_on(st, c, h);
}

static void http_free(struct tcp_conn *c)
{
	struct http_conn *h = tcp_user(c);

	tcp_set_user(c, NULL);
	if (!h || h == &closed)
		return;
	service_unwait(&h->wait);
	free(h->out);
	free(h);
}

static void http_closed(struct stack *st, struct tcp_conn *c,
			enum close_reason why)
{
	(void)st;
	(void)why;
	http_free(c);
}

#define CALLBACKS                                                         \
	.on_open = http_open, .on_data = http_data,                       \
	.on_writable = http_writable, .on_peer_closed = http_peer_closed, \
	.on_alarm = http_alarm, .on_closed = http_closed

/* They differ in their routes alone. */
const struct tcp_service http_service = {.name = "http", CALLBACKS};
const struct tcp_service metrics_service = {.name = "metrics", CALLBACKS};

static struct http_conn *http_new(struct stack *st, struct tcp_conn *c)
{
	struct http_conn *h = calloc(1, sizeof(*h));

	if (!h) {
		tcp_abort(st, c, CLOSE_NO_MEMORY);
		return NULL;
	}
	http_head_init(&h->head);
	tcp_set_user(c, h);
	return h;
}

static bool http_head_read(struct stack *st, struct tcp_conn *c,
			   struct http_conn *h)
{
	const uint8_t *text;
	size_t len = tcp_peek(st, c, &text);
	bool begun;

	if (!len)
		return false;
	if (!h)
		h = http_new(st, c);
	if (!h)
		return false;
	begun = http_head_begun(&h->head);
	tcp_consume(st, c, http_head_take(&h->head, text, len));
	if (http_head_blank(&h->head) && !h->head.fault) {
		http_free(c);
		return true;
	}
	/* Empty lines before it do not start the clock of a request. */
	if (!begun && http_head_begun(&h->head))
		http_alarm_in(st, c, HTTP_HEAD_US);
	if (h->head.fault)
		http_fail(h, http_fault_status(h->head.fault),
			  http_fault_words(h->head.fault),
			  http_fault_clause(h->head.fault));
	else if (h->head.done)
		http_route(st, c, h);
	else
		return true;
	return http_go_on(st, c, h);
}

/* RFC 9112, 3.2: the path of an origin-form or absolute-form, query cut off */
static char *http_path(char *target)
{
	char *path = target;

	if (!strncasecmp(target, "http://", 7)) {
		path = target + 7 + strcspn(target + 7, "/?");
		if (*path != '/') { /* http://host?query */
			target[0] = '/';
			target[1] = '\0';
			return target;
		}
	}
	path[strcspn(path, "?")] = '\0';
	return path;
}

static const struct route *http_find(const struct tcp_service *service,
				     const char *path, const char **rest)
{
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		len = strlen(routes[i].path);
		if (routes[i].service != service)
			continue;
		if (len > 1 && routes[i].path[len - 1] == '/'
			    ? strncmp(path, routes[i].path, len) != 0
			    : strcmp(path, routes[i].path) != 0)
			continue;
		*rest = path + len;
		return &routes[i];
	}
	return NULL;
}

/* Is @method one word of "GET, HEAD"? Methods are case-sensitive. */
static bool http_allowed(const char *allow, const char *method)
{
	size_t len = strlen(method);
	const char *at = strstr(allow, method);

	while (at && !((at == allow || at[-1] == ' ') &&
		       (at[len] == ',' || !at[len])))
		at = strstr(at + 1, method);
	return at != NULL;
}

static void http_not_found(const struct tcp_service *service,
			   struct http_conn *h)
{
	char list[512];
	int n = 0;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (routes[i].service == service)
			n += snprintf(list + n, sizeof(list) - (size_t)n,
				      "  %-18s %s\n", routes[i].path,
				      routes[i].words);
	http_answer_text(h, 404, "", "404 Not Found. There is:\n\n%s", list);
}

static void http_route(struct stack *st, struct tcp_conn *c,
		       struct http_conn *h)
{
	const struct tcp_service *service = tcp_conn_service(st, c);
	const char *path = http_path(h->head.target);
	const struct route *r;
	const char *rest;
	char allow[64];

	h->keep = h->head.keep_alive;
	h->head_only = !strcmp(h->head.method, "HEAD");
	http_body_init(&h->body, &h->head);
	r = http_find(service, path, &rest);
	if (r && r->begin == http_upload_begin &&
	    http_allowed(r->allow, h->head.method)) {
		r->begin(st, c, h, rest);
		return;
	}
	/* A body that nobody wants is not read, and ends the connection. */
	if (!h->body.done) {
		h->keep = false;
		h->linger = true;
	}
	if (!r) {
		http_not_found(service, h);
	} else if (!http_allowed(r->allow, h->head.method)) {
		snprintf(allow, sizeof(allow), "Allow: %s\r\n", r->allow);
		http_answer_text(h, 405, allow,
				 "405 Method Not Allowed. %s takes %s.\n",
				 r->path, r->allow);
	} else {
		r->begin(st, c, h, rest);
	}
}

/* Where the message ends is unknown after a fault: nothing more is read. */
void http_fail(struct http_conn *h, int status, const char *words,
	       const char *clause)
{
	h->keep = false;
	h->linger = true;
	http_answer_text(h, status, "", "%d: %s (%s)\n", status, words, clause);
}

/* Send; true if the connection is ready for the next request. */
static bool http_go_on(struct stack *st, struct tcp_conn *c,
		       struct http_conn *h)
{
	if (h->phase == HTTP_ANSWER)
		tcp_alarm(st, c, TIME_NEVER);
	if (!http_send(st, c, h))
		return false;
	if (h->phase == HTTP_ANSWER)
		http_finish(st, c, h);
	return tcp_user(c) != &closed;
}

static void http_finish(struct stack *st, struct tcp_conn *c,
			struct http_conn *h)
{
	const uint8_t *text;

	if (h->peer_closed) {
		http_close(st, c);
	} else if (h->keep) {
		http_free(c);
		http_alarm_in(st, c, HTTP_IDLE_US);
	} else if (h->linger || tcp_peek(st, c, &text)) {
		h->phase = HTTP_LINGER;
		http_alarm_in(st, c, HTTP_LINGER_US);
	} else {
		http_close(st, c);
	}
}

static void http_close(struct stack *st, struct tcp_conn *c)
{
	http_free(c);
	tcp_set_user(c, &closed);
	tcp_alarm(st, c, TIME_NEVER);
	tcp_close(st, c);
}
