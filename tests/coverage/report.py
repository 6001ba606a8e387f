#!/usr/bin/python3
"""report.py LINES BRANCHES < gcovr.json: how much of the core the tests reach

Prints lines and branches of each file and of all, then what is not reached, by
function: numbers of lines that never ran, and in brackets of lines that ran and
of which some branch was never taken. Fails if the total of either is below
LINES or BRANCHES percent.

The arm of ASSERT() that fails is not counted as a branch (coverage.mk has the
pattern): it is there never to be taken.
"""
import json
import sys


def percent(got, of):
    return 100.0 * got / of if of else 100.0


def spans(numbers):
    """[1, 2, 3, 7] -> '1-3 7'"""
    runs = []
    for n in sorted(numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ' '.join(f'{a}-{b}' if a != b else f'{a}' for a, b in runs)


class File:
    def __init__(self, d):
        self.name = d['file']
        self.functions = sorted((f['lineno'], f['name'])
                                for f in d['functions'])
        self.ran, self.never, self.half = set(), set(), set()
        self.taken = self.branches = 0
        for line in d['lines']:
            if line['gcovr/noncode'] or line['gcovr/excluded']:
                continue
            n = line['line_number']
            (self.ran if line['count'] else self.never).add(n)
            taken = sum(1 for b in line['branches'] if b['count'])
            self.taken += taken
            self.branches += len(line['branches'])
            if line['count'] and taken < len(line['branches']):
                self.half.add(n)

    @property
    def lines(self):
        return len(self.ran) + len(self.never)

    def missing(self):
        """(function, lines that never ran, lines with a branch not taken)"""
        ends = [at for at, _ in self.functions[1:]] + [sys.maxsize]
        for (start, name), end in zip(self.functions, ends):
            never = {n for n in self.never if start <= n < end}
            half = {n for n in self.half if start <= n < end}
            if never or half:
                yield name, never, half


def row(name, ran, lines, taken, branches):
    print(f'{name:<32}{ran:>6}/{lines:<5}{percent(ran, lines):6.1f} %'
          f'{taken:>8}/{branches:<5}{percent(taken, branches):6.1f} %')


def main():
    least = {'lines': float(sys.argv[1]), 'branches': float(sys.argv[2])}
    files = [File(d) for d in json.load(sys.stdin)['files']]
    files = [f for f in files if f.lines]
    if not files:
        sys.exit('coverage: nothing was measured')
    print(f'{"":<32}{"lines":>12}{"":>8}{"branches":>14}')
    for f in files:
        row(f.name, len(f.ran), f.lines, f.taken, f.branches)
    total = {
        'lines': (sum(len(f.ran) for f in files),
                  sum(f.lines for f in files)),
        'branches': (sum(f.taken for f in files),
                     sum(f.branches for f in files)),
    }
    row('total', *total['lines'], *total['branches'])

    print('\nnot reached: lines, [lines of which a branch was not taken]')
    for f in files:
        for name, never, half in f.missing():
            half = f'[{spans(half)}]' if half else ''
            print(f'{f.name}: {name}: '
                  f'{" ".join(filter(None, [spans(never), half]))}')

    failed = 0
    for what, (got, of) in total.items():
        if percent(got, of) < least[what]:
            failed += 1
            print(f'FAIL {percent(got, of):.1f} % of {what}, '
                  f'{least[what]:g} % are asked for')
    print(f'coverage: {len(total) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
