/*
 * security.h - What of a report looks like somebody who means no good
 *
 *	security.c       events, added up by pattern and by source
 *	security_doc.c   the sums as findings: numbers, meaning, what to do
 *	security_show.c  those for people and for spreadsheets
 */
#ifndef TCPHS_CLI_SECURITY_H
#define TCPHS_CLI_SECURITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/alert.h>

#include "cli.h"

#define SECURITY_PORTS_MAX \
	64		    /* distinct ones of a source that are told apart */
#define SECURITY_FROM_MAX 8 /* sources that an alert names */
#define SECURITY_TIME_MAX 32

/* What attempts came to. */
enum security_class {
	SECURITY_COMPLETED,
	SECURITY_REFUSED,    /* no listener */
	SECURITY_REJECTED,   /* a limit or an allow-list */
	SECURITY_UNANSWERED, /* our SYN-ACK */
	SECURITY_RESET,	     /* instead of the ACK */
	SECURITY_OTHER,
	SECURITY_NCLASSES
};

/* One address that sent SYNs, as the packets claim. */
struct security_source {
	char addr[48]; /* "" = a free place */
	uint64_t n[SECURITY_NCLASSES];
	uint64_t strays; /* segments of no connection */
	uint64_t bare;	 /* SYNs without an option */
	/* Initial sequence numbers: steps from one SYN to the next. */
	uint64_t steps, near, same;
	uint32_t isn;
	uint16_t from, to; /* ports of the SYN that had it; 0 = none yet */
	uint16_t port[SECURITY_PORTS_MAX], nports;
	char options[64]; /* of its latest SYN */
	char first[SECURITY_TIME_MAX], last[SECURITY_TIME_MAX];
};

/* All alerts of a kind. */
struct security_alerts {
	uint64_t n;
	unsigned int open; /* not ended yet */
	int64_t most[ALERT_NUMBERS_MAX];
	char from[SECURITY_FROM_MAX][48];
	unsigned int nfrom;
	char first[SECURITY_TIME_MAX], last[SECURITY_TIME_MAX];
	char message[256]; /* of the latest */
};

struct security {
	struct security_alerts alert[ALERT_NKINDS];
	struct security_source *source; /* a hash table with free places */
	uint32_t size, nsources;
	uint64_t uncounted; /* events of sources that found no place */
	uint64_t cookies_sent, cookies_accepted, cookies_rejected;
	json_t *limits; /* which limit: how often it was told of */
};

struct security *security_new(void);
void security_free(struct security *s);

/** security_event() - One more event, as the log and the daemon have it */
void security_event(struct security *s, const json_t *o);

/** security_turned_away() - A record of an attempt that opened nothing */
void security_turned_away(struct security *s, const json_t *o);

/** security_json() - Findings and sources; a new reference */
json_t *security_json(const struct security *s);

/** security_isn() - What the numbers of a source look like; NULL: too few */
const char *security_isn(const struct security_source *src);

/* Each shows a document with the period beside security_json(). */
void security_text(const struct cli *cli, const json_t *doc);
void security_csv(const struct cli *cli, const json_t *doc);
void security_html(const struct cli *cli, const json_t *doc);

#endif
