/*
 * stack.c - One turn of the engine
 *
 * A stack lies at the start of the memory it was given; behind it the arena
 * (pool.h) gives pages to pools, and the pools give records. Packets come in
 * by stack_input() and go out by stack_output(), which first empties the queue
 * of packets that belong to no full connection (tcp_reply.c) and then asks the
 * connections on st->out, one packet each in turn, so that no flow starves
 * another. Connections that ended are freed by stack_reap() alone.
 */
#include <errno.h>
#include <sodium/crypto_shorthash.h>
#include <string.h>

#include "be.h"
#include "tcp_priv.h"

#define FLOW_LABEL_MAX 0xfffff
#define REARM_SLICE    4096 /* places a call */

/* Of a packet of which the device says nothing. */
static const struct stack_rx unvouched;

static void stack_enter(struct stack *st, int64_t now_us);
static void stack_leave(struct stack *st);
static bool conf_valid(const struct stack_conf *conf);
static void pools_init(struct stack *st);
static void rearm_some(struct stack *st);
static void packet_input(struct stack *st, const void *pkt, size_t len,
			 const struct stack_rx *meta);
static void fragment_input(struct stack *st, const struct ip_pkt *ip);
static enum drop_reason ip_for_us(const struct stack *st,
				  const struct ip_pkt *ip);

struct stack *stack_init(void *mem, size_t len, const struct stack_conf *conf,
			 const uint8_t seed[32], int64_t now_us)
{
	static const uint8_t reasm_tags[3] = {TAG_DGRAM, TAG_DGRAM_TEXT,
					      TAG_DGRAM_WHOLE};
	struct stack *st = mem;
	uint8_t table_key[16], sources_key[16], reasm_key[16];
	bool room;

	if (len < STACK_MEM_MIN || !conf_valid(conf))
		return NULL;
	/* STACK_MEM_MIN is enough for what is always there. */
	room = arena_init(&st->arena, mem, len, sizeof(*st));
	ASSERT(room);
	st->conf = *conf;
	st->now_us = now_us;
	memcpy(st->random_key, seed, sizeof(st->random_key));
	/* Secrets that must not tell about each other: a key of their own. */
	memcpy(st->isn_key, seed + 16, sizeof(st->isn_key));
	for (size_t i = 0; i < 16; i += 8) {
		uint64_t r[4] = {stack_random(st), stack_random(st),
				 stack_random(st), stack_random(st)};

		memcpy(table_key + i, &r[0], 8);
		memcpy(sources_key + i, &r[1], 8);
		memcpy(st->cookie_key + i, &r[2], 8);
		memcpy(reasm_key + i, &r[3], 8);
	}
	pools_init(st);
	reasm_init(&st->reasm, &st->arena, reasm_key, reasm_tags);
	room = table_init(&st->table, &st->arena, table_key, TAG_TABLE);
	ASSERT(room);
	room = table_init(&st->sources, &st->arena, sources_key, TAG_SOURCES);
	ASSERT(room);
	wheel_init(&st->wheel_half, &st->arena,
		   offsetof(struct tcp_half, timer), now_us);
	wheel_init(&st->wheel_conn, &st->arena,
		   offsetof(struct tcp_conn, timer), now_us);
	list_init(&st->out, offsetof(struct tcp_active, out));
	list_init(&st->ready, offsetof(struct tcp_active, ready));
	tcp_early_init(st);
	st->tw_tick = (uint64_t)(now_us / TW_TICK_US);
	st->next_port = (uint16_t)stack_random(st);
	st->rst_bucket.filled_us = now_us - 1000000;
	st->challenge_bucket.filled_us = now_us - 1000000;
	st->echo_bucket.filled_us = now_us - 1000000;
	st->complaint_bucket.filled_us = now_us - 1000000;
	tap_init(st);
	stack_reconf(st, conf);
	return st;
}

const struct stack_conf *stack_conf(const struct stack *st)
{
	return &st->conf;
}

int64_t stack_now(const struct stack *st)
{
	return st->now_us;
}

void stack_reconf(struct stack *st, const struct stack_conf *conf)
{
	struct stack_conf old = st->conf;
	uint8_t old_wscale = tcp_syn_wscale(st);

	st->conf = *conf;
	st->conf.own4 = old.own4;
	st->conf.own6 = old.own6;
	st->conf.net4 = old.net4;
	st->conf.net6 = old.net6;
	st->conf.host4 = old.host4;
	st->conf.host6 = old.host6;
	st->conf.own_prefix = old.own_prefix;
	st->conf.mtu = old.mtu;
	st->conf.csum_offload = old.csum_offload;
	st->conf.gso_max = old.gso_max;
	st->rtt_limits.initial_us = (uint32_t)conf->rto_initial_us;
	st->rtt_limits.min_us = (uint32_t)conf->rto_min_us;
	st->rtt_limits.max_us = (uint32_t)conf->rto_max_us;
	if (conf->keepalive_us != old.keepalive_us ||
	    conf->user_timeout_us != old.user_timeout_us) {
		st->rearming = true;
		st->rearm_cursor = 0;
	}
	if (tcp_syn_wscale(st) != old_wscale) {
		st->old_wscale = old_wscale;
		st->old_wscale_until_us = st->now_us + COOKIE_LIFE_US;
	}
}

/* An idle connection has no timer that would look at what is configured now. */
static void rearm_some(struct stack *st)
{
	struct tcp_conn *c;

	for (int i = 0; i < REARM_SLICE; i++) {
		c = pool_next(&st->pool_conn, &st->rearm_cursor);
		if (!c) {
			st->rearming = false;
			return;
		}
		if (c->kind == KIND_CONN)
			tcp_rearm(st, c);
	}
}

void stack_share(struct stack *st, const struct stack_share *share)
{
	st->share = *share;
}

void stack_counts(const struct stack *st, unsigned int listener,
		  struct stack_counts *sum)
{
	uint32_t half_open = count_of(&st->half_open);
	const struct listener *l;

	sum->connections += count_of(&st->full) + half_open;
	sum->half_open += half_open;
	if (listener >= STACK_LISTENERS_MAX)
		return;
	l = &st->listeners[listener];
	sum->listener_connections += count_of(&l->connections);
	sum->listener_half_open += count_of(&l->half_open);
}

struct stack_counts stack_counted(const struct stack *st, unsigned int listener)
{
	struct stack_counts sum = {0};

	stack_counts(st, listener, &sum);
	if (st->share.others)
		st->share.others(st->share.ctx, listener, &sum);
	return sum;
}

void stack_input(struct stack *st, const void *pkt, size_t len,
		 const struct stack_rx *meta, int64_t now_us)
{
	stack_enter(st, now_us);
	st->stats.packets_in++;
	st->stats.bytes_in += len;
	if (!meta)
		meta = &unvouched;
	if (tap_on(st))
		tap_begin(st, pkt, len, meta);
	packet_input(st, pkt, len, meta);
	if (tap_on(st))
		tap_taken(st);
	stack_leave(st);
}

void stack_services(struct stack *st, int64_t now_us)
{
	stack_enter(st, now_us);
	/* Those that wake themselves again wait for the next turn. */
	for (uint32_t n = st->ready.n; n > 0; n--) {
		ref_t r = list_pop(&st->arena, &st->ready);
		struct tcp_active *a;

		if (!r)
			break;
		a = ref_ptr(&st->arena, r);
		tcp_run_service(st, ref_ptr(&st->arena, a->conn));
	}
	stack_leave(st);
}

void stack_expire(struct stack *st, int64_t now_us)
{
	struct reasm_lost lost;
	ref_t r;

	stack_enter(st, now_us);
	if (st->rearming)
		rearm_some(st);
	while ((r = wheel_pop(&st->wheel_half, now_us)))
		tcp_half_expire(st, ref_ptr(&st->arena, r));
	while ((r = wheel_pop(&st->wheel_conn, now_us)))
		tcp_timer(st, ref_ptr(&st->arena, r));
	timewait_expire(st);
	while (reasm_expire(&st->reasm, now_us, &lost)) {
		stack_drop(st, DROP_FRAG_TIMEOUT, NULL, NULL, NULL);
		icmp_complain_lost(st, &lost);
	}
	stack_leave(st);
}

bool stack_output(struct stack *st, struct stack_pkt *out, int64_t now_us)
{
	bool some = false;

	stack_enter(st, now_us);
	if (reply_output(st, out)) {
		some = true;
	} else {
		while (!some && st->out.head != LIST_END) {
			ref_t r = list_pop(&st->arena, &st->out);
			struct tcp_active *a = ref_ptr(&st->arena, r);
			struct tcp_conn *c = ref_ptr(&st->arena, a->conn);

			some = tcp_output(st, c, out);
			if (some)
				list_append(&st->arena, &st->out, r);
		}
	}
	if (some) {
		st->stats.packets_out++;
		st->stats.bytes_out += out->len;
		if (tap_on(st))
			tap_sent(st, out);
	}
	stack_leave(st);
	return some;
}

void stack_reap(struct stack *st, int64_t now_us)
{
	stack_enter(st, now_us);
	tcp_reap(st);
	stack_leave(st);
}

int64_t stack_deadline(const struct stack *st)
{
	int64_t at, other;

	if (st->out.n || st->ready.n || st->nreplies || st->reap_head ||
	    st->rearming)
		return 0;
	at = wheel_deadline(&st->wheel_half);
	other = wheel_deadline(&st->wheel_conn);
	at = other < at ? other : at;
	other = timewait_deadline(st);
	at = other < at ? other : at;
	other = reasm_deadline(&st->reasm);
	return other < at ? other : at;
}

uint64_t stack_random(struct stack *st)
{
	uint64_t out;

	st->random_n++;
	crypto_shorthash((unsigned char *)&out,
			 (const unsigned char *)&st->random_n,
			 sizeof(st->random_n), st->random_key);
	return out;
}

uint32_t stack_new_id(struct stack *st)
{
	uint32_t *last = st->share.last_id;

	return last ? __atomic_add_fetch(last, 1, __ATOMIC_RELAXED)
		    : ++st->last_id;
}

/* F() of RFC 9293, 3.4.1: SipHash under a key that never leaves (MUST-9). */
uint64_t stack_isn_hash(const struct stack *st, const struct tcp_key *key)
{
	uint64_t out;

	_Static_assert(sizeof(*key) == 36, "no padding may be hashed");
	crypto_shorthash((unsigned char *)&out, (const unsigned char *)key,
			 sizeof(*key), st->isn_key);
	return out;
}

uint32_t stack_flow_label(const struct stack *st, const struct tcp_key *key)
{
	/* Of another length than what stack_isn_hash() hashes: under the same
	 * secret they tell nothing of each other. */
	uint8_t named[sizeof(*key) + 1] = {[sizeof(*key)] = 1};
	uint64_t hash;

	if (ip_addr_is4(&key->peer))
		return 0;
	memcpy(named, key, sizeof(*key));
	crypto_shorthash((unsigned char *)&hash, named, sizeof(named),
			 st->isn_key);
	hash &= FLOW_LABEL_MAX;
	return hash ? (uint32_t)hash : FLOW_LABEL_MAX;
}

bool stack_is_own(const struct stack *st, const struct ip_addr *a)
{
	bool v4 = ip_addr_is4(a);
	const struct stack_conf *conf = &st->conf;
	const struct ip_prefix *net = v4 ? &conf->net4 : &conf->net6;
	const struct ip_addr *own = v4 ? &conf->own4 : &conf->own6;
	const struct ip_addr *host = v4 ? &conf->host4 : &conf->host6;

	if (!net->len)
		return false;
	if (memcmp(a, own, sizeof(*a)) == 0)
		return true;
	return conf->own_prefix && ip_prefix_has(net, a) &&
	       memcmp(a, host, sizeof(*a)) != 0;
}

bool stack_is_broadcast(const struct stack *st, const struct ip_addr *a)
{
	const struct ip_prefix *net = &st->conf.net4;
	uint32_t host_bits, bits;

	/* 31- and 32-bit prefixes have neither: RFC 3021, 2.1. */
	if (!net->len || net->len > 126 || !ip_mapped(a->b))
		return false;
	/* Asked twice for each packet: no bytes one by one. */
	host_bits = (uint32_t)((1ull << (128 - net->len)) - 1);
	bits = be_get32(a->b + 12);
	if ((bits ^ be_get32(net->addr.b + 12)) & ~host_bits)
		return false;
	return (bits & host_bits) == 0 || (bits & host_bits) == host_bits;
}

bool stack_is_short(const struct stack *st)
{
	uint32_t left = stack_pages_left(st);

	return left <= st->arena.npages / 8 || left <= 12;
}

/* A page for each kind of record that text takes, at least. */
static uint32_t pages_kept(const struct stack *st)
{
	uint32_t part = st->arena.npages / 16;

	return part > 8 ? part : 8;
}

bool stack_is_full(const struct stack *st)
{
	return stack_pages_left(st) <= pages_kept(st);
}

/* What is half-open becomes a connection, with an active record for a moment. In
 * pages that are there already, after others have gone, that takes no more; but
 * somebody has to have memory for what they send. */
bool stack_is_full_for_syn(const struct stack *st)
{
	uint32_t left = stack_pages_left(st), kept = pages_kept(st);
	uint32_t conns = st->half_open + 1, room = pool_room(&st->pool_conn);

	if (conns <= room && st->pool_half.partial)
		return left <= kept / 2;
	if (conns > room)
		kept += 1 + (conns - room) / st->pool_conn.per_page;
	return left <= kept + 1;
}

/* When the second's share is nearly used up, chance decides: how many of his own
 * challenges somebody gets must not tell him how many others got (CVE-2016-5696;
 * Cao et al., "Off-path TCP exploits: global rate limit considered dangerous",
 * 2016). */
bool challenge_take(struct stack *st)
{
	struct bucket *b = &st->challenge_bucket;
	uint32_t rate = st->conf.challenge_ack_rate, few = rate / 2;

	if (!bucket_take(b, rate, st->now_us))
		return false;
	if (b->tokens >= few || stack_random(st) % few <= b->tokens)
		return true;
	b->tokens++;
	return false;
}

bool bucket_take(struct bucket *b, uint32_t rate, int64_t now_us)
{
	int64_t passed = now_us - b->filled_us;
	int64_t more;

	if (!rate)
		return false;
	if (passed >= 1000000) {
		b->tokens = rate;
		b->filled_us = now_us;
	} else if ((more = passed * rate / 1000000) > 0) {
		b->tokens = b->tokens + more < rate ? b->tokens + (uint32_t)more
						    : rate;
		b->filled_us += more * 1000000 / rate;
	}
	if (!b->tokens)
		return false;
	b->tokens--;
	return true;
}

static void stack_enter(struct stack *st, int64_t now_us)
{
	/* The clock never goes back, whatever the caller says. */
	if (now_us > st->now_us)
		st->now_us = now_us;
	reply_release(st);
}

static void stack_leave(struct stack *st)
{
	ASSERT(st->full == st->pool_conn.in_use || st->reap_head);
	ASSERT(st->half_open == st->pool_half.in_use);
}

static bool conf_valid(const struct stack_conf *conf)
{
	if (!conf->net4.len && !conf->net6.len)
		return false;
	if (conf->mtu < 576 || (conf->net6.len && conf->mtu < 1280))
		return false;
	return conf->window_scale <= 14 && conf->rcvbuf > 0 &&
	       conf->sndbuf > 0 && conf->rto_min_us > 0 &&
	       conf->rto_initial_us > 0 && conf->rto_max_us > 0;
}

static void pools_init(struct stack *st)
{
	struct arena *a = &st->arena;
	static const uint8_t send_tags[3] = {TAG_SEND_SMALL, TAG_SEND_LARGE,
					     TAG_SEND_REF};

	/* The limits of the configuration are checked where work begins, since
	 * they may change; the pools are limited by memory alone. */
	pool_init(&st->pool_half, a, sizeof(struct tcp_half), 0, TAG_HALF);
	pool_init(&st->pool_conn, a, sizeof(struct tcp_conn), 0, TAG_CONN);
	pool_init(&st->pool_active, a, sizeof(struct tcp_active), 0,
		  TAG_ACTIVE);
	pool_init(&st->pool_timewait, a, sizeof(struct tcp_timewait), 0,
		  TAG_TIMEWAIT);
	pool_init(&st->pool_tx, a, sizeof(struct tx_rec), 0, TAG_TX);
	pool_init(&st->pool_reply, a, sizeof(struct reply), 0, TAG_REPLY);
	pool_init(&st->pool_source, a, sizeof(struct tcp_source), 0,
		  TAG_SOURCE);
	pool_init(&st->pool_settings, a, sizeof(struct tcp_settings), 0,
		  TAG_SETTINGS);
	pool_init(&st->pool_path, a, sizeof(struct tcp_path), 0, TAG_PATH);
	pool_init(&st->pool_undo, a, sizeof(struct tcp_undo), 0, TAG_UNDO);
	sendq_pools_init(&st->send_pools, a, send_tags);
	recvq_pools_init(&st->recv_pools, a, TAG_RECV, TAG_RECV_RANGES);
}

static void packet_input(struct stack *st, const void *pkt, size_t len,
			 const struct stack_rx *meta)
{
	struct ip_pkt ip;
	enum drop_reason why = wire_ip_parse(pkt, len, &ip);
	bool addressed = why == DROP_NONE;

	if (addressed)
		why = ip_for_us(st, &ip);
	if (why == DROP_NONE && !ip.fragment && ip.proto == IP_PROTO_TCP) {
		tcp_input(st, &ip, meta); /* says more: tap_found() */
		return;
	}
	if (tap_on(st))
		tap_addressed(st, addressed ? &ip : NULL);
	if (why != DROP_NONE) {
		stack_drop(st, why, NULL, NULL, NULL);
		/* RFC 1122, 3.2.2.1; RFC 8200, 4 */
		if (why == DROP_IP_PROTOCOL || why == DROP_IP_EXTENSION)
			icmp_complain(st, ip.complaint, &ip);
	} else if (ip.fragment) {
		fragment_input(st, &ip);
	} else if (ip.proto == IP_PROTO_UDP) {
		udp_input(st, &ip, meta->csum_ok);
	} else {
		icmp_input(st, &ip);
	}
}

static void fragment_input(struct stack *st, const struct ip_pkt *ip)
{
	static const enum drop_reason why[] = {
		[REASM_COPY] = DROP_FRAG_COPY,
		[REASM_LENGTH] = DROP_FRAG_LENGTH,
		[REASM_SIZE] = DROP_FRAG_SIZE,
		[REASM_TINY] = DROP_FRAG_TINY,
		[REASM_HEAD] = DROP_FRAG_HEAD,
		[REASM_BURIED] = DROP_FRAG_BURIED,
		[REASM_OVERLAP] = DROP_FRAG_OVERLAP,
		[REASM_END] = DROP_FRAG_END,
		[REASM_PIECES] = DROP_FRAG_PIECES,
		[REASM_ECN] = DROP_FRAG_ECN,
		[REASM_MEMORY] = DROP_FRAG_MEMORY,
	};
	uint64_t evicted = st->reasm.evicted;
	struct reasm_pkt whole;
	enum reasm_verdict v;

	if (st->reasm.page) { /* a fragment in fragments */
		stack_drop(st, DROP_IP_FRAGMENT, NULL, NULL, NULL);
		return;
	}
	v = reasm_input(&st->reasm, ip, st->now_us, &whole);
	for (; evicted < st->reasm.evicted; evicted++)
		stack_drop(st, DROP_FRAG_EVICTED, NULL, NULL, NULL);
	if (v == REASM_DONE) {
		if (!st->share.whole ||
		    !st->share.whole(st->share.ctx, whole.data, whole.len))
			packet_input(st, whole.data, whole.len, &unvouched);
		reasm_release(&st->reasm);
	} else if (v != REASM_HELD) {
		stack_drop(st, why[v], NULL, NULL, NULL);
		icmp_complain_fragment(st, v, ip);
	}
}

static enum drop_reason ip_for_us(const struct stack *st,
				  const struct ip_pkt *ip)
{
	/* RFC 9293, 3.9.2.3 (MUST-57, MUST-63) */
	if (stack_is_broadcast(st, &ip->dst))
		return DROP_IP_BROADCAST;
	if (stack_is_broadcast(st, &ip->src))
		return DROP_IP_SOURCE;
	if (!stack_is_own(st, &ip->dst))
		return DROP_IP_NOT_OURS;
	/* What an IPv6 fragment carries is known when it is whole. */
	if (ip->proto == IP_PROTO_TCP || ip->proto == IP_PROTO_UDP ||
	    (ip->v6 && ip->fragment) ||
	    ip->proto == (ip->v6 ? IP_PROTO_ICMPV6 : IP_PROTO_ICMP))
		return DROP_NONE;
	return DROP_IP_PROTOCOL;
}
