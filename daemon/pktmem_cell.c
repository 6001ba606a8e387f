/*
 * pktmem_cell.c - The packets of one connection, in cells
 *
 * Half of what is kept of a connection are its first packets and stay, with
 * their text as far as snaplen says. The other half are its latest, each in one
 * cell, which is its headers: a new one is written over the oldest. So whoever
 * sends much walks round and round in the same two kilobytes.
 *
 * A connection has its cells from a chain of blocks. None is given back alone.
 */
#include <string.h>

#include "pktmem_priv.h"

struct source {
	const struct iovec *iov;
	size_t off; /* in the first of iov */
};

static uint32_t packet_new(struct pktmem *m, struct trace *t, uint32_t snapped);
static void packet_write(struct pktmem *m, uint32_t ref,
			 const struct stack_packet *p, uint32_t snapped,
			 uint32_t number);
static void copy(struct source *from, uint8_t *to, size_t n);
static void push(struct pktmem *m, struct packets *list, uint32_t ref);
static uint32_t pop(struct pktmem *m, struct packets *list);

void pktmem_keep(struct pktmem *m, struct trace *t,
		 const struct stack_packet *p)
{
	uint32_t most = m->conf.packets / 2, ref;
	uint32_t snapped = p->len < m->conf.snaplen ? p->len : m->conf.snaplen;
	struct packets *list = &t->first;

	if (t->first.n == most || t->last.n) {
		list = &t->last;
		if (snapped > CELL_DATA)
			snapped = CELL_DATA;
	}
	if (list == &t->last && list->n == m->conf.packets - most)
		ref = pop(m, list);
	else
		ref = packet_new(m, t, snapped);
	if (!ref)
		return; /* its number will be missing */
	packet_write(m, ref, p, snapped, t->packets);
	push(m, list, ref);
}

/* Cells for a packet, chained by more; 0 if there are too few. */
static uint32_t packet_new(struct pktmem *m, struct trace *t, uint32_t snapped)
{
	uint32_t first = 0, *link = &first, block;

	for (int64_t left = snapped, part = CELL_DATA;;
	     left -= part, part = MORE_DATA) {
		if (left <= 0 && first)
			return first;
		if (t->next_cell == BLOCK_CELLS) {
			block = pktmem_block(m, t);
			if (!block)
				return 0;
			m->next[t->block] &= BLOCK_HOME;
			m->next[t->block] |= block;
			t->block = block;
			t->next_cell = 0;
			t->nblocks++;
			m->class[t->class].blocks++;
		}
		*link = t->block * BLOCK_CELLS + t->next_cell++;
		link = &cell_at(m, *link)->more;
	}
}

static void packet_write(struct pktmem *m, uint32_t ref,
			 const struct stack_packet *p, uint32_t snapped,
			 uint32_t number)
{
	struct source from = {p->iov, 0};
	struct cell *c = cell_at(m, ref);
	uint32_t n = snapped < CELL_DATA ? snapped : CELL_DATA, more = c->more;

	c->next = 0;
	c->at_us = p->at_us;
	c->len = p->len;
	c->number = number;
	c->gso_size = p->gso_size;
	c->snapped = snapped & 0x7fff;
	c->csum_partial = p->csum_partial;
	c->before = p->state_before;
	c->after = p->state_after;
	c->drop = p->drop;
	c->flags = p->flags;
	copy(&from, c->data, n);
	for (snapped -= n; snapped; snapped -= n) {
		n = snapped < MORE_DATA ? snapped : MORE_DATA;
		copy(&from, more_at(m, more)->data, n);
		more = more_at(m, more)->more;
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

static void push(struct pktmem *m, struct packets *list, uint32_t ref)
{
	if (list->n++)
		cell_at(m, list->tail)->next = ref;
	else
		list->head = ref;
	list->tail = ref;
}

static uint32_t pop(struct pktmem *m, struct packets *list)
{
	uint32_t ref = list->head;

	list->head = cell_at(m, ref)->next;
	list->n--;
	return ref;
}
