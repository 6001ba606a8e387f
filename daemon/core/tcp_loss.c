/*
 * tcp_loss.c - What was sent, what arrived, and what is lost
 *
 * Every transmission is a record [start, end) with the time it left, in the
 * order of sequence numbers; a super-segment is one record until an ACK splits
 * it. An ACK removes records at the front and marks those its SACK blocks
 * cover. Then the records that are overdue are marked lost:
 *
 *  - with SACK, by time (RACK, RFC 8985): a record is lost if one that left
 *    later has arrived and a reordering window has passed;
 *  - without, by three duplicate ACKs, and one more with each partial ACK
 *    (NewReno, RFC 6582). Each duplicate ACK says that some segment arrived,
 *    so it counts as one segment SACKed somewhere;
 *  - after a retransmission timeout, all of them.
 *
 * What is in flight is what was sent and is neither acknowledged, nor SACKed,
 * nor lost. tcp_output() sends lost records again as long as that is below
 * cwnd. A tail loss probe (RFC 8985, 7) turns the loss of the last segments,
 * which nothing later could report, from a timeout into a round trip.
 */
#include <string.h>

#include "tcp_priv.h"

#define DUP_THRESH 3 /* RFC 5681, 3.2 */
#define NO_RTT	   INT64_MAX

/* What one ACK told. */
struct ack_news {
	uint32_t acked;	    /* bytes cumulatively */
	uint32_t delivered; /* bytes, SACKed ones too */
	int64_t rtt_us;	    /* NO_RTT if nothing may be measured (Karn) */
	bool dsack;
};

static struct tx_rec *tx_ptr(const struct stack *st, ref_t r);
static void tx_unlink(struct stack *st, struct tcp_active *a, struct tx_rec *t);
static bool tx_split(struct stack *st, struct tcp_active *a, struct tx_rec *t,
		     tcp_seq at);
static void tx_lost(struct tcp_active *a, struct tx_rec *t);
static void delivered(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a, const struct tx_rec *t,
		      const struct tcp_seg *seg, struct ack_news *news);
static void ack_cumulative(struct stack *st, struct tcp_conn *c,
			   struct tcp_active *a, const struct tcp_seg *seg,
			   struct ack_news *news);
static void ack_sack(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct tcp_seg *seg, struct ack_news *news);
static void ack_duplicate(struct stack *st, struct tcp_conn *c,
			  struct tcp_active *a, const struct tcp_seg *seg,
			  const struct ack_news *news);
static void rack_detect(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a);
static void measure(struct stack *st, struct tcp_conn *c,
		    const struct tcp_seg *seg, const struct ack_news *news);
static void recovery_enter(struct stack *st, struct tcp_conn *c,
			   struct tcp_active *a, tcp_seq ack,
			   uint32_t recover_fs);
static void recovery_leave(struct tcp_conn *c, struct tcp_active *a);
static void recovery_room(struct tcp_conn *c, struct tcp_active *a, tcp_seq una,
			  uint32_t delivered, bool safe);
static void probe_acked(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a, const struct ack_news *news,
			tcp_seq ack);

static inline uint32_t tx_len(const struct tx_rec *t)
{
	return t->end - t->start;
}

bool tcp_loss_sent(struct stack *st, struct tcp_conn *c, tcp_seq start,
		   tcp_seq end, bool fin)
{
	struct tcp_active *a = conn_active(st, c);
	struct tx_rec *t = pool_get(&st->pool_tx);
	ref_t ref;

	if (!t) {
		stack_limit_hit(st, LIMIT_MEMORY, &c->e.key, c->listener);
		return false;
	}
	if (a->recovery == RECOVERY_FAST)
		prr_sent(&a->prr, end - start);
	ref = ptr_ref(&st->arena, t);
	*t = (struct tx_rec){
		.prev = a->tx_tail,
		.start = start,
		.end = end,
		.sent_us = st->now_us,
		.flags = fin ? TX_FIN : 0,
	};
	if (a->tx_tail)
		tx_ptr(st, a->tx_tail)->next = ref;
	else
		a->tx_head = ref;
	a->tx_tail = ref;
	return true;
}

void tcp_loss_ack(struct stack *st, struct tcp_conn *c,
		  const struct tcp_seg *seg)
{
	struct tcp_active *a = conn_active(st, c);
	struct ack_news news = {.rtt_us = NO_RTT};
	uint32_t in_flight = tcp_in_flight(c, a), sacked = a->sacked, lost;
	uint32_t recover_fs = c->snd_nxt - c->snd_una - a->sacked;

	if (!a->tx_head)
		return;
	if (!a->sacked)
		a->disorder_nxt = c->snd_nxt;
	news.acked = seg->ack - c->snd_una;
	if (news.acked)
		ack_cumulative(st, c, a, seg, &news);
	if (c->flags & CF_SACK && seg->opts & OPT_SACK)
		ack_sack(st, c, a, seg, &news);
	measure(st, c, seg, &news);
	if (a->recovery != RECOVERY_OPEN && seq_geq(seg->ack, a->recover))
		recovery_leave(c, a);
	if (a->tlp_out)
		probe_acked(st, c, a, &news, seg->ack);
	lost = a->lost;
	if (c->flags & CF_SACK)
		rack_detect(st, c, a);
	else
		ack_duplicate(st, c, a, seg, &news);
	if (a->lost && a->recovery == RECOVERY_OPEN)
		recovery_enter(st, c, a, seg->ack, recover_fs);
	if (a->recovery == RECOVERY_FAST) {
		uint32_t delivered = news.acked + a->sacked;

		delivered = delivered > sacked ? delivered - sacked : 0;
		recovery_room(c, a, seg->ack, delivered,
			      news.acked && a->lost <= lost);
	}
	if (a->lost || tcp_in_flight(c, a) < in_flight)
		tcp_wake_output(st, c);
	if (news.acked && a->recovery != RECOVERY_FAST) {
		const struct cc_ack ack = {
			.acked = news.acked,
			.in_flight = in_flight,
			.srtt_us = c->rtt.srtt_us,
			.rtt_us = news.rtt_us < UINT32_MAX
					  ? (uint32_t)news.rtt_us
					  : 0,
			.una = seg->ack,
			.nxt = c->snd_nxt,
			.min_rtt_us = c->rtt.min_us,
			.now_us = st->now_us,
			.cwnd_limited = a->cwnd_limited,
		};

		tcp_cc(c)->ack(&c->cc, &a->ccs, &ack);
	}
}

void tcp_loss_timeout(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);
	struct tx_rec *t;

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
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next)
		tx_lost(a, tx_ptr(st, r));
	if (a->recovery == RECOVERY_FAST)
		c->cc.cwnd = c->cc.ssthresh; /* not PRR's passing one */
	tcp_cc(c)->timeout(&c->cc, &a->ccs, c->snd_nxt - c->snd_una,
			   a->recovery != RECOVERY_RTO, st->now_us);
	a->recovery = RECOVERY_RTO;
	a->recover = c->snd_nxt;
	a->dupacks = 0;
	a->force_one = true;
	a->tlp_out = false;
	a->reorder_at_us = a->probe_at_us = TIME_NEVER;
	/* The clock of RACK starts anew with what is sent now. */
	a->rack_sent_us = 0;
}

void tcp_loss_reorder(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	a->reorder_at_us = TIME_NEVER;
	rack_detect(st, c, a);
	if (!a->lost)
		return;
	if (a->recovery == RECOVERY_OPEN)
		recovery_enter(st, c, a, c->snd_una,
			       c->snd_nxt - c->snd_una - a->sacked);
	if (a->recovery == RECOVERY_FAST)
		recovery_room(c, a, c->snd_una, 0, false);
	tcp_wake_output(st, c);
}

void tcp_loss_probe(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);
	struct tx_rec *t;

	a->probe_at_us = TIME_NEVER;
	if (!a->tx_tail || a->recovery != RECOVERY_OPEN || a->tlp_out)
		return;
	/* New text would do as well, but if there were any that may be sent,
	 * it would have been sent. The last segment goes again. */
	t = tx_ptr(st, a->tx_tail);
	if (tx_len(t) > c->cc.mss && tx_split(st, a, t, t->end - c->cc.mss))
		t = tx_ptr(st, a->tx_tail);
	if (t->flags & TX_SACKED)
		return;
	tx_lost(a, t);
	a->force_one = true;
	a->tlp_out = true;
	a->tlp_end = c->snd_nxt;
	tcp_wake_output(st, c);
}

void tcp_loss_mtu(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	if (!a || !a->tx_head)
		return;
	/* Without SACK, what arrived is only guessed from duplicates. */
	if (!(c->flags & CF_SACK))
		a->sacked = 0;
	/* RFC 1191, 6.5: sent again at once, and no sign of congestion. */
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next)
		if (!(tx_ptr(st, r)->flags & TX_SACKED))
			tx_lost(a, tx_ptr(st, r));
	a->force_one = true;
	if (a->recovery == RECOVERY_FAST)
		recovery_room(c, a, c->snd_una, 0, false);
	tcp_wake_output(st, c);
}

struct tx_rec *tcp_loss_next(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	if (!a->lost)
		return NULL;
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next)
		if (tx_ptr(st, r)->flags & TX_LOST)
			return tx_ptr(st, r);
	ASSERT(!"lost bytes without a lost record");
	return NULL;
}

void tcp_loss_join(struct stack *st, struct tcp_conn *c, struct tx_rec *t,
		   uint32_t most)
{
	struct tcp_active *a = conn_active(st, c);

	while (t->next) {
		struct tx_rec *n = tx_ptr(st, t->next);

		if (!(n->flags & TX_LOST) || n->end - t->start > most)
			return;
		t->end = n->end;
		t->flags |= n->flags & (TX_FIN | TX_RETRANS);
		tx_unlink(st, a, n);
	}
}

void tcp_loss_resent(struct stack *st, struct tcp_conn *c, struct tx_rec *t,
		     tcp_seq end)
{
	struct tcp_active *a = conn_active(st, c);

	/* Without memory to split it, all of it counts as sent again: if that
	 * is wrong, it will be found lost once more. */
	if (end != t->end)
		tx_split(st, a, t, end);
	ASSERT(a->lost >= tx_len(t));
	a->lost -= tx_len(t);
	if (a->recovery == RECOVERY_FAST)
		prr_sent(&a->prr, tx_len(t));
	t->flags &= (uint8_t)~TX_LOST;
	t->flags |= TX_RETRANS;
	t->sent_us = st->now_us;
}

void tcp_loss_clear(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	while (a->tx_head)
		tx_unlink(st, a, tx_ptr(st, a->tx_head));
	a->sacked = a->lost = 0;
}

static struct tx_rec *tx_ptr(const struct stack *st, ref_t r)
{
	return ref_ptr(&st->arena, r);
}

static void tx_unlink(struct stack *st, struct tcp_active *a, struct tx_rec *t)
{
	if (t->prev)
		tx_ptr(st, t->prev)->next = t->next;
	else
		a->tx_head = t->next;
	if (t->next)
		tx_ptr(st, t->next)->prev = t->prev;
	else
		a->tx_tail = t->prev;
	pool_put(&st->pool_tx, t);
}

/* [start, end) becomes [start, at) and, behind it, [at, end). */
static bool tx_split(struct stack *st, struct tcp_active *a, struct tx_rec *t,
		     tcp_seq at)
{
	struct tx_rec *n = pool_get(&st->pool_tx);
	ref_t ref;

	ASSERT(seq_lt(t->start, at));
	ASSERT(seq_lt(at, t->end));
	if (!n) {
		stack_limit_hit(st, LIMIT_MEMORY, NULL, LISTENER_NONE);
		return false;
	}
	ref = ptr_ref(&st->arena, n);
	*n = *t;
	n->start = at;
	n->prev = ptr_ref(&st->arena, t);
	if (n->next)
		tx_ptr(st, n->next)->prev = ref;
	else
		a->tx_tail = ref;
	t->next = ref;
	t->end = at;
	t->flags &= (uint8_t)~TX_FIN;
	return true;
}

static void tx_lost(struct tcp_active *a, struct tx_rec *t)
{
	if (t->flags & (TX_SACKED | TX_LOST))
		return;
	t->flags |= TX_LOST;
	a->lost += tx_len(t);
}

/* A transmission arrived: RFC 8985, 6.2, steps 1 and 2, and Karn's rule
 * (RFC 6298, 3; RFC 9293, 3.8.1 (MUST-18)). */
static void delivered(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a, const struct tx_rec *t,
		      const struct tcp_seg *seg, struct ack_news *news)
{
	int64_t rtt = st->now_us - t->sent_us;

	news->delivered += tx_len(t);
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

static void ack_cumulative(struct stack *st, struct tcp_conn *c,
			   struct tcp_active *a, const struct tcp_seg *seg,
			   struct ack_news *news)
{
	while (a->tx_head) {
		struct tx_rec *t = tx_ptr(st, a->tx_head), part;

		if (seq_leq(seg->ack, t->start))
			break;
		part = *t;
		part.end = seq_min(t->end, seg->ack);
		if (t->flags & TX_SACKED)
			a->sacked -= tx_len(&part);
		else
			delivered(st, c, a, &part, seg, news);
		if (t->flags & TX_LOST)
			a->lost -= tx_len(&part);
		if (part.end == t->end)
			tx_unlink(st, a, t);
		else
			t->start = part.end;
	}
}

/* RFC 2018 and RFC 2883. A block that is no range of ours is left alone. */
static void ack_sack(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct tcp_seg *seg, struct ack_news *news)
{
	for (unsigned int i = 0; i < seg->nsack; i++) {
		const struct sack_block *b = &seg->sack[i];

		if (seq_geq(b->start, b->end) || seq_gt(b->end, c->snd_max))
			continue;
		if (seq_leq(b->end, seg->ack)) {
			news->dsack = true;
			continue;
		}
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
				if (tx_split(st, a, t, b->start))
					r = t->next;
				continue;
			}
			if (seq_gt(t->end, b->end) &&
			    !tx_split(st, a, t, b->end))
				break;
			r = t->next;
			delivered(st, c, a, t, seg, news);
			if (t->flags & TX_LOST)
				a->lost -= tx_len(t);
			t->flags &= (uint8_t)~TX_LOST;
			t->flags |= TX_SACKED;
			a->sacked += tx_len(t);
		}
	}
}

/* RFC 5681, 3.2 and RFC 6582, for peers without SACK. */
static void ack_duplicate(struct stack *st, struct tcp_conn *c,
			  struct tcp_active *a, const struct tcp_seg *seg,
			  const struct ack_news *news)
{
	struct tx_rec *head = a->tx_head ? tx_ptr(st, a->tx_head) : NULL;
	uint32_t out = c->snd_nxt - seg->ack, mss = c->cc.mss;
	bool partial = news->acked && a->recovery == RECOVERY_FAST;

	if (news->acked) {
		/* Each duplicate ACK stood for a segment; the first of those
		 * acknowledged now is the one that was missing. */
		uint32_t gone = news->acked > mss ? news->acked - mss : 0;

		a->dupacks = 0;
		a->sacked = partial && a->sacked > gone ? a->sacked - gone : 0;
	} else if (!seg->len && !(seg->flags & (TH_SYN | TH_FIN)) && head &&
		   (uint32_t)seg->wnd << c->snd_wscale == c->snd_wnd) {
		a->dupacks++;
		a->sacked += mss;
	}
	/* Something is missing, and what is lost did not arrive. */
	if (a->sacked + a->lost + mss > out)
		a->sacked = out > a->lost + mss ? out - a->lost - mss : 0;
	if (!head || head->flags & (TX_LOST | TX_RETRANS))
		return;
	if (partial ||
	    (a->dupacks == DUP_THRESH && a->recovery == RECOVERY_OPEN)) {
		if (tx_len(head) > mss)
			tx_split(st, a, head, head->start + mss);
		tx_lost(a, head);
		a->force_one = true;
		if (a->sacked + a->lost > out)
			a->sacked = out > a->lost ? out - a->lost : 0;
	}
}

/* RFC 8985, 6.2, step 5 */
static void rack_detect(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a)
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
			tx_lost(a, t);
		else if (left > wait)
			wait = left;
	}
	if (wait)
		a->reorder_at_us = st->now_us + wait;
}

static void measure(struct stack *st, struct tcp_conn *c,
		    const struct tcp_seg *seg, const struct ack_news *news)
{
	int64_t us = news->rtt_us;

	/* RFC 7323, 4.1: an echoed timestamp tells even for what was sent
	 * again, in milliseconds. */
	if (us == NO_RTT && news->acked && c->flags & CF_TS &&
	    seg->opts & OPT_TS && seg->ts_ecr) {
		int32_t ms =
			seq_diff(tcp_ts_now(st, c->ts_offset), seg->ts_ecr);

		if (ms >= 0 && ms < 600000)
			us = (int64_t)ms * 1000;
	}
	if (us != NO_RTT && us < UINT32_MAX)
		rtt_sample(&c->rtt, &st->rtt_limits, (uint32_t)us);
}

static void recovery_enter(struct stack *st, struct tcp_conn *c,
			   struct tcp_active *a, tcp_seq ack,
			   uint32_t recover_fs)
{
	tcp_seq nxt;

	/* A tail loss probe is not evidence yet. */
	if (a->tlp_out && a->lost && !a->sacked && !a->dupacks)
		return;
	a->recovery = RECOVERY_FAST;
	a->recover = c->snd_nxt;
	a->force_one = true;
	a->probe_at_us = TIME_NEVER;
	/* RFC 5681, 3.1 and 3.2: half of FlightSize, SACKed or not, without
	 * what limited transmit (RFC 3042) sent after the first sign. */
	nxt = a->sacked ? seq_max(a->disorder_nxt, ack) : c->snd_nxt;
	tcp_cc(c)->loss(&c->cc, &a->ccs, nxt - ack, st->now_us);
	prr_enter(&a->prr, recover_fs);
}

/* RFC 9937: during recovery cwnd is what is in flight and a share of what was
 * delivered, so that sending goes on evenly down to ssthresh. */
static void recovery_room(struct tcp_conn *c, struct tcp_active *a, tcp_seq una,
			  uint32_t delivered, bool safe)
{
	uint32_t flight = c->snd_nxt - una - a->sacked - a->lost;
	const struct prr_ack ack = {
		.delivered = delivered,
		.in_flight = flight,
		.ssthresh = c->cc.ssthresh,
		.mss = c->cc.mss,
		.safe = safe,
	};

	c->cc.cwnd = flight + prr_ack(&a->prr, &ack);
}

static void recovery_leave(struct tcp_conn *c, struct tcp_active *a)
{
	if (a->recovery == RECOVERY_FAST)
		c->cc.cwnd = c->cc.ssthresh;
	a->recovery = RECOVERY_OPEN;
	a->dupacks = 0;
}

/* RFC 8985, 7.4: if the probe repaired something, that was a loss. */
static void probe_acked(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a, const struct ack_news *news,
			tcp_seq ack)
{
	if (news->dsack) {
		a->tlp_out = false; /* it arrived twice: nothing was lost */
	} else if (seq_geq(ack, a->tlp_end)) {
		a->tlp_out = false;
		if (a->recovery == RECOVERY_OPEN)
			tcp_cc(c)->loss(&c->cc, &a->ccs,
					a->tlp_end - c->snd_una, st->now_us);
	}
}
