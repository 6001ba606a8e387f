/*
 * interop.c - One connection between our engine and the kernel, for interop.sh
 *
 *	interop [-a] [-6] [-p] [-n BYTES] [-o both|in|out] [-b BUFFER]
 *		[-c CONGESTION] [-N NETNS -k ADDRESS] [-D SECTION.KEY=VALUE]...
 *
 *	-a	we open and the kernel listens; else the other way round
 *	-p	both readers pause until their windows are shut
 *	-n	bytes each way
 *	-o	who sends first: both at once, the kernel (in), or we (out)
 *	-b	the kernel's SO_RCVBUF and SO_SNDBUF
 *	-c	the kernel's congestion control
 *	-N	the file of the network namespace in which the kernel's end is, and
 *	-k	its address there; routes are the caller's
 *	-D	a setting of our end, as of tcphsd
 *
 * Both ends compare what arrives byte for byte. Then one line tells what was
 * agreed and what happened: "name=value" as our end has it, "kernel.name=value"
 * as the kernel has it. If anything went wrong, a sentence and the state go to
 * stderr, and the exit code is 1.
 */
#include "interop.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tcphs/ipaddr.h>

#include "core/assert.h"
#include "log.h"

#define OVERRIDES_MAX 16
#define MILLION	      1000000

struct options {
	struct cell cell;
	bool elsewhere; /* cell.kernel_at is not the interface's host */
	const char *overrides[OVERRIDES_MAX];
	size_t noverrides;
};

static void parse(struct options *o, int argc, char **argv);
_Noreturn static void usage(void);
static void set_address(struct sockaddr_storage *to, const struct ip_addr *a,
			uint16_t port);
static pid_t start_kernel(const struct cell *cell, int *report);
static void print_facts(const struct engine *e);
static void print_speed(const struct engine *e);
static void print_state(const struct engine *e);

int main(int argc, char **argv)
{
	static struct options o;
	static struct conf conf;
	static struct engine e;
	const struct stack_conf *c = &conf.stack;
	bool ok;
	pid_t pid;
	int report;

	parse(&o, argc, argv);
	log_init(LOG_TO_STDERR, LOG_LEVEL_WARN, LOG_CLASSIC);
	if (conf_load(&conf, NULL, o.overrides, o.noverrides, stderr) < 0)
		return 2;
	o.cell.addr_len = o.cell.v6 ? sizeof(struct sockaddr_in6)
				    : sizeof(struct sockaddr_in);
	set_address(&o.cell.ours, o.cell.v6 ? &c->own6 : &c->own4,
		    INTEROP_PORT);
	if (!o.elsewhere)
		o.cell.kernel_at = o.cell.v6 ? c->host6 : c->host4;
	set_address(&o.cell.kernels, &o.cell.kernel_at, INTEROP_PORT);
	pattern_init();
	if (!engine_start(&e, &o.cell, &conf)) {
		fprintf(stderr, "interop: %s\n", e.error);
		return 1;
	}
	pid = start_kernel(&o.cell, &report);
	if (pid < 0) {
		fprintf(stderr, "interop: the kernel's end: %s\n",
			strerror(errno));
		return 1;
	}
	ok = engine_run(&e, report);
	if (!ok)
		print_state(&e);
	else
		print_facts(&e);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return !ok;
}

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static void parse(struct options *o, int argc, char **argv)
{
	static const char *const orders[] = {"both", "in", "out"};
	struct cell *cell = &o->cell;
	unsigned int i;
	int opt;

	cell->bytes = 64 * MILLION;
	while ((opt = getopt(argc, argv, "a6pn:o:b:c:N:k:D:")) != -1) {
		switch (opt) {
		case 'a':
			cell->active = true;
			break;
		case '6':
			cell->v6 = true;
			break;
		case 'p':
			cell->pausing = true;
			break;
		case 'n':
			cell->bytes = strtoull(optarg, NULL, 10);
			break;
		case 'o':
			for (i = 0; i < 3 && strcmp(optarg, orders[i]) != 0;)
				i++;
			if (i == 3)
				usage();
			cell->order = (enum order)i;
			break;
		case 'b':
			cell->buffer = atoi(optarg);
			break;
		case 'c':
			cell->congestion = optarg;
			break;
		case 'N':
			cell->netns = optarg;
			break;
		case 'k':
			if (!ipaddr_parse(optarg, &cell->kernel_at))
				usage();
			cell->v6 = !ip_addr_is4(&cell->kernel_at);
			o->elsewhere = true;
			break;
		case 'D':
			if (o->noverrides == OVERRIDES_MAX)
				usage();
			o->overrides[o->noverrides++] = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind < argc || !cell->bytes)
		usage();
}

_Noreturn static void usage(void)
{
	fprintf(stderr,
		"usage: interop [-a] [-6] [-p] [-n BYTES] [-o both|in|out] "
		"[-b BUFFER]\n"
		"               [-c CONGESTION] [-N NETNS -k ADDRESS] "
		"[-D SECTION.KEY=VALUE]...\n");
	exit(2);
}

static void set_address(struct sockaddr_storage *to, const struct ip_addr *a,
			uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	in->sin_port = htons(port); /* the same place in in6 */
	if (ip_addr_is4(a)) {
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, a->b + 12, 4);
	} else {
		in6->sin6_family = AF_INET6;
		memcpy(&in6->sin6_addr, a->b, 16);
	}
}

/* It listens before it is forked, so that our SYN finds it. */
static pid_t start_kernel(const struct cell *cell, int *report)
{
	int listener = -1, ends[2];
	pid_t pid;

	if (cell->active)
		listener = kernel_listen(cell);
	if ((cell->active && listener < 0) || pipe(ends) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		kernel_run(cell, listener, ends[1]);
	}
	close(ends[1]);
	if (listener >= 0)
		close(listener);
	*report = ends[0];
	return pid;
}

static void print_facts(const struct engine *e)
{
	const struct conn_info *i = &e->info;
	const struct kernel_report *k = &e->kernel;
	struct stack_stats s;

	stack_stats(e->st, &s);
	print_speed(e);
	printf(" ts=%d sack=%d wscale=%d ecn=%d", i->ts, i->sack, i->wscale,
	       i->ecn);
	printf(" snd_wscale=%u rcv_wscale=%u mss=%u peer_mss=%u", i->snd_wscale,
	       i->rcv_wscale, i->snd_mss, i->peer_mss);
	printf(" offload=%d in=%llu out=%llu", e->tun.offload,
	       (unsigned long long)i->bytes_in,
	       (unsigned long long)i->bytes_out);
	printf(" kernel.ts=%d kernel.sack=%d kernel.wscale=%d kernel.ecn=%d",
	       k->ts, k->sack, k->wscale, k->ecn);
	printf(" kernel.snd_wscale=%u kernel.rcv_wscale=%u kernel.mss=%u",
	       k->snd_wscale, k->rcv_wscale, k->snd_mss);
	printf(" kernel.congestion=%s", k->congestion);
	printf(" ce_in=%llu ece_in=%llu ecn_reductions=%llu again=%llu",
	       (unsigned long long)s.ce_in, (unsigned long long)s.ece_in,
	       (unsigned long long)s.ecn_reductions,
	       (unsigned long long)s.retransmit_fast);
	printf(" kernel.delivered_ce=%u kernel.ssthresh=%u", k->delivered_ce,
	       k->ssthresh);
	printf(" retrans=%u kernel.retrans=%u kernel.dsacks=%u", i->retrans,
	       k->retrans, k->dsacks);
	printf(" syn_again=%llu rto=%llu probes=%llu resets=%llu "
	       "write_full=%llu",
	       (unsigned long long)(s.retransmit_syn + s.retransmit_synack),
	       (unsigned long long)s.retransmit_rto,
	       (unsigned long long)s.window_probes,
	       (unsigned long long)(s.resets_in + s.resets_out),
	       (unsigned long long)e->tun.write_full);
	for (unsigned int r = 0; r < DROP_NREASONS; r++) {
		if (s.dropped[r])
			printf(" drop.%s=%llu", drop_name((enum drop_reason)r),
			       (unsigned long long)s.dropped[r]);
	}
	putchar('\n');
}

/* Each way's time begins where its sender could begin. */
static void print_speed(const struct engine *e)
{
	const struct cell *cell = e->cell;
	int64_t in_us = e->done_us, out_us = e->kernel.done_us;

	out_us -= cell->order == ORDER_IN ? e->done_us : e->open_us;
	in_us -= cell->order == ORDER_OUT ? e->kernel.done_us : e->open_us;
	printf("in_MBps=%lld out_MBps=%lld gap_ms=%lld",
	       (long long)cell->bytes / (in_us > 0 ? in_us : 1),
	       (long long)cell->bytes / (out_us > 0 ? out_us : 1),
	       (long long)e->gap_us / 1000);
}

static void print_state(const struct engine *e)
{
	const struct conn_info *i = &e->info;

	if (e->error[0])
		fprintf(stderr, "interop: our end: %s\n", e->error);
	if (e->kernel.error[0])
		fprintf(stderr, "interop: the kernel's end: %s\n",
			e->kernel.error);
	fprintf(stderr, "sent %llu and got %llu bytes; state %s, %s\n",
		(unsigned long long)e->sent, (unsigned long long)e->got,
		tcp_state_name(i->state), i->recovery ? i->recovery : "-");
	fprintf(stderr,
		"snd_una +%u snd_nxt +%u snd_max +%u snd_wnd %u cwnd %u "
		"queued %u in_flight %u sacked %u lost %u retrans %u\n",
		i->snd_una - i->iss, i->snd_nxt - i->iss, i->snd_max - i->iss,
		i->snd_wnd, i->cwnd, i->send_queued, i->in_flight, i->sacked,
		i->lost, i->retrans);
	fprintf(stderr, "rcv_nxt +%u rcv_wnd %u queued %u ooo %u\n",
		i->rcv_nxt - i->irs, i->rcv_wnd, i->recv_queued, i->recv_ooo);
	fprintf(stderr,
		"rto %lld us, retransmit in %lld, persist in %lld, delayed "
		"ACK in %lld us\n",
		(long long)i->rto_us, (long long)i->rexmt_in_us,
		(long long)i->persist_in_us, (long long)i->delack_in_us);
}
