/*
 * threads.h - Several shards, each with a thread of its own
 */
#ifndef TCPHS_THREADS_H
#define TCPHS_THREADS_H

#include <ev.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "evbus.h"
#include "feed.h"
#include "loop.h"
#include "pktbus.h"
#include "service/service.h"
#include "shards.h"
#include "spsc.h"
#include "steer.h"
#include "tun.h"

struct threads;

struct thread {
	struct threads *all;
	unsigned int index;
	struct tun tun; /* its queue */
	struct stack *st;
	struct ev_loop *ev;
	struct loop loop;
	ev_async wake;
	pthread_t id;
	bool asked;   /* for a turn, by the control thread; atomic */
	bool answers; /* the turn that goes on is that one */
	sem_t answer; /* posted when it is over */
	bool started;
	bool ending;	   /* the turn that begins is the last */
	struct spsc *from; /* packets that others read, by who did */
	uint64_t to_wake;  /* bits: who was given packets in this turn */
	uint64_t handed;   /* packets given to others */
	uint64_t taken;	   /* packets of its own that others read */
	struct feed feed;  /* to the control thread */
	struct service_waits waits; /* who wants to see all shards */
};

struct threads {
	unsigned int n;
	struct thread *thread;
	struct shards *shards;
	struct steer steer;
	bool steered;	  /* the kernel deals as we do */
	uint32_t last_id; /* of all connections; atomic */

	/* The control thread's. */
	struct ev_loop *ev;
	struct evbus *bus;
	struct pktbus *packets;
	ev_async news; /* a thread has told something */
	ev_prepare before_sleep;
	ev_timer due;
	bool (*turn)(void *arg, int64_t now_us);
	void (*gone)(void *arg);
	void *arg;
	struct event event;	  /* the one that is handed out */
	unsigned int events_left; /* to be handed out in this turn */
	unsigned int opened;
	uint64_t lost_told;   /* events */
	uint64_t missed_told; /* packets */
	bool showing;	      /* packets, to pktbus */
	bool seeing;	      /* services see all; changed with all held */
	bool stop, is_gone;   /* atomic */
	sem_t up;	      /* posted by each thread that runs */
	bool waits;	      /* atomic: somebody wants to see all */
	struct service_view view;
};

struct threads_hooks {
	void *arg;
	/* The control thread's turn; as in struct loop_hooks. */
	bool (*turn)(void *arg, int64_t now_us);
	void (*gone)(void *arg);
};

/**
 * threads_new() - Stacks with a part each of the memory and the limits
 * @tun:   @n queues of one device
 * @mem:   Zeroed, aligned to STACK_ALIGN; @len bytes, for all of them
 * @names: For shards_many()
 * @seed:  Of all randomness
 *
 * Nothing runs yet; all stacks are held.
 *
 * Return: NULL without memory, or if the memory is too small for so many
 */
struct threads *threads_new(struct shards *shards, struct tun *tun,
			    unsigned int n, void *mem, size_t len,
			    const struct stack_conf *conf,
			    const uint8_t seed[32], struct stack *names,
			    int64_t now_us);

/**
 * threads_steer() - Have the kernel deal packets as we do; a right is needed
 *
 * Return: 0 or a negative errno: then it deals them its own way
 */
int threads_steer(struct threads *t);

/** threads_observe() - Events and packets of all shards to these buses */
void threads_observe(struct threads *t, struct evbus *bus,
		     struct pktbus *packets);

/**
 * threads_start() - Have them run, as soon as they are no longer held
 * @ev:   The control thread's loop
 * @spin: As loop_init()
 *
 * To be called without rights and before the sandbox, which binds them too.
 *
 * Return: 0 or a negative errno
 */
int threads_start(struct threads *t, struct ev_loop *ev,
		  const struct threads_hooks *hooks, bool spin);

/** threads_kick() - Have a turn everywhere soon: something was changed */
void threads_kick(struct threads *t);

/** threads_settle() - Hear all that happened up to now */
void threads_settle(struct threads *t);

/** threads_stop() - Let each send what waits, and end it */
void threads_stop(struct threads *t);
void threads_del(struct threads *t);

/** threads_lag() - How late the turns of all threads were; adds to @h */
void threads_lag(struct threads *t, struct histogram *h);

/** threads_spin() - spin_counts() of all threads */
void threads_spin(const struct threads *t, uint64_t *paid, uint64_t *missed);

/** threads_tun() - The counters of all queues */
void threads_tun(struct threads *t, struct tun *sum);

/* What the threads did for each other, since start. */
struct threads_stats {
	uint64_t read;	 /* packets, from the queue */
	uint64_t handed; /* of these, to other threads */
	uint64_t taken;	 /* from other threads */
	uint64_t lost;	 /* for others, without room */
	uint64_t unseen; /* packets that observers missed */
};
void threads_stats(struct threads *t, unsigned int index,
		   struct threads_stats *out);

/** threads_told_us() - When the turn ended that the last event was in */
int64_t threads_told_us(void);

/** threads_opener() - The stack that opens a connection
 * @local_port: 0 = any; then the shards take turns */
struct stack *threads_opener(struct threads *t, const struct ip_addr *local,
			     uint16_t local_port, const struct ip_addr *peer,
			     uint16_t peer_port);

#endif
