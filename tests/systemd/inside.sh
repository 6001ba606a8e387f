#!/bin/bash
# inside.sh - What is checked inside the container that run.sh boots
#
# Conditions are polled with a deadline, never slept for.
# shellcheck disable=SC2317 # functions are called by check
set -u
export LC_ALL=C TERM=dumb SYSTEMD_PAGER=

SOCKET=/run/tcphsd/control.sock
CONF=/etc/tcphsd/tcphsd.conf
OUT=/run/tcphs-test
PASSED=0
FAILED=0

check()
{
	local name=$1

	shift
	if "$@" >"$OUT" 2>&1; then
		PASSED=$((PASSED + 1))
		echo "ok   $name"
		return 0
	fi
	FAILED=$((FAILED + 1))
	echo "FAIL $name"
	echo "     $*"
	tail -n 12 "$OUT" | sed 's/^/     | /'
	journalctl -u tcphsd -n 8 --no-pager -o cat | sed 's/^/     log: /'
	return 1
}

summary()
{
	echo "systemd: $PASSED passed, $FAILED failed"
	exit
}

wait_for()
{
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))

	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.1
	done
}

exits()
{
	local want=$1 got

	shift
	"$@"
	got=$?
	[ "$got" = "$want" ] && return
	echo "wanted exit code $want, got $got"
	return 1
}

prop()
{
	systemctl show -P "$1" tcphsd
}

prop_is()
{
	local got

	got=$(prop "$1")
	echo "$1=$got"
	[[ $got =~ $2 ]]
}

# as USER COMMAND...: with the user's own groups, as after a login.
as()
{
	local user=$1

	shift
	setpriv --reuid "$user" --regid "$user" --init-groups \
		--inh-caps=-all -- "$@"
}

page()
{
	curl -sS --max-time 5 -g "http://$1/" | grep tcphsd
}

echoes()
{
	[ "$(echo "to port $1" | timeout 5 nc -N 198.18.66.2 "$1")" = \
		"to port $1" ]
}

process_has()
{
	grep -E "$1" "/proc/$(prop MainPID)/status"
}

# A record of the event $1 that matches all other arguments, in JSON.
journal_has()
{
	local event=$1 pattern records

	shift
	records=$(journalctl -u tcphsd "TCPHS_EVENT=$event" -o json --no-pager)
	for pattern; do
		records=$(grep -E -- "$pattern" <<<"$records") || {
			echo "no $event with $pattern"
			return 1
		}
	done
}

log_has()
{
	journalctl -u tcphsd -o cat --no-pager | grep -E -- "$1"
}

restarted()
{
	local pid

	pid=$(prop MainPID)
	[ "$pid" != 0 ] && [ "$pid" != "$1" ] && prop_is ActiveState '^active$'
}

no_interface()
{
	! ip link show tcphs0 2>/dev/null
}

# What a package does when it is installed, and three people.
systemd-sysusers 2>"$OUT"
systemd-tmpfiles --create /usr/lib/tmpfiles.d/tcphsd.conf
systemd-sysusers - 2>"$OUT" <<-EOF
	u alice -
	u bob -
	u mallory -
	m alice tcphs
	m bob tcphs-view
EOF

check 'the catalogue is understood' \
	bash -c '! journalctl --update-catalog 2>&1 | grep -i tcphs'

check 'exposure is below 2.0' \
	systemd-analyze security --threshold=20 --offline=true \
	/usr/lib/systemd/system/tcphsd.service
check 'the unit file is understood to the last line' \
	bash -c '! systemd-analyze verify --man=no tcphsd.service 2>&1 |
		grep tcphsd'

check 'starts' systemctl start tcphsd || summary
check 'is active when start returns' prop_is ActiveState '^active$'
check 'says what it does in its status' \
	prop_is StatusText '^ready, [0-9]+ listeners, 0 connections$'
check 'answers ping' ping -c 1 -W 5 198.18.66.2
check 'shows its page' page 198.18.66.2
check 'shows its page by IPv6' page '[fd74:6370:6873::2]'
check 'echoes' echoes 7

check 'runs as user tcphs' \
	process_has "^Uid:[[:space:]]$(id -u tcphs)[[:space:]]"
check 'has no effective capability' process_has '^CapEff:[[:space:]]0+$'
check 'has no permitted capability' process_has '^CapPrm:[[:space:]]0+$'
check 'has no ambient capability' process_has '^CapAmb:[[:space:]]0+$'
check 'can gain no privilege' process_has '^NoNewPrivs:[[:space:]]1$'
check 'has a filter of system calls' process_has '^Seccomp:[[:space:]]2$'

check 'a member of tcphs may list' as alice tcphsctl list
check 'a member of tcphs may reload' as alice tcphsctl reload
check 'a member of tcphs-view may list' as bob tcphsctl list
check 'a member of tcphs-view may not act' \
	exits 4 as bob tcphsctl listener disable echo
check 'a stranger is refused' exits 4 as mallory tcphsctl list

captures()
{
	tcphsctl capture start && echoes 7 &&
		tcphsctl capture stop -w "$OUT.pcapng" &&
		ls -l /var/lib/tcphsd &&
		cmp "$OUT.pcapng" /var/lib/tcphsd/capture-*.pcapng
}
check 'captures to its state directory' captures

check 'the journal has the SYN in the classic words' \
	journal_has syn.received \
	'"MESSAGE" ?: ?"\[Server\] Received SYN, sending SYN-ACK"' \
	'"PRIORITY" ?: ?"6"' '"TCPHS_PEER_ADDR" ?: ?"198.18.66.1"' \
	'"TCPHS_LOCAL_PORT" ?: ?"7"' '"TCPHS_FLAGS" ?: ?"S' \
	'"TCPHS_CONN" ?: ?"c[0-9]+"' '"_SYSTEMD_UNIT" ?: ?"tcphsd.service"'
check 'the journal has the handshake in the classic words' \
	journal_has handshake.completed \
	'"MESSAGE" ?: ?"\[Server\] Received ACK, handshake completed"' \
	'"TCPHS_HS_US" ?: ?"[0-9]+"' '"TCPHS_ROLE" ?: ?"server"'
check 'the journal has the end of a connection' \
	journal_has conn.closed \
	'"MESSAGE" ?: ?"\[Server\] Connection closed \(FIN-ACK complete\)"'

check 'journalctl -x explains it' \
	bash -c 'journalctl -u tcphsd TCPHS_EVENT=syn.received -x --no-pager |
		grep -q "A client asks for a connection"'
check 'with the addresses of this one' \
	bash -c 'journalctl -u tcphsd TCPHS_EVENT=conn.closed -x --no-pager |
		grep -Eq "Connection c[0-9]+ between our 198.18.66.2, port 7, and 198.18.66.1"'
check 'and the daemon tells of itself' \
	journal_has daemon.ready '"MESSAGE" ?: ?"Ready on tcphs0' \
	'"MESSAGE_ID" ?: ?"[0-9a-f]{32}"'

cp "$CONF" "$CONF.good"
cat >>"$CONF" <<-EOF

	[listener.extra]
	service = echo
	port = 9999
EOF
check 'reloads' systemctl reload tcphsd
check 'the new listener answers' wait_for 10 echoes 9999
pid=$(prop MainPID)
echo 'nonsense = yes' >>"$CONF"
check 'a wrong file is reloaded without an end' systemctl reload tcphsd
check 'the status says that it was refused' \
	wait_for 10 prop_is StatusText 'configuration was refused'
check 'the log says which line is wrong' log_has 'tcphsd.conf:[0-9]+: '
check 'nothing else changed' echoes 9999
check 'it is the same process' prop_is MainPID "^$pid\$"
cp "$CONF.good" "$CONF"
check 'the good file is taken again' systemctl reload tcphsd
check 'the status is good again' \
	wait_for 10 prop_is StatusText '^ready, [0-9]+ listeners, '

pid=$(prop MainPID)
kill -s KILL "$pid"
check 'comes back after KILL' wait_for 20 restarted "$pid"
check 'and answers again' wait_for 10 echoes 7

mkdir -p /run/systemd/system/tcphsd.service.d
printf '[Service]\nWatchdogSec=2\n' \
	>/run/systemd/system/tcphsd.service.d/watchdog.conf
systemctl daemon-reload
check 'restarts' systemctl restart tcphsd
pid=$(prop MainPID)
kill -s STOP "$pid"
check 'is killed and comes back when it hangs' wait_for 30 restarted "$pid"
check 'the watchdog did it' log_has '[Ww]atchdog timeout'
check 'and answers again' wait_for 10 echoes 7
pid=$(prop MainPID)
# Twice the watchdog's time: a daemon that fed it once and then forgot is dead.
started=$(prop WatchdogTimestampMonotonic)
check 'the watchdog is fed' wait_for 10 bash -c \
	"[ \$(systemctl show -P WatchdogTimestampMonotonic tcphsd) -gt \
		$((started + 3000000)) ]"
check 'by the same process' prop_is MainPID "^$pid\$"

timeout 60 nc -d 198.18.66.2 7 &
client=$!
check 'a client is served' wait_for 10 prop_is StatusText ' 1 connection$'
check 'stops' systemctl stop tcphsd
check 'successfully' prop_is Result '^success$'
check 'the client is told' wait_for 10 test ! -d "/proc/$client"
check 'the interface is gone' no_interface
check 'the socket is gone' test ! -e "$SOCKET"

echo 'nonsense = yes' >>"$CONF"
check 'a wrong configuration does not start' exits 1 systemctl start tcphsd
check 'exit code 78 tells why' prop_is ExecMainStatus '^78$'
check 'and it is not tried again' prop_is NRestarts '^0$'
check 'no interface was made' no_interface
cp "$CONF.good" "$CONF"

# of_threads REGEX: a line of /proc/PID/status that each thread must have.
of_threads()
{
	local task

	for task in /proc/"$(prop MainPID)"/task/*; do
		grep -E "$1" "$task/status" || return 1
	done
}

# deals HOW: two threads serve whoever comes, and their packets are dealt by our
# program (true) or not.
deals()
{
	local i

	for ((i = 0; i < 16; i++)); do
		echoes 7 || return 1
	done
	tcphsctl --json status >"$OUT.status"
	jq -e ".threads == 2 and .steered == $1" "$OUT.status"
}

systemctl reset-failed tcphsd
sed -i 's/^threads .*/threads = 2/' "$CONF"
check 'starts with two threads' systemctl start tcphsd
check 'and has the kernel deal as it wants' deals true
for set in Eff Prm Amb; do
	check "no thread has kept a capability (Cap$set)" \
		of_threads "^Cap$set:[[:space:]]0+\$"
done
check 'each is in the filter of system calls' \
	of_threads '^Seccomp:[[:space:]]2$'
check 'stops with two threads' systemctl stop tcphsd
# Here and there everybody may load a program.
everybody=$([ "$(cat /proc/sys/kernel/unprivileged_bpf_disabled)" = 0 ] &&
	echo true || echo false)
cat >/run/systemd/system/tcphsd.service.d/threads.conf <<-EOF
	[Service]
	AmbientCapabilities=
	AmbientCapabilities=CAP_NET_ADMIN
	CapabilityBoundingSet=
	CapabilityBoundingSet=CAP_NET_ADMIN
EOF
systemctl daemon-reload
check 'starts without the right to load a program' systemctl start tcphsd
check 'and serves all the same' deals "$everybody"
check 'the log says so' [ "$everybody" = \
	"$(log_has "deals packets in the kernel's own way" >"$OUT.log" &&
		echo false || echo true)" ]
check 'stops again without' systemctl stop tcphsd
cp "$CONF.good" "$CONF"

# Managers of networks must leave the interface alone.
check 'starts once more' systemctl start tcphsd
check 'systemd-networkd starts beside it' systemctl start systemd-networkd
check 'and leaves the interface alone' \
	wait_for 20 bash -c 'networkctl list tcphs0 | grep -w unmanaged'
check 'the address is still there' ip -o addr show to 198.18.66.1 dev tcphs0
check 'and answers' echoes 7
check 'stops again' systemctl stop tcphsd

summary
