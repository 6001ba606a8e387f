/*
 * handshakes.c - How long handshakes take, and how they end
 *
 * A handshake has two legs. To a client that connects to us, SYN to SYN-ACK is
 * our work and SYN-ACK to ACK is the way there and back and the client's; when
 * we connect it is the other way round. Nothing is kept for that in a
 * connection: we answer a SYN in the turn that read it, or not at all, so the
 * event of a completed handshake has the whole time and says by its flags what
 * was lost, and our own leg is what the turn took (its end is read from the
 * clock if it answered anybody).
 *
 * A turn that took long delays all who came in it. The longest of late is
 * remembered, so that a slow handshake is not blamed on a client that waited
 * for us.
 */
#include "handshakes.h"

#include <stdio.h>
#include <string.h>

#include "core/assert.h"

#define SECOND_US	1000000
#define TOLD_A_SECOND	10		 /* slow handshakes, of each listener */
#define BUSY_REMEMBERED (10 * SECOND_US) /* a long turn is news for so long */

#define WANTED                                  \
	(EVBUS_BIT(EVENT_SYN_RECEIVED) |        \
	 EVBUS_BIT(EVENT_HANDSHAKE_COMPLETED) | \
	 EVBUS_BIT(EVENT_HANDSHAKE_FAILED) | EVBUS_BIT(EVENT_CONN_CLOSED))

static void take(struct evbus_sink *s, const struct evbus_record *r);
static int64_t turn(struct evbus_sink *s, int64_t now_us);
static void answered(struct handshakes *h, int64_t now_us);
static struct handshake_group *group_of(struct handshakes *h,
					const struct event *e);
static void completed(struct handshakes *h, struct handshake_group *g,
		      const struct event *e);
static void tell_slow(struct handshakes *h, struct handshake_group *g,
		      const struct event *e);
static enum handshake_outcome outcome_of(const struct event *e);
static json_t *buckets_json(const struct histogram *t);

static const char *const outcome_names[] = {
#define OUTCOME_NAME(name, key) key,
	HANDSHAKE_OUTCOME_LIST(OUTCOME_NAME)
#undef OUTCOME_NAME
};

void handshakes_start(struct handshakes *h, struct evbus *bus,
		      int64_t (*clock)(void))
{
	memset(h, 0, sizeof(*h));
	h->bus = bus;
	h->clock = clock;
	h->sink.mask = WANTED;
	h->sink.take = take;
	h->sink.turn = turn;
	evbus_add(bus, &h->sink);
}

void handshakes_of_turns(struct handshakes *h, int64_t (*ended_us)(void))
{
	h->clock = ended_us;
	h->each = true;
}

void handshakes_listener(struct handshakes *h, unsigned int index,
			 const char *name, int64_t slow_us)
{
	struct handshake_group *g = &h->server[index];

	ASSERT(index < STACK_LISTENERS_MAX);
	if (strcmp(g->name, name) != 0) {
		memset(g, 0, sizeof(*g));
		snprintf(g->name, sizeof(g->name), "%s", name);
	}
	g->slow_us = slow_us;
}

const char *handshake_outcome_name(enum handshake_outcome o)
{
	ASSERT(o < HANDSHAKE_NOUTCOMES);
	return outcome_names[o];
}

static void take(struct evbus_sink *s, const struct evbus_record *r)
{
	struct handshakes *h = (struct handshakes *)s; /* its first member */
	const struct event *e = r->e;
	struct handshake_group *g = group_of(h, e);

	_Static_assert(offsetof(struct handshakes, sink) == 0, "a cast");
	if (!g)
		return;
	switch (e->type) {
	case EVENT_SYN_RECEIVED:
		h->answered[ROLE_SERVER]++;
		break;
	case EVENT_HANDSHAKE_COMPLETED:
		completed(h, g, e);
		break;
	case EVENT_HANDSHAKE_FAILED:
		g->outcome[outcome_of(e)]++;
		break;
	case EVENT_CONN_CLOSED:
		if (e->b > 0)
			histogram_add(&g->rtt, e->b, 1);
		break;
	}
	if (h->each)
		answered(h, e->at_us);
}

/* All that was answered in this turn took as long as the turn. */
static int64_t turn(struct evbus_sink *s, int64_t now_us)
{
	answered((struct handshakes *)s, now_us);
	return TIME_NEVER;
}

static void answered(struct handshakes *h, int64_t now_us)
{
	int64_t took_us;

	if (!h->answered[ROLE_SERVER] && !h->answered[ROLE_CLIENT])
		return;
	took_us = h->clock() - now_us;
	histogram_add(&h->leg[LEG_SYN_SYNACK][ROLE_SERVER], took_us,
		      h->answered[ROLE_SERVER]);
	histogram_add(&h->leg[LEG_SYNACK_ACK][ROLE_CLIENT], took_us,
		      h->answered[ROLE_CLIENT]);
	h->answered[ROLE_SERVER] = h->answered[ROLE_CLIENT] = 0;
	if (took_us >= h->busy_us ||
	    now_us - h->busy_until_us > BUSY_REMEMBERED) {
		h->busy_us = took_us;
		h->busy_until_us = now_us + took_us;
	}
}

/* NULL if nobody knows the listener (any more). */
static struct handshake_group *group_of(struct handshakes *h,
					const struct event *e)
{
	if (e->role == ROLE_CLIENT)
		return &h->client;
	if (e->listener >= STACK_LISTENERS_MAX ||
	    !h->server[e->listener].name[0])
		return NULL;
	return &h->server[e->listener];
}

static void completed(struct handshakes *h, struct handshake_group *g,
		      const struct event *e)
{
	bool client = e->role == ROLE_CLIENT;

	g->outcome[OUTCOME_COMPLETED]++;
	g->resent += (e->b & HANDSHAKE_RESENT) != 0;
	g->again += (e->b & HANDSHAKE_SYN_AGAIN) != 0;
	g->cookies += (e->b & HANDSHAKE_COOKIE) != 0;
	if (client)
		h->answered[ROLE_CLIENT]++;
	if (e->a < 0)
		return;
	histogram_add(&g->time, e->a, 1);
	histogram_add(
		&h->leg[client ? LEG_SYN_SYNACK : LEG_SYNACK_ACK][e->role],
		e->a, 1);
	if (g->slow_us && e->a > g->slow_us) {
		g->slow++;
		tell_slow(h, g, e);
	}
}

/* What made a client's handshake slow, as far as this end can know. */
static const char *cause_of(const struct handshakes *h, const struct event *e,
			    bool *ours)
{
	bool again = e->b & HANDSHAKE_SYN_AGAIN;
	int64_t since_us = e->at_us - e->a;

	*ours = h->busy_us >= e->a / 2 && h->busy_until_us >= since_us;
	if (*ours)
		return "the daemon was busy";
	if (again)
		return "our SYN-ACK was lost or late";
	/* Our timer and the client's run out at about the same time. */
	if (e->b & HANDSHAKE_RESENT)
		return "our SYN-ACK or the client's ACK was lost";
	return "the client answered late";
}

static void tell_slow(struct handshakes *h, struct handshake_group *g,
		      const struct event *e)
{
	struct event told = {
		.type = EVENT_HANDSHAKE_SLOW,
		.a = e->a,
		.b = e->b,
		.local = e->local,
		.peer = e->peer,
		.local_port = e->local_port,
		.peer_port = e->peer_port,
		.conn = e->conn,
		.listener = e->listener,
		.role = e->role,
		.state = e->state,
	};
	char more[48] = "";
	bool ours;
	const char *cause = cause_of(h, e, &ours);
	int64_t ours_us = ours ? h->busy_us : 0;
	const struct evbus_fact facts[] = {
		{"handshake_us", NULL, e->a},
		{"syn_synack_us", NULL, ours_us},
		{"synack_ack_us", NULL, e->a > ours_us ? e->a - ours_us : 0},
		{"slow_leg", ours ? "syn_synack" : "synack_ack", 0},
		{"whose", ours ? "ours" : "client", 0},
		{"cause", cause, 0},
		{"resent", NULL, e->b & HANDSHAKE_RESENT},
	};

	if (e->at_us - g->told_us >= SECOND_US) {
		g->told_us = e->at_us;
		g->told = 0;
	}
	if (g->told >= TOLD_A_SECOND) {
		g->untold++;
		return;
	}
	g->told++;
	if (g->untold)
		snprintf(more, sizeof(more), " (%u more before)", g->untold);
	g->untold = 0;
	evbus_post(
		h->bus, &told, facts, ARRAY_LEN(facts),
		"[Server] Slow handshake on listener %s: %.1f ms, most of it "
		"%s: %s%s",
		g->name, (double)e->a / 1e3,
		ours ? "ours (SYN to SYN-ACK)"
		     : "the client's (SYN-ACK to ACK)",
		cause, more);
}

static enum handshake_outcome outcome_of(const struct event *e)
{
	switch ((enum close_reason)e->a) {
	case CLOSE_REFUSED:
		return OUTCOME_REFUSED;
	case CLOSE_TIMEOUT_SYN:
	case CLOSE_TIMEOUT_SYNACK:
	case CLOSE_TIMEOUT_USER:
		return e->b & HANDSHAKE_ODD ? OUTCOME_PROTOCOL_ERROR
					    : OUTCOME_TIMEOUT;
	case CLOSE_RESET_BY_PEER:
		return OUTCOME_RESET;
	case CLOSE_UNREACHABLE:
		return OUTCOME_UNREACHABLE;
	default:
		return OUTCOME_ABORTED;
	}
}

/* ---- as JSON ----------------------------------------------------------- */

json_t *handshakes_describe(const struct handshake_group *g, enum tcp_role role)
{
	const struct histogram *t = &g->time;
	static const struct {
		const char *name;
		unsigned int permille;
	} percentiles[] = {
		{"p50_us", 500},
		{"p90_us", 900},
		{"p99_us", 990},
		{"p999_us", 999},
	};
	json_t *o = json_object(), *outcomes = json_object();

	if (g->name[0])
		json_object_set_new(o, "listener", json_string(g->name));
	json_object_set_new(
		o, "role",
		json_string(role == ROLE_CLIENT ? "client" : "server"));
	for (unsigned int i = 0; i < HANDSHAKE_NOUTCOMES; i++)
		json_object_set_new(outcomes, outcome_names[i],
				    json_integer((json_int_t)g->outcome[i]));
	json_object_set_new(o, "outcomes", outcomes);
	json_object_set_new(o, "resent", json_integer((json_int_t)g->resent));
	json_object_set_new(o, "syn_again", json_integer((json_int_t)g->again));
	json_object_set_new(o, "cookies", json_integer((json_int_t)g->cookies));
	json_object_set_new(o, "slow", json_integer((json_int_t)g->slow));
	json_object_set_new(o, "count", json_integer((json_int_t)t->count));
	json_object_set_new(o, "sum_us", json_integer((json_int_t)t->sum_us));
	if (t->count) {
		json_object_set_new(o, "min_us", json_integer(t->min_us));
		json_object_set_new(o, "max_us", json_integer(t->max_us));
		for (size_t i = 0; i < ARRAY_LEN(percentiles); i++)
			json_object_set_new(
				o, percentiles[i].name,
				json_integer(histogram_percentile(
					t, percentiles[i].permille)));
	}
	json_object_set_new(o, "buckets", buckets_json(t));
	return o;
}

/* [upper bound in us, how many], of those that have any. The last bucket has
 * no bound; the longest of all will do. */
static json_t *buckets_json(const struct histogram *t)
{
	json_t *a = json_array();

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		int64_t bound = histogram_bound(i);

		if (!t->bucket[i])
			continue;
		if (bound == INT64_MAX)
			bound = t->max_us;
		json_array_append_new(a, json_pack("[I,I]", (json_int_t)bound,
						   (json_int_t)t->bucket[i]));
	}
	return a;
}
