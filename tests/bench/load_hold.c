/*
 * load_hold.c - Very many connections that do nothing
 *
 * They are opened HOLD_AT_ONCE at a time, so that no backlog overflows, and
 * each proves itself by one byte there and back. Then they stay until stdin
 * ends. A process has no more of them than it may have open files; more need
 * more processes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "load.h"

#define HOLD_AT_ONCE 64
#define ROUND_MAX_S  900.0 /* whoever waits for the round gives up before */

static void hold_ask(struct load *l, struct load_flow *f)
{
	f->state = FLOW_WAITING;
	if (send(f->fd, "x", 1, MSG_NOSIGNAL) != 1)
		load_fail(l, f);
}

static void hold_next(struct load *l)
{
	while (l->started < l->n &&
	       l->started < l->count + l->failed + HOLD_AT_ONCE) {
		struct load_flow *f = &l->flows[l->started++];

		if (l->phase == PHASE_OPENING)
			(void)load_connect(l, f);
		else if (f->fd >= 0)
			hold_ask(l, f);
		else
			l->failed++; /* in an earlier round already */
	}
	if (l->count + l->failed == l->n)
		l->phase = PHASE_OVER;
}

static void hold_event(struct load *l, struct load_flow *f, uint32_t events)
{
	char c;

	if (f->state == FLOW_CONNECTING) {
		if (load_connected(l, f, events))
			hold_ask(l, f);
	} else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		ssize_t n = recv(f->fd, &c, 1, 0);

		if (n == 1 && f->state == FLOW_WAITING) {
			f->state = FLOW_OPEN;
			l->count++;
		} else if (n >= 0 || errno != EAGAIN) {
			load_fail(l, f);
		}
	}
	hold_next(l);
}

/* One round: @phase is what it starts in, PHASE_OVER tells that it is done. */
static void hold_round(struct load *l, enum load_phase phase)
{
	uint64_t began = load_now_ns();

	l->phase = phase;
	l->count = l->failed = 0;
	l->started = 0;
	hold_next(l);
	load_run(l, ROUND_MAX_S);
	printf("{\"mode\":\"hold\",\"n\":%u,\"open\":%u,\"echoed\":%llu,"
	       "\"failed\":%llu,\"seconds\":%.3f}\n",
	       l->n, l->open, (unsigned long long)l->count,
	       (unsigned long long)l->failed,
	       (double)(load_now_ns() - began) / 1e9);
	fflush(stdout);
	if (l->count < l->n)
		fprintf(stderr,
			"load: of %u connections %llu answered and %llu "
			"failed; the last error: %s\n",
			l->n, (unsigned long long)l->count,
			(unsigned long long)l->failed, strerror(l->error));
}

static void hold_start(struct load *l)
{
	char line[32];

	hold_round(l, PHASE_OPENING);
	while (fgets(line, sizeof(line), stdin))
		if (strcmp(line, "echo\n") == 0)
			hold_round(l, PHASE_MEASURING);
	l->phase = PHASE_OVER;
}

const struct load_mode load_hold = {
	.name = "hold",
	.port = 7,
	.edges = EPOLLIN | EPOLLOUT | EPOLLET,
	.start = hold_start,
	.event = hold_event,
};
