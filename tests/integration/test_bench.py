"""The scripts of bench/ still run, and what they say of numbers is right. What they measure here means nothing: the tables are tiny."""

import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from support.pgparity import PGPARITY, TOP

sys.path.insert(0, str(TOP / "bench"))

import results  # noqa: E402
from measuring import ratio  # noqa: E402

loader = SourceFileLoader("check_instructions", str(TOP / "scripts/check-instructions"))
guard = module_from_spec(spec_from_loader(loader.name, loader))
loader.exec_module(guard)


@pytest.mark.parametrize("measured, passes", [(2.0, True), (2.099, True), (2.101, False), (4.0, False), (1.901, True), (1.0, True)])
def test_the_guard_fails_beyond_its_margin(measured, passes):
    passed, said = guard.judge(measured, 2.0)
    assert passed == passes
    assert ("over the record" in said) == (not passes)


def test_the_guard_hints_at_a_gain():
    assert "hint" in guard.judge(1.89, 2.0)[1]
    assert "hint" not in guard.judge(1.91, 2.0)[1]


def test_the_guard_fails_without_a_record():
    passed, said = guard.check(2.0, "PostgreSQL 99 on abacus", {"PostgreSQL 15 on x86_64": {"ratio": 2.0, "reason": "first"}})
    assert not passed and "PostgreSQL 99 on abacus" in said


def test_a_ratio_is_marked_by_its_goal():
    assert ratio(3, 2, 1.5) == ("1.50", "≤ 1.5 ✓")
    assert ratio(3.01, 2, 1.5) == ("1.50", "≤ 1.5 ✗")


def test_a_section_is_replaced_and_the_others_stay():
    first, second = results.SECTIONS[:2]
    text = results.with_section("# Old results\n\n| without sections |\n", second, "two\n\n### part\n")
    text = results.with_section(text, first, "one")
    text = results.with_section(text, first, "one again")
    assert results.sections_of(text) == {first: "one again", second: "two\n\n### part"}
    assert text.index(first) < text.index(second)


@pytest.mark.long
@pytest.mark.parametrize("script, arguments, titles", [
    ("run", ["--rows", "20000"], ["The scan and its baselines", "End to end"]),
    ("growth", ["--rows", "50000", "--long"], ["Growth with rows", "Growth with ranges", "Growth with columns", "Growth with the size of values", "Cold cache"]),
    ("driver", ["--rows", "20000"], ["The driver"]),
    ("spans", ["--rows", "50000", "--ranges", "100", "--rounds", "1"], ["Spans of keys"]),
    ("large_objects", ["--objects", "200", "--bytes", "5000", "--rounds", "1"], ["Large objects"]),
    ("kept", ["--baseline-pgparity", PGPARITY, "--rows", "20000", "--tables", "50", "--findings", "2000"],
     [f"A run that is kept: {about}" for about in ("one large table", "many small tables", "memory")]),
])
def test_a_script_measures_and_writes_its_sections(script, arguments, titles, tmp_path):
    written = tmp_path / "RESULTS.md"
    run = subprocess.run([TOP / "bench" / script, *arguments, "--rounds", "1", "--write", written], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    sections = results.sections_of(written.read_text())
    assert list(sections) == titles
    for title, body in sections.items():
        assert f"Made by `bench/{script} " in body or title == "Cold cache" and "needs root" in body, body
        assert f"## {title}" in run.stdout
