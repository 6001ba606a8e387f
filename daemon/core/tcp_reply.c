/*
 * tcp_reply.c - Packets that leave without a full connection
 *
 * RSTs, SYN-ACKs, challenge ACKs for records that have no send queue, and ICMP
 * messages. Each is built at once and waits in a queue until stack_output()
 * takes it. The queue is bounded: beyond REPLIES_MAX, or without memory, a
 * reply is not sent, which to the peer is a lost packet.
 *
 * An echo reply may be longer than the MTU, for the request came in pieces.
 * Then it stays at the head of the queue until the last piece has left.
 */
#include <string.h>

#include "tcp_priv.h"

#define REPLIES_MAX 4096

static uint32_t reply_view(struct stack *st, struct reply *r, uint32_t off,
			   uint32_t len, struct stack_pkt *out);
static bool reply_piece(struct stack *st, struct reply *r,
			struct stack_pkt *out);

struct reply *reply_new(struct stack *st)
{
	struct reply *r = NULL;

	if (st->nreplies < REPLIES_MAX)
		r = pool_get(&st->pool_reply);
	if (!r) {
		stack_limit_hit(st, LIMIT_MEMORY, NULL, LISTENER_NONE);
		return NULL;
	}
	memset(r, 0, offsetof(struct reply, head));
	return r;
}

bool reply_queue(struct stack *st, struct reply *r, const void *body,
		 size_t len)
{
	ref_t ref = ptr_ref(&st->arena, r);

	if (len && sendq_append(&r->body, &st->send_pools, body, len) != len) {
		sendq_clear(&r->body, &st->send_pools);
		pool_put(&st->pool_reply, r);
		stack_limit_hit(st, LIMIT_MEMORY, NULL, LISTENER_NONE);
		return false;
	}
	if (st->reply_tail)
		((struct reply *)ref_ptr(&st->arena, st->reply_tail))->next =
			ref;
	else
		st->reply_head = ref;
	st->reply_tail = ref;
	st->nreplies++;
	return true;
}

/* What arrived last is what is answered. If nobody watches this means nothing,
 * and nobody reads it. */
static struct reply_note answer_note(const struct stack *st)
{
	const struct stack_packet *p = &st->tap.packet;

	return (struct reply_note){
		.conn = p->conn,
		.listener = p->listener,
		.role = p->role,
		.before = p->state_before,
		.after = p->state_before,
	};
}

bool tcp_reply(struct stack *st, const struct tcp_seg *seg,
	       const struct reply_note *note)
{
	const struct tcp_key key = {
		.local = seg->src,
		.peer = seg->dst,
		.local_port = seg->sport,
		.peer_port = seg->dport,
	};
	struct reply *r = reply_new(st);
	uint32_t off;

	ASSERT(seg->len == 0);
	if (!r)
		return false;
	r->note = note ? *note : answer_note(st);
	r->ipv6 = !ip_addr_is4(&seg->src);
	/* The clock: a count of all packets would tell anybody how many others
	 * get (RFC 6274, 3.5), and with DF it need not be one (RFC 6864, 4.1).
	 * But two of one turn differ, or a capture seems to have one twice. */
	r->len = (uint16_t)wire_tcp_build(
		r->head, seg, (uint16_t)(st->now_us + st->nreplies),
		st->conf.csum_offload ? WIRE_CSUM_PARTIAL : WIRE_CSUM_FULL, 0,
		&off);
	r->tcp_off = (uint16_t)off;
	wire_ip_label(r->head, stack_flow_label(st, &key));
	st->stats.segments_out++;
	return reply_queue(st, r, NULL, 0);
}

void tcp_reply_rst(struct stack *st, const struct tcp_seg *seg,
		   const struct reply_note *note)
{
	struct tcp_seg rst = {
		.src = seg->dst,
		.dst = seg->src,
		.sport = seg->dport,
		.dport = seg->sport,
		.ttl = st->conf.ttl,
		.flags = TH_RST,
	};

	if (seg->flags & TH_RST)
		return;
	if (!bucket_take(&st->rst_bucket, st->conf.rst_rate, st->now_us)) {
		stack_drop(st, DROP_RST_RATE, NULL, NULL, NULL);
		return;
	}
	/* RFC 9293, 3.10.7.1: the reset takes its number from the ACK, and
	 * carries an ACK only if there was none to take it from. */
	if (seg->flags & TH_ACK) {
		rst.seq = seg->ack;
	} else {
		rst.flags |= TH_ACK;
		rst.ack = seg->seq + seg_len(seg);
	}
	if (tcp_reply(st, &rst, note)) {
		st->stats.resets_out++;
		st->stats.resets_nobody++;
	}
}

bool reply_output(struct stack *st, struct stack_pkt *out)
{
	struct reply *r;
	bool last = true;

	if (!st->reply_head)
		return false;
	r = ref_ptr(&st->arena, st->reply_head);
	out->iov_len = 1;
	if (r->mtu && r->len + r->body.len > r->mtu) {
		last = reply_piece(st, r, out);
	} else {
		out->iov[0] = (struct iovec){r->head, r->len};
		out->len = r->len + reply_view(st, r, 0, r->body.len, out);
	}
	out->csum_partial = r->tcp_off && st->conf.csum_offload;
	out->csum_start = r->tcp_off;
	out->csum_offset = 16;
	out->gso_size = 0;
	out->ipv6 = r->ipv6;
	if (tap_on(st))
		tap_reply_sends(st, r);
	if (!last)
		return true;
	st->reply_sent = st->reply_head;
	st->reply_head = r->next;
	if (!st->reply_head)
		st->reply_tail = 0;
	st->nreplies--;
	return true;
}

void reply_release(struct stack *st)
{
	struct reply *r;

	if (!st->reply_sent)
		return;
	r = ref_ptr(&st->arena, st->reply_sent);
	sendq_clear(&r->body, &st->send_pools);
	pool_put(&st->pool_reply, r);
	st->reply_sent = 0;
}

/* Point out->iov at a part of the body. */
static uint32_t reply_view(struct stack *st, struct reply *r, uint32_t off,
			   uint32_t len, struct stack_pkt *out)
{
	uint32_t got = 0;

	if (len)
		out->iov_len +=
			sendq_view(&r->body, &st->send_pools, off, len,
				   out->iov + 1, STACK_IOV_MAX - 1, &got);
	ASSERT(got == len);
	return got;
}

/* RFC 791, 2.3; RFC 8200, 4.5: the next fragment of a reply that is too long
 * for one packet; true if it is the last one. */
static bool reply_piece(struct stack *st, struct reply *r,
			struct stack_pkt *out)
{
	uint32_t ip_len = r->ipv6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	uint32_t inner = r->len - ip_len; /* of the head, before the body */
	uint32_t left = inner + r->body.len - r->cut, room, len, head;
	bool first = !r->cut, last;

	room = r->mtu - ip_len - (r->ipv6 ? WIRE_FRAG6_LEN : 0u);
	room -= room % 8;
	last = left <= room;
	len = last ? left : room;
	head = wire_ip_piece(st->out_head, r->head, r->frag_id, r->cut, len,
			     !last);
	if (first) {
		memcpy(st->out_head + head, r->head + ip_len, inner);
		head += inner;
	}
	out->iov[0] = (struct iovec){st->out_head, head};
	out->len = head + reply_view(st, r, first ? 0 : r->cut - inner,
				     first ? len - inner : len, out);
	r->cut += len;
	return last;
}
