#!/bin/bash
# transfer.sh - Many bytes, both ways at once, and none of them may differ
#
# With nc, socat and curl, by IPv4 and IPv6: over the bare TUN with and without
# offload and with both extremes of MTU, then over a path that loses 5 % of the
# packets in each direction, and over one that delays and reorders them.
# How long each took is printed for the reader; no check depends on it. With 5 %
# of ACKs lost as well, what a sender without BBR does is wait: a window of five
# segments ends in a timeout of 200 ms every hundred segments or so.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# What is sent again within 3 ms of a hole's report looks like reordering.
JUDGE_ALLOWS+='
TCP  This frame is a (suspected) out-of-order segment$'

MB=1000000
BIG=100
SMALL=20
FILE=$TMP/file
WHERE=()	# how to get to where the clients are

# a_file MB: what is sent, and its sum.
a_file()
{
	head -c $(($1 * MB)) /dev/urandom >"$FILE"
	SUM=$(sha256sum <"$FILE")
	SUM=${SUM%% *}
	python3 -c 'import sys
n = int(sys.argv[1])
sys.stdout.buffer.write((bytes(range(251)) * (n // 251 + 1))[:n])' \
		$(($1 * MB)) >"$TMP/pattern"
	PATTERN=$(sha256sum <"$TMP/pattern")
	PATTERN=${PATTERN%% *}
	rm "$TMP/pattern"
	SIZE=$1
}

there()
{
	timeout 200 "${WHERE[@]}" "$@"
}

by_nc()
{
	same "$SUM  -" "$(there nc -N "$1" 7 <"$FILE" | sha256sum)"
}

by_socat()
{
	local to=$1

	[[ $to != *:* ]] || to="[$to]"
	same "$SUM  -" "$(
		there socat -t 200 - "TCP:$to:7" <"$FILE" | sha256sum)"
}

# One connection uploads and another one downloads at the same time.
by_curl()
{
	local to=$1 up=0

	[[ $to != *:* ]] || to="[$to]"
	there curl -sS -T "$FILE" "http://$to/upload" >"$TMP/up" &
	same "$PATTERN  -" "$(there curl -sS \
		"http://$to/bytes/$((SIZE * MB))" | sha256sum)" || up=1
	wait $! || up=1
	same "{\"length\":$((SIZE * MB)),\"sha256\":\"$SUM\"}" \
		"$(cat "$TMP/up")" && [ "$up" = 0 ]
}

# timed FILE COMMAND...: how long it took, as text into the file.
timed()
{
	local file=$1 began=${EPOCHREALTIME/./} us code=0

	shift
	"$@" || code=$?
	us=$((${EPOCHREALTIME/./} - began))
	printf '%d MB each way in %d.%02d s, %d MB/s\n' "$SIZE" \
		$((us / 1000000)) $((us / 10000 % 100)) \
		$((SIZE * 1000000 / us)) >"$file"
	return $code
}

# transfers WORDS ADDRESS: with all three clients, one after the other.
transfers()
{
	local by

	for by in nc socat curl; do
		check "$by, $1" timed "$TMP/took" "by_$by" "$2"
		sed 's/^/     /' "$TMP/took"
	done
}

# together WORDS ADDRESS: with all three at the same time, since under loss
# each of them waits for timers most of the time.
together()
{
	local by pids=() i=0

	for by in nc socat curl; do
		timed "$TMP/took.$by" "by_$by" "$2" >"$TMP/said.$by" 2>&1 &
		pids+=($!)
	done
	for by in nc socat curl; do
		check "$by, $1" finished "$by" "${pids[i++]}"
		sed 's/^/     /' "$TMP/took.$by"
	done
}

finished()
{
	wait "$2" && return 0
	cat "$TMP/said.$1"
	return 1
}

# lost WAY: packets that the relay lost there.
lost()
{
	sed -n "s/^$1: .* packets, \([0-9]*\) lost.*/\1/p" "$RELAYED"
}

nothing_open()
{
	same '' "$(ctl list -H state all)"
}

write_conf <<'EOF'
[log]
handshakes = no
level = notice

[listener.echo]
port = 7
service = echo
allow = any

[listener.http]
port = 80
service = http
allow = any
EOF

# --- over the bare TUN ------------------------------------------------------

a_file $BIG
check 'starts with offload' start_daemon -D interface.offload=on
transfers 'IPv4' "$OWN4"
transfers 'IPv6' "$OWN6"
check 'stops' stop_daemon

a_file $SMALL
for variant in 'off 1500' 'on 65520' 'off 65520'; do
	read -r offload mtu <<<"$variant"
	check "starts with offload $offload, MTU $mtu" start_daemon \
		-D "interface.offload=$offload" -D "interface.mtu=$mtu"
	transfers "offload $offload, MTU $mtu, IPv4" "$OWN4"
	transfers "offload $offload, MTU $mtu, IPv6" "$OWN6"
	check 'stops' stop_daemon
done

# --- over a bad path --------------------------------------------------------

WHERE=(ip netns exec client)
check 'starts' start_daemon -D interface.offload=off -D timers.msl=1s
check 'a path with 5 % loss each way' start_relay -l 50000 -t 400
a_file $BIG
together '5 % loss each way, IPv4' "$OWN4"
a_file $SMALL
together '5 % loss each way, IPv6' "$OWN6"
check 'everything is closed while the path is there' wait_for 30 nothing_open
check 'ends' stop_relay
cat "$RELAYED"
check 'packets were lost on the way up' test "$(lost up)" -gt 1000
check 'and on the way down' test "$(lost down)" -gt 1000

check 'a path that delays by 5 ms and reorders 1 %' \
	start_relay -d 5000 -r 10000
together 'delay and reordering, IPv4' "$OWN4"
together 'delay and reordering, IPv6' "$OWN6"
# The FINs of the last clients are on their way still.
check 'nothing is left open' wait_for 20 nothing_open
check 'ends' stop_relay
check 'stops' stop_daemon
summary
