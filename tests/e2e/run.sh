#!/bin/bash
# run.sh SCRIPT...: run scripts of this directory, one more at a time than there
# are processors, for each has a world of its own and waits more than it computes.
# What one says is shown when it has ended. After the first that fails no other
# is begun.
set -u

scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

# run SCRIPT: in its own world, and what it said in one piece.
run()
{
	local name=${1##*/} code

	"$1" >"$scratch/$name.said" 2>&1
	code=$?
	[ "$code" = 0 ] || : >"$scratch/failed"
	flock "$scratch" sh -c "echo '--- $1'; cat '$scratch/$name.said'"
}

for script; do
	while [ "$(jobs -rp | wc -l)" -gt "$(nproc)" ]; do
		wait -n
	done
	[ ! -e "$scratch/failed" ] || break
	run "$script" &
done
wait
[ ! -e "$scratch/failed" ]
