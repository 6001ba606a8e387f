/*
 * page.h - What was judged as a page for a browser
 *
 *	analyze_html.c   collects
 *	page.c           the page from top to bottom
 *	page_chart.c     its charts
 *	page_head.c      what it shares with other pages (report_html.c)
 */
#ifndef TCPHS_CLI_PAGE_H
#define TCPHS_CLI_PAGE_H

#include <stdio.h>
#include <tcphs/analysis.h>

#include "summary.h"

#define PAGE_ROWS_MAX	 300 /* connections that are named */
#define PAGE_LADDERS_MAX 24
#define PAGE_SLOTS	 96 /* of the timeline */

enum page_result { PAGE_GOOD, PAGE_FAILED, PAGE_OTHER, PAGE_NRESULTS };

struct kept;

struct page_row {
	struct verdict v;
	uint64_t score;	   /* how much it deserves to be seen */
	struct kept *kept; /* NULL = no ladder */
};

struct page {
	const char *source;
	const struct summary *summary;
	const json_t *doc; /* summary_json() of it */
	struct page_row *row[PAGE_ROWS_MAX];
	unsigned int nrows;
	/* Connections that began in each slot of time. */
	int64_t begin_ns, slot_ns;
	uint64_t slot[PAGE_SLOTS][PAGE_NRESULTS];
};

/** page_write() - All of it: loads nothing, runs nothing */
void page_write(const struct page *p, FILE *out);

/** page_result() - In which colour is this outcome? */
enum page_result page_result(unsigned int outcome);

/**
 * page_head() - How a page begins, its heading included
 * @title: Of ours
 * @of:    What follows it there, of others; may be ""
 * @more:  Style beyond what all pages have
 */
void page_head(FILE *out, const char *title, const char *of, const char *more);

/** page_escape() - Text that may hold anything */
void page_escape(FILE *out, const char *text);

/* page_chart.c */
void page_chart_outcomes(const struct page *p, FILE *out);
void page_chart_handshakes(const struct page *p, FILE *out);
void page_chart_rate(const struct page *p, FILE *out);
void page_chart_lives(const struct page *p, FILE *out);

#endif
