/*
 * scripts_text.c - What happens to text on its way
 *
 * A burst of segments goes out back to back; one of them, not the last, has a
 * fate of its own. Then the ACKs come back, and what must be sent again is, a
 * round trip later.
 */
#include "gen.h"

enum fate {
	LOST_BEHIND, /* the tap has seen it, the receiver has not */
	LOST_BEFORE, /* nor has the tap */
	LATE,	     /* others have overtaken it before they met the tap */
	ACKS_LOST,   /* all of it came, and nobody told the sender */
	MISSED,	     /* it came, and the tap was asleep */
	GO_BACK_N,   /* lost, and the sender sends all from there on again */
};

struct burst {
	struct talk *t;
	enum side from;
	uint32_t n, victim, len;
	uint32_t first; /* number of the first byte */
};

/* One of the segments; moves nothing. */
static struct seg *piece(const struct burst *b, uint32_t i, uint16_t flags)
{
	struct seg *s = talk_seg(b->t, b->from, TH_ACK | flags, b->len);

	s->seq = b->first + i * b->len;
	return s;
}

/* What the receiver says of all up to @i, which is behind the gap. */
static void dup_ack(const struct burst *b, uint32_t i)
{
	struct talk *t = b->t;
	struct seg *s = talk_seg(t, !b->from, TH_ACK, 0);

	s->ack = b->first + b->victim * b->len;
	if (!talk_both_have(t, POPT_SACK_OK))
		return;
	s->opts |= POPT_SACK;
	s->nsacks = 1;
	s->sack[0] = s->ack + b->len;
	s->sack[1] = b->first + (i + 1) * b->len;
}

static void out(const struct burst *b, enum fate fate)
{
	struct talk *t = b->t;

	for (uint32_t i = 0; i < b->n; i++) {
		bool is = i == b->victim;

		talk_pass(t, between(t->r, 5, 40) * US);
		if (is && (fate == LOST_BEFORE || fate == MISSED))
			continue;
		piece(b, i, i + 1 == b->n ? TH_PSH : 0);
		if (is && fate == LATE)
			t->conv->seg[t->conv->n - 1].ns +=
				between(t->r, 50, 400) * US;
	}
	if (fate == LATE) /* it is behind them all, but before any ACK */
		talk_pass(t, 500 * US);
}

/* Three are enough; few receivers say more of one gap. */
static void dup_acks(const struct burst *b)
{
	talk_pass(b->t, 2 * b->t->way[!b->from]);
	for (uint32_t i = b->victim + 1; i < b->n; i++) {
		talk_pass(b->t, 20 * US);
		dup_ack(b, i);
	}
}

static void again(const struct burst *b, enum fate fate)
{
	struct talk *t = b->t;
	struct truth *h = t->truth;
	bool sacks = talk_both_have(t, POPT_SACK_OK);

	talk_pass(t, 2 * t->way[b->from] + MSEC);
	switch (fate) {
	case LOST_BEHIND:
	case LOST_BEFORE:
		piece(b, b->victim, 0);
		if (fate == LOST_BEHIND)
			h->seen_before[b->from]++;
		else
			h->filled_hole[b->from]++;
		break;
	case ACKS_LOST:
		talk_pass(t, 300 * MSEC);
		piece(b, 0, 0);
		h->needless[b->from]++;
		break;
	case GO_BACK_N:
		talk_pass(t, 300 * MSEC);
		for (uint32_t i = b->victim; i < b->n; i++) {
			talk_pass(t, 10 * US);
			piece(b, i, 0);
			if (i > b->victim && sacks)
				h->needless[b->from]++;
			else
				h->seen_before[b->from]++;
		}
		break;
	default:
		break;
	}
}

static void burst(struct talk *t, enum side from, enum fate fate)
{
	struct talker *me = &t->side[from];
	struct truth *h = t->truth;
	struct burst b = {
		.t = t,
		.from = from,
		.n = between(t->r, 4, 9),
		.len = between(t->r, 100, 500),
		.first = me->nxt,
	};

	b.victim = draw(t->r, b.n - 1);
	out(&b, fate);
	me->nxt += b.n * b.len;
	h->by_seq[from] += b.n * b.len;
	h->captured[from] += b.n * b.len;
	if (h->stage < REACHED_FIRST_DATA)
		h->stage = REACHED_FIRST_DATA;
	if (h->captured[!from])
		h->stage = REACHED_LATER;
	switch (fate) {
	case LATE:
		h->late[from]++;
		break;
	case MISSED:
		h->captured[from] -= b.len;
		break;
	case ACKS_LOST:
		t->side[!from].rcv = me->nxt;
		talk_ack(t, !from);
		again(&b, fate);
		break;
	default:
		dup_acks(&b);
		again(&b, fate);
		break;
	}
	t->side[!from].rcv = me->nxt;
	talk_ack(t, !from);
}

static void bursts(struct talk *t, enum fate fate)
{
	enum side from = one_in(t->r, 2) ? SERVER : CLIENT;

	talk_handshake(t);
	if (one_in(t->r, 2))
		talk_say(t, !from, between(t->r, 1, 3000));
	for (uint32_t n = between(t->r, 1, 4); n; n--) {
		burst(t, from, fate);
		talk_pass(t, draw(t->r, 100) * MSEC);
		if (one_in(t->r, 3))
			from = !from;
	}
	talk_close(t);
}

void script_loss_seen(struct talk *t)
{
	bursts(t, LOST_BEHIND);
}

void script_loss_unseen(struct talk *t)
{
	bursts(t, LOST_BEFORE);
}

void script_reordered(struct talk *t)
{
	bursts(t, LATE);
}

void script_needless(struct talk *t)
{
	bursts(t, ACKS_LOST);
}

void script_missed(struct talk *t)
{
	bursts(t, MISSED);
}

void script_go_back_n(struct talk *t)
{
	bursts(t, GO_BACK_N);
}

/* A receiver that takes no more, the probes, and the end of it. */
void script_zero_window(struct talk *t)
{
	enum side from = one_in(t->r, 2) ? SERVER : CLIENT;
	struct talker *you = &t->side[!from];
	uint32_t room = between(t->r, 500, 4000);
	struct seg *s;

	t->side[CLIENT].opts &= (uint8_t)~POPT_WSCALE;
	you->wnd = (uint16_t)room;
	talk_handshake(t);
	you->wnd = 0;
	talk_say(t, from, room);
	talk_odd(t, !from, ANOMALY_ZERO_WINDOW);
	talk_odd(t, from, ANOMALY_WINDOW_FULL);
	for (uint32_t n = between(t->r, 1, 3); n; n--) {
		talk_pass(t, 300 * MSEC);
		s = talk_seg(t, from, TH_ACK, one_in(t->r, 2));
		if (!s->len) /* as Linux asks */
			s->seq--;
		talk_ack(t, !from);
	}
	you->wnd = (uint16_t)room;
	talk_ack(t, !from);
	talk_say(t, from, room / 2);
	talk_close(t);
}

void script_window_shrunk(struct talk *t)
{
	enum side s = one_in(t->r, 2) ? SERVER : CLIENT;

	t->side[s].wnd = 60000;
	talk_handshake(t);
	talk_ack(t, s); /* that of a SYN is not scaled */
	t->side[s].wnd = (uint16_t)between(t->r, 1, 20000);
	talk_ack(t, s);
	talk_odd(t, s, ANOMALY_WINDOW_SHRUNK);
	talk_close(t);
}
