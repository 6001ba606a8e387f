/*
 * alerts.c - What looks wrong, or did lately
 *
 * An alert that is active comes with what it means, and with innocent causes
 * before what to do; one that is over is a line, unless -v asks for more.
 */
#include "cli.h"

#include <string.h>

#include "advice.h"
#include "client.h"
#include "columns.h"

const struct column alert_columns[] = {
	{"ID", "id", COLUMN_TEXT, true, 0},
	{"KIND", "kind", COLUMN_TEXT, true, 0},
	{"SEVERITY", "severity", COLUMN_TEXT, true, 2},
	{"STATE", "state", COLUMN_TEXT, true, 0},
	{"AGE", "age_us", COLUMN_TIME, true, 0},
	{"DURATION", "duration_us", COLUMN_TIME, true, 3},
	{"LISTENER", "listener", COLUMN_TEXT, true, 4},
	{"SOURCE", "source", COLUMN_TEXT, true, 1},
	{"CONN", "conn", COLUMN_TEXT, false, 0},
	{"MESSAGE", "message", COLUMN_TEXT, false, 0},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

struct telling {
	const struct cli *cli;
	unsigned int n;
};

static int tell(void *arg, const char *text, size_t len);

enum cli_exit alerts_run(struct cli *cli, int argc, char **argv)
{
	struct telling t = {.cli = cli};
	json_t *params = client_filter(argc, argv);
	struct table table;
	enum cli_exit e;

	if (cli->format == FORMAT_TEXT && !cli->columns) {
		e = client_call(cli->client, "alerts", params, tell, &t, NULL);
		if (e == CLI_OK && !t.n)
			fputs(argc > 0 ? "no such alert\n"
				       : "nothing looks wrong\n",
			      cli->out);
		return e == CLI_OK && argc > 0 && !t.n ? CLI_NO : e;
	}
	e = table_begin(&table, cli, alert_columns);
	if (e != CLI_OK) {
		json_decref(params);
		return e;
	}
	e = client_call(cli->client, "alerts", params, table_row, &table, NULL);
	table_end(&table, e == CLI_OK);
	if (e == CLI_OK && argc > 0 && table.rows == 0)
		return CLI_NO; /* as grep */
	return e;
}

static int tell(void *arg, const char *text, size_t len)
{
	struct telling *t = arg;
	const struct cli *cli = t->cli;
	json_t *o = json_loadb(text, len, 0, NULL);
	char cells[4][256], line[640];
	static const struct {
		const char *field;
		enum column_kind kind;
	} shown[] = {{"id", COLUMN_TEXT},
		     {"message", COLUMN_TEXT},
		     {"age_us", COLUMN_TIME},
		     {"state", COLUMN_TEXT}};
	bool active;

	for (size_t i = 0; i < 4; i++)
		output_cell(json_object_get(o, shown[i].field), shown[i].kind,
			    true, cells[i], sizeof(cells[i]));
	active = strcmp(cells[3], "active") == 0;
	snprintf(line, sizeof(line), "%s (%s ago%s)", cells[1], cells[2],
		 active ? ", goes on" : "");
	fprintf(cli->out, "%-4s %s", cells[0],
		output_sgr(cli, active ? SGR_YELLOW : SGR_DIM));
	advice_words(cli, line, 5);
	fprintf(cli->out, "%s\n", output_sgr(cli, SGR_OFF));
	if (active || cli->verbose) {
		advice_put(cli, "meaning",
			   json_string_value(json_object_get(o, "meaning")));
		advice_put(cli, "innocent",
			   json_string_value(json_object_get(o, "innocent")));
		advice_put(cli, "do",
			   json_string_value(json_object_get(o, "action")));
	}
	t->n++;
	json_decref(o);
	return ITEM_NEXT;
}
