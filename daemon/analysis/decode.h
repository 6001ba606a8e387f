/*
 * decode.h - What the files of the decoder share
 *
 * A frame is taken apart from outside in. The view is what is left of it: a
 * pointer to the next layer, how many bytes of that were sent and how many were
 * kept. Each layer takes its header off, narrows the view to the length that it
 * states, and hands on to the next; the last one says what kind of packet it is.
 */
#ifndef TCPHS_DECODE_H
#define TCPHS_DECODE_H

#include <tcphs/capture_packet.h>

#include "core/reasm.h"

struct decoder {
	struct arena arena;
	struct reasm reasm;
	void *memory; /* of the arena; NULL if there is none */
	bool reassembles;
	bool holds; /* the last packet lies in reasm */
};

struct view {
	const uint8_t *p;
	uint32_t len; /* as sent */
	uint32_t cap; /* as kept; never more than len */
};

struct decoding {
	struct decoder *d;
	struct packet *p;
	struct view v;
};

#define ETHERTYPE_PPPOE 0x8864

/* decode_tunnel.c */
enum packet_kind decode_llc(struct decoding *g);
enum packet_kind decode_ethertype(struct decoding *g, uint16_t type);
enum packet_kind decode_ethernet(struct decoding *g);
enum packet_kind decode_ppp(struct decoding *g);
enum packet_kind decode_gre(struct decoding *g);
enum packet_kind decode_udp(struct decoding *g);

/* decode_ip.c */
enum packet_kind decode_ip(struct decoding *g);

/* decode_tcp.c */
enum packet_kind decode_tcp(struct decoding *g);
enum packet_kind decode_icmp(struct decoding *g, bool v6);

/* Take @n bytes off; false if they were not kept. */
static inline bool view_skip(struct view *v, uint32_t n)
{
	if (v->cap < n)
		return false;
	v->p += n;
	v->cap -= n;
	v->len -= n;
	return true;
}

/* What follows is padding. */
static inline void view_limit(struct view *v, uint32_t len)
{
	if (v->len > len)
		v->len = len;
	if (v->cap > len)
		v->cap = len;
}

static inline enum packet_kind decode_broken(struct decoding *g,
					     enum packet_fault why)
{
	g->p->fault = (uint8_t)why;
	return PACKET_BROKEN;
}

/* A header is longer than what is there: cut off by who captured, or wrong. */
static inline enum packet_kind decode_short(struct decoding *g,
					    enum packet_fault why)
{
	return decode_broken(g, g->v.cap < g->v.len ? FAULT_CUT : why);
}

/* False if there are too many around each other. */
static inline bool decode_encap(struct decoding *g, enum encap_kind kind,
				uint32_t number)
{
	struct packet *p = g->p;

	if (p->nencaps == ENCAPS_MAX)
		return false;
	p->encap[p->nencaps++] = (struct encap){(uint8_t)kind, number};
	return true;
}

#endif
