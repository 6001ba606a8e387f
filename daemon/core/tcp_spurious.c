/*
 * tcp_spurious.c - Losses that were none
 *
 * A timeout that came too early, or a segment that was overtaken and taken for
 * lost, costs more than the segments sent again: cwnd shrinks for nothing, and
 * after a timeout the whole flight would follow. So what was known before is
 * kept (struct tcp_undo) as a recovery begins, and put back when it turns out
 * that every retransmission since was needless. That shows in four ways:
 *
 *  - by itself, if what was overtaken arrives in the same batch of input, before
 *    it could be sent again;
 *  - by timestamps (Eifel, RFC 3522): an ACK advances, nothing that was sent
 *    again is left, and it answers a segment from before the first
 *    retransmission. So far none of them was needed;
 *  - without timestamps, after a timeout, by what follows the retransmission
 *    of the first segment (F-RTO, RFC 5682): new text is sent then, and if ACKs
 *    go on advancing, they are those of the originals;
 *  - by D-SACKs for each byte that was sent again (RFC 3708), a round trip
 *    later.
 *
 * cwnd goes back to what it was (RFC 9438, 4.9), not to what is in flight and a
 * little (RFC 4015, 3.2, step 8): pacing keeps the burst small that this is
 * meant to prevent. If an ACK carries ECE, there was congestion all the same.
 */
#include "tcp_loss.h"

enum frto {
	FRTO_OFF,
	FRTO_FIRST, /* step 2: for the ACK of the retransmission */
	FRTO_SECOND /* step 3: new text left, for what comes next */
};

/* RFC 5682, 2.1 and 3.1: new segments of step 2, cwnd in step 3 (a). */
#define FRTO_NEW_SEGMENTS 2
#define FRTO_CWND	  3

static void probed_before(const struct stack *st, const struct tcp_conn *c,
			  const struct tcp_active *a, struct tcp_undo *u);
static bool none_missing(const struct tcp_active *a, const struct tcp_undo *u);
static bool eifel(const struct stack *st, const struct tcp_conn *c,
		  const struct tcp_active *a, struct tcp_undo *u,
		  const struct tcp_seg *seg, const struct ack_news *news);
static bool all_twice(struct tcp_undo *u, const struct ack_news *news);
static bool frto(struct tcp_conn *c, struct tcp_active *a,
		 const struct tcp_seg *seg, const struct ack_news *news);
static bool frto_first(struct tcp_conn *c, struct tcp_active *a,
		       const struct tcp_seg *seg, const struct ack_news *news);
static bool frto_second(struct tcp_conn *c, struct tcp_active *a,
			const struct tcp_seg *seg, const struct ack_news *news);
static void undo(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		 struct tcp_undo *u);
static void adapt(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		  const struct tcp_undo *u, const struct tcp_seg *seg,
		  const struct ack_news *news);

static struct tcp_undo *undo_of(const struct stack *st,
				const struct tcp_active *a)
{
	return a->undo ? ref_ptr(&st->arena, a->undo) : NULL;
}

void tcp_undo_save(struct stack *st, struct tcp_conn *c, struct tcp_active *a)
{
	struct tcp_undo *u = undo_of(st, a);

	if (a->recovery != RECOVERY_OPEN)
		return; /* what was before its beginning is kept */
	if (!u) {
		u = pool_get(&st->pool_undo);
		if (!u) {
			stack_limit_hit(st, LIMIT_MEMORY, &c->e.key,
					c->listener);
			return;
		}
		a->undo = ptr_ref(&st->arena, u);
	}
	*u = (struct tcp_undo){
		.cc = c->cc,
		.ccs = a->ccs,
		.rtt = c->rtt,
		.una = c->snd_una,
		.nxt = c->snd_nxt,
		.cwr_end = a->cwr_end,
		.cwr = c->flags & CF_CWR,
	};
	probed_before(st, c, a, u);
}

/* A tail loss probe that is out is a retransmission, too. */
static void probed_before(const struct stack *st, const struct tcp_conn *c,
			  const struct tcp_active *a, struct tcp_undo *u)
{
	if (!a->tlp_out || !a->tlp_retrans)
		return;
	for (ref_t r = a->tx_tail; r; r = tx_ptr(st, r)->prev) {
		const struct tx_rec *t = tx_ptr(st, r);

		if (seq_gt(t->end, a->tlp_end))
			continue; /* new text that followed */
		if (t->end != a->tlp_end || !(t->flags & TX_RETRANS))
			return;
		u->some = true;
		u->ts = tcp_rack_echo(c, a, t->sent_us);
		u->resent = tx_len(t);
		return;
	}
}

void tcp_undo_timeout(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a)
{
	struct tcp_undo *u = undo_of(st, a);

	/* RFC 5682, 2.1 (1) and 3.1 (1): not in a recovery. With timestamps
	 * the first ACK will tell. */
	a->frto = FRTO_OFF;
	if (u && a->recovery == RECOVERY_OPEN && !(c->flags & CF_TS))
		a->frto = FRTO_FIRST;
	if (u)
		u->timeout = true;
}

void tcp_undo_resent(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     uint32_t len)
{
	struct tcp_undo *u = undo_of(st, a);

	if (!u || a->recovery == RECOVERY_OPEN)
		return;
	if (!u->some)
		u->ts = tcp_rack_echo(c, a, st->now_us);
	u->some = true;
	u->resent += len;
}

void tcp_undo_leave(struct stack *st, struct tcp_conn *c, struct tcp_active *a)
{
	struct tcp_undo *u = undo_of(st, a);

	/* The D-SACKs of the last retransmissions are still to come. */
	a->frto = FRTO_OFF;
	if (u)
		u->nxt_then = c->snd_nxt;
}

void tcp_undo_drop(struct stack *st, struct tcp_active *a)
{
	struct tcp_undo *u = undo_of(st, a);

	a->undo = 0;
	a->frto = FRTO_OFF;
	if (u)
		pool_put(&st->pool_undo, u);
}

void tcp_undo_ack(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		  const struct tcp_seg *seg, const struct ack_news *news)
{
	struct tcp_undo *u = undo_of(st, a);

	if (!u)
		return;
	if (u->undone) {
		adapt(st, c, a, u, seg, news);
		return;
	}
	if (c->flags & CF_ECN && seg->flags & TH_ECE) { /* RFC 4015, 3.2 */
		tcp_undo_drop(st, a);
		return;
	}
	if (all_twice(u, news) || none_missing(a, u) ||
	    (a->recovery != RECOVERY_OPEN &&
	     (eifel(st, c, a, u, seg, news) || frto(c, a, seg, news))))
		undo(st, c, a, u);
	else if (a->recovery == RECOVERY_OPEN && seq_gt(seg->ack, u->nxt_then))
		tcp_undo_drop(st, a);
}

bool tcp_undo_waits(const struct tcp_active *a)
{
	return a->frto == FRTO_SECOND;
}

/* All that was taken for lost arrived, and the network had it once. */
static bool none_missing(const struct tcp_active *a, const struct tcp_undo *u)
{
	return a->recovery == RECOVERY_FAST && !a->lost && !u->some;
}

/* RFC 3522, 3.2 */
static bool eifel(const struct stack *st, const struct tcp_conn *c,
		  const struct tcp_active *a, struct tcp_undo *u,
		  const struct tcp_seg *seg, const struct ack_news *news)
{
	if (!news->acked || !u->some || u->needed ||
	    !(c->flags & CF_TS && seg->opts & OPT_TS))
		return false;
	if (!tcp_ack_precedes(c, seg, u->ts)) {
		u->needed = true;
		return false;
	}
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next)
		if (tx_ptr(st, r)->flags & TX_RETRANS)
			return false;
	return true;
}

/* RFC 3708, 3.2, counted in bytes. What came twice before the recovery, or was
 * not sent by then, is none of its retransmissions. */
static bool all_twice(struct tcp_undo *u, const struct ack_news *news)
{
	tcp_seq start = seq_max(news->dsack.start, u->una);
	tcp_seq end = seq_min(news->dsack.end, u->nxt);

	if (news->dsack.start == news->dsack.end || seq_geq(start, end))
		return false;
	u->resent -= u->resent < end - start ? u->resent : end - start;
	return u->some && !u->resent;
}

static bool frto(struct tcp_conn *c, struct tcp_active *a,
		 const struct tcp_seg *seg, const struct ack_news *news)
{
	switch ((enum frto)a->frto) {
	case FRTO_FIRST:
		return frto_first(c, a, seg, news);
	case FRTO_SECOND:
		return frto_second(c, a, seg, news);
	default:
		return false;
	}
}

/* RFC 5682, 2.1 and 3.1, step 2. New text has to be a whole segment at least,
 * or Nagle might hold it. Always false: nothing is known yet. */
static bool frto_first(struct tcp_conn *c, struct tcp_active *a,
		       const struct tcp_seg *seg, const struct ack_news *news)
{
	uint32_t wnd = (uint32_t)seg->wnd << c->snd_wscale;
	uint32_t sent = c->snd_nxt - c->snd_una;
	uint32_t room =
		wnd > c->snd_nxt - seg->ack ? wnd - (c->snd_nxt - seg->ack) : 0;

	if (!news->acked) {
		/* With SACK, a duplicate may be of what left before. */
		if (!(c->flags & CF_SACK) && tcp_ack_duplicate(c, seg))
			a->frto = FRTO_OFF;
		return false;
	}
	a->frto = FRTO_OFF;
	if (seq_geq(seg->ack, a->recover) || a->sndq.len < sent + c->cc.mss ||
	    room < c->cc.mss)
		return false;
	a->frto = FRTO_SECOND;
	a->recover = c->snd_nxt; /* RecoveryPoint */
	return false;
}

/* Step 3 */
static bool frto_second(struct tcp_conn *c, struct tcp_active *a,
			const struct tcp_seg *seg, const struct ack_news *news)
{
	bool sack = c->flags & CF_SACK;
	bool real = sack ? seq_gt(seg->ack, a->recover) ||
				    (news->sacked &&
				     seq_gt(a->rack_fack, a->recover))
			 : tcp_ack_duplicate(c, seg);

	if (!real)
		return news->original;
	a->frto = FRTO_OFF;
	if (c->cc.cwnd > FRTO_CWND * c->cc.mss)
		c->cc.cwnd = FRTO_CWND * c->cc.mss;
	return false;
}

uint32_t tcp_undo_cwnd(const struct tcp_conn *c, const struct tcp_active *a,
		       uint32_t in_flight)
{
	uint32_t most = in_flight + FRTO_NEW_SEGMENTS * c->cc.mss;

	return a->frto == FRTO_SECOND && c->cc.cwnd > most ? most : c->cc.cwnd;
}

/* RFC 4015, 3.2, steps 7 and 8; RFC 9438, 4.9 */
static void undo(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		 struct tcp_undo *u)
{
	for (ref_t r = a->tx_head; r && a->lost; r = tx_ptr(st, r)->next) {
		struct tx_rec *t = tx_ptr(st, r);

		if (t->flags & TX_LOST)
			a->lost -= tx_len(t);
		t->flags &= (uint8_t)~TX_LOST;
	}
	if (a->recovery != RECOVERY_OPEN)
		tcp_recovery_leave(st, c, a);
	a->recover = c->snd_una - 1;
	a->force_one = false;
	/* It was the small window that was full. */
	a->cwnd_limited = false;
	cc_undo(&c->cc, &a->ccs, &u->cc, &u->ccs);
	/* A mark on what is in flight still asks for a reduction, and to the
	 * peer there was none. */
	a->cwr_end = u->cwr_end;
	if (!u->cwr)
		c->flags &= ~CF_CWR;
	if (u->timeout) {
		/* What RACK knows may be of a copy that had not arrived. */
		a->rack_sent_us = 0;
		st->stats.spurious_timeouts++;
	} else {
		st->stats.spurious_recoveries++;
	}
	a->undone++;
	EVENT_CONN(st, c, LOSS_UNDONE, .a = c->cc.cwnd, .b = u->timeout);
	if (!u->timeout) {
		tcp_undo_drop(st, a);
		return;
	}
	u->undone = true;
	u->nxt_then = c->snd_nxt;
}

/* RFC 4015, 3.2, step 10: the first round trip of what was sent after that
 * timeout says how slow the path has become. */
static void adapt(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		  const struct tcp_undo *u, const struct tcp_seg *seg,
		  const struct ack_news *news)
{
	if (seq_leq(seg->ack, u->nxt_then) || news->rtt_us == NO_RTT)
		return;
	rtt_spurious(&c->rtt, &st->rtt_limits, &u->rtt, (uint32_t)news->rtt_us);
	tcp_undo_drop(st, a);
}
