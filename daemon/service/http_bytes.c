/*
 * http_bytes.c - /bytes/N: a known pattern, for measuring
 *
 * Byte i of the body is i mod 251. 251 is a prime, so bytes that were lost,
 * doubled or moved by any power of two show. As many periods as fit into 64 KiB
 * lie ready and are sent from where they lie.
 */
#include "service/http.h"

#define PERIOD	251
#define PERIODS 261

static uint8_t pattern[PERIOD * PERIODS];

static http_piece_fn bytes_piece;

/* Before main(), because text given to tcp_send_ref() must never change. */
__attribute__((constructor)) static void pattern_write(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i % PERIOD);
}

/* A decimal number up to HTTP_BYTES_MAX and nothing else. */
static bool bytes_parse(const char *text, uint64_t *n)
{
	if (!*text)
		return false;
	for (*n = 0; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*n = *n * 10 + (uint64_t)(*text - '0');
		if (*n > HTTP_BYTES_MAX)
			return false;
	}
	return true;
}

void http_bytes_begin(struct stack *st, struct tcp_conn *c, struct http_conn *h,
		      const char *rest)
{
	uint64_t n;

	(void)st;
	(void)c;
	if (!bytes_parse(rest, &n)) {
		http_answer_text(h, 404, "",
				 "404 Not Found. /bytes/N: N is a number from "
				 "0 to %llu.\n",
				 (unsigned long long)HTTP_BYTES_MAX);
		return;
	}
	h->bytes.at = 0;
	h->bytes.len = n;
	http_answer(h, 200, "application/octet-stream", "", n, bytes_piece);
}

static enum http_piece bytes_piece(struct stack *st, struct tcp_conn *c,
				   struct http_conn *h)
{
	uint64_t left;
	size_t from, len;
	ssize_t n;

	while ((left = h->bytes.len - h->bytes.at) > 0) {
		from = (size_t)(h->bytes.at % PERIOD);
		len = sizeof(pattern) - from;
		if (len > left)
			len = (size_t)left;
		n = tcp_send_ref(st, c, pattern + from, len);
		if (n > 0)
			h->bytes.at += (uint64_t)n;
		if (n < 0 || (size_t)n < len)
			return HTTP_WAIT;
	}
	return HTTP_LAST;
}
