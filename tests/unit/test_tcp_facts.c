/*
 * test_tcp_facts.c - What the stack tells about connections: events, walks,
 * counters
 */
#include <string.h>

#include "rig.h"

/* Types of the events since the last call, of those in @mask; ends with
 * EVENT_NTYPES. */
static const uint8_t *events(uint64_t mask)
{
	static uint8_t types[256];
	const struct event *e;
	size_t n = 0;

	while ((e = stack_event_next(rig.st)))
		if (mask & UINT64_C(1) << e->type && n < sizeof(types) - 1)
			types[n++] = e->type;
	types[n] = EVENT_NTYPES;
	return types;
}

#define BIT(e) (UINT64_C(1) << EVENT_##e)
#define STEPS                                                              \
	(BIT(SYN_SENT) | BIT(SYN_RECEIVED) | BIT(SYNACK_RECEIVED) |        \
	 BIT(HANDSHAKE_COMPLETED) | BIT(HANDSHAKE_SIMULTANEOUS) |          \
	 BIT(HANDSHAKE_FAILED) | BIT(SYN_RETRANSMIT) |                     \
	 BIT(SYNACK_RETRANSMIT) | BIT(DATA_RECEIVED) | BIT(FIN_RECEIVED) | \
	 BIT(FIN_SENT) | BIT(CONN_CLOSED) | BIT(RESET_RECEIVED) |          \
	 BIT(RESET_SENT) | BIT(RESET_NOBODY) | BIT(DATA_RETRANSMIT) |      \
	 BIT(TROUBLE))

#define EXPECT_EVENTS(...)                                                 \
	do {                                                               \
		static const uint8_t want[] = {__VA_ARGS__, EVENT_NTYPES}; \
                                                                           \
		rig_check(memcmp(events(STEPS), want, sizeof(want)) == 0); \
	} while (0)

/* The four lines of a handshake, and those of its end. */
static void events_of_a_life(void)
{
	rig_established();
	EXPECT_EVENTS(EVENT_SYN_RECEIVED, EVENT_HANDSHAKE_COMPLETED);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	EXPECT_EVENTS(EVENT_DATA_RECEIVED);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5011, .ack = 1001));
	rig_forget();
	EXPECT_EVENTS(EVENT_FIN_RECEIVED);
	rig_close();
	rig_forget();
	EXPECT_EVENTS(EVENT_FIN_SENT);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5012, .ack = 1002));
	EXPECT_EVENTS(EVENT_CONN_CLOSED);
	rig_end();
}

static void events_of_an_active_open(void)
{
	rig_open();
	rig_forget();
	EXPECT_EVENTS(EVENT_SYN_SENT);
	rig_wait(S(1) + MS(1));
	rig_forget();
	EXPECT_EVENTS(EVENT_SYN_RETRANSMIT);
	rig_end();
	rig_open();
	rig_expect(SEG(.flags = TH_SYN, .seq = 1000, MSS(rig_mss()), SACK_OK,
		       TS(0), SCALE(7)));
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_forget();
	EXPECT_EVENTS(EVENT_SYN_SENT, EVENT_SYNACK_RECEIVED,
		      EVENT_HANDSHAKE_COMPLETED);
	rig_end();
}

static void events_of_failures(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_forget();
	EXPECT_EVENTS(EVENT_SYN_RECEIVED);
	rig_wait(S(1) + MS(1));
	rig_forget();
	EXPECT_EVENTS(EVENT_SYNACK_RETRANSMIT);
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = 40001,
		   .port = 9));
	rig_forget();
	EXPECT_EVENTS(EVENT_RESET_NOBODY);
	rig_wait(S(100));
	rig_forget();
	EXPECT_EVENTS(EVENT_SYNACK_RETRANSMIT, EVENT_SYNACK_RETRANSMIT,
		      EVENT_SYNACK_RETRANSMIT, EVENT_SYNACK_RETRANSMIT,
		      EVENT_HANDSHAKE_FAILED);
	rig_end();
}

/* RFC 9293, 3.8.3 (SHLD-9, SHLD-10): trouble after three tries at least. */
static void events_of_trouble(void)
{
	const uint8_t *types;
	unsigned int before = 0;

	rig_established();
	events(0);
	rig_send(1000);
	rig_wait(S(100));
	rig_forget();
	types = events(BIT(DATA_RETRANSMIT) | BIT(TROUBLE));
	while (types[before] == EVENT_DATA_RETRANSMIT)
		before++;
	rig_check(types[before] == EVENT_TROUBLE);
	rig_check(before >= 3);
	rig_end();
}

/* Every event carries who, when and the segment behind it. */
static void event_fields(void)
{
	const struct event *e;
	uint64_t number = 0;
	unsigned int n = 0;

	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	while ((e = stack_event_next(rig.st))) {
		rig_check(e->number == number + 1);
		number = e->number;
		rig_check(e->at_us == rig.now_us);
		rig_check(memcmp(&e->local, &rig.own, 16) == 0);
		rig_check(memcmp(&e->peer, &rig.peer, 16) == 0);
		rig_check(e->local_port == RIG_PORT);
		rig_check(e->peer_port == RIG_PEER_PORT);
		rig_check(e->role == ROLE_SERVER);
		if (e->type == EVENT_SYN_RECEIVED) {
			rig_check(e->seg_flags == TH_SYN);
			rig_check(e->seg_seq == 5000);
			rig_check(e->seg_wnd == RIG_WND);
			n++;
		}
		if (e->type == EVENT_DATA_RECEIVED) {
			rig_check(e->a == 10 && e->seg_len == 10);
			rig_check(e->conn != 0);
			n++;
		}
	}
	rig_check(n == 2);
	rig_end();
}

/* The last event of a type since the last call; its type is another if there
 * was none. */
static struct event last_event(enum event_type type)
{
	struct event found = {.type = EVENT_NTYPES};
	const struct event *e;

	while ((e = stack_event_next(rig.st)))
		if (e->type == type)
			found = *e;
	return found;
}

/* Let the rig see the SYN or SYN-ACK that has the stack's first number. */
static void see_number(void)
{
	struct tcp_seg s;

	rig_check(rig_take(&s));
	rig_check(s.flags & TH_SYN);
}

/* How long a handshake took, and what went wrong on the way. */
static void handshake_of_a_server(void)
{
	struct event e;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_check(last_event(EVENT_SYN_RECEIVED).a == 0);
	see_number();
	rig_wait(MS(30));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_forget();
	e = last_event(EVENT_HANDSHAKE_COMPLETED);
	rig_check(e.type == EVENT_HANDSHAKE_COMPLETED);
	rig_check(e.a == MS(30));
	rig_check(e.b == 0);
	rig_end();
}

static void handshake_with_retransmissions(void)
{
	struct event e;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	see_number();
	rig_wait(MS(900));
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_check(last_event(EVENT_SYN_RECEIVED).a == 1);
	rig_wait(MS(300)); /* and our SYN-ACK, after a second */
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_forget();
	e = last_event(EVENT_HANDSHAKE_COMPLETED);
	rig_check(e.a == MS(1200));
	rig_check(e.b == (HANDSHAKE_SYN_AGAIN | 1));
	rig_end();
}

static void handshake_by_cookie(void)
{
	struct event e;

	rig.conf.cookies = COOKIES_ALWAYS;
	rig_established();
	e = last_event(EVENT_HANDSHAKE_COMPLETED);
	rig_check(e.a == -1);
	rig_check(e.b == HANDSHAKE_COOKIE);
	rig_end();
}

static void handshake_of_a_client(void)
{
	struct event e;

	rig_open();
	see_number();
	rig_wait(MS(1200)); /* one SYN again */
	rig_forget();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_forget();
	e = last_event(EVENT_HANDSHAKE_COMPLETED);
	rig_check(e.a == MS(1200));
	rig_check(e.b == 1);
	rig_end();
}

/* The end tells the round trip time, if it ever was measured. */
static void round_trip_at_the_end(void)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	see_number();
	rig_wait(MS(30));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_abort();
	rig_forget();
	rig_check(last_event(EVENT_CONN_CLOSED).b == MS(30));
	rig_end();
	rig_open();
	rig_abort();
	rig_forget();
	rig_check(last_event(EVENT_CONN_CLOSED).b == 0);
	rig_end();
}

/* Only what was asked for. */
static void event_mask(void)
{
	const struct event *e;
	unsigned int n = 0;

	rig.event_mask = BIT(HANDSHAKE_COMPLETED);
	rig_established();
	while ((e = stack_event_next(rig.st))) {
		rig_check(e->type == EVENT_HANDSHAKE_COMPLETED);
		n++;
	}
	rig_check(n == 1);
	rig_end();
}

/* Nobody reads them: the ring is bounded, the loss is counted. */
static void events_lost(void)
{
	const struct event *e;
	uint64_t kept = 0, last = 0;

	rig_start();
	for (unsigned int i = 0; i < 100000; i++)
		rig_rx(SEG(.flags = TH_RST, .seq = 1));
	while ((e = stack_event_next(rig.st))) {
		kept++;
		last = e->number;
	}
	rig_check(kept > 0 && kept < 100000);
	rig_check(rig_stats().events_lost == 100000 - kept);
	rig_check(last <= 100000);
	rig_rx(SEG(.flags = TH_RST, .seq = 1));
	e = stack_event_next(rig.st);
	rig_check(e && e->number == 100001);
	rig_end();
}

/* Numbers of a connection, as `tcphsctl show` prints them. */
static void info_of_established(void)
{
	struct conn_info i;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), TS(1),
			  SACK_OK, SCALE(3)));
	rig_wait(S(2));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 700));
	rig_send(300);
	rig_forget();
	rig_wait(MS(100));
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.state == TCP_ESTABLISHED && i.role == ROLE_SERVER);
	rig_check(!i.half_open && i.id != 0);
	rig_check(memcmp(&i.local, &rig.own, 16) == 0);
	rig_check(memcmp(&i.peer, &rig.peer, 16) == 0);
	rig_check(i.local_port == RIG_PORT && i.peer_port == RIG_PEER_PORT);
	rig_check(i.age_us >= S(2) + MS(90) && i.age_us <= S(2) + MS(110));
	rig_check(i.idle_us >= MS(90) && i.idle_us <= MS(110));
	rig_check(i.handshake_us >= 0 && i.handshake_us <= MS(5));
	rig_check(i.bytes_in == 700 && i.bytes_out == 300);
	rig_check(i.irs == 5000 && i.rcv_nxt == 5701);
	rig_check(i.iss == RIG_ISS + rig_only()->iss_off);
	rig_check(i.snd_una == i.iss + 1 && i.snd_nxt == i.iss + 301);
	rig_check(i.snd_max == i.iss + 301);
	rig_check(i.in_flight == 300);
	rig_check(i.peer_mss == 1000 && i.snd_mss == 988);
	rig_check(i.ts && i.sack && i.wscale);
	rig_check(i.snd_wscale == 3 && i.rcv_wscale == 7);
	rig_check(i.snd_wnd == 65535u << 3);
	rig_check(i.send_queued == 300 && i.recv_queued == 0);
	rig_check(i.recv_ooo == 0);
	rig_check(i.rexmt_in_us > 0 && i.rexmt_in_us <= MS(901));
	rig_check(i.persist_in_us == -1 && i.linger_in_us == -1);
	rig_check(i.keepalive_in_us == -1);
	rig_check(i.reason == CLOSE_NONE);
	rig_check(strcmp(i.cc_name, "newreno") == 0);
	rig_check(strcmp(i.recovery, "open") == 0);
	rig_check(i.retrans == 0 && i.backoff == 0);
	rig_wait(S(2));
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.retrans >= 1 && i.backoff == 1 && i.tries == 1);
	rig_check(i.bytes_out == 300); /* each byte once */
	rig_check(i.bytes_acked == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5701, .ack = 1101));
	rig_close();
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.tries == 0);
	rig_check(i.bytes_out == 300 && i.bytes_acked == 100);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5701, .ack = 1302));
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.bytes_out == 300 && i.bytes_acked == 300);
	rig_end();
}

static void info_of_received(void)
{
	struct conn_info i;

	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5201, .ack = 1001, .len = 50));
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.recv_queued == 100);
	rig_check(i.recv_ooo == 50);
	rig_check(i.rcv_wnd == 65435);
	rig_check(i.rcvbuf == rig.conf.rcvbuf);
	rig_check(i.own_mss == rig_mss());
	rig_check(i.recv_mss >= 100);
	rig_check(rig_stats().out_of_order == 1);
	rig_end();
}

/* What ss calls skmem: everything that it holds, and nothing when it is idle
 * but its record. */
static void info_of_memory(void)
{
	struct conn_info i;
	uint32_t idle, one, text = 50000;

	rig_established();
	rig_send(10);
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1011));
	rig_wait(S(1));
	rig_check(rig_info(RIG_PEER_PORT, &i));
	idle = i.memory;
	rig_check(idle > 0 && idle <= 256);
	rig_send(10);
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &i));
	one = i.memory;
	rig_check(one > idle + 10);
	rig_send(text);
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.memory > one + text && i.memory < one + 2 * text);
	one = i.memory;
	rig_rx(SEG(.flags = TH_ACK, .seq = 5201, .ack = 1011, .len = 50));
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.memory > one + 50);
	rig_end();
}

static void info_of_half_open(void)
{
	struct conn_info i;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_wait(S(2));
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.half_open && i.state == TCP_SYN_RECEIVED);
	rig_check(i.age_us >= S(2) - MS(10) && i.age_us <= S(2) + MS(10));
	rig_check(i.handshake_us == -1);
	rig_check(i.retrans == 1);
	rig_check(i.peer_port == RIG_PEER_PORT && i.local_port == RIG_PORT);
	rig_check(rig_stats().conns[TCP_SYN_RECEIVED] == 1);
	rig_end();
}

static void info_of_time_wait(void)
{
	struct conn_info i;

	rig_established();
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	rig_forget();
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.state == TCP_TIME_WAIT);
	rig_check(i.age_us == -1 && i.handshake_us == -1 && !i.half_open);
	rig_check(i.linger_in_us > S(59) && i.linger_in_us <= S(60));
	rig_check(rig_stats().conns[TCP_TIME_WAIT] == 1);
	rig_end();
}

static bool count_it(struct stack *st, struct tcp_conn *c,
		     const struct conn_info *info, void *arg)
{
	unsigned int *seen = arg;

	(void)st;
	(void)c;
	seen[info->peer_port - RIG_PEER_PORT]++;
	return true;
}

/* In slices, with others coming and going: each that stays is seen once. */
static void walk_in_slices(void)
{
	unsigned int seen[600] = {0};
	uint64_t cursor = 0;
	uint16_t next = 500;
	bool more = true;

	for (uint16_t i = 0; i < 500; i++)
		rig_handshake(SEG(.flags = TH_SYN, .seq = 5000,
				  .peer_port = (uint16_t)(RIG_PEER_PORT + i),
				  MSS(1000)));
	for (unsigned int slice = 0; more && slice < 10000; slice++) {
		more = stack_walk(rig.st, &cursor, 13, rig.now_us, count_it,
				  seen);
		stack_check(rig.st);
		if (next < 600)
			rig_handshake(SEG(.flags = TH_SYN, .seq = 5000,
					  .peer_port = RIG_PEER_PORT + next++,
					  MSS(1000)));
		if (slice < 100)
			rig_rx(SEG(.flags = TH_RST, .seq = 5001,
				   .peer_port = (uint16_t)(RIG_PEER_PORT +
							   slice * 2)));
	}
	rig_check(!more);
	for (unsigned int i = 0; i < 500; i++)
		rig_check(i % 2 == 0 && i < 200 ? seen[i] <= 1 : seen[i] == 1);
	for (unsigned int i = 500; i < 600; i++)
		rig_check(seen[i] <= 1);
	rig_end();
}

static bool close_it(struct stack *st, struct tcp_conn *c,
		     const struct conn_info *info, void *arg)
{
	if (info->peer_port % 2)
		tcp_close(st, c);
	else
		tcp_abort(st, c, CLOSE_ADMIN);
	++*(unsigned int *)arg;
	return true;
}

/* `tcphsctl kill`: closing and resetting from inside a walk. */
static void walk_and_close(void)
{
	unsigned int n = 0, fins = 0, rsts = 0;
	uint64_t cursor = 0;
	struct tcp_seg s;

	for (uint16_t i = 0; i < 20; i++)
		rig_handshake(SEG(.flags = TH_SYN, .seq = 5000,
				  .peer_port = (uint16_t)(RIG_PEER_PORT + i),
				  MSS(1000)));
	while (stack_walk(rig.st, &cursor, 5, rig.now_us, close_it, &n))
		stack_check(rig.st);
	rig_check(n == 20);
	rig_wait(MS(1));
	while (rig_take(&s)) {
		fins += !!(s.flags & TH_FIN);
		rsts += !!(s.flags & TH_RST);
	}
	rig_check(fins == 10 && rsts == 10);
	rig_check(rig_only()->reason == CLOSE_ADMIN);
	rig_end();
}

/* What a listener knows about itself. */
static void listener_info(void)
{
	struct listener_info l;

	rig_established();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = 40001,
		   MSS(1000)));
	rig_forget();
	rig_check(stack_listener_info(rig.st, 0, &l));
	rig_check(strcmp(l.conf.name, "rig") == 0);
	rig_check(l.half_open == 1 && l.connections == 1);
	rig_check(l.syns == 2 && l.opened == 1);
	rig_check(memcmp(&l.last_peer, &rig.peer, 16) == 0);
	rig_check(!stack_listener_info(rig.st, STACK_LISTENERS_MAX, &l));
	rig_end();
}

/* Counters of one short life. */
static void stats_of_a_life(void)
{
	struct stack_stats s;

	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_send(20);
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5011, .ack = 1022));
	rig_forget();
	s = rig_stats();
	rig_check(s.packets_in == 4 && s.segments_in == 4);
	rig_check(s.packets_out == s.segments_out);
	rig_check(s.syns_in == 1 && s.synacks_out == 1 && s.handshakes == 1);
	rig_check(s.text_in == 10 && s.text_out == 20);
	rig_check(s.closed_fin == 1);
	rig_check(s.memory == rig.memory);
	rig_check(s.memory_used > 0 && s.memory_used <= s.memory);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(events_of_a_life),
	UNIT_TEST(events_of_an_active_open),
	UNIT_TEST(events_of_failures),
	UNIT_TEST(events_of_trouble),
	UNIT_TEST(event_fields),
	UNIT_TEST(event_mask),
	UNIT_TEST(handshake_of_a_server),
	UNIT_TEST(handshake_with_retransmissions),
	UNIT_TEST(handshake_by_cookie),
	UNIT_TEST(handshake_of_a_client),
	UNIT_TEST(round_trip_at_the_end),
	UNIT_TEST(events_lost),
	UNIT_TEST(info_of_established),
	UNIT_TEST(info_of_received),
	UNIT_TEST(info_of_half_open),
	UNIT_TEST(info_of_memory),
	UNIT_TEST(info_of_time_wait),
	UNIT_TEST(walk_in_slices),
	UNIT_TEST(walk_and_close),
	UNIT_TEST(listener_info),
	UNIT_TEST(stats_of_a_life),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_facts", tests, ARRAY_LEN(tests), argc, argv);
}
