#!/bin/bash
# demo.sh - A walk through tcphs: each command as typed, then what it printed
#
# `make demo` runs it, in namespaces of its own: whatever it does, nothing of it
# is left on the machine. Every line under a command is that command's output.
# A step whose output is not what its text promises ends the demo with 1.
# shellcheck source=tests/e2e/lib.sh disable=SC2016
. "$(dirname "$0")/lib.sh"

cd "$ROOT" || exit 1
PATH=$(dirname "$TCPHSD"):$PATH
export PATH LC_ALL=C.UTF-8
OUT=$TMP/out
STEP=0
ENDED=

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	BOLD=$'\e[1m' GREEN=$'\e[1;32m' PLAIN=$'\e[0m'
	export SYSTEMD_COLORS=1
else
	BOLD='' GREEN='' PLAIN=''
fi

# step TITLE: begin a part of the walk.
step()
{
	STEP=$((STEP + 1))
	printf '\n%s%d. %s%s\n' "$BOLD" "$STEP" "$1" "$PLAIN"
}

# say: what the next command shows, from stdin.
say()
{
	echo
	cat
}

# typed COMMAND: show it as a person would type it.
typed()
{
	printf '\n%s$ %s%s\n' "$GREEN" "$1" "$PLAIN"
}

# run COMMAND: type it, let this shell do it, show what it printed.
run()
{
	local code=0

	typed "$1"
	eval "$1" >"$OUT" 2>&1 || code=$?
	cat "$OUT"
	[ "$code" = "${WANT:-0}" ] || die "exit code $code"
}

# run_until CONDITION COMMAND: the same for what goes on in the background;
# its output is shown when the condition holds.
run_until()
{
	typed "$2"
	eval "$2" >"$OUT" 2>&1
	settle bash -c "$1"
	cat "$OUT"
}

# must REGEX...: the last output has to have such lines.
must()
{
	local regex

	for regex; do
		grep -Eq -- "$regex" "$OUT" || die "nothing like: $regex"
	done
}

# settle COMMAND...: packets need a moment; go on when it is so.
settle()
{
	wait_for 10 "$@" || die 'nothing happened'
}

# die WORDS: the demo has failed.
die()
{
	printf '\n%sdemo: step %d failed: %s%s\n' "$BOLD" "$STEP" "$1" "$PLAIN"
	exit 1
}

# listed N FILTER...: that many connections match.
listed()
{
	local n=$1

	shift
	[ "$(tcphsctl list -H "$@" | wc -l)" = "$n" ]
}

goodbye()
{
	[ -n "$ENDED" ] || [ ! -s "$LOG" ] || tail -n 20 "$LOG"
}
trap goodbye EXIT

LOG=/run/tcphsd.log
cat <<EOF
${BOLD}tcphs - a TCP endpoint on an address of its own, beside the kernel's${PLAIN}

This runs in a private network namespace: no packet leaves it, and nothing is
left behind. Lines with a \$ are typed; below each is its real output.
EOF

step 'Start the daemon'
say <<'EOF'
It creates the interface tcphs0 and gives all its rights away. Behind the
interface it is the owner of 198.18.66.2; the host's own address is .1.
EOF
run_until "grep -q Ready $LOG" \
	"tcphsd --foreground -c conf/tcphsd.conf 2>$LOG &"
DAEMON=$!
run "cat $LOG"
must 'Gave up all capabilities' 'Ready on tcphs0'
run 'ip -brief address show tcphs0'
must '198\.18\.66\.1'
cp "$OUT" "$OUT.address" # without IPv6 if the host has none

step 'Ping it'
say <<'EOF'
The kernel does not have these addresses: who answers is the daemon.
EOF
run 'ping -q -c 5 -i 0.05 198.18.66.2'
must ' 0% packet loss'
if grep -q fd74:6370:6873::1 "$OUT.address"; then
	run 'ping -q -c 5 -i 0.05 fd74:6370:6873::2'
	must ' 0% packet loss'
fi

step 'Talk to it'
say <<'EOF'
nc is an ordinary client, its TCP that of the Linux kernel. On the other side
are a TCP of our own and, on port 7, the echo service.
EOF
run 'echo "Hello, who is there?" | nc -N 198.18.66.2 7'
must '^Hello, who is there\?$'
say <<'EOF'
What happened meanwhile, as the daemon saw it, packet by packet:
EOF
settle grep -q 'FIN-ACK complete' "$LOG"
run "tail -n +3 $LOG"
must 'Received SYN, sending SYN-ACK' 'Received ACK, handshake completed' \
	'Received FIN, sending ACK' 'Connection closed'
say <<'EOF'
And its packets, between both ends and their states. They are kept for a while
after the end.
EOF
run 'tcphsctl ladder last'
must 'SYN' 'SYN-ACK|SYN,ACK' 'FIN'

step 'The other way round'
say <<'EOF'
The daemon is a client, too. Here nc listens, and the handshake that it has is
one of ours; --classic tells each step as it happens.
EOF
run_until 'ss -Hltn sport = :5000 | grep -q .' \
	'nc -l -N 198.18.66.1 5000 < <(echo "Hello, who calls?") &'
run 'tcphsctl connect --classic 198.18.66.1 5000 </dev/null'
must '^\[Client\] Sending SYN to 198\.18\.66\.1:5000' \
	'^\[Client\] Received SYN-ACK, sending ACK' \
	'^\[Client\] Handshake completed in' '^Server: Hello, who calls\?$'
say <<'EOF'
How long do handshakes with it take? And with a port where nobody is:
EOF
run_until 'ss -Hltn sport = :5000 | grep -q .' \
	'nc -k -l 198.18.66.1 5000 >/dev/null &'
listener=$!
run 'tcphsctl probe -c 3 -i 100ms 198.18.66.1 5000'
must '3 probes .*: 3 open$' '^open in ms: min'
WANT=20 run 'tcphsctl probe -c 1 198.18.66.1 5009'
must 'refused'
kill $listener

step 'Why did it fail?'
say <<'EOF'
What became of a connection, or of an attempt, can be asked afterwards: what
happened, why, by which rule, what the client saw, and what to do about it.
EOF
WANT=1 run 'nc -v 198.18.66.2 8443'
must 'Connection refused'
run 'tcphsctl explain --last-failed'
must 'outcome: refused' 'No listener takes port 8443' 'RFC 9293, 3\.10\.7\.1' \
	'Evidence +packets #1'

step 'A conversation, captured and analysed'
say <<'EOF'
One more server, started while the daemon runs. What its clients say is for
whoever reads it; the packets go to a file.
EOF
run 'tcphsctl listener add demo --port 8090 --service chat'
must '^listener demo 198\.18\.66\.2:8090 and .* enabled$'
run_until '[ -s /run/talk.pcapng ]' \
	'tcphsctl -q dump -w /run/talk.pcapng port 8090 &'
dump=$!
run_until '[ -n "$(tcphsctl -H --raw list bytes = 14 listener = demo)" ]' \
	'(echo "Hello, server"; sleep inf) | nc -W 1 198.18.66.2 8090 >/run/heard &'
run 'echo "Hello, client" | tcphsctl attach --classic last'
must '^Connected to Client at 198\.18\.66\.1:' '^Client: Hello, server$' \
	'^You: Hello, client$' '^Client disconnected\.|^Connection closed by Server'
settle test -s /run/heard
run 'cat /run/heard'
must '^Hello, client$'
kill -INT $dump
wait $dump
say <<'EOF'
What the analyser makes of the file, as it does of anybody's:
EOF
run 'tcphsctl analyze /run/talk.pcapng'
must 'completed' 'fin_both'

step 'Look at its page'
run 'curl -sS http://198.18.66.2/'
must 'TCP Connection Analyzer' 'waiting for client'

step 'Eight clients at once'
run_until "[ \$(wc -l <$OUT) = 8 ]" \
	'for i in {1..8}; do (echo "client $i"; sleep inf) | nc 198.18.66.2 7 & done'
for i in {1..8}; do must "^client $i\$"; done
run 'tcphsctl list -o id,state,local,peer,listener,age,hs,rtt,in,out'
must '^c[0-9]+ +ESTAB +198\.18\.66\.2:7 +198\.18\.66\.1:[0-9]+ +echo'
[ "$(grep -c ESTAB "$OUT")" = 8 ] || die 'not eight connections'
say <<'EOF'
All that is known about one of them:
EOF
run 'tcphsctl show last'
must ESTAB
run 'tcphsctl listener list'
must '^echo .*\(8\)'
say <<'EOF'
Enough of them. This ends all eight at once, whatever they are doing:
EOF
run 'tcphsctl close --all --rst listener=echo'
must 'reset.* 8 connections'
settle listed 0 state established

step 'Real work'
say <<'EOF'
100 MB to the echo service and back, both ways at once. Nothing may differ.
EOF
run 'head -c 100000000 /dev/urandom >/run/file'
run 'sha256sum </run/file'
cp "$OUT" "$TMP/sum"
run 'nc -N 198.18.66.2 7 </run/file | sha256sum'
cmp -s "$OUT" "$TMP/sum" || die 'the bytes differ'
say <<'EOF'
And 1 GB from its web server.
EOF
run "curl -sS -o /dev/null -w '%{size_download} bytes, %{speed_download} a second\n' \\
    http://198.18.66.2/bytes/1000000000"
must '^1000000000 bytes'

step 'Teardown, step by step'
say <<'EOF'
One connection, held open by this shell. With more to log, every change of
state is told, too.
EOF
run 'tcphsctl log level debug'
run 'exec 3<>/dev/tcp/198.18.66.2/7'
settle listed 1 state established
run 'tcphsctl list -o id,state,peer,age,idle state established'
must 'ESTAB'
conn=$(tcphsctl list -H -o id state established)
say <<'EOF'
We close first. The client's kernel acknowledges our FIN, but the client
itself has not closed yet, so this side waits in FIN-WAIT-2:
EOF
run 'tcphsctl close last'
settle listed 1 state fin-wait-2
run 'tcphsctl list -o id,state,peer,age,idle state fin-wait-2'
must 'FIN-WAIT-2'
say <<'EOF'
Now the client closes as well. Who closed first has to remember the connection
for a while, in case its last ACK was lost: TIME-WAIT.
EOF
run 'exec 3>&-'
settle listed 1 state time-wait sport = 7
run 'tcphsctl list -o id,state,peer,age,idle state time-wait sport = 7'
must 'TIME-WAIT'
say <<'EOF'
All of it, as the daemon saw it:
EOF
run "grep '$conn ' $LOG"
must 'ESTABLISHED -> FIN-WAIT-1' 'Sending FIN' 'FIN-WAIT-1 -> FIN-WAIT-2' \
	'Received FIN, sending ACK' 'FIN-WAIT-2 -> TIME-WAIT'
run 'tcphsctl log level info'
say <<'EOF'
The other way to end is a reset: the client is told at once. A port where
nobody listens answers with one, too.
EOF
run 'exec 3<>/dev/tcp/198.18.66.2/7'
settle listed 1 state established
run 'tcphsctl close last --rst'
settle listed 0 state established
WANT=1 run 'cat <&3'
must 'Connection reset by peer'
exec 3>&-
WANT=1 run 'nc -v 198.18.66.2 8'
must 'Connection refused'
settle grep -q 'nobody listens on port 8' "$LOG"
run "grep RST $LOG | tail -n 2"
must 'Connection reset by us' 'nobody listens on port 8'

step 'What it counted'
run 'tcphsctl stats'
must 'handshakes completed as server' 'closed_fin'

step 'Stop it'
say <<'EOF'
TERM closes what is open, waits for the other sides, and takes the interface
away again.
EOF
run "kill -TERM $DAEMON; wait $DAEMON"
run "tail -n 2 $LOG"
must 'Stopped'
WANT=1 run 'ip link show tcphs0'
must 'does not exist'

ENDED=1
printf '\nThat was tcphs. For a lesson without root: %stcphsd lab%s' "$BOLD" "$PLAIN"
printf '\nNext: %smake run%s starts it here; then try this page:\n' \
	"$BOLD" "$PLAIN"
printf '  curl http://198.18.66.2/\n'
