/*
 * test_capture.c - Packets to queues of pcapng
 *
 * No stack: packets are shown by hand, and the queues are read block by block.
 */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/be.h"
#include "core/wire.h"
#include "unit.h"

#define BLOCK_SECTION	 0x0a0d0d0a
#define BLOCK_INTERFACE	 1
#define BLOCK_STATISTICS 5
#define BLOCK_PACKET	 6

static struct pktbus bus;
static struct capture cap;
static bool watched;
static unsigned int told; /* calls of ready */

static struct stack_watcher watcher;

void stack_watch(struct stack *st, const struct stack_watcher *w)
{
	(void)st;
	watched = w;
	if (w)
		watcher = *w;
}

static void show(const struct stack_packet *p)
{
	if (watched)
		watcher.packet(watcher.ctx, p);
}

static void ready(struct capture_taker *t)
{
	(void)t;
	told++;
}

static void setup(void)
{
	pktbus_init(&bus, NULL);
	capture_init(&cap, &bus, "tcphs0");
	watched = false;
	told = 0;
}

/* Two listeners, echo at 7 and web at 80 of one address. */
bool stack_listener_info(const struct stack *st, unsigned int index,
			 struct listener_info *info)
{
	(void)st;
	if (index > 1)
		return false;
	memset(info, 0, sizeof(*info));
	strcpy(info->conf.name, index ? "web" : "echo");
	info->conf.port = index ? 80 : 7;
	return true;
}

static void begin(struct capture_taker *t, const char *filter)
{
	struct filter_error err;

	memset(t, 0, sizeof(*t));
	t->snaplen = CAPTURE_PACKET_MAX;
	t->ready = ready;
	if (filter)
		t->filter = filter_parse(filter, &err);
	CU_ASSERT_EQUAL(capture_begin(&cap, t, filter), 0);
}

static void end(struct capture_taker *t)
{
	capture_end(t);
	filter_free(t->filter);
}

struct block {
	uint32_t type, len;
	uint8_t body[CAPTURE_PACKET_MAX + 1024];
};

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

/* The next block of the queue; false if it is empty. */
static bool next_block(struct capture_taker *t, struct block *b)
{
	uint8_t head[8], tail[4];

	if (!capture_take(t, head, 8))
		return false;
	b->type = get32(head);
	b->len = get32(head + 4) - 12;
	CU_ASSERT_EQUAL(capture_take(t, b->body, b->len), b->len);
	CU_ASSERT_EQUAL(capture_take(t, tail, 4), 4);
	CU_ASSERT_EQUAL(get32(tail), b->len + 12);
	return true;
}

static void skip_head(struct capture_taker *t)
{
	struct block b;

	CU_ASSERT_TRUE(next_block(t, &b));
	CU_ASSERT_EQUAL(b.type, BLOCK_SECTION);
	CU_ASSERT_TRUE(next_block(t, &b));
	CU_ASSERT_EQUAL(b.type, BLOCK_INTERFACE);
}

/* The value of an option of a packet block; NULL if it has none such. */
static const uint8_t *option(const struct block *b, unsigned int code,
			     size_t *len)
{
	const uint8_t *p = b->body + 20 + (get32(b->body + 12) + 3) / 4 * 4;

	for (; p[0]; p += 4 + (p[2] + 256u * p[3] + 3) / 4 * 4) {
		*len = p[2] + 256u * p[3];
		if (p[0] == code)
			return p + 4;
	}
	return NULL;
}

static void expect_comment(const struct block *b, const char *want)
{
	size_t len;
	const uint8_t *got = option(b, 1, &len);

	CU_ASSERT_PTR_NOT_NULL(got);
	if (!got)
		return;
	CU_ASSERT_EQUAL(len, strlen(want));
	CU_ASSERT_EQUAL(memcmp(got, want, len), 0);
}

/* A segment of IPv4 with @text bytes of text, as the tap shows it. */
static struct packet {
	struct stack_packet p;
	struct tcp_key ends;
	struct iovec iov[2];
	uint8_t head[WIRE_HEAD_MAX];
	uint8_t text[65000];
	uint32_t tcp_at;
} pkt;

static struct stack_packet *segment(uint32_t text, enum wire_csum how)
{
	struct tcp_seg seg = {
		.sport = 7,
		.dport = 50000,
		.flags = TH_ACK,
		.ttl = 64,
		.len = text,
	};
	uint32_t len;

	ip_map4(&seg.src, (const uint8_t[]){198, 18, 66, 2});
	ip_map4(&seg.dst, (const uint8_t[]){198, 18, 66, 1});
	memset(&pkt, 0, sizeof(pkt));
	for (uint32_t i = 0; i < text; i++)
		pkt.text[i] = (uint8_t)(i * 7);
	len = wire_tcp_build(pkt.head, &seg, 1, how,
			     csum_partial(pkt.text, text, 0), &pkt.tcp_at);
	pkt.iov[0] = (struct iovec){pkt.head, len};
	pkt.iov[1] = (struct iovec){pkt.text, text};
	pkt.ends = (struct tcp_key){seg.src, seg.dst, seg.sport, seg.dport};
	pkt.p = (struct stack_packet){
		.iov = pkt.iov,
		.iov_len = 2,
		.len = len + text,
		.csum_start = (uint16_t)pkt.tcp_at,
		.ends = &pkt.ends,
		.conn = 42,
		.listener = 0,
		.state_before = TCP_ESTABLISHED,
		.state_after = TCP_ESTABLISHED,
		.flags = PACKET_OUT |
			 (how == WIRE_CSUM_PARTIAL ? PACKET_CSUM_PARTIAL : 0),
	};
	return &pkt.p;
}

static bool csum_right(const uint8_t *data, uint32_t len)
{
	struct ip_pkt ip;

	CU_ASSERT_EQUAL(wire_ip_parse(data, len, &ip), DROP_NONE);
	return csum_fold(
		       csum_partial(ip.body, ip.body_len,
				    csum_pseudo(&ip.src, &ip.dst, IP_PROTO_TCP,
						ip.body_len))) == 0;
}

/* ---- bytes ------------------------------------------------------------- */

static void bytes_checksum_is_finished(void)
{
	static uint8_t buf[CAPTURE_PACKET_MAX];
	bool missing;

	for (uint32_t text = 0; text < 50000; text = text * 3 + 1) {
		const struct stack_packet *p = segment(text, WIRE_CSUM_PARTIAL);
		uint32_t n = capture_bytes(p, sizeof(buf), buf, &missing);

		CU_ASSERT_EQUAL(n, p->len);
		CU_ASSERT_FALSE(missing);
		CU_ASSERT_TRUE(csum_right(buf, n));
		CU_ASSERT_EQUAL(memcmp(buf + n - text, pkt.text, text), 0);
	}
}

/* What nobody vouches for may be wrong, and has to look so. */
static void bytes_wrong_checksum_stays(void)
{
	static uint8_t buf[CAPTURE_PACKET_MAX];
	struct stack_packet *p = segment(10, WIRE_CSUM_FULL);
	bool missing;

	p->flags = 0;
	pkt.text[3] ^= 1;
	CU_ASSERT_EQUAL(capture_bytes(p, sizeof(buf), buf, &missing), p->len);
	CU_ASSERT_FALSE(csum_right(buf, p->len));
	CU_ASSERT_FALSE(missing);
}

/* The kernel vouches for its own packets, finished or not. */
static void bytes_received_with_offload(void)
{
	static uint8_t buf[CAPTURE_PACKET_MAX];
	struct stack_packet *p = segment(10, WIRE_CSUM_PARTIAL);
	bool missing;

	p->flags &= (uint8_t)~PACKET_CSUM_PARTIAL;
	p->csum_ok = true;
	CU_ASSERT_EQUAL(capture_bytes(p, sizeof(buf), buf, &missing), p->len);
	CU_ASSERT_TRUE(csum_right(buf, p->len));
	p = segment(10, WIRE_CSUM_FULL);
	p->csum_ok = true;
	CU_ASSERT_EQUAL(capture_bytes(p, sizeof(buf), buf, &missing), p->len);
	CU_ASSERT_TRUE(csum_right(buf, p->len));
}

static void bytes_cut_short(void)
{
	static uint8_t buf[CAPTURE_PACKET_MAX];
	struct stack_packet *p = segment(1000, WIRE_CSUM_PARTIAL);
	bool missing;

	CU_ASSERT_EQUAL(capture_bytes(p, 96, buf, &missing), 96);
	CU_ASSERT_TRUE(missing);
	CU_ASSERT_EQUAL(memcmp(buf, pkt.head, 40), 0);
	CU_ASSERT_EQUAL(memcmp(buf + 40, pkt.text, 56), 0);
	p = segment(1000, WIRE_CSUM_FULL);
	CU_ASSERT_EQUAL(capture_bytes(p, 96, buf, &missing), 96);
	CU_ASSERT_FALSE(missing);
}

/* Nothing is taken for granted in what strangers send. */
static void bytes_garbage(void)
{
	static uint8_t buf[CAPTURE_PACKET_MAX], junk[64];
	struct iovec iov = {junk, 0};
	struct stack_packet p = {.iov = &iov, .iov_len = 1, .csum_ok = true};
	bool missing;

	for (unsigned int i = 0; i < 256; i++) {
		memset(junk, (int)i, sizeof(junk));
		for (uint32_t n = 0; n <= sizeof(junk); n++) {
			iov.iov_len = p.len = n;
			CU_ASSERT_EQUAL(
				capture_bytes(&p, sizeof(buf), buf, &missing),
				n);
			CU_ASSERT_EQUAL(memcmp(buf, junk, n), 0);
		}
	}
}

/* ---- words ------------------------------------------------------------- */

static void words_of_packets(void)
{
	const struct {
		struct stack_packet p;
		uint64_t lost;
		const char *want;
	} rows[] = {
		{{.conn = 42,
		  .state_before = TCP_LISTEN,
		  .state_after = TCP_LISTEN},
		 0,
		 "c42"},
		{{.conn = 42}, 0, "c42 nobody listens"},
		{{.conn = 42, .flags = PACKET_OUT}, 0, "c42"},
		{{.flags = PACKET_OUT}, 0, "no connection"},
		{{.conn = 42,
		  .state_before = TCP_LISTEN,
		  .state_after = TCP_SYN_RECEIVED},
		 0,
		 "c42 LISTEN -> SYN-RECEIVED"},
		{{.conn = 42, .flags = PACKET_OUT | PACKET_RETRANSMIT},
		 0,
		 "c42 retransmission"},
		{{.conn = 42,
		  .state_before = TCP_ESTABLISHED,
		  .state_after = TCP_ESTABLISHED,
		  .flags = PACKET_CHALLENGE},
		 0,
		 "c42 challenge ACK"},
		{{.conn = 4294967295,
		  .state_before = TCP_SYN_RECEIVED,
		  .state_after = TCP_ESTABLISHED,
		  .flags = PACKET_COOKIE,
		  .drop = DROP_ACK_FUTURE},
		 7,
		 "c4294967295 SYN-RECEIVED -> ESTABLISHED; SYN cookie; "
		 "dropped: ack number beyond what was sent (RFC 9293, "
		 "3.10.7.4); 7 packets before it are not in this file"},
		{{.drop = DROP_TCP_PORT}, 0, "dropped: port 0 (RFC 9293, 3.1)"},
		{{.drop = DROP_TCP_PORT},
		 1,
		 "dropped: port 0 (RFC 9293, 3.1); 1 packet before it is not "
		 "in this file"},
	};
	char buf[CAPTURE_COMMENT_MAX];
	const char *got;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		got = capture_comment(&rows[i].p, rows[i].lost, buf);
		CU_ASSERT_STRING_EQUAL(got, rows[i].want);
	}
}

/* What our first SYN or FIN does happened before it was built. */
static void words_of_what_we_send(void)
{
	static const struct {
		uint8_t tcp_flags, state, flags;
		const char *want;
	} rows[] = {
		{TH_SYN, TCP_SYN_SENT, 0, "c42 CLOSED -> SYN-SENT"},
		{TH_SYN, TCP_SYN_SENT, PACKET_RETRANSMIT, "c42 retransmission"},
		{TH_SYN | TH_ACK, TCP_SYN_RECEIVED, 0, "c42"},
		{TH_ACK | TH_FIN, TCP_FIN_WAIT_1, 0,
		 "c42 ESTABLISHED -> FIN-WAIT-1"},
		{TH_ACK | TH_FIN, TCP_LAST_ACK, 0,
		 "c42 CLOSE-WAIT -> LAST-ACK"},
		{TH_ACK, TCP_FIN_WAIT_1, 0, "c42"},
	};
	char buf[CAPTURE_COMMENT_MAX];
	struct stack_packet *p;
	const char *got;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		p = segment(0, WIRE_CSUM_FULL);
		pkt.head[pkt.tcp_at + 13] = rows[i].tcp_flags;
		p->state_before = p->state_after = rows[i].state;
		p->flags = rows[i].flags | PACKET_OUT;
		got = capture_comment(p, 0, buf);
		CU_ASSERT_STRING_EQUAL(got, rows[i].want);
	}
}

/* The longest there can be, for every reason. */
static void words_fit(void)
{
	struct stack_packet p = {
		.conn = UINT32_MAX,
		.state_before = TCP_SYN_RECEIVED,
		.state_after = TCP_ESTABLISHED,
		.flags = 0xff,
	};
	char buf[CAPTURE_COMMENT_MAX];

	for (int i = 1; i < DROP_NREASONS; i++) {
		p.drop = (uint8_t)i;
		capture_comment(&p, UINT64_MAX, buf);
		CU_ASSERT_TRUE(strlen(buf) < sizeof(buf) - 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(buf, "in this file"));
	}
}

/* ---- takers ------------------------------------------------------------ */

static void taker_gets_a_file(void)
{
	static struct capture_taker t;
	static struct block b;
	size_t len;

	setup();
	begin(&t, NULL);
	CU_ASSERT_TRUE(watched);
	segment(5, WIRE_CSUM_FULL);
	pkt.p.state_before = TCP_SYN_RECEIVED;
	show(&pkt.p);
	CU_ASSERT_EQUAL(told, 1);
	capture_finish(&t);
	CU_ASSERT_FALSE(watched);
	CU_ASSERT_TRUE(t.over);
	skip_head(&t);
	CU_ASSERT_TRUE(next_block(&t, &b));
	CU_ASSERT_EQUAL(b.type, BLOCK_PACKET);
	CU_ASSERT_EQUAL(get32(b.body + 12), 45);
	CU_ASSERT_EQUAL(get32(b.body + 16), 45);
	CU_ASSERT_EQUAL(memcmp(b.body + 60, pkt.text, 5), 0);
	expect_comment(&b, "c42 SYN-RECEIVED -> ESTABLISHED");
	CU_ASSERT_EQUAL(option(&b, 2, &len)[0], PCAPNG_OUT);
	CU_ASSERT_TRUE(next_block(&t, &b));
	CU_ASSERT_EQUAL(b.type, BLOCK_STATISTICS);
	CU_ASSERT_FALSE(next_block(&t, &b));
	end(&t);
}

static void taker_snaplen(void)
{
	static struct capture_taker t;
	static struct block b;

	setup();
	begin(&t, NULL);
	t.snaplen = 64;
	show(segment(1000, WIRE_CSUM_FULL));
	skip_head(&t);
	CU_ASSERT_TRUE(next_block(&t, &b));
	CU_ASSERT_EQUAL(get32(b.body + 12), 64);
	CU_ASSERT_EQUAL(get32(b.body + 16), 1040);
	end(&t);
	CU_ASSERT_FALSE(watched);
}

static void taker_limit(void)
{
	static struct capture_taker t;

	setup();
	begin(&t, NULL);
	t.limit = 2;
	for (int i = 0; i < 3; i++)
		show(segment(0, WIRE_CSUM_FULL));
	CU_ASSERT_TRUE(t.over);
	CU_ASSERT_EQUAL(t.kept, 2);
	CU_ASSERT_FALSE(watched);
	end(&t);
}

/* Each has its own filter; a state is that before or after the packet. */
static void takers_filters(void)
{
	static const struct {
		const char *filter;
		uint64_t kept;
	} rows[] = {
		{"id = c42", 1},
		{"id = c43", 0},
		{"sport = :7 and dst 198.18.66.0/24", 1},
		{"listener = echo", 1},
		{"listener = web", 0},
		{"state syn-received", 1},
		{"state established", 1},
		{"state listen", 0},
		{"role = client", 0},
	};
	static struct capture_taker t[ARRAY_LEN(rows)];

	setup();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		begin(&t[i], rows[i].filter);
	segment(0, WIRE_CSUM_FULL);
	pkt.p.state_before = TCP_SYN_RECEIVED;
	show(&pkt.p);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CU_ASSERT_EQUAL(t[i].seen, 1);
		CU_ASSERT_EQUAL(t[i].kept, rows[i].kept);
		end(&t[i]);
	}
}

/* A TIME-WAIT record has forgotten its listener; the port tells. */
static void filter_listener_in_time_wait(void)
{
	static struct capture_taker t;

	setup();
	begin(&t, "listener = echo");
	segment(0, WIRE_CSUM_FULL);
	pkt.p.listener = LISTENER_NONE;
	pkt.p.state_before = pkt.p.state_after = TCP_TIME_WAIT;
	show(&pkt.p);
	CU_ASSERT_EQUAL(t.kept, 1);
	pkt.p.state_before = pkt.p.state_after = TCP_CLOSED;
	show(&pkt.p);
	CU_ASSERT_EQUAL(t.kept, 1);
	end(&t);
}

/* Nobody reads: what was queued stays whole, the rest is counted, and told to
 * who reads on. */
static void losses_are_told(void)
{
	static struct capture_taker t;
	static struct block b;
	uint64_t n = 0, lost;
	size_t len;

	setup();
	begin(&t, NULL);
	while (!t.lost)
		show(segment(60000, WIRE_CSUM_FULL));
	show(segment(60000, WIRE_CSUM_FULL));
	CU_ASSERT_TRUE(t.used <= CAPTURE_QUEUE - PCAPNG_HEAD_MAX);
	lost = t.lost;
	CU_ASSERT_EQUAL(lost, 2);
	skip_head(&t);
	while (next_block(&t, &b))
		n++;
	CU_ASSERT_EQUAL(n, t.kept);
	show(segment(1, WIRE_CSUM_FULL));
	show(segment(2, WIRE_CSUM_FULL));
	CU_ASSERT_TRUE(next_block(&t, &b));
	expect_comment(&b, "c42 2 packets before it are not in this file");
	CU_ASSERT_EQUAL(get32(option(&b, 4, &len)), 2);
	CU_ASSERT_TRUE(next_block(&t, &b));
	expect_comment(&b, "c42");
	CU_ASSERT_PTR_NULL(option(&b, 4, &len));
	capture_finish(&t);
	CU_ASSERT_TRUE(next_block(&t, &b));
	CU_ASSERT_EQUAL(b.type, BLOCK_STATISTICS);
	CU_ASSERT_EQUAL(get32(b.body + 12 + 12 + 12 + 4), n + 4);  /* ifrecv */
	CU_ASSERT_EQUAL(get32(b.body + 12 + 12 + 12 + 12 + 4), 2); /* ifdrop */
	end(&t);
	CU_ASSERT_EQUAL(cap.lost, 2);
}

/* The tail has room, however full it is. */
static void tail_fits_a_full_queue(void)
{
	static struct capture_taker t;

	setup();
	begin(&t, NULL);
	while (!t.lost)
		show(segment(0, WIRE_CSUM_FULL));
	capture_finish(&t);
	CU_ASSERT_TRUE(t.used <= CAPTURE_QUEUE);
	end(&t);
}

static void takers_are_bounded(void)
{
	static struct capture_taker t[CAPTURE_TAKERS_MAX], more;

	setup();
	for (unsigned int i = 0; i < CAPTURE_TAKERS_MAX; i++)
		begin(&t[i], NULL);
	CU_ASSERT_EQUAL(capture_begin(&cap, &more, NULL), -EBUSY);
	capture_end(&more);
	capture_end(&t[0]);
	CU_ASSERT_EQUAL(capture_begin(&cap, &more, NULL), 0);
	capture_end(&more);
	for (unsigned int i = 1; i < CAPTURE_TAKERS_MAX; i++)
		capture_end(&t[i]);
	CU_ASSERT_FALSE(watched);
}

static const struct unit_test tests[] = {
	UNIT_TEST(bytes_checksum_is_finished),
	UNIT_TEST(bytes_wrong_checksum_stays),
	UNIT_TEST(bytes_received_with_offload),
	UNIT_TEST(bytes_cut_short),
	UNIT_TEST(bytes_garbage),
	UNIT_TEST(words_of_packets),
	UNIT_TEST(words_of_what_we_send),
	UNIT_TEST(words_fit),
	UNIT_TEST(taker_gets_a_file),
	UNIT_TEST(taker_snaplen),
	UNIT_TEST(taker_limit),
	UNIT_TEST(takers_filters),
	UNIT_TEST(filter_listener_in_time_wait),
	UNIT_TEST(losses_are_told),
	UNIT_TEST(tail_fits_a_full_queue),
	UNIT_TEST(takers_are_bounded),
};

int main(int argc, char **argv)
{
	return unit_run("capture", tests, ARRAY_LEN(tests), argc, argv);
}
