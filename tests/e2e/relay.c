/*
 * relay.c - A bad network between two namespaces, for the end-to-end tests
 *
 *	relay [OPTION...] NETNS
 *
 *	-d US         delay
 *	-l PPM        chance to be lost
 *	-b PPM:PPM    chance that a burst of losses begins, and that it ends
 *	-B US         how long one lasts at most
 *	-r PPM[:US]   chance to come so much later than others (1000 us)
 *	-m PPM        chance to be marked "congestion experienced", if it may be
 *	-f            chances for the packets of each TCP flow apart
 *	-R BITS       rate of the transmitter, a second
 *	-q BYTES      what may wait for it
 *	-x WAY:N      lose the Nth TCP packet of one way; may be repeated
 *	-s SEED
 *	-t SECONDS    end by itself (100)
 *
 * It makes a TUN device "relay0" in its own namespace and another one, "path0",
 * in the namespace whose file is NETNS, says "ready", and carries packets
 * between them; addresses and routes are the script's. Clients live behind
 * path0 and the kernel forwards between relay0 and the daemon, so "up" is the
 * way from the clients and "down" the way to them.
 *
 * All settings hold for each way apart, and chances for each packet; path.c is
 * what happens to it. The choices follow from the seed and from the order of
 * the packets, with -f from their order within a flow and that of the flows. A
 * flow is a port of the clients.
 *
 * Neither device has offloads. The kernel cuts what comes from the daemon into
 * segments of real size with real checksums, and nobody vouches for the
 * checksums of what goes to it.
 *
 * It ends by TERM, printing what it did and how late it ever was with what was
 * due, or by itself with its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "path.h"

#define PACKET_MAX  65535
#define QUEUE_MAX   65536 /* packets under way; more are lost */
#define CHOSEN_MAX  16
#define READ_BUDGET 64
#define FLOWS_MAX   1024 /* with chances of their own */
#define LATE_US	    1000
#define TICK_NS	    20000
#define NS_PER_S    1000000000

enum way { UP, DOWN, NWAYS };

static const char *const way_names[NWAYS] = {"up", "down"};

struct packet {
	enum way way;
	size_t len;
	uint8_t bytes[];
};

struct place {
	int64_t due_ns;
	uint64_t number; /* the order of those that are due together */
	struct packet *packet;
};

struct settings {
	struct path_opts path;
	uint64_t chosen[NWAYS][CHOSEN_MAX];
	unsigned int nchosen[NWAYS];
	bool by_flow;
	uint64_t seed, seconds;
};

struct relay {
	struct settings how;
	int in_fd[NWAYS], out_fd[NWAYS];
	struct path path[NWAYS];
	uint16_t flow_of[65536]; /* by port; 0: not seen yet */
	struct path_dice dice[NWAYS][FLOWS_MAX + 1];
	unsigned int nflows;
	uint64_t seen_tcp[NWAYS], refused[NWAYS];
	int64_t latest_ns; /* how far behind its own plan it ever was */
	struct place queue[QUEUE_MAX]; /* a heap, the next one first */
	size_t nqueue;
	uint64_t number;
};

static volatile sig_atomic_t ending;

static void on_term(int signum)
{
	(void)signum;
	ending = 1;
}

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* ---- packets under way ------------------------------------------------ */

static bool sooner(struct place a, struct place b)
{
	if (a.due_ns != b.due_ns)
		return a.due_ns < b.due_ns;
	return a.number < b.number;
}

static void queue_put(struct relay *r, struct place p)
{
	size_t i = r->nqueue++;

	while (i > 0 && sooner(p, r->queue[(i - 1) / 2])) {
		r->queue[i] = r->queue[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	r->queue[i] = p;
}

static struct packet *queue_take(struct relay *r)
{
	struct packet *first = r->queue[0].packet;
	struct place last = r->queue[--r->nqueue];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < r->nqueue) {
		if (child + 1 < r->nqueue &&
		    sooner(r->queue[child + 1], r->queue[child]))
			child++;
		if (!sooner(r->queue[child], last))
			break;
		r->queue[i] = r->queue[child];
		i = child;
	}
	r->queue[i] = last;
	return first;
}

/* ---- the relay -------------------------------------------------------- */

static bool is_tcp(const uint8_t *p, size_t len)
{
	if (len >= 20 && p[0] >> 4 == 4)
		return p[9] == IPPROTO_TCP;
	return len >= 40 && p[0] >> 4 == 6 && p[6] == IPPROTO_TCP;
}

static bool chosen(struct relay *r, enum way way, const uint8_t *p, size_t len)
{
	if (!is_tcp(p, len))
		return false;
	r->seen_tcp[way]++;
	for (unsigned int i = 0; i < r->how.nchosen[way]; i++) {
		if (r->how.chosen[way][i] == r->seen_tcp[way])
			return true;
	}
	return false;
}

/* Those of its flow, or of all that is of none. */
static struct path_dice *dice_of(struct relay *r, enum way way,
				 const uint8_t *p, size_t len)
{
	size_t at = p[0] >> 4 == 4 ? (p[0] & 15) * 4u : 40;
	unsigned int port;

	at += way == UP ? 0 : 2;
	if (!r->how.by_flow || !is_tcp(p, len) || len < at + 2)
		return &r->path[way].dice;
	port = (unsigned int)p[at] << 8 | p[at + 1];
	if (!r->flow_of[port] && r->nflows < FLOWS_MAX) {
		r->flow_of[port] = (uint16_t)++r->nflows;
		for (unsigned int w = 0; w < NWAYS; w++)
			path_dice_init(&r->dice[w][r->nflows], r->how.seed, w,
				       r->nflows);
	}
	return r->flow_of[port] ? &r->dice[way][r->flow_of[port]]
				: &r->path[way].dice;
}

/* Is ECN in the IP header, and not zero? RFC 3168, 5 */
static bool may_be_marked(const uint8_t *p, size_t len)
{
	if (len >= 20 && p[0] >> 4 == 4)
		return p[1] & 3;
	return len >= 40 && p[0] >> 4 == 6 && p[1] & 0x30;
}

/* CE, and for IPv4 the checksum anew. */
static void mark(uint8_t *p)
{
	uint32_t sum = 0, len = (p[0] & 15) * 4u;

	if (p[0] >> 4 == 6) {
		p[1] |= 0x30;
		return;
	}
	p[1] |= 3;
	p[10] = p[11] = 0;
	for (uint32_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	p[10] = (uint8_t)(~sum >> 8);
	p[11] = (uint8_t)~sum;
}

static void relay_packet(struct relay *r, enum way way, const uint8_t *bytes,
			 size_t len, int64_t at_ns)
{
	bool doomed = chosen(r, way, bytes, len) || r->nqueue == QUEUE_MAX;
	int64_t due_ns = path_take_by(
		&r->path[way], dice_of(r, way, bytes, len), len, at_ns, doomed);
	struct packet *p;

	if (due_ns == PATH_LOST)
		return;
	p = malloc(sizeof(*p) + len);
	if (!p)
		die("malloc");
	p->way = way;
	p->len = len;
	memcpy(p->bytes, bytes, len);
	if (may_be_marked(bytes, len) && path_mark(&r->path[way]))
		mark(p->bytes);
	queue_put(r, (struct place){due_ns, r->number++, p});
}

static void relay_read(struct relay *r, enum way way)
{
	static uint8_t bytes[PACKET_MAX];
	int64_t at_ns = now_ns();
	ssize_t n;

	for (int i = 0; i < READ_BUDGET; i++) {
		n = read(r->in_fd[way], bytes, sizeof(bytes));
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("read");
		relay_packet(r, way, bytes, (size_t)n, at_ns);
	}
}

/* A device that is not up yet, or not any more, refuses. */
static void relay_write(struct relay *r, const struct packet *p)
{
	if (write(r->out_fd[p->way], p->bytes, p->len) < 0)
		r->refused[p->way]++;
}

static void relay_deliver(struct relay *r, int64_t at_ns)
{
	while (r->nqueue && r->queue[0].due_ns <= at_ns) {
		int64_t late_ns = at_ns - r->queue[0].due_ns;
		struct packet *p = queue_take(r);

		if (late_ns > r->latest_ns)
			r->latest_ns = late_ns;
		relay_write(r, p);
		free(p);
	}
}

/* With packets under way it looks at its devices once a tick, as a network card
 * does that gathers interrupts: woken by each packet, it would not reach rates
 * that need it. What came within a tick came at the same time, and in the order
 * of who is quicker to answer; so a tick is less than a packet takes at 100
 * Mbit/s, or one of two flows there is always the last in front of the queue. */
static void relay_run(struct relay *r)
{
	struct pollfd fds[NWAYS] = {{.fd = r->in_fd[UP], .events = POLLIN},
				    {.fd = r->in_fd[DOWN], .events = POLLIN}};
	int64_t at_ns, until_ns = now_ns() + (int64_t)r->how.seconds * NS_PER_S;
	struct timespec tick = {.tv_nsec = TICK_NS}, idle = {.tv_sec = 1};
	sigset_t none;
	int err;

	sigemptyset(&none);
	while (!ending && (at_ns = now_ns()) < until_ns) {
		relay_deliver(r, at_ns);
		err = r->nqueue ? ppoll(NULL, 0, &tick, &none)
				: ppoll(fds, NWAYS, &idle, &none);
		if (err < 0 && errno != EINTR)
			die("ppoll");
		relay_read(r, UP);
		relay_read(r, DOWN);
	}
	while (r->nqueue)
		free(queue_take(r));
}

/* ---- start and end ---------------------------------------------------- */

static int open_tun(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		die("/dev/net/tun");
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		die(name);
	return fd;
}

static void open_both(struct relay *r, const char *netns)
{
	int here = open_tun("relay0"), there, ns;

	ns = open(netns, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(netns);
	close(ns);
	there = open_tun("path0");
	r->in_fd[UP] = r->out_fd[DOWN] = there;
	r->in_fd[DOWN] = r->out_fd[UP] = here;
}

/* TERM is heard only while ppoll() waits, so none comes too early; and it waits
 * no longer than it is told to. */
static void be_punctual(void)
{
	struct sigaction sa = {.sa_handler = on_term};
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	sigaction(SIGTERM, &sa, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_TIMERSLACK, 1ul);
}

static bool number(const char *text, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 10);
	return !errno && end != text && !*end;
}

/* A:B, or A alone, which leaves the second as it is. */
static bool pair(const char *text, uint64_t *a, uint64_t *b)
{
	const char *colon = strchr(text, ':');
	char first[32];

	if (!colon)
		return number(text, a);
	if ((size_t)(colon - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t)(colon - text));
	first[colon - text] = 0;
	return number(first, a) && number(colon + 1, b);
}

static bool choose(struct settings *how, const char *text)
{
	for (int w = 0; w < NWAYS; w++) {
		size_t len = strlen(way_names[w]);

		if (strncmp(text, way_names[w], len) == 0 && text[len] == ':' &&
		    how->nchosen[w] < CHOSEN_MAX)
			return number(text + len + 1,
				      &how->chosen[w][how->nchosen[w]++]);
	}
	return false;
}

static bool option(struct settings *how, int opt, const char *text)
{
	struct path_opts *path = &how->path;

	switch (opt) {
	case 'd':
		return number(text, &path->delay_us);
	case 'l':
		return number(text, &path->loss_ppm);
	case 'b':
		return pair(text, &path->burst_ppm, &path->burst_end_ppm);
	case 'B':
		return number(text, &path->burst_most_us);
	case 'f':
		how->by_flow = true;
		return true;
	case 'r':
		return pair(text, &path->late_ppm, &path->late_us);
	case 'm':
		return number(text, &path->mark_ppm);
	case 'R':
		return number(text, &path->rate);
	case 'q':
		return number(text, &path->queue);
	case 'x':
		return choose(how, text);
	case 's':
		return number(text, &how->seed);
	case 't':
		return number(text, &how->seconds);
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static struct relay r = {
		.how = {.path = {.late_us = LATE_US},
			.seed = 1,
			.seconds = 100},
	};
	bool ok = true;
	int opt;

	while ((opt = getopt(argc, argv, "d:l:b:B:fr:m:R:q:x:s:t:")) != -1)
		ok &= option(&r.how, opt, optarg);
	if (!ok || optind != argc - 1) {
		fprintf(stderr,
			"usage: relay [-d US] [-l PPM] [-b PPM:PPM] [-B US] "
			"[-f] [-r PPM[:US]] [-m PPM] [-R BITS] [-q BYTES] "
			"[-x WAY:N] [-s SEED] [-t SECONDS] NETNS\n");
		return 2;
	}
	for (unsigned int w = 0; w < NWAYS; w++)
		path_init(&r.path[w], &r.how.path, r.how.seed, w);
	be_punctual();
	open_both(&r, argv[optind]);
	puts("ready");
	fflush(stdout);
	relay_run(&r);
	for (int w = 0; w < NWAYS; w++)
		printf("%s: %" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64
		       " late, %" PRIu64 " refused, %" PRIu64
		       " too many, %" PRIu64 " marked\n",
		       way_names[w], r.path[w].seen, r.path[w].lost,
		       r.path[w].late, r.refused[w], r.path[w].full,
		       r.path[w].marked);
	printf("latest: %" PRId64 " us\n", r.latest_ns / 1000);
	return 0;
}
