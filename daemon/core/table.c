/*
 * table.c - Which connection does a packet belong to?
 *
 * Buckets are numbered by the low bits of a hash: `level` of them, and one more
 * for the buckets that have been split already (those below `split`, and the
 * ones that came out of them). Splitting bucket n of 2^level sends some of its
 * entries to the new bucket n + 2^level; when all are split, `level` goes up by
 * one. The buckets are first words of chains, 16384 to a page of the arena, and
 * a page is written to only as its buckets come into being.
 *
 * There are two buckets for an entry, so most look-ups end at the first entry
 * or at none. Four splits an insertion are the most: two keep the pace, two
 * more catch up if the arena had no page for a while. The table never shrinks:
 * it holds 8 bytes for each connection of the busiest moment.
 */
#include "table.h"

#include <string.h>

#include <sodium/crypto_shorthash.h>

#include "assert.h"

#define SEGMENT_BITS	  14
#define BUCKETS_PER_ENTRY 2
#define SPLITS_MAX	  4 /* an insertion */

_Static_assert(TABLE_SEGMENT == 1u << SEGMENT_BITS, "buckets in a page");
_Static_assert(sizeof(struct tcp_key) == 36, "a key has no padding");
_Static_assert(crypto_shorthash_KEYBYTES == 16, "size of the secret");

static uint32_t hash_again(const struct table *t, const struct tcp_key *key);
static void forget(struct table *t, ref_t e);
static bool key_equal(const struct tcp_key *a, const struct tcp_key *b);
static uint64_t differ_at(const void *a, const void *b, size_t off);
static uint32_t buckets(const struct table *t);
static uint32_t bucket_of(const struct table *t, uint32_t hash);
static ref_t *bucket_ptr(const struct table *t, uint32_t bucket);
static struct table_entry *entry(const struct table *t, ref_t e);
static ref_t *link_to(const struct table *t, ref_t e);
static bool split_bucket(struct table *t);

bool table_init(struct table *t, struct arena *a, const uint8_t secret[16],
		uint8_t tag)
{
	void *page = arena_page(a, tag);

	if (!page)
		return false;
	memset(page, 0, PAGE_SIZE_B);
	memset(t, 0, sizeof(*t));
	t->arena = a;
	memcpy(t->secret, secret, sizeof(t->secret));
	t->level = SEGMENT_BITS;
	t->tag = tag;
	t->segment[t->nsegments++] = ptr_ref(a, page);
	t->asked_hash = table_hash(t, &t->asked);
	return true;
}

uint32_t table_hash(const struct table *t, const struct tcp_key *key)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint32_t hash;

	crypto_shorthash(h, (const uint8_t *)key, sizeof(*key), t->secret);
	memcpy(&hash, h, sizeof(hash));
	return hash;
}

ref_t table_find(struct table *t, const struct tcp_key *key)
{
	if (t->latest && key_equal(&entry(t, t->latest)->key, key))
		return t->latest;
	return table_at(t, table_hash(t, key), key);
}

ref_t table_at(struct table *t, uint32_t hash, const struct tcp_key *key)
{
	ref_t e = table_first(t, hash);

	t->asked = *key;
	t->asked_hash = hash;
	while (e && !key_equal(&entry(t, e)->key, key))
		e = entry(t, e)->chain;
	if (e)
		t->latest = e;
	return e;
}

void table_fetch(const struct table *t, uint32_t hash)
{
	__builtin_prefetch(bucket_ptr(t, bucket_of(t, hash)));
}

ref_t table_first(const struct table *t, uint32_t hash)
{
	return *bucket_ptr(t, bucket_of(t, hash));
}

void table_insert(struct table *t, ref_t e)
{
	struct table_entry *p = entry(t, e);
	ref_t *head = bucket_ptr(t, bucket_of(t, hash_again(t, &p->key)));

	p->chain = *head;
	*head = e;
	t->n++;
	for (int i = 0; i < SPLITS_MAX; i++)
		if (buckets(t) / BUCKETS_PER_ENTRY >= t->n || !split_bucket(t))
			break;
}

void table_remove(struct table *t, ref_t e)
{
	*link_to(t, e) = entry(t, e)->chain;
	forget(t, e);
	t->n--;
}

void table_replace(struct table *t, ref_t e, ref_t with)
{
	ref_t *link = link_to(t, e);

	entry(t, with)->chain = entry(t, e)->chain;
	*link = with;
	forget(t, e);
}

/* What comes and goes was looked for just before, as a rule. */
static uint32_t hash_again(const struct table *t, const struct tcp_key *key)
{
	return key_equal(&t->asked, key) ? t->asked_hash : table_hash(t, key);
}

static void forget(struct table *t, ref_t e)
{
	if (t->latest == e)
		t->latest = 0;
}

/* One branch and no call, which memcmp() may become. The last word overlaps
 * the one before. */
static bool key_equal(const struct tcp_key *a, const struct tcp_key *b)
{
	return !(differ_at(a, b, 0) | differ_at(a, b, 8) | differ_at(a, b, 16) |
		 differ_at(a, b, 24) | differ_at(a, b, sizeof(*a) - 8));
}

static uint64_t differ_at(const void *a, const void *b, size_t off)
{
	uint64_t x, y;

	memcpy(&x, (const uint8_t *)a + off, sizeof(x));
	memcpy(&y, (const uint8_t *)b + off, sizeof(y));
	return x ^ y;
}

static uint32_t buckets(const struct table *t)
{
	return (1u << t->level) + t->split;
}

static uint32_t bucket_of(const struct table *t, uint32_t hash)
{
	uint32_t bucket = hash & ((1u << t->level) - 1);

	if (bucket < t->split)
		bucket = hash & ((2u << t->level) - 1);
	return bucket;
}

static ref_t *bucket_ptr(const struct table *t, uint32_t bucket)
{
	ref_t *page = ref_ptr(t->arena, t->segment[bucket >> SEGMENT_BITS]);

	return &page[bucket & (TABLE_SEGMENT - 1)];
}

static struct table_entry *entry(const struct table *t, ref_t e)
{
	return ref_ptr(t->arena, e);
}

/* The word that leads to @e: its bucket, or the chain of the one before. */
static ref_t *link_to(const struct table *t, ref_t e)
{
	ref_t *link =
		bucket_ptr(t, bucket_of(t, hash_again(t, &entry(t, e)->key)));

	while (*link != e) {
		ASSERT(*link != 0);
		link = &entry(t, *link)->chain;
	}
	return link;
}

/* False if there is no page for a new bucket, or no number for it. */
static bool split_bucket(struct table *t)
{
	uint32_t from = t->split, to = from + (1u << t->level);
	ref_t *stay = bucket_ptr(t, from), *go;
	ref_t e = *stay;
	void *page;

	if (to >> SEGMENT_BITS == t->nsegments) {
		if (t->nsegments == TABLE_SEGMENT_MAX)
			return false;
		page = arena_page(t->arena, t->tag);
		if (!page)
			return false;
		t->segment[t->nsegments++] = ptr_ref(t->arena, page);
	}
	go = bucket_ptr(t, to);
	while (e) {
		struct table_entry *p = entry(t, e);

		if (table_hash(t, &p->key) & 1u << t->level) {
			*go = e;
			go = &p->chain;
		} else {
			*stay = e;
			stay = &p->chain;
		}
		e = p->chain;
	}
	*stay = *go = 0;
	if (++t->split == 1u << t->level) {
		t->level++;
		t->split = 0;
	}
	return true;
}
