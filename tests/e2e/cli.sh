#!/bin/bash
# cli.sh - tcphsctl and tcphsd together
#
# What tcphsctl does with any answer is tested by tests/cli/run.sh. Here the
# answers are the daemon's, and what was ordered is seen by real clients.
. "$(dirname "$0")/lib.sh"

export XDG_RUNTIME_DIR=$TMP # where stats --reset-view writes

# field EXPR...: values from the JSON of the last `ctl`, as Python writes it.
field()
{
	python3 -c "import json; d=json.load(open('$TMP/json')); print($1)"
}

# json ARG...: run tcphsctl, keep its JSON for field.
json()
{
	ctl --json "$@" >"$TMP/json"
}

# is WANT EXPR
is()
{
	same "$1" "$(field "$2")"
}

# open_echo FD [ADDRESS]: a connection to the echo service, used once.
open_echo()
{
	local word

	eval "exec $1<>/dev/tcp/${2:-$OWN4}/7" || return 1
	echo hello >&"$1"
	read -r -t 5 word <&"$1" && [ "$word" = hello ]
}

# said REGEX COMMAND...: the command prints a line like this, on either stream.
said()
{
	local want=$1

	shift
	"$@" >"$TMP/said" 2>&1
	grep -Eq -- "$want" "$TMP/said" && return 0
	echo "no line like: $want"
	cat "$TMP/said"
	return 1
}

is_gone()
{
	! ctl -q list "id = $1"
}

# ---- looking --------------------------------------------------------------

start_daemon
check 'status: ready' said '^ *tcphsd +[0-9.]+, ready, up ' ctl status
check 'status: addresses' said "^ *addresses +$OWN4  $OWN6\$" ctl status
check 'status --json' json status
check 'status: numbers' is "True True $DAEMON" \
	'd["uptime_us"] > 0, d["config_ok"], d["pid"]'
check 'an empty list is no failure' ctl list
check 'a filter that matches nothing exits 1' exits 1 ctl list state established

check 'echo over IPv4' open_echo 5
check 'echo over IPv6' open_echo 6 "$OWN6"
check 'list: ESTAB, bytes' said \
	"^c[0-9]+ +ESTAB +$OWN4:7 +$HOST4:[0-9]+ +echo +server .* 6 +6 +0\$" \
	ctl list state established src "$OWN4"
check 'list: IPv6' said "^c[0-9]+ +ESTAB +\[$OWN6\]:7 +\[$HOST6\]:" ctl ls
check 'list --json' json list state connected
check 'list: two connections' is 2 'len(d)'
json list src "$OWN4"
ID=$(field 'd[0]["id"]')
PORT=$(field 'd[0]["peer"]["port"]')
check 'list: the port that ss knows' said ":$PORT +$OWN4:7" ss -tn
check 'list --raw: the same' same "$ID" \
	"$(ctl --raw -H -o id list "dport = $PORT")"
check 'show by id' json show "$ID"
check 'show: all is acknowledged' is 'True 6' \
	'd["tcb"]["snd_nxt"] == d["tcb"]["snd_una"], d["bytes_in"]'
check 'show by four-tuple' said "^$ID " ctl show "$OWN4:7-$HOST4:$PORT"
check 'show by number' said "^$ID " ctl show "${ID#c}"
check 'show: facts' said 'cwnd:[0-9]+' ctl show "$ID"
check 'show last' said "\[$OWN6\]:7" ctl show last
check 'stats: handshakes' said '^ +2 +handshakes +handshakes completed' \
	ctl stats
check 'stats: a word for each counter' test -z \
	"$(ctl stats -v | awk 'NF == 2 && $1 ~ /^[0-9]/' | grep -v -i -E \
		'closed|listen|syn|established|wait|closing|ack')"
check 'listener list' said "^echo +echo .* 7 +connected .*\(2\)" ctl listener list
check 'tcphsctl alone' said "^$ID " ctl

# ---- acting ---------------------------------------------------------------

check 'listener disable' ctl listener disable echo
check_not 'a disabled listener refuses' nc -zw 2 "$OWN4" 7
check 'a disabled listener says so' said '^echo .* disabled' ctl listener list
echo still >&5
check 'its connections go on' read -r -t 5 _ <&5
check 'listener enable' ctl listener enable echo
check 'an enabled listener accepts' nc -zw 2 "$OWN4" 7

check 'close' said "^$ID closing\$" ctl close "$ID"
check 'close: the client sees the end' exits 1 read -r -t 5 _ <&5
exec 5<&-
check 'close: TIME-WAIT' wait_for 5 said 'TIME-WAIT' ctl list "dport = $PORT"
ctl -q listener disable echo
check_not 'the same port again is refused' nc -zw 2 -p "$PORT" "$OWN4" 7
check 'and called so' wait_for 5 said "^c[0-9]+ +refused .*:$PORT " \
	ctl recent -c 1
check 'it is still in TIME-WAIT' said 'TIME-WAIT' ctl list "dport = $PORT"
ctl -q listener enable echo
check 'the same port again is taken' nc -zw 2 -p "$PORT" "$OWN4" 7
check 'by the listener' wait_for 5 said "^c[0-9]+ +completed .*:$PORT +echo " \
	ctl recent -c 1

json list dst "$HOST6"
ID=$(field 'd[0]["id"]')
check 'close --rst' said "^$ID reset\$" ctl close --rst "$ID"
check 'close --rst: gone at once' wait_for 5 is_gone "$ID"
exec 6<&-
check 'close of nobody' exits 5 ctl close c4000000000

for fd in 10 11 12; do
	open_echo $fd
done
check 'kill wants a yes' exits 2 ctl kill state established </dev/null
check 'kill' said '^reset 3 connections$' ctl kill -y --rst listener = echo \
	state established
check 'kill: nobody is left' exits 1 ctl list state established
check 'kill of nobody' exits 1 ctl kill -y state established
for fd in 10 11 12; do
	eval "exec $fd<&-"
done

check 'a wrong filter is pointed at' said '^        \^$' \
	ctl list state estblished
check 'a wrong filter' exits 2 ctl list state estblished
check 'log level' said '^log level debug \(was info\)$' ctl log level debug
check 'a wrong log level' exits 2 ctl log level loud
check 'reload' ctl reload
echo 'nonsense' >>"$CONF"
check 'a refused reload' exits 1 ctl reload
check 'status tells of it' said 'last reload refused' ctl status
: >"$CONF"
check 'reload again' ctl reload
check 'strangers are refused' exits 4 setpriv --reuid 65534 --regid 65534 \
	--clear-groups -- "$TCPHSCTL" -s "$SOCKET" status

# ---- the manual -----------------------------------------------------------

# Its examples, in their order, as a reader would type them. For Wireshark's
# window stands tshark, which reads the same pipe; what would go on for ever ends
# after some packets; files of the reader's are copies of a capture.
PATH=$(dirname "$TCPHSCTL"):$PATH
CAPTURE=$TMP/example.pcapng

# example LINE: as it is run
example()
{
	local line=$1 file

	line=${line/| wireshark -k -i -/| tshark -n -i - -c 4}
	line=${line/tcpdump -w - /tcpdump -i $IFACE -c 4 -w - }
	case $line in
	*' -i eth0 '*) # no SIGCONT: tour.sh
		line="timeout --foreground --preserve-status -s INT 2 \
			${line/eth0/$IFACE}" ;;
	esac
	for file in $(grep -oE '[^ ]+\.pcap(ng)?(\.(gz|zst))?' <<<"$line"); do
		case $file in
		*.gz) gzip -c "$CAPTURE" >"$TMP/$file" ;;
		*.zst) zstd -qc "$CAPTURE" >"$TMP/$file" ;;
		*) [ -e "$TMP/$file" ] || cp "$CAPTURE" "$TMP/$file" ;;
		esac
	done
	bash -c "cd \"$TMP\" && $line"
	case $?,$line in
	0,* | 1,*--filter*) return 0 ;; # nothing matches, as grep has it
	esac
	return 1
}

# Somebody who comes again and again, for those who wait for packets, until
# $TMP/traffic is gone.
traffic()
{
	while [ -e "$TMP/traffic" ]; do
		nc -N "$OWN4" 7 <<<hello >/dev/null
		nc -z "$OWN4" 8090
		sleep 0.1
	done
}
: >"$TMP/traffic"
traffic &
TRAFFIC=$!
check 'a capture, for the manual' ctl -q dump -c 40 -w "$CAPTURE"
check 'echo, for the manual' open_echo 5
nc -lk "$HOST4" 22 </dev/null >/dev/null & # ends with the namespace
check 'a server of the host, for probe' wait_for 5 nc -z "$HOST4" 22
examples=0
while IFS= read -r line; do
	examples=$((examples + 1))
	check "manual: $line" example "$line"
done < <(sed -n 's/^\$ //p' "$ROOT/cli/tcphsctl.1.scd")
rm "$TMP/traffic"
wait "$TRAFFIC"
check 'the manual has examples' test "$examples" -ge 10
exec 5<&-

# ---- counting from now on -------------------------------------------------

ALL=$(ctl -j stats | jq .counters.handshakes)
check 'stats --reset-view' said 'counting from now on' ctl stats --reset-view
check 'nothing was counted since' eval 'ctl stats | grep -q "in the last" &&
	! ctl stats | grep -q " handshakes "'
nc -N "$OWN4" 7 <<<hello >/dev/null
check 'but this was' said '^ +1 +handshakes ' ctl stats
check 'all was more' said "^ +$((ALL + 1)) +handshakes " ctl stats --all
check 'it is told to programs' same $((ALL + 1)) \
	"$(ctl -j stats | jq .counters.handshakes)"

# ---- names ----------------------------------------------------------------

printf '%s\n' "$HOST4 client.example" "$OWN4 daemon.example" \
	"$HOST6 six.example" >"$TMP/hosts"
echo 'nameserver 127.0.0.1' >"$TMP/resolv"
mount --bind "$TMP/hosts" /etc/hosts
mount --bind "$TMP/resolv" /etc/resolv.conf
check 'echo over IPv4' open_echo 5
check 'echo over IPv6' open_echo 6 "$OWN6"
ENDS='daemon.example:echo +client.example:[0-9]+'
check 'list -r' said "ESTAB +$ENDS" ctl -r list
check 'one that has no name' said "\\[$OWN6\\]:echo +six.example:" ctl list -r
check_not 'numbers unless asked' said client.example ctl list
check 'numbers for programs' said '"ip":"198.18.66.1"' ctl -r --ndjson list
check 'and in columns of theirs' said "^$HOST4:[0-9]+\$" \
	ctl -r --csv list -o peer
check 'recent -r' said client.example: ctl recent --resolve
check 'show -r' said "$ENDS" ctl -r show "$(ctl list --raw -H -o id \
	"state established dst $HOST4")"
check 'events -r' said 'completed  client.example:[0-9]+ -> daemon.example:echo' \
	ctl -r events
check 'analyze -r' said 'client.example:[0-9]+ +daemon.example:' \
	ctl -r analyze "$CAPTURE"
check 'not where nothing has an end' said "'status' takes no --resolve" \
	ctl -r status
# A name server that hears and says nothing.
: >"$TMP/hosts"
socat -u UDP4-RECV:53,bind=127.0.0.1 "OPEN:$TMP/heard,creat,append" &
check 'the silent one is there' wait_for 5 eval 'ss -Hlun | grep -q :53'
check 'it is not waited for for long' eval 'timeout 8 "$TCPHSCTL" \
	-s "$SOCKET" -r list >"$TMP/numbers"'
check 'it was asked, and numbers are shown' eval '[ -s "$TMP/heard" ] &&
	grep -q " $HOST4:" "$TMP/numbers"'
ctl -r --watch=0.05 list >"$TMP/watch" 2>&1 &
WATCH=$!
check 'and a screen that is drawn again goes on' wait_for 8 eval \
	'[ "$(grep -c STATE "$TMP/watch")" -ge 10 ]'
kill "$WATCH"
exec 5<&- 6<&-

# ---- the end --------------------------------------------------------------

ctl --watch=0.05 --ndjson status >"$TMP/watch" 2>&1 &
WATCH=$!
check 'watch repeats' wait_for 5 eval '[ "$(wc -l <"$TMP/watch")" -ge 3 ]'
check 'the daemon stops' stop_daemon
check 'watch: exit 3 when the daemon is gone' exits 3 wait $WATCH
check 'watch says so' grep -q 'the daemon is gone' "$TMP/watch"
check 'no daemon: exit 3' exits 3 ctl status
check 'no daemon: what to do' said "no daemon at $SOCKET" ctl status

summary
