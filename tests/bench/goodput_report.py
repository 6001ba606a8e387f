#!/usr/bin/env python3
"""goodput_report.py - What goodput.sh measured, as a table of ratios

    goodput_report.py RESULTS [JSON]

RESULTS has a line of JSON for each turn. A ratio is taken between the turn of
tcphsd and that of the kernel next to it, which had the same path and seed; the
table shows the median of the ratios with the smallest and the largest one in
parentheses, and the medians of both in Mbit/s. An exclamation mark stands where
the median misses what is wanted: as much as the kernel, an index of 0.9 (Jain)
for two flows, 0.8 to 1.25 for one of ours beside one of the kernel's.
"""
import json
import statistics
import sys

PATHS = {"100M": "100 Mbit/s x 20 ms", "1G": "1 Gbit/s x 50 ms"}
ROWS = {"none": "no loss", "0.1%": "0.1 % lost", "1%": "1 % lost",
        "3%": "3 % lost", "burst": "bursts lost", "late": "5 % late"}
WAYS = {"down": "sending", "up": "receiving"}
OURS, THEIRS = "tcphs", "kernel"
FAIR_LEAST = 0.9
BESIDE = (0.8, 1.25)


def spread(values):
    """The median, and how far the values lie apart."""
    return {"median": statistics.median(values), "low": min(values),
            "high": max(values), "values": values}


def turns_of(turns, path, row, way):
    """By subject and seed, what was measured."""
    found = {OURS: {}, THEIRS: {}}
    for turn in turns:
        if (turn["path"], turn["row"], turn["way"]) == (path, row, way):
            found[turn["subject"]][turn["seed"]] = turn["result"]
    return found


def compared(turns, path, row, way):
    """Goodput of ours and theirs and their ratios; None without figures."""
    found = turns_of(turns, path, row, way)
    seeds = sorted(found[OURS].keys() & found[THEIRS].keys())
    if not seeds:
        return None
    mbit = {s: [found[s][n]["gbit_per_second"] * 1000 for n in seeds]
            for s in found}
    return {
        "path": path, "row": row, "way": way,
        "ratio": spread([o / t for o, t in zip(mbit[OURS], mbit[THEIRS])]),
        "mbit": {s: spread(mbit[s]) for s in mbit},
    }


def fairness(turns, path):
    """Jain's index of two flows, by subject; None without figures."""
    found = turns_of(turns, path, "two", "down")
    if not found[OURS] or not found[THEIRS]:
        return None
    return {"path": path, "row": "two",
            "jain": {s: spread([r["jain"] for r in found[s].values()])
                     for s in found}}


def ranged(s, good):
    """Median (low-high), and whether it is not what is wanted."""
    mark = " " if good(s["median"]) else "!"
    return f"{s['median']:.2f}{mark}({s['low']:.2f}-{s['high']:.2f})"


def cell(found):
    """One ratio of the table with its figures."""
    if not found:
        return f"{'-':36}"
    mbit = found["mbit"]
    words = ranged(found["ratio"], lambda r: round(r, 2) >= 1)
    figures = f"{mbit[OURS]['median']:.1f} / {mbit[THEIRS]['median']:.1f}"
    return f"{words:18} {figures:>15}  "


def table(turns, kept):
    """The lines of it; what they were made of is appended to @kept."""
    yield f"{'':14}" + "".join(
        f"{words + ', ratio':18} {'Mbit/s':>15}  " for words in WAYS.values())
    for path, where in PATHS.items():
        yield where
        for row, words in ROWS.items():
            cells = [compared(turns, path, row, way) for way in WAYS]
            kept.extend(c for c in cells if c)
            if any(cells):
                yield f"  {words:12}" + "".join(map(cell, cells))
        two = fairness(turns, path)
        if two:
            kept.append(two)
            fair = ranged(two["jain"][OURS], lambda j: j >= FAIR_LEAST)
            theirs = ranged(two["jain"][THEIRS], lambda j: True)
            yield f"  two flows: index {fair}, of the kernel's {theirs}"
        beside = compared(turns, path, "both", "down")
        if beside:
            kept.append(beside)
            share = ranged(beside["ratio"],
                           lambda r: BESIDE[0] <= r <= BESIDE[1])
            yield f"  one beside one of the kernel's: ratio {share}"


def main():
    """Print the table."""
    with open(sys.argv[1], encoding="ascii") as results:
        turns = [json.loads(line) for line in results]
    kept = []
    seeds = len({turn["seed"] for turn in turns})
    print(f"goodput beside the kernel's, median of {seeds} (least-most)")
    print("\n".join(line.rstrip() for line in table(turns, kept)))
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="ascii") as out:
            json.dump({"seeds": seeds, "rows": kept, "turns": turns}, out,
                      indent=1)
            out.write("\n")


if __name__ == "__main__":
    main()
