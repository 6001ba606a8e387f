/*
 * stack_ahead.c - What the next packets will need
 *
 * With a million connections the record of each packet's is cold, and lies
 * behind three steps that wait for each other: bucket, record, active record.
 * For one packet there is nothing to do about that. For several, the steps are
 * taken side by side: all buckets are asked for, then all records, then all
 * active records, and memory answers them at once. With few connections that is
 * worth it for the buckets: a new connection's may be any of many, and between
 * two batches the kernel has the caches.
 *
 * It is a hint throughout. Nothing is changed, nothing is believed that
 * stack_input() does not look at again, and a packet that is odd in any way is
 * just not looked at; only the hash of the key, which costs as much as the
 * rest, is handed on to it.
 */
#include <string.h>

#include "be.h"
#include "tcp_priv.h"

#define LINE	  64	 /* bytes of a cache line */
#define FEW	  2048	 /* so many records are near anyway; not buckets */
#define IP4_PIECE 0x3fff /* MF and the offset of a fragment */
#define IP6_NEXT  6
#define PORTS_LEN 4

static void ask_buckets(const struct table *t, struct stack_in *in,
			unsigned int n);
static bool key_of(const uint8_t *h, size_t len, struct tcp_key *key);
static void fetch(const void *p, size_t len);
static void fetch_active(const struct stack *st, ref_t ref);

void stack_ahead(const struct stack *st, struct stack_in *in, unsigned int n)
{
	ref_t ref[STACK_AHEAD];

	ASSERT(n <= STACK_AHEAD);
	if (n < 2 && st->table.n < FEW)
		return;
	ask_buckets(&st->table, in, n);
	if (st->table.n < FEW)
		return;
	for (unsigned int i = 0; i < n; i++) {
		ref[i] = 0;
		if (!in[i].meta.hashed)
			continue;
		ref[i] = table_first(&st->table, in[i].meta.hash);
		if (ref[i])
			fetch(ref_ptr(&st->arena, ref[i]),
			      sizeof(struct tcp_conn));
	}
	for (unsigned int i = 0; i < n; i++)
		if (ref[i])
			fetch_active(st, ref[i]);
}

/* Segments of one connection often come together: each hash is taken once. */
static void ask_buckets(const struct table *t, struct stack_in *in,
			unsigned int n)
{
	struct tcp_key key, last;
	uint32_t hash = 0;
	bool some = false;

	for (unsigned int i = 0; i < n; i++) {
		if (!key_of(in[i].pkt, in[i].len, &key))
			continue;
		if (!some || memcmp(&key, &last, sizeof(key)) != 0) {
			hash = table_hash(t, &key);
			table_fetch(t, hash);
			last = key;
			some = true;
		}
		in[i].meta.hash = hash;
		in[i].meta.hashed = true;
	}
}

/* What the table knows a packet by. False if it is not plain TCP. */
static bool key_of(const uint8_t *h, size_t len, struct tcp_key *key)
{
	size_t off;

	if (len < WIRE_IP4_LEN + PORTS_LEN)
		return false;
	if (h[0] >> 4 == 4) {
		off = (h[0] & 0xfu) * 4;
		if (h[9] != IP_PROTO_TCP || be_get16(h + 6) & IP4_PIECE)
			return false;
		ip_map4(&key->peer, h + 12);
		ip_map4(&key->local, h + 16);
	} else {
		off = WIRE_IP6_LEN;
		if (len < off || h[IP6_NEXT] != IP_PROTO_TCP)
			return false;
		memcpy(&key->peer, h + 8, 16);
		memcpy(&key->local, h + 24, 16);
	}
	if (len < off + PORTS_LEN)
		return false;
	key->peer_port = be_get16(h + off);
	key->local_port = be_get16(h + off + 2);
	return true;
}

static void fetch(const void *p, size_t len)
{
	for (size_t off = 0; off < len; off += LINE)
		__builtin_prefetch((const uint8_t *)p + off, 1);
}

/* Or, without one, its neighbours in the wheel: it will move there when it gets
 * one. */
static void fetch_active(const struct stack *st, ref_t ref)
{
	const struct tcp_conn *c = ref_ptr(&st->arena, ref);

	if (c->kind != KIND_CONN)
		return;
	if (c->active) {
		fetch(ref_ptr(&st->arena, c->active),
		      sizeof(struct tcp_active));
		return;
	}
	if (c->timer.next)
		fetch(ref_ptr(&st->arena, c->timer.next), LINE);
	if (c->timer.prev && !(c->timer.prev & WHEEL_HEAD))
		fetch(ref_ptr(&st->arena, c->timer.prev), LINE);
}
