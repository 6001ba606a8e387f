/*
 * test_tcp_listener.c - Who listens where
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/tcp_priv.h"
#include "rig.h"

#define PORT_A	   1000
#define PORT_B	   2000
#define OTHER_PORT 40001

static const struct tcp_service silent = {.name = "silent"};

/* A listener by this name and port, at every address. */
static struct stack_listener named(const char *name, uint16_t port)
{
	struct stack_listener l = {
		.service = &silent,
		.port = port,
		.enabled = true,
		.backlog = 100,
	};

	snprintf(l.name, sizeof(l.name), "%s", name);
	return l;
}

static int listen_at(const char *name, uint16_t port, const struct ip_addr *a,
		     uint8_t len)
{
	struct stack_listener l = named(name, port);

	l.address = (struct ip_prefix){*a, len};
	return stack_listen(rig.st, &l);
}

static uint64_t syns_of(int index)
{
	struct listener_info info;

	if (!stack_listener_info(rig.st, (unsigned int)index, &info))
		return UINT64_MAX;
	return info.syns;
}

static void rx_syn(uint16_t from, uint16_t port)
{
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = from,
		   .port = port));
}

static void expect_synack(uint16_t to)
{
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       .peer_port = to, MSS(rig_mss())));
}

/* Nobody listens there. */
static void expect_refused(uint16_t to)
{
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 0, .ack = 5001,
		       .peer_port = to));
}

/* Every slot is taken; a name that exists may still be replaced. */
static void slots_full(void)
{
	struct stack_listener l;
	char name[STACK_NAME_MAX];
	struct listener_info info;

	rig_start();
	for (uint16_t i = 1; i < STACK_LISTENERS_MAX; i++) {
		snprintf(name, sizeof(name), "l%u", i);
		l = named(name, (uint16_t)(PORT_A + i));
		rig_check(stack_listen(rig.st, &l) == i);
	}
	l = named("one more", PORT_B);
	rig_check(stack_listen(rig.st, &l) == -ENOSPC);
	l = named("l7", PORT_B);
	rig_check(stack_listen(rig.st, &l) == 7);
	rig_check(!stack_listener_info(rig.st, STACK_LISTENERS_MAX, &info));
	rig_check(stack_unlisten(rig.st, "l7") == 0);
	rig_check(!stack_listener_info(rig.st, 7, &info));
	l = named("one more", PORT_B);
	rig_check(stack_listen(rig.st, &l) == 7);
	rig_end();
}

/* So many services, and no more, whoever wants to use them. */
static void services_full(void)
{
	static struct tcp_service svc[SERVICES_MAX];
	struct stack_listener l = named("more", PORT_A);
	struct tcp_conn *c;
	int index;

	rig_start(); /* the first one is the rig's */
	for (size_t i = 0; i < ARRAY_LEN(svc) - 1; i++) {
		l.service = &svc[i];
		index = stack_listen(rig.st, &l);
		rig_check(index == 1);
	}
	l.service = &svc[SERVICES_MAX - 1];
	rig_check(stack_listen(rig.st, &l) == -ENOSPC);
	rig_check(stack_open(rig.st, l.service, NULL, &rig.peer, 80, NULL, 0,
			     rig.now_us, &c) == -ENOBUFS);
	l.service = &svc[3];
	rig_check(stack_listen(rig.st, &l) == 1);
	l.service = NULL; /* nobody behind it is no service of its own */
	rig_check(stack_listen(rig.st, &l) == 1);
	rig_end();
}

/* The same port at the same prefix is somebody's already; nested or disjoint
 * prefixes and other ports are not. */
static void clashes(void)
{
	struct stack_listener l;
	struct ip_addr wide = rig.own;

	rig_start();
	wide.b[15] = 0;
	l = named("any", RIG_PORT);
	rig_check(stack_listen(rig.st, &l) == -EADDRINUSE);
	rig_check(listen_at("own", RIG_PORT, &rig.own, 128) == 1);
	rig_check(listen_at("own too", RIG_PORT, &rig.own, 128) == -EADDRINUSE);
	rig_check(listen_at("wide", RIG_PORT, &wide, 120) == 2);
	rig_check(listen_at("wide too", RIG_PORT, &rig.own, 120) ==
		  -EADDRINUSE);
	rig_check(listen_at("other", RIG_PORT, &rig.peer, 128) == 3);
	rig_check(listen_at("other port", PORT_A, &rig.own, 128) == 4);
	/* Nobody is in its own way. */
	rig_check(listen_at("own", RIG_PORT, &rig.own, 128) == 1);
	/* What was removed is in nobody's way, even with work left. */
	rx_syn(RIG_PEER_PORT, RIG_PORT);
	rig_forget();
	rig_check(stack_unlisten(rig.st, "own") == 0);
	rig_check(listen_at("own too", RIG_PORT, &rig.own, 128) == 5);
	rig_end();
}

/* The longest prefix that holds the address, in whatever order they came. */
static void longest_prefix_wins(void)
{
	struct ip_addr wide, second;
	int narrow, middle;

	rig.conf.own_prefix = true;
	rig_start();
	wide = second = rig.own;
	wide.b[15] = 0;
	second.b[15] = 77;
	middle = listen_at("middle", RIG_PORT, &wide, 120);
	narrow = listen_at("narrow", RIG_PORT, &rig.own, 128);
	rx_syn(RIG_PEER_PORT, RIG_PORT);
	rig_check(syns_of(narrow) == 1);
	rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = OTHER_PORT),
		  &rig.peer, &second);
	rig_check(syns_of(middle) == 1);
	rig_check(syns_of(0) == 0);
	rig_forget();
	rig_check(stack_unlisten(rig.st, "middle") == 0);
	rig_rx_to(SEG(.flags = TH_SYN, .seq = 6000, .peer_port = 40002),
		  &rig.peer, &second);
	rig_check(syns_of(0) == 1);
	rig_forget();
	rig_end();
}

/* Listening at an address that nobody else asks for refuses the others. */
static void other_address_refused(void)
{
	rig.listener.address = (struct ip_prefix){rig.peer, 128};
	rx_syn(RIG_PEER_PORT, RIG_PORT);
	expect_refused(RIG_PEER_PORT);
	rig_end();
}

/* A replaced listener moves: its old port refuses, its connections stay. */
static void moves_to_another_port(void)
{
	struct stack_listener l;

	rig_established();
	l = rig.listener;
	l.port = PORT_A;
	rig_check(stack_listen(rig.st, &l) == 0);
	rx_syn(OTHER_PORT, RIG_PORT);
	expect_refused(OTHER_PORT);
	rx_syn(OTHER_PORT, PORT_A);
	expect_synack(OTHER_PORT);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_check(rig_only()->received == 10);
	rig_end();
}

/* Gone, but for its name, until the last connection is. */
static void removed_with_connections(void)
{
	struct listener_info info;

	rig_established();
	rx_syn(OTHER_PORT, RIG_PORT);
	expect_synack(OTHER_PORT);
	rig_check(stack_unlisten(rig.st, "nobody") == -ENOENT);
	rig_check(stack_unlisten(rig.st, "rig") == 0);
	rig_check(stack_unlisten(rig.st, "rig") == -ENOENT);
	rig_check(stack_listener_enable(rig.st, "rig", true) == -ENOENT);
	rig_check(stack_listener_enable(rig.st, "nobody", true) == -ENOENT);
	rig_check(stack_listener_info(rig.st, 0, &info));
	rig_check(!info.conf.enabled);
	rig_check(info.connections == 1 && info.half_open == 1);
	rx_syn(40002, RIG_PORT);
	expect_refused(40002);
	/* The half-open one finds nobody any more. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = OTHER_PORT));
	rig_expect(SEG(.flags = TH_RST, .seq = 1001, .peer_port = OTHER_PORT));
	rig_check(rig_stats().half_open == 0);
	rig_check(stack_listener_info(rig.st, 0, &info));
	rig_abort();
	rig_forget();
	rig_check(!stack_listener_info(rig.st, 0, &info));
	rig_check(stack_listen(rig.st, &rig.listener) == 0);
	rig_end();
}

/* Closed for new work, and open again: half-open ones are new work. */
static void disabled(void)
{
	rig_established();
	rx_syn(OTHER_PORT, RIG_PORT);
	expect_synack(OTHER_PORT);
	rig_check(stack_listener_enable(rig.st, "rig", false) == 0);
	rx_syn(40002, RIG_PORT);
	expect_refused(40002);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001,
		   .peer_port = OTHER_PORT));
	rig_expect(SEG(.flags = TH_RST, .seq = 1001, .peer_port = OTHER_PORT));
	rig_check(rig_conn(OTHER_PORT)->opened == 0);
	rig_check(rig_stats().half_open == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_check(rig_only()->received == 10);
	rig_wait(MS(41));
	rig_forget();
	rig_check(stack_listener_enable(rig.st, "rig", true) == 0);
	rx_syn(40002, RIG_PORT);
	expect_synack(40002);
	rig_end();
}

/* Names of any length up to the limit, and those that begin alike. */
static void names(void)
{
	char longest[STACK_NAME_MAX] = {0}, shorter[STACK_NAME_MAX] = {0};
	struct stack_listener a, b;

	rig_start();
	memset(longest, 'x', STACK_NAME_MAX - 1);
	memset(shorter, 'x', STACK_NAME_MAX - 2);
	a = named(longest, PORT_A);
	b = named(shorter, PORT_B);
	rig_check(stack_listen(rig.st, &a) == 1);
	rig_check(stack_listen(rig.st, &b) == 2);
	rig_check(stack_listener_enable(rig.st, longest, false) == 0);
	rx_syn(OTHER_PORT, PORT_A);
	expect_refused(OTHER_PORT);
	rx_syn(OTHER_PORT, PORT_B);
	expect_synack(OTHER_PORT);
	rig_end();
}

/* A list of prefixes: who is in one of them; to others, nobody listens. */
static void allow_list(void)
{
	struct ip_addr near = rig.peer, far = rig.peer;

	near.b[15] = 5;
	far.b[rig.v6 ? 7 : 13] ^= 1;
	rig.listener.allow[0] = (struct ip_prefix){near, 128};
	rig.listener.allow[1] = (struct ip_prefix){rig.peer, 128};
	rig.listener.nallow = 2;
	rig_established();
	rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = OTHER_PORT),
		  &far, &rig.own);
	expect_refused(OTHER_PORT);
	rig_check(rig_dropped(DROP_SYN_DENIED) == 1);
	rig_rx_to(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = OTHER_PORT),
		  &near, &rig.own);
	expect_synack(OTHER_PORT);
	rig_end();
}

/* Nobody behind it: the engine answers, reads and closes all the same. */
static void without_service(void)
{
	struct tcp_seg s;
	struct conn_info info;

	rig.listener.service = NULL;
	rx_syn(RIG_PEER_PORT, RIG_PORT);
	rig_check(rig_take(&s) && s.flags == (TH_SYN | TH_ACK));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 100));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5101, .ack = 1001, .len = 100));
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5201));
	rig_check(rig_info(RIG_PEER_PORT, &info));
	rig_check(info.bytes_in == 200 && info.recv_queued == 0);
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5201, .ack = 1001));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5202));
	rig_check(rig_state() == TCP_CLOSE_WAIT);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(slots_full),
	UNIT_TEST(services_full),
	UNIT_TEST(clashes),
	UNIT_TEST(longest_prefix_wins),
	UNIT_TEST(other_address_refused),
	UNIT_TEST(moves_to_another_port),
	UNIT_TEST(removed_with_connections),
	UNIT_TEST(disabled),
	UNIT_TEST(names),
	UNIT_TEST(allow_list),
	UNIT_TEST(without_service),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_listener", tests, ARRAY_LEN(tests), argc, argv);
}
