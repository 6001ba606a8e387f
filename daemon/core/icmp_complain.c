/*
 * icmp_complain.c - Errors we tell those whose packets are of no use
 *
 * A packet for a protocol, a port or an IPv6 option that nobody here knows, or
 * fragments of which some never came: RFC 1122, 3.2.2 and 4.1.3.1; RFC 4443, 3;
 * RFC 8200, 4. Whatever is complained of was dropped and counted before.
 *
 * Errors are what floods are reflected with, so they are few: to one host only
 * (RFC 1122, 3.2.2; RFC 4443, 2.4 (e)), never about another error, of the size
 * of what caused them and the headers, and so many a second. That bucket is
 * their own: who is flooded by pings still tells of closed ports.
 */
#include "be.h"
#include "tcp_priv.h"

#define UDP_LEN		8
#define CLASS_E		0xf0 /* first byte; reserved: no single host */
#define IP6_LENGTH_AT	4
#define IP6_FRAG_OFF_AT 2 /* in the fragment header */

/* What an error would quote. */
struct about {
	const struct ip_addr *src, *dst;
	const uint8_t *pkt;
	uint32_t len;
	bool v6;
};

static void complain(struct stack *st, enum icmp_complaint what,
		     const struct about *p, uint32_t at);
static bool may_complain(const struct stack *st, const struct about *p);
static bool udp_whole(const struct ip_pkt *ip, bool csum_ok);

void icmp_complain(struct stack *st, enum icmp_complaint what,
		   const struct ip_pkt *ip)
{
	const struct about p = {
		.src = &ip->src,
		.dst = &ip->dst,
		.pkt = ip->head,
		.len = ip->head_len + ip->body_len,
		.v6 = ip->v6,
	};

	/* RFC 1122, 3.2.2: what the others carry nobody can see. */
	if (what == COMPLAIN_NOT || (!ip->v6 && ip->fragment && ip->frag_off))
		return;
	complain(st, what, &p, ip->unknown_at);
}

void icmp_complain_lost(struct stack *st, const struct reasm_lost *lost)
{
	const struct about p = {
		.src = &lost->src,
		.dst = &lost->dst,
		.pkt = lost->quote,
		.len = lost->quote_len,
		.v6 = lost->v6,
	};

	/* RFC 792; RFC 8200, 4.5: only if the first one is there. */
	if (lost->quote_len)
		complain(st, COMPLAIN_TIME, &p, 0);
}

void icmp_complain_fragment(struct stack *st, enum reasm_verdict why,
			    const struct ip_pkt *ip)
{
	struct ip_pkt at = *ip;

	if (!ip->v6)
		return;
	switch (why) {
	case REASM_LENGTH:
		at.unknown_at = IP6_LENGTH_AT;
		if (ip->body_len)
			icmp_complain(st, COMPLAIN_FIELD, &at);
		break;
	case REASM_SIZE:
		at.unknown_at = ip->head_len - WIRE_FRAG6_LEN + IP6_FRAG_OFF_AT;
		icmp_complain(st, COMPLAIN_FIELD, &at);
		break;
	case REASM_TINY: /* RFC 7112, 5 */
		at.unknown_at = 0;
		icmp_complain(st, COMPLAIN_FIRST, &at);
		break;
	default:
		break;
	}
}

void udp_input(struct stack *st, const struct ip_pkt *ip, bool csum_ok)
{
	struct tcp_key ends = {.local = ip->dst, .peer = ip->src};

	if (!udp_whole(ip, csum_ok)) {
		stack_drop(st, DROP_UDP_HEADER, &ends, NULL, NULL);
		return;
	}
	ends.local_port = be_get16(ip->body + 2);
	ends.peer_port = be_get16(ip->body);
	stack_drop(st, DROP_UDP_PORT, &ends, NULL, NULL);
	icmp_complain(st, COMPLAIN_PORT, ip);
}

static void complain(struct stack *st, enum icmp_complaint what,
		     const struct about *p, uint32_t at)
{
	uint32_t most = p->v6 ? WIRE_QUOTE6_MAX : WIRE_QUOTE4_MAX;
	uint32_t len = p->len < most ? p->len : most;
	struct reply *r;

	if (!may_complain(st, p))
		return;
	if (!bucket_take(&st->complaint_bucket, st->conf.icmp_rate,
			 st->now_us)) {
		st->stats.icmp_errors_held++;
		return;
	}
	r = reply_new(st);
	if (!r)
		return;
	r->ipv6 = p->v6;
	r->len = (uint16_t)wire_icmp_build(
		r->head, p->dst, p->src, st->conf.ttl,
		(uint16_t)stack_random(st), what, at, p->pkt, len);
	if (reply_queue(st, r, p->pkt, len))
		st->stats.icmp_errors_out++;
}

/* RFC 1122, 3.2.2; RFC 4443, 2.4 (e). Most sources that are no single host did
 * not get past wire_ip_parse(), and no broadcast did. */
static bool may_complain(const struct stack *st, const struct about *p)
{
	return stack_is_own(st, p->dst) && !stack_is_own(st, p->src) &&
	       !stack_is_broadcast(st, p->src) &&
	       (p->v6 || p->src->b[12] < CLASS_E) &&
	       !wire_icmp_is_error(p->pkt, p->len);
}

/* RFC 768; RFC 8200, 8.1: over IPv6, UDP has a checksum. */
static bool udp_whole(const struct ip_pkt *ip, bool csum_ok)
{
	const uint8_t *h = ip->body;
	uint32_t len, sum;

	if (ip->body_len < UDP_LEN)
		return false;
	len = be_get16(h + 4);
	if (len < UDP_LEN || len > ip->body_len)
		return false;
	if (csum_ok)
		return true;
	if (!be_get16(h + 6))
		return !ip->v6;
	sum = csum_pseudo(&ip->src, &ip->dst, IP_PROTO_UDP, len);
	return csum_fold(csum_partial(h, len, sum)) == 0;
}
