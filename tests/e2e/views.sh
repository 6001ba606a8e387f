#!/bin/bash
# views.sh - What analyze shows of a capture whose connections are known
#
# The capture is made by views_capture.py, which lists its connections.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

PCAP=$TMP/known.pcap
check 'a capture' python3 "$ROOT/tests/e2e/views_capture.py" "$PCAP"

analyze()
{
	"$TCPHSCTL" analyze "$@"
}

# ids ARGUMENT...: of the connections, in the order of their rows.
ids()
{
	analyze "$PCAP" --raw -H -o id "$@" | paste -sd ' '
}

# --- filter, sort, columns, exit codes ------------------------------------------

check 'all of them' same '1 2 3 4 5 6' "$(ids --sort id)"
check 'by port, either side' same '3 4 5' "$(ids --filter 'port 8090' --sort id)"
check 'the client is src' same '1 2 6' "$(ids --filter 'src 10.0.0.1' --sort id)"
check 'by outcome' same '3' "$(ids --filter 'outcome = timeout')"
check 'by handshake time' same '1' "$(ids --filter 'hs > 10ms')"
check 'by what is odd' same '4' "$(ids --filter 'alert')"
check 'in order of handshake times' same '4 1 3 6 5 2' "$(ids --sort hs)"
check 'and downwards' same '1 4 3 6 5 2' "$(ids --sort=-HS)"
check 'by addresses and ports' same '1 2 6 3 5 4' "$(ids --sort client)"
check 'some match: 0' exits 0 analyze -q "$PCAP" --filter 'outcome = refused'
check 'none matches: 1' exits 1 analyze -q "$PCAP" --filter 'port 1'
check 'a wrong filter: 2' exits 2 analyze -q "$PCAP" --filter 'prot 1'
check 'a wrong order: 2' exits 2 analyze -q "$PCAP" --sort nothing
check 'a warning is there: 10' exits 10 analyze -q "$PCAP" --fail-on warning
check 'among others it is not: 0' exits 0 \
	analyze -q "$PCAP" --fail-on warning --filter 'port 80'
check 'no such severity: 2' exits 2 analyze -q "$PCAP" --fail-on bad
check 'CSV has the names of JSON' same 'id,client,handshake_us
1,10.0.0.1:40001,30000' \
	"$(analyze "$PCAP" --csv -o id,client,hs --filter 'id = 1')"

# shellcheck disable=SC2016
check 'as many packets of a port as tshark' same \
	"$(tshark -r "$PCAP" -Y 'tcp.port==8090' 2>/dev/null | wc -l)" \
	"$(analyze "$PCAP" --raw -H -o packets --filter 'port 8090' |
		awk '{ n += $1 } END { print n }')"

summary
