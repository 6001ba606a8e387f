/*
 * fuzz_http.c - Any bytes to the http service, over a scripted stack
 *
 * The first bytes say how the text is cut on its way, how much the send queue
 * takes at a time, and whether the client closes or falls silent at the end.
 * The answer must not depend on any of it, must be an answer, and nothing may
 * be held once there is nothing to do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fake_conn.h"
#include "core/assert.h"
#include "service/service.h"

#define OUT_MAX	 100000
#define DRIP_MAX 4096

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stack *talk(const uint8_t *text, size_t len, size_t cut,
			  size_t run, size_t drip)
{
	struct stack *st = fake_open_drip(&http_service, drip);
	size_t n;

	st->rows = 40;
	st->conn.run_max = run;
	st->conn.stop = OUT_MAX;
	for (; len > 0; text += n, len -= n) {
		n = len < cut ? len : cut;
		fake_rx(st, text, n);
		fake_run(st);
	}
	return st;
}

/* The output without 100 Continue: whether that is sent depends on what was
 * there already. */
static size_t plain(const struct tcp_conn *c, uint8_t *buf)
{
	static const char words[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const size_t n = sizeof(words) - 1;
	size_t len = 0;

	for (size_t i = 0; i < c->out_len;) {
		if (c->out_len - i >= n && !memcmp(c->out + i, words, n))
			i += n;
		else
			buf[len++] = c->out[i++];
	}
	return len;
}

/* An answer longer than anybody waits for: /bytes/N. */
static bool stuck(const struct stack *st)
{
	return st->conn.want_write;
}

static void end(struct stack *st, bool fin)
{
	struct tcp_conn *c = &st->conn;

	ASSERT(c->closed || stuck(st) || !c->in_len);
	if (fin) {
		fake_rx_fin(st);
		fake_run(st);
		ASSERT(c->closed || stuck(st));
	}
	for (int i = 0; i < 4; i++)
		fake_pass(st, 60000000);
	ASSERT(c->closed || stuck(st));
	fake_end(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t a_out[OUT_MAX + DRIP_MAX], b_out[OUT_MAX + DRIP_MAX];
	struct stack *a, *b;
	size_t a_len, b_len, same;

	if (size < 4)
		return 0;
	a = talk(data + 4, size - 4, SIZE_MAX, SIZE_MAX, DRIP_MAX);
	b = talk(data + 4, size - 4, 1 + data[0], 1 + data[1], 4 + data[2]);
	a_len = plain(&a->conn, a_out);
	b_len = plain(&b->conn, b_out);
	same = a_len < b_len ? a_len : b_len;
	if (!stuck(a) && !stuck(b))
		ASSERT(a_len == b_len);
	ASSERT(!memcmp(a_out, b_out, same));
	ASSERT(same < 9 || !memcmp(a_out, "HTTP/1.1 ", 9));
	end(a, data[3] & 1);
	end(b, data[3] & 1);
	return 0;
}
