/*
 * pcapng.h - Writing capture files that Wireshark reads
 *
 * The format is that of draft-ietf-opsawg-pcapng: a file is a row of blocks, a
 * section header first, then what the interface is, then packets, and at the
 * end how many there were. Sections may follow each other, so files laid end
 * to end are a file again. Every function here makes one block in the caller's
 * memory, and does nothing else.
 *
 * Interfaces of a section are numbered as they come, from 0. Times are in
 * nanoseconds, little endian whatever the machine.
 */
#ifndef TCPHS_PCAPNG_H
#define TCPHS_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_TEXT_MAX 512 /* bytes of a text, escaped; the rest is cut off */

/* Bytes that a block takes at most. */
#define PCAPNG_HEAD_MAX	       4096 /* anything but a packet */
#define PCAPNG_PACKET_MAX(len) ((size_t)(len) + PCAPNG_TEXT_MAX + 72)

struct pcapng_section {
	const char *hardware, *os, *application; /* NULL = not said */
};

struct pcapng_interface {
	const char *name, *description, *comment; /* NULL = not said */
	uint32_t snaplen; /* bytes kept of a packet at most; 0 = no limit */
	uint16_t link;	  /* type, see tcphs/capture_packet.h */
};

enum pcapng_direction { PCAPNG_UNKNOWN, PCAPNG_IN, PCAPNG_OUT };

struct pcapng_packet {
	int64_t at_ns; /* since 1970 */
	const void *data;
	uint32_t kept, len; /* bytes at @data, bytes of the packet */
	uint32_t interface;
	enum pcapng_direction direction;
	bool csum_missing;   /* the checksum was left to the device */
	bool super;	     /* so was cutting it into segments */
	uint64_t lost;	     /* packets before this one that are missing */
	const char *comment; /* NULL = nothing to say */
};

struct pcapng_statistics {
	int64_t begin_ns, end_ns;
	uint64_t seen, matched, kept, lost; /* packets */
};

/**
 * pcapng_section() - The block that every file and every section begins with
 * @buf: PCAPNG_HEAD_MAX bytes
 *
 * Return: its length
 */
size_t pcapng_section(uint8_t *buf, const struct pcapng_section *s);

/** pcapng_interface() - The block that follows it; as pcapng_section() */
size_t pcapng_interface(uint8_t *buf, const struct pcapng_interface *i);

/**
 * pcapng_packet() - One packet
 * @buf: PCAPNG_PACKET_MAX(@p->kept) bytes
 *
 * Control characters of the comment, and what is not UTF-8, come out as \xNN:
 * a comment is shown in terminals.
 *
 * Return: the length of the block
 */
size_t pcapng_packet(uint8_t *buf, const struct pcapng_packet *p);

/** pcapng_statistics() - The block at the end; as pcapng_section() */
size_t pcapng_statistics(uint8_t *buf, const struct pcapng_statistics *s);

/** pcapng_packets() - How many of these blocks of ours are packets */
uint64_t pcapng_packets(const uint8_t *blocks, size_t len);

#endif
