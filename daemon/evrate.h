/*
 * evrate.h - So many events a second, and a count of the others
 */
#ifndef TCPHS_EVRATE_H
#define TCPHS_EVRATE_H

#include <stdbool.h>
#include <stdint.h>

#include <tcphs/event.h>

struct evrate {
	uint32_t max;	  /* of each type in a second */
	int64_t until_us; /* end of the second; 0 = none has begun */
	bool counted;	  /* since the last turn */
	bool owes;	  /* some were left out and not told */
	uint64_t left_out_ever;
	uint32_t taken[EVENT_NTYPES];
	uint32_t left_out[EVENT_NTYPES];
};

/**
 * evrate_take() - May this one be shown?
 *
 * What the daemon says of itself always may.
 */
bool evrate_take(struct evrate *r, uint8_t type);

/**
 * evrate_turn() - Once a turn: begin and end the seconds
 * @tell: Called at the end of one for each type of which some were left out
 *
 * Return: when to call it again at the latest; TIME_NEVER if nothing is owed
 */
int64_t evrate_turn(struct evrate *r, int64_t now_us,
		    void (*tell)(void *arg, enum event_type type, uint32_t n),
		    void *arg);

#endif
