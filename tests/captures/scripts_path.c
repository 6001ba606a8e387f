/*
 * scripts_path.c - What links do to packets, and mirrors to captures
 */
#include "gen.h"

/* All packets once more, as they leave a bridge or a router. */
void script_mirrored(struct talk *t)
{
	bool router = one_in(t->r, 2), clamps = router && one_in(t->r, 2);
	struct conv *c = t->conv;
	uint32_t n;

	talk_handshake(t);
	talk_both(t);
	talk_close(t);
	n = c->n;
	for (uint32_t i = 0; i < n; i++) {
		struct seg *copy = talk_seg(t, c->seg[i].from, 0, 0);

		*copy = c->seg[i];
		copy->mark = MARK_NONE;
		copy->ns += between(t->r, 1, 4) * US;
		copy->ttl -= router;
		if (clamps && copy->flags & TH_SYN)
			copy->mss = (uint16_t)(copy->mss - 40);
	}
	for (int s = CLIENT; s <= SERVER; s++) {
		talk_odd(t, s, ANOMALY_DUPLICATE);
		if (clamps)
			talk_odd(t, s, ANOMALY_MSS_CHANGED);
	}
}

/* A segment that a link does not take, and a small one behind it. */
struct big {
	struct talk *t;
	enum side from;
	uint32_t seq, len, tail;
	int64_t wait;
};

static struct seg *piece(const struct big *b, uint32_t at, uint32_t len)
{
	struct seg *s = talk_seg(b->t, b->from, TH_ACK, len);

	s->seq = b->seq + at;
	return s;
}

static void begin(struct big *b)
{
	struct talk *t = b->t;
	struct truth *h = t->truth;
	struct seg *s;

	piece(b, 0, b->len);
	talk_pass(t, 20 * US);
	piece(b, b->len, b->tail);
	t->side[b->from].nxt += b->len + b->tail;
	h->by_seq[b->from] += b->len + b->tail;
	h->captured[b->from] += b->len + b->tail;
	h->stage = h->captured[!b->from] ? REACHED_LATER : REACHED_FIRST_DATA;
	talk_pass(t, 2 * t->way[!b->from]);
	s = talk_seg(t, !b->from, TH_ACK, 0);
	if (!talk_both_have(t, POPT_SACK_OK))
		return;
	s->opts |= POPT_SACK;
	s->nsacks = 1;
	s->sack[0] = b->seq + b->len;
	s->sack[1] = s->sack[0] + b->tail;
}

static void again(struct big *b, uint32_t times)
{
	for (; times; times--, b->wait *= 2) {
		talk_pass(b->t, b->wait);
		piece(b, 0, b->len);
		b->t->truth->seen_before[b->from]++;
	}
}

/* RFC 4821: it has found out. */
static void cut(struct big *b)
{
	struct talk *t = b->t;
	uint32_t half = b->len / 2;

	talk_pass(t, b->wait);
	piece(b, 0, half);
	talk_pass(t, 20 * US);
	piece(b, half, b->len - half);
	t->truth->seen_before[b->from] += 2;
	t->side[!b->from].rcv = t->side[b->from].nxt;
	talk_ack(t, !b->from);
	talk_say(t, b->from, between(t->r, 1, 500));
}

void script_mtu_blackhole(struct talk *t)
{
	struct big b = {
		.t = t,
		.from = one_in(t->r, 2) ? SERVER : CLIENT,
		.wait = 400 * MSEC,
		.tail = between(t->r, 1, 100),
	};
	uint16_t mss = (uint16_t)between(t->r, 1000, 1460);

	t->side[CLIENT].mss = t->side[SERVER].mss = mss;
	b.len = mss - 12u; /* timestamps */
	talk_handshake(t);
	talk_say(t, b.from, between(t->r, 1, 500));
	talk_odd(t, b.from, ANOMALY_MTU_BLACKHOLE);
	b.seq = t->side[b.from].nxt;
	begin(&b);
	again(&b, 2);
	if (one_in(t->r, 2)) {
		cut(&b);
		talk_close(t);
		return;
	}
	talk_pass(t, MSEC);
	talk_say(t, !b.from, between(t->r, 1, 500));
	again(&b, between(t->r, 1, 3));
	if (one_in(t->r, 2))
		talk_rst(t, b.from);
}
