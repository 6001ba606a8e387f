/*
 * stack.h - The TCP/IP engine, as its shell and its services see it
 *
 * The engine is pure. Bytes, the time and a seed go in; bytes, a deadline and
 * events come out. It opens nothing, reads no clock, prints nothing and
 * allocates nothing but from the memory it was given.
 *
 * One turn, the same in the daemon, the simulator, the fuzzers and the benches
 * (all input first: RFC 9293, 3.10.7.4 (MUST-59)):
 *
 *	while (there is a packet)
 *		stack_input(st, pkt, len, &meta, now_us);
 *	stack_services(st, now_us);
 *	stack_expire(st, now_us);
 *	while (stack_output(st, &out, now_us))
 *		write out.iov, out.iov_len
 *	stack_reap(st, now_us);
 *	sleep until stack_deadline(st)
 *
 * A service may call any tcp_*() function from any of its callbacks: these
 * queue and mark, and nothing leaves or is freed before the turn gets there.
 * A struct tcp_conn is valid from on_syn/on_open until on_closed returns.
 *
 * Units: *_us microseconds, monotonic where a point in time is meant; lengths
 * in bytes; ports and addresses in host order and 16 bytes (see ip_addr).
 */
#ifndef TCPHS_STACK_H
#define TCPHS_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <tcphs/event.h>

struct stack;
struct tcp_conn;

#define TIME_NEVER INT64_MAX

#define STACK_LISTENERS_MAX 64
#define STACK_ALLOW_MAX	    8  /* prefixes in one allow-list */
#define STACK_NAME_MAX	    32 /* with the final zero */
#define STACK_IOV_MAX	    20 /* parts of one outgoing packet */
#define STACK_SEGMENT_MAX   65535

/* ---- configuration ---------------------------------------------------- */

struct ip_prefix {
	struct ip_addr addr;
	uint8_t len; /* 0..128; an IPv4 /24 is 96 + 24 = 120 */
};

enum stack_cookies { COOKIES_NEVER, COOKIES_PRESSURE, COOKIES_ALWAYS };
enum stack_overflow { OVERFLOW_DROP, OVERFLOW_RESET };
/* CC_DEFAULT: of a listener, as the stack; of the stack, CUBIC. */
enum stack_cc { CC_DEFAULT, CC_NEWRENO, CC_CUBIC };
/* RFC 3168: not at all, if a peer asks for it, or asked for by us as well. */
enum stack_ecn { ECN_NO, ECN_ACCEPT, ECN_REQUEST };

struct stack_conf {
	/* Addresses. A family is off if its prefix length is 0. */
	struct ip_addr own4, own6; /* ours */
	struct ip_prefix net4, net6;
	bool own_prefix; /* answer for all of net4 and net6 but the host's own */
	struct ip_addr host4, host6; /* the kernel's side */
	bool icmp_echo;
	uint8_t ttl; /* RFC 9293, 3.9.2 (MUST-49) */

	/* The device. */
	uint16_t mtu;	   /* 576 (1280 with IPv6) to 65520 */
	bool csum_offload; /* leave TCP checksums to the device, see stack_pkt */
	uint32_t gso_max;  /* text bytes in a super-segment; 0 = no such */

	/* Limits; each is a counter and an event when reached. */
	uint32_t max_connections;
	uint32_t max_half_open;
	uint32_t max_per_source;     /* 0 = none */
	uint32_t rcvbuf, rcvbuf_max; /* receive window at first, at most */
	uint32_t sndbuf;	     /* bytes queued for sending, at most */
	uint32_t rst_rate, challenge_ack_rate,
		icmp_rate; /* a second; 0 = none */

	/* Timers. */
	int64_t rto_initial_us, rto_min_us, rto_max_us;
	uint32_t syn_retries, synack_retries, retries;
	int64_t user_timeout_us; /* 0 = retries decide */
	int64_t msl_us;
	int64_t fin_wait2_us;
	int64_t keepalive_us; /* idle time before the first probe; 0 = off */
	int64_t delayed_ack_us;

	/* TCP. */
	bool sack;
	bool timestamps;
	bool timestamps_strict; /* drop segments that omit them, and PAWS to
				 * the letter */
	bool mtu_probing;	/* RFC 4821, once a path seems narrow */
	uint8_t quick_acks;	/* not delayed, at the start of a flow */
	uint8_t window_scale;	/* 0..14; what we offer */
	enum stack_cc congestion;
	enum stack_cookies cookies;
	enum stack_ecn ecn;
	bool pacing; /* spread a window over the round trip */
};

/* What a listener's owner sets. Copied by stack_listen(). */
struct stack_listener {
	char name[STACK_NAME_MAX];
	const struct tcp_service *service;
	void *service_arg;	  /* the shell's; see tcp_service_arg() */
	struct ip_prefix address; /* len 0 = every address of ours */
	uint16_t port;
	bool enabled;
	uint32_t backlog;	      /* half-open at once, cookies beyond */
	uint32_t max_connections;     /* 0 = only the stack's own limit */
	enum stack_overflow overflow; /* what a refused one gets */
	struct ip_prefix allow[STACK_ALLOW_MAX];
	uint8_t nallow; /* 0 = everybody */
	bool nodelay;	/* RFC 9293, 3.7.4 (MUST-17) */
	enum stack_cc congestion;
	uint8_t dscp; /* RFC 9293, 3.9.1.9 (MUST-48); 0..63 */
};

/* ---- life ------------------------------------------------------------- */

/**
 * stack_init() - Make a stack inside @mem
 * @mem:    Zeroed memory, aligned to STACK_ALIGN; stays the caller's
 * @len:    Bytes, at least STACK_MEM_MIN; touched only as it is used
 * @conf:   Copied
 * @seed:   32 random bytes: secrets and every later random choice. The same
 *          seed and the same input give the same output, byte for byte.
 *
 * Return: the stack, at the start of @mem; NULL if @len is too small or @conf
 *         contradicts itself
 */
#define STACK_ALIGN   65536
#define STACK_MEM_MIN (2u << 20)
struct stack *stack_init(void *mem, size_t len, const struct stack_conf *conf,
			 const uint8_t seed[32], int64_t now_us);

/** stack_conf() - The configuration in force */
const struct stack_conf *stack_conf(const struct stack *st);

/**
 * stack_reconf() - Take new limits, timers and TCP settings
 *
 * Addresses, MTU and offload keep their old values. Connections that exist
 * keep what they negotiated.
 */
void stack_reconf(struct stack *st, const struct stack_conf *conf);

/* How much there is of what limits count, now. */
struct stack_counts {
	uint32_t connections; /* half-open ones included */
	uint32_t half_open;
	uint32_t listener_connections, listener_half_open;
};

/**
 * stack_counts() - Add what a stack has; from any thread, at any time
 * @listener: Index or LISTENER_NONE
 */
void stack_counts(const struct stack *st, unsigned int listener,
		  struct stack_counts *sum);

/*
 * Several stacks may share the addresses, each with connections of its own. Such
 * a stack asks whose a pair of ends is before it opens a connection from a port
 * that it chooses itself, and shows what was put together from fragments, for
 * only then can it be told whose that is.
 */
struct stack_share {
	void *ctx;
	bool (*ours)(void *ctx, const struct ip_addr *local,
		     uint16_t local_port, const struct ip_addr *peer,
		     uint16_t peer_port);
	/* Adds what the others have: limits are for all of them together. */
	void (*others)(void *ctx, unsigned int listener,
		       struct stack_counts *sum);
	/* Returns true if it took the packet elsewhere. */
	bool (*whole)(void *ctx, const void *pkt, size_t len);
	/* The last id given to a connection, by any of them: ids are unique,
	 * and go up with time. Accessed atomically. */
	uint32_t *last_id;
};

/**
 * stack_share() - Be one of several
 * @share: Copied
 */
void stack_share(struct stack *st, const struct stack_share *share);

/* ---- one turn --------------------------------------------------------- */

struct stack_rx {
	bool csum_ok; /* somebody trustworthy vouches for the TCP checksum */
	uint16_t
		gso_size; /* text bytes of each segment inside, 0 if just one */
	bool hashed;	  /* by stack_ahead() alone */
	uint32_t hash;
};

/* A packet that waits for stack_input(). */
struct stack_in {
	const void *pkt;
	size_t len;
	struct stack_rx meta;
};

#define STACK_AHEAD 16 /* packets; more would push each other out */

/**
 * stack_ahead() - Get near what stack_input() will need for some packets
 * @in: STACK_AHEAD at most, to be taken next, with this meta
 *
 * Never necessary. With a million connections a segment costs a third less; with
 * few it does nothing.
 */
void stack_ahead(const struct stack *st, struct stack_in *in, unsigned int n);

/**
 * stack_input() - Take one IP packet
 * @pkt:  From the version nibble on; dead when this returns
 * @len:  Bytes that arrived, may exceed the IP length (padding)
 * @meta: What the device says about it; NULL for nothing
 */
void stack_input(struct stack *st, const void *pkt, size_t len,
		 const struct stack_rx *meta, int64_t now_us);

/** stack_services() - Run the services that have something new to look at */
void stack_services(struct stack *st, int64_t now_us);

/** stack_expire() - Run the timers that are due */
void stack_expire(struct stack *st, int64_t now_us);

/*
 * One packet to write: iov[0] is the IP and TCP header, the others are text
 * where it lies. Valid until the next call of any function of this stack.
 */
struct stack_pkt {
	struct iovec iov[STACK_IOV_MAX];
	unsigned int iov_len;
	uint32_t len;	      /* all of iov */
	uint16_t csum_start;  /* offset of the TCP header */
	uint16_t csum_offset; /* of the checksum in it; valid if csum_partial */
	uint16_t gso_size;    /* text bytes of each segment; 0 = one segment */
	bool csum_partial;    /* the field holds the pseudo-header's sum only */
	bool ipv6;
};

/**
 * stack_output() - Build the next packet that is due
 *
 * Return: false if there is none
 */
bool stack_output(struct stack *st, struct stack_pkt *out, int64_t now_us);

/** stack_reap() - Free what ended; the only place where connections are freed */
void stack_reap(struct stack *st, int64_t now_us);

/**
 * stack_deadline() - When stack_expire() has something to do
 *
 * Return: a monotonic time, TIME_NEVER if nothing waits; 0 if now
 */
int64_t stack_deadline(const struct stack *st);

/* ---- listeners -------------------------------------------------------- */

/**
 * stack_listen() - Add a listener, or replace the one of the same name
 *
 * Connections that came through a replaced listener go on.
 *
 * Return: its index; -ENOSPC if there are STACK_LISTENERS_MAX;
 *         -EADDRINUSE if another one owns the port there
 */
int stack_listen(struct stack *st, const struct stack_listener *l);

/**
 * stack_listen_at() - The same, at an index of the caller's choice
 * @index: One that stack_listener_info() knows nothing of, or knows under the
 *         same name
 *
 * Return: as stack_listen(); -ENOSPC if the index is taken
 */
int stack_listen_at(struct stack *st, unsigned int index,
		    const struct stack_listener *l);

/** stack_unlisten() - Remove a listener; -ENOENT if there is no such name */
int stack_unlisten(struct stack *st, const char *name);

/** stack_listener_enable() - Open or close it for new work; 0 or -ENOENT */
int stack_listener_enable(struct stack *st, const char *name, bool on);

/* What a SYN, or the ACK of a SYN-ACK, found full. */
enum overflow_place {
	OVERFLOW_BACKLOG,     /* of the listener; a cookie may have helped */
	OVERFLOW_HALF_OPEN,   /* max_half_open; likewise */
	OVERFLOW_LISTENER,    /* its max_connections */
	OVERFLOW_CONNECTIONS, /* max_connections */
	OVERFLOW_SOURCE,      /* max_per_source */
	OVERFLOW_NPLACES
};

struct listener_info {
	struct stack_listener conf;
	uint32_t half_open, connections; /* now */
	uint32_t waiting; /* of connections: nobody has taken them yet */
	uint64_t syns, opened, refused, cookies; /* since start */
	uint64_t overflows[OVERFLOW_NPLACES];
	uint16_t last_peer_port; /* of the last connection; 0 = never any */
	struct ip_addr last_peer;
	uint32_t last_conn; /* its id */
};

/**
 * stack_listener_info() - Describe listener @index
 *
 * Return: false if there is none at this index; indices are not dense
 */
bool stack_listener_info(const struct stack *st, unsigned int index,
			 struct listener_info *info);

/* ---- looking ---------------------------------------------------------- */

/* One connection of any size, as `tcphsctl list` and `show` print it. */
struct conn_info {
	uint32_t id; /* shown as c42; 32 bits, wraps */
	uint8_t state;
	uint8_t role;
	uint16_t listener; /* index or LISTENER_NONE */
	struct ip_addr local, peer;
	uint16_t local_port, peer_port;
	bool half_open;	      /* a request record: only the top part is set,
				* as in TIME-WAIT */
	int64_t age_us;	      /* since the first SYN; -1 unknown (TIME-WAIT) */
	int64_t idle_us;      /* since the last segment from the peer; or -1 */
	int64_t handshake_us; /* -1 if not completed (or TIME-WAIT) */
	uint32_t retrans;     /* segments sent again, SYN-ACKs included */
	uint64_t bytes_in, bytes_out; /* text, each byte once */
	/* From here on only for full connections. */
	uint64_t segs_in, segs_out;
	uint64_t bytes_acked; /* of bytes_out */
	uint32_t iss, irs;
	uint32_t snd_una, snd_nxt, snd_max, snd_wnd;
	uint32_t rcv_nxt, rcv_wnd;
	uint32_t snd_mss, peer_mss, pmtu;
	uint32_t mtu_probe;	    /* size under test (RFC 4821); 0 = none */
	uint32_t own_mss, recv_mss; /* as announced; as the peer uses it */
	uint8_t snd_wscale, rcv_wscale;
	bool ts, sack, wscale, ecn, nodelay;
	bool odd; /* what answered our SYN answers none (RFC 9293, 3.10.7.3) */
	uint8_t dscp;
	int64_t srtt_us, rttvar_us, rto_us, min_rtt_us; /* 0 before a sample */
	uint32_t cwnd, ssthresh;			/* bytes */
	uint64_t pacing_rate; /* bytes a second; 0 = not paced */
	uint32_t send_queued, recv_queued, recv_ooo; /* bytes */
	uint32_t rcvbuf;      /* the window it is willing to offer */
	uint32_t recv_rtt_us; /* as text from the peer shows it; 0 = not yet */
	uint32_t memory;      /* bytes of records and buffers */
	uint32_t in_flight, sacked, lost; /* bytes */
	uint32_t urgent_in;  /* bytes to the end of urgent data, unread */
	uint32_t urgent_out; /* the same, not acknowledged yet */
	uint32_t undone;     /* recoveries that proved needless, since it was
			      * idle last */
	uint32_t reordering; /* by how many segments one was overtaken, at
			      * most; at least 3 */
	uint32_t backoff;    /* doublings of the RTO */
	uint32_t tries;	     /* of the oldest segment, or window probes */
	int64_t rexmt_in_us, persist_in_us, delack_in_us; /* -1 = not armed */
	int64_t pace_in_us, hold_in_us;	       /* hold: RFC 3168, 6.1.2 */
	int64_t reorder_in_us, probe_in_us;    /* RFC 8985, 6.2 and 7.2 */
	int64_t keepalive_in_us, linger_in_us; /* linger: FIN-WAIT-2, 2 MSL */
	enum close_reason reason;	       /* CLOSE_NONE while it lives */
	const char *cc_name, *recovery; /* "cubic"; "open" "fast" "rto" */
};

/**
 * stack_walk() - Look at the next connections of the table
 * @cursor: 0 to begin; opaque after that
 * @budget: Look at this many places at most
 * @fn:     Called for each connection; must not call into the stack except
 *          for tcp_dismiss() and tcp_abort() on @c. @c is NULL if the record is
 *          half-open or TIME-WAIT. Returns false to stop after this one.
 *
 * Each connection is reported at most once and as it was when the walk passed
 * it; one that stays what it is (half-open, full, in TIME-WAIT) through the
 * whole walk is reported. Bits 48 to 55 of the cursor stay 0: who walks over
 * several stacks may keep there which it is.
 *
 * Return: false when the walk is over
 */
typedef bool stack_walk_fn(struct stack *st, struct tcp_conn *c,
			   const struct conn_info *info, void *arg);
bool stack_walk(struct stack *st, uint64_t *cursor, unsigned int budget,
		int64_t now_us, stack_walk_fn *fn, void *arg);

/** tcp_info() - The same for one connection */
void tcp_info(struct stack *st, struct tcp_conn *c, struct conn_info *info,
	      int64_t now_us);

/* Counters since start, and a few gauges: name, words. */
#define STACK_STAT_LIST(S)                                                    \
	S(packets_in, "packets read")                                         \
	S(packets_out, "packets written")                                     \
	S(bytes_in, "bytes read, with headers")                               \
	S(bytes_out, "bytes written, with headers")                           \
	S(segments_in, "TCP segments received, super-segments counted apart") \
	S(segments_out, "TCP segments sent, super-segments counted apart")    \
	S(text_in, "bytes of text received in order")                         \
	S(text_out, "bytes of text sent for the first time")                  \
	S(syns_in, "SYNs received")                                           \
	S(synacks_out, "SYN-ACKs sent for the first time")                    \
	S(handshakes, "handshakes completed as server")                       \
	S(handshakes_active, "handshakes completed as client")                \
	S(handshakes_failed, "handshakes that failed")                        \
	S(cookies_sent, "SYN cookies sent")                                   \
	S(cookies_accepted, "SYN cookies that came back")                     \
	S(cookies_rejected, "ACKs that were no cookie of ours")               \
	S(retransmit_synack, "SYN-ACKs sent again")                           \
	S(retransmit_syn, "SYNs sent again")                                  \
	S(retransmit_rto, "segments sent again after a timeout")              \
	S(retransmit_fast, "segments sent again on evidence of loss")         \
	S(retransmit_probe, "segments sent again as tail loss probes")        \
	S(retransmit_fin, "FINs sent again")                                  \
	S(spurious_timeouts, "timeouts that came too early and were undone")  \
	S(spurious_recoveries, "fast recoveries that were needless, undone")  \
	S(dsacks_in, "segments of ours that arrived twice (RFC 2883)")        \
	S(mtu_black_holes, "times large segments seemed to vanish")           \
	S(mtu_probes, "path MTU probes sent")                                 \
	S(mtu_probes_lost, "path MTU probes lost")                            \
	S(window_probes, "zero-window probes sent")                           \
	S(keepalive_probes, "keep-alive probes sent")                         \
	S(challenge_acks, "challenge ACKs sent (RFC 5961)")                   \
	S(resets_out, "RSTs sent")                                            \
	S(resets_nobody, "of those sent, to segments of no connection")       \
	S(resets_in, "valid RSTs received")                                   \
	S(resets_refused, "of those received, answers to a SYN of ours")      \
	S(closed_fin, "connections closed by both sides")                     \
	S(closed_reset_in, "connections reset by the peer")                   \
	S(closed_reset_out, "connections reset by us")                        \
	S(closed_timeout, "connections that timed out")                       \
	S(out_of_order, "segments held until a hole is filled")               \
	S(ce_in, "segments received with a congestion mark (RFC 3168)")       \
	S(ece_in, "ACKs received that echo a congestion mark")                \
	S(ecn_reductions, "windows reduced for congestion marks")             \
	S(echo_in, "ICMP echo requests")                                      \
	S(echo_out, "ICMP echo replies")                                      \
	S(icmp_errors_in, "ICMP errors that matched a connection")            \
	S(icmp_errors_out, "ICMP errors sent")                                \
	S(icmp_errors_held, "ICMP errors not sent for their rate limit")      \
	S(events_lost, "events nobody collected in time")

struct stack_stats {
#define STACK_STAT_FIELD(name, words) uint64_t name;
	STACK_STAT_LIST(STACK_STAT_FIELD)
#undef STACK_STAT_FIELD
	uint64_t dropped[DROP_NREASONS];
	uint64_t limits[LIMIT_NLIMITS]; /* how often each refused something */
	/* Gauges. */
	uint32_t conns[TCP_NSTATES];   /* half-open ones under SYN_RECEIVED */
	uint32_t clients[TCP_NSTATES]; /* of these, opened by us */
	uint32_t half_open, time_wait, full;
	uint32_t timers;	      /* armed; a connection has one at most */
	uint64_t memory, memory_used; /* bytes of the arena; used by pages */
};

void stack_stats(const struct stack *st, struct stack_stats *out);

/* ---- events ----------------------------------------------------------- */

/**
 * stack_event_mask() - Choose which events are recorded
 * @mask: Bit 1 << enum event_type; 0 costs one branch an event
 */
void stack_event_mask(struct stack *st, uint64_t mask);

/**
 * stack_event_next() - Take the oldest event
 *
 * Return: NULL if there is none; valid until the next call into the stack
 */
const struct event *stack_event_next(struct stack *st);

/* ---- packets ---------------------------------------------------------- */

enum packet_flags {
	PACKET_OUT = 1 << 0,	    /* sent by us; else received */
	PACKET_RETRANSMIT = 1 << 1, /* carries numbers that went before */
	PACKET_PROBE = 1 << 2,	    /* of a tail loss, a window or a path MTU */
	PACKET_KEEPALIVE = 1 << 3,
	PACKET_CHALLENGE = 1 << 4,    /* an ACK because of RFC 5961 */
	PACKET_COOKIE = 1 << 5,	      /* a SYN-ACK that is one, or its ACK */
	PACKET_CSUM_PARTIAL = 1 << 6, /* its checksum is left to the device */
};

/*
 * One packet that was taken, and what became of it, or one that leaves. What is
 * received is told after it was judged: state_before is that of the connection
 * it found, state_after that in which it left it; LISTEN or CLOSED where there
 * is none. Sending changes no state but that a RST ends the connection.
 */
struct stack_packet {
	uint32_t conn;	   /* id; 0 = nobody's. A SYN that opens nothing has
			    * an id, too, and so has what answers it */
	uint16_t listener; /* index or LISTENER_NONE */
	uint8_t role;	   /* enum tcp_role */
	bool csum_ok;	   /* received: the device vouches for the checksum */

	uint8_t state_before, state_after;
	uint8_t drop;	     /* enum drop_reason: the first that was given */
	uint8_t flags;	     /* enum packet_flags */
	uint16_t gso_size;   /* text bytes of each segment; 0 = one segment */
	uint16_t csum_start; /* of the TCP header; 0 if received */

	int64_t at_us;
	uint32_t len;  /* all of iov; padding included */
	uint32_t text; /* bytes of it; 0 if it was not looked into */
	/* All of it, from the version nibble on: one part if received; if sent,
	 * as struct stack_pkt says. This and the ends are dead when the watcher
	 * returns. */
	const struct iovec *iov;
	unsigned int iov_len;
	/* Zero as far as the packet has none, or is malformed. An ICMP error has
	 * those of the connection it quotes. */
	const struct tcp_key *ends;
};

/* How a connection ended, or a half-open record that became none: as it was in
 * its last moment. */
struct conn_end {
	uint32_t id;
	uint16_t listener;    /* index or LISTENER_NONE */
	uint8_t state;	      /* enum tcp_state */
	uint8_t role;	      /* enum tcp_role */
	uint8_t reason;	      /* enum close_reason */
	bool odd;	      /* see struct conn_info */
	uint32_t retrans;     /* segments sent again, SYN-ACKs included */
	int64_t at_us;	      /* monotonic */
	int64_t opened_us;    /* as it was made */
	int64_t handshake_us; /* -1 if not completed, or not known */
	uint64_t bytes_in, bytes_out; /* text, each byte once */
	const struct tcp_key *ends;   /* dead when the watcher returns */
};

/*
 * Somebody who sees every packet. Must not call into the stack. A connection's
 * end is told when it happens: before the packet that caused it, and before the
 * RST or the ACK that it leaves behind. TIME-WAIT counts as an end.
 */
struct stack_watcher {
	void (*packet)(void *ctx, const struct stack_packet *p);
	void (*ended)(void *ctx, const struct conn_end *end); /* or NULL */
	void *ctx;
};

/**
 * stack_watch() - Have every packet shown
 * @w: Copied; NULL = nobody watches, which costs a branch or two a packet
 *
 * Between two calls of the stack, not in a callback: that packet is half seen.
 */
void stack_watch(struct stack *st, const struct stack_watcher *w);

/* ---- services --------------------------------------------------------- */

enum syn_verdict { SYN_ACCEPT, SYN_REFUSE, SYN_SILENCE };

/* What may be wrong with the path of a connection that goes on all the same. */
enum tcp_trouble_kind {
	TROUBLE_TRIES, /* R1: sent again and again (RFC 9293, 3.8.3) */
	TROUBLE_ICMP,  /* a soft error (RFC 9293, 3.9.2.2) */
};

struct tcp_trouble {
	enum tcp_trouble_kind what;
	uint32_t tries;		      /* of the oldest segment, so far */
	uint8_t icmp_type, icmp_code; /* ICMPv4's numbers, for IPv6 too */
};

/*
 * A service answers on the connections of its listeners. Unset callbacks do
 * nothing. Between on_open and on_closed a connection belongs to it.
 */
struct tcp_service {
	const char *name;

	/* A SYN arrived for a listener of this service. */
	enum syn_verdict (*on_syn)(struct stack *st,
				   const struct stack_listener *l,
				   const struct ip_addr *peer, uint16_t port);

	/* ESTABLISHED. */
	void (*on_open)(struct stack *st, struct tcp_conn *c);

	/* More text can be had by tcp_peek(). Called again only after new
	 * text, a tcp_resume(), or when it consumed something but not all. */
	void (*on_data)(struct stack *st, struct tcp_conn *c);

	/* The peer has urgent data, or more of it, perhaps before its text is
	 * here (RFC 9293, 3.8.5 (MUST-32)): see tcp_urgent_left(). */
	void (*on_urgent)(struct stack *st, struct tcp_conn *c);

	/* Room in the send queue again, after tcp_send() took less than it
	 * was given (or tcp_want_write()). */
	void (*on_writable)(struct stack *st, struct tcp_conn *c);

	/* The peer sent its FIN and all text before it was consumed. */
	void (*on_peer_closed)(struct stack *st, struct tcp_conn *c);

	/* The alarm of tcp_alarm() went off. */
	void (*on_alarm)(struct stack *st, struct tcp_conn *c);

	/* Something is wrong with the path (RFC 9293, 3.9.1.8 (MUST-47)); it
	 * may pass. Not called after tcp_report_trouble(c, false). */
	void (*on_trouble)(struct stack *st, struct tcp_conn *c,
			   const struct tcp_trouble *t);

	/* Over. @c is dead when this returns; exactly once after on_open. */
	void (*on_closed)(struct stack *st, struct tcp_conn *c,
			  enum close_reason why);
};

/**
 * tcp_peek() - Look at received text without taking it
 * @data: Set to the first contiguous run
 *
 * Return: bytes at @data, 0 if there is none; valid until tcp_consume() or
 *         the end of the callback
 */
size_t tcp_peek(struct stack *st, struct tcp_conn *c, const uint8_t **data);

/** tcp_consume() - Take @n bytes, at most what tcp_peek() just returned */
void tcp_consume(struct stack *st, struct tcp_conn *c, size_t n);

/** tcp_resume() - Have on_data called for text that was left unconsumed */
void tcp_resume(struct stack *st, struct tcp_conn *c);

/**
 * tcp_send() - Queue bytes for transmission (RFC 9293, 3.10.2)
 * @data: Copied; stays the caller's
 *
 * Sends nothing by itself: the next stack_output() may.
 *
 * Return: bytes taken, less than @len if the send queue is full;
 *         -EPIPE after CLOSE, -ECONNRESET when it ended
 */
ssize_t tcp_send(struct stack *st, struct tcp_conn *c, const void *data,
		 size_t len);

/**
 * tcp_send_ref() - Queue bytes that are sent from where they lie
 * @data: Must stay as it is while the connection lives: constant data
 *
 * Return: as tcp_send()
 */
ssize_t tcp_send_ref(struct stack *st, struct tcp_conn *c, const void *data,
		     size_t len);

/**
 * tcp_send_urgent() - The same, and all that is queued so far is urgent
 *
 * A mark at its end travels ahead of the text (RFC 9293, 3.8.5 (MUST-30)); what
 * the peer makes of it is its affair, so new protocols do without (SHLD-13).
 *
 * Return: as tcp_send(); what was not taken is not urgent
 */
ssize_t tcp_send_urgent(struct stack *st, struct tcp_conn *c, const void *data,
			size_t len);

/**
 * tcp_urgent_left() - Bytes to read until urgent data ends (MUST-33)
 *
 * Return: 0 if there is none; they need not have arrived yet
 */
uint32_t tcp_urgent_left(const struct stack *st, const struct tcp_conn *c);

/** tcp_send_room() - Bytes that tcp_send() would take now */
size_t tcp_send_room(struct stack *st, struct tcp_conn *c);

/** tcp_want_write() - Have on_writable called when there is room */
void tcp_want_write(struct stack *st, struct tcp_conn *c);

/** tcp_close() - No more sends: FIN after what is queued (RFC 9293, 3.10.4) */
void tcp_close(struct stack *st, struct tcp_conn *c);

/**
 * tcp_dismiss() - Close for somebody else than the service
 *
 * FIN after what is queued; text that still comes is acknowledged and thrown
 * away, for the service may wait for ever to answer it.
 */
void tcp_dismiss(struct stack *st, struct tcp_conn *c);

/** tcp_abort() - RST and forget (RFC 9293, 3.10.5); on_closed gets @why */
void tcp_abort(struct stack *st, struct tcp_conn *c, enum close_reason why);

/** tcp_alarm() - Call on_alarm at @at_us; TIME_NEVER to call it off */
void tcp_alarm(struct stack *st, struct tcp_conn *c, int64_t at_us);

/** tcp_set_nodelay() - Nagle's algorithm off (RFC 9293, 3.7.4 (MUST-17)) */
void tcp_set_nodelay(struct stack *st, struct tcp_conn *c, bool on);

/**
 * tcp_set_user_timeout() - R2 of this connection (RFC 9293, 3.8.3 (MUST-21))
 * @timeout_us: Abort after so long without progress; 0 = the configured
 *              number of retries decides
 *
 * Return: 0 or -ENOBUFS
 */
int tcp_set_user_timeout(struct stack *st, struct tcp_conn *c,
			 int64_t timeout_us);

/**
 * tcp_set_keepalive() - Probe an idle connection (RFC 9293, 3.8.4 (MUST-24))
 * @idle_us: Idle time before the first probe; 0 = no probes
 *
 * Return: 0 or -ENOBUFS
 */
int tcp_set_keepalive(struct stack *st, struct tcp_conn *c, int64_t idle_us);

/**
 * tcp_set_dscp() - Mark what is sent from now on (RFC 9293, 3.9.1.9 (MUST-48))
 * @dscp: 0 to 63, passed to IP unchanged (SHLD-22)
 */
void tcp_set_dscp(struct tcp_conn *c, uint8_t dscp);

/** tcp_report_trouble() - Have on_trouble called, or not (SHLD-20) */
void tcp_report_trouble(struct tcp_conn *c, bool on);

/** tcp_user() - The service's own pointer for this connection, NULL at first */
void *tcp_user(const struct tcp_conn *c);
void tcp_set_user(struct tcp_conn *c, void *user);

/**
 * tcp_await() - Count a connection as one that nobody has taken yet
 * @waits: Or not any more; each true is followed by one false
 */
void tcp_await(struct stack *st, const struct tcp_conn *c, bool waits);

/** tcp_service_arg() - service_arg of the listener it came through */
void *tcp_service_arg(const struct stack *st, const struct tcp_conn *c);

/** tcp_conn_service() - Whose it is; NULL if nobody's */
const struct tcp_service *tcp_conn_service(const struct stack *st,
					   const struct tcp_conn *c);

uint32_t tcp_id(const struct tcp_conn *c);
enum tcp_state tcp_conn_state(const struct tcp_conn *c);

/** stack_now() - now_us of the entry point that is running, for services */
int64_t stack_now(const struct stack *st);

/* ---- opening and stopping --------------------------------------------- */

/**
 * stack_open() - Active OPEN (RFC 9293, 3.10.1)
 * @svc:        Gets on_open, or on_closed alone if it fails
 * @local:      Ours to open it from (RFC 9293, 3.9.1.1 (MUST-43)); NULL = the
 *              one address of the family
 * @local_port: 0 = choose one (RFC 6056)
 *
 * Return: 0 and @out; -EADDRNOTAVAIL, -EADDRINUSE, -EINVAL (MUST-46),
 *         -ENOBUFS
 */
int stack_open(struct stack *st, const struct tcp_service *svc, void *user,
	       const struct ip_addr *peer, uint16_t peer_port,
	       const struct ip_addr *local, uint16_t local_port, int64_t now_us,
	       struct tcp_conn **out);

/**
 * stack_stop() - Take no new work, close every connection with a FIN
 *
 * Works in slices: call it every turn until it returns true, then wait for
 * stack_stats().full to become 0 or lose patience and call stack_abort_all().
 */
bool stack_stop(struct stack *st, int64_t now_us);

/** stack_abort_all() - RST to everybody, in slices; true when all is done */
bool stack_abort_all(struct stack *st, int64_t now_us);

/**
 * stack_check() - Assert every invariant of the stack; slow, for tests
 */
void stack_check(struct stack *st);

/* ---- names ------------------------------------------------------------ */

const char *tcp_state_name(enum tcp_state s);	 /* "SYN-RECEIVED" */
const char *tcp_state_key(enum tcp_state s);	 /* "syn-received" */
const char *tcp_state_ss_name(enum tcp_state s); /* "SYN-RCVD" */
const char *event_name(enum event_type t);	 /* "syn.received" */
int event_level(enum event_type t);
const char *drop_name(enum drop_reason r);   /* "ack_future" */
const char *drop_clause(enum drop_reason r); /* "RFC 9293, 3.10.7.4" */
const char *drop_words(enum drop_reason r);
const char *close_name(enum close_reason r); /* "reset_by_peer" */
const char *close_words(enum close_reason r);
const char *limit_name(enum stack_limit l);
const char *limit_words(enum stack_limit l);

/** ip_addr_is4() - Is it an IPv4 address? */
bool ip_addr_is4(const struct ip_addr *a);
bool ip_prefix_has(const struct ip_prefix *p, const struct ip_addr *a);

#endif
