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

static const struct unit_test tests[] = {
	UNIT_TEST(ttl_configured),
	UNIT_TEST(open_finds_local_address),
	UNIT_TEST(local_address_stays),
	UNIT_TEST(icmp_error_demultiplexed),
};

int main(int argc, char **argv)
{
	return rig_main("rfc_ip", tests, ARRAY_LEN(tests), argc, argv);
}
