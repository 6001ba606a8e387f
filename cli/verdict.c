/*
 * verdict.c - A verdict as JSON, and as cells of a table
 *
 * Times in JSON are integers of nanoseconds: a double has steps of 200 ns in our days.
 * What was not seen has no key.
 */
#include "verdict.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <tcphs/ipaddr.h>

static const char *const tfo_names[] = {"none", "requested", "accepted",
					"ignored"};

static void set_number(struct value *to, uint64_t n);
static void set_us(struct value *to, int64_t ns);
static void set_text(struct value *to, const char *text);
static void set_end(struct value *to, const struct verdict_side *s);
static void set_time(struct value *to, int64_t ns);
static void set_anomalies(struct value *to, const struct verdict *v);
static json_t *end_json(const struct verdict_side *s);
static json_t *encaps(const struct verdict *v);
static json_t *handshake(const struct verdict *v);
static void add_step(json_t *steps, const char *name,
		     const struct verdict_step *s, bool has_ack);
static void add_ns(json_t *o, const char *key, int64_t ns);
static json_t *options(const struct verdict *v);
static json_t *offered(const struct verdict_side *s);
static json_t *came_again(const struct verdict_side *s);
static json_t *ending(const struct verdict *v);
static json_t *anomalies(const struct verdict *v);
static const char *side_name(unsigned int side);

json_t *verdict_json(const struct verdict *v)
{
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];
	char text[256], id[COMMUNITY_ID_MAX];
	json_t *o = json_pack(
		"{s:s, s:i, s:I, s:o, s:o, s:b}", "type", "connection",
		"schema", 1, "id", (json_int_t)v->id, "client", end_json(c),
		"server", end_json(s), "client_known", v->client_known);

	if (v->nencaps)
		json_object_set_new(o, "encap", encaps(v));
	verdict_sentence(v, text, sizeof(text));
	verdict_community(v, id);
	json_object_set_new(o, "frames",
			    json_pack("{s:I, s:I, s:I, s:I}", "first",
				      (json_int_t)v->first_frame, "last",
				      (json_int_t)v->last_frame, "c2s",
				      (json_int_t)c->packets, "s2c",
				      (json_int_t)s->packets));
	add_ns(o, "start_ns", v->start_ns);
	add_ns(o, "end_ns", v->end_ns);
	json_object_set_new(o, "sentence", json_string(text));
	json_object_set_new(o, "handshake", handshake(v));
	json_object_set_new(o, "options", options(v));
	json_object_set_new(
		o, "retransmissions",
		json_pack("{s:i, s:i, s:o, s:o}", "syn",
			  v->syn.tries > 1 ? (int)v->syn.tries - 1 : 0,
			  "synack",
			  v->synack.tries > 1 ? (int)v->synack.tries - 1 : 0,
			  "c2s", came_again(c), "s2c", came_again(s)));
	json_object_set_new(o, "bytes",
			    json_pack("{s:{s:I, s:I}, s:{s:I, s:I}}", "c2s",
				      "captured", (json_int_t)c->captured,
				      "by_seq", (json_int_t)c->by_seq, "s2c",
				      "captured", (json_int_t)s->captured,
				      "by_seq", (json_int_t)s->by_seq));
	json_object_set_new(o, "close", ending(v));
	json_object_set_new(o, "anomalies", anomalies(v));
	json_object_set_new(o, "zeek",
			    json_pack("{s:s, s:s}", "conn_state", v->zeek_state,
				      "history", v->zeek_history));
	json_object_set_new(o, "completeness", json_integer(v->completeness));
	json_object_set_new(o, "community_id", json_string(id));
	return o;
}

/* In the order of enum verdict_column. */
const struct column verdict_columns[] = {
#define COLUMN(id, heading, field, kind, shown, leaves) \
	{heading, field, kind, shown, leaves},
	VERDICT_COLUMNS(COLUMN)
#undef COLUMN
		{NULL, NULL, COLUMN_TEXT, false, 0},
};

void verdict_value(const void *of, const struct column *column,
		   struct value *to)
{
	const struct verdict *v = of;
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];

	to->type = VALUE_NONE;
	switch ((enum verdict_column)(column - verdict_columns)) {
	case VERDICT_ID:
		set_number(to, v->id);
		break;
	case VERDICT_CLIENT:
		set_end(to, c);
		break;
	case VERDICT_SERVER:
		set_end(to, s);
		break;
	case VERDICT_OUTCOME:
		set_text(to, judged_name(v->outcome));
		break;
	case VERDICT_STAGE:
		set_text(to, reached_name(v->stage));
		break;
	case VERDICT_HS:
		set_us(to, v->total_ns);
		break;
	case VERDICT_SYNACK:
		set_us(to, v->syn_synack_ns);
		break;
	case VERDICT_ACK:
		set_us(to, v->synack_ack_ns);
		break;
	case VERDICT_RTT:
		set_us(to, verdict_round_trip_ns(v));
		break;
	case VERDICT_PACKETS:
		set_number(to, c->packets + s->packets);
		break;
	case VERDICT_C2S:
		set_number(to, c->by_seq);
		break;
	case VERDICT_S2C:
		set_number(to, s->by_seq);
		break;
	case VERDICT_RETR:
		set_number(to, verdict_retransmissions(v));
		break;
	case VERDICT_ENDING:
		set_text(to, ending_name(v->ending));
		break;
	case VERDICT_ANOMALIES:
		set_anomalies(to, v);
		break;
	case VERDICT_START:
		set_time(to, v->start_ns);
		break;
	case VERDICT_DURATION:
		set_us(to, v->end_ns - v->start_ns);
		break;
	case VERDICT_ZEEK:
		set_text(to, v->zeek_state);
		break;
	case VERDICT_HISTORY:
		set_text(to, v->zeek_history);
		break;
	case VERDICT_COMPLETENESS:
		set_number(to, v->completeness);
		break;
	case VERDICT_COMMUNITY:
		to->type = VALUE_TEXT;
		verdict_community(v, to->text);
		break;
	}
}

static void set_number(struct value *to, uint64_t n)
{
	to->type = VALUE_NUMBER;
	to->number = (int64_t)n;
}

static void set_us(struct value *to, int64_t ns)
{
	if (ns >= 0)
		set_number(to, (uint64_t)ns / 1000);
}

static void set_text(struct value *to, const char *text)
{
	to->type = VALUE_TEXT;
	snprintf(to->text, sizeof(to->text), "%s", text);
}

static void set_end(struct value *to, const struct verdict_side *s)
{
	to->type = VALUE_END;
	to->addr = s->addr;
	to->number = s->port;
}

static void set_time(struct value *to, int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	to->type = VALUE_TEXT;
	strftime(to->text, sizeof(to->text), "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* What is more than information, each kind once. */
static void set_anomalies(struct value *to, const struct verdict *v)
{
	uint64_t said = 0;
	size_t n = 0;

	for (int i = 0; i < v->nanomalies; i++) {
		unsigned int kind = v->anomaly[i].kind;

		if (anomaly_severity(kind) == SEVERITY_INFO || said >> kind & 1)
			continue;
		n += (size_t)snprintf(to->text + n, sizeof(to->text) - n,
				      "%s%s", n ? "," : "", anomaly_name(kind));
		said |= 1ull << kind;
		to->type = VALUE_TEXT;
	}
}

static json_t *end_json(const struct verdict_side *s)
{
	char ip[IPADDR_TEXT_MAX];

	return json_pack("{s:s, s:i}", "ip", ipaddr_format(&s->addr, ip),
			 "port", (int)s->port);
}

static json_t *encaps(const struct verdict *v)
{
	json_t *list = json_array();

	for (int i = 0; i < v->nencaps; i++)
		json_array_append_new(list,
				      json_sprintf("%s:%u",
						   encap_name(v->encap[i].kind),
						   v->encap[i].number));
	return list;
}

static json_t *handshake(const struct verdict *v)
{
	json_t *steps = json_array();
	json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:s}", "outcome",
			      judged_name(v->outcome), "stage",
			      reached_name(v->stage), "confidence",
			      v->inferred ? "inferred" : "seen", "simultaneous",
			      v->simultaneous, "split", v->split, "cookie_like",
			      v->cookie_like, "tfo", tfo_names[v->tfo]);

	add_step(steps, "SYN", &v->syn, false);
	add_step(steps, "SYN-ACK", &v->synack, true);
	add_step(steps, "ACK", &v->ack, true);
	json_object_set_new(o, "steps", steps);
	if (v->syn_synack_ns >= 0) {
		add_ns(o, "syn_to_synack_ns", v->syn_synack_ns);
		add_ns(o, "last_syn_to_synack_ns", v->last_syn_synack_ns);
	}
	if (v->synack_ack_ns >= 0)
		add_ns(o, "synack_to_ack_ns", v->synack_ack_ns);
	if (v->total_ns >= 0)
		add_ns(o, "total_ns", v->total_ns);
	if (v->icmp)
		json_object_set_new(o, "icmp",
				    json_pack("{s:i, s:i, s:i}", "family",
					      v->icmp6 ? 6 : 4, "type",
					      (int)v->icmp_type, "code",
					      (int)v->icmp_code));
	return o;
}

static void add_step(json_t *steps, const char *name,
		     const struct verdict_step *s, bool has_ack)
{
	json_t *o;

	if (!s->frame)
		return;
	o = json_pack("{s:s, s:I, s:I, s:I}", "step", name, "frame",
		      (json_int_t)s->frame, "ns", (json_int_t)s->ns, "seq",
		      (json_int_t)s->seq);
	if (has_ack)
		json_object_set_new(o, "ack", json_integer(s->ack));
	json_object_set_new(o, "tries", json_integer(s->tries));
	json_array_append_new(steps, o);
}

static void add_ns(json_t *o, const char *key, int64_t ns)
{
	json_object_set_new(o, key, json_integer(ns));
}

static json_t *options(const struct verdict *v)
{
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];
	uint8_t both = c->opts & s->opts;

	return json_pack("{s:o, s:o, s:{s:b, s:b, s:b}}", "client", offered(c),
			 "server", offered(s), "in_use", "wscale",
			 !!(both & POPT_WSCALE), "sack",
			 !!(both & POPT_SACK_OK), "ts", !!(both & POPT_TS));
}

static json_t *offered(const struct verdict_side *s)
{
	json_t *o = json_object();

	if (s->opts & POPT_MSS)
		json_object_set_new(o, "mss", json_integer(s->mss));
	if (s->opts & POPT_WSCALE)
		json_object_set_new(o, "wscale", json_integer(s->wscale));
	json_object_set_new(o, "sack", json_boolean(s->opts & POPT_SACK_OK));
	json_object_set_new(o, "ts", json_boolean(s->opts & POPT_TS));
	return o;
}

static json_t *came_again(const struct verdict_side *s)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "seen_before",
			 (json_int_t)s->seen_before, "filled_hole",
			 (json_int_t)s->filled_hole, "needless",
			 (json_int_t)s->needless, "late", (json_int_t)s->late);
}

static json_t *ending(const struct verdict *v)
{
	json_t *o = json_pack("{s:s}", "type", ending_name(v->ending));

	if (v->fin_seen)
		json_object_set_new(o, "first",
				    json_string(side_name(v->first_fin)));
	if (v->ending_frame)
		json_object_set_new(o, "frame",
				    json_integer((json_int_t)v->ending_frame));
	if (v->ending == ENDING_RST_CLIENT || v->ending == ENDING_RST_SERVER)
		json_object_set_new(o, "plausible",
				    json_boolean(v->rst_plausible));
	return o;
}

static json_t *anomalies(const struct verdict *v)
{
	json_t *list = json_array(), *o;

	for (int i = 0; i < v->nanomalies; i++) {
		const struct anomaly *a = &v->anomaly[i];

		o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "kind",
			      anomaly_name(a->kind), "severity",
			      severity_name(anomaly_severity(a->kind)), "by",
			      side_name(a->side), "count", (json_int_t)a->count,
			      "frame", (json_int_t)a->frame, "text",
			      anomaly_meaning(a->kind));
		if (a->expected || a->got)
			json_object_set_new(o, "evidence",
					    json_pack("{s:I, s:I}", "expected",
						      (json_int_t)a->expected,
						      "got",
						      (json_int_t)a->got));
		json_array_append_new(list, o);
	}
	return list;
}

static const char *side_name(unsigned int side)
{
	return side == CLIENT ? "client" : "server";
}

void verdict_community(const struct verdict *v, char buf[COMMUNITY_ID_MAX])
{
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];

	community_id(&c->addr, c->port, &s->addr, s->port, buf);
}
