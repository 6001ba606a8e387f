#!/bin/bash
# dump.sh - Capture files, as Wireshark's own tools see them
#
# What tshark finds in a capture of a run must be what the daemon says happened:
# the same handshakes, the same ends, whole checksums, nothing lost.

. "$(dirname "$0")/lib.sh"

# Signals must reach tcphsctl itself, and Ctrl-C even as a job of a script.
start_dump()
{
	"$TCPHSCTL" -s "$SOCKET" dump "$@" 2>"$TMP/dump.err" &
	DUMP=$!
}

# A file begins with its head as soon as the daemon has begun.
dump_began()
{
	[ -s "$1" ]
}

stop_dump()
{
	kill -s "${1:-TERM}" "$DUMP"
	wait "$DUMP"
}

# fields FILE FILTER FIELD...: one line a packet.
fields()
{
	local file=$1 filter=$2 field args=()

	shift 2
	for field; do
		args+=(-e "$field")
	done
	tshark -n -r "$file" -o tcp.check_checksum:TRUE \
		-o ip.check_checksum:TRUE -Y "$filter" -T fields \
		"${args[@]}" 2>/dev/null
}

count()
{
	fields "$1" "$2" frame.number | wc -l
}

# packets FILE: as capinfos counts them.
packets()
{
	capinfos -M -c -T -r "$1" 2>/dev/null | cut -f2
}

write_conf <<END
[timers]
msl = 100ms
[capture]
snaplen = 96
[listener.echo]
port = 7
service = echo
[listener.http]
port = 80
service = http
[listener.chargen]
port = 19
service = chargen
END
start_daemon

echo '--- a reader that leaves'
mkfifo "$TMP/pipe"
"$TCPHSCTL" -s "$SOCKET" dump -w - >"$TMP/pipe" 2>"$TMP/dump.err" &
DUMP=$!
head -c 28 <"$TMP/pipe" >"$TMP/head"
check 'the head of a file' same 0a0d0d0a "$(head -c 4 "$TMP/head" | od -An -tx1 | tr -d ' ')"
dump_gone()
{
	! kill -0 "$DUMP" 2>/dev/null
}
check 'dump notices without a packet' wait_for 2 dump_gone
check 'and ends well' wait "$DUMP"

echo '--- a run, whole'
RUN=$TMP/run.pcapng
start_dump -w "$RUN" --snaplen 65575
check 'dump begins' wait_for 5 dump_began "$RUN"
# The kernel's view of the same.
tcpdump --immediate-mode -U -Z root -i "$IFACE" -w "$TMP/kernel.pcap" tcp port 7 \
	2>"$TMP/tcpdump.err" &
TCPDUMP=$!
check 'tcpdump, too' wait_for 10 grep -q 'listening on' "$TMP/tcpdump.err"
for i in 1 2 3; do
	echo "hello $i" | nc -N $OWN4 7 >/dev/null
	echo "hello $i" | nc -N $OWN6 7 >/dev/null
done
curl -s "http://$OWN4/bytes/3000000" | wc -c >"$TMP/got"
check 'a ping' ping -q -c 1 -W 5 $OWN4
check 'curl gets it all' same 3000000 "$(cat "$TMP/got")"
check_not 'port 99 is refused' nc -z $OWN4 99
# Daemon as client, to the kernel.
nc -l -N $HOST4 5000 </dev/null >/dev/null &
wait_for 5 sh -c 'ss -Hltn sport = :5000 | grep -q LISTEN'
ctl -q connect $HOST4 5000 </dev/null
# Somebody whose checksum is wrong; the daemon drops it.
/usr/bin/python3 - "$OWN4" "$HOST4" <<'END'
import logging, sys
logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.all import IP, TCP, conf, send
conf.verb = 0
send(IP(dst=sys.argv[1], src=sys.argv[2]) /
     TCP(sport=4444, dport=7, flags="S", chksum=1))
END
check 'all is over' wait_for 5 sh -c \
	"! '$TCPHSCTL' -s $SOCKET -q list state connected"
stop_dump INT
check 'dump ends well' same 0 $?
check 'capinfos reads it' capinfos "$RUN"
check 'times are nanoseconds' grep -q 'nanoseconds' <(capinfos "$RUN")
check 'nothing is lost' grep -q ', 0 lost' "$TMP/dump.err"
check 'it has what dump says' same \
	"$(sed 's/ .*//' "$TMP/dump.err")" "$(packets "$RUN")"
# Where there is no offload, the kernel writes a checksum of 0 as 0xffff, UDP's
# way (RFC 768). Such a sum is right (RFC 1624); tshark calls it bad.
KERNEL_ZERO="tcp.checksum == 0xffff and (ip.src == $HOST4 or ipv6.src == $HOST6)"
check 'checksums are whole, but one' same 1 "$(count "$RUN" \
	"(tcp.checksum.status == 0 or ip.checksum.status == 0) and
		!($KERNEL_ZERO)")"
check 'tshark finds no fault' same '' "$(tshark -n -r "$RUN" \
	-o tcp.check_checksum:TRUE -d tcp.port==1-65535,data \
	-q -z "expert,warn,tcp.port != 4444 and !($KERNEL_ZERO)" 2>/dev/null |
	sed -n 's/^ *\([0-9][0-9]* .*\)/\1/p' |
	grep -v -e 'Connection reset (RST)$')"

# The same handshakes as our log: SYNs that came, handshakes that were done.
logged()
{
	grep -c "$1" "$LOG"
}
check 'SYNs: tshark and the log agree' same \
	"$(logged 'Received SYN, sending SYN-ACK')" \
	"$(count "$RUN" 'tcp.flags.syn == 1 and tcp.flags.ack == 0 and
		frame.comment contains "LISTEN -> SYN-RECEIVED"')"
check 'SYN-ACKs, too' same "$(logged 'Received SYN, sending SYN-ACK')" \
	"$(count "$RUN" 'tcp.flags.syn == 1 and tcp.flags.ack == 1 and
		tcp.srcport != 5000')"
check 'handshakes, too' same "$(logged 'Received ACK, handshake completed')" \
	"$(count "$RUN" 'frame.comment contains "SYN-RECEIVED -> ESTABLISHED"')"
check 'our own, too' same 1 "$(count "$RUN" \
	'frame.comment contains "SYN-SENT -> ESTABLISHED"')"
check 'ends, too' same "$(logged 'Connection closed (FIN-ACK complete)')" \
	"$(count "$RUN" 'frame.comment contains "LAST-ACK -> CLOSED" or
		frame.comment contains "-> TIME-WAIT"')"
# And the same as our events, one by one: the ids of all handshakes.
check 'the events tell of the same connections' same \
	"$(ctl events --ndjson --since 5m | jq -r 'select(.event ==
		"handshake.completed") | .conn' | sort -V)" \
	"$(fields "$RUN" 'frame.comment contains "-> ESTABLISHED"' \
		frame.comment | sed 's/ .*//' | sort -V)"
# Times: of an event and of its packet, of a handshake and of its two packets. The
# kernel sees a SYN when the client sends it, we when we run.
kernel_syns()
{
	tshark -n -r "$TMP/kernel.pcap" -Y 'tcp.flags == 2 and
		tcp.srcport != 4444' -T fields -e frame.time_epoch \
		-e tcp.srcport 2>/dev/null
}
kernel_saw()
{
	same "$1" "$(kernel_syns | wc -l)"
}
check 'tcpdump saw six of them' wait_for 10 kernel_saw 6
check 'the events have the times of the packets' python3 - \
	<(ctl events --ndjson --since 5m) \
	<(fields "$RUN" 'frame.comment contains "SYN-RECEIVED"' \
		frame.time_epoch frame.comment) \
	<(kernel_syns) <<'END'
import calendar, json, sys, time

def epoch(text):
    whole, part = text.rstrip("Z").split(".")
    return (calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) +
            float("0." + part))

syns, off, late = {}, [], []
for line in open(sys.argv[1]):
    e = json.loads(line)
    if e["event"] == "syn.received":
        syns[e["conn"]] = [epoch(e["time"]), e["peer_port"]]
    elif e["event"] == "handshake.completed" and e["role"] == "server":
        syns[e["conn"]].append(e["hs_us"] / 1e6)
for line in open(sys.argv[2]):
    at, comment = line.rstrip("\n").split("\t")
    conn, before = comment.split()[:2]
    if before == "LISTEN":
        off.append(abs(float(at) - syns[conn][0]))
        syns[conn].append(float(at))
    else:
        told, begun = syns[conn][2:]
        off.append(abs(float(at) - begun - told))
# An event has the time of its turn, a packet that of its own: between the two
# the machine may do something else, but not as a rule.
off.sort()
assert len(off) == 14 and off[7] < 1e-3 and off[-1] < 1, off
ports = {port: at for at, port, *rest in syns.values()}
for line in open(sys.argv[3]):
    at, port = line.split()
    late.append(ports[int(port)] - float(at))
# We read the clock once a turn: who comes during one may come after that.
late = sorted(map(abs, late))
assert len(late) == 6 and late[0] < 0.1 and late[-1] < 5, late
END
kill $TCPDUMP
wait $TCPDUMP
# Each text of a client has its ACK, of the byte behind it, or of the FIN as well.
check 'each text is acknowledged' same '' "$(fields "$RUN" 'tcp.port == 7' \
	tcp.srcport tcp.dstport tcp.seq tcp.len tcp.ack | awk '
	$2 == 7 && $4 { end[$1] = $3 + $4 }
	$1 == 7 && $5 >= end[$2] { delete end[$2] }
	END { for (port in end) print port, end[port] }')"
check 'each connection has one stream' same 9 "$(fields "$RUN" \
	'frame.comment contains "SYN-RECEIVED" or
	 frame.comment contains "nobody listens" or
	 frame.comment contains "SYN-SENT"' tcp.stream | sort -u | wc -l)"
check 'a drop has its reason' same 1 "$(count "$RUN" 'frame.comment contains
	"dropped: wrong TCP checksum (RFC 9293, 3.1 (MUST-3))"')"
check 'the refusal is told' same 1 \
	"$(count "$RUN" 'frame.comment contains "nobody listens"')"
check 'each packet has a comment' same 0 "$(count "$RUN" '!frame.comment')"
check 'those of a ping, too' same 2 "$(count "$RUN" \
	'icmp and frame.comment == "no connection"')"
stream=$(fields "$RUN" 'frame.comment contains "c1 LISTEN -> "' tcp.stream)
check 'a connection is found by its name' same \
	"$(fields "$RUN" "tcp.stream == $stream" frame.number)" \
	"$(fields "$RUN" 'frame.comment matches "^c1( |$)"' frame.number)"
check 'directions are told' same \
	"$(count "$RUN" "ip.src == $OWN4 or ipv6.src == $OWN6")" \
	"$(count "$RUN" 'frame.packet_flags_direction == 2')"

echo '--- choosing'
start_dump -w "$TMP/few.pcapng" -c 3 sport = :7
check 'dump -c begins' wait_for 5 dump_began "$TMP/few.pcapng"
curl -s "http://$OWN4/bytes/10" >/dev/null
echo hi | nc -N $OWN4 7 >/dev/null
wait $DUMP
check 'dump -c ends by itself' same 0 $?
check 'it has 3 packets' same 3 "$(packets "$TMP/few.pcapng")"
check 'only those of the filter' same 3 \
	"$(count "$TMP/few.pcapng" 'tcp.port == 7')"
check 'dump --duration ends by itself' \
	ctl -q dump -w "$TMP/time.pcapng" --duration 300ms
start_dump -w "$TMP/cut.pcapng"
check 'dump of all begins' wait_for 5 dump_began "$TMP/cut.pcapng"
curl -s "http://$OWN4/bytes/100000" >/dev/null
cut_to()
{
	same "$1" "$(fields "$TMP/cut.pcapng" 'frame.len > 1000' \
		frame.cap_len | sort -u)"
}
check 'packets are cut to snaplen' wait_for 10 cut_to 96
stop_dump
check 'and tshark reads them' same 0 \
	"$(count "$TMP/cut.pcapng" '_ws.malformed')"
check 'a wrong filter is refused' exits 2 ctl dump -w "$TMP/no" state nowhere
check 'what packets do not know, too' exits 2 ctl dump -w "$TMP/no" 'rtt > 1ms'
check 'a capture that does not run cannot be stopped' exits 5 \
	ctl capture stop -w "$TMP/no"
check_not '... and none of them leaves a file' test -e "$TMP/no"
: >"$TMP/empty"
check_not 'an empty one that is there stays' eval '
	ctl dump -w "$TMP/empty" state nowhere || test ! -e "$TMP/empty"'
cp "$RUN" "$TMP/kept.pcapng"
check 'a wrong filter costs no file that is there' eval '
	exits 2 ctl dump -w "$TMP/kept.pcapng" state nowhere &&
	exits 5 ctl capture stop -w "$TMP/kept.pcapng" &&
	cmp "$RUN" "$TMP/kept.pcapng"'
check 'a good one does' eval 'ctl -q dump -w "$TMP/kept.pcapng" \
	--duration 50ms && [ "$(packets "$TMP/kept.pcapng")" = 0 ]'
check 'and no file' exits 2 ctl dump
check 'and a file that cannot be' exits 2 ctl dump -w "$TMP/no/such/file"

echo '--- pipes'
start_dump -w - > >(echo $BASHPID >"$TMP/pid" && exec tshark -n -l -r - -T fields -e frame.comment \
	>"$TMP/live" 2>/dev/null)
# As often as it takes until tshark is there to see it.
said_hello()
{
	echo hi | nc -N $OWN4 7 >/dev/null
	grep -q 'SYN-RECEIVED -> ESTABLISHED' "$TMP/live"
}
check 'packets come through a pipe as they pass' wait_for 10 said_hello
kill "$(cat "$TMP/pid")"
left()
{
	echo hi | nc -N $OWN4 7 >/dev/null
	! kill -0 $DUMP 2>/dev/null
}
wait_for 5 left
wait $DUMP
check 'a reader who leaves is no error' same 0 $?

echo '--- a reader who does not read'
SLOW=$TMP/slow.pcapng
readers()
{
	ctl stats --json | jq -e ".capture.readers == $1"
}
start_dump -w - --snaplen 65575 > >(
	wait_for 20 [ -e "$TMP/go" ]
	exec cat >"$SLOW"
)
check 'the daemon watches for it' wait_for 5 readers 1
for i in 1 2 3; do
	timeout 5 curl -s "http://$OWN4/bytes/30000000" | wc -c
done >"$TMP/got"
check 'does not hold up the others' same "$(printf '30000000\n%.0s' 1 2 3)" \
	"$(cat "$TMP/got")"
check 'loses packets' sh -c "'$TCPHSCTL' -s $SOCKET stats --json |
	jq -e '.capture.lost > 0'"
: >"$TMP/go"
slow_has()
{
	[ "$(stat -c %s "$SLOW")" -ge "$1" ]
}
check 'then reads what was kept' wait_for 10 slow_has 4000000
echo hi | nc -N $OWN4 7 >/dev/null
stop_dump
check 'and ends well' same 0 $?
check 'the file says how many are missing' same \
	"$(sed 's/.*written, \([0-9]*\) lost.*/\1/' "$TMP/dump.err")" \
	"$(fields "$SLOW" 'frame.drop_count' frame.drop_count |
		awk '{ n += $1 } END { print n }')"
check_not 'in words, too' same 0 "$(count "$SLOW" \
	'frame.comment matches "[1-9][0-9]* packets? before it (is|are) not in"')"
check 'nobody watches any more' wait_for 5 readers 0

echo '--- the end of the daemon'
start_dump -w "$TMP/last.pcapng"
check 'dump begins once more' wait_for 5 dump_began "$TMP/last.pcapng"
echo hi | nc -N $OWN4 7 >/dev/null
check 'the daemon ends well' stop_daemon
wait $DUMP
check 'and so does dump' same 0 $?
check 'with all it saw' same \
	"$(sed 's/ .*//' "$TMP/dump.err")" "$(packets "$TMP/last.pcapng")"
summary
