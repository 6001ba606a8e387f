#!/bin/bash
# analyze.sh - Our judge of captures beside tshark, on captures of our own
#
# What tshark sees in the same files is the yardstick where it counts packets:
# which steps of a handshake are there, options, bytes, what came again. Where
# it errs by its own rules (reference in the comments of analyze_compare.py),
# the comparison knows.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

# What is sent again within the time of a slow handshake is out of order to it.
JUDGE_ALLOWS+='
TCP  This frame is a (suspected) out-of-order segment$'

COMPARE="$ROOT/tests/e2e/analyze_compare.py"

# capture_on NAMESPACE INTERFACE FILE: until stop_capture. With --immediate-mode
# the buffer has a place of the snap length for each packet.
capture_on()
{
	ip netns exec "$1" tcpdump --immediate-mode -s 2048 -B 131072 -Z root \
		-i "$2" -w "$3" 2>"$TMP/tcpdump" &
	CAPTURE=$!
	wait_for 10 grep -q 'listening on' "$TMP/tcpdump"
}

stop_capture()
{
	kill -s INT "$CAPTURE"
	wait "$CAPTURE"
}

# Or bytes and what came again cannot be compared.
nothing_lost()
{
	cat "$TMP/tcpdump"
	grep -q '^0 packets dropped by kernel' "$TMP/tcpdump"
}

analyze()
{
	"$TCPHSCTL" analyze "$@"
}

# url ADDRESS
url()
{
	case $1 in
	*:*) echo "http://[$1]/" ;;
	*) echo "http://$1/" ;;
	esac
}

compare()
{
	python3 "$COMPARE" "$TCPHSCTL" "$@"
}

write_conf <<'CONF'
[log]
handshakes = no

[listener.echo]
port = 7
service = echo
allow = any

[listener.web]
port = 80
service = http
allow = any
CONF

# --- a path that loses and turns packets round --------------------------------

head -c 3000000 /dev/urandom >"$TMP/file"
check 'starts' start_daemon -D interface.offload=off
check 'a bad path' start_relay -l 20000 -r 20000 -d 5000
check 'a capture' capture_on client path0 "$TMP/bad.pcap"
for to in "$OWN4" "$OWN6"; do
	check "3 MB through it to $to" same "$(sha256sum <"$TMP/file")" \
		"$(timeout 60 ip netns exec client nc -N "$to" 7 \
			<"$TMP/file" | sha256sum)"
	check "a refused port of $to" exits 1 \
		timeout 10 ip netns exec client nc -z "$to" 9
	for _ in 1 2 3 4 5; do
		timeout 20 ip netns exec client curl -s -o /dev/null \
			"$(url "$to")"
	done
done
check 'it ends' stop_capture
check 'tcpdump lost nothing' nothing_lost
check 'agrees with tshark on a bad path' compare "$TMP/bad.pcap"
check 'stops' stop_daemon
summary
