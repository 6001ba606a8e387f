/*
 * flow_copy.c - Packets that were captured twice, and bytes that came twice
 *
 * A mirror port shows a packet as it comes in and as it goes out, a bridge at
 * each of its interfaces. That is no retransmission: what is sent again is sent
 * later, and in another IP packet. So a packet like one of the last few of its
 * side is a copy if it has the same IP identification, or, without any, if it
 * came too soon for its sender to have missed the first one and with nothing of
 * the other side in between. A copy counts as a packet, and moves nothing.
 *
 * Of two captures that were merged a whole burst comes before its copies. Once a
 * connection had a copy, more packets are remembered.
 *
 * A SYN whose copy has another maximum segment size was changed between two
 * places that were both captured.
 */
#include "flow.h"

#include <stdlib.h>

#define COPY_NS	   1000000   /* without an identification */
#define COPY_ID_NS 100000000 /* with one; SYNs, which nobody repeats so soon */

static uint32_t mark_of(const struct packet *p);
static bool is_known(const struct half *h, uint32_t mark);
static bool was_sent(const struct flow *f, const struct packet *p, enum side s,
		     uint32_t mark);
static void remember(struct flow *f, enum side s, uint32_t mark);
static uint8_t ago(const struct half *h, uint32_t mark);
static bool is_soon(const struct flow *f, const struct packet *p, enum side s,
		    uint8_t between);

bool flow_copy(struct flow *f, const struct packet *p, enum side s,
	       const struct copies *copies)
{
	struct half *me = &f->half[s];
	uint32_t mark = mark_of(p);
	struct copy_match m;

	if ((is_known(me, mark) && is_soon(f, p, s, ago(me, mark))) ||
	    was_sent(f, p, s, mark)) {
		m = copies_match(copies, me->text, p);
		if (m.same == m.again)
			return true;
	}
	remember(f, s, mark);
	return false;
}

void flow_copied(struct flow *f, const struct packet *p, enum side s)
{
	struct half *me = &f->half[s];

	me->packets++;
	f->last_frame = (uint32_t)p->number;
	f->end_ns = p->ns;
	if (p->flags & TH_SYN && p->opts & POPT_MSS && p->mss != me->mss)
		flow_anomaly(f, ANOMALY_MSS_CHANGED, s, p, me->mss, p->mss);
	else
		flow_anomaly(f, ANOMALY_DUPLICATE, s, p, 0, 0);
	if (f->extra && !f->extra->copied)
		f->extra->copied = calloc(1, sizeof(*f->extra->copied));
}

/* The same numbers with other contents: an endpoint keeps the first copy, some
 * watchers the last, and that is how one deceives the other. */
void flow_contents(struct flow *f, const struct packet *p, enum side s,
		   struct copies *copies)
{
	struct half *me = &f->half[s];
	struct copy_match m = {0};

	if (!p->cap_len || p->notes & NOTE_TCP_SUM)
		return;
	if (seq_lt(p->seq, me->next)) {
		m = copies_match(copies, me->text, p);
		if (m.same != m.again)
			flow_anomaly(f,
				     m.whole ? ANOMALY_DIFFERENT_DATA
					     : ANOMALY_OVERLAP_DATA,
				     s, p, m.again, m.same);
	}
	if (!m.again || seq_gt(p->seq + p->len, me->next))
		me->text = copies_add(copies, me->text, p);
}

/* All that makes a packet of its side another one, but for what a hop on the
 * way may change. */
static uint32_t mark_of(const struct packet *p)
{
	const uint64_t odd = 0x9e3779b97f4a7c15u;
	uint64_t a = (uint64_t)p->seq << 32 | p->ack;
	uint64_t b =
		(uint64_t)p->ts_val << 32 | (uint32_t)p->wnd << 16 | p->ip_id;
	uint64_t c = (uint64_t)p->len << 32 | (uint32_t)p->flags << 16 |
		     (uint32_t)p->nsacks << 8 | p->opts;

	return (uint32_t)((((a * odd ^ b) * odd ^ c) * odd) >> 32) | 1;
}

static bool is_known(const struct half *h, uint32_t mark)
{
	bool known = false;

	for (int i = 0; i < RECENT_MAX; i++)
		known |= h->recent[i] == mark;
	return known;
}

/* Nobody sends two packets that are alike even to their identification; or,
 * without any, so soon and with nothing of the other side in between. */
static bool was_sent(const struct flow *f, const struct packet *p, enum side s,
		     uint32_t mark)
{
	const struct copied *c = f->extra ? f->extra->copied : NULL;

	uint8_t n = f->half[s].run;

	if (!c || !is_soon(f, p, s, 0))
		return false;
	if (p->has_ip_id && p->ip_id)
		n = COPIED_MAX;
	for (uint8_t i = 1; i <= n; i++)
		if (c->mark[s][(c->next[s] + COPIED_MAX - i) % COPIED_MAX] ==
		    mark)
			return true;
	return false;
}

static void remember(struct flow *f, enum side s, uint32_t mark)
{
	struct half *me = &f->half[s];
	struct copied *c = f->extra ? f->extra->copied : NULL;

	me->recent[me->next_recent] = mark;
	me->next_recent = (uint8_t)((me->next_recent + 1) % RECENT_MAX);
	me->run += me->run < COPIED_MAX;
	f->half[!s].run = 0;
	if (!c)
		return;
	c->mark[s][c->next[s]] = mark;
	c->next[s] = (uint8_t)((c->next[s] + 1) % COPIED_MAX);
}

/* How many of its packets lie between. */
static uint8_t ago(const struct half *h, uint32_t mark)
{
	uint8_t n = 1;

	while (h->recent[(h->next_recent + RECENT_MAX - n) % RECENT_MAX] !=
	       mark)
		n++;
	return n - 1;
}

static bool is_soon(const struct flow *f, const struct packet *p, enum side s,
		    uint8_t between)
{
	const struct half *me = &f->half[s];
	int64_t since_ns = p->ns - f->end_ns;

	if (p->has_ip_id && p->ip_id)
		return since_ns < COPY_ID_NS;
	if (between >= me->run)
		return false;
	if (p->flags & TH_SYN)
		return since_ns < COPY_ID_NS;
	/* An ACK may be as the one before; but not by another way. */
	if (!p->len && !(p->flags & (TH_FIN | TH_RST)) && p->ttl == me->ttl)
		return false;
	return since_ns < COPY_NS;
}
