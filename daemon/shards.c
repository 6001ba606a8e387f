/*
 * shards.c - The stacks, whether there is one or one for each thread
 *
 * With one thread there is one stack and nothing to hold: each function here is
 * the stack's own. With several threads each runs a stack of its own, and the
 * control thread runs none. When it wants to look at a stack or to change
 * something, it asks for it and gets it as soon as the turn that is under way
 * is over (64 packets at most); then it may call any function of that stack, as
 * if it were alone, until it gives it back. It holds a stack for one slice of a
 * walk, some tens of microseconds, never for a whole walk; meanwhile packets
 * wait in the queue of the device. A shard that sleeps is not woken for it.
 *
 * The turn mutex is whoever touches the stack. It alone would starve the control
 * thread, for a shard with work takes it again right after giving it up; so
 * both come to it through the gate: while the control thread waits for the turn
 * it has the gate, and the shard's next turn waits there. Locking both costs a
 * shard some tens of nanoseconds a turn, and only if there are several.
 *
 * Only the control thread holds, one thread after the other or all in their
 * order; threads never hold each other's stacks. So nothing can wait in a
 * circle.
 */
#include "shards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

#define CURSOR_SHIFT 48
#define CURSOR_SHARD (UINT64_C(0xff) << CURSOR_SHIFT)

static void add_stats(struct stack_stats *sum, const struct stack_stats *s);
static void add_listener(struct listener_info *sum,
			 const struct listener_info *l);

void shards_one(struct shards *s, struct stack *st)
{
	*s = (struct shards){.n = 1, .st = {st}, .names = st};
}

int shards_many(struct shards *s, struct stack *const *st, unsigned int n,
		struct stack *names)
{
	ASSERT(n <= SHARDS_MAX);
	*s = (struct shards){.n = n, .names = names};
	memcpy(s->st, st, n * sizeof(*st));
	s->door = aligned_alloc(_Alignof(struct shard_door),
				n * sizeof(*s->door));
	if (!s->door)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		pthread_mutex_init(&s->door[i].gate, NULL);
		pthread_mutex_init(&s->door[i].turn, NULL);
		s->door[i].held = 0;
		shards_hold(s, i);
	}
	return 0;
}

void shards_free(struct shards *s)
{
	free(s->door);
	s->door = NULL;
}

void shards_enter(struct shards *s, unsigned int i)
{
	struct shard_door *d = &s->door[i];

	pthread_mutex_lock(&d->gate);
	pthread_mutex_lock(&d->turn);
	pthread_mutex_unlock(&d->gate);
}

void shards_leave(struct shards *s, unsigned int i)
{
	pthread_mutex_unlock(&s->door[i].turn);
}

void shards_hold(struct shards *s, unsigned int i)
{
	if (s->door && s->door[i].held++ == 0)
		shards_enter(s, i);
}

void shards_release(struct shards *s, unsigned int i)
{
	if (s->door && --s->door[i].held == 0)
		shards_leave(s, i);
}

void shards_hold_all(struct shards *s)
{
	for (unsigned int i = 0; i < s->n; i++)
		shards_hold(s, i);
}

void shards_release_all(struct shards *s)
{
	for (unsigned int i = s->n; i-- > 0;)
		shards_release(s, i);
}

unsigned int shards_index(const struct shards *s, const struct stack *st)
{
	unsigned int i = 0;

	while (i < s->n && s->st[i] != st)
		i++;
	ASSERT(i < s->n);
	return i;
}

void shards_stats(struct shards *s, struct stack_stats *out)
{
	struct stack_stats one;

	shards_hold(s, 0);
	stack_stats(s->st[0], out);
	shards_release(s, 0);
	for (unsigned int i = 1; i < s->n; i++) {
		shards_hold(s, i);
		stack_stats(s->st[i], &one);
		shards_release(s, i);
		add_stats(out, &one);
	}
}

bool shards_listener_info(struct shards *s, unsigned int index,
			  struct listener_info *info)
{
	struct listener_info one;
	bool any = false;

	if (s->n == 1)
		return stack_listener_info(s->st[0], index, info);
	for (unsigned int i = 0; i < s->n; i++) {
		shards_hold(s, i);
		if (stack_listener_info(s->st[i], index, &one)) {
			if (any)
				add_listener(info, &one);
			else
				*info = one;
			any = true;
		}
		shards_release(s, i);
	}
	return any;
}

bool shards_listener_named(struct shards *s, const char *name,
			   struct listener_info *info)
{
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++)
		if (shards_listener_info(s, i, info) &&
		    strcmp(info->conf.name, name) == 0)
			return true;
	return false;
}

bool shards_walk(struct shards *s, uint64_t *cursor, unsigned int budget,
		 int64_t now_us, stack_walk_fn *fn, void *arg)
{
	unsigned int i =
		(unsigned int)((*cursor & CURSOR_SHARD) >> CURSOR_SHIFT);
	uint64_t place = *cursor & ~CURSOR_SHARD;
	bool more;

	shards_hold(s, i);
	more = stack_walk(s->st[i], &place, budget, now_us, fn, arg);
	shards_release(s, i);
	if (!more && ++i < s->n) {
		more = true;
		place = 0;
	}
	*cursor = place | (uint64_t)i << CURSOR_SHIFT;
	return more;
}

int shards_enable(struct shards *s, const char *name, bool on)
{
	int ret = 0;

	for (unsigned int i = 0; i < s->n; i++) {
		shards_hold(s, i);
		ret = stack_listener_enable(s->st[i], name, on);
		shards_release(s, i);
	}
	if (s->n > 1)
		(void)stack_listener_enable(s->names, name, on);
	return ret;
}

static void add_stats(struct stack_stats *sum, const struct stack_stats *s)
{
#define ADD(name, words) sum->name += s->name;
	STACK_STAT_LIST(ADD)
#undef ADD
	for (unsigned int i = 0; i < DROP_NREASONS; i++)
		sum->dropped[i] += s->dropped[i];
	for (unsigned int i = 0; i < LIMIT_NLIMITS; i++)
		sum->limits[i] += s->limits[i];
	for (unsigned int i = 0; i < TCP_NSTATES; i++) {
		sum->conns[i] += s->conns[i];
		sum->clients[i] += s->clients[i];
	}
	sum->half_open += s->half_open;
	sum->time_wait += s->time_wait;
	sum->full += s->full;
	sum->timers += s->timers;
	sum->memory += s->memory;
	sum->memory_used += s->memory_used;
}

static void add_listener(struct listener_info *sum,
			 const struct listener_info *l)
{
	sum->half_open += l->half_open;
	sum->connections += l->connections;
	sum->waiting += l->waiting;
	sum->syns += l->syns;
	sum->opened += l->opened;
	sum->refused += l->refused;
	for (unsigned int i = 0; i < OVERFLOW_NPLACES; i++)
		sum->overflows[i] += l->overflows[i];
	sum->cookies += l->cookies;
	/* Ids go up with time, and wrap. */
	if (l->last_peer_port &&
	    (!sum->last_peer_port ||
	     (int32_t)(l->last_conn - sum->last_conn) > 0)) {
		sum->last_peer = l->last_peer;
		sum->last_peer_port = l->last_peer_port;
		sum->last_conn = l->last_conn;
	}
}
