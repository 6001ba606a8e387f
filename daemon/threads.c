/*
 * threads.c - Several shards, each with a thread of its own
 *
 *	         queue 0                queue 1
 *	            |                      |
 *	        thread 0 <--- rings ---> thread 1        read, hand over, turn
 *	            |                      |
 *	            +----- feed rings -----+
 *	                       |
 *	                control thread                   logs, events, captures,
 *	                                                 tcphsctl, signals, reload
 *
 * With one thread none of this is there: run.c has one loop that does all. With
 * N, the device has N queues (IFF_MULTI_QUEUE) and each thread has one of them, a
 * stack with a share of memory and limits, and the turn of loop.c around both.
 *
 * How the kernel steers. If it takes our program (steer_bpf.c), each segment comes
 * to the queue of its owner. If not, tun deals a packet to the queue that its flow table
 * names, by a hash of both ends that is the same in both directions; if the
 * flow is not in the table, to the queue that the hash itself names. The table
 * learns when a queue writes: the flow of that packet is then steered to that
 * queue, until it has been silent for 3 s, unless the table has its 4096 flows.
 * It learns after it has delivered the packet: what a client on this host answers
 * within that delivery, the ACK of our SYN-ACK, is still dealt as before. So the
 * first two packets of a new flow come to any queue (counted: 1.4 of 5 to
 * another one than the owner's, with four), what follows comes to the queue of
 * whoever answered, and after a pause it may come anywhere again.
 *
 * Which shard a connection belongs to is our own decision (steer.c) and does not
 * change. A thread that reads what is another's copies it into a ring and wakes
 * the other, who takes it in its next turn as if it had read it; since the
 * owner answers through its own queue, the kernel's table follows. That is how
 * a moved flow is coped with, too, and all that happens is one copy and some
 * microseconds for the first packets. A ring that is full loses the packet, as a
 * queue of the device would, and counts it. A packet that is dealt right may
 * overtake one that is handed over; TCP copes, but it is a reason to want the
 * program.
 *
 * Ids of connections are drawn from one counter. Secrets are each shard's own,
 * which nobody notices, because a flow never leaves its shard.
 *
 * The control thread learns what happens from feeds (feed.c), and holds a shard
 * for a moment where it has to see or to change it (shards.c). Services that
 * show all connections are run by it, too, while it holds all (threads_view.c).
 *
 * Before a client's request is answered, threads_settle() waits for the turn of
 * each thread that is under way, and for another one if packets wait, and reads
 * what was told: what a client has seen on the wire before it asks, it is told,
 * and so is what became of what it sent before.
 */
#include "threads.h"

#include <errno.h>
#include <signal.h>
#include <sodium/crypto_shorthash.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/assert.h"
#include "threads_priv.h"

#define HAND_OVER (256u << 10) /* bytes that wait in one direction */
#define TAKE_MAX  64	       /* packets of others, a turn and thread */
#define SECOND_US 1000000

/* In a ring of packets; the packet follows. */
struct handed {
	struct stack_rx meta;
};

static bool thread_init(struct threads *t, unsigned int i, uint8_t *mem,
			size_t len, const struct stack_conf *conf,
			const uint8_t seed[32], int64_t now_us);
static void derive(uint8_t to[32], const uint8_t seed[32], uint8_t number);
static bool ends_ours(void *ctx, const struct ip_addr *local,
		      uint16_t local_port, const struct ip_addr *peer,
		      uint16_t peer_port);
static void count_others(void *ctx, unsigned int listener,
			 struct stack_counts *sum);
static bool whole_elsewhere(void *ctx, const void *pkt, size_t len);
static bool hand_over(struct thread *th, unsigned int to, const void *pkt,
		      size_t len, const struct stack_rx *meta);
static void *run(void *arg);
static void on_wake(struct ev_loop *ev, ev_async *w, int revents);
static bool hook_turn(void *arg, int64_t now_us);
static void hook_gone(void *arg);
static int64_t hook_drain(void *arg, int64_t now_us);
static void hook_enter(void *arg);
static void hook_leave(void *arg);
static bool hook_elsewhere(void *arg, const uint8_t *pkt, size_t len,
			   const struct stack_rx *meta);
static bool hook_waits(void *arg);

struct threads *threads_new(struct shards *shards, struct tun *tun,
			    unsigned int n, void *mem, size_t len,
			    const struct stack_conf *conf,
			    const uint8_t seed[32], struct stack *names,
			    int64_t now_us)
{
	struct threads *t = calloc(1, sizeof(*t));
	struct stack *st[SHARDS_MAX];
	size_t each = len / n & ~(size_t)(STACK_ALIGN - 1);
	uint8_t secret[32];

	ASSERT(n > 1 && n <= SHARDS_MAX);
	if (!t)
		return NULL;
	t->n = n;
	t->shards = shards;
	t->thread = calloc(n, sizeof(*t->thread));
	t->steer.shards = n;
	for (unsigned int i = 0; i < STEER_KEYS; i++) {
		derive(secret, seed, (uint8_t)(UINT8_MAX - i));
		memcpy(&t->steer.key[i], secret, sizeof(t->steer.key[i]));
		t->steer.key[i] |= 1; /* so that no product forgets */
	}
	for (unsigned int i = 0; t->thread && i < n; i++) {
		struct thread *th = &t->thread[i];

		th->tun = tun[i];
		if (!thread_init(t, i, (uint8_t *)mem + i * each, each, conf,
				 seed, now_us))
			return NULL;
		st[i] = th->st;
	}
	if (!t->thread || shards_many(shards, st, n, names) < 0)
		return NULL;
	return t;
}

static bool thread_init(struct threads *t, unsigned int i, uint8_t *mem,
			size_t len, const struct stack_conf *conf,
			const uint8_t seed[32], int64_t now_us)
{
	struct thread *th = &t->thread[i];
	const struct stack_share share = {
		.ctx = th,
		.ours = ends_ours,
		.others = count_others,
		.whole = whole_elsewhere,
		.last_id = &t->last_id,
	};
	struct stack_conf mine = *conf;
	uint8_t own[32];

	th->all = t;
	th->index = i;
	TAILQ_INIT(&th->waits);
	derive(own, seed, (uint8_t)(i + 1));
	shards_share(&mine, t->n);
	th->st = stack_init(mem, len, &mine, own, now_us);
	th->from = calloc(t->n, sizeof(*th->from));
	th->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	sem_init(&th->answer, 0, 0);
	if (!th->st || !th->from || !th->ev || feed_init(&th->feed, th->st) < 0)
		return false;
	for (unsigned int k = 0; k < t->n; k++)
		if (k != i && spsc_init(&th->from[k], HAND_OVER) < 0)
			return false;
	stack_share(th->st, &share);
	return true;
}

/* Secrets that must not tell about each other, from one. */
static void derive(uint8_t to[32], const uint8_t seed[32], uint8_t number)
{
	uint8_t named[32 + 2];

	memcpy(named, seed, 32);
	named[32] = number;
	for (uint8_t i = 0; i < 4; i++) {
		named[33] = i;
		crypto_shorthash(to + 8 * i, named, sizeof(named), seed);
	}
}

int threads_steer(struct threads *t)
{
	int fd = steer_program(&t->steer), ret;

	if (fd < 0)
		return fd;
	ret = tun_steer(&t->thread[0].tun, fd);
	close(fd);
	t->steered = ret == 0;
	return ret;
}

int threads_start(struct threads *t, struct ev_loop *ev,
		  const struct threads_hooks *hooks, bool spin)
{
	const struct loop_hooks each = {
		.turn = hook_turn,
		.gone = hook_gone,
		.drain = hook_drain,
		.enter = hook_enter,
		.leave = hook_leave,
		.elsewhere = hook_elsewhere,
		.waits = hook_waits,
	};
	sigset_t all, before;
	int ret = 0;

	threads_control_start(t, ev, hooks);
	sem_init(&t->up, 0, 0);
	/* Signals are the control thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned int i = 0; i < t->n && ret == 0; i++) {
		struct thread *th = &t->thread[i];
		struct loop_hooks mine = each;

		mine.arg = th;
		ret = loop_init(&th->loop, th->ev, th->st, &th->tun, &mine,
				spin);
		if (ret < 0)
			break;
		ev_async_init(&th->wake, on_wake);
		th->wake.data = th;
		ev_async_start(th->ev, &th->wake);
		ret = -pthread_create(&th->id, NULL, run, th);
		th->started = ret == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	/* How a thread begins is not for the sandbox to allow. */
	for (unsigned int i = 0; i < t->n && ret == 0; i++)
		while (sem_wait(&t->up) < 0 && errno == EINTR)
			;
	return ret;
}

void threads_kick(struct threads *t)
{
	for (unsigned int i = 0; i < t->n; i++)
		ev_async_send(t->thread[i].ev, &t->thread[i].wake);
}

void threads_stop(struct threads *t)
{
	__atomic_store_n(&t->stop, true, __ATOMIC_RELEASE);
	threads_kick(t);
	for (unsigned int i = 0; i < t->n; i++) {
		if (t->thread[i].started)
			pthread_join(t->thread[i].id, NULL);
		t->thread[i].started = false;
	}
}

void threads_del(struct threads *t)
{
	for (unsigned int i = 0; i < t->n; i++) {
		struct thread *th = &t->thread[i];

		for (unsigned int k = 0; k < t->n; k++)
			spsc_free(&th->from[k]);
		free(th->from);
		feed_free(&th->feed);
		ev_loop_destroy(th->ev);
		tun_close(&th->tun);
	}
	free(t->thread);
	free(t);
}

/* ---- a thread ---------------------------------------------------------- */

static void *run(void *arg)
{
	struct thread *th = arg;

	sem_post(&th->all->up);
	ev_run(th->ev, 0);
	return NULL;
}

static void on_wake(struct ev_loop *ev, ev_async *w, int revents)
{
	struct thread *th = w->data;

	(void)ev;
	(void)revents;
	th->ending = __atomic_load_n(&th->all->stop, __ATOMIC_ACQUIRE);
	loop_kick(&th->loop);
}

/* Packets that others read, as if we had. */
static bool hook_turn(void *arg, int64_t now_us)
{
	struct thread *th = arg;
	const struct handed *h;
	bool more = false;
	unsigned int n;
	size_t len;

	for (unsigned int i = 0; i < th->all->n; i++) {
		if (i == th->index)
			continue;
		for (n = 0; n < TAKE_MAX; n++) {
			h = spsc_peek(&th->from[i], &len);
			if (!h)
				break;
			stack_input(th->st, h + 1, len - sizeof(*h), &h->meta,
				    now_us);
			spsc_next(&th->from[i]);
		}
		th->taken += n;
		more |= n == TAKE_MAX;
	}
	return more;
}

static void hook_gone(void *arg)
{
	struct thread *th = arg;

	__atomic_store_n(&th->all->is_gone, true, __ATOMIC_RELEASE);
	ev_async_send(th->all->ev, &th->all->news);
}

/* What the turn led to goes to the control thread, what it read for others to
 * them. Both are woken once a turn, and only if they sleep. */
static int64_t hook_drain(void *arg, int64_t now_us)
{
	struct thread *th = arg;
	struct threads *t = th->all;
	uint64_t to_wake = th->to_wake;

	(void)now_us;
	feed_events(&th->feed, loop_now_us());
	if (feed_told(&th->feed))
		ev_async_send(t->ev, &t->news);
	th->to_wake = 0;
	for (; to_wake; to_wake &= to_wake - 1) {
		struct thread *to = &t->thread[__builtin_ctzll(to_wake)];

		ev_async_send(to->ev, &to->wake);
	}
	return TIME_NEVER;
}

static void hook_enter(void *arg)
{
	struct thread *th = arg;

	shards_enter(th->all->shards, th->index);
	th->answers = __atomic_exchange_n(&th->asked, false, __ATOMIC_ACQUIRE);
	if (th->answers)
		th->loop.has_packets = true; /* come since libev looked */
}

static void hook_leave(void *arg)
{
	struct thread *th = arg;

	shards_leave(th->all->shards, th->index);
	if (th->answers)
		sem_post(&th->answer);
	if (th->ending)
		ev_break(th->ev, EVBREAK_ALL);
}

static bool hook_elsewhere(void *arg, const uint8_t *pkt, size_t len,
			   const struct stack_rx *meta)
{
	struct thread *th = arg;
	unsigned int to = steer_packet(&th->all->steer, pkt, len, th->index);

	return to != th->index && hand_over(th, to, pkt, len, meta);
}

static bool hook_waits(void *arg)
{
	struct thread *th = arg;
	size_t len;

	for (unsigned int i = 0; i < th->all->n; i++)
		if (i != th->index && spsc_peek(&th->from[i], &len))
			return true;
	return false;
}

/* True in any case: a packet that is lost here is not ours either. */
static bool hand_over(struct thread *th, unsigned int to, const void *pkt,
		      size_t len, const struct stack_rx *meta)
{
	struct spsc *ring = &th->all->thread[to].from[th->index];
	struct handed *h = spsc_put(ring, sizeof(*h) + len, 0);

	th->to_wake |= UINT64_C(1) << to;
	th->handed++;
	if (!h)
		return true;
	h->meta = *meta;
	memcpy(h + 1, pkt, len);
	spsc_commit(ring);
	return true;
}

/* ---- what the stack asks ----------------------------------------------- */

static bool ends_ours(void *ctx, const struct ip_addr *local,
		      uint16_t local_port, const struct ip_addr *peer,
		      uint16_t peer_port)
{
	const struct thread *th = ctx;

	return steer_ends(&th->all->steer, local, local_port, peer,
			  peer_port) == th->index;
}

static void count_others(void *ctx, unsigned int listener,
			 struct stack_counts *sum)
{
	const struct thread *th = ctx;

	for (unsigned int i = 0; i < th->all->n; i++)
		if (i != th->index)
			stack_counts(th->all->thread[i].st, listener, sum);
}

/* Put together from fragments: now it has ports. */
static bool whole_elsewhere(void *ctx, const void *pkt, size_t len)
{
	static const struct stack_rx none; /* nobody vouches for it */
	struct thread *th = ctx;
	unsigned int to = steer_packet(&th->all->steer, pkt, len, th->index);

	return to != th->index && hand_over(th, to, pkt, len, &none);
}
