/*
 * sim_host.c - One stack and its turn
 *
 * Or a simple peer in its place, which knows no turns. The turn is the daemon's (tcphs/stack.h), with stack_check() after every
 * entry point. Now and then it walks the table, as `tcphsctl list` would.
 */
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sim_segment.h"

#define PACKETS_A_TURN_MAX 20000
#define WALK_ONE_TURN_IN   50
#define WALK_BUDGET	   7

/* The table may have grown. */
#define MORE_PAGES_MAX 2
#define PAGE_BYTES     65536u

static uint64_t turned_away(const struct host *h);
static void note_turned_away(struct sim *sim, const struct packet *p);
static void host_walk(struct host *h);

/** host_init() - Make the stack of one side; side 1 listens */
void host_init(struct host *h, struct sim *sim, unsigned int side)
{
	const struct sim_opts *o = sim->opts;
	struct stack_listener l = o->listener;
	struct stack_stats s;
	uint8_t seed[32];
	struct rand r;
	uint64_t v;
	int err;

	memset(h, 0, sizeof(*h));
	h->sim = sim;
	h->side = side;
	if (o->peer[side].on) {
		h->peer = peer_new(sim, side);
		return;
	}
	h->mem_len = o->memory[side];
	rand_init(&r, o->seed, 10 + side);
	for (size_t i = 0; i < sizeof(seed); i += sizeof(v)) {
		v = rand_next(&r);
		memcpy(seed + i, &v, sizeof(v));
	}
	/* More than asked for, to find a place aligned to STACK_ALIGN. */
	h->mem = mmap(NULL, h->mem_len + STACK_ALIGN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	SIM_REQUIRE(h->mem != MAP_FAILED, "no memory for a stack");
	h->st = stack_init((uint8_t *)h->mem + STACK_ALIGN -
				   (uintptr_t)h->mem % STACK_ALIGN,
			   h->mem_len, &o->conf[side], seed, sim->now_us);
	SIM_REQUIRE(h->st, "stack_init() refuses the options of side %u", side);
	stack_event_mask(h->st, o->event_mask[side]);
	if (side == 1) {
		l.service_arg = sim;
		err = stack_listen(h->st, &l);
		SIM_REQUIRE(err >= 0, "stack_listen() says %d", err);
	}
	stack_check(h->st);
	stack_stats(h->st, &s);
	h->mem_base = s.memory_used;
}

void host_free(struct host *h)
{
	if (h->peer) {
		peer_free(h->peer);
		return;
	}
	munmap(h->mem, h->mem_len + STACK_ALIGN);
}

/** host_input() - A packet arrives */
void host_input(struct host *h, const struct packet *p)
{
	uint64_t before;
	uint8_t *copy;

	watch_heard(h->sim, h->side, p);
	if (h->peer) {
		peer_input(h->peer, p->data, p->len);
		return;
	}
	copy = malloc(p->len);

	/* A block of its own and freed at once: the stack keeps what it wants,
	 * and a sanitizer sees when it looks beyond or later. */
	ASSERT(copy);
	memcpy(copy, p->data, p->len);
	before = turned_away(h);
	stack_input(h->st, copy, p->len, &p->meta, h->sim->now_us);
	free(copy);
	if (turned_away(h) > before && !p->forged)
		note_turned_away(h->sim, p);
	stack_check(h->st);
}

/* SYNs, for want of memory; not looked for where there is enough. */
static uint64_t turned_away(const struct host *h)
{
	struct stack_stats s;

	if (h->side == 0 || h->mem_len >= MEMORY_ENOUGH)
		return 0;
	stack_stats(h->st, &s);
	return s.dropped[DROP_SYN_MEMORY];
}

static void note_turned_away(struct sim *sim, const struct packet *p)
{
	struct segment s;

	if (segment_parse(p->data, p->len, &s) && sim->port_conn[s.sport])
		sim->end[sim->port_conn[s.sport] - 1][0].turned_away++;
}

void sim_sent(struct sim *sim, unsigned int from, const uint8_t *pkt,
	      uint32_t len, uint16_t gso_size)
{
	watch_packet(sim, from, pkt, len, gso_size);
	for (uint32_t i = 0; i < len; i++)
		sim->hash = (sim->hash ^ pkt[i]) * 0x100000001b3;
	SIM_REQUIRE(++sim->packets <= sim->opts->limit_packets,
		    "more than %" PRIu64 " packets", sim->opts->limit_packets);
	link_send(&sim->link[from], pkt, len, gso_size);
}

static void host_output(struct host *h)
{
	static uint8_t buf[SIM_PACKET_MAX];
	struct sim *sim = h->sim;
	struct stack_pkt out;
	unsigned int n = 0;

	while (stack_output(h->st, &out, sim->now_us)) {
		packet_take(h, &out, buf);
		stack_check(h->st);
		h->packets_out++;
		SIM_REQUIRE(++n <= PACKETS_A_TURN_MAX,
			    "more than %d packets in one turn",
			    PACKETS_A_TURN_MAX);
		sim_sent(sim, h->side, buf, out.len, out.gso_size);
	}
	stack_check(h->st);
}

/** host_turn() - What follows the input: one turn of the loop */
void host_turn(struct host *h)
{
	struct sim *sim = h->sim;

	if (h->peer) {
		peer_turn(h->peer);
		return;
	}
	stack_services(h->st, sim->now_us);
	stack_check(h->st);
	stack_expire(h->st, sim->now_us);
	stack_check(h->st);
	host_output(h);
	stack_reap(h->st, sim->now_us);
	stack_check(h->st);
	events_drain(h);
	if (rand_one_in(&sim->rand, WALK_ONE_TURN_IN))
		host_walk(h);
}

/** host_deadline() - When it has something to do; TIME_NEVER */
int64_t host_deadline(const struct host *h)
{
	return h->peer ? peer_deadline(h->peer) : stack_deadline(h->st);
}

struct walk {
	uint32_t ids[4 * SIM_CONNS_MAX];
	unsigned int n;
};

static bool walk_see(struct stack *st, struct tcp_conn *c,
		     const struct conn_info *info, void *arg)
{
	struct walk *w = arg;

	(void)st;
	for (unsigned int i = 0; i < w->n; i++)
		SIM_REQUIRE(w->ids[i] != info->id, "c%" PRIu32 " listed twice",
			    info->id);
	if (w->n < ARRAY_LEN(w->ids))
		w->ids[w->n++] = info->id;
	SIM_REQUIRE(!c == (info->half_open || info->state == TCP_TIME_WAIT),
		    "c%" PRIu32 " in %s listed with the wrong record", info->id,
		    tcp_state_name((enum tcp_state)info->state));
	if (c) {
		SIM_REQUIRE(tcp_id(c) == info->id, "two ids");
		SIM_REQUIRE(tcp_conn_state(c) == (enum tcp_state)info->state,
			    "two states");
	}
	return true;
}

/* Nothing happens in between, so the walk must agree with the gauges. */
static void host_walk(struct host *h)
{
	struct stack_stats s;
	struct walk w = {.n = 0};
	uint64_t cursor = 0;

	while (stack_walk(h->st, &cursor, WALK_BUDGET, h->sim->now_us, walk_see,
			  &w))
		;
	stack_check(h->st);
	stack_stats(h->st, &s);
	SIM_REQUIRE(w.n == s.full + s.half_open + s.time_wait,
		    "%u connections listed, %" PRIu32 " + %" PRIu32
		    " + %" PRIu32 " counted",
		    w.n, s.full, s.half_open, s.time_wait);
}

/** host_check_idle() - All is over: nothing may be left */
void host_check_idle(struct host *h)
{
	struct stack_stats s;

	if (h->peer) {
		peer_check_idle(h->peer);
		return;
	}
	stack_stats(h->st, &s);
	SIM_REQUIRE(s.full == 0 && s.half_open == 0 && s.time_wait == 0,
		    "side %u keeps %" PRIu32 " full, %" PRIu32
		    " half-open, %" PRIu32 " TIME-WAIT",
		    h->side, s.full, s.half_open, s.time_wait);
	for (unsigned int i = 0; i < TCP_NSTATES; i++)
		SIM_REQUIRE(s.conns[i] == 0, "side %u counts %" PRIu32 " in %s",
			    h->side, s.conns[i],
			    tcp_state_name((enum tcp_state)i));
	SIM_REQUIRE(stack_deadline(h->st) == TIME_NEVER,
		    "side %u waits for something", h->side);
	SIM_REQUIRE(s.packets_out == h->packets_out,
		    "side %u counts %" PRIu64 " packets, %" PRIu64 " were seen",
		    h->side, s.packets_out, h->packets_out);
	SIM_REQUIRE(s.memory_used <= h->mem_base + MORE_PAGES_MAX * PAGE_BYTES,
		    "side %u keeps %" PRIu64 " bytes, %" PRIu64 " at first",
		    h->side, s.memory_used, h->mem_base);
}
