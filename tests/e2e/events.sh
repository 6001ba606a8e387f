#!/bin/bash
# events.sh - What the daemon tells of what happens
#
# The lines of a handshake and of a close in both roles, the stream of events
# with its numbers, filters and slow readers, the file with its rotation and a
# full disk.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[timers]
msl = 100ms
syn_retries = 1
[listener.demo]
port = 8090
service = echo
backlog = 1000
[listener.web]
port = 80
service = http
CONF

# sentences LINES: of the log, without the time, the connection and the ends.
sentences()
{
	sed -nE 's/^[0-9:.]+ (c[0-9]+ )?(\[(Server|Client)\].*)  [^ ]+ -> [^ ]+$/\2/p'
}

# until_says COMMAND... -- REGEX: what the command prints has such a line.
says()
{
	"${@:2}" 2>&1 | grep -Eq -- "$1"
}

echo_once()
{
	same hi "$(echo hi | nc -N -w 5 $OWN4 8090)"
}

start_daemon

# ---- the server's lines -----------------------------------------------------

check 'a client of nc' echo_once
check 'its connection ends' log_has 'Connection closed'
check 'a handshake and a close, line by line' same \
	'[Server] Received SYN, sending SYN-ACK
[Server] Received ACK, handshake completed
[Server] Received FIN, sending ACK
[Server] Sending FIN
[Server] Connection closed (FIN-ACK complete)' "$(sentences <"$LOG")"
check 'each with time, connection and ends' test "$(grep -cE \
	"^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} c1 \[Server\] .*  $HOST4:[0-9]+ -> :8090$" \
	"$LOG")" = 5

# ---- the stream -------------------------------------------------------------

check 'tcphsctl events --classic says the same' same \
	"$(sentences <"$LOG")" "$(ctl events --classic sport = 8090)"
check 'the daemon tells of itself' \
	says 'Ready on tcphs0' ctl events
ctl events --ndjson >"$TMP/all"
# Numbers are for all types, and what a client's kernel sends again when it has
# to wait for us is dropped, at level debug.
check 'as objects with numbers that go up from 1' jq -se \
	'[.[].seq] | .[0] == 1 and . == unique' "$TMP/all"
check 'and all that is known' jq -se \
	'.[] | select(.event == "handshake.completed") |
	.conn == "c1" and .listener == "demo" and .role == "server" and
	.local_addr == "198.18.66.2" and .local_port == 8090 and
	.peer_addr == "198.18.66.1" and .peer_port > 0 and .hs_us > 0 and
	.level == "info" and
	.outcome == "completed" and .state == "established" and
	(.time | test("^[0-9-]+T[0-9:]+\\.[0-9]{6}Z$")) and .mono_us > 0 and
	.message == "[Server] Received ACK, handshake completed"' "$TMP/all"
check 'and of the segment' jq -se '.[] | select(.event == "syn.received") |
	.seg_flags == "S" and .seg_seq > 0 and .seg_win > 0 and
	.seg_len == 0' "$TMP/all"
check 'a filter chooses' exits 1 ctl events sport = 80
check 'by connection' test "$(ctl events --ndjson id = c1 | wc -l)" = 5
check 'a wrong filter is shown' says "unknown state 'estb'" \
	ctl events state estb
check 'a level chooses' says 'Ready' ctl events --level notice
check_not 'and leaves out' says 'SYN-ACK' ctl events --level notice
check 'what is older than --since is left out' same '' \
	"$(ctl events --since 2100-01-01T00:00:00Z)"
check 'what is not is shown' says 'SYN-ACK' ctl events --since 1h
check 'a wrong time is refused' exits 2 ctl events --since yesterday
check 'in a table' says '^time,seq,event,' ctl events --csv
check 'by socat' says 'c1 \[Server\] Received SYN, sending SYN-ACK' \
	bash -c "echo 'events sport = 8090' | socat - UNIX:$SOCKET"

# follow NAME ARG...: a reader in the background; $READER, $TMP/NAME.
follow()
{
	local name=$1

	shift
	"$TCPHSCTL" -s $SOCKET events -f --ndjson "$@" >"$TMP/$name" 2>&1 &
	READER=$!
}

# sees NAME EVENT: that reader is told of it. An echo is made for that; what the
# reader is told of proves that it reads.
ECHOES=0
sees()
{
	ECHOES=$((ECHOES + 1))
	echo_once && wait_for 1 grep -q "\"event\":\"$2\"" "$TMP/$1"
}

follow live --level debug
check 'a reader that follows' wait_for 5 bash -c \
	"ss -Hx src $SOCKET | grep -q ESTAB"
check 'sees what happens' wait_for 5 sees live conn.closed
# The first echo may have begun before it was listened to.
check 'at the level it wants' wait_for 5 sees live data.received
check 'without what was before' test \
	"$(jq -r .seq <"$TMP/live" | head -1)" -gt "$(wc -l <"$TMP/all")"
check 'numbers without a gap' jq -se \
	'[.[].seq] as $s | [$s[1:], $s[:-1]] | transpose |
	all(.[0] == .[1] + 1)' "$TMP/live"
kill "$READER"
wait "$READER"
check 'once it has gone' wait_for 5 negate bash -c \
	"ss -Hx src $SOCKET | grep -q ESTAB"
debug=$(ctl events --ndjson --level debug | grep -c data.received)
check 'another connection' echo_once
check 'nobody wants debug any more' same "$debug" \
	"$(ctl events --ndjson --level debug | grep -c data.received)"

stop_daemon
check 'ends' same 0 $?

# ---- many, slow readers, and strange names -----------------------------------

# connects N: so many connections, one after the other.
connects()
{
	local i

	for ((i = 0; i < $1; i++)); do
		exec 6<>"/dev/tcp/$OWN4/8090" || return 1
		exec 6>&-
	done
}

# at_once N: so many clients whose SYNs wait for the daemon together.
at_once()
{
	timeout 60 python3 - "$OWN4" "$DAEMON" "$1" <<-'PY'
	import os, signal, socket, sys

	daemon = int(sys.argv[2])
	clients = [socket.socket() for _ in range(int(sys.argv[3]))]
	os.kill(daemon, signal.SIGSTOP)
	for s in clients:
	    s.setblocking(False)
	    s.connect_ex((sys.argv[1], 8090))
	os.kill(daemon, signal.SIGCONT)
	for s in clients:
	    s.settimeout(10)
	    s.sendall(b"x")
	    assert s.recv(1) == b"x"
	PY
}

cp "$CONF" "$TMP/plain.conf"
printf '[log]\nrecent = 256\n' >>"$CONF"
start_daemon
ECHOES=0
follow stuck --level debug sport = 8090
check 'a reader that is told' wait_for 5 sees stuck conn.closed
kill -STOP "$READER"
check '1500 connections beside a reader that is stuck' connects 1500
# Two seconds may have lines for 400 of them.
check 'and 500 at once' at_once 500
check 'nobody waits for it' echo_once
kill -CONT "$READER"
check 'it is told how many it lost' wait_for 5 grep -q \
	'"event":"lost".*"count":[0-9]*' "$TMP/stuck"
echo_once >"$TMP/last"
last=$(ctl events --ndjson sport = 8090 | tail -1 | jq .seq)
check 'and goes on' wait_for 5 grep -q "\"seq\":$last," "$TMP/stuck"
# What a thread's own ring had no room for never got numbers.
check 'with as many as are missing' jq -se '
	reduce .[] as $e ({at: (.[0].seq - 1), ok: true};
		.ok = (.ok and ($e.seq == .at + ($e.count // 1) or
			$e.seq == .at + 1)) |
		.at = $e.seq) | .ok' "$TMP/stuck"
check 'and metrics count it' test "$(ctl metrics | sed -n \
	's/^tcphs_events_lost_total{subscriber="control"} //p')" -ge 1
kill "$READER"

# Each SYN is a line or counted as one that was left out.
counted()
{
	local lines more

	lines=$(grep -c 'Received SYN, sending SYN-ACK' "$LOG")
	more=$(sed -nE 's/.* ([0-9]+) more lines of syn.received suppressed/\1/p' \
		"$LOG" | awk '{ n += $1 } END { print n + 0 }')
	echo "$lines lines, $more suppressed"
	[ "$more" -gt 0 ] && [ $((lines + more)) = $((2002 + ECHOES)) ]
}
check 'lines beyond the rate are counted' wait_for 5 counted

printf '[lis\033[2Jten]\nx\233\007y = 1\n' >>"$CONF"
kill -HUP "$DAEMON"
check 'a wrong configuration is an event' wait_for 5 \
	says daemon.reload_refused ctl events --ndjson
check 'nothing in the log can steer a terminal' negate \
	grep -aq '[[:cntrl:]]' "$LOG"
check 'nor in the events' negate bash -c \
	"$TCPHSCTL -s $SOCKET events | grep -aq '[[:cntrl:]]'"
stop_daemon
check 'ends with a reader' same 0 $?

# ---- forms of the log --------------------------------------------------------

cp "$TMP/plain.conf" "$CONF"
start_daemon -D log.format=json
check 'a client' echo_once
check 'the log is JSON' wait_for 5 bash -c \
	"jq -es 'any(.event == \"conn.closed\")' $LOG"
check 'to the last sentence' jq -es 'all(.time and .level and .message)' "$LOG"
stop_daemon
start_daemon -D log.format=logfmt
check 'another one' echo_once
check 'the log is logfmt' log_has \
	'^time=[^ ]+ level=info seq=[0-9]+ event=syn.received msg="\[Server\] Received SYN, sending SYN-ACK" conn=c1 listener=demo role=server '
stop_daemon
check 'ends' same 0 $?

# ---- the file ----------------------------------------------------------------

DIR=$TMP/log
mkdir "$DIR"
mount -t tmpfs -o size=1M tmpfs "$DIR"
mkdir "$DIR/sub"
FILE=$DIR/sub/events.ndjson
cat >>"$CONF" <<-CONF
	[log]
	file = $FILE
	file_size = 64KiB
	file_keep = 8
CONF
start_daemon

# without_gap: the lines of all files have consecutive numbers from 1 on.
without_gap()
{
	cat "$FILE"* | jq -se '[.[].line] | sort | . == [range(1; length + 1)]'
}

file_has()
{
	grep -q -- "$1" "$FILE"
}

check 'another client' echo_once
check 'the file has its events' wait_for 5 file_has conn.closed
check 'the same as the stream' same "$(ctl events --ndjson)" \
	"$(sed -E 's/"line":[0-9]+,//' "$FILE")"
check 'line by line' without_gap
check 'from the first on' same 1 "$(head -1 "$FILE" | jq .line)"

connects 60
check 'it is rotated by its size' wait_for 5 test -s "$FILE.1"
check 'no line is lost by that' wait_for 5 without_gap
check 'and none is longer than it may be' \
	test "$(stat -c %s "$FILE.1")" -le 65536

mv "$FILE" "$FILE.mine"
kill -HUP "$DAEMON"
check 'reopened on HUP' wait_for 5 file_has daemon.reloaded
check 'the old one is left alone' negate grep -q daemon.reloaded "$FILE.mine"

head -c 2M /dev/zero >"$DIR/fill" 2>/dev/null
connects 20
check 'a full disk is said' wait_for 5 \
	log_has 'Events cannot be written to .*: No space left'
connects 300
check 'the daemon serves on' echo_once
check 'it was said once' test "$(grep -c 'cannot be written' "$LOG")" = 1
rm "$DIR/fill"
check 'it recovers by itself' log_has 'are written to .* again'
check 'what was left out is a line' wait_for 5 file_has \
	'"event":"lost".*"reason":"unwritten"'
check 'metrics have as many' test "$(ctl metrics | sed -n \
	's/^tcphs_events_lost_total{subscriber="file"} //p')" -ge 1
check 'and the lines have no gap' without_gap
check 'each line is whole' jq -es 'length > 0' "$FILE"

rm -r "$DIR/sub"
connects 5
check 'a directory that is removed is said' wait_for 5 \
	log_has 'Events cannot be written to .*: No such file'
check 'the daemon serves' echo_once
mkdir "$DIR/sub"
check 'and found when it is made again' wait_for 5 file_has syn.received

stop_daemon
check 'ends with a file' same 0 $?
check 'its last words are in it' file_has daemon.stopping

# ---- two daemons ------------------------------------------------------------

# The other one in a namespace of its own, where its interface has the same
# name; between the two a pair of veth.
OTHER4=198.18.68.2
cp "$TMP/plain.conf" "$CONF"
printf 'allow = any\n' >>"$CONF"
ip netns add other
ip link add veth0 type veth peer name veth1 netns other
ip addr add 198.18.69.1/30 dev veth0
ip link set veth0 up
ip route add 198.18.68.0/24 via 198.18.69.2
ip netns exec other sh -c "ip link set lo up
	ip addr add 198.18.69.2/30 dev veth1
	ip link set veth1 up
	ip route add 198.18.66.0/24 via 198.18.69.1
	sysctl -qw net.ipv4.ip_forward=1"
sysctl -qw net.ipv4.ip_forward=1
cat >"$TMP/other.conf" <<CONF
[interface]
host_address4 = 198.18.68.1/24
address4 = $OTHER4
host_address6 =
address6 =
[control]
socket = $TMP/other.sock
[listener.talk]
port = 5000
service = chat
allow = any
CONF
ip netns exec other "$TCPHSD" --foreground -c "$TMP/other.conf" \
	>"$TMP/other.log" 2>&1 &
OTHER=$!
start_daemon
check 'two daemons' wait_for 5 grep -q Ready "$TMP/other.log"
mkfifo "$TMP/in"
ctl connect --classic $OTHER4 5000 <"$TMP/in" >"$TMP/out" 2>"$TMP/err" &
TALK=$!
exec 7>"$TMP/in"
check 'connect to each other' wait_for 5 grep -q 'Connected to' "$TMP/err"
echo hello >&7
check 'and talk' wait_for 5 bash -c \
	"echo hi | $TCPHSCTL -s $TMP/other.sock send last there"
check '... both ways' wait_for 5 grep -q '^Server: there' "$TMP/out"
exec 7>&-
# The server's side is closed by its operator: chat waits for him.
check 'close' wait_for 5 "$TCPHSCTL" -s "$TMP/other.sock" close last
check 'it ends' wait_for 5 negate kill -0 "$TALK"
wait "$TALK"
check 'the four lines in both logs, in order' same \
	"[Client] Sending SYN to $OTHER4:5000
[Server] Received SYN, sending SYN-ACK
[Client] Received SYN-ACK, sending ACK
[Server] Received ACK, handshake completed" "$(grep -hE \
	'SYN|Received ACK, handshake completed' "$LOG" "$TMP/other.log" |
	sort | sentences)"
check 'whoever connects sees his own' same \
	"Client: Not Connected
[Client] Sending SYN to $OTHER4:5000
[Client] Received SYN-ACK, sending ACK
[Client] Handshake completed in N ms
Connected to Server at $OTHER4:5000
[Client] Sending FIN
[Client] Received FIN, sending ACK
[Client] Connection closed (FIN-ACK complete)
Connection closed by Client" "$(sed 's/in [0-9.]* ms/in N ms/' "$TMP/err")"
refusal()
{
	exits 20 ctl connect --classic $OTHER4 5001 2>"$TMP/refused" </dev/null
}
check 'a refusal' refusal
check 'step by step' same "Client: Not Connected
[Client] Sending SYN to $OTHER4:5001
[Client] Connection reset by server
[Client] Handshake failed: refused by $OTHER4:5001 (RST)
[Client] Connection closed (refused by peer)
Failed to connect to server." "$(grep -v '^tcphsctl:' "$TMP/refused")"
kill "$OTHER"
wait "$OTHER"
check 'the other ends' same 0 $?
stop_daemon
check 'and the one' same 0 $?
summary
