/*
 * daytime.c - The time of day in one line, then a close (RFC 867)
 *
 * The line is in the form of the RFC's first example, in UTC. Should the send
 * queue not take all of it at once, the rest waits on the heap.
 */
#include "service/service.h"

#include <stdlib.h>
#include <string.h>

static void daytime_rest(struct stack *st, struct tcp_conn *c)
{
	char *rest = tcp_user(c);
	size_t len;
	ssize_t n;

	if (!rest)
		return;
	len = strlen(rest);
	n = tcp_send(st, c, rest, len);
	if (n > 0 && (size_t)n < len)
		memmove(rest, rest + n, len - (size_t)n + 1);
	if (n < 0 || (size_t)n < len)
		return;
	free(rest);
	tcp_set_user(c, NULL);
	tcp_close(st, c);
}

static void daytime_open(struct stack *st, struct tcp_conn *c)
{
	time_t now = time(NULL);
	struct tm tm;
	char line[64];
	size_t len;
	ssize_t n;
	char *rest;

	gmtime_r(&now, &tm);
	len = strftime(line, sizeof(line), "%A, %B %d, %Y %T-UTC\r\n", &tm);
	n = tcp_send(st, c, line, len);
	if (n < 0)
		return;
	if ((size_t)n == len) {
		tcp_close(st, c);
		return;
	}
	rest = strdup(line + n);
	if (!rest) {
		tcp_abort(st, c, CLOSE_NO_MEMORY);
		return;
	}
	tcp_set_user(c, rest);
}

static void daytime_closed(struct stack *st, struct tcp_conn *c,
			   enum close_reason why)
{
	(void)st;
	(void)why;
	free(tcp_user(c));
}

const struct tcp_service daytime_service = {
	.name = "daytime",
	.on_open = daytime_open,
	.on_data = discard_data,
	.on_writable = daytime_rest,
	.on_closed = daytime_closed,
};
