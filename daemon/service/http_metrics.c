/*
 * http_metrics.c - /metrics of the metrics service: what Prometheus reads
 *
 * The text is made by whoever knows the figures (service_report()), one part at
 * a time: a part is what must be of one moment, and is one piece of the answer.
 */
#include "service/http.h"

#include <stdio.h>
#include <stdlib.h>

#include "service/service.h"

static http_piece_fn metrics_piece;

void http_metrics_begin(struct stack *st, struct tcp_conn *c,
			struct http_conn *h, const char *rest)
{
	(void)st;
	(void)c;
	(void)rest;
	h->part = 0;
	h->wide = true;
	http_answer(h, 200, "text/plain; version=0.0.4; charset=utf-8", "",
		    HTTP_STREAMED, metrics_piece);
}

/* The one thing to know about a port that is only for machines. */
void http_metrics_root(struct stack *st, struct tcp_conn *c,
		       struct http_conn *h, const char *rest)
{
	(void)st;
	(void)c;
	(void)rest;
	http_answer_text(h, 200, "",
			 "Metrics for Prometheus are at /metrics\n");
}

static enum http_piece metrics_piece(struct stack *st, struct tcp_conn *c,
				     struct http_conn *h)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool more;

	(void)st;
	(void)c;
	if (!out) {
		h->no_memory = true;
		return HTTP_LAST;
	}
	more = service_report_part(h->part++, out);
	if (fclose(out) != 0 || !text)
		h->no_memory = true;
	else
		http_put_bytes(h, text, len);
	free(text);
	return more ? HTTP_MORE : HTTP_LAST;
}
