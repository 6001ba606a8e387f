/*
 * shards_conf.c - One configuration for all shards
 *
 * Limits of connections are for all shards together: each adds what the others
 * have when a SYN asks for room (stack_counts()). Rates, and how many one source
 * may have, are shared out, rounded up: for them nobody counts for all.
 *
 * Events and connections name a listener by its index, and the name behind it is
 * looked up in shards.names, without asking a shard. So a listener has the same
 * index everywhere. It stays taken until the last shard's last connection
 * through a removed listener is gone; to shards.names nobody connects, so a name
 * is kept there until another one comes to its index.
 */
#include "shards.h"

#include <errno.h>
#include <string.h>

static int index_for(struct shards *s, const char *name);
static void remember(struct shards *s, int index,
		     const struct stack_listener *l);
static uint32_t part(uint32_t limit, unsigned int n);

void shards_share(struct stack_conf *conf, unsigned int n)
{
	conf->max_per_source = part(conf->max_per_source, n);
	conf->rst_rate = part(conf->rst_rate, n);
	conf->challenge_ack_rate = part(conf->challenge_ack_rate, n);
	/* All that icmp_rate limits is shard 0's: see steer.c. */
}

int shards_listen(struct shards *s, const struct stack_listener *l)
{
	int index, ret = 0;

	if (s->n == 1)
		return stack_listen(s->st[0], l);
	shards_hold_all(s);
	index = index_for(s, l->name);
	if (index < 0)
		ret = index;
	for (unsigned int i = 0; i < s->n && ret >= 0; i++)
		ret = stack_listen_at(s->st[i], (unsigned int)index, l);
	if (ret >= 0)
		remember(s, index, l);
	shards_release_all(s);
	return ret;
}

void shards_unlisten(struct shards *s, const char *name)
{
	for (unsigned int i = 0; i < s->n; i++) {
		shards_hold(s, i);
		(void)stack_unlisten(s->st[i], name);
		shards_release(s, i);
	}
}

void shards_reconf(struct shards *s, const struct stack_conf *conf)
{
	struct stack_conf mine = *conf;

	shards_share(&mine, s->n);
	for (unsigned int i = 0; i < s->n; i++) {
		shards_hold(s, i);
		stack_reconf(s->st[i], &mine);
		shards_release(s, i);
	}
	if (s->n > 1)
		stack_reconf(s->names, conf);
}

/* Where this name is already, in any shard; or a place that is free in all. */
static int index_for(struct shards *s, const char *name)
{
	bool taken[STACK_LISTENERS_MAX] = {false};
	struct listener_info info;

	for (unsigned int k = 0; k < s->n * STACK_LISTENERS_MAX; k++) {
		unsigned int i = k % STACK_LISTENERS_MAX;

		if (!stack_listener_info(s->st[k / STACK_LISTENERS_MAX], i,
					 &info))
			continue;
		if (strcmp(info.conf.name, name) == 0)
			return (int)i;
		taken[i] = true;
	}
	for (int i = 0; i < STACK_LISTENERS_MAX; i++)
		if (!taken[i])
			return i;
	return -ENOSPC;
}

/* In shards.names no listener clashes with another that is still remembered:
 * it is given a port of its own, at which nothing ever arrives. */
static void remember(struct shards *s, int index,
		     const struct stack_listener *l)
{
	struct stack_listener named = *l;
	struct listener_info old;

	if (stack_listener_info(s->names, (unsigned int)index, &old) &&
	    strcmp(old.conf.name, l->name) != 0)
		(void)stack_unlisten(s->names, old.conf.name);
	/* The name may have been at another index, long ago. */
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++)
		if ((int)i != index && stack_listener_info(s->names, i, &old) &&
		    strcmp(old.conf.name, l->name) == 0)
			(void)stack_unlisten(s->names, l->name);
	named.port = (uint16_t)(index + 1);
	(void)stack_listen_at(s->names, (unsigned int)index, &named);
}

/* 0 means that there is no limit, or that the thing is off: it stays. */
static uint32_t part(uint32_t limit, unsigned int n)
{
	return limit / n + (limit % n != 0);
}
