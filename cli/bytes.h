/*
 * bytes.h - A file read from front to back, compressed or not
 */
#ifndef TCPHS_BYTES_H
#define TCPHS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More at once nobody asks for: a longer block of a capture is damage. */
#define BYTES_TAKE_MAX (16u << 20)

struct bytes;

/**
 * bytes_open() - Open a file, or standard input for "-"
 *
 * gzip and zstd are known by their first bytes.
 *
 * Return: to be closed with bytes_close(); NULL with errno set
 */
struct bytes *bytes_open(const char *path);

/** bytes_of() - The same for memory, which stays the caller's */
struct bytes *bytes_of(const void *mem, size_t len);

void bytes_close(struct bytes *b);

/**
 * bytes_take() - The next bytes, in one piece
 * @n: BYTES_TAKE_MAX at most
 *
 * Return: valid until the next call; NULL if there are fewer, of which nothing
 *         is taken then
 */
const uint8_t *bytes_take(struct bytes *b, size_t n);

/** bytes_peek() - The same, taking nothing */
const uint8_t *bytes_peek(struct bytes *b, size_t n);

/** bytes_left_over() - Are there any, though fewer than were asked for? */
bool bytes_left_over(const struct bytes *b);

/** bytes_offset() - How many were taken, of what was unpacked */
uint64_t bytes_offset(const struct bytes *b);

/** bytes_fault() - Why reading ended too early; NULL if it did not */
const char *bytes_fault(const struct bytes *b);

/** bytes_progress() - Of the file's own bytes: how many were read, of how many;
 * false if it is a pipe */
bool bytes_progress(const struct bytes *b, uint64_t *done, uint64_t *all);

#endif
