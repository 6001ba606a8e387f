/*
 * tcp_output.c - What a connection sends next
 *
 * One packet a call, the most urgent first: its SYN, what is lost, new text
 * and the FIN behind it, a probe, and an ACK if none of these carried it. Text
 * goes out as a super-segment where the device cuts it (gso_max), straight
 * from the send queue: iov[0] is the header, the others point at the blocks.
 *
 * Limits, each for its own reason: the peer's window (flow), cwnd less what is
 * in flight (congestion), silly-window avoidance and Nagle (small segments).
 */
#include <string.h>

#include "tcp_priv.h"

#define SEGMENT_LEAST 536 /* no window makes us send smaller ones */

struct budget {
	uint32_t len; /* bytes of text that may leave now */
	bool fin;     /* with the FIN behind them */
	bool probe;   /* in one segment that is larger than the others */
};

static void cwnd_used(const struct tcp_conn *c, struct tcp_active *a);
static bool output_syn(struct stack *st, struct tcp_conn *c,
		       struct stack_pkt *out);
static bool output_again(struct stack *st, struct tcp_conn *c,
			 struct stack_pkt *out);
static bool count_again(struct stack *st, struct tcp_conn *c,
			const struct tcp_seg *s);
static bool output_new(struct stack *st, struct tcp_conn *c,
		       struct stack_pkt *out);
static bool output_probe(struct stack *st, struct tcp_conn *c,
			 struct stack_pkt *out);
static bool output_ack(struct stack *st, struct tcp_conn *c,
		       struct stack_pkt *out);
static bool new_choose(struct stack *st, struct tcp_conn *c,
		       struct tcp_active *a, uint32_t whole, uint32_t mss,
		       struct budget *b, struct stack_pkt *out);
static void new_sent(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct budget *b, uint32_t mss);
static struct budget new_budget(struct stack *st, struct tcp_conn *c,
				struct tcp_active *a, uint32_t mss);
static uint32_t nagle(const struct tcp_conn *c, uint32_t len, uint32_t avail,
		      uint32_t mss);
static void persist_start(struct stack *st, struct tcp_conn *c,
			  struct tcp_active *a);
static uint32_t seg_mss(const struct tcp_conn *c, const struct tcp_active *a);
static uint32_t seg_most(const struct tcp_conn *c, uint32_t mss);
static uint32_t gso_limit(const struct stack *st, const struct tcp_conn *c,
			  tcp_seq seq, uint32_t mss);
static uint32_t text_view(struct stack *st, struct tcp_active *a, uint32_t off,
			  uint32_t len, uint32_t mss, struct stack_pkt *out);
static void emit(struct stack *st, struct tcp_conn *c, struct tcp_seg *s,
		 uint32_t mss, unsigned int what, struct stack_pkt *out);

bool tcp_output(struct stack *st, struct tcp_conn *c, struct stack_pkt *out)
{
	bool some;

	ASSERT(!(c->flags & CF_DEAD));
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
		some = c->flags & (CF_SYN_NOW | CF_ACK_NOW) &&
		       output_syn(st, c, out);
	else
		some = output_again(st, c, out) || output_new(st, c, out) ||
		       output_probe(st, c, out) || output_ack(st, c, out);
	if (!some)
		cwnd_used(c, conn_active(st, c));
	tcp_rearm(st, c);
	return some;
}

/* Everything that may leave has left: was it cwnd that held the rest back? In
 * slow start half of it in use is enough (RFC 9438, 5.8; RFC 7661, 4.3). */
static void cwnd_used(const struct tcp_conn *c, struct tcp_active *a)
{
	uint32_t in_flight = tcp_in_flight(c, a);

	if (a && a->pace_at_us != TIME_NEVER)
		return; /* something has yet to leave */
	a->cwnd_limited =
		in_flight + c->cc.mss > c->cc.cwnd ||
		(c->cc.cwnd < c->cc.ssthresh && in_flight >= c->cc.cwnd / 2);
}

/* RFC 9293, 3.7.1 (MUST-16) */
void tcp_fill_seg(struct stack *st, struct tcp_conn *c, struct tcp_seg *s,
		  uint8_t flags)
{
	struct tcp_active *a = conn_active(st, c);

	*s = (struct tcp_seg){
		/* RFC 9293, 3.9.1.1 (MUST-45) */
		.src = c->e.key.local,
		.dst = c->e.key.peer,
		.sport = c->e.key.local_port,
		.dport = c->e.key.peer_port,
		.seq = c->snd_nxt,
		.ack = c->rcv_nxt,
		.flags = flags,
		.ttl = st->conf.ttl, /* RFC 9293, 3.9.2 (MUST-49) */
		.tos = c->tos,	     /* 3.9.1.9 (MUST-48, SHLD-22) */
	};

	if (c->flags & CF_ECE && !(flags & TH_RST))
		s->flags |= TH_ECE; /* RFC 3168, 6.1.3 */
	s->wnd = tcp_window_offer(st, c);
	if (c->flags & CF_TS) {
		s->opts |= OPT_TS;
		s->ts_val = tcp_ts_now(st, c->ts_offset);
		s->ts_ecr = c->ts_recent;
	}
	if (a)
		tcp_sack_fill(c, a, s);
	c->last_ack = c->rcv_nxt;
	c->flags &= ~(CF_ACK_NOW | CF_ACK_DELAYED);
	if (!a)
		return;
	if (tcp_sack_owed(a))
		c->flags |= CF_ACK_NOW;
	a->delack_at_us = TIME_NEVER;
	a->challenge = false;
}

/* RFC 9293, 3.7.1 (MUST-14, SHLD-5, MAY-3) and 3.2 (MUST-65): the MSS goes with
 * every SYN and with nothing else. */
static bool output_syn(struct stack *st, struct tcp_conn *c,
		       struct stack_pkt *out)
{
	struct tcp_active *a = conn_active(st, c);
	bool first = c->state == TCP_SYN_SENT, again = c->rexmt_count > 0;
	struct tcp_seg s = {
		.src = c->e.key.local,
		.dst = c->e.key.peer,
		.sport = c->e.key.local_port,
		.dport = c->e.key.peer_port,
		.seq = c->iss,
		.ack = first ? 0 : c->rcv_nxt,
		.wnd = c->rcvbuf < 65535 ? (uint16_t)c->rcvbuf : 65535,
		.flags = first ? TH_SYN : TH_SYN | TH_ACK,
		.ttl = st->conf.ttl,
		.tos = c->tos,
		.opts = OPT_MSS,
		.mss = tcp_syn_mss(st, &c->e.key.peer),
		.wscale = c->rcv_wscale,
	};

	s.flags |= tcp_ecn_syn_flags(c);
	if (c->flags & CF_TS) {
		s.opts |= OPT_TS;
		s.ts_val = tcp_ts_now(st, c->ts_offset);
		s.ts_ecr = first ? 0 : c->ts_recent;
	}
	if (c->flags & CF_SACK)
		s.opts |= OPT_SACK_OK;
	if (c->flags & CF_WSCALE)
		s.opts |= OPT_WSCALE;
	c->flags &= ~(CF_SYN_NOW | CF_ACK_NOW);
	c->snd_nxt = c->snd_max = c->snd_sml = c->iss + 1;
	if (a->stalled_us == TIME_NEVER)
		a->stalled_us = st->now_us; /* RFC 9293, 3.10.8: any state */
	if (a->rexmt_at_us == TIME_NEVER)
		a->rexmt_at_us = st->now_us + tcp_rto_us(st, c);
	if (first && !c->rexmt_count)
		EVENT_CONN(st, c, SYN_SENT, .a = 1, .seq = s.seq,
			   .flags = s.flags, .wnd = s.wnd);
	out->iov_len = 1;
	emit(st, c, &s, 0, again ? PACKET_RETRANSMIT : 0, out);
	return true;
}

/* What is lost goes first, as long as the network has room for it. The window
 * is not asked: it was open when the text left, and if it shrank since, this is
 * what probes it (RFC 9293, 3.8.6 (MUST-35, SHLD-16, MAY-7)). */
static bool output_again(struct stack *st, struct tcp_conn *c,
			 struct stack_pkt *out)
{
	struct tcp_active *a = conn_active(st, c);
	struct tx_rec *t = tcp_tx_next(st, c);
	uint32_t in_flight = tcp_in_flight(c, a), mss, len, text, most, room;
	unsigned int what = PACKET_RETRANSMIT;
	struct tcp_seg s;
	bool fin;

	if (!t || tcp_undo_waits(a))
		return false;
	if (!a->force_one && ((in_flight && in_flight >= c->cc.cwnd) ||
			      tcp_pace_waits(st, c, a)))
		return false;
	mss = seg_most(c, seg_mss(c, a));
	most = gso_limit(st, c, t->start, mss);
	room = c->cc.cwnd > in_flight ? c->cc.cwnd - in_flight : 0;
	if (room < most)
		most = room < mss ? mss : room - room % mss;
	tcp_tx_join(st, c, t, most);
	len = t->end - t->start;
	fin = t->flags & TX_FIN; /* it has a number and no byte */
	text = len - fin;
	if (text > most)
		text = most;
	text = text_view(st, a, t->start - c->snd_una, text, mss, out);
	if (text + fin != len)
		fin = false;
	tcp_fill_seg(st, c, &s, TH_ACK);
	if (c->flags & CF_TS)
		s.ts_val = tcp_rack_stamp(st, c, a, t);
	a->force_one = false;
	s.seq = t->start;
	s.len = text;
	if (fin)
		s.flags |= TH_FIN;
	if (text && text + (t->flags & TX_FIN ? 1 : 0) == len &&
	    t->end == c->snd_nxt)
		s.flags |= TH_PSH;
	if (count_again(st, c, &s))
		what |= PACKET_PROBE;
	tcp_loss_resent(st, c, t, t->start + text + fin);
	tcp_pace_sent(st, c, a, text);
	if (a->rexmt_at_us == TIME_NEVER)
		tcp_rexmt_restart(st, c);
	emit(st, c, &s, mss, what, out);
	return true;
}

/* Return: is it a tail loss probe? */
static bool count_again(struct stack *st, struct tcp_conn *c,
			const struct tcp_seg *s)
{
	const struct tcp_active *a = conn_active(st, c);
	int64_t why = 0;

	if (a->recovery == RECOVERY_RTO) /* the RTO that ran out */
		why = rtt_backed_off(&c->rtt, &st->rtt_limits,
				     c->backoff ? c->backoff - 1u : 0);
	else if (a->recovery == RECOVERY_OPEN && a->tlp_out)
		why = -1;
	if (s->flags & TH_FIN && !s->len)
		st->stats.retransmit_fin++;
	else if (why > 0)
		st->stats.retransmit_rto++;
	else if (why < 0)
		st->stats.retransmit_probe++;
	else
		st->stats.retransmit_fast++;
	c->retrans++;
	EVENT_CONN(st, c, DATA_RETRANSMIT, .a = s->len, .b = why, .seq = s->seq,
		   .ack = s->ack, .len = s->len, .flags = s->flags);
	return why < 0;
}

static bool output_new(struct stack *st, struct tcp_conn *c,
		       struct stack_pkt *out)
{
	struct tcp_active *a = conn_active(st, c);
	uint32_t sent = c->snd_nxt - c->snd_una, whole, mss;
	unsigned int what = 0;
	struct budget b;
	struct tcp_seg s;

	if (c->flags & CF_FIN_SENT ||
	    (a->sndq.len == sent && !(c->flags & CF_CLOSE)) ||
	    a->hold_until_us != TIME_NEVER)
		return false;
	/* RFC 5681, 4.1: what cwnd was worth before a silence is not known to
	 * be true after it. */
	if (!sent && st->now_us - a->sent_us > tcp_rto_us(st, c))
		cc_restart(&c->cc);
	whole = seg_mss(c, a);
	mss = seg_most(c, whole);
	if (!new_choose(st, c, a, whole, mss, &b, out))
		return false;
	if ((!b.len && !b.fin) ||
	    !tcp_loss_sent(st, c, c->snd_nxt, c->snd_nxt + b.len + b.fin,
			   b.fin)) {
		persist_start(st, c, a);
		return false;
	}
	tcp_fill_seg(st, c, &s, TH_ACK);
	ASSERT(c->cc.mss + (c->flags & CF_TS ? 12 : 0) - wire_tcp_optlen(&s) ==
	       whole);
	c->flags &= ~CF_PROBE;
	s.len = b.len;
	if (b.len)
		tcp_ecn_mark(c, &s);
	if (b.fin) {
		s.flags |= TH_FIN;
		c->flags |= CF_FIN_SENT;
		EVENT_CONN(st, c, FIN_SENT, .seq = s.seq + b.len, .ack = s.ack,
			   .len = b.len, .flags = s.flags);
	}
	if (b.len && sent + b.len == a->sndq.len)
		s.flags |= TH_PSH; /* RFC 9293, 3.9.1.2 (MUST-61, SHLD-27) */
	new_sent(st, c, a, &b, mss);
	if (b.probe || a->force_new)
		what = PACKET_PROBE;
	if (a->force_new)
		tcp_probe_sent(c, a);
	else
		tcp_probe_arm(st, c, a);
	emit(st, c, &s, b.probe ? 0 : mss, what, out);
	return true;
}

/* What leaves next: out->iov points at its text. False if all has to wait. */
static bool new_choose(struct stack *st, struct tcp_conn *c,
		       struct tcp_active *a, uint32_t whole, uint32_t mss,
		       struct budget *b, struct stack_pkt *out)
{
	int probe = c->path ? tcp_pmtu_probe(st, c, whole) : 0;
	uint32_t got;

	if (probe == PMTU_HOLD)
		return false;
	if (probe)
		*b = (struct budget){.len = (uint32_t)probe, .probe = true};
	else
		*b = new_budget(st, c, a, mss);
	if (b->len && !a->force_new && tcp_pace_waits(st, c, a))
		return false;
	got = text_view(st, a, c->snd_nxt - c->snd_una, b->len, mss, out);
	if (got != b->len) {
		/* In too many parts for one packet: then in segments. */
		b->probe = b->fin = false;
		b->len = got;
	}
	return true;
}

/* It leaves: the numbers and the timers behind it. */
static void new_sent(struct stack *st, struct tcp_conn *c, struct tcp_active *a,
		     const struct budget *b, uint32_t mss)
{
	uint32_t n = b->len + b->fin;

	if (c->snd_nxt + n - c->iss < c->snd_nxt - c->iss)
		c->snd_laps++;
	if (b->probe)
		tcp_pmtu_probe_sent(st, c, b->len);
	c->snd_nxt += n;
	c->snd_max = seq_max(c->snd_max, c->snd_nxt);
	if (b->len % mss && !b->probe)
		c->snd_sml = c->snd_nxt;
	st->stats.text_out += b->len;
	tcp_pace_sent(st, c, a, b->len);
	tcp_persist_end(c, a);
	if (a->stalled_us == TIME_NEVER)
		a->stalled_us = st->now_us;
	if (a->rexmt_at_us == TIME_NEVER)
		tcp_rexmt_restart(st, c);
}

/* How much may leave, by every limit. */
static struct budget new_budget(struct stack *st, struct tcp_conn *c,
				struct tcp_active *a, uint32_t mss)
{
	uint32_t sent = c->snd_nxt - c->snd_una;
	uint32_t avail = a->sndq.len - sent;
	/* RFC 9293, 3.8.6 (MUST-34, SHLD-15): it may have shrunk below that. */
	uint32_t wnd = c->snd_wnd > sent ? c->snd_wnd - sent : 0;
	uint32_t in_flight = tcp_in_flight(c, a);
	uint32_t room = c->cc.cwnd > in_flight ? c->cc.cwnd - in_flight : 0;
	uint32_t len = avail < wnd ? avail : wnd;
	uint32_t most = gso_limit(st, c, c->snd_nxt, mss);
	struct budget b = {0};

	if (a->force_new) { /* a tail loss probe: one segment */
		b.len = len < mss ? len : mss;
		b.fin = c->flags & CF_CLOSE && b.len == avail && wnd > b.len;
		return b;
	}
	if (c->flags & CF_CWR) /* in one segment, not in each of many */
		most = mss;
	if (len > most)
		len = most;
	/* Whole segments only, unless the network is empty. */
	if (len > room)
		len = room < mss && !in_flight ? room : room - room % mss;
	len = nagle(c, len, avail, mss);
	b.len = len;
	/* The FIN needs a place in the window, but none in cwnd. */
	b.fin = c->flags & CF_CLOSE && len == avail && wnd > len;
	return b;
}

/*
 * RFC 9293, 3.8.6.2.1 (MUST-38) and 3.7.4 (SHLD-7): full segments always;
 * a partial one if it is all there is, or half the largest window seen.
 *
 * Nagle holds a small segment back while anything is unacknowledged, and no
 * longer than that (3.9.1.2 (MUST-60)); what waits is joined meanwhile (SHLD-28,
 * MAY-16). As Linux does, we hold it only while another small one is (Minshall's
 * version): the last piece of a large write need not wait for a delayed ACK.
 * Urgent data and a last segment never wait.
 */
static uint32_t nagle(const struct tcp_conn *c, uint32_t len, uint32_t avail,
		      uint32_t mss)
{
	uint32_t part;

	ASSERT(mss > 0);
	part = len % mss;
	if (!part || c->flags & CF_PROBE)
		return len; /* the persist timer overrides the window's part */
	if (len < avail) {  /* some limit cut it */
		if (len > mss)
			return len - part;
		return len >= c->snd_wnd_max / 2 ? len : 0;
	}
	if (c->flags & (CF_NODELAY | CF_CLOSE | CF_URG_OUT) ||
	    seq_leq(c->snd_sml, c->snd_una))
		return len;
	return len - part;
}

/* RFC 9293, 3.8.6.1 (SHLD-29): the window stops us and nothing is in flight
 * whose ACK could open it. */
static void persist_start(struct stack *st, struct tcp_conn *c,
			  struct tcp_active *a)
{
	if (c->snd_nxt != c->snd_una || a->persist_at_us != TIME_NEVER)
		return;
	if (a->stalled_us == TIME_NEVER)
		a->stalled_us = st->now_us;
	a->persist_at_us = st->now_us + tcp_rto_us(st, c);
}

static bool output_probe(struct stack *st, struct tcp_conn *c,
			 struct stack_pkt *out)
{
	struct tcp_active *a = conn_active(st, c);
	uint32_t sent = c->snd_nxt - c->snd_una;
	unsigned int what = PACKET_PROBE;
	struct tcp_seg s;

	if (!(c->flags & (CF_PROBE | CF_KEEPALIVE)))
		return false;
	tcp_fill_seg(st, c, &s, TH_ACK);
	out->iov_len = 1;
	if (c->flags & CF_PROBE && a->sndq.len > sent) {
		/* RFC 9293, 3.8.6.1: one byte beyond the window. snd_nxt stays,
		 * for the byte will be sent again if it is not taken. */
		s.len = text_view(st, a, sent, 1, 1, out);
		c->snd_max = seq_max(c->snd_max, c->snd_nxt + 1);
		st->stats.window_probes++;
	} else {
		/* A number the peer has acknowledged makes it answer (SHLD-12),
		 * and a FIN that the closed window holds back. */
		s.seq = c->snd_nxt - 1;
		if (c->flags & CF_KEEPALIVE) {
			st->stats.keepalive_probes++;
			what = PACKET_KEEPALIVE;
		} else {
			st->stats.window_probes++;
		}
	}
	c->flags &= ~(CF_PROBE | CF_KEEPALIVE);
	emit(st, c, &s, 0, what, out);
	return true;
}

static bool output_ack(struct stack *st, struct tcp_conn *c,
		       struct stack_pkt *out)
{
	struct tcp_active *a = conn_active(st, c);
	unsigned int what = a && a->challenge ? PACKET_CHALLENGE : 0;
	struct tcp_seg s;

	if (!(c->flags & CF_ACK_NOW))
		return false;
	if (a && a->dupacks_owed)
		a->dupacks_owed--;
	tcp_fill_seg(st, c, &s, TH_ACK);
	EVENT_CONN(st, c, ACK_SENT, .a = s.ack, .seq = s.seq, .ack = s.ack,
		   .flags = s.flags, .wnd = s.wnd);
	out->iov_len = 1;
	emit(st, c, &s, 0, what, out);
	return true;
}

/* Text bytes beside the options of the segment that would leave now. */
static uint32_t seg_mss(const struct tcp_conn *c, const struct tcp_active *a)
{
	unsigned int n = a ? tcp_sack_count(c, a) : 0;

	return c->cc.mss - (n ? 4 + 8 * n : 0);
}

/*
 * Two segments fit the largest window that the peer ever had. A single one that
 * fills it may be acknowledged by the peer's timer only, each time: RFC 9293,
 * 3.8.6.3 (SHLD-19) promises an ACK for the second one. So Linux does, too.
 */
static uint32_t seg_most(const struct tcp_conn *c, uint32_t mss)
{
	uint32_t half = c->snd_wnd_max / 2;

	return half >= SEGMENT_LEAST && half < mss ? half : mss;
}

/* Text bytes of the packet that begins at @seq: a multiple of the segment size.
 * Each segment has its own distance to the end of urgent data, but the device
 * would give all the same. */
static uint32_t gso_limit(const struct stack *st, const struct tcp_conn *c,
			  tcp_seq seq, uint32_t mss)
{
	uint32_t most = STACK_SEGMENT_MAX - WIRE_HEAD_MAX;

	if (tcp_urgent_ahead(c, conn_active(st, c), seq))
		return mss;
	if (st->conf.gso_max < most)
		most = st->conf.gso_max;
	if (tcp_pace_burst(st, c, mss) < most)
		most = tcp_pace_burst(st, c, mss);
	return most <= mss ? mss : most - most % mss;
}

/* Point out->iov at text; less than asked, in whole segments, if the text lies
 * in more pieces than a packet may have. */
static uint32_t text_view(struct stack *st, struct tcp_active *a, uint32_t off,
			  uint32_t len, uint32_t mss, struct stack_pkt *out)
{
	uint32_t got = 0;

	out->iov_len = 1;
	if (!len)
		return 0;
	out->iov_len += sendq_view(&a->sndq, &st->send_pools, off, len,
				   out->iov + 1, STACK_IOV_MAX - 1, &got);
	if (got == len || got <= mss || got % mss == 0)
		return got;
	return text_view(st, a, off, got - got % mss, mss, out);
}

/* Sum of text that lies in pieces; a piece at an odd offset counts swapped. */
static uint32_t text_sum(const struct iovec *iov, unsigned int n)
{
	uint64_t sum = 0;
	bool odd = false;

	for (unsigned int i = 0; i < n; i++) {
		uint16_t part = (uint16_t)~csum_fold(
			csum_partial(iov[i].iov_base, iov[i].iov_len, 0));

		if (odd)
			part = (uint16_t)(part << 8 | part >> 8);
		sum += part;
		odd ^= iov[i].iov_len & 1;
	}
	return (uint32_t)(sum & 0xffff) + (uint32_t)(sum >> 16);
}

/* Build the packet around the text that out->iov points at already; @what are
 * its enum packet_flags. */
static void emit(struct stack *st, struct tcp_conn *c, struct tcp_seg *s,
		 uint32_t mss, unsigned int what, struct stack_pkt *out)
{
	bool partial = st->conf.csum_offload;
	uint32_t tcp_off, sum = 0;

	tcp_urgent_mark(c, conn_active(st, c), s);
	if (s->len && !partial)
		sum = text_sum(out->iov + 1, out->iov_len - 1);
	out->iov[0].iov_base = st->out_head;
	out->iov[0].iov_len = wire_tcp_build(
		st->out_head, s, (uint16_t)(c->ts_offset + c->segs_out),
		partial ? WIRE_CSUM_PARTIAL : WIRE_CSUM_FULL, sum, &tcp_off);
	wire_ip_label(st->out_head, conn_active(st, c)->flow_label);
	out->len = (uint32_t)out->iov[0].iov_len + s->len;
	out->csum_partial = partial;
	out->csum_start = (uint16_t)tcp_off;
	out->csum_offset = 16;
	out->gso_size = mss && s->len > mss ? (uint16_t)mss : 0;
	out->ipv6 = !ip_addr_is4(&s->src);
	st->stats.segments_out += out->gso_size ? (s->len + mss - 1) / mss : 1;
	c->segs_out++;
	if (tap_on(st))
		tap_conn_sends(st, c, what, s->len);
}
