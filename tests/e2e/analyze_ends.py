#!/usr/bin/env python3
"""analyze_ends.py - The judge at one end of a path, and the truth from both

	analyze_ends.py TCPHSCTL NEAR FAR

NEAR was captured where the clients are, FAR behind a path that loses packets and
turns them round. What a client sends again lies below the highest number at its
own end; its IP identification says which packet that is at the other one. So it
is known there what was sent again and what only came late, and `analyze` must
say so, though it sees one file. What is sent again and comes in order nobody can
tell, and is left out. Only IPv4 has the identification.

Whatever has a number tells of the text before it: a bare ACK that overtakes text
makes that late, and a FIN that is sent again is sent again.

The yardstick of what is late is the time of the handshake. If a part of that was
lost as well, it may be any part of a second, and only the sum of both is compared.
What this found in the judge were 6 and 27.
"""
import json
import subprocess
import sys

FIELDS = ["tcp.srcport", "ip.id", "tcp.seq_raw", "tcp.len", "tcp.flags.fin"]


def segments(path):
    """Port, identification, number and length of each segment of a client."""
    out = subprocess.run(
        ["tshark", "-n", "-r", path, "-Y",
         "ip && tcp.dstport == 7 && tcp.flags.syn == 0 && tcp.flags.reset == 0",
         "-T", "fields", "-E", "occurrence=f"]
        + sum((["-e", f] for f in FIELDS), []),
        check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        port, ip_id, seq, n, fin = line.split("\t")
        yield port, ip_id, int(seq), int(n) + (fin in ("1", "True"))


def below(path):
    """Those that lie below the highest number, and whether all of their bytes came
    before: what is sent again need not begin or end where it did."""
    top, runs = {}, {}
    for port, ip_id, seq, n in segments(path):
        known = runs.setdefault(port, [])
        if n and seq < top.get(port, 0):
            yield (port, ip_id, seq), any(a <= seq and seq + n <= b
                                          for a, b in known)
        top[port] = max(top.get(port, 0), seq + n)
        near = [r for r in known if r[0] <= seq + n and seq <= r[1]]
        runs[port] = [r for r in known if r not in near] + [
            (min([seq] + [a for a, _ in near]),
             max([seq + n] + [b for _, b in near]))]


def judged(ctl, path):
    """The same of `analyze`: seen before, filled holes, late; and whether
    nothing of the handshake came twice."""
    out = subprocess.run([ctl, "analyze", "--json", path], check=True,
                         capture_output=True, text=True).stdout
    sums, calm = [0, 0, 0], True
    for c in map(json.loads, out.splitlines()):
        if c["type"] != "connection" or c["server"]["port"] != 7 or \
           ":" in c["server"]["ip"]:
            continue
        again = c["retransmissions"]["c2s"]
        sums[0] += again["seen_before"] + again["needless"]
        sums[1] += again["filled_hole"]
        sums[2] += again["late"]
        calm &= all(s["tries"] == 1 for s in c["handshake"]["steps"])
    return sums, calm


def main():
    ctl, near, far = sys.argv[1:]
    sent_again = {key for key, _ in below(near)}
    truth = [0, 0, 0]
    for key, seen in below(far):
        truth[0 if seen else 1 if key in sent_again else 2] += 1
    says_near, _ = judged(ctl, near)
    says_far, calm = judged(ctl, far)
    print(f"near: sent again {len(sent_again)}; analyze: {says_near}")
    print(f"far: seen before {truth[0]}, sent again {truth[1]}, late {truth[2]}; "
          f"analyze: {says_far}")
    if not calm:
        truth, says_far = ([n[0], n[1] + n[2]] for n in (truth, says_far))
    # A path that did nothing would prove nothing.
    return all(truth[1:]) and says_near == [len(sent_again), 0, 0] and \
        truth == says_far


sys.exit(0 if main() else 1)
