/*
 * metrics.c - The daemon's figures in Prometheus' words
 *
 * One row a family: name, type, labels, help, and the function that writes its samples
 * when somebody asks; nothing is collected in advance. How many series there
 * are follows from the configuration: a label holds a listener, a state or a
 * word of ours, never anything a client sent.
 *
 * Times are counted in whole microseconds and written as seconds with six
 * decimals: nothing is rounded on the way.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/assert.h"
#include "tun_queue.h"

#define SECOND_US 1000000

/* Of a list of labels. NULL alone need not be a pointer. */
#define END ((const char *)NULL)

/* Where samples of one family go, and what most of them are made from. */
struct put {
	FILE *out;
	const char *name;
	const struct metrics *m;
	struct stack_stats stats;
};

typedef void put_fn(const struct put *p);

static void put_head(FILE *out, const struct metrics_family *f);
static void put_number(const struct put *p, uint64_t n, ...)
	__attribute__((sentinel));
static void put_seconds(const struct put *p, uint64_t us, ...)
	__attribute__((sentinel));
static void put_histogram(const struct put *p, const struct histogram *h,
			  const char *key1, const char *value1,
			  const char *key2, const char *value2);
static void put_labels(FILE *out, va_list ap);
static void put_label(FILE *out, const char *key, const char *value);

static put_fn alerts_raised, alerts_now, build_info, start_time, connections,
	connections_max, half_open, half_open_max, accept_queue, syns_received,
	handshakes, handshake_duration, handshake_leg, rtt, cookies_sent,
	cookies_checked, listen_overflows, segments, bytes, packets,
	retransmits, segments_dropped, resets, closes, challenge_acks, icmp,
	events, events_lost, capture_packets, loop_lag, timers_armed, memory,
	reload_success, reload_time, tun_read_errors, tun_write_errors,
	tun_queue_dropped, cpu, resident, virtual;

static const struct {
	struct metrics_family f;
	put_fn *put;
} families[] = {
	{{"tcphs_build_info", "gauge", "version",
	  "The version that runs; always 1."},
	 build_info},
	{{"tcphs_start_time_seconds", "gauge", "",
	  "When the daemon started, seconds since 1970."},
	 start_time},
	{{"tcphs_connections", "gauge", "state, role",
	  "Connections by state, half-open ones and TIME-WAIT included."},
	 connections},
	{{"tcphs_connections_max", "gauge", "",
	  "Connections at once, the limit."},
	 connections_max},
	{{"tcphs_half_open", "gauge", "listener",
	  "Handshakes that wait for their last ACK."},
	 half_open},
	{{"tcphs_half_open_max", "gauge", "",
	  "Half-open connections at once, the limit."},
	 half_open_max},
	{{"tcphs_accept_queue", "gauge", "listener",
	  "Connections that nobody has taken yet: those of chat without a "
	  "reader."},
	 accept_queue},
	{{"tcphs_syns_received_total", "counter", "listener",
	  "SYNs that arrived at a listener."},
	 syns_received},
	{{"tcphs_handshakes_total", "counter", "listener, role, outcome",
	  "Handshakes by how they ended; those of our own opens have no "
	  "listener."},
	 handshakes},
	{{"tcphs_handshake_duration_seconds", "histogram", "listener, role",
	  "From the first SYN to the end of the handshake; those by cookie are "
	  "not timed."},
	 handshake_duration},
	{{"tcphs_handshake_leg_seconds", "histogram", "leg, role",
	  "Legs of handshakes: SYN to SYN-ACK, SYN-ACK to ACK."},
	 handshake_leg},
	{{"tcphs_rtt_seconds", "histogram", "listener",
	  "Smoothed round trip time of connections as they end."},
	 rtt},
	{{"tcphs_syn_cookies_sent_total", "counter", "", "SYN cookies sent."},
	 cookies_sent},
	{{"tcphs_syn_cookies_checked_total", "counter", "result",
	  "ACKs that were looked at for a cookie."},
	 cookies_checked},
	{{"tcphs_listen_overflows_total", "counter", "listener, where",
	  "SYNs, and ACKs that would have completed a handshake, that met "
	  "something full, by what that was; a SYN may have got a cookie."},
	 listen_overflows},
	{{"tcphs_segments_total", "counter", "direction",
	  "TCP segments, those of super-segments counted apart."},
	 segments},
	{{"tcphs_bytes_total", "counter", "direction",
	  "Bytes of packets, headers included."},
	 bytes},
	{{"tcphs_packets_total", "counter", "direction",
	  "Packets of the device; a super-segment is one."},
	 packets},
	{{"tcphs_retransmits_total", "counter", "kind",
	  "Segments sent again, by what made us."},
	 retransmits},
	{{"tcphs_segments_dropped_total", "counter", "reason",
	  "Packets and segments not taken, by reason; see tcphs-drops(7)."},
	 segments_dropped},
	{{"tcphs_resets_total", "counter", "direction, reason",
	  "Valid RSTs: of a connection, a refusal of our SYN, or to nobody's "
	  "segment."},
	 resets},
	{{"tcphs_closes_total", "counter", "how",
	  "Connections by how they ended."},
	 closes},
	{{"tcphs_challenge_acks_total", "counter", "result",
	  "Challenge ACKs (RFC 5961), sent or held for their rate limit."},
	 challenge_acks},
	{{"tcphs_icmp_total", "counter", "direction, type",
	  "ICMP messages of use."},
	 icmp},
	{{"tcphs_alerts_total", "counter", "kind, severity", "Alerts raised."},
	 alerts_raised},
	{{"tcphs_alerts_active", "gauge", "kind, severity",
	  "Alerts that are active."},
	 alerts_now},
	{{"tcphs_events_total", "counter", "", "Events handed out."}, events},
	{{"tcphs_events_lost_total", "counter", "subscriber",
	  "Events that came too fast for whoever takes them, or for all."},
	 events_lost},
	{{"tcphs_capture_packets_total", "counter", "result",
	  "Packets that captures kept, or lost to slow readers."},
	 capture_packets},
	{{"tcphs_loop_lag_seconds", "histogram", "",
	  "How late the loop came to what was due."},
	 loop_lag},
	{{"tcphs_timers_armed", "gauge", "", "Timers of connections that run."},
	 timers_armed},
	{{"tcphs_memory_bytes", "gauge", "pool",
	  "Memory for connections and their data, all and in use."},
	 memory},
	{{"tcphs_config_reload_success", "gauge", "",
	  "Was the last configuration taken? 1 or 0."},
	 reload_success},
	{{"tcphs_config_reload_timestamp_seconds", "gauge", "",
	  "When a configuration was taken last, seconds since 1970."},
	 reload_time},
	{{"tcphs_tun_read_errors_total", "counter", "",
	  "Reads from the device that failed."},
	 tun_read_errors},
	{{"tcphs_tun_write_errors_total", "counter", "reason",
	  "Packets the device did not take."},
	 tun_write_errors},
	{{"tcphs_tun_queue_dropped_total", "counter", "",
	  "Packets for us that the kernel dropped, its queue being full."},
	 tun_queue_dropped},
	{{"process_cpu_seconds_total", "counter", "",
	  "CPU time of the daemon, user and system."},
	 cpu},
	{{"process_resident_memory_bytes", "gauge", "",
	  "Memory of the daemon that is in RAM."},
	 resident},
	{{"process_virtual_memory_bytes", "gauge", "",
	  "Address space of the daemon; most of it is only reserved."},
	 virtual},
	{{"process_start_time_seconds", "gauge", "",
	  "When the daemon started, seconds since 1970."},
	 start_time},
};

const struct metrics_family *metrics_family(unsigned int index)
{
	return index < ARRAY_LEN(families) ? &families[index].f : NULL;
}

bool metrics_write(const struct metrics *m, unsigned int index, FILE *out)
{
	struct put p = {.out = out, .m = m};

	if (index >= ARRAY_LEN(families))
		return false;
	shards_stats(m->shards, &p.stats);
	p.name = families[index].f.name;
	put_head(out, &families[index].f);
	families[index].put(&p);
	return true;
}

/* ---- text -------------------------------------------------------------- */

/* None of our helps has a backslash or a line feed to escape. */
static void put_head(FILE *out, const struct metrics_family *f)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name,
		f->type);
}

/* One sample; pairs of label and value follow, then END. */
static void put_number(const struct put *p, uint64_t n, ...)
{
	va_list ap;

	fputs(p->name, p->out);
	va_start(ap, n);
	put_labels(p->out, ap);
	va_end(ap);
	fprintf(p->out, " %" PRIu64 "\n", n);
}

static void put_seconds(const struct put *p, uint64_t us, ...)
{
	va_list ap;

	fputs(p->name, p->out);
	va_start(ap, us);
	put_labels(p->out, ap);
	va_end(ap);
	fprintf(p->out, " %" PRIu64 ".%06" PRIu64 "\n", us / SECOND_US,
		us % SECOND_US);
}

/* Bounds are bounds of our own buckets, so each count is exact. */
static void put_histogram(const struct put *p, const struct histogram *h,
			  const char *key1, const char *value1,
			  const char *key2, const char *value2)
{
	static const struct {
		int64_t us;
		const char *le;
	} bounds[] = {
		{100, "0.0001"},    {250, "0.00025"},	{500, "0.0005"},
		{1000, "0.001"},    {2500, "0.0025"},	{5000, "0.005"},
		{10000, "0.01"},    {25000, "0.025"},	{50000, "0.05"},
		{100000, "0.1"},    {250000, "0.25"},	{500000, "0.5"},
		{1000000, "1.0"},   {2500000, "2.5"},	{5000000, "5.0"},
		{10000000, "10.0"}, {30000000, "30.0"}, {60000000, "60.0"},
	};
	char name[80];
	struct put q = *p;

	q.name = name;
	snprintf(name, sizeof(name), "%s_bucket", p->name);
	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		put_number(&q, histogram_up_to(h, bounds[i].us), "le",
			   bounds[i].le, key1, value1, key2, value2, END);
	put_number(&q, h->count, "le", "+Inf", key1, value1, key2, value2, END);
	snprintf(name, sizeof(name), "%s_sum", p->name);
	put_seconds(&q, h->sum_us, key1, value1, key2, value2, END);
	snprintf(name, sizeof(name), "%s_count", p->name);
	put_number(&q, h->count, key1, value1, key2, value2, END);
}

static void put_labels(FILE *out, va_list ap)
{
	const char *key, *value;
	bool any = false;

	while ((key = va_arg(ap, const char *))) {
		value = va_arg(ap, const char *);
		fputc(any ? ',' : '{', out);
		put_label(out, key, value);
		any = true;
	}
	if (any)
		fputc('}', out);
}

static void put_label(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s=\"", key);
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

/* ---- about the daemon -------------------------------------------------- */

static void build_info(const struct put *p)
{
	put_number(p, 1, "version", TCPHS_VERSION, END);
}

static void start_time(const struct put *p)
{
	put_number(p, (uint64_t)*p->m->started_at, END);
}

static void reload_success(const struct put *p)
{
	put_number(p, *p->m->conf_ok, END);
}

static void reload_time(const struct put *p)
{
	put_number(p, (uint64_t)*p->m->conf_at, END);
}

static void alerts_raised(const struct put *p)
{
	for (int k = 0; k < ALERT_NKINDS; k++)
		put_number(
			p,
			alerts_total(p->m->alerts->judge, (enum alert_kind)k),
			"kind", alert_name((enum alert_kind)k), "severity",
			alert_severity((enum alert_kind)k), END);
}

static void alerts_now(const struct put *p)
{
	for (int k = 0; k < ALERT_NKINDS; k++)
		put_number(
			p,
			alerts_active(p->m->alerts->judge, (enum alert_kind)k),
			"kind", alert_name((enum alert_kind)k), "severity",
			alert_severity((enum alert_kind)k), END);
}

static void events(const struct put *p)
{
	put_number(p, p->m->bus->seq, END);
}

static void events_lost(const struct put *p)
{
	put_number(p, p->m->bus->lost_total, "subscriber", "all", END);
	put_number(p, p->m->log->rate.left_out_ever, "subscriber", "log", END);
	put_number(p,
		   p->m->file->rate.left_out_ever + p->m->file->unwritten_ever,
		   "subscriber", "file", END);
	put_number(p, p->m->memory->missed, "subscriber", "control", END);
}

static void capture_packets(const struct put *p)
{
	put_number(p, p->m->capture->packets, "result", "kept", END);
	put_number(p, p->m->capture->lost, "result", "lost", END);
}

static void loop_lag(const struct put *p)
{
	put_histogram(p, p->m->loop_lag, NULL, NULL, NULL, NULL);
}

static void timers_armed(const struct put *p)
{
	put_number(p, p->stats.timers, END);
}

static void memory(const struct put *p)
{
	put_number(p, p->stats.memory, "pool", "all", END);
	put_number(p, p->stats.memory_used, "pool", "used", END);
}

static void tun_read_errors(const struct put *p)
{
	put_number(p, p->m->tun->read_errors, END);
}

static void tun_write_errors(const struct put *p)
{
	put_number(p, p->m->tun->write_errors, "reason", "refused", END);
	put_number(p, p->m->tun->write_full, "reason", "full", END);
}

/* Without a word from the kernel there is no sample, rather than a 0. */
static void tun_queue_dropped(const struct put *p)
{
	uint64_t lost;

	if (tun_queue_lost(p->m->tun->name, &lost))
		put_number(p, lost, END);
}

static void cpu(const struct put *p)
{
	struct timespec ts = {0, 0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	put_seconds(p,
		    (uint64_t)ts.tv_sec * SECOND_US +
			    (uint64_t)ts.tv_nsec / 1000,
		    END);
}

/* proc(5): "size resident ..." in pages; left out where there is no /proc. */
static void put_statm(const struct put *p, unsigned int field)
{
	unsigned long long pages[2];
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return;
	if (fscanf(f, "%llu %llu", &pages[0], &pages[1]) == 2)
		put_number(p, pages[field] * (uint64_t)sysconf(_SC_PAGESIZE),
			   END);
	fclose(f);
}

static void resident(const struct put *p)
{
	put_statm(p, 1);
}

static void virtual(const struct put *p)
{
	put_statm(p, 0);
}

/* ---- about listeners and handshakes ------------------------------------ */

/* The next listener from index *@i on; *@i is behind it then. */
static bool next_listener(const struct put *p, unsigned int *i,
			  struct listener_info *l)
{
	while (*i < STACK_LISTENERS_MAX)
		if (shards_listener_info(p->m->shards, (*i)++, l))
			return true;
	return false;
}

static void half_open(const struct put *p)
{
	struct listener_info l;

	for (unsigned int i = 0; next_listener(p, &i, &l);)
		put_number(p, l.half_open, "listener", l.conf.name, END);
}

static void accept_queue(const struct put *p)
{
	struct listener_info l;

	for (unsigned int i = 0; next_listener(p, &i, &l);)
		put_number(p, l.waiting, "listener", l.conf.name, END);
}

static void half_open_max(const struct put *p)
{
	put_number(p, stack_conf(p->m->shards->names)->max_half_open, END);
}

static void syns_received(const struct put *p)
{
	struct listener_info l;

	for (unsigned int i = 0; next_listener(p, &i, &l);)
		put_number(p, l.syns, "listener", l.conf.name, END);
}

static void listen_overflows(const struct put *p)
{
	static const char *const places[] = {
		[OVERFLOW_BACKLOG] = "backlog",
		[OVERFLOW_HALF_OPEN] = "half_open",
		[OVERFLOW_LISTENER] = "listener",
		[OVERFLOW_CONNECTIONS] = "connections",
		[OVERFLOW_SOURCE] = "source",
	};
	struct listener_info l;

	for (unsigned int i = 0; next_listener(p, &i, &l);)
		for (int w = 0; w < OVERFLOW_NPLACES; w++)
			put_number(p, l.overflows[w], "listener", l.conf.name,
				   "where", places[w], END);
}

/* Groups: those of listeners, then that of our own opens (listener ""). */
static const struct handshake_group *
next_group(const struct put *p, unsigned int *i, const char **role)
{
	const struct handshakes *h = p->m->handshakes;

	*role = "server";
	for (; *i < STACK_LISTENERS_MAX; ++*i)
		if (h->server[*i].name[0])
			return &h->server[(*i)++];
	*role = "client";
	return (*i)++ == STACK_LISTENERS_MAX ? &h->client : NULL;
}

static void handshakes(const struct put *p)
{
	const struct handshake_group *g;
	const char *role;

	for (unsigned int i = 0; (g = next_group(p, &i, &role));)
		for (unsigned int o = 0; o < HANDSHAKE_NOUTCOMES; o++)
			put_number(p, g->outcome[o], "listener", g->name,
				   "role", role, "outcome",
				   handshake_outcome_name(o), END);
}

static void handshake_duration(const struct put *p)
{
	const struct handshake_group *g;
	const char *role;

	for (unsigned int i = 0; (g = next_group(p, &i, &role));)
		put_histogram(p, &g->time, "listener", g->name, "role", role);
}

static void handshake_leg(const struct put *p)
{
	static const char *const legs[] = {"syn_synack", "synack_ack"};
	static const char *const roles[] = {"server", "client"};

	for (unsigned int r = 0; r < ARRAY_LEN(roles); r++)
		for (unsigned int l = 0; l < ARRAY_LEN(legs); l++)
			put_histogram(p, &p->m->handshakes->leg[l][r], "leg",
				      legs[l], "role", roles[r]);
}

static void rtt(const struct put *p)
{
	const struct handshake_group *g;
	const char *role;

	for (unsigned int i = 0; (g = next_group(p, &i, &role));)
		put_histogram(p, &g->rtt, "listener", g->name, NULL, NULL);
}

static void cookies_sent(const struct put *p)
{
	put_number(p, p->stats.cookies_sent, END);
}

static void cookies_checked(const struct put *p)
{
	put_number(p, p->stats.cookies_accepted, "result", "accepted", END);
	put_number(p, p->stats.cookies_rejected, "result", "rejected", END);
}

/* ---- about connections and packets ------------------------------------- */

static void connections(const struct put *p)
{
	char state[24];

	for (int s = 0; s < TCP_NSTATES; s++) {
		/* Nothing is counted under these two. */
		if (s == TCP_CLOSED || s == TCP_LISTEN)
			continue;
		snprintf(state, sizeof(state), "%s",
			 tcp_state_key((enum tcp_state)s));
		for (char *c = state; *c; c++)
			if (*c == '-')
				*c = '_';
		put_number(p, p->stats.conns[s] - p->stats.clients[s], "state",
			   state, "role", "server", END);
		put_number(p, p->stats.clients[s], "state", state, "role",
			   "client", END);
	}
}

static void connections_max(const struct put *p)
{
	put_number(p, stack_conf(p->m->shards->names)->max_connections, END);
}

/* In, then out. */
static void put_directions(const struct put *p, uint64_t in, uint64_t out)
{
	put_number(p, in, "direction", "in", END);
	put_number(p, out, "direction", "out", END);
}

static void segments(const struct put *p)
{
	put_directions(p, p->stats.segments_in, p->stats.segments_out);
}

static void bytes(const struct put *p)
{
	put_directions(p, p->stats.bytes_in, p->stats.bytes_out);
}

static void packets(const struct put *p)
{
	put_directions(p, p->stats.packets_in, p->stats.packets_out);
}

static void resets(const struct put *p)
{
	const struct stack_stats *s = &p->stats;

	put_number(p, s->resets_refused, "direction", "in", "reason", "refused",
		   END);
	put_number(p, s->resets_in - s->resets_refused, "direction", "in",
		   "reason", "connection", END);
	put_number(p, s->resets_nobody, "direction", "out", "reason", "nobody",
		   END);
	put_number(p, s->resets_out - s->resets_nobody, "direction", "out",
		   "reason", "connection", END);
}

static void retransmits(const struct put *p)
{
	const struct stack_stats *s = &p->stats;
	const struct {
		const char *kind;
		uint64_t n;
	} kinds[] = {
		{"syn", s->retransmit_syn},
		{"synack", s->retransmit_synack},
		{"rto", s->retransmit_rto},
		{"fast", s->retransmit_fast},
		{"probe", s->retransmit_probe},
		{"fin", s->retransmit_fin},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		put_number(p, kinds[i].n, "kind", kinds[i].kind, END);
}

static void segments_dropped(const struct put *p)
{
	for (int r = DROP_NONE + 1; r < DROP_NREASONS; r++)
		put_number(p, p->stats.dropped[r], "reason",
			   drop_name((enum drop_reason)r), END);
}

static void closes(const struct put *p)
{
	put_number(p, p->stats.closed_fin, "how", "fin", END);
	put_number(p, p->stats.closed_reset_in, "how", "reset_in", END);
	put_number(p, p->stats.closed_reset_out, "how", "reset_out", END);
	put_number(p, p->stats.closed_timeout, "how", "timeout", END);
}

static void challenge_acks(const struct put *p)
{
	put_number(p, p->stats.challenge_acks, "result", "sent", END);
	put_number(p, p->stats.dropped[DROP_CHALLENGE_RATE], "result", "held",
		   END);
}

static void icmp(const struct put *p)
{
	put_number(p, p->stats.echo_in, "direction", "in", "type",
		   "echo_request", END);
	put_number(p, p->stats.echo_out, "direction", "out", "type",
		   "echo_reply", END);
	put_number(p, p->stats.icmp_errors_in, "direction", "in", "type",
		   "error", END);
	put_number(p, p->stats.icmp_errors_out, "direction", "out", "type",
		   "error", END);
}
