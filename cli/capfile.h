/*
 * capfile.h - Frames of a capture file: pcap and pcapng
 */
#ifndef TCPHS_CAPFILE_H
#define TCPHS_CAPFILE_H

#include <tcphs/capture_packet.h>

#include "bytes.h"

#define CAPFILE_WORDS_MAX 160

struct capfile;

enum capfile_status {
	CAPFILE_FRAME,
	CAPFILE_END,
	CAPFILE_DAMAGED, /* and nothing more comes; see capfile_damage() */
};

/**
 * capfile_open() - Begin to read
 * @b:     Is closed with the file, or if it cannot be read
 * @words: Gets why it cannot, CAPFILE_WORDS_MAX bytes
 *
 * Return: to be closed with capfile_close(); NULL if this is no capture file
 */
struct capfile *capfile_open(struct bytes *b, char *words);
void capfile_close(struct capfile *c);

/**
 * capfile_next() - The next frame
 * @f: Its bytes are valid until the next call; numbers are consecutive from 1;
 *     interfaces are numbered through the whole file, over all its sections
 */
enum capfile_status capfile_next(struct capfile *c, struct frame *f);

/** capfile_damage() - What is wrong, and at which offset of the unpacked file */
const char *capfile_damage(const struct capfile *c, uint64_t *offset);

/** capfile_format() - "pcap" or "pcapng" */
const char *capfile_format(const struct capfile *c);

/** capfile_bytes() - For progress */
const struct bytes *capfile_bytes(const struct capfile *c);

#endif
