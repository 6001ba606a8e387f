/*
 * tcp_user.c - The calls of RFC 9293, 3.10.1 to 3.10.6
 *
 * What a service may do with its connection. None of these sends anything by
 * itself or frees anything: they queue and mark, and have the output or the
 * service looked at later in the same turn.
 */
#include <errno.h>
#include <string.h>

#include "tcp_priv.h"

#define PORT_FIRST 1024 /* RFC 6056, 3.2: as many as there are */
#define PORT_COUNT (65536 - PORT_FIRST)

#define SEND_PAGES_KEPT 4
#define SEND_LITTLE	400 /* bytes, a small block */

typedef size_t append_fn(struct sendq *q, struct sendq_pools *ps,
			 const void *data, size_t len);

static ssize_t send_with(append_fn *append, struct stack *st,
			 struct tcp_conn *c, const void *data, size_t len);
static size_t send_share(const struct stack *st, const struct tcp_active *a,
			 size_t room);
static ssize_t send_error(const struct tcp_conn *c);
static bool peer_valid(const struct ip_addr *a);
static bool port_choose(struct stack *st, struct tcp_key *key);
static bool is_ours(const struct stack *st, const struct tcp_key *key);

size_t tcp_peek(struct stack *st, struct tcp_conn *c, const uint8_t **data)
{
	struct tcp_active *a = conn_active(st, c);

	if (!a)
		return 0;
	if (a->rcvq.ready)
		return recvq_peek(&a->rcvq, &st->recv_pools, data);
	*data = a->direct;
	return a->direct_len;
}

void tcp_consume(struct stack *st, struct tcp_conn *c, size_t n)
{
	struct tcp_active *a = conn_active(st, c);

	ASSERT(a);
	if (!n)
		return;
	if (!a->rcvq.ready) {
		ASSERT(n <= a->direct_len);
		a->direct += n;
		a->direct_len -= (uint32_t)n;
		return;
	}
	ASSERT(n <= a->rcvq.ready);
	recvq_consume(&a->rcvq, &st->recv_pools, n);
	tcp_window_consumed(st, c, (uint32_t)n);
	/* A FIN behind the text may be told now. */
	if (!a->rcvq.ready && c->flags & CF_PEER_FIN)
		tcp_wake_service(st, c);
}

void tcp_resume(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);

	if (!a || !a->rcvq.ready)
		return;
	c->flags |= CF_DATA;
	tcp_wake_service(st, c);
}

ssize_t tcp_send(struct stack *st, struct tcp_conn *c, const void *data,
		 size_t len)
{
	return send_with(sendq_append, st, c, data, len);
}

ssize_t tcp_send_ref(struct stack *st, struct tcp_conn *c, const void *data,
		     size_t len)
{
	return send_with(sendq_append_ref, st, c, data, len);
}

/* RFC 9293, 3.10.2: a SEND with the urgent flag. */
ssize_t tcp_send_urgent(struct stack *st, struct tcp_conn *c, const void *data,
			size_t len)
{
	ssize_t took = send_with(sendq_append, st, c, data, len);

	if (took > 0)
		tcp_urgent_queued(st, c);
	return took;
}

size_t tcp_send_room(struct stack *st, struct tcp_conn *c)
{
	const struct tcp_active *a = conn_active(st, c);
	uint32_t queued = a ? a->sndq.len : 0;

	return st->conf.sndbuf > queued ? st->conf.sndbuf - queued : 0;
}

void tcp_want_write(struct stack *st, struct tcp_conn *c)
{
	c->flags |= CF_WANT_WRITE;
	tcp_wake_service(st, c);
}

void tcp_close(struct stack *st, struct tcp_conn *c)
{
	if (c->flags & (CF_CLOSE | CF_DEAD))
		return;
	c->flags |= CF_CLOSE;
	c->flags &= ~CF_WANT_WRITE;
	switch (c->state) {
	case TCP_SYN_SENT: /* RFC 9293, 3.10.4: delete it */
		tcp_dead(st, c, CLOSE_RESET_BY_US);
		return;
	case TCP_ESTABLISHED:
		tcp_set_state(st, c, TCP_FIN_WAIT_1);
		break;
	case TCP_CLOSE_WAIT:
		tcp_set_state(st, c, TCP_LAST_ACK);
		break;
	default:
		return; /* SYN-RECEIVED: after the handshake */
	}
	tcp_wake_output(st, c);
}

void tcp_dismiss(struct stack *st, struct tcp_conn *c)
{
	if (c->flags & CF_DEAD)
		return;
	c->flags |= CF_DISMISSED;
	tcp_close(st, c);
	if (!(c->flags & CF_DEAD))
		tcp_resume(st, c); /* what waits is for nobody, too */
}

void tcp_abort(struct stack *st, struct tcp_conn *c, enum close_reason why)
{
	if (!(c->flags & CF_DEAD))
		tcp_reset(st, c, why);
}

void tcp_alarm(struct stack *st, struct tcp_conn *c, int64_t at_us)
{
	c->alarm_at_us = at_us;
	tcp_rearm(st, c);
}

void *tcp_user(const struct tcp_conn *c)
{
	return c->user;
}

void tcp_set_user(struct tcp_conn *c, void *user)
{
	c->user = user;
}

void tcp_await(struct stack *st, const struct tcp_conn *c, bool waits)
{
	if (c->listener == LISTENER_NONE)
		return;
	if (waits)
		st->listeners[c->listener].waiting++;
	else
		st->listeners[c->listener].waiting--;
}

void *tcp_service_arg(const struct stack *st, const struct tcp_conn *c)
{
	if (c->listener == LISTENER_NONE)
		return NULL;
	return st->listeners[c->listener].conf.service_arg;
}

const struct tcp_service *tcp_conn_service(const struct stack *st,
					   const struct tcp_conn *c)
{
	return tcp_service_of(st, c);
}

uint32_t tcp_id(const struct tcp_conn *c)
{
	return c->id;
}

enum tcp_state tcp_conn_state(const struct tcp_conn *c)
{
	return c->state;
}

int stack_open(struct stack *st, const struct tcp_service *svc, void *user,
	       const struct ip_addr *peer, uint16_t peer_port,
	       const struct ip_addr *local, uint16_t local_port, int64_t now_us,
	       struct tcp_conn **out)
{
	bool v4 = ip_addr_is4(peer);
	struct tcp_key key = {
		/* RFC 9293, 3.9.1.1 (MUST-43, MUST-44) */
		.local = local ? *local
			 : v4  ? st->conf.own4
			       : st->conf.own6,
		.peer = *peer,
		.local_port = local_port,
		.peer_port = peer_port,
	};
	int service = service_index(st, svc);
	struct tcp_active *a;
	struct tcp_conn *c;

	if (now_us > st->now_us)
		st->now_us = now_us;
	if (!(v4 ? st->conf.net4.len : st->conf.net6.len) ||
	    (local && (ip_addr_is4(local) != v4 || !stack_is_own(st, local) ||
		       stack_is_broadcast(st, local))))
		return -EADDRNOTAVAIL;
	/* RFC 9293, 3.9.1.1 (MUST-46) */
	if (!peer_port || stack_is_own(st, peer) ||
	    stack_is_broadcast(st, peer) || !peer_valid(peer))
		return -EINVAL;
	if (st->stopping || service < 0 ||
	    stack_counted(st, LISTENER_NONE).connections >=
		    st->conf.max_connections)
		return -ENOBUFS;
	if (local_port ? table_find(&st->table, &key) != 0
		       : !port_choose(st, &key))
		return -EADDRINUSE;
	/* Else a place for the connection could be had without one for what
	 * is in flight. */
	if (stack_is_full(st) && !st->pool_active.partial)
		return -ENOBUFS;
	c = tcp_conn_new(st, &key);
	if (!c)
		return -ENOBUFS;
	c->id = stack_new_id(st);
	c->service = (uint8_t)service;
	c->user = user;
	c->flags |= CF_CLIENT | CF_SYN_NOW;
	st->client_count[c->state]++;
	c->flags |= st->conf.timestamps ? CF_TS : 0;
	c->flags |= st->conf.sack ? CF_SACK : 0;
	c->flags |= CF_WSCALE;
	c->flags |= st->conf.ecn == ECN_REQUEST ? CF_ECN : 0;
	c->rcv_wscale = tcp_syn_wscale(st);
	/* RFC 9293, 3.4.1 (MUST-8, SHLD-1) */
	c->iss =
		(uint32_t)(st->now_us / 4) + (uint32_t)stack_isn_hash(st, &key);
	c->snd_una = c->snd_nxt = c->snd_max = c->snd_sml = c->iss;
	a = tcp_activate(st, c);
	ASSERT(a); /* not full, or with a place in a page that is there */
	table_insert(&st->table, conn_ref(st, c));
	tcp_set_state(st, c, TCP_SYN_SENT);
	tcp_wake_output(st, c);
	if (out)
		*out = c;
	return 0;
}

static ssize_t send_with(append_fn *append, struct stack *st,
			 struct tcp_conn *c, const void *data, size_t len)
{
	ssize_t err = send_error(c);
	size_t room = tcp_send_room(st, c), took = 0, share;
	struct tcp_active *a;

	if (err)
		return err;
	if (room > len)
		room = len;
	a = tcp_activate(st, c);
	if (a) {
		share = send_share(st, a, room);
		took = append(&a->sndq, &st->send_pools, data, share);
		if (took < room)
			stack_limit_hit(st, LIMIT_MEMORY, &c->e.key,
					c->listener);
	}
	if (took < len)
		c->flags |= CF_WANT_WRITE;
	if (took)
		tcp_wake_output(st, c);
	else if (len)
		tcp_rearm(st, c); /* for want of memory, perhaps */
	return (ssize_t)took;
}

/* The last pages are not for what waits, but for the records of what is in
 * flight: without one a byte goes at a time, and connections would die of that.
 * Who has nothing queued may have a little, so that nobody stands still. */
static size_t send_share(const struct stack *st, const struct tcp_active *a,
			 size_t room)
{
	uint32_t pages = stack_pages_left(st);

	if (pages > SEND_PAGES_KEPT)
		return room;
	if (a->sndq.len || pages <= 1)
		return 0;
	return room < SEND_LITTLE ? room : SEND_LITTLE;
}

static ssize_t send_error(const struct tcp_conn *c)
{
	if (c->flags & CF_DEAD)
		return -ECONNRESET;
	if (c->flags & CF_CLOSE)
		return -EPIPE;
	return 0;
}

/* Neither nobody nor everybody: RFC 1122, 3.2.1.3; RFC 4291, 2.5 and 2.7. */
static bool peer_valid(const struct ip_addr *a)
{
	static const struct ip_addr none, loopback = {.b = {[15] = 1}};

	if (ip_addr_is4(a))
		return a->b[12] != 0 && a->b[12] != 127 && a->b[12] < 224;
	return a->b[0] != 0xff && memcmp(a, &none, sizeof(*a)) != 0 &&
	       memcmp(a, &loopback, sizeof(*a)) != 0;
}

/* Of several stacks, the one that will get the answer. */
static bool is_ours(const struct stack *st, const struct tcp_key *key)
{
	const struct stack_share *s = &st->share;

	return !s->ours || s->ours(s->ctx, &key->local, key->local_port,
				   &key->peer, key->peer_port);
}

/* RFC 6056, 3.3.3: a keyed offset for each destination, and a counter. Ports
 * with a listener are left to those who mean it (3.2). */
static bool port_choose(struct stack *st, struct tcp_key *key)
{
	uint32_t offset;

	key->local_port = 0;
	offset = (uint32_t)(stack_isn_hash(st, key) >> 16);
	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		key->local_port =
			(uint16_t)(PORT_FIRST +
				   (offset + st->next_port++) % PORT_COUNT);
		if (!st->port_listener[key->local_port] && is_ours(st, key) &&
		    !table_find(&st->table, key))
			return true;
	}
	return false;
}
