/*
 * text_table.c - Rows for people
 *
 * Columns are as wide as their widest cell among the first HELD_ROWS rows,
 * which are held back until they are that many or all. From then on rows flow:
 * each is written as it comes, so a listing of a million connections needs no
 * memory. A wider cell that comes later widens its column from there on.
 *
 * On a terminal the table must fit: columns that nobody asked for by name leave
 * in a fixed order until it does, or until the end of a list is all that is too
 * much.
 */
#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "names.h"

#define HELD_ROWS 1000
#define CELL_MAX  VALUE_TEXT_MAX
#define LIST_MIN  16 /* of a list that is cut off */
#define CUT	  "..."

static void begin(struct table *t);
static void forget_widths(struct table *t);
static int row(struct table *t, const char *text, size_t len);
static int values(struct table *t, const struct value *values);
static int row_is_whole(struct table *t);
static void end(struct table *t, bool complete);
static size_t name(struct table *t, unsigned int column, char *cell,
		   size_t len);
static bool hold(struct table *t, unsigned int column, const char *cell,
		 size_t len);
static void flow(struct table *t);
static void name_held(struct table *t);
static bool hold_named(struct table *t, unsigned int column, const char *cell);
static void make_fit(struct table *t);
static bool fits(struct table *t);
static size_t total_width(const struct table *t);
static void write_row(struct table *t, const char *cells);
static void write_cell(struct table *t, unsigned int column, const char *cell,
		       size_t before, bool last, bool colour);

const struct table_ops text_table = {begin, row, values, end, true};

static void begin(struct table *t)
{
	t->gap = 2;
	forget_widths(t);
}

static void forget_widths(struct table *t)
{
	for (unsigned int i = 0; i < t->ncols; i++)
		t->width[i] = t->cli->header ? strlen(t->col[i]->heading) : 0;
}

static int row(struct table *t, const char *text, size_t len)
{
	json_t *item = output_item(text, len);
	char cell[CELL_MAX];

	if (!item)
		return CLI_PROTOCOL;
	if (t->flowing)
		t->held_len = 0;
	for (unsigned int i = 0; i < t->ncols; i++) {
		size_t n =
			output_cell(json_object_get(item, t->col[i]->field),
				    t->col[i]->kind, true, cell, sizeof(cell));

		n = name(t, i, cell, n);
		if (!hold(t, i, cell, n)) {
			json_decref(item);
			complain("no memory");
			return CLI_NO;
		}
	}
	json_decref(item);
	return row_is_whole(t);
}

static int values(struct table *t, const struct value *v)
{
	char cell[CELL_MAX];

	if (t->flowing)
		t->held_len = 0;
	for (unsigned int i = 0; i < t->ncols; i++) {
		size_t n = output_value(&v[i], t->col[i]->kind, true, cell,
					sizeof(cell));

		n = name(t, i, cell, n);
		if (!hold(t, i, cell, n)) {
			complain("no memory");
			return CLI_NO;
		}
	}
	return row_is_whole(t);
}

static int row_is_whole(struct table *t)
{
	if (t->flowing)
		write_row(t, t->held);
	else if (++t->held_rows == HELD_ROWS || t->at_once)
		flow(t);
	if (t->cli->screen_rows && t->rows >= t->cli->screen_rows)
		return ITEM_ENOUGH;
	return ferror(t->out) ? ITEM_ENOUGH : ITEM_NEXT;
}

/* Rows that came before an error are true, too. */
static void end(struct table *t, bool complete)
{
	(void)complete;
	if (!t->flowing)
		flow(t);
}

/* Names of rows that are held are asked for now and written later, so that all
 * are looked for at the same time. Return: the length of the cell */
static size_t name(struct table *t, unsigned int column, char *cell, size_t len)
{
	if (!t->cli->resolve || t->col[column]->kind != COLUMN_END)
		return len;
	if (t->flowing)
		return names_put(cell, CELL_MAX);
	names_ask(cell);
	return len;
}

static bool hold(struct table *t, unsigned int column, const char *cell,
		 size_t len)
{
	if (t->held_size - t->held_len < CELL_MAX) {
		size_t size = t->held_size ? 2 * t->held_size : 64 * CELL_MAX;
		char *held = realloc(t->held, size);

		if (!held)
			return false;
		t->held = held;
		t->held_size = size;
	}
	memcpy(t->held + t->held_len, cell, len + 1);
	t->held_len += len + 1;
	if (len > t->width[column] && !t->cut[column])
		t->width[column] = len;
	return true;
}

static void flow(struct table *t)
{
	const char *cells;

	if (t->cli->resolve)
		name_held(t);
	cells = t->held;
	make_fit(t);
	if (t->cli->header)
		write_row(t, NULL);
	for (unsigned int r = 0; cells && r < t->held_rows; r++) {
		write_row(t, cells);
		for (unsigned int i = 0; i < t->ncols; i++)
			cells += strlen(cells) + 1;
	}
	t->flowing = true;
}

/* All cells anew: a name is not as long as its number. */
static void name_held(struct table *t)
{
	char *was = t->held;
	const char *from = was;
	bool ok = true;

	t->held = NULL;
	t->held_len = t->held_size = 0;
	forget_widths(t);
	for (unsigned int r = 0; r < t->held_rows; r++) {
		for (unsigned int i = 0; i < t->ncols && ok; i++) {
			ok = hold_named(t, i, from);
			from += strlen(from) + 1;
		}
	}
	if (ok) {
		free(was);
	} else { /* no memory: numbers will do */
		free(t->held);
		t->held = was;
	}
}

static bool hold_named(struct table *t, unsigned int column, const char *cell)
{
	char named[CELL_MAX];
	size_t len = strlen(cell);

	memcpy(named, cell, len + 1);
	if (t->col[column]->kind == COLUMN_END)
		len = names_put(named, sizeof(named));
	return hold(t, column, named, len);
}

static void make_fit(struct table *t)
{
	unsigned int leaving = 1;

	if (!t->cli->screen_cols || t->picked)
		return;
	if (total_width(t) > t->cli->screen_cols)
		t->gap = 1;
	for (; !fits(t) && leaving <= t->ncols; leaving++)
		for (unsigned int i = 0; i < t->ncols; i++)
			if (t->col[i]->leaves == leaving)
				t->hidden[i] = true;
}

static bool fits(struct table *t)
{
	size_t total = total_width(t), cols = t->cli->screen_cols, less;

	if (total <= cols)
		return true;
	for (unsigned int i = 0; i < t->ncols; i++) {
		if (t->hidden[i] || t->col[i]->kind != COLUMN_LIST)
			continue;
		less = total - cols;
		if (t->width[i] < less + LIST_MIN)
			continue;
		t->width[i] -= less;
		t->cut[i] = true;
		return true;
	}
	return false;
}

static size_t total_width(const struct table *t)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < t->ncols; i++)
		if (!t->hidden[i])
			sum += (sum ? t->gap : 0) + t->width[i];
	return sum;
}

/* @cells: One after the other; NULL writes the headings */
static void write_row(struct table *t, const char *cells)
{
	unsigned int last = t->ncols;
	size_t before = 0;

	while (last > 1 && t->hidden[last - 1])
		last--;
	for (unsigned int i = 0; i < last; i++) {
		const char *cell = cells ? cells : t->col[i]->heading;

		if (!t->hidden[i]) {
			write_cell(t, i, cell, before, i + 1 == last,
				   cells && t->cli->colour &&
					   t->col[i]->kind == COLUMN_STATE);
			before = t->gap;
		}
		if (cells)
			cells += strlen(cells) + 1;
	}
	putc_unlocked('\n', t->out);
}

static void write_cell(struct table *t, unsigned int column, const char *cell,
		       size_t before, bool last, bool colour)
{
	enum column_kind kind = t->col[column]->kind;
	bool right = kind == COLUMN_COUNT || kind == COLUMN_BYTES ||
		     kind == COLUMN_TIME;
	size_t len = strlen(cell);
	size_t pad = t->width[column] > len ? t->width[column] - len : 0;
	bool cut = t->cut[column] && len > t->width[column];

	for (before += right ? pad : 0; before > 0; before--)
		putc_unlocked(' ', t->out);
	if (colour)
		fputs_unlocked(output_state_sgr(cell), t->out);
	if (cut)
		len = t->width[column] - strlen(CUT);
	fwrite_unlocked(cell, 1, len, t->out);
	if (cut)
		fputs_unlocked(CUT, t->out);
	if (colour)
		fputs_unlocked(SGR_OFF, t->out);
	for (pad = right || last ? 0 : pad; pad > 0; pad--)
		putc_unlocked(' ', t->out);
}
