#!/bin/bash
# layers.sh - Do the rooms keep to their side?
#
#	tests/layers.sh BUILD_DIR
#
# Includes point downward only. The core links with nothing but mem*, the
# assertion handler and libsodium's short hash: no clock, no file, no allocation
# can have slipped in. The analyser may allocate and handle strings, but opens
# nothing and prints nothing.

set -u
cd "$(dirname "$0")/.." || exit 1
B=${1:?which build directory}
passed=0
failed=0

ok()
{
	passed=$((passed + 1))
}

bad()
{
	failed=$((failed + 1))
	echo "FAIL $1"
	sed 's/^/     /' <<<"$2"
}

# includes_only NAME FILES ALLOWED: every #include of FILES matches ALLOWED.
includes_only()
{
	local found

	# shellcheck disable=SC2086
	found=$(grep -nE '^#include' $2 | grep -vE "#include ($3)")
	if [ -z "$found" ]; then
		ok
	else
		bad "$1 includes what is not below it" "$found"
	fi
}

# links_only NAME OBJECTS ALLOWED: undefined symbols of all OBJECTS together.
links_only()
{
	local undefined

	# shellcheck disable=SC2086
	undefined=$(comm -23 \
		<(nm -u $2 | awk '$1 == "U" { print $2 }' | sort -u) \
		<(nm --defined-only $2 | awk 'NF == 3 { print $3 }' | sort -u) |
		grep -vE "^($3)$")
	if [ -z "$undefined" ]; then
		ok
	else
		bad "$1 links with what it must not know" "$undefined"
	fi
}

std='<(endian|errno|stdbool|stddef|stdint|string|sys/uio|sys/types)\.h>'
leaves='"(assert|be|cc|cwv|hystart|list|pace|pool|prr|ranges|reasm|recvq|rtt|sendq|seq|table|wheel|wire)\.h"'
hash='<sodium/crypto_shorthash\.h>'

core=$(ls daemon/core/*.c daemon/core/*.h)
leaf=$(ls daemon/core/*.c daemon/core/*.h |
	grep -vE '/(tcp_[a-z]+|stack[a-z_]*|icmp[a-z_]*)\.[ch]$')

includes_only 'include/tcphs' "$(ls include/tcphs/*.h)" \
	"<(stdbool|stddef|stdint|stdio|sys/uio|sys/types)\.h>|<tcphs/[a-z_]+\.h>"
includes_only 'a leaf of the core' "$leaf" \
	"$std|$leaves|$hash|<tcphs/(event|stack)\.h>"
includes_only 'the core' "$core" \
	"$std|$leaves|$hash|\"tcp_(priv|records|loss)\.h\"|<tcphs/(event|stack)\.h>"
includes_only 'the analyser' "$(ls daemon/analysis/*.[ch])" \
	"<(ctype|errno|inttypes|limits|stdarg|stdbool|stddef|stdint|stdio|stdlib|string)\.h>|$hash|<tcphs/[a-z_]+\.h>|\"(alert[a-z_]*|core/(assert|be|reasm|seq|wire)|copies|crowd|decode|filter[a-z_]*|flow|ladder_priv|nearest)\.h\""
includes_only 'a service' "$(ls daemon/service/*.[ch])" \
	"<(assert|ctype|errno|inttypes|limits|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings|time|unistd|jansson|sodium)\.h>|<sodium/[a-z0-9_]+\.h>|<sys/(queue|types)\.h>|<tcphs/[a-z]+\.h>|\"(service|service/[a-z_]+|core/assert|http[a-z_]*|describe)\.h\""

mem='mem(cpy|move|set|cmp|chr|rchr)|__(stack_chk_fail|.*_chk)|_GLOBAL_OFFSET_TABLE_'
links_only 'the core' "$(ls "$B"/daemon/core/*.o)" \
	"$mem|tcphs_assert_failed|crypto_shorthash"

links_only 'the analyser' \
	"$(ls "$B"/daemon/analysis/*.o "$B"/daemon/ipaddr.o "$B"/daemon/core/{addr,csum,pool,reasm,stack_names}.o)" \
	"$mem|tcphs_assert_failed|crypto_shorthash|aligned_alloc|malloc|calloc|realloc|free|qsort|str[a-z_]*|snprintf|vsnprintf|inet_(pton|ntop)|toupper|tolower|__(ctype|isoc99|errno)[a-z_]*"

# The client sees the daemon through the socket and the shared headers only.
found=$(grep -nE '^#include "(core|service|ctl|conf|loop|tun|log|run)' \
	cli/*.[ch])
if [ -z "$found" ]; then
	ok
else
	bad 'the client includes files of the daemon' "$found"
fi

# Nobody opens a socket on the data path: the TUN is the network.
found=$(grep -nwE 'socket|connect|listen|accept|recvfrom|sendto' \
	daemon/core/*.c | grep -E '\b(socket|connect|listen|accept|recvfrom|sendto)\(')
if [ -z "$found" ]; then
	ok
else
	bad 'the core calls the kernel'"'"'s TCP' "$found"
fi

echo "layers: $passed passed, $failed failed"
[ "$failed" = 0 ]
