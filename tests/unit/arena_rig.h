/*
 * arena_rig.h - Memory and chance for tests of the leaf modules
 */
#ifndef TCPHS_ARENA_RIG_H
#define TCPHS_ARENA_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "core/pool.h"

struct arena_rig {
	struct arena arena;
	size_t len;
};

/** arena_rig_init() - An arena of which @pages can be handed out */
void arena_rig_init(struct arena_rig *r, uint32_t pages);
void arena_rig_free(struct arena_rig *r);

/** rig_random() - The next number of a sequence (xorshift64*) */
uint64_t rig_random(uint64_t *seed);

/** rig_below() - One of 0 to @n - 1 */
uint32_t rig_below(uint64_t *seed, uint32_t n);

#endif
