/*
 * evlog.h - Events as lines for people
 */
#ifndef TCPHS_EVLOG_H
#define TCPHS_EVLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "evbus.h"

struct evlog {
	struct evbus_sink sink;
	struct evbus *bus;
	int64_t until_us; /* end of the second; 0 = none has begun */
	bool counted;	  /* lines in this turn */
	bool owes;	  /* lines were left out and not told */
	uint32_t lines[EVENT_NTYPES];
	uint32_t left_out[EVENT_NTYPES];
};

/**
 * evlog_start() - Log what a level wants, see log_init() for where
 * @handshakes: The ordinary life of connections, too
 *
 * Bounded a second per event type; what was left out is counted and said.
 */
void evlog_start(struct evlog *l, struct evbus *b, int level, bool handshakes);

/** evlog_level() - The same at another level from now on */
void evlog_level(struct evlog *l, int level, bool handshakes);

/** evlog_mask() - Which events that needs */
uint64_t evlog_mask(int level, bool handshakes);

#endif
