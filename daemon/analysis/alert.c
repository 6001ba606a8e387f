/*
 * alert.c - What looks wrong from outside: the list of alerts, and the tick
 *
 * Each kind has its own bounds and memory (alert_priv.h); here is what they
 * share. An alert that is raised takes the place of the one that ended longest
 * ago. If all are active nothing more is raised: whoever has 64 alerts does not
 * need the next one.
 */
#include "alert_priv.h"

#include <string.h>

#define BIT(e) (UINT64_C(1) << EVENT_##e)

static void tell(struct alerts *a, const struct alert *al, enum alert_step s);
static struct alert *free_place(struct alerts *a);
static bool is_about(const struct alert *al, const struct conn_info *info);

size_t alerts_size(void)
{
	return sizeof(struct alerts);
}

struct alerts *alerts_init(void *mem, const struct alert_conf *conf,
			   int64_t now_us)
{
	struct alerts *a = mem;

	memset(a, 0, sizeof(*a));
	a->conf = *conf;
	a->tick_us = now_us;
	return a;
}

void alerts_conf(struct alerts *a, const struct alert_conf *conf)
{
	a->conf = *conf;
}

uint64_t alerts_mask(void)
{
	return BIT(SYN_RECEIVED) | BIT(COOKIE_SENT) | BIT(HANDSHAKE_COMPLETED) |
	       BIT(HANDSHAKE_FAILED) | BIT(RESET_NOBODY) |
	       BIT(SEGMENT_DROPPED) | BIT(TEXT_CONFLICT) | BIT(TTL_ODD);
}

void alerts_event(struct alerts *a, const struct event *e)
{
	a->active_since = true;
	switch (e->type) {
	case EVENT_SYN_RECEIVED:
		if (e->a) /* it came again */
			break;
		/* fall through */
	case EVENT_COOKIE_SENT:
		if (e->listener < STACK_LISTENERS_MAX)
			flood_source(&a->flood[e->listener], &e->peer);
		break;
	case EVENT_HANDSHAKE_COMPLETED:
		if (e->role == ROLE_SERVER)
			scan_completed(a, e);
		break;
	case EVENT_HANDSHAKE_FAILED:
		/* Looked, and went away: a half-open scan. */
		if (e->role == ROLE_SERVER && e->a == CLOSE_RESET_BY_PEER)
			scan_probe(a, e);
		break;
	case EVENT_RESET_NOBODY:
		/* With ACK it is the rest of a connection we forgot. */
		if (!(e->seg_flags & TH_ACK))
			scan_probe(a, e);
		break;
	case EVENT_SEGMENT_DROPPED:
		switch ((enum drop_reason)e->a) {
		case DROP_SYN_DENIED:
		case DROP_TCP_FLAGS:
			scan_probe(a, e);
			break;
		case DROP_RST_INEXACT:
		case DROP_RST_WINDOW:
		case DROP_SYN_CHALLENGED:
			guess_add(a, ALERT_RST_GUESS, 1, &e->peer, e->conn);
			break;
		case DROP_ICMP_STALE:
			guess_add(a, ALERT_ICMP_GUESS, 1, &e->peer, 0);
			break;
		default:
			break;
		}
		break;
	case EVENT_TEXT_CONFLICT:
		guess_add(a, ALERT_CONFLICT, 1, &e->peer, e->conn);
		break;
	case EVENT_TTL_ODD:
		guess_ttl(a, e);
		break;
	default:
		break;
	}
}

void alerts_tick(struct alerts *a, const struct alert_facts *f, int64_t now_us)
{
	int64_t seconds = (now_us - a->tick_us) / SECOND_US;

	if (seconds < 1)
		return;
	a->tick_us += seconds * SECOND_US;
	a->active_since = false;
	if (seconds > SLOTS)
		seconds = SLOTS;
	flood_tick(a, f, (unsigned int)seconds, now_us);
	scan_tick(a, now_us);
	guess_tick(a, f, (unsigned int)seconds, now_us);
}

bool alerts_busy(const struct alerts *a)
{
	if (a->active_since)
		return true;
	for (unsigned int i = 0; i < ALERTS_KEPT; i++)
		if (a->kept[i].active)
			return true;
	return false;
}

const struct alert *alerts_step(struct alerts *a, enum alert_step *step)
{
	if (a->next_told == a->ntold) {
		a->next_told = a->ntold = 0;
		return NULL;
	}
	*step = (enum alert_step)a->told[a->next_told].step;
	return &a->kept[a->told[a->next_told++].at];
}

uint32_t alerts_about(const struct alerts *a, const struct conn_info *info)
{
	uint32_t kinds = 0;

	for (unsigned int i = 0; i < ALERTS_KEPT; i++) {
		const struct alert *al = &a->kept[i];

		if (al->id && is_about(al, info))
			kinds |= 1u << al->kind;
	}
	return kinds;
}

static bool is_about(const struct alert *al, const struct conn_info *info)
{
	if (al->conn && al->conn == info->id)
		return true;
	if (al->source.len)
		return ip_prefix_has(&al->source, &info->peer);
	return !al->conn && al->listener != LISTENER_NONE &&
	       al->listener == info->listener;
}

const struct alert *alerts_get(const struct alerts *a, unsigned int i)
{
	/* Ids are consecutive, and few: the next smaller one is looked for. */
	uint32_t below = UINT32_MAX;
	const struct alert *found;

	do {
		found = NULL;
		for (unsigned int k = 0; k < ALERTS_KEPT; k++) {
			const struct alert *al = &a->kept[k];

			if (al->id && al->id < below &&
			    (!found || al->id > found->id))
				found = al;
		}
		if (!found)
			return NULL;
		below = found->id;
	} while (i--);
	return found;
}

unsigned int alerts_active(const struct alerts *a, enum alert_kind kind)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ALERTS_KEPT; i++)
		n += a->kept[i].active && a->kept[i].kind == kind;
	return n;
}

uint64_t alerts_total(const struct alerts *a, enum alert_kind kind)
{
	return a->total[kind];
}

/* ---- for the kinds ----------------------------------------------------- */

/** alert_raise() - A new alert; NULL if there is no place for it */
struct alert *alert_raise(struct alerts *a, enum alert_kind kind,
			  uint16_t listener, const struct ip_prefix *source,
			  int64_t now_us)
{
	struct alert *al = free_place(a);

	if (!al)
		return NULL;
	*al = (struct alert){
		.id = ++a->next_id,
		.kind = (uint8_t)kind,
		.active = true,
		.listener = listener,
		.since_us = now_us,
		.last_us = now_us,
	};
	if (source)
		al->source = *source;
	a->total[kind]++;
	tell(a, al, ALERT_RAISED);
	return al;
}

/** alert_change() - It is worth telling again */
void alert_change(struct alerts *a, struct alert *al, int64_t now_us)
{
	al->last_us = now_us;
	tell(a, al, ALERT_CHANGED);
}

/** alert_end() - It is over; @al becomes NULL */
void alert_end(struct alerts *a, struct alert **al, int64_t now_us)
{
	(*al)->active = false;
	(*al)->ended_us = now_us;
	tell(a, *al, ALERT_ENDED);
	*al = NULL;
}

static void tell(struct alerts *a, const struct alert *al, enum alert_step s)
{
	if (a->ntold == sizeof(a->told) / sizeof(a->told[0]))
		return; /* nobody listens */
	a->told[a->ntold].at = (uint8_t)(al - a->kept);
	a->told[a->ntold].step = (uint8_t)s;
	a->ntold++;
}

/* One that was never used, or the one that ended longest ago. */
static struct alert *free_place(struct alerts *a)
{
	struct alert *found = NULL;

	for (unsigned int i = 0; i < ALERTS_KEPT; i++) {
		struct alert *al = &a->kept[i];

		if (!al->active && (!found || al->ended_us < found->ended_us))
			found = al;
	}
	return found;
}

/** window_pass() - @seconds went by */
void window_pass(struct window *w, unsigned int seconds)
{
	if (seconds >= SLOTS) {
		memset(w, 0, sizeof(*w));
		return;
	}
	memmove(w->slot + seconds, w->slot,
		(SLOTS - seconds) * sizeof(w->slot[0]));
	memset(w->slot, 0, seconds * sizeof(w->slot[0]));
}

/** window_sum() - Of the last @seconds that are over and of the one that runs */
uint32_t window_sum(const struct window *w, unsigned int seconds)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < seconds && i < SLOTS; i++)
		sum += w->slot[i];
	return sum;
}

/**
 * source_prefix() - By what a source is told from others
 * @wide: Its network, /24 or /64; else its address (IPv6: /64, for that is what
 *        one host may have)
 */
struct ip_prefix source_prefix(const struct ip_addr *peer, bool wide)
{
	struct ip_prefix p = {*peer, 128};
	bool v4 = ip_addr_is4(peer);

	if (v4 && wide)
		p.len = 120;
	if (!v4)
		p.len = 64;
	memset(p.addr.b + p.len / 8, 0, 16 - p.len / 8u);
	return p;
}

/** alert_hash() - FNV-1a: where to look, not whom to trust */
uint32_t alert_hash(const void *data, size_t len)
{
	const uint8_t *b = data;
	uint32_t h = 2166136261u;

	while (len--)
		h = (h ^ *b++) * 16777619u;
	return h;
}
