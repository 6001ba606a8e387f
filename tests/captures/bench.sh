#!/bin/bash
# bench.sh - Speed and memory of the judge beside tshark and tcptrace
#
# One generated capture of more than 2 M packets and 370 k connections, each
# program over it in turn, RUNS times, from the page cache. Those that need
# longer than LIMIT seconds are stopped and said to be. Goals stand beside.
set -u
B=${B:-build}
LIMIT=${LIMIT:-1200}
RUNS=${RUNS:-3}
CONVERSATIONS=${CONVERSATIONS:-350000}
cd "$(dirname "$0")/../.." || exit 1
TMP=$(mktemp -d)
trap 'rm -r "$TMP"' EXIT
export TMPDIR=$TMP # tshark's and tcptrace's files of a moment

"$B/tests/captures/gen" -s 1 -n "$CONVERSATIONS" -b -p -g 300 \
	-t "$TMP/truth" >"$TMP/capture.pcap" || exit 1
cd "$TMP" || exit 1
CTL=$OLDPWD/$B/tcphsctl LIMIT=$LIMIT RUNS=$RUNS \
	python3 "$OLDPWD/tests/captures/bench.py" capture.pcap truth
