#!/bin/bash
# extcap.sh - tcphsd among the interfaces that tshark knows
#
# As installed: the link that make install makes, in the directory where tshark
# looks, which is covered here with one of the script's own.
#
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

EXTCAP=$(tshark -G folders 2>/dev/null | sed -n 's/^Extcap path:[[:space:]]*//p')
mount -t tmpfs tmpfs "$EXTCAP"
ln -s "$TCPHSCTL" "$EXTCAP/tcphs-extcap"

extcap()
{
	"$EXTCAP/tcphs-extcap" "$@"
}

# What it is asked, it answers without a daemon, too.
check 'tshark lists it' sh -c 'tshark -D 2>/dev/null | grep -q "\. tcphs ("'
check 'and its link type' sh -c \
	'tshark -i tcphs -L 2>&1 | grep -q "RAW (Raw IP)"'
check 'what can be set' same 2 "$(extcap --extcap-interface=tcphs \
	--extcap-config | grep -c '^arg ')"
check 'a filter is one' same '' "$(extcap --extcap-interface=tcphs \
	--extcap-capture-filter='sport = :7')"
check 'or it says why not' sh -c "'$EXTCAP/tcphs-extcap' \
	--extcap-interface=tcphs --extcap-capture-filter='sprt = :7' |
	grep -q \"did you mean 'sport'\""
check 'another interface is none' exits 2 extcap --extcap-interface=eth0 \
	--extcap-dlts
check_not 'without a daemon there is nothing to capture' \
	tshark -i tcphs -c 1

write_conf <<END
[listener.echo]
port = 7
service = echo
[listener.http]
port = 80
service = http
END
start_daemon

# Until tshark has what it waits for there is a packet now and then.
tshark_sees()
{
	local pid

	tshark -n -l "$@" -T fields -e frame.comment -e tcp.port \
		>"$TMP/seen" 2>"$TMP/tshark.err" &
	pid=$!
	wait_for 15 gone_or_more "$pid" || kill "$pid"
	wait "$pid"
}

gone_or_more()
{
	echo hi | nc -N $OWN4 7 >/dev/null
	curl -s "http://$OWN4/bytes/10" >/dev/null
	! kill -0 "$1"
}

check 'tshark captures from it' tshark_sees -i tcphs -c 20
check 'with our comments' grep -q 'LISTEN -> SYN-RECEIVED' "$TMP/seen"
check 'as many as it wants' same 20 "$(wc -l <"$TMP/seen")"
check 'with our filter' tshark_sees -i tcphs -f 'sport = :7' -c 20
check 'which holds' same '' "$(grep -v '7,\|,7$' "$TMP/seen")"
check 'into a file' tshark_sees -i tcphs -w "$TMP/x.pcapng" -a packets:20
check 'which has the comments' sh -c \
	"tshark -n -r '$TMP/x.pcapng' -Y frame.comment 2>/dev/null | grep -q ."
readers()
{
	ctl stats --json | jq -e ".capture.readers == $1"
}
check 'nobody watches any more' wait_for 5 readers 0
check 'the daemon ends well' stop_daemon
summary
