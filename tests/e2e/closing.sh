#!/bin/bash
# closing.sh - How connections begin and end when all is not well, or just so
#
# Every way to close, as the client's kernel, the list and the log see it; then
# the same over a path that loses the segments which matter; then the limits.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

# AddressSanitizer keeps what was freed; here the memory is looked at.
export ASAN_OPTIONS=quarantine_size_mb=1:thread_local_quarantine_size_kb=64

# py CODE [ARG...]: a client with a socket s connected to argv[1], argv[2].
py()
{
	local code=$1

	shift
	timeout 60 python3 -c "import socket, struct, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
$code" "$@"
}

# newest: the connection whose SYN came last.
newest()
{
	grep -o ' c[0-9]* \[Server\] Received SYN' "$LOG" | tail -n 1 |
		cut -d ' ' -f 2
}

# story: what the log says of the newest connection's states.
story()
{
	sed -n "s/^[0-9:.]* $(newest) \[Server\] [A-Z0-9-]* -> \([A-Z0-9-]*\) .*/\1/p" \
		"$LOG" | paste -sd ' '
}

# told STATES: the newest connection went through these, in this order.
told()
{
	wait_for 5 told_now "$1"
}

told_now()
{
	same "$1" "$(story)"
}

# said REGEX: the log says it of the newest connection.
said()
{
	log_has " $(newest) .*$1"
}

# listed N FILTER...: so many match, soon.
listed()
{
	wait_for 10 listed_now "$@"
}

listed_now()
{
	same "$1" "$(ctl list -H "${@:2}" | wc -l)"
}

# number NAME: a counter of the daemon.
number()
{
	ctl stats --raw | sed -n "s/^\(counters\.\)\?$1[ =]//p"
}

write_conf <<'EOF'
[timers]
msl = 2s

[log]
level = debug

[listener.echo]
port = 7
service = echo
allow = any

[listener.daytime]
port = 13
service = daytime
allow = any

[listener.http]
port = 80
service = http
allow = any

[listener.refusing]
port = 8
service = echo
max_connections = 1
overflow = reset
EOF
start_daemon

# --- ends -------------------------------------------------------------------

for to in "$OWN4" "$OWN6"; do
	echo over | timeout 10 nc -N "$to" 7 >"$TMP/out"
	check "passive close, $to" \
		told 'SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED'
	check '... and the log says so' said 'closed \(FIN-ACK complete\)'
	check '... TIME-WAIT is the client'\''s' test -n \
		"$(ss -Htan state time-wait dst "[$to]" dport = 7)"

	timeout 10 nc "$to" 13 </dev/null >"$TMP/out"
	check "active close, $to" told \
		'SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT'
	check '... TIME-WAIT is ours' listed 1 state time-wait src "$to"
	check '... and not the client'\''s' same '' \
		"$(ss -Htan dst "[$to]" dport = 13)"
	check '... until it is over' listed 0 state all

	check "closed port, $to" same "nc: connect to $to port 9 (tcp) failed: \
Connection refused" "$(timeout 10 nc -v "$to" 9 2>&1)"
	check '... and logged' \
		log_has 'Received SYN, nobody listens on port 9, sending RST'
done

# The client has closed its side; 20 MB and our FIN come after that.
printf 'GET /bytes/20000000 HTTP/1.0\r\n\r\n' | timeout 30 nc -N "$OWN4" 80 |
	tail -c 20000000 | wc -c >"$TMP/out"
check 'half-close: what is asked for comes' same 20000000 "$(cat "$TMP/out")"
check '... in CLOSE-WAIT' \
	told 'SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED'

py 's.shutdown(socket.SHUT_WR)
while s.recv(1 << 20): pass' "$OWN4" 7
check 'half-close without a byte' \
	told 'SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED'

before=$(number closed_reset_in)
py 's.sendall(b"x"); s.recv(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()' "$OWN4" 7
check 'reset by the client' said 'Connection reset by client'
check '... is counted' \
	same $((before + 1)) "$(number closed_reset_in)"
check '... and leaves nothing' listed 0 state all

# A client that ends with unread bytes resets, too.
py 's.sendall(b"unread"); s.recv(1, socket.MSG_PEEK); s.close()' "$OWN4" 7
check 'reset with unread bytes' said 'Connection reset by client'

exec 3<>"/dev/tcp/$OWN4/7"
check 'tcphsctl close' ctl close last
check '... sends a FIN' listed 1 state fin-wait-2
check '... which the client sees' same '' "$(timeout 5 cat <&3)"
exec 3>&-
check '... and answers' told \
	'SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT'

exec 3<>"/dev/tcp/$OWN4/7"
check 'tcphsctl close, and the client goes on sending' ctl close last
listed 1 state fin-wait-2
echo 'anybody there?' >&3
exec 3>&-

exec 3<>"/dev/tcp/$OWN4/7"
check 'tcphsctl close --rst' ctl close last --rst
check_not '... resets the client' timeout 5 cat <&3
check '... and says why' \
	said 'Connection reset by us, sending RST \(closed by the operator\)'
exec 3>&-

exec 3<>"/dev/tcp/$OWN4/7" 4<>"/dev/tcp/$OWN4/80" 5<>"/dev/tcp/$OWN6/7"
listed 3 state established
check 'tcphsctl kill with a filter' \
	eval 'ctl kill -y sport = 7 | grep -Ex "closing 2 connections(;.*)?"'
check '... ends those that match' same '' "$(timeout 5 cat <&3 <&5)"
check '... and no other' listed 1 state established sport = 80
exec 3>&- 4>&- 5>&-
check 'nothing is left after TIME-WAIT' listed 0 state all
check 'stops' stop_daemon

# --- over a path that loses what matters ------------------------------------

check 'starts again' start_daemon

# lossy ARG...: the next client's path.
lossy()
{
	start_relay "$@" || fail 'the relay starts'
}

lossy -x up:2
check 'the last ACK of a handshake is lost' \
	same over "$(echo over | in_client timeout 20 nc -N "$OWN4" 7)"
stop_relay

# Without data behind it nobody notices but us.
lossy -x up:2
in_client timeout 20 nc -d "$OWN6" 7 &
check 'the last ACK is lost, and nothing follows' \
	log_has 'sending SYN-ACK again \(2 of 6\)'
check '... the copy is answered' listed 1 state established
check '... and is counted' same 1 "$(number retransmit_synack)"
check 'a FIN from us' ctl close last
check '... ends the client' wait $!
stop_relay

lossy -x down:1
check 'our SYN-ACK is lost' \
	same over "$(echo over | in_client timeout 20 nc -N "$OWN4" 7)"
stop_relay

lossy -x down:2
in_client timeout 20 nc -d "$OWN4" 7 &
listed 1 state established
check 'our FIN is lost' ctl close last
check '... and sent again' said 'Retransmitting FIN'
check '... so that the client ends' wait $!
stop_relay

lossy -x up:4
in_client timeout 20 nc -N "$OWN4" 7 </dev/null
check 'the ACK of our FIN is lost' said 'Retransmitting FIN'
check '... a copy comes out of the client'\''s TIME-WAIT' told \
	'SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED'
stop_relay

lossy -x down:2
check 'text with our FIN is lost' \
	grep -q UTC <(in_client timeout 20 nc "$OWN4" 13 </dev/null)
stop_relay

# Their FIN and ours pass each other on a long way: twice that is less than a
# client waits before it sends its SYN again.
lossy -d 400000
coproc CLIENT { in_client python3 -c "import socket, sys
s = socket.create_connection(('$OWN4', 7))
sys.stdin.readline()
s.shutdown(socket.SHUT_WR)
print(s.recv(1))"; }
listed 1 state established
ctl -q close last &
closer=$!
echo >&"${CLIENT[1]}"
wait $closer
IFS= read -r -t 5 line <&"${CLIENT[0]}"
check 'both close at once: the client sees our FIN' same "b''" "$line"
check '... and we theirs' told \
	'SYN-RECEIVED ESTABLISHED FIN-WAIT-1 CLOSING TIME-WAIT'
stop_relay
check 'nothing is left after TIME-WAIT' listed 0 state all
check 'stops' stop_daemon

# --- limits -----------------------------------------------------------------

rss_kib()
{
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$DAEMON/status"
}

# Fills the table, sees that it is full and who suffers.
full_table()
{
	timeout 60 python3 - "$OWN4" <<'PY'
import socket, sys

def client(port=7):
    s = socket.socket()
    s.settimeout(3)
    s.connect((sys.argv[1], port))
    return s

def echoes(s):
    s.sendall(b"here")
    assert s.recv(4) == b"here"

old = [client() for _ in range(20)]
for s in old:
    echoes(s)
try:
    client()
    sys.exit("there was room for one more")
except TimeoutError:
    pass
for s in old:
    echoes(s)
old.pop().close()
echoes(client())
for s in old:
    echoes(s)
PY
}

refused_beyond_one()
{
	timeout 60 python3 - "$OWN4" <<'PY'
import socket, sys

first = socket.create_connection((sys.argv[1], 8))
# Its own ACK may still be on the way; it counts when that is here.
first.sendall(b"x")
assert first.recv(1) == b"x"
try:
    socket.create_connection((sys.argv[1], 8))
    sys.exit("there was room for two")
except ConnectionRefusedError:
    pass
first.sendall(b"y")
assert first.recv(1) == b"y"
PY
}

# crowd PORT MOST: twenty clients whose SYNs wait for the daemon together; at
# most so many are served at once. Who is not is reset, or is served when another
# one has gone.
crowd()
{
	timeout 60 python3 - "$OWN4" "$DAEMON" "$@" <<'PY'
import os, select, signal, socket, struct, sys, time

daemon, port, most = map(int, sys.argv[2:])

def stopped():
    with open(f"/proc/{daemon}/stat") as f:
        return f.read().rpartition(")")[2].split()[0] == "T"

def begin():
    s = socket.socket()
    s.setblocking(False)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.connect_ex((sys.argv[1], port))
    return s

def speaks(s):
    select.select([], [s], [], max(0, deadline - time.monotonic()))
    try:
        return s.send(b"x") == 1
    except OSError:
        return False

def hears(s):
    try:
        return s.recv(1) == b"x"
    except OSError:
        return False

os.kill(daemon, signal.SIGSTOP)
while not stopped():
    pass
clients = [begin() for _ in range(20)]
os.kill(daemon, signal.SIGCONT)
deadline = time.monotonic() + 3 # one whose SYN was dropped tries for long
spoke = [s for s in clients if speaks(s)]
print(len(spoke), "connected")
for s in clients:
    if s not in spoke:
        s.close() # would take the place of one that waits
served = []
waiting = spoke
while not served or port == 8 and waiting:
    ready = select.select(waiting, [], [], 10)[0]
    if not ready:
        sys.exit("nobody is served, and nobody is turned away")
    served += [s for s in ready if hears(s)]
    waiting = [s for s in waiting if s not in ready]
print(len(served), "served", len(waiting), "wait")
if len(served) > most:
    sys.exit("too many are served")
while port == 9 and len(served) < 4:
    if select.select(waiting, [], [], 0)[0]:
        sys.exit("somebody is served though nobody went")
    for s in served[-most:]:
        s.close()
    ready = select.select(waiting, [], [], 20)[0]
    if not all(map(hears, ready)) or not 0 < len(ready) <= most:
        sys.exit(f"{len(ready)} are served after one went")
    served += ready
    waiting = [s for s in waiting if s not in ready]
PY
}

dropped()
{
	ctl stats --raw | sed -n "s/^dropped\.$1[ =]//p"
}

# flood COUNT SECONDS: SYNs from addresses of the host's network that nobody
# has, spread evenly; the kernel completes the IP header.
flood()
{
	timeout 60 python3 - "$OWN4" "$1" "$2" <<'PY'
import random, socket, struct, sys, time

def syn(src, dst, port):
    seq = random.getrandbits(32)
    def head(check):
        return struct.pack("!HHIIBBHHHBBH", port, 80, seq, 0, 6 << 4, 2, 65535,
                           check, 0, 2, 4, 1460)
    tcp = head(0)
    pseudo = src + dst + struct.pack("!BBH", 0, 6, len(tcp))
    total = sum(struct.unpack("!18H", pseudo + tcp))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack("!BBHHHBBH", 0x45, 0, 0, 0, 0, 64, 6, 0) + src + dst + \
        head(~total & 0xffff)

random.seed(1)
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
dst = socket.inet_aton(sys.argv[1])
count, seconds = int(sys.argv[2]), float(sys.argv[3])
began = time.monotonic()
for i in range(count):
    if i % 100 == 0:
        time.sleep(max(0, began + seconds * i / count - time.monotonic()))
    src = dst[:3] + bytes([random.randrange(3, 255)])
    s.sendto(syn(src, dst, random.randrange(1024, 65536)), (sys.argv[1], 0))
PY
}

# Clients who mean it, one after the other, as long as the flood lasts.
pages_during()
{
	local n=0

	while kill -0 "$1" 2>"$TMP/kill"; do
		curl -sS -m 5 -o "$TMP/page" "http://$OWN4/bytes/10000" || return
		n=$((n + 1))
	done
	echo "$n pages"
	[ "$n" -ge 20 ]
}

sysctl -qw net.ipv4.ip_forward=0
write_conf <<'EOF'
[limits]
max_connections = 20
[listener.echo]
port = 7
service = echo
[listener.refusing]
port = 8
service = echo
max_connections = 1
overflow = reset
[listener.patient]
port = 9
service = echo
max_connections = 1
EOF
check 'starts with a table for twenty' start_daemon
check 'a full table refuses the next and keeps the others' full_table
check '... and says so' log_has 'Limit reached: connections \(max_connections\)'
listed 0 state established
check 'a listener with overflow = reset refuses at once' refused_beyond_one
listed 0 state connected
check '... and when twenty come at once' crowd 8 "${THREADS:-1}"
check '... which it can explain' eval 'ctl recent outcome = rejected |
	grep -q "ack_limit"'
listed 0 state connected
before=$(dropped ack_limit)
check 'with overflow = drop they wait for each other' crowd 9 "${THREADS:-1}"
check '... and what they say meanwhile is dropped' \
	test "$(dropped ack_limit)" -gt "$before"
check '... until they go' listed 0 state connected
check 'stops' stop_daemon

write_conf <<'EOF'
[limits]
max_half_open = 1000
[log]
handshakes = no
recent = 256
[capture]
ring_memory = 1MiB
[listener.http]
port = 80
service = http
backlog = 200
EOF
check 'starts with room for 200 handshakes' start_daemon -D detect.self_check=no
# Each thread has pages that it takes once, and a ring to the control thread that is
# filled once.
flood 30000 2 &
pages_during $! >"$TMP/warm"
wait $!
before=$(rss_kib)
# As records of 96 bytes they would be 5 MiB and more.
flood 60000 4 &
check 'clients are served during a flood of forged SYNs' pages_during $!
check '... which is over' wait $!
check '... half-open ones were kept within the backlog' listed 200 state syn-received
check '... the others got cookies' test "$(number cookies_sent)" -gt 50000
check '... and it cost no memory' test "$(rss_kib)" -le $((before + 3072))
echo "     $before KiB resident before, $(rss_kib) KiB after"
check 'the limit is logged' log_has 'Limit reached: .* \(backlog\)'
check 'stops' stop_daemon
summary
