/*
 * tcp_pmtu.c - How large a packet the path takes
 *
 * A connection begins with what the interface and the peer take. Two things
 * lower that: a router that says so (RFC 1191, RFC 8201), and silence. Where
 * ICMP is filtered, large packets vanish and small ones pass; so when a full
 * segment times out again and again, it is sent in smaller ones (RFC 4821,
 * 7.7). Only then does the connection have a struct tcp_path.
 *
 * Larger sizes are tried again later, after ten minutes if a router named the
 * size (RFC 8201, 4), and as soon as losses are repaired if it was a guess, for
 * an outage looks just like it. A probe is a segment of new text that is longer
 * than the others; its loss is no sign of congestion (RFC 4821, 7.6.2). First
 * the most is tried, then halves of what is left. Probes need SACK: without it
 * nobody could tell that the probe alone was lost.
 *
 * Anybody can send "packet too big" (RFC 5927, 7.2). While segments longer than
 * what it says are being acknowledged, it waits until one times out, too.
 */
#include "tcp_loss.h"

/* No path is believed to be narrower: Linux's net.ipv4.route.min_pmtu, and
 * RFC 8200, 5. */
#define PMTU_LEAST4 552
#define PMTU_LEAST6 1280
#define PMTU_BASE4  1024 /* passes nearly everywhere: RFC 4821, 7.2 */
#define PMTU_NEVER4 68	 /* RFC 791, 3.2: every link takes more */

#define BLACK_HOLE_TRIES 2 /* of one segment, before it is made smaller */
#define SEARCH_GRAIN	 8 /* bytes; nothing finer is looked for */
#define PROBE_AGAIN_US	 1000000
#define RAISE_AFTER_US	 (600ll * 1000000)

static struct tcp_path *path_make(struct stack *st, struct tcp_conn *c);
static void set_pmtu(struct stack *st, struct tcp_conn *c, uint32_t mtu);
static void resend_all(struct stack *st, struct tcp_conn *c,
		       struct tcp_path *p);
static uint32_t ceiling(const struct stack *st, const struct tcp_conn *c);
static uint32_t mss_of(const struct tcp_conn *c, uint32_t mtu);
static uint32_t smaller(const struct tcp_conn *c, uint32_t mtu);
static struct tx_rec *probe_rec(const struct stack *st,
				const struct tcp_active *a,
				const struct tcp_path *p);
static void probe_failed(struct stack *st, const struct tcp_conn *c,
			 struct tcp_path *p);
static void search_on(const struct stack *st, const struct tcp_conn *c,
		      struct tcp_path *p, int64_t wait_us);
static uint32_t probe_mtu(struct stack *st, const struct tcp_conn *c,
			  struct tcp_path *p);

static inline bool is4(const struct tcp_conn *c)
{
	return ip_addr_is4(&c->e.key.peer);
}

static inline uint32_t head_len(const struct tcp_conn *c)
{
	return WIRE_TCP_LEN + (is4(c) ? WIRE_IP4_LEN : WIRE_IP6_LEN);
}

/* RFC 9293, 3.7.1 (MUST-16) */
uint32_t tcp_eff_mss(const struct tcp_conn *c)
{
	uint32_t mss = mss_of(c, c->pmtu);
	uint32_t most = c->peer_mss - (c->flags & CF_TS ? 12u : 0);

	return most < mss ? most : mss;
}

void tcp_pmtu_too_big(struct stack *st, struct tcp_conn *c, uint32_t mtu,
		      tcp_seq seq)
{
	struct tcp_active *a = conn_active(st, c);
	struct tcp_path *p = conn_path(st, c);
	uint32_t least = is4(c) ? PMTU_LEAST4 : PMTU_LEAST6;
	struct tx_rec *t;

	if (p && p->probe_mtu && (t = probe_rec(st, a, p)) &&
	    seq_geq(seq, p->start) && seq_lt(seq, p->end)) {
		/* Not the path has changed; the probe was too large. */
		probe_failed(st, c, p);
		if (mtu > c->pmtu && mtu < p->high) {
			p->hint = (uint16_t)mtu;
			p->high = (uint16_t)(mtu + 1);
		}
		p->raise_at_us = st->now_us;
		tcp_tx_lost(a, t);
		a->force_one = true;
		tcp_wake_output(st, c);
	}
	/* RFC 8201, 4: less than IPv6 guarantees is no news but a mistake. */
	if (mtu && mtu < (is4(c) ? PMTU_NEVER4 : PMTU_LEAST6))
		return;
	/* A router of old that does not say its MTU. */
	if (mtu < least)
		mtu = least;
	/* Nor is a size that all we send has: no packet of ours was too big.
	 * And a SYN is never. */
	if (mtu >= c->pmtu || mtu >= ceiling(st, c) ||
	    c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
		return;
	p = path_make(st, c);
	if (!p)
		return;
	if (c->acked_max > mss_of(c, mtu)) {
		p->claimed_mtu = (uint16_t)mtu;
		p->claimed_seq = seq;
		return;
	}
	set_pmtu(st, c, mtu);
	p->high = (uint16_t)(mtu + 1);
	p->raise_at_us = st->now_us + RAISE_AFTER_US;
	resend_all(st, c, p);
}

void tcp_pmtu_timeout(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);
	struct tcp_path *p = conn_path(st, c);
	const struct tx_rec *t = tx_ptr(st, a->tx_head);
	uint32_t len = tx_len(t) < c->cc.mss ? tx_len(t) : c->cc.mss;
	uint32_t now = c->pmtu, mtu;

	if (p && p->probe_mtu)
		probe_failed(st, c, p); /* RFC 4821, 7.6.3 */
	if (p && p->claimed_mtu) {
		/* RFC 5927, 7.2: the claim was true. */
		mtu = p->claimed_mtu;
		p->claimed_mtu = 0;
		if (seq_geq(p->claimed_seq, c->snd_una) && mtu < now) {
			set_pmtu(st, c, mtu);
			p->high = (uint16_t)(mtu + 1);
			p->raise_at_us = st->now_us + RAISE_AFTER_US;
			resend_all(st, c, p);
			return;
		}
	}
	if (!st->conf.mtu_probing || c->rexmt_count < BLACK_HOLE_TRIES)
		return;
	mtu = smaller(c, len + (c->pmtu - mss_of(c, c->pmtu)));
	if (!mtu || !(p = path_make(st, c)))
		return;
	set_pmtu(st, c, mtu);
	st->stats.mtu_black_holes++;
	/* What passed before is tried first, for this may be an outage. */
	p->high = (uint16_t)(ceiling(st, c) + 1);
	if (!p->hint)
		p->hint = (uint16_t)(now < p->high ? now : p->high - 1u);
	p->raise_at_us = st->now_us;
	resend_all(st, c, p);
}

void tcp_pmtu_acked(struct stack *st, struct tcp_conn *c, tcp_seq ack)
{
	struct tcp_active *a = conn_active(st, c);
	struct tcp_path *p = conn_path(st, c);
	const struct tx_rec *t;

	if (p->claimed_mtu && seq_gt(ack, p->claimed_seq))
		p->claimed_mtu = 0;
	if (p->probe_mtu) {
		t = probe_rec(st, a, p);
		if (seq_geq(ack, p->end) || (t && t->flags & TX_SACKED)) {
			/* RFC 4821, 7.6.1 */
			set_pmtu(st, c, p->probe_mtu);
			p->probe_mtu = 0;
			search_on(st, c, p, 0);
		} else if (t && t->flags & TX_LOST &&
			   a->recovery != RECOVERY_OPEN) {
			/* Among other losses it says nothing (7.6.4). */
			p->hint = p->probe_mtu;
			p->probe_mtu = 0;
			p->raise_at_us = st->now_us + PROBE_AGAIN_US;
		}
	}
	if (seq_geq(ack, p->end))
		p->start = p->end = ack;
	if (c->pmtu >= ceiling(st, c) && !p->claimed_mtu)
		tcp_pmtu_free(st, c);
}

bool tcp_pmtu_spares(struct stack *st, struct tcp_conn *c)
{
	struct tcp_active *a = conn_active(st, c);
	struct tcp_path *p = conn_path(st, c);

	if (!p)
		return false;
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next) {
		const struct tx_rec *t = tx_ptr(st, r);

		if (t->flags & TX_LOST &&
		    (t->flags & TX_RETRANS || seq_lt(t->start, p->start) ||
		     seq_gt(t->end, p->end)))
			return false;
	}
	if (p->probe_mtu)
		probe_failed(st, c, p);
	a->force_one = true;
	return true;
}

int tcp_pmtu_probe(struct stack *st, struct tcp_conn *c, uint32_t mss)
{
	const struct tcp_active *a = conn_active(st, c);
	struct tcp_path *p = conn_path(st, c);
	uint32_t sent = c->snd_nxt - c->snd_una;
	uint32_t in_flight = tcp_in_flight(c, a), mtu, len, need;

	/* RFC 4821, 7.4: nothing else may be lost, or late. */
	if (!st->conf.mtu_probing || !(c->flags & CF_SACK) || p->probe_mtu ||
	    st->now_us < p->raise_at_us || a->recovery != RECOVERY_OPEN ||
	    a->sacked || a->lost || a->tlp_out ||
	    tcp_urgent_ahead(c, a, c->snd_nxt))
		return 0;
	mtu = probe_mtu(st, c, p);
	if (!mtu)
		return 0;
	len = mss_of(c, mtu) - (c->cc.mss - mss);
	/* What follows it shows soon that it is lost. */
	need = len + DUP_THRESH * mss;
	if (a->sndq.len - sent < need || c->snd_wnd < sent + need ||
	    c->cc.cwnd < need)
		return 0;
	return in_flight + len <= c->cc.cwnd ? (int)len : PMTU_HOLD;
}

void tcp_pmtu_probe_sent(struct stack *st, struct tcp_conn *c, uint32_t len)
{
	struct tcp_path *p = conn_path(st, c);

	p->probe_mtu = (uint16_t)probe_mtu(st, c, p);
	p->hint = 0;
	p->start = c->snd_nxt;
	p->end = c->snd_nxt + len;
	st->stats.mtu_probes++;
}

void tcp_pmtu_free(struct stack *st, struct tcp_conn *c)
{
	if (c->path)
		pool_put(&st->pool_path, conn_path(st, c));
	c->path = 0;
}

static struct tcp_path *path_make(struct stack *st, struct tcp_conn *c)
{
	struct tcp_path *p = conn_path(st, c);

	if (p)
		return p;
	p = pool_get(&st->pool_path);
	if (!p) {
		stack_limit_hit(st, LIMIT_MEMORY, &c->e.key, c->listener);
		return NULL;
	}
	*p = (struct tcp_path){
		.start = c->snd_una,
		.end = c->snd_una,
		.high = (uint16_t)(ceiling(st, c) + 1),
	};
	c->path = ptr_ref(&st->arena, p);
	return p;
}

static void set_pmtu(struct stack *st, struct tcp_conn *c, uint32_t mtu)
{
	EVENT_CONN(st, c, PMTU, .a = mtu, .b = c->pmtu);
	c->pmtu = (uint16_t)mtu;
	c->cc.mss = tcp_eff_mss(c);
	if (c->acked_max > c->cc.mss)
		c->acked_max = (uint16_t)c->cc.mss;
}

/* RFC 1191, 6.4: what is in flight was too large, all of it, and no sign of
 * congestion (tcp_pmtu_spares()). */
static void resend_all(struct stack *st, struct tcp_conn *c, struct tcp_path *p)
{
	p->start = c->snd_una;
	p->end = c->snd_nxt;
	tcp_loss_mtu(st, c);
}

/* The most that the interface and the peer take. */
static uint32_t ceiling(const struct stack *st, const struct tcp_conn *c)
{
	uint32_t peer = c->peer_mss + head_len(c);

	return peer < st->conf.mtu ? peer : st->conf.mtu;
}

static uint32_t mss_of(const struct tcp_conn *c, uint32_t mtu)
{
	return mtu - head_len(c) - (c->flags & CF_TS ? 12 : 0);
}

/* RFC 4821, 7.7: what to fall back to when packets of @mtu bytes vanish; 0 if
 * it must be something else than their size. */
static uint32_t smaller(const struct tcp_conn *c, uint32_t mtu)
{
	uint32_t base = is4(c) ? PMTU_BASE4 : PMTU_LEAST6;
	uint32_t least = is4(c) ? PMTU_LEAST4 : PMTU_LEAST6;

	if (mtu > base)
		return base;
	return mtu > least ? least : 0;
}

static struct tx_rec *probe_rec(const struct stack *st,
				const struct tcp_active *a,
				const struct tcp_path *p)
{
	for (ref_t r = a->tx_head; r; r = tx_ptr(st, r)->next) {
		struct tx_rec *t = tx_ptr(st, r);

		/* It may be one with what was SACKed around it. */
		if (seq_gt(t->end, p->start))
			return seq_leq(t->start, p->start) ? t : NULL;
	}
	return NULL;
}

static void probe_failed(struct stack *st, const struct tcp_conn *c,
			 struct tcp_path *p)
{
	p->high = p->probe_mtu;
	p->probe_mtu = 0;
	search_on(st, c, p, PROBE_AGAIN_US);
	st->stats.mtu_probes_lost++;
}

/* The next probe leaves after @wait_us, or much later if the size is found. */
static void search_on(const struct stack *st, const struct tcp_conn *c,
		      struct tcp_path *p, int64_t wait_us)
{
	if (p->high - c->pmtu <= SEARCH_GRAIN)
		wait_us = RAISE_AFTER_US;
	p->raise_at_us = st->now_us + wait_us;
}

/* The size to try next (RFC 4821, 7.3); 0 if that is not now. */
static uint32_t probe_mtu(struct stack *st, const struct tcp_conn *c,
			  struct tcp_path *p)
{
	uint32_t most = ceiling(st, c);

	if (p->high - c->pmtu <= SEARCH_GRAIN && p->high <= most) {
		/* Found, ten minutes ago: the path may have changed since. */
		p->high = (uint16_t)(most + 1);
		p->hint = (uint16_t)most;
	}
	if (c->pmtu >= most)
		return 0;
	if (p->hint > c->pmtu && p->hint < p->high)
		return p->hint;
	return (c->pmtu + p->high) / 2;
}
