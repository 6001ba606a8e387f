/*
 * test_reasm.c - Fragments put together again, rule by rule
 */
#include "reasm_rig.h"

#include <string.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "core/be.h"
#include "unit.h"

#define UDP	 17
#define TOS_ECT0 2
#define TOS_CE	 3

static struct whole w, f;

/* The same for w under an identification of its own, which IPv4 keeps. */
static void expect_id(struct reasm_rig *r, uint32_t id)
{
	if (!w.v6) {
		be_put16(w.b + 4, id);
		whole_seal(&w);
	}
	rig_expect(r, &w);
}

static void in_order(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 4001);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 1480), REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 1480, 2960),
				REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 2960, 4001),
				REASM_DONE);
		CU_ASSERT_EQUAL(r.r.blks.in_use, 0);
		CU_ASSERT_EQUAL(reasm_deadline(&r.r), TIME_NEVER);
		rig_expect(&r, &w);
		rig_free(&r);
	}
}

static void backwards(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 60000);
		for (uint32_t at = 59200; at > 0; at -= 1480) {
			uint32_t to = at + 1480 < 60000 ? at + 1480 : 60000;

			CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, at, to),
					REASM_HELD);
		}
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 1480), REASM_DONE);
		rig_expect(&r, &w);
		rig_free(&r);
	}
}

/* IPv4 options and IPv6 extension headers of the first fragment stay. */
static void headers_of_the_first(void)
{
	struct reasm_rig r;

	rig_init(&r, 300);
	whole4(&w, IP_PROTO_TCP, 40, 100);
	whole4(&f, IP_PROTO_TCP, 0, 100);
	CU_ASSERT_EQUAL(rig_put(&r, &f, RIG_ID, 64, 100), REASM_HELD);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_DONE);
	rig_expect(&r, &w);

	/* RFC 8200, 4.5: the others may have more, and another Next Header. */
	whole6(&w, IP_PROTO_TCP, true, 100);
	whole6(&f, UDP, false, 100);
	CU_ASSERT_EQUAL(rig_put(&r, &f, RIG_ID, 64, 100), REASM_HELD);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_DONE);
	rig_expect(&r, &w);
	whole6(&w, IP_PROTO_TCP, false, 100);
	whole6(&f, UDP, true, 100);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_HELD);
	CU_ASSERT_EQUAL(rig_put(&r, &f, RIG_ID, 64, 100), REASM_DONE);
	rig_expect(&r, &w);
	rig_free(&r);
}

/* A difference in any part of the name makes another datagram. */
static void datagrams_are_told_apart(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t src_end = v6 ? 23 : 15, dst_end = v6 ? 39 : 19;
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 100);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID + 1, 64, 100),
				REASM_HELD);
		f = w;
		f.b[src_end] ^= 0x80;
		CU_ASSERT_EQUAL(rig_put(&r, &f, RIG_ID, 64, 100), REASM_HELD);
		f = w;
		f.b[dst_end] ^= 0x80;
		CU_ASSERT_EQUAL(rig_put(&r, &f, RIG_ID, 64, 100), REASM_HELD);
		CU_ASSERT_EQUAL(r.r.dgrams.in_use, 4);
		if (!v6) {
			whole4(&f, UDP, 0, 100);
			CU_ASSERT_EQUAL(rig_put(&r, &f, RIG_ID, 64, 100),
					REASM_HELD);
			CU_ASSERT_EQUAL(r.r.dgrams.in_use, 5);
		}
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 100), REASM_DONE);
		rig_expect(&r, &w);
		rig_free(&r);
	}
}

static void copies_are_ignored(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 20000);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 15000, 20000),
				REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 15000, 20000),
				REASM_COPY);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 14400), REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 14400), REASM_COPY);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 15000, 20000),
				REASM_COPY);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 14400, 15000),
				REASM_DONE);
		rig_expect(&r, &w);
		rig_free(&r);
	}
}

/* RFC 5722, 4: it is gone, and the rest of it is not waited for. */
static void refused(struct reasm_rig *r, uint32_t from, uint32_t to, bool more,
		    enum reasm_verdict why)
{
	struct reasm_lost lost;

	whole_cut(&f, &w, RIG_ID, from, to, more);
	CU_ASSERT_EQUAL(rig_input(r, &f), why);
	CU_ASSERT_EQUAL(r->r.blks.in_use, 0);
	CU_ASSERT_EQUAL(rig_put(r, &w, RIG_ID, 0, 64), REASM_BURIED);
	CU_ASSERT_EQUAL(rig_put(r, &w, RIG_ID, 64, 128), REASM_BURIED);
	CU_ASSERT_EQUAL(rig_put(r, &w, RIG_ID, 128, 200), REASM_BURIED);
	/* Silently: the source is not told. */
	CU_ASSERT_TRUE(reasm_expire(&r->r, reasm_deadline(&r->r), &lost));
	CU_ASSERT_EQUAL(lost.quote_len, 0);
	CU_ASSERT_EQUAL(r->r.dgrams.in_use, 0);
}

static void overlaps_are_refused(void)
{
	static const struct {
		uint16_t from, to;
		bool more;
	} bad[] = {
		{64, 120, true}, /* less of the same */
		{64, 136, true}, /* more of the same */
		{56, 128, true},   {72, 128, true},  {48, 72, true},
		{120, 160, true},  {0, 192, true},   {64, 128, false},
		{120, 125, false}, {24, 200, false},
	};

	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 200);
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 128),
					REASM_HELD);
			refused(&r, bad[i].from, bad[i].to, bad[i].more,
				REASM_OVERLAP);
		}
		rig_free(&r);
	}
}

/* The same place, but other bytes: no copy. */
static void conflicting_copy_is_refused(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 20000);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 16000), REASM_HELD);
		w.b[w.head + 15999] ^= 1;
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 16000),
				REASM_OVERLAP);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 16000),
				REASM_BURIED);
		rig_free(&r);
	}
}

/* By the caller: what came is gone, and the rest is buried. */
static void refused_for_another_reason(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct ip_pkt ip;
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 20000);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 8000), REASM_HELD);
		whole_cut(&f, &w, RIG_ID, 8000, 16000, true);
		wire_ip_parse(f.b, f.len, &ip);
		reasm_refuse(&r.r, &ip, 0);
		CU_ASSERT_EQUAL(r.r.blks.in_use, 0);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 16000, 20000),
				REASM_BURIED);
		whole_cut(&f, &w, RIG_ID + 1, 0, 8000, true);
		wire_ip_parse(f.b, f.len, &ip);
		reasm_refuse(&r.r, &ip, 0);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID + 1, 8000, 20000),
				REASM_BURIED);
		rig_free(&r);
	}
}

static void two_ends_are_refused(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 200);
		/* The end lies before what is there. */
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 128, 192), REASM_HELD);
		refused(&r, 64, 100, false, REASM_END);
		/* There is text beyond the end, or another end. */
		whole_cut(&f, &w, RIG_ID, 64, 100, false);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_HELD);
		refused(&r, 128, 192, true, REASM_END);
		whole_cut(&f, &w, RIG_ID, 64, 100, false);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_HELD);
		refused(&r, 104, 120, false, REASM_END);
		/* A copy of the end that is no end any more. */
		whole_cut(&f, &w, RIG_ID, 64, 104, false);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_HELD);
		refused(&r, 64, 104, true, REASM_OVERLAP);
		rig_free(&r);
	}
}

/* RFC 8200, 4.5; RFC 791, 3.2: and the datagram may still become whole. */
static void odd_lengths_are_dropped(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 100);
		whole_cut(&f, &w, RIG_ID, 0, 63, true);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_LENGTH);
		whole_cut(&f, &w, RIG_ID, 64, 64, true);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_LENGTH);
		whole_cut(&f, &w, RIG_ID, 64, 64, false);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_LENGTH);
		CU_ASSERT_EQUAL(r.r.dgrams.in_use, 0);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_HELD);
		whole_cut(&f, &w, RIG_ID, 64, 75, true);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_LENGTH);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 100), REASM_DONE);
		rig_expect(&r, &w);
		rig_free(&r);
	}
}

static void longest_packet(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;
		uint32_t text;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 100);
		text = REASM_LEN_MAX - w.head;
		whole_tcp(&w, v6, text);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 65000, text),
				REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 32000), REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 32000, 65000),
				REASM_DONE);
		rig_expect(&r, &w);
		/* One byte more. */
		whole_cut(&f, &w, RIG_ID, 65000, text, false);
		f.len++;
		be_put16(f.b + (v6 ? 4 : 2), f.len - (v6 ? 40 : 0));
		if (!v6)
			whole_seal(&f);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_SIZE);
		CU_ASSERT_EQUAL(r.r.dgrams.in_use, 0);
		rig_free(&r);
	}
}

/* It is the first fragment whose options make the packet too long. */
static void long_headers_come_last(void)
{
	struct reasm_rig r;

	rig_init(&r, 300);
	whole4(&w, IP_PROTO_TCP, 0, 65500);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 65500), REASM_HELD);
	whole4(&w, IP_PROTO_TCP, 40, 65400);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_SIZE);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_BURIED);
	rig_free(&r);

	/* More of them than are kept: 240 bytes of padding. */
	rig_init(&r, 300);
	whole6(&w, IP_PROTO_TCP, false, 500);
	whole_cut(&f, &w, RIG_ID, 0, 400, true);
	memmove(f.b + 280, f.b + 40, f.len - 40);
	memset(f.b + 40, 0, 240);
	f.b[6] = IP6_DSTOPTS;
	f.b[40] = 44;
	f.b[41] = 240 / 8 - 1;
	f.len += 240;
	f.head += 240;
	be_put16(f.b + 4, f.len - 40);
	CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_HEAD);
	CU_ASSERT_EQUAL(r.r.dgrams.in_use, 0);
	rig_free(&r);
}

/* RFC 1858, 3: the first fragment has all of the TCP header. */
static void tiny_first_fragment(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 100);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 8), REASM_TINY);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 16), REASM_TINY);
		CU_ASSERT_EQUAL(r.r.dgrams.in_use, 0);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 24), REASM_HELD);
		/* The other way to write a header anew: RFC 3128. */
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 8, 100), REASM_OVERLAP);
		rig_free(&r);
	}
}

/* ICMP needs 8 bytes only. */
static void small_first_fragment_of_icmp(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		if (v6)
			whole6(&w, IP_PROTO_ICMPV6, false, 100);
		else
			whole4(&w, IP_PROTO_ICMP, 0, 100);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 8), REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 8, 100), REASM_DONE);
		rig_expect(&r, &w);
		rig_free(&r);
	}
}

/* RFC 7112, 5: the header may stand behind extension headers in the text. */
static void tiny_behind_extensions(void)
{
	struct reasm_rig r;

	rig_init(&r, 300);
	whole6(&w, IP6_DSTOPTS, false, 200);
	memset(w.b + 40, 0, 16);
	w.b[40] = IP_PROTO_TCP;
	w.b[41] = 1; /* 16 bytes of padding */
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 8), REASM_TINY);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 16), REASM_TINY);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 32), REASM_TINY);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 40), REASM_HELD);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 40, 200), REASM_DONE);
	CU_ASSERT_EQUAL_FATAL(r.out.len, w.len);
	CU_ASSERT_EQUAL(memcmp(r.out.data, w.b, w.len), 0);
	reasm_release(&r.r);
	w.b[40] = IP_PROTO_ICMPV6;
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 16), REASM_TINY);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 24), REASM_HELD);
	rig_free(&r);
}

static void set_tos(struct whole *p, uint8_t tos)
{
	if (p->v6)
		p->b[1] = (uint8_t)(tos << 4);
	else
		p->b[1] = tos;
	if (!p->v6)
		whole_seal(p);
}

/* RFC 3168, 5.3 */
static void congestion_is_kept(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 200);
		set_tos(&w, TOS_ECT0);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 128), REASM_HELD);
		set_tos(&w, TOS_CE);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 128, 200), REASM_DONE);
		rig_expect(&r, &w);
		/* Nobody marks what does not know of marks. */
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_HELD);
		set_tos(&w, 0);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 200), REASM_ECN);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_BURIED);
		rig_free(&r);
	}
}

static void too_many_pieces(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;
		uint32_t i;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 8 * (REASM_PIECES_MAX + 6));
		for (i = 0; i < REASM_PIECES_MAX; i++)
			CU_ASSERT_EQUAL(
				rig_put(&r, &w, RIG_ID, 24 + 8 * i, 32 + 8 * i),
				REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 24), REASM_PIECES);
		CU_ASSERT_EQUAL(r.r.blks.in_use, 0);
		rig_free(&r);

		/* As many as are allowed. */
		rig_init(&r, 300);
		whole_tcp(&w, v6, 8 * (REASM_PIECES_MAX + 2));
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 24), REASM_HELD);
		for (i = 3; i < REASM_PIECES_MAX + 1; i++)
			CU_ASSERT_EQUAL(
				rig_put(&r, &w, RIG_ID, 8 * i, 8 * i + 8),
				REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 8 * i, 8 * i + 8),
				REASM_DONE);
		rig_expect(&r, &w);
		rig_free(&r);
	}
}

/* RFC 1122, 3.3.2; RFC 8200, 4.5 */
static void time_runs_out(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		int64_t end = RIG_NOW + (v6 ? REASM_LIFE6_US : REASM_LIFE4_US);
		struct reasm_lost lost;
		struct reasm_rig r;

		rig_init(&r, 300);
		CU_ASSERT_EQUAL(reasm_deadline(&r.r), TIME_NEVER);
		CU_ASSERT_FALSE(reasm_expire(&r.r, RIG_NOW, &lost));
		whole_tcp(&w, v6, 4000);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 1480, 2960),
				REASM_HELD);
		/* It is the first to arrive that starts the clock. */
		r.now_us += 1000000;
		whole_cut(&f, &w, RIG_ID, 0, 1480, true);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_HELD);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID + 1, 64, 128),
				REASM_HELD);
		CU_ASSERT_EQUAL(reasm_deadline(&r.r), end);
		CU_ASSERT_FALSE(reasm_expire(&r.r, end - 1, &lost));
		CU_ASSERT_TRUE(reasm_expire(&r.r, end, &lost));
		CU_ASSERT_EQUAL(lost.v6, v6);
		CU_ASSERT_EQUAL(lost.src.b[15], 1);
		CU_ASSERT_EQUAL(lost.dst.b[15], 2);
		CU_ASSERT_EQUAL(lost.quote_len,
				v6 ? WIRE_QUOTE6_MAX : WIRE_QUOTE4_MAX);
		CU_ASSERT_EQUAL(memcmp(lost.quote, f.b, lost.quote_len), 0);
		/* The first fragment of the other one never came. */
		CU_ASSERT_EQUAL(reasm_deadline(&r.r), end + 1000000);
		CU_ASSERT_TRUE(reasm_expire(&r.r, end + 1000000, &lost));
		CU_ASSERT_EQUAL(lost.quote_len, 0);
		CU_ASSERT_FALSE(reasm_expire(&r.r, end + 1000000, &lost));
		rig_free(&r);
	}
}

/* A first fragment shorter than a quote is quoted whole. */
static void short_quote(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_lost lost;
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 100);
		whole_cut(&f, &w, RIG_ID, 0, 64, true);
		CU_ASSERT_EQUAL(rig_input(&r, &f), REASM_HELD);
		CU_ASSERT_TRUE(reasm_expire(&r.r, reasm_deadline(&r.r), &lost));
		CU_ASSERT_EQUAL(lost.quote_len, f.len);
		CU_ASSERT_EQUAL(memcmp(lost.quote, f.b, f.len), 0);
		rig_free(&r);
	}
}

/* An older IPv6 datagram outlives an IPv4 one. */
static void families_have_their_own_time(void)
{
	struct reasm_lost lost;
	struct reasm_rig r;

	rig_init(&r, 300);
	whole_tcp(&w, true, 100);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_HELD);
	r.now_us += 1000000;
	whole_tcp(&w, false, 100);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_HELD);
	CU_ASSERT_EQUAL(reasm_deadline(&r.r),
			RIG_NOW + 1000000 + REASM_LIFE4_US);
	CU_ASSERT_TRUE(reasm_expire(&r.r, RIG_NOW + REASM_LIFE6_US, &lost));
	CU_ASSERT_FALSE(lost.v6);
	CU_ASSERT_TRUE(reasm_expire(&r.r, RIG_NOW + REASM_LIFE6_US, &lost));
	CU_ASSERT_TRUE(lost.v6);
	CU_ASSERT_FALSE(reasm_expire(&r.r, RIG_NOW + REASM_LIFE6_US, &lost));
	rig_free(&r);
}

/* The last octet of the source that whole_tcp() gave. */
static void from_host(struct whole *p, uint8_t host)
{
	if (p->v6) {
		p->b[15] = host; /* its network */
	} else {
		p->b[15] = host;
		whole_seal(p);
	}
}

/* Among sources that have one each, the oldest goes. */
static void full_the_oldest_goes(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 100);
		for (uint32_t i = 0; i < REASM_DGRAMS_MAX; i++)
			CU_ASSERT_EQUAL(rig_put(&r, &w, i, 0, 64), REASM_HELD);
		CU_ASSERT_EQUAL(r.r.evicted, 0);
		CU_ASSERT_EQUAL(rig_put(&r, &w, 1000, 0, 64), REASM_HELD);
		CU_ASSERT_EQUAL(r.r.evicted, 1);
		CU_ASSERT_EQUAL(r.r.dgrams.in_use, REASM_DGRAMS_MAX);
		/* 1 is there; 0 is not and pushes out the next one. */
		CU_ASSERT_EQUAL(rig_put(&r, &w, 1, 64, 100), REASM_DONE);
		expect_id(&r, 1);
		CU_ASSERT_EQUAL(rig_put(&r, &w, 0, 64, 100), REASM_HELD);
		rig_free(&r);
	}
}

/* Who floods loses its own. */
static void full_the_busiest_source_pays(void)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct reasm_rig r;

		rig_init(&r, 300);
		whole_tcp(&w, v6, 100);
		from_host(&w, 77);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_HELD);
		from_host(&w, 78);
		for (uint32_t i = 0; i < 10000; i++) {
			if (v6) /* from all over its network */
				be_put16(w.b + 22, i + 1);
			r.now_us++;
			CU_ASSERT_EQUAL(rig_put(&r, &w, i, 0, 64), REASM_HELD);
		}
		CU_ASSERT_EQUAL(r.r.evicted, 10000 + 1 - REASM_DGRAMS_MAX);
		whole_tcp(&w, v6, 100);
		from_host(&w, 77);
		CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 100), REASM_DONE);
		rig_expect(&r, &w);
		rig_free(&r);
	}
}

/* Blocks run out before records do; the datagram at work is not the one that
 * goes. */
static void text_is_bounded(void)
{
	struct reasm_rig r;
	uint32_t id;

	rig_init(&r, 64);
	CU_ASSERT_EQUAL(r.r.blks.max, 65);
	whole_tcp(&w, false, 60000);
	for (id = 0; id < 20; id++)
		CU_ASSERT_EQUAL(rig_put(&r, &w, id, 0, 30000), REASM_HELD);
	CU_ASSERT(r.r.evicted > 0);
	CU_ASSERT(r.r.blks.in_use <= r.r.blks.max);
	CU_ASSERT_EQUAL(rig_put(&r, &w, 19, 30000, 59000), REASM_HELD);
	CU_ASSERT_EQUAL(rig_put(&r, &w, 19, 59000, 60000), REASM_DONE);
	expect_id(&r, 19);
	rig_free(&r);
}

/* Fewer pages than the limit would allow: the arena itself is empty. */
static void memory_runs_out(void)
{
	struct reasm_rig r;
	void *hog[4];

	/* No page at all: not even a record. */
	rig_init(&r, 4);
	for (size_t i = 0; i < 4; i++)
		hog[i] = arena_page(&r.mem.arena, 9);
	whole_tcp(&w, true, 60000);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_MEMORY);
	CU_ASSERT_EQUAL(r.r.dgrams.in_use, 0);
	/* One for records. */
	arena_page_free(&r.mem.arena, hog[0]);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 64), REASM_MEMORY);
	CU_ASSERT_EQUAL(r.r.dgrams.in_use, 0);
	/* One for text: 15 or 16 blocks. */
	arena_page_free(&r.mem.arena, hog[1]);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 64, 30000), REASM_HELD);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID + 1, 0, 40000), REASM_HELD);
	CU_ASSERT_EQUAL(r.r.evicted, 1);
	/* None for the whole packet. */
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID + 1, 40000, 60000),
			REASM_MEMORY);
	CU_ASSERT_EQUAL(r.r.dgrams.in_use, 0);
	CU_ASSERT_EQUAL(r.r.blks.in_use, 0);
	/* Then all is well. */
	arena_page_free(&r.mem.arena, hog[2]);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 0, 40000), REASM_HELD);
	CU_ASSERT_EQUAL(rig_put(&r, &w, RIG_ID, 40000, 60000), REASM_DONE);
	rig_expect(&r, &w);
	arena_page_free(&r.mem.arena, hog[3]);
	rig_free(&r);
}

static const struct unit_test tests[] = {
	UNIT_TEST(in_order),
	UNIT_TEST(backwards),
	UNIT_TEST(headers_of_the_first),
	UNIT_TEST(datagrams_are_told_apart),
	UNIT_TEST(copies_are_ignored),
	UNIT_TEST(overlaps_are_refused),
	UNIT_TEST(conflicting_copy_is_refused),
	UNIT_TEST(refused_for_another_reason),
	UNIT_TEST(two_ends_are_refused),
	UNIT_TEST(odd_lengths_are_dropped),
	UNIT_TEST(longest_packet),
	UNIT_TEST(long_headers_come_last),
	UNIT_TEST(tiny_first_fragment),
	UNIT_TEST(small_first_fragment_of_icmp),
	UNIT_TEST(tiny_behind_extensions),
	UNIT_TEST(congestion_is_kept),
	UNIT_TEST(too_many_pieces),
	UNIT_TEST(time_runs_out),
	UNIT_TEST(short_quote),
	UNIT_TEST(families_have_their_own_time),
	UNIT_TEST(full_the_oldest_goes),
	UNIT_TEST(full_the_busiest_source_pays),
	UNIT_TEST(text_is_bounded),
	UNIT_TEST(memory_runs_out),
};

int main(int argc, char **argv)
{
	return unit_run("reasm", tests, ARRAY_LEN(tests), argc, argv);
}
