/*
 * http_walk.c - The connection table in bites
 *
 * What is found is copied out, because the walk forbids calls into the stack
 * while it runs. A walk looks at a bounded number of places, found or empty.
 */
#include "service/http.h"

#define PLACES_A_ROW 16

struct bite {
	struct conn_info *rows;
	uint32_t n;
};

static bool bite_take(struct stack *st, struct tcp_conn *c,
		      const struct conn_info *info, void *arg)
{
	struct bite *b = arg;

	(void)st;
	(void)c;
	b->rows[b->n++] = *info;
	return b->n < HTTP_ROWS;
}

bool http_walk(struct stack *st, uint64_t *cursor, struct conn_info *rows,
	       uint32_t *n)
{
	struct bite b = {.rows = rows};
	bool more;

	more = service_walk(st, cursor, HTTP_ROWS * PLACES_A_ROW, stack_now(st),
			    bite_take, &b);
	*n = b.n;
	return more;
}
