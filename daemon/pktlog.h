/*
 * pktlog.h - Packets as lines of the log
 */
#ifndef TCPHS_PKTLOG_H
#define TCPHS_PKTLOG_H

#include "evbus.h"
#include "pktbus.h"

struct pktlog {
	struct evbus_sink turn; /* to say what was left out */
	struct pktbus_sink packets;
	int64_t until_us; /* end of the second; 0 = none has begun */
	uint32_t taken, left_out;
};

/** pktlog_start() - A line for each, up to a number a second */
void pktlog_start(struct pktlog *l, struct evbus *b, struct pktbus *packets);

#endif
