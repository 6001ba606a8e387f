/*
 * play.c - Playing one script on a stage
 *
 * Lines are played in order. A packet that leaves the stack must be asked for
 * by the line whose turn it is; whatever comes while another line is played
 * ends the script, as the first thing does that is not as it should be.
 *
 * The peer keeps as little state as its numbers need: nxt is what the stack
 * acknowledged last and what was sent in order behind it since.
 */
#include "play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

#define FIRST_IRS   5000
#define FIRST_TS    1000
#define PEER_WND    65535
#define QUOTE_LEN   8 /* of TCP, what every router sends back: RFC 792 */
#define SETTLE_US   20000
#define FRAGMENT_ID 7000
#define ECHO_REST   0x12340001u

static bool play_line(struct play *w, const struct script_line *l);
static bool play_before(struct play *w, const struct script_line *l);
static bool play_quiet(struct play *w, int64_t until_us);
static bool play_send(struct play *w, const struct script_line *l);
static bool play_expect(struct play *w, const struct script_line *l);
static bool play_call(struct play *w, const struct script_line *l);
static bool play_check(struct play *w, const struct script_line *l);
static void send_packet(struct play *w, const struct script_seg *s,
			const struct packet *p);
static void seg_fill(struct play *w, struct peer *c, const struct script_seg *s,
		     struct packet *p);
static void icmp_fill(struct play *w, struct peer *c,
		      const struct script_seg *s, struct packet *p);
static void opts_fill(struct play *w, struct peer *c,
		      const struct script_seg *s, struct packet *p);
static void address_fill(const struct play *w, enum who who, struct ip_addr *a);
static void sent_note(struct peer *c, const struct script_seg *s,
		      const struct packet *p);
static void came_note(struct peer *c, const struct packet *p);
static void drain(struct play *w, int64_t until_us);
static void leave(struct play *w);

static uint8_t wire[PACKET_MAX], pieces[PACKET_MAX];

static bool fails(struct play *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool fails(struct play *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
	return false;
}

/* ---- a script --------------------------------------------------------- */

static void complain(struct play *w)
{
	const struct script *s = w->s;
	const struct script_line *l = w->line;

	fprintf(stderr, "%s:%d: %s (%s%s%s%s)\n", l ? l->path : s->path,
		l ? l->line : s->line, w->why, w->g->v6 ? "IPv6" : "IPv4",
		s->start ? ", from " : "", s->start ? s->start : "",
		w->g->live ? ", live" : "");
	fprintf(stderr, "    test: %s\n", s->name);
	if (l)
		fprintf(stderr, "    line: %s\n", l->text);
	fflush(w->teller);
	if (w->told_len)
		fprintf(stderr, "    so far:\n%s", w->told);
}

static bool play_lines(struct play *w)
{
	bool ok = true;

	w->begin_us = w->mark_us = w->g->now_us;
	for (size_t i = 0; ok && i < w->s->nlines; i++)
		ok = play_line(w, &w->s->lines[i]);
	if (ok)
		ok = play_quiet(w, w->g->now_us + (w->g->live ? SETTLE_US : 0));
	leave(w);
	if (w->g->ops->end(w->g) || !ok)
		return ok;
	w->line = NULL;
	return fails(w, "at the end %s", w->g->why);
}

bool play(struct stage *g, const struct script *s, unsigned int *exchanges)
{
	struct play w = {.g = g, .s = s};
	bool ok;

	w.teller = open_memstream(&w.told, &w.told_len);
	ASSERT(w.teller);
	g->why[0] = '\0';
	for (unsigned int i = 0; i < SCRIPT_CONNS; i++) {
		w.peers[i].at.peer_port = (uint16_t)(g->first_port + i);
		w.peers[i].at.own_port = s->listeners[0].port;
		w.peers[i].at.irs = FIRST_IRS + i * 100000;
	}
	if (g->ops->begin(g, s))
		ok = play_lines(&w);
	else
		ok = fails(&w, "the stack cannot be set up: %s", g->why);
	if (ok)
		*exchanges += w.exchanges;
	else
		complain(&w);
	fclose(w.teller);
	free(w.told);
	return ok;
}

static bool play_line(struct play *w, const struct script_line *l)
{
	if (!(w->g->v6 ? l->ipv6 : l->ipv4))
		return true;
	w->line = l;
	if (l->kind == LINE_BODY) {
		w->begin_state = w->g->ops->state(w->g, &w->peers[0].at);
		return true;
	}
	if (l->after_us >= 0)
		w->moved = true;
	if (l->kind != LINE_EXPECT && !play_before(w, l))
		return false;
	switch (l->kind) {
	case LINE_SEND:
		return play_send(w, l);
	case LINE_EXPECT:
		return play_expect(w, l);
	case LINE_NOTHING:
		w->exchanges += w->moved && !l->shared;
		w->moved = false;
		w->mark_us += l->n;
		return play_quiet(w, w->g->live && !l->n
					     ? w->g->now_us + SETTLE_US
					     : w->mark_us);
	case LINE_DRAIN:
		w->mark_us += l->n;
		drain(w, w->mark_us);
		return true;
	case LINE_BATCH:
	case LINE_BATCH_END:
		w->batch = l->kind == LINE_BATCH;
		w->g->ops->batch(w->g, w->batch);
		return true;
	case LINE_CALL:
		return play_call(w, l);
	case LINE_CHECK:
		return play_check(w, l);
	case LINE_IRS:
		w->peers[l->conn].at.irs = (uint32_t)l->n;
		return true;
	case LINE_BODY:
		break;
	}
	return true;
}

/* Nothing may come before the line's time, nor be there already. */
static bool play_before(struct play *w, const struct script_line *l)
{
	if (l->after_us > 0)
		w->mark_us += l->after_us;
	else if (w->batch || l->kind == LINE_DRAIN)
		return true;
	return play_quiet(w, l->after_us > 0 ? w->mark_us : w->g->now_us);
}

/* ---- packets that come ------------------------------------------------ */

static struct peer *peer_of(struct play *w, const struct packet *p)
{
	unsigned int n = (uint16_t)(p->dport - w->g->first_port);

	return p->tcp && n < SCRIPT_CONNS ? &w->peers[n] : NULL;
}

static void tell(struct play *w, const struct peer *c, const struct packet *p,
		 bool sent)
{
	char words[256];

	judge_describe(words, sizeof(words), c, p, sent);
	fprintf(w->teller, "    %10.6f %s\n",
		(double)(w->g->now_us - w->begin_us) / 1e6, words);
}

/* A SYN tells where the stack's numbers begin, and its timestamps. */
static void came_first(struct peer *c, const struct packet *p)
{
	if (p->flags & TH_SYN && (!c->iss_known || c->iss_old)) {
		c->iss = p->seq;
		c->iss_known = true;
		c->iss_old = false;
		c->own_nxt = 0;
		c->own_ts = c->own_ws = c->ts_known = false;
	}
	if (p->has_ts && !c->ts_known)
		c->ts_first = p->ts_val;
	c->ts_known |= p->has_ts;
}

/* The next packet until then, taken apart; false if there is none. */
static bool come(struct play *w, struct packet *p, const char **wrong,
		 int64_t until_us)
{
	size_t len = w->g->ops->next(w->g, wire, until_us);
	struct peer *c;

	if (!len)
		return false;
	*wrong = packet_read(wire, len, p);
	c = peer_of(w, p);
	if (c)
		came_first(c, p);
	tell(w, c, p, false);
	return true;
}

static bool play_quiet(struct play *w, int64_t until_us)
{
	int64_t from_us = w->g->now_us;
	const char *wrong;
	struct packet p;
	char words[256];

	if (!come(w, &p, &wrong, until_us))
		return true;
	judge_describe(words, sizeof(words), peer_of(w, &p), &p, false);
	return fails(w, "nobody expected this, after %.3f ms: %s",
		     (double)(w->g->now_us - from_us) / 1e3, words);
}

static bool play_expect(struct play *w, const struct script_line *l)
{
	struct peer *c = &w->peers[l->conn];
	int64_t from_us = w->mark_us, after_us = l->after_us, took_us;
	int64_t most_us = l->most_us >= 0 ? l->most_us : after_us;
	bool live = w->g->live;
	const char *wrong = NULL;
	struct packet p;

	if (after_us < 0)
		most_us = after_us = 0;
	if (after_us || live)
		most_us += w->g->late_us;
	if (!come(w, &p, &wrong, from_us + most_us))
		return fails(w, "nothing came");
	took_us = w->g->now_us - from_us;
	w->mark_us = w->g->now_us;
	if (took_us < after_us - w->g->early_us)
		return fails(w, "it came after %.3f ms, expected %.3f",
			     (double)took_us / 1e3, (double)after_us / 1e3);
	w->exchanges += w->moved && !l->shared;
	w->moved = false;
	if (wrong)
		return fails(w, "it has %s", wrong);
	if (!judge(w, c, l->seg, &p))
		return false;
	if (p.tcp)
		came_note(c, &p);
	return true;
}

static void came_note(struct peer *c, const struct packet *p)
{
	int64_t seq = (int32_t)(p->seq - c->iss);
	int64_t end =
		seq + p->len + !!(p->flags & TH_SYN) + !!(p->flags & TH_FIN);

	c->used = true;
	if (end > c->own_nxt && !(p->flags & TH_RST))
		c->own_nxt = end;
	if (p->has_ts)
		c->ts_last = p->ts_val;
	if (p->flags & TH_SYN) {
		c->own_ts = p->has_ts;
		c->own_ws = p->has_ws;
		c->wscale = p->ws;
	}
	if (p->flags & TH_ACK && !(p->flags & TH_RST)) {
		bool scaled = c->own_ws && c->peer_ws && !(p->flags & TH_SYN);

		c->nxt = (int32_t)(p->ack - c->at.irs);
		c->edge =
			c->nxt + ((int64_t)p->wnd << (scaled ? c->wscale : 0));
	}
}

static void drain(struct play *w, int64_t until_us)
{
	const char *wrong;
	struct packet p;
	struct peer *c;

	while (come(w, &p, &wrong, until_us)) {
		c = peer_of(w, &p);
		if (c)
			came_note(c, &p);
	}
}

/* ---- packets that go -------------------------------------------------- */

/* The pattern for @len bytes from number @n on. */
static const uint8_t *pattern(int64_t n, uint32_t len)
{
	static uint8_t text[PATTERN_MAX];

	ASSERT(len <= sizeof(text));
	for (uint32_t i = 0; i < len; i++)
		text[i] = stage_pattern((uint32_t)n + i);
	return text;
}

static bool play_send(struct play *w, const struct script_line *l)
{
	const struct script_seg *s = l->seg;
	struct peer *c = &w->peers[l->conn];
	struct packet p = {
		.v6 = w->g->v6,
		.ttl = s->ttl >= 0 ? (uint8_t)s->ttl : 64,
		.tos = s->tos >= 0 ? (uint8_t)s->tos : 0,
		.bad_sum = s->bad_sum,
		.bad_ip_sum = s->bad_ip_sum,
		.iplen = s->iplen,
		.doff = s->doff,
		.ip_raw = s->ip_raw,
		.n_ip_raw = s->n_ip_raw,
		.ext = s->ext,
	};

	p.src = w->g->peer;
	p.dst = w->g->own;
	address_fill(w, s->from, &p.src);
	address_fill(w, s->to, &p.dst);
	if (s->icmp) {
		if (!packet_icmp(s->icmp, p.v6, &p.type, &p.code))
			return fails(w, "there is no ICMP message %s", s->icmp);
		icmp_fill(w, c, s, &p);
	} else if (s->proto) {
		p.other = s->proto;
		p.len = (uint32_t)s->icmp_len.plus;
		p.text = pattern(0, p.len);
	} else {
		seg_fill(w, c, s, &p);
	}
	tell(w, c, &p, true);
	send_packet(w, s, &p);
	w->mark_us = w->g->now_us;
	w->moved = true;
	if (p.tcp)
		sent_note(c, s, &p);
	return true;
}

static void send_packet(struct play *w, const struct script_seg *s,
			const struct packet *p)
{
	static uint16_t id = FRAGMENT_ID;
	struct packet cut = *p;
	size_t len;

	cut.id = ++id;
	len = packet_build(wire, &cut);
	if (!s->npieces)
		w->g->ops->send(w->g, wire, len);
	for (unsigned int i = 0; i < s->npieces; i++)
		w->g->ops->send(w->g, pieces,
				packet_piece(pieces, wire, len, &cut,
					     s->pieces[i].from,
					     s->pieces[i].to));
}

static void address_fill(const struct play *w, enum who who, struct ip_addr *a)
{
	static const uint8_t last4[][4] = {
		[WHO_LOOPBACK] = {127, 0, 0, 1},
		[WHO_BROADCAST] = {255, 255, 255, 255},
		[WHO_MULTICAST] = {224, 0, 0, 1},
		[WHO_SUBNET] = {198, 18, 66, 255},
		[WHO_OTHER] = {198, 18, 66, 77},
	};

	if (who == WHO_PEER)
		*a = w->g->peer;
	else if (who == WHO_OWN)
		*a = w->g->own;
	if (who <= WHO_OWN)
		return;
	if (!w->g->v6) {
		memcpy(a->b + 12, last4[who], 4);
	} else if (who == WHO_OTHER) {
		a->b[15] = 77;
	} else if (who == WHO_SUBNET) {
		memset(a->b + 8, 0, 8); /* the routers' anycast address */
	} else {
		memset(a, 0, sizeof(*a));
		if (who != WHO_NONE)
			a->b[15] = 1;
		if (who == WHO_BROADCAST || who == WHO_MULTICAST) {
			a->b[0] = 0xff;
			a->b[1] = 2;
		}
	}
}

static void seg_fill(struct play *w, struct peer *c, const struct script_seg *s,
		     struct packet *p)
{
	int64_t seq = s->seq.given ? play_number(&s->seq, c, true) : c->nxt;
	int64_t ack =
		s->ack.given ? play_number(&s->ack, c, false) : c->own_nxt;

	p->tcp = true;
	p->sport = c->at.peer_port;
	p->dport = s->dport >= 0 ? (uint16_t)s->dport : c->at.own_port;
	p->flags = s->flags;
	p->seq = c->at.irs + (uint32_t)seq;
	if (s->flags & TH_ACK || s->ack.given)
		p->ack = c->iss + (uint32_t)ack;
	p->wnd = s->win.given ? (uint16_t)play_number(&s->win, c, true)
			      : PEER_WND;
	p->up = (uint16_t)play_number(&s->up, c, true);
	if (s->end.given)
		p->len = (uint32_t)(play_number(&s->end, c, true) - seq);
	p->text = pattern(seq + !!(s->flags & TH_SYN), p->len);
	if (s->text) {
		p->text = (const uint8_t *)s->text;
		p->len = (uint32_t)strlen(s->text);
	}
	opts_fill(w, c, s, p);
}

static void opt_put(struct packet *p, uint8_t kind, uint8_t len)
{
	ASSERT(p->nopt + len <= sizeof(p->opt));
	p->opt[p->nopt++] = kind;
	if (len > 1)
		p->opt[p->nopt++] = len;
}

static void opt_put_n(struct packet *p, uint32_t v, unsigned int bytes)
{
	while (bytes--)
		p->opt[p->nopt++] = (uint8_t)(v >> 8 * bytes);
}

static void opt_put_ts(struct play *w, struct peer *c, const struct seg_opt *o,
		       struct packet *p)
{
	int64_t elapsed_us = w->g->now_us - w->begin_us;

	p->has_ts = true;
	p->ts_val = o && o->a.given ? (uint32_t)o->a.plus
				    : (uint32_t)(FIRST_TS + elapsed_us / 1000);
	p->ts_ecr = p->flags & TH_ACK ? c->ts_last : 0;
	if (o && o->b.given)
		p->ts_ecr = c->ts_first + (uint32_t)o->b.plus;
	opt_put(p, 8, 10);
	opt_put_n(p, p->ts_val, 4);
	opt_put_n(p, p->ts_ecr, 4);
}

/* All blocks are one option, where the first of them stands. */
static void opt_put_sack(struct peer *c, const struct script_seg *s,
			 struct packet *p)
{
	for (unsigned int i = 0; i < s->nopts; i++)
		p->nsack += s->opts[i].kind == SEG_SACK && p->nsack < 4;
	opt_put(p, 5, (uint8_t)(2 + 8 * p->nsack));
	p->nsack = 0;
	for (unsigned int i = 0; i < s->nopts && p->nsack < 4; i++) {
		const struct seg_opt *o = &s->opts[i];

		if (o->kind != SEG_SACK)
			continue;
		p->sack[p->nsack].start =
			c->iss + (uint32_t)play_number(&o->a, c, false);
		p->sack[p->nsack].end =
			c->iss + (uint32_t)play_number(&o->b, c, false);
		opt_put_n(p, p->sack[p->nsack].start, 4);
		opt_put_n(p, p->sack[p->nsack++].end, 4);
	}
}

static void opts_fill(struct play *w, struct peer *c,
		      const struct script_seg *s, struct packet *p)
{
	bool ts = s->no_ts || !c->peer_ts || !c->own_ts ||
		  p->flags & (TH_SYN | TH_RST);

	for (unsigned int i = 0; i < s->nopts; i++)
		ts |= s->opts[i].kind == SEG_TS;
	if (!ts) {
		opt_put(p, 1, 1);
		opt_put(p, 1, 1);
		opt_put_ts(w, c, NULL, p);
	}
	for (unsigned int i = 0; i < s->nopts; i++) {
		const struct seg_opt *o = &s->opts[i];

		switch (o->kind) {
		case SEG_MSS:
			p->has_mss = true;
			p->mss = (uint16_t)o->a.plus;
			opt_put(p, 2, 4);
			opt_put_n(p, p->mss, 2);
			break;
		case SEG_WS:
			p->has_ws = true;
			p->ws = (uint8_t)o->a.plus;
			opt_put(p, 3, 3);
			opt_put_n(p, p->ws, 1);
			break;
		case SEG_SACKOK:
			p->sack_ok = true;
			opt_put(p, 4, 2);
			break;
		case SEG_TS:
			opt_put_ts(w, c, o, p);
			break;
		case SEG_SACK:
			if (!p->nsack)
				opt_put_sack(c, s, p);
			break;
		case SEG_NOP:
			opt_put(p, 1, 1);
			break;
		case SEG_EOL:
			opt_put(p, 0, 1);
			break;
		case SEG_RAW:
			ASSERT(p->nopt + o->nraw <= sizeof(p->opt));
			memcpy(p->opt + p->nopt, o->raw, o->nraw);
			p->nopt += o->nraw;
			break;
		}
	}
	while (p->nopt % 4)
		opt_put(p, 0, 1);
}

/* An error quotes a segment of the stack; an echo request carries a pattern. */
static void icmp_fill(struct play *w, struct peer *c,
		      const struct script_seg *s, struct packet *p)
{
	static uint8_t quote[PACKET_MAX];
	struct packet q = {
		.v6 = p->v6,
		.src = w->g->own,
		.dst = w->g->peer,
		.ttl = 64,
		.iplen = -1,
		.doff = -1,
		.ext = -1,
		.tcp = true,
		.sport = c->at.own_port,
		.dport = c->at.peer_port,
		.seq = c->iss + (uint32_t)play_number(&s->quote, c, false),
		.flags = TH_ACK,
	};
	size_t len;

	p->icmp = true;
	if (strcmp(s->icmp, "echo") == 0) {
		p->rest = ECHO_REST;
		p->len = (uint32_t)s->icmp_len.plus;
		p->text = pattern(0, p->len);
		return;
	}
	p->rest = (uint32_t)s->mtu.plus;
	len = packet_build(quote, &q) - 20 + QUOTE_LEN;
	p->text = quote;
	p->len = s->icmp_len.given ? (uint32_t)s->icmp_len.plus : (uint32_t)len;
}

/* Will the stack take the numbers of this segment? Its next ACK decides; this
 * is for what the script sends before. */
static bool is_taken(const struct peer *c, const struct packet *p, int64_t seq)
{
	int64_t ack = (int32_t)(p->ack - c->iss);

	if (p->flags & TH_RST)
		return false;
	if (p->flags & TH_SYN)
		return seq == 0 && c->nxt == 0;
	return p->flags & TH_ACK && ack <= c->own_nxt &&
	       ack >= c->own_nxt - PEER_WND;
}

static void sent_note(struct peer *c, const struct script_seg *s,
		      const struct packet *p)
{
	int64_t seq = (int32_t)(p->seq - c->at.irs);
	int64_t end =
		seq + p->len + !!(p->flags & TH_SYN) + !!(p->flags & TH_FIN);

	c->at.own_port = p->dport;
	if (s->from != WHO_DEFAULT || s->to != WHO_DEFAULT || p->bad_sum)
		return;
	if (p->flags & TH_SYN && !(p->flags & TH_RST)) {
		/* Another SYN may be answered by another connection. */
		c->iss_old |= c->used && c->syn != (uint32_t)seq;
		if (!c->used || !c->iss_known || c->iss_old || c->opened) {
			c->peer_ts = p->has_ts;
			c->peer_ws = p->has_ws;
			c->opened = false;
		}
		if (!c->used)
			c->nxt = seq;
		c->syn = (uint32_t)seq;
	}
	c->used = true;
	if (seq <= c->nxt && end > c->nxt && is_taken(c, p, seq))
		c->nxt = end;
}

/* A daemon goes on without us: reset what the script left open. */
static void leave(struct play *w)
{
	static const struct script_seg rst = {
		.flags = TH_RST,
		.dport = -1,
		.ttl = -1,
		.tos = -1,
		.doff = -1,
		.iplen = -1,
		.ext = -1,
	};

	if (!w->g->live)
		return;
	for (unsigned int i = 0; i < SCRIPT_CONNS; i++) {
		const struct script_line l = {.seg = &rst, .conn = i};

		if (w->peers[i].used)
			play_send(w, &l);
	}
	drain(w, w->g->now_us + SETTLE_US);
}

/* ---- the user, and looking -------------------------------------------- */

static bool play_call(struct play *w, const struct script_line *l)
{
	struct peer *c = &w->peers[l->conn];

	w->moved = true;
	if (!w->g->ops->call(w->g, &c->at, l->word, l->n))
		return fails(w, "%s", w->g->why);
	w->mark_us = w->g->now_us;
	if (strcmp(l->word, "open") == 0) {
		c->used = c->opened = true;
		c->iss_known = false;
		c->nxt = 0;
	}
	return true;
}

static bool play_state(struct play *w, const struct script_line *l)
{
	const struct stage_conn *at = &w->peers[l->conn].at;
	int64_t until_us = w->g->now_us + w->g->late_us;
	enum tcp_state got = w->g->ops->state(w->g, at);
	int want = strcmp(l->arg, "same") == 0 ? (int)w->begin_state
					       : stage_state(l->arg);

	if (want < 0)
		return fails(w, "there is no state %s", l->arg);
	while (w->g->live && (int)got != want && w->g->now_us < until_us)
		got = w->g->ops->state(w->g, at);
	if ((int)got == want)
		return true;
	return fails(w, "the state is %s, expected %s", tcp_state_name(got),
		     tcp_state_name((enum tcp_state)want));
}

static bool play_check(struct play *w, const struct script_line *l)
{
	if (strcmp(l->word, "state") == 0)
		return play_state(w, l);
	if (!w->g->ops->check(w->g, &w->peers[l->conn].at, l))
		return fails(w, "%s", w->g->why);
	return true;
}
