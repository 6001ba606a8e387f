/*
 * metrics.h - The daemon's figures in Prometheus' words
 */
#ifndef TCPHS_METRICS_H
#define TCPHS_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <tcphs/histogram.h>
#include <tcphs/stack.h>

#include "alerting.h"
#include "capture.h"
#include "evbus.h"
#include "evfile.h"
#include "evlog.h"
#include "evmemory.h"
#include "handshakes.h"
#include "shards.h"
#include "tun.h"

/* Where the figures are; whoever reads them changes nothing. */
struct metrics {
	struct shards *shards;
	const struct evbus *bus;
	/* Who takes events and may lose some. */
	const struct evlog *log;
	const struct evfile *file;
	const struct evmemory *memory;
	const struct capture *capture;
	const struct handshakes *handshakes;
	const struct alerting *alerts;
	const struct histogram *loop_lag;
	const struct tun *tun;
	const bool *conf_ok;   /* the last reload */
	const time_t *conf_at; /* when one was taken last */
	const time_t *started_at;
};

struct metrics_family {
	const char *name, *type;
	const char *labels; /* "listener, role"; le of histograms aside */
	const char *help;
};

/**
 * metrics_family() - Which metrics there are
 *
 * Return: NULL behind the last
 */
const struct metrics_family *metrics_family(unsigned int index);

/**
 * metrics_write() - One family as text, format 0.0.4
 *
 * All its samples are of the same moment.
 *
 * Return: false if there is no family of this index
 */
bool metrics_write(const struct metrics *m, unsigned int index, FILE *out);

#endif
