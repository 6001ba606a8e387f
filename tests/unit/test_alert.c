/*
 * test_alert.c - What raises an alert, and what looks like it and must not
 *
 * Scripts against the judge alone: events and counters as a stack would show
 * them, a second after the other.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <tcphs/alert.h>

#include "core/assert.h"

#define S      INT64_C(1000000)
#define LISTEN 3 /* index of the listener all is about */

static struct {
	struct alerts *judge;
	struct alert_facts facts;
	int64_t now_us;
	/* What was told since start(). */
	unsigned int steps[ALERT_NKINDS][3];
	struct alert last[ALERT_NKINDS];
	unsigned int all; /* steps of any kind */
} rig;

static void start(void)
{
	static const struct alert_conf conf = {
		.flood_rate = 1000,
		.scan_ports = 20,
		.scan_window_us = 10 * S,
	};
	void *mem = calloc(1, alerts_size());

	CU_ASSERT_PTR_NOT_NULL_FATAL(mem);
	memset(&rig, 0, sizeof(rig));
	rig.now_us = 1000 * S;
	rig.judge = alerts_init(mem, &conf, rig.now_us);
	rig.facts.listener[LISTEN] =
		(struct alert_listener){.used = true, .backlog = 128};
	rig.facts.half_open_max = 4096;
}

static void stop(void)
{
	free(rig.judge);
}

static void hear(void)
{
	enum alert_step step;
	const struct alert *al;

	while ((al = alerts_step(rig.judge, &step))) {
		rig.steps[al->kind][step]++;
		rig.last[al->kind] = *al;
		rig.all++;
	}
}

/* The second ends. */
static void tick(void)
{
	rig.now_us += S;
	alerts_tick(rig.judge, &rig.facts, rig.now_us);
	hear();
}

static void ticks(unsigned int n)
{
	while (n--)
		tick();
}

static struct ip_addr addr4(unsigned int a, unsigned int b, unsigned int c,
			    unsigned int d)
{
	return (struct ip_addr){{[10] = 0xff,
				 0xff,
				 (uint8_t)a,
				 (uint8_t)b,
				 (uint8_t)c,
				 (uint8_t)d}};
}

static void event_from(enum event_type type, int64_t a, struct ip_addr peer,
		       uint16_t port, uint8_t flags)
{
	const struct event e = {
		.type = (uint8_t)type,
		.at_us = rig.now_us,
		.a = a,
		.peer = peer,
		.peer_port = 40000,
		.local = addr4(198, 18, 66, 2),
		.local_port = port,
		.listener = LISTEN,
		.role = ROLE_SERVER,
		.seg_flags = flags,
	};

	alerts_event(rig.judge, &e);
	hear();
}

static unsigned int raised(enum alert_kind k)
{
	return rig.steps[k][ALERT_RAISED];
}

static unsigned int ended(enum alert_kind k)
{
	return rig.steps[k][ALERT_ENDED];
}

static const char *sentence(enum alert_kind k, enum alert_step step)
{
	static char text[256];

	alert_sentence(&rig.last[k],
		       rig.last[k].listener == LISTEN ? "demo" : NULL, step,
		       text, sizeof(text));
	return text;
}

/* ---- floods ------------------------------------------------------------ */

/* A second of SYNs, of which some complete. */
static void syns(uint64_t n, uint64_t completed, uint64_t cookies)
{
	struct alert_listener *l = &rig.facts.listener[LISTEN];

	l->syns += n;
	l->opened += completed;
	l->cookies += cookies;
	tick();
}

static void flood_of_forged_sources(void)
{
	start();
	tick();
	for (unsigned int i = 0; i < 200; i++)
		event_from(EVENT_SYN_RECEIVED, 0, addr4(203, 0, 113, i), 80,
			   TH_SYN);
	syns(5200, 10, 0);
	CU_ASSERT_EQUAL(raised(ALERT_SYN_FLOOD), 1);
	CU_ASSERT_EQUAL(rig.last[ALERT_SYN_FLOOD].number[FLOOD_RATE], 5200);
	CU_ASSERT_STRING_EQUAL(
		sentence(ALERT_SYN_FLOOD, ALERT_RAISED),
		"SYN flood on listener demo: 5200 SYN/s, 0 % completed, 0 "
		"half-open, 100 % from 203.0.113.0/24");
	/* The backlog is full: cookies. */
	rig.facts.listener[LISTEN].half_open = 128;
	syns(6000, 10, 5900);
	CU_ASSERT_EQUAL(rig.steps[ALERT_SYN_FLOOD][ALERT_CHANGED], 1);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(sentence(ALERT_SYN_FLOOD, ALERT_CHANGED), "cookies on"));
	syns(6000, 10, 5900);
	CU_ASSERT_EQUAL(rig.steps[ALERT_SYN_FLOOD][ALERT_CHANGED], 1);
	CU_ASSERT_EQUAL(raised(ALERT_HALF_OPEN), 0); /* it is explained */
	CU_ASSERT_EQUAL(alerts_active(rig.judge, ALERT_SYN_FLOOD), 1);
	/* A pause of three seconds does not end it, five do. What is half-open
	 * is the flood's until it is gone. */
	ticks(3);
	syns(5000, 10, 0);
	ticks(4);
	CU_ASSERT_EQUAL(ended(ALERT_SYN_FLOOD), 0);
	tick();
	CU_ASSERT_EQUAL(ended(ALERT_SYN_FLOOD), 1);
	CU_ASSERT_STRING_EQUAL(sentence(ALERT_SYN_FLOOD, ALERT_ENDED),
			       "SYN flood on listener demo is over after 11 s: "
			       "at most 6000 SYN/s");
	CU_ASSERT_EQUAL(raised(ALERT_SYN_FLOOD), 1);
	CU_ASSERT_EQUAL(alerts_total(rig.judge, ALERT_SYN_FLOOD), 1);
	ticks(60);
	CU_ASSERT_EQUAL(raised(ALERT_HALF_OPEN), 0);
	rig.facts.listener[LISTEN].half_open = 0;
	tick();
	rig.facts.listener[LISTEN].half_open = 128;
	ticks(2);
	CU_ASSERT_EQUAL(raised(ALERT_HALF_OPEN), 1);
	stop();
}

/* As many, and nearly all complete: a busy server. */
static void busy_is_no_flood(void)
{
	start();
	tick();
	for (int i = 0; i < 20; i++)
		syns(5200, 5100, 0);
	/* Even if the backlog overflows now and then. */
	for (int i = 0; i < 20; i++)
		syns(5200, 5000, 300);
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

/* A burst that completes a second later over a long path. */
static void late_is_no_flood(void)
{
	start();
	ticks(2);
	syns(2900, 0, 0);
	syns(0, 2900, 0);
	ticks(5);
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

/* Slow, but it fills the backlog: a flood all the same. */
static void slow_flood_fills_the_backlog(void)
{
	start();
	tick();
	for (int i = 0; i < 4; i++)
		syns(60, 1, i > 1 ? 20 : 0);
	CU_ASSERT_EQUAL(raised(ALERT_SYN_FLOOD), 1);
	ticks(6);
	CU_ASSERT_EQUAL(ended(ALERT_SYN_FLOOD), 1);
	stop();
}

/* cookies = always: that cookies leave says nothing. */
static void cookies_always(void)
{
	start();
	rig.facts.cookies_always = true;
	tick();
	for (int i = 0; i < 10; i++)
		syns(60, 1, 60);
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

/* From many networks: nobody is named. */
static void flood_from_everywhere(void)
{
	start();
	tick();
	for (unsigned int i = 0; i < 1000; i++)
		event_from(EVENT_COOKIE_SENT, 0, addr4(10, i / 256, i % 256, 1),
			   80, TH_SYN);
	syns(4000, 0, 1000);
	CU_ASSERT_PTR_NOT_NULL(strstr(sentence(ALERT_SYN_FLOOD, ALERT_RAISED),
				      "from everywhere"));
	stop();
}

/* A listener that goes takes its alert along; the next one in its place begins
 * with other counters. */
static void flood_of_a_removed_listener(void)
{
	start();
	tick();
	syns(9000, 0, 0);
	CU_ASSERT_EQUAL(raised(ALERT_SYN_FLOOD), 1);
	rig.facts.listener[LISTEN].used = false;
	tick();
	CU_ASSERT_EQUAL(ended(ALERT_SYN_FLOOD), 1);
	rig.facts.listener[LISTEN] = (struct alert_listener){
		.used = true, .backlog = 128, .syns = 5, .opened = 5};
	ticks(3);
	CU_ASSERT_EQUAL(raised(ALERT_SYN_FLOOD), 1);
	stop();
}

static void half_open_pressure(void)
{
	struct alert_listener *l = &rig.facts.listener[LISTEN];

	start();
	l->half_open = 110; /* of 128 */
	tick();
	CU_ASSERT_EQUAL(rig.all, 0); /* a second is a burst */
	tick();
	CU_ASSERT_EQUAL(raised(ALERT_HALF_OPEN), 1);
	CU_ASSERT_STRING_EQUAL(
		sentence(ALERT_HALF_OPEN, ALERT_RAISED),
		"Half-open pressure on listener demo: 110 of 128 "
		"half-open");
	l->half_open = 80; /* between the bounds: it goes on */
	ticks(10);
	CU_ASSERT_EQUAL(ended(ALERT_HALF_OPEN), 0);
	l->half_open = 60;
	ticks(5);
	CU_ASSERT_EQUAL(ended(ALERT_HALF_OPEN), 1);
	stop();
}

static void half_open_burst(void)
{
	start();
	for (int i = 0; i < 10; i++) {
		rig.facts.listener[LISTEN].half_open = i % 2 ? 128 : 20;
		tick();
	}
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

/* ---- scans ------------------------------------------------------------- */

static void port_scan(void)
{
	struct ip_addr who = addr4(198, 18, 66, 1);

	start();
	for (uint16_t port = 1; port < 20; port++)
		event_from(EVENT_RESET_NOBODY, 0, who, port, TH_SYN);
	CU_ASSERT_EQUAL(rig.all, 0);
	for (uint16_t port = 20; port <= 100; port++)
		event_from(EVENT_RESET_NOBODY, 0, who, port, TH_SYN);
	CU_ASSERT_EQUAL(raised(ALERT_PORT_SCAN), 1);
	CU_ASSERT_EQUAL(raised(ALERT_HOST_SCAN), 0);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(sentence(ALERT_PORT_SCAN, ALERT_RAISED),
		       "Port scan suspected from 198.18.66.1: 2"));
	ticks(10);
	CU_ASSERT_EQUAL(ended(ALERT_PORT_SCAN), 0);
	tick();
	CU_ASSERT_EQUAL(ended(ALERT_PORT_SCAN), 1);
	/* Linear counting: within a tenth. */
	CU_ASSERT(rig.last[ALERT_PORT_SCAN].number[0] >= 90);
	CU_ASSERT(rig.last[ALERT_PORT_SCAN].number[0] <= 110);
	CU_ASSERT_EQUAL(rig.last[ALERT_PORT_SCAN].number[1], 100);
	stop();
}

/* Half-open, and with flags that open nothing; open ports among them. */
static void port_scan_by_other_means(void)
{
	struct ip_addr who = addr4(198, 18, 66, 1);

	start();
	for (uint16_t port = 1; port <= 30; port++)
		event_from(EVENT_HANDSHAKE_FAILED, CLOSE_RESET_BY_PEER, who,
			   port, 0);
	CU_ASSERT_EQUAL(raised(ALERT_PORT_SCAN), 1);
	stop();
	start();
	for (uint16_t port = 1; port <= 30; port++)
		event_from(EVENT_SEGMENT_DROPPED,
			   port % 2 ? DROP_TCP_FLAGS : DROP_SYN_DENIED, who,
			   port, TH_FIN);
	CU_ASSERT_EQUAL(raised(ALERT_PORT_SCAN), 1);
	stop();
}

/* Over and over the same refused port; and a few others. */
static void retries_are_no_scan(void)
{
	start();
	for (int i = 0; i < 1000; i++)
		event_from(EVENT_RESET_NOBODY, 0, addr4(198, 18, 66, 1),
			   (uint16_t)(8080 + i % 5), TH_SYN);
	ticks(3);
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

/* A client of many services: its connections complete. */
static void many_services_are_no_scan(void)
{
	struct ip_addr who = addr4(198, 18, 66, 1);

	start();
	for (uint16_t port = 1; port <= 60; port++) {
		event_from(EVENT_SYN_RECEIVED, 0, who, port, TH_SYN);
		if (port % 3 == 0)
			event_from(EVENT_RESET_NOBODY, 0, who,
				   (uint16_t)(1000 + port), TH_SYN);
		else
			event_from(EVENT_HANDSHAKE_COMPLETED, 200, who, port,
				   TH_ACK);
	}
	ticks(3);
	CU_ASSERT_EQUAL(raised(ALERT_PORT_SCAN), 0);
	stop();
}

/* After a restart peers go on with connections nobody knows. */
static void old_connections_are_no_scan(void)
{
	start();
	for (uint16_t port = 1; port <= 200; port++)
		event_from(EVENT_RESET_NOBODY, 0, addr4(198, 18, 66, 1),
			   (uint16_t)(40000 + port), TH_ACK);
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

/* So slow that it never has enough in a window. */
static void slow_asking_is_no_scan(void)
{
	start();
	for (uint16_t port = 1; port <= 60; port++) {
		event_from(EVENT_RESET_NOBODY, 0, addr4(198, 18, 66, 1), port,
			   TH_SYN);
		tick();
	}
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

/* Each source by itself: many clients that each ask once. */
static void many_sources_are_no_scan(void)
{
	start();
	for (unsigned int i = 0; i < 5000; i++)
		event_from(EVENT_RESET_NOBODY, 0,
			   addr4(10, 0, i / 250, i % 250), (uint16_t)i, TH_SYN);
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

/* A scan among single probes of 500 other sources is still seen. */
static void scan_among_noise(void)
{
	start();
	for (unsigned int i = 0; i < 500; i++) {
		event_from(EVENT_RESET_NOBODY, 0,
			   addr4(10, 1, i / 250, i % 250), 80, TH_SYN);
		event_from(EVENT_RESET_NOBODY, 0, addr4(10, 9, 9, 9),
			   (uint16_t)(i + 1), TH_SYN);
	}
	CU_ASSERT_EQUAL(raised(ALERT_PORT_SCAN), 1);
	stop();
}

static void host_scan(void)
{
	struct event e = {
		.type = EVENT_RESET_NOBODY,
		.local_port = 23,
		.peer = addr4(198, 18, 66, 1),
		.seg_flags = TH_SYN,
		.at_us = 1000 * S,
	};

	start();
	for (unsigned int i = 10; i < 60; i++) {
		e.local = addr4(198, 18, 66, i);
		alerts_event(rig.judge, &e);
	}
	hear();
	CU_ASSERT_EQUAL(raised(ALERT_HOST_SCAN), 1);
	CU_ASSERT_EQUAL(raised(ALERT_PORT_SCAN), 0);
	ticks(12);
	CU_ASSERT_EQUAL(ended(ALERT_HOST_SCAN), 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(sentence(ALERT_HOST_SCAN, ALERT_ENDED),
				      "addresses in 0.0 s, 50 probes"));
	stop();
}

/* More scanners than are told of: bounded, and none is an error. */
static void many_scanners(void)
{
	start();
	for (unsigned int who = 0; who < 100; who++)
		for (uint16_t port = 1; port <= 40; port++)
			event_from(EVENT_RESET_NOBODY, 0, addr4(10, 2, 0, who),
				   port, TH_SYN);
	CU_ASSERT_EQUAL(raised(ALERT_PORT_SCAN), 16);
	CU_ASSERT_EQUAL(alerts_active(rig.judge, ALERT_PORT_SCAN), 16);
	ticks(12);
	CU_ASSERT_EQUAL(ended(ALERT_PORT_SCAN), 16);
	CU_ASSERT_FALSE(alerts_busy(rig.judge));
	stop();
}

/* ---- guesses ----------------------------------------------------------- */

static void dropped(enum drop_reason why, unsigned int n, uint32_t conn)
{
	const struct event e = {
		.type = EVENT_SEGMENT_DROPPED,
		.a = why,
		.at_us = rig.now_us,
		.peer = addr4(198, 18, 66, 1),
		.conn = conn,
	};

	while (n--)
		alerts_event(rig.judge, &e);
}

static void rst_guessing(void)
{
	start();
	dropped(DROP_RST_WINDOW, 6, 7);
	dropped(DROP_RST_INEXACT, 6, 8);
	dropped(DROP_SYN_CHALLENGED, 1, 8);
	tick();
	CU_ASSERT_EQUAL(raised(ALERT_RST_GUESS), 1);
	CU_ASSERT_STRING_EQUAL(
		sentence(ALERT_RST_GUESS, ALERT_RAISED),
		"RST guessing suspected on c8 from 198.18.66.1: 13 segments "
		"that fit no number, 2 connections");
	ticks(8);
	CU_ASSERT_EQUAL(ended(ALERT_RST_GUESS), 0);
	ticks(3);
	CU_ASSERT_EQUAL(ended(ALERT_RST_GUESS), 1);
	stop();
}

/* One now and then: a client that was restarted, a NAT that forgot. */
static void rst_now_and_then(void)
{
	start();
	for (int i = 0; i < 60; i++) {
		if (i % 2)
			dropped(DROP_RST_INEXACT, 1, (uint32_t)i);
		dropped(DROP_RST_NOBODY, 20, 0);
		tick();
	}
	CU_ASSERT_EQUAL(rig.all, 0);
	stop();
}

static void icmp_guessing(void)
{
	start();
	dropped(DROP_ICMP_STALE, 4, 0);
	tick();
	CU_ASSERT_EQUAL(rig.all, 0);
	dropped(DROP_ICMP_STALE, 8, 0);
	tick();
	CU_ASSERT_EQUAL(raised(ALERT_ICMP_GUESS), 1);
	ticks(12);
	CU_ASSERT_EQUAL(ended(ALERT_ICMP_GUESS), 1);
	stop();
}

static void bad_checksums(void)
{
	start();
	rig.facts.bad_checksums = 500; /* before anybody looked */
	tick();
	rig.facts.bad_checksums += 3;
	tick();
	CU_ASSERT_EQUAL(rig.all, 0);
	rig.facts.bad_checksums += 7;
	tick();
	CU_ASSERT_EQUAL(raised(ALERT_CHECKSUM), 1);
	ticks(11);
	CU_ASSERT_EQUAL(ended(ALERT_CHECKSUM), 1);
	stop();
}

/* The stack says so of each; here they are counted. */
static void odd(enum event_type type, int64_t a, int64_t b, uint8_t flags)
{
	const struct event e = {
		.type = (uint8_t)type,
		.at_us = rig.now_us,
		.a = a,
		.b = b,
		.peer = addr4(198, 18, 66, 1),
		.conn = 5,
		.seg_flags = flags,
	};

	alerts_event(rig.judge, &e);
}

static void conflicting_retransmission(void)
{
	start();
	odd(EVENT_TEXT_CONFLICT, 5, 0, TH_ACK);
	tick();
	CU_ASSERT_EQUAL(raised(ALERT_CONFLICT), 1);
	CU_ASSERT_EQUAL(rig.last[ALERT_CONFLICT].conn, 5);
	ticks(11);
	CU_ASSERT_EQUAL(ended(ALERT_CONFLICT), 1);
	stop();
}

static void ttl_jumps(void)
{
	start();
	odd(EVENT_TTL_ODD, 1, 49 << 8 | 64, 0);
	odd(EVENT_TTL_ODD, 2, 49 << 8 | 64, 0);
	tick();
	CU_ASSERT_EQUAL(rig.all, 0);
	odd(EVENT_TTL_ODD, 2, 49 << 8 | 64, 0);
	tick();
	CU_ASSERT_EQUAL(raised(ALERT_TTL), 1);
	CU_ASSERT_STRING_EQUAL(
		sentence(ALERT_TTL, ALERT_RAISED),
		"TTL jump on c5 from 198.18.66.1: 5 packets, TTL "
		"49, usually 64");
	stop();
}

/* A RST from elsewhere: one is enough. */
static void ttl_of_a_rst(void)
{
	start();
	odd(EVENT_TTL_ODD, 1, 243 << 8 | 64, TH_RST);
	tick();
	CU_ASSERT_EQUAL(raised(ALERT_TTL), 1);
	CU_ASSERT_STRING_EQUAL(sentence(ALERT_TTL, ALERT_RAISED),
			       "TTL jump on c5 from 198.18.66.1: 1 packet, TTL "
			       "243, usually 64");
	ticks(11);
	CU_ASSERT_EQUAL(ended(ALERT_TTL), 1);
	odd(EVENT_TTL_ODD, 1, 49 << 8 | 64, 0);
	tick();
	CU_ASSERT_EQUAL(raised(ALERT_TTL), 1);
	stop();
}

/* ---- the list ---------------------------------------------------------- */

/* Newest first; the oldest that are over make room. */
/* @peer as 198.18.66.N; the id and the listener's index of a connection. */
static uint32_t about(unsigned int peer, uint32_t id, uint16_t listener)
{
	const struct conn_info info = {
		.id = id,
		.listener = listener,
		.peer = addr4(198, 18, 66, peer),
	};

	return alerts_about(rig.judge, &info);
}

static void whom_an_alert_concerns(void)
{
	start();
	CU_ASSERT_EQUAL(about(1, 8, LISTEN), 0);
	for (uint16_t port = 1; port <= 100; port++)
		event_from(EVENT_RESET_NOBODY, 0, addr4(198, 18, 66, 3), port,
			   TH_SYN);
	dropped(DROP_RST_INEXACT, 13, 8); /* by 198.18.66.1, it says */
	tick();
	CU_ASSERT_EQUAL(about(3, 9, LISTENER_NONE), 1u << ALERT_PORT_SCAN);
	CU_ASSERT_EQUAL(about(4, 9, LISTEN), 0);
	CU_ASSERT_EQUAL(about(4, 8, LISTEN), 1u << ALERT_RST_GUESS);
	CU_ASSERT_EQUAL(about(1, 9, LISTEN), 1u << ALERT_RST_GUESS);
	CU_ASSERT_EQUAL(about(3, 8, LISTEN),
			1u << ALERT_RST_GUESS | 1u << ALERT_PORT_SCAN);
	/* As long as it is kept. */
	ticks(60);
	CU_ASSERT_EQUAL(ended(ALERT_PORT_SCAN), 1);
	CU_ASSERT_EQUAL(about(3, 9, LISTEN), 1u << ALERT_PORT_SCAN);
	CU_ASSERT_EQUAL(about(3, 0, LISTENER_NONE), 1u << ALERT_PORT_SCAN);
	stop();
}

/* Nobody is named: whoever comes to the listener. */
static void a_flood_concerns_its_listener(void)
{
	start();
	tick();
	for (unsigned int i = 0; i < 1000; i++)
		event_from(EVENT_COOKIE_SENT, 0, addr4(10, i / 256, i % 256, 1),
			   80, TH_SYN);
	syns(4000, 0, 1000);
	CU_ASSERT_EQUAL(raised(ALERT_SYN_FLOOD), 1);
	CU_ASSERT_EQUAL(about(1, 9, LISTEN), 1u << ALERT_SYN_FLOOD);
	CU_ASSERT_EQUAL(about(1, 9, LISTEN + 1), 0);
	CU_ASSERT_EQUAL(about(1, 9, LISTENER_NONE), 0);
	stop();
}

static void the_list(void)
{
	const struct alert *al;
	unsigned int i;

	start();
	for (unsigned int k = 0; k < 100; k++) {
		dropped(DROP_ICMP_STALE, 10, 0);
		ticks(12);
	}
	CU_ASSERT_EQUAL(alerts_total(rig.judge, ALERT_ICMP_GUESS), 100);
	for (i = 0; (al = alerts_get(rig.judge, i)); i++) {
		CU_ASSERT_EQUAL(al->id, 100 - i);
		CU_ASSERT_FALSE(al->active);
		CU_ASSERT(al->ended_us > al->since_us);
	}
	CU_ASSERT_EQUAL(i, ALERTS_KEPT);
	stop();
}

/* A number of one has no plural behind it. */
static void one_of_each(void)
{
	static const struct {
		enum alert_kind kind;
		int64_t number[ALERT_NUMBERS_MAX];
		const char *words;
	} all[] = {
		{ALERT_PORT_SCAN,
		 {20, 1, 1, 1500000},
		 "20 ports in 1.5 s, 1 probe, 1 handshake completed"},
		{ALERT_HOST_SCAN,
		 {20, 21, 2, 1500000},
		 "20 addresses in 1.5 s, 21 probes, 2 handshakes completed"},
		{ALERT_RST_GUESS,
		 {1, 1},
		 "1 segment that fit no number, 1 connection"},
		{ALERT_ICMP_GUESS, {1}, "1 error about nothing in flight"},
		{ALERT_CONFLICT, {1}, "1 segment with other bytes than before"},
		{ALERT_CHECKSUM, {1}, "1 packet"},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct alert al = {.kind = (uint8_t)all[i].kind};
		char text[256];

		memcpy(al.number, all[i].number, sizeof(al.number));
		alert_sentence(&al, NULL, ALERT_RAISED, text, sizeof(text));
		CU_ASSERT_STRING_EQUAL(strstr(text, ": ") + 2, all[i].words);
	}
}

/* Each kind has all its words; indicators do not claim a proof. */
static void every_kind_has_words(void)
{
	for (int k = 0; k < ALERT_NKINDS; k++) {
		enum alert_kind kind = (enum alert_kind)k;

		CU_ASSERT(strlen(alert_name(kind)) > 2);
		CU_ASSERT(strlen(alert_meaning(kind)) > 20);
		CU_ASSERT(strlen(alert_innocent(kind)) > 10);
		CU_ASSERT(strlen(alert_action(kind)) > 10);
		CU_ASSERT_PTR_NOT_NULL(alert_number_name(kind, 0));
		CU_ASSERT_PTR_NULL(alert_number_name(kind, ALERT_NUMBERS_MAX));
		CU_ASSERT_PTR_NULL(strstr(alert_meaning(kind), "attack"));
	}
	CU_ASSERT_STRING_EQUAL(alert_severity(ALERT_TTL), "notice");
}

int main(int argc, char **argv)
{
	static const struct unit_test tests[] = {
		UNIT_TEST(flood_of_forged_sources),
		UNIT_TEST(busy_is_no_flood),
		UNIT_TEST(late_is_no_flood),
		UNIT_TEST(slow_flood_fills_the_backlog),
		UNIT_TEST(cookies_always),
		UNIT_TEST(flood_from_everywhere),
		UNIT_TEST(flood_of_a_removed_listener),
		UNIT_TEST(half_open_pressure),
		UNIT_TEST(half_open_burst),
		UNIT_TEST(port_scan),
		UNIT_TEST(port_scan_by_other_means),
		UNIT_TEST(retries_are_no_scan),
		UNIT_TEST(many_services_are_no_scan),
		UNIT_TEST(old_connections_are_no_scan),
		UNIT_TEST(slow_asking_is_no_scan),
		UNIT_TEST(many_sources_are_no_scan),
		UNIT_TEST(scan_among_noise),
		UNIT_TEST(host_scan),
		UNIT_TEST(many_scanners),
		UNIT_TEST(rst_guessing),
		UNIT_TEST(rst_now_and_then),
		UNIT_TEST(icmp_guessing),
		UNIT_TEST(bad_checksums),
		UNIT_TEST(conflicting_retransmission),
		UNIT_TEST(ttl_jumps),
		UNIT_TEST(ttl_of_a_rst),
		UNIT_TEST(whom_an_alert_concerns),
		UNIT_TEST(a_flood_concerns_its_listener),
		UNIT_TEST(the_list),
		UNIT_TEST(one_of_each),
		UNIT_TEST(every_kind_has_words),
	};

	return unit_run("alert", tests, ARRAY_LEN(tests), argc, argv);
}
