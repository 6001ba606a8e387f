/*
 * pktbus.c - Every packet to everybody who wants to see it
 *
 * The stack has one watcher, the daemon has several who watch: the memory of
 * packets, captures, alerts. While there is none the stack is told so, and
 * spends nothing on it. With several stacks packets come from their threads
 * (pktbus_from()), cut to what the most curious sink looks at.
 */
#include "pktbus.h"

static void watch(struct pktbus *b);
static void show_packet(void *ctx, const struct stack_packet *p);
static void show_end(void *ctx, const struct conn_end *end);

void pktbus_init(struct pktbus *b, struct stack *st)
{
	*b = (struct pktbus){.st = st};
	TAILQ_INIT(&b->sinks);
}

void pktbus_from(struct pktbus *b, pktbus_watch_fn *fn, void *arg)
{
	b->watch = fn;
	b->watch_arg = arg;
}

void pktbus_add(struct pktbus *b, struct pktbus_sink *s)
{
	TAILQ_INSERT_TAIL(&b->sinks, s, link);
	watch(b);
}

void pktbus_remove(struct pktbus *b, struct pktbus_sink *s)
{
	TAILQ_REMOVE(&b->sinks, s, link);
	watch(b);
}

void pktbus_packet(struct pktbus *b, const struct stack_packet *p)
{
	struct pktbus_sink *s, *next;

	for (s = TAILQ_FIRST(&b->sinks); s; s = next) {
		next = TAILQ_NEXT(s, link);
		s->packet(s, p);
	}
}

void pktbus_ended(struct pktbus *b, const struct conn_end *end)
{
	struct pktbus_sink *s, *next;

	for (s = TAILQ_FIRST(&b->sinks); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->ended)
			s->ended(s, end);
	}
}

void pktbus_missed(struct pktbus *b, int64_t before_us)
{
	struct pktbus_sink *s;

	for (s = TAILQ_FIRST(&b->sinks); s; s = TAILQ_NEXT(s, link))
		if (s->missed)
			s->missed(s, before_us);
}

static void watch(struct pktbus *b)
{
	struct stack_watcher w = {show_packet, show_end, b};
	struct pktbus_sink *s = TAILQ_FIRST(&b->sinks);
	uint32_t snap = 0;

	if (!b->watch) {
		/* Mostly there is one, the memory of packets. */
		if (s && !TAILQ_NEXT(s, link))
			w = (struct stack_watcher){s->packet, s->ended, s};
		stack_watch(b->st, s ? &w : NULL);
		return;
	}
	for (s = TAILQ_FIRST(&b->sinks); s; s = TAILQ_NEXT(s, link)) {
		if (!s->snap)
			snap = UINT32_MAX;
		else if (s->snap > snap)
			snap = s->snap;
	}
	b->watch(b->watch_arg, snap);
}

static void show_packet(void *ctx, const struct stack_packet *p)
{
	pktbus_packet(ctx, p);
}

static void show_end(void *ctx, const struct conn_end *end)
{
	pktbus_ended(ctx, end);
}
