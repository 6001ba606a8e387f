/*
 * evfile.c - Events in a file, one JSON object a line
 *
 * Lines gather in a buffer and are written at the end of a turn, a hundred
 * times a second at most. Beside its number on the bus (seq) each has the
 * number of its line, which has no gaps: one that is missing was taken out
 * later. What was left out for its rate, or for want of room while the disk was
 * full, is a line of its own (lost) with the count.
 *
 * Whatever goes wrong with the file is said once, and tried again every second.
 * A write that stopped in the middle of a line goes on where it stopped.
 */
#include "evfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tcphs/plural.h>

#include "evline.h"
#include "held_dir.h"
#include "log.h"

#define SECOND_US	1000000
#define FLUSH_US	10000
#define BUF_HIGH	(EVFILE_BUFFER / 2)
#define EVENTS_A_SECOND 2000 /* of each type */
#define FILE_MODE	0640

/* {"line":N, before an event */
#define LINE_MAX_BYTES (EVLINE_MAX + 40)

static void take(struct evbus_sink *s, const struct evbus_record *r);
static int64_t turn(struct evbus_sink *s, int64_t now_us);
static void put_line(struct evfile *f, const struct evbus_record *r);
static void put_lost(struct evfile *f, uint64_t n, const char *why,
		     enum event_type of);
static void tell_left_out(void *arg, enum event_type type, uint32_t n);
static void flush(struct evfile *f, int64_t now_us);
static bool write_out(struct evfile *f);
static bool is_there(struct evfile *f);
static bool open_file(struct evfile *f);
static void forget_torn(struct evfile *f);
static void rotate(struct evfile *f);
static void failed(struct evfile *f, int64_t now_us);
static void recovered(struct evfile *f);

int evfile_start(struct evfile *f, struct evbus *b,
		 const struct evfile_conf *conf)
{
	const char *slash = strrchr(conf->path, '/');

	memset(f, 0, sizeof(*f));
	f->bus = b;
	f->dir_fd = f->fd = -1;
	f->rate.max = EVENTS_A_SECOND;
	f->sink.take = take;
	f->sink.turn = turn;
	if (!slash)
		return 0;
	snprintf(f->dir, sizeof(f->dir), "%.*s",
		 (int)(slash > conf->path ? slash - conf->path : 1),
		 conf->path);
	snprintf(f->name, sizeof(f->name), "%s", slash + 1);
	f->buf = malloc(EVFILE_BUFFER);
	f->dir_fd = held_dir_new();
	if (!f->buf || f->dir_fd < 0)
		return -ENOMEM;
	if (!held_dir_look(f->dir_fd, f->dir) || !open_file(f))
		failed(f, 0);
	evbus_add(b, &f->sink);
	evfile_level(f, conf);
	return 0;
}

void evfile_level(struct evfile *f, const struct evfile_conf *conf)
{
	if (f->dir_fd < 0)
		return;
	f->size_max = conf->size;
	f->keep = conf->keep;
	evbus_want(f->bus, &f->sink, evbus_level_mask(conf->level));
}

void evfile_reopen(struct evfile *f)
{
	if (f->fd < 0)
		return;
	(void)write_out(f);
	close(f->fd);
	f->fd = -1;
}

void evfile_stop(struct evfile *f)
{
	if (f->dir_fd < 0)
		return;
	if (f->len && is_there(f))
		(void)write_out(f);
	if (f->fd >= 0)
		close(f->fd);
	close(f->dir_fd);
	free(f->buf);
	f->fd = f->dir_fd = -1;
}

static void take(struct evbus_sink *s, const struct evbus_record *r)
{
	struct evfile *f = (struct evfile *)s;

	f->seq = r->seq;
	if (evrate_take(&f->rate, r->e->type))
		put_line(f, r);
}

static int64_t turn(struct evbus_sink *s, int64_t now_us)
{
	struct evfile *f = (struct evfile *)s;
	int64_t at_us = evrate_turn(&f->rate, now_us, tell_left_out, f);
	int64_t flush_us = f->flushed_us + FLUSH_US;

	if (!f->len)
		return at_us;
	if (flush_us < f->retry_us)
		flush_us = f->retry_us;
	else if (f->len >= BUF_HIGH)
		flush_us = now_us;
	if (flush_us <= now_us) {
		flush(f, now_us);
		if (!f->len)
			return at_us;
		flush_us = f->retry_us;
	}
	return flush_us < at_us ? flush_us : at_us;
}

static void put_line(struct evfile *f, const struct evbus_record *r)
{
	char line[EVLINE_MAX];
	size_t len;
	int n;

	if (f->len + LINE_MAX_BYTES > EVFILE_BUFFER && !f->retry_us)
		(void)write_out(f);
	if (f->len + LINE_MAX_BYTES > EVFILE_BUFFER) {
		f->unwritten++;
		f->unwritten_ever++;
		return;
	}
	len = evline_json(r, f->bus->st, line);
	n = snprintf(f->buf + f->len, 40, "{\"line\":%llu,",
		     (unsigned long long)++f->line);
	f->len += (size_t)n;
	memcpy(f->buf + f->len, line + 1, len - 1);
	f->len += len - 1;
	f->buf[f->len++] = '\n';
}

/* @of: EVENT_NTYPES if of any */
static void put_lost(struct evfile *f, uint64_t n, const char *why,
		     enum event_type of)
{
	const struct evbus_fact facts[] = {
		{"reason", why, 0},
		{"of", of < EVENT_NTYPES ? event_name(of) : NULL, 0},
	};
	char text[128];
	struct evbus_note note = {
		.e = {.type = EVENT_LOST,
		      .at_us = evbus_now_us(CLOCK_MONOTONIC),
		      .a = (int64_t)n,
		      .listener = LISTENER_NONE},
		.text = text,
		.facts = facts,
		.nfacts = of < EVENT_NTYPES ? 2 : 1,
	};
	const struct evbus_record r = {
		.seq = f->seq,
		.wall_us = evbus_now_us(CLOCK_REALTIME),
		.e = &note.e,
		.note = &note,
	};

	snprintf(text, sizeof(text), "%llu event%s%s%s left out (%s)",
		 (unsigned long long)n, plural(n),
		 of < EVENT_NTYPES ? " of " : "",
		 of < EVENT_NTYPES ? event_name(of) : "", why);
	put_line(f, &r);
}

static void tell_left_out(void *arg, enum event_type type, uint32_t n)
{
	put_lost(arg, n, "rate", type);
}

static void flush(struct evfile *f, int64_t now_us)
{
	bool was_bad = f->retry_us;

	f->flushed_us = now_us;
	if (f->fd >= 0 && f->size && f->size + f->len > f->size_max && !f->torn)
		rotate(f);
	if (!is_there(f) || !write_out(f))
		failed(f, now_us);
	else if (was_bad)
		recovered(f);
}

/* Lines that were begun are ended before anything else is written. */
static bool write_out(struct evfile *f)
{
	ssize_t n;

	while (f->len) {
		n = write(f->fd, f->buf, f->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		f->torn = f->buf[n - 1] != '\n';
		f->size += (uint64_t)n;
		f->len -= (size_t)n;
		memmove(f->buf, f->buf + n, f->len);
	}
	return true;
}

/* Is it open, and still in its directory? If not, it is opened again. */
static bool is_there(struct evfile *f)
{
	if (held_dir_has(f->fd))
		return true;
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	return open_file(f) ||
	       (held_dir_look(f->dir_fd, f->dir) && open_file(f));
}

static bool open_file(struct evfile *f)
{
	struct stat st;

	/* Nobody reads a FIFO that nobody opened: do not wait for him. */
	f->fd = openat(f->dir_fd, f->name,
		       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
			       O_NONBLOCK,
		       FILE_MODE);
	if (f->fd < 0)
		return false;
	f->size = fstat(f->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	forget_torn(f);
	return true;
}

/* The rest of a line that was begun in another file says nothing here. */
static void forget_torn(struct evfile *f)
{
	const char *end = f->torn ? memchr(f->buf, '\n', f->len) : NULL;

	f->torn = false;
	if (!end)
		return;
	f->len -= (size_t)(end + 1 - f->buf);
	memmove(f->buf, end + 1, f->len);
	f->unwritten++;
}

/* PATH.1 becomes PATH.2 and so on; the last one is overwritten. */
static void rotate(struct evfile *f)
{
	char from[NAME_MAX + 16], to[NAME_MAX + 16];
	bool ok = true;

	for (uint32_t i = f->keep; i > 0 && ok; i--) {
		snprintf(from, sizeof(from), i > 1 ? "%s.%u" : "%s", f->name,
			 i - 1);
		snprintf(to, sizeof(to), "%s.%u", f->name, i);
		ok = renameat(f->dir_fd, from, f->dir_fd, to) == 0 ||
		     (errno == ENOENT && i > 1);
	}
	if (ok) {
		close(f->fd);
		f->fd = -1;
		f->keeps_growing = false;
		return;
	}
	if (!f->keeps_growing)
		log_warn("%s/%s cannot be rotated, it grows on", f->dir,
			 f->name);
	f->keeps_growing = true;
}

static void failed(struct evfile *f, int64_t now_us)
{
	if (!f->retry_us)
		log_warn("Events cannot be written to %s/%s", f->dir, f->name);
	f->retry_us = now_us + SECOND_US;
}

static void recovered(struct evfile *f)
{
	f->retry_us = 0;
	log_notice("Events are written to %s/%s again, %llu were left out",
		   f->dir, f->name, (unsigned long long)f->unwritten);
	if (f->unwritten)
		put_lost(f, f->unwritten, "unwritten", EVENT_NTYPES);
	f->unwritten = 0;
}
