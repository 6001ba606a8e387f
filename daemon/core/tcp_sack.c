/*
 * tcp_sack.c - What the peer is told about holes (RFC 2018, 2883)
 *
 * A segment beyond a hole leaves its number in a list, the newest first, where
 * it stands for the range it fell into. Each ACK has room for three blocks: the
 * ranges that came last, and what is left of the room repeats those told before,
 * so that an ACK may be lost.
 *
 * All segments of a batch are taken before anything is answered (RFC 9293,
 * 3.10.7.4 (MUST-59)), and more than three ranges may have changed by then, or
 * several segments may have come twice. A range that was never told would be
 * sent again; a duplicate that was never told leaves its sender believing in a
 * congestion that was none. Hence as many ACKs leave as it takes to tell all
 * of it (tcp_sack_owed()). Peers without SACK count duplicate ACKs: they get one
 * for each segment out of order (RFC 5681, 4.2).
 *
 * And what came before a hole that is new has an ACK of its own, without blocks.
 * One that tells both lets its sender go into recovery at once, and what it
 * acknowledges makes no cwnd grow then (RFC 5681, 3.2): with 1 % lost, the
 * kernel's CUBIC had 3 % less for that. Not so where there was a hole before: by
 * time (RFC 8985), text in front of what was acknowledged last and in no block is
 * lost, and one repair in forty was needless.
 */
#include <string.h>

#include "tcp_priv.h"

static bool in_block(const struct sack_block *b, tcp_seq seq);
static bool tells_later(const struct tcp_conn *c, const struct tcp_active *a);
static unsigned int blocks(const struct tcp_conn *c, const struct tcp_active *a,
			   struct sack_block *b, unsigned int *untold);

void tcp_sack_early(const struct tcp_conn *c, struct tcp_active *a, tcp_seq seq)
{
	const struct ranges *ooo = &a->rcvq.ooo;
	uint32_t at = ranges_find(ooo, seq);
	unsigned int n = 0, untold = 1;
	struct sack_block it;
	tcp_seq old[SACK_LIST_MAX];

	if (!(c->flags & CF_SACK)) {
		if (a->dupacks_owed < UINT8_MAX)
			a->dupacks_owed++;
		return;
	}
	ASSERT(at < ooo->n);
	it = (struct sack_block){ooo->r[at].start, ooo->r[at].end};
	memcpy(old, a->sack_list, sizeof(old));
	/* What lies in the same range now, or is in order, goes. */
	for (unsigned int i = 0; i < a->nsack_list; i++) {
		if (in_block(&it, old[i]) || seq_lt(old[i], c->rcv_nxt) ||
		    n == SACK_LIST_MAX - 1)
			continue;
		a->sack_list[++n] = old[i];
		untold += i < a->sack_untold;
	}
	a->sack_list[0] = seq;
	a->nsack_list = (uint8_t)(n + 1);
	a->sack_untold = (uint8_t)untold;
}

/* The first of the ACKs owed will not be a duplicate then. */
void tcp_sack_advanced(const struct tcp_conn *c, struct tcp_active *a)
{
	a->dupacks_owed = !(c->flags & CF_SACK) && a->rcvq.ooo.n;
}

void tcp_sack_twice(const struct tcp_conn *c, struct tcp_active *a,
		    tcp_seq start, tcp_seq end)
{
	struct sack_block *last = a->dsack + a->ndsack - 1;

	if (!(c->flags & CF_SACK) || start == end)
		return;
	if (a->ndsack && last->end == start)
		last->end = end;
	else if (a->ndsack < DSACK_MAX)
		a->dsack[a->ndsack++] = (struct sack_block){start, end};
}

unsigned int tcp_sack_count(const struct tcp_conn *c,
			    const struct tcp_active *a)
{
	struct sack_block b[SACK_BLOCKS_MAX];
	unsigned int untold;

	return blocks(c, a, b, &untold);
}

void tcp_sack_fill(const struct tcp_conn *c, struct tcp_active *a,
		   struct tcp_seg *s)
{
	unsigned int untold;

	s->nsack = (uint8_t)blocks(c, a, s->sack, &untold);
	a->sack_untold = (uint8_t)untold;
	a->sack_held = a->rcvq.ooo.n > 0;
	if (s->nsack)
		s->opts |= OPT_SACK;
	if (a->ndsack) {
		a->ndsack--;
		memmove(a->dsack, a->dsack + 1,
			a->ndsack * sizeof(a->dsack[0]));
	}
}

bool tcp_sack_owed(const struct tcp_active *a)
{
	return a->ndsack || a->sack_untold || a->dupacks_owed;
}

static bool in_block(const struct sack_block *b, tcp_seq seq)
{
	return seq_geq(seq, b->start) && seq_lt(seq, b->end);
}

/* All holes are of this batch, and so is some text in front of them. */
static bool tells_later(const struct tcp_conn *c, const struct tcp_active *a)
{
	return a->rcvq.ooo.n && !a->sack_held && c->rcv_nxt != c->last_ack &&
	       !a->ndsack && a->sack_untold;
}

/* RFC 2883, 4: first what arrived twice, one at a time. Then the oldest of those
 * that were not told, as they would have been if each segment had had an ACK
 * of its own, the newest of them first (RFC 2018, 4). @untold: how many of the
 * list are left then. */
static unsigned int blocks(const struct tcp_conn *c, const struct tcp_active *a,
			   struct sack_block *b, unsigned int *untold)
{
	const unsigned int most = c->flags & CF_TS ? 3 : 4;
	const struct ranges *ooo = &a->rcvq.ooo;
	unsigned int n = 0, from;

	*untold = 0;
	if (!(c->flags & CF_SACK))
		return 0;
	if (tells_later(c, a)) {
		*untold = a->sack_untold;
		return 0;
	}
	if (a->ndsack)
		b[n++] = a->dsack[0];
	if (!ooo->n)
		return n;
	from = a->sack_untold > most - n ? a->sack_untold - (most - n) : 0;
	*untold = from;
	for (unsigned int i = from; i < a->nsack_list && n < most; i++) {
		uint32_t at = ranges_find(ooo, a->sack_list[i]);
		bool told = false;

		if (at == ooo->n || seq_gt(ooo->r[at].start, a->sack_list[i]))
			continue;
		for (unsigned int k = a->ndsack > 0; k < n; k++)
			told |= in_block(&b[k], a->sack_list[i]);
		if (!told)
			b[n++] = (struct sack_block){ooo->r[at].start,
						     ooo->r[at].end};
	}
	return n;
}
