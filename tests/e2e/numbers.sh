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

start_daemon -D detect.flood_rate=500

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
check 'the log names the leg' log_has \
	'Slow handshake on listener echo: [345][0-9][0-9]\.[0-9] ms, most of it the client.s \(SYN-ACK to ACK\): the client answered late'
stop_relay

# The same path loses our first SYN-ACK: the client asks again after a second.
start_relay -x down:1
echo hi | in_client nc -N "$OWN4" 7 >/dev/null
check 'a lost SYN-ACK makes it slow' wait_for 5 field_is echo slow 2
check 'the log names the cause' log_has \
	'Slow handshake on listener echo: (999|1[0-9]*)\.[0-9] ms, .*: our SYN-ACK (was lost|or the client.s ACK was lost)'
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
nc -lk "$HOST4" 5000 >/dev/null &
SERVER=$!
wait_for 5 eval 'ss -Hltn "sport = :5000" | grep -q .'
mkfifo "$TMP/mute"
ctl -q connect "$HOST4" 5000 <>"$TMP/mute" &
TALK=$!
check 'a connection of ours is a client' wait_for 5 \
	metric 'tcphs_connections\{state="established",role="client"\} 1'
check '... and no server' wait_for 5 eval 'ctl metrics |
	grep -qx "tcphs_connections{state=\"established\",role=\"server\"} 0"'
ctl -q close last
kill $SERVER
wait $TALK
check '... also in TIME-WAIT' wait_for 5 eval 'ctl metrics |
	grep -Eqx "tcphs_connections\{state=\"time_wait\",role=\"client\"\} 1"'
check '... and in the list' same client \
	"$(ctl --raw -H list -o role state time-wait dport = 5000)"
SERIES=$(ctl metrics | grep -vc '^#')
check 'no client is in a label' negate grep -q '198\.18\.6[67]\.1' "$TMP/metrics"
check 'memory is the process'"'"'s' test \
	"$(metrics | sed -n 's/^process_resident_memory_bytes //p')" -gt 1000000

# ---- alerts -----------------------------------------------------------------

# alert FILTER...: is there such an alert?
alert()
{
	[ "$(ctl --json alerts "$@" | jq length)" -gt 0 ]
}

# flood COUNT: SYNs to port 80 from sources that do not answer, in two seconds.
flood()
{
	python3 - "$OWN4" "$1" <<-'END'
	import socket, struct, sys, time
	dst, count = socket.inet_aton(sys.argv[1]), int(sys.argv[2])
	out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
	begin = time.monotonic()
	for i in range(count):
	    src = bytes([198, 18, 66, 10 + i % 200])
	    tcp = struct.pack("!HHIIBBHHH", 1024 + i, 80, i, 0, 0x50, 2, 1024, 0, 0)
	    s = sum(struct.unpack("!16H", src + dst + b"\0\6\0\x14" + tcp))
	    s = (s & 0xffff) + (s >> 16)
	    s = ~((s & 0xffff) + (s >> 16)) & 0xffff
	    tcp = tcp[:16] + struct.pack("!H", s) + tcp[18:]
	    out.sendto(struct.pack("!BBHHHBBH", 0x45, 0, 40, i & 0xffff, 0, 64, 6, 0)
	               + src + dst + tcp, (sys.argv[1], 0))
	    late = begin + 2 * i / count - time.monotonic()
	    if late > 0.01:
	        time.sleep(late)
	END
}

for _ in $(seq 40); do
	echo hi | nc -N "$OWN4" 7 >/dev/null
	curl -sS "http://$OWN4/" >/dev/null
done
check 'ordinary traffic raises no alert' \
	same 'nothing looks wrong' "$(ctl alerts)"
check_not 'status does not mention alerts' eval 'ctl status | grep alerts'

# nc asks for one port after the other, as a scan does.
scan()
{
	local port

	for port in $(seq 100 160); do
		nc -z -w 1 "$OWN4" "$port"
	done
	return 0
}

scan
check 'a scan of ports raises its alert' alert port_scan active
check 'it is said in the log, as a suspicion' log_has \
	"\\[Alert\\] Port scan suspected from $HOST4: [0-9]+ ports in"
check 'it says what it may mean, and innocent causes' \
	eval 'ctl alerts | grep -q "innocent  a monitoring system"'
check_not 'it is no host scan' alert host_scan
exec 5<>"/dev/tcp/$OWN4/7"
exec 6<>"/dev/tcp/$OWN6/7"
check 'whose peer asked is found by it' same "$OWN4" "$(ctl --json list \
	alert = port_scan | jq -r '.[].local.ip' | sort -u)"
check 'and by any' ctl -q list alert and state established
check 'not by another' exits 1 ctl -q list alert = rst_guessing
check 'so are its failures' eval 'ctl --json recent alert outcome = refused |
	jq -e "length >= 50"'
check 'and the event' same alert.raised "$(ctl --json events alert and \
	not "dst $HOST4" | jq -r '.[].event')"
check 'a wrong one is shown' eval 'ctl list "alert = scan" 2>&1 |
	grep -q "for example: alert = port_scan"'
check 'one may close by it' eval 'ctl close --all --rst alert = port_scan \
	state established | grep -qx "reset 1 connection"'
exec 5<&- 6<&-

flood 6000
check 'a flood of forged SYNs raises its alert' \
	wait_for 5 alert syn_flood listener=http
check 'a client gets in meanwhile' curl -sS -o /dev/null "http://$OWN4/"
check 'the log says how much of a flood' log_has \
	'\[Alert\] SYN flood on listener http: [0-9]+ SYN/s, [0-9]+ % completed, [0-9]+ half-open'
check 'its numbers are about right' test "$(ctl --json alerts syn_flood |
	jq '.[0].numbers.peak_rate >= 1500 and .[0].numbers.peak_rate <= 6000')" = true
check 'it names the network' test \
	"$(ctl --json alerts syn_flood | jq -r '.[0].source')" = 198.18.66.0/24
check 'status tells of it' eval 'ctl status | grep -q "alerts  .* active"'
check 'it is counted' metric 'tcphs_alerts_total\{kind="syn_flood",severity="warning"\} 1'
check 'it ends' wait_for 15 negate alert syn_flood active
check 'and the log says so' wait_for 2 log_has_now \
	'\[Alert\] SYN flood on listener http is over after [0-9]+ s: at most'
check 'the scan ends' wait_for 15 negate alert active
check 'after all of that there are as many series as before' \
	same "$SERIES" "$(ctl metrics | grep -vc '^#')"
check 'promtool still finds no fault' \
	eval 'metrics | promtool check metrics'

stop_daemon
summary
