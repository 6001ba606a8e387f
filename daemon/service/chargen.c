/*
 * chargen.c - An endless stream of characters (RFC 864)
 *
 * The pattern is the one the RFC shows: lines of 72 of the 95 printable ASCII
 * characters, each line beginning one character further on, so it repeats
 * after 95 lines. As many rounds of it as fit into 64 KiB lie ready and are
 * sent from where they lie. How far a connection has come is its only state
 * and is kept in the user pointer itself.
 */
#include "service/service.h"

#define LINE_TEXT 72
#define LINE_LEN  (LINE_TEXT + 2)
#define PRINTABLE 95
#define ROUNDS	  9

static uint8_t pattern[PRINTABLE * LINE_LEN * ROUNDS];

/* Before main(), because text given to tcp_send_ref() must never change. */
__attribute__((constructor)) static void pattern_write(void)
{
	uint8_t *p = pattern;

	for (int line = 0; line < PRINTABLE * ROUNDS; line++) {
		for (int i = 0; i < LINE_TEXT; i++)
			*p++ = (uint8_t)(' ' + (line + i) % PRINTABLE);
		*p++ = '\r';
		*p++ = '\n';
	}
}

static void chargen_send(struct stack *st, struct tcp_conn *c)
{
	size_t at = (size_t)(uintptr_t)tcp_user(c);
	size_t len;
	ssize_t n;

	do {
		len = sizeof(pattern) - at;
		n = tcp_send_ref(st, c, pattern + at, len);
		if (n > 0)
			at = (at + (size_t)n) % sizeof(pattern);
	} while (n > 0 && (size_t)n == len);
	tcp_set_user(c, (void *)(uintptr_t)at);
}

static void chargen_peer_closed(struct stack *st, struct tcp_conn *c)
{
	tcp_close(st, c);
}

const struct tcp_service chargen_service = {
	.name = "chargen",
	.on_open = chargen_send,
	.on_data = discard_data,
	.on_writable = chargen_send,
	.on_peer_closed = chargen_peer_closed,
};
