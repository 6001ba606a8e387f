/*
 * tcp_receive.c - Text and FIN that passed the checks, and the window
 *
 * Text in order goes to its service at once, from where it lies in the packet,
 * if nothing waits in front of it; what the service leaves is copied to the
 * receive queue. An ACK is owed for everything that takes sequence numbers: at
 * once when something is out of order, a second full segment came, the peer
 * waits for it, has only begun to send or has just lost something, else within
 * delayed_ack (RFC 9293, 3.8.6.3; RFC 5681, 4.2). It leaves when the whole batch
 * of input is done, so one ACK answers many segments (RFC 9293, 3.10.7.4 (MUST-58,
 * MUST-59)).
 */
#include <errno.h>

#include "tcp_priv.h"

#define QUICK_ACKS_LOSS 64 /* times quick_acks, where something was lost */

static void note_twice(const struct tcp_conn *c, struct tcp_active *a,
		       const struct tcp_seg *s);
static void receive_direct(struct stack *st, struct tcp_conn *c,
			   struct tcp_active *a, struct tcp_seg *rest);
static void receive_advance(struct stack *st, struct tcp_conn *c,
			    struct tcp_active *a);
static void own_ack(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		    bool hole);
static bool quick_ack(const struct stack *st, const struct tcp_conn *c,
		      struct tcp_active *a, bool hole);
static void text_read(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a, uint32_t n);
static tcp_seq edge_with(struct stack *st, struct tcp_conn *c, uint32_t space);
static bool window_pinches(struct stack *st, struct tcp_conn *c);
static uint32_t window_space(const struct stack *st, const struct tcp_conn *c);
static bool memory_short(const struct stack *st);

void tcp_receive_text(struct stack *st, struct tcp_conn *c,
		      const struct tcp_seg *seg)
{
	struct tcp_active *a = tcp_activate(st, c);
	struct tcp_seg rest = *seg;
	bool hole;
	uint32_t piece;
	int err = 0;

	if (!a) {
		stack_drop(st, DROP_MEMORY, NULL, seg, c);
		return;
	}
	piece = seg->gso_size ? seg->gso_size : seg->len;
	if (piece > c->rcv_mss && piece <= st->conf.mtu)
		c->rcv_mss = (uint16_t)piece;
	tcp_drs_arrived(st, c, a, seg);
	if (c->state == TCP_FIN_WAIT_2)
		c->linger_at_us = st->now_us + st->conf.fin_wait2_us;

	hole = a->rcvq.ooo.n > 0;
	if (seg->seq == c->rcv_nxt && !a->rcvq.ready && c->flags & CF_OPEN &&
	    recvq_direct(&a->rcvq, seg->len)) {
		receive_direct(st, c, a, &rest);
		if (c->flags & CF_DEAD)
			return;
	}
	note_twice(c, a, &rest);
	if (rest.len)
		err = tcp_early_put(st, a, &rest);
	if (err) {
		stack_drop(st, DROP_MEMORY, NULL, seg, c);
		if (err == -ENOMEM)
			stack_limit_hit(st, LIMIT_MEMORY, &c->e.key,
					c->listener);
	}
	/* RFC 9293, 3.10.7.4 (SHLD-31), and a duplicate ACK (MAY-13) */
	if (seg->seq != c->rcv_nxt && !err) {
		st->stats.out_of_order++;
		tcp_sack_early(c, a, seg->seq);
	}
	if (seg->seq != c->rcv_nxt || hole || err)
		c->flags |= CF_ACK_NOW;
	if (hole || a->rcvq.ooo.n)
		tcp_early_rank(st, a);
	receive_advance(st, c, a);
	own_ack(st, c, a, hole);
}

/* RFC 2883, 4: the first stretch of the text that is held already. */
static void note_twice(const struct tcp_conn *c, struct tcp_active *a,
		       const struct tcp_seg *s)
{
	const struct ranges *held = &a->rcvq.ooo;
	uint32_t i = ranges_find(held, s->seq);
	tcp_seq end = s->seq + s->len;

	if (i < held->n && seq_lt(held->r[i].start, end))
		tcp_sack_twice(c, a, seq_max(s->seq, held->r[i].start),
			       seq_min(end, held->r[i].end));
}

/* Offer text to the service where it lies; @rest is what it did not take. */
static void receive_direct(struct stack *st, struct tcp_conn *c,
			   struct tcp_active *a, struct tcp_seg *rest)
{
	uint32_t took;

	if (tcp_reads(st, c)) {
		a->direct = rest->text;
		a->direct_len = a->direct_total = rest->len;
		tcp_service_of(st, c)->on_data(st, c);
		if (c->flags & CF_DEAD)
			return;
		took = rest->len - a->direct_len;
		a->direct = NULL;
		a->direct_len = a->direct_total = 0;
	} else {
		took = rest->len;
	}
	if (!took)
		return;
	recvq_advance(&a->rcvq, &st->recv_pools, took);
	rest->text += took;
	rest->len -= took;
	rest->seq += took;
	text_read(st, c, a, took);
}

/* RCV.NXT follows the queue; the FIN behind it may be reached. */
static void receive_advance(struct stack *st, struct tcp_conn *c,
			    struct tcp_active *a)
{
	uint32_t n = a->rcvq.next - c->rcv_nxt;

	if (n) {
		if (c->rcv_nxt + n - c->irs < c->rcv_nxt - c->irs)
			c->rcv_laps++;
		c->rcv_nxt = a->rcvq.next;
		tcp_sack_advanced(c, a);
		st->stats.text_in += n;
		EVENT_CONN(st, c, DATA_RECEIVED, .a = n, .seq = c->rcv_nxt - n,
			   .len = n, .flags = TH_ACK);
		if (a->rcvq.ready) {
			c->flags |= CF_DATA;
			tcp_wake_service(st, c);
		}
	}
	if (a->fin_held && a->fin_seq == c->rcv_nxt)
		tcp_receive_fin(st, c, a->fin_seq);
}

/*
 * RFC 9293, 3.8.6.3 (MUST-40, SHLD-18, SHLD-19). As Linux does, we do not wait
 * for the second segment to be a full one: who has filled his send buffer with
 * a full segment and a part of one has nothing more to send before our ACK.
 */
static void own_ack(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		    bool hole)
{
	uint32_t unacked = c->rcv_nxt - c->last_ack;
	bool quick = quick_ack(st, c, a, hole);

	if (unacked >= 2u * c->rcv_mss)
		c->ack_each = false;
	if (unacked > c->rcv_mss || (unacked == c->rcv_mss && c->ack_each) ||
	    !st->conf.delayed_ack_us || quick || window_pinches(st, c))
		c->flags |= CF_ACK_NOW;
	if (c->flags & CF_ACK_NOW) {
		tcp_wake_output(st, c);
	} else if (unacked && !(c->flags & CF_ACK_DELAYED)) {
		c->flags |= CF_ACK_DELAYED;
		a->delack_at_us = st->now_us + st->conf.delayed_ack_us;
	}
}

/*
 * Who begins to send has a window of a few segments, or of one, and each ACK that
 * waits is a pause of his. So does he after a silence longer than an RTO (RFC
 * 5681, 4.1). The timer of delayed ACKs may be as long as ten round trips; the
 * SHOULD for it (RFC 9293, 3.8.6.3 (SHLD-18)) is about a flow that is under way.
 *
 * Where segments are lost (3.2) his window stays small, and grows by a segment in
 * one or more round trips. With 3 % lost on 100 Mbit/s and 20 ms, ACKs at once for
 * sixteen packets behind each hole let the kernel's CUBIC send 5 % more. With 1 %
 * lost on 1 Gbit/s and 50 ms these change nothing, for the next hole is a hundred
 * packets away; but 255 let it send 1 % more, and all of them a little more still.
 */
static bool quick_ack(const struct stack *st, const struct tcp_conn *c,
		      struct tcp_active *a, bool hole)
{
	if (hole)
		a->quick_acks = st->conf.quick_acks * QUICK_ACKS_LOSS;
	else if (st->now_us - a->text_us > c->rtt.rto_us &&
		 a->quick_acks < st->conf.quick_acks)
		a->quick_acks = st->conf.quick_acks;
	a->text_us = st->now_us;
	if (!a->quick_acks)
		return false;
	a->quick_acks--;
	return true;
}

/*
 * A full segment waited for a second one that did not come: its sender may have
 * room for one only, in its buffer or its window, as small devices do. Such a
 * one would wait for us each time, so from now on each full segment is ACKed at
 * once, until two come together.
 */
void tcp_receive_expire(struct stack *st, struct tcp_conn *c)
{
	if (c->rcv_nxt - c->last_ack >= c->rcv_mss)
		c->ack_each = true;
	c->flags |= CF_ACK_NOW;
	c->flags &= ~CF_ACK_DELAYED;
	conn_active(st, c)->delack_at_us = TIME_NEVER;
	tcp_wake_output(st, c);
}

void tcp_receive_fin(struct stack *st, struct tcp_conn *c, tcp_seq seq)
{
	struct tcp_active *a = tcp_activate(st, c);

	if (!a)
		return; /* the peer will send it again */
	c->flags |= CF_ACK_NOW;
	tcp_wake_output(st, c);
	if (c->flags & CF_PEER_FIN)
		return;
	if (seq != c->rcv_nxt) {
		a->fin_held = true;
		a->fin_seq = seq;
		return;
	}
	a->fin_held = false;
	c->flags |= CF_PEER_FIN;
	c->rcv_nxt++;
	tcp_urgent_read(st, c);
	EVENT_CONN(st, c, FIN_RECEIVED, .seq = seq, .flags = TH_FIN | TH_ACK);
	switch (c->state) {
	case TCP_ESTABLISHED:
		tcp_set_state(st, c, TCP_CLOSE_WAIT);
		break;
	case TCP_FIN_WAIT_1:
		tcp_set_state(st, c, TCP_CLOSING);
		break;
	case TCP_FIN_WAIT_2:
		tcp_set_state(st, c, TCP_TIME_WAIT);
		break;
	default:
		ASSERT(!"a FIN in a state that has had one");
	}
	tcp_wake_service(st, c);
}

/* RFC 9293, 3.8.6.1 (MAY-8): no text is refused for being unread too long. */
tcp_seq tcp_window_edge(struct stack *st, struct tcp_conn *c)
{
	return edge_with(st, c, window_space(st, c));
}

uint16_t tcp_window_offer(struct stack *st, struct tcp_conn *c)
{
	uint32_t unit = 1u << c->rcv_wscale, space = window_space(st, c), wnd;
	tcp_seq edge = edge_with(st, c, space);

	wnd = seq_gt(edge, c->rcv_nxt) ? edge - c->rcv_nxt : 0;
	/* Rounding should take nothing back; but a little more with each small
	 * segment would let the peer fill memory with what nobody reads. What
	 * it seems to lose then is less than a unit, and is taken if it comes
	 * (RFC 7323, 2.4). */
	if (edge == c->rcv_adv && wnd <= space)
		wnd += unit - 1;
	wnd >>= c->rcv_wscale;
	if (wnd > 65535)
		wnd = 65535;
	edge = c->rcv_nxt + (wnd << c->rcv_wscale);
	c->rcv_adv = seq_max(edge, c->rcv_adv);
	return (uint16_t)wnd;
}

static tcp_seq edge_with(struct stack *st, struct tcp_conn *c, uint32_t space)
{
	uint32_t most = 65535u << c->rcv_wscale;
	uint32_t half = (c->rcvbuf < most ? c->rcvbuf : most) / 2, least;
	tcp_seq edge;

	edge = c->rcv_nxt + (space < most ? space : most);
	/* RFC 9293, 3.8.6.2.2 (MUST-39): no small steps; and never to the
	 * left (SHLD-14). */
	least = tcp_syn_mss(st, &c->e.key.peer);
	if (least > half)
		least = half;
	/* Two of the peer's segments may be all that there is room for. */
	if (least > c->rcv_mss && memory_short(st))
		least = c->rcv_mss;
	if (seq_diff(edge, c->rcv_adv) < (int32_t)least)
		return c->rcv_adv;
	return edge;
}

void tcp_window_opened(struct stack *st, struct tcp_conn *c)
{
	int32_t more = seq_diff(tcp_window_edge(st, c), c->rcv_adv);

	if (c->state != TCP_ESTABLISHED && c->state != TCP_FIN_WAIT_1 &&
	    c->state != TCP_FIN_WAIT_2)
		return;
	/* Worth a packet of its own if the peer may be about to stop. */
	if ((more >= 2 * c->rcv_mss && tcp_rcv_wnd(c) < c->rcvbuf / 2) ||
	    window_pinches(st, c)) {
		c->flags |= CF_ACK_NOW;
		tcp_wake_output(st, c);
	}
}

/* Does what is left of the window take no further segment, though there is room
 * for one? Then the peer waits for an ACK, and has nothing to send that would
 * make us send one. */
static bool window_pinches(struct stack *st, struct tcp_conn *c)
{
	return tcp_rcv_wnd(c) < c->rcv_mss &&
	       seq_gt(tcp_window_edge(st, c), c->rcv_adv);
}

/* tcp_user.c tells us what was read from the queue. */
void tcp_window_consumed(struct stack *st, struct tcp_conn *c, uint32_t n)
{
	text_read(st, c, conn_active(st, c), n);
	tcp_window_opened(st, c);
}

static void text_read(struct stack *st, struct tcp_conn *c,
		      struct tcp_active *a, uint32_t n)
{
	tcp_urgent_read(st, c);
	if (a->rcvq.ooo.n)
		tcp_early_rank(st, a);
	tcp_drs_read(st, c, a, n);
}

/* Bytes we would let the peer send. Short of memory, windows close as their
 * text comes in: what was promised stays promised. */
static uint32_t window_space(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);
	uint32_t queued = a ? a->rcvq.ready : 0;
	uint32_t space = c->rcvbuf > queued ? c->rcvbuf - queued : 0;
	uint32_t few = 2u * c->rcv_mss;

	if (!memory_short(st))
		return space;
	/* Two segments for everybody who has nothing waiting: text that is
	 * read at once needs no memory, and nobody must stand still. */
	if (queued && stack_pages_left(st) <= st->arena.npages / 32)
		return 0;
	return space < few ? space : few;
}

static bool memory_short(const struct stack *st)
{
	return stack_pages_left(st) <= st->arena.npages / 8;
}
