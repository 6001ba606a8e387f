#!/bin/bash
# capture.sh - The daemon's own capture: files that take turns, and bad disks
#
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# Small enough to fill: what else the script writes lies elsewhere.
DIR=$TMP/disk/captures
mkdir "$TMP/disk"
mount -t tmpfs -o size=8m tmpfs "$TMP/disk"

packets()
{
	capinfos -M -c -T -r "$@" 2>/dev/null |
		awk '{ n += $NF } END { print n }'
}

# readable FILE...: tshark reads all of each, to the end.
readable()
{
	local f

	for f; do
		tshark -n -r "$f" >"$TMP/tshark.out" 2>"$TMP/tshark.err" ||
			return 1
		grep -v 'Running as user' "$TMP/tshark.err" && return 1
	done
	return 0
}

get()
{
	same "$1" "$(curl -s "http://$OWN4/bytes/$1" | wc -c)"
}

files()
{
	ls "$DIR"/capture-*.pcapng
}

write_conf <<END
[capture]
directory = $DIR
snaplen = 65575
rotate_size = 1MiB
rotate_keep = 3
[listener.echo]
port = 7
service = echo
[listener.http]
port = 80
service = http
END
start_daemon

echo '--- start, list, stop'
check 'no directory before the first' [ ! -e "$DIR" ]
check 'list of none' same '' "$(ctl capture list -H)"
check 'stop of none' exits 5 ctl capture stop
check 'a filter that cannot be' exits 2 ctl capture start 'rtt > 1ms'
check 'start' ctl capture start sport = :7
check 'one at a time' exits 7 ctl capture start
echo hi | nc -N $OWN4 7 >/dev/null
get 1000 >/dev/null
check 'stop' ctl capture stop -w "$TMP/echo.pcapng"
check 'tshark reads it' readable "$TMP/echo.pcapng"
check 'it is the file' cmp "$TMP/echo.pcapng" "$(files)"
check 'it has what the filter takes' same 0 "$(tshark -n \
	-r "$TMP/echo.pcapng" -Y 'tcp.port != 7' 2>/dev/null | wc -l)"
check 'from SYN to the last ACK' same '1 1' "$(echo $(tshark -n \
	-r "$TMP/echo.pcapng" -Y 'frame.comment contains "LISTEN -> SYN" or
		frame.comment contains "LAST-ACK -> CLOSED"' \
	-T fields -e tcp.flags.ack 2>/dev/null | sort | uniq -c |
	awk '{ print $1 }'))"
check 'strangers do not read it' same 640 "$(stat -c %a "$(files)")"

echo '--- rotation'
ctl -q capture start
for i in 1 2 3 4 5 6 7 8 9; do
	get 500000 || break
done >"$TMP/get.out"
check 'transfers go on' same '' "$(cat "$TMP/get.out")"
written()
{
	ctl --json capture list | jq -e 'last.current and length == 3'
}
check 'three files are kept' wait_for 5 written
check 'stop fetches them' ctl capture stop -w "$TMP/all.pcapng"
check 'each is readable' readable "$DIR"/*.pcapng
check 'and all of them as one' readable "$TMP/all.pcapng"
check 'which has the packets of all' same "$(packets "$DIR"/*.pcapng)" \
	"$(packets "$TMP/all.pcapng")"
check 'none is too long' same '' "$(find "$DIR" -size +1040k)"

echo '--- a disk that is full'
ctl -q capture start
fallocate -l "$(df --output=avail -B1 "$TMP/disk" | tail -1)" \
	"$TMP/disk/ballast" 2>/dev/null ||
	dd if=/dev/zero of="$TMP/disk/ballast" bs=64k 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
	get 500000 || break
done >"$TMP/get.out"
check 'the daemon serves on' same '' "$(cat "$TMP/get.out")"
check 'it is said' log_has 'Capture cannot be written.*No space left'
check 'once' same 1 "$(grep -c 'Capture cannot be written' "$LOG")"
check 'what is written can be read' readable "$(files | tail -1)"
rm "$TMP/disk/ballast"
check 'with room it goes on' log_has 'Capture is written .* again'
get 100 >/dev/null
check 'losses are told' sh -c "ctl() { '$TCPHSCTL' -s $SOCKET \"\$@\"; }
	ctl --json capture stop | jq -e '.lost > 0 and .packets > 0'"
check 'all are readable' readable "$DIR"/*.pcapng

echo '--- a directory that goes'
ctl -q capture start
rm -r "$DIR"
get 1000 >/dev/null
check 'a new one takes its place' wait_for 5 test -e "$DIR"
check 'and it is said' log_has 'was removed by someone else'

echo '--- the end of the daemon'
get 1000 >/dev/null
check 'it ends well' stop_daemon
check 'the file has its end' same 1 "$(python3 - "$(files)" <<'END'
import struct, sys
data, at, kinds = open(sys.argv[1], "rb").read(), 0, []
while at < len(data):
    kind, length = struct.unpack_from("<II", data, at)
    kinds.append(kind)
    at += length
print(kinds[-1] == 5 and kinds.count(6) > 8 and 1)
END
)"
check 'and is readable' readable "$DIR"/*.pcapng
summary
