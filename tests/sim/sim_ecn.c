/*
 * sim_ecn.c - What RFC 3168 forbids a sender, and what it owes, from the wire
 *
 *	marks are asked for (ECT) with text that is new, after both SYNs agreed,
 *	and with nothing else (6.1.4, 6.1.5);
 *	CWR goes with such text, and as often as there is a reason: an echo, a
 *	copy that was sent, or an ACK that let a loss be feared (6.1.2);
 *	ECE is said by who heard of congestion, from then on until CWR is heard
 *	(6.1.3).
 *
 * Whether text was taken is seen from outside only if it is the next, fits into
 * the window, and left no earlier than what came before it (RFC 7323, 5.3): for
 * a mark on other text nothing is owed.
 */
#include "sim.h"

#include <inttypes.h>

#include "core/seq.h"
#include "core/wire.h"

/** ecn_sent() - Judge a segment that leaves this side, but a RST */
void ecn_sent(struct watch *me, const struct tcp_seg *s)
{
	struct ecn_watch *e = &me->ecn;
	unsigned int mark = s->tos & IP_ECN_MASK;

	if (s->flags & TH_SYN) {
		SIM_REQUIRE(!mark, "ECN field %u in a SYN", mark);
		e->said |= s->flags & TH_ECE;
		return;
	}
	if (me->mixed)
		return;
	SIM_REQUIRE(!(mark || s->flags & (TH_ECE | TH_CWR)) ||
			    (e->said && e->heard),
		    "ECN %u without agreement", mark);
	if (mark)
		SIM_REQUIRE(s->len && (!e->has_sent ||
				       seq_geq(s->seq, e->sent_end)),
			    "ECN field %u in %" PRIu32 "+%" PRIu32
			    ", which is not new text",
			    mark, s->seq, s->len);
	SIM_REQUIRE(!(s->flags & TH_CWR) || mark, "CWR without new text");
	e->reasons += e->has_sent && s->len && seq_lt(s->seq, e->sent_end);
	e->ncwr += s->flags & TH_CWR ? 1 : 0;
	SIM_REQUIRE(e->ncwr <= e->reasons,
		    "%" PRIu64 " CWR for %" PRIu64 " reasons", e->ncwr,
		    e->reasons);
	SIM_REQUIRE(!(s->flags & TH_ECE) || (e->marked && !e->calm),
		    "ECE, and nothing was marked since");
	SIM_REQUIRE(!e->owes || s->flags & TH_ECE,
		    "no ECE, and text up to %" PRIu32 " was marked", e->next);
	/* A single byte may be a probe of the window, and is sent anew when
	 * there is room. */
	if (!s->len || (s->len == 1 && !mark))
		return;
	if (!e->has_sent || seq_gt(s->seq + s->len, e->sent_end))
		e->sent_end = s->seq + s->len;
	e->has_sent = true;
}

/** ecn_heard() - A segment arrives at this side, but a RST or a forgery */
void ecn_heard(const struct sim *sim, unsigned int to, struct watch *me,
	       const struct tcp_seg *s)
{
	const struct sim_opts *o = sim->opts;
	bool marked = (s->tos & IP_ECN_MASK) == IP_ECN_CE && s->len, taken;
	bool ts = s->opts & OPT_TS, late;
	struct ecn_watch *e = &me->ecn;
	uint32_t end = s->seq + s->len;

	if (s->flags & TH_SYN) {
		e->heard |= s->flags & TH_ECE;
		return;
	}
	late = ts && e->has_ts && seq_lt(s->ts_val, e->ts);
	taken = e->has_next && s->len && s->seq == e->next && !late &&
		me->text && me->has_edge && seq_leq(end, me->edge) && !e->fin &&
		e->said && e->heard && o->memory[to] >= MEMORY_ENOUGH &&
		!o->forge.replay_ppm;
	e->reasons += s->flags & TH_ECE || s->opts & OPT_SACK ||
		      s->ack == me->heard_ack;
	e->marked |= marked;
	if (s->flags & TH_CWR) {
		e->owes = false;
		e->calm = taken;
	}
	if (marked) {
		e->owes |= taken;
		e->calm = false;
	}
	if (s->len && (!e->has_next || seq_gt(end, e->next)))
		e->next = end;
	e->has_next |= s->len > 0;
	if (ts && !late)
		e->ts = s->ts_val;
	e->has_ts |= ts;
	if (s->flags & TH_FIN) /* TIME-WAIT has no marks to tell of */
		e->fin = true;
	e->owes &= !e->fin;
}
