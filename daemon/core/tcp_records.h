/*
 * tcp_records.h - What the engine keeps, and where
 *
 * Three sizes of connection stand in one table: a half-open one that came as a
 * SYN (struct tcp_half), a full one (struct tcp_conn), and one in TIME-WAIT
 * (struct tcp_timewait). Their first 41 bytes are alike. A full connection
 * with nothing to do is struct tcp_conn alone; what matters only while bytes
 * wait or are in flight lies in struct tcp_active, which it holds meanwhile
 * (tcp_activate(), given back by stack_reap()).
 */
#ifndef TCPHS_TCP_RECORDS_H
#define TCPHS_TCP_RECORDS_H

#include <tcphs/stack.h>

#include "assert.h"
#include "cc.h"
#include "cwv.h"
#include "list.h"
#include "pool.h"
#include "reasm.h"
#include "recvq.h"
#include "prr.h"
#include "rtt.h"
#include "sendq.h"
#include "seq.h"
#include "table.h"
#include "wheel.h"
#include "wire.h"

/* Bytes 40 of every record; see pool_get() for why 0 is free. */
enum record_kind { KIND_FREE, KIND_HALF, KIND_CONN, KIND_TIMEWAIT, KIND_TOMB };

/* Tags of pages in the arena. */
enum page_tag {
	TAG_TABLE = 1,
	TAG_SOURCES,
	TAG_HALF,
	TAG_CONN,
	TAG_ACTIVE,
	TAG_TIMEWAIT,
	TAG_TX,
	TAG_REPLY,
	TAG_SEND_SMALL,
	TAG_SEND_LARGE,
	TAG_SEND_REF,
	TAG_RECV,
	TAG_RECV_RANGES,
	TAG_SOURCE,
	TAG_DGRAM,
	TAG_DGRAM_TEXT,
	TAG_DGRAM_WHOLE,
	TAG_SETTINGS,
	TAG_PATH,
	TAG_UNDO,
};

/* ---- records ---------------------------------------------------------- */

enum half_flags {
	HALF_TS = 1 << 0,
	HALF_SACK = 1 << 1,
	HALF_WSCALE = 1 << 2,
	HALF_COUNTED = 1 << 3, /* in the count of its source */
	HALF_ECN = 1 << 4,
	HALF_SYN_AGAIN = 1 << 5, /* its SYN came more than once */
	HALF_NO_ROOM = 1 << 6,	 /* its ACK came, and a limit was in the way */
};

struct tcp_half {
	struct table_entry e;
	uint8_t kind;
	uint8_t flags;
	uint16_t listener;
	uint32_t id;
	struct wheel_entry timer; /* next SYN-ACK, or the end */
	tcp_seq iss, irs;
	uint32_t ts_recent;
	int64_t created_us;
	uint16_t peer_mss; /* as offered, or the default */
	uint16_t wnd;	   /* of the SYN, never scaled */
	uint8_t peer_wscale : 4;
	uint8_t rcv_wscale : 4; /* as our SYN-ACK says */
	uint8_t retries;	/* SYN-ACKs sent again */
	uint32_t answered_ms;	/* last challenge */
};

struct tcp_timewait {
	struct table_entry e;
	uint8_t kind;
	uint8_t ts : 1;	    /* timestamps were in use */
	uint8_t client : 1; /* we had opened it */
	uint8_t told : 6;   /* tick of the last answer to a bare ACK */
	uint16_t deadline;  /* tcp_timewait.c: in ticks of 250 ms */
	uint32_t id;
	ref_t next; /* in its slot */
	tcp_seq snd_nxt, rcv_nxt;
	uint32_t ts_recent;
};

enum conn_flags {
	CF_TS = 1u << 0,
	CF_SACK = 1u << 1,
	CF_WSCALE = 1u << 2,
	CF_NODELAY = 1u << 3,
	CF_CLIENT = 1u << 4,	  /* active OPEN (RFC 9293, 3.5 (MUST-11)) */
	CF_COUNTED = 1u << 5,	  /* in the count of its source */
	CF_ACK_NOW = 1u << 6,	  /* an ACK must leave this turn */
	CF_ACK_DELAYED = 1u << 7, /* one is owed, delack_at_us runs */
	CF_SYN_NOW = 1u << 8,	  /* a SYN or SYN-ACK must leave this turn */
	CF_CLOSE = 1u << 9,	  /* CLOSE was called: FIN after the queue */
	CF_FIN_SENT = 1u << 10,	  /* snd_nxt counts it */
	CF_PEER_FIN = 1u << 11,	  /* rcv_nxt counts it */
	CF_PEER_FIN_TOLD = 1u << 12,
	CF_OPEN = 1u << 13,	  /* the service knows of it */
	CF_WANT_WRITE = 1u << 14, /* the service waits for room */
	CF_DATA = 1u << 15,	  /* on_data is due */
	CF_DEAD = 1u << 16,	  /* waits for stack_reap() */
	CF_PROBE = 1u << 17,	  /* a window probe must leave this turn */
	CF_KEEPALIVE = 1u << 18,  /* a keep-alive probe must leave this turn */
	CF_R1 = 1u << 19,	  /* trouble was reported once */
	CF_DONE = 1u << 21,	  /* LAST-ACK is over, its service is not */
	CF_DISMISSED = 1u << 23,  /* text is for nobody any more */
	CF_NEWRENO = 1u << 22,	  /* else CUBIC */
	CF_REAP = 1u << 20,	  /* in the list of stack_reap() */
	CF_ECN = 1u << 24,	  /* RFC 3168: both sides agreed, or we ask */
	CF_ECE = 1u << 25,	  /* a CE mark is to be echoed until CWR */
	CF_CWR = 1u << 26,	  /* the next new text tells that we slowed */
	CF_URG_IN = 1u << 27,	  /* urgent data ahead: tcp_active.rcv_up */
	CF_URG_OUT = 1u << 28,	  /* urgent data sent: tcp_active.snd_up */
	CF_QUIET = 1u << 29,	  /* its service wants no on_trouble */
	CF_NO_ECT = 1u << 30,	  /* marks are echoed, text is not marked */
};

struct tcp_conn {
	/* Who: one cache line. */
	struct table_entry e;
	uint8_t kind;
	uint8_t state; /* changed by tcp_set_state() alone */
	uint16_t listener;
	uint32_t id;
	struct wheel_entry timer; /* at the earliest of all deadlines */
	ref_t active;		  /* struct tcp_active; 0 = idle */

	/* What each segment needs. */
	tcp_seq snd_una; /* oldest unacknowledged */
	tcp_seq snd_nxt; /* next to send */
	tcp_seq snd_max; /* acceptable ACKs end here: probes go beyond nxt */
	tcp_seq snd_wl1, snd_wl2;
	uint32_t snd_wnd;     /* peer's window from snd_una, after scaling */
	uint32_t snd_wnd_max; /* largest seen */
	tcp_seq rcv_nxt;
	tcp_seq rcv_adv;    /* right edge of the window we offered */
	tcp_seq last_ack;   /* the ack number we sent last */
	uint32_t ts_recent; /* RFC 7323, 5.3 */
	uint32_t ts_offset; /* added to our clock: RFC 7323, 7.1 */
	uint32_t flags;
	uint32_t rcvbuf;     /* window we are willing to offer, bytes */
	uint32_t last_rx_ms; /* st->now, milliseconds, 32 bits */
	uint16_t peer_mss;   /* of its SYN, or the default */
	uint16_t pmtu;

	/* Loss and congestion between flights. */
	struct cc cc;
	struct rtt rtt;
	tcp_seq snd_sml;       /* end of the last small segment (Nagle) */
	uint32_t ts_recent_ms; /* when ts_recent was taken */
	uint32_t handshake_us;
	uint32_t retrans;
	ref_t settings; /* struct tcp_settings; 0 = as configured */
	uint8_t snd_wscale : 4, rcv_wscale : 4; /* 14 at most */
	/* The peer sends one segment at a time; see struct rtt_recent. */
	uint8_t ack_each : 1, rtt_period : 7;
	uint8_t backoff;     /* doublings of the RTO in force */
	uint8_t reason;	     /* enum close_reason */
	uint8_t rexmt_count; /* of the oldest segment */
	uint8_t keepalives;  /* probes unanswered */
	uint16_t rcv_mss;    /* largest segment seen from the peer */
	uint8_t service;     /* see tcp_service_of() */
	uint8_t tos;	     /* DSCP << 2: RFC 9293, 3.9.2 (MUST-48) */
	uint16_t acked_max;  /* text bytes of the longest segment acked */
	ref_t reap_next;
	uint32_t probed_ms; /* when the last keep-alive probe left */

	/* The service's, and the books. */
	void *user;
	int64_t alarm_at_us;
	int64_t linger_at_us; /* FIN-WAIT-2, TIME-WAIT before it is compact */
	int64_t created_us;
	tcp_seq iss, irs;
	uint32_t segs_in, segs_out;
	uint16_t snd_laps, rcv_laps; /* times 4 GiB since iss, irs */
	ref_t path;		     /* struct tcp_path; 0 = all passes */
};

/* What was known before a recovery, in case it proves needless
 * (tcp_spurious.c); RFC 4015, 3.2 (0), RFC 9438, 4.9. */
struct tcp_undo {
	struct cc cc;
	struct cc_state ccs;
	struct rtt rtt;
	tcp_seq una, nxt; /* snd_una and snd_nxt then */
	tcp_seq nxt_then; /* snd_nxt as it ended, or as it was undone */
	uint32_t resent;  /* bytes sent again and not known to be needless */
	uint32_t ts;	  /* our timestamp clock at the first of them */
	tcp_seq cwr_end;  /* as in struct tcp_active then */
	bool some;	  /* something was sent again */
	bool needed;	  /* an ACK came only after that */
	bool timeout;	  /* a retransmission timeout was part of it */
	bool undone;	  /* waits for a round trip to adapt the RTO */
	bool cwr;	  /* CF_CWR was set then */
};

/* What a user set for one connection alone. Few do. */
struct tcp_settings {
	int64_t user_timeout_us; /* 0 = retries decide */
	int64_t keepalive_us;	 /* 0 = off */
};

/* A path that takes less than the interface and the peer (tcp_pmtu.c). Sizes
 * are those of IP packets, bytes. */
struct tcp_path {
	uint16_t high;	    /* the least that is known, or feared, to fail */
	uint16_t hint;	    /* to be tried next; 0 = half of what is left */
	uint16_t probe_mtu; /* on its way; 0 = none */
	/* What an ICMP error claims that waits for a timeout; 0 = nothing. */
	uint16_t claimed_mtu;
	tcp_seq claimed_seq;
	/* The probe; or what was in flight when the path got narrower. If it is
	 * lost, that is no sign of congestion. start == end: nothing. */
	tcp_seq start, end;
	int64_t raise_at_us; /* no probe before */
};

/* One transmission of a stretch of the sequence space. */
enum tx_flags {
	TX_SACKED = 1 << 0,
	TX_LOST = 1 << 1,    /* to be sent again */
	TX_RETRANS = 1 << 2, /* was sent again: Karn */
	TX_FIN = 1 << 3,     /* its last number is the FIN's */
};

struct tx_rec {
	ref_t next, prev;
	tcp_seq start, end;
	int64_t sent_us;
	uint8_t flags;
};

#define SACK_LIST_MAX 24 /* ranges that a batch may touch and be told all */
#define DSACK_MAX     8

enum recovery { RECOVERY_OPEN, RECOVERY_FAST, RECOVERY_RTO };

struct bucket {
	int64_t filled_us;
	uint32_t tokens;
};

/*
 * Ordered by who looks: the first lines are all that a timer reads which finds
 * nothing to do, as most do, so that is what one of a million idle connections
 * costs. What a count says is empty comes last and is not cleared when a record
 * is taken.
 */
struct tcp_active {
	struct list_link out; /* st->out: something may leave */
	struct list_link
		ready; /* st->ready: the service has something to see */
	struct list_link early; /* st->early[early_rank]; 0 = in none */
	ref_t conn;
	/* Flight: transmissions in the order of sequence numbers. */
	ref_t tx_head, tx_tail;
	ref_t undo; /* struct tcp_undo; 0 = none */
	uint8_t early_rank;
	uint8_t recovery;
	bool force_one;	     /* one retransmission whatever cwnd says */
	bool force_new;	     /* one segment of new text, the same */
	bool fin_held;	     /* a FIN came before the text in front of it */
	bool cwnd_limited;   /* cwnd stopped us since the last ACK */
	bool challenge;	     /* the ACK that is due is one (RFC 5961) */
	bool odd;	     /* what answered our SYN answers none */
	bool unreachable;    /* an ICMP error said so of our SYN */
	uint16_t quick_acks; /* so many packets with text get an ACK at once */

	/* Deadlines; TIME_NEVER if not running. */
	int64_t used_us; /* last activity: idle records are given back */
	int64_t delack_at_us;
	int64_t rexmt_at_us;   /* RFC 6298, 5 */
	int64_t persist_at_us; /* RFC 9293, 3.8.6.1; excludes rexmt */
	int64_t reorder_at_us; /* RFC 8985, 6.3 */
	int64_t probe_at_us;   /* tail loss probe, RFC 8985, 7 */
	int64_t hold_until_us; /* RFC 3168, 6.1.2: no new text before */
	int64_t pace_at_us;    /* text waits for pace_next_us */
	int64_t stalled_us;    /* nothing acknowledged since; user timeout */
	uint32_t flow_label;   /* stack_flow_label() */

	struct sendq sndq; /* from snd_una (after the SYN) on */
	struct recvq rcvq;

	/* In-order text of the segment in work, offered before it is copied. */
	const uint8_t *direct;
	uint32_t direct_len, direct_total;

	int64_t text_us;      /* text came last: quick_acks */
	int64_t pace_next_us; /* what left is spread until then */
	int64_t sent_us;      /* text left last: RFC 5681, 4.1 */

	/* Window growth: what was consumed in one round trip (tcp_drs.c). */
	int64_t drs_at_us;
	uint64_t drs_bytes, drs_last;
	uint32_t drs_rtt_us; /* as the text shows it; 0 = not known */
	uint32_t drs_echo;   /* the timestamp that was measured last */
	int64_t drs_from_us; /* the window up to ... was offered; or never */
	tcp_seq drs_edge;    /* ... here */

	/* TS.Recent, a round trip ago or two; 0 = not known (tcp_input.c). */
	int64_t ts_round_us; /* ts_mark takes the place of ts_floor then */
	uint32_t ts_floor, ts_mark;

	/* What is in flight up to here was the cause of a reduction already: RFC
	 * 3168, 6.1.2. */
	tcp_seq cwr_end;

	/* The octets after urgent data: CF_URG_IN, CF_URG_OUT. */
	tcp_seq rcv_up, snd_up;

	uint32_t sacked, lost; /* bytes; lost and not sent again */
	uint32_t dupacks;
	tcp_seq fin_seq; /* its number */
	tcp_seq recover; /* RFC 6582: snd_nxt when the last recovery began, or
			  * anything below snd_una */
	struct cc_state ccs;
	struct prr prr;
	struct cwv cwv;
	uint32_t rtt_least_us; /* of all ACKs since snd_una moved; 0 = none */
	uint16_t undone;       /* recoveries that proved needless */
	uint8_t frto;	       /* enum frto, tcp_spurious.c */

	/* RACK (RFC 8985): the latest transmission known to have arrived. */
	int64_t rack_sent_us;
	tcp_seq rack_end;
	uint32_t rack_rtt_us;
	tcp_seq rack_fack;   /* highest number delivered */
	uint16_t reordering; /* largest seen, segments; 0 = none */
	uint8_t reo_mult;    /* quarters of a round trip that are tolerated */
	uint8_t reo_persist; /* recoveries until reo_mult is 1 again */
	bool reo_grown;	     /* no more of it before reo_round is acked */
	tcp_seq reo_round;
	int64_t stamp_us; /* what the last retransmission said it left at */

	/* Tail loss probe (RFC 8985, 7). */
	bool tlp_out;	     /* one is in flight */
	bool tlp_retrans;    /* it was not new text */
	bool tlp_unmeasured; /* no round trip was measured since the last */
	tcp_seq tlp_end;     /* TLP.end_seq */
	uint32_t tlp_flight; /* what was in flight then, bytes */

	uint32_t rtt_recent_us; /* as in struct rtt_recent; 0 = not known */

	struct bucket answers; /* to what is wrong: RFC 5961, 7 */

	/* What the peer is to be told about holes (tcp_sack.c). */
	uint8_t ndsack, nsack_list;
	uint8_t sack_untold;  /* so many of sack_list are in no ACK yet */
	uint8_t dupacks_owed; /* to a peer without SACK */
	bool sack_held;	      /* there was a hole when the last ACK left */
	struct sack_block dsack[DSACK_MAX]; /* came twice; the oldest first */
	tcp_seq sack_list[SACK_LIST_MAX];   /* came early; the newest first */
};

#define ACTIVE_CLEAR_LEN offsetof(struct tcp_active, dsack)

/* How many connections an address has; only with max_per_source. */
struct tcp_source {
	struct table_entry e; /* key: peer address, all else zero */
	uint32_t count;
};

/* For whom a packet leaves that has no full connection: stack_tap.c. */
struct reply_note {
	uint32_t conn; /* id; 0 = nobody's */
	uint16_t listener;
	uint8_t role, before, after;
	uint8_t flags; /* enum packet_flags */
};

/* A packet without a connection (or before it has one), ready to leave. */
struct reply {
	ref_t next;
	struct reply_note note;
	uint16_t len;	  /* of head */
	uint16_t tcp_off; /* of the TCP header; 0 = no TCP checksum to finish */
	struct sendq body; /* ICMP: what came */
	bool ipv6;
	uint16_t mtu;	  /* leaves in pieces if it is longer; 0 = never */
	uint32_t cut;	  /* bytes behind the IP header that left in pieces */
	uint32_t frag_id; /* IPv6 */
	uint8_t head[WIRE_HEAD_MAX];
};

/* ---- listeners -------------------------------------------------------- */

struct listener {
	struct stack_listener conf;
	bool used;	 /* the slot is taken */
	bool removed;	 /* no new work; free when its counts are 0 */
	uint8_t next;	 /* index + 1 of another listener at this port */
	uint8_t service; /* index of conf.service */
	uint32_t half_open, connections;
	uint32_t dead; /* connections that stack_reap() is to free */
	uint32_t waiting;
	uint64_t syns, opened, refused, cookies;
	uint64_t overflows[OVERFLOW_NPLACES];
	struct ip_addr last_peer;
	uint16_t last_peer_port;
	uint32_t last_conn;
	int64_t cookie_sent_us; /* if cookies is not 0 */
};

/* So many a second, no more than a second's worth at once. */

/* ---- the stack -------------------------------------------------------- */

#define EVENTS_MAX   4096 /* a power of two */
#define TW_SLOTS     512
#define SERVICES_MAX 255
#define EARLY_RANKS  136 /* to 16 << 15 blocks: no window has as many */
#define TW_TICK_US   250000
/* An active record is kept this long after its last use, and no shorter than an
 * RTO if cwnd has grown: an exchange of small messages would otherwise take and
 * give it back with each of them, and cwnd is worth nothing without it. */
#define ACTIVE_LINGER_US  200000
#define LINGER_FULL_US	  10000	     /* with the memory full */
#define ANSWERS_A_SECOND  4	     /* to what is wrong with one connection */
#define HANDSHAKE_UNKNOWN UINT32_MAX /* by cookie: nobody remembers the SYN */
#define DUP_THRESH	  3	     /* RFC 5681, 3.2 */
#define MSS_LEAST	  48 /* what we believe of a peer's MSS, as Linux does */

/* What is known so far of the packet in work: stack_tap.c. */
struct tap {
	struct stack_watcher watcher; /* packet is NULL if nobody watches */
	struct stack_packet packet;   /* that arrives; its iov is whole */
	struct stack_packet sent;     /* that leaves */
	struct conn_end end;	      /* of a connection */
	struct iovec whole;
	struct tcp_key ends;   /* of either; of a segment, watched or not */
	struct tcp_conn *conn; /* whose it is, if it has a full one */
	bool again;	       /* what it found may be something else now */
};

/* tcp_odd.c: the first bytes of a segment, and the TTL of a connection. Newer
 * ones overwrite what has the same place. */
#define ODD_TEXTS      4096
#define ODD_TEXT_BYTES 48
#define ODD_TTLS       4096

struct odd_text {
	uint32_t conn, seq;
	uint32_t at_ms;
	uint8_t len;
	uint8_t bytes[ODD_TEXT_BYTES];
};

struct odd_ttl {
	uint32_t conn;
	uint8_t usual, odd; /* TTL; how many others in a row */
	uint8_t other;	    /* the last of those */
};

struct stack {
	struct arena arena;
	struct stack_conf conf;
	int64_t now_us; /* of the entry point that is running */

	/* Chance: SipHash of a counter under a key (stack_random()). */
	uint8_t random_key[16];
	uint64_t random_n;
	uint8_t isn_key[16], cookie_key[16];
	uint8_t old_wscale; /* of cookies that came before a new one */
	int64_t old_wscale_until_us;

	struct table table, sources;
	struct wheel wheel_half, wheel_conn;
	struct pool pool_half, pool_conn, pool_active, pool_timewait, pool_tx;
	struct pool pool_reply, pool_source, pool_settings, pool_path,
		pool_undo;
	struct sendq_pools send_pools;
	struct recvq_pools recv_pools;
	struct reasm reasm;

	struct list out;   /* struct tcp_active: may have something to send */
	struct list ready; /* struct tcp_active: the service should look */
	struct list early[EARLY_RANKS]; /* struct tcp_active: tcp_early.c */
	ref_t reply_head, reply_tail;
	uint32_t nreplies;
	ref_t reply_sent; /* valid until the next entry; then freed */
	ref_t reap_head;  /* conns that ended, by reap_next */

	/* tcp_timewait.c */
	ref_t tw_slot[TW_SLOTS];
	uint64_t tw_bits[TW_SLOTS / 64];
	uint64_t tw_tick; /* slots before this one are done */

	struct listener listeners[STACK_LISTENERS_MAX];
	uint8_t port_listener[65536]; /* index + 1 of the first one */
	const struct tcp_service *services[SERVICES_MAX + 1]; /* 0 = none */

	struct bucket rst_bucket, challenge_bucket, echo_bucket,
		complaint_bucket;
	uint32_t last_id; /* or that of share */
	uint32_t attempt; /* id of the SYN in work that found no record; or 0 */
	uint16_t next_port; /* RFC 6056 */
	bool stopping;
	uint64_t stop_cursor;
	bool rearming; /* a walk goes on, for timers that were configured */
	uint64_t rearm_cursor;

	struct stack_stats stats;
	uint32_t state_count[TCP_NSTATES];
	uint32_t client_count[TCP_NSTATES];  /* of these, with CF_CLIENT */
	uint32_t half_open, time_wait, full; /* dead ones not counted */
	uint32_t time_wait_client;
	struct rtt_limits rtt_limits;

	uint8_t out_head[WIRE_HEAD_MAX]; /* of the packet handed out last */

	struct tap tap;
	struct stack_share share; /* ours is NULL: all is ours */

	uint64_t event_mask;
	uint64_t event_put, event_got;
	uint64_t event_first;		      /* is in slot 0 */
	int64_t limit_told_us[LIMIT_NLIMITS]; /* LIMIT events: one a second */
	struct event events[EVENTS_MAX];
	struct odd_text odd_text[ODD_TEXTS];
	struct odd_ttl odd_ttl[ODD_TTLS];
};

_Static_assert(offsetof(struct tcp_half, kind) == 40, "see pool_get()");
_Static_assert(offsetof(struct tcp_conn, kind) == 40, "see pool_get()");
_Static_assert(offsetof(struct tcp_timewait, kind) == 40, "see pool_get()");
_Static_assert(RTT_PERIODS <= 1 << 7, "tcp_conn.rtt_period");
_Static_assert(sizeof(struct tcp_half) <= 96, "half-open record grew");
_Static_assert(sizeof(struct tcp_conn) <= 256, "idle connection grew");
_Static_assert(sizeof(struct tcp_timewait) <= 64, "TIME-WAIT record grew");
_Static_assert(sizeof(struct tx_rec) <= 32, "transmission record grew");

static inline ref_t conn_ref(const struct stack *st, const struct tcp_conn *c)
{
	return ptr_ref(&st->arena, c);
}

static inline const struct cc_algorithm *tcp_cc(const struct tcp_conn *c)
{
	return c->flags & CF_NEWRENO ? &cc_newreno : &cc_cubic;
}

static inline struct tcp_active *conn_active(const struct stack *st,
					     const struct tcp_conn *c)
{
	return c->active ? ref_ptr(&st->arena, c->active) : NULL;
}

/* Kept as an index: a pointer is as much as all settings of a connection. */
static inline const struct tcp_service *tcp_service_of(const struct stack *st,
						       const struct tcp_conn *c)
{
	return st->services[c->service];
}

static inline const struct tcp_settings *conn_settings(const struct stack *st,
						       const struct tcp_conn *c)
{
	return c->settings ? ref_ptr(&st->arena, c->settings) : NULL;
}

static inline struct tcp_path *conn_path(const struct stack *st,
					 const struct tcp_conn *c)
{
	return c->path ? ref_ptr(&st->arena, c->path) : NULL;
}

static inline uint32_t stack_ms(const struct stack *st)
{
	return (uint32_t)(st->now_us / 1000);
}

/* RFC 9293, 3.7.1 (MUST-15): what a peer takes that does not say. */
static inline uint16_t tcp_default_mss(const struct ip_addr *peer)
{
	return ip_addr_is4(peer) ? 536 : 1220;
}

static inline uint32_t stack_pages_left(const struct stack *st)
{
	return arena_left(&st->arena);
}

/* Our timestamp clock: milliseconds (RFC 7323, 5.4). */
static inline uint32_t tcp_ts_now(const struct stack *st, uint32_t offset)
{
	return stack_ms(st) + offset;
}

/* RFC 9293, 3.10.7.4: RCV.WND is what is left of the window we offered. */
static inline uint32_t tcp_rcv_wnd(const struct tcp_conn *c)
{
	int32_t w = seq_diff(c->rcv_adv, c->rcv_nxt);

	return w > 0 ? (uint32_t)w : 0;
}

static inline void tcp_set_congestion(struct tcp_conn *c, enum stack_cc cc)
{
	c->flags &= ~CF_NEWRENO;
	c->flags |= cc == CC_NEWRENO ? CF_NEWRENO : 0;
}

/* Bytes sent and neither acknowledged nor known to have left the network. */
static inline uint32_t tcp_in_flight(const struct tcp_conn *c,
				     const struct tcp_active *a)
{
	return a ? c->snd_nxt - c->snd_una - a->sacked - a->lost : 0;
}

#endif
