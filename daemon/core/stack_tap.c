/*
 * stack_tap.c - Packets for whoever wants to see them
 *
 * Nobody but the code that judges a packet knows whose it is and what became of
 * it, and that code is spread over the engine. So a packet in work has a place
 * in the stack where each step writes what it finds: stack_input() begins it,
 * tcp_input() says which record was found, stack_drop() why it was dropped, and
 * when stack_input() is done the whole is shown. What leaves is shown by
 * stack_output(), after the connection or the reply it belongs to was noted.
 *
 * Nothing of this runs if nobody watches, but for a few stores nobody reads.
 */
#include <string.h>

#include "be.h"
#include "tcp_priv.h"

static void look_again(struct stack *st, struct stack_packet *p);
static inline void tap_record(struct stack *st, ref_t ref, uint8_t *state);
static bool seen_before(const struct tcp_half *record,
			const struct tcp_seg *seg);
static void found_nobody(struct stack *st, const struct tcp_key *key);
static struct tcp_key packet_key(const struct stack_packet *p);
static void packet_ends(struct stack_packet *p, const struct tcp_key *key);

void stack_watch(struct stack *st, const struct stack_watcher *w)
{
	static const struct stack_watcher none;

	st->tap.watcher = w ? *w : none;
}

void tap_begin(struct stack *st)
{
	st->tap.conn = NULL;
	st->tap.hashed = false;
	st->tap.packet = (struct stack_packet){.listener = LISTENER_NONE};
}

void tap_addressed(struct stack *st, const struct ip_pkt *ip)
{
	struct stack_packet *p = &st->tap.packet;

	p->local = ip->dst;
	p->peer = ip->src;
	if ((ip->proto == IP_PROTO_TCP || ip->proto == IP_PROTO_UDP) &&
	    !ip->fragment && ip->body_len >= 4) {
		p->peer_port = be_get16(ip->body);
		p->local_port = be_get16(ip->body + 2);
	}
}

void tap_found(struct stack *st, const struct tcp_key *key, ref_t ref,
	       const struct tcp_seg *seg)
{
	struct stack_packet *p = &st->tap.packet;

	packet_ends(p, key);
	if (!ref) {
		found_nobody(st, key);
		return;
	}
	tap_record(st, ref, &p->state_before);
	if (seg && seen_before(ref_ptr(&st->arena, ref), seg))
		p->flags |= PACKET_RETRANSMIT;
}

void tap_taken(struct stack *st, const void *pkt, size_t len,
	       const struct stack_rx *meta)
{
	struct stack_packet *p = &st->tap.packet;

	/* A malformed segment was not looked up, and one that opened something
	 * found nothing at first. */
	if (st->tap.conn)
		p->state_after = st->tap.conn->state;
	else if (p->local_port)
		look_again(st, p);
	/* It is only read. */
	memcpy(&st->tap.whole.iov_base, &pkt, sizeof(pkt));
	st->tap.whole.iov_len = len;
	p->at_us = st->now_us;
	p->iov = &st->tap.whole;
	p->iov_len = 1;
	p->len = (uint32_t)len;
	p->gso_size = meta->gso_size;
	p->csum_ok = meta->csum_ok;
	st->tap.watcher.packet(st->tap.watcher.ctx, p);
}

void tap_conn_sends(struct stack *st, struct tcp_conn *c, unsigned int flags)
{
	struct stack_packet *p = &st->tap.packet;

	tap_begin(st);
	p->conn = c->id;
	p->listener = c->listener;
	p->role = c->flags & CF_CLIENT ? ROLE_CLIENT : ROLE_SERVER;
	p->state_before = p->state_after = c->state;
	p->flags = (uint8_t)(flags | PACKET_OUT);
	packet_ends(p, &c->e.key);
}

void tap_reply_sends(struct stack *st, const struct reply *r)
{
	struct stack_packet *p = &st->tap.packet;

	tap_begin(st);
	p->conn = r->note.conn;
	p->listener = r->note.listener;
	p->role = r->note.role;
	p->state_before = r->note.before;
	p->state_after = r->note.after;
	p->flags = r->note.flags | PACKET_OUT;
	if (r->ipv6) {
		memcpy(&p->local, r->head + 8, sizeof(p->local));
		memcpy(&p->peer, r->head + 24, sizeof(p->peer));
	} else {
		ip_map4(&p->local, r->head + 12);
		ip_map4(&p->peer, r->head + 16);
	}
	if (r->tcp_off) {
		p->local_port = be_get16(r->head + r->tcp_off);
		p->peer_port = be_get16(r->head + r->tcp_off + 2);
	}
}

void tap_sent(struct stack *st, const struct stack_pkt *out)
{
	struct stack_packet *p = &st->tap.packet;

	p->at_us = st->now_us;
	p->iov = out->iov;
	p->iov_len = out->iov_len;
	p->len = out->len;
	p->gso_size = out->gso_size;
	p->csum_start = out->csum_start;
	p->csum_partial = out->csum_partial;
	st->tap.watcher.packet(st->tap.watcher.ctx, p);
}

void tap_ended(struct stack *st, struct tcp_conn *c)
{
	struct conn_info info;

	if (!st->tap.watcher.ended)
		return;
	tcp_info(st, c, &info, st->now_us);
	st->tap.watcher.ended(st->tap.watcher.ctx, &info);
}

void tap_half_ended(struct stack *st, const struct tcp_half *h,
		    enum close_reason why)
{
	struct conn_info info;

	if (!st->tap.watcher.ended)
		return;
	half_info(st, h, &info);
	info.reason = why;
	st->tap.watcher.ended(st->tap.watcher.ctx, &info);
}

static void __attribute__((noinline))
look_again(struct stack *st, struct stack_packet *p)
{
	const struct tcp_key key = packet_key(p);
	ref_t ref = st->tap.hashed ? table_at(&st->table, st->tap.hash, &key)
				   : table_find(&st->table, &key);

	if (ref)
		tap_record(st, ref, &p->state_after);
	else if (p->state_before == TCP_LISTEN)
		p->state_after = TCP_LISTEN;
	if (ref && p->drop && !p->state_before)
		p->state_before = p->state_after;
}

/* Note whose the packet is; @state gets the state that it is in now. */
static inline void tap_record(struct stack *st, ref_t ref, uint8_t *state)
{
	struct stack_packet *p = &st->tap.packet;
	struct tcp_conn *c = ref_ptr(&st->arena, ref);
	const struct tcp_half *h = (const struct tcp_half *)c;

	switch (c->kind) {
	case KIND_CONN:
		st->tap.conn = c; /* stack_reap() alone frees it */
		p->conn = c->id;
		p->listener = c->listener;
		p->role = c->flags & CF_CLIENT ? ROLE_CLIENT : ROLE_SERVER;
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

/* Does it begin with a number that was received already? */
static bool seen_before(const struct tcp_half *record,
			const struct tcp_seg *seg)
{
	const struct tcp_conn *c = (const struct tcp_conn *)record;

	if (record->kind == KIND_HALF)
		return seg->flags & TH_SYN && seg->seq == record->irs;
	return record->kind == KIND_CONN && seq_lt(seg->seq, c->rcv_nxt) &&
	       c->state != TCP_SYN_SENT && seg_len(seg);
}

/* The state of what has no record: RFC 9293, 3.3.2. Not inlined: few packets
 * need what it puts on the stack. */
static void __attribute__((noinline))
found_nobody(struct stack *st, const struct tcp_key *key)
{
	struct stack_packet *p = &st->tap.packet;
	unsigned int index;
	const struct listener *l =
		listener_find(st, &key->local, key->local_port, &index);

	if (!l || l->removed || !l->conf.enabled)
		return; /* CLOSED */
	p->listener = (uint16_t)index;
	p->state_before = TCP_LISTEN;
}

static struct tcp_key packet_key(const struct stack_packet *p)
{
	return (struct tcp_key){
		.local = p->local,
		.peer = p->peer,
		.local_port = p->local_port,
		.peer_port = p->peer_port,
	};
}

static void packet_ends(struct stack_packet *p, const struct tcp_key *key)
{
	const size_t at = offsetof(struct stack_packet, local);

	_Static_assert(offsetof(struct stack_packet, peer_port) ==
			       offsetof(struct stack_packet, local) +
				       offsetof(struct tcp_key, peer_port),
		       "they lie there as in a key");
	memcpy((uint8_t *)p + at, key, sizeof(*key));
}
