/*
 * service.h - The services behind one table
 *
 * A service sees a connection through <tcphs/stack.h> and nothing else. None
 * of them holds memory for a connection that has nothing under way; what an
 * open connection costs is the engine's record.
 */
#ifndef TCPHS_SERVICE_H
#define TCPHS_SERVICE_H

#include <stdio.h>
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

/** service_started() - What service_start() was told; @now_us may be NULL */
time_t service_started(int64_t *now_us);

#endif
