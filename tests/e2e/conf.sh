#!/bin/bash
# What `tcphsd -t` says about good and bad configurations: every word of it, on
# stderr, with exit code 78; nothing is started.
. "$(dirname "$0")/lib.sh"

cd "$TMP" || exit 1

# good NAME [ARG...]: the configuration on stdin is taken without a word of
# complaint.
good()
{
	local name=$1

	shift
	cat >file.conf
	check "$name" exits 0 "$TCPHSD" -t -c file.conf "$@"
}

# bad NAME WANT [ARG...]: the configuration on stdin gives exactly the lines
# WANT.
bad()
{
	local name=$1 want=$2

	shift 2
	cat >file.conf
	check "$name" refused "$want" -c file.conf "$@"
}

refused()
{
	local want=$1 got code=0

	shift
	got=$("$TCPHSD" -t "$@" 2>&1) || code=$?
	same "$want" "$got" && same 78 "$code"
}

nothing_started()
{
	same '' "$(ls /run/tcphsd 2>&1 | grep -v 'No such')" &&
		same '' "$(ip -o link show type tun)"
}

check 'the shipped file' exits 0 "$TCPHSD" -t -c "$ROOT/conf/tcphsd.conf"
good 'an empty file' </dev/null
good 'overrides' -D interface.mtu=9000 -D listener.echo.port=7007 </dev/null
good 'IPv4 alone, small packets' <<'END'
[interface]
address6 =
mtu = 576
END

bad 'unknown section' \
	"file.conf:1: unknown section [interfaces]; did you mean 'interface'?" <<'END'
[interfaces]
mtu = 1500
END
bad 'unknown key' \
	"file.conf:4: unknown key 'prot' in [listener.web]; did you mean 'port'?" <<'END'
[listener.web]
service = http
port = 80
prot = 80
END
bad 'duplicate key' \
	"file.conf:3: 'mtu' was set before, in line 2; keep one" <<'END'
[interface]
mtu = 1500
mtu = 1400
END
bad 'duplicate section' \
	"file.conf:2: [tcp] was there before, in line 1; put its keys together" <<'END'
[tcp]
[tcp]
END
bad 'bad number' \
	"file.conf:2: mtu = 042 begins with a zero; write 42, numbers are decimal" <<'END'
[interface]
mtu = 042
END
bad 'bad unit' \
	"file.conf:2: msl = 30 has no unit; write 30ms, 30s, 30m or 30h" <<'END'
[timers]
msl = 30
END
bad 'overlapping listeners' \
	"file.conf:5: listeners 'a' and 'b' share port 80 and an address; change either" <<'END'
[listener.a]
service = http
port = 80
[listener.b]
port = 80
service = http
address = 198.18.66.2
END
bad 'port 0 and port 70000' \
	"file.conf:2: port = 0 is out of range; write 1 to 65535
file.conf:5: port = 70000 is out of range; write 1 to 65535" <<'END'
[listener.a]
port = 0
service = echo
[listener.b]
port = 70000
service = echo
END
bad 'address outside the prefix' \
	"file.conf:2: address4 = 198.18.67.2 is outside of host_address4 = 198.18.66.1/24; choose one inside" <<'END'
[interface]
address4 = 198.18.67.2
END
bad 'unknown service' \
	"file.conf:3: service = ecko is no service; did you mean 'echo'?" <<'END'
[listener.a]
port = 7
service = ecko
END
bad 'IPv6 in packets too small for it' \
	"file.conf:2: mtu = 1000 is too small for IPv6 (RFC 8200, 5); write 1280 or more, or empty address6" <<'END'
[interface]
mtu = 1000
END
bad 'a line that is none' \
	"file.conf:2: no '=' in this line; write key = value, or # before a comment" <<'END'
[log]
debug
END
bad 'an override' \
	"-D interface.mtu=1: mtu = 1 is out of range; write 576 to 65520" \
	-D interface.mtu=1 </dev/null
bad 'every mistake at once' \
	"file.conf:1: ']' is missing; write [section]
file.conf:4: sack = y is unknown; write no or yes
file.conf:5: no key before '='; write key = value
-D log.level=loud: level = loud is unknown; write error, warning, notice, info or debug" \
	-D log.level=loud <<'END'
[log
level = loud
[tcp]
sack = y
= yes
END
check 'the words of the manual' refused \
	"$(sed -n '/^-D interface.mut=9000:/,/^78$/{/^78$/d;p}' \
		"$ROOT/conf/tcphsd.conf.5.scd")" \
	-D interface.mut=9000 -D listener.web.service=htpp
# Its other examples, as they stand there.
PATH=$(dirname "$TCPHSD"):$PATH
examples=0
while IFS= read -r line; do
	examples=$((examples + 1))
	check "manual: $line" bash -c "cd '$ROOT' && $line"
done < <(sed -n 's/^\$ //p' "$ROOT/conf/tcphsd.conf.5.scd")
check 'the manual has examples' test "$examples" -ge 4
sed -n '/^A listener for everybody/,/^# SEE ALSO/p' \
	"$ROOT/conf/tcphsd.conf.5.scd" | sed '1,/^```/d;/^```/,$d' >part.conf
check 'the file of the manual' test -s part.conf
good 'is a good one' <part.conf
# One listener has all of its keys in both.
keys_of()
{
	sed '/^\[listener.discard/,/^\[detect/d' "$1" |
		sed -n 's/^\([a-z_0-9]*\) *=.*/\1/p' | sort
}

"$TCPHSD" --dump-defaults >defaults.conf
good 'the defaults, written out' <defaults.conf
check 'all keys of the manual are in them' same \
	"$(keys_of "$ROOT/conf/tcphsd.conf")" "$(keys_of defaults.conf)"
check 'they go alone' eval '"$TCPHSD" --dump-defaults -c file.conf 2>&1 |
	grep -q "goes alone"'
check 'a full disk is told' exits 74 sh -c '"$0" --dump-defaults >/dev/full' \
	"$TCPHSD"
check 'another word for -t' exits 78 "$TCPHSD" check-config -D interface.mtu=1
check 'a seed' exits 0 "$TCPHSD" -t --seed 42
check 'no seed' exits 64 "$TCPHSD" -t --seed -1
check 'a seed too large' refused "-D tcphsd.seed=18446744073709551616: \
seed = 18446744073709551616 is out of range; write 0 to 18446744073709551615" \
	--seed 18446744073709551616
check 'a file that is not there' refused \
	'absent.conf: cannot be read: No such file or directory; name another with -c' \
	-c absent.conf
check 'a file from a pipe' refused \
	"/dev/stdin:1: unknown section [logg]; did you mean 'log'?" \
	-c /dev/stdin < <(echo '[logg]')
check 'nothing started' nothing_started
summary
