#!/bin/bash
# tour.sh - Each command of tcphs-tour(7), as it stands there
#
# That they run and find something to show; what they show is looked at by the
# scripts of their own. A command that would go on for ever ends after a second.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

EVENTS=$TMP/events.ndjson
write_conf <<CONF
[timers]
msl = 100ms
[listener.echo]
port = 7
service = echo
[listener.talk]
port = 8090
service = chat
[listener.metrics]
port = 9107
service = metrics
[log]
file = $EVENTS
[capture]
directory = $TMP/capture
CONF
mkdir "$TMP/capture"
PATH=$(dirname "$TCPHSCTL"):$(dirname "$TCPHSD"):$PATH

# commands: those of the manual, a line each, without its marks.
commands()
{
	python3 - "$ROOT/daemon/tcphs-tour.7.scd" <<'PYTHON'
import re, sys
for line in open(sys.argv[1], encoding="utf-8"):
    if not line.startswith((":", "$ ")):
        continue
    for part in re.split(r"[;,]| for the |: ", line[1:].lstrip(" <")):
        part = re.sub(r"[*_\[\]]", " ", part)
        part = " ".join(part.split())
        if re.match(r"(tcphs(ctl|d lab)|tshark)\b", part):
            print(part)
PYTHON
}

# run LINE: with somebody in the place of each name.
run()
{
	local line=$1

	case $line in
	*--rst*) line="tcphsctl close --rst conn" ;;
	'tcphsctl close --all filter')
		line='tcphsctl close --all listener = talk' ;;
	'tcphsctl kill filter') line='tcphsctl kill -y listener = talk' ;;
	'tcphsctl connect') line='tcphsctl connect addr port' ;;
	esac
	case $line in
	'tcphsctl top'*) # has no terminal here: top.sh
		exits 2 tcphsctl top </dev/null && return ;;
	esac
	line=${line/| wireshark -k -i -/| tshark -n -i - -c 2}
	line=" $line "
	line=${line/ addr port / $HOST4 5000 }
	line=${line/ text / hello }
	line=${line/ name / echo }
	line=${line/ log / $EVENTS }
	line=${line/ dump -w file / dump -w $TMP/dump.pcapng }
	line=${line/ > file / > $TMP/bytes }
	line=${line/ --html page / --html $TMP/page.html }
	line=${line/ -w file / -w $TMP/export.pcapng }
	line=${line/ file / $CAPTURE }
	if [[ $line == *' conn '* ]]; then
		somebody || return 1
		line=${line/ conn / $CONN }
	fi
	echo "$line"
	for_a_second "$line"
}

# for_a_second LINE: what would go on for ever has shown enough by then. Not by
# timeout(1), which sends SIGCONT behind SIGTERM: that takes away the SIGSTOP for
# which LeakSanitizer waits in a program that ends.
for_a_second()
{
	local pid

	setsid bash -c "$1" </dev/null &
	pid=$!
	if wait_for 1 not_running "$pid"; then
		wait "$pid"
	else
		kill -TERM -- "-$pid"
		wait "$pid" || true
	fi
}

not_running()
{
	! kill -0 "$1" 2>/dev/null
}

# somebody: who talks, and waits for an answer; its name is $CONN.
somebody()
{
	(
		echo hello
		exec sleep 100
	) | nc "$OWN4" 8090 >/dev/null &
	wait_for 5 exits 0 ctl -q list listener = talk state established \
		bytes = 6 &&
		CONN=$(ctl --raw -H -o id list listener = talk \
			state established bytes = 6 | tail -n 1)
}

traffic()
{
	while :; do
		nc -N "$OWN4" 7 <<<hello >/dev/null
		sleep 0.1
	done
}

# rows: the numbers at the margin, ranges written out.
rows()
{
	python3 - "$ROOT/daemon/tcphs-tour.7.scd" <<'PYTHON'
import re, sys
for line in open(sys.argv[1], encoding="utf-8"):
    if re.match(r"\|\[? +\*S\d", line):
        for first, last in re.findall(r"\*S(\d+)\*(?: to \*S(\d+)\*)?", line):
            for n in range(int(first), int(last or first) + 1):
                print(f"S{n:03}")
PYTHON
}

check 'nothing of what was asked for is without a line' same \
	"$(seq -f 'S%03g' 94)" "$(rows | sort)"
start_daemon
nc -lk "$HOST4" 5000 </dev/null >/dev/null &
wait_for 5 eval 'ss -Hltn "sport = :5000" | grep -q .'
check_not 'an attempt that fails' nc -z "$OWN4" 8443
traffic &
CAPTURE=$TMP/run.pcapng
check 'a capture' ctl -q dump -c 12 -w "$CAPTURE"
tour=0
while IFS= read -r line; do
	tour=$((tour + 1))
	check "$line" run "$line"
done < <(commands | awk '!seen[$0]++')
check 'the tour has commands' test "$tour" -ge 40
check 'the kernel has no socket of it' eval '! ss -Htanp | grep tcphsd'
check 'and the page of metrics' eval \
	'curl -s "http://$OWN4:9107/metrics" | grep -q ^tcphs_build_info'
stop_daemon KILL
summary
