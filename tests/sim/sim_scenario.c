/*
 * sim_scenario.c - Options by name
 *
 * Situations that must be in every run of the suite, and what once found a bug.
 * They do not hang on what the swarm draws, which changes.
 */
#include "sim.h"

static void calm(struct sim_opts *o)
{
	(void)o;
}

static void calm6(struct sim_opts *o)
{
	o->v6 = true;
}

static void both_links(struct sim_opts *o, struct link_opts l)
{
	o->link[0] = o->link[1] = l;
}

static void bytes_both(struct sim_opts *o, uint32_t bytes)
{
	for (unsigned int i = 0; i < o->nconns; i++)
		o->conn[i].app[0].bytes = o->conn[i].app[1].bytes = bytes;
}

static void loss20(struct sim_opts *o)
{
	both_links(o,
		   (struct link_opts){.delay_us = 20000, .loss_ppm = 200000});
	bytes_both(o, 200000);
}

static void loss20_plain(struct sim_opts *o)
{
	loss20(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->conf[i].sack = false;
		o->conf[i].timestamps = false;
	}
}

static void loss20_offload(struct sim_opts *o)
{
	loss20(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->conf[i].csum_offload = true;
		o->conf[i].gso_max = 65535;
		o->link[i].whole = i;
	}
}

/* Every second packet is late by more than the others wait. */
static void reorder(struct sim_opts *o)
{
	both_links(o, (struct link_opts){.delay_us = 10000,
					 .reorder_ppm = 500000,
					 .reorder_us = 30000});
	bytes_both(o, 300000);
}

static void duplicate(struct sim_opts *o)
{
	both_links(o,
		   (struct link_opts){.delay_us = 10000, .dup_ppm = 1000000});
	bytes_both(o, 300000);
}

static void corrupt(struct sim_opts *o)
{
	both_links(o, (struct link_opts){.delay_us = 10000,
					 .corrupt_ppm = 150000});
	bytes_both(o, 200000);
}

/* The reader sleeps for minutes with a window of 8 KiB. */
static void zero_window(struct sim_opts *o)
{
	o->conf[1].rcvbuf = o->conf[1].rcvbuf_max = 8192;
	o->conn[0].app[0].bytes = 100000;
	o->conn[0].app[1].read_max = 2000;
	o->conn[0].app[1].read_pause_ppm = 200000;
	o->conn[0].app[1].read_pause_us = 200 * US_PER_S;
}

/* The same, and the window updates get lost. */
static void zero_window_loss(struct sim_opts *o)
{
	zero_window(o);
	o->link[0].loss_ppm = o->link[1].loss_ppm = 200000;
	o->conn[0].app[1].read_pause_us = 20 * US_PER_S;
}

static void stuck_echo(struct sim_opts *o)
{
	struct app_plan *a = &o->conn[0].app[0], *b = &o->conn[0].app[1];

	o->conf[0].rcvbuf = o->conf[0].rcvbuf_max = 8192;
	o->conf[1].rcvbuf = o->conf[1].rcvbuf_max = 8192;
	o->conf[1].sndbuf = 8192;
	b->kind = APP_ECHO;
	b->bytes = 0;
	b->close = APP_CLOSE_AFTER_PEER;
	a->bytes = 300000;
	a->read_max = 10000;
	a->read_pause_ppm = 100000;
	a->read_pause_us = 30 * US_PER_S;
}

/* One byte at a time, unacknowledged ones ahead of it: Nagle and delayed ACKs
 * against each other. */
/* Segments far smaller than the unit of the window: with each of them a full
 * window was rounded up a little more, until all memory held what nobody read
 * (seed 685990 of old). */
static void stuck_echo_scaled(struct sim_opts *o)
{
	stuck_echo(o);
	o->conf[1].rcvbuf = o->conf[1].rcvbuf_max = 40000;
	o->conf[1].window_scale = 14;
	o->box.mss_clamp = 188;
}

static void single_bytes(struct sim_opts *o)
{
	bytes_both(o, 2000);
	for (unsigned int i = 0; i < 2; i++) {
		o->conn[0].app[i].chunk_max = 1;
		o->conn[0].app[i].send_pause_ppm = 300000;
		o->conn[0].app[i].send_pause_us = 3000;
	}
}

/* The client closes at once, the server goes on for 300 kB (half-close). */
static void half_close(struct sim_opts *o)
{
	both_links(o, (struct link_opts){.delay_us = 20000, .loss_ppm = 50000});
	o->conn[0].app[0].bytes = 10;
	o->conn[0].app[1].bytes = 300000;
	o->conn[0].app[1].send_pause_ppm = 50000;
	o->conn[0].app[1].send_pause_us = 10 * US_PER_S;
}

static void crossing(struct sim_opts *o)
{
	o->nconns = 10;
	for (unsigned int i = 0; i < o->nconns; i++) {
		o->conn[i].crossing = true;
		o->conn[i].open_at_us = i * US_PER_S;
	}
	both_links(o,
		   (struct link_opts){.delay_us = 50000, .loss_ppm = 150000});
}

static void both_close(struct sim_opts *o)
{
	o->nconns = 20;
	for (unsigned int i = 0; i < o->nconns; i++) {
		o->conn[i].app[0].close = APP_CLOSE_READ;
		o->conn[i].app[1].close = APP_CLOSE_READ;
		o->conn[i].app[0].bytes = o->conn[i].app[1].bytes = 1000;
	}
	both_links(o, (struct link_opts){.delay_us = 10000,
					 .jitter_us = 10000,
					 .loss_ppm = 50000});
}

/* The path is silent for 15 s in every minute. */
static void outages(struct sim_opts *o)
{
	both_links(o, (struct link_opts){.delay_us = 50000,
					 .rate = 100000,
					 .queue = 20000,
					 .outage_every_us = 60000000,
					 .outage_us = 15000000});
	bytes_both(o, 5000000);
	o->conf[0].sndbuf = o->conf[1].sndbuf = 1 << 20;
}

static void aborts(struct sim_opts *o)
{
	o->nconns = 100;
	for (unsigned int i = 0; i < o->nconns; i++) {
		o->conn[i].open_at_us = i * 300 * US_PER_MS;
		o->conn[i].app[i % 2].abort_at = 1 + i * 397;
	}
	o->conf[0].keepalive_us = o->conf[1].keepalive_us = 30 * US_PER_S;
	both_links(o, (struct link_opts){.delay_us = 20000,
					 .loss_ppm = 100000,
					 .reorder_ppm = 100000,
					 .reorder_us = 30000});
}

/* A thousand connections through a stack of little memory: what each leaves
 * behind would show. */
static void churn(struct sim_opts *o)
{
	o->nconns = 1000;
	for (unsigned int i = 0; i < o->nconns; i++) {
		o->conn[i].open_at_us = i * 50 * US_PER_MS;
		o->conn[i].app[0].bytes = i % 7 * 1000 + 1;
		o->conn[i].app[1].bytes = i % 5 * 1000;
	}
	for (unsigned int i = 0; i < 2; i++) {
		o->memory[i] = 8u << 20;
		o->conf[i].msl_us = US_PER_S;
	}
	both_links(o, (struct link_opts){.delay_us = 10000,
					 .loss_ppm = 20000,
					 .dup_ppm = 20000,
					 .reorder_ppm = 50000,
					 .reorder_us = 15000});
}

/* Three hundred at once against a half-open table of four: cookies. */
static void cookie_rush(struct sim_opts *o)
{
	o->nconns = 300;
	for (unsigned int i = 0; i < o->nconns; i++)
		o->conn[i].app[0].bytes = o->conn[i].app[1].bytes = 3000;
	o->conf[1].max_half_open = 4;
	both_links(o, (struct link_opts){.delay_us = 20000, .loss_ppm = 50000});
}

static void cookies_always(struct sim_opts *o)
{
	o->nconns = 20;
	bytes_both(o, 50000);
	o->conf[1].cookies = COOKIES_ALWAYS;
	both_links(o, (struct link_opts){.delay_us = 20000,
					 .loss_ppm = 100000,
					 .dup_ppm = 100000});
}

/* Bulk, both ways, the largest everything. */
static void jumbo(struct sim_opts *o)
{
	for (unsigned int i = 0; i < 2; i++) {
		o->conf[i].mtu = 65520;
		o->conf[i].csum_offload = true;
		o->conf[i].gso_max = 65535;
		o->conf[i].rcvbuf = 1 << 20;
		o->conf[i].rcvbuf_max = 4 << 20;
		o->conf[i].sndbuf = 4 << 20;
		o->conf[i].window_scale = 14;
		o->link[i].whole = true;
		o->conn[0].app[i].bytes = 8000000;
		o->conn[0].app[i].chunk_max = 1 << 20;
		o->conn[0].app[i].read_max = 1 << 20;
		o->conn[0].app[i].by_ref = i;
	}
}

/* A slow link with a short queue: losses come from the sender's own pace. */
static void bottleneck(struct sim_opts *o)
{
	both_links(o, (struct link_opts){.delay_us = 30000,
					 .rate = 250000,
					 .queue = 15000});
	o->nconns = 4;
	bytes_both(o, 500000);
}

static void no_scaling(struct sim_opts *o)
{
	for (unsigned int i = 0; i < 2; i++) {
		o->conf[i].window_scale = 0;
		o->conf[i].rcvbuf = o->conf[i].rcvbuf_max = 1 << 20;
		o->link[i].delay_us = 100000;
	}
	bytes_both(o, 500000);
}

static void small_mtu(struct sim_opts *o)
{
	o->conf[0].mtu = 576;
	o->conf[0].net6.len = 0;
	o->conf[1].mtu = 9000;
	o->conf[1].csum_offload = true;
	o->conf[1].gso_max = 65535;
	bytes_both(o, 200000);
}

/* Windows of a few segments, text both ways, losses: segments that are sent
 * again bring the newest ACK. Their window was not taken once, and text went
 * beyond the edge. */
static void small_windows(struct sim_opts *o)
{
	both_links(o, (struct link_opts){.delay_us = 5000,
					 .jitter_us = 10000,
					 .loss_ppm = 50000});
	for (unsigned int i = 0; i < 2; i++)
		o->conf[i].rcvbuf = o->conf[i].rcvbuf_max = 6000;
	o->nconns = 20;
	bytes_both(o, 50000);
	for (unsigned int i = 0; i < o->nconns; i++) {
		for (unsigned int side = 0; side < 2; side++) {
			o->conn[i].app[side].read_max = 500;
			o->conn[i].app[side].read_pause_ppm = 500000;
			o->conn[i].app[side].read_pause_us = 5000;
		}
	}
}

/* Crossing SYNs with small windows and a scale: the window of the SYN-ACK was
 * scaled once (RFC 7323, 2.2). */
static void crossing_scaled(struct sim_opts *o)
{
	crossing(o);
	for (unsigned int i = 0; i < 2; i++)
		o->conf[i].rcvbuf = o->conf[i].rcvbuf_max = 6000;
}

/* Every SYN comes twice, and the half-open table has room for one of them: the
 * first copy gets a cookie, the second a record with another number. */
static void cookie_record(struct sim_opts *o)
{
	o->nconns = 200;
	o->conf[1].max_half_open = 1;
	bytes_both(o, 3000);
	both_links(o, (struct link_opts){.delay_us = 10000,
					 .jitter_us = 30000,
					 .dup_ppm = 1000000});
}

/* The last ACK to the client is lost until the server's TIME-WAIT is over, and
 * cookies are out all the time: the client's FIN was taken for a guess, and got
 * no answer until it gave up (seed 6810 of old). */
static void cookies_last_ack(struct sim_opts *o)
{
	o->nconns = 100;
	for (unsigned int i = 0; i < o->nconns; i++) {
		o->conn[i].open_at_us = i * 4 * US_PER_S;
		o->conn[i].app[0].bytes = o->conn[i].app[1].bytes = 1000;
		o->conn[i].app[0].close = APP_CLOSE_AFTER_PEER;
	}
	o->conf[1].cookies = COOKIES_ALWAYS;
	o->conf[0].rto_max_us = 10 * US_PER_S;
	o->conf[0].msl_us = o->conf[1].msl_us = US_PER_S;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 200000;
}

const struct scenario plain_scenarios[] = {
	{"calm", 1, calm},
	{"calm6", 1, calm6},
	{"loss20", 1, loss20},
	{"loss20_plain", 2, loss20_plain},
	{"loss20_offload", 3, loss20_offload},
	{"reorder", 1, reorder},
	{"duplicate", 1, duplicate},
	{"corrupt", 1, corrupt},
	{"zero_window", 1, zero_window},
	{"zero_window_loss", 1, zero_window_loss},
	{"stuck_echo", 1, stuck_echo},
	{"stuck_echo_scaled", 1, stuck_echo_scaled},
	{"single_bytes", 1, single_bytes},
	{"half_close", 1, half_close},
	{"crossing", 1, crossing},
	{"both_close", 1, both_close},
	{"outages", 1, outages},
	{"aborts", 1, aborts},
	{"churn", 1, churn},
	{"cookie_rush", 1, cookie_rush},
	{"cookies_always", 1, cookies_always},
	{"jumbo", 1, jumbo},
	{"bottleneck", 1, bottleneck},
	{"no_scaling", 1, no_scaling},
	{"small_mtu", 1, small_mtu},
	{"small_windows", 1, small_windows},
	{"crossing_scaled", 1, crossing_scaled},
	{"cookie_record", 1, cookie_record},
	{"cookies_last_ack", 1, cookies_last_ack},
};

const size_t nplain_scenarios = ARRAY_LEN(plain_scenarios);
