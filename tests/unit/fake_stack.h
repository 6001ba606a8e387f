/*
 * fake_stack.h - A table of connections without TCP, for ctl
 *
 * Any number of connections of any kind, two of the same id if need be, and a
 * note of what was done to them. Linked in place of daemon/core/stack.c.
 */
#ifndef TCPHS_FAKE_STACK_H
#define TCPHS_FAKE_STACK_H

#include <tcphs/stack.h>

enum fake_deed { FAKE_NOTHING, FAKE_CLOSED, FAKE_ABORTED };

struct tcp_conn {
	struct conn_info info;
	enum fake_deed deed;
};

struct stack {
	struct tcp_conn *conns;
	unsigned int n;
	uint64_t walked;    /* places looked at by all walks */
	unsigned int walks; /* begun */
	/* From this walk on, counted from 1, conns[0] is gone, or another one
	 * between the same ends; 0 = never. */
	unsigned int gone_walk, renewed_walk;
	struct stack_conf conf;
	/* Events that wait to be taken, and those that are wanted. */
	struct event events[64];
	unsigned int put, got;
	uint64_t mask;
	struct stack_watcher watcher;	    /* packet is NULL: nobody watches */
	struct stack_listener listeners[3]; /* echo, web, and a free place */
};

/**
 * fake_stack_new() - @n established connections c1, c2, ... of listener echo
 *
 * Their peers are 10.x.y.z with the id in it, port 40000.
 */
struct stack *fake_stack_new(unsigned int n);

/** fake_stack_emit() - An event of connection c@conn, if it is wanted */
void fake_stack_emit(struct stack *st, enum event_type type, uint32_t conn);
void fake_stack_del(struct stack *st);

#endif
