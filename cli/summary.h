/*
 * summary.h - What all connections of a capture come to
 */
#ifndef TCPHS_CLI_SUMMARY_H
#define TCPHS_CLI_SUMMARY_H

#include <jansson.h>
#include <tcphs/analysis.h>
#include <tcphs/histogram.h>

#include "cli.h"

struct talkers;

struct summary {
	uint64_t connections, retransmissions, again_syn, again_synack;
	uint64_t packets, bytes; /* of TCP; text by the numbers */
	uint64_t outcomes[JUDGED_NJUDGED];
	uint64_t endings[ENDING_NENDINGS];
	uint64_t anomalies[ANOMALY_NKINDS]; /* connections that have it */
	int64_t first_ns, last_ns; /* meaningless without connections */
	struct histogram handshake, synack, ack;
	struct talkers *clients, *services;
};

/** summary_new() - Of none yet; NULL without memory */
struct summary *summary_new(void);
void summary_free(struct summary *s);

/** summary_add() - One more connection */
void summary_add(struct summary *s, const struct verdict *v);

/**
 * summary_json() - All of it, a new reference
 * @stats: Of the judge, who counts what is no connection
 */
json_t *summary_json(const struct summary *s,
		     const struct analysis_stats *stats);

/** summary_text() - The same for people, from the JSON */
void summary_text(const struct cli *cli, const json_t *doc);

/** judged_failed() - Is this outcome one of an attempt that came to nothing? */
bool judged_failed(unsigned int outcome);

#endif
