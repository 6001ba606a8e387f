/*
 * many.c - Many clients at once, for many.sh
 *
 *	many ADDRESS PORT CLIENTS PROCESSES
 *
 * A process may not have enough files open, so the clients are divided among
 * several. Lines on stdin say what all of them do next, and the same line comes
 * back on stdout when the last one has done it:
 *
 *	open	connect, send 16 bytes that nobody else sends, get them back
 *	echo	the same again on the connections that are open
 *	close	close our side, read to the end
 *	wait	read to the end, then close
 *
 * Whatever else happens to a connection ends it all with a sentence and 1. So
 * does a stage that takes longer than two minutes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROCESSES_MAX 64
#define BUSY_MAX      250 /* connections of a process at the same stage */
#define EVENTS_MAX    256
#define STAGE_S	      120

struct message {
	uint32_t process, conn, round, check;
};

struct conn {
	int fd;
	uint32_t got; /* bytes of the echo */
	bool connected;
};

struct crowd {
	struct sockaddr_storage to;
	socklen_t to_len;
	uint32_t process, n, round;
	uint32_t begun, done; /* connections of this stage */
	int epoll;
	struct conn *conns;
};

enum stage { STAGE_OPEN, STAGE_ECHO, STAGE_CLOSE, STAGE_WAIT, NSTAGES };

static const char *const stage_names[NSTAGES] = {"open", "echo", "close",
						 "wait"};

_Noreturn static void die(const struct crowd *w, uint32_t i, const char *what)
{
	fprintf(stderr, "many: client %u.%u: %s: %s\n", w->process, i, what,
		strerror(errno));
	exit(1);
}

static void watch(struct crowd *w, uint32_t i, int op, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u32 = i};

	if (epoll_ctl(w->epoll, op, w->conns[i].fd, &ev) < 0)
		die(w, i, "epoll_ctl");
}

static void connect_one(struct crowd *w, uint32_t i)
{
	struct conn *c = &w->conns[i];

	c->fd = socket(w->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die(w, i, "socket");
	if (connect(c->fd, (struct sockaddr *)&w->to, w->to_len) < 0 &&
	    errno != EINPROGRESS)
		die(w, i, "connect");
	watch(w, i, EPOLL_CTL_ADD, EPOLLOUT);
}

static struct message message(const struct crowd *w, uint32_t i)
{
	return (struct message){w->process, i, w->round,
				w->process ^ i * 2654435761u ^ w->round};
}

static void say(struct crowd *w, uint32_t i)
{
	struct message m = message(w, i);

	w->conns[i].got = 0;
	if (send(w->conns[i].fd, &m, sizeof(m), MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(m))
		die(w, i, "send");
	watch(w, i, EPOLL_CTL_MOD, EPOLLIN);
}

static void on_connected(struct crowd *w, uint32_t i)
{
	socklen_t len = sizeof(errno);
	int error;

	if (getsockopt(w->conns[i].fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		die(w, i, "getsockopt");
	errno = error;
	if (error)
		die(w, i, "connect");
	w->conns[i].connected = true;
	say(w, i);
}

static void on_echo(struct crowd *w, uint32_t i)
{
	struct message m = message(w, i), got;
	struct conn *c = &w->conns[i];
	ssize_t n;

	n = recv(c->fd, &got, sizeof(got) - c->got, 0);
	if (n <= 0)
		die(w, i, n ? "recv" : "closed instead of an echo");
	if (memcmp((char *)&m + c->got, &got, (size_t)n) != 0)
		die(w, i, "this is no echo");
	c->got += (uint32_t)n;
	if (c->got < sizeof(m))
		return;
	watch(w, i, EPOLL_CTL_MOD, 0);
	w->done++;
}

static void on_end(struct crowd *w, uint32_t i)
{
	char byte;
	ssize_t n = recv(w->conns[i].fd, &byte, 1, 0);

	if (n)
		die(w, i, n < 0 ? "recv" : "more than the echo");
	close(w->conns[i].fd);
	w->conns[i].connected = false;
	w->done++;
}

static void begin_one(struct crowd *w, enum stage stage, uint32_t i)
{
	switch (stage) {
	case STAGE_OPEN:
		connect_one(w, i);
		break;
	case STAGE_ECHO:
		say(w, i);
		break;
	case STAGE_CLOSE:
		if (shutdown(w->conns[i].fd, SHUT_WR) < 0)
			die(w, i, "shutdown");
		watch(w, i, EPOLL_CTL_MOD, EPOLLIN);
		break;
	case STAGE_WAIT:
		watch(w, i, EPOLL_CTL_MOD, EPOLLIN);
		break;
	case NSTAGES:
		break;
	}
}

static void run_stage(struct crowd *w, enum stage stage)
{
	struct epoll_event events[EVENTS_MAX];
	int n;

	alarm(STAGE_S);
	w->begun = w->done = 0;
	w->round++;
	while (w->done < w->n) {
		while (w->begun < w->n && w->begun - w->done < BUSY_MAX)
			begin_one(w, stage, w->begun++);
		n = epoll_wait(w->epoll, events, EVENTS_MAX, -1);
		for (int e = 0; e < n; e++) {
			uint32_t i = events[e].data.u32;

			if (!w->conns[i].connected)
				on_connected(w, i);
			else if (stage == STAGE_OPEN || stage == STAGE_ECHO)
				on_echo(w, i);
			else
				on_end(w, i);
		}
	}
	alarm(0);
}

/* One process: a byte tells the next stage, and goes back when it is done. */
_Noreturn static void work(struct crowd *w, int boss)
{
	struct rlimit files;
	uint8_t stage;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	w->epoll = epoll_create1(0);
	w->conns = calloc(w->n, sizeof(*w->conns));
	if (w->epoll < 0 || !w->conns)
		die(w, 0, "start");
	while (read(boss, &stage, 1) == 1) {
		run_stage(w, (enum stage)stage);
		if (write(boss, &stage, 1) != 1)
			break;
	}
	exit(0);
}

static int start_worker(struct crowd *w)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die(w, 0, "socketpair");
	switch (fork()) {
	case -1:
		die(w, 0, "fork");
	case 0:
		close(pair[0]);
		work(w, pair[1]);
	default:
		close(pair[1]);
		return pair[0];
	}
}

/* All of them at once; false if one has died. */
static bool everybody(const int *workers, unsigned int n, uint8_t stage)
{
	for (unsigned int i = 0; i < n; i++) {
		if (send(workers[i], &stage, 1, MSG_NOSIGNAL) != 1)
			return false;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (read(workers[i], &stage, 1) != 1)
			return false;
	}
	return true;
}

static bool parse_address(struct crowd *w, const char *address,
			  const char *port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&w->to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&w->to;

	in->sin_port = htons((uint16_t)atoi(port)); /* the same place in in6 */
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		w->to.ss_family = AF_INET;
		w->to_len = sizeof(*in);
		return true;
	}
	w->to.ss_family = AF_INET6;
	w->to_len = sizeof(*in6);
	return inet_pton(AF_INET6, address, &in6->sin6_addr) == 1;
}

int main(int argc, char **argv)
{
	struct crowd w = {.n = 0};
	int workers[PROCESSES_MAX];
	uint32_t clients, n;
	char line[16];
	uint8_t stage;

	clients = argc == 5 ? (uint32_t)atoi(argv[3]) : 0;
	n = argc == 5 ? (uint32_t)atoi(argv[4]) : 0;
	if (!clients || !n || n > PROCESSES_MAX || clients % n ||
	    !parse_address(&w, argv[1], argv[2])) {
		fprintf(stderr, "usage: many ADDRESS PORT CLIENTS PROCESSES\n");
		return 2;
	}
	w.n = clients / n;
	for (w.process = 0; w.process < n; w.process++)
		workers[w.process] = start_worker(&w);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		for (stage = 0; stage < NSTAGES; stage++) {
			if (strcmp(line, stage_names[stage]) == 0)
				break;
		}
		if (stage == NSTAGES || !everybody(workers, n, stage)) {
			fprintf(stderr, "many: %s failed\n", line);
			return 1;
		}
		puts(line);
		fflush(stdout);
	}
	return 0;
}
