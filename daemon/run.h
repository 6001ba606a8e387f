/*
 * run.h - What happens between start and end
 */
#ifndef TCPHS_RUN_H
#define TCPHS_RUN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <tcphs/stack.h>

#include "alerting.h"
#include "capture.h"
#include "capture_files.h"
#include "conf.h"
#include "ctl.h"
#include "evbus.h"
#include "evfile.h"
#include "evlog.h"
#include "evmemory.h"
#include "handshakes.h"
#include "loop.h"
#include "metrics.h"
#include "netlink.h"
#include "notify.h"
#include "pktbus.h"
#include "pktlog.h"
#include "pktmem.h"
#include "selfcheck.h"
#include "shards.h"
#include "threads.h"
#include "tun.h"

/* Where the configuration comes from; the same at start and at reload. */
struct run_source {
	const char *path;	      /* NULL: the defaults alone */
	const char *const *overrides; /* "section.key=value" */
	size_t noverrides;
};

enum run_stage {
	RUN_READY,
	RUN_CLOSING, /* FIN to everybody, wait for theirs */
	RUN_RESETTING,
};

struct run {
	struct run_source source;
	struct conf conf; /* in force */
	struct tun tun;	  /* the first queue */
	struct tun more_tun[SHARDS_MAX - 1];
	unsigned int nthreads;
	struct netlink_watch watch;
	struct stack *st; /* for names and settings, at least */
	struct shards shards;
	struct threads *threads; /* NULL: there is one, with loop */
	struct evbus bus;
	struct pktbus packets;
	struct capture capture;
	struct pktmem *pktmem; /* NULL: none are kept */
	struct capture_files files;
	struct evlog evlog;
	struct pktlog pktlog;
	struct evmemory memory;
	struct evfile evfile;
	struct handshakes handshakes;
	struct metrics metrics;
	struct alerting alerting;
	struct selfcheck selfcheck;
	struct ev_loop *ev;
	struct loop loop;   /* without threads */
	struct tun tun_sum; /* of threads */
	struct histogram lag_sum;
	struct notify notify;
	struct ctl *ctl;

	int64_t started_us;
	time_t started_at;

	enum run_stage stage;
	int exit_code;
	int64_t patience_us; /* when closing turns into resetting */
	bool told_all;	     /* stack_stop() has seen every connection */

	bool conf_ok;	      /* the last reload */
	time_t conf_at;	      /* when one was taken last */
	char conf_error[256]; /* why not */

	ev_signal term, interrupt, hangup;
	ev_timer patience;
	ev_io link_changed;
};

/**
 * run_listen() - Give the listeners of a configuration to the stacks
 *
 * Return: 0, or the negative errno of the last that was refused (logged)
 */
int run_listen(struct shards *s, const struct conf *conf);

/** run_kick() - Have a turn soon: something was changed in a stack */
void run_kick(struct run *r);

/** run_measure() - Begin to measure what the buses tell; run_numbers.c
 *
 * Return: 0; -ENOMEM, and the log says for what */
int run_measure(struct run *r);
void run_measure_stop(struct run *r);

/** run_tun() - The counters of the device, of all its queues */
const struct tun *run_tun(struct run *r);

/** run_measure_listeners() - The configuration is another one now */
void run_measure_listeners(struct run *r);

/** run_numbers_status() - Add what "status" says of alerts */
void run_numbers_status(const struct run *r, json_t *status);

/** run_config_hooks() - What they may ask of the configuration */
void run_config_hooks(struct ctl_hooks *hooks);

/**
 * run_read_again() - What the file says by now, as conf_load()
 *
 * A pipe had its one reading at the start: it is empty now, which would be a
 * configuration, or nobody writes into it any more. So it is refused.
 */
int run_read_again(const struct run_source *s, struct conf *c, FILE *err);

/** run_explain_rights() - Add why a file cannot be read any more, if so */
void run_explain_rights(int error, char *err, size_t errlen);

/** run_numbers_hooks() - What control clients may ask of the measurements */
void run_numbers_hooks(struct ctl_hooks *hooks);

/**
 * run_begin() - Watch everything, serve nothing yet
 * @r:      source, conf, tun, watch, st, bus and ev are set, all else is 0
 * @ctl_fd: From ctl_listen(); belongs to it now
 * @now_us: The time stack_init() was given
 *
 * Return: 0; -ENOMEM, and the log says for what
 */
int run_begin(struct run *r, int ctl_fd, int64_t now_us);

/** run_start_file() - Open the event file, if there is one; 0 or -ENOMEM */
int run_start_file(struct run *r);

/** run_file_conf() - What a configuration says of it */
struct evfile_conf run_file_conf(const struct conf *c);

/**
 * run_forever() - Serve until TERM, INT or the loss of the interface
 *
 * Return: exit code
 */
int run_forever(struct run *r);

/**
 * run_reload() - Read the configuration again; reload.c
 *
 * A configuration that is wrong or cannot be taken without a restart changes
 * nothing; the log, the status and @err say why.
 *
 * Return: 1 = taken, 0 = nothing changed, -EINVAL = refused
 */
int run_reload(struct run *r, char *err, size_t errlen);

/**
 * run_add_listener() - Listen at one more port, until told otherwise
 * @settings: @n strings "key=value", as in the file
 * @err:      Gets one sentence on failure
 *
 * It is written to no file; a reload keeps it.
 *
 * Return: 0 or a negative errno
 */
int run_add_listener(struct run *r, const char *name,
		     const char *const *settings, size_t n, char *err,
		     size_t errlen);

/**
 * run_set_listener() - Other settings for a listener, for new connections
 *
 * As above. Of one that the file has, a reload brings the file's back.
 *
 * Return: 0, -ENOENT, or another negative errno
 */
int run_set_listener(struct run *r, const char *name,
		     const char *const *settings, size_t n, char *err,
		     size_t errlen);

/** run_del_listener() - Until the next reload, if the file has it; 0, -ENOENT
 *
 * Connections that came through it go on. */
int run_del_listener(struct run *r, const char *name);

#endif
