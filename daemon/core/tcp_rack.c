/*
 * tcp_rack.c - Loss found by time (RACK, RFC 8985)
 *
 * With SACK, a transmission is lost if one that left later has arrived and a
 * reordering window has passed since this one should have. Because that speaks
 * of times and not of sequence numbers, what was sent again is judged like
 * anything else.
 */
#include "tcp_loss.h"

/* A transmission arrived: RFC 8985, 6.2, steps 1 and 2, and Karn's rule
 * (RFC 6298, 3; RFC 9293, 3.8.1 (MUST-18)). */
void tcp_rack_delivered(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a, const struct tx_rec *t,
			const struct tcp_seg *seg, struct ack_news *news)
{
	int64_t rtt = st->now_us - t->sent_us;

	if (t->flags & TX_RETRANS) {
		/* Which of its copies arrived? If the ACK came too early for
		 * the last one, it was an earlier one. */
		if (rtt < c->rtt.min_us)
			return;
		if (c->flags & CF_TS && seg->opts & OPT_TS &&
		    seq_lt(seg->ts_ecr,
			   (uint32_t)(t->sent_us / 1000) + c->ts_offset))
			return;
	} else {
		if (rtt < news->rtt_us)
			news->rtt_us = rtt;
		if (seq_lt(t->end, a->rack_fack))
			a->reordering = true;
	}
	a->rack_fack = seq_max(a->rack_fack, t->end);
	if (t->sent_us > a->rack_sent_us ||
	    (t->sent_us == a->rack_sent_us && seq_gt(t->end, a->rack_end))) {
		a->rack_sent_us = t->sent_us;
		a->rack_end = t->end;
		a->rack_rtt_us = (uint32_t)rtt;
	}
}

/* RFC 8985, 6.2, step 5 */
void tcp_rack_detect(struct stack *st, struct tcp_conn *c, struct tcp_active *a)
{
	int64_t wait = 0, reo = 0;

	a->reorder_at_us = TIME_NEVER;
	if (!a->rack_sent_us || (!a->sacked && a->recovery == RECOVERY_OPEN))
		return;
	/* Step 4: tolerance. Before any reordering was seen, three segments
	 * beyond a hole are proof enough. */
	if (a->reordering || (a->recovery == RECOVERY_OPEN &&
			      a->sacked < DUP_THRESH * c->cc.mss)) {
		reo = c->rtt.min_us / 4;
		if (reo > c->rtt.srtt_us)
			reo = c->rtt.srtt_us;
	}
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next) {
		struct tx_rec *t = tx_ptr(st, r);
		int64_t left;

		if (t->flags & (TX_SACKED | TX_LOST))
			continue;
		if (t->sent_us > a->rack_sent_us ||
		    (t->sent_us == a->rack_sent_us &&
		     seq_geq(t->end, a->rack_end)))
			continue;
		left = t->sent_us + a->rack_rtt_us + reo - st->now_us;
		/* What was sent again just now cannot be lost already, however
		 * small the round trip. */
		if (t->flags & TX_RETRANS && t->sent_us == st->now_us)
			left = 1;
		if (left <= 0)
			tcp_tx_lost(a, t);
		else if (left > wait)
			wait = left;
	}
	if (wait)
		a->reorder_at_us = st->now_us + wait;
}

void tcp_rack_expire(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	a->reorder_at_us = TIME_NEVER;
	tcp_rack_detect(st, c, a);
	if (!a->lost)
		return;
	if (a->recovery == RECOVERY_OPEN)
		tcp_recovery_enter(st, c, a, c->snd_una,
				   c->snd_nxt - c->snd_una - a->sacked);
	if (a->recovery == RECOVERY_FAST)
		tcp_recovery_room(c, a, c->snd_una, 0, false);
	tcp_wake_output(st, c);
}
