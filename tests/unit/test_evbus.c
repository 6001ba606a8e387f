/*
 * test_evbus.c - Numbers, masks, loss, and what the shell posts
 *
 * The stack is a small fake: its events come from an array.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/assert.h"
#include "evbus.h"

#define SECOND_US 1000000

/* A sink that keeps what it was given. */
struct keeper {
	struct evbus_sink sink;
	size_t n;
	uint64_t seq[64];
	uint8_t type[64];
	int64_t a[64], wall_us[64];
	char text[64][64];
	struct evbus_note *note; /* the last, held */
	int64_t wants_at_us;
};

static struct {
	uint64_t mask; /* of the core */
	struct event events[32];
	size_t put, got;
	int kicks;
	struct evbus bus;
	struct keeper all, few;
} fake;

const struct event *stack_event_next(struct stack *st)
{
	(void)st;
	return fake.got < fake.put ? &fake.events[fake.got++] : NULL;
}

void stack_event_mask(struct stack *st, uint64_t mask)
{
	(void)st;
	fake.mask = mask;
}

static void on_kick(void *arg)
{
	++*(int *)arg;
}

static void keep(struct evbus_sink *s, const struct evbus_record *r)
{
	struct keeper *k = (struct keeper *)s;

	CU_ASSERT_FATAL(k->n < ARRAY_LEN(k->seq));
	k->seq[k->n] = r->seq;
	k->type[k->n] = r->e->type;
	k->a[k->n] = r->e->a;
	k->wall_us[k->n] = r->wall_us;
	snprintf(k->text[k->n], sizeof(k->text[0]), "%s",
		 r->note ? r->note->text : "");
	k->n++;
	evbus_drop(k->note);
	k->note = r->note;
	evbus_hold(r->note);
}

static int64_t keeper_turn(struct evbus_sink *s, int64_t now_us)
{
	(void)now_us;
	return ((struct keeper *)s)->wants_at_us;
}

static void keeper_start(struct keeper *k, uint64_t mask)
{
	k->sink.mask = mask;
	k->sink.take = keep;
	k->wants_at_us = TIME_NEVER;
	evbus_add(&fake.bus, &k->sink);
}

static void start(void)
{
	evbus_drop(fake.all.note);
	evbus_drop(fake.few.note);
	memset(&fake, 0, sizeof(fake));
	evbus_init(&fake.bus, NULL, on_kick, &fake.kicks);
	keeper_start(&fake.all, UINT64_MAX);
	keeper_start(&fake.few, EVBUS_BIT(EVENT_FIN_SENT));
}

static void emit(enum event_type type, uint64_t number, int64_t a)
{
	fake.events[fake.put++] = (struct event){
		.type = (uint8_t)type,
		.number = number,
		.at_us = (int64_t)number * SECOND_US,
		.a = a,
	};
}

static void every_event_has_the_next_number(void)
{
	start();
	emit(EVENT_SYN_RECEIVED, 1, 0);
	emit(EVENT_FIN_SENT, 2, 0);
	evbus_drain(&fake.bus, 0);
	evbus_say(&fake.bus, EVENT_DAEMON_READY, 7, "Ready on %s", "tcphs0");
	emit(EVENT_STATE, 3, 0);
	evbus_drain(&fake.bus, 0);
	CU_ASSERT_EQUAL_FATAL(fake.all.n, 4);
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(fake.all.seq[i], i + 1);
	/* What the core had to say before comes first. */
	CU_ASSERT_EQUAL(fake.all.type[2], EVENT_STATE);
	CU_ASSERT_EQUAL(fake.all.type[3], EVENT_DAEMON_READY);
	CU_ASSERT_EQUAL(fake.all.a[3], 7);
	CU_ASSERT_STRING_EQUAL(fake.all.text[3], "Ready on tcphs0");
}

static void a_sink_gets_what_its_mask_says(void)
{
	start();
	emit(EVENT_SYN_RECEIVED, 1, 0);
	emit(EVENT_FIN_SENT, 2, 0);
	evbus_drain(&fake.bus, 0);
	CU_ASSERT_EQUAL(fake.few.n, 1);
	CU_ASSERT_EQUAL(fake.few.seq[0], 2);
}

/* The core records what one of them wants, and none of the shell's types. */
static void the_core_is_told_the_union(void)
{
	start();
	CU_ASSERT_EQUAL(fake.mask, EVBUS_BIT(EVENT_NCORE) - 1);
	evbus_want(&fake.bus, &fake.all.sink,
		   EVBUS_BIT(EVENT_STATE) | EVBUS_BIT(EVENT_DAEMON_READY));
	CU_ASSERT_EQUAL(fake.mask,
			EVBUS_BIT(EVENT_STATE) | EVBUS_BIT(EVENT_FIN_SENT));
	evbus_want(&fake.bus, &fake.all.sink, 0);
	evbus_want(&fake.bus, &fake.few.sink, 0);
	CU_ASSERT_EQUAL(fake.mask, 0);
}

static void what_nobody_wants_is_not_kept(void)
{
	start();
	evbus_want(&fake.bus, &fake.all.sink, 0);
	evbus_say(&fake.bus, EVENT_DAEMON_READY, 0, "Ready");
	CU_ASSERT_EQUAL(fake.kicks, 0);
	CU_ASSERT_TRUE(STAILQ_EMPTY(&fake.bus.posted));
	evbus_drain(&fake.bus, 0);
	CU_ASSERT_EQUAL(fake.bus.seq, 0);
}

static void a_gap_in_the_ring_is_one_event(void)
{
	start();
	emit(EVENT_FIN_SENT, 1, 0);
	emit(EVENT_FIN_SENT, 5, 0);
	evbus_drain(&fake.bus, 0);
	CU_ASSERT_EQUAL_FATAL(fake.all.n, 3);
	CU_ASSERT_EQUAL(fake.all.type[1], EVENT_LOST);
	CU_ASSERT_EQUAL(fake.all.a[1], 3);
	CU_ASSERT_EQUAL(fake.all.seq[1], 2);
	CU_ASSERT_EQUAL(fake.all.seq[2], 3);
	CU_ASSERT_EQUAL(fake.bus.lost_total, 3);
}

/* More posts than wait: the rest is counted and told behind them. */
static void posts_are_bounded(void)
{
	start();
	fake.all.sink.mask = 0;
	evbus_want(&fake.bus, &fake.few.sink,
		   EVBUS_BIT(EVENT_LOST) | EVBUS_BIT(EVENT_DAEMON_STOPPING));
	for (int i = 0; i < 300; i++)
		evbus_say(&fake.bus, EVENT_DAEMON_STOPPING, 0, "again");
	fake.few.sink.mask = EVBUS_BIT(EVENT_LOST);
	evbus_drain(&fake.bus, 0);
	CU_ASSERT_EQUAL_FATAL(fake.few.n, 1);
	CU_ASSERT_EQUAL(fake.few.a[0], 300 - 256);
}

static void facts_are_copied(void)
{
	const struct event e = {.type = EVENT_DAEMON_READY};
	char text[] = "tcphs0";
	struct evbus_fact facts[] = {{"interface", text, 0},
				     {"listeners", NULL, 6}};

	start();
	evbus_post(&fake.bus, &e, facts, 2, "Ready");
	CU_ASSERT_EQUAL(fake.kicks, 1);
	text[0] = 'X';
	facts[1].number = 0;
	evbus_drain(&fake.bus, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fake.all.note);
	CU_ASSERT_EQUAL_FATAL(fake.all.note->nfacts, 2);
	CU_ASSERT_STRING_EQUAL(fake.all.note->facts[0].text, "tcphs0");
	CU_ASSERT_PTR_NULL(fake.all.note->facts[1].text);
	CU_ASSERT_EQUAL(fake.all.note->facts[1].number, 6);
	CU_ASSERT_TRUE(fake.all.note->e.at_us > 0);
}

static void again(struct evbus_sink *s, const struct evbus_record *r)
{
	keep(s, r);
	if (r->e->type == EVENT_FIN_SENT)
		evbus_say(&fake.bus, EVENT_DAEMON_READY, 0, "seen");
}

/* A sink may post; every sink sees the same order. */
static void a_sink_may_post(void)
{
	start();
	fake.all.sink.take = again;
	evbus_want(&fake.bus, &fake.few.sink, UINT64_MAX);
	emit(EVENT_FIN_SENT, 1, 0);
	emit(EVENT_STATE, 2, 0);
	evbus_drain(&fake.bus, 0);
	CU_ASSERT_EQUAL_FATAL(fake.few.n, 3);
	CU_ASSERT_EQUAL(fake.few.type[0], EVENT_FIN_SENT);
	CU_ASSERT_EQUAL(fake.few.type[1], EVENT_STATE);
	CU_ASSERT_EQUAL(fake.few.type[2], EVENT_DAEMON_READY);
	CU_ASSERT_EQUAL(fake.few.seq[2], 3);
}

/* The wall clock's time is that of the event, not that of the drain. */
static void wall_time_is_the_events(void)
{
	int64_t apart;

	start();
	emit(EVENT_FIN_SENT, 1, 0);
	emit(EVENT_FIN_SENT, 2, 0);
	evbus_drain(&fake.bus, 0);
	apart = fake.all.wall_us[1] - fake.all.wall_us[0];
	CU_ASSERT_EQUAL(apart, SECOND_US);
	CU_ASSERT_TRUE(fake.all.wall_us[0] <= time(NULL) * SECOND_US);
}

static void the_earliest_wish_is_told(void)
{
	start();
	CU_ASSERT_EQUAL(evbus_drain(&fake.bus, 5), TIME_NEVER);
	fake.all.sink.turn = fake.few.sink.turn = keeper_turn;
	fake.all.wants_at_us = 30;
	fake.few.wants_at_us = 20;
	CU_ASSERT_EQUAL(evbus_drain(&fake.bus, 5), 20);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(every_event_has_the_next_number),
		UNIT_TEST(a_sink_gets_what_its_mask_says),
		UNIT_TEST(the_core_is_told_the_union),
		UNIT_TEST(what_nobody_wants_is_not_kept),
		UNIT_TEST(a_gap_in_the_ring_is_one_event),
		UNIT_TEST(posts_are_bounded),
		UNIT_TEST(facts_are_copied),
		UNIT_TEST(a_sink_may_post),
		UNIT_TEST(wall_time_is_the_events),
		UNIT_TEST(the_earliest_wish_is_told),
	};
	int ret = unit_run("evbus", tests, ARRAY_LEN(tests), argc, argv);

	evbus_drop(fake.all.note);
	evbus_drop(fake.few.note);
	evbus_free(&fake.bus);
	return ret;
}
