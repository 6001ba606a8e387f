#!/bin/bash
# ecn.sh - Congestion marks instead of losses, with the kernel at the other end
#
# Whether both agree is read from ss(8) and from tcphsctl. Then a path marks
# packets and loses none: both senders must slow down, and nothing is sent
# again.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

MB=1000000
SIZE=$((20 * MB))
FILE=$TMP/file

kernel_asks()
{
	in_client sysctl -qw "net.ipv4.tcp_ecn=$1"
}

# look ADDRESS: what ss and tcphsctl say of an open connection.
look()
{
	timeout 60 ip netns exec client python3 - \
		"$1" "$TCPHSCTL" "$SOCKET" <<'PY' >"$TMP/seen"
import socket, subprocess, sys

address, ctl, path = sys.argv[1:]
s = socket.create_connection((address, 7))
s.sendall(b"hello")
assert s.recv(5, socket.MSG_WAITALL) == b"hello"
for command in (["ss", "-tinoH", "dst", "[%s]" % address],
                [ctl, "-s", path, "show", "last"]):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    print(done.stdout)
PY
	cat "$TMP/seen"
}

agree()
{
	look "$1" && grep -Eq '[[:space:]]ecn ' "$TMP/seen" &&
		grep -Eq 'options .*\<ts,sack,ws,ecn\>' "$TMP/seen"
}

disagree()
{
	look "$1" && ! grep -Eq '\<ecn\>' "$TMP/seen"
}

counter()
{
	ctl --json stats | python3 -c 'import json, sys
print(json.load(sys.stdin)["counters"][sys.argv[1]])' "$1"
}

# between NAME LOW HIGH: is a counter there?
between()
{
	local n

	n=$(counter "$1")
	[ "$n" -ge "$2" ] && [ "$n" -le "$3" ] && return 0
	echo "$1 is $n, not $2 to $3"
	return 1
}

marked()
{
	sed -n "s/^$1: .*, \([0-9]*\) marked$/\1/p" "$RELAYED"
}

by_nc()
{
	same "$SUM" "$(timeout 100 ip netns exec client nc -N "$1" 7 \
		<"$FILE" | sha256sum)"
}

write_conf <<'CONF'
[log]
handshakes = no

[listener.echo]
port = 7
service = echo
allow = any
CONF

check 'a path' start_relay
check 'starts' start_daemon

# --- who agrees to what -------------------------------------------------------

for to in "$OWN4" "$OWN6"; do
	kernel_asks 1
	check "the kernel asks, $to agrees" agree "$to"
	kernel_asks 0
	check "it does not ask, $to does not agree" disagree "$to"
done
check 'stops' stop_daemon
check 'starts without ECN' start_daemon -D tcp.ecn=no
kernel_asks 1
check 'the kernel asks in vain by IPv4' disagree "$OWN4"
check 'and by IPv6' disagree "$OWN6"
check 'stops' stop_daemon
check 'starts with cookies' start_daemon -D tcp.cookies=always
check 'a cookie remembers it' agree "$OWN4"
check 'stops' stop_daemon
check 'ends' stop_relay

# --- marks --------------------------------------------------------------------

head -c "$SIZE" /dev/urandom >"$FILE"
SUM=$(sha256sum <"$FILE")
for offload in on off; do
	check "starts, offload $offload" start_daemon \
		-D "interface.offload=$offload"
	check 'a path that marks 1 % and loses nothing' \
		start_relay -d 2000 -m 10000
	check 'by IPv4' by_nc "$OWN4"
	check 'by IPv6' by_nc "$OWN6"
	check 'ends' stop_relay
	cat "$RELAYED"
	check 'marks were seen' between ce_in 50 "$(marked up)"
	check 'marks were told' between ece_in 50 100000
	check 'and obeyed, not each of them' \
		between ecn_reductions 20 "$(marked down)"
	check 'nothing was lost' between retransmit_fast 0 0
	check 'stops' stop_daemon
done

# --- marks in both roles ------------------------------------------------------
#
# interop.c has the connection, text both ways at once, and both ends say what
# they saw. The kernel's algorithm is Reno: without a loss, nothing but an echo
# of ours gives it an ssthresh.

NO_SSTHRESH=$((0x7fffffff))

# exchange SERVER|CLIENT ADDRESS: our role, and where the kernel is.
exchange()
{
	local args=(-n $((8 * MB)) -c reno -N /run/netns/client -k "$2"
		-D tcp.ecn=request ${OFFLOAD:+-D "interface.offload=$OFFLOAD"})

	[ "$1" = server ] || args+=(-a)
	timeout 60 "$B/tests/e2e/interop" "${args[@]}" >"$TMP/facts" &&
		tr ' ' '\n' <"$TMP/facts"
}

# fact NAME: as the last exchange had it.
fact()
{
	tr ' ' '\n' <"$TMP/facts" | sed -n "s/^$1=//p"
}

# has NAME LOW HIGH
has()
{
	local n

	n=$(fact "$1")
	[ "$n" -ge "$2" ] && [ "$n" -le "$3" ] && return 0
	echo "$1 is $n, not $2 to $3"
	return 1
}

for role in server client; do
	for at in "$CLIENT4" "$CLIENT6"; do
		check 'a path that marks 1 % and loses nothing' \
			start_relay -d 2000 -m 10000
		kernel_asks 1
		check "we are the $role, the kernel at $at" exchange $role "$at"
		check 'ends' stop_relay
		cat "$RELAYED"
		check 'marks arrived' has ce_in 10 "$(marked up)"
		check 'and the kernel was told' has kernel.delivered_ce 10 100000
		check 'and slowed down' has kernel.ssthresh 2 $((NO_SSTHRESH - 1))
		check 'it told us of ours' has ece_in 10 100000
		check 'and we slowed down, not for each' \
			has ecn_reductions 5 "$(marked down)"
		check 'neither sent anything again' has again 0 0
		# But for what we had: a tail that it probed when we were slow.
		check 'nor did the kernel' has kernel.retrans 0 \
			"$(fact kernel.dsacks)"
	done
done
summary
