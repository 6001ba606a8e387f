#!/bin/bash
# What the daemon measures: how long handshakes take, metrics, alerts
. "$(dirname "$0")/lib.sh"

write_conf <<'END'
[listener.echo]
port    = 7
service = echo
allow   = any
slow_handshake = 200ms

[listener.http]
port    = 80
service = http
allow   = any

[listener.metrics]
port    = 9107
service = metrics
END

start_daemon

# field LISTENER NAME: a number of its histogram.
field()
{
	ctl --json histogram "listener=$1" | jq -r ".[0].$2"
}

field_is()
{
	same "$3" "$(field "$1" "$2")"
}

# ---- how long handshakes take ---------------------------------------------

for _ in 1 2 3 4 5; do
	echo hi | nc -N "$OWN4" 7 >/dev/null
done
echo hi | nc -N "$OWN6" 7 >/dev/null
check 'six handshakes are in the histogram' wait_for 5 field_is echo count 6
check 'its buckets add up' same 6 \
	"$(field echo 'buckets | map(.[1]) | add')"
check 'none was slow' field_is echo slow 0
check 'people see bars' eval 'ctl histogram | grep -q "up to .*#"'

# A client 300 ms away: its leg is the slow one, and as long as the path.
start_relay -d 150000
echo hi | in_client nc -N "$OWN4" 7 >/dev/null
check 'a handshake over a long path is slow' wait_for 5 field_is echo slow 1
check 'it took what the path takes' \
	test "$(field echo max_us)" -ge 300000 -a "$(field echo max_us)" -lt 600000
check 'the log names the leg' wait_for 5 log_has \
	'Slow handshake on listener echo: 3[0-9][0-9]\.[0-9] ms, most of it the client.s \(SYN-ACK to ACK\): the client answered late'
stop_relay

# The same path loses our first SYN-ACK: the client asks again after a second.
start_relay -x down:1
echo hi | in_client nc -N "$OWN4" 7 >/dev/null
check 'a lost SYN-ACK makes it slow' wait_for 5 field_is echo slow 2
check 'the log names the cause' wait_for 5 log_has \
	'Slow handshake on listener echo: 1[0-9]*\.[0-9] ms, .*: our SYN-ACK (was lost|or the client.s ACK was lost)'
stop_relay

# A port nobody listens on: a failure of ours.
ctl connect "$HOST4" 9 </dev/null >/dev/null 2>&1
check 'a refused connection is counted' \
	same 1 "$(ctl --json histogram | jq '.[] | select(.role == "client") | .outcomes.refused')"

# ---- metrics ----------------------------------------------------------------

metrics()
{
	curl -sS "http://$OWN4:9107/metrics"
}

# metric LINE-REGEX: does /metrics have such a line?
metric()
{
	metrics | grep -Eq -- "^$1\$"
}

check '/metrics answers' eval 'metrics >"$TMP/metrics"'
check 'promtool finds no fault with it' \
	eval 'promtool check metrics <"$TMP/metrics"'
check 'tcphsctl says the same' \
	eval 'ctl metrics | promtool check metrics'
check 'both have the same families' same \
	"$(grep '^# TYPE' "$TMP/metrics")" "$(ctl metrics | grep '^# TYPE')"
check 'handshakes are counted by listener' \
	metric 'tcphs_handshakes_total\{listener="echo",role="server",outcome="completed"\} 8'
check 'buckets end in the count' \
	metric 'tcphs_handshake_duration_seconds_bucket\{le="\+Inf",listener="echo",role="server"\} 8'
check 'a slow one is in its bucket' test "$(metrics | sed -n \
	's/^tcphs_handshake_duration_seconds_bucket{le="0.25",listener="echo",role="server"} //p')" = 6
check 'no client is in a label' negate grep -q '198\.18\.6[67]\.1' "$TMP/metrics"
check 'memory is the process'"'"'s' test \
	"$(metrics | sed -n 's/^process_resident_memory_bytes //p')" -gt 1000000

stop_daemon
summary
