/*
 * copies.c - The text that passed last, to compare with what comes again
 *
 * A log of segments, one behind the other, in a ring: a head, and the first
 * TEXT_MAX bytes of text. Each has the place of the one that the same side sent
 * before it, and whoever judges a connection keeps the place of the last. So new
 * text is written where the memory is warm, and nothing is looked up until
 * numbers come again.
 *
 * Places count units of UNIT bytes and go on growing: what is further back than
 * the ring is long has been overwritten. A segment knows its own place, for
 * after 2^32 units another one may have the number of an old one. One that
 * begins at the end of the ring runs on behind it.
 */
#include "copies.h"

#include <stdlib.h>
#include <string.h>

#include "core/seq.h"

#define UNIT	 32u
#define TEXT_MAX 2048u
#define STEPS	 16 /* segments of a side that are looked at */

struct segment {
	copies_ref self, before;
	tcp_seq seq;
	uint32_t len;  /* as it was sent */
	uint32_t kept; /* of it */
	uint8_t text[];
};

struct copies {
	uint32_t units; /* of the ring; a power of two */
	copies_ref next;
	uint8_t ring[];
};

static const struct segment *find(const struct copies *c, copies_ref ref);
static void compare(const struct segment *s, const struct packet *p,
		    struct copy_match *m);

struct copies *copies_new(size_t size)
{
	const size_t behind = sizeof(struct segment) + TEXT_MAX;
	struct copies *c;
	uint32_t units = 1;

	while (2ull * units * UNIT <= size)
		units *= 2;
	c = calloc(1, sizeof(*c) + (size_t)units * UNIT + behind);
	if (!c)
		return NULL;
	c->units = units;
	c->next = units; /* 0 is no place */
	return c;
}

void copies_free(struct copies *c)
{
	free(c);
}

struct copy_match copies_match(const struct copies *c, copies_ref last,
			       const struct packet *p)
{
	const struct segment *s = find(c, last);
	struct copy_match m = {0};

	for (int i = 0; s && i < STEPS; i++, s = find(c, s->before))
		compare(s, p, &m);
	return m;
}

copies_ref copies_add(struct copies *c, copies_ref last, const struct packet *p)
{
	copies_ref self = c->next ? c->next : c->units;
	struct segment *s =
		(struct segment *)(c->ring + self % c->units * UNIT);

	*s = (struct segment){
		.self = self,
		.before = last,
		.seq = p->seq,
		.len = p->len,
		.kept = p->cap_len < TEXT_MAX ? p->cap_len : TEXT_MAX,
	};
	memcpy(s->text, p->text, s->kept);
	c->next = self + (sizeof(*s) + s->kept + UNIT - 1) / UNIT;
	return self;
}

static const struct segment *find(const struct copies *c, copies_ref ref)
{
	const struct segment *s =
		(const struct segment *)(c->ring + ref % c->units * UNIT);

	if (!ref || c->next - ref > c->units || s->self != ref)
		return NULL;
	return s->kept <= TEXT_MAX ? s : NULL;
}

static void compare(const struct segment *s, const struct packet *p,
		    struct copy_match *m)
{
	tcp_seq from = seq_max(s->seq, p->seq);
	tcp_seq to = seq_min(s->seq + s->kept, p->seq + p->cap_len);
	const uint8_t *a = s->text + (from - s->seq);
	const uint8_t *b = p->text + (from - p->seq);

	if (seq_geq(from, to))
		return;
	m->again += to - from;
	for (uint32_t i = 0; i < to - from; i++)
		m->same += a[i] == b[i];
	if (s->seq == p->seq && s->len == p->len)
		m->whole = true;
}
