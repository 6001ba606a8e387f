/*
 * load_turns.c - Short exchanges
 *
 * cec makes as few system calls as a client can: socket, connect, one
 * epoll_ctl, send, recv, close. The client closes first, so it is the one that
 * keeps TIME-WAIT. A worker whose connection fails begins the next one.
 *
 * rr keeps its connections; one that fails is not replaced.
 */
#include <stdio.h>
#include <sys/epoll.h>

#include "load.h"

#define TEXT_LEN 64

static const char text[TEXT_LEN] =
	"the quick brown fox jumps over the lazy dog, again and again: 64";

/* ---- cec --------------------------------------------------------------- */

static void cec_next(struct load *l, struct load_flow *f)
{
	f->asked_at_ns = load_now_ns();
	(void)load_connect(l, f);
}

static void cec_start(struct load *l)
{
	l->phase = PHASE_WARMING;
	for (uint32_t i = 0; i < l->n; i++)
		cec_next(l, &l->flows[i]);
}

static void cec_answer(struct load *l, struct load_flow *f)
{
	char buf[TEXT_LEN];
	ssize_t n = recv(f->fd, buf, sizeof(buf), 0);

	if (n <= 0) {
		load_fail(l, f);
		cec_next(l, f);
		return;
	}
	f->got += (uint32_t)n;
	if (f->got < TEXT_LEN)
		return;
	l->open--;
	load_close(f);
	if (l->phase == PHASE_MEASURING) {
		latency_add(&l->latency, load_now_ns() - f->asked_at_ns);
		if (++l->count == l->max)
			l->phase = PHASE_OVER;
	}
	cec_next(l, f);
}

static void cec_event(struct load *l, struct load_flow *f, uint32_t events)
{
	if (f->state == FLOW_CONNECTING) {
		if (!load_connected(l, f, events)) {
			if (f->fd < 0)
				cec_next(l, f);
			return;
		}
		if (send(f->fd, text, TEXT_LEN, MSG_NOSIGNAL) != TEXT_LEN) {
			load_fail(l, f);
			cec_next(l, f);
		}
	} else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
		cec_answer(l, f);
	}
}

/* ---- rr ---------------------------------------------------------------- */

static void rr_ask(struct load *l, struct load_flow *f)
{
	f->state = FLOW_WAITING;
	f->asked_at_ns = load_now_ns();
	if (send(f->fd, text, 1, MSG_NOSIGNAL) != 1)
		load_fail(l, f);
}

static void rr_event(struct load *l, struct load_flow *f, uint32_t events)
{
	char c;

	if (f->state == FLOW_CONNECTING) {
		if (!load_connected(l, f, events))
			return;
		rr_ask(l, f);
		if (l->open == l->n)
			l->phase = PHASE_WARMING;
		return;
	}
	if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		return;
	if (recv(f->fd, &c, 1, 0) != 1) {
		load_fail(l, f);
		return;
	}
	if (l->phase == PHASE_MEASURING) {
		latency_add(&l->latency, load_now_ns() - f->asked_at_ns);
		if (++l->count == l->max)
			l->phase = PHASE_OVER;
	}
	rr_ask(l, f);
}

static void turns_report(struct load *l, double seconds)
{
	printf(",\"count\":%llu,\"per_second\":%.1f,\"p50_us\":%.2f,"
	       "\"p99_us\":%.2f",
	       (unsigned long long)l->count, (double)l->count / seconds,
	       latency_percentile(&l->latency, 50),
	       latency_percentile(&l->latency, 99));
}

const struct load_mode load_cec = {
	.name = "cec",
	.port = 7,
	.edges = EPOLLIN | EPOLLOUT | EPOLLET,
	.start = cec_start,
	.event = cec_event,
	.report = turns_report,
};

const struct load_mode load_rr = {
	.name = "rr",
	.port = 7,
	.edges = EPOLLIN | EPOLLOUT | EPOLLET,
	.event = rr_event,
	.report = turns_report,
};
