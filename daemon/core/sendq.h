/*
 * sendq.h - Bytes that are not acknowledged yet
 *
 * A chain of blocks: small and large ones that hold bytes, and references to
 * constant data. A super-segment of 64 KiB is a handful of iovecs into it, so
 * nothing is copied between tcp_send() and the device. Offsets are counted
 * from the first byte not yet acknowledged.
 */
#ifndef TCPHS_SENDQ_H
#define TCPHS_SENDQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "pool.h"

struct sendq_blk; /* header of a block; sendq.c */

struct sendq {
	ref_t head, tail;
	uint32_t len;	   /* bytes queued */
	uint32_t head_off; /* bytes of the head that are gone already */
	/* Where the last sendq_view() ended, so that the next one need not
	 * walk: sending goes on from there nearly always. */
	ref_t cur;
	uint32_t cur_off; /* offset in the queue of cur's first byte */
};

/* Where blocks come from; one for a stack. */
struct sendq_pools {
	struct arena *arena;
	struct pool small; /* 512 bytes with header */
	struct pool large; /* a quarter of a page with header */
	struct pool ref;   /* 32 bytes: pointer and length */
};

void sendq_pools_init(struct sendq_pools *ps, struct arena *a,
		      const uint8_t tags[3]);

/** sendq_init() - Empty; a zeroed struct is empty, too */
void sendq_init(struct sendq *q);

/**
 * sendq_append() - Copy bytes to the end
 *
 * Return: bytes taken, less than @len if memory ran out
 */
size_t sendq_append(struct sendq *q, struct sendq_pools *ps, const void *data,
		    size_t len);

/** sendq_append_ref() - The same without copying; @data must stay */
size_t sendq_append_ref(struct sendq *q, struct sendq_pools *ps,
			const void *data, size_t len);

/**
 * sendq_view() - Find bytes for sending
 * @off: From the first unacknowledged byte
 * @len: Bytes wanted; off + len <= q->len
 * @iov: At most @niov parts are filled
 * @got: Set to the bytes covered, less than @len if @niov parts do not reach
 *
 * Return: parts filled
 */
unsigned int sendq_view(struct sendq *q, const struct sendq_pools *ps,
			uint32_t off, uint32_t len, struct iovec *iov,
			unsigned int niov, uint32_t *got);

/** sendq_memory() - Bytes of its blocks */
uint32_t sendq_memory(const struct sendq *q, const struct sendq_pools *ps);

/** sendq_drop() - The first @n bytes were acknowledged */
void sendq_drop(struct sendq *q, struct sendq_pools *ps, uint32_t n);

/** sendq_clear() - Give everything back */
void sendq_clear(struct sendq *q, struct sendq_pools *ps);

#endif
