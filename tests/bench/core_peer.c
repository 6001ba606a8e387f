/*
 * core_peer.c - A stack without a device, and the peers that talk to it
 *
 * Packets of a turn are built before the clock starts and what the stack sends
 * is looked at after it has stopped, so that a turn costs what the stack costs.
 * Like a TUN with offload, the device vouches for checksums and takes
 * super-segments; unlike one, it costs nothing.
 *
 * Time is virtual: TURN_US pass from turn to turn.
 */
#include "core_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MEMORY_MIN  (256ull << 20)
#define MEMORY_EACH 2048ull /* bytes of the arena for each connection */
#define TURN_US	    50
#define PORT	    7777
#define PEER_PORT   1024 /* of the first peer of an address */
#define PEER_PORTS  50000
#define PEER_NET    0x0a010000u /* 10.1.0.0 */
#define OWN	    0x0a000001u
#define PEER_WND    0xffff /* << WSCALE */
#define WSCALE	    7

static const uint8_t answer[CORE_ANSWER];

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

void core_require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_core: %s\n", what);
	exit(1);
}

static struct ip_addr addr4(uint32_t host_order)
{
	const uint8_t b[4] = {
		(uint8_t)(host_order >> 24),
		(uint8_t)(host_order >> 16),
		(uint8_t)(host_order >> 8),
		(uint8_t)host_order,
	};
	struct ip_addr a;

	ip_map4(&a, b);
	return a;
}

/* ---- the service ------------------------------------------------------- */

static void on_open(struct stack *st, struct tcp_conn *conn)
{
	const struct core *c = tcp_service_arg(st, conn);

	if (c->mode == CORE_CLOSE)
		tcp_close(st, conn);
}

static void on_data(struct stack *st, struct tcp_conn *conn)
{
	const struct core *c = tcp_service_arg(st, conn);
	const uint8_t *text;
	size_t n;

	while ((n = tcp_peek(st, conn, &text)) > 0)
		tcp_consume(st, conn, n);
	if (c->mode == CORE_REPLY)
		(void)tcp_send_ref(st, conn, answer, sizeof(answer));
	else if (c->mode == CORE_ALARMS)
		tcp_alarm(st, conn, stack_now(st) + CORE_ALARM);
}

static void on_alarm(struct stack *st, struct tcp_conn *conn)
{
	struct core *c = tcp_service_arg(st, conn);

	c->alarms++;
	if (c->mode == CORE_ALARMS)
		tcp_alarm(st, conn, stack_now(st) + CORE_ALARM);
}

static void on_peer_closed(struct stack *st, struct tcp_conn *conn)
{
	tcp_close(st, conn);
}

static const struct tcp_service service = {
	.name = "bench",
	.on_open = on_open,
	.on_data = on_data,
	.on_alarm = on_alarm,
	.on_peer_closed = on_peer_closed,
};

/* ---- the stack --------------------------------------------------------- */

/* The defaults of conf/tcphsd.conf where they matter, and no limits. */
static struct stack_conf conf_for(uint32_t n)
{
	return (struct stack_conf){
		.own4 = addr4(OWN),
		.net4 = {addr4(OWN), 104},
		.ttl = 64,
		.mtu = 1500,
		.csum_offload = true,
		.gso_max = STACK_SEGMENT_MAX,
		.max_connections = n,
		.max_half_open = n,
		.rcvbuf = 64 << 10,
		.rcvbuf_max = 4 << 20,
		.sndbuf = 4 << 20,
		.rst_rate = 200,
		.challenge_ack_rate = 100,
		.icmp_rate = 50,
		.rto_initial_us = 1000000,
		.rto_min_us = 200000,
		.rto_max_us = 60000000,
		.syn_retries = 6,
		.synack_retries = 5,
		.retries = 15,
		.msl_us = 30000000,
		.fin_wait2_us = 60000000,
		.delayed_ack_us = 40000,
		.sack = true,
		.timestamps = true,
		.pacing = true,
		.mtu_probing = true,
		.quick_acks = 16,
		.window_scale = WSCALE,
		.congestion = CC_NEWRENO,
		.cookies = COOKIES_NEVER,
	};
}

void core_init(struct core *c, uint32_t n)
{
	static const uint8_t seed[32] = {1};
	struct stack_conf conf;
	struct stack_listener l = {
		.name = "bench",
		.service = &service,
		.service_arg = c,
		.port = PORT,
		.enabled = true,
		.nodelay = true,
	};

	memset(c, 0, sizeof(*c));
	c->npeers = n + CORE_TURN;
	c->now_us = 1000000;
	c->len = MEMORY_MIN + MEMORY_EACH * n;
	c->peers = calloc(c->npeers, sizeof(c->peers[0]));
	c->mem = mmap(NULL, c->len + STACK_ALIGN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	core_require(c->peers && c->mem != MAP_FAILED, "no memory");
	(void)madvise(c->mem, c->len + STACK_ALIGN, MADV_HUGEPAGE);
	conf = conf_for(c->npeers);
	c->st = stack_init((uint8_t *)c->mem + STACK_ALIGN -
				   (uintptr_t)c->mem % STACK_ALIGN,
			   c->len, &conf, seed, c->now_us);
	core_require(c->st, "stack_init() refuses");
	l.backlog = c->npeers;
	core_require(stack_listen(c->st, &l) >= 0, "stack_listen() refuses");
	pktbus_init(&c->packets, c->st);
	for (uint32_t i = 0; i < c->npeers; i++)
		c->peers[i].snd_nxt = i * 2654435761u;
}

void core_free(struct core *c)
{
	if (c->kept)
		munmap(c->kept_mem, CORE_KEPT);
	munmap(c->mem, c->len + STACK_ALIGN);
	free(c->peers);
}

void core_keep(struct core *c, bool on)
{
	const struct pktmem_conf conf = {.packets = 32, .snaplen = 262};

	if (on && !c->kept) {
		c->kept_mem =
			mmap(NULL, CORE_KEPT, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		core_require(c->kept_mem != MAP_FAILED, "no memory");
		c->kept = pktmem_init(c->kept_mem, CORE_KEPT, &conf);
	}
	if (on && !c->keeping)
		pktbus_add(&c->packets, pktmem_sink(c->kept));
	else if (!on && c->keeping)
		pktbus_remove(&c->packets, pktmem_sink(c->kept));
	c->keeping = on;
}

void core_tell(struct core *c, bool on, bool read)
{
	/* What log.level = info, log.recent and the alerts want. */
	const uint64_t debug = UINT64_C(1) << EVENT_DATA_RECEIVED |
			       UINT64_C(1) << EVENT_ACK_SENT |
			       UINT64_C(1) << EVENT_STATE;

	stack_event_mask(c->st, on ? ~debug : 0);
	c->reading = read;
}

void core_require_lost(struct core *c)
{
	const uint64_t lost = core_stats(c).events_lost;
	const struct event *e;
	uint64_t left = 0;

	core_require(lost > 0, "nothing was lost");
	while ((e = stack_event_next(c->st)))
		core_require(e->number == lost + ++left,
			     "an event is missing that is not counted");
	core_require(left > 0, "no event is left");
}

void core_put(struct core *c, uint32_t i, uint8_t flags, uint32_t len)
{
	struct core_peer *p = &c->peers[i];
	struct tcp_seg seg = {
		.src = addr4(PEER_NET + i / PEER_PORTS + 1),
		.dst = addr4(OWN),
		.sport = (uint16_t)(PEER_PORT + i % PEER_PORTS),
		.dport = PORT,
		.seq = p->snd_nxt,
		.ack = p->rcv_nxt,
		.wnd = PEER_WND,
		.flags = flags,
		.opts = OPT_TS,
		.ttl = 64,
		.ts_val = (uint32_t)(c->now_us / 1000),
		.ts_ecr = p->ts_recent,
		.len = len,
	};
	uint32_t tcp_off;

	if (flags & TH_SYN) {
		seg.opts |= OPT_MSS | OPT_WSCALE | OPT_SACK_OK;
		seg.mss = 1460;
		seg.wscale = WSCALE;
	}
	c->in[c->nin].len =
		len + wire_tcp_build(c->in[c->nin].bytes, &seg, 0,
				     WIRE_CSUM_PARTIAL, 0, &tcp_off);
	c->turn[c->nin] = (struct stack_in){
		c->in[c->nin].bytes, c->in[c->nin].len, {.csum_ok = true}};
	c->nin++;
	p->snd_nxt += seg_len(&seg);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

void core_run(struct core *c)
{
	struct stack_in *in = c->turn;
	struct stack_pkt pkt;

	c->nout = 0;
	for (unsigned int i = 0; i < c->nin; i++) {
		if (i % STACK_AHEAD == 0)
			stack_ahead(c->st, in + i,
				    c->nin - i < STACK_AHEAD ? c->nin - i
							     : STACK_AHEAD);
		stack_input(c->st, in[i].pkt, in[i].len, &in[i].meta,
			    c->now_us);
	}
	stack_services(c->st, c->now_us);
	stack_expire(c->st, c->now_us);
	while (stack_output(c->st, &pkt, c->now_us)) {
		core_require(c->nout < CORE_SENT_MAX, "a flood of packets");
		memcpy(c->out[c->nout++], pkt.iov[0].iov_base,
		       pkt.iov[0].iov_len);
	}
	stack_reap(c->st, c->now_us);
	while (c->reading && stack_event_next(c->st))
		;
	c->nin = 0;
	c->now_us += TURN_US;
}

uint64_t core_turn(struct core *c)
{
	uint64_t began = now_ns();

	core_run(c);
	return now_ns() - began;
}

void core_learn(struct core *c)
{
	struct tcp_seg seg;
	struct ip_pkt ip;

	for (unsigned int i = 0; i < c->nout; i++) {
		const uint8_t *b = c->out[i];
		uint32_t len = (uint32_t)b[2] << 8 | b[3], host, peer;

		core_require(wire_ip_parse(b, len, &ip) == DROP_NONE &&
				     wire_tcp_parse(&ip, true, &seg) ==
					     DROP_NONE,
			     "the stack sent what it would not take");
		host = (uint32_t)seg.dst.b[14] << 8 | seg.dst.b[15];
		peer = (host - 1) * PEER_PORTS + seg.dport - PEER_PORT;
		core_require(peer < c->npeers, "a packet for nobody");
		core_require(!(seg.flags & TH_RST), "a reset");
		c->peers[peer].rcv_nxt = seg.seq + seg_len(&seg);
		if (seg.opts & OPT_TS)
			c->peers[peer].ts_recent = seg.ts_val;
	}
}

void core_wait(struct core *c, int64_t at_us)
{
	int64_t next;

	while ((next = stack_deadline(c->st)) <= at_us) {
		if (next > c->now_us)
			c->now_us = next;
		core_run(c);
		core_learn(c);
	}
	c->now_us = at_us;
}

struct stack_stats core_stats(const struct core *c)
{
	struct stack_stats s;

	stack_stats(c->st, &s);
	return s;
}
