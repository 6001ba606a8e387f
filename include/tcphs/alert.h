/*
 * alert.h - What looks wrong from outside: floods, scans, guesses
 *
 * A judge of constant memory. It is shown events as they come, and counters once
 * a second, and says when something begins to look wrong, when
 * that changes and when it is over. An alert is an indicator with numbers, never
 * a proof: for each kind there are innocent causes, and they are named first.
 *
 * What the bounds are is said where they are used (daemon/analysis/alert_*.c).
 * A pattern begins at one bound and ends below a lower one, held for a while,
 * so that no alert flutters.
 */
#ifndef TCPHS_ALERT_H
#define TCPHS_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/stack.h>

/*
 * Kinds: name, key, level as syslog, title, and the names of their numbers,
 * which fill struct alert.number in this order.
 */
#define ALERT_LIST(A)                                                 \
	A(SYN_FLOOD, "syn_flood", 4, "SYN flood",                     \
	  ALERT_NUMBERS("syn_rate", "peak_rate", "completed_percent", \
			"half_open", "cookies", "source_percent"))    \
	A(HALF_OPEN, "half_open_pressure", 4, "Half-open pressure",   \
	  ALERT_NUMBERS("half_open", "limit"))                        \
	A(PORT_SCAN, "port_scan", 4, "Port scan",                     \
	  ALERT_NUMBERS("ports", "probes", "completed", "span_us"))   \
	A(HOST_SCAN, "host_scan", 4, "Host scan",                     \
	  ALERT_NUMBERS("hosts", "probes", "completed", "span_us"))   \
	A(RST_GUESS, "rst_guessing", 4, "RST guessing",               \
	  ALERT_NUMBERS("segments", "connections"))                   \
	A(ICMP_GUESS, "icmp_guessing", 4, "ICMP guessing",            \
	  ALERT_NUMBERS("messages"))                                  \
	A(CONFLICT, "conflicting_retransmission", 4,                  \
	  "Conflicting retransmission", ALERT_NUMBERS("segments"))    \
	A(TTL, "ttl_jump", 5, "TTL jump",                             \
	  ALERT_NUMBERS("packets", "ttl", "usual_ttl"))               \
	A(CHECKSUM, "bad_checksums", 5, "Bad checksums",              \
	  ALERT_NUMBERS("packets"))
#define ALERT_NUMBERS(...)  \
	{                   \
		__VA_ARGS__ \
	}

enum alert_kind {
#define ALERT_ENUM(name, key, level, title, numbers) ALERT_##name,
	ALERT_LIST(ALERT_ENUM)
#undef ALERT_ENUM
		ALERT_NKINDS
};

#define ALERT_NUMBERS_MAX 6
#define ALERTS_KEPT	  64 /* active ones and the last that are over */

/* Places of a number in struct alert.number. */
enum {
	FLOOD_RATE,
	FLOOD_PEAK,
	FLOOD_COMPLETED,
	FLOOD_HALF_OPEN,
	FLOOD_COOKIES,
	FLOOD_SOURCE,
};

struct alert {
	uint32_t id;  /* a1, a2, ... */
	uint8_t kind; /* enum alert_kind */
	bool active;
	uint16_t listener;	 /* index or LISTENER_NONE */
	struct ip_prefix source; /* as the packets claim; len 0 = no one's */
	uint32_t conn;		 /* one of those concerned; 0 = none */
	int64_t since_us, last_us, ended_us;
	int64_t number[ALERT_NUMBERS_MAX];
};

enum alert_step { ALERT_RAISED, ALERT_CHANGED, ALERT_ENDED };

struct alert_conf {
	uint32_t flood_rate; /* SYN/s of a listener */
	uint32_t scan_ports; /* distinct ports, or addresses, of one source */
	int64_t scan_window_us; /* within so long */
};

/* Counters and gauges, as they are at a tick. */
struct alert_facts {
	struct alert_listener {
		bool used;
		uint64_t syns, opened, cookies; /* since start */
		uint32_t half_open, backlog;	/* now */
	} listener[STACK_LISTENERS_MAX];
	uint32_t half_open, half_open_max;
	bool cookies_always;
	uint64_t bad_checksums;
};

struct alerts;

/** alerts_size() - Bytes that alerts_init() wants */
size_t alerts_size(void);

/** alerts_init() - A judge inside @mem, which is zeroed and aligned */
struct alerts *alerts_init(void *mem, const struct alert_conf *conf,
			   int64_t now_us);

/** alerts_conf() - Take other bounds */
void alerts_conf(struct alerts *a, const struct alert_conf *conf);

/** alerts_mask() - Which events alerts_event() wants, bits 1 << event_type */
uint64_t alerts_mask(void);

void alerts_event(struct alerts *a, const struct event *e);

/** alerts_tick() - A second is over, or more */
void alerts_tick(struct alerts *a, const struct alert_facts *f, int64_t now_us);

/** alerts_busy() - Does anything wait for the next tick? */
bool alerts_busy(const struct alerts *a);

/**
 * alerts_step() - What changed since the last call
 *
 * Return: the alert, valid until the next tick, and @step; NULL if nothing
 */
const struct alert *alerts_step(struct alerts *a, enum alert_step *step);

/** alerts_get() - The @i-th newest; NULL if there are no more */
const struct alert *alerts_get(const struct alerts *a, unsigned int i);

/**
 * alerts_about() - Which kinds concern a connection, as far as they are kept
 *
 * An alert does that which names it, or whose source has its peer; and one that
 * names neither, but its listener.
 *
 * Return: bits 1 << enum alert_kind
 */
uint32_t alerts_about(const struct alerts *a, const struct conn_info *info);

/** alerts_active() - How many are active */
unsigned int alerts_active(const struct alerts *a, enum alert_kind kind);

/** alerts_total() - How many there were since the start */
uint64_t alerts_total(const struct alerts *a, enum alert_kind kind);

/* ---- words ------------------------------------------------------------- */

const char *alert_name(enum alert_kind k); /* "syn_flood" */
int alert_level(enum alert_kind k);
const char *alert_severity(enum alert_kind k); /* "warning" */
const char *alert_title(enum alert_kind k);
const char *alert_number_name(enum alert_kind k, unsigned int i); /* or NULL */
const char *alert_meaning(enum alert_kind k);
const char *alert_innocent(enum alert_kind k); /* causes that mean no harm */
const char *alert_action(enum alert_kind k);

/**
 * alert_sentence() - "SYN flood on listener demo: 5200 SYN/s, ..."
 * @listener: Name of its listener; NULL if it has none
 *
 * Return: as snprintf()
 */
int alert_sentence(const struct alert *al, const char *listener,
		   enum alert_step step, char *buf, size_t len);

#endif
