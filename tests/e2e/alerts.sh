#!/bin/bash
# alerts.sh - Who looks for hosts, guesses numbers, fills the backlog or damages
#
# The alerts that numbers.sh and odd.sh do not raise, each by packets of its kind
# from a raw socket or from nc, while ordinary clients go on as if nothing had
# been. Each is told with its numbers, what it means and what to do, once.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[interface]
own_prefix = yes
[timers]
msl = 100ms
[listener.discard]
port = 9
service = discard
[listener.tight]
port = 10
service = discard
backlog = 20
allow = any
CONF

# raised KIND JQ: there is one active alert of the kind, whole, with these numbers.
raised()
{
	ctl --json alerts "$1" active >"$TMP/alerts" &&
		jq -e "length == 1 and all(.[]; ($2) and .state == \"active\" and
			(.message | length) > 20 and (.meaning | length) > 20 and
			(.innocent | length) > 20 and
			(.action | length) > 10)" "$TMP/alerts" && return 0
	cat "$TMP/alerts"
	return 1
}

# told KIND REGEX JQ: soon it is raised, and the log has one line of it.
told()
{
	check "$1: an alert" wait_for 8 raised "$1" "$3"
	check '... in the log' log_has "\\[Alert\\] $2"
	check '... and counted' counted "$1"
	check '... and explained' explained "$1"
}

counted()
{
	ctl metrics | grep -Eqx \
		"tcphs_alerts_total\{kind=\"$1\",severity=\"[a-z]+\"\} 1"
}

explained()
{
	ctl explain "$1" >"$TMP/said"
	cat "$TMP/said"
	grep -q '^Next ' "$TMP/said"
}

# talk FD HOST OWN: a client that stays, and its numbers, in TALK.
talk()
{
	eval "exec $1<>/dev/tcp/$3/9"
	wait_for 5 ctl -q list state established dst "$2" || return
	ctl --json list dst "$2" state established >"$TMP/list"
	ctl --json show "$(jq -r '.[0].id' "$TMP/list")" >"$TMP/show"
	TALK="$2 $3 $(jq -r '"\(.peer.port) \(.tcb.rcv_nxt) \(.tcb.snd_nxt)"' \
		"$TMP/show")"
}

# forged KINDS [HOST OWN PORT RCV_NXT SND_NXT]...: a dozen of each, as if from each
# client or from the path to him.
forged()
{
	/usr/bin/python3 - "$@" <<-'PYTHON'
	import logging, sys
	logging.getLogger("scapy").setLevel(logging.ERROR)
	from scapy.all import ICMP, ICMPv6DestUnreach, IP, IPv6, TCP, send
	kinds, *clients = sys.argv[1:]
	while clients:
	    host, own, port, rcv_nxt, snd_nxt, *clients = clients
	    port, rcv_nxt, snd_nxt = int(port), int(rcv_nxt), int(snd_nxt)
	    v6 = ":" in host
	    ip = IPv6 if v6 else IP
	    there = ip(src=host, dst=own)
	    late = ip(src=own, dst=host) / TCP(sport=9, dport=port, flags="A",
	                                       seq=(snd_nxt - 100000) % 2**32)
	    packets = {
	        "rst": there / TCP(sport=port, dport=9, flags="R",
	                           seq=(rcv_nxt + 1000) % 2**32),
	        "icmp": there / (ICMPv6DestUnreach(code=3) if v6 else
	                         ICMP(type=3, code=1)) / late,
	        "sum": there / TCP(sport=4444, dport=9, flags="S", chksum=1),
	    }
	    for kind in kinds.split(","):
	        if kind == "syn":
	            send([IP(src="198.18.99.%d" % n, dst=own) /
	                  TCP(sport=5000, dport=10, flags="S", seq=n << 20)
	                  for n in range(1, 19)], verbose=False)
	        else:
	            send([packets[kind]] * 12, verbose=False)
	PYTHON
}

# goes_on FD HOST: what this client says arrives.
goes_on()
{
	echo 'still here' >&"$1"
	wait_for 5 ctl -q list dst "$2" state established bytes = 11
}

check 'starts' start_daemon
check 'nothing looks wrong' same 'nothing looks wrong' "$(ctl alerts)"

for host in {10..34}; do
	nc -z -w 2 198.18.66.$host 81
done
told host_scan "Host scan suspected from $HOST4: [0-9]+ addresses in" \
	".source == \"$HOST4/32\" and .numbers.hosts >= 20"
check_not '... which is no scan of ports' raised port_scan true

check 'a client by IPv4' talk 5 "$HOST4" "$OWN4"
v4=$TALK
check 'a client by IPv6' talk 6 "$HOST6" "$OWN6"
v6=$TALK
# This one is raised where the daemon counts, once a second. Checksums that are bad
# before the first count are no news to it: the others come behind.
# shellcheck disable=SC2086
check 'somebody asks, and does not go on' forged syn $v4
told half_open_pressure 'Half-open pressure on listener tight: [0-9]+ of 20' \
	'.listener == "tight" and .numbers.half_open >= 16 and
	.numbers.limit == 20'
check_not '... which is no flood' raised syn_flood true

# By both in one go: the alert of the first would end while another scapy starts.
# shellcheck disable=SC2086
check 'somebody forges, by IPv4 and by IPv6' forged rst,icmp,sum $v4 $v6
told rst_guessing 'RST guessing suspected on c[0-9]+ from ' \
	'.numbers.segments >= 10 and .numbers.connections >= 1'
told icmp_guessing 'ICMP guessing suspected from ' '.numbers.messages >= 10'
told bad_checksums 'Bad checksums: [0-9]+ packets' '.numbers.packets >= 10'
check 'the client by IPv4 goes on' goes_on 5 "$HOST4"
check 'the client by IPv6 goes on' goes_on 6 "$HOST6"

check 'all of them fit a narrow terminal' same '' \
	"$(ctl -v alerts | awk 'length > 80')"
check 'status counts them' eval 'ctl status |
	grep -Eq "alerts +[1-9] active, 5 since the start"'
exec 5>&- 6>&-
check 'stops' stop_daemon
summary
