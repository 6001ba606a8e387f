/*
 * sim_watch.c - What TCP forbids a sender, seen from the wire
 *
 * Every segment of a stack is looked at as it leaves, before the link does
 * anything to it. It is judged by what its side has said so far, and by what
 * really arrived there, which middleboxes may have changed:
 *
 *	numbers follow each other without a gap, and end at the FIN;
 *	text stays within the furthest window edge that arrived, but for the
 *	byte of a probe (RFC 9293, 3.8.6);
 *	acknowledgments never go back, and only to what was sent;
 *	the window's right edge never moves left (SHLD-14), but for what the
 *	scale rounds off (RFC 7323, 2.4);
 *	segments keep to the MSS, and options to what was agreed;
 *	timestamps do not go back (RFC 7323, 5.4);
 *	as long as nothing is heard, what is sent again waits longer each time
 *	(RFC 6298, 5.5);
 *	no more leaves than slow start from the initial window could have
 *	allowed (RFC 5681, 3.1; RFC 6928);
 *	ACKs are answers: there is a bound by what was heard (no storm).
 *
 * A simple peer (sim_peer.c) is odd on purpose: it is listened to, not judged.
 */
#include "sim.h"

#include <inttypes.h>

#include "core/seq.h"
#include "core/wire.h"

#include "sim_segment.h"

#define ACKS_FREE 10
#define WHEEL_US  20000 /* how late a timer may be */
#define MSS_NONE4 536	/* RFC 9293, 3.7.1 (MUST-15) */
#define MSS_NONE6 1220

static void watch_syn(struct watch *w, const struct tcp_seg *s);
static void watch_numbers(struct watch *me, const struct tcp_seg *s);
static void watch_window(const struct watch *me, const struct tcp_seg *s);
static void watch_ack(struct watch *me, const struct watch *peer,
		      const struct tcp_seg *s, uint32_t shifted);
static void watch_options(const struct sim *sim, const struct watch *me,
			  const struct watch *peer, const struct tcp_seg *s,
			  uint16_t gso_size, uint32_t shifted);
static void watch_clock(struct watch *me, const struct tcp_seg *s);
static void watch_backoff(const struct sim *sim, unsigned int from,
			  struct watch *me, const struct tcp_seg *s);
static void watch_flight(const struct sim *sim, unsigned int from,
			 const struct watch *me, const struct tcp_seg *s);
static void watch_storm(struct watch *me, const struct tcp_seg *s);

/* Does a side that heard and said this scale windows? */
static bool scaled(const struct watch *w)
{
	return w->said.wscale && w->heard.wscale;
}

static bool parse(const uint8_t *pkt, uint32_t len, bool csum_ok,
		  struct tcp_seg *s)
{
	struct ip_pkt ip;

	return wire_ip_parse(pkt, len, &ip) == DROP_NONE && !ip.fragment &&
	       ip.proto == IP_PROTO_TCP &&
	       wire_tcp_parse(&ip, csum_ok, s) == DROP_NONE;
}

static void options_take(struct syn_options *o, const struct tcp_seg *s)
{
	*o = (struct syn_options){
		.syn = true,
		.ts = s->opts & OPT_TS,
		.sack = s->opts & OPT_SACK_OK,
		.wscale = s->opts & OPT_WSCALE,
		.shift = s->wscale,
		.mss = s->opts & OPT_MSS ? s->mss : 0,
	};
}

static bool options_differ(const struct syn_options *a, const struct tcp_seg *s)
{
	return a->syn && (a->ts != !!(s->opts & OPT_TS) ||
			  a->sack != !!(s->opts & OPT_SACK_OK) ||
			  a->wscale != !!(s->opts & OPT_WSCALE) ||
			  a->mss != (s->opts & OPT_MSS ? s->mss : 0));
}

/**
 * watch_packet() - Judge a packet that leaves side @from
 * @gso_size: Text bytes of each segment inside, 0 if just one
 */
void watch_packet(struct sim *sim, unsigned int from, const uint8_t *pkt,
		  uint32_t len, uint16_t gso_size)
{
	bool judged = sim->host[from].st;
	struct watch *me, *peer;
	uint32_t shifted;
	struct tcp_seg s;

	if (!parse(pkt, len, false, &s)) {
		SIM_REQUIRE(!judged || pkt[pkt[0] >> 4 == 4 ? 9 : 6] !=
					       IP_PROTO_TCP,
			    "a segment that cannot be parsed");
		return;
	}
	me = &sim->watch[from ? s.dport : s.sport][from];
	peer = &sim->watch[from ? s.dport : s.sport][!from];
	/* What comes in fragments is not seen here. */
	me->mixed |= sim->opts->link[!from].fragment;
	if (s.flags & TH_RST) {
		me->reset = peer->reset = true;
		return;
	}
	if (s.flags & TH_SYN) {
		/* The port is used again: all that was said is void. */
		if (!(s.flags & TH_ACK) && me->said.syn && s.seq != me->syn_seq)
			*me = *peer = (struct watch){.text = false};
		/* An old SYN came again after the end; its answer may have the
		 * same number, if that is a cookie. A reset is an end if the
		 * number is another one (seed 97093918 of old). */
		if (s.flags & TH_ACK &&
		    (me->fin ||
		     (me->reset && me->said.syn && s.seq != me->syn_seq)))
			*me = (struct watch){.mixed = true};
		if (judged)
			SIM_REQUIRE(s.opts & OPT_MSS, "no MSS (SHLD-5)");
		watch_syn(me, &s);
		ecn_sent(me, &s);
		if (judged)
			watch_backoff(sim, from, me, &s);
		return;
	}
	if (judged) {
		shifted = sim_shift(sim, !from);
		watch_numbers(me, &s);
		watch_window(me, &s);
		watch_ack(me, peer, &s, shifted);
		watch_options(sim, me, peer, &s, gso_size, shifted);
		watch_clock(me, &s);
		ecn_sent(me, &s);
		watch_backoff(sim, from, me, &s);
		watch_flight(sim, from, me, &s);
		watch_storm(me, &s);
	}
	if (!me->text)
		me->max = seq_max(s.seq, me->syn_seq + 1);
	me->max = seq_max(me->max, s.seq + seg_len(&s));
	me->text = true;
	if (s.flags & TH_FIN) {
		me->fin = true;
		me->fin_seq = s.seq + s.len;
	}
}

/* A router says that a packet of side @to was too big: it is sent again at once,
 * in smaller ones (RFC 1191, 6.4). */
static void watch_too_big(struct sim *sim, unsigned int to,
			  const struct packet *p)
{
	bool v6 = p->data[0] >> 4 == 6;
	uint32_t head = v6 ? 40 : 20;
	const uint8_t *m = p->data + head, *ports = m + 8 + head;

	if (p->forged || p->len < 2 * head + 12 ||
	    p->data[v6 ? 6 : 9] != (v6 ? PROTO_ICMPV6 : PROTO_ICMP))
		return;
	sim->watch[get16(ports + 2 * to)][to].gap_us = 0;
}

/** watch_heard() - A packet arrives at side @to, undamaged as far as we know */
void watch_heard(struct sim *sim, unsigned int to, const struct packet *p)
{
	struct watch *me;
	struct tcp_seg s;
	uint32_t edge;

	if (!sim->host[to].st)
		return;
	if (!parse(p->data, p->len, p->meta.csum_ok, &s)) {
		watch_too_big(sim, to, p);
		return;
	}
	me = &sim->watch[to ? s.sport : s.dport][to];
	me->nheard++;
	if (p->forged)
		return; /* may be answered, must not be believed */
	me->text_heard += s.len;
	me->gap_us = 0;
	if (s.flags & TH_RST)
		return;
	ecn_heard(sim, to, me, &s);
	if (s.flags & TH_SYN) {
		me->mixed |= options_differ(&me->heard, &s);
		options_take(&me->heard, &s);
	} else if (!me->text && me->heard.ts && !(s.opts & OPT_TS)) {
		/* If this completes a cookie, all options are lost. */
		me->mixed = true;
	}
	if (!(s.flags & TH_ACK))
		return;
	edge = s.ack +
	       ((uint32_t)s.wnd
		<< (scaled(me) && !(s.flags & TH_SYN) ? me->heard.shift : 0));
	me->heard_edge =
		me->has_heard_edge ? seq_max(me->heard_edge, edge) : edge;
	if (!me->has_heard_edge)
		me->delivered = s.ack;
	if (s.ack == me->heard_ack && !s.len)
		me->dupacks++;
	me->heard_ack =
		me->has_heard_edge ? seq_max(me->heard_ack, s.ack) : s.ack;
	me->has_heard_edge = true;
	me->delivered = seq_max(me->delivered, s.ack);
	for (unsigned int i = 0; s.opts & OPT_SACK && i < s.nsack; i++)
		if (seq_leq(s.sack[i].end, me->max))
			me->delivered = seq_max(me->delivered, s.sack[i].end);
}

static void watch_syn(struct watch *w, const struct tcp_seg *s)
{
	SIM_REQUIRE(!(s->flags & TH_FIN), "SYN with FIN");
	w->mixed |= options_differ(&w->said, s) ||
		    (w->said.syn && s->seq != w->syn_seq);
	w->max = w->said.syn ? seq_max(w->max, s->seq + seg_len(s))
			     : s->seq + seg_len(s);
	options_take(&w->said, s);
	w->syn_seq = s->seq;
	if (s->flags & TH_ACK && !w->has_edge) {
		w->edge = s->ack + s->wnd;
		w->has_edge = true;
	}
}

static void watch_numbers(struct watch *me, const struct tcp_seg *s)
{
	uint32_t end = s->seq + seg_len(s);

	/* Another SYN than the last one won; a challenge may have said that
	 * one's number. */
	if (me->mixed && (!me->text || seq_gt(s->seq, me->max)))
		me->max = s->seq;
	SIM_REQUIRE(seq_leq(s->seq, me->max),
		    "number %" PRIu32 " after %" PRIu32, s->seq, me->max);
	if (me->fin)
		SIM_REQUIRE(seq_leq(end, me->fin_seq + 1),
			    "number %" PRIu32 " after the FIN's %" PRIu32, end,
			    me->fin_seq);
	if (s->flags & TH_FIN && me->fin)
		SIM_REQUIRE(me->fin_seq == end - 1,
			    "FIN at %" PRIu32 " and %" PRIu32, end - 1,
			    me->fin_seq);
}

static void watch_window(const struct watch *me, const struct tcp_seg *s)
{
	if (s->len && me->has_heard_edge && !me->mixed)
		SIM_REQUIRE(seq_leq(s->seq + s->len, me->heard_edge + 1),
			    "text up to %" PRIu32 ", window up to %" PRIu32,
			    s->seq + s->len, me->heard_edge);
}

static void watch_ack(struct watch *me, const struct watch *peer,
		      const struct tcp_seg *s, uint32_t shifted)
{
	unsigned int shift = scaled(me) ? me->said.shift : 0;
	uint32_t edge = s->ack + ((uint32_t)s->wnd << shift);

	SIM_REQUIRE(s->flags & TH_ACK, "a segment without ACK");
	if (peer->text && !peer->mixed)
		SIM_REQUIRE(seq_leq(s->ack - shifted, peer->max),
			    "ACK of %" PRIu32 ", sent are %" PRIu32,
			    s->ack - shifted, peer->max);
	if (me->text)
		SIM_REQUIRE(seq_geq(s->ack, me->ack),
			    "ACK of %" PRIu32 " after %" PRIu32, s->ack,
			    me->ack);
	me->ack = s->ack;
	if (me->mixed || peer->mixed) {
		me->has_edge = false; /* who knows how it is scaled */
		return;
	}
	if (peer->fin && s->ack - shifted == peer->fin_seq + 1)
		return; /* nothing more can come: TIME-WAIT says 0 */
	if (me->has_edge)
		SIM_REQUIRE(seq_gt(edge + (1u << shift), me->edge),
			    "window edge %" PRIu32 " after %" PRIu32, edge,
			    me->edge);
	me->edge = me->has_edge ? seq_max(me->edge, edge) : edge;
	me->has_edge = true;
}

static uint32_t heard_mss(const struct sim *sim, const struct watch *me)
{
	if (me->heard.mss)
		return me->heard.mss;
	return sim->opts->v6 ? MSS_NONE6 : MSS_NONE4;
}

static void watch_options(const struct sim *sim, const struct watch *me,
			  const struct watch *peer, const struct tcp_seg *s,
			  uint16_t gso_size, uint32_t shifted)
{
	uint32_t text = gso_size ? gso_size : s->len;
	bool ts = s->opts & OPT_TS, agreed = me->said.ts && me->heard.ts;

	SIM_REQUIRE(!(s->opts & (OPT_MSS | OPT_WSCALE | OPT_SACK_OK)),
		    "options of a SYN without one (MUST-65)");
	if (me->mixed || peer->mixed || !me->heard.syn)
		return;
	if (s->len)
		SIM_REQUIRE(text + wire_tcp_optlen(s) <= heard_mss(sim, me),
			    "%" PRIu32 " bytes and %" PRIu32
			    " of options for an MSS of %" PRIu32,
			    text, wire_tcp_optlen(s), heard_mss(sim, me));
	SIM_REQUIRE(ts == agreed, "timestamp: %d, agreed: %d", ts, agreed);
	if (!(s->opts & OPT_SACK))
		return;
	SIM_REQUIRE(me->said.sack && me->heard.sack, "SACK without agreement");
	for (unsigned int i = 0; i < s->nsack; i++) {
		SIM_REQUIRE(seq_lt(s->sack[i].start, s->sack[i].end),
			    "an empty SACK block");
		SIM_REQUIRE(seq_leq(s->sack[i].end - shifted, peer->max),
			    "SACK of what was not sent");
	}
}

/* What is sent again may say that it left earlier than what is new, but not
 * earlier than what was sent again before it. */
static void watch_clock(struct watch *me, const struct tcp_seg *s)
{
	bool again = me->text && seg_len(s) && seq_lt(s->seq, me->max);

	if (!(s->opts & OPT_TS) || me->mixed)
		return;
	if (me->has_ts_val[again])
		SIM_REQUIRE(seq_geq(s->ts_val, me->ts_val[again]),
			    "timestamp %" PRIu32 " after %" PRIu32, s->ts_val,
			    me->ts_val[again]);
	me->ts_val[again] = s->ts_val;
	me->has_ts_val[again] = true;
}

/* Times between copies of one segment with nothing heard in between. The first
 * is no measure: the timer may be older than the newest sample of the RTT. */
static void watch_backoff(const struct sim *sim, unsigned int from,
			  struct watch *me, const struct tcp_seg *s)
{
	int64_t gap_us = sim->now_us - me->again_at_us;
	int64_t most_us = sim->opts->conf[from].rto_max_us;

	if (!seg_len(s) || me->mixed)
		return;
	if (!me->gap_us || s->seq != me->again_seq) {
		me->again_seq = s->seq;
		me->gap_us = 1;
		me->nagain = 0;
	} else if (++me->nagain > 1) {
		if (me->gap_us > most_us)
			me->gap_us = most_us;
		SIM_REQUIRE(gap_us + WHEEL_US >= me->gap_us,
			    "%" PRIu32 " was sent again after %" PRId64
			    " us, then after %" PRId64,
			    s->seq, me->gap_us, gap_us);
		me->gap_us = gap_us ? gap_us : 1;
	}
	me->again_at_us = sim->now_us;
}

/*
 * Slow start adds at most what was acknowledged, so cwnd is at most the initial
 * window and all that arrived; what is in flight beside that is behind a hole
 * and has arrived. Three segments more are for limited transmit (RFC 3042) and
 * a probe (RFC 8985).
 */
static void watch_flight(const struct sim *sim, unsigned int from,
			 const struct watch *me, const struct tcp_seg *s)
{
	uint32_t mss = heard_mss(sim, me), mtu = sim->opts->conf[from].mtu,
		 head = sim->opts->v6 ? 60 : 40, iw;
	uint64_t arrived;

	if (!s->len || me->mixed || !me->has_heard_edge)
		return;
	mss = mss < mtu - head ? mss : mtu - head;
	iw = 2 * mss > 14600 ? 2 * mss : 14600; /* RFC 6928, 2 */
	iw = 10 * mss < iw ? 10 * mss : iw;
	arrived = me->delivered - me->syn_seq + (uint64_t)me->dupacks * mss;
	SIM_REQUIRE(s->seq + s->len - me->syn_seq <= iw + 2 * arrived + 3 * mss,
		    "%" PRIu32 " bytes sent, %" PRIu64
		    " arrived, the initial window is %" PRIu32,
		    s->seq + s->len - me->syn_seq, arrived, iw);
}

static void watch_storm(struct watch *me, const struct tcp_seg *s)
{
	if (seg_len(s) || s->seq != me->max || me->mixed || s->flags & TH_URG)
		return; /* no ACK, a probe, or news */
	me->nacks++;
	SIM_REQUIRE(me->nacks <=
			    ACKS_FREE + 2 * me->nheard + me->text_heard / 500,
		    "%" PRIu64 " ACKs for %" PRIu64 " segments and %" PRIu64
		    " bytes",
		    me->nacks, me->nheard, me->text_heard);
}
