/*
 * selfcheck.h - Does the passive judge see what we know?
 */
#ifndef TCPHS_SELFCHECK_H
#define TCPHS_SELFCHECK_H

#include <jansson.h>

#include <tcphs/analysis.h>

#include "pktbus.h"
#include "pktmem.h"

struct selfcheck {
	struct pktbus_sink sink;
	const struct pktmem *known; /* the truth */
	struct analysis *judge;	    /* NULL: switched off */
	struct decoder *decoder;
	struct decoder *pieces; /* puts nothing together */
	uint64_t packets;
	int64_t missed_us; /* what began before may have more packets */
	/* Verdicts; unknown: of what we do not remember, have not decided,
	 * or have not seen all of */
	uint64_t agreed, differed, unknown;
};

/**
 * selfcheck_start() - Have our own packets judged, and compare
 *
 * Return: 0 or -ENOMEM
 */
int selfcheck_start(struct selfcheck *c, struct pktbus *packets,
		    const struct pktmem *known);

/** selfcheck_stop() - Judge what is left, and say in the log how it went; the
 * bus is gone already, @c->known is not */
void selfcheck_stop(struct selfcheck *c);

/** selfcheck_describe() - "agreed", "differed", "unknown"; NULL if it is off */
json_t *selfcheck_describe(const struct selfcheck *c);

/** selfcheck_agrees() - May the judge say so of what we know? */
bool selfcheck_agrees(const struct verdict *v, const struct pktmem_conn *c);

#endif
