/*
 * alert_guess.c - What does not fit a connection
 *
 * Who wants to end or alter a connection that passes elsewhere has to guess its
 * numbers, and most guesses are wrong: RSTs and SYNs within or beside the
 * window (RFC 5961), ICMP errors about nothing in flight (RFC 5927), text where
 * other text was before, packets that came over fewer or more hops than all
 * others. The stack finds them (core/tcp_odd.c for the last two), here they are
 * counted. A few happen by themselves; many within ten seconds are told. It is
 * over after ten seconds without any.
 */
#include "alert_priv.h"

#include <string.h>

static int bits_of(uint64_t set);

/* How many within the window are told. */
static const uint32_t bounds[ALERT_NKINDS] = {
	[ALERT_RST_GUESS] = 10, [ALERT_ICMP_GUESS] = 10, [ALERT_CONFLICT] = 1,
	[ALERT_TTL] = 4,	[ALERT_CHECKSUM] = 10,
};

void guess_add(struct alerts *a, enum alert_kind kind, uint32_t n,
	       const struct ip_addr *peer, uint32_t conn)
{
	struct guess *g = &a->guess[kind];

	g->seen.slot[0] += n;
	if (peer)
		g->last.source = source_prefix(peer, false);
	if (conn) {
		g->last.conn = conn;
		g->conns |= UINT64_C(1) << conn % 64;
	}
}

/* After a RST nothing may come to show that it was odd: one is enough. */
void guess_ttl(struct alerts *a, const struct event *e)
{
	struct alert *last = &a->guess[ALERT_TTL].last;

	guess_add(a, ALERT_TTL, (uint32_t)e->a, &e->peer, e->conn);
	if (e->seg_flags & TH_RST)
		a->guess[ALERT_TTL].enough = true;
	last->number[1] = e->b >> 8;
	last->number[2] = e->b & 0xff;
}

void guess_tick(struct alerts *a, const struct alert_facts *f,
		unsigned int seconds, int64_t now_us)
{
	if (a->checksums_known && f->bad_checksums > a->bad_checksums)
		guess_add(a, ALERT_CHECKSUM,
			  (uint32_t)(f->bad_checksums - a->bad_checksums), NULL,
			  0);
	a->checksums_known = true;
	a->bad_checksums = f->bad_checksums;
	for (unsigned int k = 0; k < ALERT_NKINDS; k++) {
		struct guess *g = &a->guess[k];
		uint32_t n;

		if (!bounds[k])
			continue;
		n = window_sum(&g->seen, SLOTS);
		if (!g->alert && (n >= bounds[k] || g->enough))
			g->alert = alert_raise(a, (enum alert_kind)k,
					       LISTENER_NONE, NULL, now_us);
		if (g->alert && g->seen.slot[0]) {
			g->alert->last_us = now_us;
			g->alert->source = g->last.source;
			g->alert->conn = g->last.conn;
			memcpy(g->alert->number, g->last.number,
			       sizeof(g->last.number));
			g->alert->number[0] = n;
			if (k == ALERT_RST_GUESS)
				g->alert->number[1] = bits_of(g->conns);
		}
		if (g->alert && !n)
			alert_end(a, &g->alert, now_us);
		g->enough = false;
		if (!n)
			g->conns = 0;
		window_pass(&g->seen, seconds);
	}
}

static int bits_of(uint64_t set)
{
	int n = 0;

	for (; set; set &= set - 1)
		n++;
	return n;
}
