/*
 * test_rfc_header.c - RFC 9293, 3.1, 3.2 and 3.7.1: header, options and MSS
 *
 * Headers are looked at byte by byte here, and checksums computed by packet.c,
 * so that the stack's own reader does not judge its writer.
 */
#include <string.h>

#include "packet.h"
#include "rig.h"

#define EOL  0
#define NOP  1
#define K(n) (1ull << (n))

#define KIND_MSS     2
#define KIND_WSCALE  3
#define KIND_SACK_OK 4
#define KIND_SACK    5
#define KIND_TS	     8

#define SEQ0 0x01020304u /* packet_tcp()'s */

#define TEXT(at, n) SEG(.flags = TH_ACK, .seq = (at), .ack = 5001, .len = (n))

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* A segment with these options arrives in the connection of RIG_PEER_PORT. */
static void rx_options(uint8_t flags, tcp_seq seq, tcp_seq ack,
		       const void *opts, size_t optlen, size_t text)
{
	static const uint8_t zeros[1000];
	struct packet p;

	packet_tcp(&p, rig.v6, flags, opts, optlen, zeros, text);
	put32(p.b + p.body + 4, seq);
	put32(p.b + p.body + 8, ack + rig_only()->iss_off);
	packet_seal(&p);
	rig_rx_packet(p.b, p.len);
}

/* A connection whose SYN had these options. */
static void established_by(const void *opts, size_t optlen)
{
	struct packet p;
	struct tcp_seg s;

	rig_start();
	packet_tcp(&p, rig.v6, TH_SYN, opts, optlen, NULL, 0);
	rig_only()->irs = SEQ0;
	rig_rx_packet(p.b, p.len);
	rig_check(rig_take(&s) && s.flags == (TH_SYN | TH_ACK));
	rig_rx(SEG(.flags = TH_ACK, .seq = SEQ0 + 1, .ack = 1001));
	rig_check(rig_only()->opened == 1);
	rig_expect_silence();
}

/*
 * Walk the options of a packet: each but EOL and NOP has a length that stays
 * inside the header, and behind EOL all is zero. Return: the kinds, as bits;
 * K(63) if that is not so.
 */
static uint64_t option_kinds(const uint8_t *pkt)
{
	const uint8_t *tcp = pkt + (rig.v6 ? 40 : 20);
	const uint8_t *o = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;
	uint64_t kinds = 0;

	while (o < end) {
		kinds |= *o < 63 ? K(*o) : 0;
		if (*o == EOL) {
			while (++o < end)
				kinds |= *o ? K(63) : 0;
		} else if (*o == NOP) {
			o++;
		} else if (end - o < 2 || o[1] < 2 || o[1] > end - o) {
			return K(63);
		} else {
			o += o[1];
		}
	}
	return kinds;
}

/* The kinds in the next packet that the stack sent. */
static uint64_t kinds_sent(void)
{
	size_t len;
	const uint8_t *pkt = rig_take_packet(&len);

	rig_check(pkt != NULL);
	return pkt ? option_kinds(pkt) : K(63);
}

static void rx_ack(tcp_seq ack, uint16_t wnd)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack, WND(wnd)));
}

/* RFC 9293, 3.1 (MUST-1): 40000 is not -25536, and all of it is used. */
static void window_above_half(void)
{
	tcp_seq una = 1001, end = 1001;
	struct tcp_seg s;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), WND(40000)));
	rig_send(200000);
	for (unsigned int i = 0; i < 4; i++) {
		while (rig_take(&s))
			end = s.seq + s.len;
		if (i == 3)
			rig_check(end - una == 40000);
		una = end;
		rx_ack(una, 40000);
	}
	rig_forget();
	rig_end();
}

/* RFC 9293, 3.1 (REC-1): windows beyond 16 bits, in both directions. */
static void windows_of_32_bits(void)
{
	struct conn_info info;
	struct tcp_seg s;

	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 8 << 20;
	rig.conf.window_scale = 8;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(14)));
	rx_ack(1001, 65535);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.snd_wnd == 65535u << 14);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 1000));
	rig_wait(MS(41));
	rig_check(rig_take(&s) && (uint32_t)s.wnd << 8 == 8u << 20);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.rcv_wnd == 8u << 20);
	rig_end();
}

/* Every packet sent so far has the checksums that packet.c computes. */
static void checksums_right(unsigned int packets)
{
	struct packet sent, sealed;
	const uint8_t *pkt;

	for (unsigned int i = 0; i < packets; i++) {
		pkt = rig_take_packet(&sent.len);
		rig_check(pkt && sent.len <= PACKET_MAX);
		if (rig.failed)
			return;
		memcpy(sent.b, pkt, sent.len);
		sent.body = rig.v6 ? 40 : 20;
		sealed = sent;
		packet_seal(&sealed);
		rig_check(memcmp(sent.b, sealed.b, sent.len) == 0);
	}
	rig_expect_silence();
}

/* RFC 9293, 3.1 (MUST-2): on SYN-ACK, ACK, text of odd length and in pieces,
 * FIN and RST. */
static void checksum_always(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SACK_OK, TS(1),
		   SCALE(3), .peer_port = 40001));
	checksums_right(1);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .port = 9));
	checksums_right(1);
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1001, .len = 7));
	checksums_right(1);
	rig_send(1);
	checksums_right(1);
	rig_send(333);
	rig_send(667);
	rig_send(1001);
	checksums_right(2);
	rig_close();
	checksums_right(1);
	rig_abort();
	checksums_right(1);
	rig_end();
}

/* RFC 9293, 3.1 (MUST-4): NOP before the MSS, End of Option List behind it,
 * and nothing read after that. */
static void mandatory_options(void)
{
	static const uint8_t o[] = {NOP,      NOP,  KIND_MSS, 4,
				    500 >> 8, 0xf4, KIND_MSS, 4,
				    2,	      0xbc, EOL,      KIND_MSS};
	static const uint8_t end[] = {NOP,  KIND_MSS, 4,	500 >> 8,
				      0xf4, EOL,      KIND_MSS, 4};

	established_by(end, sizeof(end));
	rig_send(1000);
	rig_expect(
		SEG(.flags = TH_ACK, .seq = 1001, .ack = SEQ0 + 1, .len = 500));
	rig_forget();
	rig_end();
	established_by(o, sizeof(o)); /* the last one counts */
	rig_send(1000);
	rig_expect(
		SEG(.flags = TH_ACK, .seq = 1001, .ack = SEQ0 + 1, .len = 700));
	rig_forget();
	rig_end();
}

/* RFC 9293, 3.1 (MUST-5): with text, FIN and RST; an illegal length shows that
 * they were looked at. Those of a SYN mean nothing there. */
static void options_in_any_segment(void)
{
	static const uint8_t o[] = {254, 3,   0,	   KIND_MSS, 4, 0,
				    100, NOP, KIND_WSCALE, 3,	     9, EOL};
	static const uint8_t bad[] = {NOP, NOP, 254, 1};
	static const uint8_t flags[] = {TH_ACK, TH_ACK | TH_FIN, TH_RST};
	struct conn_info info;

	rig_established();
	rig_read_stop();
	rx_options(TH_ACK, 5001, 1001, o, sizeof(o), 100);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.recv_queued == 100);
	rig_check(info.peer_mss == 1000 && info.snd_wscale == 0);
	for (unsigned int i = 0; i < ARRAY_LEN(flags); i++) {
		rx_options(flags[i], 5101, 1001, bad, sizeof(bad), 0);
		rig_check(rig_dropped(DROP_TCP_OPTION) == i + 1);
	}
	rig_check(rig_state() == TCP_ESTABLISHED);
	rx_options(TH_ACK | TH_FIN, 5101, 1001, o, sizeof(o), 0);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5102));
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rx_options(TH_RST, 5102, 1001, o, sizeof(o), 0);
	rig_check(rig_state() == TCP_CLOSED);
	rig_end();
}

/* RFC 9293, 3.1 (MUST-68): an option that nobody knows has a length like all,
 * whatever stands in it; and so do those that we send. */
static void options_have_lengths(void)
{
	static const uint8_t o[] = {254,      6, KIND_MSS, 4,	 0,   8,
				    KIND_MSS, 4, 500 >> 8, 0xf4, 255, 2};

	established_by(o, sizeof(o));
	rig_send(1000);
	rig_expect(
		SEG(.flags = TH_ACK, .seq = 1001, .ack = SEQ0 + 1, .len = 500));
	rig_forget();
	rig_end();
	rig_established_all();
	rig_rx(SEG(.flags = TH_ACK, .seq = 6001, .ack = 1001, .len = 10));
	rig_check(kinds_sent() == (K(NOP) | K(KIND_TS) | K(KIND_SACK)));
	rig_end();
}

/* RFC 9293, 3.1 (MUST-69): behind End of Option List come zeros alone,
 * whatever combination of options is in use. */
static void options_padded(void)
{
	for (unsigned int i = 0; i < 8; i++) {
		uint64_t want = K(KIND_MSS), got;

		want |= i & 1 ? K(KIND_SACK_OK) : 0;
		want |= i & 2 ? K(KIND_TS) : 0;
		want |= i & 4 ? K(KIND_WSCALE) : 0;
		rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			   .sack_ok = i & 1, .has_ts = i & 2,
			   .has_wscale = i & 4,
			   .peer_port = (uint16_t)(40001 + i)));
		got = kinds_sent();
		rig_check((got & ~(K(NOP) | K(EOL))) == want);
	}
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.2 (MUST-65): with SYN, and with nothing else. */
static void mss_only_with_syn(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
		   .peer_port = 40001));
	rig_check(kinds_sent() & K(KIND_MSS));
	rig_rx(SEG(.flags = TH_ACK, .seq = 1, .ack = 1001,
		   .peer_port = 40001)); /* a challenge */
	rig_check(!(kinds_sent() & K(KIND_MSS)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 1, .ack = 1, .port = 9)); /* RST */
	rig_check(!(kinds_sent() & K(KIND_MSS)));
	rig_established_all();
	rig_send(10);
	rig_check(!(kinds_sent() & K(KIND_MSS)));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1001, .len = 1));
	rig_check(!(kinds_sent() & K(KIND_MSS)));
	rig_close();
	rig_check(!(kinds_sent() & K(KIND_MSS)));
	rig_abort();
	rig_check(!(kinds_sent() & K(KIND_MSS)));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.7.1 (MUST-14): sent and heeded, by either opener. */
static void mss_both_ways(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(700)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_send(1000);
	rig_expect(TEXT(1001, 700));
	rig_forget();
	rig_end();
	rig_open();
	rig_expect(SEG(.flags = TH_SYN, .seq = 1000, MSS(rig_mss()), SACK_OK,
		       TS(0), SCALE(7)));
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(600)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_send(1000);
	rig_expect(TEXT(1001, 600));
	rig_forget();
	rig_end();
}

/* RFC 9293, 3.7.1 (MUST-67, SHLD-6): what fits the one interface there is,
 * less the fixed headers. */
static void mss_of_interface(void)
{
	static const uint16_t mtus[] = {1280, 1500, 9000, 65520};

	for (size_t i = 0; i < ARRAY_LEN(mtus); i++) {
		rig.conf.mtu = mtus[i];
		rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
		rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000,
			       .ack = 5001,
			       MSS((uint16_t)(mtus[i] - (rig.v6 ? 60 : 40)))));
		rig_end();
	}
}

/* RFC 9293, 3.7.1 (SHLD-5, MAY-3): in every SYN, those sent again and cookies
 * included. */
static void mss_in_every_syn(void)
{
	rig_open();
	rig_check(kinds_sent() & K(KIND_MSS));
	rig_wait(S(2));
	rig_check(kinds_sent() & K(KIND_MSS));
	rig_end();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_check(kinds_sent() & K(KIND_MSS));
	rig_wait(S(2));
	rig_check(kinds_sent() & K(KIND_MSS));
	rig_end();
	rig.conf.cookies = COOKIES_ALWAYS;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_check(kinds_sent() & K(KIND_MSS));
	rig_end();
}

/* RFC 9293, 3.7.1 (MUST-15): a cookie does not change what is assumed. */
static void default_mss_by_cookie(void)
{
	uint16_t mss = rig_default_mss();

	rig.conf.cookies = COOKIES_ALWAYS;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000));
	rig_send(3000);
	rig_expect(TEXT(1001, mss));
	rig_forget();
	rig_end();
}

/* RFC 9293, 3.7.1 (MUST-14): nor what a small device can take. A cookie has
 * room for eight values; one below all of them must not become a larger one. */
static void small_mss_by_cookie(void)
{
	rig.conf.cookies = COOKIES_ALWAYS;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(100)));
	rig_send(3000);
	rig_expect(TEXT(1001, 48));
	rig_forget();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(small_mss_by_cookie),	   UNIT_TEST(default_mss_by_cookie),
	UNIT_TEST(window_above_half),	   UNIT_TEST(windows_of_32_bits),
	UNIT_TEST(checksum_always),	   UNIT_TEST(mandatory_options),
	UNIT_TEST(options_in_any_segment), UNIT_TEST(options_have_lengths),
	UNIT_TEST(options_padded),	   UNIT_TEST(mss_only_with_syn),
	UNIT_TEST(mss_both_ways),	   UNIT_TEST(mss_of_interface),
	UNIT_TEST(mss_in_every_syn),
};

int main(int argc, char **argv)
{
	return rig_main("rfc_header", tests, ARRAY_LEN(tests), argc, argv);
}
