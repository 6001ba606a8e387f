#!/usr/bin/env python3
# bench.py CAPTURE TRUTH: run the programs, print the table. Called by bench.sh.
import json
import os
import shutil
import signal
import subprocess
import sys
import time

capture, truth = sys.argv[1:]
limit = int(os.environ["LIMIT"])


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


with open(truth, "rb") as f:
    connections = sum(1 for _ in f)
ctl = os.environ["CTL"]
# Once to count, and so that all find the file in the page cache. The rows stay
# outside: a child's most memory begins with what its parent had.
last = subprocess.run(["sh", "-c", '"$1" --ndjson analyze "$2" | tail -n 1',
                       "count", ctl, capture], capture_output=True, check=True)
summary = json.loads(last.stdout)
packets = sum(summary["packets"].values())
print(f"{packets:,} packets, {connections:,} connections, "
      f"{os.path.getsize(capture) / 2**20:.0f} MiB")
if summary["connections"] != connections:
    sys.exit(f"judged {summary['connections']:,} connections")

programs = [("tcphsctl analyze", [ctl, "analyze", capture]),
            ("tcphsctl analyze -q", [ctl, "-q", "analyze", capture])]
if shutil.which("tcptrace"):
    programs.append(("tcptrace -n", ["tcptrace", "-n", capture]))
if shutil.which("tshark"):
    programs.append(("tshark -z conv,tcp", ["tshark", "-n", "-q", "-z",
                                            "conv,tcp", "-r", capture]))
print(f"{'program':24} {'user s':>8} {'packets/s':>12} {'MiB':>7}")
times = {}
for name, argv in programs:
    user, mem, done = run(argv)
    times[name] = user
    rate = f"{packets / user:12,.0f}" if done else f"{'':>12}"
    note = "" if done else f"  stopped after {limit} s"
    print(f"{name:24} {user:8.2f} {rate} {mem:7.0f}{note}", flush=True)
    if name == "tcphsctl analyze":
        ours = user, mem
print("goals: >= 1,000,000 packets/s, <= 200 MiB, tcptrace >= 2 x and tshark "
      ">= 8 x our time")
print(f"ours:  {packets / ours[0]:,.0f} packets/s, {ours[1]:.0f} MiB" + "".join(
    f", {name.split()[0]} {t / ours[0]:.1f} x"
    for name, t in times.items() if not name.startswith("tcphsctl")))
