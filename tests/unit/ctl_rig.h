/*
 * ctl_rig.h - The control socket, with real clients on a real loop
 *
 * Both ends live in this process. A client's socket does not block; whoever
 * waits for something turns the loop until it is there or PATIENCE_S are over.
 * The stack is a fake one (fake_stack.h), so a table of a million connections,
 * two of them with one id, costs nothing.
 */
#ifndef TCPHS_CTL_RIG_H
#define TCPHS_CTL_RIG_H

#include "ctl.h"

#include <stdbool.h>
#include <stddef.h>

#include "capture.h"
#include "capture_files.h"
#include "core/assert.h"
#include "ctl_priv.h"
#include "evmemory.h"
#include "fake_stack.h"
#include "pktmem.h"
#include "unit.h"

#define PATIENCE_S 20.0
#define RIG_EVENTS 256 /* that are remembered */

struct rig {
	char dir[32], path[64];
	struct ev_loop *loop;
	struct ctl *ctl;
	struct ctl_conf conf;
	struct stack *st;
	struct evbus bus;
	struct evmemory memory;
	struct pktbus packets;
	struct capture capture;
	struct capture_files files; /* in DIR/cap */
	struct pktmem *pktmem;
	void *pktmem_room;
	int reload_answer;
	char asked[256]; /* listener.add or .del, and with what */
	bool refuses;	 /* them */
	unsigned int kicks;
	int level; /* of the hook; -1 before */
};

struct peer {
	struct rig *rig;
	int fd;
	bool ended; /* the daemon closed */
	char *text; /* received; not yet taken from start to len */
	size_t start, len, size;
};

#define GREETING                                               \
	"{\"tcphs\":{\"proto\":1,\"version\":\"" TCPHS_VERSION \
	"\",\"instance\":\"tcphs0\",\"rights\":\"admin\",\"features\":[]}}"

void rig_init(struct rig *r, unsigned int nconns);
void rig_free(struct rig *r);

/** rig_start() - A rig with one greeted client */
void rig_start(struct rig *r, struct peer *p, unsigned int nconns);
void rig_stop(struct rig *r, struct peer *p);

/** rig_turn() - Let the loop do what is due */
void rig_turn(struct rig *r);

/** rig_no_memory() - The @nth calloc() of the daemon's from now on fails */
void rig_no_memory(unsigned int nth);

/** rig_memory() - Bytes held for all clients */
size_t rig_memory(const struct rig *r);

void peer_init(struct peer *p, struct rig *r);
void peer_greeted(struct peer *p, struct rig *r);
void peer_free(struct peer *p);

/** peer_read() - Read what is there without waiting */
void peer_read(struct peer *p);
void peer_send(struct peer *p, const char *data, size_t len);
void peer_say(struct peer *p, const char *line);

/** peer_line() - A line without its end, to be freed; NULL at the end */
char *peer_line(struct peer *p);

/** peer_json() - The next line as JSON */
json_t *peer_json(struct peer *p);

/** peer_expect() - The next line, which must be this one */
void peer_expect(struct peer *p, const char *want);
void peer_expect_end(struct peer *p);

/** peer_expect_error() - "error" of the next line has this code and message */
void peer_expect_error(struct peer *p, const char *code, const char *message,
		       const char *hint);
void peer_ask(struct peer *p, const char *request, const char *answer);

#endif
