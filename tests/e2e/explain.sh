#!/bin/bash
# explain.sh - What real clients did, explained
#
# Each way to fail and to end that a client of the kernel can bring about, and
# what tcphsctl explain makes of it afterwards.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[timers]
msl = 100ms
synack_retries = 1
syn_retries = 1
[listener.echo]
port = 7
service = echo
[listener.closed]
port = 8081
service = echo
allow = 10.0.0.0/8
[listener.one]
port = 8082
service = discard
max_connections = 1
overflow = reset
CONF

explained()
{
	ctl explain "$@" >"$TMP/said" 2>"$TMP/err"
}

# said REGEX...: each in a line of it, whatever the line breaks.
said()
{
	local regex text

	text=$(tr -s '\n ' ' ' <"$TMP/said")
	for regex; do
		[[ $text =~ $regex ]] && continue
		printf 'nothing like: %s\n' "$regex"
		cat "$TMP/said" "$TMP/err"
		return 1
	done
}

# ended: nothing that was opened is left.
ended()
{
	wait_for 5 exits 1 ctl -q list state connected
}

check 'starts' start_daemon
check 'nothing happened yet' exits 5 explained --last
check '... in words' grep -q 'nothing is remembered' "$TMP/err"

check_not 'a port without a listener' nc -z "$OWN4" 8443
check 'is explained' explained --last-failed
check '... as refused' said "^c[0-9]+ $HOST4:[0-9]+ -> $OWN4:8443 outcome: refused" \
	'Why No listener takes port 8443 on this address .listeners: 7 echo, 8081 closed, 8082 one.\.' \
	'Rule RFC 9293, 3\.10\.7\.1: ' 'Client saw "Connection refused" at once' \
	'Evidence packets #1 .SYN., #2 .RST,ACK.; tcphsctl ladder c[0-9]+'
conn=$(grep -o '^c[0-9]*' "$TMP/said")

check_not 'a listener that does not serve us' nc -z "$OWN4" 8081
check 'is explained' explained --last-failed
check '... by the allow-list' said 'outcome: rejected' \
	"$HOST4 is not on the allow-list of listener closed\\." \
	"add $HOST4 to allow of listener.closed in tcphsd.conf" \
	'Dropped client not on the allow-list .RFC 9293'
exec 3<>"/dev/tcp/$OWN4/8082"
wait_for 5 ctl -q list listener = one state established
check_not 'one client too many' nc -z "$OWN4" 8082
check 'is explained' explained --last-failed
check '... by a limit' said 'The SYN reached listener one and was turned away' \
	'Dropped a limit refuses new connections'
exec 3>&-

check 'the first is still known' explained "$conn"
check '... by its id' said "^$conn .*outcome: refused"

ended
nc -N "$OWN4" 7 <<<hello >/dev/null
ended
check 'a connection that ended well' explained --last
check '... ended by FINs' said 'outcome: completed, ended: fin' \
	'Both sides sent a FIN and had it acknowledged after [0-9.]+ m?s' \
	'#1 .SYN., #2 .SYN,ACK., .*FIN,ACK'
exec 3<>"/dev/tcp/$OWN4/7"
wait_for 5 ctl -q list state established
check 'one that is open' explained last
check '... completed its handshake' said 'outcome: completed What' \
	'Listener echo takes port 7'
check '... in JSON, too' eval 'ctl explain -j last | jq -e "
	.code == \"completed\" and .conn.state == \"established\" and
	(.why | startswith(\"Listener echo\")) and .evidence[0].packet == \"SYN\""'
exec 3>&-
ended
python3 -c "
import socket, struct
s = socket.create_connection(('$OWN6', 7))
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
s.close()"
ended
check 'one that the client reset' explained --last
check '... says who' said 'ended: reset_by_peer' "\\[$HOST6\\]:[0-9]+ sent a RST" \
	'RFC 5961, 3\.2' '.RST'
exec 3<>"/dev/tcp/$OWN4/7"
wait_for 5 ctl -q list state established
ctl -q close last --rst
exec 3>&-
ended
check 'one that was closed here' explained --last
check '... says so' said 'ended: admin' 'Somebody closed it'

# The daemon as a client.
ctl -q probe -c 1 "$HOST4" 5009
check 'a server that refuses us' explained --last-failed
check '... from our side' said "^c[0-9]+ $OWN4:[0-9]+ -> $HOST4:5009 outcome: refused" \
	'Nobody listens on port 5009 there' "ss -ltn 'sport = :5009'"
ip route add blackhole 198.18.99.0/24
ctl -q probe -c 1 198.18.99.1 80 --timeout 1500ms
check 'one that is silent' explained --last-failed
check '... after how many SYNs' said 'outcome: timeout_syn' \
	'Our SYN to 198.18.99.1:80 was sent 2 times, and nothing came back; given up after 1\.5 s' \
	'#1 .SYN., #2 .SYN.'
sysctl -qw net.ipv4.ip_forward=1
ip route add prohibit 198.18.97.0/24
ctl -q probe -c 1 198.18.97.1 80
check 'one that is not to be reached' explained --last-failed
check '... by ICMP' said 'outcome: unreachable' '#2 .ICMP 3/13.'

# A SYN-ACK that is never acknowledged: who asked is not there.
forged_syn()
{
	/usr/bin/python3 - "$OWN4" <<-'PYTHON'
	import logging, sys
	logging.getLogger("scapy").setLevel(logging.ERROR)
	from scapy.all import IP, TCP, send
	send(IP(src="198.18.66.77", dst=sys.argv[1]) /
	     TCP(sport=4242, dport=7, flags="S", seq=1000), verbose=False)
	PYTHON
}
ip route add blackhole 198.18.66.77
check 'a SYN from nowhere' forged_syn
given_up()
{
	explained --last-failed && said 'outcome: timeout_ack'
}
check 'is explained when it is given up' wait_for 15 given_up
check '... as unanswered' said 'outcome: timeout_ack' \
	'answered with a SYN-ACK 2 times, and no ACK ever came' \
	'ip route get 198\.18\.66\.77'

# All of it once more, the latest first.
check 'recent' eval 'ctl recent >"$TMP/recent"'
check '... begins with the latest' eval 'sed -n 2p "$TMP/recent" |
	grep -q "^c[0-9]* *timeout_ack "'
check '... has the first failure' grep -q "^$conn *refused " "$TMP/recent"
outcomes()
{
	ctl recent --ndjson "$@" | jq -r .outcome | sort -u | paste -sd,
}
check 'recent: by outcome' same refused "$(outcomes outcome=refused)"
check 'recent: all that failed' same \
	refused,rejected,timeout_ack,timeout_syn,unreachable \
	"$(outcomes outcome = failed)"
check 'recent: by listener and outcome' same rejected \
	"$(outcomes listener = closed and not outcome = completed)"
check 'recent: so many' same 3 "$(ctl recent -H -c 3 | wc -l)"
check 'recent: nothing older' same 0 "$(ctl recent -H --since 1us | wc -l)"
check 'recent: nothing of that kind' exits 1 ctl recent id = c99999
check 'recent: no time' exits 2 ctl recent --since yesterday
check 'events: by outcome' eval 'ctl events --ndjson outcome = refused |
	jq -es "length >= 1 and all(.[]; .outcome == \"refused\")"'

check 'a connection that never was' exits 5 explained c99999
check 'words beside a connection' exits 2 explained --last refused
check 'stops' stop_daemon
summary
