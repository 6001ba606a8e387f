/*
 * interop_engine.c - Our end: the engine on a TUN, as the daemon has it
 *
 * Configuration, interface, turn and stack are the daemon's own. Instead of its
 * services there is one that sends the pattern and compares what it gets.
 *
 * Text is sent in pieces of odd lengths, copied and referred to in turn, and
 * all the invariants of the stack are looked at now and then.
 */
#include "interop.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "netlink.h"

#define PIECE	    49999 /* bytes given to tcp_send() at once */
#define PATIENCE_S  15	  /* without progress: it hangs */
#define SECOND_US   1000000
#define CHECK_TURNS 16

static bool open_interface(struct engine *e, const struct conf *c);
static int64_t hook_drain(void *arg, int64_t now_us);
static void *reserve(size_t len);
static bool begin(struct engine *e);
static void on_open(struct stack *st, struct tcp_conn *conn);
static void on_data(struct stack *st, struct tcp_conn *conn);
static void on_alarm(struct stack *st, struct tcp_conn *conn);
static void on_writable(struct stack *st, struct tcp_conn *conn);
static void on_peer_closed(struct stack *st, struct tcp_conn *conn);
static void on_closed(struct stack *st, struct tcp_conn *conn,
		      enum close_reason why);
static void progress(struct engine *e);
static bool hook_turn(void *arg, int64_t now_us);
static void hook_gone(void *arg);
static void on_reported(struct ev_loop *ev, ev_io *w, int revents);
static void on_patience(struct ev_loop *ev, ev_timer *w, int revents);
static void finish(struct engine *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static const struct tcp_service service = {
	.name = "interop",
	.on_open = on_open,
	.on_data = on_data,
	.on_alarm = on_alarm,
	.on_writable = on_writable,
	.on_peer_closed = on_peer_closed,
	.on_closed = on_closed,
};

bool engine_start(struct engine *e, const struct cell *cell, struct conf *c)
{
	uint8_t seed[32];
	void *mem;

	e->cell = cell;
	if (!open_interface(e, c))
		return false;
	c->stack.csum_offload = e->tun.offload;
	c->stack.gso_max = e->tun.offload ? STACK_SEGMENT_MAX : 0;
	mem = reserve(c->memory);
	if (!mem || getrandom(seed, sizeof(seed), 0) != sizeof(seed)) {
		finish(e, "no memory or no chance");
		return false;
	}
	e->st = stack_init(mem, c->memory, &c->stack, seed, loop_now_us());
	if (!e->st)
		finish(e, "stack_init() refuses");
	return e->st;
}

bool engine_run(struct engine *e, int report)
{
	const struct loop_hooks hooks = {
		.arg = e,
		.turn = hook_turn,
		.gone = hook_gone,
		.drain = hook_drain,
	};

	e->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!e->ev || !begin(e) ||
	    loop_init(&e->loop, e->ev, e->st, &e->tun, &hooks, false) < 0) {
		finish(e, "the connection cannot be begun");
		return false;
	}
	evbus_init(&e->bus, e->st, NULL, NULL);
	ev_io_init(&e->reported, on_reported, report, EV_READ);
	ev_timer_init(&e->patience, on_patience, 1., 1.);
	e->reported.data = e->patience.data = e;
	ev_io_start(e->ev, &e->reported);
	ev_timer_start(e->ev, &e->patience);
	e->progress_us = loop_now_us();
	ev_run(e->ev, 0);
	loop_stop(&e->loop);
	stack_check(e->st);
	return !e->error[0] && !e->kernel.error[0];
}

static int64_t hook_drain(void *arg, int64_t now_us)
{
	return evbus_drain(&((struct engine *)arg)->bus, now_us);
}

static bool open_interface(struct engine *e, const struct conf *c)
{
	const struct netlink_setup setup = {
		.ifname = c->ifname,
		.mtu = c->stack.mtu,
		.txqueuelen = c->txqueuelen,
		.host4 = c->host4,
		.host6 = c->host6,
	};

	return tun_open(&e->tun, c->ifname, c->offload != OFFLOAD_OFF, e->error,
			sizeof(e->error)) == 0 &&
	       netlink_link_up(&setup, e->error, sizeof(e->error)) == 0;
}

static void *reserve(size_t len)
{
	uint8_t *mem = mmap(NULL, len + STACK_ALIGN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		return NULL;
	return mem + (-(uintptr_t)mem & (STACK_ALIGN - 1));
}

static bool begin(struct engine *e)
{
	const struct stack_listener l = {
		.name = "interop",
		.service = &service,
		.service_arg = e,
		.port = INTEROP_PORT,
		.enabled = true,
		.backlog = 1,
	};

	if (!e->cell->active)
		return stack_listen(e->st, &l) >= 0;
	return stack_open(e->st, &service, e, &e->cell->kernel_at, INTEROP_PORT,
			  NULL, 0, loop_now_us(), &e->conn) == 0;
}

/* ---- the service ------------------------------------------------------- */

static struct engine *engine_of(const struct stack *st,
				const struct tcp_conn *conn)
{
	return tcp_user(conn) ? tcp_user(conn) : tcp_service_arg(st, conn);
}

static void on_open(struct stack *st, struct tcp_conn *conn)
{
	struct engine *e = engine_of(st, conn);

	e->conn = conn;
	e->open_us = stack_now(st);
	e->sending = e->cell->order != ORDER_IN;
	progress(e);
	if (e->sending)
		on_writable(st, conn);
}

static void on_data(struct stack *st, struct tcp_conn *conn)
{
	struct engine *e = engine_of(st, conn);
	const uint8_t *text;
	size_t n;

	while (!e->paused && (n = tcp_peek(st, conn, &text)) > 0) {
		if (n > PATTERN_RUN)
			n = PATTERN_RUN;
		if (memcmp(text, pattern_at(WAY_IN, e->got), n) != 0) {
			finish(e, "wrong text within %zu bytes from %llu on", n,
			       (unsigned long long)e->got);
			return;
		}
		tcp_consume(st, conn, n);
		e->got += n;
		if (e->got >= cell_pause_at(e->cell, e->pauses)) {
			e->pauses++;
			e->paused = true;
			tcp_alarm(st, conn, stack_now(st) + PAUSE_US);
		}
	}
	progress(e);
}

static void on_alarm(struct stack *st, struct tcp_conn *conn)
{
	struct engine *e = engine_of(st, conn);

	e->paused = false;
	tcp_resume(st, conn);
}

static void on_writable(struct stack *st, struct tcp_conn *conn)
{
	struct engine *e = engine_of(st, conn);
	uint64_t piece = e->sent / PIECE, left;
	const uint8_t *text;
	ssize_t n;
	size_t len;

	while (e->sent < e->cell->bytes) {
		left = e->cell->bytes - e->sent;
		len = left < PIECE ? left : PIECE;
		text = pattern_at(WAY_OUT, e->sent);
		n = piece++ & 1 ? tcp_send_ref(st, conn, text, len)
				: tcp_send(st, conn, text, len);
		if (n < 0) {
			finish(e, "send after %llu bytes: %s",
			       (unsigned long long)e->sent, strerror((int)-n));
			return;
		}
		e->sent += (uint64_t)n;
		progress(e);
		if ((size_t)n < len)
			return;
	}
	tcp_close(st, conn);
}

static void on_peer_closed(struct stack *st, struct tcp_conn *conn)
{
	struct engine *e = engine_of(st, conn);

	e->done_us = stack_now(st);
	if (e->got != e->cell->bytes) {
		finish(e, "the FIN came after %llu bytes",
		       (unsigned long long)e->got);
		return;
	}
	if (!e->sending) {
		e->sending = true;
		on_writable(st, conn);
	}
}

static void on_closed(struct stack *st, struct tcp_conn *conn,
		      enum close_reason why)
{
	struct engine *e = engine_of(st, conn);

	tcp_info(st, conn, &e->info, stack_now(st));
	e->conn = NULL;
	e->closed = true;
	e->reason = why;
	if (why != CLOSE_FIN)
		finish(e, "closed: %s", close_words(why));
	else if (e->kernel_done)
		ev_break(e->ev, EVBREAK_ALL);
}

/* ---- the turn ---------------------------------------------------------- */

static void progress(struct engine *e)
{
	int64_t now_us = stack_now(e->st);

	if (now_us - e->progress_us > e->gap_us)
		e->gap_us = now_us - e->progress_us;
	e->progress_us = now_us;
}

static bool hook_turn(void *arg, int64_t now_us)
{
	static unsigned int turns;
	struct engine *e = arg;

	(void)now_us;
	if (turns++ % CHECK_TURNS == 0)
		stack_check(e->st);
	return false;
}

static void hook_gone(void *arg)
{
	finish(arg, "the interface is gone");
}

static void on_reported(struct ev_loop *ev, ev_io *w, int revents)
{
	struct engine *e = w->data;

	(void)revents;
	ev_io_stop(ev, w);
	e->kernel_done = true;
	if (read(w->fd, &e->kernel, sizeof(e->kernel)) !=
	    (ssize_t)sizeof(e->kernel))
		finish(e, "the kernel's end died");
	else if (e->closed || e->kernel.error[0])
		ev_break(ev, EVBREAK_ALL);
}

static void on_patience(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct engine *e = w->data;

	(void)ev;
	(void)revents;
	if (loop_now_us() - e->progress_us < PATIENCE_S * SECOND_US)
		return;
	if (e->conn)
		tcp_info(e->st, e->conn, &e->info, loop_now_us());
	finish(e, "nothing moved for %d s", PATIENCE_S);
}

/* The first thing that went wrong is what counts. */
static void finish(struct engine *e, const char *fmt, ...)
{
	va_list ap;

	if (e->error[0])
		return;
	va_start(ap, fmt);
	vsnprintf(e->error, sizeof(e->error), fmt, ap);
	va_end(ap);
	if (e->ev)
		ev_break(e->ev, EVBREAK_ALL);
}
