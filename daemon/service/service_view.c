/*
 * service_view.c - One view of all connections, whoever has them
 *
 * Nearly always there is one stack, and it is the view. What is more than that
 * is behind struct service_view; services know of it that they may have to wait.
 */
#include "service/service.h"

#include <stddef.h>

static const struct service_view *view;

void service_see(const struct service_view *v)
{
	view = v;
}

bool service_sees(struct service_wait *w)
{
	if (!view || view->now(view->arg, w->st))
		return true;
	if (!w->waits)
		view->wait(view->arg, w);
	return false;
}

void service_unwait(struct service_wait *w)
{
	if (w->waits)
		view->unwait(view->arg, w);
}

void service_stats(const struct stack *st, struct stack_stats *out)
{
	if (view)
		view->stats(view->arg, out);
	else
		stack_stats(st, out);
}

bool service_listener(const struct stack *st, unsigned int index,
		      struct listener_info *info)
{
	return view ? view->listener(view->arg, index, info)
		    : stack_listener_info(st, index, info);
}

bool service_walk(struct stack *st, uint64_t *cursor, unsigned int budget,
		  int64_t now_us, stack_walk_fn *fn, void *arg)
{
	return view ? view->walk(view->arg, cursor, budget, now_us, fn, arg)
		    : stack_walk(st, cursor, budget, now_us, fn, arg);
}
