/*
 * alert_flood.c - SYN floods and half-open pressure, by listener
 *
 * A busy server and a flooded one get SYNs at the same rate; what tells them
 * apart is how many come back with an ACK. So a flood is a rate beyond
 * flood_rate, or one that has filled the backlog (cookies leave), of which less
 * than half completes within three seconds. It is over when for CALM seconds
 * the rate was below half of flood_rate, or most handshakes completed, and no
 * cookie left.
 *
 * Pressure without a flood is many half-open connections at a rate that is none:
 * slow clients, or ACKs that get lost. What a flood left behind until it times
 * out is not told again.
 *
 * Sources are counted by network, /24 or /64, in a few places (Metwally's Space-
 * Saving): a new one takes over the smallest. What is counted fades by half a
 * second, so the top is of now.
 */
#include "alert_priv.h"

#include <string.h>

#define LOOK_BACK 3  /* seconds: a slow path needs one or two to complete */
#define SYNS_MIN  30 /* within them: less is no flood whatever fills */
#define CALM	  5  /* seconds until it is over */
#define FULL	  2  /* seconds of pressure until it is told */

static void look(struct alerts *a, uint16_t index,
		 const struct alert_listener *l, bool cookies_always,
		 unsigned int seconds, int64_t now_us);
static void count(struct flood *f, const struct alert_listener *l,
		  unsigned int seconds);
static void flood(struct alerts *a, struct flood *f, uint16_t index,
		  const struct alert_listener *l, bool cookies_always,
		  int64_t now_us);
static void show_flood(struct alerts *a, struct flood *f,
		       const struct alert_listener *l, int64_t now_us);
static void pressure(struct alerts *a, struct flood *f, uint16_t index,
		     uint32_t half_open, uint32_t limit, int64_t now_us);
static void fade(struct flood *f, unsigned int seconds);

void flood_source(struct flood *f, const struct ip_addr *peer)
{
	struct ip_prefix p = source_prefix(peer, true);
	struct top_source *least = &f->top[0];

	f->sources++;
	for (unsigned int i = 0; i < TOP_SOURCES; i++) {
		struct top_source *t = &f->top[i];

		if (t->count && t->prefix.len == p.len &&
		    memcmp(&t->prefix.addr, &p.addr, sizeof(p.addr)) == 0) {
			t->count++;
			return;
		}
		if (t->count < least->count)
			least = t;
	}
	/* It may have had all that the last one had, or nothing. */
	least->prefix = p;
	least->over = least->count++;
}

void flood_tick(struct alerts *a, const struct alert_facts *f,
		unsigned int seconds, int64_t now_us)
{
	struct flood *all = &a->flood[STACK_LISTENERS_MAX];
	bool flooded = false;

	for (uint16_t i = 0; i < STACK_LISTENERS_MAX; i++) {
		look(a, i, &f->listener[i], f->cookies_always, seconds, now_us);
		flooded |= a->flood[i].flood != NULL;
	}
	/* The table of all, unless a listener explains it. */
	all->leftover |= flooded;
	pressure(a, all, LISTENER_NONE, f->half_open, f->half_open_max, now_us);
}

static void look(struct alerts *a, uint16_t index,
		 const struct alert_listener *l, bool cookies_always,
		 unsigned int seconds, int64_t now_us)
{
	struct flood *f = &a->flood[index];

	if (!l->used) {
		if (f->flood)
			alert_end(a, &f->flood, now_us);
		if (f->pressure)
			alert_end(a, &f->pressure, now_us);
		if (f->known)
			memset(f, 0, sizeof(*f));
		return;
	}
	count(f, l, seconds);
	flood(a, f, index, l, cookies_always, now_us);
	pressure(a, f, index, l->half_open, l->backlog, now_us);
	fade(f, seconds);
}

/* Counters become rates. Those of another listener in this slot go back. */
static void count(struct flood *f, const struct alert_listener *l,
		  unsigned int seconds)
{
	window_pass(&f->syns, seconds);
	window_pass(&f->opened, seconds);
	window_pass(&f->cookies, seconds);
	if (f->known && l->syns >= f->last_syns) {
		/* What came while nobody looked is spread over that time. */
		f->syns.slot[0] +=
			(uint32_t)((l->syns - f->last_syns) / seconds);
		f->opened.slot[0] +=
			(uint32_t)((l->opened - f->last_opened) / seconds);
		f->cookies.slot[0] +=
			(uint32_t)((l->cookies - f->last_cookies) / seconds);
	}
	f->known = true;
	f->last_syns = l->syns;
	f->last_opened = l->opened;
	f->last_cookies = l->cookies;
}

static void flood(struct alerts *a, struct flood *f, uint16_t index,
		  const struct alert_listener *l, bool cookies_always,
		  int64_t now_us)
{
	uint32_t syns = window_sum(&f->syns, LOOK_BACK);
	uint32_t opened = window_sum(&f->opened, LOOK_BACK);
	bool full = f->cookies.slot[0] && !cookies_always;
	bool unanswered = opened < syns / 2;
	bool fast = syns / LOOK_BACK >= a->conf.flood_rate;

	if (!f->flood) {
		if (!unanswered || (!fast && !(full && syns >= SYNS_MIN)))
			return;
		f->flood = alert_raise(a, ALERT_SYN_FLOOD, index, NULL, now_us);
		f->calm = 0;
		if (f->flood)
			show_flood(a, f, l, now_us);
		return;
	}
	f->calm = full || (unanswered &&
			   f->syns.slot[0] >= a->conf.flood_rate / 2)
			  ? 0
			  : f->calm + 1;
	if (f->calm >= CALM)
		alert_end(a, &f->flood, now_us);
	else if (!f->calm)
		show_flood(a, f, l, now_us);
}

/* How many were its own, at least. */
static uint64_t surely(const struct top_source *t)
{
	return t->count - t->over;
}

/* Percent of all; 0 if nobody was seen, else at least 1. */
static int64_t share(const struct flood *f, const struct top_source *t)
{
	int64_t percent;

	if (!f->sources)
		return 0;
	percent = (int64_t)(100 * surely(t) / f->sources);
	return percent ? percent : 1;
}

/* The numbers of now; told again when cookies begin or end. */
static void show_flood(struct alerts *a, struct flood *f,
		       const struct alert_listener *l, int64_t now_us)
{
	struct alert *al = f->flood;
	uint32_t syns = window_sum(&f->syns, LOOK_BACK);
	uint32_t opened = window_sum(&f->opened, LOOK_BACK);
	bool cookies = f->cookies.slot[0] > 0, changed;
	const struct top_source *top = &f->top[0];

	for (unsigned int i = 1; i < TOP_SOURCES; i++)
		if (surely(&f->top[i]) > surely(top))
			top = &f->top[i];
	changed =
		al->number[FLOOD_COOKIES] != cookies && al->since_us != now_us;
	al->last_us = now_us;
	al->number[FLOOD_RATE] = f->syns.slot[0];
	if (al->number[FLOOD_PEAK] < f->syns.slot[0])
		al->number[FLOOD_PEAK] = f->syns.slot[0];
	al->number[FLOOD_COMPLETED] = syns ? 100 * (int64_t)opened / syns : 0;
	al->number[FLOOD_HALF_OPEN] = l->half_open;
	al->number[FLOOD_COOKIES] = cookies;
	al->number[FLOOD_SOURCE] = share(f, top);
	/* Who sends so little of it is not behind it. */
	memset(&al->source, 0, sizeof(al->source));
	if (al->number[FLOOD_SOURCE] >= FLOOD_SOURCE_TOLD)
		al->source = top->prefix;
	if (changed)
		alert_change(a, al, now_us);
}

/* 80 % for FULL seconds; over below 50 % for CALM seconds. */
static void pressure(struct alerts *a, struct flood *f, uint16_t index,
		     uint32_t half_open, uint32_t limit, int64_t now_us)
{
	bool full = (uint64_t)half_open * 10 >= (uint64_t)limit * 8;
	bool empty = (uint64_t)half_open * 2 < limit;

	f->full = full && limit ? f->full + 1 : 0;
	f->empty = empty || !limit ? f->empty + 1 : 0;
	f->leftover = (f->leftover && !empty) || f->flood;
	if (!f->pressure && f->full >= FULL && !f->leftover)
		f->pressure =
			alert_raise(a, ALERT_HALF_OPEN, index, NULL, now_us);
	if (!f->pressure)
		return;
	if (f->empty >= CALM) {
		alert_end(a, &f->pressure, now_us);
		return;
	}
	if (full) {
		f->pressure->last_us = now_us;
		f->pressure->number[0] = half_open;
		f->pressure->number[1] = limit;
	}
}

static void fade(struct flood *f, unsigned int seconds)
{
	for (unsigned int i = 0; i < TOP_SOURCES; i++) {
		f->top[i].count >>= seconds;
		f->top[i].over >>= seconds;
	}
	f->sources >>= seconds;
}
