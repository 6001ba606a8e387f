/*
 * fake_conn.c - A stack with one connection, for tests of services
 */
#include "fake_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"

#define CONN_ID	  42
#define CALLS_MAX 4000000 /* more means that it never comes to rest */

time_t fake_wall = 1795252046; /* 2026-11-21 09:07:26 UTC */

/* The services' own clock. */
time_t time(time_t *t)
{
	if (t)
		*t = fake_wall;
	return fake_wall;
}

struct stack *fake_open_drip(const struct tcp_service *service, size_t drip)
{
	struct stack *st = calloc(1, sizeof(*st));
	struct tcp_conn *c;

	ASSERT(st);
	st->service = service;
	st->now_us = 1000000;
	c = &st->conn;
	c->run_max = SIZE_MAX;
	c->room = c->drip = drip;
	c->alarm_at_us = TIME_NEVER;
	if (service->on_open)
		service->on_open(st, c);
	return st;
}

struct stack *fake_open(const struct tcp_service *service)
{
	return fake_open_drip(service, SIZE_MAX / 2);
}

void fake_rx(struct stack *st, const void *data, size_t len)
{
	struct tcp_conn *c = &st->conn;

	ASSERT(!c->peer_fin);
	if (c->closed)
		c->late = true;
	if (c->over || !len)
		return;
	c->in = realloc(c->in, c->in_len + len);
	ASSERT(c->in);
	memcpy(c->in + c->in_len, data, len);
	c->in_len += len;
	c->new_text = true;
}

void fake_rx_text(struct stack *st, const char *text)
{
	fake_rx(st, text, strlen(text));
}

void fake_rx_fin(struct stack *st)
{
	st->conn.peer_fin = true;
}

/* One callback; false if there is nothing to say. */
static bool fake_tell(struct stack *st)
{
	const struct tcp_service *s = st->service;
	struct tcp_conn *c = &st->conn;

	if (c->over)
		return false;
	if (c->in_len && !c->new_text && !c->consumed && c->resumed)
		st->now_us++; /* the next turn */
	if (c->in_len && (c->new_text || c->resumed || c->consumed)) {
		c->new_text = c->resumed = c->consumed = false;
		if (s->on_data)
			s->on_data(st, c);
		return true;
	}
	if (c->want_write && !c->room)
		c->room = c->drip;
	if (c->stop && c->out_len >= c->stop)
		c->room = 0;
	if (c->want_write && c->room) {
		c->want_write = false;
		if (s->on_writable)
			s->on_writable(st, c);
		return true;
	}
	if (c->peer_fin && !c->in_len && !c->peer_fin_told) {
		c->peer_fin_told = true;
		if (s->on_peer_closed)
			s->on_peer_closed(st, c);
		return true;
	}
	return false;
}

void fake_run(struct stack *st)
{
	for (int i = 0; fake_tell(st); i++)
		ASSERT(i < CALLS_MAX);
}

void fake_pass(struct stack *st, int64_t us)
{
	struct tcp_conn *c = &st->conn;

	st->now_us += us;
	if (c->over || st->now_us < c->alarm_at_us)
		return;
	c->alarm_at_us = TIME_NEVER;
	if (st->service->on_alarm)
		st->service->on_alarm(st, c);
	fake_run(st);
}

void fake_end(struct stack *st)
{
	struct tcp_conn *c = &st->conn;
	unsigned int n = c->nrefs < FAKE_REFS ? c->nrefs : FAKE_REFS;

	for (unsigned int i = 0; i < n; i++)
		ASSERT(!memcmp(c->refs[i].data, c->out + c->refs[i].at,
			       c->refs[i].len));
	if (st->service->on_closed)
		st->service->on_closed(st, c, CLOSE_RESET_BY_PEER);
	free(c->in);
	free(c->out);
	free(st);
}

size_t tcp_peek(struct stack *st, struct tcp_conn *c, const uint8_t **data)
{
	(void)st;
	*data = c->in;
	return c->in_len < c->run_max ? c->in_len : c->run_max;
}

void tcp_consume(struct stack *st, struct tcp_conn *c, size_t n)
{
	(void)st;
	ASSERT(n <= c->in_len);
	ASSERT(n <= c->run_max);
	memmove(c->in, c->in + n, c->in_len - n);
	c->in_len -= n;
	c->consumed |= n > 0;
}

void tcp_resume(struct stack *st, struct tcp_conn *c)
{
	(void)st;
	c->resumed = true;
}

ssize_t tcp_send(struct stack *st, struct tcp_conn *c, const void *data,
		 size_t len)
{
	size_t n = tcp_send_room(st, c);

	if (c->over)
		return -ECONNRESET;
	if (c->closed)
		return -EPIPE;
	if (n > len)
		n = len;
	if (c->out_size - c->out_len < n) {
		c->out_size = 2 * (c->out_len + n);
		c->out = realloc(c->out, c->out_size);
		ASSERT(c->out);
	}
	if (n)
		memcpy(c->out + c->out_len, data, n);
	c->out_len += n;
	c->room -= n;
	c->want_write |= n < len;
	return (ssize_t)n;
}

ssize_t tcp_send_ref(struct stack *st, struct tcp_conn *c, const void *data,
		     size_t len)
{
	size_t at = c->out_len;
	ssize_t n = tcp_send(st, c, data, len);

	if (n > 0) {
		c->refs[c->nrefs % FAKE_REFS].data = data;
		c->refs[c->nrefs % FAKE_REFS].len = (size_t)n;
		c->refs[c->nrefs++ % FAKE_REFS].at = at;
	}
	return n;
}

size_t tcp_send_room(struct stack *st, struct tcp_conn *c)
{
	(void)st;
	return c->room;
}

void tcp_want_write(struct stack *st, struct tcp_conn *c)
{
	(void)st;
	c->want_write = true;
}

void tcp_close(struct stack *st, struct tcp_conn *c)
{
	(void)st;
	c->closed = true;
}

void tcp_abort(struct stack *st, struct tcp_conn *c, enum close_reason why)
{
	(void)st;
	c->over = true;
	c->why = why;
}

void tcp_alarm(struct stack *st, struct tcp_conn *c, int64_t at_us)
{
	ASSERT(at_us > st->now_us);
	c->alarm_at_us = at_us;
}

void *tcp_user(const struct tcp_conn *c)
{
	return c->user;
}

void tcp_await(struct stack *st, const struct tcp_conn *c, bool waits)
{
	(void)st;
	(void)c;
	(void)waits;
}

void tcp_set_user(struct tcp_conn *c, void *user)
{
	c->user = user;
}

/* ---- what only chat calls; test_chat.c has the whole stack for it ---- */

int stack_open(struct stack *st, const struct tcp_service *svc, void *user,
	       const struct ip_addr *peer, uint16_t peer_port,
	       const struct ip_addr *local, uint16_t local_port, int64_t now_us,
	       struct tcp_conn **out)
{
	(void)st;
	(void)svc;
	(void)user;
	(void)peer;
	(void)peer_port;
	(void)local;
	(void)local_port;
	(void)now_us;
	(void)out;
	return -ENOBUFS;
}

int tcp_set_user_timeout(struct stack *st, struct tcp_conn *c,
			 int64_t timeout_us)
{
	(void)st;
	(void)c;
	(void)timeout_us;
	return 0;
}

void tcp_set_nodelay(struct stack *st, struct tcp_conn *c, bool on)
{
	(void)st;
	(void)c;
	(void)on;
}

void tcp_dismiss(struct stack *st, struct tcp_conn *c)
{
	tcp_close(st, c);
}

const struct tcp_service *tcp_conn_service(const struct stack *st,
					   const struct tcp_conn *c)
{
	(void)c;
	return st->service;
}

uint32_t tcp_id(const struct tcp_conn *c)
{
	(void)c;
	return CONN_ID;
}

int64_t stack_now(const struct stack *st)
{
	return st->now_us;
}

const struct stack_conf *stack_conf(const struct stack *st)
{
	return &st->conf;
}

void stack_stats(const struct stack *st, struct stack_stats *out)
{
	*out = st->stats;
	out->full = st->rows;
}

bool stack_listener_info(const struct stack *st, unsigned int index,
			 struct listener_info *info)
{
	if (index >= st->nlisteners)
		return false;
	*info = st->listeners[index];
	return true;
}

void tcp_info(struct stack *st, struct tcp_conn *c, struct conn_info *info,
	      int64_t now_us)
{
	(void)c;
	(void)now_us;
	memset(info, 0, sizeof(*info));
	info->id = CONN_ID;
	info->state = TCP_ESTABLISHED;
	info->local = st->conf.own4;
	info->local_port = 80;
	info->peer = st->conf.host4;
	info->peer_port = 49152;
}

/* Connection i of the table lies at place (i + 1) * (gaps + 1) - 1. */
bool stack_walk(struct stack *st, uint64_t *cursor, unsigned int budget,
		int64_t now_us, stack_walk_fn *fn, void *arg)
{
	uint64_t places = (uint64_t)st->rows * (st->gaps + 1);
	struct conn_info info;

	for (unsigned int i = 0; i < budget && *cursor < places; i++) {
		(*cursor)++;
		if (i + 1 > st->bite_max)
			st->bite_max = i + 1;
		if (*cursor % (st->gaps + 1))
			continue;
		tcp_info(st, &st->conn, &info, now_us);
		info.id = (uint32_t)(*cursor / (st->gaps + 1));
		if (!fn(st, &st->conn, &info, arg))
			break;
	}
	return *cursor < places;
}
