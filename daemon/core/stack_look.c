/*
 * stack_look.c - What the stack tells about itself
 *
 * Walks go over the pools, not over the table: a record stays at its place
 * while the table grows around it, so each is seen at most once, and one that
 * lives through the whole walk is seen. The cursor names the pool in its top
 * byte and the place in the rest.
 */
#include <string.h>

#include "tcp_priv.h"

#define CURSOR_SHIFT 56
#define CURSOR_PLACE ((1ull << CURSOR_SHIFT) - 1)

/* Against the way that connections go, or the walk would meet one again. */
enum walk_pool { WALK_TIMEWAIT, WALK_CONN, WALK_HALF, WALK_END };

static const struct pool *walk_pool(const struct stack *st, enum walk_pool w);
static bool walk_describe(struct stack *st, void *record,
			  struct conn_info *info, struct tcp_conn **c);
static void half_info(const struct stack *st, const struct tcp_half *h,
		      struct conn_info *info);
static void info_key(struct conn_info *info, const struct tcp_key *key);
static void info_windows(const struct tcp_conn *c, struct conn_info *info);
static uint32_t unacked(const struct tcp_conn *c);
static void info_timers(const struct stack *st, const struct tcp_conn *c,
			const struct tcp_active *a, struct conn_info *info);
static void info_active(const struct stack *st, const struct tcp_conn *c,
			const struct tcp_active *a, struct conn_info *info);

bool stack_walk(struct stack *st, uint64_t *cursor, unsigned int budget,
		int64_t now_us, stack_walk_fn *fn, void *arg)
{
	enum walk_pool w = (enum walk_pool)(*cursor >> CURSOR_SHIFT);
	uint64_t place = *cursor & CURSOR_PLACE;
	struct conn_info info;
	struct tcp_conn *c;
	bool more = true;

	if (now_us > st->now_us)
		st->now_us = now_us;
	while (more && budget-- > 0 && w < WALK_END) {
		void *record = pool_next(walk_pool(st, w), &place);

		if (!record) {
			w++;
			place = 0;
		} else if (walk_describe(st, record, &info, &c)) {
			more = fn(st, c, &info, arg);
		}
	}
	*cursor = (uint64_t)w << CURSOR_SHIFT | place;
	return w < WALK_END;
}

void tcp_info(struct stack *st, struct tcp_conn *c, struct conn_info *info,
	      int64_t now_us)
{
	const struct tcp_active *a = conn_active(st, c);

	if (now_us > st->now_us)
		st->now_us = now_us;
	*info = (struct conn_info){
		.id = c->id,
		.state = c->state,
		.role = c->flags & CF_CLIENT ? ROLE_CLIENT : ROLE_SERVER,
		.listener = c->listener,
		.age_us = st->now_us - c->created_us,
		.idle_us = (int64_t)(stack_ms(st) - c->last_rx_ms) * 1000,
		.handshake_us = conn_handshake_us(c),
		.retrans = c->retrans,
		.segs_in = c->segs_in,
		.segs_out = c->segs_out,
		.iss = c->iss,
		.irs = c->irs,
		.pmtu = c->pmtu,
		.peer_mss = c->peer_mss,
		.snd_mss = c->cc.mss,
		.own_mss = tcp_syn_mss(st, &c->e.key.peer),
		.recv_mss = c->rcv_mss,
		.rcvbuf = c->rcvbuf,
		.memory = sizeof(*c),
		.tries = c->rexmt_count,
		.snd_wscale = c->snd_wscale,
		.rcv_wscale = c->rcv_wscale,
		.ts = c->flags & CF_TS,
		.sack = c->flags & CF_SACK,
		.wscale = c->flags & CF_WSCALE,
		.ecn = c->state != TCP_SYN_SENT && c->flags & CF_ECN,
		.nodelay = c->flags & CF_NODELAY,
		.dscp = c->tos >> 2,
		.srtt_us = c->rtt.srtt_us,
		.rttvar_us = c->rtt.rttvar_us,
		.rto_us = tcp_rto_us(st, c),
		.min_rtt_us = c->rtt.min_us,
		.cwnd = c->cc.cwnd,
		.pacing_rate = tcp_pace_rate(st, c),
		.ssthresh = c->cc.ssthresh,
		.reordering = DUP_THRESH,
		.backoff = c->backoff,
		.odd = a && a->odd,
		.reason = c->reason,
		.cc_name = tcp_cc(c)->name,
		.recovery = "open",
	};
	info_key(info, &c->e.key);
	conn_text(st, c, &info->bytes_in, &info->bytes_out);
	if (c->state != TCP_SYN_SENT && c->flags & CF_OPEN)
		info->bytes_acked = info->bytes_out - unacked(c);
	info_windows(c, info);
	info_timers(st, c, a, info);
	info_active(st, c, a, info);
}

void conn_text(const struct stack *st, const struct tcp_conn *c, uint64_t *in,
	       uint64_t *out)
{
	const struct tcp_active *a = conn_active(st, c);
	/* Perhaps on its way to the service. */
	uint64_t received = a ? a->direct_total : 0, sent = 0;

	if (c->state != TCP_SYN_SENT) {
		received += ((uint64_t)c->rcv_laps << 32) +
			    (c->rcv_nxt - c->irs - 1) -
			    !!(c->flags & CF_PEER_FIN);
		if (c->flags & CF_OPEN)
			sent = ((uint64_t)c->snd_laps << 32) +
			       (c->snd_nxt - c->iss - 1) -
			       !!(c->flags & CF_FIN_SENT);
	}
	*in = received;
	*out = sent;
}

int64_t conn_handshake_us(const struct tcp_conn *c)
{
	return c->handshake_us == HANDSHAKE_UNKNOWN ? -1
						    : (int64_t)c->handshake_us;
}

void stack_stats(const struct stack *st, struct stack_stats *out)
{
	*out = st->stats;
	memcpy(out->conns, st->state_count, sizeof(out->conns));
	out->conns[TCP_SYN_RECEIVED] += st->half_open;
	out->conns[TCP_TIME_WAIT] += st->time_wait;
	memcpy(out->clients, st->client_count, sizeof(out->clients));
	out->clients[TCP_TIME_WAIT] += st->time_wait_client;
	out->half_open = st->half_open;
	out->time_wait = st->time_wait;
	out->full = st->full;
	out->timers = st->wheel_half.armed + st->wheel_conn.armed;
	out->memory = (uint64_t)st->arena.npages * PAGE_SIZE_B;
	out->memory_used = (uint64_t)(st->arena.npages - stack_pages_left(st)) *
			   PAGE_SIZE_B;
}

static const struct pool *walk_pool(const struct stack *st, enum walk_pool w)
{
	switch (w) {
	case WALK_CONN:
		return &st->pool_conn;
	case WALK_HALF:
		return &st->pool_half;
	default:
		return &st->pool_timewait;
	}
}

/* False for a place that is free, or holds what nobody wants to see. */
static bool walk_describe(struct stack *st, void *record,
			  struct conn_info *info, struct tcp_conn **c)
{
	struct tcp_half *h = record;
	struct tcp_timewait *tw = record;

	*c = NULL;
	switch (h->kind) {
	case KIND_CONN:
		if (((struct tcp_conn *)record)->flags & CF_DEAD)
			return false;
		tcp_info(st, record, info, st->now_us);
		/* Nothing can be done to one that only waits. */
		if (info->state != TCP_TIME_WAIT)
			*c = record;
		return true;
	case KIND_HALF:
		half_info(st, h, info);
		return true;
	case KIND_TIMEWAIT:
		*info = (struct conn_info){
			.id = tw->id,
			.state = TCP_TIME_WAIT,
			.role = tw->client ? ROLE_CLIENT : ROLE_SERVER,
			.listener = LISTENER_NONE,
			.age_us = -1,
			.idle_us = -1,
			.handshake_us = -1,
		};
		info_key(info, &tw->e.key);
		info->linger_in_us = timewait_left(st, tw);
		return true;
	default:
		return false;
	}
}

static void half_info(const struct stack *st, const struct tcp_half *h,
		      struct conn_info *info)
{
	*info = (struct conn_info){
		.id = h->id,
		.state = TCP_SYN_RECEIVED,
		.role = ROLE_SERVER,
		.listener = h->listener,
		.half_open = true,
		.age_us = st->now_us - h->created_us,
		.idle_us = -1,
		.handshake_us = -1,
		.retrans = h->retries,
	};
	info_key(info, &h->e.key);
}

static void info_key(struct conn_info *info, const struct tcp_key *key)
{
	info->local = key->local;
	info->peer = key->peer;
	info->local_port = key->local_port;
	info->peer_port = key->peer_port;
	info->rexmt_in_us = info->persist_in_us = info->delack_in_us = -1;
	info->reorder_in_us = info->probe_in_us = -1;
	info->pace_in_us = info->hold_in_us = -1;
	info->keepalive_in_us = info->linger_in_us = -1;
}

static void info_windows(const struct tcp_conn *c, struct conn_info *info)
{
	info->snd_una = c->snd_una;
	info->snd_nxt = c->snd_nxt;
	info->snd_max = c->snd_max;
	info->snd_wnd = c->snd_wnd;
	info->rcv_nxt = c->rcv_nxt;
	info->rcv_wnd = tcp_rcv_wnd(c);
}

/* Text on its way: the FIN behind it is none. */
static uint32_t unacked(const struct tcp_conn *c)
{
	uint32_t n = c->snd_nxt - c->snd_una;

	return n && c->flags & CF_FIN_SENT ? n - 1 : n;
}

static int64_t until(const struct stack *st, int64_t at_us)
{
	if (at_us == TIME_NEVER)
		return -1;
	return at_us > st->now_us ? at_us - st->now_us : 0;
}

static void info_timers(const struct stack *st, const struct tcp_conn *c,
			const struct tcp_active *a, struct conn_info *info)
{
	info->linger_in_us = until(st, c->linger_at_us);
	info->keepalive_in_us = until(st, tcp_keepalive_at(st, c));
	if (!a)
		return;
	info->rexmt_in_us = until(st, a->rexmt_at_us);
	info->persist_in_us = until(st, a->persist_at_us);
	info->delack_in_us = until(st, a->delack_at_us);
	info->reorder_in_us = until(st, a->reorder_at_us);
	info->pace_in_us = until(st, a->pace_at_us);
	info->hold_in_us = until(st, a->hold_until_us);
	info->probe_in_us = until(st, a->probe_at_us);
}

static void info_active(const struct stack *st, const struct tcp_conn *c,
			const struct tcp_active *a, struct conn_info *info)
{
	static const char *const recovery[] = {
		[RECOVERY_OPEN] = "open",
		[RECOVERY_FAST] = "fast",
		[RECOVERY_RTO] = "rto",
	};

	if (c->settings)
		info->memory += sizeof(struct tcp_settings);
	if (c->path) {
		info->mtu_probe = conn_path(st, c)->probe_mtu;
		info->memory += sizeof(struct tcp_path);
	}
	if (!a)
		return;
	info->send_queued = a->sndq.len;
	info->recv_queued = a->rcvq.ready;
	info->recv_ooo = ranges_bytes(&a->rcvq.ooo);
	info->in_flight = tcp_in_flight(c, a);
	info->sacked = a->sacked;
	info->lost = a->lost;
	info->urgent_in = tcp_urgent_left(st, c);
	if (c->flags & CF_URG_OUT)
		info->urgent_out = a->snd_up - c->snd_una;
	info->undone = a->undone;
	if (a->reordering > info->reordering)
		info->reordering = a->reordering;
	info->recv_rtt_us = a->drs_rtt_us;
	info->recovery = recovery[a->recovery];
	info->memory += sizeof(*a) + sendq_memory(&a->sndq, &st->send_pools) +
			recvq_memory(&a->rcvq);
	for (ref_t r = a->tx_head; r;) {
		const struct tx_rec *t = ref_ptr(&st->arena, r);

		info->memory += sizeof(*t);
		r = t->next;
	}
}
