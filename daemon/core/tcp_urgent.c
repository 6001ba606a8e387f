/*
 * tcp_urgent.c - Where urgent data ends (RFC 9293, 3.8.5; RFC 6093)
 *
 * A peer may mark a point in its stream before the text up to there is sent.
 * The mark is all there is: urgent data stays in the stream, in its place and
 * of any length, and the byte before the mark is a byte like any other, not
 * "out of band" as sockets have it (RFC 6093, 3.1 and 3.4).
 *
 * RCV.UP is kept while its point was not read, SND.UP while it was not
 * acknowledged; both in the active record, which stays as long (tcp_idle()).
 */
#include "tcp_priv.h"

#define UP_MAX 65535u

/* The service has all bytes before this one. */
static tcp_seq read_up_to(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);

	if (!a)
		return c->rcv_nxt;
	return a->rcvq.next - a->rcvq.ready + a->direct_total - a->direct_len;
}

void tcp_urgent_receive(struct stack *st, struct tcp_conn *c,
			const struct tcp_seg *seg)
{
	const struct tcp_service *svc = tcp_service_of(st, c);
	/* RFC 9293, 3.8.5 (MUST-62): the octet after the urgent data. */
	tcp_seq up = seg->seq + seg->up;
	struct tcp_active *a;

	if (!tcp_reads(st, c) || seq_leq(up, read_up_to(st, c)))
		return;
	a = tcp_activate(st, c);
	/* Without memory: the peer says it again with its next segment. */
	if (!a || (c->flags & CF_URG_IN && seq_leq(up, a->rcv_up)))
		return;
	c->flags |= CF_URG_IN;
	a->rcv_up = up;
	/* (MUST-32) */
	EVENT_CONN(st, c, URGENT, .a = tcp_urgent_left(st, c), .seg = seg);
	if (svc->on_urgent)
		svc->on_urgent(st, c);
}

void tcp_urgent_read(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	/* What was announced and does not come before the FIN never comes. */
	if (c->flags & CF_URG_IN && c->flags & CF_PEER_FIN)
		a->rcv_up = seq_min(a->rcv_up, a->rcvq.next);
	if (c->flags & CF_URG_IN && seq_geq(read_up_to(st, c), a->rcv_up))
		c->flags &= ~CF_URG_IN;
}

/* (MUST-33) */
uint32_t tcp_urgent_left(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);
	int32_t left;

	if (!(c->flags & CF_URG_IN))
		return 0;
	left = seq_diff(a->rcv_up, read_up_to(st, c));
	return left > 0 ? (uint32_t)left : 0;
}

void tcp_urgent_queued(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);
	bool syn = c->state < TCP_ESTABLISHED; /* its number is first */

	c->flags |= CF_URG_OUT;
	a->snd_up = c->snd_una + syn + a->sndq.len; /* RFC 9293, 3.10.2 */
	/* If no text may leave now, an empty segment tells of the urgent one:
	 * that is what the mechanism is for (RFC 6093, 2.1). */
	if (!syn)
		c->flags |= CF_ACK_NOW;
	tcp_wake_output(st, c);
}

void tcp_urgent_acked(struct stack *st, struct tcp_conn *c)
{
	if (c->flags & CF_URG_OUT &&
	    seq_geq(c->snd_una, conn_active(st, c)->snd_up))
		c->flags &= ~CF_URG_OUT;
}

bool tcp_urgent_ahead(const struct tcp_conn *c, const struct tcp_active *a,
		      tcp_seq seq)
{
	return c->flags & CF_URG_OUT && seq_gt(a->snd_up, seq);
}

void tcp_urgent_mark(const struct tcp_conn *c, const struct tcp_active *a,
		     struct tcp_seg *seg)
{
	uint32_t off;

	if (seg->flags & (TH_SYN | TH_RST) || !tcp_urgent_ahead(c, a, seg->seq))
		return;
	off = a->snd_up - seg->seq;
	/* Too far for 16 bits it points as far as it can (MUST-31), and later
	 * segments go on; but not at what was sent already: peers that take
	 * one byte out of the stream there would take it out of the text. */
	if (off > UP_MAX && seq_leq(seg->seq + UP_MAX, c->snd_nxt))
		return;
	seg->flags |= TH_URG;
	seg->up = (uint16_t)(off < UP_MAX ? off : UP_MAX);
	/* The end of what is urgent is not to wait for more. */
	if (seg->len >= off)
		seg->flags |= TH_PSH;
}
