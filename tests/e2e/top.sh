#!/bin/bash
# top.sh - The live screen, in a terminal of 80x24 and of 120x40
#
# tmux is the terminal: keys go in by send-keys, what a user would see comes out
# by capture-pane. Nothing is looked at before it is there.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

export LC_ALL=C.UTF-8
write_conf <<'CONF'
[timers]
msl = 100ms
[listener.echo]
port = 7
service = echo
[listener.discard]
port = 9
service = discard
CONF

TERMS=0

term()
{
	tmux -S "$TMP/tmux$TERMS" -f /dev/null "$@"
}

# open COLS ROWS COMMAND: in a terminal of that size; says how it ended.
open()
{
	[ "$TERMS" = 0 ] || term kill-server
	TERMS=$((TERMS + 1))
	rm -f "$TMP/ended" "$TMP/stty2"
	term new-session -d -x "$1" -y "$2" \
		"stty -g >$TMP/stty1; $3; echo \"ended \$?\" >$TMP/ended; \
		stty -g >$TMP/stty2; exec cat" 5>&- 6>&- 7>&-
}

top()
{
	open "$1" "$2" "$TCPHSCTL -s $SOCKET top -i 200ms $3"
}

keys()
{
	term send-keys "$@"
}

sees()
{
	term capture-pane -p | grep -Eq -- "$1" && return 0
	echo "not on the screen: $1"
	term capture-pane -p
	return 1
}

sees_not()
{
	! sees "$1" >/dev/null
}

shows()
{
	wait_for 5 sees "$1"
}

# ended CODE: it is over, and the terminal is as it was.
ended()
{
	wait_for 5 grep -qx "ended $1" "$TMP/ended" &&
		wait_for 5 test -s "$TMP/stty2" &&
		cmp "$TMP/stty1" "$TMP/stty2" &&
		same '0 1' "$(term display -p '#{alternate_on} #{cursor_flag}')"
}

# order COLUMN: what stands there, from the headings to the foot.
order()
{
	term capture-pane -p | awk -v c="$1" \
		'/^(ID|NAME) /{on=1; next} on && !NF {exit} on {print $c}' |
		paste -sd' '
}

has_order()
{
	same "$2" "$(order "$1")"
}

fits()
{
	same "$1" "$(term capture-pane -p | awk -v most="$2" \
		'length($0) > most {n++} END {print NR, n + 0}')"
}

start_daemon
exec 5<>"/dev/tcp/$OWN4/7" 6<>"/dev/tcp/$OWN6/9" 7<>"/dev/tcp/$OWN4/7"
echo hello >&5
echo 'a longer line' >&7
wait_for 5 exits 0 ctl -q list bytes = 28
A=$(ctl --raw -H -o id list bytes = 12)
B=$(ctl --raw -H -o id list listener = discard)
C=$(ctl --raw -H -o id list bytes = 28)
check_not 'a port without a listener' nc -z "$OWN4" 8443

# ---- 80x24 -------------------------------------------------------------------

top 80 24 ''
check '80x24: the daemon' shows "^tcphsd [0-9.]+ on tcphs0  $OWN4  $OWN6  up "
check 'its figures' shows '^3 conns  0 half-open  0 alerts  [0-9.]+ hs/s'
check 'the headings' shows '^ID +STATE +LOCAL +PEER '
check 'a connection' shows "^$A +ESTAB +$OWN4:7 +$HOST4:[0-9]+ "
check 'an IPv6 one' shows "^$B +ESTAB +\[$OWN6\]:9 "
check 'the newest first' wait_for 5 has_order 1 "$C $B $A"
check 'what the keys do' shows '^q quit '
check 'every line fits' fits '24 0' 80
keys r
check 'r turns round' wait_for 5 has_order 1 "$A $B $C"
keys '<' '>' '>'
check '> sorts by another column' wait_for 5 has_order 2 'ESTAB ESTAB ESTAB'
for _ in 1 2 3 4 5 6 7 8; do
	keys Right
done
check 'by what came in' wait_for 5 has_order 1 "$B $A $C"
keys r
check 'the most first' wait_for 5 has_order 1 "$C $A $B"
keys /
check '/ asks for a filter' shows '^Filter:$'
keys 'state estblished' Enter
check 'a wrong one is named' shows "unknown state 'estblished' .did you mean 'established'"
check 'and stays to be mended' shows '^Filter: state estblished$'
keys C-u 'listener = echo' Enter
check 'a good one is shown' shows 'filter: listener = echo$'
check 'and taken' wait_for 5 has_order 1 "$C $A"
keys Escape
check 'Esc takes it away' wait_for 5 has_order 1 "$C $A $B"
keys Down Enter
check 'Enter: the ladder' shows 'SYN-SENT +-+> SYN-RECEIVED'
check 'of the selected one' shows "^ +$A\$"
check 'beside the table' sees "^$C +ESTAB"
keys NPage
check 'PgDn scrolls it' shows ' ESTABLISHED$'
keys Tab
check 'Tab: on the whole screen' wait_for 5 sees_not "^$C +ESTAB"
keys Tab Escape
check 'Esc closes it' wait_for 5 sees_not 'SYN-RECEIVED'
keys F2
check 'F2: what ended' shows '^c[0-9]+ +refused +198.18.66.2:8443'
keys Enter
check 'with its ladder' shows 'verdict: '
keys Escape 3
check '3: the listeners' shows '^discard +discard +own +9 +connected'
check 'by name' wait_for 5 has_order 1 'discard echo'
keys Enter
check 'and all of one' shows '^backlog +128$'
keys Escape 4 '?'
check '?: the keys' shows '^Tab +that on the whole screen'
keys Escape 1
check '1: what lives' shows "^$A +ESTAB"
exec 7>&-
check 'one that goes, goes' wait_for 5 sees_not "^$C +ESTAB"
keys q
check 'q ends it: 0, and the terminal is as before' ended 0

# ---- other sizes -------------------------------------------------------------

top 120 40 'listener = echo'
check '120x40: more columns' shows '^ID +STATE +.* ROLE +AGE +HS +RTT +IN +OUT'
check 'a filter from the command line' wait_for 5 has_order 1 "$A"
keys Enter
check 'a wider ladder' shows '^ {30,}SYN-SENT|CLOSED {60,}LISTEN'
check 'every line fits' fits '40 0' 120
term resize-window -x 80 -y 24
check 'it is made smaller' wait_for 5 fits '24 0' 80
check 'and drawn anew' shows '^q quit '
check 'with fewer columns' shows '^ID STATE LOCAL '
term resize-window -x 30 -y 5
check 'too small to draw' shows 'the terminal is too sm'
term resize-window -x 120 -y 40
check 'large again' shows '^ID +STATE +.* ROLE +AGE +HS +RTT +IN +OUT'

# ---- how it ends -------------------------------------------------------------

kill -TERM "$(pgrep -P "$(term display -p '#{pane_pid}')")"
check 'TERM gives the terminal back' ended 0
top 80 24 ''
shows '^q quit ' >/dev/null
keys C-c
check 'so does Ctrl-C' ended 0

top 80 24 ''
shows "^$A +" >/dev/null
check 'the daemon stops' stop_daemon
check 'top says so' shows 'the daemon is gone; looking for it'
check 'and keeps what it knew' sees "^$A +"
start_daemon
check 'it finds the next one' wait_for 5 sees_not 'the daemon is gone'
check 'and shows that' shows '^0 conns '
stop_daemon
shows 'the daemon is gone' >/dev/null
keys q
check 'quitting without a daemon: 3' ended 3
check 'no daemon to begin with: 3' exits 3 ctl top
exec 5>&- 6>&-

# ---- what it refuses ---------------------------------------------------------

mkfifo "$TMP/ready"
python3 "$ROOT/tests/cli/fake_daemon.py" "$TMP/evil" evil >"$TMP/ready" &
EVIL=$!
read -r _ <"$TMP/ready"
open 80 24 "$TCPHSCTL -s $TMP/evil top -i 200ms"
check 'names that would steer a terminal' shows '^c1 +\?\[31mred '
check 'in the first line' shows '^tcphsd \?\]0;title\? on tcphs\?\?2J'
keys Enter
check 'and in a ladder' shows '<i>\?\[2J'
check 'the title is not theirs' test \
	"$(term display -p '#{pane_title}')" != title
keys q
check 'it ends as ever' ended 0
kill "$EVIL"

# ---- a daemon that goes in the midst of a listing ----------------------------

rm "$TMP/ready"
mkfifo "$TMP/ready"
python3 "$ROOT/tests/cli/fake_daemon.py" "$TMP/dying" dies >"$TMP/ready" &
DYING=$!
read -r _ <"$TMP/ready"
open 80 24 "$TCPHSCTL -s $TMP/dying top -i 200ms"
check 'it goes' shows 'the daemon is gone; looking for it'
wait "$DYING"
check 'what was not told whole is not shown' sees '^c44 +FIN-WAIT-2'
check 'beside what was' sees '^c41 +ESTAB'
keys 3
check 'another table has none of it' wait_for 5 sees_not '^c41 '
keys q
check 'and it ends' ended 3

start_daemon
check 'without a terminal: 2' exits 2 ctl top </dev/null
check 'for programs: 2' exits 2 ctl --json top
check 'a wrong filter: 2' eval 'open 80 24 "$TCPHSCTL -s $SOCKET top nonsense" &&
	shows "unknown word .nonsense." && ended 2'
check 'a terminal that cannot: 2' eval 'open 80 24 \
	"TERM=pigeon $TCPHSCTL -s $SOCKET top" &&
	shows "TERM does not name a terminal" && ended 2'
term kill-server
check 'stops' stop_daemon
summary
