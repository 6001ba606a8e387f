/*
 * sim_scenario_path.c - Two stacks of ours, and a path with one bad habit
 */
#include "sim.h"

static void some(struct sim_opts *o)
{
	o->nconns = 4;
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i] = (struct link_opts){.delay_us = 20000,
						.jitter_us = 2000};
		for (unsigned int n = 0; n < o->nconns; n++)
			o->conn[n].app[i].bytes = 100000;
	}
}

static void both_aim(struct sim_opts *o, struct aim a, struct aim b)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].aim[0] = a;
		o->link[i].aim[1] = b;
	}
}

static void first_syns(struct sim_opts *o)
{
	both_aim(o, (struct aim){AIM_SYN, 1, 3}, (struct aim){.count = 0});
}

static void first_text(struct sim_opts *o)
{
	both_aim(o, (struct aim){AIM_TEXT, 1, 1}, (struct aim){.count = 0});
}

/* A hole, and what fills it is lost twice as well. */
static void copies(struct sim_opts *o)
{
	both_aim(o, (struct aim){AIM_TEXT, 12, 1},
		 (struct aim){AIM_AGAIN, 1, 2});
}

/* A whole flight but for its first segment. */
static void tail(struct sim_opts *o)
{
	both_aim(o, (struct aim){AIM_TEXT, 5, 15}, (struct aim){.count = 0});
}

static void fins(struct sim_opts *o)
{
	both_aim(o, (struct aim){AIM_FIN, 1, 3}, (struct aim){.count = 0});
}

static void acks(struct sim_opts *o)
{
	both_aim(o, (struct aim){AIM_ACK, 1, 12}, (struct aim){.count = 0});
}

static void bursts(struct sim_opts *o)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].burst_ppm = 20000;
		o->link[i].burst_us = 100 * US_PER_MS;
		o->link[i].burst_loss_ppm = 800000;
	}
}

static void gone(struct sim_opts *o)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].gone_from_us = 100 * US_PER_MS;
		o->link[i].gone_to_us = 40 * US_PER_S;
	}
}

static void tail_drop(struct sim_opts *o)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].rate = 500000;
		o->link[i].queue = 8000;
	}
}

static void narrow(struct sim_opts *o)
{
	some(o);
	o->link[0].mtu = 1300;
	o->link[1].mtu = 1400;
}

static void narrow6(struct sim_opts *o)
{
	narrow(o);
	o->v6 = true;
}

/* It becomes narrow while everything is in flight, and errors get lost. */
static void narrower(struct sim_opts *o)
{
	narrow(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].mtu_from_us = 90 * US_PER_MS;
		o->link[i].loss_ppm = 100000;
		o->conf[i].csum_offload = true;
		o->conf[i].gso_max = 65535;
	}
}

/* Two copies get lost, and of the third a router says that it is too big: the
 * fourth need not wait. */
static void narrow_late(struct sim_opts *o)
{
	narrow(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].gone_from_us = 30 * US_PER_MS;
		o->link[i].gone_to_us = US_PER_S;
		o->link[i].mtu_from_us = US_PER_S;
	}
	for (unsigned int n = 0; n < o->nconns; n++) {
		o->conn[n].app[1].bytes = 0;
		o->conn[n].app[1].close = APP_CLOSE_AFTER_PEER;
	}
}

static void fragments(struct sim_opts *o)
{
	some(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].fragment = 700;
		o->link[i].loss_ppm = 20000;
	}
}

static void fragments6(struct sim_opts *o)
{
	fragments(o);
	o->v6 = true;
}

static void strip_syn(struct sim_opts *o)
{
	some(o);
	o->box.syn_strip = STRIP_SACK | STRIP_TS | STRIP_WSCALE;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 20000;
}

static void strip_mss(struct sim_opts *o)
{
	some(o);
	o->box.syn_strip = o->box.synack_strip = STRIP_MSS;
}

/* One side believes in SACK and timestamps, the other does not. */
static void strip_synack(struct sim_opts *o)
{
	some(o);
	o->box.synack_strip = STRIP_SACK | STRIP_TS;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 50000;
}

static void strip_ts_late(struct sim_opts *o)
{
	some(o);
	o->box.ts_strip_after = 20;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 20000;
}

static void clamp(struct sim_opts *o)
{
	some(o);
	o->box.mss_clamp = 300;
}

static void numbers(struct sim_opts *o)
{
	some(o);
	o->box.shift[0] = 0x12345678;
	o->box.shift[1] = 0xfedcba98;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 50000;
}

/* The classical mistake: SACK blocks keep numbers that nobody sent. */
static void numbers_not_sack(struct sim_opts *o)
{
	numbers(o);
	o->box.sack_as_is = true;
}

/* And worse: off by so little that they look right. */
static void numbers_near(struct sim_opts *o)
{
	numbers_not_sack(o);
	o->box.shift[0] = 3000;
	o->box.shift[1] = 0u - 3000;
}

static void cuts(struct sim_opts *o)
{
	some(o);
	o->box.split = 100;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 20000;
}

static void cuts_backwards(struct sim_opts *o)
{
	cuts(o);
	o->box.backwards = true;
}

static void joins(struct sim_opts *o)
{
	some(o);
	o->box.join = 4000;
	o->box.join_us = 3000;
	o->box.split = 1000;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 20000;
}

static void forged(struct sim_opts *o)
{
	some(o);
	o->forge.ppm = PPM;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 20000;
}

static void forged6(struct sim_opts *o)
{
	forged(o);
	o->v6 = true;
}

/* Readers sleep and windows are shut: text was told to have come twice that
 * reached beyond them and was not taken (seed 7401 of old). */
static void forged_shut(struct sim_opts *o)
{
	forged(o);
	for (unsigned int i = 0; i < 2; i++) {
		o->conf[i].rcvbuf = o->conf[i].rcvbuf_max = 8192;
		for (unsigned int n = 0; n < o->nconns; n++) {
			o->conn[n].app[i].read_max = 1000;
			o->conn[n].app[i].read_pause_ppm = 200000;
			o->conn[n].app[i].read_pause_us = 2 * US_PER_S;
		}
	}
}

static void replayed(struct sim_opts *o)
{
	some(o);
	o->forge.replay_ppm = 300000;
	o->link[0].loss_ppm = o->link[1].loss_ppm = 20000;
	o->conf[1].cookies = COOKIES_ALWAYS;
}

/* Old SYNs come when all is over, and may get the same cookie once more. */
static void replayed_cookies(struct sim_opts *o)
{
	o->nconns = 300;
	for (unsigned int n = 0; n < o->nconns; n++) {
		o->conn[n].open_at_us = n / 3 * 200 * US_PER_MS;
		o->conn[n].app[0].bytes = o->conn[n].app[1].bytes = 10;
	}
	o->conf[1].max_half_open = 1;
	o->forge.replay_ppm = 500000;
}

/* Late copies of SYNs, while the minute of cookies changes: they get records
 * with other numbers than their clients know (seed 310459 of old). */
static void replayed_next_minute(struct sim_opts *o)
{
	replayed_cookies(o);
	o->nconns = 900;
	for (unsigned int n = 0; n < o->nconns; n++) {
		o->conn[n].open_at_us = n / 3 * 250 * US_PER_MS;
		o->conn[n].app[0].bytes = o->conn[n].app[1].bytes = 10;
	}
	o->link[0].loss_ppm = o->link[1].loss_ppm = 300000;
}

/* Where there is one place for a record, it is given up after 7 s. What its
 * client says later was once taken for a cookie's ACK, and the number for one
 * that tells of options (seed 427440 of old). */
static void records_given_up(struct sim_opts *o)
{
	o->nconns = 120;
	for (unsigned int n = 0; n < o->nconns; n++)
		o->conn[n].open_at_us = n / 2 * 500 * US_PER_MS;
	o->conf[1].max_half_open = 1;
	o->link[0].outage_every_us = 13 * US_PER_S;
	o->link[0].outage_us = 8 * US_PER_S;
	o->link[0].loss_ppm = 150000;
	o->link[1].delay_us = 150 * US_PER_MS;
}

/* The least memory a stack can have. Each kind of record that was needed once
 * kept a page, until the pages left over were too few for a SYN, for ever
 * (seed 38142 of old). */
static void least_memory(struct sim_opts *o)
{
	fragments(o);
	o->memory[1] = STACK_MEM_MIN;
	o->nconns = 40;
	o->conf[1].mtu = 576;
	o->conf[1].net6.len = 0;
	o->conf[1].window_scale = 0;
	o->link[0].fragment = 300;
	o->link[1].mtu = 560;
	for (unsigned int i = 0; i < 2; i++) {
		o->link[i].loss_ppm = 120000;
		o->link[i].reorder_ppm = 50000;
		o->link[i].reorder_us = 300000;
	}
	for (unsigned int n = 0; n < o->nconns; n++) {
		o->conn[n].open_at_us = n * 10 * US_PER_S;
		o->conn[n].app[0].bytes = o->conn[n].app[1].bytes = 60000;
		o->conn[n].app[1].by_ref = n % 2;
	}
}

const struct scenario path_scenarios[] = {
	{"lost_syns", 1, first_syns},
	{"lost_first_text", 1, first_text},
	{"lost_copies", 1, copies},
	{"lost_tail", 1, tail},
	{"lost_fins", 1, fins},
	{"lost_acks", 1, acks},
	{"lost_bursts", 1, bursts},
	{"lost_for_40_s", 1, gone},
	{"tail_drop", 1, tail_drop},
	{"narrow", 1, narrow},
	{"narrow6", 1, narrow6},
	{"narrow_late", 1, narrow_late},
	{"narrower", 1, narrower},
	{"fragments", 1, fragments},
	{"fragments6", 1, fragments6},
	{"least_memory", 1, least_memory},
	{"strip_syn", 1, strip_syn},
	{"strip_mss", 1, strip_mss},
	{"strip_synack", 1, strip_synack},
	{"strip_ts_late", 1, strip_ts_late},
	{"clamp_mss", 1, clamp},
	{"numbers", 1, numbers},
	{"numbers_not_sack", 1, numbers_not_sack},
	{"numbers_near", 1, numbers_near},
	{"cuts", 1, cuts},
	{"cuts_backwards", 1, cuts_backwards},
	{"joins", 1, joins},
	{"forged", 1, forged},
	{"forged6", 1, forged6},
	{"forged_shut", 1, forged_shut},
	{"replayed", 1, replayed},
	{"replayed_cookies", 1, replayed_cookies},
	{"replayed_next_minute", 1, replayed_next_minute},
	{"records_given_up", 2, records_given_up},
};

const size_t npath_scenarios = ARRAY_LEN(path_scenarios);
