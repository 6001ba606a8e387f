/*
 * evmemory.c - The latest events, for whoever asks later or reads slowly
 *
 * A sink that copies each event into a ring and forgets the oldest. A reader is
 * nothing but a place in it: it reads as fast as it can, and when the ring has
 * gone past its place it knows how many it missed. So however many readers there
 * are and however slow, an event costs one copy of some hundred bytes, and
 * nobody waits.
 *
 * What is remembered is what the log shows by default, and what a reader asked
 * for beyond that while it reads.
 */
#include "evmemory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "log.h"

#define TELL_US 10000 /* between two wake-ups of the readers */

static void take(struct evbus_sink *s, const struct evbus_record *r);
static int64_t turn(struct evbus_sink *s, int64_t now_us);
static void want(struct evmemory *m);
static struct evmemory_slot *slot(const struct evmemory *m, uint64_t place);

int evmemory_start(struct evmemory *m, struct evbus *b, uint32_t size)
{
	memset(m, 0, sizeof(*m));
	m->bus = b;
	m->sink.take = take;
	m->sink.turn = turn;
	for (m->size = size ? 1 : 0; m->size < size;)
		m->size *= 2;
	if (m->size) {
		m->slots = calloc(m->size, sizeof(*m->slots));
		if (!m->slots)
			return -ENOMEM;
	}
	evbus_add(b, &m->sink);
	want(m);
	return 0;
}

void evmemory_free(struct evmemory *m)
{
	for (uint32_t i = 0; i < m->size; i++)
		evbus_drop(m->slots[i].note);
	free(m->slots);
	m->slots = NULL;
	m->size = 0;
}

void evmemory_read(struct evmemory *m, int level)
{
	m->readers[level]++;
	want(m);
}

void evmemory_unread(struct evmemory *m, int level)
{
	ASSERT(m->readers[level] > 0);
	m->readers[level]--;
	want(m);
}

uint64_t evmemory_first(const struct evmemory *m)
{
	return m->put > m->size ? m->put - m->size : 0;
}

/* Times rise with the places, but for a clock that was set: the first that is
 * not older, found from the end. */
uint64_t evmemory_since(const struct evmemory *m, int64_t wall_us)
{
	uint64_t first = evmemory_first(m), at = m->put;

	while (at > first && slot(m, at - 1)->wall_us >= wall_us)
		at--;
	return at;
}

void evmemory_get(const struct evmemory *m, uint64_t place,
		  struct evbus_record *r)
{
	const struct evmemory_slot *s = slot(m, place);

	ASSERT(place >= evmemory_first(m));
	ASSERT(place < m->put);
	r->seq = s->seq;
	r->wall_us = s->wall_us;
	r->e = &s->e;
	r->note = s->note;
}

static void take(struct evbus_sink *s, const struct evbus_record *r)
{
	struct evmemory *m = (struct evmemory *)s;
	struct evmemory_slot *to = slot(m, m->put++);

	evbus_drop(to->note);
	to->seq = r->seq;
	to->wall_us = r->wall_us;
	to->e = *r->e;
	to->note = r->note;
	evbus_hold(r->note);
}

static int64_t turn(struct evbus_sink *s, int64_t now_us)
{
	struct evmemory *m = (struct evmemory *)s;

	if (m->told == m->put || !m->on_new)
		return TIME_NEVER;
	if (now_us < m->told_us + TELL_US)
		return m->told_us + TELL_US;
	m->told = m->put;
	m->told_us = now_us;
	m->on_new(m->arg);
	return TIME_NEVER;
}

static void want(struct evmemory *m)
{
	int level = LOG_LEVEL_INFO;

	for (int i = level + 1; i <= LOG_LEVEL_DEBUG; i++) {
		if (m->readers[i])
			level = i;
	}
	evbus_want(m->bus, &m->sink, m->size ? evbus_level_mask(level) : 0);
}

static struct evmemory_slot *slot(const struct evmemory *m, uint64_t place)
{
	return &m->slots[place & (m->size - 1)];
}
