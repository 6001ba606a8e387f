/*
 * sim_link.c - One direction of the wire
 *
 * A packet waits for the transmitter (rate, queue), may be lost, damaged,
 * marked or doubled, and arrives after the delay, the jitter and, if it drew
 * the short straw, the time by which it is reordered. What is on its way lies
 * in one heap for both directions, by time of arrival. Damage is always one
 * bit: the Internet checksum finds every such error, so data must survive it.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static void link_enter(struct link *l, const uint8_t *pkt, uint32_t len,
		       uint16_t gso_size);
static void link_push(struct sim *sim, struct packet *p);
static int64_t link_transmit(struct link *l, uint32_t len);
static bool link_before(const struct packet *a, const struct packet *b);

void link_init(struct link *l, struct sim *sim, unsigned int from)
{
	memset(l, 0, sizeof(*l));
	l->sim = sim;
	l->from = from;
	l->opts = &sim->opts->link[from];
	rand_init(&l->rand, sim->opts->seed, 100 + from);
}

/**
 * link_send() - Put a packet on the wire
 * @gso_size: Text bytes of each segment inside, 0 if just one
 */
void link_send(struct link *l, const uint8_t *pkt, uint32_t len,
	       uint16_t gso_size)
{
	if (gso_size && !l->opts->whole)
		packet_split(pkt, len, gso_size, link_enter, l);
	else
		link_enter(l, pkt, len, gso_size);
}

static void link_enter(struct link *l, const uint8_t *pkt, uint32_t len,
		       uint16_t gso_size)
{
	if (!gso_size) {
		if (path_too_big(l, pkt, len))
			return;
		forge_beside(l, pkt, len);
	}
	box_pass(l, pkt, len, gso_size);
}

/**
 * link_next() - Take the packet that arrives next, if its time has come
 *
 * Return: NULL if there is none; the caller frees it
 */
struct packet *link_next(struct sim *sim)
{
	struct packet **heap = sim->heap, *first, *last;
	size_t i = 0, child;

	if (!sim->nheap || heap[0]->at_us > sim->now_us)
		return NULL;
	first = heap[0];
	last = heap[--sim->nheap];
	while ((child = 2 * i + 1) < sim->nheap) {
		if (child + 1 < sim->nheap &&
		    link_before(heap[child + 1], heap[child]))
			child++;
		if (link_before(last, heap[child]))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return first;
}

/* Once in each period, at a time of its own: a fixed one would beat against
 * the timers of the stack and hit every retransmission. */
static bool link_out(const struct link *l)
{
	const struct link_opts *o = l->opts;
	int64_t since_us = l->sim->now_us - l->sim->opts->start_us, from_us;
	struct rand r;

	if (!o->outage_us)
		return false;
	rand_init(&r, l->sim->opts->seed,
		  (uint64_t)(since_us / o->outage_every_us));
	from_us = (int64_t)rand_between(
		&r, 0, (uint64_t)(o->outage_every_us - o->outage_us));
	since_us %= o->outage_every_us;
	return since_us >= from_us && since_us < from_us + o->outage_us;
}

/** link_emit() - What came through the box begins its way */
void link_emit(struct link *l, const uint8_t *pkt, uint32_t len,
	       uint16_t gso_size)
{
	const struct link_opts *o = l->opts;
	int64_t sent_us = link_transmit(l, len), at_us;
	bool lost = rand_chance(&l->rand, o->loss_ppm);

	if (!gso_size)
		forge_again(l, pkt, len);
	if (path_loses(l, pkt, len) || sent_us == TIME_NEVER || lost ||
	    link_out(l)) {
		trace_packet(l->sim, l->from, "lost", pkt, len, gso_size);
		path_unreachable(l, pkt, len);
		return;
	}
	trace_packet(l->sim, l->from, "", pkt, len, gso_size);
	at_us = sent_us + o->delay_us;
	if (o->jitter_us)
		at_us += (int64_t)rand_between(&l->rand, 0,
					       (uint64_t)o->jitter_us);
	if (rand_chance(&l->rand, o->reorder_ppm))
		at_us += o->reorder_us;
	else if (o->fifo && at_us < l->last_at_us)
		at_us = l->last_at_us;
	if (at_us > l->last_at_us)
		l->last_at_us = at_us;
	l->spared = false;
	if (!path_fragment(l, pkt, len, at_us))
		link_deliver(l, pkt, len, gso_size, at_us);
	l->spared = false;
	if (rand_chance(&l->rand, o->dup_ppm))
		link_deliver(
			l, pkt, len, gso_size,
			at_us + (int64_t)rand_between(&l->rand, 0,
						      (uint64_t)o->delay_us));
}

/* When the last bit has left; TIME_NEVER if the queue is full. */
static int64_t link_transmit(struct link *l, uint32_t len)
{
	const struct link_opts *o = l->opts;
	int64_t now_us = l->sim->now_us, waiting;

	l->marked = false;
	if (!o->rate)
		return now_us;
	if (l->busy_until_us < now_us)
		l->busy_until_us = now_us;
	waiting = (l->busy_until_us - now_us) * (int64_t)o->rate / US_PER_S;
	if (waiting > (int64_t)o->queue)
		return TIME_NEVER;
	l->marked = o->ce_queue && waiting > (int64_t)o->ce_queue;
	l->busy_until_us += (int64_t)len * US_PER_S / o->rate;
	return l->busy_until_us;
}

static struct packet *packet_new(struct sim *sim, unsigned int to,
				 const uint8_t *pkt, uint32_t len,
				 int64_t at_us)
{
	struct packet *p = malloc(sizeof(*p) + len);

	ASSERT(p);
	*p = (struct packet){
		.at_us = at_us,
		.order = sim->order++,
		.to = to,
		.len = len,
	};
	memcpy(p->data, pkt, len);
	return p;
}

/** link_inject() - Something that no side sent arrives at @to */
void link_inject(struct sim *sim, unsigned int to, const uint8_t *pkt,
		 uint32_t len, int64_t at_us, bool forged)
{
	struct packet *p = packet_new(sim, to, pkt, len, at_us);

	p->forged = forged;
	trace_packet(sim, !to, "injected", pkt, len, 0);
	link_push(sim, p);
}

/** link_deliver() - It will arrive at @at_us */
void link_deliver(struct link *l, const uint8_t *pkt, uint32_t len,
		  uint16_t gso_size, int64_t at_us)
{
	struct sim *sim = l->sim;
	struct packet *p = packet_new(sim, !l->from, pkt, len, at_us);
	uint64_t bit;

	p->meta = (struct stack_rx){
		.csum_ok = l->opts->whole,
		.gso_size = gso_size,
	};
	if (l->marked || rand_chance(&l->rand, l->opts->mark_ppm))
		packet_mark(p->data);
	if (l->opts->batch_us)
		p->at_us += l->opts->batch_us - at_us % l->opts->batch_us;
	if (!l->spared && rand_chance(&l->rand, l->opts->corrupt_ppm)) {
		bit = rand_between(&l->rand, 0, (uint64_t)len * 8 - 1);
		p->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		p->meta.csum_ok = false;
		/* Two bits, in two fragments, may cancel each other out. */
		l->spared = true;
		trace_packet(sim, l->from, "damaged", p->data, len, gso_size);
	}
	link_push(sim, p);
}

static void link_push(struct sim *sim, struct packet *p)
{
	size_t i;

	if (sim->nheap == sim->heap_room) {
		sim->heap_room = sim->heap_room ? 2 * sim->heap_room : 256;
		sim->heap =
			realloc(sim->heap, sim->heap_room * sizeof(*sim->heap));
		ASSERT(sim->heap);
	}
	i = sim->nheap++;
	while (i && link_before(p, sim->heap[(i - 1) / 2])) {
		sim->heap[i] = sim->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	sim->heap[i] = p;
}

/* Does @a arrive before @b? */
static bool link_before(const struct packet *a, const struct packet *b)
{
	if (a->at_us != b->at_us)
		return a->at_us < b->at_us;
	return a->order < b->order;
}
