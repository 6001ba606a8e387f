#!/bin/bash
# pair.sh - Two daemons, two namespaces, and no kernel's TCP in between
#
# One connects to the other; both logs show the handshake, and people at both
# ends talk. Two hosts that forward stand between them.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

OTHER4=198.18.68.2
OTHER=$TMP/other.sock

write_conf <<'CONF'
[timers]
msl = 100ms
[listener.talk]
port = 8090
service = chat
allow = any
CONF

# A second host, with a daemon of its own behind it.
other_host()
{
	ip netns add other &&
		ip link add wire0 type veth peer name wire0 netns other &&
		ip addr add 198.18.67.1/24 dev wire0 && ip link set wire0 up &&
		in_other ip addr add 198.18.67.2/24 dev wire0 &&
		in_other ip link set wire0 up && in_other ip link set lo up &&
		ip route add 198.18.68.0/24 via 198.18.67.2 &&
		in_other ip route add 198.18.66.0/24 via 198.18.67.1 &&
		sysctl -qw net.ipv4.ip_forward=1 &&
		in_other sysctl -qw net.ipv4.ip_forward=1
}

in_other()
{
	ip netns exec other "$@"
}

other_daemon()
{
	ip netns exec other "$TCPHSD" --foreground -c "$CONF" \
		-D control.socket="$OTHER" \
		-D interface.host_address4=198.18.68.1/24 \
		-D interface.address4=$OTHER4 -D interface.host_address6= \
		-D interface.address6= >"$TMP/other.log" 2>&1 &
	DAEMON2=$!
	wait_for 10 grep -q 'Ready on' "$TMP/other.log"
}

other_ctl()
{
	"$TCPHSCTL" -s "$OTHER" "$@"
}

has()
{
	grep -q -- "$2" "$TMP/$1" && return 0
	echo "no line like '$2' in:"
	cat "$TMP/$1"
	return 1
}

# steps LOG ROLE: what a log says of that role, without times and ends.
steps()
{
	sed -nE "s/^[0-9:.]+ c[0-9]+ \\[$2\\] (.*[^ ])  [^ ]+ -> [^ ]+\$/\\1/p" "$1"
}

check 'a second host' other_host
check 'starts' start_daemon
check 'the other starts' other_daemon

# Whoever connects says hello and ends; the one who is attached ends, too.
mkfifo "$TMP/in"
other_ctl connect --classic "$OWN4" 8090 <"$TMP/in" >"$TMP/client.out" \
	2>"$TMP/client.err" &
client=$!
exec 5>"$TMP/in"
check 'one connects to the other' \
	wait_for 5 has client.err "^Connected to Server at $OWN4:8090\$"
check 'somebody reads it' wait_for 5 ctl -q list listener = talk
mkfifo "$TMP/in2"
ctl attach --classic last <"$TMP/in2" >"$TMP/server.out" \
	2>"$TMP/server.err" 5>&- &
server=$!
exec 6>"$TMP/in2"
echo 'Hello, server' >&5
check 'the client says something' \
	wait_for 5 has server.out '^Client: Hello, server$'
echo 'Hello, client' >&6
check 'the server answers' wait_for 5 has client.out '^Server: Hello, client$'
check 'each repeats what it said' has client.out '^You: Hello, server$'
exec 5>&-
check 'the client closes' wait_for 5 has server.err '^Client disconnected\.$'
exec 6>&-
check 'both end well' eval 'wait $client && wait $server'
check 'the client knows that it was the first' \
	has client.err '^Connection closed by Client$'

wait_for 5 grep -q 'Connection closed' "$LOG"
wait_for 5 grep -q 'Connection closed' "$TMP/other.log"
check 'the log of the client' diff - <(steps "$TMP/other.log" Client |
	sed -E 's/in [0-9.]+ ms/in N ms/') <<LINES
Sending SYN to $OWN4:8090
Received SYN-ACK, sending ACK
Handshake completed in N ms
Sending FIN
Received FIN, sending ACK
Connection closed (FIN-ACK complete)
LINES
check 'the log of the server' diff - <(steps "$LOG" Server) <<'LINES'
Received SYN, sending SYN-ACK
Received ACK, handshake completed
Received FIN, sending ACK
Sending FIN
Connection closed (FIN-ACK complete)
LINES
# The clock of both is the machine's.
check 'the four of a handshake in order' diff - <(
	{ ctl events --ndjson && other_ctl events --ndjson; } |
		jq -rs 'sort_by(.mono_us)[].message' |
		grep -E ' SYN| ACK, hand'
) <<LINES
[Client] Sending SYN to $OWN4:8090
[Server] Received SYN, sending SYN-ACK
[Client] Received SYN-ACK, sending ACK
[Server] Received ACK, handshake completed
LINES

check 'probe says so, too' other_ctl -q probe -c 1 --expect open "$OWN4" 8090
check 'and the other way round: refused' \
	ctl -q probe -c 1 --expect refused "$OTHER4" 8091

kill -TERM $DAEMON2
check 'the other stops' wait $DAEMON2
check 'stops' stop_daemon
summary
