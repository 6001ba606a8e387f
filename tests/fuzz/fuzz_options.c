/*
 * fuzz_options.c - Options and extension headers, read twice
 *
 * The input describes a list: options of a TCP header, options of an IPv4
 * header, or a chain of IPv6 extension headers with the options in them. Most
 * have the length that their kind asks for, so that what stands behind a broken
 * one is reached, too. The packet around the list is always good.
 *
 * What the engine reads is compared with what a reader of our own makes of the
 * same bytes. It goes by tables and knows no shortcuts, and each rule in it is
 * written from the RFC.
 *
 *	0	which list: bits LIST_*; SYN or not, for options of TCP
 *	...	for each entry a kind, how long it is, and what it carries;
 *		without LIST_SHAPED the bytes of the list as they are
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/be.h"
#include "core/wire.h"
#include "seal.h"

#define LIST_IP4    0x01
#define LIST_IP6    0x02 /* both bits: TCP over IPv6 */
#define LIST_SYN    0x04
#define LIST_SHAPED 0x08

#define OPTIONS_MAX 40
#define CHAIN_MAX   1000
#define PKT_MAX	    2000
#define TEXT_LEN    5

/* The next header that begins a header of options, and others that it may
 * name: RFC 8200, 4; RFC 4302 is not spoken here. */
enum {
	HOPS = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	AUTH = 51,
	NOTHING = 59,
	DEST = 60
};

struct list {
	uint8_t bytes[CHAIN_MAX + 300];
	uint32_t len;
	uint8_t first; /* of an IPv6 chain: what it begins with */
};

struct feed {
	const uint8_t *p;
	size_t left;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static uint8_t feed8(struct feed *f)
{
	if (!f->left)
		return 0;
	f->left--;
	return *f->p++;
}

static void put(struct list *l, uint8_t byte)
{
	if (l->len < sizeof(l->bytes))
		l->bytes[l->len++] = byte;
}

static void put_from(struct list *l, struct feed *f, uint32_t n)
{
	while (n--)
		put(l, feed8(f));
}

/* One less or one more than it should be, or nothing, or far too much. */
static uint8_t bent(uint8_t len, uint8_t how)
{
	switch (how >> 5) {
	case 4:
		return (uint8_t)(len - 1);
	case 5:
		return (uint8_t)(len + 1);
	case 6:
		return 0;
	case 7:
		return (uint8_t)(len + (how & 31) * 8);
	default:
		return len;
	}
}

/* ---- options of TCP --------------------------------------------------- */

static const struct tcp_kind {
	uint8_t kind, len; /* 0: any; of SACK without its blocks */
	bool syn;	   /* says something in a SYN only */
} tcp_kinds[] = {
	{2, 4, true},	{3, 3, true},	{4, 2, true},	 {5, 2, false},
	{8, 10, false}, {30, 0, false}, {254, 0, false},
};

static void shape_tcp(struct list *l, struct feed *f)
{
	while (f->left && l->len < OPTIONS_MAX) {
		uint8_t which = feed8(f) % 10, how, len;

		if (which >= ARRAY_LEN(tcp_kinds)) {
			put(l, which != 9); /* no operation, or the end */
			continue;
		}
		how = feed8(f);
		len = tcp_kinds[which].len;
		if (tcp_kinds[which].kind == 5)
			len = (uint8_t)(len + (how & 7) * 8);
		else if (!len)
			len = 2 + (how & 15);
		put(l, tcp_kinds[which].kind);
		put(l, bent(len, how));
		put_from(l, f, len - 2u);
	}
}

/* RFC 9293, 3.1 (MUST-5 to MUST-7), 3.2; RFC 7323, 2 and 3; RFC 2018, 2 and 3.
 * False if a length is illegal. */
static bool read_tcp(const uint8_t *o, uint32_t n, bool syn, struct tcp_seg *s)
{
	uint32_t at = 0, len;

	while (at < n && o[at] != 0) {
		const uint8_t *v = o + at + 2;
		size_t i = 0;

		if (o[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 == n)
			return false;
		len = o[at + 1];
		if (len < 2 || at + len > n)
			return false;
		while (i < ARRAY_LEN(tcp_kinds) && tcp_kinds[i].kind != o[at])
			i++;
		at += len;
		if (i == ARRAY_LEN(tcp_kinds) || !tcp_kinds[i].len) {
			s->opts |= OPT_UNKNOWN;
			continue;
		}
		if (tcp_kinds[i].kind == 5) {
			if (len == 2 || len % 8 != 2)
				return false;
		} else if (len != tcp_kinds[i].len) {
			return false;
		}
		if (tcp_kinds[i].syn && !syn)
			continue;
		switch (tcp_kinds[i].kind) {
		case 2:
			s->opts |= OPT_MSS;
			s->mss = (uint16_t)(v[0] << 8 | v[1]);
			break;
		case 3:
			s->opts |= OPT_WSCALE;
			s->wscale = v[0] > 14 ? 14 : v[0];
			break;
		case 4:
			s->opts |= OPT_SACK_OK;
			break;
		case 5:
			s->opts |= OPT_SACK;
			s->nsack = (uint8_t)(len / 8);
			for (i = 0; i < s->nsack; i++) {
				s->sack[i].start = be_get32(v + 8 * i);
				s->sack[i].end = be_get32(v + 8 * i + 4);
			}
			break;
		default:
			s->opts |= OPT_TS;
			s->ts_val = be_get32(v);
			s->ts_ecr = be_get32(v + 4);
		}
	}
	return true;
}

/* ---- extension headers ------------------------------------------------ */

static const uint8_t next_headers[] = {HOPS, ROUTING,	   FRAGMENT, DEST,
				       DEST, IP_PROTO_TCP, NOTHING,  AUTH};

/* Options of a hop-by-hop or destination options header, up to @end. */
static void shape_options(struct list *l, struct feed *f, uint32_t end)
{
	while (l->len < end) {
		uint8_t kind = feed8(f), how;

		put(l, kind);
		if (!kind)
			continue;
		how = feed8(f);
		put(l, bent(how & 7, how));
		put_from(l, f, how & 7u);
	}
	l->len = end;
}

/* What a routing or a fragment header carries. Most of the fields mean
 * something where they are 0 or 1. */
static void shape_fields(struct list *l, struct feed *f, uint32_t end,
			 bool small)
{
	while (l->len < end)
		put(l, small ? feed8(f) & 1 : feed8(f));
}

static void shape_chain(struct list *l, struct feed *f)
{
	uint8_t kind = next_headers[feed8(f) % ARRAY_LEN(next_headers)], how;

	l->first = kind;
	while (f->left && l->len < CHAIN_MAX &&
	       (kind == HOPS || kind == ROUTING || kind == FRAGMENT ||
		kind == DEST)) {
		uint32_t end = l->len + 8;

		how = feed8(f);
		if (kind != FRAGMENT)
			end += (how & 3) * 8u;
		put(l, next_headers[how >> 2 & 7]);
		put(l, bent(kind == FRAGMENT ? 0 : how & 3, how));
		if (kind == HOPS || kind == DEST)
			shape_options(l, f, end);
		else
			shape_fields(l, f, end, how & 0x40);
		kind = next_headers[how >> 2 & 7];
	}
}

struct chain {
	enum drop_reason why;
	uint8_t proto, complaint;
	uint32_t head_len, complaint_at, id;
	uint16_t off;
	bool fragment, more;
};

/* RFC 8200, 4.2. Return: 0, or where the option is that forbids to go on; 1 if
 * nobody is told where. */
static uint32_t bad_option(const uint8_t *x, uint32_t len)
{
	uint32_t at = 2;

	while (at < len) {
		if (x[at] == 0) {
			at++;
			continue;
		}
		if (at + 1 == len || at + 2 + x[at + 1] > len)
			return 1;
		if (x[at] >= 0x80)
			return at;
		if (x[at] >= 0x40)
			return 1;
		at += 2u + x[at + 1];
	}
	return 0;
}

/* RFC 8200, 4.1 to 4.7; eight headers are enough for anybody. */
static struct chain read_chain(const uint8_t *pkt, uint32_t len)
{
	struct chain c = {.why = DROP_IP_EXTENSION,
			  .proto = pkt[6],
			  .head_len = WIRE_IP6_LEN};
	uint32_t named_at = 6, size, bad;

	for (unsigned int nth = 0;; nth++) {
		const uint8_t *x = pkt + c.head_len;

		if (c.proto == NOTHING && !c.fragment)
			return c;
		if (c.fragment || (c.proto != HOPS && c.proto != ROUTING &&
				   c.proto != FRAGMENT && c.proto != DEST)) {
			c.why = DROP_NONE;
			c.complaint = COMPLAIN_PROTOCOL;
			c.complaint_at = named_at;
			return c;
		}
		if (nth == 8 || c.head_len + 8 > len)
			return c;
		size = c.proto == FRAGMENT ? 8 : 8u * x[1] + 8;
		if (c.head_len + size > len)
			return c;
		bad = c.proto == HOPS || c.proto == DEST ? bad_option(x, size)
							 : 0;
		if (c.proto == HOPS && nth != 0) {
			c.complaint = COMPLAIN_PROTOCOL;
			c.complaint_at = named_at;
			return c;
		}
		if (bad > 1) {
			c.complaint = COMPLAIN_OPTION;
			c.complaint_at = c.head_len + bad;
		}
		if (bad)
			return c;
		if (c.proto == ROUTING && x[3] != 0) {
			c.complaint = COMPLAIN_FIELD;
			c.complaint_at = c.head_len + 2;
			return c;
		}
		if (c.proto == FRAGMENT) {
			c.off = be_get16(x + 2) & 0xfff8;
			c.more = x[3] & 1;
			c.id = be_get32(x + 4);
			c.fragment = c.off || c.more;
		}
		named_at = c.head_len;
		c.proto = x[0];
		c.head_len += size;
	}
}

/* ---- the packet ------------------------------------------------------- */

static const struct ip_addr hosts[2][2] = {
	{{{[10] = 0xff, 0xff, 198, 18, 66, 1}},
	 {{[10] = 0xff, 0xff, 198, 18, 66, 2}}},
	{{{0xfd, 0x74, [15] = 1}}, {{0xfd, 0x74, [15] = 2}}},
};

static uint32_t put_ip(uint8_t *pkt, bool v6, uint8_t proto, uint32_t len)
{
	return wire_ip_build(pkt, &hosts[v6][0], &hosts[v6][1], proto, 64, 0, 1,
			     false, len);
}

/* A copy of its own size, so that ASan sees the end of the packet. */
static uint8_t *copy_of(const uint8_t *pkt, size_t len)
{
	uint8_t *copy = malloc(len);

	ASSERT(copy);
	return memcpy(copy, pkt, len);
}

static void check_tcp(struct list *l, bool v6, bool syn)
{
	uint8_t pkt[PKT_MAX] = {0}, *copy, *h;
	struct tcp_seg got, want = {0};
	enum drop_reason why;
	struct ip_pkt ip;
	uint32_t n = (l->len < OPTIONS_MAX ? l->len + 3 : OPTIONS_MAX) & ~3u;
	uint32_t len;

	len = put_ip(pkt, v6, IP_PROTO_TCP, WIRE_TCP_LEN + n + TEXT_LEN);
	h = pkt + len;
	be_put32(h, 7 << 16 | 9);
	h[12] = (uint8_t)((WIRE_TCP_LEN + n) / 4 << 4);
	h[13] = syn ? TH_SYN : TH_ACK;
	memcpy(h + WIRE_TCP_LEN, l->bytes, n);
	len += WIRE_TCP_LEN + n + TEXT_LEN;
	packet_seal(pkt, len);

	copy = copy_of(pkt, len);
	ASSERT(wire_ip_parse(copy, len, &ip) == DROP_NONE);
	why = wire_tcp_parse(&ip, false, &got);
	if (!read_tcp(l->bytes, n, syn, &want)) {
		ASSERT(why == DROP_TCP_OPTION);
	} else {
		ASSERT(why == DROP_NONE);
		ASSERT(got.opts == want.opts);
		ASSERT(got.mss == want.mss);
		ASSERT(got.wscale == want.wscale);
		ASSERT(got.ts_val == want.ts_val);
		ASSERT(got.ts_ecr == want.ts_ecr);
		ASSERT(got.nsack == want.nsack);
		for (unsigned int i = 0; i < want.nsack; i++) {
			ASSERT(got.sack[i].start == want.sack[i].start);
			ASSERT(got.sack[i].end == want.sack[i].end);
		}
		ASSERT(got.len == TEXT_LEN);
	}
	free(copy);
}

/* RFC 9293, 3.9.2 (MUST-50): whatever they are, they are passed over. */
static void check_ip4(struct list *l)
{
	uint32_t n = (l->len < OPTIONS_MAX ? l->len + 3 : OPTIONS_MAX) & ~3u;
	uint8_t pkt[PKT_MAX] = {0}, *copy;
	struct ip_pkt ip;
	uint32_t len = WIRE_IP4_LEN + n + TEXT_LEN;

	put_ip(pkt, false, IP_PROTO_UDP, n + TEXT_LEN);
	pkt[0] = (uint8_t)(0x40 + (WIRE_IP4_LEN + n) / 4);
	memcpy(pkt + WIRE_IP4_LEN, l->bytes, n);
	packet_seal(pkt, len);
	copy = copy_of(pkt, len);
	ASSERT(wire_ip_parse(copy, len, &ip) == DROP_NONE);
	ASSERT(!ip.fragment);
	ASSERT(ip.proto == IP_PROTO_UDP);
	ASSERT(ip.body == copy + WIRE_IP4_LEN + n);
	ASSERT(ip.body_len == TEXT_LEN);
	free(copy);
}

static void check_ip6(struct list *l)
{
	uint8_t pkt[PKT_MAX] = {0}, *copy;
	uint32_t len = WIRE_IP6_LEN + l->len + TEXT_LEN;
	struct chain want;
	struct ip_pkt ip;

	put_ip(pkt, true, l->first, l->len + TEXT_LEN);
	memcpy(pkt + WIRE_IP6_LEN, l->bytes, l->len);
	want = read_chain(pkt, len);
	copy = copy_of(pkt, len);
	ASSERT(wire_ip_parse(copy, len, &ip) == want.why);
	ASSERT(ip.complaint == want.complaint);
	ASSERT(ip.unknown_at == want.complaint_at);
	ASSERT(ip.head_len == want.head_len);
	ASSERT(ip.body == copy + want.head_len);
	ASSERT(ip.body_len == len - want.head_len);
	if (want.why == DROP_NONE) {
		ASSERT(ip.proto == want.proto);
		ASSERT(ip.fragment == want.fragment);
		ASSERT(ip.frag_off == want.off);
		ASSERT(ip.frag_more == want.more);
		ASSERT(ip.frag_id == want.id);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = {data, size};
	struct list l = {.len = 0};
	uint8_t how = feed8(&f);
	bool ip4 = (how & 3) == LIST_IP4, ip6 = (how & 3) == LIST_IP6;

	if (ip6 && how & LIST_SHAPED) {
		shape_chain(&l, &f);
	} else if (!ip4 && !ip6 && how & LIST_SHAPED) {
		shape_tcp(&l, &f);
	} else {
		l.first = ip6 ? feed8(&f) : 0;
		while (f.left && l.len < CHAIN_MAX)
			put(&l, feed8(&f));
	}
	if (ip6)
		check_ip6(&l);
	else if (ip4)
		check_ip4(&l);
	else
		check_tcp(&l, how & LIST_IP6, how & LIST_SYN);
	return 0;
}
