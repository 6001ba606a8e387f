/*
 * table.h - Which connection does a packet belong to?
 *
 * Linear hashing (Litwin, 1980) with short chains: the table grows by one
 * bucket at a time, so that no insertion ever pays for a million entries. Keys
 * are hashed with a secret (SipHash): nobody outside can aim at one chain.
 *
 * Everything in the table begins with a struct table_entry, so half-open
 * records, connections and TIME-WAIT records are found by one look-up.
 */
#ifndef TCPHS_TABLE_H
#define TCPHS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/event.h>

#include "pool.h"

struct table_entry {
	struct tcp_key key; /* 36 bytes */
	ref_t chain;	    /* next in the bucket */
};

#define TABLE_SEGMENT	  (PAGE_SIZE_B / sizeof(ref_t)) /* buckets in a page */
#define TABLE_SEGMENT_MAX 2048				/* 32 M buckets */

struct table {
	struct arena *arena;
	uint8_t secret[16];
	uint32_t n;	/* entries */
	uint32_t level; /* buckets are numbered by level bits or one more */
	uint32_t split; /* the next bucket to be split */
	uint8_t tag;
	ref_t latest;	      /* found last: segments come in rows; 0 = none */
	struct tcp_key asked; /* looked for last */
	uint32_t asked_hash;
	uint32_t nsegments;
	ref_t segment[TABLE_SEGMENT_MAX]; /* pages of buckets */
};

/** table_init() - Takes one page; false if there is none */
bool table_init(struct table *t, struct arena *a, const uint8_t secret[16],
		uint8_t tag);

/** table_hash() - Of @key, for table_at() and those below */
uint32_t table_hash(const struct table *t, const struct tcp_key *key);

/** table_find() - 0 if there is none */
ref_t table_find(struct table *t, const struct tcp_key *key);

/** table_at() - The same, if @hash of @key is known */
ref_t table_at(struct table *t, uint32_t hash, const struct tcp_key *key);

/** table_fetch() - table_first() will be asked about @hash: get it near */
void table_fetch(const struct table *t, uint32_t hash);

/** table_first() - What is looked at first for @hash; 0 = nothing */
ref_t table_first(const struct table *t, uint32_t hash);

/** table_insert() - @e must not be in it; never fails, chains just get longer
 * when there is no page to grow into */
void table_insert(struct table *t, ref_t e);

/** table_remove() - @e must be in it */
void table_remove(struct table *t, ref_t e);

/** table_replace() - Put @with where @e is; both have the same key */
void table_replace(struct table *t, ref_t e, ref_t with);

#endif
