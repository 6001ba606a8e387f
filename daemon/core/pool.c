/*
 * pool.c - Pages from an arena, objects from pages
 *
 * The arena hands out pages it took back before it touches new ones; those
 * taken back are linked through their first word. Which pool a page belongs to
 * stands in a list of one byte a page, so a walk over a pool skips the pages
 * of others without touching them.
 *
 * A pool's page begins with a struct page_head, then come the places. Places
 * given back are linked through their first word, last in first out, because
 * what was used last is in the cache. Places that were not used since the page
 * came from the arena lie behind the mark `fresh` and are neither linked nor
 * touched before they are taken, so a page costs the memory in use and not
 * more. Pages with room are in a list; the page that has just got room goes to
 * its front, because it is nearly full and the others may still become empty.
 * One empty page is kept back, or a single object taken and given back in turn
 * would move a page each time; it is given up when the arena has no other.
 */
#include "pool.h"

#include <string.h>

#include "assert.h"

#define ARENA_MAX (64ull << 30) /* bytes; see pool.h */

/* The bytes that are zero while an object is free. */
#define ZERO_FROM 40
#define ZERO_TO	  64

struct page_head {
	uint32_t next, prev; /* pages with room, by number; 0 = none */
	uint32_t used;	     /* objects */
	uint32_t free;	     /* offset of a place given back; 0 = none */
	uint32_t fresh;	     /* offset of the first place never taken */
};

_Static_assert(sizeof(struct page_head) <= PAGE_HEAD, "head of a page");

static uint8_t *page_ptr(const struct arena *a, uint32_t page);
static uint32_t page_number(const struct arena *a, const void *p);
static struct page_head *page_head(const struct pool *p, uint32_t page);
static uint32_t add_page(struct pool *p);
static void link_page(struct pool *p, uint32_t page);
static void unlink_page(struct pool *p, uint32_t page);
static void empty_page(struct pool *p, uint32_t page);
static void clear_mark(const struct pool *p, uint8_t *obj);
static void give_up_spare(struct arena *a);

bool arena_init(struct arena *a, void *mem, size_t len, size_t reserved)
{
	size_t first;

	ASSERT((uintptr_t)mem % PAGE_SIZE_B == 0);
	if (len > ARENA_MAX)
		len = ARENA_MAX;
	memset(a, 0, sizeof(*a));
	a->base = mem;
	a->npages = (uint32_t)(len / PAGE_SIZE_B);
	if (reserved > len || a->npages > len - reserved)
		return false;
	first = (reserved + a->npages + PAGE_SIZE_B - 1) / PAGE_SIZE_B;
	if (first >= a->npages)
		return false;
	a->owner = a->base + reserved;
	a->first = a->untouched = (uint32_t)first;
	return true;
}

void *arena_page(struct arena *a, uint8_t tag)
{
	uint32_t page;

	ASSERT(tag != 0);
	if (!a->free_head && a->untouched == a->npages && a->spare)
		give_up_spare(a);
	if (a->free_head) {
		page = a->free_head - 1;
		memcpy(&a->free_head, page_ptr(a, page), sizeof(a->free_head));
	} else if (a->untouched < a->npages) {
		page = a->untouched++;
	} else {
		return NULL;
	}
	a->owner[page] = tag;
	a->used++;
	return page_ptr(a, page);
}

void arena_page_free(struct arena *a, void *page)
{
	uint32_t n = page_number(a, page);

	ASSERT(page == page_ptr(a, n));
	ASSERT(n >= a->first && n < a->untouched);
	ASSERT(a->owner[n] != 0);
	a->owner[n] = 0;
	memcpy(page, &a->free_head, sizeof(a->free_head));
	a->free_head = n + 1;
	a->used--;
}

void pool_init(struct pool *p, struct arena *a, uint32_t size, uint32_t max,
	       uint8_t tag)
{
	ASSERT(tag != 0);
	ASSERT(size > 0 && size <= PAGE_SIZE_B - PAGE_HEAD);
	memset(p, 0, sizeof(*p));
	p->arena = a;
	p->size = (size + 31) & ~31u;
	p->per_page = (PAGE_SIZE_B - PAGE_HEAD) / p->size;
	p->max = max;
	p->tag = tag;
	p->next = a->pools;
	a->pools = p;
}

void *pool_get(struct pool *p)
{
	struct page_head *h;
	uint32_t page = p->partial;
	uint8_t *obj;

	if (__builtin_expect(p->max && p->in_use >= p->max, 0))
		return NULL;
	if (__builtin_expect(!page, 0)) {
		page = add_page(p);
		if (!page)
			return NULL;
	}
	h = page_head(p, page);
	if (h->free) {
		obj = (uint8_t *)h + h->free;
		memcpy(&h->free, obj, sizeof(h->free));
	} else {
		obj = (uint8_t *)h + h->fresh;
		h->fresh += p->size;
		clear_mark(p, obj);
	}
	if (++h->used == p->per_page)
		unlink_page(p, page);
	p->in_use++;
	return obj;
}

void pool_put(struct pool *p, void *obj)
{
	uint32_t page = page_number(p->arena, obj);
	struct page_head *h = page_head(p, page);

	ASSERT(p->arena->owner[page] == p->tag);
	ASSERT(h->used > 0);
	clear_mark(p, obj);
	memcpy(obj, &h->free, sizeof(h->free));
	h->free = (uint32_t)((uint8_t *)obj - (uint8_t *)h);
	if (h->used-- == p->per_page)
		link_page(p, page);
	if (!h->used)
		empty_page(p, page);
	p->in_use--;
}

/* The cursor is the offset in the arena where the next place may lie. */
void *pool_next(const struct pool *p, uint64_t *cursor)
{
	const struct arena *a = p->arena;
	uint32_t page = (uint32_t)(*cursor / PAGE_SIZE_B);
	uint32_t off = (uint32_t)(*cursor % PAGE_SIZE_B);

	if (page < a->first)
		page = a->first;
	for (; page < a->untouched; page++, off = 0) {
		if (a->owner[page] != p->tag)
			continue;
		if (!off)
			off = PAGE_HEAD;
		if (off >= page_head(p, page)->fresh)
			continue;
		*cursor = (uint64_t)page * PAGE_SIZE_B + off + p->size;
		return page_ptr(a, page) + off;
	}
	*cursor = (uint64_t)page * PAGE_SIZE_B;
	return NULL;
}

static uint8_t *page_ptr(const struct arena *a, uint32_t page)
{
	return a->base + (size_t)page * PAGE_SIZE_B;
}

static uint32_t page_number(const struct arena *a, const void *p)
{
	return (uint32_t)((size_t)((const uint8_t *)p - a->base) / PAGE_SIZE_B);
}

static struct page_head *page_head(const struct pool *p, uint32_t page)
{
	return (struct page_head *)page_ptr(p->arena, page);
}

/* The spare page or a new one, in the list. 0 if the arena is empty. */
static uint32_t add_page(struct pool *p)
{
	uint32_t page = p->spare;
	struct page_head *h;

	if (page) {
		p->spare = 0;
		p->arena->spare--;
	} else {
		h = arena_page(p->arena, p->tag);
		if (!h)
			return 0;
		memset(h, 0, sizeof(*h));
		h->fresh = PAGE_HEAD;
		page = page_number(p->arena, h);
	}
	link_page(p, page);
	p->pages++;
	return page;
}

static void link_page(struct pool *p, uint32_t page)
{
	struct page_head *h = page_head(p, page);

	h->prev = 0;
	h->next = p->partial;
	if (h->next)
		page_head(p, h->next)->prev = page;
	p->partial = page;
}

static void unlink_page(struct pool *p, uint32_t page)
{
	struct page_head *h = page_head(p, page);

	if (h->prev)
		page_head(p, h->prev)->next = h->next;
	else
		p->partial = h->next;
	if (h->next)
		page_head(p, h->next)->prev = h->prev;
}

static void empty_page(struct pool *p, uint32_t page)
{
	unlink_page(p, page);
	p->pages--;
	if (p->spare) {
		arena_page_free(p->arena, page_ptr(p->arena, page));
	} else {
		p->spare = page;
		p->arena->spare++;
	}
}

static void give_up_spare(struct arena *a)
{
	struct pool *p = a->pools;

	while (!p->spare)
		p = p->next;
	arena_page_free(a, page_ptr(a, p->spare));
	p->spare = 0;
	a->spare--;
}

/* A page the arena had before is not zero, and an object put back neither. */
static void clear_mark(const struct pool *p, uint8_t *obj)
{
	if (p->size >= ZERO_TO)
		memset(obj + ZERO_FROM, 0, ZERO_TO - ZERO_FROM);
}
