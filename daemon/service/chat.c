/*
 * chat.c - Text is for whoever reads the connection
 *
 * Nothing is held here: what nobody reads stays in the receive queue, so that a
 * client who writes a gigabyte finds his window shut, and what is written waits
 * for room in the send queue. A connection may wait for a reader for as long as
 * it likes, and may have one after the other. Connections that we opened belong
 * to their reader and end with him.
 */
#include "service/chat.h"

#include <errno.h>

#include "service/service.h"

static void changed(struct chat_reader *r)
{
	if (r)
		r->changed(r);
}

static void chat_opened(struct stack *st, struct tcp_conn *c)
{
	struct chat_reader *r = tcp_user(c);

	if (r)
		r->open = true;
	else
		tcp_await(st, c, true);
	changed(r);
}

static void chat_changed(struct stack *st, struct tcp_conn *c)
{
	(void)st;
	changed(tcp_user(c));
}

/* Without a reader there is nobody who would say more. */
static void chat_peer_closed(struct stack *st, struct tcp_conn *c)
{
	struct chat_reader *r = tcp_user(c);

	if (!r) {
		tcp_close(st, c);
		return;
	}
	r->peer_closed = true;
	changed(r);
}

/*
 * RFC 9293, 3.9.2.2 (MUST-56): an unreachable network or host ends nothing by
 * itself, for the route may come back. It is up to the user, and one that only
 * asks who is there has heard enough.
 */
static void chat_trouble(struct stack *st, struct tcp_conn *c,
			 const struct tcp_trouble *t)
{
	const struct chat_reader *r = tcp_user(c);

	if (r && r->asks && !r->open && t->what == TROUBLE_ICMP)
		tcp_abort(st, c, CLOSE_UNREACHABLE);
}

static void chat_closed(struct stack *st, struct tcp_conn *c,
			enum close_reason why)
{
	struct chat_reader *r = tcp_user(c);

	if (!r) {
		tcp_await(st, c, false);
		return;
	}
	tcp_info(st, c, &r->last, stack_now(st));
	r->reason = why;
	r->c = NULL;
	changed(r);
}

const struct tcp_service chat_service = {
	.name = "chat",
	.on_open = chat_opened,
	.on_data = chat_changed,
	.on_writable = chat_changed,
	.on_peer_closed = chat_peer_closed,
	.on_trouble = chat_trouble,
	.on_closed = chat_closed,
};

int chat_open(struct stack *st, const struct chat_target *to, int64_t now_us,
	      struct chat_reader *r)
{
	int err = stack_open(st, &chat_service, r, &to->peer, to->peer_port,
			     to->local, to->local_port, now_us, &r->c);

	if (err)
		return err;
	tcp_set_nodelay(st, r->c, to->nodelay);
	if (to->patience_us &&
	    tcp_set_user_timeout(st, r->c, to->patience_us) < 0) {
		tcp_set_user(r->c, NULL);
		tcp_close(st, r->c);
		r->c = NULL;
		return -ENOBUFS;
	}
	return 0;
}

int chat_attach(struct stack *st, struct tcp_conn *c, struct chat_reader *r)
{
	struct conn_info info;

	if (!chat_is(st, c))
		return -EINVAL;
	if (tcp_user(c))
		return -EBUSY;
	tcp_info(st, c, &info, stack_now(st));
	tcp_await(st, c, false);
	tcp_set_user(c, r);
	r->c = c;
	r->open = true;
	/* If all text was read before, nobody says this a second time. */
	r->peer_closed = info.state == TCP_CLOSE_WAIT && !info.recv_queued;
	return 0;
}

void chat_detach(struct stack *st, struct chat_reader *r)
{
	if (!r->c)
		return;
	tcp_set_user(r->c, NULL);
	tcp_await(st, r->c, true);
	if (r->ends || r->peer_closed)
		tcp_dismiss(st, r->c);
	r->c = NULL;
}

bool chat_is(const struct stack *st, const struct tcp_conn *c)
{
	return tcp_conn_service(st, c) == &chat_service;
}
