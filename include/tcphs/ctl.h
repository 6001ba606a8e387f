/*
 * ctl.h - What tcphsd and tcphsctl must agree on
 *
 * The protocol is one JSON object a line, both ways, UTF-8 (RFC 8259):
 *
 *	<- {"tcphs":{"proto":1,"version":"0.1.0","instance":"tcphs0",
 *	             "rights":"admin","features":[]}}
 *	-> {"id":7,"method":"conn.list","params":{"filter":"state established"}}
 *	<- {"id":7,"item":{...}}                       (none, one or many)
 *	<- {"id":7,"result":{"count":2}}  or  {"id":7,"error":{"code":"...",
 *	             "message":"...","hint":"...","at":12}}
 *
 * Who may not come in, or comes when CTL_CLIENTS_MAX are there, reads
 * {"error":{...}} in place of the greeting, and the end. An error without an id
 * is about a line whose id could not be read; the connection goes on.
 *
 * An id is a whole number or a string of less than 62 bytes. Requests may
 * overlap, up to 8 of them; {"id":8,"method":"cancel","params":{"id":7}} ends
 * one (it answers with error "cancelled"). New fields and methods may appear at
 * any time: readers ignore the fields and parameters they do not know, and an
 * unknown method is answered with "unknown_method". "at" is the offset in bytes
 * of the word that is wrong in a filter, or where the JSON parser gave up. A
 * client that does not read is not read either, and is dropped after 30 s.
 *
 * A first byte other than '{' selects text mode: one command line, words as in
 * tcphsctl ("help" lists them), plain text back behind the greeting, close.
 *
 * Methods (v = view right is enough, a = admin):
 *
 *	status            v  result: see below
 *	conn.list         v  params: filter, fields (names of members that are
 *	                     wanted; all without it); items: connections;
 *	                     result: count
 *	conn.show         v  params: conn ("c42", "42" or a four-tuple
 *	                     "A:P-A:P", local first, or "last");
 *	                     result: connection with "tcb"
 *	conn.packets      v  params: conn, also "last-failed": an attempt, or a
 *	                     connection that may be closed by now; items:
 *	                     packets that were kept, of their text only what is
 *	                     an admin's; result: record
 *	conn.recent       v  params: filter; items: records of connections and
 *	                     attempts that ended and are remembered, in no
 *	                     order; result: count
 *	conn.close        a  params: conn, rst (bool); result: id ("c42"). Ids
 *	                     wrap: if two connections have the same, a
 *	                     four-tuple is asked for
 *	conn.kill         a  params: filter (required, not empty), rst (bool);
 *	                     items: about one a second while it takes longer,
 *	                     count and skipped so far; result: count, and
 *	                     skipped: half-open and TIME-WAIT records, which
 *	                     cannot be closed
 *	conn.open         a  params: address, port, local_address, local_port,
 *	                     nodelay (bool), patience_us (without progress; and
 *	                     the first ICMP error ends the handshake); items:
 *	                     session, see below; result: connection as it ended,
 *	                     with reason and words. Errors: refused, timeout,
 *	                     unreachable, protocol_error, local; with reason, time_us, retrans
 *	                     and conn if a SYN was sent
 *	conn.attach       a  params: conn, of service chat, with one reader at a
 *	                     time; items and result as conn.open
 *	conn.send         a  params: session (the id of a conn.open or
 *	                     conn.attach that runs) or conn, text or base64, end
 *	                     (bool: FIN after it); result: sent. To a session it
 *	                     waits until all is queued, one request at a time; to
 *	                     another's connection it is queued at once or "busy"
 *	events.follow     v  params: filter (on the connections they are
 *	                     about), since (RFC 3339, UTC), level ("info" if
 *	                     absent), follow (bool: go on, from now on if there
 *	                     is no since); items: events as tcphs-events(7) has
 *	                     them. Each has a consecutive number, seq; who reads
 *	                     too slowly gets one item "lost" with count, whose
 *	                     seq is that of the last it missed. Result: count
 *	dump.follow       a  params: filter (of what packets have: state,
 *	                     exclude, src, dst, sport, dport, listener, role,
 *	                     id), snaplen, packets (end after so many); items:
 *	                     {"base64":...}, pieces of a pcapng file; result:
 *	                     packets (in the file), lost, seen
 *	dump.stop         a  params: id (of a dump.follow); result: {}. The
 *	                     dump.follow sends what waits, then its result
 *	capture.start     a  params: filter (as dump.follow); result: directory,
 *	                     file. The daemon writes by itself, until
 *	capture.stop      a  result: packets, lost, seen, bytes, directory,
 *	                     files [names], those that are still there
 *	capture.list      a  items: name, bytes, modified (RFC 3339), current
 *	                     (bool: being written); result: count, directory,
 *	                     running (bool); packets and lost if it is
 *	capture.read      a  params: name; items: {"base64":...}; result: bytes
 *	stats             v  result: see below
 *	histogram         v  params: listener (name; all, and our own active
 *	                     opens, without it); items: handshakes, see below;
 *	                     result: count
 *	alerts            v  params: filter (words that must all hold: a kind,
 *	                     "active", "listener=NAME"); items: alerts, the
 *	                     newest first; result: count
 *	metrics           v  items: families: name type help text (in the text
 *	                     format of Prometheus, 0.0.4); result: count
 *	listener.list     v  items: listeners; result: count
 *	listener.add      a  params: name, settings (keys of tcphsd.conf(5),
 *	                     {"port":8090,"service":"chat"}); result: listener,
 *	                     with ends ["198.18.66.2:8090", ...]; or error
 *	                     "config". A reload keeps it, a restart does not
 *	listener.set      a  params and result as listener.add, of a listener
 *	                     that is there: other settings for it, for new
 *	                     connections. If the file has it, a reload brings
 *	                     back what the file says
 *	listener.del      a  params: name; result: {}. Its connections go on; if
 *	                     the file has it, a reload brings it back
 *	listener.enable   a  params: name; result: {}
 *	listener.disable  a  params: name; result: {}
 *	reload            a  result: {"changed":bool} or error "config"
 *	log.level         a  params: level, module (the first word of events,
 *	                     "segment"; until the next one without it);
 *	                     result: {"level":...,"was":...}, or module, level
 *	cancel            v  params: id
 *
 * Connection (absent = does not apply; never an empty string):
 *
 *	id "c42" · state "established" (the RFC's name, lower case) · role
 *	"server"|"client" · local {"ip","port"} · peer {"ip","port"} · listener
 *	(name) · age_us · idle_us · handshake_us · rtt_us · retrans · bytes_in ·
 *	bytes_out · tcb {…} (conn.show alone): iss irs snd_una snd_nxt snd_max
 *	snd_wnd rcv_nxt rcv_wnd snd_mss peer_mss own_mss recv_mss pmtu mtu_probe
 *	dscp snd_wscale rcv_wscale options ["ts","sack","ws","ecn","nodelay"]
 *	srtt_us rttvar_us rto_us min_rtt_us recv_rtt_us cwnd ssthresh
 *	pacing_rate send_queued recv_queued recv_ooo rcvbuf memory in_flight
 *	sacked lost urgent_in urgent_out undone reordering backoff tries
 *	bytes_acked segs_in segs_out congestion recovery timers {"rexmt_us",
 *	"persist_us","delack_us","reorder_us","probe_us","pace_us","hold_us",
 *	"keepalive_us","linger_us"}
 *
 * Packet: number (of its connection, from 1) · time (RFC 3339) · mono_us ·
 *	direction "in"|"out" · state_before · state_after (ours) · drop
 *	drop_words drop_clause · flags ["retransmit","probe","keepalive",
 *	"challenge","cookie"] · len · gso_size (text bytes of each segment, if
 *	it is more than one) · data (base64, from the IP header on)
 *
 * Record: id · role · local · peer · listener · ended (bool) · state (now, or
 *	when it ended) · outcome outcome_words · stage · reason words (how it
 *	closed) · drop … (of a SYN that opened nothing) · opened closed (RFC
 *	3339) · synack_us (from the SYN) · hsack_us (from the SYN-ACK) ·
 *	handshake_us · life_us · closed_ago_us · bytes_in bytes_out retrans
 *	(once it ended) · packets (seen) · kept
 *
 * Session: {"event":"open", and a connection} · {"event":"text","base64":...} ·
 *	{"event":"peer_closed"}: the peer's FIN, behind all of its text. What
 *	the client does not read stays with the peer. A conn.open ends with its
 *	request; after a conn.attach the connection may be attached to again.
 *
 * Listener: name service address ("own" or a prefix) port enabled backlog
 *	max_connections (0 = none) status ("waiting for client", "connected
 *	198.18.66.1:49152 (1)", "disabled") half_open connections syns opened
 *	refused overflows cookies allow [prefixes]
 *
 * Handshakes of a listener, or of our own active opens (no listener): listener
 *	role outcomes {"completed":n,"refused":n,"timeout":n,"reset":n,
 *	"unreachable":n,"protocol_error":n,"aborted":n} resent (completed after we sent a SYN or
 *	SYN-ACK again) syn_again (after the client's SYN came again) cookies
 *	(completed by cookie: nobody knows how long it took) slow, and of all
 *	others that completed: count sum_us min_us max_us p50_us p90_us p99_us
 *	p999_us buckets [[upper bound in us, how many], ...]
 *
 * Alert: id "a3" kind severity ("warning"|"notice") state ("active"|"over")
 *	listener source (a prefix, as the packets claim) conn age_us (since it
 *	began) duration_us numbers {name:n} (which: tcphs/alert.h) message
 *	meaning innocent (causes that mean no harm) action
 *
 * Status: version, instance, state ("ready"|"stopping"), pid, uptime_us,
 *	started (RFC 3339), interface, address4, address6, mtu, offload (bool),
 *	connections, half_open, time_wait, max_connections, memory, memory_used,
 *	listeners (enabled), alerts (active now), alerts_total, events_lost, config (path), config_ok (bool: the
 *	last reload), config_error (its message), log_level
 *
 * Stats: {"counters":{name:n},"dropped":{reason:n},"limits":{name:n},
 *	"states":{state:n},"gauges":{"connections":n,"half_open":n,
 *	"time_wait":n,"memory":n,"memory_used":n},"tun":{"read_errors":n,
 *	"write_errors":n,"write_full":n,"queue_dropped":n},"busy_poll"
 *	(if on):{"paid":n,"missed":n},"control":{"clients":n (now),
 *	"accepted":n,"busy":n,"strangers":n,"requests":n,"too_long":n,
 *	"stalled":n},"capture":{"readers":n (now),"packets":n,"lost":n}}
 */
#ifndef TCPHS_CTL_H
#define TCPHS_CTL_H

#define CTL_PROTO	1
#define CTL_SOCKET	"/run/tcphsd/control.sock"
#define CTL_REQUEST_MAX (64 * 1024) /* bytes of a line, line feed included */
#define CTL_CLIENTS_MAX 256

/* Error codes: name on the wire, exit code of tcphsctl. */
#define CTL_ERROR_LIST(E)                      \
	E(BAD_JSON, "bad_json", 2)             \
	E(TOO_LONG, "too_long", 2)             \
	E(BAD_REQUEST, "bad_request", 2)       \
	E(UNKNOWN_METHOD, "unknown_method", 6) \
	E(BAD_FILTER, "bad_filter", 2)         \
	E(NOT_PERMITTED, "not_permitted", 4)   \
	E(NOT_FOUND, "not_found", 5)           \
	E(CONFIG, "config", 1)                 \
	E(CANCELLED, "cancelled", 1)           \
	E(FAILED, "failed", 1)                 \
	E(BUSY, "busy", 7)                     \
	E(REFUSED, "refused", 20)              \
	E(TIMEOUT, "timeout", 21)              \
	E(UNREACHABLE, "unreachable", 22)      \
	E(VIOLATION, "protocol_error", 24)     \
	E(NOT_OPENED, "local", 25)

enum ctl_error {
#define CTL_ERROR_ENUM(name, wire, exit) CTL_ERROR_##name,
	CTL_ERROR_LIST(CTL_ERROR_ENUM)
#undef CTL_ERROR_ENUM
};

#endif
