/*
 * tcp_listen.c - From a SYN to a connection
 *
 * A SYN for a listener leaves a half-open record of 96 bytes and queues a
 * SYN-ACK. The record answers repeated SYNs, sends the SYN-ACK again when its
 * timer fires, and turns into a full connection when the right ACK arrives
 * (RFC 9293, 3.10.7.2 and the SYN-RECEIVED parts of 3.10.7.4). Nothing is
 * allocated beyond max_half_open or the listener's backlog: then the SYN-ACK
 * itself carries the record, as a cookie (tcp_cookie.c).
 */
#include <errno.h>
#include <string.h>

#include "tcp_priv.h"

/* Of one record; a full connection has ANSWERS_A_SECOND. */
#define CHALLENGE_EVERY_MS 250
#define CROWD_TRIES	   2 /* SYN-ACKs sent again while it is full */

static void listen_ack(struct stack *st, struct listener *l, unsigned int index,
		       const struct tcp_key *key, struct tcp_seg *seg);
static void listen_syn(struct stack *st, struct listener *l, unsigned int index,
		       const struct tcp_key *key, const struct tcp_seg *seg,
		       struct tcp_timewait *old);
static void half_init(struct stack *st, struct tcp_half *h, unsigned int index,
		      const struct tcp_key *key, const struct tcp_seg *seg,
		      const struct tcp_timewait *old);
static void syn_refuse(struct stack *st, struct listener *l,
		       const struct tcp_key *key, const struct tcp_seg *seg,
		       enum drop_reason why, bool reset);
static void syn_no_memory(struct stack *st, struct listener *l,
			  unsigned int index, const struct tcp_key *key,
			  const struct tcp_seg *seg);
static bool syn_allowed(const struct listener *l, const struct ip_addr *peer);
static bool within_limits(struct stack *st, struct listener *l,
			  unsigned int index, const struct tcp_key *key,
			  bool half_open);
static bool syn_source(struct stack *st, struct listener *l, unsigned int index,
		       const struct tcp_key *key);
static bool syn_pressure(struct stack *st, struct listener *l,
			 unsigned int index, const struct tcp_key *key);
static void syn_cookie(struct stack *st, struct listener *l, unsigned int index,
		       const struct tcp_key *key, const struct tcp_seg *seg,
		       struct tcp_timewait *old);
static void cookie_refuse(struct stack *st, struct listener *l,
			  const struct tcp_key *key, const struct tcp_seg *seg,
			  enum drop_reason why, bool reset);
static void half_synack(struct stack *st, struct tcp_half *h,
			unsigned int what);
static void listen_judge(struct stack *st, const struct tcp_key *key,
			 struct tcp_seg *seg, struct tcp_timewait *old);
static void half_syn_again(struct stack *st, struct tcp_half *h,
			   const struct tcp_seg *seg);
static bool half_ack_ok(struct stack *st, struct tcp_half *h,
			const struct tcp_seg *seg);
static bool half_takes_cookie(const struct stack *st, struct tcp_half *h,
			      const struct tcp_seg *seg);
static void half_challenge(struct stack *st, struct tcp_half *h);
static struct tcp_conn *half_promote(struct stack *st, struct tcp_half *h,
				     const struct tcp_seg *seg);
static void half_refuse(struct stack *st, struct tcp_half *h,
			const struct tcp_seg *seg);
static void half_reset(struct stack *st, struct tcp_half *h,
		       const struct tcp_seg *seg, enum close_reason why);
static void half_free(struct stack *st, struct tcp_half *h);
static void half_event(struct stack *st, enum event_type type,
		       const struct tcp_half *h, enum tcp_state state,
		       struct event_more more);
static struct tcp_conn *passive_conn(struct stack *st,
				     const struct tcp_key *key,
				     unsigned int index, tcp_seq iss,
				     tcp_seq irs);

/* RFC 9293, 3.7.1 (MUST-67, SHLD-6): the one interface there is. */
uint16_t tcp_syn_mss(const struct stack *st, const struct ip_addr *peer)
{
	return (uint16_t)(st->conf.mtu - WIRE_TCP_LEN -
			  (ip_addr_is4(peer) ? WIRE_IP4_LEN : WIRE_IP6_LEN));
}

uint8_t tcp_syn_wscale(const struct stack *st)
{
	uint8_t s = st->conf.window_scale;

	while (s > 0 && st->conf.rcvbuf >> s < 16)
		s--;
	return s;
}

/* The window in our SYN-ACK is never scaled: RFC 7323, 2.2. */
static uint16_t syn_window(const struct stack *st)
{
	return st->conf.rcvbuf < 65535 ? (uint16_t)st->conf.rcvbuf : 65535;
}

void tcp_listen_input(struct stack *st, const struct tcp_key *key,
		      struct tcp_seg *seg, struct tcp_timewait *old)
{
	/* Whatever becomes of a SYN, it can be spoken of. */
	if ((seg->flags & (TH_SYN | TH_ACK | TH_RST)) == TH_SYN)
		st->attempt = st->tap.packet.conn = stack_new_id(st);
	listen_judge(st, key, seg, old);
	st->attempt = 0;
}

static void listen_judge(struct stack *st, const struct tcp_key *key,
			 struct tcp_seg *seg, struct tcp_timewait *old)
{
	unsigned int index;
	struct listener *l =
		listener_find(st, &key->local, key->local_port, &index);
	bool open = l && !l->removed && l->conf.enabled;

	/* RFC 9293, 3.3.2: the state of what has no record, nor has a SYN that
	 * TIME-WAIT let through. */
	if (open)
		st->tap.packet.listener = (uint16_t)index;
	st->tap.packet.state_before = open ? TCP_LISTEN : TCP_CLOSED;
	st->tap.packet.state_after = st->tap.packet.state_before;
	st->tap.again = false;
	if (seg->flags & TH_RST) {
		stack_drop(st, DROP_RST_NOBODY, key, seg, NULL);
		return;
	}
	if (seg->flags & TH_SYN)
		st->stats.syns_in++;
	if (!open) {
		if (event_wanted(st, EVENT_RESET_NOBODY))
			event_put(st, EVENT_RESET_NOBODY, key, st->attempt,
				  LISTENER_NONE, ROLE_SERVER, TCP_CLOSED,
				  (struct event_more){.seg = seg});
		tcp_reply_rst(st, seg, NULL);
		return;
	}
	/* RFC 9293, 3.10.7.2: RST, ACK, SYN, in this order. */
	if (seg->flags & TH_ACK)
		listen_ack(st, l, index, key, seg);
	else if ((seg->flags & (TH_SYN | TH_FIN)) == TH_SYN)
		listen_syn(st, l, index, key, seg, old);
	else
		stack_drop(st, DROP_TCP_FLAGS, key, seg, NULL);
}

/* May a cookie of this listener still come back? */
static bool listener_cookies(const struct stack *st, const struct listener *l)
{
	return l->cookies && st->now_us - l->cookie_sent_us <= COOKIE_LIFE_US;
}

/* Any ACK for a listener is bad, but for one that returns a cookie. */
static void listen_ack(struct stack *st, struct listener *l, unsigned int index,
		       const struct tcp_key *key, struct tcp_seg *seg)
{
	struct tcp_conn *c;
	struct cookie k;
	bool counted;

	if (seg->flags & TH_SYN || !listener_cookies(st, l) ||
	    !cookie_recent(st, seg)) {
		tcp_reply_rst(st, seg, NULL);
		return;
	}
	if (!cookie_check(st, key, seg, &k)) {
		/* No RST: it may be text that overtook the ACK we wait for,
		 * or came after that one was lost. Only the first segment has
		 * the number that fits the cookie, and the peer repeats it. */
		st->stats.cookies_rejected++;
		stack_drop(st, DROP_COOKIE, key, seg, NULL);
		if (event_wanted(st, EVENT_COOKIE_REJECTED))
			event_put(st, EVENT_COOKIE_REJECTED, key, 0,
				  (uint16_t)index, ROLE_SERVER, TCP_LISTEN,
				  (struct event_more){.seg = seg});
		return;
	}
	if (st->stopping) {
		cookie_refuse(st, l, key, seg, DROP_SYN_STOPPING, true);
		return;
	}
	counted = st->conf.max_per_source > 0;
	if (!within_limits(st, l, index, key, false) ||
	    (counted && !syn_source(st, l, index, key))) {
		cookie_refuse(st, l, key, seg, DROP_ACK_LIMIT,
			      l->conf.overflow == OVERFLOW_RESET);
		return;
	}
	c = passive_conn(st, key, index, seg->ack - 1, seg->seq - 1);
	if (!c) {
		if (counted)
			source_sub(st, &key->peer);
		return;
	}
	c->id = l->last_conn = st->tap.packet.conn = stack_new_id(st);
	st->stats.cookies_accepted++;
	st->tap.packet.flags |= PACKET_COOKIE;
	c->flags |= counted ? CF_COUNTED : 0;
	c->flags |= (k.ts ? CF_TS : 0) | (k.sack ? CF_SACK : 0);
	c->flags |= k.ecn ? CF_ECN : 0;
	c->peer_mss = k.mss;
	if (k.wscale <= 14) {
		c->flags |= CF_WSCALE;
		c->snd_wscale = k.wscale;
		c->rcv_wscale = k.rcv_wscale;
	}
	if (k.ts) {
		c->ts_recent = seg->ts_val;
		c->ts_recent_ms = stack_ms(st);
	}
	c->snd_wnd = (uint32_t)seg->wnd << c->snd_wscale;
	table_insert(&st->table, conn_ref(st, c));
	tcp_set_state(st, c, TCP_SYN_RECEIVED);
	EVENT_CONN(st, c, COOKIE_ACCEPTED, .seg = seg);
	tcp_init_windows(c);
	tcp_established(st, c, HANDSHAKE_COOKIE);
	tcp_conn_input(st, c, seg);
}

static void listen_syn(struct stack *st, struct listener *l, unsigned int index,
		       const struct tcp_key *key, const struct tcp_seg *seg,
		       struct tcp_timewait *old)
{
	struct tcp_half *h;
	enum syn_verdict verdict = SYN_ACCEPT;
	bool counted;

	l->syns++;
	if (st->stopping) {
		syn_refuse(st, l, key, seg, DROP_SYN_STOPPING, true);
		return;
	}
	if (!syn_allowed(l, &key->peer)) {
		/* As if nobody listened: a scan learns nothing more. */
		syn_refuse(st, l, key, seg, DROP_SYN_DENIED, true);
		return;
	}
	if (!within_limits(st, l, index, key, false)) {
		syn_refuse(st, l, key, seg, DROP_SYN_LIMIT,
			   l->conf.overflow == OVERFLOW_RESET);
		return;
	}
	if (l->conf.service && l->conf.service->on_syn)
		verdict = l->conf.service->on_syn(st, &l->conf, &key->peer,
						  key->peer_port);
	if (verdict != SYN_ACCEPT) {
		syn_refuse(st, l, key, seg, DROP_SYN_DENIED,
			   verdict == SYN_REFUSE);
		return;
	}
	/* No cookie either: there would be no room for what it opens. */
	if (stack_is_full_for_syn(st)) {
		syn_no_memory(st, l, index, key, seg);
		return;
	}
	if (st->conf.cookies == COOKIES_ALWAYS ||
	    syn_pressure(st, l, index, key)) {
		if (st->conf.cookies != COOKIES_NEVER)
			syn_cookie(st, l, index, key, seg, old);
		else
			syn_refuse(st, l, key, seg, DROP_SYN_LIMIT,
				   l->conf.overflow == OVERFLOW_RESET);
		return;
	}
	counted = st->conf.max_per_source > 0;
	if (counted && !syn_source(st, l, index, key)) {
		syn_refuse(st, l, key, seg, DROP_SYN_LIMIT,
			   l->conf.overflow == OVERFLOW_RESET);
		return;
	}
	h = pool_get(&st->pool_half);
	ASSERT(h); /* stack_is_full_for_syn() kept pages for more than this */
	half_init(st, h, index, key, seg, old);
	if (counted)
		h->flags |= HALF_COUNTED;
	if (old) {
		timewait_leave(st, old);
		st->tap.packet.state_before = TCP_TIME_WAIT;
	}
	table_insert(&st->table, ptr_ref(&st->arena, h));
	count_add(&st->half_open, 1);
	count_add(&l->half_open, 1);
	half_event(st, EVENT_SYN_RECEIVED, h, TCP_SYN_RECEIVED,
		   (struct event_more){.seg = seg});
	half_synack(st, h, 0);
	st->tap.packet.state_after = TCP_SYN_RECEIVED;
	st->stats.synacks_out++;
	wheel_arm(&st->wheel_half, ptr_ref(&st->arena, h),
		  st->now_us + st->conf.rto_initial_us);
}

static void half_init(struct stack *st, struct tcp_half *h, unsigned int index,
		      const struct tcp_key *key, const struct tcp_seg *seg,
		      const struct tcp_timewait *old)
{
	uint64_t hash = stack_isn_hash(st, key);

	memset(h, 0, sizeof(*h));
	h->e.key = *key;
	h->kind = KIND_HALF;
	h->listener = (uint16_t)index;
	h->id = st->attempt;
	h->irs = seg->seq;
	/* RFC 9293, 3.4.1 (MUST-8, SHLD-1): a clock of 4 us, and what nobody
	 * outside can know. */
	h->iss = (uint32_t)(st->now_us / 4) + (uint32_t)hash;
	if (old && seq_lt(h->iss, old->snd_nxt + 65536))
		h->iss = old->snd_nxt + 65536; /* RFC 6191, 2 */
	h->created_us = st->now_us;
	h->answered_ms = stack_ms(st) - CHALLENGE_EVERY_MS;
	h->wnd = seg->wnd;
	/* RFC 9293, 3.7.1 (MUST-14, MUST-15) */
	h->peer_mss =
		seg->opts & OPT_MSS ? seg->mss : tcp_default_mss(&key->peer);
	if (seg->opts & OPT_WSCALE) {
		h->flags |= HALF_WSCALE;
		h->peer_wscale = seg->wscale & 15u;
		h->rcv_wscale = tcp_syn_wscale(st) & 15u;
	}
	if (seg->opts & OPT_SACK_OK && st->conf.sack)
		h->flags |= HALF_SACK;
	if (tcp_ecn_syn(st, seg))
		h->flags |= HALF_ECN;
	if (seg->opts & OPT_TS && st->conf.timestamps) {
		h->flags |= HALF_TS;
		h->ts_recent = seg->ts_val;
	}
}

static void syn_refuse(struct stack *st, struct listener *l,
		       const struct tcp_key *key, const struct tcp_seg *seg,
		       enum drop_reason why, bool reset)
{
	l->refused++;
	stack_drop(st, why, key, seg, NULL);
	if (reset)
		tcp_reply_rst(st, seg, NULL);
}

static void syn_no_memory(struct stack *st, struct listener *l,
			  unsigned int index, const struct tcp_key *key,
			  const struct tcp_seg *seg)
{
	stack_limit_hit(st, LIMIT_MEMORY, key, (uint16_t)index);
	syn_refuse(st, l, key, seg, DROP_SYN_MEMORY, false);
}

static bool syn_allowed(const struct listener *l, const struct ip_addr *peer)
{
	for (unsigned int i = 0; i < l->conf.nallow; i++)
		if (ip_prefix_has(&l->conf.allow[i], peer))
			return true;
	return !l->conf.nallow;
}

/*
 * May there be one more connection? All half-open ones together have their
 * places in max_connections from the SYN on, but none in that of a listener:
 * whoever forges a SYN would have one. So it is asked for again when one of
 * them, @half_open, is to be opened; it may also have been lowered since.
 */
static bool within_limits(struct stack *st, struct listener *l,
			  unsigned int index, const struct tcp_key *key,
			  bool half_open)
{
	const struct stack_counts now = stack_counted(st, index);
	uint32_t kept = half_open ? now.half_open : 0;
	enum stack_limit hit;

	if (now.connections >= st->conf.max_connections + kept)
		hit = LIMIT_CONNECTIONS;
	else if (l->conf.max_connections &&
		 now.listener_connections >= l->conf.max_connections)
		hit = LIMIT_LISTENER;
	else
		return true;
	l->overflows[hit == LIMIT_LISTENER ? OVERFLOW_LISTENER
					   : OVERFLOW_CONNECTIONS]++;
	stack_limit_hit(st, hit, key, (uint16_t)index);
	return false;
}

/* Count the connection for its source; false if that has too many. */
static bool syn_source(struct stack *st, struct listener *l, unsigned int index,
		       const struct tcp_key *key)
{
	if (source_add(st, key, (uint16_t)index))
		return true;
	l->overflows[OVERFLOW_SOURCE]++;
	return false;
}

static bool syn_pressure(struct stack *st, struct listener *l,
			 unsigned int index, const struct tcp_key *key)
{
	const struct stack_counts now = stack_counted(st, index);
	enum stack_limit hit;

	if (now.half_open >= st->conf.max_half_open)
		hit = LIMIT_HALF_OPEN;
	else if (l->conf.backlog && now.listener_half_open >= l->conf.backlog)
		hit = LIMIT_BACKLOG;
	else
		return false;
	l->overflows[hit == LIMIT_BACKLOG ? OVERFLOW_BACKLOG
					  : OVERFLOW_HALF_OPEN]++;
	stack_limit_hit(st, hit, key, (uint16_t)index);
	return true;
}

/* The ACK that brings it back would find TIME-WAIT, so @old goes now. */
static void syn_cookie(struct stack *st, struct listener *l, unsigned int index,
		       const struct tcp_key *key, const struct tcp_seg *seg,
		       struct tcp_timewait *old)
{
	struct tcp_seg synack = {
		.src = key->local,
		.dst = key->peer,
		.sport = key->local_port,
		.dport = key->peer_port,
		.ttl = st->conf.ttl,
		.tos = (uint8_t)(l->conf.dscp << 2),
		.flags = TH_SYN | TH_ACK,
		.ack = seg->seq + 1,
		.wnd = syn_window(st),
		.opts = OPT_MSS,
		.mss = tcp_syn_mss(st, &key->peer),
	};
	const struct reply_note note = {
		.conn = st->attempt,
		.listener = (uint16_t)index,
		.role = ROLE_SERVER,
		.before = TCP_LISTEN,
		.after = TCP_LISTEN,
		.flags = PACKET_COOKIE,
	};
	uint32_t ts, offset = (uint32_t)(stack_isn_hash(st, key) >> 32);

	synack.seq = cookie_make(st, key, seg, offset, &ts);
	if (seg->opts & OPT_TS && st->conf.timestamps) {
		synack.opts |= OPT_TS;
		synack.ts_val = ts;
		synack.ts_ecr = seg->ts_val;
		if (tcp_ecn_syn(st, seg))
			synack.flags |= TH_ECE;
		if (seg->opts & OPT_SACK_OK && st->conf.sack)
			synack.opts |= OPT_SACK_OK;
		if (seg->opts & OPT_WSCALE) {
			synack.opts |= OPT_WSCALE;
			synack.wscale = tcp_syn_wscale(st);
		}
	}
	if (!tcp_reply(st, &synack, &note))
		return;
	if (old)
		timewait_leave(st, old);
	l->cookies++;
	l->cookie_sent_us = st->now_us;
	st->stats.cookies_sent++;
	if (event_wanted(st, EVENT_COOKIE_SENT))
		event_put(st, EVENT_COOKIE_SENT, key, st->attempt,
			  (uint16_t)index, ROLE_SERVER, TCP_LISTEN,
			  (struct event_more){.seg = seg});
}

/* Its client believes in a connection: see half_refuse(). The cookie is as good
 * when its first segment comes again. */
static void cookie_refuse(struct stack *st, struct listener *l,
			  const struct tcp_key *key, const struct tcp_seg *seg,
			  enum drop_reason why, bool reset)
{
	st->tap.packet.conn = stack_new_id(st); /* it can be spoken of */
	st->tap.packet.flags |= PACKET_COOKIE;
	l->refused++;
	stack_drop(st, why, key, seg, NULL);
	if (reset)
		tcp_reply_rst(st, seg, NULL);
}

static uint8_t half_tos(const struct stack *st, const struct tcp_half *h)
{
	return (uint8_t)(st->listeners[h->listener].conf.dscp << 2);
}

static struct reply_note half_note(const struct tcp_half *h, unsigned int what)
{
	return (struct reply_note){
		.conn = h->id,
		.listener = h->listener,
		.role = ROLE_SERVER,
		.before = TCP_SYN_RECEIVED,
		.after = TCP_SYN_RECEIVED,
		.flags = (uint8_t)what,
	};
}

/* An MSS in every SYN, and in nothing else: RFC 9293, 3.7.1 (MUST-14, SHLD-5,
 * MAY-3), 3.2 (MUST-65). */
static void half_synack(struct stack *st, struct tcp_half *h, unsigned int what)
{
	const struct reply_note note = half_note(h, what);
	struct tcp_seg s = {
		.src = h->e.key.local,
		.dst = h->e.key.peer,
		.sport = h->e.key.local_port,
		.dport = h->e.key.peer_port,
		.ttl = st->conf.ttl,
		.tos = half_tos(st, h),
		.flags = TH_SYN | TH_ACK,
		.seq = h->iss,
		.ack = h->irs + 1,
		.wnd = syn_window(st),
		.opts = OPT_MSS,
		.mss = tcp_syn_mss(st, &h->e.key.peer),
	};

	if (h->flags & HALF_ECN)
		s.flags |= TH_ECE;
	if (h->flags & HALF_SACK)
		s.opts |= OPT_SACK_OK;
	if (h->flags & HALF_WSCALE) {
		s.opts |= OPT_WSCALE;
		s.wscale = h->rcv_wscale;
	}
	if (h->flags & HALF_TS) {
		uint64_t hash = stack_isn_hash(st, &h->e.key);

		s.opts |= OPT_TS;
		s.ts_val = tcp_ts_now(st, (uint32_t)(hash >> 32));
		s.ts_ecr = h->ts_recent;
	}
	tcp_reply(st, &s, &note);
}

/* A forged SYN makes us send to somebody who did not ask (RFC 4987, 2.1), and
 * its record stands in the way of others as long as it tries. When more than
 * half of the places are taken, most of them probably are of that kind; but not
 * who has sent his SYN again, and waits for an answer, or has had one. */
static uint32_t half_tries(const struct stack *st, const struct tcp_half *h)
{
	const struct listener *l = &st->listeners[h->listener];
	const struct stack_counts now = stack_counted(st, h->listener);
	bool crowd = now.half_open > st->conf.max_half_open / 2 ||
		     (l->conf.backlog &&
		      now.listener_half_open > l->conf.backlog / 2);

	if (crowd && !(h->flags & (HALF_SYN_AGAIN | HALF_NO_ROOM)) &&
	    st->conf.synack_retries > CROWD_TRIES)
		return CROWD_TRIES;
	return st->conf.synack_retries;
}

void tcp_half_expire(struct stack *st, struct tcp_half *h)
{
	int64_t wait = st->conf.rto_initial_us << h->retries;

	if (h->retries >= half_tries(st, h)) {
		tcp_half_drop(st, h,
			      h->flags & HALF_NO_ROOM ? CLOSE_LIMIT
						      : CLOSE_TIMEOUT_SYNACK);
		return;
	}
	h->retries++;
	st->stats.retransmit_synack++;
	half_event(st, EVENT_SYNACK_RETRANSMIT, h, TCP_SYN_RECEIVED,
		   (struct event_more){.a = h->retries + 1, .b = wait});
	half_synack(st, h, PACKET_RETRANSMIT);
	/* Not for three minutes, as an active SYN (RFC 9293, 3.8.3
	 * (MUST-23)): what we wait for is a client that may be forged, and
	 * RFC 4987, 3.3 asks to shorten this. synack_retries = 7 gives it.
	 * RFC 6298, 5.5; the last wait is as long as its turn in the row. */
	wait *= 2;
	if (wait > st->conf.rto_max_us)
		wait = st->conf.rto_max_us;
	wheel_arm(&st->wheel_half, ptr_ref(&st->arena, h), st->now_us + wait);
}

void tcp_half_input(struct stack *st, struct tcp_half *h, struct tcp_seg *seg)
{
	uint32_t in_window = seg->seq - (h->irs + 1);
	struct tcp_conn *c;
	int64_t how = 0;

	if (seg->flags & TH_RST) {
		/* RFC 5961, 3.2 */
		if (in_window == 0) {
			st->stats.resets_in++;
			tcp_half_drop(st, h, CLOSE_RESET_BY_PEER);
		} else if (in_window < syn_window(st)) {
			stack_drop(st, DROP_RST_INEXACT, &h->e.key, seg, NULL);
			half_challenge(st, h);
		} else {
			stack_drop(st, DROP_RST_WINDOW, &h->e.key, seg, NULL);
		}
		return;
	}
	if (seg->flags & TH_SYN) {
		if (seg->seq == h->irs && !(seg->flags & TH_ACK)) {
			half_syn_again(st, h, seg);
			return;
		}
		/* Another one: RFC 5961, 4.2. If the client forgot us, our
		 * ACK makes it send the RST that clears the way. */
		stack_drop(st, DROP_SYN_CHALLENGED, &h->e.key, seg, NULL);
		half_challenge(st, h);
		return;
	}
	if (!half_ack_ok(st, h, seg))
		return;
	if (h->flags & HALF_SYN_AGAIN)
		how = HANDSHAKE_SYN_AGAIN;
	c = half_promote(st, h, seg);
	if (!c)
		return;
	tcp_established(st, c, how);
	tcp_conn_input(st, c, seg);
}

/* Our SYN-ACK may be lost. Or the client blames its options and offers less now:
 * a SYN-ACK has nothing that its SYN has not (RFC 7323, 1.3; RFC 3168, 6.1.1).
 * It may also be a late copy of the first SYN, so nothing comes back. */
static void half_syn_again(struct stack *st, struct tcp_half *h,
			   const struct tcp_seg *seg)
{
	uint16_t mss = seg->opts & OPT_MSS ? seg->mss
					   : tcp_default_mss(&h->e.key.peer);

	st->stats.syns_in++;
	st->stats.retransmit_synack++;
	if (mss < h->peer_mss)
		h->peer_mss = mss;
	if (!(seg->opts & OPT_WSCALE))
		h->flags &= (uint8_t)~HALF_WSCALE;
	if (!(seg->opts & OPT_SACK_OK))
		h->flags &= (uint8_t)~HALF_SACK;
	if (!tcp_ecn_syn(st, seg))
		h->flags &= (uint8_t)~HALF_ECN;
	/* RFC 7323, 4.3: its round trip is that of this SYN. */
	if (!(seg->opts & OPT_TS))
		h->flags &= (uint8_t)~HALF_TS;
	else if (seq_gt(seg->ts_val, h->ts_recent))
		h->ts_recent = seg->ts_val;
	h->flags |= HALF_SYN_AGAIN;
	half_event(st, EVENT_SYN_RECEIVED, h, TCP_SYN_RECEIVED,
		   (struct event_more){.a = 1, .seg = seg});
	half_synack(st, h, PACKET_RETRANSMIT);
}

/* The checks of RFC 9293, 3.10.7.4 that come before ESTABLISHED. */
static bool half_ack_ok(struct stack *st, struct tcp_half *h,
			const struct tcp_seg *seg)
{
	uint32_t off = seg->seq - (h->irs + 1);

	if (off >= syn_window(st)) {
		stack_drop(st, DROP_SEQ, &h->e.key, seg, NULL);
		half_challenge(st, h);
		return false;
	}
	if (h->flags & HALF_TS && !(seg->opts & OPT_TS) &&
	    st->conf.timestamps_strict) { /* RFC 7323, 3.2 */
		stack_drop(st, DROP_TS_MISSING, &h->e.key, seg, NULL);
		return false;
	}
	if (h->flags & HALF_TS && seg->opts & OPT_TS &&
	    seq_lt(seg->ts_val, h->ts_recent)) {
		stack_drop(st, DROP_PAWS, &h->e.key, seg, NULL);
		half_challenge(st, h);
		return false;
	}
	if (!(seg->flags & TH_ACK)) {
		stack_drop(st, DROP_ACK_MISSING, &h->e.key, seg, NULL);
		return false;
	}
	if (seg->ack != h->iss + 1 && !half_takes_cookie(st, h, seg)) {
		stack_drop(st, DROP_ACK_FUTURE, &h->e.key, seg, NULL);
		tcp_reply_rst(st, seg, NULL);
		return false;
	}
	return true;
}

/* A copy of the SYN made this record, and another one was answered with a cookie:
 * its number is what the client knows, and any segment in the window shows it.
 * Without a timestamp that SYN-ACK offered nothing. */
static bool half_takes_cookie(const struct stack *st, struct tcp_half *h,
			      const struct tcp_seg *seg)
{
	struct tcp_seg first = *seg;
	struct cookie k;

	first.seq = h->irs + 1;
	if (!listener_cookies(st, &st->listeners[h->listener]) ||
	    !cookie_check(st, &h->e.key, &first, &k))
		return false;
	h->iss = seg->ack - 1;
	if (!(h->flags & HALF_TS))
		h->flags &= (uint8_t) ~(HALF_WSCALE | HALF_SACK | HALF_ECN);
	return true;
}

static void half_challenge(struct stack *st, struct tcp_half *h)
{
	const struct reply_note note = half_note(h, PACKET_CHALLENGE);
	struct tcp_seg s = {
		.src = h->e.key.local,
		.dst = h->e.key.peer,
		.sport = h->e.key.local_port,
		.dport = h->e.key.peer_port,
		.ttl = st->conf.ttl,
		.tos = half_tos(st, h),
		.flags = TH_ACK,
		.seq = h->iss + 1,
		.ack = h->irs + 1,
		.wnd = h->flags & HALF_WSCALE ? syn_window(st) >> h->rcv_wscale
					      : syn_window(st),
	};

	if (stack_ms(st) - h->answered_ms < CHALLENGE_EVERY_MS ||
	    !challenge_take(st)) {
		stack_drop(st, DROP_CHALLENGE_RATE, &h->e.key, NULL, NULL);
		return;
	}
	if (h->flags & HALF_TS) {
		uint64_t hash = stack_isn_hash(st, &h->e.key);

		s.opts = OPT_TS;
		s.ts_val = tcp_ts_now(st, (uint32_t)(hash >> 32));
		s.ts_ecr = h->ts_recent;
	}
	h->answered_ms = stack_ms(st);
	if (tcp_reply(st, &s, &note))
		st->stats.challenge_acks++;
}

static struct tcp_conn *half_promote(struct stack *st, struct tcp_half *h,
				     const struct tcp_seg *seg)
{
	struct listener *l = &st->listeners[h->listener];
	struct tcp_conn *c;

	if (l->removed || !l->conf.enabled) {
		half_reset(st, h, seg, CLOSE_RESET_BY_US);
		return NULL;
	}
	if (!within_limits(st, l, h->listener, &h->e.key, true)) {
		half_refuse(st, h, seg);
		return NULL;
	}
	c = passive_conn(st, &h->e.key, h->listener, h->iss, h->irs);
	if (!c)
		return NULL; /* the peer sends again, and so do we */
	c->id = l->last_conn = h->id;
	c->created_us = h->created_us;
	c->retrans = h->retries;
	c->peer_mss = h->peer_mss;
	if (h->flags & HALF_WSCALE) {
		c->flags |= CF_WSCALE;
		c->snd_wscale = h->peer_wscale;
		c->rcv_wscale = h->rcv_wscale;
	}
	if (h->flags & HALF_SACK)
		c->flags |= CF_SACK;
	if (h->flags & HALF_ECN)
		c->flags |= CF_ECN;
	if (h->flags & HALF_TS) {
		c->flags |= CF_TS;
		c->ts_recent = h->ts_recent;
		c->ts_recent_ms = stack_ms(st);
	}
	if (h->flags & HALF_COUNTED)
		c->flags |= CF_COUNTED;
	c->snd_wnd = (uint32_t)h->wnd;
	c->handshake_us = (uint32_t)(st->now_us - h->created_us);
	tcp_set_state(st, c, TCP_SYN_RECEIVED);
	tcp_init_windows(c);
	/* RFC 6298, 2.2; Karn forbids it after a retransmission (3), whoever
	 * asked for that. */
	if (!h->retries && !(h->flags & HALF_SYN_AGAIN))
		tcp_rtt_sample(st, c, c->handshake_us);
	table_replace(&st->table, ptr_ref(&st->arena, h), conn_ref(st, c));
	h->flags &= (uint8_t)~HALF_COUNTED;
	half_free(st, h);
	return c;
}

/*
 * There is no room for what this ACK would open. Its client believes in a
 * connection by now. Either it is told, or the ACK counts as lost: the client
 * answers our next SYN-ACK, and sends again what it wants to say, and meanwhile
 * somebody may have gone. So does Linux when its accept queue is full.
 */
static void half_refuse(struct stack *st, struct tcp_half *h,
			const struct tcp_seg *seg)
{
	struct listener *l = &st->listeners[h->listener];

	h->flags |= HALF_NO_ROOM;
	l->refused++;
	stack_drop(st, DROP_ACK_LIMIT, &h->e.key, seg, NULL);
	if (l->conf.overflow == OVERFLOW_RESET)
		half_reset(st, h, seg, CLOSE_LIMIT);
}

/* RFC 9293, 3.10.5: its ACK has come, so the peer is told. */
static void half_reset(struct stack *st, struct tcp_half *h,
		       const struct tcp_seg *seg, enum close_reason why)
{
	struct reply_note note = half_note(h, 0);

	note.after = TCP_CLOSED;
	tcp_reply_rst(st, seg, &note);
	tcp_half_drop(st, h, why);
}

void tcp_half_drop(struct stack *st, struct tcp_half *h, enum close_reason why)
{
	st->stats.handshakes_failed++;
	if (tap_on(st))
		tap_half_ended(st, h, why);
	half_event(st, EVENT_HANDSHAKE_FAILED, h, TCP_CLOSED,
		   (struct event_more){.a = why});
	table_remove(&st->table, ptr_ref(&st->arena, h));
	half_free(st, h);
}

static void half_free(struct stack *st, struct tcp_half *h)
{
	unsigned int index = h->listener;

	if (h->flags & HALF_COUNTED)
		source_sub(st, &h->e.key.peer);
	wheel_cancel(&st->wheel_half, ptr_ref(&st->arena, h));
	count_add(&st->half_open, -1);
	count_add(&st->listeners[index].half_open, -1);
	pool_put(&st->pool_half, h);
	listener_release(st, index);
}

static void half_event(struct stack *st, enum event_type type,
		       const struct tcp_half *h, enum tcp_state state,
		       struct event_more more)
{
	if (event_wanted(st, type))
		event_put(st, type, &h->e.key, h->id, h->listener, ROLE_SERVER,
			  (uint8_t)state, more);
}

/* What a connection from a record and one from a cookie have in common. */
static struct tcp_conn *passive_conn(struct stack *st,
				     const struct tcp_key *key,
				     unsigned int index, tcp_seq iss,
				     tcp_seq irs)
{
	struct listener *l = &st->listeners[index];
	struct tcp_conn *c = tcp_conn_new(st, key);

	if (!c) {
		stack_limit_hit(st, LIMIT_MEMORY, key, (uint16_t)index);
		stack_drop(st, DROP_SYN_MEMORY, key, NULL, NULL);
		return NULL;
	}
	st->tap.conn = c;
	c->listener = (uint16_t)index;
	c->service = l->service;
	c->tos = (uint8_t)(l->conf.dscp << 2);
	if (l->conf.congestion != CC_DEFAULT)
		tcp_set_congestion(c, l->conf.congestion);
	c->iss = iss;
	c->snd_una = iss;
	c->snd_nxt = c->snd_max = c->snd_sml = iss + 1;
	c->snd_wl1 = irs;
	c->snd_wl2 = iss;
	c->irs = irs;
	c->rcv_nxt = c->last_ack = c->irs + 1;
	c->rcv_adv = c->rcv_nxt + syn_window(st);
	if (l->conf.nodelay)
		c->flags |= CF_NODELAY;
	count_add(&l->connections, 1);
	l->opened++;
	l->last_peer = key->peer;
	l->last_peer_port = key->peer_port;
	return c;
}
