#!/bin/bash
# views.sh - What analyze shows of a capture whose connections are known
#
# The capture is made by views_capture.py, which lists its connections.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

PCAP=$TMP/known.pcap

write_conf <<'CONF'
[log]
handshakes = no

[listener.echo]
port = 7
service = echo
CONF

check 'a capture' python3 "$ROOT/tests/e2e/views_capture.py" "$PCAP" \
	"$TMP/scan.pcap" "$TMP/cut.pcap"

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
check 'by what is odd' same '3 4' "$(ids --filter 'alert' --sort id)"
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
check 'an order of no rows: 2' exits 2 analyze "$PCAP" --summary --sort hs
check 'files have an end of their own: 2' exits 2 analyze "$PCAP" -c 5
for option in --classic --utc --local --absolute-seq --relative-seq '--at 3' \
	'-f svg' '-w none'; do
	# shellcheck disable=SC2086
	check "$option belongs to an output: 2" exits 2 analyze "$PCAP" $option
done
cp "$PCAP" "$TMP/mine"
check 'not over what is read: 2' exits 2 \
	analyze "$PCAP" "$TMP/mine" --export 1 -w "$TMP/mine"
check 'by no other name: 2' exits 2 \
	analyze - --html "$TMP/./mine" <"$TMP/mine"
check 'it is what it was' cmp "$PCAP" "$TMP/mine"
check 'no such severity: 2' exits 2 analyze -q "$PCAP" --fail-on bad
check 'CSV has the names of JSON' same 'id,client,handshake_us
1,10.0.0.1:40001,30000' \
	"$(analyze "$PCAP" --csv -o id,client,hs --filter 'id = 1')"

# shellcheck disable=SC2016
check 'as many packets of a port as tshark' same \
	"$(tshark -r "$PCAP" -Y 'tcp.port==8090' 2>/dev/null | wc -l)" \
	"$(analyze "$PCAP" --raw -H -o packets --filter 'port 8090' |
		awk '{ n += $1 } END { print n }')"

# --- all in one screen, and JSON Lines ------------------------------------------

# value FILTER: of the summary.
value()
{
	analyze "$PCAP" --summary --json | jq -c "$1"
}

check 'outcomes' same '2 1 1 1 1' "$(value '.outcomes |
	"\(.completed) \(.refused) \(.timeout) \(.half_open) \(.midstream)"' |
	tr -d '"')"
check 'times of handshakes' same '{"count":2,"min":2000,"p50":2000,"p90":30000,"p99":30000,"max":30000}' \
	"$(value .handshake_us)"
check 'who talks' same '["2001:db8::1","10.0.0.1","10.0.0.3","10.0.0.2"]' \
	"$(value '[.clients[].ip]')"
check 'how many of them failed' same '[["10.0.0.9",80,2,1,6]]' \
	"$(value '[.services[] | select(.port == 80) | [.[]]]')"
check 'the worst anomaly first' same '"rst_out_of_window"' \
	"$(value '.anomalies[0].kind')"
check 'for people' same 1 "$(analyze "$PCAP" --summary |
	grep -c 'p50 2.00ms, p90 30.0ms')"
check 'the same of some' same 1 "$(analyze "$PCAP" --summary --json \
	--filter 'port 81' | jq .connections)"
check 'lines: files, connections, a summary' same \
	'file connection connection connection connection connection connection summary' \
	"$(analyze "$PCAP" --json | jq -r .type | paste -sd ' ')"
cat >"$TMP/validate.py" <<'PY'
"""validate.py SCHEMA: each line of stdin against it; and of the schema, that
each field has a description."""
import json
import sys
from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)


def described(node):
    for field in node.get("properties", {}).values():
        assert field.get("description"), field
        described(field)
    for inner in ("items", "additionalProperties"):
        if isinstance(node.get(inner), dict):
            described(node[inner])


types = {}
for name, record in schema["$defs"].items():
    described(record)
    types[name] = Draft202012Validator({"$ref": "#/$defs/" + name,
                                        "$defs": schema["$defs"]})
lines = 0
for line in sys.stdin:
    record = json.loads(line)
    types[record["type"]].validate(record)
    lines += 1
assert lines
PY
# valid ARGUMENT...: JSON Lines of analyze keep to the schema.
valid()
{
	analyze --json "$@" | python3 "$TMP/validate.py" "$TMP/schema"
}

check 'a schema' "$TCPHSCTL" schema analyze >/dev/null
"$TCPHSCTL" schema analyze >"$TMP/schema"
check 'lines keep to it' valid "$PCAP"
check 'so do those of one' valid "$PCAP" --connection 1
check 'and a summary' valid "$PCAP" --summary
check 'two files, two lines' same 2 "$(analyze "$PCAP" "$PCAP" --ndjson |
	jq -r 'select(.type == "file") | .path' | wc -l)"

# --- what many connections show together ----------------------------------------

check 'a scan is one' same 'port_scan 10.6.6.6 10.0.0.9 40 0 40' \
	"$(analyze "$TMP/scan.pcap" --json | jq -r 'select(.type == "finding") |
	"\(.kind) \(.source) \(.target) \(.count) \(.completed) \(.distinct)"')"
check 'and keeps to the schema' valid "$TMP/scan.pcap"
check 'behind the table' same 1 "$(analyze "$TMP/scan.pcap" |
	grep -c '^port_scan (warning): .* 10.6.6.6 to 10.0.0.9 ')"
check 'in the summary' same 1 "$(analyze "$TMP/scan.pcap" --summary |
	grep -c '^Findings  *port_scan')"
check 'bad enough for CI' exits 10 analyze -q "$TMP/scan.pcap" --fail-on warning
check 'not of a part of it' exits 0 analyze -q "$TMP/scan.pcap" \
	--fail-on warning --filter 'port < 20'
check 'on a page' analyze "$TMP/scan.pcap" --html "$TMP/scan.html"
check 'which says it' grep -q '<li class="warning">port_scan' "$TMP/scan.html"

# --- every packet ---------------------------------------------------------------

# fields FIELD...: of each packet, as tshark knows them.
fields()
{
	local f args=()

	for f; do args+=(-e "$f"); done
	tshark -r "$PCAP" -T fields "${args[@]}" 2>/dev/null
}

rows()
{
	analyze "$PCAP" --packets --tsv -H "$@"
}

check 'numbers are relative as those of tshark' same \
	"$(fields frame.number tcp.seq tcp.len tcp.window_size_value)" \
	"$(rows -o number,seq,len,win)"
check 'and absolute as they are' same \
	"$(fields tcp.seq_raw ip.ttl ipv6.hlim | awk '{ print $1, $2 }')" \
	"$(rows -o seq_raw,ttl | tr '\t' ' ')"
check 'acknowledgments, too' same \
	"$(tshark -r "$PCAP" -Y tcp.flags.ack==1 -T fields -e tcp.ack \
		-e tcp.ack_raw 2>/dev/null)" \
	"$(rows -o ack,ack_raw | grep '[0-9]')"
check 'each knows its connection' same \
	'1 1 1 1 1 1 1 1 1 1 2 2 3 3 3 4 4 4 4 4 4 5 5 6 6' \
	"$(rows -o conn | paste -sd ' ')"
check 'a port of them' same "$(tshark -r "$PCAP" -Y 'tcp.port==8090' \
	2>/dev/null | wc -l)" "$(rows --filter 'port 8090' | wc -l)"
check 'an outcome is no packet'"'"'s' exits 2 \
	analyze "$PCAP" --packets --filter 'outcome = refused'
check 'the classic layout' same 'Packet: 12
Timestamp: 2023-11-14 22:13:20.401000000 UTC
Source IP: 10.0.0.9, Destination IP: 10.0.0.1
Source Port: 81, Destination Port: 40002
Sequence Number: 0, Acknowledgment Number: 2001
Relative: 1, 1
Flags (Hex): 0x0014 (RST-ACK)
-----' "$(analyze "$PCAP" --packets --classic --filter 'port 81' | tail -8)"

# --- one connection -------------------------------------------------------------

# says TEXT ARGUMENT...: it is somewhere in the answer.
says()
{
	local text=$1

	shift
	analyze "$PCAP" "$@" | grep -qF -- "$text"
}

check 'what happened' says 'Handshake completed in 30.000 ms; closed by both' \
	--connection 1
check 'its ladder' says '(retransmission 1, +200 ms)' --connection 1
check 'states of both' says 'TIME-WAIT' --connection 1
check 'by its name' same "$(analyze "$PCAP" --connection 4)" \
	"$(analyze "$PCAP#4")"
check 'by ladder and explain' same "$(analyze "$PCAP" --connection 4)" \
	"$("$TCPHSCTL" explain "$PCAP#4" && echo && "$TCPHSCTL" ladder "$PCAP#4")"
check 'no such file: 1' exits 1 "$TCPHSCTL" ladder "$TMP/none.pcap#4"
check 'again and again: 2' exits 2 "$TCPHSCTL" ladder --watch "$PCAP#4"
check 'its anomaly with its rule' says 'rst_out_of_window (warning)' \
	--connection 4
check 'what may be behind it' says '  why           ' --connection 4
check 'what to do about it' says '  next          ' --connection 4
check 'a RST that nobody took' says 'x dropped: a RST that no endpoint may take' \
	--connection 4
check 'as a picture' says '<svg class="ladder"' --connection 1 -f svg
check 'one packet of it' says 'from the server' --connection 1 --at 2
check 'no such connection: 5' exits 5 analyze "$PCAP" --connection 99
check 'two outputs: 2' exits 2 analyze "$PCAP" --connection 1 --packets

# --- its packets as a file ------------------------------------------------------

check 'a connection as a file' analyze "$PCAP" --export 5 -w "$TMP/five.pcapng"
check 'bytes and times as they were' same \
	"$(tshark -r "$PCAP" -Y 'tcp.port == 40005' -T fields -e frame.time_epoch \
		-e frame.len -e vlan.id -e tcp.payload 2>/dev/null)" \
	"$(tshark -r "$TMP/five.pcapng" -T fields -e frame.time_epoch \
		-e frame.len -e vlan.id -e tcp.payload 2>/dev/null)"
check 'a connection in fragments' analyze "$TMP/cut.pcap" --export 1 \
	-w "$TMP/cut.pcapng"
check 'has its own, and nobody else'"'"'s' same \
	"$(tshark -r "$TMP/cut.pcap" -Y 'ip.addr == 10.0.0.1' -T fields \
		-e frame.time_epoch -e ip.id -e ip.frag_offset 2>/dev/null)" \
	"$(tshark -r "$TMP/cut.pcapng" -T fields \
		-e frame.time_epoch -e ip.id -e ip.frag_offset 2>/dev/null)"
check 'into a pipe' same 2 "$(analyze "$PCAP" --export 5 -w - |
	analyze - --raw -H -o packets)"
check 'where to? 2' exits 2 analyze "$PCAP" --export 5
check 'nothing of 99: 5' exits 5 analyze "$PCAP" --export 99 -w "$TMP/none"
check 'in words' same 'tcphsctl: there is no connection 99' \
	"$(analyze "$PCAP" --export 99 -w "$TMP/none" 2>&1)"
check_not 'nor a file' test -e "$TMP/none"
cp "$TMP/five.pcapng" "$TMP/kept.pcapng"
check 'a file that is there stays' eval '
	exits 5 analyze "$PCAP" --export 99 -w "$TMP/kept.pcapng" &&
	cmp "$TMP/five.pcapng" "$TMP/kept.pcapng"'

# --- a page ---------------------------------------------------------------------

cat >"$TMP/page.py" <<'PY'
"""page.py FILE: its tags are balanced, ids differ, links lead somewhere, and it
asks nobody for anything."""
import sys
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}
SHAPES = {"rect", "line", "path"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.text = [], set(), [], ""

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "img", "iframe", "object"), tag
        for name, value in attrs:
            assert not name.startswith("on") and name != "src", name
            if name == "id":
                assert value not in self.ids, value
                self.ids.add(value)
            if name == "href":
                assert value.startswith("#"), value
                self.links.append(value[1:])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        if tag in SHAPES:
            return
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.text += data


text = open(sys.argv[1], encoding="utf-8").read()
assert text.startswith("<!DOCTYPE html>")
for word in ("url(", "@import", "javascript:"):
    assert word not in text, word
assert text.replace("http://www.w3.org/2000/svg", "").count("http") == 0
assert "prefers-color-scheme: dark" in text
page = Page()
page.feed(text)
page.close()
assert not page.open, page.open
assert page.links and set(page.links) <= page.ids
for word in sys.argv[2:]:
    assert word in page.text, word
PY

HOSTILE="$TMP/\"><script>alert(1)<&script>.pcap"
cp "$PCAP" "$HOSTILE"
check 'a page' analyze "$PCAP" --html "$TMP/page.html"
check 'whole, and it needs nobody' python3 "$TMP/page.py" "$TMP/page.html" \
	'Handshake times' 'Timeline' 'rst_out_of_window' 'SYN-RECEIVED' \
	'2001:db8::1'
check 'of a file with a hostile name' analyze "$HOSTILE" --html "$TMP/page.html"
check 'which is only text' python3 "$TMP/page.py" "$TMP/page.html" \
	'"><script>alert(1)<&script>.pcap'
check 'of nothing' analyze "$PCAP" --filter 'port 81' --html "$TMP/page.html"
check 'whole, too' python3 "$TMP/page.py" "$TMP/page.html" refused
check 'into a pipe' same '<!DOCTYPE html>' "$(analyze "$PCAP" --html - | head -1)"
check 'into no folder: 1' exits 1 analyze "$PCAP" --html "$TMP/none/page.html"

# --- progress on a terminal -----------------------------------------------------

cat >"$TMP/progress.py" <<'PY'
"""progress.py TCPHSCTL FILE ARGUMENT...: what a terminal gets on stderr while a
capture comes in two halves, the second one after more than a second."""
import os
import pty
import subprocess
import sys
import time

capture = open(sys.argv[2], "rb").read()
head, records = capture[:24], capture[24:]
ours, theirs = pty.openpty()
run = subprocess.Popen([sys.argv[1], "analyze", "-", *sys.argv[3:]],
                       stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                       stderr=theirs)
os.close(theirs)
run.stdin.write(head + 400 * records)
run.stdin.flush()
time.sleep(1.1)
run.stdin.write(400 * records)
run.stdin.close()
seen = b""
try:
    while chunk := os.read(ours, 4096):
        seen += chunk
except OSError:
    pass
assert run.wait() == 0
print(seen)
PY

progress()
{
	python3 "$TMP/progress.py" "$TCPHSCTL" "$PCAP" "$@"
}

check 'a long file says how far it is' grep -q 'packets, .* connections' \
	<<<"$(progress)"
check 'and leaves no trace' grep -q '\\r\\x1b\[K.$' <<<"$(progress)"
check 'not with -q' same "b''" "$(progress -q)"

# --- an interface ---------------------------------------------------------------

# listen_on INTERFACE ARGUMENT...: until stop_listening; its output in $TMP/live.
listen_on()
{
	: >"$TMP/live.err"
	"$TCPHSCTL" analyze -i "$@" >"$TMP/live" 2>"$TMP/live.err" &
	LISTENER=$!
	wait_for 10 grep -q 'listening on' "$TMP/live.err"
}

stop_listening()
{
	kill -s INT "$LISTENER"
	wait "$LISTENER"
}

live()
{
	jq -r "$1" "$TMP/live"
}

check 'a daemon' start_daemon
check 'on tcphs0' listen_on "$IFACE" --json tcp port 7
check 'echo answers' same hello "$(echo hello | nc -N "$OWN4" 7)"
check 'a port that is closed' exits 1 nc -z "$OWN4" 9
check 'Ctrl-C ends it' stop_listening
check 'it says where it listened' same "$IFACE raw" \
	"$(live 'select(.type == "interface") | "\(.name) \(.link)"')"
check 'what passed was judged' same 'completed fin_both 6' \
	"$(live 'select(.type == "connection") | "\(.handshake.outcome) " +
		"\(.close.type) \(.bytes.c2s.by_seq)"')"
check 'what the interface dropped is counted' same 0 \
	"$(live 'select(.type == "summary") | .captured.dropped')"
check 'lines of an interface keep to the schema' \
	python3 "$TMP/validate.py" "$TMP/schema" <"$TMP/live"
check 'for people' listen_on "$IFACE"
check 'a refused one' exits 1 nc -z "$OWN4" 9
check 'Ctrl-C ends that, too' stop_listening
check 'a row' grep -q "$OWN4:9  *refused" "$TMP/live"
check 'and a summary' grep -q 'Outcomes  *refused 1 (100.0%)' "$TMP/live"
check 'for some time' exits 0 analyze -i lo -q --duration 300ms
check 'a filter that is none: 2' exits 2 analyze -i lo 'nonsense and'
check 'no such interface: 5' exits 5 analyze -i none0
check 'stops' stop_daemon

summary
