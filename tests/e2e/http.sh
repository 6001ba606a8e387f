#!/bin/bash
# http.sh - the http service with curl, nc and wrk, over a real TUN
. "$(dirname "$0")/lib.sh"

URL=http://$OWN4

get()
{
	curl -sS -m 20 "$@"
}

# status ARG...: the status that curl got.
status()
{
	get -o /dev/null -w '%{http_code}' "$@"
}

has()
{
	grep -Fq -- "$2" "$1" && return 0
	echo "no '$2' in:"
	cat "$1"
	return 1
}

# says TEXT COMMAND...: what the command prints has the text.
says()
{
	local text=$1

	shift
	"$@" >"$TMP/said"
	has "$TMP/said" "$text"
}

# aligned FILE: every row of the connections ends where the heading does.
aligned()
{
	awk '/^ID /	{ width = length($0) }
	     /^c[0-9]/	{ rows++; if (length($0) != width) wrong = 1 }
	     END	{ exit !rows || wrong }' "$1" && return 0
	cat "$1"
	return 1
}

# raw TEXT: send it, close our side, print what comes back.
raw()
{
	printf '%b' "$1" | timeout 20 nc -N "$OWN4" 80
}

# pattern N: the body of /bytes/N.
pattern()
{
	python3 -c 'import sys
n = int(sys.argv[1])
sys.stdout.buffer.write((bytes(range(251)) * (n // 251 + 1))[:n])' "$1"
}

start_daemon

# The page.
get "$URL/" >"$TMP/page"
check 'the page has a title' has "$TMP/page" 'TCP Connection Analyzer'
check 'the page lists the listeners' has "$TMP/page" 'waiting for client'
check 'the page says what to try' has "$TMP/page" "nc $OWN4 7"
check 'the page shows its own connection' \
	grep -Eq "^c[0-9]+\* +ESTABLISHED +http +$HOST4:[0-9]+ " "$TMP/page"
check 'the page fits 80 columns' \
	test "$(LC_ALL=C.UTF-8 wc -L <"$TMP/page")" -le 80
get -0 "http://[$OWN6]/" >"$TMP/page"
check 'its columns hold an IPv6 address' aligned "$TMP/page"
# By HTTP/1.0 we close first.
get "$URL/" >"$TMP/page"
check 'it does not invent bytes for TIME-WAIT' \
	grep -Eq '^c[0-9]+ +TIME-WAIT( +-| +\[?[0-9a-f:.]+\]?:[0-9]+)+$' "$TMP/page"
check 'its columns stay' aligned "$TMP/page"
get -A Mozilla/5.0 -H 'Accept: text/html,*/*;q=0.8' "$URL/" >"$TMP/html"
check 'a browser gets HTML' has "$TMP/html" '<!DOCTYPE html>'
check 'titled as it should be' has "$TMP/html" \
	'<title>TCP Connection Analyzer · tcphsd</title>'
check_not 'without scripts' grep -qi '<script' "$TMP/html"
check 'over IPv6 as well' same 200 "$(status "http://[$OWN6]/")"
check 'by HTTP/1.0' same 200 "$(status -0 "$URL/")"

# The table for programs.
get "$URL/connections.json" >"$TMP/json"
check 'connections.json is JSON and has this connection' python3 -c '
import json, sys
j = json.load(open(sys.argv[1]))
assert j["count"] == len(j["connections"])
assert any(c["peer"]["ip"] == sys.argv[2] and c.get("listener") == "http"
           for c in j["connections"]), j' "$TMP/json" "$HOST4"

# Bytes.
for n in 0 1 251 65511 65512 20000000; do
	check "/bytes/$n is the pattern" same \
		"$(pattern "$n" | sha256sum)" "$(get "$URL/bytes/$n" | sha256sum)"
done
get -I "$URL/bytes/1099511627776" >"$TMP/head"
check 'HEAD tells the length' has "$TMP/head" 'Content-Length: 1099511627776'
check 'two of them over one connection' same 1 "$(
	get -v -o /dev/null "$URL/bytes/10" -o /dev/null "$URL/bytes/20" 2>&1 |
		grep -c '^\* Re-using existing connection')"

# Uploads.
head -c 20000000 /dev/urandom >"$TMP/file"
sum=$(sha256sum <"$TMP/file")
want="{\"length\":20000000,\"sha256\":\"${sum%% *}\"}"
check 'PUT with a length' same "$want" "$(get -T "$TMP/file" "$URL/upload")"
check 'PUT in chunks' same "$want" "$(get -T - "$URL/upload" <"$TMP/file")"
check 'POST' same "$want" "$(get --data-binary "@$TMP/file" "$URL/upload")"
get -v -H 'Expect: 100-continue' -T "$TMP/file" "$URL/upload" \
	>"$TMP/out" 2>"$TMP/continue"
check '100 Continue is sent' has "$TMP/continue" 'HTTP/1.1 100 Continue'
check '... and the upload is right' same "$want" "$(cat "$TMP/out")"
check 'too large is refused with 413 before it comes' same 413 "$(
	status -X PUT -H 'Content-Length: 17179869185' -H 'Expect: 100-continue' \
		-H 'Transfer-Encoding:' -T "$TMP/file" "$URL/upload")"

# Refusals.
check '404' same 404 "$(status "$URL/nothing")"
check '404 lists the paths' says /connections.json get "$URL/nothing"
check '405' same 405 "$(status -X DELETE "$URL/")"
check '405 says what is allowed' says 'Allow: POST, PUT' \
	get -i "$URL/upload"
check '431' same 431 "$(status -H "X: $(printf '%016384d' 0)" "$URL/")"
check '400 for garbage' says 'HTTP/1.1 400 ' raw 'what is this?\r\n'
smuggled='POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n'
smuggled+='Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
check '400 for smuggling' says 'RFC 9112, 6.1' raw "$smuggled"
check '505 for HTTP/2' says 'HTTP/1.1 505 ' \
	raw 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
check 'half a request gets an answer, too' says 'HTTP/1.1 400 ' \
	raw 'GET / HTTP/1.1\r\n'

# Several at once, typed by hand, closed early.
three='GET /bytes/1 HTTP/1.1\nHost: h\n\n'
three+='GET /nothing HTTP/1.1\nHost: h\n\n'
three+='GET /bytes/2 HTTP/1.1\nHost: h\n\n'
check 'pipelined requests are answered in order' same '200 404 200' "$(
	raw "$three" | grep -ao 'HTTP/1\.1 [0-9]*' | cut -d' ' -f2 |
		paste -sd' ')"
check 'a request typed with LF alone' says 'HTTP/1.1 200 OK' \
	raw 'GET / HTTP/1.0\n\n'

# Time.
exec 3<>"/dev/tcp/$OWN4/80"
printf 'GET / HTTP/1.1\r\nX: slow' >&3
IFS= read -r -t 20 line <&3
check 'a slow head is timed out' same 'HTTP/1.1 408 Request Timeout' \
	"${line%$'\r'}"
exec 3>&-

# Many.
timeout 30 wrk -t1 -c64 -d3s "$URL/bytes/100" >"$TMP/wrk" 2>&1
check 'wrk gets answers' grep -Eq 'Requests/sec: +[1-9][0-9]+' "$TMP/wrk"
check_not 'all of them good' grep -Eq 'Socket errors|Non-2xx' "$TMP/wrk"
timeout 30 wrk -t1 -c16 -d1s "$URL/" >"$TMP/wrk" 2>&1
check 'the page under load' grep -Eq 'Requests/sec: +[1-9][0-9]+' "$TMP/wrk"
check_not 'all of it good' grep -Eq 'Socket errors|Non-2xx' "$TMP/wrk"
check 'nothing is left open' wait_for 10 \
	sh -c "curl -sS $URL/ | grep -q '^connections  1 open, 0 half-open'"

check 'a clean stop' stop_daemon
summary
