/*
 * output.c - Rows and documents in each format
 *
 * Text is for people. In JSON an item passes as the daemon sent it, unless -o
 * picks fields: fields that are newer than this program come through. CSV, TSV
 * and raw have the columns of text under the names of JSON with its plain
 * integers, so that a unit is in the name and nothing is rounded.
 */
#include "output.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <tcphs/ipaddr.h>

#include "item.h"

#define CELL_MAX 1024

static enum cli_exit pick(struct table *t, const struct column *columns);
static bool same_name(const char *name, size_t len, const char *known);
static void no_column(const struct column *columns, const char *name,
		      size_t len);

static void delimited_begin(struct table *t);
static int delimited_row(struct table *t, const char *text, size_t len);
static int delimited_values(struct table *t, const struct value *values);
static void put_field(const struct cli *cli, FILE *out, unsigned int column,
		      const char *cell);
static void put_document(const struct cli *cli, const json_t *doc,
			 const char *prefix);
static int ndjson_row(struct table *t, const char *text, size_t len);
static void json_begin(struct table *t);
static int json_row(struct table *t, const char *text, size_t len);
static int json_values(struct table *t, const struct value *values);
static void json_end(struct table *t, bool complete);
static int put_item(struct table *t, const char *text, size_t len);
static void no_begin(struct table *t);
static void no_end(struct table *t, bool complete);
static int no_row(struct table *t, const char *text, size_t len);
static int no_values(struct table *t, const struct value *values);

static const struct table_ops delimited = {
	delimited_begin, delimited_row, delimited_values, no_end, true,
};
static const struct table_ops ndjson = {no_begin, ndjson_row, json_values,
					no_end, false};
static const struct table_ops json = {json_begin, json_row, json_values,
				      json_end, false};
static const struct table_ops none = {no_begin, no_row, no_values, no_end,
				      false};

static const struct table_ops *const formats[] = {
	[FORMAT_TEXT] = &text_table, [FORMAT_JSON] = &json,
	[FORMAT_NDJSON] = &ndjson,   [FORMAT_CSV] = &delimited,
	[FORMAT_TSV] = &delimited,   [FORMAT_RAW] = &delimited,
	[FORMAT_NONE] = &none,
};

enum cli_exit table_begin(struct table *t, const struct cli *cli,
			  const struct column *columns)
{
	*t = (struct table){
		.cli = cli, .ops = formats[cli->format], .out = cli->out};
	return pick(t, columns);
}

int table_row(void *arg, const char *text, size_t len)
{
	struct value v[OUTPUT_COLUMNS_MAX];
	struct table *t = arg;

	if (t->ops->of_cells && item_values(text, len, t->col, t->ncols, v))
		return table_made_row(t, v);
	if (t->rows++ == 0)
		t->ops->begin(t);
	return t->ops->row(t, text, len);
}

int table_values(struct table *t, value_fn *value, const void *of)
{
	struct value v[OUTPUT_COLUMNS_MAX];

	for (unsigned int i = 0; i < t->ncols; i++)
		value(of, t->col[i], &v[i]);
	return table_made_row(t, v);
}

int table_made_row(struct table *t, const struct value *values)
{
	if (t->rows++ == 0)
		t->ops->begin(t);
	return t->ops->values(t, values);
}

void table_end(struct table *t, bool complete)
{
	if (t->rows == 0 && complete)
		t->ops->begin(t);
	if (t->rows > 0 || complete)
		t->ops->end(t, complete);
	free(t->held);
}

void output_document(const struct cli *cli, const json_t *doc,
		     void (*text)(const struct cli *cli, const json_t *doc))
{
	switch (cli->format) {
	case FORMAT_TEXT:
		text(cli, doc);
		break;
	case FORMAT_JSON:
	case FORMAT_NDJSON:
		json_dumpf(doc, cli->out,
			   output_flags(cli) |
				   (cli->format == FORMAT_JSON ? JSON_INDENT(2)
							       : JSON_COMPACT));
		fputc('\n', cli->out);
		break;
	case FORMAT_CSV:
	case FORMAT_TSV:
	case FORMAT_RAW:
		if (cli->header) {
			put_field(cli, cli->out, 0, "name");
			put_field(cli, cli->out, 1, "value");
			fputc('\n', cli->out);
		}
		put_document(cli, doc, "");
		break;
	case FORMAT_NONE:
		break;
	}
}

json_t *output_item(const char *text, size_t len)
{
	json_t *item = json_loadb(text, len, 0, NULL);

	if (json_is_object(item))
		return item;
	json_decref(item);
	complain("an item of the daemon is not JSON");
	return NULL;
}

void output_sentence(const struct cli *cli, const json_t *doc, const char *fmt,
		     ...)
{
	char line[512];
	va_list ap;

	if (cli->format == FORMAT_JSON || cli->format == FORMAT_NDJSON) {
		json_dumpf(doc, cli->out, output_flags(cli) | JSON_COMPACT);
		fputc('\n', cli->out);
	} else if (cli->format != FORMAT_NONE) {
		va_start(ap, fmt);
		vsnprintf(line, sizeof(line), fmt, ap);
		va_end(ap);
		text_clean(line);
		fprintf(cli->out, "%s\n", line);
	}
}

/* JSON escapes the control characters below the blank; those above DEL are
 * left to JSON_ENSURE_ASCII. */
size_t output_flags(const struct cli *cli)
{
	return cli->terminal ? JSON_ENSURE_ASCII : 0;
}

const char *output_sgr(const struct cli *cli, const char *sgr)
{
	return cli->colour ? sgr : "";
}

/* ---- columns ---------------------------------------------------------- */

static enum cli_exit pick(struct table *t, const struct column *columns)
{
	const char *list = t->cli->columns ? t->cli->columns : "+";
	const struct column *c;

	if (*list == '+')
		for (c = columns; c->heading; c++)
			if (c->shown)
				t->col[t->ncols++] = c;
	t->picked = t->cli->columns;
	for (; *list; list += *list == ',') {
		size_t len;

		list += *list == '+';
		len = strcspn(list, ",");
		if (len == 0 && !t->cli->columns)
			break;
		c = column_find(columns, list, len);
		if (!c)
			return CLI_USAGE;
		if (t->ncols == OUTPUT_COLUMNS_MAX) {
			complain("more than %d columns", OUTPUT_COLUMNS_MAX);
			return CLI_USAGE;
		}
		t->col[t->ncols++] = c;
		list += len;
	}
	if (t->ncols > 0)
		return CLI_OK;
	no_column(columns, "", 0);
	return CLI_USAGE;
}

const struct column *column_find(const struct column *columns, const char *name,
				 size_t len)
{
	for (const struct column *c = columns; c->heading; c++)
		if (same_name(name, len, c->heading) ||
		    same_name(name, len, c->field))
			return c;
	no_column(columns, name, len);
	return NULL;
}

/* bytes-in is bytes_in is BYTES-IN. */
static bool same_name(const char *name, size_t len, const char *known)
{
	if (strlen(known) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char a = name[i] == '-' ? '_' : name[i];
		char b = known[i] == '-' ? '_' : known[i];

		if (strncasecmp(&a, &b, 1) != 0)
			return false;
	}
	return true;
}

static void no_column(const struct column *columns, const char *name,
		      size_t len)
{
	char all[512] = "";

	for (; columns->heading; columns++) {
		size_t n = strlen(all);

		snprintf(all + n, sizeof(all) - n, "%s%s", n ? " " : "",
			 columns->heading);
	}
	complain("no column '%.*s' (there are: %s)", (int)len, name, all);
}

/* ---- csv, tsv, raw ---------------------------------------------------- */

static void delimited_begin(struct table *t)
{
	if (!t->cli->header)
		return;
	for (unsigned int i = 0; i < t->ncols; i++)
		put_field(t->cli, t->out, i, t->col[i]->field);
	fputc('\n', t->out);
}

static int delimited_row(struct table *t, const char *text, size_t len)
{
	json_t *item = output_item(text, len);
	char cell[CELL_MAX];

	if (!item)
		return CLI_PROTOCOL;
	for (unsigned int i = 0; i < t->ncols; i++) {
		output_cell(json_object_get(item, t->col[i]->field),
			    t->col[i]->kind, false, cell, sizeof(cell));
		put_field(t->cli, t->out, i, cell);
	}
	json_decref(item);
	putc_unlocked('\n', t->out);
	return ferror(t->out) ? ITEM_ENOUGH : ITEM_NEXT;
}

static int delimited_values(struct table *t, const struct value *v)
{
	char cell[CELL_MAX];

	for (unsigned int i = 0; i < t->ncols; i++) {
		output_value(&v[i], t->col[i]->kind, false, cell, sizeof(cell));
		put_field(t->cli, t->out, i, cell);
	}
	putc_unlocked('\n', t->out);
	return ferror(t->out) ? ITEM_ENOUGH : ITEM_NEXT;
}

/*
 * RFC 4180, 2 for CSV. Cells hold no tabs and no line feeds: output_cell()
 * replaced them. Raw is for `while read`: no field is empty or has a blank.
 */
static void put_field(const struct cli *cli, FILE *out, unsigned int column,
		      const char *cell)
{
	static const char delimiter[] = {
		[FORMAT_CSV] = ',', [FORMAT_TSV] = '\t', [FORMAT_RAW] = ' '};
	bool quote = cli->format == FORMAT_CSV && strpbrk(cell, ",\"");

	if (column > 0)
		putc_unlocked(delimiter[cli->format], out);
	if (quote)
		putc_unlocked('"', out);
	if (cli->format == FORMAT_RAW && !*cell)
		putc_unlocked('-', out);
	for (; *cell; cell++) {
		if (cli->format == FORMAT_RAW && *cell == ' ') {
			fputs("\\x20", out);
			continue;
		}
		if (quote && *cell == '"')
			putc_unlocked('"', out);
		putc_unlocked(*cell, out);
	}
	if (quote)
		putc_unlocked('"', out);
}

/* One line a leaf, its name dotted: "dropped.seq". An end is a leaf. */
static void put_document(const struct cli *cli, const json_t *doc,
			 const char *prefix)
{
	char name[256], cell[CELL_MAX];
	const char *key;
	json_t *v;

	/* jansson's macro takes no const object; it is not changed. */
	json_object_foreach((json_t *)(uintptr_t)doc, key, v)
	{
		snprintf(name, sizeof(name), "%s%s%s", prefix,
			 *prefix ? "." : "", key);
		if (json_is_object(v) && !json_object_get(v, "ip")) {
			put_document(cli, v, name);
			continue;
		}
		text_clean(name);
		output_cell(v, COLUMN_TEXT, false, cell, sizeof(cell));
		put_field(cli, cli->out, 0, name);
		put_field(cli, cli->out, 1, cell);
		fputc('\n', cli->out);
	}
}

/* ---- JSON ------------------------------------------------------------- */

static int ndjson_row(struct table *t, const char *text, size_t len)
{
	int verdict = put_item(t, text, len);

	putc_unlocked('\n', t->out);
	return verdict;
}

/* One item a line, for people who look at it and for tools of lines. */
static void json_begin(struct table *t)
{
	fputc('[', t->out);
}

static int json_row(struct table *t, const char *text, size_t len)
{
	fputs_unlocked(t->rows > 1 ? ",\n" : "\n", t->out);
	return put_item(t, text, len);
}

/* An object with the columns: what came as JSON passes whole, this cannot. */
static int json_values(struct table *t, const struct value *v)
{
	json_t *item = json_object();
	char ip[IPADDR_TEXT_MAX], *text;
	int verdict;

	for (unsigned int i = 0; i < t->ncols; i++) {
		const char *field = t->col[i]->field;

		if (v[i].type == VALUE_NUMBER)
			json_object_set_new(item, field,
					    json_integer(v[i].number));
		else if (v[i].type == VALUE_TEXT)
			json_object_set_new(item, field,
					    json_string(v[i].text));
		else if (v[i].type == VALUE_END)
			json_object_set_new(
				item, field,
				json_pack("{s:s, s:I}", "ip",
					  ipaddr_format(&v[i].addr, ip), "port",
					  (json_int_t)v[i].number));
	}
	text = json_dumps(item, JSON_COMPACT);
	verdict = t->ops->row(t, text, strlen(text));
	free(text);
	json_decref(item);
	return verdict;
}

static void json_end(struct table *t, bool complete)
{
	if (complete)
		fputs(t->rows ? "\n]\n" : "]\n", t->out);
}

static int put_item(struct table *t, const char *text, size_t len)
{
	size_t flags = JSON_COMPACT | output_flags(t->cli);
	json_t *item, *some;

	if (!t->picked && !t->cli->terminal) {
		fwrite_unlocked(text, 1, len, t->out);
		return ferror(t->out) ? ITEM_ENOUGH : ITEM_NEXT;
	}
	item = output_item(text, len);
	if (!item)
		return CLI_PROTOCOL;
	some = t->picked ? json_object() : json_incref(item);
	for (unsigned int i = 0; t->picked && i < t->ncols; i++) {
		json_t *v = json_object_get(item, t->col[i]->field);

		if (v)
			json_object_set(some, t->col[i]->field, v);
	}
	json_dumpf(some, t->out, flags);
	json_decref(some);
	json_decref(item);
	return ferror(t->out) ? ITEM_ENOUGH : ITEM_NEXT;
}

/* ---- what a format leaves out ----------------------------------------- */

static void no_begin(struct table *t)
{
	(void)t;
}

static int no_row(struct table *t, const char *text, size_t len)
{
	(void)t;
	(void)text;
	(void)len;
	return ITEM_NEXT;
}

static int no_values(struct table *t, const struct value *v)
{
	(void)t;
	(void)v;
	return ITEM_NEXT;
}

static void no_end(struct table *t, bool complete)
{
	(void)t;
	(void)complete;
}
