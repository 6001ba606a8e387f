/*
 * capture.c - Packets as pcapng, for whoever wants them
 *
 * The stack shows each packet once, from inside its turn (on_packet()).
 * Each taker has a filter and a queue: a ring of CAPTURE_QUEUE bytes in which
 * whole blocks lie, so that whoever empties it, in pieces of any size, gets a
 * capture file. A packet that finds no room is lost to this taker, who learns
 * how many from the next that is not, and from the statistics at the end; room
 * for these is kept. So a slow reader costs its queue and no more.
 *
 * Times are read here, when a packet passes, to the nanosecond: those of the
 * stack are of the turn, the same for all packets of a batch. They are the
 * monotonic clock, shown as the wall clock stood when the taker began: a file
 * whose times jump is of no use.
 *
 * A filter sees a packet as its connection at that moment. One about states
 * takes the packets of such a state, and those that lead into it and out of it.
 */
#include "capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tcphs/capture_packet.h>

#include "core/assert.h"
#include "wallclock.h"

static void on_packet(void *sink, const struct stack_packet *p);

void capture_init(struct capture *cap, struct pktbus *bus,
		  const char *interface)
{
	memset(cap, 0, sizeof(*cap));
	cap->sink.packet = on_packet;
	cap->bus = bus;
	cap->interface = interface;
	TAILQ_INIT(&cap->takers);
}

/* ---- heads and tails --------------------------------------------------- */

size_t capture_head(const struct capture_taker *t, const char *words,
		    uint8_t *buf)
{
	const struct pcapng_section section = {
		.os = "Linux",
		.application = "tcphsd " TCPHS_VERSION,
	};
	char comment[PCAPNG_TEXT_MAX];
	const struct pcapng_interface interface = {
		.link = LINK_RAW,
		.name = t->cap->interface,
		.description = "tcphsd: packets as its TCP took and sent them",
		.comment = words ? comment : NULL,
		.snaplen = t->snaplen,
	};
	size_t n = pcapng_section(buf, &section);

	if (words)
		snprintf(comment, sizeof(comment), "filter: %s", words);
	return n + pcapng_interface(buf + n, &interface);
}

size_t capture_tail(const struct capture_taker *t, uint8_t *buf)
{
	const struct pcapng_statistics s = {
		.begin_ns = t->begin_ns,
		.end_ns = t->wall_off_ns + wallclock_read_ns(CLOCK_MONOTONIC),
		.seen = t->seen,
		.matched = t->matched,
		.kept = t->kept,
		.lost = t->lost,
	};

	return pcapng_statistics(buf, &s);
}

/* ---- queues ------------------------------------------------------------ */

static size_t room(const struct capture_taker *t)
{
	return CAPTURE_QUEUE - t->used;
}

static void put(struct capture_taker *t, const uint8_t *data, size_t len)
{
	size_t at = (t->head + t->used) % CAPTURE_QUEUE, n = len;

	ASSERT(len <= room(t));
	if (n > CAPTURE_QUEUE - at)
		n = CAPTURE_QUEUE - at;
	memcpy(t->queue + at, data, n);
	memcpy(t->queue, data + n, len - n);
	t->used += len;
}

size_t capture_take(struct capture_taker *t, uint8_t *buf, size_t len)
{
	size_t n;

	if (len > t->used)
		len = t->used;
	n = len;
	if (n > CAPTURE_QUEUE - t->head)
		n = CAPTURE_QUEUE - t->head;
	memcpy(buf, t->queue + t->head, n);
	memcpy(buf + n, t->queue, len - n);
	t->head = (t->head + len) % CAPTURE_QUEUE;
	t->used -= len;
	return len;
}

/* The length of a block, which lies @at bytes into the queue. */
static size_t block_len(const struct capture_taker *t, size_t at)
{
	size_t len = 0;

	for (size_t i = 0; i < 4; i++)
		len |= (size_t)t->queue[(t->head + at + 4 + i) % CAPTURE_QUEUE]
		       << 8 * i;
	return len;
}

size_t capture_take_blocks(struct capture_taker *t, uint8_t *buf, size_t len)
{
	size_t n = 0, block;

	while (n < t->used) {
		block = block_len(t, n);
		if (n + block > len)
			break;
		n += block;
	}
	return capture_take(t, buf, n);
}

/* ---- takers ------------------------------------------------------------ */

int capture_begin(struct capture *cap, struct capture_taker *t,
		  const char *words)
{
	uint8_t head[CAPTURE_HEAD_MAX];

	if (cap->ntakers == CAPTURE_TAKERS_MAX)
		return -EBUSY;
	t->queue = malloc(CAPTURE_QUEUE); /* touched as it fills */
	if (!t->queue)
		return -ENOMEM;
	t->cap = cap;
	t->wall_off_ns = wallclock_off_ns();
	t->begin_ns = t->wall_off_ns + wallclock_read_ns(CLOCK_MONOTONIC);
	put(t, head, capture_head(t, words, head));
	TAILQ_INSERT_TAIL(&cap->takers, t, link);
	if (!cap->ntakers++)
		pktbus_add(cap->bus, &cap->sink);
	return 0;
}

static void leave(struct capture_taker *t)
{
	TAILQ_REMOVE(&t->cap->takers, t, link);
	if (!--t->cap->ntakers)
		pktbus_remove(t->cap->bus, &t->cap->sink);
}

void capture_finish(struct capture_taker *t)
{
	uint8_t tail[PCAPNG_HEAD_MAX];

	if (t->over)
		return;
	t->over = true;
	put(t, tail, capture_tail(t, tail));
	leave(t);
	t->ready(t);
}

void capture_end(struct capture_taker *t)
{
	if (!t->queue)
		return;
	if (!t->over)
		leave(t);
	free(t->queue);
	t->queue = NULL;
}

/* ---- packets ----------------------------------------------------------- */

/*
 * The name of the listener, for the filter. What is left of a connection in
 * TIME-WAIT does not know through which it came; who owns the port does.
 */
static const char *listener_name(const struct capture *cap,
				 const struct stack_packet *p,
				 struct listener_info *info)
{
	if (p->listener != LISTENER_NONE)
		return stack_listener_info(cap->bus->st, p->listener, info)
			       ? info->conf.name
			       : NULL;
	for (unsigned int i = 0; i < STACK_LISTENERS_MAX; i++) {
		if (p->state_before == TCP_TIME_WAIT &&
		    stack_listener_info(cap->bus->st, i, info) &&
		    info->conf.port == p->ends->local_port &&
		    ip_prefix_has(&info->conf.address, &p->ends->local))
			return info->conf.name;
	}
	return NULL;
}

static bool matches(const struct capture_taker *t, const struct stack_packet *p)
{
	struct conn_info info = {
		.id = p->conn,
		.state = p->state_before,
		.role = p->role,
		.listener = p->listener,
		.local = p->ends->local,
		.peer = p->ends->peer,
		.local_port = p->ends->local_port,
		.peer_port = p->ends->peer_port,
	};
	struct listener_info listener;
	const char *name;

	if (!t->filter)
		return true;
	name = listener_name(t->cap, p, &listener);
	if (filter_match(t->filter, &info, name, 0))
		return true;
	info.state = p->state_after;
	return filter_match(t->filter, &info, name, 0);
}

static void show(struct capture_taker *t, const struct stack_packet *p,
		 int64_t at_ns)
{
	struct capture *cap = t->cap;
	char words[CAPTURE_COMMENT_MAX];
	uint64_t lost = t->lost - t->lost_told;
	struct pcapng_packet packet = {
		.at_ns = t->wall_off_ns + at_ns,
		.data = cap->bytes,
		.len = p->len,
		.direction = p->flags & PACKET_OUT ? PCAPNG_OUT : PCAPNG_IN,
		.super = p->gso_size > 0,
		.lost = lost,
		.comment = capture_comment(p, lost, words),
	};
	size_t n;

	t->matched++;
	packet.kept =
		capture_bytes(p, t->snaplen, cap->bytes, &packet.csum_missing);
	n = pcapng_packet(cap->block, &packet);
	if (n + PCAPNG_HEAD_MAX > room(t)) {
		t->lost++;
		cap->lost++;
		return;
	}
	put(t, cap->block, n);
	t->kept++;
	cap->packets++;
	t->lost_told = t->lost;
	if (t->kept == t->limit)
		capture_finish(t);
	else
		t->ready(t);
}

static void on_packet(void *sink, const struct stack_packet *p)
{
	struct capture *cap = sink;
	int64_t at_ns = wallclock_read_ns(CLOCK_MONOTONIC);
	struct capture_taker *t, *next;

	for (t = TAILQ_FIRST(&cap->takers); t; t = next) {
		next = TAILQ_NEXT(t, link);
		t->seen++;
		if (matches(t, p))
			show(t, p, at_ns);
	}
}
