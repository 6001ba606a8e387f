/*
 * sim_swarm.c - Everything a run depends on, from one seed
 *
 * Swarm testing (Groce et al., 2012): each seed first decides which features
 * it uses at all, then how much of them. A run with every nuisance at once
 * hides what happens with two of them only, such as an empty window on a
 * perfect link.
 */
#include "sim.h"

#include <string.h>

/** swarm_addr() - The address of a side */
struct ip_addr swarm_addr(bool v6, unsigned int side)
{
	struct ip_addr a = {
		{[10] = 0xff, 0xff, 198, 18, 66, (uint8_t)(2 + side)}};

	if (v6)
		a = (struct ip_addr){{0xfd, 0x74, 0x63, 0x70, 0x68,
				      0x73, [15] = (uint8_t)(2 + side)}};
	return a;
}

static void conf_calm(struct stack_conf *c, unsigned int side)
{
	*c = (struct stack_conf){
		.own4 = swarm_addr(false, side),
		.own6 = swarm_addr(true, side),
		.host4 = {{[10] = 0xff, 0xff, 198, 18, 66, 1}},
		.host6 = {{0xfd, 0x74, 0x63, 0x70, 0x68, 0x73, [15] = 1}},
		.icmp_echo = true,
		.ttl = 64,
		.mtu = 1500,
		.max_connections = 4096,
		.max_half_open = 1024,
		.rcvbuf = 65536,
		.rcvbuf_max = 1 << 20,
		.sndbuf = 1 << 18,
		.rst_rate = 1000,
		.challenge_ack_rate = 1000,
		.icmp_rate = 1000,
		.rto_initial_us = US_PER_S,
		.rto_min_us = 200 * US_PER_MS,
		.rto_max_us = 60 * US_PER_S,
		.syn_retries = 20,
		.synack_retries = 20,
		.retries = 20,
		.msl_us = 30 * US_PER_S,
		.fin_wait2_us = 3600 * US_PER_S,
		.delayed_ack_us = 40 * US_PER_MS,
		.sack = true,
		.timestamps = true,
		.mtu_probing = true,
		.quick_acks = 16,
		.window_scale = 7,
		.congestion = CC_NEWRENO,
		.cookies = COOKIES_PRESSURE,
	};
	c->net4 = (struct ip_prefix){c->host4, 96 + 24};
	c->net6 = (struct ip_prefix){c->host6, 64};
}

/* As the kernels that people meet, in so far as it is simple. */
static void peer_calm(struct peer_opts *p)
{
	*p = (struct peer_opts){
		.mss = 1460,
		.segment = 1460,
		.sack = true,
		.ts = true,
		.wscale = true,
		.shift = 7,
		.window = 65536,
		.flight = 20000,
		.ack_every = 2,
		.ack_delay_us = 40 * US_PER_MS,
		.rto_us = US_PER_S,
		.linger_us = 60 * US_PER_S,
		.fast_rexmt = true,
	};
}

static void app_calm(struct app_plan *a)
{
	*a = (struct app_plan){
		.bytes = 20000,
		.chunk_max = 4096,
		.read_max = 65536,
	};
}

/**
 * swarm_calm() - Ordinary options: one connection, 20,000 bytes each way over
 * a link of 10 ms that loses nothing
 */
void swarm_calm(struct sim_opts *o, uint64_t seed)
{
	memset(o, 0, sizeof(*o));
	o->seed = seed;
	o->start_us = US_PER_S;
	o->nconns = 1;
	o->listener = (struct stack_listener){
		.name = "sim",
		.service = &app_service,
		.port = SIM_PORT,
		.enabled = true,
		.backlog = 1024,
	};
	for (unsigned int i = 0; i < 2; i++) {
		conf_calm(&o->conf[i], i);
		peer_calm(&o->peer[i]);
		o->memory[i] = 64u << 20;
		o->event_mask[i] = UINT64_MAX;
		o->link[i] = (struct link_opts){.delay_us = 5000};
	}
	for (unsigned int i = 0; i < SIM_CONNS_MAX; i++)
		for (unsigned int side = 0; side < 2; side++)
			app_calm(&o->conn[i].app[side]);
}

static void draw_link(struct link_opts *l, struct rand *r)
{
	l->delay_us = (int64_t)rand_log(r, 1, 200000);
	l->jitter_us = rand_maybe(r, 2, 1, (uint64_t)l->delay_us * 2);
	l->fifo = rand_one_in(r, 2);
	l->loss_ppm = rand_maybe(r, 2, 1000, 180000);
	l->dup_ppm = rand_maybe(r, 3, 1000, 200000);
	l->corrupt_ppm = rand_maybe(r, 4, 1000, 20000);
	l->reorder_ppm = rand_maybe(r, 3, 1000, 300000);
	l->reorder_us = (int64_t)rand_log(r, 1, 4 * (uint64_t)l->delay_us);
	if (rand_one_in(r, 4)) {
		l->rate = (uint32_t)rand_log(r, 50000, 50000000);
		l->queue = (uint32_t)rand_log(r, 10000, 1000000);
	}
	l->batch_us = rand_maybe(r, 4, 10, 20000);
	if (rand_one_in(r, 12)) {
		l->outage_every_us = (int64_t)rand_log(r, 4000000, 60000000);
		l->outage_us = l->outage_every_us / 4;
	}
	l->whole = rand_one_in(r, 2);
	l->mark_ppm = rand_maybe(r, 2, 1000, 500000);
}

static void draw_conf(struct stack_conf *c, bool v6, struct rand *r)
{
	static const uint16_t mtus[] = {576, 1280, 1500, 1500, 9000, 65520};
	static const int64_t delays_us[] = {1000, 40000, 40000, 200000, 490000};

	do {
		c->mtu = mtus[rand_between(r, 0, ARRAY_LEN(mtus) - 1)];
	} while (c->mtu < 1280 && v6);
	if (c->mtu < 1280) /* IPv6 needs more (RFC 8200, 5) */
		c->net6.len = 0;
	c->csum_offload = rand_one_in(r, 2);
	if (c->csum_offload && !rand_one_in(r, 3))
		c->gso_max = rand_one_in(r, 2) ? 65535 : 16384;
	c->rcvbuf = (uint32_t)rand_log(r, 4096, 1 << 20);
	c->rcvbuf_max = rand_one_in(r, 2) ? c->rcvbuf : 2 * c->rcvbuf;
	c->sndbuf = (uint32_t)rand_log(r, 4096, 1 << 20);
	c->window_scale = (uint8_t)rand_between(r, 0, 14);
	c->sack = !rand_one_in(r, 3);
	c->timestamps = !rand_one_in(r, 3);
	c->mtu_probing = !rand_one_in(r, 3);
	c->quick_acks = rand_one_in(r, 2) ? 16 : 0;
	c->rto_min_us = (int64_t)rand_log(r, 20000, 1000000);
	c->rto_max_us = rand_one_in(r, 2) ? 60 * US_PER_S : 10 * US_PER_S;
	c->delayed_ack_us =
		delays_us[rand_between(r, 0, ARRAY_LEN(delays_us) - 1)];
	c->msl_us = (int64_t)rand_log(r, 1000000, 120000000);
	c->ecn = (enum stack_ecn)rand_between(r, ECN_NO, ECN_REQUEST);
	c->pacing = !rand_one_in(r, 4);
}

static void draw_app(struct app_plan *a, uint32_t bytes_max, struct rand *r)
{
	a->bytes = (uint32_t)rand_log(r, 1, bytes_max);
	if (rand_one_in(r, 6))
		a->bytes = 0;
	a->chunk_max = (uint32_t)rand_log(r, 1, 200000);
	/* Single bytes are for short streams. */
	if (a->chunk_max < a->bytes / 2000)
		a->chunk_max = a->bytes / 2000 + 1;
	a->by_ref = rand_one_in(r, 4);
	a->send_pause_ppm = rand_maybe(r, 3, 1000, 200000);
	a->send_pause_us = (int64_t)rand_log(r, 100, 5000000);
	a->read_max = (uint32_t)rand_log(r, 100, 1 << 20);
	if (a->read_max < a->bytes / 2000)
		a->read_max = a->bytes / 2000 + 1;
	a->read_pause_ppm = rand_maybe(r, 3, 1000, 100000);
	a->read_pause_us = (int64_t)rand_log(r, 100, 20000000);
	a->close = rand_one_in(r, 3) ? APP_CLOSE_READ : APP_CLOSE_SENT;
}

static void draw_conn(struct conn_plan *p, uint32_t bytes_max, bool aborts,
		      bool crossings, struct rand *r)
{
	struct app_plan *a = &p->app[0], *b = &p->app[1];

	draw_app(a, bytes_max, r);
	draw_app(b, bytes_max, r);
	p->crossing = crossings && rand_one_in(r, 2);
	if (rand_one_in(r, 3)) {
		b->kind = APP_ECHO;
		b->bytes = 0;
		b->close = APP_CLOSE_AFTER_PEER;
	} else if (rand_one_in(r, 2)) {
		(rand_one_in(r, 2) ? a : b)->close = APP_CLOSE_AFTER_PEER;
	}
	if (aborts && rand_one_in(r, 2))
		(rand_one_in(r, 2) ? a : b)->abort_at =
			(uint32_t)rand_log(r, 1, a->bytes + b->bytes + 1);
}

/* Who waits for a peer that may have been reset needs a way to find out. */
static void draw_keepalive(struct sim_opts *o, struct rand *r)
{
	for (unsigned int i = 0; i < 2; i++)
		o->conf[i].keepalive_us = o->peer[i].keepalive_us =
			(int64_t)rand_log(r, 5000000, 100000000);
}

/* A cookie keeps no record: if the last ACK of the handshake is lost, only a
 * client that speaks first gets through (RFC 4987, 3.6). */
static void clients_speak_first(struct sim_opts *o)
{
	for (unsigned int i = 0; i < o->nconns; i++) {
		struct app_plan *a = &o->conn[i].app[0];

		if (!a->bytes)
			a->bytes = 1;
		if (a->close == APP_CLOSE_AFTER_PEER)
			a->close = APP_CLOSE_READ;
	}
}

/* The first bytes of a segment that is cut backwards come last, and a burst that
 * begins with any piece takes them. Of 106 pieces three fronts of four were lost,
 * and with twenty in a row a sender gives up, as it should (seed 93052337 of old).
 * One of five may be. */
static void fronts_get_through(struct sim_opts *o)
{
	uint32_t mtu = o->conf[0].mtu < o->conf[1].mtu ? o->conf[0].mtu
						       : o->conf[1].mtu;
	uint32_t most;

	if (!o->box.split || !o->box.backwards)
		return;
	most = PPM / 5 / (mtu / o->box.split + 1);
	for (unsigned int i = 0; i < 2; i++)
		if (o->link[i].burst_ppm > most)
			o->link[i].burst_ppm = most;
}

/* A cookie that comes without a timestamp has no window scale, which the client
 * was promised: if a box takes the one out of SYN-ACKs and leaves the other, they
 * differ for ever. */
static void cookies_keep_scale(struct sim_opts *o)
{
	if (o->box.synack_strip & STRIP_TS &&
	    (o->conf[1].cookies == COOKIES_ALWAYS ||
	     o->conf[1].max_half_open == 1))
		o->box.syn_strip |= STRIP_WSCALE;
}

/** swarm_draw() - All options of a seed */
void swarm_draw(struct sim_opts *o, uint64_t seed)
{
	struct rand rnd, *r = &rnd;
	bool aborts, crossings;
	uint32_t bytes_max;
	int64_t at_us = 0;

	rand_init(r, seed, 0);
	swarm_calm(o, seed);
	o->v6 = rand_one_in(r, 2);
	if (rand_one_in(r, 4)) /* clocks of 32 bits wrap: us, ms */
		o->start_us = (rand_one_in(r, 2) ? INT64_C(1) << 32
						 : US_PER_MS << 32) -
			      5 * US_PER_S;
	for (unsigned int i = 0; i < 2; i++) {
		if (!rand_one_in(r, 8))
			draw_link(&o->link[i], r);
		if (!rand_one_in(r, 8))
			draw_conf(&o->conf[i], o->v6, r);
		o->event_mask[i] = rand_one_in(r, 4) ? 0 : UINT64_MAX;
		if (rand_one_in(r, 12)) /* less than the windows promise */
			o->memory[i] = rand_between(r, 2, 4) << 20;
	}
	aborts = rand_one_in(r, 5);
	crossings = rand_one_in(r, 5);
	o->nconns = (unsigned int)rand_log(r, 1, 64);
	bytes_max = (rand_one_in(r, 10) ? 8000000 : 1000000) / o->nconns;
	o->listener.nodelay = rand_one_in(r, 3);
	if (rand_one_in(r, 4))
		o->conf[1].cookies = COOKIES_ALWAYS;
	if (rand_one_in(r, 4))
		o->conf[1].max_half_open = 1;
	if (rand_one_in(r, 2)) {
		struct peer_opts *p = &o->peer[rand_between(r, 0, 1)];

		draw_peer(p, r);
		if (bytes_max > draw_peer_bytes_max(p) / o->nconns)
			bytes_max = draw_peer_bytes_max(p) / o->nconns + 1;
	}
	for (unsigned int i = 0; i < o->nconns; i++) {
		draw_conn(&o->conn[i], bytes_max, aborts, crossings, r);
		at_us += rand_maybe(r, 2, 1, 10000000);
		o->conn[i].open_at_us = at_us;
	}
	if (aborts || rand_one_in(r, 8))
		draw_keepalive(o, r);
	for (unsigned int i = 0; i < 2; i++)
		if (rand_one_in(r, 2))
			o->conf[i].congestion = CC_CUBIC;
	draw_path(o, r);
	/* Numbers of their own: what came first stays as it was. */
	rand_init(r, seed, 3);
	draw_more(o, r);
	cookies_keep_scale(o);
	clients_speak_first(o);
	fronts_get_through(o);
	swarm_limits(o);
}

static int64_t link_worst_us(const struct link_opts *l)
{
	return l->delay_us * 2 + l->jitter_us + l->reorder_us + l->batch_us;
}

/* Who echoes congestion for ever is sent one segment a timeout (RFC 3168, 6.1.2),
 * and where ACKs are lost, too, timeouts become a minute: see below (seed
 * 95032511 of old). */
static bool one_at_a_time(const struct sim_opts *o)
{
	bool stuck = false, lossy = false;

	for (unsigned int i = 0; i < 2; i++) {
		const struct link_opts *l = &o->link[i];

		stuck |= o->peer[i].on && o->peer[i].ecn == PEER_ECN_STUCK;
		lossy |= l->loss_ppm || l->burst_ppm || l->outage_us;
	}
	return stuck && lossy;
}

/**
 * swarm_limits() - Bounds that a run within these options must keep
 *
 * Generous: a run that meets them is not good, one that does not is broken.
 */
void swarm_limits(struct sim_opts *o)
{
	int64_t rtt_us =
		link_worst_us(&o->link[0]) + link_worst_us(&o->link[1]);
	uint64_t segments = 0, pauses_us = 0, mss;
	const struct app_plan *a;

	mss = o->conf[0].mtu < o->conf[1].mtu ? o->conf[0].mtu : o->conf[1].mtu;
	mss -= 100;
	for (unsigned int i = 0; i < 2; i++)
		if (o->peer[i].on &&
		    mss > draw_peer_bytes_max(&o->peer[i]) / 1000)
			mss = draw_peer_bytes_max(&o->peer[i]) / 1000;
	if (o->box.split && mss > o->box.split)
		mss = o->box.split;
	/* What a cookie makes of an MSS below 536, less the timestamp. */
	if (o->box.mss_clamp && o->box.mss_clamp < 536)
		mss = 36;
	for (unsigned int i = 0; i < o->nconns; i++) {
		for (unsigned int side = 0; side < 2; side++) {
			uint64_t chunks, bytes;

			a = &o->conn[i].app[side];
			bytes = a->bytes + o->conn[i].app[!side].bytes;
			chunks = bytes /
					 (a->chunk_max < a->read_max
						  ? a->chunk_max
						  : a->read_max) *
					 2 +
				 100;
			segments += bytes / mss + chunks;
			pauses_us += chunks * a->send_pause_ppm / PPM *
				     (uint64_t)a->send_pause_us;
			pauses_us += chunks * a->read_pause_ppm / PPM *
				     (uint64_t)a->read_pause_us;
		}
	}
	o->limit_packets = 20 * segments + 2000 * o->nconns;
	o->limit_us = 4 * 3600 * US_PER_S + 4 * (int64_t)pauses_us +
		      (int64_t)segments * 4 * (rtt_us + 2 * US_PER_S);
	if (one_at_a_time(o))
		o->limit_us += (int64_t)segments * 60 * US_PER_S;
	if (!(o->peer[0].on && o->peer[0].no_ooo) &&
	    !(o->peer[1].on && o->peer[1].no_ooo))
		return;
	/* Who keeps nothing out of order has a window sent again for each loss,
	 * and takes one segment a timeout where pieces come backwards, or where
	 * a tenth is lost: an ACK that came for the second copy echoes the first
	 * one's timestamp, which makes the timeout a minute (seeds 624401 and
	 * 93200002 of old). Where segments overtake each other, most of a window
	 * is sent in vain, and of tiny ones there are many (seed 95445384 of
	 * old). */
	o->limit_packets *=
		o->link[0].reorder_ppm || o->link[1].reorder_ppm ? 32 : 8;
	if (o->box.backwards || o->link[0].loss_ppm || o->link[1].loss_ppm)
		o->limit_us += (int64_t)segments * 60 * US_PER_S;
}
