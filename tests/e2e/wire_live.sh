#!/bin/bash
# wire_live.sh - Packet scripts against the daemon, over two real TUNs
#
# The scripts of tests/wire play the peer behind peer0, a TUN of their own, and
# the kernel forwards between it and the daemon's. Those are played that need
# no program on the daemon's side and that do not wait for more than WIRE_MS
# milliseconds; each over IPv4 and IPv6.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip tuntap add dev peer0 mode tun
ip link set peer0 addrgenmode none
ip link set peer0 up
ip route add 198.18.67.1/32 dev peer0
ip route add fd74:6370:6874::1/128 dev peer0

cat >"$TMP/tcphsd" <<SH
#!/bin/sh
exec '$TCPHSD' -D stack.threads=${THREADS:-1} "\$@"
SH
chmod +x "$TMP/tcphsd"
"$B/tests/wire/wire" -l "$TMP/tcphsd" -d "$TMP" -m "${WIRE_MS:-100}" ${V:+-v} \
	"$ROOT"/tests/wire/*.wire >"$TMP/wire.out" 2>&1
code=$?
cat "$TMP/wire.out"
check 'no script failed' exits 0 test "$code" = 0
# A script less is no success: so many can be played at least.
check 'and there were many' test \
	"$(sed -n 's/^wire: \([0-9]*\) passed.*/\1/p' "$TMP/wire.out")" -ge 350
summary
