/*
 * evbus.h - Every event, numbered, to everybody who wants it
 */
#ifndef TCPHS_EVBUS_H
#define TCPHS_EVBUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include <tcphs/stack.h>

#define EVBUS_BIT(type) (UINT64_C(1) << (type))
_Static_assert(EVENT_NTYPES <= 64, "a mask has 64 bits");

/* Something else that is known: a text, or a number if @text is NULL. */
struct evbus_fact {
	const char *key; /* snake_case, with its unit */
	const char *text;
	int64_t number;
};

/*
 * What an event of the shell brings with it, in one piece of memory. Whoever
 * keeps a record holds it (evbus_hold()).
 */
struct evbus_note {
	STAILQ_ENTRY(evbus_note) link;
	unsigned int holders;
	struct event e;
	const char *text; /* a sentence */
	const struct evbus_fact *facts;
	unsigned int nfacts;
};

struct evbus_record {
	uint64_t seq;		 /* consecutive from 1 */
	int64_t wall_us;	 /* since 1970, UTC */
	const struct event *e;	 /* valid while it is taken */
	struct evbus_note *note; /* NULL if the core emitted it */
};

/* Inside whatever takes events; set mask through evbus_want() only. */
struct evbus_sink {
	TAILQ_ENTRY(evbus_sink) link;
	uint64_t mask; /* EVBUS_BIT()s of the types it is given */
	void (*take)(struct evbus_sink *s, const struct evbus_record *r);
	/* At the end of each drain; may be NULL. Returns when it wants to be
	 * called at the latest, or TIME_NEVER. */
	int64_t (*turn)(struct evbus_sink *s, int64_t now_us);
};

/* Where the core's events come from, if not from one stack. */
struct evbus_source {
	/* Record these types from now on. */
	void (*want)(void *arg, uint64_t mask);
	/* The oldest, NULL if there is none; valid until the next call. Adds to
	 * @lost what nobody will get. */
	const struct event *(*next)(void *arg, uint64_t *lost);
	void *arg;
};

struct evbus {
	struct stack *st;	    /* knows the names of the listeners */
	struct evbus_source source; /* next is NULL: it is st */
	void (*kick)(void *arg);    /* something was posted: drain soon */
	void *kick_arg;
	TAILQ_HEAD(evbus_sinks, evbus_sink) sinks;
	uint64_t mask; /* of all of them */
	uint64_t seq;  /* of the last record */
	uint64_t core; /* number of the core's last event */
	STAILQ_HEAD(evbus_notes, evbus_note) posted;
	unsigned int nposted;
	uint64_t lost;	     /* events nobody got, not told yet */
	uint64_t lost_total; /* since start */
	int64_t wall_off_us; /* wall clock less monotonic; 0 = not read yet */
};

/**
 * evbus_init() - A bus without sinks
 * @kick: Called when something was posted; may be NULL
 */
void evbus_init(struct evbus *b, struct stack *st, void (*kick)(void *arg),
		void *kick_arg);

/** evbus_from() - Take the core's events from elsewhere; before evbus_add() */
void evbus_from(struct evbus *b, const struct evbus_source *source);

/** evbus_free() - Forget what was posted; the sinks are their owners' */
void evbus_free(struct evbus *b);

/** evbus_add() - Give @s what its mask says, after the sinks before it */
void evbus_add(struct evbus *b, struct evbus_sink *s);

/** evbus_want() - Give @s other types from now on */
void evbus_want(struct evbus *b, struct evbus_sink *s, uint64_t mask);

/** evbus_level_mask() - All types of a log level and those more urgent */
uint64_t evbus_level_mask(int level);

/**
 * evbus_drain() - Number and hand out all that happened; once a turn
 *
 * Return: when to call it again at the latest, TIME_NEVER if it may wait
 */
int64_t evbus_drain(struct evbus *b, int64_t now_us);

/**
 * evbus_post() - Tell what did not happen in the core
 * @e:     Type, and what is known of a and b, connection and ends; copied, and
 *         given the time if at_us is 0
 * @facts: Copied, but for their keys, which must stay
 * @fmt:   A sentence without its final point
 *
 * Control characters in texts become '?'.
 *
 * Costs nothing if nobody wants the type. May be called anywhere, also by a
 * sink; it is handed out by the next evbus_drain(), behind what the core had to
 * say before.
 */
void evbus_post(struct evbus *b, const struct event *e,
		const struct evbus_fact *facts, unsigned int nfacts,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/** evbus_say() - The same for a sentence alone */
void evbus_say(struct evbus *b, enum event_type type, int64_t a,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** evbus_now_us() - CLOCK_MONOTONIC or CLOCK_REALTIME, in microseconds */
int64_t evbus_now_us(clockid_t id);

void evbus_hold(struct evbus_note *n);
void evbus_drop(struct evbus_note *n);

#endif
