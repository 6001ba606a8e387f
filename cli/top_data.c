/*
 * top_data.c - What the live screen shows: fetched, sorted, chosen
 *
 * Each second the rows of one table come anew. The selected one is found again
 * by its name, wherever it has moved to; if it went, its place is kept. Rows
 * that do not come whole, because the daemon went, leave the old ones there.
 */
#include "top.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "columns.h"
#include "diagram.h"

#define PANE_WIDTH 200 /* more than that no ladder has */

const struct top_view top_views[TOP_VIEWS] = {
	{"Live", "conn.list", connection_columns, "id", "ID", true, true, true},
	{"Ended", "conn.recent", recent_columns, "id", "AGO", false, true,
	 true},
	{"Listeners", "listener.list", listener_columns, "name", "NAME", false,
	 false, false},
	{"Alerts", "alerts", alert_columns, "id", "AGE", false, true, false},
};

/* How rows are compared; qsort() has no argument for it. */
static struct {
	const struct column *column;
	bool down;
	const char *key;
} order;

static const char help[] =
	"1 2 3 4, F1 to F4   tables: live, ended, listeners, alerts\n"
	"Up Down j k         select       PgUp PgDn Home End  go further\n"
	"Enter               what is behind a row: its ladder, or all of it\n"
	"Tab                 that on the whole screen, and back\n"
	"PgUp PgDn           scroll it, while it is there\n"
	"/                   filter, as for tcphsctl list; Esc leaves it\n"
	"< > Left Right      sort by another column        r  turn it round\n"
	"Esc                 close what is open            q  quit\n";

static bool fetch_all(struct top *t, enum cli_exit *e);
static enum cli_exit fetch_numbers(struct top *t);
static void take_rates(struct top *t, const json_t *now, int64_t now_us);
static enum cli_exit fetch_rows(struct top *t);
static int take_row(void *arg, const char *text, size_t len);
static void forget_rows(struct top_rows *rows);
static void find_selected(struct top *t);
static int compare_rows(const void *a, const void *b);
static int compare_values(const json_t *a, const json_t *b);
static char *fields_text(const json_t *item);
static void connect_again(struct top *t);

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void top_init(struct top *t)
{
	for (unsigned int i = 0; i < TOP_VIEWS; i++) {
		const struct column *c = top_views[i].columns;

		while (strcmp(c->heading, top_views[i].sort) != 0)
			c++;
		t->table[i].sort = c;
		t->table[i].down = top_views[i].down;
	}
}

void top_free(struct top *t)
{
	forget_rows(&t->rows);
	free(t->detail);
	json_decref(t->status);
	json_decref(t->stats);
}

struct top_table *top_table(struct top *t)
{
	return &t->table[t->view];
}

/* ---- asking ------------------------------------------------------------ */

bool top_fetch(struct top *t)
{
	enum cli_exit e = CLI_OK;
	char *said = NULL;
	size_t len;
	FILE *f = open_memstream(&said, &len);
	bool good;

	complaints(f);
	if (t->gone)
		connect_again(t);
	good = t->gone || fetch_all(t, &e);
	complaints(NULL);
	if (f)
		fclose(f);
	if (e == CLI_NO_DAEMON || e == CLI_PROTOCOL || e == CLI_TIMEOUT) {
		t->gone = true;
		client_close(t->cli->client);
	}
	if (e != CLI_OK && said)
		snprintf(t->message, sizeof(t->message), "%.*s",
			 (int)strcspn(said, "\n"), said);
	free(said);
	return good;
}

static void connect_again(struct top *t)
{
	struct cli *cli = t->cli;
	const sigset_t *waiting = cli->client->waiting;

	if (client_open(cli->client, cli->socket, cli->timeout_us) != CLI_OK)
		return;
	cli->client->waiting = waiting;
	t->gone = false;
	json_decref(t->stats); /* of another life */
	t->stats = NULL;
	snprintf(t->message, sizeof(t->message), "the daemon is back");
}

/* False if the filter is wrong. */
static bool fetch_all(struct top *t, enum cli_exit *e)
{
	*e = fetch_numbers(t);
	if (*e != CLI_OK)
		return true;
	*e = fetch_rows(t);
	if (*e == CLI_OK)
		top_detail(t);
	return *e != CLI_USAGE;
}

static enum cli_exit fetch_numbers(struct top *t)
{
	struct client *c = t->cli->client;
	json_t *status, *stats;
	enum cli_exit e;

	e = client_call(c, "status", NULL, NULL, NULL, &status);
	if (e != CLI_OK)
		return e;
	json_decref(t->status);
	t->status = status;
	e = client_call(c, "stats", NULL, NULL, NULL, &stats);
	if (e != CLI_OK)
		return e;
	take_rates(t, stats, now_us());
	json_decref(t->stats);
	t->stats = stats;
	return CLI_OK;
}

static double counter(const json_t *stats, const char *name)
{
	const json_t *counters = json_object_get(stats, "counters");

	return (double)json_integer_value(json_object_get(counters, name));
}

static void take_rates(struct top *t, const json_t *now, int64_t at_us)
{
	const json_t *was = t->stats;
	double s = (double)(at_us - t->stats_us) / 1e6;

	if (was && s > 0) {
		t->handshakes = (counter(now, "handshakes") +
				 counter(now, "handshakes_active") -
				 counter(was, "handshakes") -
				 counter(was, "handshakes_active")) /
				s;
		t->segs_in = (counter(now, "segments_in") -
			      counter(was, "segments_in")) /
			     s;
		t->segs_out = (counter(now, "segments_out") -
			       counter(was, "segments_out")) /
			      s;
		t->text_in =
			(counter(now, "text_in") - counter(was, "text_in")) / s;
		t->text_out =
			(counter(now, "text_out") - counter(was, "text_out")) /
			s;
	}
	t->stats_us = at_us;
}

static enum cli_exit fetch_rows(struct top *t)
{
	const struct top_view *v = &top_views[t->view];
	const char *filter = top_table(t)->filter;
	struct top_rows was = t->rows;
	json_t *params = NULL;
	enum cli_exit e;

	t->rows = (struct top_rows){
		.row = calloc(TOP_ROWS_MAX, sizeof(*t->rows.row))};
	if (!t->rows.row) {
		t->rows = was;
		complain("no memory");
		return CLI_NO;
	}
	if (v->filters && *filter)
		params = json_pack("{s:s}", "filter", filter);
	e = client_call(t->cli->client, v->method, params, take_row, t, NULL);
	if (e == CLI_OK) {
		forget_rows(&was);
	} else {
		forget_rows(&t->rows);
		t->rows = was;
	}
	top_sort(t);
	return e;
}

static int take_row(void *arg, const char *text, size_t len)
{
	struct top *t = arg;
	struct top_row *r = &t->rows.row[t->rows.n];

	if (t->rows.n == TOP_ROWS_MAX) {
		t->rows.more = true;
		return ITEM_ENOUGH;
	}
	r->item = json_loadb(text, len, 0, NULL);
	r->text = strndup(text, len);
	r->len = len;
	if (r->item && r->text) {
		t->rows.n++;
		return ITEM_NEXT;
	}
	complain("an item of the daemon is not JSON");
	json_decref(r->item);
	free(r->text);
	return CLI_PROTOCOL;
}

static void forget_rows(struct top_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		json_decref(rows->row[i].item);
		free(rows->row[i].text);
	}
	free(rows->row);
	*rows = (struct top_rows){0};
}

void top_show(struct top *t, unsigned int view)
{
	forget_rows(&t->rows);
	t->view = view;
	t->detail_of[0] = '\0';
	top_fetch(t);
}

/* ---- the pane ---------------------------------------------------------- */

void top_detail(struct top *t)
{
	const struct top_view *v = &top_views[t->view];
	struct top_table *table = top_table(t);
	const struct ladder_style style = {
		.width = (unsigned int)t->cli->screen_cols,
	};
	json_t *doc = NULL;

	if (!t->pane)
		return;
	free(t->detail);
	t->detail = NULL;
	if (t->help) {
		t->detail = strdup(help);
		return;
	}
	if (strcmp(t->detail_of, table->selected) != 0) {
		memcpy(t->detail_of, table->selected, sizeof(t->detail_of));
		t->detail_first = 0;
	}
	if (table->at >= t->rows.n)
		return;
	if (!v->packets)
		t->detail = fields_text(t->rows.row[table->at].item);
	else if (diagram_fetch(t->cli->client, table->selected, &doc) == CLI_OK)
		t->detail = diagram_draw(doc, &style, ladder_text);
	json_decref(doc);
}

/* A line for each field. */
static char *fields_text(const json_t *item)
{
	char cell[1024], name[64], *text = NULL;
	const char *key;
	json_t *v;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	/* jansson's macro takes no const object; it is not changed. */
	json_object_foreach((json_t *)(uintptr_t)item, key, v)
	{
		snprintf(name, sizeof(name), "%s", key);
		text_clean(name);
		if (json_is_object(v) && !json_object_get(v, "ip")) {
			char *dump = json_dumps(v, JSON_ENSURE_ASCII);

			snprintf(cell, sizeof(cell), "%s", dump ? dump : "");
			free(dump);
		} else {
			output_cell(v, COLUMN_TEXT, true, cell, sizeof(cell));
		}
		fprintf(f, "%-16s %s\n", name, cell);
	}
	fclose(f);
	return text;
}

/* ---- order ------------------------------------------------------------- */

void top_sort(struct top *t)
{
	const struct top_table *table = top_table(t);

	order.column = table->sort;
	order.down = table->down;
	order.key = top_views[t->view].key;
	if (t->rows.n)
		qsort(t->rows.row, t->rows.n, sizeof(*t->rows.row),
		      compare_rows);
	find_selected(t);
}

/* What has no value comes last in either order; equals by their name. */
static int compare_rows(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	const json_t *u = json_object_get(x->item, order.column->field);
	const json_t *v = json_object_get(y->item, order.column->field);
	int c;

	if (!u || !v)
		c = !u - !v;
	else
		c = order.down ? compare_values(v, u) : compare_values(u, v);
	if (c != 0)
		return c;
	return compare_values(json_object_get(x->item, order.key),
			      json_object_get(y->item, order.key));
}

/* "c9" comes before "c10", 10.0.0.9 before 10.0.0.10. */
static int compare_values(const json_t *a, const json_t *b)
{
	char x[128], y[128];

	if (json_is_integer(a) && json_is_integer(b)) {
		json_int_t m = json_integer_value(a), n = json_integer_value(b);

		return (m > n) - (m < n);
	}
	output_cell(a, COLUMN_TEXT, false, x, sizeof(x));
	output_cell(b, COLUMN_TEXT, false, y, sizeof(y));
	return strverscmp(x, y);
}

void top_sort_by(struct top *t, int by)
{
	struct top_table *table = top_table(t);
	const struct column *all = top_views[t->view].columns;
	const struct column *c = table->sort;

	if (by == 0)
		table->down = !table->down;
	for (; by > 0 && c[1].heading; by -= c->shown)
		c++;
	for (; by < 0 && c > all; by += c->shown)
		c--;
	if (c->shown)
		table->sort = c;
	top_sort(t);
}

/* ---- choice ------------------------------------------------------------ */

static void name_of(const struct top *t, size_t row, char name[TOP_NAME_MAX])
{
	output_cell(
		json_object_get(t->rows.row[row].item, top_views[t->view].key),
		COLUMN_TEXT, false, name, TOP_NAME_MAX);
}

static void select_row(struct top *t, size_t row)
{
	struct top_table *table = top_table(t);

	table->at = row < t->rows.n ? row : t->rows.n ? t->rows.n - 1 : 0;
	table->selected[0] = '\0';
	if (t->rows.n)
		name_of(t, table->at, table->selected);
}

static void find_selected(struct top *t)
{
	struct top_table *table = top_table(t);
	char name[TOP_NAME_MAX];

	for (size_t i = 0; *table->selected && i < t->rows.n; i++) {
		name_of(t, i, name);
		if (strcmp(name, table->selected) == 0) {
			table->at = i;
			return;
		}
	}
	select_row(t, table->at);
}

void top_move(struct top *t, long by)
{
	size_t at = top_table(t)->at;

	if (by < 0 && (size_t)-by > at)
		select_row(t, 0);
	else
		select_row(t, at + (size_t)by);
}
