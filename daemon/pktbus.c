/*
 * pktbus.c - Every packet to everybody who wants to see it
 *
 * The stack has one watcher, the daemon has several who watch: the memory of
 * packets, captures, alerts. While there is none the stack is told so, and
 * spends nothing on it.
 */
#include "pktbus.h"

static void show_packet(void *ctx, const struct stack_packet *p);
static void show_end(void *ctx, const struct conn_info *info);

void pktbus_init(struct pktbus *b, struct stack *st)
{
	b->st = st;
	TAILQ_INIT(&b->sinks);
}

void pktbus_add(struct pktbus *b, struct pktbus_sink *s)
{
	const struct stack_watcher w = {show_packet, show_end, b};

	if (TAILQ_EMPTY(&b->sinks))
		stack_watch(b->st, &w);
	TAILQ_INSERT_TAIL(&b->sinks, s, link);
}

void pktbus_remove(struct pktbus *b, struct pktbus_sink *s)
{
	TAILQ_REMOVE(&b->sinks, s, link);
	if (TAILQ_EMPTY(&b->sinks))
		stack_watch(b->st, NULL);
}

static void show_packet(void *ctx, const struct stack_packet *p)
{
	struct pktbus *b = ctx;
	struct pktbus_sink *s, *next;

	for (s = TAILQ_FIRST(&b->sinks); s; s = next) {
		next = TAILQ_NEXT(s, link);
		s->packet(s, p);
	}
}

static void show_end(void *ctx, const struct conn_info *info)
{
	struct pktbus *b = ctx;
	struct pktbus_sink *s, *next;

	for (s = TAILQ_FIRST(&b->sinks); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->ended)
			s->ended(s, info);
	}
}
