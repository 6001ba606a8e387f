/*
 * test_metrics.c - The text that Prometheus reads
 *
 * Over a whole stack, so that each figure has its source. What promtool makes
 * of it is shown by tests/e2e/numbers.sh.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "metrics.h"

#define MANUAL	   "daemon/tcphs-metrics.7.scd"
#define MEMORY	   (8u << 20)
#define ODD_NAME   "a\"b\\c\nd"
#define ODD_LABEL  "listener=\"a\\\"b\\\\c\\nd\""
#define ENTRY_MAX  256
#define ENTRY_MANY 128

static struct {
	void *mem;
	struct stack *st;
	struct shards shards;
	struct evbus bus;
	struct handshakes handshakes;
	struct alerting alerting;
	struct histogram lag;
	struct tun tun;
	bool conf_ok;
	time_t conf_at, started_at;
	struct capture capture;
	struct evlog log;
	struct evfile file;
	struct evmemory memory;
	struct metrics m;
} rig;

static int64_t no_clock(void)
{
	return 0;
}

/* A stack with the listeners "web" and ODD_NAME. */
static void start(void)
{
	static const uint8_t seed[32];
	const struct stack_conf conf = {
		.own4 = {.b = {[10] = 0xff, 0xff, 198, 18, 66, 2}},
		.host4 = {.b = {[10] = 0xff, 0xff, 198, 18, 66, 1}},
		.net4 = {{.b = {[10] = 0xff, 0xff, 198, 18, 66, 0}}, 120},
		.ttl = 64,
		.mtu = 1500,
		.max_connections = 1000,
		.max_half_open = 100,
		.rcvbuf = 65536,
		.rcvbuf_max = 65536,
		.sndbuf = 65536,
		.rto_initial_us = 1000000,
		.rto_min_us = 200000,
		.rto_max_us = 60000000,
		.msl_us = 30000000,
		.fin_wait2_us = 60000000,
	};
	static const struct alert_conf bounds = {1000, 20, 10000000};
	struct stack_listener l = {.port = 80, .enabled = true, .backlog = 10};

	memset(&rig, 0, sizeof(rig));
	rig.mem = aligned_alloc(STACK_ALIGN, MEMORY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig.mem);
	memset(rig.mem, 0, MEMORY);
	rig.st = stack_init(rig.mem, MEMORY, &conf, seed, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rig.st);
	snprintf(l.name, sizeof(l.name), "web");
	CU_ASSERT_EQUAL(stack_listen(rig.st, &l), 0);
	snprintf(l.name, sizeof(l.name), "%s", ODD_NAME);
	l.port = 81;
	CU_ASSERT_EQUAL(stack_listen(rig.st, &l), 1);
	shards_one(&rig.shards, rig.st);
	evbus_init(&rig.bus, rig.st, NULL, NULL);
	handshakes_start(&rig.handshakes, &rig.bus, no_clock);
	handshakes_listener(&rig.handshakes, 0, "web", 0);
	CU_ASSERT_EQUAL_FATAL(alerting_start(&rig.alerting, &rig.bus,
					     &rig.shards, &bounds, 1),
			      0);
	memcpy(rig.tun.name, "lo", 3); /* a name that the kernel has */
	rig.conf_ok = true;
	rig.conf_at = rig.started_at = 1700000000;
	rig.m = (struct metrics){
		.shards = &rig.shards,
		.bus = &rig.bus,
		.log = &rig.log,
		.file = &rig.file,
		.memory = &rig.memory,
		.capture = &rig.capture,
		.handshakes = &rig.handshakes,
		.alerts = &rig.alerting,
		.loop_lag = &rig.lag,
		.tun = &rig.tun,
		.conf_ok = &rig.conf_ok,
		.conf_at = &rig.conf_at,
		.started_at = &rig.started_at,
	};
}

static void stop(void)
{
	alerting_stop(&rig.alerting);
	free(rig.mem);
}

/* The text of one family; to be freed. */
static char *text_of(const char *name)
{
	const struct metrics_family *f;
	char *text = NULL;
	size_t len;
	FILE *out;

	for (unsigned int i = 0; (f = metrics_family(i)); i++) {
		if (strcmp(f->name, name) != 0)
			continue;
		out = open_memstream(&text, &len);
		CU_ASSERT_PTR_NOT_NULL_FATAL(out);
		CU_ASSERT_TRUE(metrics_write(&rig.m, i, out));
		fclose(out);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	return text;
}

static void expect(const char *name, const char *line)
{
	char *text = text_of(name);

	if (!strstr(text, line))
		fprintf(stderr, "no '%s' in:\n%s", line, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
	free(text);
}

/* ---- what is written --------------------------------------------------- */

static void heads_and_samples(void)
{
	char *text;

	start();
	text = text_of("tcphs_connections_max");
	CU_ASSERT_STRING_EQUAL(
		text,
		"# HELP tcphs_connections_max Connections at once, the limit.\n"
		"# TYPE tcphs_connections_max gauge\n"
		"tcphs_connections_max 1000\n");
	free(text);
	expect("tcphs_connections",
	       "\ntcphs_connections{state=\"syn_received\",role=\"server\"} "
	       "0\n");
	expect("tcphs_start_time_seconds",
	       "\ntcphs_start_time_seconds 1700000000\n");
	CU_ASSERT_FALSE(metrics_write(&rig.m, 10000, stdout));
	stop();
}

/* Text format 0.0.4: backslash, quote and line feed of a label value. */
static void labels_are_escaped(void)
{
	start();
	expect("tcphs_half_open", "\ntcphs_half_open{listener=\"web\"} 0\n");
	expect("tcphs_half_open", "\ntcphs_half_open{" ODD_LABEL "} 0\n");
	stop();
}

/* Whole microseconds become seconds without rounding. */
static void seconds_are_exact(void)
{
	struct histogram *h = &rig.handshakes.server[0].time;

	start();
	histogram_add(h, 213, 1);
	expect("tcphs_handshake_duration_seconds",
	       "_sum{listener=\"web\",role=\"server\"} 0.000213\n");
	histogram_add(h, 90000000, 100000000);
	expect("tcphs_handshake_duration_seconds",
	       "_sum{listener=\"web\",role=\"server\"} 9000000000.000213\n");
	stop();
}

/* Buckets are cumulative, the last is the count. */
static void buckets_add_up(void)
{
	struct histogram *h = &rig.handshakes.server[0].time;

	start();
	histogram_add(h, 100, 1);
	histogram_add(h, 101, 2);
	histogram_add(h, 70000000, 4);
	expect("tcphs_handshake_duration_seconds",
	       "_bucket{le=\"0.0001\",listener=\"web\",role=\"server\"} 1\n");
	expect("tcphs_handshake_duration_seconds",
	       "_bucket{le=\"0.00025\",listener=\"web\",role=\"server\"} 3\n");
	expect("tcphs_handshake_duration_seconds",
	       "_bucket{le=\"60.0\",listener=\"web\",role=\"server\"} 3\n");
	expect("tcphs_handshake_duration_seconds",
	       "_bucket{le=\"+Inf\",listener=\"web\",role=\"server\"} 7\n");
	expect("tcphs_handshake_duration_seconds",
	       "_count{listener=\"web\",role=\"server\"} 7\n");
	stop();
}

static void sources(void)
{
	start();
	rig.handshakes.client.outcome[OUTCOME_REFUSED] = 3;
	expect("tcphs_handshakes_total",
	       "{listener=\"\",role=\"client\",outcome=\"refused\"} 3\n");
	rig.tun.read_errors = 5;
	rig.tun.write_full = 6;
	expect("tcphs_tun_read_errors_total",
	       "\ntcphs_tun_read_errors_total 5\n");
	expect("tcphs_tun_write_errors_total", "{reason=\"full\"} 6\n");
	expect("tcphs_tun_queue_dropped_total",
	       "\ntcphs_tun_queue_dropped_total 0\n");
	rig.conf_ok = false;
	expect("tcphs_config_reload_success", "_success 0\n");
	rig.bus.lost_total = 9;
	rig.log.rate.left_out_ever = 8;
	rig.file.rate.left_out_ever = 7;
	rig.file.unwritten_ever = 60;
	rig.memory.missed = 5;
	expect("tcphs_events_lost_total", "{subscriber=\"all\"} 9\n");
	expect("tcphs_events_lost_total", "{subscriber=\"log\"} 8\n");
	expect("tcphs_events_lost_total", "{subscriber=\"file\"} 67\n");
	expect("tcphs_events_lost_total", "{subscriber=\"control\"} 5\n");
	rig.capture.packets = 4;
	rig.capture.lost = 2;
	expect("tcphs_capture_packets_total", "{result=\"kept\"} 4\n");
	expect("tcphs_capture_packets_total", "{result=\"lost\"} 2\n");
	stop();
}

/* ---- what there is ----------------------------------------------------- */

/* Does the sample have just the labels of its family, and le in a bucket? */
static void check_labels(const struct metrics_family *f, char *line)
{
	char seen[ENTRY_MAX] = "";
	char *p = strchr(line, '{');
	size_t len;

	while (p && *p != '}') {
		p++;
		len = strcspn(p, "=");
		if (strncmp(p, "le=", 3) != 0)
			snprintf(seen + strlen(seen),
				 sizeof(seen) - strlen(seen), "%s%.*s",
				 *seen ? ", " : "", (int)len, p);
		p += len + 2;
		while (*p != '"')
			p += *p == '\\' ? 2 : 1;
		p++;
	}
	CU_ASSERT_STRING_EQUAL(seen, f->labels);
}

/* Each family begins with its head, and each sample is its own. */
static void every_family_is_well_formed(void)
{
	const struct metrics_family *f;
	char *text, *line, *rest;
	unsigned int i, samples;

	start();
	for (i = 0; (f = metrics_family(i)); i++) {
		bool counter = strcmp(f->type, "counter") == 0;
		size_t len = strlen(f->name);

		CU_ASSERT_EQUAL(len > 6 && !strcmp(f->name + len - 6, "_total"),
				counter);
		CU_ASSERT_EQUAL(f->help[strlen(f->help) - 1], '.');
		text = text_of(f->name);
		samples = 0;
		for (line = strtok_r(text, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest)) {
			if (line[0] == '#')
				continue;
			samples++;
			CU_ASSERT_EQUAL(strncmp(line, f->name, len), 0);
			check_labels(f, line);
		}
		CU_ASSERT(samples > 0);
		free(text);
	}
	CU_ASSERT(i > 30);
	stop();
}

/* "*tcphs_x*{a, b}, gauge" and the lines below it, joined. */
struct entry {
	char head[ENTRY_MAX], help[ENTRY_MAX];
};

static struct entry entries[ENTRY_MANY];

static size_t read_manual(void)
{
	char line[ENTRY_MAX];
	struct entry *e = NULL;
	FILE *f = fopen(MANUAL, "r");
	size_t n = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "*tcphs_", 7) == 0 ||
		    strncmp(line, "*process_", 9) == 0) {
			CU_ASSERT_FATAL(n < ENTRY_MANY);
			e = &entries[n++];
			memset(e, 0, sizeof(*e));
			snprintf(e->head, sizeof(e->head), "%.250s", line);
		} else if (e && line[0] == '\t') {
			size_t len = strlen(e->help);

			snprintf(e->help + len, sizeof(e->help) - len, "%s%s",
				 len ? " " : "", line + 1);
		} else {
			e = NULL;
		}
	}
	fclose(f);
	return n;
}

/* tcphs-metrics(7) has each family once, in the words of the code. */
static void the_manual_says_the_same(void)
{
	const struct metrics_family *f;
	char head[ENTRY_MAX];
	size_t n = read_manual();
	unsigned int i;

	for (i = 0; (f = metrics_family(i)); i++) {
		const struct entry *found = NULL;

		snprintf(head, sizeof(head), "*%s*%s%s%s, %s", f->name,
			 *f->labels ? "{" : "", f->labels,
			 *f->labels ? "}" : "", f->type);
		for (size_t k = 0; k < n; k++)
			if (strcmp(entries[k].head, head) == 0)
				found = &entries[k];
		if (!found)
			fprintf(stderr, "%s lacks %s\n", MANUAL, head);
		CU_ASSERT_PTR_NOT_NULL(found);
		if (found)
			CU_ASSERT_STRING_EQUAL(found->help, f->help);
	}
	CU_ASSERT_EQUAL(n, i);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(heads_and_samples),
		UNIT_TEST(labels_are_escaped),
		UNIT_TEST(seconds_are_exact),
		UNIT_TEST(buckets_add_up),
		UNIT_TEST(sources),
		UNIT_TEST(every_family_is_well_formed),
		UNIT_TEST(the_manual_says_the_same),
	};

	return unit_run("metrics", tests, ARRAY_LEN(tests), argc, argv);
}
