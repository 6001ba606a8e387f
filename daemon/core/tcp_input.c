/*
 * tcp_input.c - A segment arrived (RFC 9293, 3.10.7)
 *
 * One function a check, in the RFC's order: read synchronized() and follow.
 * Each check may drop the segment, with a reason, or let it pass; nothing of a
 * segment is used before the checks in front of it are done. Text and FIN are
 * taken by tcp_receive.c, what an ACK means for data in flight is decided in
 * tcp_loss.c.
 */
#include <string.h>

#include "tcp_priv.h"

enum seg_verdict {
	SEG_NEXT, /* go on with the next check */
	SEG_DONE, /* nothing more to do with it */
};

typedef enum seg_verdict seg_step(struct stack *st, struct tcp_conn *c,
				  struct tcp_seg *s);

static seg_step check_timestamp, check_seq, check_rst, check_syn, check_ack,
	take_ecn, take_urg, take_text, take_fin;
static bool answer_take(struct stack *st, struct tcp_active *a);
static void synchronized(struct stack *st, struct tcp_conn *c,
			 struct tcp_seg *s);
static void syn_sent(struct stack *st, struct tcp_conn *c, struct tcp_seg *s);
static void syn_sent_open(struct stack *st, struct tcp_conn *c,
			  struct tcp_seg *s);
static void seg_skip(struct tcp_seg *s, uint32_t n);
static bool older(const struct stack *st, const struct tcp_conn *c,
		  const struct tcp_seg *s);
static bool overtaken(const struct stack *st, const struct tcp_conn *c,
		      const struct tcp_seg *s);
static void take_timestamp(struct stack *st, struct tcp_conn *c,
			   const struct tcp_seg *s);
static bool seq_acceptable(const struct tcp_conn *c, const struct tcp_seg *s);
static void compare_text(struct stack *st, const struct tcp_conn *c,
			 const struct tcp_seg *s, bool again);
static void trim(struct stack *st, struct tcp_conn *c, struct tcp_seg *s);
static enum seg_verdict unacceptable(struct stack *st, struct tcp_conn *c,
				     struct tcp_seg *s);
static bool ack_counts(const struct tcp_conn *c, const struct tcp_seg *s,
		       int32_t off);
static bool ack_acceptable(const struct tcp_conn *c, const struct tcp_seg *s);
static enum seg_verdict ack_handshake(struct stack *st, struct tcp_conn *c,
				      const struct tcp_seg *s);
static void ack_advance(struct stack *st, struct tcp_conn *c, tcp_seq ack);
static void ack_window(struct stack *st, struct tcp_conn *c,
		       const struct tcp_seg *s, bool newer);
static enum seg_verdict ack_fin(struct stack *st, struct tcp_conn *c);

void tcp_input(struct stack *st, const struct ip_pkt *ip,
	       const struct stack_rx *meta)
{
	struct tcp_key *key = &st->tap.ends; /* where others look, too */
	struct tcp_seg seg;
	struct tcp_conn *c;
	enum drop_reason why = wire_tcp_parse(ip, meta->csum_ok, &seg);
	uint32_t hash;
	ref_t ref;

	st->stats.segments_in++;
	if (why == DROP_NONE && memcmp(&ip->src, &ip->dst, 16) == 0)
		why = DROP_TCP_LAND;
	if (why != DROP_NONE) {
		*key = (struct tcp_key){.local = ip->dst, .peer = ip->src};
		stack_drop(st, why, key, NULL, NULL);
		if (tap_on(st))
			tap_addressed(st, ip);
		return;
	}
	seg.gso_size = meta->gso_size;
	if (meta->gso_size && seg.len > meta->gso_size)
		st->stats.segments_in += (seg.len - 1) / meta->gso_size;
	key->local = seg.dst;
	key->peer = seg.src;
	key->local_port = seg.dport;
	key->peer_port = seg.sport;
	hash = meta->hashed ? meta->hash : table_hash(&st->table, key);
	ref = table_at(&st->table, hash, key);
	if (!ref) {
		if (tap_on(st))
			tap_found(st, 0, &seg);
		tcp_listen_input(st, key, &seg, NULL);
		return;
	}
	c = ref_ptr(&st->arena, ref);
	if (c->kind == KIND_CONN) {
		if (tap_on(st))
			tap_found_conn(st, c, &seg);
		tcp_conn_input(st, c, &seg);
		return;
	}
	if (tap_on(st))
		tap_found(st, ref, &seg);
	if (c->kind == KIND_HALF)
		tcp_half_input(st, (struct tcp_half *)c, &seg);
	else
		timewait_input(st, (struct tcp_timewait *)c, key, &seg);
}

void tcp_conn_input(struct stack *st, struct tcp_conn *c, struct tcp_seg *seg)
{
	c->segs_in++;
	if (event_wanted(st, EVENT_TTL_ODD))
		tcp_odd_ttl(st, c, seg);
	if (c->state == TCP_SYN_SENT)
		syn_sent(st, c, seg);
	else
		synchronized(st, c, seg);
	if (!(c->flags & CF_DEAD))
		tcp_rearm(st, c);
}

void tcp_challenge(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = tcp_activate(st, c);

	if (!a || !answer_take(st, a) || !challenge_take(st)) {
		stack_drop(st, DROP_CHALLENGE_RATE, NULL, NULL, c);
		return;
	}
	st->stats.challenge_acks++;
	a->challenge = true;
	c->flags |= CF_ACK_NOW;
	tcp_wake_output(st, c);
}

/* RFC 5961, 7: of what is wrong with one connection, few a second are answered.
 * If both ends find each other's ACKs wrong, each answer begets the next. */
static bool answer_take(struct stack *st, struct tcp_active *a)
{
	return bucket_take(&a->answers, ANSWERS_A_SECOND, st->now_us);
}

/* RFC 9293, 3.10.7.4: the checks for SYN-RECEIVED and later. The third,
 * security, has no labels to look at on a TUN device. */
static void synchronized(struct stack *st, struct tcp_conn *c,
			 struct tcp_seg *s)
{
	/* Not a loop over a table: the compiler makes one function of them,
	 * and a segment costs a tenth less. */
	(void)(check_timestamp(st, c, s) == SEG_NEXT &&
	       check_seq(st, c, s) == SEG_NEXT &&
	       check_rst(st, c, s) == SEG_NEXT &&
	       check_syn(st, c, s) == SEG_NEXT &&
	       check_ack(st, c, s) == SEG_NEXT &&
	       take_ecn(st, c, s) == SEG_NEXT &&
	       take_urg(st, c, s) == SEG_NEXT &&
	       take_text(st, c, s) == SEG_NEXT &&
	       take_fin(st, c, s) == SEG_NEXT);
}

/* RFC 9293, 3.10.7.3 */
static void syn_sent(struct stack *st, struct tcp_conn *c, struct tcp_seg *s)
{
	bool ack_ok = s->flags & TH_ACK && seq_gt(s->ack, c->iss) &&
		      seq_leq(s->ack, c->snd_max);

	/* A RST with a wrong number may be anybody's guess; else it is what a
	 * peer that is not attacked never sends. */
	if (!(s->flags & TH_RST) &&
	    (!(s->flags & TH_SYN) || (s->flags & TH_ACK && !ack_ok)))
		conn_active(st, c)->odd = true;
	if (s->flags & TH_ACK && !ack_ok) {
		stack_drop(st, DROP_ACK_FUTURE, NULL, s, c);
		tcp_reply_rst(st, s, NULL);
		return;
	}
	if (s->flags & TH_RST) {
		if (ack_ok) {
			st->stats.resets_in++;
			st->stats.resets_refused++;
			EVENT_CONN(st, c, RESET_RECEIVED, .seg = s);
			tcp_dead(st, c, CLOSE_REFUSED);
		} else {
			stack_drop(st, DROP_ACK_MISSING, NULL, s, c);
		}
		return;
	}
	if (!(s->flags & TH_SYN)) {
		stack_drop(st, DROP_TCP_FLAGS, NULL, s, c);
		return;
	}
	syn_sent_open(st, c, s);
	c->last_rx_ms = stack_ms(st);
	if (ack_ok) {
		EVENT_CONN(st, c, SYNACK_RECEIVED, .seg = s);
		c->handshake_us = (uint32_t)(st->now_us - c->created_us);
		if (!c->retrans)
			tcp_rtt_sample(st, c, c->handshake_us);
		tcp_init_windows(c);
		conn_active(st, c)->rexmt_at_us = TIME_NEVER;
		c->flags |= CF_ACK_NOW;
		tcp_wake_output(st, c);
		tcp_established(st, c, 0);
		if (c->flags & CF_DEAD)
			return;
		/* Urgent data, text and FIN may ride on the SYN-ACK. */
		s->flags &= (uint8_t)~TH_SYN;
		trim(st, c, s);
		if (take_urg(st, c, s) == SEG_DONE)
			return;
		if (s->len)
			tcp_receive_text(st, c, s);
		if (s->flags & TH_FIN && !(c->flags & CF_DEAD))
			tcp_receive_fin(st, c, s->seq + s->len);
		return;
	}
	/* RFC 9293, 3.5 (MUST-10): simultaneous open. */
	EVENT_CONN(st, c, HANDSHAKE_SIMULTANEOUS, .seg = s);
	tcp_set_state(st, c, TCP_SYN_RECEIVED);
	tcp_init_windows(c);
	c->flags |= CF_SYN_NOW;
	tcp_wake_output(st, c);
}

/* Take the numbers and options of the peer's SYN. */
static void syn_sent_open(struct stack *st, struct tcp_conn *c,
			  struct tcp_seg *s)
{
	struct tcp_active *a = conn_active(st, c);

	ASSERT(a);
	c->irs = s->seq;
	c->rcv_nxt = c->last_ack = s->seq + 1;
	c->rcv_adv = c->rcv_nxt + (c->rcvbuf < 65535 ? c->rcvbuf : 65535);
	recvq_init(&a->rcvq, c->rcv_nxt);
	c->snd_wnd = s->wnd; /* never scaled: RFC 7323, 2.2 */
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
	if (s->opts & OPT_MSS) /* RFC 9293, 3.7.1 (MUST-14) */
		c->peer_mss = s->mss;
	/* Both sides must offer: what the peer left out is off. */
	tcp_ecn_answered(c, s);
	if (!(s->opts & OPT_TS))
		c->flags &= ~CF_TS;
	if (!(s->opts & OPT_SACK_OK))
		c->flags &= ~CF_SACK;
	if (s->opts & OPT_WSCALE && c->flags & CF_WSCALE) {
		c->snd_wscale = s->wscale;
	} else {
		c->flags &= ~CF_WSCALE;
		c->rcv_wscale = 0;
	}
	if (c->flags & CF_TS) {
		c->ts_recent = s->ts_val;
		c->ts_recent_ms = stack_ms(st);
	}
	/* What follows is judged as if the SYN were gone. */
	seg_skip(s, 1);
}

/* Its first @n sequence numbers are done with; the urgent pointer, which counts
 * from the first one left, stays where it is, or is done with, too. */
static void seg_skip(struct tcp_seg *s, uint32_t n)
{
	s->seq += n;
	if (s->up < n)
		s->flags &= (uint8_t)~TH_URG;
	else
		s->up = (uint16_t)(s->up - n);
}

/*
 * RFC 7323, 5.3: a segment older than what was seen is one that got lost in
 * the network and came back. Some peers omit timestamps now and then although
 * they agreed to them; unless told to be strict, that is their affair.
 *
 * One difference, unless told to be strict: text that was overtaken by the
 * repair of a hole in front of it is taken. 5.3 names this case and thinks it
 * too rare to matter, but where a path reorders at speed each repair would cost
 * what was late then, and the repair of that again. See overtaken() for why no
 * old duplicate passes.
 */
static enum seg_verdict check_timestamp(struct stack *st, struct tcp_conn *c,
					struct tcp_seg *s)
{
	if (!(c->flags & CF_TS) || s->flags & TH_RST)
		return SEG_NEXT;
	if (!(s->opts & OPT_TS)) {
		if (!st->conf.timestamps_strict)
			return SEG_NEXT;
		stack_drop(st, DROP_TS_MISSING, NULL, s, c);
		return SEG_DONE;
	}
	if (older(st, c, s) &&
	    (st->conf.timestamps_strict || !overtaken(st, c, s))) {
		stack_drop(st, DROP_PAWS, NULL, s, c);
		if (seg_len(s) && !(s->flags & TH_SYN)) {
			c->flags |= CF_ACK_NOW;
			tcp_wake_output(st, c);
		} else {
			tcp_challenge(st, c);
		}
		return SEG_DONE;
	}
	return SEG_NEXT;
}

/* RFC 7323, 5.3 (R1) and 5.5: not older than what is too old to compare. */
static bool older(const struct stack *st, const struct tcp_conn *c,
		  const struct tcp_seg *s)
{
	const uint32_t outdated_ms = 24u * 24 * 3600 * 1000;

	return seq_lt(s->ts_val, c->ts_recent) &&
	       stack_ms(st) - c->ts_recent_ms < outdated_ms;
}

/* Text that lies in front of text which was taken already, and left no more
 * than some two round trips before the latest. The numbers come round in 4 GiB,
 * which are four of the largest windows there are: what the same numbers meant
 * the last time left earlier. */
static bool overtaken(const struct stack *st, const struct tcp_conn *c,
		      const struct tcp_seg *s)
{
	const struct tcp_active *a = conn_active(st, c);
	const struct ranges *held;

	if (!a || !s->len || !a->ts_round_us || !a->rcvq.ooo.n)
		return false;
	held = &a->rcvq.ooo;
	return seq_leq(s->seq + s->len, held->r[held->n - 1].start) &&
	       seq_geq(s->ts_val, a->ts_floor);
}

/* RFC 7323, 4.3 (2) and 5.3 (R3). What it was a round trip ago, or up to two,
 * is remembered for overtaken(). */
static void take_timestamp(struct stack *st, struct tcp_conn *c,
			   const struct tcp_seg *s)
{
	struct tcp_active *a = conn_active(st, c);

	c->ts_recent = s->ts_val;
	c->ts_recent_ms = stack_ms(st);
	if (!a || st->now_us < a->ts_round_us)
		return;
	a->ts_floor = a->ts_round_us ? a->ts_mark : s->ts_val;
	a->ts_mark = s->ts_val;
	a->ts_round_us =
		st->now_us + (a->drs_rtt_us ? a->drs_rtt_us : c->rtt.srtt_us);
}

static enum seg_verdict check_seq(struct stack *st, struct tcp_conn *c,
				  struct tcp_seg *s)
{
	/* RFC 9293, 3.5, figure 8: in a simultaneous open the SYN comes again
	 * with the ACK that we wait for. */
	if (c->state == TCP_SYN_RECEIVED && s->seq == c->irs &&
	    (s->flags & (TH_SYN | TH_ACK | TH_RST)) == (TH_SYN | TH_ACK)) {
		/* ECE there is no echo: RFC 3168, 6.1.1. */
		s->flags &= (uint8_t) ~(TH_SYN | TH_ECE | TH_CWR);
		seg_skip(s, 1);
		s->wnd >>= c->snd_wscale; /* a SYN's window is not scaled */
	}
	if (!seq_acceptable(c, s))
		return unacceptable(st, c, s);
	/* RFC 7323, 4.3 (3): from the segment that spans what we last said.
	 * Not if its ACK is a guess (RFC 5961, 5.2): the clock of a forgery
	 * would make all that really comes look old. */
	if (c->flags & CF_TS && s->opts & OPT_TS &&
	    seq_leq(s->seq, c->last_ack) && ack_acceptable(c, s) &&
	    !older(st, c, s))
		take_timestamp(st, c, s);
	c->last_rx_ms = stack_ms(st);
	c->keepalives = 0;
	if ((s->len || s->flags & TH_FIN) && !(s->flags & TH_RST))
		trim(st, c, s);
	return SEG_NEXT;
}

/*
 * RFC 9293, 3.4 and 3.10.7.4, table 6, with two differences. A segment without
 * text may lie at the right edge itself: that is where the ACKs of a peer are
 * that used up the window. And text at a closed window is acceptable without
 * its text, since its ACK, RST or URG must be seen (MUST-66): trim() cuts it.
 *
 * A RST has no number but its own (RFC 5961, 3.2): if its text counted, one of a
 * window's length would need no guess at all.
 */
static bool seq_acceptable(const struct tcp_conn *c, const struct tcp_seg *s)
{
	uint32_t len = seg_len(s), wnd = tcp_rcv_wnd(c);
	int32_t off = seq_diff(s->seq, c->rcv_nxt);

	if (len == 0 && !(s->flags & TH_RST))
		return off >= 0 && (uint32_t)off <= wnd;
	if (wnd == 0)
		return off == 0;
	if (off >= 0)
		return (uint32_t)off < wnd;
	return len > 0u - (uint32_t)off && !(s->flags & TH_RST);
}

static enum seg_verdict unacceptable(struct stack *st, struct tcp_conn *c,
				     struct tcp_seg *s)
{
	int32_t off = seq_diff(s->seq, c->rcv_nxt);
	struct tcp_active *a;

	if (s->flags & TH_RST) {
		stack_drop(st, DROP_RST_WINDOW, NULL, s, c);
		return SEG_DONE;
	}
	if (ack_counts(c, s, off) &&
	    (check_ack(st, c, s) == SEG_DONE || off != -1))
		return SEG_DONE;
	if (s->flags & TH_SYN) /* RFC 5961, 4.2: wherever its number lies */
		stack_drop(st, DROP_SYN_CHALLENGED, NULL, s, c);
	else
		stack_drop(st, off < 0 ? DROP_DUPLICATE : DROP_SEQ, NULL, s, c);
	if (off < 0)
		compare_text(st, c, s, true);
	if (s->flags & TH_SYN || off >= 0 || (!s->len && off != -1)) {
		tcp_challenge(st, c);
		return SEG_DONE;
	}
	/* Text or a FIN that came twice (the ACK was lost) is answered always,
	 * for who sends it again has a timer. Probes of an idle connection or
	 * a closed window are no guesses, and take nothing from what all
	 * connections may spend on those; but two ends, each a number behind
	 * the other, would take each other's ACKs for them. */
	a = tcp_activate(st, c);
	if (!seg_len(s) && (!a || !answer_take(st, a)))
		return SEG_DONE;
	if (a) /* beyond a closed window nothing was taken */
		tcp_sack_twice(c, a, s->seq,
			       seq_min(s->seq + s->len, c->rcv_nxt));
	/* RFC 9293, 3.10.7.4, eighth: the FIN again, and its service still
	 * reads. */
	if (c->state == TCP_TIME_WAIT && s->flags & TH_FIN &&
	    s->seq + s->len + 1 == c->rcv_nxt)
		c->linger_at_us = st->now_us + 2 * st->conf.msl_us;
	/* The peer's tail loss probe was quicker than our delayed ACK. */
	if (c->flags & CF_ACK_DELAYED && s->seq + s->len == c->rcv_nxt)
		tcp_receive_expire(st, c);
	c->flags |= CF_ACK_NOW;
	tcp_wake_output(st, c);
	return SEG_DONE;
}

/*
 * Two kinds of ACKs without text lie in front of the window and tell something
 * new all the same; RFC 9293, 3.10.7.4, makes an allowance for valid ACKs where a
 * window is closed.
 *
 * Each end probed the other's closed window with a byte, and both were taken. An
 * ACK has the number before such a byte, for nobody knows what became of it; so
 * now each is one behind what the other expects, and neither would hear what the
 * other acknowledges.
 *
 * Or rounding took back a part of a unit of our window when the peer had used it
 * up (RFC 7323, 2.4). A kernel without a scale of its own numbers its ACKs by where
 * the window seems to end, and without them we would wait for an RTO.
 */
static bool ack_counts(const struct tcp_conn *c, const struct tcp_seg *s,
		       int32_t off)
{
	int32_t unit = 1 << c->rcv_wscale;

	return (off == -1 || (off < 0 && off > -unit)) && !seg_len(s) &&
	       c->state != TCP_SYN_RECEIVED && seq_gt(s->ack, c->snd_una) &&
	       ack_acceptable(c, s);
}

static void compare_text(struct stack *st, const struct tcp_conn *c,
			 const struct tcp_seg *s, bool again)
{
	if (s->len > 1 && event_wanted(st, EVENT_TEXT_CONFLICT))
		tcp_odd_text(st, c, s, again);
}

/* Cut off what lies outside the window. */
static void trim(struct stack *st, struct tcp_conn *c, struct tcp_seg *s)
{
	uint32_t wnd = tcp_rcv_wnd(c), room, before;
	struct tcp_active *a;

	if (s->flags & TH_SYN)
		return; /* will be challenged */
	if (seq_lt(s->seq, c->rcv_nxt)) {
		before = c->rcv_nxt - s->seq;
		a = tcp_activate(st, c);
		if (a)
			tcp_sack_twice(c, a, s->seq, c->rcv_nxt);
		/* Or its FIN would be old, and all of it. */
		ASSERT(before <= s->len);
		compare_text(st, c, s, true);
		s->text += before;
		s->len -= before;
		seg_skip(s, before);
		c->flags |= CF_ACK_NOW;
		tcp_wake_output(st, c);
	}
	room = wnd - (s->seq - c->rcv_nxt);
	if (s->len + !!(s->flags & TH_FIN) <= room)
		return;
	if (s->len > room) {
		st->stats.dropped[DROP_WINDOW_FULL]++;
		s->len = room;
		s->flags &= (uint8_t)~TH_FIN;
		c->flags |= CF_ACK_NOW;
		tcp_wake_output(st, c);
	}
}

/* RFC 5961, 3.2. Text of a RST is not looked at: RFC 9293, 3.5.3 (SHLD-2). */
static enum seg_verdict check_rst(struct stack *st, struct tcp_conn *c,
				  struct tcp_seg *s)
{
	if (!(s->flags & TH_RST))
		return SEG_NEXT;
	if (s->seq != c->rcv_nxt) {
		stack_drop(st, DROP_RST_INEXACT, NULL, s, c);
		tcp_challenge(st, c);
		return SEG_DONE;
	}
	if (c->state == TCP_TIME_WAIT) { /* RFC 1337, 3 (F1) */
		stack_drop(st, DROP_RST_NOBODY, NULL, s, c);
		return SEG_DONE;
	}
	st->stats.resets_in++;
	EVENT_CONN(st, c, RESET_RECEIVED, .seg = s);
	tcp_dead(st, c,
		 c->state == TCP_SYN_RECEIVED ? CLOSE_REFUSED
					      : CLOSE_RESET_BY_PEER);
	return SEG_DONE;
}

/* RFC 5961, 4.2 */
static enum seg_verdict check_syn(struct stack *st, struct tcp_conn *c,
				  struct tcp_seg *s)
{
	if (!(s->flags & TH_SYN))
		return SEG_NEXT;
	stack_drop(st, DROP_SYN_CHALLENGED, NULL, s, c);
	tcp_challenge(st, c);
	return SEG_DONE;
}

static enum seg_verdict check_ack(struct stack *st, struct tcp_conn *c,
				  struct tcp_seg *s)
{
	bool newer;

	if (!(s->flags & TH_ACK)) {
		stack_drop(st, DROP_ACK_MISSING, NULL, s, c);
		return SEG_DONE;
	}
	if (c->state == TCP_SYN_RECEIVED && ack_handshake(st, c, s) == SEG_DONE)
		return SEG_DONE;
	/* RFC 5961, 5.2: an ACK that is too old or too new is a guess
	 * (RFC 9293, 3.10.7.4 (MAY-12)). */
	if (!ack_acceptable(c, s)) {
		stack_drop(st,
			   seq_gt(s->ack, c->snd_max) ? DROP_ACK_FUTURE
						      : DROP_ACK_OLD,
			   NULL, s, c);
		tcp_challenge(st, c);
		return SEG_DONE;
	}
	if (seq_lt(s->ack, c->snd_una))
		return SEG_NEXT; /* overtaken by a later one; text is good */
	newer = s->ack != c->snd_una;
	if (c->active)
		tcp_loss_ack(st, c, s);
	if (newer)
		ack_advance(st, c, s->ack);
	ack_window(st, c, s, newer);
	return ack_fin(st, c);
}

/* RFC 5961, 5.2; no segment without ACK has one. Nor was anything acknowledged
 * before the first byte: a window of a GiB would let one of four guesses pass
 * as long as little was sent. */
static bool ack_acceptable(const struct tcp_conn *c, const struct tcp_seg *s)
{
	uint32_t old = c->snd_wnd_max, acked = c->snd_una - (c->iss + 1);

	if (!c->snd_laps && acked < old)
		old = acked;
	return s->flags & TH_ACK && seq_leq(s->ack, c->snd_max) &&
	       seq_geq(s->ack, c->snd_una - old);
}

static enum seg_verdict ack_handshake(struct stack *st, struct tcp_conn *c,
				      const struct tcp_seg *s)
{
	struct tcp_active *a = conn_active(st, c);

	if (seq_leq(s->ack, c->snd_una) || seq_gt(s->ack, c->snd_max)) {
		stack_drop(st, DROP_ACK_FUTURE, NULL, s, c);
		tcp_reply_rst(st, s, NULL);
		return SEG_DONE;
	}
	if (a)
		a->rexmt_at_us = TIME_NEVER;
	c->flags &= ~CF_SYN_NOW;
	c->handshake_us = (uint32_t)(st->now_us - c->created_us);
	tcp_established(st, c, 0);
	return c->flags & CF_DEAD ? SEG_DONE : SEG_NEXT;
}

/* The front of the queue is acknowledged. */
static void ack_advance(struct stack *st, struct tcp_conn *c, tcp_seq ack)
{
	struct tcp_active *a = conn_active(st, c);
	bool fin = c->flags & CF_FIN_SENT && ack == c->snd_max;
	uint32_t text = ack - c->snd_una - fin;

	ASSERT(a);
	ASSERT(text <= a->sndq.len);
	sendq_drop(&a->sndq, &st->send_pools, text);
	/* The edge stays where it was offered, until ack_window() finds that
	 * this segment is the newest and may move it. */
	c->snd_wnd -=
		c->snd_wnd < ack - c->snd_una ? c->snd_wnd : ack - c->snd_una;
	c->snd_una = ack;
	tcp_urgent_acked(st, c);
	if (seq_lt(c->snd_nxt, ack)) /* a window probe was taken */
		c->snd_nxt = ack;
	if (seq_lt(c->snd_sml, ack))
		c->snd_sml = ack;
	c->rexmt_count = 0;
	c->flags &= ~CF_R1;
	a->stalled_us = c->snd_nxt == ack ? TIME_NEVER : st->now_us;
	tcp_persist_end(c, a);
	tcp_rexmt_restart(st, c);
	tcp_probe_arm(st, c, a);
	if (c->flags & CF_WANT_WRITE)
		tcp_wake_service(st, c);
	tcp_wake_output(st, c);
}

/* RFC 9293, 3.10.7.4: old segments must not set the window. One that brings a
 * new ACK is not old, even if its text is: it was sent again just now. */
static void ack_window(struct stack *st, struct tcp_conn *c,
		       const struct tcp_seg *s, bool newer)
{
	/* RFC 9293, 3.1 (MUST-1, REC-1): unsigned, and of 32 bits here. */
	uint32_t wnd = (uint32_t)s->wnd << c->snd_wscale;

	if (!newer && (seq_gt(c->snd_wl1, s->seq) ||
		       (c->snd_wl1 == s->seq && seq_gt(c->snd_wl2, s->ack))))
		return;
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
	/* A peer that answers is alive, however long its window is closed:
	 * RFC 9293, 3.8.6 (SHLD-17), 3.8.6.1 (MUST-37). */
	if (!c->snd_wnd)
		c->rexmt_count = 0;
	if (wnd == c->snd_wnd)
		return;
	if (wnd > c->snd_wnd && c->active)
		tcp_wake_output(st, c);
	c->snd_wnd = wnd;
	if (wnd > c->snd_wnd_max)
		c->snd_wnd_max = wnd;
}

static enum seg_verdict ack_fin(struct stack *st, struct tcp_conn *c)
{
	if (!(c->flags & CF_FIN_SENT) || c->snd_una != c->snd_max)
		return SEG_NEXT;
	switch (c->state) {
	case TCP_FIN_WAIT_1:
		tcp_set_state(st, c, TCP_FIN_WAIT_2);
		return SEG_NEXT;
	case TCP_CLOSING:
		tcp_set_state(st, c, TCP_TIME_WAIT);
		return SEG_NEXT;
	case TCP_LAST_ACK:
		if (!tcp_read_out(st, c)) {
			c->flags |= CF_DONE;
			return SEG_NEXT;
		}
		tcp_dead(st, c, CLOSE_FIN);
		return SEG_DONE;
	default:
		return SEG_NEXT;
	}
}

static enum seg_verdict take_ecn(struct stack *st, struct tcp_conn *c,
				 struct tcp_seg *s)
{
	tcp_ecn_receive(st, c, s);
	return SEG_NEXT;
}

/* After its FIN a peer has no text to send, urgent or not. */
static bool may_have_text(const struct tcp_conn *c)
{
	return c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT_1 ||
	       c->state == TCP_FIN_WAIT_2;
}

/* RFC 9293, 3.8.5 (MUST-30), and 3.4 (MUST-66): the mark counts even if the
 * window is closed to the text. */
static enum seg_verdict take_urg(struct stack *st, struct tcp_conn *c,
				 struct tcp_seg *s)
{
	if (s->flags & TH_URG && may_have_text(c))
		tcp_urgent_receive(st, c, s);
	return c->flags & CF_DEAD ? SEG_DONE : SEG_NEXT;
}

static enum seg_verdict take_text(struct stack *st, struct tcp_conn *c,
				  struct tcp_seg *s)
{
	if (!s->len)
		return SEG_NEXT;
	if (!may_have_text(c)) {
		stack_drop(st, DROP_AFTER_FIN, NULL, s, c);
		return SEG_DONE;
	}
	compare_text(st, c, s, false);
	tcp_receive_text(st, c, s);
	return c->flags & CF_DEAD ? SEG_DONE : SEG_NEXT;
}

static enum seg_verdict take_fin(struct stack *st, struct tcp_conn *c,
				 struct tcp_seg *s)
{
	if (s->flags & TH_FIN)
		tcp_receive_fin(st, c, s->seq + s->len);
	return SEG_DONE;
}
