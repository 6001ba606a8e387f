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

/* They are copied as one. */
#define FOLLOWS(a, b) \
	(offsetof(struct stack_packet, b) - offsetof(struct stack_packet, a))
_Static_assert(FOLLOWS(state_before, state_after) ==
			       offsetof(struct cell_fate, after) &&
		       FOLLOWS(state_before, drop) ==
			       offsetof(struct cell_fate, drop) &&
		       FOLLOWS(state_before, flags) ==
			       offsetof(struct cell_fate, flags),
	       "as in struct stack_packet");

struct source {
	const struct iovec *iov;
	size_t off; /* in the first of iov */
};

static uint32_t cells_new(struct pktmem *m, struct trace *t, uint32_t *n);
static bool chain_grow(struct pktmem *m, struct trace *t);
static void cell_put(struct cell *to, const struct cell *c);
static inline void head_write(struct cell *c, const struct stack_packet *p,
			      uint32_t n, uint32_t number);
static void packet_write(struct pktmem *m, uint32_t ref,
			 const struct stack_packet *p, uint32_t snapped,
			 uint32_t number);
static void copy_near(uint8_t *to, const uint8_t *from, uint32_t n);
static void copy_parts(uint8_t *to, const struct iovec *iov, size_t n);
static void skip(struct source *from, size_t n);
static void copy(struct source *from, uint8_t *to, size_t n);

uint32_t pktmem_cells(uint32_t snapped)
{
	if (snapped <= CELL_DATA)
		return 1;
	return 1 + (snapped - CELL_DATA + CELL_SIZE - 1) / CELL_SIZE;
}

void pktmem_keep(struct pktmem *m, struct trace *t,
		 const struct stack_packet *p)
{
	uint32_t snapped = p->len < m->conf.snaplen ? p->len : m->conf.snaplen;
	uint32_t most = m->conf.packets / 2, n = 1, ref;

	if (t->last == m->latest_max) {
		pktmem_renew(m, t, p);
		return;
	}
	if (t->first < most && !t->last) {
		n = pktmem_cells(snapped);
		ref = cells_new(m, t, &n);
		t->first += ref != 0;
	} else {
		ref = cells_new(m, t, &n);
		if (ref && !t->last++)
			t->ring = t->ring_next = ref;
	}
	if (!ref)
		return; /* its number will be missing */
	if (snapped > CELL_DATA + (n - 1) * CELL_SIZE)
		snapped = CELL_DATA + (n - 1) * CELL_SIZE;
	packet_write(m, ref, p, snapped, t->packets);
}

void pktmem_renew(struct pktmem *m, struct trace *t,
		  const struct stack_packet *p)
{
	uint32_t n = m->conf.snaplen < CELL_DATA ? m->conf.snaplen : CELL_DATA;
	struct cell c, *to = cell_at(m, t->ring_next);

	t->ring_next = ring_after(m, t, t->ring_next);
	head_write(&c, p, p->len < n ? p->len : n, t->packets);
	cell_put(to, &c);
}

/* Past the caches: nobody reads it soon, and what it would push out of them is
 * needed. */
static void cell_put(struct cell *to, const struct cell *c)
{
#ifdef __SSE2__
	const __m128i *from = (const __m128i *)(const void *)c;

	for (size_t i = 0; i < CELL_SIZE / sizeof(*from); i++)
		_mm_stream_si128((__m128i *)(void *)to + i,
				 _mm_loadu_si128(from + i));
#else
	*to = *c;
#endif
}

/* The next cells of the chain; @n is how many, and how many there were. */
static uint32_t cells_new(struct pktmem *m, struct trace *t, uint32_t *n)
{
	uint32_t first = 0, got = 0;

	for (; got < *n; got++) {
		if (t->next_cell == BLOCK_CELLS && !chain_grow(m, t))
			break;
		if (!got)
			first = t->block * BLOCK_CELLS + t->next_cell;
		t->next_cell++;
	}
	*n = got;
	return first;
}

static bool chain_grow(struct pktmem *m, struct trace *t)
{
	uint32_t block = pktmem_block(m, t);

	if (!block)
		return false;
	m->next[t->block] &= BLOCK_HOME;
	m->next[t->block] |= block;
	t->block = block;
	t->next_cell = 0;
	t->nblocks++;
	m->class[t->class].blocks++;
	return true;
}

/* What is known of a packet, and @n bytes of its beginning, in one cell. */
static inline void head_write(struct cell *c, const struct stack_packet *p,
			      uint32_t n, uint32_t number)
{
	c->at_us = p->at_us;
	c->len = p->len;
	c->number = number;
	c->gso_size = p->gso_size;
	c->snapped = (uint16_t)(n | (p->csum_partial ? CSUM_PARTIAL : 0));
	memcpy(&c->fate, &p->state_before, sizeof(c->fate));
	if (p->iov->iov_len >= n)
		copy_near(c->data, p->iov->iov_base, n);
	else
		copy_parts(c->data, p->iov, n);
}

static void packet_write(struct pktmem *m, uint32_t ref,
			 const struct stack_packet *p, uint32_t snapped,
			 uint32_t number)
{
	struct source from = {p->iov, 0};
	struct cell *c = cell_at(m, ref);
	uint32_t n = snapped < CELL_DATA ? snapped : CELL_DATA;

	head_write(c, p, n, number);
	c->snapped += (uint16_t)(snapped - n);
	skip(&from, n);
	for (snapped -= n; snapped; snapped -= n) {
		ref = cell_next(m, ref);
		n = snapped < CELL_SIZE ? snapped : CELL_SIZE;
		copy(&from, (uint8_t *)cell_at(m, ref), n);
	}
}

/* Up to CELL_DATA bytes: two halves that overlap are quicker than a call. */
static void copy_near(uint8_t *to, const uint8_t *from, uint32_t n)
{
	if (n == CELL_DATA) {
		memcpy(to, from, CELL_DATA);
	} else if (n >= 64) {
		memcpy(to, from, 64);
		memcpy(to + n - 64, from + n - 64, 64);
	} else if (n >= 32) {
		memcpy(to, from, 32);
		memcpy(to + n - 32, from + n - 32, 32);
	} else {
		memcpy(to, from, n);
	}
}

/* Not inlined: most packets need nothing on the stack. */
static void __attribute__((noinline))
copy_parts(uint8_t *to, const struct iovec *iov, size_t n)
{
	struct source from = {iov, 0};

	copy(&from, to, n);
}

static void skip(struct source *from, size_t n)
{
	for (; n && n >= from->iov->iov_len; from->iov++)
		n -= from->iov->iov_len;
	from->off = n;
}

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
