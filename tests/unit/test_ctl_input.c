/*
 * test_ctl_input.c - Garbage, long lines, pieces; and the socket itself
 */
#include "ctl_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

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

	rig_start(&r, &p, 0);
	peer_ask(&p, "{\"id\":1,\"method\"}",
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
	peer_expect_error(&p, "bad_request", "a request is a JSON object",
			  NULL);
	peer_say(&p, "{\"id\":1}");
	peer_expect_error(&p, "bad_request", "'method' must be a string", NULL);
	peer_ask(&p, "{\"id\":1,\"method\":\"conn.list\"}",
		 "{\"id\":1,\"result\":{\"count\":0}}");
	rig_stop(&r, &p);
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

	rig_start(&r, &p, 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		peer_say(&p, bad[i]);
		peer_expect_error(&p, "bad_request",
				  "'id' must be a whole number or a string of "
				  "less than 62 bytes",
				  NULL);
	}
	peer_ask(&p, "{\"id\":-9223372036854775808,\"method\":\"conn.list\"}",
		 "{\"id\":-9223372036854775808,\"result\":{\"count\":0}}");
	peer_ask(&p,
		 "{\"id\":\"0123456789012345678901234567890123456789012345678"
		 "901234567890\",\"method\":\"conn.list\"}",
		 "{\"id\":\"0123456789012345678901234567890123456789012345678"
		 "901234567890\",\"result\":{\"count\":0}}");
	rig_stop(&r, &p);
}

static void a_line_may_come_in_pieces(void)
{
	static const char line[] = "{\"id\":1,\"method\":\"conn.list\"}\n";
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 0);
	for (size_t i = 0; i + 1 < sizeof(line); i++)
		peer_send(&p, line + i, 1);
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":0}}");
	rig_stop(&r, &p);
}

static void half_a_line_at_the_end_is_not_run(void)
{
	static const char half[] = "{\"id\":1,\"method\":\"conn.kill\","
				   "\"params\":{\"filter\":\"state all\"}}";
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 5);
	peer_send(&p, half, sizeof(half) - 1);
	shutdown(p.fd, SHUT_WR);
	peer_expect_error(&p, "bad_request",
			  "the line has no line feed at its end", NULL);
	peer_expect_end(&p);
	CU_ASSERT_EQUAL(r.st->walked, 0);
	CU_ASSERT(TAILQ_EMPTY(&r.ctl->clients));
	rig_stop(&r, &p);
}

/* A client that has sent all it wants and closed its half gets its answer. */
static void answers_come_after_the_clients_fin(void)
{
	struct rig r;
	struct peer p;

	rig_start(&r, &p, 5000);
	peer_say(&p, "{\"id\":1,\"method\":\"conn.list\","
		     "\"params\":{\"filter\":\"id=c5000\",\"fields\":[]}}");
	shutdown(p.fd, SHUT_WR);
	peer_expect(&p, "{\"id\":1,\"item\":{}}");
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":1}}");
	peer_expect_end(&p);
	rig_stop(&r, &p);
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

	rig_start(&r, &p, 0);
	say_long(&p, 1, CTL_REQUEST_MAX);
	peer_expect(&p, "{\"id\":1,\"result\":{\"count\":0}}");
	say_long(&p, 2, CTL_REQUEST_MAX + 1);
	peer_expect_error(&p, "too_long", "a request is at most 65536 bytes",
			  NULL);
	say_long(&p, 3, CTL_REQUEST_MAX);
	peer_expect(&p, "{\"id\":3,\"result\":{\"count\":0}}");
	CU_ASSERT_EQUAL(r.ctl->stats.too_long, 1);
	rig_stop(&r, &p);
}

static void ten_megabytes_of_line_are_thrown_away(void)
{
	struct rig r;
	struct peer p;
	char block[10000];

	rig_start(&r, &p, 0);
	memset(block, 'x', sizeof(block));
	peer_send(&p, "{", 1);
	for (int i = 0; i < 1000; i++) {
		peer_send(&p, block, sizeof(block));
		CU_ASSERT(rig_memory(&r) < CTL_REQUEST_MAX + CTL_OUT_HIGH);
	}
	peer_say(&p, "");
	peer_expect_error(&p, "too_long", "a request is at most 65536 bytes",
			  NULL);
	peer_ask(&p, "{\"id\":1,\"method\":\"conn.list\"}",
		 "{\"id\":1,\"result\":{\"count\":0}}");
	CU_ASSERT_EQUAL(r.ctl->stats.too_long, 1);
	rig_stop(&r, &p);
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
		UNIT_TEST(garbage_is_answered_and_survived),
		UNIT_TEST(ids_are_numbers_or_short_strings),
		UNIT_TEST(a_line_may_come_in_pieces),
		UNIT_TEST(half_a_line_at_the_end_is_not_run),
		UNIT_TEST(answers_come_after_the_clients_fin),
		UNIT_TEST(lines_are_bounded),
		UNIT_TEST(ten_megabytes_of_line_are_thrown_away),
		UNIT_TEST(listen_replaces_a_stale_socket),
		UNIT_TEST(listen_leaves_other_files_alone),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return unit_run("ctl_input", tests, ARRAY_LEN(tests), argc, argv);
}
