#!/bin/bash
# bench.sh - tcphsd against the floor, the kernel's TCP and lwIP
#
#	bench.sh [--smoke] [JSON]
#
# Absolute figures drift with whatever else the machine does, so the subjects
# (subjects.sh) take turns, RUNS times SECONDS_EACH for each row, and the table
# compares the turns that lie side by side with each other and with the goals
# (report.py). The rows:
#
#	cec, rr, up, down   what load.c does, with so many connections
#	...:65520           the same with that MTU
#	rr:1:busy           the same with interface.busy_poll = yes
#	flood:RATE          cec while so many SYNs a second come from nowhere
#	idle                memory of established connections, IDLE_RUNS times: at
#	                    its servers, which start anew
#	core                the engine alone (bench_core.c), once
#
# --smoke takes one short turn each, with floods that leave something even of a
# machine with much else to do, and looks whether there is a figure at all.
. "$(dirname "$0")/subjects.sh"

SMOKE=
[ "${1:-}" = --smoke ] && SMOKE=1 && shift
JSON=${1:-}
RUNS=${RUNS:-${SMOKE:+1}}
RUNS=${RUNS:-7}
SECONDS_EACH=${SECONDS_EACH:-${SMOKE:+0.2}}
SECONDS_EACH=${SECONDS_EACH:-1}
IDLE=${IDLE:-${SMOKE:+2000}}
IDLE=${IDLE:-20000}
IDLE_EACH=10000		# of one client process; the limit on files is near
IDLE_RUNS=3
CORE='1000 100000 1000000'
[ -z "$SMOKE" ] || CORE='1000'
SUBJECTS='tcphs floor kernel'
[ ! -x "$BIN/lwip_peer" ] || SUBJECTS+=' lwip'

# LOAD-MODE:CONNECTIONS, in the order of the table (report.py).
LOADS='cec:64 rr:1 rr:64 up:1 up:8 down:1 down:8'
WIDE_LOADS='up:1 down:1'
FLOODS='50000 200000'

# turn RUN ROW SUBJECT: one of LOADS, the MTU or whatever is special behind it.
turn()
{
	local json field mode n

	IFS=: read -r mode n _ <<<"$2"
	json=$(ns "$3" timeout 120 taskset -c "$CLIENT_CPU" "$BIN/load" "$mode" \
		"$OWN4" -n "$n" -t "$SECONDS_EACH" 2>"$TMP/load.err")
	case $mode in
	cec | rr) field=per_second ;;
	*) field=gbit_per_second ;;
	esac
	keep "$2" "$3" "$1" "$json" "$field"
}

# ---- other settings --------------------------------------------------------

# wide RUN: with the longest packets there are.
wide()
{
	local load subject

	start_tcphs -D interface.mtu=65520 && start_floor 65520 || return 1
	ns kernel ip link set veth0 mtu 65520
	ns server ip link set veth1 mtu 65520
	for load in $WIDE_LOADS; do
		for subject in tcphs floor kernel; do
			turn "$1" "$load:65520" "$subject"
		done
	done
	ns kernel ip link set veth0 mtu 1500
	ns server ip link set veth1 mtu 1500
	start_tcphs && start_floor 1500
}

# busy RUN: looking for packets instead of sleeping.
busy()
{
	start_tcphs -D interface.busy_poll=yes || return 1
	turn "$1" rr:1:busy tcphs
	turn "$1" rr:1:busy kernel
}

# ---- a flood ---------------------------------------------------------------

# cec_json SUBJECT WARM SECONDS
cec_json()
{
	ns "$1" timeout 120 taskset -c "$CLIENT_CPU" "$BIN/load" cec "$OWN4" \
		-n 64 -w "$2" -t "$3" 2>>"$TMP/load.err"
}

# flood RUN RATE SUBJECT: clients who mean it during a flood, and in the second
# after it; with what the daemon's memory grew by meanwhile.
flood()
{
	local before grown=0 during after flooder

	: >"$TMP/load.err"
	before=$(anon "$DAEMON")
	ns "$3" taskset -c "$CLIENT_CPU" "$BIN/flood" "$OWN4" 7 \
		$(($2 / ${SMOKE:+2}1)) \
		"$(awk "BEGIN { print $SECONDS_EACH + 0.5 }")" >"$TMP/flooded" &
	flooder=$!
	during=$(cec_json "$3" 0.2 "$SECONDS_EACH")
	wait "$flooder"
	[ "$3" != tcphs ] || grown=$(($(anon "$DAEMON") - before))
	after=$(cec_json "$3" 0 "$SECONDS_EACH")
	keep "flood:$2" "$3" "$1" "$(jq -c --argjson after "${after:-null}" \
		--argjson grown "$grown" --slurpfile flood "$TMP/flooded" \
		'. + {after_per_second: $after.per_second, grown: $grown,
		flood_per_second: $flood[0].per_second}' <<<"$during")" per_second
}

# ---- memory of idle connections ------------------------------------------

# kernel_memory: what sockets occupy in the kernel, both ends of every connection,
# bytes: the slabs that hold sockets, their files and their epoll entries by
# objects in use, and buffers. Each socket also has a dentry and small pieces of
# caches that everything else uses, too; other work on the machine would drown
# them, and so the kernel is charged less than it takes.
kernel_memory()
{
	local pages

	pages=$(sed -n 's/^TCP:.* mem \([0-9]*\)/\1/p' /proc/net/sockstat)
	awk -v buffers="$((pages * 4096))" '
		$1 ~ /^(TCP|sock_inode_cache|eventpoll_epi|b?filp)$/ {
			sum += $2 * $4
		}
		END { printf "%d\n", sum + buffers }' /proc/slabinfo
}

# hold SUBJECT: open IDLE connections and leave them to hold_end. HELD is how
# many are there.
hold()
{
	local i each n=$IDLE

	HOLDERS=()
	HOLD_FDS=()
	for ((i = 0; n > 0; i++, n -= each)); do
		each=$((n < IDLE_EACH ? n : IDLE_EACH))
		rm -f "$TMP/hold.$i.in"
		mkfifo "$TMP/hold.$i.in"
		: >"$TMP/hold.$i"
		ns "$1" taskset -c "$CLIENT_CPU" "$BIN/load" hold "$OWN4" \
			-n "$each" <"$TMP/hold.$i.in" >"$TMP/hold.$i" \
			2>"$TMP/load.err" &
		HOLDERS+=($!)
		exec {fd}>"$TMP/hold.$i.in"
		HOLD_FDS+=("$fd")
	done
	wait_for 120 hold_ready
	HELD=$(cat "$TMP"/hold.[0-9] "$TMP"/hold.[0-9][0-9] 2>/dev/null |
		sed -n 's/.*"echoed":\([0-9]*\).*/\1/p' |
		awk '{ sum += $1 } END { print sum + 0 }')
}

hold_ready()
{
	local i

	for i in "${!HOLDERS[@]}"; do
		[ -s "$TMP/hold.$i" ] || return 1
	done
}

hold_end()
{
	local fd

	for fd in "${HOLD_FDS[@]}"; do
		exec {fd}>&-
	done
	wait "${HOLDERS[@]}"
	rm -f "$TMP"/hold.*
}

# idle RUN: bytes of an idle established connection at its server. tcphsd has
# them all in its own memory. In the kernel both ends are sockets: what the same
# clients took there while tcphsd was the server is deducted. Every server
# starts anew, or it would use again what other rows have touched.
idle()
{
	local run=$1 before after kernel_before client both

	start_tcphs || return 1
	before=$(settled anon "$DAEMON")
	kernel_before=$(kernel_memory)
	hold tcphs
	after=$(settled anon "$DAEMON")
	client=$(($(kernel_memory) - kernel_before))
	idle_record tcphs "$run" $((after - before))
	hold_end

	start_kernel -j $((IDLE / IDLE_EACH + 1)) || return 1
	local peers
	peers="$KERNEL_PEER $(children "$KERNEL_PEER")"
	# shellcheck disable=SC2086
	before=$(settled anon $peers)
	kernel_before=$(kernel_memory)
	hold kernel
	# shellcheck disable=SC2086
	after=$(settled anon $peers)
	both=$(($(kernel_memory) - kernel_before))
	idle_record kernel "$run" $((both - client + after - before))
	hold_end
	start_kernel

	[[ $SUBJECTS == *lwip* ]] || return 0
	start_lwip || return 1
	before=$(settled anon "$LWIP_PEER")
	hold lwip
	after=$(settled anon "$LWIP_PEER")
	idle_record lwip "$run" $((after - before))
	hold_end
}

# idle_record SUBJECT RUN BYTES
idle_record()
{
	local json

	json=$(awk -v bytes="$3" -v n="$HELD" 'BEGIN {
		printf "{\"connections\":%d,\"bytes_each\":%.1f}", n,
			n ? bytes / n : 0 }')
	keep idle "$1" "$2" "$json" bytes_each
}

# ---- the runs --------------------------------------------------------------

start_tcphs || summary
tun_up floor vnet_hdr
start_floor 1500
veth_up
start_kernel
if [[ $SUBJECTS == *lwip* ]]; then
	tun_up lwip
	start_lwip
fi
for ((run = 1; run <= RUNS; run++)); do
	[ -n "$SMOKE" ] || [ ! -t 2 ] || printf '\rrun %d of %d' "$run" "$RUNS" >&2
	for load in $LOADS; do
		for subject in $SUBJECTS; do
			turn "$run" "$load" "$subject"
		done
	done
	for rate in $FLOODS; do
		for subject in tcphs floor kernel; do
			flood "$run" "$rate" "$subject"
		done
	done
	busy "$run"
	wide "$run"
	[ "$run" -gt "$IDLE_RUNS" ] || idle "$run"
done
[ -n "$SMOKE" ] || [ ! -t 2 ] || printf '\r' >&2
stop_daemon >"$TMP/stop"
# shellcheck disable=SC2086
check 'bench_core' taskset -c "$SERVER_CPU" "$BIN/bench_core" \
	--json "$TMP/core.json" $CORE
"$ROOT/tests/bench/report.py" "$RESULTS" --core "$TMP/core.json" \
	${JSON:+--json "$JSON"}
summary
