/*
 * sim_box.c - A middlebox on the path
 *
 * It looks into segments and changes them: takes options away, clamps the MSS,
 * moves the sequence numbers of both directions (as boxes do that distrust the
 * ISNs of the hosts), clears the traffic class, cuts segments into smaller ones
 * and joins those that follow each other. A segment that waits to be joined is
 * held for a while; everything else of its direction pushes it out.
 *
 * What it does is the same for all connections; what it must remember is kept
 * by the port of side 0.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "sim_segment.h"

static void box_options(const struct box_opts *b, struct path *path,
			struct segment *s);
static void box_numbers(const struct box_opts *b, unsigned int from,
			struct segment *s);
static void box_cut(struct link *l, struct segment *s);
static void box_join(struct link *l, const struct segment *s);
static void box_release(struct sim *sim, struct hold *h);
static void box_emit(struct link *l, const struct segment *s);

static bool box_is_there(const struct box_opts *b)
{
	return b->syn_strip || b->synack_strip || b->mss_clamp || b->shift[0] ||
	       b->shift[1] || b->ts_strip_after || b->split || b->join ||
	       b->clear_ecn || b->clear_dscp;
}

/**
 * box_pass() - Send a packet through the box, and on to link_emit()
 *
 * What it cannot read goes through as it is.
 */
void box_pass(struct link *l, const uint8_t *pkt, uint32_t len,
	      uint16_t gso_size)
{
	const struct box_opts *b = &l->sim->opts->box;
	struct segment s;

	if (!box_is_there(b) || gso_size || !segment_parse(pkt, len, &s)) {
		link_emit(l, pkt, len, gso_size);
		return;
	}
	box_options(b, &l->sim->path[l->from ? s.dport : s.sport][l->from], &s);
	box_numbers(b, l->from, &s);
	if (b->clear_ecn)
		s.tos &= 0xfc;
	if (b->clear_dscp)
		s.tos &= 0x03;
	if (b->join)
		box_join(l, &s);
	else
		box_cut(l, &s);
}

/** box_deadline() - When it sends what it holds; TIME_NEVER */
int64_t box_deadline(const struct sim *sim)
{
	int64_t first_us = TIME_NEVER;

	for (unsigned int i = 0; i < ARRAY_LEN(sim->hold); i++)
		if (sim->hold[i].len && sim->hold[i].at_us < first_us)
			first_us = sim->hold[i].at_us;
	return first_us;
}

/** box_expire() - Send what was held long enough */
void box_expire(struct sim *sim)
{
	for (unsigned int i = 0; i < ARRAY_LEN(sim->hold); i++)
		if (sim->hold[i].len && sim->hold[i].at_us <= sim->now_us)
			box_release(sim, &sim->hold[i]);
}

/** box_free() - Forget everything */
void box_free(struct sim *sim)
{
	for (unsigned int i = 0; i < ARRAY_LEN(sim->hold); i++)
		free(sim->hold[i].pkt);
}

static void box_strip(struct segment *s, uint8_t strip)
{
	if (strip & STRIP_MSS)
		segment_opt_drop(s, KIND_MSS);
	if (strip & STRIP_WSCALE)
		segment_opt_drop(s, KIND_WSCALE);
	if (strip & STRIP_SACK)
		segment_opt_drop(s, KIND_SACK_OK);
	if (strip & STRIP_TS)
		segment_opt_drop(s, KIND_TS);
}

static void box_options(const struct box_opts *b, struct path *path,
			struct segment *s)
{
	uint8_t *mss;

	path->passed++;
	if (!(s->flags & TH_SYN)) {
		if (b->ts_strip_after && path->passed > b->ts_strip_after)
			segment_opt_drop(s, KIND_TS);
		return;
	}
	box_strip(s, s->flags & TH_ACK ? b->synack_strip : b->syn_strip);
	mss = segment_opt(s, KIND_MSS);
	if (mss && b->mss_clamp && get16(mss + 2) > b->mss_clamp)
		put16(mss + 2, b->mss_clamp);
}

static void box_numbers(const struct box_opts *b, unsigned int from,
			struct segment *s)
{
	uint8_t *sack = segment_opt(s, KIND_SACK);

	s->seq += b->shift[from];
	if (s->flags & TH_ACK)
		s->ack -= b->shift[!from];
	if (!sack || b->sack_as_is)
		return;
	for (unsigned int i = 2; i + 4 <= sack[1]; i += 4)
		put32(sack + i, get32(sack + i) - b->shift[!from]);
}

/* Nothing that occupies a special place among the bytes is cut or joined. */
static bool is_plain(const struct segment *s)
{
	return s->len && !(s->flags & (TH_SYN | TH_RST | TH_URG));
}

static void box_cut(struct link *l, struct segment *s)
{
	const struct box_opts *b = &l->sim->opts->box;
	uint32_t n = 1, size = s->len;
	struct segment part;

	if (b->split && is_plain(s) && s->len > b->split) {
		size = b->split;
		n = (s->len + size - 1) / size;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = b->backwards ? n - 1 - i : i;

		part = *s;
		part.seq += at * size;
		part.text += at * size;
		part.len = at == n - 1 ? s->len - at * size : size;
		if (at != n - 1)
			part.flags &= (uint8_t) ~(TH_FIN | TH_PSH);
		box_emit(l, &part);
	}
}

static bool is_next(const struct segment *a, const struct segment *b,
		    uint32_t most)
{
	return b->sport == a->sport && b->dport == a->dport &&
	       b->seq == a->seq + a->len && is_plain(b) &&
	       !(a->flags & TH_FIN) && b->opt_len == a->opt_len &&
	       a->len + b->len <= most;
}

static void box_hold(struct link *l, struct hold *h, const struct segment *s)
{
	struct sim *sim = l->sim;

	if (!h->pkt)
		h->pkt = malloc(SIM_PACKET_MAX);
	ASSERT(h->pkt);
	if (!h->len)
		h->at_us = sim->now_us + sim->opts->box.join_us;
	h->link = l;
	h->len = segment_build(h->pkt, s);
}

/* One place a direction, whatever the connection. */
static void box_join(struct link *l, const struct segment *s)
{
	static uint8_t text[SIM_PACKET_MAX];
	struct hold *h = &l->sim->hold[l->from];
	struct segment held, whole = *s;

	if (h->len) {
		ASSERT(segment_parse(h->pkt, h->len, &held));
		if (is_next(&held, s, l->sim->opts->box.join)) {
			memcpy(text, held.text, held.len);
			memcpy(text + held.len, s->text, s->len);
			whole.seq = held.seq;
			whole.text = text;
			whole.len = held.len + s->len;
			box_hold(l, h, &whole);
			return;
		}
		box_release(l->sim, h);
	}
	if (is_plain(s))
		box_hold(l, h, s);
	else
		box_cut(l, &whole);
}

static void box_release(struct sim *sim, struct hold *h)
{
	struct segment s;

	(void)sim;
	ASSERT(segment_parse(h->pkt, h->len, &s));
	h->len = 0;
	box_cut(h->link, &s);
}

static void box_emit(struct link *l, const struct segment *s)
{
	static uint8_t buf[SIM_PACKET_MAX];

	link_emit(l, buf, segment_build(buf, s), 0);
}
