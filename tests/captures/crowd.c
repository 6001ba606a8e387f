/*
 * crowd.c - Crowds of conversations, guilty and innocent
 *
 * All members are of scripts that stand for themselves; the crowd says whom they
 * are between. The one that all have in common has a fixed address.
 */
#include <string.h>

#include "gen.h"

static const struct ip_addr one = {
	.b = {[10] = 0xff, [11] = 0xff, [12] = 203, [14] = 113, [15] = 7}};
static const struct ip_addr other = {.b = {[10] = 0xff,
					   [11] = 0xff,
					   [12] = 198,
					   [13] = 51,
					   [14] = 100,
					   [15] = 7}};

const char *crowd_name(unsigned int kind)
{
	static const char *const names[] = {
#define CROWD_WORD(name, finding) #name,
		CROWD_LIST(CROWD_WORD)
#undef CROWD_WORD
	};

	return names[kind];
}

unsigned int crowd_finding(unsigned int kind)
{
	static const uint8_t kinds[] = {
#define CROWD_FINDING(name, finding) FINDING_##finding,
		CROWD_LIST(CROWD_FINDING)
#undef CROWD_FINDING
	};

	return kinds[kind];
}

uint32_t crowd_size(enum crowd_kind kind)
{
	switch (kind) {
	case CROWD_land:
		return 3;
	case CROWD_slow_scan:
		return 35;
	case CROWD_port_scan:
	case CROWD_host_scan:
	case CROWD_backscatter:
		return 45;
	default:
		return 400;
	}
}

int64_t crowd_gap_ns(enum crowd_kind kind)
{
	switch (kind) {
	case CROWD_slow_scan:
		return 40 * SECOND;
	case CROWD_lossy_clients:
	case CROWD_one_direction:
	case CROWD_peer_to_peer:
	case CROWD_crawler:
		return 200 * MSEC;
	case CROWD_slow_flood:
		return 300 * MSEC;
	default:
		return 5 * MSEC;
	}
}

/* A random address of the same family, for whom there are many. */
static void fix(struct talk *t, enum side s, const struct ip_addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	t->truth->addr[s] = *a;
	memcpy(t->truth->addr[!s].b, mapped, sizeof(mapped));
	t->truth->addr[!s].b[12] = 20;
}

static enum class scan_answer(struct talk *t) {
	t->tries = 1; if (one_in(t->r, 12)) return CLASS_completed;
	return one_in(t->r, 2) ? CLASS_refused : CLASS_timeout;
}

static enum class scan(struct talk *t, enum crowd_kind kind, uint32_t i) {
	fix(t, CLIENT, &one); t->truth->port[SERVER] = 445;
	if (kind !=
	    CROWD_host_scan){t->truth->addr[SERVER] = other;
			     t->truth->port[SERVER] = (uint16_t)(20 + i);}
return scan_answer(t);
}

static enum class at_server(struct talk *t, enum crowd_kind kind) {
	fix(t, SERVER, &one); t->truth->port[SERVER] = 80; switch (kind){
		case CROWD_flood: case CROWD_flood_answered: case
		CROWD_slow_flood: t->tries = 1;
		if (one_in(t->r, 20)) return CLASS_completed;
		return kind == CROWD_flood ? CLASS_timeout : CLASS_half_open;
		case CROWD_lossy_clients: return one_in(t->r, 3)
			? CLASS_half_open
			: CLASS_completed;
		case CROWD_busy_server: return one_in(t->r, 15)
			? CLASS_timeout
			: CLASS_completed;
		case CROWD_dead_server: t->tries = 4;
		return CLASS_timeout;
		case CROWD_refusing_server: return CLASS_refused;
		case CROWD_backscatter: return CLASS_echo;
		default: /* one_direction */
			return CLASS_answers_only;
	}
}

enum class crowd_join(struct talk *t, enum crowd_kind kind, uint32_t i) {
	struct truth *h = t->truth;

	switch (kind){
		case CROWD_port_scan: case CROWD_slow_scan: case
		CROWD_host_scan: return scan(t, kind, i);
		case CROWD_land: h->addr[CLIENT] = h->addr[SERVER] = one;
		h->port[CLIENT] = h->port[SERVER] = 139;
		t->side[CLIENT].iss = t->side[CLIENT].nxt = 1000 * i;
		t->tries = 1;
		return CLASS_timeout;
		case CROWD_peer_to_peer: fix(t, CLIENT, &one);
		return one_in(t->r, 3)	 ? CLASS_completed
		       : one_in(t->r, 2) ? CLASS_refused
					 : CLASS_timeout;
		case CROWD_crawler: fix(t, CLIENT, &one);
		h->port[SERVER] = 443;
		return one_in(t->r, 10) ? CLASS_timeout : CLASS_completed;
		default: return at_server(t, kind);
	}
}
