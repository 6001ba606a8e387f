#!/bin/bash
# listener.sh - Listeners that come and go while the daemon runs
#
# Added by command, used by real clients, kept by a reload and not by a restart;
# every refusal in words; deleted, also under an open connection.
# shellcheck source=tests/e2e/lib.sh disable=SC2317
. "$(dirname "$0")/lib.sh"

write_conf <<'CONF'
[timers]
msl = 100ms
[listener.echo]
port = 7
service = echo
CONF

# refused CODE WORDS ARG...: by listener add or del, in these words.
refused()
{
	local code=$1 words=$2

	shift 2
	exits "$code" ctl listener "$@" >"$TMP/out" 2>&1 || return
	grep -qF -- "$words" "$TMP/out" && return 0
	cat "$TMP/out"
	return 1
}

echoes()
{
	same hi "$(echo hi | nc -N -w 5 "${2:-$OWN4}" "$1")"
}

said_of_pipe()
{
	timeout 10 "$TCPHSCTL" -s "$SOCKET" "$@" 2>&1 |
		grep -q 'a pipe is read once'
}

listed()
{
	same "$1" "$(ctl --raw -H listener list -o name | paste -sd' ')"
}

check 'starts' start_daemon

# ---- added -------------------------------------------------------------------

check 'the one of the file waits' eval 'ctl listener list |
	grep -Eq "^echo +echo +own +7 +waiting for client "'
check_not 'nobody is there' nc -z -w 2 "$OWN4" 8090
check 'a listener is added' same \
	"listener demo $OWN4:8090 and [$OWN6]:8090 enabled" \
	"$(ctl listener add demo --port 8090 --service chat)"
coproc CLIENT { exec nc -N "$OWN4" 8090; }
exec 6>&"${CLIENT[1]}" 7<&"${CLIENT[0]}"
check 'a client connects' wait_for 5 ctl -q list listener = demo
conn=$(ctl --raw -H list -o id listener = demo)
check 'and is talked to' ctl -q send "$conn" hello
IFS= read -r -t 5 line <&7
check 'in words' same hello "$line"
check 'by all keys of the file' same \
	"listener web $OWN4:80 enabled" \
	"$(ctl listener add web service=http port=80 "address=$OWN4" backlog=16)"
check 'which answers curl' eval 'curl -sS -m 5 "http://$OWN4/" |
	grep -q "TCP Connection Analyzer"'
check_not 'at that address alone' nc -z -w 2 "$OWN6" 80
check 'as programs want it' eval 'ctl -j listener add more --port 9 \
	--service discard | jq -e ".name == \"more\" and .port == 9 and
	.service == \"discard\" and .enabled and (.ends | length) == 2"'
check 'all are listed' listed 'echo demo web more'
check 'IPv6 as well' exits 0 nc -z -w 2 "$OWN6" 9
check 'the log says it' log_has 'listener demo added by the operator'
check 'metrics have it' eval 'ctl metrics |
	grep -q "^tcphs_half_open{listener=\"web\"} 0"'
check 'handshakes are counted' eval 'ctl -j histogram listener=web |
	jq -e ".[0].outcomes.completed == 1"'

# ---- refused -------------------------------------------------------------------

check 'the name is taken' refused 1 "there is a listener 'demo' already" \
	add demo --port 81 --service echo
check 'the port is taken' refused 1 \
	"listeners 'echo' and 'again' share port 7 and an address; change either" \
	add again --port 7 --service echo
check 'no port' refused 1 "listener 'x' has no port; add port = 1 to 65535" \
	add x --service echo
check 'no service' refused 1 "listener 'x' has no service" add x --port 81
check 'a wrong port' refused 1 'port = 70000 is out of range; write 1 to 65535' \
	add x --port 70000 --service echo
check 'a wrong service' refused 1 \
	"service = ecko is no service; did you mean 'echo'?" \
	add x --port 81 --service ecko
check 'a wrong key' refused 1 "did you mean 'backlog'?" \
	add x --port 81 --service echo backlogs=3
check 'no key' refused 2 "'backlog' is no KEY=VALUE" \
	add x --port 81 --service echo backlog
check 'a wrong name' refused 1 "'a b' cannot name a listener" \
	add 'a b' --port 81 --service echo
check 'controls are not obeyed' eval '! ctl listener add $'"'x\\e[2J'"' \
	--port 81 --service echo 2>&1 | grep -q $'"'\\e'"
check "somebody else's address" refused 1 'address = 10.0.0.1 is outside' \
	add x --port 81 --service echo address=10.0.0.1
check 'nothing of that came' listed 'echo demo web more'
check 'no such one to delete' refused 5 "there is no listener 'demos'" del demos
check 'with a guess' refused 5 "did you mean 'demo'?" del demos
check 'no such command: which there are' refused 2 'list, add, set, del, enable' \
	remove demo

# ---- changed -------------------------------------------------------------------

set_conn=$(ctl --raw -H list -o id listener = demo)
check 'a setting is changed' same \
	"listener demo $OWN4:8091 and [$OWN6]:8091 enabled" \
	"$(ctl listener set demo --port 8091 max_connections=1 service=echo)"
check 'the log says what' log_has \
	'listener demo changed by the operator: .*max_connections=1'
check_not 'nobody is where it was' nc -z -w 2 "$OWN4" 8090
check 'who was there is, and with the same service' \
	ctl -q send "$set_conn" more
IFS= read -r -t 5 line <&7
check 'and hears it' same more "$line"
check 'the new limit counts: one is there' eval 'ctl -j listener list |
	jq -e ".[] | select(.name == \"demo\") |
	.max_connections == 1 and .connections == 1"'
check_not 'so no other comes' nc -z -w 2 "$OWN4" 8091
check 'without it' ctl -q listener set demo max_connections=0
check 'the other service answers' echoes 8091
check 'back again' ctl -q listener set demo port=8090 service=chat
check 'disabled, and changed' eval 'ctl -q listener disable more &&
	ctl listener set more backlog=3 | grep -q " disabled$"'
check_not 'it is still disabled' nc -z -w 2 "$OWN4" 9
check 'enabled by a setting' ctl -q listener set more enabled=yes
check 'it answers' exits 0 nc -z -w 2 "$OWN4" 9
check 'allow: not from here' ctl -q listener set more allow=10.0.0.0/8
check_not 'so it is' nc -z -w 2 "$OWN4" 9
check 'from here again' ctl -q listener set more allow=host
check 'and it answers again' exits 0 nc -z -w 2 "$OWN4" 9
check 'a port that is taken' refused 1 \
	"listeners 'echo' and 'demo' share port 7 and an address" set demo port=7
check 'all or nothing' refused 1 'backlog = x is not a number' \
	set demo port=8092 backlog=x
check 'it is where it was' exits 0 nc -z -w 2 "$OWN4" 8090
check 'no setting' refused 2 'wants KEY=VALUE' set demo
check 'no such listener' refused 5 "did you mean 'demo'?" set demos backlog=3
check 'one of the file' ctl -q listener set echo port=70
check 'is there' echoes 70
check 'until a reload: as the file has it' same reloaded "$(ctl reload)"
check 'so it is' echoes 7

# ---- reload --------------------------------------------------------------------

check 'a reload keeps them' same 'reloaded, nothing changed' "$(ctl reload)"
cat >>"$CONF" <<'CONF'
[listener.daytime]
port = 13
service = daytime
CONF
check 'also one that changes something' same reloaded "$(ctl reload)"
check 'beside what is new' eval 'nc -w 5 "$OWN4" 13 </dev/null | grep -q :'
check 'they answer still' exits 0 nc -z -w 2 "$OWN4" 9
cp "$CONF" "$TMP/good"
cat >>"$CONF" <<'CONF'
[listener.other]
port = 9
service = echo
CONF
check 'the file wants the same port: refused' exits 1 ctl reload
check 'the log says who is in the way' log_has \
	"listeners 'other' and 'more' share port 9 and an address"
check 'nothing changed' listed 'echo demo web more daytime'
printf '[log]\nlevel = l\xe4ut\n' >>"$CONF"
check 'a file that is no UTF-8: refused' exits 1 ctl reload
check 'status says why' eval 'ctl --json status |
	jq -r .config_error | grep -q "level = l?ut is unknown"'
rm "$CONF"
mkfifo "$CONF"
check 'a pipe has no second reading: refused' exits 1 timeout 10 \
	"$TCPHSCTL" -s "$SOCKET" reload
check 'nor does it hold up the question' said_of_pipe config check
check 'still, nothing changed' listed 'echo demo web more daytime'
rm "$CONF"
cp "$TMP/good" "$CONF"
cat >>"$CONF" <<'CONF'
[listener.more]
port = 10
service = discard
CONF
check 'the file has one of that name: it is its now' ctl -q reload
check_not 'not where it was' nc -z -w 2 "$OWN4" 9
check 'but where the file says' exits 0 nc -z -w 2 "$OWN4" 10

# ---- deleted -------------------------------------------------------------------

check 'deleted' same 'listener demo deleted' "$(ctl listener del demo)"
check_not 'no new client' nc -z -w 2 "$OWN4" 8090
check 'the one that is there goes on' ctl -q send "$conn" again
IFS= read -r -t 5 line <&7
check 'and hears' same again "$line"
exec 6>&- 7<&-
check 'added again, beside it' ctl -q listener add demo --port 8090 \
	--service echo
check 'with another service' echoes 8090
check 'one of the file is deleted, too' ctl -q listener del echo
check_not 'it does not answer' nc -z -w 2 "$OWN4" 7
check 'a reload brings it back' ctl -q reload
check 'and it answers' echoes 7
check 'a hundred times there and gone' eval 'for i in $(seq 100); do
	ctl -q listener add brief --port 99 --service echo &&
	ctl -q listener del brief || break; done; [ "$i" = 100 ]'
full=0
for port in $(seq 2000 2070); do
	ctl -q listener add "l$port" --port "$port" --service echo \
		2>"$TMP/full" || break
	full=$((full + 1))
done
check 'as many as there is room for' grep -q 'one listener too many' "$TMP/full"
check 'and the last one answers' echoes $((2000 + full - 1))

check 'stops' stop_daemon
start_daemon
check 'a restart forgets them' listed 'echo daytime more'

# ---- all that the daemon runs with ---------------------------------------------

# shows TEXT ARG..., says CODE TEXT ARG...: lines of `config`, in their order.
shows()
{
	local want=$1

	shift
	same "$want" "$(ctl config show "$@" | grep -A1 -E '^msl|listener.echo')"
}

says()
{
	local code=$1 want=$2 got

	shift 2
	got=$(ctl --color=never "$@" 2>&1)
	exits "$code" ctl -q "$@" 2>"$TMP/err" && same "$want" "$got"
}

check 'what is not as always is shown' shows \
	$'msl = 100ms\n\n[listener.echo]\nport = 7'
check 'and the rest, too' eval 'ctl config show --defaults |
	grep -qx "rto_max = 60s"'
check 'it would do for a file' eval 'ctl config show >"$TMP/shown" &&
	"$TCPHSD" -t -c "$TMP/shown"'
check 'for programs' eval 'ctl -j config show --defaults | jq -e "
	map(select(.section == \"timers\" and .key == \"msl\"))[0] |
	.value == \"100ms\" and .default == \"30s\""'
check 'the file says the same' says 0 '' config diff
check 'it would be taken' says 0 "$CONF: configuration is valid" config check
ctl -q listener set more port=11 backlog=3
ctl -q listener add demo --port 8090 --service echo
ctl -q listener disable echo
ctl -q log level debug
sed -i 's/^msl.*/msl = 50ms/' "$CONF"
printf '[listener.chargen]\nport = 19\nservice = chargen\n' >>"$CONF"
check 'now it differs' says 1 "--- running
+++ $CONF

[timers]
-msl = 100ms
+msl = 50ms

[listener.echo]
-enabled = no
+enabled = yes

[listener.more]
-port = 11
+port = 10
-backlog = 3
+backlog = 128

[listener.demo]
-port = 8090
-service = echo

[log]
-level = debug
+level = info

[listener.chargen]
+port = 19
+service = chargen" config diff
check 'what was changed by command is shown' eval 'ctl config show |
	grep -A3 -Fx "[listener.more]" | paste -sd" " |
	grep -qx ".listener.more. port = 11 service = discard backlog = 3"'
ctl -q reload
check 'after a reload the added one is the rest' says 1 "--- running
+++ $CONF

[listener.demo]
-port = 8090
-service = echo" config diff
cp "$CONF" "$TMP/good"
printf '[interface]\nmtu = 9000\n' >>"$CONF"
check 'a reload could not take it' says 0 "$CONF: configuration is valid
A reload would be refused: interface.mtu needs a restart" config check
check 'and the difference says so' eval 'ctl config diff |
	grep -qx "+mtu = 9000  ; needs a restart"'
printf '[log]\nlevel = loud\nlevle = info\n' >>"$CONF"
check 'every mistake is told' says 1 "$(sed -n '/^level = loud/=' "$CONF" |
	sed "s|.*|$CONF:&: level = loud is unknown; write error, warning, notice, info or debug|")
$(sed -n '/^levle/=' "$CONF" |
	sed "s|.*|$CONF:&: unknown key 'levle' in [log]; did you mean 'level'?|")" \
	config check
check 'there is nothing to compare with' eval 'ctl config diff 2>&1 |
	grep -q "level = loud is unknown.*config check"'
cp "$TMP/good" "$CONF"
stop_daemon

# ---- places --------------------------------------------------------------------

# forty FIRST: as many listeners, from that port on
forty()
{
	local port

	for port in $(seq "$1" $(($1 + 39))); do
		printf '[listener.l%d]\nport = %d\nservice = echo\n' \
			"$port" "$port"
	done
}

established()
{
	same "$1" "$(ctl --raw -H list state established | wc -l)"
}

forty 3000 >"$CONF"
start_daemon
mkfifo "$TMP/held"
python3 -c 'import socket, sys
held = [socket.create_connection((sys.argv[1], 3000 + i)) for i in range(30)]
open(sys.argv[2]).read()' "$OWN4" "$TMP/held" &
holder=$!
check 'thirty are in use' wait_for 10 established 30
forty 3100 >"$CONF"
check 'forty others have no place: refused' exits 1 ctl reload
check 'and it is said why' log_has \
	'40 listeners, and 30 removed ones that have connections yet: 64 are'
check 'nothing was lost' eval 'echoes 3000 && echoes 3039'
: >"$TMP/held"
wait "$holder"
check 'they have when those in use have ended' wait_for 10 ctl -q reload
check 'all of them' eval 'echoes 3100 && echoes 3139'
check_not 'in place of the others' nc -z -w 2 "$OWN4" 3000
stop_daemon
summary
