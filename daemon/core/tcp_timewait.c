/*
 * tcp_timewait.c - 2 MSL of memory for a connection that is over
 *
 * RFC 9293, 3.6.1 (MUST-13). There can be very many of these, all waiting for
 * the same time, so they get 64 bytes and a wheel of their own: one level of
 * 250 ms slots with singly linked lists. One that leaves early (its numbers
 * are reused: RFC 6191) stays in its slot as a tombstone until that comes up.
 */
#include <string.h>

#include "tcp_priv.h"

#define TOLD_MASK 63 /* bits of tcp_timewait.told */

static struct tcp_timewait *tw_new(struct stack *st);
static void tw_arm(struct stack *st, struct tcp_timewait *tw, int64_t at_us);
static bool tw_reusable(const struct stack *st, const struct tcp_timewait *tw,
			const struct tcp_seg *seg);
static bool is_fin_again(const struct tcp_timewait *tw,
			 const struct tcp_seg *seg);
static void tw_ack(struct stack *st, struct tcp_timewait *tw,
		   const struct tcp_seg *seg);

void timewait_enter(struct stack *st, struct tcp_conn *c)
{
	bool in_table = !(c->flags & CF_DEAD);
	struct tcp_timewait *tw;

	if (!in_table && table_find(&st->table, &c->e.key))
		return; /* there is a new one already */
	tw = tw_new(st);
	if (!tw) {
		/* Rather forget an old connection than refuse new ones. */
		stack_limit_hit(st, LIMIT_MEMORY, &c->e.key, c->listener);
		if (in_table)
			table_remove(&st->table, conn_ref(st, c));
		return;
	}
	memset(tw, 0, sizeof(*tw));
	tw->e.key = c->e.key;
	tw->kind = KIND_TIMEWAIT;
	tw->ts = !!(c->flags & CF_TS);
	tw->client = !!(c->flags & CF_CLIENT);
	tw->told = (st->now_us / TW_TICK_US - 1) & TOLD_MASK;
	tw->id = c->id;
	tw->snd_nxt = c->snd_nxt;
	tw->rcv_nxt = c->rcv_nxt;
	tw->ts_recent = c->ts_recent;
	if (in_table)
		table_replace(&st->table, conn_ref(st, c),
			      ptr_ref(&st->arena, tw));
	else
		table_insert(&st->table, ptr_ref(&st->arena, tw));
	tw_arm(st, tw,
	       c->state == TCP_TIME_WAIT ? c->linger_at_us
					 : st->now_us + 2 * st->conf.msl_us);
	st->time_wait++;
	st->time_wait_client += tw->client;
}

/* Those that are over take none of the last pages: at the end of these, new ones
 * are refused (stack_is_full()). */
static struct tcp_timewait *tw_new(struct stack *st)
{
	const struct pool *p = &st->pool_timewait;

	if (!p->partial && !p->spare && stack_is_short(st))
		return NULL;
	return pool_get(&st->pool_timewait);
}

void timewait_input(struct stack *st, struct tcp_timewait *tw,
		    const struct tcp_key *key, struct tcp_seg *seg)
{
	/* RFC 1337, 3 (F1): a RST must not end TIME-WAIT early. */
	if (seg->flags & TH_RST) {
		stack_drop(st, DROP_RST_NOBODY, key, seg, NULL);
		return;
	}
	/* RFC 9293, 3.6.1 (MAY-2); if it opens nothing, we wait on. */
	if (seg->flags & TH_SYN && !(seg->flags & TH_ACK) &&
	    tw_reusable(st, tw, seg)) {
		tcp_listen_input(st, key, seg, tw);
		return;
	}
	/* RFC 9293, 3.10.7.4: the only thing that can arrive is the FIN
	 * again. Acknowledge it, and wait 2 MSL from now. */
	if (is_fin_again(tw, seg))
		tw->deadline = (uint16_t)((st->now_us + 2 * st->conf.msl_us) /
						  TW_TICK_US +
					  1);
	else
		stack_drop(st, seg_len(seg) ? DROP_SEQ : DROP_DUPLICATE, key,
			   seg, NULL);
	/* A bare ACK is not answered with one: two such ends would go on
	 * forever. */
	if (seg_len(seg) || seg->seq != tw->rcv_nxt)
		tw_ack(st, tw, seg);
}

void timewait_expire(struct stack *st)
{
	uint64_t now = (uint64_t)(st->now_us / TW_TICK_US);

	/* After a long sleep one round sees every slot. */
	if (now > st->tw_tick + TW_SLOTS)
		st->tw_tick = now - TW_SLOTS;
	for (; st->tw_tick <= now; st->tw_tick++) {
		unsigned int slot = st->tw_tick % TW_SLOTS;
		ref_t r = st->tw_slot[slot];

		st->tw_slot[slot] = 0;
		st->tw_bits[slot / 64] &= ~(1ull << slot % 64);
		while (r) {
			struct tcp_timewait *tw = ref_ptr(&st->arena, r);
			int16_t left = (int16_t)(tw->deadline - (uint16_t)now);

			r = tw->next;
			if (tw->kind == KIND_TOMB) {
				pool_put(&st->pool_timewait, tw);
			} else if (left > 0) {
				tw_arm(st, tw,
				       st->now_us + left * (int64_t)TW_TICK_US);
			} else {
				table_remove(&st->table,
					     ptr_ref(&st->arena, tw));
				st->time_wait--;
				st->time_wait_client -= tw->client;
				pool_put(&st->pool_timewait, tw);
			}
		}
	}
}

int64_t timewait_left(const struct stack *st, const struct tcp_timewait *tw)
{
	uint16_t now = (uint16_t)(st->now_us / TW_TICK_US);
	int64_t left = (int16_t)(tw->deadline - now) * (int64_t)TW_TICK_US -
		       st->now_us % TW_TICK_US;

	/* It was rounded up to a tick. */
	if (left > 2 * st->conf.msl_us)
		left = 2 * st->conf.msl_us;
	return left > 0 ? left : 0;
}

int64_t timewait_deadline(const struct stack *st)
{
	const unsigned int words = TW_SLOTS / 64;
	unsigned int first = (unsigned int)(st->tw_tick % TW_SLOTS);
	uint64_t from_first = ~0ull << first % 64;

	/* Round the circle: the first word is looked at twice, first its
	 * upper part, at the end its lower one. */
	for (unsigned int i = 0; i <= words; i++) {
		unsigned int word = (first / 64 + i) % words;
		uint64_t bits = st->tw_bits[word];
		unsigned int slot;

		if (i == 0)
			bits &= from_first;
		else if (i == words)
			bits &= ~from_first;
		if (!bits)
			continue;
		slot = word * 64 + (unsigned int)__builtin_ctzll(bits);
		return (int64_t)(st->tw_tick + (slot - first) % TW_SLOTS) *
		       TW_TICK_US;
	}
	return TIME_NEVER;
}

static void tw_arm(struct stack *st, struct tcp_timewait *tw, int64_t at_us)
{
	uint64_t last = st->tw_tick + TW_SLOTS - 1, tick;
	unsigned int slot;

	if (at_us < st->now_us || at_us == TIME_NEVER)
		at_us = st->now_us; /* 2 MSL are over already */
	tick = (uint64_t)(at_us / TW_TICK_US) + 1;
	tw->deadline = (uint16_t)tick;
	slot = (unsigned int)((tick < last ? tick : last) % TW_SLOTS);
	tw->next = st->tw_slot[slot];
	st->tw_slot[slot] = ptr_ref(&st->arena, tw);
	st->tw_bits[slot / 64] |= 1ull << slot % 64;
}

void timewait_leave(struct stack *st, struct tcp_timewait *tw)
{
	table_remove(&st->table, ptr_ref(&st->arena, tw));
	tw->kind = KIND_TOMB;
	st->time_wait--;
	st->time_wait_client -= tw->client;
}

/* RFC 6191, 2: later by its timestamp (RFC 9293, 3.6.1 (SHLD-4)), or by its
 * number. What had no timestamps cannot be taken for what has some. */
static bool tw_reusable(const struct stack *st, const struct tcp_timewait *tw,
			const struct tcp_seg *seg)
{
	if (seg->opts & OPT_TS && st->conf.timestamps) {
		if (!tw->ts)
			return true;
		if (seg->ts_val != tw->ts_recent)
			return seq_gt(seg->ts_val, tw->ts_recent);
	}
	return seq_gt(seg->seq, tw->rcv_nxt);
}

static bool is_fin_again(const struct tcp_timewait *tw,
			 const struct tcp_seg *seg)
{
	return seg->flags & TH_FIN && seg->seq + seg->len + 1 == tw->rcv_nxt;
}

/* The FIN always, for its sender waits for that. Others within the limit of all,
 * and one of its own for bare ACKs, which might be answers to this: one a tick,
 * of which six bits are kept. */
static bool answer_allowed(struct stack *st, struct tcp_timewait *tw,
			   const struct tcp_seg *seg)
{
	uint8_t tick = (st->now_us / TW_TICK_US) & TOLD_MASK;

	if (is_fin_again(tw, seg))
		return true;
	if (!seg_len(seg)) {
		if (tw->told == tick)
			return false;
		tw->told = tick & TOLD_MASK;
	}
	return challenge_take(st);
}

static void tw_ack(struct stack *st, struct tcp_timewait *tw,
		   const struct tcp_seg *seg)
{
	struct tcp_seg ack = {
		.src = seg->dst,
		.dst = seg->src,
		.sport = seg->dport,
		.dport = seg->sport,
		.ttl = st->conf.ttl,
		.flags = TH_ACK,
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
	};

	if (!answer_allowed(st, tw, seg)) {
		stack_drop(st, DROP_CHALLENGE_RATE, &tw->e.key, seg, NULL);
		return;
	}
	if (tw->ts) {
		uint64_t h = stack_isn_hash(st, &tw->e.key);

		ack.opts = OPT_TS;
		ack.ts_val = tcp_ts_now(st, (uint32_t)(h >> 32));
		ack.ts_ecr = tw->ts_recent;
	}
	tcp_reply(st, &ack, NULL);
}
