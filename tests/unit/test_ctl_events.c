/*
 * test_ctl_events.c - Events for clients, quick and slow ones
 */
#include "ctl_rig.h"

#include <stdlib.h>
#include <string.h>

#define FOLLOW "{\"id\":1,\"method\":\"events.follow\",\"params\":{%s}}"

static void ask(struct peer *p, const char *params)
{
	char line[512];

	snprintf(line, sizeof(line), FOLLOW, params);
	peer_say(p, line);
}

static void emit(struct rig *r, enum event_type type, uint32_t conn)
{
	static int64_t now_us;

	fake_stack_emit(r->st, type, conn);
	now_us += 1000000;
	evbus_drain(&r->bus, now_us);
}

/* The next item; the line is left in @j, to be freed. */
static const json_t *next(struct peer *p, json_t **j)
{
	*j = peer_json(p);
	return json_object_get(*j, "item");
}

static void expect(struct peer *p, const char *event, json_int_t seq)
{
	json_t *j;
	const json_t *item = next(p, &j);
	const char *name = json_string_value(json_object_get(item, "event"));

	CU_ASSERT(name && strcmp(name, event) == 0);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(item, "seq")), seq);
	json_decref(j);
}

static void until_asleep(struct rig *r)
{
	struct ctl_client *c;
	bool busy = true;

	while (busy) {
		busy = false;
		rig_turn(r);
		TAILQ_FOREACH(c, &r->ctl->clients, link)
		busy |= c->queued || TAILQ_EMPTY(&c->jobs);
	}
}

static void what_was_is_told_and_over(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	emit(&r, EVENT_SYN_RECEIVED, 1);
	emit(&r, EVENT_HANDSHAKE_COMPLETED, 1);
	emit(&r, EVENT_DATA_RECEIVED, 1); /* nobody wants debug */
	ask(&p, "");
	expect(&p, "syn.received", 1);
	expect(&p, "handshake.completed", 2);
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":2}}");
	rig_stop(&r, &p);
}

static void a_follower_is_told_what_comes(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	emit(&r, EVENT_SYN_RECEIVED, 1);
	ask(&p, "\"follow\":true");
	until_asleep(&r);
	emit(&r, EVENT_FIN_SENT, 1);
	expect(&p, "fin.sent", 2);
	until_asleep(&r);
	emit(&r, EVENT_CONN_CLOSED, 1);
	expect(&p, "conn.closed", 3);
	peer_say(&p, "{\"id\":2,\"method\":\"cancel\",\"params\":{\"id\":1}}");
	peer_expect_error(&p, "cancelled", "cancelled", NULL);
	rig_stop(&r, &p);
}

static void a_filter_is_about_the_connection(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	emit(&r, EVENT_SYN_RECEIVED, 1);
	emit(&r, EVENT_SYN_RECEIVED, 2);
	evbus_say(&r.bus, EVENT_DAEMON_READY, 0, "Ready");
	evbus_drain(&r.bus, 0);
	ask(&p, "\"filter\":\"id = c2\"");
	expect(&p, "syn.received", 2);
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":1}}");
	ask(&p, "\"filter\":\"state estb\"");
	peer_expect_error(&p, "bad_filter", "unknown state 'estb'",
			  "did you mean 'estab'?");
	rig_stop(&r, &p);
}

/* Debug is recorded while somebody reads it, and no longer. */
static void a_reader_raises_the_level(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	CU_ASSERT_FALSE(r.st->mask & EVBUS_BIT(EVENT_ACK_SENT));
	ask(&p, "\"follow\":true,\"level\":\"debug\"");
	until_asleep(&r);
	CU_ASSERT_TRUE(r.st->mask & EVBUS_BIT(EVENT_ACK_SENT));
	emit(&r, EVENT_ACK_SENT, 1);
	expect(&p, "ack.sent", 1);
	peer_free(&p);
	while (r.ctl->stats.clients)
		rig_turn(&r);
	CU_ASSERT_FALSE(r.st->mask & EVBUS_BIT(EVENT_ACK_SENT));
	rig_free(&r);
}

static void wrong_parameters_are_refused(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	ask(&p, "\"level\":\"loud\"");
	peer_expect_error(&p, "bad_request", "'loud' is no log level",
			  "error, warning, notice, info or debug");
	ask(&p, "\"since\":\"yesterday\"");
	peer_expect_error(&p, "bad_request", "'yesterday' is no time in UTC",
			  "2026-01-31T12:00:00.5Z");
	ask(&p, "\"since\":\"2026-01-31T12:00:00+01:00\"");
	peer_expect_error(&p, "bad_request",
			  "'2026-01-31T12:00:00+01:00' is no time in UTC",
			  "2026-01-31T12:00:00.5Z");
	rig_stop(&r, &p);
}

/* What a reader missed is one item with their number; then it goes on. */
static void a_slow_reader_is_told_how_many_it_lost(void)
{
	const unsigned int many = 40 * RIG_EVENTS;
	json_int_t seq = 0, lost = 0, now;
	const json_t *item;
	struct rig r;
	struct peer p;
	json_t *j;

	rig_start(&r, &p, 0);
	ask(&p, "\"follow\":true");
	until_asleep(&r);
	/* Nothing is read meanwhile: the socket fills, then the buffer. */
	for (unsigned int i = 0; i < many; i++) {
		emit(&r, EVENT_FIN_SENT, 1);
		ev_run(r.loop, EVRUN_NOWAIT);
	}
	CU_ASSERT_TRUE(rig_memory(&r) < 2 * CTL_OUT_HIGH + 65536);
	while (seq < many) {
		item = next(&p, &j);
		CU_ASSERT_PTR_NOT_NULL_FATAL(item);
		now = json_integer_value(json_object_get(item, "seq"));
		if (json_object_get(item, "count")) {
			/* All from the last one up to this number. */
			CU_ASSERT_EQUAL(json_integer_value(
						json_object_get(item, "count")),
					now - seq);
			lost += now - seq;
		} else {
			CU_ASSERT_EQUAL(now, seq + 1);
		}
		seq = now;
		json_decref(j);
	}
	CU_ASSERT_TRUE(lost > 0);
	rig_stop(&r, &p);
}

static void on_enough(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

/* However many events there are: 2,000 lines, and 10 a millisecond. The rest is
 * counted, the last ones come in the end, and meanwhile the loop may sleep. */
static void who_follows_has_a_share_of_the_time(void)
{
	const unsigned int many = 200 * RIG_EVENTS;
	ev_tstamp began = ev_time();
	ev_timer enough;
	json_int_t seq = 0, lines = 0, count;
	unsigned int turns = 0;
	const json_t *item;
	struct rig r;
	struct peer p;
	json_t *j;

	rig_start(&r, &p, 0);
	ask(&p, "\"follow\":true");
	until_asleep(&r);
	for (unsigned int i = 0; i < many; i++) {
		emit(&r, EVENT_FIN_SENT, 1);
		ev_run(r.loop, EVRUN_NOWAIT);
		peer_read(&p);
	}
	ev_timer_init(&enough, on_enough, 0.03, 0.);
	ev_timer_start(r.loop, &enough);
	for (; ev_is_active(&enough); turns++)
		ev_run(r.loop, EVRUN_ONCE);
	CU_ASSERT_TRUE(turns < 100);
	while (seq < many) {
		item = next(&p, &j);
		CU_ASSERT_PTR_NOT_NULL_FATAL(item);
		count = json_integer_value(json_object_get(item, "count"));
		seq = json_integer_value(json_object_get(item, "seq"));
		lines += count == 0;
		json_decref(j);
	}
	CU_ASSERT_TRUE(lines < 2200 + (json_int_t)(1e4 * (ev_time() - began)));
	CU_ASSERT_TRUE(lines < (json_int_t)many);
	rig_stop(&r, &p);
}

/* Texts of the shell are escaped, whatever they hold. */
static void posted_texts_are_plain(void)
{
	const struct event e = {.type = EVENT_DAEMON_REFUSED};
	const struct evbus_fact facts[] = {{"file", "a\"\x1b[2J\n\xff", 0}};
	const json_t *item;
	struct rig r;
	struct peer p;
	json_t *j;

	rig_start(&r, &p, 0);
	evbus_post(&r.bus, &e, facts, 1, "Refused\x1b[2J\nTwo");
	evbus_drain(&r.bus, 0);
	ask(&p, "");
	item = next(&p, &j);
	CU_ASSERT_STRING_EQUAL(
		json_string_value(json_object_get(item, "message")),
		"Refused?[2J?Two");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(item, "file")),
			       "a\"?[2J??");
	json_decref(j);
	rig_stop(&r, &p);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(what_was_is_told_and_over),
		UNIT_TEST(a_follower_is_told_what_comes),
		UNIT_TEST(a_filter_is_about_the_connection),
		UNIT_TEST(a_reader_raises_the_level),
		UNIT_TEST(wrong_parameters_are_refused),
		UNIT_TEST(a_slow_reader_is_told_how_many_it_lost),
		UNIT_TEST(who_follows_has_a_share_of_the_time),
		UNIT_TEST(posted_texts_are_plain),
	};

	return unit_run("ctl_events", tests, ARRAY_LEN(tests), argc, argv);
}
