/*
 * bench_core.c - What the engine costs without any input or output
 *
 *	bench_core [--json FILE] [--packets] [--events | --unread]
 *		   [--only FIGURE] [--work N] [CONNECTIONS...]
 *
 * For each number of connections (1, 1,000 and 100,000 if none is given) a
 * stack is filled with that many, all established and idle. The work is then
 * done by connections all over the table, so that with many of them each one's
 * memory is cold, as it would be.
 *
 *	in-order segment   1448 bytes, read at once; two a connection and turn,
 *	                   which is one ACK (RFC 9293, 3.8.6.3 (MUST-58))
 *	request, answer    one byte in; ACK and 2896 bytes out, a super-segment
 *	ACK                of these 2896 bytes
 *	handshake, close   SYN, ACK, FIN, ACK in; SYN-ACK, ACK, FIN out
 *	timer              one alarm goes off and is set again
 *
 * With --packets each slice is done twice, as it is and with the packets of each
 * connection kept, and the quotient of the fastest ones stands beside the
 * figure: of what else the machine does, they have the least. The memory of
 * packets is full by then, as that of a daemon is sooner or later.
 *
 * With --events those that the daemon wants by default are recorded and read in
 * each turn. With --unread nobody reads them: at the end those that are left must
 * be the newest, and all before them counted as lost. --only segment, request, handshake or timer leaves the others out,
 * for callgrind(1): all that is measured happens in core_turn(). --work is how
 * many connections are worked on in all slices together.
 *
 * Each figure is the median of SLICES, in nanoseconds of this thread's time:
 * turns of CORE_TURN packets, of fewer if there are fewer connections. The
 * columns take turns, so that what else the machine does meets all of them.
 * Bytes are what the arena grew by, all told, divided by the connections.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_peer.h"

#define SLICES	    7
#define STRIDE	    7919 /* from one to the next: prime, so all come */
#define PER_TURN    (CORE_TURN / 2)
#define WORK_MIN    (SLICES * CORE_TURN)
#define COUNTS_MAX  8
#define BYTES_FROM  10000    /* fewer connections than pages show nothing */
#define LONG_ENOUGH 10000000 /* us after which nothing goes on any more */

enum figure {
	NS_SEGMENT,
	NS_REQUEST,
	NS_ACK,
	NS_HANDSHAKE,
	NS_TIMER,
	BYTES_ESTABLISHED,
	BYTES_HALF_OPEN,
	BYTES_TIME_WAIT,
	NFIGURES
};

static const struct {
	const char *name, *words;
} figures[NFIGURES] = {
	[NS_SEGMENT] = {"segment_ns", "in-order segment with its ACKs, ns"},
	[NS_REQUEST] = {"request_ns", "request and answer, ns"},
	[NS_ACK] = {"ack_ns", "ACK of sent data, ns"},
	[NS_HANDSHAKE] = {"handshake_close_ns", "handshake and close, ns"},
	[NS_TIMER] = {"timer_ns", "timer, ns"},
	[BYTES_ESTABLISHED] = {"established_bytes",
			       "idle established connection, bytes"},
	[BYTES_HALF_OPEN] = {"half_open_bytes", "half-open connection, bytes"},
	[BYTES_TIME_WAIT] = {"time_wait_bytes", "TIME-WAIT, bytes"},
};

struct column {
	uint32_t n;
	struct core *core;
	uint32_t next_peer;	 /* walks over all of them */
	double figure[NFIGURES]; /* < 0 = not measured */
	double kept[NFIGURES];	 /* times that with packets kept; or 0 */
};

static const char *const groups[] = {
	[NS_SEGMENT] = "segment",
	[NS_REQUEST] = "request",
	[NS_HANDSHAKE] = "handshake",
	[NS_TIMER] = "timer",
};

static bool with_packets, with_events, with_unread;
static const char *only; /* one of groups; NULL = all */
static unsigned int work = 70000;

static void measure(struct column *cols, size_t n);
static void print_table(const struct column *cols, size_t n);
static int print_json(const char *path, const struct column *cols, size_t n);

/* A number of the command line; 0 if it is none or not in range. */
static uint32_t number(const char *text, unsigned long least)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *end || n < least || n > 10000000 ? 0 : (uint32_t)n;
}

int main(int argc, char **argv)
{
	struct column cols[COUNTS_MAX] = {{.n = 1}, {.n = 1000}, {.n = 100000}};
	const char *json = NULL;
	size_t n = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
			json = argv[++i];
			continue;
		}
		if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
			only = argv[++i];
			continue;
		}
		if (strcmp(argv[i], "--work") == 0 && i + 1 < argc &&
		    (work = number(argv[i + 1], WORK_MIN))) {
			i++;
			continue;
		}
		if (strcmp(argv[i], "--packets") == 0) {
			with_packets = true;
			continue;
		}
		if (strcmp(argv[i], "--events") == 0) {
			with_events = true;
			continue;
		}
		if (strcmp(argv[i], "--unread") == 0) {
			with_unread = true;
			continue;
		}
		if (n == COUNTS_MAX || !(cols[n].n = number(argv[i], 1))) {
			fputs("usage: bench_core [--json FILE] [--packets] "
			      "[--events | --unread] [--only FIGURE] "
			      "[--work N] [CONNECTIONS...]\n",
			      stderr);
			return 2;
		}
		n++;
	}
	if (n == 0)
		n = 3;
	measure(cols, n);
	print_table(cols, n);
	return json ? print_json(json, cols, n) : 0;
}

/* ---- work -------------------------------------------------------------- */

static uint32_t pick(struct column *col)
{
	col->next_peer =
		(uint32_t)(((uint64_t)col->next_peer + STRIDE) % col->n);
	return col->next_peer;
}

static void put_all(struct core *core, uint32_t first, unsigned int n,
		    uint8_t flags)
{
	for (unsigned int i = 0; i < n; i++)
		core_put(core, first + i, flags, 0);
}

/* A turn in which peers @first and following, @n of them, send one segment. */
static uint64_t send_all(struct core *core, uint32_t first, unsigned int n,
			 uint8_t flags)
{
	uint64_t ns;

	put_all(core, first, n, flags);
	ns = core_turn(core);
	core_learn(core);
	return ns;
}

static void fill_all(struct core *core, uint32_t first, unsigned int n,
		     uint8_t flags)
{
	put_all(core, first, n, flags);
	core_run(core);
	core_learn(core);
}

/* Open the connections of all peers, as far as to the segment @last. */
static void fill(struct core *core, uint32_t n, uint8_t last)
{
	uint32_t m;

	for (uint32_t i = 0; i < n; i += m) {
		m = n - i < CORE_TURN ? n - i : CORE_TURN;
		fill_all(core, i, m, TH_SYN);
		if (last == TH_SYN)
			continue;
		fill_all(core, i, m, TH_ACK);
		if (last == TH_FIN)
			fill_all(core, i, m, TH_ACK | TH_FIN);
	}
}

static unsigned int width(const struct column *col)
{
	return col->n < PER_TURN ? col->n : PER_TURN;
}

static double slice_segment(struct column *col)
{
	struct core *core = col->core;
	const unsigned int turns = work / SLICES / width(col);
	const uint64_t before = core_stats(core).text_in;
	uint64_t ns = 0, n = 0;

	core->mode = CORE_READ;
	for (unsigned int t = 0; t < turns; t++) {
		for (unsigned int i = 0; i < width(col); i++, n += 2) {
			uint32_t peer = pick(col);

			core_put(core, peer, TH_ACK, CORE_MSS);
			core_put(core, peer, TH_ACK, CORE_MSS);
		}
		ns += core_turn(core);
		core_require(core->nout == width(col), "no ACK for each two");
	}
	core_require(core_stats(core).text_in - before == n * CORE_MSS,
		     "text was not taken");
	return (double)ns / (double)n;
}

/* Requests and, in turns of their own, the ACKs of the answers. */
static void slice_request(struct column *col, double *request, double *ack)
{
	struct core *core = col->core;
	const unsigned int turns = work / SLICES / width(col);
	const uint64_t before = core_stats(core).text_out;
	uint64_t request_ns = 0, ack_ns = 0, n = 0;
	uint32_t peers[PER_TURN];

	core->mode = CORE_REPLY;
	for (unsigned int t = 0; t < turns; t++, n += width(col)) {
		for (unsigned int i = 0; i < width(col); i++) {
			peers[i] = pick(col);
			core_put(core, peers[i], TH_ACK | TH_PSH, 1);
		}
		request_ns += core_turn(core);
		for (unsigned int i = 0; i < core->nout; i++)
			core_require(core->out[i][9] == IP_PROTO_TCP, "noise");
		core_learn(core);
		for (unsigned int i = 0; i < width(col); i++)
			core_put(core, peers[i], TH_ACK, 0);
		ack_ns += core_turn(core);
		core_require(core->nout == 0, "an ACK was answered");
	}
	core_require(core_stats(core).text_out - before == n * CORE_ANSWER,
		     "answers were not sent");
	*request = (double)request_ns / (double)n;
	*ack = (double)ack_ns / (double)n;
}

/* Beside all the others: peers that come and go, from the same ports. */
static double slice_handshake(struct column *col)
{
	struct core *core = col->core;
	const unsigned int turns = work / SLICES / CORE_TURN;
	const uint64_t before = core_stats(core).closed_fin;
	uint64_t ns = 0;

	core->mode = CORE_READ;
	for (unsigned int t = 0; t < turns; t++) {
		ns += send_all(core, col->n, CORE_TURN, TH_SYN);
		ns += send_all(core, col->n, CORE_TURN, TH_ACK);
		ns += send_all(core, col->n, CORE_TURN, TH_ACK | TH_FIN);
		ns += send_all(core, col->n, CORE_TURN, TH_ACK);
	}
	core_require(core_stats(core).closed_fin - before == turns * CORE_TURN,
		     "connections were not closed");
	return (double)ns / (turns * CORE_TURN);
}

/* From deadline to deadline, until enough alarms have gone off. */
static double slice_timer(struct core *core)
{
	const uint64_t until = core->alarms + work / SLICES;
	uint64_t ns = 0, before = core->alarms;
	int64_t next;

	while (core->alarms < until) {
		next = stack_deadline(core->st);
		core_require(next != TIME_NEVER, "the alarms stopped");
		if (next > core->now_us)
			core->now_us = next;
		ns += core_turn(core);
	}
	return (double)ns / (double)(core->alarms - before);
}

/* ---- the columns ------------------------------------------------------- */

/* ns[column][with packets][figure][slice] */
typedef double timings[COUNTS_MAX][2][NFIGURES][SLICES];

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *v)
{
	qsort(v, SLICES, sizeof(v[0]), compare);
	return v[SLICES / 2];
}

static void set_alarms(struct column *col)
{
	struct core *core = col->core;

	core->mode = CORE_ALARMS;
	for (uint32_t i = 0; i < col->n; i++) {
		core_put(core, i, TH_ACK | TH_PSH, 1);
		if (core->nin == width(col) || i + 1 == col->n)
			core_run(core);
	}
}

static void slice(struct column *col, enum figure f, int s, bool keep,
		  double (*ns)[SLICES])
{
	core_keep(col->core, keep);
	if (f == NS_SEGMENT)
		ns[f][s] = slice_segment(col);
	else if (f == NS_REQUEST)
		slice_request(col, &ns[f][s], &ns[NS_ACK][s]);
	else if (f == NS_HANDSHAKE)
		ns[f][s] = slice_handshake(col);
	else
		ns[f][s] = slice_timer(col->core);
}

/* One figure of all columns, and with and without packets, in turn: the machine
 * is not the same all the time. */
static void slices(struct column *cols, size_t n, enum figure f, timings ns)
{
	if (only && strcmp(only, groups[f]) != 0)
		return;
	for (int s = 0; s < SLICES; s++)
		for (size_t i = 0; i < n; i++)
			for (int way = 0; way < (with_packets ? 2 : 1); way++)
				slice(&cols[i], f, s, way, ns[i][way]);
}

static void measure_ns(struct column *cols, size_t n)
{
	static timings ns;

	/* Pages that the arena never had come from the system, cleared; after
	 * as many connections as are active at once, none are new. */
	for (int i = 0; i < 2; i++)
		slices(cols, n, NS_SEGMENT, ns);
	slices(cols, n, NS_SEGMENT, ns);
	slices(cols, n, NS_REQUEST, ns);
	slices(cols, n, NS_HANDSHAKE, ns);
	/* A byte each sets the alarms, spread by the time this takes. */
	for (size_t i = 0; i < n; i++) {
		core_keep(cols[i].core, false);
		set_alarms(&cols[i]);
	}
	slices(cols, n, NS_TIMER, ns);
	for (size_t i = 0; i < n; i++) {
		for (int f = NS_SEGMENT; f <= NS_TIMER; f++) {
			cols[i].figure[f] = median(ns[i][0][f]);
			(void)median(ns[i][1][f]);
			if (with_packets)
				cols[i].kept[f] =
					ns[i][1][f][0] / ns[i][0][f][0];
		}
	}
}

/* As many come and go as would fit if all the memory of packets were theirs. */
static void fill_kept(struct column *col)
{
	struct core *core = col->core;

	core->mode = CORE_READ;
	for (uint32_t kept = 0; kept < CORE_KEPT; kept += CORE_TURN << 10) {
		fill_all(core, col->n, CORE_TURN, TH_SYN);
		fill_all(core, col->n, CORE_TURN, TH_ACK);
		fill_all(core, col->n, CORE_TURN, TH_ACK | TH_FIN);
		fill_all(core, col->n, CORE_TURN, TH_ACK);
	}
}

/* What @n connections left by fill() occupy, each. */
static double bytes_each(const struct core *core, uint32_t n, uint64_t before)
{
	if (n < BYTES_FROM)
		return -1;
	return (double)(core_stats(core).memory_used - before) / n;
}

static void open_all(struct column *col)
{
	struct core *core = col->core;
	uint64_t before;

	core_init(core, col->n);
	core_keep(core, with_packets);
	core_tell(core, with_events || with_unread, with_events);
	before = core_stats(core).memory_used;
	fill(core, col->n, TH_ACK);
	core_wait(core, core->now_us + LONG_ENOUGH);
	core_require(core_stats(core).full == col->n, "not all opened");
	col->figure[BYTES_ESTABLISHED] = bytes_each(core, col->n, before);
	if (with_packets)
		fill_kept(col);
}

static void measure_bytes(struct column *col)
{
	struct core *core = col->core;
	uint64_t before;

	core_init(core, col->n);
	before = core_stats(core).memory_used;
	fill(core, col->n, TH_SYN);
	core_require(core_stats(core).half_open == col->n, "not half-open");
	col->figure[BYTES_HALF_OPEN] = bytes_each(core, col->n, before);
	core_free(core);

	core_init(core, col->n);
	before = core_stats(core).memory_used;
	core->mode = CORE_CLOSE;
	fill(core, col->n, TH_FIN);
	core_require(core_stats(core).time_wait == col->n, "no TIME-WAIT");
	col->figure[BYTES_TIME_WAIT] = bytes_each(core, col->n, before);
	core_free(core);
}

static void measure(struct column *cols, size_t n)
{
	struct core *cores = calloc(n, sizeof(cores[0]));

	core_require(cores, "no memory");
	for (size_t i = 0; i < n; i++) {
		cols[i].core = &cores[i];
		open_all(&cols[i]);
	}
	measure_ns(cols, n);
	for (size_t i = 0; i < n; i++) {
		if (with_unread)
			core_require_lost(&cores[i]);
		core_free(&cores[i]);
		measure_bytes(&cols[i]);
	}
	free(cores);
}

/* ---- results ----------------------------------------------------------- */

static void print_table(const struct column *cols, size_t n)
{
	printf("%-36s", "connections");
	for (size_t i = 0; i < n; i++)
		printf(" %10" PRIu32, cols[i].n);
	putchar('\n');
	for (int f = 0; f < NFIGURES; f++) {
		printf("%-36s", figures[f].words);
		for (size_t i = 0; i < n; i++)
			if (cols[i].figure[f] < 0)
				printf(" %10s", "-");
			else
				printf(" %10.0f", cols[i].figure[f]);
		for (size_t i = 0; i < n; i++)
			if (cols[i].kept[f] > 0)
				printf("  x %.2f", cols[i].kept[f]);
		putchar('\n');
	}
}

static int print_json(const char *path, const struct column *cols, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f) {
		perror(path);
		return 1;
	}
	fputs("[", f);
	for (size_t i = 0; i < n; i++) {
		fprintf(f, "%s{\"connections\":%" PRIu32, i ? ",\n " : "",
			cols[i].n);
		for (int k = 0; k < NFIGURES; k++)
			if (cols[i].figure[k] >= 0)
				fprintf(f, ",\"%s\":%.1f", figures[k].name,
					cols[i].figure[k]);
		for (int k = 0; k < NFIGURES; k++)
			if (cols[i].kept[k] > 0)
				fprintf(f, ",\"%s_kept\":%.3f", figures[k].name,
					cols[i].kept[k]);
		fputs("}", f);
	}
	fputs("]\n", f);
	return fclose(f) == 0 ? 0 : 1;
}
