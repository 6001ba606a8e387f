/*
 * sim_watch.c - What TCP forbids a sender, seen from the wire
 *
 * Every segment is looked at as it leaves, before the link does anything to
 * it, so each side is judged by what it and its peer have said, not by what
 * arrived:
 *
 *	numbers follow each other without a gap, and end at the FIN;
 *	text stays within the furthest window edge the peer ever gave, but for
 *	the byte of a probe (RFC 9293, 3.8.6);
 *	acknowledgments never go back, and only to what was sent;
 *	the window's right edge never moves left (SHLD-14), but for what the
 *	scale rounds off (RFC 7323, 2.4);
 *	segments keep to the MSS, and options to what was agreed.
 */
#include "sim.h"

#include <inttypes.h>

#include "core/seq.h"
#include "core/wire.h"

static void watch_syn(struct watch *w, const struct tcp_seg *s);
static void watch_numbers(struct watch *me, const struct watch *peer,
			  const struct tcp_seg *s);
static void watch_ack(struct watch *me, const struct watch *peer,
		      const struct tcp_seg *s);
static void watch_options(const struct watch *me, const struct watch *peer,
			  const struct tcp_seg *s, uint16_t gso_size);

static bool scaled(const struct watch *me, const struct watch *peer)
{
	return me->wscale && peer->wscale;
}

/**
 * watch_packet() - Judge a packet that leaves side @from
 * @gso_size: Text bytes of each segment inside, 0 if just one
 */
void watch_packet(struct sim *sim, unsigned int from, const uint8_t *pkt,
		  uint32_t len, uint16_t gso_size)
{
	struct watch *me, *peer;
	struct ip_pkt ip;
	struct tcp_seg s;

	SIM_REQUIRE(wire_ip_parse(pkt, len, &ip) == DROP_NONE,
		    "a packet that cannot be parsed");
	if (ip.proto != IP_PROTO_TCP)
		return;
	SIM_REQUIRE(wire_tcp_parse(&ip, false, &s) == DROP_NONE,
		    "a segment that cannot be parsed");
	me = &sim->watch[from ? s.dport : s.sport][from];
	peer = &sim->watch[from ? s.dport : s.sport][!from];
	if (s.flags & TH_RST)
		return;
	if (s.flags & TH_SYN) {
		/* The port is used again: all that was said is void. */
		if (!(s.flags & TH_ACK) && me->syn && s.seq != me->syn_seq)
			*me = *peer = (struct watch){.syn = false};
		watch_syn(me, &s);
		return;
	}
	watch_numbers(me, peer, &s);
	watch_ack(me, peer, &s);
	watch_options(me, peer, &s, gso_size);
	me->text = true;
}

static void watch_syn(struct watch *w, const struct tcp_seg *s)
{
	bool ts = s->opts & OPT_TS, sack = s->opts & OPT_SACK_OK,
	     wscale = s->opts & OPT_WSCALE;

	SIM_REQUIRE(!(s->flags & TH_FIN) && !s->len, "SYN with more in it");
	SIM_REQUIRE(s->opts & OPT_MSS, "SYN without MSS (SHLD-5)");
	if (w->syn)
		w->mixed |=
			w->ts != ts || w->sack != sack || w->wscale != wscale;
	w->syn = true;
	w->syn_seq = s->seq;
	w->ts = ts;
	w->sack = sack;
	w->wscale = wscale;
	w->shift = s->wscale;
	w->mss = s->mss;
	if (s->flags & TH_ACK && !w->has_edge) {
		w->edge = s->ack + s->wnd;
		w->has_edge = true;
	}
}

static void watch_numbers(struct watch *me, const struct watch *peer,
			  const struct tcp_seg *s)
{
	uint32_t end = s->seq + seg_len(s);

	if (!me->text)
		me->max = me->syn_seq + 1;
	if (!me->text && me->mixed)
		me->max = s->seq;
	SIM_REQUIRE(seq_leq(s->seq, me->max),
		    "number %" PRIu32 " after %" PRIu32, s->seq, me->max);
	if (me->fin)
		SIM_REQUIRE(seq_leq(end, me->fin_seq + 1),
			    "number %" PRIu32 " after the FIN's %" PRIu32, end,
			    me->fin_seq);
	if (s->flags & TH_FIN) {
		SIM_REQUIRE(!me->fin || me->fin_seq == end - 1,
			    "FIN at %" PRIu32 " and %" PRIu32, end - 1,
			    me->fin_seq);
		me->fin = true;
		me->fin_seq = end - 1;
	}
	if (s->len && peer->has_edge)
		SIM_REQUIRE(seq_leq(s->seq + s->len, peer->edge + 1),
			    "text up to %" PRIu32 ", window up to %" PRIu32,
			    s->seq + s->len, peer->edge);
	me->max = seq_max(me->max, end);
}

static void watch_ack(struct watch *me, const struct watch *peer,
		      const struct tcp_seg *s)
{
	unsigned int shift = scaled(me, peer) ? me->shift : 0;
	uint32_t edge = s->ack + ((uint32_t)s->wnd << shift);

	SIM_REQUIRE(s->flags & TH_ACK, "a segment without ACK");
	if (peer->text)
		SIM_REQUIRE(seq_leq(s->ack, peer->max),
			    "ACK of %" PRIu32 ", sent are %" PRIu32, s->ack,
			    peer->max);
	if (me->text)
		SIM_REQUIRE(seq_geq(s->ack, me->ack),
			    "ACK of %" PRIu32 " after %" PRIu32, s->ack,
			    me->ack);
	me->ack = s->ack;
	if (me->mixed || peer->mixed) {
		me->has_edge = false; /* who knows how it is scaled */
		return;
	}
	if (peer->fin && s->ack == peer->fin_seq + 1)
		return; /* nothing more can come: TIME-WAIT says 0 */
	if (me->has_edge)
		SIM_REQUIRE(seq_gt(edge + (1u << shift), me->edge),
			    "window edge %" PRIu32 " after %" PRIu32, edge,
			    me->edge);
	me->edge = me->has_edge ? seq_max(me->edge, edge) : edge;
	me->has_edge = true;
}

static void watch_options(const struct watch *me, const struct watch *peer,
			  const struct tcp_seg *s, uint16_t gso_size)
{
	uint32_t text = gso_size ? gso_size : s->len;
	bool ts = s->opts & OPT_TS;

	SIM_REQUIRE(!(s->opts & (OPT_MSS | OPT_WSCALE | OPT_SACK_OK)),
		    "options of a SYN without one (MUST-65)");
	SIM_REQUIRE(!peer->mss || text + wire_tcp_optlen(s) <= peer->mss,
		    "%" PRIu32 " bytes and %" PRIu32
		    " of options for an MSS of %" PRIu32,
		    text, wire_tcp_optlen(s), peer->mss);
	if (me->mixed || peer->mixed || !peer->syn)
		return;
	SIM_REQUIRE(ts == (me->ts && peer->ts), "timestamp: %d, agreed: %d", ts,
		    me->ts && peer->ts);
	if (!(s->opts & OPT_SACK))
		return;
	SIM_REQUIRE(me->sack && peer->sack, "SACK without agreement");
	for (unsigned int i = 0; i < s->nsack; i++) {
		SIM_REQUIRE(seq_lt(s->sack[i].start, s->sack[i].end),
			    "an empty SACK block");
		SIM_REQUIRE(seq_leq(s->sack[i].end, peer->max),
			    "SACK of what was not sent");
	}
}
