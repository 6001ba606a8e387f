#!/usr/bin/env python3
"""report.py - What bench.sh measured, as one table of ratios

    report.py RESULTS [JSON]

RESULTS has a line of JSON for each turn of each subject. A ratio is taken
between turns of the same run, which were measured side by side, and the table
shows the median of these ratios with the middle half of them in parentheses.
The figures beside them are medians, too, and mean little on another machine
or another day.
"""
import json
import os
import platform
import statistics
import sys

# row of bench.sh, member of the result, words, unit
ROWS = [
    ("cec:64", "per_second", "connect+echo+close, 64 workers", "/s"),
    ("rr:1", "p50_us", "1-byte request, 1 conn, p50 (less is better)", "us"),
    ("rr:1", "p99_us", "1-byte request, 1 conn, p99 (less is better)", "us"),
    ("rr:64", "per_second", "1-byte request, 64 connections", "/s"),
    ("up:1", "gbit_per_second", "bulk in, 1 flow", "Gbit/s"),
    ("up:8", "gbit_per_second", "bulk in, 8 flows", "Gbit/s"),
    ("down:1", "gbit_per_second", "bulk out, 1 flow", "Gbit/s"),
    ("down:8", "gbit_per_second", "bulk out, 8 flows", "Gbit/s"),
    ("idle:", "bytes_each", "idle established conn (less is better)", "bytes"),
]
OURS = "tcphs"


def quartiles(values):
    """Median and the middle half around it."""
    if len(values) < 2:
        return {"median": values[0], "low": values[0], "high": values[0]}
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def figure(value):
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def rows(turns):
    """One dict a row of the table, for those that have figures."""
    for prefix, member, words, unit in ROWS:
        by_subject = {}
        for turn in turns:
            name = turn["row"]
            if name == prefix or prefix[-1] == ":" and name.startswith(prefix):
                by_subject.setdefault(turn["subject"], {})[turn["run"]] = (
                    turn["result"][member])
        ours = by_subject.get(OURS, {})
        ratios = {}
        for subject, theirs in by_subject.items():
            pairs = [ours[run] / theirs[run] for run in ours
                     if theirs.get(run)]
            if subject != OURS and pairs:
                ratios[subject] = quartiles(pairs)
        if by_subject:
            yield {
                "row": prefix, "member": member, "words": words, "unit": unit,
                "figures": {s: quartiles(list(v.values())) | {
                    "values": list(v.values())}
                    for s, v in by_subject.items()},
                "ratios": ratios,
            }


def table(found, subjects):
    """The table as lines of text."""
    others = [s for s in subjects if s != OURS]
    head = f"{'':44} {OURS:>9}"
    head += "".join(f"  {'/ ' + s:<18}" for s in others)
    head += "".join(f" {s:>9}" for s in others)
    yield head.rstrip()
    for row in found:
        line = f"{row['words']:44} "
        cells = [figure(row["figures"][s]["median"]) if s in row["figures"]
                 else "-" for s in [OURS] + others]
        line += f"{cells[0]:>9}"
        for subject in others:
            ratio = row["ratios"].get(subject)
            text = "-" if not ratio else (
                f"{ratio['median']:.2f} ({ratio['low']:.2f}-"
                f"{ratio['high']:.2f})")
            line += f"  {text:<18}"
        line += "".join(f" {cell:>9}" for cell in cells[1:])
        yield f"{line} {row['unit']}"


def machine():
    """Where it was measured."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "cores": os.cpu_count(),
            "kernel": platform.release()}


def main():
    with open(sys.argv[1], encoding="ascii") as results:
        turns = [json.loads(line) for line in results]
    subjects = list(dict.fromkeys(turn["subject"] for turn in turns))
    runs = max(turn["run"] for turn in turns)
    found = list(rows(turns))
    where = machine()
    print(f"{runs} runs in turn, medians (middle half); {where['processor']}, "
          f"{where['cores']} cores, Linux {where['kernel']}")
    print("\n".join(table(found, subjects)))
    failed = sum(turn["result"].get("failed", 0) for turn in turns)
    if failed:
        print(f"{failed} connections of the clients failed")
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="ascii") as out:
            json.dump({"runs": runs, "machine": where, "rows": found,
                       "failed": failed, "turns": turns}, out, indent=1)
            out.write("\n")


if __name__ == "__main__":
    main()
