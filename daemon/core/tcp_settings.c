/*
 * tcp_settings.c - What a user sets for one connection, and is told of it
 *
 * A connection does as the stack is configured until its service says
 * otherwise. Flags and the DSCP lie in the connection itself; the two timeouts
 * in a record of their own (struct tcp_settings), made when the first of them
 * is set: few connections have one, and an idle one has no room to spare.
 */
#include <errno.h>

#include "tcp_priv.h"

static struct tcp_settings *settings_make(struct stack *st, struct tcp_conn *c);

void tcp_set_nodelay(struct stack *st, struct tcp_conn *c, bool on)
{
	if (on)
		c->flags |= CF_NODELAY;
	else
		c->flags &= ~CF_NODELAY;
	/* RFC 9293, 3.7.4 (MUST-17): what was held back may leave. */
	if (on && c->active)
		tcp_wake_output(st, c);
}

int tcp_set_user_timeout(struct stack *st, struct tcp_conn *c,
			 int64_t timeout_us)
{
	struct tcp_settings *s = settings_make(st, c);

	if (!s)
		return -ENOBUFS;
	s->user_timeout_us = timeout_us; /* RFC 9293, 3.8.3 (MUST-21) */
	tcp_rearm(st, c);
	return 0;
}

int tcp_set_keepalive(struct stack *st, struct tcp_conn *c, int64_t idle_us)
{
	struct tcp_settings *s = settings_make(st, c);

	if (!s)
		return -ENOBUFS;
	s->keepalive_us = idle_us; /* RFC 9293, 3.8.4 (MUST-24) */
	tcp_rearm(st, c);
	return 0;
}

void tcp_set_dscp(struct tcp_conn *c, uint8_t dscp)
{
	c->tos = (uint8_t)(dscp << 2); /* RFC 9293, 3.9.1.9 (SHLD-21) */
}

void tcp_report_trouble(struct tcp_conn *c, bool on)
{
	if (on)
		c->flags &= ~CF_QUIET;
	else
		c->flags |= CF_QUIET; /* RFC 9293, 3.9.1.8 (SHLD-20) */
}

int service_index(struct stack *st, const struct tcp_service *svc)
{
	if (!svc)
		return 0;
	for (int i = 1; i <= SERVICES_MAX; i++) {
		if (!st->services[i])
			st->services[i] = svc;
		if (st->services[i] == svc)
			return i;
	}
	return -1;
}

int64_t tcp_user_timeout_us(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_settings *s = conn_settings(st, c);

	return s ? s->user_timeout_us : st->conf.user_timeout_us;
}

int64_t tcp_keepalive_us(const struct stack *st, const struct tcp_conn *c)
{
	const struct tcp_settings *s = conn_settings(st, c);

	return s ? s->keepalive_us : st->conf.keepalive_us;
}

/* RFC 9293, 3.9.1.8 (MUST-47): asynchronously, and only while there is a
 * service that knows of the connection. */
void tcp_trouble(struct stack *st, struct tcp_conn *c,
		 const struct tcp_trouble *t)
{
	const struct tcp_service *svc = tcp_service_of(st, c);

	EVENT_CONN(st, c, TROUBLE, .a = t->tries,
		   .b = t->what == TROUBLE_ICMP
				? t->icmp_type << 8 | t->icmp_code
				: 0);
	if (svc && svc->on_trouble && !(c->flags & (CF_QUIET | CF_DEAD)) &&
	    (c->flags & CF_OPEN || c->state == TCP_SYN_SENT))
		svc->on_trouble(st, c, t);
}

static struct tcp_settings *settings_make(struct stack *st, struct tcp_conn *c)
{
	struct tcp_settings *s;

	if (c->settings)
		return ref_ptr(&st->arena, c->settings);
	s = pool_get(&st->pool_settings);
	if (!s) {
		stack_limit_hit(st, LIMIT_MEMORY, &c->e.key, c->listener);
		return NULL;
	}
	s->user_timeout_us = st->conf.user_timeout_us;
	s->keepalive_us = st->conf.keepalive_us;
	c->settings = ptr_ref(&st->arena, s);
	return s;
}
