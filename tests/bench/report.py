#!/usr/bin/env python3
"""report.py - What was measured, beside the goals

    report.py RESULTS [--core JSON] [--json JSON]

RESULTS has a line of JSON for each turn of each subject (bench.sh, million.sh),
the JSON of --core is bench_core's. A ratio is taken between turns of the same
run, which were measured side by side, and the table shows the median of these
ratios with the middle half of them in parentheses. A goal is met or missed by
the median. The figures themselves mean little on another machine or another
day.
"""
import argparse
import json
import os
import platform
import statistics

OURS = "tcphs"
SIGNS = {"<=": "at most", ">=": "at least"}


class Row:
    """A line of the table, and what is wanted of it.

    against: subject -> goal for the ratio to it, (sign, bound) or None.
    goal: for the figure itself. divided_by: another row of ours with the same
    member instead of other subjects, "flood:50000" by "cec:64", say.
    """

    def __init__(self, row, member, words, unit, against=None, goal=None,
                 divided_by=None):
        self.row, self.member, self.words = row, member, words
        self.unit, self.goal, self.divided_by = unit, goal, divided_by
        self.against = against or {}


def least(bound):
    return ">=", bound


def most(bound):
    return "<=", bound


def flood_rows(rate, against):
    """What a flood of so many SYNs a second leaves of everything."""
    row, words = f"flood:{rate}", f"{int(rate):,} SYN/s: "
    return [
        Row(row, "per_second", words + "connect+echo+close", "/s", against),
        Row(row, "succeeded", words + "connects that succeed", "%",
            goal=least(99.99)),
        Row(row, "p99_us", words + "p99, by that without", "us",
            divided_by=("cec:64", "p99_us", most(2))),
        Row(row, "after_per_second", words + "the second after", "/s",
            divided_by=("cec:64", "per_second", least(0.9))),
        Row(row, "grown", words + "memory grows by", "bytes",
            goal=most(4 << 20)),
    ]


ROWS = [
    Row("cec:64", "per_second", "connect+echo+close, 64 workers", "/s",
        {"floor": least(0.92), "kernel": least(1.6), "lwip": least(1.12)}),
    Row("rr:1", "p50_us", "1-byte request, 1 conn, p50", "us",
        {"floor": most(1.05), "kernel": None, "lwip": None}),
    Row("rr:1", "p99_us", "1-byte request, 1 conn, p99", "us",
        {"floor": most(1.05), "kernel": None, "lwip": None}),
    Row("rr:1:busy", "p50_us", "the same with busy_poll, p50", "us",
        {"kernel": most(0.75)}),
    Row("rr:64", "per_second", "1-byte request, 64 conns", "/s",
        {"floor": least(0.92), "kernel": least(1.2), "lwip": None}),
    *[Row(f"up:{n}", "gbit_per_second", f"bulk in, {n} flow{s}", "Gbit/s",
          {"floor": least(0.95), "kernel": least(1.15), "lwip": None})
      for n, s in ((1, ""), (8, "s"))],
    *[Row(f"down:{n}", "gbit_per_second", f"bulk out, {n} flow{s}", "Gbit/s",
          {"floor": least(0.90), "kernel": least(1.7), "lwip": None})
      for n, s in ((1, ""), (8, "s"))],
    Row("up:1:65520", "gbit_per_second", "bulk in, MTU 65520", "Gbit/s",
        {"floor": least(0.85), "kernel": None}),
    Row("down:1:65520", "gbit_per_second", "bulk out, MTU 65520", "Gbit/s",
        {"floor": least(0.85), "kernel": None}),
    *flood_rows("50000", {"floor": least(0.90), "kernel": least(2.2)}),
    *flood_rows("200000", {"floor": least(0.90), "kernel": None}),
    Row("idle", "bytes_each", "idle connection, resident soon after", "bytes",
        {"kernel": None, "lwip": None}),
    Row("open", "per_second", "opening a million", "/s",
        {"floor": least(0.9)}),
    Row("million", "lost", "of a million, lost", "connections", goal=most(0)),
    Row("million", "echoed", "of a million, echo when asked", "connections"),
    Row("million", "bytes_each", "each of them, resident", "bytes",
        goal=most(320)),
    Row("million", "idle_percent", "their daemon idle, of a core", "%",
        goal=most(1)),
    Row("list", "seconds", "tcphsctl list of all of them", "s", goal=most(6)),
    Row("list", "p99_more_us", "64 conns meanwhile, p99 + so much", "us",
        goal=most(1000)),
    Row("list", "grown", "memory of the daemon grows by", "bytes",
        goal=most(16 << 20)),
]

# Member of bench_core's columns, connections, words, unit, goal.
CORE = [
    ("segment_ns", 1000, "in-order segment with its share of ACK", "ns",
     most(250)),
    ("handshake_close_ns", 1000, "handshake + close", "ns", most(2000)),
    ("established_bytes", 100000, "established, in the arena", "bytes",
     most(320)),
    ("established_bytes", 1000000, "established, in the arena", "bytes",
     most(320)),
    ("half_open_bytes", 1000000, "half-open", "bytes", most(128)),
    ("time_wait_bytes", 1000000, "TIME-WAIT", "bytes", most(80)),
]
GROWTH = ("segment_ns", 1000, 1000000, most(1.5))


def quartiles(values):
    """Median and the middle half around it."""
    if len(values) < 2:
        return {"median": values[0], "low": values[0], "high": values[0]}
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def figure(value):
    """Three digits that count."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def judged(goal, value):
    """A goal as JSON has it; None if there is none."""
    if not goal:
        return None
    sign, bound = goal
    met = value <= bound if sign == "<=" else value >= bound
    return {"sign": sign, "bound": bound, "met": met}


def comparison(words, values, goal):
    found = quartiles(values)
    return {"with": words, **found, "goal": judged(goal, found["median"])}


def by_run(turns, row, subject, member):
    return {turn["run"]: turn["result"][member] for turn in turns
            if turn["row"] == row and turn["subject"] == subject
            and turn["result"].get(member) is not None}


def ratios(ours, theirs):
    return [ours[run] / theirs[run] for run in ours if theirs.get(run)]


def line_of(row, turns):
    """One dict for a row that has figures, else None."""
    ours = by_run(turns, row.row, OURS, row.member)
    if not ours:
        return None
    found = {"row": row.row, "member": row.member, "words": row.words,
             "unit": row.unit, "values": list(ours.values()),
             **quartiles(list(ours.values())), "others": {},
             "goal": None, "compared": []}
    found["goal"] = judged(row.goal, found["median"])
    for subject, goal in row.against.items():
        theirs = by_run(turns, row.row, subject, row.member)
        pairs = ratios(ours, theirs)
        if pairs:
            found["others"][subject] = list(theirs.values())
            found["compared"].append(comparison(subject, pairs, goal))
    if row.divided_by:
        other, member, goal = row.divided_by
        pairs = ratios(ours, by_run(turns, other, OURS, member))
        if pairs:
            found["compared"].append(comparison(other, pairs, goal))
    return found


def core_lines(columns):
    """The same from bench_core's columns."""
    at = {column["connections"]: column for column in columns}

    def line(words, unit, value, goal):
        return {"row": "core", "words": words, "unit": unit, "values": [value],
                **quartiles([value]), "others": {}, "compared": [],
                "goal": judged(goal, value)}

    for member, n, words, unit, goal in CORE:
        if member in at.get(n, {}):
            yield line(f"{words}, {n:,}", unit, at[n][member], goal)
    member, few, many, goal = GROWTH
    if few in at and many in at:
        yield line("a segment at 1,000,000 by one at 1,000", "x",
                   at[many][member] / at[few][member], goal)


def verdict(goal, unit):
    if not goal:
        return ""
    return (f"{SIGNS[goal['sign']]} {figure(goal['bound'])}{unit}: "
            f"{'met' if goal['met'] else 'MISSED'}")


def table(lines):
    """As text: a row's figure, and below it what it is compared with."""
    for line in lines:
        own = f"{line['words']:46}{figure(line['median']):>12} {line['unit']}"
        yield f"{own:66}{verdict(line['goal'], '')}".rstrip()
        for other in line["compared"]:
            ratio = (f"{other['median']:.2f} ({other['low']:.2f}-"
                     f"{other['high']:.2f})")
            yield (f"{'':8}x {other['with']:<36}{ratio:<20}"
                   f"{verdict(other['goal'], ' x')}").rstrip()


def machine():
    """Where it was measured."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "cores": os.cpu_count(),
            "kernel": platform.release(), "load": os.getloadavg()[2]}


def arguments():
    parser = argparse.ArgumentParser(description="measurements as a table")
    parser.add_argument("results")
    parser.add_argument("--core")
    parser.add_argument("--json")
    return parser.parse_args()


def main():
    args = arguments()
    with open(args.results, encoding="ascii") as results:
        turns = [json.loads(line) for line in results]
    for turn in turns:
        done = turn["result"].get("count", 0)
        failed = turn["result"].get("failed", 0)
        if done:
            turn["result"]["succeeded"] = 100 * done / (done + failed)
    lines = [line for row in ROWS if (line := line_of(row, turns))]
    if args.core:
        with open(args.core, encoding="ascii") as core:
            lines += core_lines(json.load(core))
    runs = max(turn["run"] for turn in turns)
    where = machine()
    print(f"{runs} runs in turn, medians (middle half); {where['processor']}, "
          f"{where['cores']} cores, Linux {where['kernel']}, load "
          f"{where['load']:.1f}")
    print("\n".join(table(lines)))
    goals = [entry["goal"] for line in lines
             for entry in [line, *line["compared"]] if entry["goal"]]
    print(f"{sum(goal['met'] for goal in goals)} of {len(goals)} goals are met")
    if args.json:
        with open(args.json, "w", encoding="ascii") as out:
            json.dump({"runs": runs, "machine": where, "rows": lines,
                       "turns": turns}, out, indent=1)
            out.write("\n")


if __name__ == "__main__":
    main()
