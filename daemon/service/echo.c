/*
 * echo.c - Whatever arrives goes back (RFC 862)
 *
 * Nothing is held here. Text leaves the receive queue as far as the send queue
 * takes it, and not a byte further: a client that writes without reading fills
 * first the one, then the other, and then its own window is shut.
 */
#include "service/service.h"

static void echo(struct stack *st, struct tcp_conn *c)
{
	const uint8_t *text;
	size_t len;
	ssize_t n;

	while ((len = tcp_peek(st, c, &text)) > 0) {
		n = tcp_send(st, c, text, len);
		if (n <= 0)
			return;
		tcp_consume(st, c, (size_t)n);
		if ((size_t)n < len)
			return; /* on_writable goes on */
	}
}

/* All text before the FIN was consumed, so all of it is queued. */
static void echo_peer_closed(struct stack *st, struct tcp_conn *c)
{
	tcp_close(st, c);
}

const struct tcp_service echo_service = {
	.name = "echo",
	.on_data = echo,
	.on_writable = echo,
	.on_peer_closed = echo_peer_closed,
};
