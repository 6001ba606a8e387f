/*
 * pktmem_cell.c - The packets of one connection, in cells
 *
 * Half of what is kept of a connection are its first packets and stay, with
 * their text as far as snaplen says. The other half are its latest, each in one
 * cell, which is its headers: a new one is written over the oldest. So whoever
 * sends much walks round and round in the same two kilobytes.
 *
 * A connection has its cells from a chain of blocks. None is given back alone.
 * On the way of a packet no cell is read, for it would have to come from far:
 * where the next one goes is in the trace, and stores do not wait.
 */
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "pktmem_priv.h"

#ifdef __SSE2__
static inline void put_piece(__m128i *to, const uint8_t *from)
{
	const void *piece = from;

	_mm_stream_si128(to, _mm_loadu_si128(piece));
}

static inline void put_words(__m128i *to, uint64_t a, uint64_t b)
{
	_mm_stream_si128(to, _mm_set_epi64x((int64_t)b, (int64_t)a));
}

static inline uint64_t word(const void *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* lens and number of struct cell. */
static inline uint64_t lens(const struct stack_packet *p, uint32_t snapped,
			    uint32_t number)
{
	return (uint64_t)number << 32 | cell_lens(p, snapped);
}
#endif

#define LINE	 64 /* half a cell */
#define HEAD_MIN 40 /* no packet of TCP is shorter */

struct source {
	const struct iovec *iov;
	size_t off; /* in the first of iov */
};

static inline uint32_t cell_new(struct pktmem *m, struct trace *t);
static bool chain_grow(struct pktmem *m, struct trace *t);
static void keep_long(struct pktmem *m, struct trace *t, struct cell *c,
		      const struct stack_packet *p, uint32_t snapped);
static void cell_write(struct cell *c, const struct stack_packet *p, uint32_t n,
		       uint32_t number);
static inline void cell_put(struct cell *to, const struct stack_packet *p,
			    uint32_t number);
static void cell_put_short(struct cell *to, const struct stack_packet *p,
			   uint32_t n, uint32_t number);
#ifdef __SSE2__
static void cell_put_parts(struct cell *to, const struct stack_packet *p,
			   uint32_t n, uint32_t number);
#endif
static void copy(struct source *from, uint8_t *to, size_t n);

uint32_t pktmem_cells(uint32_t snapped)
{
	if (snapped <= CELL_DATA)
		return 1;
	return 1 + (snapped - CELL_DATA + CELL_SIZE - 1) / CELL_SIZE;
}

void pktmem_keep_any(struct pktmem *m, const struct stack_packet *p,
		     struct trace *t)
{
	uint32_t snapped = p->len < m->conf.snaplen ? p->len : m->conf.snaplen;
	struct cell *c;
	uint32_t ref;

	if (t->full) {
		pktmem_renew(m, p, t);
		return;
	}
	ref = cell_new(m, t);
	if (!ref)
		return; /* its number will be missing */
	c = cell_at(m, ref);
	if (t->first < m->first_max) {
		t->first++;
	} else {
		if (!t->last++)
			t->ring = t->ring_next = ref;
		if (t->last == m->latest_max)
			t->full = true;
		snapped = snapped < CELL_DATA ? snapped : CELL_DATA;
	}
	if (snapped <= CELL_DATA)
		cell_write(c, p, snapped, t->packets);
	else
		keep_long(m, t, c, p, snapped);
}

void pktmem_renew(struct pktmem *m, const struct stack_packet *p,
		  struct trace *t)
{
	struct cell *to = cell_at(m, t->ring_next);

	t->ring_next = ring_after(m, t, t->ring_next);
	if (p->iov->iov_len >= CELL_DATA && m->head_max == CELL_DATA)
		cell_put(to, p, t->packets);
	else
		cell_put_short(to, p,
			       p->len < m->head_max ? p->len : m->head_max,
			       t->packets);
}

/* The next cell of the chain; 0 if there is none. */
static inline uint32_t cell_new(struct pktmem *m, struct trace *t)
{
	if (t->next_cell % BLOCK_CELLS == 0 && !chain_grow(m, t))
		return 0;
	return t->next_cell++;
}

static bool __attribute__((noinline))
chain_grow(struct pktmem *m, struct trace *t)
{
	uint32_t block = pktmem_block(m, trace_ref(m, t));

	if (!block)
		return false;
	m->links[block].newer = 0; /* it begins no trace */
	m->next[t->block] = block;
	t->block = block;
	t->next_cell = block * BLOCK_CELLS;
	t->nblocks++;
	m->held[t->class]++;
	return true;
}

/* A packet that does not fit its cell. */
static void __attribute__((noinline))
keep_long(struct pktmem *m, struct trace *t, struct cell *c,
	  const struct stack_packet *p, uint32_t snapped)
{
	uint32_t room = CELL_DATA, n, ref = cell_ref(m, c);
	struct source from = {p->iov, 0};

	while (room < snapped && cell_new(m, t))
		room += CELL_SIZE;
	snapped = snapped < room ? snapped : room;
	cell_describe(c, p, cell_lens(p, snapped), t->packets);
	copy(&from, c->data, CELL_DATA);
	for (snapped -= CELL_DATA; snapped; snapped -= n) {
		ref = cell_next(m, ref);
		n = snapped < CELL_SIZE ? snapped : CELL_SIZE;
		copy(&from, (uint8_t *)cell_at(m, ref), n);
	}
}

/* What is known of a packet, and @n bytes of its beginning. */
static void cell_write(struct cell *c, const struct stack_packet *p, uint32_t n,
		       uint32_t number)
{
	const struct iovec *iov = p->iov;
	uint32_t part;

	cell_describe(c, p, cell_lens(p, n), number);
	if (iov->iov_len >= n) {
		copy_near(c->data, iov->iov_base, n);
		return;
	}
	for (uint8_t *to = c->data; n; n -= part, to += part, iov++) {
		part = n < iov->iov_len ? n : (uint32_t)iov->iov_len;
		copy_near(to, iov->iov_base, part);
	}
}

/* The same with as many bytes as a cell has, past the caches: nobody reads it
 * soon, and what it would push out of them is needed. */
static inline void cell_put(struct cell *to, const struct stack_packet *p,
			    uint32_t number)
{
	const uint8_t *from = p->iov->iov_base;
#ifdef __SSE2__
	__m128i *at = (__m128i *)(void *)to;

	put_piece(at, &p->state_before);
	put_words(at + 1, lens(p, CELL_DATA, number), word(from));
	put_piece(at + 2, from + 8);
	put_piece(at + 3, from + 24);
	put_piece(at + 4, from + 40);
	put_piece(at + 5, from + 56);
	put_piece(at + 6, from + 72);
	put_piece(at + 7, from + 88);
#else
	cell_describe(to, p, cell_lens(p, CELL_DATA), number);
	memcpy(to->data, from, CELL_DATA);
#endif
}

/* The same with less, and zeros to the end of the line. */
static void __attribute__((noinline))
cell_put_short(struct cell *to, const struct stack_packet *p, uint32_t n,
	       uint32_t number)
{
#ifdef __SSE2__
	const uint8_t *from = p->iov->iov_base;
	__m128i *at = (__m128i *)(void *)to;

	if (n < HEAD_MIN || n > p->iov->iov_len) {
		cell_put_parts(to, p, n, number);
		return;
	}
	put_piece(at, &p->state_before);
	put_words(at + 1, lens(p, n, number), word(from));
	put_piece(at + 2, from + 8);
	put_piece(at + 3, from + 24);
	at += 4;
	from += HEAD_MIN;
	for (n -= HEAD_MIN; n >= 16; n -= 16, from += 16)
		put_piece(at++, from);
	/* What is left, out of the last words before the end. */
	if (n > 8)
		put_words(at++, word(from),
			  word(from + n - 8) >> (128 - 8 * n));
	else if (n)
		put_words(at++, word(from + n - 8) >> (64 - 8 * n), 0);
	while ((uintptr_t)at % LINE)
		put_words(at++, 0, 0);
#else
	cell_write(to, p, n, number);
#endif
}

#ifdef __SSE2__
/* The same of what is put together first: what is ours has its headers and its
 * text in two places. */
static void __attribute__((noinline))
cell_put_parts(struct cell *to, const struct stack_packet *p, uint32_t n,
	       uint32_t number)
{
	const struct iovec *iov = p->iov;
	__m128i *at = (__m128i *)(void *)to;
	struct cell c;
	uint32_t head = (uint32_t)iov->iov_len;

	memset(c.data + n, 0, CELL_DATA - n);
	if (head < n && iov[1].iov_len >= n - head) {
		copy_near(c.data, iov[0].iov_base, head);
		copy_near(c.data + head, iov[1].iov_base, n - head);
	} else {
		cell_write(&c, p, n, number);
	}
	put_piece(at, &p->state_before);
	put_words(at + 1, lens(p, n, number), word(c.data));
	for (unsigned int i = 0; i < 6; i++)
		put_piece(at + 2 + i, c.data + 8 + 16 * i);
}
#endif

static void copy(struct source *from, uint8_t *to, size_t n)
{
	while (n) {
		const uint8_t *base = from->iov->iov_base;
		size_t part = from->iov->iov_len - from->off;

		part = part < n ? part : n;
		memcpy(to, base + from->off, part);
		to += part;
		n -= part;
		from->off += part;
		if (from->off == from->iov->iov_len) {
			from->iov++;
			from->off = 0;
		}
	}
}
