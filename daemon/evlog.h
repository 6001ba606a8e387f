/*
 * evlog.h - Events of the stack as lines for people
 */
#ifndef TCPHS_EVLOG_H
#define TCPHS_EVLOG_H

#include <stddef.h>

#include <tcphs/stack.h>

/**
 * evlog_sentence() - The classic line of an event
 * @conf: Of the stack: how many tries there are, what cookies mean
 * @buf:  Gets "[Server] Received SYN, sending SYN-ACK" and the like
 *
 * These words are a contract: tests and users match them.
 *
 * Return: length as snprintf() would, 0 if the event has no line
 */
int evlog_sentence(const struct event *e, const struct stack_conf *conf,
		   char *buf, size_t len);

/** evlog_mask() - Which events a log level needs, for stack_event_mask() */
uint64_t evlog_mask(int level, bool handshakes);

/**
 * evlog_drain() - Take all events of the stack and log them
 *
 * Bounded a second per event type; what was left out is counted and said.
 *
 * Return: when to call it again at the latest, so that the count is said;
 *         TIME_NEVER if there is none
 */
int64_t evlog_drain(struct stack *st, int64_t now_us);

#endif
