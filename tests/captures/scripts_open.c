/*
 * scripts_open.c - How connections begin, or do not
 */
#include "gen.h"

static void failed(struct talk *t, enum judged outcome)
{
	t->truth->outcome = (uint8_t)outcome;
	t->truth->ending = ENDING_NONE;
}

/* The client asks @tries times, each time waiting longer. */
static void syns(struct talk *t, uint32_t tries)
{
	int64_t wait = SECOND;

	if (t->tries)
		tries = t->tries;
	for (uint32_t i = 0; i < tries; i++, wait *= 2) {
		if (i)
			talk_pass(t, wait);
		t->side[CLIENT].nxt = t->side[CLIENT].iss;
		talk_syn(t);
	}
}

void script_completed(struct talk *t)
{
	enum side first = one_in(t->r, 2) ? SERVER : CLIENT;

	talk_handshake(t);
	talk_both(t);
	talk_fin(t, first);
	talk_pass(t, draw(t->r, 50) * MSEC);
	talk_fin(t, !first);
}

void script_reset(struct talk *t)
{
	talk_handshake(t);
	if (!one_in(t->r, 4))
		talk_both(t);
	talk_rst(t, one_in(t->r, 2) ? SERVER : CLIENT);
}

void script_half_closed(struct talk *t)
{
	talk_handshake(t);
	talk_both(t);
	talk_fin(t, one_in(t->r, 2) ? SERVER : CLIENT);
}

void script_left_open(struct talk *t)
{
	talk_handshake(t);
	if (!one_in(t->r, 4))
		talk_both(t);
}

/* RFC 9293, 3.10.7.1: what a closed port answers. */
static void refuse(struct talk *t)
{
	struct seg *s;

	syns(t, between(t->r, 1, 2));
	talk_pass(t, 2 * t->way[SERVER]);
	s = talk_seg(t, SERVER, TH_RST | TH_ACK, 0);
	s->seq = 0;
	s->ack = t->side[CLIENT].iss + 1;
	s->wnd = 0;
	failed(t, JUDGED_REFUSED);
}

void script_refused(struct talk *t)
{
	refuse(t);
}

/* The same socket once more, with the same number. */
void script_refused_twice(struct talk *t)
{
	refuse(t);
	talk_pass(t, between(t->r, 1, 2000) * MSEC);
	talk_again(t);
	refuse(t);
}

void script_timeout(struct talk *t)
{
	syns(t, between(t->r, 1, 6));
	failed(t, JUDGED_TIMEOUT);
}

void script_timeout_icmp(struct talk *t)
{
	struct seg *s;

	t->conv->path.extension = false; /* it might not be quoted whole */
	syns(t, between(t->r, 1, 3));
	talk_pass(t, t->way[SERVER]);
	s = talk_seg(t, SERVER, TH_SYN, 0);
	s->icmp = true;
	s->seq = t->side[CLIENT].iss;
	failed(t, JUDGED_TIMEOUT);
	t->truth->icmp = true;
	talk_odd(t, CLIENT, ANOMALY_ICMP_ERROR);
}

void script_reset_mid(struct talk *t)
{
	struct seg *s;

	syns(t, between(t->r, 1, 2));
	failed(t, JUDGED_RESET_MID);
	switch (draw(t->r, 3)) {
	case 0: /* a scan, or a client that never asked */
		talk_synack(t);
		talk_pass(t, 2 * t->way[CLIENT]);
		talk_seg(t, CLIENT, TH_RST, 0);
		break;
	case 1:
		talk_synack(t);
		talk_pass(t, between(t->r, 1, 500) * MSEC);
		talk_seg(t, SERVER, TH_RST | TH_ACK, 0);
		break;
	default:
		talk_pass(t, between(t->r, 1, 500) * MSEC);
		s = talk_seg(t, CLIENT, TH_RST, 0);
		s->wnd = 0;
		break;
	}
}

/* @tries SYN-ACKs, the last of them unanswered, too. */
static void synacks(struct talk *t, uint32_t tries)
{
	int64_t wait = SECOND;

	for (uint32_t i = 0; i < tries; i++, wait *= 2) {
		if (i)
			talk_pass(t, wait);
		talk_synack(t);
	}
	failed(t, JUDGED_HALF_OPEN);
}

void script_half_open(struct talk *t)
{
	syns(t, 1);
	synacks(t, between(t->r, 1, 5));
}

/* Whoever it was did not see the SYN-ACK. */
void script_half_open_wrong_ack(struct talk *t)
{
	uint32_t off = between(t->r, 1, 1u << 30);
	struct seg *s;

	syns(t, 1);
	talk_synack(t);
	talk_pass(t, between(t->r, 1, 20) * MSEC);
	s = talk_seg(t, CLIENT, TH_ACK, 0);
	s->ack = t->side[SERVER].nxt + (one_in(t->r, 2) ? off : 0u - off);
	talk_odd(t, CLIENT, ANOMALY_ACK_OUT_OF_WINDOW);
	if (one_in(t->r,
		   2)) { /* RFC 9293, 3.10.7.4: the answer in SYN-RECEIVED */
		uint32_t seq = s->ack;

		talk_pass(t, 2 * t->way[SERVER]);
		s = talk_seg(t, SERVER, TH_RST, 0);
		s->seq = seq;
		talk_odd(t, SERVER, ANOMALY_RST_OUT_OF_WINDOW);
	}
	synacks(t, between(t->r, 1, 2));
}

void script_midstream(struct talk *t)
{
	t->truth->client_known = false;
	t->truth->outcome = JUDGED_MIDSTREAM;
	for (int s = CLIENT; s <= SERVER; s++) {
		t->side[s].nxt = t->side[s].iss + 1;
		t->side[!s].rcv = t->side[s].iss + 1;
	}
	talk_both(t);
	talk_close(t);
}

void script_syn_missing(struct talk *t)
{
	t->unseen[CLIENT] = true;
	talk_syn(t);
	t->unseen[CLIENT] = false;
	t->truth->syn_tries = 0;
	talk_synack(t);
	talk_hsack(t);
	talk_both(t);
	talk_close(t);
	t->truth->outcome = JUDGED_SYN_MISSING;
}

/* The tap sees one direction of the path. What the server said shows in the
 * client's ACKs; its FIN, which counts in them, too, would look like text. */
void script_synack_missing(struct talk *t)
{
	t->unseen[SERVER] = true;
	talk_handshake(t);
	t->truth->synack_tries = 0;
	t->truth->total_ns = -1;
	talk_both(t);
	switch (draw(t->r, 3)) {
	case 0:
		talk_rst(t, CLIENT);
		break;
	case 1:
		talk_fin(t, CLIENT);
		break;
	}
	if (t->truth->stage == REACHED_HSACK)
		t->truth->stage = REACHED_SYN;
	t->truth->outcome = JUDGED_SYNACK_MISSING;
}

/* The other direction, but for the SYN: that there was an ACK shows in what the
 * server does. */
void script_inferred(struct talk *t)
{
	talk_syn(t);
	talk_synack(t);
	t->unseen[CLIENT] = true;
	talk_hsack(t);
	t->truth->inferred = true;
	t->truth->stage = REACHED_SYNACK;
	talk_both(t);
	talk_say(t, SERVER, between(t->r, 1, 4000));
	t->truth->stage = REACHED_FIRST_DATA;
	if (one_in(t->r, 2))
		talk_fin(t, SERVER);
}

static void all_synack(struct talk *t, enum side s, int64_t ns)
{
	struct seg *g;

	talk_pass(t, ns);
	t->side[s].rcv = t->side[!s].iss + 1;
	g = talk_seg(t, s, TH_SYN | TH_ACK, 0);
	g->seq = t->side[s].iss;
	if (s == SERVER) {
		g->mark = MARK_SYNACK;
		t->truth->synack_tries = 1;
		t->truth->opts[SERVER] = t->side[SERVER].opts;
	}
}

/* RFC 9293, 3.5, figure 7: the SYNs cross. */
void script_simultaneous(struct talk *t)
{
	enum side first = one_in(t->r, 2) ? SERVER : CLIENT;

	talk_syn(t);
	talk_pass(t, draw(t->r, 1000) * US);
	talk_seg(t, SERVER, TH_SYN, 0);
	t->side[SERVER].nxt++;
	all_synack(t, first, 2 * t->way[first]);
	all_synack(t, !first, draw(t->r, 1000) * US);
	t->truth->simultaneous = true;
	t->truth->stage = REACHED_HSACK;
	talk_pass(t, talk_rtt(t));
	talk_both(t);
	talk_close(t);
}

/* RFC 9293, 3.5: both halves for themselves, in four segments. */
void script_split(struct talk *t)
{
	struct seg *s;

	talk_syn(t);
	talk_pass(t, 2 * t->way[SERVER]);
	t->side[SERVER].rcv = t->side[CLIENT].nxt;
	if (one_in(t->r, 2))
		talk_seg(t, SERVER, TH_ACK, 0);
	talk_pass(t, draw(t->r, 100) * US);
	talk_seg(t, SERVER, TH_SYN, 0);
	t->side[SERVER].nxt++;
	t->side[CLIENT].rcv = t->side[SERVER].nxt;
	talk_pass(t, 2 * t->way[CLIENT]);
	s = talk_seg(t, CLIENT, TH_SYN | TH_ACK, 0);
	s->seq = t->side[CLIENT].iss;
	talk_ack(t, SERVER);
	t->truth->split = true;
	t->truth->stage = REACHED_HSACK;
	talk_both(t);
	talk_close(t);
}

/* RFC 7413: text on the SYN, of which the server may know nothing. */
void script_fast_open(struct talk *t)
{
	uint32_t how = draw(t->r, 3), len = between(t->r, 1, 500);
	struct truth *h = t->truth;
	struct seg *s = talk_syn(t);

	t->side[CLIENT].opts |= POPT_TFO;
	s->opts |= POPT_TFO;
	h->tfo = TFO_REQUESTED;
	if (how) {
		s->tfo_len = 8;
		s->len = (uint16_t)len;
		h->by_seq[CLIENT] = h->captured[CLIENT] = len;
		h->tfo = how == 1 ? TFO_ACCEPTED : TFO_IGNORED;
	}
	if (how == 1)
		t->side[CLIENT].nxt += len;
	talk_synack(t);
	talk_hsack(t);
	h->total_ns = t->now - t->conv->seg[0].ns;
	if (how)
		h->stage = REACHED_FIRST_DATA;
	if (how == 2) { /* once more: it was captured before */
		talk_say(t, CLIENT, len);
		h->by_seq[CLIENT] -= len;
		h->captured[CLIENT] -= len;
		h->seen_before[CLIENT] = 1;
	}
	talk_both(t);
	talk_close(t);
}

/* Two servers behind one address, or cookies of two secrets: the SYN-ACK that
 * the client takes up is the one that counts. */
void script_two_isns(struct talk *t)
{
	uint32_t iss = t->side[SERVER].iss;
	uint32_t other = iss + between(t->r, 1000, 1u << 30);
	bool second = one_in(t->r, 2);
	int64_t begun = t->now;
	struct seg *s;

	talk_syn(t);
	s = talk_synack(t);
	if (second) {
		s->mark = MARK_NONE;
		s->seq = other;
	}
	talk_pass(t, between(t->r, 10, 500) * US);
	s = talk_seg(t, SERVER, TH_SYN | TH_ACK, 0);
	s->seq = second ? iss : other;
	if (second)
		s->mark = MARK_SYNACK;
	talk_odd(t, SERVER, ANOMALY_SYNACK_TWO_ISN);
	talk_hsack(t);
	t->truth->total_ns = t->now - begun;
	talk_both(t);
	talk_close(t);
}

/* What a cookie cannot carry is not granted. */
void script_cookie_like(struct talk *t)
{
	t->side[CLIENT].opts = POPT_MSS | POPT_WSCALE | POPT_SACK_OK;
	t->side[SERVER].opts = POPT_MSS;
	t->truth->cookie_like = true;
	talk_handshake(t);
	talk_both(t);
	talk_close(t);
}

/* The ACK and the text behind it come to a server that has no room. */
static void ack_dropped(struct talk *t)
{
	struct truth *h = t->truth;
	uint32_t len = between(t->r, 1, 500);

	talk_seg(t, CLIENT, TH_ACK | TH_PSH, len);
	talk_pass(t, SECOND);
	talk_synack(t);
	talk_odd(t, SERVER, ANOMALY_FINAL_ACK_LOST);
	talk_pass(t, 2 * t->way[CLIENT]);
	talk_seg(t, CLIENT, TH_ACK, 0);
	talk_pass(t, 100 * MSEC);
	talk_seg(t, CLIENT, TH_ACK | TH_PSH, len);
	h->seen_before[CLIENT]++;
	h->by_seq[CLIENT] += len;
	h->captured[CLIENT] += len;
	h->stage = REACHED_FIRST_DATA;
	t->side[CLIENT].nxt += len;
	t->side[SERVER].rcv = t->side[CLIENT].nxt;
	talk_ack(t, SERVER);
}

/* The server's accept queue is full: it drops SYNs, and ACKs of SYN-ACKs. */
void script_backlog(struct talk *t)
{
	bool syns_dropped = one_in(t->r, 2);
	int64_t begun = t->now;

	syns(t, syns_dropped ? between(t->r, 3, 5) : 1);
	talk_synack(t);
	talk_hsack(t);
	t->truth->total_ns = t->now - begun;
	talk_odd(t, SERVER, ANOMALY_BACKLOG_WAIT);
	if (!syns_dropped)
		ack_dropped(t);
	talk_both(t);
	talk_close(t);
}

/* Two queues of a network card, and the answer was written down first. */
void script_synack_first(struct talk *t)
{
	struct seg *s;
	int64_t syn_at = t->now + between(t->r, 1, 900) * US;

	t->way[SERVER] = 0;
	t->way[CLIENT] += 1 * MSEC;
	t->side[CLIENT].nxt++;
	talk_synack(t);
	s = talk_seg(t, CLIENT, TH_SYN, 0);
	s->seq = t->side[CLIENT].iss;
	s->ns = syn_at;
	s->mark = MARK_SYN;
	t->truth->syn_tries = 1;
	t->truth->opts[CLIENT] = t->side[CLIENT].opts;
	talk_hsack(t);
	t->truth->total_ns = t->now - syn_at;
	talk_both(t);
	talk_close(t);
}

/* The answer to what somebody else sent in the client's name; the client may
 * say so. */
void script_echo(struct talk *t)
{
	struct truth *h = t->truth;
	struct seg *s;

	t->side[SERVER].rcv = draw(t->r, UINT32_MAX);
	if (one_in(t->r, 4)) {
		s = talk_seg(t, SERVER, TH_RST | TH_ACK, 0);
		s->seq = 0;
		h->outcome = JUDGED_MIDSTREAM;
		h->client_known = false;
		h->ending = ENDING_RST_SERVER;
		h->rst_plausible = true;
		return;
	}
	h->outcome = JUDGED_SYN_MISSING;
	h->stage = REACHED_SYNACK;
	h->synack_tries = (uint8_t)between(t->r, 1, 3);
	for (int i = 0; i < h->synack_tries; i++) {
		s = talk_seg(t, SERVER, TH_SYN | TH_ACK, 0);
		s->mark = i ? MARK_NONE : MARK_SYNACK;
		talk_pass(t, SECOND << i);
	}
	if (h->synack_tries == 1 && one_in(t->r, 2)) {
		s = talk_seg(t, CLIENT, TH_RST, 0);
		s->seq = t->side[SERVER].rcv;
		h->ending = ENDING_RST_CLIENT;
		h->rst_plausible = true;
	}
}

/* The tap sees the server's direction alone. */
void script_answers_only(struct talk *t)
{
	t->unseen[CLIENT] = true;
	talk_handshake(t);
	t->truth->syn_tries = 0;
	t->truth->total_ns = -1;
	talk_say(t, CLIENT, between(t->r, 1, 2000));
	talk_say(t, SERVER, between(t->r, 1, 5000));
	t->truth->stage = REACHED_FIRST_DATA;
	if (one_in(t->r, 2))
		talk_fin(t, SERVER);
	t->truth->outcome = JUDGED_SYN_MISSING;
}
