/*
 * recvq.h - Bytes received and not consumed, with holes
 *
 * Blocks of one size, each for a fixed stretch of the stream, in order; bytes
 * that come early are put where they belong, and the ranges beyond the first
 * hole are remembered. Offsets are counted from the first unconsumed byte.
 * The first copy of a byte wins: later ones are not written (what a receiver
 * does with conflicting copies decides who can deceive it).
 */
#ifndef TCPHS_RECVQ_H
#define TCPHS_RECVQ_H

#include <stddef.h>
#include <stdint.h>

#include "pool.h"
#include "ranges.h"
#include "seq.h"

/* Holes are few, but a sender that overruns a queue of thousands of packets
 * leaves as many. Their ranges move to a block, and to a page of the arena. A
 * segment that needs one more is refused. */
#define RECVQ_RANGES_OWN 4
#define RECVQ_RANGES_BLK 500
#define RECVQ_RANGES_MAX 8192

struct recvq {
	ref_t head;	   /* first block; 0 = none */
	ref_t tail;	   /* last one */
	uint32_t nblk;	   /* so many */
	uint32_t head_off; /* bytes of the head consumed already */
	uint32_t ready;	   /* bytes in order, to be consumed */
	tcp_seq next;	   /* sequence number after the ready ones: RCV.NXT */
	struct ranges ooo; /* received beyond the first hole */
	struct range own[RECVQ_RANGES_OWN];
};

struct recvq_pools {
	struct arena *arena;
	struct pool blk; /* 4 KiB with header */
	uint8_t ranges_tag;
};

void recvq_pools_init(struct recvq_pools *ps, struct arena *a, uint8_t tag,
		      uint8_t ranges_tag);

/** recvq_init() - Empty, @next is the first byte expected; not to be moved */
void recvq_init(struct recvq *q, tcp_seq next);

/**
 * recvq_put() - Store received text
 * @seq:  Of data[0]; the caller has cut off what lies before q->next and
 *        beyond the window
 * @len:  Bytes, not 0
 * @took: Set to how many bytes were new and are stored now
 *
 * Advances q->next and q->ready over everything that is in order now.
 *
 * Return: 0; -ENOMEM if blocks ran out (what fits is kept), -ENOSPC if there
 *         would be too many holes, for the limit or for the memory they take
 */
int recvq_put(struct recvq *q, struct recvq_pools *ps, tcp_seq seq,
	      const void *data, size_t len, uint32_t *took);

/**
 * recvq_advance() - In-order text went to its reader without being stored
 *
 * Only while nothing is ready (q->ready is 0) and the text does not overlap
 * what is held out of order; the caller asks recvq_direct() first.
 */
void recvq_advance(struct recvq *q, struct recvq_pools *ps, uint32_t n);

/** recvq_direct() - May @n bytes at q->next bypass the queue? */
bool recvq_direct(const struct recvq *q, uint32_t n);

/** recvq_peek() - First contiguous run of ready bytes, 0 if there is none */
size_t recvq_peek(const struct recvq *q, const struct recvq_pools *ps,
		  const uint8_t **data);

/** recvq_consume() - Take @n ready bytes */
void recvq_consume(struct recvq *q, struct recvq_pools *ps, size_t n);

/**
 * recvq_hold() - Until recvq_release(), no more blocks than are in use now
 * @least: But so many in any case
 *
 * Nor pages for holes.
 */
void recvq_hold(struct recvq_pools *ps, uint32_t least);
void recvq_release(struct recvq_pools *ps);

/** recvq_blocks() - All that it has, those of its ranges counted */
uint32_t recvq_blocks(const struct recvq *q);

/** recvq_early() - Blocks that only text beyond the first hole needs; those of
 * its ranges counted */
uint32_t recvq_early(const struct recvq *q);

/** recvq_far() - Where recvq_cut() would cut: q->next if there are no holes */
tcp_seq recvq_far(const struct recvq *q, const struct recvq_pools *ps);

/** recvq_cut() - Forget the farthest text: what the last block has beyond the
 * first hole. There is some. */
void recvq_cut(struct recvq *q, struct recvq_pools *ps);

/** recvq_memory() - Bytes of its blocks */
uint32_t recvq_memory(const struct recvq *q);

void recvq_clear(struct recvq *q, struct recvq_pools *ps);

#endif
