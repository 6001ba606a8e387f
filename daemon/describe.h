/*
 * describe.h - Connections, listeners and counters as JSON
 *
 * The control protocol and the http service say the same thing in the same
 * words; the fields are listed in tcphs/ctl.h.
 */
#ifndef TCPHS_DESCRIBE_H
#define TCPHS_DESCRIBE_H

#include <jansson.h>

#include <tcphs/stack.h>

/**
 * describe_conn() - One connection
 * @listener: Name of its listener, NULL if none
 * @tcb:      With the control block
 *
 * Return: a new reference; NULL without memory
 */
json_t *describe_conn(const struct conn_info *info, const char *listener,
		      bool tcb);
json_t *describe_listener(const struct listener_info *info);
json_t *describe_stats(const struct stack_stats *stats);

#endif
