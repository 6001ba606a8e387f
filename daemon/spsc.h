/*
 * spsc.h - Records from one thread to another, without a lock
 */
#ifndef TCPHS_SPSC_H
#define TCPHS_SPSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPSC_LINE 64 /* of a cache: what two threads write lies apart */

struct spsc {
	uint8_t *buf;
	size_t size; /* a power of two */
	/* The writer's. */
	_Alignas(SPSC_LINE) uint64_t head; /* written up to, atomic */
	uint64_t seen_tail;		   /* tail when it was looked at last */
	uint64_t pending;		   /* head after spsc_commit() */
	uint64_t lost;			   /* had no room, atomic */
	/* The reader's. */
	_Alignas(SPSC_LINE) uint64_t tail; /* read up to, atomic */
	uint64_t seen_head;
};

/**
 * spsc_init() - An empty ring
 * @size: A power of two; touched as it is used
 *
 * Return: 0 or -ENOMEM
 */
int spsc_init(struct spsc *r, size_t size);
void spsc_free(struct spsc *r);

/**
 * spsc_put() - Room for a record; the writer's
 * @len:   Bytes, in one piece, aligned to 8
 * @spare: Bytes that must be free behind it, for records that matter more
 *
 * Return: where to write it, before spsc_commit(); NULL if it is full (counted)
 */
void *spsc_put(struct spsc *r, size_t len, size_t spare);
void spsc_commit(struct spsc *r);

/**
 * spsc_peek() - The oldest record; the reader's
 *
 * Return: NULL if there is none; valid until spsc_next()
 */
const void *spsc_peek(struct spsc *r, size_t *len);
void spsc_next(struct spsc *r);

/** spsc_lost() - How many records had no room, since start; anybody's */
uint64_t spsc_lost(const struct spsc *r);

#endif
