/*
 * event.h - What can happen, each once
 *
 * The core emits these into a bounded ring (stack_events()); the journal, the
 * terminal, `tcphsctl` and later the metrics and the analyser read them. An
 * event is a fact with numbers. The sentence for people is made from it by
 * daemon/evwords.c and nowhere else.
 *
 * Four lists stand here, because the core and its readers share them and must
 * not drift apart: states, events, reasons to drop a segment, reasons for which
 * a connection ended. Each has a name for programs (lower case, snake_case) and
 * a sentence or a clause for people.
 */
#ifndef TCPHS_EVENT_H
#define TCPHS_EVENT_H

#include <stdint.h>

/* RFC 9293, 3.3.2: the name there, for programs, and what ss(8) prints. */
#define TCP_STATE_LIST(S)                                           \
	S(CLOSED, "CLOSED", "closed", "UNCONN")                     \
	S(LISTEN, "LISTEN", "listen", "LISTEN")                     \
	S(SYN_SENT, "SYN-SENT", "syn-sent", "SYN-SENT")             \
	S(SYN_RECEIVED, "SYN-RECEIVED", "syn-received", "SYN-RCVD") \
	S(ESTABLISHED, "ESTABLISHED", "established", "ESTAB")       \
	S(FIN_WAIT_1, "FIN-WAIT-1", "fin-wait-1", "FIN-WAIT-1")     \
	S(FIN_WAIT_2, "FIN-WAIT-2", "fin-wait-2", "FIN-WAIT-2")     \
	S(CLOSE_WAIT, "CLOSE-WAIT", "close-wait", "CLOSE-WAIT")     \
	S(CLOSING, "CLOSING", "closing", "CLOSING")                 \
	S(LAST_ACK, "LAST-ACK", "last-ack", "LAST-ACK")             \
	S(TIME_WAIT, "TIME-WAIT", "time-wait", "TIME-WAIT")

enum tcp_state {
#define TCP_STATE_ENUM(name, rfc, key, ss) TCP_##name,
	TCP_STATE_LIST(TCP_STATE_ENUM)
#undef TCP_STATE_ENUM
		TCP_NSTATES
};

/*
 * name, dotted name for programs, level (as syslog: 4 warning, 5 notice,
 * 6 info, 7 debug), meaning of a and b.
 * Every event also carries the time, the connection, both ends and, where a
 * segment caused it, that segment's numbers.
 */
#define EVENT_LIST(E)                                                         \
	/* A SYN went out for the first time (active open); a: 1 */           \
	E(SYN_SENT, "syn.sent", 6)                                            \
	/* A SYN arrived at a listener and a SYN-ACK is queued; a: 1 if it  \
	 * had come before, b: SYN_HAS_* */ \
	E(SYN_RECEIVED, "syn.received", 6)                                    \
	/* The SYN-ACK to our SYN arrived; b: SYN_HAS_* */                    \
	E(SYNACK_RECEIVED, "synack.received", 6)                              \
	/* ESTABLISHED; a: microseconds since the first SYN, -1 if nobody   \
	 * remembers it (a cookie), b: HANDSHAKE_* */ \
	E(HANDSHAKE_COMPLETED, "handshake.completed", 6)                      \
	/* Both sides sent a SYN: RFC 9293, 3.5 */                            \
	E(HANDSHAKE_SIMULTANEOUS, "handshake.simultaneous", 5)                \
	/* Never got to ESTABLISHED; a: close_reason, b: HANDSHAKE_ODD */     \
	E(HANDSHAKE_FAILED, "handshake.failed", 4)                            \
	/* No answer, SYN again; a: try, b: microseconds waited */            \
	E(SYN_RETRANSMIT, "syn.retransmit", 5)                                \
	E(SYNACK_RETRANSMIT, "synack.retransmit", 5)                          \
	/* Half-open table full: answered without keeping anything */         \
	E(COOKIE_SENT, "cookie.sent", 5)                                      \
	/* An ACK brought a valid cookie back */                              \
	E(COOKIE_ACCEPTED, "cookie.accepted", 5)                              \
	E(COOKIE_REJECTED, "cookie.rejected", 5)                              \
	/* In-order text arrived; a: bytes */                                 \
	E(DATA_RECEIVED, "data.received", 7)                                  \
	/* The peer marked urgent data; a: bytes to its end, as yet unread */ \
	E(URGENT, "data.urgent", 6)                                           \
	/* A segment that only acknowledges left; a: its ack number */        \
	E(ACK_SENT, "ack.sent", 7)                                            \
	/* Text sent again; a: bytes, b: RTO in microseconds, 0 if on   \
	 * evidence of loss, -1 if as a tail loss probe (RFC 8985, 7) */     \
	E(DATA_RETRANSMIT, "data.retransmit", 5)                              \
	/* What was sent again had arrived; a: cwnd as before, b: 1 if it   \
	 * was after a timeout (RFC 3522, 5682, 3708) */ \
	E(LOSS_UNDONE, "loss.undone", 5)                                      \
	E(FIN_RECEIVED, "fin.received", 6)                                    \
	E(FIN_SENT, "fin.sent", 6)                                            \
	/* a: old enum tcp_state, b: new */                                   \
	E(STATE, "conn.state", 7)                                             \
	/* Over, however it ended; a: enum close_reason, b: smoothed round  \
	 * trip time in microseconds, 0 if none was measured */ \
	E(CONN_CLOSED, "conn.closed", 6)                                      \
	/* A valid RST arrived */                                             \
	E(RESET_RECEIVED, "conn.reset_received", 5)                           \
	/* We gave up on a connection with a RST; a: enum close_reason */     \
	E(RESET_SENT, "conn.reset_sent", 5)                                   \
	/* A segment for nobody was answered with a RST */                    \
	E(RESET_NOBODY, "segment.refused", 6)                                 \
	/* a: enum drop_reason */                                             \
	E(SEGMENT_DROPPED, "segment.dropped", 7)                              \
	/* The path may be broken; a: tries; b: 0 (RFC 9293, 3.8.3: R1),    \
	 * or an ICMP error's type << 8 | code, ICMPv4's numbers */ \
	E(TROUBLE, "conn.trouble", 5)                                         \
	/* The path takes packets of another size; a: bytes now, b: before */ \
	E(PMTU, "path.mtu", 5)                                                \
	/* Text came again with other bytes under the same numbers; a: how  \
	 * many at its beginning were the same */ \
	E(TEXT_CONFLICT, "data.conflict", 5)                                  \
	/* Packets came another way than those before and after; a: how     \
	 * many, b: TTL << 8 | that of the others */ \
	E(TTL_ODD, "path.ttl", 7)                                             \
	/* A limit refused work; a: enum stack_limit */                       \
	E(LIMIT, "limit.reached", 4)

/*
 * What the shell around the core has to tell, in the same columns. These come
 * with a sentence of their own and, where there is more to say, with named
 * facts; the core never emits them.
 */
#define SHELL_EVENT_LIST(E)                                                     \
	/* Events came faster than they could be taken; a: how many */          \
	E(LOST, "lost", 4)                                                      \
	/* From here to daemon.stopping: the daemon itself, never suppressed. \
	 * The interface is up, the listeners are open */ \
	E(DAEMON_READY, "daemon.ready", 5)                                      \
	/* A configuration was taken; a: 1 if it differed */                    \
	E(DAEMON_RELOADED, "daemon.reloaded", 5)                                \
	/* A configuration was not taken, all stays as it was */                \
	E(DAEMON_REFUSED, "daemon.reload_refused", 3)                           \
	/* Capabilities, user and sandbox are as they stay */                   \
	E(DAEMON_CONFINED, "daemon.rights_dropped", 5)                          \
	/* A signal ends the daemon; a: connections that are closed */          \
	E(DAEMON_STOPPING, "daemon.stopping", 5)                                \
	/* A handshake took longer than its listener's slow_handshake; \
	 * a and b as those of handshake.completed */        \
	E(HANDSHAKE_SLOW, "handshake.slow", 5)                                  \
	/* Something looks wrong (alert.h); a: enum alert_kind, b: its id */    \
	E(ALERT_RAISED, "alert.raised", 4)                                      \
	/* The same, but worth telling again */                                 \
	E(ALERT_CHANGED, "alert.changed", 4)                                    \
	E(ALERT_ENDED, "alert.ended", 5)

enum event_type {
#define EVENT_ENUM(name, dotted, level) EVENT_##name,
	EVENT_LIST(EVENT_ENUM) SHELL_EVENT_LIST(EVENT_ENUM)
#undef EVENT_ENUM
		EVENT_NTYPES
};

/* How many types the core emits: those before the shell's. */
#define EVENT_NCORE EVENT_LOST

/* Each limit of the configuration whose reaching refuses work. */
#define STACK_LIMIT_LIST(L)                                                  \
	L(CONNECTIONS, "max_connections", "connections")                     \
	L(LISTENER, "listener_max_connections", "connections of a listener") \
	L(HALF_OPEN, "max_half_open", "half-open connections")               \
	L(BACKLOG, "backlog", "half-open connections of a listener")         \
	L(PER_SOURCE, "max_per_source", "connections of one address")        \
	L(MEMORY, "memory", "memory")

enum stack_limit {
#define STACK_LIMIT_ENUM(name, key, words) LIMIT_##name,
	STACK_LIMIT_LIST(STACK_LIMIT_ENUM)
#undef STACK_LIMIT_ENUM
		LIMIT_NLIMITS
};

/*
 * Why a packet or segment was not taken: name, key, clause, words that complete
 * "Dropped SEGMENT: ...". A segment is never "just dropped".
 */
#define DROP_LIST(D)                                                           \
	D(NONE, "none", "", "not dropped")                                     \
	D(IP_SHORT, "ip_short", "RFC 791, 3.1", "shorter than its IP header")  \
	D(IP_VERSION, "ip_version", "RFC 791, 3.1", "neither IPv4 nor IPv6")   \
	D(IP_HEADER, "ip_header", "RFC 791, 3.1",                              \
	  "impossible IP header length")                                       \
	D(IP_LENGTH, "ip_length", "RFC 791, 3.1",                              \
	  "IP length beyond the packet")                                       \
	D(IP_CHECKSUM, "ip_checksum", "RFC 1122, 3.2.1.2",                     \
	  "wrong IP header checksum")                                          \
	D(IP_SOURCE, "ip_source", "RFC 9293, 3.9.2.3 (MUST-63)",               \
	  "impossible source")                                                 \
	D(IP_BROADCAST, "ip_broadcast", "RFC 9293, 3.9.2.3 (MUST-57)",         \
	  "addressed to broadcast or multicast")                               \
	D(IP_NOT_OURS, "ip_not_ours", "RFC 1122, 3.2.1.3",                     \
	  "not addressed to us")                                               \
	D(IP_FRAGMENT, "ip_fragment", "RFC 791, 3.2",                          \
	  "a fragment that was not put together")                              \
	D(FRAG_COPY, "frag_copy", "RFC 8200, 4.5", "copy of a fragment")       \
	D(FRAG_LENGTH, "frag_length", "RFC 8200, 4.5",                         \
	  "a fragment of odd length")                                          \
	D(FRAG_SIZE, "frag_size", "RFC 8200, 4.5",                             \
	  "a fragment beyond the longest packet")                              \
	D(FRAG_TINY, "frag_tiny", "RFC 1858, 3",                               \
	  "first fragment without a whole header")                             \
	D(FRAG_HEAD, "frag_head", "RFC 8504, 5.3",                             \
	  "first fragment with too long headers")                              \
	D(FRAG_BURIED, "frag_buried", "RFC 5722, 4",                           \
	  "fragment of a packet refused before")                               \
	D(FRAG_OVERLAP, "frag_overlap", "RFC 5722, 4", "fragments overlap")    \
	D(FRAG_END, "frag_end", "RFC 791, 3.2",                                \
	  "fragments disagree about the end")                                  \
	D(FRAG_PIECES, "frag_pieces", "RFC 6274, 4.1",                         \
	  "too many fragments of a packet")                                    \
	D(FRAG_ECN, "frag_ecn", "RFC 3168, 5.3",                               \
	  "congestion mark among fragments without ECN")                       \
	D(FRAG_MEMORY, "frag_memory", "RFC 6274, 4.1",                         \
	  "no memory for a fragment")                                          \
	D(FRAG_EVICTED, "frag_evicted", "RFC 6274, 4.1",                       \
	  "fragments made room for others")                                    \
	D(FRAG_TIMEOUT, "frag_timeout", "RFC 8200, 4.5",                       \
	  "fragments missing for too long")                                    \
	D(IP_EXTENSION, "ip_extension", "RFC 8200, 4",                         \
	  "unusable IPv6 extension header")                                    \
	D(IP_PROTOCOL, "ip_protocol", "RFC 1122, 3.2.2.1",                     \
	  "a protocol we do not speak")                                        \
	D(UDP_HEADER, "udp_header", "RFC 1122, 4.1.3.4",                       \
	  "wrong UDP length or checksum")                                      \
	D(UDP_PORT, "udp_port", "RFC 1122, 4.1.3.1", "no UDP port is open")    \
	D(ICMP_SHORT, "icmp_short", "RFC 792", "shorter than its ICMP header") \
	D(ICMP_CHECKSUM, "icmp_checksum", "RFC 792", "wrong ICMP checksum")    \
	D(ICMP_TYPE, "icmp_type", "RFC 1122, 3.2.2",                           \
	  "an ICMP message we do not use")                                     \
	D(ICMP_RATE, "icmp_rate", "RFC 1812, 4.3.2.8",                         \
	  "ICMP rate limit reached")                                           \
	D(ICMP_QUENCH, "icmp_quench", "RFC 9293, 3.9.2.2 (MUST-55)",           \
	  "source quench")                                                     \
	D(ICMP_STALE, "icmp_stale", "RFC 5927, 4.1",                           \
	  "ICMP error quotes nothing in flight")                               \
	D(TCP_SHORT, "tcp_short", "RFC 9293, 3.1",                             \
	  "shorter than its TCP header")                                       \
	D(TCP_OFFSET, "tcp_offset", "RFC 9293, 3.1",                           \
	  "impossible TCP data offset")                                        \
	D(TCP_CHECKSUM, "tcp_checksum", "RFC 9293, 3.1 (MUST-3)",              \
	  "wrong TCP checksum")                                                \
	D(TCP_OPTION, "tcp_option", "RFC 9293, 3.1 (MUST-7)",                  \
	  "illegal option length")                                             \
	D(TCP_PORT, "tcp_port", "RFC 9293, 3.1", "port 0")                     \
	D(TCP_LAND, "tcp_land", "RFC 9293, 3.9.2.3", "sent to itself")         \
	D(TCP_FLAGS, "tcp_flags", "RFC 9293, 3.10.7.2",                        \
	  "flags that open nothing")                                           \
	D(RST_NOBODY, "rst_nobody", "RFC 9293, 3.10.7.1", "RST for nobody")    \
	D(RST_RATE, "rst_rate", "RFC 9293, 3.10.7.1",                          \
	  "RST rate limit reached")                                            \
	D(SYN_DENIED, "syn_denied", "RFC 9293, 3.10.7.2",                      \
	  "client not on the allow-list")                                      \
	D(SYN_LIMIT, "syn_limit", "RFC 4987, 2",                               \
	  "a limit refuses new connections")                                   \
	D(SYN_MEMORY, "syn_memory", "RFC 4987, 2",                             \
	  "no memory for a new connection")                                    \
	D(SYN_STOPPING, "syn_stopping", "RFC 9293, 3.10.7.1",                  \
	  "the daemon is stopping")                                            \
	D(ACK_LIMIT, "ack_limit", "RFC 9293, 3.10.7.4",                        \
	  "a limit leaves no room for a connection")                           \
	D(SEQ, "seq", "RFC 9293, 3.10.7.4", "outside the receive window")      \
	D(DUPLICATE, "duplicate", "RFC 9293, 3.10.7.4", "received before")     \
	D(PAWS, "paws", "RFC 7323, 5.3", "timestamp older than one seen")      \
	D(TS_MISSING, "ts_missing", "RFC 7323, 3.2", "timestamp missing")      \
	D(RST_INEXACT, "rst_inexact", "RFC 5961, 3.2",                         \
	  "RST not at the next number expected")                               \
	D(RST_WINDOW, "rst_window", "RFC 9293, 3.5.3",                         \
	  "RST outside the window")                                            \
	D(SYN_CHALLENGED, "syn_challenged", "RFC 5961, 4.2",                   \
	  "SYN inside a connection")                                           \
	D(ACK_MISSING, "ack_missing", "RFC 9293, 3.10.7.4", "no ACK flag")     \
	D(ACK_OLD, "ack_old", "RFC 5961, 5.2", "ack number far too old")       \
	D(ACK_FUTURE, "ack_future", "RFC 9293, 3.10.7.4",                      \
	  "ack number beyond what was sent")                                   \
	D(COOKIE, "cookie", "RFC 4987, 3.6",                                   \
	  "ack number is no cookie of ours")                                   \
	D(AFTER_FIN, "after_fin", "RFC 9293, 3.10.7.4", "text behind a FIN")   \
	D(WINDOW_FULL, "window_full", "RFC 9293, 3.8.6",                       \
	  "text beyond the window")                                            \
	D(MEMORY, "memory", "RFC 9293, 3.10.7.4", "no memory to hold it")      \
	D(OOO_EVICTED, "ooo_evicted", "RFC 2018, 8",                           \
	  "text beyond a hole made room for others")                           \
	D(CHALLENGE_RATE, "challenge_rate", "RFC 5961, 7",                     \
	  "challenge ACK rate limit reached")

enum drop_reason {
#define DROP_ENUM(name, key, clause, words) DROP_##name,
	DROP_LIST(DROP_ENUM)
#undef DROP_ENUM
		DROP_NREASONS
};

/*
 * How a connection ended: name, key, words. Given to on_closed() (RFC 9293, 3.6
 * (MUST-12)), to the log and to `tcphsctl`.
 */
#define CLOSE_LIST(C)                                                      \
	C(NONE, "none", "open")                                            \
	C(FIN, "fin", "closed by both sides")                              \
	C(RESET_BY_PEER, "reset_by_peer", "reset by peer")                 \
	C(RESET_BY_US, "reset_by_us", "reset by us")                       \
	C(REFUSED, "refused", "refused by peer")                           \
	C(TIMEOUT_SYN, "timeout_syn", "no answer to our SYN")              \
	C(TIMEOUT_SYNACK, "timeout_synack", "no answer to our SYN-ACK")    \
	C(TIMEOUT_DATA, "timeout_data", "peer stopped acknowledging")      \
	C(TIMEOUT_USER, "timeout_user", "user timeout")                    \
	C(TIMEOUT_FIN_WAIT2, "timeout_fin_wait2", "peer never closed")     \
	C(TIMEOUT_KEEPALIVE, "timeout_keepalive", "keep-alive unanswered") \
	C(UNREACHABLE, "unreachable", "unreachable")                       \
	C(NO_MEMORY, "no_memory", "out of memory")                         \
	C(LIMIT, "ack_limit", "a limit left no room for it")               \
	C(ADMIN, "admin", "closed by the operator")                        \
	C(STOPPING, "stopping", "the daemon stopped")

enum close_reason {
#define CLOSE_ENUM(name, key, words) CLOSE_##name,
	CLOSE_LIST(CLOSE_ENUM)
#undef CLOSE_ENUM
		CLOSE_NREASONS
};

/* An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct ip_addr {
	uint8_t b[16];
};

/* The two ends of a connection. */
struct tcp_key {
	struct ip_addr local, peer;
	uint16_t local_port, peer_port; /* host order */
};

enum tcp_role { ROLE_SERVER, ROLE_CLIENT };

struct event {
	uint64_t number; /* consecutive from 1; a jump is a loss */
	int64_t at_us;	 /* monotonic */
	int64_t a, b;	 /* see EVENT_LIST */
	struct ip_addr local, peer;
	uint16_t local_port, peer_port; /* host order; 0 if none */
	uint32_t conn;			/* id; 0 if none */
	uint32_t seg_seq, seg_ack;	/* of the segment; 0 if none */
	uint32_t seg_len;		/* bytes of text */
	uint32_t seg_wnd;		/* as on the wire, not scaled */
	uint16_t listener;		/* index; LISTENER_NONE if none */
	uint8_t seg_flags;		/* TH_*; 0 if no segment */
	uint8_t type;			/* enum event_type */
	uint8_t role;			/* enum tcp_role */
	uint8_t state;			/* enum tcp_state, after the event */
};

#define LISTENER_NONE 0xffff

/* b of EVENT_HANDSHAKE_COMPLETED: how it went. */
#define HANDSHAKE_RESENT    0xff  /* mask: SYNs or SYN-ACKs we sent again */
#define HANDSHAKE_COOKIE    0x100 /* opened by a SYN cookie */
#define HANDSHAKE_SYN_AGAIN 0x200 /* the client repeated its SYN */
/* b of EVENT_HANDSHAKE_FAILED */
#define HANDSHAKE_ODD 0x1 /* what answered our SYN answers none */

/* b of EVENT_SYN_RECEIVED and EVENT_SYNACK_RECEIVED: the options of the SYN. */
#define SYN_HAS_MSS	0xffff	/* mask: its value; 0 = none */
#define SYN_HAS_SHIFT	0xf0000 /* mask: of the window scale */
#define SYN_HAS_WSCALE	0x100000
#define SYN_HAS_SACK_OK 0x200000
#define SYN_HAS_TS	0x400000

/* RFC 9293, 3.1: the control bits, as they lie in byte 13 of the header. */
#define TH_FIN 0x01
#define TH_SYN 0x02
#define TH_RST 0x04
#define TH_PSH 0x08
#define TH_ACK 0x10
#define TH_URG 0x20
#define TH_ECE 0x40
#define TH_CWR 0x80

#endif
