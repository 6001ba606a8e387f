/*
 * test_tcp_icmp.c - Echo, and errors that speak of a connection
 */
#include <string.h>

#include "rig.h"

#define UNREACHABLE4 3
#define UNREACHABLE6 1

static uint16_t sum_icmp(const uint8_t *m, size_t len)
{
	uint32_t sum = 0;

	if (rig.v6)
		sum = csum_pseudo(&rig.peer, &rig.own, IP_PROTO_ICMPV6,
				  (uint32_t)len);
	return csum_fold(csum_partial(m, len, sum));
}

/* @m: a whole message with the checksum 0 */
static void rx_icmp(uint8_t *m, size_t len)
{
	static uint8_t pkt[STACK_SEGMENT_MAX];
	uint16_t sum = sum_icmp(m, len);
	uint32_t head;

	m[2] = (uint8_t)(sum >> 8);
	m[3] = (uint8_t)sum;
	head = wire_ip_build(pkt, &rig.peer, &rig.own,
			     rig.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, 64, 0, 1,
			     true, (uint32_t)len);
	memcpy(pkt + head, m, len);
	rig_rx_packet(pkt, head + len);
}

/* An echo request with @len bytes of payload. */
static void fill_echo(uint8_t *m, size_t len)
{
	uint16_t sum;

	memset(m, 0, 8);
	m[0] = rig.v6 ? 128 : 8;
	m[4] = 0x12;
	m[5] = 0x34;
	m[7] = 9;
	for (size_t i = 0; i < len; i++)
		m[8 + i] = (uint8_t)(i * 3 + i / 256);
	sum = sum_icmp(m, 8 + len);
	m[2] = (uint8_t)(sum >> 8);
	m[3] = (uint8_t)sum;
}

static const uint8_t *rx_echo(size_t len)
{
	static uint8_t m[STACK_SEGMENT_MAX];

	fill_echo(m, len);
	m[2] = m[3] = 0;
	rx_icmp(m, 8 + len);
	return m;
}

/* The reply must be the request, mirrored. */
static void echo_of(size_t len)
{
	struct ip_pkt ip;
	const uint8_t *pkt, *m;
	size_t out;

	rig_start();
	m = rx_echo(len);
	pkt = rig_take_packet(&out);
	rig_check(pkt != NULL);
	if (!pkt)
		return;
	rig_check(wire_ip_parse(pkt, out, &ip) == DROP_NONE);
	rig_check(memcmp(&ip.src, &rig.own, 16) == 0);
	rig_check(memcmp(&ip.dst, &rig.peer, 16) == 0);
	rig_check(ip.proto == (rig.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP));
	rig_check(ip.body_len == 8 + len);
	rig_check(ip.body[0] == (rig.v6 ? 129 : 0) && ip.body[1] == 0);
	rig_check(memcmp(ip.body + 4, m + 4, 4 + len) == 0);
	rig_check(sum_icmp(ip.body, ip.body_len) == 0);
	rig_expect_silence();
}

/* RFC 1122, 3.2.2.6; RFC 4443, 4.2. */
static void echo(void)
{
	echo_of(0);
	echo_of(1);
	echo_of(56);
	echo_of(1400);
	rig_check(rig_stats().echo_in == 4);
	rig_check(rig_stats().echo_out == 4);
	rig_end();
}

/* Payload up to the MTU, odd lengths and large MTUs included. */
static void echo_full_mtu(void)
{
	size_t heads = rig.v6 ? 48 : 28;

	echo_of(1500 - heads);
	rig_end();
	rig.conf.mtu = 9000;
	echo_of(9000 - heads - 1);
	echo_of(9000 - heads);
	rig_end();
}

/* RFC 1122, 3.2.2.6: the same data, whatever the MTU. What leaves in pieces is
 * put together here as its receiver would. */
static void echo_cut(size_t len, size_t most, unsigned int n)
{
	static uint8_t got[STACK_SEGMENT_MAX];
	size_t at = 0, out;
	const uint8_t *pkt;
	struct ip_pkt ip = {0};
	uint32_t id = 0;
	bool more = true;

	for (unsigned int i = 0; i < n && !rig.failed; i++) {
		pkt = rig_take_packet(&out);
		rig_check(pkt && out <= most);
		if (rig.failed)
			return;
		rig_check(wire_ip_parse(pkt, out, &ip) == DROP_NONE);
		rig_check(ip.fragment && ip.frag_off == at && more);
		rig_check(!i || ip.frag_id == id);
		rig_check(ip.proto == (rig.v6 ? 58 : 1));
		rig_check(ip.ttl == rig.conf.ttl);
		id = ip.frag_id;
		more = ip.frag_more;
		memcpy(got + at, ip.body, ip.body_len);
		at += ip.body_len;
	}
	rig_check(!more && at == 8 + len);
	rig_check(got[0] == (rig.v6 ? 129 : 0));
	rig_check(sum_icmp(got, at) == 0);
	for (size_t i = 0; i < len; i++)
		if (got[8 + i] != (uint8_t)(i * 3 + i / 256))
			rig_check(!"the data is what was sent");
	rig_expect_silence();
}

static void echo_beyond_mtu(void)
{
	static const struct {
		size_t len;
		unsigned int n4, n6;
	} cases[] = {
		/* By 1480 bytes over IPv4, by 1448 over IPv6. */
		{1472 + 1, 2, 2}, {1488, 2, 2},	   {2952, 2, 3},
		{2953, 3, 3},	  {3000, 3, 3},	   {8000, 6, 6},
		{40000, 28, 28},  {65000, 44, 45},
	};

	rig_start();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		rx_echo(cases[i].len);
		echo_cut(cases[i].len, 1500,
			 rig.v6 ? cases[i].n6 : cases[i].n4);
	}
	rig_check(rig_stats().echo_out == ARRAY_LEN(cases));
	rig_end();
}

/* An IPv6 request that had to be cut has come by a narrow path. */
static void echo_came_cut(void)
{
	static uint8_t m[8 + 2000] = {0}, pkt[2100];
	uint32_t head;

	fill_echo(m, 2000);
	rig.conf.mtu = 9000;
	rig_start();
	head = wire_ip_build(pkt, &rig.peer, &rig.own, rig.v6 ? 58 : 1, 64, 0,
			     77, false, sizeof(m));
	for (size_t at = 0; at < sizeof(m); at += 1200) {
		uint8_t one[1300];
		uint32_t n = at ? sizeof(m) - 1200 : 1200;

		head = wire_ip_piece(one, pkt, 99, (uint32_t)at, n, !at);
		memcpy(one + head, m + at, n);
		rig_rx_packet(one, head + n);
	}
	if (rig.v6) {
		echo_cut(2000, 1280, 2);
	} else {
		size_t len;

		rig_check(rig_take_packet(&len) && len == 2028);
	}
	rig_end();
}

static void echo_off(void)
{
	uint8_t m[16] = {rig.v6 ? 128 : 8};

	rig.conf.icmp_echo = false;
	rx_icmp(m, sizeof(m));
	rig_expect_silence();
	rig_end();
}

static void echo_bad_checksum(void)
{
	uint8_t m[16] = {rig.v6 ? 128 : 8};
	uint8_t pkt[100];
	uint32_t head;

	m[2] = 1;
	head = wire_ip_build(pkt, &rig.peer, &rig.own,
			     rig.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, 64, 0, 1,
			     true, sizeof(m));
	memcpy(pkt + head, m, sizeof(m));
	rig_rx_packet(pkt, head + sizeof(m));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_ICMP_CHECKSUM) == 1);
	rig_end();
}

/* No reply to a reply. */
static void echo_reply_ignored(void)
{
	uint8_t m[16] = {rig.v6 ? 129 : 0};

	rx_icmp(m, sizeof(m));
	rig_expect_silence();
	rig_end();
}

static void echo_limited(void)
{
	unsigned int n = 0;
	size_t len;

	rig.conf.icmp_rate = 10;
	for (unsigned int i = 0; i < 100; i++) {
		uint8_t m[16] = {rig.v6 ? 128 : 8};

		rx_icmp(m, sizeof(m));
	}
	while (rig_take_packet(&len))
		n++;
	rig_check(n >= 5 && n <= 11);
	rig_check(rig_dropped(DROP_ICMP_RATE) == 100 - n);
	rig_end();
}

/* An error about our segment of number @seq (as tests count), with the first
 * 8 bytes of its TCP header. */
static void rx_error(uint8_t type, uint8_t code, uint32_t rest, tcp_seq seq)
{
	uint8_t m[8 + WIRE_HEAD_MAX] = {type, code};
	struct rig_conn *rc = rig_only();
	struct tcp_seg t = {
		.src = rig.own,
		.dst = rig.peer,
		.sport = rc->port ? rc->port : RIG_PORT,
		.dport = RIG_PEER_PORT,
		.seq = seq + rc->iss_off,
		.flags = TH_ACK,
		.ttl = 64,
	};
	uint32_t off;

	m[4] = (uint8_t)(rest >> 24);
	m[5] = (uint8_t)(rest >> 16);
	m[6] = (uint8_t)(rest >> 8);
	m[7] = (uint8_t)rest;
	wire_tcp_build(m + 8, &t, 0, WIRE_CSUM_FULL, 0, &off);
	rx_icmp(m, 8 + off + 8);
}

static void port_unreachable(tcp_seq seq)
{
	rx_error(rig.v6 ? UNREACHABLE6 : UNREACHABLE4, rig.v6 ? 4 : 3, 0, seq);
}

static void opened(void)
{
	rig_open();
	rig_expect(SEG(.flags = TH_SYN, .seq = 1000, MSS(rig_mss()), SACK_OK,
		       TS(0), SCALE(7)));
}

/* RFC 9293, 3.9.2.2 (SHLD-26), RFC 5461: a hard error ends an attempt. */
static void hard_error_syn_sent(void)
{
	opened();
	port_unreachable(1000);
	rig_expect_silence();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_UNREACHABLE ||
		  rig_only()->reason == CLOSE_REFUSED);
	rig_check(rig_stats().icmp_errors_in == 1);
	rig_end();
}

/* (MUST-56): a soft one does not. */
static void soft_error_syn_sent(void)
{
	opened();
	rx_error(rig.v6 ? UNREACHABLE6 : UNREACHABLE4, 0, 0, 1000); /* net */
	rx_error(rig.v6 ? UNREACHABLE6 : UNREACHABLE4, rig.v6 ? 3 : 1, 0,
		 1000);			       /* host */
	rx_error(rig.v6 ? 3 : 11, 0, 0, 1000); /* time exceeded */
	rx_error(rig.v6 ? 4 : 12, 0, 0, 1000); /* parameter problem */
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_end();
}

/* RFC 5927, 4.1: one that quotes nothing we sent is forged. */
static void stale_error_syn_sent(void)
{
	opened();
	port_unreachable(999);
	port_unreachable(1001);
	port_unreachable(500000);
	rig_expect_silence();
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_check(rig_dropped(DROP_ICMP_STALE) == 3);
	rig_end();
}

/* RFC 5461, 4.1: a hard error about an established connection is soft. */
static void hard_error_established(void)
{
	rig_established();
	rig_send(1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1000));
	port_unreachable(1001);
	rx_error(rig.v6 ? UNREACHABLE6 : UNREACHABLE4, rig.v6 ? 1 : 2, 0, 1001);
	rig_expect_silence();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 2001));
	rig_expect_silence_for(S(5));
	rig_end();
}

/* RFC 9293, 3.9.2.2 (MUST-55). */
static void source_quench(void)
{
	if (rig.v6) /* there is none */
		return;
	rig_established();
	rig_send(1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1000));
	rx_error(4, 0, 0, 1001);
	rig_expect_silence();
	rig_check(rig_dropped(DROP_ICMP_QUENCH) == 1);
	rig_end();
}

static void too_big(uint32_t mtu, tcp_seq seq)
{
	rx_error(rig.v6 ? 2 : UNREACHABLE4, rig.v6 ? 0 : 4, mtu, seq);
}

/* RFC 1191, RFC 8201: smaller segments, the lost one first. */
static void too_big_established(void)
{
	uint16_t mss = rig.v6 ? 1280 - 60 : 1280 - 40;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1400)));
	rig_send(1400);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1400));
	too_big(1280, 1001);
	rig_wait(S(1) + MS(1));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = mss));
	rig_forget();
	rig_end();
}

/* A SYN passes everywhere; who says that it does not is no router. */
static void too_big_syn_sent(void)
{
	struct conn_info info;

	opened();
	too_big(rig.v6 ? 1280 : 552, 1000);
	too_big(rig.v6 ? 1280 : 0, 1000);
	rig_expect_silence();
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.pmtu == 1500);
	rig_end();
}

/* RFC 5927, 7: not from one that quotes nothing in flight, not upwards, and
 * not below the least there is (RFC 791, RFC 8200). */
static void too_big_forged(void)
{
	struct conn_info info;

	rig_established();
	rig_send(1000);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1000));
	too_big(600, 1000);
	too_big(600, 2001);
	too_big(600, 900000);
	too_big(60000, 1001);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.snd_mss == 1000);
	rig_check(info.pmtu == 1500);
	too_big(68, 1001);
	too_big(0, 1001);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.snd_mss >= (rig.v6 ? 1000 : 28));
	rig_forget();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(echo),
	UNIT_TEST(echo_full_mtu),
	UNIT_TEST(echo_beyond_mtu),
	UNIT_TEST(echo_came_cut),
	UNIT_TEST(echo_off),
	UNIT_TEST(echo_bad_checksum),
	UNIT_TEST(echo_reply_ignored),
	UNIT_TEST(echo_limited),
	UNIT_TEST(hard_error_syn_sent),
	UNIT_TEST(soft_error_syn_sent),
	UNIT_TEST(stale_error_syn_sent),
	UNIT_TEST(hard_error_established),
	UNIT_TEST(source_quench),
	UNIT_TEST(too_big_established),
	UNIT_TEST(too_big_syn_sent),
	UNIT_TEST(too_big_forged),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_icmp", tests, ARRAY_LEN(tests), argc, argv);
}
