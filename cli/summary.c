/*
 * summary.c - What all connections of a capture come to
 */
#include "summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/plural.h>

#include "explain.h"
#include "findings.h"
#include "member.h"
#include "output.h"
#include "talkers.h"

#define TOP_MAX	 10
#define LINE_MAX 1024

static json_t *times_json(const struct histogram *h);
static json_t *anomalies_json(const struct summary *s);
static json_t *packets_json(const struct analysis_stats *stats);
static json_t *faults_json(const struct analysis_stats *stats);
static void faults_text(const struct cli *cli, const json_t *faults);
static void counts_text(const struct cli *cli, const char *label,
			const json_t *counts, json_int_t all);
static void times_text(const struct cli *cli, const char *label,
		       const json_t *times);
static void talkers_text(const struct cli *cli, const char *label,
			 const json_t *list, bool services);

struct summary *summary_new(void)
{
	struct summary *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->clients = talkers_new();
	s->services = talkers_new();
	if (s->clients && s->services)
		return s;
	summary_free(s);
	return NULL;
}

void summary_free(struct summary *s)
{
	if (!s)
		return;
	talkers_free(s->clients);
	talkers_free(s->services);
	free(s);
}

bool judged_failed(unsigned int outcome)
{
	return outcome == JUDGED_REFUSED || outcome == JUDGED_TIMEOUT ||
	       outcome == JUDGED_RESET_MID || outcome == JUDGED_HALF_OPEN;
}

void summary_add(struct summary *s, const struct verdict *v)
{
	const struct verdict_side *c = &v->side[CLIENT], *d = &v->side[SERVER];
	uint64_t said = 0, bytes = c->by_seq + d->by_seq;
	bool failed = judged_failed(v->outcome);

	if (!s->connections || v->start_ns < s->first_ns)
		s->first_ns = v->start_ns;
	if (!s->connections || v->end_ns > s->last_ns)
		s->last_ns = v->end_ns;
	s->connections++;
	s->outcomes[v->outcome]++;
	s->endings[v->ending]++;
	s->packets += c->packets + d->packets;
	s->bytes += bytes;
	s->retransmissions += verdict_retransmissions(v);
	s->again_syn += v->syn.tries > 1 ? v->syn.tries - 1 : 0;
	s->again_synack += v->synack.tries > 1 ? v->synack.tries - 1 : 0;
	if (v->total_ns >= 0)
		histogram_add(&s->handshake, v->total_ns / 1000, 1);
	if (v->syn_synack_ns >= 0)
		histogram_add(&s->synack, v->syn_synack_ns / 1000, 1);
	if (v->synack_ack_ns >= 0)
		histogram_add(&s->ack, v->synack_ack_ns / 1000, 1);
	for (int i = 0; i < v->nanomalies; i++) {
		if (said >> v->anomaly[i].kind & 1)
			continue;
		said |= 1ull << v->anomaly[i].kind;
		s->anomalies[v->anomaly[i].kind]++;
	}
	talkers_add(s->clients, &c->addr, -1, failed, bytes);
	talkers_add(s->services, &d->addr, d->port, failed, bytes);
}

json_t *summary_json(const struct summary *s,
		     const struct analysis_stats *stats)
{
	json_t *outcomes = json_object(), *endings = json_object(), *o;
	uint64_t uncounted;

	for (unsigned int i = 0; i < JUDGED_NJUDGED; i++)
		json_object_set_new(outcomes, judged_name(i),
				    json_integer((json_int_t)s->outcomes[i]));
	for (unsigned int i = 0; i < ENDING_NENDINGS; i++)
		json_object_set_new(endings, ending_name(i),
				    json_integer((json_int_t)s->endings[i]));
	o = json_pack("{s:s, s:i, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:I}",
		      "type", "summary", "schema", 1, "connections",
		      (json_int_t)s->connections, "tcp_packets",
		      (json_int_t)s->packets, "bytes", (json_int_t)s->bytes,
		      "packets", packets_json(stats), "faults",
		      faults_json(stats), "outcomes", outcomes, "endings",
		      endings, "unordered", (json_int_t)stats->unordered,
		      "evicted", (json_int_t)stats->evicted);
	if (s->connections) {
		json_object_set_new(o, "start_ns", json_integer(s->first_ns));
		json_object_set_new(o, "end_ns", json_integer(s->last_ns));
	}
	json_object_set_new(o, "handshake_us", times_json(&s->handshake));
	json_object_set_new(o, "synack_us", times_json(&s->synack));
	json_object_set_new(o, "ack_us", times_json(&s->ack));
	json_object_set_new(o, "retransmissions",
			    json_pack("{s:I, s:I, s:I}", "all",
				      (json_int_t)s->retransmissions, "syn",
				      (json_int_t)s->again_syn, "synack",
				      (json_int_t)s->again_synack));
	json_object_set_new(o, "anomalies", anomalies_json(s));
	json_object_set_new(o, "clients", talkers_json(s->clients, TOP_MAX));
	json_object_set_new(o, "services", talkers_json(s->services, TOP_MAX));
	json_object_set_new(o, "all_clients",
			    json_integer((json_int_t)talkers_count(
				    s->clients, &uncounted)));
	if (uncounted)
		json_object_set_new(o, "of_more_clients",
				    json_integer((json_int_t)uncounted));
	return o;
}

static json_t *times_json(const struct histogram *h)
{
	json_t *o = json_pack("{s:I}", "count", (json_int_t)h->count);

	if (!h->count)
		return o;
	json_object_set_new(o, "min", json_integer(h->min_us));
	json_object_set_new(o, "p50",
			    json_integer(histogram_percentile(h, 500)));
	json_object_set_new(o, "p90",
			    json_integer(histogram_percentile(h, 900)));
	json_object_set_new(o, "p99",
			    json_integer(histogram_percentile(h, 990)));
	json_object_set_new(o, "max", json_integer(h->max_us));
	return o;
}

/* The worst first, and of those the most frequent. */
static json_t *anomalies_json(const struct summary *s)
{
	json_t *list = json_array();
	bool done[ANOMALY_NKINDS] = {false};

	for (;;) {
		int best = -1;

		for (int i = 0; i < ANOMALY_NKINDS; i++) {
			int order;

			if (done[i] || !s->anomalies[i])
				continue;
			if (best < 0) {
				best = i;
				continue;
			}
			order = (int)anomaly_severity((unsigned int)i) -
				(int)anomaly_severity((unsigned int)best);
			if (order > 0 || (order == 0 &&
					  s->anomalies[i] > s->anomalies[best]))
				best = i;
		}
		if (best < 0)
			return list;
		done[best] = true;
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:I, s:s}", "kind",
				  anomaly_name((unsigned int)best), "severity",
				  severity_name(
					  anomaly_severity((unsigned int)best)),
				  "connections", (json_int_t)s->anomalies[best],
				  "text", anomaly_meaning((unsigned int)best)));
	}
}

static json_t *packets_json(const struct analysis_stats *stats)
{
	static const char *const kinds[PACKET_NKINDS] = {
		[PACKET_TCP] = "tcp",
		[PACKET_ICMP] = "icmp_errors",
		[PACKET_FRAGMENT] = "fragments",
		[PACKET_OTHER] = "other",
		[PACKET_BROKEN] = "broken",
	};
	json_t *o = json_object();

	for (int i = 0; i < PACKET_NKINDS; i++)
		json_object_set_new(
			o, kinds[i],
			json_integer((json_int_t)stats->packets[i]));
	return o;
}

static json_t *faults_json(const struct analysis_stats *stats)
{
	json_t *o = json_object();

	for (unsigned int i = 1; i < FAULT_NFAULTS; i++)
		if (stats->faults[i])
			json_object_set_new(
				o, fault_words(i),
				json_integer((json_int_t)stats->faults[i]));
	return o;
}

/* ---- for people --------------------------------------------------------- */

void summary_text(const struct cli *cli, const json_t *doc)
{
	const json_t *packets = json_object_get(doc, "packets");
	const json_t *again = json_object_get(doc, "retransmissions");
	const json_t *odd = json_object_get(doc, "anomalies");
	const json_t *captured = json_object_get(doc, "captured");
	const json_t *findings = json_object_get(doc, "findings");
	json_int_t all = member_number(doc, "connections");
	char bytes[TEXT_NUMBER_MAX], span[TEXT_NUMBER_MAX], line[LINE_MAX];

	snprintf(line, sizeof(line),
		 "%" JSON_INTEGER_FORMAT " in %s: %" JSON_INTEGER_FORMAT
		 " packet%s, %s byte%s of text",
		 all,
		 text_duration((member_number(doc, "end_ns") -
				member_number(doc, "start_ns")) /
				       1000,
			       span),
		 member_number(doc, "tcp_packets"),
		 plural(member_number(doc, "tcp_packets")),
		 text_bytes((uint64_t)member_number(doc, "bytes"), bytes),
		 plural(member_number(doc, "bytes")));
	explain_text(cli, "Connections", line);
	counts_text(cli, "Outcomes", json_object_get(doc, "outcomes"), all);
	counts_text(cli, "Endings", json_object_get(doc, "endings"), all);
	times_text(cli, "Handshakes", json_object_get(doc, "handshake_us"));
	times_text(cli, "  to SYN-ACK", json_object_get(doc, "synack_us"));
	times_text(cli, "  to ACK", json_object_get(doc, "ack_us"));
	snprintf(line, sizeof(line),
		 "%" JSON_INTEGER_FORMAT " segment%s, %" JSON_INTEGER_FORMAT
		 " of them SYN%s, %" JSON_INTEGER_FORMAT " SYN-ACK%s",
		 member_number(again, "all"),
		 plural(member_number(again, "all")),
		 member_number(again, "syn"),
		 plural(member_number(again, "syn")),
		 member_number(again, "synack"),
		 plural(member_number(again, "synack")));
	explain_text(cli, "Sent again", line);
	for (size_t i = 0; i < json_array_size(odd); i++) {
		const json_t *a = json_array_get(odd, i);

		snprintf(line, sizeof(line),
			 "%s (%s) in %" JSON_INTEGER_FORMAT ": %s",
			 member_text(a, "kind"), member_text(a, "severity"),
			 member_number(a, "connections"),
			 member_text(a, "text"));
		explain_text(cli, i ? "" : "Anomalies", line);
	}
	for (size_t i = 0; i < json_array_size(findings); i++)
		explain_text(cli, i ? "" : "Findings",
			     finding_words(json_array_get(findings, i), line));
	talkers_text(cli, "Clients", json_object_get(doc, "clients"), false);
	talkers_text(cli, "Services", json_object_get(doc, "services"), true);
	snprintf(line, sizeof(line),
		 "%" JSON_INTEGER_FORMAT " other, %" JSON_INTEGER_FORMAT
		 " unreadable, %" JSON_INTEGER_FORMAT
		 " out of order; %" JSON_INTEGER_FORMAT
		 " connection%s judged early for want of memory",
		 member_number(packets, "other"),
		 member_number(packets, "broken"),
		 member_number(doc, "unordered"), member_number(doc, "evicted"),
		 plural(member_number(doc, "evicted")));
	explain_text(cli, "Other packets", line);
	faults_text(cli, json_object_get(doc, "faults"));
	if (!captured)
		return;
	snprintf(line, sizeof(line),
		 "%" JSON_INTEGER_FORMAT " frame%s; %" JSON_INTEGER_FORMAT
		 " dropped here, %" JSON_INTEGER_FORMAT " by the card",
		 member_number(captured, "seen"),
		 plural(member_number(captured, "seen")),
		 member_number(captured, "dropped"),
		 member_number(captured, "dropped_by_card"));
	explain_text(cli, "Captured", line);
}

static void faults_text(const struct cli *cli, const json_t *faults)
{
	const char *words, *label = "Unreadable";
	char line[LINE_MAX];
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)faults, words, v)
	{
		snprintf(line, sizeof(line), "%" JSON_INTEGER_FORMAT " %s",
			 json_integer_value(v), words);
		explain_text(cli, label, line);
		label = "";
	}
}

static void counts_text(const struct cli *cli, const char *label,
			const json_t *counts, json_int_t all)
{
	char line[LINE_MAX] = "";
	const char *key;
	size_t n = 0;
	json_t *v;

	/* jansson's macro takes no const object; it is not changed. */
	json_object_foreach((json_t *)(uintptr_t)counts, key, v)
	{
		json_int_t count = json_integer_value(v);

		if (count)
			n += (size_t)snprintf(
				line + n, sizeof(line) - n,
				"%s%s %" JSON_INTEGER_FORMAT " (%.1f%%)",
				n ? ", " : "", key, count,
				100.0 * (double)count / (double)all);
	}
	explain_text(cli, label, n ? line : "none");
}

static void times_text(const struct cli *cli, const char *label,
		       const json_t *times)
{
	static const char *const keys[] = {"min", "p50", "p90", "p99", "max"};
	char line[LINE_MAX] = "", span[TEXT_NUMBER_MAX];
	size_t n = 0;

	if (!member_number(times, "count")) {
		explain_text(cli, label, "none");
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		n += (size_t)snprintf(
			line + n, sizeof(line) - n, "%s%s %s", n ? ", " : "",
			keys[i],
			text_duration(member_number(times, keys[i]), span));
	explain_text(cli, label, line);
}

static void talkers_text(const struct cli *cli, const char *label,
			 const json_t *list, bool services)
{
	char line[LINE_MAX], end[64], bytes[TEXT_NUMBER_MAX];

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *t = json_array_get(list, i);

		if (services)
			output_cell(t, COLUMN_TEXT, true, end, sizeof(end));
		else
			snprintf(end, sizeof(end), "%s", member_text(t, "ip"));
		snprintf(line, sizeof(line),
			 "%s: %" JSON_INTEGER_FORMAT
			 " connection%s, %" JSON_INTEGER_FORMAT
			 " failed, %s byte%s of text",
			 end, member_number(t, "connections"),
			 plural(member_number(t, "connections")),
			 member_number(t, "failed"),
			 text_bytes((uint64_t)member_number(t, "bytes"), bytes),
			 plural(member_number(t, "bytes")));
		explain_text(cli, i ? "" : label, line);
	}
}
