/*
 * filter_verdict.c - The filter's words for a connection that was judged
 *
 * The client called, so it is src. A verdict is about a whole life, so state is
 * the last one: that of the client, as far as the capture shows.
 */
#include <tcphs/analysis.h>

#include "filter_priv.h"

#define FAILED                                         \
	(1u << JUDGED_REFUSED | 1u << JUDGED_TIMEOUT | \
	 1u << JUDGED_RESET_MID | 1u << JUDGED_HALF_OPEN)

static bool test(const struct step *s, const void *of);
static enum tcp_state last_state(const struct verdict *v);
static bool has_anomaly(const struct step *s, const struct verdict *v);

static bool parse_number(const struct token *t, struct step *s,
			 const char *(*name)(unsigned int), unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!filter_word_is(t, name(i)))
			continue;
		s->number = i;
		return true;
	}
	return false;
}

static bool parse_outcome(const struct token *t, struct step *s)
{
	int64_t n;

	s->outcomes = FAILED;
	if (filter_word_is(t, "failed"))
		return true;
	if (!parse_number(t, s, judged_name, JUDGED_NJUDGED))
		return false;
	n = s->number;
	s->outcomes = 1u << n;
	return true;
}

static bool parse_ending(const struct token *t, struct step *s)
{
	return parse_number(t, s, ending_name, ENDING_NENDINGS);
}

static bool parse_anomaly(const struct token *t, struct step *s)
{
	return parse_number(t, s, anomaly_name, ANOMALY_NKINDS);
}

static const char *severity_word(unsigned int severity)
{
	return severity_name((enum severity)severity);
}

static bool parse_severity(const struct token *t, struct step *s)
{
	return parse_number(t, s, severity_word, SEVERITY_WARNING + 1);
}

static const struct filter_field fields[] = {
	{"state", STEP_STATE, STYLE_SS, NULL, NULL, NULL},
	{"exclude", STEP_EXCLUDE, STYLE_SS, NULL, NULL, NULL},
	{"src", STEP_LOCAL, STYLE_SS, filter_value_end, "an address or prefix",
	 "src 192.0.2.7"},
	{"dst", STEP_PEER, STYLE_SS, filter_value_end, "an address or prefix",
	 "dst 198.51.100.0/24"},
	{"sport", STEP_LOCAL_PORT, STYLE_ORDERED_SS, filter_value_port,
	 "a port number", "sport >= 1024"},
	{"dport", STEP_PEER_PORT, STYLE_ORDERED_SS, filter_value_port,
	 "a port number", "dport = 80"},
	{"host", STEP_HOST, STYLE_SS, filter_value_end, "an address or prefix",
	 "host 192.0.2.7"},
	{"port", STEP_PORT, STYLE_ORDERED_SS, filter_value_port,
	 "a port number", "port 8090"},
	{"id", STEP_ID, STYLE_NAME, filter_value_id, "the id of a connection",
	 "id = 42"},
	{"age", STEP_AGE, STYLE_ORDERED, filter_value_duration, "a duration",
	 "age > 10s"},
	{"rtt", STEP_RTT, STYLE_ORDERED, filter_value_duration, "a duration",
	 "rtt > 1.5ms"},
	{"hs", STEP_HANDSHAKE, STYLE_ORDERED, filter_value_duration,
	 "a duration", "hs >= 500ms"},
	{"retrans", STEP_RETRANS, STYLE_ORDERED, filter_value_count, "a number",
	 "retrans > 0"},
	{"bytes", STEP_BYTES, STYLE_ORDERED, filter_value_size,
	 "a number of bytes", "bytes > 10MiB"},
	{"outcome", STEP_OUTCOME, STYLE_NAME, parse_outcome, "an outcome",
	 "outcome = timeout"},
	{"ending", STEP_ENDING, STYLE_NAME, parse_ending, "an ending",
	 "ending = rst_server"},
	{"alert", STEP_ALERT, STYLE_MAYBE, parse_anomaly, "an anomaly",
	 "alert = zero_window"},
	{"severity", STEP_SEVERITY, STYLE_ORDERED, parse_severity,
	 "info, notice or warning", "severity >= notice"},
};

static const struct filter_words of_verdicts = {
	fields,
	ARRAY_LEN(fields),
	"outcome = timeout and dport = 80",
};

struct filter *filter_parse_verdicts(const char *text, struct filter_error *err)
{
	return filter_compile(text, &of_verdicts, err);
}

bool filter_match_verdict(const struct filter *f, const struct verdict *v)
{
	return filter_run(f, test, v);
}

static bool test(const struct step *s, const void *of)
{
	const struct verdict *v = of;
	const struct verdict_side *c = &v->side[CLIENT], *d = &v->side[SERVER];

	switch (s->kind) {
	case STEP_STATE:
	case STEP_EXCLUDE:
		return filter_state_matches(s, last_state(v));
	case STEP_LOCAL:
	case STEP_PEER:
	case STEP_LOCAL_PORT:
	case STEP_PEER_PORT:
	case STEP_HOST:
	case STEP_PORT:
		return filter_ends_match(s, &c->addr, c->port, &d->addr,
					 d->port);
	case STEP_ID:
		return filter_same(s, (int64_t)v->id == s->number);
	case STEP_AGE:
		return filter_time_matches(s, (v->end_ns - v->start_ns) / 1000);
	case STEP_RTT:
		return verdict_round_trip_ns(v) >= 0 &&
		       filter_time_matches(s, verdict_round_trip_ns(v) / 1000);
	case STEP_HANDSHAKE:
		return v->total_ns >= 0 &&
		       filter_time_matches(s, v->total_ns / 1000);
	case STEP_RETRANS:
		return filter_compare(s->compare, verdict_retransmissions(v),
				      s->number);
	case STEP_BYTES:
		return filter_compare(s->compare,
				      (int64_t)(c->by_seq + d->by_seq),
				      s->number);
	case STEP_OUTCOME:
		return filter_same(s, s->outcomes >> v->outcome & 1);
	case STEP_ENDING:
		return filter_same(s, v->ending == s->number);
	case STEP_ALERT:
		return has_anomaly(s, v);
	case STEP_SEVERITY:
		return verdict_worst(v) != SEVERITY_NONE &&
		       filter_compare(s->compare, verdict_worst(v), s->number);
	}
	return false;
}

static enum tcp_state last_state(const struct verdict *v)
{
	if (v->outcome == JUDGED_TIMEOUT)
		return TCP_SYN_SENT;
	if (v->outcome == JUDGED_HALF_OPEN)
		return TCP_SYN_RECEIVED;
	switch (v->ending) {
	case ENDING_OPEN:
		return TCP_ESTABLISHED;
	case ENDING_HALF_CLIENT:
		return TCP_FIN_WAIT_2;
	case ENDING_HALF_SERVER:
		return TCP_CLOSE_WAIT;
	default:
		return TCP_CLOSED;
	}
}

static bool has_anomaly(const struct step *s, const struct verdict *v)
{
	bool has = false;

	if (s->any)
		return verdict_worst(v) > SEVERITY_INFO;
	for (int i = 0; i < v->nanomalies && !has; i++)
		has = v->anomaly[i].kind == s->number;
	return filter_same(s, has);
}
