/*
 * http_answer.c - Making and sending an answer, one piece at a time
 *
 * A piece of a streamed answer is one chunk (RFC 9112, 7.1). Its size is
 * written in front of it when it is complete, into eight digits kept free. To
 * an HTTP/1.0 client a streamed body goes bare and ends with the connection.
 */
#include "service/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/assert.h"

#define PIECES_A_TURN 4
#define CHUNK_HEAD    10 /* eight digits, CR, LF */

static bool out_reserve(struct http_conn *h, size_t more);
static enum http_piece piece_make(struct stack *st, struct tcp_conn *c,
				  struct http_conn *h);

static const struct {
	int status;
	const char *words;
} statuses[] = {
	{200, "OK"},
	{400, "Bad Request"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{417, "Expectation Failed"},
	{431, "Request Header Fields Too Large"},
	{501, "Not Implemented"},
	{505, "HTTP Version Not Supported"},
};

static const char *status_words(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].words;
	return "";
}

void http_put_bytes(struct http_conn *h, const void *data, size_t len)
{
	if (!out_reserve(h, len))
		return;
	memcpy(h->out + h->out_len, data, len);
	h->out_len += len;
}

void http_put(struct http_conn *h, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	ASSERT(n >= 0);
	if (!out_reserve(h, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	vsnprintf(h->out + h->out_len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	h->out_len += (size_t)n;
}

void http_answer(struct http_conn *h, int status, const char *type,
		 const char *extra, uint64_t len, http_piece_fn *piece)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[64];

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %T GMT", &tm);
	h->phase = HTTP_ANSWER;
	h->framed = len == HTTP_STREAMED && h->head.minor;
	if (len == HTTP_STREAMED && !h->framed)
		h->keep = false;
	http_put(h,
		 "HTTP/1.1 %d %s\r\n"
		 "Date: %s\r\n"
		 "Server: tcphsd/" TCPHS_VERSION "\r\n"
		 "Content-Type: %s\r\n"
		 "Cache-Control: no-store\r\n",
		 status, status_words(status), date, type);
	if (h->framed)
		http_put(h, "Transfer-Encoding: chunked\r\n");
	else if (len != HTTP_STREAMED)
		http_put(h, "Content-Length: %llu\r\n",
			 (unsigned long long)len);
	if (!h->keep)
		http_put(h, "Connection: close\r\n");
	else if (!h->head.minor)
		http_put(h, "Connection: keep-alive\r\n");
	http_put(h, "%s\r\n", extra);
	h->piece = h->head_only ? NULL : piece;
}

void http_answer_text(struct http_conn *h, int status, const char *extra,
		      const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ASSERT(n >= 0);
	ASSERT((size_t)n < sizeof(text));
	http_answer(h, status, "text/plain; charset=utf-8", extra, (uint64_t)n,
		    NULL);
	if (!h->head_only)
		http_put_bytes(h, text, (size_t)n);
}

/* Empty the queue; true if TCP took everything. */
static bool out_send(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	size_t len = h->out_len - h->out_off;
	ssize_t n;

	if (!len)
		return true;
	n = tcp_send(st, c, h->out + h->out_off, len);
	if (n < 0)
		return false; /* it ended; on_closed follows */
	h->out_off += (size_t)n;
	if ((size_t)n < len)
		return false;
	h->out_len = h->out_off = 0;
	return true;
}

static bool http_sees_all(struct stack *st, struct tcp_conn *c,
			  struct http_conn *h)
{
	h->wait.st = st;
	h->wait.c = c;
	h->wait.go = http_writable;
	return service_sees(&h->wait);
}

bool http_send(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	for (int i = 0; i < PIECES_A_TURN; i++) {
		if (h->no_memory) {
			tcp_abort(st, c, CLOSE_NO_MEMORY);
			return false;
		}
		if (!out_send(st, c, h))
			return false;
		if (!h->piece)
			return true;
		if (h->wide && !http_sees_all(st, c, h))
			return false; /* goes on when it may */
		if (piece_make(st, c, h) == HTTP_WAIT)
			return false;
	}
	tcp_want_write(st, c); /* others have their turn first */
	return false;
}

static bool out_reserve(struct http_conn *h, size_t more)
{
	size_t size = h->out_size ? h->out_size : 1024;
	char *out;

	if (h->no_memory)
		return false;
	while (size - h->out_len < more)
		size *= 2;
	if (size == h->out_size)
		return true;
	out = realloc(h->out, size);
	if (!out) {
		h->no_memory = true;
		return false;
	}
	h->out = out;
	h->out_size = size;
	return true;
}

static enum http_piece piece_make(struct stack *st, struct tcp_conn *c,
				  struct http_conn *h)
{
	enum http_piece result;
	char size[CHUNK_HEAD + 1];

	ASSERT(!h->out_len);
	if (!h->framed) {
		result = h->piece(st, c, h);
		if (result == HTTP_LAST)
			h->piece = NULL;
		return result;
	}
	http_put(h, "%08x\r\n", 0);
	result = h->piece(st, c, h);
	if (h->out_len > CHUNK_HEAD) {
		snprintf(size, sizeof(size), "%08x\r\n",
			 (unsigned int)(h->out_len - CHUNK_HEAD));
		memcpy(h->out, size, CHUNK_HEAD);
		http_put(h, "\r\n");
	} else {
		h->out_len = 0; /* a chunk of size 0 would end the body */
	}
	if (result == HTTP_LAST) {
		h->piece = NULL;
		http_put(h, "0\r\n\r\n");
	}
	return result;
}
