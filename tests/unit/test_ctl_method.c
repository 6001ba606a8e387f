/*
 * test_ctl_method.c - What each method of the control socket answers
 */
#include "ctl_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* ---- requests ---------------------------------------------------------- */

static void status_is_hook_and_stack(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 3);
	peer_ask(&p, "{\"id\":1,\"method\":\"status\"}",
		 "{\"id\":1,\"result\":{\"state\":\"ready\",\"connections\":3,"
		 "\"half_open\":0,\"time_wait\":0,\"max_connections\":1000,"
		 "\"memory\":1048576,\"memory_used\":0,\"listeners\":2,"
		 "\"events_lost\":0}}");
	rig_stop(&r, &p);
}

static void stats_count_the_clients_too(void)
{
	struct rig r;
	struct peer p;
	json_t *json, *result, *own;

	rig_start(&r, &p, 3);
	peer_say(&p, "{\"id\":\"a\\\"b\",\"method\":\"stats\",\"params\":{}}");
	json = peer_json(&p);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "id")),
			       "a\"b");
	result = json_object_get(json, "result");
	CU_ASSERT(json_is_object(json_object_get(result, "counters")));
	CU_ASSERT(json_is_object(json_object_get(result, "tun")));
	own = json_object_get(result, "control");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(own, "clients")), 1);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(own, "requests")),
			1);
	json_decref(json);
	rig_stop(&r, &p);
}

static void alerts(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	peer_say(&p, "{\"id\":1,\"method\":\"alerts\"}");
	peer_expect(&p, "{\"id\":1,\"item\":{\"active\":false,\"kind\":-1,"
			"\"listener\":\"\"}}");
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":1}}");
	peer_say(&p, "{\"id\":2,\"method\":\"alerts\",\"params\":{\"filter\":"
		     "\" port_scan  active listener=web \"}}");
	peer_expect(&p, "{\"id\":2,\"item\":{\"active\":true,\"kind\":2,"
			"\"listener\":\"web\"}}");
	peer_expect(&p, "{\"id\":2,\"result\":{\"count\":1}}");
	peer_say(&p, "{\"id\":3,\"method\":\"alerts\",\"params\":{\"filter\":"
		     "\"active syn_flod\"}}");
	peer_expect_error(&p, "bad_filter",
			  "'syn_flod' says nothing about alerts",
			  "did you mean 'syn_flood'?");
	rig_stop(&r, &p);
}

/* All of them, one of them, one that is not there. */
static void histogram_and_metrics(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	peer_say(&p, "{\"id\":1,\"method\":\"histogram\"}");
	peer_expect(&p, "{\"id\":1,\"item\":{\"listener\":\"echo\"}}");
	peer_expect(&p, "{\"id\":1,\"item\":{\"role\":\"client\"}}");
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":2}}");
	peer_say(&p, "{\"id\":2,\"method\":\"histogram\","
		     "\"params\":{\"listener\":\"web\"}}");
	peer_expect(&p, "{\"id\":2,\"item\":{\"listener\":\"web\"}}");
	peer_expect(&p, "{\"id\":2,\"result\":{\"count\":1}}");
	peer_say(&p, "{\"id\":3,\"method\":\"histogram\","
		     "\"params\":{\"listener\":\"wep\"}}");
	peer_expect_error(&p, "not_found", "there is no listener 'wep'",
			  "did you mean 'web'?");
	peer_say(&p, "{\"id\":4,\"method\":\"metrics\"}");
	peer_expect(&p, "{\"id\":4,\"item\":{\"text\":\"tcphs_up 1\\n\"}}");
	peer_expect(&p, "{\"id\":4,\"result\":{\"count\":1}}");
	rig_stop(&r, &p);
}

static void listeners_are_listed_and_switched(void)
{
	struct rig r;
	struct peer p;
	char *line;

	rig_start(&r, &p, 0);
	peer_say(&p, "{\"id\":1,\"method\":\"listener.list\"}");
	for (int i = 0; i < 2; i++) {
		line = peer_line(&p);
		CU_ASSERT(line && strstr(line, i ? "\"name\":\"web\""
						 : "\"name\":\"echo\""));
		free(line);
	}
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":2}}");
	peer_ask(&p,
		 "{\"id\":2,\"method\":\"listener.disable\","
		 "\"params\":{\"name\":\"web\"}}",
		 "{\"id\":2,\"result\":{}}");
	CU_ASSERT(!r.st->listeners[1].enabled);
	CU_ASSERT_EQUAL(r.kicks, 1);
	peer_ask(&p,
		 "{\"id\":3,\"method\":\"listener.enable\","
		 "\"params\":{\"name\":\"web\"}}",
		 "{\"id\":3,\"result\":{}}");
	CU_ASSERT(r.st->listeners[1].enabled);
	peer_say(&p, "{\"id\":4,\"method\":\"listener.enable\","
		     "\"params\":{\"name\":\"ehco\"}}");
	peer_expect_error(&p, "not_found", "there is no listener 'ehco'",
			  "did you mean 'echo'?");
	peer_say(&p, "{\"id\":5,\"method\":\"listener.enable\"}");
	peer_expect_error(&p, "bad_request", "'name' is missing", NULL);
	rig_stop(&r, &p);
}

static void listeners_are_added_and_deleted(void)
{
	struct rig r;
	struct peer p;
	char *line;

	rig_start(&r, &p, 0);
	peer_say(&p, "{\"id\":1,\"method\":\"listener.add\",\"params\":"
		     "{\"name\":\"web\",\"settings\":{\"port\":80,"
		     "\"service\":\"http\"}}}");
	line = peer_line(&p);
	CU_ASSERT(line && strstr(line, "\"name\":\"web\"") &&
		  strstr(line, "\"ends\":["));
	free(line);
	CU_ASSERT_STRING_EQUAL(r.asked, "add web port=80 service=http");
	peer_say(&p, "{\"id\":2,\"method\":\"listener.add\",\"params\":"
		     "{\"name\":\"web\",\"settings\":{\"port\":[]}}}");
	peer_expect_error(&p, "bad_request",
			  "'port' must be a string or a whole number", NULL);
	peer_say(&p, "{\"id\":3,\"method\":\"listener.add\",\"params\":"
		     "{\"name\":\"web\",\"settings\":3}}");
	peer_expect_error(&p, "bad_request",
			  "'settings' must be an object of keys", NULL);
	peer_ask(&p,
		 "{\"id\":4,\"method\":\"listener.del\",\"params\":"
		 "{\"name\":\"web\"}}",
		 "{\"id\":4,\"result\":{}}");
	CU_ASSERT_STRING_EQUAL(r.asked, "del web");
	r.refuses = true;
	peer_say(&p, "{\"id\":5,\"method\":\"listener.add\",\"params\":"
		     "{\"name\":\"x\"}}");
	peer_expect_error(&p, "config",
			  "port = 0 is out of range; write 1 to 65535", NULL);
	peer_say(&p, "{\"id\":6,\"method\":\"listener.del\",\"params\":"
		     "{\"name\":\"wbe\"}}");
	peer_expect_error(&p, "not_found", "there is no listener 'wbe'",
			  "did you mean 'web'?");
	rig_stop(&r, &p);
}

static void listeners_are_changed(void)
{
	struct rig r;
	struct peer p;
	char *line;

	rig_start(&r, &p, 0);
	peer_say(&p, "{\"id\":1,\"method\":\"listener.set\",\"params\":"
		     "{\"name\":\"web\",\"settings\":{\"backlog\":3,"
		     "\"allow\":\"any\"}}}");
	line = peer_line(&p);
	CU_ASSERT(line && strstr(line, "\"name\":\"web\"") &&
		  strstr(line, "\"ends\":["));
	free(line);
	CU_ASSERT_STRING_EQUAL(r.asked, "set web backlog=3 allow=any");
	r.asked[0] = '\0';
	peer_say(&p, "{\"id\":2,\"method\":\"listener.set\",\"params\":"
		     "{\"name\":\"web\"}}");
	peer_expect_error(&p, "bad_request",
			  "'settings' must have a key at least", NULL);
	peer_say(&p, "{\"id\":3,\"method\":\"listener.set\",\"params\":"
		     "{\"name\":\"web\",\"settings\":[1]}}");
	peer_expect_error(&p, "bad_request",
			  "'settings' must have a key at least", NULL);
	CU_ASSERT_STRING_EQUAL(r.asked, "");
	peer_say(&p, "{\"id\":4,\"method\":\"listener.set\",\"params\":"
		     "{\"name\":\"wbe\",\"settings\":{\"backlog\":3}}}");
	peer_expect_error(&p, "not_found", "there is no listener 'wbe'",
			  "did you mean 'web'?");
	r.refuses = true;
	peer_say(&p, "{\"id\":5,\"method\":\"listener.set\",\"params\":"
		     "{\"name\":\"web\",\"settings\":{\"port\":0}}}");
	peer_expect_error(&p, "config",
			  "port = 0 is out of range; write 1 to 65535", NULL);
	rig_stop(&r, &p);
}

static void the_configuration(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 3);
	peer_say(&p, "{\"id\":1,\"method\":\"config.show\"}");
	peer_expect(&p, "{\"id\":1,\"item\":{\"key\":\"seed\","
			"\"hidden\":false}}");
	peer_expect(&p, "{\"id\":1,\"result\":{\"file\":\"/etc/t.conf\","
			"\"count\":1}}");
	peer_ask(&p, "{\"id\":2,\"method\":\"config.check\"}",
		 "{\"id\":2,\"result\":{\"valid\":true}}");
	peer_say(&p, "{\"id\":3,\"method\":\"config.diff\"}");
	peer_expect(&p, "{\"id\":3,\"item\":{\"key\":\"mtu\","
			"\"file\":\"9000\"}}");
	peer_expect(&p, "{\"id\":3,\"result\":{\"count\":1}}");
	peer_say(&p, "{\"id\":4,\"method\":\"config.show\",\"params\":"
		     "{\"defaults\":1}}");
	peer_expect_error(&p, "bad_request", "'defaults' must be true or false",
			  NULL);
	r.refuses = true;
	peer_say(&p, "{\"id\":5,\"method\":\"config.diff\"}");
	peer_expect_error(&p, "config", "t.conf:3: unknown key 'prot'",
			  "tcphsctl config check has all that is wrong");
	rig_stop(&r, &p);
}

/* Sequence numbers can be guessed by whoever knows the seed. */
static void a_viewer_gets_no_secrets(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 3);
	TAILQ_FIRST(&r.ctl->clients)->rights = RIGHTS_VIEW;
	peer_say(&p, "{\"id\":1,\"method\":\"config.show\",\"params\":"
		     "{\"defaults\":true}}");
	peer_expect(&p, "{\"id\":1,\"item\":{\"key\":\"seed\","
			"\"hidden\":true}}");
	peer_expect(&p, "{\"id\":1,\"item\":{\"key\":\"mtu\"}}");
	peer_expect(&p, "{\"id\":1,\"result\":{\"file\":\"/etc/t.conf\","
			"\"count\":2}}");
	rig_stop(&r, &p);
}

static void reload_says_what_came_of_it(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	r.reload_answer = 1;
	peer_ask(&p, "{\"id\":1,\"method\":\"reload\"}",
		 "{\"id\":1,\"result\":{\"changed\":true}}");
	r.reload_answer = 0;
	peer_ask(&p, "{\"id\":2,\"method\":\"reload\"}",
		 "{\"id\":2,\"result\":{\"changed\":false}}");
	r.reload_answer = -EINVAL;
	peer_say(&p, "{\"id\":3,\"method\":\"reload\"}");
	peer_expect_error(&p, "config", "tcphsd.conf:3: unknown key 'prot'",
			  "the running configuration stays");
	rig_stop(&r, &p);
}

static void log_level_is_set_and_told(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	peer_ask(&p,
		 "{\"id\":1,\"method\":\"log.level\","
		 "\"params\":{\"level\":\"warning\"}}",
		 "{\"id\":1,\"result\":{\"level\":\"warning\",\"was\":"
		 "\"error\"}}");
	CU_ASSERT_EQUAL(r.level, LOG_LEVEL_WARN);
	CU_ASSERT_EQUAL(log_level(), LOG_LEVEL_WARN);
	log_set_level(LOG_LEVEL_ERROR);
	peer_say(&p, "{\"id\":2,\"method\":\"log.level\","
		     "\"params\":{\"level\":\"loud\"}}");
	peer_expect_error(&p, "bad_request", "'loud' is no log level",
			  "error, warning, notice, info or debug");
	rig_stop(&r, &p);
}

static void unknown_method_is_guessed_at(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	peer_say(&p, "{\"id\":1,\"method\":\"con.list\"}");
	peer_expect_error(&p, "unknown_method", "unknown method 'con.list'",
			  "did you mean 'conn.list'?");
	peer_say(&p, "{\"id\":1,\"method\":\"teleport.now\"}");
	peer_expect_error(&p, "unknown_method", "unknown method 'teleport.now'",
			  NULL);
	rig_stop(&r, &p);
}

/* ---- conn.list --------------------------------------------------------- */

#define C2                                                              \
	"{\"id\":\"c2\",\"state\":\"established\",\"role\":\"server\"," \
	"\"local\":{\"ip\":\"198.18.66.2\",\"port\":7},"                \
	"\"peer\":{\"ip\":\"10.0.0.2\",\"port\":40000},"                \
	"\"listener\":\"echo\",\"age_us\":1000000,\"idle_us\":5,"       \
	"\"handshake_us\":210,\"retrans\":0,\"bytes_in\":0,"            \
	"\"bytes_out\":0"

static void list_gives_items_and_count(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 3);
	peer_say(&p, "{\"id\":9,\"method\":\"conn.list\","
		     "\"params\":{\"filter\":\"id = c2\"}}");
	peer_expect(&p, "{\"id\":9,\"item\":" C2 "}}");
	peer_expect(&p, "{\"id\":9,\"result\":{\"count\":1}}");

	peer_say(&p, "{\"id\":10,\"method\":\"conn.list\",\"params\":"
		     "{\"fields\":[\"bytes_in\",\"id\"]}}");
	peer_expect(&p, "{\"id\":10,\"item\":{\"id\":\"c1\",\"bytes_in\":0}}");
	peer_expect(&p, "{\"id\":10,\"item\":{\"id\":\"c2\",\"bytes_in\":0}}");
	peer_expect(&p, "{\"id\":10,\"item\":{\"id\":\"c3\",\"bytes_in\":0}}");
	peer_expect(&p, "{\"id\":10,\"result\":{\"count\":3}}");
	rig_stop(&r, &p);
}

static void list_without_connections(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	peer_ask(&p, "{\"id\":1,\"method\":\"conn.list\"}",
		 "{\"id\":1,\"result\":{\"count\":0}}");
	rig_stop(&r, &p);
}

static void list_refuses_bad_parameters(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 1);
	peer_ask(&p,
		 "{\"id\":1,\"method\":\"conn.list\","
		 "\"params\":{\"filter\":\"state estblished\"}}",
		 "{\"id\":1,\"error\":{\"code\":\"bad_filter\","
		 "\"message\":\"unknown state 'estblished'\","
		 "\"hint\":\"did you mean 'established'?\",\"at\":6}}");
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"filter\":5}}");
	peer_expect_error(&p, "bad_request", "'filter' must be a string", NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"fields\":[\"stat\"]}}");
	peer_expect_error(&p, "bad_request", "unknown field 'stat'",
			  "did you mean 'state'?");
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"fields\":[\"id\",\"zzzzz\"]}}");
	peer_expect_error(&p, "bad_request", "unknown field 'zzzzz'", NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"fields\":\"id\"}}");
	peer_expect_error(&p, "bad_request",
			  "'fields' must be an array of names", NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"fields\":[1]}}");
	peer_expect_error(&p, "bad_request", "'fields' must be names", NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\",\"params\":[]}");
	peer_expect_error(&p, "bad_request", "'params' must be an object",
			  NULL);
	rig_stop(&r, &p);
}

/* ---- conn.show --------------------------------------------------------- */

static void show(struct peer *p, const char *conn)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"id\":1,\"method\":\"conn.show\","
		 "\"params\":{\"conn\":\"%s\"}}",
		 conn);
	peer_say(p, line);
}

static void show_expect(struct peer *p, const char *conn, const char *id)
{
	json_t *json, *result;
	const char *got;

	show(p, conn);
	json = peer_json(p);
	result = json_object_get(json, "result");
	got = json_string_value(json_object_get(result, "id"));
	CU_ASSERT(got && strcmp(got, id) == 0);
	json_decref(json);
}

static void show_finds_by_every_name(void)
{
	struct rig r;
	struct peer p;
	json_t *json;

	rig_start(&r, &p, 5000);
	ipaddr_parse("fd74::2", &r.st->conns[7].info.local);
	ipaddr_parse("fd74::1", &r.st->conns[7].info.peer);
	show_expect(&p, "c1", "c1");
	show_expect(&p, "4711", "c4711");
	show_expect(&p, "c5000", "c5000");
	show_expect(&p, "last", "c5000");
	show_expect(&p, "198.18.66.2:7-10.0.3.232:40000", "c1000");
	show_expect(&p, "[fd74::2]:7-[fd74::1]:40000", "c8");
	show(&p, "c1");
	json = peer_json(&p);
	CU_ASSERT(json_is_object(
		json_object_get(json_object_get(json, "result"), "tcb")));
	json_decref(json);
	rig_stop(&r, &p);
}

static void show_refuses_what_is_not_there(void)
{
	static const char *const bad[] = {
		"c",
		"",
		"cc1",
		"c-1",
		"c4294967296",
		"lats",
		"1 ",
		"-",
		"198.18.66.2:7",
		"198.18.66.2-10.0.0.1:4",
		"198.18.66.2:7-10.0.0.1:70000",
		"fd74::1:7-fd74::2:8",
		"[fd74::1:7-[fd74::2]:8",
		"198.18.66.2:+7-10.0.0.1:4",
		"198.18.66.2:7-10.0.0.1:4-",
	};
	struct rig r;
	struct peer p;
	char message[128];

	rig_start(&r, &p, 3);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		show(&p, bad[i]);
		snprintf(message, sizeof(message),
			 "'%s' does not name a connection", bad[i]);
		peer_expect_error(&p, "bad_request", message,
				  "c42, last, or "
				  "198.18.66.2:80-198.18.66.1:50112");
	}
	show(&p, "c4");
	peer_expect_error(&p, "not_found", "there is no connection c4", NULL);
	show(&p, "198.18.66.2:7-10.0.0.9:40000");
	peer_expect_error(&p, "not_found",
			  "there is no 198.18.66.2:7-10.0.0.9:40000", NULL);
	r.st->n = 0;
	show(&p, "last");
	peer_expect_error(&p, "not_found", "there is no connection", NULL);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.show\"}");
	peer_expect_error(&p, "bad_request", "'conn' is missing", NULL);
	rig_stop(&r, &p);
}

/* ---- conn.close and conn.kill ------------------------------------------ */

static void do_close(struct peer *p, const char *conn, bool rst)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"id\":1,\"method\":\"conn.close\","
		 "\"params\":{\"conn\":\"%s\",\"rst\":%s}}",
		 conn, rst ? "true" : "false");
	peer_say(p, line);
}

static void close_sends_fin_or_rst(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 500);
	do_close(&p, "c42", false);
	peer_expect(&p, "{\"id\":1,\"result\":{\"id\":\"c42\"}}");
	CU_ASSERT_EQUAL(r.st->conns[41].deed, FAKE_CLOSED);
	CU_ASSERT_EQUAL(r.kicks, 1);
	do_close(&p, "198.18.66.2:7-10.0.0.1:40000", true);
	peer_expect(&p, "{\"id\":1,\"result\":{\"id\":\"c1\"}}");
	CU_ASSERT_EQUAL(r.st->conns[0].deed, FAKE_ABORTED);
	do_close(&p, "last", true);
	peer_expect(&p, "{\"id\":1,\"result\":{\"id\":\"c500\"}}");
	CU_ASSERT_EQUAL(r.st->conns[499].deed, FAKE_ABORTED);
	for (unsigned int i = 1; i < 499; i++)
		CU_ASSERT(i == 41 || r.st->conns[i].deed == FAKE_NOTHING);
	rig_stop(&r, &p);
}

static void close_refuses_half_open_and_time_wait(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 2);
	r.st->conns[0].info.half_open = true;
	r.st->conns[1].info.state = TCP_TIME_WAIT;
	do_close(&p, "c1", false);
	peer_expect_error(
		&p, "not_found",
		"c1 is half-open: there is no connection to close yet", NULL);
	do_close(&p, "c2", true);
	peer_expect_error(
		&p, "not_found",
		"c2 is in TIME-WAIT: the connection is closed already", NULL);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.close\","
		     "\"params\":{\"conn\":\"c1\",\"rst\":1}}");
	peer_expect_error(&p, "bad_request", "'rst' must be true or false",
			  NULL);
	rig_stop(&r, &p);
}

/* Ids have 32 bits; after four billion connections one comes again. */
static void close_refuses_an_id_that_two_have(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 1000);
	r.st->conns[900].info.id = 5;
	do_close(&p, "c5", false);
	peer_expect_error(&p, "bad_request", "2 connections have the id c5",
			  "name it by its ends, like "
			  "198.18.66.2:7-10.0.3.133:40000");
	CU_ASSERT_EQUAL(r.st->conns[4].deed, FAKE_NOTHING);
	CU_ASSERT_EQUAL(r.st->conns[900].deed, FAKE_NOTHING);
	do_close(&p, "198.18.66.2:7-10.0.3.133:40000", false);
	peer_expect(&p, "{\"id\":1,\"result\":{\"id\":\"c5\"}}");
	CU_ASSERT_EQUAL(r.st->conns[4].deed, FAKE_NOTHING);
	CU_ASSERT_EQUAL(r.st->conns[900].deed, FAKE_CLOSED);
	rig_stop(&r, &p);
}

/* A walk may meet one connection twice if it ends between two slices. */
static void one_connection_seen_twice_is_one(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 1000);
	r.st->conns[999].info = r.st->conns[4].info;
	r.st->conns[999].info.state = TCP_TIME_WAIT;
	do_close(&p, "c5", false);
	peer_expect_error(
		&p, "not_found",
		"c5 is in TIME-WAIT: the connection is closed already", NULL);
	show_expect(&p, "c5", "c5");
	rig_stop(&r, &p);
}

static void close_misses_what_ended_meanwhile(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 1000);
	r.st->gone_walk = 2;
	do_close(&p, "c1", false);
	peer_expect_error(&p, "not_found", "c1 ended by itself", NULL);
	r.st->gone_walk = 0;
	r.st->renewed_walk = 4;
	do_close(&p, "c1", false);
	peer_expect_error(&p, "not_found", "c1 ended by itself", NULL);
	CU_ASSERT_EQUAL(r.st->conns[0].deed, FAKE_NOTHING);
	rig_stop(&r, &p);
}

static void kill_ends_what_matches(void)
{
	struct rig r;
	struct peer p;
	unsigned int ended = 0;

	rig_start(&r, &p, 1000);
	r.st->conns[0].info.half_open = true;
	for (unsigned int i = 500; i < 1000; i++)
		r.st->conns[i].info.local_port = 80;
	peer_ask(&p,
		 "{\"id\":1,\"method\":\"conn.kill\","
		 "\"params\":{\"filter\":\"sport = 7\",\"rst\":true}}",
		 "{\"id\":1,\"result\":{\"count\":499,\"skipped\":1}}");
	for (unsigned int i = 0; i < 1000; i++)
		ended += r.st->conns[i].deed == FAKE_ABORTED;
	CU_ASSERT_EQUAL(ended, 499);
	CU_ASSERT(r.kicks > 0);
	peer_ask(&p,
		 "{\"id\":2,\"method\":\"conn.kill\","
		 "\"params\":{\"filter\":\"sport = 80\"}}",
		 "{\"id\":2,\"result\":{\"count\":500,\"skipped\":0}}");
	CU_ASSERT_EQUAL(r.st->conns[999].deed, FAKE_CLOSED);
	rig_stop(&r, &p);
}

static void kill_wants_a_filter(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 10);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.kill\"}");
	peer_expect_error(&p, "bad_request", "conn.kill needs a filter",
			  "'state all' closes every connection");
	peer_say(&p, "{\"id\":1,\"method\":\"conn.kill\","
		     "\"params\":{\"filter\":\" \"}}");
	peer_expect_error(&p, "bad_request", "conn.kill needs a filter",
			  "'state all' closes every connection");
	peer_say(&p, "{\"id\":1,\"method\":\"conn.kill\","
		     "\"params\":{\"filter\":\"sport = x\"}}");
	peer_expect_error(&p, "bad_filter", "'x' is not a port number",
			  "for example: sport = :80");
	CU_ASSERT_EQUAL(r.st->walked, 0);
	rig_stop(&r, &p);
}

#define MANUAL	"daemon/tcphs-protocol.7.scd"
#define METHODS "daemon/ctl_method.c"

static char *read_all(const char *path)
{
	char *text = calloc(1, 64 * 1024);
	FILE *f = fopen(path, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(fread(text, 1, 64 * 1024 - 1, f) > 0);
	fclose(f);
	return text;
}

/* The table is private to its file, so the file is read. */
static void manual_has_every_method_with_its_right(void)
{
	char *source = read_all(METHODS), *manual = read_all(MANUAL);
	char name[32], right[8], line[64];
	unsigned int listed = 0, n = 0;
	const char *at = source;

	while ((at = strstr(at, "\t{\"")) != NULL) {
		at += 3;
		if (sscanf(at, "%31[a-z.]\", RIGHTS_%7[A-Z]", name, right) != 2)
			continue;
		snprintf(line, sizeof(line), "\n*%s* (%s)\n", name,
			 strcmp(right, "ADMIN") == 0 ? "admin" : "view");
		if (!strstr(manual, line))
			fprintf(stderr, MANUAL " lacks:%s", line);
		CU_ASSERT_PTR_NOT_NULL(strstr(manual, line));
		n++;
	}
	CU_ASSERT(n > 25);
	for (at = manual; (at = strstr(at, "\n*")) != NULL; at++)
		listed +=
			sscanf(at, "\n*%31[a-z.]* (%7[a-z])", name, right) == 2;
	CU_ASSERT_EQUAL(listed, n);
#define HAS_ERROR(name, wire, exit) \
	CU_ASSERT_PTR_NOT_NULL(strstr(manual, "_" wire "_\n:"));
	CTL_ERROR_LIST(HAS_ERROR)
#undef HAS_ERROR
	free(source);
	free(manual);
}

static void viewers_may_look_and_not_touch(void)
{
	static const char *const touching[] = {
		"conn.close",	    "conn.kill",    "listener.enable",
		"listener.disable", "listener.add", "listener.del",
		"config.check",	    "config.diff",  "listener.set",
		"reload",	    "log.level",
	};
	struct rig r;
	struct peer p;
	char line[128], message[64];

	rig_start(&r, &p, 1);
	TAILQ_FIRST(&r.ctl->clients)->rights = RIGHTS_VIEW;
	strcpy(r.ctl->admin_group, "tcphs");
	for (size_t i = 0; i < ARRAY_LEN(touching); i++) {
		snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"%s\"}",
			 touching[i]);
		snprintf(message, sizeof(message), "%s needs the admin right",
			 touching[i]);
		peer_say(&p, line);
		peer_expect_error(&p, "not_permitted", message,
				  "join the group tcphs");
	}
	peer_ask(&p,
		 "{\"id\":2,\"method\":\"conn.list\",\"params\":"
		 "{\"fields\":[\"id\"]}}",
		 "{\"id\":2,\"item\":{\"id\":\"c1\"}}");
	peer_expect(&p, "{\"id\":2,\"result\":{\"count\":1}}");
	rig_stop(&r, &p);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(status_is_hook_and_stack),
		UNIT_TEST(stats_count_the_clients_too),
		UNIT_TEST(listeners_are_listed_and_switched),
		UNIT_TEST(histogram_and_metrics),
		UNIT_TEST(alerts),
		UNIT_TEST(listeners_are_added_and_deleted),
		UNIT_TEST(listeners_are_changed),
		UNIT_TEST(the_configuration),
		UNIT_TEST(a_viewer_gets_no_secrets),
		UNIT_TEST(reload_says_what_came_of_it),
		UNIT_TEST(log_level_is_set_and_told),
		UNIT_TEST(unknown_method_is_guessed_at),
		UNIT_TEST(list_gives_items_and_count),
		UNIT_TEST(list_without_connections),
		UNIT_TEST(list_refuses_bad_parameters),
		UNIT_TEST(show_finds_by_every_name),
		UNIT_TEST(show_refuses_what_is_not_there),
		UNIT_TEST(close_sends_fin_or_rst),
		UNIT_TEST(close_refuses_half_open_and_time_wait),
		UNIT_TEST(close_refuses_an_id_that_two_have),
		UNIT_TEST(one_connection_seen_twice_is_one),
		UNIT_TEST(close_misses_what_ended_meanwhile),
		UNIT_TEST(kill_ends_what_matches),
		UNIT_TEST(kill_wants_a_filter),
		UNIT_TEST(manual_has_every_method_with_its_right),
		UNIT_TEST(viewers_may_look_and_not_touch),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return unit_run("ctl_method", tests, ARRAY_LEN(tests), argc, argv);
}
