/*
 * test_tcp_settings.c - What a user sets for one connection, and is told of it
 */
#include <errno.h>
#include <string.h>

#include "rig.h"

#define TEXT(s, n) SEG(.flags = TH_ACK, .seq = (s), .ack = 5001, .len = (n))
#define OTHER_PORT 40001
#define DSCP_EF	   46

static void rx_ack(tcp_seq ack)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = ack));
}

/* A soft ICMP error about the segment at @seq; @type is ICMPv4's. */
static void rx_error(uint8_t type, uint8_t type6, uint8_t code, tcp_seq seq)
{
	uint8_t m[8 + WIRE_HEAD_MAX] = {rig.v6 ? type6 : type, code};
	uint8_t pkt[200];
	struct tcp_seg quote = {
		.src = rig.own,
		.dst = rig.peer,
		.sport = rig_only()->port ? rig_only()->port : RIG_PORT,
		.dport = RIG_PEER_PORT,
		.seq = seq + rig_only()->iss_off,
		.flags = TH_ACK,
		.ttl = 64,
	};
	uint32_t off, head, sum = 0, len;
	uint16_t csum;

	len = 8 + wire_tcp_build(m + 8, &quote, 1, WIRE_CSUM_FULL, 0, &off);
	if (rig.v6)
		sum = csum_pseudo(&rig.peer, &rig.own, IP_PROTO_ICMPV6, len);
	csum = csum_fold(csum_partial(m, len, sum));
	m[2] = (uint8_t)(csum >> 8);
	m[3] = (uint8_t)csum;
	head = wire_ip_build(pkt, &rig.peer, &rig.own,
			     rig.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, 64, 0, 1,
			     true, len);
	memcpy(pkt + head, m, len);
	rig_rx_packet(pkt, head + len);
}

static void host_unreachable(tcp_seq seq)
{
	rx_error(3, 1, rig.v6 ? 3 : 1, seq);
}

/* Nagle's algorithm holds the second small write back (RFC 9293, 3.7.4
 * (MUST-17)) until it is switched off, and again after it was switched on. */
static void nodelay_set(void)
{
	struct conn_info info;

	rig_established();
	rig_send(10);
	rig_expect(TEXT(1001, 10));
	rig_send(10);
	rig_expect_silence();
	tcp_set_nodelay(rig.st, rig_only()->c, true);
	rig_wait(0);
	rig_expect(TEXT(1011, 10));
	rig_send(10);
	rig_expect(TEXT(1021, 10));
	rig_check(rig_info(RIG_PEER_PORT, &info) && info.nodelay);
	tcp_set_nodelay(rig.st, rig_only()->c, false);
	rig_send(10);
	rig_expect_silence();
	rx_ack(1031);
	rig_expect(TEXT(1031, 10));
	rig_end();
}

/* RFC 9293, 3.8.3 (MUST-21): R2 of one connection, and only of that one. */
static void user_timeout_of_one(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = OTHER_PORT));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss()), .peer_port = OTHER_PORT));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = OTHER_PORT));
	rig_check(tcp_set_user_timeout(rig.st, rig_only()->c, S(5)) == 0);
	rig_send(100);
	rig_check(tcp_send(rig.st, rig_conn(OTHER_PORT)->c, "x", 1) == 1);
	rig_wait(S(4));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_wait(S(2));
	rig_forget();
	rig_check(rig_state() == TCP_CLOSED);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_USER);
	rig_check(rig_state_of(OTHER_PORT) == TCP_ESTABLISHED);
	rig_end();
}

/* ... and none where one is configured: the count of tries decides. */
static void user_timeout_off_for_one(void)
{
	rig.conf.user_timeout_us = S(5);
	rig_established();
	rig_check(tcp_set_user_timeout(rig.st, rig_only()->c, 0) == 0);
	rig_send(100);
	rig_wait(S(60));
	rig_forget();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 9293, 3.8.4 (MUST-24): on for one connection while it is off for all,
 * and off again. */
static void keepalive_of_one(void)
{
	struct conn_info info;
	struct tcp_seg s;

	rig_established();
	rig_expect_silence_for(S(7200));
	rig_check(tcp_set_keepalive(rig.st, rig_only()->c, S(100)) == 0);
	rig_wait(S(1));
	rig_check(rig_take(&s) && s.flags == TH_ACK && s.seq == 1000);
	rx_ack(1001);
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.keepalive_in_us == S(100));
	rig_expect_silence_for(S(99));
	rig_wait(S(2));
	rig_check(rig_take(&s) && s.flags == TH_ACK && s.seq == 1000);
	rx_ack(1001);
	rig_check(tcp_set_keepalive(rig.st, rig_only()->c, 0) == 0);
	rig_expect_silence_for(S(7200));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* Nothing else wakes one that is idle. */
static void keepalive_of_all_from_now_on(void)
{
	struct stack_conf conf;

	rig_established();
	rig_wait(S(2));
	conf = rig.conf;
	conf.keepalive_us = S(10);
	stack_reconf(rig.st, &conf);
	rig_wait(S(7));
	rig_expect_silence();
	rig_wait(S(2));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1000, .ack = 5001));
	rig_forget();
	rig_end();
}

static void keepalive_off_for_one(void)
{
	rig.conf.keepalive_us = S(100);
	rig_established();
	rig_check(tcp_set_keepalive(rig.st, rig_only()->c, 0) == 0);
	rig_expect_silence_for(S(3600));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* The Differentiated Services field of the next packet. */
static int sent_dscp(void)
{
	struct tcp_seg s;

	return rig_take(&s) ? s.tos >> 2 : -1;
}

/* RFC 9293, 3.9.1.9 (MUST-48, SHLD-22): of a listener, from the SYN-ACK on. */
static void dscp_of_listener(void)
{
	rig.listener.dscp = DSCP_EF;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
		   .peer_port = OTHER_PORT));
	rig_check(sent_dscp() == DSCP_EF);
	rig_established();
	rig_send(10);
	rig_check(sent_dscp() == DSCP_EF);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5001));
	rig_check(sent_dscp() == DSCP_EF); /* the challenge */
	rig_abort();
	rig_check(sent_dscp() == DSCP_EF);
	rig_end();
}

/* (SHLD-21): changed while the connection lives. */
static void dscp_changed(void)
{
	struct conn_info info;

	rig_established();
	rig_send(10);
	rig_check(sent_dscp() == 0);
	rx_ack(1011);
	tcp_set_dscp(rig_only()->c, 8);
	rig_send(10);
	rig_check(sent_dscp() == 8);
	rig_check(rig_info(RIG_PEER_PORT, &info) && info.dscp == 8);
	rig_end();
}

static void dscp_of_cookie(void)
{
	rig.conf.cookies = COOKIES_ALWAYS;
	rig.listener.dscp = DSCP_EF;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_check(sent_dscp() == DSCP_EF);
	rig_end();
}

/* Of an active open: before its SYN leaves. */
static void dscp_of_open(void)
{
	struct tcp_conn *c;

	rig_start();
	rig_check(stack_open(rig.st, rig.listener.service, rig_only(),
			     &rig.peer, RIG_PEER_PORT, NULL, 0, rig.now_us,
			     &c) == 0);
	tcp_set_dscp(c, DSCP_EF);
	rig_wait(0);
	rig_check(sent_dscp() == DSCP_EF);
	tcp_abort(rig.st, c, CLOSE_RESET_BY_US);
	rig_wait(0);
	rig_end();
}

/* RFC 9293, 3.9.1.1 (MUST-43): any address of ours, and no other. */
static void open_from_address(void)
{
	struct ip_addr other = rig.own, host = rig.own;
	struct tcp_conn *c;
	struct tcp_seg s;

	other.b[15] = 77;
	host.b[15] = 1;
	host.b[13] ^= rig.v6 ? 0 : 1;
	host.b[0] ^= rig.v6 ? 1 : 0;
	rig.conf.own_prefix = true;
	rig_start();
	rig_check(stack_open(rig.st, rig.listener.service, rig_only(),
			     &rig.peer, RIG_PEER_PORT, &host, 0, rig.now_us,
			     &c) == -EADDRNOTAVAIL);
	rig_check(stack_open(rig.st, rig.listener.service, rig_only(),
			     &rig.peer, RIG_PEER_PORT, &other, 4000, rig.now_us,
			     &c) == 0);
	rig_wait(0);
	rig_check(rig_take(&s) && s.flags == TH_SYN && s.sport == 4000);
	rig_check(memcmp(&s.src, &other, sizeof(other)) == 0);
	tcp_abort(rig.st, c, CLOSE_RESET_BY_US);
	rig_wait(0);
	rig_end();
}

/* RFC 9293, 3.9.1.8 (MUST-47), 3.9.2.2 (SHLD-25): told, and it goes on. */
static void soft_error_told(void)
{
	rig_established();
	rig_send(100);
	rig_forget();
	host_unreachable(1001);
	rig_check(rig_only()->troubles == 1);
	rig_check(rig_only()->trouble.what == TROUBLE_ICMP);
	rig_check(rig_only()->trouble.icmp_type == 3);
	rig_check(rig_only()->trouble.icmp_code == 1);
	rx_error(11, 3, 0, 1001);
	rig_check(rig_only()->troubles == 2);
	rig_check(rig_only()->trouble.icmp_type == 11);
	rx_error(12, 4, 0, 1001);
	rig_check(rig_only()->trouble.icmp_type == 12);
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* (SHLD-20) */
static void soft_error_unwanted(void)
{
	rig_established();
	tcp_report_trouble(rig_only()->c, false);
	rig_send(100);
	rig_forget();
	host_unreachable(1001);
	rig_check(rig_only()->troubles == 0);
	rig_check(rig_stats().icmp_errors_in == 1);
	tcp_report_trouble(rig_only()->c, true);
	host_unreachable(1001);
	rig_check(rig_only()->troubles == 1);
	rig_end();
}

/* One who opens wants to know, too (RFC 1122, 4.2.4.1). */
static void soft_error_while_opening(void)
{
	rig_open();
	rig_expect(SEG(.flags = TH_SYN, .seq = 1000, MSS(rig_mss()), SACK_OK,
		       TS(0), SCALE(7)));
	host_unreachable(1000);
	rig_check(rig_only()->troubles == 1);
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_end();
}

/* RFC 9293, 3.8.3 (SHLD-9): at R1, once, and before R2. */
static void tries_told(void)
{
	rig_established();
	rig_send(100);
	rig_wait(S(8));
	rig_check(rig_only()->troubles == 0);
	rig_wait(S(8));
	rig_check(rig_only()->troubles == 1);
	rig_check(rig_only()->trouble.what == TROUBLE_TRIES);
	rig_check(rig_only()->trouble.tries == 3);
	rig_wait(S(60));
	rig_check(rig_only()->troubles == 1);
	rig_forget();
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* The listener's own algorithm goes before the stack's. */
static void congestion_of_listener(void)
{
	static const struct {
		enum stack_cc stack, listener;
		const char *name;
	} cases[] = {
		{CC_DEFAULT, CC_DEFAULT, "cubic"},
		{CC_NEWRENO, CC_DEFAULT, "newreno"},
		{CC_NEWRENO, CC_CUBIC, "cubic"},
		{CC_CUBIC, CC_NEWRENO, "newreno"},
	};
	struct conn_info info;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig.conf.congestion = cases[i].stack;
		rig.listener.congestion = cases[i].listener;
		rig_established();
		rig_check(rig_info(RIG_PEER_PORT, &info));
		rig_check(strcmp(info.cc_name, cases[i].name) == 0);
		rig_end();
	}
}

static const struct unit_test tests[] = {
	UNIT_TEST(nodelay_set),
	UNIT_TEST(user_timeout_of_one),
	UNIT_TEST(user_timeout_off_for_one),
	UNIT_TEST(keepalive_of_one),
	UNIT_TEST(keepalive_of_all_from_now_on),
	UNIT_TEST(keepalive_off_for_one),
	UNIT_TEST(dscp_of_listener),
	UNIT_TEST(dscp_changed),
	UNIT_TEST(dscp_of_cookie),
	UNIT_TEST(dscp_of_open),
	UNIT_TEST(open_from_address),
	UNIT_TEST(soft_error_told),
	UNIT_TEST(soft_error_unwanted),
	UNIT_TEST(soft_error_while_opening),
	UNIT_TEST(tries_told),
	UNIT_TEST(congestion_of_listener),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_settings", tests, sizeof(tests) / sizeof(tests[0]),
			argc, argv);
}
