/*
 * ctl.c - The control socket: who may come in, and whose turn it is
 *
 * A client costs the loop nothing while it is silent. What takes longer than a
 * moment, a walk over a million connections or a burst of requests, is done in
 * turns: clients with something to do queue in ctl.ready, and each turn looks
 * at so many connections or takes so many lines (ctl_client_run()).
 *
 * Turns are taken in slices of SLICE_US from an ev_idle watcher, so packets go
 * first. If the loop is never idle, an ev_check watcher gives control a slice
 * every STARVED_US: little enough not to be felt, enough to get through.
 *
 * A client whose output nobody reads leaves the queue when CTL_OUT_HIGH bytes
 * wait and returns when they are written (ctl_client.c); the others go on.
 * Nothing is freed in the middle: a client that is lost is marked, and
 * ctl_reap() frees it at the end of the watcher's callback.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl_priv.h"
#include "evmemory.h"
#include "log.h"

#define SLICE_US       200
#define STARVED_US     1000
#define ACCEPT_AGAIN_S 1.0

/* Behind the watchers of the packets, which have priority 0. */
#define PRIORITY_IO   (-1)
#define PRIORITY_WORK EV_MINPRI

static void on_acceptable(struct ev_loop *loop, ev_io *w, int revents);
static void on_accept_again(struct ev_loop *loop, ev_timer *w, int revents);
static void on_idle(struct ev_loop *loop, ev_idle *w, int revents);
static void on_check(struct ev_loop *loop, ev_check *w, int revents);
static void on_news(struct ev_loop *loop, ev_async *w, int revents);

/**
 * ctl_new() - Serve clients on a listening socket
 * @fd: From ctl_listen() or systemd; belongs to the ctl now
 *
 * Looks up the groups: to be called before the sandbox closes.
 *
 * Return: NULL without memory
 */
struct ctl *ctl_new(struct ev_loop *loop, int fd, const struct ctl_conf *conf,
		    struct stack *st, const struct ctl_hooks *hooks)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl)
		return NULL;
	ctl->loop = loop;
	ctl->st = st;
	ctl->hooks = *hooks;
	shards_one(&ctl->one, st);
	ctl->shards = hooks->shards ? hooks->shards : &ctl->one;
	snprintf(ctl->instance, sizeof(ctl->instance), "%s", conf->instance);
	snprintf(ctl->admin_group, sizeof(ctl->admin_group), "%s",
		 conf->admin_group);
	ctl->admin_gid = ctl_group_id(conf->admin_group);
	ctl->reader_gid = ctl_group_id(conf->reader_group);
	ctl->all_may_view = strcmp(conf->reader_group, "*") == 0;
	ctl->stall_s = CTL_STALL_S;
	TAILQ_INIT(&ctl->clients);
	TAILQ_INIT(&ctl->ready);
	ctl_events_init(ctl);
	if (hooks->events) {
		hooks->events->on_new = ctl_events_new;
		hooks->events->arg = ctl;
	}

	ev_io_init(&ctl->acceptable, on_acceptable, fd, EV_READ);
	/* ev_timer_again() wants a timer that repeats; it is stopped then. */
	ev_timer_init(&ctl->accept_again, on_accept_again, 0., ACCEPT_AGAIN_S);
	ev_idle_init(&ctl->idle, on_idle);
	ev_check_init(&ctl->check, on_check);
	ev_set_priority(&ctl->acceptable, PRIORITY_IO);
	ev_set_priority(&ctl->idle, PRIORITY_WORK);
	ev_set_priority(&ctl->check, PRIORITY_WORK);
	ctl->acceptable.data = ctl->accept_again.data = ctl;
	ctl->idle.data = ctl->check.data = ctl;
	ev_async_init(&ctl->news, on_news);
	ctl->news.data = ctl;
	ev_async_start(loop, &ctl->news);
	ev_io_start(loop, &ctl->acceptable);
	return ctl;
}

/**
 * ctl_del() - Drop every client and the listening socket; NULL is fine
 *
 * The socket's file stays: who made it or was given it knows its owner.
 */
void ctl_del(struct ctl *ctl)
{
	struct ctl_client *c;

	if (!ctl)
		return;
	while ((c = TAILQ_FIRST(&ctl->clients))) {
		ctl_dump_farewell(c);
		ctl_client_del(c);
	}
	if (ctl->hooks.events)
		ctl->hooks.events->on_new = NULL;
	ev_io_stop(ctl->loop, &ctl->acceptable);
	ev_timer_stop(ctl->loop, &ctl->accept_again);
	ev_timer_stop(ctl->loop, &ctl->follow_again);
	ev_idle_stop(ctl->loop, &ctl->idle);
	ev_check_stop(ctl->loop, &ctl->check);
	ev_async_stop(ctl->loop, &ctl->news);
	close(ctl->acceptable.fd);
	free(ctl);
}

/* ---- turns ------------------------------------------------------------- */

/** ctl_now_us() - Monotonic, the clock that the stack is run by */
int64_t ctl_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/** ctl_wake() - A client joined or left the queue of those with work */
void ctl_wake(struct ctl *ctl)
{
	if (TAILQ_EMPTY(&ctl->ready)) {
		ev_idle_stop(ctl->loop, &ctl->idle);
		ev_check_stop(ctl->loop, &ctl->check);
	} else {
		ev_idle_start(ctl->loop, &ctl->idle);
		ev_check_start(ctl->loop, &ctl->check);
	}
}

static void refresh_listeners(struct ctl *ctl)
{
	struct listener_info info;

	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		char *name = ctl->listeners[i];

		*name = '\0';
		if (stack_listener_info(ctl->st, i, &info))
			memcpy(name, info.conf.name, STACK_NAME_MAX);
	}
}

static void slice(struct ctl *ctl)
{
	int64_t end_us = ctl_now_us() + SLICE_US;
	struct ctl_client *c;

	/* What a client saw before it asked, it is told. */
	if (ctl->hooks.settle)
		ctl->hooks.settle(ctl->hooks.arg);
	refresh_listeners(ctl);
	while ((c = TAILQ_FIRST(&ctl->ready))) {
		TAILQ_REMOVE(&ctl->ready, c, turn);
		TAILQ_INSERT_TAIL(&ctl->ready, c, turn);
		ctl_client_run(c);
		ctl->sliced_at_us = ctl_now_us();
		if (ctl->sliced_at_us >= end_us)
			break;
	}
	ctl_wake(ctl);
	ctl_reap(ctl);
}

static void on_idle(struct ev_loop *loop, ev_idle *w, int revents)
{
	(void)loop;
	(void)revents;
	slice(w->data);
}

static void on_check(struct ev_loop *loop, ev_check *w, int revents)
{
	struct ctl *ctl = w->data;

	(void)loop;
	(void)revents;
	if (!ev_is_pending(&ctl->idle) &&
	    ctl_now_us() - ctl->sliced_at_us >= STARVED_US)
		slice(ctl);
}

static void on_news(struct ev_loop *loop, ev_async *w, int revents)
{
	struct ctl *ctl = w->data;
	struct ctl_client *c;

	(void)loop;
	(void)revents;
	for (c = TAILQ_FIRST(&ctl->clients); c; c = TAILQ_NEXT(c, link))
		ctl_session_news(c);
	ctl_reap(ctl);
}

/** ctl_reap() - Free the clients that are lost, at the end of a callback */
void ctl_reap(struct ctl *ctl)
{
	struct ctl_client *c, *next;

	for (c = TAILQ_FIRST(&ctl->clients); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->dead)
			ctl_client_del(c);
	}
}

/* ---- coming in --------------------------------------------------------- */

static bool in_group(int fd, const struct ucred *peer, gid_t gid)
{
	socklen_t len = 0;
	gid_t *groups;
	bool found;

	if (gid == CTL_NO_GROUP)
		return false;
	found = peer->gid == gid;
	/* The first call tells how many supplementary groups there are. */
	if (found || !getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) ||
	    errno != ERANGE)
		return found;
	groups = malloc(len);
	if (!groups)
		return false;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len)) {
		for (size_t i = 0; i < len / sizeof(*groups); i++)
			found |= groups[i] == gid;
	}
	free(groups);
	return found;
}

/* As of connect(): a right lost later is lost with the next connection. */
static enum ctl_rights client_rights(const struct ctl *ctl, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return RIGHTS_NONE;
	if (peer.uid == 0 || peer.uid == geteuid() ||
	    in_group(fd, &peer, ctl->admin_gid))
		return RIGHTS_ADMIN;
	if (ctl->all_may_view || in_group(fd, &peer, ctl->reader_gid))
		return RIGHTS_VIEW;
	return RIGHTS_NONE;
}

/* One line instead of the greeting; a new socket has room for it. */
static void turn_away(int fd, enum ctl_error code, const char *message,
		      const char *hint)
{
	char line[512];
	size_t n = ctl_reply_refusal(line, sizeof(line), code, message, hint);

	(void)!send(fd, line, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void admit(struct ctl *ctl, int fd)
{
	enum ctl_rights rights = client_rights(ctl, fd);
	unsigned int most = CTL_CLIENTS_MAX;
	char hint[160] = "only root and the user of tcphsd may";
	struct ctl_client *c;

	if (rights == RIGHTS_NONE) {
		ctl->stats.strangers++;
		if (*ctl->admin_group)
			snprintf(hint, sizeof(hint), "join the group %s",
				 ctl->admin_group);
		turn_away(fd, CTL_ERROR_NOT_PERMITTED,
			  "you may not use this socket", hint);
		return;
	}
	/* Those who may only look cannot lock out those who may act. */
	if (rights < RIGHTS_ADMIN)
		most -= CTL_ADMINS_MIN;
	if (ctl->stats.clients >= most) {
		ctl->stats.busy++;
		turn_away(fd, CTL_ERROR_BUSY, "too many control clients",
			  "try again when one has gone");
		return;
	}
	c = ctl_client_new(ctl, fd, rights);
	if (!c) {
		close(fd);
		return;
	}
	ctl->stats.accepted++;
	ctl_reply_greeting(c);
	ctl_client_settle(c);
}

static void on_acceptable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct ctl *ctl = w->data;
	int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)revents;
	if (fd >= 0) {
		admit(ctl, fd);
		ctl_reap(ctl);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	/* Without descriptors the socket stays readable: do not spin. */
	log_warn("control socket: cannot accept");
	ev_io_stop(loop, &ctl->acceptable);
	ev_timer_again(loop, &ctl->accept_again);
}

static void on_accept_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct ctl *ctl = w->data;

	(void)revents;
	ev_timer_stop(loop, w);
	ev_io_start(loop, &ctl->acceptable);
}
