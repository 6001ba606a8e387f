/*
 * fake_chat.h - The chat service with one connection, for tests of sessions
 */
#ifndef TCPHS_FAKE_CHAT_H
#define TCPHS_FAKE_CHAT_H

#include "fake_stack.h"
#include "service/chat.h"

struct fake_chat {
	struct chat_reader *reader; /* NULL = nobody */
	struct chat_target target;  /* of the last chat_open() */
	int open_error, attach_error;
	bool foreign; /* it is of another service */

	char in[100000]; /* arrived and not consumed */
	size_t in_len;
	char out[100000]; /* queued */
	size_t out_len, room;
	bool closed;
	unsigned int detached;
};

extern struct fake_chat fake_chat;

/** fake_chat_reset() - As at the start */
void fake_chat_reset(void);

/** fake_chat_open() - The handshake is over */
void fake_chat_open(void);

/** fake_chat_rx() - Text arrives */
void fake_chat_rx(const char *text, size_t len);

void fake_chat_peer_closes(void);

/** fake_chat_end() - The connection ended, for this reason */
void fake_chat_end(enum close_reason why);

#endif
