/*
 * test_handshakes.c - What is counted, timed and told of handshakes
 *
 * Events come from an array, as if the core had emitted them; the clock stands
 * still unless a test moves it.
 */
#include "unit.h"

#include <jansson.h>
#include <string.h>

#include "core/assert.h"
#include "handshakes.h"

#define MS INT64_C(1000)
#define S  (1000 * MS)

static struct {
	struct event events[64];
	size_t put, got;
	int64_t clock_us;
	struct evbus bus;
	struct handshakes h;
	/* What was told. */
	struct evbus_sink ear;
	unsigned int told;
	char text[256], leg[32], cause[64];
	struct event last;
} fake;

const struct event *stack_event_next(struct stack *st)
{
	(void)st;
	return fake.got < fake.put ? &fake.events[fake.got++] : NULL;
}

void stack_event_mask(struct stack *st, uint64_t mask)
{
	(void)st;
	(void)mask;
}

static int64_t fake_clock(void)
{
	return fake.clock_us;
}

static void hear(struct evbus_sink *s, const struct evbus_record *r)
{
	(void)s;
	fake.told++;
	fake.last = *r->e;
	snprintf(fake.text, sizeof(fake.text), "%s", r->note->text);
	for (unsigned int i = 0; i < r->note->nfacts; i++) {
		const struct evbus_fact *f = &r->note->facts[i];

		if (!strcmp(f->key, "slow_leg"))
			snprintf(fake.leg, sizeof(fake.leg), "%s", f->text);
		if (!strcmp(f->key, "cause"))
			snprintf(fake.cause, sizeof(fake.cause), "%s", f->text);
	}
}

/* Listener 0 is "demo" and slow from 500 ms on. */
static void start(void)
{
	memset(&fake, 0, sizeof(fake));
	evbus_init(&fake.bus, NULL, NULL, NULL);
	handshakes_start(&fake.h, &fake.bus, fake_clock);
	fake.ear.mask = EVBUS_BIT(EVENT_HANDSHAKE_SLOW);
	fake.ear.take = hear;
	evbus_add(&fake.bus, &fake.ear);
	handshakes_listener(&fake.h, 0, "demo", 500 * MS);
}

static void put(enum event_type type, enum tcp_role role, int64_t at_us,
		int64_t a, int64_t b)
{
	CU_ASSERT_FATAL(fake.put < ARRAY_LEN(fake.events));
	fake.events[fake.put] = (struct event){
		.number = fake.put + 1,
		.type = (uint8_t)type,
		.role = (uint8_t)role,
		.listener = role == ROLE_SERVER ? 0 : LISTENER_NONE,
		.at_us = at_us,
		.a = a,
		.b = b,
	};
	fake.put++;
}

/* A turn that began at @now_us and took @took_us. */
static void turn(int64_t now_us, int64_t took_us)
{
	fake.clock_us = now_us + took_us;
	evbus_drain(&fake.bus, now_us);
	evbus_drain(&fake.bus, now_us); /* what was posted in it */
}

static void server_handshake(int64_t at_us, int64_t us, int64_t how)
{
	put(EVENT_HANDSHAKE_COMPLETED, ROLE_SERVER, at_us, us, how);
	turn(at_us, 10);
}

/* Our leg is what the turn took, the client's all that followed. */
static void legs_of_a_server(void)
{
	start();
	put(EVENT_SYN_RECEIVED, ROLE_SERVER, S, 0, 0);
	put(EVENT_SYN_RECEIVED, ROLE_SERVER, S, 0, 0);
	turn(S, 40);
	server_handshake(S + 300, 300, 0);
	CU_ASSERT_EQUAL(fake.h.leg[LEG_SYN_SYNACK][ROLE_SERVER].count, 2);
	CU_ASSERT_EQUAL(fake.h.leg[LEG_SYN_SYNACK][ROLE_SERVER].max_us, 40);
	CU_ASSERT_EQUAL(fake.h.leg[LEG_SYNACK_ACK][ROLE_SERVER].count, 1);
	CU_ASSERT_EQUAL(fake.h.leg[LEG_SYNACK_ACK][ROLE_SERVER].max_us, 300);
	CU_ASSERT_EQUAL(fake.h.server[0].time.count, 1);
	CU_ASSERT_EQUAL(fake.h.server[0].time.sum_us, 300);
	CU_ASSERT_EQUAL(fake.h.server[0].outcome[OUTCOME_COMPLETED], 1);
}

static void legs_of_a_client(void)
{
	start();
	put(EVENT_HANDSHAKE_COMPLETED, ROLE_CLIENT, S, 213, 0);
	turn(S, 15);
	CU_ASSERT_EQUAL(fake.h.leg[LEG_SYN_SYNACK][ROLE_CLIENT].max_us, 213);
	CU_ASSERT_EQUAL(fake.h.leg[LEG_SYNACK_ACK][ROLE_CLIENT].max_us, 15);
	CU_ASSERT_EQUAL(fake.h.client.time.count, 1);
	CU_ASSERT_EQUAL(fake.h.server[0].time.count, 0);
}

/* A cookie keeps no time: counted, but in no bucket. */
static void cookie_is_not_timed(void)
{
	start();
	server_handshake(S, -1, HANDSHAKE_COOKIE);
	CU_ASSERT_EQUAL(fake.h.server[0].outcome[OUTCOME_COMPLETED], 1);
	CU_ASSERT_EQUAL(fake.h.server[0].cookies, 1);
	CU_ASSERT_EQUAL(fake.h.server[0].time.count, 0);
	CU_ASSERT_EQUAL(fake.told, 0);
}

static void outcomes(void)
{
	static const struct {
		enum close_reason why;
		enum handshake_outcome want;
		int64_t how;
	} ends[] = {
		{CLOSE_REFUSED, OUTCOME_REFUSED, 0},
		{CLOSE_TIMEOUT_SYN, OUTCOME_TIMEOUT, 0},
		{CLOSE_TIMEOUT_SYNACK, OUTCOME_TIMEOUT, 0},
		{CLOSE_RESET_BY_PEER, OUTCOME_RESET, 0},
		{CLOSE_UNREACHABLE, OUTCOME_UNREACHABLE, 0},
		{CLOSE_ADMIN, OUTCOME_ABORTED, 0},
		{CLOSE_NO_MEMORY, OUTCOME_ABORTED, 0},
		{CLOSE_TIMEOUT_SYN, OUTCOME_PROTOCOL_ERROR, HANDSHAKE_ODD},
		{CLOSE_REFUSED, OUTCOME_REFUSED, HANDSHAKE_ODD},
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		start();
		put(EVENT_HANDSHAKE_FAILED, ROLE_SERVER, S, ends[i].why,
		    ends[i].how);
		turn(S, 10);
		CU_ASSERT_EQUAL(fake.h.server[0].outcome[ends[i].want], 1);
	}
	CU_ASSERT_STRING_EQUAL(handshake_outcome_name(OUTCOME_RESET), "reset");
}

static void round_trips(void)
{
	start();
	put(EVENT_CONN_CLOSED, ROLE_SERVER, S, CLOSE_FIN, 180);
	put(EVENT_CONN_CLOSED, ROLE_SERVER, S, CLOSE_FIN, 0);
	turn(S, 10);
	CU_ASSERT_EQUAL(fake.h.server[0].rtt.count, 1);
	CU_ASSERT_EQUAL(fake.h.server[0].rtt.max_us, 180);
}

/* Four ways to be slow, four causes; the threshold itself is not slow. */
static void slow_ones(void)
{
	start();
	server_handshake(2 * S, 500 * MS, 0);
	CU_ASSERT_EQUAL(fake.told, 0);
	server_handshake(4 * S, 501 * MS, 0);
	CU_ASSERT_EQUAL(fake.told, 1);
	CU_ASSERT_EQUAL(fake.last.a, 501 * MS);
	CU_ASSERT_STRING_EQUAL(fake.leg, "synack_ack");
	CU_ASSERT_STRING_EQUAL(fake.cause, "the client answered late");
	CU_ASSERT_STRING_EQUAL(
		fake.text,
		"[Server] Slow handshake on listener demo: 501.0 ms, most of "
		"it the client's (SYN-ACK to ACK): the client answered late");
	server_handshake(6 * S, S, 1);
	CU_ASSERT_STRING_EQUAL(fake.cause,
			       "our SYN-ACK or the client's ACK was lost");
	server_handshake(8 * S, S, 1 | HANDSHAKE_SYN_AGAIN);
	CU_ASSERT_STRING_EQUAL(fake.cause, "our SYN-ACK was lost or late");
	/* The daemon was held up for 0.9 s while the client waited. */
	put(EVENT_SYN_RECEIVED, ROLE_SERVER, 10 * S, 0, 0);
	turn(10 * S, 900 * MS);
	server_handshake(11 * S, S, 0);
	CU_ASSERT_STRING_EQUAL(fake.leg, "syn_synack");
	CU_ASSERT_STRING_EQUAL(fake.cause, "the daemon was busy");
	CU_ASSERT_PTR_NOT_NULL(strstr(fake.text, "most of it ours"));
	CU_ASSERT_EQUAL(fake.h.server[0].slow, 4);
}

/* A turn that was long before this handshake began is no excuse. */
static void busy_before(void)
{
	start();
	put(EVENT_SYN_RECEIVED, ROLE_SERVER, S, 0, 0);
	turn(S, 900 * MS);
	server_handshake(4 * S, S, 0);
	CU_ASSERT_STRING_EQUAL(fake.leg, "synack_ack");
}

/* Ten a second; the next one told says how many were not. */
static void slow_ones_are_limited(void)
{
	start();
	for (unsigned int i = 0; i < 15; i++)
		put(EVENT_HANDSHAKE_COMPLETED, ROLE_SERVER, 5 * S, S, 0);
	turn(5 * S, 10);
	CU_ASSERT_EQUAL(fake.told, 10);
	CU_ASSERT_EQUAL(fake.h.server[0].slow, 15);
	server_handshake(7 * S, S, 0);
	CU_ASSERT_EQUAL(fake.told, 11);
	CU_ASSERT_PTR_NOT_NULL(strstr(fake.text, "(5 more before)"));
}

static void slow_off(void)
{
	start();
	handshakes_listener(&fake.h, 0, "demo", 0);
	server_handshake(8 * S, 7 * S, 0);
	CU_ASSERT_EQUAL(fake.told, 0);
	CU_ASSERT_EQUAL(fake.h.server[0].time.count, 1);
}

/* The slot of a listener that went is another's: it begins with nothing. */
static void listener_replaced(void)
{
	start();
	server_handshake(S, 300, 0);
	handshakes_listener(&fake.h, 0, "demo", S);
	CU_ASSERT_EQUAL(fake.h.server[0].time.count, 1);
	CU_ASSERT_EQUAL(fake.h.server[0].slow_us, S);
	handshakes_listener(&fake.h, 0, "web", 0);
	CU_ASSERT_EQUAL(fake.h.server[0].time.count, 0);
	handshakes_listener(&fake.h, 0, "", 0);
	server_handshake(2 * S, 300, 0);
	CU_ASSERT_EQUAL(fake.h.server[0].time.count, 0);
}

/* Buckets are sparse and add up. */
static void as_json(void)
{
	json_t *o, *pair;
	json_int_t sum = 0;
	size_t i;

	start();
	server_handshake(S, 95, 0);
	server_handshake(2 * S, 300, 0);
	server_handshake(3 * S, 300, 1);
	server_handshake(400 * S, 200 * S, 0);
	o = handshakes_describe(&fake.h.server[0], ROLE_SERVER);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	CU_ASSERT_STRING_EQUAL(
		json_string_value(json_object_get(o, "listener")), "demo");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "count")), 4);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "p50_us")), 300);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "max_us")),
			200 * S);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "resent")), 1);
	json_array_foreach(json_object_get(o, "buckets"), i, pair) sum +=
		json_integer_value(json_array_get(pair, 1));
	CU_ASSERT_EQUAL(i, 3);
	CU_ASSERT_EQUAL(sum, 4);
	json_decref(o);
	o = handshakes_describe(&fake.h.client, ROLE_CLIENT);
	CU_ASSERT_PTR_NULL(json_object_get(o, "listener"));
	CU_ASSERT_PTR_NULL(json_object_get(o, "p50_us"));
	json_decref(o);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(legs_of_a_server),
		UNIT_TEST(legs_of_a_client),
		UNIT_TEST(cookie_is_not_timed),
		UNIT_TEST(outcomes),
		UNIT_TEST(round_trips),
		UNIT_TEST(slow_ones),
		UNIT_TEST(busy_before),
		UNIT_TEST(slow_ones_are_limited),
		UNIT_TEST(slow_off),
		UNIT_TEST(listener_replaced),
		UNIT_TEST(as_json),
	};

	return unit_run("handshakes", tests, ARRAY_LEN(tests), argc, argv);
}
