/*
 * rig.c - One stack on a virtual clock, played against by a script
 */
#include "rig.h"

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

static void rig_turn(void);
static void rig_input(const uint8_t *pkt, size_t len,
		      const struct stack_rx *meta);

static uint8_t pattern_at(tcp_seq seq)
{
	return (uint8_t)(seq * 7 + (seq >> 8) * 13);
}

static void pattern_fill(uint8_t *buf, size_t len, tcp_seq seq)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = pattern_at(seq + (tcp_seq)i);
}

/* ---- the service ---- */

static struct rig_conn *service_conn(struct stack *st, struct tcp_conn *c)
{
	struct conn_info info;

	tcp_info(st, c, &info, rig.now_us);
	return rig_conn(info.peer_port);
}

static enum syn_verdict on_syn(struct stack *st, const struct stack_listener *l,
			       const struct ip_addr *peer, uint16_t port)
{
	(void)st;
	(void)l;
	(void)peer;
	(void)port;
	rig.syns++;
	return rig.on_syn;
}

static void on_open(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = service_conn(st, c);

	rc->c = c;
	rc->opened++;
	rc->rx_base = rc->irs + 1;
	tcp_set_user(c, rc);
}

static void consume(struct rig_conn *rc, uint32_t max)
{
	const uint8_t *data;
	size_t n;

	while (max && (n = tcp_peek(rig.st, rc->c, &data)) > 0) {
		if (n > max)
			n = max;
		for (size_t i = 0; i < n; i++) {
			if (data[i] ==
			    pattern_at(rc->rx_base + rc->received + (tcp_seq)i))
				continue;
			rig_check(!"the text received is what was sent");
			break;
		}
		tcp_consume(rig.st, rc->c, n);
		rc->received += (uint32_t)n;
		max -= (uint32_t)n;
	}
}

static void on_data(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	if (rc->reading)
		consume(rc, UINT32_MAX);
}

static void on_urgent(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	rc->urgents++;
	rc->urgent_left = tcp_urgent_left(st, c);
}

static void on_writable(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	rc->writable++;
}

static void on_peer_closed(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	rc->peer_closed++;
	if (rig.close_with_peer)
		tcp_close(st, c);
}

static void on_alarm(struct stack *st, struct tcp_conn *c)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	rc->alarms++;
}

static void on_trouble(struct stack *st, struct tcp_conn *c,
		       const struct tcp_trouble *t)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	rc->troubles++;
	rc->trouble = *t;
}

static void on_closed(struct stack *st, struct tcp_conn *c,
		      enum close_reason why)
{
	struct rig_conn *rc = tcp_user(c);

	(void)st;
	rc->closed++;
	rc->reason = why;
	rc->c = NULL;
}

static const struct tcp_service service = {
	.name = "rig",
	.on_syn = on_syn,
	.on_open = on_open,
	.on_data = on_data,
	.on_urgent = on_urgent,
	.on_writable = on_writable,
	.on_peer_closed = on_peer_closed,
	.on_alarm = on_alarm,
	.on_trouble = on_trouble,
	.on_closed = on_closed,
};

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
		.service = &service,
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
		.ttl = 64,
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
		pattern_fill(text, t.len, s->seq + !!(s->flags & TH_SYN));
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

static void rig_input(const uint8_t *pkt, size_t len,
		      const struct stack_rx *meta)
{
	uint8_t *copy = malloc(len ? len : 1);

	ASSERT(copy);
	memcpy(copy, pkt, len);
	stack_input(rig.st, copy, len, meta, rig.now_us);
	free(copy);
	stack_check(rig.st);
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

static void rig_turn(void)
{
	struct stack_pkt out;

	stack_services(rig.st, rig.now_us);
	stack_check(rig.st);
	stack_expire(rig.st, rig.now_us);
	stack_check(rig.st);
	while (!rig.failed && stack_output(rig.st, &out, rig.now_us)) {
		rig_collect(&out);
		stack_check(rig.st);
	}
	stack_reap(rig.st, rig.now_us);
	stack_check(rig.st);
}

/* Turns until @until_us, or until something is sent if @to_first. */
static void rig_run(int64_t until_us, bool to_first)
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

/* ---- judging ---- */

static const char *describe(char *buf, size_t len, uint8_t flags, tcp_seq seq,
			    tcp_seq ack, uint32_t text, uint16_t port)
{
	static const char letters[] = "FSRPAUEC";
	char f[9], *p = f;

	for (unsigned int i = 0; i < 8; i++)
		if (flags & 1u << i)
			*p++ = letters[i];
	*p = '\0';
	snprintf(buf, len, "%s seq %u+%u ack %u to %u", f, seq, text,
		 flags & TH_ACK ? ack : 0, port);
	return buf;
}

void rig_check_that(bool ok, const char *what, const char *file, int line)
{
	if (rig.failed)
		return;
	rig.failed = !ok;
	CU_assertImplementation(ok, (unsigned int)line, what, file, "",
				CU_FALSE);
}

/* What of a segment is not as expected; NULL if all is. */
static const char *difference(const struct rig_seg *e, const struct tcp_seg *s)
{
	uint8_t opts = 0, flags = s->flags;
	const struct rig_conn *rc = rig_conn(s->dport);
	uint32_t len = e->text ? (uint32_t)strlen(e->text) : e->len;

	if (!(e->flags & TH_PSH))
		flags &= (uint8_t)~TH_PSH;
	if (flags != e->flags)
		return "flags";
	if (s->seq != e->seq)
		return "seq";
	if (flags & TH_ACK ? s->ack != e->ack : s->ack != 0)
		return "ack";
	if ((s->tos & IP_ECN_MASK) != e->ecn)
		return "ECN field";
	if (flags & TH_URG && s->up != e->up)
		return "urgent pointer";
	if (s->len != len)
		return "length";
	if (s->dport != (e->peer_port ? e->peer_port : RIG_PEER_PORT))
		return "port";
	if (e->has_wnd && s->wnd != e->wnd)
		return "window";
	for (uint32_t i = 0; i < len; i++)
		if (s->text[i] != pattern_at(s->seq + i))
			return "text";
	opts |= e->has_mss ? OPT_MSS : 0;
	opts |= e->has_wscale ? OPT_WSCALE : 0;
	opts |= e->sack_ok ? OPT_SACK_OK : 0;
	opts |= e->nsack ? OPT_SACK : 0;
	opts |= e->has_ts || (rc->ts && !(flags & (TH_SYN | TH_RST))) ? OPT_TS
								      : 0;
	if (flags & TH_RST) /* RFC 7323, 3.2 allows it there */
		opts |= s->opts & OPT_TS;
	if (s->opts != opts)
		return "options";
	if (e->has_mss && s->mss != e->mss)
		return "MSS";
	if (e->has_wscale && s->wscale != e->wscale)
		return "window scale";
	if (e->has_ts && s->ts_ecr != e->ts)
		return "timestamp echoed";
	if (e->nsack &&
	    (s->nsack != e->nsack ||
	     memcmp(s->sack, e->sack, e->nsack * sizeof(e->sack[0])) != 0))
		return "SACK blocks";
	return NULL;
}

void rig_expect_seg(const struct rig_seg *e, const char *file, int line)
{
	char want[96], got[96], msg[320];
	const char *diff;
	struct tcp_seg s;

	if (rig.failed)
		return;
	rig_start();
	describe(want, sizeof(want), e->flags, e->seq, e->ack,
		 e->text ? (uint32_t)strlen(e->text) : e->len,
		 e->peer_port ? e->peer_port : RIG_PEER_PORT);
	if (!rig_take(&s)) {
		snprintf(msg, sizeof(msg), "expected [%s], got nothing", want);
		rig_check_that(false, msg, file, line);
		return;
	}
	diff = difference(e, &s);
	if (!diff) {
		rig_check_that(true, "", file, line);
		return;
	}
	snprintf(msg, sizeof(msg),
		 "%s differs: expected [%s], got [%s "
		 "wnd %u opts %02x mss %u scale %u ecr %u "
		 "sack %u ecn %u]",
		 diff, want,
		 describe(got, sizeof(got), s.flags, s.seq, s.ack, s.len,
			  s.dport),
		 s.wnd, s.opts, s.mss, s.wscale, s.ts_ecr,
		 s.opts & OPT_SACK ? s.nsack : 0, s.tos & IP_ECN_MASK);
	rig_check_that(false, msg, file, line);
}

void rig_expect_timed(int64_t us, const struct rig_seg *s, const char *file,
		      int line)
{
	int64_t from_us = rig.now_us, after_us;
	char msg[128];

	rig_expect_nothing(0, file, line);
	if (rig.failed)
		return;
	rig_run(rig.now_us + us + RIG_LATE_US, true);
	after_us = rig.now_us - from_us;
	if (sent_n && after_us < us) {
		snprintf(msg, sizeof(msg), "sent after %.3f ms, not %.3f",
			 (double)after_us / 1000, (double)us / 1000);
		rig_check_that(false, msg, file, line);
	}
	rig_expect_seg(s, file, line);
}

void rig_expect_nothing(int64_t us, const char *file, int line)
{
	char got[96], msg[192];
	struct tcp_seg s;
	int64_t from_us = rig.now_us;

	if (rig.failed)
		return;
	rig_start();
	if (us)
		rig_run(rig.now_us + us, true);
	if (!sent_n) {
		rig_check_that(true, "", file, line);
		return;
	}
	if (!rig_take(&s))
		return;
	snprintf(msg, sizeof(msg), "expected silence, got [%s] after %.3f ms",
		 describe(got, sizeof(got), s.flags, s.seq, s.ack, s.len,
			  s.dport),
		 (double)(rig.now_us - from_us) / 1000);
	rig_check_that(false, msg, file, line);
}

/* ---- connections ---- */

struct rig_conn *rig_conn(uint16_t peer_port)
{
	return &conns[(uint16_t)(peer_port - RIG_PEER_PORT) % CONNS];
}

struct rig_conn *rig_only(void)
{
	return rig_conn(RIG_PEER_PORT);
}

void rig_handshake(const struct rig_seg *syn)
{
	uint16_t port = syn->peer_port ? syn->peer_port : RIG_PEER_PORT;
	struct tcp_seg s;

	rig_rx(syn);
	if (rig.failed)
		return;
	rig_check(rig_take(&s));
	rig_check(s.flags == (TH_SYN | TH_ACK) && s.dport == port);
	rig_check(s.ack == syn->seq + 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = syn->seq + 1, .ack = RIG_ISS + 1,
		   .peer_port = port, .has_wnd = syn->has_wnd,
		   .wnd = syn->wnd));
	rig_check(rig_conn(port)->opened == 1);
	rig_expect_silence();
}

void rig_established(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = RIG_IRS, MSS(RIG_PEER_MSS)));
}

void rig_established_all(void)
{
	rig_handshake(SEG(.flags = TH_SYN, .seq = RIG_IRS, MSS(RIG_PEER_MSS),
			  SACK_OK, TS(1), SCALE(7)));
}

void rig_open(void)
{
	struct tcp_conn *c;
	int err;

	rig_start();
	rig_only()->irs = RIG_IRS;
	err = stack_open(rig.st, &service, rig_only(), &rig.peer, RIG_PEER_PORT,
			 NULL, 0, rig.now_us, &c);
	rig_check(err == 0);
	if (err)
		return;
	stack_check(rig.st);
	rig_only()->c = c;
	rig_turn();
}

static ssize_t send_with(ssize_t (*send)(struct stack *, struct tcp_conn *,
					 const void *, size_t),
			 uint32_t len)
{
	struct rig_conn *rc = rig_only();
	uint8_t *text = malloc(len ? len : 1);
	ssize_t took;

	ASSERT(text);
	if (!rc->c) {
		rig_check(!"a connection to send on");
		free(text);
		return -1;
	}
	pattern_fill(text, len, RIG_ISS + 1 + rc->sent);
	took = send(rig.st, rc->c, text, len);
	free(text);
	if (took > 0)
		rc->sent += (uint32_t)took;
	stack_check(rig.st);
	rig_turn();
	return took;
}

ssize_t rig_send(uint32_t len)
{
	return send_with(tcp_send, len);
}

ssize_t rig_send_urgent(uint32_t len)
{
	return send_with(tcp_send_urgent, len);
}

void rig_close(void)
{
	if (!rig_only()->c) {
		rig_check(!"a connection to close");
		return;
	}
	tcp_close(rig.st, rig_only()->c);
	stack_check(rig.st);
	rig_turn();
}

void rig_abort(void)
{
	if (!rig_only()->c) {
		rig_check(!"a connection to abort");
		return;
	}
	tcp_abort(rig.st, rig_only()->c, CLOSE_RESET_BY_US);
	rig_turn();
}

void rig_read_stop(void)
{
	rig_only()->reading = false;
}

void rig_read(uint32_t len)
{
	if (!rig_only()->c) {
		rig_check(!"a connection to read from");
		return;
	}
	consume(rig_only(), len);
	stack_check(rig.st);
	rig_turn();
}

void rig_read_on(void)
{
	if (!rig_only()->c) {
		rig_check(!"a connection to read from");
		return;
	}
	rig_only()->reading = true;
	tcp_resume(rig.st, rig_only()->c);
	rig_turn();
}

struct search {
	uint16_t port;
	bool found;
	struct conn_info *info;
};

static bool search_see(struct stack *st, struct tcp_conn *c,
		       const struct conn_info *info, void *arg)
{
	struct search *s = arg;

	(void)st;
	(void)c;
	if (info->peer_port != s->port)
		return true;
	*s->info = *info;
	s->found = true;
	return false;
}

bool rig_info(uint16_t peer_port, struct conn_info *info)
{
	struct search s = {.port = peer_port, .info = info};
	uint64_t cursor = 0;

	rig_start();
	while (!s.found &&
	       stack_walk(rig.st, &cursor, 100, rig.now_us, search_see, &s))
		;
	return s.found;
}

enum tcp_state rig_state_of(uint16_t peer_port)
{
	struct conn_info info;

	return rig_info(peer_port, &info) ? (enum tcp_state)info.state
					  : TCP_CLOSED;
}

enum tcp_state rig_state(void)
{
	return rig_state_of(RIG_PEER_PORT);
}

struct stack_stats rig_stats(void)
{
	struct stack_stats s;

	stack_stats(rig.st, &s);
	return s;
}

uint64_t rig_dropped(enum drop_reason why)
{
	return rig_stats().dropped[why];
}

uint16_t rig_mss(void)
{
	return (uint16_t)(rig.conf.mtu - (rig.v6 ? 60 : 40));
}

uint16_t rig_default_mss(void)
{
	return rig.v6 ? 1220 : 536;
}
