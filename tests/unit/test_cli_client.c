/*
 * test_cli_client.c - The client on a socket pair
 *
 * What the daemon will say is written first, however it may be cut, then the
 * client makes its request.
 */
#include "../../cli/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "unit.h"

#define HELLO                                                               \
	"{\"tcphs\":{\"proto\":1,\"version\":\"0.1.0\",\"instance\":\"t\"," \
	"\"rights\":\"admin\",\"features\":[]}}\n"
#define SILENCE_US 50000

struct rig {
	struct client c;
	int peer;
	enum cli_exit opened;
	char items[512]; /* seen, one a line */
	int enough_after;
	json_t *result;
	char *complaint;
	size_t complaint_len;
	FILE *real_stderr;
};

static struct rig rig_open(const char *said)
{
	struct rig r = {.peer = -1};
	int fd[2];

	r.real_stderr = stderr;
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	r.peer = fd[1];
	CU_ASSERT_EQUAL(write(r.peer, said, strlen(said)),
			(ssize_t)strlen(said));
	r.opened = CLI_OK;
	r.c.fd = fd[0];
	return r;
}

/* stderr is caught from here to rig_close(). */
static void rig_greet(struct rig *r)
{
	stderr = open_memstream(&r->complaint, &r->complaint_len);
	r->opened = client_attach(&r->c, r->c.fd, SILENCE_US);
}

static int rig_item(void *arg, const char *text, size_t len)
{
	struct rig *r = arg;

	strncat(r->items, text, len);
	strcat(r->items, "\n");
	return --r->enough_after == 0 ? ITEM_ENOUGH : ITEM_NEXT;
}

static enum cli_exit rig_call(struct rig *r, json_t *params)
{
	return client_call(&r->c, "conn.list", params, rig_item, r, &r->result);
}

/* What the client said, its last line, compared with @want; then the end. */
static void rig_close(struct rig *r, const char *want, const char *complaint)
{
	char buf[1024];
	ssize_t n = recv(r->peer, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = '\0';
	CU_ASSERT_STRING_EQUAL(buf, want);
	if (r->opened == CLI_OK)
		client_close(&r->c);
	fclose(stderr);
	stderr = r->real_stderr;
	CU_ASSERT_STRING_EQUAL(r->complaint, complaint);
	free(r->complaint);
	json_decref(r->result);
	close(r->peer);
}

#define REQUEST "{\"id\":1,\"method\":\"conn.list\"}\n"

static void items_and_result(void)
{
	struct rig r = rig_open(HELLO "{\"id\":1,\"item\":{\"a\":\"}\\\"{\"}}\n"
				      "{\"id\":1,\"item\":{\"b\":{\"c\":{}}}}\n"
				      "{\"id\":1,\"result\":{\"count\":2}}\n");

	rig_greet(&r);
	CU_ASSERT_EQUAL_FATAL(r.opened, CLI_OK);
	CU_ASSERT_EQUAL(rig_call(&r, NULL), CLI_OK);
	CU_ASSERT_STRING_EQUAL(r.items, "{\"a\":\"}\\\"{\"}\n"
					"{\"b\":{\"c\":{}}}\n");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(r.result, "count")),
			2);
	rig_close(&r, REQUEST, "");
}

/* A field behind the item, another order, blanks: all the same item. */
static void items_of_another_shape(void)
{
	struct rig r = rig_open(
		HELLO "{\"id\":1,\"item\":{\"a\":1},\"seq\":{\"n\":5}}\n"
		      "{ \"item\": {\"a\": 2}, \"id\": 1 }\n"
		      "{\"id\":2,\"item\":{\"a\":3}}\n"
		      "{\"id\":1,\"news\":{}}\n"
		      "{\"id\":1,\"result\":{}}\n");

	rig_greet(&r);
	CU_ASSERT_EQUAL(rig_call(&r, NULL), CLI_OK);
	CU_ASSERT_STRING_EQUAL(r.items, "{\"a\":1}\n{\"a\":2}\n");
	rig_close(&r, REQUEST, "");
}

static void enough_cancels(void)
{
	struct rig r = rig_open(HELLO "{\"id\":1,\"item\":{\"a\":1}}\n"
				      "{\"id\":1,\"item\":{\"a\":2}}\n"
				      "{\"id\":1,\"item\":{\"a\":3}}\n"
				      "{\"id\":1,\"error\":{\"code\":"
				      "\"cancelled\",\"message\":\"x\"}}\n"
				      "{\"id\":2,\"result\":{}}\n"
				      "{\"id\":3,\"item\":{\"b\":1}}\n"
				      "{\"id\":3,\"result\":{}}\n");

	rig_greet(&r);
	r.enough_after = 2;
	CU_ASSERT_EQUAL(rig_call(&r, NULL), CLI_OK);
	CU_ASSERT_PTR_NULL(r.result);
	CU_ASSERT_EQUAL(rig_call(&r, NULL), CLI_OK);
	CU_ASSERT_STRING_EQUAL(r.items, "{\"a\":1}\n{\"a\":2}\n{\"b\":1}\n");
	rig_close(&r,
		  REQUEST "{\"id\":2,\"method\":\"cancel\",\"params\":{"
			  "\"id\":1}}\n"
			  "{\"id\":3,\"method\":\"conn.list\"}\n",
		  "");
}

/* The caret counts characters, the daemon bytes. */
static void filter_error_is_pointed_at(void)
{
	struct rig r = rig_open(HELLO "{\"id\":1,\"error\":{\"code\":"
				      "\"bad_filter\",\"message\":\"no\","
				      "\"hint\":\"yes\",\"at\":6}}\n");

	rig_greet(&r);
	CU_ASSERT_EQUAL(
		rig_call(&r, json_pack("{s:s}", "filter", "l = \xc3\xa9 x")),
		CLI_USAGE);
	rig_close(&r,
		  "{\"id\":1,\"method\":\"conn.list\",\"params\":{\"filter\":"
		  "\"l = \xc3\xa9 x\"}}\n",
		  "tcphsctl: no (yes)\n  l = \xc3\xa9 x\n       ^\n");
}

static void filter_error_beyond_the_filter(void)
{
	struct rig r = rig_open(HELLO "{\"error\":{\"at\":99}}\n");

	rig_greet(&r);
	CU_ASSERT_EQUAL(rig_call(&r, json_pack("{s:s}", "filter", "x")),
			CLI_NO);
	rig_close(&r,
		  "{\"id\":1,\"method\":\"conn.list\",\"params\":{\"filter\":"
		  "\"x\"}}\n",
		  "tcphsctl: error without a code\n");
}

static void greeting_refused(void)
{
	static const struct {
		const char *said, *complaint;
		enum cli_exit exit;
	} t[] = {
		{"hello\n",
		 "tcphsctl: what answers at the socket is no tcphsd\n",
		 CLI_PROTOCOL},
		{"{\"tcphs\":{}}\n",
		 "tcphsctl: tcphsd (unknown) speaks protocol 0, this "
		 "tcphsctl " TCPHS_VERSION
		 " speaks 1; use the tcphsctl of that tcphsd\n",
		 CLI_PROTOCOL},
		{"{\"error\":{\"code\":\"busy\",\"message\":\"full\"}}\n",
		 "tcphsctl: full\n", CLI_TIMEOUT},
		{"{\"tcphs\":",
		 "tcphsctl: no answer from the daemon in 50.0ms\n",
		 CLI_TIMEOUT},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct rig r = rig_open(t[i].said);

		rig_greet(&r);
		CU_ASSERT_EQUAL(r.opened, t[i].exit);
		rig_close(&r, "", t[i].complaint);
	}
}

/* A line that no buffer of one read can hold. */
static void long_line(void)
{
	static char line[200000];
	struct rig r = rig_open(HELLO);
	ssize_t n = snprintf(line, sizeof(line),
			     "{\"id\":1,\"result\":{\"a\":\""
			     "%0150000d\"}}\n",
			     7);

	CU_ASSERT_EQUAL(write(r.peer, line, (size_t)n), n);
	rig_greet(&r);
	CU_ASSERT_EQUAL(rig_call(&r, NULL), CLI_OK);
	CU_ASSERT_EQUAL(json_string_length(json_object_get(r.result, "a")),
			150000);
	rig_close(&r, REQUEST, "");
}

static const struct unit_test tests[] = {
	UNIT_TEST(items_and_result),
	UNIT_TEST(items_of_another_shape),
	UNIT_TEST(enough_cancels),
	UNIT_TEST(filter_error_is_pointed_at),
	UNIT_TEST(filter_error_beyond_the_filter),
	UNIT_TEST(greeting_refused),
	UNIT_TEST(long_line),
};

int main(int argc, char **argv)
{
	return unit_run("cli_client", tests, ARRAY_LEN(tests), argc, argv);
}
