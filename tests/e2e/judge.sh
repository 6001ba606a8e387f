#!/bin/bash
# judge.sh - What tshark says of every segment we send in a mixed session
#
# All traffic of tcphs0 is captured while real clients ping, talk, load, break
# off and reset, by IPv4 and IPv6. Without offload, so that the checksums are
# ours and on the wire. Only the IP and TCP dissectors judge: what the services
# say in their segments is another test's matter.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

PCAP=$TMP/session.pcap
OURS="(ip.src == $OWN4 || ipv6.src == $OWN6)"

# session ADDRESS: a bit of everything.
session()
{
	local url=http://$1

	[[ $1 != *:* ]] || url="http://[$1]"
	ping -c 3 -i 0.05 -s 1400 "$1" &&
		same hello "$(echo hello | nc -N "$1" 7)" &&
		nc "$1" 13 </dev/null && nc "$1" 17 </dev/null &&
		negate nc "$1" 9999 &&
		curl -sS "$url/" && curl -sS -o "$TMP/got" "$url/bytes/500000" &&
		curl -sS -T "$TMP/file" "$url/upload" &&
		nc -N "$1" 7 <"$TMP/file" | cmp - "$TMP/file" &&
		timeout 60 python3 - "$1" <<'PY'
import socket, struct, sys, time

def client(port, rcvbuf=0):
    s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else
                      socket.AF_INET)
    if rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    s.connect((sys.argv[1], port))
    return s

# A reader who pauses: our window probes, and then he breaks off.
s = client(19, 4096)
time.sleep(1)
s.recv(100000)
s.close()
# One who resets, one who closes half, one whose window is tiny.
s = client(7)
s.sendall(b"reset")
s.recv(5)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
s = client(7, 4096)
s.sendall(b"x" * 100000)
s.shutdown(socket.SHUT_WR)
while s.recv(1000):
    pass
PY
}

# dissected FILTER [ARG...]: tshark's words on the packets that match. What TCP
# carries is data to it: random bytes look like some protocol now and then.
dissected()
{
	local filter=$1

	shift
	tshark -r "$PCAP" -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE \
		-d tcp.port==1-65535,data \
		-Y "$filter" "$@" 2>"$TMP/tshark"
}

# none FILTER: no packet matches.
none()
{
	if ! dissected "$1" >"$TMP/found"; then
		cat "$TMP/tshark"
		return 1
	fi
	cat "$TMP/found"
	[ ! -s "$TMP/found" ]
}

# at_least N FILTER
at_least()
{
	local n

	n=$(dissected "$2" | wc -l)
	echo "$n packets"
	[ "$n" -ge "$1" ]
}

# opinions: tshark's errors and warnings about our segments, without these:
#   Connection reset    any RST has it; those here were asked for
#   TCP window specified by the receiver is now completely full
#                       a window may be filled to the last byte
#   D-SACK Sequence     the kernel sent something twice, as it does when the
#                       machine is busy, and we say so (RFC 2883)
opinions()
{
	dissected "$OURS" -q -z "expert,warn,$OURS" >"$TMP/opinions" ||
		cat "$TMP/tshark"
	grep -q '^Warns' "$TMP/opinions" || echo 'no opinion, not even of RSTs'
	sed -n 's/^ *\([0-9][0-9]* .*\)/\1/p' "$TMP/opinions" |
		grep -v -e 'TCP  Connection reset (RST)$' -e \
		'TCP  TCP window specified by the receiver is now completely full$' \
		-e 'TCP  D-SACK Sequence$'
}

start_daemon -D interface.offload=off
head -c 500000 /dev/urandom >"$TMP/file"
tcpdump --immediate-mode -s 2048 -B 65536 -Z root -i "$IFACE" -w "$PCAP" \
	2>"$TMP/tcpdump" &
capture=$!
check 'the capture runs' wait_for 10 grep -q 'listening on' "$TMP/tcpdump"
check 'a session by IPv4' session "$OWN4"
check 'a session by IPv6' session "$OWN6"
exec 3<>"/dev/tcp/$OWN4/7"
check 'a reset by the operator' ctl close last --rst
exec 3>&- 3<>"/dev/tcp/$OWN6/7"
check 'a daemon that stops' stop_daemon
exec 3>&-
wait $capture
check 'the capture is complete' \
	grep -q '^0 packets dropped by kernel' "$TMP/tcpdump"

check 'there is much to judge' at_least 1000 "$OURS && tcp"
check 'and of every kind' at_least 3 "$OURS && tcp.flags.syn == 1"
check '... FIN' at_least 3 "$OURS && tcp.flags.fin == 1"
check '... RST' at_least 3 "$OURS && tcp.flags.reset == 1"
check '... window probe' at_least 1 "$OURS && tcp.analysis.zero_window_probe"
check '... echo reply' at_least 6 "$OURS && (icmp || icmpv6)"
check 'every TCP checksum is right' \
	none "$OURS && tcp && tcp.checksum.status != 1"
check 'every IP header checksum is right' \
	none "$OURS && ip && ip.checksum.status != 1"
check 'every ICMP checksum is right' none \
	"$OURS && (icmp || icmpv6) && icmp.checksum.status != 1 &&
	icmpv6.checksum.status != 1"
check 'no segment is larger than the MTU' none "$OURS && frame.len > 1500"
check 'none is malformed' none "$OURS && _ws.malformed"
check 'no padding or trailing bytes' none \
	"$OURS && (ip.len != frame.len || ipv6.plen + 40 != frame.len)"
check 'no error and no warning but those three' same '' "$(opinions)"
summary
