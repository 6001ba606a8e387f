/*
 * tcp_probe.c - Tail loss probes (RFC 8985, 7)
 *
 * When the last segments of a flight are lost, nothing later arrives that could
 * report it. A probe sent when their ACK is overdue turns that from a timeout
 * into a round trip: its ACK, or its SACK, tells RACK what is missing. The probe
 * is the next segment of new text, whatever cwnd and Nagle say, or, if there is
 * none that the peer's window has room for, or marks of congestion hold it back
 * (RFC 3168, 6.1.2), the last segment once more.
 *
 * If that segment alone was lost, the probe repairs it and the ACK looks as if
 * nothing had happened. So what comes after it is watched: if no report of a
 * segment that came twice follows, there was a loss, and cwnd pays for it.
 *
 * There is one probe at a time, and no other before a round trip was measured:
 * a path on which all probes are needless gets time to say so.
 */
#include "tcp_loss.h"

/* A probe of a single segment waits for delayed ACKs as long as those take. */
#define DELACK_WORST_US 200000
#define PTO_SLACK_US	10000 /* a client that is not scheduled is not a loss */
#define PTO_UNKNOWN_US	1000000

static bool send_last(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a);

/* RFC 8985, 7.2 */
void tcp_probe_arm(struct stack *st, struct tcp_conn *c, struct tcp_active *a)
{
	int64_t pto = PTO_UNKNOWN_US;

	a->probe_at_us = TIME_NEVER;
	if (!(c->flags & CF_SACK) || a->recovery != RECOVERY_OPEN ||
	    a->sacked || a->tlp_out || a->tlp_unmeasured ||
	    c->snd_una == c->snd_nxt)
		return;
	if (c->rtt.srtt_us) {
		pto = 2 * (int64_t)c->rtt.srtt_us + PTO_SLACK_US;
		if (c->snd_nxt - c->snd_una <= c->cc.mss)
			pto += DELACK_WORST_US;
	}
	a->probe_at_us = st->now_us + pto;
	if (a->probe_at_us > a->rexmt_at_us)
		a->probe_at_us = a->rexmt_at_us;
}

/* RFC 8985, 7.3; tcp_timer() starts the RTO anew behind it. */
void tcp_probe_expire(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);
	uint32_t sent = c->snd_nxt - c->snd_una;

	a->probe_at_us = TIME_NEVER;
	if (!a->tx_tail || a->recovery != RECOVERY_OPEN || a->tlp_out)
		return;
	a->tlp_retrans = a->sndq.len <= sent || c->snd_wnd <= sent ||
			 a->hold_until_us != TIME_NEVER;
	if (a->tlp_retrans) {
		if (!send_last(st, c, a))
			return;
	} else {
		a->force_new = true;
	}
	a->tlp_out = a->tlp_unmeasured = true;
	a->tlp_end = c->snd_nxt; /* with new text, tcp_probe_sent() knows */
	a->tlp_flight = sent;
	tcp_wake_output(st, c);
}

void tcp_probe_sent(const struct tcp_conn *c, struct tcp_active *a)
{
	a->force_new = false;
	a->tlp_end = c->snd_nxt;
}

/* RFC 8985, 7.4.2 */
void tcp_probe_acked(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct tcp_seg *seg, const struct ack_news *news)
{
	const struct sack_block *twice = &news->dsack;
	bool again =
		seg->opts & OPT_SACK
			? twice->start != twice->end &&
				  seq_leq(twice->end, a->tlp_end) &&
				  seq_gt(twice->end, a->tlp_end - c->cc.mss)
			: tcp_ack_duplicate(c, seg);

	if (!a->tlp_out || seq_lt(seg->ack, a->tlp_end))
		return;
	if (!a->tlp_retrans || again) {
		a->tlp_out = false;
	} else if (seq_gt(seg->ack, a->tlp_end)) {
		a->tlp_out = false;
		/* RFC 3168, 6.1.2: its window was reduced already. */
		if (a->recovery != RECOVERY_OPEN ||
		    seq_leq(a->tlp_end, a->cwr_end))
			return;
		tcp_undo_drop(st, a);
		tcp_recovery_reduce(st, c, a, a->tlp_flight);
		tcp_ecn_reduced(c, a);
	}
}

/* The last segment in flight is sent again. False if that cannot be done. */
static bool send_last(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a)
{
	struct tx_rec *t = tx_ptr(st, a->tx_tail);

	if (tx_len(t) > c->cc.mss && tcp_tx_split(st, a, t, t->end - c->cc.mss))
		t = tx_ptr(st, a->tx_tail);
	if (t->flags & TX_SACKED)
		return false;
	tcp_tx_lost(a, t);
	a->force_one = true;
	return true;
}
