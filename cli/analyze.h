/*
 * analyze.h - Between the source of packets, the judge and who shows it
 *
 *	analyze.c           the run: options, source, judge, exit code
 *	analyze_fits.c      which options go together
 *	analyze_table.c     a row for each connection, JSON Lines
 *	analyze_sort.c      rows in another order than they come
 *	analyze_summary.c   all in one screen
 *	analyze_packets.c   every packet
 *	analyze_conn.c      one connection, explained
 *	analyze_export.c    its packets, as a file
 *	analyze_html.c      what goes into a page
 */
#ifndef TCPHS_CLI_ANALYZE_H
#define TCPHS_CLI_ANALYZE_H

#include <tcphs/analysis.h>
#include <tcphs/filter.h>

#include "capset.h"
#include "cli.h"
#include "live.h"
#include "output.h"
#include "progress.h"

struct analyze;

/* One of the outputs. Functions that it does not need are NULL. */
struct view {
	/** begin() - Before the first packet; says what is wrong */
	enum cli_exit (*begin)(struct analyze *z);
	/** packet() - Each one, after the judge took it */
	void (*packet)(struct analyze *z, const struct frame *f,
		       const struct packet *p, const struct packet_place *at);
	/** verdict() - Each that the filter lets through */
	void (*verdict)(struct analyze *z, const struct verdict *v);
	/** end() - After the last verdict */
	enum cli_exit (*end)(struct analyze *z);
	/** free() - Whatever happened; begin() may have failed */
	void (*free)(struct analyze *z);
};

extern const struct view table_view, summary_view, packets_view, conn_view,
	export_view, html_view;

struct analyze {
	struct cli *cli;
	const struct view *view;
	struct capset *set; /* NULL if there is an interface instead */
	struct live *live;
	struct live_stats captured; /* by it, in all; at the end */
	struct progress progress;
	struct filter *filter; /* NULL = all */
	struct decoder *decoder;
	struct analysis *judge;
	uint64_t matched; /* verdicts that the filter let through */
	int worst;	  /* severity among them, or SEVERITY_NONE */
	bool failed;	  /* there was no memory for something */

	struct table table;
	struct sorted *sorted;	 /* NULL = as they come */
	uint64_t packets;	 /* of TCP, for those who count them */
	int64_t first_ns;	 /* of the first of them */
	json_t *findings;	 /* what all of them show together */
	struct summary *summary; /* NULL = nobody asks */
	void *own;		 /* memory of the view */
	bool enough;		 /* nothing that comes will matter */
};

/** analyze_fits() - Do its options belong to its output? Else says what is missing
 */
bool analyze_fits(const struct analyze *z);

/** analyze_spares() - Is none of the files it reads the one it writes? Else says
 * so */
bool analyze_spares(const struct analyze *z, int n, char **paths);

/** analyze_summary() - Its summary, and what the interface has to add */
json_t *analyze_summary(const struct analyze *z);

/* Rows that wait until all are there. */
struct sorted;

/**
 * sorted_new() - None yet
 * @order: Name of a column, or - and its name; as the user gave it
 *
 * Return: NULL having said why
 */
struct sorted *sorted_new(const struct column *columns, const char *order);
void sorted_free(struct sorted *s);

/** sorted_add() - Keep what would go into a row of @t; false without memory */
bool sorted_add(struct sorted *s, const struct table *t, value_fn *value,
		const void *of);

/** sorted_write() - All of them into a table, those without a value last */
void sorted_write(struct sorted *s, struct table *t);

#endif
