/*
 * decode_tunnel.c - What stands between a link and the IP packet that matters
 *
 * Tags, labels and tunnels, in each other in any order, up to ENCAPS_MAX. Each
 * is noted with its number; the innermost IP packet is the one that counts.
 */
#include "core/be.h"
#include "decode.h"

#define ETHERNET_LEN  14
#define ETHERTYPE_MIN 0x600 /* below it is a length: IEEE 802.3 */
#define LLC_SNAP_LEN  8

#define ETHERTYPE_IP	  0x0800
#define ETHERTYPE_BRIDGED 0x6558 /* Ethernet in GRE */
#define ETHERTYPE_VLAN	  0x8100
#define ETHERTYPE_IP6	  0x86dd
#define ETHERTYPE_MPLS	  0x8847
#define ETHERTYPE_MPLS_MC 0x8848
#define ETHERTYPE_QINQ	  0x88a8
#define ETHERTYPE_ERSPAN  0x88be
#define ETHERTYPE_QINQ_9  0x9100 /* before there was a standard */

#define PPPOE_LEN 6
#define PPP_IP	  0x0021
#define PPP_IP6	  0x0057

/* RFC 2784, 2890. */
#define GRE_SUM	    0x8000
#define GRE_KEY	    0x2000
#define GRE_SEQ	    0x1000
#define GRE_VERSION 0x0007

#define UDP_LEN	    8
#define PORT_VXLAN  4789 /* RFC 7348 */
#define PORT_GTPU   2152 /* 3GPP TS 29.281 */
#define PORT_GENEVE 6081 /* RFC 8926 */
#define VXLAN_LEN   8
#define GENEVE_LEN  8
#define GTPU_LEN    8
#define GTPU_TPDU   255

static enum packet_kind vlan(struct decoding *g);
static enum packet_kind mpls(struct decoding *g);
static enum packet_kind pppoe(struct decoding *g);
static enum packet_kind vxlan(struct decoding *g);
static enum packet_kind geneve(struct decoding *g);
static enum packet_kind gtpu(struct decoding *g);

enum packet_kind decode_ethernet(struct decoding *g)
{
	const uint8_t *h = g->v.p;
	uint16_t type;

	if (!view_skip(&g->v, ETHERNET_LEN))
		return decode_short(g, FAULT_LINK);
	type = be_get16(h + 12);
	if (type >= ETHERTYPE_MIN)
		return decode_ethertype(g, type);
	view_limit(&g->v, type);
	return decode_llc(g);
}

/* IEEE 802.2 with SNAP, as Ethernet's numbers travel elsewhere (RFC 1042). */
enum packet_kind decode_llc(struct decoding *g)
{
	const uint8_t *h = g->v.p;

	if (g->v.cap < LLC_SNAP_LEN || h[0] != 0xaa || h[1] != 0xaa)
		return PACKET_OTHER;
	view_skip(&g->v, LLC_SNAP_LEN);
	return decode_ethertype(g, be_get16(h + 6));
}

enum packet_kind decode_ethertype(struct decoding *g, uint16_t type)
{
	switch (type) {
	case ETHERTYPE_IP:
	case ETHERTYPE_IP6:
		return decode_ip(g);
	case ETHERTYPE_VLAN:
	case ETHERTYPE_QINQ:
	case ETHERTYPE_QINQ_9:
		return vlan(g);
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MC:
		return mpls(g);
	case ETHERTYPE_PPPOE:
		return pppoe(g);
	default:
		return PACKET_OTHER;
	}
}

static enum packet_kind vlan(struct decoding *g)
{
	const uint8_t *h = g->v.p;

	if (!view_skip(&g->v, 4))
		return decode_short(g, FAULT_LINK);
	if (!decode_encap(g, ENCAP_VLAN, be_get16(h) & 0xfff))
		return decode_broken(g, FAULT_DEPTH);
	return decode_ethertype(g, be_get16(h + 2));
}

/* RFC 3032. Nothing says what is below the last label; IP shows itself. */
static enum packet_kind mpls(struct decoding *g)
{
	uint32_t label;

	do {
		if (g->v.cap < 4)
			return decode_short(g, FAULT_LINK);
		label = be_get32(g->v.p);
		view_skip(&g->v, 4);
		if (!decode_encap(g, ENCAP_MPLS, label >> 12))
			return decode_broken(g, FAULT_DEPTH);
	} while (!(label & 0x100));
	if (g->v.cap < 1)
		return decode_short(g, FAULT_LINK);
	if (g->v.p[0] >> 4 != 4 && g->v.p[0] >> 4 != 6)
		return PACKET_OTHER;
	return decode_ip(g);
}

/* RFC 2516. */
static enum packet_kind pppoe(struct decoding *g)
{
	const uint8_t *h = g->v.p;

	if (!view_skip(&g->v, PPPOE_LEN))
		return decode_short(g, FAULT_LINK);
	if (h[0] != 0x11 || h[1] != 0)
		return PACKET_OTHER;
	if (!decode_encap(g, ENCAP_PPPOE, be_get16(h + 2)))
		return decode_broken(g, FAULT_DEPTH);
	view_limit(&g->v, be_get16(h + 4));
	return decode_ppp(g);
}

/* RFC 1661 and 1662: address and control may be there or not, and the protocol
 * may be one byte, which is then odd. */
enum packet_kind decode_ppp(struct decoding *g)
{
	const uint8_t *h = g->v.p;
	uint16_t type;

	if (g->v.cap >= 2 && h[0] == 0xff && h[1] == 0x03)
		view_skip(&g->v, 2);
	h = g->v.p;
	if (g->v.cap < 2)
		return decode_short(g, FAULT_LINK);
	type = h[0] & 1 ? h[0] : be_get16(h);
	view_skip(&g->v, h[0] & 1 ? 1 : 2);
	if (type != PPP_IP && type != PPP_IP6)
		return PACKET_OTHER;
	return decode_ip(g);
}

enum packet_kind decode_gre(struct decoding *g)
{
	const uint8_t *h = g->v.p;
	uint32_t len = 4, key = 0;
	uint16_t flags, type;

	if (g->v.cap < len)
		return decode_short(g, FAULT_LINK);
	flags = be_get16(h);
	type = be_get16(h + 2);
	if (flags & GRE_VERSION)
		return PACKET_OTHER;
	if (flags & GRE_SUM)
		len += 4;
	if (flags & GRE_KEY) {
		if (g->v.cap < len + 4)
			return decode_short(g, FAULT_LINK);
		key = be_get32(h + len);
		len += 4;
	}
	if (flags & GRE_SEQ)
		len += 4;
	/* Type II has a header of its own, and a number; type I has neither. */
	if (type == ETHERTYPE_ERSPAN && flags & GRE_SEQ)
		len += 8;
	if (!view_skip(&g->v, len))
		return decode_short(g, FAULT_LINK);
	if (!decode_encap(g,
			  type == ETHERTYPE_ERSPAN ? ENCAP_ERSPAN : ENCAP_GRE,
			  key))
		return decode_broken(g, FAULT_DEPTH);
	if (type == ETHERTYPE_BRIDGED || type == ETHERTYPE_ERSPAN)
		return decode_ethernet(g);
	return decode_ethertype(g, type);
}

enum packet_kind decode_udp(struct decoding *g)
{
	const uint8_t *h = g->v.p;

	if (!view_skip(&g->v, UDP_LEN))
		return PACKET_OTHER;
	switch (be_get16(h + 2)) {
	case PORT_VXLAN:
		return vxlan(g);
	case PORT_GENEVE:
		return geneve(g);
	case PORT_GTPU:
		return gtpu(g);
	default:
		return PACKET_OTHER;
	}
}

static enum packet_kind vxlan(struct decoding *g)
{
	const uint8_t *h = g->v.p;

	if (!view_skip(&g->v, VXLAN_LEN) || !(h[0] & 0x08))
		return PACKET_OTHER;
	if (!decode_encap(g, ENCAP_VXLAN, be_get32(h + 4) >> 8))
		return decode_broken(g, FAULT_DEPTH);
	return decode_ethernet(g);
}

/* RFC 8926, 3.4: version 0, and no message of the tunnel's own. */
static enum packet_kind geneve(struct decoding *g)
{
	const uint8_t *h = g->v.p;
	uint16_t type;

	if (!view_skip(&g->v, GENEVE_LEN) || h[0] & 0xc0 || h[1] & 0x80)
		return PACKET_OTHER;
	type = be_get16(h + 2);
	if (!view_skip(&g->v, (h[0] & 0x3fu) * 4))
		return decode_short(g, FAULT_LINK);
	if (!decode_encap(g, ENCAP_GENEVE, be_get32(h + 4) >> 8))
		return decode_broken(g, FAULT_DEPTH);
	if (type == ETHERTYPE_BRIDGED)
		return decode_ethernet(g);
	return decode_ethertype(g, type);
}

static enum packet_kind gtpu(struct decoding *g)
{
	const uint8_t *h = g->v.p;
	uint8_t next;

	/* Version 1, GTP and not GTP', a packet of a user. */
	if (!view_skip(&g->v, GTPU_LEN) || (h[0] & 0xf0) != 0x30 ||
	    h[1] != GTPU_TPDU)
		return PACKET_OTHER;
	if (!decode_encap(g, ENCAP_GTPU, be_get32(h + 4)))
		return decode_broken(g, FAULT_DEPTH);
	if (h[0] & 0x07) {
		if (!view_skip(&g->v, 4))
			return decode_short(g, FAULT_LINK);
		next = h[0] & 0x04 ? h[GTPU_LEN + 3] : 0;
		while (next) {
			uint32_t len = g->v.cap ? g->v.p[0] * 4u : 0;

			if (!len || g->v.cap < len)
				return decode_short(g, FAULT_LINK);
			next = g->v.p[len - 1];
			view_skip(&g->v, len);
		}
	}
	return decode_ip(g);
}
