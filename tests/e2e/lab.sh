#!/bin/bash
# lab.sh - tcphsd lab says what it said before, to anybody
#
# Both forms are golden files. What changes TCP on purpose writes them anew:
#
#	build/tcphsd lab >tests/golden/lab.txt
#	build/tcphsd lab --classic >tests/golden/lab-classic.txt
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

GOLDEN=$ROOT/tests/golden
install -m 0755 "$TCPHSD" "$TMP/tcphsd"

# lab ARG...: as an ordinary user, in an empty network.
lab()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
		--bounding-set=-all "$TMP/tcphsd" lab "$@"
}

# Enter after each of the first two packets, and then nobody is there.
stepped()
{
	mkfifo "$TMP/in" "$TMP/out"
	"$TMP/tcphsd" lab --step <"$TMP/in" >"$TMP/out" &
	exec 5>"$TMP/in" 6<"$TMP/out"
	until_line 'SYN seq=0' && ! read -r -t 0.2 -u 6 _ && echo >&5 &&
		until_line 'SYN-ACK seq=0' && echo >&5 &&
		until_line ' ACK seq=1' && exec 5>&- &&
		until_line TIME-WAIT && cat <&6 && wait $!
}

until_line()
{
	local line

	while IFS= read -r -t 5 -u 6 line; do
		[[ $line == *"$1"* ]] || continue
		[[ $line != *SYN* ]] || read -r -t 5 -u 6 line # its options
		return 0
	done
	echo "no line with $1"
	return 1
}

check 'the lesson' diff "$GOLDEN/lab.txt" <(lab)
check 'the classic lines' diff "$GOLDEN/lab-classic.txt" <(lab --classic)
check '... begin with those of a handshake' diff - <(lab --classic |
	sed '/completed in/d' | head -n 4) <<'LINES'
[Client] Sending SYN to 198.18.66.2:8090
[Server] Received SYN, sending SYN-ACK
[Client] Received SYN-ACK, sending ACK
[Server] Received ACK, handshake completed
LINES
check '... whatever the seed' \
	diff "$GOLDEN/lab-classic.txt" <(lab --classic --seed 4711)
check 'no line beyond 80 columns' \
	same '' "$(awk 'length > 80' "$GOLDEN/lab.txt")"
check 'step by step' stepped
check 'no such seed' exits 64 lab --seed x
check 'no such option' exits 64 lab --fast
check 'help' lab --help
check 'nowhere to write to' \
	exits 74 sh -c 'exec "$0" lab >/dev/full' "$TMP/tcphsd"

summary
