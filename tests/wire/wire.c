/*
 * wire.c - Play packet scripts and say what was not as written
 *
 *	wire [-v] [-4 | -6] [-t WORDS] FILE.wire...
 *	wire -l TCPHSD -d DIR [-m MS] ... FILE.wire...
 *
 * Each script of each file is played against the engine, over IPv4 and over
 * IPv6. -t plays only tests whose name has these words in it, -v names each.
 * With -l a real daemon is on the stage (live.c); then those scripts are played
 * that it can take part in and that do not wait for more than -m milliseconds.
 * This program or the daemon may be kept from its processor there when a script
 * counts on milliseconds: a few that fail are played once more, and named.
 *
 * An exchange is something that happened (a segment, a call, time that passed)
 * and what came of it, be it nothing. Those of shared beginnings are not
 * counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/assert.h"
#include "play.h"
#include "script.h"
#include "stage.h"

#define FIRST_PORT 20000
#define LAST_PORT  60000
#define COMPLAINTS 20 /* more than that nobody reads */
#define AGAIN_MAX  3  /* live, of hundreds */

static struct {
	bool verbose, only4, only6;
	const char *words;
	const char *daemon, *dir; /* live, if not NULL */
	int64_t most_us;
} opt = {.most_us = INT64_MAX};

static unsigned int passed, failed, exchanges, written, again;

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

/* Each time its own ports: a daemon remembers those of the last ones. */
static bool play_once(const struct script *s, bool v6, unsigned int *n)
{
	static uint16_t port = FIRST_PORT;
	struct stage g = {
		.ops = opt.daemon ? &live_ops : &engine_ops,
		.live = opt.daemon,
		.v6 = v6,
		.first_port = port,
	};

	port += SCRIPT_CONNS;
	if (port > LAST_PORT)
		port = FIRST_PORT;
	*n = 0;
	return play(&g, s, n);
}

static void run(const struct script *s, bool v6, bool counted)
{
	unsigned int n;
	bool ok = play_once(s, v6, &n);

	if (!ok && opt.daemon && again < AGAIN_MAX) {
		again++;
		ok = play_once(s, v6, &n);
		printf("again: %s:%d %s%s: %s\n", s->path, s->line, s->name,
		       v6 ? " (IPv6)" : "", ok ? "passed" : "failed");
	}
	if (opt.verbose)
		printf("%s %s:%d %s%s%s%s\n", ok ? "ok  " : "FAIL", s->path,
		       s->line, s->name, s->start ? " from " : "",
		       s->start ? s->start : "", v6 ? " (IPv6)" : "");
	passed += ok;
	failed += !ok;
	exchanges += n;
	written += counted ? n : 0;
}

/* How long a script waits at least. */
static int64_t waits_us(const struct script *s)
{
	int64_t us = 0;

	for (size_t i = 0; i < s->nlines; i++) {
		const struct script_line *l = &s->lines[i];

		us += l->after_us > 0 ? l->after_us : 0;
		if (l->kind == LINE_NOTHING || l->kind == LINE_DRAIN)
			us += l->n;
	}
	return us;
}

static bool is_wanted(const struct script *s)
{
	if (opt.words && !strstr(s->name, opt.words))
		return false;
	return !opt.daemon || (!s->engine_only && waits_us(s) <= opt.most_us);
}

static void run_all(const struct script_set *set)
{
	for (size_t i = 0; i < set->n && failed < COMPLAINTS; i++) {
		const struct script *s = &set->scripts[i];
		/* Of a test that is played from many states, one counts. */
		bool first = !i || s[-1].line != s->line ||
			     strcmp(s[-1].path, s->path) != 0;

		if (!is_wanted(s))
			continue;
		if (s->ipv4 && !opt.only6)
			run(s, false, first);
		if (s->ipv6 && !opt.only4)
			run(s, true, first && !s->ipv4);
	}
}

static bool options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "46d:l:m:t:v")) != -1) {
		switch (c) {
		case '4':
			opt.only4 = true;
			break;
		case '6':
			opt.only6 = true;
			break;
		case 'd':
			opt.dir = optarg;
			break;
		case 'l':
			opt.daemon = optarg;
			break;
		case 'm':
			opt.most_us = strtoll(optarg, NULL, 10) * 1000;
			break;
		case 't':
			opt.words = optarg;
			break;
		case 'v':
			opt.verbose = true;
			break;
		default:
			return false;
		}
	}
	return optind < argc && !opt.daemon == !opt.dir;
}

int main(int argc, char **argv)
{
	struct script_set set = {NULL, 0, NULL, 0};
	bool ok = true;

	if (!options(argc, argv)) {
		fprintf(stderr, "usage: wire [-46v] [-t WORDS] "
				"[-l TCPHSD -d DIR [-m MS]] FILE.wire...\n");
		return 2;
	}
	for (int i = optind; ok && i < argc; i++)
		ok = script_read(&set, argv[i]);
	if (ok && opt.daemon)
		ok = live_open(opt.daemon, opt.dir);
	if (ok)
		run_all(&set);
	if (ok && opt.daemon)
		live_close();
	script_free(&set);
	printf("wire: %u exchanges written, %u played\n", written, exchanges);
	printf("wire: %u passed, %u failed\n", passed, failed + !ok);
	return !ok || failed || !passed;
}
