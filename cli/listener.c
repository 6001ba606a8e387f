/*
 * listener.c - What the daemon listens on
 */
#include "cli.h"

#include <string.h>

#include "client.h"
#include "columns.h"

const struct column listener_columns[] = {
	{"NAME", "name", COLUMN_TEXT, true, 0},
	{"SERVICE", "service", COLUMN_TEXT, true, 0},
	{"ADDRESS", "address", COLUMN_TEXT, true, 4},
	{"PORT", "port", COLUMN_COUNT, true, 0},
	{"STATUS", "status", COLUMN_TEXT, true, 0},
	{"CONNS", "connections", COLUMN_COUNT, true, 0},
	{"HALF-OPEN", "half_open", COLUMN_COUNT, true, 1},
	{"OPENED", "opened", COLUMN_COUNT, true, 3},
	{"REFUSED", "refused", COLUMN_COUNT, true, 2},
	{"ENABLED", "enabled", COLUMN_TEXT, false, 0},
	{"BACKLOG", "backlog", COLUMN_COUNT, false, 0},
	{"MAX", "max_connections", COLUMN_COUNT, false, 0},
	{"SYNS", "syns", COLUMN_COUNT, false, 0},
	{"OVERFLOWS", "overflows", COLUMN_COUNT, false, 0},
	{"COOKIES", "cookies", COLUMN_COUNT, false, 0},
	{"ALLOW", "allow", COLUMN_TEXT, false, 0},
	{"LINE", "line", COLUMN_COUNT, false, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

static enum cli_exit set(struct cli *cli, int argc, char **argv,
			 const char *method);
static void tell(const struct cli *cli, const char *name, const json_t *result);
static enum cli_exit turn(struct cli *cli, const char *name, const char *method,
			  const char *done);

enum cli_exit listener_list_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	struct table t;

	(void)argc;
	(void)argv;
	e = table_begin(&t, cli, listener_columns);
	if (e != CLI_OK)
		return e;
	e = client_call(cli->client, "listener.list", NULL, table_row, &t,
			NULL);
	table_end(&t, e == CLI_OK);
	return e;
}

enum cli_exit listener_add_run(struct cli *cli, int argc, char **argv)
{
	return set(cli, argc, argv, "listener.add");
}

enum cli_exit listener_set_run(struct cli *cli, int argc, char **argv)
{
	if (argc > 1 || cli->port || cli->service)
		return set(cli, argc, argv, "listener.set");
	complain("listener set wants KEY=VALUE, such as backlog=16");
	return CLI_USAGE;
}

enum cli_exit listener_del_run(struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return turn(cli, argv[0], "listener.del", "deleted");
}

enum cli_exit listener_enable_run(struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return turn(cli, argv[0], "listener.enable", "enabled");
}

enum cli_exit listener_disable_run(struct cli *cli, int argc, char **argv)
{
	(void)argc;
	return turn(cli, argv[0], "listener.disable", "disabled");
}

/* NAME [KEY=VALUE...], --port and --service being two of the keys. */
static enum cli_exit set(struct cli *cli, int argc, char **argv,
			 const char *method)
{
	json_t *settings = json_object(), *result;
	enum cli_exit e;

	if (cli->port)
		json_object_set_new(settings, "port", json_string(cli->port));
	if (cli->service)
		json_object_set_new(settings, "service",
				    json_string(cli->service));
	for (int k = 1; k < argc; k++) {
		char *equal = strchr(argv[k], '=');

		if (!equal) {
			complain("'%s' is no KEY=VALUE", argv[k]);
			json_decref(settings);
			return CLI_USAGE;
		}
		json_object_set_new(
			settings, strndupa(argv[k], (size_t)(equal - argv[k])),
			json_string(equal + 1));
	}
	e = client_call(
		cli->client, method,
		json_pack("{s:s, s:o}", "name", argv[0], "settings", settings),
		NULL, NULL, &result);
	if (e != CLI_OK)
		return e;
	tell(cli, argv[0], result);
	json_decref(result);
	return CLI_OK;
}

/* Where it listens now, or would. */
static void tell(const struct cli *cli, const char *name, const json_t *result)
{
	char ends[256] = "";
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(result, "ends"), i, v)
	{
		snprintf(ends + strlen(ends), sizeof(ends) - strlen(ends),
			 "%s%s", i ? " and " : " ", json_string_value(v));
	}
	output_sentence(cli, result, "listener %s%s %s", name, ends,
			json_is_false(json_object_get(result, "enabled"))
				? "disabled"
				: "enabled");
}

static enum cli_exit turn(struct cli *cli, const char *name, const char *method,
			  const char *done)
{
	enum cli_exit e;
	json_t *result;

	e = client_call(cli->client, method, json_pack("{s:s}", "name", name),
			NULL, NULL, &result);
	if (e == CLI_OK)
		output_sentence(cli, result, "listener %s %s", name, done);
	json_decref(result);
	return e;
}
