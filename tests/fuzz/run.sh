#!/bin/bash
# run.sh SECONDS|regress TARGET...: run fuzz targets one after the other, each
# for so long, or each on its stored corpus only. A finding stays beside its
# target with the command that repeats it; the corpus in the tree is not
# written to. With FOUND=DIRECTORY what was found stays there, is where the next
# run begins, and a "keep" in the place of SECONDS puts the least of it that
# reaches as much into the tree.
set -u

how=$1
shift
passed=0
failed=0
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
export UBSAN_OPTIONS=print_stacktrace=1

for target; do
	name=${target##*/fuzz_}
	stored=$(dirname "$0")/corpus/$name
	finding=$(dirname "$target")/$name-
	corpus=${FOUND:-$scratch}/$name
	mkdir -p "$corpus"
	if [ -d "$stored" ]; then
		cp -r "$stored/." "$corpus"
	fi
	seeds=$(find "$corpus" -type f | wc -l)
	case $how in
	regress)
		limit=-runs=0
		;;
	keep)
		limit="-set_cover_merge=1 -use_counters=0"
		mkdir "$scratch/kept"
		corpus="$scratch/kept $corpus"
		;;
	*)
		limit=-max_total_time=$how
		;;
	esac
	# shellcheck disable=SC2086
	if "$target" $limit -rss_limit_mb=2048 -timeout=10 \
		-artifact_prefix="$finding" $corpus \
		>"$scratch/log" 2>&1; then
		if [ "$how" = keep ]; then
			mkdir -p "$stored"
			mv "$scratch/kept"/* "$stored"
			rmdir "$scratch/kept"
		fi
		passed=$((passed + 1))
		runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$scratch/log")
		echo "ok   fuzz_$name: ${runs:-0} runs from $seeds stored inputs"
		continue
	fi
	failed=$((failed + 1))
	echo "FAIL fuzz_$name"
	grep -v '^#\|^INFO\|NEW_FUNC\|in fuzzer::' "$scratch/log" | head -n 40 | sed 's/^/     | /'
	input=$(sed -n 's/.*Test unit written to //p' "$scratch/log")
	echo "     repeat: $target ${input:-$stored/*}"
done

echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
