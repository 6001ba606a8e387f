/*
 * live.h - Frames of an interface, as they pass
 */
#ifndef TCPHS_CLI_LIVE_H
#define TCPHS_CLI_LIVE_H

#include <tcphs/capture_packet.h>

#include "cli.h"

struct live;

enum live_status {
	LIVE_FRAME,
	LIVE_QUIET, /* nothing came for a while */
	LIVE_END, /* Ctrl-C, --duration, --count, or the interface went away */
};

struct live_stats {
	uint64_t seen;		  /* frames that the filter let through */
	uint64_t dropped;	  /* of them, for want of room in the buffer */
	uint64_t dropped_by_card; /* as far as the driver tells */
};

/**
 * live_open() - Listen to cli->interface
 * @filter: As in pcap-filter(7); NULL = everything
 *
 * Return: CLI_OK with @live to be closed by live_close(); else it was said why
 */
enum cli_exit live_open(const struct cli *cli, const char *filter,
			struct live **live);
void live_close(struct live *l);

/** live_next() - The next frame, valid until the next call */
enum live_status live_next(struct live *l, struct frame *f);

/** live_link() - Its link type */
uint32_t live_link(const struct live *l);

void live_stats(struct live *l, struct live_stats *s);

#endif
