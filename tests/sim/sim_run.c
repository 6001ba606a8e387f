/*
 * sim_run.c - One run
 *
 * The clock jumps to whatever comes next: an arrival, a timer of either stack,
 * a connection to be opened. All that arrives at one instant at one side is
 * one turn there. The run is over when every connection is, no packet is on
 * its way and no timer is armed; it must come to that within bounds of virtual
 * time (whatever is lost, a transfer finishes) and of packets (no two stacks
 * answer each other for ever).
 */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS_AN_INSTANT_MAX 1000

static const struct sim *running; /* for messages only */
static const char *repeat = "";

static void run_now(struct sim *sim);
static int64_t run_next_us(const struct sim *sim);
static bool run_over(const struct sim *sim);

_Noreturn void sim_fail(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "FAILED");
	if (running)
		fprintf(stderr, " at %.3f ms",
			(double)(running->now_us - running->opts->start_us) /
				US_PER_MS);
	fprintf(stderr, ": ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n  repeat with: %s\n", repeat);
	exit(1);
}

void sim_repeat_with(const char *command)
{
	repeat = command;
}

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	sim_fail("%s:%d: assertion failed: %s", file, line, expr);
}

static void run_start(struct sim *sim, const struct sim_opts *opts)
{
	sim->opts = opts;
	sim->now_us = opts->start_us;
	sim->hash = 0xcbf29ce484222325;
	rand_init(&sim->rand, opts->seed, 1);
	rand_init(&sim->forge, opts->seed, 2);
	for (unsigned int side = 0; side < 2; side++) {
		host_init(&sim->host[side], sim, side);
		link_init(&sim->link[side], sim, side);
	}
	app_init(sim);
}

static void run_finish(struct sim *sim)
{
	app_check(sim);
	for (unsigned int side = 0; side < 2; side++) {
		host_check_idle(&sim->host[side]);
		host_free(&sim->host[side]);
	}
	box_free(sim);
	free(sim->heap);
	free(sim);
}

uint64_t sim_run(const struct sim_opts *opts, bool verbose)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	int64_t next_us;
	uint64_t hash;

	ASSERT(sim);
	running = sim;
	sim->verbose = verbose;
	if (verbose)
		trace_opts(opts);
	run_start(sim, opts);
	while (run_now(sim), !run_over(sim)) {
		next_us = run_next_us(sim);
		SIM_REQUIRE(next_us != TIME_NEVER,
			    "nothing will happen any more, %u ends are open",
			    sim->open_ends);
		SIM_REQUIRE(next_us - opts->start_us <= opts->limit_us,
			    "not over after %" PRId64 " s, %u ends are open",
			    opts->limit_us / US_PER_S, sim->open_ends);
		sim->now_us = next_us;
	}
	if (verbose)
		printf("%12.3f . over, %" PRIu64 " packets\n",
		       (double)(sim->now_us - opts->start_us) / US_PER_MS,
		       sim->packets);
	hash = sim->hash;
	run_finish(sim);
	running = NULL;
	return hash;
}

static int64_t conn_open_us(const struct sim *sim)
{
	int64_t at_us;

	if (sim->opened == sim->opts->nconns)
		return TIME_NEVER;
	at_us = sim->opts->start_us + sim->opts->conn[sim->opened].open_at_us;
	return at_us > sim->open_again_us ? at_us : sim->open_again_us;
}

/* Everything that is due at this instant. */
static void run_now(struct sim *sim)
{
	bool touched[2] = {false, false};
	struct packet *p;

	for (unsigned int turn = 0;; turn++) {
		while (conn_open_us(sim) <= sim->now_us) {
			app_open(sim);
			touched[0] = touched[1] = true;
		}
		box_expire(sim);
		while ((p = link_next(sim))) {
			host_input(&sim->host[p->to], p);
			touched[p->to] = true;
			free(p);
		}
		for (unsigned int i = 0; i < 2; i++)
			if (host_deadline(&sim->host[i]) <= sim->now_us)
				touched[i] = true;
		if (!touched[0] && !touched[1])
			return;
		for (unsigned int i = 0; i < 2; i++) {
			if (touched[i])
				host_turn(&sim->host[i]);
			touched[i] = false;
		}
		SIM_REQUIRE(turn < TURNS_AN_INSTANT_MAX,
			    "the clock stands still: deadlines %" PRId64
			    " and %" PRId64 " at %" PRId64,
			    host_deadline(&sim->host[0]),
			    host_deadline(&sim->host[1]), sim->now_us);
	}
}

static int64_t run_next_us(const struct sim *sim)
{
	int64_t next_us = conn_open_us(sim), at_us = box_deadline(sim);

	if (at_us < next_us)
		next_us = at_us;

	if (sim->nheap && sim->heap[0]->at_us < next_us)
		next_us = sim->heap[0]->at_us;
	for (unsigned int i = 0; i < 2; i++) {
		at_us = host_deadline(&sim->host[i]);
		if (at_us < next_us)
			next_us = at_us;
	}
	return next_us;
}

static bool run_over(const struct sim *sim)
{
	return sim->opened == sim->opts->nconns && !sim->open_ends &&
	       !sim->nheap && box_deadline(sim) == TIME_NEVER &&
	       host_deadline(&sim->host[0]) == TIME_NEVER &&
	       host_deadline(&sim->host[1]) == TIME_NEVER;
}
