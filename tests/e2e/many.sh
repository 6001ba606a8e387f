#!/bin/bash
# many.sh - 20,000 connections held open at once, from ordinary sockets
#
# Twice: by IPv4 we close first, by IPv6 the clients do. Each connection echoes
# when it is opened and again while all the others are open. None may be lost,
# and afterwards nothing may be left: no entry in the table once TIME-WAIT is
# over, and no memory that the second round, which needs less, does not use again.
# The judge would forget most of them, and its memory counts.
export SELF_CHECK=no
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

# AddressSanitizer keeps what was freed; here the memory is looked at.
export ASAN_OPTIONS=quarantine_size_mb=1:thread_local_quarantine_size_kb=64

CLIENTS=20000
PROCESSES=4

# all STAGE: every client does it; see many.c.
all()
{
	local line

	echo "$1" >&"${MANY[1]}" &&
		IFS= read -r -t 120 line <&"${MANY[0]}" && same "$1" "$line"
}

counted()
{
	same "$1" "$(ctl list -H "${@:2}" | wc -l)"
}

# number NAME: a counter or gauge of the daemon.
number()
{
	ctl stats --json | python3 -c 'import json, sys
def find(o):
    for k, v in o.items():
        if k == sys.argv[1]:
            yield v
        elif isinstance(v, dict):
            yield from find(v)
print(next(find(json.load(sys.stdin))))' "$1"
}

rss_kib()
{
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$DAEMON/status"
}

# round ADDRESS WORDS: open them all, and look at them while they are there.
round()
{
	coproc MANY { exec "$B/tests/e2e/many" "$1" 7 $CLIENTS $PROCESSES; }
	check "$2: $CLIENTS connections open, each echoes" all open
	check "$2: all of them are in the list" \
		counted $CLIENTS state established listener = echo
	check "$2: each echoes while all are open" all echo
	check "$2: the kernel sees the same" \
		same $CLIENTS "$(ss -Htn state established dport = 7 | wc -l)"
	peak=$(number memory_used)
	echo "     $(rss_kib) KiB resident, $peak bytes used"
}

# memory_back: what is still used is an eighth at most of what was taken.
memory_back()
{
	local now

	now=$(number memory_used)
	echo "used before: $before, with all connections: $peak, now: $now"
	[ $((now - before)) -le $(((peak - before) / 8)) ]
}

# over: the clients have ended well.
over()
{
	local pid=$MANY_PID

	eval "exec ${MANY[1]}>&-"
	wait "$pid"
}

nothing_open()
{
	counted 0 state all
}

no_losses()
{
	local name

	for name in closed_reset_in closed_reset_out closed_timeout resets_in \
		handshakes_failed cookies_rejected; do
		same "$name 0" "$name $(number "$name")" || return 1
	done
	# A FIN that was sent again has a second ACK, when nothing is left.
	test "$(number resets_out)" -le "$(number retransmit_fin)" || return 1
	same "closed_fin $1" "closed_fin $(number closed_fin)" &&
		same "handshakes $1" "handshakes $(number handshakes)"
}

write_conf <<'EOF'
[timers]
msl = 10s

[log]
handshakes = no
EOF
start_daemon
before=$(number memory_used)
start=$(rss_kib)
echo "     $start KiB resident, $before bytes used"

round "$OWN4" IPv4
check 'IPv4: we close them all' \
	same "closing $CLIENTS connections" "$(ctl close --all listener = echo)"
check 'IPv4: every client sees the end' all wait
check 'IPv4: the clients saw nothing else' over
check 'IPv4: all are in TIME-WAIT' \
	wait_for 5 counted $CLIENTS state time-wait
check 'IPv4: the table is empty after TIME-WAIT' wait_for 30 nothing_open
check 'IPv4: none was lost' no_losses $CLIENTS
check 'IPv4: the memory is free' memory_back
after=$(rss_kib)

round "$OWN6" IPv6
check 'IPv6: the clients close, all cleanly' all close
check 'IPv6: the clients saw nothing else' over
# A connection that came by a SYN cookie is remembered even if the client
# closed first, lest a copy of its ACK open it again.
check 'IPv6: none but those by cookie are remembered' test \
	"$(ctl list -H state all | wc -l)" -le "$(number cookies_accepted)"
check 'IPv6: the table is empty after that' wait_for 30 nothing_open
check 'IPv6: none was lost' no_losses $((2 * CLIENTS))
check 'IPv6: the memory is free' memory_back
echo "     $(rss_kib) KiB resident, $(number memory_used) bytes used"
# It would be as much as in the first. A quarter may be: memory becomes resident
# by pages of 2 MiB where the kernel has them, here or there.
check 'the second round took no memory of its own' \
	test "$(rss_kib)" -le $((after + (after - start) / 4))
check 'stops' stop_daemon
summary
