/*
 * loop.c - The daemon's turn
 *
 * All input, then services, then due timers, then all output, then what ended
 * is freed (RFC 9293, 3.10.7.4 (MUST-59)). The callbacks of libev only note
 * that a turn is wanted and why: packets wait, a timer is due, a control client
 * changed something. The turn itself runs in the ev_prepare watcher, before
 * libev goes to sleep, so there is at most one an iteration whatever happened
 * at once. The clock is read once in it.
 *
 * A turn takes TURN_PACKETS packets at most, so that a flood cannot keep the
 * answers and the control socket waiting. What is left makes the device readable
 * again, and the next turn follows at once. Small packets are read several at a
 * time before the first is judged, so that the stack can get near what all of
 * them need (stack_ahead()).
 *
 * If spin.c says so, the turn is followed by a look whether the next packet is
 * there already, again and again for a bounded time, before libev may sleep: one
 * packet's turn an iteration, so that nobody else waits longer than that.
 *
 * However many connections there are, there is one timer: the stack's deadline.
 * libev's are exact to a millisecond, because epoll_wait() is. What is due sooner
 * than SOON_US, mostly the next text of a paced flow, has a timerfd instead.
 */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define TURN_PACKETS 64
#define SECOND_US    1000000
#define SOON_US	     2000

static void on_readable(struct ev_loop *ev, ev_io *w, int revents);
static void on_due(struct ev_loop *ev, ev_timer *w, int revents);
static void on_soon(struct ev_loop *ev, ev_io *w, int revents);
static void on_before_sleep(struct ev_loop *ev, ev_prepare *w, int revents);
static void on_awake(struct ev_loop *ev, ev_idle *w, int revents);
static void turn(struct loop *l);
static void look(struct loop *l);
static bool packet_waits(const struct loop *l);
static void take_packets(struct loop *l, int64_t now_us);
static ssize_t read_packet(struct loop *l, size_t at, struct stack_in *in);
static void input(struct loop *l, struct stack_in *in, unsigned int n,
		  int64_t now_us);
static void send_packets(struct loop *l, int64_t now_us);
static void arm(struct loop *l, int64_t at_us, int64_t now_us);
static void arm_soon(struct loop *l);

int loop_init(struct loop *l, struct ev_loop *ev, struct stack *st,
	      struct tun *tun, const struct loop_hooks *hooks, bool spin)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	l->ev = ev;
	l->st = st;
	l->tun = tun;
	l->hooks = *hooks;
	l->has_packets = false;
	l->wanted = true;
	l->late_us = -1;
	l->due_us = l->soon_us = TIME_NEVER;
	ev_io_init(&l->readable, on_readable, tun->fd, EV_READ);
	ev_init(&l->due, on_due);
	ev_io_init(&l->soon, on_soon, fd, EV_READ);
	ev_prepare_init(&l->before_sleep, on_before_sleep);
	ev_idle_init(&l->awake, on_awake);
	spin_init(&l->spin, spin);
	l->readable.data = l->due.data = l->soon.data = l->before_sleep.data =
		l;
	ev_io_start(ev, &l->readable);
	ev_io_start(ev, &l->soon);
	ev_prepare_start(ev, &l->before_sleep);
	return 0;
}

void loop_kick(struct loop *l)
{
	l->wanted = true;
}

/**
 * loop_stop() - No more turns
 */
void loop_stop(struct loop *l)
{
	ev_io_stop(l->ev, &l->readable);
	ev_timer_stop(l->ev, &l->due);
	ev_io_stop(l->ev, &l->soon);
	close(l->soon.fd);
	ev_prepare_stop(l->ev, &l->before_sleep);
	ev_idle_stop(l->ev, &l->awake);
}

int64_t loop_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND_US + ts.tv_nsec / 1000;
}

static void on_readable(struct ev_loop *ev, ev_io *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	l->has_packets = l->wanted = true;
	if (l->spin.on && !ev_is_active(&l->awake))
		spin_woken(&l->spin, loop_now_us());
}

static void on_due(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct loop *l = w->data;
	int64_t late_us = loop_now_us() - l->due_us;

	(void)ev;
	(void)revents;
	l->wanted = true;
	l->late_us = late_us > 0 ? late_us : 0;
}

/* Set for something that is not the next deadline any more, it says nothing. */
static void on_soon(struct ev_loop *ev, ev_io *w, int revents)
{
	struct loop *l = w->data;
	int64_t now_us = loop_now_us();
	uint64_t times;

	(void)ev;
	(void)revents;
	if (read(w->fd, &times, sizeof(times)) != sizeof(times))
		return;
	l->soon_us = TIME_NEVER;
	if (now_us < l->due_us)
		return;
	l->wanted = true;
	l->late_us = now_us - l->due_us;
}

static void on_before_sleep(struct ev_loop *ev, ev_prepare *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	if (l->wanted)
		turn(l);
	if (l->spin.on)
		look(l);
}

/* Its being active keeps libev from sleeping: that is all. */
static void on_awake(struct ev_loop *ev, ev_idle *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

static void turn(struct loop *l)
{
	int64_t now_us, at_us, drain_at_us;
	bool again;

	if (l->hooks.enter)
		l->hooks.enter(l->hooks.arg);
	now_us = loop_now_us();
	l->wanted = false;
	if (l->late_us >= 0)
		histogram_add(&l->lag, l->late_us, 1);
	l->late_us = -1;
	if (l->has_packets)
		take_packets(l, now_us);
	again = l->hooks.turn(l->hooks.arg, now_us);
	stack_services(l->st, now_us);
	stack_expire(l->st, now_us);
	send_packets(l, now_us);
	stack_reap(l->st, now_us);
	drain_at_us = l->hooks.drain(l->hooks.arg, now_us);
	at_us = again ? now_us : stack_deadline(l->st);
	arm(l, at_us < drain_at_us ? at_us : drain_at_us, now_us);
	if (l->hooks.leave)
		l->hooks.leave(l->hooks.arg);
}

/* After the turn: is the next packet there before it would be worth to sleep? */
static void look(struct loop *l)
{
	int64_t now_us = loop_now_us(), until_us;

	spin_rest(&l->spin, now_us);
	until_us = spin_until(&l->spin, now_us);
	if (until_us <= now_us) {
		ev_idle_stop(l->ev, &l->awake);
		return;
	}
	if (l->due_us < until_us)
		until_us = l->due_us;
	do {
		if (packet_waits(l)) {
			spin_found(&l->spin);
			l->has_packets = l->wanted = true;
			ev_idle_start(l->ev, &l->awake);
			turn(l);
			return;
		}
	} while (loop_now_us() < until_us);
	if (until_us != l->due_us)
		spin_gave_up(&l->spin);
	ev_idle_stop(l->ev, &l->awake);
}

static bool packet_waits(const struct loop *l)
{
	struct pollfd p = {.fd = l->tun->fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0 ||
	       (l->hooks.waits && l->hooks.waits(l->hooks.arg));
}

static void take_packets(struct loop *l, int64_t now_us)
{
	struct stack_in in[STACK_AHEAD];
	unsigned int n = 0;
	size_t used = 0;
	ssize_t len = 1;

	l->has_packets = false;
	for (int i = 0; i < TURN_PACKETS && len; i++) {
		len = read_packet(l, used, &in[n]);
		if (len > 0) {
			used = (size_t)((const uint8_t *)in[n].pkt + len -
					l->packets + 15) &
			       ~(size_t)15;
			n++;
		}
		if (n == STACK_AHEAD || used > LOOP_AHEAD_LEN) {
			input(l, in, n, now_us);
			n = 0;
			used = 0;
		}
	}
	input(l, in, n, now_us);
}

/* At @at of the buffer. Returns its length, 0 if there is none, or < 0 if it
 * was none to be taken. */
static ssize_t read_packet(struct loop *l, size_t at, struct stack_in *in)
{
	const uint8_t *pkt;
	ssize_t n = tun_read(l->tun, l->packets + at, sizeof(l->packets) - at,
			     &pkt, &in->meta);

	if (n == -EBADMSG)
		return n;
	if (n == -EBADFD) {
		ev_io_stop(l->ev, &l->readable);
		l->hooks.gone(l->hooks.arg);
	}
	if (n <= 0)
		return 0;
	if (l->hooks.elsewhere &&
	    l->hooks.elsewhere(l->hooks.arg, pkt, (size_t)n, &in->meta))
		return -EAGAIN;
	in->pkt = pkt;
	in->len = (size_t)n;
	return n;
}

static void input(struct loop *l, struct stack_in *in, unsigned int n,
		  int64_t now_us)
{
	stack_ahead(l->st, in, n);
	for (unsigned int i = 0; i < n; i++)
		stack_input(l->st, in[i].pkt, in[i].len, &in[i].meta, now_us);
}

/* A packet the device does not take is lost, as on any wire; it is counted. */
static void send_packets(struct loop *l, int64_t now_us)
{
	struct stack_pkt pkt;

	while (stack_output(l->st, &pkt, now_us))
		(void)tun_write(l->tun, &pkt);
}

static void arm(struct loop *l, int64_t at_us, int64_t now_us)
{
	ev_timer_stop(l->ev, &l->due);
	l->due_us = at_us > now_us ? at_us : now_us;
	if (at_us == TIME_NEVER)
		return;
	if (at_us > now_us && at_us < now_us + SOON_US) {
		arm_soon(l);
		return;
	}
	ev_timer_set(&l->due,
		     at_us > now_us ? (double)(at_us - now_us) / SECOND_US : 0.,
		     0.);
	ev_timer_start(l->ev, &l->due);
}

/* A call each time, so not for a deadline it is set to already. */
static void arm_soon(struct loop *l)
{
	const struct itimerspec at = {
		.it_value = {.tv_sec = l->due_us / SECOND_US,
			     .tv_nsec = l->due_us % SECOND_US * 1000},
	};

	if (l->soon_us == l->due_us)
		return;
	l->soon_us = l->due_us;
	(void)timerfd_settime(l->soon.fd, TFD_TIMER_ABSTIME, &at, NULL);
}
