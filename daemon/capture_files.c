/*
 * capture_files.c - The daemon's own capture, in files that take turns
 *
 * A taker like any other, whose queue is emptied into a file ten times a
 * second, or as soon as a chunk is full: whole blocks at a time, so that a file
 * can be ended and the next begun between two of them. Each has a head and an
 * end of its own and can be read by itself; laid end to end they are one
 * capture again. The statistics at an end count from the beginning of the
 * capture.
 *
 * Names sort by age, so the oldest are found by looking at the directory and
 * not by remembering; files of captures before count, too, and go first.
 *
 * A write that fails, a full disk most often, may have written a part: the file
 * is cut back to the block before, so that it can be read at any time, and the
 * chunk is kept for the next try.
 */
#include "capture_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tcphs/plural.h>

#include "held_dir.h"
#include "log.h"

#define FLUSH_S	    0.1
#define RETRY_S	    1.0
#define FILE_MODE   0640
#define DIR_MODE    0750
#define NUMBERS_MAX 999999
#define LISTED_MAX  4096

/* "capture-20260131-235959-000001.pcapng"; d is a digit */
#define STAMP_FORMAT "%Y%m%d-%H%M%S"
#define NAME_FORMAT  "capture-%s-%06u.pcapng"
#define NAME_PATTERN "capture-dddddddd-dddddd-dddddd.pcapng"

static void on_ready(struct capture_taker *t);
static void on_flush(struct ev_loop *loop, ev_timer *w, int revents);
static void write_queue(struct capture_files *f);
static uint64_t unwritten(struct capture_files *f);
static bool write_chunk(struct capture_files *f);
static bool write_all(struct capture_files *f, const uint8_t *data, size_t n);
static bool is_there(struct capture_files *f);
static bool open_next(struct capture_files *f);
static bool open_in_dir(struct capture_files *f);
static bool make_dir(struct capture_files *f);
static void close_file(struct capture_files *f);
static void remove_oldest(struct capture_files *f);
static void failed(struct capture_files *f);
static void recovered(struct capture_files *f);
static bool is_our_name(const char *name);
static int by_name(const void *a, const void *b);

int capture_files_init(struct capture_files *f, struct capture *cap,
		       struct ev_loop *loop, const char *dir)
{
	f->cap = cap;
	f->loop = loop;
	f->fd = -1;
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	ev_timer_init(&f->flush, on_flush, FLUSH_S, 0.);
	f->flush.data = f;
	f->dir_fd = held_dir_new();
	return f->dir_fd < 0 ? -errno : 0;
}

void capture_files_free(struct capture_files *f)
{
	capture_files_stop(f);
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	f->dir_fd = -1;
}

/* ---- begin and end ----------------------------------------------------- */

int capture_files_start(struct capture_files *f, struct filter *filter,
			const char *words, char *err, size_t errlen)
{
	time_t now = time(NULL);
	struct tm tm;
	int ret;

	if (f->running) {
		snprintf(err, errlen, "%s/%s is being written", f->dir,
			 f->name);
		return -EBUSY;
	}
	gmtime_r(&now, &tm);
	strftime(f->stamp, sizeof(f->stamp), STAMP_FORMAT, &tm);
	f->number = 0;
	f->bytes = 0;
	f->len = 0;
	f->bad = false;
	f->taker = (struct capture_taker){
		.filter = filter,
		.snaplen = f->cap->snaplen,
		.ready = on_ready,
	};
	f->words = words ? strdup(words) : NULL;
	ret = capture_begin(f->cap, &f->taker, words);
	if (ret) {
		snprintf(err, errlen, "no queue for it: %s", strerror(-ret));
		goto failed;
	}
	/* The head in the queue would be one too many. */
	(void)capture_take(&f->taker, f->chunk, f->taker.used);
	f->running = true;
	if (open_next(f))
		return 0;
	ret = -errno;
	snprintf(err, errlen, "%s: %s", f->dir, strerror(errno));
	f->running = false;
	capture_end(&f->taker);
failed:
	free(f->words);
	f->words = NULL;
	f->taker.filter = NULL;
	return ret;
}

void capture_files_stop(struct capture_files *f)
{
	uint64_t n;

	if (!f->running)
		return;
	capture_finish(&f->taker);
	write_queue(f);
	if (f->bad) {
		n = unwritten(f);
		f->taker.kept -= n;
		f->taker.lost += n;
		f->cap->lost += n;
		log_warnx("The end of the capture could not be written to "
			  "%s: %llu packet%s",
			  f->dir, (unsigned long long)n, plural(n));
	}
	f->running = false;
	ev_timer_stop(f->loop, &f->flush);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->name[0] = '\0';
	capture_end(&f->taker);
	filter_free(f->taker.filter);
	f->taker.filter = NULL;
	free(f->words);
	f->words = NULL;
}

/* ---- writing ----------------------------------------------------------- */

/* From inside the stack: the disk has to wait until the turn is over. */
static void on_ready(struct capture_taker *t)
{
	struct capture_files *f = (struct capture_files *)t;

	if (!ev_is_active(&f->flush) && !ev_is_pending(&f->flush)) {
		ev_timer_set(&f->flush, FLUSH_S, 0.);
		ev_timer_start(f->loop, &f->flush);
	}
	if (t->used >= CAPTURE_CHUNK && !f->bad && !ev_is_pending(&f->flush))
		ev_feed_event(f->loop, &f->flush, EV_TIMER);
}

static void on_flush(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct capture_files *f = w->data;

	(void)revents;
	ev_timer_stop(loop, w);
	write_queue(f);
	if (!f->bad)
		return;
	ev_timer_set(w, RETRY_S, 0.);
	ev_timer_start(loop, w);
}

static void write_queue(struct capture_files *f)
{
	for (;;) {
		if (!f->len)
			f->len = capture_take_blocks(&f->taker, f->chunk,
						     sizeof(f->chunk));
		if (!f->len)
			return;
		if (!is_there(f) || !write_chunk(f)) {
			failed(f);
			return;
		}
		f->len = 0;
		if (f->bad)
			recovered(f);
	}
}

/* How many packets still wait; they do so no longer. */
static uint64_t unwritten(struct capture_files *f)
{
	uint64_t n = 0;

	do {
		n += pcapng_packets(f->chunk, f->len);
		f->len = capture_take_blocks(&f->taker, f->chunk,
					     sizeof(f->chunk));
	} while (f->len);
	return n;
}

/* All of the chunk, or nothing of it. */
static bool write_chunk(struct capture_files *f)
{
	if (f->size + f->len > f->rotate_size) {
		close_file(f);
		if (!open_next(f))
			return false;
	}
	return write_all(f, f->chunk, f->len);
}

static bool write_all(struct capture_files *f, const uint8_t *data, size_t n)
{
	size_t done = 0;
	ssize_t ret;
	int err;

	while (done < n) {
		ret = write(f->fd, data + done, n - done);
		if (ret > 0) {
			done += (size_t)ret;
			continue;
		}
		if (ret < 0 && errno == EINTR)
			continue;
		err = ret ? errno : EIO;
		/* O_APPEND: the next write begins where the file ends. */
		(void)!ftruncate(f->fd, (off_t)f->size);
		errno = err;
		return false;
	}
	f->size += n;
	f->bytes += n;
	return true;
}

/* Is a file open, and still in its directory? If not, another one is. */
static bool is_there(struct capture_files *f)
{
	if (held_dir_has(f->fd))
		return true;
	if (f->fd >= 0) {
		log_warnx("Capture file %s/%s was removed by someone else",
			  f->dir, f->name);
		close(f->fd);
		f->fd = -1;
	}
	return open_next(f);
}

static void close_file(struct capture_files *f)
{
	uint8_t tail[PCAPNG_HEAD_MAX];

	/* A file without its end can be read all the same. */
	(void)write_all(f, tail, capture_tail(&f->taker, tail));
	close(f->fd);
	f->fd = -1;
}

/* The next number nobody has; with its head in it. */
static bool open_next(struct capture_files *f)
{
	uint8_t head[CAPTURE_HEAD_MAX];
	int err;

	if (!make_dir(f) || !open_in_dir(f))
		return false;
	f->size = 0;
	if (write_all(f, head, capture_head(&f->taker, f->words, head))) {
		remove_oldest(f);
		return true;
	}
	err = errno;
	close(f->fd);
	f->fd = -1;
	(void)unlinkat(f->dir_fd, f->name, 0);
	f->number--;
	errno = err;
	return false;
}

static bool open_in_dir(struct capture_files *f)
{
	while (f->number < NUMBERS_MAX) {
		snprintf(f->name, sizeof(f->name), NAME_FORMAT, f->stamp,
			 ++f->number);
		f->fd = openat(f->dir_fd, f->name,
			       O_WRONLY | O_CREAT | O_EXCL | O_APPEND |
				       O_CLOEXEC | O_NOFOLLOW,
			       FILE_MODE);
		if (f->fd >= 0)
			return true;
		if (errno != EEXIST) {
			f->number--;
			return false;
		}
	}
	errno = EFBIG;
	return false;
}

static bool make_dir(struct capture_files *f)
{
	return held_dir_look(f->dir_fd, f->dir) ||
	       (errno == ENOENT && mkdir(f->dir, DIR_MODE) == 0 &&
		held_dir_look(f->dir_fd, f->dir));
}

static void failed(struct capture_files *f)
{
	if (!f->bad)
		log_warn("Capture cannot be written to %s", f->dir);
	f->bad = true;
}

static void recovered(struct capture_files *f)
{
	log_notice("Capture is written to %s/%s again, %llu packet%s lost",
		   f->dir, f->name, (unsigned long long)f->taker.lost,
		   plural(f->taker.lost));
	f->bad = false;
}

/* ---- the directory ----------------------------------------------------- */

static bool is_our_name(const char *name)
{
	static const char pattern[] = NAME_PATTERN;
	size_t i;

	for (i = 0; pattern[i] && name[i]; i++) {
		if (pattern[i] != name[i] &&
		    (pattern[i] != 'd' || name[i] < '0' || name[i] > '9'))
			return false;
	}
	return pattern[i] == name[i];
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct capture_file *)a)->name,
		      ((const struct capture_file *)b)->name);
}

int capture_files_list(struct capture_files *f, struct capture_file **files)
{
	struct capture_file *list, *c;
	struct dirent *e;
	struct stat st;
	int fd, n = 0;
	DIR *dir;

	*files = NULL;
	if (!held_dir_look(f->dir_fd, f->dir))
		return -errno;
	fd = openat(f->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	list = calloc(LISTED_MAX, sizeof(*list));
	if (!dir || !list) {
		n = -errno;
		free(list);
		if (dir)
			closedir(dir);
		else if (fd >= 0)
			close(fd);
		return n;
	}
	while (n < LISTED_MAX && (e = readdir(dir))) {
		if (!is_our_name(e->d_name) ||
		    fstatat(f->dir_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		c = &list[n++];
		memcpy(c->name, e->d_name, sizeof(NAME_PATTERN));
		c->bytes = (uint64_t)st.st_size;
		c->modified = st.st_mtime;
		c->current = f->fd >= 0 && strcmp(c->name, f->name) == 0;
	}
	closedir(dir);
	qsort(list, (size_t)n, sizeof(*list), by_name);
	*files = list;
	return n;
}

static bool is_of_this_capture(const struct capture_files *f, const char *name)
{
	const char *stamp = name + strlen("capture-");

	return strncmp(stamp, f->stamp, strlen(f->stamp)) == 0;
}

/* Those of this capture last, whatever their names say: the clock may have been
 * set back since the others were made. */
static void remove_oldest(struct capture_files *f)
{
	struct capture_file *files;
	int n = capture_files_list(f, &files);
	int left = n - (int)f->rotate_keep;

	for (int own = 0; own < 2; own++) {
		for (int i = 0; i < n && left > 0; i++) {
			if (is_of_this_capture(f, files[i].name) != own)
				continue;
			(void)unlinkat(f->dir_fd, files[i].name, 0);
			left--;
		}
	}
	free(files);
}

int capture_files_open(struct capture_files *f, const char *name)
{
	int fd;

	if (!is_our_name(name))
		return -EINVAL;
	if (!held_dir_look(f->dir_fd, f->dir))
		return -errno;
	fd = openat(f->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}
