/*
 * test_service.c - echo, discard, chargen, daytime, qotd
 *
 * Each is run with a send queue that takes everything, and again with one that
 * takes 1, 7 or 74 bytes at a time: what comes out must be the same.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "fake_conn.h"
#include "service/service.h"

static const size_t drips[] = {1, 7, 74, 4096};

static void assert_out(const struct stack *st, const char *want)
{
	CU_ASSERT_EQUAL(st->conn.out_len, strlen(want));
	if (st->conn.out_len == strlen(want))
		CU_ASSERT_FALSE(memcmp(st->conn.out, want, strlen(want)));
}

static void service_table_find(void)
{
	const char *const *names = service_names();
	size_t n = 0;

	for (; names[n]; n++) {
		CU_ASSERT_PTR_NOT_NULL_FATAL(service_find(names[n]));
		CU_ASSERT_STRING_EQUAL(service_find(names[n])->name, names[n]);
	}
	CU_ASSERT_EQUAL(n, 8);
	CU_ASSERT_PTR_EQUAL(service_find("chargen"), &chargen_service);
	CU_ASSERT_PTR_NULL(service_find("char"));
	CU_ASSERT_PTR_NULL(service_find(""));
}

static void service_started_remembered(void)
{
	int64_t now_us;

	service_start(77, 1795252046);
	CU_ASSERT_EQUAL(service_started(&now_us), 1795252046);
	CU_ASSERT_EQUAL(now_us, 77);
	CU_ASSERT_EQUAL(service_started(NULL), 1795252046);
}

/* RFC 862 */
static void echo_data_returns(void)
{
	struct stack *st = fake_open(&echo_service);

	fake_rx_text(st, "hello\n");
	fake_run(st);
	assert_out(st, "hello\n");
	fake_rx_text(st, "again\n");
	fake_run(st);
	assert_out(st, "hello\nagain\n");
	CU_ASSERT_FALSE(st->conn.closed);
	fake_end(st);
}

static void echo_drip_same(void)
{
	char text[5000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	text[sizeof(text) - 1] = '\0';
	for (size_t d = 0; d < 4; d++) {
		for (size_t run = 1; run < 2000; run *= 9) {
			struct stack *st =
				fake_open_drip(&echo_service, drips[d]);

			st->conn.run_max = run;
			fake_rx_text(st, text);
			fake_rx_fin(st);
			fake_run(st);
			assert_out(st, text);
			CU_ASSERT_TRUE(st->conn.closed);
			fake_end(st);
		}
	}
}

/* A client that writes and does not read: nothing is taken beyond what the
 * send queue took, and it goes on when there is room again. */
static void echo_output_stuck(void)
{
	struct stack *st = fake_open_drip(&echo_service, 10);
	char text[101];

	memset(text, 'x', 100);
	text[100] = '\0';
	st->conn.stop = 10;
	fake_rx_text(st, text);
	fake_rx_fin(st);
	fake_run(st);
	CU_ASSERT_EQUAL(st->conn.out_len, 10);
	CU_ASSERT_EQUAL(st->conn.in_len, 90);
	CU_ASSERT_FALSE(st->conn.closed);
	st->conn.stop = 0;
	fake_run(st);
	assert_out(st, text);
	CU_ASSERT_TRUE(st->conn.closed);
	fake_end(st);
}

/* RFC 863 */
static void discard_data_gone(void)
{
	struct stack *st = fake_open(&discard_service);

	st->conn.run_max = 3;
	fake_rx_text(st, "nobody reads this");
	fake_run(st);
	CU_ASSERT_EQUAL(st->conn.in_len, 0);
	CU_ASSERT_EQUAL(st->conn.out_len, 0);
	CU_ASSERT_FALSE(st->conn.closed);
	fake_rx_fin(st);
	fake_run(st);
	CU_ASSERT_TRUE(st->conn.closed);
	fake_end(st);
}

/* Byte @i of the stream of RFC 864, computed and not copied. */
static char chargen_at(size_t i)
{
	size_t line = i / 74, col = i % 74;

	if (col >= 72)
		return col == 72 ? '\r' : '\n';
	return (char)(' ' + (line + col) % 95);
}

static void chargen_open_sends(void)
{
	struct stack *st = fake_open_drip(&chargen_service, 200);

	CU_ASSERT_EQUAL_FATAL(st->conn.out_len, 200);
	CU_ASSERT_FALSE(memcmp(st->conn.out,
			       " !\"#$%&'()*+,-./0123456789:;<=>?@"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n"
			       "!\"#$%&'()*+,-./0123456789:;<=>?@",
			       74 + 32));
	fake_end(st);
}

static void chargen_drip_same(void)
{
	for (size_t d = 0; d < 4; d++) {
		struct stack *st = fake_open_drip(&chargen_service, drips[d]);
		size_t wrong = 0;

		st->conn.stop = 200000; /* three times round */
		fake_run(st);
		CU_ASSERT_TRUE(st->conn.out_len >= 200000);
		for (size_t i = 0; i < st->conn.out_len; i++)
			wrong += (char)st->conn.out[i] != chargen_at(i);
		CU_ASSERT_EQUAL(wrong, 0);
		fake_end(st);
	}
}

static void chargen_peer_closes(void)
{
	struct stack *st = fake_open_drip(&chargen_service, 1000);
	size_t len;

	st->conn.stop = 5000;
	fake_rx_text(st, "stop, please");
	fake_run(st);
	CU_ASSERT_EQUAL(st->conn.in_len, 0);
	CU_ASSERT_FALSE(st->conn.closed);
	fake_rx_fin(st);
	fake_run(st);
	CU_ASSERT_TRUE(st->conn.closed);
	len = st->conn.out_len;
	st->conn.stop = 0;
	fake_run(st);
	CU_ASSERT_EQUAL(st->conn.out_len, len);
	fake_end(st);
}

/* RFC 867 */
static void daytime_line_and_close(void)
{
	struct stack *st = fake_open(&daytime_service);

	assert_out(st, "Saturday, November 21, 2026 09:07:26-UTC\r\n");
	CU_ASSERT_TRUE(st->conn.closed);
	fake_end(st);
}

static void daytime_drip_same(void)
{
	struct stack *st = fake_open_drip(&daytime_service, 1);

	CU_ASSERT_FALSE(st->conn.closed);
	fake_rx_text(st, "what time is it?");
	fake_wall += 3; /* the rest is of the same line, not a newer one */
	fake_run(st);
	fake_wall -= 3;
	assert_out(st, "Saturday, November 21, 2026 09:07:26-UTC\r\n");
	CU_ASSERT_EQUAL(st->conn.in_len, 0);
	CU_ASSERT_TRUE(st->conn.closed);
	CU_ASSERT_PTR_NULL(st->conn.user);
	fake_end(st);
}

/* Run under AddressSanitizer this also says that nothing leaks. */
static void daytime_reset_amid_line(void)
{
	struct stack *st = fake_open_drip(&daytime_service, 5);

	st->conn.stop = 5;
	fake_run(st);
	CU_ASSERT_EQUAL(st->conn.out_len, 5);
	fake_end(st);
}

/* RFC 865: less than 512 characters, printable */
static void qotd_saying_and_close(void)
{
	struct stack *whole = fake_open(&qotd_service);
	struct stack *st = fake_open_drip(&qotd_service, 1);
	const uint8_t *p = whole->conn.out;

	CU_ASSERT_TRUE(whole->conn.closed);
	CU_ASSERT_TRUE_FATAL(whole->conn.out_len > 2);
	CU_ASSERT_TRUE(whole->conn.out_len < 512);
	for (size_t i = 0; i < whole->conn.out_len; i++)
		CU_ASSERT_TRUE((p[i] >= ' ' && p[i] < 0x7f) || p[i] == '\r' ||
			       p[i] == '\n');
	CU_ASSERT_FALSE(st->conn.closed);
	fake_run(st);
	CU_ASSERT_TRUE(st->conn.closed);
	CU_ASSERT_EQUAL_FATAL(st->conn.out_len, whole->conn.out_len);
	CU_ASSERT_FALSE(memcmp(st->conn.out, p, st->conn.out_len));
	fake_end(st);
	fake_end(whole);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(service_table_find),
		UNIT_TEST(service_started_remembered),
		UNIT_TEST(echo_data_returns),
		UNIT_TEST(echo_drip_same),
		UNIT_TEST(echo_output_stuck),
		UNIT_TEST(discard_data_gone),
		UNIT_TEST(chargen_open_sends),
		UNIT_TEST(chargen_drip_same),
		UNIT_TEST(chargen_peer_closes),
		UNIT_TEST(daytime_line_and_close),
		UNIT_TEST(daytime_drip_same),
		UNIT_TEST(daytime_reset_amid_line),
		UNIT_TEST(qotd_saying_and_close),
	};

	return unit_run("service", tests, sizeof(tests) / sizeof(tests[0]),
			argc, argv);
}
