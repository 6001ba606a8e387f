/*
 * sim_peer_rx.c - A segment arrived at the simple peer
 *
 * RFC 9293, 3.10.7, as plainly as it can be said. Beside that, whatever the
 * engine says is held against what this side knows: text against the pattern,
 * and echoed timestamps against its own clock.
 */
#include "sim_peer.h"

#include <inttypes.h>
#include <string.h>

static void input_syn_sent(struct sock *s, struct segment *g);
static bool input_acceptable(struct sock *s, const struct segment *g);
static bool input_ack(struct sock *s, const struct segment *g);
static void input_ecn(struct sock *s, const struct segment *g);
static void input_urgent(struct sock *s, const struct segment *g);
static void input_text(struct sock *s, const struct segment *g);
static void input_fin(struct sock *s);

/** sock_options() - Take what a SYN says */
void sock_options(struct sock *s, struct segment *g)
{
	const struct peer_opts *o = s->peer->opts;
	const uint8_t *mss = segment_opt(g, KIND_MSS),
		      *ts = segment_opt(g, KIND_TS),
		      *shift = segment_opt(g, KIND_WSCALE);
	uint32_t most = mss ? get16(mss + 2) : 536;

	s->ecn_asked = (g->flags & (TH_ECE | TH_CWR)) == (TH_ECE | TH_CWR);
	s->ecn = o->ecn != PEER_ECN_NO && o->ecn != PEER_ECN_REFLECTS &&
		 (g->flags & TH_ACK ? (g->flags & (TH_ECE | TH_CWR)) == TH_ECE
				    : s->ecn_asked);
	s->irs = g->seq;
	s->rcv = s->edge = g->seq + 1;
	s->snd_wnd = g->wnd; /* never scaled: RFC 7323, 2.2 */
	s->wl1 = g->seq;
	s->wl2 = g->ack;
	s->ts = o->ts && ts;
	s->sack = o->sack && segment_opt(g, KIND_SACK_OK);
	s->wscale = o->wscale && shift;
	s->snd_shift = s->wscale ? shift[2] : 0;
	if (s->ts) {
		s->ts_recent = get32(ts + 2);
		most -= 12;
	}
	s->segment = most < o->segment ? most : o->segment;
}

/** sock_input() - Take a segment of this connection */
void sock_input(struct sock *s, struct segment *g)
{
	const uint8_t *ts = segment_opt(g, KIND_TS);

	s->heard_us = s->peer->sim->now_us;
	s->keepalives = 0;
	if (s->state == SOCK_SYN_SENT) {
		input_syn_sent(s, g);
		return;
	}
	/* A copy of the SYN: say it again. */
	if (s->state == SOCK_SYN_RCVD && g->flags & TH_SYN &&
	    g->seq == s->irs && !(g->flags & TH_RST)) {
		if (g->flags & TH_ACK && g->ack == s->iss + 1) {
			s->una = g->ack;
			sock_opened(s);
			s->ack_now = true;
		} else {
			s->nxt = s->iss;
		}
		return;
	}
	if (!input_acceptable(s, g))
		return;
	if (g->flags & TH_RST) {
		sock_over(s, s->state == SOCK_SYN_RCVD ? CLOSE_REFUSED
						       : CLOSE_RESET_BY_PEER);
		return;
	}
	if (g->flags & TH_SYN) {
		s->ack_now = true;
		return;
	}
	if (ts && s->ts && ahead(g->seq, s->rcv) <= 0 &&
	    ahead(get32(ts + 2), s->ts_recent) >= 0)
		s->ts_recent = get32(ts + 2);
	if (ts && s->ts && g->flags & TH_ACK && s->peer->opts->ts)
		SIM_REQUIRE(ahead(sock_ts_now(s), get32(ts + 6)) >= 0,
			    "echo of timestamp %" PRIu32 " before it was sent",
			    get32(ts + 6));
	if (!(g->flags & TH_ACK) || !input_ack(s, g))
		return;
	input_ecn(s, g);
	input_urgent(s, g);
	if (g->len)
		input_text(s, g);
	if (g->flags & TH_FIN && !s->fin_seen) {
		s->fin_seen = true;
		s->fin_seq = g->seq + g->len;
	}
	if (g->flags & TH_FIN)
		s->ack_now = true;
	input_fin(s);
}

/* RFC 9293, 3.10.7.3 */
static void input_syn_sent(struct sock *s, struct segment *g)
{
	bool ack_ok = g->flags & TH_ACK && ahead(g->ack, s->iss) > 0 &&
		      ahead(g->ack, s->max) <= 0;

	if (g->flags & TH_ACK && !ack_ok) {
		peer_reset_reply(s->peer, g);
		return;
	}
	if (g->flags & TH_RST) {
		if (ack_ok)
			sock_over(s, CLOSE_REFUSED);
		return;
	}
	if (!(g->flags & TH_SYN))
		return;
	sock_options(s, g);
	if (ack_ok) {
		s->una = s->nxt = g->ack;
		sock_opened(s);
		s->ack_now = true;
	} else { /* crossing: RFC 9293, 3.5 (MUST-10) */
		s->state = SOCK_SYN_RCVD;
		s->nxt = s->iss;
	}
}

/* RFC 9293, 3.4. What was already taken, and what lies beyond the window, gets
 * an ACK. */
static bool input_acceptable(struct sock *s, const struct segment *g)
{
	uint32_t len = g->len + !!(g->flags & TH_FIN) + !!(g->flags & TH_SYN);
	int32_t from = ahead(g->seq, s->rcv), wnd = (int32_t)sock_window(s);

	if (!len)
		len = 1; /* where the next byte would be */
	if (from <= wnd && from + (int32_t)len > 0)
		return true;
	if (!(g->flags & TH_RST))
		s->ack_now = true;
	return false;
}

static bool input_ack(struct sock *s, const struct segment *g)
{
	uint32_t acked, wnd = (uint32_t)g->wnd << s->snd_shift;

	if (s->state == SOCK_SYN_RCVD) {
		if (ahead(g->ack, s->iss) <= 0 || ahead(g->ack, s->max) > 0) {
			peer_reset_reply(s->peer, g);
			return false;
		}
		s->una = s->nxt = s->iss + 1;
		sock_opened(s);
	}
	if (ahead(g->ack, s->max) > 0) {
		s->ack_now = true;
		return false;
	}
	if (ahead(g->ack, s->una) > 0) {
		acked = g->ack - s->una;
		s->una = g->ack;
		if (ahead(s->nxt, s->una) < 0)
			s->nxt = s->una;
		s->cwnd += acked;
		s->dupacks = s->timeouts = 0;
		s->rexmt_at_us = TIME_NEVER;
		s->fin_acked = s->fin_wanted && s->una == sock_end(s) + 1;
	} else if (g->ack == s->una && !g->len && wnd == s->snd_wnd &&
		   s->max != s->una && !(g->flags & TH_FIN)) {
		/* Once for what is in flight, or copies beget duplicate ACKs
		 * and those copies (RFC 6582, 3.2). */
		if (++s->dupacks == 3 && s->peer->opts->fast_rexmt &&
		    ahead(s->una, s->recover) >= 0) {
			s->nxt = s->una;
			s->recover = s->max;
		}
	}
	if (g->ack == s->una && !wnd)
		s->timeouts = 0; /* it lives, RFC 9293, 3.8.6.1 (MUST-37) */
	if (ahead(s->wl1, g->seq) < 0 ||
	    (s->wl1 == g->seq && ahead(s->wl2, g->ack) <= 0)) {
		if (!s->snd_wnd && wnd)
			s->rexmt_at_us = TIME_NEVER;
		s->snd_wnd = wnd;
		s->wl1 = g->seq;
		s->wl2 = g->ack;
	}
	return true;
}

static void input_ecn(struct sock *s, const struct segment *g)
{
	if (!s->ecn)
		return;
	if (g->flags & TH_CWR)
		s->ece = false;
	if ((g->tos & 3) == 3 && g->len)
		s->ece = true;
	if (g->flags & TH_ECE) {
		s->cwnd = s->segment;
		s->cwr = true;
	}
}

static void input_urgent(struct sock *s, const struct segment *g)
{
	int32_t at = ahead(g->seq + g->up, s->irs + 1);

	if (g->flags & TH_URG && at > 0)
		end_urgent(s->e, (uint32_t)at);
}

/* Every byte that is text of the stream, wherever it lies. */
static void check_text(const struct sock *s, const struct segment *g)
{
	int32_t off = ahead(g->seq, s->irs + 1);
	uint32_t skip = off < 0 ? (uint32_t)-off : 0;

	if (skip < g->len)
		end_compare(s->e, (uint32_t)(off + (int32_t)skip),
			    g->text + skip, g->len - skip);
}

static void ooo_remove(struct sock *s, unsigned int i)
{
	memmove(&s->ooo[i], &s->ooo[i + 1],
		(--s->nooo - i) * sizeof(s->ooo[0]));
}

/* Remember [from, to), joined with what it touches, as the newest. */
static void ooo_add(struct sock *s, uint32_t from, uint32_t to)
{
	for (unsigned int i = 0; i < s->nooo;) {
		if (ahead(s->ooo[i].to, from) < 0 ||
		    ahead(s->ooo[i].from, to) > 0) {
			i++;
			continue;
		}
		if (ahead(s->ooo[i].from, from) < 0)
			from = s->ooo[i].from;
		if (ahead(s->ooo[i].to, to) > 0)
			to = s->ooo[i].to;
		ooo_remove(s, i);
	}
	if (s->nooo == SOCK_OOO_MAX)
		return; /* forgotten: the sender still has it */
	memmove(&s->ooo[1], &s->ooo[0], s->nooo++ * sizeof(s->ooo[0]));
	s->ooo[0] = (struct sock_range){from, to};
}

static void input_text(struct sock *s, const struct segment *g)
{
	const struct peer_opts *o = s->peer->opts;
	uint32_t from = g->seq, to = g->seq + g->len;

	check_text(s, g);
	if (ahead(to, s->edge) > 0)
		to = s->edge;
	if (ahead(to, from) <= 0 || ahead(to, s->rcv) <= 0) {
		s->ack_now = true; /* nothing new in it */
		return;
	}
	if (ahead(from, s->rcv) > 0) {
		if (!o->no_ooo)
			ooo_add(s, from, to);
		s->ack_now = true; /* RFC 5681, 4.2 */
		return;
	}
	s->rcv = to;
	s->unacked++;
	if (s->nooo)
		s->ack_now = true;
	for (unsigned int i = 0; i < s->nooo;) {
		if (ahead(s->ooo[i].from, s->rcv) > 0) {
			i++;
			continue;
		}
		if (ahead(s->ooo[i].to, s->rcv) > 0)
			s->rcv = s->ooo[i].to;
		ooo_remove(s, i);
		i = 0;
	}
	if (s->unacked >= o->ack_every)
		s->ack_now = true;
	else if (s->ack_at_us == TIME_NEVER)
		s->ack_at_us = s->peer->sim->now_us + o->ack_delay_us;
	if (s->nooo && rand_chance(&s->peer->rand, o->renege_ppm))
		s->nooo = 0; /* RFC 2018, 8: it may */
}

static void input_fin(struct sock *s)
{
	if (!s->fin_seen || s->fin_taken || s->rcv != s->fin_seq)
		return;
	s->rcv++;
	s->fin_taken = true;
	s->ack_now = true;
}
