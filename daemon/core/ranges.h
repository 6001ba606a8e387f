/*
 * ranges.h - Disjoint ranges of sequence numbers, in order
 *
 * For the holes of the receive queue. They lie where the owner has room for
 * them; a range that would be one too many is refused.
 */
#ifndef TCPHS_RANGES_H
#define TCPHS_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"

struct range {
	tcp_seq start, end; /* [start, end) */
};

struct ranges {
	struct range *r; /* ascending, none touching another */
	uint32_t n, max;
};

/** ranges_init() - None, with room for @max of them */
void ranges_init(struct ranges *rs, struct range *room, uint32_t max);

/** ranges_move() - To another room, large enough for those that are there */
void ranges_move(struct ranges *rs, struct range *room, uint32_t max);

/** ranges_fit() - Would ranges_add() find room? */
bool ranges_fit(const struct ranges *rs, tcp_seq start, tcp_seq end);

/**
 * ranges_add() - Add [start, end), joining what it touches
 *
 * Return: false if it would need one range too many; nothing changed then
 */
bool ranges_add(struct ranges *rs, tcp_seq start, tcp_seq end);

/** ranges_find() - Index of the first one that ends beyond @seq; n if none */
uint32_t ranges_find(const struct ranges *rs, tcp_seq seq);

/** ranges_trim() - Forget everything before @seq */
void ranges_trim(struct ranges *rs, tcp_seq seq);

/** ranges_cut() - Forget everything from @seq on */
void ranges_cut(struct ranges *rs, tcp_seq seq);

/** ranges_bytes() - Sum of all lengths */
uint32_t ranges_bytes(const struct ranges *rs);

/** ranges_has() - Is all of [start, end) in one range? */
bool ranges_has(const struct ranges *rs, tcp_seq start, tcp_seq end);

#endif
