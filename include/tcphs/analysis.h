/*
 * analysis.h - One judge for our own connections, an interface and files
 *
 * Decoded packets go in, in the order of their capture; one verdict comes out
 * for each TCP connection when it has ended, has been silent for too long or
 * has to make room, and for all that are left when the judge is asked to end.
 * The judge is passive: it sees what was captured and says how sure it is.
 *
 * The lists stand here, because the engine, its printers and the manual share
 * them.
 */
#ifndef TCPHS_ANALYSIS_H
#define TCPHS_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tcphs/capture_packet.h>

/* How the attempt to open the connection went: name, words. */
#define JUDGED_LIST(O)                                                       \
	O(COMPLETED, "completed", "SYN, SYN-ACK and the client's ACK")       \
	O(REFUSED, "refused", "the server answered the SYN with a RST")      \
	O(TIMEOUT, "timeout", "the SYN was never answered")                  \
	O(RESET_MID, "reset_mid", "reset before the handshake was complete") \
	O(HALF_OPEN, "half_open", "the SYN-ACK was never acknowledged")      \
	O(MIDSTREAM, "midstream", "the capture has neither SYN nor SYN-ACK") \
	O(SYN_MISSING, "syn_missing", "the capture has the SYN-ACK alone")   \
	O(SYNACK_MISSING, "synack_missing",                                  \
	  "the capture has the SYN and what the client sent later")

enum judged {
#define JUDGED_ENUM(name, word, meaning) JUDGED_##name,
	JUDGED_LIST(JUDGED_ENUM)
#undef JUDGED_ENUM
		JUDGED_NJUDGED
};

/* The last step that was seen. */
#define REACHED_LIST(S)                               \
	S(NONE, "none", "nothing of it")              \
	S(SYN, "syn", "the SYN")                      \
	S(SYNACK, "synack", "the SYN-ACK")            \
	S(HSACK, "hsack", "the client's ACK")         \
	S(FIRST_DATA, "first_data", "the first text") \
	S(LATER, "later", "text both ways, or the end")

enum reached {
#define REACHED_ENUM(name, word, meaning) REACHED_##name,
	REACHED_LIST(REACHED_ENUM)
#undef REACHED_ENUM
		REACHED_NREACHED
};

/* How it ended. */
#define ENDING_LIST(E)                                                      \
	E(OPEN, "open", "still open when the capture ended")                \
	E(NONE, "none", "there was no connection to close")                 \
	E(FIN_BOTH, "fin_both", "both sides sent a FIN, both acknowledged") \
	E(HALF_CLIENT, "half_closed_client", "only the client sent a FIN")  \
	E(HALF_SERVER, "half_closed_server", "only the server sent a FIN")  \
	E(RST_CLIENT, "rst_client", "the client sent a RST")                \
	E(RST_SERVER, "rst_server", "the server sent a RST")

enum ending {
#define ENDING_ENUM(name, word, meaning) ENDING_##name,
	ENDING_LIST(ENDING_ENUM)
#undef ENDING_ENUM
		ENDING_NENDINGS
};

enum severity { SEVERITY_INFO, SEVERITY_NOTICE, SEVERITY_WARNING };

#define SEVERITY_NONE -1 /* of what has no anomaly */

/*
 * What is odd about a connection: name, severity, clause, meaning. What may be
 * behind it and what to do is in tcphs-analysis(7).
 */
#define ANOMALY_LIST(A)                                                        \
	/* numbers */                                                          \
	A(SYNACK_ACK_MISMATCH, "synack_ack_mismatch", WARNING,                 \
	  "RFC 9293, 3.5", "a SYN-ACK acknowledges what was not sent")         \
	A(ACK_OUT_OF_WINDOW, "ack_out_of_window", WARNING,                     \
	  "RFC 9293, 3.10.7.4", "an ACK of what nobody can have sent")         \
	A(SEQ_OUT_OF_WINDOW, "seq_out_of_window", WARNING,                     \
	  "RFC 9293, 3.10.7.4", "text outside of the window")                  \
	A(ISN_CHANGED, "isn_changed", NOTICE, "RFC 9293, 3.4.1",               \
	  "a SYN was sent again with another number")                          \
	A(SYNACK_TWO_ISN, "synack_two_isn", WARNING, "RFC 9293, 3.4.1",        \
	  "SYN-ACKs with different numbers")                                   \
	A(DATA_BEFORE_ESTABLISHED, "data_before_established", NOTICE,          \
	  "RFC 9293, 3.4", "text before the handshake was complete")           \
	/* resets */                                                           \
	A(RST_OUT_OF_WINDOW, "rst_out_of_window", WARNING, "RFC 5961, 3.2",    \
	  "a RST that no endpoint may take")                                   \
	A(RST_NOT_EXACT, "rst_not_exact", NOTICE, "RFC 5961, 3.2",             \
	  "a RST in the window, but not at its edge")                          \
	A(RST_TTL_MISMATCH, "rst_ttl_mismatch", NOTICE, "",                    \
	  "a RST came another way than the rest")                              \
	A(RST_IGNORED, "rst_ignored", NOTICE, "RFC 5961, 3.2",                 \
	  "the connection went on after a RST")                                \
	A(RST_AFTER_FIN, "rst_after_fin", INFO, "RFC 9293, 3.6",               \
	  "a RST of a side that had closed already")                           \
	A(SYN_IN_ESTABLISHED, "syn_in_established", NOTICE, "RFC 5961, 4.2",   \
	  "a SYN inside of an open connection")                                \
	/* flags */                                                            \
	A(FLAGS_NONE, "flags_none", WARNING, "RFC 9293, 3.1",                  \
	  "a segment without any flag")                                        \
	A(FLAGS_SYN_FIN, "flags_syn_fin", WARNING, "RFC 9293, 3.1",            \
	  "SYN and FIN in one segment")                                        \
	A(FLAGS_SYN_RST, "flags_syn_rst", WARNING, "RFC 9293, 3.1",            \
	  "SYN and RST in one segment")                                        \
	A(FLAGS_XMAS, "flags_xmas", WARNING, "RFC 9293, 3.1",                  \
	  "FIN, PSH and URG, and no ACK")                                      \
	A(FIN_WITHOUT_ACK, "fin_without_ack", WARNING, "RFC 9293, 3.10.7.4",   \
	  "a FIN without an ACK")                                              \
	A(FLAGS_ODD, "flags_odd", WARNING, "RFC 9293, 3.10.7",                 \
	  "flags that do not go together")                                     \
	A(RESERVED_BITS, "reserved_bits", INFO, "RFC 9293, 3.1",               \
	  "reserved header bits are set")                                      \
	/* options */                                                          \
	A(NO_MSS, "no_mss", INFO, "RFC 9293, 3.7.1",                           \
	  "a SYN that says no maximum segment size")                           \
	A(MSS_TINY, "mss_tiny", NOTICE, "RFC 9293, 3.7.1",                     \
	  "a maximum segment size below 216 bytes")                            \
	A(WS_OVER_14, "ws_over_14", NOTICE, "RFC 7323, 2.3",                   \
	  "a window scale above 14")                                           \
	A(OPTION_TRUNCATED, "option_truncated", WARNING, "RFC 9293, 3.1",      \
	  "an option of impossible length")                                    \
	A(OPTIONS_CHANGED, "options_changed", NOTICE, "RFC 9293, 3.7.1",       \
	  "a SYN came again with other options")                               \
	A(TS_MISSING, "ts_missing", INFO, "RFC 7323, 3.2",                     \
	  "timestamps were agreed on and left out")                            \
	A(TS_BACKWARDS, "ts_backwards", NOTICE, "RFC 7323, 5.3",               \
	  "a timestamp older than one before")                                 \
	A(OFFERED_NOT_GRANTED, "offered_not_granted", INFO, "RFC 7323, 2.2",   \
	  "the client offered what the server left out")                       \
	/* loss */                                                             \
	A(SYN_RETRANSMITTED, "syn_retransmitted", NOTICE, "RFC 6298, 2",       \
	  "the SYN was sent again")                                            \
	A(SYNACK_RETRANSMITTED, "synack_retransmitted", NOTICE, "RFC 6298, 2", \
	  "the SYN-ACK was sent again")                                        \
	A(FINAL_ACK_LOST, "final_ack_lost", NOTICE, "RFC 9293, 3.10.7.4",      \
	  "the SYN-ACK came again behind the client's ACK")                    \
	A(RETRANSMIT, "retransmit", INFO, "RFC 6298, 5",                       \
	  "text was sent again")                                               \
	A(SPURIOUS_RETRANSMIT, "spurious_retransmit", INFO, "RFC 5682, 1",     \
	  "text was sent again that had been acknowledged")                    \
	A(DUPLICATE, "duplicate", INFO, "RFC 9293, 3.4",                       \
	  "the same packet came twice")                                        \
	A(REORDERED, "reordered", INFO, "RFC 9293, 3.8",                       \
	  "segments overtook each other")                                      \
	/* windows */                                                          \
	A(ZERO_WINDOW, "zero_window", INFO, "RFC 9293, 3.8.6",                 \
	  "a receiver closed its window")                                      \
	A(ZERO_WINDOW_SYN, "zero_window_syn", NOTICE, "RFC 9293, 3.8.6",       \
	  "a SYN that offers no window")                                       \
	A(WINDOW_FULL, "window_full", INFO, "RFC 9293, 3.8.6",                 \
	  "a sender filled the window to its end")                             \
	A(SILLY_WINDOW, "silly_window", NOTICE, "RFC 9293, 3.8.6.2.2",         \
	  "a closed window opened by very little")                             \
	A(WINDOW_SHRUNK, "window_shrunk", NOTICE, "RFC 9293, 3.8.6",           \
	  "a receiver took back window it had offered")                        \
	/* closing */                                                          \
	A(HALF_CLOSED_LONG, "half_closed_long", INFO, "RFC 9293, 3.6",         \
	  "one side went on for a minute after the other's FIN")               \
	A(FIN_UNACKED, "fin_unacked", NOTICE, "RFC 9293, 3.6",                 \
	  "a FIN was never acknowledged")                                      \
	A(FIN_WAIT2_STUCK, "fin_wait2_stuck", NOTICE, "RFC 9293, 3.6",         \
	  "a FIN was acknowledged, and then nothing came")                     \
	A(TIME_WAIT_REUSE, "time_wait_reuse", INFO, "RFC 6191, 2",             \
	  "the ports were used again at once")                                 \
	A(CLOSE_BY_RESET, "close_by_reset", INFO, "RFC 9293, 3.6",             \
	  "the connection ended with a RST")                                   \
	/* performance */                                                      \
	A(SLOW_HANDSHAKE, "slow_handshake", NOTICE, "",                        \
	  "the handshake took a second or more")                               \
	A(SLOW_LEG_SERVER, "slow_leg_server", NOTICE, "",                      \
	  "from SYN to SYN-ACK it took half a second or more")                 \
	A(SLOW_LEG_CLIENT, "slow_leg_client", NOTICE, "",                      \
	  "from SYN-ACK to ACK it took half a second or more")                 \
	A(BACKLOG_WAIT, "backlog_wait", NOTICE, "",                            \
	  "the server seemed to have no room for one more connection")         \
	/* what may be an interception, and mostly is not */                   \
	A(TTL_SHIFT, "ttl_shift", INFO, "",                                    \
	  "packets of one side came by ways of different length")              \
	A(DIFFERENT_DATA, "retransmit_different_data", WARNING,                \
	  "RFC 9293, 3.10.7.4", "the same segment came with other contents")   \
	A(OVERLAP_DATA, "overlap_different_data", WARNING,                     \
	  "RFC 9293, 3.10.7.4", "segments overlap, and differ where they do")  \
	A(MSS_CHANGED, "mss_changed_midpath", INFO, "",                        \
	  "somebody on the path changed the maximum segment size")             \
	/* the path */                                                         \
	A(CHECKSUM_BAD, "checksum_bad", NOTICE, "RFC 9293, 3.1",               \
	  "segments with a wrong checksum")                                    \
	A(CHECKSUM_OFFLOAD, "checksum_offload_artifact", INFO, "",             \
	  "checksums that the network card had yet to complete")               \
	A(ASYMMETRIC, "asymmetric", INFO, "",                                  \
	  "nothing of this side was captured, and it was there")               \
	A(ICMP_FRAG_NEEDED, "icmp_frag_needed", NOTICE, "RFC 1191, 4",         \
	  "a packet was too big for a link of the path")                       \
	A(MTU_BLACKHOLE, "mtu_blackhole", NOTICE, "RFC 2923, 2.1",             \
	  "full-size segments were lost again and again")                      \
	A(ICMP_ERROR, "icmp_error", NOTICE, "RFC 9293, 3.9.2.2",               \
	  "an ICMP error spoke of the connection")

enum anomaly_kind {
#define ANOMALY_ENUM(name, word, severity, clause, meaning) ANOMALY_##name,
	ANOMALY_LIST(ANOMALY_ENUM)
#undef ANOMALY_ENUM
		ANOMALY_NKINDS
};

/* The first of its kind in a connection, and how often it came. */
struct anomaly {
	uint8_t kind; /* enum anomaly_kind */
	uint8_t side; /* enum side: who sent it */
	uint32_t count;
	uint64_t frame;
	/* What was expected and what was there; what they are numbers of
	 * follows from the kind. */
	int64_t expected, got;
};

#define ANOMALIES_MAX 16 /* kinds that a verdict has */

enum side { CLIENT, SERVER };

struct verdict_step {
	uint64_t frame; /* 0: not seen */
	int64_t ns;
	uint32_t seq, ack;
	uint32_t tries; /* how often it was seen */
};

struct verdict_side {
	struct ip_addr addr;
	uint16_t port;
	uint8_t ttl;	/* of its first packet */
	uint8_t opts;	/* enum packet_opt, as offered with its SYN */
	uint8_t wscale; /* meaningful with POPT_WSCALE */
	uint16_t mss;	/* meaningful with POPT_MSS */
	uint64_t packets;
	/* Text: as the sequence numbers say; as captured, each byte once. */
	uint64_t by_seq, captured;
	/* Segments that came again. Captured before; first copy here, but
	 * behind later text, for it was late or for it was lost before it came
	 * here; acknowledged already when it was sent. */
	uint32_t seen_before, late, filled_hole, needless;
	uint32_t zero_windows;
	bool window_known; /* a SYN's, or of both, and so their scale */
	uint32_t window_min, window_max; /* bytes, as offered, the SYN's too */
	bool ecn;			 /* its SYN asks for it, or grants it */
};

struct verdict {
	uint64_t id; /* consecutive, in the order of their first packets */
	struct verdict_side side[2];
	bool client_known; /* else guessed by the ports */
	uint8_t nencaps;
	struct encap encap[ENCAPS_MAX]; /* of the first packet */
	uint64_t first_frame, last_frame;
	int64_t start_ns, end_ns;

	uint8_t outcome; /* enum judged */
	uint8_t stage;	 /* enum reached */
	bool inferred;	 /* not all of it was seen */
	bool simultaneous, split, cookie_like;
	uint8_t tfo; /* enum tfo */
	struct verdict_step syn, synack, ack;
	/* -1 if one of the two was not seen. From the first SYN, from the last
	 * one before the answer, to the ACK. */
	int64_t syn_synack_ns, last_syn_synack_ns, synack_ack_ns, total_ns;

	uint8_t ending;	    /* enum ending */
	uint8_t first_fin;  /* enum side; if there was any FIN */
	bool fin_seen;	    /* any */
	bool rst_plausible; /* the receiver may take it, and the TTL fits */
	uint64_t ending_frame;

	bool icmp; /* an error came for it */
	uint8_t icmp_type, icmp_code;
	bool icmp6;

	uint8_t nanomalies;
	struct anomaly anomaly[ANOMALIES_MAX];

	/* In the words of others. */
	char zeek_state[8];    /* conn_state of conn.log */
	char zeek_history[24]; /* history */
	uint8_t completeness;  /* tcp.completeness of Wireshark */
};

enum tfo { TFO_NONE, TFO_REQUESTED, TFO_ACCEPTED, TFO_IGNORED, TFO_PARTLY };

/*
 * What many connections show together: name, meaning. How each is told from a
 * busy server is in daemon/analysis/crowd.c.
 */
#define FINDING_LIST(F)                                                  \
	F(SYN_FLOOD, "syn_flood", "SYNs to one port that nobody meant")  \
	F(HALF_OPEN_HIGH, "half_open_high",                              \
	  "many handshakes with one port hang at once")                  \
	F(PORT_SCAN, "port_scan", "one source asked many ports of one")  \
	F(HOST_SCAN, "host_scan", "one source asked many hosts for one") \
	F(BACKSCATTER, "backscatter", "answers to many who never asked") \
	F(LAND, "land", "a SYN from a socket to itself")

enum finding_kind {
#define FINDING_ENUM(name, word, meaning) FINDING_##name,
	FINDING_LIST(FINDING_ENUM)
#undef FINDING_ENUM
		FINDING_NKINDS
};

struct finding {
	uint8_t kind; /* enum finding_kind */
	/* All zeros if there are many. */
	struct ip_addr source, target;
	uint16_t port; /* of the one that is named last; 0 = many */
	int64_t from_ns, to_ns;
	/* Attempts; how many the server answered, how many became connections;
	 * how many different sources, ports, hosts. */
	uint64_t count, answered, completed;
	uint32_t distinct;
	bool estimated; /* distinct is, to about a sixth */
};

typedef void finding_fn(void *ctx, const struct finding *f);

struct analysis_conf {
	size_t memory;	      /* bytes for live connections */
	int64_t embryonic_ns; /* silence that ends an unanswered attempt */
	int64_t idle_ns;      /* ... an open connection */
	int64_t closed_ns;    /* for what comes after the end */
	uint8_t key[16]; /* of the hash: any, when nobody chooses packets */
};

#define ANALYSIS_DEFAULTS                                                 \
	{                                                                 \
		.memory = 256u << 20, .embryonic_ns = 130ll * 1000000000, \
		.idle_ns = 7200ll * 1000000000,                           \
		.closed_ns = 10ll * 1000000000,                           \
	}

struct analysis_stats {
	uint64_t packets[PACKET_NKINDS];
	uint64_t faults[FAULT_NFAULTS];
	uint64_t outcomes[JUDGED_NJUDGED];
	uint64_t connections;
	uint64_t evicted;   /* judged early, for there was no more memory */
	uint64_t unordered; /* packets older than one before */
	uint64_t live;
};

typedef void analysis_fn(void *ctx, const struct verdict *v);

struct analysis;

/**
 * analysis_new() - A judge who has seen nothing
 * @fn: Called for each connection that has ended
 *
 * Return: to be freed with analysis_free(); NULL without memory
 */
struct analysis *analysis_new(const struct analysis_conf *conf, analysis_fn *fn,
			      void *ctx);
void analysis_free(struct analysis *a);

/**
 * analysis_ahead() - What will come is known
 * @p: @n packets, at most ANALYSIS_AHEAD. analysis_take() gets all of them, in
 *     this order, before anything else
 *
 * It changes nothing but the time they take: their connections are fetched from
 * memory together.
 */
#define ANALYSIS_AHEAD 16
void analysis_ahead(struct analysis *a, const struct packet *p, unsigned int n);

/** analysis_take() - The next packet; nothing in it is kept */
void analysis_take(struct analysis *a, const struct packet *p);

/* Where a packet belongs. */
struct packet_place {
	uint64_t conn; /* id of the verdict; 0 = no connection's */
	uint8_t side;  /* enum side that sent it; of an ICMP error: that is
			* spoken to */
	/* By side: what its sequence numbers are relative to, its SYN's, or
	 * one less than the first that was seen. */
	uint32_t base[2];
};

/** analysis_place() - Where did the last packet go? Until the next one */
void analysis_place(const struct analysis *a, struct packet_place *place);

/**
 * analysis_tick() - Time went on without a packet
 *
 * For whoever listens to an interface: what has been silent for too long ends.
 */
void analysis_tick(struct analysis *a, int64_t now_ns);

/** analysis_end() - No more packets: judge all that are still open */
void analysis_end(struct analysis *a);

/** analysis_findings() - After the end: what many connections show together */
void analysis_findings(struct analysis *a, finding_fn *fn, void *ctx);

const struct analysis_stats *analysis_stats(const struct analysis *a);

/** verdict_sentence() - What happened, in one sentence
 *
 * Return: length as snprintf() would */
int verdict_sentence(const struct verdict *v, char *buf, size_t len);

/** verdict_retransmissions() - Segments that came again, but were not only late;
 * SYNs and SYN-ACKs among them */
uint32_t verdict_retransmissions(const struct verdict *v);

/** verdict_round_trip_ns() - The handshake's; -1 if it was not seen
 *
 * Wherever the capture was made: its two parts add up. */
int64_t verdict_round_trip_ns(const struct verdict *v);

/** verdict_worst() - The worst severity of its anomalies, or SEVERITY_NONE */
int verdict_worst(const struct verdict *v);

/** The lists above, by number. */
const char *judged_name(unsigned int outcome);
const char *judged_meaning(unsigned int outcome);
const char *judged_causes(unsigned int outcome); /* sentences */
const char *judged_next(unsigned int outcome);
const char *reached_name(unsigned int stage);
const char *ending_name(unsigned int ending);
const char *ending_meaning(unsigned int ending);
const char *anomaly_name(unsigned int kind);
const char *anomaly_clause(unsigned int kind);
const char *anomaly_meaning(unsigned int kind);
enum severity anomaly_severity(unsigned int kind);
const char *severity_name(enum severity severity);
const char *finding_name(unsigned int kind);
const char *finding_meaning(unsigned int kind);

/** Sentences: what may be behind it, innocent causes first; what to do. */
const char *anomaly_causes(unsigned int kind);
const char *anomaly_advice(unsigned int kind);
const char *finding_causes(unsigned int kind);
const char *finding_advice(unsigned int kind);

const char *encap_name(unsigned int kind);
const char *fault_words(unsigned int fault);

#endif
