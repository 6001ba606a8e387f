#!/bin/bash
# json.sh - What tcphsctl says to programs is what tcphs-json(5) says it is
#
# Its schemas are made of that page. Everything that each command prints has to
# keep to them: no member that the page does not have, none missing that it says
# is always there, each of its type. And each member of the page has to come out
# of some command here, but for a few that need more than this script has.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

EVENTS=$TMP/events.ndjson
DOCUMENTS=$TMP/documents
mkdir "$DOCUMENTS"
write_conf <<CONF
[timers]
msl = 100ms
synack_retries = 0
rto_initial = 200ms
[listener.echo]
port = 7
service = echo
[listener.chat]
port = 8090
service = chat
[listener.closed]
port = 8081
service = echo
allow = 10.0.0.0/8
[detect]
scan_ports = 5
scan_window = 1s
flood_rate = 20
[log]
file = $EVENTS
[capture]
directory = $TMP/captures
CONF

# keeps COMMAND [ARG...]: it prints a document, which is kept to be judged; and
# is no failure. COMMAND may be two words, or none
keeps()
{
	kept json "$@"
}

# keeps_no COMMAND [ARG...]: the same, and the answer is no
keeps_no()
{
	CODE=1 kept json "$@"
}

# lines COMMAND [ARG...]: it prints rows
lines()
{
	kept ndjson "$@"
}

# examples PAGE: as a reader would type them
PATH=$(dirname "$TCPHSCTL"):$PATH
examples()
{
	local line

	while IFS= read -r line; do
		check "manual: $line" bash -o pipefail -c "$line"
	done < <(sed -n 's/^\$ //p' "$1")
}

OUTPUTS=0

kept()
{
	local name=${2:-tcphsctl} how=$1 command=$2

	shift 2
	OUTPUTS=$((OUTPUTS + 1))
	name=$DOCUMENTS/${name// /_}
	# shellcheck disable=SC2086
	[ -e "$name.schema" ] ||
		"$TCPHSCTL" schema $command >"$name.schema" || return 1
	# shellcheck disable=SC2086
	exits "${CODE:-0}" ctl --$how $command "$@" >"$TMP/json" && jq empty "$TMP/json" &&
		cp "$TMP/json" "$name.$OUTPUTS.${how/ndjson/lines}"
}

# is WANT JQ: of the last document
is()
{
	same "$1" "$(jq -r "$2" "$TMP/json")"
}

echo '--- a daemon that did nothing yet'
start_daemon
for command in '' status stats list recent alerts events histogram metrics \
	'listener list' 'capture list' report 'report --security'; do
	check "${command:-tcphsctl}" keeps "${command%% --*}" \
		${command:+${command#"${command%% --*}"}}
done

echo '--- connections'
exec 5<>"/dev/tcp/$OWN4/7"
echo hello >&5
check 'an echo' read -r -t 5 _ <&5
check 'list' keeps list
check 'it has a round-trip time' is true '.[0].rtt_us > 0'
check 'list: lines' lines list
check 'some columns' eval 'ctl --json list -o id,peer |
	jq -e ".[0] | keys == [\"id\", \"peer\"]"'
check 'show' keeps show last
check 'ladder' keeps ladder last
check 'explain of a connection' keeps explain --last
examples "$ROOT/daemon/tcphs-stack.7.scd"
exec 5<&-
check 'it is over' wait_for 5 exits 1 ctl -q list state connected
check 'recent' keeps recent
check 'recent: lines' lines recent

nc "$OWN4" 7 </dev/zero >/dev/null &
NC=$!
check 'much text' wait_for 5 eval \
	'keeps show last && is true ".bytes_out > 1000000"'
check 'close' keeps close last --rst
wait $NC
check 'ladder of what is over' keeps ladder last

nc -z "$OWN4" 8443
nc -z "$OWN4" 8081
check 'failures' wait_for 5 eval 'keeps recent &&
	is refused,rejected "map(.outcome) | unique - [\"completed\"] | join(\",\")"'
check 'explain of a failure' keeps explain --last-failed
check 'its ladder' keeps ladder last-failed
ctl -q probe -c 1 198.18.99.1 80 --timeout 500ms
check 'ladder of SYNs that came again' keeps ladder last-failed
check 'explain of a word' keeps explain refused
check '... for which there are two' keeps explain reset_by_peer
check '... of a drop' keeps explain rst_inexact
check '... of an anomaly' keeps explain rst_out_of_window
check '... of an alert' keeps explain ttl_jump
nc -lk "$HOST4" 22 </dev/null >/dev/null & # ends with the namespace
check 'a server of the host' wait_for 5 nc -z "$HOST4" 22
check 'probe' keeps probe -c 2 -i 10ms "$HOST4" 22
check 'probe: lines' lines probe -c 2 -i 10ms "$HOST4" 22
check 'histogram' keeps histogram

echo '--- what is ordered'
check 'listener add' keeps 'listener add' more port=100 service=echo
check 'listener set' keeps 'listener set' more allow=host
check 'listener disable' keeps 'listener disable' more
check 'listener enable' keeps 'listener enable' more
check 'listener list' keeps 'listener list'
check 'listener del' keeps 'listener del' more
check 'log level of a module' keeps 'log level' segment debug
check 'log level' keeps 'log level' info
check 'reload' keeps reload
check 'config show' keeps 'config show' --defaults
check 'config check' keeps 'config check'
check 'config diff' keeps 'config diff'
ctl -q listener add more --port 100 --service echo
cp "$CONF" "$TMP/good"
printf '[interface]\nmtu = 9000\n' >>"$CONF"
check 'config check of what a reload cannot take' keeps 'config check'
check 'config diff of it' keeps_no 'config diff'
cp "$TMP/good" "$CONF"
ctl -q listener del more
echo nonsense >>"$CONF"
check 'config check of a wrong file' keeps_no 'config check'
check 'a reload that is refused' exits 1 ctl -q reload
check 'status' keeps status
check 'it says why' is false .config_ok
sed -i '$d' "$CONF"
check 'capture start' keeps 'capture start'
nc -N "$OWN4" 7 <<<hello >/dev/null
check 'capture list' keeps 'capture list'
check 'capture stop' keeps 'capture stop'
nc "$OWN4" 8090 < <(sleep 60) >/dev/null &
check 'somebody at chat' wait_for 5 ctl -q list state established
check 'send' keeps send last hello
check 'export' keeps export last -w "$TMP/out.pcapng"
check 'drain of nobody' keeps drain closed
check 'close --all' keeps close --all listener = chat
nc "$OWN4" 8090 < <(sleep 60) >/dev/null &
check 'somebody else' wait_for 5 ctl -q list state established
check 'kill' keeps kill -y --rst state established

echo '--- what happened'
for port in 101 102 103 104 105 106 107 108; do
	nc -z "$OWN4" $port
done
# SYNs without options and with numbers that can be guessed, of nobody, and RSTs
# with wrong numbers for one who is there.
exec 5<>"/dev/tcp/$OWN4/7"
check 'somebody' wait_for 5 eval 'lines list state established sport = 7'
VICTIM=$(jq -r .id "$TMP/json")
/usr/bin/python3 - "$OWN4" "$(jq .peer.port "$TMP/json")" <<'E'
import socket, struct, sys
dst = socket.inet_aton(sys.argv[1])
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
def send(host, sport, dport, seq, flags):
    src = bytes([198, 18, 66, host])
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq, 0, 80, flags, 512, 0, 0)
    s = sum(struct.unpack("!16H", src + dst + b"\0\6\0\x14" + tcp))
    s = (s & 0xffff) + (s >> 16)
    s = ~((s & 0xffff) + (s >> 16)) & 0xffff
    tcp = tcp[:16] + struct.pack("!H", s) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 69, 0, 40, 0, 0, 64, 6, 0) + src + dst
    out.sendto(ip + tcp, (sys.argv[1], 0))
for i in range(60):
    send(10, 3000 + i, 8090, 64 * i, 2)
for i in range(12):
    send(1, int(sys.argv[2]), 7, i * 300000007, 4)
E
check 'alerts' wait_for 5 eval 'keeps alerts && is true "
	(map(.kind) | sort) == [\"port_scan\", \"rst_guessing\", \"syn_flood\"]"'
check 'explain of whose end was tried' keeps explain "$VICTIM"
exec 5<&-
check 'report' keeps report --since 1h
check 'report: alerts that go on' is true \
	'any(.alerts[]; has("ended") | not)'
check 'report --security' wait_for 5 eval 'keeps report --security --since 1h &&
	is true "any(.findings[]; .code == \"guessable_isn\")"'
check 'an alert ends' wait_for 15 eval \
	'keeps alerts port_scan && is over ".[0].state"'
check 'report of it' keeps report
check 'report of files' keeps report "$EVENTS"
check 'report --security of files' keeps report --security "$EVENTS"
check 'events' keeps events
check 'events: lines' lines events
check 'metrics' keeps metrics
check 'stats' keeps stats

echo '--- the page'
examples "$ROOT/cli/tcphs-json.5.scd"
# Members that want a loss, urgent data, an offload, another configuration, or
# fewer rights.
cat >"$TMP/spared" <<'E'
Block.dscp
Block.mtu_probe
Block.pacing_rate
Block.ssthresh
Block.undone
Block.urgent_in
Block.urgent_out
Packet.gso_size
Setting.hidden
Stats.busy_poll
Stats.threads
Status.steered
E
members()
{
	/usr/bin/python3 "$ROOT/tests/e2e/json_members.py" "$DOCUMENTS" "$1" 2>&1
}
check "$OUTPUTS documents keep to their schemas" same '' "$(members judge)"
check 'each member of a schema was seen' same '' \
	"$(members unseen | grep -vxf "$TMP/spared")"
check 'of each command that prints JSON' same \
	"$(sed -n '/^# DOCUMENTS/,/^# OBJECTS/s/^|[[ ] \*\(.*\)/*\1/p' \
		"$ROOT/cli/tcphs-json.5.scd" | grep -o '\*[^*]*\*' |
		sed 's/\*//g; s/ [A-Z-].*//; /analyze/d' | sort -u | tr ' ' _)" \
	"$(basename -s .schema "$DOCUMENTS"/*.schema | grep -v '^tcphsctl$')"
check 'a command without JSON has no schema' exits 5 "$TCPHSCTL" schema top
check 'nor has what is no command' exits 2 "$TCPHSCTL" schema lsit

stop_daemon
summary
