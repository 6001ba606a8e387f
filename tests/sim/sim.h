/*
 * sim.h - Two ends on a virtual clock
 *
 * A run is a pure function of struct sim_opts: the options of both stacks, the
 * two links between them and what the applications at both ends will do. The
 * swarm draws all of it from one seed; a scenario writes some of it by hand.
 *
 *	sim.c           the command line, forking a process for each run
 *	sim_run.c       one run: the clock, the end of it, what must hold then
 *	sim_swarm.c     options from a seed
 *	sim_draw.c      those of odd peers and bad paths
 *	sim_scenario*.c options by name
 *	sim_host.c      one stack and its turn
 *	sim_peer*.c     a simple TCP of another kind, in place of a stack
 *	sim_segment.c   segments, for all that is no stack
 *	sim_events.c    what the stack says about itself, held against the RFC
 *	sim_link.c      one direction of the wire
 *	sim_path.c      losses that are meant, packets that are too big
 *	sim_box.c       a middlebox
 *	sim_forge.c     what nobody sent
 *	sim_watch.c     what TCP forbids a sender, seen from the wire
 *	sim_ecn.c       the same of marks and echoes
 *	sim_packet.c    sending side of a device: checks, checksums, splitting
 *	sim_app.c       the application at one end of a connection
 *	sim_trace.c     -v
 */
#ifndef TCPHS_SIM_H
#define TCPHS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/stack.h>

#include "core/assert.h"

#include "sim_rand.h"

#define SIM_CONNS_MAX	  1024
#define SIM_PACKET_MAX	  65600
#define SIM_PORT	  7000	/* where side 1 listens */
#define SIM_PORT_CROSSING 100	/* simultaneous opens: no stack chooses it */
#define SIM_PORT_PEER	  20000 /* first port of a simple peer */

#define PPM 1000000u

#define MEMORY_ENOUGH (8u << 20) /* of a stack, for all that is ever drawn */

#define US_PER_MS INT64_C(1000)
#define US_PER_S  INT64_C(1000000)

/* Of each connection, lose the @nth of a kind and those that follow it. */
enum aim_kind { AIM_SYN, AIM_TEXT, AIM_ACK, AIM_FIN, AIM_AGAIN, AIM_KINDS };

#define AIMS_MAX 3

struct aim {
	enum aim_kind kind;
	uint32_t nth, count; /* from 1; 0 = none, and none follows */
};

/* One direction. Chances are in millionths, for each packet on its own. */
struct link_opts {
	int64_t delay_us;  /* at least 1 */
	int64_t jitter_us; /* added, uniform from 0 */
	bool fifo;	   /* jitter does not reorder */
	uint32_t loss_ppm, dup_ppm, corrupt_ppm, reorder_ppm;
	uint32_t mark_ppm;  /* congestion experienced, if a packet may be */
	int64_t reorder_us; /* how much later a reordered packet arrives */
	uint32_t rate;	    /* bytes a second; 0 = no limit */
	uint32_t queue;	    /* bytes waiting at most, if rate */
	int64_t batch_us;   /* arrivals are rounded up to this; 0 = not */
	int64_t outage_every_us, outage_us; /* everything is lost then; 0 */
	/* Bursts: the chance of a packet to begin one and to be lost in it,
	 * and how long it lasts. */
	uint32_t burst_ppm, burst_loss_ppm;
	int64_t burst_us;
	struct aim aim[AIMS_MAX];
	int64_t gone_from_us, gone_to_us; /* everything is lost; since start */
	uint32_t mtu;			  /* of the narrowest hop; 0 */
	int64_t mtu_from_us;		  /* since when it is so */
	bool mtu_silent;		  /* it drops and says nothing */
	bool mtu_unsaid; /* it says that it drops, not what fits */
	/* While all is lost a router says why: type and code of an ICMP error
	 * that is no reason to give up (RFC 9293, 3.9.2.2 (MUST-56)). */
	uint8_t gone_type, gone_code; /* of IPv4 or IPv6; 0 = nothing */
	uint32_t fragment; /* longer packets arrive in pieces; 0 = never */
	bool fragment_last_first, fragment_twice;
	uint32_t ce_queue; /* bytes waiting that make it mark ECT; 0 = never */
	bool whole; /* super-segments arrive as they were sent (offload) */
};

/* What a simple peer makes of ECN (RFC 3168). */
enum peer_ecn {
	PEER_ECN_NO,
	PEER_ECN_YES,
	PEER_ECN_REFLECTS, /* answers a SYN with all of its flags: a no */
	PEER_ECN_DEAF,	   /* agrees, and never echoes a mark */
	PEER_ECN_STUCK,	   /* agrees, and echoes for ever */
	PEER_ECN_MODES,
};

/*
 * A simple peer (sim_peer.c) and what is odd about it. The kernels that people
 * meet acknowledge every second segment, delay, keep what is out of order; the
 * devices that people meet do none of that.
 */
struct peer_opts {
	bool on;	  /* no stack on this side */
	uint16_t mss;	  /* announced; 0 = no such option */
	uint16_t segment; /* text bytes it sends at most in one */
	bool sack, ts, wscale;
	uint8_t shift; /* if wscale */
	bool iss_set;  /* iss for all; else each draws its own */
	uint32_t iss;
	uint32_t ts_base;	/* its clock: milliseconds and this */
	uint32_t window;	/* receive buffer */
	uint32_t flight;	/* bytes it keeps in flight at most */
	unsigned int ack_every; /* segments in order */
	int64_t ack_delay_us;	/* at most, for fewer of them */
	int64_t rto_us;		/* first timeout */
	int64_t linger_us;	/* TIME-WAIT */
	int64_t keepalive_us;	/* 0 = off */
	uint32_t ts_omit_ppm;	/* leaves out the timestamp now and then */
	uint32_t ts_stop_at;	/* and for good after so many bytes; 0 */
	uint32_t shrink_ppm;	/* takes back some of the window */
	uint32_t renege_ppm;	/* forgets what it had acknowledged by SACK */
	uint32_t syn_text;	/* text bytes on its SYN */
	bool no_ooo;		/* throws away what is out of order */
	bool no_update;		/* does not tell when its window opens */
	bool silly;		/* no avoidance of the silly window */
	bool fast_rexmt;	/* on the third duplicate ACK */
	bool repack;		/* cuts anew what it sends again */
	bool fin_apart;		/* FIN in a segment of its own */
	bool no_df;
	enum peer_ecn ecn;
};

/* What sits in the middle; sim_box.c. */
#define STRIP_MSS    1
#define STRIP_WSCALE 2
#define STRIP_SACK   4
#define STRIP_TS     8

struct box_opts {
	uint8_t syn_strip, synack_strip; /* options that are taken away */
	uint16_t mss_clamp;		 /* 0 = none */
	uint32_t shift[2];		 /* added to the numbers, by sender */
	bool sack_as_is;		 /* but not to those of SACK blocks */
	uint32_t ts_strip_after; /* segments of a connection and way; 0 */
	uint32_t split;		 /* text bytes in a segment at most; 0 */
	bool backwards;		 /* the parts in the wrong order */
	uint32_t join;		 /* text bytes in a joined segment; 0 */
	int64_t join_us;	 /* how long one waits for the next */
	bool clear_ecn, clear_dscp;
};

/* What is sent by nobody; sim_forge.c. Chances for each packet that passes. */
struct forge_opts {
	uint32_t ppm;
	uint32_t replay_ppm; /* an old packet comes again */
};

enum app_kind {
	APP_STREAM, /* sends its own bytes, compares what it gets */
	APP_ECHO,   /* sends back what it gets */
};

enum app_close {
	APP_CLOSE_SENT,	      /* as soon as everything is queued: half-close */
	APP_CLOSE_READ,	      /* when everything expected was read, too */
	APP_CLOSE_AFTER_PEER, /* when the peer did */
};

/* What the application at one end will do. */
struct app_plan {
	enum app_kind kind;
	enum app_close close;
	uint32_t bytes;		 /* to be sent; APP_STREAM */
	uint32_t chunk_max;	 /* in one tcp_send() */
	bool by_ref;		 /* tcp_send_ref() */
	uint32_t urgent_ppm;	 /* of the chunks */
	uint32_t send_pause_ppm; /* after each chunk */
	int64_t send_pause_us;
	uint32_t read_max; /* consumed at once */
	uint32_t read_pause_ppm;
	int64_t read_pause_us;
	uint32_t abort_at; /* bytes sent and received; 0 = never */
};

struct conn_plan {
	int64_t open_at_us;	/* from the start */
	bool crossing;		/* both ends open actively, at the same time */
	struct app_plan app[2]; /* 0 opens actively */
};

struct sim_opts {
	uint64_t seed;
	bool v6;
	int64_t start_us;	  /* what the clock shows first */
	struct link_opts link[2]; /* by sender */
	struct peer_opts peer[2];
	struct box_opts box;
	struct forge_opts forge;
	struct stack_conf conf[2];
	size_t memory[2];
	uint64_t event_mask[2];
	struct stack_listener listener; /* of side 1 */
	unsigned int nconns;
	struct conn_plan conn[SIM_CONNS_MAX];
	int64_t limit_us;	/* virtual time by which all must be over */
	uint64_t limit_packets; /* sent by both sides together */
};

struct sim;

/* One end of a connection. */
struct end {
	struct sim *sim;
	const struct app_plan *plan;
	unsigned int side, index;
	struct tcp_conn *c; /* NULL before and after */
	struct rand rand;
	uint32_t tx_base, rx_base; /* where the streams begin in the pattern */
	uint32_t sent, received, expected;
	uint32_t urgent_sent;	  /* where what was urgent ends; 0 = none was */
	uint32_t urgent_heard;	  /* the furthest that it was told of */
	unsigned int turned_away; /* SYNs, for want of memory there */
	int64_t send_at_us, read_at_us; /* end of a pause; TIME_NEVER = none */
	bool started; /* stack_open() was called, or on_open */
	bool opened, closing, peer_closed, closed, aborted;
	enum close_reason reason;
};

struct host {
	struct sim *sim;
	unsigned int side;
	struct stack *st;  /* NULL if there is */
	struct peer *peer; /* a simple one */
	void *mem;
	size_t mem_len;
	uint64_t events_seen; /* number of the last one */
	uint64_t events_lost; /* numbers that were skipped */
	uint64_t packets_out;
	uint64_t mem_base; /* bytes in use before the first connection */
};

struct packet {
	int64_t at_us;
	uint64_t order; /* ties are broken in the order of sending */
	unsigned int to;
	bool forged; /* nobody sent it */
	struct stack_rx meta;
	uint32_t len;
	uint8_t data[];
};

struct link {
	struct sim *sim;
	unsigned int from;
	const struct link_opts *opts;
	struct rand rand;
	int64_t busy_until_us; /* the transmitter */
	int64_t last_at_us;    /* newest arrival, if fifo */
	int64_t bad_until_us;  /* a burst of losses */
	bool marked;	       /* the packet at hand found a long queue */
	uint16_t frag_id;
	bool spared; /* no more damage to the packet at hand */
};

/* What the path remembers of one direction of a connection. */
struct path {
	uint32_t passed; /* segments */
	uint32_t aimed[AIMS_MAX];
	bool sent;
	uint32_t end; /* highest number; if sent */
};

/* A segment that waits in the box for the next. */
struct hold {
	uint8_t *pkt;
	uint32_t len; /* 0 = none */
	int64_t at_us;
	struct link *link;
};

#define OLD_PACKETS 16

struct old_packet {
	unsigned int to;
	uint32_t len; /* 0 = none */
	uint8_t data[2048];
};

/* What a SYN offered. */
struct syn_options {
	bool syn; /* there was one */
	bool ts, sack, wscale;
	uint8_t shift;
	uint32_t mss; /* 0 = not said */
};

/* What one side knows of ECN; sim_ecn.c. */
struct ecn_watch {
	bool said, heard; /* a SYN of this side, of the other */
	bool marked;	  /* it heard of congestion, ever */
	bool owes;	  /* and must say so with what it sends next */
	bool calm;	  /* and must not, since CWR was heard */
	bool fin;	  /* it heard one */
	bool has_next;
	uint32_t next; /* number after the text heard so far; if has_next */
	bool has_ts;
	uint32_t ts;		/* the latest clock heard; if has_ts */
	bool has_sent;		/* text, but for probes of the window */
	uint32_t sent_end;	/* number after it; if has_sent */
	uint64_t ncwr, reasons; /* to slow down: echoes and copies */
};

/* What one side of a connection has said and heard so far; sim_watch.c. */
struct watch {
	struct syn_options said, heard;
	bool text, fin; /* sent anything else than a SYN; a FIN */
	bool mixed;	/* SYNs with different options: a cookie took over */
	bool reset;	/* a RST was sent, by either side */
	uint32_t syn_seq;
	uint32_t max;	  /* number after the last one sent; if a SYN was */
	uint32_t fin_seq; /* if fin */
	uint32_t ack;	  /* highest; if text */
	uint32_t edge;	  /* ack + window, the furthest; if has_edge */
	bool has_edge;
	bool has_heard_edge; /* an ACK was heard */
	uint32_t heard_edge; /* of the peer's window, the furthest */
	uint32_t heard_ack;  /* the highest */
	uint32_t delivered;  /* highest number that arrived for sure */
	uint32_t dupacks;
	bool has_ts_val[2]; /* of what is new, of what was sent again */
	uint32_t ts_val[2];
	uint32_t again_seq;  /* what was sent again, if gap_us */
	int64_t again_at_us; /* when */
	unsigned int nagain;
	int64_t gap_us; /* how long after the last time; 0 = heard since */
	uint64_t nheard, text_heard, nacks;
	struct ecn_watch ecn;
};

struct sim {
	const struct sim_opts *opts;
	bool verbose;
	int64_t now_us;
	uint64_t order;
	uint64_t hash; /* of everything sent: equal runs have equal hashes */
	uint64_t packets;
	struct host host[2];
	struct link link[2];
	struct packet **heap;
	size_t nheap, heap_room;
	unsigned int opened;	   /* of opts->conn */
	unsigned int opened_sides; /* of the next one */
	int64_t open_again_us;	   /* not before */
	unsigned int open_ends;
	struct end end[SIM_CONNS_MAX][2];
	struct watch watch[65536][2]; /* by the port of side 0 */
	struct path path[65536][2];   /* the same */
	uint16_t port_conn[65536];    /* client's port to connection + 1 */
	struct hold hold[2];	      /* by sender */
	struct old_packet old[OLD_PACKETS];
	struct rand rand, forge;
	unsigned int forged; /* packets so far */
};

struct peer;

/* sim_run.c */

/** sim_run() - Run it; ends the process with a message if anything is wrong
 *
 * Return: hash of all packets in order
 */
uint64_t sim_run(const struct sim_opts *opts, bool verbose);

/** sim_fail() - Say what is wrong, how to see it again, and exit */
_Noreturn void sim_fail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

/** sim_repeat_with() - Set the command that sim_fail() names */
void sim_repeat_with(const char *command);

#define SIM_REQUIRE(cond, ...)                 \
	do {                                   \
		if (!(cond))                   \
			sim_fail(__VA_ARGS__); \
	} while (0)

/* sim_swarm.c */
void swarm_draw(struct sim_opts *o, uint64_t seed);
void swarm_calm(struct sim_opts *o, uint64_t seed);
void swarm_limits(struct sim_opts *o);
struct ip_addr swarm_addr(bool v6, unsigned int side);

/* sim_draw.c */
void draw_peer(struct peer_opts *p, struct rand *r);
uint32_t draw_peer_bytes_max(const struct peer_opts *p);
void draw_path(struct sim_opts *o, struct rand *r);
void draw_more(struct sim_opts *o, struct rand *r);

/* sim_scenario.c */
struct scenario {
	const char *name;
	uint64_t seed;
	void (*setup)(struct sim_opts *o); /* works on swarm_calm() */
};

extern const struct scenario plain_scenarios[], peer_scenarios[],
	path_scenarios[], mark_scenarios[];
extern const size_t nplain_scenarios, npeer_scenarios, npath_scenarios,
	nmark_scenarios;

/* sim_host.c */
void host_init(struct host *h, struct sim *sim, unsigned int side);
void host_free(struct host *h);
void host_input(struct host *h, const struct packet *p);
void host_turn(struct host *h);
int64_t host_deadline(const struct host *h);

/**
 * sim_sent() - A packet leaves side @from: look at it and put it on the wire
 * @gso_size: Text bytes of each segment inside, 0 if just one
 */
void sim_sent(struct sim *sim, unsigned int from, const uint8_t *pkt,
	      uint32_t len, uint16_t gso_size);
void host_check_idle(struct host *h);

/* sim_peer.c */
struct peer *peer_new(struct sim *sim, unsigned int side);
void peer_free(struct peer *p);
void peer_open(struct peer *p, unsigned int index);
void peer_input(struct peer *p, const uint8_t *pkt, uint32_t len);
void peer_turn(struct peer *p);
int64_t peer_deadline(const struct peer *p);
void peer_check_idle(const struct peer *p);

/* sim_events.c */
void events_drain(struct host *h);

/* sim_link.c */
void link_init(struct link *l, struct sim *sim, unsigned int from);
void link_send(struct link *l, const uint8_t *pkt, uint32_t len,
	       uint16_t gso_size);
struct packet *link_next(struct sim *sim);
void link_emit(struct link *l, const uint8_t *pkt, uint32_t len,
	       uint16_t gso_size);
void link_deliver(struct link *l, const uint8_t *pkt, uint32_t len,
		  uint16_t gso_size, int64_t at_us);
void link_inject(struct sim *sim, unsigned int to, const uint8_t *pkt,
		 uint32_t len, int64_t at_us, bool forged);

/* sim_path.c */
bool path_loses(struct link *l, const uint8_t *pkt, uint32_t len);
void path_unreachable(struct link *l, const uint8_t *pkt, uint32_t len);
bool path_too_big(struct link *l, const uint8_t *pkt, uint32_t len);
bool path_fragment(struct link *l, const uint8_t *pkt, uint32_t len,
		   int64_t at_us);
uint32_t icmp_about(uint8_t *buf, const uint8_t *pkt, uint32_t len,
		    uint8_t type, uint8_t code, uint32_t rest);

/* sim_box.c */
void box_pass(struct link *l, const uint8_t *pkt, uint32_t len,
	      uint16_t gso_size);
int64_t box_deadline(const struct sim *sim);
void box_expire(struct sim *sim);
void box_free(struct sim *sim);

/* sim_forge.c */
void forge_beside(struct link *l, const uint8_t *pkt, uint32_t len);
void forge_again(struct link *l, const uint8_t *pkt, uint32_t len);

/* sim_watch.c */
void watch_packet(struct sim *sim, unsigned int from, const uint8_t *pkt,
		  uint32_t len, uint16_t gso_size);

void watch_heard(struct sim *sim, unsigned int to, const struct packet *p);

/* sim_ecn.c */
struct tcp_seg;
void ecn_sent(struct watch *me, const struct tcp_seg *s);
void ecn_heard(const struct sim *sim, unsigned int to, struct watch *me,
	       const struct tcp_seg *s);

/** sim_shift() - What the path adds to the numbers that @from sends */
static inline uint32_t sim_shift(const struct sim *sim, unsigned int from)
{
	return sim->opts->box.shift[from];
}

/* sim_packet.c */

/** packet_sum() - Ones' complement sum of @len bytes, folded, on top of @sum */
uint16_t packet_sum(const uint8_t *p, size_t len, uint32_t sum);

/**
 * packet_take() - Check what the stack built, as a device would see it
 * @buf: Gets the packet in one piece, its TCP checksum complete
 */
void packet_take(const struct host *h, const struct stack_pkt *out,
		 uint8_t *buf);

/** packet_mark() - Congestion experienced, if it is ECN-capable (RFC 3168, 5) */
void packet_mark(uint8_t *pkt);

/**
 * packet_split() - Cut a super-segment like a device
 * @emit: Called for each packet
 */
void packet_split(const uint8_t *pkt, uint32_t len, uint16_t gso_size,
		  void (*emit)(struct link *l, const uint8_t *pkt, uint32_t len,
			       uint16_t gso_size),
		  struct link *l);

/* sim_app.c */
extern const struct tcp_service app_service;
void app_init(struct sim *sim);
void app_open(struct sim *sim);
void app_check(const struct sim *sim);
void end_begin(struct end *e);
void end_over(struct end *e, enum close_reason why);
bool end_is_aborted(const struct end *e);

/** end_urgent() - Told that urgent data ends at @at of the stream */
void end_urgent(struct end *e, uint32_t at);

/** end_fill() - The text of this end's stream from @off on */
void end_fill(const struct end *e, uint32_t off, uint8_t *text, uint32_t len);

/** end_compare() - Is this what the other end was to send at @off? */
void end_compare(const struct end *e, uint32_t off, const uint8_t *text,
		 size_t len);

/* sim_trace.c */
void trace_packet(const struct sim *sim, unsigned int from, const char *what,
		  const uint8_t *pkt, uint32_t len, uint16_t gso_size);
void trace_event(const struct host *h, const struct event *e);
void trace_opts(const struct sim_opts *o);

#endif
