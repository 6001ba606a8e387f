/*
 * evline.h - An event as one line
 */
#ifndef TCPHS_EVLINE_H
#define TCPHS_EVLINE_H

#include <stddef.h>

#include <tcphs/stack.h>

#include "evbus.h"

#define EVLINE_MAX 4096 /* bytes that are enough for each of these */

/**
 * evline_json() - {"seq":1,"time":"...","mono_us":...,"event":"syn.received",...}
 * @buf: EVLINE_MAX bytes; gets a final zero and no line feed
 *
 * Return: length. A field that has no room is left out, not cut.
 */
size_t evline_json(const struct evbus_record *r, const struct stack *st,
		   char *buf);

/** evline_logfmt() - time=... seq=1 event=syn.received ... msg="..." */
size_t evline_logfmt(const struct evbus_record *r, const struct stack *st,
		     char *buf);

/**
 * evline_classic() - c42 [Server] Received SYN, ...  198.18.66.1:50118 -> :8090
 *
 * The client stands at the left. Our own address is left out where there is
 * only one.
 */
size_t evline_classic(const struct evbus_record *r, const struct stack *st,
		      char *buf);

#define EVLINE_TIME_MAX 32

/** evline_time() - RFC 3339 in UTC with microseconds; returns @buf */
const char *evline_time(int64_t wall_us, char buf[EVLINE_TIME_MAX]);

#endif
