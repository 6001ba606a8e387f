/*
 * list.c - The table of connections
 */
#include "cli.h"

#include "client.h"
#include "columns.h"

/* On 80 columns with IPv6 what stays is who, in which state, and how old. */
const struct column connection_columns[] = {
	{"ID", "id", COLUMN_TEXT, true, 0},
	{"STATE", "state", COLUMN_STATE, true, 0},
	{"LOCAL", "local", COLUMN_END, true, 0},
	{"PEER", "peer", COLUMN_END, true, 0},
	{"LISTENER", "listener", COLUMN_TEXT, true, 3},
	{"ROLE", "role", COLUMN_TEXT, true, 1},
	{"AGE", "age_us", COLUMN_TIME, true, 0},
	{"IDLE", "idle_us", COLUMN_TIME, false, 0},
	{"HS", "handshake_us", COLUMN_TIME, true, 2},
	{"RTT", "rtt_us", COLUMN_TIME, true, 5},
	{"IN", "bytes_in", COLUMN_BYTES, true, 6},
	{"OUT", "bytes_out", COLUMN_BYTES, true, 7},
	{"RETR", "retrans", COLUMN_COUNT, true, 4},
	{NULL, NULL, COLUMN_TEXT, false, 0},
};

enum cli_exit list_run(struct cli *cli, int argc, char **argv)
{
	enum cli_exit e;
	struct table t;

	e = table_begin(&t, cli, connection_columns);
	if (e != CLI_OK)
		return e;
	e = client_call(cli->client, "conn.list", client_filter(argc, argv),
			table_row, &t, NULL);
	table_end(&t, e == CLI_OK);
	if (e == CLI_OK && argc > 0 && t.rows == 0)
		return CLI_NO; /* as grep */
	return e;
}
