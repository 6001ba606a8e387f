/*
 * relay.c - A bad network between two namespaces, for the end-to-end tests
 *
 *	relay [-l PPM] [-d US] [-r PPM] [-x WAY:N] [-s SEED] [-t SECONDS] NETNS
 *
 * It makes a TUN device "relay0" in its own namespace and another one, "path0",
 * in the namespace whose file is NETNS, says "ready", and carries packets
 * between them; addresses and routes are the script's. Clients live behind
 * path0 and the kernel forwards between relay0 and the daemon, so "up" is the
 * way from the clients and "down" the way to them.
 *
 * Each packet is lost (-l) or comes a millisecond late (-r) with that chance,
 * per million and for each way apart; the choices follow from the seed and from
 * the order of the packets. -d delays all. -x loses the Nth TCP packet of one way, counted from 1, and may be given
 * several times.
 *
 * Neither device has offloads. The kernel cuts what comes from the daemon into
 * segments of real size with real checksums, and nobody vouches for the
 * checksums of what goes to it.
 *
 * It ends by TERM, printing what it did, or by itself with its parent or after
 * -t seconds (100).
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

#define PACKET_MAX  65535
#define QUEUE_MAX   8192 /* packets under way; more are lost */
#define CHOSEN_MAX  16
#define MILLION	    1000000
#define REORDER_US  1000
#define READ_BUDGET 64

enum way { UP, DOWN, NWAYS };

static const char *const way_names[NWAYS] = {"up", "down"};

struct packet {
	int64_t due_us;
	uint64_t number; /* the order of those that are due together */
	enum way way;
	size_t len;
	uint8_t bytes[];
};

struct impairment {
	uint64_t loss_ppm, reorder_ppm, delay_us;
	uint64_t chosen[NWAYS][CHOSEN_MAX];
	unsigned int nchosen[NWAYS];
};

struct relay {
	struct impairment how;
	int in_fd[NWAYS], out_fd[NWAYS];
	uint64_t chance[NWAYS]; /* state of the generator */
	uint64_t seen[NWAYS], seen_tcp[NWAYS], lost[NWAYS], late[NWAYS],
		refused[NWAYS];
	struct packet *queue[QUEUE_MAX]; /* a heap, the next one first */
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

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * MILLION + ts.tv_nsec / 1000;
}

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift
 * generators, scrambled" (2014). */
static bool happens(uint64_t *state, uint64_t ppm)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1du >> 32) % MILLION < ppm;
}

/* ---- packets under way ------------------------------------------------ */

static bool sooner(const struct packet *a, const struct packet *b)
{
	if (a->due_us != b->due_us)
		return a->due_us < b->due_us;
	return a->number < b->number;
}

static void queue_put(struct relay *r, struct packet *p)
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
	struct packet *first = r->queue[0], *last = r->queue[--r->nqueue];
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

/* Decide what becomes of one packet. Both chances are taken for each packet,
 * so that one setting does not shift what another one hits. */
static void relay_packet(struct relay *r, enum way way, const uint8_t *bytes,
			 size_t len, int64_t at_us)
{
	bool lost = happens(&r->chance[way], r->how.loss_ppm);
	bool late = happens(&r->chance[way], r->how.reorder_ppm);
	struct packet *p;

	r->seen[way]++;
	lost |= chosen(r, way, bytes, len);
	if (lost || r->nqueue == QUEUE_MAX) {
		r->lost[way]++;
		return;
	}
	p = malloc(sizeof(*p) + len);
	if (!p)
		die("malloc");
	p->due_us = at_us + (int64_t)r->how.delay_us;
	if (late) {
		r->late[way]++;
		p->due_us += REORDER_US;
	}
	p->number = r->number++;
	p->way = way;
	p->len = len;
	memcpy(p->bytes, bytes, len);
	queue_put(r, p);
}

static void relay_read(struct relay *r, enum way way)
{
	static uint8_t bytes[PACKET_MAX];
	ssize_t n;

	for (int i = 0; i < READ_BUDGET; i++) {
		n = read(r->in_fd[way], bytes, sizeof(bytes));
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			die("read");
		relay_packet(r, way, bytes, (size_t)n, now_us());
	}
}

/* A device that is not up yet, or not any more, refuses. */
static void relay_write(struct relay *r, const struct packet *p)
{
	if (write(r->out_fd[p->way], p->bytes, p->len) < 0)
		r->refused[p->way]++;
}

static void relay_run(struct relay *r, int64_t until_us)
{
	struct pollfd fds[NWAYS] = {{.fd = r->in_fd[UP], .events = POLLIN},
				    {.fd = r->in_fd[DOWN], .events = POLLIN}};
	struct timespec wait;
	struct packet *p;
	sigset_t none;
	int64_t at_us;

	sigemptyset(&none);
	while (!ending && (at_us = now_us()) < until_us) {
		while (r->nqueue && r->queue[0]->due_us <= at_us) {
			p = queue_take(r);
			relay_write(r, p);
			free(p);
		}
		at_us = (r->nqueue ? r->queue[0]->due_us : until_us) - now_us();
		if (at_us < 0)
			at_us = 0;
		wait.tv_sec = at_us / MILLION;
		wait.tv_nsec = at_us % MILLION * 1000;
		if (ppoll(fds, NWAYS, &wait, &none) < 0 && errno != EINTR)
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

/* TERM is heard only while ppoll() waits, so none comes too early. */
static void catch_term(void)
{
	struct sigaction sa = {.sa_handler = on_term};
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	sigaction(SIGTERM, &sa, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static bool number(const char *text, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 10);
	return !errno && end != text && !*end;
}

static bool choose(struct impairment *how, const char *text)
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

static bool options(int argc, char **argv, struct impairment *how,
		    uint64_t *seed, uint64_t *seconds)
{
	bool ok = true;
	int opt;

	while ((opt = getopt(argc, argv, "l:d:r:x:s:t:")) != -1) {
		switch (opt) {
		case 'l':
			ok &= number(optarg, &how->loss_ppm);
			break;
		case 'd':
			ok &= number(optarg, &how->delay_us);
			break;
		case 'r':
			ok &= number(optarg, &how->reorder_ppm);
			break;
		case 'x':
			ok &= choose(how, optarg);
			break;
		case 's':
			ok &= number(optarg, seed);
			break;
		case 't':
			ok &= number(optarg, seconds);
			break;
		default:
			ok = false;
		}
	}
	return ok && optind == argc - 1;
}

int main(int argc, char **argv)
{
	static struct relay r;
	uint64_t seed = 1, seconds = 100;

	if (!options(argc, argv, &r.how, &seed, &seconds)) {
		fprintf(stderr,
			"usage: relay [-l PPM] [-d US] [-r PPM] [-x WAY:N] "
			"[-s SEED] [-t SECONDS] NETNS\n");
		return 2;
	}
	for (int w = 0; w < NWAYS; w++)
		r.chance[w] =
			(seed * NWAYS + (uint64_t)w + 1) * 0x9e3779b97f4a7c15u;
	catch_term();
	open_both(&r, argv[optind]);
	puts("ready");
	fflush(stdout);
	relay_run(&r, now_us() + (int64_t)seconds * MILLION);
	for (int w = 0; w < NWAYS; w++)
		printf("%s: %" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64
		       " late, %" PRIu64 " refused\n",
		       way_names[w], r.seen[w], r.lost[w], r.late[w],
		       r.refused[w]);
	return 0;
}
