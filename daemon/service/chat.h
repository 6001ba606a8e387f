/*
 * chat.h - Connections that a person, or a program, reads and writes
 */
#ifndef TCPHS_CHAT_H
#define TCPHS_CHAT_H

#include <tcphs/stack.h>

/* Whoever reads one connection. The first two are set by its owner. */
struct chat_reader {
	/* Something is new: open, text, room to send, the peer's FIN, the end.
	 * Called from inside a turn: look at it later. */
	void (*changed)(struct chat_reader *r);
	bool ends; /* the connection ends with it */
	bool asks; /* the first complaint of the path answers it */

	struct tcp_conn *c; /* NULL after its end */
	bool open;	    /* ESTABLISHED was reached */
	bool peer_closed;   /* and all text before the FIN was read */
	/* Once it ended: why, and what it was. */
	enum close_reason reason;
	struct conn_info last;
};

struct chat_target {
	struct ip_addr peer;
	uint16_t peer_port;
	const struct ip_addr *local; /* NULL = ours */
	uint16_t local_port;	     /* 0 = any */
	bool nodelay;
	int64_t patience_us; /* without progress; 0 = as configured */
};

/** chat_open() - Active open for @r; 0, or as stack_open() */
int chat_open(struct stack *st, const struct chat_target *to, int64_t now_us,
	      struct chat_reader *r);

/**
 * chat_attach() - Read a connection from now on
 *
 * Return: 0; -EBUSY if somebody else does; -EINVAL if it is not of this service
 */
int chat_attach(struct stack *st, struct tcp_conn *c, struct chat_reader *r);

/** chat_detach() - Read it no more; it is closed if it @ends with its reader, or
 * the peer has said all */
void chat_detach(struct stack *st, struct chat_reader *r);

/** chat_is() - Is it a connection of this service? */
bool chat_is(const struct stack *st, const struct tcp_conn *c);

#endif
