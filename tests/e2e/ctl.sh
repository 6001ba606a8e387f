#!/bin/bash
# ctl.sh - The control socket: rights by user and group, bad and slow clients
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

# Groups and users that exist in this mount namespace only: alice is in tcphs,
# bob in tcphs-view, eve in neither.
add_accounts()
{
	cp /etc/group "$TMP/group"
	cp /etc/passwd "$TMP/passwd"
	sed -i '/^tcphs/d' "$TMP/group"
	cat >>"$TMP/group" <<-'EOF'
		tcphs:x:39001:alice
		tcphs-view:x:39002:bob
	EOF
	cat >>"$TMP/passwd" <<-'EOF'
		alice:x:39011:65534::/:/bin/sh
		bob:x:39012:65534::/:/bin/sh
		eve:x:39013:65534::/:/bin/sh
	EOF
	mount --bind "$TMP/group" /etc/group
	mount --bind "$TMP/passwd" /etc/passwd
}

# as USER COMMAND...: with the groups that the user has.
as()
{
	local user=$1

	shift
	setpriv --reuid "$user" --regid 65534 --init-groups "$@"
}

# speak [SECONDS]: stdin to the socket, everything that comes back.
speak()
{
	socat -t "${1:-5}" - "UNIX-CONNECT:$SOCKET"
}

# answer LINE: what the daemon says to one request, without the greeting.
answer()
{
	speak <<<"$1" | tail -n +2
}

says()
{
	same "$1" "$(answer "$2")"
}

# hold N PORT: N connections that stay until let_go.
hold()
{
	coproc HOLD { holder "$@"; }
	HOLDER=$HOLD_PID
	HOLDER_IN=${HOLD[1]}
	read -r -u "${HOLD[0]}" _
}

let_go()
{
	exec {HOLDER_IN}>&-
	wait "$HOLDER"
}

holder()
{
	exec python3 -c '
import socket, sys
held = [socket.create_connection((sys.argv[1], int(sys.argv[3])))
        for i in range(int(sys.argv[2]))]
print("held", flush=True)
sys.stdin.read()
' "$OWN4" "$1" "$2"
}

count()
{
	ctl --raw -H -o id list "$@" | wc -l
}

counts()
{
	same "$1" "$(count "${@:2}")"
}

resident_kb()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$DAEMON/status"
}

# --- rights -----------------------------------------------------------------

add_accounts
# As in a shell: the daemon wants more than it is given.
ulimit -Sn 1024
start_daemon || summary

check 'root looks' ctl -q status
check 'the socket belongs to the group' \
	same '0:39001' "$(stat -c %u:%g "$SOCKET")"
check 'an admin by group looks' as alice "$TCPHSCTL" -s "$SOCKET" -q list
check 'an admin by group acts' \
	as alice "$TCPHSCTL" -s "$SOCKET" -q listener disable echo
check_not 'and the port is closed' nc -z -w 2 "$OWN4" 7
check 'an admin enables it again' \
	as alice "$TCPHSCTL" -s "$SOCKET" -q listener enable echo
check 'and the port is open' nc -z -w 2 "$OWN4" 7
check 'an admin by first group acts' \
	setpriv --reuid eve --regid 39001 --clear-groups \
	"$TCPHSCTL" -s "$SOCKET" -q log level info

check 'a viewer looks' as bob "$TCPHSCTL" -s "$SOCKET" -q list
check 'a viewer sees the counters' as bob "$TCPHSCTL" -s "$SOCKET" -q stats
check 'a viewer does not kill' exits 4 \
	as bob "$TCPHSCTL" -s "$SOCKET" -y kill state all
check 'a viewer sees what it runs with' as bob "$TCPHSCTL" -s "$SOCKET" \
	-q config show
check 'a viewer does not read its file' exits 4 \
	as bob "$TCPHSCTL" -s "$SOCKET" config diff
viewer_is_told()
{
	as bob "$TCPHSCTL" -s "$SOCKET" listener disable echo 2>&1 |
		grep -q 'join the group tcphs'
}
check 'a viewer is told which group to join' viewer_is_told
check 'a stranger does not get in' exits 4 \
	as eve "$TCPHSCTL" -s "$SOCKET" status

# --- bad input --------------------------------------------------------------

LIST='{"id":1,"method":"conn.list"}'
NONE='{"id":1,"result":{"count":0}}'

before_bad=$(resident_kb)
check 'an answer' says "$NONE" "$LIST"
check 'bad JSON is answered with its place' says \
	'{"error":{"code":"bad_json","message":"'"':' expected near '}'"'","at":6}}' \
	'{"id"}'
garbage()
{
	head -c 300000 /dev/urandom | speak 1 >"$TMP/garbage" || true
	says "$NONE" "$LIST"
}
check 'garbage harms nobody' garbage
long_line()
{
	{
		printf '{'
		head -c 10000000 /dev/zero | tr '\0' x
		printf '\n%s\n' "$LIST"
	} | speak | tail -n +2 >"$TMP/long"
	same "$(printf '%s\n' \
		'{"error":{"code":"too_long","message":"a request is at most 65536 bytes"}}' \
		"$NONE")" "$(cat "$TMP/long")"
}
check 'a line of 10 MB is refused, the next one taken' long_line
half_line()
{
	printf '{"id":1,"method":"conn.kill","params":{"filter":"state all"}}' |
		speak | grep -q 'no line feed'
}
check 'half a line is not run' half_line
check 'none of it costs memory' \
	test "$(($(resident_kb) - before_bad))" -lt 2048

# --- many clients, and one that never reads ---------------------------------

many_clients()
{
	python3 - "$SOCKET" "$TCPHSCTL" <<'PY'
import json, os, resource, socket, subprocess, sys

most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

def client():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    f = s.makefile("rwb", buffering=0)
    return s, json.loads(f.readline())

ctl = [sys.argv[2], "-s", sys.argv[1], "-q", "status"]
idle = [client() for i in range(200)]
assert all(hello["tcphs"]["rights"] == "admin" for s, hello in idle)
assert subprocess.call(ctl) == 0, "refused beside 200 idle clients"
idle += [client() for i in range(824)]
s, hello = client()
assert hello["error"]["code"] == "busy", hello
assert s.recv(1) == b""
assert subprocess.call(ctl) == 7, "not told that it is busy"
idle.pop()[0].close()
for attempt in range(100):
    if subprocess.call(ctl, stderr=subprocess.DEVNULL) == 0:
        break
else:
    raise AssertionError("the place of one that left is not free")
PY
}
check '1024 idle clients, and the next is told' many_clients

hold 300 9
check '300 connections are listed' counts 300 dport != 1 and state established
check 'a filter takes its part' counts 300 listener = discard
check 'another takes none' counts 0 state time-wait

never_reads()
{
	python3 - "$SOCKET" "$OWN4" "$TCPHSCTL" <<'PY'
import socket, subprocess, sys

dead = []
for i in range(20):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    for j in range(8):
        s.sendall(b'{"id":%d,"method":"conn.list"}\n' % j)
    dead.append(s)
for i in range(50):
    s = socket.create_connection((sys.argv[2], 7), timeout=5)
    s.sendall(b"hello")
    assert s.recv(5) == b"hello"
    s.close()
assert subprocess.call([sys.argv[3], "-s", sys.argv[1], "-q", "list"]) == 0
PY
}
before=$(resident_kb)
check 'clients that never read hinder nobody' never_reads
check 'and cost little' test "$(($(resident_kb) - before))" -lt 16384

# --- acting on connections --------------------------------------------------

id=$(ctl --raw -H -o id list state established | head -n 1)
check 'show knows it' ctl -q show "$id"
check 'a connection is closed' ctl -q close "$id"
check 'and is one less' wait_for 5 counts 299 state established
check 'another is reset' ctl -q close --rst last
check 'and is one less, too' wait_for 5 counts 298 state established
check 'what is not there is said so' exits 5 ctl -q close c4294967295
check 'kill takes a filter' ctl -q -y kill --rst listener = discard
check 'and nothing is left' wait_for 5 counts 0 listener = discard
let_go

# --- text mode --------------------------------------------------------------

text_list()
{
	hold 2 9
	answer 'list state established' >"$TMP/text"
	let_go
	cat "$TMP/text"
	same 3 "$(wc -l <"$TMP/text")" &&
		grep -Eq '^c[0-9]+ +ESTAB +198\.18\.66\.2:9 ' "$TMP/text"
}
check 'a command in plain words' text_list
check 'an error in plain words' says \
	"error: unknown state 'x' (established, syn-received, connected, bucket, big, all ...)" \
	'list state x'
text_status()
{
	answer status | grep -x 'state ready'
}
check 'the status in plain words' text_status

stop_daemon

# --- other settings ---------------------------------------------------------

write_conf <<'EOF'
[control]
socket_mode = 0666
reader_group =
EOF
start_daemon || summary
check 'open to all, a stranger is told why not' exits 4 \
	as eve "$TCPHSCTL" -s "$SOCKET" status
stranger_line()
{
	same '{"error":{"code":"not_permitted","message":"you may not use this socket","hint":"join the group tcphs"}}' \
		"$(as eve socat -t 5 - "UNIX-CONNECT:$SOCKET" </dev/null)"
}
check 'in a line before the end' stranger_line
stop_daemon

write_conf <<'EOF'
[control]
reader_group = *
EOF
start_daemon || summary
check 'everybody may look' as eve "$TCPHSCTL" -s "$SOCKET" -q status
check 'but not act' exits 4 as eve "$TCPHSCTL" -s "$SOCKET" -q reload
crowd()
{
	python3 - "$SOCKET" "$(id -u eve)" <<'PY'
import os, resource, socket, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
def come():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    return s, s.makefile().readline()
os.seteuid(int(sys.argv[2]))
there = [come()]
while '"busy"' not in there[-1][1]:
    assert len(there) < 1100
    there.append(come())
os.seteuid(0)
line = come()[1]
assert '"rights":"admin"' in line, line
PY
}
check 'a crowd that looks cannot keep an admin out' crowd
stop_daemon

summary
