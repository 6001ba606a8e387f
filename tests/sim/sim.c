/*
 * sim.c - The simulator's command line
 *
 *	sim --seed N [-v]            one seed of the swarm
 *	sim --seeds N [--from S]     seeds S to S + N - 1
 *	          [--jobs J]         J of them at once
 *	sim --scenario NAME [-v]     one scenario
 *	sim --scenarios              all of them
 *
 * Runs of a series are processes of their own: one that crashes or hangs is
 * counted and the others go on. Each is run twice now and then, and both must
 * send the same bytes.
 */
#include "sim.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_SECONDS_MAX 60 /* of the processor: others may want it, too */
#define TWICE_ONE_IN	16
#define JOBS_MAX	64

struct job {
	uint64_t seed;
	const struct scenario *scenario; /* NULL: the swarm */
};

/* A process that runs one. */
struct place {
	pid_t pid; /* 0 = free */
	struct job job;
};

static void job_name(const struct job *j, char *buf, size_t len)
{
	if (j->scenario)
		snprintf(buf, len, "build/tests/sim/sim --scenario %s -v",
			 j->scenario->name);
	else
		snprintf(buf, len, "build/tests/sim/sim --seed %" PRIu64 " -v",
			 j->seed);
}

static void job_run(const struct job *j, bool verbose)
{
	struct sim_opts *o = calloc(1, sizeof(*o));
	char command[128];
	uint64_t hash;

	ASSERT(o);
	job_name(j, command, sizeof(command));
	sim_repeat_with(command);
	if (j->scenario) {
		swarm_calm(o, j->seed);
		j->scenario->setup(o);
		swarm_limits(o);
	} else {
		swarm_draw(o, j->seed);
	}
	hash = sim_run(o, verbose);
	if (!verbose && j->seed % TWICE_ONE_IN == 0)
		SIM_REQUIRE(sim_run(o, false) == hash,
			    "the same options sent other packets");
	free(o);
}

static const struct scenario *scenario_at(size_t i)
{
	if (i < nplain_scenarios)
		return &plain_scenarios[i];
	i -= nplain_scenarios;
	if (i < npeer_scenarios)
		return &peer_scenarios[i];
	i -= npeer_scenarios;
	if (i < npath_scenarios)
		return &path_scenarios[i];
	i -= npath_scenarios;
	return i < nmark_scenarios ? &mark_scenarios[i] : NULL;
}

/* What hangs here runs in circles: its clock is not ours. */
static void limit_time(void)
{
	const struct rlimit most = {RUN_SECONDS_MAX, RUN_SECONDS_MAX + 1};

	if (setrlimit(RLIMIT_CPU, &most) < 0) {
		fprintf(stderr, "sim: setrlimit: %s\n", strerror(errno));
		exit(71);
	}
}

/* Begin a job in the first free place. */
static void job_fork(struct place *places, const struct job *j)
{
	struct place *p = places;

	while (p->pid)
		p++;
	fflush(stdout);
	p->job = *j;
	p->pid = fork();
	if (p->pid == 0) {
		limit_time();
		job_run(j, false);
		exit(0);
	}
	if (p->pid < 0) {
		fprintf(stderr, "sim: fork: %s\n", strerror(errno));
		exit(71);
	}
}

/* Wait for any of them to end. Return: did it pass? */
static bool job_wait(struct place *places)
{
	struct place *p = places;
	char command[128];
	int status;
	pid_t pid;

	do {
		pid = waitpid(-1, &status, 0);
	} while (pid < 0 && errno == EINTR);
	while (p->pid != pid)
		p++;
	p->pid = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0;
	job_name(&p->job, command, sizeof(command));
	fprintf(stderr, "FAILED: %s\n  repeat with: %s\n",
		strsignal(WTERMSIG(status)), command);
	return false;
}

static int report(unsigned int passed, unsigned int failed)
{
	printf("sim: %u passed, %u failed\n", passed, failed);
	return failed || !passed;
}

static int run_seeds(uint64_t from, uint64_t n, unsigned int jobs)
{
	struct place places[JOBS_MAX] = {{.pid = 0}};
	unsigned int passed = 0, failed = 0;

	for (uint64_t i = 0; i < n + jobs; i++) {
		if (i >= jobs && i - jobs < n) {
			if (job_wait(places))
				passed++;
			else
				failed++;
		}
		if (i < n)
			job_fork(places, &(struct job){.seed = from + i});
	}
	return report(passed, failed);
}

static int run_scenarios(void)
{
	struct place place = {.pid = 0};
	unsigned int passed = 0, failed = 0;
	const struct scenario *s;

	for (size_t i = 0; (s = scenario_at(i)); i++) {
		job_fork(&place, &(struct job){.seed = s->seed, .scenario = s});
		if (job_wait(&place))
			passed++;
		else
			failed++;
	}
	return report(passed, failed);
}

static int run_scenario(const char *name, bool verbose)
{
	const struct scenario *s;

	for (size_t i = 0; (s = scenario_at(i)); i++) {
		if (strcmp(s->name, name) != 0)
			continue;
		job_run(&(struct job){.seed = s->seed, .scenario = s}, verbose);
		return report(1, 0);
	}
	fprintf(stderr, "sim: no scenario %s; there are:\n", name);
	for (size_t i = 0; (s = scenario_at(i)); i++)
		fprintf(stderr, "  %s\n", s->name);
	return 64;
}

static int usage(void)
{
	fprintf(stderr, "usage: sim --seed N [-v] | --seeds N [--from S] "
			"[--jobs J] | "
			"--scenario NAME [-v] | --scenarios\n");
	return 64;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{"seed", required_argument, NULL, 's'},
		{"seeds", required_argument, NULL, 'n'},
		{"from", required_argument, NULL, 'f'},
		{"jobs", required_argument, NULL, 'j'},
		{"scenario", required_argument, NULL, 'c'},
		{"scenarios", no_argument, NULL, 'a'},
		{NULL, 0, NULL, 0},
	};
	uint64_t seed = 0, n = 0, from = 1, jobs = 1;
	const char *scenario = NULL;
	bool verbose = false;
	int what = 0, opt;

	while ((opt = getopt_long(argc, argv, "v", longopts, NULL)) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (opt == 'n')
			n = strtoull(optarg, NULL, 10);
		else if (opt == 'f')
			from = strtoull(optarg, NULL, 10);
		else if (opt == 'j')
			jobs = strtoull(optarg, NULL, 10);
		else if (opt == 'c')
			scenario = optarg;
		else if (opt == 'v')
			verbose = true;
		else if (opt != 'a')
			return usage();
		if (opt != 'v' && opt != 'f' && opt != 'j')
			what = opt;
	}
	switch (what) {
	case 's':
		job_run(&(struct job){.seed = seed}, verbose);
		return report(1, 0);
	case 'n':
		if (jobs < 1 || jobs > JOBS_MAX)
			return usage();
		return run_seeds(from, n, (unsigned int)jobs);
	case 'c':
		return run_scenario(scenario, verbose);
	case 'a':
		return run_scenarios();
	default:
		return usage();
	}
}
