/*
 * reasm.c - Fragments put together again
 *
 * A datagram is a record with the headers of its first fragment as they
 * arrived, and a list of the pieces that are there, in order and never
 * overlapping; so it is whole when the lengths of its pieces add up to where
 * the last one ends. Text lies in blocks of one size, each for a fixed stretch
 * of the datagram and there only if bytes of it are; so a piece is put in its
 * place at once, and a stray one at the far end takes one block.
 *
 * Records are few and looked for from the oldest on. A refused datagram keeps
 * its record until its time is over, without text, to know its late fragments
 * by.
 */
#include "reasm.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

#include <tcphs/stack.h>

#include "assert.h"
#include "be.h"

/* As many as fit into a page with its head. */
#define BLK_SIZE ((PAGE_SIZE_B - PAGE_HEAD) / 16 / 32 * 32)
#define BLKS_MAX 256u				/* of all datagrams */
#define BLKS	 (REASM_LEN_MAX / BLK_SIZE + 1) /* of one */

#define FRAG_UNIT 8 /* bytes; offsets and all pieces but the last */

#define IP4_LENGTH_AT	2
#define IP4_FRAGMENT_AT 6
#define IP4_CSUM_AT	10
#define IP6_LENGTH_AT	4

#define UPPER_LEN 8 /* of ICMP and most others; less tells nothing */

#define ECN_NONE 0

struct piece {
	uint16_t start, len; /* bytes of text */
};

struct dgram {
	struct list_link age;
	struct ip_addr src, dst;
	uint32_t id;
	uint8_t proto; /* IPv4: part of its name; IPv6: means nothing */
	bool v6;
	bool refused;
	uint8_t ecn;	   /* 1 << codepoint of each fragment */
	uint8_t bucket;	   /* of its source, in reasm.held */
	uint16_t head_len; /* of the first fragment; 0 = not there yet */
	uint16_t npieces;
	uint32_t have;	/* bytes of text */
	uint32_t total; /* bytes of text; 0 = the last one is not there yet */
	int64_t came_us;
	ref_t blk[BLKS]; /* 0 = no byte of it is there */
	struct piece piece[REASM_PIECES_MAX];
	uint8_t head[REASM_HEAD_MAX];
};

_Static_assert(REASM_LEN_MAX <= PAGE_SIZE_B, "a packet lies in one page");
_Static_assert(REASM_HEAD_MAX <= WIRE_QUOTE4_MAX, "room for text");
_Static_assert(WIRE_QUOTE4_MAX <= WIRE_QUOTE6_MAX, "one buffer for both");
_Static_assert(REASM_DGRAMS_MAX <= UINT8_MAX, "reasm.held");

static enum reasm_verdict check(const struct ip_pkt *ip);
static uint32_t kept_head(bool v6, uint32_t head_len);
static bool upper_header_whole(const struct ip_pkt *ip);
static struct dgram *dgram_find(const struct reasm *r, const struct ip_pkt *ip);
static struct dgram *dgram_new(struct reasm *r, const struct ip_pkt *ip,
			       int64_t now_us);
static void dgram_refuse(struct reasm *r, struct dgram *d);
static void dgram_free(struct reasm *r, struct dgram *d);
static struct dgram *oldest(const struct reasm *r, bool v6);
static bool evict(struct reasm *r, ref_t keep);
static bool goes_before(const struct reasm *r, const struct dgram *a,
			const struct dgram *b);
static enum reasm_verdict add(struct reasm *r, struct dgram *d,
			      const struct ip_pkt *ip);
static bool is_copy(const struct reasm *r, const struct dgram *d,
		    const struct piece *p, const struct ip_pkt *ip);
static bool store(struct reasm *r, struct dgram *d, uint32_t at,
		  const uint8_t *data, uint32_t len);
static void fetch(const struct reasm *r, const struct dgram *d, uint8_t *to,
		  uint32_t len);
static void free_text(struct reasm *r, struct dgram *d);
static enum reasm_verdict finish(struct reasm *r, struct dgram *d,
				 struct reasm_pkt *out);
static void finish_head(uint8_t *h, const struct dgram *d, uint32_t len);

void reasm_init(struct reasm *r, struct arena *a, const uint8_t key[16],
		const uint8_t tags[3])
{
	/* A page has 16 blocks, so a sixteenth of the pages has this many. */
	uint32_t blks = a->npages < BLKS_MAX ? a->npages : BLKS_MAX;

	memset(r, 0, sizeof(*r));
	r->arena = a;
	pool_init(&r->dgrams, a, sizeof(struct dgram), REASM_DGRAMS_MAX,
		  tags[0]);
	pool_init(&r->blks, a, BLK_SIZE, blks > BLKS ? blks : BLKS, tags[1]);
	r->page_tag = tags[2];
	for (int v6 = 0; v6 < 2; v6++)
		list_init(&r->by_age[v6], offsetof(struct dgram, age));
	memcpy(r->key, key, sizeof(r->key));
}

enum reasm_verdict reasm_input(struct reasm *r, const struct ip_pkt *ip,
			       int64_t now_us, struct reasm_pkt *out)
{
	enum reasm_verdict v = check(ip);
	struct dgram *d;

	ASSERT(ip->fragment);
	ASSERT(!r->page);
	if (v != REASM_HELD)
		return v;
	d = dgram_find(r, ip);
	if (!d)
		d = dgram_new(r, ip, now_us);
	if (!d)
		return REASM_MEMORY;
	if (d->refused)
		return REASM_BURIED;
	v = add(r, d, ip);
	if (v == REASM_HELD && d->have == d->total)
		v = finish(r, d, out);
	if (v == REASM_DONE || v == REASM_MEMORY)
		dgram_free(r, d);
	else if (v != REASM_HELD && v != REASM_COPY)
		dgram_refuse(r, d);
	return v;
}

void reasm_refuse(struct reasm *r, const struct ip_pkt *ip, int64_t now_us)
{
	struct dgram *d = dgram_find(r, ip);

	if (!d)
		d = dgram_new(r, ip, now_us);
	if (d)
		dgram_refuse(r, d);
}

void reasm_release(struct reasm *r)
{
	ASSERT(r->page);
	arena_page_free(r->arena, r->page);
	r->page = NULL;
}

int64_t reasm_deadline(const struct reasm *r)
{
	const struct dgram *d4 = oldest(r, false), *d6 = oldest(r, true);
	int64_t at4 = d4 ? d4->came_us + REASM_LIFE4_US : TIME_NEVER;
	int64_t at6 = d6 ? d6->came_us + REASM_LIFE6_US : TIME_NEVER;

	return at4 < at6 ? at4 : at6;
}

bool reasm_expire(struct reasm *r, int64_t now_us, struct reasm_lost *lost)
{
	struct dgram *d;
	uint32_t room, len;

	if (now_us < reasm_deadline(r))
		return false;
	d = oldest(r, false);
	if (!d || now_us < d->came_us + REASM_LIFE4_US)
		d = oldest(r, true);
	lost->src = d->src;
	lost->dst = d->dst;
	lost->v6 = d->v6;
	lost->quote_len = 0;
	if (d->head_len) {
		room = (d->v6 ? WIRE_QUOTE6_MAX : WIRE_QUOTE4_MAX) -
		       d->head_len;
		len = d->piece[0].len < room ? d->piece[0].len : room;
		memcpy(lost->quote, d->head, d->head_len);
		fetch(r, d, lost->quote + d->head_len, len);
		lost->quote_len = d->head_len + len;
	}
	dgram_free(r, d);
	return true;
}

/* What can be said of a fragment alone. */
static enum reasm_verdict check(const struct ip_pkt *ip)
{
	uint32_t head = kept_head(ip->v6, ip->head_len);

	if (!ip->body_len || (ip->frag_more && ip->body_len % FRAG_UNIT))
		return REASM_LENGTH;
	if (head + ip->frag_off + ip->body_len > REASM_LEN_MAX)
		return REASM_SIZE;
	if (ip->frag_off)
		return REASM_HELD;
	if (ip->head_len > REASM_HEAD_MAX)
		return REASM_HEAD;
	return upper_header_whole(ip) ? REASM_HELD : REASM_TINY;
}

/* Bytes of the headers that the whole packet will have, too. */
static uint32_t kept_head(bool v6, uint32_t head_len)
{
	return v6 ? head_len - WIRE_FRAG6_LEN : head_len;
}

/*
 * Ports and flags of a segment must be in its first fragment, or a filter that
 * looks there sees nothing (RFC 1858, 3). The other half of that attack, a
 * second fragment that begins inside the header, needs no test of its own: it
 * overlaps the first one.
 */
static bool upper_header_whole(const struct ip_pkt *ip)
{
	uint8_t proto = ip->proto;
	uint32_t at = 0;

	/* RFC 7112, 5: with the extension headers before it. */
	while (ip->v6 && (proto == IP6_HOPOPTS || proto == IP6_ROUTING ||
			  proto == IP6_DSTOPTS)) {
		if (ip->body_len - at < IP6_EXT_UNIT)
			return false;
		proto = ip->body[at];
		at += (ip->body[at + 1] + 1u) * IP6_EXT_UNIT;
		if (at > ip->body_len)
			return false;
	}
	return ip->body_len - at >=
	       (proto == IP_PROTO_TCP ? WIRE_TCP_LEN : UPPER_LEN);
}

/* RFC 791, 3.2: by addresses, protocol and identification; RFC 8200, 4.5:
 * without the protocol, of which the first fragment alone has a say. */
static struct dgram *dgram_find(const struct reasm *r, const struct ip_pkt *ip)
{
	struct dgram *d = oldest(r, ip->v6);

	while (d) {
		if (d->id == ip->frag_id && (ip->v6 || d->proto == ip->proto) &&
		    memcmp(&d->src, &ip->src, sizeof(d->src)) == 0 &&
		    memcmp(&d->dst, &ip->dst, sizeof(d->dst)) == 0)
			return d;
		if (d->age.next == LIST_END)
			break;
		d = ref_ptr(r->arena, d->age.next);
	}
	return NULL;
}

static struct dgram *dgram_new(struct reasm *r, const struct ip_pkt *ip,
			       int64_t now_us)
{
	struct dgram *d;
	uint64_t hash;

	while (!(d = pool_get(&r->dgrams)))
		if (!evict(r, 0))
			return NULL;
	memset(d, 0, offsetof(struct dgram, piece));
	d->src = ip->src;
	d->dst = ip->dst;
	d->id = ip->frag_id;
	d->proto = ip->proto;
	d->v6 = ip->v6;
	d->came_us = now_us;
	/* Who has one IPv6 address has 2^64 of them. */
	crypto_shorthash((unsigned char *)&hash, ip->src.b, ip->v6 ? 8 : 16,
			 r->key);
	d->bucket = hash % REASM_BUCKETS;
	r->held[d->bucket]++;
	list_append(r->arena, &r->by_age[d->v6], ptr_ref(r->arena, d));
	return d;
}

static void dgram_refuse(struct reasm *r, struct dgram *d)
{
	free_text(r, d);
	d->refused = true;
	d->head_len = 0;
}

static void dgram_free(struct reasm *r, struct dgram *d)
{
	free_text(r, d);
	ASSERT(r->held[d->bucket] > 0);
	r->held[d->bucket]--;
	list_remove(r->arena, &r->by_age[d->v6], ptr_ref(r->arena, d));
	pool_put(&r->dgrams, d);
}

static struct dgram *oldest(const struct reasm *r, bool v6)
{
	ref_t ref = r->by_age[v6].head;

	return ref == LIST_END ? NULL : ref_ptr(r->arena, ref);
}

/* Drop the oldest datagram of the source that has most; false if there is none
 * but @keep (0 = none). */
static bool evict(struct reasm *r, ref_t keep)
{
	struct dgram *found = NULL, *d;

	for (int v6 = 0; v6 < 2; v6++) {
		ref_t ref = r->by_age[v6].head;

		for (; ref != LIST_END; ref = d->age.next) {
			d = ref_ptr(r->arena, ref);
			if (ref != keep && (!found || goes_before(r, d, found)))
				found = d;
		}
	}
	if (!found)
		return false;
	r->evicted++;
	dgram_free(r, found);
	return true;
}

static bool goes_before(const struct reasm *r, const struct dgram *a,
			const struct dgram *b)
{
	uint8_t na = r->held[a->bucket], nb = r->held[b->bucket];

	return na > nb || (na == nb && a->came_us < b->came_us);
}

static enum reasm_verdict add(struct reasm *r, struct dgram *d,
			      const struct ip_pkt *ip)
{
	uint32_t start = ip->frag_off, end = start + ip->body_len;
	uint32_t i = d->npieces, before_end, last_end;
	const struct piece *last = i ? &d->piece[i - 1] : NULL;

	/* Found from the end: most come in order. */
	while (i > 0 && d->piece[i - 1].start > start)
		i--;
	before_end = i ? d->piece[i - 1].start + d->piece[i - 1].len : 0u;
	if (before_end > start || (i < d->npieces && d->piece[i].start < end)) {
		return i && is_copy(r, d, &d->piece[i - 1], ip) ? REASM_COPY
								: REASM_OVERLAP;
	}
	last_end = last ? last->start + last->len : 0u;
	if ((d->total && end > d->total) || (!ip->frag_more && end < last_end))
		return REASM_END;
	if (d->npieces == REASM_PIECES_MAX)
		return REASM_PIECES;
	if (!store(r, d, start, ip->body, ip->body_len))
		return REASM_MEMORY;
	memmove(&d->piece[i + 1], &d->piece[i],
		(d->npieces - i) * sizeof(d->piece[0]));
	d->piece[i].start = (uint16_t)start;
	d->piece[i].len = (uint16_t)ip->body_len;
	d->npieces++;
	d->have += ip->body_len;
	d->ecn |= (uint8_t)(1 << (ip->tos & IP_ECN_MASK));
	if (!ip->frag_more)
		d->total = end;
	if (!start) {
		memcpy(d->head, ip->head, ip->head_len);
		d->head_len = (uint16_t)ip->head_len;
	}
	return REASM_HELD;
}

/* The same stretch, the same place in the datagram, the same bytes? */
static bool is_copy(const struct reasm *r, const struct dgram *d,
		    const struct piece *p, const struct ip_pkt *ip)
{
	uint32_t at = p->start, end = at + p->len, n;
	const uint8_t *data = ip->body;

	if (at != ip->frag_off || p->len != ip->body_len ||
	    ip->frag_more != (end != d->total))
		return false;
	for (; at < end; at += n, data += n) {
		const uint8_t *blk = ref_ptr(r->arena, d->blk[at / BLK_SIZE]);

		n = BLK_SIZE - at % BLK_SIZE;
		if (n > end - at)
			n = end - at;
		if (memcmp(blk + at % BLK_SIZE, data, n) != 0)
			return false;
	}
	return true;
}

/* Write text in its place; false without memory, and then not all of it. */
static bool store(struct reasm *r, struct dgram *d, uint32_t at,
		  const uint8_t *data, uint32_t len)
{
	uint32_t n;

	for (; len > 0; at += n, data += n, len -= n) {
		ref_t *ref = &d->blk[at / BLK_SIZE];
		uint8_t *blk;

		while (!*ref) {
			blk = pool_get(&r->blks);
			if (blk)
				*ref = ptr_ref(r->arena, blk);
			else if (!evict(r, ptr_ref(r->arena, d)))
				return false;
		}
		blk = ref_ptr(r->arena, *ref);
		n = BLK_SIZE - at % BLK_SIZE;
		if (n > len)
			n = len;
		memcpy(blk + at % BLK_SIZE, data, n);
	}
	return true;
}

/* Copy the first @len bytes of text, all of which are there. */
static void fetch(const struct reasm *r, const struct dgram *d, uint8_t *to,
		  uint32_t len)
{
	for (uint32_t i = 0; len > 0; i++) {
		uint32_t n = len < BLK_SIZE ? len : BLK_SIZE;

		memcpy(to, ref_ptr(r->arena, d->blk[i]), n);
		to += n;
		len -= n;
	}
}

static void free_text(struct reasm *r, struct dgram *d)
{
	for (uint32_t i = 0; i < BLKS; i++) {
		if (d->blk[i])
			pool_put(&r->blks, ref_ptr(r->arena, d->blk[i]));
		d->blk[i] = 0;
	}
}

/* All text is there, so the first fragment is. */
static enum reasm_verdict finish(struct reasm *r, struct dgram *d,
				 struct reasm_pkt *out)
{
	uint32_t head_len = kept_head(d->v6, d->head_len);
	uint8_t *h;

	ASSERT(d->head_len > 0);
	/* The first fragment may have longer headers than the others. */
	if (head_len + d->total > REASM_LEN_MAX)
		return REASM_SIZE;
	if (d->ecn & 1 << IP_ECN_CE && d->ecn & 1 << ECN_NONE)
		return REASM_ECN;
	h = arena_page(r->arena, r->page_tag);
	if (!h)
		return REASM_MEMORY;
	r->page = h;
	out->data = h;
	out->len = head_len + d->total;
	memcpy(h, d->head, head_len);
	finish_head(h, d, out->len);
	fetch(r, d, h + head_len, d->total);
	return REASM_DONE;
}

static void finish_head(uint8_t *h, const struct dgram *d, uint32_t len)
{
	bool ce = d->ecn & 1 << IP_ECN_CE;
	uint32_t head_len = kept_head(d->v6, d->head_len);
	uint32_t next_at = IP6_NEXT_AT, at = WIRE_IP6_LEN;

	if (!d->v6) {
		if (ce)
			h[1] |= IP_ECN_CE;
		be_put16(h + IP4_LENGTH_AT, (uint16_t)len);
		be_put16(h + IP4_FRAGMENT_AT, 0);
		be_put16(h + IP4_CSUM_AT, 0);
		be_put16(h + IP4_CSUM_AT,
			 csum_fold(csum_partial(h, head_len, 0)));
		return;
	}
	if (ce)
		h[1] |= IP_ECN_CE << 4;
	be_put16(h + IP6_LENGTH_AT, (uint16_t)(len - WIRE_IP6_LEN));
	/* RFC 8200, 4.5: what named the fragment header names what it named. */
	while (at < head_len) {
		next_at = at;
		at += (h[at + 1] + 1u) * IP6_EXT_UNIT;
	}
	ASSERT(at == head_len);
	ASSERT(h[next_at] == IP6_FRAGMENT);
	h[next_at] = d->head[head_len];
}
