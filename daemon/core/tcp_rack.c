/*
 * tcp_rack.c - Loss found by time (RACK, RFC 8985)
 *
 * With SACK, a transmission is lost if one that left later has arrived and a
 * reordering window has passed since this one should have. Because that speaks
 * of times and not of sequence numbers, what was sent again is judged like
 * anything else: a retransmission that is lost is found lost.
 *
 * The window is none as long as nothing shows that the path reorders, a quarter
 * of the smallest round trip once it does, and a quarter more for each round
 * trip in which the peer says that something came twice (D-SACK, RFC 2883),
 * which is what a window that is too small ends in.
 *
 * A repair overtakes what is late behind the hole, too, and then makes it look
 * old: by PAWS to the letter (RFC 7323, 5.3) a segment is thrown away whose
 * timestamp is below that of one which lay in order. That is found lost a round
 * trip later, its repair does the same, and each time cwnd shrinks. So where the
 * path reorders, what is sent again says that it left a quarter of a round trip
 * earlier, but no earlier than all in front of it. (At 1 Gbit/s and 50 ms, with
 * 5 % late by 5 ms, a receiver of Linux threw away 286 to 1,067 segments in the
 * four seconds after a queue had overflown, and 360 to 570 Mbit/s got through;
 * now 4 to 13, and 800 to 850.)
 */
#include "tcp_loss.h"

#define REO_MULT_MAX   UINT8_MAX
#define REO_PERSIST    16 /* recoveries: RFC 8985, 6.2, step 4 */
#define REORDERING_MAX UINT16_MAX

static int64_t late_us(const struct tcp_conn *c, const struct tcp_active *a);
static int64_t reo_wnd_us(const struct tcp_conn *c, const struct tcp_active *a);
static void reordered(const struct tcp_conn *c, struct tcp_active *a,
		      const struct tx_rec *t);
static bool sent_before(const struct tx_rec *t, const struct tcp_active *a);

/* RFC 8985, 6.2, steps 1 to 3, and Karn's rule (RFC 6298, 3; RFC 9293, 3.8.1
 * (MUST-18)). */
void tcp_rack_delivered(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a, const struct tx_rec *t,
			const struct tcp_seg *seg, struct ack_news *news)
{
	int64_t rtt = st->now_us - t->sent_us;

	if (t->flags & TX_RETRANS) {
		/* Which of its copies arrived? If the ACK came too early for
		 * the last one, it was an earlier one. The timestamp tells
		 * exactly, but it is that of the segment which moved the left
		 * edge (RFC 7323, 4.3): behind a hole it would be older than
		 * any retransmission, and says nothing. */
		if (rtt < c->rtt.min_us ||
		    (seq_leq(t->end, seg->ack) &&
		     tcp_ack_precedes(c, seg,
				      tcp_rack_echo(c, a, t->sent_us)))) {
			/* It was late and not lost. The RFC asks those alone
			 * that were not sent again, but if all that come late
			 * are, it would never learn. */
			if (seq_lt(t->end, a->rack_fack))
				reordered(c, a, t);
			return;
		}
	} else {
		if (rtt < news->rtt_us)
			news->rtt_us = rtt;
		if (seq_lt(t->end, a->rack_fack))
			reordered(c, a, t);
	}
	a->rack_fack = seq_max(a->rack_fack, t->end);
	if (sent_before(t, a))
		return;
	a->rack_sent_us = t->sent_us;
	a->rack_end = t->end;
	a->rack_rtt_us = (uint32_t)rtt;
}

/* Step 4: the window grows with each round trip that saw a D-SACK. */
void tcp_rack_dsack(const struct tcp_conn *c, struct tcp_active *a, tcp_seq ack)
{
	if (a->reo_grown && seq_lt(ack, a->reo_round))
		return;
	a->reo_grown = true;
	a->reo_round = c->snd_nxt;
	a->reo_persist = REO_PERSIST;
	if (a->reo_mult < REO_MULT_MAX)
		a->reo_mult++;
}

/* Step 4: sixteen recoveries later it is tried with the small one again. */
void tcp_rack_recovered(struct tcp_active *a)
{
	if (a->reo_persist && --a->reo_persist == 0)
		a->reo_mult = 1;
}

/* Step 5 */
void tcp_rack_detect(struct stack *st, struct tcp_conn *c, struct tcp_active *a)
{
	int64_t wait = 0, reo;

	a->reorder_at_us = TIME_NEVER;
	if (seq_geq(c->snd_una, a->reo_round))
		a->reo_grown = false;
	if (!a->rack_sent_us || (!a->sacked && a->recovery == RECOVERY_OPEN))
		return;
	reo = reo_wnd_us(c, a);
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next) {
		struct tx_rec *t = tx_ptr(st, r);
		int64_t left;

		if (t->flags & (TX_SACKED | TX_LOST))
			continue;
		if (!sent_before(t, a)) {
			if (t->flags & TX_RETRANS)
				continue;
			break; /* nor did anything behind it */
		}
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

/* RFC 8985, 6.3: an RTO says that the first one is lost; what left so late that
 * its ACK is not due yet may well arrive. */
void tcp_rack_timeout(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a)
{
	int64_t reo = reo_wnd_us(c, a);

	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next) {
		struct tx_rec *t = tx_ptr(st, r);

		if (r == a->tx_head ||
		    t->sent_us + a->rack_rtt_us + reo <= st->now_us)
			tcp_tx_lost(a, t);
	}
}

uint32_t tcp_rack_stamp(const struct stack *st, const struct tcp_conn *c,
			struct tcp_active *a, const struct tx_rec *t)
{
	int64_t us = st->now_us - late_us(c, a);

	/* What lies in front left before it did, and its repairs, too. */
	if (us < t->sent_us)
		us = t->sent_us;
	if (us > a->stamp_us)
		a->stamp_us = us;
	return (uint32_t)(a->stamp_us / 1000) + c->ts_offset;
}

uint32_t tcp_rack_echo(const struct tcp_conn *c, const struct tcp_active *a,
		       int64_t sent_us)
{
	return (uint32_t)((sent_us - 2 * late_us(c, a)) / 1000) + c->ts_offset;
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

/* How much later than others something may come: what the window is at first,
 * once the path is known to reorder. */
static int64_t late_us(const struct tcp_conn *c, const struct tcp_active *a)
{
	return a->reordering ? c->rtt.min_us / 4 : 0;
}

/* Step 4. Before any reordering was seen, three segments beyond a hole are
 * proof enough, and in a recovery one is. */
static int64_t reo_wnd_us(const struct tcp_conn *c, const struct tcp_active *a)
{
	int64_t reo = (int64_t)a->reo_mult * c->rtt.min_us / 4;

	if (!a->reordering && (a->recovery != RECOVERY_OPEN ||
			       a->sacked >= DUP_THRESH * c->cc.mss))
		return 0;
	return reo < c->rtt.srtt_us ? reo : c->rtt.srtt_us;
}

/* Step 3: an original arrived behind what was sent after it. By how many
 * segments is for those who look (conn_info.reordering). */
static void reordered(const struct tcp_conn *c, struct tcp_active *a,
		      const struct tx_rec *t)
{
	uint32_t segs = (a->rack_fack - t->start + c->cc.mss - 1) / c->cc.mss;

	if (segs > REORDERING_MAX)
		segs = REORDERING_MAX;
	if (segs > a->reordering)
		a->reordering = (uint16_t)segs;
}

/* Did @t leave before the latest transmission that arrived, or is it that one?
 * Of what left at once, the numbers decide. */
static bool sent_before(const struct tx_rec *t, const struct tcp_active *a)
{
	return t->sent_us < a->rack_sent_us ||
	       (t->sent_us == a->rack_sent_us && seq_lt(t->end, a->rack_end));
}
