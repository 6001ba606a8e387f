#!/usr/bin/env python3
"""rfc.py - Which requirement of RFC 9293 is met where, and tested where

A tag is a label in brackets, "(MUST-40)", or several, "(MUST-40, SHLD-18)" or
"(MUST-25 to MUST-29)", in a comment:

  in daemon/          the code at that line meets the requirement
  in tests/unit/      the test below, or around it, shows it; at the top of a
                      file all its tests do
  in tests/wire/      the packet script below, or around it, shows it; at the
                      top of a *.wire file all its scripts do
  in tests/sim/, e2e/ the file shows it, at that line

requirements.tsv has all the labels. exempt.tsv has those that do not apply,
with the reason. A MUST or SHOULD without both and without a reason fails, and
so does whatever is wrong with a tag or a reason: an unknown label, a label
outside brackets, which would be overlooked, a tag above a function that no
suite runs, and a reason beside code and test that meet the requirement anyway.
"""

import argparse
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent

LABEL = r"(?:MUST|SHLD|MAY|REC)-\d+"
TAG = re.compile(rf"\(({LABEL}(?:(?:,|\s+and|\s+to)\s+{LABEL})*)\)")
RANGE = re.compile(rf"({LABEL})\s+to\s+({LABEL})")

# Strings are matched so that what looks like a comment in one is none.
C_TOKEN = re.compile(
    r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)
C_FUNCTION = re.compile(
    r"^(?:[A-Za-z_][\w \t*]*[ \t*\n])?([A-Za-z_]\w*)\([^;{}]*\)\s*\n\{", re.M)
C_TEST = re.compile(r"\bUNIT_TEST\((\w+)\)")
WIRE_TEST = re.compile(r"^[ \t]*test[ \t]+(.*?)[ \t]*$", re.M)
SH_COMMENT = re.compile(r"(?<!\S)#[^\n]*")
WIRE_COMMENT = re.compile(r"(?<!\S)#[^\n]*(?:\n[ \t]*#[^\n]*)*")


class Row:
    def __init__(self, label, clause, level, words):
        self.label, self.clause = label, clause
        self.level, self.words = level, words
        self.code, self.tests = [], []
        self.exempt = None

    def met(self):
        return bool(self.code and self.tests)


class Table:
    def __init__(self):
        self.rows = collections.OrderedDict()
        self.faults = []

    def fault(self, where, words):
        self.faults.append(f"{where}: {words}")

    def cite(self, label, where, column, place):
        if label not in self.rows:
            self.fault(where, f"{label} is no label of RFC 9293")
        elif place not in getattr(self.rows[label], column):
            getattr(self.rows[label], column).append(place)


def read_tsv(path, fields):
    """The lines of @path below its head, each a list of @fields texts."""
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            cells = [c.strip() for c in line.rstrip("\n").split("\t")]
            if len(cells) != fields or not all(cells):
                sys.exit(f"{path}:{n}: not {fields} cells")
            if n > 1:
                yield cells


def read_requirements(table):
    for cells in read_tsv(HERE / "requirements.tsv", 4):
        if cells[0] in table.rows:
            sys.exit(f"requirements.tsv: {cells[0]} twice")
        table.rows[cells[0]] = Row(*cells)


def read_exempt(table):
    for label, reason in read_tsv(HERE / "exempt.tsv", 2):
        if label not in table.rows:
            table.fault("tests/rfc/exempt.tsv", f"unknown label {label}")
            continue
        table.rows[label].exempt = reason


def c_comments(text):
    for m in C_TOKEN.finditer(text):
        if m.group().startswith("/"):
            yield m.start(), m.group()


def sh_comments(text):
    for m in SH_COMMENT.finditer(text):
        yield m.start(), m.group()


def wire_comments(text):
    """As in the shell; lines of comment that follow each other are one."""
    for m in WIRE_COMMENT.finditer(text):
        yield m.start(), m.group()


def unfold(comment):
    """A comment as one line, each character where it was."""
    return re.sub(r"\n[ \t]*[*#]?", lambda m: " " * len(m.group()), comment)


def expand(tag):
    """The labels of a tag, those between the ends of a range included."""
    labels = re.findall(LABEL, tag)
    for first, last in RANGE.findall(tag):
        kind, low = first.split("-")
        high = last.split("-")[1]
        labels += [f"{kind}-{n}" for n in range(int(low) + 1, int(high))]
    return labels


def tags(table, path, comments):
    """Each label of a file: itself, offset, line, offset behind its comment."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT)
    for start, comment in comments(text):
        flat = unfold(comment)
        for m in TAG.finditer(flat):
            line = text.count("\n", 0, start + m.start()) + 1
            for label in expand(m.group(1)):
                yield label, line, start, start + len(comment)
        for m in re.finditer(LABEL, TAG.sub(lambda t: " " * len(t.group()),
                                            flat)):
            line = text.count("\n", 0, start + m.start()) + 1
            table.fault(f"{name}:{line}", f"{m.group()} without brackets")


def read_code(table):
    for path in sorted((ROOT / "daemon").rglob("*.[ch]")):
        name = path.relative_to(ROOT)
        for label, line, _, _ in tags(table, path, c_comments):
            table.cite(label, f"{name}:{line}", "code", f"{name}:{line}")


def function_at(text, start, end):
    """The function around a comment, or the one right below it."""
    around = None
    for m in C_FUNCTION.finditer(text):
        if m.start() > start:
            break
        close = text.find("\n}\n", m.end())
        around = m.group(1) if close > start else None
    if around:
        return around
    below = C_FUNCTION.match(text, end + 1)
    return below.group(1) if below else None


def read_unit(table):
    for path in sorted((ROOT / "tests/unit").glob("test_*.c")):
        name = path.relative_to(ROOT)
        text = path.read_text(encoding="utf-8")
        suite = set(C_TEST.findall(text))
        for label, line, start, end in tags(table, path, c_comments):
            where = f"{name}:{line}"
            test = function_at(text, start, end)
            if start == 0:
                test = "all"
            elif test not in suite:
                table.fault(where, f"{label} is above no test of the suite")
                continue
            table.cite(label, where, "tests", f"{name}:{line} {test}")


def script_at(text, start, end):
    """The packet script around a comment, or the one right below it."""
    below = WIRE_TEST.match(text, end + 1)
    if below:
        return below.group(1)
    above = [m.group(1) for m in WIRE_TEST.finditer(text, 0, start)]
    return above[-1] if above else None


def read_wire(table):
    for path in sorted((ROOT / "tests/wire").glob("*.wire")):
        name = path.relative_to(ROOT)
        text = path.read_text(encoding="utf-8")
        for label, line, start, end in tags(table, path, wire_comments):
            where = f"{name}:{line}"
            script = "all" if start == 0 else script_at(text, start, end)
            if not script:
                table.fault(where, f"{label} is above no test")
                continue
            table.cite(label, where, "tests", f"{name}:{line} '{script}'")


def read_other_tests(table):
    paths = [*(ROOT / "tests/sim").iterdir(), *(ROOT / "tests/e2e").iterdir()]
    for path in sorted(p for p in paths if p.is_file()):
        name = path.relative_to(ROOT)
        comments = c_comments if path.suffix in (".c", ".h") else sh_comments
        for label, line, _, _ in tags(table, path, comments):
            table.cite(label, f"{name}:{line}", "tests", f"{name}:{line}")


def is_required(row):
    return row.label.startswith(("MUST", "SHLD"))


def judge(table):
    """Add what is not met, and the reasons that are none."""
    for row in table.rows.values():
        if row.exempt and row.met():
            table.fault(row.label, "met, and yet in exempt.tsv")
        if is_required(row) and not row.exempt and not row.met():
            lacks = [w for w, have in (("code", row.code),
                                       ("test", row.tests)) if not have]
            table.fault(row.label, f"no {' and no '.join(lacks)}: {row.words}")


def print_text(table):
    for row in table.rows.values():
        print(f"{row.label:8} {row.clause:9} {row.words}")
        for place in row.code:
            print(f"    code {place}")
        for place in row.tests:
            print(f"    test {place}")
        if row.exempt:
            print(f"    not here: {row.exempt}")


def print_md(table):
    print("| label | clause | level | requirement | code | tests |")
    print("| --- | --- | --- | --- | --- | --- |")
    for row in table.rows.values():
        code = "<br>".join(f"`{p}`" for p in row.code)
        tests = "<br>".join(f"`{p}`" for p in row.tests)
        if row.exempt:
            code = "<br>".join(filter(None, (code, row.exempt)))
        print(f"| {row.label} | {row.clause} | {row.level} | {row.words} "
              f"| {code} | {tests} |")
    print()


LEVELS = (("MUST", "MUST"), ("SHLD", "SHOULD"), ("REC", "RECOMMENDED"),
          ("MAY", "MAY"))


def print_summary(table, md):
    head = ("level", "all", "code and test", "code only", "test only",
            "neither", "not here")
    if md:
        print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    else:
        print("\n%-12s %4s  %s" % (head[0], head[1], "  ".join(head[2:])))
    for kind, name in LEVELS:
        rows = [r for r in table.rows.values() if r.label.startswith(kind)]
        here = [r for r in rows if not r.exempt]
        cells = (len(rows), sum(r.met() for r in here),
                 sum(bool(r.code and not r.tests) for r in here),
                 sum(bool(r.tests and not r.code) for r in here),
                 sum(not r.code and not r.tests for r in here),
                 len(rows) - len(here))
        if md:
            print(f"| {name} | {' | '.join(map(str, cells))} |")
        else:
            print("%-12s %4d  %13d  %9d  %9d  %7d  %8d" % (name, *cells))


def main():
    parser = argparse.ArgumentParser(description="RFC 9293, code and tests")
    parser.add_argument("--format", choices=("text", "md"), default="text")
    md = parser.parse_args().format == "md"
    table = Table()
    read_requirements(table)
    read_exempt(table)
    read_code(table)
    read_unit(table)
    read_wire(table)
    read_other_tests(table)
    judge(table)
    (print_md if md else print_text)(table)
    print_summary(table, md)
    sys.stdout.flush()
    for fault in table.faults:
        print(f"rfc: {fault}", file=sys.stderr)
    unmet = {f.split(":")[0] for f in table.faults}
    passed = sum(is_required(r) and r.label not in unmet
                 for r in table.rows.values())
    print(f"rfc: {passed} passed, {len(table.faults)} failed")
    return 1 if table.faults else 0


if __name__ == "__main__":
    sys.exit(main())
