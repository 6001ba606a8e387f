/*
 * flow_verdict.c - What is to be said of a connection
 *
 * Everything was noted while the packets passed; here it gets its words, ours
 * and those of others. Nothing in here changes a flow.
 */
#include "flow.h"

#include <stdio.h>
#include <string.h>

/* Wireshark, tcp.completeness. */
#define SEEN_SYN    1
#define SEEN_SYNACK 2
#define SEEN_ACK    4
#define SEEN_DATA   8
#define SEEN_FIN    16
#define SEEN_RST    32

static void side_verdict(const struct flow *f, enum side s,
			 struct verdict_side *v);
static enum judged outcome_of(const struct flow *f, bool *inferred);
static enum judged outcome_unanswered(const struct flow *f);
static enum reached stage_of(const struct flow *f, const struct verdict *v);
static enum ending ending_of(const struct flow *f, const struct verdict *v);
static void steps(const struct flow *f, struct verdict *v);
static bool fin_unseen(const struct flow *f, enum side s);
static enum side first_fin(const struct flow *f);
static uint8_t completeness(const struct flow *f);
static bool is_call_and_reset(const char *history);

void flow_verdict(const struct flow *f, int64_t now_ns, struct verdict *v)
{
	memset(v, 0, sizeof(*v));
	v->id = f->id;
	side_verdict(f, CLIENT, &v->side[CLIENT]);
	side_verdict(f, SERVER, &v->side[SERVER]);
	v->client_known = !(f->flags & FLOW_GUESSED);
	v->first_frame = f->first_frame;
	v->last_frame = f->last_frame;
	v->start_ns = f->start_ns;
	v->end_ns = f->end_ns;
	if (f->extra) {
		v->nencaps = f->extra->nencaps;
		memcpy(v->encap, f->extra->encap, sizeof(v->encap));
		v->nanomalies = f->extra->nanomalies;
		memcpy(v->anomaly, f->extra->anomaly,
		       v->nanomalies * sizeof(*v->anomaly));
	}
	v->outcome = (uint8_t)outcome_of(f, &v->inferred);
	v->stage = (uint8_t)stage_of(f, v);
	v->simultaneous = f->flags & FLOW_SIMULTANEOUS;
	v->split = f->flags & FLOW_SPLIT;
	v->cookie_like = f->flags & FLOW_COOKIE_LIKE;
	v->tfo = f->tfo;
	steps(f, v);
	v->ending = (uint8_t)ending_of(f, v);
	v->fin_seen =
		(f->half[CLIENT].flags | f->half[SERVER].flags) & HALF_FIN;
	v->first_fin = (uint8_t)first_fin(f);
	v->rst_plausible = f->flags & FLOW_RST_FITS;
	v->ending_frame = f->ending_frame;
	v->icmp = f->flags & FLOW_ICMP;
	v->icmp6 = f->flags & FLOW_ICMP6;
	v->icmp_type = f->icmp_type;
	v->icmp_code = f->icmp_code;
	flow_late_anomalies(f, now_ns, v);
	flow_zeek(f, v);
	v->completeness = completeness(f);
}

static void side_verdict(const struct flow *f, enum side s,
			 struct verdict_side *v)
{
	const struct half *h = &f->half[s];
	uint8_t end = s == CLIENT ? f->client : !f->client;

	*v = (struct verdict_side){
		.addr = f->key.addr[end],
		.port = f->key.port[end],
		.ttl = h->ttl,
		.opts = h->opts,
		.wscale = h->wscale,
		.mss = h->mss,
		.packets = h->packets,
		.by_seq = h->by_seq - fin_unseen(f, s),
		.captured = h->captured,
		.seen_before = h->seen_before,
		.late = h->late,
		.filled_hole = h->filled_hole,
		.needless = h->needless,
		.zero_windows = h->zero_windows,
		.window_known = h->flags & HALF_WINDOW,
		.ecn = h->flags & HALF_ECN,
		.window_min = h->window_min,
		.window_max = h->window_max,
	};
}

static enum judged outcome_of(const struct flow *f, bool *inferred)
{
	bool text = (f->half[CLIENT].flags | f->half[SERVER].flags) & HALF_TEXT;

	*inferred = false;
	if (f->flags & FLOW_REFUSED)
		return JUDGED_REFUSED;
	if (f->flags & FLOW_SYN && !(f->flags & FLOW_SYNACK))
		return outcome_unanswered(f);
	if (!(f->flags & FLOW_SYN))
		return f->flags & FLOW_SYNACK ? JUDGED_SYN_MISSING
					      : JUDGED_MIDSTREAM;
	if (f->flags & FLOW_HSACK)
		return JUDGED_COMPLETED;
	if (f->flags & FLOW_RST)
		return JUDGED_RESET_MID;
	/* The third step was not captured, but what follows it was. */
	*inferred = text;
	return text ? JUDGED_COMPLETED : JUDGED_HALF_OPEN;
}

static enum judged outcome_unanswered(const struct flow *f)
{
	const struct half *client = &f->half[CLIENT];

	if (f->half[SERVER].packets == 0 && client->packets == f->syn_tries)
		return JUDGED_TIMEOUT;
	if (client->flags & (HALF_TEXT | HALF_FIN | HALF_ACK) ||
	    f->half[SERVER].flags & HALF_TEXT)
		return JUDGED_SYNACK_MISSING;
	if (f->flags & FLOW_RST)
		return JUDGED_RESET_MID;
	return JUDGED_TIMEOUT;
}

static enum reached stage_of(const struct flow *f, const struct verdict *v)
{
	bool c = f->half[CLIENT].flags & HALF_TEXT;
	bool s = f->half[SERVER].flags & HALF_TEXT;

	if ((c && s) || v->fin_seen ||
	    (f->half[CLIENT].flags | f->half[SERVER].flags) & HALF_FIN)
		return REACHED_LATER;
	if (c || s)
		return REACHED_FIRST_DATA;
	if (f->flags & FLOW_HSACK)
		return REACHED_HSACK;
	if (f->flags & FLOW_SYNACK)
		return REACHED_SYNACK;
	return f->flags & FLOW_SYN ? REACHED_SYN : REACHED_NONE;
}

static enum ending ending_of(const struct flow *f, const struct verdict *v)
{
	bool c = f->half[CLIENT].flags & HALF_FIN || fin_unseen(f, CLIENT);
	bool s = f->half[SERVER].flags & HALF_FIN || fin_unseen(f, SERVER);

	switch (v->outcome) {
	case JUDGED_REFUSED:
	case JUDGED_TIMEOUT:
	case JUDGED_RESET_MID:
	case JUDGED_HALF_OPEN:
		return ENDING_NONE;
	}
	if (f->flags & FLOW_RST && !(c && s))
		return f->rst_side == CLIENT ? ENDING_RST_CLIENT
					     : ENDING_RST_SERVER;
	if (c && s)
		return ENDING_FIN_BOTH;
	if (c || s)
		return c ? ENDING_HALF_CLIENT : ENDING_HALF_SERVER;
	return ENDING_OPEN;
}

static void steps(const struct flow *f, struct verdict *v)
{
	if (f->flags & FLOW_SYN)
		v->syn = (struct verdict_step){
			.frame = f->syn_frame,
			.ns = f->syn_ns,
			.seq = f->half[CLIENT].isn,
			.tries = f->syn_tries,
		};
	if (f->synack_frame)
		v->synack = (struct verdict_step){
			.frame = f->synack_frame,
			.ns = f->synack_ns,
			.seq = f->half[SERVER].isn,
			.ack = f->half[CLIENT].isn + 1,
			.tries = f->synack_tries,
		};
	if (f->flags & FLOW_HSACK && f->ack_frame)
		v->ack = (struct verdict_step){
			.frame = f->ack_frame,
			.ns = f->ack_ns,
			.seq = f->ack_seq,
			.ack = f->ack_ack,
			.tries = 1,
		};
	v->syn_synack_ns = v->last_syn_synack_ns = -1;
	v->synack_ack_ns = v->total_ns = -1;
	if (v->syn.frame && v->synack.frame) {
		v->syn_synack_ns = f->synack_ns - f->syn_ns;
		v->last_syn_synack_ns = f->synack_ns - f->last_syn_ns;
	}
	if (v->synack.frame && v->ack.frame)
		v->synack_ack_ns = f->ack_ns - f->synack_ns;
	if (v->syn.frame && v->ack.frame)
		v->total_ns = f->ack_ns - f->syn_ns;
}

/* The last number that was acknowledged, and it alone, was not captured. If it
 * was by the other side's FIN, or behind that, it is no byte of text. Neither if
 * it was before, once that FIN has an answer: it would be the last byte that was
 * missed, and the FIN, too. */
static bool fin_unseen(const struct flow *f, enum side s)
{
	const struct half *me = &f->half[s], *you = &f->half[!s];
	const struct hole *last;

	if (!me->nholes || me->flags & HALF_FIN || !(you->flags & HALF_FIN) ||
	    f->flags & FLOW_RST)
		return false;
	last = &me->hole[me->nholes - 1];
	return last->end - last->start == 1 && last->end == me->next &&
	       you->acked == me->next &&
	       (you->flags & HALF_FIN_ACKED ||
		seq_geq(last->at_us, (uint32_t)(f->fin_ns / 1000)));
}

/* If the FIN that was captured acknowledges the other one, or a packet before it
 * does, that came first. */
static enum side first_fin(const struct flow *f)
{
	enum side s = (enum side) !f->first_fin;
	const struct half *other = &f->half[s];
	uint32_t at_us = (uint32_t)(f->fin_ns / 1000);

	if (fin_unseen(f, s) &&
	    seq_leq(other->hole[other->nholes - 1].at_us, at_us))
		return s;
	return (enum side)f->first_fin;
}

/* By the meaning of its bits, not by its errors: ACK is the handshake's. But a
 * RST is any that was seen, taken or not: the sum says what passed. */
static uint8_t completeness(const struct flow *f)
{
	uint16_t both = f->half[CLIENT].flags | f->half[SERVER].flags;
	/* The SYN-ACK was not captured, and its ACK was. */
	bool unanswered_ack =
		(f->flags & (FLOW_SYN | FLOW_SYNACK)) == FLOW_SYN &&
		f->half[CLIENT].flags & HALF_ACK;
	uint8_t bits = 0;

	if (f->flags & FLOW_SYN)
		bits |= SEEN_SYN;
	if (f->flags & FLOW_SYNACK)
		bits |= SEEN_SYNACK;
	if (f->flags & FLOW_HSACK || (flow_established(f) && both & HALF_ACK) ||
	    unanswered_ack)
		bits |= SEEN_ACK;
	if (both & HALF_TEXT)
		bits |= SEEN_DATA;
	if (both & HALF_FIN)
		bits |= SEEN_FIN;
	if (f->flags & FLOW_RST_SEEN)
		bits |= SEEN_RST;
	return bits;
}

/*
 * Zeek's conn_state, by what its scripts make of the states of both sides. The
 * server has opened by its SYN or SYN-ACK; the client by that and anything that
 * it sent itself. Zeek takes any RST; here it is those that an endpoint takes. An
 * attempt that was reset and a connection that was reset share a word there, as
 * do half-open and open ones, and what was open before is SF, too, once both
 * sides have closed it.
 */
void flow_zeek(const struct flow *f, struct verdict *v)
{
	const struct half *client = &f->half[CLIENT];
	const struct half *server = &f->half[SERVER];
	bool called = f->flags & FLOW_SYN, answered = server->flags & HALF_ISN;
	bool open = answered && (called || client->packets);
	bool fin_c = client->flags & HALF_FIN, fin_s = server->flags & HALF_FIN;
	bool rst_s = f->flags & FLOW_RST && f->rst_side == SERVER;
	const char *state = "OTH";

	if (fin_c && fin_s)
		state = "SF";
	else if (rst_s && called && !answered && !fin_c)
		state = "REJ";
	else if (rst_s)
		state = called || open || fin_c ? "RSTR" : "RSTRH";
	else if (f->flags & FLOW_RST && (answered || fin_s))
		state = "RSTO";
	else if (f->flags & FLOW_RST)
		state = is_call_and_reset(f->history) ? "RSTOS0" : "OTH";
	else if (fin_c)
		state = answered ? "S2" : "SH";
	else if (fin_s)
		state = called || open ? "S3" : "SHR";
	else if (open)
		state = "S1";
	else if (called && !(server->flags & HALF_TEXT))
		state = "S0";
	snprintf(v->zeek_state, sizeof(v->zeek_state), "%s", state);
	memcpy(v->zeek_history, f->history, sizeof(f->history));
}

/* The client's SYN, and up to its RST nothing of an open connection. */
static bool is_call_and_reset(const char *history)
{
	history += *history == '^';
	return *history == 'S' && history[strcspn(history, "HAFGIQR")] == 'R';
}
