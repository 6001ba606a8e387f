/*
 * flow.h - A connection under judgement
 *
 * Two halves, one for each side: what that side sent, and what it said of the
 * other's. `next` is the highest number it sent and `acked` the highest that it
 * acknowledged, both only moved by segments that an endpoint could have taken:
 * one forged number must not spoil everything behind it.
 *
 * What is below `next` was captured, but for the holes, of which few connections
 * have any. If there are too many, the lowest one is forgotten: it was missed for
 * good if it was acknowledged, and else it counts as captured.
 */
#ifndef TCPHS_FLOW_H
#define TCPHS_FLOW_H

#include <tcphs/analysis.h>

#include "copies.h"
#include "core/seq.h"

#define HOLES_MAX  128 /* of a side that has any */
#define BLOCKS_MAX 2   /* SACK blocks that are remembered */
#define NOTED_MAX  8   /* anomalies; what shows at the end comes to them */
#define RECENT_MAX 4   /* packets that are remembered, by what they are like */
#define COPIED_MAX 64  /* ... where each seems to be captured twice */

enum half_flag {
	HALF_ISN = 1 << 0,  /* isn: a SYN of its was seen */
	HALF_NEXT = 1 << 1, /* next */
	HALF_ACK = 1 << 2,  /* acked */
	HALF_EDGE = 1 << 3, /* edge */
	HALF_FIN = 1 << 4,  /* fin */
	HALF_FIN_ACKED = 1 << 5,
	HALF_TS = 1 << 6,      /* ts_val */
	HALF_BAD_SUM = 1 << 7, /* sent some, bad_end; and the other side ... */
	HALF_BAD_SUM_ACKED = 1 << 8, /* ... took one all the same */
	HALF_PART_SUM = 1 << 9,
	HALF_WINDOW_0 = 1 << 10, /* its last window was closed */
	HALF_TEXT = 1 << 11,
	HALF_WINDOW = 1 << 12,	 /* window_min and window_max */
	HALF_BASE = 1 << 13,	 /* isn, or what may stand for it */
	HALF_OPTS_CUT = 1 << 14, /* opts is not all it said */
	HALF_ECN = 1 << 15,	 /* its SYN asks for it, or grants it */
};

struct range {
	tcp_seq start, end;
};

/* What was not captured, though something behind it was: when that came, and its
 * timestamp if it had any. */
struct hole {
	tcp_seq start, end;
	uint32_t at_us, ts_val;
	bool has_ts;
};

struct half {
	uint16_t flags; /* enum half_flag */
	uint8_t ttl;
	uint8_t opts; /* of its SYN; enum packet_opt */
	uint8_t wscale;
	uint8_t nholes, nblocks, next_recent;
	uint8_t run; /* of recent, since the other side was heard */
	uint8_t lost_tries;
	uint16_t mss;
	uint16_t zero_windows, bad_sums;
	tcp_seq isn, next, acked, edge, fin, bad_end;
	copies_ref text; /* its last */
	tcp_seq lost; /* came again lost_tries times and in vain: flow_lost.c */
	uint32_t ts_val;
	uint32_t window_min, window_max;
	uint32_t seen_before, late, filled_hole, needless;
	uint32_t packets;
	tcp_seq rst; /* number of its last RST, if history has any */
	uint64_t by_seq, captured;
	int64_t next_ns;		/* when next moved last */
	struct range block[BLOCKS_MAX]; /* of its last SACK option */
	struct hole *hole;	     /* lowest first; NULL before the first */
	uint32_t recent[RECENT_MAX]; /* flow_copy.c */
};

enum flow_flag {
	FLOW_SYN = 1 << 0,    /* a SYN of the client was seen */
	FLOW_SYNACK = 1 << 1, /* one that acknowledges it, or stands alone */
	FLOW_HSACK = 1 << 2,  /* the client's ACK of the SYN-ACK */
	FLOW_REFUSED = 1 << 3,
	FLOW_SIMULTANEOUS = 1 << 4,
	FLOW_SPLIT = 1 << 5,
	FLOW_RST = 1 << 6, /* one that was to be taken; rst_* */
	FLOW_RST_FITS = 1 << 7,
	FLOW_GUESSED = 1 << 8, /* who is the client */
	FLOW_ICMP = 1 << 9,
	FLOW_COOKIE_LIKE = 1 << 10,
	FLOW_ICMP6 = 1 << 11,
	FLOW_ALT_ISN = 1 << 12, /* extra->alt_isn */
	FLOW_PROBED = 1 << 13,	/* of the client, and << SERVER: it probed a
				 * closed window with the byte at next */
	FLOW_RST_SEEN = 1 << 15 /* any, also one that was not to be taken */
};

#define HISTORY_MAX 18

/* Ends in the order of their bytes, so that both directions have one key. */
struct flow_key {
	struct ip_addr addr[2];
	uint16_t port[2];
	uint32_t network; /* of a virtual network; 0 outside of any */
};

enum flow_age { AGE_EMBRYONIC, AGE_OPEN, AGE_CLOSED, NAGES };

/* Frame numbers have 32 bits here: a capture of more would be 300 GB. */
struct flow {
	struct flow_key key;
	struct half half[2]; /* by enum side */

	int64_t start_ns, end_ns;
	int64_t seen_ns; /* a packet came last, by the clock of analysis.c */
	int64_t syn_ns, last_syn_ns, synack_ns, last_synack_ns, ack_ns;
	int64_t fin_ns;
	uint32_t first_frame, last_frame, ending_frame;
	uint32_t syn_frame, synack_frame, ack_frame;
	tcp_seq ack_seq, ack_ack;
	uint32_t syn_len; /* text on the SYN */
	uint32_t id;

	uint16_t flags;		     /* enum flow_flag */
	uint16_t seen;		     /* letters of history, by side */
	uint8_t client;		     /* which end of the key */
	uint8_t age;		     /* enum flow_age */
	uint8_t tfo;		     /* enum tfo */
	uint8_t rst_side, first_fin; /* enum side */
	uint8_t icmp_type, icmp_code;
	uint8_t syn_tries, synack_tries;
	char history[HISTORY_MAX + 1];
	struct flow_extra *extra; /* NULL = nothing to say */
};

/* A segment that came again at least twice. */
struct lost {
	uint32_t frame; /* of the second time */
	uint32_t len;
	uint32_t cut;	/* of the piece that came instead; 0 = none */
	uint32_t heard; /* packets of the other side until then */
};

/* What is counted by side and told at the end: the first frame of each. */
enum counted {
	COUNTED_AGAIN,
	COUNTED_NEEDLESS,
	COUNTED_LATE,
	COUNTED_BAD_SUM,
	NCOUNTED
};

/* Text that came beyond the window, and perhaps a FIN behind it: its number is
 * the last one then. */
struct beyond {
	tcp_seq start, end;
	uint32_t fin_frame; /* 0 = none */
	int64_t fin_ns;
};

/* The last packets, by enum side: of a connection that had a copy. */
struct copied {
	uint32_t mark[2][COPIED_MAX];
	uint8_t next[2];
};

/* What not all connections have. */
struct flow_extra {
	uint8_t nanomalies, room; /* of the array */
	uint8_t nencaps;
	struct encap encap[ENCAPS_MAX];
	struct lost lost[2]; /* by enum side */
	/* Text beyond the window that is known, the latest piece, by side: it
	 * was taken after all if the other side acknowledges it. */
	struct beyond beyond[2];
	/* Of another SYN-ACK. */
	int64_t alt_ns;
	tcp_seq alt_isn;
	uint32_t alt_frame;
	uint32_t gaps[2], closed_windows[2]; /* of history, by enum side */
	struct copied *copied;		     /* NULL before the first copy */
	uint32_t counted[2]
			[NCOUNTED]; /* first frames, by enum side; 0 = none */
	struct anomaly anomaly[];
};

/**
 * flow_begin() - The first packet of a connection
 * @f: Zeroed but for its key; which end is the client is decided here
 */
void flow_begin(struct flow *f, const struct packet *p, uint8_t from);

/** flow_take() - A packet of it, the first one included
 * @from:   Which end of the key sent it
 * @copies: The last text of all connections */
void flow_take(struct flow *f, const struct packet *p, uint8_t from,
	       struct copies *copies);

/** flow_icmp() - An ICMP error that quotes a packet of it */
void flow_icmp(struct flow *f, const struct packet *p, uint8_t from);

/** flow_starts_anew() - Is this SYN the begin of another connection? */
bool flow_starts_anew(const struct flow *f, const struct packet *p,
		      uint8_t from);

/** flow_reused() - It began in the place of one that had just closed */
void flow_reused(struct flow *f, const struct packet *p);

/** flow_end() - Free what it holds */
void flow_end(struct flow *f);

/** flow_verdict() - What is to be said of it now */
void flow_verdict(const struct flow *f, int64_t now_ns, struct verdict *v);

/** flow_late_anomalies() - Those that show at the end; adds to @v */
void flow_late_anomalies(const struct flow *f, int64_t now_ns,
			 struct verdict *v);

/** flow_zeek() - conn_state and history of Zeek's conn.log */
void flow_zeek(const struct flow *f, struct verdict *v);

/* Between the files of a flow. */
void flow_syn(struct flow *f, const struct packet *p, enum side s);
void flow_rst(struct flow *f, const struct packet *p, enum side s);
void flow_ack(struct flow *f, const struct packet *p, enum side s);
void flow_text(struct flow *f, const struct packet *p, enum side s,
	       struct copies *copies);
void flow_history(struct flow *f, const struct packet *p, enum side s);
void flow_history_turned(struct flow *f);
void flow_history_gap(struct flow *f, enum side s, uint32_t n);
void flow_history_nth(struct flow *f, char letter, enum side s, uint32_t n);
void flow_lost(struct flow *f, const struct packet *p, enum side s);
bool flow_blackhole(const struct flow *f, enum side s);
bool flow_copy(struct flow *f, const struct packet *p, enum side s,
	       const struct copies *copies);
void flow_copied(struct flow *f, const struct packet *p, enum side s);
void flow_contents(struct flow *f, const struct packet *p, enum side s,
		   struct copies *copies);
struct flow_extra *flow_extra(struct flow *f, uint8_t room);
void flow_anomaly(struct flow *f, enum anomaly_kind kind, enum side s,
		  const struct packet *p, int64_t expected, int64_t got);
void flow_counted(struct flow *f, enum counted what, enum side s,
		  const struct packet *p);

/* Not that it offered no @opt: the capture may have cut that off. */
static inline bool flow_offer_known(const struct half *h, uint8_t opt)
{
	return h->flags & HALF_ISN &&
	       (h->opts & opt || !(h->flags & HALF_OPTS_CUT));
}

static inline bool flow_established(const struct flow *f)
{
	return f->flags & FLOW_HSACK || !(f->flags & (FLOW_SYN | FLOW_SYNACK));
}

#endif
