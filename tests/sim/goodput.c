/*
 * goodput.c - What gets through a bad path, on a virtual clock
 *
 *	goodput [-v] [ROW...]
 *
 * Each row, or all, against what it must reach; -v shows the sender each 50 ms.
 *
 * Two stacks of ours, one sending without end and one throwing away, over the
 * path of the end-to-end tests (tests/e2e/path.c): a transmitter with a queue,
 * losses, bursts, packets that come late. What is counted is text that arrived
 * in order within so many seconds of the path's time. Nothing depends on the
 * machine, and a run takes a fraction of the time it is about.
 *
 * The comparison with another TCP is tests/bench/goodput.sh; this is where a
 * sender that waits or retreats without need shows at once. What a row must
 * reach is a little below what it did when it was written.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "e2e/path.h"

#define US_PER_S    INT64_C(1000000)
#define NS_PER_US   1000
#define PORT	    19
#define PACKET_MAX  65535
#define MEMORY	    (1u << 30)
#define FLOWS_MAX   8
#define ROUND_BYTES 65536
#define SHOW_US	    50000

enum { SENDER, RECEIVER, NSIDES };

struct run {
	const char *name;
	struct path_opts path;
	unsigned int flows, seeds; /* 0 = 1 */
	double seconds;
	double mbit_min;  /* on average over the seeds */
	double jain_min;  /* of each */
	enum stack_cc cc; /* CC_DEFAULT: CUBIC */
	bool strict;	  /* PAWS to the letter */
};

struct packet {
	int64_t at_us;
	uint64_t order;
	unsigned int to;
	uint32_t len;
	uint8_t data[];
};

struct flow {
	struct tcp_conn *c; /* the sender's */
	uint64_t got;
};

struct world {
	const struct run *run;
	struct stack *st[NSIDES];
	void *mem[NSIDES];
	struct path path[NSIDES]; /* by sender */
	struct packet **heap;
	size_t nheap, room;
	uint64_t order;
	int64_t now_us;
	struct flow flow[FLOWS_MAX];
	unsigned int opened;
};

static struct world world; /* what the services know */
static uint8_t text[ROUND_BYTES];

static unsigned int flows_of(const struct run *r)
{
	return r->flows ? r->flows : 1;
}

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

/* ---- services --------------------------------------------------------- */

static void source_send(struct stack *st, struct tcp_conn *c)
{
	while (tcp_send_ref(st, c, text, sizeof(text)) == sizeof(text))
		;
}

static void source_open(struct stack *st, struct tcp_conn *c)
{
	ASSERT(world.opened < FLOWS_MAX);
	world.flow[world.opened++].c = c;
	source_send(st, c);
}

static const struct tcp_service source = {
	.name = "source",
	.on_open = source_open,
	.on_writable = source_send,
};

static void sink_data(struct stack *st, struct tcp_conn *c)
{
	struct flow *f = tcp_user(c);
	const uint8_t *p;
	size_t len;

	while ((len = tcp_peek(st, c, &p)) > 0) {
		tcp_consume(st, c, len);
		f->got += len;
	}
}

static const struct tcp_service sink = {.name = "sink", .on_data = sink_data};

/* ---- packets under way ------------------------------------------------ */

static bool sooner(const struct packet *a, const struct packet *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	return a->order < b->order;
}

static void heap_put(struct world *w, struct packet *p)
{
	size_t i = w->nheap++;

	if (i == w->room) {
		w->room = w->room ? 2 * w->room : 1024;
		w->heap = realloc(w->heap, w->room * sizeof(w->heap[0]));
		ASSERT(w->heap);
	}
	while (i > 0 && sooner(p, w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = p;
}

static struct packet *heap_take(struct world *w)
{
	struct packet *first = w->heap[0], *last = w->heap[--w->nheap];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->nheap) {
		if (child + 1 < w->nheap &&
		    sooner(w->heap[child + 1], w->heap[child]))
			child++;
		if (!sooner(w->heap[child], last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return first;
}

static void send_packet(struct world *w, unsigned int from,
			const struct stack_pkt *out)
{
	int64_t at_ns = path_take(&w->path[from], out->len,
				  w->now_us * NS_PER_US, false);
	struct packet *p;
	uint8_t *end;

	if (at_ns == PATH_LOST)
		return;
	p = malloc(sizeof(*p) + out->len);
	ASSERT(p);
	p->at_us = (at_ns + NS_PER_US - 1) / NS_PER_US;
	p->order = w->order++;
	p->to = !from;
	p->len = out->len;
	end = p->data;
	for (unsigned int i = 0; i < out->iov_len; i++) {
		memcpy(end, out->iov[i].iov_base, out->iov[i].iov_len);
		end += out->iov[i].iov_len;
	}
	heap_put(w, p);
}

/* ---- the world -------------------------------------------------------- */

static struct ip_addr address(unsigned int side)
{
	return (struct ip_addr){
		{[10] = 0xff, 0xff, 198, 18, 66, (uint8_t)(2 + side)}};
}

/* Buffers large enough for any path here. Checksums are nobody's business:
 * nothing is damaged. */
static struct stack *stack_make(const struct run *r, unsigned int side,
				uint64_t nr)
{
	struct stack_conf conf = {
		.own4 = address(side),
		.host4 = {{[10] = 0xff, 0xff, 198, 18, 66, 1}},
		.ttl = 64,
		.mtu = 1500,
		.csum_offload = true,
		.max_connections = 64,
		.max_half_open = 64,
		.rcvbuf = 65536,
		.rcvbuf_max = 64u << 20,
		.sndbuf = 64u << 20,
		.rto_initial_us = US_PER_S,
		.rto_min_us = 200000,
		.rto_max_us = 60 * US_PER_S,
		.syn_retries = 7,
		.synack_retries = 5,
		.retries = 15,
		.msl_us = 30 * US_PER_S,
		.fin_wait2_us = 60 * US_PER_S,
		.delayed_ack_us = 40000,
		.sack = true,
		.timestamps = true,
		.timestamps_strict = r->strict,
		.pacing = true,
		.window_scale = 10,
		.congestion = r->cc,
	};
	uint8_t seed[32] = {(uint8_t)side, (uint8_t)nr};
	struct stack *st;
	void *mem;

	conf.net4 = (struct ip_prefix){conf.host4, 96 + 24};
	mem = mmap(NULL, MEMORY + STACK_ALIGN, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(mem != MAP_FAILED);
	st = stack_init((uint8_t *)mem + STACK_ALIGN -
				(uintptr_t)mem % STACK_ALIGN,
			MEMORY, &conf, seed, world.now_us);
	ASSERT(st);
	world.mem[side] = mem;
	return st;
}

static void begin(struct world *w, const struct run *r, uint64_t nr)
{
	const struct ip_addr to = address(SENDER);
	struct stack_listener l = {
		.name = "source",
		.service = &source,
		.port = PORT,
		.enabled = true,
		.backlog = 64,
		.congestion = r->cc,
	};
	struct tcp_conn *c;
	int err;

	memset(w, 0, sizeof(*w));
	w->run = r;
	w->now_us = US_PER_S;
	for (unsigned int side = 0; side < NSIDES; side++) {
		w->st[side] = stack_make(r, side, nr);
		path_init(&w->path[side], &r->path, nr, side == SENDER);
	}
	err = stack_listen(w->st[SENDER], &l);
	ASSERT(err >= 0);
	for (unsigned int i = 0; i < flows_of(r); i++) {
		err = stack_open(w->st[RECEIVER], &sink, &w->flow[i], &to, PORT,
				 NULL, (uint16_t)(20000 + i), w->now_us, &c);
		ASSERT(!err);
	}
}

static void end(struct world *w)
{
	while (w->nheap)
		free(heap_take(w));
	free(w->heap);
	for (unsigned int side = 0; side < NSIDES; side++)
		munmap(w->mem[side], MEMORY + STACK_ALIGN);
}

static void turn(struct world *w, unsigned int side)
{
	struct stack *st = w->st[side];
	struct stack_pkt out;

	stack_services(st, w->now_us);
	stack_expire(st, w->now_us);
	while (stack_output(st, &out, w->now_us))
		send_packet(w, side, &out);
	stack_reap(st, w->now_us);
}

static int64_t next_us(const struct world *w)
{
	int64_t at_us = w->nheap ? w->heap[0]->at_us : TIME_NEVER, due_us;

	for (unsigned int side = 0; side < NSIDES; side++) {
		due_us = stack_deadline(w->st[side]);
		if (due_us < at_us)
			at_us = due_us;
	}
	return at_us;
}

static void show(const struct world *w)
{
	struct conn_info i;

	for (unsigned int n = 0; n < w->opened; n++) {
		tcp_info(w->st[SENDER], w->flow[n].c, &i, w->now_us);
		printf("%9.3f ms %u: %s cwnd %u ssthresh %d in_flight %u "
		       "sacked %u lost %u reord %u srtt %" PRId64
		       " rto %" PRId64 " retrans %u una %" PRIu64
		       " full %" PRIu64 " got %" PRIu64 "\n",
		       (double)(w->now_us - US_PER_S) / 1000, n, i.recovery,
		       i.cwnd / i.snd_mss,
		       (int)(i.ssthresh == UINT32_MAX ? 0 : i.ssthresh) /
			       (int)i.snd_mss,
		       i.in_flight / i.snd_mss, i.sacked / i.snd_mss,
		       i.lost / i.snd_mss, i.reordering, i.srtt_us, i.rto_us,
		       i.retrans, (uint64_t)(i.snd_una - i.iss),
		       w->path[SENDER].full, w->flow[n].got);
	}
}

static void play(struct world *w, bool verbose)
{
	int64_t until_us = w->now_us + (int64_t)(w->run->seconds * US_PER_S);
	int64_t show_us = verbose ? w->now_us : TIME_NEVER;
	bool touched[NSIDES] = {true, true};
	struct packet *p;

	while (w->now_us < until_us) {
		for (unsigned int side = 0; side < NSIDES; side++) {
			if (touched[side] ||
			    stack_deadline(w->st[side]) <= w->now_us)
				turn(w, side);
			touched[side] = false;
		}
		if (w->now_us >= show_us) {
			show(w);
			show_us += SHOW_US;
		}
		if (next_us(w) > w->now_us)
			w->now_us = next_us(w);
		while (w->nheap && w->heap[0]->at_us <= w->now_us) {
			p = heap_take(w);
			stack_input(w->st[p->to], p->data, p->len,
				    &(struct stack_rx){.csum_ok = true},
				    w->now_us);
			touched[p->to] = true;
			free(p);
		}
	}
}

/* ---- the rows ----------------------------------------------------------- */

/* The queues hold what the path takes in a round trip. */
#define SHORT .rate = 100000000, .delay_us = 10000, .queue = 250000
#define LONG  .rate = 1000000000, .delay_us = 25000, .queue = 6250000

static const struct run rows[] = {
	{
		.name = "short",
		.path = {SHORT},
		.seconds = 3,
		.mbit_min = 92,
	},
	{
		.name = "short_newreno",
		.path = {SHORT},
		.cc = CC_NEWRENO,
		.seconds = 3,
		.mbit_min = 92,
	},
	{
		.name = "short_lossy",
		.path = {SHORT, .loss_ppm = 1000},
		.seeds = 6,
		.seconds = 4,
		.mbit_min = 30,
	},
	{
		.name = "short_very_lossy",
		.path = {SHORT, .loss_ppm = 10000},
		.seeds = 6,
		.seconds = 4,
		.mbit_min = 8,
	},
	{
		.name = "short_late",
		.path = {SHORT, .late_ppm = 50000, .late_us = 2000},
		.seeds = 6,
		.seconds = 3,
		.mbit_min = 91,
	},
	{
		.name = "short_two",
		.path = {SHORT},
		.flows = 2,
		.seconds = 6,
		.mbit_min = 92,
		.jain_min = 0.94,
	},
	{
		.name = "long",
		.path = {LONG},
		.seconds = 2,
		.mbit_min = 715,
	},
	{
		.name = "long_late",
		.path = {LONG, .late_ppm = 50000, .late_us = 5000},
		.seeds = 2,
		.seconds = 2,
		.mbit_min = 680,
	},
	{
		/* Slow start leads its flows far above what such losses leave
		 * them in the end; they come down no faster than they must. */
		.name = "long_lossy",
		.path = {LONG, .loss_ppm = 1000},
		.flows = 8,
		.seeds = 4,
		.seconds = 5,
		.mbit_min = 190,
	},
	{
		/* What a repair overtakes must not be lost with it. */
		.name = "long_late_lossy",
		.path = {LONG, .loss_ppm = 20, .late_ppm = 50000,
			 .late_us = 5000},
		.seeds = 2,
		.seconds = 2,
		.mbit_min = 520,
	},
	{
		/* Nor where the receiver goes by the letter: 414 without
		 * tcp_rack_stamp(). */
		.name = "long_late_lossy_strict",
		.path = {LONG, .loss_ppm = 20, .late_ppm = 50000,
			 .late_us = 5000},
		.strict = true,
		.seeds = 2,
		.seconds = 2,
		.mbit_min = 560,
	},
	{
		.name = "long_two",
		.path = {LONG},
		.flows = 2,
		.seconds = 3,
		.mbit_min = 780,
		.jain_min = 0.95,
	},
	{
		/* A tenth of the path in the queue: for pacing. */
		.name = "long_shallow",
		.path = {.rate = 1000000000,
			 .delay_us = 25000,
			 .queue = 625000},
		.seconds = 3,
		.mbit_min = 680,
	},
};

/* Adds what got through, in Mbit/s, and keeps the smallest index (Jain). */
static void measure(const struct run *r, uint64_t nr, bool verbose,
		    double *mbit, double *jain)
{
	double sum = 0, squares = 0, got, index;

	begin(&world, r, nr);
	play(&world, verbose);
	for (unsigned int i = 0; i < flows_of(r); i++) {
		got = (double)world.flow[i].got;
		sum += got;
		squares += got * got;
	}
	end(&world);
	*mbit += sum * 8 / r->seconds / 1e6;
	index = squares > 0 ? sum * sum / (flows_of(r) * squares) : 0;
	if (index < *jain)
		*jain = index;
}

static bool row_passes(const struct run *r, bool verbose)
{
	uint64_t seeds = r->seeds ? r->seeds : 1;
	double mbit = 0, jain = 1;
	bool ok;

	for (uint64_t nr = 1; nr <= seeds; nr++)
		measure(r, nr, verbose, &mbit, &jain);
	mbit /= (double)seeds;
	ok = mbit >= r->mbit_min && jain >= r->jain_min;
	if (verbose || !ok)
		printf("%s: %.1f Mbit/s (at least %.0f), index %.3f\n", r->name,
		       mbit, r->mbit_min, jain);
	return ok;
}

static bool named(const char *name, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return !argc;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	unsigned int passed = 0, failed = 0;

	argc -= 1 + verbose;
	argv += 1 + verbose;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!named(rows[i].name, argc, argv))
			continue;
		if (row_passes(&rows[i], verbose))
			passed++;
		else
			failed++;
	}
	printf("goodput: %u passed, %u failed\n", passed, failed);
	return failed || !passed;
}
