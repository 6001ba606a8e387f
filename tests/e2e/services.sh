#!/bin/bash
# services.sh - the classic services with nc and socat, over a real TUN
. "$(dirname "$0")/lib.sh"

# talk PORT [ADDRESS]: stdin to the service, close our side, print the rest.
talk()
{
	timeout 30 nc -N "${2:-$OWN4}" "$1"
}

# A client that writes and does not read until it is stuck, then reads it all.
stuck_echo()
{
	timeout 60 python3 - "$OWN4" <<'PY'
import hashlib, os, select, socket, sys

s = socket.create_connection((sys.argv[1], 7))
s.setblocking(False)
block = os.urandom(65536)
sent = hashlib.sha256()
n = 0
while select.select([], [s], [], 1)[1]:
    k = s.send(block)
    sent.update(block[:k])
    n += k
    assert n < 200 << 20, "nothing ever stops us"
s.setblocking(True)
got = hashlib.sha256()
left = n
while left:
    data = s.recv(1 << 20)
    assert data, "closed with %d of %d bytes missing" % (left, n)
    got.update(data)
    left -= len(data)
assert got.digest() == sent.digest()
s.sendall(b"and on it goes")
s.shutdown(socket.SHUT_WR)
rest = b""
while data := s.recv(100):
    rest += data
assert rest == b"and on it goes", rest
PY
}

# RFC 6093, 3.4: urgent data stays in its place, the "out-of-band" byte too.
urgent_echo()
{
	timeout 30 python3 - "$OWN4" <<'PY'
import socket, sys

s = socket.create_connection((sys.argv[1], 7))
s.sendall(b"one ")
s.send(b"two ", socket.MSG_OOB)
s.sendall(b"three")
s.shutdown(socket.SHUT_WR)
got = b""
while data := s.recv(100):
    got += data
assert got == b"one two three", got
PY
	log_has 'Received urgent mark'
}

chargen_right()
{
	timeout 30 python3 - "$OWN4" <<'PY'
import socket, sys

s = socket.create_connection((sys.argv[1], 19))
s.sendall(b"what you get does not depend on this")
want = b"".join(bytes(32 + (line + i) % 95 for i in range(72)) + b"\r\n"
                for line in range(95))
got = b""
while len(got) < 3000000:
    data = s.recv(1 << 20)
    assert data
    got += data
for i in range(0, len(got) - len(want), len(want)):
    assert got[i:i + len(want)] == want, i
s.shutdown(socket.SHUT_WR)
while s.recv(1 << 20):
    pass
PY
}

start_daemon

# echo, RFC 862
check 'echo' same 'hello there' "$(echo 'hello there' | talk 7)"
check 'echo over IPv6' same 'hello there' \
	"$(echo 'hello there' | talk 7 "$OWN6")"
check 'echo of nothing' same '' "$(talk 7 </dev/null)"
head -c 30000000 /dev/urandom >"$TMP/file"
check 'echo of 30 MB' same "$(sha256sum <"$TMP/file")" "$(
	timeout 60 socat -t 30 - "TCP:$OWN4:7" <"$TMP/file" | sha256sum)"
check 'echo stops reading while its output is stuck' stuck_echo
check 'echo of urgent data' urgent_echo

# discard, RFC 863
check 'discard' same '' "$(talk 9 <"$TMP/file")"

# chargen, RFC 864
check 'chargen' chargen_right

# daytime, RFC 867
minute()
{
	LC_ALL=C date -u '+%A, %B %d, %Y %H:%M'
}

daytime_right()
{
	local before after got

	before=$(minute)
	got=$(timeout 10 nc "$OWN4" 13 </dev/null | sed 's/:..-UTC\r$//')
	after=$(minute)
	[ "$got" = "$before" ] || same "$after" "$got"
}
check 'daytime tells the time' daytime_right
check 'daytime closes first' same '' \
	"$(ss -Htan state time-wait dport = 13)"

# qotd, RFC 865
timeout 10 nc "$OWN4" 17 </dev/null >"$TMP/quote"
check 'qotd says something' test -s "$TMP/quote"
check 'in less than 512 characters' test "$(wc -c <"$TMP/quote")" -lt 512

# All at once.
many()
{
	local pids=() pid

	for i in $(seq 40); do
		(
			port=$((i % 2 ? 7 : 13))
			out=$(echo "$i" | talk "$port")
			[ "$port" = 13 ] || [ "$out" = "$i" ]
		) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || return 1
	done
}
check 'forty at once' many
check 'nothing is left open' wait_for 10 \
	sh -c "curl -sS http://$OWN4/ | grep -q '^connections  1 open, 0 half-open'"

check 'a clean stop' stop_daemon
summary
