/*
 * capfile_pcap.c - The classic format of libpcap
 *
 * A header of 24 bytes, then for each frame 16 bytes (seconds, fraction, bytes
 * kept, bytes sent) and what was kept. The magic number tells byte order and
 * resolution. Before version 2.3 the two lengths stood the other way round.
 */
#include "capfile_priv.h"

#define MAGIC_US  0xa1b2c3d4u
#define MAGIC_NS  0xa1b23c4du
#define MAGIC_OLD 0xa1b2cd34u /* Linux' patched tcpdump, before 1999 */

#define FILE_HEAD  24
#define FRAME_HEAD 16
#define OLD_EXTRA  8

/* The upper bits of the link type say how long a checksum follows. */
#define LINK_MASK 0x03ffffffu

static enum capfile_status next(struct capfile *c, struct frame *f);

bool pcap_open(struct capfile *c, const uint8_t *magic)
{
	uint32_t number = cap_get32(c, magic);
	const uint8_t *h;

	if (number != MAGIC_US && number != MAGIC_NS && number != MAGIC_OLD) {
		number = __builtin_bswap32(number);
		c->swapped = true;
	}
	if (number != MAGIC_US && number != MAGIC_NS && number != MAGIC_OLD) {
		c->swapped = false;
		return false;
	}
	h = bytes_take(c->bytes, FILE_HEAD);
	if (!h) {
		c->damage = "the file ends inside of its header";
		return false;
	}
	if (cap_get16(c, h + 4) != 2) {
		c->damage = "a pcap file of a version that is not 2";
		return false;
	}
	c->lengths_turned = cap_get16(c, h + 6) < 3;
	c->longer_heads = number == MAGIC_OLD;
	c->face.snaplen = cap_get32(c, h + 16);
	c->face.link = cap_get32(c, h + 20) & LINK_MASK;
	c->face.units = number == MAGIC_NS ? NS_PER_S : 1000000;
	c->next = next;
	return true;
}

static enum capfile_status next(struct capfile *c, struct frame *f)
{
	uint32_t head = FRAME_HEAD + (c->longer_heads ? OLD_EXTRA : 0);
	const uint8_t *h = bytes_peek(c->bytes, head);
	uint32_t fraction, swap;

	if (!h)
		return cap_end(c);
	fraction = cap_get32(c, h + 4);
	f->ns = (int64_t)cap_get32(c, h) * NS_PER_S +
		(int64_t)fraction * (int64_t)(NS_PER_S / c->face.units);
	f->cap_len = cap_get32(c, h + 8);
	f->len = cap_get32(c, h + 12);
	if (c->lengths_turned) {
		swap = f->len;
		f->len = f->cap_len;
		f->cap_len = swap;
	}
	if (f->cap_len > FRAME_MAX || fraction >= c->face.units)
		return cap_damaged(c, "no packet begins here");
	h = bytes_peek(c->bytes, head + f->cap_len);
	if (!h)
		return cap_end(c);
	bytes_take(c->bytes, head + f->cap_len);
	f->bytes = h + head;
	f->link = c->face.link;
	return CAPFILE_FRAME;
}
