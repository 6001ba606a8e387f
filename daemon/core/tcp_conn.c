/*
 * tcp_conn.c - The life of a full connection, apart from its segments
 *
 * Made by tcp_conn_new(), given a state by tcp_set_state() alone, ended by
 * tcp_dead(), freed by tcp_reap(). Between the last two its service learns the
 * reason. A connection that reaches TIME-WAIT goes the same way, but leaves a
 * small record behind (tcp_timewait.c) as soon as its service has read what
 * came before the FIN.
 */
#include <string.h>

#include "tcp_priv.h"

/*
 * Pages that are not for more active records, but for what those need that
 * there are: text, a record of what is in flight, an ACK. Without that none of
 * them would ever end, and with them all gone nobody else would get on.
 */
#define ACTIVE_PAGES_KEPT 3

static struct tcp_active *active_get(struct stack *st);
static void give_places_back(struct stack *st, const struct tcp_conn *c);
static void reap_later(struct stack *st, struct tcp_conn *c);
static void reap_one(struct stack *st, struct tcp_conn *c);
static void count_close(struct stack *st, const struct tcp_conn *c);

struct tcp_conn *tcp_conn_new(struct stack *st, const struct tcp_key *key)
{
	struct tcp_conn *c;

	if (!pool_room(&st->pool_conn) && stack_is_full(st))
		return NULL;
	c = pool_get(&st->pool_conn);
	if (!c)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->e.key = *key;
	c->kind = KIND_CONN;
	c->state = TCP_CLOSED;
	c->listener = LISTENER_NONE;
	tcp_set_congestion(c, st->conf.congestion);
	c->ts_offset = (uint32_t)(stack_isn_hash(st, key) >> 32);
	c->pmtu = st->conf.mtu;
	c->rcvbuf = st->conf.rcvbuf;
	c->last_rx_ms = stack_ms(st);
	c->created_us = st->now_us;
	c->handshake_us = HANDSHAKE_UNKNOWN;
	c->alarm_at_us = c->linger_at_us = TIME_NEVER;
	/* RFC 9293, 3.7.1 (MUST-15) */
	c->peer_mss = tcp_default_mss(&key->peer);
	rtt_init(&c->rtt, &st->rtt_limits);
	count_add(&st->full, 1);
	st->state_count[TCP_CLOSED]++;
	return c;
}

struct tcp_active *tcp_activate(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a;

	if (c->active) {
		a = ref_ptr(&st->arena, c->active);
		a->used_us = st->now_us;
		return a;
	}
	a = active_get(st);
	if (!a) {
		stack_limit_hit(st, LIMIT_MEMORY, &c->e.key, c->listener);
		return NULL;
	}
	memset(a, 0, ACTIVE_CLEAR_LEN);
	a->conn = conn_ref(st, c);
	a->flow_label = stack_flow_label(st, &c->e.key);
	sendq_init(&a->sndq);
	recvq_init(&a->rcvq, c->rcv_nxt);
	a->rexmt_at_us = a->persist_at_us = TIME_NEVER;
	a->delack_at_us = a->reorder_at_us = a->probe_at_us = TIME_NEVER;
	a->hold_until_us = a->pace_at_us = TIME_NEVER;
	a->cwr_end = c->snd_una;
	a->stalled_us = a->drs_from_us = TIME_NEVER;
	a->answers = (struct bucket){st->now_us, ANSWERS_A_SECOND};
	a->reo_mult = 1;
	a->quick_acks = st->conf.quick_acks;
	a->rack_end = a->rack_fack = c->snd_una;
	a->recover = c->snd_una - 1;
	a->used_us = a->drs_at_us = a->sent_us = a->text_us = st->now_us;
	c->active = ptr_ref(&st->arena, a);
	return a;
}

static struct tcp_active *active_get(struct stack *st)
{
	if (!st->pool_active.partial &&
	    stack_pages_left(st) <= ACTIVE_PAGES_KEPT)
		return NULL;
	return pool_get(&st->pool_active);
}

bool tcp_idle(const struct tcp_conn *c, const struct tcp_active *a)
{
	const uint32_t busy = CF_ACK_NOW | CF_ACK_DELAYED | CF_SYN_NOW |
			      CF_PROBE | CF_KEEPALIVE | CF_DATA | CF_URG_IN;

	if (c->flags & busy || c->state < TCP_ESTABLISHED || a->tx_head)
		return false;
	if (c->flags & CF_CLOSE && !(c->flags & CF_FIN_SENT))
		return false;
	if (a->sndq.len || a->rcvq.ready || a->rcvq.ooo.n || a->fin_held)
		return false;
	return !list_queued(&a->out) && !list_queued(&a->ready);
}

void tcp_deactivate(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	if (!a)
		return;
	list_remove(&st->arena, &st->out, c->active);
	list_remove(&st->arena, &st->ready, c->active);
	tcp_early_forget(st, a);
	tcp_loss_clear(st, c);
	sendq_clear(&a->sndq, &st->send_pools);
	recvq_clear(&a->rcvq, &st->recv_pools);
	pool_put(&st->pool_active, a);
	c->active = 0;
}

/* RFC 9293, 3.3.2, figure 5; and CLOSED from anywhere. */
void tcp_set_state(struct stack *st, struct tcp_conn *c, enum tcp_state to)
{
#define TO(s) (1u << TCP_##s)
	static const uint32_t allowed[TCP_NSTATES] = {
		[TCP_CLOSED] = TO(SYN_SENT) | TO(SYN_RECEIVED),
		[TCP_SYN_SENT] =
			TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
		[TCP_SYN_RECEIVED] =
			TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(CLOSED),
		[TCP_ESTABLISHED] =
			TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
		[TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) |
				   TO(TIME_WAIT) | TO(CLOSED),
		[TCP_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
		[TCP_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
		[TCP_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
		[TCP_LAST_ACK] = TO(CLOSED),
		[TCP_TIME_WAIT] = TO(CLOSED),
	};
#undef TO
	enum tcp_state from = c->state;

	ASSERT(allowed[from] & 1u << to);
	st->state_count[from]--;
	st->state_count[to]++;
	if (c->flags & CF_CLIENT) {
		st->client_count[from]--;
		st->client_count[to]++;
	}
	c->state = (uint8_t)to;
	if (to == TCP_FIN_WAIT_2) {
		/* A peer that never closes must not keep memory of ours; text
		 * that still comes puts it off (tcp_receive_text()). */
		c->linger_at_us = st->now_us + st->conf.fin_wait2_us;
	} else if (to == TCP_TIME_WAIT) {
		c->linger_at_us = st->now_us + 2 * st->conf.msl_us;
		reap_later(st, c);
	}
	/* Last: so nothing has to be saved for a call that mostly is none. */
	EVENT_CONN(st, c, STATE, .a = from, .b = to);
}

void tcp_wake_output(struct stack *st, struct tcp_conn *c)
{
	if (c->flags & CF_DEAD)
		return;
	if (tcp_activate(st, c))
		list_append(&st->arena, &st->out, c->active);
	else
		tcp_rearm(st, c); /* the timer tries again */
}

void tcp_wake_service(struct stack *st, struct tcp_conn *c)
{
	if (c->flags & CF_DEAD)
		return;
	if (tcp_activate(st, c))
		list_append(&st->arena, &st->ready, c->active);
	else
		tcp_rearm(st, c); /* the timer tries again */
}

void tcp_init_windows(struct tcp_conn *c)
{
	if (c->peer_mss < MSS_LEAST)
		c->peer_mss = MSS_LEAST;
	c->snd_wnd_max = c->snd_wnd;
	c->cc.mss = tcp_eff_mss(c);
	c->cc.ssthresh = SSTHRESH_INFINITE;
	c->cc.cwnd = cc_initial_window(c->cc.mss);
	c->rcv_mss = 536;
	if (c->retrans) {
		/* RFC 5681, 3.1 and RFC 6298, 5.7: a lost SYN or SYN-ACK. */
		c->cc.cwnd = c->cc.mss;
		if (c->rtt.rto_us < 3000000)
			c->rtt.rto_us = 3000000;
	}
}

void tcp_established(struct stack *st, struct tcp_conn *c, int64_t how)
{
	const struct tcp_service *svc = tcp_service_of(st, c);

	tcp_set_state(st, c, TCP_ESTABLISHED);
	c->flags = (c->flags | CF_OPEN) & ~CF_R1;
	c->snd_una = c->iss + 1; /* whatever the ACK says beyond is text */
	c->backoff = 0;
	c->rexmt_count = 0;
	if (c->active)
		conn_active(st, c)->stalled_us = TIME_NEVER;
	if (c->flags & CF_CLIENT)
		st->stats.handshakes_active++;
	else
		st->stats.handshakes++;
	EVENT_CONN(st, c, HANDSHAKE_COMPLETED,
		   .a = c->handshake_us == HANDSHAKE_UNKNOWN
				? -1
				: (int64_t)c->handshake_us,
		   .b = how | (c->retrans & HANDSHAKE_RESENT));
	/* What was sent while the handshake was under way (RFC 9293, 3.10.2). */
	if (c->active && conn_active(st, c)->sndq.len)
		tcp_wake_output(st, c);
	if (svc && svc->on_open)
		svc->on_open(st, c);
	/* CLOSE came while the handshake was under way. */
	if (c->flags & CF_CLOSE && c->state == TCP_ESTABLISHED) {
		tcp_set_state(st, c, TCP_FIN_WAIT_1);
		tcp_wake_output(st, c);
	}
	tcp_rearm(st, c);
}

void tcp_run_service(struct stack *st, struct tcp_conn *c)
{
	const struct tcp_service *svc = tcp_service_of(st, c);
	struct tcp_active *a = conn_active(st, c);
	uint32_t before;

	if (!(c->flags & CF_OPEN) || c->flags & CF_DEAD || !a)
		return;
	if (c->flags & CF_DATA && a->rcvq.ready) {
		c->flags &= ~CF_DATA;
		before = a->rcvq.ready;
		if (tcp_reads(st, c))
			svc->on_data(st, c);
		else
			while (a->rcvq.ready)
				tcp_consume(st, c, a->rcvq.ready);
		if (c->flags & CF_DEAD)
			return;
		if (a->rcvq.ready && a->rcvq.ready != before) {
			c->flags |= CF_DATA;
			tcp_wake_service(st, c);
		}
	}
	if (c->flags & CF_WANT_WRITE &&
	    tcp_send_room(st, c) >= st->conf.sndbuf / 4) {
		c->flags &= ~CF_WANT_WRITE;
		if (svc && svc->on_writable)
			svc->on_writable(st, c);
		if (c->flags & CF_DEAD)
			return;
	}
	if (c->flags & CF_PEER_FIN && !(c->flags & CF_PEER_FIN_TOLD) &&
	    !a->rcvq.ready) {
		c->flags |= CF_PEER_FIN_TOLD;
		if (svc && svc->on_peer_closed)
			svc->on_peer_closed(st, c);
		if (c->flags & CF_DEAD)
			return;
	}
	if (c->state == TCP_TIME_WAIT && tcp_read_out(st, c))
		reap_later(st, c);
	if (c->flags & CF_DONE && tcp_read_out(st, c))
		tcp_dead(st, c, CLOSE_FIN);
	tcp_rearm(st, c);
}

bool tcp_reads(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_service *svc = tcp_service_of(st, c);

	return svc && svc->on_data && !(c->flags & CF_DISMISSED);
}

bool tcp_read_out(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);
	const struct tcp_service *svc = tcp_service_of(st, c);

	if (a && a->rcvq.ready)
		return false;
	return c->flags & CF_PEER_FIN_TOLD || !svc || !svc->on_peer_closed;
}

void tcp_dead(struct stack *st, struct tcp_conn *c, enum close_reason why)
{
	ASSERT(!(c->flags & CF_DEAD));
	c->reason = (uint8_t)why;
	if (tap_on(st))
		tap_ended(st, c);
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
		const struct tcp_active *a = conn_active(st, c);

		st->stats.handshakes_failed++;
		EVENT_CONN(st, c, HANDSHAKE_FAILED, .a = why,
			   .b = a && a->odd ? HANDSHAKE_ODD : 0);
	}
	count_close(st, c);
	tcp_set_state(st, c, TCP_CLOSED);
	c->flags |= CF_DEAD;
	table_remove(&st->table, conn_ref(st, c));
	wheel_cancel(&st->wheel_conn, conn_ref(st, c));
	if (c->active) {
		list_remove(&st->arena, &st->out, c->active);
		list_remove(&st->arena, &st->ready, c->active);
		tcp_early_forget(st, conn_active(st, c));
	}
	give_places_back(st, c);
	reap_later(st, c);
}

/* Whoever comes in the same turn finds them free. */
static void give_places_back(struct stack *st, const struct tcp_conn *c)
{
	count_add(&st->full, -1);
	if (c->flags & CF_COUNTED)
		source_sub(st, &c->e.key.peer);
	if (c->listener != LISTENER_NONE) {
		count_add(&st->listeners[c->listener].connections, -1);
		st->listeners[c->listener].dead++;
	}
}

void tcp_reset(struct stack *st, struct tcp_conn *c, enum close_reason why)
{
	struct reply_note note;
	struct tcp_seg s;

	/* RFC 9293, 3.10.5: nobody to tell in SYN-SENT, and in TIME-WAIT the
	 * peer is done. */
	if (c->state != TCP_SYN_SENT && c->state != TCP_TIME_WAIT) {
		tcp_fill_seg(st, c, &s, TH_RST | TH_ACK);
		s.seq = c->snd_nxt;
		s.nsack = 0;
		s.opts &= (uint8_t)~OPT_SACK;
		note = (struct reply_note){
			.conn = c->id,
			.listener = c->listener,
			.role = c->flags & CF_CLIENT ? ROLE_CLIENT
						     : ROLE_SERVER,
			.before = c->state,
			.after = TCP_CLOSED,
		};
		if (tcp_reply(st, &s, &note))
			st->stats.resets_out++;
		EVENT_CONN(st, c, RESET_SENT, .a = why, .seq = s.seq,
			   .ack = s.ack, .flags = s.flags);
	}
	tcp_dead(st, c, why);
}

void tcp_reap(struct stack *st)
{
	ref_t r = st->reap_head;

	/* on_closed() may end other connections: they come in a new list. */
	while (r) {
		st->reap_head = 0;
		while (r) {
			struct tcp_conn *c = ref_ptr(&st->arena, r);

			r = c->reap_next;
			c->reap_next = 0;
			c->flags &= ~CF_REAP;
			reap_one(st, c);
		}
		r = st->reap_head;
	}
}

static void reap_later(struct stack *st, struct tcp_conn *c)
{
	if (c->flags & CF_REAP)
		return;
	c->flags |= CF_REAP;
	c->reap_next = st->reap_head;
	st->reap_head = conn_ref(st, c);
}

static void reap_one(struct stack *st, struct tcp_conn *c)
{
	const struct tcp_service *svc = tcp_service_of(st, c);

	if (!(c->flags & CF_DEAD)) {
		ASSERT(c->state == TCP_TIME_WAIT);
		/* Text before the FIN is still the service's to read, and the
		 * last ACK has to leave. Looked at again when that is done, or
		 * when 2 MSL are over. */
		if (!tcp_read_out(st, c) || c->flags & CF_ACK_NOW)
			return;
		c->reason = CLOSE_FIN;
		if (tap_on(st))
			tap_ended(st, c);
		count_close(st, c);
		timewait_enter(st, c);
		c->flags |= CF_DEAD;
		wheel_cancel(&st->wheel_conn, conn_ref(st, c));
		give_places_back(st, c);
	} else if (c->handshake_us == HANDSHAKE_UNKNOWN &&
		   c->reason == CLOSE_FIN) {
		/* A late copy of its first segment could open a connection
		 * that came by cookie once more: it is remembered a while. */
		timewait_enter(st, c);
	}
	/* RFC 9293, 3.6 (MUST-12) */
	if (svc && svc->on_closed)
		svc->on_closed(st, c, c->reason);
	tcp_deactivate(st, c);
	if (c->listener != LISTENER_NONE) {
		st->listeners[c->listener].dead--;
		listener_release(st, c->listener);
	}
	tcp_pmtu_free(st, c);
	if (c->settings)
		pool_put(&st->pool_settings, ref_ptr(&st->arena, c->settings));
	st->state_count[c->state]--;
	st->client_count[c->state] -= !!(c->flags & CF_CLIENT);
	pool_put(&st->pool_conn, c);
}

static void count_close(struct stack *st, const struct tcp_conn *c)
{
	switch ((enum close_reason)c->reason) {
	case CLOSE_FIN:
		st->stats.closed_fin++;
		break;
	case CLOSE_RESET_BY_PEER:
	case CLOSE_REFUSED:
		st->stats.closed_reset_in++;
		break;
	case CLOSE_TIMEOUT_SYN:
	case CLOSE_TIMEOUT_SYNACK:
	case CLOSE_TIMEOUT_DATA:
	case CLOSE_TIMEOUT_USER:
	case CLOSE_TIMEOUT_FIN_WAIT2:
	case CLOSE_TIMEOUT_KEEPALIVE:
		st->stats.closed_timeout++;
		break;
	default:
		st->stats.closed_reset_out++;
	}
	EVENT_CONN(st, c, CONN_CLOSED, .a = c->reason, .b = c->rtt.srtt_us);
}
