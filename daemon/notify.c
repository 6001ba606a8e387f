/*
 * notify.c - What the service manager is told (sd_notify(3))
 *
 * READY when the first packet can be answered, STOPPING when the end begins,
 * and in between a STATUS line for `systemctl status`. It is looked at a second
 * after something happened and sent if it differs, so an idle daemon sleeps and
 * a busy one sends one line a second.
 *
 * The watchdog is fed from a turn, not from the timer that asks for it: a loop
 * that spins without taking turns is dead and may be killed.
 */
#include "notify.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include <tcphs/plural.h>

#define STATUS_SECONDS 1.

static void on_watchdog(struct ev_loop *ev, ev_timer *w, int revents);
static void on_status(struct ev_loop *ev, ev_timer *w, int revents);
static void tell_status(struct notify *n);

void notify_ready(struct notify *n, struct ev_loop *ev, struct shards *shards,
		  void (*kick)(void *arg), void *arg)
{
	uint64_t usec = 0;
	double half;

	n->ev = ev;
	n->shards = shards;
	n->kick = kick;
	n->arg = arg;
	n->state = "ready";
	ev_init(&n->watchdog, on_watchdog);
	ev_timer_init(&n->status, on_status, STATUS_SECONDS, 0.);
	n->watchdog.data = n->status.data = n;
	(void)sd_notify(0, "READY=1");
	tell_status(n);
	if (sd_watchdog_enabled(0, &usec) > 0 && usec) {
		half = (double)usec / 2e6;
		ev_timer_set(&n->watchdog, half, half);
		ev_timer_start(ev, &n->watchdog);
	}
}

void notify_turn(struct notify *n)
{
	if (n->watchdog_due) {
		/* Whoever is stuck in a turn does not let us in. */
		shards_hold_all(n->shards);
		shards_release_all(n->shards);
		(void)sd_notify(0, "WATCHDOG=1");
	}
	n->watchdog_due = false;
	if (ev_is_active(&n->status))
		return;
	ev_timer_set(&n->status, STATUS_SECONDS, 0.);
	ev_timer_start(n->ev, &n->status);
}

void notify_remark(struct notify *n, const char *remark)
{
	n->remark = remark;
	tell_status(n);
}

void notify_stopping(struct notify *n)
{
	n->state = "stopping";
	(void)sd_notify(0, "STOPPING=1");
	tell_status(n);
}

/**
 * notify_stop() - Tell nothing more
 */
void notify_stop(struct notify *n)
{
	ev_timer_stop(n->ev, &n->watchdog);
	ev_timer_stop(n->ev, &n->status);
}

static void on_watchdog(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct notify *n = w->data;

	(void)ev;
	(void)revents;
	n->watchdog_due = true;
	n->kick(n->arg);
}

static void on_status(struct ev_loop *ev, ev_timer *w, int revents)
{
	(void)ev;
	(void)revents;
	tell_status(w->data);
}

/* "STATUS=ready, 3 listeners, 41 connections" */
static void tell_status(struct notify *n)
{
	struct listener_info info;
	struct stack_stats stats;
	unsigned int listeners = 0;
	char text[sizeof(n->told)];

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		if (shards_listener_info(n->shards, i, &info) &&
		    info.conf.enabled)
			listeners++;
	}
	shards_stats(n->shards, &stats);
	snprintf(text, sizeof(text),
		 "STATUS=%s, %u listener%s, %u connection%s%s%s", n->state,
		 listeners, plural(listeners), stats.full, plural(stats.full),
		 n->remark ? "; " : "", n->remark ? n->remark : "");
	if (strcmp(text, n->told) == 0)
		return;
	memcpy(n->told, text, sizeof(text));
	(void)sd_notify(0, text);
}
