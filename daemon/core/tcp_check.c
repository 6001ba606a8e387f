/*
 * tcp_check.c - What must be true whatever arrives
 *
 * stack_check() walks over everything and compares it with the counters; the
 * simulator, the fuzzers and the unit tests call it after each entry point.
 */
#include "tcp_priv.h"

static void check_flight(const struct stack *st, const struct tcp_conn *c,
			 const struct tcp_active *a);
static void check_receive(const struct tcp_conn *c, const struct tcp_active *a);
static void check_urgent(const struct stack *st, const struct tcp_conn *c,
			 const struct tcp_active *a);
static uint32_t count(const struct pool *p, enum record_kind kind);

void stack_check(struct stack *st)
{
	uint64_t cursor = 0;
	uint32_t states[TCP_NSTATES] = {0}, clients[TCP_NSTATES] = {0};
	uint32_t conns = 0;
	struct tcp_conn *c;

	while ((c = pool_next(&st->pool_conn, &cursor))) {
		if (c->kind != KIND_CONN)
			continue;
		states[c->state]++;
		clients[c->state] += !!(c->flags & CF_CLIENT);
		if (c->flags & CF_DEAD)
			continue;
		conns++;
		tcp_check(st, c);
	}
	ASSERT(conns == st->full);
	for (unsigned int i = 0; i < TCP_NSTATES; i++) {
		ASSERT(states[i] == st->state_count[i]);
		ASSERT(clients[i] == st->client_count[i]);
	}
	ASSERT(count(&st->pool_half, KIND_HALF) == st->half_open);
	ASSERT(count(&st->pool_timewait, KIND_TIMEWAIT) == st->time_wait);
	ASSERT(st->time_wait_client <= st->time_wait);
	ASSERT(st->table.n == conns + st->half_open + st->time_wait);
}

void tcp_check(struct stack *st, struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);

	ASSERT(c->state != TCP_CLOSED);
	ASSERT(c->state != TCP_LISTEN);
	ASSERT(table_find(&st->table, &c->e.key) == conn_ref(st, c));
	ASSERT(seq_leq(c->snd_una, c->snd_nxt));
	ASSERT(seq_leq(c->snd_nxt, c->snd_max));
	ASSERT(seq_leq(c->last_ack, c->rcv_nxt));
	ASSERT(c->cc.mss > 0 || c->state == TCP_SYN_SENT);
	if (c->state >= TCP_ESTABLISHED)
		ASSERT(c->flags & CF_OPEN);
	if (c->state == TCP_CLOSE_WAIT || c->state == TCP_CLOSING ||
	    c->state == TCP_LAST_ACK || c->state == TCP_TIME_WAIT)
		ASSERT(c->flags & CF_PEER_FIN);
	if (c->flags & CF_FIN_SENT)
		ASSERT(c->flags & CF_CLOSE);
	if (!a) {
		/* RFC 6298, 5.2: nothing in flight without its timer. */
		ASSERT(c->snd_una == c->snd_nxt);
		ASSERT(!(c->flags & (CF_URG_IN | CF_URG_OUT)));
		return;
	}
	ASSERT(ref_ptr(&st->arena, a->conn) == c);
	check_flight(st, c, a);
	check_receive(c, a);
	check_urgent(st, c, a);
}

static void check_flight(const struct stack *st, const struct tcp_conn *c,
			 const struct tcp_active *a)
{
	uint32_t sacked = 0, lost = 0, fin = !!(c->flags & CF_FIN_SENT);
	tcp_seq at = c->snd_una;
	ref_t prev = 0;

	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
		return;
	for (ref_t r = a->tx_head; r;) {
		const struct tx_rec *t = ref_ptr(&st->arena, r);

		ASSERT(t->start == at);
		ASSERT(seq_lt(t->start, t->end));
		ASSERT(t->prev == prev);
		ASSERT((t->flags & (TX_SACKED | TX_LOST)) !=
		       (TX_SACKED | TX_LOST));
		sacked += t->flags & TX_SACKED ? t->end - t->start : 0;
		lost += t->flags & TX_LOST ? t->end - t->start : 0;
		at = t->end;
		prev = r;
		r = t->next;
	}
	ASSERT(a->tx_tail == prev);
	ASSERT(at == c->snd_nxt);
	ASSERT(lost == a->lost);
	if (c->flags & CF_SACK)
		ASSERT(sacked == a->sacked);
	ASSERT(a->sacked + a->lost <= c->snd_nxt - c->snd_una);
	if (c->snd_una != c->snd_nxt) {
		/* RFC 6298, 5.1 */
		ASSERT(a->rexmt_at_us != TIME_NEVER);
		ASSERT(a->persist_at_us == TIME_NEVER);
		ASSERT(a->sndq.len + fin >= c->snd_nxt - c->snd_una);
	} else {
		ASSERT(a->rexmt_at_us == TIME_NEVER);
	}
}

static void check_receive(const struct tcp_conn *c, const struct tcp_active *a)
{
	ASSERT(!a->direct);
	ASSERT(tcp_rcv_wnd(c) + a->rcvq.ready <
	       c->rcvbuf + (1u << c->rcv_wscale));
	if (!(c->flags & CF_PEER_FIN))
		ASSERT(a->rcvq.next == c->rcv_nxt);
	for (uint32_t i = 0; i < a->rcvq.ooo.n; i++) {
		ASSERT(seq_gt(a->rcvq.ooo.r[i].start, a->rcvq.next));
		ASSERT(seq_lt(a->rcvq.ooo.r[i].start, a->rcvq.ooo.r[i].end));
		ASSERT(seq_leq(a->rcvq.ooo.r[i].end, c->rcv_adv));
	}
	ASSERT(list_queued(&a->early) == (a->early_rank > 0));
	ASSERT((recvq_early(&a->rcvq) > 0) == (a->early_rank > 0));
	if (c->flags & CF_ACK_DELAYED)
		ASSERT(a->delack_at_us != TIME_NEVER);
	ASSERT(a->nsack_list <= SACK_LIST_MAX);
	ASSERT(a->sack_untold <= a->nsack_list);
	ASSERT(a->ndsack <= DSACK_MAX);
}

static void check_urgent(const struct stack *st, const struct tcp_conn *c,
			 const struct tcp_active *a)
{
	uint32_t syn = c->state < TCP_ESTABLISHED;

	if (c->flags & CF_URG_IN)
		ASSERT(tcp_urgent_left(st, c) > 0);
	if (c->flags & CF_URG_OUT) {
		ASSERT(seq_gt(a->snd_up, c->snd_una));
		ASSERT(a->snd_up - c->snd_una <= a->sndq.len + syn);
	}
}

static uint32_t count(const struct pool *p, enum record_kind kind)
{
	uint64_t cursor = 0;
	uint32_t n = 0;
	const struct tcp_half *h;

	while ((h = pool_next(p, &cursor)))
		n += h->kind == kind;
	return n;
}
