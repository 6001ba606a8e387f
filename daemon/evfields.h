/*
 * evfields.h - What is known of an event, by name
 */
#ifndef TCPHS_EVFIELDS_H
#define TCPHS_EVFIELDS_H

#include <tcphs/outcome.h>
#include <tcphs/stack.h>

#include "evbus.h"

/*
 * Called for each field, in a fixed order.
 * @key:  snake_case, with its unit; seg_* are numbers of the segment
 * @text: NULL if it is a number
 */
typedef void evfield_fn(void *arg, const char *key, const char *text,
			int64_t number);

/**
 * evfields() - Name all that is known of an event, but its time and sentence
 * @st: For the name of the listener; NULL if that does not matter
 *
 * What is not known, or means nothing for this type, is left out.
 */
void evfields(const struct evbus_record *r, const struct stack *st,
	      evfield_fn *fn, void *arg);

/** evfields_outcome() - How the handshake of an event ended, or is so far */
enum outcome evfields_outcome(const struct event *e);

#endif
