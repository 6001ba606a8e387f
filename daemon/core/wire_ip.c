/*
 * wire_ip.c - IPv4 and IPv6 headers
 *
 * Parsing decides all that can be said about a packet without knowing our own
 * addresses: lengths, header checksum, addresses that nobody can have. What
 * comes out is the same for both families: addresses of 16 bytes, a protocol,
 * a body.
 */
#include "wire.h"

#include <string.h>

#include "assert.h"
#include "be.h"

#define IP4_DF	     0x4000
#define IP4_OFF_UNIT 8 /* bytes */

#define IP6_EXT_MAX 8 /* headers */

#define IP6_OPT_PAD1   0
#define IP6_OPT_ACTION 0xc0 /* RFC 8200, 4.2: not zero = discard if unknown */
#define IP6_OPT_SILENT 0x40 /* ... and say nothing */

static enum drop_reason parse4(const uint8_t *h, size_t len, struct ip_pkt *ip);
static enum drop_reason parse6(const uint8_t *h, size_t len, struct ip_pkt *ip);

enum drop_reason wire_ip_parse(const void *pkt, size_t len, struct ip_pkt *ip)
{
	const uint8_t *h = pkt;

	if (len < 1)
		return DROP_IP_SHORT;
	switch (h[0] >> 4) {
	case 4:
		return parse4(h, len, ip);
	case 6:
		return parse6(h, len, ip);
	default:
		return DROP_IP_VERSION;
	}
}

uint32_t wire_ip_build(uint8_t *buf, const struct ip_addr *src,
		       const struct ip_addr *dst, uint8_t proto, uint8_t ttl,
		       uint8_t tos, uint16_t ip_id, bool df, uint32_t len)
{
	uint32_t w[5], sum = 0;

	if (!ip_mapped(src->b)) {
		ASSERT(len <= UINT16_MAX);
		be_put32(buf, 6u << 28 | (uint32_t)tos << 20);
		be_put32(buf + 4, len << 16 | (uint32_t)proto << 8 | ttl);
		memcpy(buf + 8, src->b, 16);
		memcpy(buf + 24, dst->b, 16);
		return WIRE_IP6_LEN;
	}
	ASSERT(len <= UINT16_MAX - WIRE_IP4_LEN);
	w[0] = 0x45u << 24 | (uint32_t)tos << 16 | (WIRE_IP4_LEN + len);
	w[1] = (uint32_t)ip_id << 16 | (df ? IP4_DF : 0);
	w[2] = (uint32_t)ttl << 24 | (uint32_t)proto << 16;
	w[3] = be_get32(src->b + 12);
	w[4] = be_get32(dst->b + 12);
	for (int i = 0; i < 5; i++)
		sum += (w[i] >> 16) + (w[i] & 0xffff);
	w[2] |= csum_fold(sum);
	for (int i = 0; i < 5; i++)
		be_put32(buf + 4 * i, w[i]);
	return WIRE_IP4_LEN;
}

uint32_t wire_ip_piece(uint8_t *buf, const uint8_t *head, uint32_t id,
		       uint32_t off, uint32_t len, bool more)
{
	ASSERT(off % IP4_OFF_UNIT == 0);
	if (head[0] >> 4 == 6) {
		memcpy(buf, head, WIRE_IP6_LEN);
		be_put16(buf + 4, (uint16_t)(WIRE_FRAG6_LEN + len));
		buf[IP6_NEXT_AT] = IP6_FRAGMENT;
		buf += WIRE_IP6_LEN;
		buf[0] = head[IP6_NEXT_AT];
		buf[1] = 0;
		be_put16(buf + 2, (uint16_t)(off | (more ? IP6_MF : 0)));
		be_put32(buf + 4, id);
		return WIRE_PIECE_HEAD_MAX;
	}
	memcpy(buf, head, WIRE_IP4_LEN);
	be_put16(buf + 2, (uint16_t)(WIRE_IP4_LEN + len));
	be_put16(buf + 6, (uint16_t)(off / IP4_OFF_UNIT | (more ? IP4_MF : 0)));
	be_put16(buf + 10, 0);
	be_put16(buf + 10, csum_fold(csum_partial(buf, WIRE_IP4_LEN, 0)));
	return WIRE_IP4_LEN;
}

/*
 * Nobody's address as a source (RFC 1122, 3.2.1.3): this network, loopback,
 * multicast, limited broadcast. TTL is not looked at: a packet that has
 * arrived is not discarded for it (RFC 1122, 3.2.1.7).
 */
static enum drop_reason check4(uint32_t src, uint32_t dst)
{
	if (src >> 24 == 0 || src >> 24 == 127 || src >> 28 == 0xe ||
	    src == UINT32_MAX)
		return DROP_IP_SOURCE; /* RFC 9293, 3.9.2.3 (MUST-63) */
	if (dst >> 28 == 0xe || dst == UINT32_MAX)
		return DROP_IP_BROADCAST; /* RFC 9293, 3.9.2.3 (MUST-57) */
	return DROP_NONE;
}

static enum drop_reason parse4(const uint8_t *h, size_t len, struct ip_pkt *ip)
{
	uint32_t total, head_len, frag;

	if (len < WIRE_IP4_LEN)
		return DROP_IP_SHORT;
	head_len = (h[0] & 0xfu) * 4;
	if (head_len < WIRE_IP4_LEN)
		return DROP_IP_HEADER;
	if (head_len > len)
		return DROP_IP_SHORT;
	total = be_get16(h + 2);
	if (total < head_len || total > len)
		return DROP_IP_LENGTH;
	if (csum_fold(csum_partial(h, head_len, 0)) != 0)
		return DROP_IP_CHECKSUM;

	ip_map4(&ip->src, h + 12);
	ip_map4(&ip->dst, h + 16);
	frag = be_get16(h + 6);
	ip->fragment = (frag & (IP4_MF | IP4_OFF_MASK)) != 0;
	ip->frag_off = (uint16_t)((frag & IP4_OFF_MASK) * IP4_OFF_UNIT);
	ip->frag_more = (frag & IP4_MF) != 0;
	ip->frag_id = be_get16(h + 4);
	ip->proto = h[9];
	ip->ttl = h[8];
	ip->tos = h[1];
	ip->v6 = false;
	ip->head_len = head_len;
	ip->complaint = COMPLAIN_PROTOCOL;
	ip->unknown_at = 0;
	ip->head = h;
	/* Options are passed over: RFC 9293, 3.9.2 (MUST-50). */
	ip->body = h + head_len;
	ip->body_len = total - head_len;
	return check4(be_get32(h + 12), be_get32(h + 16));
}

/*
 * The same for IPv6 (RFC 4291, 2.5 to 2.7). A mapped address on the wire is
 * nobody's either (RFC 4291, 2.5.5.2, knows it inside a node only) and must
 * not be taken for the IPv4 host that we would write this way.
 */
static enum drop_reason check6(const uint8_t *src, const uint8_t *dst)
{
	static const uint8_t zero[15];

	if (src[0] == 0xff || (src[15] <= 1 && memcmp(src, zero, 15) == 0) ||
	    ip_mapped(src))
		return DROP_IP_SOURCE; /* RFC 9293, 3.9.2.3 (MUST-63) */
	if (dst[0] == 0xff)
		return DROP_IP_BROADCAST; /* RFC 9293, 3.9.2.3 (MUST-57) */
	if (ip_mapped(dst))
		return DROP_IP_NOT_OURS;
	return DROP_NONE;
}

static void complain(struct ip_pkt *ip, enum icmp_complaint what, uint32_t at)
{
	ip->complaint = (uint8_t)what;
	ip->unknown_at = at;
}

/* RFC 8200, 4.2: may the options in @x, @len bytes, be passed over? If not, the
 * first two bits of the one we do not know say who is told. */
static bool options_skippable(struct ip_pkt *ip, const uint8_t *x, uint32_t len)
{
	uint8_t action;

	for (uint32_t at = 2; at < len;) {
		if (x[at] == IP6_OPT_PAD1) {
			at++;
			continue;
		}
		if (len - at < 2 || x[at + 1] > len - at - 2)
			return false;
		action = x[at] & IP6_OPT_ACTION;
		if (action) {
			/* The other two differ for multicast alone, which is
			 * not for us anyway. */
			if (action != IP6_OPT_SILENT)
				complain(ip, COMPLAIN_OPTION,
					 ip->head_len + at);
			return false;
		}
		at += 2u + x[at + 1];
	}
	return true;
}

/*
 * Pass over one extension header, the @nth from 0, of which @left bytes are
 * there. Advances head_len and proto.
 */
static enum drop_reason skip_extension(struct ip_pkt *ip, unsigned int nth,
				       uint32_t left)
{
	const uint8_t *x = ip->head + ip->head_len;
	uint32_t len = IP6_EXT_UNIT, off, named_at = ip->unknown_at;

	complain(ip, COMPLAIN_NOT, 0);
	if (left < IP6_EXT_UNIT)
		return DROP_IP_EXTENSION;
	if (ip->proto != IP6_FRAGMENT)
		len += x[1] * IP6_EXT_UNIT;
	if (len > left)
		return DROP_IP_EXTENSION;

	switch (ip->proto) {
	case IP6_HOPOPTS:
		if (nth != 0) { /* RFC 8200, 4.1: nowhere but first */
			complain(ip, COMPLAIN_PROTOCOL, named_at);
			return DROP_IP_EXTENSION;
		}
		/* fallthrough */
	case IP6_DSTOPTS:
		if (!options_skippable(ip, x, len))
			return DROP_IP_EXTENSION;
		break;
	case IP6_ROUTING:
		if (x[3] != 0) { /* RFC 8200, 4.4: we route for nobody */
			complain(ip, COMPLAIN_FIELD, ip->head_len + 2);
			return DROP_IP_EXTENSION;
		}
		break;
	case IP6_FRAGMENT:
		off = be_get16(x + 2);
		ip->fragment = (off & (IP6_OFF_MASK | IP6_MF)) != 0;
		ip->frag_off = off & IP6_OFF_MASK;
		ip->frag_more = (off & IP6_MF) != 0;
		ip->frag_id = be_get32(x + 4);
		break;
	}
	ip->proto = x[0];
	complain(ip, COMPLAIN_PROTOCOL, ip->head_len);
	ip->head_len += len;
	return DROP_NONE;
}

static bool is_extension(uint8_t proto)
{
	return proto == IP6_HOPOPTS || proto == IP6_ROUTING ||
	       proto == IP6_FRAGMENT || proto == IP6_DSTOPTS;
}

static enum drop_reason parse6(const uint8_t *h, size_t len, struct ip_pkt *ip)
{
	enum drop_reason why;
	uint32_t total;

	if (len < WIRE_IP6_LEN)
		return DROP_IP_SHORT;
	total = WIRE_IP6_LEN + be_get16(h + 4);
	if (total == WIRE_IP6_LEN || total > len)
		return DROP_IP_LENGTH; /* empty, or a jumbogram (RFC 2675) */

	memcpy(ip->src.b, h + 8, 16);
	memcpy(ip->dst.b, h + 24, 16);
	ip->fragment = ip->frag_more = false;
	ip->frag_off = 0;
	ip->frag_id = 0;
	ip->proto = h[IP6_NEXT_AT];
	ip->ttl = h[7];
	ip->tos = (uint8_t)(be_get16(h) >> 4);
	ip->v6 = true;
	ip->head_len = WIRE_IP6_LEN;
	complain(ip, COMPLAIN_PROTOCOL, IP6_NEXT_AT);
	ip->head = h;
	why = check6(h + 8, h + 24);
	for (unsigned int n = 0;
	     why == DROP_NONE && !ip->fragment && is_extension(ip->proto);
	     n++) {
		if (n < IP6_EXT_MAX) {
			why = skip_extension(ip, n, total - ip->head_len);
		} else {
			complain(ip, COMPLAIN_NOT, 0);
			why = DROP_IP_EXTENSION;
		}
	}
	if (why == DROP_NONE && ip->proto == IP6_NONE && !ip->fragment) {
		complain(ip, COMPLAIN_NOT, 0); /* RFC 8200, 4.7: no error */
		why = DROP_IP_EXTENSION;
	}
	ip->body = h + ip->head_len;
	ip->body_len = total - ip->head_len;
	return why;
}
