/*
 * test_ctl.c - The control socket, with real clients on a real loop
 *
 * Both ends live in this process. A client's socket does not block; whoever
 * waits for something turns the loop until it is there or PATIENCE_S are over.
 * The stack is a fake one (fake_stack.c), so a table of a million connections,
 * two of them with one id, costs nothing.
 */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/assert.h"
#include "ctl_priv.h"
#include "describe.h"
#include "fake_stack.h"
#include "log.h"
#include "unit.h"

#define PATIENCE_S 20.0

struct rig {
	char dir[32], path[64];
	struct ev_loop *loop;
	struct ctl *ctl;
	struct ctl_conf conf;
	struct stack *st;
	int reload_answer;
	unsigned int kicks;
	int level; /* of the hook; -1 before */
};

struct peer {
	struct rig *rig;
	int fd;
	bool ended; /* the daemon closed */
	char *text; /* received and not yet taken */
	size_t len, size;
};

/* ---- rig --------------------------------------------------------------- */

static int hook_reload(void *arg, char *err, size_t errlen)
{
	struct rig *r = arg;

	if (r->reload_answer < 0)
		snprintf(err, errlen, "tcphsd.conf:3: unknown key 'prot'");
	return r->reload_answer;
}

static void hook_status(void *arg, json_t *status)
{
	(void)arg;
	json_object_set_new(status, "state", json_string("ready"));
}

static void hook_stats(void *arg, json_t *stats)
{
	(void)arg;
	json_object_set_new(stats, "tun", json_pack("{s:i}", "read_errors", 4));
}

static void hook_kick(void *arg)
{
	struct rig *r = arg;

	r->kicks++;
}

static void hook_level(void *arg, int level)
{
	struct rig *r = arg;

	r->level = level;
}

static void rig_init(struct rig *r, unsigned int nconns)
{
	const struct ctl_hooks hooks = {r,	    hook_reload, hook_status,
					hook_stats, hook_kick,	 hook_level};
	char err[256] = "";
	int fd;

	memset(r, 0, sizeof(*r));
	r->level = -1;
	strcpy(r->dir, "/tmp/test_ctl.XXXXXX");
	if (!mkdtemp(r->dir))
		abort();
	snprintf(r->path, sizeof(r->path), "%s/sock", r->dir);
	r->conf = (struct ctl_conf){.path = r->path,
				    .mode = 0660,
				    .admin_group = "",
				    .reader_group = "",
				    .instance = "tcphs0"};
	r->st = fake_stack_new(nconns);
	r->loop = ev_loop_new(EVFLAG_AUTO);
	fd = ctl_listen(&r->conf, err, sizeof(err));
	if (fd < 0) {
		fprintf(stderr, "%s\n", err);
		abort();
	}
	r->ctl = ctl_new(r->loop, fd, &r->conf, r->st, &hooks);
}

static void rig_free(struct rig *r)
{
	ctl_del(r->ctl);
	ev_loop_destroy(r->loop);
	fake_stack_del(r->st);
	unlink(r->path);
	rmdir(r->dir);
}

static void peer_init(struct peer *p, struct rig *r)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	memset(p, 0, sizeof(*p));
	p->rig = r;
	strcpy(addr.sun_path, r->path);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&addr, sizeof(addr)))
		abort();
}

static void peer_free(struct peer *p)
{
	close(p->fd);
	free(p->text);
}

/* Read what is there without waiting. */
static void peer_read(struct peer *p)
{
	ssize_t n;

	if (p->size - p->len < 65536) {
		p->size += 65536;
		p->text = realloc(p->text, p->size);
	}
	n = recv(p->fd, p->text + p->len, p->size - p->len, MSG_DONTWAIT);
	if (n > 0)
		p->len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		p->ended = true;
}

static void turn(struct rig *r)
{
	ev_run(r->loop, EVRUN_NOWAIT);
}

/* A line without its end; NULL when the connection ended. To be freed. */
static char *peer_line(struct peer *p)
{
	ev_tstamp until = ev_time() + PATIENCE_S;
	char *end, *line;
	size_t n;

	for (;;) {
		end = p->len ? memchr(p->text, '\n', p->len) : NULL;
		if (end)
			break;
		if (p->ended)
			return NULL;
		if (ev_time() > until) {
			CU_FAIL_FATAL("nothing came in time");
			return NULL;
		}
		turn(p->rig);
		peer_read(p);
	}
	n = (size_t)(end - p->text);
	line = strndup(p->text, n);
	p->len -= n + 1;
	memmove(p->text, end + 1, p->len);
	return line;
}

static void peer_send(struct peer *p, const char *data, size_t len)
{
	ev_tstamp until = ev_time() + PATIENCE_S;

	while (len) {
		ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN) {
			return;
		}
		if (ev_time() > until) {
			CU_FAIL_FATAL("could not send in time");
			return;
		}
		turn(p->rig);
	}
}

static void peer_say(struct peer *p, const char *line)
{
	peer_send(p, line, strlen(line));
	peer_send(p, "\n", 1);
}

/* The next line, which must be this one. */
static void expect(struct peer *p, const char *want)
{
	char *line = peer_line(p);

	if (!line || strcmp(line, want) != 0)
		fprintf(stderr, "got  %s\nnot  %s\n", line ? line : "(end)",
			want);
	CU_ASSERT(line && strcmp(line, want) == 0);
	free(line);
}

static void expect_end(struct peer *p)
{
	char *line = peer_line(p);

	if (line)
		fprintf(stderr, "got  %s\nnot  the end\n", line);
	CU_ASSERT_PTR_NULL(line);
	free(line);
}

/* The next line as JSON. */
static json_t *peer_json(struct peer *p)
{
	char *line = peer_line(p);
	json_t *json = line ? json_loads(line, 0, NULL) : NULL;

	CU_ASSERT_PTR_NOT_NULL(json);
	free(line);
	return json;
}

#define GREETING                                               \
	"{\"tcphs\":{\"proto\":1,\"version\":\"" TCPHS_VERSION \
	"\",\"instance\":\"tcphs0\",\"rights\":\"admin\",\"features\":[]}}"

static void peer_greeted(struct peer *p, struct rig *r)
{
	peer_init(p, r);
	expect(p, GREETING);
}

/* A rig with one greeted client. */
static void start(struct rig *r, struct peer *p, unsigned int nconns)
{
	rig_init(r, nconns);
	peer_greeted(p, r);
}

static void stop(struct rig *r, struct peer *p)
{
	peer_free(p);
	rig_free(r);
}

static void ask(struct peer *p, const char *request, const char *answer)
{
	peer_say(p, request);
	expect(p, answer);
}

/* "error" of the next line has this code and message. */
static void expect_error(struct peer *p, const char *code, const char *message,
			 const char *hint)
{
	json_t *json = peer_json(p);
	json_t *e = json_object_get(json, "error");
	const char *got = json_string_value(json_object_get(e, "code"));
	const char *msg = json_string_value(json_object_get(e, "message"));
	const char *h = json_string_value(json_object_get(e, "hint"));

	if (!got || !msg || strcmp(got, code) || strcmp(msg, message))
		fprintf(stderr, "got  %s: %s\n", got ? got : "-",
			msg ? msg : "-");
	CU_ASSERT(got && strcmp(got, code) == 0);
	CU_ASSERT(msg && strcmp(msg, message) == 0);
	CU_ASSERT(hint ? h && strcmp(h, hint) == 0 : !h);
	json_decref(json);
}

/* ---- requests ---------------------------------------------------------- */

static void status_is_hook_and_stack(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 3);
	ask(&p, "{\"id\":1,\"method\":\"status\"}",
	    "{\"id\":1,\"result\":{\"state\":\"ready\",\"connections\":3,"
	    "\"half_open\":0,\"time_wait\":0,\"max_connections\":1000,"
	    "\"memory\":1048576,\"memory_used\":0,\"listeners\":2,"
	    "\"events_lost\":0}}");
	stop(&r, &p);
}

static void stats_count_the_clients_too(void)
{
	struct rig r;
	struct peer p;
	json_t *json, *result, *own;

	start(&r, &p, 3);
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
	stop(&r, &p);
}

static void listeners_are_listed_and_switched(void)
{
	struct rig r;
	struct peer p;
	char *line;

	start(&r, &p, 0);
	peer_say(&p, "{\"id\":1,\"method\":\"listener.list\"}");
	for (int i = 0; i < 2; i++) {
		line = peer_line(&p);
		CU_ASSERT(line && strstr(line, i ? "\"name\":\"web\""
						 : "\"name\":\"echo\""));
		free(line);
	}
	expect(&p, "{\"id\":1,\"result\":{\"count\":2}}");
	ask(&p,
	    "{\"id\":2,\"method\":\"listener.disable\","
	    "\"params\":{\"name\":\"web\"}}",
	    "{\"id\":2,\"result\":{}}");
	CU_ASSERT(!r.st->listeners[1].enabled);
	CU_ASSERT_EQUAL(r.kicks, 1);
	ask(&p,
	    "{\"id\":3,\"method\":\"listener.enable\","
	    "\"params\":{\"name\":\"web\"}}",
	    "{\"id\":3,\"result\":{}}");
	CU_ASSERT(r.st->listeners[1].enabled);
	peer_say(&p, "{\"id\":4,\"method\":\"listener.enable\","
		     "\"params\":{\"name\":\"ehco\"}}");
	expect_error(&p, "not_found", "there is no listener 'ehco'",
		     "did you mean 'echo'?");
	peer_say(&p, "{\"id\":5,\"method\":\"listener.enable\"}");
	expect_error(&p, "bad_request", "'name' is missing", NULL);
	stop(&r, &p);
}

static void reload_says_what_came_of_it(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 0);
	r.reload_answer = 1;
	ask(&p, "{\"id\":1,\"method\":\"reload\"}",
	    "{\"id\":1,\"result\":{\"changed\":true}}");
	r.reload_answer = 0;
	ask(&p, "{\"id\":2,\"method\":\"reload\"}",
	    "{\"id\":2,\"result\":{\"changed\":false}}");
	r.reload_answer = -EINVAL;
	peer_say(&p, "{\"id\":3,\"method\":\"reload\"}");
	expect_error(&p, "config", "tcphsd.conf:3: unknown key 'prot'",
		     "the running configuration stays");
	stop(&r, &p);
}

static void log_level_is_set_and_told(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 0);
	ask(&p,
	    "{\"id\":1,\"method\":\"log.level\","
	    "\"params\":{\"level\":\"warning\"}}",
	    "{\"id\":1,\"result\":{\"level\":\"warning\",\"was\":\"error\"}}");
	CU_ASSERT_EQUAL(r.level, LOG_LEVEL_WARN);
	CU_ASSERT_EQUAL(log_level(), LOG_LEVEL_WARN);
	log_set_level(LOG_LEVEL_ERROR);
	peer_say(&p, "{\"id\":2,\"method\":\"log.level\","
		     "\"params\":{\"level\":\"loud\"}}");
	expect_error(&p, "bad_request", "'loud' is no log level",
		     "error, warning, notice, info or debug");
	stop(&r, &p);
}

static void unknown_method_is_guessed_at(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 0);
	peer_say(&p, "{\"id\":1,\"method\":\"con.list\"}");
	expect_error(&p, "unknown_method", "unknown method 'con.list'",
		     "did you mean 'conn.list'?");
	peer_say(&p, "{\"id\":1,\"method\":\"dump.follow\"}");
	expect_error(&p, "unknown_method", "unknown method 'dump.follow'",
		     NULL);
	stop(&r, &p);
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

	start(&r, &p, 3);
	peer_say(&p, "{\"id\":9,\"method\":\"conn.list\","
		     "\"params\":{\"filter\":\"id = c2\"}}");
	expect(&p, "{\"id\":9,\"item\":" C2 "}}");
	expect(&p, "{\"id\":9,\"result\":{\"count\":1}}");

	peer_say(&p, "{\"id\":10,\"method\":\"conn.list\",\"params\":"
		     "{\"fields\":[\"bytes_in\",\"id\"]}}");
	expect(&p, "{\"id\":10,\"item\":{\"id\":\"c1\",\"bytes_in\":0}}");
	expect(&p, "{\"id\":10,\"item\":{\"id\":\"c2\",\"bytes_in\":0}}");
	expect(&p, "{\"id\":10,\"item\":{\"id\":\"c3\",\"bytes_in\":0}}");
	expect(&p, "{\"id\":10,\"result\":{\"count\":3}}");
	stop(&r, &p);
}

static void list_without_connections(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 0);
	ask(&p, "{\"id\":1,\"method\":\"conn.list\"}",
	    "{\"id\":1,\"result\":{\"count\":0}}");
	stop(&r, &p);
}

static void list_refuses_bad_parameters(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 1);
	ask(&p,
	    "{\"id\":1,\"method\":\"conn.list\","
	    "\"params\":{\"filter\":\"state estblished\"}}",
	    "{\"id\":1,\"error\":{\"code\":\"bad_filter\","
	    "\"message\":\"unknown state 'estblished'\","
	    "\"hint\":\"did you mean 'established'?\",\"at\":6}}");
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"filter\":5}}");
	expect_error(&p, "bad_request", "'filter' must be a string", NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"fields\":[\"stat\"]}}");
	expect_error(&p, "bad_request", "unknown field 'stat'",
		     "did you mean 'state'?");
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"fields\":[\"id\",\"zzzzz\"]}}");
	expect_error(&p, "bad_request", "unknown field 'zzzzz'", NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"fields\":\"id\"}}");
	expect_error(&p, "bad_request", "'fields' must be an array of names",
		     NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\","
		     "\"params\":{\"fields\":[1]}}");
	expect_error(&p, "bad_request", "'fields' must be names", NULL);
	peer_say(&p, "{\"id\":2,\"method\":\"conn.list\",\"params\":[]}");
	expect_error(&p, "bad_request", "'params' must be an object", NULL);
	stop(&r, &p);
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

	start(&r, &p, 5000);
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
	stop(&r, &p);
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

	start(&r, &p, 3);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		show(&p, bad[i]);
		snprintf(message, sizeof(message),
			 "'%s' does not name a connection", bad[i]);
		expect_error(&p, "bad_request", message,
			     "c42, last, or "
			     "198.18.66.2:80-198.18.66.1:50112");
	}
	show(&p, "c4");
	expect_error(&p, "not_found", "there is no connection c4", NULL);
	show(&p, "198.18.66.2:7-10.0.0.9:40000");
	expect_error(&p, "not_found",
		     "there is no 198.18.66.2:7-10.0.0.9:40000", NULL);
	r.st->n = 0;
	show(&p, "last");
	expect_error(&p, "not_found", "there is no connection", NULL);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.show\"}");
	expect_error(&p, "bad_request", "'conn' is missing", NULL);
	stop(&r, &p);
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

	start(&r, &p, 500);
	do_close(&p, "c42", false);
	expect(&p, "{\"id\":1,\"result\":{}}");
	CU_ASSERT_EQUAL(r.st->conns[41].deed, FAKE_CLOSED);
	CU_ASSERT_EQUAL(r.kicks, 1);
	do_close(&p, "198.18.66.2:7-10.0.0.1:40000", true);
	expect(&p, "{\"id\":1,\"result\":{}}");
	CU_ASSERT_EQUAL(r.st->conns[0].deed, FAKE_ABORTED);
	do_close(&p, "last", true);
	expect(&p, "{\"id\":1,\"result\":{}}");
	CU_ASSERT_EQUAL(r.st->conns[499].deed, FAKE_ABORTED);
	for (unsigned int i = 1; i < 499; i++)
		CU_ASSERT(i == 41 || r.st->conns[i].deed == FAKE_NOTHING);
	stop(&r, &p);
}

static void close_refuses_half_open_and_time_wait(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 2);
	r.st->conns[0].info.half_open = true;
	r.st->conns[1].info.state = TCP_TIME_WAIT;
	do_close(&p, "c1", false);
	expect_error(&p, "not_found",
		     "c1 is half-open: there is no connection to close yet",
		     NULL);
	do_close(&p, "c2", true);
	expect_error(&p, "not_found",
		     "c2 is in TIME-WAIT: the connection is closed already",
		     NULL);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.close\","
		     "\"params\":{\"conn\":\"c1\",\"rst\":1}}");
	expect_error(&p, "bad_request", "'rst' must be true or false", NULL);
	stop(&r, &p);
}

/* Ids have 32 bits; after four billion connections one comes again. */
static void close_refuses_an_id_that_two_have(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 1000);
	r.st->conns[900].info.id = 5;
	do_close(&p, "c5", false);
	expect_error(&p, "bad_request", "2 connections have the id c5",
		     "name it by its ends, like "
		     "198.18.66.2:7-10.0.3.133:40000");
	CU_ASSERT_EQUAL(r.st->conns[4].deed, FAKE_NOTHING);
	CU_ASSERT_EQUAL(r.st->conns[900].deed, FAKE_NOTHING);
	do_close(&p, "198.18.66.2:7-10.0.3.133:40000", false);
	expect(&p, "{\"id\":1,\"result\":{}}");
	CU_ASSERT_EQUAL(r.st->conns[4].deed, FAKE_NOTHING);
	CU_ASSERT_EQUAL(r.st->conns[900].deed, FAKE_CLOSED);
	stop(&r, &p);
}

/* A walk may meet one connection twice if it ends between two slices. */
static void one_connection_seen_twice_is_one(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 1000);
	r.st->conns[999].info = r.st->conns[4].info;
	r.st->conns[999].info.state = TCP_TIME_WAIT;
	do_close(&p, "c5", false);
	expect_error(&p, "not_found",
		     "c5 is in TIME-WAIT: the connection is closed already",
		     NULL);
	show_expect(&p, "c5", "c5");
	stop(&r, &p);
}

static void close_misses_what_ended_meanwhile(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 1000);
	r.st->gone_walk = 2;
	do_close(&p, "c1", false);
	expect_error(&p, "not_found", "c1 ended by itself", NULL);
	r.st->gone_walk = 0;
	r.st->renewed_walk = 4;
	do_close(&p, "c1", false);
	expect_error(&p, "not_found", "c1 ended by itself", NULL);
	CU_ASSERT_EQUAL(r.st->conns[0].deed, FAKE_NOTHING);
	stop(&r, &p);
}

static void kill_ends_what_matches(void)
{
	struct rig r;
	struct peer p;
	unsigned int ended = 0;

	start(&r, &p, 1000);
	r.st->conns[0].info.half_open = true;
	for (unsigned int i = 500; i < 1000; i++)
		r.st->conns[i].info.local_port = 80;
	ask(&p,
	    "{\"id\":1,\"method\":\"conn.kill\","
	    "\"params\":{\"filter\":\"sport = 7\",\"rst\":true}}",
	    "{\"id\":1,\"result\":{\"count\":499,\"skipped\":1}}");
	for (unsigned int i = 0; i < 1000; i++)
		ended += r.st->conns[i].deed == FAKE_ABORTED;
	CU_ASSERT_EQUAL(ended, 499);
	CU_ASSERT(r.kicks > 0);
	ask(&p,
	    "{\"id\":2,\"method\":\"conn.kill\","
	    "\"params\":{\"filter\":\"sport = 80\"}}",
	    "{\"id\":2,\"result\":{\"count\":500,\"skipped\":0}}");
	CU_ASSERT_EQUAL(r.st->conns[999].deed, FAKE_CLOSED);
	stop(&r, &p);
}

static void kill_wants_a_filter(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 10);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.kill\"}");
	expect_error(&p, "bad_request", "conn.kill needs a filter",
		     "'state all' closes every connection");
	peer_say(&p, "{\"id\":1,\"method\":\"conn.kill\","
		     "\"params\":{\"filter\":\" \"}}");
	expect_error(&p, "bad_request", "conn.kill needs a filter",
		     "'state all' closes every connection");
	peer_say(&p, "{\"id\":1,\"method\":\"conn.kill\","
		     "\"params\":{\"filter\":\"sport = x\"}}");
	expect_error(&p, "bad_filter", "'x' is not a port number",
		     "for example: sport = :80");
	CU_ASSERT_EQUAL(r.st->walked, 0);
	stop(&r, &p);
}

static void viewers_may_look_and_not_touch(void)
{
	static const char *const touching[] = {
		"conn.close",	    "conn.kill", "listener.enable",
		"listener.disable", "reload",	 "log.level",
	};
	struct rig r;
	struct peer p;
	char line[128], message[64];

	start(&r, &p, 1);
	TAILQ_FIRST(&r.ctl->clients)->rights = RIGHTS_VIEW;
	strcpy(r.ctl->admin_group, "tcphs");
	for (size_t i = 0; i < ARRAY_LEN(touching); i++) {
		snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"%s\"}",
			 touching[i]);
		snprintf(message, sizeof(message), "%s needs the admin right",
			 touching[i]);
		peer_say(&p, line);
		expect_error(&p, "not_permitted", message,
			     "join the group tcphs");
	}
	ask(&p,
	    "{\"id\":2,\"method\":\"conn.list\",\"params\":"
	    "{\"fields\":[\"id\"]}}",
	    "{\"id\":2,\"item\":{\"id\":\"c1\"}}");
	expect(&p, "{\"id\":2,\"result\":{\"count\":1}}");
	stop(&r, &p);
}

/* ---- several at once --------------------------------------------------- */

static void walks_of_one_client_are_interleaved(void)
{
	struct rig r;
	struct peer p;
	int items[2] = {0, 0}, switches = 0, results = 0;
	char was = 0;

	start(&r, &p, 5000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\"}\n"
		     "{\"id\":2,\"method\":\"conn.list\"}");
	while (results < 2) {
		char *line = peer_line(&p);

		CU_ASSERT_PTR_NOT_NULL_FATAL(line);
		if (strstr(line, "\"result\":{\"count\":5000}"))
			results++;
		else
			items[line[6] - '1']++;
		switches += line[6] != was;
		was = line[6];
		free(line);
	}
	CU_ASSERT_EQUAL(items[0], 5000);
	CU_ASSERT_EQUAL(items[1], 5000);
	CU_ASSERT(switches > 10);
	stop(&r, &p);
}

static void requests_at_once_are_bounded(void)
{
	struct rig r;
	struct peer p;
	char line[128];

	start(&r, &p, 200000);
	for (int i = 0; i < CTL_JOBS_MAX; i++) {
		snprintf(line, sizeof(line),
			 "{\"id\":%d,\"method\":\"conn.show\","
			 "\"params\":{\"conn\":\"c200000\"}}\n",
			 i);
		send(p.fd, line, strlen(line), MSG_NOSIGNAL);
	}
	peer_say(&p, "{\"id\":3,\"method\":\"conn.list\"}\n"
		     "{\"id\":9,\"method\":\"conn.list\"}\n"
		     "{\"id\":10,\"method\":\"cancel\",\"params\":{\"id\":9}}");
	expect_error(&p, "bad_request", "a request with this id is running",
		     NULL);
	expect_error(&p, "busy", "at most 8 requests run at once", NULL);
	expect_error(&p, "not_found", "no request 9 is running", NULL);
	for (int i = 0; i < CTL_JOBS_MAX; i++)
		json_decref(peer_json(&p));
	CU_ASSERT_EQUAL(TAILQ_FIRST(&r.ctl->clients)->njobs, 0);
	stop(&r, &p);
}

static void cancel_ends_a_walk(void)
{
	struct rig r;
	struct peer p;
	char *line;

	start(&r, &p, 1000000);
	peer_say(&p, "{\"id\":\"x\",\"method\":\"conn.list\"}");
	line = peer_line(&p);
	CU_ASSERT(line && strstr(line, "{\"id\":\"x\",\"item\":"));
	free(line);
	peer_say(&p, "{\"id\":2,\"method\":\"cancel\","
		     "\"params\":{\"id\":\"x\"}}");
	do {
		line = peer_line(&p);
		if (!line || strncmp(line, "{\"id\":\"x\",\"item\":", 17) != 0)
			break;
		free(line);
	} while (true);
	CU_ASSERT(line && strcmp(line, "{\"id\":\"x\",\"error\":{\"code\":"
				       "\"cancelled\",\"message\":"
				       "\"cancelled\"}}") == 0);
	free(line);
	expect(&p, "{\"id\":2,\"result\":{}}");
	CU_ASSERT(r.st->walked < 1000000);
	ask(&p,
	    "{\"id\":3,\"method\":\"conn.show\",\"params\":{\"conn\":"
	    "\"c\"}}",
	    "{\"id\":3,\"error\":{\"code\":\"bad_request\",\"message\":"
	    "\"'c' does not name a connection\",\"hint\":\"c42, last, or "
	    "198.18.66.2:80-198.18.66.1:50112\"}}");
	stop(&r, &p);
}

static void a_thousand_requests_in_one_go(void)
{
	struct rig r;
	struct peer p;
	char *all = NULL, line[64];
	size_t len;
	FILE *f = open_memstream(&all, &len);

	start(&r, &p, 1);
	for (int i = 0; i < 1000; i++)
		fprintf(f, "{\"id\":%d,\"method\":\"nix\"}\n", i);
	fclose(f);
	peer_send(&p, all, len);
	for (int i = 0; i < 1000; i++) {
		char *got = peer_line(&p);

		snprintf(line, sizeof(line), "{\"id\":%d,\"error\"", i);
		CU_ASSERT(got && strncmp(got, line, strlen(line)) == 0);
		free(got);
	}
	free(all);
	stop(&r, &p);
}

/* A burst that comes in one read is not answered in one go. */
static void a_burst_never_holds_the_loop(void)
{
	struct rig r;
	struct peer p;
	char burst[3 * 2000];
	uint64_t was, most = 0;

	for (size_t i = 0; i < sizeof(burst); i += 3)
		memcpy(burst + i, "{}\n", 3);
	start(&r, &p, 1);
	CU_ASSERT_EQUAL(send(p.fd, burst, sizeof(burst), MSG_NOSIGNAL),
			sizeof(burst));
	while (r.ctl->stats.requests < 2000) {
		was = r.ctl->stats.requests;
		turn(&r);
		if (r.ctl->stats.requests - was > most)
			most = r.ctl->stats.requests - was;
		peer_read(&p);
	}
	CU_ASSERT(most < 400);
	for (int i = 0; i < 2000; i++)
		json_decref(peer_json(&p));
	stop(&r, &p);
}

/* ---- bad input --------------------------------------------------------- */

static void garbage_is_answered_and_survived(void)
{
	static const char *const garbage[] = {
		"{",
		"{]",
		"{\"id\":}",
		"[1,2",
		"\x80\xff\xfe",
		"",
		"{\"id\":1,\"id\":2}",
		"{\"id\":1}x",
		"nonsense",
		"{\"a\":\"\xc3\x28\"}",
	};
	struct rig r;
	struct peer p;

	start(&r, &p, 0);
	ask(&p, "{\"id\":1,\"method\"}",
	    "{\"error\":{\"code\":\"bad_json\","
	    "\"message\":\"':' expected near '}'\",\"at\":17}}");
	for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
		json_t *json, *code;

		peer_say(&p, garbage[i]);
		json = peer_json(&p);
		code = json_object_get(json_object_get(json, "error"), "code");
		CU_ASSERT_STRING_EQUAL(json_string_value(code), "bad_json");
		json_decref(json);
	}
	peer_say(&p, "[1,2]");
	expect_error(&p, "bad_request", "a request is a JSON object", NULL);
	peer_say(&p, "{\"id\":1}");
	expect_error(&p, "bad_request", "'method' must be a string", NULL);
	ask(&p, "{\"id\":1,\"method\":\"conn.list\"}",
	    "{\"id\":1,\"result\":{\"count\":0}}");
	stop(&r, &p);
}

#define LONG_ID                                                        \
	"{\"id\":\"01234567890123456789012345678901234567890123456789" \
	"012345678901234567890\",\"method\":\"status\"}"

static void ids_are_numbers_or_short_strings(void)
{
	static const char *const bad[] = {
		"{\"method\":\"status\"}",
		"{\"id\":null,\"method\":\"status\"}",
		"{\"id\":1.5,\"method\":\"status\"}",
		"{\"id\":[],\"method\":\"status\"}",
		LONG_ID,
	};
	struct rig r;
	struct peer p;

	start(&r, &p, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		peer_say(&p, bad[i]);
		expect_error(&p, "bad_request",
			     "'id' must be a whole number or a string of "
			     "less than 62 bytes",
			     NULL);
	}
	ask(&p, "{\"id\":-9223372036854775808,\"method\":\"conn.list\"}",
	    "{\"id\":-9223372036854775808,\"result\":{\"count\":0}}");
	ask(&p,
	    "{\"id\":\"0123456789012345678901234567890123456789012345678"
	    "901234567890\",\"method\":\"conn.list\"}",
	    "{\"id\":\"0123456789012345678901234567890123456789012345678"
	    "901234567890\",\"result\":{\"count\":0}}");
	stop(&r, &p);
}

static void a_line_may_come_in_pieces(void)
{
	static const char line[] = "{\"id\":1,\"method\":\"conn.list\"}\n";
	struct rig r;
	struct peer p;

	start(&r, &p, 0);
	for (size_t i = 0; i + 1 < sizeof(line); i++)
		peer_send(&p, line + i, 1);
	expect(&p, "{\"id\":1,\"result\":{\"count\":0}}");
	stop(&r, &p);
}

static void half_a_line_at_the_end_is_not_run(void)
{
	static const char half[] = "{\"id\":1,\"method\":\"conn.kill\","
				   "\"params\":{\"filter\":\"state all\"}}";
	struct rig r;
	struct peer p;

	start(&r, &p, 5);
	peer_send(&p, half, sizeof(half) - 1);
	shutdown(p.fd, SHUT_WR);
	expect_error(&p, "bad_request", "the line has no line feed at its end",
		     NULL);
	expect_end(&p);
	CU_ASSERT_EQUAL(r.st->walked, 0);
	CU_ASSERT(TAILQ_EMPTY(&r.ctl->clients));
	stop(&r, &p);
}

/* A client that has sent all it wants and closed its half gets its answer. */
static void answers_come_after_the_clients_fin(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 5000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\","
		     "\"params\":{\"filter\":\"id=c5000\",\"fields\":[]}}");
	shutdown(p.fd, SHUT_WR);
	expect(&p, "{\"id\":1,\"item\":{}}");
	expect(&p, "{\"id\":1,\"result\":{\"count\":1}}");
	expect_end(&p);
	stop(&r, &p);
}

static size_t memory_of_clients(const struct rig *r)
{
	const struct ctl_client *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &r->ctl->clients, link)
	n += sizeof(*c) + c->in.size + c->out.size;
	return n;
}

/* A request of @n bytes, line feed included, padded with blanks. */
static void say_long(struct peer *p, int id, size_t n)
{
	char *line = malloc(n + 1);
	int used = sprintf(line, "{\"id\":%d,\"method\":\"conn.list\"}", id);

	memset(line + used, ' ', n - (size_t)used);
	line[n - 1] = '\n';
	peer_send(p, line, n);
	free(line);
}

static void lines_are_bounded(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 0);
	say_long(&p, 1, CTL_REQUEST_MAX);
	expect(&p, "{\"id\":1,\"result\":{\"count\":0}}");
	say_long(&p, 2, CTL_REQUEST_MAX + 1);
	expect_error(&p, "too_long", "a request is at most 65536 bytes", NULL);
	say_long(&p, 3, CTL_REQUEST_MAX);
	expect(&p, "{\"id\":3,\"result\":{\"count\":0}}");
	CU_ASSERT_EQUAL(r.ctl->stats.too_long, 1);
	stop(&r, &p);
}

static void ten_megabytes_of_line_are_thrown_away(void)
{
	struct rig r;
	struct peer p;
	char block[10000];

	start(&r, &p, 0);
	memset(block, 'x', sizeof(block));
	peer_send(&p, "{", 1);
	for (int i = 0; i < 1000; i++) {
		peer_send(&p, block, sizeof(block));
		CU_ASSERT(memory_of_clients(&r) <
			  CTL_REQUEST_MAX + CTL_OUT_HIGH);
	}
	peer_say(&p, "");
	expect_error(&p, "too_long", "a request is at most 65536 bytes", NULL);
	ask(&p, "{\"id\":1,\"method\":\"conn.list\"}",
	    "{\"id\":1,\"result\":{\"count\":0}}");
	CU_ASSERT_EQUAL(r.ctl->stats.too_long, 1);
	stop(&r, &p);
}

/* ---- slow and dead clients --------------------------------------------- */

/* Turn the loop until a walk stands still because nobody reads. */
static void turn_until_stuck(struct rig *r)
{
	ev_tstamp until = ev_time() + PATIENCE_S;

	while (!TAILQ_EMPTY(&r->ctl->ready) && ev_time() < until)
		turn(r);
	for (int i = 0; i < 100; i++)
		turn(r);
}

static void a_slow_reader_stops_its_own_walk_only(void)
{
	struct rig r;
	struct peer slow, quick;
	uint64_t walked;
	int items = 0;
	char *line;

	start(&r, &slow, 100000);
	peer_say(&slow, "{\"id\":1,\"method\":\"conn.list\"}");
	turn_until_stuck(&r);
	walked = r.st->walked;
	CU_ASSERT(walked < 10000);
	CU_ASSERT(memory_of_clients(&r) < 4 * CTL_OUT_HIGH);

	peer_greeted(&quick, &r);
	ask(&quick,
	    "{\"id\":1,\"method\":\"conn.list\",\"params\":"
	    "{\"filter\":\"id=c99999\",\"fields\":[\"id\"]}}",
	    "{\"id\":1,\"item\":{\"id\":\"c99999\"}}");
	expect(&quick, "{\"id\":1,\"result\":{\"count\":1}}");
	CU_ASSERT_EQUAL(r.st->walked, walked + 100000);
	peer_free(&quick);

	while ((line = peer_line(&slow))) {
		if (strstr(line, "result"))
			break;
		items++;
		free(line);
	}
	CU_ASSERT(line && strcmp(line, "{\"id\":1,\"result\":"
				       "{\"count\":100000}}") == 0);
	free(line);
	CU_ASSERT_EQUAL(items, 100000);
	CU_ASSERT_EQUAL(r.ctl->stats.stalled, 0);
	stop(&r, &slow);
}

/* Requests of a client that does not read its answers are not read either,
 * nor run if they have been read. */
static void answers_are_bounded_for_who_does_not_read(void)
{
	static const char line[] = "{\"id\":1,\"method\":\"stats\"}\n";
	char burst[2000 * (sizeof(line) - 1)];
	struct rig r;
	struct peer p;
	size_t sent = 0;
	int idle = 0;

	for (size_t i = 0; i < sizeof(burst); i += sizeof(line) - 1)
		memcpy(burst + i, line, sizeof(line) - 1);
	start(&r, &p, 0);
	while (idle < 100) {
		size_t at = sent % sizeof(burst);
		ssize_t n = send(p.fd, burst + at, sizeof(burst) - at,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		turn(&r);
		CU_ASSERT(memory_of_clients(&r) < 4 * CTL_OUT_HIGH);
	}
	for (size_t i = 0; i < sent / (sizeof(line) - 1); i++)
		json_decref(peer_json(&p));
	stop(&r, &p);
}

static void who_never_reads_is_dropped(void)
{
	struct rig r;
	struct peer p;
	ev_tstamp until = ev_time() + PATIENCE_S;

	start(&r, &p, 100000);
	r.ctl->stall_s = 0.02;
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\"}");
	while (!TAILQ_EMPTY(&r.ctl->clients) && ev_time() < until)
		ev_run(r.loop, EVRUN_ONCE);
	CU_ASSERT(TAILQ_EMPTY(&r.ctl->clients));
	CU_ASSERT(TAILQ_EMPTY(&r.ctl->ready));
	CU_ASSERT_EQUAL(r.ctl->stats.stalled, 1);
	stop(&r, &p);
}

static void who_leaves_in_the_middle_is_forgotten(void)
{
	struct rig r;
	struct peer p;
	ev_tstamp until = ev_time() + PATIENCE_S;
	char *line;

	start(&r, &p, 1000000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\"}");
	line = peer_line(&p);
	free(line);
	peer_free(&p);
	while (!TAILQ_EMPTY(&r.ctl->clients) && ev_time() < until)
		turn(&r);
	CU_ASSERT(TAILQ_EMPTY(&r.ctl->clients));
	CU_ASSERT(!ev_is_active(&r.ctl->idle));
	CU_ASSERT(r.st->walked < 1000000);
	rig_free(&r);
}

static void ctl_goes_with_clients_and_walks(void)
{
	struct rig r;
	struct peer p;

	start(&r, &p, 100000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\"}\n{\"id\":2");
	turn(&r);
	stop(&r, &p);
}

static void clients_are_bounded_and_cheap(void)
{
	static struct peer p[CTL_CLIENTS_MAX];
	struct rig r;
	struct peer more;

	rig_init(&r, 0);
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		peer_greeted(&p[i], &r);
	CU_ASSERT(memory_of_clients(&r) < CTL_CLIENTS_MAX * 1024);

	peer_init(&more, &r);
	expect(&more, "{\"error\":{\"code\":\"busy\",\"message\":"
		      "\"too many control clients\",\"hint\":"
		      "\"try again when one has gone\"}}");
	expect_end(&more);
	peer_free(&more);
	CU_ASSERT_EQUAL(r.ctl->stats.busy, 1);

	ask(&p[200], "{\"id\":1,\"method\":\"conn.list\"}",
	    "{\"id\":1,\"result\":{\"count\":0}}");
	peer_free(&p[17]);
	turn(&r);
	turn(&r);
	peer_greeted(&p[17], &r);
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		peer_free(&p[i]);
	rig_free(&r);
}

/* ---- the loop ---------------------------------------------------------- */

/* However long a walk is, one iteration of the loop looks at little of it. */
static void a_walk_never_holds_the_loop(void)
{
	struct rig r;
	struct peer p;
	uint64_t was, most = 0;

	start(&r, &p, 1000000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.show\","
		     "\"params\":{\"conn\":\"last\"}}");
	while (r.st->walked < 1000000) {
		was = r.st->walked;
		turn(&r);
		if (r.st->walked - was > most)
			most = r.st->walked - was;
	}
	CU_ASSERT(most > 0);
	CU_ASSERT(most < 100000);
	json_decref(peer_json(&p));
	stop(&r, &p);
}

static void on_flood(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
}

/* A device that is always readable does not lock control out. */
static void a_loop_that_is_never_idle_still_serves(void)
{
	struct rig r;
	struct peer p;
	int pipes[2];
	ev_io flood;

	start(&r, &p, 2000);
	if (pipe(pipes) || write(pipes[1], "x", 1) != 1)
		abort();
	ev_io_init(&flood, on_flood, pipes[0], EV_READ);
	ev_io_start(r.loop, &flood);
	ask(&p,
	    "{\"id\":1,\"method\":\"conn.list\",\"params\":"
	    "{\"filter\":\"id=c2000\",\"fields\":[\"id\"]}}",
	    "{\"id\":1,\"item\":{\"id\":\"c2000\"}}");
	expect(&p, "{\"id\":1,\"result\":{\"count\":1}}");
	ev_io_stop(r.loop, &flood);
	close(pipes[0]);
	close(pipes[1]);
	stop(&r, &p);
}

/* ---- text mode --------------------------------------------------------- */

static void text(struct peer *p, struct rig *r, const char *command)
{
	peer_greeted(p, r);
	peer_say(p, command);
	shutdown(p->fd, SHUT_WR);
}

static void text_list(void)
{
	struct rig r;
	struct peer p;

	rig_init(&r, 300);
	text(&p, &r, "list state established and id = c7\r");
	expect(&p, "ID       STATE        LOCAL                 PEER         "
		   "         LISTENER   ROLE       AGE_MS   RTT_US RETR      "
		   "   IN        OUT");
	expect(&p, "c7       ESTAB        198.18.66.2:7         "
		   "10.0.0.7:40000        echo       server       1000        "
		   "-    0          0          0");
	expect_end(&p);
	stop(&r, &p);
}

static void text_results_are_lines(void)
{
	struct rig r;
	struct peer p;
	char *line;

	rig_init(&r, 3);
	text(&p, &r, "  status ");
	expect(&p, "state ready");
	expect(&p, "connections 3");
	while ((line = peer_line(&p)))
		free(line);
	peer_free(&p);

	text(&p, &r, "show c2");
	expect(&p, "id c2");
	expect(&p, "state established");
	expect(&p, "role server");
	expect(&p, "local.ip 198.18.66.2");
	while ((line = peer_line(&p)))
		free(line);
	peer_free(&p);

	text(&p, &r, "listener  list");
	line = peer_line(&p);
	CU_ASSERT(line && strncmp(line, "name=echo service=echo ", 23) == 0);
	free(line);
	free(peer_line(&p));
	expect_end(&p);
	stop(&r, &p);
}

static void text_acts(void)
{
	struct rig r;
	struct peer p;

	rig_init(&r, 3);
	text(&p, &r, "close c2 --rst");
	expect(&p, "ok");
	expect_end(&p);
	peer_free(&p);
	CU_ASSERT_EQUAL(r.st->conns[1].deed, FAKE_ABORTED);

	text(&p, &r, "kill id = c1");
	expect(&p, "count 1");
	expect(&p, "skipped 0");
	expect_end(&p);
	peer_free(&p);
	CU_ASSERT_EQUAL(r.st->conns[0].deed, FAKE_CLOSED);
	CU_ASSERT_EQUAL(r.st->conns[2].deed, FAKE_NOTHING);

	text(&p, &r, "listener disable web");
	expect(&p, "ok");
	CU_ASSERT(!r.st->listeners[1].enabled);
	stop(&r, &p);
}

static void text_error(struct rig *r, const char *command, const char *answer)
{
	struct peer p;

	text(&p, r, command);
	expect(&p, answer);
	expect_end(&p);
	peer_free(&p);
}

static void text_errors(void)
{
	struct rig r;
	struct peer p;

	rig_init(&r, 3);
	text_error(&r, "GET / HTTP/1.1",
		   "error: unknown command 'GET / HTTP/1.1' (try 'help')");
	text_error(&r, "", "error: unknown command '' (try 'help')");
	text_error(&r, "listx", "error: unknown command 'listx' (try 'help')");
	text_error(&r, "list state x",
		   "error: unknown state 'x' (established, syn-received, "
		   "connected, bucket, big, all ...)");
	text_error(&r, "status now", "error: nothing follows 'status'");
	text_error(&r, "show", "error: 'conn' is missing");
	text_error(&r, "kill",
		   "error: conn.kill needs a filter ('state all' closes every "
		   "connection)");
	text_error(&r, "list \xff\xfe", "error: the command is not UTF-8");
	peer_greeted(&p, &r);
	peer_send(&p, "kill state all", 14);
	shutdown(p.fd, SHUT_WR);
	expect(&p, "error: the line has no line feed at its end");
	expect_end(&p);
	CU_ASSERT_EQUAL(r.st->walked, 0);
	stop(&r, &p);
}

static void text_help_lists_the_commands(void)
{
	struct rig r;
	struct peer p;

	rig_init(&r, 0);
	text(&p, &r, "help");
	expect(&p, "status");
	expect(&p, "list [FILTER]");
	stop(&r, &p);
}

static void text_too_long(void)
{
	struct rig r;
	struct peer p;
	char block[10000];

	start(&r, &p, 0);
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 20; i++)
		peer_send(&p, block, sizeof(block));
	expect(&p, "error: a request is at most 65536 bytes");
	expect_end(&p);
	stop(&r, &p);
}

/* ---- the socket -------------------------------------------------------- */

static void listen_replaces_a_stale_socket(void)
{
	struct rig r;
	struct stat sb;
	char err[256];
	int fd, again;

	rig_init(&r, 0);
	CU_ASSERT_EQUAL(ctl_listen(&r.conf, err, sizeof(err)), -EADDRINUSE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "another tcphsd answers there"));
	ctl_del(r.ctl);
	r.ctl = NULL;
	r.conf.mode = 0600;
	fd = ctl_listen(&r.conf, err, sizeof(err));
	CU_ASSERT(fd >= 0);
	CU_ASSERT_EQUAL(stat(r.path, &sb), 0);
	CU_ASSERT_EQUAL(sb.st_mode & 0777, 0600);
	again = ctl_listen(&r.conf, err, sizeof(err));
	CU_ASSERT_EQUAL(again, -EADDRINUSE);
	close(fd);
	rig_free(&r);
}

static void listen_leaves_other_files_alone(void)
{
	struct rig r;
	char err[256], path[200];
	struct ctl_conf conf;
	int fd;

	rig_init(&r, 0);
	snprintf(path, sizeof(path), "%s/file", r.dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	conf = r.conf;
	conf.path = path;
	CU_ASSERT_EQUAL(ctl_listen(&conf, err, sizeof(err)), -EEXIST);
	CU_ASSERT_EQUAL(access(path, F_OK), 0);
	unlink(path);

	snprintf(path, sizeof(path), "%s/none/sock", r.dir);
	CU_ASSERT_EQUAL(ctl_listen(&conf, err, sizeof(err)), -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CU_ASSERT_EQUAL(ctl_listen(&conf, err, sizeof(err)), -ENAMETOOLONG);
	rig_free(&r);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(status_is_hook_and_stack),
		UNIT_TEST(stats_count_the_clients_too),
		UNIT_TEST(listeners_are_listed_and_switched),
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
		UNIT_TEST(viewers_may_look_and_not_touch),
		UNIT_TEST(walks_of_one_client_are_interleaved),
		UNIT_TEST(requests_at_once_are_bounded),
		UNIT_TEST(cancel_ends_a_walk),
		UNIT_TEST(a_thousand_requests_in_one_go),
		UNIT_TEST(a_burst_never_holds_the_loop),
		UNIT_TEST(garbage_is_answered_and_survived),
		UNIT_TEST(ids_are_numbers_or_short_strings),
		UNIT_TEST(a_line_may_come_in_pieces),
		UNIT_TEST(half_a_line_at_the_end_is_not_run),
		UNIT_TEST(answers_come_after_the_clients_fin),
		UNIT_TEST(lines_are_bounded),
		UNIT_TEST(ten_megabytes_of_line_are_thrown_away),
		UNIT_TEST(a_slow_reader_stops_its_own_walk_only),
		UNIT_TEST(answers_are_bounded_for_who_does_not_read),
		UNIT_TEST(who_never_reads_is_dropped),
		UNIT_TEST(who_leaves_in_the_middle_is_forgotten),
		UNIT_TEST(ctl_goes_with_clients_and_walks),
		UNIT_TEST(clients_are_bounded_and_cheap),
		UNIT_TEST(a_walk_never_holds_the_loop),
		UNIT_TEST(a_loop_that_is_never_idle_still_serves),
		UNIT_TEST(text_list),
		UNIT_TEST(text_results_are_lines),
		UNIT_TEST(text_acts),
		UNIT_TEST(text_errors),
		UNIT_TEST(text_help_lists_the_commands),
		UNIT_TEST(text_too_long),
		UNIT_TEST(listen_replaces_a_stale_socket),
		UNIT_TEST(listen_leaves_other_files_alone),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return unit_run("ctl", tests, ARRAY_LEN(tests), argc, argv);
}
