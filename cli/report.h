/*
 * report.h - What happened over a time, added up
 *
 *	report.c       events of the daemon or of its log files, added up
 *	report_doc.c   the sums as one document
 *	report_show.c  the document for people and for spreadsheets
 *	report_html.c  as a page
 *	security.c     the same events as somebody sees them who guards us
 */
#ifndef TCPHS_CLI_REPORT_H
#define TCPHS_CLI_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/outcome.h>

#include "cli.h"
#include "output.h"

#define REPORT_NAME_MAX 48

/* Attempts at one listener, or our own, or at ports where nobody listens. */
struct report_group {
	char listener[REPORT_NAME_MAX]; /* "" = none */
	bool client;
	uint64_t outcome[ATTEMPT_NOUTCOMES];
	uint64_t resent, slow;
	int64_t *hs_us; /* of each handshake that was timed */
	size_t nhs, room;
};

/* All attempts that failed in the same way. */
struct report_failure {
	char listener[REPORT_NAME_MAX];
	char outcome[REPORT_NAME_MAX], reason[REPORT_NAME_MAX];
	bool client;
	uint64_t n;
	/* of the latest */
	char time[REPORT_NAME_MAX], peer[80], conn[16];
};

struct report {
	int64_t since_us; /* asked for; 0 = all there is */
	int64_t from_us;  /* what is covered, since 1970 */
	int64_t until_us;
	const char *cut; /* why less is covered than was asked; NULL */
	uint64_t events, lost, starts;
	/* of log files */
	uint64_t lines, gaps, torn;
	int64_t line; /* number of the last one */
	bool files;
	struct report_group *group;
	size_t ngroups;
	struct report_failure *failure;
	size_t nfailures;
	json_t *alerts;		   /* array, as they are shown */
	json_t *endings;	   /* reason: how many */
	struct security *security; /* NULL unless asked for */
};

/** report_document() - All of it; a new reference */
json_t *report_document(struct report *r);

/** report_period() - What of time it covers; a new reference */
json_t *report_period(const struct report *r);

/* Each shows a document of report_document(). */
void report_text(const struct cli *cli, const json_t *doc);
void report_csv(const struct cli *cli, const json_t *doc);
void report_html(const struct cli *cli, const json_t *doc);

/* Parts of report_text(). @last: A row below the others; may be NULL */
void report_put_period(const struct cli *cli, const json_t *period);
void report_put_table(const struct cli *cli, const char *title,
		      const struct column *columns, const json_t *rows,
		      const json_t *last);
void report_put_rows(const struct cli *cli, const struct column *columns,
		     const json_t *rows, const json_t *last);

#endif
