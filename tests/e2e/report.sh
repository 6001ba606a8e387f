#!/bin/bash
# report.sh - What happened over a time, added up
#
# Known attempts of real clients, counted by tcphsctl report from the daemon's
# memory and from its log file, also over a restart, and in each format.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

EVENTS=$TMP/events.ndjson
write_conf <<CONF
[timers]
msl = 100ms
synack_retries = 0
[listener.echo]
port = 7
service = echo
[listener.closed]
port = 8081
service = echo
allow = 10.0.0.0/8
[detect]
scan_ports = 5
[log]
file = $EVENTS
CONF

# is WANT JQ [ARG...]: of the report as JSON
is()
{
	local want=$1 jq=$2

	shift 2
	ctl report -f json "$@" >"$TMP/report.json" &&
		same "$want" "$(jq -c "$jq" "$TMP/report.json")"
}

talk()
{
	local i

	for ((i = 0; i < $1; i++)); do
		nc -N "$OWN4" 7 <<<hello >/dev/null
	done
	wait_for 5 exits 1 ctl -q list state connected
}

# ---- of the daemon ----------------------------------------------------------

start_daemon
check 'nothing yet' is '[0,[],[],[]]' '[.total.attempts, .groups, .failures, .alerts]'
check 'in words' eval 'ctl report | grep -q "^Nobody tried to connect"'
talk 5
nc -z "$OWN4" 8443
nc -z "$OWN4" 8443
nc -z "$OWN4" 8081
ctl -q probe -c 1 "$HOST4" 5009
check 'attempts, completed, failed' is '[9,5,4]' \
	'.total | [.attempts, .completed, .failed]'
check 'by listener' is '[null,"closed","echo",null]' '[.groups[].listener]'
check 'and role' is '["server","server","server","client"]' '[.groups[].role]'
check 'outcomes' is '{"completed":5,"refused":3,"rejected":1}' .total.outcomes
check 'failures: the most first' is \
	'[[2,"refused","no_listener"],[1,"refused","refused"],[1,"rejected","syn_denied"]]' \
	'[.failures[] | [.count, .outcome, .reason]]'
check 'with the latest of each' is '[true,true]' '.failures[0] |
	[(.peer | startswith("198.18.66.1:")), (.conn | startswith("c"))]'
check 'times in their order' is true '.groups[2] | .timed == 5 and
	.min_us > 0 and .min_us <= .p50_us and .p50_us <= .p90_us and
	.p90_us <= .p99_us and .p99_us <= .max_us'
check 'those of the histogram' same \
	"$(ctl histogram --json | jq '.[] | select(.listener == "echo") | [.min_us, .max_us]' | jq -c .)" \
	"$(ctl report -f json | jq -c '.groups[2] | [.min_us, .max_us]')"
check 'how they ended' is '[5,1]' '[.endings.fin, .endings.refused]'
check 'all is covered' is '[true,null]' '.period | [.complete, .asked_from]'
check 'not what was before' is \
	'[false,"the daemon was started only then"]' \
	'.period | [.complete, .cut]' --since 1h
check 'text says so' eval 'ctl report --since 1h |
	grep -q "^asked from .* but the daemon was started only then"'
check 'nothing since now' is '[0,0]' '[.total.attempts, .period.events]' \
	--since 1us
check 'text: a line each' eval 'ctl report | grep -Eq "^echo +server +5 +5 +0 "'
check 'text: the sum' eval 'ctl report | grep -Eq "^all +- +9 +5 +4 "'
check 'csv' same 'closed,server,1,0,1 echo,server,5,5,0' \
	"$(ctl report -f csv | grep '^[a-z][a-z]*,server,[0-9]' | cut -d, -f1-5 |
		paste -sd' ')"
check 'csv: a header' same 'listener,role,attempts,completed,failed' \
	"$(ctl report --csv | head -n 1 | cut -d, -f1-5)"

for port in 101 102 103 104 105 106 107 108; do
	nc -z "$OWN4" $port
done
check 'alerts' wait_for 5 is '"port_scan"' '.alerts[0].kind'
check 'text: alerts' eval 'ctl report | grep -q "Port scan"'

# ---- who looks hostile ------------------------------------------------------

# found JQ [ARG...]: true of the report on security
found()
{
	local jq=$1

	shift
	ctl report --security -f json "$@" >"$TMP/security.json" &&
		jq -e "$jq" "$TMP/security.json" >/dev/null && return 0
	cat "$TMP/security.json"
	return 1
}

# finding CODE JQ: true of one of the findings
finding()
{
	found "any(.findings[]; .code == \"$1\" and $2)"
}

# A half-open scan; and SYNs made by hand, of somebody who is not there.
ip addr add 198.18.66.9/32 dev "$IFACE"
nmap -n -Pn -sS --max-retries 0 -S 198.18.66.9 -e "$IFACE" -p 7,20-29 "$OWN4" \
	>"$TMP/nmap" 2>&1
/usr/bin/python3 - "$OWN4" <<'E'
import logging, sys
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import IP, TCP, send
for i in range(6):
    send(IP(src="198.18.66.10", dst=sys.argv[1]) /
         TCP(sport=3000 + i, dport=7, flags="S", seq=1000 + 64 * i),
         verbose=False)
send(IP(src="198.18.66.10", dst=sys.argv[1]) /
     TCP(sport=3100, dport=8, flags="FPU", seq=5), verbose=False)
E
check 'its alert, with words' finding port_scan \
	'.numbers.ports >= 5 and .active != null and (.meaning | length) > 40 and
	 (.innocent | length) > 20 and (.action | length) > 20 and
	 (.from | length) >= 1 and (.message | startswith("[Alert] Port scan"))'
check 'closed ports: how many, of how many' wait_for 5 finding closed_ports \
	'.numbers.attempts >= 20 and .numbers.sources == 2'
check 'turned away' finding turned_away '.numbers == {attempts: 1, sources: 1}'
check 'a half-open scan' wait_for 5 finding half_open_scan '.count == 1'
check 'nobody finished' wait_for 5 finding unanswered \
	'.numbers == {attempts: 6, sources: 1}'
check 'without options' finding bare_syns '.numbers == {attempts: 6, sources: 1}'
check 'numbers that can be guessed' finding guessable_isn '.count == 2'
check 'segments of no connection' finding stray_segments '.count == 1'
check 'a source: what came of it' found 'any(.sources[];
	.source == "198.18.66.9" and .refused == 10 and .reset == 1 and
	.completed == 0 and .ports == 11 and .isn == "constant" and
	.options == "mss=1460")'
check 'another' found 'any(.sources[]; .source == "198.18.66.10" and
	.unanswered == 6 and .ports == 2 and .isn == "predictable")'
check 'one that means no harm' found 'any(.sources[];
	.source == "198.18.66.1" and .completed == 5 and .isn == "random" and
	(.options | startswith("mss=1460 sackok ts ws")))'
check 'the worst first' found '.sources | map(.refused + .rejected +
	.unanswered + .reset + .other + .strays) | . == (sort | reverse)'
check 'text: a finding' eval 'ctl report --security >"$TMP/security.txt" &&
	grep -q "^Port scan (warning): " "$TMP/security.txt" &&
	grep -q "^     do        [A-Z]" "$TMP/security.txt" &&
	grep -Eq "^198.18.66.9 +0 +10 +0 +0 +1 " "$TMP/security.txt"'
check 'csv: a row for each' same \
	"$(jq -r '.findings[].code' "$TMP/security.json")" \
	"$(ctl report --security --csv | tail -n +2 | cut -d, -f1 | grep '^[a-z]')"
check 'nothing of before now' found '.findings == [] and .sources == []' \
	--since 1us
check 'and that in words' eval 'ctl report --security --since 1us |
	grep -q "^Nothing looks wrong"'

# ---- of the log file, over a restart ----------------------------------------

stop_daemon
start_daemon
talk 3
check 'the daemon knows its own life' is 3 .total.completed
stop_daemon
check 'the file knows both' is '[8,2,true,0,0]' \
	'[.total.completed, .period.starts, .period.complete, .period.gaps, .period.damaged]' \
	"$EVENTS"
check 'no daemon is needed; nothing is missing' ctl -q report --verify "$EVENTS"
sed 5d "$EVENTS" >"$TMP/cut.ndjson"
check 'a line that was taken out' exits 1 ctl report --verify "$TMP/cut.ndjson"
check 'is counted' is 1 .period.gaps "$TMP/cut.ndjson"
check 'in words, too' eval 'ctl report "$TMP/cut.ndjson" |
	grep -Eq "lines, 1 gap, 0 damaged; the daemon started 2 times$"'
sed '5s/.*/{"line":5,"ti/' "$EVENTS" >"$TMP/torn.ndjson"
check 'a line that was torn' exits 1 ctl report --verify "$TMP/torn.ndjson"
head -n 10 "$EVENTS" >"$TMP/first"
tail -n +11 "$EVENTS" >"$TMP/second"
check 'one start is one' eval 'ctl report "$TMP/first" |
	grep -Eq "^10 lines, 0 gaps, 0 damaged; the daemon started 1 time$"'
check 'files that took turns' is '[8,0]' \
	'[.total.completed, .period.gaps]' "$TMP/first" "$TMP/second"
cat >"$TMP/twice.ndjson" <<'E'
{"line":1,"time":"2026-01-01T00:00:00Z","event":"alert.raised","alert":"a1","kind":"syn_flood","message":"one"}
{"line":1,"time":"2026-01-01T01:00:00Z","event":"alert.raised","alert":"a1","kind":"port_scan","message":"two"}
{"line":2,"time":"2026-01-01T01:01:00Z","event":"alert.ended","alert":"a1","kind":"port_scan","message":"three"}
E
check 'an alert that a killed daemon left is no other one' \
	is '[["syn_flood","one",false],["port_scan","three",true]]' \
	'[.alerts[] | [.kind, .message, has("ended")]]' "$TMP/twice.ndjson"
check 'hostile ones, too' found 'any(.findings[]; .code == "port_scan") and
	any(.sources[]; .source == "198.18.66.9" and .reset == 1)' "$EVENTS"
check 'a pipe' eval 'ctl report --verify - <"$EVENTS" >/dev/null'
check 'no such file: 1' exits 1 ctl report "$TMP/none"
check '--verify of nothing: 2' exits 2 ctl report --verify
check 'no such format: 2' exits 2 ctl report -f pdf "$EVENTS"
check 'no time: 2' exits 2 ctl report --since never "$EVENTS"
check 'no daemon: 3' exits 3 ctl report

# ---- as a page ---------------------------------------------------------------

cat >"$TMP/evil.ndjson" <<'E'
{"line":1,"time":"2026-01-01T00:00:00Z","event":"handshake.failed","role":"server","listener":"<script>x()</script>","outcome":"refused","reason":"a\"b&c\u001b[2J","peer_addr":"1.2.3.4","peer_port":5}
{"line":2,"time":"2026-01-01T00:00:01Z","event":"alert.raised","alert":"a1","kind":"<b>","message":"\u0007 <img src=x>"}
E
ctl report -f html "$TMP/evil.ndjson" >"$TMP/evil.html"
check 'html: nothing of theirs is markup' negate \
	grep -Eq '<script|<img|<b>' "$TMP/evil.html"
check 'html: but is there' grep -q '&lt;script&gt;x()&lt;/script&gt;' \
	"$TMP/evil.html"
check 'html: no control characters' negate grep -q '[[:cntrl:]]' "$TMP/evil.html"
check 'text: none either' eval 'ctl report "$TMP/evil.ndjson" >"$TMP/evil.txt" &&
	! grep -q "[[:cntrl:]]" "$TMP/evil.txt"'
cat >>"$TMP/evil.ndjson" <<'E'
{"line":3,"time":"2026-01-01T00:00:02Z","event":"alert.raised","kind":"port_scan","source":"<img src=x>\u001b[2J","message":"<script>\u0007","ports":3}
{"line":4,"time":"2026-01-01T00:00:03Z","event":"syn.received","role":"server","peer_addr":"<b>\u001b[2J","options":"<i>\u001b","seg_seq":5}
{"line":5,"time":"2026-01-01T00:00:04Z","event":"limit.reached","reason":"<u>\u001b"}
E
ctl report --security -f html "$TMP/evil.ndjson" >"$TMP/evil.html"
check 'html of security: nothing of theirs is markup' negate \
	grep -Eq '<script|<img|<b>&|<i>|<u>' "$TMP/evil.html"
check 'html of security: but is there' grep -q '&lt;script&gt;' "$TMP/evil.html"
for format in html text csv json; do
	ctl report --security -f $format "$TMP/evil.ndjson" >"$TMP/evil.txt"
	check "$format of security: no control characters" negate \
		grep -q '[[:cntrl:]]' "$TMP/evil.txt"
done
ctl report --security -f html "$EVENTS" >"$TMP/security.html"
check 'html of security: its words' grep -q \
	'<b>What to do</b> Ask whose it is' "$TMP/security.html"
ctl report -f html "$EVENTS" >"$TMP/report.html"
check 'html: whole, and loads nothing' python3 - "$TMP/report.html" \
	"$TMP/security.html" <<'E'
import html.parser, sys
class Page(html.parser.HTMLParser):
    open = []
    def handle_starttag(self, tag, attrs):
        assert not {"src", "href"} & dict(attrs).keys(), (tag, attrs)
        assert tag not in ("script", "link", "img", "iframe"), tag
        if tag != "meta":
            self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
for name in sys.argv[1:]:
    page = Page()
    page.feed(open(name, encoding="utf-8").read())
    page.close()
    assert not page.open, page.open
text = open(sys.argv[1], encoding="utf-8").read()
for word in ("prefers-color-scheme: dark", "color-scheme: light dark",
             "<td>echo</td>", "Port scan", "no_listener"):
    assert word in text, word
E
summary
