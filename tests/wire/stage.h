/*
 * stage.h - Where a script is played: against the engine, or a real daemon
 *
 * The table is the peer's view: packets in, packets out, and the clock. The
 * engine's (engine.c) is virtual and exact; that of a daemon (live.c) is the
 * real one, so what it says comes a little late.
 */
#ifndef TCPHS_WIRE_STAGE_H
#define TCPHS_WIRE_STAGE_H

#include <tcphs/stack.h>

#include "script.h"

#define STAGE_WHY_MAX 256
#define PATTERN_MAX   65536

/* A connection as the peer names it. */
struct stage_conn {
	uint16_t peer_port, own_port;
	uint32_t irs; /* the peer's initial number */
};

struct stage {
	const struct stage_ops *ops;
	bool v6, live;
	struct ip_addr own, peer;
	uint16_t first_port; /* the peer's, of conn 0 */
	int64_t now_us;
	int64_t early_us, late_us; /* what its clock is forgiven */
	char why[STAGE_WHY_MAX];   /* what went wrong, once something has */
};

struct stage_ops {
	/* Make a stack with what @s sets; false with words in why. */
	bool (*begin)(struct stage *g, const struct script *s);
	/* Let go of all; false if it left something behind. */
	bool (*end)(struct stage *g);
	void (*send)(struct stage *g, const uint8_t *pkt, size_t len);
	/* The next packet, until @until_us; 0 if none came. */
	size_t (*next)(struct stage *g, uint8_t *pkt, int64_t until_us);
	/* Between true and false all that is sent arrives in one turn. */
	void (*batch)(struct stage *g, bool on);
	/* The user's call; false with words in why. May set c->own_port. */
	bool (*call)(struct stage *g, struct stage_conn *c, const char *what,
		     int64_t n);
	/* State of a connection; TCP_CLOSED if there is none. */
	enum tcp_state (*state)(struct stage *g, const struct stage_conn *c);
	/* An "expect"; false with words in why. */
	bool (*check)(struct stage *g, const struct stage_conn *c,
		      const struct script_line *l);
};

/** stage_pattern() - The byte with number @n of either direction's text */
uint8_t stage_pattern(uint32_t n);

/** stage_state() - By the RFC's name, with - or _; -1 if there is none */
int stage_state(const char *name);

/** stage_settings() - "section.key=value": what suits scripts, what @s sets */
#define STAGE_SUITS 4
size_t stage_settings(const struct script *s,
		      const char *all[STAGE_SUITS + SCRIPT_SETTINGS]);

/** stage_listeners() - Write the sections of its listeners
 * @app: The service that stands for "app" */
void stage_listeners(const struct script *s, const char *app, FILE *to);

/**
 * live_open() - Get ready to play against daemons
 * @program: tcphsd
 * @dir:     Where its configuration and its log may lie
 */
bool live_open(const char *program, const char *dir);
void live_close(void);

extern const struct stage_ops engine_ops, live_ops;

#endif
