/*
 * since.h - A moment in the past, as people type it
 */
#ifndef TCPHS_CLI_SINCE_H
#define TCPHS_CLI_SINCE_H

#include <stdbool.h>
#include <stdint.h>

#define SINCE_TEXT_MAX 32 /* "2026-01-31T12:00:00.123456Z" and its zero */

/**
 * since_parse() - "10m" ago; "14:30" of today; "2026-01-31T12:00:00Z"
 * @wall_us: Gets it, since 1970
 *
 * Return: false if it is none of these; that was said
 */
bool since_parse(const char *text, int64_t *wall_us);

/** since_text() - RFC 3339 in UTC, as the daemon wants it */
const char *since_text(int64_t wall_us, char text[SINCE_TEXT_MAX]);

/** since_utc() - The way back; false if it is no such text */
bool since_utc(const char *text, int64_t *wall_us);

/** since_now_us() - The time of day, since 1970 */
int64_t since_now_us(void);

#endif
