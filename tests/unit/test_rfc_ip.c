/*
 * test_rfc_ip.c - RFC 9293, 3.9.1.1 and 3.9.2: addresses, TTL, ICMP
 */
#include <string.h>

#include "packet.h"
#include "rig.h"

#define OTHER_PORT 40001

static uint8_t sent_ttl(void)
{
	size_t len;
	const uint8_t *pkt = rig_take_packet(&len);

	rig_check(pkt != NULL);
	return pkt ? pkt[rig.v6 ? 7 : 8] : 0;
}

/* RFC 9293, 3.9.2 (MUST-49): that of the configuration, in every segment. */
static void ttl_configured(void)
{
	rig.conf.ttl = 17;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
		   .peer_port = OTHER_PORT));
	rig_check(sent_ttl() == 17);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .port = 9));
	rig_check(sent_ttl() == 17);
	rig_established();
	rig_send(10);
	rig_check(sent_ttl() == 17);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5001));
	rig_check(sent_ttl() == 17);
	rig_close();
	rig_check(sent_ttl() == 17);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1012));
	rig_check(sent_ttl() == 17);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1012));
	rig_check(sent_ttl() == 17);
	rig_expect_silence();
	rig_end();
}

/* Of the next packet. */
static uint16_t sent_id(void)
{
	size_t len;
	const uint8_t *pkt = rig_take_packet(&len);

	rig_check(pkt != NULL);
	return pkt ? (uint16_t)(pkt[4] << 8 | pkt[5]) : 0;
}

/* Those of a text, of the same once more, of a SYN-ACK and of a RST; with packets
 * to somebody else before each, or without. */
static void identifications(uint16_t id[4], bool others)
{
	const struct rig_seg challenged = {
		.flags = TH_SYN, .seq = 5001, .peer_port = OTHER_PORT};

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			  .peer_port = OTHER_PORT));
	rig_established();
	for (unsigned int i = 0; i < 4; i++) {
		if (others)
			rig_rx(&challenged);
		rig_forget();
		if (i == 0)
			rig_send(10);
		else if (i == 1)
			rig_wait(S(1) + MS(1));
		else
			rig_rx(SEG(.flags = TH_SYN, .seq = 5000,
				   .port = i == 2 ? RIG_PORT : 9,
				   .peer_port = 40002));
		id[i] = sent_id();
	}
	rig_end();
}

/* RFC 6274, 3.5: an identification that counts all packets tells anybody how
 * many others got, and so whether a challenge ACK was among them. */
static void identification_tells_of_nobody_else(void)
{
	uint16_t alone[4], beside[4];

	if (rig.v6)
		return;
	identifications(alone, false);
	identifications(beside, true);
	rig_check(memcmp(alone, beside, sizeof(alone)) == 0);
	rig_check(alone[0] != alone[1]);
}

/* RFC 9293, 3.9.1.1 (MUST-44): the address is known before the first SYN. */
static void open_finds_local_address(void)
{
	struct tcp_seg s;

	rig_open();
	rig_check(rig_take(&s) && s.flags == TH_SYN);
	rig_check(memcmp(&s.src, &rig.own, sizeof(rig.own)) == 0);
	rig_end();
}

static bool sent_from(const struct ip_addr *a)
{
	struct tcp_seg s;

	return rig_take(&s) && memcmp(&s.src, a, sizeof(*a)) == 0;
}

/* RFC 9293, 3.9.1.1 (MUST-45): whichever of our addresses the peer chose, all
 * segments come from it. */
static void local_address_stays(void)
{
	struct ip_addr a;

	rig.conf.own_prefix = true;
	a = rig.own;
	a.b[15] = 77;
	rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)), &rig.peer, &a);
	rig_check(sent_from(&a));
	rig_rx_to(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001), &rig.peer,
		  &a);
	rig_check(rig_only()->opened == 1);
	rig_send(1000);
	rig_check(sent_from(&a));
	rig_wait(S(1) + MS(1)); /* sent again */
	rig_check(sent_from(&a));
	rig_rx_to(SEG(.flags = TH_ACK, .seq = 5002, .ack = 2001, .len = 5),
		  &rig.peer, &a);
	rig_check(sent_from(&a));
	rig_close();
	rig_check(sent_from(&a));
	/* Another address of ours is another connection. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 2002));
	rig_check(sent_from(&rig.own));
	rig_check(rig_state() == TCP_FIN_WAIT_1);
	rig_abort();
	rig_check(sent_from(&a));
	rig_expect_silence();
	rig_end();
}

/* RFC 9293, 3.9.2.2 (MUST-54): an error reaches the connection whose segment
 * it quotes, and no other. */
static void icmp_error_demultiplexed(void)
{
	struct conn_info mine, other;
	const uint8_t *quote;
	struct packet p;
	size_t len;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1400),
			  .peer_port = OTHER_PORT));
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1400)));
	rig_send(1400);
	quote = rig_take_packet(&len);
	rig_check(quote && len == 1400u + (rig.v6 ? 60 : 40));
	if (rig.failed)
		return;
	packet_icmp(&p, rig.v6, rig.v6 ? 2 : 3, rig.v6 ? 0 : 4, 1300, quote,
		    rig.v6 ? 48 : 28);
	rig_rx_packet(p.b, p.len);
	rig_check(rig_info(RIG_PEER_PORT, &mine) && mine.pmtu == 1300);
	rig_check(rig_info(OTHER_PORT, &other) && other.pmtu == 1500);
	rig_check(rig_stats().icmp_errors_in == 1);
	rig_forget();
	rig_end();
}

/* ---- flow labels (RFC 6437) ------------------------------------------- */

/* That of the next packet; 0 if there is none, or none in it. */
static uint32_t sent_label(void)
{
	size_t len;
	const uint8_t *pkt = rig_take_packet(&len);

	if (!pkt || !rig.v6)
		return 0;
	return (pkt[1] & 0xfu) << 16 | (uint32_t)pkt[2] << 8 | pkt[3];
}

/* RFC 6437, 3: not zero, and the same in each packet of a connection, from the
 * SYN-ACK over a retransmission to TIME-WAIT. */
static void flow_label_stable(void)
{
	uint32_t label, n = 0;

	if (!rig.v6)
		return;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	label = sent_label();
	rig_check(label != 0);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_check(sent_label() == label);
	rig_end();
	/* The same seed: the same label. */
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_send(1000);
	rig_check(sent_label() == label);
	rig_wait(S(1) + MS(1));
	rig_check(sent_label() == label);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 2001));
	rig_wait(S(1)); /* its active record is given back */
	rig_rx(SEG(.flags = TH_SYN, .seq = 5001));
	rig_check(sent_label() == label); /* a challenge */
	rig_close();
	rig_check(sent_label() == label);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 2002));
	rig_check(sent_label() == label);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 2002));
	rig_check(sent_label() == label);
	/* Others have others, but one in a million or so. */
	for (uint16_t port = 1; port <= 100; port++) {
		rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = port));
		n += sent_label() == label;
	}
	rig_check(n == 0);
	rig_end();
}

/* A cookie keeps nothing, and yet has the label of the connection. */
static void flow_label_of_cookie(void)
{
	uint32_t label;

	if (!rig.v6)
		return;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	label = sent_label();
	rig_end();
	rig.conf.cookies = COOKIES_ALWAYS;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_send(100);
	rig_check(sent_label() == label);
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_rx(SEG(.flags = TH_SYN, .seq = 9000, MSS(1000)));
	rig_check(sent_label() == label);
	rig_end();
}

/* ---- sources and destinations that are no single host ----------------- */

static void expect_unheard(const uint8_t *src, const uint8_t *dst,
			   enum drop_reason why)
{
	static const uint8_t flags[] = {TH_SYN, TH_ACK, TH_SYN | TH_ACK,
					TH_ACK | TH_FIN, TH_RST};
	size_t len = rig.v6 ? 16 : 4, at = rig.v6 ? 8 : 12;
	uint64_t before;
	struct packet p;

	rig_start();
	before = rig_dropped(why);
	for (size_t i = 0; i < sizeof(flags); i++) {
		packet_tcp(&p, rig.v6, flags[i], NULL, 0, "text", 4);
		if (src)
			memcpy(p.b + at, src, len);
		if (dst)
			memcpy(p.b + at + len, dst, len);
		packet_seal(&p);
		rig_rx_packet(p.b, p.len);
		rig_expect_silence();
	}
	rig_check(rig_dropped(why) == before + sizeof(flags));
	rig_check(rig_stats().half_open == 0);
}

/* RFC 9293, 3.9.2.3 (MUST-63): neither a SYN-ACK nor a RST, nor anything else,
 * to where nobody or everybody is. */
static void source_is_no_host(void)
{
	static const uint8_t four[][4] = {
		{0, 0, 0, 0},	      {0, 1, 2, 3},	    {127, 0, 0, 1},
		{127, 255, 255, 254}, {224, 0, 0, 1},	    {232, 1, 2, 3},
		{239, 255, 255, 255}, {255, 255, 255, 255}, {198, 18, 66, 255},
		{198, 18, 66, 0},
	};
	static const uint8_t six[][16] = {
		{0},
		{[15] = 1},
		{0xff, 0x01, [15] = 1},
		{0xff, 0x02, [15] = 1},
		{0xff, 0x0e, [15] = 1},
		{0xff, 0xff, [15] = 1},
		{[10] = 0xff, 0xff, 198, 18, 66, 1},
		{[10] = 0xff, 0xff, 127, 0, 0, 1},
		{[10] = 0xff, 0xff, 224, 0, 0, 1},
	};
	size_t n = rig.v6 ? ARRAY_LEN(six) : ARRAY_LEN(four);

	for (size_t i = 0; i < n; i++)
		expect_unheard(rig.v6 ? six[i] : four[i], NULL, DROP_IP_SOURCE);
	rig_end();
}

/* (MUST-57) */
static void destination_is_no_host(void)
{
	static const uint8_t four[][4] = {
		{224, 0, 0, 1},	    {239, 255, 255, 255}, {255, 255, 255, 255},
		{198, 18, 66, 255}, {198, 18, 66, 0},
	};
	static const uint8_t six[][16] = {
		{0xff, 0x02, [15] = 1},
		{0xff, 0x0e, [15] = 1},
	};
	size_t n = rig.v6 ? ARRAY_LEN(six) : ARRAY_LEN(four);

	for (size_t i = 0; i < n; i++)
		expect_unheard(NULL, rig.v6 ? six[i] : four[i],
			       DROP_IP_BROADCAST);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(flow_label_stable),
	UNIT_TEST(flow_label_of_cookie),
	UNIT_TEST(source_is_no_host),
	UNIT_TEST(destination_is_no_host),
	UNIT_TEST(identification_tells_of_nobody_else),
	UNIT_TEST(ttl_configured),
	UNIT_TEST(open_finds_local_address),
	UNIT_TEST(local_address_stays),
	UNIT_TEST(icmp_error_demultiplexed),
};

int main(int argc, char **argv)
{
	return rig_main("rfc_ip", tests, ARRAY_LEN(tests), argc, argv);
}
