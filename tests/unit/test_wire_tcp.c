/*
 * test_wire_tcp.c - TCP headers and options, read and written
 *
 * What is read is written by hand in packet.c; what is written is read back
 * and compared, and its bytes are compared with what Linux sends.
 */
#include <string.h>

#include "core/wire.h"
#include "packet.h"
#include "unit.h"

#define BYTES(...) \
	(const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})

#define EOL 0
#define NOP 1

static enum drop_reason parse(const struct packet *p, struct tcp_seg *seg)
{
	struct ip_pkt ip;
	enum drop_reason why = wire_ip_parse(p->b, p->len, &ip);

	/* Whatever is not set shows as 0xa5. */
	memset(seg, 0xa5, sizeof(*seg));
	return why == DROP_NONE ? wire_tcp_parse(&ip, false, seg) : why;
}

/* A segment with these options, padded by nothing: @len is its length. */
static enum drop_reason options(uint8_t flags, const uint8_t *opts, size_t len,
				struct tcp_seg *seg)
{
	static struct packet p; /* seg->text points into it */

	packet_tcp(&p, 0, flags, opts, len, "text", 4);
	return parse(&p, seg);
}

static void fields(void)
{
	struct packet p;
	struct tcp_seg s;

	for (int v6 = 0; v6 < 2; v6++) {
		packet_tcp(&p, v6, TH_ACK | TH_URG, NULL, 0, "hello", 5);
		CU_ASSERT_EQUAL(parse(&p, &s), DROP_NONE);
		CU_ASSERT_EQUAL(ip_mapped(s.src.b), !v6);
		CU_ASSERT_EQUAL(s.src.b[15], 1);
		CU_ASSERT_EQUAL(s.dst.b[15], 2);
		CU_ASSERT_EQUAL(s.sport, 40000);
		CU_ASSERT_EQUAL(s.dport, 7);
		CU_ASSERT_EQUAL(s.seq, 0x01020304);
		CU_ASSERT_EQUAL(s.ack, 0x05060708);
		CU_ASSERT_EQUAL(s.wnd, 0xabcd);
		CU_ASSERT_EQUAL(s.up, 0x1112);
		CU_ASSERT_EQUAL(s.flags, TH_ACK | TH_URG);
		CU_ASSERT_EQUAL(s.opts, 0);
		CU_ASSERT_EQUAL(s.tos, 0);
		CU_ASSERT_EQUAL(s.ttl, 64);
		CU_ASSERT_EQUAL(s.mss, 0);
		CU_ASSERT_EQUAL(s.wscale, 0);
		CU_ASSERT_EQUAL(s.nsack, 0);
		CU_ASSERT_EQUAL(s.ts_val, 0);
		CU_ASSERT_EQUAL(s.ts_ecr, 0);
		CU_ASSERT_EQUAL(s.gso_size, 0);
		CU_ASSERT_EQUAL(s.len, 5);
		CU_ASSERT_EQUAL(memcmp(s.text, "hello", 5), 0);
	}
}

/* All eight bits come through, whatever they say together. */
static void flags_all_values(void)
{
	struct packet p;
	struct tcp_seg s;

	for (unsigned int f = 0; f < 256; f++) {
		packet_tcp(&p, 0, (uint8_t)f, NULL, 0, NULL, 0);
		CU_ASSERT_EQUAL(parse(&p, &s), DROP_NONE);
		CU_ASSERT_EQUAL(s.flags, f);
		CU_ASSERT_EQUAL(seg_len(&s), !!(f & TH_SYN) + !!(f & TH_FIN));
	}
}

/* RFC 9293, 3.1: the bits between offset and flags are ignored. */
static void reserved_bits_ignored(void)
{
	struct packet p;
	struct tcp_seg s;

	packet_tcp(&p, 0, TH_ACK, NULL, 0, NULL, 0);
	p.b[p.body + 12] |= 0x0f;
	packet_seal(&p);
	CU_ASSERT_EQUAL(parse(&p, &s), DROP_NONE);
	CU_ASSERT_EQUAL(s.flags, TH_ACK);
}

static void short_header(void)
{
	struct packet p;
	struct tcp_seg s;
	uint8_t zero[20] = {0};

	packet_ip4(&p, IP_PROTO_TCP, zero, 19);
	CU_ASSERT_EQUAL(parse(&p, &s), DROP_TCP_SHORT);
	packet_ip4(&p, IP_PROTO_TCP, zero, 0);
	CU_ASSERT_EQUAL(parse(&p, &s), DROP_TCP_SHORT);
	packet_ip4(&p, IP_PROTO_TCP, zero, 20);
	CU_ASSERT_EQUAL(parse(&p, &s), DROP_TCP_OFFSET);
}

static void data_offset(void)
{
	struct packet p;
	struct tcp_seg s;

	for (unsigned int words = 0; words < 16; words++) {
		packet_tcp(&p, 1, TH_ACK, NULL, 0, "\1\1\1\1\1\1\1\1", 8);
		p.b[p.body + 12] = (uint8_t)(words << 4);
		packet_seal(&p);
		CU_ASSERT_EQUAL(parse(&p, &s), words < 5 || words > 7
						       ? DROP_TCP_OFFSET
						       : DROP_NONE);
	}
	CU_ASSERT_EQUAL(DROP_NONE,
			options(TH_ACK, BYTES(NOP, NOP, NOP, NOP), &s));
	CU_ASSERT_EQUAL(s.len, 4);
}

/* RFC 9293, 3.1 (MUST-3): any bit flipped in header, text or addresses. */
static void checksum(void)
{
	struct packet p;
	struct tcp_seg s;
	struct ip_pkt ip;
	unsigned int missed = 0;

	for (int v6 = 0; v6 < 2; v6++) {
		packet_tcp(&p, v6, TH_ACK, NULL, 0, "odd", 3);
		for (size_t bit = p.body * 8; bit < p.len * 8; bit++) {
			p.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			missed += parse(&p, &s) == DROP_NONE;
			p.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		CU_ASSERT_EQUAL(missed, 0);
		CU_ASSERT_EQUAL(parse(&p, &s), DROP_NONE);
	}
	p.b[p.body - 1] ^= 4; /* destination */
	CU_ASSERT_EQUAL(parse(&p, &s), DROP_TCP_CHECKSUM);
	CU_ASSERT_EQUAL(wire_ip_parse(p.b, p.len, &ip), DROP_NONE);
	CU_ASSERT_EQUAL(wire_tcp_parse(&ip, true, &s), DROP_NONE);
}

static void port_zero(void)
{
	struct packet p;
	struct tcp_seg s;

	packet_tcp(&p, 0, TH_SYN, NULL, 0, NULL, 0);
	p.b[p.body] = p.b[p.body + 1] = 0;
	packet_seal(&p);
	CU_ASSERT_EQUAL(parse(&p, &s), DROP_TCP_PORT);
	p.b[p.body + 1] = 1;
	packet_seal(&p);
	CU_ASSERT_EQUAL(parse(&p, &s), DROP_NONE);
	p.b[p.body + 3] = 0;
	packet_seal(&p);
	CU_ASSERT_EQUAL(parse(&p, &s), DROP_TCP_PORT);
}

/* What Linux sends with its SYN. */
static void options_of_linux_syn(void)
{
	struct tcp_seg s;

	CU_ASSERT_EQUAL(DROP_NONE,
			options(TH_SYN,
				BYTES(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4,
				      0, 0, 0, 0, NOP, 3, 3, 7),
				&s));
	CU_ASSERT_EQUAL(s.opts, OPT_MSS | OPT_SACK_OK | OPT_TS | OPT_WSCALE);
	CU_ASSERT_EQUAL(s.mss, 1460);
	CU_ASSERT_EQUAL(s.ts_val, 0x01020304);
	CU_ASSERT_EQUAL(s.ts_ecr, 0);
	CU_ASSERT_EQUAL(s.wscale, 7);
	CU_ASSERT_EQUAL(memcmp(s.text, "text", 4), 0);
}

/* What Linux sends with everything else; and its neighbours by length. */
static void options_timestamps_alone(void)
{
	static const uint8_t ts[] = {NOP, NOP, 8, 10, 1,   2,	3,   4,
				     5,	  6,   7, 8,  NOP, NOP, NOP, EOL};
	struct tcp_seg s;

	for (size_t len = 12; len <= 16; len += 4) {
		CU_ASSERT_EQUAL(options(TH_ACK, ts, len, &s), DROP_NONE);
		CU_ASSERT_EQUAL(s.opts, OPT_TS);
		CU_ASSERT_EQUAL(s.ts_val, 0x01020304);
		CU_ASSERT_EQUAL(s.ts_ecr, 0x05060708);
		CU_ASSERT_EQUAL(s.nsack, 0);
		CU_ASSERT_EQUAL(s.len, 4);
	}
	CU_ASSERT_EQUAL(options(TH_ACK, ts, 8, &s), DROP_TCP_OPTION);
}

/* RFC 9293, 3.2 (MUST-64): at every offset. */
static void options_unaligned(void)
{
	uint8_t o[16];
	struct tcp_seg s;

	for (size_t at = 0; at <= 6; at++) {
		memset(o, NOP, sizeof(o));
		memcpy(o + at, BYTES(8, 10, 1, 2, 3, 4, 5, 6, 7, 8));
		CU_ASSERT_EQUAL(options(TH_ACK, o, 16, &s), DROP_NONE);
		CU_ASSERT_EQUAL(s.opts, OPT_TS);
		CU_ASSERT_EQUAL(s.ts_val, 0x01020304);
		CU_ASSERT_EQUAL(s.ts_ecr, 0x05060708);
	}
}

/* RFC 9293, 3.1 (MUST-65): these belong to a SYN. */
static void options_of_syn_elsewhere(void)
{
	static const uint8_t o[] = {2, 4, 5,   0xb4, NOP, NOP,
				    4, 2, NOP, 3,    3,	  7};
	struct tcp_seg s;

	CU_ASSERT_EQUAL(options(TH_ACK, o, sizeof(o), &s), DROP_NONE);
	CU_ASSERT_EQUAL(s.opts, 0);
	CU_ASSERT_EQUAL(s.mss, 0);
	CU_ASSERT_EQUAL(s.wscale, 0);
	CU_ASSERT_EQUAL(options(TH_SYN | TH_ACK, o, sizeof(o), &s), DROP_NONE);
	CU_ASSERT_EQUAL(s.opts, OPT_MSS | OPT_SACK_OK | OPT_WSCALE);
}

/* RFC 7323, 2.3: more than 14 is taken for 14. */
static void options_wscale_limit(void)
{
	struct tcp_seg s;

	for (unsigned int shift = 0; shift < 256; shift++) {
		const uint8_t o[] = {NOP, 3, 3, (uint8_t)shift};

		CU_ASSERT_EQUAL(options(TH_SYN, o, 4, &s), DROP_NONE);
		CU_ASSERT_EQUAL(s.wscale, shift < 14 ? shift : 14);
	}
}

/* RFC 9293, 3.1 (MUST-6): skipped by their length, before and after others. */
static void options_unknown(void)
{
	struct tcp_seg s;

	CU_ASSERT_EQUAL(DROP_NONE,
			options(TH_SYN,
				BYTES(253, 4, 2, 4, 2, 4, 1, 0, 254, 2, 28, 2),
				&s));
	CU_ASSERT_EQUAL(s.opts, OPT_UNKNOWN | OPT_MSS);
	CU_ASSERT_EQUAL(s.mss, 256);
}

/* RFC 9293, 3.1 (MUST-7): 0, 1, beyond the header, no room for a length. */
static void options_illegal_length(void)
{
	static const uint8_t kinds[] = {2, 3, 4, 5, 8, 6, 28, 253, 255};
	struct tcp_seg s;

	for (size_t i = 0; i < sizeof(kinds); i++) {
		uint8_t o[] = {NOP, kinds[i], 0, NOP};
		uint8_t last[] = {NOP, NOP, NOP, kinds[i]};

		CU_ASSERT_EQUAL(options(TH_SYN, o, 4, &s), DROP_TCP_OPTION);
		o[2] = 1;
		CU_ASSERT_EQUAL(options(TH_SYN, o, 4, &s), DROP_TCP_OPTION);
		o[2] = 4;
		CU_ASSERT_EQUAL(options(TH_SYN, o, 4, &s), DROP_TCP_OPTION);
		o[2] = 255;
		CU_ASSERT_EQUAL(options(TH_SYN, o, 4, &s), DROP_TCP_OPTION);
		CU_ASSERT_EQUAL(options(TH_SYN, last, 4, &s), DROP_TCP_OPTION);
	}
	CU_ASSERT_EQUAL(DROP_NONE,
			options(TH_SYN, BYTES(NOP, 253, 3, NOP), &s));
	CU_ASSERT_EQUAL(DROP_NONE,
			options(TH_SYN, BYTES(NOP, NOP, 253, 2), &s));
}

/* A known option has one length; SACK as many as it has blocks. */
static void options_length_of_kind(void)
{
	static const struct {
		uint8_t kind;
		uint64_t good; /* bit n: length n is right */
	} kinds[] = {
		{2, 1ull << 4},
		{3, 1ull << 3},
		{4, 1ull << 2},
		{8, 1ull << 10},
		{5, 1ull << 10 | 1ull << 18 | 1ull << 26 | 1ull << 34},
	};
	uint8_t o[40];
	struct tcp_seg s;
	bool good;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (uint8_t len = 2; len <= 40; len++) {
			memset(o, NOP, sizeof(o));
			o[0] = kinds[i].kind;
			o[1] = len;
			good = options(TH_SYN, o, 40, &s) == DROP_NONE;
			CU_ASSERT_EQUAL(good, kinds[i].good >> len & 1);
		}
	}
}

/* Nothing behind End of Option List is looked at. */
static void options_end_of_list(void)
{
	struct tcp_seg s;

	CU_ASSERT_EQUAL(DROP_NONE,
			options(TH_SYN, BYTES(EOL, 2, 4, 0, 2, 0, 3, 1), &s));
	CU_ASSERT_EQUAL(s.opts, 0);
	CU_ASSERT_EQUAL(
		DROP_NONE,
		options(TH_SYN, BYTES(2, 4, 2, 0, NOP, EOL, 0xff, 0xff), &s));
	CU_ASSERT_EQUAL(s.opts, OPT_MSS);
	CU_ASSERT_EQUAL(s.mss, 512);
}

static void options_sack(void)
{
	uint8_t o[40];
	struct tcp_seg s;

	for (uint8_t n = 1; n <= 4; n++) {
		memset(o, NOP, sizeof(o));
		o[2] = 5;
		o[3] = (uint8_t)(2 + 8 * n);
		for (uint8_t i = 0; i < 8 * n; i++)
			o[4 + i] = i;
		CU_ASSERT_EQUAL(options(TH_ACK, o, 4 + 8u * n, &s), DROP_NONE);
		CU_ASSERT_EQUAL(s.opts, OPT_SACK);
		CU_ASSERT_EQUAL(s.nsack, n);
		for (uint8_t i = 0; i < n; i++) {
			CU_ASSERT_EQUAL(s.sack[i].start,
					0x00010203 + 0x08080808u * i);
			CU_ASSERT_EQUAL(s.sack[i].end,
					0x04050607 + 0x08080808u * i);
		}
	}
}

/* ---- writing ---------------------------------------------------------- */

static struct tcp_seg segment(int v6)
{
	struct tcp_seg s = {
		.src = {{[10] = 0xff, [11] = 0xff, 198, 18, 66, 2}},
		.dst = {{[10] = 0xff, [11] = 0xff, 198, 18, 66, 1}},
		.sport = 7,
		.dport = 40000,
		.seq = 0xfffefdfc,
		.ack = 0x80818283,
		.wnd = 0xfedc,
		.flags = TH_ACK,
		.tos = 0x02,
		.ttl = 61,
		.mss = 1460,
		.wscale = 7,
		.nsack = 4,
		.ts_val = 0xa1a2a3a4,
		.ts_ecr = 0xb1b2b3b4,
		.sack = {{1, 2}, {3, 4}, {0xfffffff0, 5}, {6, 0x80000000}},
	};

	if (v6) {
		s.src = (struct ip_addr){{0xfd, 0x74, [15] = 2}};
		s.dst = (struct ip_addr){{0xfd, 0x74, [15] = 1}};
	}
	return s;
}

/* Build, with @len bytes of text behind; what is there is parsed to @out. */
static void build(struct tcp_seg *s, const uint8_t *text, uint32_t len,
		  struct packet *p, struct tcp_seg *out)
{
	uint32_t head, off;

	s->len = len;
	memset(p->b, 0xa5, sizeof(p->b));
	head = wire_tcp_build(p->b, s, 0x1234, WIRE_CSUM_FULL,
			      csum_partial(text, len, 0), &off);
	CU_ASSERT_EQUAL_FATAL(head, off + 20 + wire_tcp_optlen(s));
	CU_ASSERT_EQUAL(p->b[head], 0xa5);
	if (len)
		memcpy(p->b + head, text, len);
	p->len = head + len;
	p->body = off;
	CU_ASSERT_EQUAL_FATAL(parse(p, out), DROP_NONE);
}

/* Every combination of options, both families, odd and even text. */
static void build_parse_round_trip(void)
{
	static const uint8_t text[] = "round trip";
	struct tcp_seg s, r;
	struct packet p;
	unsigned int fit;

	for (unsigned int i = 0; i < 2 * 32 * 11; i++) {
		s = segment(i % 2);
		s.opts = i / 2 % 32;
		s.flags = s.opts & (OPT_MSS | OPT_SACK_OK | OPT_WSCALE)
				  ? TH_SYN | TH_ACK
				  : TH_PSH | TH_ACK;
		build(&s, text, i / 64, &p, &r);
		fit = (40 - 4 - (s.opts & OPT_MSS ? 4 : 0) -
		       (s.opts & OPT_TS	       ? 12
			: s.opts & OPT_SACK_OK ? 4
					       : 0) -
		       (s.opts & OPT_WSCALE ? 4 : 0)) /
		      8;
		fit = s.opts & OPT_SACK ? fit < 4 ? fit : 4 : 0;

		CU_ASSERT_EQUAL(memcmp(&r.src, &s.src, 16), 0);
		CU_ASSERT_EQUAL(memcmp(&r.dst, &s.dst, 16), 0);
		CU_ASSERT_EQUAL(r.sport, s.sport);
		CU_ASSERT_EQUAL(r.dport, s.dport);
		CU_ASSERT_EQUAL(r.seq, s.seq);
		CU_ASSERT_EQUAL(r.ack, s.ack);
		CU_ASSERT_EQUAL(r.wnd, s.wnd);
		CU_ASSERT_EQUAL(r.up, 0);
		CU_ASSERT_EQUAL(r.flags, s.flags);
		CU_ASSERT_EQUAL(r.opts, s.opts);
		CU_ASSERT_EQUAL(r.tos, s.tos);
		CU_ASSERT_EQUAL(r.ttl, s.ttl);
		CU_ASSERT_EQUAL(r.mss, s.opts & OPT_MSS ? s.mss : 0);
		CU_ASSERT_EQUAL(r.wscale, s.opts & OPT_WSCALE ? s.wscale : 0);
		CU_ASSERT_EQUAL(r.ts_val, s.opts & OPT_TS ? s.ts_val : 0);
		CU_ASSERT_EQUAL(r.ts_ecr, s.opts & OPT_TS ? s.ts_ecr : 0);
		CU_ASSERT_EQUAL(r.nsack, fit);
		CU_ASSERT_EQUAL(memcmp(r.sack, s.sack, 8 * fit), 0);
		CU_ASSERT_EQUAL(r.len, i / 64);
		CU_ASSERT_EQUAL(memcmp(r.text, text, i / 64), 0);
	}
}

/* All flags; a number without its flag stays at home. */
static void build_flags(void)
{
	struct tcp_seg s, r;
	struct packet p;

	for (unsigned int f = 0; f < 256; f++) {
		s = segment(0);
		s.flags = (uint8_t)f;
		s.up = 0x7071;
		build(&s, NULL, 0, &p, &r);
		CU_ASSERT_EQUAL(r.flags, f);
		CU_ASSERT_EQUAL(r.ack, f & TH_ACK ? s.ack : 0);
		CU_ASSERT_EQUAL(r.up, f & TH_URG ? s.up : 0);
	}
}

static void expect_options(uint8_t opts, uint8_t nsack, const uint8_t *want,
			   size_t len)
{
	struct tcp_seg s = segment(0), r;
	struct packet p;

	s.opts = opts;
	s.nsack = nsack;
	s.flags = TH_SYN | TH_ACK;
	build(&s, NULL, 0, &p, &r);
	CU_ASSERT_EQUAL(wire_tcp_optlen(&s), len);
	CU_ASSERT_EQUAL(p.len, 40 + len);
	CU_ASSERT_EQUAL(memcmp(p.b + 40, want, len), 0);
}

/* Byte for byte as Linux' tcp_options_write() orders and pads them. */
static void build_options_as_linux(void)
{
	expect_options(OPT_MSS | OPT_SACK_OK | OPT_TS | OPT_WSCALE, 0,
		       BYTES(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0xa1, 0xa2, 0xa3,
			     0xa4, 0xb1, 0xb2, 0xb3, 0xb4, NOP, 3, 3, 7));
	expect_options(OPT_MSS | OPT_TS, 0,
		       BYTES(2, 4, 0x05, 0xb4, NOP, NOP, 8, 10, 0xa1, 0xa2,
			     0xa3, 0xa4, 0xb1, 0xb2, 0xb3, 0xb4));
	expect_options(OPT_MSS | OPT_SACK_OK | OPT_WSCALE, 0,
		       BYTES(2, 4, 0x05, 0xb4, NOP, NOP, 4, 2, NOP, 3, 3, 7));
	expect_options(OPT_TS, 0,
		       BYTES(NOP, NOP, 8, 10, 0xa1, 0xa2, 0xa3, 0xa4, 0xb1,
			     0xb2, 0xb3, 0xb4));
	expect_options(OPT_TS | OPT_SACK, 1,
		       BYTES(NOP, NOP, 8, 10, 0xa1, 0xa2, 0xa3, 0xa4, 0xb1,
			     0xb2, 0xb3, 0xb4, NOP, NOP, 5, 10, 0, 0, 0, 1, 0,
			     0, 0, 2));
	expect_options(OPT_SACK, 0, (const uint8_t *)"", 0);
}

/* RFC 2018, 3: four blocks, three beside timestamps. */
static void build_sack_blocks(void)
{
	struct tcp_seg s, r;
	struct packet p;

	for (uint8_t n = 1; n <= 4; n++) {
		s = segment(1);
		s.nsack = n;
		s.opts = OPT_SACK;
		build(&s, NULL, 0, &p, &r);
		CU_ASSERT_EQUAL(r.nsack, n);
		s.opts = OPT_SACK | OPT_TS;
		build(&s, NULL, 0, &p, &r);
		CU_ASSERT_EQUAL(r.nsack, n < 3 ? n : 3);
	}
	CU_ASSERT_EQUAL(wire_tcp_optlen(&s), 40);
}

/* For a device that completes it: the field holds the pseudo-header's sum,
 * and summing from there over header and text gives the checksum. */
static void build_partial_checksum(void)
{
	static const uint8_t text[] = "partial";
	struct tcp_seg s, r;
	struct packet full, part;
	uint32_t off, head;
	uint16_t csum;

	for (int v6 = 0; v6 < 2; v6++) {
		s = segment(v6);
		s.opts = OPT_TS;
		build(&s, text, 7, &full, &r);
		head = wire_tcp_build(part.b, &s, 0x1234, WIRE_CSUM_PARTIAL, 0,
				      &off);
		memcpy(part.b + head, text, 7);
		csum = packet_csum(part.b + off, head + 7 - off);
		part.b[off + 16] = (uint8_t)(csum >> 8);
		part.b[off + 17] = (uint8_t)csum;
		CU_ASSERT_EQUAL(memcmp(part.b, full.b, head + 7), 0);
	}
}

/* A super-segment fills the length fields to the last byte. */
static void build_longest(void)
{
	struct tcp_seg s = segment(0);
	uint8_t b[WIRE_HEAD_MAX];
	uint32_t off;

	s.len = 65535 - 40;
	CU_ASSERT_EQUAL(40,
			wire_tcp_build(b, &s, 1, WIRE_CSUM_PARTIAL, 0, &off));
	CU_ASSERT_EQUAL(b[2] << 8 | b[3], 65535);
	s = segment(1);
	s.len = 65535 - 20;
	CU_ASSERT_EQUAL(60,
			wire_tcp_build(b, &s, 1, WIRE_CSUM_PARTIAL, 0, &off));
	CU_ASSERT_EQUAL(b[4] << 8 | b[5], 65535);
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(fields),
		UNIT_TEST(flags_all_values),
		UNIT_TEST(reserved_bits_ignored),
		UNIT_TEST(short_header),
		UNIT_TEST(data_offset),
		UNIT_TEST(checksum),
		UNIT_TEST(port_zero),
		UNIT_TEST(options_of_linux_syn),
		UNIT_TEST(options_timestamps_alone),
		UNIT_TEST(options_unaligned),
		UNIT_TEST(options_of_syn_elsewhere),
		UNIT_TEST(options_wscale_limit),
		UNIT_TEST(options_unknown),
		UNIT_TEST(options_illegal_length),
		UNIT_TEST(options_length_of_kind),
		UNIT_TEST(options_end_of_list),
		UNIT_TEST(options_sack),
		UNIT_TEST(build_parse_round_trip),
		UNIT_TEST(build_flags),
		UNIT_TEST(build_options_as_linux),
		UNIT_TEST(build_sack_blocks),
		UNIT_TEST(build_partial_checksum),
		UNIT_TEST(build_longest),
	};

	return unit_run("wire_tcp", tests, sizeof(tests) / sizeof(tests[0]),
			argc, argv);
}
