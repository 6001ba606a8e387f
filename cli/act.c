/*
 * act.c - Ending connections
 *
 * close --all ends all that match, and so does kill, but counts them first and
 * asks. Between question and answer connections come and go: what is said at the
 * end is what was done.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tcphs/plural.h>

#include "client.h"
#include "output.h"

static enum cli_exit end_all(struct cli *cli, const char *command, int argc,
			     char **argv);
static enum cli_exit tell_all(struct cli *cli, const json_t *result);
static enum cli_exit ask(struct cli *cli, const char *filter);
static int count_item(void *arg, const char *text, size_t len);

enum cli_exit close_run(struct cli *cli, int argc, char **argv)
{
	const char *id;
	enum cli_exit e;
	json_t *result;

	if (cli->all)
		return end_all(cli, "close --all", argc, argv);
	if (argc != 1) {
		complain("'close' wants one CONN, or --all and a FILTER");
		return CLI_USAGE;
	}
	e = client_call(
		cli->client, "conn.close",
		json_pack("{s:s, s:b}", "conn", argv[0], "rst", cli->rst), NULL,
		NULL, &result);
	if (e == CLI_OK) {
		id = json_string_value(json_object_get(result, "id"));
		output_sentence(cli, result, "%s %s", id ? id : argv[0],
				cli->rst ? "reset" : "closing");
	}
	json_decref(result);
	return e;
}

enum cli_exit kill_run(struct cli *cli, int argc, char **argv)
{
	return end_all(cli, "kill", argc, argv);
}

/* @command: "kill", which asks unless it was told "yes", or another */
static enum cli_exit end_all(struct cli *cli, const char *command, int argc,
			     char **argv)
{
	char *filter = text_join(argc, argv);
	enum cli_exit e = CLI_OK;
	json_t *result = NULL;

	if (!filter || !filter[strspn(filter, " \t")]) {
		complain("%s wants a filter (to end every connection: "
			 "tcphsctl %s state all)",
			 command, command);
		e = CLI_USAGE;
	}
	if (e == CLI_OK && !cli->all && !cli->yes)
		e = ask(cli, filter);
	if (e == CLI_OK)
		e = client_call(cli->client, "conn.kill",
				json_pack("{s:s, s:b}", "filter", filter, "rst",
					  cli->rst),
				NULL, NULL, &result);
	if (e == CLI_OK)
		e = tell_all(cli, result);
	json_decref(result);
	free(filter);
	return e;
}

static enum cli_exit tell_all(struct cli *cli, const json_t *result)
{
	json_int_t count = json_integer_value(json_object_get(result, "count"));
	json_int_t skipped =
		json_integer_value(json_object_get(result, "skipped"));
	char others[64] = "";

	if (skipped)
		snprintf(others, sizeof(others),
			 "; %" JSON_INTEGER_FORMAT
			 " half-open or in TIME-WAIT left",
			 skipped);
	output_sentence(
		cli, result, "%s %" JSON_INTEGER_FORMAT " connection%s%s",
		cli->rst ? "reset" : "closing", count, plural(count), others);
	return count ? CLI_OK : CLI_NO;
}

/* Return: CLI_OK for yes */
static enum cli_exit ask(struct cli *cli, const char *filter)
{
	json_int_t count = 0;
	enum cli_exit e;
	char answer[16];

	if (!isatty(STDIN_FILENO)) {
		complain("there is nobody to ask: say -y");
		return CLI_USAGE;
	}
	e = client_call(cli->client, "conn.list",
			json_pack("{s:s}", "filter", filter), count_item,
			&count, NULL);
	if (e != CLI_OK)
		return e;
	if (count == 0) {
		complain("no connection matches");
		return CLI_NO;
	}
	fprintf(stderr, "%s %" JSON_INTEGER_FORMAT " connection%s? [y/N] ",
		cli->rst ? "reset" : "close", count, plural(count));
	if (fgets(answer, sizeof(answer), stdin) &&
	    (strcasecmp(answer, "y\n") == 0 ||
	     strcasecmp(answer, "yes\n") == 0))
		return CLI_OK;
	complain("nothing done");
	return CLI_NO;
}

static int count_item(void *arg, const char *text, size_t len)
{
	json_int_t *count = arg;

	(void)text;
	(void)len;
	++*count;
	return ITEM_NEXT;
}
