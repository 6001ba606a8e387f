/*
 * tcp_loss.h - What the files of loss recovery share
 *
 * tcp_tx.c keeps the list of transmissions, tcp_loss.c reads ACKs against it,
 * tcp_rack.c and tcp_probe.c find what is lost, tcp_recovery.c decides how much
 * may be sent while that is repaired.
 */
#ifndef TCPHS_TCP_LOSS_H
#define TCPHS_TCP_LOSS_H

#include "tcp_priv.h"

#define NO_RTT INT64_MAX

/* What one ACK told. */
struct ack_news {
	uint32_t acked;	 /* bytes cumulatively */
	uint32_t flown;	 /* of these: neither SACKed before nor given up */
	uint32_t sacked; /* bytes for the first time */
	bool original;	 /* some of all these were never sent again */
	int64_t rtt_us;	 /* NO_RTT if nothing may be measured (Karn) */
	/* What arrived twice (RFC 2883); start == end: nothing did. */
	struct sack_block dsack;
};

static inline uint32_t tx_len(const struct tx_rec *t)
{
	return t->end - t->start;
}

static inline struct tx_rec *tx_ptr(const struct stack *st, ref_t r)
{
	return ref_ptr(&st->arena, r);
}

/* Does this ACK answer a segment sent before our clock showed @ts? */
static inline bool tcp_ack_precedes(const struct tcp_conn *c,
				    const struct tcp_seg *seg, uint32_t ts)
{
	return c->flags & CF_TS && seg->opts & OPT_TS &&
	       seq_lt(seg->ts_ecr, ts);
}

/* RFC 5681, 2: an ACK that says nothing but that something arrived. */
static inline bool tcp_ack_duplicate(const struct tcp_conn *c,
				     const struct tcp_seg *seg)
{
	return seg->ack == c->snd_una && !seg->len &&
	       !(seg->flags & (TH_SYN | TH_FIN)) &&
	       (uint32_t)seg->wnd << c->snd_wscale == c->snd_wnd;
}

/* ---- tcp_tx.c --------------------------------------------------------- */

/** tcp_tx_append() - [start, end) left just now; false without memory */
bool tcp_tx_append(struct stack *st, struct tcp_active *a, tcp_seq start,
		   tcp_seq end, uint8_t flags);
/** tcp_tx_unlink() - Forget one */
void tcp_tx_unlink(struct stack *st, struct tcp_active *a, struct tx_rec *t);
/** tcp_tx_split() - [start, end) becomes [start, at) and, behind it, [at, end)
 *
 * False without memory: nothing is changed then. */
bool tcp_tx_split(struct stack *st, struct tcp_active *a, struct tx_rec *t,
		  tcp_seq at);
/** tcp_tx_sacked() - It arrived; returns the record that it is in now */
struct tx_rec *tcp_tx_sacked(struct stack *st, struct tcp_active *a,
			     struct tx_rec *t);
/** tcp_tx_lost() - It is to be sent again, unless it arrived */
void tcp_tx_lost(struct tcp_active *a, struct tx_rec *t);

/* ---- tcp_rack.c ------------------------------------------------------- */

/** tcp_rack_echo() - What left at @sent_us for the second time is answered by a
 * timestamp that is no less, and the first time by one that is */
uint32_t tcp_rack_echo(const struct tcp_conn *c, const struct tcp_active *a,
		       int64_t sent_us);
/** tcp_rack_delivered() - A transmission arrived, says @seg */
void tcp_rack_delivered(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a, const struct tx_rec *t,
			const struct tcp_seg *seg, struct ack_news *news);
/** tcp_rack_detect() - Mark what is overdue (RFC 8985, 6.2, step 5) */
void tcp_rack_detect(struct stack *st, struct tcp_conn *c,
		     struct tcp_active *a);
/** tcp_rack_timeout() - Mark what an RTO says is lost (RFC 8985, 6.3) */
void tcp_rack_timeout(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a);
/** tcp_rack_dsack() - The peer got something twice: tolerate more */
void tcp_rack_dsack(const struct tcp_conn *c, struct tcp_active *a,
		    tcp_seq ack);
/** tcp_rack_recovered() - A recovery is over */
void tcp_rack_recovered(struct tcp_active *a);

/* ---- tcp_probe.c ------------------------------------------------------ */

/** tcp_probe_acked() - What an ACK says about the probe (RFC 8985, 7.4) */
void tcp_probe_acked(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct tcp_seg *seg, const struct ack_news *news);

/* ---- tcp_recovery.c --------------------------------------------------- */

/** tcp_recovery_enter() - Something is lost: fast recovery begins
 * @ack:        First number that is not acknowledged
 * @recover_fs: As prr_enter() wants it */
void tcp_recovery_enter(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a, tcp_seq ack, uint32_t recover_fs);
/** tcp_recovery_reduce() - A loss or a mark, with @flight bytes in flight
 *
 * Return: the bytes it took its share of: these, or what was used lately */
uint32_t tcp_recovery_reduce(struct stack *st, struct tcp_conn *c,
			     struct tcp_active *a, uint32_t flight);
/** tcp_recovery_leave() - All of then is acknowledged */
void tcp_recovery_leave(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a);
/** tcp_recovery_room() - cwnd of this moment of fast recovery
 * @una, @delivered, @safe: See struct prr_ack */
void tcp_recovery_room(struct tcp_conn *c, struct tcp_active *a, tcp_seq una,
		       uint32_t delivered, bool safe);

/* ---- tcp_spurious.c --------------------------------------------------- */

/** tcp_undo_save() - A recovery begins: keep what is known now */
void tcp_undo_save(struct stack *st, struct tcp_conn *c, struct tcp_active *a);
/** tcp_undo_timeout() - It is by timeout; before a->recovery says so */
void tcp_undo_timeout(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a);
/** tcp_undo_resent() - @len bytes were sent again */
void tcp_undo_resent(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     uint32_t len);
/** tcp_undo_leave() - The recovery is over; D-SACKs may still come */
void tcp_undo_leave(struct stack *st, struct tcp_conn *c, struct tcp_active *a);
/** tcp_undo_ack() - Does this ACK show that none of it was needed? */
void tcp_undo_ack(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		  const struct tcp_seg *seg, const struct ack_news *news);
/** tcp_undo_cwnd() - cwnd, or what F-RTO allows if it is at it */
uint32_t tcp_undo_cwnd(const struct tcp_conn *c, const struct tcp_active *a,
		       uint32_t in_flight);

#endif
