/*
 * config.c - What the daemon runs with, and what its file says by now
 *
 * For people `config show` is a file that tcphsd would take, and `config diff`
 * looks like diff(1): - as it runs, + as the file has it. Programs get a row
 * for each key.
 */
#include "cli.h"

#include <string.h>

#include "client.h"
#include "output.h"

static const struct column show_columns[] = {
	{"SECTION", "section", COLUMN_TEXT, true, 0},
	{"KEY", "key", COLUMN_TEXT, true, 0},
	{"VALUE", "value", COLUMN_TEXT, true, 0},
	{"DEFAULT", "default", COLUMN_TEXT, true, 1},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static const struct column diff_columns[] = {
	{"SECTION", "section", COLUMN_TEXT, true, 0},
	{"KEY", "key", COLUMN_TEXT, true, 0},
	{"RUNNING", "running", COLUMN_TEXT, true, 0},
	{"FILE", "file", COLUMN_TEXT, true, 0},
	{"ONLY", "only", COLUMN_TEXT, true, 1},
	{"RESTART", "restart", COLUMN_TEXT, true, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static enum cli_exit rows(struct cli *cli, const char *method, json_t *params,
			  const struct column *columns, uint64_t *n);
static enum cli_exit collect(struct cli *cli, const char *method,
			     json_t *params, json_t *items, json_t **result);
static int keep(void *arg, const char *text, size_t len);
static void show_text(const struct cli *cli, const json_t *items);
static void check_text(const struct cli *cli, const json_t *doc);
static void diff_text(const struct cli *cli, const json_t *items,
		      const char *file);
static void put_section(const struct cli *cli, const json_t *item,
			const char **section);
static void put_setting(const struct cli *cli, const json_t *item,
			const char *sign, const char *field);
static const char *text_of(const json_t *item, const char *field, char *buf,
			   size_t size);

enum cli_exit config_show_run(struct cli *cli, int argc, char **argv)
{
	json_t *params = json_pack("{s:b}", "defaults", cli->defaults), *items;
	enum cli_exit e;
	uint64_t n;

	(void)argc;
	(void)argv;
	if (cli->format != FORMAT_TEXT || cli->columns)
		return rows(cli, "config.show", params, show_columns, &n);
	items = json_array();
	e = collect(cli, "config.show", params, items, NULL);
	if (e == CLI_OK)
		show_text(cli, items);
	json_decref(items);
	return e;
}

enum cli_exit config_check_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	json_t *doc;
	bool valid;

	(void)argc;
	(void)argv;
	e = client_call(cli->client, "config.check", NULL, NULL, NULL, &doc);
	if (e != CLI_OK)
		return e;
	output_document(cli, doc, check_text);
	valid = json_is_true(json_object_get(doc, "valid"));
	json_decref(doc);
	return valid ? CLI_OK : CLI_NO;
}

enum cli_exit config_diff_run(struct cli *cli, int argc, char **argv)
{
	json_t *items, *result = NULL;
	enum cli_exit e;
	uint64_t n;

	(void)argc;
	(void)argv;
	if (cli->format != FORMAT_TEXT || cli->columns) {
		e = rows(cli, "config.diff", NULL, diff_columns, &n);
		return e == CLI_OK && n > 0 ? CLI_NO : e;
	}
	items = json_array();
	e = collect(cli, "config.diff", NULL, items, &result);
	if (e == CLI_OK && json_array_size(items) > 0) {
		diff_text(cli, items,
			  json_string_value(json_object_get(result, "file")));
		e = CLI_NO;
	}
	json_decref(result);
	json_decref(items);
	return e;
}

static enum cli_exit rows(struct cli *cli, const char *method, json_t *params,
			  const struct column *columns, uint64_t *n)
{
	enum cli_exit e;
	struct table t;

	e = table_begin(&t, cli, columns);
	if (e != CLI_OK) {
		json_decref(params);
		return e;
	}
	e = client_call(cli->client, method, params, table_row, &t, NULL);
	table_end(&t, e == CLI_OK);
	*n = t.rows;
	return e;
}

static enum cli_exit collect(struct cli *cli, const char *method,
			     json_t *params, json_t *items, json_t **result)
{
	return client_call(cli->client, method, params, keep, items, result);
}

static int keep(void *arg, const char *text, size_t len)
{
	json_t *item = output_item(text, len);

	if (!item)
		return CLI_PROTOCOL;
	json_array_append_new(arg, item);
	return ITEM_NEXT;
}

static void show_text(const struct cli *cli, const json_t *items)
{
	const char *section = "";
	json_t *item;
	size_t i;

	fprintf(cli->out,
		cli->defaults ? "# What tcphsd runs with\n"
		: json_array_size(items)
			? "# What tcphsd runs with; any other key has its "
			  "default\n"
			: "# What tcphsd runs with: every key has its "
			  "default\n");
	json_array_foreach(items, i, item)
	{
		put_section(cli, item, &section);
		if (json_is_true(json_object_get(item, "hidden")))
			put_setting(cli, item,
				    "# only an admin sees it: ", "value");
		else
			put_setting(cli, item, "", "value");
	}
}

static void check_text(const struct cli *cli, const json_t *doc)
{
	const json_t *errors = json_object_get(doc, "errors");
	char file[512], line[1024];
	json_t *error;
	size_t i;

	json_array_foreach(errors, i, error)
	{
		snprintf(line, sizeof(line), "%s", json_string_value(error));
		text_clean(line);
		complaint("%s\n", line);
	}
	if (!json_is_true(json_object_get(doc, "valid")))
		return;
	text_of(doc, "file", file, sizeof(file));
	fprintf(cli->out, "%s: configuration is valid\n",
		*file ? file : "defaults");
	if (*text_of(doc, "restart", line, sizeof(line)))
		fprintf(cli->out,
			"A reload would be refused: %s needs a restart\n",
			line);
}

static void diff_text(const struct cli *cli, const json_t *items,
		      const char *file)
{
	char name[512], only[16];
	const char *section = "";
	json_t *item;
	size_t i;

	snprintf(name, sizeof(name), "%s", file ? file : "defaults");
	text_clean(name);
	fprintf(cli->out, "--- running\n+++ %s\n", name);
	json_array_foreach(items, i, item)
	{
		put_section(cli, item, &section);
		text_of(item, "only", only, sizeof(only));
		if (strcmp(only, "file") != 0) {
			fputs(output_sgr(cli, SGR_RED), cli->out);
			put_setting(cli, item, "-", "running");
		}
		if (strcmp(only, "running") != 0) {
			fputs(output_sgr(cli, SGR_GREEN), cli->out);
			put_setting(cli, item, "+", "file");
		}
		fputs(output_sgr(cli, SGR_OFF), cli->out);
	}
}

/* "[interface]", before the first key of it. */
static void put_section(const struct cli *cli, const json_t *item,
			const char **section)
{
	const char *here = json_string_value(json_object_get(item, "section"));
	char name[128];

	if (!here || strcmp(here, *section) == 0)
		return;
	*section = here;
	fprintf(cli->out, "\n[%s]\n",
		text_of(item, "section", name, sizeof(name)));
}

static void put_setting(const struct cli *cli, const json_t *item,
			const char *sign, const char *field)
{
	bool restart = json_is_true(json_object_get(item, "restart"));
	char key[128], value[512];

	text_of(item, "key", key, sizeof(key));
	text_of(item, field, value, sizeof(value));
	fprintf(cli->out, "%s%s =%s%s%s\n", sign, key, *value ? " " : "", value,
		restart && *sign == '+' ? "  ; needs a restart" : "");
}

static const char *text_of(const json_t *item, const char *field, char *buf,
			   size_t size)
{
	const char *text = json_string_value(json_object_get(item, field));

	snprintf(buf, size, "%s", text ? text : "");
	text_clean(buf);
	return buf;
}
