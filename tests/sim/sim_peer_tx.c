/*
 * sim_peer_tx.c - What the simple peer sends next
 *
 * It sends what its window and the other's allow, and after a timeout begins
 * again at the oldest byte. A closed window is probed by the same timer: the
 * segment of one byte that it sends is not special. Segments may be cut at
 * other places the second time, as in every stack that queues bytes.
 */
#include "sim_peer.h"

#include <inttypes.h>
#include <string.h>

#define TIMEOUTS_MAX 40

static void send_syn(struct sock *s);
static bool send_some(struct sock *s);
static void send_segment(struct sock *s, uint32_t seq, uint32_t len,
			 uint8_t flags);
static void add_options(struct sock *s, struct segment *g);
static uint16_t offer_window(struct sock *s);

static uint32_t less(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t sock_ts_now(const struct sock *s)
{
	return (uint32_t)(s->peer->sim->now_us / US_PER_MS) + s->ts_base;
}

/** sock_window() - Bytes it has room for */
uint32_t sock_window(const struct sock *s)
{
	uint32_t unread = sock_unread(s), size = s->peer->opts->window;

	return unread < size ? size - unread : 0;
}

/* How far the window's edge moves at least (RFC 9293, 3.8.6.2.2 (MUST-39)). */
static uint32_t window_step(const struct sock *s)
{
	const struct peer_opts *o = s->peer->opts;
	uint32_t step = less(s->segment, o->window / 2 + 1),
		 unit = s->wscale ? 1u << o->shift : 1;

	if (o->silly)
		step = 1;
	return step > unit ? step : unit;
}

/* And how far before that is worth an ACK of its own. */
static uint32_t window_tell(const struct sock *s)
{
	uint32_t step = window_step(s), half = s->peer->opts->window / 2;

	return s->peer->opts->silly || step > half ? step : half;
}

static void set_addresses(const struct peer *p, struct segment *g)
{
	struct ip_addr me = swarm_addr(g->v6, p->side),
		       you = swarm_addr(g->v6, !p->side);

	memcpy(g->src, me.b + (g->v6 ? 0 : 12), g->v6 ? 16 : 4);
	memcpy(g->dst, you.b + (g->v6 ? 0 : 12), g->v6 ? 16 : 4);
}

static void peer_send(struct peer *p, struct segment *g)
{
	static uint8_t buf[SIM_PACKET_MAX];
	uint32_t len;

	g->v6 = p->sim->opts->v6;
	g->ttl = 64;
	g->df = !p->opts->no_df;
	g->ip_id = p->ip_id++;
	set_addresses(p, g);
	len = segment_build(buf, g);
	sim_sent(p->sim, p->side, buf, len, 0);
}

static void rexmt_arm(struct sock *s)
{
	int64_t rto_us = s->peer->opts->rto_us;

	for (unsigned int i = 0; i < s->timeouts && rto_us < 60 * US_PER_S; i++)
		rto_us *= 2;
	s->rexmt_at_us = s->peer->sim->now_us + rto_us;
}

/** sock_output() - Send all that may leave now, and the ACK that is due */
void sock_output(struct sock *s)
{
	if (s->state == SOCK_GONE)
		return;
	if (s->state == SOCK_SYN_SENT || s->state == SOCK_SYN_RCVD) {
		if (s->nxt == s->iss)
			send_syn(s);
		return;
	}
	if (s->cwnd > s->peer->opts->flight)
		s->cwnd = s->peer->opts->flight;
	while (send_some(s))
		;
	if (s->una != s->nxt && s->rexmt_at_us == TIME_NEVER)
		rexmt_arm(s);
	if (!s->peer->opts->no_update && !s->fin_taken &&
	    ahead(s->rcv + sock_window(s), s->edge) >= (int32_t)window_tell(s))
		s->ack_now = true;
	if (s->ack_now)
		send_segment(s, s->max, 0, TH_ACK);
}

/** sock_timeout() - No ACK came: back to the oldest byte */
void sock_timeout(struct sock *s)
{
	bool shut = s->state == SOCK_OPEN && !s->snd_wnd;

	s->rexmt_at_us = TIME_NEVER;
	if (++s->timeouts > TIMEOUTS_MAX) {
		SIM_REQUIRE(end_is_aborted(s->e),
			    "the peer of connection %u gets no answer",
			    s->e->index);
		sock_over(s, CLOSE_TIMEOUT_DATA);
		return;
	}
	s->nxt = s->state == SOCK_OPEN ? s->una : s->iss;
	s->cwnd = s->segment;
	if (shut) { /* RFC 9293, 3.8.6.1 (MUST-36) */
		bool text = ahead(sock_end(s), s->una) > 0;

		send_segment(s, s->una, text, text ? TH_ACK : TH_ACK | TH_FIN);
		s->nxt = s->una + 1;
		if (ahead(s->nxt, s->max) > 0)
			s->max = s->nxt;
		rexmt_arm(s);
	}
}

static void send_syn(struct sock *s)
{
	uint8_t flags = s->state == SOCK_SYN_SENT ? TH_SYN : TH_SYN | TH_ACK;
	enum peer_ecn ecn = s->peer->opts->ecn;
	uint32_t text = 0;

	if (s->state == SOCK_SYN_SENT)
		flags |= ecn == PEER_ECN_NO || ecn == PEER_ECN_REFLECTS
				 ? 0
				 : TH_ECE | TH_CWR;
	else if (s->ecn)
		flags |= TH_ECE;
	else if (ecn == PEER_ECN_REFLECTS && s->ecn_asked)
		flags |= TH_ECE | TH_CWR;

	if (s->state == SOCK_SYN_SENT && s->peer->opts->syn_text &&
	    s->e->plan->kind == APP_STREAM) {
		text = less(s->peer->opts->syn_text, s->e->plan->bytes);
		if (s->e->sent < text)
			s->e->sent = text;
	}
	send_segment(s, s->iss, text, flags);
	s->nxt = s->iss + 1 + text;
	if (ahead(s->nxt, s->max) > 0)
		s->max = s->nxt;
	rexmt_arm(s);
}

/* One more segment of text, or the FIN. Return: was there one? */
static bool send_some(struct sock *s)
{
	const struct peer_opts *o = s->peer->opts;
	uint32_t end = sock_end(s), avail, n;
	int32_t room = ahead(s->una + less(s->snd_wnd, s->cwnd), s->nxt);
	bool fin;

	if (s->state != SOCK_OPEN || ahead(s->nxt, end + s->fin_wanted) >= 0)
		return false;
	if (room <= 0) {
		if (s->rexmt_at_us == TIME_NEVER)
			rexmt_arm(s);
		return false;
	}
	avail = end - s->nxt;
	n = less(less(s->segment, avail), (uint32_t)room);
	if (n && o->repack && ahead(s->nxt, s->max) < 0)
		n = (uint32_t)rand_between(&s->peer->rand, 1, n);
	else if (!o->silly && n < s->segment && n < avail && s->nxt != s->una)
		return false; /* RFC 9293, 3.8.6.2.1 (MUST-38) */
	fin = s->fin_wanted && n == avail && n < (uint32_t)room &&
	      !(o->fin_apart && n);
	if (!n && !fin)
		return false;
	send_segment(s, s->nxt, n,
		     (uint8_t)(TH_ACK | (n == avail ? TH_PSH : 0) |
			       (fin ? TH_FIN : 0)));
	s->nxt += n + fin;
	if (ahead(s->nxt, s->max) > 0)
		s->max = s->nxt;
	if (s->rexmt_at_us == TIME_NEVER)
		rexmt_arm(s);
	return true;
}

/* ECN, and how far the text is urgent. */
static void add_marks(const struct sock *s, struct segment *g)
{
	enum peer_ecn ecn = s->peer->opts->ecn;
	int32_t urgent = ahead(s->iss + 1 + s->e->urgent_sent, g->seq);

	if (s->e->urgent_sent && urgent > 0) {
		g->flags |= TH_URG;
		g->up = (uint16_t)less((uint32_t)urgent, 65535);
	}
	if (!s->ecn)
		return;
	if (ecn == PEER_ECN_STUCK || (s->ece && ecn != PEER_ECN_DEAF))
		g->flags |= TH_ECE;
	if (g->len && g->seq == s->max) {
		g->tos = 2;
		g->flags |= s->cwr ? TH_CWR : 0;
	}
}

static void send_segment(struct sock *s, uint32_t seq, uint32_t len,
			 uint8_t flags)
{
	static uint8_t text[SIM_PACKET_MAX];
	struct segment g = {
		.sport = s->port,
		.dport = s->peer_port,
		.seq = seq,
		.ack = flags & TH_ACK ? s->rcv : 0,
		.flags = flags,
		.text = text,
		.len = len,
	};

	add_options(s, &g);
	if (!(flags & (TH_SYN | TH_RST)))
		add_marks(s, &g);
	if (flags & TH_SYN)
		g.wnd = (uint16_t)less(s->peer->opts->window, 65535);
	else
		g.wnd = offer_window(s);
	if ((flags & (TH_SYN | TH_ACK)) == (TH_SYN | TH_ACK))
		s->edge = s->rcv + g.wnd;
	if (len)
		end_fill(s->e, seq + !!(flags & TH_SYN) - s->iss - 1, text,
			 len);
	if (g.flags & TH_CWR && !(flags & TH_SYN))
		s->cwr = false;
	s->ack_now = false;
	s->unacked = 0;
	s->ack_at_us = TIME_NEVER;
	peer_send(s->peer, &g);
}

static void add_syn_options(const struct sock *s, struct segment *g)
{
	const struct peer_opts *o = s->peer->opts;
	uint8_t body[2];

	if (o->mss) {
		put16(body, o->mss);
		segment_opt_add(g, KIND_MSS, body, 2);
	}
	if (s->wscale)
		segment_opt_add(g, KIND_WSCALE, &o->shift, 1);
	if (s->sack)
		segment_opt_add(g, KIND_SACK_OK, NULL, 0);
}

static void add_options(struct sock *s, struct segment *g)
{
	const struct peer_opts *o = s->peer->opts;
	bool syn = g->flags & TH_SYN;
	uint8_t body[8 * 3];
	unsigned int n;

	if (syn)
		add_syn_options(s, g);
	if (s->ts &&
	    (syn || (!rand_chance(&s->peer->rand, o->ts_omit_ppm) &&
		     (!o->ts_stop_at || s->e->received < o->ts_stop_at)))) {
		put32(body, sock_ts_now(s));
		put32(body + 4, g->flags & TH_ACK ? s->ts_recent : 0);
		segment_opt_add(g, KIND_TS, body, 8);
	}
	if (!s->sack || !s->nooo || g->len || syn)
		return;
	for (n = 0; n < s->nooo && n < 3; n++) {
		put32(body + 8 * n, s->ooo[n].from);
		put32(body + 8 * n + 4, s->ooo[n].to);
	}
	segment_opt_add(g, KIND_SACK, body, (uint8_t)(8 * n));
}

/* The window as it goes out, and what it promises. It may take back what it
 * promised, which it should not (SHLD-14). */
static uint16_t offer_window(struct sock *s)
{
	const struct peer_opts *o = s->peer->opts;
	uint8_t shift = s->wscale ? o->shift : 0;
	uint32_t wnd = sock_window(s), old = 0, field;
	bool shrink = wnd && rand_chance(&s->peer->rand, o->shrink_ppm);

	if (ahead(s->edge, s->rcv) > 0)
		old = s->edge - s->rcv;
	if (shrink)
		wnd = (uint32_t)rand_between(&s->peer->rand, 0, wnd);
	else if (wnd < old + window_step(s))
		wnd = old;
	field = less(wnd >> shift, 65535);
	wnd = field << shift;
	if (shrink || wnd > old)
		s->edge = s->rcv + wnd;
	return (uint16_t)field;
}

/** sock_keepalive() - Ask whether the other side lives (RFC 9293, 3.8.4) */
void sock_keepalive(struct sock *s)
{
	send_segment(s, s->max - 1, 0, TH_ACK);
}

/** sock_reset() - Say that it is over */
void sock_reset(struct sock *s)
{
	send_segment(s, s->max, 0, TH_RST | TH_ACK);
}

/** peer_reset_reply() - RFC 9293, 3.10.7.1: nobody is here */
void peer_reset_reply(struct peer *p, const struct segment *g)
{
	struct segment r = {.sport = g->dport, .dport = g->sport};

	if (g->flags & TH_RST)
		return;
	if (g->flags & TH_ACK) {
		r.seq = g->ack;
		r.flags = TH_RST;
	} else {
		r.ack = g->seq + g->len + !!(g->flags & TH_SYN) +
			!!(g->flags & TH_FIN);
		r.flags = TH_RST | TH_ACK;
	}
	peer_send(p, &r);
}
