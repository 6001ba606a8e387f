#!/bin/bash
# weather.sh - What must hold when everything comes at once
#
# The kernel's queue overflows, memory runs out while clients connect, a flood
# goes on while somebody lists and reloads, the kernel refuses offload. Nobody
# who is connected may be lost, the counters have to tell, and when it is over
# the daemon must be as idle as before.
# What is measured here is the stack at its limits, alone.
export SELF_CHECK=no
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

RECORD_PACKETS=1000 # more is more of the same
FLOOD=10000 # SYNs a second
FLOOD_S=4
# What a SYN may cost, ASan included: that it does not grow is what counts.
SYN_US_MAX=60

# number NAME: a counter or gauge of the daemon.
number()
{
	ctl stats --json | jq "[.. | objects | select(has(\"$1\")) | .$1][0]"
}

# cpu_ms: CPU time the daemon has used.
cpu_ms()
{
	awk -v hz="$(getconf CLK_TCK)" \
		'{ print int(($14 + $15) * 1000 / hz) }' "/proc/$DAEMON/stat"
}

# quiet: the daemon uses less than a tenth of a core for a whole second.
quiet()
{
	local before

	before=$(cpu_ms)
	sleep 1 # this is what is measured, not something to wait for
	[ $(($(cpu_ms) - before)) -lt 100 ]
}

flood()
{
	"$B/tests/bench/flood" "$OWN4" 7 "$1" "$2" >"$TMP/flooded"
}

# flood_begins, flood_counted: of the SYNs since then $syns have come in, and the
# others are counted as lost in the queue.
flood_begins()
{
	before_syns=$(number syns_in)
	before_lost=$(number queue_dropped)
}

flood_counted()
{
	local lost

	syns=$(($(number syns_in) - before_syns))
	lost=$(($(number queue_dropped) - before_lost))
	echo "$syns came, $lost were lost"
	[ $((syns + lost)) -ge "$(jq .sent "$TMP/flooded")" ]
}

# A connection of this shell, on descriptor 8.
talk_begin()
{
	exec 8<>"/dev/tcp/$OWN4/7"
}

talk()
{
	local line

	echo "$1" >&8 && IFS= read -r -t 10 -u 8 line && same "$1" "$line"
}

talk_end()
{
	exec 8>&-
}

# ---- the queue in the kernel ----------------------------------------------------

write_conf <<'CONF'
[interface]
txqueuelen = 100
[log]
handshakes = no
[listener.echo]
port = 7
service = echo
[listener.metrics]
port = 9107
service = metrics
CONF
check 'starts with a short queue' start_daemon
check 'a connection is made' talk_begin
check '... and works' talk before
same 0 "$(number queue_dropped)" ||
	fail 'nothing was lost in the queue' "$(number queue_dropped)"
kill -s STOP "$DAEMON"
flood 20000 0.2
echo 'into a full queue' >&8
kill -s CONT "$DAEMON"
IFS= read -r -t 10 -u 8 line
check 'what the full queue lost of a connection comes again' \
	same 'into a full queue' "$line"
check 'the connection goes on' talk after
check 'the counter says how much was lost' test "$(number queue_dropped)" -gt 3000
check '... and so does the metric' test "$(curl -sS "http://$OWN4:9107/metrics" |
	sed -n 's/^tcphs_tun_queue_dropped_total //p')" -gt 3000
check '... as the kernel does' same "$(number queue_dropped)" \
	"$(ip -s -json link show "$IFACE" | jq '.[0].stats64.tx.dropped')"
talk_end
check 'stops' stop_daemon

# ---- memory ----------------------------------------------------------------------

# Opens until nobody gets in any more, twice; see below.
opens()
{
	timeout 100 python3 - "$OWN4" <<'PY'
import select, socket, sys, time
PATIENCE = 1.0

def begin():
    s = socket.socket()
    s.setblocking(False)
    try:
        s.connect((sys.argv[1], 7))
    except BlockingIOError:
        pass
    return s

def wait(socks, event, done):
    """Those of whom done() says so, until PATIENCE passes without one."""
    poll = select.epoll()
    left = {s.fileno(): s for s in socks}
    for fd in left:
        poll.register(fd, event)
    good = []
    while left:
        ready = poll.poll(PATIENCE)
        if not ready:
            break
        for fd, _ in ready:
            s = left.pop(fd)
            poll.unregister(fd)
            if done(s):
                good.append(s)
    return good, list(left.values())

def connected(s):
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0

def echo(socks):
    global PATIENCE
    PATIENCE = 20.0 # beyond the pauses of a kernel that tries again
    for i in range(0, len(socks), 500):
        some = socks[i:i + 500]
        for s in some:
            s.send(b"x")
        good, late = wait(some, select.EPOLLIN, lambda s: s.recv(1) == b"x")
        assert len(good) == len(some), f"{len(some) - len(good)} do not echo"
    PATIENCE = 1.0

def fill(most):
    mine = []
    while len(mine) < most:
        good, late = wait([begin() for _ in range(200)], select.EPOLLOUT,
                          connected)
        mine += good
        for s in late:
            s.close()
        if not good:
            break
    return mine

mine = fill(18000)
print(len(mine), "connections until the memory was full", flush=True)
sys.stdin.readline()
echo(mine)
print("echoed", flush=True)
sys.stdin.readline()
for s in mine[::2]:
    s.close()
mine = mine[1::2]
echo(mine)
# As soon as the closed ones' records are gone, others get in.
end = time.monotonic() + 20
more = fill(1000)
while len(more) < 1000 and time.monotonic() < end:
    more += fill(1000)
assert len(more) >= 1000, f"only {len(more)} more got in"
echo(mine)
print("more", flush=True)
sys.stdin.readline()
PY
}

write_conf <<CONF
[limits]
memory = $((3 * ${THREADS:-1}))MiB
max_connections = 65536
[timers]
msl = 500ms
[log]
handshakes = no
recent = 256
[capture]
ring_memory = 1MiB
[listener.echo]
port = 7
service = echo
backlog = 4096
CONF
check 'starts with little memory' start_daemon
coproc OPENS { opens; }
IFS= read -r -t 60 -u "${OPENS[0]}" line
opened=${line%% *}
echo "     $line"
check 'very many opens: the memory is the limit' \
	test "${opened:-0}" -gt 2000 -a "$opened" -lt 18000
check '... the counter tells' \
	test "$(ctl stats --json | jq .limits.memory)" -gt 0
check '... and so does the log' log_has 'Limit reached: memory'
check '... and everybody who got in is listed' test \
	"$(ctl list -H state established | wc -l)" -ge "$opened"
echo >&"${OPENS[1]}"
IFS= read -r -t 60 -u "${OPENS[0]}" line
check 'all of them echo with the memory full' same echoed "$line"
check '... and with that the daemon has nothing left to do' wait_for 5 quiet
echo >&"${OPENS[1]}"
IFS= read -r -t 60 -u "${OPENS[0]}" line
check 'who leaves makes room, and nobody else is lost' same more "$line"
echo >&"${OPENS[1]}"
check 'stops' stop_daemon

# ---- a flood, while somebody lists and reloads -----------------------------------

# during PROCESS COMMAND...: again and again until that process is over, a few times
# at least. Everything it does has to succeed.
during()
{
	local process=$1 n=0

	shift
	while kill -0 "$process" 2>"$TMP/kill"; do
		"$@" || return
		n=$((n + 1))
	done
	echo "$n times"
	[ "$n" -ge 3 ]
}

everybody_listed()
{
	local n

	n=$(ctl list -H state established | wc -l)
	[ "$n" -ge $HELD ] && return
	echo "only $n in the list"
	return 1
}

# Another configuration each time, so that there is something to take.
RELOADS=0
reloaded()
{
	RELOADS=$((RELOADS + 1))
	sed -i "s/^keepalive = .*/keepalive = $((600 + RELOADS % 2))s/" "$CONF"
	ctl reload && ctl status >"$TMP/status" &&
		! grep -q 'config_error' "$TMP/status"
}

HELD=1000
write_conf <<'CONF'
[limits]
max_half_open = 1000
[timers]
keepalive = 600s
[log]
handshakes = no
recent = 256
[capture]
ring_memory = 1MiB
[listener.echo]
port = 7
service = echo
backlog = 500
allow = any
CONF
check 'starts again' start_daemon
mkfifo "$TMP/hold.in"
"$B/tests/bench/load" hold "$OWN4" -n $HELD <"$TMP/hold.in" >"$TMP/held" &
HOLDER=$!
exec 9>"$TMP/hold.in"
check "$HELD connections are open" wait_for 10 grep -q "\"echoed\":$HELD" "$TMP/held"
flood_begins
flood 2000 0.2 # all pages that it takes once
wait_for 5 flood_counted
before_b=$(number memory_used)
flood_begins
"$B/tests/bench/load" rr "$OWN4" -n 8 -t $((FLOOD_S - 1)) >"$TMP/rr" &
RR=$!
flood $FLOOD $FLOOD_S &
FLOODER=$!
check 'listing works all through a flood' during "$RR" everybody_listed
wait "$RR"
check 'eight connections talked all the time' test \
	"$(jq '.failed == 0 and .count > 80' "$TMP/rr")" = true
wait "$FLOODER"
echo "     $(jq .per_second "$TMP/flooded") SYN/s, $(jq .per_second "$TMP/rr")" \
	"requests/s"
check 'every SYN is counted, or counted as lost in the queue' \
	wait_for 5 flood_counted
check '... and takes no memory' wait_for 5 eval \
	'test "$(number memory_used)" -le $((before_b + 1048576))'
check 'the daemon is idle at once' quiet

flood_begins
before_ms=$(cpu_ms)
flood $FLOOD 1
check 'a flood with nobody else: every SYN is counted' wait_for 5 flood_counted
used_ms=$(($(cpu_ms) - before_ms))
echo "     $syns SYNs, $used_ms ms of CPU"
check "one of them took less than $SYN_US_MAX us, everything else included" \
	test $((used_ms * 1000 / syns)) -lt $SYN_US_MAX

"$B/tests/bench/load" cec "$OWN4" -n 4 -t 2 >"$TMP/cec" &
CEC=$!
flood $FLOOD 3 &
FLOODER=$!
check 'reloading works all through a flood' during "$CEC" reloaded
wait "$CEC" "$FLOODER"
check 'no connect failed meanwhile' test \
	"$(jq '.failed == 0 and .count > 20' "$TMP/cec")" = true
echo "     $(jq .per_second "$TMP/cec") connects/s, $RELOADS reloads"
check 'no reload was refused' test "$(ctl --json status | jq .config_ok)" = true
echo echo >&9
check "all $HELD connections echo after that" wait_for 10 eval \
	"[ \$(grep -c '\"echoed\":$HELD' '$TMP/held') = 2 ]"
exec 9>&-
wait "$HOLDER"
check 'stops' stop_daemon

# ---- looking instead of sleeping ---------------------------------------------------

# looked: requests one after the other are answered, some of them without sleep.
looked()
{
	local result

	result=$("$B/tests/bench/load" rr "$OWN4" -n 1 -t 0.3)
	echo "$result"
	[ "$(jq '.failed == 0 and .count > 0' <<<"$result")" = true ] &&
		[ "$(ctl stats --json | jq .busy_poll.paid)" -gt 0 ]
}

rm "$CONF"
check 'starts with busy_poll' start_daemon -D interface.busy_poll=yes
check_not '... which finds nothing yet' test \
	"$(ctl stats --json | jq .busy_poll.paid)" != 0
check 'requests find it awake' wait_for 10 looked
check '... and when they are over it sleeps' quiet
check 'tcphsctl stats tells' eval 'ctl stats | grep "a packet came meanwhile"'
check 'stops' stop_daemon

# ---- another number of threads at the restart ---------------------------------------

# refused WORDS [ARG...]: the daemon does not start, and says why.
refused()
{
	exits 71 "$TCPHSD" --foreground -c "$CONF" "${@:2}" >"$TMP/refused" 2>&1 &&
		grep -q "$1" "$TMP/refused"
}

for threads in 1 2 4 1; do
	check "starts with $threads threads" start_daemon \
		-D "stack.threads=$threads"
	check '... has as many' test "$threads" = "$(ctl stats --json |
		jq '.threads | length | if . < 1 then 1 else . end')"
	check '... and serves' talk_begin
	check '... whoever comes' talk "to one of $threads"
	talk_end
	check 'stops' stop_daemon
done

# A client who tries again and again while the daemon is away gets in. But an
# interface that persists has one queue or several, for good.
printf '[interface]\npersist = yes\n' >"$CONF"
check 'starts on an interface that stays' start_daemon -D stack.threads=1
check 'stops' stop_daemon
printf 'waiting\n' | timeout 20 nc -N "$OWN4" 7 >"$TMP/waited" &
WAITER=$!
check 'with more threads it does not start on that' \
	refused 'no multi-queue TUN device' -D stack.threads=2
check '... but with as many as before' start_daemon -D stack.threads=1
check '... and who waited is served' wait "$WAITER"
check '... well' same waiting "$(cat "$TMP/waited")"
check 'stops' stop_daemon
ip link del "$IFACE"
for again in 1 2 3; do
	check "starts on one with several queues, $again" start_daemon \
		-D stack.threads=2
	check '... which nobody else gets' refused 'held by another process' \
		-D stack.threads=2 -D control.socket=/run/tcphsd/other.sock
	check 'stops' stop_daemon
done
ip link del "$IFACE"
rm "$CONF"

# ---- a kernel that refuses ---------------------------------------------------------

# old_kernel LETTERS: start the daemon on one; see old_kernel.c.
old_kernel()
{
	OLD_KERNEL=$1 LD_PRELOAD=$B/tests/e2e/old_kernel.so OFFLOAD='' \
		ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 \
		start_daemon "${@:2}"
}

# data_both_ways: a megabyte down is whole, and one up is counted.
data_both_ways()
{
	same 1000000 "$(curl -sS "http://$OWN4/bytes/1000000" | wc -c)" &&
		head -c 1000000 /dev/zero >"$TMP/zeros" &&
		curl -sS --data-binary @"$TMP/zeros" "http://$OWN4/upload" |
			grep 1000000
}

says_so()
{
	same 1 "$(grep -c "The kernel does no offload on $IFACE" "$LOG")"
}

for letters in o h hso; do
	check "starts where the kernel refuses ($letters)" old_kernel $letters
	check '... says once that there is no offload' says_so
	check '... in its status, too' test \
		"$(ctl --json status | jq .offload)" = false
	check '... and works all the same' data_both_ways
	check 'stops' stop_daemon
done
check 'starts where the header has one size only (s)' old_kernel s
check '... with offload' test "$(ctl --json status | jq .offload)" = true
check '... and works' data_both_ways
check 'stops' stop_daemon
check 'with offload = on it does not start there' exits 71 env OLD_KERNEL=o \
	LD_PRELOAD="$B/tests/e2e/old_kernel.so" \
	ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" \
	"$TCPHSD" --foreground -D interface.offload=on -c /dev/null
summary
