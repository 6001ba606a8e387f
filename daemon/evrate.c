/*
 * evrate.c - So many events a second, and a count of the others
 *
 * Under load there are more events than anybody reads. Each type has a budget
 * of its own, so that a flood of one does not hide the others; beyond it an
 * event costs a comparison. A second begins with its first event, and whoever
 * shows them says at its end how many were left out.
 */
#include "evrate.h"

#include <string.h>

#include <tcphs/stack.h>

#define SECOND_US 1000000

/* Is it about the daemon itself? */
static bool is_own(uint8_t type)
{
	return type >= EVENT_LOST && type <= EVENT_DAEMON_STOPPING;
}

bool evrate_take(struct evrate *r, uint8_t type)
{
	if (is_own(type))
		return true;
	r->counted = true;
	if (r->taken[type]++ < r->max)
		return true;
	r->left_out[type]++;
	r->left_out_ever++;
	r->owes = true;
	return false;
}

static void say_left_out(struct evrate *r,
			 void (*tell)(void *arg, enum event_type type,
				      uint32_t n),
			 void *arg)
{
	for (int t = 0; t < EVENT_NTYPES; t++) {
		if (r->left_out[t])
			tell(arg, (enum event_type)t, r->left_out[t]);
		r->left_out[t] = 0;
	}
	r->owes = false;
}

int64_t evrate_turn(struct evrate *r, int64_t now_us,
		    void (*tell)(void *arg, enum event_type type, uint32_t n),
		    void *arg)
{
	if (r->until_us && now_us >= r->until_us) {
		if (r->owes)
			say_left_out(r, tell, arg);
		memset(r->taken, 0, sizeof(r->taken));
		r->until_us = 0;
	} else if (r->counted && !r->until_us) {
		r->until_us = now_us + SECOND_US;
	}
	r->counted = false;
	return r->until_us ? r->until_us : TIME_NEVER;
}
