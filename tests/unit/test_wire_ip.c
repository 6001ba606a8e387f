/*
 * test_wire_ip.c - IP headers: each reason to drop beside a packet that passes
 */
#include <string.h>

#include "core/wire.h"
#include "packet.h"
#include "unit.h"

#define HOPOPTS	 0
#define ROUTING	 43
#define FRAGMENT 44
#define NONE	 59
#define DSTOPTS	 60

static struct ip_pkt ip; /* of the last parse() */

static enum drop_reason parse(const struct packet *p)
{
	memset(&ip, 0xa5, sizeof(ip));
	return wire_ip_parse(p->b, p->len, &ip);
}

static struct packet packet4(void)
{
	struct packet p;

	packet_ip4(&p, IP_PROTO_TCP, "0123456789", 10);
	return p;
}

static struct packet packet6(void)
{
	struct packet p;

	packet_ip6(&p, IP_PROTO_TCP, "0123456789", 10);
	return p;
}

/* IPv4: set @n bytes at @at, make the checksum right, parse. */
static enum drop_reason with4(size_t at, const void *b, size_t n)
{
	static struct packet p;

	p = packet4();
	memcpy(p.b + at, b, n);
	packet_seal(&p);
	return parse(&p);
}

static enum drop_reason with6(size_t at, const void *b, size_t n)
{
	static struct packet p;

	p = packet6();
	memcpy(p.b + at, b, n);
	return parse(&p);
}

static void fields4(void)
{
	struct packet p = packet4();

	p.b[1] = 0xb9;
	packet_seal(&p);
	CU_ASSERT_EQUAL(parse(&p), DROP_NONE);
	CU_ASSERT_FALSE(ip.v6);
	CU_ASSERT_TRUE(ip_mapped(ip.src.b));
	CU_ASSERT_EQUAL(memcmp(ip.src.b + 12, "\xc6\x12\x42\x01", 4), 0);
	CU_ASSERT_TRUE(ip_mapped(ip.dst.b));
	CU_ASSERT_EQUAL(memcmp(ip.dst.b + 12, "\xc6\x12\x42\x02", 4), 0);
	CU_ASSERT_EQUAL(ip.proto, IP_PROTO_TCP);
	CU_ASSERT_EQUAL(ip.ttl, 64);
	CU_ASSERT_EQUAL(ip.tos, 0xb9);
	CU_ASSERT_FALSE(ip.fragment);
	CU_ASSERT_EQUAL(ip.frag_off, 0);
	CU_ASSERT_FALSE(ip.frag_more);
	CU_ASSERT_EQUAL(ip.head_len, 20);
	CU_ASSERT_EQUAL(ip.unknown_at, 0);
	CU_ASSERT_PTR_EQUAL(ip.head, p.b);
	CU_ASSERT_PTR_EQUAL(ip.body, p.b + 20);
	CU_ASSERT_EQUAL(ip.body_len, 10);
}

static void fields6(void)
{
	struct packet p = packet6();

	memcpy(p.b, "\x6b\x9f\xff\xff", 4); /* class b9, flow label fffff */
	CU_ASSERT_EQUAL(parse(&p), DROP_NONE);
	CU_ASSERT_TRUE(ip.v6);
	CU_ASSERT_EQUAL(memcmp(ip.src.b, p.b + 8, 16), 0);
	CU_ASSERT_EQUAL(memcmp(ip.dst.b, p.b + 24, 16), 0);
	CU_ASSERT_EQUAL(ip.proto, IP_PROTO_TCP);
	CU_ASSERT_EQUAL(ip.ttl, 64);
	CU_ASSERT_EQUAL(ip.tos, 0xb9);
	CU_ASSERT_FALSE(ip.fragment);
	CU_ASSERT_EQUAL(ip.frag_off, 0);
	CU_ASSERT_FALSE(ip.frag_more);
	CU_ASSERT_EQUAL(ip.frag_id, 0);
	CU_ASSERT_EQUAL(ip.head_len, 40);
	CU_ASSERT_EQUAL(ip.unknown_at, 6);
	CU_ASSERT_PTR_EQUAL(ip.head, p.b);
	CU_ASSERT_PTR_EQUAL(ip.body, p.b + 40);
	CU_ASSERT_EQUAL(ip.body_len, 10);
}

static void version(void)
{
	for (unsigned int v = 0; v < 16; v++) {
		struct packet p = v == 6 ? packet6() : packet4();

		p.b[0] = (uint8_t)(v << 4 | (p.b[0] & 0xf));
		CU_ASSERT_EQUAL(parse(&p),
				v == 4 || v == 6 ? DROP_NONE : DROP_IP_VERSION);
	}
}

static void shorter_than_header(void)
{
	struct packet p4 = packet4(), p6 = packet6();

	for (size_t len = 0; len < 20; len++) {
		p4.len = len;
		CU_ASSERT_EQUAL(parse(&p4), DROP_IP_SHORT);
	}
	for (size_t len = 0; len < 40; len++) {
		p6.len = len;
		CU_ASSERT_EQUAL(parse(&p6), DROP_IP_SHORT);
	}
}

static void header_length(void)
{
	for (unsigned int words = 0; words < 16; words++) {
		struct packet p = packet4();
		enum drop_reason want = words < 5   ? DROP_IP_HEADER
					: words > 7 ? DROP_IP_SHORT
						    : DROP_NONE;

		p.b[0] = (uint8_t)(0x40 | words);
		if (want == DROP_NONE)
			p.body = words * 4;
		packet_seal(&p);
		CU_ASSERT_EQUAL(parse(&p), want);
	}
}

/* Longer than what arrived, shorter than the header; padding is no matter. */
static void total_length(void)
{
	static const struct {
		uint8_t total;
		enum drop_reason want;
	} cases[] = {
		{0, DROP_IP_LENGTH}, {19, DROP_IP_LENGTH}, {20, DROP_NONE},
		{29, DROP_NONE},     {30, DROP_NONE},	   {31, DROP_IP_LENGTH},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(with4(3, &cases[i].total, 1), cases[i].want);
		if (cases[i].want == DROP_NONE)
			CU_ASSERT_EQUAL(ip.body_len, cases[i].total - 20u);
	}
	CU_ASSERT_EQUAL(with4(2, "\xff\xff", 2), DROP_IP_LENGTH);
}

/* RFC 2675: a jumbogram says 0, and so does an empty packet. */
static void payload_length(void)
{
	CU_ASSERT_EQUAL(with6(4, "\0\0", 2), DROP_IP_LENGTH);
	CU_ASSERT_EQUAL(with6(4, "\0\1", 2), DROP_NONE);
	CU_ASSERT_EQUAL(ip.body_len, 1);
	CU_ASSERT_EQUAL(with6(4, "\0\12", 2), DROP_NONE);
	CU_ASSERT_EQUAL(with6(4, "\0\13", 2), DROP_IP_LENGTH);
	CU_ASSERT_EQUAL(with6(4, "\xff\xff", 2), DROP_IP_LENGTH);
}

static void header_checksum(void)
{
	struct packet p = packet4();
	enum drop_reason why;

	for (size_t bit = 32; bit < 160; bit++) {
		p.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		why = parse(&p);
		CU_ASSERT_EQUAL(why, DROP_IP_CHECKSUM);
		p.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(parse(&p), DROP_NONE);
}

/* RFC 9293, 3.9.2 (MUST-50): IPv4 options are passed over. */
static void options4(void)
{
	struct packet p = packet4();

	p.b[0] = 0x47;
	p.body = 28;
	memcpy(p.b + 20, "\x83\x07\x04\xc0\x00\x02\x01\x00", 8);
	packet_seal(&p);
	CU_ASSERT_EQUAL(parse(&p), DROP_NONE);
	CU_ASSERT_EQUAL(ip.head_len, 28);
	CU_ASSERT_EQUAL(ip.body_len, 2);
	CU_ASSERT_PTR_EQUAL(ip.body, p.b + 28);
	p.b[27] ^= 1; /* the checksum spans them */
	CU_ASSERT_EQUAL(parse(&p), DROP_IP_CHECKSUM);
}

/* RFC 1122, 3.2.1.7: what has arrived is not discarded for its TTL. */
static void ttl_zero(void)
{
	CU_ASSERT_EQUAL(with4(8, "\0", 1), DROP_NONE);
	CU_ASSERT_EQUAL(ip.ttl, 0);
	CU_ASSERT_EQUAL(with6(7, "\0", 1), DROP_NONE);
}

/* RFC 9293, 3.9.2.3 (MUST-63): sources nobody has, each beside one it could. */
static void source4(void)
{
	CU_ASSERT_EQUAL(with4(12, "\0\0\0\0", 4), DROP_IP_SOURCE);
	CU_ASSERT_EQUAL(with4(12, "\0\1\2\3", 4), DROP_IP_SOURCE);
	CU_ASSERT_EQUAL(with4(12, "\1\0\0\1", 4), DROP_NONE);
	CU_ASSERT_EQUAL(with4(12, "\x7f\0\0\1", 4), DROP_IP_SOURCE);
	CU_ASSERT_EQUAL(with4(12, "\x7f\xff\xff\xff", 4), DROP_IP_SOURCE);
	CU_ASSERT_EQUAL(with4(12, "\x7e\xff\xff\xff", 4), DROP_NONE);
	CU_ASSERT_EQUAL(with4(12, "\x80\0\0\0", 4), DROP_NONE);
	CU_ASSERT_EQUAL(with4(12, "\xdf\xff\xff\xfe", 4), DROP_NONE);
	CU_ASSERT_EQUAL(with4(12, "\xe0\0\0\0", 4), DROP_IP_SOURCE);
	CU_ASSERT_EQUAL(with4(12, "\xef\xff\xff\xff", 4), DROP_IP_SOURCE);
	CU_ASSERT_EQUAL(with4(12, "\xf0\0\0\1", 4), DROP_NONE);
	CU_ASSERT_EQUAL(with4(12, "\xff\xff\xff\xff", 4), DROP_IP_SOURCE);
	CU_ASSERT_EQUAL(with4(12, "\xff\xff\xff\xfe", 4), DROP_NONE);
}

/* RFC 9293, 3.9.2.3 (MUST-57). */
static void destination4(void)
{
	CU_ASSERT_EQUAL(with4(16, "\xe0\0\0\1", 4), DROP_IP_BROADCAST);
	CU_ASSERT_EQUAL(with4(16, "\xef\xff\xff\xff", 4), DROP_IP_BROADCAST);
	CU_ASSERT_EQUAL(with4(16, "\xff\xff\xff\xff", 4), DROP_IP_BROADCAST);
	CU_ASSERT_EQUAL(with4(16, "\xff\xff\xff\xfe", 4), DROP_NONE);
	CU_ASSERT_EQUAL(with4(16, "\xdf\0\0\1", 4), DROP_NONE);
}

static void source6(void)
{
	uint8_t a[16] = {0};

	CU_ASSERT_EQUAL(with6(8, a, 16), DROP_IP_SOURCE); /* :: */
	a[15] = 1;
	CU_ASSERT_EQUAL(with6(8, a, 16), DROP_IP_SOURCE); /* ::1 */
	a[15] = 2;
	CU_ASSERT_EQUAL(with6(8, a, 16), DROP_NONE);
	a[15] = 1;
	a[0] = 0x20;
	CU_ASSERT_EQUAL(with6(8, a, 16), DROP_NONE);
	a[0] = 0xff;
	CU_ASSERT_EQUAL(with6(8, a, 16), DROP_IP_SOURCE); /* multicast */
	a[0] = 0xfe;
	CU_ASSERT_EQUAL(with6(8, a, 16), DROP_NONE);
}

static void destination6(void)
{
	CU_ASSERT_EQUAL(with6(24, "\xff\x02", 2), DROP_IP_BROADCAST);
	CU_ASSERT_EQUAL(with6(24, "\xfe\x80", 2), DROP_NONE);
}

/* ::ffff:198.18.66.1 on the wire is not the IPv4 host we would write so. */
static void mapped_inside_ipv6(void)
{
	uint8_t a[16] = {[10] = 0xff, 0xff, 198, 18, 66, 1};

	CU_ASSERT_EQUAL(with6(8, a, 16), DROP_IP_SOURCE);
	CU_ASSERT_EQUAL(with6(24, a, 16), DROP_IP_NOT_OURS);
	a[10] = 0xfe;
	CU_ASSERT_EQUAL(with6(8, a, 16), DROP_NONE);
	CU_ASSERT_EQUAL(with6(24, a, 16), DROP_NONE);
}

static void fragments4(void)
{
	CU_ASSERT_EQUAL(with4(6, "\x20\x00", 2), DROP_NONE); /* first */
	CU_ASSERT_TRUE(ip.fragment);
	CU_ASSERT_TRUE(ip.frag_more);
	CU_ASSERT_EQUAL(ip.frag_off, 0);
	CU_ASSERT_EQUAL(ip.frag_id, 0x1234);
	CU_ASSERT_EQUAL(with4(6, "\x3f\xff", 2), DROP_NONE);
	CU_ASSERT_TRUE(ip.fragment);
	CU_ASSERT_TRUE(ip.frag_more);
	CU_ASSERT_EQUAL(ip.frag_off, 65528);
	CU_ASSERT_EQUAL(with4(6, "\x00\x01", 2), DROP_NONE); /* last */
	CU_ASSERT_TRUE(ip.fragment);
	CU_ASSERT_FALSE(ip.frag_more);
	CU_ASSERT_EQUAL(ip.frag_off, 8);
	CU_ASSERT_EQUAL(with4(6, "\xc0\x00", 2), DROP_NONE); /* reserved, DF */
	CU_ASSERT_FALSE(ip.fragment);
}

/* ---- IPv6 extension headers ------------------------------------------- */

/* Extension headers as they lie on the wire, and ten bytes of text. */
static enum drop_reason chain(uint8_t first, const uint8_t *ext, size_t len)
{
	static struct packet p;
	uint8_t body[512];

	memcpy(body, ext, len);
	memcpy(body + len, "0123456789", 10);
	packet_ip6(&p, first, body, len + 10);
	return parse(&p);
}

#define CHAIN(first, ...)                            \
	chain(first, (const uint8_t[]){__VA_ARGS__}, \
	      sizeof((uint8_t[]){__VA_ARGS__}))

static void extensions_passed_over(void)
{
	CU_ASSERT_EQUAL(DROP_NONE,
			CHAIN(HOPOPTS, ROUTING, 0, 5, 2, 0, 0, 1, 0, /* */
			      DSTOPTS, 0, 0, 0, 0, 0, 0, 0,	     /* */
			      6, 1, 1, 12, 0, 0, 0, 0, /* PadN of 12 */
			      0, 0, 0, 0, 0, 0, 0, 0));
	CU_ASSERT_EQUAL(ip.proto, IP_PROTO_TCP);
	CU_ASSERT_EQUAL(ip.head_len, 40 + 32);
	CU_ASSERT_EQUAL(ip.unknown_at, 40 + 16);
	CU_ASSERT_EQUAL(ip.body_len, 10);
	CU_ASSERT_EQUAL(memcmp(ip.body, "0123456789", 10), 0);
	CU_ASSERT_FALSE(ip.fragment);
}

static void extension_beyond_packet(void)
{
	/* 8 bytes and 10 of text: 16 bytes fit, 24 do not. */
	CU_ASSERT_EQUAL(DROP_NONE, CHAIN(DSTOPTS, 6, 1, 1, 12, 0, 0, 0, 0));
	CU_ASSERT_EQUAL(ip.body_len, 2);
	CU_ASSERT_EQUAL(DROP_IP_EXTENSION,
			CHAIN(DSTOPTS, 6, 2, 1, 20, 0, 0, 0, 0));
	CU_ASSERT_EQUAL(ip.complaint, COMPLAIN_NOT);
	CU_ASSERT_EQUAL(DROP_IP_EXTENSION,
			CHAIN(DSTOPTS, 6, 255, 1, 20, 0, 0, 0, 0));
	/* Not even its first 8 bytes. */
	CU_ASSERT_EQUAL(DROP_IP_EXTENSION,
			CHAIN(DSTOPTS, FRAGMENT, 1, 1, 12, 0, 0, 0, 0));
}

/* RFC 8200, 4.1: hop-by-hop options are first or unknown. */
static void hop_by_hop_not_first(void)
{
	CU_ASSERT_EQUAL(DROP_IP_EXTENSION,
			CHAIN(DSTOPTS, HOPOPTS, 0, 0, 0, 0, 0, 0, 0, /* */
			      6, 0, 0, 0, 0, 0, 0, 0));
	CU_ASSERT_EQUAL(ip.complaint, COMPLAIN_PROTOCOL);
	CU_ASSERT_EQUAL(ip.unknown_at, 40);
}

/* RFC 8200, 4.2: the first two bits tell what an unknown option means. */
static void option_not_skippable(void)
{
	CU_ASSERT_EQUAL(DROP_NONE, CHAIN(HOPOPTS, 6, 0, 0x3e, 4, 0, 0, 0, 0));
	for (unsigned int act = 0x40; act <= 0xc0; act += 0x40) {
		CU_ASSERT_EQUAL(DROP_IP_EXTENSION,
				CHAIN(HOPOPTS, 6, 0, 0, 0x3e, 0,
				      (uint8_t)(act | 0x3e), 1, 0));
		CU_ASSERT_EQUAL(ip.complaint,
				act == 0x40 ? COMPLAIN_NOT : COMPLAIN_OPTION);
		CU_ASSERT_EQUAL(ip.unknown_at, act == 0x40 ? 0 : 45);
		CU_ASSERT_TRUE(ip.v6);
	}
	/* Longer than its header; without room for a length. */
	CU_ASSERT_EQUAL(DROP_IP_EXTENSION,
			CHAIN(DSTOPTS, 6, 0, 0x3e, 5, 0, 0, 0, 0));
	CU_ASSERT_EQUAL(DROP_IP_EXTENSION,
			CHAIN(DSTOPTS, 6, 0, 1, 3, 0, 0, 0, 1));
}

/* RFC 8200, 4.4: a route that ends here is over, another is not ours. */
static void routing_segments_left(void)
{
	CU_ASSERT_EQUAL(DROP_NONE, CHAIN(ROUTING, 6, 0, 4, 0, 0, 0, 0, 0));
	CU_ASSERT_EQUAL(DROP_IP_EXTENSION,
			CHAIN(ROUTING, 6, 0, 4, 1, 0, 0, 0, 0));
	CU_ASSERT_EQUAL(ip.complaint, COMPLAIN_FIELD);
	CU_ASSERT_EQUAL(ip.unknown_at, 42);
}

static void eight_extensions(void)
{
	uint8_t ext[9 * 8] = {0};

	for (size_t i = 0; i < 9; i++)
		ext[i * 8] = DSTOPTS;
	ext[7 * 8] = IP_PROTO_TCP;
	CU_ASSERT_EQUAL(chain(DSTOPTS, ext, 8 * 8), DROP_NONE);
	CU_ASSERT_EQUAL(ip.head_len, 40 + 64);
	ext[7 * 8] = DSTOPTS;
	ext[8 * 8] = IP_PROTO_TCP;
	CU_ASSERT_EQUAL(chain(DSTOPTS, ext, 9 * 8), DROP_IP_EXTENSION);
	CU_ASSERT_EQUAL(ip.complaint, COMPLAIN_NOT);
}

/* RFC 8200, 4.7: nothing follows, nothing is to be said. */
static void no_next_header(void)
{
	CU_ASSERT_EQUAL(CHAIN(NONE, 0), DROP_IP_EXTENSION);
	CU_ASSERT_EQUAL(ip.complaint, COMPLAIN_NOT);
	CU_ASSERT_EQUAL(CHAIN(DSTOPTS, NONE, 0, 0, 0, 0, 0, 0, 0),
			DROP_IP_EXTENSION);
	CU_ASSERT_EQUAL(ip.complaint, COMPLAIN_NOT);
}

/* What we do not know is the caller's to judge. */
static void unknown_protocol(void)
{
	CU_ASSERT_EQUAL(CHAIN(DSTOPTS, 51, 0, 0, 0, 0, 0, 0, 0), DROP_NONE);
	CU_ASSERT_EQUAL(ip.proto, 51);
	CU_ASSERT_EQUAL(ip.complaint, COMPLAIN_PROTOCOL);
	CU_ASSERT_EQUAL(ip.unknown_at, 40);
	CU_ASSERT_EQUAL(with4(9, "\x33", 1), DROP_NONE);
	CU_ASSERT_EQUAL(ip.proto, 51);
}

static void fragments6(void)
{
	CU_ASSERT_EQUAL(DROP_NONE, CHAIN(FRAGMENT, 6, 0xff, 0x12, 0x35, 0xde,
					 0xad, 0xbe, 0xef));
	CU_ASSERT_TRUE(ip.fragment);
	CU_ASSERT_TRUE(ip.frag_more);
	CU_ASSERT_EQUAL(ip.frag_off, 0x1230);
	CU_ASSERT_EQUAL(ip.frag_id, 0xdeadbeef);
	CU_ASSERT_EQUAL(ip.proto, IP_PROTO_TCP);
	CU_ASSERT_EQUAL(ip.head_len, 48);
	CU_ASSERT_EQUAL(ip.body_len, 10);
	CU_ASSERT_EQUAL(DROP_NONE, CHAIN(FRAGMENT, 6, 0, 0, 8, 0, 0, 0, 1));
	CU_ASSERT_TRUE(ip.fragment);
	CU_ASSERT_FALSE(ip.frag_more);
	CU_ASSERT_EQUAL(ip.frag_off, 8);
	/* What it begins with is looked at when it is whole. */
	CU_ASSERT_EQUAL(DROP_NONE, CHAIN(FRAGMENT, DSTOPTS, 0, 0, 1, 0, 0, 0, 1,
					 6, 0, 1, 4, 0, 0, 0, 0));
	CU_ASSERT_TRUE(ip.fragment);
	CU_ASSERT_EQUAL(ip.proto, DSTOPTS);
	CU_ASSERT_EQUAL(ip.body_len, 18);
	CU_ASSERT_EQUAL(DROP_NONE, CHAIN(FRAGMENT, NONE, 0, 0, 1, 0, 0, 0, 1));
	CU_ASSERT_TRUE(ip.fragment);
}

/* RFC 6946: offset 0 and no more to come. */
static void fragment_atomic(void)
{
	CU_ASSERT_EQUAL(DROP_NONE, CHAIN(FRAGMENT, DSTOPTS, 0, 0, 0, 1, 2, 3, 4,
					 6, 0, 1, 4, 0, 0, 0, 0));
	CU_ASSERT_FALSE(ip.fragment);
	CU_ASSERT_EQUAL(ip.proto, IP_PROTO_TCP);
	CU_ASSERT_EQUAL(ip.head_len, 56);
	CU_ASSERT_EQUAL(ip.unknown_at, 48);
}

/* ---- writing ---------------------------------------------------------- */

static void build_round_trip(void)
{
	struct packet p, want;
	struct ip_pkt read;

	for (int v6 = 0; v6 < 2; v6++) {
		want = v6 ? packet6() : packet4();
		CU_ASSERT_EQUAL(parse(&want), DROP_NONE);
		memset(p.b, 0xa5, sizeof(p.b));
		CU_ASSERT_EQUAL(ip.head_len,
				wire_ip_build(p.b, &ip.src, &ip.dst, ip.proto,
					      ip.ttl, ip.tos, 0x1234, true,
					      ip.body_len));
		CU_ASSERT_EQUAL(memcmp(p.b, want.b, ip.head_len), 0);
		CU_ASSERT_EQUAL(p.b[ip.head_len], 0xa5);
		wire_ip_build(p.b, &ip.src, &ip.dst, IP_PROTO_ICMP, 255, 0xff,
			      0xffff, false, 0xff);
		p.len = ip.head_len + 0xff;
		CU_ASSERT_EQUAL(wire_ip_parse(p.b, p.len, &read), DROP_NONE);
		CU_ASSERT_EQUAL(read.proto, IP_PROTO_ICMP);
		CU_ASSERT_EQUAL(read.ttl, 255);
		CU_ASSERT_EQUAL(read.tos, 0xff);
		CU_ASSERT_EQUAL(read.body_len, 0xff);
		CU_ASSERT_FALSE(read.fragment);
	}
	packet_ip4(&want, IP_PROTO_TCP, NULL, 0);
	parse(&want);
	wire_ip_build(p.b, &ip.src, &ip.dst, 6, 1, 2, 3, false, 0);
	CU_ASSERT_EQUAL(p.b[6] | p.b[7], 0);
}

/* Pieces as another one than the builder takes them apart. */
static void piece_round_trip(void)
{
	struct packet p, want;
	struct ip_pkt read;
	uint32_t head;

	for (int v6 = 0; v6 < 2; v6++) {
		want = v6 ? packet6() : packet4();
		CU_ASSERT_EQUAL(parse(&want), DROP_NONE);
		wire_ip_build(want.b, &ip.src, &ip.dst, IP_PROTO_ICMP, 77, 8,
			      0x1234, false, 3000);
		for (unsigned int more = 0; more < 2; more++) {
			memset(p.b, 0xa5, sizeof(p.b));
			head = wire_ip_piece(p.b, want.b, 0xdeadbeef, 1480, 160,
					     more);
			CU_ASSERT_EQUAL(head, v6 ? 48 : 20);
			CU_ASSERT_EQUAL(p.b[head], 0xa5);
			CU_ASSERT_EQUAL(wire_ip_parse(p.b, head + 160, &read),
					DROP_NONE);
			CU_ASSERT_TRUE(read.fragment);
			CU_ASSERT_EQUAL(read.frag_more, more);
			CU_ASSERT_EQUAL(read.frag_off, 1480);
			CU_ASSERT_EQUAL(read.frag_id, v6 ? 0xdeadbeef : 0x1234);
			CU_ASSERT_EQUAL(read.proto, IP_PROTO_ICMP);
			CU_ASSERT_EQUAL(read.body_len, 160);
			CU_ASSERT_EQUAL(read.ttl, 77);
			CU_ASSERT_EQUAL(read.tos, 8);
			CU_ASSERT_EQUAL(memcmp(&read.src, &ip.src, 16), 0);
			CU_ASSERT_EQUAL(memcmp(&read.dst, &ip.dst, 16), 0);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(fields4),
		UNIT_TEST(fields6),
		UNIT_TEST(version),
		UNIT_TEST(shorter_than_header),
		UNIT_TEST(header_length),
		UNIT_TEST(total_length),
		UNIT_TEST(payload_length),
		UNIT_TEST(header_checksum),
		UNIT_TEST(options4),
		UNIT_TEST(ttl_zero),
		UNIT_TEST(source4),
		UNIT_TEST(destination4),
		UNIT_TEST(source6),
		UNIT_TEST(destination6),
		UNIT_TEST(mapped_inside_ipv6),
		UNIT_TEST(fragments4),
		UNIT_TEST(extensions_passed_over),
		UNIT_TEST(extension_beyond_packet),
		UNIT_TEST(hop_by_hop_not_first),
		UNIT_TEST(option_not_skippable),
		UNIT_TEST(routing_segments_left),
		UNIT_TEST(eight_extensions),
		UNIT_TEST(no_next_header),
		UNIT_TEST(unknown_protocol),
		UNIT_TEST(fragments6),
		UNIT_TEST(fragment_atomic),
		UNIT_TEST(build_round_trip),
		UNIT_TEST(piece_round_trip),
	};

	return unit_run("wire_ip", tests, sizeof(tests) / sizeof(tests[0]),
			argc, argv);
}
