/*
 * pcapng.c - Writing capture files that Wireshark reads
 *
 * A block is its type, its length, what it has to say, options, and its length
 * again, so that a file can be read backwards. An option is a code, a length
 * and a value; everything is padded to four bytes. The length is known when the
 * block is made, so block_begin() leaves it out and block_end() fills it in.
 */
#include <tcphs/pcapng.h>

#include <string.h>

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
	BLOCK_SECTION = 0x0a0d0d0a,
};

enum option {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_HARDWARE = 2,
	SHB_OS = 3,
	SHB_APPLICATION = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	ISB_BEGIN = 2,
	ISB_END = 3,
	ISB_RECEIVED = 4,
	ISB_DROPPED = 5,
	ISB_ACCEPTED = 6,
	ISB_DELIVERED = 8,
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define NANOSECONDS	 9 /* a time is so many 10^-9 s */

#define FLAG_CSUM_MISSING (1u << 9)
#define FLAG_SUPER	  (1u << 11)

static uint8_t *put16(uint8_t *p, unsigned int v)
{
	*p++ = (uint8_t)v;
	*p++ = (uint8_t)(v >> 8);
	return p;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v & 0xffff), v >> 16);
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
	return put32(put32(p, (uint32_t)v), (uint32_t)(v >> 32));
}

/* A time has its upper half first, whatever the byte order. */
static uint8_t *put_time(uint8_t *p, int64_t ns)
{
	return put32(put32(p, (uint32_t)((uint64_t)ns >> 32)), (uint32_t)ns);
}

static uint8_t *pad(uint8_t *p, size_t len)
{
	while (len++ % 4)
		*p++ = 0;
	return p;
}

/* ---- blocks and options ------------------------------------------------ */

static uint8_t *block_begin(uint8_t *buf, enum block_type type)
{
	return put32(buf, type) + 4;
}

static size_t block_end(uint8_t *buf, uint8_t *p)
{
	size_t len = (size_t)(p - buf) + 4;

	put32(buf + 4, (uint32_t)len);
	put32(p, (uint32_t)len);
	return len;
}

static uint8_t *option_end(uint8_t *p)
{
	return put32(p, OPT_END);
}

static uint8_t *option64(uint8_t *p, enum option code, uint64_t v)
{
	return put64(put16(put16(p, code), 8), v);
}

static uint8_t *option_time(uint8_t *p, enum option code, int64_t ns)
{
	return put_time(put16(put16(p, code), 8), ns);
}

/*
 * Bytes of the character at @s if it may be shown as it is, 0 if it has to be
 * escaped: a control character (C1 ones, too) or not UTF-8 (RFC 3629, 4).
 */
static size_t plain_char(const uint8_t *s)
{
	static const struct {
		uint8_t first, last, lo, hi; /* range of the second byte */
		uint8_t len;
	} forms[] = {
		{0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (*s >= ' ' && *s < 0x7f)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*s < forms[i].first || *s > forms[i].last)
			continue;
		if (s[1] < forms[i].lo || s[1] > forms[i].hi)
			return 0;
		for (size_t n = 2; n < forms[i].len; n++) {
			if ((s[n] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}

/* Text, cut off before the character that has no room. */
static uint8_t *option_text(uint8_t *p, enum option code, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *s = (const uint8_t *)text;
	uint8_t *to = p + 4, *limit = to + PCAPNG_TEXT_MAX;
	size_t n;

	if (!text)
		return p;
	for (; *s; s += n ? n : 1) {
		n = plain_char(s);
		if (to + (n ? n : 4) > limit)
			break;
		if (n) {
			memcpy(to, s, n);
			to += n;
			continue;
		}
		*to++ = '\\';
		*to++ = 'x';
		*to++ = (uint8_t)digits[*s >> 4];
		*to++ = (uint8_t)digits[*s & 15];
	}
	n = (size_t)(to - p) - 4;
	put16(put16(p, code), (unsigned int)n);
	return pad(to, n);
}

/* ---- the four kinds ---------------------------------------------------- */

size_t pcapng_section(uint8_t *buf, const struct pcapng_section *s)
{
	uint8_t *p = block_begin(buf, BLOCK_SECTION);

	p = put32(p, BYTE_ORDER_MAGIC);
	p = put16(put16(p, 1), 0); /* version 1.0 */
	p = put64(p, UINT64_MAX);  /* of unknown length */
	p = option_text(p, SHB_HARDWARE, s->hardware);
	p = option_text(p, SHB_OS, s->os);
	p = option_text(p, SHB_APPLICATION, s->application);
	return block_end(buf, option_end(p));
}

size_t pcapng_interface(uint8_t *buf, const struct pcapng_interface *i)
{
	uint8_t *p = block_begin(buf, BLOCK_INTERFACE);

	p = put16(put16(p, i->link), 0);
	p = put32(p, i->snaplen);
	p = option_text(p, OPT_COMMENT, i->comment);
	p = option_text(p, IF_NAME, i->name);
	p = option_text(p, IF_DESCRIPTION, i->description);
	p = put16(put16(p, IF_TSRESOL), 1);
	*p++ = NANOSECONDS;
	return block_end(buf, option_end(pad(p, 1)));
}

size_t pcapng_packet(uint8_t *buf, const struct pcapng_packet *p)
{
	uint8_t *to = block_begin(buf, BLOCK_PACKET);
	uint32_t flags = p->direction;

	to = put_time(put32(to, p->interface), p->at_ns);
	to = put32(put32(to, p->kept), p->len);
	memcpy(to, p->data, p->kept);
	to = pad(to + p->kept, p->kept);
	to = option_text(to, OPT_COMMENT, p->comment);
	if (p->csum_missing)
		flags |= FLAG_CSUM_MISSING;
	if (p->super)
		flags |= FLAG_SUPER;
	to = put32(put16(put16(to, EPB_FLAGS), 4), flags);
	if (p->lost)
		to = option64(to, EPB_DROPCOUNT, p->lost);
	return block_end(buf, option_end(to));
}

size_t pcapng_statistics(uint8_t *buf, const struct pcapng_statistics *s)
{
	uint8_t *p = block_begin(buf, BLOCK_STATISTICS);

	p = put_time(put32(p, 0), s->end_ns);
	p = option_time(p, ISB_BEGIN, s->begin_ns);
	p = option_time(p, ISB_END, s->end_ns);
	p = option64(p, ISB_RECEIVED, s->seen);
	p = option64(p, ISB_DROPPED, s->lost);
	p = option64(p, ISB_ACCEPTED, s->matched);
	p = option64(p, ISB_DELIVERED, s->kept);
	return block_end(buf, option_end(p));
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

uint64_t pcapng_packets(const uint8_t *blocks, size_t len)
{
	uint64_t n = 0;

	for (size_t at = 0; at < len; at += get32(blocks + at + 4))
		n += get32(blocks + at) == BLOCK_PACKET;
	return n;
}
