/*
 * decode.c - Captured frames, from their link layer on
 *
 * What the number of a link type stands for, and where the network layer begins
 * behind it. Everything from there on is in decode_tunnel.c and decode_ip.c.
 */
#include "decode.h"

#include <stdlib.h>
#include <string.h>

#include "core/be.h"

#define SLL_LEN	 16
#define SLL2_LEN 20
#define SLL_OUT	 4 /* packet type of SLL and SLL2: sent by this machine */

#define RADIOTAP_LEN 8
#define WLAN_LEN     24 /* with three addresses */

#define FAMILY_INET 2

static enum packet_kind by_link(struct decoding *g, uint32_t link);
static enum packet_kind null_link(struct decoding *g);
static enum packet_kind sll(struct decoding *g);
static enum packet_kind sll2(struct decoding *g);
static enum packet_kind radiotap(struct decoding *g);
static enum packet_kind wlan(struct decoding *g);
static enum packet_kind raw(struct decoding *g, uint8_t version);

struct decoder *decoder_new(size_t memory)
{
	static const uint8_t tags[3] = {1, 2, 3};
	/* Whoever made the capture gains nothing by guessing it. */
	static const uint8_t key[16];
	struct decoder *d = calloc(1, sizeof(*d));

	memory -= memory % PAGE_SIZE_B;
	if (!d || !memory)
		return d;
	d->memory = aligned_alloc(PAGE_SIZE_B, memory);
	if (!d->memory) {
		free(d);
		return NULL;
	}
	memset(d->memory, 0, memory);
	d->reassembles = arena_init(&d->arena, d->memory, memory, 0);
	if (d->reassembles)
		reasm_init(&d->reasm, &d->arena, key, tags);
	return d;
}

void decoder_free(struct decoder *d)
{
	if (d)
		free(d->memory);
	free(d);
}

enum packet_kind decode(struct decoder *d, const struct frame *f,
			struct packet *p)
{
	struct decoding g = {
		.d = d,
		.p = p,
		.v = {.p = f->bytes, .len = f->len, .cap = f->cap_len},
	};

	if (d->holds)
		reasm_release(&d->reasm);
	d->holds = false;
	memset(p, 0, sizeof(*p));
	p->ns = f->ns;
	p->number = f->number;
	p->iface = f->iface;
	p->direction = f->direction;
	if (g.v.len < g.v.cap) /* some tools write it so */
		g.v.len = g.v.cap;
	p->kind = (uint8_t)by_link(&g, f->link);
	return p->kind;
}

const char *link_name(uint32_t link)
{
	switch (link) {
#define LINK_CASE(name, number, words) \
	case number:                   \
		return words;
		LINK_LIST(LINK_CASE)
#undef LINK_CASE
	default:
		return NULL;
	}
}

static enum packet_kind by_link(struct decoding *g, uint32_t link)
{
	switch (link) {
	case LINK_NULL:
	case LINK_LOOP:
		return null_link(g);
	case LINK_ETHERNET:
		return decode_ethernet(g);
	case LINK_PPP:
	case LINK_PPP_HDLC:
		return decode_ppp(g);
	case LINK_PPP_ETHER:
		return decode_ethertype(g, ETHERTYPE_PPPOE);
	case LINK_RAW:
	case LINK_RAW_12:
	case LINK_RAW_14:
		return decode_ip(g);
	case LINK_IPV4:
		return raw(g, 4);
	case LINK_IPV6:
		return raw(g, 6);
	case LINK_IEEE802_11:
		return wlan(g);
	case LINK_RADIOTAP:
		return radiotap(g);
	case LINK_LINUX_SLL:
		return sll(g);
	case LINK_LINUX_SLL2:
		return sll2(g);
	default:
		return PACKET_OTHER;
	}
}

/* The family is in the byte order of the machine that captured. IPv6 has a
 * number of its own on each system, so the packet itself is asked. */
static enum packet_kind null_link(struct decoding *g)
{
	uint32_t family;

	if (g->v.cap < 4)
		return decode_short(g, FAULT_LINK);
	family = be_get32(g->v.p);
	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	view_skip(&g->v, 4);
	if (family == FAMILY_INET)
		return raw(g, 4);
	return raw(g, 6);
}

static enum packet_kind raw(struct decoding *g, uint8_t version)
{
	if (g->v.cap < 1)
		return decode_short(g, FAULT_LINK);
	if (g->v.p[0] >> 4 != version)
		return PACKET_OTHER;
	return decode_ip(g);
}

static enum packet_kind sll(struct decoding *g)
{
	const uint8_t *h = g->v.p;

	if (!view_skip(&g->v, SLL_LEN))
		return decode_short(g, FAULT_LINK);
	if (!g->p->direction)
		g->p->direction = be_get16(h) == SLL_OUT ? FRAME_OUT : FRAME_IN;
	return decode_ethertype(g, be_get16(h + 14));
}

static enum packet_kind sll2(struct decoding *g)
{
	const uint8_t *h = g->v.p;

	if (!view_skip(&g->v, SLL2_LEN))
		return decode_short(g, FAULT_LINK);
	if (!g->p->direction)
		g->p->direction = h[10] == SLL_OUT ? FRAME_OUT : FRAME_IN;
	return decode_ethertype(g, be_get16(h));
}

static enum packet_kind radiotap(struct decoding *g)
{
	const uint8_t *h = g->v.p;

	if (g->v.cap < RADIOTAP_LEN)
		return decode_short(g, FAULT_LINK);
	if (!view_skip(&g->v, (uint32_t)h[2] | (uint32_t)h[3] << 8))
		return decode_short(g, FAULT_LINK);
	return wlan(g);
}

/* IEEE 802.11: data frames that nobody has encrypted. */
static enum packet_kind wlan(struct decoding *g)
{
	const uint8_t *h = g->v.p;
	uint32_t len = WLAN_LEN;
	bool data, empty, qos;

	if (g->v.cap < 2)
		return decode_short(g, FAULT_LINK);
	data = (h[0] & 0x0f) == 0x08;
	empty = h[0] & 0x40;
	qos = h[0] & 0x80;
	if (!data || empty || h[1] & 0x40)
		return PACKET_OTHER;
	if ((h[1] & 3) == 3) /* to and from a distribution system */
		len += 6;
	if (qos) {
		if (g->v.cap < len + 2)
			return decode_short(g, FAULT_LINK);
		if (h[len] & 0x80) /* several frames in one */
			return PACKET_OTHER;
		len += 2;
		if (h[1] & 0x80) /* HT control */
			len += 4;
	}
	if (!view_skip(&g->v, len))
		return decode_short(g, FAULT_LINK);
	return decode_llc(g);
}
