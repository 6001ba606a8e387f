#!/bin/bash
# talk.sh - People and programs that talk through tcphsctl
#
# The daemon as a client of the kernel's servers (connect), as a server whose
# connections somebody reads (attach, send), and every way in which both end.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[timers]
syn_retries = 1
msl = 100ms
[listener.talk]
port = 8090
service = chat
[listener.echo]
port = 7
service = echo
CONF

# server PORT COMMAND...: nc as a server of one client, by the kernel.
server()
{
	local port=$1

	shift
	"$@" >"$TMP/heard" 2>"$TMP/server" &
	SERVER=$!
	wait_for 30 listens "$port"
}

listens()
{
	ss -Hltn "sport = :$1" | grep -q .
}

# talk NAME ARG...: tcphsctl connect or attach in the background; what is said
# goes to descriptor 5, what comes is in $TMP/NAME.out and .err.
talk()
{
	local name=$1

	shift
	mkfifo "$TMP/$name.in"
	"$TCPHSCTL" -s "$SOCKET" "$@" <"$TMP/$name.in" >"$TMP/$name.out" \
		2>"$TMP/$name.err" &
	TALK=$!
	exec 5>"$TMP/$name.in"
}

# over CODE: the talk has ended, with this exit code.
over()
{
	local code=0

	wait_for 10 negate kill -0 "$TALK" || return 1
	wait "$TALK" || code=$?
	same "$1" "$code"
}

# said COMMAND...: its words are in $TMP/connect, what came in $TMP/got.
said()
{
	"$@" >"$TMP/got" 2>"$TMP/connect"
}

has()
{
	grep -q -- "$2" "$TMP/$1" && return 0
	echo "no line like '$2' in:"
	cat "$TMP/$1"
	return 1
}

listed()
{
	wait_for 5 listed_now "$@"
}

listed_now()
{
	local want=$1

	shift
	same "$want" "$(ctl --raw -H list "$@" | wc -l)"
}

check 'starts' start_daemon
mkfifo "$TMP/mute" # somebody who neither speaks nor ends
head -c 3000000 /dev/urandom >"$TMP/file"

# ---- connect ----

for host in "$HOST4" "$HOST6"; do
	server 5000 nc -l "$host" 5000
	check "connect to $host: says it and ends" \
		same '' "$(echo hello | ctl connect "$host" 5000 \
			2>"$TMP/connect")"
	wait $SERVER
	check '... the server heard it' same hello "$(cat "$TMP/heard")"
	check '... it took a time' \
		has connect '^connected .* -> .*:5000 in [0-9.]* ms$'
	check '... and ended well' has connect '^closed: '
done

server 5000 sh -c "exec nc -l -N $HOST4 5000 <$TMP/file"
check 'connect from a port of choice' \
	said ctl connect --source 4242 --nodelay "$HOST4" 5000 <>"$TMP/mute"
wait $SERVER
check '... brings 3 MB whole' cmp "$TMP/file" "$TMP/got"
check '... from that port' has connect "$OWN4:4242 -> "

server 5000 socat "TCP-LISTEN:5000,bind=$HOST4,reuseaddr" EXEC:cat
check 'and takes them there and back' \
	cmp "$TMP/file" <(ctl -q connect "$HOST4" 5000 <"$TMP/file")
wait $SERVER

# What the server says, as it is in a pipe, and on a terminal.
printf 'a\033[2Jb\n' >"$TMP/evil"
server 5000 sh -c "exec nc -l -N $HOST4 5000 <$TMP/evil"
check 'control characters go into a pipe' \
	cmp "$TMP/evil" <(ctl -q connect "$HOST4" 5000 </dev/null)
wait $SERVER
server 5000 sh -c "exec nc -l -N $HOST4 5000 <$TMP/evil"
onto_terminal()
{
	timeout 10 socat -u EXEC:"$1",pty,rawer -
}
check '... but to no terminal' same 'a\x1b[2Jb' "$(
	onto_terminal "$TCPHSCTL -s $SOCKET -q connect $HOST4 5000")"
wait $SERVER

check 'nobody listens: exit code 20' \
	exits 20 said ctl connect "$HOST4" 5001 </dev/null
check '... in words' has connect "$HOST4:5001: .* after 1 SYN, "
ip route add blackhole 198.18.99.0/24
check 'no answer: exit code 21' \
	exits 21 said ctl connect 198.18.99.1 1 </dev/null
check '... after two tries' has connect ' after 2 SYNs, '
sysctl -qw net.ipv4.ip_forward=1
ip route add unreachable 198.18.98.0/24
check 'no way there: exit code 22' \
	exits 22 said ctl connect 198.18.98.1 80 </dev/null
check '... in words' has connect '198.18.98.1:80: .*unreachable'
check 'no answer for as long as we wait: exit code 21' \
	exits 21 said ctl connect 198.18.99.1:1 --timeout 300ms </dev/null
check '... in words' has connect '^tcphsctl: no answer in 0\.3 s$'
check '... and nothing is left' listed 0 state syn-sent
check 'ADDR:PORT is refused as ADDR PORT is' \
	exits 20 said ctl connect "$HOST4:5001" </dev/null
check '... and [ADDR]:PORT' \
	exits 20 said ctl connect --classic "[$HOST6]:5001" </dev/null
check '... as it says' has connect "^tcphsctl: \\[$HOST6\\]:5001: refused"
check '... step by step' has connect '^\[Client\] Handshake failed: refused by'
check 'an address of IPv6 alone has no port' exits 2 said \
	ctl connect "$HOST6" </dev/null
check '... as it says' has connect 'has no port'
check 'no such address' exits 2 ctl connect nowhere 80 </dev/null
check 'no such port' exits 2 ctl connect "$HOST4" 65536 </dev/null
check 'our own address: exit code 25' exits 25 ctl connect "$OWN4" 80 \
	</dev/null

server 5000 python3 -c "
import socket, struct
s = socket.create_server(('$HOST4', 5000))
c = s.accept()[0]
c.recv(10)
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
c.close()"
check 'reset after the handshake: exit code 23' \
	exits 23 said ctl connect "$HOST4" 5000 <<<x
check '... in words' has connect '^closed: .*reset'
wait $SERVER

# A first Ctrl-C is a FIN, a second a RST.
server 5000 python3 -c "
import signal, socket
s = socket.create_server(('$HOST4', 5000))
c = s.accept()[0]
signal.pause()"
talk interrupted connect "$HOST4" 5000
check 'connected' wait_for 5 has interrupted.err '^connected'
kill -INT $TALK
listed 1 state fin-wait-2
check 'Ctrl-C closes our side' listed_now 1 state fin-wait-2
kill -INT $TALK
check 'Ctrl-C again resets: exit code 0' over 0
exec 5>&-
check '... and nothing is left' listed 0 state connected
kill $SERVER
wait $SERVER

# ---- attach and send ----

coproc CLIENT { exec nc -N "$OWN4" 8090; }
exec 6>&"${CLIENT[1]}" 7<&"${CLIENT[0]}"
listed 1 listener = talk
echo early >&6
talk attached attach last
check 'attach: what came before is there' \
	wait_for 5 has attached.out '^Client: early$'
echo question >&6
check '... what comes later, too' wait_for 5 has attached.out '^Client: question$'
printf 'a\033[2Jb\n' >&6
check '... and cannot steer the terminal' \
	wait_for 5 has attached.out '^Client: a\\x1b\[2Jb$'
echo answer >&5
IFS= read -r -t 5 line <&7
check 'what is typed arrives' same answer "$line"
check 'send goes past the reader' ctl -q send last over here
IFS= read -r -t 5 line <&7
check '... and arrives' same 'over here' "$line"
check 'a second reader is refused' exits 7 ctl attach last </dev/null
exec 5>&-
listed 1 state fin-wait-2
check 'the end of what is typed is a FIN' listed_now 1 state fin-wait-2
exec 6>&- {CLIENT[1]}>&-
check "... and the client's is the end" over 0
exec 7<&-
listed 0 listener = talk

coproc CLIENT { exec nc "$OWN6" 8090; }
client=$CLIENT_PID
exec 6>&"${CLIENT[1]}" 7<&"${CLIENT[0]}"
listed 1 listener = talk
talk classic attach --classic last
check 'classic: who is it' wait_for 5 has classic.err \
	"^Connected to Client at \\[$HOST6\\]:"
echo hello >&6
check '... says what' wait_for 5 has classic.out '^Client: hello$'
printf 'a\033[2Jb\n' >&6
check '... and cannot steer the terminal' \
	wait_for 5 has classic.out '^Client: a\\x1b\[2Jb$'
echo 'Größe, Привет, 日本' >&6
check '... in any language' \
	wait_for 5 has classic.out '^Client: Größe, Привет, 日本$'
echo hi >&5
IFS= read -r -t 5 line <&7
check '... what we say' same hi "$line"
check '... so it was' wait_for 5 has classic.out '^You: hi$'
exec 6>&- 7<&-
kill "$client"
check '... and who has gone' over 0
check '... in words' has classic.err '^Client disconnected\.$'
exec 5>&-

coproc CLIENT { exec nc -N "$OWN4" 8090; }
exec 6>&"${CLIENT[1]}"
listed 1 state established
talk first attach --classic last
check 'classic: a client who stays' wait_for 5 has first.err \
	"^Connected to Client at $HOST4:"
exec 5>&-
listed 1 state fin-wait-2
exec 6>&- {CLIENT[1]}>&-
check '... until we close' over 0
check '... in words' has first.err '^Connection closed by Server$'
check '... and nobody said that he was not there' \
	negate grep -q 'Not Connected' "$TMP/first.err"

# A client that resets: it goes when its input ends.
python3 -c "
import socket, struct, sys
c = socket.create_connection(('$OWN4', 8090))
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
c.sendall(b'bye\n')
sys.stdin.read()
c.close()" < <(wait_for 20 test -e "$TMP/go") &
client=$!
listed 1 state established
talk reset attach --classic last
check 'classic: a client who resets' wait_for 5 has reset.out '^Client: bye$'
: >"$TMP/go"
check '... is the end: exit code 23' over 23
check '... in words' has reset.err '^Client disconnected\.$'
check '... and why' has reset.err '^closed: reset by peer$'
check '... as the events say' eval 'ctl events --classic | tail -n 2 |
	grep -qx "\[Server\] Connection reset by client"'
exec 5>&-
wait $client
ctl attach --classic c4000000000 </dev/null 2>"$TMP/nobody"
check 'classic: nobody to talk to' has nobody 'there is no connection'
check_not '... and no server that we would have called' \
	has nobody 'Failed to connect'

exec 8<>"/dev/tcp/$OWN4/7"
check 'an echo connection is not to be attached to' exits 2 ctl attach last \
	</dev/null
check 'nor to be talked on' exits 2 ctl send last x
exec 8>&-

# Nobody reads: the window shuts, and then somebody does.
listed 0 state connected
nc -N "$OWN4" 8090 <"$TMP/file" &
client=$!
listed 1 listener = talk
check 'a reader who comes late gets all of it' \
	cmp "$TMP/file" <(ctl -q --raw attach last </dev/null)
wait $client

check 'stops' stop_daemon

# ---- an answer that answers nothing, and no memory of packets ----

start_daemon -D capture.ring_packets=0
python3 "$ROOT/tests/e2e/odd_server.py" &
ODD=$!
check 'a server that is odd' wait_for 10 eval 'ip route get 198.18.95.1 |
	grep -q "dev odd0"'
check 'against the protocol: exit code 24' \
	exits 24 said ctl connect 198.18.95.1 80 </dev/null
check '... in words' has connect 'answered against the protocol after 2 SYNs'
check '... and so the event' wait_for 5 eval 'ctl events --ndjson |
	jq -r "select(.event == \"handshake.failed\").outcome" |
	grep -qx protocol_error'
kill $ODD
stop_daemon
check 'no daemon: exit code 3' exits 3 ctl connect "$HOST4" 80 </dev/null
summary
