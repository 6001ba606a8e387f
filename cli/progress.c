/*
 * progress.c - How far it is, for who waits at a terminal
 *
 * One line on stderr that rewrites itself. It comes after a second: what takes
 * less needs none.
 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <tcphs/plural.h>

#define FIRST_MS   1000
#define EACH_MS	   200
#define CLOCK_EACH 4096 /* packets between two looks at the clock */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, bool wanted)
{
	*p = (struct progress){
		.wanted = wanted && isatty(STDERR_FILENO),
		.next_ms = now_ms() + FIRST_MS,
	};
}

bool progress_packets(struct progress *p, unsigned int n)
{
	uint64_t before = p->packets;
	int64_t now;

	p->packets += n;
	if (!p->wanted || p->packets / CLOCK_EACH == before / CLOCK_EACH)
		return false;
	now = now_ms();
	if (now < p->next_ms)
		return false;
	p->next_ms = now + EACH_MS;
	return true;
}

void progress_show(struct progress *p, uint64_t done, uint64_t all,
		   uint64_t connections)
{
	p->shown = true;
	fputs("\r", stderr);
	if (all)
		fprintf(stderr, "%3" PRIu64 "%%, ", 100 * done / all);
	fprintf(stderr, "%" PRIu64 " packet%s, %" PRIu64 " connection%s\033[K",
		p->packets, plural(p->packets), connections,
		plural(connections));
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
