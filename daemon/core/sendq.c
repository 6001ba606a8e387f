/*
 * sendq.c - Bytes that are not acknowledged yet
 *
 * A queue is a chain of blocks. Small and large blocks hold their bytes behind
 * the header, which counts how many; a reference is a header that points
 * elsewhere. A run of copied bytes begins with small blocks, since most never
 * hold more than a line of text, and goes on with large ones when it gets longer.
 * What is shorter than a reference would save is copied behind what is there. So
 * however the two are mixed, a queue takes memory in proportion to its bytes.
 *
 * Nothing moves when the first bytes are acknowledged: head_off says how many
 * bytes of the first block are gone, and that block is given back with its last
 * one. The offset of a block in the queue therefore falls with each byte that
 * is acknowledged. That of the cursor's block is kept up to date (modulo 2^32,
 * as it is negative for a head that is partly gone), which is all it takes to
 * send on from there.
 */
#include "sendq.h"

#include <string.h>

#include "assert.h"

#define SENDQ_MAX  INT32_MAX /* bytes in a queue */
#define LARGE_FROM 2048	     /* bytes in a run from which it grows large */
#define REF_LEAST  128	     /* bytes worth a reference behind others */

#define SMALL_SIZE 512
#define LARGE_SIZE ((PAGE_SIZE_B - PAGE_HEAD) / 4 / 32 * 32)

struct sendq_blk {
	ref_t next;
	uint32_t len; /* bytes in it, those gone included */
	uint32_t cap; /* bytes that fit; 0 = a reference */
	uint32_t run; /* bytes copied since the last reference, before it */
	const uint8_t *data; /* first byte */
	uint8_t own[];	     /* where data points, if it is no reference */
};

static struct sendq_blk *blk(const struct sendq_pools *ps, ref_t b);
static struct sendq_blk *tail_with_room(struct sendq *q, struct sendq_pools *ps,
					size_t len);
static struct sendq_blk *add_own(struct sendq *q, struct sendq_pools *ps,
				 struct pool *pool);
static void link_tail(struct sendq *q, struct sendq_pools *ps,
		      struct sendq_blk *b);
static void put_blk(struct sendq_pools *ps, struct sendq_blk *b);
static size_t room(const struct sendq *q, size_t len);

void sendq_pools_init(struct sendq_pools *ps, struct arena *a,
		      const uint8_t tags[3])
{
	ps->arena = a;
	pool_init(&ps->small, a, SMALL_SIZE, 0, tags[0]);
	pool_init(&ps->large, a, LARGE_SIZE, 0, tags[1]);
	pool_init(&ps->ref, a, sizeof(struct sendq_blk), 0, tags[2]);
}

void sendq_init(struct sendq *q)
{
	memset(q, 0, sizeof(*q));
}

size_t sendq_append(struct sendq *q, struct sendq_pools *ps, const void *data,
		    size_t len)
{
	size_t left = room(q, len), taken = 0, n;
	struct sendq_blk *b;

	for (; left > 0; left -= n) {
		b = tail_with_room(q, ps, left);
		if (!b)
			break;
		n = b->cap - b->len;
		if (n > left)
			n = left;
		memcpy(b->own + b->len, (const uint8_t *)data + taken, n);
		b->len += (uint32_t)n;
		q->len += (uint32_t)n;
		taken += n;
	}
	return taken;
}

size_t sendq_append_ref(struct sendq *q, struct sendq_pools *ps,
			const void *data, size_t len)
{
	size_t n = room(q, len);
	struct sendq_blk *b;

	if (!n)
		return 0;
	b = q->tail ? blk(ps, q->tail) : NULL;
	/* Data handed over piece by piece stays one part. */
	if (!b || b->cap || b->data + b->len != data ||
	    n > SENDQ_MAX - b->len) {
		if (b && n < REF_LEAST)
			return sendq_append(q, ps, data, n);
		b = pool_get(&ps->ref);
		if (!b)
			return 0;
		b->len = 0;
		b->cap = 0;
		b->run = 0;
		b->data = data;
		link_tail(q, ps, b);
	}
	b->len += (uint32_t)n;
	q->len += (uint32_t)n;
	return n;
}

unsigned int sendq_view(struct sendq *q, const struct sendq_pools *ps,
			uint32_t off, uint32_t len, struct iovec *iov,
			unsigned int niov, uint32_t *got)
{
	ref_t at = q->cur;
	uint32_t start = q->cur_off, part;
	const struct sendq_blk *b;
	unsigned int n = 0;

	ASSERT(len <= q->len);
	ASSERT(off <= q->len - len);
	if (!at || (int32_t)(off - start) < 0) {
		at = q->head;
		start = 0 - q->head_off;
	}
	b = blk(ps, at);
	for (*got = 0; len > 0 && n < niov; n++) {
		while (off - start >= b->len) {
			start += b->len;
			at = b->next;
			b = blk(ps, at);
		}
		part = b->len - (off - start);
		if (part > len)
			part = len;
		iov[n].iov_base = (void *)(uintptr_t)(b->data + (off - start));
		iov[n].iov_len = part;
		off += part;
		len -= part;
		*got += part;
	}
	q->cur = at;
	q->cur_off = start;
	return n;
}

uint32_t sendq_memory(const struct sendq *q, const struct sendq_pools *ps)
{
	uint32_t sum = 0;

	for (ref_t r = q->head; r; r = blk(ps, r)->next)
		sum += (uint32_t)sizeof(struct sendq_blk) + blk(ps, r)->cap;
	return sum;
}

void sendq_drop(struct sendq *q, struct sendq_pools *ps, uint32_t n)
{
	struct sendq_blk *b;

	ASSERT(n <= q->len);
	q->len -= n;
	q->cur_off -= n;
	q->head_off += n;
	while (q->head) {
		b = blk(ps, q->head);
		if (q->head_off < b->len)
			return;
		q->head_off -= b->len;
		if (q->cur == q->head)
			q->cur = 0;
		q->head = b->next;
		put_blk(ps, b);
	}
	q->tail = 0;
}

void sendq_clear(struct sendq *q, struct sendq_pools *ps)
{
	sendq_drop(q, ps, q->len);
}

static struct sendq_blk *blk(const struct sendq_pools *ps, ref_t b)
{
	return ref_ptr(ps->arena, b);
}

/* A block to put some of @len bytes into. */
static struct sendq_blk *tail_with_room(struct sendq *q, struct sendq_pools *ps,
					size_t len)
{
	struct sendq_blk *tail = q->tail ? blk(ps, q->tail) : NULL, *b = NULL;
	uint32_t run = tail && tail->cap ? tail->run + tail->len : 0;

	if (tail && tail->len < tail->cap)
		return tail;
	if (run + len >= LARGE_FROM)
		b = add_own(q, ps, &ps->large);
	if (!b)
		b = add_own(q, ps, &ps->small);
	if (b)
		b->run = run;
	return b;
}

static struct sendq_blk *add_own(struct sendq *q, struct sendq_pools *ps,
				 struct pool *pool)
{
	struct sendq_blk *b = pool_get(pool);

	if (!b)
		return NULL;
	b->len = 0;
	b->cap = pool->size - (uint32_t)offsetof(struct sendq_blk, own);
	b->data = b->own;
	link_tail(q, ps, b);
	return b;
}

static void link_tail(struct sendq *q, struct sendq_pools *ps,
		      struct sendq_blk *b)
{
	ref_t r = ptr_ref(ps->arena, b);

	b->next = 0;
	if (q->tail)
		blk(ps, q->tail)->next = r;
	else
		q->head = r;
	q->tail = r;
}

static void put_blk(struct sendq_pools *ps, struct sendq_blk *b)
{
	if (!b->cap)
		pool_put(&ps->ref, b);
	else if (b->cap < SMALL_SIZE)
		pool_put(&ps->small, b);
	else
		pool_put(&ps->large, b);
}

/* Offsets in a queue must fit half of 32 bits. */
static size_t room(const struct sendq *q, size_t len)
{
	size_t max = SENDQ_MAX - q->len;

	return len < max ? len : max;
}
