#!/bin/bash
# ladder.sh - What is remembered of connections, as a diagram
#
# A handshake, text and a close of a real client; a port where nobody listens;
# a client that is not on the list; a path that loses the SYN-ACK; and bytes
# that would like to be more than text.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

unset COLUMNS

# ladder ARG...: into $TMP/ladder.
ladder()
{
	ctl ladder "$@" >"$TMP/ladder" 2>&1
}

# draws REGEX...: each matches a line of $TMP/ladder, and in this order.
draws()
{
	awk 'BEGIN { n = ARGC - 2; for (i = 1; i <= n; i++) want[i] = ARGV[i + 1]
		for (i = 2; i < ARGC; i++) delete ARGV[i]; at = 1 }
	at <= n && $0 ~ want[at] { at++ }
	END { if (at > n) exit 0; print "no line like: " want[at]; exit 1 }' \
		"$TMP/ladder" "$@" && return 0
	cat "$TMP/ladder"
	return 1
}

# within WIDTH: no line of $TMP/ladder is longer.
within()
{
	! grep -nE "^.{$(($1 + 1)),}$" "$TMP/ladder"
}

# ended CONN: it is known that it ended.
ended()
{
	ctl -j ladder "$1" | jq -e .ended >"$TMP/ended"
}

# played [EDIT]: $TMP/seen.wire, edited by sed, passes when it is played against
# the stack.
played()
{
	sed "${1:-}" "$TMP/seen.wire" >"$TMP/played.wire"
	"$B/tests/wire/wire" "$TMP/played.wire" && return 0
	head -n 60 "$TMP/played.wire" >&2
	return 1
}

# again CONN: as a packet script it passes.
again()
{
	ctl export "$1" -f script -w "$TMP/seen.wire" && played
}

# conversation: a short one, and it again. On a busy machine the client may wait
# for us so long that it sends again: then that was no short one.
conversation()
{
	echo hello | nc -N "$OWN4" 7 >"$TMP/hello"
	wait_for 5 ended last && again last
}

write_conf <<END
[listener.echo]
port    = 7
service = echo
allow   = any

[listener.club]
port    = 4444
service = echo
allow   = 192.0.2.0/24
END
check 'starts' start_daemon

# --- a whole life ------------------------------------------------------------

HOUR=$(date -u +%H)
check 'a client talks' same hello "$(echo hello | nc -N "$OWN4" 7)"
check '... and is gone' wait_for 5 ended c1
check 'its ladder' ladder c1
check 'shows the handshake' draws '^c1  198\.18\.66\.1:.* -> 198\.18\.66\.2:7' \
	'client \(inferred\) .* tcphsd$' 'CLOSED .* LISTEN$' \
	'SYN seq=0 win=.* mss=1460 sackok ts' 'SYN-SENT .*> SYN-RECEIVED$' \
	'SYN-ACK seq=0 ack=1' 'ESTABLISHED +-- ACK seq=1 ack=1 .*> ESTABLISHED$'
check '... the text, and how it was closed' draws 'seq=1 ack=1 len=6' \
	'FIN-WAIT-1 .*CLOSE-WAIT$' ' LAST-ACK$' 'TIME-WAIT .*> CLOSED$' \
	'^verdict: completed in .* closed by both sides'
check 'its packets as a file' same "$(ctl -j ladder c1 |
	jq -r '"\(.packets) packets in '"$TMP/c1.pcapng"'"')" \
	"$(ctl export c1 -w "$TMP/c1.pcapng")"
# exported FILTER FIELD...: of the packets in it that match.
exported()
{
	tshark -n -r "$TMP/c1.pcapng" -Y "$1" -T fields -E separator=' ' \
		"${@:2}" 2>>"$TMP/tshark"
}
check '... the same to tshark' same 'S 0 1460' "$(exported tcp.flags==2 \
	-e tcp.flags.str -e tcp.seq -e tcp.options.mss_val | sed 's/[^S0-9 ]//g')"
check '... with what became of them' same 'c1 SYN-RECEIVED -> ESTABLISHED' \
	"$(exported 'frame.comment contains "ESTABLISHED" && tcp.seq==1' \
		-e frame.comment | head -n 1)"
check '... each with its name' same 0 "$(exported \
	'!(frame.comment matches "^c1( |$)")' -e frame.number | wc -l)"
check '... and their text' same "$(printf 'hello\n' | xxd -p)" \
	"$(exported 'ip.src==198.18.66.1 && tcp.len>0' -e tcp.payload)"
check '... and their times' same "$(ctl -j ladder c1 |
	jq -r '.kept_packets[0].time[:26]')" \
	"$(TZ=UTC tshark -n -r "$TMP/c1.pcapng" -c 1 -t ud 2>/dev/null |
	sed 's/^ *1 //; s/ .*//')T$(TZ=UTC tshark -n -r "$TMP/c1.pcapng" -c 1 \
	-t ud 2>/dev/null | sed 's/^ *1 [^ ]* //; s/ .*//; s/\(\.......\).*/\1/')"
check '... or one of a file, without us' eval \
	'"$TCPHSCTL" -s /nowhere export "$TMP/c1.pcapng#1" -w - |
	tshark -n -r - 2>/dev/null | grep -q SYN'
check 'as a script it can be played again' wait_for 20 conversation
check_not '... not if its text had been shorter' played 's/^send 6$/send 5/'
check_not '... nor if it was answered otherwise' played 's/^< SA 0 ack 1/&0/'
check 'as a script of a file' eval 'ctl -q export last -w "$TMP/seen.pcapng" &&
	"$TCPHSCTL" -s /nowhere export "$TMP/seen.pcapng#1" -f script \
		-w "$TMP/seen.wire" && played'
check 'as a file of a file' eval '"$TCPHSCTL" export "$TMP/c1.pcapng#1" \
	-f pcapng -w "$TMP/same.pcapng" && cmp <(tshark -n -r "$TMP/c1.pcapng" \
	2>/dev/null) <(tshark -n -r "$TMP/same.pcapng" 2>/dev/null)'
check '... but not over it' exits 2 "$TCPHSCTL" export "$TMP/c1.pcapng#1" \
	-f script -w "$TMP/c1.pcapng"
check 'as JSON' eval 'ctl export c1 -f json | jq -e ".kept_packets[0].data"'
check 'as a picture in a file' ctl export c1 -f svg -w "$TMP/c1.svg"
check '... the same' cmp "$TMP/c1.svg" <(ctl ladder -f svg c1)
check 'on 80 columns' within 80
COLUMNS=120 check 'on 120' ladder c1
check '... a packet fits on a line' draws '-- SYN seq=0 .*ts.*-> SYN-RECEIVED$' \
	'<-- SYN-ACK seq=0 ack=1 .*--$'
check '... and not beyond' within 120
check 'with the numbers as they were' ladder --absolute-seq c1
check_not '... which do not begin with 0' draws 'SYN seq=0 '
check 'and the time of day' ladder --utc c1
check '... of today' draws \
	"^($HOUR|$(date -u +%H)):[0-5][0-9]:[0-5][0-9]\\."
check 'as its client names it' ladder \
	"$(ctl -j ladder c1 | jq -r '"\(.local.ip):\(.local.port)-" +
		"\(.peer.ip):\(.peer.port)"')"
check '... it is the same one' draws '^c1  '
check 'show says where it went' exits 5 ctl show c1
ctl show c1 2>"$TMP/ladder"
check '... and what to ask' draws 'c1 ended .*closed by both sides.*ladder c1'

check 'as a picture' ladder -f svg c1
check '... that is XML' python3 -c \
	'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' \
	"$TMP/ladder"
check 'as a page' ladder -f html c1
check '... that loads nothing' draws '<!DOCTYPE html>' '<svg ' '</html>'
check_not '... and runs nothing' grep -E '<script|src=|href=' "$TMP/ladder"
check 'for Mermaid' ladder -f mermaid c1
check '... in its words' draws '^sequenceDiagram$' 'participant C' 'C->>S: SYN'
check 'in no other words' exits 2 ctl ladder -f crayon c1

exec 3<>"/dev/tcp/$OWN4/7"
check 'a handshake alone' wait_for 5 ctl -q list state established
check '... is three packets, no more' eval 'ctl -j ladder last |
	jq -e ".packets == 3 and (.kept_packets | length) == 3"'
exec 3>&-

# --- attempts that fail ------------------------------------------------------

check_not 'nobody at a port' nc -z "$OWN4" 81
check 'the last that failed' ladder last-failed
check '... was refused' draws ':81$' 'SYN seq=0' 'RST-ACK seq=0 ack=1' \
	'^verdict: refused'
check '... so it is again' again last-failed
check_not 'a club for others' nc -z "$OWN6" 4444
check 'it was turned away' ladder last-failed
check '... and why' draws '\]:4444  club$' \
	'x dropped: client not on the allow-list' '^verdict: rejected: '
check 'the first life is still there' ladder c1
check 'what never was is not' exits 5 ctl ladder c4711

ctl connect "$HOST4" 5999 </dev/null 2>"$TMP/connect"
check 'nobody at the other end' ladder last
check '... we are the client' draws 'tcphsd .*server \(inferred\)$' \
	'SYN-SENT +-+>$' 'CLOSED +<-- RST-ACK' '^verdict: refused'
check '... so it is again' again last

nc -lN "$HOST4" 5000 <<<'Who is there?' >/dev/null &
check 'somebody at the other end' wait_for 5 eval 'ss -tln | grep -q :5000'
check 'talks' eval 'echo me | ctl connect "$HOST4" 5000'
check '... and is gone' wait_for 5 ended last
check '... as a script, too' again last

head -c 1000000 /dev/zero >"$TMP/much"
check 'much text' cmp "$TMP/much" <(nc -N "$OWN4" 7 <"$TMP/much")
check '... its ladder' wait_for 5 ended last
check '... as a script' ctl export last -f script -w "$TMP/seen.wire"
check '... says where it ends' grep -q 'not remembered' "$TMP/seen.wire"

# --- a path that loses -------------------------------------------------------

# The client's second SYN leaves when our second SYN-ACK does: it is lost, too, or
# which came first would be anybody's guess.
check 'a path that loses our SYN-ACK' start_relay -d 20000 -x down:1 -x up:2
check 'a client gets through' \
	same over "$(echo over | in_client timeout 20 nc -N "$OWN4" 7)"
check 'it is known' wait_for 5 ended last
COLUMNS=120 check 'its ladder' ladder last
check '... says what came again' draws 'SYN-ACK seq=0' \
	'\(retransmission 1, \+(1\.0|9..)' \
	'^verdict: completed in (1\.|9..)'
check '... as a script, too' again last
check 'the path ends' stop_relay

# --- text that would like to be more ----------------------------------------

printf '\033]0;evil\007\033[2J<script>\r\n' >"$TMP/evil"
check 'evil bytes come back' cmp "$TMP/evil" <(nc -N "$OWN4" 7 <"$TMP/evil")
check 'the packet that brought them' ladder --at 4 last
check '... is shown' draws '^packet 4, received' 'text .* \.\]0;evil\.'
check_not '... and does nothing' grep -q $'[\033\007]' "$TMP/ladder"
check 'stops' stop_daemon

check 'starts without a memory' start_daemon -D capture.ring_packets=0
check 'a client talks' same hello "$(echo hello | nc -N "$OWN4" 7)"
check_not 'nothing is remembered' ladder last
check '... and why' draws 'no packets are kept .*capture\.ring_packets'
check 'stops' stop_daemon
summary
