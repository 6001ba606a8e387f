#!/usr/bin/env python3
"""Print the cells of interop.sh, one a line: "name=value ..." of every key.

    interop_cells.py alone   each setting by itself, in both roles, IPv4 and 6
    interop_cells.py pairs   any two settings together in some cell

The first value of a key is what a cell has that is not about this key.
"""

import itertools
import random
import sys

KEYS = {
    "role": ("server", "client"),  # ours
    "ip": ("4", "6"),
    "sack": ("1", "0"),  # the kernel's net.ipv4.tcp_*
    "timestamps": ("1", "0"),
    "window_scaling": ("1", "0"),
    "ecn": ("2", "0", "1"),
    "own_ecn": ("accept", "no", "request"),  # our tcp.ecn
    "congestion": ("cubic", "reno", "bbr"),
    "buffer": ("0", "4096", "65536"),  # the kernel's SO_RCVBUF and SO_SNDBUF
    "own_buffer": ("0", "4096", "131072"),  # our limits.rcvbuf, rcvbuf_max and sndbuf
    "mtu": ("1500", "576", "1280", "9000", "65520"),
    "offload": ("on", "off"),
    "first": ("both", "in", "out"),  # whose text goes first
    "reader": ("steady", "pausing"),
}
TRIES = 100


def possible(cell):
    """IPv6 needs an MTU of 1280 (RFC 8200, 5)."""
    return cell.get("mtu") != "576" or cell.get("ip") != "6"


def alone():
    ends = list(itertools.product(KEYS["role"], KEYS["ip"]))
    base = {key: values[0] for key, values in KEYS.items()}
    for role, ip in ends:
        yield {**base, "role": role, "ip": ip}
    for key in KEYS:
        if key in ("role", "ip"):
            continue
        for value in KEYS[key][1:]:
            for role, ip in ends:
                yield {**base, "role": role, "ip": ip, key: value}


def pairs_of(cell):
    return set(itertools.combinations(sorted(cell.items()), 2))


def pairs():
    """Greedy: of many cells that have a missing pair, the one with most."""
    chance = random.Random(1)
    missing = set()
    for a, b in itertools.combinations(sorted(KEYS), 2):
        for x, y in itertools.product(KEYS[a], KEYS[b]):
            if possible({a: x, b: y}):
                missing.add(((a, x), (b, y)))
    while missing:
        pair = min(missing)
        tries = []
        while len(tries) < TRIES:
            cell = {key: chance.choice(KEYS[key]) for key in KEYS}
            cell.update(pair)
            if possible(cell):
                tries.append(cell)
        best = max(tries, key=lambda c: len(pairs_of(c) & missing))
        missing -= pairs_of(best)
        yield best


for chosen in filter(possible, {"alone": alone, "pairs": pairs}[sys.argv[1]]()):
    print(*(f"{key}={chosen[key]}" for key in KEYS))
