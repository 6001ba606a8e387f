/*
 * feed.h - What a shard's thread tells the control thread
 */
#ifndef TCPHS_FEED_H
#define TCPHS_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include <tcphs/stack.h>

#include "spsc.h"

struct feed {
	struct spsc events, packets;
	/* The shard's: */
	struct stack *st;
	uint64_t core; /* number of the stack's last event */
	uint64_t gaps; /* events its own ring had no room for, atomic */
	bool some;     /* told since feed_told() */
	uint32_t snap; /* bytes of a packet that are copied; changed by the
			* control thread while it holds the stack */
};

/* What happened to a packet, or that a connection ended. */
struct feed_packet {
	int64_t at_us;
	bool ends;
	struct conn_end end;	    /* if it ends */
	struct stack_packet packet; /* if not; valid until feed_next_packet() */
	struct iovec iov[2];
};

struct feed_event {
	struct event e;
	int64_t told_us; /* the end of the turn it was in, nearly */
};

/** feed_init() - 0 or -ENOMEM */
int feed_init(struct feed *f, struct stack *st);
void feed_free(struct feed *f);

/* ---- the shard's ------------------------------------------------------- */

/** feed_events() - Tell what the stack has to tell, at the end of a turn */
void feed_events(struct feed *f, int64_t now_us);

/** feed_watcher() - Tells of packets; for stack_watch() */
struct stack_watcher feed_watcher(struct feed *f);

/** feed_told() - Was anything told since this was asked last? */
bool feed_told(struct feed *f);

/* ---- the control thread's ---------------------------------------------- */

/** feed_event() - The oldest, or NULL; feed_next_event() goes on */
const struct feed_event *feed_event(struct feed *f);
void feed_next_event(struct feed *f);

/** feed_packet() - The same; false if there is none */
bool feed_packet(struct feed *f, struct feed_packet *out);
void feed_next_packet(struct feed *f);

/** feed_packet_at() - When the next one was; TIME_NEVER if there is none */
int64_t feed_packet_at(struct feed *f);

/** feed_lost_events() - How many there was no room for, since start */
uint64_t feed_lost_events(const struct feed *f);

#endif
