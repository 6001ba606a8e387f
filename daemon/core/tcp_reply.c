/*
 * tcp_reply.c - Packets that leave without a full connection
 *
 * RSTs, SYN-ACKs, challenge ACKs for records that have no send queue, and ICMP
 * echo replies. Each is built at once and waits in a queue until
 * stack_output() takes it. The queue is bounded: beyond REPLIES_MAX, or
 * without memory, a reply is not sent, which to the peer is a lost packet.
 */
#include <string.h>

#include "tcp_priv.h"

#define REPLIES_MAX 4096

struct reply *reply_new(struct stack *st)
{
	struct reply *r;

	if (st->nreplies >= REPLIES_MAX)
		return NULL;
	r = pool_get(&st->pool_reply);
	if (!r)
		return NULL;
	r->next = 0;
	r->tcp_off = 0;
	sendq_init(&r->body);
	return r;
}

void reply_queue(struct stack *st, struct reply *r)
{
	ref_t ref = ptr_ref(&st->arena, r);

	if (st->reply_tail)
		((struct reply *)ref_ptr(&st->arena, st->reply_tail))->next =
			ref;
	else
		st->reply_head = ref;
	st->reply_tail = ref;
	st->nreplies++;
}

bool tcp_reply(struct stack *st, const struct tcp_seg *seg)
{
	struct reply *r = reply_new(st);
	uint32_t off;

	ASSERT(seg->len == 0);
	if (!r) {
		stack_limit_hit(st, LIMIT_MEMORY, NULL, LISTENER_NONE);
		return false;
	}
	r->ipv6 = !ip_addr_is4(&seg->src);
	r->len = (uint16_t)wire_tcp_build(
		r->head, seg, st->next_ip_id++,
		st->conf.csum_offload ? WIRE_CSUM_PARTIAL : WIRE_CSUM_FULL, 0,
		&off);
	r->tcp_off = (uint16_t)off;
	st->stats.segments_out++;
	reply_queue(st, r);
	return true;
}

void tcp_reply_rst(struct stack *st, const struct tcp_seg *seg)
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
	if (tcp_reply(st, &rst))
		st->stats.resets_out++;
}

bool reply_output(struct stack *st, struct stack_pkt *out)
{
	struct reply *r;
	uint32_t got = 0;

	if (!st->reply_head)
		return false;
	st->reply_sent = st->reply_head;
	r = ref_ptr(&st->arena, st->reply_head);
	st->reply_head = r->next;
	if (!st->reply_head)
		st->reply_tail = 0;
	st->nreplies--;

	out->iov[0] = (struct iovec){r->head, r->len};
	out->iov_len = 1;
	if (r->body.len)
		out->iov_len +=
			sendq_view(&r->body, &st->send_pools, 0, r->body.len,
				   out->iov + 1, STACK_IOV_MAX - 1, &got);
	out->len = r->len + got;
	out->csum_partial = r->tcp_off && st->conf.csum_offload;
	out->csum_start = r->tcp_off;
	out->csum_offset = 16;
	out->gso_size = 0;
	out->ipv6 = r->ipv6;
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
