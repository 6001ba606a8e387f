/*
 * service.h - The services behind one table
 *
 * A service sees a connection through <tcphs/stack.h> and nothing else. None
 * of them holds memory for a connection that has nothing under way; what an
 * open connection costs is the engine's record.
 */
#ifndef TCPHS_SERVICE_H
#define TCPHS_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/queue.h>
#include <time.h>

#include <tcphs/stack.h>

extern const struct tcp_service echo_service, discard_service, chargen_service,
	daytime_service, qotd_service, http_service, chat_service,
	metrics_service;

/**
 * discard_data() - Consume all that arrived (RFC 863)
 *
 * Also the on_data of those who are told to ignore what a client says.
 */
void discard_data(struct stack *st, struct tcp_conn *c);

/** service_find() - By name, NULL if there is none */
const struct tcp_service *service_find(const char *name);

/** service_names() - All names, NULL-terminated */
const char *const *service_names(void);

/**
 * service_start() - Say when the daemon started, for pages that tell it
 * @now_us: On the clock of stack_now()
 * @wall:   The same moment on the wall clock
 */
void service_start(int64_t now_us, time_t wall);

/**
 * service_report() - Say what /metrics answers
 * @part: Writes one part of the text; false when there is no part @index
 */
typedef bool service_report_fn(void *arg, unsigned int index, FILE *out);
void service_report(service_report_fn *part, void *arg);

/** service_report_part() - Write a part; false if there is none (more) */
bool service_report_part(unsigned int index, FILE *out);

/*
 * Where there is a stack for each thread, a service that shows all connections
 * cannot look at those of others whenever it likes: it waits until it may.
 */
struct service_wait {
	TAILQ_ENTRY(service_wait) link;
	struct stack *st;
	struct tcp_conn *c;
	void (*go)(struct stack *st, struct tcp_conn *c);
	bool waits;
};
TAILQ_HEAD(service_waits, service_wait);

struct service_view {
	void *arg;
	/* May all be seen now, in this call of the service? */
	bool (*now)(void *arg, struct stack *st);
	/* Have w->go called when it may; or not any more. */
	void (*wait)(void *arg, struct service_wait *w);
	void (*unwait)(void *arg, struct service_wait *w);
	/* As the stack's, of all stacks. */
	void (*stats)(void *arg, struct stack_stats *out);
	bool (*listener)(void *arg, unsigned int index,
			 struct listener_info *info);
	bool (*walk)(void *arg, uint64_t *cursor, unsigned int budget,
		     int64_t now_us, stack_walk_fn *fn, void *fn_arg);
};

/** service_see() - Say how all is seen; NULL: there is one stack */
void service_see(const struct service_view *view);

/**
 * service_sees() - May all be seen now?
 * @w: Its st, c and go are set; go is called if not
 */
bool service_sees(struct service_wait *w);
void service_unwait(struct service_wait *w);

/** service_stats() - As stack_stats(), if service_sees(); and so on */
void service_stats(const struct stack *st, struct stack_stats *out);
bool service_listener(const struct stack *st, unsigned int index,
		      struct listener_info *info);
bool service_walk(struct stack *st, uint64_t *cursor, unsigned int budget,
		  int64_t now_us, stack_walk_fn *fn, void *arg);

/** service_started() - What service_start() was told; @now_us may be NULL */
time_t service_started(int64_t *now_us);

#endif
