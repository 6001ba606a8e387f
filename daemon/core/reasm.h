/*
 * reasm.h - Fragments put together again
 *
 * RFC 791, 3.2, and RFC 8200, 4.5, in any order and within fixed memory and
 * time. A datagram is given back whole, as a packet that could have arrived so,
 * and goes through wire_ip_parse() once more.
 *
 * Fragments that overlap are refused in both families, and with them their
 * datagram (RFC 5722, 4): which copy of a byte wins is how filters on the way
 * are deceived (RFC 1858, 4; RFC 3128), and no honest sender or router makes
 * them. Linux refuses them, too. What is still to come of the datagram is
 * refused as well, or it would wait in vain for what was thrown away. A
 * fragment that is the copy of another, byte for byte, was doubled by the
 * network and does no harm.
 */
#ifndef TCPHS_REASM_H
#define TCPHS_REASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/event.h>

#include "list.h"
#include "pool.h"
#include "wire.h"

#define REASM_DGRAMS_MAX 64  /* datagrams at once */
#define REASM_PIECES_MAX 128 /* of a datagram: 64 KiB through an MTU of 576 */
#define REASM_HEAD_MAX	 256 /* bytes before the text, as they arrived */

/* RFC 1122, 3.3.2, asks for 60 to 120 seconds, but an IPv4 identification is
 * used again long before that (RFC 4963), and pieces of two datagrams would
 * meet; so IPv4 has half the time, as in Linux. */
#define REASM_LIFE4_US (30ll * 1000000)
#define REASM_LIFE6_US (60ll * 1000000) /* RFC 8200, 4.5 */

/* The longest packet made, headers included. IPv6 could be 40 bytes longer;
 * RFC 8200, 5, asks for 1500. */
#define REASM_LEN_MAX 65535u

enum reasm_verdict {
	REASM_HELD, /* kept; the datagram is not whole yet */
	REASM_DONE, /* the datagram is whole */

	/* Only the fragment is dropped. */
	REASM_COPY,   /* held already; RFC 8200, 4.5 */
	REASM_LENGTH, /* empty, or not the last and no multiple of 8 bytes; RFC
		       * 791, 3.2; RFC 8200, 4.5 */
	REASM_SIZE,   /* reaches beyond the longest packet; RFC 8200, 4.5 */
	REASM_TINY,   /* the first one, without the whole header of TCP or what
		       * else it carries; RFC 1858, 3; RFC 7112, 5 */
	REASM_HEAD,   /* the first one, with longer headers than are kept; RFC
		       * 8504, 5.3 */
	REASM_BURIED, /* of a datagram that was refused */

	/* The datagram is refused, what arrived and what is still to come; so
	 * it is by REASM_SIZE if the first one's headers make it too long. */
	REASM_OVERLAP, /* RFC 5722, 4; RFC 1858, 4 */
	REASM_END,     /* two ends, or text beyond the end; RFC 791, 3.2 */
	REASM_PIECES,  /* in too many pieces; RFC 6274, 4.1 */
	REASM_ECN,     /* congestion experienced without ECN; RFC 3168, 5.3 */

	/* The datagram is dropped. */
	REASM_MEMORY, /* RFC 6274, 4.1 */
};

#define REASM_BUCKETS 64

struct reasm {
	struct arena *arena;
	struct pool dgrams, blks;
	struct list by_age[2]; /* IPv4, IPv6; the oldest first */
	uint8_t key[16];
	uint8_t held[REASM_BUCKETS]; /* datagrams, by a hash of their source */
	uint8_t page_tag;
	void *page;	  /* of the packet handed out; NULL if there is none */
	uint64_t evicted; /* datagrams dropped to make room for others */
};

struct reasm_pkt {
	const void *data; /* from the version on */
	uint32_t len;
};

/* A datagram whose time ran out. */
struct reasm_lost {
	struct ip_addr src, dst;
	bool v6;
	uint32_t quote_len;		/* 0: the source is told nothing */
	uint8_t quote[WIRE_QUOTE6_MAX]; /* the first fragment, as it arrived */
};

/**
 * reasm_init() - No fragments
 * @key:  A secret, so that no source can choose whom to be confused with
 * @tags: Of the pages of datagrams, of text and of packets handed out
 *
 * Text takes a sixteenth of the arena at most, and 1 MiB of any.
 */
void reasm_init(struct reasm *r, struct arena *a, const uint8_t key[16],
		const uint8_t tags[3]);

/**
 * reasm_input() - Take a fragment
 * @ip:  From wire_ip_parse(), addressed to us; nothing in it is kept
 * @out: Set if the verdict is REASM_DONE; valid until reasm_release(), which
 *       must come before the next fragment
 *
 * The packet has the headers of the first fragment, made right for its new
 * length and without a trace of fragmentation, and congestion experienced if
 * any fragment did (RFC 3168, 5.3). Nobody has seen its TCP checksum yet. An
 * IPv6 packet may turn out to be a fragment again, which wire_ip_parse() will
 * say and which is not to be put in here.
 *
 * If there is no room, the oldest datagram goes of the source that has most
 * (an IPv6 source being its first 64 bits), never the one that the fragment
 * belongs to.
 */
enum reasm_verdict reasm_input(struct reasm *r, const struct ip_pkt *ip,
			       int64_t now_us, struct reasm_pkt *out);

/**
 * reasm_refuse() - Take a fragment that is known to be of no use
 *
 * What is here of its datagram goes, and what is still to come is REASM_BURIED.
 */
void reasm_refuse(struct reasm *r, const struct ip_pkt *ip, int64_t now_us);

/** reasm_release() - The packet of REASM_DONE is not needed any more */
void reasm_release(struct reasm *r);

/** reasm_deadline() - When the next datagram is given up; TIME_NEVER if none */
int64_t reasm_deadline(const struct reasm *r);

/**
 * reasm_expire() - Give up one datagram whose time is over
 *
 * The source is to be told (time exceeded, code 1) only if the first fragment
 * arrived (RFC 1122, 3.3.2; RFC 8200, 4.5) and the datagram was not refused
 * (RFC 5722, 4).
 *
 * Return: false if there is none
 */
bool reasm_expire(struct reasm *r, int64_t now_us, struct reasm_lost *lost);

#endif
