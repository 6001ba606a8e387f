/*
 * discard.c - Whatever arrives is thrown away (RFC 863)
 */
#include "service/service.h"

void discard_data(struct stack *st, struct tcp_conn *c)
{
	const uint8_t *text;
	size_t len;

	while ((len = tcp_peek(st, c, &text)) > 0)
		tcp_consume(st, c, len);
}

static void discard_peer_closed(struct stack *st, struct tcp_conn *c)
{
	tcp_close(st, c);
}

const struct tcp_service discard_service = {
	.name = "discard",
	.on_data = discard_data,
	.on_peer_closed = discard_peer_closed,
};
