/*
 * tcp_ecn.c - Explicit congestion notification (RFC 3168)
 *
 * RFC 9293, 3.8.2 (SHLD-8). Two sides that agreed on it in their SYNs (ECE and
 * CWR there, ECE alone in the answer) send new text with ECT(0) in the IP
 * header. A router that would have dropped it writes CE instead; the receiver
 * says ECE with every ACK until it sees CWR; the sender slows down as for a
 * loss, once a round trip, and says CWR with the next new text.
 *
 * Marked is only what is worth it: text sent for the first time (RFC 3168, 6.1.4
 * to 6.1.6; not the experiments of RFC 8311, 4.3). The bit beside these two,
 * with which RFC 9768 asks for more accurate counts, is neither read nor set:
 * such a peer then falls back to what is here.
 */
#include "tcp_loss.h"

#define SETUP (TH_ECE | TH_CWR)

bool tcp_ecn_syn(const struct stack *st, const struct tcp_seg *seg)
{
	/* An ECN field that is not zero in a SYN (6.1.1 forbids it) was put
	 * there on the way, and so it would be in all that follows. */
	return st->conf.ecn != ECN_NO && (seg->flags & SETUP) == SETUP &&
	       (seg->tos & IP_ECN_MASK) == 0;
}

void tcp_ecn_answered(struct tcp_conn *c, const struct tcp_seg *seg)
{
	/* What a SYN asks with, and what a SYN-ACK agrees with (6.1.1.2: not
	 * by sending back what it got). */
	uint8_t want = seg->flags & TH_ACK ? TH_ECE : SETUP;

	if ((seg->flags & SETUP) != want)
		c->flags &= ~CF_ECN;
}

uint8_t tcp_ecn_syn_flags(struct tcp_conn *c)
{
	if (!(c->flags & CF_ECN))
		return 0;
	if (c->state != TCP_SYN_SENT)
		return TH_ECE;
	if (!c->rexmt_count)
		return SETUP;
	/* 6.1.1.1: some filters drop a SYN with these bits. A late answer to
	 * the first one still agrees to echo marks, but who has sent a SYN
	 * without them must not mark. */
	c->flags |= CF_NO_ECT;
	return 0;
}

void tcp_ecn_receive(struct stack *st, struct tcp_conn *c,
		     const struct tcp_seg *seg)
{
	bool text = seg->len > 0;

	if (!(c->flags & CF_ECN))
		return;
	if (seg->flags & TH_CWR && c->flags & CF_ECE) {
		c->flags &= ~CF_ECE;
		/* Its window may be so small that it waits for this ACK. */
		c->flags |= text ? CF_ACK_NOW : 0;
	}
	/* 6.1.5: what does not fit into the window does not count. */
	if ((seg->tos & IP_ECN_MASK) != IP_ECN_CE || !text)
		return;
	st->stats.ce_in++;
	if (!(c->flags & CF_ECE))
		c->flags |= CF_ECE | CF_ACK_NOW; /* the sooner it slows down */
}

void tcp_ecn_mark(struct tcp_conn *c, struct tcp_seg *seg)
{
	if (!(c->flags & CF_ECN) || c->flags & CF_NO_ECT)
		return;
	seg->tos |= IP_ECN_ECT0;
	if (c->flags & CF_CWR)
		seg->flags |= TH_CWR;
	c->flags &= ~CF_CWR;
}

void tcp_ecn_reduced(struct tcp_conn *c, struct tcp_active *a)
{
	/* 6.1.2: for whatever reason, also for one the peer knows nothing of,
	 * and marks on what is in flight ask for nothing more. */
	if (c->flags & CF_ECN && !(c->flags & CF_NO_ECT))
		c->flags |= CF_CWR;
	a->cwr_end = c->snd_nxt;
}

bool tcp_ecn_ack(struct stack *st, struct tcp_conn *c,
		 const struct tcp_seg *seg)
{
	struct tcp_active *a = conn_active(st, c);
	uint32_t mss = c->cc.mss, from;

	a->cwr_end = seq_max(a->cwr_end, c->snd_una);
	if (!(seg->flags & TH_ECE) || !(c->flags & CF_ECN))
		return false;
	st->stats.ece_in++;
	/* 6.1.2: once for what was in flight, and not beside a loss. */
	if (a->recovery != RECOVERY_OPEN || seq_leq(seg->ack, a->cwr_end))
		return true;
	st->stats.ecn_reductions++;
	if (c->cc.cwnd <= mss)
		/* 6.1.2: less than a segment a round trip is one an RTO. */
		a->hold_until_us = st->now_us + tcp_rto_us(st, c);
	from = tcp_recovery_reduce(st, c, a, c->snd_nxt - c->snd_una);
	/* RFC 9438, 4.6: two segments is the least after a loss, not here. */
	if (c->cc.cwnd >= from)
		c->cc.cwnd = mss;
	tcp_ecn_reduced(c, a);
	return true;
}
