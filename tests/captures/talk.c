/*
 * talk.c - What the scripts are made of
 *
 * A talker has its next number and what it acknowledges. Text and ACKs move
 * them; whoever writes something odd changes the segment that talk_seg() gave
 * and leaves the talkers alone.
 */
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "gen.h"

#define PIECE_GAP_MAX 60 /* us between segments of one burst */

static void addresses(struct talk *t)
{
	struct truth *h = t->truth;
	bool v6 = one_in(t->r, 3);

	for (int s = CLIENT; s <= SERVER; s++) {
		struct ip_addr *a = &h->addr[s];

		if (v6) {
			memcpy(a->b, "\x20\x01\x0d\xb8", 4);
			a->b[4] = (uint8_t)(1 + s);
		} else {
			a->b[10] = a->b[11] = 0xff;
			a->b[12] = s ? 192 : 10;
		}
		for (int i = 13; i < 16; i++)
			a->b[i] = (uint8_t)draw(t->r, 256);
	}
	h->port[CLIENT] = (uint16_t)between(t->r, 32768, 65535);
	h->port[SERVER] = (uint16_t)between(t->r, 1, 9000);
}

static void ends(struct talk *t)
{
	for (int s = CLIENT; s <= SERVER; s++) {
		struct talker *e = &t->side[s];

		memset(e, 0, sizeof(*e));
		e->iss = draw(t->r, UINT32_MAX);
		if (one_in(t->r, 8)) /* numbers that wrap around */
			e->iss = 0u - draw(t->r, 20000);
		e->ttl = (uint8_t)((one_in(t->r, 2) ? 64 : 128) -
				   draw(t->r, 30));
		e->opts = POPT_MSS;
		if (!one_in(t->r, 5))
			e->opts |= POPT_WSCALE;
		if (!one_in(t->r, 5))
			e->opts |= POPT_SACK_OK;
		if (!one_in(t->r, 3))
			e->opts |= POPT_TS;
		e->mss = (uint16_t)between(t->r, 536, 1460);
		e->wscale = (uint8_t)draw(t->r, 10);
		e->wnd = 65535;
		e->ts_base = draw(t->r, UINT32_MAX);
	}
	/* A server grants what was asked for: no sign of a cookie by chance. */
	if (!(t->side[CLIENT].opts & POPT_TS))
		t->side[SERVER].opts &= (uint8_t)~POPT_TS;
	if (t->side[SERVER].opts == POPT_MSS)
		t->side[SERVER].opts |= POPT_SACK_OK;
	t->side[CLIENT].nxt = t->side[CLIENT].iss;
	t->side[SERVER].nxt = t->side[SERVER].iss;
}

void talk_begin(struct talk *t, struct rng *r, struct conv *conv,
		enum class class, int64_t now)
{
	t->r = r;
	t->conv = conv;
	t->truth = &conv->truth[0];
	t->unseen[CLIENT] = t->unseen[SERVER] = false;
	conv->ntruths = 1;
	memset(t->truth, 0, sizeof(*t->truth));
	t->truth->class = (uint8_t) class;
	t->truth->client_known = true;
	t->truth->total_ns = -1;
	t->now = now;
	t->way[CLIENT] = between(r, 2, 20000) * US;
	t->way[SERVER] = between(r, 3000, 60000) * US;
	addresses(t);
	ends(t);
}

void talk_again(struct talk *t)
{
	struct truth *h = &t->conv->truth[1];

	ASSERT(t->conv->ntruths == 1);
	t->conv->ntruths = 2;
	*h = (struct truth){
		.class = t->truth->class, .client_known = true, .total_ns = -1};
	memcpy(h->addr, t->truth->addr, sizeof(h->addr));
	memcpy(h->port, t->truth->port, sizeof(h->port));
	t->truth = h;
	for (int s = CLIENT; s <= SERVER; s++)
		t->side[s].nxt = t->side[s].iss;
}

struct seg *talk_seg(struct talk *t, enum side from, uint16_t flags,
		     uint32_t len)
{
	struct conv *c = t->conv;
	struct talker *me = &t->side[from];
	struct seg *s = &t->scratch;

	if (!t->unseen[from] && c->n == c->room) {
		c->room = c->room ? c->room * 2 : 16;
		c->seg = realloc(c->seg, c->room * sizeof(*c->seg));
		ASSERT(c->seg);
	}
	if (!t->unseen[from])
		s = &c->seg[c->n++];
	*s = (struct seg){
		.ns = t->now,
		.order = c->n,
		.from = (uint8_t)from,
		.truth = (uint8_t)(t->truth - c->truth),
		.flags = flags,
		.wnd = me->wnd,
		.len = (uint16_t)len,
		.seq = me->nxt,
		.ack = flags & TH_ACK ? me->rcv : 0,
		.ttl = me->ttl,
	};
	if (flags & TH_SYN) {
		s->opts = me->opts;
		s->mss = me->mss;
		s->wscale = me->wscale;
	} else if (talk_both_have(t, POPT_TS) && !(flags & TH_RST)) {
		s->opts = POPT_TS;
	}
	s->ts_val = me->ts_base + (uint32_t)(t->now / MSEC);
	s->ts_ecr = flags & TH_ACK ? t->side[!from].ts_base : 0;
	return s;
}

void talk_pass(struct talk *t, int64_t ns)
{
	t->now += ns;
}

int64_t talk_rtt(const struct talk *t)
{
	return 2 * (t->way[CLIENT] + t->way[SERVER]);
}

struct seg *talk_syn(struct talk *t)
{
	struct seg *s = talk_seg(t, CLIENT, TH_SYN, 0);

	if (!t->truth->syn_tries++) {
		s->mark = MARK_SYN;
		t->truth->opts[CLIENT] = t->side[CLIENT].opts;
	}
	t->side[CLIENT].nxt = t->side[CLIENT].iss + 1;
	t->truth->stage = REACHED_SYN;
	return s;
}

/* Its way there and back is behind it. */
struct seg *talk_synack(struct talk *t)
{
	struct seg *s;

	talk_pass(t, 2 * t->way[SERVER]);
	t->side[SERVER].rcv = t->side[CLIENT].nxt;
	t->side[SERVER].nxt = t->side[SERVER].iss;
	s = talk_seg(t, SERVER, TH_SYN | TH_ACK, 0);
	if (!t->truth->synack_tries++)
		s->mark = MARK_SYNACK;
	t->truth->opts[SERVER] = t->side[SERVER].opts;
	t->side[SERVER].nxt = t->side[SERVER].iss + 1;
	t->truth->stage = REACHED_SYNACK;
	return s;
}

struct seg *talk_hsack(struct talk *t)
{
	struct seg *s;

	talk_pass(t, 2 * t->way[CLIENT] + 10 * US);
	t->side[CLIENT].rcv = t->side[SERVER].nxt;
	s = talk_seg(t, CLIENT, TH_ACK, 0);
	s->mark = MARK_ACK;
	t->truth->stage = REACHED_HSACK;
	t->truth->outcome = JUDGED_COMPLETED;
	return s;
}

void talk_handshake(struct talk *t)
{
	int64_t begun = t->now;

	/* Some SYNs and SYN-ACKs get lost behind the tap. */
	talk_syn(t);
	if (one_in(t->r, 8)) {
		talk_pass(t, SECOND);
		t->side[CLIENT].nxt = t->side[CLIENT].iss;
		talk_syn(t);
	}
	talk_synack(t);
	if (one_in(t->r, 8)) {
		talk_pass(t, SECOND);
		talk_synack(t);
	}
	talk_hsack(t);
	t->truth->total_ns = t->now - begun;
}

static void told(struct talk *t, enum side from, uint32_t len)
{
	struct truth *h = t->truth;
	bool other = h->captured[!from] > 0;

	h->by_seq[from] += len;
	if (t->unseen[from])
		return;
	h->captured[from] += len;
	if (h->stage < REACHED_LATER)
		h->stage = other ? REACHED_LATER : REACHED_FIRST_DATA;
}

void talk_say(struct talk *t, enum side from, uint32_t len)
{
	struct talker *me = &t->side[from], *you = &t->side[!from];
	uint32_t piece = me->mss < you->mss ? me->mss : you->mss;

	piece -= 12; /* timestamps */
	told(t, from, len);
	while (len) {
		uint32_t n = len < piece ? len : piece;

		talk_pass(t, between(t->r, 5, PIECE_GAP_MAX) * US);
		talk_seg(t, from, TH_ACK | (n == len ? TH_PSH : 0), n);
		me->nxt += n;
		len -= n;
	}
	you->rcv = me->nxt;
	talk_ack(t, !from);
}

/* A round trip to the other side later. */
void talk_ack(struct talk *t, enum side from)
{
	talk_pass(t, 2 * t->way[from]);
	talk_seg(t, from, TH_ACK, 0);
	talk_pass(t, 2 * t->way[!from]);
}

void talk_fin(struct talk *t, enum side from)
{
	struct truth *h = t->truth;

	talk_seg(t, from, TH_FIN | TH_ACK, 0);
	t->side[from].nxt++;
	t->side[!from].rcv = t->side[from].nxt;
	if (!h->fin)
		h->first_fin = (uint8_t)from;
	if (h->fin)
		h->ending = ENDING_FIN_BOTH;
	else
		h->ending = from == CLIENT ? ENDING_HALF_CLIENT
					   : ENDING_HALF_SERVER;
	h->fin = true;
	h->stage = REACHED_LATER;
	talk_ack(t, !from);
}

void talk_rst(struct talk *t, enum side from)
{
	struct truth *h = t->truth;

	talk_seg(t, from, one_in(t->r, 2) ? TH_RST : TH_RST | TH_ACK, 0);
	if (h->ending == ENDING_FIN_BOTH)
		return;
	h->ending = from == CLIENT ? ENDING_RST_CLIENT : ENDING_RST_SERVER;
	h->rst_plausible = true;
}

void talk_both(struct talk *t)
{
	enum side s = one_in(t->r, 4) ? SERVER : CLIENT;

	if (t->brief && !t->unseen[s]) {
		talk_say(t, s, between(t->r, 1, 400));
		return;
	}
	for (uint32_t n = between(t->r, 1, 3); n; n--, s = !s) {
		talk_pass(t, draw(t->r, 100) * MSEC);
		talk_say(t, s, between(t->r, 1, 9000));
	}
}

void talk_close(struct talk *t)
{
	enum side first = one_in(t->r, 2) ? SERVER : CLIENT;

	talk_pass(t, draw(t->r, 200) * MSEC);
	switch (draw(t->r, 4)) {
	case 0:
		talk_rst(t, first);
		break;
	case 1:
		break; /* the capture ends before */
	default:
		talk_fin(t, first);
		talk_pass(t, draw(t->r, 50) * MSEC);
		talk_fin(t, !first);
		break;
	}
}
