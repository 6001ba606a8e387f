/*
 * explain_catalogue.c - The entries, in the order of tcphs-explain(7)
 *
 * Outcomes of a handshake, then ends of a connection; codes are those of
 * outcome.h, CLOSE_LIST and DROP_LIST. Parts in order: what happened, why, rule,
 * client saw, next. Names in braces are places: explain.c has them.
 */
#include <tcphs/explain.h>

const struct explain_entry explain_catalogue[] = {
	/* Handshakes that were completed */
	{"completed",
	 EXPLAIN_AS_SERVER,
	 {"The client's SYN was answered with a SYN-ACK, and its ACK "
	  "came{after}: a connection.",
	  "{listener} takes {port}, and no limit and no allow-list was in "
	  "the way.",
	  "RFC 9293, 3.5: three segments, each side's SYN acknowledged by "
	  "the other.",
	  "connect() returned without an error.",
	  "tcphsctl show {conn} tells how it is doing, tcphsctl ladder "
	  "{conn} how it went."}},
	{"completed",
	 EXPLAIN_AS_CLIENT,
	 {"Our SYN to {peer} was answered with a SYN-ACK, and we sent the "
	  "ACK{after}: a connection.",
	  "Somebody listens on {port} there, and the path lets us "
	  "through.",
	  "RFC 9293, 3.5: three segments, each side's SYN acknowledged by "
	  "the other.",
	  "We are the client: tcphsctl connect says connected, tcphsctl "
	  "probe open.",
	  "tcphsctl show {conn} tells how it is doing, tcphsctl ladder "
	  "{conn} how it went."}},
	{"completed_cookie",
	 EXPLAIN_AS_SERVER,
	 {"The SYN was answered with a SYN cookie, and the ACK brought it "
	  "back{after}: a connection.",
	  "The half-open table was full, or tcp.cookies is always; "
	  "nothing was kept of the SYN, and what it offered came back "
	  "inside the number.",
	  "RFC 4987, 3.6: a sequence number that only we can have made "
	  "stands for what would have been kept.",
	  "connect() returned without an error; nothing told the client.",
	  "If that was no attack, raise limits.max_half_open and the "
	  "backlog of {listener}; tcphsctl listener list counts cookies."}},
	{"completed_simultaneous",
	 EXPLAIN_AS_BOTH,
	 {"Both sides sent a SYN before either had the other's, each "
	  "answered with a SYN-ACK, and there is one connection.",
	  "{peer} opened a connection from the very port that we "
	  "connected to, at the same time.",
	  "RFC 9293, 3.5 (MUST-10): a SYN in SYN-SENT is answered with a "
	  "SYN-ACK, and both are clients.",
	  "connect() returned without an error.",
	  "Nothing is wrong. It is rare; programs that punch holes into "
	  "firewalls do it on purpose."}},

	/* Handshakes that failed */
	{"refused",
	 EXPLAIN_AS_SERVER,
	 {"The client's SYN reached us and was answered with "
	  "RST,ACK{after}.",
	  "No listener takes {port} on this address{listeners}.",
	  "RFC 9293, 3.10.7.1: a segment for a CLOSED endpoint is "
	  "answered with a reset.",
	  "\"Connection refused\" at once, without retries.",
	  "tcphsctl listener add NAME --port {number} --service echo; for "
	  "good in tcphsd.conf(5). Or enable it: tcphsctl listener list "
	  "shows which are disabled."}},
	{"refused",
	 EXPLAIN_AS_CLIENT,
	 {"Our SYN reached {peer}, or something on the way, and was "
	  "answered with a RST{after}.",
	  "Nobody listens on {port} there; or a firewall rejects with a "
	  "reset.",
	  "RFC 9293, 3.10.7.3: in SYN-SENT a RST that acknowledges our "
	  "SYN ends the attempt.",
	  "We are the client: tcphsctl connect says refused, exit code "
	  "20.",
	  "Is the server up, and on that port? On its host: ss -ltn "
	  "'sport = :{number}'."}},
	{"unreachable",
	 EXPLAIN_AS_BOTH,
	 {"Our SYN to {peer} was answered with an ICMP error{after}.",
	  "A router or the host itself says that the host, the protocol "
	  "or the port cannot be reached, or that it is prohibited.",
	  "RFC 9293, 3.9.2.2 (SHLD-26): hard errors may end an attempt; "
	  "RFC 5927, 4.1: but only those that quote what we have sent.",
	  "We are the client: tcphsctl connect says unreachable, exit "
	  "code 22. A kernel's client sees \"No route to host\".",
	  "Look at the route and the firewall of whoever sent it: "
	  "tcphsctl ladder {conn} shows the packet; tcpdump icmp shows "
	  "its source."}},
	{"timeout_syn",
	 EXPLAIN_AS_CLIENT,
	 {"Our SYN to {peer} was sent {times}, and nothing came back; "
	  "given up{after}.",
	  "The host is off, a firewall drops silently, or the answers "
	  "find no way back to us.",
	  "RFC 9293, 3.8.3 (MUST-22, MUST-23): a SYN is sent again at "
	  "growing intervals until R2 is reached.",
	  "We are the client: tcphsctl connect says no answer, exit code "
	  "21.",
	  "Does the host forward our packets and theirs back? tcpdump "
	  "there tells whether the SYN arrives: then the way back is "
	  "broken."}},
	{"timeout_ack",
	 EXPLAIN_AS_SERVER,
	 {"The client's SYN was answered with a SYN-ACK {times}, and no "
	  "ACK ever came; given up{after}.",
	  "The SYN came from a forged address (a flood), the client "
	  "vanished, or the SYN-ACK or the ACK is lost on the way.",
	  "RFC 9293, 3.8.3 (MUST-23): a SYN-ACK is sent again at growing "
	  "intervals until R2 is reached; then the record is dropped.",
	  "A real client: a time-out after SYNs of its own (8 in 12 s "
	  "from Linux 6.5 on). A forged one: nothing.",
	  "One client: does the way back lead to it? ip route get {addr}. "
	  "Many at once: tcphsctl alerts, and see limits.max_half_open."}},
	{"timeout_synack",
	 EXPLAIN_AS_SERVER,
	 {"The client's SYN was answered with a SYN-ACK {times}, and no "
	  "ACK ever came; given up{after}.",
	  "The SYN came from a forged address (a flood), the client "
	  "vanished, or the SYN-ACK or the ACK is lost on the way.",
	  "RFC 9293, 3.8.3 (MUST-23): a SYN-ACK is sent again at growing "
	  "intervals until R2 is reached; then the record is dropped.",
	  "A real client: a time-out after SYNs of its own (8 in 12 s "
	  "from Linux 6.5 on). A forged one: nothing.",
	  "One client: does the way back lead to it? ip route get {addr}. "
	  "Many at once: tcphsctl alerts, and see limits.max_half_open."}},
	{"timeout_synack",
	 EXPLAIN_AS_CLIENT,
	 {"Our SYN crossed one of {peer}; our SYN-ACK was sent {times}, "
	  "and no ACK came; given up{after}.",
	  "The other side opened at the same time and then fell silent.",
	  "RFC 9293, 3.8.3 (MUST-23): a SYN-ACK is sent again at growing "
	  "intervals until R2 is reached.",
	  "We are the client: tcphsctl connect says no answer, exit code "
	  "21.",
	  "tcphsctl ladder {conn} shows what came, and when it ceased."}},
	{"reset_by_client",
	 EXPLAIN_AS_SERVER,
	 {"The client's SYN was answered with a SYN-ACK, and then the "
	  "client sent a RST{after}.",
	  "It only wanted to know whether the port is open (a half-open "
	  "scan), it gave up meanwhile, or its kernel knows nothing of "
	  "the SYN: somebody else used its address.",
	  "RFC 9293, 3.10.7.4: a RST of the number expected ends a "
	  "half-open connection.",
	  "A scanner: that {port} is open. A program that gave up: "
	  "whatever made it do so.",
	  "Many ports or hosts from one address are a scan: tcphsctl "
	  "alerts. One alone is most often a client with a short "
	  "time-out."}},
	{"reset_by_client",
	 EXPLAIN_AS_CLIENT,
	 {"We gave up our attempt{after}, before {peer} had answered it.",
	  "Whoever wanted the connection closed it or went away: Ctrl-C "
	  "in tcphsctl connect does so.",
	  "RFC 9293, 3.10.4: CLOSE in SYN-SENT deletes the connection; "
	  "nobody is to be told.",
	  "We are the client: whoever asked has gone.",
	  "tcphsctl probe {addr} {number} tells whether there would have "
	  "been an answer."}},
	{"reset_by_server",
	 EXPLAIN_AS_SERVER,
	 {"The SYN was answered with a SYN-ACK, and then we reset "
	  "it{after}.",
	  "{listener} was disabled or removed before the ACK came, or "
	  "somebody closed the connection meanwhile.",
	  "RFC 9293, 3.10.5: ABORT in SYN-RECEIVED sends a reset.",
	  "\"Connection refused\", or \"Connection reset by peer\" if its "
	  "ACK was sent already.",
	  "tcphsctl listener list shows whether it is enabled; the log "
	  "says who did it."}},
	{"reset_by_server",
	 EXPLAIN_AS_CLIENT,
	 {"The server answered our SYN with a SYN-ACK, and then with a "
	  "RST{after}.",
	  "It has no room or no rule for us after all: a full accept "
	  "queue, an allow-list, a load balancer without a server behind "
	  "it.",
	  "RFC 9293, 3.10.7.4: a RST of the number expected ends the "
	  "connection in any synchronized state.",
	  "We are the client: tcphsctl connect says reset, exit code 23.",
	  "Its log has the reason. tcphsctl probe shows whether it is "
	  "always so."}},
	{"rejected",
	 EXPLAIN_AS_SERVER,
	 {"The SYN reached {listener} and was turned away{after}.",
	  "An allow-list, a limit or missing memory was in the way; the "
	  "packet's drop reason says which.",
	  "RFC 9293, 3.10.7.2: a listener may decline; tcphs-drops(7) has "
	  "the reasons.",
	  "\"Connection refused\" if it was reset; a time-out if it was "
	  "dropped in silence.",
	  "tcphsctl stats counts the reasons; tcphsctl explain "
	  "syn_denied, syn_limit, syn_memory, syn_stopping or ack_limit "
	  "has each."}},
	{"syn_denied",
	 EXPLAIN_AS_SERVER,
	 {"The SYN reached {listener} and was answered with "
	  "RST,ACK{after}, as if nobody listened.",
	  "{addr} is not on the allow-list of {listener}.",
	  "RFC 9293, 3.10.7.2: a listener may decline; a scan that is "
	  "refused everywhere alike learns nothing.",
	  "\"Connection refused\" at once, without retries.",
	  "If it should be served, add {addr} to allow of listener.{name} "
	  "in tcphsd.conf(5), and tcphsctl reload."}},
	{"syn_limit",
	 EXPLAIN_AS_SERVER,
	 {"The SYN reached {listener} and was turned away{after}.",
	  "There are as many connections as limits.max_connections, "
	  "limits.max_per_source, or the listener's own limit or backlog "
	  "allow.",
	  "RFC 4987, 2: what an unproven source can make us keep has to "
	  "be bounded.",
	  "A time-out after its own retries, if the limit lasts so long; "
	  "\"Connection refused\" with overflow = reset.",
	  "tcphsctl stats: which limit refused; tcphsctl listener list: "
	  "who is full. Raise it, or find who holds so many: tcphsctl "
	  "list dst {addr}."}},
	{"syn_memory",
	 EXPLAIN_AS_SERVER,
	 {"The SYN reached {listener} and was dropped{after}.",
	  "limits.memory is used up by connections and their buffers.",
	  "RFC 4987, 2: connections that exist come before new ones.",
	  "A time-out after its own retries, if it lasts so long.",
	  "tcphsctl status shows the memory; raise limits.memory, or "
	  "lower limits.rcvbuf_max and limits.sndbuf."}},
	{"syn_stopping",
	 EXPLAIN_AS_SERVER,
	 {"The SYN reached {listener} and was answered with "
	  "RST,ACK{after}.",
	  "The daemon is stopping: it closes what is open and takes "
	  "nothing new.",
	  "RFC 9293, 3.10.7.1: a segment for a CLOSED endpoint is "
	  "answered with a reset.",
	  "\"Connection refused\" at once, without retries.",
	  "Start it again; tcphsctl status says stopping until it is "
	  "gone."}},
	{"ack_limit",
	 EXPLAIN_AS_SERVER,
	 {"The client's SYN was answered with a SYN-ACK, and the ACK that "
	  "came was turned away{after}: there was no room for a "
	  "connection.",
	  "Others completed their handshakes first, and "
	  "limits.max_connections, limits.max_per_source or the "
	  "listener's own limit allows no more.",
	  "RFC 9293, 3.10.7.4: the ACK of our SYN-ACK opens the "
	  "connection. It is refused with a reset, or counts as lost "
	  "(3.8.1), as in Linux when the queue of accept(2) is full.",
	  "Connected; with overflow = reset, \"Connection reset by peer\" "
	  "at once. With drop, no answer to what it sends until there is "
	  "room; if there never is, a reset when we have given up.",
	  "tcphsctl listener list: who is full. Raise the limit, or find "
	  "who holds so many: tcphsctl list."}},
	{"protocol_error",
	 EXPLAIN_AS_BOTH,
	 {"What came from {peer} in the handshake fits no state of a "
	  "connection.",
	  "The other TCP is broken, something between rewrites numbers, "
	  "or somebody guesses.",
	  "RFC 9293, 3.5.1 and 3.10.7: a wrong number is answered with a "
	  "reset or a challenge ACK, and opens nothing.",
	  "A time-out or a reset, by what it sent.",
	  "tcphsctl ladder {conn} shows the packets and why each was "
	  "dropped; tcphs-drops(7) has the clauses."}},
	{"midstream",
	 EXPLAIN_AS_BOTH,
	 {"Segments of a connection came whose handshake nobody here has "
	  "seen.",
	  "It began before the daemon or the capture did, or it takes "
	  "another way.",
	  "RFC 9293, 3.10.7.1: segments for no connection are answered "
	  "with a reset.",
	  "\"Connection reset by peer\", if it was ours to answer.",
	  "After a restart of the daemon this is as it should be: clients "
	  "connect again."}},
	{"open",
	 EXPLAIN_AS_SERVER,
	 {"The client's SYN was answered with a SYN-ACK, and its ACK is "
	  "still awaited.",
	  "That takes as long as the way there and back; longer, and a "
	  "packet is lost or the client is not real.",
	  "RFC 9293, 3.10.7.4: SYN-RECEIVED lasts until the SYN is "
	  "acknowledged, reset, or given up.",
	  "connect() has not returned yet, or has just done so.",
	  "Wait; tcphsctl list state syn-received shows all of them and "
	  "their ages."}},
	{"open",
	 EXPLAIN_AS_CLIENT,
	 {"Our SYN to {peer} is under way, and nothing came back so far.",
	  "That takes as long as the way there and back; longer, and a "
	  "packet is lost.",
	  "RFC 9293, 3.10.7.3: SYN-SENT lasts until it is answered or "
	  "given up.",
	  "We are the client: tcphsctl connect still waits.",
	  "Wait; tcphsctl show {conn} says when the SYN is sent again."}},

	/* How connections end */
	{"fin",
	 EXPLAIN_AS_BOTH,
	 {"Both sides sent a FIN and had it acknowledged{after}: nothing "
	  "that was sent is missing.",
	  "One side had no more to say, then the other.",
	  "RFC 9293, 3.6: each direction is closed for itself; who closed "
	  "first waits in TIME-WAIT.",
	  "recv() returned 0: the end of the stream.",
	  "Nothing. tcphsctl ladder {conn} shows who closed first."}},
	{"reset_by_peer",
	 EXPLAIN_AS_BOTH,
	 {"{peer} sent a RST{after}; what was under way is lost.",
	  "Its program closed with data unread or with SO_LINGER 0, it "
	  "crashed, or its kernel forgot the connection; or a firewall "
	  "did it.",
	  "RFC 9293, 3.10.7.4, with RFC 5961, 3.2: a RST ends a "
	  "connection only with the very number that is expected.",
	  "The other side did it itself. Here on_closed says so: a "
	  "forwarded client sees \"Connection reset by peer\".",
	  "tcphsctl ladder {conn}: text just before the RST that was not "
	  "acknowledged was not read there."}},
	{"reset_by_us",
	 EXPLAIN_AS_BOTH,
	 {"We sent a RST{after}; what was under way is lost.",
	  "The service gave it up, or somebody closed it with --rst.",
	  "RFC 9293, 3.10.5: ABORT sends a reset.",
	  "\"Connection reset by peer\" from its next recv() or send().",
	  "The log has the line before it; tcphsctl ladder {conn} shows "
	  "what came last."}},
	{"timeout_data",
	 EXPLAIN_AS_BOTH,
	 {"Text was sent {times} and never acknowledged; given up{after}.",
	  "The other side is gone without a word (power, cable, sleep, a "
	  "NAT that forgot it), or the path swallows our packets.",
	  "RFC 9293, 3.8.3 (MUST-20): after R2 tries the connection is "
	  "given up; R2 is timers.retries.",
	  "Nothing, if it is gone. A client that lives sees \"Connection "
	  "timed out\", or a reset when it speaks again.",
	  "tcphsctl probe there and back; if small packets pass and large "
	  "ones do not, the path MTU is wrong: tcphsctl show says pmtu."}},
	{"timeout_user",
	 EXPLAIN_AS_BOTH,
	 {"What was sent had no acknowledgment for as long as the user "
	  "timeout allows; given up{after}.",
	  "timers.user_timeout, or whoever opened it, set a shorter "
	  "patience than the count of tries.",
	  "RFC 9293, 3.10.8: when the user timeout expires, the "
	  "connection ends in any state; RFC 5482.",
	  "As with timeout_data, sooner. tcphsctl probe: no answer.",
	  "If it was a slow path rather than a dead one, raise "
	  "timers.user_timeout, or --timeout of tcphsctl probe."}},
	{"timeout_fin_wait2",
	 EXPLAIN_AS_BOTH,
	 {"Our FIN was acknowledged, and the FIN of {peer} never "
	  "came{after}; so we sent a RST.",
	  "Its program does not close its socket: it waits for something, "
	  "or has forgotten it.",
	  "RFC 9293, 3.6: half-closed may last; timers.fin_wait2 bounds "
	  "it, as other systems do, since nobody here reads any more.",
	  "Its socket stays in CLOSE-WAIT; the next use of it fails with "
	  "\"Connection reset by peer\" or \"Broken pipe\".",
	  "On its host: ss -tp state close-wait names the program. It has "
	  "to close after reading the end."}},
	{"timeout_keepalive",
	 EXPLAIN_AS_BOTH,
	 {"The connection was idle, and keep-alive probes stayed "
	  "unanswered{after}; so we sent a RST.",
	  "The other side is gone without a word: power, cable, sleep, a "
	  "NAT that forgot it.",
	  "RFC 9293, 3.8.4 (MUST-25, MUST-29): keep-alives are off unless "
	  "wanted, and one that is lost proves nothing yet.",
	  "Nothing, if it is gone; else \"Connection reset by peer\" when "
	  "it speaks again.",
	  "timers.keepalive is the idle time before the first probe; "
	  "shorter than a NAT's memory keeps it alive."}},
	{"no_memory",
	 EXPLAIN_AS_BOTH,
	 {"We gave up the connection because there was no memory for "
	  "it{after}.",
	  "limits.memory is used up.",
	  "RFC 9293, 3.10.1: an OPEN may fail for insufficient resources, "
	  "and says so.",
	  "\"Connection reset by peer\", or no connection at all.",
	  "tcphsctl status shows the memory; raise limits.memory, or "
	  "lower limits.rcvbuf_max and limits.sndbuf."}},
	{"admin",
	 EXPLAIN_AS_BOTH,
	 {"Somebody closed it{after}: tcphsctl close or kill.",
	  "An operator wanted it so.",
	  "RFC 9293, 3.10.4 and 3.10.5: CLOSE sends a FIN after what is "
	  "queued, ABORT a reset.",
	  "The end of the stream, or \"Connection reset by peer\" with "
	  "--rst.",
	  "The log has the time; tcphsd does not keep who it was."}},
	{"stopping",
	 EXPLAIN_AS_BOTH,
	 {"The daemon stopped while it was open{after}.",
	  "TERM or INT: it sends FINs, waits up to tcphsd.stop_timeout, "
	  "and resets who is left.",
	  "RFC 9293, 3.10.5: ABORT sends a reset; nobody would know the "
	  "connection afterwards.",
	  "The end of the stream if it closed in time, else \"Connection "
	  "reset by peer\".",
	  "Raise tcphsd.stop_timeout if clients need longer to finish."}},
	{NULL, 0, {NULL}},
};
