/*
 * flow.c - Packets of one connection, one after the other
 *
 * Each packet is counted, then taken by what it is: a SYN, a RST, or a segment
 * with an ACK and perhaps text and a FIN. Handshake and end are here; what the
 * numbers of text say is in flow_text.c.
 */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#define MSS_TINY   216 /* Linux answers no path with less: a way to make work */
#define WSCALE_MAX 14
#define FLAG_AE	   0x100 /* RFC 9768, 3 */

static void count(struct flow *f, const struct packet *p, enum side s);
static void find_bases(struct flow *f, const struct packet *p, enum side s);
static void check_header(struct flow *f, const struct packet *p, enum side s);
static void check_flags(struct flow *f, const struct packet *p, enum side s);
static void check_sum(struct flow *f, const struct packet *p, enum side s);
static bool has_ecn(const struct packet *p);
static void syn_again(struct flow *f, const struct packet *p, enum side s);
static void syn_first(struct flow *f, const struct packet *p, enum side s);
static void synack(struct flow *f, const struct packet *p, enum side s);
static void synack_again(struct flow *f, const struct packet *p, enum side s);
static void another_isn(struct flow *f, const struct packet *p);
static bool synack_fits(struct flow *f, const struct packet *p, enum side s);
static void tfo_answer(struct flow *f, const struct packet *p);
static bool hsack(struct flow *f, const struct packet *p, enum side s);
static void was_split(struct flow *f, const struct packet *p, enum side s);
static bool rst_of_handshake(struct flow *f, const struct packet *p,
			     enum side s);
static void rst_taken(struct flow *f, const struct packet *p, enum side s,
		      bool fits);
static void rst_was_ignored(struct flow *f, const struct packet *p,
			    enum side s);

void flow_begin(struct flow *f, const struct packet *p, uint8_t from)
{
	uint8_t to = !from;
	struct flow_extra *x;

	if (p->flags & TH_SYN)
		f->client = p->flags & TH_ACK ? to : from;
	else /* servers have the lower ports */
		f->client = f->key.port[from] >= f->key.port[to] ? from : to;
	if (!(p->flags & TH_SYN))
		f->flags |= FLOW_GUESSED;
	if (f->client != from)
		flow_history_turned(f);
	f->first_frame = (uint32_t)p->number;
	f->start_ns = p->ns;
	x = p->nencaps ? flow_extra(f, 0) : NULL;
	if (x) {
		x->nencaps = p->nencaps;
		memcpy(x->encap, p->encap, sizeof(x->encap));
	}
}

void flow_take(struct flow *f, const struct packet *p, uint8_t from,
	       struct copies *copies)
{
	enum side s = from == f->client ? CLIENT : SERVER;

	if (flow_copy(f, p, s, copies)) {
		flow_copied(f, p, s);
		return;
	}
	count(f, p, s);
	flow_history(f, p, s);
	check_header(f, p, s);
	check_sum(f, p, s);
	if (p->flags & TH_RST) {
		flow_rst(f, p, s);
	} else if (p->flags & TH_SYN) {
		flow_syn(f, p, s);
	} else if (p->flags & TH_ACK) { /* others nobody takes */
		rst_was_ignored(f, p, s);
		was_split(f, p, s);
		if (hsack(f, p, s)) {
			flow_ack(f, p, s);
			flow_text(f, p, s, copies);
		}
	}
	if (f->flags & FLOW_RST ||
	    (f->half[CLIENT].flags & f->half[SERVER].flags & HALF_FIN_ACKED))
		f->age = AGE_CLOSED;
	else
		f->age = flow_established(f) ? AGE_OPEN : AGE_EMBRYONIC;
}

void flow_icmp(struct flow *f, const struct packet *p, uint8_t from)
{
	enum side s = from == f->client ? CLIENT : SERVER;
	const struct half *me = &f->half[s];

	/* RFC 5927, 4.1: it must quote what can have been on its way. */
	if (!(me->flags & HALF_NEXT) || seq_gt(p->seq, me->next))
		return;
	f->flags |= FLOW_ICMP;
	if (p->icmp6)
		f->flags |= FLOW_ICMP6;
	f->icmp_type = p->icmp_type;
	f->icmp_code = p->icmp_code;
	if (p->icmp_mtu) {
		flow_anomaly(f, ANOMALY_ICMP_FRAG_NEEDED, s, p, 0, p->icmp_mtu);
		return;
	}
	flow_anomaly(f, ANOMALY_ICMP_ERROR, s, p, p->icmp_type, p->icmp_code);
}

/*
 * The same number is the same attempt, unless that one was refused: who calls
 * again with the same socket has the same number in some systems. Another
 * number is another attempt if the old one has ended, or was never answered.
 * Inside of an open connection a SYN begins nothing (RFC 5961, 4); the SYN-ACK
 * would show that it did.
 */
bool flow_starts_anew(const struct flow *f, const struct packet *p,
		      uint8_t from)
{
	enum side s = from == f->client ? CLIENT : SERVER;
	const struct half *me = &f->half[s];
	bool syn = (p->flags & (TH_SYN | TH_ACK | TH_RST)) == TH_SYN;

	if (!syn)
		return false;
	if (f->flags & FLOW_RST)
		return true;
	if (!(me->flags & HALF_ISN)) /* the other one's SYN may cross it */
		return f->age == AGE_CLOSED ||
		       (f->flags & FLOW_GUESSED && f->half[!s].packets == 0);
	if (p->seq == me->isn)
		return false;
	return f->age == AGE_CLOSED || !(f->flags & FLOW_SYNACK);
}

void flow_reused(struct flow *f, const struct packet *p)
{
	flow_anomaly(f, ANOMALY_TIME_WAIT_REUSE, CLIENT, p, 0, 0);
}

void flow_end(struct flow *f)
{
	free(f->half[CLIENT].hole);
	free(f->half[SERVER].hole);
	if (f->extra)
		free(f->extra->copied);
	free(f->extra);
	f->half[CLIENT].hole = f->half[SERVER].hole = NULL;
	f->extra = NULL;
}

void flow_anomaly(struct flow *f, enum anomaly_kind kind, enum side s,
		  const struct packet *p, int64_t expected, int64_t got)
{
	struct flow_extra *x = f->extra;

	for (uint8_t i = 0; x && i < x->nanomalies; i++) {
		if (x->anomaly[i].kind == kind && x->anomaly[i].side == s) {
			x->anomaly[i].count++;
			return;
		}
	}
	if (x && x->nanomalies == NOTED_MAX)
		return;
	x = flow_extra(f, x ? x->nanomalies + 1 : 1);
	if (!x)
		return;
	x->anomaly[x->nanomalies++] = (struct anomaly){
		.kind = (uint8_t)kind,
		.side = (uint8_t)s,
		.count = 1,
		.frame = p->number,
		.expected = expected,
		.got = got,
	};
}

/* The first one is remembered; how many there were, its side knows. */
void flow_counted(struct flow *f, enum counted what, enum side s,
		  const struct packet *p)
{
	struct flow_extra *x = flow_extra(f, 0);

	if (x && !x->counted[s][what])
		x->counted[s][what] = (uint32_t)p->number;
}

/* With room for so many anomalies; most have one or two. NULL without memory.
 */
struct flow_extra *flow_extra(struct flow *f, uint8_t room)
{
	struct flow_extra *x = f->extra;

	if (x && x->room >= room)
		return x;
	while (room & (room - 1)) /* 0, 1, 2, 4, 8 */
		room++;
	x = realloc(x, sizeof(*x) + room * sizeof(*x->anomaly));
	if (!x)
		return NULL;
	if (!f->extra)
		memset(x, 0, sizeof(*x));
	x->room = room;
	f->extra = x;
	return x;
}

static void count(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];

	f->last_frame = (uint32_t)p->number;
	f->end_ns = p->ns;
	if (!(me->flags & HALF_BASE))
		find_bases(f, p, s);
	if (!me->packets)
		me->ttl = p->ttl;
	else if (p->ttl != me->ttl && p->flags & TH_RST)
		flow_anomaly(f, ANOMALY_RST_TTL_MISMATCH, s, p, me->ttl,
			     p->ttl);
	else if (p->ttl != me->ttl)
		flow_anomaly(f, ANOMALY_TTL_SHIFT, s, p, me->ttl, p->ttl);
	me->packets++;
}

/* Numbers are shown relative to the SYN's. If the capture began later, the
 * first one of a side is 1, as in Wireshark. */
static void find_bases(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s], *you = &f->half[!s];

	me->flags |= HALF_BASE;
	me->isn = p->seq - !(p->flags & TH_SYN);
	if (p->flags & TH_ACK && !(you->flags & HALF_BASE)) {
		you->flags |= HALF_BASE;
		you->isn = p->ack - 1;
	}
}

static void check_header(struct flow *f, const struct packet *p, enum side s)
{
	check_flags(f, p, s);
	if (p->flags & PACKET_FLAGS_RESERVED)
		flow_anomaly(f, ANOMALY_RESERVED_BITS, s, p, 0, p->flags);
	if (p->notes & NOTE_OPTION)
		flow_anomaly(f, ANOMALY_OPTION_TRUNCATED, s, p, 0, 0);
	if (p->flags & TH_SYN && p->opts & POPT_WSCALE &&
	    p->wscale > WSCALE_MAX)
		flow_anomaly(f, ANOMALY_WS_OVER_14, s, p, WSCALE_MAX,
			     p->wscale);
	if (p->flags & TH_SYN && p->opts & POPT_MSS && p->mss < MSS_TINY)
		flow_anomaly(f, ANOMALY_MSS_TINY, s, p, MSS_TINY, p->mss);
	if (p->flags & TH_SYN && !(p->opts & POPT_MSS) &&
	    !(p->notes & NOTE_OPTIONS_CUT))
		flow_anomaly(f, ANOMALY_NO_MSS, s, p, 0, 0);
	if (p->flags & TH_SYN && !p->wnd)
		flow_anomaly(f, ANOMALY_ZERO_WINDOW_SYN, s, p, 0, 0);
}

/* SYN, FIN and RST exclude each other, and what is neither SYN nor RST has an
 * ACK (RFC 9293, 3.10.7.4). */
static void check_flags(struct flow *f, const struct packet *p, enum side s)
{
	const uint16_t xmas = TH_FIN | TH_PSH | TH_URG;
	uint16_t kind = p->flags & (TH_SYN | TH_FIN | TH_RST);
	uint16_t known = p->flags & 0xff;
	enum anomaly_kind odd = ANOMALY_FLAGS_ODD;

	if (!(kind & (kind - 1)) && p->flags & (TH_SYN | TH_RST | TH_ACK))
		return;
	if (!known)
		odd = ANOMALY_FLAGS_NONE;
	else if (kind == (TH_SYN | TH_FIN))
		odd = ANOMALY_FLAGS_SYN_FIN;
	else if (kind == (TH_SYN | TH_RST))
		odd = ANOMALY_FLAGS_SYN_RST;
	else if (known == xmas)
		odd = ANOMALY_FLAGS_XMAS;
	else if (known == TH_FIN)
		odd = ANOMALY_FIN_WITHOUT_ACK;
	flow_anomaly(f, odd, s, p, 0, p->flags);
}

/* Whether it was wrong on the wire shows when the other side takes it: see
 * flow_ack(). */
static void check_sum(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];
	tcp_seq end = p->seq + p->len + !!(p->flags & (TH_SYN | TH_FIN));

	if (p->notes & NOTE_TCP_SUM_PART)
		me->flags |= HALF_PART_SUM;
	if (p->notes & (NOTE_TCP_SUM | NOTE_TCP_SUM_PART))
		flow_counted(f, COUNTED_BAD_SUM, s, p);
	if (!(p->notes & NOTE_TCP_SUM)) {
		/* A good copy: it may be that one that is taken. */
		if (seq_lt(p->seq, me->bad_end) && seq_geq(end, me->bad_end))
			me->flags &= (uint16_t)~HALF_BAD_SUM;
		return;
	}
	me->bad_sums += me->bad_sums < UINT16_MAX;
	flow_history_nth(f, 'c', s, me->bad_sums);
	me->bad_end = end;
	if (p->len || p->flags & (TH_SYN | TH_FIN))
		me->flags |= HALF_BAD_SUM;
}

void flow_syn(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];

	if (p->flags & TH_ACK) {
		synack(f, p, s);
		return;
	}
	if (me->flags & HALF_ISN) {
		syn_again(f, p, s);
		return;
	}
	if (flow_established(f) && f->half[!s].flags & HALF_NEXT) {
		flow_anomaly(f, ANOMALY_SYN_IN_ESTABLISHED, s, p, me->next,
			     p->seq);
		return;
	}
	syn_first(f, p, s);
	if (s == SERVER) { /* both called, or it has answered in two pieces */
		if (me->flags & HALF_ACK)
			f->flags |= FLOW_SPLIT;
		else if (f->flags & FLOW_SYN)
			f->flags |= FLOW_SIMULTANEOUS;
		return;
	}
	f->flags |= FLOW_SYN;
	f->flags &= (uint16_t)~FLOW_GUESSED;
	f->syn_tries = 1;
	f->syn_ns = f->last_syn_ns = p->ns;
	f->syn_frame = (uint32_t)p->number;
	f->syn_len = p->len;
	if (p->opts & POPT_TFO)
		f->tfo = TFO_REQUESTED;
	/* It was overtaken by its answer: some captures have it so. */
	if (f->flags & FLOW_SYNACK && f->half[!s].acked != me->isn + 1)
		f->flags &= (uint16_t)~FLOW_SYNACK;
}

static void syn_first(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];

	me->flags |= HALF_ISN | HALF_NEXT | HALF_WINDOW;
	me->isn = p->seq;
	me->next = p->seq + 1 + p->len;
	me->next_ns = p->ns;
	me->by_seq = me->captured = p->len;
	me->nholes = 0; /* of numbers that were another connection's */
	me->opts = p->opts;
	if (p->notes & NOTE_OPTIONS_CUT)
		me->flags |= HALF_OPTS_CUT;
	if (has_ecn(p))
		me->flags |= HALF_ECN;
	me->mss = p->mss;
	me->wscale = p->wscale > WSCALE_MAX ? WSCALE_MAX : p->wscale;
	me->window_min = me->window_max = p->wnd; /* of a SYN never scaled */
	if (p->opts & POPT_TS) {
		me->flags |= HALF_TS;
		me->ts_val = p->ts_val;
	}
}

/* RFC 3168, 6.1.1; RFC 9768, 3.1.1: a SYN has two bits of it or all. Its answer
 * has one or two: who sends all of them back has not looked. */
static bool has_ecn(const struct packet *p)
{
	const uint16_t two = TH_ECE | TH_CWR, all = two | FLAG_AE;

	if (!(p->flags & TH_ACK))
		return (p->flags & two) == two;
	return p->flags & all && (p->flags & all) != all;
}

static void syn_again(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];

	if (p->seq != me->isn) {
		flow_anomaly(f,
			     flow_established(f) ? ANOMALY_SYN_IN_ESTABLISHED
						 : ANOMALY_ISN_CHANGED,
			     s, p, me->isn, p->seq);
		return;
	}
	if (s == CLIENT) {
		if (!f->synack_frame) /* the last one before the answer */
			f->last_syn_ns = p->ns;
		if (f->syn_tries < UINT8_MAX)
			f->syn_tries++;
	}
	if (p->opts != me->opts || p->mss != me->mss)
		flow_anomaly(f, ANOMALY_OPTIONS_CHANGED, s, p, me->opts,
			     p->opts);
}

static void synack(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s], *you = &f->half[!s];

	if (!synack_fits(f, p, s))
		return;
	if (me->flags & HALF_ISN && p->seq != me->isn) {
		flow_anomaly(f, ANOMALY_SYNACK_TWO_ISN, s, p, me->isn, p->seq);
		another_isn(f, p);
		return;
	}
	if (!(me->flags & HALF_ISN))
		syn_first(f, p, s);
	if (s == CLIENT) { /* both called, or the handshake was split */
		f->flags |= FLOW_HSACK;
		if (f->flags & FLOW_SPLIT)
			f->flags |= FLOW_SYNACK;
		flow_ack(f, p, s);
		return;
	}
	if (!f->synack_frame) {
		f->synack_ns = p->ns;
		f->synack_frame = (uint32_t)p->number;
	}
	if (f->flags & FLOW_HSACK && !(f->flags & FLOW_SIMULTANEOUS))
		synack_again(f, p, s);
	if (!(f->flags & FLOW_HSACK))
		f->last_synack_ns = p->ns;
	if (f->synack_tries < UINT8_MAX)
		f->synack_tries++;
	if (f->tfo != TFO_NONE)
		tfo_answer(f, p);
	f->flags |= FLOW_SYNACK;
	if (f->flags & FLOW_SIMULTANEOUS)
		f->flags |= FLOW_HSACK;
	/* Cookies without timestamps forget all but the MSS. */
	if (f->flags & FLOW_SYN && me->opts == POPT_MSS &&
	    !(me->flags & HALF_OPTS_CUT) && you->opts & POPT_WSCALE &&
	    you->opts & POPT_SACK_OK)
		f->flags |= FLOW_COOKIE_LIKE;
	flow_ack(f, p, s);
}

/* Which of both counts, the client's ACK will say. */
static void another_isn(struct flow *f, const struct packet *p)
{
	struct flow_extra *x = flow_extra(f, 0);

	if (!x)
		return;
	f->flags |= FLOW_ALT_ISN;
	x->alt_isn = p->seq;
	x->alt_frame = (uint32_t)p->number;
	x->alt_ns = p->ns;
}

/* The client has gone on. Its ACK may have been lost; if the text behind it was,
 * too, and the server has had the time to say so, it has no room to take up the
 * connection, and drops all of it. */
static void synack_again(struct flow *f, const struct packet *p, enum side s)
{
	const struct half *client = &f->half[CLIENT];
	int64_t leg_ns = f->synack_ns - f->last_syn_ns;

	flow_anomaly(f, ANOMALY_FINAL_ACK_LOST, s, p, 0, 0);
	if (f->ack_frame && client->flags & HALF_TEXT &&
	    f->half[s].acked == client->isn + 1 &&
	    p->ns - client->next_ns > leg_ns)
		flow_anomaly(f, ANOMALY_BACKLOG_WAIT, s, p, leg_ns,
			     p->ns - f->ack_ns);
}

/* RFC 9293, 3.10.7.3: an acceptable ACK is of the SYN. */
static bool synack_fits(struct flow *f, const struct packet *p, enum side s)
{
	const struct half *you = &f->half[!s];

	if (!(you->flags & HALF_ISN))
		return true;
	if (seq_gt(p->ack, you->isn) && seq_leq(p->ack, you->next))
		return true;
	flow_anomaly(f, ANOMALY_SYNACK_ACK_MISMATCH, s, p, you->isn + 1,
		     p->ack);
	return false;
}

/* RFC 7413: text on the SYN was taken if it was acknowledged. */
static void tfo_answer(struct flow *f, const struct packet *p)
{
	if (!f->syn_len)
		return;
	f->tfo = TFO_IGNORED;
	if (p->ack == f->half[CLIENT].isn + 1)
		return;
	f->tfo = p->ack == f->half[CLIENT].isn + 1 + f->syn_len ? TFO_ACCEPTED
								: TFO_PARTLY;
	f->half[CLIENT].flags |= HALF_TEXT;
}

/* RFC 9293, 3.5: the SYNs crossed if both are answered with a SYN-ACK. If one
 * of them is answered with a plain ACK, the other side's SYN was its answer in
 * two pieces. */
static void was_split(struct flow *f, const struct packet *p, enum side s)
{
	const uint16_t both = FLOW_SIMULTANEOUS | FLOW_HSACK;

	if (s != SERVER || (f->flags & (both | FLOW_SYNACK)) != both ||
	    p->ack == f->half[CLIENT].isn)
		return;
	f->flags &= (uint16_t)~FLOW_SIMULTANEOUS;
	f->flags |= FLOW_SPLIT | FLOW_SYNACK;
}

/* The third step: of the client, of the SYN-ACK, and behind its own SYN. False
 * if it is forged. */
static bool hsack(struct flow *f, const struct packet *p, enum side s)
{
	struct half *client = &f->half[CLIENT], *server = &f->half[SERVER];

	if (s != CLIENT || f->flags & FLOW_HSACK || !(f->flags & FLOW_SYNACK))
		return true;
	if (f->flags & FLOW_ALT_ISN && p->ack == f->extra->alt_isn + 1) {
		server->isn = f->extra->alt_isn;
		server->next = server->isn + 1;
		server->nholes = 0;
		f->synack_frame = f->extra->alt_frame;
		f->synack_ns = f->last_synack_ns = f->extra->alt_ns;
	}
	if (seq_leq(p->ack, server->isn) || seq_gt(p->ack, server->next)) {
		flow_anomaly(f, ANOMALY_ACK_OUT_OF_WINDOW, s, p,
			     server->isn + 1, p->ack);
		return false;
	}
	if (client->flags & HALF_ISN &&
	    (seq_leq(p->seq, client->isn) || seq_gt(p->seq, client->next)))
		return true;
	if (server->flags & HALF_TEXT && f->tfo == TFO_NONE)
		flow_anomaly(f, ANOMALY_DATA_BEFORE_ESTABLISHED, SERVER, p,
			     server->isn + 1, server->next);
	f->flags |= FLOW_HSACK;
	f->ack_ns = p->ns;
	f->ack_frame = (uint32_t)p->number;
	f->ack_seq = p->seq;
	f->ack_ack = p->ack;
	return true;
}

/*
 * RFC 9293, 3.5.2 and 3.10.7; RFC 5961, 3.2: a RST counts at the very edge of
 * the window. In the window it may count, for not every system asks back; the
 * connection shows whether it did. Elsewhere it is nobody's.
 */
void flow_rst(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s], *you = &f->half[!s];
	tcp_seq low = you->flags & HALF_ACK ? you->acked : me->next;
	tcp_seq high = you->flags & HALF_EDGE ? you->edge : me->next;

	f->flags |= FLOW_RST_SEEN;
	if (rst_of_handshake(f, p, s))
		return;
	if (!(me->flags & HALF_NEXT) && !(you->flags & HALF_ACK)) {
		rst_taken(f, p, s, true); /* nothing to compare it with */
		return;
	}
	if (!(me->flags & HALF_NEXT))
		high = seq_max(low, high);
	if (me->flags & HALF_FIN)
		flow_anomaly(f, ANOMALY_RST_AFTER_FIN, s, p, 0, 0);
	if (p->seq == low || p->seq == me->next) {
		rst_taken(f, p, s, p->ttl == me->ttl);
	} else if (seq_geq(p->seq, low) && seq_leq(p->seq, high)) {
		flow_anomaly(f, ANOMALY_RST_NOT_EXACT, s, p, low, p->seq);
		rst_taken(f, p, s, false);
	} else {
		flow_anomaly(f, ANOMALY_RST_OUT_OF_WINDOW, s, p, low, p->seq);
	}
}

/* RFC 9293, 3.10.7.3: in SYN-SENT it must acknowledge the SYN. */
static bool rst_of_handshake(struct flow *f, const struct packet *p,
			     enum side s)
{
	const struct half *you = &f->half[!s];

	if (s != SERVER || (f->flags & (FLOW_SYN | FLOW_SYNACK)) != FLOW_SYN)
		return false;
	if (!(p->flags & TH_ACK) || seq_leq(p->ack, you->isn) ||
	    seq_gt(p->ack, you->next)) {
		flow_anomaly(f, ANOMALY_RST_OUT_OF_WINDOW, s, p, you->isn + 1,
			     p->ack);
		return true;
	}
	f->flags |= FLOW_REFUSED;
	rst_taken(f, p, s, true);
	return true;
}

static void rst_taken(struct flow *f, const struct packet *p, enum side s,
		      bool fits)
{
	if (f->flags & FLOW_RST)
		return;
	f->flags |= FLOW_RST;
	if (fits)
		f->flags |= FLOW_RST_FITS;
	f->rst_side = (uint8_t)s;
	f->ending_frame = (uint32_t)p->number;
}

/* Who was reset does not go on. What was on its way when the RST was sent comes
 * from the other one, and is no news. */
static void rst_was_ignored(struct flow *f, const struct packet *p, enum side s)
{
	const struct half *me = &f->half[s];

	if (!(f->flags & FLOW_RST) || f->flags & FLOW_REFUSED ||
	    f->rst_side == s || !(p->flags & TH_ACK))
		return;
	if (!(me->flags & HALF_ACK) || !seq_gt(p->ack, me->acked))
		return;
	flow_anomaly(f, ANOMALY_RST_IGNORED, (enum side)f->rst_side, p, 0, 0);
	f->flags &= (uint16_t) ~(FLOW_RST | FLOW_RST_FITS);
}
