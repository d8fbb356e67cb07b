"""Runs what is to be measured interleaved, and shows medians, ratios and goals."""

import statistics
import sys
import time


class Case:
    """One thing to measure: a name, what to call, and the seconds that the calls took."""

    def __init__(self, name, run, before=None):
        """`before` is called before every run and is no part of what is measured."""
        self.name = name
        self.run = run
        self.before = before
        self.times = []

    @property
    def median(self):
        return statistics.median(self.times)


def measure(cases, rounds):
    """Interleaved, so that a slow minute of the machine touches all alike. The first round warms up and does not count."""
    for number in range(rounds + 1):
        for case in cases:
            if case.before:
                case.before()
            started = time.perf_counter()
            case.run()
            if number > 0:
                case.times.append(time.perf_counter() - started)
        print(f"round {number} of {rounds} done", file=sys.stderr)


def mark(reached):
    return "✓" if reached else "✗"


def ratio(value, base, goal=None):
    """Two cells of a table: the ratio, and its goal with a mark where there is one."""
    return f"{value / base:.2f}", "" if goal is None else f"≤ {goal:g} {mark(value / base <= goal)}"


def markdown_table(header, rows, left=1):
    """The first `left` columns stand left, the others right."""
    lines = [header, ["---" if n < left else "---:" for n in range(len(header))], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"
