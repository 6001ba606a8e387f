/*
 * notify.h - What the service manager is told
 */
#ifndef TCPHS_NOTIFY_H
#define TCPHS_NOTIFY_H

#include <ev.h>
#include <stdbool.h>

#include <tcphs/stack.h>

#include "shards.h"

struct notify {
	struct ev_loop *ev;
	struct shards *shards;
	void (*kick)(void *arg);
	void *arg;
	ev_timer watchdog, status;
	bool watchdog_due;  /* the next turn says that we live */
	const char *state;  /* "ready" or "stopping" */
	const char *remark; /* added to the status; NULL = nothing */
	char told[192];	    /* the last status */
};

/**
 * notify_ready() - Say that we are ready, and go on with status and watchdog
 *
 * @kick: Has notify_turn() called soon
 *
 * Nothing happens unless a service manager wants to know.
 */
void notify_ready(struct notify *n, struct ev_loop *ev, struct shards *shards,
		  void (*kick)(void *arg), void *arg);

/** notify_turn() - A turn was taken: the daemon lives, numbers may differ */
void notify_turn(struct notify *n);

/**
 * notify_remark() - Add words to the status
 * @remark: Must stay; NULL to take them away
 */
void notify_remark(struct notify *n, const char *remark);

/** notify_stopping() - Say that the end has begun */
void notify_stopping(struct notify *n);

void notify_stop(struct notify *n);

#endif
