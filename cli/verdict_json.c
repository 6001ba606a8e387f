/*
 * verdict_json.c - A verdict as a line of JSON
 *
 * Written out directly: as a tree of jansson's it takes 30 us, three times as
 * long as judging its packets. A verdict has a bounded number of values, each
 * of bounded length, so there is a buffer that is always long enough.
 *
 * Times are integers of nanoseconds: a double has steps of 200 ns in our days.
 * What was not seen has no key.
 */
#include "verdict.h"

#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/jsontext.h>

/* What is written, and where; begins with a brace. */
struct line {
	char *at, *end;
};

static void line_end(struct line *l, const char *name,
		     const struct verdict_side *s);
static void line_encaps(struct line *l, const struct verdict *v);
static void line_handshake(struct line *l, const struct verdict *v);
static void line_step(struct line *l, const char *name,
		      const struct verdict_step *s, bool has_ack);
static void line_options(struct line *l, const struct verdict *v);
static void line_offered(struct line *l, const char *name,
			 const struct verdict_side *s);
static void line_again(struct line *l, const struct verdict *v);
static void line_came_again(struct line *l, const char *name,
			    const struct verdict_side *s);
static void line_bytes(struct line *l, const char *name,
		       const struct verdict_side *s);
static void line_windows(struct line *l, const char *name,
			 const struct verdict_side *s);
static void line_close(struct line *l, const struct verdict *v);
static void line_anomaly(struct line *l, const struct anomaly *a);
static const char *side_name(unsigned int side);

static void put(struct line *l, const char *s, size_t n)
{
	if (n > (size_t)(l->end - l->at))
		n = (size_t)(l->end - l->at);
	memcpy(l->at, s, n);
	l->at += n;
}

/* @name: NULL in a list */
static void key(struct line *l, const char *name)
{
	if (l->at[-1] != '{' && l->at[-1] != '[')
		put(l, ",", 1);
	if (!name)
		return;
	put(l, "\"", 1);
	put(l, name, strlen(name));
	put(l, "\":", 2);
}

static void begin(struct line *l, const char *name, const char *bracket)
{
	key(l, name);
	put(l, bracket, 1);
}

static void end(struct line *l, const char *bracket)
{
	put(l, bracket, 1);
}

static void number(struct line *l, const char *name, int64_t n)
{
	char digits[TEXT_NUMBER_MAX];

	key(l, name);
	put(l, digits, text_integer(n, digits));
}

static void truth(struct line *l, const char *name, bool is)
{
	key(l, name);
	put(l, is ? "true" : "false", is ? 4 : 5);
}

static void text(struct line *l, const char *name, const char *s)
{
	key(l, name);
	l->at += jsontext(l->at, (size_t)(l->end - l->at), s);
}

size_t verdict_json(const struct verdict *v, char buf[VERDICT_JSON_MAX])
{
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];
	char sentence[256], community[COMMUNITY_ID_MAX];
	struct line line = {buf, buf + VERDICT_JSON_MAX}, *l = &line;

	put(l, "{", 1);
	text(l, "type", "connection");
	number(l, "schema", 1);
	number(l, "id", (int64_t)v->id);
	line_end(l, "client", c);
	line_end(l, "server", s);
	truth(l, "client_known", v->client_known);
	line_encaps(l, v);
	begin(l, "frames", "{");
	number(l, "first", (int64_t)v->first_frame);
	number(l, "last", (int64_t)v->last_frame);
	number(l, "c2s", (int64_t)c->packets);
	number(l, "s2c", (int64_t)s->packets);
	end(l, "}");
	number(l, "start_ns", v->start_ns);
	number(l, "end_ns", v->end_ns);
	verdict_sentence(v, sentence, sizeof(sentence));
	text(l, "sentence", sentence);
	line_handshake(l, v);
	line_options(l, v);
	line_again(l, v);
	begin(l, "bytes", "{");
	line_bytes(l, "c2s", c);
	line_bytes(l, "s2c", s);
	end(l, "}");
	begin(l, "windows", "{");
	line_windows(l, "client", c);
	line_windows(l, "server", s);
	end(l, "}");
	line_close(l, v);
	begin(l, "anomalies", "[");
	for (int i = 0; i < v->nanomalies; i++)
		line_anomaly(l, &v->anomaly[i]);
	end(l, "]");
	begin(l, "zeek", "{");
	text(l, "conn_state", v->zeek_state);
	text(l, "history", v->zeek_history);
	end(l, "}");
	number(l, "completeness", v->completeness);
	verdict_community(v, community);
	text(l, "community_id", community);
	end(l, "}");
	return (size_t)(l->at - buf);
}

static void line_end(struct line *l, const char *name,
		     const struct verdict_side *s)
{
	char ip[IPADDR_TEXT_MAX];

	begin(l, name, "{");
	text(l, "ip", ipaddr_format(&s->addr, ip));
	number(l, "port", s->port);
	end(l, "}");
}

/* "vlan:7" */
static void line_encaps(struct line *l, const struct verdict *v)
{
	char digits[TEXT_NUMBER_MAX];

	if (!v->nencaps)
		return;
	begin(l, "encap", "[");
	for (int i = 0; i < v->nencaps; i++) {
		const char *name = encap_name(v->encap[i].kind);

		begin(l, NULL, "\"");
		put(l, name, strlen(name));
		put(l, ":", 1);
		put(l, digits, text_integer(v->encap[i].number, digits));
		end(l, "\"");
	}
	end(l, "]");
}

static void line_handshake(struct line *l, const struct verdict *v)
{
	static const char *const tfo_names[] = {"none", "requested", "accepted",
						"ignored", "partly"};

	begin(l, "handshake", "{");
	text(l, "outcome", judged_name(v->outcome));
	text(l, "stage", reached_name(v->stage));
	text(l, "confidence", v->inferred ? "inferred" : "seen");
	truth(l, "simultaneous", v->simultaneous);
	truth(l, "split", v->split);
	truth(l, "cookie_like", v->cookie_like);
	text(l, "tfo", tfo_names[v->tfo]);
	begin(l, "steps", "[");
	line_step(l, "SYN", &v->syn, false);
	line_step(l, "SYN-ACK", &v->synack, true);
	line_step(l, "ACK", &v->ack, true);
	end(l, "]");
	if (v->syn_synack_ns >= 0)
		number(l, "syn_to_synack_ns", v->syn_synack_ns);
	/* Not of a SYN that came again behind its answer. */
	if (v->last_syn_synack_ns >= 0)
		number(l, "last_syn_to_synack_ns", v->last_syn_synack_ns);
	if (v->synack_ack_ns >= 0)
		number(l, "synack_to_ack_ns", v->synack_ack_ns);
	if (v->total_ns >= 0)
		number(l, "total_ns", v->total_ns);
	if (v->icmp) {
		begin(l, "icmp", "{");
		number(l, "family", v->icmp6 ? 6 : 4);
		number(l, "type", v->icmp_type);
		number(l, "code", v->icmp_code);
		end(l, "}");
	}
	end(l, "}");
}

static void line_step(struct line *l, const char *name,
		      const struct verdict_step *s, bool has_ack)
{
	if (!s->frame)
		return;
	begin(l, NULL, "{");
	text(l, "step", name);
	number(l, "frame", (int64_t)s->frame);
	number(l, "ns", s->ns);
	number(l, "seq", s->seq);
	if (has_ack)
		number(l, "ack", s->ack);
	number(l, "tries", s->tries);
	end(l, "}");
}

static void line_options(struct line *l, const struct verdict *v)
{
	const struct verdict_side *c = &v->side[CLIENT], *s = &v->side[SERVER];
	uint8_t both = c->opts & s->opts;

	begin(l, "options", "{");
	line_offered(l, "client", c);
	line_offered(l, "server", s);
	begin(l, "in_use", "{");
	truth(l, "wscale", both & POPT_WSCALE);
	truth(l, "sack", both & POPT_SACK_OK);
	truth(l, "ts", both & POPT_TS);
	truth(l, "ecn", c->ecn && s->ecn);
	end(l, "}");
	end(l, "}");
}

static void line_offered(struct line *l, const char *name,
			 const struct verdict_side *s)
{
	begin(l, name, "{");
	if (s->opts & POPT_MSS)
		number(l, "mss", s->mss);
	if (s->opts & POPT_WSCALE)
		number(l, "wscale", s->wscale);
	truth(l, "sack", s->opts & POPT_SACK_OK);
	truth(l, "ts", s->opts & POPT_TS);
	truth(l, "ecn", s->ecn);
	end(l, "}");
}

static void line_again(struct line *l, const struct verdict *v)
{
	begin(l, "retransmissions", "{");
	number(l, "syn", v->syn.tries > 1 ? v->syn.tries - 1 : 0);
	number(l, "synack", v->synack.tries > 1 ? v->synack.tries - 1 : 0);
	line_came_again(l, "c2s", &v->side[CLIENT]);
	line_came_again(l, "s2c", &v->side[SERVER]);
	end(l, "}");
}

static void line_came_again(struct line *l, const char *name,
			    const struct verdict_side *s)
{
	begin(l, name, "{");
	number(l, "seen_before", s->seen_before);
	number(l, "filled_hole", s->filled_hole);
	number(l, "needless", s->needless);
	number(l, "late", s->late);
	end(l, "}");
}

static void line_bytes(struct line *l, const char *name,
		       const struct verdict_side *s)
{
	begin(l, name, "{");
	number(l, "captured", (int64_t)s->captured);
	number(l, "by_seq", (int64_t)s->by_seq);
	end(l, "}");
}

static void line_windows(struct line *l, const char *name,
			 const struct verdict_side *s)
{
	begin(l, name, "{");
	if (s->window_known) {
		number(l, "min", s->window_min);
		number(l, "max", s->window_max);
	}
	number(l, "closed", s->zero_windows);
	end(l, "}");
}

static void line_close(struct line *l, const struct verdict *v)
{
	begin(l, "close", "{");
	text(l, "type", ending_name(v->ending));
	if (v->fin_seen)
		text(l, "first", side_name(v->first_fin));
	if (v->ending_frame)
		number(l, "frame", (int64_t)v->ending_frame);
	if (v->ending == ENDING_RST_CLIENT || v->ending == ENDING_RST_SERVER)
		truth(l, "plausible", v->rst_plausible);
	end(l, "}");
}

static void line_anomaly(struct line *l, const struct anomaly *a)
{
	begin(l, NULL, "{");
	text(l, "kind", anomaly_name(a->kind));
	text(l, "severity", severity_name(anomaly_severity(a->kind)));
	text(l, "by", side_name(a->side));
	number(l, "count", a->count);
	number(l, "frame", (int64_t)a->frame);
	text(l, "text", anomaly_meaning(a->kind));
	if (a->expected || a->got) {
		begin(l, "evidence", "{");
		number(l, "expected", a->expected);
		number(l, "got", a->got);
		end(l, "}");
	}
	end(l, "}");
}

static const char *side_name(unsigned int side)
{
	return side == CLIENT ? "client" : "server";
}
