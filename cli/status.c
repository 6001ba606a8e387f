/*
 * status.c - The daemon as a whole
 */
#include "cli.h"

#include <string.h>

#include "client.h"
#include "output.h"

#define LABEL_WIDTH 11
#define VALUE_MAX   512

static void status_text(const struct cli *cli, const json_t *doc);
static void put_state(const struct cli *cli, const json_t *doc);
static void put_interface(const struct cli *cli, const json_t *doc);
static void put_connections(const struct cli *cli, const json_t *doc);
static void put_memory(const struct cli *cli, const json_t *doc);
static void put_alerts(const struct cli *cli, const json_t *doc);
static void put_config(const struct cli *cli, const json_t *doc);
static void put_label(const struct cli *cli, const char *label);

/* A field as people read it; one buffer a call. */
#define VALUE(doc, field, kind) \
	value((doc), (field), (kind), (char[VALUE_MAX]){0})
static const char *value(const json_t *doc, const char *field,
			 enum column_kind kind, char buf[VALUE_MAX])
{
	output_cell(json_object_get(doc, field), kind, true, buf, VALUE_MAX);
	return buf;
}

enum cli_exit status_run(struct cli *cli, int argc, char **argv)
{
	json_t *doc;
	enum cli_exit e;

	(void)argc;
	(void)argv;
	e = client_call(cli->client, "status", NULL, NULL, NULL, &doc);
	if (e != CLI_OK)
		return e;
	output_document(cli, doc, status_text);
	json_decref(doc);
	return CLI_OK;
}

/* tcphsctl alone: where am I, and who is here? */
enum cli_exit overview_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	json_t *doc;

	if (cli->format != FORMAT_TEXT && cli->format != FORMAT_JSON)
		return list_run(cli, argc, argv);
	e = client_call(cli->client, "status", NULL, NULL, NULL, &doc);
	if (e != CLI_OK)
		return e;
	if (cli->format == FORMAT_TEXT) {
		status_text(cli, doc);
		fputc('\n', cli->out);
	} else {
		fputs("{\"status\":", cli->out);
		json_dumpf(doc, cli->out, JSON_COMPACT | output_flags(cli));
		fputs(",\n\"connections\":", cli->out);
	}
	json_decref(doc);
	e = list_run(cli, argc, argv);
	if (cli->format == FORMAT_JSON)
		fputs("}\n", cli->out);
	return e;
}

static void status_text(const struct cli *cli, const json_t *doc)
{
	put_state(cli, doc);
	put_interface(cli, doc);
	put_label(cli, "listeners");
	fprintf(cli->out, "%s enabled\n",
		VALUE(doc, "listeners", COLUMN_COUNT));
	put_connections(cli, doc);
	put_memory(cli, doc);
	put_alerts(cli, doc);
	put_config(cli, doc);
	if (cli->verbose) {
		put_label(cli, "process");
		fprintf(cli->out, "%s, started %s\n",
			VALUE(doc, "pid", COLUMN_COUNT),
			VALUE(doc, "started", COLUMN_TEXT));
		put_label(cli, "log level");
		fprintf(cli->out, "%s\n", VALUE(doc, "log_level", COLUMN_TEXT));
	}
	if (cli->verbose ||
	    json_integer_value(json_object_get(doc, "events_lost")) > 0) {
		put_label(cli, "events");
		fprintf(cli->out, "%s lost\n",
			VALUE(doc, "events_lost", COLUMN_COUNT));
	}
}

static void put_state(const struct cli *cli, const json_t *doc)
{
	const char *state = VALUE(doc, "state", COLUMN_TEXT);
	bool ready = strcmp(state, "ready") == 0;

	put_label(cli, "tcphsd");
	fprintf(cli->out, "%s, %s%s%s, up %s\n",
		VALUE(doc, "version", COLUMN_TEXT),
		output_sgr(cli, ready ? SGR_GREEN : SGR_YELLOW), state,
		output_sgr(cli, SGR_OFF), VALUE(doc, "uptime_us", COLUMN_TIME));
}

static void put_interface(const struct cli *cli, const json_t *doc)
{
	const json_t *offload = json_object_get(doc, "offload");

	put_label(cli, "interface");
	fprintf(cli->out, "%s, mtu %s%s\n",
		VALUE(doc, "interface", COLUMN_TEXT),
		VALUE(doc, "mtu", COLUMN_COUNT),
		json_is_true(offload) ? ", offload" : "");
	put_label(cli, "addresses");
	fprintf(cli->out, "%s  %s\n", VALUE(doc, "address4", COLUMN_TEXT),
		VALUE(doc, "address6", COLUMN_TEXT));
}

static void put_connections(const struct cli *cli, const json_t *doc)
{
	put_label(cli, "connections");
	fprintf(cli->out, "%s of %s, %s half-open, %s in TIME-WAIT\n",
		VALUE(doc, "connections", COLUMN_COUNT),
		VALUE(doc, "max_connections", COLUMN_COUNT),
		VALUE(doc, "half_open", COLUMN_COUNT),
		VALUE(doc, "time_wait", COLUMN_COUNT));
}

static void put_memory(const struct cli *cli, const json_t *doc)
{
	put_label(cli, "memory");
	fprintf(cli->out, "%s of %s\n", VALUE(doc, "memory_used", COLUMN_BYTES),
		VALUE(doc, "memory", COLUMN_BYTES));
}

/* Nothing to say is not said, unless -v asks. */
static void put_alerts(const struct cli *cli, const json_t *doc)
{
	bool now = json_integer_value(json_object_get(doc, "alerts")) > 0;

	if (!cli->verbose &&
	    json_integer_value(json_object_get(doc, "alerts_total")) == 0)
		return;
	put_label(cli, "alerts");
	fprintf(cli->out, "%s%s active%s, %s since the start%s\n",
		output_sgr(cli, now ? SGR_YELLOW : ""),
		VALUE(doc, "alerts", COLUMN_COUNT),
		output_sgr(cli, now ? SGR_OFF : ""),
		VALUE(doc, "alerts_total", COLUMN_COUNT),
		now ? ": tcphsctl alerts" : "");
}

static void put_config(const struct cli *cli, const json_t *doc)
{
	put_label(cli, "config");
	if (json_object_get(doc, "config"))
		fprintf(cli->out, "%s\n", VALUE(doc, "config", COLUMN_TEXT));
	else
		fputs("built-in defaults\n", cli->out);
	if (json_is_false(json_object_get(doc, "config_ok"))) {
		put_label(cli, "");
		fprintf(cli->out, "%slast reload refused:%s %s\n",
			output_sgr(cli, SGR_RED), output_sgr(cli, SGR_OFF),
			VALUE(doc, "config_error", COLUMN_TEXT));
	}
}

static void put_label(const struct cli *cli, const char *label)
{
	fprintf(cli->out, "%s%*s%s  ", output_sgr(cli, SGR_BOLD), LABEL_WIDTH,
		label, output_sgr(cli, SGR_OFF));
}
