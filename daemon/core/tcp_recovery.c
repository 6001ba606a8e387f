/*
 * tcp_recovery.c - How much is sent while losses are repaired
 *
 * Fast recovery begins when something is found lost by evidence and lasts until
 * all that was in flight then is acknowledged (RFC 6582, RFC 6675); how much
 * may leave meanwhile is proportional rate reduction's (RFC 9937).
 */
#include "tcp_loss.h"

static uint32_t window_left(const struct tcp_conn *c,
			    const struct tcp_active *a);

void tcp_recovery_enter(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a, tcp_seq ack, uint32_t recover_fs)
{
	uint32_t flight = c->snd_nxt - ack;
	bool stale = cwv_stale(&a->cwv, c->cc.cwnd, c->rtt.srtt_us, st->now_us);

	if (tcp_pmtu_spares(st, c))
		return;
	tcp_undo_save(st, c, a);
	a->recovery = RECOVERY_FAST;
	a->recover = c->snd_nxt;
	a->force_one = true;
	a->tlp_out = a->force_new = false; /* RFC 8985, 7.1 */
	a->probe_at_us = TIME_NEVER;
	/* RFC 5681, 3.1 and 3.2: of FlightSize, SACKed or not, without what
	 * limited transmit (RFC 3042) sent since the first sign, which is what
	 * goes beyond cwnd. */
	if (flight > c->cc.cwnd)
		flight = c->cc.cwnd;
	/* RFC 3168, 6.1.2: once for the marks and losses of one window. */
	if (seq_geq(ack, a->cwr_end)) {
		flight = tcp_recovery_reduce(st, c, a, flight);
		a->cwv.loss_from = stale ? flight : 0;
	}
	tcp_ecn_reduced(c, a);
	prr_enter(&a->prr, recover_fs);
}

uint32_t tcp_recovery_reduce(struct stack *st, struct tcp_conn *c,
			     struct tcp_active *a, uint32_t flight)
{
	uint32_t pipe = cwv_pipe(&a->cwv);

	/* RFC 7661, 4.4.2: a sender that seldom fills its window may lose a
	 * segment, or see a mark, when hardly anything is in flight. */
	if (!cwv_valid(&a->cwv, c->cc.cwnd) && pipe > flight)
		flight = pipe;
	tcp_cc(c)->loss(&c->cc, &a->ccs, flight, st->now_us);
	return flight;
}

/* RFC 9937: during recovery cwnd is what is in flight and a share of what was
 * delivered, so that sending goes on evenly down to ssthresh. */
void tcp_recovery_room(struct tcp_conn *c, struct tcp_active *a, tcp_seq una,
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

void tcp_recovery_leave(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a)
{
	if (a->recovery == RECOVERY_FAST)
		c->cc.cwnd = c->cc.ssthresh = window_left(c, a);
	tcp_rack_recovered(a);
	tcp_undo_leave(st, c, a);
	a->cwv = (struct cwv){.begun = false}; /* RFC 7661, 4.4.2 */
	a->recovery = RECOVERY_OPEN;
	a->dupacks = 0;
}

/* No less than any loss leaves (RFC 5681, 3.1 (4); RFC 9438, 4.6). */
static uint32_t window_left(const struct tcp_conn *c,
			    const struct tcp_active *a)
{
	uint32_t left = cwv_recovered(&a->cwv, c->cc.ssthresh);
	uint32_t least = 2 * c->cc.mss;

	return left > least ? left : least;
}
