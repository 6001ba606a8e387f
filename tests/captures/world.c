/*
 * world.c - Many conversations at once
 *
 * They begin one after the other, and a heap holds those that go on by the time
 * of their next segment. With each frame the truth of its connection learns its
 * number; when the last segment is out, the truth is whole.
 */
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "gen.h"

#define BEGINNING (1700000000ll * SECOND)

struct world {
	const struct world_conf *conf;
	struct rng r;
	struct conv **heap; /* from 1 */
	uint32_t n, room;
	struct conv *spare;
};

#define CLASS_ENTRY(name) script_##name,
script_fn *const scripts[CLASS_NCLASSES] = {CLASS_LIST(CLASS_ENTRY)};
#undef CLASS_ENTRY

const char *class_name(unsigned int class)
{
	static const char *const names[] = {
#define CLASS_WORD(name) #name,
		CLASS_LIST(CLASS_WORD)
#undef CLASS_WORD
	};

	return names[class];
}

static int64_t next_ns(const struct conv *c)
{
	return c->seg[c->at].ns;
}

static void push(struct world *w, struct conv *c)
{
	uint32_t i;

	if (w->n + 1 >= w->room) {
		w->room = w->room ? w->room * 2 : 64;
		w->heap = realloc(w->heap, w->room * sizeof(*w->heap));
		ASSERT(w->heap);
	}
	for (i = ++w->n; i > 1 && next_ns(w->heap[i / 2]) > next_ns(c); i /= 2)
		w->heap[i] = w->heap[i / 2];
	w->heap[i] = c;
}

static struct conv *pop(struct world *w)
{
	struct conv *first = w->heap[1], *last = w->heap[w->n--];
	uint32_t i = 1, child;

	while ((child = 2 * i) <= w->n) {
		if (child < w->n &&
		    next_ns(w->heap[child + 1]) < next_ns(w->heap[child]))
			child++;
		if (next_ns(w->heap[child]) >= next_ns(last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return first;
}

static int by_time(const void *a, const void *b)
{
	const struct seg *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static void converse(struct world *w, int64_t now, uint32_t number)
{
	const struct world_conf *conf = w->conf;
	struct container *box = conf->container;
	struct conv *c = w->spare;
	struct seg *seg;
	uint32_t room;
	struct talk t;
	int class = conf->class;

	if (class < 0)
		class = (int)draw(&w->r, CLASS_NCLASSES);
	if (c)
		w->spare = c->next;
	else
		c = calloc(1, sizeof(*c));
	ASSERT(c);
	seg = c->seg;
	room = c->room;
	memset(c, 0, sizeof(*c));
	c->seg = seg;
	c->room = room;
	c->path.snap = UINT16_MAX;
	c->path.iface = (uint8_t)draw(&w->r, box->nifaces);
	if (!conf->plain)
		wrap_draw(&c->path, &w->r, box->link[c->path.iface]);
	memset(&t, 0, sizeof(t));
	t.brief = conf->brief;
	talk_begin(&t, &w->r, c, (enum class) class, now);
	if (conf->crowd != CROWD_NONE) {
		class = (int)crowd_join(&t, conf->crowd, number);
		t.truth->class = (uint8_t) class;
	}
	scripts[class](&t);
	ASSERT(c->n);
	qsort(c->seg, c->n, sizeof(*c->seg), by_time);
	push(w, c);
}

static void note(struct truth *h, const struct seg *s, uint64_t number)
{
	if (!h->first_frame) {
		h->first_frame = number;
		h->start_ns = s->ns;
	}
	h->last_frame = number;
	h->end_ns = s->ns;
	h->packets[s->from]++;
	switch (s->mark) {
	case MARK_SYN:
		h->syn_frame = number;
		break;
	case MARK_SYNACK:
		h->synack_frame = number;
		break;
	case MARK_ACK:
		h->ack_frame = number;
		break;
	}
}

static void say(struct world *w, struct conv *c)
{
	struct container *box = w->conf->container;
	const struct seg *s = &c->seg[c->at];
	struct wrapped frame[2];
	unsigned int n = wrap(c, s, box->link[c->path.iface],
			      container_swapped(box), frame);

	for (unsigned int i = 0; i < n; i++)
		container_frame(box, c->path.iface, s->ns, &frame[i]);
	if (!s->icmp)
		note(&c->truth[s->truth], s, box->frames);
	if (++c->at < c->n) {
		push(w, c);
		return;
	}
	for (uint8_t i = 0; i < c->ntruths; i++)
		w->conf->fn(w->conf->ctx, c, &c->truth[i]);
	c->next = w->spare;
	w->spare = c;
}

void world_run(const struct world_conf *conf)
{
	struct world w = {.conf = conf, .r = {conf->seed * 7919 + 1}};
	int64_t begin_ns = BEGINNING;
	uint32_t begun = 0;

	conf->container->r.state = conf->seed + 5;
	container_begin(conf->container);
	while (begun < conf->conversations || w.n) {
		if (begun < conf->conversations &&
		    (!w.n || begin_ns <= next_ns(w.heap[1]))) {
			converse(&w, begin_ns, begun);
			begun++;
			begin_ns +=
				draw(&w.r, (uint32_t)(2 * conf->gap_ns / US)) *
				US;
			continue;
		}
		say(&w, pop(&w));
	}
	while (w.spare) {
		struct conv *c = w.spare;

		w.spare = c->next;
		free(c->seg);
		free(c);
	}
	free(w.heap);
}
