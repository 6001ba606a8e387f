/*
 * test_stack.c - A stack begins, is looked at, and ends
 */
#include <stdlib.h>
#include <string.h>

#include "core/tcp_priv.h"
#include "rig.h"

#define MANY	   4200 /* more than stack_stop() looks at in a call */
#define OTHER_PORT 40001

/* A service of which only the number of calls matters. */
static unsigned int closed_n;
static enum close_reason closed_why;

static void count_closed(struct stack *st, struct tcp_conn *c,
			 enum close_reason why)
{
	(void)st;
	(void)c;
	closed_n++;
	closed_why = why;
}

static const struct tcp_service counting = {
	.name = "counting",
	.on_closed = count_closed,
};

/* Active opens to as many ports; nobody answers. */
static void open_many(unsigned int n)
{
	rig_start();
	closed_n = 0;
	for (unsigned int i = 0; i < n; i++)
		rig_check(stack_open(rig.st, &counting, NULL, &rig.peer,
				     (uint16_t)(1 + i), NULL, 0, rig.now_us,
				     NULL) == 0);
	stack_check(rig.st);
}

static struct stack *init(const struct stack_conf *conf, size_t len)
{
	static uint8_t *mem;
	static const uint8_t seed[32] = {1};

	free(mem);
	mem = aligned_alloc(STACK_ALIGN, STACK_MEM_MIN);
	ASSERT(mem);
	memset(mem, 0, STACK_MEM_MIN);
	return stack_init(mem, len, conf, seed, rig.now_us);
}

static void init_memory(void)
{
	rig_start();
	rig_check(!init(&rig.conf, STACK_MEM_MIN - 1));
	rig_check(!init(&rig.conf, 0));
	rig_check(init(&rig.conf, STACK_MEM_MIN) != NULL);
	rig_end();
}

/* What contradicts itself is refused; each line alone is enough. */
static void init_conf(void)
{
#define REFUSED(...)                                 \
	do {                                         \
		struct stack_conf c = rig.conf;      \
		__VA_ARGS__;                         \
		rig_check(!init(&c, STACK_MEM_MIN)); \
	} while (0)
#define TAKEN(...)                                          \
	do {                                                \
		struct stack_conf c = rig.conf;             \
		__VA_ARGS__;                                \
		rig_check(init(&c, STACK_MEM_MIN) != NULL); \
	} while (0)

	rig_start();
	REFUSED(c.net4.len = c.net6.len = 0);
	REFUSED(c.mtu = 575);
	REFUSED(c.mtu = 575, c.net6.len = 0);
	REFUSED(c.mtu = 1279);
	REFUSED(c.window_scale = 15);
	REFUSED(c.rcvbuf = 0);
	REFUSED(c.sndbuf = 0);
	REFUSED(c.rto_min_us = 0);
	REFUSED(c.rto_initial_us = 0);
	REFUSED(c.rto_max_us = 0);
	TAKEN(c.mtu = 576, c.net6.len = 0);
	TAKEN(c.mtu = 1280);
	TAKEN(c.net4.len = 0);
	TAKEN(c.window_scale = 14);
	rig_end();
#undef TAKEN
#undef REFUSED
}

/* A copy is kept; new limits are taken, another device is not. */
static void conf_kept(void)
{
	struct stack_conf c;

	rig_start();
	c = *stack_conf(rig.st);
	rig_check(memcmp(&c, &rig.conf, sizeof(c)) == 0);
	c.max_connections = 1;
	c.mtu = 9000;
	c.own4.b[15] = c.own6.b[15] = 99;
	c.gso_max = 12345;
	stack_reconf(rig.st, &c);
	rig_check(stack_conf(rig.st)->max_connections == 1);
	rig_check(stack_conf(rig.st)->mtu == 1500);
	rig_check(stack_conf(rig.st)->gso_max == 0);
	rig_established();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = OTHER_PORT));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_SYN_LIMIT) == 1);
	rig_end();
}

/* A family without a prefix has no address here: nothing is answered, and
 * nothing can be opened. */
static void family_off(void)
{
	struct tcp_conn *c = NULL;

	rig.conf.net4.len = rig.v6 ? rig.conf.net4.len : 0;
	rig.conf.net6.len = rig.v6 ? 0 : rig.conf.net6.len;
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_expect_silence();
	rig_check(rig_dropped(DROP_IP_NOT_OURS) == 1);
	rig_check(stack_open(rig.st, &counting, NULL, &rig.peer, 80, NULL, 0,
			     rig.now_us, &c) < 0);
	rig_check(!c);
	rig_end();
}

/* own_prefix: all of the prefix is ours, but the host's own address and what
 * is outside. */
static void own_prefix(void)
{
	struct ip_addr a;

	rig.conf.own_prefix = true;
	rig_start();
	a = rig.own;
	a.b[15] = 200;
	rig_check(stack_is_own(rig.st, &a));
	rig_check(!stack_is_own(rig.st, &rig.peer));
	a.b[rig.v6 ? 7 : 14] ^= 1;
	rig_check(!stack_is_own(rig.st, &a));
	rig_end();
}

/* RFC 3021, 2.1: a link of two addresses has no broadcast address, so neither
 * end may be mistaken for one. */
static void no_broadcast_on_a_pair(void)
{
	rig.conf.net4.len = 127;
	rig.conf.net4.addr = rig.conf.own4;
	rig_start();
	rig_check(!stack_is_broadcast(rig.st, &rig.conf.own4));
	rig_established();
	rig_end();
}

/* Nor has IPv6 one, whatever its last bits are. */
static void no_broadcast_in_ipv6(void)
{
	struct ip_addr a;

	rig_start();
	a = rig.conf.own6;
	memset(a.b + 8, 0xff, 8);
	rig_check(!stack_is_broadcast(rig.st, &a));
	a = rig.conf.own4;
	a.b[15] = 255;
	rig_check(stack_is_broadcast(rig.st, &a));
	a.b[15] = 0;
	rig_check(stack_is_broadcast(rig.st, &a));
	a.b[14]++;
	rig_check(!stack_is_broadcast(rig.st, &a));
	rig.conf.net4.len = 0;
	rig_end();
}

/* A rate of 0 is none at all, and more than a second's worth is never saved. */
static void bucket_rates(void)
{
	struct bucket b = {.filled_us = 0};
	unsigned int n = 0;

	for (int64_t at = 0; at < S(10); at += MS(100))
		rig_check(!bucket_take(&b, 0, at));
	while (bucket_take(&b, 3, S(1000)))
		n++;
	rig_check(n == 3);
	rig_check(!bucket_take(&b, 3, S(1000) + MS(333)));
	rig_check(bucket_take(&b, 3, S(1000) + MS(334)));
	rig_check(!bucket_take(&b, 3, S(1000) + MS(335)));
	rig_end();
}

/* ---- one service ends what another is about to see ---- */

static struct tcp_conn *victim;

static void abort_victim(struct stack *st, struct tcp_conn *c)
{
	const uint8_t *data;

	if (!tcp_conn_state(c) || !victim)
		return;
	if (victim != c)
		tcp_abort(st, victim, CLOSE_ADMIN);
	victim = NULL;
	tcp_consume(st, c, tcp_peek(st, c, &data));
}

static bool reading;

static void read_if_told(struct stack *st, struct tcp_conn *c)
{
	if (reading)
		abort_victim(st, c);
}

/* Two wait for their service; the first call of the first ends the second,
 * which is then not called any more. */
static void service_ends_other(void)
{
	static const struct tcp_service murderer = {
		.name = "murderer",
		.on_data = read_if_told,
		.on_closed = count_closed,
	};
	struct tcp_conn *c[2] = {NULL, NULL};
	uint64_t cursor = 0;
	unsigned int n = 0;
	void *p;

	closed_n = 0;
	reading = false;
	rig.listener.service = &murderer;
	for (uint16_t i = 0; i < 2; i++) {
		struct tcp_seg s;
		uint16_t port = (uint16_t)(RIG_PEER_PORT + i);

		rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = port));
		rig_check(rig_take(&s));
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10,
			   .peer_port = port));
	}
	while ((p = pool_next(&rig.st->pool_conn, &cursor)) && n < 2)
		c[n++] = p;
	rig_check(n == 2);
	if (rig.failed)
		return;
	rig_wait(MS(100));
	rig_forget();
	reading = true;
	victim = c[1];
	tcp_resume(rig.st, c[0]);
	tcp_resume(rig.st, c[1]);
	stack_services(rig.st, rig.now_us);
	stack_check(rig.st);
	rig_check(!victim);
	rig_check(rig_stats().full == 1);
	rig_wait(0);
	rig_check(closed_n == 1);
	rig_check(closed_why == CLOSE_ADMIN);
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 1001, .ack = 5011,
		       .peer_port = OTHER_PORT));
	rig_end();
}

/* ---- looking ---- */

struct seen {
	unsigned int n;
	struct conn_info last;
};

static bool see(struct stack *st, struct tcp_conn *c,
		const struct conn_info *info, void *arg)
{
	struct seen *s = arg;

	(void)st;
	(void)c;
	s->n++;
	s->last = *info;
	return true;
}

/* A walk says how old things are at the time it is made. */
static void walk_moves_the_clock(void)
{
	struct seen s = {0};
	struct conn_info info;
	uint64_t cursor = 0;

	rig_established();
	while (stack_walk(rig.st, &cursor, 1, rig.now_us + S(5), see, &s))
		;
	rig_check(s.n == 1);
	rig_check(s.last.age_us == S(5) && s.last.idle_us == S(5));
	tcp_info(rig.st, rig_only()->c, &info, rig.now_us + S(7));
	rig_check(info.age_us == S(7));
	/* It never goes back. */
	tcp_info(rig.st, rig_only()->c, &info, rig.now_us);
	rig_check(info.age_us == S(7));
	rig.now_us += S(7);
	rig_end();
}

/* What ended but is not freed yet is in no walk, nor are places that once held
 * a half-open record. */
static void walk_sees_the_living(void)
{
	struct seen s = {0};
	uint64_t cursor = 0;

	rig_established();
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = OTHER_PORT));
	rig_forget();
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = OTHER_PORT));
	tcp_abort(rig.st, rig_only()->c, CLOSE_ADMIN);
	while (stack_walk(rig.st, &cursor, 10, rig.now_us, see, &s))
		;
	rig_check(s.n == 0);
	rig_check(rig_only()->closed == 0);
	rig_wait(0);
	rig_check(rig_only()->closed == 1);
	rig_forget();
	rig_end();
}

/* Nor does it see one twice that gets on between two of its slices. */
static void walk_sees_once(void)
{
	struct seen s = {0};
	uint64_t cursor = 0;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000)));
	rig_expect(SEG(.flags = TH_SYN | TH_ACK, .seq = 1000, .ack = 5001,
		       MSS(rig_mss())));
	while (!s.n && stack_walk(rig.st, &cursor, 1, rig.now_us, see, &s))
		;
	rig_check(s.n == 1 && s.last.half_open);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	while (stack_walk(rig.st, &cursor, 1, rig.now_us, see, &s))
		;
	rig_check(s.n == 1);
	cursor = 0;
	while (s.n == 1 && stack_walk(rig.st, &cursor, 1, rig.now_us, see, &s))
		;
	rig_check(s.n == 2 && s.last.state == TCP_ESTABLISHED);
	rig_close();
	rig_rx(SEG(.flags = TH_ACK | TH_FIN, .seq = 5001, .ack = 1002));
	rig_forget();
	rig_check(rig_state() == TCP_TIME_WAIT);
	rig_check(rig_stats().time_wait == 1);
	while (stack_walk(rig.st, &cursor, 1, rig.now_us, see, &s))
		;
	rig_check(s.n == 2);
	rig_end();
}

/* A limit is counted each time, and told once a second: here, that of memory,
 * with nobody in particular. */
static void limit_told_once_a_second(void)
{
	const struct event *e;
	unsigned int told = 0;

	rig_start();
	for (int i = 0; i < 3; i++)
		stack_limit_hit(rig.st, LIMIT_MEMORY, NULL, LISTENER_NONE);
	rig_wait(S(1));
	stack_limit_hit(rig.st, LIMIT_MEMORY, NULL, LISTENER_NONE);
	stack_limit_hit(rig.st, LIMIT_HALF_OPEN, NULL, LISTENER_NONE);
	while ((e = stack_event_next(rig.st)))
		told += e->type == EVENT_LIMIT;
	rig_check(told == 3);
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 4);
	stack_event_mask(rig.st, 0);
	rig_wait(S(2));
	stack_limit_hit(rig.st, LIMIT_MEMORY, NULL, LISTENER_NONE);
	rig_check(!stack_event_next(rig.st));
	rig_check(rig_stats().limits[LIMIT_MEMORY] == 5);
	rig_end();
}

/* ---- the end ---- */

/* Everybody is asked, in slices; a half-open record has nobody to ask. */
static void stop_in_slices(void)
{
	unsigned int calls = 1;

	rig_rx(SEG(.flags = TH_SYN, .seq = 5000, .peer_port = OTHER_PORT));
	rig_rx(SEG(.flags = TH_RST, .seq = 5001, .peer_port = OTHER_PORT));
	rig_rx(SEG(.flags = TH_SYN, .seq = 5000));
	rig_check(rig_stats().half_open == 1);
	rig_forget();
	open_many(MANY);
	while (!stack_stop(rig.st, rig.now_us + S(1)))
		calls++;
	rig.now_us += S(1);
	rig_check(calls == 2);
	rig_check(rig_stats().half_open == 0);
	stack_check(rig.st);
	rig_wait(0);
	rig_check(closed_n == MANY);
	rig_check(rig_stats().full == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001));
	rig_expect(SEG(.flags = TH_RST, .seq = 1001));
	rig_end();
}

/* What is dead already is not asked again. */
static void stop_after_abort(void)
{
	rig_established();
	tcp_abort(rig.st, rig_only()->c, CLOSE_ADMIN);
	rig_check(stack_stop(rig.st, rig.now_us));
	tcp_dismiss(rig.st, rig_only()->c);
	rig_check(stack_abort_all(rig.st, rig.now_us));
	rig_wait(0);
	rig_check(rig_only()->reason == CLOSE_ADMIN);
	rig_expect(SEG(.flags = TH_RST | TH_ACK, .seq = 1001, .ack = 5001));
	rig_end();
}

/* Resets come in slices, too; those that are dead count as done. */
static void abort_in_slices(void)
{
	open_many(MANY);
	rig_check(!stack_abort_all(rig.st, rig.now_us + S(1)));
	rig_check(rig_stats().full == MANY - 4096);
	rig_wait(S(1));
	rig_forget(); /* SYNs of the others */
	rig_check(closed_n == 4096);
	rig_check(closed_why == CLOSE_STOPPING);
	rig_check(stack_abort_all(rig.st, rig.now_us));
	rig_wait(0);
	rig_check(closed_n == MANY);
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(init_memory),
	UNIT_TEST(init_conf),
	UNIT_TEST(conf_kept),
	UNIT_TEST(family_off),
	UNIT_TEST(own_prefix),
	UNIT_TEST(no_broadcast_on_a_pair),
	UNIT_TEST(no_broadcast_in_ipv6),
	UNIT_TEST(bucket_rates),
	UNIT_TEST(service_ends_other),
	UNIT_TEST(walk_moves_the_clock),
	UNIT_TEST(walk_sees_the_living),
	UNIT_TEST(walk_sees_once),
	UNIT_TEST(limit_told_once_a_second),
	UNIT_TEST(stop_in_slices),
	UNIT_TEST(stop_after_abort),
	UNIT_TEST(abort_in_slices),
};

int main(int argc, char **argv)
{
	return rig_main("stack", tests, ARRAY_LEN(tests), argc, argv);
}
