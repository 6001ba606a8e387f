/*
 * flow_rig.c - Captures for the passive judge, packet by packet
 */
#include "flow_rig.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define PERIOD 251 /* of the text that everybody sends */

struct capture cap;

static void keep(void *ctx, const struct verdict *v)
{
	(void)ctx;
	CU_ASSERT_FATAL(cap.n < VERDICTS_MAX);
	cap.v[cap.n++] = *v;
}

static void fresh(void)
{
	memset(&cap.p, 0, sizeof(cap.p));
	cap.p.kind = PACKET_TCP;
	cap.p.wnd = WND;
	cap.p.ttl = TTL;
}

void begin_with(size_t memory)
{
	struct analysis_conf conf = ANALYSIS_DEFAULTS;

	conf.memory = memory;
	memset(&cap, 0, sizeof(cap));
	cap.judge = analysis_new(&conf, keep, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(cap.judge);
	fresh();
}

void begin(void)
{
	begin_with(1 << 20);
}

/* The verdict on the first connection. */
const struct verdict *end(void)
{
	analysis_end(cap.judge);
	CU_ASSERT_FATAL(cap.n >= 1);
	return &cap.v[0];
}

void done(void)
{
	analysis_free(cap.judge);
	cap.judge = NULL;
}

void wait_ms(int64_t ms)
{
	cap.ns += (ms - 1) * MS;
}

/* Bytes that follow from their numbers. */
static const uint8_t *text_at(uint32_t seq)
{
	static uint8_t text[2000 + PERIOD];

	if (!text[1])
		for (uint32_t i = 0; i < sizeof(text); i++)
			text[i] = (uint8_t)(i % PERIOD);
	return text + seq % PERIOD;
}

static void send_packet(uint8_t from, uint16_t flags, uint32_t seq,
			uint32_t ack, uint32_t len)
{
	static const struct ip_addr addr[2] = {
		{.b = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}},
		{.b = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}},
	};
	static const uint16_t port[2] = {40000, 80};

	cap.p.number = ++cap.frame;
	cap.p.ns = cap.ns += MS;
	cap.p.src = addr[from];
	cap.p.dst = addr[!from];
	cap.p.sport = port[from];
	cap.p.dport = port[!from];
	cap.p.flags = flags;
	cap.p.seq = seq;
	cap.p.ack = ack;
	cap.p.len = cap.p.cap_len = len;
	if (!cap.p.text)
		cap.p.text = text_at(seq);
	if (flags & SYN && !cap.p.opts) {
		cap.p.opts = POPT_MSS | POPT_SACK_OK | POPT_WSCALE;
		cap.p.mss = 1460;
	}
	analysis_take(cap.judge, &cap.p);
	fresh();
}

void c(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	send_packet(0, flags, seq, ack, len);
}

void s(uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	send_packet(1, flags, seq, ack, len);
}

void handshake(void)
{
	begin();
	c(SYN, CISN, 0, 0);
	s(SA, SISN, CISN + 1, 0);
	c(ACK, CISN + 1, SISN + 1, 0);
}

const struct anomaly *odd(const struct verdict *v, enum anomaly_kind kind)
{
	for (int i = 0; i < v->nanomalies; i++)
		if (v->anomaly[i].kind == kind)
			return &v->anomaly[i];
	return NULL;
}

static void expect(const struct verdict *v, int kind)
{
	for (int i = 0; i < v->nanomalies; i++) {
		if (v->anomaly[i].kind == kind)
			continue;
		fprintf(stderr, "unexpected: %s\n",
			anomaly_name(v->anomaly[i].kind));
		CU_FAIL("an anomaly that is none");
	}
}

void expect_none(const struct verdict *v)
{
	expect(v, -1);
}

void expect_only(const struct verdict *v, enum anomaly_kind kind)
{
	expect(v, (int)kind);
	CU_ASSERT_PTR_NOT_NULL(odd(v, kind));
}
