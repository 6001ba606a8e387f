/*
 * decode_tcp.c - TCP segments of captured packets, and ICMP errors about some
 *
 * Options are read as far as they can be. A checksum is judged if all of the
 * segment was kept. One that is only begun (the sum of the pseudo-header, or
 * nothing at all) was to be completed by the network card of the machine that
 * captured: no fault of anybody, but nothing to judge by either.
 */
#include <stdio.h>
#include <string.h>

#include "core/be.h"
#include "core/wire.h"
#include "decode.h"

#define TCPOPT_MPTCP 30
#define TCPOPT_TFO   34
#define TCPOPT_EXP   254
#define EXP_TFO	     0xf989 /* RFC 6994; RFC 7413 before it had a number */

/* RFC 792; RFC 4443. */
#define ICMP4_UNREACHABLE 3
#define ICMP4_QUENCH	  4
#define ICMP4_TIME	  11
#define ICMP4_PARAM	  12
#define ICMP4_NEED_FRAG	  4 /* code of unreachable */
#define ICMP6_TOO_BIG	  2
#define ICMP6_ERROR_MAX	  4
#define QUOTE_MIN	  8 /* ports and sequence number */

static void checksum(struct decoding *g, const struct view *seg);
static void options(struct packet *p, const uint8_t *o, uint32_t len);
static bool option(struct packet *p, const uint8_t *o, uint32_t len);
static void tfo(struct packet *p, uint32_t cookie_len);
static bool quote(struct decoding *g, bool v6);

enum packet_kind decode_tcp(struct decoding *g)
{
	const struct view seg = g->v;
	const uint8_t *h = seg.p;
	struct packet *p = g->p;
	uint32_t head_len, there;

	if (seg.cap < WIRE_TCP_LEN)
		return decode_short(g, FAULT_IP_LENGTH);
	p->sport = be_get16(h);
	p->dport = be_get16(h + 2);
	p->seq = be_get32(h + 4);
	p->ack = be_get32(h + 8);
	p->flags = be_get16(h + 12) & 0xfff;
	p->wnd = be_get16(h + 14);
	p->up = be_get16(h + 18);
	head_len = (h[12] >> 4) * 4u;
	if (head_len < WIRE_TCP_LEN || head_len > seg.len)
		return decode_broken(g, FAULT_TCP_OFFSET);
	there = head_len < seg.cap ? head_len : seg.cap;
	if (there < head_len)
		p->notes |= NOTE_OPTIONS_CUT;
	options(p, h + WIRE_TCP_LEN, there - WIRE_TCP_LEN);
	view_skip(&g->v, there);
	p->len = seg.len - head_len;
	p->cap_len = g->v.cap;
	p->text = g->v.p;
	if (seg.cap < seg.len)
		p->notes |= NOTE_CUT;
	else
		checksum(g, &seg);
	return PACKET_TCP;
}

static void checksum(struct decoding *g, const struct view *seg)
{
	struct packet *p = g->p;
	uint32_t pseudo = csum_pseudo(&p->src, &p->dst, IP_PROTO_TCP, seg->len);
	uint16_t begun = (uint16_t)~csum_fold(pseudo);
	uint16_t field = be_get16(seg->p + 16);

	if (csum_fold(csum_partial(seg->p, seg->len, pseudo)) == 0)
		return;
	if (field == 0 || field == begun)
		p->notes |= NOTE_TCP_SUM_PART;
	else
		p->notes |= NOTE_TCP_SUM;
}

static void options(struct packet *p, const uint8_t *o, uint32_t len)
{
	while (len) {
		if (o[0] == TCPOPT_EOL)
			return;
		if (o[0] == TCPOPT_NOP) {
			o++;
			len--;
			continue;
		}
		if (len < 2 || o[1] < 2 || o[1] > len || !option(p, o, o[1])) {
			if (!(p->notes & NOTE_OPTIONS_CUT))
				p->notes |= NOTE_OPTION;
			return;
		}
		len -= o[1];
		o += o[1];
	}
}

/* False if it has not the length of its kind. */
static bool option(struct packet *p, const uint8_t *o, uint32_t len)
{
	switch (o[0]) {
	case TCPOPT_MSS:
		if (len != 4)
			return false;
		p->opts |= POPT_MSS;
		p->mss = be_get16(o + 2);
		return true;
	case TCPOPT_WSCALE:
		if (len != 3)
			return false;
		p->opts |= POPT_WSCALE;
		p->wscale = o[2];
		return true;
	case TCPOPT_SACK_OK:
		p->opts |= POPT_SACK_OK;
		return len == 2;
	case TCPOPT_SACK:
		if (len < 10 || (len - 2) % 8)
			return false;
		p->opts |= POPT_SACK;
		p->nsacks = (uint8_t)((len - 2) / 8);
		if (p->nsacks > PACKET_SACKS_MAX)
			p->nsacks = PACKET_SACKS_MAX;
		for (uint32_t i = 0; i < p->nsacks; i++) {
			p->sack[i].start = be_get32(o + 2 + i * 8);
			p->sack[i].end = be_get32(o + 6 + i * 8);
		}
		return true;
	case TCPOPT_TS:
		if (len != 10)
			return false;
		p->opts |= POPT_TS;
		p->ts_val = be_get32(o + 2);
		p->ts_ecr = be_get32(o + 6);
		return true;
	case TCPOPT_MPTCP:
		p->opts |= POPT_MPTCP;
		return true;
	case TCPOPT_TFO:
		tfo(p, len - 2);
		return true;
	case TCPOPT_EXP:
		if (len >= 4 && be_get16(o + 2) == EXP_TFO)
			tfo(p, len - 4);
		else
			p->opts |= POPT_OTHER;
		return true;
	default:
		p->opts |= POPT_OTHER;
		return true;
	}
}

static void tfo(struct packet *p, uint32_t cookie_len)
{
	p->opts |= POPT_TFO;
	p->tfo_len = (uint8_t)cookie_len;
}

enum packet_kind decode_icmp(struct decoding *g, bool v6)
{
	const uint8_t *h = g->v.p;
	struct packet *p = g->p;

	if (!view_skip(&g->v, WIRE_ICMP_LEN))
		return PACKET_OTHER;
	p->icmp_type = h[0];
	p->icmp_code = h[1];
	p->icmp6 = v6;
	if (v6 ? h[0] == 0 || h[0] > ICMP6_ERROR_MAX
	       : h[0] != ICMP4_UNREACHABLE && h[0] != ICMP4_QUENCH &&
			    h[0] != ICMP4_TIME && h[0] != ICMP4_PARAM)
		return PACKET_OTHER;
	if (v6 && h[0] == ICMP6_TOO_BIG)
		p->icmp_mtu = be_get32(h + 4);
	else if (!v6 && h[0] == ICMP4_UNREACHABLE && h[1] == ICMP4_NEED_FRAG)
		p->icmp_mtu = be_get16(h + 6);
	p->reporter = p->src;
	return quote(g, v6) ? PACKET_ICMP : PACKET_OTHER;
}

/* The beginning of the packet that is complained of. */
static bool quote(struct decoding *g, bool v6)
{
	const uint8_t *h = g->v.p;
	struct packet *p = g->p;
	uint32_t head_len = WIRE_IP6_LEN;

	if (g->v.cap < (v6 ? WIRE_IP6_LEN : WIRE_IP4_LEN) ||
	    h[0] >> 4 != (v6 ? 6 : 4))
		return false;
	if (v6) {
		memcpy(p->src.b, h + 8, 16);
		memcpy(p->dst.b, h + 24, 16);
	} else {
		head_len = (h[0] & 0xfu) * 4;
		ip_map4(&p->src, h + 12);
		ip_map4(&p->dst, h + 16);
	}
	if (h[v6 ? 6 : 9] != IP_PROTO_TCP || head_len < WIRE_IP4_LEN ||
	    !view_skip(&g->v, head_len) || g->v.cap < QUOTE_MIN)
		return false;
	p->sport = be_get16(g->v.p);
	p->dport = be_get16(g->v.p + 2);
	p->seq = be_get32(g->v.p + 4);
	return true;
}

/*
 * SYN, FIN and RST exclude each other, and whatever is not a SYN or a RST
 * carries ACK (RFC 9293, 3.10.7.4): the rest opens and closes nothing.
 */
const char *packet_flags_name(uint16_t flags, char *buf)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {
		{TH_SYN, "SYN"}, {TH_FIN, "FIN"}, {TH_RST, "RST"},
		{TH_PSH, "PSH"}, {TH_URG, "URG"}, {TH_ACK, "ACK"},
		{TH_ECE, "ECE"}, {TH_CWR, "CWR"}, {0x100, "AE"},
	};
	uint16_t kind = flags & (TH_SYN | TH_FIN | TH_RST);
	bool odd = kind & (kind - 1) || !(flags & (TH_SYN | TH_RST | TH_ACK));
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & names[i].bit)
			n += (size_t)snprintf(buf + n, FLAGS_NAME_MAX - n,
					      "%s%s",
					      n == 0 ? ""
					      : odd  ? "+"
						     : "-",
					      names[i].name);
	if (!n)
		n = (size_t)snprintf(buf, FLAGS_NAME_MAX, "none");
	if (odd)
		snprintf(buf + n, FLAGS_NAME_MAX - n, " (invalid)");
	return buf;
}
