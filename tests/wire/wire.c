/*
 * wire.c - Play packet scripts and say what was not as written
 *
 *	wire [-v] [-4 | -6] [-t WORDS] FILE.wire...
 *
 * Each script of each file is played against the engine, over IPv4 and over
 * IPv6. -t plays only tests whose name has these words in it, -v names each.
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

#define FIRST_PORT 40000

static struct {
	bool verbose, only4, only6;
	const char *words;
} opt;

static unsigned int passed, failed, exchanges, written;

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static void run(const struct script *s, bool v6, bool counted)
{
	struct stage g = {
		.ops = &engine_ops,
		.v6 = v6,
		.first_port = FIRST_PORT,
	};
	unsigned int n = 0;
	bool ok = play(&g, s, &n);

	if (opt.verbose)
		printf("%s %s:%d %s%s%s%s\n", ok ? "ok  " : "FAIL", s->path,
		       s->line, s->name, s->start ? " from " : "",
		       s->start ? s->start : "", v6 ? " (IPv6)" : "");
	passed += ok;
	failed += !ok;
	exchanges += n;
	written += counted ? n : 0;
}

static void run_all(const struct script_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct script *s = &set->scripts[i];
		/* Of a test that is played from many states, one counts. */
		bool first = !i || s[-1].line != s->line ||
			     strcmp(s[-1].path, s->path) != 0;

		if (opt.words && !strstr(s->name, opt.words))
			continue;
		if (s->ipv4 && !opt.only6)
			run(s, false, first);
		if (s->ipv6 && !opt.only4)
			run(s, true, first && !s->ipv4);
	}
}

int main(int argc, char **argv)
{
	struct script_set set = {NULL, 0, NULL, 0};
	bool ok = true;
	int c;

	while ((c = getopt(argc, argv, "46t:v")) != -1) {
		switch (c) {
		case '4':
			opt.only4 = true;
			break;
		case '6':
			opt.only6 = true;
			break;
		case 't':
			opt.words = optarg;
			break;
		case 'v':
			opt.verbose = true;
			break;
		default:
			return 2;
		}
	}
	for (int i = optind; ok && i < argc; i++)
		ok = script_read(&set, argv[i]);
	if (ok)
		run_all(&set);
	script_free(&set);
	printf("wire: %u exchanges written, %u played\n", written, exchanges);
	printf("wire: %u passed, %u failed\n", passed, failed + !ok);
	return !ok || failed || !passed;
}
