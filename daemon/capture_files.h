/*
 * capture_files.h - The daemon's own capture, in files that take turns
 */
#ifndef TCPHS_CAPTURE_FILES_H
#define TCPHS_CAPTURE_FILES_H

#include <ev.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "capture.h"

#define CAPTURE_NAME_MAX 48 /* with the final zero */
#define CAPTURE_CHUNK	 (256u << 10)

struct capture_files {
	struct capture_taker taker; /* while it is running */
	struct capture *cap;
	struct ev_loop *loop;
	ev_timer flush;
	char dir[PATH_MAX];
	int dir_fd; /* stays the same number; -1 before capture_files_init() */
	uint64_t rotate_size;
	uint32_t rotate_keep;

	bool running;
	char *words;		     /* of the filter; NULL if there is none */
	char stamp[24];		     /* when it began, in all its names */
	unsigned int number;	     /* in the name of the last file */
	char name[CAPTURE_NAME_MAX]; /* "" = none open */
	int fd;			     /* -1 = none open */
	uint64_t size;
	uint64_t bytes; /* in all files of this capture */
	bool bad;	/* it cannot be written, and that was said */
	size_t len;	/* whole blocks that wait to be written */
	uint8_t chunk[CAPTURE_CHUNK];
};

/* A file of any capture. */
struct capture_file {
	char name[CAPTURE_NAME_MAX];
	uint64_t bytes;
	time_t modified;
	bool current; /* being written */
};

/**
 * capture_files_init() - Nothing is captured yet
 * @f:   rotate_size and rotate_keep are set, and may be set again at any time
 * @dir: Where the files will be; made when it is needed
 *
 * Return: 0 or a negative errno: no descriptor for the directory
 */
int capture_files_init(struct capture_files *f, struct capture *cap,
		       struct ev_loop *loop, const char *dir);

/** capture_files_free() - End the capture, if one is running */
void capture_files_free(struct capture_files *f);

/**
 * capture_files_start() - Begin to capture
 * @filter: Belongs to it if this succeeds; NULL = every packet
 * @words:  The filter as it was written; NULL if there is none
 * @err:    Gets one sentence on failure
 *
 * What goes wrong with the files later is logged once and tried again every
 * second. What the queue cannot hold meanwhile is lost and counted.
 *
 * Return: 0; -EBUSY if one is running; another negative errno if the first file
 *         cannot be made
 */
int capture_files_start(struct capture_files *f, struct filter *filter,
			const char *words, char *err, size_t errlen);

/** capture_files_stop() - End it; what it has is in taker and bytes */
void capture_files_stop(struct capture_files *f);

/**
 * capture_files_list() - The files of all captures, the oldest first
 * @files: Gets them, to be freed
 *
 * Return: how many; a negative errno
 */
int capture_files_list(struct capture_files *f, struct capture_file **files);

/**
 * capture_files_open() - Open one of them for reading
 *
 * Return: a descriptor; -EINVAL if no file of ours can have this name; another
 *         negative errno
 */
int capture_files_open(struct capture_files *f, const char *name);

#endif
