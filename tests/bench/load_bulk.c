/*
 * load_bulk.c - As much as goes through
 *
 * Downwards, bytes count when they were read, and they are read: a copy to
 * user space is part of the work of any client. Upwards, they count when the
 * peer has acknowledged them (TCP_INFO), because what send() takes may still
 * lie in the socket.
 */
#include <netinet/in.h>
#include <linux/tcp.h>
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "load.h"

#define CHUNK (256 * 1024)

static char chunk[CHUNK];

static bool bulk_opened(struct load *l, struct load_flow *f, uint32_t events)
{
	if (f->state != FLOW_CONNECTING)
		return true;
	if (!load_connected(l, f, events))
		return false;
	if (l->open == l->n)
		l->phase = PHASE_WARMING;
	return true;
}

/* Of what every flow has in bytes now. Fairness is Jain's index: 1 if all got
 * the same, 1/n if one got it all (Jain, Chiu and Hawe, 1984). */
static void gbit_report(const struct load *l, double seconds)
{
	double sum = 0, squares = 0, bytes;

	for (uint32_t i = 0; i < l->n; i++) {
		bytes = (double)l->flows[i].bytes;
		sum += bytes;
		squares += bytes * bytes;
	}
	printf(",\"bytes\":%.0f,\"gbit_per_second\":%.4f,\"jain\":%.4f", sum,
	       sum * 8 / seconds / 1e9,
	       squares > 0 ? sum * sum / (l->n * squares) : 0);
}

/* ---- down -------------------------------------------------------------- */

/*
 * EPOLLOUT tells that it is connected, and is edge-triggered here like
 * everything else: so reading goes on until nothing is left.
 */
static void down_event(struct load *l, struct load_flow *f, uint32_t events)
{
	ssize_t n;

	if (!bulk_opened(l, f, events))
		return;
	while ((n = recv(f->fd, chunk, sizeof(chunk), 0)) > 0) {
		f->bytes += (uint64_t)n;
		if ((size_t)n < sizeof(chunk))
			return; /* an edge will come */
	}
	if (n == 0 || errno != EAGAIN)
		load_fail(l, f);
}

static void down_mark(struct load *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		l->flows[i].bytes = 0;
}

static void down_report(struct load *l, double seconds)
{
	gbit_report(l, seconds);
}

/* ---- up ---------------------------------------------------------------- */

static void up_event(struct load *l, struct load_flow *f, uint32_t events)
{
	if (!bulk_opened(l, f, events))
		return;
	if (send(f->fd, chunk, sizeof(chunk), MSG_NOSIGNAL) < 0 &&
	    errno != EAGAIN)
		load_fail(l, f);
}

static uint64_t up_acked(const struct load_flow *f)
{
	struct tcp_info info = {.tcpi_bytes_acked = 0};
	socklen_t len = sizeof(info);

	if (f->fd < 0)
		return 0;
	(void)getsockopt(f->fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_bytes_acked;
}

static void up_mark(struct load *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		l->flows[i].bytes = up_acked(&l->flows[i]);
}

static void up_report(struct load *l, double seconds)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->flows[i].fd >= 0)
			l->flows[i].bytes =
				up_acked(&l->flows[i]) - l->flows[i].bytes;
		else
			l->flows[i].bytes = 0;
	gbit_report(l, seconds);
}

const struct load_mode load_down = {
	.name = "down",
	.port = 19,
	.edges = EPOLLIN | EPOLLOUT | EPOLLET,
	.event = down_event,
	.mark = down_mark,
	.report = down_report,
};

/* Level-triggered: there is always more to send. */
const struct load_mode load_up = {
	.name = "up",
	.port = 9,
	.edges = EPOLLIN | EPOLLOUT,
	.event = up_event,
	.mark = up_mark,
	.report = up_report,
};
