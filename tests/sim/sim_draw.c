/*
 * sim_draw.c - Odd peers, bad paths, middleboxes and forgeries, by chance
 *
 * Each oddity is drawn one time in several, so that it is seen alone as well as
 * together with others. What would keep any two stacks from talking at all is
 * not drawn.
 */
#include "sim.h"

/** draw_peer() - A simple peer and what is odd about it */
void draw_peer(struct peer_opts *p, struct rand *r)
{
	static const uint16_t mss[] = {0,   48,	  64,	88,   100,
				       536, 1220, 1460, 8960, 65495};
	static const uint32_t wraps[] = {0, 1u << 31};

	p->on = true;
	p->mss = mss[rand_between(r, 0, ARRAY_LEN(mss) - 1)];
	p->segment = (uint16_t)rand_log(r, 1, 1460);
	if (rand_one_in(r, 2))
		p->segment = 1460;
	p->sack = !rand_one_in(r, 3);
	p->ts = !rand_one_in(r, 3);
	p->wscale = !rand_one_in(r, 3);
	p->window = (uint32_t)rand_log(r, 1, 500000);
	if (rand_one_in(r, 2))
		p->window = 65535;
	p->shift = (uint8_t)rand_between(r, 0, 14);
	while (p->shift && p->window >> p->shift < 8)
		p->shift--;
	p->iss_set = rand_one_in(r, 2);
	p->iss =
		wraps[rand_between(r, 0, 1)] - (uint32_t)rand_log(r, 1, 100000);
	p->ts_base =
		wraps[rand_between(r, 0, 1)] - (uint32_t)rand_log(r, 1, 100000);
	p->flight = (uint32_t)rand_log(r, 1, 100000);
	if (p->flight < p->segment)
		p->flight = p->segment;
	p->ack_every = (unsigned int)rand_between(r, 1, 2);
	if (rand_one_in(r, 4))
		p->ack_every = (unsigned int)rand_log(r, 1, 64);
	p->ack_delay_us = (int64_t)rand_log(r, 1000, 500000);
	p->rto_us = (int64_t)rand_log(r, 200000, 3000000);
	p->linger_us = (int64_t)rand_log(r, 1000, 60000000);
	p->ts_omit_ppm = rand_maybe(r, 4, 10000, 1000000);
	p->ts_stop_at = rand_maybe(r, 4, 1, 100000);
	p->shrink_ppm = rand_maybe(r, 4, 1000, 500000);
	p->renege_ppm = rand_maybe(r, 4, 1000, 500000);
	p->syn_text = rand_maybe(r, 4, 1, 500);
	p->no_ooo = rand_one_in(r, 4);
	p->no_update = rand_one_in(r, 4);
	p->silly = rand_one_in(r, 4);
	p->fast_rexmt = !rand_one_in(r, 4);
	p->repack = rand_one_in(r, 4);
	p->fin_apart = rand_one_in(r, 4);
	p->no_df = rand_one_in(r, 2);
}

/** draw_peer_bytes_max() - Bytes that take a thousand segments of such a peer */
uint32_t draw_peer_bytes_max(const struct peer_opts *p)
{
	uint32_t least = p->window;

	if (least > p->flight)
		least = p->flight;
	if (least > p->segment)
		least = p->segment;
	if (p->mss && least > p->mss)
		least = p->mss;
	/* A cookie without its timestamp forgets the window scale. */
	if (p->wscale && (p->ts_omit_ppm || p->ts_stop_at) &&
	    least > p->window >> p->shift)
		least = (p->window >> p->shift) + 1;
	return least * 1000;
}

static void draw_aims(struct link_opts *l, struct rand *r)
{
	for (unsigned int i = 0; i < AIMS_MAX && rand_one_in(r, 2); i++)
		l->aim[i] = (struct aim){
			.kind = (enum aim_kind)rand_between(r, 0,
							    AIM_KINDS - 1),
			.nth = (uint32_t)rand_log(r, 1, 30),
			.count = (uint32_t)rand_log(r, 1, 5),
		};
}

static void draw_losses(struct link_opts *l, struct rand *r)
{
	if (rand_one_in(r, 6)) {
		l->burst_ppm = (uint32_t)rand_log(r, 1000, 50000);
		l->burst_us = (int64_t)rand_log(r, 1000, 2000000);
		l->burst_loss_ppm = (uint32_t)rand_between(r, 300000, PPM);
	}
	if (rand_one_in(r, 6))
		draw_aims(l, r);
	if (rand_one_in(r, 12)) {
		l->gone_from_us = (int64_t)rand_log(r, 1000, 10000000);
		l->gone_to_us =
			l->gone_from_us + (int64_t)rand_log(r, 1000, 60000000);
	}
	if (l->rate && rand_one_in(r, 2))
		l->ce_queue = (uint32_t)rand_log(r, 1000, l->queue);
}

/* Packets that do not fit. A tunnel that fragments does so silently, and only
 * towards a stack: the simple peer puts nothing together. */
static void draw_sizes(struct sim_opts *o, unsigned int from, struct rand *r)
{
	struct link_opts *l = &o->link[from];

	if (rand_one_in(r, 8)) {
		l->mtu = (uint32_t)rand_between(r, o->v6 ? 1280 : 576, 1500);
		l->mtu_from_us = rand_maybe(r, 2, 1000, 5000000);
		l->whole = false;
	} else if (rand_one_in(r, 12) && !o->peer[!from].on) {
		/* Not into more pieces than a stack keeps of a packet. */
		uint32_t least = o->conf[from].mtu / 32;

		l->fragment =
			(uint32_t)rand_log(r, least > 200 ? least : 200, 4000);
		l->whole = false;
	}
}

/* A box sits in both directions. Taking the window scale out of the SYN-ACK
 * alone would leave both sides with different ideas for ever, and nothing
 * could be done about that. */
static void draw_box(struct box_opts *b, struct rand *r)
{
	if (rand_one_in(r, 4))
		b->syn_strip = (uint8_t)rand_between(r, 1, 15);
	if (rand_one_in(r, 4))
		b->synack_strip =
			(uint8_t)rand_between(r, 1, 15) & ~STRIP_WSCALE;
	b->mss_clamp = (uint16_t)rand_maybe(r, 4, 48, 1460);
	if (rand_one_in(r, 4)) {
		b->shift[0] = (uint32_t)rand_log(r, 1, UINT32_MAX);
		b->shift[1] = (uint32_t)rand_log(r, 1, UINT32_MAX);
		b->sack_as_is = rand_one_in(r, 3);
	}
	b->ts_strip_after = rand_maybe(r, 4, 1, 200);
	b->split = rand_maybe(r, 4, 50, 1400);
	b->backwards = rand_one_in(r, 2);
	if (rand_one_in(r, 4)) {
		b->join = (uint32_t)rand_log(r, 500, 20000);
		b->join_us = (int64_t)rand_log(r, 100, 20000);
	}
	b->clear_ecn = rand_one_in(r, 4);
	b->clear_dscp = rand_one_in(r, 4);
}

static void draw_urgent(struct sim_opts *o, struct rand *r)
{
	for (unsigned int i = 0; i < o->nconns; i++)
		for (unsigned int side = 0; side < 2; side++)
			if (o->conn[i].app[side].kind == APP_STREAM)
				o->conn[i].app[side].urgent_ppm =
					rand_maybe(r, 2, 1000, PPM);
}

/* Codes that say that it may pass (RFC 9293, 3.9.2.2 (MUST-56)); and time
 * exceeded, as of a loop while routes change. */
static void draw_complaint(struct link_opts *l, bool v6, struct rand *r)
{
	static const uint8_t v4[][2] = {{3, 0}, {3, 1}, {3, 5}, {11, 0}},
			     six[][2] = {{1, 0}, {1, 3}, {3, 0}, {3, 0}};
	const uint8_t *what;

	what = v6 ? six[rand_between(r, 0, 3)] : v4[rand_between(r, 0, 3)];
	l->gone_type = what[0];
	l->gone_code = what[1];
}

/* Two features that no two stacks get along with. A cookie whose timestamp is
 * taken away forgets the window scale, and its client does not. And an end
 * without memory for its open when the other's SYN comes resets it. */
static void draw_not_both(struct sim_opts *o)
{
	if (o->box.ts_strip_after) {
		o->conf[1].cookies = COOKIES_NEVER;
		o->conf[1].max_half_open = 1024;
	}
	if (o->memory[0] < MEMORY_ENOUGH || o->memory[1] < MEMORY_ENOUGH)
		for (unsigned int i = 0; i < o->nconns; i++)
			o->conn[i].crossing = false;
}

/** draw_more() - Marks, urgent data, complaints, and holes that swallow */
void draw_more(struct sim_opts *o, struct rand *r)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct link_opts *l = &o->link[i];

		o->peer[i].ecn =
			(enum peer_ecn)rand_between(r, 0, PEER_ECN_MODES - 1);
		/* Who does not look for the size himself waits for ever. */
		if (rand_one_in(r, 2) && !o->peer[i].on)
			l->mtu_silent = o->conf[i].mtu_probing;
		else
			l->mtu_unsaid = rand_one_in(r, 2) && !o->v6;
		if (rand_one_in(r, 2))
			draw_complaint(l, o->v6, r);
		l->fragment_last_first = rand_one_in(r, 3);
		l->fragment_twice = rand_one_in(r, 3);
	}
	if (rand_one_in(r, 4))
		draw_urgent(o, r);
	draw_not_both(o);
}

/** draw_path() - What is bad about the way between both sides */
void draw_path(struct sim_opts *o, struct rand *r)
{
	for (unsigned int i = 0; i < 2; i++) {
		draw_losses(&o->link[i], r);
		draw_sizes(o, i, r);
	}
	if (rand_one_in(r, 4)) {
		draw_box(&o->box, r);
		o->link[0].whole = o->link[1].whole = false;
		/* All parts of a segment must find room: the same ones would
		 * be lost each time. */
		for (unsigned int i = 0; i < 2; i++)
			if (o->link[i].queue && o->link[i].queue < 100000)
				o->link[i].queue = 100000;
	}
	/* After an abort the listener is free for whatever is forged. */
	for (unsigned int i = 0; i < o->nconns; i++)
		if (o->conn[i].app[0].abort_at || o->conn[i].app[1].abort_at)
			return;
	o->forge.ppm = rand_maybe(r, 6, 1000, PPM);
	o->forge.replay_ppm = rand_maybe(r, 8, 1000, 100000);
}
