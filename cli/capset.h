/*
 * capset.h - Several capture files as one, in the order of time
 */
#ifndef TCPHS_CAPSET_H
#define TCPHS_CAPSET_H

#include "capfile.h"

struct capset;

/**
 * capset_open() - Open all of them
 * @paths: "-" is standard input
 *
 * Return: to be closed with capset_close(); NULL having said why on stderr
 */
struct capset *capset_open(int n, char **paths);
void capset_close(struct capset *s);

/**
 * capset_next() - The next frames of all
 * @f:   Valid until the next call. With one file, numbers are those of the file,
 *       as other programs count; with several, those of the row they make.
 * @max: At most CAPSET_NEXT_MAX
 *
 * Return: how many; 0 at the end. Damage is said on stderr where it is met, with
 *         its offset, and ends the file that has it.
 */
#define CAPSET_NEXT_MAX 16
unsigned int capset_next(struct capset *s, struct frame *f, unsigned int max);

/** capset_count() - How many files; their names, and pcap or pcapng */
unsigned int capset_count(const struct capset *s);
const char *capset_path(const struct capset *s, unsigned int file);
const char *capset_format(const struct capset *s, unsigned int file);

/** capset_progress() - Bytes read and to be read; false if one is a pipe */
bool capset_progress(const struct capset *s, uint64_t *done, uint64_t *all);

/** capset_damaged() - How many of them could not be read to their ends */
unsigned int capset_damaged(const struct capset *s);

#endif
