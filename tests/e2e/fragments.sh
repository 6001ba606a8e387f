#!/bin/bash
# fragments.sh - Packets in pieces, and errors about what is of no use
#
# The kernel cuts what does not fit into the interface's MTU, so a large ping is
# a fragmented one, and so is its reply; and it says itself how many fragments
# it made and put together. What no kernel sends (pieces out of order, doubled,
# overlapping, a SYN in two) is made by scapy.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# pings ADDRESS BYTES: three of three come back, with what was in them.
pings()
{
	ping -n -c 3 -i 0.05 -W 2 -M dont -s "$2" -p c0ffee42 "$1" |
		tee "$TMP/ping"
	grep -q ' 3 received' "$TMP/ping" && ! grep -q 'wrong data' "$TMP/ping"
}

# counter NAME: one of the kernel's, of IPv4 or IPv6.
counter()
{
	nstat -az "$1" | awk -v n="$1" '$1 == n { print $2 }'
}

# drops NAME: how many packets the daemon dropped for this reason.
drops()
{
	ctl stats --json | jq --arg n "$1" '[.. | objects | .[$n]? | numbers][0]'
}

# scapy EXPRESSION: 0 if it is true, 3 if it is false; the functions are below.
# Debian's own Python has scapy, another one need not.
scapy()
{
	timeout 20 /usr/bin/python3 - "$HOST4" "$OWN4" "$HOST6" "$OWN6" "$IFACE" "$1" <<-'PY'
	import sys, logging, socket
	logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
	from scapy.all import *
	host4, own4, host6, own6, iface, script = sys.argv[1:]
	opts = [("MSS", 1460), ("SAckOK", b""), ("WScale", 7)]

	def syn(port, v6):
	    ip = IPv6(src=host6, dst=own6) if v6 else \
	        IP(src=host4, dst=own4, id=port & 0xffff)
	    return ip / TCP(sport=port, dport=7, seq=1000, flags="S",
	                    options=opts + [("NOP", None)] * 20)

	def cut(pkt, *at):
	    """the packet in pieces that begin at the given bytes of its text"""
	    v6 = IPv6 in pkt
	    text = raw(pkt)[40 if v6 else 20:]
	    at = [0, *at, len(text)]
	    out = []
	    for a, b in zip(at, at[1:]):
	        more = b < len(text)
	        if v6:
	            f = IPv6(src=host6, dst=own6) / IPv6ExtHdrFragment(
	                nh=6, offset=a // 8, m=more, id=pkt[TCP].sport)
	        else:
	            f = IP(src=host4, dst=own4, id=pkt.id, proto=6,
	                   flags="MF" if more else 0, frag=a // 8)
	        out.append(f / Raw(text[a:b]))
	    return out

	def answered(port, pkts):
	    """is there a SYN-ACK for what is sent?"""
	    got = AsyncSniffer(iface=iface, timeout=float(1), store=True,
	        stop_filter=lambda p: TCP in p and p[TCP].dport == port,
	        lfilter=lambda p: TCP in p and p[TCP].dport == port,
	        started_callback=lambda: [send(p, iface=iface, verbose=0)
	                                  for p in pkts])
	    got.start()
	    got.join()
	    return any(p[TCP].flags == "SA" for p in got.results)

	def told(own, kind, number):
	    """what the kernel says of a datagram to this port or protocol"""
	    udp = kind == socket.SOCK_DGRAM
	    s = socket.socket(socket.AF_INET6 if ":" in own else socket.AF_INET,
	                      kind, 0 if udp else number)
	    s.settimeout(5)
	    s.connect((own, number if udp else 0))
	    try:
	        s.send(b"anybody?")
	        s.recv(100)
	    except OSError as e:
	        print(e)
	        return str(e)

	sys.exit(0 if eval(script) else 3)
	PY
}

if ! command -v nstat >/dev/null || ! command -v jq >/dev/null; then
	fail 'nstat and jq are there'
	summary
fi
write_conf <<'EOF'
[interface]
mtu = 1500
EOF
start_daemon
check 'IPv4: an echo in one piece' pings "$OWN4" 1000
check 'IPv4: in three' pings "$OWN4" 4000
check 'IPv4: in six' pings "$OWN4" 8000
check 'IPv4: the longest there is' pings "$OWN4" 65507
check 'IPv4: the kernel really cut them' \
	test "$(counter IpFragCreates)" -ge $((3 * (3 + 6 + 45)))
check 'IPv6: an echo in one piece' pings "$OWN6" 1000
check 'IPv6: in three' pings "$OWN6" 4000
check 'IPv6: in six' pings "$OWN6" 8000
check 'IPv6: the kernel really cut them' \
	test "$(counter Ip6FragCreates)" -ge $((3 * (3 + 6)))
check 'nothing of it was dropped' same 0 "$(drops frag_memory)"
check 'IPv4: replies came in pieces, too' \
	test "$(counter IpReasmOKs)" -ge 9
check 'IPv6: as well' test "$(counter Ip6ReasmOKs)" -ge 6
check 'and none was lost' same '0 0' \
	"$(counter IpReasmFails) $(counter Ip6ReasmFails)"

for own in "$OWN4" "$OWN6"; do
	check "$own: UDP is refused" scapy \
		"'refused' in told('$own', socket.SOCK_DGRAM, 9)"
	check "$own: nc hears of it, and ends" exits 0 \
		timeout 5 nc -u -w 60 "$own" 9 </dev/zero
	check "$own: so is an unknown protocol" scapy \
		"'Protocol' in told('$own', socket.SOCK_RAW, 200)"
done
check 'errors are counted' test 4 -le "$(ctl stats --json |
	jq '[.. | objects | .icmp_errors_out? | numbers][0]')"

for v6 in False True; do
	name=IPv$([ $v6 = True ] && echo 6 || echo 4)
	check "$name: a SYN in three pieces, backwards" \
		scapy "answered(40001, cut(syn(40001, $v6), 24, 32)[::-1])"
	check "$name: one of them twice" scapy \
		"answered(40002, [(c := cut(syn(40002, $v6), 32))[0], *c])"
	overlaps=$(drops frag_overlap)
	check "$name: pieces that overlap open nothing" exits 3 scapy \
		"answered(40003, cut(syn(40003, $v6), 32)[:1] +
		cut(syn(40003, $v6), 24)[1:])"
	check "$name: and are counted" \
		same $((overlaps + 1)) "$(drops frag_overlap)"
	tiny=$(drops frag_tiny)
	check "$name: neither does a tiny first one" \
		exits 3 scapy "answered(40004, cut(syn(40004, $v6), 8))"
	check "$name: and is counted" same $((tiny + 1)) "$(drops frag_tiny)"
done
check 'echo works as before' same hello "$(echo hello | nc -N "$OWN4" 7)"
check 'stops' stop_daemon
summary
