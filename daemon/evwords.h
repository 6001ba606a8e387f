/*
 * evwords.h - An event as a sentence for people
 */
#ifndef TCPHS_EVWORDS_H
#define TCPHS_EVWORDS_H

#include <stdbool.h>
#include <stddef.h>

#include <tcphs/stack.h>

#include "evbus.h"

/**
 * evwords() - The classic line of an event
 * @note: Of an event of the shell, whose text it is; else NULL
 * @conf: Of the stack: how many tries there are, what cookies mean
 * @buf:  Gets "[Server] Received SYN, sending SYN-ACK" and the like
 *
 * Return: length as snprintf() would, 0 if the event has no line
 */
int evwords(const struct event *e, const struct evbus_note *note,
	    const struct stack_conf *conf, char *buf, size_t len);

/** evwords_has_ends() - Is it about somebody at the other end? */
bool evwords_has_ends(const struct event *e);

#endif
