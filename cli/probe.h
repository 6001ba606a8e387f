/*
 * probe.h - Handshakes, one after the other: asking, and what is said of it
 */
#ifndef TCPHS_CLI_PROBE_H
#define TCPHS_CLI_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "output.h"

/* How a handshake went: name for programs and --expect, words, exit code. */
#define PROBE_LIST(P)                                                   \
	P(OPEN, "open", "open", CLI_OK)                                 \
	P(REFUSED, "refused", "refused", CLI_REFUSED)                   \
	P(TIMEOUT, "timeout", "no answer", CLI_NO_ANSWER)               \
	P(UNREACHABLE, "unreachable", "unreachable", CLI_UNREACHABLE)   \
	P(VIOLATION, "protocol_error", "answered against the protocol", \
	  CLI_VIOLATION)                                                \
	P(RESET, "reset", "reset after the handshake", CLI_RESET)       \
	P(NOT_OPENED, "local", "not possible from here", CLI_LOCAL)

enum probe_outcome {
#define PROBE_ENUM(name, wire, words, exit) PROBE_##name,
	PROBE_LIST(PROBE_ENUM)
#undef PROBE_ENUM
		PROBE_NOUTCOMES
};

/* One of them. */
struct probe_answer {
	enum probe_outcome outcome;
	int64_t time_us; /* to the handshake or its failure; -1 if unknown */
	int64_t retrans; /* SYNs sent again; -1 if unknown */
	int64_t rtt_us;	 /* measured on the SYN that was answered; -1 */
	char conn[16];	 /* "c42"; "" if none was made */
};

struct probe_report {
	const struct cli *cli;
	const char *addr, *port;
	struct table table; /* of CSV, TSV and raw */
	json_t *answers;    /* of JSON */
	unsigned int count, outcomes[PROBE_NOUTCOMES];
	int64_t *time_us; /* of those that completed */
	unsigned int ntimes, room;
};

/** probe_outcome_parse() - Which one is it? PROBE_NOUTCOMES if none */
enum probe_outcome probe_outcome_parse(const char *name);

/** probe_report_begin() - @addr and @port stay the caller's */
enum cli_exit probe_report_begin(struct probe_report *r, const struct cli *cli,
				 const char *addr, const char *port);

/** probe_report_add() - Say how one went; false without memory */
bool probe_report_add(struct probe_report *r, const struct probe_answer *a);

/** probe_report_end() - Say how they went, and free */
void probe_report_end(struct probe_report *r);

/**
 * probe_report_exit() - The exit code
 * @expect: 0 if all went so, 1 if not; PROBE_NOUTCOMES: the worst of them
 */
enum cli_exit probe_report_exit(const struct probe_report *r,
				enum probe_outcome expect);

#endif
