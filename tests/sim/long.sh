#!/bin/sh
# long.sh - Many seeds of the simulator, in parts that can be interrupted
#
#	long.sh PROGRAM DIRECTORY SEEDS FROM JOBS
#
# The program is copied into the directory first, so that a build does not
# change it half way; what it says of each part lies beside it, and a part
# that is there in full is not run again. Another program begins anew.

part=10000
sim=$1 dir=$2 n=$3 from=$4 jobs=$5

if ! cmp -s "$sim" "$dir/sim"; then
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$sim" "$dir/sim"
fi

end=$((from + n))
passed=0 failed=0
while [ "$from" -lt "$end" ]; do
	[ $((end - from)) -lt $part ] && part=$((end - from))
	log=$dir/$from+$part
	if ! [ -s "$log" ]; then
		nice "$dir/sim" --seeds $part --from "$from" --jobs "$jobs" \
			>"$log.new" 2>&1
		grep -q '^sim: ' "$log.new" || exit 1 # interrupted
		mv "$log.new" "$log"
	fi
	grep -v '^sim: ' "$log"
	# shellcheck disable=SC2046 # words: sim: N passed, N failed
	set -- $(grep '^sim: ' "$log")
	passed=$((passed + $2)) failed=$((failed + $4))
	from=$((from + part))
	echo "up to $((from - 1)): $passed passed, $failed failed"
done
echo "sim-long: $passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
