/*
 * top.h - Between the parts of the live screen
 *
 *	top.c       the terminal, signals and keys
 *	top_data.c  what is shown: fetched, sorted, chosen
 *	top_draw.c  how it looks
 */
#ifndef TCPHS_CLI_TOP_H
#define TCPHS_CLI_TOP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "output.h"

#define TOP_VIEWS    4
#define TOP_TEXT_MAX 256 /* of a filter and of a message */
#define TOP_NAME_MAX 64
#define TOP_ROWS_MAX 10000 /* that are fetched; what is beyond is said */

/* A table, and what it shows at first. */
struct top_view {
	const char *title;
	const char *method;
	const struct column *columns;
	const char *key;  /* the field that names a row */
	const char *sort; /* heading */
	bool down;	  /* the largest first */
	bool filters;	  /* the method takes one */
	bool packets;	  /* a row is a connection, with a ladder */
};

extern const struct top_view top_views[TOP_VIEWS];

/* What the user made of a table. */
struct top_table {
	char filter[TOP_TEXT_MAX];
	const struct column *sort;
	bool down;
	char selected[TOP_NAME_MAX]; /* its name */
	size_t at;		     /* its row, as of the last fetch */
	size_t first;		     /* row on the screen */
};

struct top_row {
	json_t *item;
	char *text; /* the same */
	size_t len;
};

struct top_rows {
	struct top_row *row; /* TOP_ROWS_MAX of them */
	size_t n;
	bool more; /* than that */
};

enum top_mode { TOP_LOOK, TOP_FILTER };

struct top {
	struct cli *cli;
	unsigned int view;
	struct top_table table[TOP_VIEWS];
	struct top_rows rows; /* the last that came whole */
	json_t *status, *stats;
	int64_t stats_us; /* when they were fetched */
	double handshakes, segs_in, segs_out, text_in, text_out; /* a second */
	bool gone; /* the daemon */
	enum top_mode mode;
	char typed[TOP_TEXT_MAX];
	char message[TOP_TEXT_MAX]; /* until the next key */
	bool pane, whole;	    /* shown; it alone */
	bool help;		    /* in the pane */
	char *detail;		    /* what the pane says */
	char detail_of[TOP_NAME_MAX];
	size_t detail_first; /* line */
};

/** top_init() - Each table as it is at first */
void top_init(struct top *t);
void top_free(struct top *t);

/** top_table() - The one that is shown */
struct top_table *top_table(struct top *t);

/**
 * top_fetch() - Ask the daemon for all that is shown
 *
 * Without a daemon it is looked for first. What goes wrong is in t->message.
 *
 * Return: false if the filter is wrong
 */
bool top_fetch(struct top *t);

/** top_show() - Another table; of the one before nothing stays */
void top_show(struct top *t, unsigned int view);

/** top_detail() - Ask for what the pane shows */
void top_detail(struct top *t);

/** top_move() - Select another row, so many further down */
void top_move(struct top *t, long by);

/** top_sort_by() - Sort by the column so many to the right; 0 turns round */
void top_sort_by(struct top *t, int by);

/** top_sort() - Once more, after a change of order */
void top_sort(struct top *t);

/** top_draw() - The whole screen */
void top_draw(struct top *t);

/** top_page() - How many rows the table or the pane has on the screen */
size_t top_page(const struct top *t, bool pane);

#endif
