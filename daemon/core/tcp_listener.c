/*
 * tcp_listener.c - Who listens where
 *
 * At most STACK_LISTENERS_MAX, found by port in one step and then by address:
 * several may share a port at different addresses, and the longest prefix
 * wins. A removed listener keeps its slot, and so its name, until its last
 * connection is gone. Connections are in the table alone, so listening touches
 * none of them, whatever state they are in (RFC 9293, 3.9.1.1 (MUST-41,
 * MUST-42)).
 */
#include <errno.h>
#include <string.h>

#include "tcp_priv.h"

static struct listener *listener_by_name(struct stack *st, const char *name,
					 unsigned int *index);
static bool listener_clash(const struct stack *st,
			   const struct stack_listener *l, unsigned int except);
static void ports_rebuild(struct stack *st);

int stack_listen(struct stack *st, const struct stack_listener *l)
{
	unsigned int i = STACK_LISTENERS_MAX;

	if (!listener_by_name(st, l->name, &i))
		for (i = 0; i < STACK_LISTENERS_MAX; i++)
			if (!st->listeners[i].used)
				break;
	return stack_listen_at(st, i, l);
}

int stack_listen_at(struct stack *st, unsigned int i,
		    const struct stack_listener *l)
{
	unsigned int named = i;
	int service = service_index(st, l->service);
	struct listener *slot;

	if (i >= STACK_LISTENERS_MAX || service < 0)
		return -ENOSPC;
	slot = &st->listeners[i];
	if (listener_by_name(st, l->name, &named) ? named != i : slot->used)
		return -ENOSPC;
	if (listener_clash(st, l, i))
		return -EADDRINUSE;
	st->port_listener[slot->conf.port] = 0; /* it may move */
	if (!slot->used)
		memset(slot, 0, sizeof(*slot));
	slot->conf = *l;
	slot->service = (uint8_t)service;
	slot->used = true;
	slot->removed = false;
	ports_rebuild(st);
	return (int)i;
}

int stack_unlisten(struct stack *st, const char *name)
{
	unsigned int i;
	struct listener *l = listener_by_name(st, name, &i);

	if (!l || l->removed)
		return -ENOENT;
	l->removed = true;
	ports_rebuild(st);
	listener_release(st, i);
	return 0;
}

int stack_listener_enable(struct stack *st, const char *name, bool on)
{
	unsigned int i;
	struct listener *l = listener_by_name(st, name, &i);

	if (!l || l->removed)
		return -ENOENT;
	l->conf.enabled = on;
	return 0;
}

bool stack_listener_info(const struct stack *st, unsigned int index,
			 struct listener_info *info)
{
	const struct listener *l;

	if (index >= STACK_LISTENERS_MAX)
		return false;
	l = &st->listeners[index];
	if (!l->used)
		return false;
	*info = (struct listener_info){
		.conf = l->conf,
		.half_open = l->half_open,
		.connections = l->connections,
		.syns = l->syns,
		.opened = l->opened,
		.refused = l->refused,
		.waiting = l->waiting,
		.cookies = l->cookies,
		.last_peer = l->last_peer,
		.last_peer_port = l->last_peer_port,
		.last_conn = l->last_conn,
	};
	memcpy(info->overflows, l->overflows, sizeof(info->overflows));
	if (l->removed)
		info->conf.enabled = false;
	return true;
}

struct listener *listener_find(struct stack *st, const struct ip_addr *local,
			       uint16_t port, unsigned int *index)
{
	struct listener *best = NULL;

	*index = LISTENER_NONE;
	for (unsigned int i = st->port_listener[port]; i;
	     i = st->listeners[i - 1].next) {
		struct listener *l = &st->listeners[i - 1];

		if (!ip_prefix_has(&l->conf.address, local))
			continue;
		if (best && best->conf.address.len >= l->conf.address.len)
			continue;
		best = l;
		*index = i - 1;
	}
	return best;
}

/* One connection or half-open record less; the slot may be free now. */
void listener_release(struct stack *st, unsigned int index)
{
	struct listener *l = &st->listeners[index];

	if (l->removed && !l->half_open && !l->connections && !l->dead)
		l->used = false;
}

static bool name_equal(const char *a, const char *b)
{
	for (unsigned int i = 0; i < STACK_NAME_MAX && a[i] == b[i]; i++)
		if (!a[i])
			return true;
	return false;
}

static struct listener *listener_by_name(struct stack *st, const char *name,
					 unsigned int *index)
{
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		struct listener *l = &st->listeners[i];

		if (l->used && name_equal(l->conf.name, name)) {
			*index = i;
			return l;
		}
	}
	return NULL;
}

/* The same port and the same prefix; nested prefixes are allowed. */
static bool listener_clash(const struct stack *st,
			   const struct stack_listener *l, unsigned int except)
{
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		const struct listener *o = &st->listeners[i];

		if (i != except && o->used && !o->removed &&
		    o->conf.port == l->port &&
		    o->conf.address.len == l->address.len &&
		    ip_prefix_has(&o->conf.address, &l->address.addr))
			return true;
	}
	return false;
}

static void ports_rebuild(struct stack *st)
{
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++)
		st->port_listener[st->listeners[i].conf.port] = 0;
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		struct listener *l = &st->listeners[i];

		if (!l->used || l->removed)
			continue;
		l->next = st->port_listener[l->conf.port];
		st->port_listener[l->conf.port] = (uint8_t)(i + 1);
	}
}
