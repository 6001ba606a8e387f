/*
 * evbus.c - Every event, numbered, to everybody who wants it
 *
 * The core writes events into its ring, the shell posts its own. Once a turn
 * evbus_drain() takes both, gives each the next number, and hands it to every
 * sink whose mask has its type. The union of the masks is the core's mask, so
 * what nobody wants is not recorded in the first place.
 *
 * Nobody is waited for: a sink takes an event and returns. What the ring had no
 * room for is counted, by the gap in the core's own numbers, and told as one
 * event of its own (lost).
 *
 * What is posted waits in a short queue until the drain, because a sink may
 * post, too, and all sinks are to see all events in the same order.
 */
#include "evbus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tcphs/jsontext.h>

#include "core/assert.h"
#include "wallclock.h"

#define SECOND_US  1000000
#define POSTED_MAX 256 /* notes that wait for the drain */
#define TEXT_MAX   512 /* of a posted sentence */

static void post(struct evbus *b, const struct event *e,
		 const struct evbus_fact *facts, unsigned int nfacts,
		 const char *fmt, va_list ap);
static struct evbus_note *note_new(const struct event *e, const char *text,
				   const struct evbus_fact *facts,
				   unsigned int nfacts);
static char *clean_copy(char *to, const char *text);
static void take_core(struct evbus *b);
static void take_posted(struct evbus *b);
static void tell_lost(struct evbus *b);
static void hand_out(struct evbus *b, const struct event *e,
		     struct evbus_note *note);

void evbus_init(struct evbus *b, struct stack *st, void (*kick)(void *arg),
		void *kick_arg)
{
	memset(b, 0, sizeof(*b));
	b->st = st;
	b->kick = kick;
	b->kick_arg = kick_arg;
	TAILQ_INIT(&b->sinks);
	STAILQ_INIT(&b->posted);
}

void evbus_from(struct evbus *b, const struct evbus_source *source)
{
	b->source = *source;
}

void evbus_free(struct evbus *b)
{
	struct evbus_note *n;

	while ((n = STAILQ_FIRST(&b->posted))) {
		STAILQ_REMOVE_HEAD(&b->posted, link);
		evbus_drop(n);
	}
	b->nposted = 0;
}

void evbus_add(struct evbus *b, struct evbus_sink *s)
{
	TAILQ_INSERT_TAIL(&b->sinks, s, link);
	evbus_want(b, s, s->mask);
}

void evbus_want(struct evbus *b, struct evbus_sink *s, uint64_t mask)
{
	s->mask = mask;
	b->mask = 0;
	for (s = TAILQ_FIRST(&b->sinks); s; s = TAILQ_NEXT(s, link))
		b->mask |= s->mask;
	mask = b->mask & (EVBUS_BIT(EVENT_NCORE) - 1);
	if (b->source.want)
		b->source.want(b->source.arg, mask);
	else
		stack_event_mask(b->st, mask);
}

uint64_t evbus_level_mask(int level)
{
	uint64_t mask = 0;

	for (int t = 0; t < EVENT_NTYPES; t++) {
		if (event_level((enum event_type)t) <= level)
			mask |= EVBUS_BIT(t);
	}
	return mask;
}

int64_t evbus_drain(struct evbus *b, int64_t now_us)
{
	int64_t at_us, next_us = TIME_NEVER;
	struct evbus_sink *s = NULL;

	b->wall_off_us = 0;
	take_core(b);
	take_posted(b);
	for (s = TAILQ_FIRST(&b->sinks); s; s = TAILQ_NEXT(s, link)) {
		at_us = s->turn ? s->turn(s, now_us) : TIME_NEVER;
		if (at_us < next_us)
			next_us = at_us;
	}
	return STAILQ_EMPTY(&b->posted) ? next_us : now_us;
}

void evbus_post(struct evbus *b, const struct event *e,
		const struct evbus_fact *facts, unsigned int nfacts,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	post(b, e, facts, nfacts, fmt, ap);
	va_end(ap);
}

void evbus_say(struct evbus *b, enum event_type type, int64_t a,
	       const char *fmt, ...)
{
	const struct event e = {
		.type = (uint8_t)type,
		.a = a,
		.listener = LISTENER_NONE,
	};
	va_list ap;

	va_start(ap, fmt);
	post(b, &e, NULL, 0, fmt, ap);
	va_end(ap);
}

void evbus_hold(struct evbus_note *n)
{
	if (n)
		n->holders++;
}

void evbus_drop(struct evbus_note *n)
{
	if (n && --n->holders == 0)
		free(n);
}

int64_t evbus_now_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * SECOND_US + ts.tv_nsec / 1000;
}

static void post(struct evbus *b, const struct event *e,
		 const struct evbus_fact *facts, unsigned int nfacts,
		 const char *fmt, va_list ap)
{
	struct evbus_note *n = NULL;
	char text[TEXT_MAX];

	ASSERT(e->type < EVENT_NTYPES);
	if (!(b->mask & EVBUS_BIT(e->type)))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (b->nposted < POSTED_MAX)
		n = note_new(e, text, facts, nfacts);
	if (!n) {
		b->lost++;
		return;
	}
	STAILQ_INSERT_TAIL(&b->posted, n, link);
	b->nposted++;
	if (b->kick)
		b->kick(b->kick_arg);
}

/* Facts, then the sentence, then the texts of the facts, in one piece. */
static struct evbus_note *note_new(const struct event *e, const char *text,
				   const struct evbus_fact *facts,
				   unsigned int nfacts)
{
	size_t len = strlen(text) + 1;
	struct evbus_fact *copy;
	struct evbus_note *n;
	char *p;

	for (unsigned int i = 0; i < nfacts; i++)
		len += facts[i].text ? strlen(facts[i].text) + 1 : 0;
	n = malloc(sizeof(*n) + nfacts * sizeof(*facts) + len);
	if (!n)
		return NULL;
	copy = (struct evbus_fact *)(n + 1);
	p = (char *)(copy + nfacts);
	*n = (struct evbus_note){
		.holders = 1,
		.e = *e,
		.text = p,
		.facts = copy,
		.nfacts = nfacts,
	};
	if (!n->e.at_us)
		n->e.at_us = evbus_now_us(CLOCK_MONOTONIC);
	p = clean_copy(p, text);
	for (unsigned int i = 0; i < nfacts; i++) {
		copy[i] = facts[i];
		if (!facts[i].text)
			continue;
		copy[i].text = p;
		p = clean_copy(p, facts[i].text);
	}
	return n;
}

/* Texts may hold what somebody wrote into a file; none of it shall move a
 * terminal's cursor or end a line, wherever it is shown. */
static char *clean_copy(char *to, const char *text)
{
	char *end = stpcpy(to, text) + 1;

	jsontext_clean(to);
	return end;
}

static const struct event *next_core(struct evbus *b)
{
	const struct event *e;

	if (b->source.next)
		return b->source.next(b->source.arg, &b->lost);
	e = stack_event_next(b->st);
	if (e && e->number > b->core + 1)
		b->lost += e->number - b->core - 1;
	b->core = e ? e->number : b->core;
	return e;
}

static void take_core(struct evbus *b)
{
	const struct event *e;

	while ((e = next_core(b))) {
		if (b->lost)
			tell_lost(b);
		hand_out(b, e, NULL);
	}
}

static void take_posted(struct evbus *b)
{
	struct evbus_notes now = STAILQ_HEAD_INITIALIZER(now);
	struct evbus_note *n;

	STAILQ_CONCAT(&now, &b->posted);
	b->nposted = 0;
	while ((n = STAILQ_FIRST(&now))) {
		STAILQ_REMOVE_HEAD(&now, link);
		hand_out(b, &n->e, n);
		evbus_drop(n);
	}
	if (b->lost)
		tell_lost(b);
}

static void tell_lost(struct evbus *b)
{
	struct event e = {
		.type = EVENT_LOST,
		.at_us = evbus_now_us(CLOCK_MONOTONIC),
		.a = (int64_t)b->lost,
		.listener = LISTENER_NONE,
	};

	b->lost_total += b->lost;
	b->lost = 0;
	hand_out(b, &e, NULL);
}

static void hand_out(struct evbus *b, const struct event *e,
		     struct evbus_note *note)
{
	struct evbus_record r = {.e = e, .note = note};
	struct evbus_sink *s = NULL;

	if (!(b->mask & EVBUS_BIT(e->type)))
		return;
	if (!b->wall_off_us)
		b->wall_off_us = wallclock_off_ns() / 1000;
	r.seq = ++b->seq;
	r.wall_us = e->at_us + b->wall_off_us;
	for (s = TAILQ_FIRST(&b->sinks); s; s = TAILQ_NEXT(s, link)) {
		if (s->mask & EVBUS_BIT(e->type))
			s->take(s, &r);
	}
}
