/*
 * sim_scenario_mark.c - What is told beside the text: marks, urgent data, ICMP
 */
#include "sim.h"

static void some(struct sim_opts *o)
{
	o->nconns = 4;
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i] = (struct link_opts){.delay_us = 20000,
						.jitter_us = 2000,
						.loss_ppm = 10000};
		for (unsigned int n = 0; n < o->nconns; n++)
			o->conn[n].app[i].bytes = 100000;
	}
}

static void ecn(struct sim_opts *o)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->conf[i].ecn = ECN_REQUEST;
		o->link[i].mark_ppm = 50000;
	}
}

static void ecn_cookies(struct sim_opts *o)
{
	ecn(o);
	o->conf[1].cookies = COOKIES_ALWAYS;
}

/* A router that marks early: nothing need be lost. */
static void ecn_queue(struct sim_opts *o)
{
	ecn(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].loss_ppm = o->link[i].mark_ppm = 0;
		o->link[i].rate = 500000;
		o->link[i].queue = 100000;
		o->link[i].ce_queue = 10000;
	}
}

static void ecn_all_marked(struct sim_opts *o)
{
	ecn(o);
	o->link[0].mark_ppm = o->link[1].mark_ppm = PPM;
}

/* Agreed, and then a box takes all marks away. */
static void ecn_bleached(struct sim_opts *o)
{
	ecn(o);
	o->box.clear_ecn = true;
}

static void ecn_peer(struct sim_opts *o, unsigned int side, enum peer_ecn how)
{
	ecn(o);
	o->peer[side].on = true;
	o->peer[side].ecn = how;
}

static void ecn_peer_yes(struct sim_opts *o)
{
	ecn_peer(o, 1, PEER_ECN_YES);
}

static void ecn_peer_asks(struct sim_opts *o)
{
	ecn_peer(o, 0, PEER_ECN_YES);
}

static void ecn_peer_reflects(struct sim_opts *o)
{
	ecn_peer(o, 1, PEER_ECN_REFLECTS);
}

static void ecn_peer_deaf(struct sim_opts *o)
{
	ecn_peer(o, 1, PEER_ECN_DEAF);
}

static void ecn_peer_stuck(struct sim_opts *o)
{
	ecn_peer(o, 0, PEER_ECN_STUCK);
}

/* Repairs that overtake new text, marked or with CWR: that is too old then, and
 * nothing of it counts (RFC 7323, 5.3; seed 578992 of old). */
static void ecn_overtaken(struct sim_opts *o)
{
	ecn(o);
	o->nconns = 20;
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].mark_ppm = 400000;
		o->link[i].loss_ppm = 50000;
		o->link[i].delay_us = 3000;
		o->link[i].jitter_us = 10000;
		for (unsigned int n = 0; n < o->nconns; n++)
			o->conn[n].app[i].bytes = 100000;
	}
}

static void urgent(struct sim_opts *o)
{
	some(o);
	for (unsigned int n = 0; n < o->nconns; n++)
		o->conn[n].app[0].urgent_ppm = o->conn[n].app[1].urgent_ppm =
			200000;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 50000;
}

/* Marks further ahead than the pointer reaches, and readers that sleep. */
static void urgent_far(struct sim_opts *o)
{
	urgent(o);
	for (unsigned int n = 0; n < o->nconns; n++) {
		for (unsigned int i = 0; i < 2; i++) {
			struct app_plan *a = &o->conn[n].app[i];

			a->bytes = 500000;
			a->chunk_max = 200000;
			a->urgent_ppm = 500000;
			a->read_max = 20000;
			a->read_pause_ppm = 100000;
			a->read_pause_us = US_PER_S;
		}
	}
}

/* Few bytes at a time: what is sent again is joined, and its mark lies in text
 * that the other side has (seed 325174 of old). */
static void urgent_joined(struct sim_opts *o)
{
	urgent(o);
	for (unsigned int n = 0; n < o->nconns; n++) {
		for (unsigned int i = 0; i < 2; i++) {
			struct app_plan *a = &o->conn[n].app[i];

			a->bytes = 10000;
			a->chunk_max = 40;
			a->send_pause_ppm = 500000;
			a->send_pause_us = 5000;
			a->urgent_ppm = 20000;
			a->read_max = 200;
			a->read_pause_ppm = 200000;
			a->read_pause_us = 500 * US_PER_MS;
		}
	}
}

/* Copies among references in little memory: each took a large block, until there
 * was none for records of what is in flight (seed 1534 of old). */
static void urgent_little_memory(struct sim_opts *o)
{
	urgent(o);
	o->nconns = 40;
	o->memory[0] = 3u << 20;
	o->conf[0].rto_max_us = 10 * US_PER_S;
	o->conf[1].rcvbuf = o->conf[1].rcvbuf_max = 16384;
	for (unsigned int n = 0; n < o->nconns; n++) {
		struct app_plan *a = &o->conn[n].app[0];

		a->bytes = 50000;
		a->chunk_max = 50;
		a->by_ref = true;
		a->urgent_ppm = 500000;
		o->conn[n].app[1].bytes = 100;
	}
}

/* What we send takes all memory, and its echo has to be read for the peer to take
 * more. Two of the peer's segments are less than one of ours could be (seed
 * 91066259). */
static void echo_little_memory(struct sim_opts *o)
{
	o->nconns = 1;
	o->memory[0] = 2u << 20;
	o->conf[0].mtu = 65520;
	o->conf[0].rcvbuf = o->conf[0].rcvbuf_max = 400000;
	o->conf[0].sndbuf = 1u << 20;
	o->conf[1].mtu = 9000;
	o->conf[1].rcvbuf = o->conf[1].rcvbuf_max = 64000;
	o->link[0].delay_us = o->link[1].delay_us = 20000;
	o->conn[0].app[0].bytes = 2400000;
	o->conn[0].app[0].chunk_max = 25000;
	o->conn[0].app[1].kind = APP_ECHO;
	o->conn[0].app[1].bytes = 0;
	o->conn[0].app[1].close = APP_CLOSE_AFTER_PEER;
}

/* An echo among readers that sleep: what came for all of them took the last page,
 * and there was none for an answer, without which echo does not read on (seed
 * 95010309). */
static void echo_without_room(struct sim_opts *o)
{
	o->nconns = 3;
	o->memory[1] = 2u << 20;
	o->conf[1].rcvbuf = o->conf[1].rcvbuf_max = 1u << 20;
	o->conf[1].sndbuf = 200000;
	o->link[0].delay_us = 10;
	o->link[1].delay_us = 20 * US_PER_MS;
	o->link[0].burst_ppm = 7000;
	o->link[0].burst_loss_ppm = 640000;
	o->link[0].burst_us = 900 * US_PER_MS;
	for (unsigned int n = 0; n < o->nconns; n++) {
		struct app_plan *a = &o->conn[n].app[0];
		struct app_plan *b = &o->conn[n].app[1];

		a->bytes = 2000000;
		b->bytes = 1000000;
		b->read_pause_ppm = 100000;
		b->read_pause_us = 5 * US_PER_S;
	}
	o->conn[0].app[1] = (struct app_plan){
		.kind = APP_ECHO,
		.close = APP_CLOSE_AFTER_PEER,
		.chunk_max = 18,
		.read_max = 800,
	};
}

static void urgent_peer(struct sim_opts *o)
{
	urgent(o);
	o->peer[0].on = true;
}

static void urgent_box(struct sim_opts *o)
{
	urgent(o);
	o->box.split = 300;
	o->box.join = 3000;
	o->box.join_us = 2000;
}

/* For half a minute a router says that it does not know the way. */
static void complaints(struct sim_opts *o, uint8_t type, uint8_t code)
{
	some(o);
	for (unsigned int n = 0; n < o->nconns; n++)
		o->conn[n].open_at_us = n * 20 * US_PER_MS;
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].gone_from_us = 50 * US_PER_MS;
		o->link[i].gone_to_us = 30 * US_PER_S;
		o->link[i].gone_type = type;
		o->link[i].gone_code = code;
	}
}

static void unreachable(struct sim_opts *o)
{
	complaints(o, 3, 1);
}

static void unreachable6(struct sim_opts *o)
{
	complaints(o, 1, 0);
	o->v6 = true;
}

static void time_exceeded(struct sim_opts *o)
{
	complaints(o, 11, 0);
}

static void black_hole(struct sim_opts *o)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].mtu = 1100;
		o->link[i].mtu_silent = true;
	}
}

static void black_hole6(struct sim_opts *o)
{
	some(o);
	o->v6 = true;
	o->link[0].mtu = o->link[1].mtu = 1300;
	o->link[0].mtu_silent = o->link[1].mtu_silent = true;
}

/* It opens while everything is in flight, in super-segments, and there is no
 * SACK to find the way up again. */
static void black_hole_late(struct sim_opts *o)
{
	black_hole(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].mtu_from_us = 90 * US_PER_MS;
		o->conf[i].csum_offload = true;
		o->conf[i].gso_max = 65535;
		o->conf[i].sack = false;
	}
}

/* Routers of old say that it is too big, and not what would do. */
static void narrow_unsaid(struct sim_opts *o)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].mtu = 1100;
		o->link[i].mtu_unsaid = true;
	}
}

static void pieces_twice(struct sim_opts *o)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].fragment = 400;
		o->link[i].fragment_last_first = true;
		o->link[i].fragment_twice = true;
	}
}

static void pieces_twice6(struct sim_opts *o)
{
	pieces_twice(o);
	o->v6 = true;
}

const struct scenario mark_scenarios[] = {
	{"ecn", 1, ecn},
	{"ecn_cookies", 1, ecn_cookies},
	{"ecn_queue", 1, ecn_queue},
	{"ecn_all_marked", 1, ecn_all_marked},
	{"ecn_overtaken", 1, ecn_overtaken},
	{"ecn_bleached", 1, ecn_bleached},
	{"ecn_peer_yes", 1, ecn_peer_yes},
	{"ecn_peer_asks", 1, ecn_peer_asks},
	{"ecn_peer_reflects", 1, ecn_peer_reflects},
	{"ecn_peer_deaf", 1, ecn_peer_deaf},
	{"ecn_peer_stuck", 1, ecn_peer_stuck},
	{"urgent", 1, urgent},
	{"urgent_far", 1, urgent_far},
	{"urgent_joined", 1, urgent_joined},
	{"urgent_little_memory", 1, urgent_little_memory},
	{"echo_little_memory", 1, echo_little_memory},
	{"echo_without_room", 1, echo_without_room},
	{"urgent_peer", 1, urgent_peer},
	{"urgent_box", 1, urgent_box},
	{"unreachable", 1, unreachable},
	{"unreachable6", 1, unreachable6},
	{"time_exceeded", 1, time_exceeded},
	{"black_hole", 1, black_hole},
	{"black_hole6", 1, black_hole6},
	{"black_hole_late", 1, black_hole_late},
	{"narrow_unsaid", 1, narrow_unsaid},
	{"pieces_twice", 1, pieces_twice},
	{"pieces_twice6", 1, pieces_twice6},
};

const size_t nmark_scenarios = ARRAY_LEN(mark_scenarios);
