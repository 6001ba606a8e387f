/*
 * alert_guess.c - What does not fit a connection
 *
 * Who wants to end or alter a connection that passes elsewhere has to guess its
 * numbers, and most guesses are wrong: RSTs and SYNs within or beside the
 * window (RFC 5961), ICMP errors about nothing in flight (RFC 5927), text where
 * other text was before, packets that came over fewer or more hops than all
 * others. A few of these happen by themselves; many within ten seconds are told.
 * It is over after ten seconds without any.
 *
 * Of text only the first bytes of each segment are kept, by number, for the
 * last few thousand: a segment of the same number must begin the same. A
 * single byte is not compared: keep-alives carry one that is not theirs
 * (RFC 1122, 4.2.3.6). A TTL counts as a jump when the usual one comes back: a
 * route that changed does not.
 */
#include "alert_priv.h"

#include <string.h>

_Static_assert(TEXTS == 1 << 12, "text_place() has 12 bits");

#define ROUTE_CHANGED 3 /* odd TTLs in a row: the usual one is another now */
#define TTL_NEAR      1 /* paths of a bundle differ by so much */
/* Older text of the same number may be 4 GiB away, unless it was dropped as a
 * duplicate. */
#define TEXT_FRESH_MS 500

/* What the judge reads in a packet. */
struct view {
	uint8_t ttl, flags;
	uint32_t seq, len;
	const uint8_t *text;
};

static int bits_of(uint64_t set);
static bool view_packet(struct view *v, const struct stack_packet *p);
static void look_at_ttl(struct alerts *a, const struct stack_packet *p,
			const struct view *v);
static void look_at_text(struct alerts *a, const struct stack_packet *p,
			 const struct view *v);

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

void guess_packet(struct alerts *a, const struct stack_packet *p)
{
	struct view v;

	/* What was dropped for its header or checksum says nothing of anybody;
	 * all else counts, for a guess is what is dropped. */
	if (p->drop != DROP_NONE && p->drop < DROP_SEQ)
		return;
	if (!view_packet(&v, p))
		return;
	a->active_since = true;
	look_at_ttl(a, p, &v);
	if (v.len > 1 && (p->drop == DROP_NONE || p->drop == DROP_DUPLICATE))
		look_at_text(a, p, &v);
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
		if (!g->alert && n >= bounds[k])
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

/* IPv4, or IPv6 without extension headers, and TCP behind it. */
static bool view_packet(struct view *v, const struct stack_packet *p)
{
	const uint8_t *b = p->iov[0].iov_base;
	size_t len = p->iov[0].iov_len, head, end, tcp;

	if (len < 40)
		return false;
	if (b[0] >> 4 == 4) {
		head = (b[0] & 15u) * 4;
		end = (size_t)b[2] << 8 | b[3];
		v->ttl = b[8];
		/* Not TCP, or a piece of it. */
		if (b[9] != 6 || (b[6] & 0x3f) || b[7])
			return false;
	} else {
		head = 40;
		end = 40 + ((size_t)b[4] << 8 | b[5]);
		v->ttl = b[7];
		if (b[6] != 6)
			return false;
	}
	if (end > len || head + 20 > end)
		return false;
	b += head;
	tcp = (b[12] >> 4) * 4u;
	if (tcp < 20 || head + tcp > end)
		return false;
	v->seq = (uint32_t)b[4] << 24 | (uint32_t)b[5] << 16 |
		 (uint32_t)b[6] << 8 | b[7];
	v->flags = b[13];
	v->text = b + tcp;
	v->len = (uint32_t)(end - head - tcp);
	return true;
}

static void look_at_ttl(struct alerts *a, const struct stack_packet *p,
			const struct view *v)
{
	struct ttl_usual *t = &a->ttl[p->conn % TTLS];
	unsigned int off;

	if (t->conn != p->conn) {
		*t = (struct ttl_usual){.conn = p->conn, .ttl = v->ttl};
		return;
	}
	off = v->ttl > t->ttl ? v->ttl - t->ttl : t->ttl - v->ttl;
	if (off > TTL_NEAR) {
		t->other = v->ttl;
		/* After a RST nothing may come back to show that it was odd. */
		if (v->flags & TH_RST)
			t->odd = ROUTE_CHANGED + 1;
		else if (++t->odd < ROUTE_CHANGED)
			return;
		if (t->odd == ROUTE_CHANGED) {
			t->ttl = v->ttl;
			t->odd = 0;
			return;
		}
	}
	if (!t->odd)
		return;
	guess_add(a, ALERT_TTL, t->odd, &p->peer, p->conn);
	a->guess[ALERT_TTL].last.number[1] = t->other;
	a->guess[ALERT_TTL].last.number[2] = t->ttl;
	t->odd = 0;
}

/* One multiplication (Knuth's): it is made for each packet with text. */
static uint32_t text_place(uint32_t conn, uint32_t seq)
{
	return (seq + conn * 0x85ebca6bu) * 0x9e3779b1u >> 20;
}

static void look_at_text(struct alerts *a, const struct stack_packet *p,
			 const struct view *v)
{
	struct text_start *t = &a->text[text_place(p->conn, v->seq)];
	uint8_t len = v->len < TEXT_BYTES ? (uint8_t)v->len : TEXT_BYTES;
	uint32_t now_ms = (uint32_t)(p->at_us / 1000);

	if (t->conn == p->conn && t->seq == v->seq &&
	    (p->drop == DROP_DUPLICATE || now_ms - t->at_ms < TEXT_FRESH_MS)) {
		uint8_t both = len < t->len ? len : t->len;

		if (memcmp(t->bytes, v->text, both) != 0) {
			guess_add(a, ALERT_CONFLICT, 1, &p->peer, p->conn);
			return; /* the first one was taken */
		}
		if (len <= t->len)
			return;
	}
	t->conn = p->conn;
	t->seq = v->seq;
	t->at_ms = now_ms;
	t->len = len;
	memcpy(t->bytes, v->text, len);
}
