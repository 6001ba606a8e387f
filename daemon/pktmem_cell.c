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

#include "pktmem_priv.h"

struct source {
	const struct iovec *iov;
	size_t off; /* in the first of iov */
};

static uint32_t cells_new(struct pktmem *m, struct trace *t, uint32_t *n);
static bool chain_grow(struct pktmem *m, struct trace *t);
static void packet_write(struct pktmem *m, uint32_t ref,
			 const struct stack_packet *p, uint32_t snapped,
			 uint32_t number);
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

	if (t->first < most && !t->last) {
		n = pktmem_cells(snapped);
		ref = cells_new(m, t, &n);
		t->first += ref != 0;
	} else if (t->last == m->conf.packets - most) {
		ref = t->ring_next;
		t->ring_next = ring_after(m, t, ref);
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

static void packet_write(struct pktmem *m, uint32_t ref,
			 const struct stack_packet *p, uint32_t snapped,
			 uint32_t number)
{
	struct source from = {p->iov, 0};
	struct cell *c = cell_at(m, ref);
	uint32_t n = snapped < CELL_DATA ? snapped : CELL_DATA;

	c->at_us = p->at_us;
	c->len = p->len;
	c->number = number;
	c->gso_size = p->gso_size;
	c->snapped = (uint16_t)(snapped | (p->csum_partial ? CSUM_PARTIAL : 0));
	c->before = p->state_before;
	c->after = p->state_after;
	c->drop = p->drop;
	c->flags = p->flags;
	copy(&from, c->data, n);
	for (snapped -= n; snapped; snapped -= n) {
		ref = cell_next(m, ref);
		n = snapped < CELL_SIZE ? snapped : CELL_SIZE;
		copy(&from, (uint8_t *)cell_at(m, ref), n);
	}
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
