/*
 * http_json.c - /connections.json: the whole table, one connection a line
 *
 * The fields are those of the control protocol (tcphs/ctl.h). The table may
 * change while it is read: a connection that lives all the while is in it once.
 */
#include "service/http.h"

#include <jansson.h>
#include <stdlib.h>

#include "describe.h"

static http_piece_fn json_piece;

void http_json_begin(struct stack *st, struct tcp_conn *c, struct http_conn *h,
		     const char *rest)
{
	(void)st;
	(void)c;
	(void)rest;
	h->walk.cursor = 0;
	h->walk.rows = 0;
	h->walk.step = 0;
	h->wide = true;
	http_answer(h, 200, "application/json", "", HTTP_STREAMED, json_piece);
}

static void json_row(struct stack *st, struct http_conn *h,
		     const struct conn_info *info)
{
	struct listener_info l;
	bool named = service_listener(st, info->listener, &l);
	json_t *row = describe_conn(info, named ? l.conf.name : NULL, false);
	char *text = row ? json_dumps(row, JSON_COMPACT) : NULL;

	if (text)
		http_put(h, "%s\n%s", h->walk.rows++ ? "," : "", text);
	else
		h->no_memory = true;
	free(text);
	json_decref(row);
}

static enum http_piece json_piece(struct stack *st, struct tcp_conn *c,
				  struct http_conn *h)
{
	struct conn_info rows[HTTP_ROWS];
	uint32_t n;
	bool more;

	(void)c;
	if (!h->walk.step) {
		h->walk.step = 1;
		http_put(h, "{\"connections\":[");
	}
	more = http_walk(st, &h->walk.cursor, rows, &n);
	for (uint32_t i = 0; i < n; i++)
		json_row(st, h, &rows[i]);
	if (more)
		return HTTP_MORE;
	http_put(h, "\n],\"count\":%u}\n", h->walk.rows);
	return HTTP_LAST;
}
