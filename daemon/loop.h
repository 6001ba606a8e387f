/*
 * loop.h - The daemon's turn
 */
#ifndef TCPHS_LOOP_H
#define TCPHS_LOOP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include <tcphs/histogram.h>
#include <tcphs/stack.h>

#include "spin.h"
#include "tun.h"

struct loop_hooks {
	void *arg;
	/* Once a turn, after the packets and before the services. Returns true
	 * to have another turn at once. */
	bool (*turn)(void *arg, int64_t now_us);
	/* The interface is gone. The loop reads nothing from it any more. */
	void (*gone)(void *arg);
	/* At the end of a turn: take the stack's events. Returns when to have
	 * the next turn at the latest, TIME_NEVER. */
	int64_t (*drain)(void *arg, int64_t now_us);
	/* If others run stacks like this one: around each turn; and whether a
	 * packet was somebody else's, and is with him now. Else NULL. */
	void (*enter)(void *arg);
	void (*leave)(void *arg);
	bool (*elsewhere)(void *arg, const uint8_t *pkt, size_t len,
			  const struct stack_rx *meta);
	/* Is there a packet that somebody else read? */
	bool (*waits)(void *arg);
};

/* So many bytes are read before the first of them are looked at: small packets
 * come STACK_AHEAD at once, long ones are not pushed out of the cache. */
#define LOOP_AHEAD_LEN 8192

struct loop {
	struct ev_loop *ev;
	struct stack *st;
	struct tun *tun;
	struct loop_hooks hooks;
	ev_io readable;
	ev_timer due; /* exact to a millisecond */
	ev_io soon;   /* ... to a microsecond: its timerfd */
	ev_prepare before_sleep;
	ev_idle awake; /* as long as it looks for packets itself */
	struct spin spin;
	bool has_packets;     /* the device was readable */
	bool wanted;	      /* a turn is */
	int64_t due_us;	      /* the next deadline, or TIME_NEVER */
	int64_t soon_us;      /* what the timerfd is set to, or it is not */
	int64_t late_us;      /* how much later it was noticed; -1 = not yet */
	struct histogram lag; /* the same, of all turns */
	/* Packets side by side, the last of them the longest there is, behind
	 * its virtio header. */
	_Alignas(16) uint8_t packets[LOOP_AHEAD_LEN + 16 + STACK_SEGMENT_MAX];
};

/**
 * loop_init() - Take turns in @ev from its next iteration on
 * @hooks: Copied
 * @spin:  Look for packets before sleeping, where that pays
 *
 * Return: 0, or -errno if there is no timer
 */
int loop_init(struct loop *l, struct ev_loop *ev, struct stack *st,
	      struct tun *tun, const struct loop_hooks *hooks, bool spin);

/** loop_kick() - Have a turn soon: something was marked in the stack */
void loop_kick(struct loop *l);

void loop_stop(struct loop *l);

/** loop_now_us() - The clock of the stack */
int64_t loop_now_us(void);

#endif
