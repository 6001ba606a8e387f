/*
 * ranges.h - A few disjoint ranges of sequence numbers, in order
 *
 * For the holes of the receive queue. At most RANGES_MAX; a range that would
 * be one too many is refused (the segment is then dropped and sent again).
 */
#ifndef TCPHS_RANGES_H
#define TCPHS_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "seq.h"

#define RANGES_MAX 16

struct range {
	tcp_seq start, end; /* [start, end) */
};

struct ranges {
	uint32_t n;
	struct range r[RANGES_MAX]; /* ascending, neither touching */
};

/**
 * ranges_add() - Add [start, end), joining what it touches
 *
 * Return: false if it would need one range too many; nothing changed then
 */
bool ranges_add(struct ranges *rs, tcp_seq start, tcp_seq end);

/** ranges_trim() - Forget everything before @seq */
void ranges_trim(struct ranges *rs, tcp_seq seq);

/** ranges_bytes() - Sum of all lengths */
uint32_t ranges_bytes(const struct ranges *rs);

/** ranges_has() - Is all of [start, end) in one range? */
bool ranges_has(const struct ranges *rs, tcp_seq start, tcp_seq end);

#endif
