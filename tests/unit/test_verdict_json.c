/*
 * test_verdict_json.c - Verdicts as lines of JSON, judged by jansson
 */
#include "../../cli/verdict.h"

#include <jansson.h>
#include <string.h>

#include "core/assert.h"
#include "unit.h"

static json_t *parsed(const struct verdict *v)
{
	static char text[VERDICT_JSON_MAX];
	size_t n = verdict_json(v, text);
	json_error_t error;
	json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);

	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	CU_ASSERT(n <= sizeof(text) / 2); /* as VERDICT_JSON_MAX promises */
	return o;
}

static json_int_t number(const json_t *o, const char *at, const char *key)
{
	const json_t *v = json_object_get(json_object_get(o, at), key);

	CU_ASSERT(json_is_integer(v));
	return json_integer_value(v);
}

static void nothing_has_no_keys(void)
{
	const struct verdict v = {
		.outcome = JUDGED_MIDSTREAM,
		.syn_synack_ns = -1,
		.last_syn_synack_ns = -1,
		.synack_ack_ns = -1,
		.total_ns = -1,
	};
	json_t *o = parsed(&v), *h = json_object_get(o, "handshake");

	CU_ASSERT_PTR_NULL(json_object_get(o, "encap"));
	CU_ASSERT_PTR_NULL(json_object_get(h, "total_ns"));
	CU_ASSERT_PTR_NULL(json_object_get(h, "icmp"));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(h, "steps")), 0);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(o, "anomalies")), 0);
	json_decref(o);
}

static void numbers_come_through(void)
{
	struct verdict v = {.start_ns = INT64_MIN, .end_ns = INT64_MAX};
	json_t *o;

	v.side[CLIENT].by_seq = INT64_MAX;
	v.side[SERVER].filled_hole = UINT32_MAX;
	o = parsed(&v);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "start_ns")),
			INT64_MIN);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "end_ns")),
			INT64_MAX);
	CU_ASSERT_EQUAL(number(json_object_get(o, "bytes"), "c2s", "by_seq"),
			INT64_MAX);
	CU_ASSERT_EQUAL(number(json_object_get(o, "retransmissions"), "s2c",
			       "filled_hole"),
			UINT32_MAX);
	json_decref(o);
}

static void windows_that_are_known(void)
{
	struct verdict v = {.outcome = JUDGED_MIDSTREAM};
	json_t *o, *windows, *client;

	v.side[SERVER].window_known = true;
	v.side[SERVER].window_min = 1000;
	v.side[SERVER].window_max = 1u << 30;
	v.side[CLIENT].zero_windows = 3;
	o = parsed(&v);
	windows = json_object_get(o, "windows");
	client = json_object_get(windows, "client");
	CU_ASSERT_PTR_NULL(json_object_get(client, "min"));
	CU_ASSERT_EQUAL(number(windows, "client", "closed"), 3);
	CU_ASSERT_EQUAL(number(windows, "server", "min"), 1000);
	CU_ASSERT_EQUAL(number(windows, "server", "max"), 1 << 30);
	json_decref(o);
}

/* Every field as long as it can be. */
static void the_longest_fits(void)
{
	struct verdict v;
	unsigned int longest = 0;
	json_t *o;

	memset(&v, 0xff, sizeof(v));
	for (unsigned int k = 0; k < ANOMALY_NKINDS; k++)
		if (strlen(anomaly_meaning(k)) + strlen(anomaly_name(k)) >
		    strlen(anomaly_meaning(longest)) +
			    strlen(anomaly_name(longest)))
			longest = k;
	v.outcome = JUDGED_SYNACK_MISSING;
	v.stage = REACHED_FIRST_DATA;
	v.ending = ENDING_RST_SERVER;
	v.tfo = TFO_REQUESTED;
	v.start_ns = v.end_ns = INT64_MIN;
	v.syn_synack_ns = v.last_syn_synack_ns = INT64_MAX;
	v.synack_ack_ns = v.total_ns = INT64_MAX;
	v.client_known = v.inferred = v.simultaneous = v.split = true;
	v.cookie_like = v.fin_seen = v.rst_plausible = v.icmp = v.icmp6 = true;
	for (int i = CLIENT; i <= SERVER; i++)
		v.side[i].window_known = v.side[i].ecn = true;
	v.nencaps = ENCAPS_MAX;
	for (int i = 0; i < ENCAPS_MAX; i++)
		v.encap[i].kind = ENCAP_SIXINFOUR;
	v.nanomalies = ANOMALIES_MAX;
	for (int i = 0; i < ANOMALIES_MAX; i++) {
		v.anomaly[i].kind = (uint8_t)longest;
		v.anomaly[i].expected = v.anomaly[i].got = INT64_MIN;
	}
	memset(v.zeek_state, '\x1b', sizeof(v.zeek_state) - 1);
	memset(v.zeek_history, '\x1b', sizeof(v.zeek_history) - 1);
	v.zeek_state[sizeof(v.zeek_state) - 1] = '\0';
	v.zeek_history[sizeof(v.zeek_history) - 1] = '\0';
	o = parsed(&v);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(o, "anomalies")),
			ANOMALIES_MAX);
	json_decref(o);
}

/* A SYN that came again behind its answer: that took no time at all. */
static void no_time_below_zero(void)
{
	struct verdict v = {.synack_ack_ns = -1, .total_ns = -1};
	json_t *h;
	json_t *o;

	v.syn_synack_ns = 100;
	v.last_syn_synack_ns = -1000000000;
	o = parsed(&v);
	h = json_object_get(o, "handshake");
	CU_ASSERT_PTR_NOT_NULL(json_object_get(h, "syn_to_synack_ns"));
	CU_ASSERT_PTR_NULL(json_object_get(h, "last_syn_to_synack_ns"));
	json_decref(o);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(nothing_has_no_keys),
		UNIT_TEST(numbers_come_through),
		UNIT_TEST(windows_that_are_known),
		UNIT_TEST(the_longest_fits),
		UNIT_TEST(no_time_below_zero),
	};

	return unit_run("verdict_json", tests, ARRAY_LEN(tests), argc, argv);
}
