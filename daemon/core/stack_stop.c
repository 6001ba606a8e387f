/*
 * stack_stop.c - The end of a stack, in slices
 *
 * First every connection is asked to close, then, when the shell has no more
 * patience, reset. Both walk over the pool a little at a time, so that the
 * packets of those who answer are not kept waiting.
 */
#include "tcp_priv.h"

#define STOP_SLICE 4096 /* places a call */

bool stack_stop(struct stack *st, int64_t now_us)
{
	struct tcp_half *h;
	struct tcp_conn *c = NULL;
	uint64_t cursor = 0;

	if (now_us > st->now_us)
		st->now_us = now_us;
	if (!st->stopping) {
		st->stopping = true;
		st->stop_cursor = 0;
		/* Half-open ones have nobody to tell yet. */
		while ((h = pool_next(&st->pool_half, &cursor)))
			if (h->kind == KIND_HALF)
				tcp_half_drop(st, h, CLOSE_STOPPING);
	}
	for (int i = 0; i < STOP_SLICE; i++) {
		c = pool_next(&st->pool_conn, &st->stop_cursor);
		if (!c)
			return true;
		if (c->kind != KIND_CONN || c->flags & CF_DEAD)
			continue;
		tcp_dismiss(st, c);
	}
	return false;
}

bool stack_abort_all(struct stack *st, int64_t now_us)
{
	struct tcp_conn *c;
	uint64_t cursor = 0;

	if (now_us > st->now_us)
		st->now_us = now_us;
	st->stopping = true;
	for (int i = 0; i < STOP_SLICE; i++) {
		c = pool_next(&st->pool_conn, &cursor);
		if (!c)
			return true;
		if (c->kind == KIND_CONN && !(c->flags & CF_DEAD))
			tcp_abort(st, c, CLOSE_STOPPING);
	}
	/* Those that were aborted are dead and soon free. */
	return st->full == 0;
}
