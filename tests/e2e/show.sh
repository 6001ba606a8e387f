#!/bin/bash
# show.sh - What a protocol engineer looks for in `tcphsctl show`
#
# A client reads without end over a path that takes 10 ms each way and loses one
# packet in a hundred, so that all of the control block is at work: what ss -tiom
# says of a connection of the kernel's has to be there while it is.
E2E_JUDGE=0 # tshark takes what is sent again among new text for out of order
. "$(dirname "$0")/lib.sh"

# keep FILE COMMAND...: what it prints, whole.
keep()
{
	"${@:2}" >"$TMP/$1.new" && mv "$TMP/$1.new" "$TMP/$1"
}

# tcb FILTER: is it true of the connection now?
tcb()
{
	keep shown ctl --json show last && jq -e ".tcb | $1" "$TMP/shown"
}

# ssthresh alone may be the end of slow start (RFC 9406).
lost_some()
{
	tcb '.ssthresh' && jq -e '.retrans > 0' "$TMP/shown"
}

# line WORDS...: one of those for people, with all of them.
line()
{
	local word text

	text=$(ctl show last | grep "^ *$1 ") || return 1
	for word in "${@:2}"; do
		[[ $text =~ \ $word ]] || { echo "no $word in: $text"; return 1; }
	done
}

# of_client FACT: what the kernel at the other end says of it.
of_client()
{
	in_client ss -tinH dst "$OWN4" | grep -o "$1:[0-9,]*"
}

write_conf <<-'EOF'
	[listener.chargen]
	port = 19
	service = chargen
	allow = any
EOF
check 'starts' start_daemon
check 'a path that takes 20 ms and loses 1 %' \
	start_relay -d 10000 -l 10000 -R 20000000 -t 60
in_client nc -d "$OWN4" 19 >/dev/null &
CLIENT=$!

check 'a loss, and something sent again' wait_for 20 lost_some
check 'cwnd and ssthresh are windows' tcb '.cwnd > 0 and .ssthresh > 0'
check 'srtt, and what it varies by' tcb \
	'.srtt_us >= 20000 and .rttvar_us > 0 and .min_rtt_us >= 20000'
check 'rto: longer' tcb '.rto_us >= .srtt_us'
check 'mss, pmtu' tcb '.snd_mss == 1448 and .pmtu == 1500'
check 'wscale: as the other end says' same "$(of_client wscale)" \
	"$(tcb true >/dev/null; jq -r '.tcb |
		"wscale:\(.rcv_wscale),\(.snd_wscale)"' "$TMP/shown")"
check 'reordering' tcb '.reordering >= 3'
check 'windows of both' tcb '.snd_wnd > 0 and .rcv_wnd > 0'
check 'sacked, what is behind a hole' wait_for 20 tcb '.sacked > 0'
check 'in recovery' wait_for 20 tcb '.recovery == "fast"'
check 'lost, and not sent again yet' tcb 'has("lost")'
check 'paced: more than 10,000 bytes a second' wait_for 20 tcb \
	'.pacing_rate > 10000'
check 'the retransmission timer' wait_for 20 tcb \
	'.timers.rexmt_us > 0 and .timers.rexmt_us <= .rto_us'
check 'the timer of the pace' wait_for 20 tcb '.timers | has("pace_us")'
check 'the timer of a tail loss probe' wait_for 20 tcb \
	'.timers | has("probe_us")'
check 'for people: the path' line path 'rtt:[0-9.]+ms' 'rttvar:' 'rto:' \
	'pmtu:1500' 'mss:1448'
check 'for people: sending' line sending cubic 'cwnd:[0-9]' 'ssthresh:[0-9]' \
	'wnd:[0-9]' 'in_flight:'
check 'for people: losses' line losses 'sacked:' 'lost:' 'reordering:[0-9]'
check 'for people: options' line options 'ts,sack,ws' 'snd_wscale:[0-9]' \
	'rcv_wscale:[0-9]'
check 'for people: what is armed' wait_for 20 line timers 'rexmt:[0-9]'

kill "$CLIENT"
stop_relay
check 'stops' stop_daemon
summary
