/*
 * test_icmp_complain.c - Errors that we send, and when we do not
 */
#include <string.h>

#include "packet.h"
#include "rig.h"

#define UDP	 17
#define SEMI	 200 /* a protocol nobody speaks */
#define HOPOPTS	 0
#define ROUTING	 43
#define FRAGMENT 44
#define DSTOPTS	 60

#define LIFE_US S(rig.v6 ? 60 : 30) /* of fragments */

struct want {
	uint8_t type4, code4;
	uint8_t type6, code6;
	uint32_t pointer; /* IPv6 */
};

static const struct want protocol = {3, 2, 4, 1, 6};
static const struct want port = {3, 3, 1, 4, 0};
static const struct want missing = {11, 1, 3, 1, 0};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* A packet of @len bytes of text after 8 that are a UDP header if it is one. */
static struct packet datagram(uint8_t proto, size_t len)
{
	static uint8_t body[PACKET_MAX];
	struct packet p;

	body[0] = 0xc3; /* port 50000 to 9 */
	body[1] = 0x50;
	body[2] = 0;
	body[3] = 9;
	body[4] = (uint8_t)((8 + len) >> 8);
	body[5] = (uint8_t)(8 + len);
	body[6] = body[7] = 0;
	for (size_t i = 0; i < len; i++)
		body[8 + i] = (uint8_t)(i * 5 + 1);
	(rig.v6 ? packet_ip6 : packet_ip4)(&p, proto, body, 8 + len);
	return p;
}

/* The checksum of UDP, over pseudo-header and body. */
static void udp_seal(struct packet *p)
{
	uint32_t sum = csum_pseudo(&rig.peer, &rig.own, UDP,
				   (uint32_t)(p->len - p->body));
	uint16_t csum;

	p->b[p->body + 6] = p->b[p->body + 7] = 0;
	csum = csum_fold(csum_partial(p->b + p->body, p->len - p->body, sum));
	p->b[p->body + 6] = (uint8_t)(csum >> 8);
	p->b[p->body + 7] = (uint8_t)csum;
}

static struct packet udp(size_t len)
{
	struct packet p = datagram(UDP, len);

	udp_seal(&p);
	return p;
}

/* The next packet sent is this error about @p; nothing follows. */
static void expect_error(const struct want *w, const struct packet *p)
{
	size_t most = rig.v6 ? 1280 - 48 : 576 - 28, len, quote;
	const uint8_t *pkt = rig_take_packet(&len), *m;
	struct ip_pkt ip;
	uint32_t sum;

	rig_check(pkt != NULL);
	if (!pkt)
		return;
	quote = p->len < most ? p->len : most;
	rig_check(wire_ip_parse(pkt, len, &ip) == DROP_NONE);
	rig_check(memcmp(&ip.src, &rig.own, 16) == 0);
	rig_check(memcmp(&ip.dst, &rig.peer, 16) == 0);
	rig_check(ip.proto == (rig.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP));
	rig_check(ip.ttl == rig.conf.ttl);
	rig_check(ip.tos == 0); /* RFC 1349, 5.1 */
	rig_check(ip.body_len == 8 + quote);
	if (rig.failed)
		return;
	m = ip.body;
	rig_check(m[0] == (rig.v6 ? w->type6 : w->type4));
	rig_check(m[1] == (rig.v6 ? w->code6 : w->code4));
	rig_check(be32(m + 4) == (rig.v6 ? w->pointer : 0));
	rig_check(memcmp(m + 8, p->b, quote) == 0);
	sum = rig.v6 ? csum_pseudo(&ip.src, &ip.dst, 58, ip.body_len) : 0;
	rig_check(csum_fold(csum_partial(m, ip.body_len, sum)) == 0);
	rig_expect_silence();
}

static void rx(const struct packet *p)
{
	rig_rx_packet(p->b, p->len);
}

static void expect_quiet(const struct packet *p)
{
	rx(p);
	rig_expect_silence();
	rig_check(rig_stats().icmp_errors_out == 0);
}

/* RFC 1122, 3.2.2.1; RFC 4443, 3.4. */
static void protocol_unreachable(void)
{
	struct packet p = datagram(SEMI, 30);

	rx(&p);
	expect_error(&protocol, &p);
	rig_check(rig_dropped(DROP_IP_PROTOCOL) == 1);
	rig_check(rig_stats().icmp_errors_out == 1);
	/* ICMP of the other family is no protocol of this one. */
	p = datagram(rig.v6 ? 1 : 58, 30);
	rx(&p);
	expect_error(&protocol, &p);
	rig_end();
}

/* RFC 1122, 4.1.3.1; RFC 4443, 3.1. */
static void port_unreachable(void)
{
	static const size_t lens[] = {0, 1, 100};
	struct packet p;

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		p = udp(lens[i]);
		rx(&p);
		expect_error(&port, &p);
	}
	rig_check(rig_dropped(DROP_UDP_PORT) == 3);
	rig_check(rig_stats().icmp_errors_out == 3);
	rig_end();
}

/* RFC 1812, 4.3.2.3; RFC 4443, 2.4 (c): as much as fits. */
static void quote_bounded(void)
{
	struct packet p;
	size_t whole = rig.v6 ? 1280 - 96 : 576 - 56;

	for (size_t len = whole - 2; len <= whole + 2; len++) {
		p = udp(len);
		rx(&p);
		expect_error(&port, &p);
	}
	p = udp(1400);
	rx(&p);
	expect_error(&port, &p);
	rig_end();
}

/* What was damaged may have been sent by anybody to any port. */
static void udp_damaged(void)
{
	struct packet p = udp(20);

	p.b[p.body + 12] ^= 1;
	expect_quiet(&p);
	p = udp(20);
	p.b[p.body + 5] += 1; /* longer than the packet */
	expect_quiet(&p);
	p = udp(20);
	p.b[p.body + 5] = 7;
	expect_quiet(&p);
	p = udp(0);
	(rig.v6 ? packet_ip6 : packet_ip4)(&p, UDP, p.b + p.body, 7);
	expect_quiet(&p);
	rig_check(rig_dropped(DROP_UDP_HEADER) == 4);
	rig_end();
}

/* RFC 1122, 4.1.3.4: none was computed; RFC 8200, 8.1: not over IPv6. */
static void udp_without_checksum(void)
{
	struct packet p = datagram(UDP, 20);

	rx(&p);
	if (!rig.v6)
		expect_error(&port, &p);
	rig_expect_silence();
	rig_check(rig_dropped(DROP_UDP_HEADER) == rig.v6);
	rig_end();
}

/* The device vouches for what has no checksum yet. */
static void udp_checksum_vouched_for(void)
{
	const struct stack_rx meta = {.csum_ok = true};
	struct packet p = udp(20);

	rig_start();
	p.b[p.body + 6] ^= 0xff;
	stack_input(rig.st, p.b, p.len, &meta, rig.now_us);
	rig_wait(0);
	expect_error(&port, &p);
	rig_end();
}

/* ---- fragments -------------------------------------------------------- */

/* The bytes [at, end) of @whole's body as a fragment. */
static struct packet piece(const struct packet *whole, size_t at, size_t end)
{
	bool more = end < whole->len - whole->body;
	uint8_t body[PACKET_MAX], proto = whole->b[rig.v6 ? 6 : 9];
	size_t head = rig.v6 ? 8 : 0;
	struct packet p;
	uint16_t sum;

	memcpy(body + head, whole->b + whole->body + at, end - at);
	if (rig.v6) {
		memcpy(body,
		       (uint8_t[]){proto, 0, (uint8_t)(at >> 8),
				   (uint8_t)(at | more), 0, 0, 1, 2},
		       8);
		packet_ip6(&p, FRAGMENT, body, head + end - at);
		return p;
	}
	packet_ip4(&p, SEMI, body, end - at);
	p.b[6] = (uint8_t)((more ? 0x20 : 0) | at >> 11);
	p.b[7] = (uint8_t)(at >> 3);
	p.b[9] = proto;
	p.b[10] = p.b[11] = 0;
	sum = packet_csum(p.b, 20);
	p.b[10] = (uint8_t)(sum >> 8);
	p.b[11] = (uint8_t)sum;
	return p;
}

static void rx_piece(const struct packet *whole, size_t at, size_t end)
{
	struct packet p = piece(whole, at, end);

	rx(&p);
}

/* The whole datagram is judged, and quoted. */
static void port_unreachable_in_pieces(void)
{
	struct packet p = udp(56);

	if (!rig.v6) /* its flags do not survive, nor its DF */
		p.b[6] = 0;
	packet_seal(&p);
	rx_piece(&p, 32, 64);
	rig_expect_silence();
	rx_piece(&p, 0, 32);
	expect_error(&port, &p);
	rx_piece(&p, 32, 64);
	p.b[p.body + 20] ^= 1;
	rx_piece(&p, 0, 32);
	rig_expect_silence();
	rig_check(rig_dropped(DROP_UDP_HEADER) == 1);
	rig_end();
}

/* RFC 792, RFC 1122, 3.3.2; RFC 8200, 4.5: the first piece is there. */
static void fragments_missing(void)
{
	struct packet whole = udp(1000), first = piece(&whole, 0, 800);

	rx_piece(&whole, 800, 896);
	rx(&first);
	rig_expect_silence_for(LIFE_US - MS(10));
	rig_wait(MS(20));
	expect_error(&missing, &first);
	rig_check(rig_dropped(DROP_FRAG_TIMEOUT) == 1);
	rig_end();
}

static void first_fragment_missing(void)
{
	struct packet whole = udp(1000);

	rx_piece(&whole, 16, 800);
	rig_expect_silence_for(2 * LIFE_US);
	rig_check(rig_dropped(DROP_FRAG_TIMEOUT) == 1);
	rig_end();
}

/* RFC 1122, 3.2.2; RFC 4443, 2.4 (e.1). */
static void fragments_of_an_error_missing(void)
{
	struct packet q = udp(200), whole;

	packet_icmp(&whole, rig.v6, rig.v6 ? 1 : 3, 0, 0, q.b, q.len);
	rx_piece(&whole, 0, 104);
	rig_expect_silence_for(2 * LIFE_US);
	rig_check(rig_dropped(DROP_FRAG_TIMEOUT) == 1);
	/* An echo request is none. */
	packet_icmp(&whole, rig.v6, rig.v6 ? 128 : 8, 0, 0, q.b, q.len);
	q = piece(&whole, 0, 104);
	rx(&q);
	rig_wait(LIFE_US + MS(10));
	expect_error(&missing, &q);
	rig_end();
}

/* RFC 1122, 3.2.2: IPv4 pieces but the first. */
static void protocol_of_later_fragments(void)
{
	struct packet whole = datagram(SEMI, 100), p;

	if (rig.v6) /* known when it is whole */
		return;
	p = piece(&whole, 48, 108);
	expect_quiet(&p);
	p = piece(&whole, 0, 48);
	rx(&p);
	expect_error(&protocol, &p);
	rig_end();
}

/* RFC 8200, 4.5: a length that is no multiple of 8; beyond the longest packet;
 * headers that go on in the next piece. */
static void fragments_impossible(void)
{
	static const struct want length = {0, 0, 4, 0, 4},
				 size = {0, 0, 4, 0, 42},
				 first = {0, 0, 4, 3, 0};
	struct packet whole = udp(200), p;

	if (!rig.v6) {
		p = piece(&whole, 0, 100);
		expect_quiet(&p);
		rig_end();
		return;
	}
	p = piece(&whole, 0, 100);
	rx(&p);
	expect_error(&length, &p);
	p = piece(&whole, 0, 96);
	p.b[42] = p.b[43] = 0xff;
	rx(&p);
	expect_error(&size, &p);
	packet_ip6(&whole, IP_PROTO_TCP, whole.b, 40);
	p = piece(&whole, 0, 16);
	rx(&p);
	expect_error(&first, &p);
	rig_check(rig_dropped(DROP_FRAG_TINY) == 1);
	rig_end();
}

/* ---- IPv6 extension headers ------------------------------------------- */

/* Extension headers of @len bytes before a UDP datagram. */
static struct packet extended(uint8_t first, const uint8_t *ext, size_t len)
{
	struct packet u = udp(20), p;
	uint8_t body[PACKET_MAX];

	memcpy(body, ext, len);
	memcpy(body + len, u.b + u.body, u.len - u.body);
	packet_ip6(&p, first, body, len + u.len - u.body);
	return p;
}

#define EXTENDED(first, ...)                            \
	extended(first, (const uint8_t[]){__VA_ARGS__}, \
		 sizeof((uint8_t[]){__VA_ARGS__}))

/* RFC 8200, 4.2: by the first two bits of an option we do not know. */
static void option_unknown(void)
{
	static const struct want option = {0, 0, 4, 2, 45};
	static const uint8_t where[] = {HOPOPTS, DSTOPTS};
	struct packet p;

	if (!rig.v6)
		return;
	for (size_t i = 0; i < sizeof(where); i++) {
		p = EXTENDED(where[i], UDP, 0, 1, 1, 0, 0x5e, 1, 0);
		rx(&p);
		rig_expect_silence();
		p = EXTENDED(where[i], UDP, 0, 1, 1, 0, 0x9e, 1, 0);
		rx(&p);
		expect_error(&option, &p);
		p = EXTENDED(where[i], UDP, 0, 1, 1, 0, 0xde, 1, 0);
		rx(&p);
		expect_error(&option, &p);
	}
	rig_check(rig_stats().icmp_errors_out == 4);
	/* That of 00 is passed over. */
	p = EXTENDED(HOPOPTS, UDP, 0, 1, 1, 0, 0x1e, 1, 0);
	rx(&p);
	expect_error(&port, &p);
	rig_end();
}

static void headers_impossible(void)
{
	static const struct want here = {0, 0, 4, 1, 40},
				 left = {0, 0, 4, 0, 42};
	struct packet p;

	if (!rig.v6)
		return;
	/* RFC 8200, 4: hop-by-hop options behind another header. */
	p = EXTENDED(DSTOPTS, HOPOPTS, 0, 1, 4, 0, 0, 0, 0, UDP, 0, 1, 4, 0, 0,
		     0, 0);
	rx(&p);
	expect_error(&here, &p);
	/* RFC 8200, 4.4: a route that goes on from here. */
	p = EXTENDED(ROUTING, UDP, 0, 77, 1, 0, 0, 0, 0);
	rx(&p);
	expect_error(&left, &p);
	/* An unknown header behind a known one. */
	p = EXTENDED(DSTOPTS, SEMI, 0, 1, 4, 0, 0, 0, 0);
	rx(&p);
	expect_error(&here, &p);
	/* RFC 8200, 4.7: nothing follows. */
	p = EXTENDED(DSTOPTS, 59, 0, 1, 4, 0, 0, 0, 0);
	rx(&p);
	/* Cut off. */
	p = EXTENDED(DSTOPTS, UDP, 20, 1, 4, 0, 0, 0, 0);
	rx(&p);
	rig_expect_silence();
	rig_check(rig_stats().icmp_errors_out == 3);
	rig_end();
}

/* ---- silence ---------------------------------------------------------- */

/* RFC 4443, 2.4 (e.1, e.2): an option we do not know before an error. */
static void not_about_errors(void)
{
	static const uint8_t quiet[] = {1, 2, 3, 4, 100, 127, 137},
			     loud[] = {128, 129, 133, 136};
	struct packet p;

	if (!rig.v6)
		return;
	for (size_t i = 0; i < sizeof(quiet); i++) {
		p = EXTENDED(DSTOPTS, 58, 0, 0x9e, 2, 0, 0, 1, 0, quiet[i], 0,
			     0, 0, 0, 0, 0, 0);
		expect_quiet(&p);
	}
	for (size_t i = 0; i < sizeof(loud); i++) {
		p = EXTENDED(DSTOPTS, 58, 0, 0x9e, 2, 0, 0, 1, 0, loud[i], 0, 0,
			     0, 0, 0, 0, 0);
		rx(&p);
		expect_error(&(struct want){0, 0, 4, 2, 42}, &p);
	}
	rig_end();
}

static struct packet udp_between(const uint8_t *src, const uint8_t *dst)
{
	struct packet p = udp(20);
	size_t len = rig.v6 ? 16 : 4, at = rig.v6 ? 8 : 12;
	uint32_t sum;
	uint16_t csum;

	if (src)
		memcpy(p.b + at, src, len);
	if (dst)
		memcpy(p.b + at + len, dst, len);
	packet_seal(&p);
	/* UDP's own checksum: the pseudo-header is the addresses. */
	p.b[p.body + 6] = p.b[p.body + 7] = 0;
	sum = csum_partial(p.b + at, 2 * len, UDP + 28);
	csum = csum_fold(csum_partial(p.b + p.body, 28, sum));
	p.b[p.body + 6] = (uint8_t)(csum >> 8);
	p.b[p.body + 7] = (uint8_t)csum;
	return p;
}

/* RFC 1122, 3.2.2; RFC 4443, 2.4 (e.6): no single host sent it. */
static void not_to_many(void)
{
	static const uint8_t four[][4] = {
		{0, 0, 0, 0},	    {0, 0, 0, 1},	  {127, 0, 0, 1},
		{224, 0, 0, 1},	    {239, 255, 255, 1},	  {240, 0, 0, 1},
		{255, 0, 0, 1},	    {255, 255, 255, 255}, {198, 18, 66, 0},
		{198, 18, 66, 255}, {198, 18, 66, 2},
	};
	static const uint8_t six[][16] = {
		{0},
		{[15] = 1},
		{0xff, 2, [15] = 1},
		{[10] = 0xff, 0xff, 198, 18, 66, 1},
		{0xfd, 0x74, 0x63, 0x70, 0x68, 0x73, [15] = 2},
	};
	size_t n = rig.v6 ? ARRAY_LEN(six) : ARRAY_LEN(four);
	struct packet p;

	for (size_t i = 0; i < n; i++) {
		p = udp_between(rig.v6 ? six[i] : four[i], NULL);
		expect_quiet(&p);
	}
	p = udp_between(NULL, NULL);
	rx(&p);
	expect_error(&port, &p);
	rig_end();
}

/* RFC 1122, 3.2.2; RFC 4443, 2.4 (e.3): not for us alone, or not at all. */
static void not_about_broadcasts(void)
{
	static const uint8_t four[][4] = {
		{198, 18, 66, 255}, {198, 18, 66, 0}, {255, 255, 255, 255},
		{224, 0, 0, 1},	    {198, 18, 66, 3},
	};
	static const uint8_t six[][16] = {
		{0xff, 2, [15] = 1},
		{0xfd, 0x74, 0x63, 0x70, 0x68, 0x73, [15] = 3},
	};
	size_t n = rig.v6 ? ARRAY_LEN(six) : ARRAY_LEN(four);
	struct packet p;

	for (size_t i = 0; i < n; i++) {
		p = udp_between(NULL, rig.v6 ? six[i] : four[i]);
		expect_quiet(&p);
	}
	if (rig.v6) { /* where the option would be told of, were it for us */
		p = EXTENDED(DSTOPTS, UDP, 0, 0xde, 1, 0, 1, 0);
		p.b[39] = 3;
		expect_quiet(&p);
	}
	rig_end();
}

/* ---- the rate --------------------------------------------------------- */

static unsigned int errors_of(unsigned int n)
{
	struct packet p = udp(4);
	unsigned int out = 0;
	size_t len;

	for (unsigned int i = 0; i < n; i++)
		rx(&p);
	while (rig_take_packet(&len))
		out++;
	return out;
}

/* RFC 1812, 4.3.2.8; RFC 4443, 2.4 (f): errors and replies do not take the
 * place of each other. */
static void rate_limited(void)
{
	struct packet p;
	size_t len;

	rig.conf.icmp_rate = 10;
	rig_start();
	rig_check(errors_of(100) == 10);
	rig_check(rig_stats().icmp_errors_out == 10);
	rig_check(rig_stats().icmp_errors_held == 90);
	rig_check(rig_dropped(DROP_UDP_PORT) == 100);
	packet_icmp(&p, rig.v6, rig.v6 ? 128 : 8, 0, 0, "x", 1);
	rx(&p);
	rig_check(rig_take_packet(&len) != NULL);
	rig_check(rig_stats().echo_out == 1);
	rig_wait(MS(500));
	rig_check(errors_of(100) == 5);
	rig_end();
}

static void rate_none(void)
{
	rig.conf.icmp_rate = 0;
	rig_start();
	rig_check(errors_of(3) == 0);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(protocol_unreachable),
	UNIT_TEST(port_unreachable),
	UNIT_TEST(quote_bounded),
	UNIT_TEST(udp_damaged),
	UNIT_TEST(udp_without_checksum),
	UNIT_TEST(udp_checksum_vouched_for),
	UNIT_TEST(port_unreachable_in_pieces),
	UNIT_TEST(fragments_missing),
	UNIT_TEST(first_fragment_missing),
	UNIT_TEST(fragments_of_an_error_missing),
	UNIT_TEST(protocol_of_later_fragments),
	UNIT_TEST(fragments_impossible),
	UNIT_TEST(option_unknown),
	UNIT_TEST(headers_impossible),
	UNIT_TEST(not_about_errors),
	UNIT_TEST(not_to_many),
	UNIT_TEST(not_about_broadcasts),
	UNIT_TEST(rate_limited),
	UNIT_TEST(rate_none),
};

int main(int argc, char **argv)
{
	return rig_main("icmp_complain", tests, ARRAY_LEN(tests), argc, argv);
}
