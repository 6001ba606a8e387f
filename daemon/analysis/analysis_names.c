/*
 * analysis_names.c - The words of the lists in analysis.h
 */
#include <tcphs/analysis.h>
#include <tcphs/plural.h>

#include <stdarg.h>
#include <stdio.h>

#include "core/assert.h"

struct words {
	char *buf;
	size_t len, n;
};

static void say(struct words *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say_opening(struct words *w, const struct verdict *v);
static void say_ending(struct words *w, const struct verdict *v);
static void say_tries(struct words *w, uint32_t tries, const char *what);
static void say_time(struct words *w, int64_t ns);

#define NAMES(fn, LIST, ROW)                                    \
	const char *fn(unsigned int i)                          \
	{                                                       \
		static const char *const names[] = {LIST(ROW)}; \
		ASSERT(i < sizeof(names) / sizeof(*names));     \
		return names[i];                                \
	}

#define WORD_3(name, word, meaning)			 word,
#define MEANING_3(name, word, meaning)			 meaning,
#define WORD_2(name, word)				 word,
#define WORD_5(name, word, severity, clause, meaning)	 word,
#define CLAUSE_5(name, word, severity, clause, meaning)	 clause,
#define MEANING_5(name, word, severity, clause, meaning) meaning,

NAMES(judged_name, JUDGED_LIST, WORD_3)
NAMES(judged_meaning, JUDGED_LIST, MEANING_3)
NAMES(reached_name, REACHED_LIST, WORD_3)
NAMES(ending_name, ENDING_LIST, WORD_3)
NAMES(ending_meaning, ENDING_LIST, MEANING_3)
NAMES(anomaly_name, ANOMALY_LIST, WORD_5)
NAMES(anomaly_clause, ANOMALY_LIST, CLAUSE_5)
NAMES(anomaly_meaning, ANOMALY_LIST, MEANING_5)
NAMES(finding_name, FINDING_LIST, WORD_3)
NAMES(finding_meaning, FINDING_LIST, MEANING_3)
NAMES(encap_name, ENCAP_LIST, WORD_2)
NAMES(fault_words, FAULT_LIST, WORD_2)

enum severity anomaly_severity(unsigned int kind)
{
	static const uint8_t severities[] = {
#define SEVERITY_5(name, word, severity, clause, meaning) SEVERITY_##severity,
		ANOMALY_LIST(SEVERITY_5)
#undef SEVERITY_5
	};

	ASSERT(kind < ANOMALY_NKINDS);
	return (enum severity)severities[kind];
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {"info", "notice", "warning"};

	return names[severity];
}

int verdict_sentence(const struct verdict *v, char *buf, size_t len)
{
	struct words w = {.buf = buf, .len = len};

	if (len)
		*buf = '\0';
	say_opening(&w, v);
	say_ending(&w, v);
	return (int)w.n;
}

static void say_opening(struct words *w, const struct verdict *v)
{
	switch (v->outcome) {
	case JUDGED_COMPLETED:
		say(w, "Handshake completed");
		if (v->total_ns >= 0)
			say_time(w, v->total_ns);
		say_tries(w, v->syn.tries, "SYN");
		say_tries(w, v->synack.tries, "SYN-ACK");
		break;
	case JUDGED_REFUSED:
		say(w, "Refused by the server's RST");
		say_tries(w, v->syn.tries, "SYN");
		break;
	case JUDGED_TIMEOUT:
		say(w, "No answer to %u SYN%s", v->syn.tries,
		    plural(v->syn.tries));
		if (v->icmp)
			say(w, ", but an ICMP%s error (type %u, code %u)",
			    v->icmp6 ? "v6" : "", v->icmp_type, v->icmp_code);
		break;
	case JUDGED_RESET_MID:
		say(w, "Reset before the handshake was complete");
		break;
	case JUDGED_HALF_OPEN:
		say(w, "The SYN-ACK was never acknowledged");
		say_tries(w, v->synack.tries, "SYN-ACK");
		break;
	case JUDGED_MIDSTREAM:
		say(w, "Opened before the capture began");
		break;
	case JUDGED_SYN_MISSING:
		say(w, "The SYN was not captured");
		break;
	case JUDGED_SYNACK_MISSING:
		say(w, "The server's side was not captured");
		break;
	}
	if (v->simultaneous)
		say(w, ", both sides called");
	if (v->split)
		say(w, ", in four steps");
	if (v->inferred)
		say(w, " (inferred)");
}

static void say_ending(struct words *w, const struct verdict *v)
{
	switch (v->ending) {
	case ENDING_NONE:
		say(w, ".");
		break;
	case ENDING_OPEN:
		say(w, "; still open at the end.");
		break;
	case ENDING_FIN_BOTH:
		say(w, "; closed by both, %s first.",
		    v->first_fin == CLIENT ? "the client" : "the server");
		break;
	case ENDING_HALF_CLIENT:
	case ENDING_HALF_SERVER:
		say(w, "; closed by %s alone.",
		    v->ending == ENDING_HALF_CLIENT ? "the client"
						    : "the server");
		break;
	case ENDING_RST_CLIENT:
	case ENDING_RST_SERVER:
		say(w, "; reset by %s%s.",
		    v->ending == ENDING_RST_CLIENT ? "the client"
						   : "the server",
		    v->rst_plausible ? "" : ", if the RST was its own");
		break;
	}
}

static void say_tries(struct words *w, uint32_t tries, const char *what)
{
	if (tries > 1)
		say(w, ", %u %ss", tries, what);
}

static void say_time(struct words *w, int64_t ns)
{
	if (ns < 1000000)
		say(w, " in %.1f us", (double)ns / 1e3);
	else if (ns < 1000000000)
		say(w, " in %.3f ms", (double)ns / 1e6);
	else
		say(w, " in %.3f s", (double)ns / 1e9);
}

static void say(struct words *w, const char *fmt, ...)
{
	size_t room = w->n < w->len ? w->len - w->n : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? w->buf + w->n : NULL, room, fmt, ap);
	va_end(ap);
	w->n += n > 0 ? (size_t)n : 0;
}
