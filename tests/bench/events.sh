#!/bin/bash
# events.sh - What it costs to tell what happens
#
#	events.sh [--smoke]
#
# Connect, echo and close as fast as one client core can, against daemons that
# differ in who takes their events:
#
#	none     nobody: log.level = error, log.recent = 0
#	default  the log at level info, on stderr, and the memory of events
#	file     these, and a file
#	follow   these, and a client that follows
#
# The daemons take turns. Compared is the processor time that a connection costs
# the daemon, the least of all turns; beside it stands how many connections there
# were in a second, at most.
#
# The goal is 1.10 at 50,000 connections a second, which no machine with one core
# for the client offers. But lines have a budget a second: 2,000 of each type in
# the file, 10,000 for those who follow, and what is beyond is counted. So what
# they add to a second is the same at any rate above 2,000, and their part of
# 50,000 connections is what the last column adds to the ratio of the default.
. "$(dirname "$0")/../e2e/lib.sh"
E2E_JUDGE=0
SELF_CHECK=no

RUNS=${RUNS:-7}
COUNT=${COUNT:-20000}
[ "${1:-}" = --smoke ] && RUNS=1 COUNT=500
LOAD=$B/tests/bench/load
RESULTS=$TMP/results

start_as()
{
	write_conf <<-CONF
		[limits]
		memory = 256MiB
		[log]
		$(case $1 in
		none) printf 'level = error\nrecent = 0\n' ;;
		file | follow) printf 'file = %s\n' "$TMP/events.ndjson" ;;
		esac)
		[listener.echo]
		port = 7
		service = echo
		backlog = 4096
	CONF
	start_daemon || exit 1
	sysctl -qw net.ipv4.ip_local_port_range='1024 65535'
	sysctl -qw net.ipv4.tcp_tw_reuse=1
	[ "$1" != follow ] || {
		ctl events -f --ndjson >"$TMP/followed" &
		FOLLOWER=$!
	}
}

# cpu: processor time of the daemon so far, ns; stat counts by ticks of a timer
# that ours run with.
cpu()
{
	cut -d ' ' -f 1 "/proc/$DAEMON/schedstat"
}

turn()
{
	local before json

	start_as "$2"
	before=$(cpu)
	json=$("$LOAD" cec $OWN4 -n 64 -c "$COUNT" -t 60 2>"$TMP/load.err")
	[[ $json =~ \"per_second\":([0-9.]+) ]] || {
		fail "$2" "$json$(cat "$TMP/load.err")"
		return
	}
	echo "$1 $2 $(($(cpu) - before)) ${BASH_REMATCH[1]}" >>"$RESULTS"
	[ "$2" != follow ] || kill "$FOLLOWER"
	stop_daemon
	rm -f "$TMP"/events.ndjson* "$TMP/followed"
}

for ((run = 1; run <= RUNS; run++)); do
	for subject in none default file follow; do
		turn "$run" "$subject"
	done
done

awk -v count="$COUNT" '
	function median(list, n, i, j, t) {
		for (i = 1; i <= n; i++)
			for (j = i + 1; j <= n; j++)
				if (list[j] < list[i]) {
					t = list[i]
					list[i] = list[j]
					list[j] = t
				}
		return list[int((n + 1) / 2)]
	}
	{
		cpu[$2, $1] = $3
		rate[$2, $1] = $4
		if ($1 > runs)
			runs = $1
		if (!($2 in least) || $3 < least[$2])
			least[$2] = $3
		if ($4 > most[$2])
			most[$2] = $4
	}
	END {
		printf "%-10s %16s %14s %8s %12s\n", "EVENTS TO",
			"us a connection", "connections/s", "ratio",
			"at 50,000/s"
		n = split("none default file follow", names)
		for (k = 1; k <= n; k++) {
			for (r = 1; r <= runs; r++)
				added[r] = (cpu[names[k], r] - \
					cpu["default", r]) / 1e3 * \
					rate[names[k], r] / count
			none = least["none"] / 1e3 / count
			us = least[names[k]] / 1e3 / count
			if (!none)
				continue
			printf "%-10s %16.2f %14.0f %8.3f", names[k], us,
				most[names[k]], us / none
			if (names[k] != "none")
				printf " %12.3f", least["default"] / \
					least["none"] + \
					median(added, runs) / 50000 / none
			printf "\n"
		}
	}' "$RESULTS"
check "$((4 * RUNS)) turns" test "$(wc -l <"$RESULTS")" = $((4 * RUNS))
summary
