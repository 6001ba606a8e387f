#!/bin/bash
# run.sh SECONDS|regress TARGET...: run fuzz targets, as many at a time as there
# are processors, each for so long, or each on its stored corpus only. A finding
# stays beside its target with the command that repeats it; the corpus in the
# tree is not written to. With FOUND=DIRECTORY what was found stays there, is
# where the next run begins, and a "keep" in the place of SECONDS puts the least
# of it that reaches as much into the tree.
set -u

how=$1
shift
passed=0
failed=0
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
export UBSAN_OPTIONS=print_stacktrace=1

# fuzz TARGET: one of them, and what there is to say of it.
fuzz()
{
	local target=$1 name=${1##*/fuzz_} limit seeds runs input
	local stored=${0%/*}/corpus/$name finding=${1%/*}/$name-
	local corpus=${FOUND:-$scratch}/$name
	local log=$scratch/$name.log kept=$scratch/$name.kept

	mkdir -p "$corpus"
	[ ! -d "$stored" ] || cp -r "$stored/." "$corpus"
	seeds=$(find "$corpus" -type f | wc -l)
	case $how in
	regress)
		limit=-runs=0
		;;
	keep)
		limit="-set_cover_merge=1 -use_counters=0"
		mkdir "$kept"
		corpus="$kept $corpus"
		;;
	*)
		limit=-max_total_time=$how
		;;
	esac
	# shellcheck disable=SC2086
	if "$target" $limit -rss_limit_mb=2048 -timeout=10 \
		-artifact_prefix="$finding" $corpus >"$log" 2>&1; then
		if [ "$how" = keep ]; then
			mkdir -p "$stored"
			mv "$kept"/* "$stored"
		fi
		runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
		echo "ok   fuzz_$name: ${runs:-0} runs from $seeds stored inputs"
		return 0
	fi
	echo "FAIL fuzz_$name"
	grep -v '^#\|^INFO\|NEW_FUNC\|in fuzzer::' "$log" | head -n 40 |
		sed 's/^/     | /'
	input=$(sed -n 's/.*Test unit written to //p' "$log")
	echo "     repeat: $target ${input:-$stored/*}"
	return 1
}

for target; do
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n
	done
	{
		fuzz "$target" >"$scratch/${target##*/}.said"
		echo $? >"$scratch/${target##*/}.code"
	} &
done
wait
for target; do
	cat "$scratch/${target##*/}.said"
	if [ "$(cat "$scratch/${target##*/}.code")" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
