/*
 * wire_icmp.c - ICMP and ICMPv6 messages, in one language
 *
 * An error matters by what it says and by the segment it quotes. ICMPv6 has
 * other numbers for the same news, so its codes are translated into those of
 * ICMPv4 and "packet too big" is one kind. The quote is the beginning of a
 * packet of ours, perhaps cut off; eight bytes of TCP are what every router
 * sends back (RFC 792), and they hold what a connection is recognised by.
 *
 * Our own errors are named by what we complain of, and are written in the
 * language of the packet that caused them.
 */
#include "wire.h"

#include <string.h>

#include "assert.h"
#include "be.h"

#define QUOTE_TCP_LEN 8 /* ports and sequence number */

#define ICMP4_UNREACHABLE   3
#define ICMP4_QUENCH	    4
#define ICMP4_REDIRECT	    5
#define ICMP4_ECHO	    8
#define ICMP4_TIME_EXCEEDED 11
#define ICMP4_PARAM_PROBLEM 12

#define ICMP6_UNREACHABLE   1
#define ICMP6_TOO_BIG	    2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP6_PARAM_PROBLEM 4
#define ICMP6_ECHO	    128 /* errors have lower numbers: RFC 4443, 2.1 */
#define ICMP6_REDIRECT	    137

#define IP6_EXT_UNIT 8

/* Codes of "unreachable", as ICMPv4 has them. */
#define UNREACH_NET	 0
#define UNREACH_HOST	 1
#define UNREACH_PORT	 3
#define UNREACH_TOO_BIG	 4 /* fragmentation needed and DF set */
#define UNREACH_FILTERED 13

static void parse4(const uint8_t *h, struct icmp_msg *m);
static void parse6(const uint8_t *h, struct icmp_msg *m);
static bool is_error(enum icmp_kind kind);
static uint32_t icmp6_at(const uint8_t *pkt, uint32_t len);
static void quote4(const uint8_t *q, uint32_t len, struct icmp_msg *m);
static void quote6(const uint8_t *q, uint32_t len, struct icmp_msg *m);

enum drop_reason wire_icmp_parse(const struct ip_pkt *ip, struct icmp_msg *m)
{
	const uint8_t *h = ip->body;
	uint32_t sum = 0;

	if (ip->body_len < WIRE_ICMP_LEN)
		return DROP_ICMP_SHORT;
	if (ip->v6) /* RFC 4443, 2.3 */
		sum = csum_pseudo(&ip->src, &ip->dst, IP_PROTO_ICMPV6,
				  ip->body_len);
	if (csum_fold(csum_partial(h, ip->body_len, sum)) != 0)
		return DROP_ICMP_CHECKSUM;

	memset(m, 0, sizeof(*m));
	if (ip->v6)
		parse6(h, m);
	else
		parse4(h, m);
	if (!is_error(m->kind))
		return DROP_NONE;
	if (ip->v6)
		quote6(h + WIRE_ICMP_LEN, ip->body_len - WIRE_ICMP_LEN, m);
	else
		quote4(h + WIRE_ICMP_LEN, ip->body_len - WIRE_ICMP_LEN, m);
	return DROP_NONE;
}

static void parse4(const uint8_t *h, struct icmp_msg *m)
{
	m->code = h[1];
	switch (h[0]) {
	case ICMP4_UNREACHABLE:
		m->kind = ICMP_UNREACHABLE;
		if (m->code == UNREACH_TOO_BIG) { /* RFC 1191, 4 */
			m->kind = ICMP_TOO_BIG;
			m->mtu = be_get16(h + 6);
		}
		break;
	case ICMP4_QUENCH:
		m->kind = ICMP_QUENCH;
		break;
	case ICMP4_ECHO:
		m->kind = ICMP_ECHO;
		break;
	case ICMP4_TIME_EXCEEDED:
		m->kind = ICMP_TIME_EXCEEDED;
		break;
	case ICMP4_PARAM_PROBLEM:
		m->kind = ICMP_PARAM_PROBLEM;
		break;
	default:
		m->kind = ICMP_OTHER;
	}
}

/* RFC 4443, 3.1: why a destination is unreachable, in ICMPv4's numbers. */
static uint8_t unreachable6(uint8_t code)
{
	switch (code) {
	case 0: /* no route */
		return UNREACH_NET;
	case 1: /* administratively prohibited */
	case 5: /* source address failed a policy */
	case 6: /* reject route */
		return UNREACH_FILTERED;
	case 4:
		return UNREACH_PORT;
	default: /* beyond the scope of the source, address unreachable */
		return UNREACH_HOST;
	}
}

static void parse6(const uint8_t *h, struct icmp_msg *m)
{
	m->code = h[1];
	switch (h[0]) {
	case ICMP6_UNREACHABLE:
		m->kind = ICMP_UNREACHABLE;
		m->code = unreachable6(h[1]);
		break;
	case ICMP6_TOO_BIG:
		m->kind = ICMP_TOO_BIG;
		m->code = UNREACH_TOO_BIG;
		m->mtu = be_get32(h + 4);
		break;
	case ICMP6_TIME_EXCEEDED:
		m->kind = ICMP_TIME_EXCEEDED;
		break;
	case ICMP6_PARAM_PROBLEM:
		m->kind = ICMP_PARAM_PROBLEM;
		break;
	case ICMP6_ECHO:
		m->kind = ICMP_ECHO;
		break;
	default:
		m->kind = ICMP_OTHER;
	}
}

static bool is_error(enum icmp_kind kind)
{
	return kind == ICMP_UNREACHABLE || kind == ICMP_TIME_EXCEEDED ||
	       kind == ICMP_PARAM_PROBLEM || kind == ICMP_TOO_BIG ||
	       kind == ICMP_QUENCH;
}

static void quote_tcp(const uint8_t *t, struct icmp_msg *m)
{
	m->quoted = true;
	m->q_sport = be_get16(t);
	m->q_dport = be_get16(t + 2);
	m->q_seq = be_get32(t + 4);
}

/*
 * The quoted header's checksum and length are not looked at: routers changed
 * the one on the way and some rewrite the other.
 */
static void quote4(const uint8_t *q, uint32_t len, struct icmp_msg *m)
{
	uint32_t head_len;

	if (len < WIRE_IP4_LEN || q[0] >> 4 != 4)
		return;
	head_len = (q[0] & 0xfu) * 4;
	if (head_len < WIRE_IP4_LEN || len < head_len + QUOTE_TCP_LEN ||
	    q[9] != IP_PROTO_TCP || (be_get16(q + 6) & 0x1fff) != 0)
		return;
	ip_map4(&m->q_src, q + 12);
	ip_map4(&m->q_dst, q + 16);
	quote_tcp(q + head_len, m);
}

/* We send no extension headers, so none are looked for in what is quoted. */
static void quote6(const uint8_t *q, uint32_t len, struct icmp_msg *m)
{
	if (len < WIRE_IP6_LEN + QUOTE_TCP_LEN || q[0] >> 4 != 6 ||
	    q[6] != IP_PROTO_TCP)
		return;
	memcpy(m->q_src.b, q + 8, 16);
	memcpy(m->q_dst.b, q + 24, 16);
	quote_tcp(q + WIRE_IP6_LEN, m);
}

uint32_t wire_icmp_build(uint8_t *buf, const struct ip_addr *src,
			 const struct ip_addr *dst, uint8_t ttl, uint16_t ip_id,
			 enum icmp_complaint what, uint32_t at,
			 const uint8_t *quote, uint32_t len)
{
	static const struct {
		uint8_t type, code;
	} names[][2] = {
		/* ICMPv4, ICMPv6 */
		[COMPLAIN_PROTOCOL] = {{ICMP4_UNREACHABLE, 2},
				       {ICMP6_PARAM_PROBLEM, 1}},
		[COMPLAIN_PORT] = {{ICMP4_UNREACHABLE, UNREACH_PORT},
				   {ICMP6_UNREACHABLE, 4}},
		[COMPLAIN_TIME] = {{ICMP4_TIME_EXCEEDED, 1},
				   {ICMP6_TIME_EXCEEDED, 1}},
		[COMPLAIN_FIELD] = {{0, 0}, {ICMP6_PARAM_PROBLEM, 0}},
		[COMPLAIN_OPTION] = {{0, 0}, {ICMP6_PARAM_PROBLEM, 2}},
		[COMPLAIN_FIRST] = {{0, 0}, {ICMP6_PARAM_PROBLEM, 3}},
	};
	bool v6 = !ip_mapped(src->b);
	uint8_t proto = v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, *h;
	uint32_t head, sum;

	ASSERT(names[what][v6].type != 0);
	ASSERT(len <= (v6 ? WIRE_QUOTE6_MAX : WIRE_QUOTE4_MAX));
	head = wire_ip_build(buf, src, dst, proto, ttl, 0, ip_id, false,
			     WIRE_ICMP_LEN + len);
	h = buf + head;
	h[0] = names[what][v6].type;
	h[1] = names[what][v6].code;
	be_put16(h + 2, 0);
	be_put32(h + 4, h[0] == ICMP6_PARAM_PROBLEM && v6 ? at : 0);
	sum = v6 ? csum_pseudo(src, dst, proto, WIRE_ICMP_LEN + len) : 0;
	sum = csum_partial(h, WIRE_ICMP_LEN, sum);
	be_put16(h + 2, csum_fold(csum_partial(quote, len, sum)));
	return head + WIRE_ICMP_LEN;
}

bool wire_icmp_is_error(const uint8_t *pkt, uint32_t len)
{
	uint32_t at;

	if (len < WIRE_IP4_LEN)
		return false;
	if (pkt[0] >> 4 == 6) {
		at = icmp6_at(pkt, len);
		return at &&
		       (pkt[at] < ICMP6_ECHO || pkt[at] == ICMP6_REDIRECT);
	}
	at = (pkt[0] & 0xfu) * 4;
	if (pkt[9] != IP_PROTO_ICMP || at >= len)
		return false;
	return pkt[at] == ICMP4_UNREACHABLE || pkt[at] == ICMP4_QUENCH ||
	       pkt[at] == ICMP4_REDIRECT || pkt[at] == ICMP4_TIME_EXCEEDED ||
	       pkt[at] == ICMP4_PARAM_PROBLEM;
}

/* Where ICMPv6 begins behind any extension headers; 0 if nowhere in sight. */
static uint32_t icmp6_at(const uint8_t *pkt, uint32_t len)
{
	uint32_t at = WIRE_IP6_LEN, ext;
	uint8_t proto;

	if (len < WIRE_IP6_LEN)
		return 0;
	proto = pkt[6];
	while (proto == IP6_HOPOPTS || proto == IP6_ROUTING ||
	       proto == IP6_FRAGMENT || proto == IP6_DSTOPTS) {
		if (at + IP6_EXT_UNIT > len)
			return 0;
		if (proto == IP6_FRAGMENT && be_get16(pkt + at + 2) & 0xfff8)
			return 0;
		ext = proto == IP6_FRAGMENT ? 0u : pkt[at + 1];
		proto = pkt[at];
		at += (ext + 1) * IP6_EXT_UNIT;
	}
	return proto == IP_PROTO_ICMPV6 && at < len ? at : 0;
}
