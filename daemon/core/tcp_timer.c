/*
 * tcp_timer.c - What happens when nothing happens
 *
 * A connection has these deadlines: retransmit, persist, delayed ACK, the
 * reordering and tail probe timers of RACK, pacing, keep-alive, the end of FIN-WAIT-2
 * or TIME-WAIT, its service's alarm, and giving back its active record. It
 * sits in the stack's wheel once, under the earliest of them (tcp_rearm()); a
 * deadline that moves later costs nothing until the wheel fires, and then
 * tcp_timer() looks which ones are really due.
 *
 * Retransmit and persist exclude each other: persist runs only when nothing is
 * in flight and the window forbids sending.
 */
#include "tcp_priv.h"

#define R1_TRIES	   3 /* RFC 9293, 3.8.3 (SHLD-10) */
#define KEEPALIVE_EVERY_US (75ll * 1000000)
#define NO_MEMORY_RETRY_US 50000
#define KEEPALIVE_TRIES	   9 /* RFC 9293, 3.8.4 (MUST-29): more than one */

static void timer_active(struct stack *st, struct tcp_conn *c,
			 struct tcp_active *a);
static void timer_rexmt(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a);
static void tell_r1(struct stack *st, struct tcp_conn *c);
static void timer_syn(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a);
static void timer_persist(struct stack *st, struct tcp_conn *c,
			  struct tcp_active *a);
static void timer_linger(struct stack *st, struct tcp_conn *c);
static void timer_keepalive(struct stack *st, struct tcp_conn *c);
static bool user_gave_up(struct stack *st, struct tcp_conn *c,
			 const struct tcp_active *a);

static inline int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Is something owed that could not even be queued for want of memory? */
static bool output_pending(const struct tcp_conn *c, const struct tcp_active *a)
{
	return !a && (c->flags & CF_ACK_NOW ||
		      (c->flags & CF_CLOSE && !(c->flags & CF_FIN_SENT)));
}

/* Does its service wait for room that no ACK will make? Memory was short when
 * it wanted to write. */
static bool service_pending(const struct tcp_conn *c,
			    const struct tcp_active *a)
{
	return c->flags & CF_WANT_WRITE && (!a || !a->sndq.len);
}

static int64_t active_linger_us(const struct stack *st,
				const struct tcp_conn *c)
{
	uint32_t rto_us = tcp_rto_us(st, c);

	/* With the memory full others wait for it. */
	if (!c->cc.mss || c->cc.cwnd <= cc_initial_window(c->cc.mss))
		return stack_is_full(st) ? LINGER_FULL_US : ACTIVE_LINGER_US;
	return rto_us < ACTIVE_LINGER_US ? ACTIVE_LINGER_US : rto_us;
}

void tcp_rearm(struct stack *st, struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);
	int64_t at = earlier(c->alarm_at_us, c->linger_at_us);
	int64_t user_timeout_us = tcp_user_timeout_us(st, c);

	if (c->flags & CF_DEAD)
		return;
	if (a) {
		at = earlier(at, earlier(a->rexmt_at_us, a->persist_at_us));
		at = earlier(at, earlier(a->delack_at_us, a->reorder_at_us));
		at = earlier(at, earlier(a->hold_until_us, a->pace_at_us));
		at = earlier(at, earlier(a->probe_at_us,
					 a->used_us + active_linger_us(st, c)));
		if (user_timeout_us && a->stalled_us != TIME_NEVER)
			at = earlier(at, a->stalled_us + user_timeout_us);
	}
	if (output_pending(c, a) || service_pending(c, a))
		at = earlier(at, st->now_us + NO_MEMORY_RETRY_US);
	at = earlier(at, tcp_keepalive_at(st, c));
	if (at != TIME_NEVER)
		wheel_arm(&st->wheel_conn, conn_ref(st, c), at);
}

void tcp_timer(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	if (a) {
		timer_active(st, c, a);
		if (c->flags & CF_DEAD)
			return;
	}
	if (c->linger_at_us <= st->now_us) {
		timer_linger(st, c);
		return;
	}
	if (tcp_keepalive_at(st, c) <= st->now_us) {
		timer_keepalive(st, c);
		if (c->flags & CF_DEAD)
			return;
	}
	if (c->alarm_at_us <= st->now_us) {
		const struct tcp_service *svc = tcp_service_of(st, c);

		c->alarm_at_us = TIME_NEVER;
		if (svc && svc->on_alarm)
			svc->on_alarm(st, c);
		if (c->flags & CF_DEAD)
			return;
	}
	a = conn_active(st, c);
	if (output_pending(c, a))
		tcp_wake_output(st, c);
	if (service_pending(c, a))
		tcp_wake_service(st, c);
	if (a && a->used_us + active_linger_us(st, c) <= st->now_us) {
		if (tcp_idle(c, a)) {
			tcp_deactivate(st, c);
			if (c->cc.mss)
				cc_restart(&c->cc);
		} else {
			a->used_us = st->now_us;
		}
	}
	tcp_rearm(st, c);
}

uint32_t tcp_rto_us(const struct stack *st, const struct tcp_conn *c)
{
	return rtt_backed_off(&c->rtt, &st->rtt_limits, c->backoff);
}

/* An idle connection knows the smallest round trip, and from which period, but
 * not which of two it was. */
void tcp_rtt_sample(struct stack *st, struct tcp_conn *c, uint32_t sample_us)
{
	struct tcp_active *a = conn_active(st, c);
	struct rtt_recent recent = {
		.least_us = a ? a->rtt_recent_us : 0,
		.period = c->rtt_period,
	};

	rtt_sample(&c->rtt, &recent, &st->rtt_limits, sample_us, st->now_us);
	c->rtt_period = recent.period % RTT_PERIODS;
	if (a)
		a->rtt_recent_us = recent.least_us;
}

void tcp_persist_end(struct tcp_conn *c, struct tcp_active *a)
{
	if (a->persist_at_us == TIME_NEVER)
		return;
	a->persist_at_us = TIME_NEVER;
	c->backoff = 0; /* it was doubled by probes that got their answers */
}

void tcp_rexmt_restart(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	a->probe_at_us = TIME_NEVER;
	if (c->snd_una == c->snd_nxt)
		a->rexmt_at_us = TIME_NEVER;
	else
		a->rexmt_at_us = st->now_us + tcp_rto_us(st, c);
}

static void timer_active(struct stack *st, struct tcp_conn *c,
			 struct tcp_active *a)
{
	if (user_gave_up(st, c, a))
		return;
	if (a->delack_at_us <= st->now_us)
		tcp_receive_expire(st, c);
	if (a->pace_at_us <= st->now_us) {
		a->pace_at_us = TIME_NEVER;
		tcp_wake_output(st, c);
	}
	if (a->hold_until_us <= st->now_us) {
		a->hold_until_us = TIME_NEVER;
		tcp_wake_output(st, c);
	}
	if (a->reorder_at_us <= st->now_us)
		tcp_rack_expire(st, c);
	if (a->probe_at_us <= st->now_us) {
		tcp_probe_expire(st, c);
		/* RFC 8985, 7.3: the RTO counts from the probe. */
		tcp_rexmt_restart(st, c);
	}
	if (a->rexmt_at_us <= st->now_us) {
		if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
			timer_syn(st, c, a);
		else
			timer_rexmt(st, c, a);
	} else if (a->persist_at_us <= st->now_us) {
		timer_persist(st, c, a);
	}
}

/* RFC 5482 as a setting: so long without any progress. Where it is not set,
 * the count of tries decides (timer_rexmt()). */
static bool user_gave_up(struct stack *st, struct tcp_conn *c,
			 const struct tcp_active *a)
{
	int64_t timeout_us = tcp_user_timeout_us(st, c);

	if (!timeout_us || a->stalled_us == TIME_NEVER ||
	    st->now_us - a->stalled_us < timeout_us)
		return false;
	tcp_reset(st, c, CLOSE_TIMEOUT_USER);
	return true;
}

/* RFC 6298, 5.4 to 5.6; RFC 9293, 3.8.2 (MUST-19), 3.8.3 (MUST-20) */
static void timer_rexmt(struct stack *st, struct tcp_conn *c,
			struct tcp_active *a)
{
	ASSERT(c->snd_una != c->snd_nxt);
	a->rexmt_at_us = TIME_NEVER;
	if (c->rexmt_count >= st->conf.retries) {
		tcp_dead(st, c, CLOSE_TIMEOUT_DATA);
		return;
	}
	tell_r1(st, c);
	if (c->flags & CF_DEAD)
		return;
	c->rexmt_count++;
	if (c->backoff < 31)
		c->backoff++;
	tcp_pmtu_timeout(st, c);
	tcp_loss_timeout(st, c);
	tcp_rexmt_restart(st, c);
	tcp_wake_output(st, c);
}

/* RFC 9293, 3.8.3 (SHLD-9): once, until something is acknowledged. */
static void tell_r1(struct stack *st, struct tcp_conn *c)
{
	const struct tcp_trouble t = {.what = TROUBLE_TRIES,
				      .tries = c->rexmt_count};

	if (c->rexmt_count != R1_TRIES || c->flags & CF_R1)
		return;
	c->flags |= CF_R1;
	tcp_trouble(st, c, &t);
}

/* RFC 9293, 3.8.3 (MUST-22, MUST-23): of an open of ours, whatever has crossed
 * it; who opens to us has a record and synack_retries (tcp_half_expire()). */
static void timer_syn(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a)
{
	bool client = c->state == TCP_SYN_SENT;

	a->rexmt_at_us = TIME_NEVER;
	if (c->rexmt_count >= st->conf.syn_retries) {
		tcp_dead(st, c,
			 !client	  ? CLOSE_TIMEOUT_SYNACK
			 : a->unreachable ? CLOSE_UNREACHABLE
					  : CLOSE_TIMEOUT_SYN);
		return;
	}
	tell_r1(st, c);
	if (c->flags & CF_DEAD)
		return;
	c->rexmt_count++;
	c->retrans++;
	EVENT_CONN(st, c, SYN_RETRANSMIT, .a = c->rexmt_count + 1,
		   .b = tcp_rto_us(st, c));
	if (client)
		st->stats.retransmit_syn++;
	else
		st->stats.retransmit_synack++;
	if (c->backoff < 31)
		c->backoff++;
	c->flags |= CF_SYN_NOW;
	tcp_wake_output(st, c);
}

/* RFC 9293, 3.8.6.1 (MUST-36, SHLD-30). As long as the peer answers, its
 * window may stay closed for ever (MUST-37): ack_window() resets the count. */
static void timer_persist(struct stack *st, struct tcp_conn *c,
			  struct tcp_active *a)
{
	ASSERT(c->snd_una == c->snd_nxt);
	a->persist_at_us = TIME_NEVER;
	if (c->rexmt_count >= st->conf.retries) {
		tcp_dead(st, c, CLOSE_TIMEOUT_DATA);
		return;
	}
	c->rexmt_count++;
	if (c->backoff < 31)
		c->backoff++;
	c->flags |= CF_PROBE;
	a->persist_at_us = st->now_us + tcp_rto_us(st, c);
	tcp_wake_output(st, c);
}

static void timer_linger(struct stack *st, struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);

	if (c->state == TCP_TIME_WAIT) {
		/* stack_reap() lets go of it when its service has read all. */
		c->linger_at_us = TIME_NEVER;
	} else if (a && a->rcvq.ready) {
		/* It is not the peer who keeps us waiting. */
		c->linger_at_us = st->now_us + st->conf.fin_wait2_us;
	} else {
		tcp_reset(st, c, CLOSE_TIMEOUT_FIN_WAIT2);
		return;
	}
	tcp_rearm(st, c);
}

int64_t tcp_keepalive_at(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);
	int64_t every_us = tcp_keepalive_us(st, c);
	uint32_t since = c->last_rx_ms;

	/* RFC 9293, 3.8.4 (MUST-26) */
	if (!every_us ||
	    (c->state != TCP_ESTABLISHED && c->state != TCP_CLOSE_WAIT) ||
	    c->snd_una != c->snd_nxt || (a && a->sndq.len))
		return TIME_NEVER;
	/* Not from the silence: that may be long already when probes are
	 * switched on, and then they would all be due at once. */
	if (c->keepalives) {
		every_us = KEEPALIVE_EVERY_US;
		since = c->probed_ms;
	}
	return st->now_us - (int64_t)(stack_ms(st) - since) * 1000 + every_us;
}

/* RFC 9293, 3.8.4 (MAY-5) */
static void timer_keepalive(struct stack *st, struct tcp_conn *c)
{
	if (c->keepalives >= KEEPALIVE_TRIES) {
		tcp_reset(st, c, CLOSE_TIMEOUT_KEEPALIVE);
		return;
	}
	c->keepalives++;
	c->probed_ms = stack_ms(st);
	c->flags |= CF_KEEPALIVE;
	tcp_wake_output(st, c);
}
