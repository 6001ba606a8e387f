/*
 * filter.c - Compiles a filter and runs it over connections
 *
 * A recursive descent parser emits a program for a machine with one register,
 * true or false. A test sets it, NOT turns it over, and two jumps skip the
 * right side of `and` and `or` when the left side has decided:
 *
 *	a and (b or not c)          test a
 *	                            skip to end if false
 *	                            test b
 *	                            skip to end if true
 *	                            test c
 *	                            not
 *
 * So a run needs no stack and touches only the tests that matter. Both the
 * nesting and the program are bounded: a filter comes from a stranger.
 *
 *	expr = both { "or" both }
 *	both = one { ["and"] one }
 *	one  = { "not" } ( "(" expr ")" | test )
 */
#include <tcphs/filter.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/alert.h>
#include <tcphs/nearest.h>

#include "core/assert.h"
#include "filter_priv.h"

#define STEPS_MAX  256
#define FIELDS_MAX 24

struct parser {
	const struct filter_words *words;
	const char *text;
	size_t next; /* offset behind @token */
	struct token token;
	unsigned int depth;
	struct filter_error *err;
	unsigned int n;
	struct step step[STEPS_MAX];
};

static bool fail(struct parser *p, const struct token *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static bool hint(struct parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static bool parse_expr(struct parser *p);

/* ---- running ----------------------------------------------------------- */

/* Half-open and TIME-WAIT records have no RTT, age and so on. */
static bool is_full(const struct conn_info *info)
{
	return !info->half_open && info->age_us >= 0;
}

bool filter_compare(enum compare op, int64_t a, int64_t b)
{
	switch (op) {
	case COMPARE_EQ:
		return a == b;
	case COMPARE_NE:
		return a != b;
	case COMPARE_LT:
		return a < b;
	case COMPARE_GT:
		return a > b;
	case COMPARE_LE:
		return a <= b;
	case COMPARE_GE:
		return a >= b;
	}
	return false;
}

bool filter_same(const struct step *s, bool equal)
{
	return equal == (s->compare == COMPARE_EQ);
}

/* A time that the connection does not have compares with nothing. */
bool filter_time_matches(const struct step *s, int64_t us)
{
	return us >= 0 && filter_compare(s->compare, us, s->number);
}

static bool end_has(const struct endpoint *e, const struct ip_addr *addr,
		    uint16_t port)
{
	return (e->port < 0 || e->port == port) &&
	       (!e->prefix.len || ip_prefix_has(&e->prefix, addr));
}

static bool either_end_matches(const struct step *s, const struct ip_addr *src,
			       uint16_t sport, const struct ip_addr *dst,
			       uint16_t dport)
{
	if (s->kind == STEP_HOST)
		return filter_same(s, end_has(&s->end, src, sport) ||
					      end_has(&s->end, dst, dport));
	if (s->compare == COMPARE_NE)
		return sport != s->number && dport != s->number;
	return filter_compare(s->compare, sport, s->number) ||
	       filter_compare(s->compare, dport, s->number);
}

bool filter_ends_match(const struct step *s, const struct ip_addr *src,
		       uint16_t sport, const struct ip_addr *dst,
		       uint16_t dport)
{
	switch (s->kind) {
	case STEP_LOCAL:
		return filter_same(s, end_has(&s->end, src, sport));
	case STEP_PEER:
		return filter_same(s, end_has(&s->end, dst, dport));
	case STEP_LOCAL_PORT:
		return filter_compare(s->compare, sport, s->number);
	case STEP_PEER_PORT:
		return filter_compare(s->compare, dport, s->number);
	default:
		return either_end_matches(s, src, sport, dst, dport);
	}
}

bool filter_state_matches(const struct step *s, enum tcp_state state)
{
	return (s->states >> state & 1) == (s->kind == STEP_STATE);
}

struct subject {
	const struct conn_info *info;
	const char *listener;
	enum outcome outcome;
	uint32_t alerts;
};

static bool test(const struct step *s, const void *of)
{
	const struct subject *subject = of;
	const struct conn_info *info = subject->info;
	const char *listener = subject->listener;

	switch (s->kind) {
	case STEP_STATE:
	case STEP_EXCLUDE:
		return filter_state_matches(s, info->state);
	case STEP_LOCAL:
	case STEP_PEER:
	case STEP_LOCAL_PORT:
	case STEP_PEER_PORT:
	case STEP_HOST:
	case STEP_PORT:
		return filter_ends_match(s, &info->local, info->local_port,
					 &info->peer, info->peer_port);
	case STEP_LISTENER:
		return filter_same(s,
				   listener && strcmp(listener, s->name) == 0);
	case STEP_ROLE:
		return filter_same(s, info->role == s->number);
	case STEP_ID:
		return filter_same(s, info->id == s->number);
	case STEP_AGE:
		return filter_time_matches(s, info->age_us);
	case STEP_IDLE:
		return filter_time_matches(s, info->idle_us);
	case STEP_RTT:
		return is_full(info) && info->srtt_us &&
		       filter_time_matches(s, info->srtt_us);
	case STEP_HANDSHAKE:
		return filter_time_matches(s, info->handshake_us);
	case STEP_RETRANS:
		return filter_compare(s->compare, info->retrans, s->number);
	case STEP_OUTCOME:
		return filter_same(s, s->outcomes >> subject->outcome & 1);
	case STEP_ALERT:
		return s->any ? subject->alerts != 0
			      : filter_same(s,
					    subject->alerts >> s->number & 1);
	case STEP_BYTES:
		return filter_compare(
			s->compare, (int64_t)(info->bytes_in + info->bytes_out),
			s->number);
	}
	return false;
}

/**
 * filter_match() - Run a filter over a connection that lives
 * @listener: Name of its listener, NULL if none
 * @alerts:   Those that concern it: bits 1 << enum alert_kind
 *
 * Return: does it match?
 */
bool filter_match(const struct filter *f, const struct conn_info *info,
		  const char *listener, uint32_t alerts)
{
	bool open =
		info->state == TCP_SYN_SENT || info->state == TCP_SYN_RECEIVED;

	return filter_match_ended(f, info, listener,
				  open ? ATTEMPT_OPEN : ATTEMPT_COMPLETED,
				  alerts);
}

/** filter_match_ended() - The same for one whose outcome is known */
bool filter_match_ended(const struct filter *f, const struct conn_info *info,
			const char *listener, enum outcome outcome,
			uint32_t alerts)
{
	const struct subject subject = {info, listener, outcome, alerts};

	return filter_run(f, test, &subject);
}

bool filter_run(const struct filter *f, filter_test_fn *tests, const void *of)
{
	bool yes = true;

	for (unsigned int i = 0; i < f->n; i++) {
		const struct step *s = &f->step[i];

		switch (s->kind) {
		case STEP_NOT:
			yes = !yes;
			break;
		case STEP_SKIP_IF_FALSE:
		case STEP_SKIP_IF_TRUE:
			if (yes == (s->kind == STEP_SKIP_IF_TRUE))
				i = s->to - 1;
			break;
		default:
			yes = tests(s, of);
		}
	}
	return yes;
}

/** filter_is_empty() - Does it match everything because it says nothing? */
bool filter_is_empty(const struct filter *f)
{
	return !f->n;
}

/** filter_fits_packets() - Can it be answered for a packet alone? */
bool filter_fits_packets(const struct filter *f)
{
	for (unsigned int i = 0; i < f->n; i++) {
		if (f->step[i].kind >= STEP_AGE &&
		    f->step[i].kind <= STEP_SEVERITY)
			return false;
	}
	return true;
}

/** filter_asks_alerts() - Does it matter which alerts concern a connection? */
bool filter_asks_alerts(const struct filter *f)
{
	for (unsigned int i = 0; i < f->n; i++) {
		if (f->step[i].kind == STEP_ALERT)
			return true;
	}
	return false;
}

/* ---- errors ------------------------------------------------------------ */

static bool fail(struct parser *p, const struct token *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err->message, sizeof(p->err->message), fmt, ap);
	va_end(ap);
	p->err->at = t->at;
	return false;
}

static bool hint(struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->err->hint, sizeof(p->err->hint), fmt, ap);
	va_end(ap);
	return false;
}

static bool fail_expected(struct parser *p, const char *what, const char *after,
			  const char *example)
{
	char word[40];

	if (p->token.kind == TOKEN_END)
		fail(p, &p->token, "%s is missing after '%s'", what, after);
	else
		fail(p, &p->token, "'%s' is not %s",
		     filter_word_quote(&p->token, word), what);
	return hint(p, "for example: %s", example);
}

/* ---- parsing ----------------------------------------------------------- */

static void advance(struct parser *p)
{
	p->token = filter_lex(p->text, &p->next);
}

static struct step *emit(struct parser *p, enum step_kind kind)
{
	struct step *s;

	if (p->n == STEPS_MAX) {
		fail(p, &p->token, "the filter is too long");
		hint(p, "at most about %d conditions", STEPS_MAX / 2);
		return NULL;
	}
	s = &p->step[p->n++];
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	return s;
}

static bool parse_states(struct parser *p, struct step *s, const char *field)
{
	uint32_t states;
	char word[40];

	for (;;) {
		if (!filter_word_states(&p->token, &states)) {
			const char *near = filter_word_nearest_state(&p->token);

			if (p->token.kind != TOKEN_WORD)
				return fail_expected(p, "a state", field,
						     "state established");
			fail(p, &p->token, "unknown state '%s'",
			     filter_word_quote(&p->token, word));
			return hint(p, near ? "did you mean '%s'?" : "%s",
				    near ? near
					 : "established, syn-received, "
					   "connected, bucket, big, all ...");
		}
		s->states |= states;
		advance(p);
		if (p->token.kind != TOKEN_COMMA)
			return true;
		advance(p);
	}
}

static bool parse_name(const struct token *t, struct step *s)
{
	if (t->kind != TOKEN_WORD || t->len >= sizeof(s->name))
		return false;
	memcpy(s->name, t->text, t->len);
	return true;
}

static bool parse_role(const struct token *t, struct step *s)
{
	s->number = filter_word_is(t, "client") ? ROLE_CLIENT : ROLE_SERVER;
	return s->number == ROLE_CLIENT || filter_word_is(t, "server");
}

bool filter_value_end(const struct token *t, struct step *s)
{
	return filter_word_endpoint(t, &s->end);
}

bool filter_value_port(const struct token *t, struct step *s)
{
	return filter_word_port(t, &s->number);
}

bool filter_value_id(const struct token *t, struct step *s)
{
	return filter_word_id(t, &s->number);
}

bool filter_value_duration(const struct token *t, struct step *s)
{
	return filter_word_duration(t, &s->number);
}

bool filter_value_count(const struct token *t, struct step *s)
{
	return filter_word_count(t, &s->number);
}

static bool parse_outcome(const struct token *t, struct step *s)
{
	return filter_word_outcomes(t, &s->outcomes);
}

static bool parse_alert(const struct token *t, struct step *s)
{
	for (s->number = 0; s->number < ALERT_NKINDS; s->number++) {
		if (filter_word_is(t, alert_name((enum alert_kind)s->number)))
			return true;
	}
	return false;
}

bool filter_value_size(const struct token *t, struct step *s)
{
	return filter_word_size(t, &s->number);
}

/* State and exclude are lists and have no value parser. */
static const struct filter_field fields[] = {
	{"state", STEP_STATE, STYLE_SS, NULL, NULL, NULL},
	{"exclude", STEP_EXCLUDE, STYLE_SS, NULL, NULL, NULL},
	{"src", STEP_LOCAL, STYLE_SS, filter_value_end, "an address or prefix",
	 "src 198.18.66.2:80"},
	{"dst", STEP_PEER, STYLE_SS, filter_value_end, "an address or prefix",
	 "dst 198.18.66.0/24"},
	{"sport", STEP_LOCAL_PORT, STYLE_ORDERED_SS, filter_value_port,
	 "a port number", "sport = :80"},
	{"dport", STEP_PEER_PORT, STYLE_ORDERED_SS, filter_value_port,
	 "a port number", "dport >= 1024"},
	{"host", STEP_HOST, STYLE_SS, filter_value_end, "an address or prefix",
	 "host 198.18.66.1"},
	{"port", STEP_PORT, STYLE_ORDERED_SS, filter_value_port,
	 "a port number", "port 80"},
	{"listener", STEP_LISTENER, STYLE_NAME, parse_name,
	 "the name of a listener", "listener = echo"},
	{"role", STEP_ROLE, STYLE_NAME, parse_role, "'server' or 'client'",
	 "role = server"},
	{"id", STEP_ID, STYLE_NAME, filter_value_id, "the id of a connection",
	 "id = c42"},
	{"age", STEP_AGE, STYLE_ORDERED, filter_value_duration, "a duration",
	 "age > 10s"},
	{"idle", STEP_IDLE, STYLE_ORDERED, filter_value_duration, "a duration",
	 "idle > 5m"},
	{"rtt", STEP_RTT, STYLE_ORDERED, filter_value_duration, "a duration",
	 "rtt > 1.5ms"},
	{"hs", STEP_HANDSHAKE, STYLE_ORDERED, filter_value_duration,
	 "a duration", "hs >= 500ms"},
	{"retrans", STEP_RETRANS, STYLE_ORDERED, filter_value_count, "a number",
	 "retrans > 0"},
	{"outcome", STEP_OUTCOME, STYLE_NAME, parse_outcome, "an outcome",
	 "outcome = refused"},
	{"alert", STEP_ALERT, STYLE_MAYBE, parse_alert, "a kind of alert",
	 "alert = port_scan"},
	{"bytes", STEP_BYTES, STYLE_ORDERED, filter_value_size,
	 "a number of bytes", "bytes > 10MiB"},
};

static const struct filter_words of_connections = {
	fields,
	ARRAY_LEN(fields),
	"state established and dport = 80",
};

static bool fail_field(struct parser *p)
{
	const char *names[FIELDS_MAX + 1], *near;
	const struct filter_words *w = p->words;
	char word[40];
	uint32_t states;

	filter_word_quote(&p->token, word);
	if (p->token.kind == TOKEN_END)
		return fail(p, &p->token, "the filter ends too early");
	if (p->token.kind != TOKEN_WORD)
		return fail(p, &p->token, "unexpected '%s'", word);
	fail(p, &p->token, "unknown word '%s'", word);
	if (filter_word_states(&p->token, &states))
		return hint(p, "did you mean 'state %s'?", word);
	ASSERT(w->n <= FIELDS_MAX);
	for (size_t i = 0; i < w->n; i++)
		names[i] = w->field[i].word;
	names[w->n] = "not";
	near = nearest(word, names, w->n + 1);
	if (near)
		return hint(p, "did you mean '%s'?", near);
	return hint(p, "a filter looks like: %s", w->example);
}

static bool parse_compare(struct parser *p, const struct filter_field *f,
			  struct step *s)
{
	enum compare op = COMPARE_EQ;
	bool ordered =
		f->style == STYLE_ORDERED || f->style == STYLE_ORDERED_SS;

	if (!filter_word_compare(&p->token, &op)) {
		if (f->style == STYLE_SS || f->style == STYLE_ORDERED_SS)
			return true;
		return fail_expected(p, "a comparison", f->word, f->example);
	}
	if (!ordered && op != COMPARE_EQ && op != COMPARE_NE) {
		fail(p, &p->token, "'%s' is compared with = and != only",
		     f->word);
		return hint(p, "for example: %s", f->example);
	}
	s->compare = op;
	advance(p);
	return true;
}

static bool parse_test(struct parser *p)
{
	const struct filter_field *f = NULL;
	enum compare op;
	struct step *s;

	for (size_t i = 0; i < p->words->n && !f; i++) {
		if (filter_word_is(&p->token, p->words->field[i].word))
			f = &p->words->field[i];
	}
	if (!f)
		return fail_field(p);
	s = emit(p, f->kind);
	if (!s)
		return false;
	advance(p);
	if (!f->value)
		return parse_states(p, s, f->word);
	if (f->style == STYLE_MAYBE && !filter_word_compare(&p->token, &op)) {
		s->any = true;
		return true;
	}
	if (!parse_compare(p, f, s))
		return false;
	if (!f->value(&p->token, s))
		return fail_expected(p, f->what, f->word, f->example);
	advance(p);
	return true;
}

static bool parse_group(struct parser *p)
{
	struct token open = p->token;

	if (++p->depth > FILTER_DEPTH_MAX)
		return fail(p, &open, "more than %d parentheses inside another",
			    FILTER_DEPTH_MAX);
	advance(p);
	if (!parse_expr(p))
		return false;
	if (p->token.kind != TOKEN_CLOSE) {
		fail(p, &p->token, "')' is missing");
		return hint(p, "'(' is at %zu", open.at);
	}
	p->depth--;
	advance(p);
	return true;
}

static bool is_not(const struct token *t)
{
	return t->kind == TOKEN_NOT || filter_word_is(t, "not");
}

static bool is_or(const struct token *t)
{
	return t->kind == TOKEN_OR || filter_word_is(t, "or");
}

static bool parse_one(struct parser *p)
{
	bool negate = false;

	for (; is_not(&p->token); advance(p))
		negate = !negate;
	if (p->token.kind == TOKEN_OPEN) {
		if (!parse_group(p))
			return false;
	} else if (!parse_test(p)) {
		return false;
	}
	return !negate || emit(p, STEP_NOT);
}

/* The right side of `and` or `or`: @parse it behind a skip. */
static bool parse_right(struct parser *p, enum step_kind skip,
			bool (*parse)(struct parser *p))
{
	unsigned int at = p->n;

	if (!emit(p, skip) || !parse(p))
		return false;
	p->step[at].to = p->n;
	return true;
}

static bool parse_both(struct parser *p)
{
	if (!parse_one(p))
		return false;
	for (;;) {
		const struct token *t = &p->token;

		if (t->kind == TOKEN_AND || filter_word_is(t, "and"))
			advance(p);
		else if (is_or(t) ||
			 (t->kind != TOKEN_WORD && t->kind != TOKEN_NOT &&
			  t->kind != TOKEN_OPEN))
			return true;
		if (!parse_right(p, STEP_SKIP_IF_FALSE, parse_one))
			return false;
	}
}

static bool parse_expr(struct parser *p)
{
	if (!parse_both(p))
		return false;
	while (is_or(&p->token)) {
		advance(p);
		if (!parse_right(p, STEP_SKIP_IF_TRUE, parse_both))
			return false;
	}
	return true;
}

static bool parse(struct parser *p)
{
	char word[40];

	if (strnlen(p->text, FILTER_TEXT_MAX + 1) > FILTER_TEXT_MAX) {
		p->token.at = FILTER_TEXT_MAX;
		return fail(p, &p->token, "the filter is longer than %d bytes",
			    FILTER_TEXT_MAX);
	}
	advance(p);
	if (p->token.kind == TOKEN_END)
		return true;
	if (!parse_expr(p))
		return false;
	if (p->token.kind == TOKEN_END)
		return true;
	return fail(p, &p->token, "unexpected '%s'",
		    filter_word_quote(&p->token, word));
}

/**
 * filter_parse() - Compile a filter
 * @text: Zero-terminated
 * @err:  On failure says what is wrong, where, and what may have been meant
 *
 * Return: to be freed with filter_free(); NULL with @err filled
 */
struct filter *filter_parse(const char *text, struct filter_error *err)
{
	return filter_compile(text, &of_connections, err);
}

struct filter *filter_compile(const char *text,
			      const struct filter_words *words,
			      struct filter_error *err)
{
	struct parser p = {.words = words, .text = text, .err = err};
	struct filter *f;
	size_t len;

	*err = (struct filter_error){.at = 0};
	if (!parse(&p))
		return NULL;
	len = p.n * sizeof(p.step[0]);
	f = malloc(sizeof(*f) + len);
	if (!f) {
		fail(&p, &p.token, "out of memory");
		return NULL;
	}
	f->n = p.n;
	memcpy(f->step, p.step, len);
	return f;
}

/** filter_free() - NULL is fine */
void filter_free(struct filter *f)
{
	free(f);
}
