/*
 * evlog.h - Events as lines for people
 */
#ifndef TCPHS_EVLOG_H
#define TCPHS_EVLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "evbus.h"
#include "evrate.h"

struct evlog {
	struct evbus_sink sink;
	struct evbus *bus;
	struct evrate rate;
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

/**
 * evlog_module() - Another level for events whose name begins with a word
 * @module: "segment", of segment.dropped; until evlog_level()
 *
 * Return: false if there are none
 */
bool evlog_module(struct evlog *l, const char *module, int level);

/** evlog_mask() - Which events that needs */
uint64_t evlog_mask(int level, bool handshakes);

#endif
