/*
 * pool.h - Pages from an arena, objects from pages
 *
 * An arena is the memory the shell gave us, cut into pages of 64 KiB. A pool
 * hands out objects of one size from pages of its own and gives a page back as
 * soon as it is empty. Objects are named by a 32-bit reference, half the size
 * of a pointer: with a million connections that is what fits in the cache.
 */
#ifndef TCPHS_POOL_H
#define TCPHS_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE_B 65536u
#define PAGE_HEAD   64u /* bytes at the start of a pool's page */
#define REF_SHIFT   5	/* objects lie at multiples of 32 bytes */

/* Offset in the arena / 32; 0 is "none" (the struct stack lies there). */
typedef uint32_t ref_t;

struct arena {
	uint8_t *base;	    /* aligned to a page */
	uint32_t npages;    /* all of them */
	uint32_t first;	    /* below: the caller's own, never handed out */
	uint32_t untouched; /* from here on never used */
	uint32_t used;	    /* pages handed out now */
	uint32_t free_head; /* page number + 1; 0 = none; linked in the pages */
	uint8_t *owner;	    /* for each page: pool's tag, 0 = none */
	uint32_t spare;	    /* of used: empty, kept back by a pool */
	struct pool *pools; /* all of them */
};

struct pool {
	struct arena *arena;
	uint32_t size;	   /* of an object, a multiple of 32 */
	uint32_t per_page; /* objects in a page */
	uint32_t in_use;   /* objects */
	uint32_t pages;	   /* that hold objects in use */
	uint32_t max;	   /* objects at once; 0 = as memory allows */
	uint32_t partial;  /* page number of one with room; 0 = none */
	uint32_t spare;	   /* one empty page kept back; 0 = none */
	uint8_t tag;	   /* 1..255, of this pool in arena.owner */
	struct pool *next; /* in arena.pools */
};

static inline void *ref_ptr(const struct arena *a, ref_t ref)
{
	return a->base + ((size_t)ref << REF_SHIFT);
}

static inline ref_t ptr_ref(const struct arena *a, const void *p)
{
	return (ref_t)((size_t)((const uint8_t *)p - a->base) >> REF_SHIFT);
}

/**
 * arena_init() - Cut memory into pages
 * @mem:      Aligned to PAGE_SIZE_B, zeroed, not touched more than needed
 * @len:      At most 64 GiB are used: the top bit of a ref_t is the wheel's
 * @reserved: Bytes at the start that stay the caller's; the arena's own list
 *            of owners is put behind them
 *
 * Return: false if nothing would be left
 */
bool arena_init(struct arena *a, void *mem, size_t len, size_t reserved);

/** arena_page() - A page of 64 KiB with undefined contents; NULL if none left
 *
 * The last ones are those that pools kept back. */
void *arena_page(struct arena *a, uint8_t tag);
void arena_page_free(struct arena *a, void *page);

/** arena_left() - Pages that arena_page() can still hand out */
static inline uint32_t arena_left(const struct arena *a)
{
	return a->npages - a->first - a->used + a->spare;
}

/** pool_init() - @size is rounded up to a multiple of 32; @p stays where it is */
void pool_init(struct pool *p, struct arena *a, uint32_t size, uint32_t max,
	       uint8_t tag);

/**
 * pool_get() - Take an object
 *
 * Return: NULL if the pool is at its maximum or the arena is empty. Contents
 *         are undefined but for the bytes 40 to 63, which are zero in objects
 *         of 64 bytes and more that are free and in those just taken: a walk
 *         over a pool tells live objects by a byte of theirs in that range.
 */
void *pool_get(struct pool *p);

/** pool_put() - Give it back; empty pages but one go back to the arena */
void pool_put(struct pool *p, void *obj);

/** pool_room() - Objects that pool_get() has before it takes another page */
static inline uint32_t pool_room(const struct pool *p)
{
	return p->pages * p->per_page - p->in_use;
}

/**
 * pool_next() - Walk over the places of a pool, used and free ones
 * @cursor: 0 to begin
 *
 * Places that exist during the whole walk are seen exactly once, whatever is
 * taken and given back meanwhile.
 *
 * Return: the next place; NULL at the end
 */
void *pool_next(const struct pool *p, uint64_t *cursor);

#endif
