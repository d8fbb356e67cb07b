"""What a run says of its time, and when that fails it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))

from support.budgets import BUDGETS, lines, read_budgets  # noqa: E402

NO_TOPIC = {"test_bench", "test_huge_values"}  # all of it is for long runs, or takes no time


def test_what_is_over_its_budget_is_named():
    told = list(lines(100, {"build": 50, "format": 3}, {"test_keys": 61, "test_values": 5}, {"all": 90, "build": 60, "test_keys": 60}))
    assert told == ["-- the whole took 1 min 40 s", "-- over its budget of 90 s: all, 100 s", "--     50 s  build", "-- over its budget of 60 s: test_keys, 61 s"]


@pytest.mark.parametrize("wish, long, seconds, status", [("", "", 901, 0), ("enforce", "", 901, 1), ("enforce", "", 900, 0), ("enforce", "1", 9000, 0)])
def test_only_the_whole_fails_and_only_on_demand(tmp_path, wish, long, seconds, status):
    done = subprocess.run([sys.executable, TOP / "tests/support/budgets.py", str(seconds), tmp_path], input="9999 build\n", text=True, stdout=subprocess.PIPE, check=False,
                          env={**os.environ, "PARITY_BUDGET": wish, "PARITY_LONG": long})
    assert done.returncode == status
    assert ("over its budget of 900 s: all" in done.stdout) == (not long and seconds > 900)


def test_each_module_has_a_budget():
    modules = {file.stem for file in (TOP / "tests/integration").glob("test_*.py")} - NO_TOPIC
    assert {topic for topic in read_budgets(BUDGETS.read_text()) if topic.startswith("test_")} == modules
