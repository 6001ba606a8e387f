#!/bin/bash
# chat.sh - Chat with people who do not behave
#
# A client that writes and writes to nobody, a reader that stopped reading, a
# thousand who talk at once, messages that would steer a terminal.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

# AddressSanitizer keeps what was freed; here the memory is looked at.
export ASAN_OPTIONS=quarantine_size_mb=0:thread_local_quarantine_size_kb=0

FLOOD=1000000000 # bytes
HEARD=200000000	 # of another one, who finds a reader
WINDOW=4194304	# limits.rcvbuf_max
UNIT=128		# what the window counts in; less is told as none
SESSIONS=1000

write_conf <<'CONF'
[timers]
msl = 100ms
[listener.talk]
port = 8090
service = chat
backlog = 1000
[listener.echo]
port = 7
service = echo
CONF

rss_kib()
{
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$DAEMON/status"
}

# tcb FIELD CONN: a number of a connection's control block.
tcb()
{
	ctl --json show "$2" | jq ".tcb.$1"
}

# shut CONN: something is here, and no more is let in.
shut()
{
	[ "$(tcb rcv_wnd "$1")" -lt $UNIT ] && [ "$(tcb recv_queued "$1")" -gt 0 ]
}

listed()
{
	same "$1" "$(ctl --raw -H list "${@:2}" | wc -l)"
}

check 'starts' start_daemon
ulimit -n 8192

# ---- a client that writes to nobody ----

flood()
{
	head -c "$1" /dev/zero | nc -N "$OWN4" 8090
}

# stuck CONN: nothing more of what the client has comes in.
stuck()
{
	local before

	shut "$1" || return
	before=$(ctl -j show "$1" | jq .bytes_in)
	echo "$before bytes of $FLOOD came in"
	echo hi | nc -N "$OWN4" 7 >/dev/null
	shut "$1" && same "$before" "$(ctl -j show "$1" | jq .bytes_in)"
}

before=$(rss_kib)
flood $FLOOD >/dev/null &
client=$!
wait_for 5 listed 1 listener = talk
conn=$(ctl --raw -H list -o id listener = talk)
check "$FLOOD bytes to nobody: the window shuts" wait_for 10 stuck "$conn"
check '... at its bound' test "$(tcb recv_queued "$conn")" -le $WINDOW
held=$(rss_kib)
echo "     $before KiB resident before, $held KiB now"
check '... and so does the memory' test $((held - before)) -le 12288
check '... the client waits' kill -0 $client
check '... until it is reset' ctl -q close --rst "$conn"
wait $client
check '... which gives back what it had' \
	wait_for 5 eval 'test $(($(rss_kib) - before)) -le 12288'
wait_for 5 listed 0 listener = talk

flood $HEARD >/dev/null &
client=$!
wait_for 5 listed 1 listener = talk
conn=$(ctl --raw -H list -o id listener = talk)
check "$HEARD bytes to nobody yet: the window shuts" wait_for 10 shut "$conn"
check '... others are served' same hi "$(echo hi | nc -N "$OWN4" 7)"
check '... nothing was lost: a reader gets it all' \
	same $HEARD "$(ctl -q --raw attach "$conn" </dev/null | tr -d '[\1-\377]' |
		wc -c)"
wait $client
check '... and memory is as before' test $(($(rss_kib) - before)) -le 12288

# ---- a reader that has stopped ----

mkfifo "$TMP/words"
nc -N "$OWN4" 8090 <"$TMP/words" >/dev/null &
client=$!
exec 5>"$TMP/words"
wait_for 5 listed 1 listener = talk
conn=$(ctl --raw -H list -o id listener = talk)
"$TCPHSCTL" -s "$SOCKET" -q --raw attach "$conn" </dev/null >"$TMP/heard" &
reader=$!
printf x >&5
check 'a reader hears a first byte' wait_for 5 test -s "$TMP/heard"
kill -STOP $reader
head -c $((HEARD / 10 - 1)) /dev/zero >&5 &
exec 5>&-
check '... and stops: the window shuts' wait_for 10 shut "$conn"
check '... others are served' same hi "$(echo hi | nc -N "$OWN4" 7)"
kill -CONT $reader
wait $reader $client
check '... and goes on where it was' \
	same $((HEARD / 10)) "$(stat -c %s "$TMP/heard")"
wait_for 5 listed 0 listener = talk

# ---- many ----

check "$SESSIONS talk at once, each with his own" \
	python3 "$ROOT/tests/e2e/attach_many.py" \
	"$SOCKET" "$OWN4" 8090 $SESSIONS
check '... and nobody is left' wait_for 10 listed 0 state connected
check '... nor much memory' test $(($(rss_kib) - before)) -le 24576
echo "     $(rss_kib) KiB resident"

# ---- words that would steer a terminal ----

EVIL=$'a\e[2J\e]0;x\a\r\x7f\xc2\x9bb'
coproc CLIENT { exec nc "$OWN4" 8090; }
exec 6>&"${CLIENT[1]}" 7<&"${CLIENT[0]}"
wait_for 5 listed 1 listener = talk
mkfifo "$TMP/in"
"$TCPHSCTL" -s "$SOCKET" attach --classic last <"$TMP/in" >"$TMP/out" \
	2>"$TMP/err" &
reader=$!
exec 5>"$TMP/in"
wait_for 5 grep -q Connected "$TMP/err"
printf '%s\n' "$EVIL" >&6
printf '%s\n' "$EVIL" >&5
check 'a message is shown, and its controls are not obeyed' \
	wait_for 5 grep -qF 'Client: a\x1b[2J\x1b]0;x\x07\x0d\x7f' "$TMP/out"
check '... nor our own' wait_for 5 grep -qF 'You: a\x1b[2J\x1b]0;x' "$TMP/out"
IFS= read -r -t 5 line <&7
check '... but sent as they are' same "$EVIL" "$line"
exec 5>&- 6>&- {CLIENT[1]}>&-
wait $reader
check 'no control character anywhere' \
	same '' "$(cat "$TMP/out" "$TMP/err" "$LOG" | tr -d '\n\t' |
		LC_ALL=C grep -oa '[[:cntrl:]]')"
exec 7<&-

check 'stops' stop_daemon
summary
