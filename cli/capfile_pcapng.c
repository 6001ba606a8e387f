/*
 * capfile_pcapng.c - The format of Wireshark
 *
 * A file is a row of blocks: type, length, body, length again. A section header
 * says the byte order of all until the next one; interface descriptions are
 * numbered from 0 in each section and say link type and unit of time; packet
 * blocks name their interface. Blocks that carry no packet are passed over.
 *
 * A bad block is told with its offset, and reading ends there: where the next
 * one begins was in its length.
 */
#include <stdlib.h>

#include "capfile_priv.h"

#define BLOCK_SECTION  0x0a0d0d0au
#define BLOCK_FACE     1
#define BLOCK_PACKET   2 /* obsolete */
#define BLOCK_SIMPLE   3
#define BLOCK_ENHANCED 6
#define BYTE_ORDER_NUM 0x1a2b3c4du

#define BLOCK_HEAD   8
#define BLOCK_MIN    12
#define SECTION_MIN  28
#define FACE_MIN     20
#define ENHANCED_MIN 32
#define SIMPLE_MIN   16
#define FACES_MAX    4096 /* of a file */

#define OPT_END		0
#define OPT_FACE_RESOL	9
#define OPT_FACE_OFFSET 14
#define OPT_FLAGS	2 /* of an enhanced packet */

static enum capfile_status next(struct capfile *c, struct frame *f);
static const uint8_t *next_block(struct capfile *c, uint32_t *type,
				 uint32_t *len);
static bool section(struct capfile *c, const uint8_t *block, uint32_t len);
static bool face(struct capfile *c, const uint8_t *body, uint32_t len);
static void face_options(struct capfile *c, struct capface *i, const uint8_t *o,
			 uint32_t len);
static bool packet(struct capfile *c, const uint8_t *body, uint32_t len,
		   bool obsolete, struct frame *f);
static bool simple(struct capfile *c, const uint8_t *body, uint32_t len,
		   struct frame *f);
static const uint8_t *option(const struct capfile *c, const uint8_t *o,
			     uint32_t len, uint16_t code, uint16_t size);
static int64_t to_ns(const struct capface *i, uint64_t ticks);
static bool fail(struct capfile *c, const char *what);

bool pcapng_open(struct capfile *c, const uint8_t *magic)
{
	if (cap_get32(c, magic) != BLOCK_SECTION)
		return false;
	c->is_ng = true;
	c->next = next;
	return true;
}

static enum capfile_status next(struct capfile *c, struct frame *f)
{
	const uint8_t *b;
	uint32_t type, len;
	bool ok, found = false;

	do {
		b = next_block(c, &type, &len);
		if (!b)
			return c->damage ? CAPFILE_DAMAGED : cap_end(c);
		ok = true;
		switch (type) {
		case BLOCK_SECTION:
			ok = section(c, b, len);
			break;
		case BLOCK_FACE:
			ok = face(c, b, len);
			break;
		case BLOCK_PACKET:
		case BLOCK_ENHANCED:
			found = ok = packet(c, b, len, type == BLOCK_PACKET, f);
			break;
		case BLOCK_SIMPLE:
			found = ok = simple(c, b, len, f);
			break;
		}
		if (!ok)
			return CAPFILE_DAMAGED;
		bytes_take(c->bytes, len);
	} while (!found);
	c->last_ns = f->ns;
	return CAPFILE_FRAME;
}

/* The whole of it, from its type on; nothing is taken yet. */
static const uint8_t *next_block(struct capfile *c, uint32_t *type,
				 uint32_t *len)
{
	const uint8_t *b = bytes_peek(c->bytes, BLOCK_MIN);
	uint32_t order;

	if (!b)
		return NULL;
	*type = cap_get32(c, b);
	if (*type == BLOCK_SECTION) { /* reads the same in both orders */
		memcpy(&order, b + BLOCK_HEAD, sizeof(order));
		c->swapped = order != BYTE_ORDER_NUM;
		if (cap_get32(c, b + BLOCK_HEAD) != BYTE_ORDER_NUM) {
			fail(c, "a section without a byte order");
			return NULL;
		}
	}
	*len = cap_get32(c, b + 4);
	if (*len < BLOCK_MIN || *len % 4 || *len > BYTES_TAKE_MAX) {
		fail(c, "a block of impossible length");
		return NULL;
	}
	b = bytes_peek(c->bytes, *len);
	if (b && cap_get32(c, b + *len - 4) != *len) {
		fail(c, "a block whose two lengths differ");
		return NULL;
	}
	return b;
}

static bool section(struct capfile *c, const uint8_t *block, uint32_t len)
{
	if (len < SECTION_MIN)
		return fail(c, "a section header that is too short");
	if (cap_get16(c, block + 12) != 1)
		return fail(c, "a section of a version that is not 1");
	c->first_face = c->nfaces;
	return true;
}

static bool face(struct capfile *c, const uint8_t *b, uint32_t len)
{
	struct capface *all, *i;

	if (len < FACE_MIN)
		return fail(c, "an interface description that is too short");
	if (c->nfaces == FACES_MAX)
		return fail(c, "more than 4096 interfaces");
	all = realloc(c->faces, (c->nfaces + 1) * sizeof(*all));
	if (!all)
		return fail(c, "out of memory");
	c->faces = all;
	i = &all[c->nfaces++];
	*i = (struct capface){.link = cap_get16(c, b + 8),
			      .snaplen = cap_get32(c, b + 12),
			      .units = 1000000};
	face_options(c, i, b + 16, len - FACE_MIN);
	if (!i->units)
		return fail(c, "an interface with an impossible unit of time");
	return true;
}

static void face_options(struct capfile *c, struct capface *i, const uint8_t *o,
			 uint32_t len)
{
	const uint8_t *v = option(c, o, len, OPT_FACE_RESOL, 1);
	uint32_t lo, hi;

	if (v && *v & 0x80) { /* a power of 2, else of 10 */
		i->units = (*v & 0x7f) < 63 ? 1ull << (*v & 0x7f) : 0;
	} else if (v) {
		i->units = *v <= 18;
		for (int n = 0; n < *v && i->units; n++)
			i->units *= 10;
	}
	v = option(c, o, len, OPT_FACE_OFFSET, 8);
	if (v) {
		lo = cap_get32(c, v + (c->swapped ? 4 : 0));
		hi = cap_get32(c, v + (c->swapped ? 0 : 4));
		i->offset_s = (int64_t)((uint64_t)hi << 32 | lo);
	}
}

static bool packet(struct capfile *c, const uint8_t *b, uint32_t len,
		   bool obsolete, struct frame *f)
{
	const struct capface *i;
	const uint8_t *flags;
	uint32_t number, padded;

	if (len < ENHANCED_MIN)
		return fail(c, "a packet block that is too short");
	number = obsolete ? cap_get16(c, b + 8) : cap_get32(c, b + 8);
	if (number >= c->nfaces - c->first_face)
		return fail(c,
			    "a packet of an interface that nobody described");
	f->iface = c->first_face + number;
	i = &c->faces[f->iface];
	f->link = i->link;
	f->ns = to_ns(i, (uint64_t)cap_get32(c, b + 12) << 32 |
				 cap_get32(c, b + 16));
	f->cap_len = cap_get32(c, b + 20);
	f->len = cap_get32(c, b + 24);
	if (f->cap_len > FRAME_MAX || f->cap_len > len - ENHANCED_MIN)
		return fail(c, "a packet that is longer than its block");
	f->bytes = b + 28;
	padded = (f->cap_len + 3) & ~3u;
	if (padded > len - ENHANCED_MIN)
		return true;
	flags = option(c, b + 28 + padded, len - ENHANCED_MIN - padded,
		       OPT_FLAGS, 4);
	if (flags)
		f->direction = cap_get32(c, flags) & 3;
	if (f->direction > FRAME_OUT)
		f->direction = FRAME_UNKNOWN;
	return true;
}

/* No time, no interface: that of the packet before, and the first one. */
static bool simple(struct capfile *c, const uint8_t *b, uint32_t len,
		   struct frame *f)
{
	const struct capface *i;

	if (len < SIMPLE_MIN)
		return fail(c, "a packet block that is too short");
	if (c->nfaces == c->first_face)
		return fail(c,
			    "a packet of an interface that nobody described");
	i = &c->faces[c->first_face];
	f->iface = c->first_face;
	f->link = i->link;
	f->ns = c->last_ns;
	f->len = cap_get32(c, b + 8);
	f->cap_len = f->len;
	if (i->snaplen && f->cap_len > i->snaplen)
		f->cap_len = i->snaplen;
	if (f->cap_len > len - SIMPLE_MIN)
		f->cap_len = len - SIMPLE_MIN;
	if (f->cap_len > FRAME_MAX)
		return fail(c, "a packet that no link carries");
	f->bytes = b + 12;
	return true;
}

/* The value of the first option with that code and length; NULL if none. */
static const uint8_t *option(const struct capfile *c, const uint8_t *o,
			     uint32_t len, uint16_t code, uint16_t size)
{
	while (len >= 4) {
		uint16_t is = cap_get16(c, o), n = cap_get16(c, o + 2);
		uint32_t padded = 4 + ((n + 3u) & ~3u);

		if (is == OPT_END || padded > len)
			return NULL;
		if (is == code && n == size)
			return o + 4;
		o += padded;
		len -= padded;
	}
	return NULL;
}

/* Nonsense wraps around and is no worse than other nonsense. */
static int64_t to_ns(const struct capface *i, uint64_t ticks)
{
	uint64_t s = ticks / i->units + (uint64_t)i->offset_s;
	uint64_t rest = ticks % i->units, units = i->units;

	while (units >= 1ull << 34) { /* or the product has no room */
		rest /= 2;
		units /= 2;
	}
	return (int64_t)(s * NS_PER_S + rest * NS_PER_S / units);
}

static bool fail(struct capfile *c, const char *what)
{
	cap_damaged(c, what);
	return false;
}
