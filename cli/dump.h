/*
 * dump.h - Packets from the daemon to a file
 */
#ifndef TCPHS_CLI_DUMP_H
#define TCPHS_CLI_DUMP_H

#include <jansson.h>
#include <stdio.h>

#include "cli.h"

/** dump_open() - cli->file, or stdout if that is "-"; NULL if that failed */
FILE *dump_open(struct cli *cli);

/**
 * dump_close() - And a file that was not there before goes, if it is empty
 *
 * Return: as fclose(3)
 */
int dump_close(const struct cli *cli, FILE *out);

/** dump_begin() - Before the first byte: what the file had goes */
void dump_begin(FILE *out);

/**
 * dump_write() - The bytes of an item
 *
 * Return: CLI_NO with errno, EPIPE among them, if they cannot be written;
 *         nothing is said then
 */
enum cli_exit dump_write(const json_t *item, FILE *out);

/**
 * dump_to() - Follow packets until there are enough, or a signal comes
 * @out:    Gets a pcapng file
 * @params: Of dump.follow; reference taken
 * @result: Gets the last word of the daemon, a new reference; NULL if there was
 *          none. The reader going away is an end like any other.
 */
enum cli_exit dump_to(struct cli *cli, FILE *out, json_t *params,
		      json_t **result);

#endif
