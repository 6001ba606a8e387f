/*
 * sim_peer.c - Sockets of the simple peer, their timers, their application
 *
 * Sockets lie in a list, found by looking at each: there are few. The
 * application follows the same plan as the one above a stack (sim_app.c), but
 * its bytes are never stored: what is written is a number, and so is what is
 * read.
 */
#include "sim_peer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ECHO_AHEAD_MAX	65536u /* echoed and not acknowledged, at most */
#define KEEPALIVE_TRIES 8

static void peer_icmp(struct peer *p, const uint8_t *pkt, uint32_t len);
static void sock_expire(struct sock *s);
static void sock_finish(struct sock *s);
static int64_t sock_deadline(const struct sock *s);

struct peer *peer_new(struct sim *sim, unsigned int side)
{
	struct peer *p = calloc(1, sizeof(*p));

	ASSERT(p);
	p->sim = sim;
	p->side = side;
	p->opts = &sim->opts->peer[side];
	rand_init(&p->rand, sim->opts->seed, 20 + side);
	return p;
}

void peer_free(struct peer *p)
{
	free(p);
}

struct sock *sock_new(struct peer *p, struct end *e, uint16_t port,
		      uint16_t peer_port)
{
	struct sock *s = calloc(1, sizeof(*s));

	ASSERT(s);
	*s = (struct sock){
		.peer = p,
		.e = e,
		.next = p->socks,
		.port = port,
		.peer_port = peer_port,
		.segment = 536, /* RFC 9293, 3.7.1 (MUST-15) */
		.rexmt_at_us = TIME_NEVER,
		.ack_at_us = TIME_NEVER,
		.linger_at_us = TIME_NEVER,
		.heard_us = p->sim->now_us,
		.ts_base = p->opts->ts_base,
	};
	s->iss =
		p->opts->iss_set ? p->opts->iss : (uint32_t)rand_next(&p->rand);
	s->una = s->nxt = s->max = s->recover = s->iss;
	p->socks = s;
	end_begin(e);
	return s;
}

/** peer_open() - Active open of connection @index */
void peer_open(struct peer *p, unsigned int index)
{
	const struct sim_opts *o = p->sim->opts;
	struct end *e = &p->sim->end[index][p->side];
	uint16_t port = (uint16_t)(SIM_PORT_PEER + index), to = SIM_PORT;
	struct sock *s;

	if (o->conn[index].crossing) {
		port = (uint16_t)(SIM_PORT_CROSSING + 2 * index + p->side);
		to = (uint16_t)(SIM_PORT_CROSSING + 2 * index + !p->side);
	} else {
		p->sim->port_conn[port] = (uint16_t)(index + 1);
	}
	s = sock_new(p, e, port, to);
	s->state = SOCK_SYN_SENT;
	s->ts = p->opts->ts;
	s->sack = p->opts->sack;
	s->wscale = p->opts->wscale;
	sock_output(s);
}

static struct sock *sock_find(struct peer *p, const struct segment *g)
{
	for (struct sock *s = p->socks; s; s = s->next)
		if (s->port == g->dport && s->peer_port == g->sport &&
		    s->state != SOCK_GONE)
			return s;
	return NULL;
}

/* A SYN for the listening side. */
static struct sock *peer_accept(struct peer *p, struct segment *g)
{
	struct sim *sim = p->sim;
	unsigned int n = sim->port_conn[g->sport];
	struct sock *s;
	struct end *e;

	if (p->side != 1 || g->dport != SIM_PORT ||
	    (g->flags & (TH_SYN | TH_ACK | TH_RST)) != TH_SYN || !n)
		return NULL;
	e = &sim->end[n - 1][1];
	if (e->started)
		return NULL; /* a late copy: reset */
	s = sock_new(p, e, g->dport, g->sport);
	s->state = SOCK_SYN_RCVD;
	sock_options(s, g);
	return s;
}

void peer_input(struct peer *p, const uint8_t *pkt, uint32_t len)
{
	struct segment g;
	struct sock *s;

	if (!segment_parse(pkt, len, &g)) {
		peer_icmp(p, pkt, len);
		return;
	}
	s = sock_find(p, &g);
	if (s)
		sock_input(s, &g);
	else if (!(s = peer_accept(p, &g)))
		peer_reset_reply(p, &g);
	if (s) {
		sock_app(s);
		sock_output(s);
	}
}

/* RFC 1191, RFC 8201: the path is narrower than thought. */
static void peer_icmp(struct peer *p, const uint8_t *pkt, uint32_t len)
{
	bool v6 = len && pkt[0] >> 4 == 6;
	uint32_t head = v6 ? 40 : 20, mtu, room;
	const uint8_t *m = pkt + head, *inner = m + 8;
	uint32_t most;

	if (len < 2 * head + 16 ||
	    pkt[v6 ? 6 : 9] != (v6 ? PROTO_ICMPV6 : PROTO_ICMP) ||
	    m[0] != (v6 ? 2 : 3) || m[1] != (v6 ? 0 : 4) ||
	    packet_sum(m, len - head,
		       v6 ? packet_sum(pkt + 8, 32, PROTO_ICMPV6 + len - head)
			  : 0) != 0xffff)
		return;
	mtu = v6 ? get32(m + 4) : get16(m + 6);
	if (!mtu) /* it does not say: RFC 1191, 5 */
		mtu = get16(inner + 2) / 2;
	room = head + 20 + 12;
	most = mtu > room + 8 ? mtu - room : 8;
	for (struct sock *s = p->socks; s; s = s->next)
		if (get16(inner + head) == s->port && s->segment > most)
			s->segment = most;
}

void peer_turn(struct peer *p)
{
	struct sock **at = &p->socks, *s;

	for (s = p->socks; s; s = s->next) {
		if (sock_deadline(s) > p->sim->now_us)
			continue;
		sock_expire(s);
		sock_app(s);
		sock_output(s);
	}
	while ((s = *at)) {
		if (s->state == SOCK_GONE) {
			*at = s->next;
			free(s);
		} else {
			at = &s->next;
		}
	}
}

int64_t peer_deadline(const struct peer *p)
{
	int64_t first_us = TIME_NEVER, at_us;

	for (const struct sock *s = p->socks; s; s = s->next) {
		at_us = sock_deadline(s);
		if (at_us < first_us)
			first_us = at_us;
	}
	return first_us;
}

void peer_check_idle(const struct peer *p)
{
	SIM_REQUIRE(!p->socks, "the peer keeps a socket");
}

static int64_t keepalive_at(const struct sock *s)
{
	int64_t every_us = s->peer->opts->keepalive_us;

	/* With something in flight it is the timeouts that ask. */
	if (!every_us || s->state != SOCK_OPEN || s->una != s->max)
		return TIME_NEVER;
	return s->heard_us + every_us * (1 + s->keepalives);
}

static int64_t sock_deadline(const struct sock *s)
{
	const int64_t all[] = {s->rexmt_at_us,	 s->ack_at_us,
			       s->linger_at_us,	 keepalive_at(s),
			       s->e->send_at_us, s->e->read_at_us};
	int64_t first_us = TIME_NEVER;

	if (s->state == SOCK_GONE)
		return s->peer->sim->now_us;
	/* The application may have ended long before. */
	for (size_t i = 0; i < (s->e->closed ? 3 : ARRAY_LEN(all)); i++)
		if (all[i] < first_us)
			first_us = all[i];
	return first_us;
}

static void sock_expire(struct sock *s)
{
	int64_t now_us = s->peer->sim->now_us;
	struct end *e = s->e;

	if (s->linger_at_us <= now_us) {
		s->state = SOCK_GONE;
		return;
	}
	if (s->ack_at_us <= now_us)
		s->ack_now = true;
	if (s->rexmt_at_us <= now_us)
		sock_timeout(s);
	if (keepalive_at(s) <= now_us) {
		if (s->keepalives++ == KEEPALIVE_TRIES)
			sock_over(s, CLOSE_TIMEOUT_KEEPALIVE);
		else
			sock_keepalive(s);
	}
	if (e->send_at_us <= now_us)
		e->send_at_us = TIME_NEVER;
	if (e->read_at_us <= now_us)
		e->read_at_us = TIME_NEVER;
}

/** sock_opened() - The handshake is done */
void sock_opened(struct sock *s)
{
	s->state = SOCK_OPEN;
	s->timeouts = 0;
	s->rexmt_at_us = TIME_NEVER;
	s->cwnd = s->peer->opts->flight;
	s->e->opened = true;
}

/** sock_over() - The connection ends, for the application too */
void sock_over(struct sock *s, enum close_reason why)
{
	if (!s->e->closed)
		end_over(s->e, why);
	s->state = SOCK_GONE;
}

/** sock_unread() - Text that arrived and was not read */
uint32_t sock_unread(const struct sock *s)
{
	return s->rcv - s->irs - 1 - s->fin_taken - s->e->received;
}

static void app_write(struct sock *s)
{
	const struct app_plan *p = s->e->plan;
	struct end *e = s->e;
	uint32_t n;

	while (p->kind == APP_STREAM && e->sent < p->bytes &&
	       e->send_at_us == TIME_NEVER) {
		n = (uint32_t)rand_between(&e->rand, 1, p->chunk_max);
		e->sent += n < p->bytes - e->sent ? n : p->bytes - e->sent;
		if (rand_chance(&e->rand, p->urgent_ppm))
			e->urgent_sent = e->sent;
		if (rand_chance(&e->rand, p->send_pause_ppm))
			e->send_at_us = s->peer->sim->now_us + p->send_pause_us;
	}
}

static void app_take(struct sock *s)
{
	const struct app_plan *p = s->e->plan;
	struct end *e = s->e;
	uint32_t n;

	while ((n = sock_unread(s)) > 0 && e->read_at_us == TIME_NEVER) {
		if (p->kind == APP_ECHO &&
		    ahead(sock_end(s), s->una) >= (int32_t)ECHO_AHEAD_MAX)
			return;
		n = n < p->read_max ? n : p->read_max;
		e->received += n;
		if (p->kind == APP_ECHO)
			e->sent += n;
		if (rand_chance(&e->rand, p->read_pause_ppm))
			e->read_at_us = s->peer->sim->now_us + p->read_pause_us;
	}
}

static bool app_may_close(const struct end *e)
{
	const struct app_plan *p = e->plan;

	if (p->kind == APP_ECHO)
		return e->peer_closed;
	if (e->sent < p->bytes)
		return false;
	return p->close == APP_CLOSE_SENT ||
	       (p->close == APP_CLOSE_READ && e->received >= e->expected) ||
	       (p->close == APP_CLOSE_AFTER_PEER && e->peer_closed);
}

/** sock_app() - Let the application write, read and close */
void sock_app(struct sock *s)
{
	struct end *e = s->e;

	if (s->state != SOCK_OPEN || e->closed)
		return;
	app_write(s);
	app_take(s);
	if (s->fin_taken && !sock_unread(s))
		e->peer_closed = true;
	if (!s->fin_wanted && app_may_close(e))
		s->fin_wanted = e->closing = true;
	if (e->plan->abort_at && e->sent + e->received >= e->plan->abort_at) {
		e->aborted = true;
		sock_reset(s);
		sock_over(s, CLOSE_RESET_BY_US);
		return;
	}
	sock_finish(s);
}

/* Both directions are closed. Who closed last need not wait, but may. */
static void sock_finish(struct sock *s)
{
	if (!s->fin_acked || !s->e->peer_closed)
		return;
	end_over(s->e, CLOSE_FIN);
	sock_output(s);
	s->state = SOCK_LINGER;
	s->rexmt_at_us = TIME_NEVER;
	s->linger_at_us = s->peer->sim->now_us + s->peer->opts->linger_us;
}
