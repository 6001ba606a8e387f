/*
 * metrics.c - Every figure, as Prometheus reads it
 *
 * The text is the daemon's, the same as its service metrics answers.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "output.h"

static const struct column columns[] = {
	{"NAME", "name", COLUMN_TEXT, true, 0},
	{"TYPE", "type", COLUMN_TEXT, true, 0},
	{"HELP", "help", COLUMN_TEXT, true, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static int print(void *arg, const char *text, size_t len);
static void print_clean(FILE *out, char *text);

enum cli_exit metrics_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	struct table t;

	(void)argc;
	(void)argv;
	if (cli->format == FORMAT_TEXT)
		return client_call(cli->client, "metrics", NULL, print, cli,
				   NULL);
	e = table_begin(&t, cli, columns);
	if (e != CLI_OK)
		return e;
	e = client_call(cli->client, "metrics", NULL, table_row, &t, NULL);
	table_end(&t, e == CLI_OK);
	return e;
}

static int print(void *arg, const char *text, size_t len)
{
	const struct cli *cli = arg;
	json_t *o = json_loadb(text, len, 0, NULL);
	const char *family = json_string_value(json_object_get(o, "text"));
	char *copy = family ? strdup(family) : NULL;

	if (copy)
		print_clean(cli->out, copy);
	free(copy);
	json_decref(o);
	return ITEM_NEXT;
}

/* Lines stay lines; what else a terminal would obey does not get there. */
static void print_clean(FILE *out, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		text_clean(line);
		fprintf(out, text ? "%s\n" : "%s", line);
	}
}
