/*
 * ctl.h - The control socket
 */
#ifndef TCPHS_CTL_SERVER_H
#define TCPHS_CTL_SERVER_H

#include <ev.h>
#include <jansson.h>
#include <stddef.h>

#include <tcphs/stack.h>

struct capture;
struct capture_files;
struct ctl;
struct pktmem;
struct shards;
struct evmemory;

/* Takes one item of an answer; the reference, too. */
typedef void ctl_put_fn(void *to, json_t *item);

/* Which alerts are asked for. */
struct ctl_alert_filter {
	bool active;		       /* those alone */
	int kind;		       /* enum alert_kind; -1 = all */
	char listener[STACK_NAME_MAX]; /* "" = all */
};

/* What only the daemon can do for a client. */
struct ctl_hooks {
	void *arg;
	/* Read the configuration again: 1 = taken, 0 = nothing changed,
	 * negative = refused, with a sentence in @err. */
	int (*reload)(void *arg, char *err, size_t errlen);
	/* Add the members of "status" that the stack does not count. */
	void (*status)(void *arg, json_t *status);
	/* Add "tun" counters to "stats". */
	void (*stats)(void *arg, json_t *stats);
	/* Listen at one more port: @n settings "key=value" as in the file. 0,
	 * or a negative errno with a sentence in @err. */
	int (*add_listener)(void *arg, const char *name,
			    const char *const *settings, size_t n, char *err,
			    size_t errlen);
	/* The same for one that is there; -ENOENT if it is not. */
	int (*set_listener)(void *arg, const char *name,
			    const char *const *settings, size_t n, char *err,
			    size_t errlen);
	/* 0 or -ENOENT */
	int (*del_listener)(void *arg, const char *name);
	/* Something was marked in the stack: run a turn soon. */
	void (*kick)(void *arg);
	/* The stacks, if there are several. */
	struct shards *shards;
	/* Hear all that happened up to now in other threads; may be NULL. */
	void (*settle)(void *arg);
	/* The stack that opens a connection; NULL: there is one. */
	struct stack *(*opener)(void *arg, const struct ip_addr *local,
				uint16_t local_port, const struct ip_addr *peer,
				uint16_t peer_port);
	/* Give the log another level, or one module of it, and record what it
	 * needs for that; false if there is no such module. */
	bool (*log_level)(void *arg, const char *module, int level);
	/* Where events are remembered; may be NULL. */
	struct evmemory *events;
	/* Where packets are kept; NULL if none are. */
	const struct pktmem *packets;
	/* Put how long handshakes took, an object for each listener (that of
	 * this name, or all if it is NULL) and for our own active opens. */
	void (*histogram)(void *arg, const char *listener, ctl_put_fn *put,
			  void *to);
	/* What dump.follow takes packets from. */
	struct capture *capture;
	/* Put every family of metrics. */
	void (*metrics)(void *arg, ctl_put_fn *put, void *to);
	struct capture_files *files; /* of capture.start */
	/* Put what the daemon runs with, a setting each: @all, or those that
	 * have not their default. Return: a result, a new reference */
	json_t *(*config_show)(void *arg, bool all, bool secrets,
			       ctl_put_fn *put, void *to);
	/* What is wrong with the file now; a result */
	json_t *(*config_check)(void *arg);
	/* Put what the file says otherwise. Return: a result; NULL if the file
	 * is wrong, and @err has a sentence */
	json_t *(*config_diff)(void *arg, ctl_put_fn *put, void *to, char *err,
			       size_t errlen);
	/* Whom filters ask for alerts; may be NULL. */
	const struct alerts *judge;
	/* Put the alerts that match, the newest first. */
	void (*alerts)(void *arg, const struct ctl_alert_filter *filter,
		       ctl_put_fn *put, void *to);
};

struct ctl_conf {
	const char *path;
	unsigned int mode;	  /* of the socket */
	const char *admin_group;  /* "" = none */
	const char *reader_group; /* "" = none, "*" = everybody */
	const char *instance;	  /* interface name, for the greeting */
};

/**
 * ctl_listen() - Make the control socket
 *
 * A socket file that nobody listens on any more is replaced. Directories are
 * not made. To be called with the right to chown it to admin_group; whom that
 * does not reach, an access list lets through.
 *
 * @err: Gets one sentence on failure
 *
 * Return: the listening fd; -EADDRINUSE if another instance answers there, or
 *         another negative errno
 */
int ctl_listen(const struct ctl_conf *conf, char *err, size_t errlen);

/**
 * ctl_new() - Serve clients on a listening socket
 * @st: To be asked for names and settings; and all that there is, unless hooks
 *      have several
 * @fd: From ctl_listen() or systemd; belongs to the ctl now
 *
 * Rights come from SO_PEERCRED: root, our own user and members of admin_group
 * are admins; members of reader_group, and everybody if it is "*", may view.
 * The groups are looked up here and never again: to be called while the files
 * that say them can still be read.
 *
 * Return: NULL without memory
 */
struct ctl *ctl_new(struct ev_loop *loop, int fd, const struct ctl_conf *conf,
		    struct stack *st, const struct ctl_hooks *hooks);

/** ctl_reply_text() - A JSON string of bytes that may be no UTF-8; ctl_reply.c */
json_t *ctl_reply_text(const char *text);

/**
 * ctl_del() - Drop every client and the listening socket; NULL is fine
 *
 * The socket's file stays: who made it or was given it knows its owner.
 */
void ctl_del(struct ctl *ctl);

#endif
