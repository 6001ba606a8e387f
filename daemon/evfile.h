/*
 * evfile.h - Events in a file, one JSON object a line
 */
#ifndef TCPHS_EVFILE_H
#define TCPHS_EVFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evbus.h"
#include "evrate.h"

#define EVFILE_BUFFER (64 * 1024)

struct evfile_conf {
	const char *path; /* absolute; "" = no file */
	int level;
	uint64_t size; /* bytes, then a new one is begun */
	uint32_t keep; /* how many old ones: PATH.1 is the latest */
};

struct evfile {
	struct evbus_sink sink;
	struct evbus *bus;
	struct evrate rate;
	char dir[PATH_MAX], name[NAME_MAX + 1];
	uint64_t size_max;
	uint32_t keep;
	int dir_fd; /* stays the same number; -1 = no file at all */
	int fd;	    /* -1 while it cannot be opened */
	uint64_t size;
	uint64_t line;	    /* number of the last line */
	uint64_t seq;	    /* of the last event that was seen */
	uint64_t unwritten; /* events the buffer had no room for */
	uint64_t unwritten_ever;
	int64_t flushed_us; /* when it was written last */
	int64_t retry_us;   /* not before this; 0 = all is well */
	bool torn; /* the file ends within a line, the rest is in buf */
	bool keeps_growing; /* it cannot be rotated, and that was said */
	size_t len;	    /* of what waits to be written */
	char *buf;
};

/**
 * evfile_start() - Write events to a file from now on
 *
 * A file that cannot be opened or written is said once in the log and tried
 * again every second; meanwhile events wait, and are counted when there is no
 * more room for them.
 *
 * To be called by the user that will write, before the sandbox.
 *
 * Return: 0 or -ENOMEM
 */
int evfile_start(struct evfile *f, struct evbus *b,
		 const struct evfile_conf *conf);

/** evfile_level() - Events of another level from now on */
void evfile_level(struct evfile *f, const struct evfile_conf *conf);

/** evfile_reopen() - Somebody moved it away: begin a new one */
void evfile_reopen(struct evfile *f);

/** evfile_stop() - Write what waits, and close */
void evfile_stop(struct evfile *f);

#endif
