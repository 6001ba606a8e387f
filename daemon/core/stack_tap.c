/*
 * stack_tap.c - Packets for whoever wants to see them
 *
 * Nobody but the code that judges a packet knows whose it is and what became of
 * it, and that code is spread over the engine. So a packet in work has a place
 * in the stack where each step writes what it finds: stack_input() begins it,
 * tcp_input() says which record was found, tcp_listen_input() what became of one
 * that found none, stack_drop() why it was dropped, and when stack_input() is
 * done the whole is shown. What leaves is shown by stack_output(), after the
 * connection or the reply it belongs to was noted.
 *
 * Nothing of this runs if nobody watches, but for a few stores nobody reads. If
 * somebody does, most packets belong to a full connection: what these need
 * stands in line, and nothing is copied that the connection has.
 */
#include <string.h>

#include "be.h"
#include "tcp_priv.h"

static void look_again(struct stack *st);
static inline void tap_nobody(struct stack *st);
static void found_nobody(struct stack *st);
static void tap_record(struct stack *st, ref_t ref, uint8_t *state);
static inline void tap_conn(struct stack *st, struct tcp_conn *c);
static inline uint8_t role_of(const struct tcp_conn *c);

static const struct tcp_key nowhere;

void stack_watch(struct stack *st, const struct stack_watcher *w)
{
	static const struct stack_watcher none;

	st->tap.watcher = w ? *w : none;
}

void tap_init(struct stack *st)
{
	st->tap.packet = (struct stack_packet){
		.listener = LISTENER_NONE,
		.iov = &st->tap.whole,
		.iov_len = 1,
		.ends = &nowhere,
	};
}

void tap_begin(struct stack *st, const void *pkt, size_t len,
	       const struct stack_rx *meta)
{
	struct stack_packet *p = &st->tap.packet;

	/* It is only read. */
	memcpy(&st->tap.whole.iov_base, &pkt, sizeof(pkt));
	st->tap.whole.iov_len = len;
	p->csum_ok = meta->csum_ok;
	p->state_before = p->state_after = TCP_CLOSED;
	p->drop = DROP_NONE;
	p->flags = 0;
	p->gso_size = meta->gso_size;
	p->at_us = st->now_us;
	p->len = (uint32_t)len;
}

void tap_addressed(struct stack *st, const struct ip_pkt *ip)
{
	struct tcp_key *ends = &st->tap.ends;

	*ends = ip ? (struct tcp_key){.local = ip->dst, .peer = ip->src}
		   : nowhere;
	if (ip && (ip->proto == IP_PROTO_TCP || ip->proto == IP_PROTO_UDP) &&
	    !ip->fragment && ip->body_len >= 4) {
		ends->peer_port = be_get16(ip->body);
		ends->local_port = be_get16(ip->body + 2);
	}
	tap_nobody(st);
	st->tap.again = ends->local_port != 0;
}

void tap_found_conn(struct stack *st, struct tcp_conn *c,
		    const struct tcp_seg *seg)
{
	struct stack_packet *p = &st->tap.packet;

	tap_conn(st, c);
	p->state_before = c->state;
	p->text = seg->len;
	/* Does it begin with a number that was received already? */
	if (seq_lt(seg->seq, c->rcv_nxt) && c->state != TCP_SYN_SENT &&
	    seg_len(seg))
		p->flags = PACKET_RETRANSMIT;
}

void tap_found(struct stack *st, ref_t ref, const struct tcp_seg *seg)
{
	struct stack_packet *p = &st->tap.packet;
	const struct tcp_half *h = ref_ptr(&st->arena, ref);

	tap_nobody(st);
	p->text = seg->len;
	if (!ref)
		return; /* tcp_listen_input() may find somebody */
	st->tap.again = true;
	tap_record(st, ref, &p->state_before);
	if (h->kind == KIND_HALF && seg->flags & TH_SYN && seg->seq == h->irs)
		p->flags |= PACKET_RETRANSMIT;
}

void tap_quoted(struct stack *st, const struct tcp_key *key, ref_t ref)
{
	struct stack_packet *p = &st->tap.packet;

	st->tap.ends = *key;
	tap_nobody(st);
	st->tap.again = true;
	if (ref)
		tap_record(st, ref, &p->state_before);
	else
		found_nobody(st);
}

void tap_taken(struct stack *st)
{
	if (st->tap.conn)
		st->tap.packet.state_after = st->tap.conn->state;
	else if (st->tap.again)
		look_again(st);
	st->tap.watcher.packet(st->tap.watcher.ctx, &st->tap.packet);
}

void tap_conn_sends(struct stack *st, const struct tcp_conn *c,
		    unsigned int flags, uint32_t text)
{
	struct stack_packet *p = &st->tap.sent;

	p->conn = c->id;
	p->listener = c->listener;
	p->role = role_of(c);
	p->state_before = p->state_after = c->state;
	p->flags = (uint8_t)(flags | PACKET_OUT);
	p->text = text;
	p->ends = &c->e.key;
}

void tap_reply_sends(struct stack *st, const struct reply *r)
{
	struct stack_packet *p = &st->tap.sent;
	struct tcp_key *ends = &st->tap.ends;

	p->conn = r->note.conn;
	p->listener = r->note.listener;
	p->role = r->note.role;
	p->state_before = r->note.before;
	p->state_after = r->note.after;
	p->flags = r->note.flags | PACKET_OUT;
	p->text = 0;
	p->ends = ends;
	ends->local_port = ends->peer_port = 0;
	if (r->ipv6) {
		memcpy(&ends->local, r->head + 8, sizeof(ends->local));
		memcpy(&ends->peer, r->head + 24, sizeof(ends->peer));
	} else {
		ip_map4(&ends->local, r->head + 12);
		ip_map4(&ends->peer, r->head + 16);
	}
	if (r->tcp_off) {
		ends->local_port = be_get16(r->head + r->tcp_off);
		ends->peer_port = be_get16(r->head + r->tcp_off + 2);
	}
}

void tap_sent(struct stack *st, const struct stack_pkt *out)
{
	struct stack_packet *p = &st->tap.sent;

	p->at_us = st->now_us;
	p->iov = out->iov;
	p->iov_len = out->iov_len;
	p->len = out->len;
	p->gso_size = out->gso_size;
	p->csum_start = out->csum_start;
	if (out->csum_partial)
		p->flags |= PACKET_CSUM_PARTIAL;
	st->tap.watcher.packet(st->tap.watcher.ctx, p);
}

void tap_ended(struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);
	struct conn_end *end = &st->tap.end;

	if (!st->tap.watcher.ended)
		return;
	conn_text(st, c, &end->bytes_in, &end->bytes_out);
	end->id = c->id;
	end->listener = c->listener;
	end->state = c->state;
	end->role = role_of(c);
	end->reason = c->reason;
	end->odd = a && a->odd;
	end->retrans = c->retrans;
	end->at_us = st->now_us;
	end->opened_us = c->created_us;
	end->handshake_us = conn_handshake_us(c);
	end->ends = &c->e.key;
	st->tap.watcher.ended(st->tap.watcher.ctx, end);
}

void tap_half_ended(struct stack *st, const struct tcp_half *h,
		    enum close_reason why)
{
	const struct conn_end end = {
		.id = h->id,
		.listener = h->listener,
		.state = TCP_SYN_RECEIVED,
		.role = ROLE_SERVER,
		.reason = (uint8_t)why,
		.retrans = h->retries,
		.at_us = st->now_us,
		.opened_us = h->created_us,
		.handshake_us = -1,
		.ends = &h->e.key,
	};

	if (st->tap.watcher.ended)
		st->tap.watcher.ended(st->tap.watcher.ctx, &end);
}

/* A malformed segment was not looked up, and what is not a full connection may
 * have become something else, or nothing. */
static void __attribute__((noinline)) look_again(struct stack *st)
{
	struct stack_packet *p = &st->tap.packet;
	ref_t ref = table_find(&st->table, p->ends);

	if (ref)
		tap_record(st, ref, &p->state_after);
	else if (p->state_before == TCP_LISTEN)
		p->state_after = TCP_LISTEN;
	if (ref && p->drop && !p->state_before)
		p->state_before = p->state_after;
}

/* As long as nobody is found. */
static inline void tap_nobody(struct stack *st)
{
	struct stack_packet *p = &st->tap.packet;

	st->tap.conn = NULL;
	st->tap.again = false;
	p->conn = 0;
	p->listener = LISTENER_NONE;
	p->role = ROLE_SERVER;
	p->text = 0;
	p->ends = &st->tap.ends;
}

/* Whose was an ICMP error about? RFC 9293, 3.3.2. */
static void found_nobody(struct stack *st)
{
	struct stack_packet *p = &st->tap.packet;
	unsigned int index;
	const struct listener *l =
		listener_find(st, &p->ends->local, p->ends->local_port, &index);

	if (!l || l->removed || !l->conf.enabled)
		return; /* CLOSED */
	p->listener = (uint16_t)index;
	p->state_before = TCP_LISTEN;
}

/* Note whose the packet is; @state gets the state that it is in now. */
static void tap_record(struct stack *st, ref_t ref, uint8_t *state)
{
	struct stack_packet *p = &st->tap.packet;
	struct tcp_conn *c = ref_ptr(&st->arena, ref);
	const struct tcp_half *h = (const struct tcp_half *)c;

	switch (c->kind) {
	case KIND_CONN:
		tap_conn(st, c);
		*state = c->state;
		break;
	case KIND_HALF:
		p->conn = h->id;
		p->listener = h->listener;
		*state = TCP_SYN_RECEIVED;
		break;
	default:
		p->conn = ((const struct tcp_timewait *)c)->id;
		*state = TCP_TIME_WAIT;
	}
}

static inline void tap_conn(struct stack *st, struct tcp_conn *c)
{
	struct stack_packet *p = &st->tap.packet;

	st->tap.conn = c; /* stack_reap() alone frees it */
	p->conn = c->id;
	p->listener = c->listener;
	p->role = role_of(c);
	p->ends = &c->e.key;
}

static inline uint8_t role_of(const struct tcp_conn *c)
{
	return c->flags & CF_CLIENT ? ROLE_CLIENT : ROLE_SERVER;
}
