/*
 * fuzz_reasm.c - No fragments deceive what puts them together
 *
 * The input is a list of steps, of six bytes each and, if it says so, with
 * text: a fragment between two hosts, put in after some time. What comes out
 * must be a packet that wire_ip_parse() takes, with text that was put in at its
 * place: each text is a function of where it lies, unless the step spoils it.
 * Some steps hand in the rest of the input as a packet as it is.
 *
 *	0	what: STEP_*
 *	1, 2	offset, in units of 8 bytes
 *	3	length, in units of 8 bytes; how many bytes less if it is the last
 *	4	identification, host, ECN
 *	5	time that passes, in seconds
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <tcphs/stack.h>

#include "core/assert.h"
#include "core/be.h"
#include "core/reasm.h"
#include "seal.h"

#define STEP_LEN   6
#define STEP_V6	   0x01
#define STEP_MORE  0x02
#define STEP_SPOIL 0x04 /* a byte of the text is another */
#define STEP_UDP   0x08
#define STEP_EXT   0x10 /* options, or an extension header */
#define STEP_FAR   0x20 /* the length counts 64 bytes */
#define STEP_RAW   0xc0 /* both bits: what follows is a packet */

#define PAGES	8
#define PKT_MAX 66000

struct fuzz {
	uint8_t *mem;
	struct arena arena;
	struct reasm r;
	int64_t now_us;
	bool spoilt; /* any text so far */
	uint8_t pkt[PKT_MAX];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void tcphs_assert_failed(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static uint8_t text_at(uint32_t at)
{
	return (uint8_t)(at * 13 + (at >> 8) * 3);
}

/* All that came out can be read, and is what was put in. */
static void check_whole(const struct fuzz *f, const struct reasm_pkt *out,
			const struct ip_pkt *last)
{
	enum drop_reason why;
	struct ip_pkt ip;

	ASSERT(out->len <= REASM_LEN_MAX);
	why = wire_ip_parse(out->data, out->len, &ip);
	/* Behind the fragment header may be extension headers, bad ones, too. */
	ASSERT(why == DROP_NONE || (last->v6 && why == DROP_IP_EXTENSION));
	ASSERT(ip.head_len + ip.body_len == out->len);
	ASSERT(memcmp(&ip.src, &last->src, sizeof(ip.src)) == 0);
	ASSERT(memcmp(&ip.dst, &last->dst, sizeof(ip.dst)) == 0);
	ASSERT(last->v6 || !ip.fragment);
	if (f->spoilt)
		return;
	ASSERT(why == DROP_NONE);
	ASSERT(!ip.fragment);
	for (uint32_t i = 0; i < ip.body_len; i++)
		ASSERT(ip.body[i] == text_at(i));
}

static void check_limits(const struct reasm *r)
{
	uint32_t held = 0;

	ASSERT(r->dgrams.in_use <= REASM_DGRAMS_MAX);
	ASSERT(r->blks.in_use <= r->blks.max);
	ASSERT(r->by_age[0].n + r->by_age[1].n == r->dgrams.in_use);
	for (size_t i = 0; i < REASM_BUCKETS; i++)
		held += r->held[i];
	ASSERT(held == r->dgrams.in_use);
	ASSERT((reasm_deadline(r) == TIME_NEVER) == !held);
}

static void packet_input(struct fuzz *f, const uint8_t *pkt, size_t len)
{
	struct reasm_pkt out;
	struct ip_pkt ip;
	uint8_t *copy;

	/* A copy of its own size, so that ASan sees the end of the packet. */
	copy = malloc(len ? len : 1);
	if (!copy)
		return;
	memcpy(copy, pkt, len);
	if (wire_ip_parse(copy, len, &ip) == DROP_NONE && ip.fragment &&
	    reasm_input(&f->r, &ip, f->now_us, &out) == REASM_DONE) {
		check_whole(f, &out, &ip);
		reasm_release(&f->r);
	}
	free(copy);
	check_limits(&f->r);
}

static uint32_t head4(uint8_t *h, const uint8_t *s)
{
	uint32_t len = s[0] & STEP_EXT ? 24 : 20;

	memset(h, 0, 24);
	h[0] = (uint8_t)(0x40 + len / 4);
	h[1] = s[4] >> 6;
	h[5] = s[4] & 7;
	be_put16(h + 6, (uint16_t)((s[1] & 0x1f) << 8 | s[2]));
	if (s[0] & STEP_MORE)
		h[6] |= 0x20;
	h[8] = 64;
	h[9] = s[0] & STEP_UDP ? 17 : IP_PROTO_TCP;
	be_put32(h + 12, 0xc6124201 + (s[4] >> 3 & 7));
	be_put32(h + 16, 0xc6124202);
	h[20] = h[21] = h[22] = 1; /* no operation */
	return len;
}

static uint32_t head6(uint8_t *h, const uint8_t *s)
{
	uint8_t *x = h + WIRE_IP6_LEN;

	memset(h, 0, WIRE_IP6_LEN + 16);
	be_put32(h, 6u << 28 | (uint32_t)(s[4] >> 6) << 20);
	h[6] = 44;
	h[7] = 64;
	h[8] = h[24] = 0xfd;
	h[15] = s[4] >> 3 & 7;
	h[23] = 1;
	h[39] = 2;
	if (s[0] & STEP_EXT) {
		h[6] = 60;
		x[0] = 44;
		x += 8;
	}
	x[0] = s[0] & STEP_UDP ? 17 : IP_PROTO_TCP;
	be_put16(x + 2,
		 (uint16_t)((s[1] << 8 | s[2]) << 3 | !!(s[0] & STEP_MORE)));
	x[7] = s[4] & 7;
	return (uint32_t)(x + 8 - h);
}

static void fragment_input(struct fuzz *f, const uint8_t *s)
{
	bool v6 = s[0] & STEP_V6;
	uint32_t at, len, head = v6 ? head6(f->pkt, s) : head4(f->pkt, s);

	at = ((s[1] & 0x1fu) << 8 | s[2]) * 8;
	len = s[0] & STEP_FAR ? s[3] * 64u : s[3] & 0xf8;
	if (!(s[0] & STEP_MORE) && len > 8)
		len -= s[3] & 7;
	for (uint32_t i = 0; i < len; i++)
		f->pkt[head + i] = text_at(at + i);
	if (s[0] & STEP_SPOIL && len) {
		f->pkt[head + len / 2] ^= 1;
		f->spoilt = true;
	}
	be_put16(f->pkt + (v6 ? 4 : 2),
		 (uint16_t)(head + len - (v6 ? WIRE_IP6_LEN : 0)));
	if (!v6)
		be_put16(f->pkt + 10, csum_fold(csum_partial(f->pkt, head, 0)));
	packet_input(f, f->pkt, head + len);
}

static void expire(struct fuzz *f, int64_t after_us)
{
	struct reasm_lost lost;
	uint32_t n = f->r.dgrams.in_use;
	int64_t at;

	f->now_us += after_us;
	for (;;) {
		at = reasm_deadline(&f->r);
		if (!reasm_expire(&f->r, f->now_us, &lost))
			break;
		n--;
		ASSERT(at <= f->now_us);
		ASSERT(lost.quote_len <=
		       (lost.v6 ? WIRE_QUOTE6_MAX : WIRE_QUOTE4_MAX));
		if (lost.quote_len)
			ASSERT(lost.quote[0] >> 4 == (lost.v6 ? 6 : 4));
		ASSERT(f->r.dgrams.in_use == n);
	}
	ASSERT(at > f->now_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[16], tags[3] = {1, 2, 3};
	static struct fuzz f;
	uint8_t *mem = f.mem;

	if (!mem) {
		mem = aligned_alloc(PAGE_SIZE_B, PAGES * PAGE_SIZE_B);
		if (!mem)
			return 0;
	}
	memset(&f, 0, sizeof(f));
	f.mem = mem;
	ASSERT(arena_init(&f.arena, mem, PAGES * PAGE_SIZE_B, 0));
	memset(f.arena.owner, 0, f.arena.npages);
	reasm_init(&f.r, &f.arena, key, tags);
	for (; size >= STEP_LEN; data += STEP_LEN, size -= STEP_LEN) {
		expire(&f, data[5] * 1000000ll);
		if ((data[0] & STEP_RAW) != STEP_RAW) {
			fragment_input(&f, data);
			continue;
		}
		if (size - STEP_LEN > PKT_MAX)
			break;
		f.spoilt = true;
		memcpy(f.pkt, data + STEP_LEN, size - STEP_LEN);
		packet_seal(f.pkt, size - STEP_LEN);
		packet_input(&f, f.pkt, size - STEP_LEN);
	}
	expire(&f, REASM_LIFE6_US);
	ASSERT(f.r.dgrams.in_use == 0);
	ASSERT(f.r.blks.in_use == 0);
	ASSERT(f.arena.used <= 2);
	return 0;
}
