/*
 * filter_word.c - What a word of a filter stands for
 *
 * States by any of their names, durations, sizes, ports, ends of a connection.
 * Each function takes the whole word or refuses it; none guesses.
 */
#include "filter_priv.h"

#include <string.h>

#include <tcphs/ipaddr.h>
#include <tcphs/nearest.h>

#define BIT(state)    (1u << TCP_##state)
#define ALL	      ((1u << TCP_NSTATES) - 1)
#define CONNECTED     (ALL & ~(BIT(LISTEN) | BIT(CLOSED)))
#define BUCKET	      (BIT(SYN_RECEIVED) | BIT(TIME_WAIT))
#define VALUE_MAX     (INT64_MAX / 4)
#define ENDPOINT_TEXT 64

/* The RFC's names, in lower case, then what ss prints and takes, then ours.
 * Underscores are taken for hyphens. */
static const struct {
	const char *name;
	uint32_t states;
} state_names[] = {
	{"closed", BIT(CLOSED)},
	{"listen", BIT(LISTEN)},
	{"syn-sent", BIT(SYN_SENT)},
	{"syn-received", BIT(SYN_RECEIVED)},
	{"established", BIT(ESTABLISHED)},
	{"fin-wait-1", BIT(FIN_WAIT_1)},
	{"fin-wait-2", BIT(FIN_WAIT_2)},
	{"close-wait", BIT(CLOSE_WAIT)},
	{"closing", BIT(CLOSING)},
	{"last-ack", BIT(LAST_ACK)},
	{"time-wait", BIT(TIME_WAIT)},
	{"all", ALL},
	{"connected", CONNECTED},
	{"synchronized", CONNECTED & ~BIT(SYN_SENT)},
	{"bucket", BUCKET},
	{"big", ALL & ~BUCKET},
	{"unconn", BIT(CLOSED)},
	{"listening", BIT(LISTEN)},
	{"syn-recv", BIT(SYN_RECEIVED)},
	{"syn-rcvd", BIT(SYN_RECEIVED)},
	{"estab", BIT(ESTABLISHED)},
	{"fin-wait1", BIT(FIN_WAIT_1)},
	{"fin-wait2", BIT(FIN_WAIT_2)},
};

bool filter_word_is(const struct token *t, const char *word)
{
	return t->kind == TOKEN_WORD && strlen(word) == t->len &&
	       strncasecmp(t->text, word, t->len) == 0;
}

const char *filter_word_quote(const struct token *t, char buf[40])
{
	size_t n = t->len < 32 ? t->len : 32;

	for (size_t i = 0; i < n; i++) {
		char c = t->text[i];

		buf[i] = c;
		if (c < ' ' || c > '~')
			buf[i] = '?';
	}
	buf[n] = '\0';
	if (n < t->len)
		memcpy(buf + n, "...", 4);
	return buf;
}

bool filter_word_compare(const struct token *t, enum compare *op)
{
	static const struct {
		const char *word;
		enum compare op;
	} words[] = {
		{"eq", COMPARE_EQ},  {"ne", COMPARE_NE}, {"neq", COMPARE_NE},
		{"lt", COMPARE_LT},  {"gt", COMPARE_GT}, {"le", COMPARE_LE},
		{"leq", COMPARE_LE}, {"ge", COMPARE_GE}, {"geq", COMPARE_GE},
	};

	if (t->kind == TOKEN_COMPARE) {
		*op = t->compare;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (filter_word_is(t, words[i].word)) {
			*op = words[i].op;
			return true;
		}
	}
	return false;
}

/* ---- states ------------------------------------------------------------ */

static char hyphen(char c)
{
	return c == '_' ? '-' : c;
}

static bool spelled(const struct token *t, const char *name)
{
	if (strlen(name) != t->len)
		return false;
	for (size_t i = 0; i < t->len; i++) {
		char a = hyphen(t->text[i]), b = hyphen(name[i]);

		if (strncasecmp(&a, &b, 1) != 0)
			return false;
	}
	return true;
}

bool filter_word_states(const struct token *t, uint32_t *states)
{
	if (t->kind != TOKEN_WORD)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(state_names); i++) {
		if (spelled(t, state_names[i].name)) {
			*states = state_names[i].states;
			return true;
		}
	}
	return false;
}

const char *filter_word_nearest_state(const struct token *t)
{
	const char *names[ARRAY_LEN(state_names)];
	char buf[40];

	for (size_t i = 0; i < ARRAY_LEN(state_names); i++)
		names[i] = state_names[i].name;
	return nearest(filter_word_quote(t, buf), names, ARRAY_LEN(names));
}

/* ---- outcomes ---------------------------------------------------------- */

#define OUTCOME(name) (1u << ATTEMPT_##name)
#define COMPLETED                                         \
	(OUTCOME(COMPLETED) | OUTCOME(COMPLETED_COOKIE) | \
	 OUTCOME(COMPLETED_SIMULTANEOUS))
#define UNDECIDED (OUTCOME(OPEN) | OUTCOME(MIDSTREAM))

bool filter_word_outcomes(const struct token *t, uint32_t *outcomes)
{
	if (t->kind != TOKEN_WORD)
		return false;
	if (spelled(t, "completed")) {
		*outcomes = COMPLETED;
		return true;
	}
	if (spelled(t, "failed")) {
		*outcomes = ~(COMPLETED | UNDECIDED);
		return true;
	}
	for (int o = 0; o < ATTEMPT_NOUTCOMES; o++) {
		if (spelled(t, outcome_name((enum outcome)o))) {
			*outcomes = 1u << o;
			return true;
		}
	}
	return false;
}

/* ---- numbers ----------------------------------------------------------- */

/* Digits from @i on; moves @i behind them. False if there are none or they
 * say more than VALUE_MAX. */
static bool digits(const struct token *t, size_t *i, int64_t *n)
{
	size_t first = *i;

	for (*n = 0; *i < t->len; (*i)++) {
		char c = t->text[*i];

		if (c < '0' || c > '9')
			break;
		if (*n > (VALUE_MAX - 9) / 10)
			return false;
		*n = *n * 10 + (c - '0');
	}
	return *i > first;
}

static bool rest_is(const struct token *t, size_t i, const char *unit)
{
	return strlen(unit) == t->len - i &&
	       strncasecmp(t->text + i, unit, t->len - i) == 0;
}

bool filter_word_count(const struct token *t, int64_t *n)
{
	size_t i = 0;

	return t->kind == TOKEN_WORD && digits(t, &i, n) && i == t->len;
}

bool filter_word_port(const struct token *t, int64_t *port)
{
	size_t i = t->len && t->text[0] == ':';

	return t->kind == TOKEN_WORD && digits(t, &i, port) && i == t->len &&
	       *port <= UINT16_MAX;
}

bool filter_word_id(const struct token *t, int64_t *id)
{
	size_t i = t->len && (t->text[0] == 'c' || t->text[0] == 'C');

	return t->kind == TOKEN_WORD && digits(t, &i, id) && i == t->len &&
	       *id <= UINT32_MAX;
}

bool filter_word_size(const struct token *t, int64_t *bytes)
{
	static const struct {
		const char *unit;
		int shift;
	} units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
	size_t i = 0;

	if (t->kind != TOKEN_WORD || !digits(t, &i, bytes))
		return false;
	for (size_t u = 0; u < ARRAY_LEN(units); u++) {
		if (!rest_is(t, i, units[u].unit))
			continue;
		if (*bytes > VALUE_MAX >> units[u].shift)
			return false;
		*bytes <<= units[u].shift;
		return true;
	}
	return false;
}

/* A fraction is read down to the microsecond; 0 needs no unit. */
bool filter_word_duration(const struct token *t, int64_t *us)
{
	static const struct {
		const char *unit;
		int64_t us;
	} units[] = {{"us", 1},
		     {"ms", 1000},
		     {"s", 1000000},
		     {"m", 60000000},
		     {"h", 3600000000}};
	int64_t whole, fraction = 0, scale = 1;
	size_t i = 0;

	if (t->kind != TOKEN_WORD || !digits(t, &i, &whole))
		return false;
	if (i < t->len && t->text[i] == '.') {
		size_t dot = i++;

		if (!digits(t, &i, &fraction) || i - dot > 7)
			return false;
		for (size_t k = dot + 1; k < i; k++)
			scale *= 10;
	}
	if (i == t->len && whole == 0 && fraction == 0) {
		*us = 0;
		return true;
	}
	for (size_t u = 0; u < ARRAY_LEN(units); u++) {
		if (!rest_is(t, i, units[u].unit))
			continue;
		if (whole >= VALUE_MAX / units[u].us)
			return false;
		*us = whole * units[u].us + fraction * units[u].us / scale;
		return true;
	}
	return false;
}

/* ---- ends -------------------------------------------------------------- */

/* The address without its brackets: "[fd74::1]/64" and "[fd74::1/64]" alike */
static bool unbracket(char *text)
{
	char *close = strchr(text, ']');

	if (text[0] != '[')
		return !strpbrk(text, "[]");
	if (!close)
		return false;
	memmove(close, close + 1, strlen(close + 1) + 1);
	memmove(text, text + 1, strlen(text + 1) + 1);
	return *text && !strpbrk(text, "[]");
}

bool filter_word_endpoint(const struct token *t, struct endpoint *e)
{
	const char *close = memchr(t->text, ']', t->len);
	const char *colon = memrchr(t->text, ':', t->len);
	char text[ENDPOINT_TEXT];
	size_t len = t->len;

	*e = (struct endpoint){.port = -1};
	/* IPv6 without brackets has more than one colon, and no port. */
	if (colon && colon > close &&
	    (close || colon == memchr(t->text, ':', t->len))) {
		struct token port = *t;
		int64_t n;

		len = (size_t)(colon - t->text);
		port.text = colon;
		port.len = t->len - len;
		if (!filter_word_port(&port, &n))
			return false;
		e->port = (int32_t)n;
	}
	if (t->kind != TOKEN_WORD || len >= sizeof(text))
		return false;
	memcpy(text, t->text, len);
	text[len] = '\0';
	if (!len || strcmp(text, "*") == 0)
		return t->len > 0; /* ":80", "*:80", "*" */
	return unbracket(text) && ipprefix_parse(text, &e->prefix);
}
