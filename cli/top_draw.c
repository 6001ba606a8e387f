/*
 * top_draw.c - How the live screen looks
 *
 *	tcphsd 0.1.0 on tcphs0  198.18.66.2  up 12m3s
 *	3 conns  0 half-open  0 alerts  2.0 hs/s  in 12.0/s 3.1KB/s  out ...
 *	[1 Live] 2 Ended  3 Listeners  4 Alerts  3  filter: state established
 *	ID   STATE  LOCAL           PEER              ...
 *	c41  ESTAB  198.18.66.2:80  198.18.66.1:50112 ...
 *	-- c41 --------------------------------------------- Enter closes it --
 *	...
 *	q quit  / filter  < > sort  r turn round  Enter ladder  ? help
 *
 * The rows are made by text_table.c, as those of tcphsctl list. Whatever
 * reaches the terminal goes through put(), which lets no control character by.
 */
#define NCURSES_WIDECHAR 1
#include "top.h"

#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <tcphs/plural.h>

#include "member.h"

#define TABLE_AT  3 /* line of the headings */
#define ROWS_LESS 5 /* lines that are no rows */
#define LINES_MIN 8
#define COLS_MIN  40

enum pair { PAIR_NONE, PAIR_GOOD, PAIR_ODD, PAIR_BAD, PAIR_OTHER };

static void put(int y, int x, int width, const char *text);
static void fill(int y, attr_t attr);
static void draw_daemon(const struct top *t);
static void draw_numbers(const struct top *t);
static void draw_views(struct top *t);
static void draw_table(struct top *t);
static char *table_text(struct top *t, size_t rows);
static void draw_headings(struct top *t, const char *line, int len);
static attr_t row_attr(const struct top *t, size_t row);
static void draw_pane(const struct top *t);
static void draw_foot(const struct top *t);

static attr_t colour(enum pair pair)
{
	return has_colors() ? COLOR_PAIR(pair) : A_NORMAL;
}

static size_t body_lines(void)
{
	return (size_t)(LINES > ROWS_LESS ? LINES - ROWS_LESS : 1);
}

/* With a line above it. */
static size_t pane_lines(const struct top *t)
{
	if (!t->pane)
		return 0;
	if (t->whole)
		return body_lines() + 1; /* over the headings, too */
	return body_lines() * 3 / 5;
}

size_t top_page(const struct top *t, bool pane)
{
	size_t lines = pane_lines(t);

	if (pane)
		return lines > 1 ? lines - 1 : 1;
	return lines < body_lines() ? body_lines() - lines : 1;
}

void top_draw(struct top *t)
{
	erase();
	if (LINES < LINES_MIN || COLS < COLS_MIN) {
		put(0, 0, COLS, "the terminal is too small");
		refresh();
		return;
	}
	draw_daemon(t);
	draw_numbers(t);
	draw_views(t);
	if (!t->whole)
		draw_table(t);
	if (t->pane)
		draw_pane(t);
	draw_foot(t);
	refresh();
}

/* ---- text -------------------------------------------------------------- */

/* As much as fits. What is no printable character of this locale is a '?'. */
static void put(int y, int x, int width, const char *text)
{
	size_t left = strlen(text);
	mbstate_t state = {0};

	if (move(y, x) == ERR)
		return;
	while (left > 0 && width > 0) {
		wchar_t wc;
		size_t n = mbrtowc(&wc, text, left, &state);
		int w;

		if (n == 0 || n > left) { /* no character at all */
			n = 1;
			wc = L'?';
			state = (mbstate_t){0};
		}
		w = wcwidth(wc);
		if (w < 0) {
			wc = L'?';
			w = 1;
		}
		if (w > width)
			return;
		if (w > 0)
			addnwstr(&wc, 1);
		text += n;
		left -= n;
		width -= w;
	}
}

/* Let a whole line look like this. */
static void fill(int y, attr_t attr)
{
	mvchgat(y, 0, -1, attr & ~A_COLOR, (short)PAIR_NUMBER(attr), NULL);
}

static const char *value(const json_t *doc, const char *field,
			 enum column_kind kind, char buf[128])
{
	output_cell(json_object_get(doc, field), kind, true, buf, 128);
	return buf;
}

/* ---- above the table ---------------------------------------------------- */

static void draw_daemon(const struct top *t)
{
	char a[128], b[128], c[128], d[128], e[128], line[768];

	snprintf(line, sizeof(line), "tcphsd %s on %s  %s  %s  up %s",
		 value(t->status, "version", COLUMN_TEXT, a),
		 value(t->status, "interface", COLUMN_TEXT, b),
		 value(t->status, "address4", COLUMN_TEXT, c),
		 value(t->status, "address6", COLUMN_TEXT, d),
		 value(t->status, "uptime_us", COLUMN_TIME, e));
	attrset(A_BOLD);
	put(0, 0, COLS, line);
	attrset(A_NORMAL);
}

static const char *rate(double n, char buf[TEXT_NUMBER_MAX])
{
	if (n < 100)
		snprintf(buf, TEXT_NUMBER_MAX, "%.1f", n > 0 ? n : 0.0);
	else
		text_bytes((uint64_t)n, buf);
	return buf;
}

static void draw_numbers(const struct top *t)
{
	char a[128], b[128], c[128], line[768];
	char r[5][TEXT_NUMBER_MAX];
	json_int_t alerts = member_number(t->status, "alerts");
	json_int_t conns = member_number(t->status, "connections");

	snprintf(line, sizeof(line),
		 "%s conn%s  %s half-open  %s alert%s  %s hs/s"
		 "  in %s/s %sB/s  out %s/s %sB/s",
		 value(t->status, "connections", COLUMN_COUNT, a),
		 plural(conns), value(t->status, "half_open", COLUMN_COUNT, b),
		 value(t->status, "alerts", COLUMN_COUNT, c), plural(alerts),
		 rate(t->handshakes, r[0]), rate(t->segs_in, r[1]),
		 rate(t->text_in, r[2]), rate(t->segs_out, r[3]),
		 rate(t->text_out, r[4]));
	attrset(alerts > 0 ? colour(PAIR_BAD) : A_NORMAL);
	put(1, 0, COLS, line);
	attrset(A_NORMAL);
}

static void draw_views(struct top *t)
{
	const struct top_table *table = top_table(t);
	char line[TOP_TEXT_MAX + 64];
	int x = 0;

	for (unsigned int i = 0; i < TOP_VIEWS; i++) {
		int n = snprintf(line, sizeof(line), " %u %s ", i + 1,
				 top_views[i].title);

		attrset(i == t->view ? A_REVERSE : A_NORMAL);
		put(2, x, COLS - x, line);
		x += n + 1;
	}
	attrset(A_NORMAL);
	snprintf(line, sizeof(line), " %zu%s%s%s", t->rows.n,
		 t->rows.more ? " and more" : "",
		 *table->filter ? "  filter: " : "", table->filter);
	put(2, x, COLS - x, line);
}

/* ---- the table ---------------------------------------------------------- */

static void draw_table(struct top *t)
{
	struct top_table *table = top_table(t);
	size_t rows = top_page(t, false), row;
	char *text, *line;
	int y = TABLE_AT;

	if (table->first > table->at)
		table->first = table->at;
	if (table->first + rows <= table->at)
		table->first = table->at - rows + 1;
	if (table->first + rows > t->rows.n)
		table->first = t->rows.n > rows ? t->rows.n - rows : 0;
	text = table_text(t, rows);
	for (line = text; line && *line; y++) {
		size_t len = strcspn(line, "\n");
		bool end = !line[len];

		line[len] = '\0';
		row = table->first + (size_t)(y - TABLE_AT) - 1;
		attrset(y == TABLE_AT || t->gone ? A_NORMAL : row_attr(t, row));
		put(y, 0, COLS, line);
		attrset(A_NORMAL);
		if (y == TABLE_AT)
			draw_headings(t, line, (int)len);
		else if (row == table->at)
			fill(y, A_REVERSE);
		line += len + !end;
	}
	free(text);
}

/* Headings and those rows that are on the screen, as a table for people. */
static char *table_text(struct top *t, size_t rows)
{
	const struct top_table *at = top_table(t);
	struct cli cli = *t->cli;
	struct table table;
	char *text = NULL;
	size_t len;

	cli.out = open_memstream(&text, &len);
	if (!cli.out)
		return NULL;
	cli.format = FORMAT_TEXT;
	cli.colour = false;
	cli.header = true;
	cli.screen_cols = (unsigned int)COLS;
	cli.screen_rows = 0;
	cli.columns = NULL;
	if (table_begin(&table, &cli, top_views[t->view].columns) == CLI_OK) {
		for (size_t i = at->first;
		     i < t->rows.n && i < at->first + rows; i++)
			table_row(&table, t->rows.row[i].text,
				  t->rows.row[i].len);
		table_end(&table, true);
	}
	fclose(cli.out);
	return text;
}

/* The column that the rows are sorted by stands out. */
static void draw_headings(struct top *t, const char *line, int len)
{
	const char *heading = top_table(t)->sort->heading, *p = line;
	size_t n = strlen(heading);

	fill(TABLE_AT, A_REVERSE);
	while ((p = strstr(p, heading))) {
		bool whole =
			(p == line || p[-1] == ' ') && (!p[n] || p[n] == ' ');

		if (whole && p - line + (int)n <= len) {
			mvchgat(TABLE_AT, (int)(p - line), (int)n, A_BOLD, 0,
				NULL);
			return;
		}
		p += n;
	}
}

static attr_t row_attr(const struct top *t, size_t row)
{
	static const struct {
		const char *field, *value;
		enum pair pair;
	} looks[] = {
		{"outcome", "completed", PAIR_NONE},
		{"outcome", "completed_cookie", PAIR_NONE},
		{"outcome", "completed_simultaneous", PAIR_NONE},
		{"outcome", NULL, PAIR_BAD},
		{"state", "established", PAIR_GOOD},
		{"state", "syn-received", PAIR_ODD},
		{"state", "syn-sent", PAIR_ODD},
		{"state", "active", PAIR_BAD},
		{"state", NULL, PAIR_OTHER},
	};
	const json_t *item = row < t->rows.n ? t->rows.row[row].item : NULL;

	for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		const char *s = json_string_value(
			json_object_get(item, looks[i].field));

		if (s && (!looks[i].value || strcmp(s, looks[i].value) == 0))
			return colour(looks[i].pair);
	}
	return A_NORMAL;
}

/* ---- below the table ---------------------------------------------------- */

static void draw_pane(const struct top *t)
{
	size_t lines = pane_lines(t) - 1, line = 0;
	int y = LINES - 1 - (int)lines;
	const char *p = t->detail ? t->detail
				  : "nothing is remembered of it any more\n";
	char title[TOP_NAME_MAX + 32];

	snprintf(title, sizeof(title), " %s ", t->help ? "help" : t->detail_of);
	attrset(A_REVERSE);
	mvhline(y - 1, 0, ' ', COLS);
	put(y - 1, 1, COLS - 1, title);
	attrset(A_NORMAL);
	for (; *p && y < LINES - 1; line++) {
		size_t len = strcspn(p, "\n");
		char *copy = strndup(p, len);

		if (copy && line >= t->detail_first)
			put(y++, 0, COLS, copy);
		free(copy);
		p += len + (p[len] == '\n');
	}
}

static void draw_foot(const struct top *t)
{
	int y = LINES - 1;
	char line[TOP_TEXT_MAX + 64];

	if (t->mode == TOP_FILTER) {
		if (*t->message) {
			attrset(colour(PAIR_BAD));
			move(y - 1, 0);
			clrtoeol();
			put(y - 1, 0, COLS, t->message);
			attrset(A_NORMAL);
		}
		snprintf(line, sizeof(line), "Filter: %s", t->typed);
		put(y, 0, COLS - 1, line);
		curs_set(1);
		return;
	}
	curs_set(0);
	attrset(A_BOLD | (t->gone ? colour(PAIR_BAD) : A_NORMAL));
	if (t->gone)
		put(y, 0, COLS, "the daemon is gone; looking for it (q quits)");
	else if (*t->message)
		put(y, 0, COLS, t->message);
	else
		put(y, 0, COLS,
		    t->pane ? "q quit  Esc close  PgUp PgDn scroll  "
			      "Tab whole screen  ? help"
			    : "q quit  / filter  < > sort  r turn round  "
			      "Enter look into it  ? help");
	attrset(A_NORMAL);
}
