"""budgets.py SECONDS RESULTS < TIMES: where a run's time went, beside the budgets of scripts/budgets.

SECONDS is what the whole took, RESULTS the folder with its JUnit files, TIMES one line a suite: seconds, a blank, its name. A budget that
is exceeded is told. Only that of the whole can fail a run, by the status of this script, where PARITY_BUDGET is "enforce": machines differ
by a third from day to day. Long runs have no budgets.
"""

import collections
import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

BUDGETS = Path(__file__).resolve().parents[2] / "scripts" / "budgets"
WORTH_TELLING = 10


def read_budgets(text):
    """Seconds by topic: "topic<tab>seconds" a line, with # for comments."""
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return {topic.strip(): float(seconds) for topic, seconds in (line.rsplit("\t", 1) for line in lines if line)}


def module_times(folder):
    """Seconds by test module, from the JUnit files of pytest."""
    taken = collections.Counter()
    for file in Path(folder).glob("*.xml"):
        for case in ElementTree.parse(file).iter("testcase"):
            module = next((part for part in case.get("classname", "").split(".") if part.startswith("test_")), None)
            if module:
                taken[module] += float(case.get("time", 0))
    return taken


def lines(seconds, suites, modules, budgets):
    """What is told. `suites` and `modules` are seconds by name; the whole has the budget "all"."""
    yield f"-- the whole took {int(seconds) // 60} min {int(seconds) % 60:02d} s"
    for topic, taken in {"all": seconds, **suites, **modules}.items():
        budget = budgets.get(topic)
        if budget is not None and taken > budget:
            yield f"-- over its budget of {budget:.0f} s: {topic}, {taken:.0f} s"
        elif taken >= WORTH_TELLING and topic in suites:
            yield f"--   {taken:4.0f} s  {topic}"


def is_enough(seconds, budgets, wish):
    """Whether the run passes: only where the wish is "enforce" the whole must keep its budget."""
    return wish != "enforce" or seconds <= budgets.get("all", seconds)


def main():
    suites = {name: float(seconds) for seconds, _, name in (line.rstrip("\n").partition(" ") for line in sys.stdin) if name}
    budgets = {} if os.environ.get("PARITY_LONG") else read_budgets(BUDGETS.read_text())
    seconds = float(sys.argv[1])
    print("\n".join(lines(seconds, suites, module_times(sys.argv[2]), budgets)))
    sys.exit(0 if is_enough(seconds, budgets, os.environ.get("PARITY_BUDGET")) else 1)


if __name__ == "__main__":
    main()
