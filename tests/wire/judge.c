/*
 * judge.c - Is a packet what the script says?
 *
 * One aspect after the other; the first that differs is told in words, with
 * both values. Numbers are told as the script has them.
 */
#include "play.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool differs(struct play *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool differs(struct play *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
	return false;
}

static bool same(struct play *w, const char *what, int64_t got, int64_t want)
{
	if (got == want)
		return true;
	return differs(w, "%s is %lld, expected %lld", what, (long long)got,
		       (long long)want);
}

int64_t play_number(const struct number *n, const struct peer *c, bool peers)
{
	return n->plus + n->nxt * (peers ? c->nxt : c->own_nxt) +
	       n->wnd * (c->edge - c->nxt);
}

/* A number of the wire, counted from an initial one; negative before it. */
static int64_t relative(uint32_t number, uint32_t first)
{
	return (int32_t)(number - first);
}

static const struct seg_opt *opt_find(const struct script_seg *e,
				      enum opt_kind kind, unsigned int nth)
{
	for (unsigned int i = 0; i < e->nopts; i++)
		if (e->opts[i].kind == kind && nth-- == 0)
			return &e->opts[i];
	return NULL;
}

/* ---- options ---------------------------------------------------------- */

static bool judge_presence(struct play *w, const char *what, bool got,
			   bool want)
{
	if (got == want)
		return true;
	return differs(w,
		       want ? "there is no %s option"
			    : "there is a %s option that was not expected",
		       what);
}

static bool judge_ts(struct play *w, const struct peer *c,
		     const struct script_seg *e, const struct packet *p)
{
	const struct seg_opt *o = opt_find(e, SEG_TS, 0);
	bool both = c->peer_ts && c->own_ts && !(p->flags & (TH_SYN | TH_RST));
	int64_t late_ms;

	/* RFC 7323, 3.2 lets a RST have one. */
	if (!(p->flags & TH_RST) &&
	    !judge_presence(w, "timestamp", p->has_ts, o || both))
		return false;
	late_ms = (int64_t)(p->ts_val - c->ts_first) -
		  (o && o->a.given ? o->a.plus : 0);
	if (o && o->a.given && (late_ms < 0 || late_ms > w->g->late_us / 1000))
		return differs(w, "its timestamp is %lld ms off",
			       (long long)late_ms);
	return !o || !o->b.given ||
	       same(w, "the timestamp echoed", p->ts_ecr, o->b.plus);
}

static bool judge_sack(struct play *w, const struct peer *c,
		       const struct script_seg *e, const struct packet *p)
{
	const struct seg_opt *o;
	unsigned int n = 0;

	for (; (o = opt_find(e, SEG_SACK, n)) && n < p->nsack; n++) {
		int64_t start = relative(p->sack[n].start, c->at.irs);
		int64_t end = relative(p->sack[n].end, c->at.irs);

		if (start != play_number(&o->a, c, true) ||
		    end != play_number(&o->b, c, true))
			return differs(w, "SACK block %u is %lld:%lld", n + 1,
				       (long long)start, (long long)end);
	}
	if (!o && n == p->nsack)
		return true;
	while (opt_find(e, SEG_SACK, n))
		n++;
	return same(w, "the number of SACK blocks", p->nsack, n);
}

static bool judge_options(struct play *w, const struct peer *c,
			  const struct script_seg *e, const struct packet *p)
{
	const struct seg_opt *mss = opt_find(e, SEG_MSS, 0);
	const struct seg_opt *ws = opt_find(e, SEG_WS, 0);

	/* RFC 9293, 3.7.1 and 3.2: with every SYN, and with nothing else. */
	if (!judge_presence(w, "MSS", p->has_mss, p->flags & TH_SYN) ||
	    !judge_presence(w, "window scale", p->has_ws, ws) ||
	    !judge_presence(w, "SACK-permitted", p->sack_ok,
			    opt_find(e, SEG_SACKOK, 0)) ||
	    !judge_presence(w, "unknown", p->odd, opt_find(e, SEG_RAW, 0)))
		return false;
	if (mss && mss->a.given && !same(w, "the MSS", p->mss, mss->a.plus))
		return false;
	if (ws && ws->a.given &&
	    !same(w, "the window scale", p->ws, ws->a.plus))
		return false;
	return judge_ts(w, c, e, p) && judge_sack(w, c, e, p);
}

/* ---- TCP -------------------------------------------------------------- */

static bool judge_text(struct play *w, const struct peer *c,
		       const struct script_seg *e, const struct packet *p)
{
	uint32_t first = p->seq - c->iss;

	if (e->text)
		return memcmp(p->text, e->text, p->len) == 0 ||
		       differs(w, "the text is '%.*s', expected '%s'",
			       (int)p->len, (const char *)p->text, e->text);
	for (unsigned int i = 0; i < w->s->nlisteners; i++) {
		const char *service = w->s->listeners[i].service;

		/* The others have words of their own. */
		if (w->s->listeners[i].port == c->at.own_port &&
		    strcmp(service, "app") != 0 && strcmp(service, "echo") != 0)
			return true;
	}
	for (uint32_t i = 0; i < p->len; i++)
		if (p->text[i] != stage_pattern(first + i))
			return differs(w, "the byte with number %u is wrong",
				       first + i);
	return true;
}

static bool judge_numbers(struct play *w, const struct peer *c,
			  const struct script_seg *e, const struct packet *p)
{
	int64_t seq = relative(p->seq, c->iss), want, len = 0;

	want = e->seq.given ? play_number(&e->seq, c, false) : c->own_nxt;
	if (e->end.given)
		len = play_number(&e->end, c, false) - want;
	if (e->text)
		len = (int64_t)strlen(e->text);
	if (!same(w, "the sequence number", seq, want) ||
	    !same(w, "the length of the text", p->len, len))
		return false;
	if (!(p->flags & TH_ACK))
		return true;
	want = e->ack.given ? play_number(&e->ack, c, true) : c->nxt;
	return same(w, "the acknowledgment number", relative(p->ack, c->at.irs),
		    want);
}

static bool judge_header(struct play *w, const struct peer *c,
			 const struct script_seg *e, const struct packet *p)
{
	if (e->win.given &&
	    !same(w, "the window", p->wnd, play_number(&e->win, c, true)))
		return false;
	if (e->up.given && !same(w, "the urgent pointer", p->up, e->up.plus))
		return false;
	if (e->ttl >= 0 && !same(w, "the TTL", p->ttl, e->ttl))
		return false;
	return e->tos < 0 || same(w, "the traffic class", p->tos, e->tos);
}

static bool judge_icmp(struct play *w, const struct script_seg *e,
		       const struct packet *p)
{
	if (!p->icmp)
		return differs(w, "it is no ICMP message");
	if (strcmp(packet_icmp_kind(p), e->icmp) != 0)
		return differs(w, "the message is %s (type %u, code %u)",
			       packet_icmp_kind(p), p->type, p->code);
	for (uint32_t i = 0; strcmp(e->icmp, "reply") == 0 && i < p->len; i++)
		if (p->text[i] != stage_pattern(i))
			return differs(w, "byte %u comes back wrong", i);
	return !e->icmp_len.given ||
	       same(w, "its length", p->len, e->icmp_len.plus);
}

bool judge(struct play *w, const struct peer *c, const struct script_seg *e,
	   const struct packet *p)
{
	char got[9], want[9];

	if (memcmp(&p->src, &w->g->own, sizeof(p->src)) != 0 ||
	    memcmp(&p->dst, &w->g->peer, sizeof(p->dst)) != 0)
		return differs(w, "the addresses are wrong");
	if (e->icmp)
		return judge_icmp(w, e, p);
	if (!p->tcp)
		return differs(w, "it is no TCP segment");
	if (p->dport != c->at.peer_port)
		return differs(w, "it is for conn %d",
			       (uint16_t)(p->dport - w->g->first_port));
	if (p->flags != e->flags)
		return differs(w, "the flags are %s, expected %s",
			       script_flag_letters(p->flags, got),
			       script_flag_letters(e->flags, want));
	return judge_numbers(w, c, e, p) && judge_header(w, c, e, p) &&
	       judge_options(w, c, e, p) && judge_text(w, c, e, p);
}

/* ---- words ------------------------------------------------------------ */

struct text {
	char *at;
	size_t left;
};

static void add(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= t->left)
		n = (int)t->left - 1;
	t->at += n;
	t->left -= (size_t)n;
}

void judge_describe(char *buf, size_t len, const struct peer *c,
		    const struct packet *p, bool sent)
{
	static const struct peer none;
	struct text t = {buf, len};
	uint32_t mine, other;
	char flags[9];

	c = c ? c : &none;
	mine = sent ? c->at.irs : c->iss;
	other = sent ? c->iss : c->at.irs;
	if (p->other) {
		add(&t, "%s proto %u len %u", sent ? ">" : "<", p->other,
		    p->len);
		return;
	}
	if (!p->tcp) {
		add(&t, "%s icmp %s len %u", sent ? ">" : "<",
		    packet_icmp_kind(p), p->len);
		return;
	}
	add(&t, "%s %s %lld", sent ? ">" : "<",
	    script_flag_letters(p->flags, flags),
	    (long long)relative(p->seq, mine));
	if (p->len)
		add(&t, ":%lld", (long long)relative(p->seq, mine) + p->len);
	if (p->flags & TH_ACK)
		add(&t, " ack %lld", (long long)relative(p->ack, other));
	add(&t, " win %u", p->wnd);
	if (p->flags & TH_URG)
		add(&t, " up %u", p->up);
	if (p->has_mss)
		add(&t, " mss %u", p->mss);
	if (p->has_ws)
		add(&t, " ws %u", p->ws);
	if (p->sack_ok)
		add(&t, " sackok");
	if (p->has_ts)
		add(&t, " ts %lld ecr %u",
		    (long long)(sent ? p->ts_val : p->ts_val - c->ts_first),
		    p->ts_ecr);
	for (unsigned int i = 0; i < p->nsack; i++)
		add(&t, "%s %lld:%lld", i ? "" : " sack",
		    (long long)relative(p->sack[i].start, other),
		    (long long)relative(p->sack[i].end, other));
	if (p->tos)
		add(&t, " tos %u", p->tos);
}
