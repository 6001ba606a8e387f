#!/usr/bin/env python3
# bench.py CAPTURE TRUTH: run the programs in turn, print the table. Called by
# bench.sh.
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

capture, truth = sys.argv[1:]
limit = int(os.environ["LIMIT"])
runs = int(os.environ["RUNS"])
ctl = os.environ["CTL"]

# Name, arguments, which program, goals. Packets a second of user CPU; MiB; how
# many times as long as the first row.
ROWS = [
    ("tcphsctl analyze", [], {"rate": 1_000_000, "memory": 200}),
    ("tcphsctl analyze -q", ["-q"], {}),
    ("tcphsctl analyze --json", ["--json"], {"memory": 200}),
    ("tcphsctl analyze --sort=-hs", ["--sort=-hs"], {"memory": 200}),
    ("tcphsctl analyze --html", ["--html", "page"], {"memory": 200}),
]
OTHERS = [
    ("tcptrace -n", ["tcptrace", "-n", capture], {"ratio": 2}),
    ("tshark -z conv,tcp", ["tshark", "-n", "-q", "-z", "conv,tcp",
                            "-r", capture], {"ratio": 8}),
]


def run(argv):
    """User CPU in s, the most memory in MiB, whether it came to its end."""
    with open("out", "wb") as out:
        p = subprocess.Popen(argv, stdout=out, stderr=subprocess.DEVNULL)
        end = time.monotonic() + limit
        while True:
            pid, status, use = os.wait4(p.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                p.send_signal(signal.SIGKILL)
                _, status, use = os.wait4(p.pid, 0)
                break
            time.sleep(0.02)
    return use.ru_utime, use.ru_maxrss / 1024, status == 0


def beside(figure, goal, least):
    """A figure and its goal, marked if it misses."""
    if goal is None:
        return figure, ""
    value = float(figure.replace(",", ""))
    good = value >= goal if least else value <= goal
    return figure, f"{'>=' if least else '<='} {goal:,}{'' if good else ' !'}"


with open(truth, "rb") as f:
    connections = sum(1 for _ in f)
# Once to count, and so that all find the file in the page cache. The rows stay
# outside: a child's most memory begins with what its parent had.
last = subprocess.run(["sh", "-c", '"$1" --ndjson analyze "$2" | tail -n 1',
                       "count", ctl, capture], capture_output=True, check=True)
summary = json.loads(last.stdout)
packets = sum(summary["packets"].values())
print(f"{packets:,} packets, {connections:,} connections, "
      f"{os.path.getsize(capture) / 2**20:.0f} MiB; medians of {runs}; load "
      f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
if summary["connections"] != connections:
    sys.exit(f"judged {summary['connections']:,} connections")

programs = [(name, [ctl, "analyze", capture] + arguments, goals)
            for name, arguments, goals in ROWS]
programs += [row for row in OTHERS if shutil.which(row[1][0])]
user, memory, stopped = {}, {}, set()
for _ in range(runs):
    for name, argv, _ in programs:
        if name in stopped:
            continue
        seconds, most, done = run(argv)
        user.setdefault(name, []).append(seconds)
        memory.setdefault(name, []).append(most)
        if not done:
            stopped.add(name)

print(f"{'program':28} {'user s':>7} {'packets/s':>11} {'goal':14}"
      f"{'MiB':>6} {'goal':9}{'x ours':>6} goal")
first = programs[0][0]
for name, _, goals in programs:
    seconds = statistics.median(user[name])
    # Of the same round: between rounds the machine may have other work.
    ratio = statistics.median(t / o for t, o in zip(user[name], user[first]))
    rate = beside("" if name in stopped else f"{packets / seconds:,.0f}",
                  goals.get("rate"), True)
    most = beside(f"{max(memory[name]):.0f}", goals.get("memory"), False)
    times = beside(f"{ratio:.1f}", goals.get("ratio"), True)
    note = f"  stopped after {limit} s" if name in stopped else ""
    print(f"{name:28} {seconds:7.2f} {rate[0]:>11} {rate[1]:14}"
          f"{most[0]:>6} {most[1]:9}{times[0]:>6} {times[1]}{note}")
print("!: misses the goal")
