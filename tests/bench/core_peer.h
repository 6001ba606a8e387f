/*
 * core_peer.h - A stack without a device, and the peers that talk to it
 */
#ifndef TCPHS_BENCH_CORE_PEER_H
#define TCPHS_BENCH_CORE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "core/wire.h"
#include "pktmem.h"

#define CORE_TURN     64	 /* packets in a turn, as in the daemon */
#define CORE_SENT_MAX 4096	 /* packets that one turn may bring */
#define CORE_MSS      1448	 /* text bytes of a full segment */
#define CORE_ANSWER   2896	 /* bytes that answer a request */
#define CORE_ALARM    1000000	 /* us between two alarms of a connection */
#define CORE_KEPT     (8u << 20) /* memory of packets, the default */

/* The far end of a connection; its address follows from its index. */
struct core_peer {
	tcp_seq snd_nxt, rcv_nxt;
	uint32_t ts_recent; /* what the stack sent last */
};

/* What the service does beside reading everything at once. */
enum core_mode {
	CORE_READ,
	CORE_REPLY,  /* answer text with CORE_ANSWER bytes */
	CORE_ALARMS, /* set an alarm at text, and again when it goes off */
	CORE_CLOSE,  /* close at once when it opens */
};

struct core {
	struct stack *st;
	void *mem;
	size_t len;
	int64_t now_us;
	enum core_mode mode;
	uint64_t alarms; /* that went off */
	struct core_peer *peers;
	uint32_t npeers;
	unsigned int nin, nout;
	struct {
		uint32_t len;
		uint8_t bytes[WIRE_HEAD_MAX + CORE_MSS];
	} in[CORE_TURN];		 /* the next turn's */
	struct stack_in turn[CORE_TURN]; /* the same, as it is given */
	uint8_t out[CORE_SENT_MAX][WIRE_HEAD_MAX]; /* headers of the last */
	struct pktbus packets;
	struct pktmem *kept; /* NULL as long as nobody asked for it */
	void *kept_mem;
	bool keeping;
	bool reading; /* events, to throw them away */
};

/** core_init() - Make a stack for @n peers and some more; exits if it fails */
void core_init(struct core *c, uint32_t n);
void core_free(struct core *c);

/** core_keep() - Have packets kept from now on, as the daemon does, or not */
void core_keep(struct core *c, bool on);

/** core_tell() - Have events recorded, as the daemon does, or not
 * @read: In each turn; else never */
void core_tell(struct core *c, bool on, bool read);

/** core_require_lost() - Exit if events that nobody read are not all counted:
 * more than the stack remembers, those left the newest and in order */
void core_require_lost(struct core *c);

/** core_put() - Have peer @i send a segment in the next turn */
void core_put(struct core *c, uint32_t i, uint8_t flags, uint32_t len);

/** core_run() - One turn of the stack */
void core_run(struct core *c);

/**
 * core_turn() - The same, measured
 *
 * Return: nanoseconds that it took
 */
uint64_t core_turn(struct core *c);

/** core_learn() - Have the peers take what the stack sent in the last turn */
void core_learn(struct core *c);

/** core_wait() - Turns until nothing is due before @at_us */
void core_wait(struct core *c, int64_t at_us);

/** core_stats() - Counters and gauges of the stack */
struct stack_stats core_stats(const struct core *c);

/** core_require() - Exit if something was not measured that should have been */
void core_require(bool ok, const char *what);

#endif
