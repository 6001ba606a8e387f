/*
 * sim_events.c - What the stack says about itself, held against the RFC
 *
 * Every change of state must be an arrow of RFC 9293, figure 5 (with those of
 * 3.10.7 that the figure leaves out), and every event must carry a number one
 * above the last, but for those that were counted as lost.
 */
#include "sim.h"

#include <inttypes.h>

#define TO(s) (1u << TCP_##s)

/* Where each state may lead; CLOSED is always allowed (reset, time-out). */
static const uint32_t arrows[TCP_NSTATES] = {
	[TCP_CLOSED] = TO(LISTEN) | TO(SYN_SENT) | TO(SYN_RECEIVED) |
		       /* a SYN cookie came back */
		       TO(ESTABLISHED),
	[TCP_LISTEN] = TO(SYN_RECEIVED) | TO(SYN_SENT) | TO(ESTABLISHED),
	[TCP_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED),
	[TCP_SYN_RECEIVED] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(CLOSE_WAIT),
	[TCP_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT),
	[TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT),
	[TCP_FIN_WAIT_2] = TO(TIME_WAIT),
	[TCP_CLOSE_WAIT] = TO(LAST_ACK),
	[TCP_CLOSING] = TO(TIME_WAIT),
	[TCP_LAST_ACK] = 0,
	[TCP_TIME_WAIT] = TO(SYN_RECEIVED), /* RFC 6191 */
};

static void check_state(const struct event *e)
{
	SIM_REQUIRE(e->a >= 0 && e->a < TCP_NSTATES && e->b >= 0 &&
			    e->b < TCP_NSTATES,
		    "event with states %" PRId64 " and %" PRId64, e->a, e->b);
	SIM_REQUIRE(e->b == TCP_CLOSED || arrows[e->a] & 1u << e->b,
		    "c%" PRIu32 " goes from %s to %s", e->conn,
		    tcp_state_name((enum tcp_state)e->a),
		    tcp_state_name((enum tcp_state)e->b));
}

/** events_drain() - Take all events of a turn */
void events_drain(struct host *h)
{
	uint64_t mask = h->sim->opts->event_mask[h->side];
	const struct event *e;
	struct stack_stats s;

	while ((e = stack_event_next(h->st))) {
		trace_event(h, e);
		SIM_REQUIRE(e->type < EVENT_NTYPES &&
				    mask & UINT64_C(1) << e->type,
			    "event %u was not asked for", e->type);
		SIM_REQUIRE(e->number > h->events_seen,
			    "event %" PRIu64 " after %" PRIu64, e->number,
			    h->events_seen);
		h->events_lost += e->number - h->events_seen - 1;
		h->events_seen = e->number;
		SIM_REQUIRE(e->at_us <= h->sim->now_us,
			    "event %" PRIu64 " from the future", e->number);
		if (e->type == EVENT_STATE)
			check_state(e);
	}
	stack_stats(h->st, &s);
	SIM_REQUIRE(s.events_lost >= h->events_lost,
		    "%" PRIu64 " events lost, %" PRIu64 " counted",
		    h->events_lost, s.events_lost);
}
