/*
 * load.h - Between the files of the load generator
 *
 *	load.c        options, the epoll loop, phases, results
 *	load_turns.c  short exchanges: cec, rr
 *	load_bulk.c   as much as goes through: down, up
 *	load_hold.c   very many connections: hold
 */
#ifndef TCPHS_BENCH_LOAD_H
#define TCPHS_BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "latency.h"

enum load_phase {
	PHASE_OPENING,	 /* not all connections are there yet */
	PHASE_WARMING,	 /* caches, windows, clock speed */
	PHASE_MEASURING, /* what happens now is counted */
	PHASE_OVER,
};

/* One connection, or one worker that makes connections. */
struct load_flow {
	int fd; /* -1 = none */
	enum { FLOW_CONNECTING, FLOW_OPEN, FLOW_WAITING } state;
	uint32_t got;	      /* bytes of the answer */
	uint64_t bytes;	      /* down: received; up: acked before measuring */
	uint64_t asked_at_ns; /* when the exchange that is under way began */
};

struct load {
	const struct load_mode *mode;
	struct sockaddr_storage to;
	socklen_t to_len;
	int epoll;
	struct load_flow *flows;
	uint32_t n, open;
	uint32_t started;	      /* hold: flows that were begun */
	double seconds, warm_seconds; /* to measure, and before that */
	uint64_t max; /* exchanges, 0 = as many as time allows */
	enum load_phase phase;
	uint64_t phase_at_ns; /* when it began */
	uint64_t count;	      /* exchanges in PHASE_MEASURING */
	uint64_t failed;      /* connections that did not do what they should */
	int error;	      /* errno of the last of them that had one */
	struct latency latency;
};

struct load_mode {
	const char *name;
	uint16_t port;	/* default */
	uint32_t edges; /* events to wait for, see epoll_ctl(2) */
	/* Begin, with every flow closed. NULL: open all of them. */
	void (*start)(struct load *l);
	void (*event)(struct load *l, struct load_flow *f, uint32_t events);
	/* PHASE_MEASURING begins. NULL: nothing to do. */
	void (*mark)(struct load *l);
	/* Print the members of the result that belong to the mode. */
	void (*report)(struct load *l, double seconds);
};

extern const struct load_mode load_cec, load_rr, load_down, load_up, load_hold;

/* ---- load.c ------------------------------------------------------------ */

uint64_t load_now_ns(void);

/** load_connect() - Start a connection; counts it as failed if that fails */
bool load_connect(struct load *l, struct load_flow *f);

/**
 * load_connected() - Did it work out?
 *
 * To be called at the first event of a flow in FLOW_CONNECTING, which is
 * FLOW_OPEN then, or closed and counted as failed.
 */
bool load_connected(struct load *l, struct load_flow *f, uint32_t events);

/** load_fail() - Close it and count it */
void load_fail(struct load *l, struct load_flow *f);

void load_close(struct load_flow *f);

/** load_run() - Handle events until the phase is over */
void load_run(struct load *l, double seconds);

#endif
