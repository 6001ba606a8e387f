/*
 * scripts_odd.c - What forgers, translators and broken stacks do
 *
 * The ends of the connection behave; something else does not, and they do what
 * RFC 9293 and RFC 5961 ask for: mostly nothing.
 */
#include "gen.h"

static enum side some_side(struct talk *t)
{
	return one_in(t->r, 2) ? SERVER : CLIENT;
}

/* Both ends go on as if nothing had been. */
static void go_on(struct talk *t)
{
	talk_pass(t, between(t->r, 1, 100) * MSEC);
	talk_say(t, CLIENT, between(t->r, 1, 2000));
	talk_say(t, SERVER, between(t->r, 1, 2000));
	talk_close(t);
}

static void opened(struct talk *t)
{
	talk_handshake(t);
	talk_both(t);
	talk_pass(t, between(t->r, 1, 50) * MSEC);
}

void script_forged_rst(struct talk *t)
{
	enum side s = some_side(t);
	uint32_t off = between(t->r, 1u << 26, 1u << 30);
	struct seg *g;

	opened(t);
	g = talk_seg(t, s, TH_RST, 0);
	g->seq += one_in(t->r, 2) ? off : 0u - off;
	talk_odd(t, s, ANOMALY_RST_OUT_OF_WINDOW);
	if (one_in(t->r, 2)) {
		g->ttl -= 7;
		talk_odd(t, s, ANOMALY_RST_TTL_MISMATCH);
	}
	go_on(t);
}

/* RFC 5961, 3.2: the receiver asks back, and the owner of the numbers has
 * nothing to say to that. */
void script_inexact_rst(struct talk *t)
{
	enum side s = some_side(t);
	struct seg *g;

	opened(t);
	g = talk_seg(t, s, TH_RST, 0);
	g->seq += between(t->r, 1, 2000);
	talk_odd(t, s, ANOMALY_RST_NOT_EXACT);
	talk_odd(t, s, ANOMALY_RST_IGNORED);
	talk_ack(t, !s);
	talk_pass(t, between(t->r, 1, 100) * MSEC);
	talk_say(t, s, between(t->r, 1, 2000));
	go_on(t);
}

void script_forged_ack(struct talk *t)
{
	enum side s = some_side(t);
	struct seg *g;

	opened(t);
	g = talk_seg(t, s, TH_ACK, 0);
	g->ack += between(t->r, 1u << 26, 1u << 30);
	talk_odd(t, s, ANOMALY_ACK_OUT_OF_WINDOW);
	go_on(t);
}

void script_forged_text(struct talk *t)
{
	enum side s = some_side(t);
	struct seg *g;

	opened(t);
	g = talk_seg(t, s, TH_ACK | TH_PSH, between(t->r, 1, 500));
	g->seq += between(t->r, 1u << 26, 1u << 30);
	talk_odd(t, s, ANOMALY_SEQ_OUT_OF_WINDOW);
	talk_pass(t, 2 * t->way[!s]);
	talk_ack(t, !s); /* RFC 9293, 3.10.7.4: what it expects instead */
	go_on(t);
}

/* The same numbers twice before anybody answers. */
void script_conflicting_text(struct talk *t)
{
	enum side s = some_side(t);
	uint32_t len = between(t->r, 10, 500);
	struct seg *g;

	t->conv->path.snap = UINT16_MAX; /* or nobody can tell */
	opened(t);
	g = talk_seg(t, s, TH_ACK | TH_PSH, len);
	g->other_text = one_in(t->r, 2);
	talk_pass(t, between(t->r, 5, 500) * US);
	talk_odd(t, s, ANOMALY_DIFFERENT_DATA);
	t->truth->seen_before[s]++;
	g = talk_seg(t, s, TH_ACK | TH_PSH, len);
	g->other_text = !t->conv->seg[t->conv->n - 2].other_text;
	t->side[s].nxt += len;
	t->side[!s].rcv = t->side[s].nxt;
	t->truth->by_seq[s] += len;
	t->truth->captured[s] += len;
	talk_ack(t, !s);
	talk_say(t, !s, 10);
	t->truth->stage = REACHED_LATER;
	go_on(t);
}

/* The second segment begins within the first, and goes further. */
void script_conflicting_overlap(struct talk *t)
{
	enum side s = some_side(t);
	uint32_t len = between(t->r, 10, 500), at = draw(t->r, len);
	uint32_t all = len + between(t->r, 1, 500);
	struct seg *g;

	t->conv->path.snap = UINT16_MAX; /* or nobody can tell */
	opened(t);
	g = talk_seg(t, s, TH_ACK | TH_PSH, len);
	g->other_text = one_in(t->r, 2);
	talk_pass(t, between(t->r, 5, 500) * US);
	talk_odd(t, s, ANOMALY_OVERLAP_DATA);
	t->truth->seen_before[s]++;
	g = talk_seg(t, s, TH_ACK | TH_PSH, all - at);
	g->seq += at;
	g->other_text = !t->conv->seg[t->conv->n - 2].other_text;
	t->side[s].nxt += all;
	t->side[!s].rcv = t->side[s].nxt;
	t->truth->by_seq[s] += all;
	t->truth->captured[s] += all;
	talk_ack(t, !s);
	talk_say(t, !s, 10);
	t->truth->stage = REACHED_LATER;
	go_on(t);
}

/* RFC 5961, 4.2. */
void script_syn_in_established(struct talk *t)
{
	struct seg *g;

	opened(t);
	g = talk_seg(t, CLIENT, TH_SYN, 0);
	g->seq += between(t->r, 1u << 20, 1u << 30);
	talk_odd(t, CLIENT, ANOMALY_SYN_IN_ESTABLISHED);
	talk_pass(t, 2 * t->way[SERVER]);
	talk_ack(t, SERVER);
	go_on(t);
}

/* The same ports again when the first connection is over. */
void script_port_reused(struct talk *t)
{
	bool closed = one_in(t->r, 2);

	talk_handshake(t);
	talk_both(t);
	if (!closed) {
		talk_rst(t, some_side(t));
	} else {
		talk_fin(t, CLIENT);
		talk_fin(t, SERVER);
	}
	talk_pass(t, between(t->r, 10, 3000) * MSEC);
	for (int s = CLIENT; s <= SERVER; s++) {
		t->side[s].iss += between(t->r, 100000, 1u << 30);
		t->side[s].ts_base += 1000;
	}
	talk_again(t);
	if (closed)
		talk_odd(t, CLIENT, ANOMALY_TIME_WAIT_REUSE);
	talk_handshake(t);
	talk_both(t);
	talk_close(t);
}

/* A translator has forgotten the connection, and gives it another port: to the
 * server that is nobody. */
void script_nat_forgot(struct talk *t)
{
	struct talker client, server;
	struct truth *h;
	struct seg *s;

	talk_handshake(t);
	talk_both(t);
	client = t->side[CLIENT];
	server = t->side[SERVER];
	talk_pass(t, between(t->r, 60, 300) * SECOND);
	talk_again(t);
	h = t->truth;
	h->port[CLIENT] = (uint16_t)(h->port[CLIENT] ^ 1);
	h->client_known = false;
	h->outcome = JUDGED_MIDSTREAM;
	t->side[CLIENT] = client;
	t->side[SERVER] = server;
	s = talk_seg(t, CLIENT, TH_ACK | TH_PSH, 100);
	h->by_seq[CLIENT] = h->captured[CLIENT] = 100;
	h->stage = REACHED_FIRST_DATA;
	talk_pass(t, 2 * t->way[SERVER]);
	s = talk_seg(t, SERVER, TH_RST, 0);
	s->seq = client.rcv;
	h->ending = ENDING_RST_SERVER;
	h->rst_plausible = true;
}

void script_ttl_shift(struct talk *t)
{
	enum side s = some_side(t);

	opened(t);
	t->side[s].ttl--;
	talk_odd(t, s, ANOMALY_TTL_SHIFT);
	talk_say(t, s, between(t->r, 1, 2000));
	t->side[s].ttl++;
	go_on(t);
}

/* The receiver drops it, and it comes again. */
void script_checksum_bad(struct talk *t)
{
	enum side s = some_side(t);
	uint32_t len = between(t->r, 1, 500);
	struct seg *g;

	t->conv->path.snap = UINT16_MAX; /* or nobody can tell */
	opened(t);
	g = talk_seg(t, s, TH_ACK | TH_PSH, len);
	g->sum = SUM_BAD;
	talk_pass(t, 400 * MSEC + talk_rtt(t));
	talk_seg(t, s, TH_ACK | TH_PSH, len);
	t->side[s].nxt += len;
	t->side[!s].rcv = t->side[s].nxt;
	talk_odd(t, s, ANOMALY_CHECKSUM_BAD);
	t->truth->seen_before[s]++;
	t->truth->by_seq[s] += len;
	t->truth->captured[s] += len;
	talk_ack(t, !s);
	go_on(t);
}

/* The capturing machine is @s, and its network card does the sums. */
void script_checksum_offload(struct talk *t)
{
	enum side s = some_side(t);
	enum sum sum = one_in(t->r, 2) ? SUM_PART : SUM_BAD;

	t->conv->path.snap = UINT16_MAX; /* or nobody can tell */
	opened(t);
	talk_say(t, s, 10);
	go_on(t);
	for (uint32_t i = 0; i < t->conv->n; i++)
		if (t->conv->seg[i].from == s)
			t->conv->seg[i].sum = (uint8_t)sum;
	talk_odd(t, s, ANOMALY_CHECKSUM_OFFLOAD);
}

void script_odd_options(struct talk *t)
{
	enum side s = some_side(t);
	struct seg *g;

	switch (draw(t->r, 4)) {
	case 0:
		t->side[s].mss = (uint16_t)between(t->r, 64, 215);
		talk_odd(t, s, ANOMALY_MSS_TINY);
		break;
	case 1:
		t->side[s].opts |= POPT_WSCALE;
		t->side[s].wscale = (uint8_t)between(t->r, 15, 40);
		talk_odd(t, s, ANOMALY_WS_OVER_14);
		break;
	case 2:
		talk_handshake(t);
		g = talk_seg(t, s, TH_ACK, 0);
		g->bad_option = true;
		talk_odd(t, s, ANOMALY_OPTION_TRUNCATED);
		go_on(t);
		return;
	default: /* as some do who got no answer */
		g = talk_syn(t);
		g->opts |= POPT_MSS | POPT_WSCALE;
		t->truth->opts[CLIENT] = g->opts;
		talk_pass(t, SECOND);
		t->side[CLIENT].opts = POPT_MSS;
		t->side[SERVER].opts = POPT_MSS;
		t->side[CLIENT].nxt = t->side[CLIENT].iss;
		talk_syn(t);
		talk_odd(t, CLIENT, ANOMALY_OPTIONS_CHANGED);
		talk_synack(t);
		talk_hsack(t);
		t->truth->total_ns = t->now - t->conv->seg[0].ns;
		t->truth->cookie_like = t->conv->seg[0].opts & POPT_SACK_OK;
		go_on(t);
		return;
	}
	talk_handshake(t);
	go_on(t);
}

void script_odd_flags(struct talk *t)
{
	static const struct {
		uint16_t flags;
		enum anomaly_kind kind;
	} odd[] = {
		{0, ANOMALY_FLAGS_NONE},
		{TH_FIN | TH_PSH | TH_URG, ANOMALY_FLAGS_XMAS},
		{TH_FIN, ANOMALY_FIN_WITHOUT_ACK},
		{TH_PSH, ANOMALY_FLAGS_ODD},
	};
	uint32_t i = draw(t->r, 4);
	enum side s = some_side(t);
	struct seg *g;

	opened(t);
	if (one_in(t->r, 2)) {
		g = talk_seg(t, s, TH_ACK, 0);
		g->reserved = true;
		talk_odd(t, s, ANOMALY_RESERVED_BITS);
	} else {
		talk_seg(t, s, odd[i].flags, 0);
		talk_odd(t, s, odd[i].kind);
	}
	go_on(t);
}

void script_timestamps(struct talk *t)
{
	enum side s = some_side(t);
	struct seg *g;

	t->side[CLIENT].opts |= POPT_TS;
	t->side[SERVER].opts |= POPT_TS;
	opened(t);
	if (one_in(t->r, 2)) {
		g = talk_seg(t, s, TH_ACK, 0);
		g->opts &= (uint8_t)~POPT_TS;
		talk_odd(t, s, ANOMALY_TS_MISSING);
	} else { /* another clock behind the same address */
		t->side[s].ts_base -= between(t->r, 500000, 1u << 20);
		talk_odd(t, s, ANOMALY_TS_BACKWARDS);
		talk_say(t, s, 100);
		t->side[s].ts_base += 1u << 21;
	}
	go_on(t);
}
