/*
 * spsc.c - Records from one thread to another, without a lock
 *
 * A ring of bytes with one writer and one reader. Each record has its length in
 * front and lies in one piece: where the end of the ring is too near, a record
 * without contents fills the rest. The writer publishes head when a record is
 * complete, the reader publishes tail when it is done with one (release, and
 * acquire on the other side); each keeps what it saw of the other's and looks
 * again only when that says full or empty, so that the cache line of the other
 * is seldom touched.
 *
 * Who has to wait for room does something else: a record without room is lost
 * and counted.
 */
#include "spsc.h"

#include <errno.h>
#include <sys/mman.h>

#include "core/assert.h"

#define HEAD	 8u	    /* length and padding */
#define FILLER	 UINT32_MAX /* no record: the rest of the ring */
#define ALIGN(n) (((n) + 7) & ~(size_t)7)

int spsc_init(struct spsc *r, size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT((size & (size - 1)) == 0);
	*r = (struct spsc){.buf = mem, .size = size};
	if (mem != MAP_FAILED)
		return 0;
	r->buf = NULL;
	return -ENOMEM;
}

void spsc_free(struct spsc *r)
{
	if (r->buf)
		munmap(r->buf, r->size);
	r->buf = NULL;
}

static uint32_t *at(const struct spsc *r, uint64_t place)
{
	return (uint32_t *)(void *)(r->buf + (place & (r->size - 1)));
}

static bool has_room(struct spsc *r, uint64_t end)
{
	if (end - r->seen_tail <= r->size)
		return true;
	r->seen_tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
	return end - r->seen_tail <= r->size;
}

void *spsc_put(struct spsc *r, size_t len, size_t spare)
{
	uint64_t place = r->head; /* only we write it */
	size_t left = r->size - (place & (r->size - 1));
	size_t need = HEAD + ALIGN(len);
	size_t filler = left < need ? left : 0;
	uint32_t *head;

	if (2 * need + spare > r->size ||
	    !has_room(r, place + filler + need + spare)) {
		__atomic_fetch_add(&r->lost, 1, __ATOMIC_RELAXED);
		return NULL;
	}
	if (filler)
		*at(r, place) = FILLER;
	head = at(r, place + filler);
	*head = (uint32_t)len;
	r->pending = place + filler + need;
	return head + HEAD / sizeof(*head);
}

void spsc_commit(struct spsc *r)
{
	__atomic_store_n(&r->head, r->pending, __ATOMIC_RELEASE);
}

const void *spsc_peek(struct spsc *r, size_t *len)
{
	const uint32_t *head;

	if (r->tail == r->seen_head)
		r->seen_head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	if (r->tail == r->seen_head)
		return NULL;
	head = at(r, r->tail);
	if (*head == FILLER) { /* published together with what follows */
		__atomic_store_n(&r->tail,
				 (r->tail & ~(uint64_t)(r->size - 1)) + r->size,
				 __ATOMIC_RELEASE);
		head = at(r, r->tail);
	}
	*len = *head;
	return head + HEAD / sizeof(*head);
}

void spsc_next(struct spsc *r)
{
	size_t len = *at(r, r->tail);

	__atomic_store_n(&r->tail, r->tail + HEAD + ALIGN(len),
			 __ATOMIC_RELEASE);
}

uint64_t spsc_lost(const struct spsc *r)
{
	return __atomic_load_n(&r->lost, __ATOMIC_RELAXED);
}
