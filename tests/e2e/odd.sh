#!/bin/bash
# odd.sh - Somebody else speaks in a connection, and is seen
#
# An ordinary client talks to us, and a raw socket puts segments between its
# own that have the right numbers: with other text than it sent, and over
# another number of hops. Both are told as events, in the log and as alerts,
# with the connection they are about, which goes on as if nothing had been.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[timers]
msl = 100ms
[listener.discard]
port = 9
service = discard
CONF
start_daemon -D log.level=debug

# numbers: where the latest connection is: rcv_nxt and snd_nxt.
numbers()
{
	ctl --json show last | jq -r '"\(.tcb.rcv_nxt) \(.tcb.snd_nxt)"'
}

# talk HOST OWN: a client on descriptor 3; its number and its ends.
talk()
{
	HOST=$1 OWN=$2
	exec 3<>"/dev/tcp/$OWN/9"
	wait_for 5 ctl -q list state established || return
	CONN=$(ctl --raw -H list -o id state established)
	PORT=$(ctl --raw list --json id = "$CONN" | jq '.[0].peer.port')
}

# said TEXT: the client sends it, and it has arrived.
said()
{
	local was

	was=$(numbers)
	printf %s "$1" >&3
	wait_for 5 arrived $((${was% *} + ${#1}))
}

arrived()
{
	local now

	now=$(numbers)
	[ $((${now% *} & 0xffffffff)) = $(($1 & 0xffffffff)) ]
}

# forge BACK TTL TEXT [FLAGS]: as if from the client, BACK bytes before what we
# expect from it next.
forge()
{
	# shellcheck disable=SC2046
	/usr/bin/python3 - "$HOST" "$OWN" "$PORT" $(numbers) "$@" <<-'PYTHON'
	import logging, sys
	logging.getLogger("scapy").setLevel(logging.ERROR)
	from scapy.all import IP, IPv6, Raw, TCP, send
	host, own, port, rcv_nxt, snd_nxt, back, ttl, text = sys.argv[1:9]
	ip = (IPv6(src=host, dst=own, hlim=int(ttl)) if ":" in host else
	      IP(src=host, dst=own, ttl=int(ttl)))
	send(ip / TCP(sport=int(port), dport=9, flags=(sys.argv[9:] or ["A"])[0],
	              seq=(int(rcv_nxt) - int(back)) % 2**32, ack=int(snd_nxt),
	              window=512) / Raw(text), verbose=False)
	PYTHON
}

# event NAME JQ: one of the connection's, of which that is true. The daemon
# remembers none of level debug: watch() has what comes.
event()
{
	jq -es <"$TMP/events" --arg name "$1" \
		--arg conn "$CONN" "any(.[]; .event == \$name and
		.conn == \$conn and $2)"
}

# alert KIND JQ
alert()
{
	ctl --json alerts | jq -e --arg kind "$1" --arg conn "$CONN" \
		"any(.[]; .kind == \$kind and .conn == \$conn and $2)"
}

watch()
{
	ctl --ndjson events --level debug -f >"$TMP/events" &
	WATCHER=$!
	wait_for 5 watching
}

# A connection that is refused makes an event.
watching()
{
	nc -z "$OWN4" 8443
	[ -s "$TMP/events" ]
}

# odd HOST OWN WORDS
odd()
{
	check "$3: somebody watches" watch
	check "$3: a client connects" talk "$1" "$2"
	check "$3: and speaks" said 'pay Alice 10 euros'
	check "$3: the same again is nothing" forge 18 64 'pay Alice 10 euros'
	check_not "$3: nobody tells of it" event data.conflict true
	check "$3: somebody else says it otherwise" \
		forge 18 64 'pay Mally 10 euros'
	check "$3: data.conflict: from which byte on" wait_for 5 \
		event data.conflict '.offset == 4 and .level == "notice"'
	check "$3: in the log" log_has "$CONN \\[Server\\] Received other bytes than before under the same numbers, from byte 4 on  \\[?$1"
	check "$3: as an alert, with what to do" wait_for 5 \
		alert conflicting_retransmission '.state == "active" and
		(.action | contains("close CONN --rst"))'
	check "$3: the client goes on" said ' and nothing else'

	check "$3: packets of another path" forge 4 49 else
	check "$3: once more" forge 4 49 else
	check_not "$3: a route may have changed" event path.ttl true
	check "$3: but the usual one is still there" said .
	check "$3: path.ttl" wait_for 5 event path.ttl \
		'.packets == 2 and .ttl == 49 and .usual_ttl == 64'
	check "$3: in the log" log_has "$CONN \\[Server\\] Received 2 packets with TTL 49, usually 64"
	check_not "$3: two are no alert yet" alert ttl_jump true
	check "$3: a reset from there, with a number that is not the next" \
		forge 99999 49 '' R
	check "$3: is told at once" wait_for 5 event path.ttl \
		'.packets == 1 and .ttl == 49'
	check "$3: and is an alert" wait_for 5 alert ttl_jump \
		'.numbers.ttl == 49 and .numbers.usual_ttl == 64'
	check "$3: the client does not notice" said ' still here'
	exec 3>&-
	wait_for 5 exits 1 ctl -q list state established
	ctl explain "$CONN" >"$TMP/explained"
	check "$3: explain has both" same 2 "$(grep -c "^Alert  *[CT].* on $CONN from" \
		"$TMP/explained")"
	check "$3: as programs want it" eval 'ctl -j explain "$CONN" |
		jq -e "[.alerts[].kind] == [\"ttl_jump\",
			\"conflicting_retransmission\"]"'
	check "$3: and what the alert means" eval \
		'ctl explain ttl_jump | grep -q "number of hops"'
	kill $WATCHER
}

odd "$HOST4" "$OWN4" IPv4
stop_daemon
start_daemon -D log.level=debug
odd "$HOST6" "$OWN6" IPv6

check 'stops' stop_daemon
summary
