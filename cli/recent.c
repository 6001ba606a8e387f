/*
 * recent.c - The table of connections and attempts that ended
 *
 * The daemon sends what it remembers in no order; people want the latest first,
 * so all are held until the last has come. There are as many as the memory of
 * packets has room for, some ten thousand.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "columns.h"
#include "since.h"

const struct column recent_columns[] = {
	{"ID", "id", COLUMN_TEXT, true, 0},
	{"OUTCOME", "outcome", COLUMN_TEXT, true, 0},
	{"LOCAL", "local", COLUMN_END, true, 0},
	{"PEER", "peer", COLUMN_END, true, 0},
	{"LISTENER", "listener", COLUMN_TEXT, true, 4},
	{"ROLE", "role", COLUMN_TEXT, true, 1},
	{"AGO", "closed_ago_us", COLUMN_TIME, true, 0},
	{"LIFE", "life_us", COLUMN_TIME, true, 7},
	{"HS", "handshake_us", COLUMN_TIME, true, 6},
	{"IN", "bytes_in", COLUMN_BYTES, true, 2},
	{"OUT", "bytes_out", COLUMN_BYTES, true, 3},
	{"RETR", "retrans", COLUMN_COUNT, true, 5},
	{"REASON", "reason", COLUMN_TEXT, true, 8},
	{"STAGE", "stage", COLUMN_TEXT, false, 0},
	{"DROP", "drop", COLUMN_TEXT, false, 0},
	{"OPENED", "opened", COLUMN_TEXT, false, 0},
	{"CLOSED", "closed", COLUMN_TEXT, false, 0},
	{"PACKETS", "packets", COLUMN_COUNT, false, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

struct record {
	int64_t ago_us;
	char *text;
	size_t len;
};

struct records {
	int64_t longest_ago_us; /* none that ended before that */
	struct record *list;
	size_t n, room;
};

static int take(void *arg, const char *text, size_t len);
static int later_first(const void *a, const void *b);
static int put(const struct records *r, uint32_t count, struct table *t);

enum cli_exit recent_run(struct cli *cli, int argc, char **argv)
{
	struct records r = {.longest_ago_us = INT64_MAX};
	int64_t since_us;
	enum cli_exit e;
	struct table t;

	if (cli->since && !since_parse(cli->since, &since_us))
		return CLI_USAGE;
	if (cli->since)
		r.longest_ago_us = since_now_us() - since_us;
	e = table_begin(&t, cli, recent_columns);
	if (e != CLI_OK)
		return e;
	e = client_call(cli->client, "conn.recent", client_filter(argc, argv),
			take, &r, NULL);
	if (e == CLI_OK)
		e = (enum cli_exit)put(&r, cli->count, &t);
	table_end(&t, e == CLI_OK);
	for (size_t i = 0; i < r.n; i++)
		free(r.list[i].text);
	free(r.list);
	if (e == CLI_OK && argc > 0 && t.rows == 0)
		return CLI_NO; /* as grep */
	return e;
}

static int take(void *arg, const char *text, size_t len)
{
	struct records *r = arg;
	json_t *o = json_loadb(text, len, 0, NULL);
	struct record new = {
		.ago_us =
			json_integer_value(json_object_get(o, "closed_ago_us")),
		.text = strndup(text, len),
		.len = len,
	};

	json_decref(o);
	if (new.ago_us > r->longest_ago_us) {
		free(new.text);
		return ITEM_NEXT;
	}
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		struct record *list = realloc(r->list, room * sizeof(*r->list));

		if (list) {
			r->list = list;
			r->room = room;
		}
	}
	if (r->n == r->room || !new.text) {
		free(new.text);
		complain("no memory");
		return CLI_NO;
	}
	r->list[r->n++] = new;
	return ITEM_NEXT;
}

static int later_first(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return (x->ago_us > y->ago_us) - (x->ago_us < y->ago_us);
}

/* @count: At most so many; 0 = all */
static int put(const struct records *r, uint32_t count, struct table *t)
{
	size_t n = count && count < r->n ? count : r->n;
	int verdict = ITEM_NEXT;

	if (r->n)
		qsort(r->list, r->n, sizeof(*r->list), later_first);
	for (size_t i = 0; i < n && verdict == ITEM_NEXT; i++)
		verdict = table_row(t, r->list[i].text, r->list[i].len);
	return verdict > 0 ? verdict : CLI_OK;
}
