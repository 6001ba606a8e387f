/*
 * tcp_probe.c - Tail loss probes (RFC 8985, 7)
 *
 * When the last segments of a flight are lost, nothing later arrives that could
 * report it. A probe sent when their ACK is overdue turns that from a timeout
 * into a round trip: its ACK, or its SACK, tells RACK what is missing.
 */
#include "tcp_loss.h"

void tcp_probe_expire(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);
	struct tx_rec *t;

	a->probe_at_us = TIME_NEVER;
	if (!a->tx_tail || a->recovery != RECOVERY_OPEN || a->tlp_out)
		return;
	/* New text would do as well, but if there were any that may be sent,
	 * it would have been sent. The last segment goes again. */
	t = tx_ptr(st, a->tx_tail);
	if (tx_len(t) > c->cc.mss && tcp_tx_split(st, a, t, t->end - c->cc.mss))
		t = tx_ptr(st, a->tx_tail);
	if (t->flags & TX_SACKED)
		return;
	tcp_tx_lost(a, t);
	a->force_one = true;
	a->tlp_out = true;
	a->tlp_end = c->snd_nxt;
	tcp_wake_output(st, c);
}

/* RFC 8985, 7.4: if the probe repaired something, that was a loss. */
void tcp_probe_acked(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct ack_news *news, tcp_seq ack)
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
