#!/bin/bash
# observers.sh - What it costs that the engine can be observed
#
#	observers.sh [--check]
#
# The figures of bench_core as ratios to those of an engine that nobody can
# observe (OBSERVABLE=0, tcp_priv.h):
#
#	nobody   one that could be observed, and is not; goal: 1.03 at most
#	events   whose events are recorded and read, those of the default
#	unread   whose events are recorded, and whoever should read them never
#	         does, so that they are lost and counted: of handshakes, which
#	         alone have so many; goal: 1.10 at most
#	packets  whose packets are kept; goal: 1.10 at most
#
# Once in instructions, counted by callgrind, which are the same in every run;
# and once in nanoseconds, the fastest of RUNS turns each: of what else the
# machine does, they have the least.
#
# With --check only instructions, of a tenth of the work on a tenth of the
# connections, and each goal that is missed is a failure.
B=${B:-build}
RUNS=${RUNS:-7}
N=1000 WORK=70000
SUBJECTS='none nobody events unread packets'
FIGURES='segment request handshake timer'
[ "${1:-}" = --check ] && CHECK=1 N=100 WORK=7000
export B N WORK
TMP=$(mktemp -d)
export TMP
trap 'rm -rf "$TMP"' EXIT

# command_of SUBJECT: its bench_core, in $BENCH
command_of()
{
	local bin=$B/tests/bench/bench_core

	case $1 in
	none) BENCH=("${bin}_unobserved") ;;
	nobody) BENCH=("$bin") ;;
	*) BENCH=("$bin" "--$1") ;;
	esac
}

# instructions SUBJECT FIGURE: a line of them, of all that is measured
instructions()
{
	local at=$TMP/$1.$2

	command_of "$1"
	valgrind --tool=callgrind --collect-atstart=no \
		--toggle-collect=core_turn --callgrind-out-file="$at" \
		"${BENCH[@]}" --only "$2" --work "$WORK" "$N" >"$at.log" 2>&1 ||
		{
			cat "$at.log" >&2
			return 1
		}
	awk -v who="$1" -v what="$2" '$1 == "totals:" {
		print "instructions", who, what, $2 }' "$at"
}
export -f command_of instructions

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
		[ $subject = unread ] && [ $figure != handshake ] ||
			echo "$subject $figure"
	done
done | xargs -P 2 -L 1 bash -c 'instructions "$@"' - >"$TMP/results" || {
	echo "observers: bench_core cannot be counted by callgrind" >&2
	echo "observers: 0 passed, 1 failed"
	exit 1
}
[ "${CHECK:-}" ] || for ((i = 0; i < RUNS; i++)); do
	for subject in $SUBJECTS; do
		times "$subject" || exit 1
	done
done >>"$TMP/results"

awk -v figures="$FIGURES" -v subjects="${SUBJECTS#none }" \
	-v of="instructions${CHECK:- times}" -v check="${CHECK:-0}" '
	BEGIN {
		goal["nobody"] = 1.03
		goal["unread"] = goal["packets"] = 1.10
	}
	{
		key = $1 SUBSEP $2 SUBSEP $3
		if (!(key in least) || $4 < least[key])
			least[key] = $4
	}
	# With packets each is done twice, without and with.
	function ratio(what, who, figure, n) {
		if (!((what, who, figure) in least))
			return "-"
		n = least[what, who, figure]
		if (what == "instructions" && who == "packets")
			n -= least[what, "nobody", figure]
		return sprintf("%.3f", n / least[what, "none", figure])
	}
	END {
		sub(/1$/, "", of)
		m = split(of, whats)
		n = split(figures, f)
		w = split(subjects, who)
		printf "%-24s", ""
		for (j = 1; j <= w; j++)
			printf " %10s", who[j]
		for (k = 1; k <= m; k++)
			for (i = 1; i <= n; i++) {
				printf "\n%-24s", f[i] ", " whats[k]
				for (j = 1; j <= w; j++)
					printf " %10s", ratio(whats[k], \
						who[j], f[i])
			}
		printf "\n%-24s", "goal, at most"
		for (j = 1; j <= w; j++)
			printf " %10s", who[j] in goal ? \
				sprintf("%.2f", goal[who[j]]) : "-"
		printf "\n"
		if (!check)
			exit
		for (j = 1; j <= w; j++)
			for (i = 1; i <= n && who[j] in goal; i++) {
				r = ratio("instructions", who[j], f[i])
				if (r == "-")
					continue
				if (r > 0 && r <= goal[who[j]]) {
					passed++
					continue
				}
				failed++
				printf "FAIL: %s, %s: %s times the " \
					"instructions of an engine that cannot " \
					"be observed, more than %.2f\n", \
					f[i], who[j], r, goal[who[j]]
			}
		printf "observers: %d passed, %d failed\n", passed, failed
		exit failed > 0
	}' "$TMP/results"
