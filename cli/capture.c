/*
 * capture.c - The daemon's own capture: capture start, stop and list
 *
 * The files are the daemon's and need not be readable for us, so what
 * `capture stop -w` fetches comes through the socket. Laid end to end they are
 * one capture file again: that is how pcapng has it.
 */
#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <tcphs/plural.h>

#include "client.h"
#include "dump.h"
#include "output.h"

static const struct column columns[] = {
	{"NAME", "name", COLUMN_TEXT, true, 0},
	{"SIZE", "bytes", COLUMN_BYTES, true, 0},
	{"MODIFIED", "modified", COLUMN_TEXT, true, 1},
	{"CURRENT", "current", COLUMN_TEXT, true, 2},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

enum cli_exit capture_start_run(struct cli *cli, int argc, char **argv)
{
	json_t *result = NULL;
	enum cli_exit e;

	e = client_call(cli->client, "capture.start", client_filter(argc, argv),
			NULL, NULL, &result);
	if (e == CLI_OK)
		output_sentence(
			cli, result, "capturing to %s/%s",
			json_string_value(json_object_get(result, "directory")),
			json_string_value(json_object_get(result, "file")));
	json_decref(result);
	return e;
}

static int take_piece(void *arg, const char *text, size_t len)
{
	json_t *item = json_loadb(text, len, 0, NULL);
	enum cli_exit e = dump_write(item, arg);

	json_decref(item);
	return (int)e;
}

static enum cli_exit fetch(struct cli *cli, const json_t *names, FILE *out)
{
	enum cli_exit e = CLI_OK;
	json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		e = client_call(cli->client, "capture.read",
				json_pack("{s:O}", "name", name), take_piece,
				out, NULL);
		if (e != CLI_OK)
			break;
	}
	if (fflush(out) == 0 && !ferror(out))
		return e;
	complain("cannot write: %s", strerror(errno));
	return CLI_NO;
}

enum cli_exit capture_stop_run(struct cli *cli, int argc, char **argv)
{
	FILE *out = cli->file ? dump_open(cli) : NULL;
	json_t *result = NULL;
	enum cli_exit e;
	long long packets;
	size_t nfiles;

	(void)argc;
	(void)argv;
	if (cli->file && !out)
		return CLI_USAGE;
	e = client_call(cli->client, "capture.stop", NULL, NULL, NULL, &result);
	if (e == CLI_OK && out)
		e = fetch(cli, json_object_get(result, "files"), out);
	if (out && dump_close(cli, out) && e == CLI_OK) {
		complain("cannot write: %s", strerror(errno));
		e = CLI_NO;
	}
	packets = json_integer_value(json_object_get(result, "packets"));
	nfiles = json_array_size(json_object_get(result, "files"));
	if (result && (!cli->file || strcmp(cli->file, "-") != 0))
		output_sentence(cli, result,
				"%lld packet%s, %lld lost, %zu file%s in %s",
				packets, plural(packets),
				(long long)json_integer_value(
					json_object_get(result, "lost")),
				nfiles, plural(nfiles),
				json_string_value(
					json_object_get(result, "directory")));
	json_decref(result);
	return e;
}

enum cli_exit capture_list_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	struct table t;

	(void)argc;
	(void)argv;
	e = table_begin(&t, cli, columns);
	if (e != CLI_OK)
		return e;
	e = client_call(cli->client, "capture.list", NULL, table_row, &t, NULL);
	table_end(&t, e == CLI_OK);
	return e;
}
