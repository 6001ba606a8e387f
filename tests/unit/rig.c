/*
 * rig.c - One stack on a virtual clock: its turns, and its packets in and out
 *
 * What the script says of packets is judged in rig_judge.c, what it does as the
 * application is done in rig_service.c.
 */
#include "rig_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SENT_MAX	1024 /* packets not looked at yet */
#define TURNS_MAX	1000 /* without the clock moving */
#define CONNS		32768
#define SPARE_PAGES_MAX 20 /* what pools and the table may keep */

struct rig rig;

/* A packet the stack sent. */
struct sent {
	size_t len;
	uint8_t *pkt;
	uint16_t gso_size;
	bool csum_partial;
};

static struct sent sent[SENT_MAX];
static unsigned int sent_head, sent_n;
static struct rig_conn conns[CONNS];
static void *mem;
static uint64_t mem_base;
static bool holding;
static uint8_t *taken; /* by rig_take*(), until the next one */

static void rig_input(const uint8_t *pkt, size_t len,
		      const struct stack_rx *meta);

uint8_t rig_pattern_at(tcp_seq seq)
{
	return (uint8_t)(seq * 7 + (seq >> 8) * 13);
}

void rig_pattern_fill(uint8_t *buf, size_t len, tcp_seq seq)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = rig_pattern_at(seq + (tcp_seq)i);
}

/* ---- life ---- */

static struct ip_addr addr4(uint8_t last)
{
	return (struct ip_addr){{[10] = 0xff, 0xff, 198, 18, 66, last}};
}

static struct ip_addr addr6(uint8_t last)
{
	return (struct ip_addr){
		{0xfd, 0x74, 0x63, 0x70, 0x68, 0x73, [15] = last}};
}

static void rig_defaults(bool v6)
{
	memset(&rig, 0, sizeof(rig));
	rig.v6 = v6;
	rig.own = v6 ? addr6(2) : addr4(2);
	rig.peer = v6 ? addr6(1) : addr4(1);
	rig.memory = 16u << 20;
	rig.now_us = S(100);
	rig.event_mask = UINT64_MAX;
	rig.conf = (struct stack_conf){
		.own4 = addr4(2),
		.own6 = addr6(2),
		.net4 = {addr4(0), 96 + 24},
		.net6 = {addr6(0), 64},
		.host4 = addr4(1),
		.host6 = addr6(1),
		.icmp_echo = true,
		.ttl = 64,
		.mtu = 1500,
		.max_connections = 10000,
		.max_half_open = 1000,
		.rcvbuf = 65535,
		.rcvbuf_max = 65535,
		.sndbuf = 1 << 20,
		.rst_rate = 1000,
		.challenge_ack_rate = 1000,
		.icmp_rate = 1000,
		.rto_initial_us = S(1),
		.rto_min_us = S(1),
		.rto_max_us = S(60),
		.syn_retries = 6,
		.synack_retries = 5,
		.retries = 15,
		.msl_us = S(30),
		.fin_wait2_us = S(60),
		.delayed_ack_us = MS(40),
		.sack = true,
		.timestamps = true,
		.window_scale = 7,
		.congestion = CC_NEWRENO,
		.cookies = COOKIES_PRESSURE,
	};
	rig.listener = (struct stack_listener){
		.name = "rig",
		.service = &rig_service,
		.port = RIG_PORT,
		.enabled = true,
		.backlog = 1000,
	};
}

int rig_main(const char *suite, const struct unit_test *tests, size_t n,
	     int argc, char **argv)
{
	static const char *const family[] = {"ipv4", "ipv6"};
	char name[64];
	int failed = 0;

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		rig_defaults(v6);
		snprintf(name, sizeof(name), "%s/%s", suite, family[v6]);
		failed |= unit_run(name, tests, n, argc, argv);
	}
	return failed;
}

void rig_start(void)
{
	uint8_t seed[32];
	uintptr_t at;
	int index;

	if (rig.st)
		return;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(i * 37 + 11);
	memset(conns, 0, sizeof(conns));
	for (size_t i = 0; i < CONNS; i++)
		conns[i].reading = true;
	mem = mmap(NULL, rig.memory + STACK_ALIGN, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(mem != MAP_FAILED);
	at = (uintptr_t)mem + STACK_ALIGN - (uintptr_t)mem % STACK_ALIGN;
	rig.st = stack_init((uint8_t *)mem + (at - (uintptr_t)mem), rig.memory,
			    &rig.conf, seed, rig.now_us);
	ASSERT(rig.st);
	stack_event_mask(rig.st, rig.event_mask);
	index = stack_listen(rig.st, &rig.listener);
	ASSERT(index >= 0);
	stack_check(rig.st);
	mem_base = rig_stats().memory_used;
}

static void expect_empty(void)
{
	struct stack_stats s = rig_stats();

	CU_ASSERT_EQUAL(s.full, 0);
	CU_ASSERT_EQUAL(s.half_open, 0);
	CU_ASSERT_EQUAL(s.time_wait, 0);
	for (unsigned int i = 0; i < TCP_NSTATES; i++)
		CU_ASSERT_EQUAL(s.conns[i], 0);
	CU_ASSERT(s.memory_used <= mem_base + SPARE_PAGES_MAX * STACK_ALIGN);
	CU_ASSERT_EQUAL(stack_deadline(rig.st), TIME_NEVER);
}

void rig_end(void)
{
	bool v6 = rig.v6;

	rig_start();
	if (!rig.failed) {
		rig_expect_nothing(0, __FILE__, __LINE__);
		while (!stack_abort_all(rig.st, rig.now_us))
			rig_turn();
		rig_turn();
		/* TIME-WAIT, and half-open records that keep trying. */
		for (unsigned int i = 0; i < 100 && !rig.failed; i++) {
			rig_wait(S(10));
			rig_forget();
		}
		if (!rig.failed)
			expect_empty();
	}
	rig_forget();
	munmap(mem, rig.memory + STACK_ALIGN);
	rig_defaults(v6);
}

/* ---- segments in ---- */

static uint32_t build(uint8_t *pkt, const struct rig_seg *s,
		      const struct ip_addr *src, const struct ip_addr *dst)
{
	static uint8_t text[SENT_MAX * 64];
	uint16_t port = s->peer_port ? s->peer_port : RIG_PEER_PORT;
	struct rig_conn *rc = rig_conn(port);
	struct tcp_seg t = {
		.src = *src,
		.dst = *dst,
		.sport = port,
		.dport = s->port    ? s->port
			 : rc->port ? rc->port
				    : RIG_PORT,
		.seq = s->seq,
		.ack = s->flags & TH_ACK ? s->ack + rc->iss_off : s->ack,
		.wnd = s->has_wnd ? s->wnd : RIG_WND,
		.up = s->up,
		.tos = s->ecn,
		.flags = s->flags,
		.ttl = s->ttl ? s->ttl : 64,
		.mss = s->mss,
		.wscale = s->wscale,
		.nsack = s->nsack,
		.ts_val = s->has_ts ? s->ts : (uint32_t)(rig.now_us / 1000),
		.ts_ecr = s->flags & TH_ACK ? rc->ts_val - s->echo_ago_ms : 0,
		.len = s->text ? (uint32_t)strlen(s->text) : s->len,
	};
	uint32_t off, head;

	if (s->has_mss)
		t.opts |= OPT_MSS;
	if (s->has_wscale)
		t.opts |= OPT_WSCALE;
	if (s->sack_ok)
		t.opts |= OPT_SACK_OK;
	if (s->has_ts || (rc->ts && !s->no_ts && !(s->flags & TH_RST)))
		t.opts |= OPT_TS;
	if (s->nsack)
		t.opts |= OPT_SACK;
	for (unsigned int i = 0; i < s->nsack; i++) {
		t.sack[i].start = s->sack[i].start + rc->iss_off;
		t.sack[i].end = s->sack[i].end + rc->iss_off;
	}
	ASSERT(t.len <= sizeof(text));
	if (s->text)
		memcpy(text, s->text, t.len);
	else
		rig_pattern_fill(text, t.len, s->seq + !!(s->flags & TH_SYN));
	head = wire_tcp_build(pkt, &t, 0, WIRE_CSUM_FULL,
			      csum_partial(text, t.len, 0), &off);
	memcpy(pkt + head, text, t.len);
	if (s->bad_csum)
		pkt[off + 16] ^= 0x10;
	return head + t.len;
}

static void note_rx(const struct rig_seg *s)
{
	struct rig_conn *rc =
		rig_conn(s->peer_port ? s->peer_port : RIG_PEER_PORT);

	if (!(s->flags & TH_SYN))
		return;
	if (s->seq != rc->irs && !rc->port)
		rc->iss_known = false;
	if (rc->port) /* the answer to our own SYN decides */
		rc->ts = s->has_ts;
	rc->irs = s->seq;
}

void rig_rx_to(const struct rig_seg *s, const struct ip_addr *src,
	       const struct ip_addr *dst)
{
	static uint8_t pkt[RIG_PACKET_MAX];

	rig_start();
	note_rx(s);
	rig_input(pkt, build(pkt, s, src, dst), NULL);
}

void rig_rx(const struct rig_seg *s)
{
	rig_rx_to(s, &rig.peer, &rig.own);
}

void rig_rx_super(const struct rig_seg *s, uint16_t gso_size)
{
	static uint8_t pkt[RIG_PACKET_MAX];
	struct stack_rx meta = {.csum_ok = true, .gso_size = gso_size};

	rig_input(pkt, build(pkt, s, &rig.peer, &rig.own), &meta);
}

uint32_t rig_packet(uint8_t *pkt, const struct rig_seg *s)
{
	rig_start();
	note_rx(s);
	return build(pkt, s, &rig.peer, &rig.own);
}

void rig_rx_packet(const void *pkt, size_t len)
{
	rig_start();
	rig_input(pkt, len, NULL);
}

/* All invariants after each call; but that takes every connection, and among
 * hundreds one look in sixteen calls finds the same. */
static void look(void)
{
	static unsigned int calls;

	if (rig_stats().full < 256 || ++calls % 16 == 0)
		stack_check(rig.st);
}

static void rig_input(const uint8_t *pkt, size_t len,
		      const struct stack_rx *meta)
{
	uint8_t *copy = malloc(len ? len : 1);

	ASSERT(copy);
	memcpy(copy, pkt, len);
	stack_input(rig.st, copy, len, meta, rig.now_us);
	free(copy);
	look();
	if (!holding)
		rig_turn();
}

void rig_hold(void)
{
	holding = true;
}

void rig_release(void)
{
	holding = false;
	rig_turn();
}

struct rig_conn *rig_conn(uint16_t peer_port)
{
	return &conns[(uint16_t)(peer_port - RIG_PEER_PORT) % CONNS];
}

struct rig_conn *rig_only(void)
{
	return rig_conn(RIG_PEER_PORT);
}

/* ---- segments out ---- */

static void rig_collect(const struct stack_pkt *out)
{
	struct sent *s = &sent[(sent_head + sent_n) % SENT_MAX];
	size_t len = 0;

	if (sent_n == SENT_MAX) {
		rig_check(!"a bounded number of packets");
		return;
	}
	s->pkt = malloc(out->len);
	ASSERT(s->pkt);
	for (unsigned int i = 0; i < out->iov_len; i++) {
		ASSERT(len + out->iov[i].iov_len <= out->len);
		memcpy(s->pkt + len, out->iov[i].iov_base, out->iov[i].iov_len);
		len += out->iov[i].iov_len;
	}
	ASSERT(len == out->len);
	s->len = len;
	s->gso_size = out->gso_size;
	s->csum_partial = out->csum_partial;
	sent_n++;
}

void rig_turn(void)
{
	struct stack_pkt out;

	stack_services(rig.st, rig.now_us);
	look();
	stack_expire(rig.st, rig.now_us);
	look();
	while (!rig.failed && stack_output(rig.st, &out, rig.now_us)) {
		rig_collect(&out);
		look();
	}
	stack_reap(rig.st, rig.now_us);
	look();
}

void rig_run(int64_t until_us, bool to_first)
{
	unsigned int turns = 0;
	int64_t next_us;

	while (!rig.failed && !(to_first && sent_n)) {
		next_us = stack_deadline(rig.st);
		if (next_us > until_us)
			next_us = until_us;
		if (next_us > rig.now_us) {
			rig.now_us = next_us;
			turns = 0;
		}
		if (++turns > TURNS_MAX) {
			rig_check(!"the clock moves");
			return;
		}
		rig_turn();
		if (rig.now_us == until_us && stack_deadline(rig.st) > until_us)
			return;
	}
}

void rig_wait(int64_t us)
{
	rig_start();
	rig_run(rig.now_us + us, false);
}

const uint8_t *rig_take_packet(size_t *len)
{
	free(taken);
	taken = NULL;
	*len = 0;
	if (!sent_n)
		return NULL;
	taken = sent[sent_head].pkt;
	*len = sent[sent_head].len;
	sent_head = (sent_head + 1) % SENT_MAX;
	sent_n--;
	return taken;
}

static void note_tx(struct rig_conn *rc, const struct tcp_seg *s)
{
	if (s->flags & TH_SYN && !rc->iss_known) {
		rc->iss_off = s->seq - RIG_ISS;
		rc->iss_known = true;
		rc->port = s->flags & TH_ACK ? 0 : s->sport;
		if (s->flags & TH_ACK)
			rc->ts = s->opts & OPT_TS;
	}
	if (s->opts & OPT_TS)
		rc->ts_val = s->ts_val;
}

bool rig_take(struct tcp_seg *s)
{
	struct sent front = sent[sent_head];
	struct ip_pkt ip;
	struct rig_conn *rc;
	const uint8_t *pkt;
	size_t len;

	pkt = rig_take_packet(&len);
	if (!pkt)
		return false;
	if (wire_ip_parse(pkt, len, &ip) != DROP_NONE ||
	    ip.proto != IP_PROTO_TCP ||
	    wire_tcp_parse(&ip, front.csum_partial, s) != DROP_NONE) {
		rig_check(!"a TCP segment with right checksums");
		return false;
	}
	rig_check(ip.ttl == rig.conf.ttl);
	rc = rig_conn(s->dport);
	note_tx(rc, s);
	s->gso_size = front.gso_size;
	s->seq -= rc->iss_off;
	return true;
}

void rig_forget(void)
{
	size_t len;

	while (rig_take_packet(&len))
		;
	free(taken);
	taken = NULL;
}

unsigned int rig_unseen(void)
{
	return sent_n;
}
