/*
 * diagram.h - What is remembered of a connection, fetched and drawn
 */
#ifndef TCPHS_CLI_DIAGRAM_H
#define TCPHS_CLI_DIAGRAM_H

#include <jansson.h>

#include <tcphs/ladder.h>

#include "cli.h"
#include "client.h"

typedef char *diagram_fn(const struct ladder *l,
			 const struct ladder_style *style);

/** diagram_format() - Who draws what -f names; NULL having said why not */
diagram_fn *diagram_format(const struct cli *cli);

/** diagram_style() - As the options say; clock_us is left to the caller */
enum cli_exit diagram_style(const struct cli *cli, struct ladder_style *s);

/**
 * diagram_fetch() - Ask for a connection and its packets
 * @conn: As conn.packets takes it
 * @doc:  Gets a new reference: its record, packets as "kept_packets"
 */
enum cli_exit diagram_fetch(struct client *c, const char *conn, json_t **doc);

/**
 * diagram_draw() - Draw it
 * @draw: ladder_text() or one of the others
 *
 * Return: text, to be freed; NULL without memory
 */
char *diagram_draw(const json_t *doc, const struct ladder_style *s,
		   diagram_fn *draw);

/** script_text() - It as a packet script; as the functions of ladder.h */
char *script_text(const struct ladder *l, const struct ladder_style *style);

#endif
