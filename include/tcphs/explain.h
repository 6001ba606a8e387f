/*
 * explain.h - What an outcome means: what happened, why, and what to do
 *
 * A catalogue of entries, one for each outcome of a handshake, each way in which
 * a connection ends and each reason to turn a SYN away; where the two roles see
 * different things, one for each. Its texts have places for what is known of a
 * connection. tcphs-explain(7) is the same catalogue with nothing known.
 */
#ifndef TCPHS_EXPLAIN_H
#define TCPHS_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <tcphs/event.h>

#define EXPLAIN_AS_SERVER (1u << ROLE_SERVER)
#define EXPLAIN_AS_CLIENT (1u << ROLE_CLIENT)
#define EXPLAIN_AS_BOTH	  (EXPLAIN_AS_SERVER | EXPLAIN_AS_CLIENT)

enum explain_part {
	EXPLAIN_HAPPENED,
	EXPLAIN_WHY,
	EXPLAIN_RULE,
	EXPLAIN_SAW,
	EXPLAIN_NEXT,
	EXPLAIN_NPARTS
};

struct explain_entry {
	const char *code;
	unsigned int roles;		  /* EXPLAIN_AS_*: ours */
	const char *text[EXPLAIN_NPARTS]; /* with places */
};

extern const struct explain_entry explain_catalogue[]; /* ends with NULL */

/* What is known of one connection; NULL where it is not. */
struct explain_facts {
	const char *conn;      /* "c57" */
	const char *peer;      /* "198.18.66.1:50301" */
	const char *peer_addr; /* "198.18.66.1" */
	const char *port;      /* ours as server, the peer's as client */
	const char *listener;  /* name */
	const char *listeners; /* "80 web, 8090 demo" */
	const char *after;     /* time from the first packet: "0.1 ms" */
	const char *times;     /* how often something was sent: "3 times" */
};

/** explain_part_name() - "What happened" and the like */
const char *explain_part_name(enum explain_part part);

/**
 * explain_find() - The entry of a code, as it looks from one role
 *
 * Return: NULL if there is none
 */
const struct explain_entry *explain_find(const char *code, enum tcp_role role);

/* What the judge of captures calls odd; all of it is text that stays. */
struct explain_judged {
	const char *meaning, *severity;
	const char *clause; /* "" if there is none */
	const char *causes, *advice;
};

/** explain_judged() - Is it a word of tcphs-analysis(7) for something odd? */
bool explain_judged(const char *code, struct explain_judged *out);

/** explain_drop() - Which reason to drop has this name? DROP_NONE if none */
enum drop_reason explain_drop(const char *code);

/**
 * explain_compose() - One part of an entry as sentences
 * @facts: NULL = nothing is known
 *
 * Return: length as snprintf() would
 */
size_t explain_compose(const struct explain_entry *e, enum explain_part part,
		       const struct explain_facts *facts, char *buf,
		       size_t size);

#endif
