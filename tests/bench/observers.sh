#!/bin/bash
# observers.sh - What it costs that the engine can be observed
#
#	observers.sh [--smoke]
#
# The figures of bench_core as ratios to those of an engine that nobody can
# observe (OBSERVABLE=0, tcp_priv.h):
#
#	nobody   one that could be observed, and is not; goal: 1.03 at most
#	events   whose events are recorded and read, those of the default
#	packets  whose packets are kept; goal: 1.10 at most
#
# Once in instructions, counted by callgrind, which are the same in every run;
# and once in nanoseconds, the fastest of RUNS turns each: of what else the
# machine does, they have the least.
B=${B:-build}
RUNS=${RUNS:-7}
N=1000 # connections
SUBJECTS='none nobody events packets'
FIGURES='segment request handshake timer'
[ "${1:-}" = --smoke ] && RUNS=1 FIGURES=segment
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

# command_of SUBJECT: its bench_core, in $BENCH
command_of()
{
	local bin=$B/tests/bench/bench_core

	case $1 in
	none) BENCH=("${bin}_unobserved") ;;
	nobody) BENCH=("$bin") ;;
	events) BENCH=("$bin" --events) ;;
	packets) BENCH=("$bin" --packets) ;;
	esac
}

# instructions SUBJECT FIGURE: a line of millions, of all that is measured
instructions()
{
	command_of "$1"
	valgrind --tool=callgrind --collect-atstart=no \
		--toggle-collect=core_turn --callgrind-out-file="$TMP/out" \
		"${BENCH[@]}" --only "$2" $N >"$TMP/log" 2>&1 || {
		cat "$TMP/log" >&2
		exit 1
	}
	awk -v who="$1" -v what="$2" '$1 == "totals:" {
		print "instructions", who, what, $2 }' "$TMP/out"
}

# times SUBJECT: nanoseconds of each figure
times()
{
	command_of "$1"
	"${BENCH[@]}" --json "$TMP/json" $N >"$TMP/log" || exit 1
	jq -r --arg who "$1" '.[0] as $ns |
		{segment: "segment_ns", request: "request_ns",
		 handshake: "handshake_close_ns", timer: "timer_ns"} |
		to_entries[] | "times \($who) \(.key) \(
			$ns[.value] * ($ns[.value + "_kept"] // 1))"' "$TMP/json"
}

for figure in $FIGURES; do
	for subject in $SUBJECTS; do
		instructions "$subject" "$figure" || exit 1
	done
done >"$TMP/results"
for ((i = 0; i < RUNS; i++)); do
	for subject in $SUBJECTS; do
		times "$subject" || exit 1
	done
done >>"$TMP/results"

awk -v figures="$FIGURES" '
	# With packets each is done twice, without and with.
	$1 == "instructions" && $2 == "packets" {
		$4 -= least["instructions", "nobody", $3]
	}
	{
		key = $1 SUBSEP $2 SUBSEP $3
		if (!(key in least) || $4 < least[key])
			least[key] = $4
	}
	END {
		printf "%-24s %10s %10s %10s\n", "", "nobody", "events",
			"packets"
		n = split(figures, f)
		m = split("instructions times", of)
		for (k = 1; k <= m; k++)
			for (i = 1; i <= n; i++) {
				all = least[of[k], "none", f[i]]
				printf "%-24s %10.3f %10.3f %10.3f\n", \
					f[i] ", " of[k],
					least[of[k], "nobody", f[i]] / all,
					least[of[k], "events", f[i]] / all,
					least[of[k], "packets", f[i]] / all
			}
	}' "$TMP/results"
