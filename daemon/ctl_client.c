/*
 * ctl_client.c - Bytes of one client, in and out
 *
 * In: a buffer that grows to CTL_REQUEST_MAX. A line that does not fit into it
 * is answered once and the rest of it thrown away as it comes. Out: a buffer
 * that the answers grow. Both are freed when they are empty, so that an idle
 * client costs some 500 bytes.
 *
 * The rule for the slow: once CTL_OUT_HIGH bytes wait, the client's requests
 * are neither read nor run until it has read some (ctl_client_may_write()).
 * One answer may reach beyond that, so the bound is CTL_OUT_HIGH plus the
 * largest of them. A client that reads nothing for ctl.stall_s is dropped.
 *
 * Whatever happened to a client, ctl_client_settle() comes last: it writes
 * what can be written and sets the watchers to what is waited for now.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "ctl_priv.h"

#define BUF_MIN	      2048
#define LINES_AT_ONCE 8

static void on_readable(struct ev_loop *loop, ev_io *w, int revents);
static void on_writable(struct ev_loop *loop, ev_io *w, int revents);
static void on_stall(struct ev_loop *loop, ev_timer *w, int revents);
static void take_lines(struct ctl_client *c);

/* ---- buffers ----------------------------------------------------------- */

static size_t buf_used(const struct ctl_buf *b)
{
	return b->end - b->start;
}

static void buf_clear(struct ctl_buf *b)
{
	free(b->data);
	*b = (struct ctl_buf){.data = NULL};
}

/* Room for @n bytes at the end: what was taken goes, then it grows. */
static bool buf_room(struct ctl_buf *b, size_t n)
{
	size_t used = buf_used(b), size = b->size ? b->size : BUF_MIN;
	char *data;

	if (b->size - b->end >= n)
		return true;
	if (b->start) {
		memmove(b->data, b->data + b->start, used);
		b->start = 0;
		b->end = used;
	}
	while (size < used + n)
		size *= 2;
	if (size == b->size)
		return true;
	data = realloc(b->data, size);
	if (!data)
		return false;
	b->data = data;
	b->size = size;
	return true;
}

static void buf_drop(struct ctl_buf *b, size_t n)
{
	ASSERT(n <= buf_used(b));
	b->start += n;
	if (b->start == b->end)
		buf_clear(b);
}

/* ---- life -------------------------------------------------------------- */

/** ctl_client_new() - Take over @fd; NULL without memory */
struct ctl_client *ctl_client_new(struct ctl *ctl, int fd,
				  enum ctl_rights rights)
{
	struct ctl_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->ctl = ctl;
	c->rights = rights;
	TAILQ_INIT(&c->jobs);
	TAILQ_INSERT_TAIL(&ctl->clients, c, link);
	ctl->stats.clients++;

	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
	ev_init(&c->stall, on_stall);
	ev_set_priority(&c->readable, ctl->acceptable.priority);
	ev_set_priority(&c->writable, ctl->acceptable.priority);
	c->readable.data = c->writable.data = c->stall.data = c;
	return c;
}

/** ctl_client_del() - Never from inside something that still uses it */
void ctl_client_del(struct ctl_client *c)
{
	struct ctl *ctl = c->ctl;
	struct ctl_job *job;

	while ((job = TAILQ_FIRST(&c->jobs)))
		ctl_job_del(job);
	if (c->queued)
		TAILQ_REMOVE(&ctl->ready, c, turn);
	TAILQ_REMOVE(&ctl->clients, c, link);
	ctl->stats.clients--;
	ev_io_stop(ctl->loop, &c->readable);
	ev_io_stop(ctl->loop, &c->writable);
	ev_timer_stop(ctl->loop, &c->stall);
	close(c->readable.fd);
	buf_clear(&c->in);
	buf_clear(&c->out);
	free(c);
	ctl_wake(ctl);
}

/* ---- out --------------------------------------------------------------- */

/** ctl_client_may_write() - Is there room for one more answer? */
bool ctl_client_may_write(const struct ctl_client *c)
{
	return !c->dead && buf_used(&c->out) < CTL_OUT_HIGH;
}

/**
 * ctl_client_reserve() - Room for @n bytes of output
 *
 * Return: where they go, to be followed by ctl_client_commit(); NULL if the
 *         client is lost
 */
char *ctl_client_reserve(struct ctl_client *c, size_t n)
{
	if (c->dead)
		return NULL;
	if (!buf_room(&c->out, n)) {
		c->dead = true; /* half an answer would be worse than none */
		return NULL;
	}
	return c->out.data + c->out.end;
}

/** ctl_client_commit() - @n bytes were put where ctl_client_reserve() said */
void ctl_client_commit(struct ctl_client *c, size_t n)
{
	c->out.end += n;
	ASSERT(c->out.end <= c->out.size);
}

/** ctl_client_write() - Queue bytes of output */
void ctl_client_write(struct ctl_client *c, const char *data, size_t n)
{
	/* Before the first output there is no memory to point into. */
	char *to = n ? ctl_client_reserve(c, n) : NULL;

	if (!to)
		return;
	memcpy(to, data, n);
	ctl_client_commit(c, n);
}

static void flush(struct ctl_client *c)
{
	size_t used = buf_used(&c->out);
	ssize_t n;

	if (!used || c->dead)
		return;
	n = send(c->readable.fd, c->out.data + c->out.start, used,
		 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0) {
		c->dead = errno != EAGAIN && errno != EINTR;
		return;
	}
	ev_timer_stop(c->ctl->loop, &c->stall); /* progress */
	buf_drop(&c->out, (size_t)n);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct ctl_client *c = w->data;
	struct ctl *ctl = c->ctl;

	(void)loop;
	(void)revents;
	ctl_client_settle(c);
	ctl_reap(ctl);
}

static void on_stall(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct ctl_client *c = w->data;
	struct ctl *ctl = c->ctl;

	(void)loop;
	(void)revents;
	ctl->stats.stalled++;
	c->dead = true;
	ctl_reap(ctl);
}

/* ---- in ---------------------------------------------------------------- */

static void on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct ctl_client *c = w->data;
	struct ctl *ctl = c->ctl;
	ssize_t n;

	(void)loop;
	(void)revents;
	/* Less than CTL_REQUEST_MAX is in it, or take_lines() had skipped. */
	if (!buf_room(&c->in, 1)) {
		c->dead = true;
		ctl_reap(ctl);
		return;
	}
	n = recv(w->fd, c->in.data + c->in.end, c->in.size - c->in.end,
		 MSG_DONTWAIT);
	if (n > 0)
		c->in.end += (size_t)n;
	else if (n == 0)
		c->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		c->dead = true;
	if (ctl->hooks.settle)
		c->line_waits = true; /* for slice(), which settles first */
	else
		take_lines(c);
	ctl_client_settle(c);
	ctl_reap(ctl);
}

static void take_line(struct ctl_client *c, const char *line, size_t len)
{
	c->ctl->stats.requests++;
	if (c->mode == MODE_JSON) {
		ctl_method_line(c, line, len);
		return;
	}
	c->closing = true; /* one command */
	ctl_text_line(c, line, len);
}

/* No line feed in all that fits: say so once, and lose the rest of it. */
static void too_long(struct ctl_client *c)
{
	c->ctl->stats.too_long++;
	c->skipping = true;
	c->closing = c->mode == MODE_TEXT;
	ctl_reply_error(c, "", CTL_ERROR_TOO_LONG, CTL_NO_OFFSET, NULL,
			"a request is at most %d bytes", CTL_REQUEST_MAX);
}

/* What is in the buffer has no end. */
static void take_partial(struct ctl_client *c)
{
	if (buf_used(&c->in) >= CTL_REQUEST_MAX && !c->skipping)
		too_long(c);
	if (c->skipping) {
		buf_clear(&c->in);
	} else if (c->eof && buf_used(&c->in)) {
		ctl_reply_error(c, "", CTL_ERROR_BAD_REQUEST, CTL_NO_OFFSET,
				NULL, "the line has no line feed at its end");
		buf_clear(&c->in);
	}
}

/* The line feed of the first line; NULL if there is none yet. */
static const char *line_end(const struct ctl_client *c)
{
	size_t used = buf_used(&c->in);

	return used ? memchr(c->in.data + c->in.start, '\n', used) : NULL;
}

static void take_lines(struct ctl_client *c)
{
	const char *line, *end;
	size_t len;

	if (c->mode == MODE_UNKNOWN && buf_used(&c->in))
		c->mode =
			c->in.data[c->in.start] == '{' ? MODE_JSON : MODE_TEXT;
	c->line_waits = false;
	for (int i = 0; !c->closing && !c->dead; i++) {
		end = line_end(c);
		if (!end) {
			take_partial(c);
			return;
		}
		if (i == LINES_AT_ONCE || !ctl_client_may_write(c)) {
			c->line_waits = true;
			return;
		}
		line = c->in.data + c->in.start;
		len = (size_t)(end - line);
		if (!c->skipping)
			take_line(c, line, len);
		c->skipping = false;
		buf_drop(&c->in, len + 1);
	}
	buf_clear(&c->in);
}

/* ---- turns ------------------------------------------------------------- */

/* The next job that has something to do. */
static struct ctl_job *job_awake(const struct ctl_client *c)
{
	struct ctl_job *job = TAILQ_FIRST(&c->jobs);

	while (job && job->asleep)
		job = TAILQ_NEXT(job, link);
	return job;
}

/** ctl_client_run() - One turn: some lines, and one slice of one job */
void ctl_client_run(struct ctl_client *c)
{
	struct ctl_job *job;

	if (c->line_waits)
		take_lines(c);
	job = job_awake(c);
	if (job && ctl_client_may_write(c)) {
		TAILQ_REMOVE(&c->jobs, job, link);
		TAILQ_INSERT_TAIL(&c->jobs, job, link);
		if (job->step(job))
			ctl_job_del(job);
	}
	ctl_client_settle(c);
}

static void want(struct ctl *ctl, ev_io *w, bool on)
{
	if (on)
		ev_io_start(ctl->loop, w);
	else
		ev_io_stop(ctl->loop, w);
}

/** ctl_client_settle() - Write, and wait for what comes next */
void ctl_client_settle(struct ctl_client *c)
{
	struct ctl *ctl = c->ctl;
	bool busy, room, ready;

	flush(c);
	busy = c->line_waits || job_awake(c);
	if (!busy && !buf_used(&c->out) && (c->eof || c->closing))
		c->dead = true;
	if (c->dead) /* who called us may be amid a turn: ctl_reap() later */
		ev_feed_event(ctl->loop, &ctl->news, 0);

	room = ctl_client_may_write(c);
	want(ctl, &c->readable,
	     room && !c->eof && !c->closing && !c->line_waits);
	want(ctl, &c->writable, !c->dead && buf_used(&c->out));
	if (c->dead || !buf_used(&c->out)) {
		ev_timer_stop(ctl->loop, &c->stall);
	} else if (!ev_is_active(&c->stall)) {
		c->stall.repeat = ctl->stall_s;
		ev_timer_again(ctl->loop, &c->stall);
	}

	ready = room && busy;
	if (ready == c->queued)
		return;
	if (ready)
		TAILQ_INSERT_TAIL(&ctl->ready, c, turn);
	else
		TAILQ_REMOVE(&ctl->ready, c, turn);
	c->queued = ready;
	ctl_wake(ctl);
}
