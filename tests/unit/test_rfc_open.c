/*
 * test_rfc_open.c - RFC 9293, 3.4.1, 3.6 and 3.9.1.1: numbers, OPEN, the end
 */
#include <stdlib.h>
#include <string.h>

#include "packet.h"
#include "rig.h"

#define MEMORY	   (4u << 20)
#define OTHER_PORT 40001

/* The number of the first segment of a new stack that was made with @seed: its
 * SYN-ACK, or the SYN of an active open. */
static tcp_seq number_by_seed(const uint8_t seed[32], int64_t now_us,
			      bool active)
{
	uint8_t *head;
	void *mem = aligned_alloc(STACK_ALIGN, MEMORY);
	struct stack_pkt out;
	struct stack *st;
	struct packet p;
	tcp_seq seq = 0;

	ASSERT(mem);
	memset(mem, 0, MEMORY);
	st = stack_init(mem, MEMORY, &rig.conf, seed, now_us);
	rig_check(st && stack_listen(st, &rig.listener) >= 0);
	if (st && active) {
		rig_check(stack_open(st, NULL, NULL, &rig.peer, 80, NULL, 4000,
				     now_us, NULL) == 0);
	} else if (st) {
		packet_tcp(&p, rig.v6, TH_SYN, NULL, 0, NULL, 0);
		stack_input(st, p.b, p.len, NULL, now_us);
	}
	if (st && stack_output(st, &out, now_us)) {
		head = (uint8_t *)out.iov[0].iov_base + (rig.v6 ? 40 : 20);
		seq = (tcp_seq)head[4] << 24 | (tcp_seq)head[5] << 16 |
		      (tcp_seq)head[6] << 8 | head[7];
	} else {
		rig_check(!"a SYN or SYN-ACK");
	}
	free(mem);
	return seq;
}

static tcp_seq first_number(uint8_t secret, int64_t now_us, bool active)
{
	uint8_t seed[32];

	memset(seed, secret, sizeof(seed));
	return number_by_seed(seed, now_us, active);
}

/* RFC 9293, 3.4.1 (MUST-8, SHLD-1): M + F(): between the same ends, one more
 * every 4 us, exactly. */
static void isn_is_clock_and_function(void)
{
	for (int active = 0; active < 2; active++) {
		tcp_seq first = first_number(1, S(100), active);

		rig_check(first_number(1, S(100) + 4, active) == first + 1);
		rig_check(first_number(1, S(101), active) == first + 250000);
		rig_check(first_number(1, S(100) + S(17180), active) - first ==
			  (uint32_t)(S(17180) / 4)); /* round the circle */
	}
	rig_end();
}

/* RFC 9293, 3.4.1 (MUST-9): without the secret, F() is anything. */
static void isn_depends_on_secret(void)
{
	for (int active = 0; active < 2; active++) {
		tcp_seq n[8], step = 0;
		bool steady = true;

		for (uint8_t i = 0; i < 8; i++)
			n[i] = first_number(i, S(100), active);
		for (unsigned int i = 0; i < 8; i++)
			for (unsigned int j = 0; j < i; j++)
				rig_check(n[i] != n[j]);
		for (unsigned int i = 1; i < 8; i++) {
			steady &= i == 1 || n[i] - n[i - 1] == step;
			step = n[i] - n[i - 1];
		}
		rig_check(!steady);
	}
	rig_end();
}

/* RFC 9293, 3.4.1 (MUST-9): nor can the secret be found by trying: all of
 * its 16 bytes count. */
static void isn_depends_on_all_of_secret(void)
{
	for (int active = 0; active < 2; active++) {
		uint8_t seed[32] = {0};
		tcp_seq with_none = number_by_seed(seed, S(100), active);
		unsigned int bytes = 0;

		for (unsigned int i = 0; i < sizeof(seed); i++) {
			seed[i] = 1;
			bytes += number_by_seed(seed, S(100), active) !=
				 with_none;
			seed[i] = 0;
		}
		rig_check(bytes >= 16);
	}
	rig_end();
}

static void text_both_ways(void)
{
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_send(20);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5011, .len = 20));
	rig_check(rig_only()->received == 10);
}

/* RFC 9293, 3.9.1.1 (MUST-41): a listener at the same port, closer to the
 * connection's address, and another in place of its own. */
static void listen_spares_connections(void)
{
	struct stack_listener l;

	rig_established();
	l = rig.listener;
	strcpy(l.name, "closer");
	l.address = (struct ip_prefix){rig.own, 128};
	rig_check(stack_listen(rig.st, &l) >= 0);
	l = rig.listener;
	l.port = 99;
	rig_check(stack_listen(rig.st, &l) >= 0);
	rig_check(rig_state() == TCP_ESTABLISHED);
	text_both_ways();
	rig_end();
}

/* RFC 9293, 3.9.1.1 (MUST-42): LISTEN beside SYN-SENT. */
static void listen_beside_syn_sent(void)
{
	struct stack_listener l;
	uint16_t port;

	rig_open();
	rig_expect(SEG(.flags = TH_SYN, .seq = 1000, MSS(rig_mss()), SACK_OK,
		       TS(0), SCALE(7)));
	port = rig_only()->port;
	l = rig.listener;
	strcpy(l.name, "beside");
	l.port = port;
	rig_check(stack_listen(rig.st, &l) >= 0);
	rig_check(rig_state() == TCP_SYN_SENT);
	rig_rx(SEG(.flags = TH_SYN, .seq = 7000, MSS(1000), .port = port,
		   .peer_port = OTHER_PORT));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 7001,
		       MSS(rig_mss()), .peer_port = OTHER_PORT));
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_end();
}

/* RFC 9293, 3.9.1.1 (MUST-42): and beside SYN-RECEIVED. */
static void listen_beside_syn_received(void)
{
	struct stack_listener l;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	l = rig.listener;
	strcpy(l.name, "beside");
	l.address = (struct ip_prefix){rig.own, 128};
	rig_check(stack_listen(rig.st, &l) >= 0);
	rig_check(rig_state() == TCP_SYN_RECEIVED);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_check(rig_state() == TCP_ESTABLISHED);
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000),
			  .peer_port = OTHER_PORT));
	rig_end();
}

/* RFC 9293, 3.6 (MUST-12): closed by the peer, reset by it, or given up: the
 * service can tell. */
static void end_is_told(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1001));
	rig_check(rig_only()->peer_closed == 1 && rig_only()->closed == 0);
	rig_close();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5002, .ack = 1002));
	rig_check(rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_FIN);
	rig_forget();
	rig_end();

	rig_established();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001));
	rig_check(rig_only()->peer_closed == 0 && rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_RESET_BY_PEER);
	rig_end();

	rig.conf.retries = 1;
	rig_established();
	rig_send(10);
	rig_wait(S(10));
	rig_check(rig_only()->peer_closed == 0 && rig_only()->closed == 1);
	rig_check(rig_only()->reason == CLOSE_TIMEOUT_DATA);
	rig_forget();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(isn_is_clock_and_function),
	UNIT_TEST(isn_depends_on_secret),
	UNIT_TEST(isn_depends_on_all_of_secret),
	UNIT_TEST(listen_spares_connections),
	UNIT_TEST(listen_beside_syn_sent),
	UNIT_TEST(listen_beside_syn_received),
	UNIT_TEST(end_is_told),
};

int main(int argc, char **argv)
{
	return rig_main("rfc_open", tests, ARRAY_LEN(tests), argc, argv);
}
