/*
 * qotd.c - One saying about networks, then a close (RFC 865)
 *
 * The sayings are constants and sent from where they lie, so what is left to
 * send of one is a pointer into it: the user pointer.
 */
#include "service/service.h"

#include <string.h>

#include "core/assert.h"

#define QUOTE_MAX 512 /* RFC 865: a quote should stay below */

static const char *const quotes[] = {
	"A lost packet teaches more than a thousand that arrive.\r\n",
	"The network is never down. It is only somebody else's cable.\r\n",
	"An acknowledgment says that it came. It does not say that it was\r\n"
	"read, and never that it was understood.\r\n",
	"Every timeout is a guess about a stranger.\r\n",
	"A handshake takes three because two can never be sure of each\r\n"
	"other, and four would be repeating oneself.\r\n",
	"Be patient with the window that is closed: probe it, politely, and\r\n"
	"for as long as it takes.\r\n",
	"A buffer is a promise. A full buffer is a promise kept too long.\r\n",
	"He who resends at once has not asked why it was lost.\r\n",
	"The first rule of sequence numbers: they go round.\r\n",
	"A reset is also an answer, and often the honest one.\r\n",
	"To close is one thing, to be closed another. Between them lies\r\n"
	"TIME-WAIT.\r\n",
	"Nobody blames the middle of the network until they capture at both\r\n"
	"ends.\r\n",
};

static void qotd_send(struct stack *st, struct tcp_conn *c)
{
	const char *rest = tcp_user(c);
	size_t len;
	ssize_t n;

	if (!rest)
		return;
	len = strlen(rest);
	n = tcp_send_ref(st, c, rest, len);
	if (n < 0)
		return;
	if ((size_t)n == len)
		tcp_close(st, c);
	/* The pointer is only ever read again as const. */
	tcp_set_user(c,
		     (size_t)n == len ? NULL : (void *)(uintptr_t)(rest + n));
}

static void qotd_open(struct stack *st, struct tcp_conn *c)
{
	const char *quote = quotes[tcp_id(c) % ARRAY_LEN(quotes)];

	ASSERT(strlen(quote) < QUOTE_MAX);
	tcp_set_user(c, (void *)(uintptr_t)quote);
	qotd_send(st, c);
}

const struct tcp_service qotd_service = {
	.name = "qotd",
	.on_open = qotd_open,
	.on_data = discard_data,
	.on_writable = qotd_send,
};
