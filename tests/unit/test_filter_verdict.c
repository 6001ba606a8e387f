/*
 * test_filter_verdict.c - Filters of connections that were judged
 */
#include <tcphs/analysis.h>
#include <tcphs/filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "unit.h"

#define MS 1000000ll

/* Three connections, called by letter: one that went well, one that nobody
 * answered, one that was reset and was odd. */
static struct verdict verdicts[] = {
	{
		.id = 1,
		.side = {{.port = 50000, .by_seq = 1000},
			 {.port = 80, .by_seq = 2000, .filled_hole = 2}},
		.outcome = JUDGED_COMPLETED,
		.ending = ENDING_FIN_BOTH,
		.end_ns = 2000 * MS,
		.last_syn_synack_ns = 3 * MS,
		.synack_ack_ns = 1 * MS,
		.total_ns = 4 * MS,
	},
	{
		.id = 2,
		.side = {{.port = 50001}, {.port = 443}},
		.outcome = JUDGED_TIMEOUT,
		.ending = ENDING_NONE,
		.end_ns = 7000 * MS,
		.last_syn_synack_ns = -1,
		.synack_ack_ns = -1,
		.total_ns = -1,
		.syn = {.frame = 3, .tries = 4},
		.nanomalies = 1,
		.anomaly = {{.kind = ANOMALY_TTL_SHIFT, .count = 1}},
	},
	{
		.id = 3,
		.side = {{.port = 80}, {.port = 50002}},
		.outcome = JUDGED_COMPLETED,
		.ending = ENDING_RST_SERVER,
		.end_ns = 100 * MS,
		.last_syn_synack_ns = 10 * MS,
		.synack_ack_ns = -1,
		.total_ns = 500 * MS,
		.nanomalies = 2,
		.anomaly = {{.kind = ANOMALY_TTL_SHIFT, .count = 1},
			    {.kind = ANOMALY_RST_OUT_OF_WINDOW, .count = 2}},
	},
};

static void verdicts_init(void)
{
	static const char *const ends[ARRAY_LEN(verdicts)][2] = {
		{"192.0.2.1", "198.51.100.1"},
		{"2001:db8::1", "2001:db8::2"},
		{"198.51.100.1", "192.0.2.9"},
	};

	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		for (int k = CLIENT; k <= SERVER; k++)
			if (!ipaddr_parse(ends[i][k],
					  &verdicts[i].side[k].addr))
				abort();
}

static void expect(const char *text, const char *letters)
{
	struct filter_error err;
	struct filter *f = filter_parse_verdicts(text, &err);
	char got[ARRAY_LEN(verdicts) + 1];
	size_t n = 0;

	if (!f) {
		fprintf(stderr, "'%s': %s at %zu\n", text, err.message, err.at);
		CU_FAIL("a good filter was refused");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (filter_match_verdict(f, &verdicts[i]))
			got[n++] = (char)('a' + i);
	got[n] = '\0';
	if (strcmp(got, letters) != 0)
		fprintf(stderr, "'%s': took %s, not %s\n", text, got, letters);
	CU_ASSERT_STRING_EQUAL(got, letters);
	filter_free(f);
}

static void refuse(const char *text, const char *message, const char *says)
{
	struct filter_error err;
	struct filter *f = filter_parse_verdicts(text, &err);

	CU_ASSERT_PTR_NULL(f);
	filter_free(f);
	CU_ASSERT_STRING_EQUAL(err.message, message);
	CU_ASSERT_STRING_EQUAL(err.hint, says);
}

static void the_client_is_src(void)
{
	expect("", "abc");
	expect("src 192.0.2.0/24", "a");
	expect("dst 192.0.2.0/24", "c");
	expect("sport = 80", "c");
	expect("dport = 80", "a");
	expect("dport > 442", "bc");
	expect("id = 2 or id = c3", "bc");
}

/* Either side, as capture filters have it. */
static void host_and_port(void)
{
	expect("port 80", "ac");
	expect("port != 80", "b");
	expect("port >= 50002", "c");
	expect("port < 443", "ac");
	expect("host 198.51.100.1", "ac");
	expect("host != 198.51.100.1", "b");
	expect("host 198.51.100.1:80", "ac");
	expect("host 192.0.2.1:80", "");
	expect("host 2001:db8::2", "b");
}

static void what_was_judged(void)
{
	expect("outcome = completed", "ac");
	expect("outcome != completed", "b");
	expect("outcome = failed", "b");
	expect("ending = rst_server", "c");
	expect("alert", "c");
	expect("not alert", "ab");
	expect("alert outcome = completed", "c");
	expect("alert = ttl_shift", "bc");
	expect("alert != ttl_shift", "a");
	expect("severity = info", "b");
	expect("severity >= info", "bc");
	expect("severity < warning", "b");
	expect("severity >= warning", "c");
}

static void times_and_amounts(void)
{
	expect("hs > 4ms", "c");
	expect("hs >= 4ms", "ac");
	expect("rtt = 4ms", "a");
	expect("rtt > 0", "a");
	expect("age >= 2s", "ab");
	expect("retrans = 2", "a");
	expect("retrans > 2", "b");
	expect("bytes = 3000", "a");
}

static void the_last_state(void)
{
	expect("state syn-sent", "b");
	expect("state closed", "ac");
	expect("exclude closed", "b");
}

static void words_of_other_things(void)
{
	refuse("listener = web", "unknown word 'listener'",
	       "a filter looks like: outcome = timeout and dport = 80");
	refuse("outcom = timeout", "unknown word 'outcom'",
	       "did you mean 'outcome'?");
	refuse("outcome = fine", "'fine' is not an outcome",
	       "for example: outcome = timeout");
	refuse("severity > bad", "'bad' is not info, notice or warning",
	       "for example: severity >= notice");
	refuse("alert > ttl_shift", "'alert' is compared with = and != only",
	       "for example: alert = zero_window");
}

static void fits_packets(void)
{
	static const char *const do_not[] = {"outcome = timeout", "alert",
					     "hs > 1s",
					     "id = 1 severity = info"};
	struct filter_error err;
	struct filter *f;

	f = filter_parse_verdicts("port 8090 host 192.0.2.1 id = 3", &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_TRUE(filter_fits_packets(f));
	filter_free(f);
	for (size_t i = 0; i < ARRAY_LEN(do_not); i++) {
		f = filter_parse_verdicts(do_not[i], &err);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_FALSE(filter_fits_packets(f));
		filter_free(f);
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(the_client_is_src), UNIT_TEST(host_and_port),
		UNIT_TEST(what_was_judged),   UNIT_TEST(times_and_amounts),
		UNIT_TEST(the_last_state),    UNIT_TEST(words_of_other_things),
		UNIT_TEST(fits_packets),
	};

	verdicts_init();
	return unit_run("filter_verdict", tests, ARRAY_LEN(tests), argc, argv);
}
