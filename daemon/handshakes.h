/*
 * handshakes.h - How long handshakes take, and how they end
 */
#ifndef TCPHS_HANDSHAKES_H
#define TCPHS_HANDSHAKES_H

#include <jansson.h>

#include <tcphs/histogram.h>
#include <tcphs/stack.h>

#include "evbus.h"

/* How a handshake ends: name, key. */
#define HANDSHAKE_OUTCOME_LIST(O)           \
	O(COMPLETED, "completed")           \
	O(REFUSED, "refused")               \
	O(TIMEOUT, "timeout")               \
	O(RESET, "reset")                   \
	O(UNREACHABLE, "unreachable")       \
	O(PROTOCOL_ERROR, "protocol_error") \
	O(ABORTED, "aborted") /* by us */

enum handshake_outcome {
#define OUTCOME_ENUM(name, key) OUTCOME_##name,
	HANDSHAKE_OUTCOME_LIST(OUTCOME_ENUM)
#undef OUTCOME_ENUM
		HANDSHAKE_NOUTCOMES
};

enum handshake_leg { LEG_SYN_SYNACK, LEG_SYNACK_ACK, HANDSHAKE_NLEGS };

/* Those of one listener, or those of our own active opens. */
struct handshake_group {
	char name[STACK_NAME_MAX]; /* of the listener; "" = slot is free */
	int64_t slow_us;	   /* longer ones are told; 0 = none */
	struct histogram time;	   /* of those whose SYN is remembered */
	struct histogram rtt;	   /* of its connections, as they end */
	uint64_t outcome[HANDSHAKE_NOUTCOMES];
	uint64_t resent;  /* completed after we sent something again */
	uint64_t again;	  /* completed after the client's SYN came again */
	uint64_t cookies; /* completed by cookie: nobody knows how long */
	uint64_t slow;
	int64_t told_us;     /* when the second of this budget began */
	unsigned int told;   /* events in it */
	unsigned int untold; /* slow ones beyond it */
};

struct handshakes {
	struct evbus_sink sink;
	struct evbus *bus;
	int64_t (*clock)(void);
	bool each; /* has its own turn: clock() says when that ended */
	struct handshake_group server[STACK_LISTENERS_MAX], client;
	struct histogram leg[HANDSHAKE_NLEGS][2]; /* by enum tcp_role */
	/* Answered in this turn; how long we took is known at its end. */
	unsigned int answered[2];
	/* The longest of late turns: what came in it had to wait for us. */
	int64_t busy_us, busy_until_us;
};

/**
 * handshakes_start() - Measure what the bus tells
 * @clock: The clock of the stack, to be read at the end of a turn
 */
void handshakes_start(struct handshakes *h, struct evbus *bus,
		      int64_t (*clock)(void));

/** handshakes_of_turns() - Events come from the turns of several threads
 * @ended_us: When the turn ended that the event in work was in */
void handshakes_of_turns(struct handshakes *h, int64_t (*ended_us)(void));

/**
 * handshakes_listener() - Which listener has this index now
 * @name:    "" if none; another one than before begins with nothing
 * @slow_us: Tell of handshakes that take longer; 0 = of none
 */
void handshakes_listener(struct handshakes *h, unsigned int index,
			 const char *name, int64_t slow_us);

/** handshake_outcome_name() - "completed" */
const char *handshake_outcome_name(enum handshake_outcome o);

/** handshakes_describe() - A group as JSON; NULL without memory */
json_t *handshakes_describe(const struct handshake_group *g,
			    enum tcp_role role);

#endif
