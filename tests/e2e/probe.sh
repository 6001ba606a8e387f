#!/bin/bash
# probe.sh - tcphsctl probe against the kernel's listeners, and where none is
#
# Each way in which a handshake can go, in words, as JSON and as exit code.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[timers]
msl = 100ms
CONF

# server NAME PORT: the kernel's listener of a kind, until the script ends.
server()
{
	python3 -c "
import socket, struct, sys
s = socket.create_server(('::', int(sys.argv[2])), family=socket.AF_INET6,
                         dualstack_ipv6=True, backlog=64)
held = []
while True:
    c = s.accept()[0]
    if sys.argv[1] == 'holds':
        held.append(c)
    elif sys.argv[1] == 'resets':
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack('ii', 1, 0))
        c.close()
    else:
        c.sendall(b'220 who are you?\n')
        c.close()" "$1" "$2" &
	wait_for 5 listens "$2"
}

listens()
{
	ss -Hltn "sport = :$1" | grep -q .
}

# probed ARG...: what it said is in $TMP/said, its complaints in $TMP/err.
probed()
{
	ctl probe "$@" >"$TMP/said" 2>"$TMP/err"
}

said()
{
	grep -Eq -- "$1" "$TMP/said" && return 0
	echo "no line like '$1' in:"
	cat "$TMP/said" "$TMP/err"
	return 1
}

# truth FILTER: of the JSON that was said.
truth()
{
	jq -e "$1" "$TMP/said" >/dev/null && return 0
	echo "not true: $1"
	cat "$TMP/said" "$TMP/err"
	return 1
}

none_open()
{
	same '' "$(ctl --raw -H list state established)"
}

check 'starts' start_daemon
server closes 5000
server holds 5001
server resets 5002

for host in "$HOST4" "$HOST6"; do
	check "three handshakes with $host" \
		probed "$host" 5000 -c 3 -i 50ms
	check '... a line each' \
		same 3 "$(grep -Ec '^ +[123]  open in [0-9]+\.[0-9]{3} ms$' \
			"$TMP/said")"
	check '... and one about them' said "3 probes of $host port 5000: 3 open"
	check '... and their times' \
		said '^open in ms: min [0-9.]+ p50 [0-9.]+ p95 .* max [0-9.]+$'
done
check 'a peer that keeps its end open is open' \
	probed "$HOST4" 5001 --count 2 --interval 1ms
check '... both times' said ': 2 open$'
wait_for 5 none_open
check '... and got our FIN' none_open

check 'refused: exit code 20' exits 20 probed "$HOST4" 5009 -c 1
check '... in words' said '^ +1  refused after [0-9.]+ ms$'
check 'reset after the handshake: exit code 23' \
	exits 23 probed "$HOST4" 5002 -c 1
check '... in words' said '^ +1  reset after the handshake in [0-9.]+ ms$'

ip route add blackhole 198.18.99.0/24
check 'silence: exit code 21' \
	exits 21 probed 198.18.99.1 80 -c 1 --timeout 1500ms
check '... after as long as we wait' \
	said '^ +1  no answer after 1[5-9][0-9]{2}\..*2 SYNs$'
sysctl -qw net.ipv4.ip_forward=1
ip route add unreachable 198.18.98.0/24
ip route add prohibit 198.18.97.0/24
for net in 98 97; do
	check "198.18.$net.1: exit code 22" \
		exits 22 probed "198.18.$net.1" 80 -c 1
	check '... at once' said '^ +1  unreachable after [0-9]{1,2}\.[0-9]+ ms$'
done
check 'our own address: exit code 25' exits 25 probed "$OWN4" 80 -c 1
check '... in words' said '^ +1  not possible from here$'

# A server behind another TUN, whose SYN-ACKs acknowledge too much.
python3 "$ROOT/tests/e2e/odd_server.py" &
ODD=$!
check 'a server that is odd' wait_for 10 eval 'ip route get 198.18.95.1 |
	grep -q "dev odd0"'
check 'answers with a wrong number: exit code 24' \
	exits 24 probed 198.18.95.1 80 -c 1 --timeout 1500ms
check '... in words' said \
	'^ +1  answered against the protocol after 1[5-9][0-9]{2}\..*2 SYNs$'
check '... for programs' probed -q 198.18.95.1 80 -c 1 --timeout 300ms \
	--expect protocol_error
check 'explained as that' eval 'ctl explain --last-failed |
	grep -q "outcome: protocol_error"'
check '... remembered as that' same protocol_error \
	"$(ctl -j recent | jq -r '.[0].outcome')"
check '... told as that' same protocol_error "$(ctl events --ndjson |
	jq -r 'select(.event == "handshake.failed").outcome' | tail -n 1)"
check '... logged in words' log_has \
	'Handshake failed: answered against the protocol'
check '... and counted as that' eval 'ctl metrics | grep -Eq \
	"^tcphs_handshakes_total\{.*role=\"client\",outcome=\"protocol_error\"\} [1-9]"'
kill $ODD

# The SYN is lost once: the kernel answers the second.
ip route add blackhole 198.18.96.1
(
	wait_for 5 ctl -q list state syn-sent
	ip addr add 198.18.96.1/32 dev lo
	ip route del blackhole 198.18.96.1
) &
check 'a second SYN is needed' probed 198.18.96.1 5000 -c 1 -j
wait $!
check '... and counted' truth \
	'.probes[0] | .retrans == 1 and .time_us > 900000 and .rtt_us < 500000'

check 'JSON: one document' exits 20 probed "$HOST4" 5009 -c 2 -i 1ms -j
check '... of all' truth '(.probes | length) == 2 and
	.probes[1].outcome == "refused" and .probes[1].time_us >= 0 and
	.summary.outcomes == {"refused": 2} and (.summary | has("p50_us") | not)'
check 'NDJSON: a line each, and the summary' \
	probed "$HOST4" 5000 -c 2 -i 1ms --ndjson
check '... with percentiles' same '1 2 2' "$(jq -r \
	'.probe // (.summary | select(.p50_us <= .p99_us) | .count)' \
	"$TMP/said" | paste -sd ' ')"
check 'CSV' probed "$HOST4" 5000 -c 1 --csv
check '... has names' said '^probe,outcome,time_us,retrans,rtt_us,conn$'
check 'quiet' probed -q "$HOST4" 5000 -c 1
check '... says nothing' same '' "$(cat "$TMP/said" "$TMP/err")"

check 'expected and so' probed "$HOST4" 5009 -c 2 -i 1ms --expect refused
check 'expected and not so: exit code 1' \
	exits 1 probed "$HOST4" 5000 -c 1 --expect refused
check 'no such outcome' exits 2 probed "$HOST4" 5000 --expect maybe
check 'no such count' exits 2 probed "$HOST4" 5000 -c 0
check 'a port behind a colon' probed -q "[$HOST6]:5000" -c 1
check 'no port at all' exits 2 probed "$HOST4"
check 'no such port' exits 2 probed "$HOST4" 0

# Ctrl-C: in the middle of a pause, and while nobody answers.
"$TCPHSCTL" -s "$SOCKET" probe "$HOST4" 5000 -i 1h >"$TMP/said" 2>"$TMP/err" &
check 'until Ctrl-C' wait_for 5 said ' 1  open in'
kill -INT $!
check '... ends well' exits 0 wait $!
check '... with the summary' said '^1 probe of .*: 1 open$'
"$TCPHSCTL" -s "$SOCKET" probe 198.18.99.1 80 >"$TMP/said" 2>"$TMP/err" &
wait_for 5 ctl -q list state syn-sent
kill -INT $!
check 'Ctrl-C before an answer' exits 0 wait $!
check '... counts nothing' said '^0 probes of 198.18.99.1 port 80$'
check '... and leaves nothing' \
	wait_for 5 exits 1 ctl -q list state syn-sent

check 'stops' stop_daemon
summary
