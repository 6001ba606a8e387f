#!/bin/bash
# bench.sh - tcphsd against the floor and against kernel TCP over veth
#
#	bench.sh [--smoke] [JSON]
#
# One client core, one server core; the subjects have the same address, each in
# namespaces of its own:
#
#	tcphs   tcphsd on its TUN
#	floor   a responder on a TUN that hardly thinks: the ceiling (floor.c)
#	kernel  the kernel's TCP behind a veth pair (kernel_peer.c)
#	lwip    lwIP on a TUN, if it was there to build with (lwip_peer.c)
#
# Absolute figures drift with whatever else the machine does, so the subjects
# take turns, RUNS times SECONDS_EACH for each row, and the table compares the
# turns that lie side by side (report.py). All client routes use CUBIC, or
# uploads would measure what this machine's default happens to be.
#
# --smoke takes one short turn each and looks whether there is a figure at all.
. "$(dirname "$0")/../e2e/lib.sh"
E2E_JUDGE=0 # what is captured is slower

SMOKE=
[ "${1:-}" = --smoke ] && SMOKE=1 && shift
JSON=${1:-}
RUNS=${RUNS:-${SMOKE:+1}}
RUNS=${RUNS:-7}
SECONDS_EACH=${SECONDS_EACH:-${SMOKE:+0.3}}
SECONDS_EACH=${SECONDS_EACH:-2}
IDLE=${IDLE:-${SMOKE:+2000}}
IDLE=${IDLE:-20000}
IDLE_EACH=10000		# of one client process; the limit on files is near
CLIENT_CPU=${CLIENT_CPU:-0}
SERVER_CPU=${SERVER_CPU:-$(($(nproc) > 1))}
BIN=$B/tests/bench
SUBJECTS='tcphs floor kernel'
[ ! -x "$BIN/lwip_peer" ] || SUBJECTS+=' lwip'
RESULTS=$TMP/results
KERNEL_PEER=
LWIP_PEER=

# row LOAD-MODE CONNECTIONS, in the order of the table (report.py).
LOADS='cec:64 rr:1 rr:64 up:1 up:8 down:1 down:8'

# ns NAMESPACE COMMAND...; the daemon's clients are in the outermost one.
ns()
{
	if [ "$1" = tcphs ]; then
		shift
		"$@"
	else
		ip netns exec "$@"
	fi
}

# client_side NAMESPACE INTERFACE: ports enough for short connections, CUBIC, and
# no ssthresh that an earlier row has left behind.
client_side()
{
	ns "$1" sysctl -qw net.ipv4.ip_local_port_range='1024 65535'
	ns "$1" sysctl -qw net.ipv4.tcp_tw_reuse=1
	ns "$1" sysctl -qw net.ipv4.tcp_no_metrics_save=1
	ns "$1" ip route replace 198.18.66.0/24 dev "$2" src "$HOST4" \
		congctl cubic
}

start_tcphs()
{
	write_conf <<-CONF
		[limits]
		memory          = 1GiB
		max_connections = 65536
		[log]
		handshakes      = no
		[listener.echo]
		port            = 7
		service         = echo
		backlog         = 4096
		[listener.discard]
		port            = 9
		service         = discard
		[listener.chargen]
		port            = 19
		service         = chargen
	CONF
	start_daemon || return 1
	ctl log level warning >"$TMP/ctl"
	taskset -apc "$SERVER_CPU" "$DAEMON" >"$TMP/taskset"
	client_side tcphs "$IFACE"
}

# start_peer LOG NAMESPACE COMMAND...: leaves its process in PEER.
start_peer()
{
	local log=$1 namespace=$2

	shift 2
	ip netns exec "$namespace" taskset -c "$SERVER_CPU" "$@" >"$log" 2>&1 &
	PEER=$!
	wait_for 10 grep -q ready "$log" || fail "$1" "$(cat "$log")"
}

# end_peer PROCESS: of start_peer; none is fine, too.
end_peer()
{
	[ -n "$1" ] || return 0
	kill "$1"
	wait "$1"
}

# tun_up NAMESPACE [FLAG]: a TUN for somebody who sets up nothing else.
tun_up()
{
	ip netns add "$1"
	ns "$1" ip tuntap add "$IFACE" mode tun ${2:+"$2"}
	ns "$1" ip addr add "$HOST4/24" dev "$IFACE"
	ns "$1" ip link set "$IFACE" mtu 1500 txqueuelen 10000 up
	client_side "$1" "$IFACE"
}

start_floor()
{
	tun_up floor vnet_hdr
	start_peer "$TMP/floor.log" floor "$BIN/floor" "$IFACE" 1500
}

start_lwip()
{
	end_peer "$LWIP_PEER"
	start_peer "$TMP/lwip.log" lwip "$BIN/lwip_peer" "$IFACE" "$OWN4" &&
		LWIP_PEER=$PEER
}

veth_up()
{
	ip netns add kernel
	ip netns add server
	ip link add veth0 netns kernel type veth peer name veth1 netns server
	ns kernel ip addr add "$HOST4/24" dev veth0
	ns server ip addr add "$OWN4/24" dev veth1
	ns kernel ip link set veth0 up
	ns server ip link set veth1 up
	client_side kernel veth0
	ns server ip route replace 198.18.66.0/24 dev veth1 src "$OWN4" \
		congctl cubic
}

# start_kernel [ARG...]: kernel_peer in place of the one before.
start_kernel()
{
	end_peer "$KERNEL_PEER"
	start_peer "$TMP/kernel.log" server "$BIN/kernel_peer" "$@" &&
		KERNEL_PEER=$PEER
}

# keep ROW SUBJECT RUN JSON FIELD: of a result. FIELD is what has to be
# there and more than nothing.
keep()
{
	local value=

	[[ $4 =~ \"$5\":([0-9.]+) ]] && value=${BASH_REMATCH[1]}
	if [[ $value != *[1-9]* ]]; then
		fail "$1 $2" "no $5: $4" || tail -n 3 "$TMP/load.err"
		return
	fi
	if [ -n "$SMOKE" ]; then
		pass "$1 $2: $value $5"
	else
		PASSED=$((PASSED + 1))
	fi
	printf '{"row":"%s","subject":"%s","run":%s,"result":%s}\n' \
		"$1" "$2" "$3" "$4" >>"$RESULTS"
}

# turn RUN MODE CONNECTIONS SUBJECT
turn()
{
	local json field

	json=$(ns "$4" timeout 120 taskset -c "$CLIENT_CPU" "$BIN/load" "$2" \
		"$OWN4" -n "$3" -t "$SECONDS_EACH" 2>"$TMP/load.err")
	case $2 in
	cec | rr) field=per_second ;;
	*) field=gbit_per_second ;;
	esac
	keep "$2:$3" "$4" "$1" "$json" "$field"
}

# ---- memory of idle connections ------------------------------------------

# anon PID...: anonymous memory of processes, bytes.
anon()
{
	local pid sum=0 kb

	for pid; do
		kb=$(sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' \
			"/proc/$pid/status")
		sum=$((sum + kb * 1024))
	done
	echo "$sum"
}

# settled COMMAND...: print what the command prints once that stays the same
# for half a second, or has not for 5 s.
settled()
{
	local last now still=0 tries=0

	last=$("$@")
	while [ "$still" -lt 10 ] && [ "$tries" -lt 100 ]; do
		sleep 0.05
		now=$("$@")
		still=$((now == last ? still + 1 : 0))
		tries=$((tries + 1))
		last=$now
	done
	echo "$last"
}

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

	stop_daemon
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

children()
{
	local dir

	for dir in /proc/[0-9]*; do
		awk -v of="$1" '$1 == "PPid:" && $2 == of { exit 1 }' \
			"$dir/status" 2>/dev/null || echo "${dir#/proc/}"
	done
}

# idle_record SUBJECT RUN BYTES
idle_record()
{
	local json

	json=$(awk -v bytes="$3" -v n="$HELD" 'BEGIN {
		printf "{\"connections\":%d,\"bytes_each\":%.1f}", n,
			n ? bytes / n : 0 }')
	keep "idle:$IDLE" "$1" "$2" "$json" bytes_each
}

# ---- the runs --------------------------------------------------------------

start_tcphs || summary
start_floor
veth_up
start_kernel
if [[ $SUBJECTS == *lwip* ]]; then
	tun_up lwip
	start_lwip
fi
[ -z "$SMOKE" ] || check bench_core "$BIN/bench_core" 1 1000
for ((run = 1; run <= RUNS; run++)); do
	[ -n "$SMOKE" ] || [ ! -t 2 ] || printf '\rrun %d of %d' "$run" "$RUNS" >&2
	for load in $LOADS; do
		for subject in $SUBJECTS; do
			turn "$run" "${load%:*}" "${load#*:}" "$subject"
		done
	done
	idle "$run"
done
[ -n "$SMOKE" ] || [ ! -t 2 ] || printf '\r' >&2
stop_daemon >"$TMP/stop"
"$ROOT/tests/bench/report.py" "$RESULTS" ${JSON:+"$JSON"}
summary
