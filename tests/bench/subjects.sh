# subjects.sh - Those who are compared, for bench.sh and million.sh; to be sourced
#
# One client core, one server core; the subjects have the same address, each in
# namespaces of its own:
#
#	tcphs   tcphsd on its TUN
#	floor   a responder on a TUN that hardly thinks: the ceiling (floor.c)
#	kernel  the kernel's TCP behind a veth pair (kernel_peer.c)
#	lwip    lwIP on a TUN, if it was there to build with (lwip_peer.c)
#
# All client routes use CUBIC, or uploads would measure what this machine's default
# happens to be.
. "$(dirname "$0")/../e2e/lib.sh"
E2E_JUDGE=0 # what is captured is slower
SELF_CHECK=no

CLIENT_CPU=${CLIENT_CPU:-0}
SERVER_CPU=${SERVER_CPU:-$(($(nproc) > 1))}
BIN=$B/tests/bench
RESULTS=$TMP/results
FORGED=198.19.0.0/16 # where flood.c pretends to be
FLOOR_PEER=
KERNEL_PEER=
LWIP_PEER=

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

# start_tcphs [ARG...]: tcphsd in place of the one before. What floods it comes from
# everywhere; what is logged for each step of a handshake is events.sh's matter.
start_tcphs()
{
	[ -z "$DAEMON" ] || stop_daemon || return 1
	write_conf <<-CONF
		[limits]
		memory          = 1GiB
		[log]
		handshakes      = no
		[listener.echo]
		port            = 7
		service         = echo
		backlog         = 4096
		allow           = any
		[listener.discard]
		port            = 9
		service         = discard
		[listener.chargen]
		port            = 19
		service         = chargen
	CONF
	start_daemon "$@" || return 1
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

# start_floor MTU: in place of the one before.
start_floor()
{
	end_peer "$FLOOR_PEER"
	ns floor ip link set "$IFACE" mtu "$1"
	start_peer "$TMP/floor.log" floor "$BIN/floor" "$IFACE" "$1" &&
		FLOOR_PEER=$PEER
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
	ns server ip route add $FORGED via "$HOST4"
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

children()
{
	local dir

	for dir in /proc/[0-9]*; do
		awk -v of="$1" '$1 == "PPid:" && $2 == of { exit 1 }' \
			"$dir/status" 2>/dev/null || echo "${dir#/proc/}"
	done
}

