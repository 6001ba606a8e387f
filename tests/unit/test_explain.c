/*
 * test_explain.c - Is everything explained, and as tcphs-explain(7) has it?
 */
#include <tcphs/explain.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/outcome.h>
#include <tcphs/stack.h>

#include "core/assert.h"
#include "unit.h"

#define MANUAL "daemon/tcphs-explain.7.scd"

/* Every reason for which a connection ends, whichever side we were; but a server
 * sends no SYN that could stay unanswered, and a client needs nobody's ACK. */
static void every_end(void)
{
	for (int r = CLOSE_NONE + 1; r < CLOSE_NREASONS; r++) {
		const char *name = close_name((enum close_reason)r);

		if (r != CLOSE_LIMIT)
			CU_ASSERT_PTR_NOT_NULL(explain_find(name, ROLE_CLIENT));
		if (r != CLOSE_TIMEOUT_SYN)
			CU_ASSERT_PTR_NOT_NULL(explain_find(name, ROLE_SERVER));
	}
}

static void every_outcome(void)
{
	for (int o = 0; o < ATTEMPT_NOUTCOMES; o++) {
		const char *name = outcome_name((enum outcome)o);

		CU_ASSERT(explain_find(name, ROLE_SERVER) ||
			  explain_find(name, ROLE_CLIENT));
	}
}

static void every_syn_turned_away(void)
{
	for (int r = DROP_NONE + 1; r < DROP_NREASONS; r++) {
		const char *name = drop_name((enum drop_reason)r);

		CU_ASSERT_EQUAL(explain_drop(name), (enum drop_reason)r);
		if (strncmp(name, "syn_", 4) == 0 && r != DROP_SYN_CHALLENGED)
			CU_ASSERT_PTR_NOT_NULL(explain_find(name, ROLE_SERVER));
	}
	CU_ASSERT_EQUAL(explain_drop("none"), DROP_NONE);
	CU_ASSERT_EQUAL(explain_drop("refused"), DROP_NONE);
}

/* One entry a code and role; nothing empty; a rule names its RFC; no place is
 * misspelt. */
static void entries(void)
{
	const struct explain_entry *e;
	char text[1024];

	for (e = explain_catalogue; e->code; e++) {
		for (int i = 0; i < EXPLAIN_NPARTS; i++) {
			size_t n = explain_compose(e, (enum explain_part)i,
						   NULL, text, sizeof(text));

			CU_ASSERT(n > 0 && n < sizeof(text));
			CU_ASSERT_PTR_NULL(strpbrk(text, "{}"));
			CU_ASSERT_EQUAL(text[strlen(text) - 1], '.');
		}
		CU_ASSERT_PTR_NOT_NULL(strstr(e->text[EXPLAIN_RULE], "RFC "));
		for (const struct explain_entry *f = explain_catalogue; f < e;
		     f++)
			CU_ASSERT(!(e->roles & f->roles) ||
				  strcmp(e->code, f->code) != 0);
	}
}

static void expect(const char *code, enum tcp_role role, enum explain_part part,
		   const struct explain_facts *facts, const char *want)
{
	const struct explain_entry *e = explain_find(code, role);
	char text[512];

	CU_ASSERT_PTR_NOT_NULL_FATAL(e);
	explain_compose(e, part, facts, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, want);
}

static void with_facts(void)
{
	const struct explain_facts facts = {
		.conn = "c57",
		.peer = "198.18.66.1:50301",
		.peer_addr = "198.18.66.1",
		.port = "8443",
		.listener = "web",
		.listeners = "80 web, 8090 demo",
		.after = "0.1 ms",
		.times = "3 times",
	};

	expect("refused", ROLE_SERVER, EXPLAIN_HAPPENED, &facts,
	       "The client's SYN reached us and was answered with RST,ACK "
	       "after 0.1 ms.");
	expect("refused", ROLE_SERVER, EXPLAIN_WHY, &facts,
	       "No listener takes port 8443 on this address (listeners: 80 "
	       "web, 8090 demo).");
	expect("syn_denied", ROLE_SERVER, EXPLAIN_NEXT, &facts,
	       "If it should be served, add 198.18.66.1 to allow of "
	       "listener.web in tcphsd.conf(5), and tcphsctl reload.");
	expect("completed", ROLE_SERVER, EXPLAIN_WHY, &facts,
	       "Listener web takes port 8443, and no limit and no allow-list "
	       "was in the way.");
	expect("timeout_ack", ROLE_SERVER, EXPLAIN_HAPPENED, &facts,
	       "The client's SYN was answered with a SYN-ACK 3 times, and no "
	       "ACK ever came; given up after 0.1 ms.");
	expect("refused", ROLE_SERVER, EXPLAIN_WHY, NULL,
	       "No listener takes that port on this address.");
}

/* A buffer that is too short gets what fits, as from snprintf(). */
static void cut(void)
{
	const struct explain_entry *e = explain_find("refused", ROLE_SERVER);
	char whole[512], text[40];
	size_t n;

	n = explain_compose(e, EXPLAIN_WHY, NULL, whole, sizeof(whole));
	CU_ASSERT_EQUAL(n, strlen(whole));
	for (size_t size = 0; size <= sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		CU_ASSERT_EQUAL(
			explain_compose(e, EXPLAIN_WHY, NULL, text, size), n);
		if (!size)
			continue;
		CU_ASSERT_EQUAL(strlen(text), size - 1);
		CU_ASSERT_EQUAL(strncmp(text, whole, size - 1), 0);
	}
}

/* ---- the manual -------------------------------------------------------- */

/* The whole page, each run of blanks and line feeds as one blank; to be freed.*/
static char *manual(void)
{
	FILE *f = fopen(MANUAL, "r");
	char *text = NULL;
	size_t size, n = 0;
	FILE *out;
	int c, was = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	out = open_memstream(&text, &size);
	while ((c = getc(f)) != EOF) {
		if (!isspace(c))
			putc(c, out);
		else if (was != ' ')
			putc(' ', out);
		was = isspace(c) ? ' ' : c;
		n++;
	}
	fclose(f);
	fclose(out);
	CU_ASSERT(n > 0);
	return text;
}

static void every_entry_in_the_manual(void)
{
	static const char *const as[] = {
		[EXPLAIN_AS_SERVER] = ", as server",
		[EXPLAIN_AS_CLIENT] = ", as client",
		[EXPLAIN_AS_BOTH] = "",
	};
	char *page = manual(), *at = page, want[8192], text[1024];
	const struct explain_entry *e;
	size_t n, count = 0;

	for (e = explain_catalogue; e->code; e++, count++) {
		n = (size_t)snprintf(want, sizeof(want), "## %s%s", e->code,
				     as[e->roles]);
		for (int i = 0; i < EXPLAIN_NPARTS; i++) {
			explain_compose(e, (enum explain_part)i, NULL, text,
					sizeof(text));
			n += (size_t)snprintf(
				want + n, sizeof(want) - n, " _%s_ %s",
				explain_part_name((enum explain_part)i), text);
		}
		at = strstr(at, want); /* in the same order */
		if (!at) {
			fprintf(stderr, "%s lacks: %s\n", MANUAL, want);
			CU_FAIL("an entry is missing");
			at = page;
		}
	}
	for (at = page; (at = strstr(at, " ## ")); at++)
		count--;
	CU_ASSERT_EQUAL(count, 0); /* and nothing beside them */
	free(page);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(every_end),
		UNIT_TEST(every_outcome),
		UNIT_TEST(every_syn_turned_away),
		UNIT_TEST(entries),
		UNIT_TEST(with_facts),
		UNIT_TEST(cut),
		UNIT_TEST(every_entry_in_the_manual),
	};

	return unit_run("explain", tests, ARRAY_LEN(tests), argc, argv);
}
