#!/bin/bash
# interop.sh - Our engine and the Linux kernel understand each other
#
# One connection a cell, between the engine and a socket of the kernel over a
# TUN, in both roles, under a choice of the kernel's settings and ours
# (interop_cells.py): each setting alone, then every two of them together. Text
# goes both ways and is compared byte for byte by both ends (interop.c); what
# was agreed must be what both wanted, as both ends see it.
#
# With FULL=1 (`make interop`) 64 MB go each way in every cell, and in four more
# than there are sequence numbers. How fast it was is printed for the reader;
# it may be a hundredth of that, but not less.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

MB=1000000
BIG=64
SMALL=4
[ -z "${FULL:-}" ] || SMALL=$BIG
HUGE=5000
# Our timeouts in all cells: none is needed, and some of a busy machine's are
# forgiven.
RTO=0
RTO_MOST=3
# Who waits for a timer again and again has less than this; nobody else has.
LEAST_MBPS=3
CRAWL=

declare -A cell fact

# knob NAME VALUE: a setting of the kernel.
knob()
{
	echo "$2" >"/proc/sys/net/ipv4/$1"
}

set_kernel()
{
	knob tcp_sack "${cell[sack]}" &&
		knob tcp_timestamps "${cell[timestamps]}" &&
		knob tcp_window_scaling "${cell[window_scaling]}" &&
		knob tcp_ecn "${cell[ecn]}"
}

# transfer MB: have the connection; its facts are in $TMP/facts.
transfer()
{
	local args=(-n $(($1 * MB)) -o "${cell[first]}" -b "${cell[buffer]}"
		-c "${cell[congestion]}" -D "interface.mtu=${cell[mtu]}"
		-D "interface.offload=${cell[offload]}"
		-D "tcp.ecn=${cell[own_ecn]}")

	[ "${cell[role]}" = server ] || args+=(-a)
	[ "${cell[ip]}" = 4 ] || args+=(-6)
	[ "${cell[reader]}" = steady ] || args+=(-p)
	[ "${cell[own_buffer]}" = 0 ] || args+=(
		-D "limits.rcvbuf=${cell[own_buffer]}"
		-D "limits.rcvbuf_max=${cell[own_buffer]}"
		-D "limits.sndbuf=${cell[own_buffer]}")
	[ "${cell[mtu]}" -ge 1280 ] || args+=(-D interface.address6=)
	set_kernel &&
		timeout 100 "$B/tests/e2e/interop" "${args[@]}" >"$TMP/facts"
}

# is NAME VALUE: as both ends see it.
is()
{
	same "$1=$2" "$1=${fact[$1]}" &&
		same "kernel.$1=$2" "kernel.$1=${fact["kernel.$1"]}"
}

# want_ecn: RFC 3168, 6.1.1: whoever opens must ask, the other one consent.
want_ecn()
{
	case ${cell[role]}-${cell[ecn]}-${cell[own_ecn]} in
	server-1-accept | server-1-request | client-[12]-request) echo 1 ;;
	*) echo 0 ;;
	esac
}

# agreed MB: is everything as these settings want it?
agreed()
{
	local head=40 mss

	[ "${cell[ip]}" = 4 ] || head=60
	mss=$((cell[mtu] - head))
	same "$mss" "${fact[peer_mss]}" || return 1
	[ "${cell[timestamps]}" = 0 ] || mss=$((mss - 12))
	same "$mss" "${fact[mss]}" || return 1
	# The kernel sends half of the largest window it saw at most.
	[ "${cell[own_buffer]}" != 0 ] || [ "$mss" -gt 32767 ] ||
		same "$mss" "${fact[kernel.mss]}" || return 1
	is ts "${cell[timestamps]}" &&
		is sack "${cell[sack]}" &&
		is wscale "${cell[window_scaling]}" &&
		is ecn "$(want_ecn)" &&
		same "${fact[snd_wscale]}" "${fact[kernel.rcv_wscale]}" &&
		same "${fact[rcv_wscale]}" "${fact[kernel.snd_wscale]}" &&
		same "${cell[congestion]}" "${fact[kernel.congestion]}" &&
		same $(($1 * MB)) "${fact[in]}" &&
		same $(($1 * MB)) "${fact[out]}" &&
		same "resets 0" "resets ${fact[resets]}" &&
		same "SYNs again 0" "SYNs again ${fact[syn_again]}" &&
		dropped_nothing
}

# What is sent again needlessly, because somebody paused, is no fault.
dropped_nothing()
{
	local name

	for name in "${!fact[@]}"; do
		case $name in
		drop.duplicate | drop.ip_*) ;;
		drop.*) same '' "$name=${fact[$name]}" || return 1 ;;
		esac
	done
}

# facts NAME...: some of what the last connection was like.
facts()
{
	local name

	for name; do
		printf ' %s %s' "$name" "${fact[$name]}"
	done
	echo
}

# one_cell MB NAME=VALUE...: a connection with these settings.
one_cell()
{
	local mb=$1 name=() setting

	shift
	for setting; do
		cell[${setting%%=*}]=${setting#*=}
		name+=("$setting")
	done
	check "$mb MB each way: ${name[*]}" transfer "$mb" || return
	fact=()
	for setting in $(<"$TMP/facts"); do
		fact[${setting%%=*}]=${setting#*=}
	done
	check '     as both wanted it' agreed "$mb"
	RTO=$((RTO + fact[rto]))
	[ "${cell[reader]}" = pausing ] ||
		{ [ "${fact[in_MBps]}" -ge $LEAST_MBPS ] &&
			[ "${fact[out_MBps]}" -ge $LEAST_MBPS ]; } ||
		CRAWL+=" (${name[*]})"
	facts in_MBps out_MBps gap_ms retrans kernel.retrans rto probes
}

while read -r -a settings; do
	one_cell $SMALL "${settings[@]}"
done < <("$(dirname "$0")/interop_cells.py" alone)
while read -r -a settings; do
	one_cell $BIG "${settings[@]}"
done < <("$(dirname "$0")/interop_cells.py" pairs)

# The sequence numbers start anew, in both directions.
if [ -n "${FULL:-}" ]; then
	while read -r -a settings; do
		one_cell $HUGE "${settings[@]}"
	done < <("$(dirname "$0")/interop_cells.py" alone | head -n 4)
fi
check "hardly a timeout ($RTO)" test "$RTO" -le $RTO_MOST
check 'nobody crawls' same '' "$CRAWL"
summary
