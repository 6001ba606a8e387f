#!/bin/bash
# daemon.sh - How the daemon starts, refuses to, reads its file again and ends
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

ME=$(realpath "$TCPHSD")

# refused CODE REGEX [ARG...]: tcphsd must end by itself with that exit code
# and say one thing only, which matches.
refused()
{
	local code=$1 words=$2

	shift 2
	refused_by "$code" "$words" "$ME" --foreground \
		${THREADS:+-D "stack.threads=$THREADS"} "$@"
}

# The same for another way to call it.
refused_by()
{
	local code=$1 words=$2 got=0

	shift 2
	timeout 10 "$@" >"$TMP/refused" 2>&1 || got=$?
	cat "$TMP/refused"
	same "exit code $code" "exit code $got" || return 1
	same '1 line' "$(wc -l <"$TMP/refused") line" || return 1
	grep -Eq -- "$words" "$TMP/refused" || {
		echo "wanted: $words"
		return 1
	}
}

no_interface()
{
	! ip link show "$IFACE" 2>/dev/null
}

no_trace()
{
	no_interface && test ! -e "$SOCKET"
}

status_of()
{
	grep "^$1:" "/proc/$DAEMON/status" | cut -f 2-
}

echoes()
{
	same hello "$(echo hello | timeout 5 nc -N "$1" "${2:-7}")"
}

# --- command line -----------------------------------------------------------

check 'version' same 'tcphsd 0' "$("$ME" -V | cut -d. -f1)"
check 'help is no error' exits 0 "$ME" -h
check 'unknown option is 64' exits 64 "$ME" --nonsense
check 'argument too many is 64' exits 64 "$ME" start
check 'unknown level is 64' exits 64 "$ME" --log-level loud
check '-D without = is 64' exits 64 "$ME" -D interface.mtu
check '-t takes the defaults of the repository' \
	exits 0 "$ME" -t -c "$ROOT/conf/tcphsd.conf"
check '-t leaves nothing behind' no_trace
printf '[interface]\nmtuu = 1500\n' >"$TMP/wrong.conf"
check '-t names file, line and nearest key' \
	refused_by 78 'wrong\.conf:2: .*mtuu.*mtu' "$ME" -t -c "$TMP/wrong.conf"

# --- refusals ---------------------------------------------------------------

check 'wrong configuration is 78' \
	refused 78 'wrong\.conf:2: ' -c "$TMP/wrong.conf"
check 'missing configuration is 78' refused 78 'none\.conf' -c "$TMP/none.conf"
check 'wrong -D is 78' refused 78 'interface\.mtu' -D interface.mtu=10
check 'unknown user is 78' refused 78 "no user 'nobody-at-all'" \
	-D tcphsd.user=nobody-at-all

ip link add "$IFACE" type veth peer name peer0
check 'name taken by another interface is 71' \
	refused 71 "name $IFACE is taken by an interface that is no"
ip link del "$IFACE"

ip link add other type veth peer name peer1
ip link set peer1 up
ip addr add 198.18.0.1/15 dev other
ip link set other up
check 'route that covers ours is 71' \
	refused 71 'overlap the route 198\.18\.0\.0/15 dev other'
check 'and no interface is left' no_trace
ip addr flush dev other
ip addr add 198.18.66.200/32 dev other
check 'address of the host inside ours is 71' \
	refused 71 'overlap the route 198\.18\.66\.200/32 dev other'
ip addr flush dev other
ip -6 addr add fd74:6370::1/32 dev other nodad
check 'route that covers ours by IPv6 is 71' \
	refused 71 'overlap the route fd74:6370::/32 dev other'
ip -6 addr flush dev other
ip route add 0.0.0.0/1 dev other
check 'half a default route is none of ours' start_daemon
check 'stops' stop_daemon
ip link del other

# Somebody who is not root, with the device open to all and to nobody.
install -m 0755 "$ME" "$TMP/tcphsd"
mkdir -m 0777 "$TMP/open"
mknod -m 0666 "$TMP/tun" c 10 200
mount --bind "$TMP/tun" /dev/net/tun
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all
	"$TMP/tcphsd" --foreground -D "control.socket=$TMP/open/s")
check 'no right to make an interface is 77' \
	refused_by 77 'CAP_NET_ADMIN is missing' "${nobody[@]}"
chmod 0600 "$TMP/tun"
check 'no right to open the device is 77' \
	refused_by 77 'no right to open /dev/net/tun \(mode 0600, owner 0\)' \
	"${nobody[@]}"
check 'no right to the directory is 77' \
	refused_by 77 'Permission denied' setpriv --reuid 65534 --regid 65534 \
	--clear-groups --inh-caps=-all "$TMP/tcphsd" --foreground
umount /dev/net/tun
mknod -m 0666 "$TMP/nothing" c 10 254
mount --bind "$TMP/nothing" /dev/net/tun
check 'no tun device is 71' \
	refused 71 'there is no tun device: /dev/net/tun: '
umount /dev/net/tun

# --- start ------------------------------------------------------------------

check 'starts on the defaults' start_daemon
check 'answers ping' ping -c 1 -W 5 "$OWN4"
check 'answers ping by IPv6' ping -c 1 -W 5 "$OWN6"
check 'echoes' echoes "$OWN4"
check 'echoes by IPv6' echoes "$OWN6"
check 'log has the classic lines' log_has \
	'^[0-9:]{8}\.[0-9]{6} c[0-9]+ \[Server\] Received SYN, sending SYN-ACK  198\.18\.66\.1:[0-9]+ -> :7$'
check 'and the end of the handshake' log_has \
	'c[0-9]+ \[Server\] Received ACK, handshake completed  '
check 'MTU and queue are set' bash -c \
	"ip -o link show $IFACE | grep ' mtu 1500 .* qlen 10000'"
check 'no address is invented' \
	same '' "$(ip -6 -o addr show dev "$IFACE" scope link)"
check 'no effective capability is left' \
	same 0000000000000000 "$(status_of CapEff)"
check 'no permitted capability is left' \
	same 0000000000000000 "$(status_of CapPrm)"
check 'none can be had again' same 0000000000000000 "$(status_of CapBnd)"
check 'no new privileges' same 1 "$(status_of NoNewPrivs)"
case $B in
*asan*) ;;
*) check 'system calls are filtered' same 2 "$(status_of Seccomp)" ;;
esac
check 'a second instance is 71' refused 71 'another tcphsd answers' \
	-D interface.name=tcphs1
check 'a second instance on the same interface is 71' \
	refused 71 "interface $IFACE is held by another process" \
	-D "control.socket=$TMP/other.sock" 
check 'the first one goes on' echoes "$OWN4"

# --- the configuration again ------------------------------------------------

printf '[listener.extra]\nservice = echo\nport = 9999\n' >"$CONF"
kill -s HUP "$DAEMON"
check 'HUP takes a new listener' wait_for 5 echoes "$OWN4" 9999
check_not 'and away the old ones' echoes "$OWN4"
exec 3<>"/dev/tcp/$OWN4/9999"
printf '[listener.extra]\nservice = echo\nport = 70000\n' >"$CONF"
kill -s HUP "$DAEMON"
check 'HUP refuses a wrong file' \
	log_has 'tcphsd\.conf:3: .*70000|70000'
check 'and says that all stays' log_has 'everything stays as it was'
check 'all stays' echoes "$OWN4" 9999
# So many that sorting them asks for the size of the memory.
{
	echo '[log]'
	for i in {1..300}; do
		echo "wrong$i = yes"
	done
} >"$CONF"
kill -s HUP "$DAEMON"
check 'HUP reports 300 errors' log_has 'tcphsd\.conf:301: .*wrong300'
check 'and all stays' wait_for 5 echoes "$OWN4" 9999
printf '[interface]\nmtu = 1400\n' >"$CONF"
kill -s HUP "$DAEMON"
check 'HUP refuses what needs a restart' \
	log_has 'restart needed: interface\.mtu'
printf '[listener.a]\nservice = echo\nport = 1\n' >"$CONF"
printf '[listener.b]\nservice = discard\nport = 2\n' >>"$CONF"
kill -s HUP "$DAEMON"
check 'HUP again' wait_for 5 echoes "$OWN4" 1
printf '[listener.a]\nservice = echo\nport = 2\n' >"$CONF"
printf '[listener.b]\nservice = discard\nport = 1\n' >>"$CONF"
kill -s HUP "$DAEMON"
check 'listeners change places' wait_for 5 echoes "$OWN4" 2
printf '[log]\nlevel = debug\n' >>"$CONF"
kill -s HUP "$DAEMON"
check 'and the log level' log_has 'Configuration read again'
check 'debug lines come' wait_for 5 eval \
	'echoes "$OWN4" 2 && log_has_now "Received 6 bytes"'
echo over >&3
check 'a connection outlives all this' \
	same over "$(timeout 5 head -n 1 <&3)"

# --- the end ----------------------------------------------------------------

timeout 30 nc -d "$OWN4" 2 &
client=$!
check 'a client is there' wait_for 5 bash -c \
	"ss -Htn state established dst $OWN4 dport = 2 | grep -q ."
check 'TERM is exit code 0' stop_daemon TERM
check 'the client got a FIN' exits 0 wait "$client"
check 'nothing is left' no_trace
check 'one line says how it ended' log_has 'Stopping \(Terminated\), closing'
exec 3>&-

: >"$CONF"
check 'starts again' start_daemon -D tcphsd.stop_timeout=30s
# A client that never answers: our FIN goes unanswered.
exec 3<>"/dev/tcp/$OWN4/9"
ip link set "$IFACE" down
kill -s INT "$DAEMON"
check 'INT waits for those who do not answer' \
	log_has 'Stopping \(Interrupt\), closing 1 connection$'
check 'and is still there' daemon_alive
kill -s INT "$DAEMON"
check 'a second INT does not wait' reap_daemon 5
check 'and says so' log_has 'Stopping at once'
check 'nothing is left again' no_trace
exec 3>&-

check 'starts once more' start_daemon -D tcphsd.stop_timeout=1s
exec 3<>"/dev/tcp/$OWN4/9"
ip link set "$IFACE" down
check 'taking it down is noticed' log_has 'was taken down by someone'
check 'stop_timeout ends the patience' stop_daemon TERM 5
check 'and says so' log_has '1 connection did not close in time, resetting it'
exec 3>&-

check 'and once more' start_daemon
ip addr del "$HOST4/24" dev "$IFACE"
check 'a missing address is noticed' \
	log_has "$HOST4/24 of $IFACE was removed by someone else"
ip link del "$IFACE"
check 'without its interface it ends with 71' exits 71 reap_daemon 5
check 'and says so' log_has "Interface $IFACE was removed by someone else"
check 'the socket is gone' test ! -e "$SOCKET"

check 'starts to be killed' start_daemon
stop_daemon KILL 2>"$TMP/killed"
check 'KILL leaves the socket' test -S "$SOCKET"
check 'a stale socket is replaced' start_daemon
check 'and serves' exits 0 ctl status
check 'stops after that' stop_daemon

# --- users and interfaces that stay -----------------------------------------

rm -rf "$(dirname "$SOCKET")"
check 'starts for a user' start_daemon -D tcphsd.user=nobody
check 'is that user' bash -c "[[ '$(status_of Uid)' == 65534* ]]"
check 'has not its old groups' same '65534 ' "$(status_of Groups)"
check 'has no capability' same 0000000000000000 "$(status_of CapPrm)"
chmod 0600 "$CONF"
kill -s HUP "$DAEMON"
check 'a file that only root may read is refused with the reason' \
	log_has 'Permission denied'
check 'everything stays' log_has 'everything stays as it was'
chmod 0644 "$CONF"
check 'a user cleans up after itself' stop_daemon
check 'wholly' no_trace

ip tuntap add "$IFACE" mode tun $QUEUES
check 'adopts a persistent interface' start_daemon
check 'and works on it' echoes "$OWN4"
check 'and leaves it' stop_daemon
check 'as it was made by another' ip link show "$IFACE"
ip link del "$IFACE"
check 'persist = yes' start_daemon -D interface.persist=yes
check 'ends' stop_daemon
check 'keeps the interface' ip link show "$IFACE"
ip link del "$IFACE"

check 'starts without offload' start_daemon -D interface.offload=off
check 'echoes without offload' echoes "$OWN4"
check 'serves its page without offload' \
	curl -sS --max-time 5 -o "$TMP/page" "http://$OWN4/"
check 'stops without offload' stop_daemon

sysctl -qw net.ipv4.ip_forward=1
printf '[listener.a]\nservice = echo\nport = 1\nallow = any\n' >"$CONF"
printf '[listener.b]\nservice = echo\nport = 2\n' >>"$CONF"
check 'starts on a host that forwards' start_daemon
check 'warns of the listener others can reach' \
	log_has 'forwards packets, so others can reach listener a:'
check_not 'and not of the one they cannot' log_has_now 'listener b:'
check 'stops on a host that forwards' stop_daemon
sysctl -qw net.ipv4.ip_forward=0
check 'starts on a host that does not' start_daemon
check_not 'without a warning' log_has_now 'forwards packets'
check 'stops on a host that does not' stop_daemon
: >"$CONF"

sysctl -qw net.ipv6.conf.default.disable_ipv6=1
check 'starts on a host without IPv6' start_daemon
check 'and says so' log_has "No IPv6 on $IFACE"
check 'and serves the other' echoes "$OWN4"
check 'stops there, too' stop_daemon

# --- the journal ------------------------------------------------------------

# A journal that keeps what it gets, until it is stopped.
mkdir -p /run/systemd/journal
cat >"$TMP/journal.py" <<-'END'
	import socket
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	s.bind('/run/systemd/journal/socket')
	with open('/run/e2e/journal', 'wb', 0) as f:
	    while True:
	        f.write(s.recv(65536) + b'--\n')
END
python3 "$TMP/journal.py" &
journal=$!
wait_for 5 test -S /run/systemd/journal/socket
journal_has()
{
	grep -Fqx -- "$1" "$TMP/journal" && return 0
	tail -n 30 "$TMP/journal"
	return 1
}

: >"$CONF"
"$TCPHSD" -c "$CONF" -D log.target=journal 2>"$LOG" &
DAEMON=$!
check 'starts with the journal' \
	wait_for 5 journal_has 'MESSAGE=Ready on tcphs0: 198.18.66.2 and fd74:6370:6873::2, 7 listeners'
check 'with a priority' journal_has 'PRIORITY=5'
check 'echoes' echoes "$OWN4"
check 'events come as sentences' wait_for 5 journal_has \
	'MESSAGE=[Server] Received ACK, handshake completed'
check 'and as fields' journal_has 'TCPHS_EVENT=handshake.completed'
check 'nothing is on stderr' same '' "$(cat "$LOG")"
kill -s STOP "$journal"
stuck()
{
	for _ in {1..40}; do
		echoes "$OWN4" || return 1
	done
	# Its queue is full when a line more finds no room.
	! python3 -c "import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setblocking(False)
s.sendto(b'MESSAGE=test', '/run/systemd/journal/socket')"
}
check 'a journal that hangs fills up' wait_for 20 stuck
check 'and costs lines, not the service' timeout 5 bash -c \
	"echo hello | nc -N $OWN4 7 | grep -q hello"
kill -s CONT "$journal"
# It is said with the next line that finds room, and the journal may take a
# while to make some.
left_out_said()
{
	echoes "$OWN4" && grep -Eqx \
		'MESSAGE=[0-9]+ lines left out: the journal was stuck' \
		"$TMP/journal"
}
check 'what is missing is said' wait_for 10 left_out_said
check 'ends with the journal' stop_daemon
kill -s TERM "$journal"
rm /run/systemd/journal/socket
"$TCPHSD" -c "$CONF" -D log.target=journal 2>"$LOG" &
DAEMON=$!
check 'without a journal it goes to stderr' log_has 'Ready on '
check 'ends without it' stop_daemon

# --- the manual -------------------------------------------------------------

# Its examples, as they stand there. One that ends with & goes on beside the
# others.
PATH=$(dirname "$TCPHSD"):$PATH
while IFS= read -r example; do
	case $example in
	*'&')
		: >"$LOG"
		eval "${example%&} >\"$LOG\" 2>&1 &"
		DAEMON=$!
		;;
	*)
		check "manual: $example" wait_for 5 bash -c "$example"
		;;
	esac
done < <(sed -n 's/^\$ //p' "$ROOT/daemon/tcphsd.8.scd")
check 'the example says it in words' log_has 'Received ACK, handshake completed'
check 'and at the level it asks for' log_has 'Received [0-9]+ bytes'
check 'ends' stop_daemon

summary
