/*
 * ranges.c - Disjoint ranges of sequence numbers, in order
 *
 * A sorted array, searched by halving. All ranges lie within one window, so
 * comparing on the circle puts them in order.
 */
#include "ranges.h"

#include <string.h>

#include "assert.h"

static uint32_t first_touched(const struct ranges *rs, tcp_seq start);

void ranges_init(struct ranges *rs, struct range *room, uint32_t max)
{
	*rs = (struct ranges){.r = room, .max = max};
}

void ranges_move(struct ranges *rs, struct range *room, uint32_t max)
{
	ASSERT(rs->n <= max);
	memcpy(room, rs->r, rs->n * sizeof(rs->r[0]));
	rs->r = room;
	rs->max = max;
}

bool ranges_fit(const struct ranges *rs, tcp_seq start, tcp_seq end)
{
	uint32_t at;

	if (start == end || rs->n < rs->max)
		return true;
	at = first_touched(rs, start);
	return at < rs->n && seq_leq(rs->r[at].start, end);
}

bool ranges_add(struct ranges *rs, tcp_seq start, tcp_seq end)
{
	uint32_t from, to;

	if (start == end)
		return true;
	/* Those in [from, to) touch or overlap the new one and become it. */
	to = from = first_touched(rs, start);
	while (to < rs->n && seq_leq(rs->r[to].start, end))
		to++;
	if (from == to && rs->n == rs->max)
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

uint32_t ranges_find(const struct ranges *rs, tcp_seq seq)
{
	return first_touched(rs, seq + 1);
}

void ranges_trim(struct ranges *rs, tcp_seq seq)
{
	uint32_t gone = ranges_find(rs, seq);

	if (gone > 0) {
		rs->n -= gone;
		memmove(rs->r, &rs->r[gone], rs->n * sizeof(rs->r[0]));
	}
	if (rs->n > 0)
		rs->r[0].start = seq_max(rs->r[0].start, seq);
}

void ranges_cut(struct ranges *rs, tcp_seq seq)
{
	uint32_t at = ranges_find(rs, seq);

	if (at < rs->n && seq_lt(rs->r[at].start, seq))
		rs->r[at++].end = seq;
	rs->n = at;
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
	uint32_t at = ranges_find(rs, start);

	return at < rs->n && seq_leq(rs->r[at].start, start) &&
	       seq_leq(end, rs->r[at].end);
}

/* The first one that ends at @start or beyond. */
static uint32_t first_touched(const struct ranges *rs, tcp_seq start)
{
	uint32_t low = 0, high = rs->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (seq_lt(rs->r[mid].end, start))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
