/*
 * kernel_peer.c - echo, discard and chargen on the kernel's TCP
 *
 *	kernel_peer [-j PROCESSES]
 *
 * The comparison that tcphsd has to stand: the same three services behind
 * sockets, with as few system calls as they allow. Ports 7, 9 and 19 of every
 * IPv4 address, one thread and one epoll. Processes share the ports (SO_REUSEPORT);
 * more than one is for more connections than a process may have open files.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

#define EVENTS	  256
#define CHUNK	  (256 * 1024)
#define BACKLOG	  4096
#define FD_SHIFT  8 /* epoll's data is fd << FD_SHIFT | port */
#define PORT_ECHO 7
#define PORT_DISC 9
#define PORT_CHAR 19
#define LISTENING 0x80

static char chunk[CHUNK]; /* what chargen sends */
static char scratch[CHUNK];

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int watch(int epoll, int fd, unsigned int tag, uint32_t events)
{
	struct epoll_event ev = {
		.events = events,
		.data.u64 = (uint64_t)fd << FD_SHIFT | tag,
	};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int open_port(int epoll, uint16_t port)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -1;
	return watch(epoll, fd, LISTENING | port, EPOLLIN);
}

static void take_clients(int epoll, int listener, unsigned int port)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		if (watch(epoll, fd, port,
			  port == PORT_CHAR ? EPOLLOUT : EPOLLIN) < 0)
			close(fd);
}

/* Return: false when it is over */
static bool serve(int fd, unsigned int port)
{
	ssize_t n;

	if (port == PORT_CHAR) {
		n = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);
		return n > 0 || errno == EAGAIN;
	}
	n = recv(fd, scratch, sizeof(scratch), 0);
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	return port == PORT_DISC ||
	       send(fd, scratch, (size_t)n, MSG_NOSIGNAL) == n;
}

static int run(int epoll)
{
	struct epoll_event ev[EVENTS];

	for (;;) {
		int n = epoll_wait(epoll, ev, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = (int)(ev[i].data.u64 >> FD_SHIFT);
			unsigned int tag = ev[i].data.u64 & 0xff;

			if (tag & LISTENING)
				take_clients(epoll, fd,
					     tag & ~(unsigned int)LISTENING);
			else if (!serve(fd, tag))
				close(fd);
		}
		if (n < 0 && errno != EINTR)
			return fail("epoll_wait");
	}
}

int main(int argc, char **argv)
{
	static const uint16_t ports[] = {PORT_ECHO, PORT_DISC, PORT_CHAR};
	long processes = 1;
	int epoll;

	if (argc == 3 && strcmp(argv[1], "-j") == 0)
		processes = strtol(argv[2], NULL, 10);
	if ((argc != 1 && argc != 3) || processes < 1 || processes > 64) {
		fputs("usage: kernel_peer [-j PROCESSES]\n", stderr);
		return 2;
	}
	while (--processes > 0) {
		pid_t pid = fork();

		if (pid < 0)
			return fail("fork");
		if (pid == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			break;
		}
	}
	for (size_t i = 0; i < sizeof(chunk); i++)
		chunk[i] = (char)(' ' + i % 95);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return fail("epoll_create1");
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (open_port(epoll, ports[i]) < 0)
			return fail("kernel_peer");
	puts("ready");
	fflush(stdout);
	return run(epoll);
}
