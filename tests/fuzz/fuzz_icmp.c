/*
 * fuzz_icmp.c - What ICMP may do to a connection, and what it is answered with
 *
 * A stack has four connections with something in flight, a SYN or text, two of
 * them over IPv6, and a half-open record. The input is a program: ICMP messages
 * about what the stack sent, as they are or with some bytes of the quote made
 * others, echo requests, time, and ACKs. Around each message all connections
 * are looked at. A message that quotes nothing of theirs must leave them as
 * they were; one that does may tell of a narrow path, and ends a connection
 * only while that is being opened (RFC 5927, 4.1, 5.2 and 7.2).
 *
 * What the stack sends is judged, too: an echo reply has the bytes of the
 * request, and nothing at all answers an error (RFC 1122, 3.2.2).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "core/be.h"
#include "core/tcp_priv.h"
#include "seal.h"

#define CONNS	  4
#define PKT_MAX	  2000
#define KEPT	  32 /* packets of the stack, to be quoted */
#define START_US  1000000
#define PORT	  19
#define PEER_PORT 50000
#define TEXT_LEN  30000
#define TURN_PKTS 1000
#define OPS_MAX	  200

/* No path is believed to be narrower: RFC 8200, 5; tcp_pmtu.c. */
#define LEAST4 552
#define LEAST6 1280

/* A connection and its other end: 0 and 1 were opened by the peer, 2 and 3 by
 * the stack; 1 and 3 are IPv6. */
struct end {
	struct tcp_conn *c; /* NULL before and after */
	bool v6, gone;
	tcp_seq snd_nxt, rcv_nxt; /* of the peer */
	struct conn_info was;
};

struct packet {
	uint8_t bytes[PKT_MAX];
	uint32_t len;
};

struct fuzz {
	struct stack *st;
	struct stack_conf conf;
	const uint8_t *in;
	size_t left;
	int64_t now_us;
	struct end end[CONNS + 1]; /* and one half-open */
	unsigned int nkept;	   /* ever */
	struct packet echo; /* the request that may be answered; len 0 = none */
	struct packet kept[KEPT];
};

static struct fuzz f;
static uint8_t text[TEXT_LEN];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static uint8_t feed8(void)
{
	if (!f.left)
		return 0;
	f.left--;
	return *f.in++;
}

static uint16_t feed16(void)
{
	uint8_t high = feed8();

	return (uint16_t)(high << 8 | feed8());
}

/* ---- the application -------------------------------------------------- */

static void on_open(struct stack *st, struct tcp_conn *c)
{
	struct conn_info info;

	tcp_info(st, c, &info, f.now_us);
	ASSERT(info.peer_port - PEER_PORT < CONNS);
	f.end[info.peer_port - PEER_PORT].c = c;
	tcp_send_ref(st, c, text, sizeof(text));
}

static void on_closed(struct stack *st, struct tcp_conn *c,
		      enum close_reason why)
{
	(void)st;
	ASSERT(why != CLOSE_NONE);
	for (unsigned int i = 0; i < CONNS; i++) {
		if (f.end[i].c == c) {
			f.end[i].c = NULL;
			f.end[i].gone = true;
		}
	}
}

static const struct tcp_service service = {
	.name = "source", .on_open = on_open, .on_closed = on_closed};

/* ---- what comes out --------------------------------------------------- */

/* RFC 792, RFC 4443, 4.2: of the same numbers and bytes. */
static void check_reply(const struct ip_pkt *ip)
{
	uint32_t head = ip->v6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;

	ASSERT(f.echo.len != 0);
	ASSERT(f.echo.len == ip->head_len + ip->body_len);
	ASSERT(f.echo.bytes[0] >> 4 == (ip->v6 ? 6 : 4));
	ASSERT(ip->body[0] == (ip->v6 ? 129 : 0));
	ASSERT(ip->body[1] == f.echo.bytes[head + 1]);
	ASSERT(memcmp(ip->body + 4, f.echo.bytes + head + 4,
		      ip->body_len - 4) == 0);
	f.echo.len = 0; /* once */
}

static void learn(const struct tcp_seg *s)
{
	struct end *e;

	if (s->dport - PEER_PORT >= CONNS)
		return;
	e = &f.end[s->dport - PEER_PORT];
	if (!(s->flags & TH_RST) &&
	    (s->flags & TH_SYN || seq_gt(s->seq + seg_len(s), e->rcv_nxt)))
		e->rcv_nxt = s->seq + seg_len(s);
}

static void output(const struct stack_pkt *out)
{
	struct packet *k = &f.kept[f.nkept % KEPT];
	enum drop_reason why;
	struct tcp_seg s;
	struct ip_pkt ip;

	ASSERT(out->len <= f.conf.mtu);
	k->len = 0;
	for (unsigned int i = 0; i < out->iov_len; i++) {
		memcpy(k->bytes + k->len, out->iov[i].iov_base,
		       out->iov[i].iov_len);
		k->len += (uint32_t)out->iov[i].iov_len;
	}
	ASSERT(wire_ip_parse(k->bytes, k->len, &ip) == DROP_NONE);
	if (ip.proto == IP_PROTO_TCP) {
		why = wire_tcp_parse(&ip, false, &s);
		ASSERT(why == DROP_NONE);
		learn(&s);
		f.nkept++;
	} else {
		ASSERT(ip.proto == (ip.v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP));
		check_reply(&ip);
	}
}

static void turn(void)
{
	struct stack_pkt out;
	unsigned int n = 0;

	stack_services(f.st, f.now_us);
	stack_expire(f.st, f.now_us);
	while (stack_output(f.st, &out, f.now_us)) {
		output(&out);
		ASSERT(n++ < TURN_PKTS);
	}
	stack_reap(f.st, f.now_us);
	stack_check(f.st);
}

static void input(const uint8_t *pkt, uint32_t len)
{
	/* A copy of its own size, so that ASan sees the end of the packet. */
	uint8_t *copy = malloc(len);

	ASSERT(copy);
	memcpy(copy, pkt, len);
	stack_input(f.st, copy, len, NULL, f.now_us);
	free(copy);
	stack_check(f.st);
}

/* ---- the peers -------------------------------------------------------- */

static void peer_sends(unsigned int i, uint8_t flags, uint8_t opts)
{
	struct end *e = &f.end[i];
	uint8_t pkt[WIRE_HEAD_MAX];
	struct tcp_seg s = {
		.src = e->v6 ? f.conf.host6 : f.conf.host4,
		.dst = e->v6 ? f.conf.own6 : f.conf.own4,
		.sport = (uint16_t)(PEER_PORT + i),
		.dport = PORT,
		.seq = e->snd_nxt,
		.ack = e->rcv_nxt,
		.wnd = 0xffff,
		.flags = flags,
		.opts = opts,
		.mss = 1400,
		.ttl = 64,
	};
	uint32_t off, len;

	if (i == 2 || i == 3) /* the stack chose it */
		s.dport = e->c ? e->was.local_port : 1;
	len = wire_tcp_build(pkt, &s, 1, WIRE_CSUM_FULL, 0, &off);
	input(pkt, len);
	e->snd_nxt += seg_len(&s);
}

static void look(void)
{
	for (unsigned int i = 0; i < CONNS; i++)
		if (f.end[i].c)
			tcp_info(f.st, f.end[i].c, &f.end[i].was, f.now_us);
}

static void open_all(void)
{
	const struct stack_listener l = {.name = "source",
					 .service = &service,
					 .port = PORT,
					 .enabled = true,
					 .backlog = 8};

	ASSERT(stack_listen(f.st, &l) >= 0);
	for (unsigned int i = 0; i < CONNS; i++) {
		struct end *e = &f.end[i];

		*e = (struct end){.v6 = i & 1, .snd_nxt = 7000 * i - 1};
		if (i < 2) {
			peer_sends(i, TH_SYN, OPT_MSS | OPT_SACK_OK);
			turn();
			peer_sends(i, TH_ACK, 0);
			continue;
		}
		ASSERT(stack_open(f.st, &service, NULL,
				  e->v6 ? &f.conf.host6 : &f.conf.host4,
				  (uint16_t)(PEER_PORT + i), NULL, 0, f.now_us,
				  &e->c) == 0);
	}
	turn();
	ASSERT(f.end[0].c && f.end[1].c);
	/* Half-open: a SYN nobody follows, from a port of no connection. */
	peer_sends(CONNS, TH_SYN, OPT_MSS);
	turn();
}

/* ---- messages --------------------------------------------------------- */

/* What a message is about, read as RFC 792 and RFC 4443 have it. */
struct news {
	struct end *e; /* that has it in flight; NULL = nobody */
	bool error, hard, too_big;
	uint32_t mtu;
};

static struct end *quoted(const uint8_t *q, uint32_t len, bool v6)
{
	uint32_t head = v6 ? 40 : len ? (q[0] & 15u) * 4 : 0;
	const struct ip_addr *own = v6 ? &f.conf.own6 : &f.conf.own4;
	const struct ip_addr *peer = v6 ? &f.conf.host6 : &f.conf.host4;
	uint32_t addr = v6 ? 16 : 4, at = v6 ? 8 : 12;

	if (len < 20 || len < head + 8 || head < 20 ||
	    q[0] >> 4 != (v6 ? 6 : 4) || q[v6 ? 6 : 9] != 6 ||
	    (!v6 && (be_get16(q + 6) << 3 & 0xffff)) ||
	    memcmp(q + at, own->b + 16 - addr, addr) != 0 ||
	    memcmp(q + at + addr, peer->b + 16 - addr, addr) != 0)
		return NULL;
	for (struct end *e = f.end; e < f.end + CONNS; e++) {
		uint32_t off = be_get32(q + head + 4) - e->was.snd_una;

		if (e->c && e->v6 == v6 &&
		    be_get16(q + head) == e->was.local_port &&
		    be_get16(q + head + 2) == e->was.peer_port &&
		    off < e->was.snd_max - e->was.snd_una)
			return e;
	}
	return NULL;
}

static struct news read_news(const uint8_t *m, uint32_t len, bool v6)
{
	uint8_t type = m[0], code = m[1];
	struct news n = {.error = type == 3 || type == 11 || type == 12};

	if (v6) {
		n.error = type >= 1 && type <= 4;
		n.too_big = type == 2;
		n.mtu = be_get32(m + 4);
		n.hard = type == 1 &&
			 (code == 1 || code == 4 || code == 5 || code == 6);
	} else {
		n.too_big = type == 3 && code == 4;
		n.mtu = be_get16(m + 6);
		n.hard = type == 3 && (code == 2 || code == 3 || code == 9 ||
				       code == 10 || code == 13);
	}
	if (n.error)
		n.e = quoted(m + 8, len - 8, v6);
	return n;
}

/* All that ICMP has no business with. */
static void check_same(const struct conn_info *was, const struct conn_info *now)
{
	ASSERT(now->state == was->state);
	ASSERT(now->snd_una == was->snd_una);
	ASSERT(now->snd_max == was->snd_max);
	ASSERT(now->snd_wnd == was->snd_wnd);
	ASSERT(now->rcv_nxt == was->rcv_nxt);
	ASSERT(now->rcv_wnd == was->rcv_wnd);
	ASSERT(now->cwnd == was->cwnd); /* RFC 1191, 6.4: no congestion */
	ASSERT(now->ssthresh == was->ssthresh);
	ASSERT(now->srtt_us == was->srtt_us);
	ASSERT(now->segs_in == was->segs_in);
	ASSERT(now->backoff == was->backoff);
	ASSERT(now->tries == was->tries);
}

static void check_conn(const struct end *e, const struct news *n)
{
	const struct conn_info *was = &e->was;
	struct conn_info now;

	if (e != n->e) {
		tcp_info(f.st, e->c, &now, f.now_us);
		check_same(was, &now);
		ASSERT(now.pmtu == was->pmtu);
		ASSERT(now.snd_nxt == was->snd_nxt);
		ASSERT(now.rexmt_in_us == was->rexmt_in_us);
		ASSERT(now.lost == was->lost);
		return;
	}
	tcp_info(f.st, e->c, &now, f.now_us);
	if (n->hard && was->state == TCP_SYN_SENT) {
		ASSERT(now.reason == CLOSE_UNREACHABLE);
		return;
	}
	ASSERT(now.reason == CLOSE_NONE);
	check_same(was, &now);
	ASSERT(now.pmtu <= was->pmtu);
	if (now.pmtu == was->pmtu)
		return;
	ASSERT(n->too_big);
	ASSERT(now.pmtu >= (e->v6 ? LEAST6 : LEAST4));
	ASSERT(now.pmtu >= n->mtu);
	ASSERT(now.snd_mss < was->snd_mss);
}

/* Put in @len bytes of a message, from the ICMP type on, and look around. */
static void message(uint8_t *m, uint32_t len, bool v6, uint8_t from)
{
	static const struct ip_addr router4 =
					    {{[10] = 0xff, 0xff, 10, 0, 0, 1}},
				    router6 = {{0x20, 1, 0xd, 0xb8, [15] = 1}};
	uint8_t pkt[WIRE_IP6_LEN + PKT_MAX];
	struct stack_stats before, after;
	struct ip_addr src;
	struct news n;
	uint32_t head;

	turn();
	look();
	if (from & 1)
		src = v6 ? router6 : router4;
	else
		src = v6 ? f.conf.host6 : f.conf.host4;
	head = wire_ip_build(pkt, &src, v6 ? &f.conf.own6 : &f.conf.own4,
			     v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP, 64, 0, 1,
			     false, len);
	memcpy(pkt + head, m, len);
	packet_seal(pkt, head + len);
	n = read_news(m, len, v6);
	stack_stats(f.st, &before);
	input(pkt, head + len);
	stack_stats(f.st, &after);

	ASSERT(after.icmp_errors_in - before.icmp_errors_in == (n.e != NULL));
	ASSERT(after.dropped[DROP_ICMP_STALE] -
		       before.dropped[DROP_ICMP_STALE] ==
	       (n.error && !n.e));
	ASSERT(after.icmp_errors_out == before.icmp_errors_out);
	ASSERT(after.half_open == before.half_open);
	for (unsigned int i = 0; i < CONNS; i++)
		if (f.end[i].c)
			check_conn(&f.end[i], &n);
	f.echo.len = 0;
	if (m[0] == (v6 ? 128 : 8)) {
		memcpy(f.echo.bytes, pkt, head + len);
		f.echo.len = head + len;
	}
	turn();
	f.echo.len = 0;
}

/* An error about a packet that the stack has sent. */
static void op_error(void)
{
	static const uint8_t types4[] = {3, 3, 3, 4, 11, 12, 5, 8};
	static const uint8_t types6[] = {1, 2, 2, 3, 4, 1, 137, 0};
	uint8_t m[WIRE_ICMP_LEN + PKT_MAX], how = feed8(), bend = feed8();
	const struct packet *k = &f.kept[feed8() % KEPT];
	uint32_t len = feed8() * 4u;
	bool v6;

	if (!k->len)
		return;
	v6 = k->bytes[0] >> 4 == 6;
	m[0] = v6 ? types6[how & 7] : types4[how & 7];
	m[1] = how >> 3 & 15;
	be_put16(m + 2, 0);
	be_put32(m + 4, feed16());
	if (bend & 0x80) /* most of a number that only IPv6 has room for */
		m[4] = feed8();
	if (len > k->len || !len)
		len = k->len;
	memcpy(m + WIRE_ICMP_LEN, k->bytes, len);
	for (unsigned int i = bend & 3; i; i--) {
		uint8_t *q = m + WIRE_ICMP_LEN + feed8() % len;

		*q ^= feed8();
	}
	message(m, WIRE_ICMP_LEN + len, bend & 4 ? !v6 : v6, bend >> 3);
}

static void op_echo(void)
{
	uint8_t m[WIRE_ICMP_LEN + 1400], how = feed8();
	bool v6 = how & 1;
	uint32_t len = how & 2 ? feed16() % 1400 : feed8() % 16;

	m[0] = v6 ? 128 : 8;
	m[1] = how & 4 ? feed8() : 0;
	be_put16(m + 2, 0);
	for (uint32_t i = 4; i < WIRE_ICMP_LEN + len; i++)
		m[i] = (uint8_t)(i * how);
	message(m, WIRE_ICMP_LEN + len, v6, how >> 3);
}

static void op_raw(void)
{
	uint8_t m[255], how = feed8();
	uint32_t len = WIRE_ICMP_LEN + feed8() % (sizeof(m) - WIRE_ICMP_LEN);

	for (uint32_t i = 0; i < len; i++)
		m[i] = feed8();
	message(m, len, how & 1, how >> 1);
}

static void op_time(void)
{
	f.now_us += feed16() * INT64_C(1000);
	turn();
}

/* What it got so far, or the SYN-ACK. */
static void op_ack(void)
{
	unsigned int i = feed8() % CONNS;
	bool syn;

	look();
	if (!f.end[i].c)
		return;
	syn = f.end[i].was.state == TCP_SYN_SENT;
	peer_sends(i, syn ? TH_SYN | TH_ACK : TH_ACK,
		   syn ? OPT_MSS | OPT_SACK_OK : 0);
	turn();
}

static void (*const ops[])(void) = {op_error, op_error, op_error, op_echo,
				    op_raw,   op_time,	op_ack,	  op_ack};

/* ---- begin and end ---------------------------------------------------- */

static void configure(uint8_t how)
{
	f.conf = (struct stack_conf){
		.own4 = {{[10] = 0xff, 0xff, 198, 18, 66, 2}},
		.own6 = {{0xfd, 0x74, [15] = 2}},
		.host4 = {{[10] = 0xff, 0xff, 198, 18, 66, 1}},
		.host6 = {{0xfd, 0x74, [15] = 1}},
		.icmp_echo = !(how & 1),
		.ttl = 64,
		.mtu = 1500,
		.max_connections = 20,
		.max_half_open = 8,
		.rcvbuf = 65536,
		.rcvbuf_max = 65536,
		.sndbuf = 65536,
		.rst_rate = 1000,
		.challenge_ack_rate = 1000,
		.icmp_rate = how & 2 ? 3 : 0,
		.rto_initial_us = 1000000,
		.rto_min_us = 200000,
		.rto_max_us = 60000000,
		.syn_retries = 4,
		.synack_retries = 4,
		.retries = 8,
		.msl_us = 1000000,
		.fin_wait2_us = 1000000,
		.delayed_ack_us = 40000,
		.sack = !(how & 4),
		.mtu_probing = how & 8,
		.congestion = how & 16 ? CC_NEWRENO : CC_CUBIC,
		.window_scale = 7,
	};
	f.conf.net4 = (struct ip_prefix){f.conf.own4, 120};
	f.conf.net6 = (struct ip_prefix){f.conf.own6, 64};
}

/* Fresh zeros, costing only what was touched the last time. */
static void *memory(void)
{
	static void *mem;

	if (!mem) {
		mem = aligned_alloc(STACK_ALIGN, STACK_MEM_MIN);
		ASSERT(mem != NULL);
	}
	ASSERT(madvise(mem, STACK_MEM_MIN, MADV_DONTNEED) == 0);
	return mem;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = "the same numbers in every run..";
	struct stack_stats stats;

	memset(&f, 0, offsetof(struct fuzz, echo.bytes));
	f.echo.len = 0;
	for (unsigned int i = 0; i < KEPT; i++)
		f.kept[i].len = 0;
	f.in = data;
	f.left = size;
	f.now_us = START_US;
	configure(feed8());
	f.st = stack_init(memory(), STACK_MEM_MIN, &f.conf, seed, f.now_us);
	ASSERT(f.st != NULL);
	open_all();
	for (unsigned int n = 0; f.left && n < OPS_MAX; n++)
		ops[feed8() % ARRAY_LEN(ops)]();
	while (!stack_abort_all(f.st, f.now_us))
		turn();
	while (turn(), stack_deadline(f.st) != TIME_NEVER)
		f.now_us = stack_deadline(f.st);
	stack_stats(f.st, &stats);
	ASSERT(!stats.full && !stats.half_open && !stats.time_wait);
	for (unsigned int i = 0; i < CONNS; i++)
		ASSERT(!f.end[i].c && f.end[i].gone);
	return 0;
}
