/*
 * alert_priv.h - Between the files of the judge
 *
 *	alert.c        the list of alerts, and the tick
 *	alert_flood.c  SYN floods and half-open pressure, by listener
 *	alert_scan.c   port and host scans, by source
 *	alert_guess.c  what does not fit a connection
 *	alert_words.c  sentences
 */
#ifndef TCPHS_ALERT_PRIV_H
#define TCPHS_ALERT_PRIV_H

#include <tcphs/alert.h>

#define SECOND_US 1000000

#define SLOTS		  10 /* seconds that a window looks back */
#define TOP_SOURCES	  8
#define FLOOD_SOURCE_TOLD 10  /* percent: a network is named from here on */
#define SCANNERS	  256 /* a power of two: sources watched at once */
#define SET_BITS	  1024

/* Seconds, the one that runs in slot[0]. */
struct window {
	uint32_t slot[SLOTS];
};

struct top_source {
	struct ip_prefix prefix;
	uint64_t count; /* at most so many */
	uint64_t over;	/* of them may be others' */
};

struct flood {
	bool known; /* last_* are set */
	uint64_t last_syns, last_opened, last_cookies;
	struct window syns, opened, cookies;
	struct top_source top[TOP_SOURCES];
	uint64_t sources;	  /* sum of all that was counted in top */
	unsigned int calm;	  /* ticks without a sign of a flood */
	unsigned int full, empty; /* ticks of pressure, and without */
	bool leftover;		  /* half-open ones may be a flood's, as yet */
	struct alert *flood, *pressure; /* while active */
};

/* Which of many values were seen, and about how many: linear counting. */
struct value_set {
	uint64_t bits[SET_BITS / 64];
	uint32_t set;	/* bits */
	uint64_t draws; /* thousandths: see set_add() */
};

struct scanner {
	struct ip_prefix source; /* len 0 = free */
	int64_t since_us, last_us;
	uint32_t probes, completed;
	struct value_set ports, hosts;
	struct alert *port_scan, *host_scan;
};

struct guess {
	struct window seen;
	uint64_t conns; /* which, as a set of 64 */
	bool enough;	/* however few they are */
	struct alert *alert;
	struct alert last; /* source, connection and numbers to be shown */
};

struct alerts {
	struct alert_conf conf;
	int64_t tick_us;   /* of the last one */
	bool active_since; /* something came since then */
	uint32_t next_id;
	struct alert kept[ALERTS_KEPT];
	uint64_t total[ALERT_NKINDS];
	/* Steps not told yet: places in kept. */
	struct {
		uint8_t at, step;
	} told[2 * ALERTS_KEPT];
	unsigned int ntold, next_told;

	struct flood flood[STACK_LISTENERS_MAX + 1]; /* the last: all of it */
	struct scanner scanner[SCANNERS];
	struct guess guess[ALERT_NKINDS];
	uint64_t bad_checksums;
	bool checksums_known;
};

/* alert.c */
struct alert *alert_raise(struct alerts *a, enum alert_kind kind,
			  uint16_t listener, const struct ip_prefix *source,
			  int64_t now_us);
void alert_change(struct alerts *a, struct alert *al, int64_t now_us);
void alert_end(struct alerts *a, struct alert **al, int64_t now_us);
void window_pass(struct window *w, unsigned int seconds);
uint32_t window_sum(const struct window *w, unsigned int seconds);
struct ip_prefix source_prefix(const struct ip_addr *peer, bool wide);
uint32_t alert_hash(const void *data, size_t len);

/* alert_flood.c */
void flood_source(struct flood *f, const struct ip_addr *peer);
void flood_tick(struct alerts *a, const struct alert_facts *f,
		unsigned int seconds, int64_t now_us);

/* alert_scan.c */
void scan_probe(struct alerts *a, const struct event *e);
void scan_completed(struct alerts *a, const struct event *e);
void scan_tick(struct alerts *a, int64_t now_us);

/* alert_guess.c */
void guess_add(struct alerts *a, enum alert_kind kind, uint32_t n,
	       const struct ip_addr *peer, uint32_t conn);
void guess_ttl(struct alerts *a, const struct event *e);
void guess_tick(struct alerts *a, const struct alert_facts *f,
		unsigned int seconds, int64_t now_us);

#endif
