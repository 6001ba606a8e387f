/*
 * test_ctl_text.c - The control socket spoken to by hand
 */
#include "ctl_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "log.h"

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
	peer_expect(&p,
		    "ID       STATE        LOCAL                 PEER         "
		    "         LISTENER   ROLE       AGE_MS   RTT_US RETR      "
		    "   IN        OUT");
	peer_expect(&p,
		    "c7       ESTAB        198.18.66.2:7         "
		    "10.0.0.7:40000        echo       server       1000        "
		    "-    0          0          0");
	peer_expect_end(&p);
	rig_stop(&r, &p);
}

static void text_results_are_lines(void)
{
	struct rig r;
	struct peer p;
	char *line;

	rig_init(&r, 3);
	text(&p, &r, "  status ");
	peer_expect(&p, "state ready");
	peer_expect(&p, "connections 3");
	while ((line = peer_line(&p)))
		free(line);
	peer_free(&p);

	text(&p, &r, "show c2");
	peer_expect(&p, "id c2");
	peer_expect(&p, "state established");
	peer_expect(&p, "role server");
	peer_expect(&p, "local.ip 198.18.66.2");
	while ((line = peer_line(&p)))
		free(line);
	peer_free(&p);

	text(&p, &r, "listener  list");
	line = peer_line(&p);
	CU_ASSERT(line && strncmp(line, "name=echo service=echo ", 23) == 0);
	free(line);
	free(peer_line(&p));
	peer_expect_end(&p);
	rig_stop(&r, &p);
}

/* An allow-list with as many prefixes, and as long ones, as there can be. */
static void text_values_are_whole(void)
{
	const char *last = "fd00:1111:2222:3333:4444:5555:6666:7707/128\"]";
	struct stack_listener *l;
	struct rig r;
	struct peer p;
	char *line;

	rig_init(&r, 0);
	l = &r.st->listeners[0];
	for (l->nallow = 0; l->nallow < STACK_ALLOW_MAX; l->nallow++)
		l->allow[l->nallow] = (struct ip_prefix){
			{{0xfd, 0, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44,
			  0x44, 0x55, 0x55, 0x66, 0x66, 0x77, l->nallow}},
			128};
	text(&p, &r, "listener list");
	line = peer_line(&p);
	CU_ASSERT(line && strlen(line) > strlen(last) &&
		  strcmp(line + strlen(line) - strlen(last), last) == 0);
	free(line);
	rig_stop(&r, &p);
}

static void text_acts(void)
{
	struct rig r;
	struct peer p;

	rig_init(&r, 3);
	text(&p, &r, "close c2 --rst");
	peer_expect(&p, "id c2");
	peer_expect_end(&p);
	peer_free(&p);
	CU_ASSERT_EQUAL(r.st->conns[1].deed, FAKE_ABORTED);

	text(&p, &r, "kill id = c1");
	peer_expect(&p, "count 1");
	peer_expect(&p, "skipped 0");
	peer_expect_end(&p);
	peer_free(&p);
	CU_ASSERT_EQUAL(r.st->conns[0].deed, FAKE_CLOSED);
	CU_ASSERT_EQUAL(r.st->conns[2].deed, FAKE_NOTHING);

	text(&p, &r, "close --all id = c3 --rst");
	peer_expect(&p, "count 1");
	peer_expect(&p, "skipped 0");
	peer_expect_end(&p);
	peer_free(&p);
	CU_ASSERT_EQUAL(r.st->conns[2].deed, FAKE_ABORTED);

	text(&p, &r, "listener disable web");
	peer_expect(&p, "ok");
	CU_ASSERT(!r.st->listeners[1].enabled);
	rig_stop(&r, &p);
}

static void text_error(struct rig *r, const char *command, const char *answer)
{
	struct peer p;

	text(&p, r, command);
	peer_expect(&p, answer);
	peer_expect_end(&p);
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
	peer_expect(&p, "error: the line has no line feed at its end");
	peer_expect_end(&p);
	CU_ASSERT_EQUAL(r.st->walked, 0);
	rig_stop(&r, &p);
}

static void text_help_lists_the_commands(void)
{
	struct rig r;
	struct peer p;

	rig_init(&r, 0);
	text(&p, &r, "help");
	peer_expect(&p, "status");
	peer_expect(&p, "list [FILTER]");
	rig_stop(&r, &p);
}

static void text_too_long(void)
{
	struct rig r;
	struct peer p;
	char block[10000];

	rig_start(&r, &p, 0);
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 20; i++)
		peer_send(&p, block, sizeof(block));
	peer_expect(&p, "error: a request is at most 65536 bytes");
	peer_expect_end(&p);
	rig_stop(&r, &p);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(text_list),
		UNIT_TEST(text_results_are_lines),
		UNIT_TEST(text_values_are_whole),
		UNIT_TEST(text_acts),
		UNIT_TEST(text_errors),
		UNIT_TEST(text_help_lists_the_commands),
		UNIT_TEST(text_too_long),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return unit_run("ctl_text", tests, ARRAY_LEN(tests), argc, argv);
}
