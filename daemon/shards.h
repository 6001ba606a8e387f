/*
 * shards.h - The stacks, whether there is one or one for each thread
 */
#ifndef TCPHS_SHARDS_H
#define TCPHS_SHARDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <tcphs/stack.h>

#define SHARDS_MAX 64

/* Who may touch a stack that another thread runs: see shards.c. */
struct shard_door {
	_Alignas(64) pthread_mutex_t gate, turn;
	unsigned int held; /* the control thread's count */
};

struct shards {
	unsigned int n;
	struct stack *st[SHARDS_MAX];
	/* Has the configuration and the listeners as they were asked for, to be
	 * looked at without holding anything: st[0] if there is one shard, else
	 * a stack without packets. */
	struct stack *names;
	struct shard_door *door; /* n of them; NULL if there is one */
};

/** shards_one() - A single stack, which the control thread runs itself */
void shards_one(struct shards *s, struct stack *st);

/**
 * shards_many() - Stacks that other threads will run; all are held
 * @st:    @n of them
 * @names: See struct shards
 *
 * Return: 0 or -ENOMEM
 */
int shards_many(struct shards *s, struct stack *const *st, unsigned int n,
		struct stack *names);
void shards_free(struct shards *s);

/** shards_hold() - Have a stack for oneself, between two of its turns
 *
 * The control thread's; may be nested. */
void shards_hold(struct shards *s, unsigned int i);
void shards_release(struct shards *s, unsigned int i);
void shards_hold_all(struct shards *s);
void shards_release_all(struct shards *s);

/** shards_enter() - A turn begins; the shard's own thread */
void shards_enter(struct shards *s, unsigned int i);
void shards_leave(struct shards *s, unsigned int i);

/** shards_index() - Which shard a stack is */
unsigned int shards_index(const struct shards *s, const struct stack *st);

/* ---- looking: each holds what it looks at ------------------------------ */

/** shards_stats() - As stack_stats(), of all together */
void shards_stats(struct shards *s, struct stack_stats *out);

/** shards_listener_info() - As stack_listener_info(), of all together */
bool shards_listener_info(struct shards *s, unsigned int index,
			  struct listener_info *info);

/** shards_listener_named() - The same, of the listener of this name */
bool shards_listener_named(struct shards *s, const char *name,
			   struct listener_info *info);

/** shards_walk() - As stack_walk(), over one after the other */
bool shards_walk(struct shards *s, uint64_t *cursor, unsigned int budget,
		 int64_t now_us, stack_walk_fn *fn, void *arg);

/** shards_enable() - As stack_listener_enable(), of all */
int shards_enable(struct shards *s, const char *name, bool on);

/* ---- shards_conf.c: changing ------------------------------------------- */

/** shards_share() - What one of @n gets of rates and the like, rounded up */
void shards_share(struct stack_conf *conf, unsigned int n);

/** shards_listen() - As stack_listen(), in all, at the same index */
int shards_listen(struct shards *s, const struct stack_listener *l);
void shards_unlisten(struct shards *s, const char *name);

/** shards_reconf() - As stack_reconf(), each with its share */
void shards_reconf(struct shards *s, const struct stack_conf *conf);

#endif
