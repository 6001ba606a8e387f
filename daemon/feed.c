/*
 * feed.c - What a shard's thread tells the control thread
 *
 * Whoever remembers, logs, counts or captures lives in the control thread and
 * sees all shards as one. Events and packets come to it through two rings a
 * shard, written at the end of a turn and while it goes on, and read whenever
 * the control thread has been woken. A ring that is full loses what comes, and
 * counts it: observers may be slow, the stack may not. The end of a connection
 * is told through the ring of packets, because it must not overtake them, and
 * some room is kept for such ends: whoever misses one would take the connection
 * for one that lives.
 *
 * Of a packet as many bytes are copied as the most curious observer looks at.
 */
#include "feed.h"

#include <stddef.h>
#include <string.h>

#define EVENTS_RING  (1u << 20)
#define PACKETS_RING (4u << 20)
#define ENDS_SPARE   (PACKETS_RING / 8)

/* In the ring; the bytes of the packet, or a struct conn_end, follow. */
struct record {
	int64_t at_us;
	bool end;
	uint32_t head, rest; /* bytes of the packet's first part, and others */
	struct tcp_key ends;
	struct stack_packet packet; /* but for what it points to */
};

static void tell_packet(void *ctx, const struct stack_packet *p);
static void tell_end(void *ctx, const struct conn_end *end);
static uint32_t copy(uint8_t *to, const struct stack_packet *p,
		     unsigned int from, uint32_t most);

int feed_init(struct feed *f, struct stack *st)
{
	int ret;

	memset(f, 0, sizeof(*f));
	f->st = st;
	ret = spsc_init(&f->events, EVENTS_RING);
	if (ret == 0)
		ret = spsc_init(&f->packets, PACKETS_RING);
	return ret;
}

void feed_free(struct feed *f)
{
	spsc_free(&f->events);
	spsc_free(&f->packets);
}

void feed_events(struct feed *f, int64_t now_us)
{
	const struct event *e;
	struct feed_event *to;

	while ((e = stack_event_next(f->st))) {
		if (e->number > f->core + 1)
			__atomic_fetch_add(&f->gaps, e->number - f->core - 1,
					   __ATOMIC_RELAXED);
		f->core = e->number;
		f->some = true;
		to = spsc_put(&f->events, sizeof(*to), 0);
		if (!to)
			continue;
		to->e = *e;
		to->told_us = now_us;
		spsc_commit(&f->events);
	}
}

struct stack_watcher feed_watcher(struct feed *f)
{
	return (struct stack_watcher){tell_packet, tell_end, f};
}

bool feed_told(struct feed *f)
{
	bool some = f->some;

	f->some = false;
	return some;
}

static void tell_packet(void *ctx, const struct stack_packet *p)
{
	struct feed *f = ctx;
	uint32_t most = p->len < f->snap ? p->len : f->snap;
	struct record *to;

	f->some = true;
	to = spsc_put(&f->packets, sizeof(*to) + most, ENDS_SPARE);
	if (!to)
		return;
	*to = (struct record){
		.at_us = p->at_us, .ends = *p->ends, .packet = *p};
	to->head = (uint32_t)p->iov[0].iov_len;
	if (to->head > most)
		to->head = most;
	memcpy(to + 1, p->iov[0].iov_base, to->head);
	to->rest = copy((uint8_t *)(to + 1) + to->head, p, 1, most - to->head);
	spsc_commit(&f->packets);
}

static void tell_end(void *ctx, const struct conn_end *end)
{
	struct feed *f = ctx;
	struct record *to;

	f->some = true;
	to = spsc_put(&f->packets, sizeof(*to) + sizeof(*end), 0);
	if (!to)
		return;
	*to = (struct record){
		.at_us = stack_now(f->st), .end = true, .ends = *end->ends};
	memcpy(to + 1, end, sizeof(*end));
	spsc_commit(&f->packets);
}

static uint32_t copy(uint8_t *to, const struct stack_packet *p,
		     unsigned int from, uint32_t most)
{
	uint32_t done = 0, n;

	for (unsigned int i = from; i < p->iov_len && done < most; i++) {
		n = most - done;
		if (n > p->iov[i].iov_len)
			n = (uint32_t)p->iov[i].iov_len;
		memcpy(to + done, p->iov[i].iov_base, n);
		done += n;
	}
	return done;
}

const struct feed_event *feed_event(struct feed *f)
{
	size_t len;

	return spsc_peek(&f->events, &len);
}

void feed_next_event(struct feed *f)
{
	spsc_next(&f->events);
}

bool feed_packet(struct feed *f, struct feed_packet *out)
{
	size_t len;
	const struct record *r = spsc_peek(&f->packets, &len);
	/* Observers read only; struct iovec has no const. */
	uint8_t *bytes;

	if (!r)
		return false;
	out->at_us = r->at_us;
	out->ends = r->end;
	if (r->end) {
		memcpy(&out->end, r + 1, sizeof(out->end));
		out->end.ends = &r->ends;
		return true;
	}
	bytes = (uint8_t *)(uintptr_t)(r + 1);
	out->iov[0] = (struct iovec){bytes, r->head};
	out->iov[1] = (struct iovec){bytes + r->head, r->rest};
	out->packet = r->packet;
	out->packet.ends = &r->ends;
	out->packet.iov = out->iov;
	if (out->packet.iov_len > 2)
		out->packet.iov_len = 2;
	return true;
}

void feed_next_packet(struct feed *f)
{
	spsc_next(&f->packets);
}

int64_t feed_packet_at(struct feed *f)
{
	size_t len;
	const struct record *r = spsc_peek(&f->packets, &len);

	return r ? r->at_us : TIME_NEVER;
}

uint64_t feed_lost_events(const struct feed *f)
{
	return spsc_lost(&f->events) +
	       __atomic_load_n(&f->gaps, __ATOMIC_RELAXED);
}
