/*
 * sim_scenario_peer.c - One of our stacks and a peer that is odd in one way
 *
 * The peers that a stack meets: old kernels, small devices, boxes that speak
 * TCP as its text allows and nobody expects. The link loses a little, so that
 * the odd way matters when something must be sent again.
 */
#include "sim.h"

static struct peer_opts *peer_at(struct sim_opts *o, unsigned int side)
{
	o->peer[side].on = true;
	o->nconns = 4;
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i] = (struct link_opts){.delay_us = 20000,
						.jitter_us = 5000,
						.loss_ppm = 30000};
		for (unsigned int n = 0; n < o->nconns; n++)
			o->conn[n].app[i].bytes = 60000;
	}
	return &o->peer[side];
}

static void bytes_all(struct sim_opts *o, uint32_t bytes)
{
	for (unsigned int n = 0; n < o->nconns; n++)
		o->conn[n].app[0].bytes = o->conn[n].app[1].bytes = bytes;
}

static void plain_server(struct sim_opts *o)
{
	peer_at(o, 1);
}

static void plain_client6(struct sim_opts *o)
{
	o->v6 = true;
	peer_at(o, 0);
}

static void no_options(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 1);

	p->mss = 0;
	p->segment = 536;
	p->sack = p->ts = p->wscale = false;
}

static void no_sack(struct sim_opts *o)
{
	peer_at(o, 0)->sack = false;
}

static void mss48(struct sim_opts *o)
{
	peer_at(o, 1)->mss = 48;
	bytes_all(o, 20000);
}

/* A cookie had no MSS below 536 once, so such a peer got what it could not
 * take (seed 28). */
static void mss48_cookie(struct sim_opts *o)
{
	peer_at(o, 0)->mss = 48;
	o->conf[1].cookies = COOKIES_ALWAYS;
	bytes_all(o, 20000);
}

/* The timestamp that would tell the window scale is left out of the segment that
 * brings the cookie back, so windows look 512 times smaller (seed 19436 of
 * old). */
static void ts_not_with_cookie(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 0);

	p->ts_omit_ppm = 500000;
	p->shift = 9;
	p->window = 7232;
	o->conf[1].cookies = COOKIES_ALWAYS;
	bytes_all(o, 2000);
}

static void window100(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 1);

	p->window = 100;
	p->wscale = false;
	bytes_all(o, 5000);
}

/* Each byte that it reads moves the window by one. */
static void silly_window(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 1);

	p->window = 3000;
	p->wscale = false;
	p->silly = true;
	bytes_all(o, 10000);
	for (unsigned int n = 0; n < o->nconns; n++) {
		o->conn[n].app[1].read_max = 1;
		o->conn[n].app[1].read_pause_ppm = 500000;
		o->conn[n].app[1].read_pause_us = 5000;
	}
}

/* The window is shut for minutes and nobody says when it opens: only probes
 * find out. */
static void silent_window(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 1);

	p->window = 8000;
	p->wscale = false;
	p->no_update = true;
	for (unsigned int n = 0; n < o->nconns; n++) {
		o->conn[n].app[1].read_max = 2000;
		o->conn[n].app[1].read_pause_ppm = 100000;
		o->conn[n].app[1].read_pause_us = 300 * US_PER_S;
	}
}

static void shrinking_window(struct sim_opts *o)
{
	peer_at(o, 1)->shrink_ppm = 300000;
}

static void reneges(struct sim_opts *o)
{
	peer_at(o, 1)->renege_ppm = 500000;
	o->link[0].loss_ppm = 100000;
}

static void goes_back(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 0);

	p->no_ooo = true;
	p->sack = p->fast_rexmt = false;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 100000;
}

/* What it would take lies at the end of what comes: a timeout for each piece,
 * and those double while ACKs are lost (seed 624401 of old). */
static void goes_back_backwards(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 0);

	p->no_ooo = true;
	p->mss = 536;
	o->nconns = 1;
	o->conn[0].app[0].bytes = 100;
	o->conn[0].app[1].bytes = 100000;
	o->box.split = 68;
	o->box.backwards = true;
	o->link[0] = o->link[1] = (struct link_opts){.delay_us = 200};
	o->link[0].outage_us = 10 * US_PER_S;
	o->link[0].outage_every_us = 38 * US_PER_S;
}

/* 180 duplicate ACKs for a segment; together they stand for more bytes than 32
 * bits can count (seed 96197634 of old). */
static void many_duplicate_acks(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 0);

	p->mss = 8960;
	p->window = 9000;
	o->conf[1].mtu = 9000;
	o->nconns = 1;
	o->conn[0].app[0].bytes = 100;
	o->conn[0].app[1].bytes = 13000000;
	o->box.split = 50;
	o->box.backwards = true;
	o->link[0] = o->link[1] = (struct link_opts){.delay_us = 200};
}

/* A reader that sleeps on, and asks when all is over and TIME-WAIT, too. What
 * asks is no cookie, and while those are out nobody says so (seed 96504597 of
 * old). */
static void asks_after_the_end(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 0);

	p->keepalive_us = 5 * US_PER_S;
	o->nconns = 1;
	o->conn[0].app[0].bytes = 100;
	o->conn[0].app[0].read_max = 100;
	o->conn[0].app[0].read_pause_ppm = PPM;
	o->conn[0].app[0].read_pause_us = 20 * US_PER_S;
	o->conn[0].app[1].bytes = 2000;
	o->conf[1].cookies = COOKIES_ALWAYS;
	o->conf[1].msl_us = US_PER_S;
	o->link[0] = o->link[1] = (struct link_opts){.delay_us = 200};
}

static void repacks(struct sim_opts *o)
{
	peer_at(o, 0)->repack = true;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 100000;
}

static void wraps_32(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 1);

	p->iss_set = true;
	p->iss = 0u - 30000;
	p->ts_base = 0u - 1500;
}

static void wraps_31(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 0);

	p->iss_set = true;
	p->iss = (1u << 31) - 30000;
	p->ts_base = (1u << 31) - 1500;
}

static void ts_now_and_then(struct sim_opts *o)
{
	peer_at(o, 1)->ts_omit_ppm = 300000;
}

static void ts_no_more(struct sim_opts *o)
{
	peer_at(o, 0)->ts_stop_at = 20000;
}

static void ack_all(struct sim_opts *o)
{
	peer_at(o, 1)->ack_every = 1;
}

static void stretch_ack(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 1);

	p->ack_every = 64;
	p->ack_delay_us = 500 * US_PER_MS;
}

/* ACKs arrive in bunches. */
static void compressed_ack(struct sim_opts *o)
{
	peer_at(o, 1)->ack_every = 1;
	o->link[1].batch_us = 50 * US_PER_MS;
}

static void single_bytes(struct sim_opts *o)
{
	struct peer_opts *p = peer_at(o, 0);

	p->segment = 1;
	p->flight = 100;
	p->silly = true;
	bytes_all(o, 3000);
}

static void syn_text(struct sim_opts *o)
{
	peer_at(o, 0)->syn_text = 500;
}

static void fin_apart(struct sim_opts *o)
{
	peer_at(o, 1)->fin_apart = true;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 150000;
	bytes_all(o, 100);
}

static void crossing(struct sim_opts *o)
{
	peer_at(o, 1);
	for (unsigned int n = 0; n < o->nconns; n++)
		o->conn[n].crossing = true;
}

/* The last data and its ACK are lost again and again while the reader sleeps;
 * the peer has closed, waited 2 MSL and forgotten. The reader is reset, and
 * that is all it can be (swarm seed 7698 of old). */
static void sleeps_past_2msl(struct sim_opts *o)
{
	o->conf[0].msl_us = o->conf[1].msl_us = US_PER_S;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 300000;
	o->nconns = 50;
	for (unsigned int n = 0; n < o->nconns; n++) {
		o->conn[n].open_at_us = n * 4 * US_PER_S;
		o->conn[n].app[1].read_max = 1000;
		o->conn[n].app[1].read_pause_ppm = 100000;
		o->conn[n].app[1].read_pause_us = 20 * US_PER_S;
	}
}

const struct scenario peer_scenarios[] = {
	{"peer_server", 1, plain_server},
	{"peer_client6", 1, plain_client6},
	{"peer_no_options", 1, no_options},
	{"peer_no_sack", 1, no_sack},
	{"peer_mss48", 1, mss48},
	{"peer_mss48_cookie", 1, mss48_cookie},
	{"peer_ts_not_with_cookie", 1, ts_not_with_cookie},
	{"peer_window100", 1, window100},
	{"peer_silly_window", 1, silly_window},
	{"peer_silent_window", 1, silent_window},
	{"peer_shrinking_window", 1, shrinking_window},
	{"peer_reneges", 1, reneges},
	{"peer_goes_back", 1, goes_back},
	{"peer_goes_back_backwards", 1, goes_back_backwards},
	{"peer_asks_after_the_end", 1, asks_after_the_end},
	{"peer_many_duplicate_acks", 1, many_duplicate_acks},
	{"peer_repacks", 1, repacks},
	{"peer_wraps_32", 1, wraps_32},
	{"peer_wraps_31", 1, wraps_31},
	{"peer_ts_now_and_then", 1, ts_now_and_then},
	{"peer_ts_no_more", 1, ts_no_more},
	{"peer_ack_all", 1, ack_all},
	{"peer_stretch_ack", 1, stretch_ack},
	{"peer_compressed_ack", 1, compressed_ack},
	{"peer_single_bytes", 1, single_bytes},
	{"peer_syn_text", 1, syn_text},
	{"peer_fin_apart", 1, fin_apart},
	{"peer_crossing", 1, crossing},
	{"sleeps_past_2msl", 1, sleeps_past_2msl},
};

const size_t npeer_scenarios = ARRAY_LEN(peer_scenarios);
