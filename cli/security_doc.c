/*
 * security_doc.c - Findings: what was seen, its numbers, its meaning, what to do
 *
 * Those of the daemon's alerts have its own words (alert_words.c); the others
 * come from what a whole period shows and a single moment does not. As there,
 * innocent causes come before what to do.
 */
#include "security.h"

#include <stdlib.h>
#include <string.h>

#define SOURCES_SHOWN 100

/* What all sources show together, and how much of it each does. */
enum finding_kind {
	FOUND_CLOSED_PORTS,
	FOUND_TURNED_AWAY,
	FOUND_UNANSWERED,
	FOUND_HALF_OPEN_SCAN,
	FOUND_STRAY_SEGMENTS,
	FOUND_BARE_SYNS,
	FOUND_GUESSABLE_ISN,
	FOUND_NKINDS
};

static const struct {
	const char *code, *title, *severity;
	const char *what; /* is counted */
	const char *meaning, *innocent, *action;
} found[FOUND_NKINDS] = {
	[FOUND_CLOSED_PORTS] =
		{"closed_ports", "Closed ports", "info", "attempts",
		 "SYNs came for ports at which nobody listens, and a RST "
		 "answered them. A few are mistakes; many ports of one source "
		 "are a search.",
		 "an old configuration of a client; a service that moved; a "
		 "monitoring system",
		 "Compare PORTS of each source with tcphsctl listener list, "
		 "and ask whose the source is."},
	[FOUND_TURNED_AWAY] =
		{"turned_away", "Turned away", "notice", "attempts",
		 "An allow-list or a limit kept them out; their SYNs got no "
		 "handshake.",
		 "a client that moved to another address; limits lower than "
		 "what the service needs",
		 "tcphsctl recent outcome = rejected says by which; allow = "
		 "and [limits] in tcphsd.conf(5) change that."},
	[FOUND_UNANSWERED] =
		{"unanswered", "Handshakes nobody finished", "notice",
		 "attempts",
		 "Our SYN-ACK was sent several times and nothing came back: "
		 "the source of the SYN is forged, or wants nothing but our "
		 "memory.",
		 "a path that loses our answers; a firewall that lets only "
		 "one direction pass",
		 "Few are harmless. For many see the SYN flood alert; "
		 "timers.synack_retries says how long each is kept."},
	[FOUND_HALF_OPEN_SCAN] =
		{"half_open_scan", "Half-open scan", "notice", "attempts",
		 "The SYN-ACK was answered with a RST: whoever sent the SYN "
		 "only wanted to know whether the port is open (nmap -sS), or "
		 "never sent it and somebody forged the address.",
		 "a load balancer that checks health this way; a client that "
		 "gave up at once",
		 "Ask whose the source is; allow = of a listener says whom it "
		 "answers."},
	[FOUND_STRAY_SEGMENTS] =
		{"stray_segments", "Segments of no connection", "info",
		 "segments",
		 "Not SYNs, and of no connection that exists: a scan with "
		 "odd flags, or answers to packets that somebody sent in our "
		 "name (backscatter).",
		 "a restart of the daemon while connections were open; late "
		 "packets of closed ones",
		 "After a restart wait until clients have noticed; else "
		 "tcphsctl dump shows the flags."},
	[FOUND_BARE_SYNS] =
		{"bare_syns", "SYNs without options", "notice", "attempts",
		 "Every operating system offers at least its MSS (RFC 9293, "
		 "3.7.1); packets made by hand, as those of scanners and "
		 "flooders, often offer nothing.",
		 "very small devices; a middlebox that strips options",
		 "Look at the other columns of the same source."},
	[FOUND_GUESSABLE_ISN] =
		{"guessable_isn", "Guessable sequence numbers", "notice",
		 "sources",
		 "Their initial sequence numbers stay the same or rise in "
		 "small steps: who knows one can guess the next and speak for "
		 "them, or end their connections (RFC 6528).",
		 "a scanner that needs no good ones; many clients behind one "
		 "address",
		 "Tell the owners of these hosts, unless they are scanners."},
};

static json_t *alert_json(const struct security_alerts *a, enum alert_kind k);
static void count_all(const struct security *s, uint64_t n[FOUND_NKINDS],
		      uint64_t sources[FOUND_NKINDS]);
static uint64_t count_of(const struct security_source *src,
			 enum finding_kind k);
static json_t *found_json(enum finding_kind k, uint64_t n, uint64_t sources);
static json_t *cookies_json(const struct security *s);
static json_t *limits_json(const struct security *s);
static json_t *sources_json(const struct security *s);
static json_t *source_json(const struct security_source *src);
static int worst_first(const void *a, const void *b);

json_t *security_json(const struct security *s)
{
	uint64_t n[FOUND_NKINDS] = {0}, sources[FOUND_NKINDS] = {0};
	json_t *findings = json_array(), *limits = limits_json(s);

	for (int k = 0; k < ALERT_NKINDS; k++)
		if (s->alert[k].n)
			json_array_append_new(
				findings,
				alert_json(&s->alert[k], (enum alert_kind)k));
	count_all(s, n, sources);
	for (int k = 0; k < FOUND_NKINDS; k++)
		if (n[k])
			json_array_append_new(findings,
					      found_json((enum finding_kind)k,
							 n[k], sources[k]));
	if (s->cookies_sent || s->cookies_rejected)
		json_array_append_new(findings, cookies_json(s));
	if (limits)
		json_array_append_new(findings, limits);
	return json_pack("{s:o, s:o, s:I, s:I}", "findings", findings,
			 "sources", sources_json(s), "sources_total",
			 (json_int_t)s->nsources, "uncounted",
			 (json_int_t)s->uncounted);
}

static void put(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

static void put_number(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static json_t *finding(const char *code, const char *title,
		       const char *severity, uint64_t count, json_t *numbers)
{
	json_t *o = json_object();

	put(o, "code", code);
	put(o, "title", title);
	put(o, "severity", severity);
	put_number(o, "count", count);
	json_object_set_new(o, "numbers", numbers);
	return o;
}

static void put_advice(json_t *o, const char *meaning, const char *innocent,
		       const char *action)
{
	put(o, "meaning", meaning);
	put(o, "innocent", innocent);
	put(o, "action", action);
}

/* Of each number the highest. */
static json_t *alert_json(const struct security_alerts *a, enum alert_kind k)
{
	json_t *numbers = json_object(), *from = json_array(), *o;
	const char *name;

	for (unsigned int i = 0; (name = alert_number_name(k, i)); i++)
		json_object_set_new(numbers, name, json_integer(a->most[i]));
	for (unsigned int i = 0; i < a->nfrom; i++)
		json_array_append_new(from, json_string(a->from[i]));
	o = finding(alert_name(k), alert_title(k), alert_severity(k), a->n,
		    numbers);
	json_object_set_new(o, "active", json_boolean(a->open));
	if (a->nfrom)
		json_object_set(o, "from", from);
	json_decref(from);
	put(o, "first", a->first);
	put(o, "last", a->last);
	put(o, "message", a->message);
	put_advice(o, alert_meaning(k), alert_innocent(k), alert_action(k));
	return o;
}

static void count_all(const struct security *s, uint64_t n[FOUND_NKINDS],
		      uint64_t sources[FOUND_NKINDS])
{
	for (uint32_t i = 0; i < s->size; i++) {
		if (!*s->source[i].addr)
			continue;
		for (int k = 0; k < FOUND_NKINDS; k++) {
			uint64_t some =
				count_of(&s->source[i], (enum finding_kind)k);

			n[k] += some;
			sources[k] += some > 0;
		}
	}
}

static uint64_t count_of(const struct security_source *src, enum finding_kind k)
{
	const char *isn;

	switch (k) {
	case FOUND_CLOSED_PORTS:
		return src->n[SECURITY_REFUSED];
	case FOUND_TURNED_AWAY:
		return src->n[SECURITY_REJECTED];
	case FOUND_UNANSWERED:
		return src->n[SECURITY_UNANSWERED];
	case FOUND_HALF_OPEN_SCAN:
		return src->n[SECURITY_RESET];
	case FOUND_STRAY_SEGMENTS:
		return src->strays;
	case FOUND_BARE_SYNS:
		return src->bare;
	case FOUND_GUESSABLE_ISN:
		isn = security_isn(src);
		return isn && strcmp(isn, "random") != 0;
	case FOUND_NKINDS:
		break;
	}
	return 0;
}

static json_t *found_json(enum finding_kind k, uint64_t n, uint64_t sources)
{
	json_t *numbers = json_object(), *o;

	put_number(numbers, found[k].what, n);
	put_number(numbers, "sources", sources);
	o = finding(found[k].code, found[k].title, found[k].severity, n,
		    numbers);
	put_advice(o, found[k].meaning, found[k].innocent, found[k].action);
	return o;
}

static json_t *cookies_json(const struct security *s)
{
	json_t *numbers = json_object(), *o;

	put_number(numbers, "sent", s->cookies_sent);
	put_number(numbers, "accepted", s->cookies_accepted);
	put_number(numbers, "rejected", s->cookies_rejected);
	o = finding("cookies", "SYN cookies", "notice",
		    s->cookies_sent + s->cookies_rejected, numbers);
	put_advice(o,
		   "Handshakes were answered without keeping anything (RFC "
		   "4987): there were more at once than places for them. "
		   "Rejected are ACKs that brought no cookie of ours: too "
		   "late, or guessed.",
		   "tcp.cookies = always; a burst of real clients",
		   "If no flood is told of, raise limits.max_half_open or the "
		   "listener's backlog.");
	return o;
}

static json_t *limits_json(const struct security *s)
{
	uint64_t n = 0;
	const char *key;
	json_t *v, *o;

	json_object_foreach(s->limits, key, v)
	{
		n += (uint64_t)json_integer_value(v);
	}
	if (!n)
		return NULL;
	o = finding("limits", "Limits reached", "warning", n,
		    json_copy(s->limits));
	put_advice(o,
		   "Work was refused because a limit of [limits] was reached; "
		   "each counts once a second at most.",
		   "more clients than the limits were made for",
		   "tcphsctl status shows what is in use; raise the limit, or "
		   "find who uses it up: tcphsctl list.");
	return o;
}

/* Those with most failures; the others are a number. */
static json_t *sources_json(const struct security *s)
{
	const struct security_source **all =
		calloc(s->nsources + 1, sizeof(*all));
	json_t *rows = json_array();
	size_t n = 0;

	if (!all)
		abort();
	for (uint32_t i = 0; i < s->size; i++)
		if (*s->source[i].addr)
			all[n++] = &s->source[i];
	if (n)
		qsort(all, n, sizeof(*all), worst_first);
	for (size_t i = 0; i < n && i < SOURCES_SHOWN; i++)
		json_array_append_new(rows, source_json(all[i]));
	free(all);
	return rows;
}

static uint64_t failures(const struct security_source *src)
{
	uint64_t n = src->strays;

	for (int c = SECURITY_COMPLETED + 1; c < SECURITY_NCLASSES; c++)
		n += src->n[c];
	return n;
}

static json_t *source_json(const struct security_source *src)
{
	static const char *const names[SECURITY_NCLASSES] = {
		[SECURITY_COMPLETED] = "completed",
		[SECURITY_REFUSED] = "refused",
		[SECURITY_REJECTED] = "rejected",
		[SECURITY_UNANSWERED] = "unanswered",
		[SECURITY_RESET] = "reset",
		[SECURITY_OTHER] = "other",
	};
	const char *isn = security_isn(src);
	json_t *o = json_object();

	put(o, "source", src->addr);
	for (int c = 0; c < SECURITY_NCLASSES; c++)
		put_number(o, names[c], src->n[c]);
	put_number(o, "strays", src->strays);
	put_number(o, "ports", src->nports);
	put(o, "isn", isn ? isn : "");
	put(o, "options", src->options);
	put(o, "first", src->first);
	put(o, "last", src->last);
	return o;
}

static int worst_first(const void *a, const void *b)
{
	const struct security_source *const *x = a, *const *y = b;
	uint64_t fx = failures(*x), fy = failures(*y);

	if (fx != fy)
		return fx < fy ? 1 : -1;
	if ((*x)->n[SECURITY_COMPLETED] != (*y)->n[SECURITY_COMPLETED])
		return (*x)->n[SECURITY_COMPLETED] < (*y)->n[SECURITY_COMPLETED]
			       ? 1
			       : -1;
	return strcmp((*x)->addr, (*y)->addr);
}
