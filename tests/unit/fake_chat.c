/*
 * fake_chat.c - The chat service with one connection, for tests of sessions
 */
#include "fake_chat.h"

#include <errno.h>
#include <string.h>

#include "core/assert.h"

struct fake_chat fake_chat;

static struct tcp_conn conn; /* of those that were opened */

static struct conn_info info(void)
{
	static const struct ip_addr own = {
		.b = {[10] = 0xff, 0xff, 198, 18, 66, 2}};

	return (struct conn_info){
		.id = 42,
		.state = TCP_ESTABLISHED,
		.role = ROLE_CLIENT,
		.listener = LISTENER_NONE,
		.local = own,
		.local_port = 50000,
		.peer = fake_chat.target.peer,
		.peer_port = fake_chat.target.peer_port,
		.handshake_us = 213,
		.age_us = 7500,
		.retrans = 2,
	};
}

void fake_chat_reset(void)
{
	memset(&fake_chat, 0, sizeof(fake_chat));
	fake_chat.room = sizeof(fake_chat.out);
}

void fake_chat_open(void)
{
	fake_chat.reader->open = true;
	fake_chat.reader->changed(fake_chat.reader);
}

void fake_chat_rx(const char *text, size_t len)
{
	ASSERT(fake_chat.in_len + len <= sizeof(fake_chat.in));
	memcpy(fake_chat.in + fake_chat.in_len, text, len);
	fake_chat.in_len += len;
	fake_chat.reader->changed(fake_chat.reader);
}

void fake_chat_peer_closes(void)
{
	fake_chat.reader->peer_closed = true;
	fake_chat.reader->changed(fake_chat.reader);
}

void fake_chat_end(enum close_reason why)
{
	struct chat_reader *r = fake_chat.reader;

	fake_chat.reader = NULL;
	r->c = NULL;
	r->reason = why;
	r->last = info();
	r->changed(r);
}

/* ---- chat ---- */

int chat_open(struct stack *st, const struct chat_target *to, int64_t now_us,
	      struct chat_reader *r)
{
	(void)st;
	(void)now_us;
	fake_chat.target = *to;
	if (fake_chat.open_error)
		return fake_chat.open_error;
	fake_chat.reader = r;
	r->c = &conn;
	return 0;
}

int chat_attach(struct stack *st, struct tcp_conn *c, struct chat_reader *r)
{
	(void)st;
	if (fake_chat.attach_error)
		return fake_chat.attach_error;
	fake_chat.reader = r;
	r->c = c;
	r->open = true;
	return 0;
}

void chat_detach(struct stack *st, struct chat_reader *r)
{
	(void)st;
	if (!r->c)
		return;
	fake_chat.reader = NULL;
	fake_chat.detached++;
	r->c = NULL;
}

bool chat_is(const struct stack *st, const struct tcp_conn *c)
{
	(void)st;
	(void)c;
	return !fake_chat.foreign;
}

/* ---- its connection ---- */

size_t tcp_peek(struct stack *st, struct tcp_conn *c, const uint8_t **data)
{
	(void)st;
	(void)c;
	*data = (const uint8_t *)fake_chat.in;
	return fake_chat.in_len;
}

void tcp_consume(struct stack *st, struct tcp_conn *c, size_t n)
{
	(void)st;
	(void)c;
	ASSERT(n <= fake_chat.in_len);
	fake_chat.in_len -= n;
	memmove(fake_chat.in, fake_chat.in + n, fake_chat.in_len);
}

size_t tcp_send_room(struct stack *st, struct tcp_conn *c)
{
	(void)st;
	(void)c;
	return fake_chat.room;
}

ssize_t tcp_send(struct stack *st, struct tcp_conn *c, const void *data,
		 size_t len)
{
	(void)st;
	(void)c;
	if (fake_chat.closed)
		return -EPIPE;
	if (len > fake_chat.room)
		len = fake_chat.room;
	ASSERT(fake_chat.out_len + len <= sizeof(fake_chat.out));
	memcpy(fake_chat.out + fake_chat.out_len, data, len);
	fake_chat.out_len += len;
	fake_chat.room -= len;
	return (ssize_t)len;
}

void tcp_close(struct stack *st, struct tcp_conn *c)
{
	(void)st;
	(void)c;
	fake_chat.closed = true;
}

void tcp_info(struct stack *st, struct tcp_conn *c, struct conn_info *i,
	      int64_t now_us)
{
	(void)st;
	(void)c;
	(void)now_us;
	*i = info();
}
