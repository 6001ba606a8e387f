#!/bin/bash
# million.sh - A million connections from ordinary sockets
#
#	million.sh [--smoke] [JSON]
#
# CONNECTIONS of them, from as many processes as their limit on files asks for,
# each to an address of its own in our prefix. They are opened at the floor
# (floor.c), for the rate, and then at tcphsd: each echoes a byte when it is
# opened and again when all are there. What they take, what the daemon does while
# nobody says anything, and what a list of them costs those who talk meanwhile,
# is measured once each. The clients' kernel needs 5 KiB for each.
#
# --smoke does the same with 2,000.
. "$(dirname "$0")/subjects.sh"

SMOKE=
[ "${1:-}" = --smoke ] && SMOKE=1 && shift
JSON=${1:-}
CONNECTIONS=${CONNECTIONS:-${SMOKE:+2000}}
CONNECTIONS=${CONNECTIONS:-1000000}
EACH=${SMOKE:+1000}
EACH=${EACH:-19600}	# of one process
PATIENCE=600		# seconds, for all of them to open or echo
IDLE_S=${SMOKE:+1}
IDLE_S=${IDLE_S:-10}
KIB_EACH=6

# open_all SUBJECT: leaves the time it took in TOOK_US, and the processes waiting
# for more on the descriptors HOLD_FDS.
open_all()
{
	local i n=$CONNECTIONS each begin

	HOLDERS=()
	HOLD_FDS=()
	begin=${EPOCHREALTIME/./}
	for ((i = 0; n > 0; i++, n -= each)); do
		each=$((n < EACH ? n : EACH))
		rm -f "$TMP/hold.$i.in"
		mkfifo "$TMP/hold.$i.in"
		: >"$TMP/hold.$i"
		ns "$1" taskset -c "$CLIENT_CPU" "$BIN/load" hold \
			"198.18.66.$((i + 2))" -n "$each" <"$TMP/hold.$i.in" \
			>"$TMP/hold.$i" 2>>"$TMP/load.err" &
		HOLDERS+=($!)
		exec {fd}>"$TMP/hold.$i.in"
		HOLD_FDS+=("$fd")
	done
	wait_for $PATIENCE round_over 1
	TOOK_US=$((${EPOCHREALTIME/./} - begin))
}

# round_over N: has every process ended its Nth round? Starts no process, for it is
# asked while the rate is measured.
round_over()
{
	local i lines

	for i in "${!HOLDERS[@]}"; do
		mapfile -t lines <"$TMP/hold.$i"
		[ "${#lines[@]}" -ge "$1" ] || return 1
	done
}

# echoed N: how many connections did so in the Nth round.
echoed()
{
	local i

	for i in "${!HOLDERS[@]}"; do
		sed -n "$1p" "$TMP/hold.$i"
	done | jq -s 'map(.echoed) | add'
}

close_all()
{
	local fd

	for fd in "${HOLD_FDS[@]}"; do
		exec {fd}>&-
	done
	wait "${HOLDERS[@]}"
}

# said: why some did not answer, by both sides.
said()
{
	{
		tail -n 5 "$TMP/load.err"
		[ -z "$DAEMON" ] || ctl explain --last-failed
	} | sed 's/^/     | /'
}

# ticks: CPU time of the daemon.
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$DAEMON/stat"
}

# peak: the most memory the daemon had since the last peak_forget, bytes.
peak()
{
	awk '$1 == "VmHWM:" { print $2 * 1024 }' "/proc/$DAEMON/status"
}

peak_forget()
{
	echo 5 >"/proc/$DAEMON/clear_refs"
}

opening()
{
	keep open "$1" 1 "$(jq -nc --argjson us "$TOOK_US" \
		--argjson n "$CONNECTIONS" \
		'{seconds: ($us / 1e6), per_second: ($n * 1e6 / $us)}')" \
		per_second
}

# established: all of them are there; what they cost while they are idle.
established()
{
	local before=$1 after began fd second

	after=$(settled anon "$DAEMON")
	began=$(ticks)
	sleep "$IDLE_S" # this is what is measured
	began=$(($(ticks) - began))
	for fd in "${HOLD_FDS[@]}"; do
		echo echo >&"$fd"
	done
	wait_for $PATIENCE round_over 2
	second=$(echoed 2)
	keep million tcphs 1 "$(jq -nc --argjson n "$CONNECTIONS" \
		--argjson second "$second" --argjson ticks "$began" \
		--argjson hz "$(getconf CLK_TCK)" --argjson s "$IDLE_S" \
		--argjson grown $((after - before)) '{connections: $n,
		echoed: $second, lost: ($n - $second),
		bytes_each: ($grown / $n),
		idle_percent: (100 * $ticks / $hz / $s)}')" echoed
	check 'the daemon has all of them' \
		test "$(ctl --json status | jq .connections)" -ge "$CONNECTIONS"
}

# talk SECONDS: 64 connections, from the first request on.
talk()
{
	taskset -c "$CLIENT_CPU" "$BIN/load" rr "$OWN4" -n 64 -w 0 -t "$1"
}

# list: as long as it takes alone, somebody talks while it is done again; long
# enough for load, in any case, for some thousands are listed in no time.
list()
{
	local begin seconds talker alone during before lines

	begin=${EPOCHREALTIME/./}
	lines=$(ctl list -H | wc -l)
	seconds=$(awk "BEGIN { s = (${EPOCHREALTIME/./} - $begin) / 1e6
		print (s > 0.01 ? s : 0.01) }")
	check 'all of them are in the list' test "$lines" -ge "$CONNECTIONS"
	alone=$(talk "$seconds")
	peak_forget
	before=$(peak)
	talk "$seconds" >"$TMP/talk" &
	talker=$!
	begin=${EPOCHREALTIME/./}
	taskset -c "$CLIENT_CPU" "$TCPHSCTL" -s "$SOCKET" list >/dev/null
	seconds=$(awk "BEGIN { print (${EPOCHREALTIME/./} - $begin) / 1e6 }")
	wait "$talker"
	during=$(cat "$TMP/talk")
	keep list tcphs 1 "$(jq -nc --argjson alone "$alone" \
		--argjson during "$during" --argjson s "$seconds" \
		--argjson grown $(($(peak) - before)) '{seconds: $s,
		p99_us: $during.p99_us, p99_alone_us: $alone.p99_us,
		p99_more_us: ($during.p99_us - $alone.p99_us), grown: $grown}')" \
		seconds
}

free=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
if [ "$free" -lt $((CONNECTIONS * KIB_EACH)) ]; then
	fail 'memory' "$CONNECTIONS connections need $((CONNECTIONS * KIB_EACH))" \
		"KiB, $free are there; set CONNECTIONS"
	summary
fi

tun_up floor vnet_hdr
start_floor 1500
open_all floor
check 'the floor answers all of them' same "$CONNECTIONS" "$(echoed 1)" || said
opening floor
close_all
end_peer "$FLOOR_PEER"

start_tcphs -D interface.own_prefix=yes -D limits.memory=4GiB \
	-D "limits.max_connections=$((CONNECTIONS + 1000))" || summary
before=$(settled anon "$DAEMON")
open_all tcphs
check 'tcphsd answers all of them' same "$CONNECTIONS" "$(echoed 1)" || said
opening tcphs
established "$before"
list
close_all
check 'stops' stop_daemon TERM 120
"$ROOT/tests/bench/report.py" "$RESULTS" ${JSON:+--json "$JSON"}
summary
