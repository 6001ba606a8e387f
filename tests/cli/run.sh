#!/bin/bash
# run.sh - Every command of tcphsctl, and every exit code
#
# Against fake_daemon.py, which answers like tcphsd or as badly as its scene
# says. Needs no root, no network and no tcphsd. `run.sh WORD` runs the groups
# whose name has WORD. B is the build directory, TCPHSCTL a single binary.

set -u

HERE=$(dirname "$(realpath "$0")")
ROOT=$(realpath "$HERE/../..")
B=${B:-build}
case $B in /*) ;; *) B=$ROOT/$B ;; esac
CTL=${TCPHSCTL:-$B/tcphsctl}
ONLY=${1:-}
TMP=$(mktemp -d)
PASSED=0
FAILED=0
DAEMON=
trap 'end_scene; rm -rf "$TMP"' EXIT
trap 'exit 130' INT TERM

export TCPHS_SOCKET=$TMP/sock LC_ALL=C.UTF-8 XDG_RUNTIME_DIR=$TMP
unset NO_COLOR POSIXLY_CORRECT

# scene NAME: have a daemon like that, and no other.
scene()
{
	end_scene
	mkfifo "$TMP/ready"
	python3 "$HERE/fake_daemon.py" "$TCPHS_SOCKET" "$1" \
		>"$TMP/ready" 2>"$TMP/daemon.err" &
	DAEMON=$!
	read -r _ <"$TMP/ready"
	rm "$TMP/ready"
}

end_scene()
{
	if [ -n "$DAEMON" ]; then
		kill "$DAEMON"
		wait "$DAEMON" 2>/dev/null
		DAEMON=
	fi
	rm -f "$TCPHS_SOCKET"
}

ok()
{
	PASSED=$((PASSED + 1))
}

bad()
{
	FAILED=$((FAILED + 1))
	echo "FAIL $NAME: $1" >&2
	sed 's/^/  out| /' "$TMP/out" >&2
	sed 's/^/  err| /' "$TMP/err" >&2
}

# ctl CODE ARG...: run it and check how it exits. A daemon that hangs must not
# hang the test.
ctl()
{
	local want=$1

	shift
	NAME="tcphsctl $*"
	timeout 20 "$CTL" "$@" >"$TMP/out" 2>"$TMP/err" <"${STDIN:-/dev/null}"
	code_is $? "$want"
}

code_is() { if [ "$1" = "$2" ]; then ok; else bad "exit $1, not $2"; fi; }

# out TEXT, err TEXT: the last run said this, somewhere. no_out, no_err: nothing.
out() { if grep -qF -- "$1" "$TMP/out"; then ok; else bad "no '$1'"; fi; }
err() { if grep -qF -- "$1" "$TMP/err"; then ok; else bad "no '$1'"; fi; }
not_out() { if grep -qF -- "$1" "$TMP/out"; then bad "has '$1'"; else ok; fi; }
no_out() { if [ -s "$TMP/out" ]; then bad "output"; else ok; fi; }
no_err() { if [ -s "$TMP/err" ]; then bad "complaint"; else ok; fi; }

# out_is: the last run wrote exactly what comes on stdin.
out_is()
{
	if diff "$TMP/out" - >"$TMP/diff"; then
		ok
	else
		bad "$(cat "$TMP/diff")"
	fi
}

# json CODE: a Python expression over the output, d, must be true.
json()
{
	if python3 -c "import json,sys; d=json.load(open('$TMP/out'));
sys.exit(not ($1))" 2>>"$TMP/err"; then
		ok
	else
		bad "not: $1"
	fi
}

# asked TEXT: a request that the daemon got since the scene began.
asked()
{
	if grep -qF -- "$1" "$TCPHS_SOCKET.log"; then
		ok
	else
		bad "the daemon was not asked $1"
	fi
}

group_look()
{
	scene normal
	ctl 0
	out 'tcphsd  0.1.0, ready, up 3h12m'
	out 'c42  SYN-RCVD'
	no_err
	ctl 0 status
	out 'addresses  198.18.66.2  fd74:6370:6873::2'
	out 'connections  2 of 65536, 1 half-open, 1 in TIME-WAIT'
	out '12.3M of 512M'
	not_out 4711
	ctl 0 status -v
	out '4711, started 2026-01-02T03:04:05.000000Z'
	ctl 0 list state established
	asked '"filter":"state established"'
	out_is <<-'END'
	ID   STATE  LOCAL           PEER               LISTENER  ROLE      AGE      HS     RTT    IN   OUT  RETR
	c41  ESTAB  198.18.66.2:80  198.18.66.1:50112  web       server  12.4s  0.21ms  0.18ms  1.2M  3.4K     0
	END
	for alias in ls ss; do
		ctl 0 $alias
		out '[fd74:6370:6873::1]:50120'
	done
	ctl 1 list id = c999
	no_err
	ctl 0 show c41
	out 'rtt:0.18ms rttvar:0.04ms minrtt:0.10ms rto:200ms'
	out 'ts,sack,ws snd_wscale:7 rcv_wscale:7'
	out 'keepalive:2h0m'
	not_out ssthresh
	ctl 0 show c42
	not_out options
	ctl 0 show last
	ctl 0 stats
	out 'outside the receive window (RFC 9293, 3.10.7.4)'
	out 'from_the_future'
	not_out cookies_sent
	ctl 0 stats -v
	out 'SYN cookies sent'
	ctl 0 listener list
	out 'connected 198.18.66.1:50112 (2)'
	out 'waiting for client'
	ctl 0 alerts
	out_is <<-'END'
	a2   SYN flood on listener web: 5200 SYN/s, 0 % completed (12s ago, goes on)
	     meaning   Many SYNs, and most of them are never followed by the ACK that
	               completes the handshake.
	     innocent  a load test
	     do        Nothing, while cookies are on.
	a1   Port scan is over?[31m (1m0s ago)
	END
	ctl 0 alerts active
	asked '"filter":"active"'
	not_out 'a1'
	ctl 0 -v alerts
	out 'Ask whose it is.'
	ctl 0 --csv -o id,kind,source alerts
	out 'a1,port_scan,198.18.66.1'
	ctl 1 alerts host_scan
	out_is <<<'no such alert'
	ctl 1 --json alerts host_scan
	out_is <<<'[]'
	ctl 0 metrics
	out_is <<-'END'
	# HELP tcphs_up Is it?
	tcphs_up 1?
	# HELP tcphs_down Is it?
	tcphs_down 1?
	END
	ctl 0 --csv -H metrics
	out 'tcphs_up,gauge,Is it?'
	ctl 0 histogram
	out 'web  107 handshakes (3 by cookie, not timed), 1 slow'
	out ', 1 after a retransmission, 2 timeout'
	out 'p50 0.20ms'
	out 'up to 200us   #######################################'
	out '      80  76.9%'
	out 'up to 500us   ###########   '
	out 'up to 10ms                '
	out 'up to 2s      #   '
	not_out 'up to 50us'
	not_out 'up to 5s'
	not_out 'echo'
	out 'our own connections  0 handshakes, 4 refused'
	ctl 2 top
	err 'top wants a terminal'
	ctl 2 top --json
	ctl 0 histogram listener=echo
	out 'echo  0 handshakes'
	not_out 'web'
	asked '"listener":"echo"'
	ctl 0 --csv -o listener,count,p99_us histogram
	out 'web,104,300'
}

group_act()
{
	scene normal
	ctl 0 close c41
	out 'c41 closing'
	asked '"rst":false'
	ctl 0 close last
	out 'c41 closing'
	ctl 0 close c41 --rst
	out 'c41 reset'
	asked '"rst":true'
	ctl 0 kill -y state time-wait
	out 'closing 1 connection'
	asked '"method":"conn.kill","params":{"filter":"state time-wait"'
	ctl 0 kill state time-wait --yes --rst
	out 'reset 1 connection'
	ctl 1 kill -y state closing
	ctl 2 kill state time-wait
	err 'nobody to ask'
	ctl 2 kill
	ctl 2 kill ''
	err 'kill wants a filter'
	ctl 0 close --all state time-wait
	out 'closing 1 connection'
	asked '"method":"conn.kill","params":{"filter":"state time-wait","rst":false'
	ctl 0 close --all --rst state time-wait
	out 'reset 1 connection; 2 half-open or in TIME-WAIT left'
	ctl 1 close --all state closing
	out 'closing 0 connections'
	ctl 0 close --all state time-wait --json
	json 'd == {"count": 1, "skipped": 0}'
	ctl 2 close --all
	err 'close --all wants a filter'
	ctl 2 close --all ' '
	err 'tcphsctl close --all state all'
	ctl 2 close
	err "wants one CONN, or --all and a FILTER"
	ctl 2 close c41 c42
	ctl 2 stats -r
	err "'stats' takes no --resolve"
	ctl 2 list --all
	err "'list' takes no --all"
	ctl 7 drain web --timeout 200ms
	out 'listener web disabled, '
	asked 'listener.disable'
	ctl 0 drain qotd
	out 'listener qotd drained'
	ctl 7 -j drain --timeout 200ms
	json 'd["left"] > 1'
	ctl 5 drain wbe
	ctl 0 listener disable web
	out 'listener web disabled'
	asked 'listener.disable'
	ctl 0 listener enable web
	out 'listener web enabled'
	ctl 0 listener set web backlog=16 --port 81
	out 'listener web 198.18.66.2:81 enabled'
	asked '"settings":{"port":"81","backlog":"16"}'
	ctl 0 listener set echo enabled=no
	out 'listener echo 198.18.66.2:81 disabled'
	ctl 2 listener set web
	err 'KEY=VALUE'
	ctl 2 listener set web backlog
	err "'backlog' is no KEY=VALUE"
	ctl 5 listener set wbe backlog=16
	ctl 0 reload
	out reloaded
	ctl 0 log level debug
	out 'log level debug (was info)'
	ctl 0 --json reload
	json 'd == {"changed": True}'
}

# The packets of one connection as a file
group_config()
{
	scene normal
	ctl 0 config show
	out_is <<-'END'
	# What tcphsd runs with; any other key has its default

	[tcphsd]
	# only an admin sees it: seed =

	[listener.web]
	port = 80
	service = http?[31m
	END
	asked '"defaults":false'
	ctl 0 config show --defaults
	asked '"defaults":true'
	out '# What tcphsd runs with'
	out 'mtu = 1500'
	ctl 0 config show --csv -o key,value,default --defaults
	out 'mtu,1500,1500'
	ctl 0 config show --json
	json 'd[1]["section"] == "listener.web" and d[0]["hidden"]'
	ctl 1 config diff --color=never
	out_is <<-'END'
	--- running
	+++ /etc/t.conf

	[interface]
	-mtu = 1500
	+mtu = 9000  ; needs a restart

	[tcphsd]
	-user =
	+user = nobody  ; needs a restart

	[listener.web]
	-port = 80

	[listener.new]
	+port = 81
	END
	ctl 1 config diff --color=always
	out "$(printf '\033[32m+port')"
	ctl 1 config diff --raw -H -o key,running,file
	out 'user - nobody'
	ctl 1 -q config diff
	no_out
	ctl 1 config diff --json
	json 'len(d) == 4 and d[0]["restart"]'
	ctl 0 config check
	out_is <<-'END'
	/etc/t.conf: configuration is valid
	A reload would be refused: interface.mtu needs a restart
	END
	ctl 0 config check --json
	json 'd["valid"] and d["restart"] == "interface.mtu"'
	ctl 2 config
	err "'config' wants one of: show, check, diff"
	ctl 2 config shwo
	err "did you mean 'config show'?"
	ctl 2 config check /etc/other.conf
	err "'config check' takes no arguments"
	ctl 2 config diff --defaults
	err "'config diff' takes no --defaults"
	ctl 2 config show -o colour
	err 'there are: SECTION KEY VALUE DEFAULT'
	scene badconf
	ctl 1 config check
	no_out
	err '/etc/t.conf:3: no ?[31m'
	err '/etc/t.conf:9: neither'
	ctl 1 config check -j
	json 'not d["valid"] and len(d["errors"]) == 2'
	ctl 1 config diff
	err '/etc/t.conf:3: no'
	scene plain
	ctl 0 config show
	out '# What tcphsd runs with: every key has its default'
	ctl 0 config diff
	no_out
	ctl 0 config check
	out 'defaults: configuration is valid'
}

group_zero()
{
	scene normal
	ctl 0 stats
	out '1204  packets_in'
	not_out 'in the last'
	ctl 0 stats --reset-view
	out_is <<-'END'
	counting from now on; since the daemon began: tcphsctl stats --all
	END
	ctl 0 stats
	out 'in the last 0.00ms; all: tcphsctl stats --all'
	out 'nothing happened yet'
	out '1  established'
	ctl 0 stats --all
	out '1204  packets_in'
	not_out 'in the last'
	ctl 0 stats --json
	json 'd["counters"]["packets_in"] == 1204'
	ctl 0 stats --json --reset-view
	json 'd["counters"]["packets_in"] == 1204'
	# It is this user's, and of this daemon.
	XDG_RUNTIME_DIR=$TMP/other ctl 0 stats
	out '1204  packets_in'
	scene newer
	ctl 0 stats
	not_out 'in the last'
	scene normal
	mkdir "$TMP/home"
	XDG_RUNTIME_DIR='' HOME=$TMP/home ctl 0 stats --reset-view
	XDG_RUNTIME_DIR='' HOME=$TMP/home ctl 0 stats
	out 'in the last'
	XDG_RUNTIME_DIR='' HOME='' ctl 1 stats --reset-view
	err 'neither XDG_RUNTIME_DIR nor HOME is a path'
	XDG_RUNTIME_DIR='' HOME='' ctl 0 stats
	XDG_RUNTIME_DIR=/proc/nowhere ctl 1 stats --reset-view
	err 'no place to keep what was counted: /proc/nowhere'
	# What somebody else wrote there is no reason to fail.
	for junk in '' '[1]' '{"daemon":1,"stats":[]}' '{"daemon":{},"stats":{}}'; do
		printf '%s' "$junk" >"$TMP/tcphsctl/stats.${TCPHS_SOCKET//\//_}"
		ctl 0 stats
		out '1204  packets_in'
	done
	ctl 2 status --reset-view
	err "'status' takes no --reset-view"
	scene error:busy
	ctl 7 stats --reset-view
}

group_export()
{
	scene normal
	ctl 0 export c42 -w "$TMP/x.pcapng"
	out "1 packet in $TMP/x.pcapng"
	if [ "$(head -c 4 "$TMP/x.pcapng" | od -An -tx1)" = ' 0a 0d 0d 0a' ]
	then ok; else bad 'no pcapng'; fi
	ctl 0 -j export c42 -w "$TMP/x.pcapng"
	json 'd["packets"] == 1 and d["seen"] >= 1'
	ctl 2 export c42
	err 'export wants -w FILE'
	ctl 0 export c42 -f script
	out 'test c42'
	out '> S 0 '
	out 'nothing'
	ctl 0 export c42 -f json
	json 'd["kept_packets"][0]["number"] == 1'
	ctl 0 export c42 -f svg -w "$TMP/x.svg"
	if grep -q '<svg' "$TMP/x.svg"; then ok; else bad 'no picture'; fi
	ctl 2 export c42 -f crayon
	err "not 'crayon'"
	ctl 2 -j export c42 -f script
	err 'one format'
	ctl 5 export c9 -f script -w "$TMP/y.wire"
	if [ -e "$TMP/y.wire" ]; then bad 'a file of nothing'; else ok; fi
	ctl 1 export c42 -f script -w "$TMP/no/such/file"
	ctl 5 export c9 -w "$TMP/y.pcapng"
	ctl 1 export c42 -w "$TMP/no/such/file"
	err 'No such file'
	if [ -e "$TMP/y.pcapng" ]; then bad 'a file of nothing'; else ok; fi
	ctl 1 export "$TMP/no.pcap#3" -w "$TMP/y.pcapng"
	scene error:busy
	ctl 7 dump -w "$TMP/y.pcapng"
	ctl 7 capture stop -w "$TMP/y.pcapng"
	if [ -e "$TMP/y.pcapng" ]; then bad 'a file of nothing'; else ok; fi
	echo mine >"$TMP/mine"
	ctl 7 dump -w "$TMP/mine"
	if grep -q mine "$TMP/mine"; then ok; else bad 'it was mine'; fi
	: >"$TMP/mine"
	ctl 7 dump -w "$TMP/mine"
	if [ -e "$TMP/mine" ]; then ok; else bad 'it was mine'; fi
}

# What the peer says stands behind the steps of the handshake.
group_talk()
{
	NAME='connect --classic, the steps late'
	scene late
	"$CTL" connect --classic 198.18.66.1 5000 >"$TMP/out" 2>&1 </dev/null
	code_is $? 0
	out_is <<-'WORDS'
	Client: Not Connected
	[Client] Sending SYN
	[Client] Handshake completed
	Connected to Server at 198.18.66.1:5000
	Server: Hello
	[Client] Connection closed
	Server disconnected.
	WORDS

	NAME='connect --classic, the steps of a refusal late'
	scene late_refusal
	"$CTL" connect --classic 198.18.66.1 5000 >"$TMP/out" 2>&1 </dev/null
	code_is $? 20
	out_is <<-'WORDS'
	Client: Not Connected
	[Client] Sending SYN
	[Client] Handshake failed
	[Client] Connection closed
	Failed to connect to server.
	tcphsctl: 198.18.66.1:5000: refused
	WORDS
}

# On a terminal kill asks; script(1) makes one.
group_ask()
{
	local answer

	scene normal
	for answer in y:0 yes:0 n:1 :1; do
		NAME="kill, answered '${answer%:*}'"
		echo "${answer%:*}" | script -qec \
			"$CTL kill state established" /dev/null \
			>"$TMP/out" 2>"$TMP/err"
		code_is $? "${answer#*:}"
		out 'close 1 connection? [y/N]'
	done
	NAME='kill of none'
	if script -qec "$CTL kill id = c999" /dev/null >"$TMP/out" </dev/null
	then bad 'exit 0'; else ok; fi
	out 'no connection matches'
	not_out '[y/N]'
}

group_format()
{
	scene normal
	ctl 0 list --json
	json '[c["id"] for c in d] == ["c41", "c42", "c43", "c44"]'
	json 'd[0]["idle_us"] == 400000'
	ctl 1 list --json id = c999
	json 'd == []'
	ctl 0 -j
	json 'd["status"]["pid"] == 4711 and len(d["connections"]) == 4'
	for command in status 'show c41' stats; do
		# shellcheck disable=SC2086 # two words
		ctl 0 -j $command
		json 'len(d) > 4'
	done
	ctl 0 --ndjson status
	json 'd["mtu"] == 1500'
	ctl 0 --ndjson list -o id,rtt state established
	out_is <<<'{"id":"c41","rtt_us":180}'
	ctl 0 --csv -o id,peer,+bytes-in,Age list state time-wait
	out_is <<-'END'
	id,peer,bytes_in,age_us
	c43,198.18.66.1:50090,,
	END
	ctl 0 --csv -H list state time-wait -o +idle
	out_is <<<'c43,time-wait,198.18.66.2:80,198.18.66.1:50090,echo,server,,,,,,,'
	ctl 0 --tsv -o name,status listener list
	out_is <<-'END'
	name	status
	web	connected 198.18.66.1:50112 (2)
	echo	waiting for client
	qotd	disabled
	END
	ctl 0 --raw -H -o name,allow,status listener list
	out 'qotd 198.18.66.0/24,fd74:6370:6873::/64 disabled'
	out 'waiting\x20for\x20client'
	ctl 0 --raw stats
	out 'dropped.seq 3'
	ctl 0 --csv show c41
	out 'peer,198.18.66.1:50112'
	out 'tcb.timers.keepalive_us,7200000000'
	out 'tcb.options,"ts,sack,ws"'
	ctl 0 -q list
	no_out
	ctl 1 -q list id = c999
	no_out
	ctl 0 -H list state time-wait
	not_out LISTENER
	ctl 0 --color=always -o state list
	out $'\e[32mESTAB\e[0m'
	ctl 0 --color=never list
	not_out $'\e'
	ctl 2 -o nonsense list
	err 'there are: ID STATE'
	ctl 2 -o '' list
	ctl 2 -o id,,age list
	scene evil
	ctl 0 list
	not_out $'\e'
	not_out $'\u009b'
	out 'a??b?c?d'
	ctl 5 show c1
	err 'no ?]0;title?'
	ctl 0 --csv -o name,service listener list
	out '"say ""hi"", you",a b'
	ctl 0 --raw -o name,service listener list
	out 'say\x20"hi",\x20you a\x20b'
}

group_usage()
{
	scene normal
	ctl 0 --version
	out 'tcphsctl '
	ctl 0 --help
	out 'listener enable NAME'
	out '-w, --watch[=SEC]'
	NAME='help fits a terminal of 80 columns'
	if awk 'length > 80 { n++ } END { exit n }' "$TMP/out"; then ok
	else bad "$(awk 'length > 80' "$TMP/out")"; fi
	ctl 0 help kill
	out '-y, --yes'
	ctl 0 list -h
	out 'also: ls ss'
	ctl 0 help listener list
	ctl 2 help nonsense
	ctl 2 lst
	err "did you mean 'list'?"
	ctl 2 analize
	err "did you mean 'analyze'?"
	ctl 2 statsu
	err "did you mean"
	ctl 2 xyzzy
	err 'try: tcphsctl help'
	ctl 2 listener
	err 'wants one of: list, add, set, del, enable, disable'
	ctl 2 listener enabel web
	err "did you mean 'listener enable'?"
	ctl 2 log
	ctl 2 list --jsno
	err 'did you mean --json?'
	ctl 2 list -Z
	err "unknown option '-Z'"
	ctl 2 list --json=yes
	err '--json takes no argument'
	ctl 2 --socket
	err 'wants an argument'
	ctl 2 --timeout soon list
	ctl 2 --timeout 0 list
	ctl 2 --timeout -1 list
	ctl 2 --watch=0x2 list
	ctl 2 --color=blue list
	ctl 2 show
	err "'show' wants CONN"
	ctl 2 show c1 c2
	ctl 2 status now
	err "'status' takes no arguments"
	ctl 2 stats --rst
	err "'stats' takes no --rst"
	ctl 2 reload -w
	ctl 2 -y
	ctl 2 list "$(printf 'a\377b')"
	err 'not UTF-8'
	ctl 0 -H list -o id state time-wait --csv
	out_is <<<c43
	POSIXLY_CORRECT=1 ctl 0 list state time-wait -Ho id
	out_is <<<c43
	ctl 0 -- status
	ctl 2 list "$(head -c 70000 /dev/zero | tr '\0' x)"
	err 'too long'
}

group_error()
{
	local pair

	end_scene
	ctl 3 status
	err "no daemon at $TCPHS_SOCKET (is tcphsd running? try: systemctl status tcphsd)"
	: >"$TCPHS_SOCKET"
	ctl 3 status
	rm "$TCPHS_SOCKET"
	ctl 3 -s /nonexistent/dir/sock
	err /nonexistent/dir/sock
	ctl 2 -s "$(head -c 200 /dev/zero | tr '\0' x)" list
	scene normal
	ctl 2 list state estblished
	err "unknown state 'estblished' (did you mean 'established'?)"
	err '  state estblished'
	err '        ^'
	no_out
	ctl 5 show c99
	err 'no connection c99'
	ctl 5 close c99
	ctl 5 listener disable nonsense
	err 'there are: web echo qotd'
	ctl 2 log level loud
	for pair in bad_json:2 too_long:2 bad_request:2 unknown_method:6 \
		bad_filter:2 not_permitted:4 not_found:5 config:1 cancelled:1 \
		busy:7 from_the_future:1; do
		scene "error:${pair%:*}"
		ctl "${pair#*:}" reload
		err "it is ${pair%:*}"
	done
}

# root may use any socket.
group_permission()
{
	scene normal
	NAME='no right to connect'
	chmod 0755 "$TMP"
	chmod 0600 "$TCPHS_SOCKET"
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid 65534 --clear-groups -- "$CTL" status \
			>"$TMP/out" 2>"$TMP/err"
	else
		chmod 0000 "$TCPHS_SOCKET"
		"$CTL" status >"$TMP/out" 2>"$TMP/err"
	fi
	code_is $? 4
	err 'permission denied on'
	if [ "$(id -u)" = 0 ]; then
		chgrp adm "$TCPHS_SOCKET"
		chmod 0660 "$TCPHS_SOCKET"
		setpriv --reuid 65534 --clear-groups -- "$CTL" status \
			>"$TMP/out" 2>"$TMP/err"
		err "members of group 'adm' may use it"
	fi
}

group_odd_server()
{
	scene newer
	ctl 0 list
	out wondering
	out 'c8'
	out '}"{'
	not_out 'c1 '
	ctl 0 --ndjson list
	out '{"id":"c8","rtt_us":1.5,"listener":"}\"{"}'
	ctl 0 status
	out 0.9.0
	ctl 0 stats
	ctl 0 show c1
	scene proto:2
	ctl 6 list
	err 'tcphsd 7.0.0 speaks protocol 2'
	scene proto:0
	ctl 6 list
	scene noise
	ctl 6 list
	err 'is no tcphsd'
	scene array
	ctl 6 list
	scene garbage
	ctl 6 list
	err 'not JSON'
	scene baditem
	ctl 6 list
	err 'not JSON'
	ctl 6 --csv list
	err 'not JSON'
	scene endless
	ctl 6 list
	err 'does not end'
	for name in half early hangup; do
		scene $name
		ctl 3 list
		err 'the daemon is gone'
	done
	scene midlist
	ctl 3 list
	out c41
	err 'the daemon is gone'
	ctl 3 --json list
	not_out ']'
	scene full
	ctl 7 list
	err '256 clients already'
	for name in silent mute; do
		scene $name
		ctl 7 --timeout 200ms list
		err 'no answer from the daemon in 200ms'
	done
}

group_many()
{
	scene many:5000
	ctl 0 list
	NAME='lines of 5000 connections'
	if [ "$(wc -l <"$TMP/out")" = 5001 ]; then ok; else bad lines; fi
	if [ "$(sed -n 5001p "$TMP/out" | cut -c1-12)" = 'c4999  ESTAB' ]
	then ok; else bad 'last line'; fi
	ctl 0 list --json
	json 'len(d) == 5000 and d[4999]["id"] == "c4999"'
	# Nobody reads on: it ends at once and in silence, by SIGPIPE or EPIPE.
	NAME='list | head'
	"$CTL" --ndjson list 2>"$TMP/err" | head -n 2 >"$TMP/out"
	no_err
	if [ "$(wc -l <"$TMP/out")" = 2 ]; then ok; else bad lines; fi
	(trap '' PIPE; "$CTL" list 2>"$TMP/err" | head -n 1 >"$TMP/out")
	no_err
	NAME='list >/dev/full'
	"$CTL" list 2>"$TMP/err" >/dev/full
	code_is $? 1
	err 'cannot write: No space left on device'
}

group_watch()
{
	scene slow
	ctl 3 -w0.01 list
	err 'the daemon is gone'
	NAME='two passes of --watch'
	if [ "$(grep -c '^c41' "$TMP/out")" = 2 ]; then ok; else bad rows; fi
	ctl 3 --watch=0.01 --ndjson list
	if [ "$(grep -c '"c41"' "$TMP/out")" = 2 ]; then ok; else bad rows; fi
	scene error:not_permitted
	ctl 4 -w list

	# Both signals end it cleanly, while it sleeps and while it waits.
	local sig name
	for sig in INT TERM; do
		for name in normal mute; do
			scene $name
			NAME="SIG$sig during --watch, $name"
			mkfifo "$TMP/rows"
			env --default-signal=INT "$CTL" -w60 -s "$TCPHS_SOCKET" \
				list >"$TMP/rows" 2>"$TMP/err" &
			# A row, or the request in the log: it is under way.
			exec 9<"$TMP/rows"
			if [ $name = normal ]; then
				read -r _ <&9
			else
				sleep_until_asked
			fi
			kill -s $sig $!
			wait $!
			code_is $? 0
			exec 9<&-
			rm "$TMP/rows"
			no_err
		done
	done

	# A screen of 10 rows asks for no more than it can show.
	scene many:1000000
	NAME='--watch on a terminal'
	timeout 20 script -qec \
		"stty rows 10 cols 80; timeout -s INT 1 $CTL -w0.1 list" \
		/dev/null </dev/null >"$TMP/out" 2>"$TMP/err"
	out $'\e[H'
	out $'\e[Kc7 '
	not_out 'c9 '
	asked '"method":"cancel"'
	if [ "$(grep -c conn.list "$TCPHS_SOCKET.log")" -gt 2 ]; then
		ok
	else
		bad 'a pass takes too long'
	fi
}

# The mute daemon answers nothing, but logs what it is asked; by then signals are
# caught.
sleep_until_asked()
{
	local end=$((SECONDS + 10))

	while [ $SECONDS -lt $end ]; do
		if [ -s "$TCPHS_SOCKET.log" ]; then
			return
		fi
		sleep 0.02
	done
	bad 'never asked'
}

group_terminal()
{
	local cols

	scene normal
	for cols in 60 80 100 120 160; do
		script -qec "stty cols $cols; export NO_COLOR=1; $CTL; $CTL show c41; $CTL -v stats" \
			/dev/null </dev/null >"$TMP/out" 2>"$TMP/err"
		NAME="width on $cols columns"
		if [ "$(tr -d '\r' <"$TMP/out" | wc -L)" -le $((cols < 75 ? 75 : cols)) ]
		then ok; else bad "wider"; fi
		out 'PEER'
	done
	NAME='colour on a terminal'
	script -qec "TERM=xterm $CTL list" /dev/null </dev/null >"$TMP/out"
	out $'\e[32mESTAB'
	script -qec "NO_COLOR=1 TERM=xterm $CTL list" /dev/null </dev/null \
		>"$TMP/out"
	not_out $'\e'
	script -qec "TERM=dumb $CTL list" /dev/null </dev/null >"$TMP/out"
	not_out $'\e'
}

# A diagram, and what may go wrong on its way.
group_ladder()
{
	scene normal
	ctl 0 ladder c42
	out 'SYN-SENT     -- SYN seq=0 win=64240 --------> SYN-RECEIVED'
	out 'verdict: open: not decided yet'
	asked '"method":"conn.packets","params":{"conn":"c42"}'
	COLUMNS=120 ctl 0 ladder c42
	out 'SYN-SENT     -- SYN seq=0 win=64240 ---'
	ctl 0 ladder --utc --absolute-seq c42
	out '03:04:05.000041'
	out 'SYN seq=1000'
	TZ=UTC-5:30 ctl 0 ladder --local c42
	out '08:34:05.000041'
	ctl 0 ladder --at 1 c42
	out 'packet 1, received, 40 bytes'
	ctl 0 --json ladder c42
	json 'd["id"] == "c42" and d["kept_packets"][0]["number"] == 1'
	ctl 0 -q ladder c42
	no_out
	for format in text svg mermaid html; do
		ctl 0 ladder c42 -f $format
		out 'SYN seq=0'
	done
	ctl 2 ladder c42 -f crayon
	err "not 'crayon'"
	ctl 2 ladder c42 -f
	ctl 2 ladder c42 --utc --local
	ctl 2 ladder c42 --relative-seq --absolute-seq
	ctl 2 ladder c42 --at nine
	ctl 2 ladder
	ctl 2 list --at 9
	ctl 5 ladder c43
	scene evil
	for format in text svg mermaid html; do
		ctl 0 ladder c42 -f $format
		not_out $'\e'
		not_out $'\a'
		out 'dropped'
	done
	not_out '<b>'
	not_out '<i>'
}

# harmless: nothing of the last run would steer a terminal. (JSON in a pipe may
# have C1 and DEL, which are characters there as any other.)
harmless()
{
	local bad='[\x00-\x1f\x7f]|\xc2[\x80-\x9f]'

	case $NAME in *json*) bad='[\x00-\x1f]' ;; esac
	if cat "$TMP/out" "$TMP/err" | tr -d '\n\t' |
		grep -aqP "$bad"; then
		bad 'a control character'
	else
		ok
	fi
}

# Every command that shows what a daemon says, in every format.
group_poison()
{
	local line format

	scene poison
	while read -r line; do
		for format in '' --json --ndjson --csv --tsv --raw; do
			# shellcheck disable=SC2086
			ctl 0 $format $line
			harmless
		done
	done <<-'END'
	status
	list
	recent
	show c41
	explain c42
	ladder c42
	stats
	histogram
	events
	alerts
	alerts -v
	metrics
	report
	report --security
	listener list
	listener add x --port 1 --service echo
	listener del x
	listener enable x
	listener disable x
	close c41
	kill -y state all
	capture start
	capture stop
	capture list
	reload
	log level info
	END
	for format in svg mermaid html; do
		ctl 0 ladder c42 -f $format
		harmless
		not_out '<script>'
	done
	for line in report 'report --security'; do
		# shellcheck disable=SC2086
		ctl 0 $line -f html
		harmless
		not_out '<script>'
	done
}

# Words are explained where no daemon is.
group_explain()
{
	scene normal
	end_scene
	ctl 0 explain refused
	out 'refused, as server'
	out 'refused, as client'
	out 'Client saw      "Connection refused" at once'
	ctl 0 explain --json paws
	json 'd["clause"] == "RFC 7323, 5.3" and d["entries"] == []'
	ctl 0 explain --json timeout_ack
	json '"MUST-23" in d["entries"][0]["rule"]'
	ctl 2 explain
	ctl 2 explain refused --last
	ctl 3 explain c42
	ctl 3 explain --last-failed
	ctl 5 explain refussed
	err "did you mean 'refused'?"
}

group_completion()
{
	local shell

	scene normal
	end_scene
	for shell in bash zsh fish; do
		ctl 0 completion $shell
		for word in status list show stats listener close kill reload \
			log completion help; do
			out $word
		done
	done
	ctl 2 completion csh
	scene normal
	complete_is 'tcphsctl sta' 'status stats'
	complete_is 'tcphsctl listener ' 'list add set del enable disable'
	complete_is 'tcphsctl listener enable ' 'web echo qotd'
	complete_is 'tcphsctl -s /x list state estab' 'established'
	complete_is 'tcphsctl ls spo' 'sport'
	complete_is 'tcphsctl close --all lis' 'listener'
	complete_is 'tcphsctl --js' '--json'
	complete_is 'tcphsctl --color ne' 'never'
	complete_is 'tcphsctl log level de' 'debug'
	complete_is 'tcphsctl completion z' 'zsh'
	mkdir "$TMP/hostile"
	: >"$TMP/hostile/a \$(touch obeyed).pcap"
	complete_is 'tcphsctl report ' 'a $(touch obeyed).pcap' "$TMP/hostile"
	complete_is 'tcphsctl -s a' 'a $(touch obeyed).pcap' "$TMP/hostile"
	NAME='the name of a file is no command'
	if [ -e "$TMP/hostile/obeyed" ]; then bad 'it was run'; else ok; fi
}

# complete_is LINE WORDS [DIRECTORY]: what bash offers at the end of the line
complete_is()
{
	NAME="completion of '$1'"
	: >"$TMP/err"
	PATH=$(dirname "$CTL"):$PATH bash -c '
		eval "$(tcphsctl completion bash)"
		cd "$2" || exit
		IFS=" " read -ra COMP_WORDS <<<"$1"
		[[ $1 == *" " ]] && COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_tcphsctl
		echo "${COMPREPLY[*]}"' _ "$1" "${3:-.}" >"$TMP/out" 2>"$TMP/err"
	out_is <<<"$2"
}

for group in look act config zero export talk ask format usage error permission odd_server many watch \
	terminal ladder poison explain completion; do
	case $group in
	*"$ONLY"*) group_$group ;;
	esac
done

echo "cli: $PASSED passed, $FAILED failed"
[ $FAILED = 0 ] && [ $PASSED -gt 0 ]
