/*
 * test_ctl_many.c - Many requests, many clients, slow and dead ones
 */
#include "ctl_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

/* ---- several at once --------------------------------------------------- */

static void walks_of_one_client_are_interleaved(void)
{
	struct rig r;
	struct peer p;
	int items[2] = {0, 0}, switches = 0, results = 0;
	char was = 0;

	rig_start(&r, &p, 5000);
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
	rig_stop(&r, &p);
}

static void requests_at_once_are_bounded(void)
{
	struct rig r;
	struct peer p;
	char line[128];

	rig_start(&r, &p, 200000);
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
	peer_expect_error(&p, "bad_request",
			  "a request with this id is running", NULL);
	peer_expect_error(&p, "busy", "at most 8 requests run at once", NULL);
	peer_expect_error(&p, "not_found", "no request 9 is running", NULL);
	for (int i = 0; i < CTL_JOBS_MAX; i++)
		json_decref(peer_json(&p));
	CU_ASSERT_EQUAL(TAILQ_FIRST(&r.ctl->clients)->njobs, 0);
	rig_stop(&r, &p);
}

static void cancel_ends_a_walk(void)
{
	struct rig r;
	struct peer p;
	char *line;

	rig_start(&r, &p, 1000000);
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
	peer_expect(&p, "{\"id\":2,\"result\":{}}");
	CU_ASSERT(r.st->walked < 1000000);
	peer_ask(&p,
		 "{\"id\":3,\"method\":\"conn.show\",\"params\":{\"conn\":"
		 "\"c\"}}",
		 "{\"id\":3,\"error\":{\"code\":\"bad_request\",\"message\":"
		 "\"'c' does not name a connection\",\"hint\":\"c42, last, or "
		 "198.18.66.2:80-198.18.66.1:50112\"}}");
	rig_stop(&r, &p);
}

/* How far it is may be told before, on a slow machine more than once. */
static void expect_killed(struct peer *p, json_int_t count)
{
	json_t *line = peer_json(p), *result;

	while (json_object_get(line, "item")) {
		json_decref(line);
		line = peer_json(p);
	}
	result = json_object_get(line, "result");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(result, "count")),
			count);
	CU_ASSERT(result &&
		  !json_integer_value(json_object_get(result, "skipped")));
	json_decref(line);
}

/* A million are closed in slices: others are served in between. */
static void a_kill_of_a_million_stops_nobody(void)
{
	struct rig r;
	struct peer p, other;
	uint64_t done;

	rig_start(&r, &p, 1000000);
	peer_greeted(&other, &r);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.kill\","
		     "\"params\":{\"filter\":\"state all\"}}");
	for (int i = 0; i < 20; i++) {
		peer_say(&other, "{\"id\":2,\"method\":\"listener.list\"}");
		free(peer_line(&other));
		free(peer_line(&other));
		peer_expect(&other, "{\"id\":2,\"result\":{\"count\":2}}");
	}
	CU_ASSERT(r.st->walked > 0);
	CU_ASSERT(r.st->walked < 1000000);
	done = r.kicks;
	CU_ASSERT(done > 0); /* what was closed leaves meanwhile */
	expect_killed(&p, 1000000);
	CU_ASSERT(r.kicks > done);
	peer_free(&other);
	rig_stop(&r, &p);
}

/* Whoever waits hears how far it is, once a second. */
static void a_long_kill_tells_its_progress(void)
{
	struct rig r;
	struct peer p;
	json_t *line;

	rig_start(&r, &p, 1000000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.kill\","
		     "\"params\":{\"filter\":\"state all\"}}");
	do
		rig_turn(&r);
	while (!r.kicks);
	TAILQ_FIRST(&TAILQ_FIRST(&r.ctl->clients)->jobs)->told_us -= 1000000;
	line = peer_json(&p);
	CU_ASSERT_PTR_NOT_NULL_FATAL(json_object_get(line, "item"));
	json_decref(line);
	expect_killed(&p, 1000000);
	rig_stop(&r, &p);
}

static void a_thousand_requests_in_one_go(void)
{
	struct rig r;
	struct peer p;
	char *all = NULL, line[64];
	size_t len;
	FILE *f = open_memstream(&all, &len);

	rig_start(&r, &p, 1);
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
	rig_stop(&r, &p);
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
	rig_start(&r, &p, 1);
	CU_ASSERT_EQUAL(send(p.fd, burst, sizeof(burst), MSG_NOSIGNAL),
			sizeof(burst));
	while (r.ctl->stats.requests < 2000) {
		was = r.ctl->stats.requests;
		rig_turn(&r);
		if (r.ctl->stats.requests - was > most)
			most = r.ctl->stats.requests - was;
		peer_read(&p);
	}
	CU_ASSERT(most < 400);
	for (int i = 0; i < 2000; i++)
		json_decref(peer_json(&p));
	rig_stop(&r, &p);
}

/* ---- slow and dead clients --------------------------------------------- */

/* Turn the loop until a walk stands still because nobody reads. */
static void turn_until_stuck(struct rig *r)
{
	ev_tstamp until = ev_time() + PATIENCE_S;

	while (!TAILQ_EMPTY(&r->ctl->ready) && ev_time() < until)
		rig_turn(r);
	for (int i = 0; i < 100; i++)
		rig_turn(r);
}

static void a_slow_reader_stops_its_own_walk_only(void)
{
	struct rig r;
	struct peer slow, quick;
	uint64_t walked;
	int items = 0;
	char *line;

	rig_start(&r, &slow, 100000);
	peer_say(&slow, "{\"id\":1,\"method\":\"conn.list\"}");
	turn_until_stuck(&r);
	walked = r.st->walked;
	CU_ASSERT(walked < 10000);
	CU_ASSERT(rig_memory(&r) < 4 * CTL_OUT_HIGH);

	peer_greeted(&quick, &r);
	peer_ask(&quick,
		 "{\"id\":1,\"method\":\"conn.list\",\"params\":"
		 "{\"filter\":\"id=c99999\",\"fields\":[\"id\"]}}",
		 "{\"id\":1,\"item\":{\"id\":\"c99999\"}}");
	peer_expect(&quick, "{\"id\":1,\"result\":{\"count\":1}}");
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
	rig_stop(&r, &slow);
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
	rig_start(&r, &p, 0);
	while (idle < 100) {
		size_t at = sent % sizeof(burst);
		ssize_t n = send(p.fd, burst + at, sizeof(burst) - at,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		rig_turn(&r);
		CU_ASSERT(rig_memory(&r) < 4 * CTL_OUT_HIGH);
	}
	for (size_t i = 0; i < sent / (sizeof(line) - 1); i++)
		json_decref(peer_json(&p));
	rig_stop(&r, &p);
}

static void who_never_reads_is_dropped(void)
{
	struct rig r;
	struct peer p;
	ev_tstamp until = ev_time() + PATIENCE_S;

	rig_start(&r, &p, 100000);
	r.ctl->stall_s = 0.02;
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\"}");
	while (!TAILQ_EMPTY(&r.ctl->clients) && ev_time() < until)
		ev_run(r.loop, EVRUN_ONCE);
	CU_ASSERT(TAILQ_EMPTY(&r.ctl->clients));
	CU_ASSERT(TAILQ_EMPTY(&r.ctl->ready));
	CU_ASSERT_EQUAL(r.ctl->stats.stalled, 1);
	rig_stop(&r, &p);
}

static void who_leaves_in_the_middle_is_forgotten(void)
{
	struct rig r;
	struct peer p;
	ev_tstamp until = ev_time() + PATIENCE_S;
	char *line;

	rig_start(&r, &p, 1000000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\"}");
	line = peer_line(&p);
	free(line);
	peer_free(&p);
	while (!TAILQ_EMPTY(&r.ctl->clients) && ev_time() < until)
		rig_turn(&r);
	CU_ASSERT(TAILQ_EMPTY(&r.ctl->clients));
	CU_ASSERT(!ev_is_active(&r.ctl->idle));
	CU_ASSERT(r.st->walked < 1000000);
	rig_free(&r);
}

static void ctl_goes_with_clients_and_walks(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 100000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\"}\n{\"id\":2");
	rig_turn(&r);
	rig_stop(&r, &p);
}

static void clients_are_bounded_and_cheap(void)
{
	static struct peer p[CTL_CLIENTS_MAX];
	struct rig r;
	struct peer more;

	rig_init(&r, 0);
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		peer_greeted(&p[i], &r);
	CU_ASSERT(rig_memory(&r) < CTL_CLIENTS_MAX * 1024);

	peer_init(&more, &r);
	peer_expect(&more, "{\"error\":{\"code\":\"busy\",\"message\":"
			   "\"too many control clients\",\"hint\":"
			   "\"try again when one has gone\"}}");
	peer_expect_end(&more);
	peer_free(&more);
	CU_ASSERT_EQUAL(r.ctl->stats.busy, 1);

	peer_ask(&p[200], "{\"id\":1,\"method\":\"conn.list\"}",
		 "{\"id\":1,\"result\":{\"count\":0}}");
	peer_free(&p[17]);
	rig_turn(&r);
	rig_turn(&r);
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

	rig_start(&r, &p, 1000000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.show\","
		     "\"params\":{\"conn\":\"last\"}}");
	while (r.st->walked < 1000000) {
		was = r.st->walked;
		rig_turn(&r);
		if (r.st->walked - was > most)
			most = r.st->walked - was;
	}
	CU_ASSERT(most > 0);
	CU_ASSERT(most < 100000);
	json_decref(peer_json(&p));
	rig_stop(&r, &p);
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

	rig_start(&r, &p, 2000);
	if (pipe(pipes) || write(pipes[1], "x", 1) != 1)
		abort();
	ev_io_init(&flood, on_flood, pipes[0], EV_READ);
	ev_io_start(r.loop, &flood);
	peer_ask(&p,
		 "{\"id\":1,\"method\":\"conn.list\",\"params\":"
		 "{\"filter\":\"id=c2000\",\"fields\":[\"id\"]}}",
		 "{\"id\":1,\"item\":{\"id\":\"c2000\"}}");
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":1}}");
	ev_io_stop(r.loop, &flood);
	close(pipes[0]);
	close(pipes[1]);
	rig_stop(&r, &p);
}

/* Who comes meanwhile waits, and is let in when there are some again. */
static void descriptors_run_out(void)
{
	struct rig r;
	struct peer p;
	struct rlimit was, few;
	ev_tstamp until = ev_time() + 10;
	int lowest;

	rig_init(&r, 0);
	lowest = dup(0);
	CU_ASSERT_FATAL(lowest > 0);
	close(lowest);
	getrlimit(RLIMIT_NOFILE, &was);
	few = was;
	few.rlim_cur = (rlim_t)lowest + 1; /* the peer has this one */
	setrlimit(RLIMIT_NOFILE, &few);
	log_set_level(-1);
	peer_init(&p, &r);
	for (int i = 0; i < 10; i++)
		rig_turn(&r);
	CU_ASSERT_EQUAL(r.ctl->stats.clients, 0);
	log_set_level(LOG_LEVEL_ERROR);
	setrlimit(RLIMIT_NOFILE, &was);
	while (!r.ctl->stats.clients && ev_time() < until)
		rig_turn(&r);
	CU_ASSERT_EQUAL(r.ctl->stats.clients, 1);
	rig_stop(&r, &p);
}

static unsigned int settled;

static void settle(void *arg)
{
	(void)arg;
	settled++;
}

/* Methods that answer at once, too. */
static void other_threads_are_heard_before_an_answer(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	r.ctl->hooks.settle = settle;
	settled = 0;
	peer_say(&p, "{\"id\":1,\"method\":\"stats\"}");
	json_decref(peer_json(&p));
	CU_ASSERT(settled > 0);
	settled = 0;
	peer_send(&p, "{\"id\":2,\"method\":\"stats\"}\n{", 27);
	json_decref(peer_json(&p));
	CU_ASSERT(settled > 0);
	settled = 0;
	peer_say(&p, "\"id\":3,\"method\":\"stats\"}");
	json_decref(peer_json(&p));
	CU_ASSERT(settled > 0);
	rig_stop(&r, &p);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(walks_of_one_client_are_interleaved),
		UNIT_TEST(requests_at_once_are_bounded),
		UNIT_TEST(cancel_ends_a_walk),
		UNIT_TEST(a_kill_of_a_million_stops_nobody),
		UNIT_TEST(a_long_kill_tells_its_progress),
		UNIT_TEST(a_thousand_requests_in_one_go),
		UNIT_TEST(a_burst_never_holds_the_loop),
		UNIT_TEST(a_slow_reader_stops_its_own_walk_only),
		UNIT_TEST(answers_are_bounded_for_who_does_not_read),
		UNIT_TEST(who_never_reads_is_dropped),
		UNIT_TEST(who_leaves_in_the_middle_is_forgotten),
		UNIT_TEST(ctl_goes_with_clients_and_walks),
		UNIT_TEST(clients_are_bounded_and_cheap),
		UNIT_TEST(a_walk_never_holds_the_loop),
		UNIT_TEST(a_loop_that_is_never_idle_still_serves),
		UNIT_TEST(other_threads_are_heard_before_an_answer),
		UNIT_TEST(descriptors_run_out),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return unit_run("ctl_many", tests, ARRAY_LEN(tests), argc, argv);
}
