/*
 * test_ctl_dump.c - Packets to clients of the control socket, and to files
 */
#include "ctl_rig.h"

#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define FOLLOW(params) \
	"{\"id\":1,\"method\":\"dump.follow\",\"params\":{" params "}}"
#define STOP "{\"id\":2,\"method\":\"dump.stop\",\"params\":{\"id\":1}}"

/* A packet of 60,000 bytes that is no packet of anything. */
static void show(struct rig *r, uint32_t conn)
{
	static uint8_t data[60000];
	static const struct tcp_key nowhere;
	const struct iovec iov = {data, sizeof(data)};
	const struct stack_packet p = {
		.ends = &nowhere,
		.iov = &iov,
		.iov_len = 1,
		.len = sizeof(data),
		.conn = conn,
		.listener = LISTENER_NONE,
		.state_after = TCP_ESTABLISHED,
	};

	if (r->st->watcher.packet)
		r->st->watcher.packet(r->st->watcher.ctx, &p);
}

/* The next line must be an item; its bytes are appended to @to. */
static size_t item(struct peer *p, uint8_t *to)
{
	json_t *j = peer_json(p);
	const char *text = json_string_value(
		json_object_get(json_object_get(j, "item"), "base64"));
	size_t len = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL(sodium_base642bin(to, 2 * 65536, text, strlen(text),
					  NULL, &len, NULL,
					  sodium_base64_VARIANT_ORIGINAL),
			0);
	json_decref(j);
	return len;
}

static void followed(struct rig *r, struct peer *p, const char *request)
{
	rig_start(r, p, 3);
	peer_say(p, request);
	while (!r->st->watcher.packet)
		rig_turn(r);
}

/* Block lengths, from the first: each leads to the next, up to the end. */
static unsigned int blocks(const uint8_t *file, size_t len)
{
	unsigned int n = 0;
	uint32_t block;
	size_t at = 0;

	for (; at + 8 <= len; at += block, n++) {
		memcpy(&block, file + at + 4, 4);
		if (!block)
			break;
	}
	CU_ASSERT_EQUAL(at, len);
	return n;
}

static void follow_and_stop(void)
{
	static uint8_t file[4 * 65536];
	struct rig r;
	struct peer p;
	size_t len;

	followed(&r, &p, FOLLOW("\"snaplen\":64"));
	len = item(&p, file);
	CU_ASSERT_EQUAL(blocks(file, len), 2);
	show(&r, 1);
	show(&r, 2);
	len += item(&p, file + len);
	CU_ASSERT_EQUAL(blocks(file, len), 4);
	peer_say(&p, STOP);
	peer_expect(&p, "{\"id\":2,\"result\":{}}");
	CU_ASSERT_PTR_NULL(r.st->watcher.packet);
	show(&r, 3);
	len += item(&p, file + len);
	CU_ASSERT_EQUAL(blocks(file, len), 5);
	peer_expect(&p, "{\"id\":1,\"result\":{\"packets\":2,\"lost\":0,"
			"\"seen\":2}}");
	rig_stop(&r, &p);
}

static void follow_counts_and_filters(void)
{
	static uint8_t file[65536];
	struct rig r;
	struct peer p;
	size_t len;

	followed(&r, &p,
		 FOLLOW("\"filter\":\"id = c7\",\"packets\":1,"
			"\"snaplen\":64"));
	show(&r, 6);
	show(&r, 7);
	show(&r, 7);
	len = item(&p, file);
	CU_ASSERT_EQUAL(blocks(file, len), 4);
	peer_expect(&p, "{\"id\":1,\"result\":{\"packets\":1,\"lost\":0,"
			"\"seen\":2}}");
	rig_stop(&r, &p);
}

static void follow_wrong_parameters(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 3);
	peer_say(&p, FOLLOW("\"filter\":\"state bad\""));
	peer_expect_error(
		&p, "bad_filter", "unknown state 'bad'",
		"established, syn-received, connected, bucket, big, all ...");
	peer_say(&p, FOLLOW("\"filter\":\"rtt > 1ms\""));
	peer_expect_error(
		&p, "bad_filter",
		"age, idle, rtt, hs, retrans, outcome and bytes are of "
		"connections, not of packets",
		"state, src, dst, sport, dport, listener, role and "
		"id");
	peer_say(&p, FOLLOW("\"snaplen\":63"));
	peer_expect_error(&p, "bad_request",
			  "'snaplen' must be a whole number from 64 to 65575",
			  NULL);
	peer_say(&p, FOLLOW("\"packets\":0"));
	peer_expect_error(&p, "bad_request",
			  "'packets' must be a whole number from 1 to "
			  "9223372036854775807",
			  NULL);
	peer_say(&p, STOP);
	peer_expect_error(&p, "bad_request", "'id' is no dump.follow that runs",
			  NULL);
	CU_ASSERT_PTR_NULL(r.st->watcher.packet);
	rig_stop(&r, &p);
}

/* Of one client, and of all. */
static void follow_is_bounded(void)
{
	struct rig r;
	struct peer p[CAPTURE_TAKERS_MAX / CTL_JOBS_MAX + 1];
	char line[96];

	rig_init(&r, 3);
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		peer_greeted(&p[i], &r);
	for (int i = 0; i < CAPTURE_TAKERS_MAX; i++) {
		snprintf(line, sizeof(line),
			 "{\"id\":%d,\"method\":\"dump.follow\"}", i);
		peer_say(&p[i / CTL_JOBS_MAX], line);
		free(peer_line(&p[i / CTL_JOBS_MAX]));
	}
	peer_say(&p[0], FOLLOW("\"packets\":1"));
	peer_expect_error(&p[0], "bad_request",
			  "a request with this id is running", NULL);
	peer_say(&p[ARRAY_LEN(p) - 1], FOLLOW("\"packets\":1"));
	peer_expect_error(&p[ARRAY_LEN(p) - 1], "busy",
			  "at most 16 captures run at once", NULL);
	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		peer_free(&p[i]);
	while (!TAILQ_EMPTY(&r.ctl->clients))
		rig_turn(&r);
	CU_ASSERT_PTR_NULL(r.st->watcher.packet);
	rig_free(&r);
}

/* Who does not read costs a queue; the others go on, and it is told. */
static void stuck_reader_loses(void)
{
	static uint8_t file[16 << 20];
	struct rig r;
	struct peer p, other;
	size_t len = 0;
	json_t *stats, *j;

	followed(&r, &p, FOLLOW("\"snaplen\":65575"));
	for (int i = 0; i < 200; i++) {
		show(&r, 1);
		rig_turn(&r);
	}
	CU_ASSERT_TRUE(r.capture.lost > 0);
	stats = ctl_dump_stats(r.ctl);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(stats, "readers")),
			1);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(stats, "lost")),
			(json_int_t)r.capture.lost);
	json_decref(stats);
	peer_greeted(&other, &r);
	peer_ask(&other,
		 "{\"id\":1,\"method\":\"log.level\",\"params\":"
		 "{\"level\":\"info\"}}",
		 "{\"id\":1,\"result\":{\"level\":\"info\",\"was\":\"info\"}}");
	CU_ASSERT_TRUE(rig_memory(&r) < 4 * CTL_OUT_HIGH);
	peer_say(&p, STOP);
	for (;;) {
		j = peer_json(&p);
		if (json_integer_value(json_object_get(j, "id")) == 2) {
			json_decref(j);
			continue;
		}
		const json_t *result = json_object_get(j, "result");

		if (result) {
			CU_ASSERT_EQUAL(json_integer_value(json_object_get(
						result, "lost")),
					(json_int_t)r.capture.lost);
			CU_ASSERT_EQUAL(json_integer_value(json_object_get(
						result, "packets")) +
						(json_int_t)r.capture.lost,
					200);
			json_decref(j);
			break;
		}
		const char *text = json_string_value(
			json_object_get(json_object_get(j, "item"), "base64"));
		size_t n = 0;

		sodium_base642bin(file + len, sizeof(file) - len, text,
				  strlen(text), NULL, &n, NULL,
				  sodium_base64_VARIANT_ORIGINAL);
		len += n;
		json_decref(j);
	}
	CU_ASSERT_EQUAL(blocks(file, len), 3 + 200 - r.capture.lost);
	peer_free(&other);
	rig_stop(&r, &p);
}

/* A client that goes leaves nothing behind. */
static void client_goes(void)
{
	struct rig r;
	struct peer p;

	followed(&r, &p, FOLLOW("\"snaplen\":65575"));
	show(&r, 1);
	peer_free(&p);
	while (r.st->watcher.packet) {
		show(&r, 1);
		rig_turn(&r);
	}
	CU_ASSERT_EQUAL(r.capture.ntakers, 0);
	rig_free(&r);
}

/* The daemon ends: the file has its end, and the request its answer. */
static void daemon_ends(void)
{
	static uint8_t file[4 * 65536];
	struct rig r;
	struct peer p;
	size_t len;

	followed(&r, &p, FOLLOW("\"snaplen\":65575"));
	len = item(&p, file);
	show(&r, 1);
	ctl_del(r.ctl);
	r.ctl = NULL;
	len += item(&p, file + len);
	CU_ASSERT_EQUAL(blocks(file, len), 4);
	peer_expect(&p, "{\"id\":1,\"result\":{\"packets\":1,\"lost\":0,"
			"\"seen\":1}}");
	peer_expect_end(&p);
	rig_stop(&r, &p);
}

/* Each piece is one of whole blocks, long ones too. */
static void pieces_are_whole_blocks(void)
{
	static uint8_t file[4 * 65536];
	struct rig r;
	struct peer p;

	followed(&r, &p, FOLLOW("\"snaplen\":65575"));
	CU_ASSERT_EQUAL(blocks(file, item(&p, file)), 2);
	for (int i = 0; i < 5; i++)
		show(&r, 1);
	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(blocks(file, item(&p, file)), 1);
	rig_stop(&r, &p);
}

/* Nothing happens: no turns. */
static void idle_dump_sleeps(void)
{
	static uint8_t file[65536];
	struct rig r;
	struct peer p;

	followed(&r, &p, FOLLOW("\"snaplen\":64"));
	item(&p, file);
	for (int i = 0; i < 3; i++)
		rig_turn(&r);
	CU_ASSERT_FALSE(ev_is_active(&r.ctl->idle));
	show(&r, 1);
	CU_ASSERT_TRUE(ev_is_active(&r.ctl->idle));
	item(&p, file);
	rig_stop(&r, &p);
}

/* ---- the daemon's own capture ------------------------------------------ */

static json_t *answer(struct peer *p, const char *request)
{
	json_t *j, *result;

	peer_say(p, request);
	j = peer_json(p);
	result = json_incref(json_object_get(j, "result"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(result);
	json_decref(j);
	return result;
}

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void capture_starts_stops_and_is_read(void)
{
	static uint8_t file[65536];
	char line[160], path[96], words[96];
	json_t *started, *stopped;
	const char *name;
	struct rig r;
	struct peer p;

	log_set_level(3); /* who begins and ends one is news elsewhere */
	rig_start(&r, &p, 3);
	started = answer(&p, "{\"id\":1,\"method\":\"capture.list\"}");
	CU_ASSERT_EQUAL(number(started, "count"), 0);
	json_decref(started);
	started = answer(&p, "{\"id\":1,\"method\":\"capture.start\","
			     "\"params\":{\"filter\":\"id = c7\"}}");
	name = json_string_value(json_object_get(started, "file"));
	peer_say(&p, "{\"id\":1,\"method\":\"capture.start\"}");
	snprintf(line, sizeof(line), "%s/%s is being written",
		 json_string_value(json_object_get(started, "directory")),
		 name);
	peer_expect_error(&p, "busy", line, NULL);
	show(&r, 7);
	show(&r, 8);
	stopped = answer(&p, "{\"id\":1,\"method\":\"capture.stop\"}");
	CU_ASSERT_EQUAL(number(stopped, "packets"), 1);
	CU_ASSERT_EQUAL(number(stopped, "seen"), 2);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(
				       json_object_get(stopped, "files"), 0)),
			       name);
	snprintf(line, sizeof(line),
		 "{\"id\":1,\"method\":\"capture.read\",\"params\":"
		 "{\"name\":\"%s\"}}",
		 name);
	rig_no_memory(2); /* behind the job comes the copy */
	peer_say(&p, line);
	snprintf(words, sizeof(words), "%s: Cannot allocate memory", name);
	peer_expect_error(&p, "failed", words, NULL);
	peer_say(&p, line);
	CU_ASSERT_EQUAL(blocks(file, item(&p, file)), 4);
	snprintf(line, sizeof(line), "{\"id\":1,\"result\":{\"bytes\":%lld}}",
		 (long long)number(stopped, "bytes"));
	peer_expect(&p, line);
	snprintf(path, sizeof(path), "%s/cap/%s", r.dir, name);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	json_decref(started);
	json_decref(stopped);
	rig_stop(&r, &p);
}

static void capture_refusals(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 3);
	peer_say(&p, "{\"id\":1,\"method\":\"capture.stop\"}");
	peer_expect_error(&p, "not_found", "no capture is running", NULL);
	peer_say(&p, "{\"id\":1,\"method\":\"capture.read\",\"params\":"
		     "{\"name\":\"../../etc/passwd\"}}");
	peer_expect_error(&p, "not_found",
			  "there is no capture file '../../etc/passwd'",
			  "capture.list has their names");
	snprintf(r.files.dir, sizeof(r.files.dir), "/proc/none");
	peer_say(&p, "{\"id\":1,\"method\":\"capture.start\"}");
	peer_expect_error(&p, "failed", "/proc/none: No such file or directory",
			  NULL);
	CU_ASSERT_EQUAL(r.capture.ntakers, 0);
	rig_stop(&r, &p);
}

static const struct unit_test tests[] = {
	UNIT_TEST(follow_and_stop),
	UNIT_TEST(follow_counts_and_filters),
	UNIT_TEST(follow_wrong_parameters),
	UNIT_TEST(follow_is_bounded),
	UNIT_TEST(stuck_reader_loses),
	UNIT_TEST(client_goes),
	UNIT_TEST(daemon_ends),
	UNIT_TEST(pieces_are_whole_blocks),
	UNIT_TEST(idle_dump_sleeps),
	UNIT_TEST(capture_starts_stops_and_is_read),
	UNIT_TEST(capture_refusals),
};

int main(int argc, char **argv)
{
	return unit_run("ctl_dump", tests, ARRAY_LEN(tests), argc, argv);
}
