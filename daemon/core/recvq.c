/*
 * recvq.c - Bytes received and not consumed, with holes
 *
 * Each block holds the same number of bytes and knows the sequence number of
 * its first; the starts lie on a grid, so blocks never overlap and each byte
 * has one place. There is a block only where bytes are: a peer that sends one
 * byte at the far end of the window gets one block and not a window full. The
 * chain is in order. In-order text is looked for from the tail and so is what
 * comes after the last hole; only text that fills a hole walks from the head.
 *
 * What is held is the ready bytes (from head_off in the head, without gaps) and
 * the ranges of `ooo`; a block that holds nothing is given back at once. Where
 * the first ready byte lies is not derived from `next`, because the number of a
 * FIN makes the caller step over one that has no byte.
 */
#include "recvq.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "assert.h"

/* "4 KiB": as many as fit into a page with its head. */
#define BLK_SIZE  ((PAGE_SIZE_B - PAGE_HEAD) / 16 / 32 * 32)
#define BLK_BYTES (BLK_SIZE - (uint32_t)offsetof(struct recvq_blk, byte))

struct recvq_blk {
	ref_t next, prev;
	tcp_seq start; /* of byte[0] */
	uint8_t byte[];
};

_Static_assert(RECVQ_RANGES_BLK * sizeof(struct range) <= BLK_SIZE,
	       "ranges fit in a block");
_Static_assert(RECVQ_RANGES_MAX * sizeof(struct range) <= PAGE_SIZE_B,
	       "ranges fit in a page");

static struct recvq_blk *blk(const struct recvq_pools *ps, ref_t b);
static tcp_seq store(struct recvq *q, struct recvq_pools *ps, tcp_seq seq,
		     const uint8_t *data, tcp_seq end, uint32_t *took);
static tcp_seq fill(struct recvq *q, struct recvq_pools *ps, ref_t *at,
		    tcp_seq seq, const uint8_t *data, tcp_seq end);
static struct recvq_blk *blk_at(struct recvq *q, struct recvq_pools *ps,
				ref_t *at, tcp_seq seq);
static tcp_seq grid_start(const struct recvq_pools *ps, ref_t before,
			  ref_t after, tcp_seq seq);
static void join(struct recvq *q, struct recvq_pools *ps, tcp_seq end);
static bool more_ranges(struct recvq *q, struct recvq_pools *ps);
static void put_ranges(struct recvq *q, struct recvq_pools *ps);
static void fewer_ranges(struct recvq *q, struct recvq_pools *ps);
static bool head_holds(const struct recvq *q, const struct recvq_pools *ps);
static bool blk_holds(const struct recvq *q, const struct recvq_blk *b);
static void put_idle(struct recvq *q, struct recvq_pools *ps);
static void put_block(struct recvq *q, struct recvq_pools *ps, ref_t at);

void recvq_pools_init(struct recvq_pools *ps, struct arena *a, uint8_t tag,
		      uint8_t ranges_tag)
{
	ps->arena = a;
	pool_init(&ps->blk, a, BLK_SIZE, 0, tag);
	ps->ranges_tag = ranges_tag;
}

void recvq_init(struct recvq *q, tcp_seq next)
{
	memset(q, 0, sizeof(*q));
	q->next = next;
	ranges_init(&q->ooo, q->own, RECVQ_RANGES_OWN);
}

int recvq_put(struct recvq *q, struct recvq_pools *ps, tcp_seq seq,
	      const void *data, size_t len, uint32_t *took)
{
	tcp_seq end = seq + (uint32_t)len, stop;

	ASSERT(len > 0 && len <= INT32_MAX);
	ASSERT(seq_geq(seq, q->next));
	*took = 0;
	if (seq == q->next) {
		stop = store(q, ps, seq, data, end, took);
		join(q, ps, stop);
		return stop == end ? 0 : -ENOMEM;
	}
	if (!ranges_fit(&q->ooo, seq, end)) {
		if (q->ooo.max == RECVQ_RANGES_MAX)
			return -ENOSPC;
		if (!more_ranges(q, ps))
			return q->ooo.max == RECVQ_RANGES_BLK ? -ENOSPC
							      : -ENOMEM;
	}
	stop = store(q, ps, seq, data, end, took);
	/* Of a part, the whole may have joined a range that it does not reach. */
	if (!ranges_add(&q->ooo, seq, stop)) {
		put_idle(q, ps);
		*took = 0;
	}
	if (!q->ooo.n)
		put_ranges(q, ps);
	return stop == end ? 0 : -ENOMEM;
}

void recvq_advance(struct recvq *q, struct recvq_pools *ps, uint32_t n)
{
	ASSERT(recvq_direct(q, n));
	q->next += n;
	join(q, ps, q->next);
}

bool recvq_direct(const struct recvq *q, uint32_t n)
{
	return !q->ready && (!q->ooo.n || n <= q->ooo.r[0].start - q->next);
}

size_t recvq_peek(const struct recvq *q, const struct recvq_pools *ps,
		  const uint8_t **data)
{
	uint32_t n = BLK_BYTES - q->head_off;

	if (!q->ready)
		return 0;
	*data = blk(ps, q->head)->byte + q->head_off;
	return n < q->ready ? n : q->ready;
}

void recvq_consume(struct recvq *q, struct recvq_pools *ps, size_t n)
{
	ASSERT(n <= q->ready);
	q->ready -= (uint32_t)n;
	q->head_off += (uint32_t)n;
	while (q->head && !head_holds(q, ps))
		put_block(q, ps, q->head);
}

void recvq_clear(struct recvq *q, struct recvq_pools *ps)
{
	q->ready = 0;
	q->ooo.n = 0;
	put_ranges(q, ps);
	while (q->head)
		put_block(q, ps, q->head);
}

void recvq_hold(struct recvq_pools *ps, uint32_t least)
{
	ASSERT(least > 0); /* a maximum of 0 would be none */
	ps->blk.max = ps->blk.in_use > least ? ps->blk.in_use : least;
}

void recvq_release(struct recvq_pools *ps)
{
	ps->blk.max = 0;
}

uint32_t recvq_blocks(const struct recvq *q)
{
	if (q->ooo.max == RECVQ_RANGES_MAX)
		return q->nblk + PAGE_SIZE_B / BLK_SIZE;
	return q->nblk + (q->ooo.max == RECVQ_RANGES_BLK);
}

uint32_t recvq_early(const struct recvq *q)
{
	uint32_t ready = q->ready ? q->head_off + q->ready : 0;

	return recvq_blocks(q) - (ready + BLK_BYTES - 1) / BLK_BYTES;
}

tcp_seq recvq_far(const struct recvq *q, const struct recvq_pools *ps)
{
	return q->ooo.n ? seq_max(blk(ps, q->tail)->start, q->next) : q->next;
}

void recvq_cut(struct recvq *q, struct recvq_pools *ps)
{
	ASSERT(q->ooo.n > 0);
	ranges_cut(&q->ooo, recvq_far(q, ps));
	if (!blk_holds(q, blk(ps, q->tail)))
		put_block(q, ps, q->tail);
	fewer_ranges(q, ps);
}

uint32_t recvq_memory(const struct recvq *q)
{
	return recvq_blocks(q) * BLK_SIZE;
}

static struct recvq_blk *blk(const struct recvq_pools *ps, ref_t b)
{
	return ref_ptr(ps->arena, b);
}

/* Write what is not held yet of [seq, end). Returns where blocks ran out, or
 * @end. */
static tcp_seq store(struct recvq *q, struct recvq_pools *ps, tcp_seq seq,
		     const uint8_t *data, tcp_seq end, uint32_t *took)
{
	const struct range *r = q->ooo.r + ranges_find(&q->ooo, seq);
	const struct range *last = q->ooo.r + q->ooo.n;
	tcp_seq at = seq, to;
	ref_t b = 0;

	if (q->tail && seq_geq(seq, blk(ps, q->tail)->start))
		b = q->tail;
	while (seq_lt(at, end)) {
		while (r < last && seq_leq(r->end, at))
			r++;
		if (r < last && seq_leq(r->start, at)) {
			at = seq_min(r->end, end);
			continue;
		}
		to = r < last ? seq_min(r->start, end) : end;
		*took += to - at;
		at = fill(q, ps, &b, at, data + (at - seq), to);
		*took -= to - at;
		if (at != to)
			break;
	}
	return at;
}

/* Write [seq, end), none of which is held. Returns where blocks ran out, or
 * @end. @at is a block to look from, 0 for the head, and then the last one. */
static tcp_seq fill(struct recvq *q, struct recvq_pools *ps, ref_t *at,
		    tcp_seq seq, const uint8_t *data, tcp_seq end)
{
	struct recvq_blk *b;
	uint32_t off, n;

	while (seq != end) {
		b = blk_at(q, ps, at, seq);
		if (!b)
			break;
		off = seq - b->start;
		n = end - seq;
		if (n > BLK_BYTES - off)
			n = BLK_BYTES - off;
		memcpy(b->byte + off, data, n);
		data += n;
		seq += n;
	}
	return seq;
}

/* The block for @seq, put into the chain if it is not there. */
static struct recvq_blk *blk_at(struct recvq *q, struct recvq_pools *ps,
				ref_t *at, tcp_seq seq)
{
	ref_t after = *at ? blk(ps, *at)->next : q->head;
	struct recvq_blk *b;

	while (after && seq_leq(blk(ps, after)->start, seq)) {
		*at = after;
		after = blk(ps, after)->next;
	}
	if (*at && seq - blk(ps, *at)->start < BLK_BYTES)
		return blk(ps, *at);
	b = pool_get(&ps->blk);
	if (!b)
		return NULL;
	b->start = grid_start(ps, *at, after, seq);
	b->next = after;
	b->prev = *at;
	*at = ptr_ref(ps->arena, b);
	if (b->prev)
		blk(ps, b->prev)->next = *at;
	else
		q->head = *at;
	if (b->next)
		blk(ps, b->next)->prev = *at;
	else
		q->tail = *at;
	q->nblk++;
	return b;
}

/* Where the block of @seq begins, between two others; 0 = there is none. The
 * first of all lays the grid. */
static tcp_seq grid_start(const struct recvq_pools *ps, ref_t before,
			  ref_t after, tcp_seq seq)
{
	tcp_seq start;

	if (before) {
		start = blk(ps, before)->start;
		return start + (seq - start) / BLK_BYTES * BLK_BYTES;
	}
	if (after) {
		start = blk(ps, after)->start;
		return start -
		       (start - seq + BLK_BYTES - 1) / BLK_BYTES * BLK_BYTES;
	}
	return seq;
}

/* In order up to @end now: what was beyond a hole may follow. */
static void join(struct recvq *q, struct recvq_pools *ps, tcp_seq end)
{
	uint32_t n;

	for (uint32_t i = 0; i < q->ooo.n && seq_leq(q->ooo.r[i].start, end);
	     i++)
		end = seq_max(end, q->ooo.r[i].end);
	if (q->ooo.n)
		ranges_trim(&q->ooo, end);
	if (!q->ooo.n)
		put_ranges(q, ps);
	n = end - q->next;
	if (n && !q->ready) {
		q->head_off = q->next - blk(ps, q->head)->start;
		ASSERT(q->head_off < BLK_BYTES);
	}
	q->ready += n;
	q->next = end;
}

/* Room for more ranges than there are. */
static bool more_ranges(struct recvq *q, struct recvq_pools *ps)
{
	bool page = q->ooo.max == RECVQ_RANGES_BLK;
	struct range *room = NULL, *was = q->ooo.r;

	if (!page)
		room = pool_get(&ps->blk);
	else if (!ps->blk.max) /* recvq_hold() */
		room = arena_page(ps->arena, ps->ranges_tag);
	if (!room)
		return false;
	ranges_move(&q->ooo, room, page ? RECVQ_RANGES_MAX : RECVQ_RANGES_BLK);
	if (page)
		pool_put(&ps->blk, was);
	return true;
}

static void put_ranges(struct recvq *q, struct recvq_pools *ps)
{
	if (q->ooo.max == RECVQ_RANGES_BLK)
		pool_put(&ps->blk, q->ooo.r);
	else if (q->ooo.max == RECVQ_RANGES_MAX)
		arena_page_free(ps->arena, q->ooo.r);
	ranges_init(&q->ooo, q->own, RECVQ_RANGES_OWN);
}

/* Back to where fewer would do. */
static void fewer_ranges(struct recvq *q, struct recvq_pools *ps)
{
	struct ranges was = q->ooo, few = {q->own, was.n, RECVQ_RANGES_OWN};

	if (was.n > RECVQ_RANGES_BLK || was.max <= few.max)
		return;
	if (was.n > RECVQ_RANGES_OWN) {
		few.max = RECVQ_RANGES_BLK;
		if (was.max == few.max)
			return;
		few.r = pool_get(&ps->blk);
		if (!few.r)
			return;
	}
	memcpy(few.r, was.r, was.n * sizeof(was.r[0]));
	put_ranges(q, ps);
	q->ooo = few;
}

/* Is any byte in the head not consumed yet? */
static bool head_holds(const struct recvq *q, const struct recvq_pools *ps)
{
	if (q->ready)
		return q->head_off < BLK_BYTES;
	return q->ooo.n &&
	       q->ooo.r[0].start - blk(ps, q->head)->start < BLK_BYTES;
}

/* Is any byte in a block of the chain held? */
static bool blk_holds(const struct recvq *q, const struct recvq_blk *b)
{
	uint32_t at;

	if (q->ready && seq_lt(b->start, q->next))
		return true;
	at = ranges_find(&q->ooo, b->start);
	return at < q->ooo.n &&
	       seq_lt(q->ooo.r[at].start, b->start + BLK_BYTES);
}

/* Give back blocks that were got for nothing. */
static void put_idle(struct recvq *q, struct recvq_pools *ps)
{
	ref_t at = q->head, next;

	for (; at; at = next) {
		next = blk(ps, at)->next;
		if (!blk_holds(q, blk(ps, at)))
			put_block(q, ps, at);
	}
}

static void put_block(struct recvq *q, struct recvq_pools *ps, ref_t at)
{
	struct recvq_blk *b = blk(ps, at);

	if (b->prev) {
		blk(ps, b->prev)->next = b->next;
	} else {
		q->head = b->next;
		q->head_off -= BLK_BYTES;
	}
	if (b->next)
		blk(ps, b->next)->prev = b->prev;
	else
		q->tail = b->prev;
	q->nblk--;
	pool_put(&ps->blk, b);
}
