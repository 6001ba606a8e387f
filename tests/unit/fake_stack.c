/*
 * fake_stack.c - A table of connections without TCP, for ctl
 */
#include "fake_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"

static const struct tcp_service echo = {.name = "echo"};

struct stack *fake_stack_new(unsigned int n)
{
	struct stack *st = calloc(1, sizeof(*st));

	if (!st)
		abort();
	st->conns = calloc(n + 1, sizeof(*st->conns));
	if (!st->conns)
		abort();
	st->n = n;
	st->conf.max_connections = 1000;
	st->listeners[0] = (struct stack_listener){
		.name = "echo", .service = &echo, .port = 7, .enabled = true};
	st->listeners[1] = (struct stack_listener){
		.name = "web", .service = &echo, .port = 80, .enabled = true};
	for (unsigned int i = 0; i < n; i++) {
		struct conn_info *c = &st->conns[i].info;

		c->id = i + 1;
		c->state = TCP_ESTABLISHED;
		c->local_port = 7;
		c->peer_port = 40000;
		c->age_us = 1000000;
		c->idle_us = 5;
		c->handshake_us = 210;
		ipaddr_parse("198.18.66.2", &c->local);
		ipaddr_parse("10.0.0.0", &c->peer);
		c->peer.b[13] = (uint8_t)(c->id >> 16);
		c->peer.b[14] = (uint8_t)(c->id >> 8);
		c->peer.b[15] = (uint8_t)c->id;
	}
	return st;
}

void fake_stack_emit(struct stack *st, enum event_type type, uint32_t conn)
{
	struct event *e = &st->events[st->put % ARRAY_LEN(st->events)];

	if (!(st->mask >> type & 1))
		return;
	*e = (struct event){
		.number = ++st->put,
		.at_us = st->put,
		.type = (uint8_t)type,
		.conn = conn,
		.state = TCP_ESTABLISHED,
		.local_port = 7,
		.peer_port = 40000,
	};
	ipaddr_parse("198.18.66.2", &e->local);
	ipaddr_parse("10.0.0.1", &e->peer);
}

const struct event *stack_event_next(struct stack *st)
{
	if (st->got == st->put)
		return NULL;
	return &st->events[st->got++ % ARRAY_LEN(st->events)];
}

void stack_event_mask(struct stack *st, uint64_t mask)
{
	st->mask = mask;
}

int64_t stack_now(const struct stack *st)
{
	struct timespec ts;

	(void)st;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void fake_stack_del(struct stack *st)
{
	free(st->conns);
	free(st);
}

static bool is_record(const struct conn_info *i)
{
	return i->half_open || i->state == TCP_TIME_WAIT;
}

static void begin_walk(struct stack *st)
{
	st->walks++;
	if (st->walks == st->renewed_walk)
		st->conns[0].info.id = UINT32_MAX;
}

static bool is_gone(const struct stack *st, uint64_t place)
{
	return place == 0 && st->gone_walk && st->walks >= st->gone_walk;
}

bool stack_walk(struct stack *st, uint64_t *cursor, unsigned int budget,
		int64_t now_us, stack_walk_fn *fn, void *arg)
{
	(void)now_us;
	if (*cursor == 0)
		begin_walk(st);
	for (; budget && *cursor < st->n; budget--) {
		uint64_t place = (*cursor)++;
		struct tcp_conn *c = &st->conns[place];

		st->walked++;
		if (is_gone(st, place))
			continue;
		if (!fn(st, is_record(&c->info) ? NULL : c, &c->info, arg))
			break;
	}
	return *cursor < st->n;
}

void tcp_dismiss(struct stack *st, struct tcp_conn *c)
{
	(void)st;
	ASSERT(c);
	c->deed = FAKE_CLOSED;
}

void tcp_abort(struct stack *st, struct tcp_conn *c, enum close_reason why)
{
	(void)st;
	ASSERT(c);
	ASSERT(why == CLOSE_ADMIN);
	c->deed = FAKE_ABORTED;
}

const struct stack_conf *stack_conf(const struct stack *st)
{
	return &st->conf;
}

void stack_watch(struct stack *st, const struct stack_watcher *w)
{
	static const struct stack_watcher none;

	st->watcher = w ? *w : none;
}

void stack_stats(const struct stack *st, struct stack_stats *out)
{
	memset(out, 0, sizeof(*out));
	out->full = st->n;
	out->memory = 1 << 20;
}

bool stack_listener_info(const struct stack *st, unsigned int index,
			 struct listener_info *info)
{
	if (index >= ARRAY_LEN(st->listeners) || !st->listeners[index].name[0])
		return false;
	memset(info, 0, sizeof(*info));
	info->conf = st->listeners[index];
	return true;
}

int stack_listener_enable(struct stack *st, const char *name, bool on)
{
	for (size_t i = 0; i < ARRAY_LEN(st->listeners); i++) {
		if (strcmp(st->listeners[i].name, name) != 0)
			continue;
		st->listeners[i].enabled = on;
		return 0;
	}
	return -ENOENT;
}
