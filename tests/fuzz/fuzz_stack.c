/*
 * fuzz_stack.c - The whole engine against programs made of fuzzed bytes
 *
 * The input is a small program: a few bytes of configuration, then operations
 * of one byte with their operands. A model peer (stack_peer.c) follows the
 * numbers of up to eight connections, so that a program reaches ESTABLISHED
 * with few bytes and from there does everything a peer, a network, a clock, an
 * operator and an application (stack_apps.c) can do at a bad moment. Every
 * entry point is followed by stack_check(), every packet that comes out is
 * judged, and at the end nothing may be left.
 *
 * Memory is the least the stack takes, or twice as much, and a program can take
 * away most of the pages that are free: pools run out at every place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/tcp_priv.h"
#include "stack_fuzz.h"

#define OPS_MAX	    400	   /* in a program */
#define OPS_ROOM    40	   /* kinds, with those to come */
#define TURN_PKTS   100000 /* more in one turn is a stack that does not stop */
#define DRAIN_TURNS 5000
#define SUPER_TEXT  30000
#define START_US    1000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static void turn(struct fuzz *f, unsigned int budget)
{
	struct stack_pkt out;
	unsigned int n = 0;

	stack_services(f->st, f->now_us);
	stack_check(f->st);
	stack_expire(f->st, f->now_us);
	stack_check(f->st);
	while (n < budget && stack_output(f->st, &out, f->now_us)) {
		packet_output(f, &out);
		n++;
	}
	ASSERT(n < TURN_PKTS);
	stack_check(f->st);
	stack_reap(f->st, f->now_us);
	stack_check(f->st);
	while (stack_event_next(f->st))
		;
}

/* Put a segment in and advance the peer by what it carries. */
static void send(struct fuzz *f, const struct tcp_seg *s)
{
	struct peer *p = &f->peers[f->peer];

	peer_packet(f, s);
	packet_input(f, NULL);
	if (s->seq == p->snd_nxt)
		p->snd_nxt += seg_len(s);
}

/* ---- operations ------------------------------------------------------- */

static void op_peer(struct fuzz *f)
{
	f->peer = feed8(&f->in) % PEERS_MAX;
}

static void op_syn(struct fuzz *f)
{
	static const uint16_t ports[] = {APP_ECHO, APP_DISCARD, APP_SOURCE, 4};
	uint8_t how = feed8(&f->in);
	struct tcp_seg s;

	peer_choose(f, how & 1 && f->conf.net6.len, ports[how >> 1 & 3],
		    (uint8_t)((how & 8 ? OPT_TS : 0) |
			      (how & 16 ? OPT_SACK_OK : 0)));
	s = peer_syn(f);
	if (how & 32)
		s.flags |= TH_ECE | TH_CWR;
	if (how & 64)
		s.len = 100;
	peer_packet(f, &s);
	packet_input(f, NULL);
	f->peers[f->peer].snd_nxt++;
}

static void op_open(struct fuzz *f)
{
	struct tcp_seg s;

	op_syn(f);
	turn(f, TURN_PKTS);
	s = peer_segment(f);
	send(f, &s);
}

static void op_data(struct fuzz *f)
{
	struct tcp_seg s = peer_segment(f);

	s.flags |= TH_PSH;
	s.len = feed16(&f->in) % 1461;
	s.tos = s.len & IP_ECN_MASK;
	send(f, &s);
}

static void op_super(struct fuzz *f)
{
	struct tcp_seg s = peer_segment(f);
	struct stack_rx meta = {.csum_ok = true};

	s.len = feed16(&f->in) % SUPER_TEXT;
	meta.gso_size = feed8(&f->in) & 1 ? 1400 : 536;
	if (s.len <= meta.gso_size)
		meta.gso_size = 0;
	peer_packet(f, &s);
	packet_input(f, &meta);
	f->peers[f->peer].snd_nxt += s.len;
}

static void op_ack(struct fuzz *f)
{
	struct tcp_seg s = peer_segment(f);

	s.wnd = (uint16_t)(feed8(&f->in) * 257);
	send(f, &s);
}

static void op_fin(struct fuzz *f)
{
	struct tcp_seg s = peer_segment(f);

	s.flags |= TH_FIN;
	send(f, &s);
}

static void op_rst(struct fuzz *f)
{
	struct tcp_seg s = peer_segment(f);

	s.flags = TH_RST | (feed8(&f->in) & TH_ACK);
	s.seq = f->peers[f->peer].acked + (uint32_t)(int8_t)feed8(&f->in);
	send(f, &s);
}

/* Small deltas around what is expected, or any of the 2^32. */
static uint32_t delta(struct fuzz *f)
{
	uint8_t how = feed8(&f->in);

	if (how < 128)
		return (uint32_t)((int)how - 64);
	if (how < 192)
		return (uint32_t)(int16_t)feed16(&f->in);
	return (uint32_t)feed16(&f->in) << 16 | feed16(&f->in);
}

static void op_mutated(struct fuzz *f)
{
	struct tcp_seg s = peer_segment(f);

	s.flags = feed8(&f->in);
	s.seq += delta(f);
	s.ack += delta(f);
	s.wnd = feed16(&f->in);
	s.up = s.wnd;
	s.tos = s.wnd & 0xff;
	s.opts = feed8(&f->in) & 0x1f;
	s.mss = s.wnd;
	s.wscale = s.wnd & 0xff;
	s.ts_val += (uint32_t)((int8_t)feed8(&f->in) * 1000);
	s.len = feed16(&f->in) % 2048;
	s.nsack = s.wnd % (SACK_BLOCKS_MAX + 1);
	for (unsigned int i = 0; i < s.nsack; i++) {
		s.sack[i].start = s.ack + delta(f);
		s.sack[i].end = s.sack[i].start + delta(f);
	}
	if (s.opts & OPT_SACK && !s.nsack)
		s.opts &= ~OPT_SACK;
	peer_packet(f, &s);
	packet_input(f, NULL);
}

/* Selective acknowledgments as a receiver with holes sends them. */
static void op_sack(struct fuzz *f)
{
	struct peer *p = &f->peers[f->peer];
	struct tcp_seg s = peer_segment(f);
	uint32_t hole = feed8(&f->in) * 64u;

	s.ack = p->rcv_nxt - feed8(&f->in) * 256u;
	s.opts |= OPT_SACK;
	s.nsack = 1 + feed8(&f->in) % 3;
	for (unsigned int i = 0; i < s.nsack; i++) {
		s.sack[i].start = s.ack + hole + i * 3000;
		s.sack[i].end = s.sack[i].start + 1448;
	}
	send(f, &s);
}

static void op_again(struct fuzz *f)
{
	f->peers[f->peer].snd_nxt = f->peers[f->peer].acked;
}

static void op_gap(struct fuzz *f)
{
	f->peers[f->peer].snd_nxt += feed16(&f->in);
}

static void op_synack(struct fuzz *f)
{
	struct tcp_seg s = peer_syn(f);

	s.flags = TH_SYN | (feed8(&f->in) & TH_ACK);
	send(f, &s);
}

static void op_replay(struct fuzz *f)
{
	packet_input(f, NULL);
}

/* The last packet with some bytes changed, its checksums right or not. */
static void op_flip(struct fuzz *f)
{
	uint8_t n = feed8(&f->in);

	for (unsigned int i = 0; i < (n & 7u) + 1 && f->pkt_len; i++) {
		uint8_t at = feed8(&f->in);

		f->pkt[at % f->pkt_len] ^= feed8(&f->in);
	}
	f->pattern_only = false;
	if (n & 128)
		packet_seal(f->pkt, f->pkt_len);
	packet_input(f, NULL);
}

static void op_cut(struct fuzz *f)
{
	uint16_t len = feed16(&f->in);

	f->pkt_len = f->pkt_len ? len % f->pkt_len : 0;
	packet_input(f, NULL);
}

static void op_raw(struct fuzz *f)
{
	uint8_t n = feed8(&f->in);

	for (f->pkt_len = 0; f->pkt_len < n; f->pkt_len++)
		f->pkt[f->pkt_len] = feed8(&f->in);
	f->pattern_only = false;
	packet_seal(f->pkt, f->pkt_len);
	packet_input(f, NULL);
}

static void op_icmp(struct fuzz *f)
{
	static const uint8_t types[] = {3, 11, 12, 4, 5, 8, 1, 2, 128, 0};
	uint8_t how = feed8(&f->in), code = feed8(&f->in);
	uint16_t mtu = feed16(&f->in);
	struct tcp_seg s = peer_segment(f);

	s.seq = f->peers[f->peer].rcv_nxt + delta(f);
	peer_icmp(f, how & 128 ? &s : NULL, types[how % sizeof(types)],
		  code & 15, mtu, code & 128 ? 28 : 600);
	packet_input(f, NULL);
}

static void op_fragment(struct fuzz *f)
{
	struct tcp_seg s = peer_segment(f);
	uint8_t cut = feed8(&f->in);

	s.len = feed8(&f->in) * 8u;
	peer_packet(f, &s);
	peer_fragment(f, cut & 63, cut & 128);
	f->peers[f->peer].snd_nxt += s.len;
}

static void op_flood(struct fuzz *f)
{
	struct tcp_seg s;
	uint8_t n = feed8(&f->in);
	bool finish = feed8(&f->in) & 1;

	for (unsigned int i = 0; i < n / 4u; i++) {
		peer_choose(f, i & 1 && f->conf.net6.len, APP_ECHO, OPT_TS);
		s = peer_syn(f);
		send(f, &s);
		if (!finish)
			continue;
		turn(f, TURN_PKTS);
		s = peer_segment(f);
		send(f, &s);
	}
}

static void op_turn(struct fuzz *f)
{
	turn(f, TURN_PKTS);
}

/* The device takes only a few packets. */
static void op_stuck(struct fuzz *f)
{
	turn(f, feed8(&f->in) & 3);
}

static void op_time(struct fuzz *f)
{
	static const int64_t steps_us[] = {
		1,	 1000,	   10000,    40000,	200000,	   1000000,
		3000000, 15000000, 60000000, 120000000, 600000000, 7200000000,
	};

	f->now_us += steps_us[feed8(&f->in) % ARRAY_LEN(steps_us)];
	turn(f, TURN_PKTS);
}

static void op_deadline(struct fuzz *f)
{
	int64_t at = stack_deadline(f->st);

	if (at != TIME_NEVER && at > f->now_us)
		f->now_us = at;
	turn(f, TURN_PKTS);
}

static void op_active(struct fuzz *f)
{
	uint8_t how = feed8(&f->in);
	bool v6 = how & 1 && f->conf.net6.len;

	app_open(v6 ? &f->conf.host6 : &f->conf.host4,
		 how & 2 ? f->next_port++ : 80, NULL, 0);
	stack_check(f->st);
	if (how & 4)
		turn(f, TURN_PKTS);
}

/* Many holes in what the stack receives, more than it remembers. */
static void op_holes(struct fuzz *f)
{
	uint8_t n = feed8(&f->in), gap = feed8(&f->in);
	struct tcp_seg s;

	for (unsigned int i = 0; i < (n & 31u); i++) {
		f->peers[f->peer].snd_nxt += 1u + gap * 8u;
		s = peer_segment(f);
		s.len = 1u + (n >> 5) * 100u;
		send(f, &s);
	}
}

/* Any bytes for options, in a SYN or in a segment of the conversation. */
static void op_options(struct fuzz *f)
{
	uint8_t how = feed8(&f->in), opts[TCP_OPTIONS_MAX];
	struct tcp_seg s = how & 1 ? peer_syn(f) : peer_segment(f);
	struct peer *p = &f->peers[f->peer];
	uint8_t n = (how >> 1) % (TCP_OPTIONS_MAX / 4 + 1) * 4;

	s.opts = 0;
	s.len = how & 128 ? 10 : 0;
	for (unsigned int i = 0; i < n; i++)
		opts[i] = feed8(&f->in);
	peer_packet_options(f, &s, opts, n);
	packet_input(f, NULL);
	p->snd_nxt += seg_len(&s);
}

/* The last packet once more, in pieces as the program cuts them. */
static void op_pieces(struct fuzz *f)
{
	peer_pieces(f, feed8(&f->in) & 15);
}

/* Congestion on the way, and urgent data. */
static void op_marked(struct fuzz *f)
{
	uint8_t how = feed8(&f->in);
	struct tcp_seg s = peer_segment(f);

	s.tos = how & 3;
	s.flags |= (uint8_t)((how & 4 ? TH_ECE : 0) | (how & 8 ? TH_CWR : 0) |
			     (how & 16 ? TH_URG : 0) | (how & 32 ? TH_PSH : 0));
	if (s.flags & TH_URG)
		s.up = feed16(&f->in);
	s.len = how & 64 ? feed16(&f->in) % 1461 : 0;
	send(f, &s);
}

/* New ones at the end, and room for them: the stored inputs count on it. */
static void (*const ops[])(struct fuzz *) = {
	op_turn,   op_open,	op_data,     op_ack,	  op_mutated,
	op_fin,	   op_rst,	op_time,     op_deadline, op_peer,
	op_syn,	   op_super,	op_sack,     op_again,	  op_gap,
	op_synack, op_replay,	op_flip,     op_cut,	  op_raw,
	op_icmp,   op_fragment, op_flood,    op_stuck,	  op_app,
	op_poke,   op_active,	op_listener, op_walk,	  op_reconf,
	op_stop,   op_holes,	op_starve,   op_set,	  op_open_from,
	op_listen, op_options,	op_pieces,   op_marked,
};

/* ---- begin and end ---------------------------------------------------- */

/* Return: bytes of memory for the stack */
static size_t configure(struct fuzz *f)
{
	static const uint16_t mtus[] = {576, 1280, 1500, 65520};
	static const struct ip_addr
		own4 = {{[10] = 0xff, 0xff, 198, 18, 66, 2}},
		host4 = {{[10] = 0xff, 0xff, 198, 18, 66, 1}},
		own6 = {{0xfd, 0x74, 0x63, 0x70, [15] = 2}},
		host6 = {{0xfd, 0x74, 0x63, 0x70, [15] = 1}};
	uint8_t a = feed8(&f->in), b = feed8(&f->in), c = feed8(&f->in),
		d = feed8(&f->in);

	f->conf = (struct stack_conf){
		.own4 = own4,
		.own6 = own6,
		.net4 = {own4, 120},
		.host4 = host4,
		.host6 = host6,
		.own_prefix = d & 2,
		.icmp_echo = !(d & 4),
		.ttl = 64,
		.mtu = mtus[a & 3],
		.csum_offload = a & 4,
		.gso_max = (a & 12) == 12 ? 65535 : 0,
		.max_connections = 200,
		.max_half_open = a & 16 ? 4 : 64,
		.max_per_source = a & 32 ? 20 : 0,
		.rcvbuf = a & 64 ? 2048 : 65536,
		.rcvbuf_max = a & 128 ? 1 << 20 : 65536,
		.sndbuf = b & 1 ? 4096 : 65536,
		.rst_rate = b & 2 ? 5 : 1000,
		.challenge_ack_rate = b & 2 ? 5 : 1000,
		.icmp_rate = b & 2 ? 5 : 1000,
		.rto_initial_us = 1000000,
		.rto_min_us = 200000,
		.rto_max_us = 60000000,
		.syn_retries = 2,
		.synack_retries = 2,
		.retries = 5,
		.user_timeout_us = b & 4 ? 30000000 : 0,
		.msl_us = 30000000,
		.fin_wait2_us = 60000000,
		.keepalive_us = b & 8 ? 60000000 : 0,
		.delayed_ack_us = b & 16 ? 40000 : 0,
		.sack = b & 32,
		.timestamps = b & 64,
		.timestamps_strict = c & 1,
		.mtu_probing = d & 2,
		.pacing = d & 4,
		.quick_acks = d & 8 ? 16 : 0,
		.window_scale = c >> 1 & 15,
		.congestion = b & 128 ? CC_CUBIC : CC_NEWRENO,
		.cookies = (c >> 5) % 3,
		.ecn = (b ^ c) % 3,
	};
	if (f->conf.window_scale > 14)
		f->conf.window_scale = 14;
	if (f->conf.mtu >= 1280)
		f->conf.net6 = (struct ip_prefix){own6, 64};
	return d & 1 ? 2 * STACK_MEM_MIN : STACK_MEM_MIN;
}

/* Fresh zeros, costing only what was touched the last time. */
static void *memory(size_t len)
{
	static void *mem;

	if (!mem) {
		mem = mmap(NULL, 2 * STACK_MEM_MIN + STACK_ALIGN,
			   PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
		ASSERT(mem != MAP_FAILED);
		mem = (void *)(((uintptr_t)mem + STACK_ALIGN - 1) &
			       ~(uintptr_t)(STACK_ALIGN - 1));
	}
	ASSERT(madvise(mem, 2 * STACK_MEM_MIN, MADV_DONTNEED) == 0);
	ASSERT(len <= 2 * STACK_MEM_MIN);
	return mem;
}

/* Every record was given back; the pages alone would not tell. */
static void check_pools(const struct stack *st)
{
	ASSERT(st->pool_half.in_use == 0);
	ASSERT(st->pool_conn.in_use == 0);
	ASSERT(st->pool_active.in_use == 0);
	ASSERT(st->pool_timewait.in_use == 0);
	ASSERT(st->pool_tx.in_use == 0);
	ASSERT(st->pool_reply.in_use == 0);
	ASSERT(st->pool_source.in_use == 0);
	ASSERT(st->send_pools.small.in_use == 0);
	ASSERT(st->send_pools.large.in_use == 0);
	ASSERT(st->send_pools.ref.in_use == 0);
	ASSERT(st->recv_pools.blk.in_use == 0);
	ASSERT(st->pool_settings.in_use == 0);
	ASSERT(st->reasm.dgrams.in_use == 0);
	ASSERT(st->reasm.blks.in_use == 0);
}

/* Everybody is reset, time passes, and nothing is left. */
static void end(struct fuzz *f)
{
	struct stack_stats stats;
	unsigned int turns = 0;

	for (unsigned int i = 0; i < CONNS_MAX; i++)
		f->conns[i].closed = true;
	operator_feed(f);
	while (!stack_abort_all(f->st, f->now_us)) {
		ASSERT(turns++ < DRAIN_TURNS);
		turn(f, TURN_PKTS);
	}
	do {
		int64_t at = stack_deadline(f->st);

		ASSERT(turns++ < DRAIN_TURNS);
		if (at != TIME_NEVER && at > f->now_us)
			f->now_us = at;
		turn(f, TURN_PKTS);
		stack_stats(f->st, &stats);
	} while (stats.full || stats.half_open || stats.time_wait ||
		 stack_deadline(f->st) != TIME_NEVER);
	ASSERT(f->nconns == 0);
	check_pools(f->st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = "the same numbers in every run..";
	static struct fuzz f;
	size_t len;

	memset(&f, 0, offsetof(struct fuzz, pkt));
	memset(f.conns, 0, sizeof(f.conns));
	f.pkt_len = f.out_len = 0;
	f.nconns = f.npages = 0;
	f.in = (struct feed){data, size};
	f.now_us = START_US;
	f.pattern_only = true;
	f.next_port = 40000;
	f.appetite = 1 << 20;
	f.quota = 20000;
	f.mischief = 0;
	f.verdict = SYN_ACCEPT;
	len = configure(&f);
	apps_init(&f);
	f.st = stack_init(memory(len), len, &f.conf, seed, f.now_us);
	ASSERT(f.st != NULL);
	stack_event_mask(f.st, size & 1 ? UINT64_MAX : 0);
	operator_listen(&f, "echo", &fuzz_echo, APP_ECHO, false);
	operator_listen(&f, "discard", &fuzz_discard, APP_DISCARD, false);
	operator_listen(&f, "source", &fuzz_source, APP_SOURCE, false);
	for (unsigned int n = 0; f.in.left && n < OPS_MAX; n++) {
		uint8_t op = feed8(&f.in) % OPS_ROOM;

		ops[op < ARRAY_LEN(ops) ? op : 0](&f);
	}
	turn(&f, TURN_PKTS);
	end(&f);
	return 0;
}
