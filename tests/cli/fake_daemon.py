#!/usr/bin/env python3
"""fake_daemon.py SOCKET SCENE - Something that answers like tcphsd, or badly

Serves one client after the other on a Unix socket, as SCENE says, and prints
"ready" when it listens. Each request is copied to SOCKET.log. Scenes are the
functions below whose names begin with scene_; what follows a colon is given
to them ("error:busy", "many:1000000").
"""
import base64
import json
import os
import socket
import sys

HELLO = {"tcphs": {"proto": 1, "version": "0.1.0", "instance": "tcphs0",
                   "rights": "admin", "features": []}}


def conn(number, state, peer_port, **more):
    c = {"id": "c%d" % number, "state": state, "role": "server",
         "local": {"ip": "198.18.66.2", "port": 80},
         "peer": {"ip": "198.18.66.1", "port": peer_port}, "listener": "web"}
    c.update(more)
    return c


CONNS = [
    conn(41, "established", 50112, age_us=12400000, idle_us=400000,
         handshake_us=210, rtt_us=180, retrans=0, bytes_in=1258291,
         bytes_out=3482),
    conn(42, "syn-received", 50118, age_us=1900000, retrans=2),
    conn(43, "time-wait", 50090, listener="echo"),
    conn(44, "fin-wait-2", 50120, age_us=93784000000, idle_us=60000000,
         handshake_us=12345, rtt_us=99000, retrans=12, bytes_in=0,
         bytes_out=73400320,
         local={"ip": "fd74:6370:6873::2", "port": 80},
         peer={"ip": "fd74:6370:6873::1", "port": 50120}),
]

TCB = {"iss": 4026531840, "irs": 1000, "snd_una": 4026531841,
       "snd_nxt": 4026535323, "snd_max": 4026535323, "snd_wnd": 64256,
       "rcv_nxt": 1259292, "rcv_wnd": 262144, "snd_mss": 1448,
       "peer_mss": 1460, "pmtu": 1500, "snd_wscale": 7, "rcv_wscale": 7,
       "options": ["ts", "sack", "ws"], "srtt_us": 180, "rttvar_us": 40,
       "rto_us": 200000, "min_rtt_us": 95, "cwnd": 14480,
       "ssthresh": 2147483647, "send_queued": 0, "recv_queued": 0,
       "recv_ooo": 0, "in_flight": 0, "sacked": 0, "lost": 0, "backoff": 0,
       "segs_in": 921, "segs_out": 12, "congestion": "newreno",
       "recovery": "open", "timers": {"keepalive_us": 7200000000}}

STATUS = {"version": "0.1.0", "instance": "tcphs0", "state": "ready",
          "pid": 4711, "uptime_us": 11520000000,
          "started": "2026-01-02T03:04:05.000000Z", "interface": "tcphs0",
          "address4": "198.18.66.2", "address6": "fd74:6370:6873::2",
          "mtu": 1500, "offload": True, "connections": 2, "half_open": 1,
          "time_wait": 1, "max_connections": 65536, "memory": 536870912,
          "memory_used": 12897485, "listeners": 6, "events_lost": 0,
          "config": "/etc/tcphsd/tcphsd.conf", "config_ok": True,
          "log_level": "info"}

STATS = {"counters": {"packets_in": 1204, "packets_out": 1190,
                      "text_in": 1258291, "cookies_sent": 0,
                      "from_the_future": 7},
         "dropped": {"seq": 3, "tcp_checksum": 0},
         "limits": {"backlog": 0},
         "states": {"established": 1, "syn-received": 1, "time-wait": 1},
         "tun": {"read_errors": 0, "write_errors": 0, "write_full": 2}}


def listener(name, service, port, **more):
    item = {"name": name, "service": service, "address": "own", "port": port,
            "enabled": True, "backlog": 128, "max_connections": 0,
            "status": "waiting for client", "half_open": 0, "connections": 0,
            "syns": 0, "opened": 0, "refused": 0, "overflows": 0,
            "cookies": 0, "allow": ["198.18.66.0/24", "fd74:6370:6873::/64"],
            "line": 60}
    item.update(more)
    return item


LISTENERS = [
    listener("web", "http", 80, status="connected 198.18.66.1:50112 (2)",
             connections=2, half_open=1, syns=4, opened=3),
    listener("echo", "echo", 7),
    listener("qotd", "qotd", 17, enabled=False, status="disabled"),
]


def histogram(**more):
    item = {"role": "server", "outcomes": {"completed": 0}, "resent": 0,
            "syn_again": 0, "cookies": 0, "slow": 0, "count": 0, "sum_us": 0,
            "buckets": []}
    item.update(more)
    return item


HISTOGRAMS = [
    histogram(listener="web", count=104, sum_us=1220000, min_us=95,
              max_us=1012000, p50_us=200, p90_us=210, p99_us=300,
              p999_us=1012000, slow=1, cookies=3, resent=1,
              outcomes={"completed": 107, "timeout": 2, "reset": 0},
              buckets=[[95, 1], [200, 80], [210, 22], [1100000, 1]]),
    histogram(listener="echo"),
    histogram(role="client", outcomes={"completed": 0, "refused": 4}),
]


ALERTS = [
    {"id": "a2", "kind": "syn_flood", "severity": "warning",
     "state": "active", "listener": "web", "source": "203.0.113.0/24",
     "age_us": 12000000, "duration_us": 12000000,
     "numbers": {"syn_rate": 5200},
     "message": "SYN flood on listener web: 5200 SYN/s, 0 % completed",
     "meaning": "Many SYNs, and most of them are never followed by the ACK "
                "that completes the handshake.",
     "innocent": "a load test", "action": "Nothing, while cookies are on."},
    {"id": "a1", "kind": "port_scan", "severity": "warning", "state": "over",
     "source": "198.18.66.1", "age_us": 60000000, "duration_us": 11000000,
     "numbers": {"ports": 100}, "message": "Port scan is over\x1b[31m",
     "meaning": "It looks for what is open.", "innocent": "an inventory",
     "action": "Ask whose it is."},
]


# What it runs with, and what its file says by now.
SETTINGS = [
    {"section": "tcphsd", "key": "seed", "hidden": True},
    {"section": "interface", "key": "mtu", "value": "1500", "default": "1500"},
    {"section": "listener.web", "key": "port", "value": "80"},
    {"section": "listener.web", "key": "service", "value": "http\x1b[31m"},
]

DIFFERENT = [
    {"section": "interface", "key": "mtu", "running": "1500", "file": "9000",
     "restart": True},
    {"section": "tcphsd", "key": "user", "file": "nobody", "restart": True},
    {"section": "listener.web", "key": "port", "running": "80",
     "only": "running"},
    {"section": "listener.new", "key": "port", "file": "81", "only": "file"},
]


SYN = ("450000280000400040060000c61242" "01c6124202c3c60050000003e8"
       "000000005002faf000000000")


def packet(number, **more):
    item = {"number": number, "mono_us": 5000000 + 41 * number,
            "time": "2026-01-02T03:04:05.000041Z", "direction": "in",
            "state_before": "listen", "state_after": "syn-received",
            "len": 40,
            "data": base64.b64encode(bytes.fromhex(SYN)).decode()}
    item.update(more)
    return item


def record(**more):
    item = {"id": "c42", "role": "server", "ended": False,
            "local": {"ip": "198.18.66.2", "port": 80},
            "peer": {"ip": "198.18.66.1", "port": 50118}, "listener": "web",
            "state": "syn-received", "outcome": "open",
            "outcome_words": "not decided yet", "stage": "syn", "packets": 1,
            "kept": 1}
    item.update(more)
    return item


class Client:
    def __init__(self, sock, log):
        self.sock, self.log, self.buf = sock, log, b""

    def say(self, obj):
        self.raw(json.dumps(obj, separators=(",", ":")) + "\n")

    def raw(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode())

    def requests(self):
        while True:
            while b"\n" not in self.buf:
                more = self.sock.recv(65536)
                if not more:
                    return
                self.buf += more
            line, self.buf = self.buf.split(b"\n", 1)
            self.log.write(line.decode() + "\n")
            self.log.flush()
            yield json.loads(line)

    def hello(self, **more):
        self.say({"tcphs": {**HELLO["tcphs"], **more}})

    def item(self, req, item):
        self.say({"id": req["id"], "item": item})

    def result(self, req, result):
        self.say({"id": req["id"], "result": result})

    def error(self, req, code, message, **more):
        self.say({"id": req["id"],
                  "error": {"code": code, "message": message, **more}})


def answer(c, req):
    """One request, as tcphsd would."""
    method, params = req["method"], req.get("params", {})
    if method == "status":
        c.result(req, STATUS)
    elif method == "conn.list":
        text = params.get("filter", "")
        if "estblished" in text:
            c.error(req, "bad_filter", "unknown state 'estblished'",
                    hint="did you mean 'established'?",
                    at=text.index("estblished"))
            return
        found = CONNS
        if text == "id = c999":
            found = []
        elif text:
            found = [i for i in CONNS if i["state"] in text]
        for i in found:
            c.item(req, i)
        c.result(req, {"count": len(found)})
    elif method in ("conn.show", "conn.close"):
        found = [i for i in CONNS if params["conn"] in (i["id"], "last")]
        if not found:
            c.error(req, "not_found", "no connection " + params["conn"])
        elif method == "conn.close":
            c.result(req, {"id": found[0]["id"]})
        elif found[0]["state"] == "established":
            c.result(req, {**found[0], "tcb": TCB})
        else:
            c.result(req, found[0])
    elif method == "conn.packets":
        if params["conn"] != "c42":
            c.error(req, "not_found", "nothing is remembered of "
                    + params["conn"])
            return
        c.item(req, packet(1))
        c.result(req, record())
    elif method == "conn.kill":
        found = [i for i in CONNS if i["state"] in params["filter"]]
        c.result(req, {"count": len(found),
                       "skipped": 2 if params.get("rst") else 0})
    elif method == "stats":
        c.result(req, STATS)
    elif method == "listener.list":
        for i in LISTENERS:
            c.item(req, i)
        c.result(req, {"count": len(LISTENERS)})
    elif method == "histogram":
        found = [i for i in HISTOGRAMS
                 if params.get("listener") in (None, i.get("listener"))]
        for i in found:
            c.item(req, i)
        c.result(req, {"count": len(found)})
    elif method == "alerts":
        found = [i for i in ALERTS
                 if params.get("filter", "") in ("", i["kind"], i["state"])]
        for i in found:
            c.item(req, i)
        c.result(req, {"count": len(found)})
    elif method == "metrics":
        for name in ("tcphs_up", "tcphs_down"):
            c.item(req, {"name": name, "type": "gauge", "help": "Is it?",
                         "text": "# HELP %s Is it?\n%s 1\x1b\n"
                                 % (name, name)})
        c.result(req, {"count": 2})
    elif method == "listener.set":
        if params["name"] in [i["name"] for i in LISTENERS]:
            c.result(req, {**LISTENERS[0], "ends": ["198.18.66.2:81"],
                           "enabled": "enabled" not in params["settings"]})
        else:
            c.error(req, "not_found", "no listener " + params["name"])
    elif method in ("listener.enable", "listener.disable"):
        if params["name"] in [i["name"] for i in LISTENERS]:
            c.result(req, {})
        else:
            c.error(req, "not_found", "no listener " + params["name"],
                    hint="there are: web echo qotd")
    elif method == "config.show":
        found = [i for i in SETTINGS if params["defaults"]
                 or i.get("value") != i.get("default")
                 or i.get("hidden")]
        for i in found:
            c.item(req, i)
        c.result(req, {"count": len(found), "file": "/etc/t.conf"})
    elif method == "config.check":
        c.result(req, {"valid": True, "file": "/etc/t.conf",
                       "restart": "interface.mtu"})
    elif method == "config.diff":
        for i in DIFFERENT:
            c.item(req, i)
        c.result(req, {"count": len(DIFFERENT), "file": "/etc/t.conf"})
    elif method == "reload":
        c.result(req, {"changed": True})
    elif method == "log.level":
        if params["level"] == "loud":
            c.error(req, "bad_request", "unknown level 'loud'")
        else:
            c.result(req, {"level": params["level"], "was": "info"})
    elif method == "cancel":
        c.result(req, {})
    else:
        c.error(req, "unknown_method", "unknown method " + method)


def scene_normal(c):
    c.hello()
    for req in c.requests():
        answer(c, req)


def scene_badconf(c):
    """Its file is wrong."""
    c.hello()
    for req in c.requests():
        if req["method"] == "config.check":
            c.result(req, {"valid": False, "file": "/etc/t.conf",
                           "errors": ["/etc/t.conf:3: no \x1b[31m",
                                      "/etc/t.conf:9: neither"]})
        else:
            c.error(req, "config", "/etc/t.conf:3: no")


def scene_plain(c):
    """As a daemon without a file, at its defaults."""
    c.hello()
    for req in c.requests():
        c.result(req, {"count": 0, "valid": True})


def scene_error(c, code):
    """Every request fails with this code."""
    c.hello()
    for req in c.requests():
        c.error(req, code, "it is " + code)


def scene_newer(c):
    """Same protocol, but more in it, in another order and with blanks."""
    c.raw(json.dumps({"color": 1, "tcphs": {**HELLO["tcphs"],
                                            "version": "0.9.0",
                                            "moon": "full"}}) + "\n")
    for req in c.requests():
        c.say({"id": req["id"], "progress": 50})
        c.say({"id": req["id"] + 1000, "item": {"id": "c1"}})
        c.say({"hint": "no id at all"})
        if req["method"] == "conn.list":
            c.raw('{"item": {"state": "wondering", "id": "c7", "x": [1]}, '
                  '"id": %d}\n' % req["id"])
            c.raw('{"id":%d,"item":{"id":"c8","rtt_us":1.5,"listener":"}\\"{"'
                  '},"seq":{"n":5}}\n' % req["id"])
        c.raw('{"result": {"count": 2, "version": "0.9.0", "new": {"a": 1}},'
              ' "id": %d}\n' % req["id"])


def scene_proto(c, proto):
    c.hello(proto=int(proto), version="7.0.0")
    list(c.requests())


def scene_noise(c):
    """Another program's socket."""
    c.raw("220 mail.example ESMTP\r\n")
    list(c.requests())


def scene_array(c):
    c.raw("[1,2]\n")
    list(c.requests())


def scene_garbage(c):
    c.hello()
    for _ in c.requests():
        c.raw(b'{"id":1,"result":{"coun\xff\xfe\n')


def scene_baditem(c):
    c.hello()
    for req in c.requests():
        c.raw('{"id":%d,"item":{"id" "c1"}}\n' % req["id"])
        c.result(req, {"count": 1})


def scene_half(c):
    c.hello()
    for _ in c.requests():
        c.raw('{"id":1,"result":{"cou')
        return


def scene_early(c):
    """Closes before it says anything."""


def scene_hangup(c):
    c.hello()
    for _ in c.requests():
        return


def scene_midlist(c):
    c.hello()
    for req in c.requests():
        c.item(req, CONNS[0])
        return


def scene_silent(c):
    list(c.requests())


def scene_mute(c):
    c.hello()
    list(c.requests())


def scene_endless(c):
    c.hello()
    for _ in c.requests():
        for _ in range(64):
            c.raw("x" * 65536)


def scene_full(c):
    c.say({"error": {"code": "busy", "message": "256 clients already"}})


def scene_evil(c):
    """Names that would steer a terminal."""
    c.hello()
    for req in c.requests():
        if req["method"] == "conn.list":
            c.item(req, conn(1, "\x1b[31mred", 1, listener="a\u009bb\rc\td"))
            c.result(req, {"count": 1})
        elif req["method"] == "listener.list":
            c.item(req, listener('say "hi", you', "a b", 1))
            c.result(req, {"count": 1})
        elif req["method"] == "conn.packets":
            c.item(req, packet(1, state_after="\x1b[31m" + 50 * "x",
                               drop_words="\x1b]0;<b>\x07",
                               drop_clause="c" * 500, flags=[1, "probe"]))
            c.item(req, packet(7, data="!", flags=3, gso_size=1))
            for n in range(400):
                c.item(req, {})
            c.result(req, record(listener="<i>\x1b[2J", packets=10 ** 12,
                                 outcome_words="w" * 500, peer={}))
        elif req["method"] in ("status", "stats"):
            c.result(req, {"version": "\x1b]0;title\x07",
                           "interface": "tcphs\u009b2J", "counters": 1,
                           "uptime_us": "\x1b[31m" * 100})
        else:
            c.error(req, "not_found", "no \x1b]0;title\x07")


POISON = "\x1b]0;x\x07\x1b[2J\u009b2J\r\x7f<script>"


def poisoned(value):
    """The same with poison in every string, and the keys as they are."""
    if isinstance(value, str):
        return value + POISON
    if isinstance(value, list):
        return [poisoned(v) for v in value]
    if isinstance(value, dict):
        return {k: poisoned(v) for k, v in value.items()}
    return value


class Poisoned:
    """A client to whom nothing is said without it; but times stay times."""

    def __init__(self, c):
        self.c = c

    def item(self, req, item):
        self.c.item(req, self.mix(item))

    def result(self, req, result):
        self.c.result(req, self.mix(result))

    def error(self, req, code, message, **more):
        self.c.error(req, code, message + POISON, **poisoned(more))

    @staticmethod
    def mix(o):
        bad = poisoned(o)
        for key in ("time", "started", "closed", "data", "base64", "event"):
            if key in o:
                bad[key] = o[key]
        return bad


def scene_poison(c):
    """Whatever a daemon says may hold what others sent it."""
    c.hello()
    for req in c.requests():
        p = Poisoned(c)
        if req["method"] == "conn.list":
            for i in CONNS:
                p.item(req, i)
            p.result(req, {"count": len(CONNS)})
        elif req["method"] == "conn.recent":
            p.item(req, record(drop="syn_denied"))
            p.result(req, {"count": 1})
        elif req["method"] == "conn.packets":
            p.item(req, packet(1))
            c.result(req, {**p.mix(record()), "outcome": "open",
                           "state": "syn-received", "role": "server"})
        elif req["method"] == "conn.show":
            p.result(req, {**CONNS[0], "tcb": TCB})
        elif req["method"] == "events.follow":
            for n, event in enumerate(("handshake.failed", "alert.raised",
                                       "conn.closed", "limit.reached",
                                       "syn.received")):
                p.item(req, {"seq": n + 1, "event": event, "role": "server",
                             "time": "2026-01-02T03:04:05.000000Z",
                             "kind": "port_scan", "level": "info",
                             "message": "m", "listener": "web", "conn": "c1",
                             "outcome": "refused", "reason": "r",
                             "peer_addr": "1.2.3.4", "peer_port": 5,
                             "source": "1.2.3.4/32", "options": "mss=1"})
            p.result(req, {"count": 5})
        elif req["method"].startswith(("capture.", "listener.", "reload",
                                       "log.", "conn.close", "conn.kill")):
            if req["method"].endswith(".list"):
                p.item(req, {**LISTENERS[0], "name": "n", "bytes": 1,
                             "modified": "now"})
            p.result(req, {"count": 1, "directory": "/d", "files": ["f"],
                           "level": "info", "was": "debug", "file": "f",
                           "changed": True, "ends": ["1.2.3.4:5"]})
        else:
            answer(p, req)


def scene_late(c):
    """The steps of a connection come behind what its peer said."""
    c.hello()
    steps = None
    for req in c.requests():
        if req["method"] == "events.follow":
            steps = req
        elif req["method"] == "conn.open":
            end = {"ip": "198.18.66.1", "port": 5000}
            c.item(req, {"event": "open", "id": "c9", "local": end,
                         "peer": end, "handshake_us": 126})
            c.item(req, {"event": "text", "base64": "SGVsbG8K"})
            for n, (event, words) in enumerate((
                    ("syn.sent", "[Client] Sending SYN"),
                    ("handshake.completed", "[Client] Handshake completed"),
                    ("conn.closed", "[Client] Connection closed"))):
                c.item(steps, {"seq": n, "event": event, "message": words,
                               "conn": "c9"})
            c.result(req, {"reason": "fin", "words": "closed"})


def scene_late_refusal(c):
    """The steps of an attempt come behind its failure."""
    c.hello()
    steps = None
    for req in c.requests():
        if req["method"] == "events.follow":
            steps = req
        elif req["method"] == "conn.open":
            c.error(req, "refused", "198.18.66.1:5000: refused")
            for n, (event, words) in enumerate((
                    ("syn.sent", "[Client] Sending SYN"),
                    ("handshake.failed", "[Client] Handshake failed"),
                    ("conn.closed", "[Client] Connection closed"))):
                c.item(steps, {"seq": n, "event": event, "message": words,
                               "conn": "c9"})


def scene_slow(c):
    """Each request after the first is answered by hanging up."""
    c.hello()
    for n, req in enumerate(c.requests()):
        if n == 2:
            return
        answer(c, req)


def scene_dies(c):
    """In the midst of a listing, the second one; the first was whole."""
    c.hello()
    listings = 0
    for req in c.requests():
        listings += req["method"] == "conn.list" and req.get("params") is None
        if listings == 2:
            c.item(req, CONNS[1])
            sys.exit()
        answer(c, req)


def scene_many(c, count):
    """A listing of this many; stops when it is cancelled."""
    c.hello()
    for req in c.requests():
        if req["method"] == "cancel":
            c.result(req, {})
            continue
        if req["method"] != "conn.list":
            answer(c, req)
            continue
        text = json.dumps({"id": req["id"], "item": CONNS[0]},
                          separators=(",", ":")) + "\n"
        head, tail = text.split("c41", 1)
        step = 2000
        for first in range(0, int(count), step):
            if cancelled(c):
                c.error(req, "cancelled", "cancelled")
                break
            last = min(int(count), first + step)
            c.raw("".join(head + "c%d" % i + tail
                          for i in range(first, last)))
        else:
            c.result(req, {"count": int(count)})


def cancelled(c):
    try:
        return c.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return False


def main():
    path, scene = sys.argv[1:3]
    name, _, arg = scene.partition(":")
    play = globals()["scene_" + name]
    if os.path.exists(path):
        os.unlink(path)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(16)
    print("ready", flush=True)
    with open(path + ".log", "w", encoding="utf-8") as log:
        while True:
            sock, _ = server.accept()
            try:
                play(Client(sock, log), *([arg] if arg else []))
            except (BrokenPipeError, ConnectionResetError):
                pass
            sock.close()


if __name__ == "__main__":
    main()
