/*
 * test_decode.c - Captured frames of every kind
 *
 * The packet inside is always the same one, made by the engine's own builder;
 * each test wraps it differently, or damages it.
 */
#include <string.h>

#include <tcphs/capture_packet.h>

#include "core/assert.h"
#include "core/be.h"
#include "core/wire.h"
#include "unit.h"

#define TEXT "hello, wire"

static struct wrapped {
	uint8_t bytes[4096];
	uint32_t len;
	struct decoder *d;
	struct packet p;
} w;

/* Put bytes before what is there. */
static void before(const void *bytes, uint32_t n)
{
	memmove(w.bytes + n, w.bytes, w.len);
	memcpy(w.bytes, bytes, n);
	w.len += n;
}

static void addresses(bool v6, struct ip_addr *src, struct ip_addr *dst)
{
	static const uint8_t a4[4] = {10, 0, 0, 1}, b4[4] = {10, 0, 0, 2};
	static const struct ip_addr a6 = {.b = {0xfd, [15] = 1}},
				    b6 = {.b = {0xfd, [15] = 2}};

	ip_map4(src, a4);
	ip_map4(dst, b4);
	if (v6) {
		*src = a6;
		*dst = b6;
	}
}

/* IP and TCP with options and text. */
static void packet(bool v6)
{
	struct tcp_seg seg = {
		.sport = 40000,
		.dport = 80,
		.seq = 0x01020304,
		.ack = 0x05060708,
		.wnd = 500,
		.flags = TH_PSH | TH_ACK,
		.opts = OPT_TS,
		.ts_val = 7,
		.ts_ecr = 8,
		.ttl = 61,
		.tos = 0x28,
		.len = strlen(TEXT),
	};
	uint32_t tcp_off;

	memset(&w.bytes, 0, sizeof(w.bytes));
	addresses(v6, &seg.src, &seg.dst);
	w.len = wire_tcp_build(w.bytes, &seg, 77, WIRE_CSUM_FULL,
			       csum_partial(TEXT, strlen(TEXT), 0), &tcp_off);
	memcpy(w.bytes + w.len, TEXT, strlen(TEXT));
	w.len += (uint32_t)strlen(TEXT);
}

/* Only @kept bytes of it were. */
static enum packet_kind decode_cut(uint32_t link, uint32_t kept)
{
	struct frame f = {
		.ns = 5000,
		.number = 3,
		.link = link,
		.len = w.len,
		.cap_len = kept,
		.bytes = w.bytes,
	};

	return decode(w.d, &f, &w.p);
}

static enum packet_kind decode_as(uint32_t link)
{
	return decode_cut(link, w.len);
}

static void begin(void)
{
	memset(&w, 0, sizeof(w));
	w.d = decoder_new(DECODER_MIN);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.d);
}

static void end(void)
{
	decoder_free(w.d);
}

/* Is it the packet of packet()? */
static void expect_packet(bool v6)
{
	struct ip_addr src, dst;

	addresses(v6, &src, &dst);
	CU_ASSERT_EQUAL(w.p.kind, PACKET_TCP);
	CU_ASSERT_EQUAL(w.p.fault, FAULT_NONE);
	CU_ASSERT_EQUAL(memcmp(&w.p.src, &src, sizeof(src)), 0);
	CU_ASSERT_EQUAL(memcmp(&w.p.dst, &dst, sizeof(dst)), 0);
	CU_ASSERT_EQUAL(w.p.sport, 40000);
	CU_ASSERT_EQUAL(w.p.dport, 80);
	CU_ASSERT_EQUAL(w.p.seq, 0x01020304);
	CU_ASSERT_EQUAL(w.p.ack, 0x05060708);
	CU_ASSERT_EQUAL(w.p.flags, TH_PSH | TH_ACK);
	CU_ASSERT_EQUAL(w.p.wnd, 500);
	CU_ASSERT_EQUAL(w.p.ttl, 61);
	CU_ASSERT_EQUAL(w.p.tos, 0x28);
	CU_ASSERT_EQUAL(w.p.opts, POPT_TS);
	CU_ASSERT_EQUAL(w.p.ts_val, 7);
	CU_ASSERT_EQUAL(w.p.ts_ecr, 8);
	CU_ASSERT_EQUAL(w.p.notes & ~NOTE_WHOLE, 0);
	CU_ASSERT_EQUAL(w.p.len, strlen(TEXT));
	CU_ASSERT_EQUAL_FATAL(w.p.cap_len, strlen(TEXT));
	CU_ASSERT_EQUAL(memcmp(w.p.text, TEXT, strlen(TEXT)), 0);
}

static void expect_encap(int i, enum encap_kind kind, uint32_t number)
{
	CU_ASSERT_FATAL(i < w.p.nencaps);
	CU_ASSERT_EQUAL(w.p.encap[i].kind, kind);
	CU_ASSERT_EQUAL(w.p.encap[i].number, number);
}

/* ---- link layers --------------------------------------------------------- */

static void ethernet(uint16_t type)
{
	uint8_t h[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

	be_put16(h + 12, type);
	before(h, sizeof(h));
}

static void links(void)
{
	static const uint8_t null_le[4] = {2, 0, 0, 0};
	static const uint8_t null_be[4] = {0, 0, 0, 2};
	static const uint8_t null_bsd6[4] = {30, 0, 0, 0};
	static const uint8_t ppp[4] = {0xff, 3, 0, 0x21}, ppp_short[1] = {0x21};
	static const uint8_t sll[16] = {0, 4, 0, 1, 0, 6, [14] = 8};
	static const uint8_t sll2[20] = {8, 0, [10] = 0};
	static const uint8_t wlan[34] = {0x88, 1, [26] = 0xaa,
					 0xaa, 3, [32] = 8};
	static const uint8_t radiotap[8] = {0, 0, 8};

	for (int v6 = 0; v6 < 2; v6++) {
		begin();
		packet(v6);
		decode_as(LINK_RAW);
		expect_packet(v6);
		decode_as(v6 ? LINK_IPV6 : LINK_IPV4);
		expect_packet(v6);
		CU_ASSERT_EQUAL(decode_as(v6 ? LINK_IPV4 : LINK_IPV6),
				PACKET_OTHER);
		ethernet(v6 ? 0x86dd : 0x0800);
		decode_as(LINK_ETHERNET);
		expect_packet(v6);
		CU_ASSERT_EQUAL(w.p.number, 3);
		CU_ASSERT_EQUAL(w.p.ns, 5000);
		end();
	}
#define UNDER(head, link)                   \
	do {                                \
		begin();                    \
		packet(false);              \
		before(head, sizeof(head)); \
		decode_as(link);            \
		expect_packet(false);       \
		end();                      \
	} while (0)
	UNDER(null_le, LINK_NULL);
	UNDER(null_be, LINK_LOOP);
	UNDER(ppp, LINK_PPP);
	UNDER(ppp_short, LINK_PPP_HDLC);
	UNDER(sll2, LINK_LINUX_SLL2);
	CU_ASSERT_EQUAL(w.p.direction, FRAME_IN);
	UNDER(sll, LINK_LINUX_SLL);
	CU_ASSERT_EQUAL(w.p.direction, FRAME_OUT);
	UNDER(wlan, LINK_IEEE802_11);
	begin();
	packet(false);
	before(wlan, sizeof(wlan));
	before(radiotap, sizeof(radiotap));
	decode_as(LINK_RADIOTAP);
	expect_packet(false);
	w.bytes[sizeof(radiotap) + 1] |= 0x40; /* encrypted */
	CU_ASSERT_EQUAL(decode_as(LINK_RADIOTAP), PACKET_OTHER);
	end();
	begin();
	packet(true);
	before(null_bsd6, sizeof(null_bsd6));
	decode_as(LINK_NULL);
	expect_packet(true);
	CU_ASSERT_EQUAL(decode_as(9999), PACKET_OTHER);
	CU_ASSERT_PTR_NULL(link_name(9999));
	CU_ASSERT_STRING_EQUAL(link_name(LINK_LINUX_SLL2), "sll2");
	end();
}

/* ---- tags and tunnels ---------------------------------------------------- */

static void vlans(void)
{
	static const uint8_t inner[4] = {0x60, 5, 8, 0};
	static const uint8_t outer[4] = {0, 10, 0x81, 0};

	begin();
	packet(false);
	before(inner, sizeof(inner));
	before(outer, sizeof(outer));
	ethernet(0x88a8);
	decode_as(LINK_ETHERNET);
	expect_packet(false);
	expect_encap(0, ENCAP_VLAN, 10);
	expect_encap(1, ENCAP_VLAN, 5);
	end();
}

static void mpls(void)
{
	static const uint8_t labels[8] = {0, 0x01, 0x00, 64, 0, 0x02, 0x01, 64};

	begin();
	packet(true);
	before(labels, sizeof(labels));
	ethernet(0x8847);
	decode_as(LINK_ETHERNET);
	expect_packet(true);
	expect_encap(0, ENCAP_MPLS, 16);
	expect_encap(1, ENCAP_MPLS, 32);
	end();
}

static void pppoe(void)
{
	uint8_t h[8] = {0x11, 0, 0, 9, 0, 0, 0, 0x21};

	begin();
	packet(false);
	be_put16(h + 4, (uint16_t)(w.len + 2));
	before(h, sizeof(h));
	ethernet(0x8864);
	w.len += 20; /* padding of the link */
	decode_as(LINK_ETHERNET);
	expect_packet(false);
	expect_encap(0, ENCAP_PPPOE, 9);
	end();
}

/* An IPv4 header around what is there. */
static void ip_around(uint8_t proto)
{
	static const uint8_t a[4] = {192, 0, 2, 1}, b[4] = {192, 0, 2, 2};
	struct ip_addr src, dst;
	uint8_t h[WIRE_IP6_LEN];

	ip_map4(&src, a);
	ip_map4(&dst, b);
	before(h, wire_ip_build(h, &src, &dst, proto, 9, 0, 1, true, w.len));
	wire_ip_build(w.bytes, &src, &dst, proto, 9, 0, 1, true,
		      w.len - WIRE_IP4_LEN);
}

static void tunnels(void)
{
	static const uint8_t gre[8] = {0x20, 0, 8, 0, 0, 0, 0, 42};
	static const uint8_t gre_eth[4] = {0, 0, 0x65, 0x58};
	static const uint8_t vxlan[16] = {0, 1, 0x12, 0xb5, [8] = 8, [14] = 77};
	static const uint8_t geneve[20] = {
		/* with an option */
		0, 1, 0x17, 0xc1, [8] = 1, [10] = 0x65, 0x58, [14] = 77};
	static const uint8_t gtpu[16] = {
		0, 1, 0x08, 0x68, [8] = 0x30, 255, [15] = 6};
	static const uint8_t gtpu_seq[20] = {
		0, 1, 0x08, 0x68, [8] = 0x32, 255, [15] = 6};

	begin();
	packet(false);
	ip_around(4);
	decode_as(LINK_RAW);
	expect_packet(false);
	expect_encap(0, ENCAP_IPIP, 0);
	end();

	begin();
	packet(true);
	ip_around(41);
	decode_as(LINK_RAW);
	expect_packet(true);
	expect_encap(0, ENCAP_SIXINFOUR, 0);
	end();

	begin();
	packet(false);
	before(gre, sizeof(gre));
	ip_around(47);
	decode_as(LINK_RAW);
	expect_packet(false);
	expect_encap(0, ENCAP_GRE, 42);
	end();

	begin();
	packet(false);
	ethernet(0x0800);
	before(gre_eth, sizeof(gre_eth));
	ip_around(47);
	decode_as(LINK_RAW);
	expect_packet(false);
	end();

	begin();
	packet(true);
	ethernet(0x86dd);
	before(vxlan, sizeof(vxlan));
	ip_around(IP_PROTO_UDP);
	decode_as(LINK_RAW);
	expect_packet(true);
	expect_encap(0, ENCAP_VXLAN, 77);
	end();

	begin();
	packet(true);
	ethernet(0x86dd);
	before(geneve, sizeof(geneve));
	ip_around(IP_PROTO_UDP);
	decode_as(LINK_RAW);
	expect_packet(true);
	expect_encap(0, ENCAP_GENEVE, 77);
	end();

	begin();
	packet(false);
	before(gtpu, sizeof(gtpu));
	ip_around(IP_PROTO_UDP);
	decode_as(LINK_RAW);
	expect_packet(false);
	expect_encap(0, ENCAP_GTPU, 6);
	end();

	begin();
	packet(false);
	before(gtpu_seq, sizeof(gtpu_seq));
	ip_around(IP_PROTO_UDP);
	decode_as(LINK_RAW);
	expect_packet(false);
	end();
}

static void too_deep(void)
{
	begin();
	packet(false);
	for (int i = 0; i <= ENCAPS_MAX; i++)
		ip_around(4);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_BROKEN);
	CU_ASSERT_EQUAL(w.p.fault, FAULT_DEPTH);
	end();
}

/* ---- IP ------------------------------------------------------------------ */

/* Bytes [@from, @to) of @whole behind its headers, or all from @from on (0). */
static void piece_of(const uint8_t *whole, uint32_t len, uint32_t id,
		     uint32_t from, uint32_t to)
{
	uint32_t ip_len = whole[0] >> 4 == 6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	uint32_t n = (to ? to : len - ip_len) - from;

	w.len = wire_ip_piece(w.bytes, whole, id, from, n, to != 0);
	if (ip_len == WIRE_IP4_LEN) { /* has its own */
		be_put16(w.bytes + 4, (uint16_t)id);
		be_put16(w.bytes + 10, 0);
		be_put16(w.bytes + 10,
			 csum_fold(csum_partial(w.bytes, ip_len, 0)));
	}
	memcpy(w.bytes + w.len, whole + ip_len + from, n);
	w.len += n;
}

/* The packet of packet(), in two pieces, the second one first. */
static void in_two_pieces(bool v6)
{
	uint8_t whole[256];
	uint32_t len;

	packet(v6);
	len = w.len;
	memcpy(whole, w.bytes, len);
	piece_of(whole, len, 99, 32, 0);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_FRAGMENT);
	piece_of(whole, len, 99, 0, 32);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_TCP);
	expect_packet(v6);
	CU_ASSERT_TRUE(w.p.notes & NOTE_WHOLE);
}

static void fragments(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		begin();
		in_two_pieces(v6);
		end();
	}
}

/* Others whose rest never comes do not stand in the way. */
static void fragments_among_others(void)
{
	uint8_t whole[256];
	uint32_t len;

	for (int v6 = 0; v6 < 2; v6++) {
		begin();
		packet(v6);
		len = w.len;
		memcpy(whole, w.bytes, len);
		for (uint32_t id = 100; id < 200; id++) {
			piece_of(whole, len, id, 32, 0);
			CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_FRAGMENT);
		}
		in_two_pieces(v6);
		end();
	}
}

/* What lacks bytes will never be whole. */
static void fragments_cut_short(void)
{
	uint8_t whole[256];
	uint32_t len;

	begin();
	packet(false);
	len = w.len;
	memcpy(whole, w.bytes, len);
	piece_of(whole, len, 7, 0, 32);
	CU_ASSERT_EQUAL(decode_cut(LINK_RAW, w.len - 1), PACKET_BROKEN);
	CU_ASSERT_EQUAL(w.p.fault, FAULT_CUT);
	piece_of(whole, len, 7, 32, 0);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_BROKEN);
	CU_ASSERT_EQUAL(w.p.fault, FAULT_FRAGMENT);
	in_two_pieces(false);
	end();
}

static void extension_headers(void)
{
	static const uint8_t dst_opts[8] = {IP_PROTO_TCP, 0, 1, 4};
	static const uint8_t hop_by_hop[8] = {60, 0, 1, 4};
	uint8_t ip[WIRE_IP6_LEN];

	begin();
	packet(true);
	memcpy(ip, w.bytes, sizeof(ip));
	memmove(w.bytes, w.bytes + sizeof(ip), w.len - sizeof(ip));
	w.len -= (uint32_t)sizeof(ip);
	before(dst_opts, sizeof(dst_opts));
	before(hop_by_hop, sizeof(hop_by_hop));
	ip[6] = 0;
	be_put16(ip + 4, (uint16_t)w.len);
	before(ip, sizeof(ip));
	decode_as(LINK_RAW);
	expect_packet(true);
	end();
}

/* Length 0: what Linux writes down for more than 64 KiB. */
static void length_zero(void)
{
	begin();
	packet(true);
	be_put16(w.bytes + 4, 0);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_TCP);
	CU_ASSERT_TRUE(w.p.notes & NOTE_LENGTH_0);
	CU_ASSERT_EQUAL(w.p.len, strlen(TEXT));
	end();
}

static void damaged_ip(void)
{
	begin();
	packet(false);
	w.bytes[8]--; /* without a new checksum */
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_TCP);
	CU_ASSERT_TRUE(w.p.notes & NOTE_IP_SUM);
	packet(false);
	w.bytes[0] = 0x44;
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_BROKEN);
	CU_ASSERT_EQUAL(w.p.fault, FAULT_IP_HEADER);
	packet(false);
	be_put16(w.bytes + 2, 19);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_BROKEN);
	CU_ASSERT_EQUAL(w.p.fault, FAULT_IP_LENGTH);
	packet(false);
	be_put16(w.bytes + 2, 2000);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_TCP);
	CU_ASSERT_TRUE(w.p.notes & NOTE_LENGTH);
	end();
}

/* ---- TCP ----------------------------------------------------------------- */

static void cut_off(void)
{
	uint32_t heads;

	begin();
	packet(false);
	heads = w.len - (uint32_t)strlen(TEXT);
	CU_ASSERT_EQUAL(decode_cut(LINK_RAW, heads + 3), PACKET_TCP);
	CU_ASSERT_TRUE(w.p.notes & NOTE_CUT);
	CU_ASSERT_EQUAL(w.p.len, strlen(TEXT));
	CU_ASSERT_EQUAL(w.p.cap_len, 3);
	CU_ASSERT_EQUAL(w.p.opts, POPT_TS);
	CU_ASSERT_FALSE(w.p.notes & NOTE_OPTIONS_CUT);
	/* In the options: the rest can be told. */
	CU_ASSERT_EQUAL(decode_cut(LINK_RAW, WIRE_IP4_LEN + WIRE_TCP_LEN),
			PACKET_TCP);
	CU_ASSERT_EQUAL(w.p.len, strlen(TEXT));
	CU_ASSERT_EQUAL(w.p.opts, 0);
	CU_ASSERT_TRUE(w.p.notes & NOTE_OPTIONS_CUT);
	/* Inside of one: it is not its length that is wrong. */
	CU_ASSERT_EQUAL(decode_cut(LINK_RAW, heads - 3), PACKET_TCP);
	CU_ASSERT_TRUE(w.p.notes & NOTE_OPTIONS_CUT);
	CU_ASSERT_FALSE(w.p.notes & NOTE_OPTION);
	for (uint32_t n = 0; n < WIRE_IP4_LEN + WIRE_TCP_LEN; n++) {
		CU_ASSERT_EQUAL(decode_cut(LINK_RAW, n), PACKET_BROKEN);
		CU_ASSERT_EQUAL(w.p.fault, FAULT_CUT);
	}
	end();
}

static void checksums(void)
{
	uint8_t *sum = w.bytes + WIRE_IP4_LEN + 16;
	struct ip_addr src, dst;

	begin();
	packet(false);
	w.bytes[w.len - 1] ^= 1;
	decode_as(LINK_RAW);
	CU_ASSERT_EQUAL(w.p.notes, NOTE_TCP_SUM);
	/* Begun, as by a kernel that leaves the rest to the card. */
	addresses(false, &src, &dst);
	be_put16(sum, (uint16_t)~csum_fold(csum_pseudo(&src, &dst, 6,
						       w.len - WIRE_IP4_LEN)));
	decode_as(LINK_RAW);
	CU_ASSERT_EQUAL(w.p.notes, NOTE_TCP_SUM_PART);
	be_put16(sum, 0);
	decode_as(LINK_RAW);
	CU_ASSERT_EQUAL(w.p.notes, NOTE_TCP_SUM_PART);
	end();
}

static void syn_options(void)
{
	static const uint8_t options[] = {
		2, 4, 5, 0xb4, 4, 2, 1,	 3, 3, 7, 34, 6,
		1, 2, 3, 4,    9, 2, 30, 4, 0, 0, 1,  0,
	};
	uint8_t *tcp = w.bytes + WIRE_IP4_LEN;

	begin();
	packet(false);
	memcpy(tcp + WIRE_TCP_LEN, options, sizeof(options));
	tcp[12] = (WIRE_TCP_LEN + sizeof(options)) / 4 << 4;
	w.len = WIRE_IP4_LEN + WIRE_TCP_LEN + sizeof(options);
	be_put16(w.bytes + 2, (uint16_t)w.len);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_TCP);
	CU_ASSERT_EQUAL(w.p.opts, POPT_MSS | POPT_SACK_OK | POPT_WSCALE |
					  POPT_TFO | POPT_MPTCP | POPT_OTHER);
	CU_ASSERT_EQUAL(w.p.mss, 1460);
	CU_ASSERT_EQUAL(w.p.wscale, 7);
	CU_ASSERT_EQUAL(w.p.tfo_len, 4);
	CU_ASSERT_FALSE(w.p.notes & NOTE_OPTION);
	tcp[WIRE_TCP_LEN + 1] = 3; /* no length for an MSS */
	decode_as(LINK_RAW);
	CU_ASSERT_TRUE(w.p.notes & NOTE_OPTION);
	CU_ASSERT_EQUAL(w.p.opts, 0);
	tcp[12] = 4 << 4;
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_BROKEN);
	CU_ASSERT_EQUAL(w.p.fault, FAULT_TCP_OFFSET);
	end();
}

/* ---- ICMP ---------------------------------------------------------------- */

static void icmp_errors(void)
{
	uint8_t h[8] = {3, 4, 0, 0, 0, 0, 5, 0x78};
	struct ip_addr src, dst;

	begin();
	packet(false);
	before(h, sizeof(h));
	ip_around(IP_PROTO_ICMP);
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_ICMP);
	CU_ASSERT_EQUAL(w.p.icmp_type, 3);
	CU_ASSERT_EQUAL(w.p.icmp_code, 4);
	CU_ASSERT_EQUAL(w.p.icmp_mtu, 1400);
	CU_ASSERT_FALSE(w.p.icmp6);
	addresses(false, &src, &dst);
	CU_ASSERT_EQUAL(memcmp(&w.p.src, &src, sizeof(src)), 0);
	CU_ASSERT_EQUAL(w.p.reporter.b[12], 192);
	CU_ASSERT_EQUAL(w.p.sport, 40000);
	CU_ASSERT_EQUAL(w.p.seq, 0x01020304);
	/* An echo reply tells of nothing. */
	w.bytes[WIRE_IP4_LEN] = 0;
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_OTHER);
	end();
}

static void icmp6_too_big(void)
{
	uint8_t h[8] = {2, 0, 0, 0, 0, 0, 5, 0x00}, ip[WIRE_IP6_LEN];
	struct ip_addr src, dst;

	begin();
	packet(true);
	before(h, sizeof(h));
	addresses(true, &src, &dst);
	wire_ip_build(ip, &dst, &src, IP_PROTO_ICMPV6, 64, 0, 0, true, w.len);
	before(ip, sizeof(ip));
	CU_ASSERT_EQUAL(decode_as(LINK_RAW), PACKET_ICMP);
	CU_ASSERT_TRUE(w.p.icmp6);
	CU_ASSERT_EQUAL(w.p.icmp_mtu, 1280);
	CU_ASSERT_EQUAL(memcmp(&w.p.src, &src, sizeof(src)), 0);
	end();
}

/* ---- names --------------------------------------------------------------- */

/* All 512: what opens or closes something has dashes, the rest is said to be
 * invalid, and each bit is in its name once. */
static void all_flags(void)
{
	static const char *const bits[] = {"FIN", "SYN", "RST", "PSH", "ACK",
					   "URG", "ECE", "CWR", "AE"};
	char name[FLAGS_NAME_MAX], expected[FLAGS_NAME_MAX];

	for (uint16_t flags = 0; flags < 512; flags++) {
		int kinds = !!(flags & TH_SYN) + !!(flags & TH_FIN) +
			    !!(flags & TH_RST);
		bool odd = kinds > 1 || !(flags & (TH_SYN | TH_RST | TH_ACK));

		packet_flags_name(flags, name);
		CU_ASSERT_EQUAL(strstr(name, " (invalid)") != NULL, odd);
		CU_ASSERT_EQUAL(strchr(name, '-') != NULL && odd, false);
		CU_ASSERT_EQUAL(strchr(name, '+') != NULL && !odd, false);
		for (int bit = 0; bit < 9; bit++) {
			snprintf(expected, sizeof(expected), "%s", bits[bit]);
			CU_ASSERT_EQUAL(strstr(name, expected) != NULL,
					flags >> bit & 1);
		}
	}
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x002, name), "SYN");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x012, name), "SYN-ACK");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x010, name), "ACK");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x018, name), "PSH-ACK");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x011, name), "FIN-ACK");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x004, name), "RST");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x014, name), "RST-ACK");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x0c2, name), "SYN-ECE-CWR");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0x003, name),
			       "SYN+FIN (invalid)");
	CU_ASSERT_STRING_EQUAL(packet_flags_name(0, name), "none (invalid)");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(links),
		UNIT_TEST(vlans),
		UNIT_TEST(mpls),
		UNIT_TEST(pppoe),
		UNIT_TEST(tunnels),
		UNIT_TEST(too_deep),
		UNIT_TEST(fragments),
		UNIT_TEST(fragments_among_others),
		UNIT_TEST(fragments_cut_short),
		UNIT_TEST(extension_headers),
		UNIT_TEST(length_zero),
		UNIT_TEST(damaged_ip),
		UNIT_TEST(cut_off),
		UNIT_TEST(checksums),
		UNIT_TEST(syn_options),
		UNIT_TEST(icmp_errors),
		UNIT_TEST(icmp6_too_big),
		UNIT_TEST(all_flags),
	};

	return unit_run("decode", tests, ARRAY_LEN(tests), argc, argv);
}
