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
#include <grp.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "core/assert.h"
#include "ctl_priv.h"
#include "log.h"

#define SLICE_US       200
#define STARVED_US     2000
#define BACKLOG	       128
#define ACCEPT_AGAIN_S 1.0
#define NO_GROUP       ((gid_t)-1)

/* Behind the watchers of the packets, which have priority 0. */
#define PRIORITY_IO   (-1)
#define PRIORITY_WORK EV_MINPRI

static int claim_path(const char *path, const struct sockaddr_un *addr,
		      char *err, size_t errlen);
static int set_access(const struct ctl_conf *conf, char *err, size_t errlen);
static void let_readers_in(const struct ctl_conf *conf);
static gid_t group_id(const char *name);
static void on_acceptable(struct ev_loop *loop, ev_io *w, int revents);
static void on_accept_again(struct ev_loop *loop, ev_timer *w, int revents);
static void on_idle(struct ev_loop *loop, ev_idle *w, int revents);
static void on_check(struct ev_loop *loop, ev_check *w, int revents);

/**
 * ctl_listen() - Make the control socket
 * @err: Gets one sentence on failure
 *
 * A socket file that nobody listens on any more is replaced. Directories are
 * not made. To be called with the rights to chown it to admin_group.
 *
 * Return: the listening fd; -EADDRINUSE if another instance answers there, or
 *         another negative errno
 */
int ctl_listen(const struct ctl_conf *conf, char *err, size_t errlen)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, ret;

	if (strlen(conf->path) >= sizeof(addr.sun_path)) {
		snprintf(err, errlen,
			 "control socket: the path %s is longer "
			 "than %zu bytes",
			 conf->path, sizeof(addr.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(addr.sun_path, conf->path);
	ret = claim_path(conf->path, &addr, err, errlen);
	if (ret)
		return ret;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		ret = -errno;
		snprintf(err, errlen, "control socket: %s", strerror(-ret));
		return ret;
	}
	mask = umask(0177); /* nobody else before set_access() */
	ret = bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) ? -errno
								     : 0;
	umask(mask);
	if (ret) {
		snprintf(err, errlen, "control socket %s: %s", conf->path,
			 strerror(-ret));
		close(fd);
		return ret;
	}
	ret = set_access(conf, err, errlen);
	if (!ret && listen(fd, BACKLOG)) {
		ret = -errno;
		snprintf(err, errlen, "control socket %s: %s", conf->path,
			 strerror(-ret));
	}
	if (!ret)
		return fd;
	unlink(conf->path);
	close(fd);
	return ret;
}

/* Is somebody listening there? If not, what is left of the last one goes. */
static int claim_path(const char *path, const struct sockaddr_un *addr,
		      char *err, size_t errlen)
{
	struct stat sb;
	int fd, ret;

	if (lstat(path, &sb))
		return 0; /* bind() says what is wrong with the path */
	if (!S_ISSOCK(sb.st_mode)) {
		snprintf(err, errlen,
			 "control socket %s: something else has "
			 "this name, and it is no socket",
			 path);
		return -EEXIST;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	ret = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? errno
									: 0;
	close(fd);
	if (ret != ECONNREFUSED) { /* EAGAIN: it listens, with a full backlog */
		snprintf(err, errlen,
			 "control socket %s: another tcphsd "
			 "answers there",
			 path);
		return -EADDRINUSE;
	}
	if (unlink(path)) {
		ret = -errno;
		snprintf(err, errlen,
			 "control socket %s: cannot replace the "
			 "stale socket: %s",
			 path, strerror(-ret));
		return ret;
	}
	return 0;
}

static int set_access(const struct ctl_conf *conf, char *err, size_t errlen)
{
	gid_t gid = group_id(conf->admin_group);
	int ret;

	if (gid != NO_GROUP && chown(conf->path, (uid_t)-1, gid)) {
		ret = -errno;
		snprintf(err, errlen,
			 "control socket %s: cannot give it to "
			 "group %s: %s",
			 conf->path, conf->admin_group, strerror(-ret));
		return ret;
	}
	if (chmod(conf->path, conf->mode & 0777)) {
		ret = -errno;
		snprintf(err, errlen,
			 "control socket %s: cannot set its mode: "
			 "%s",
			 conf->path, strerror(-ret));
		return ret;
	}
	let_readers_in(conf);
	return 0;
}

/*
 * A file has one group, and that is the admins'. The readers' comes in by an
 * access list (acl(5)) with the same rights as the group's; what they may do
 * is decided by client_rights(). Where the file system has no access lists
 * only the socket's mode decides, and the log says so.
 */
static void let_readers_in(const struct ctl_conf *conf)
{
	gid_t gid = group_id(conf->reader_group);
	uint16_t owner = conf->mode >> 6 & 7, group = conf->mode >> 3 & 7;
	struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry entry[5];
	} acl = {
		.head = {POSIX_ACL_XATTR_VERSION},
		.entry =
			{
				{ACL_USER_OBJ, owner, ACL_UNDEFINED_ID},
				{ACL_GROUP_OBJ, group, ACL_UNDEFINED_ID},
				{ACL_GROUP, group, gid},
				{ACL_MASK, group, ACL_UNDEFINED_ID},
				{ACL_OTHER, conf->mode & 7, ACL_UNDEFINED_ID},
			},
	};

	if (gid == NO_GROUP)
		return;
	if (setxattr(conf->path, "system.posix_acl_access", &acl, sizeof(acl),
		     0))
		log_warn("control socket %s: group %s cannot be let in",
			 conf->path, conf->reader_group);
}

/* Groups are looked up at start only: later there is no way to the files. */
static gid_t group_id(const char *name)
{
	const struct group *g;

	if (!*name || strcmp(name, "*") == 0)
		return NO_GROUP;
	g = getgrnam(name);
	return g ? g->gr_gid : NO_GROUP;
}

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
	snprintf(ctl->instance, sizeof(ctl->instance), "%s", conf->instance);
	snprintf(ctl->admin_group, sizeof(ctl->admin_group), "%s",
		 conf->admin_group);
	ctl->admin_gid = group_id(conf->admin_group);
	ctl->reader_gid = group_id(conf->reader_group);
	ctl->all_may_view = strcmp(conf->reader_group, "*") == 0;
	ctl->stall_s = CTL_STALL_S;
	TAILQ_INIT(&ctl->clients);
	TAILQ_INIT(&ctl->ready);

	ev_io_init(&ctl->acceptable, on_acceptable, fd, EV_READ);
	ev_timer_init(&ctl->accept_again, on_accept_again, ACCEPT_AGAIN_S, 0);
	ev_idle_init(&ctl->idle, on_idle);
	ev_check_init(&ctl->check, on_check);
	ev_set_priority(&ctl->acceptable, PRIORITY_IO);
	ev_set_priority(&ctl->idle, PRIORITY_WORK);
	ev_set_priority(&ctl->check, PRIORITY_WORK);
	ctl->acceptable.data = ctl->accept_again.data = ctl;
	ctl->idle.data = ctl->check.data = ctl;
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
	while ((c = TAILQ_FIRST(&ctl->clients)))
		ctl_client_del(c);
	ev_io_stop(ctl->loop, &ctl->acceptable);
	ev_timer_stop(ctl->loop, &ctl->accept_again);
	ev_idle_stop(ctl->loop, &ctl->idle);
	ev_check_stop(ctl->loop, &ctl->check);
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

	if (gid == NO_GROUP)
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
	if (ctl->stats.clients >= CTL_CLIENTS_MAX) {
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
