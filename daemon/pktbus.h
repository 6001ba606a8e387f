/*
 * pktbus.h - Every packet to everybody who wants to see it
 */
#ifndef TCPHS_PKTBUS_H
#define TCPHS_PKTBUS_H

#include <sys/queue.h>

#include <tcphs/stack.h>

/* Inside whatever watches: one of several struct stack_watcher, whose functions
 * get the sink. */
struct pktbus_sink {
	TAILQ_ENTRY(pktbus_sink) link;
	void (*packet)(void *sink, const struct stack_packet *p);
	void (*ended)(void *sink, const struct conn_end *end); /* or NULL */
	/* Packets were lost on the way here, all before that time. May be
	 * NULL. */
	void (*missed)(void *sink, int64_t before_us);
	uint32_t snap; /* bytes of a packet it looks at; 0 = all */
};

/* Have the first @snap bytes of packets shown; 0 = none any more. */
typedef void pktbus_watch_fn(void *arg, uint32_t snap);

struct pktbus {
	struct stack *st;
	pktbus_watch_fn *watch; /* NULL: st is watched */
	void *watch_arg;
	TAILQ_HEAD(pktbus_sinks, pktbus_sink) sinks;
};

void pktbus_init(struct pktbus *b, struct stack *st);

/** pktbus_from() - Packets come from elsewhere; before pktbus_add() */
void pktbus_from(struct pktbus *b, pktbus_watch_fn *watch, void *arg);

/** pktbus_add() - Show @s every packet, after the sinks before it */
void pktbus_add(struct pktbus *b, struct pktbus_sink *s);

/** pktbus_remove() - No more; may be called by @s itself, inside a callback */
void pktbus_remove(struct pktbus *b, struct pktbus_sink *s);

/** pktbus_packet() - Show a packet to all; for pktbus_from() */
void pktbus_packet(struct pktbus *b, const struct stack_packet *p);
void pktbus_ended(struct pktbus *b, const struct conn_end *end);

/** pktbus_missed() - Some could not be shown; for pktbus_from() */
void pktbus_missed(struct pktbus *b, int64_t before_us);

#endif
