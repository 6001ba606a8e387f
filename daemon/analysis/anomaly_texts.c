/*
 * anomaly_texts.c - What may be behind an oddity, and what to do
 *
 * Innocent causes come first, because mostly it is one of them. tcphs-analysis(7)
 * has the same sentences.
 */
#include <tcphs/analysis.h>

#include <string.h>

#include <tcphs/explain.h>

#include "core/assert.h"

struct text {
	const char *causes, *advice;
};

#define TEXT(kind, causes, advice) [ANOMALY_##kind] = {causes, advice}

static const struct text anomalies[] = {
	TEXT(SYNACK_ACK_MISMATCH,
	     "A late answer to an earlier attempt from the same port; a broken "
	     "load balancer; somebody guesses.",
	     "Look for an earlier SYN with that number. If there is none, see "
	     "whose TTL the packet has."),
	TEXT(ACK_OUT_OF_WINDOW,
	     "Packets before it are missing in the capture; a scan by ACKs; a "
	     "guess at a connection of others.",
	     "Check whether the capture lost packets. A single one that nobody "
	     "answers does no harm."),
	TEXT(SEQ_OUT_OF_WINDOW,
	     "Packets before it are missing in the capture; a peer that forgot "
	     "the connection; injected text.",
	     "See whether the receiver answers with an ACK of what it expects, "
	     "as it must, and whether the TTL is that of the rest."),
	TEXT(ISN_CHANGED,
	     "A client that opens another socket with the same port; a "
	     "translator that maps two clients to one port.",
	     "Nothing, if one of the attempts succeeds."),
	TEXT(SYNACK_TWO_ISN,
	     "SYN cookies whose secret has changed; two servers behind one "
	     "address; somebody answers in the place of the server.",
	     "Compare the TTLs of the SYN-ACKs. Two servers need a balancer "
	     "that keeps a connection with one of them."),
	TEXT(DATA_BEFORE_ESTABLISHED,
	     "The ACK was overtaken or not captured; TCP Fast Open; a server "
	     "that does not wait.",
	     "Nothing: text that comes early is kept."),
	TEXT(RST_OUT_OF_WINDOW,
	     "A reset that came very late; a firewall that has lost count; "
	     "somebody wants the connection to end.",
	     "Nothing, if the connection went on. If it did not, one of its "
	     "ends does not check resets."),
	TEXT(RST_NOT_EXACT,
	     "A reset that crossed text; a firewall that ends idle "
	     "connections; a guess within the window.",
	     "See whether it was answered with an ACK, and what came then."),
	TEXT(RST_TTL_MISMATCH,
	     "A firewall on the path resets for the server; the path changed; "
	     "somebody else sent it.",
	     "The difference of the TTLs says how far from the end it was "
	     "made."),
	TEXT(RST_IGNORED,
	     "The reset was not exact, and its receiver asked back; it was "
	     "lost behind the capture.",
	     "Nothing: whoever sent it did not get what it wanted."),
	TEXT(RST_AFTER_FIN,
	     "A program that closes without reading all of it; text that came "
	     "for a socket that is gone.",
	     "If the other side loses text by it, have the program read until "
	     "the end first."),
	TEXT(SYN_IN_ESTABLISHED,
	     "The client restarted and uses the port again; a translator mixes "
	     "up two clients; a blind attack.",
	     "A client that comes again must get an ACK, and will reset and "
	     "call once more."),
	TEXT(FLAGS_NONE, "A broken network card or program; a scan.",
	     "Look for other ports that the same source asked."),
	TEXT(FLAGS_SYN_FIN, "T/TCP of long ago; a scan.",
	     "Look for other ports that the same source asked."),
	TEXT(FLAGS_SYN_RST, "A broken program; a scan.",
	     "Look for other ports that the same source asked."),
	TEXT(FLAGS_XMAS, "A broken program; a scan.",
	     "Look for other ports that the same source asked."),
	TEXT(FIN_WITHOUT_ACK, "A broken program; a scan.",
	     "Look for other ports that the same source asked."),
	TEXT(FLAGS_ODD, "A broken program; a scan.",
	     "Look for other ports that the same source asked."),
	TEXT(RESERVED_BITS,
	     "A new extension of TCP; a broken network card; a scan that wants "
	     "to know the system.",
	     "Nothing: receivers must not look at them."),
	TEXT(NO_MSS, "A very small stack; a middlebox that takes options off.",
	     "The other side sends 536 bytes at once, 1220 over IPv6. Look at "
	     "the SYN on the other side of the path."),
	TEXT(MSS_TINY,
	     "A link with very small packets; a test; an attempt to "
	     "make the other side work much for little.",
	     "Ask whoever runs that end."),
	TEXT(WS_OVER_14, "A broken stack.",
	     "Nothing: receivers take 14 instead."),
	TEXT(OPTION_TRUNCATED,
	     "A broken stack or middlebox; a capture that damaged packets; a "
	     "test.",
	     "Look at the packet's bytes at its first bad option."),
	TEXT(OPTIONS_CHANGED,
	     "A client that got no answer and tries with fewer options; a "
	     "middlebox that changes the size.",
	     "Find out who does not answer SYNs with all options."),
	TEXT(TS_MISSING, "A middlebox that takes options off; a broken stack.",
	     "A receiver may drop such segments: look whether they are "
	     "acknowledged."),
	TEXT(TS_BACKWARDS,
	     "Several machines behind one address; a segment that comes again "
	     "after a restart; forged text.",
	     "If the receiver drops it (PAWS), have the translator keep the "
	     "machines apart."),
	TEXT(OFFERED_NOT_GRANTED,
	     "The server does not know the option or has it switched off; a "
	     "SYN cookie could not carry it; a middlebox took it off.",
	     "Without window scaling 64 KiB a round trip is all there is: "
	     "compare the SYN on both sides of the path."),
	TEXT(SYN_RETRANSMITTED,
	     "The SYN or its answer was lost; the server has no room; a "
	     "firewall drops it.",
	     "Capture at the server: whether the SYN comes there decides whom "
	     "to ask."),
	TEXT(SYNACK_RETRANSMITTED,
	     "The SYN-ACK or the client's ACK was lost; the server's accept "
	     "queue is full; the client never asked.",
	     "Look whether the client's ACK is there: then it is the server's "
	     "queue."),
	TEXT(FINAL_ACK_LOST,
	     "The ACK was lost behind the capture; the server's accept queue "
	     "is full, and it forgot the ACK.",
	     "On Linux, nstat counts TcpExtListenOverflows."),
	TEXT(RETRANSMIT, "Losses: a full queue, a radio link.",
	     "Few are usual. Many on one path: look where its queue "
	     "overflows."),
	TEXT(SPURIOUS_RETRANSMIT,
	     "ACKs were lost or late; a round trip that became much longer at "
	     "once.",
	     "Look for bufferbloat or a path that changes; it costs little "
	     "otherwise."),
	TEXT(DUPLICATE,
	     "A mirror port that shows a packet as it comes in and as it goes "
	     "out; a capture on all interfaces of a bridge; a path that "
	     "doubles packets.",
	     "Capture in one place, or in one direction of the port. Copies "
	     "are not counted as sent again."),
	TEXT(REORDERED,
	     "Several paths, queues or links; a capture of several queues.",
	     "Nothing, unless the sender takes it for losses."),
	TEXT(ZERO_WINDOW, "The program does not read fast enough.",
	     "Look at the program on that side, not at the network."),
	TEXT(ZERO_WINDOW_SYN,
	     "A server that wants to wait with text; a tarpit.",
	     "See whether the window opens later."),
	TEXT(WINDOW_FULL,
	     "The receiver's buffer is smaller than what is on its way; its "
	     "program is slow.",
	     "If it is not followed by a closed window, a larger receive "
	     "buffer makes it faster."),
	TEXT(SILLY_WINDOW,
	     "An old or very small stack; a program that reads byte by byte.",
	     "It costs many small segments: have the program read more at "
	     "once."),
	TEXT(WINDOW_SHRUNK,
	     "Memory of the receiver became scarce; a middlebox changes "
	     "windows.",
	     "Nothing, unless text beyond the new edge is lost again and "
	     "again."),
	TEXT(HALF_CLOSED_LONG,
	     "A client that has said all and waits for a long answer.",
	     "Nothing: that is what closing one direction is for."),
	TEXT(FIN_UNACKED,
	     "The other side is gone or unreachable; a firewall forgot the "
	     "connection.",
	     "Look whether it still answers anything."),
	TEXT(FIN_WAIT2_STUCK,
	     "A program that forgot to close its side; it is still busy.",
	     "Look for sockets in CLOSE-WAIT on that side: ss -t state "
	     "close-wait."),
	TEXT(TIME_WAIT_REUSE,
	     "A client that opens many connections and has few ports.",
	     "Nothing while it works: the new number tells both apart."),
	TEXT(CLOSE_BY_RESET,
	     "A program that ends in a hurry, or was killed; a limit or "
	     "timeout; a firewall.",
	     "If text was still on its way it is lost: see who sent it and how "
	     "much was unacknowledged."),
	TEXT(SLOW_HANDSHAKE,
	     "A long path; a lost SYN, which costs a second; a busy server.",
	     "The legs say on which side of the capture the time went."),
	TEXT(SLOW_LEG_SERVER,
	     "A long path to the server; a server under load or asleep.",
	     "Compare with later round trips: if those are short, it was the "
	     "server."),
	TEXT(SLOW_LEG_CLIENT,
	     "A long path to the client; a client under load; a phone that "
	     "slept.",
	     "Compare with later round trips: if those are short, it was the "
	     "client."),
	TEXT(BACKLOG_WAIT,
	     "A program that does not accept its connections fast enough; "
	     "several SYNs in a row were lost; a limit of SYNs on the path.",
	     "Look at the server: ss -lt shows its queue, and nstat counts "
	     "TcpExtListenOverflows. A larger backlog bridges bursts only."),
	TEXT(TTL_SHIFT,
	     "Several paths of different length; a proxy that answers for one "
	     "side; packets put in from elsewhere.",
	     "Alone it says nothing; see which packets have the other TTL."),
	TEXT(DIFFERENT_DATA,
	     "A broken network card or memory; a middlebox that rewrites; "
	     "somebody answers before the server does.",
	     "Compare both copies byte by byte: damage is a few bits, a forged "
	     "answer another text."),
	TEXT(OVERLAP_DATA,
	     "A middlebox that cuts text anew and rewrites it; somebody "
	     "answers before the server does; a test of how both ends put "
	     "text together.",
	     "Which copy the receiver took shows in what it says next. "
	     "Compare the TTLs of both."),
	TEXT(MSS_CHANGED,
	     "A router or firewall in front of a tunnel makes segments fit; "
	     "that is what it is for.",
	     "Nothing: the smaller one is in use. It says that the path has "
	     "a smaller packet size than the ends."),
	TEXT(CHECKSUM_BAD, "Damage on the way, by a link or a memory.",
	     "Many of them: look for the device behind which they begin."),
	TEXT(CHECKSUM_OFFLOAD,
	     "The capture was made on the sender, before its network card "
	     "computed the sum.",
	     "Nothing; capture elsewhere, or switch offloading off, to see "
	     "real sums."),
	TEXT(ASYMMETRIC,
	     "The other direction takes another path; a mirror port for one "
	     "direction only.",
	     "Capture at one of the ends to see both."),
	TEXT(ICMP_FRAG_NEEDED,
	     "A tunnel on the path; this is how its size is found out.",
	     "Nothing, if segments are smaller afterwards. If they are not, "
	     "the message does not reach the sender."),
	TEXT(MTU_BLACKHOLE,
	     "A link with smaller packets, a tunnel mostly, and a firewall "
	     "that drops the ICMP message that would say so.",
	     "Let ICMP \"too big\" pass, or have the router in front of the "
	     "link reduce the maximum segment size; on Linux, "
	     "net.ipv4.tcp_mtu_probing=1 finds a way around."),
	TEXT(ICMP_ERROR,
	     "Nobody there, or a firewall that says so; a route that is gone.",
	     "Type and code say what, and the sender of the message where."),
};

#undef TEXT
#define TEXT(kind, causes, advice) [FINDING_##kind] = {causes, advice}

static const struct text findings[] = {
	TEXT(SYN_FLOOD,
	     "A load test; many clients of a server that just died, at their "
	     "first try; an attack, mostly with forged sources.",
	     "Many sources that never come back are forged: SYN cookies help, "
	     "filters by address do not."),
	TEXT(HALF_OPEN_HIGH,
	     "Clients on a path that loses what the server answers; a "
	     "firewall that lets SYNs pass and nothing else; a flood that is "
	     "slow enough not to be noticed.",
	     "See whether the server still answers others: its queue holds "
	     "so many, for a minute each. SYN cookies help."),
	TEXT(PORT_SCAN,
	     "An inventory or monitoring of your own; a client with a wrong "
	     "list of ports; somebody looks for services.",
	     "Ask who runs the source before blocking it."),
	TEXT(HOST_SCAN,
	     "An inventory or monitoring of your own; a program that looks for "
	     "its peers; a worm.",
	     "Look at the port: it says what is looked for."),
	TEXT(BACKSCATTER,
	     "A capture that lacks the requests; the answering server is being "
	     "flooded by somebody who forges your addresses.",
	     "Nothing to do here; its owner may want to know."),
	TEXT(LAND, "A test; an attack on stacks of long ago.",
	     "Nothing: drop packets from your own addresses at the border."),
};

#undef TEXT

_Static_assert(sizeof(anomalies) / sizeof(*anomalies) == ANOMALY_NKINDS,
	       "a text for each");
_Static_assert(sizeof(findings) / sizeof(*findings) == FINDING_NKINDS,
	       "a text for each");

const char *anomaly_causes(unsigned int kind)
{
	ASSERT(kind < ANOMALY_NKINDS);
	return anomalies[kind].causes;
}

const char *anomaly_advice(unsigned int kind)
{
	ASSERT(kind < ANOMALY_NKINDS);
	return anomalies[kind].advice;
}

const char *finding_causes(unsigned int kind)
{
	ASSERT(kind < FINDING_NKINDS);
	return findings[kind].causes;
}

const char *finding_advice(unsigned int kind)
{
	ASSERT(kind < FINDING_NKINDS);
	return findings[kind].advice;
}

bool explain_judged(const char *code, struct explain_judged *out)
{
	for (unsigned int i = 0; i < ANOMALY_NKINDS; i++) {
		if (strcmp(code, anomaly_name(i)) != 0)
			continue;
		*out = (struct explain_judged){
			.meaning = anomaly_meaning(i),
			.severity = severity_name(anomaly_severity(i)),
			.clause = anomaly_clause(i),
			.causes = anomaly_causes(i),
			.advice = anomaly_advice(i),
		};
		return true;
	}
	for (unsigned int i = 0; i < FINDING_NKINDS; i++) {
		if (strcmp(code, finding_name(i)) != 0)
			continue;
		*out = (struct explain_judged){
			.meaning = finding_meaning(i),
			.severity = severity_name(SEVERITY_WARNING),
			.clause = "",
			.causes = finding_causes(i),
			.advice = finding_advice(i),
		};
		return true;
	}
	return false;
}
