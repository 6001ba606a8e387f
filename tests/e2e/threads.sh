#!/bin/bash
# threads.sh - Three shards behind one interface
#
# What the other scripts show must hold with THREADS=2, too; here is what only
# several threads have: flows that come to the right queue, or to the wrong one if
# the kernel takes no program; one answer for all shards, and changes that reach
# each of them.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

THREADS=3

# of_threads EXPRESSION: jq on the array of the threads' counters.
of_threads()
{
	ctl stats --json | jq -e ".threads | $1"
}

echoes()
{
	same "$1" "$(echo "$1" | timeout 5 nc -N "${2:-$OWN4}" 7)"
}

each_echoes()
{
	local i

	for ((i = 0; i < 60; i++)); do
		echoes "number $i" "$1" || return 1
	done
}

# Sixty at once, each says something now and then; the kernel forgets a flow
# after 3 s, and deals its next packet to any queue.
held_open()
{
	timeout 40 python3 - "$OWN4" "$1" <<'PY'
import socket, sys, time

held = [socket.create_connection((sys.argv[1], 7), 5) for _ in range(60)]
for pause in (0, float(sys.argv[2]), 0):
    time.sleep(pause)
    for n, s in enumerate(held):
        s.sendall(b"%d after %d" % (n, pause))
    for n, s in enumerate(held):
        want = b"%d after %d" % (n, pause)
        assert s.recv(100) == want
print(len(held))
PY
}

# Sixty that stay until they are reset, or their listener has gone.
sixty()
{
	python3 -c '
import socket, sys
held = [socket.create_connection((sys.argv[1], 7), 5) for _ in range(60)]
for s in held:
    s.settimeout(None)
print("open", flush=True)
for s in held:
    try:
        s.recv(1)
    except ConnectionResetError:
        pass
print("all ended", flush=True)' "$OWN4" >"$TMP/sixty" &
	SIXTY=$!
	wait_for 10 grep -q open "$TMP/sixty"
}

listed_now()
{
	same "$1" "$(ctl list state established --ndjson | wc -l)"
}

# All refused, whichever shard the port is dealt to.
none_connects()
{
	local i

	for ((i = 0; i < 20; i++)); do
		! timeout 5 nc -z "$OWN4" 7 || return 1
	done
}

# Who has sent something and then asks is told what became of it: the ACK of the
# handshake may still be in the queue of the device when the request comes.
told_at_once()
{
	timeout 30 python3 - "$OWN4" "$SOCKET" <<'PY'
import json, socket, sys

ctl = socket.socket(socket.AF_UNIX)
ctl.connect(sys.argv[2])
lines = ctl.makefile()
for i in range(200):
    s = socket.create_connection((sys.argv[1], 7), 5)
    ctl.sendall(b'{"id":%d,"method":"conn.list"}\n' % i)
    states = []
    while True:
        got = json.loads(lines.readline())
        if got.get("id") == i and "item" not in got:
            break
        item = got.get("item")
        if item and item["peer"]["port"] == s.getsockname()[1]:
            states.append(item["state"])
    assert states == ["established"], (i, states, got)
    s.close()
PY
}

whole_page()
{
	curl -sS "http://$OWN4/" | tee "$TMP/page" |
		grep -q "^connections  $1 open"
}

json_page()
{
	curl -sS "http://$OWN4/connections.json" |
		jq -e ".count == $1 and ([.connections[].id] | unique | length) == $1"
}

write_conf <<'EOF'
[listener.echo]
port = 7
service = echo
[listener.http]
port = 80
service = http
[listener.metrics]
port = 9107
service = metrics
EOF
# --- the kernel deals in its own way ------------------------------------------

# Its verdict on a connection comes 2 s after the end, with the next packet.
judged()
{
	ctl stats --json |
		jq -e '.self_check | .agreed > 100 and .differed == 0'
}

# deal NAME: sixty connections one by one, and sixty at once that pause.
deal()
{
	check "$1: with three threads" same 3 "$(ctl status --json | jq .threads)"
	check "$1: and a queue for each" bash -c \
		"ip -d link show $IFACE | grep -q 'multi_queue numqueues 3 '"
	check "$1: sixty connections, one after the other" each_echoes "$OWN4"
	check "$1: and by IPv6" each_echoes "$OWN6"
	check "$1: each thread had some" of_threads 'all(.[]; .read + .taken > 0)'
	check "$1: what was sent before a question is in the answer" told_at_once
	dealt=$(of_threads 'map(.handed) | add')
	check "$1: flows that the kernel forgot go on" held_open 4
	check "$1: what came to another queue got where it belongs" of_threads \
		'(map(.handed) | add) == (map(.taken + .lost) | add)'
	check "$1: nothing was lost on the way" of_threads 'all(.[]; .lost == 0)'
	check "$1: nobody missed a packet" of_threads 'all(.[]; .unseen == 0)'
	check "$1: the passive judge was asked, and agrees" judged
}

export OLD_KERNEL=p LD_PRELOAD="$B/tests/e2e/old_kernel.so" \
	ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
check 'starts without a program' start_daemon
unset OLD_KERNEL LD_PRELOAD
check 'and says so' log_has "deals packets in the kernel's own way"
check 'in its status, too' same false "$(ctl status --json | jq .steered)"
deal kernel
check 'some came to another queue first' test "$dealt" -gt 0
check 'and some after a pause' \
	test "$(of_threads 'map(.handed) | add')" -gt "$dealt"
check 'stops' stop_daemon

# --- it deals as we do ----------------------------------------------------------

check 'starts with a program' start_daemon
check 'as it says' same true "$(ctl status --json | jq .steered)"
deal program
check 'none came to another queue' same 0 "$(of_threads 'map(.handed) | add')"
check 'ids are unique and go up' bash -c "
	grep -o 'c[0-9]* .*handshake completed' '$LOG' | head -120 |
		cut -d' ' -f1 | tr -d c >'$TMP/ids'
	test \$(wc -l <'$TMP/ids') = 120 && sort -cnu '$TMP/ids'"

# --- one answer for all -----------------------------------------------------------

check 'sixty at once' sixty
check 'one list has all' listed_now 60
check 'one page has all' whole_page 61
check 'one file has all' json_page 61
check 'one figure counts all' bash -c \
	"curl -sS http://$OWN4:9107/metrics |
		grep -qx 'tcphs_connections{state=\"established\",role=\"server\"} 61'"
last=$(ctl list state established --ndjson | jq -r .id | sort -V | tail -1)
check 'one of them is found by its id' \
	same "$last" "$(ctl show "$last" --json | jq -r .id)"
check 'and so are its packets' bash -c \
	"'$TCPHSCTL' -s $SOCKET ladder $last | grep -q SYN-ACK"

check 'disabled, a listener is so everywhere' bash -c \
	"'$TCPHSCTL' -s $SOCKET listener disable echo"
check 'nobody gets in' none_connects
check 'who is in stays' listed_now 60
sed -i 's/^port = 7$/port = 8/' "$CONF"
check 'a reload moves it everywhere' ctl reload
check 'it is gone from the old port' none_connects
check 'and sixty get in at the new one' bash -c "
	for ((i = 0; i < 60; i++)); do
		timeout 5 nc -z $OWN4 8 || exit 1
	done"
check 'who came by the old one stays' listed_now 60
check 'all are closed at once' ctl kill -y --rst sport = 7
check 'and saw it' wait_for 5 grep -q 'all ended' "$TMP/sixty"
wait "$SIXTY"

nc -lk "$HOST4" 5000 >/dev/null 2>&1 &
LISTENER=$!
wait_for 5 bash -c 'ss -Hltn sport = 5000 | grep -q LISTEN'
check 'connections opened from each shard' bash -c "
	for ((i = 0; i < 9; i++)); do
		echo hello | timeout 10 '$TCPHSCTL' -s $SOCKET connect \
			$HOST4 5000 || exit 1
	done"
kill "$LISTENER"
wait "$LISTENER" 2>/dev/null
check 'a ping is answered, cut in pieces, too' \
	ping -n -c 2 -i 0.05 -W 2 -M dont -s 4000 "$OWN4"
check 'stops' stop_daemon
check 'and said goodbye to all' log_has 'Stopping .*closing 0 connections'

# --- more descriptors than numbers below those of the sandbox ---------------------

# Each loop, that of the control thread, too, has one of both.
all_are_whole()
{
	ls -l "/proc/$DAEMON/fd" >"$TMP/fds"
	same "$(grep -c eventpoll "$TMP/fds")" "$(grep -c eventfd "$TMP/fds")"
}

THREADS=40
check 'starts with forty threads' start_daemon
check 'none lost a descriptor to a directory' all_are_whole
check 'stops' stop_daemon
summary
