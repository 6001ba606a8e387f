/*
 * ctl_priv.h - Between the files of the control socket, and its test
 *
 *	ctl_listen.c  the socket's file, and who may reach it
 *	ctl.c         who comes in with which rights, and whose turn it is
 *	ctl_client.c  bytes of one client in and out
 *	ctl_method.c  a line to a method; methods that answer at once
 *	ctl_walk.c    methods that walk over the connections, in slices
 *	ctl_packets.c what is remembered of connections, and their packets
 *	ctl_session.c connections that a client reads and writes
 *	ctl_numbers.c what was measured
 *	ctl_config.c  the configuration, and the file of it
 *	ctl_events.c  events, those before and those to come
 *	ctl_dump.c    packets to a client
 *	ctl_capture.c packets to files of the daemon
 *	ctl_reply.c   answers, as JSON or as text
 *	ctl_text.c    text mode: a command line to a method
 */
#ifndef TCPHS_CTL_PRIV_H
#define TCPHS_CTL_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <tcphs/alert.h>
#include <tcphs/ctl.h>
#include <tcphs/filter.h>
#include <tcphs/ipaddr.h>

#include "ctl.h"
#include "shards.h"

#define CTL_OUT_HIGH   (64 * 1024) /* bytes waiting: the client must read first */
#define CTL_ADMINS_MIN 16	   /* of CTL_CLIENTS_MAX: for admins alone */
#define CTL_JOBS_MAX   8	   /* requests of one client at once */
#define CTL_STALL_S    30.0	   /* without a byte read by the client */
#define CTL_ID_MAX     64	   /* bytes of a request's id as JSON */
#define CTL_TARGET_MAX (2 * IPPORT_TEXT_MAX) /* of ctl_walk_target_text() */
#define CTL_NO_OFFSET  SIZE_MAX
#define CTL_NO_GROUP   ((gid_t)-1)

enum ctl_rights { RIGHTS_NONE, RIGHTS_VIEW, RIGHTS_ADMIN };

struct ctl_buf {
	char *data;
	size_t start, end, size; /* used from start to end */
};

/* Which connection a request is about. */
struct ctl_target {
	enum { TARGET_ID, TARGET_ENDS, TARGET_LAST } kind;
	uint32_t id;
	struct ip_addr local, peer;
	uint16_t local_port, peer_port;
};

/* A request that takes more than one slice. */
struct ctl_job {
	TAILQ_ENTRY(ctl_job) link;
	struct ctl_client *client;
	char id[CTL_ID_MAX]; /* JSON; "" in text mode */
	/* Runs one slice and returns true when the answer is complete. */
	bool (*step)(struct ctl_job *job);
	/* The rest belongs to ctl_walk.c. */
	uint64_t cursor; /* of stack_walk() or pktmem_walk() */
	struct filter *filter;
	uint32_t fields; /* bits of enum conn_field */
	bool rst;
	uint64_t count, skipped;
	int64_t told_us; /* when the client last heard how far it is */
	struct ctl_target target;
	struct conn_info found; /* if count */
	bool found_full;
	/* What is done to it inside the walk; false = nothing could be. Then
	 * what is said of that: true when the answer is complete. */
	bool (*act)(struct ctl_job *job, struct stack *st, struct tcp_conn *c);
	bool (*acted)(struct ctl_job *job);
	const char *verb; /* "close" */
	/* ctl_session.c */
	struct ctl_session *session;
	int said;		   /* 0, or why not */
	struct ctl_events *events; /* ctl_events.c */
	struct ctl_copy *copy;	   /* ctl_capture.c */
	struct ctl_dump *dump;	   /* ctl_dump.c */
	bool asleep;		   /* nothing to do until ctl_client_settle() */
};

struct ctl_client {
	TAILQ_ENTRY(ctl_client) link; /* in ctl.clients */
	TAILQ_ENTRY(ctl_client) turn; /* in ctl.ready, if queued */
	struct ctl *ctl;
	ev_io readable, writable;
	ev_timer stall;
	enum ctl_rights rights;
	enum { MODE_UNKNOWN, MODE_JSON, MODE_TEXT } mode;
	struct ctl_buf in, out;
	TAILQ_HEAD(ctl_job_list, ctl_job) jobs;
	unsigned int njobs;
	bool queued;
	bool line_waits; /* a whole line is in the buffer */
	bool skipping;	 /* the rest of a line that was too long */
	bool eof;	 /* it sends no more */
	bool closing;	 /* nothing more is taken; gone when all is written */
	bool dead;	 /* freed by ctl_reap() */
};

struct ctl {
	struct ev_loop *loop;
	struct stack *st; /* to look up names and settings in */
	struct shards *shards, one;
	struct ctl_hooks hooks;
	char instance[32], admin_group[64];
	gid_t admin_gid, reader_gid; /* or CTL_NO_GROUP */
	bool all_may_view;
	double stall_s;
	ev_io acceptable;
	ev_timer accept_again; /* after running out of descriptors */
	ev_idle idle;
	ev_check check;
	ev_async news; /* from other threads: ctl_session_news() */
	int64_t sliced_at_us;
	TAILQ_HEAD(ctl_client_list, ctl_client) clients, ready;
	TAILQ_HEAD(ctl_events_list, ctl_events) followers;
	int64_t followed_us;   /* their time is spent up to here */
	ev_timer follow_again; /* one waits for more of it */
	/* Names of the listeners by index, as of this slice; "" = none. */
	char listeners[STACK_LISTENERS_MAX][STACK_NAME_MAX];
	struct {
		uint64_t clients; /* now */
		uint64_t accepted, busy, strangers, requests, too_long, stalled;
	} stats;
};

/* A line, or a command in text mode, on its way to its method. */
struct ctl_request {
	struct ctl_client *client;
	const char *id; /* JSON; "" in text mode */
	const char *method;
	json_t *params; /* an object, or NULL */
};

/* ---- ctl_listen.c ------------------------------------------------------ */

gid_t ctl_group_id(const char *name);

/* ---- ctl.c ------------------------------------------------------------- */

int64_t ctl_now_us(void);
void ctl_wake(struct ctl *ctl);
void ctl_reap(struct ctl *ctl);

/* ---- ctl_client.c ------------------------------------------------------ */

struct ctl_client *ctl_client_new(struct ctl *ctl, int fd,
				  enum ctl_rights rights);
void ctl_client_del(struct ctl_client *c);
bool ctl_client_may_write(const struct ctl_client *c);
char *ctl_client_reserve(struct ctl_client *c, size_t n);
void ctl_client_commit(struct ctl_client *c, size_t n);
void ctl_client_write(struct ctl_client *c, const char *data, size_t n);
void ctl_client_run(struct ctl_client *c);
void ctl_client_settle(struct ctl_client *c);

/* ---- ctl_method.c ------------------------------------------------------ */

void ctl_method_line(struct ctl_client *c, const char *line, size_t len);
void ctl_method_run(const struct ctl_request *r);
void ctl_method_refuse(const struct ctl_request *r, const char *message);
bool ctl_method_string(const struct ctl_request *r, const char *name,
		       const char **value);
bool ctl_method_bool(const struct ctl_request *r, const char *name,
		     bool *value);
bool ctl_method_number(const struct ctl_request *r, const char *name,
		       json_int_t min, json_int_t max, json_int_t *value);
bool ctl_method_needs(const struct ctl_request *r, const char *name,
		      const char **value);
bool ctl_method_id(const json_t *id, char text[CTL_ID_MAX]);
void ctl_method_no_listener(const struct ctl_request *r, const char *name);

/* ---- ctl_walk.c -------------------------------------------------------- */

void ctl_walk_list(const struct ctl_request *r);
void ctl_walk_kill(const struct ctl_request *r);
void ctl_walk_show(const struct ctl_request *r);
void ctl_walk_close(const struct ctl_request *r);
uint32_t ctl_walk_alerts(const struct ctl_job *job,
			 const struct conn_info *info);
struct filter *ctl_walk_filter(const struct ctl_request *r);
bool ctl_walk_cancel(struct ctl_client *c, const char *id);
bool ctl_walk_running(const struct ctl_client *c, const char *id);
void ctl_job_del(struct ctl_job *job);

bool ctl_walk_target(const struct ctl_request *r, struct ctl_target *t);
const char *ctl_walk_target_text(const struct ctl_target *t,
				 char text[CTL_TARGET_MAX]);

struct ctl_job *ctl_job_new(const struct ctl_request *r,
			    bool (*step)(struct ctl_job *job));
struct ctl_job *ctl_job_find(const struct ctl_client *c, const char *id);
struct ctl_job *ctl_walk_act(const struct ctl_request *r,
			     const struct ctl_job *like);

/* ---- ctl_numbers.c ----------------------------------------------------- */

void ctl_numbers_histogram(const struct ctl_request *r);
void ctl_numbers_metrics(const struct ctl_request *r);
void ctl_numbers_alerts(const struct ctl_request *r);

/* ---- ctl_config.c ------------------------------------------------------ */

void ctl_config_show(const struct ctl_request *r);
void ctl_config_check(const struct ctl_request *r);
void ctl_config_diff(const struct ctl_request *r);

/* ---- ctl_packets.c ----------------------------------------------------- */

void ctl_packets(const struct ctl_request *r);
void ctl_packets_recent(const struct ctl_request *r);
bool ctl_packets_ended(const struct ctl_job *job);

/* ---- ctl_session.c ----------------------------------------------------- */

void ctl_session_open(const struct ctl_request *r);
void ctl_session_attach(const struct ctl_request *r);
void ctl_session_send(const struct ctl_request *r);
void ctl_session_del(struct ctl_session *s);
void ctl_session_news(struct ctl_client *c);

/* ---- ctl_events.c ------------------------------------------------------ */

void ctl_events_init(struct ctl *ctl);
void ctl_events_new(void *arg);
void ctl_events_follow(const struct ctl_request *r);
void ctl_events_del(struct ctl_events *f);

/* ---- ctl_capture.c ----------------------------------------------------- */

void ctl_capture_start(const struct ctl_request *r);
void ctl_capture_stop(const struct ctl_request *r);
void ctl_capture_list(const struct ctl_request *r);
void ctl_capture_read(const struct ctl_request *r);
void ctl_copy_del(struct ctl_copy *copy);

/* ---- ctl_dump.c -------------------------------------------------------- */

void ctl_dump_follow(const struct ctl_request *r);
void ctl_dump_stop(const struct ctl_request *r);
json_t *ctl_dump_stats(const struct ctl *ctl);
void ctl_dump_del(struct ctl_dump *d);
void ctl_dump_farewell(struct ctl_client *c);
struct filter *ctl_dump_filter(const struct ctl_request *r);

/* ---- ctl_reply.c ------------------------------------------------------- */

void ctl_reply_value(struct ctl_client *c, const json_t *value);
void ctl_reply_greeting(struct ctl_client *c);
void ctl_reply_conn(struct ctl_job *job, const struct conn_info *info,
		    const char *listener);
void ctl_reply_item(struct ctl_client *c, const char *id, json_t *item);
void ctl_reply_result(struct ctl_client *c, const char *id, json_t *result);
void ctl_reply_error(struct ctl_client *c, const char *id, enum ctl_error code,
		     size_t at, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
void ctl_reply_failure(struct ctl_client *c, const char *id,
		       enum ctl_error code, json_t *more, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
size_t ctl_reply_refusal(char *buf, size_t len, enum ctl_error code,
			 const char *message, const char *hint);

/* ---- ctl_text.c -------------------------------------------------------- */

void ctl_text_line(struct ctl_client *c, const char *line, size_t len);
void ctl_text_conn_head(struct ctl_client *c);
void ctl_text_conn(struct ctl_client *c, const struct conn_info *info,
		   const char *listener);
void ctl_text_item(struct ctl_client *c, json_t *item);
void ctl_text_result(struct ctl_client *c, json_t *result);

#endif
