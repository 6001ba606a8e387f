/*
 * load.c - Clients for the benches: one thread, one epoll
 *
 *	load MODE ADDRESS [-p PORT] [-n N] [-t SECONDS] [-c COUNT] [-w SECONDS]
 *
 *	cec   N workers: connect, send 64 bytes, read them back, close
 *	rr    N connections: send a byte, wait for it, again
 *	down  N connections: read what comes
 *	up    N connections: write what goes
 *	hold  N connections: open, one byte there and back, then stay. "echo" on
 *	      stdin: the same byte once more on each; end of file: close
 *
 * The default ports are those of echo, chargen and discard. A run opens its
 * connections, warms up for -w (0.2), and then measures for -t (2), or until
 * COUNT exchanges are done. It prints one line of JSON for each measurement. The
 * exit code is 1 if nothing could be measured.
 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define WARM_S	   0.2
#define OPEN_MAX_S 60.0
#define EVENTS	   256

static void options(struct load *l, int argc, char **argv);
_Noreturn static void usage(void);
static double number(const char *text, double min, double max);
static void address(struct load *l, const char *text, uint16_t port);
static bool measure(struct load *l);
static void phase_set(struct load *l, enum load_phase phase);

int main(int argc, char **argv)
{
	static struct load l;
	bool ok;

	options(&l, argc, argv);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	l.flows = calloc(l.n, sizeof(l.flows[0]));
	if (l.epoll < 0 || !l.flows) {
		perror("load");
		return 1;
	}
	for (uint32_t i = 0; i < l.n; i++)
		l.flows[i].fd = -1;
	ok = measure(&l);
	for (uint32_t i = 0; i < l.n; i++)
		load_close(&l.flows[i]);
	free(l.flows);
	close(l.epoll);
	return ok ? 0 : 1;
}

uint64_t load_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

bool load_connect(struct load *l, struct load_flow *f)
{
	struct epoll_event ev = {.events = l->mode->edges, .data.ptr = f};
	int one = 1;

	f->state = FLOW_CONNECTING;
	f->got = 0;
	f->bytes = 0;
	f->fd = socket(l->to.ss_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (f->fd < 0) {
		l->error = errno;
		l->failed++;
		return false;
	}
	(void)setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if ((connect(f->fd, (struct sockaddr *)&l->to, l->to_len) < 0 &&
	     errno != EINPROGRESS) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, f->fd, &ev) < 0) {
		l->error = errno;
		load_fail(l, f);
		return false;
	}
	return true;
}

bool load_connected(struct load *l, struct load_flow *f, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP)) {
		load_fail(l, f);
		return false;
	}
	if (!(events & EPOLLOUT))
		return false;
	f->state = FLOW_OPEN;
	l->open++;
	return true;
}

void load_fail(struct load *l, struct load_flow *f)
{
	int error = 0;
	socklen_t len = sizeof(error);

	(void)getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error)
		l->error = error;
	if (f->state != FLOW_CONNECTING)
		l->open--;
	load_close(f);
	l->failed++;
}

void load_close(struct load_flow *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

void load_run(struct load *l, double seconds)
{
	const uint64_t end = load_now_ns() + (uint64_t)(seconds * 1e9);
	const enum load_phase phase = l->phase;
	struct epoll_event ev[EVENTS];
	uint64_t now;
	int n;

	while (l->phase == phase && (now = load_now_ns()) < end) {
		n = epoll_wait(l->epoll, ev, EVENTS,
			       (int)((end - now) / 1000000) + 1);
		for (int i = 0; i < n && l->phase == phase; i++)
			l->mode->event(l, ev[i].data.ptr, ev[i].events);
	}
}

static void options(struct load *l, int argc, char **argv)
{
	static const struct load_mode *const modes[] = {
		&load_cec, &load_rr, &load_down, &load_up, &load_hold,
	};
	uint16_t port = 0;
	int opt;

	if (argc < 3)
		usage();
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[1], modes[i]->name) == 0)
			l->mode = modes[i];
	if (!l->mode)
		usage();
	l->n = 1;
	l->seconds = 2;
	l->warm_seconds = WARM_S;
	optind = 3;
	while ((opt = getopt(argc, argv, "p:n:t:c:w:")) != -1) {
		if (opt == 'p')
			port = (uint16_t)number(optarg, 1, 65535);
		else if (opt == 'n')
			l->n = (uint32_t)number(optarg, 1, 1e6);
		else if (opt == 't')
			l->seconds = number(optarg, 0.01, 3600);
		else if (opt == 'w')
			l->warm_seconds = number(optarg, 0, 3600);
		else if (opt == 'c')
			l->max = (uint64_t)number(optarg, 1, 1e12);
		else
			usage();
	}
	if (optind != argc)
		usage();
	address(l, argv[2], port ? port : l->mode->port);
}

_Noreturn static void usage(void)
{
	fputs("usage: load cec|rr|down|up|hold ADDRESS [-p PORT] [-n N] "
	      "[-t SECONDS] [-c COUNT] [-w SECONDS]\n",
	      stderr);
	exit(2);
}

static double number(const char *text, double min, double max)
{
	char *end;
	double d = strtod(text, &end);

	if (end == text || *end || !(d >= min) || d > max) {
		fprintf(stderr, "load: '%s' is not from %g to %g\n", text, min,
			max);
		exit(2);
	}
	return d;
}

static void address(struct load *l, const char *text, uint16_t port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&l->to;
	struct sockaddr_in *in4 = (struct sockaddr_in *)&l->to;

	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		l->to_len = sizeof(*in4);
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		l->to_len = sizeof(*in6);
	} else {
		fprintf(stderr, "load: '%s' is no address\n", text);
		exit(2);
	}
}

static bool measure(struct load *l)
{
	double seconds;

	phase_set(l, PHASE_OPENING);
	if (l->mode->start)
		l->mode->start(l);
	else
		for (uint32_t i = 0; i < l->n; i++)
			(void)load_connect(l, &l->flows[i]);
	if (l->phase == PHASE_OPENING)
		load_run(l, OPEN_MAX_S);
	if (l->phase == PHASE_OVER)
		return true; /* the mode did it all by itself */
	if (l->phase == PHASE_OPENING) {
		fprintf(stderr, "load: %u of %u connections are open\n",
			l->open, l->n);
		return false;
	}
	load_run(l, l->warm_seconds);

	l->failed = 0;
	if (l->mode->mark)
		l->mode->mark(l);
	phase_set(l, PHASE_MEASURING);
	load_run(l, l->seconds);
	seconds = (double)(load_now_ns() - l->phase_at_ns) / 1e9;

	printf("{\"mode\":\"%s\",\"n\":%u,\"seconds\":%.3f,\"failed\":%llu",
	       l->mode->name, l->n, seconds, (unsigned long long)l->failed);
	l->mode->report(l, seconds);
	puts("}");
	return true;
}

static void phase_set(struct load *l, enum load_phase phase)
{
	l->phase = phase;
	l->phase_at_ns = load_now_ns();
}
