/*
 * zero.h - Counters since a moment that the user chose
 */
#ifndef TCPHS_CLI_ZERO_H
#define TCPHS_CLI_ZERO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli.h"

/** zero_keep() - Count from @stats on, for this user and this daemon */
enum cli_exit zero_keep(const struct cli *cli, const json_t *stats);

/**
 * zero_subtract() - Take what was counted before off @stats
 * @age_us: Gets how long that is ago
 *
 * Return: false if there is no such moment in the life of this daemon
 */
bool zero_subtract(const struct cli *cli, json_t *stats, int64_t *age_us);

#endif
