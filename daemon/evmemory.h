/*
 * evmemory.h - The latest events, for whoever asks later or reads slowly
 */
#ifndef TCPHS_EVMEMORY_H
#define TCPHS_EVMEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "evbus.h"

/* One that is remembered. */
struct evmemory_slot {
	uint64_t seq;
	int64_t wall_us;
	struct event e;
	struct evbus_note *note; /* held */
};

struct evmemory {
	struct evbus_sink sink;
	struct evbus *bus;
	struct evmemory_slot *slots;
	uint32_t size;	     /* a power of two; 0 = nothing is remembered */
	uint64_t put;	     /* how many ever were; the next one's place */
	uint64_t told;	     /* put when on_new was called last */
	int64_t told_us;     /* and when that was */
	uint32_t readers[8]; /* by the level they want */
	uint64_t missed;     /* by readers that were too slow, all together */
	/* There is something new; a hundred times a second at most. */
	void (*on_new)(void *arg);
	void *arg;
};

/**
 * evmemory_start() - Remember the latest events of level info and above
 * @size: How many, rounded up to a power of two; 0 = none
 *
 * Return: 0 or -ENOMEM
 */
int evmemory_start(struct evmemory *m, struct evbus *b, uint32_t size);

void evmemory_free(struct evmemory *m);

/** evmemory_read() - Somebody wants a level, too, from now on */
void evmemory_read(struct evmemory *m, int level);

/** evmemory_unread() - Not any more */
void evmemory_unread(struct evmemory *m, int level);

/** evmemory_first() - The place of the oldest one that is remembered */
uint64_t evmemory_first(const struct evmemory *m);

/**
 * evmemory_since() - The place of the first one not older than a time
 * @wall_us: Since 1970
 *
 * Return: m->put if there is none
 */
uint64_t evmemory_since(const struct evmemory *m, int64_t wall_us);

/**
 * evmemory_get() - The one at a place from evmemory_first() to before m->put
 * @r: Valid until the next event
 */
void evmemory_get(const struct evmemory *m, uint64_t place,
		  struct evbus_record *r);

#endif
