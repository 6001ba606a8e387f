/*
 * text.h - Numbers and words as people read and mistype them
 */
#ifndef TCPHS_CLI_TEXT_H
#define TCPHS_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_NUMBER_MAX 24 /* a formatted number, with the final zero */

/** text_clean() - Replace each control character by '?', in place */
void text_clean(char *s);

/** text_integer() - In decimal; returns its length */
size_t text_integer(int64_t n, char buf[TEXT_NUMBER_MAX]);

/** text_duration() - "0.21ms", "12.4s", "5m12s", "3h12m", "4d3h" */
const char *text_duration(int64_t us, char buf[TEXT_NUMBER_MAX]);

/** text_bytes() - "512", "1.2K", "34.5M": powers of 1024 */
const char *text_bytes(uint64_t n, char buf[TEXT_NUMBER_MAX]);

/**
 * text_parse_duration() - "2", "0.5", "10ms", "5s", "2m", "1h"; seconds if bare
 *
 * Return: false if it is none, or beyond a year
 */
bool text_parse_duration(const char *s, int64_t *us);

/** text_parse_port() - A TCP port; says so and returns false if it is none */
bool text_parse_port(const char *s, int *port);

/**
 * text_take_end() - Where to: ADDR PORT, ADDR:PORT or [ADDR]:PORT
 * @argc: Words of @argv, 1 or 2
 * @argv: Is taken apart: the address, without brackets, and the port
 *
 * Return: false, having said why, if there is no port
 */
bool text_take_end(int argc, char **argv, char *end[2], int *port);

/** text_join() - The words with blanks between; to be freed */
char *text_join(int n, char **words);

/** complaints() - Where they go from now on; NULL = stderr, as at first */
void complaints(FILE *out);

/** complaint() - More about the last one: lines as they are */
void complaint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** complain() - One sentence on stderr, behind our name */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** complain_at() - The text, and ^ under the byte at which it is wrong */
void complain_at(const char *text, int64_t at);

#endif
