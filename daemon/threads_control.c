/*
 * threads_control.c - The control thread: what happened everywhere
 *
 * It sleeps until a thread has told something, a client wants something or a
 * timer is due. Then, before it sleeps again, all that was told is handed to the
 * same buses that one stack would have filled, the oldest first: packets, then
 * events. Among the rings that is the order of time, but for what a thread has
 * not told yet; the order of what happened to one connection is always kept.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "core/assert.h"
#include "threads_priv.h"

#define SECOND_US 1000000
#define BURST	  4096 /* events, and packets, before clients get their turn */

/* When the turn ended that the event handed out last was in; the bus has one
 * user, the control thread. */
static int64_t told_us;

static void take_what_waits(struct threads *t, bool all);
static void wait_for_turns(struct threads *t);
static void on_news(struct ev_loop *ev, ev_async *w, int revents);
static void on_due(struct ev_loop *ev, ev_timer *w, int revents);
static void on_before_sleep(struct ev_loop *ev, ev_prepare *w, int revents);
static void arm(struct threads *t, int64_t at_us, int64_t now_us);
static void want(void *arg, uint64_t mask);
static const struct event *next_event(void *arg, uint64_t *lost);
static void watch(void *arg, uint32_t snap);
static unsigned int show_packets(struct threads *t, unsigned int most);

void threads_observe(struct threads *t, struct evbus *bus,
		     struct pktbus *packets)
{
	const struct evbus_source source = {want, next_event, t};

	t->bus = bus;
	t->packets = packets;
	evbus_from(bus, &source);
	pktbus_from(packets, watch, t);
}

void threads_control_start(struct threads *t, struct ev_loop *ev,
			   const struct threads_hooks *hooks)
{
	t->ev = ev;
	t->turn = hooks->turn;
	t->gone = hooks->gone;
	t->arg = hooks->arg;
	ev_async_init(&t->news, on_news);
	ev_prepare_init(&t->before_sleep, on_before_sleep);
	ev_init(&t->due, on_due);
	t->news.data = t->before_sleep.data = t->due.data = t;
	ev_async_start(ev, &t->news);
	ev_prepare_start(ev, &t->before_sleep);
	threads_view_start(t);
}

void threads_settle(struct threads *t)
{
	/* A turn that is writing: what this host answers within that is in a
	 * queue only when the turn is over, and its client knows before. */
	wait_for_turns(t);
	take_what_waits(t, false);
	/* What one reads for another is in a ring when its turn is over, and is
	 * taken in the other's next one. */
	wait_for_turns(t);
	if (!t->steered)
		take_what_waits(t, true);
	/* What comes after this moment may wait. */
	(void)show_packets(t, t->n * BURST);
	t->events_left = t->n * BURST;
	(void)evbus_drain(t->bus, loop_now_us());
}

static void wait_for_turns(struct threads *t)
{
	shards_hold_all(t->shards);
	shards_release_all(t->shards);
}

/* A turn of each thread for which packets wait in the device, or of all. */
static void take_what_waits(struct threads *t, bool all)
{
	bool asked[SHARDS_MAX] = {false};

	for (unsigned int i = 0; i < t->n; i++) {
		struct thread *th = &t->thread[i];
		struct pollfd p = {.fd = th->tun.fd, .events = POLLIN};

		asked[i] = th->started &&
			   (all || (poll(&p, 1, 0) > 0 && p.revents & POLLIN));
		if (!asked[i])
			continue;
		__atomic_store_n(&th->asked, true, __ATOMIC_RELEASE);
		ev_async_send(th->ev, &th->wake);
	}
	for (unsigned int i = 0; i < t->n; i++)
		while (asked[i] && sem_wait(&t->thread[i].answer) < 0)
			ASSERT(errno == EINTR);
}

struct stack *threads_opener(struct threads *t, const struct ip_addr *local,
			     uint16_t local_port, const struct ip_addr *peer,
			     uint16_t peer_port)
{
	const struct stack_conf *conf = stack_conf(t->thread[0].st);

	if (!local_port)
		return t->thread[t->opened++ % t->n].st;
	if (!local)
		local = ip_addr_is4(peer) ? &conf->own4 : &conf->own6;
	return t->thread[steer_ends(&t->steer, local, local_port, peer,
				    peer_port)]
		.st;
}

void threads_lag(struct threads *t, struct histogram *h)
{
	for (unsigned int i = 0; i < t->n; i++) {
		shards_hold(t->shards, i);
		histogram_merge(h, &t->thread[i].loop.lag);
		shards_release(t->shards, i);
	}
}

void threads_spin(const struct threads *t, uint64_t *paid, uint64_t *missed)
{
	for (unsigned int i = 0; i < t->n; i++)
		spin_counts(&t->thread[i].loop.spin, paid, missed);
}

void threads_tun(struct threads *t, struct tun *sum)
{
	for (unsigned int i = 0; i < t->n; i++) {
		const struct tun *one = &t->thread[i].tun;

		shards_hold(t->shards, i);
		sum->read_errors += one->read_errors;
		sum->write_errors += one->write_errors;
		sum->write_full += one->write_full;
		shards_release(t->shards, i);
	}
}

void threads_stats(struct threads *t, unsigned int index,
		   struct threads_stats *out)
{
	struct thread *th = &t->thread[index];
	struct stack_stats s;

	shards_hold(t->shards, index);
	stack_stats(th->st, &s);
	*out = (struct threads_stats){
		.read = s.packets_in - th->taken + th->handed,
		.handed = th->handed,
		.taken = th->taken,
		.unseen = spsc_lost(&th->feed.packets),
	};
	for (unsigned int i = 0; i < t->n; i++)
		if (i != index)
			out->lost += spsc_lost(&th->from[i]);
	shards_release(t->shards, index);
}

/* ---- turns ------------------------------------------------------------- */

static void on_news(struct ev_loop *ev, ev_async *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

static void on_due(struct ev_loop *ev, ev_timer *w, int revents)
{
	(void)ev;
	(void)w;
	(void)revents;
}

static void on_before_sleep(struct ev_loop *ev, ev_prepare *w, int revents)
{
	struct threads *t = w->data;
	int64_t now_us = loop_now_us(), at_us;
	bool again, more;

	(void)ev;
	(void)revents;
	if (__atomic_load_n(&t->is_gone, __ATOMIC_ACQUIRE)) {
		t->gone(t->arg);
		return;
	}
	more = show_packets(t, BURST) == BURST;
	threads_view_go(t);
	again = t->turn(t->arg, now_us);
	t->events_left = BURST;
	at_us = evbus_drain(t->bus, now_us);
	more |= t->events_left == 0;
	arm(t, again || more ? now_us : at_us, now_us);
}

static void arm(struct threads *t, int64_t at_us, int64_t now_us)
{
	ev_timer_stop(t->ev, &t->due);
	if (at_us == TIME_NEVER)
		return;
	ev_timer_set(&t->due,
		     at_us > now_us ? (double)(at_us - now_us) / SECOND_US : 0.,
		     0.);
	ev_timer_start(t->ev, &t->due);
}

/* ---- events ------------------------------------------------------------ */

static void want(void *arg, uint64_t mask)
{
	struct threads *t = arg;

	for (unsigned int i = 0; i < t->n; i++) {
		shards_hold(t->shards, i);
		stack_event_mask(t->thread[i].st, mask);
		shards_release(t->shards, i);
	}
}

static const struct event *next_event(void *arg, uint64_t *lost)
{
	struct threads *t = arg;
	const struct feed_event *e, *oldest = NULL;
	struct thread *whose = NULL;
	uint64_t total = 0;

	for (unsigned int i = 0; i < t->n; i++) {
		struct thread *th = &t->thread[i];

		total += feed_lost_events(&th->feed);
		e = feed_event(&th->feed);
		if (e && (!oldest || e->e.at_us < oldest->e.at_us)) {
			oldest = e;
			whose = th;
		}
	}
	*lost += total - t->lost_told;
	t->lost_told = total;
	if (!oldest || t->events_left == 0)
		return NULL;
	t->events_left--;
	t->event = oldest->e;
	told_us = oldest->told_us;
	feed_next_event(&whose->feed);
	return &t->event;
}

int64_t threads_told_us(void)
{
	return told_us;
}

/* ---- packets ----------------------------------------------------------- */

/* What was told before is cut as it was wanted before: it is shown first. */
static void watch(void *arg, uint32_t snap)
{
	struct threads *t = arg;

	shards_hold_all(t->shards);
	if (!t->showing)
		(void)show_packets(t, t->n * BURST);
	for (unsigned int i = 0; i < t->n; i++) {
		struct thread *th = &t->thread[i];
		const struct stack_watcher w = feed_watcher(&th->feed);

		th->feed.snap = snap;
		stack_watch(th->st, snap ? &w : NULL);
	}
	shards_release_all(t->shards);
}

static struct thread *first_to_show(struct threads *t)
{
	int64_t at_us, least = TIME_NEVER;
	struct thread *whose = NULL;

	for (unsigned int i = 0; i < t->n; i++) {
		at_us = feed_packet_at(&t->thread[i].feed);
		if (at_us < least) {
			least = at_us;
			whose = &t->thread[i];
		}
	}
	return whose;
}

/* Whoever sees a record sees that others were lost before it, too. */
static void tell_missed(struct threads *t)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < t->n; i++)
		total += spsc_lost(&t->thread[i].feed.packets);
	if (total == t->missed_told)
		return;
	t->missed_told = total;
	pktbus_missed(t->packets, loop_now_us());
}

static unsigned int show_packets(struct threads *t, unsigned int most)
{
	struct feed_packet p;
	struct thread *th;
	unsigned int n = 0;

	t->showing = true;
	for (; n < most && (th = first_to_show(t)); n++) {
		if (!feed_packet(&th->feed, &p))
			break;
		tell_missed(t);
		/* Observers ask the stack for the time. */
		stack_expire(t->shards->names, p.at_us);
		if (p.ends)
			pktbus_ended(t->packets, &p.end);
		else
			pktbus_packet(t->packets, &p.packet);
		feed_next_packet(&th->feed);
	}
	t->showing = false;
	return n;
}
