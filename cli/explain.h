/*
 * explain.h - Explanations: of a word, and of a connection
 */
#ifndef TCPHS_CLI_EXPLAIN_H
#define TCPHS_CLI_EXPLAIN_H

#include <jansson.h>
#include <tcphs/explain.h>

#include "cli.h"

/** explain_put() - Add the parts of an entry to an object */
void explain_put(json_t *o, const struct explain_entry *e,
		 const struct explain_facts *facts);

/** explain_parts_text() - Write them for people */
void explain_parts_text(const struct cli *cli, const json_t *o);

/** explain_text() - A label, and a text beside it in as many lines as it needs */
void explain_text(const struct cli *cli, const char *label, const char *text);

/** explain_conn() - What became of a connection, as conn.packets knows it */
enum cli_exit explain_conn(struct cli *cli, const char *conn);

#endif
