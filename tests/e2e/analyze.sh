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

# capture_on FILE INTERFACE [COMMAND...]: by that command, until stop_capture.
# With --immediate-mode the buffer has a place of the snap length for each packet.
CAPTURES=()
capture_on()
{
	local file=$1 interface=$2

	shift 2
	"$@" tcpdump --immediate-mode -s 2048 -B 131072 -Z root \
		-i "$interface" -w "$file" 2>"$file.log" &
	CAPTURES+=("$!")
	wait_for 10 grep -q 'listening on' "$file.log"
}

stop_captures()
{
	kill -s INT "${CAPTURES[@]}"
	wait "${CAPTURES[@]}"
}

# Or bytes and what came again cannot be compared.
nothing_lost()
{
	cat "$1.log"
	grep -q '^0 packets dropped by kernel' "$1.log"
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
check 'a capture' capture_on "$TMP/bad.pcap" path0 ip netns exec client
check 'one behind it' capture_on "$TMP/behind.pcap" relay0
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
check 'they end' stop_captures
check 'tcpdump lost nothing' nothing_lost "$TMP/bad.pcap"
check 'nor behind it' nothing_lost "$TMP/behind.pcap"
check 'agrees with tshark on a bad path' compare "$TMP/bad.pcap"
check 'agrees with both ends about what is sent again' \
	python3 "$ROOT/tests/e2e/analyze_ends.py" "$TCPHSCTL" \
	"$TMP/bad.pcap" "$TMP/behind.pcap"
check 'stops' stop_daemon
summary
