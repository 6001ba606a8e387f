/*
 * tcp_source.c - How many connections one address has
 *
 * Counted only while max_per_source is set, in a table of its own with one
 * record an address. A connection that was counted carries a flag, so that
 * changing the limit while running leaves no count behind.
 */
#include <string.h>

#include "tcp_priv.h"

static struct tcp_source *source_find(struct stack *st,
				      const struct ip_addr *peer);

bool source_add(struct stack *st, const struct tcp_key *key, uint16_t listener)
{
	struct tcp_source *s = source_find(st, &key->peer);

	if (!s) {
		s = pool_get(&st->pool_source);
		if (!s) {
			stack_limit_hit(st, LIMIT_MEMORY, key, listener);
			return false;
		}
		memset(s, 0, sizeof(*s));
		s->e.key.peer = key->peer;
		table_insert(&st->sources, ptr_ref(&st->arena, s));
	}
	if (s->count >= st->conf.max_per_source) {
		stack_limit_hit(st, LIMIT_PER_SOURCE, key, listener);
		return false;
	}
	s->count++;
	return true;
}

void source_sub(struct stack *st, const struct ip_addr *peer)
{
	struct tcp_source *s = source_find(st, peer);

	ASSERT(s);
	ASSERT(s->count > 0);
	if (--s->count)
		return;
	table_remove(&st->sources, ptr_ref(&st->arena, s));
	pool_put(&st->pool_source, s);
}

static struct tcp_source *source_find(struct stack *st,
				      const struct ip_addr *peer)
{
	const struct tcp_key key = {.peer = *peer};
	ref_t r = table_find(&st->sources, &key);

	return r ? ref_ptr(&st->arena, r) : NULL;
}
