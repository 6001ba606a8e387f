/*
 * names.c - Names instead of numbers
 *
 * Where a name server is silent, getnameinfo(3) takes many seconds for each
 * address. So threads of their own call it, and each address is looked for
 * once. Who shows a name waits for it, but all waiting together has a limit: a
 * patience to begin with, which grows by a tenth of the time that passes. What
 * is not there by then is shown as a number; on a screen that is drawn again
 * and again it becomes a name when that has come.
 *
 * Ports are looked up at once: /etc/services is a file.
 */
#include "names.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <tcphs/ipaddr.h>
#include <tcphs/stack.h>

#include "text.h"

#define THREADS_MAX 8
#define HOSTS_MAX   65536 /* the names of more stay unknown */
#define BUCKETS	    4096
#define NAME_SIZE   256
#define SERVICE_MAX 32
#define NPORTS	    65536
#define PATIENCE_US INT64_C(3000000)
#define SHARE	    10 /* of the time that passes, one part of so many */

struct host {
	struct ip_addr addr;
	bool answered;
	char name[NAME_SIZE]; /* "" if it has none, or none yet */
	struct host *same_bucket;
	struct host *next; /* who waits for a thread */
};

struct end {
	struct ip_addr addr;
	int port; /* -1 = an address alone */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t asked, answered;
	struct host *bucket[BUCKETS];
	struct host *first, **last; /* who wait for a thread */
	unsigned int nhosts, waiting, nthreads, idle;
} hosts = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.asked = PTHREAD_COND_INITIALIZER,
	.answered = PTHREAD_COND_INITIALIZER,
	.last = &hosts.first,
};

static struct {
	int64_t most_us, left_us;
	int64_t at_us; /* when the latter was so much; 0 = not counted yet */
} patience = {PATIENCE_US, PATIENCE_US, 0};

static bool parse_end(const char *text, struct end *e);
static struct host *find(const struct ip_addr *a);
static struct host *begin(const struct ip_addr *a);
static void start_thread(void);
static void *answer(void *arg);
static void look_up(const struct ip_addr *a, char name[NAME_SIZE]);
static bool wait_for(const struct host *h);
static int64_t now_us(void);
static const char *service(int port);

void names_patience(int64_t us)
{
	patience.most_us = patience.left_us = us;
	patience.at_us = 0;
}

void names_ask(const char *end)
{
	struct end e;

	if (!parse_end(end, &e))
		return;
	pthread_mutex_lock(&hosts.lock);
	if (!find(&e.addr))
		(void)begin(&e.addr);
	pthread_mutex_unlock(&hosts.lock);
}

size_t names_put(char *end, size_t size)
{
	char name[NAME_SIZE] = "", port[SERVICE_MAX + 8] = "";
	char number[IPADDR_TEXT_MAX];
	struct host *h;
	struct end e;

	if (!parse_end(end, &e))
		return strlen(end);
	pthread_mutex_lock(&hosts.lock);
	h = find(&e.addr);
	if (!h)
		h = begin(&e.addr);
	if (h && wait_for(h))
		snprintf(name, sizeof(name), "%s", h->name);
	pthread_mutex_unlock(&hosts.lock);
	if (!*name) {
		ipaddr_format(&e.addr, number);
		snprintf(name, sizeof(name),
			 e.port < 0 || ip_addr_is4(&e.addr) ? "%s" : "[%s]",
			 number);
	}
	if (e.port >= 0 && *service(e.port))
		snprintf(port, sizeof(port), ":%s", service(e.port));
	else if (e.port >= 0)
		snprintf(port, sizeof(port), ":%d", e.port);
	snprintf(end, size, "%s%s", name, port);
	text_clean(end);
	return strlen(end);
}

static bool parse_end(const char *text, struct end *e)
{
	char copy[IPPORT_TEXT_MAX], *addr = copy, *colon = NULL;
	int port = -1;
	size_t len = strlen(text);

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len + 1);
	if (*copy == '[') {
		addr++;
		colon = strchr(copy, ']');
		if (!colon)
			return false;
		*colon++ = '\0';
	} else if (strchr(copy, ':') == strrchr(copy, ':')) {
		colon = strchr(copy, ':');
	}
	if (colon) {
		char *rest;

		if (colon[0] != ':' || colon[1] < '0' || colon[1] > '9')
			return false;
		port = (int)strtol(colon + 1, &rest, 10);
		if (*rest || port >= NPORTS)
			return false;
		*colon = '\0';
	}
	e->port = port;
	return ipaddr_parse(addr, &e->addr);
}

/* ---- hosts; under the lock -------------------------------------------- */

static unsigned int bucket_of(const struct ip_addr *a)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < sizeof(a->b); i++)
		hash = (hash ^ a->b[i]) * 16777619u;
	return hash % BUCKETS;
}

static struct host *find(const struct ip_addr *a)
{
	struct host *h = hosts.bucket[bucket_of(a)];

	while (h && memcmp(&h->addr, a, sizeof(*a)) != 0)
		h = h->same_bucket;
	return h;
}

/* NULL if there are too many: its name stays unknown. */
static struct host *begin(const struct ip_addr *a)
{
	struct host **bucket = &hosts.bucket[bucket_of(a)];
	struct host *h;

	if (hosts.nhosts == HOSTS_MAX)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	hosts.nhosts++;
	h->addr = *a;
	h->same_bucket = *bucket;
	*bucket = h;
	*hosts.last = h;
	hosts.last = &h->next;
	if (++hosts.waiting > hosts.idle && hosts.nthreads < THREADS_MAX)
		start_thread();
	pthread_cond_signal(&hosts.asked);
	return h;
}

/* Signals are for those who show. The threads end with the program. */
static void start_thread(void)
{
	sigset_t all, was;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &was);
	if (pthread_create(&thread, NULL, answer, NULL) == 0) {
		pthread_detach(thread);
		hosts.nthreads++;
	}
	pthread_sigmask(SIG_SETMASK, &was, NULL);
}

static void *answer(void *arg)
{
	char name[NAME_SIZE];
	struct host *h;

	pthread_mutex_lock(&hosts.lock);
	for (;;) {
		while (!hosts.first) {
			hosts.idle++;
			pthread_cond_wait(&hosts.asked, &hosts.lock);
			hosts.idle--;
		}
		h = hosts.first;
		hosts.first = h->next;
		hosts.waiting--;
		if (!hosts.first)
			hosts.last = &hosts.first;
		pthread_mutex_unlock(&hosts.lock);
		look_up(&h->addr, name);
		pthread_mutex_lock(&hosts.lock);
		memcpy(h->name, name, sizeof(name));
		h->answered = true;
		pthread_cond_broadcast(&hosts.answered);
	}
	return arg;
}

/* Without the lock. */
static void look_up(const struct ip_addr *a, char name[NAME_SIZE])
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct sockaddr_in sin = {.sin_family = AF_INET};
	bool v4 = ip_addr_is4(a);

	memcpy(&sin6.sin6_addr, a->b, sizeof(a->b));
	memcpy(&sin.sin_addr, a->b + 12, sizeof(sin.sin_addr));
	if (getnameinfo(v4 ? (const void *)&sin : &sin6,
			v4 ? sizeof(sin) : sizeof(sin6), name, NAME_SIZE, NULL,
			0, NI_NAMEREQD) != 0)
		*name = '\0';
}

/* ---- waiting ---------------------------------------------------------- */

/* Is it known? Under the lock, which others get meanwhile. */
static bool wait_for(const struct host *h)
{
	int64_t start_us = now_us(), until_us;
	struct timespec ts;

	if (h->answered)
		return true;
	if (patience.at_us)
		patience.left_us += (start_us - patience.at_us) / SHARE;
	if (patience.left_us > patience.most_us)
		patience.left_us = patience.most_us;
	until_us = start_us + (patience.left_us > 0 ? patience.left_us : 0);
	ts.tv_sec = until_us / 1000000;
	ts.tv_nsec = until_us % 1000000 * 1000;
	while (!h->answered && now_us() < until_us)
		pthread_cond_clockwait(&hosts.answered, &hosts.lock,
				       CLOCK_MONOTONIC, &ts);
	patience.at_us = now_us();
	patience.left_us -= patience.at_us - start_us;
	return h->answered;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- ports ------------------------------------------------------------ */

/* "" if it has no name. A listing has many of them: each is looked up once. */
static const char *service(int port)
{
	static char names[NPORTS][SERVICE_MAX];
	static bool known[NPORTS];
	const struct servent *s;

	if (!known[port]) {
		s = getservbyport(htons((uint16_t)port), "tcp");
		if (s)
			snprintf(names[port], SERVICE_MAX, "%s", s->s_name);
		known[port] = true;
	}
	return names[port];
}
