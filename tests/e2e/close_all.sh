#!/bin/bash
# close_all.sh - Closing all connections that a filter selects
#
# Clients of two listeners, by both families, one of whom never closes; who is
# meant is closed or reset, who is not goes on; every refusal in words.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[timers]
msl = 100ms
[listener.demo]
port = 8090
service = chat
[listener.echo]
port = 7
service = echo
CONF
start_daemon

# counted N FILTER...: so many connections match.
counted()
{
	same "$1" "$(ctl --raw -H list -o id "${@:2}" | wc -l)"
}

CLIENTS=3000

coproc MANY { exec "$B/tests/e2e/many" "$OWN4" 7 $CLIENTS 2; }

# all STAGE: every one of many clients does it; see many.c.
all()
{
	local line

	echo "$1" >&"${MANY[1]}" &&
		IFS= read -r -t 60 line <&"${MANY[0]}" && same "$1" "$line"
}

exec 3<>"/dev/tcp/$OWN4/8090" 4<>"/dev/tcp/$OWN6/8090"
check 'two clients of demo' wait_for 5 counted 2 listener = demo
check "and $CLIENTS of echo" all open

# ---- refused -----------------------------------------------------------------

# refused CODE WORDS ARG...: in these words, and nothing is closed.
refused()
{
	exits "$1" ctl close --all "${@:3}" >"$TMP/out" 2>&1 &&
		grep -qF -- "$2" "$TMP/out" && return
	cat "$TMP/out"
	return 1
}

check 'no filter' refused 2 'tcphsctl close --all state all'
check 'an empty one' refused 2 'close --all wants a filter' ''
check 'a bad one: where, and what to write' \
	refused 2 "unknown word 'listner'" listner=demo
check '... points at it' grep -qF '^' "$TMP/out"
check 'nobody is selected' refused 1 'closing 0 connections' listener = nobody
check 'none of those is closed' counted $((CLIENTS + 2)) state established

# ---- closed ------------------------------------------------------------------

check 'all of one listener' same 'closing 2 connections' \
	"$(ctl close --all listener=demo)"
check 'its clients see the end' same '' "$(timeout 5 cat <&3 <&4)"
exec 3>&- 4>&-
check 'the log says it' log_has '2 connections closed by the operator'
check 'nothing of them is left after 2 MSL' wait_for 5 counted 0 listener = demo
check 'the others go on' all echo
check 'thousands of them, for programs' eval 'ctl --json close --all \
	listener = echo | jq -e ".count == $CLIENTS and .skipped == 0"'
check 'each client sees the end' all wait
check 'all are in TIME-WAIT, or through it' \
	wait_for 10 counted 0 exclude time-wait
check 'nothing is left' wait_for 10 counted 0

# Who does not close its side keeps its connection; a reset does not wait.
exec 3<>"/dev/tcp/$OWN4/8090"
check 'one that does not close' wait_for 5 counted 1 listener = demo
check 'is closed' same 'closing 1 connection' "$(ctl close --all role=server)"
check 'and waits for it' wait_for 5 counted 1 state fin-wait-2
check 'until it is reset' same 'reset 1 connection' \
	"$(ctl close --all --rst listener = demo)"
check 'which ends it at once' wait_for 5 counted 0
exec 3>&-

check 'socat can do it, too' eval 'echo "close --all state all" |
	socat -t 5 - "UNIX:$SOCKET" | grep -qx "count 0"'
# ---- drained -----------------------------------------------------------------

exec 3<>"/dev/tcp/$OWN4/8090"
check 'a client who stays' wait_for 5 counted 1 listener = demo
check 'draining gives up' exits 7 ctl drain demo --timeout 300ms
check_not 'nobody else is let in' nc -z -w 2 "$OWN4" 8090
check 'but the client is still there' counted 1 state established
ctl drain demo --timeout 10s >"$TMP/drained" 3>&- &
DRAINING=$!
exec 3>&-
check 'until it goes' wait "$DRAINING"
check 'then it is drained' same 'listener demo drained' "$(cat "$TMP/drained")"
check 'all of them' same 'all listeners drained' "$(ctl drain)"
check_not 'nobody comes in anywhere' nc -z -w 2 "$OWN6" 7
check 'stops' stop_daemon
summary
