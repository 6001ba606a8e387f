/*
 * container.c - Capture files, as various programs write them
 *
 * Whatever a format leaves open is drawn by lot: units of time, options that
 * nobody needs, blocks that carry no packet.
 */
#include <string.h>

#include "gen.h"

#define SECTION_FRAMES 40

#define UNITS_US 6
#define UNITS_NS 9
#define UNITS_PS 12
#define EPOCH	 1700000000ll /* offset that makes room for picoseconds */

static bool turned; /* byte order of what is being written */

const char *format_name(unsigned int format)
{
	static const char *const names[] = {
#define FORMAT_WORD(name) #name,
		FORMAT_LIST(FORMAT_WORD)
#undef FORMAT_WORD
	};

	return names[format];
}

static void put16(FILE *f, uint16_t v)
{
	if (turned)
		v = __builtin_bswap16(v);
	fwrite(&v, sizeof(v), 1, f);
}

static void put32(FILE *f, uint32_t v)
{
	if (turned)
		v = __builtin_bswap32(v);
	fwrite(&v, sizeof(v), 1, f);
}

static void put64(FILE *f, uint64_t v)
{
	if (turned)
		v = __builtin_bswap64(v);
	fwrite(&v, sizeof(v), 1, f);
}

static void put_padded(FILE *f, const void *p, uint32_t n)
{
	static const uint8_t zeros[4];

	fwrite(p, 1, n, f);
	fwrite(zeros, 1, (4 - n % 4) % 4, f);
}

static bool is_ng(const struct container *c)
{
	return c->format >= GEN_pcapng;
}

static bool is_ns(const struct container *c)
{
	return c->format == GEN_pcap_ns || c->format == GEN_pcap_ns_swapped;
}

static uint8_t units(uint8_t iface)
{
	static const uint8_t all[IFACES_MAX] = {UNITS_NS, UNITS_US, UNITS_PS,
						UNITS_NS};

	return all[iface];
}

static void put_iface(struct container *c, uint8_t i)
{
	bool offset = units(i) == UNITS_PS;
	bool options = units(i) != UNITS_US;
	uint32_t len = 20 + (options ? 8 + 4 + 12 * offset : 0);

	put32(c->out, 1);
	put32(c->out, len);
	put16(c->out, (uint16_t)c->link[i]);
	put16(c->out, 0);
	put32(c->out, 0);
	if (options) {
		put16(c->out, 9);
		put16(c->out, 1);
		put_padded(c->out, (uint8_t[]){units(i)}, 1);
		if (offset) {
			put16(c->out, 14);
			put16(c->out, 8);
			put64(c->out, EPOCH);
		}
		put32(c->out, 0);
	}
	put32(c->out, len);
}

static void put_section(struct container *c)
{
	put32(c->out, 0x0a0d0d0a);
	put32(c->out, 28);
	put32(c->out, 0x1a2b3c4d);
	put16(c->out, 1);
	put16(c->out, 0);
	put64(c->out, UINT64_MAX);
	put32(c->out, 28);
	for (uint8_t i = 0; i < c->nifaces; i++)
		put_iface(c, i);
}

void container_begin(struct container *c)
{
	turned = container_swapped(c);
	if (is_ng(c)) {
		put_section(c);
		return;
	}
	put32(c->out, is_ns(c) ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(c->out, 2);
	put16(c->out, c->format == GEN_pcap_22 ? 2 : 4);
	put64(c->out, 0);
	put32(c->out, 262144);
	put32(c->out, c->link[0]);
}

static void put_ng(struct container *c, uint8_t iface, int64_t ns,
		   const struct wrapped *w)
{
	bool comment = one_in(&c->r, 10);
	uint32_t padded = (w->cap_len + 3) & ~3u;
	uint32_t len = 32 + padded + (comment ? 16 : 0);
	uint64_t ticks = (uint64_t)ns;

	if (units(iface) == UNITS_US)
		ticks /= 1000;
	else if (units(iface) == UNITS_PS)
		ticks = (uint64_t)(ns - EPOCH * SECOND) * 1000;
	put32(c->out, 6);
	put32(c->out, len);
	put32(c->out, iface);
	put32(c->out, (uint32_t)(ticks >> 32));
	put32(c->out, (uint32_t)ticks);
	put32(c->out, w->cap_len);
	put32(c->out, w->len);
	put_padded(c->out, w->bytes, w->cap_len);
	if (comment) {
		put16(c->out, 1);
		put16(c->out, 7);
		put_padded(c->out, "a frame", 7);
		put32(c->out, 0);
	}
	put32(c->out, len);
}

/* A block that nobody knows. */
static void put_other(struct container *c)
{
	put32(c->out, 0xbad);
	put32(c->out, 20);
	put64(c->out, 0x1234);
	put32(c->out, 20);
}

void container_frame(struct container *c, uint8_t iface, int64_t ns,
		     const struct wrapped *w)
{
	bool old = c->format == GEN_pcap_22;

	if (c->format == GEN_pcapng_sections && c->frames &&
	    c->frames % SECTION_FRAMES == 0) {
		turned = !turned;
		put_section(c);
	}
	c->frames++;
	if (is_ng(c)) {
		if (one_in(&c->r, 50))
			put_other(c);
		put_ng(c, iface, ns, w);
		return;
	}
	put32(c->out, (uint32_t)(ns / SECOND));
	put32(c->out, (uint32_t)(ns % SECOND / (is_ns(c) ? 1 : 1000)));
	put32(c->out, old ? w->len : w->cap_len);
	put32(c->out, old ? w->cap_len : w->len);
	fwrite(w->bytes, 1, w->cap_len, c->out);
}
