#!/bin/bash
# goodput.sh - tcphsd beside kernel TCP over the same bad network
#
#	goodput.sh [--smoke] [JSON]
#
# The relay of the end-to-end tests stands between a client and two servers with
# the same services: tcphsd on its TUN and the kernel's TCP (kernel_peer.c).
# Both send, and both receive from the same kind of client, over the same path
# with the same seed, one right after the other; a relay gives the Nth packet of
# each flow the same fate whoever sent it. The table has the median of these
# ratios (goodput_report.py). All of the kernel's senders use CUBIC, and its
# buffers may grow as far as ours.
#
# What is lost leaves a flow a small part of the path, and how much depends on
# when its first losses come: if its SYN is lost, a whole second. There several
# flows at once, each of which meets losses of its own, say more than one could;
# the figure is that of all, from a second after the last one was open, or from
# when they have come down from where slow start led them. At 1 Gbit/s a flow
# meets no more than two or three losses a second, or bursts of them: these turns
# last longer, with so many flows that they do not fill the path.
#
# The relay is the path, and what it is late with would be the path's doing. So
# it runs before anything else; and so does tcphsd, for the kernel's TCP has no
# process of its own: it works in whatever brings a packet, which is the relay.
# A turn in which the machine stood still all the same is had again.
#
# Then two flows share a path without losses of its own: two of ours, two of the
# kernel's, for 8 s and 20 s, and one of each, which are not looked at before
# that and then for twice as long: what the first slow start left to whom takes
# as many round trips to even out.
#
# The queue holds what the path takes in a round trip. What is late comes a fifth
# of the way later than what it left with; bursts are ten packets of a flow on
# average, and a round trip at most: else who has lost all that was in flight
# sends into the same burst, a time-out for each packet of it.
#
#	SEEDS=3			turns of each row
#	SECONDS_EACH=3		of one turn
#	ROWS=REGEX		only these, named PATH:WHAT:WAY, as 1G:burst:up
E2E_JUDGE=0
SELF_CHECK=no
. "$(dirname "$0")/../e2e/lib.sh"

SMOKE=
[ "${1:-}" = --smoke ] && SMOKE=1 && shift
JSON=${1:-}
SEEDS=${SEEDS:-${SMOKE:+1}}
SEEDS=${SEEDS:-3}
SECONDS_EACH=${SECONDS_EACH:-${SMOKE:+0.5}}
SECONDS_EACH=${SECONDS_EACH:-3}
ROWS=${ROWS:-${SMOKE:+^100M:(none|late|both):}}
ROWS=${ROWS:-.}
BIN=$B/tests/bench
RESULTS=$TMP/results
BUFFER=67108864
LATE_US_MAX=20000
TRIES=4
: >"$RESULTS"

# path: bits a second, one-way delay in us, queue in bytes, what late means in us
PATHS='100M:100000000:10000:250000:2000 1G:1000000000:25000:6250000:5000'
# impairment: relay's options
IMPAIRMENTS='none: 0.1%:-fl1000 1%:-fl10000 3%:-fl30000 burst:-fb1000:100000 late:-r50000'

start_servers()
{
	write_conf <<-CONF
		[limits]
		memory          = 2GiB
		rcvbuf_max      = 64MiB
		sndbuf          = 64MiB
		[tcp]
		window_scale    = 10
		[log]
		handshakes      = no
		[listener.discard]
		port            = 9
		service         = discard
		allow           = any
		[listener.chargen]
		port            = 19
		service         = chargen
		allow           = any
	CONF
	start_daemon || return 1
	buffers
	"$BIN/kernel_peer" >"$TMP/kernel.log" 2>&1 &
	PEER=$!
	wait_for 10 grep -q ready "$TMP/kernel.log" && punctual "$DAEMON"
}

# punctual PID: when it has something to do, it does it, where root may say so.
punctual()
{
	chrt --fifo --all-tasks --pid 1 "$1" >"$TMP/chrt" 2>&1 || true
}

# buffers: as large as ours, and nothing remembered of an earlier turn.
buffers()
{
	"$@" sysctl -qw net.ipv4.tcp_no_metrics_save=1 \
		net.ipv4.tcp_rmem="4096 131072 $BUFFER" \
		net.ipv4.tcp_wmem="4096 65536 $BUFFER"
}

# path SEED RATE DELAY QUEUE [OPTION...]: a relay, and CUBIC on all routes.
path()
{
	local seed=$1 rate=$2 delay=$3 queue=$4

	shift 4
	start_relay -s "$seed" -R "$rate" -d "$delay" -q "$queue" "$@" &&
		punctual "$RELAY" &&
		buffers in_client &&
		ip route replace "$CLIENT4/32" dev relay0 src "$HOST4" \
			congctl cubic &&
		in_client ip route replace "$OWN4" dev path0 congctl cubic &&
		in_client ip route replace "$HOST4" dev path0 congctl cubic
}

address()
{
	[ "$1" = tcphs ] && echo "$OWN4" || echo "$HOST4"
}

# load OUT DIRECTION SUBJECT SECONDS FLOWS [WARM]: from the first SYN on, or from
# WARM seconds after the last one was answered.
load()
{
	in_client timeout 120 "$BIN/load" "$2" "$(address "$3")" -t "$4" \
		-n "$5" -w "${6:-0}" >"$TMP/$1" 2>"$TMP/$1.err"
}

# leave: with what the client still wanted to send, or the next turn had it.
#
# Return: false if the relay was so late that the path was another one
leave()
{
	local late_us

	stop_relay
	ip netns delete client
	late_us=$(sed -n 's/^latest: \([0-9]*\) us$/\1/p' "$RELAYED")
	[ "$late_us" -lt "$LATE_US_MAX" ]
}

# keep PATH WHAT DIRECTION SUBJECT SEED OUT
keep()
{
	local json value=

	json=$(cat "$TMP/$6")
	[[ $json =~ \"gbit_per_second\":([0-9.]+) ]] && value=${BASH_REMATCH[1]}
	if [[ $value != *[1-9]* ]]; then
		fail "$1 $2 $3 $4" "nothing arrived: $json" ||
			tail -n 3 "$TMP/$6.err"
		return
	fi
	if [ -n "$SMOKE" ]; then
		pass "$1 $2 $3 $4: $value Gbit/s"
	else
		PASSED=$((PASSED + 1))
	fi
	printf '{"path":"%s","row":"%s","way":"%s","subject":"%s",' \
		"$1" "$2" "$3" "$4" >>"$RESULTS"
	printf '"seed":%s,"result":%s}\n' "$5" "$json" >>"$RESULTS"
}

wanted()
{
	[[ $1 =~ $ROWS ]] || return 1
	[ -n "$SMOKE" ] || [ ! -t 2 ] || printf '\r\e[K%s' "$1" >&2
}

# times N: as long as N turns.
times()
{
	awk "BEGIN { print $1 * $SECONDS_EACH }"
}

# turn PATH WHAT: seconds, flows that do not get into each other's way, and for
# how long they are not looked at.
turn()
{
	case $1:$2 in
	*:none | *:late) echo "$SECONDS_EACH" 1 0 ;;
	100M:two) echo "$(times 2)" 2 0 ;;
	1G:two) echo "$(times 5)" 2 0 ;;
	100M:0.1%) echo "$SECONDS_EACH" 2 1 ;;
	100M:burst) echo "$(times 4)" 3 1 ;;
	100M:*) echo "$SECONDS_EACH" 8 1 ;;
	1G:0.1%) echo "$(times 2)" 24 4 ;;
	1G:burst) echo "$(times 4)" 48 4 ;;
	1G:*) echo "$(times 4)" 96 4 ;;
	esac
}

# once PATH WHAT WAY SUBJECT SEED RATE DELAY QUEUE [OPTION...]: one turn.
once()
{
	local try

	for ((try = 1; try <= TRIES; try++)); do
		path "${@:5}" || fail "$2"
		# shellcheck disable=SC2046
		load one "$3" "$4" $(turn "$1" "$2")
		leave && break
	done
}

# alone SEED PATH RATE DELAY QUEUE LATE: each impairment.
alone()
{
	local seed=$1 name=$2 late=$6 what options way subject
	local -a way_of=("$1" "$3" "$4" "$5")

	for what in $IMPAIRMENTS; do
		options=${what#*:}
		what=${what%%:*}
		[ "$what" != late ] || options+=:$late
		[ "$what" != burst ] || options+=" -B$((2 * $4))"
		for way in down up; do
			wanted "$name:$what:$way" || continue
			for subject in tcphs kernel; do
				# shellcheck disable=SC2086
				once "$name" "$what" "$way" "$subject" \
					"${way_of[@]}" $options
				keep "$name" "$what" "$way" "$subject" \
					"$seed" one
			done
		done
	done
}

# beside WARM SECONDS SEED RATE DELAY QUEUE: one of each, into ours and theirs.
beside()
{
	local warm=$1 seconds=$2 try first

	for ((try = 1; try <= TRIES; try++)); do
		path "${@:3}" || fail both
		load ours down tcphs "$seconds" 1 "$warm" &
		first=$!
		load theirs down kernel "$seconds" 1 "$warm"
		wait "$first"
		leave && break
	done
}

# shared SEED PATH RATE DELAY QUEUE LATE: two flows of one, and one of each.
shared()
{
	local seed=$1 name=$2 subject
	local -a way_of=("$1" "$3" "$4" "$5")

	for subject in tcphs kernel; do
		wanted "$name:two:down" || continue
		once "$name" two down "$subject" "${way_of[@]}"
		keep "$name" two down "$subject" "$seed" one
	done
	wanted "$name:both:down" || return 0
	beside "$(times "2 * $4 / 10000")" "$(times "4 * $4 / 10000")" \
		"${way_of[@]}"
	keep "$name" both down tcphs "$seed" ours
	keep "$name" both down kernel "$seed" theirs
}

# first_in_line NICE: of all processes here, and of this session where Linux
# weighs sessions and not processes (sched_autogroup_enabled). Whatever else the
# machine does would be a part of the path.
first_in_line()
{
	renice -n "$1" -p $$ >"$TMP/renice" 2>&1
	[ ! -w /proc/$$/autogroup ] || echo "$1" >/proc/$$/autogroup
}

first_in_line -19
trap 'first_in_line 0' EXIT
start_servers || summary
for ((seed = 1; seed <= SEEDS; seed++)); do
	for where in $PATHS; do
		# shellcheck disable=SC2086
		alone "$seed" ${where//:/ }
		# shellcheck disable=SC2086
		shared "$seed" ${where//:/ }
	done
done
[ -n "$SMOKE" ] || [ ! -t 2 ] || printf '\r\e[K' >&2
kill "$PEER"
stop_daemon >"$TMP/stop"
"$ROOT/tests/bench/goodput_report.py" "$RESULTS" ${JSON:+"$JSON"} ||
	fail 'the table'
summary
