/*
 * sim_path.c - What a path does to packets beside delaying them
 *
 * Losses that are meant: the nth text, SYN, FIN, ACK or copy of a connection;
 * all in an interval; in bursts (Gilbert and Elliott: a good and a bad state,
 * the bad one as long in time as it is, whether packets come or not). While
 * all is lost a router may complain. Packets that are too big for a hop: dropped
 * with the error of RFC 1191 and RFC 8201 or in silence, or cut into fragments
 * by a tunnel that does not care for DF.
 */
#include "sim.h"

#include <string.h>

#include "sim_segment.h"

#define ICMP_QUOTE_MAX 548 /* so that the whole fits in 576 bytes */

/* Which of the kinds that can be aimed at is this? */
static uint32_t packet_kinds(struct path *path, const struct segment *s)
{
	uint32_t kinds = 0, end = s->seq + s->len + !!(s->flags & TH_SYN) +
				  !!(s->flags & TH_FIN);

	if (s->flags & TH_SYN)
		kinds |= 1u << AIM_SYN;
	else if (s->len)
		kinds |= 1u << AIM_TEXT;
	else if (!(s->flags & (TH_FIN | TH_RST)))
		kinds |= 1u << AIM_ACK;
	if (s->flags & TH_FIN)
		kinds |= 1u << AIM_FIN;
	if (end != s->seq) {
		if (path->sent && ahead(end, path->end) <= 0)
			kinds |= 1u << AIM_AGAIN;
		else
			path->end = end;
		path->sent = true;
	}
	return kinds;
}

static bool path_is_aimed(struct link *l, const uint8_t *pkt, uint32_t len)
{
	const struct link_opts *o = l->opts;
	struct path *path;
	struct segment s;
	bool hit = false;
	uint32_t kinds;

	if (!o->aim[0].count || !segment_parse(pkt, len, &s))
		return false;
	path = &l->sim->path[l->from ? s.dport : s.sport][l->from];
	kinds = packet_kinds(path, &s);
	for (unsigned int i = 0; i < AIMS_MAX; i++) {
		if (!o->aim[i].count || !(kinds & 1u << o->aim[i].kind))
			continue;
		path->aimed[i]++;
		hit |= path->aimed[i] >= o->aim[i].nth &&
		       path->aimed[i] < o->aim[i].nth + o->aim[i].count;
	}
	return hit;
}

static bool path_in_burst(struct link *l)
{
	const struct link_opts *o = l->opts;

	if (!o->burst_ppm)
		return false;
	if (l->sim->now_us >= l->bad_until_us &&
	    rand_chance(&l->rand, o->burst_ppm))
		l->bad_until_us =
			l->sim->now_us +
			(int64_t)rand_log(&l->rand, 1, (uint64_t)o->burst_us);
	return l->sim->now_us < l->bad_until_us &&
	       rand_chance(&l->rand, o->burst_loss_ppm);
}

static bool path_is_gone(const struct link *l)
{
	int64_t since_us = l->sim->now_us - l->sim->opts->start_us;

	return since_us >= l->opts->gone_from_us &&
	       since_us < l->opts->gone_to_us;
}

/** path_loses() - Is this packet lost for a reason of its own? */
bool path_loses(struct link *l, const uint8_t *pkt, uint32_t len)
{
	bool aimed = path_is_aimed(l, pkt, len), burst = path_in_burst(l);

	return aimed || burst || path_is_gone(l);
}

static void router_addresses(struct segment *s, const uint8_t *pkt)
{
	static const uint8_t router4[4] = {198, 18, 66, 77},
			     router6[16] = {0xfd, 0x74, 0x63,	  0x70,
					    0x68, 0x73, [15] = 77};

	s->v6 = pkt[0] >> 4 == 6;
	s->ttl = 64;
	memcpy(s->src, s->v6 ? router6 : router4, s->v6 ? 16 : 4);
	memcpy(s->dst, pkt + (s->v6 ? 8 : 12), s->v6 ? 16 : 4);
}

/**
 * icmp_about() - Build an ICMP error about a packet, for its sender
 * @rest: The second word of the message
 *
 * Return: bytes in @buf
 */
uint32_t icmp_about(uint8_t *buf, const uint8_t *pkt, uint32_t len,
		    uint8_t type, uint8_t code, uint32_t rest)
{
	uint32_t quote = len < ICMP_QUOTE_MAX ? len : ICMP_QUOTE_MAX, head, sum;
	struct segment s = {.tos = 0};
	uint8_t *m;

	router_addresses(&s, pkt);
	head = segment_ip(buf, &s, s.v6 ? PROTO_ICMPV6 : PROTO_ICMP, 8 + quote);
	m = buf + head;
	m[0] = type;
	m[1] = code;
	put16(m + 2, 0);
	put32(m + 4, rest);
	memcpy(m + 8, pkt, quote);
	sum = s.v6 ? packet_sum(buf + 8, 32, PROTO_ICMPV6 + 8 + quote) : 0;
	put16(m + 2, 0xffffu ^ packet_sum(m, 8 + quote, sum));
	return head + 8 + quote;
}

/** path_unreachable() - A packet was lost: does a router know why? */
void path_unreachable(struct link *l, const uint8_t *pkt, uint32_t len)
{
	static uint8_t buf[SIM_PACKET_MAX];
	const struct link_opts *o = l->opts;
	uint32_t n;

	if (!o->gone_type || !path_is_gone(l))
		return;
	n = icmp_about(buf, pkt, len, o->gone_type, o->gone_code, 0);
	link_inject(l->sim, l->from, buf, n, l->sim->now_us + o->delay_us,
		    false);
}

/** path_too_big() - Does a hop drop it for its size? It may say so. */
bool path_too_big(struct link *l, const uint8_t *pkt, uint32_t len)
{
	const struct link_opts *o = l->opts;
	int64_t now_us = l->sim->now_us;
	static uint8_t buf[SIM_PACKET_MAX];
	bool v6 = pkt[0] >> 4 == 6;
	uint32_t n;

	if (!o->mtu || len <= o->mtu ||
	    now_us - l->sim->opts->start_us < o->mtu_from_us)
		return false;
	trace_packet(l->sim, l->from, "too big", pkt, len, 0);
	if (o->mtu_silent)
		return true;
	n = icmp_about(buf, pkt, len, v6 ? 2 : 3, v6 ? 0 : 4,
		       o->mtu_unsaid ? 0 : o->mtu);
	link_inject(l->sim, l->from, buf, n, now_us + o->delay_us, false);
	return true;
}

static void fragment4(const uint8_t *pkt, uint32_t off, uint32_t n, bool more,
		      uint16_t id, uint8_t *buf)
{
	memcpy(buf, pkt, 20);
	memcpy(buf + 20, pkt + 20 + off, n);
	put16(buf + 2, 20 + n);
	put16(buf + 4, id);
	put16(buf + 6, (more ? 0x2000u : 0) | off / 8);
	put16(buf + 10, 0);
	put16(buf + 10, 0xffffu ^ packet_sum(buf, 20, 0));
}

static void fragment6(const uint8_t *pkt, uint32_t off, uint32_t n, bool more,
		      uint16_t id, uint8_t *buf)
{
	memcpy(buf, pkt, 40);
	memcpy(buf + 48, pkt + 40 + off, n);
	put16(buf + 4, 8 + n);
	buf[6] = 44; /* fragment header, RFC 8200, 4.5 */
	buf[40] = pkt[6];
	buf[41] = 0;
	put16(buf + 42, off | more);
	put32(buf + 44, id);
}

static void fragment_deliver(struct link *l, const uint8_t *pkt, uint32_t len,
			     uint32_t piece, uint32_t i, int64_t at_us)
{
	static uint8_t buf[SIM_PACKET_MAX];
	bool v6 = pkt[0] >> 4 == 6, more;
	uint32_t head = v6 ? 40 : 20, off = i * piece, n = len - head - off;

	more = n > piece;
	n = more ? piece : n;
	if (v6)
		fragment6(pkt, off, n, more, l->frag_id, buf);
	else
		fragment4(pkt, off, n, more, l->frag_id, buf);
	at_us += (int64_t)rand_between(&l->rand, 0,
				       (uint64_t)l->opts->jitter_us);
	link_deliver(l, buf, n + head + (v6 ? 8 : 0), 0, at_us);
}

/**
 * path_fragment() - Deliver a packet in pieces if the link cuts it
 *
 * Return: false if it does not
 */
bool path_fragment(struct link *l, const uint8_t *pkt, uint32_t len,
		   int64_t at_us)
{
	const struct link_opts *o = l->opts;
	bool v6 = pkt[0] >> 4 == 6;
	uint32_t head = v6 ? 40 : 20, body = len - head, piece, last, lost, i;

	if (!o->fragment || len <= o->fragment)
		return false;
	piece = (o->fragment - head - (v6 ? 8 : 0)) & ~7u;
	last = (body - 1) / piece;
	lost = rand_chance(&l->rand, o->loss_ppm / 2)
		       ? (uint32_t)rand_between(&l->rand, 0, body / piece)
		       : UINT32_MAX;
	l->frag_id++;
	for (uint32_t n = 0; n <= last; n++) {
		i = o->fragment_last_first ? last - n : n;
		if (i == lost)
			continue;
		fragment_deliver(l, pkt, len, piece, i, at_us);
		if (o->fragment_twice)
			fragment_deliver(l, pkt, len, piece, i, at_us);
	}
	return true;
}
