#!/bin/bash
# logs.sh - Where the log goes, and what it tells of whom
#
# A file that is renamed and opened again, a full disk under it, syslog, levels
# of single modules, packets, other people's addresses, and the fields that name
# a flow for other tools.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[timers]
msl = 100ms
[listener.echo]
port = 7
service = echo
[detect]
scan_ports = 5
CONF

echo_once()
{
	same hi "$(echo hi | nc -N -w 5 "${1:-$OWN4}" 7)"
}

# has FILE REGEX, has_not FILE REGEX
has()
{
	grep -Eq -- "$2" "$1" && return 0
	echo "nothing like $2 in $1:"
	tail -n 5 "$1"
	return 1
}

has_not()
{
	! has "$@" >/dev/null
}

# ---- a file ------------------------------------------------------------------

mkdir -m 0777 "$TMP/log"
FILE=$TMP/log/tcphsd.log
FOREGROUND= start_daemon -D log.target=file -D "log.target_file=$FILE"
check 'the log is a file' wait_for 5 has "$FILE" 'Ready on '
check 'and stderr is silent' same '' "$(cat "$LOG")"
echo_once >/dev/null
check 'with a line for each step' wait_for 5 has "$FILE" \
	'^[0-9:.]+ c[0-9]+ \[Server\] Received ACK, handshake completed  '
check 'the last one, too' wait_for 5 has "$FILE" 'Connection closed'
mv "$FILE" "$FILE.1"
kill -HUP "$DAEMON"
check 'HUP: by its name again' wait_for 5 has "$FILE" 'Configuration read again'
lines=$(wc -l <"$FILE.1")
echo_once >/dev/null
check 'what comes goes there' wait_for 5 has "$FILE" 'Connection closed'
check 'and not to the old one' same "$lines" "$(wc -l <"$FILE.1")"

# lines_whole FILE: none is cut, none is there twice.
lines_whole()
{
	same '' "$(grep -Ev '^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} [^ ]' "$1")" &&
		same '' "$(sort "$1" | uniq -d)"
}

# counted FILE ECHOES: five lines of each are there or counted as left out.
counted()
{
	same $((5 * $2)) "$(awk '/^[0-9:.]+ c[0-9]+ /{ n++ }
		/left out:/ { n += $2 }
		END { print n }' "$1")"
}

rm -r "$TMP/log"
check 'without its directory it goes on' echo_once
check 'which is said' wait_for 5 \
	log_has "Cannot write the log $FILE: No such file"
for _ in 1 2 3; do
	echo_once >/dev/null
done
check 'and the daemon, too' ctl -q status
check 'it was said once' same 1 "$(grep -c 'Cannot write' "$LOG")"
mkdir -m 0777 "$TMP/log"
ECHOES=4
found_again()
{
	echo_once >/dev/null
	ECHOES=$((ECHOES + 1))
	has "$FILE" '[0-9]+ lines left out: the file could not be written'
}
check 'found when it is made again' wait_for 10 found_again
check 'all is there or counted' wait_for 5 counted "$FILE" "$ECHOES"
check 'once' lines_whole "$FILE"
rm "$FILE"
check 'a file that is removed' echo_once
check 'is made again' wait_for 5 counted "$FILE" 1
rm -r "$TMP/log"
kill -HUP "$DAEMON"
check 'HUP without it: said again' wait_for 5 eval \
	'same 2 "$(grep -c "Cannot write" "$LOG")"'
check 'ends' stop_daemon
check 'no such directory: 78' exits 78 "$TCPHSD" -c "$CONF" \
	-D log.target=file -D "log.target_file=$TMP/none/x"
check 'no file at all: 78' exits 78 "$TCPHSD" -t -c "$CONF" -D log.target=file

# The directory is the daemon's user's, who may have been somebody else for a
# moment: as root we must not open what he links to.
mkdir "$TMP/his"
chown nobody "$TMP/his"
: >"$TMP/roots"
ln -s "$TMP/roots" "$TMP/his/log"
check 'a link by the user we become is not followed: 78' exits 78 timeout 10 \
	"$TCPHSD" -c "$CONF" -D tcphsd.user=nobody -D log.target=file \
	-D "log.target_file=$TMP/his/log"
check 'what it leads to is as it was' same '0 0' \
	"$(stat -c '%u %s' "$TMP/roots")"
rm "$TMP/his/log"
ln "$TMP/roots" "$TMP/his/log"
FOREGROUND= start_daemon -D tcphsd.user=nobody -D log.target=file \
	-D "log.target_file=$TMP/his/log"
check 'nor is a file with two names given away' same 0 \
	"$(stat -c %u "$TMP/roots")"
check 'ends, too' stop_daemon
ln -s "$TMP/roots" "$TMP/linked"
FOREGROUND= start_daemon -D log.target=file -D "log.target_file=$TMP/linked"
check 'a link by root is followed' wait_for 5 has "$TMP/roots" 'Ready on '
stop_daemon

mkdir "$TMP/small"
mount -t tmpfs -o size=16k tmpfs "$TMP/small"
FILE=$TMP/small/log
FOREGROUND= start_daemon -D log.target=file -D "log.target_file=$FILE"
head -c 8k /dev/zero >"$TMP/small/fill"
ECHOES=60
for _ in $(seq $ECHOES); do
	echo_once >/dev/null
done
check 'a full disk is said' wait_for 5 \
	log_has "Cannot write the log $FILE: No space left"
check 'and does not stop it' echo_once
ECHOES=61
check 'it was said once' same 1 "$(grep -c 'Cannot write' "$LOG")"
rm "$TMP/small/fill"
check 'what was left out is told when there is room' wait_for 10 found_again
check 'all is there or counted' wait_for 5 counted "$FILE" "$ECHOES"
check 'once, and whole' lines_whole "$FILE"
stop_daemon

FOREGROUND= start_daemon -D log.target=file -D "log.target_file=$TMP/limited"
prlimit --pid "$DAEMON" --fsize=8192:8192
for _ in $(seq 60); do
	echo_once >/dev/null
done
check 'nor does the most that a file may have (ulimit -f)' echo_once
check 'which it has' test "$(stat -c %s "$TMP/limited")" -gt 4096
stop_daemon

# ---- a terminal -------------------------------------------------------------

start_daemon -D log.target=file -D "log.target_file=$TMP/unwanted"
check '--foreground: to stderr, whatever log.target says' log_has 'Ready on '
check 'and no file' test ! -e "$TMP/unwanted"
stop_daemon
start_daemon -D log.target=syslog
check 'nor to syslog' log_has 'Ready on '
stop_daemon

# ---- syslog ------------------------------------------------------------------

# Somebody who listens where syslog would, in a /dev of our own.
mkdir "$TMP/dev"
mount --bind /dev "$TMP/dev"
mount -t tmpfs tmpfs /dev
for node in null zero full random urandom tty ptmx pts net shm; do
	[ -e "$TMP/dev/$node" ] || continue
	if [ -d "$TMP/dev/$node" ]; then
		mkdir "/dev/$node"
	else
		: >"/dev/$node"
	fi
	mount --bind "$TMP/dev/$node" "/dev/$node"
done
ln -s /proc/self/fd /dev/fd
python3 - /dev/log "$TMP/syslog" <<'E' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "w", encoding="utf-8") as out:
    while True:
        print(s.recv(65536).decode(), file=out, flush=True)
E
check 'a syslog' wait_for 60 test -S /dev/log
FOREGROUND= start_daemon -D log.target=syslog
echo_once >/dev/null
check 'gets the lines' wait_for 5 has "$TMP/syslog" \
	'^<30>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} tcphsd\[[0-9]+\]: c[0-9]+ \[Server\] Received SYN'
check 'with their priority' has "$TMP/syslog" '^<29>.*Ready on '
check 'and stderr does not' same '' "$(cat "$LOG")"
rm /dev/log
echo_once >/dev/null
check 'without one there is stderr' log_has 'handshake completed'
stop_daemon

# ---- levels of modules -------------------------------------------------------

EVENTS=$TMP/events.ndjson
start_daemon -D "log.file=$EVENTS" -D log.file_level=debug
echo_once >/dev/null
check 'info: no states' has_not "$LOG" 'ESTABLISHED ->'
check 'a module' same 'log level of data debug' "$(ctl log level data debug)"
echo_once >/dev/null
check 'is told of' log_has 'Received 3 bytes, sending ACK'
check 'and quiet again' ctl -q log level syn error
: >"$LOG"
echo_once >/dev/null
check 'others go on' log_has 'Received ACK, handshake completed'
check 'but not this one' has_not "$LOG" 'Received SYN'
check 'the level for all ends that' ctl -q log level info
echo_once >/dev/null
check 'and SYNs are told of again' log_has 'Received SYN'
check 'no such module: 2' exits 2 ctl log level pigeon debug
check 'no such level: 2' exits 2 ctl log level data loud

# ---- names of flows, options -------------------------------------------------

echo_once "$OWN6" >/dev/null
RUN=$TMP/run.pcapng
ctl -q dump -w "$RUN" -c 6 &
DUMP=$!
wait_for 5 test -s "$RUN"
echo_once >/dev/null
wait "$DUMP"
theirs=$(tshark -n -r "$RUN" --enable-protocol communityid \
	-T fields -e communityid 2>/dev/null | sort -u | head -n 1)
ours()
{
	jq -r 'select(.event == "handshake.completed") | .community_id' \
		"$EVENTS" | tail -n 1
}
check 'the community id is that of tshark' wait_for 5 eval \
	'[ -n "$theirs" ] && same "$theirs" "$(ours)"'
check 'options of a SYN' jq -es 'any(.event == "syn.received" and
	(.options | test("^mss=[0-9]+ sackok ts ws[0-9]+$")))' "$EVENTS"
stop_daemon

# ---- packets -----------------------------------------------------------------

start_daemon -D log.packets=yes
echo_once >/dev/null
check 'a packet in' log_has \
	"\[Packet\] $HOST4:[0-9]+ -> $OWN4:7 S seq=[0-9]+ ack=0 len=0 win=[0-9]+  c1 LISTEN -> SYN-RECEIVED"
check 'a packet out' log_has \
	"\[Packet\] $OWN4:7 -> $HOST4:[0-9]+ SA seq=[0-9]+ ack=[0-9]+ len=0 "
check 'with its text' log_has '\[Packet\] .* [A-Z]*P?A seq=.* len=3 '
stop_daemon

# ---- other people's addresses ------------------------------------------------

# Whatever events say, by every way.
everything()
{
	cat "$LOG" "$EVENTS"
	ctl events --ndjson
	ctl events
}

for how in prefix hash; do
	: >"$EVENTS"
	start_daemon -D "log.file=$EVENTS" -D "log.address_privacy=$how" \
		-D log.packets=yes
	echo_once >/dev/null
	echo_once "$OWN6" >/dev/null
	for port in 101 102 103 104 105 106 107 108; do
		nc -z "$OWN4" $port
	done
	check "$how: an alert" wait_for 5 has "$EVENTS" '"event":"alert.raised"'
	everything >"$TMP/everything"
	check "$how: no address" negate grep -qF -e "$HOST4:" -e "\"$HOST4\"" \
		-e "$HOST4 " -e "$HOST4/" -e "$HOST6" "$TMP/everything"
	check "$how: and no community id" has_not "$TMP/everything" community_id
	check "$how: ours are told" has "$TMP/everything" "\"$OWN4\""
	check "$how: the operator sees them" eval \
		'ctl recent | grep -q "$HOST4:"'
	case $how in
	prefix)
		check 'prefix: the networks' has "$EVENTS" \
			'"peer_addr":"198.18.66.0"'
		check 'prefix: of IPv6' has "$EVENTS" '"peer_addr":"fd74:6370:6873::"'
		;;
	hash)
		check 'hash: one name for one address' same 2 "$(jq -r \
			'select(.event == "handshake.completed") | .peer_addr' \
			"$EVENTS" | sort -u | grep -c '^fd')"
		;;
	esac
	stop_daemon
done
summary
