/*
 * gen.h - Captures whose truth is known
 *
 * A seed makes a world: conversations of all classes, each written by a script
 * that knows what happens at both ends and what of it the tap between them
 * sees. Their segments are put in the order of time, become frames (wrap.c) and
 * a file (container.c). What is true of each conversation is known before its
 * first frame is written, and nothing of it is taken from the judge.
 *
 * The tap lies between both ends, way[s] away from side s. Time is that of the
 * tap, in ns; scripts use whole microseconds, which every container can hold.
 */
#ifndef TCPHS_CAPTURES_GEN_H
#define TCPHS_CAPTURES_GEN_H

#include <stdio.h>

#include <tcphs/analysis.h>

#define US	   1000ll
#define MSEC	   1000000ll
#define SECOND	   1000000000ll
#define TRUTHS_MAX 2

/* The scripts: name, words; crowds are groups of conversations. */
#define CLASS_LIST(C)          \
	C(completed)           \
	C(reset)               \
	C(half_closed)         \
	C(left_open)           \
	C(refused)             \
	C(refused_twice)       \
	C(timeout)             \
	C(timeout_icmp)        \
	C(reset_mid)           \
	C(half_open)           \
	C(half_open_wrong_ack) \
	C(midstream)           \
	C(syn_missing)         \
	C(synack_missing)      \
	C(inferred)            \
	C(simultaneous)        \
	C(split)               \
	C(fast_open)           \
	C(two_isns)            \
	C(cookie_like)         \
	C(synack_first)        \
	C(loss_seen)           \
	C(loss_unseen)         \
	C(reordered)           \
	C(needless)            \
	C(missed)              \
	C(go_back_n)           \
	C(forged_rst)          \
	C(inexact_rst)         \
	C(forged_ack)          \
	C(forged_text)         \
	C(conflicting_text)    \
	C(syn_in_established)  \
	C(zero_window)         \
	C(window_shrunk)       \
	C(port_reused)         \
	C(nat_forgot)          \
	C(ttl_shift)           \
	C(checksum_bad)        \
	C(checksum_offload)    \
	C(odd_options)         \
	C(odd_flags)           \
	C(timestamps)          \
	C(backlog)             \
	C(conflicting_overlap) \
	C(mirrored)            \
	C(mtu_blackhole)       \
	C(echo)                \
	C(answers_only)

enum class {
#define CLASS_ENUM(name) CLASS_##name,
	CLASS_LIST(CLASS_ENUM)
#undef CLASS_ENUM
		CLASS_NCLASSES
};

/* Many conversations that have something in common: floods, scans, and what is
 * like them but for that. Each but the innocent ones has one finding. */
#define CROWD_LIST(C)                 \
	C(flood, SYN_FLOOD)           \
	C(flood_answered, SYN_FLOOD)  \
	C(slow_flood, HALF_OPEN_HIGH) \
	C(lossy_clients, NKINDS)      \
	C(port_scan, PORT_SCAN)       \
	C(slow_scan, PORT_SCAN)       \
	C(host_scan, HOST_SCAN)       \
	C(backscatter, BACKSCATTER)   \
	C(land, LAND)                 \
	C(busy_server, NKINDS)        \
	C(dead_server, NKINDS)        \
	C(refusing_server, NKINDS)    \
	C(peer_to_peer, NKINDS)       \
	C(crawler, NKINDS)            \
	C(one_direction, NKINDS)

enum crowd_kind {
#define CROWD_ENUM(name, finding) CROWD_##name,
	CROWD_LIST(CROWD_ENUM)
#undef CROWD_ENUM
		CROWD_NKINDS,
	CROWD_NONE = CROWD_NKINDS
};

/* What is true of a connection; frames are filled in as they are written. */
struct truth {
	struct ip_addr addr[2]; /* by enum side */
	uint16_t port[2];
	uint8_t class;
	uint8_t outcome, stage, ending, first_fin, tfo;
	bool inferred, simultaneous, split, cookie_like;
	bool fin, client_known;
	bool rst_plausible, icmp;
	uint8_t syn_tries, synack_tries;
	uint64_t first_frame, last_frame;
	uint64_t syn_frame, synack_frame, ack_frame;
	int64_t start_ns, end_ns;
	int64_t total_ns; /* of the handshake; -1 if not all of it was seen */
	uint64_t packets[2], by_seq[2], captured[2];
	uint32_t seen_before[2], filled_hole[2], needless[2], late[2];
	uint8_t opts[2]; /* as offered with the SYN and the SYN-ACK */
	uint64_t odd[2]; /* bits of enum anomaly_kind, by who sent it */
};

_Static_assert(ANOMALY_NKINDS <= 64, "bits of odd");

enum mark { MARK_NONE, MARK_SYN, MARK_SYNACK, MARK_ACK };

enum sum { SUM_GOOD, SUM_BAD, SUM_PART };

/* A segment as it passes the tap. */
struct seg {
	int64_t ns;
	uint32_t order;	 /* of equal times: as they were written */
	uint8_t from;	 /* enum side of the truth */
	uint8_t truth;	 /* which of the conversation */
	uint8_t mark;	 /* enum mark */
	uint8_t sum;	 /* enum sum */
	bool icmp;	 /* an error about this segment, of the other side */
	bool other_text; /* with another content than its numbers have */
	bool reserved, bad_option;
	uint16_t flags, wnd, len;
	uint32_t seq, ack;
	uint8_t ttl, opts, wscale, nsacks, tfo_len;
	uint16_t mss;
	uint32_t ts_val, ts_ecr;
	uint32_t sack[4];
};

/* How the packets of a conversation travel; wrap.c. */
#define LAYERS_MAX 3

enum layer {
	LAYER_VLAN,
	LAYER_MPLS,
	LAYER_PPPOE,
	LAYER_NTAGS,
	LAYER_GRE = LAYER_NTAGS,
	LAYER_IPIP,
	LAYER_VXLAN,
	LAYER_GENEVE,
	LAYER_GTPU,
	LAYER_ERSPAN,
	LAYER_NLAYERS
};

struct path {
	uint8_t nlayers;
	uint8_t layer[LAYERS_MAX]; /* from the outside */
	uint32_t number[LAYERS_MAX];
	bool fragments; /* segments with much text come in two pieces */
	bool extension; /* IPv6 with an extension header */
	bool length_0;
	uint16_t snap; /* bytes of text that are kept; UINT16_MAX = all */
	uint8_t iface;
};

struct conv {
	struct conv *next; /* free list of the world */
	struct seg *seg;
	uint32_t n, room, at;
	struct path path;
	struct truth truth[TRUTHS_MAX];
	uint8_t ntruths;
};

struct rng {
	uint64_t state;
};

static inline uint32_t draw(struct rng *r, uint32_t below)
{
	uint64_t x = r->state += 0x9e3779b97f4a7c15u; /* splitmix64 */

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)(((x ^ x >> 31) >> 32) * below >> 32);
}

/* True once in @n times. */
static inline bool one_in(struct rng *r, uint32_t n)
{
	return draw(r, n) == 0;
}

static inline uint32_t between(struct rng *r, uint32_t low, uint32_t high)
{
	return low + draw(r, high - low + 1);
}

/* talk.c: one end of a conversation, as a script moves it. */
struct talker {
	uint32_t iss, nxt; /* next to send */
	uint32_t rcv;	   /* what it acknowledges */
	uint32_t ts_base;
	uint16_t wnd, mss;
	uint8_t opts, wscale, ttl;
};

struct talk {
	struct rng *r;
	struct conv *conv;
	struct truth *truth; /* of what is being written */
	struct talker side[2];
	uint8_t tries;	/* of a SYN that is not answered; 0 = some */
	bool brief;	/* says little, when it is left to it */
	bool unseen[2]; /* the tap does not see what it sends */
	struct seg scratch;
	int64_t now, way[2];
};

/** talk_begin() - Two ends that never met; @now is the first packet's time */
void talk_begin(struct talk *t, struct rng *r, struct conv *conv,
		enum class class, int64_t now);

/** talk_again() - A second connection between the same sockets */
void talk_again(struct talk *t);

/** talk_seg() - A segment of @from with its next numbers, now; to be changed
 * until the next call. Moves nothing. */
struct seg *talk_seg(struct talk *t, enum side from, uint16_t flags,
		     uint32_t len);

/** talk_pass() - So much time */
void talk_pass(struct talk *t, int64_t ns);
int64_t talk_rtt(const struct talk *t);

struct seg *talk_syn(struct talk *t);
struct seg *talk_synack(struct talk *t);
struct seg *talk_hsack(struct talk *t);
void talk_handshake(struct talk *t);

/** talk_say() - @len bytes of text, and the other side's ACK */
void talk_say(struct talk *t, enum side from, uint32_t len);
void talk_ack(struct talk *t, enum side from);
void talk_fin(struct talk *t, enum side from);

/** talk_rst() - A RST at the edge of what @from sent: the end */
void talk_rst(struct talk *t, enum side from);

/** talk_both() - Some text both ways; talk_close() - some end */
void talk_both(struct talk *t);
void talk_close(struct talk *t);

/** talk_odd() - The judge is to find this */
static inline void talk_odd(struct talk *t, enum side s, enum anomaly_kind k)
{
	t->truth->odd[s] |= UINT64_C(1) << k;
}

static inline bool talk_both_have(const struct talk *t, uint8_t opt)
{
	return t->side[0].opts & t->side[1].opts & opt;
}

/* scripts_*.c */
typedef void script_fn(struct talk *t);
extern script_fn *const scripts[CLASS_NCLASSES];
#define CLASS_SCRIPT(name) script_fn script_##name;
CLASS_LIST(CLASS_SCRIPT)
#undef CLASS_SCRIPT
const char *class_name(unsigned int class);

/* crowd.c */
const char *crowd_name(unsigned int kind);
unsigned int crowd_finding(unsigned int kind); /* enum finding_kind */
uint32_t crowd_size(enum crowd_kind kind);
int64_t crowd_gap_ns(enum crowd_kind kind);

/** crowd_join() - Make the new conversation member @i; returns its script */
enum class crowd_join(struct talk *t, enum crowd_kind kind, uint32_t i);

/* wrap.c */
struct wrapped {
	const uint8_t *bytes;
	uint32_t len, cap_len;
};

/** wrap_draw() - Some way to travel on a link of that type */
void wrap_draw(struct path *p, struct rng *r, uint32_t link);

/**
 * wrap() - Frames of a segment: two if it is in fragments, else one
 * @swapped: The capturing machine's byte order is not ours (LINK_NULL)
 */
unsigned int wrap(const struct conv *c, const struct seg *s, uint32_t link,
		  bool swapped, struct wrapped out[2]);

/** wrap_encaps() - What the decoder should say of it */
uint8_t wrap_encaps(const struct conv *c, struct encap encap[ENCAPS_MAX]);

/* container.c */
#define FORMAT_LIST(F)     \
	F(pcap)            \
	F(pcap_swapped)    \
	F(pcap_ns)         \
	F(pcap_ns_swapped) \
	F(pcap_22)         \
	F(pcapng)          \
	F(pcapng_swapped)  \
	F(pcapng_sections)

enum format {
#define FORMAT_ENUM(name) GEN_##name,
	FORMAT_LIST(FORMAT_ENUM)
#undef FORMAT_ENUM
		GEN_NFORMATS
};

const char *format_name(unsigned int format);

#define IFACES_MAX 4

struct container {
	FILE *out;
	enum format format;
	uint8_t nifaces;
	uint32_t link[IFACES_MAX];
	uint64_t frames;
	struct rng r;
};

void container_begin(struct container *c);
void container_frame(struct container *c, uint8_t iface, int64_t ns,
		     const struct wrapped *w);
static inline bool container_swapped(const struct container *c)
{
	return c->format == GEN_pcap_swapped ||
	       c->format == GEN_pcap_ns_swapped || c->format == GEN_pcap_22 ||
	       c->format == GEN_pcapng_swapped;
}

/* world.c */
typedef void truth_fn(void *ctx, const struct conv *c, const struct truth *t);

struct world_conf {
	uint64_t seed;
	uint32_t conversations;
	enum crowd_kind crowd;
	int class;	/* enum class, or -1: all of them */
	int64_t gap_ns; /* between the begins of two, on average */
	bool brief;	/* little text: for many connections */
	bool plain;	/* Ethernet and nothing else around it */
	struct container *container;
	truth_fn *fn;
	void *ctx;
};

/** world_run() - Write the whole file; the truth comes when it is known */
void world_run(const struct world_conf *conf);

#endif
