# lib.sh - What the end-to-end scripts share; to be sourced first
#
#	#!/bin/bash
#	# what this script shows
#	. "$(dirname "$0")/lib.sh"
#
#	start_daemon
#	check 'echo answers' test "$(echo hi | nc -N 198.18.66.2 7)" = hi
#	stop_daemon
#	summary
#
# Sourcing it starts the script once more in namespaces of its own: network (lo
# is up, nothing else is there), mounts (an empty /run; $TMP lies in it) and
# processes. All of them vanish with the script, however it ends, so there is
# nothing to clean up: no interface, no file and no process can stay behind.
#
# The environment chooses what is tested: B is the build directory (build),
# TCPHSD and TCPHSCTL single binaries, OFFLOAD=off is for the device, THREADS=2
# for as many shards. V=1 prints the daemon's log at the end. A script that sets
# SELF_CHECK=no first has no passive judge in the daemon (detect.self_check); with
# FOREGROUND= the daemon logs to where log.target says.
#
# Nothing here sleeps for a while and hopes: wait_for polls a condition until
# it holds or its deadline is over.

set -u

if [ -z "${E2E_INSIDE:-}" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "$(basename "$0" .sh): needs root, for namespaces" >&2
		exit 1
	fi
	E2E_INSIDE=1 exec unshare --net --mount --pid --fork --mount-proc \
		--kill-child=KILL -- bash "$(realpath "$0")" "$@"
fi
unset E2E_INSIDE

# Process 1 of a namespace gets only the signals it asks for.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

SUITE=$(basename "$0" .sh)
ROOT=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
B=${B:-build}
case $B in
/*) ;;
*) B=$ROOT/$B ;;
esac
TCPHSD=${TCPHSD:-$B/tcphsd}
TCPHSCTL=${TCPHSCTL:-$B/tcphsctl}
for program in "$TCPHSD" "$TCPHSCTL"; do
	[ -x "$program" ] || {
		echo "$SUITE: there is no $program; run make first" >&2
		exit 1
	}
done

mount -t tmpfs -o mode=0755 tmpfs /run || exit 1
TMP=/run/e2e
mkdir -m 0755 "$TMP"
# The scripts' own names for the defaults of conf/tcphsd.conf.
IFACE=tcphs0
HOST4=198.18.66.1
OWN4=198.18.66.2
HOST6=fd74:6370:6873::1
OWN6=fd74:6370:6873::2
SOCKET=/run/tcphsd/control.sock
CONF=$TMP/tcphsd.conf
# How ip-tuntap(8) makes an interface that the daemon can adopt.
QUEUES=
[ "${THREADS:-1}" = 1 ] || QUEUES=multi_queue
LOG=$TMP/tcphsd.log

ip link set lo up

PASSED=0
FAILED=0
DAEMON=

# pass NAME, fail NAME [WORDS...]: count one check whose outcome is known.
pass()
{
	PASSED=$((PASSED + 1))
	echo "ok   $1"
}

fail()
{
	local name=$1

	shift
	FAILED=$((FAILED + 1))
	echo "FAIL $name"
	if [ $# -gt 0 ]; then
		printf '     %s\n' "$*"
	fi
	return 1
}

# check NAME COMMAND...: the command must succeed; what it prints is shown if
# it does not. Functions of the script are commands, too.
check()
{
	local name=$1

	shift
	if "$@" >"$TMP/check.out" 2>&1; then
		pass "$name"
		return 0
	fi
	fail "$name" "$*" || true
	tail -n 20 "$TMP/check.out" | sed 's/^/     | /'
	if [ -n "$DAEMON" ] && ! daemon_alive; then
		echo '     the daemon is gone; the end of its log:'
		tail -n 20 "$LOG" | sed 's/^/     | /'
	fi
	return 1
}

# check_not NAME COMMAND...: the command must fail.
check_not()
{
	local name=$1

	shift
	check "$name" negate "$@"
}

negate()
{
	! "$@"
}

# same WANT GOT: compare, and say what differs.
same()
{
	[ "$1" = "$2" ] && return 0
	printf 'wanted: %s\ngot:    %s\n' "$1" "$2"
	return 1
}

# exits CODE COMMAND...: the command must end with that exit code.
exits()
{
	local want=$1 got

	shift
	"$@"
	got=$?
	[ "$got" = "$want" ] && return 0
	echo "wanted exit code $want, got $got"
	return 1
}

# wait_for SECONDS COMMAND...: until the command succeeds or time is over.
wait_for()
{
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))

	shift
	until "$@" >"$TMP/wait.out" 2>&1; do
		if [ "${EPOCHREALTIME/./}" -gt "$end" ]; then
			echo "not within the time: $*"
			cat "$TMP/wait.out"
			return 1
		fi
		sleep 0.02
	done
}

# write_conf: the configuration of the next start_daemon, from stdin.
write_conf()
{
	cat >"$CONF"
}

# start_daemon [ARG...]: start tcphsd on $CONF (the defaults if there is none)
# and wait until it is ready. Its log is $LOG, its process $DAEMON.
start_daemon()
{
	[ -e "$CONF" ] || : >"$CONF"
	: >"$LOG"
	# shellcheck disable=SC2086
	"$TCPHSD" ${FOREGROUND---foreground} -c "$CONF" \
		-D "detect.self_check=${SELF_CHECK:-yes}" \
		${OFFLOAD:+-D "interface.offload=$OFFLOAD"} \
		${THREADS:+-D "stack.threads=$THREADS"} "$@" >"$LOG" 2>&1 &
	DAEMON=$!
	if ! wait_for 10 daemon_ready_or_gone || ! daemon_alive; then
		fail "start_daemon $*" 'the daemon did not become ready:' ||
			tail -n 20 "$LOG" | sed 's/^/     | /'
		return 1
	fi
	record
}

# record: capture the first packets of this daemon's life, for summary to have
# them judged. tcpdump ends by itself, with its count or with the interface.
RECORD_PACKETS=4000
RECORDS=0

record()
{
	[ "${E2E_JUDGE:-1}" = 1 ] && ip link show "$IFACE" >/dev/null 2>&1 ||
		return 0
	RECORDS=$((RECORDS + 1))
	ip -details link show "$IFACE" | grep -q 'vnet_hdr on' &&
		: >"$TMP/record$RECORDS.offload"
	tcpdump --immediate-mode -B 65536 -Z root -i "$IFACE" \
		-c $RECORD_PACKETS -w "$TMP/record$RECORDS.pcap" \
		2>"$TMP/record$RECORDS.words" &
	echo $! >"$TMP/record$RECORDS.pid"
	wait_for 10 grep -q 'listening on' "$TMP/record$RECORDS.words" ||
		fail "record $RECORDS" "$(cat "$TMP/record$RECORDS.words")"
}

# judge: what tshark finds wrong with what we sent, over all records; without
# what it calls a warning and is none, JUDGE_ALLOWS:
#   Connection reset    any RST has it; those here were asked for
#   window full         a window may be filled to the last byte
#   Zero Window         a reader may pause
#   D-SACK              says that the peer's segment came twice
#   not captured        the kernel lost it in front of tcpdump (a backlog)
# What TCP carries is data to it: random bytes look like some protocol now and
# then. With offload, TCP checksums are not yet whole where tcpdump looks.
JUDGE_ALLOWS='TCP  Connection reset (RST)$
TCP  TCP window specified by the receiver is now completely full$
TCP  TCP Zero Window segment$
TCP  D-SACK Sequence$
TCP  Previous segment(s) not captured (common at capture start)$
TCP  ACKed segment that wasn.t captured (common at capture start)$'

judge()
{
	local i

	for ((i = 1; i <= RECORDS; i++)); do
		judge_record "$TMP/record$i" || return 1
	done >"$TMP/judged"
	cat "$TMP/judged"
	[ ! -s "$TMP/judged" ]
}

judge_record()
{
	local ours="(ip.src == $OWN4 || ipv6.src == $OWN6)" sums=TRUE

	[ ! -e "$1.offload" ] || sums=FALSE
	kill -s INT "$(cat "$1.pid")" 2>/dev/null
	wait "$(cat "$1.pid")" 2>/dev/null
	tshark -n -r "$1.pcap" -o ip.check_checksum:TRUE \
		-o tcp.check_checksum:$sums -d tcp.port==1-65535,data \
		-q -z "expert,warn,$ours" 2>"$1.tshark" |
		sed -n 's/^ *\([0-9][0-9]* .*\)/\1/p' |
		grep -v -e "$JUDGE_ALLOWS"
	grep -v -e 'Running as user' -e 'cut short' "$1.tshark"
	return 0
}

daemon_alive()
{
	[ -n "$DAEMON" ] && [ -d "/proc/$DAEMON" ] &&
		! grep -q '^State:[[:space:]]*Z' "/proc/$DAEMON/status"
}

daemon_gone()
{
	! daemon_alive
}

# A log level below notice hides the line; the control socket answers as soon
# as the loop runs.
daemon_ready_or_gone()
{
	grep -q 'Ready on ' "$LOG" || daemon_gone || ctl status
}

# stop_daemon [SIGNAL [SECONDS]]: end it, TERM if not told otherwise. Its exit
# code is the return value, or 124 if it was still there after 10 s and had to
# be killed.
stop_daemon()
{
	local pid=$DAEMON

	kill -s "${1:-TERM}" "$pid"
	reap_daemon "${2:-10}"
}

# reap_daemon [SECONDS]: wait for an end that was caused otherwise.
reap_daemon()
{
	local pid=$DAEMON code=0

	if ! wait_for "${1:-10}" daemon_gone; then
		kill -s KILL "$pid"
		wait "$pid"
		DAEMON=
		return 124
	fi
	wait "$pid" || code=$?
	DAEMON=
	grep 'Self-check: c' "$LOG" >>"$TMP/selfcheck"
	[ -z "${V:-}" ] || sed 's/^/     log: /' "$LOG"
	return "$code"
}

# log_has REGEX: does the daemon say this? What happened is on the wire before it
# is in the log.
log_has()
{
	wait_for 5 log_has_now "$1" && return 0
	tail -n 10 "$LOG"
	return 1
}

# log_has_now REGEX: did it (since it started)?
log_has_now()
{
	grep -Eq -- "$1" "$LOG"
}

# ctl ARG...: tcphsctl at the daemon of this script.
ctl()
{
	"$TCPHSCTL" -s "$SOCKET" "$@"
}

# start_relay [ARG...]: a namespace "client" behind a bad network; relay.c has
# the arguments. Listeners must allow its addresses: allow = any.
CLIENT4=198.18.67.1
CLIENT6=fd74:6370:6874::1
RELAY=
RELAYED=$TMP/relayed

start_relay()
{
	if ! [ -e /run/netns/client ]; then
		ip netns add client || return 1
		in_client ip link set lo up
		sysctl -qw net.ipv4.ip_forward=1 \
			net.ipv6.conf.all.forwarding=1
	fi
	: >"$RELAYED" # or the last one's "ready" may be taken for this one's
	"$B/tests/e2e/relay" "$@" /run/netns/client >>"$RELAYED" &
	RELAY=$!
	wait_for 5 grep -q ready "$RELAYED" &&
		ip link set relay0 addrgenmode none &&
		ip link set relay0 txqueuelen 10000 up &&
		ip route add "$CLIENT4/32" dev relay0 &&
		ip route add "$CLIENT6/128" dev relay0 &&
		in_client ip link set path0 addrgenmode none &&
		in_client ip link set path0 txqueuelen 10000 up &&
		in_client ip addr add "$CLIENT4/32" dev path0 &&
		in_client ip addr add "$CLIENT6/128" dev path0 nodad &&
		in_client ip route add "$OWN4/32" dev path0 &&
		in_client ip route add "$OWN6/128" dev path0
}

# stop_relay: end it; what it did is in $RELAYED.
stop_relay()
{
	kill "$RELAY"
	wait "$RELAY"
	RELAY=
}

# in_client COMMAND...: run it where start_relay put the clients.
in_client()
{
	ip netns exec client "$@"
}

# summary: the last line of a script; its exit code is that of the script.
summary()
{
	check 'the passive judge agrees with the endpoint' \
		same '' "$(cat "$TMP/selfcheck" 2>/dev/null)"
	[ "$RECORDS" = 0 ] || check 'tshark finds no fault with us' judge
	echo "$SUITE: $PASSED passed, $FAILED failed"
	[ "$FAILED" = 0 ] && [ "$PASSED" != 0 ]
	exit
}
