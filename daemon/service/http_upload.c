/*
 * http_upload.c - /upload: take a body, answer its length and SHA-256
 *
 * Nothing of the body is kept. Hashing is what it costs, several milliseconds a
 * MiB, and one batch of input can bring four MiB. So a connection hashes one
 * slice a turn, and leaves the rest in the receive queue for the next.
 */
#include "service/http.h"

#include <stdio.h>

#define SLICE (64 * 1024) /* bytes of a connection in one turn */

static void upload_fault(struct http_conn *h)
{
	http_fail(h, http_fault_status(h->body.fault),
		  http_fault_words(h->body.fault),
		  http_fault_clause(h->body.fault));
}

static void upload_done(struct http_conn *h)
{
	uint8_t sum[crypto_hash_sha256_BYTES];
	char hex[2 * sizeof(sum) + 1];
	char text[160];
	int n;

	crypto_hash_sha256_final(&h->upload.sha256, sum);
	sodium_bin2hex(hex, sizeof(hex), sum, sizeof(sum));
	n = snprintf(text, sizeof(text),
		     "{\"length\":%llu,\"sha256\":\"%s\"}\n",
		     (unsigned long long)h->body.length, hex);
	http_answer(h, 200, "application/json", "", (uint64_t)n, NULL);
	http_put_bytes(h, text, (size_t)n);
}

/* RFC 9110, 15.5.14. A chunked body is refused at the chunk that exceeds. */
static bool upload_refuse(struct http_conn *h)
{
	if (h->body.length <= HTTP_UPLOAD_MAX)
		return false;
	http_fail(h, 413, "an upload is at most 16 GiB", "RFC 9110, 15.5.14");
	return true;
}

void http_upload_begin(struct stack *st, struct tcp_conn *c,
		       struct http_conn *h, const char *rest)
{
	const uint8_t *text;

	(void)rest;
	if (upload_refuse(h))
		return;
	crypto_hash_sha256_init(&h->upload.sha256);
	h->upload.left = SLICE;
	h->upload.turn_us = stack_now(st);
	if (h->body.done) {
		upload_done(h);
		return;
	}
	h->phase = HTTP_BODY;
	tcp_alarm(st, c, stack_now(st) + HTTP_BODY_US);
	/* RFC 9110, 10.1.1: not needed if the body is coming already. */
	if (h->head.expect_continue && !tcp_peek(st, c, &text))
		http_put(h, "HTTP/1.1 100 Continue\r\n\r\n");
}

bool http_upload_take(struct stack *st, struct tcp_conn *c, struct http_conn *h)
{
	const uint8_t *data, *text;
	size_t len, text_len, n;

	if (h->upload.turn_us != stack_now(st)) {
		h->upload.turn_us = stack_now(st);
		h->upload.left = SLICE;
	}
	while ((len = tcp_peek(st, c, &data)) > 0) {
		if (!h->upload.left) {
			tcp_resume(st, c);
			return false;
		}
		if (len > h->upload.left)
			len = h->upload.left;
		n = http_body_take(&h->body, data, len, &text, &text_len);
		crypto_hash_sha256_update(&h->upload.sha256, text, text_len);
		h->upload.left -= n;
		tcp_consume(st, c, n);
		tcp_alarm(st, c, stack_now(st) + HTTP_BODY_US);
		if (h->body.fault)
			upload_fault(h);
		else if (!upload_refuse(h) && h->body.done)
			upload_done(h);
		if (h->phase == HTTP_ANSWER)
			return true;
	}
	return false;
}
