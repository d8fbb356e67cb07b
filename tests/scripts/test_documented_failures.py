"""The table of failures in docs/operations.md is the one that the program acts on (driver/waiting/retry.cpp)."""

import re
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
LESS = "[asks less](cli.md#asking-less-of-a-server)"
DOING = {"kReconnect": "connects anew", "kNewSnapshot": "takes new snapshots", "kDeadLetter": "reads around it", "kStopSide": "begins no other table, and names what is full",
         "kEveryStep": f"{LESS}, by every step", "kAnyStep": f"{LESS}, by every step but spans", "kHalves": "takes new snapshots, and reads smaller spans", "kWithoutWorkers": f"{LESS}: fewer workers, then none", "kOtherWays": f"{LESS}: aggregate, then stream",
         "kShorterStatements": f"{LESS}: stream"}
SECTIONS = ["Failures that may pass", "What cannot be read"]


def rules():
    """(SQLSTATE, what happened, what is done) of each rule, in its order."""
    names = dict(re.findall(r'string_view (k\w+) = "(\w{5}|22|53)"', (TOP / "driver/model/sqlstates.h").read_text()))
    code = (TOP / "driver/waiting/retry.cpp").read_text()
    found = re.findall(r'FailureRule\{("\w*"|k\w+), Remedy::(\w+),\s*"([^"]+)"(?:,\s*ErrorCause::\w+,\s*(\w+))?\}', code)
    assert len(found) == code.count("FailureRule{")
    return [(names[sqlstate] if sqlstate.startswith("k") else sqlstate.strip('"') or "none", meaning, DOING[steps or remedy])
            for sqlstate, remedy, meaning, steps in found]


def documented():
    """The rows of the first table of each section."""
    rows = []
    for title in SECTIONS:
        section = re.split(r"\n##", (TOP / "docs/operations.md").read_text().split(f"### {title}\n")[1])[0]
        lines = [line for line in section.splitlines() if line.startswith("|")]
        rows += [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]
    return rows


def test_the_table_is_the_programs():
    assert len(rules()) > 8
    assert documented() == rules()
