/*
 * interop_kernel.c - The kernel's end: an ordinary socket
 *
 * It writes and reads whenever it can, so that no order of theirs hides a
 * deadlock of ours, and compares each byte. At the end its view of what was
 * negotiated goes to the engine's process.
 */
#include "interop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct end {
	const struct cell *cell;
	int fd;
	int report;
	bool sending, eof;
	unsigned int pauses;
	int64_t resume_us; /* does not read before this */
	struct kernel_report r;
};

static int open_socket(const struct cell *cell);
static void prepare(const struct cell *cell, int fd);
static void open_end(struct end *k, int listener);
static void transfer(struct end *k);
static void send_some(struct end *k);
static void take_some(struct end *k);
static void look(struct end *k);
_Noreturn static void finish(struct end *k, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

int kernel_listen(const struct cell *cell)
{
	int fd = open_socket(cell);
	const int one = 1;

	if (fd < 0)
		return -1;
	prepare(cell, fd);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)&cell->kernels, cell->addr_len) <
		    0 ||
	    listen(fd, 1) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

_Noreturn void kernel_run(const struct cell *cell, int listener, int report)
{
	struct end k = {.cell = cell, .fd = -1, .report = report};

	open_end(&k, listener);
	k.sending = cell->order != ORDER_OUT;
	transfer(&k);
	look(&k);
	finish(&k, "%s", "");
}

/* A socket stays in the namespace in which it was made. */
static int open_socket(const struct cell *cell)
{
	int here = -1, there = -1, fd = -1;

	if (!cell->netns)
		return socket(cell->ours.ss_family, SOCK_STREAM | SOCK_CLOEXEC,
			      0);
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	there = open(cell->netns, O_RDONLY | O_CLOEXEC);
	if (here >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0) {
		fd = socket(cell->ours.ss_family, SOCK_STREAM | SOCK_CLOEXEC,
			    0);
		if (setns(here, CLONE_NEWNET) < 0)
			exit(1);
	}
	close(here);
	close(there);
	return fd;
}

/* Before connect() or listen(): the buffers decide about the window scale. */
static void prepare(const struct cell *cell, int fd)
{
	const char *cc = cell->congestion;

	if ((cell->buffer && (setsockopt(fd, SOL_SOCKET, SO_RCVBUF,
					 &cell->buffer, sizeof(int)) < 0 ||
			      setsockopt(fd, SOL_SOCKET, SO_SNDBUF,
					 &cell->buffer, sizeof(int)) < 0)) ||
	    (cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc,
			      (socklen_t)strlen(cc)) < 0)) {
		perror("interop: setsockopt");
		exit(1);
	}
}

static void open_end(struct end *k, int listener)
{
	const struct cell *cell = k->cell;

	if (listener >= 0) {
		k->fd = accept(listener, NULL, NULL);
		if (k->fd < 0)
			finish(k, "accept: %s", strerror(errno));
		close(listener);
	} else {
		k->fd = open_socket(cell);
		if (k->fd < 0)
			finish(k, "socket: %s", strerror(errno));
		prepare(cell, k->fd);
		if (connect(k->fd, (const struct sockaddr *)&cell->ours,
			    cell->addr_len) < 0)
			finish(k, "connect: %s", strerror(errno));
	}
	if (fcntl(k->fd, F_SETFL, O_NONBLOCK) < 0)
		finish(k, "fcntl: %s", strerror(errno));
}

static void transfer(struct end *k)
{
	struct pollfd p = {.fd = k->fd};
	int64_t pause_us;

	while (!k->eof || k->r.sent < k->cell->bytes) {
		pause_us = k->resume_us - loop_now_us();
		p.events = k->eof || pause_us > 0 ? 0 : POLLIN;
		if (k->sending && k->r.sent < k->cell->bytes)
			p.events |= POLLOUT;
		if (poll(&p, 1,
			 pause_us > 0 ? (int)(pause_us / 1000) + 1 : -1) < 0)
			finish(k, "poll: %s", strerror(errno));
		if (p.events & POLLIN)
			take_some(k);
		if (p.events & POLLOUT)
			send_some(k);
	}
}

static void send_some(struct end *k)
{
	uint64_t left = k->cell->bytes - k->r.sent;
	ssize_t n = send(k->fd, pattern_at(WAY_IN, k->r.sent),
			 left < PATTERN_RUN ? left : PATTERN_RUN, MSG_NOSIGNAL);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		finish(k, "send after %llu bytes: %s",
		       (unsigned long long)k->r.sent, strerror(errno));
	k->r.sent += (uint64_t)n;
	if (k->r.sent == k->cell->bytes && shutdown(k->fd, SHUT_WR) < 0)
		finish(k, "shutdown: %s", strerror(errno));
}

static void take_some(struct end *k)
{
	static uint8_t buf[PATTERN_RUN];
	ssize_t n = recv(k->fd, buf, sizeof(buf), 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		finish(k, "recv after %llu bytes: %s",
		       (unsigned long long)k->r.got, strerror(errno));
	if (n == 0) {
		k->eof = k->sending = true;
		k->r.done_us = loop_now_us();
		if (k->r.got != k->cell->bytes)
			finish(k, "the FIN came after %llu bytes",
			       (unsigned long long)k->r.got);
		return;
	}
	if (memcmp(buf, pattern_at(WAY_OUT, k->r.got), (size_t)n) != 0)
		finish(k, "wrong text within %zd bytes from %llu on", n,
		       (unsigned long long)k->r.got);
	k->r.got += (uint64_t)n;
	if (k->r.got >= cell_pause_at(k->cell, k->pauses)) {
		k->pauses++;
		k->resume_us = loop_now_us() + PAUSE_US;
	}
}

static void look(struct end *k)
{
	struct kernel_report *r = &k->r;
	struct tcp_info ti;
	socklen_t len = sizeof(ti);
	socklen_t name_len = sizeof(r->congestion);

	if (getsockopt(k->fd, IPPROTO_TCP, TCP_INFO, &ti, &len) < 0 ||
	    getsockopt(k->fd, IPPROTO_TCP, TCP_CONGESTION, r->congestion,
		       &name_len) < 0)
		finish(k, "getsockopt: %s", strerror(errno));
	r->ts = ti.tcpi_options & TCPI_OPT_TIMESTAMPS;
	r->sack = ti.tcpi_options & TCPI_OPT_SACK;
	r->wscale = ti.tcpi_options & TCPI_OPT_WSCALE;
	r->ecn = ti.tcpi_options & TCPI_OPT_ECN;
	r->snd_wscale = ti.tcpi_snd_wscale;
	r->rcv_wscale = ti.tcpi_rcv_wscale;
	r->snd_mss = ti.tcpi_snd_mss;
	r->retrans = ti.tcpi_total_retrans;
	r->ssthresh = ti.tcpi_snd_ssthresh;
	r->delivered_ce = ti.tcpi_delivered_ce;
	r->dsacks = ti.tcpi_dsack_dups;
}

/* The report is small: it fits the pipe whether somebody reads it or not. */
_Noreturn static void finish(struct end *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->r.error, sizeof(k->r.error), fmt, ap);
	va_end(ap);
	if (write(k->report, &k->r, sizeof(k->r)) != (ssize_t)sizeof(k->r))
		_exit(1);
	_exit(0);
}
