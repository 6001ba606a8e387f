/*
 * gen.c - Write a capture of known truth to standard output
 *
 *	gen [-s SEED] [-n CONVERSATIONS] [-c CLASS] [-C CROWD] [-f FORMAT] [-l LINK]
 *	    [-g GAP_US] [-b] [-p] [-t TRUTH_FILE]
 *
 * LINK is a number, or several with commas for the interfaces of a pcapng file.
 * -b: little text, for many connections; -p: nothing around the packets but the link. The truth is one line of JSON a
 * connection.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "gen.h"

#define OUT_BUFFER (1u << 20)

struct gen {
	struct world_conf conf;
	struct container box;
	FILE *truth;
};

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static _Noreturn void usage(const char *what)
{
	fprintf(stderr,
		"gen: %s\ngen [-s SEED] [-n CONVERSATIONS] [-c CLASS] [-C "
		"CROWD] "
		"[-f FORMAT] [-l LINK,...] [-g GAP_US] [-b] [-p] [-t TRUTH]\n",
		what);
	exit(2);
}

static int find(const char *word, const char *(*name)(unsigned int), int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(name((unsigned int)i), word) == 0)
			return i;
	usage(word);
}

static void put_end(FILE *out, const struct truth *t, int s)
{
	char ip[IPADDR_TEXT_MAX];

	fprintf(out, "{\"ip\":\"%s\",\"port\":%u}",
		ipaddr_format(&t->addr[s], ip), (unsigned int)t->port[s]);
}

static void put_side(FILE *out, const struct truth *t, int s)
{
	const char *sep = "";

	fprintf(out,
		"{\"packets\":%llu,\"by_seq\":%llu,\"captured\":%llu,"
		"\"seen_before\":%u,\"filled_hole\":%u,\"needless\":%u,"
		"\"late\":%u,\"anomalies\":[",
		(unsigned long long)t->packets[s],
		(unsigned long long)t->by_seq[s],
		(unsigned long long)t->captured[s], t->seen_before[s],
		t->filled_hole[s], t->needless[s], t->late[s]);
	for (unsigned int k = 0; k < ANOMALY_NKINDS; k++) {
		if (!(t->odd[s] >> k & 1))
			continue;
		fprintf(out, "%s\"%s\"", sep, anomaly_name(k));
		sep = ",";
	}
	fprintf(out, "]}");
}

static void truth_print(void *ctx, const struct conv *c, const struct truth *t)
{
	FILE *out = ((struct gen *)ctx)->truth;

	(void)c;
	if (!out)
		return;
	fprintf(out, "{\"class\":\"%s\",\"client\":", class_name(t->class));
	put_end(out, t, CLIENT);
	fprintf(out, ",\"server\":");
	put_end(out, t, SERVER);
	fprintf(out,
		",\"first_frame\":%llu,\"last_frame\":%llu,"
		"\"outcome\":\"%s\",\"stage\":\"%s\",\"ending\":\"%s\","
		"\"inferred\":%s,\"syn_tries\":%u,\"synack_tries\":%u,"
		"\"total_ns\":%lld,\"c2s\":",
		(unsigned long long)t->first_frame,
		(unsigned long long)t->last_frame, judged_name(t->outcome),
		reached_name(t->stage), ending_name(t->ending),
		t->inferred ? "true" : "false", (unsigned int)t->syn_tries,
		(unsigned int)t->synack_tries, (long long)t->total_ns);
	put_side(out, t, CLIENT);
	fprintf(out, ",\"s2c\":");
	put_side(out, t, SERVER);
	fprintf(out, "}\n");
}

static void set_links(struct container *box, char *list)
{
	box->nifaces = 0;
	for (char *s = strtok(list, ","); s; s = strtok(NULL, ",")) {
		if (box->nifaces == IFACES_MAX)
			usage("too many links");
		box->link[box->nifaces++] = (uint32_t)strtoul(s, NULL, 10);
	}
}

static void options(struct gen *g, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:n:c:C:f:l:g:bpt:")) != -1) {
		switch (c) {
		case 's':
			g->conf.seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			g->conf.conversations =
				(uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'c':
			g->conf.class =
				find(optarg, class_name, CLASS_NCLASSES);
			break;
		case 'C':
			g->conf.crowd = (enum crowd_kind)find(
				optarg, crowd_name, CROWD_NKINDS);
			g->conf.conversations = crowd_size(g->conf.crowd);
			g->conf.gap_ns = crowd_gap_ns(g->conf.crowd);
			break;
		case 'f':
			g->box.format = (enum format)find(optarg, format_name,
							  GEN_NFORMATS);
			break;
		case 'l':
			set_links(&g->box, optarg);
			break;
		case 'g':
			g->conf.gap_ns = strtoll(optarg, NULL, 10) * US;
			break;
		case 'b':
			g->conf.brief = true;
			break;
		case 'p':
			g->conf.plain = true;
			break;
		case 't':
			g->truth = fopen(optarg, "we");
			if (!g->truth)
				usage(optarg);
			break;
		default:
			usage("what?");
		}
	}
}

int main(int argc, char **argv)
{
	static char buffer[OUT_BUFFER];
	struct gen g = {
		.conf = {.seed = 1,
			 .conversations = 1000,
			 .class = -1,
			 .crowd = CROWD_NONE,
			 .gap_ns = 20 * MSEC},
		.box = {.out = stdout, .nifaces = 1, .link = {LINK_ETHERNET}},
	};

	options(&g, argc, argv);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	g.conf.container = &g.box;
	g.conf.fn = truth_print;
	g.conf.ctx = &g;
	world_run(&g.conf);
	if (g.truth && fclose(g.truth) != 0)
		return 1;
	return fflush(stdout) != 0;
}
