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
check 'its connection ends' wait_for 5 log_has 'Connection closed'
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
check 'as objects with consecutive numbers' jq -se \
	'[.[].seq] as $s | $s == [range(1; ($s | length) + 1)]' "$TMP/all"
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

follow live --level debug
check 'a reader that follows' wait_for 5 bash -c \
	"ss -Hx src $SOCKET | grep -q ESTAB"
# What it is told of proves that it reads.
check 'sees what happens' wait_for 5 bash -c \
	"echo hi | nc -N -w 5 $OWN4 8090 >/dev/null; grep -q conn.closed $TMP/live"
check 'at the level it wants' grep -q '"event":"data.received"' "$TMP/live"
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

# ---- slow and dead readers ---------------------------------------------------

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

# connects N: so many connections, one after the other.
connects()
{
	local i

	for ((i = 0; i < $1; i++)); do
		exec 6<>"/dev/tcp/$OWN4/8090" || return 1
		exec 6>&-
	done
}

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
check 'it recovers by itself' wait_for 5 log_has 'are written to .* again'
check 'what was left out is a line' wait_for 5 file_has \
	'"event":"lost".*"reason":"unwritten"'
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
summary
