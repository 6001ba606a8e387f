/*
 * daemon.c - Steering the daemon itself
 */
#include "cli.h"

#include "client.h"
#include "output.h"

enum cli_exit reload_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	json_t *result;

	(void)argc;
	(void)argv;
	e = client_call(cli->client, "reload", NULL, NULL, NULL, &result);
	if (e == CLI_OK)
		output_sentence(cli, result, "%s",
				json_is_true(json_object_get(result, "changed"))
					? "reloaded"
					: "reloaded, nothing changed");
	json_decref(result);
	return e;
}

enum cli_exit log_level_run(struct cli *cli, int argc, char **argv)
{
	json_t *params = json_pack("{s:s}", "level", argv[argc - 1]);
	const char *level, *was;
	enum cli_exit e;
	json_t *result;

	if (argc > 1)
		json_object_set_new(params, "module", json_string(argv[0]));
	e = client_call(cli->client, "log.level", params, NULL, NULL, &result);
	if (e != CLI_OK)
		return e;
	level = json_string_value(json_object_get(result, "level"));
	was = json_string_value(json_object_get(result, "was"));
	if (argc > 1)
		output_sentence(cli, result, "log level of %s %s", argv[0],
				level ? level : argv[1]);
	else if (was)
		output_sentence(cli, result, "log level %s (was %s)",
				level ? level : argv[0], was);
	else
		output_sentence(cli, result, "log level %s",
				level ? level : argv[0]);
	json_decref(result);
	return CLI_OK;
}
