/*
 * flow_text.c - What the numbers of ACKs and text say
 *
 * Text is new, or comes again. If it comes again it fills a hole (these bytes
 * were not captured before), or it was captured before; or it had been
 * acknowledged when it was sent, which makes it needless. What fills a hole was
 * late, or it was lost before it came to where the capture was made and sent
 * once more. Timestamps tell the two apart: what was late was sent before the
 * segment that overtook it, what is sent again was sent after that (RFC 7323,
 * 4.1). Where they cannot, the time since then does. What overtook it has to be
 * acknowledged before it can be sent again, which takes a round trip. Half of one
 * is the measure, for the handshake may have met a queue; all of it if both were
 * sent in one tick of the clock, and no time at all if a tick is shorter.
 *
 * No endpoint takes text beyond its window, or is told by an ACK of what it had
 * no room for. But a capture that misses packets misses windows, too, and must
 * not stand still there for good: where text beyond the window is acknowledged,
 * the two sides agree, and both are right.
 */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#define LATE_DEFAULT_US 3000  /* without a handshake to measure */
#define TICK_MAX_US	10000 /* of a clock of timestamps, as they are today */
#define FAR_BEHIND	(1 << 30)
#define HOLES_FEW	8

static void probe_taken(struct flow *f, enum side s);
static void acked_holes(struct flow *f, const struct packet *p, enum side s);
static bool was_overtaken(const struct half *me, const struct packet *p);
static void take_window(struct flow *f, const struct packet *p, enum side s);
static bool is_silly(const struct half *me, uint32_t wnd);
static void take_sack(struct half *me, const struct packet *p);
static uint8_t scale_of(const struct flow *f, const struct packet *p,
			enum side s, bool *known);
static bool in_window(struct flow *f, const struct packet *p, enum side s,
		      tcp_seq end);
static void beyond_add(struct flow *f, const struct packet *p, enum side s,
		       tcp_seq end);
static bool beyond_take(struct flow *f, const struct packet *p, enum side s);
static void fin_seen(struct flow *f, enum side s, tcp_seq fin, int64_t ns,
		     uint32_t frame);
static void skip_to(struct flow *f, const struct packet *p, enum side s,
		    tcp_seq to);
static bool is_probe(struct flow *f, const struct packet *p, enum side s);
static void again(struct flow *f, const struct packet *p, enum side s,
		  tcp_seq end);
static bool is_late(const struct flow *f, const struct packet *p,
		    const struct hole *h);
static bool was_acked(const struct half *you, tcp_seq start, tcp_seq end);
static void hole_add(struct flow *f, enum side s, const struct hole *h);
static void hole_forget(struct flow *f, enum side s);
static bool hole_room(struct half *me);
static const struct hole *hole_of(const struct half *me, tcp_seq start,
				  tcp_seq end);
static uint32_t hole_fill(struct flow *f, enum side s, tcp_seq start,
			  tcp_seq end);
static void check_ts(struct flow *f, const struct packet *p, enum side s);

void flow_ack(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s], *you = &f->half[!s];
	bool agreed = f->extra && beyond_take(f, p, !s);

	if (!(you->flags & HALF_NEXT)) {
		you->flags |= HALF_NEXT;
		you->next = p->ack;
		you->next_ns = p->ns;
	}
	if (seq_gt(p->ack, you->next))
		probe_taken(f, !s);
	if (seq_gt(p->ack, you->next)) {
		/* It may acknowledge what was not captured, but not what it
		 * has offered no room for. */
		if (!agreed && me->flags & HALF_EDGE &&
		    seq_gt(p->ack, me->edge + 1)) {
			flow_anomaly(f, ANOMALY_ACK_OUT_OF_WINDOW, s, p,
				     you->next, p->ack);
			return;
		}
		skip_to(f, p, !s, p->ack);
	}
	if (me->flags & HALF_ACK && seq_diff(me->acked, p->ack) > FAR_BEHIND) {
		flow_anomaly(f, ANOMALY_ACK_OUT_OF_WINDOW, s, p, me->acked,
			     p->ack);
		return;
	}
	if (!was_overtaken(me, p)) { /* or it says nothing of now */
		take_window(f, p, s);
		take_sack(me, p);
	}
	if (you->nholes)
		acked_holes(f, p, s);
	if (!(me->flags & HALF_ACK) || seq_gt(p->ack, me->acked))
		me->acked = p->ack;
	me->flags |= HALF_ACK;
	if (you->flags & HALF_FIN && seq_gt(p->ack, you->fin))
		you->flags |= HALF_FIN_ACKED;
	if (you->flags & HALF_BAD_SUM && seq_geq(p->ack, you->bad_end))
		you->flags |= HALF_BAD_SUM_ACKED;
}

/* What fills a window that opens again begins with the byte that probed it. */
static void probe_taken(struct flow *f, enum side s)
{
	struct half *me = &f->half[s];

	if (!(f->flags & FLOW_PROBED << s))
		return;
	f->flags &= (uint16_t) ~(FLOW_PROBED << s);
	me->next++;
	me->by_seq++;
	me->captured++;
	me->flags |= HALF_TEXT;
}

/* Those of the other side that this ACK is the first to cover. */
static void acked_holes(struct flow *f, const struct packet *p, enum side s)
{
	const struct half *me = &f->half[s], *you = &f->half[!s];
	uint32_t n = 0;

	for (uint8_t i = you->nholes; i > 0; i--) {
		tcp_seq start = you->hole[i - 1].start;

		if (me->flags & HALF_ACK && seq_lt(start, me->acked))
			break;
		n += seq_lt(start, p->ack);
	}
	if (n)
		flow_history_gap(f, !s, n);
}

/* By an ACK that it sent later. What acknowledges no less may be older by its
 * timestamp, or knows less of what came out of order. */
static bool was_overtaken(const struct half *me, const struct packet *p)
{
	tcp_seq known = p->ack, says = known;

	if (!(me->flags & HALF_ACK) || seq_gt(p->ack, me->acked))
		return false;
	if (p->ack != me->acked || (p->opts & POPT_TS && me->flags & HALF_TS &&
				    seq_lt(p->ts_val, me->ts_val)))
		return true;
	if (!(p->opts & POPT_SACK))
		return false;
	for (uint8_t i = 0; i < me->nblocks; i++)
		known = seq_max(known, me->block[i].end);
	for (uint8_t i = 0; i < p->nsacks; i++)
		says = seq_max(says, p->sack[i].end);
	return seq_lt(says, known);
}

static void take_window(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];
	bool known;
	uint32_t wnd = (uint32_t)p->wnd << scale_of(f, p, s, &known);
	tcp_seq edge = p->ack + wnd;

	if (!p->wnd && !(me->flags & HALF_WINDOW_0) && !(p->flags & TH_SYN)) {
		me->zero_windows++;
		flow_anomaly(f, ANOMALY_ZERO_WINDOW, s, p, 0, 0);
	}
	if (p->wnd && me->flags & HALF_WINDOW_0 && known && is_silly(me, wnd))
		flow_anomaly(f, ANOMALY_SILLY_WINDOW, s, p, me->mss, wnd);
	me->flags &= (uint16_t)~HALF_WINDOW_0;
	if (!p->wnd)
		me->flags |= HALF_WINDOW_0;
	if (!known)
		return;
	if (!(me->flags & HALF_WINDOW))
		me->window_min = me->window_max = wnd;
	me->flags |= HALF_WINDOW;
	if (wnd < me->window_min)
		me->window_min = wnd;
	if (wnd > me->window_max)
		me->window_max = wnd;
	/* What scaling rounds off is no shrinking (RFC 7323, 2.4). */
	if (me->flags & HALF_EDGE && seq_diff(me->edge, edge) > 1 << me->wscale)
		flow_anomaly(f, ANOMALY_WINDOW_SHRUNK, s, p, me->edge, edge);
	if (!(me->flags & HALF_EDGE) || seq_gt(edge, me->edge))
		me->edge = edge;
	me->flags |= HALF_EDGE;
}

/* RFC 9293, 3.8.6.2.2: not by less than a segment, or half of the buffer. */
static bool is_silly(const struct half *me, uint32_t wnd)
{
	return wnd < me->mss && wnd < me->window_max / 2;
}

/* RFC 7323, 2.2: only if both have offered it. Without the SYNs it cannot be
 * known. */
static uint8_t scale_of(const struct flow *f, const struct packet *p,
			enum side s, bool *known)
{
	const struct half *me = &f->half[s], *you = &f->half[!s];

	*known = flow_offer_known(me, POPT_WSCALE) &&
		 flow_offer_known(you, POPT_WSCALE);
	if (p->flags & TH_SYN || !(me->opts & you->opts & POPT_WSCALE))
		return 0;
	return me->wscale;
}

static void take_sack(struct half *me, const struct packet *p)
{
	me->nblocks = 0;
	if (!(p->opts & POPT_SACK))
		return;
	for (int i = 0; i < p->nsacks && i < BLOCKS_MAX; i++)
		me->block[me->nblocks++] =
			(struct range){p->sack[i].start, p->sack[i].end};
}

void flow_text(struct flow *f, const struct packet *p, enum side s,
	       struct copies *copies)
{
	struct half *me = &f->half[s];
	bool fin = p->flags & TH_FIN;
	tcp_seq end = p->seq + p->len + fin;

	if (!(me->flags & HALF_NEXT)) {
		me->flags |= HALF_NEXT;
		me->next = p->seq;
	}
	check_ts(f, p, s);
	if (is_probe(f, p, s) || !in_window(f, p, s, end))
		return;
	if (seq_gt(p->seq, me->next)) /* an ACK tells of text before it, too */
		skip_to(f, p, s, p->seq);
	if (end == p->seq)
		return;
	if (p->len) {
		me->flags |= HALF_TEXT;
		if (s == CLIENT && f->half[SERVER].packets &&
		    (f->flags & (FLOW_SYN | FLOW_SYNACK)) == FLOW_SYN)
			flow_anomaly(f, ANOMALY_DATA_BEFORE_ESTABLISHED, s, p,
				     0, p->len);
		if (f->half[!s].flags & HALF_EDGE && end == f->half[!s].edge)
			flow_anomaly(f, ANOMALY_WINDOW_FULL, s, p, 0,
				     f->half[!s].edge - f->half[!s].acked);
	}
	flow_contents(f, p, s, copies);
	if (fin)
		fin_seen(f, s, end - 1, p->ns, (uint32_t)p->number);
	if (seq_lt(p->seq, me->next))
		again(f, p, s, seq_min(end, me->next));
	if (seq_leq(end, me->next))
		return;
	me->by_seq += end - me->next - fin;
	me->captured += end - me->next - fin;
	me->next = end;
	me->next_ns = p->ns;
	f->flags &= (uint16_t) ~(FLOW_PROBED << s);
}

static void fin_seen(struct flow *f, enum side s, tcp_seq fin, int64_t ns,
		     uint32_t frame)
{
	struct half *me = &f->half[s];

	if (me->flags & HALF_FIN)
		return;
	me->flags |= HALF_FIN;
	me->fin = fin;
	if (f->half[!s].flags & HALF_FIN)
		return;
	f->first_fin = (uint8_t)s;
	f->fin_ns = ns;
	f->ending_frame = frame;
}

/* There was text up to @to that did not come here, or not yet. */
static void skip_to(struct flow *f, const struct packet *p, enum side s,
		    tcp_seq to)
{
	struct half *me = &f->half[s];
	struct hole h = {
		.start = me->next,
		.end = to,
		.at_us = (uint32_t)(p->ns / 1000),
		.ts_val = p->ts_val,
		/* Who acknowledges it has another clock. */
		.has_ts = p->opts & POPT_TS && to == p->seq,
	};

	hole_add(f, s, &h);
	me->by_seq += to - me->next;
	me->next = to;
	me->next_ns = p->ns;
}

static void beyond_add(struct flow *f, const struct packet *p, enum side s,
		       tcp_seq end)
{
	struct beyond *b;
	bool joins;

	if (!f->extra || end == p->seq)
		return;
	b = &f->extra->beyond[s];
	joins = b->start != b->end && seq_leq(b->start, p->seq) &&
		seq_leq(p->seq, b->end);
	if (joins && seq_leq(end, b->end))
		return;
	if (!joins)
		b->start = p->seq;
	b->end = end;
	b->fin_frame = p->flags & TH_FIN ? (uint32_t)p->number : 0;
	b->fin_ns = p->ns;
}

/* Text of @s beyond the window, which @p acknowledges or nearly so: as much of
 * what follows may be missing as a window has. */
static bool beyond_take(struct flow *f, const struct packet *p, enum side s)
{
	struct beyond b = f->extra->beyond[s];
	struct half *me = &f->half[s];
	tcp_seq text_end = b.end - !!b.fin_frame;

	if (b.start == b.end || seq_leq(p->ack, b.start) ||
	    seq_diff(p->ack, b.end) > (int32_t)f->half[!s].window_max)
		return false;
	f->extra->beyond[s] = (struct beyond){0};
	if (seq_gt(b.start, me->next))
		skip_to(f, p, s, b.start);
	me->captured += hole_fill(f, s, b.start, text_end);
	if (seq_gt(b.end, me->next)) {
		me->by_seq += text_end - me->next;
		me->captured += text_end - me->next;
		me->next = b.end;
		me->next_ns = p->ns;
		if (b.fin_frame)
			fin_seen(f, s, text_end, b.fin_ns, b.fin_frame);
	}
	return true;
}

/* Keep-alives and window probes are meant to be of no use. But the byte of a
 * probe is new, and may be taken. */
static bool is_probe(struct flow *f, const struct packet *p, enum side s)
{
	const struct half *me = &f->half[s], *you = &f->half[!s];

	if (p->len > 1 || p->flags & TH_FIN || !(you->flags & HALF_ACK))
		return false;
	if (p->seq == you->acked - 1 && p->seq == me->next - 1)
		return true;
	if (!(you->flags & HALF_WINDOW_0) || p->seq != you->acked)
		return false;
	if (p->len && p->seq == me->next)
		f->flags |= (uint16_t)(FLOW_PROBED << s);
	return true;
}

static bool in_window(struct flow *f, const struct packet *p, enum side s,
		      tcp_seq end)
{
	const struct half *me = &f->half[s], *you = &f->half[!s];

	bool beyond = you->flags & HALF_EDGE && seq_gt(p->seq, you->edge);

	if (!beyond && seq_diff(me->next, end) <= FAR_BEHIND)
		return true;
	flow_anomaly(f, ANOMALY_SEQ_OUT_OF_WINDOW, s, p,
		     beyond ? you->edge : me->next, p->seq);
	if (beyond)
		beyond_add(f, p, s, end);
	return false;
}

/* What was sent before, or stood behind a hole: from the segment's start to
 * @end. */
static void again(struct flow *f, const struct packet *p, enum side s,
		  tcp_seq end)
{
	struct half *me = &f->half[s], *you = &f->half[!s];
	bool needless = was_acked(you, p->seq, end);
	const struct hole *h = hole_of(me, p->seq, end);
	bool late = h && is_late(f, p, h);
	bool fin = me->flags & HALF_FIN && end == me->fin + 1 &&
		   hole_of(me, me->fin, end);
	uint32_t filled = hole_fill(f, s, p->seq, end);
	enum counted what = COUNTED_AGAIN;

	if (filled) {
		/* A FIN has a number, and is no text. */
		me->captured += filled - fin;
		me->by_seq -= fin;
		if (late) {
			me->late++;
			what = COUNTED_LATE;
		} else {
			me->filled_hole++;
		}
	} else if (needless) {
		me->needless++;
		what = COUNTED_NEEDLESS;
	} else {
		me->seen_before++;
		flow_lost(f, p, s);
	}
	flow_counted(f, what, s, p);
	if (p->len)
		flow_history_nth(f, 't', s,
				 me->seen_before + me->late + me->filled_hole +
					 me->needless);
}

static bool is_late(const struct flow *f, const struct packet *p,
		    const struct hole *h)
{
	bool has_ts = p->opts & POPT_TS && h->has_ts;
	int64_t late_us = LATE_DEFAULT_US, round_us;

	if (has_ts && p->ts_val != h->ts_val)
		return seq_lt(p->ts_val, h->ts_val);
	if (f->synack_frame && f->ack_frame) {
		round_us = (f->synack_ns - f->last_syn_ns + f->ack_ns -
			    f->last_synack_ns) /
			   1000;
		if (has_ts && round_us > TICK_MAX_US)
			return true;
		late_us = has_ts ? round_us : round_us / 2;
	}
	return (uint32_t)(p->ns / 1000) - h->at_us < late_us;
}

static bool was_acked(const struct half *you, tcp_seq start, tcp_seq end)
{
	if (you->flags & HALF_ACK && seq_leq(end, you->acked))
		return true;
	for (uint8_t i = 0; i < you->nblocks; i++)
		if (seq_geq(start, you->block[i].start) &&
		    seq_leq(end, you->block[i].end))
			return true;
	return false;
}

static void hole_add(struct flow *f, enum side s, const struct hole *h)
{
	struct half *me = &f->half[s];
	uint8_t at;

	if (me->nholes == HOLES_MAX)
		hole_forget(f, s);
	if (!hole_room(me)) { /* no memory: as if it had been captured */
		me->captured += h->end - h->start;
		return;
	}
	for (at = me->nholes++;
	     at > 0 && seq_gt(me->hole[at - 1].start, h->start); at--)
		me->hole[at] = me->hole[at - 1];
	me->hole[at] = *h;
}

/* The lowest. Nobody sends again what was acknowledged. */
static void hole_forget(struct flow *f, enum side s)
{
	struct half *me = &f->half[s];
	const struct half *you = &f->half[!s];

	if (!(you->flags & HALF_ACK) || seq_lt(you->acked, me->hole->end))
		me->captured += me->hole->end - me->hole->start;
	me->nholes--;
	memmove(me->hole, me->hole + 1, me->nholes * sizeof(*me->hole));
}

/* For one more: there is for a few of them, or for a power of two. */
static bool hole_room(struct half *me)
{
	size_t n = me->nholes < HOLES_FEW ? HOLES_FEW : 2u * me->nholes;
	struct hole *hole;

	if (me->hole &&
	    (me->nholes < HOLES_FEW || me->nholes & (me->nholes - 1)))
		return true;
	hole = realloc(me->hole, n * sizeof(*hole));
	if (hole)
		me->hole = hole;
	return hole;
}

/* The first one that reaches into [start, end). */
static const struct hole *hole_of(const struct half *me, tcp_seq start,
				  tcp_seq end)
{
	for (uint8_t i = 0; i < me->nholes; i++)
		if (seq_gt(me->hole[i].end, start))
			return seq_lt(me->hole[i].start, end) ? &me->hole[i]
							      : NULL;
	return NULL;
}

/* How many bytes of [start, end) were in holes; they are not any more. */
static uint32_t hole_fill(struct flow *f, enum side s, tcp_seq start,
			  tcp_seq end)
{
	struct half *me = &f->half[s];
	uint32_t filled = 0;
	uint8_t left = 0;

	for (uint8_t i = 0; i < me->nholes; i++) {
		struct hole h = me->hole[i];
		tcp_seq from = seq_max(h.start, start);
		tcp_seq to = seq_min(h.end, end);

		if (seq_geq(from, to)) {
			me->hole[left++] = h;
			continue;
		}
		filled += to - from;
		if (seq_lt(h.start, from) && seq_lt(to, h.end)) {
			/* Inside of one: it touches no other. */
			me->hole[i].end = from;
			h.start = to;
			hole_add(f, s, &h);
			return filled;
		}
		if (seq_lt(h.start, from))
			h.end = from;
		else
			h.start = to;
		if (h.start != h.end)
			me->hole[left++] = h;
	}
	me->nholes = left;
	return filled;
}

static void check_ts(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];

	if (!(p->opts & POPT_TS)) {
		/* RFC 7323, 3.2: in all segments, once both have offered it. */
		if (me->opts & f->half[!s].opts & POPT_TS &&
		    !(p->notes & NOTE_OPTIONS_CUT))
			flow_anomaly(f, ANOMALY_TS_MISSING, s, p, 0, 0);
		return;
	}
	if (!(me->flags & HALF_TS) || seq_geq(p->ts_val, me->ts_val)) {
		me->ts_val = p->ts_val;
		me->flags |= HALF_TS;
	} else if (seq_geq(p->seq, me->next) && p->len) {
		flow_anomaly(f, ANOMALY_TS_BACKWARDS, s, p, me->ts_val,
			     p->ts_val);
	}
}
