/*
 * pktmem_priv.h - How the memory of packets is laid out
 *
 *	pktmem.c       which connections are remembered, and for how long
 *	pktmem_cell.c  their packets, in cells
 *	pktmem_look.c  what is read out of it
 */
#ifndef TCPHS_PKTMEM_PRIV_H
#define TCPHS_PKTMEM_PRIV_H

#include <string.h>

#include "pktmem.h"

#define BLOCK_CELLS 8
#define TRACE_CELLS 2	/* of a trace's first block, for itself */
#define CELL_SIZE   128 /* two cache lines */
#define LEN_BITS    20
#define LEN_MASK    ((1u << LEN_BITS) - 1)
#define LENS_EQUAL  (1u << LEN_BITS | 1) /* times the length of all of it */
#define CELL_DATA   104 /* bytes of a packet in its first cell */

/*
 * One packet, or the beginning of one: further bytes fill the cells behind it.
 * Cells are named by their place. Those of a connection follow each other in a
 * chain of blocks, so none has to say which is next.
 */
struct cell {
	struct cell_fate {
		uint8_t before, after, drop, flags;
		uint16_t gso_size, csum_start;
		int64_t at_us;
	} fate;	       /* as in struct stack_packet */
	uint32_t lens; /* its own and, above LEN_BITS, what is kept */
	uint32_t number;
	uint8_t data[CELL_DATA];
};

_Static_assert(sizeof(struct cell) == CELL_SIZE, "two cache lines");

/* They are copied as one. */
#define FOLLOWS(a, b) \
	(offsetof(struct stack_packet, b) - offsetof(struct stack_packet, a))
_Static_assert(FOLLOWS(state_before, state_after) ==
			       offsetof(struct cell_fate, after) &&
		       FOLLOWS(state_before, drop) ==
			       offsetof(struct cell_fate, drop) &&
		       FOLLOWS(state_before, flags) ==
			       offsetof(struct cell_fate, flags) &&
		       FOLLOWS(state_before, gso_size) ==
			       offsetof(struct cell_fate, gso_size) &&
		       FOLLOWS(state_before, csum_start) ==
			       offsetof(struct cell_fate, csum_start) &&
		       FOLLOWS(state_before, at_us) ==
			       offsetof(struct cell_fate, at_us),
	       "as in struct stack_packet");

/* Whose packets push out whose: each class gives way to itself first. */
enum trace_class {
	TRACE_ATTEMPT = 1, /* of a client of ours, not established or not yet */
	TRACE_CLOSED,
	TRACE_LIVE,    /* and all that we opened ourselves */
	TRACE_CLASSES, /* 0 is none */
};

/*
 * The traces of a class are a ring by age. It is closed by the link of the class's
 * own number: its newer one is the oldest, its older one the newest. Blocks of
 * these numbers have no cells; the struct pktmem lies there. What has no trace
 * has no newer.
 */
struct trace_link {
	uint32_t newer, older;
};

enum trace_marks {
	TRACE_ENDED = 1 << 0,
	TRACE_COOKIE = 1 << 1,
	TRACE_SIMULTANEOUS = 1 << 2,
	TRACE_RST_OUT = 1 << 3,	  /* during the handshake */
	TRACE_BY_ENDS = 1 << 4,	  /* in the table of ends */
	TRACE_MIDSTREAM = 1 << 5, /* its beginning was not seen */
	TRACE_DATA = 1 << 6,	  /* text was seen */
	TRACE_MORE = 1 << 7,	  /* and then more of it */
	TRACE_ODD = 1 << 8,	  /* our SYN was answered by what fits no SYN */
};

/*
 * At the start of a block of cells; named by the place of that block. What each
 * packet needs stands first, in one cache line.
 */
struct trace {
	uint32_t id;
	uint32_t next_id; /* in the table */
	uint16_t marks;
	uint8_t class, state;
	bool touched; /* had a packet since it was looked at */
	bool full;    /* of packets: a new one replaces another */
	uint32_t packets;
	uint32_t first, last; /* packets that are kept */
	/* The latest go round from ring to the end of the chain. */
	uint32_t ring, ring_next; /* cells; the next one is the oldest */
	uint32_t block;		  /* the last of its chain */
	uint32_t next_cell; /* never used yet; n * BLOCK_CELLS: in no block */
	int64_t established_us;
	uint32_t nblocks;
	uint32_t next_ends; /* in that table */
	uint32_t first_id;  /* of the first of several equal SYNs */
	uint32_t syn;	    /* if TRACE_BY_ENDS: number of its SYN */
	struct tcp_key ends;
	uint16_t listener;
	uint8_t role, reason, drop;
	uint32_t retrans;
	int64_t opened_us, synack_us, ended_us, handshake_us;
	uint64_t bytes_in, bytes_out;
};

_Static_assert(sizeof(struct trace) <= TRACE_CELLS * sizeof(struct cell),
	       "it has that much room");

/* In the first blocks: all others are found from where it is. */
struct pktmem {
	struct pktbus_sink sink;
	struct pktmem_conf conf;
	uint32_t first_max, latest_max; /* packets kept of a connection */
	uint32_t head_max;		/* bytes of each of the latest */
	uint32_t *next;		  /* of each block: in its chain, or free */
	struct trace_link *links; /* of each block */
	uint32_t *ids, *ends;	  /* tables of slots, a power of two */
	uint32_t mask;
	uint32_t nblocks, used; /* places; used ones are below used */
	uint32_t free;		/* first block; 0 = none */
	uint32_t nby_ends;
	uint32_t flood; /* SYNs that left no record since flood_us */
	int64_t flood_us;
	uint32_t held[TRACE_CLASSES]; /* blocks of each class */
};

_Static_assert(sizeof(struct pktmem) <= TRACE_CLASSES * BLOCK_CELLS * CELL_SIZE,
	       "there is room for it");

static inline struct cell *cell_at(const struct pktmem *m, size_t ref)
{
	return (struct cell *)(uintptr_t)m + ref;
}

static inline uint32_t cell_ref(const struct pktmem *m, const void *cell)
{
	return (uint32_t)((const struct cell *)cell -
			  (const struct cell *)(const void *)m);
}

/* The cell behind another one of the same chain. */
static inline uint32_t cell_next(const struct pktmem *m, uint32_t ref)
{
	if (++ref % BLOCK_CELLS)
		return ref;
	return m->next[ref / BLOCK_CELLS - 1] * BLOCK_CELLS;
}

/* The cell of the latest packets that a packet takes after @ref. */
static inline uint32_t ring_after(const struct pktmem *m, const struct trace *t,
				  uint32_t ref)
{
	return ref == t->next_cell - 1 ? t->ring : cell_next(m, ref);
}

static inline struct trace *trace_at(const struct pktmem *m, uint32_t ref)
{
	return (struct trace *)(void *)cell_at(m, (size_t)ref * BLOCK_CELLS);
}

static inline uint32_t trace_ref(const struct pktmem *m, const struct trace *t)
{
	return (uint32_t)(((uintptr_t)t - (uintptr_t)m) /
			  (BLOCK_CELLS * CELL_SIZE));
}

/* Of a class, from the newest to the oldest. */
#define FOR_EACH_TRACE(m, ref, class)                                 \
	for ((ref) = (m)->links[class].older; (ref) >= TRACE_CLASSES; \
	     (ref) = (m)->links[ref].older)

/** pktmem_block() - A block, perhaps from a trace that is forgotten for it
 * @spared: Place of one that is not; may be 0
 *
 * Return: 0 if there is none */
uint32_t pktmem_block(struct pktmem *m, uint32_t spared);

/** pktmem_cells() - How many a packet of so many bytes takes */
uint32_t pktmem_cells(uint32_t snapped);
/** pktmem_keep_any() - Keep a packet of @t */
void pktmem_keep_any(struct pktmem *m, const struct stack_packet *p,
		     struct trace *t);
/** pktmem_renew() - The same, in place of the oldest of latest_max */
void pktmem_renew(struct pktmem *m, const struct stack_packet *p,
		  struct trace *t);

/* Both lengths of a packet of which @snapped bytes are kept. */
static inline uint32_t cell_lens(const struct stack_packet *p, uint32_t snapped)
{
	return (p->len & LEN_MASK) | snapped << LEN_BITS;
}

/* What is known of a packet. */
static inline void cell_describe(struct cell *c, const struct stack_packet *p,
				 uint32_t lens, uint32_t number)
{
	memcpy(&c->fate, &p->state_before, sizeof(c->fate));
	c->lens = lens;
	c->number = number;
}

/* Up to CELL_DATA bytes: two halves that overlap are quicker than a call. */
static inline void copy_near(uint8_t *to, const uint8_t *from, uint32_t n)
{
	uint8_t *to_end = to + n;
	const uint8_t *end = from + n;

	if (n >= 64) {
		memcpy(to, from, 64);
		memcpy(to_end - 64, end - 64, 64);
	} else if (n >= 32) {
		memcpy(to, from, 32);
		memcpy(to_end - 32, end - 32, 32);
	} else {
		memcpy(to, from, n);
	}
}

/** pktmem_keep() - Keep a packet of @t
 *
 * In line if it is as the first packets mostly are: in one piece, which fits the
 * next cell. */
static inline void pktmem_keep(struct pktmem *m, const struct stack_packet *p,
			       struct trace *t)
{
	const struct iovec *iov = p->iov;
	uint32_t n = p->len;
	struct cell *c;

	if (t->first == m->first_max || t->next_cell % BLOCK_CELLS == 0 ||
	    n > m->head_max || n > iov->iov_len) {
		pktmem_keep_any(m, p, t);
		return;
	}
	t->first++;
	c = cell_at(m, t->next_cell++);
	cell_describe(c, p, n * LENS_EQUAL, t->packets);
	copy_near(c->data, iov->iov_base, n);
}

#endif
