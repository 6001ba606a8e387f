/*
 * copies.h - The text that passed last, to compare with what comes again
 */
#ifndef TCPHS_COPIES_H
#define TCPHS_COPIES_H

#include <tcphs/analysis.h>

struct copies;

/* The last text of one side of a connection; 0 = none. */
typedef uint32_t copies_ref;

/* Bytes of a segment that came before: how many, how many are the same. */
struct copy_match {
	uint32_t again, same;
	bool whole; /* a segment of just its numbers came before */
};

/**
 * copies_new() - Nothing has passed yet
 * @size: Bytes that are remembered, of all connections together
 *
 * Return: to be freed with copies_free(); NULL without memory
 */
struct copies *copies_new(size_t size);
void copies_free(struct copies *c);

/** copies_match() - What came before of @p's text */
struct copy_match copies_match(const struct copies *c, copies_ref last,
			       const struct packet *p);

/** copies_add() - Remember the first bytes of @p's text
 *
 * Return: the last text from now on */
copies_ref copies_add(struct copies *c, copies_ref last,
		      const struct packet *p);

#endif
