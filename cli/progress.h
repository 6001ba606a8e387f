/*
 * progress.h - How far it is, for who waits at a terminal
 */
#ifndef TCPHS_CLI_PROGRESS_H
#define TCPHS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool wanted, shown;
	int64_t next_ms; /* of the monotonic clock */
	uint64_t packets;
};

/** progress_begin() - Only if stderr is a terminal, and @wanted */
void progress_begin(struct progress *p, bool wanted);

/** progress_packets() - @n more; true if it is time for progress_show() */
bool progress_packets(struct progress *p, unsigned int n);

/** progress_show() - @all bytes: 0 = unknown */
void progress_show(struct progress *p, uint64_t done, uint64_t all,
		   uint64_t connections);

/** progress_end() - Leave no trace */
void progress_end(struct progress *p);

#endif
