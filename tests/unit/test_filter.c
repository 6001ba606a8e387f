/*
 * test_filter.c - Which connections a filter takes, and what errors point at
 */
#include <tcphs/filter.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/alert.h>
#include <tcphs/ipaddr.h>
#include <tcphs/nearest.h>

#include "core/assert.h"
#include "unit.h"

/* Five connections, called by letter. */
struct conn {
	char letter;
	const char *local, *peer, *listener;
	struct conn_info info;
	uint32_t alerts;
};

static struct conn conns[] = {
	{'a',
	 "198.18.66.2",
	 "198.18.66.1",
	 "web",
	 {.id = 41,
	  .state = TCP_ESTABLISHED,
	  .role = ROLE_SERVER,
	  .local_port = 80,
	  .peer_port = 50112,
	  .age_us = 12400000,
	  .idle_us = 1000000,
	  .handshake_us = 210,
	  .bytes_in = 1000,
	  .bytes_out = 2000,
	  .srtt_us = 180},
	 0},
	{'b',
	 "198.18.66.2",
	 "198.18.67.9",
	 "echo",
	 {.id = 42,
	  .state = TCP_SYN_RECEIVED,
	  .role = ROLE_SERVER,
	  .local_port = 7,
	  .peer_port = 50118,
	  .half_open = true,
	  .srtt_us = 1, /* undefined in a half-open record */
	  .age_us = 1900000,
	  .idle_us = 1900000,
	  .handshake_us = -1,
	  .retrans = 2},
	 1u << ALERT_PORT_SCAN},
	{'c',
	 "fd74::2",
	 "fd74::1",
	 "web",
	 {.id = 43,
	  .state = TCP_TIME_WAIT,
	  .role = ROLE_SERVER,
	  .local_port = 80,
	  .peer_port = 50090,
	  .age_us = -1,
	  .idle_us = -1,
	  .handshake_us = -1},
	 0},
	{'d',
	 "198.18.66.2",
	 "198.18.66.1",
	 NULL,
	 {.id = 44,
	  .state = TCP_SYN_SENT,
	  .role = ROLE_CLIENT,
	  .local_port = 40000,
	  .peer_port = 5000,
	  .age_us = 500000,
	  .idle_us = -1,
	  .handshake_us = -1,
	  .retrans = 1},
	 0},
	{'e',
	 "fd74::2",
	 "fd74::9",
	 "chargen",
	 {.id = 4000000000,
	  .state = TCP_CLOSE_WAIT,
	  .role = ROLE_SERVER,
	  .local_port = 19,
	  .peer_port = 1024,
	  .age_us = 7200000000,
	  .idle_us = 60000000,
	  .handshake_us = 1500,
	  .retrans = 9,
	  .bytes_in = 5,
	  .bytes_out = 3 << 20,
	  .srtt_us = 20000},
	 1u << ALERT_PORT_SCAN | 1u << ALERT_TTL},
};

static void conns_init(void)
{
	for (size_t i = 0; i < ARRAY_LEN(conns); i++) {
		struct conn *c = &conns[i];

		if (!ipaddr_parse(c->local, &c->info.local) ||
		    !ipaddr_parse(c->peer, &c->info.peer))
			abort();
	}
}

static void expect(const char *text, const char *letters)
{
	struct filter_error err;
	struct filter *f = filter_parse(text, &err);
	char got[ARRAY_LEN(conns) + 1];
	size_t n = 0;

	if (!f) {
		fprintf(stderr, "'%s': %s at %zu\n", text, err.message, err.at);
		CU_FAIL("a good filter was refused");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(conns); i++) {
		if (filter_match(f, &conns[i].info, conns[i].listener,
				 conns[i].alerts))
			got[n++] = conns[i].letter;
	}
	got[n] = '\0';
	if (strcmp(got, letters) != 0)
		fprintf(stderr, "'%s': took %s, not %s\n", text, got, letters);
	CU_ASSERT_STRING_EQUAL(got, letters);
	filter_free(f);
}

static void refuse(const char *text, size_t at, const char *message,
		   const char *says)
{
	struct filter_error err;
	struct filter *f = filter_parse(text, &err);

	CU_ASSERT_PTR_NULL(f);
	if (f) {
		fprintf(stderr, "'%s': taken\n", text);
		filter_free(f);
		return;
	}
	if (err.at != at || strcmp(err.message, message) != 0 ||
	    strcmp(err.hint, says) != 0)
		fprintf(stderr, "'%s': at %zu: %s: %s\n", text, err.at,
			err.message, err.hint);
	CU_ASSERT_EQUAL(err.at, at);
	CU_ASSERT_STRING_EQUAL(err.message, message);
	CU_ASSERT_STRING_EQUAL(err.hint, says);
}

/* ---- what is taken ----------------------------------------------------- */

static void empty_filter_takes_everything(void)
{
	struct filter_error err;
	struct filter *f = filter_parse(" \t\r\n", &err);

	expect("", "abcde");
	expect("  ", "abcde");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(filter_is_empty(f));
	filter_free(f);
	f = filter_parse("state all", &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT(!filter_is_empty(f));
	filter_free(f);
}

/* What is about a connection's life cannot be said of one packet. */
static void fits_packets(void)
{
	static const struct {
		const char *text;
		bool fits;
	} rows[] = {
		{"", true},
		{"state established and (src 198.18.66.2:80 or not dport = 7)",
		 true},
		{"listener = web role = client id = c1 exclude listen", true},
		{"sport = 7 and age > 1s", false},
		{"idle > 1s", false},
		{"rtt > 1ms", false},
		{"not hs > 1ms", false},
		{"retrans > 0", false},
		{"bytes > 1", false},
		{"outcome = open", false},
	};
	struct filter_error err;
	struct filter *f;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		f = filter_parse(rows[i].text, &err);
		CU_ASSERT_PTR_NOT_NULL_FATAL(f);
		CU_ASSERT_EQUAL(filter_fits_packets(f), rows[i].fits);
		filter_free(f);
	}
}

static void states_by_every_name(void)
{
	expect("state established", "a");
	expect("state ESTAB", "a");
	expect("state syn-received", "b");
	expect("state SYN-RECV", "b");
	expect("state syn_rcvd", "b");
	expect("STATE Time-Wait", "c");
	expect("state syn-sent,close-wait", "de");
	expect("state estab , time-wait ,\tclose-wait", "ace");
	expect("state fin-wait-1,fin-wait-2,closing,last-ack,listen,closed",
	       "");
	expect("state fin-wait1,fin-wait2,listening,unconn", "");
}

static void state_groups_of_ss(void)
{
	expect("state all", "abcde");
	expect("state connected", "abcde");
	expect("state synchronized", "abce");
	expect("state bucket", "bc");
	expect("state big", "ade");
	expect("exclude bucket", "ade");
	expect("exclude established,syn-sent", "bce");
	expect("state connected exclude time-wait", "abde");
}

static void ends_by_address_prefix_and_port(void)
{
	expect("src 198.18.66.2", "abd");
	expect("dst 198.18.66.1", "ad");
	expect("dst = 198.18.66.1", "ad");
	expect("dst != 198.18.66.1", "bce");
	expect("dst 198.18.66.0/24", "ad");
	expect("dst 198.18.66.77/23", "abd");
	expect("dst 0.0.0.0/0", "abd");
	expect("dst ::/0", "abcde");
	expect("dst fd74::/16", "ce");
	expect("dst fd74::1", "c");
	expect("dst [fd74::1]", "c");
	expect("dst [fd74::1]:50090", "c");
	expect("dst [fd74::]/64:1024", "e");
	expect("dst [fd74::/64]:1024", "e");
	expect("dst [fd74::1]:1", "");
	expect("src 198.18.66.2:80", "a");
	expect("src 198.18.0.0/16:7", "b");
	expect("src :80", "ac");
	expect("src *:80", "ac");
	expect("src *", "abcde");
	expect("src != :80", "bde");
	expect("dst ::ffff:198.18.66.1", "ad");
}

static void ports_by_every_comparison(void)
{
	expect("sport = 80", "ac");
	expect("sport = :80", "ac");
	expect("sport :80", "ac");
	expect("sport 80", "ac");
	expect("sport == 80", "ac");
	expect("sport eq 80", "ac");
	expect("sport != 80", "bde");
	expect("sport ne :80", "bde");
	expect("sport neq :80", "bde");
	expect("sport < 80", "be");
	expect("sport lt 80", "be");
	expect("sport <= 80", "abce");
	expect("sport le 80", "abce");
	expect("sport leq 80", "abce");
	expect("dport > 50090", "ab");
	expect("dport gt 50090", "ab");
	expect("dport >= 50090", "abc");
	expect("dport ge 50090", "abc");
	expect("dport geq 50090", "abc");
	expect("sport=80", "ac");
	expect("dport>=65535", "");
	expect("dport>=0", "abcde");
}

static void names_roles_and_ids(void)
{
	expect("listener = web", "ac");
	expect("listener != web", "bde");
	expect("listener eq echo", "b");
	expect("listener = and", "");
	expect("role = client", "d");
	expect("role = SERVER", "abce");
	expect("role != client", "abce");
	expect("id = c42", "b");
	expect("id = 42", "b");
	expect("id != C42", "acde");
	expect("id = c4000000000", "e");
}

/* One that lives is not decided until it is established. */
static void outcomes_of_those_that_live(void)
{
	expect("outcome = open", "bd");
	expect("outcome = completed", "ace");
	expect("outcome != completed", "bd");
	expect("outcome = completed_cookie", "");
	expect("outcome = failed", "");
	refuse("outcome = ", 10, "an outcome is missing after 'outcome'",
	       "for example: outcome = refused");
	refuse("outcome = denied", 10, "'denied' is not an outcome",
	       "for example: outcome = refused");
	refuse("outcome > open", 8, "'outcome' is compared with = and != only",
	       "for example: outcome = refused");
}

static bool takes(const char *text, enum outcome o)
{
	struct filter_error err;
	struct filter *f = filter_parse(text, &err);
	bool yes;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	yes = filter_match_ended(f, &conns[0].info, "web", o, 0);
	filter_free(f);
	return yes;
}

static void outcomes_of_those_that_ended(void)
{
	CU_ASSERT(takes("outcome = refused", ATTEMPT_REFUSED));
	CU_ASSERT(takes("outcome = TIMEOUT-syn", ATTEMPT_TIMEOUT_SYN));
	CU_ASSERT(!takes("outcome = timeout_syn", ATTEMPT_TIMEOUT_ACK));
	CU_ASSERT(takes("outcome = completed", ATTEMPT_COMPLETED_COOKIE));
	CU_ASSERT(!takes("outcome = completed_cookie", ATTEMPT_COMPLETED));
	CU_ASSERT(takes("outcome = completed", ATTEMPT_COMPLETED_SIMULTANEOUS));
	for (int o = 0; o < ATTEMPT_NOUTCOMES; o++)
		CU_ASSERT_EQUAL(
			takes("outcome = failed", (enum outcome)o),
			o != ATTEMPT_OPEN && o != ATTEMPT_MIDSTREAM &&
				!takes("outcome = completed", (enum outcome)o));
}

static void times_and_amounts(void)
{
	expect("age > 10s", "ae");
	expect("age > 12.3s", "ae");
	expect("age > 12.5s", "e");
	expect("age < 1s", "d");
	expect("age >= 2h", "e");
	expect("age > 120m", "");
	expect("idle = 1000ms", "a");
	expect("idle >= 1m", "e");
	expect("rtt > 0.1ms", "ae");
	expect("rtt >= 20ms", "e");
	expect("rtt < 181us", "a");
	expect("hs <= 0.21ms", "a");
	expect("hs > 0", "ae");
	expect("retrans > 0", "bde");
	expect("retrans = 2", "b");
	expect("bytes >= 3000", "ae");
	expect("bytes > 3MiB", "e");
	expect("bytes < 3kib", "abcd");
	expect("bytes > 1GiB", "");
}

/* What a connection does not have compares with nothing, not even by !=. */
static void unknown_times_match_nothing(void)
{
	expect("age >= 0", "abde");
	expect("age != 5s", "abde");
	expect("idle >= 0", "abe");
	expect("hs != 1s", "ae");
	expect("rtt != 1s", "ae");
	expect("rtt < 1h", "ae");
	expect("not rtt < 1h", "bcd");
}

static void and_binds_tighter_than_or(void)
{
	expect("state established or state bucket and role = client", "a");
	expect("role = client and state bucket or state established", "a");
	expect("(state established or state syn-sent) role = client", "d");
	expect("state established or state syn-sent role = client", "ad");
	expect("not state established and role = server", "bce");
	expect("not (state established and role = server)", "bcde");
	expect("not state established role = server or id = 41", "abce");
}

static void every_spelling_of_the_operators(void)
{
	expect("role = server && sport = 80", "ac");
	expect("role = server & sport = 80", "ac");
	expect("role = server AND sport = 80", "ac");
	expect("role = server sport = 80", "ac");
	expect("id=41||id=44", "ad");
	expect("id=41|id=44", "ad");
	expect("id=41 OR id=44", "ad");
	expect("!id=41", "bcde");
	expect("! !id=41", "a");
	expect("not not not id=41", "bcde");
	expect("((id=41))", "a");
	expect("id=41 or id=42 or id=43 or id=44", "abcd");
	expect("state all state all exclude bucket !id=41", "de");
}

/* ---- what is refused --------------------------------------------------- */

static void errors_point_at_the_word(void)
{
	refuse("state estblished", 6, "unknown state 'estblished'",
	       "did you mean 'established'?");
	refuse("state established, xyzzy", 19, "unknown state 'xyzzy'",
	       "established, syn-received, connected, bucket, big, all ...");
	refuse("state", 5, "a state is missing after 'state'",
	       "for example: state established");
	refuse("state ( x", 6, "'(' is not a state",
	       "for example: state established");
	refuse("established", 0, "unknown word 'established'",
	       "did you mean 'state established'?");
	refuse("sprot = 80", 0, "unknown word 'sprot'",
	       "did you mean 'sport'?");
	refuse("id = 1 and frobnicate", 11, "unknown word 'frobnicate'",
	       "a filter looks like: state established and dport = 80");
	refuse("sport = http", 8, "'http' is not a port number",
	       "for example: sport = :80");
	refuse("sport = 70000", 8, "'70000' is not a port number",
	       "for example: sport = :80");
	refuse("dport >", 7, "a port number is missing after 'dport'",
	       "for example: dport >= 1024");
	refuse("src > 198.18.66.2", 4, "'src' is compared with = and != only",
	       "for example: src 198.18.66.2:80");
	refuse("src 198.18.66.300", 4,
	       "'198.18.66.300' is not an address or prefix",
	       "for example: src 198.18.66.2:80");
	refuse("age > 10", 6, "'10' is not a duration",
	       "for example: age > 10s");
	refuse("age 10s", 4, "'10s' is not a comparison",
	       "for example: age > 10s");
	refuse("listener web", 9, "'web' is not a comparison",
	       "for example: listener = echo");
}

static void syntax_errors(void)
{
	refuse("and id = 1", 0, "unknown word 'and'",
	       "a filter looks like: state established and dport = 80");
	refuse("id = 1 or", 9, "the filter ends too early", "");
	refuse("id = 1 and", 10, "the filter ends too early", "");
	refuse("not", 3, "the filter ends too early", "");
	refuse("(id = 1", 7, "')' is missing", "'(' is at 0");
	refuse("id = 1)", 6, "unexpected ')'", "");
	refuse("()", 1, "unexpected ')'", "");
	refuse("id = 1 , id = 2", 7, "unexpected ','", "");
	refuse("= 5", 0, "unexpected '='", "");
	refuse("id = 1 = 2", 7, "unexpected '='", "");
	refuse("state all,", 10, "a state is missing after 'state'",
	       "for example: state established");
}

static void bad_values(void)
{
	static const char *const bad[] = {
		"src 198.18.66.2:",
		"src 198.18.66.2/33",
		"src [fd74::1",
		"src fd74::1]",
		"src []",
		"src []:80",
		"src [fd74::1]:99999",
		"src fd74::1/129",
		"src a:b:c",
		"src ::x",
		"sport = 8o",
		"sport = -1",
		"sport = :",
		"id = c",
		"id = 4294967296",
		"id = cc1",
		"role = both",
		"age > 1.s",
		"age > .5s",
		"age > 1.12345678s",
		"age > 5d",
		"age > 99999999999999h",
		"age > 9999999999999999999s",
		"bytes > 1KB",
		"bytes > 1.5MiB",
		"bytes > 9999999999GiB",
		"retrans > 1k",
		"retrans > two",
		"src 198.18.66.2:80:80",
		"src "
		"0000000000000000000000000000000000000000000000000000000000000:"
		"80",
		"listener = 01234567890123456789012345678901",
	};
	struct filter_error err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct filter *f = filter_parse(bad[i], &err);

		if (f)
			fprintf(stderr, "'%s': taken\n", bad[i]);
		CU_ASSERT_PTR_NULL(f);
		CU_ASSERT(err.message[0]);
		CU_ASSERT(err.at <= strlen(bad[i]));
		filter_free(f);
	}
}

/* Bytes that no terminal and no JSON reader should get back as they are. */
static void alerts_that_concern_it(void)
{
	struct filter_error err;
	struct filter *f;

	expect("alert", "be");
	expect("not alert", "acd");
	expect("alert = port_scan", "be");
	expect("ALERT=TTL_JUMP", "e");
	expect("alert != ttl_jump", "abcd");
	expect("alert = syn_flood", "");
	expect("listener = echo alert or id = c41", "ab");
	refuse("alert = port_scn", 8, "'port_scn' is not a kind of alert",
	       "for example: alert = port_scan");
	refuse("alert > port_scan", 6, "'alert' is compared with = and != only",
	       "for example: alert = port_scan");
	refuse("id = c42 alert =", 16,
	       "a kind of alert is missing after 'alert'",
	       "for example: alert = port_scan");
	f = filter_parse("id = c42 or alert", &err);
	CU_ASSERT_TRUE(filter_asks_alerts(f));
	CU_ASSERT_FALSE(filter_fits_packets(f));
	filter_free(f);
	f = filter_parse("outcome = failed", &err);
	CU_ASSERT_FALSE(filter_asks_alerts(f));
	filter_free(f);
}

static void errors_are_printable(void)
{
	refuse("\xff\x01\x1b[2J", 0, "unknown word '???[2J'",
	       "a filter looks like: state established and dport = 80");
	refuse("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", 0,
	       "unknown word 'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz...'",
	       "a filter looks like: state established and dport = 80");
}

static void nesting_and_length_are_bounded(void)
{
	char text[FILTER_TEXT_MAX + 2];
	struct filter_error err;
	size_t n;

	for (n = 0; n < FILTER_DEPTH_MAX; n++)
		text[n] = '(';
	n += (size_t)sprintf(text + n, "id=41");
	for (size_t i = 0; i < FILTER_DEPTH_MAX; i++)
		text[n++] = ')';
	text[n] = '\0';
	expect(text, "a");

	memset(text, '(', FILTER_DEPTH_MAX + 1);
	text[FILTER_DEPTH_MAX + 1] = '\0';
	refuse(text, FILTER_DEPTH_MAX,
	       "more than 64 parentheses inside another", "");

	memset(text, ' ', sizeof(text));
	memcpy(text, "id=41", 5);
	text[FILTER_TEXT_MAX] = '\0';
	expect(text, "a");
	text[FILTER_TEXT_MAX] = ' ';
	text[FILTER_TEXT_MAX + 1] = '\0';
	refuse(text, FILTER_TEXT_MAX, "the filter is longer than 4096 bytes",
	       "");

	for (n = 0; n + 6 < FILTER_TEXT_MAX; n += 5)
		memcpy(text + n, "id=1 ", 5);
	text[n] = '\0';
	CU_ASSERT_PTR_NULL(filter_parse(text, &err));
	CU_ASSERT_STRING_EQUAL(err.message, "the filter is too long");

	memset(text, '!', FILTER_TEXT_MAX);
	memcpy(text + FILTER_TEXT_MAX - 5, "id=41", 6);
	expect(text, "bcde");
}

/* ---- random filters ---------------------------------------------------- */

/*
 * A random tree is printed with random spellings and parentheses, parsed, and
 * must decide like the tree itself about random connections.
 */
struct tree {
	enum { LEAF, NOT, AND, OR } kind;
	unsigned int leaf;
	struct tree *a, *b;
};

static unsigned int dice(unsigned int n)
{
	return (unsigned int)random() % n;
}

static const char *const leaf_text[] = {
	"state established",  "exclude bucket", "sport = :80",	"dport > 30000",
	"role = client",      "listener = web", "retrans >= 2", "bytes < 1KiB",
	"src 198.18.66.0/24", "age > 1s",	"idle != 2s",	"id = c7",
};

static bool leaf_value(unsigned int leaf, const struct conn_info *i,
		       const char *listener)
{
	switch (leaf) {
	case 0:
		return i->state == TCP_ESTABLISHED;
	case 1:
		return i->state != TCP_SYN_RECEIVED &&
		       i->state != TCP_TIME_WAIT;
	case 2:
		return i->local_port == 80;
	case 3:
		return i->peer_port > 30000;
	case 4:
		return i->role == ROLE_CLIENT;
	case 5:
		return listener && strcmp(listener, "web") == 0;
	case 6:
		return i->retrans >= 2;
	case 7:
		return i->bytes_in + i->bytes_out < 1024;
	case 8:
		return i->local.b[12] == 198 && i->local.b[13] == 18 &&
		       i->local.b[14] == 66;
	case 9:
		return i->age_us >= 0 && i->age_us > 1000000;
	case 10:
		return i->idle_us >= 0 && i->idle_us != 2000000;
	default:
		return i->id == 7;
	}
}

static bool tree_value(const struct tree *t, const struct conn_info *i,
		       const char *listener)
{
	switch (t->kind) {
	case LEAF:
		return leaf_value(t->leaf, i, listener);
	case NOT:
		return !tree_value(t->a, i, listener);
	case AND:
		return tree_value(t->a, i, listener) &&
		       tree_value(t->b, i, listener);
	default:
		return tree_value(t->a, i, listener) ||
		       tree_value(t->b, i, listener);
	}
}

static struct tree *tree_make(struct tree *store, size_t *used, int depth)
{
	struct tree *t = &store[(*used)++];

	t->kind = depth ? dice(4) : LEAF;
	t->leaf = dice(ARRAY_LEN(leaf_text));
	if (t->kind != LEAF)
		t->a = tree_make(store, used, depth - 1);
	if (t->kind == AND || t->kind == OR)
		t->b = tree_make(store, used, depth - 1);
	return t;
}

static void put(char *text, const char *s)
{
	strcat(text, s);
}

/* @level: how tightly what stands around binds; 0 or, 1 and, 2 not. */
static void tree_print(const struct tree *t, char *text, int level)
{
	static const char *const ands[] = {" and ", " && ", " & ", " ", "&&"};
	static const char *const ors[] = {" or ", " || ", " | ", "||"};
	static const char *const nots[] = {"not ", "!", "! "};
	int own = t->kind == OR ? 0 : t->kind == AND ? 1 : 2;
	bool parens = own < level || !dice(5);

	put(text, parens ? "(" : "");
	switch (t->kind) {
	case LEAF:
		put(text, leaf_text[t->leaf]);
		break;
	case NOT:
		put(text, nots[dice(3)]);
		tree_print(t->a, text, 2);
		break;
	case AND:
		tree_print(t->a, text, 1);
		put(text, ands[dice(5)]);
		tree_print(t->b, text, 1);
		break;
	case OR:
		tree_print(t->a, text, 0);
		put(text, ors[dice(4)]);
		tree_print(t->b, text, 0);
		break;
	}
	put(text, parens ? ")" : "");
}

static struct conn_info random_conn(void)
{
	struct conn_info i = {
		.id = dice(9),
		.state = (uint8_t)dice(TCP_NSTATES),
		.role = (uint8_t)dice(2),
		.local_port = dice(2) ? 80 : 7,
		.peer_port = (uint16_t)dice(65536),
		.age_us = (int64_t)dice(3) * 1000000 - 1,
		.idle_us = dice(3) ? (int64_t)dice(4) * 1000000 : -1,
		.retrans = dice(4),
		.bytes_in = dice(1000),
		.bytes_out = dice(1000),
	};

	ipaddr_parse(dice(2) ? "198.18.66.2" : "fd74::2", &i.local);
	return i;
}

static void random_filters_decide_like_their_tree(void)
{
	static struct tree store[64];
	static char text[FILTER_TEXT_MAX * 2];
	struct filter_error err;

	srandom(9293);
	for (int round = 0; round < 5000; round++) {
		size_t used = 0;
		struct tree *t = tree_make(store, &used, 5);
		struct filter *f;

		text[0] = '\0';
		tree_print(t, text, 0);
		f = filter_parse(text, &err);
		if (!f) {
			fprintf(stderr, "'%s': %s at %zu\n", text, err.message,
				err.at);
			CU_FAIL_FATAL("a printed tree was refused");
			return;
		}
		for (int k = 0; k < 20; k++) {
			struct conn_info i = random_conn();
			const char *l = dice(2) ? "web" : NULL;

			if (filter_match(f, &i, l, 0) == tree_value(t, &i, l))
				continue;
			fprintf(stderr, "'%s' decides wrongly\n", text);
			CU_FAIL("filter and tree differ");
			break;
		}
		filter_free(f);
	}
}

/* ---- guesses ----------------------------------------------------------- */

static void nearest_guesses_at_typing_mistakes(void)
{
	static const char *const names[] = {"status", "stats", NULL, "list",
					    "listener"};
	const size_t n = ARRAY_LEN(names);

	CU_ASSERT_STRING_EQUAL(nearest("statsu", names, n), "status");
	CU_ASSERT_STRING_EQUAL(nearest("STATS", names, n), "stats");
	CU_ASSERT_STRING_EQUAL(nearest("lst", names, n), "list");
	CU_ASSERT_STRING_EQUAL(nearest("lisntener", names, n), "listener");
	CU_ASSERT_PTR_NULL(nearest("connect", names, n));
	CU_ASSERT_PTR_NULL(nearest("", names, n));
	CU_ASSERT_PTR_NULL(nearest("listlistlistlistlistlistlistlistlistlist"
				   "listlistlist",
				   names, n));
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(empty_filter_takes_everything),
		UNIT_TEST(fits_packets),
		UNIT_TEST(states_by_every_name),
		UNIT_TEST(state_groups_of_ss),
		UNIT_TEST(ends_by_address_prefix_and_port),
		UNIT_TEST(ports_by_every_comparison),
		UNIT_TEST(names_roles_and_ids),
		UNIT_TEST(outcomes_of_those_that_live),
		UNIT_TEST(outcomes_of_those_that_ended),
		UNIT_TEST(times_and_amounts),
		UNIT_TEST(unknown_times_match_nothing),
		UNIT_TEST(and_binds_tighter_than_or),
		UNIT_TEST(every_spelling_of_the_operators),
		UNIT_TEST(errors_point_at_the_word),
		UNIT_TEST(syntax_errors),
		UNIT_TEST(bad_values),
		UNIT_TEST(alerts_that_concern_it),
		UNIT_TEST(errors_are_printable),
		UNIT_TEST(nesting_and_length_are_bounded),
		UNIT_TEST(random_filters_decide_like_their_tree),
		UNIT_TEST(nearest_guesses_at_typing_mistakes),
	};

	conns_init();
	return unit_run("filter", tests, ARRAY_LEN(tests), argc, argv);
}
