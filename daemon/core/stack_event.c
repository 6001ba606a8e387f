/*
 * stack_event.c - Facts for whoever wants to know
 *
 * A bounded ring: the engine writes, stack_event_next() reads. Nobody is ever
 * waited for. When the ring is full the oldest events are overwritten and
 * counted; consecutive numbers let a reader see that, too. Once all are read the
 * next one goes where the first one was, so that a reader of every turn keeps
 * the ring as short, and as near, as a turn's events are.
 */
#include <string.h>

#include "tcp_priv.h"

static struct event *event_slot(struct stack *st, uint64_t n)
{
	return &st->events[(n - st->event_first) % EVENTS_MAX];
}

void stack_event_mask(struct stack *st, uint64_t mask)
{
	st->event_mask = mask;
}

const struct event *stack_event_next(struct stack *st)
{
	if (st->event_got == st->event_put) {
		st->event_first = st->event_put;
		return NULL;
	}
	return event_slot(st, st->event_got++);
}

static int64_t syn_options(const struct tcp_seg *s)
{
	int64_t has = s->opts & OPT_MSS ? s->mss : 0;

	if (s->opts & OPT_WSCALE)
		has |= SYN_HAS_WSCALE | (int64_t)(s->wscale & 15) << 16;
	has |= s->opts & OPT_SACK_OK ? SYN_HAS_SACK_OK : 0;
	has |= s->opts & OPT_TS ? SYN_HAS_TS : 0;
	return has;
}

void event_put(struct stack *st, enum event_type type,
	       const struct tcp_key *key, uint32_t id, uint16_t listener,
	       uint8_t role, uint8_t state, struct event_more more)
{
	struct event *e = event_slot(st, st->event_put);
	const struct tcp_seg *seg = more.seg;

	if (st->event_put - st->event_got == EVENTS_MAX) {
		st->event_got++;
		st->stats.events_lost++;
	}
	e->number = ++st->event_put;
	e->at_us = st->now_us;
	e->a = more.a;
	e->b = more.b;
	if (seg &&
	    (type == EVENT_SYN_RECEIVED || type == EVENT_SYNACK_RECEIVED))
		e->b = syn_options(seg);
	e->local = key->local;
	e->peer = key->peer;
	e->local_port = key->local_port;
	e->peer_port = key->peer_port;
	e->conn = id;
	e->listener = listener;
	e->role = role;
	e->state = state;
	e->type = (uint8_t)type;
	e->seg_seq = seg ? seg->seq : more.seq;
	e->seg_ack = seg ? seg->ack : more.ack;
	e->seg_len = seg ? seg->len : more.len;
	e->seg_wnd = seg ? seg->wnd : more.wnd;
	e->seg_flags = seg ? seg->flags : more.flags;
}

void event_conn_put(struct stack *st, enum event_type type,
		    const struct tcp_conn *c, struct event_more more)
{
	event_put(st, type, &c->e.key, c->id, c->listener,
		  c->flags & CF_CLIENT ? ROLE_CLIENT : ROLE_SERVER, c->state,
		  more);
}

void stack_drop(struct stack *st, enum drop_reason why,
		const struct tcp_key *key, const struct tcp_seg *seg,
		const struct tcp_conn *c)
{
	const struct event_more more = {.a = why, .seg = seg};

	st->stats.dropped[why]++;
	/* What is given up to make room is not the packet in work. */
	if (!st->tap.packet.drop && why != DROP_FRAG_EVICTED &&
	    why != DROP_OOO_EVICTED)
		st->tap.packet.drop = (uint8_t)why;
	if (!event_wanted(st, EVENT_SEGMENT_DROPPED))
		return;
	if (c)
		event_conn_put(st, EVENT_SEGMENT_DROPPED, c, more);
	else if (key)
		event_put(st, EVENT_SEGMENT_DROPPED, key, st->attempt,
			  LISTENER_NONE, ROLE_SERVER, TCP_CLOSED, more);
}

void stack_limit_hit(struct stack *st, enum stack_limit limit,
		     const struct tcp_key *key, uint16_t listener)
{
	static const struct tcp_key nobody;

	st->stats.limits[limit]++;
	if (st->limit_told_us[limit] &&
	    st->now_us - st->limit_told_us[limit] < 1000000)
		return;
	st->limit_told_us[limit] = st->now_us ? st->now_us : 1;
	if (event_wanted(st, EVENT_LIMIT))
		event_put(st, EVENT_LIMIT, key ? key : &nobody, 0, listener,
			  ROLE_SERVER, TCP_CLOSED,
			  (struct event_more){.a = limit});
}
