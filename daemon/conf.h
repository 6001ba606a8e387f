/*
 * conf.h - The configuration file as the daemon uses it
 */
#ifndef TCPHS_CONF_H
#define TCPHS_CONF_H

#include <net/if.h>
#include <stddef.h>
#include <stdio.h>

#include <tcphs/alert.h>
#include <tcphs/stack.h>

#include "log.h"
#include "privacy.h"

#define CONF_PATH_MAX 256
#define CONF_NAME_MAX 64 /* of a user or a group */

struct conf_listener {
	struct stack_listener l; /* service and service_arg are not set here */
	char service[STACK_NAME_MAX];
	bool allow_host; /* l.allow begins with the host side's networks */
	bool added;	 /* while running: conf_add_listener() */
	int64_t slow_handshake_us; /* longer ones are told; 0 = none */
	int line; /* of its section; 0 if it has none in the file */
};

struct conf {
	char path[CONF_PATH_MAX]; /* where it was read; "" for the defaults */

	/* [tcphsd] */
	bool seeded;
	uint64_t seed;
	int64_t stop_timeout_us;
	char user[CONF_NAME_MAX]; /* "" = stay who we are */

	/* [interface] */
	char ifname[IFNAMSIZ];
	bool persist;
	bool busy_poll;
	enum conf_offload { OFFLOAD_AUTO, OFFLOAD_ON, OFFLOAD_OFF } offload;
	uint32_t txqueuelen;
	struct ip_prefix host4, host6; /* host address with prefix length */

	/* [stack] */
	unsigned int threads; /* 0 = as many as are good */

	/* [limits] memory */
	uint64_t memory;

	/* [detect] */
	struct alert_conf detect;
	bool self_check;

	/* [log] */
	int log_level; /* syslog's numbers, 3 error .. 7 debug */
	enum conf_log_target {
		LOG_AUTO,
		LOG_JOURNAL,
		LOG_STDERR,
		LOG_SYSLOG,
		LOG_FILE,
	} log_target;
	char log_target_file[CONF_PATH_MAX]; /* of LOG_FILE */
	enum log_format log_format;
	bool log_handshakes;
	bool log_packets;
	enum privacy log_privacy;
	uint32_t log_recent;	      /* events that are remembered */
	char log_file[CONF_PATH_MAX]; /* "" = none */
	int log_file_level;
	uint64_t log_file_size;
	uint32_t log_file_keep;

	/* [capture] */
	uint32_t ring_packets; /* kept of a connection; 0 = none */
	uint64_t ring_memory;  /* bytes */
	uint32_t snaplen;
	char capture_dir[CONF_PATH_MAX];
	uint64_t rotate_size;
	uint32_t rotate_keep;

	/* [control] */
	char socket[CONF_PATH_MAX];
	unsigned int socket_mode;
	char admin_group[CONF_NAME_MAX];  /* "" = only root and ourselves */
	char reader_group[CONF_NAME_MAX]; /* "" likewise, "*" = everybody */

	struct stack_conf stack; /* csum_offload and gso_max: the TUN decides */

	struct conf_listener listeners[STACK_LISTENERS_MAX];
	unsigned int nlisteners;
};

/**
 * conf_load() - Read a configuration over the built-in defaults
 * @c:         Written whole; on error its contents mean nothing
 * @path:      File to read, NULL for the defaults alone
 * @overrides: @n strings "section.key=value", checked like the file
 * @err:       Where one line per error goes: "FILE:LINE: what; what to do"
 *
 * Return: 0; -EINVAL if anything is wrong (each error was printed); another
 *         negative errno if the file cannot be read (that was printed, too)
 */
int conf_load(struct conf *c, const char *path, const char *const *overrides,
	      size_t n, FILE *err);

/**
 * conf_add_listener() - One that is in no file
 * @c:        The running configuration; as before on error
 * @settings: @n strings "key=value", checked like the file's
 * @err:      Where a line per error goes: "what; what to do"
 *
 * Return: 0; -EEXIST if there is one of this name; -EINVAL
 */
int conf_add_listener(struct conf *c, const char *name,
		      const char *const *settings, size_t n, FILE *err);

/** conf_set_listener() - Give one other settings; the same, or -ENOENT */
int conf_set_listener(struct conf *c, const char *name,
		      const char *const *settings, size_t n, FILE *err);

/** conf_del_listener() - -ENOENT if there is none of this name */
int conf_del_listener(struct conf *c, const char *name);

/**
 * conf_keep_added() - Take those of @old that were added over to @new
 *
 * One that the file has by now is the file's.
 *
 * Return: 0; -EINVAL if one cannot stay beside those of @new: @err has why
 */
int conf_keep_added(struct conf *new, const struct conf *old, FILE *err);

/* A key and its value, in the words of the file. */
struct conf_setting {
	const char *section; /* "interface", "listener.web" */
	const char *key, *value;
	const char *fallback; /* its default; NULL: it must be given */
	bool usual;	      /* a file without it would mean the same */
	bool restart;	      /* it cannot be changed while running */
	bool secret;	      /* not for those who may only look */
};

typedef void conf_setting_fn(void *arg, const struct conf_setting *s);

/** conf_settings() - Call @each for every key, a section after the other */
void conf_settings(const struct conf *c, conf_setting_fn *each, void *arg);

/** conf_print() - Write a file that says all of it */
void conf_print(const struct conf *c, FILE *out);

/**
 * conf_services() - Tell the schema which names `service =` may have
 * @names: NULL-terminated; must stay
 */
void conf_services(const char *const *names);

/**
 * conf_needs_restart() - Which key of @new cannot be taken while running
 *
 * Return: "section.key" of the first one that differs, NULL if none does
 */
const char *conf_needs_restart(const struct conf *old, const struct conf *new);

#endif
