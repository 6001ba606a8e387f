/*
 * ranges.c - A few disjoint ranges of sequence numbers, in order
 *
 * A sorted array: with 16 entries at most, and none or one nearly always, a
 * walk from the start is the fastest search there is. All ranges lie within
 * one window, so comparing on the circle puts them in order.
 */
#include "ranges.h"

#include <string.h>

bool ranges_add(struct ranges *rs, tcp_seq start, tcp_seq end)
{
	uint32_t from = 0, to;

	if (start == end)
		return true;
	/* Those in [from, to) touch or overlap the new one and become it. */
	while (from < rs->n && seq_lt(rs->r[from].end, start))
		from++;
	to = from;
	while (to < rs->n && seq_leq(rs->r[to].start, end))
		to++;
	if (from == to && rs->n == RANGES_MAX)
		return false;
	if (from < to) {
		start = seq_min(start, rs->r[from].start);
		end = seq_max(end, rs->r[to - 1].end);
	}
	memmove(&rs->r[from + 1], &rs->r[to], (rs->n - to) * sizeof(rs->r[0]));
	rs->n = rs->n + 1 - (to - from);
	rs->r[from] = (struct range){start, end};
	return true;
}

void ranges_trim(struct ranges *rs, tcp_seq seq)
{
	uint32_t gone = 0;

	while (gone < rs->n && seq_leq(rs->r[gone].end, seq))
		gone++;
	if (gone > 0) {
		rs->n -= gone;
		memmove(rs->r, &rs->r[gone], rs->n * sizeof(rs->r[0]));
	}
	if (rs->n > 0)
		rs->r[0].start = seq_max(rs->r[0].start, seq);
}

uint32_t ranges_bytes(const struct ranges *rs)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < rs->n; i++)
		sum += rs->r[i].end - rs->r[i].start;
	return sum;
}

bool ranges_has(const struct ranges *rs, tcp_seq start, tcp_seq end)
{
	for (uint32_t i = 0; i < rs->n; i++)
		if (seq_leq(rs->r[i].start, start) &&
		    seq_leq(end, rs->r[i].end))
			return true;
	return false;
}
