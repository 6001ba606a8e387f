/*
 * test_ctl_session.c - Connections that a client reads and writes
 */
#include "ctl_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_chat.h"

#define OPEN                                                          \
	"{\"id\":1,\"method\":\"conn.open\",\"params\":{\"address\":" \
	"\"198.18.66.1\",\"port\":5000}}"
#define SEND(text)                                                      \
	"{\"id\":2,\"method\":\"conn.send\",\"params\":{\"session\":1," \
	"\"text\":\"" text "\"}}"

static void start(struct rig *r, struct peer *p)
{
	fake_chat_reset();
	rig_start(r, p, 3);
}

/* The next line's event; the line is left in @j, to be freed. */
static const char *event(struct peer *p, json_t **j)
{
	*j = peer_json(p);
	return json_string_value(
		json_object_get(json_object_get(*j, "item"), "event"));
}

static void expect_event(struct peer *p, const char *want)
{
	json_t *j;
	const char *got = event(p, &j);

	CU_ASSERT(got && strcmp(got, want) == 0);
	json_decref(j);
}

static void opened(struct rig *r, struct peer *p)
{
	start(r, p);
	peer_say(p, OPEN);
	while (!fake_chat.reader)
		rig_turn(r);
	fake_chat_open();
	expect_event(p, "open");
}

static void open_tells_and_ends(void)
{
	struct rig r;
	struct peer p;
	json_t *j, *result;

	start(&r, &p);
	peer_say(&p, OPEN);
	while (!fake_chat.reader)
		rig_turn(&r);
	CU_ASSERT_EQUAL(fake_chat.target.peer_port, 5000);
	CU_ASSERT_PTR_NULL(fake_chat.target.local);
	fake_chat_open();
	CU_ASSERT_STRING_EQUAL(event(&p, &j), "open");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(
				json_object_get(j, "item"), "handshake_us")),
			213);
	json_decref(j);
	fake_chat_rx("h\0\n", 3);
	peer_expect(&p, "{\"id\":1,\"item\":{\"event\":\"text\","
			"\"base64\":\"aAAK\"}}");
	fake_chat_peer_closes();
	expect_event(&p, "peer_closed");
	fake_chat_end(CLOSE_FIN);
	j = peer_json(&p);
	result = json_object_get(j, "result");
	CU_ASSERT_STRING_EQUAL(
		json_string_value(json_object_get(result, "reason")), "fin");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(result, "id")),
			       "c42");
	json_decref(j);
	rig_stop(&r, &p);
}

/* An error of its own for each way in which a handshake fails. */
static void open_failures(void)
{
	static const struct {
		enum close_reason why;
		const char *code;
	} ways[] = {
		{CLOSE_REFUSED, "refused"},
		{CLOSE_TIMEOUT_SYN, "timeout"},
		{CLOSE_UNREACHABLE, "unreachable"},
		{CLOSE_ADMIN, "local"},
	};
	struct rig r;
	struct peer p;
	char words[128];

	start(&r, &p);
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		peer_say(&p, OPEN);
		while (!fake_chat.reader)
			rig_turn(&r);
		fake_chat_end(ways[i].why);
		snprintf(words, sizeof(words),
			 "198.18.66.1:5000: %s after 3 SYNs, 7.5 ms",
			 close_words(ways[i].why));
		peer_expect_error(&p, ways[i].code, words, NULL);
	}
	fake_chat.open_error = -EADDRNOTAVAIL;
	peer_say(&p, OPEN);
	peer_expect_error(&p, "local", "no address of ours to open it from",
			  NULL);
	fake_chat.open_error = -EINVAL;
	peer_say(&p, OPEN);
	peer_expect_error(&p, "local", "nobody can be connected to there",
			  NULL);
	rig_stop(&r, &p);
}

/* What only asks has a patience, and gets numbers with its refusal. */
static void open_with_patience(void)
{
	struct rig r;
	struct peer p;
	json_t *j, *error;

	start(&r, &p);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.open\",\"params\":{"
		     "\"address\":\"198.18.66.1\",\"port\":5000,"
		     "\"patience_us\":7500}}");
	while (!fake_chat.reader)
		rig_turn(&r);
	CU_ASSERT_EQUAL(fake_chat.target.patience_us, 7500);
	CU_ASSERT(fake_chat.reader->asks);
	fake_chat_end(CLOSE_TIMEOUT_USER);
	j = peer_json(&p);
	error = json_object_get(j, "error");
	CU_ASSERT_STRING_EQUAL(
		json_string_value(json_object_get(error, "code")), "timeout");
	CU_ASSERT_STRING_EQUAL(
		json_string_value(json_object_get(error, "message")),
		"198.18.66.1:5000: no answer to our SYN after 3 SYNs, 7.5 ms");
	CU_ASSERT_STRING_EQUAL(
		json_string_value(json_object_get(error, "conn")), "c42");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(error, "time_us")),
			7500);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(error, "retrans")),
			2);
	json_decref(j);
	rig_stop(&r, &p);
}

static void open_wrong_parameters(void)
{
	static const struct {
		const char *params, *message;
	} wrong[] = {
		{"", "'address' is missing"},
		{"\"address\":\"198.18.66.1\"", "'port' is missing"},
		{"\"address\":\"here\",\"port\":1", "'here' is no address"},
		{"\"address\":7,\"port\":1", "'address' must be a string"},
		{"\"address\":\"198.18.66.1\",\"port\":0",
		 "'port' must be a whole number from 1 to 65535"},
		{"\"address\":\"198.18.66.1\",\"port\":\"80\"",
		 "'port' must be a whole number from 1 to 65535"},
		{"\"address\":\"198.18.66.1\",\"port\":80,\"nodelay\":1",
		 "'nodelay' must be true or false"},
		{"\"address\":\"198.18.66.1\",\"port\":80,"
		 "\"patience_us\":0",
		 "'patience_us' must be a whole number from 1 to 3600000000"},
	};
	struct rig r;
	struct peer p;
	char line[256];
	json_t *j;

	start(&r, &p);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		snprintf(line, sizeof(line),
			 "{\"id\":1,\"method\":\"conn.open\",\"params\":{%s}}",
			 wrong[i].params);
		peer_say(&p, line);
		j = peer_json(&p);
		CU_ASSERT_STRING_EQUAL(
			json_string_value(json_object_get(
				json_object_get(j, "error"), "message")),
			wrong[i].message);
		json_decref(j);
	}
	CU_ASSERT_PTR_NULL(fake_chat.reader);
	rig_stop(&r, &p);
}

/* A session with nothing to do costs no turns. */
static void session_sleeps(void)
{
	struct rig r;
	struct peer p;

	opened(&r, &p);
	for (int i = 0; i < 3; i++)
		rig_turn(&r);
	CU_ASSERT_FALSE(ev_is_active(&r.ctl->idle));
	fake_chat_rx("x", 1);
	CU_ASSERT_TRUE(ev_is_active(&r.ctl->idle));
	expect_event(&p, "text");
	rig_turn(&r);
	CU_ASSERT_FALSE(ev_is_active(&r.ctl->idle));
	rig_stop(&r, &p);
}

/* What comes before the handshake is over waits; then room is what it waits
 * for, and the answer comes when all of it is queued. */
static void send_waits_for_room(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p);
	peer_say(&p, OPEN);
	peer_say(&p, SEND("hello"));
	while (!fake_chat.reader)
		rig_turn(&r);
	rig_turn(&r);
	CU_ASSERT_EQUAL(fake_chat.out_len, 0);
	fake_chat.room = 2;
	fake_chat_open();
	expect_event(&p, "open");
	CU_ASSERT_EQUAL(fake_chat.out_len, 2);
	peer_say(&p, "{\"id\":3,\"method\":\"conn.send\",\"params\":"
		     "{\"session\":1,\"text\":\"x\"}}");
	peer_expect_error(&p, "busy", "a conn.send of this session waits",
			  NULL);
	fake_chat.room = 100;
	fake_chat.reader->changed(fake_chat.reader);
	peer_expect(&p, "{\"id\":2,\"result\":{\"sent\":5}}");
	CU_ASSERT_EQUAL(fake_chat.out_len, 5);
	CU_ASSERT_FALSE(memcmp(fake_chat.out, "hello", 5));
	CU_ASSERT_FALSE(fake_chat.closed);
	rig_stop(&r, &p);
}

static void send_end_is_a_fin(void)
{
	struct rig r;
	struct peer p;

	opened(&r, &p);
	peer_ask(&p,
		 "{\"id\":2,\"method\":\"conn.send\",\"params\":{\"session\":1,"
		 "\"base64\":\"AAEC\",\"end\":true}}",
		 "{\"id\":2,\"result\":{\"sent\":3}}");
	CU_ASSERT_TRUE(fake_chat.closed);
	CU_ASSERT_FALSE(memcmp(fake_chat.out, "\0\1\2", 3));
	peer_say(&p, SEND("more"));
	peer_expect_error(&p, "not_found", "our end is closed already", NULL);
	rig_stop(&r, &p);
}

static void send_when_it_ends(void)
{
	struct rig r;
	struct peer p;
	json_t *j;

	opened(&r, &p);
	fake_chat.room = 0;
	peer_say(&p, SEND("hello"));
	rig_turn(&r);
	rig_turn(&r);
	fake_chat_end(CLOSE_RESET_BY_PEER);
	peer_expect_error(&p, "not_found", "the connection has ended", NULL);
	j = peer_json(&p);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(
				       json_object_get(j, "result"), "reason")),
			       close_name(CLOSE_RESET_BY_PEER));
	json_decref(j);
	rig_stop(&r, &p);
}

static void send_wrong_parameters(void)
{
	struct rig r;
	struct peer p;

	opened(&r, &p);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.send\",\"params\":"
		     "{\"session\":9,\"text\":\"x\"}}");
	peer_expect_error(&p, "bad_request",
			  "'session' is no conn.open or conn.attach that runs",
			  NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.send\",\"params\":"
		     "{\"session\":1,\"base64\":\"?\"}}");
	peer_expect_error(&p, "bad_request", "'base64' is wrong, or too long",
			  NULL);
	rig_stop(&r, &p);
}

/* Another conn.send under way is none; both are in one packet. */
static void send_to_a_send(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.send\",\"params\":{"
		     "\"conn\":\"c2\",\"text\":\"one\"}}\n" SEND("two!"));
	peer_expect_error(&p, "bad_request",
			  "'session' is no conn.open or conn.attach that runs",
			  NULL);
	peer_expect(&p, "{\"id\":1,\"result\":{\"sent\":3}}");
	CU_ASSERT_FALSE(memcmp(fake_chat.out, "one", 3));
	rig_stop(&r, &p);
}

/* The peer talks until text stays with the connection: nobody reads it. */
static void talk_until_full(struct rig *r)
{
	static char much[sizeof(fake_chat.in)];
	size_t n;

	memset(much, 'm', sizeof(much));
	for (n = 0; n < 1000 && fake_chat.in_len < sizeof(much) / 2; n++) {
		fake_chat_rx(much, sizeof(much) - fake_chat.in_len);
		for (int i = 0; i < 4; i++)
			rig_turn(r);
	}
	CU_ASSERT(n < 1000);
}

/* What a client does not read stays where its peer's window holds it. */
static void slow_reader_holds_text(void)
{
	struct rig r;
	struct peer p;

	opened(&r, &p);
	talk_until_full(&r);
	CU_ASSERT(rig_memory(&r) < 1 << 20);
	while (fake_chat.in_len)
		peer_read(&p), rig_turn(&r);
	rig_stop(&r, &p);
}

static void attach_and_leave(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.attach\",\"params\":"
		     "{\"conn\":\"c2\"}}");
	expect_event(&p, "open");
	CU_ASSERT_PTR_EQUAL(fake_chat.reader->c, &r.st->conns[1]);
	CU_ASSERT_FALSE(fake_chat.reader->ends);
	peer_ask(&p, "{\"id\":2,\"method\":\"cancel\",\"params\":{\"id\":1}}",
		 "{\"id\":1,\"error\":{\"code\":\"cancelled\",\"message\":"
		 "\"cancelled\"}}");
	CU_ASSERT_EQUAL(fake_chat.detached, 1);
	rig_stop(&r, &p);
}

static void attach_refused(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p);
	fake_chat.attach_error = -EBUSY;
	peer_say(&p, "{\"id\":1,\"method\":\"conn.attach\",\"params\":"
		     "{\"conn\":\"c2\"}}");
	peer_expect_error(&p, "busy", "c2 has a reader", NULL);
	fake_chat.attach_error = -EINVAL;
	peer_say(&p, "{\"id\":1,\"method\":\"conn.attach\",\"params\":"
		     "{\"conn\":\"c2\"}}");
	peer_expect_error(&p, "bad_request",
			  "c2 is not a connection of service chat", NULL);
	rig_stop(&r, &p);
}

/* Who goes away without a word leaves nothing behind. */
static void client_lost(void)
{
	struct rig r;
	struct peer p;

	opened(&r, &p);
	CU_ASSERT_TRUE(fake_chat.reader->ends);
	peer_free(&p);
	for (int i = 0; i < 1000 && !fake_chat.detached; i++)
		rig_turn(&r);
	CU_ASSERT_EQUAL(fake_chat.detached, 1);
	rig_free(&r);
}

/* A turn of the stack may be the first to see that a slow client is gone. */
static void client_lost_in_a_turn(void)
{
	struct rig r;
	struct peer p;

	opened(&r, &p);
	talk_until_full(&r);
	peer_free(&p);
	fake_chat.reader->changed(fake_chat.reader);
	for (int i = 0; i < 1000 && !fake_chat.detached; i++)
		rig_turn(&r);
	CU_ASSERT_EQUAL(fake_chat.detached, 1);
	rig_free(&r);
}

#define SAY                                                               \
	"{\"id\":1,\"method\":\"conn.send\",\"params\":{\"conn\":\"c2\"," \
	"\"text\":\"hello\\n\"}}"

static void say_to_a_connection(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p);
	peer_ask(&p, SAY, "{\"id\":1,\"result\":{\"sent\":6}}");
	CU_ASSERT_EQUAL(fake_chat.out_len, 6);
	fake_chat.room = 5;
	peer_say(&p, SAY);
	peer_expect_error(&p, "busy", "c2's queue has no room for it", NULL);
	CU_ASSERT_EQUAL(fake_chat.out_len, 6); /* nothing of it */
	fake_chat.room = 100;
	fake_chat.closed = true;
	peer_say(&p, SAY);
	peer_expect_error(&p, "not_found", "c2 is closed already", NULL);
	fake_chat.foreign = true;
	peer_say(&p, SAY);
	peer_expect_error(&p, "bad_request",
			  "c2 is not a connection of service chat", NULL);
	rig_stop(&r, &p);
}

/* Behind the job comes what it says. */
static void say_without_memory(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p);
	rig_no_memory(2);
	peer_say(&p, SAY);
	peer_expect_error(&p, "bad_request", "there is no memory for the text",
			  NULL);
	peer_ask(&p, SAY, "{\"id\":1,\"result\":{\"sent\":6}}");
	rig_stop(&r, &p);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(open_tells_and_ends),
		UNIT_TEST(open_failures),
		UNIT_TEST(open_with_patience),
		UNIT_TEST(open_wrong_parameters),
		UNIT_TEST(session_sleeps),
		UNIT_TEST(send_waits_for_room),
		UNIT_TEST(send_end_is_a_fin),
		UNIT_TEST(send_when_it_ends),
		UNIT_TEST(send_wrong_parameters),
		UNIT_TEST(send_to_a_send),
		UNIT_TEST(slow_reader_holds_text),
		UNIT_TEST(attach_and_leave),
		UNIT_TEST(attach_refused),
		UNIT_TEST(client_lost),
		UNIT_TEST(client_lost_in_a_turn),
		UNIT_TEST(say_to_a_connection),
		UNIT_TEST(say_without_memory),
	};

	return unit_run("ctl_session", tests, ARRAY_LEN(tests), argc, argv);
}
