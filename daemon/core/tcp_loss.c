/*
 * tcp_loss.c - What arrived, and what is lost
 *
 * An ACK removes transmissions (tcp_tx.c) at the front and marks those its SACK
 * blocks cover. Then those that are overdue are marked lost:
 *
 *  - with SACK, by time (tcp_rack.c): one is lost if another that left later
 *    has arrived and a reordering window has passed;
 *  - without, by three duplicate ACKs, and one more with each partial ACK
 *    (NewReno, RFC 6582). Each duplicate ACK says that some segment arrived,
 *    so it counts as one segment SACKed somewhere;
 *  - after a retransmission timeout, all of them, or with SACK all whose ACK
 *    is overdue.
 *
 * What is in flight is what was sent and is neither acknowledged, nor SACKed,
 * nor lost. tcp_output() sends lost ones again as long as that is below cwnd
 * (tcp_recovery.c).
 */
#include "tcp_loss.h"

#define CUT_LEAST 536 /* the least that segments usually have */

static void ack_cumulative(struct stack *st, struct tcp_conn *c,
			   struct tcp_active *a, const struct tcp_seg *seg,
			   struct ack_news *news);
static void ack_sack(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct tcp_seg *seg, struct ack_news *news);
static bool is_dsack(const struct tcp_seg *seg);
static void sack_range(struct stack *st, struct tcp_conn *c,
		       struct tcp_active *a, const struct tcp_seg *seg,
		       const struct sack_block *b, struct ack_news *news);
static bool worth_cutting(const struct tcp_conn *c, const struct tx_rec *t,
			  tcp_seq at);
static void ack_dsack(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a, const struct tcp_seg *seg,
		      const struct ack_news *news);
static void ack_duplicate(struct stack *st, struct tcp_conn *c,
			  struct tcp_active *a, const struct tcp_seg *seg,
			  const struct ack_news *news);
static void grow(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		 const struct tcp_seg *seg, const struct ack_news *news,
		 uint32_t in_flight, uint32_t counted);
static void measure(struct stack *st, struct tcp_conn *c,
		    const struct tcp_seg *seg, const struct ack_news *news);

bool tcp_loss_sent(struct stack *st, struct tcp_conn *c, tcp_seq start,
		   tcp_seq end, bool fin)
{
	struct tcp_active *a = conn_active(st, c);

	if (!tcp_tx_append(st, a, start, end, fin ? TX_FIN : 0)) {
		stack_limit_hit(st, LIMIT_MEMORY, &c->e.key, c->listener);
		return false;
	}
	if (a->recovery == RECOVERY_FAST)
		prr_sent(&a->prr, end - start);
	a->sent_us = st->now_us;
	return true;
}

void tcp_loss_ack(struct stack *st, struct tcp_conn *c,
		  const struct tcp_seg *seg)
{
	struct tcp_active *a = conn_active(st, c);
	struct ack_news news = {.rtt_us = NO_RTT};
	uint32_t in_flight = tcp_in_flight(c, a), sacked = a->sacked, lost;
	uint32_t recover_fs = c->snd_nxt - c->snd_una - a->sacked;
	bool marked, timeout;

	if (a->tx_head)
		news.acked = seg->ack - c->snd_una;
	if (news.acked)
		ack_cumulative(st, c, a, seg, &news);
	if (c->flags & CF_SACK && seg->opts & OPT_SACK)
		ack_sack(st, c, a, seg, &news);
	if (news.dsack.start != news.dsack.end)
		ack_dsack(st, c, a, seg, &news);
	tcp_probe_acked(st, c, a, seg, &news);
	measure(st, c, seg, &news);
	tcp_undo_ack(st, c, a, seg, &news);
	timeout = a->recovery == RECOVERY_RTO;
	if (a->recovery != RECOVERY_OPEN && seq_geq(seg->ack, a->recover))
		tcp_recovery_leave(st, c, a);
	if (a->sacked)
		a->probe_at_us = TIME_NEVER;
	lost = a->lost;
	if (c->flags & CF_SACK)
		tcp_rack_detect(st, c, a);
	else
		ack_duplicate(st, c, a, seg, &news);
	if (c->path)
		tcp_pmtu_acked(st, c, seg->ack);
	if (a->lost && a->recovery == RECOVERY_OPEN)
		tcp_recovery_enter(st, c, a, seg->ack, recover_fs);
	marked = tcp_ecn_ack(st, c, seg);
	if (a->recovery == RECOVERY_FAST) {
		uint32_t delivered = news.acked + a->sacked;

		delivered = delivered > sacked ? delivered - sacked : 0;
		tcp_recovery_room(c, a, seg->ack, delivered,
				  news.acked && a->lost <= lost);
	}
	if (a->lost || tcp_in_flight(c, a) < in_flight)
		tcp_wake_output(st, c);
	if (news.acked)
		tcp_pace_shift(st, c, a);
	if (news.acked && a->recovery != RECOVERY_FAST && !marked)
		grow(st, c, a, seg, &news, in_flight,
		     timeout ? news.flown : news.acked);
}

void tcp_loss_timeout(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);
	struct tx_rec *t;

	tcp_undo_save(st, c, a);
	tcp_undo_timeout(st, c, a);
	if (!(c->flags & CF_SACK))
		a->sacked = 0;
	/* RFC 2018, 8: a peer may have thrown away what it SACKed, and that
	 * it did shows when the front itself was SACKed. */
	t = tx_ptr(st, a->tx_head);
	if (t->flags & TX_SACKED) {
		a->sacked = 0;
		for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next)
			tx_ptr(st, r)->flags &= (uint8_t)~TX_SACKED;
	}
	if (c->flags & CF_SACK)
		tcp_rack_timeout(st, c, a);
	else
		for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next)
			tcp_tx_lost(a, tx_ptr(st, r));
	if (a->recovery == RECOVERY_FAST)
		c->cc.cwnd = c->cc.ssthresh; /* not PRR's passing one */
	tcp_cc(c)->timeout(&c->cc, &a->ccs, c->snd_nxt - c->snd_una,
			   c->rexmt_count <= 1, st->now_us);
	tcp_ecn_reduced(c, a);
	a->recovery = RECOVERY_RTO;
	a->recover = c->snd_nxt;
	a->dupacks = 0;
	a->force_one = true;
	a->tlp_out = a->force_new = false; /* RFC 8985, 7.1 */
	a->reorder_at_us = a->probe_at_us = TIME_NEVER;
}

void tcp_loss_mtu(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	if (!a || !a->tx_head)
		return;
	/* Without SACK, what arrived is only guessed from duplicates. */
	if (!(c->flags & CF_SACK))
		a->sacked = 0;
	/* RFC 1191, 6.4: sent again at once, and no sign of congestion. */
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next)
		if (!(tx_ptr(st, r)->flags & TX_SACKED))
			tcp_tx_lost(a, tx_ptr(st, r));
	a->force_one = true;
	if (a->recovery == RECOVERY_FAST)
		tcp_recovery_room(c, a, c->snd_una, 0, false);
	tcp_wake_output(st, c);
}

void tcp_loss_resent(struct stack *st, struct tcp_conn *c, struct tx_rec *t,
		     tcp_seq end)
{
	struct tcp_active *a = conn_active(st, c);

	/* Without memory to split it, all of it counts as sent again: if that
	 * is wrong, it will be found lost once more. */
	if (end != t->end)
		tcp_tx_split(st, a, t, end);
	ASSERT(a->lost >= tx_len(t));
	a->lost -= tx_len(t);
	if (a->recovery == RECOVERY_FAST)
		prr_sent(&a->prr, tx_len(t));
	tcp_undo_resent(st, c, a, tx_len(t));
	a->sent_us = st->now_us;
	t->flags &= (uint8_t)~TX_LOST;
	t->flags |= TX_RETRANS;
	t->sent_us = st->now_us;
}

void tcp_loss_clear(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	while (a->tx_head)
		tcp_tx_unlink(st, a, tx_ptr(st, a->tx_head));
	a->sacked = a->lost = 0;
	tcp_undo_drop(st, a);
}

static void ack_cumulative(struct stack *st, struct tcp_conn *c,
			   struct tcp_active *a, const struct tcp_seg *seg,
			   struct ack_news *news)
{
	bool again = false;
	uint32_t len;

	while (a->tx_head) {
		struct tx_rec *t = tx_ptr(st, a->tx_head), part;

		if (seq_leq(seg->ack, t->start))
			break;
		again |= (t->flags & (TX_RETRANS | TX_SACKED)) == TX_RETRANS;
		news->original |= !(t->flags & (TX_RETRANS | TX_SACKED));
		part = *t;
		part.end = seq_min(t->end, seg->ack);
		len = tx_len(&part) < c->cc.mss ? tx_len(&part) : c->cc.mss;
		if (len > c->acked_max)
			c->acked_max = (uint16_t)len;
		if (t->flags & TX_SACKED)
			a->sacked -= tx_len(&part);
		else
			tcp_rack_delivered(st, c, a, &part, seg, news);
		if (t->flags & TX_LOST)
			a->lost -= tx_len(&part);
		if (!(t->flags & (TX_SACKED | TX_LOST)))
			news->flown += tx_len(&part);
		if (t->flags & TX_RETRANS && a->recovery == RECOVERY_FAST)
			a->cwv.resent += tx_len(&part);
		if (part.end == t->end)
			tcp_tx_unlink(st, a, t);
		else
			t->start = part.end;
	}
	/* What lay behind a hole arrived long before this ACK could say so: its
	 * time is that of the repair. Each timeout would make the next longer. */
	if (again)
		news->rtt_us = NO_RTT;
}

/* RFC 2018 and RFC 2883. A block that is no range of ours is left alone. Blocks
 * are taken in the order of their numbers, for what one ACK brings together
 * was not seen to be reordered (RFC 8985, 6.2, step 3). */
static void ack_sack(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct tcp_seg *seg, struct ack_news *news)
{
	struct sack_block b[SACK_BLOCKS_MAX];
	unsigned int n = 0, at;

	for (unsigned int i = 0; i < seg->nsack; i++) {
		const struct sack_block *s = &seg->sack[i];

		if (seq_geq(s->start, s->end) || seq_gt(s->end, c->snd_max))
			continue;
		if (i == 0 && is_dsack(seg))
			news->dsack = *s;
		if (seq_leq(s->end, seg->ack))
			continue;
		for (at = n++; at > 0 && seq_gt(b[at - 1].start, s->start);
		     at--)
			b[at] = b[at - 1];
		b[at] = *s;
	}
	for (unsigned int i = 0; i < n; i++)
		sack_range(st, c, a, seg, &b[i], news);
}

/* RFC 2883, 4: the first block lies below the ACK, or inside the second. */
static bool is_dsack(const struct tcp_seg *seg)
{
	const struct sack_block *s = seg->sack;

	return seq_leq(s[0].end, seg->ack) ||
	       (seg->nsack > 1 && seq_geq(s[0].start, s[1].start) &&
		seq_leq(s[0].end, s[1].end));
}

static void sack_range(struct stack *st, struct tcp_conn *c,
		       struct tcp_active *a, const struct tcp_seg *seg,
		       const struct sack_block *b, struct ack_news *news)
{
	for (ref_t r = a->tx_head; r;) {
		struct tx_rec *t = tx_ptr(st, r);

		r = t->next;
		if (seq_leq(t->end, b->start))
			continue;
		if (seq_geq(t->start, b->end))
			break;
		if (t->flags & TX_SACKED)
			continue;
		if (seq_lt(t->start, b->start)) {
			/* The rest is the next record now. */
			if (worth_cutting(c, t, b->start) &&
			    tcp_tx_split(st, a, t, b->start))
				r = t->next;
			continue;
		}
		if (seq_gt(t->end, b->end) && (!worth_cutting(c, t, b->end) ||
					       !tcp_tx_split(st, a, t, b->end)))
			break;
		tcp_rack_delivered(st, c, a, t, seg, news);
		news->sacked += tx_len(t);
		news->original |= !(t->flags & TX_RETRANS);
		r = tcp_tx_sacked(st, a, t)->next;
	}
}

/* Segments arrive as they were sent: a super-segment may be cut where one of its
 * segments ends. Who has smaller pieces wants us to keep a record of each, to
 * look at all of them with each ACK, and to send each alone (CVE-2019-11478). */
static bool worth_cutting(const struct tcp_conn *c, const struct tx_rec *t,
			  tcp_seq at)
{
	uint32_t least = c->cc.mss < CUT_LEAST ? c->cc.mss : CUT_LEAST;

	return at - t->start >= least / 2;
}

/* Something of ours arrived twice. */
static void ack_dsack(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a, const struct tcp_seg *seg,
		      const struct ack_news *news)
{
	st->stats.dsacks_in++;
	if (!a->tlp_out || seq_leq(news->dsack.end, a->tlp_end - c->cc.mss))
		tcp_rack_dsack(c, a, seg->ack);
}

/* RFC 5681, 3.2 and RFC 6582, for peers without SACK. */
static void ack_duplicate(struct stack *st, struct tcp_conn *c,
			  struct tcp_active *a, const struct tcp_seg *seg,
			  const struct ack_news *news)
{
	struct tx_rec *head = a->tx_head ? tx_ptr(st, a->tx_head) : NULL;
	uint32_t out = c->snd_nxt - seg->ack, mss = c->cc.mss;
	bool partial = news->acked && a->recovery == RECOVERY_FAST;
	/* RFC 6582, 3.2, step 2: right behind a recovery, duplicates may be those
	 * of what was sent again for nothing. */
	bool beyond = seq_gt(seg->ack, a->recover);

	if (news->acked) {
		/* Each duplicate ACK stood for a segment; the first of those
		 * acknowledged now is the one that was missing. */
		uint32_t gone = news->acked > mss ? news->acked - mss : 0;

		a->dupacks = 0;
		a->sacked = partial && a->sacked > gone ? a->sacked - gone : 0;
		/* Or it would fall behind by half of all numbers. */
		if (beyond)
			a->recover = seg->ack - 1;
	} else if (head && tcp_ack_duplicate(c, seg)) {
		/* RFC 3042, 2: two segments until the loss is certain. */
		if (++a->dupacks <= (beyond ? DUP_THRESH : DUP_THRESH - 1) ||
		    a->recovery != RECOVERY_OPEN)
			a->sacked += mss;
	}
	/* Something is missing, and what is lost did not arrive. */
	if (a->sacked + a->lost + mss > out)
		a->sacked = out > a->lost + mss ? out - a->lost - mss : 0;
	if (!head || head->flags & (TX_LOST | TX_RETRANS))
		return;
	if (partial || (a->dupacks == DUP_THRESH &&
			a->recovery == RECOVERY_OPEN && beyond)) {
		if (tx_len(head) > mss)
			tcp_tx_split(st, a, head, head->start + mss);
		tcp_tx_lost(a, head);
		a->force_one = true;
		if (a->sacked + a->lost > out)
			a->sacked = out > a->lost ? out - a->lost : 0;
	}
}

/* What was acknowledged may make cwnd grow; @in_flight is from before. After a
 * timeout an ACK may cover what arrived long ago: only what was sent since is
 * @counted (RFC 3465, 2.3). */
static void grow(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		 const struct tcp_seg *seg, const struct ack_news *news,
		 uint32_t in_flight, uint32_t counted)
{
	const struct cc_ack ack = {
		.acked = counted,
		.in_flight = in_flight,
		.srtt_us = c->rtt.srtt_us,
		.rtt_us = a->rtt_least_us,
		.una = seg->ack,
		.nxt = c->snd_nxt,
		.min_rtt_us = c->rtt.min_us,
		.now_us = st->now_us,
		.cwnd_limited = a->cwnd_limited,
	};
	const struct cwv_ack used = {
		.acked = news->acked,
		.una = seg->ack,
		.nxt = c->snd_nxt,
		.cwnd = c->cc.cwnd,
		.srtt_us = c->rtt.srtt_us,
		.now_us = st->now_us,
	};

	a->rtt_least_us = 0;
	tcp_cc(c)->ack(&c->cc, &a->ccs, &ack);
	if (a->recovery == RECOVERY_OPEN && cwv_ack(&a->cwv, &used))
		cc_decay(&c->cc);
	c->cc.cwnd = tcp_undo_cwnd(c, a, tcp_in_flight(c, a) - news->acked);
}

static void measure(struct stack *st, struct tcp_conn *c,
		    const struct tcp_seg *seg, const struct ack_news *news)
{
	struct tcp_active *a = conn_active(st, c);
	int64_t us = news->rtt_us;

	/* What fills a hole came late: what was SACKed meanwhile tells how long
	 * the path is. */
	if (us < UINT32_MAX &&
	    (!a->rtt_least_us || (uint32_t)us < a->rtt_least_us))
		a->rtt_least_us = (uint32_t)us;
	/* RFC 7323, 4.1: an echoed timestamp tells even for what was sent
	 * again, in milliseconds; but not where that says it left earlier. */
	if (us == NO_RTT && news->acked && !a->reordering && c->flags & CF_TS &&
	    seg->opts & OPT_TS && seg->ts_ecr) {
		int32_t ms =
			seq_diff(tcp_ts_now(st, c->ts_offset), seg->ts_ecr);

		/* Less than a tick is not nothing: the least there was is what
		 * RACK and pacing go by. */
		if (ms >= 0 && ms < 600000)
			us = ms ? (int64_t)ms * 1000 : 1000;
	}
	if (us == NO_RTT || us >= UINT32_MAX)
		return;
	a->tlp_unmeasured = false;
	/* RFC 6298, 5.7, last; Karn's rule for the RTO: until then it stays
	 * what it was doubled to, or a path that is longer than it would never
	 * be measured (RFC 9293, 3.8.1 (MUST-18)). */
	c->backoff = 0;
	tcp_rtt_sample(st, c, (uint32_t)us);
}
