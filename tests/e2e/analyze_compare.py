#!/usr/bin/env python3
"""analyze_compare.py - `tcphsctl analyze` and tshark on the same file

	analyze_compare.py TCPHSCTL FILE

Connection by connection: both ends, frames, completeness (the steps of the
handshake, text, FIN, RST), options of the SYNs, bytes of text, and how many
segments came again. The last are counted by each side's own rules:

  - tshark marks a segment "retransmission", "fast retransmission", "spurious
    retransmission" or "out of order" by numbers and times alone; ours tells
    apart what was captured before, what fills a hole and what was late. Their
    sums are the same.
  - tshark takes the RST-ACK that refuses a SYN for the handshake's ACK (bit 4
    of completeness); here it is one only after a SYN-ACK.
  - A SYN-ACK that our time-out and the client's next SYN asked for at the same
    time looks like one that was captured twice, where IPv6 has no
    identification: ours says so, tshark has one that came again.
  - A segment with text behind what tshark has already seen, and some before it,
    is marked by neither or by one of them; those are printed and fail.
"""
import json
import subprocess
import sys

FIELDS = ["tcp.stream", "frame.number", "tcp.srcport", "tcp.dstport",
          "tcp.completeness", "tcp.len", "tcp.seq_raw", "tcp.flags",
          "tcp.analysis.retransmission", "tcp.analysis.fast_retransmission",
          "tcp.analysis.spurious_retransmission",
          "tcp.analysis.out_of_order", "tcp.options.mss_val",
          "tcp.options.wscale.shift"]
SYN, ACK = 2, 16
SYN_ACK_SEEN, ACK_SEEN, RST_SEEN = 2, 4, 32  # of completeness


def by_tshark(path):
    """Each stream with what tshark says of it."""
    out = subprocess.run(
        ["tshark", "-2", "-n", "-r", path, "-Y", "tcp", "-T", "fields",
         "-E", "occurrence=f"] + sum((["-e", f] for f in FIELDS), []),
        check=True, capture_output=True, text=True).stdout
    streams = {}
    for line in out.splitlines():
        f = dict(zip(FIELDS, line.split("\t")))
        flags = int(f["tcp.flags"], 0)
        s = streams.setdefault(f["tcp.stream"], {
            "first": int(f["frame.number"]), "frames": 0, "again": [0, 0],
            "syn_again": [0, 0], "syn_frames": set(),
            "bytes": [set(), set()],
            "mss": [None, None], "wscale": [None, None],
            "client": f["tcp.dstport"] if flags & (SYN | ACK) == SYN | ACK
            else f["tcp.srcport"]})
        side = 0 if f["tcp.srcport"] == s["client"] else 1
        s["frames"] += 1
        s["completeness"] = int(f["tcp.completeness"])
        again = any(f[k] for k in FIELDS[8:12])
        if flags & SYN:
            s["syn_again"][side] += again
            s["syn_frames"].add(int(f["frame.number"]))
            s["mss"][side] = f["tcp.options.mss_val"]
            s["wscale"][side] = f["tcp.options.wscale.shift"]
        else:
            s["again"][side] += again
        seq, n = int(f["tcp.seq_raw"]), int(f["tcp.len"])
        s["bytes"][side].update(range(seq, seq + n))
    return {s["first"]: s for s in streams.values()}


def by_us(tcphsctl, path):
    out = subprocess.run([tcphsctl, "analyze", "--ndjson", path], check=True,
                         capture_output=True, text=True).stdout
    docs = [json.loads(line) for line in out.splitlines()]
    return {d["frames"]["first"]: d for d in docs
            if d["type"] == "connection"}


def facts_of_tshark(s):
    if s["completeness"] & (SYN_ACK_SEEN | RST_SEEN) == RST_SEEN:
        s["completeness"] &= ~ACK_SEEN
    return {
        "frames": s["frames"],
        "completeness": s["completeness"],
        "c2s bytes": len(s["bytes"][0]), "s2c bytes": len(s["bytes"][1]),
        "c2s again": s["again"][0], "s2c again": s["again"][1],
        "syn again": s["syn_again"][0], "synack again": s["syn_again"][1],
        "mss": [int(m) if m else None for m in s["mss"]],
        "wscale": [int(w) if w else None for w in s["wscale"]],
    }


def copies_of_synack(d, syn_frames):
    return sum(a["count"] for a in d["anomalies"]
               if a["kind"] == "duplicate" and a["by"] == "server"
               and a["frame"] in syn_frames and ":" in d["server"]["ip"])


def facts_of_us(d, syn_frames):
    again = {way: sum(d["retransmissions"][way].values())
             for way in ("c2s", "s2c")}
    sides = [d["options"][side] for side in ("client", "server")]
    return {
        "frames": d["frames"]["c2s"] + d["frames"]["s2c"],
        "completeness": d["completeness"],
        "c2s bytes": d["bytes"]["c2s"]["captured"],
        "s2c bytes": d["bytes"]["s2c"]["captured"],
        "c2s again": again["c2s"], "s2c again": again["s2c"],
        "syn again": d["retransmissions"]["syn"],
        "synack again": d["retransmissions"]["synack"] +
        copies_of_synack(d, syn_frames),
        "mss": [o.get("mss") for o in sides],
        "wscale": [o.get("wscale") for o in sides],
    }


def main():
    tcphsctl, path = sys.argv[1:]
    theirs, ours = by_tshark(path), by_us(tcphsctl, path)
    differ = 0
    for first in sorted(set(theirs) | set(ours)):
        if first not in theirs or first not in ours:
            print(f"frame {first} begins a connection for one of us only")
            differ += 1
            continue
        t = facts_of_tshark(theirs[first])
        u = facts_of_us(ours[first], theirs[first]["syn_frames"])
        for name in t:
            if t[name] != u[name]:
                print(f"connection at frame {first}: {name}: tshark has "
                      f"{t[name]}, we have {u[name]}")
                differ += 1
    print(f"{len(ours)} connections, {differ} differences")
    sys.exit(differ > 0 or not ours)


main()
