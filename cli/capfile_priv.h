/*
 * capfile_priv.h - What the readers of the two formats share
 */
#ifndef TCPHS_CAPFILE_PRIV_H
#define TCPHS_CAPFILE_PRIV_H

#include <endian.h>
#include <string.h>

#include "capfile.h"

#define NS_PER_S 1000000000ll

/* A frame longer than that is damage: no link carries it. Super-segments of
 * Linux reach 512 KiB. */
#define FRAME_MAX (1u << 20)

struct capface {
	uint32_t link;
	uint32_t snaplen; /* 0 = no limit */
	uint64_t units;	  /* of time in a second */
	int64_t offset_s; /* added to all times */
};

struct capfile {
	struct bytes *bytes;
	bool swapped; /* not our byte order */
	bool is_ng;
	uint64_t frames;
	const char *damage;
	uint64_t damage_at;
	enum capfile_status (*next)(struct capfile *c, struct frame *f);

	/* pcap */
	struct capface face;
	bool lengths_turned; /* before version 2.3 */
	bool longer_heads;   /* eight bytes more, of Linux before libpcap */

	/* pcapng */
	struct capface *faces;
	uint32_t nfaces, first_face; /* of the section */
	int64_t last_ns;
};

bool pcap_open(struct capfile *c, const uint8_t *magic);
bool pcapng_open(struct capfile *c, const uint8_t *magic);

static inline uint16_t cap_get16(const struct capfile *c, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return c->swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t cap_get32(const struct capfile *c, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return c->swapped ? __builtin_bswap32(v) : v;
}

/** cap_damaged() - Say it once, at where the last whole piece ended */
enum capfile_status cap_damaged(struct capfile *c, const char *what);

/** cap_end() - No more bytes: the end, unless some are left over */
enum capfile_status cap_end(struct capfile *c);

#endif
