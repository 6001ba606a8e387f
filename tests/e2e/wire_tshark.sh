#!/bin/bash
# tshark as the judge of the headers we write: every checksum good, nothing
# malformed, nothing it would remark on, and every field as it went in. Needs no
# rights and no daemon: wire_dump writes a capture with the code of the core.
#
# `make wire-tshark` builds it and starts this. B is the build directory.
set -u

B=${B:-build}
TMP=$(mktemp -d)
trap 'rm -r "$TMP"' EXIT
PASSED=0
FAILED=0

# Columns, as wire_dump prints them. Addresses, TTL and TOS are one of two.
FIELDS='ip.src ipv6.src ip.dst ipv6.dst ip.ttl ipv6.hlim ip.dsfield
ipv6.tclass tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.flags
tcp.window_size_value tcp.urgent_pointer tcp.len tcp.options.mss_val
tcp.options.sack_perm tcp.options.wscale.shift tcp.options.timestamp.tsval
tcp.options.timestamp.tsecr tcp.options.sack_le tcp.options.sack_re'

# judge FILE ARG...: with every checksum verified, each segment by itself.
judge()
{
	local file=$1

	shift
	tshark -n -r "$file" -o tcp.check_checksum:TRUE \
		-o ip.check_checksum:TRUE -o tcp.analyze_sequence_numbers:FALSE \
		-o tcp.relative_sequence_numbers:FALSE \
		-o tcp.desegment_tcp_streams:FALSE "$@" 2>>"$TMP/stderr"
}

# expect NAME WANT GOT
expect()
{
	if [ "$2" = "$3" ]; then
		PASSED=$((PASSED + 1))
		echo "ok   $1"
		return
	fi
	FAILED=$((FAILED + 1))
	printf 'FAIL %s\n     wanted: %s\n     got: %s\n' "$1" "$2" "$3"
}

# values FILE: the columns of wire_dump, read by tshark.
values()
{
	local f args=()

	for f in $FIELDS; do
		args+=(-e "$f")
	done
	judge "$1" -T fields -E separator=/t "${args[@]}" |
		awk -F '\t' -v OFS='\t' '{
			tos = $7 $8
			if (tos ~ /^0x/)
				tos = strtonum(tos)
			line = $1 $2 OFS $3 $4 OFS $5 $6 OFS tos
			for (i = 9; i <= NF; i++)
				line = line OFS $i
			print line OFS
		}'
}

"$B/tests/e2e/wire_dump" "$TMP/wire.pcap" "$TMP/errors.pcap" \
	>"$TMP/wanted" || exit 1
n=$(wc -l <"$TMP/wanted")
expect 'a few hundred segments' yes "$([ "$n" -gt 300 ] && echo yes || echo "$n")"
expect 'every TCP checksum is good' "$n" \
	"$(judge "$TMP/wire.pcap" -Y 'tcp.checksum.status == 1' | wc -l)"
expect 'every IPv4 checksum is good' "$n" \
	"$(judge "$TMP/wire.pcap" -Y 'ip.checksum.status == 1 || ipv6' | wc -l)"
expect 'nothing is malformed' '' "$(judge "$TMP/wire.pcap" -Y _ws.malformed)"
# Notes and worse, but those about what we chose to send: a FIN, a RST, a SYN
# without MSS.
expect 'nothing is remarked on' '' \
	"$(judge "$TMP/wire.pcap" -T fields -e frame.number \
		-e _ws.expert.message -Y '_ws.expert.severity >= 0x400000 &&
		tcp.flags.fin == 0 && tcp.flags.reset == 0 &&
		!(tcp.flags.syn == 1 && !tcp.options.mss)' | head)"
values "$TMP/wire.pcap" >"$TMP/got"
expect 'every field reads as it was written' '' \
	"$(diff "$TMP/wanted" "$TMP/got" | head)"

# Errors of ICMP and ICMPv6, and a packet in pieces of each family.
errors()
{
	judge "$TMP/errors.pcap" -o ip.defragment:TRUE "$@"
}

expect 'every error has a good checksum' 36 "$(errors -Y \
	'icmp.checksum.status == 1 || icmpv6.checksum.status == 1' | wc -l)"
expect 'no error is malformed' '' "$(errors -Y _ws.malformed)"
# A quote ends where there is no more room: its own checksum may be wrong.
expect 'nothing is remarked on in an error' '' \
	"$(errors -o tcp.check_checksum:FALSE -T fields -e frame.number -e _ws.expert.message \
		-Y '_ws.expert.severity >= 0x400000' | head)"
expect 'types and codes are those meant' \
	'3:2 3:3 11:1 4:1 1:4 3:1 4:0 4:2 4:3 ' \
	"$(errors -Y 'icmp || icmpv6' -T fields -e icmp.type -e icmp.code \
		-e icmpv6.type -e icmpv6.code -E separator=, |
		sed 's/^,,//; s/,,$//; s/,/:/' | uniq | tr '\n' ' ')"
expect 'parameter problems point at the next header' 16 \
	"$(errors -Y 'icmpv6.type == 4 && icmpv6.pointer == 6' | wc -l)"
expect 'the longest are of 576 and 1280 bytes' '576 1280 ' \
	"$(errors -Y 'icmp || icmpv6' -T fields -e frame.len -e icmp.type |
		awk '{ v = NF == 1; if ($1 > max[v]) max[v] = $1 }
			END { printf "%d %d ", max[0], max[1] }')"
expect 'pieces make whole segments again' 2 "$(errors -Y \
	'tcp.checksum.status == 1 && tcp.len == 1200 && !icmp && !icmpv6' | wc -l)"

# The judge is awake: the last byte of the last text changed.
head -c -1 "$TMP/wire.pcap" >"$TMP/broken.pcap"
printf '\xaa' >>"$TMP/broken.pcap"
expect 'a broken segment is found' 1 \
	"$(judge "$TMP/broken.pcap" -Y 'tcp.checksum.status == 0' | wc -l)"

[ "$FAILED" = 0 ] || cat "$TMP/stderr"
echo "wire_tshark: $PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
