/*
 * lab.c - A lesson: one connection, from the first SYN to the end of TIME-WAIT
 *
 * Two stacks back to back (lab_net.c), so it needs no right, no interface and
 * no daemon that runs. Nothing is played: the engine is the daemon's, and what
 * is printed (lab_show.c) are its events and its packets.
 */
#include "lab.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <tcphs/ipaddr.h>

#define SEED 1

static const char in_handshake[] =
	"Each side says with SYN where it begins to count, and has that\n"
	"acknowledged: three segments, for the second does both (RFC 9293,\n"
	"3.5). Where it begins nobody can guess (RFC 6528). A SYN takes a\n"
	"number, so the first byte of text is number 1. What else is on\n"
	"offer goes with the SYNs alone.";

static const char in_message[] =
	"An ACK names the next byte that is expected, and with it all before\n"
	"have arrived (RFC 9293, 3.4). Whoever has nothing to say may wait a\n"
	"moment with an ACK, so that text can carry it (3.8.6.3); not at the\n"
	"beginning, where the sender needs each of them to become faster.";

static const char in_loss[] =
	"The next packet is lost on its way. Nobody is told; all that is\n"
	"missing is an ACK. The client knows how long one takes, and when it\n"
	"is overdue, sends the same bytes under the same numbers again:\n"
	"after a time-out (RFC 6298), or, as here, somewhat sooner as a\n"
	"probe (RFC 8985, 7).";

static const char in_teardown[] =
	"FIN says: no more from me. It takes a number, as SYN did, and is\n"
	"acknowledged like text. Each direction ends for itself (RFC 9293,\n"
	"3.6): the client closes first, and the server could still send.";

static const char in_time_wait_now[] =
	"The server is done. The client cannot know whether its last ACK\n"
	"arrived, so it remembers the connection for twice the longest life\n"
	"of a segment (RFC 9293, 3.6.1 (MUST-13)):";

static void parse(struct lab *l, uint64_t *seed, int argc, char **argv);
static bool parse_seed(const char *text, uint64_t *seed);
_Noreturn static void usage(FILE *f, int code);
static bool lesson(struct lab *l);
static void introduction(const struct lab *l);
static bool handshake(struct lab *l);
static bool message(struct lab *l);
static bool loss(struct lab *l);
static bool teardown(struct lab *l);

int lab_main(int argc, char **argv)
{
	static struct lab l;
	uint64_t seed = SEED;
	int err;
	bool done;

	l.out = stdout;
	parse(&l, &seed, argc, argv);
	err = lab_init(&l, seed);
	if (err) {
		fprintf(stderr, "tcphsd: lab: %s\n", strerror(-err));
		lab_free(&l);
		return EX_OSERR;
	}
	done = lesson(&l);
	lab_free(&l);
	if (!done) {
		fputs("tcphsd: lab: the lesson came to no end\n", stderr);
		return EX_SOFTWARE;
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? EX_OK : EX_IOERR;
}

static void parse(struct lab *l, uint64_t *seed, int argc, char **argv)
{
	static const struct option longs[] = {
		{"classic", no_argument, NULL, 'c'},
		{"step", no_argument, NULL, 's'},
		{"seed", required_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (opt) {
		case 'c':
			l->classic = true;
			break;
		case 's':
			l->step = true;
			break;
		case 'S':
			if (!parse_seed(optarg, seed))
				usage(stderr, EX_USAGE);
			break;
		case 'h':
			usage(stdout, EX_OK);
		default:
			usage(stderr, EX_USAGE);
		}
	}
	if (optind < argc)
		usage(stderr, EX_USAGE);
}

static bool parse_seed(const char *text, uint64_t *seed)
{
	char *end;

	errno = 0;
	*seed = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

_Noreturn static void usage(FILE *f, int code)
{
	fputs("usage: tcphsd lab [--classic] [--step] [--seed N]\n", f);
	if (code == EX_OK)
		fputs("\n"
		      "  --classic   what each side did, and nothing else\n"
		      "  --step      wait for Enter after each packet\n"
		      "  --seed N    other sequence numbers\n",
		      f);
	exit(code);
}

static bool lesson(struct lab *l)
{
	introduction(l);
	if (!handshake(l) || !message(l) || !loss(l) || !teardown(l))
		return false;
	if (!l->classic)
		fputs("\nThat was all of it. The same with real programs, as "
		      "root: tcphsd --foreground\n",
		      l->out);
	return true;
}

static void introduction(const struct lab *l)
{
	const struct stack_conf *c = stack_conf(l->host[LAB_CLIENT].st);
	const struct stack_conf *s = stack_conf(l->host[LAB_SERVER].st);
	char client[IPADDR_TEXT_MAX], server[IPPORT_TEXT_MAX];

	if (l->classic)
		return;
	fprintf(l->out,
		"Two TCPs on a wire that takes 10 ms each way: a client at\n"
		"%s and a server at %s. Times are\n"
		"milliseconds of a virtual clock. At the left stands the "
		"client's\nstate, at the right the server's, as each packet "
		"leaves; sequence\nnumbers count from each side's "
		"first.%s\n",
		ipaddr_format(&c->own4, client),
		ipport_format(&s->own4, LAB_PORT, server),
		l->step ? " Enter goes on." : "");
}

/* ---- the chapters ------------------------------------------------------ */

static bool both_open(const struct lab *l)
{
	return l->host[LAB_CLIENT].conn && l->host[LAB_SERVER].conn &&
	       lab_settled(l);
}

static bool handshake(struct lab *l)
{
	lab_show_prose(l, "1. The handshake", in_handshake);
	lab_open(l);
	return lab_run(l, both_open);
}

static bool message(struct lab *l)
{
	lab_show_prose(l, "2. A message, and an answer", in_message);
	lab_say(l, LAB_CLIENT, "Hello, server!");
	if (!lab_run(l, lab_settled))
		return false;
	lab_say(l, LAB_SERVER, "Hello, client! What can I do for you?");
	return lab_run(l, lab_settled);
}

static bool loss(struct lab *l)
{
	lab_show_prose(l, "3. A loss", in_loss);
	l->lose = true;
	lab_say(l, LAB_CLIENT, "Are you still there?");
	if (!lab_run(l, lab_settled))
		return false;
	lab_say(l, LAB_SERVER, "I am.");
	return lab_run(l, lab_settled);
}

static bool half_closed(const struct lab *l)
{
	return lab_state(l, LAB_CLIENT) == TCP_FIN_WAIT_2;
}

static bool in_time_wait(const struct lab *l)
{
	return lab_state(l, LAB_CLIENT) == TCP_TIME_WAIT &&
	       lab_state(l, LAB_SERVER) == TCP_LISTEN;
}

static bool all_over(const struct lab *l)
{
	return lab_state(l, LAB_CLIENT) == TCP_CLOSED;
}

static bool teardown(struct lab *l)
{
	lab_show_prose(l, "4. The teardown", in_teardown);
	lab_close(l, LAB_CLIENT);
	if (!lab_run(l, half_closed))
		return false;
	lab_show_prose(l, NULL, "Now the server has no more to say, either:");
	lab_close(l, LAB_SERVER);
	if (!lab_run(l, in_time_wait))
		return false;
	lab_show_prose(l, NULL, in_time_wait_now);
	lab_show_state(l, LAB_CLIENT);
	if (!lab_run(l, all_over))
		return false;
	lab_show_state(l, LAB_CLIENT);
	return true;
}
