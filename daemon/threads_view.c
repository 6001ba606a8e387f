/*
 * threads_view.c - Services that show all shards
 *
 * The page of the http service and the text of the metrics service tell of every
 * connection, and are made inside one shard. So the next piece of such an answer
 * waits, on a list of its shard, until the control thread holds all shards and
 * makes it there: for that moment nothing moves, and any stack may be looked
 * at. Pieces are small (a bite of the table, one family of metrics), and shards
 * have at least a turn between two moments.
 */
#include "threads_priv.h"

static bool view_now(void *arg, struct stack *st);
static void view_wait(void *arg, struct service_wait *w);
static void view_unwait(void *arg, struct service_wait *w);
static void view_stats(void *arg, struct stack_stats *out);
static bool view_listener(void *arg, unsigned int index,
			  struct listener_info *info);
static bool view_walk(void *arg, uint64_t *cursor, unsigned int budget,
		      int64_t now_us, stack_walk_fn *fn, void *fn_arg);

void threads_view_start(struct threads *t)
{
	t->view = (struct service_view){
		.arg = t,
		.now = view_now,
		.wait = view_wait,
		.unwait = view_unwait,
		.stats = view_stats,
		.listener = view_listener,
		.walk = view_walk,
	};
	service_see(&t->view);
}

void threads_view_go(struct threads *t)
{
	struct service_wait *w;
	bool some = false;

	if (!__atomic_exchange_n(&t->waits, false, __ATOMIC_ACQUIRE))
		return;
	shards_hold_all(t->shards);
	t->seeing = true;
	for (unsigned int i = 0; i < t->n; i++) {
		struct service_waits *waits = &t->thread[i].waits;

		while ((w = TAILQ_FIRST(waits))) {
			view_unwait(t, w);
			w->go(w->st, w->c);
			some = true;
		}
	}
	t->seeing = false;
	shards_release_all(t->shards);
	if (some)
		threads_kick(t);
}

static bool view_now(void *arg, struct stack *st)
{
	(void)st;
	return ((struct threads *)arg)->seeing;
}

static struct thread *whose(struct threads *t, const struct service_wait *w)
{
	return &t->thread[shards_index(t->shards, w->st)];
}

static void view_wait(void *arg, struct service_wait *w)
{
	struct threads *t = arg;
	struct thread *th = whose(t, w);

	w->waits = true;
	TAILQ_INSERT_TAIL(&th->waits, w, link);
	__atomic_store_n(&t->waits, true, __ATOMIC_RELEASE);
	ev_async_send(t->ev, &t->news);
}

static void view_unwait(void *arg, struct service_wait *w)
{
	w->waits = false;
	TAILQ_REMOVE(&whose(arg, w)->waits, w, link);
}

static void view_stats(void *arg, struct stack_stats *out)
{
	shards_stats(((struct threads *)arg)->shards, out);
}

static bool view_listener(void *arg, unsigned int index,
			  struct listener_info *info)
{
	return shards_listener_info(((struct threads *)arg)->shards, index,
				    info);
}

static bool view_walk(void *arg, uint64_t *cursor, unsigned int budget,
		      int64_t now_us, stack_walk_fn *fn, void *fn_arg)
{
	return shards_walk(((struct threads *)arg)->shards, cursor, budget,
			   now_us, fn, fn_arg);
}
