/*
 * arena_rig.c - Memory and chance for tests of the leaf modules
 *
 * The memory is mapped as the daemon maps it: not reserved, zero, aligned to a
 * page of the arena.
 */
#include "arena_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

void arena_rig_init(struct arena_rig *r, uint32_t pages)
{
	/* One page for the list of owners, which is far shorter. */
	size_t len = ((size_t)pages + 1) * PAGE_SIZE_B;
	uint8_t *mem;
	size_t head;

	mem = mmap(NULL, len + PAGE_SIZE_B, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED) {
		perror("mmap");
		abort();
	}
	head = -(uintptr_t)mem % PAGE_SIZE_B;
	if (head)
		munmap(mem, head);
	if (head < PAGE_SIZE_B)
		munmap(mem + head + len, PAGE_SIZE_B - head);
	r->len = len;
	if (!arena_init(&r->arena, mem + head, len, 0))
		abort();
}

void arena_rig_free(struct arena_rig *r)
{
	munmap(r->arena.base, r->len);
}

uint64_t rig_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dull;
}

uint32_t rig_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)((rig_random(seed) >> 32) * n >> 32);
}
