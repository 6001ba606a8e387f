/*
 * test_describe.c - The JSON of connections, listeners and counters
 */
#include "describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "unit.h"

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	if (!ipaddr_parse(text, &a))
		abort();
	return a;
}

static struct conn_info established(void)
{
	return (struct conn_info){
		.id = 42,
		.state = TCP_ESTABLISHED,
		.role = ROLE_SERVER,
		.local = addr("198.18.66.2"),
		.peer = addr("198.18.66.1"),
		.local_port = 80,
		.peer_port = 50112,
		.age_us = 12400000,
		.idle_us = 5,
		.handshake_us = 210,
		.retrans = 3,
		.bytes_in = 7,
		.bytes_out = 1ull << 40,
		.segs_in = 4,
		.segs_out = 5,
		.iss = 4294967295,
		.irs = 1,
		.snd_una = 10,
		.snd_nxt = 20,
		.snd_max = 30,
		.snd_wnd = 65535,
		.rcv_nxt = 40,
		.rcv_wnd = 65536,
		.snd_mss = 1448,
		.peer_mss = 1460,
		.pmtu = 1500,
		.snd_wscale = 7,
		.rcv_wscale = 8,
		.ts = true,
		.sack = true,
		.wscale = true,
		.srtt_us = 180,
		.rttvar_us = 90,
		.rto_us = 200000,
		.min_rtt_us = 150,
		.own_mss = 1460,
		.recv_mss = 536,
		.mtu_probe = 9000,
		.dscp = 46,
		.rcvbuf = 65536,
		.memory = 2424,
		.tries = 2,
		.bytes_acked = 1099511627770,
		.cwnd = 14480,
		.ssthresh = UINT32_MAX,
		.rexmt_in_us = 199000,
		.persist_in_us = -1,
		.delack_in_us = -1,
		.reorder_in_us = -1,
		.probe_in_us = -1,
		.pace_in_us = -1,
		.hold_in_us = 2000,
		.recv_rtt_us = 170,
		.keepalive_in_us = -1,
		.linger_in_us = -1,
		.cc_name = "newreno",
		.recovery = "open",
	};
}

/* What the walk says of a request record: the top part of the struct. */
static struct conn_info half_open(void)
{
	struct conn_info i;

	memset(&i, 0xa5, sizeof(i));
	i.id = 4294967295;
	i.state = TCP_SYN_RECEIVED;
	i.role = ROLE_SERVER;
	i.local = addr("fd74:6370:6873::2");
	i.peer = addr("fd74:6370:6873::1");
	i.local_port = 7;
	i.peer_port = 65535;
	i.half_open = true;
	i.age_us = 1900000;
	i.idle_us = 0;
	i.handshake_us = -1;
	i.retrans = 2;
	i.bytes_in = i.bytes_out = 0;
	return i;
}

static struct conn_info time_wait(void)
{
	struct conn_info i = established();

	i.id = 0;
	i.state = TCP_TIME_WAIT;
	i.age_us = i.idle_us = i.handshake_us = -1;
	return i;
}

static void expect(json_t *json, const char *text)
{
	char *got = json_dumps(json, JSON_COMPACT);

	CU_ASSERT_PTR_NOT_NULL_FATAL(got);
	if (strcmp(got, text) != 0)
		fprintf(stderr, "got  %s\nnot  %s\n", got, text);
	CU_ASSERT_STRING_EQUAL(got, text);
	free(got);
	json_decref(json);
}

static void connection_with_everything(void)
{
	struct conn_info i = established();

	expect(describe_conn(&i, "web", false),
	       "{\"id\":\"c42\",\"state\":\"established\",\"role\":\"server\","
	       "\"local\":{\"ip\":\"198.18.66.2\",\"port\":80},"
	       "\"peer\":{\"ip\":\"198.18.66.1\",\"port\":50112},"
	       "\"listener\":\"web\",\"age_us\":12400000,\"idle_us\":5,"
	       "\"handshake_us\":210,\"rtt_us\":180,\"retrans\":3,"
	       "\"bytes_in\":7,\"bytes_out\":1099511627776}");
}

static void connection_with_control_block(void)
{
	struct conn_info i = established();
	json_t *o = describe_conn(&i, NULL, true);
	json_t *tcb = json_incref(json_object_get(o, "tcb"));

	CU_ASSERT_PTR_NULL(json_object_get(o, "listener"));
	json_decref(o);
	expect(tcb,
	       "{\"iss\":4294967295,\"irs\":1,\"snd_una\":10,\"snd_nxt\":20,"
	       "\"snd_max\":30,\"snd_wnd\":65535,\"rcv_nxt\":40,"
	       "\"rcv_wnd\":65536,\"snd_mss\":1448,\"peer_mss\":1460,"
	       "\"own_mss\":1460,\"recv_mss\":536,\"pmtu\":1500,"
	       "\"mtu_probe\":9000,\"dscp\":46,\"snd_wscale\":7,\"rcv_wscale\":"
	       "8,"
	       "\"options\":[\"ts\",\"sack\",\"ws\"],\"srtt_us\":180,"
	       "\"rttvar_us\":90,\"rto_us\":200000,\"min_rtt_us\":150,"
	       "\"recv_rtt_us\":170,"
	       "\"cwnd\":14480,\"send_queued\":0,\"recv_queued\":0,"
	       "\"recv_ooo\":0,\"rcvbuf\":65536,\"memory\":2424,\"in_flight\":"
	       "0,\"sacked\":0,\"lost\":0,"
	       "\"reordering\":0,\"backoff\":0,\"tries\":2,"
	       "\"bytes_acked\":1099511627770,\"segs_in\":4,\"segs_out\":5,"
	       "\"congestion\":\"newreno\",\"recovery\":\"open\","
	       "\"timers\":{\"rexmt_us\":199000,\"hold_us\":2000}}");
}

static void half_open_knows_no_text(void)
{
	struct conn_info i = half_open();

	expect(describe_conn(&i, "echo", true),
	       "{\"id\":\"c4294967295\",\"state\":\"syn-received\","
	       "\"role\":\"server\","
	       "\"local\":{\"ip\":\"fd74:6370:6873::2\",\"port\":7},"
	       "\"peer\":{\"ip\":\"fd74:6370:6873::1\",\"port\":65535},"
	       "\"listener\":\"echo\",\"age_us\":1900000,\"idle_us\":0,"
	       "\"retrans\":2}");
}

static void time_wait_knows_its_ends(void)
{
	struct conn_info i = time_wait();

	expect(describe_conn(&i, NULL, true),
	       "{\"id\":\"c0\",\"state\":\"time-wait\",\"role\":\"server\","
	       "\"local\":{\"ip\":\"198.18.66.2\",\"port\":80},"
	       "\"peer\":{\"ip\":\"198.18.66.1\",\"port\":50112}}");
}

/* ---- the writer in a hurry says the same ------------------------------- */

static void compare(const struct conn_info *i, const char *listener)
{
	json_t *o = describe_conn(i, listener, false);
	char *slow = json_dumps(o, JSON_COMPACT);
	char fast[CONN_TEXT_MAX + 1];
	size_t n = describe_conn_text(i, listener, CONN_FIELDS_ALL, fast);

	CU_ASSERT_FATAL(n < sizeof(fast));
	fast[n] = '\0';
	CU_ASSERT_PTR_NOT_NULL_FATAL(slow);
	if (strcmp(slow, fast) != 0)
		fprintf(stderr, "fast %s\nslow %s\n", fast, slow);
	CU_ASSERT_STRING_EQUAL(fast, slow);
	free(slow);
	json_decref(o);
}

static int64_t random_time(void)
{
	return random() % 3 ? (int64_t)(random() % 1000000) * (random() % 9)
			    : -1;
}

static struct conn_info random_conn(void)
{
	struct conn_info i = established();

	i.id = (uint32_t)random() << 1;
	i.state = (uint8_t)(random() % TCP_NSTATES);
	i.role = random() & 1;
	i.half_open = !(random() % 4);
	for (int k = random() & 1 ? 0 : 12; k < 16; k++) {
		i.local.b[k] = (uint8_t)random();
		i.peer.b[k] = random() % 3 ? (uint8_t)random() : 0;
	}
	i.local_port = (uint16_t)random();
	i.peer_port = (uint16_t)random();
	i.age_us = random_time();
	i.idle_us = random_time();
	i.handshake_us = random_time();
	i.srtt_us = random() & 1 ? random() % 100000 : 0;
	i.retrans = random() & 1 ? (uint32_t)random() : 0;
	i.bytes_in = (uint64_t)random() * (uint64_t)random();
	i.bytes_out = random() & 1 ? 0 : (uint64_t)INT64_MAX;
	return i;
}

static void text_equals_json_for_the_usual(void)
{
	struct conn_info a = established(), b = half_open(), c = time_wait();

	compare(&a, "web");
	compare(&a, NULL);
	compare(&b, "echo");
	compare(&c, NULL);
}

static void text_equals_json_for_random_connections(void)
{
	srandom(9293);
	for (int k = 0; k < 20000; k++) {
		struct conn_info i = random_conn();

		compare(&i, random() & 1 ? "chargen-2.a_b" : NULL);
	}
}

static void text_equals_json_for_odd_names(void)
{
	static const char *const names[] = {
		"a b",
		"quo\"te",
		"back\\slash",
		"tab\t",
		"\x01\x1f\x7f",
		"gr\xc3\xbc\xc3\x9f",
		"a/b",
		"",
		"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
		"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
		"\x01",
	};
	struct conn_info i = established();

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		compare(&i, names[k]);
}

/* The longest of everything fits into CONN_TEXT_MAX. */
static void text_is_bounded(void)
{
	struct conn_info i = established();
	char name[STACK_NAME_MAX], buf[CONN_TEXT_MAX * 2];

	memset(name, 1, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	i.id = UINT32_MAX;
	memset(&i.local, 0xff, sizeof(i.local));
	memset(&i.peer, 0xff, sizeof(i.peer));
	i.local_port = i.peer_port = UINT16_MAX;
	i.age_us = i.idle_us = i.handshake_us = i.srtt_us = INT64_MAX;
	i.retrans = UINT32_MAX;
	i.bytes_in = i.bytes_out = UINT64_MAX;
	CU_ASSERT(describe_conn_text(&i, name, CONN_FIELDS_ALL, buf) <=
		  CONN_TEXT_MAX);
}

static void fields_choose_members(void)
{
	struct conn_info i = established();
	char buf[CONN_TEXT_MAX + 1];

	buf[describe_conn_text(&i, "web",
			       1u << CONN_FIELD_id | 1u << CONN_FIELD_state |
				       1u << CONN_FIELD_bytes_in,
			       buf)] = '\0';
	CU_ASSERT_STRING_EQUAL(buf, "{\"id\":\"c42\",\"state\":\"established\","
				    "\"bytes_in\":7}");
	buf[describe_conn_text(&i, "web", 1u << CONN_FIELD_listener, buf)] =
		'\0';
	CU_ASSERT_STRING_EQUAL(buf, "{\"listener\":\"web\"}");
	buf[describe_conn_text(&i, "web", 0, buf)] = '\0';
	CU_ASSERT_STRING_EQUAL(buf, "{}");
}

/* ---- listeners and counters -------------------------------------------- */

static void listener_with_clients(void)
{
	static const struct tcp_service echo = {.name = "echo"};
	struct listener_info info = {
		.conf = {.name = "demo",
			 .service = &echo,
			 .port = 8090,
			 .enabled = true,
			 .backlog = 128},
		.half_open = 1,
		.connections = 2,
		.syns = 9,
		.opened = 5,
		.refused = 3,
		.overflows = {[OVERFLOW_LISTENER] = 1, [OVERFLOW_SOURCE] = 1},
		.cookies = 1,
		.last_peer_port = 49152,
		.last_peer = addr("198.18.66.1"),
	};

	expect(describe_listener(&info),
	       "{\"name\":\"demo\",\"service\":\"echo\",\"address\":\"own\","
	       "\"port\":8090,\"enabled\":true,\"backlog\":128,"
	       "\"max_connections\":0,"
	       "\"status\":\"connected 198.18.66.1:49152 (2)\","
	       "\"half_open\":1,\"connections\":2,\"syns\":9,\"opened\":5,"
	       "\"refused\":3,\"overflows\":2,\"cookies\":1}");
}

static const char *status_of(const struct listener_info *info, char buf[64])
{
	json_t *o = describe_listener(info);

	snprintf(buf, 64, "%s",
		 json_string_value(json_object_get(o, "status")));
	json_decref(o);
	return buf;
}

static void listener_status_words(void)
{
	struct listener_info info = {
		.conf = {.name = "demo", .port = 8090, .enabled = true},
		.last_peer_port = 7,
		.last_peer = addr("fd74::1"),
	};
	char buf[64];

	CU_ASSERT_STRING_EQUAL(status_of(&info, buf), "waiting for client");
	info.connections = 1;
	CU_ASSERT_STRING_EQUAL(status_of(&info, buf),
			       "connected [fd74::1]:7 (1)");
	info.conf.enabled = false;
	CU_ASSERT_STRING_EQUAL(status_of(&info, buf), "disabled");
}

static void listener_prefixes(void)
{
	struct listener_info info = {.conf = {.name = "x", .nallow = 2}};
	json_t *o, *allow;

	ipprefix_parse("198.18.66.0/28", &info.conf.address);
	ipprefix_parse("198.18.66.0/24", &info.conf.allow[0]);
	ipprefix_parse("fd74::/16", &info.conf.allow[1]);
	o = describe_listener(&info);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o, "address")),
			       "198.18.66.0/28");
	allow = json_incref(json_object_get(o, "allow"));
	json_decref(o);
	expect(allow, "[\"198.18.66.0/24\",\"fd74::/16\"]");
}

static json_int_t number(json_t *o, const char *group, const char *name)
{
	json_t *n = json_object_get(json_object_get(o, group), name);

	CU_ASSERT(json_is_integer(n));
	return json_integer_value(n);
}

static void stats_name_every_counter(void)
{
	struct stack_stats s = {.syns_in = 1,
				.events_lost = 2,
				.full = 3,
				.half_open = 4,
				.time_wait = 5,
				.memory = 1ull << 40,
				.memory_used = 7};
	json_t *o;

	s.dropped[DROP_TCP_CHECKSUM] = 8;
	s.limits[LIMIT_MEMORY] = 9;
	s.conns[TCP_FIN_WAIT_1] = 10;
	o = describe_stats(&s);
	CU_ASSERT_EQUAL(number(o, "counters", "syns_in"), 1);
	CU_ASSERT_EQUAL(number(o, "counters", "events_lost"), 2);
	CU_ASSERT_EQUAL(number(o, "gauges", "connections"), 3);
	CU_ASSERT_EQUAL(number(o, "gauges", "half_open"), 4);
	CU_ASSERT_EQUAL(number(o, "gauges", "time_wait"), 5);
	CU_ASSERT_EQUAL(number(o, "gauges", "memory"), 1ll << 40);
	CU_ASSERT_EQUAL(number(o, "gauges", "memory_used"), 7);
	CU_ASSERT_EQUAL(number(o, "dropped", drop_name(DROP_TCP_CHECKSUM)), 8);
	CU_ASSERT_EQUAL(number(o, "limits", limit_name(LIMIT_MEMORY)), 9);
	CU_ASSERT_EQUAL(number(o, "states", "fin-wait-1"), 10);
	CU_ASSERT_EQUAL(json_object_size(json_object_get(o, "dropped")),
			DROP_NREASONS - 1);
	CU_ASSERT_EQUAL(json_object_size(json_object_get(o, "limits")),
			LIMIT_NLIMITS);
	CU_ASSERT_EQUAL(json_object_size(json_object_get(o, "states")),
			TCP_NSTATES);
	json_decref(o);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(connection_with_everything),
		UNIT_TEST(connection_with_control_block),
		UNIT_TEST(half_open_knows_no_text),
		UNIT_TEST(time_wait_knows_its_ends),
		UNIT_TEST(text_equals_json_for_the_usual),
		UNIT_TEST(text_equals_json_for_random_connections),
		UNIT_TEST(text_equals_json_for_odd_names),
		UNIT_TEST(text_is_bounded),
		UNIT_TEST(fields_choose_members),
		UNIT_TEST(listener_with_clients),
		UNIT_TEST(listener_status_words),
		UNIT_TEST(listener_prefixes),
		UNIT_TEST(stats_name_every_counter),
	};

	return unit_run("describe", tests, ARRAY_LEN(tests), argc, argv);
}
