"""The driver, parity.verify and the baselines read tables under the same settings. Each has them written out: the driver as statements, verify
as JSON for both sides, baselines as SET clauses. What is different has its reason here."""

import json
import re
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent

# What ends a transaction that waits for the other side, and what the planner may do there: baselines have no other side.
OF_TWO_SIDES = {"idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout"}
# The driver's session sets these by itself, in other statements: only where the server has them, or for the role that is asked for.
OF_SESSIONS = {"idle_session_timeout", "transaction_timeout", "jit", "row_security"}
# For the driver's notices, and for conditions of users, which the stream engine hands to the planner.
OF_THE_DRIVER = {"client_min_messages", "constraint_exclusion", "enable_partition_pruning"}


def driver():
    files = [file for file in (TOP / "driver").rglob("*.cpp") if 'std::pair{"DateStyle"' in file.read_text()]
    assert len(files) == 1
    listed = files[0].read_text().partition('std::pair{"DateStyle"')[2].partition("})")[0]
    return dict(re.findall(r'\{?"(\w+)", "([^"]*)"\}', '{"DateStyle"' + listed)), files[0].read_text()


def verify():
    text = (TOP / "extension/sql/31-verify-target.sql").read_text().partition("FUNCTION parity_internal.verify_settings(")[2]
    return json.loads(re.search(r"'(\{.*?\})'::jsonb", text, re.S).group(1))


def baselines():
    """Of the functions that digest for a baseline, without search_path."""
    lines = [line.split("\t") for line in (TOP / "tests/data/routines.tsv").read_text().splitlines()]
    found = {cells[0].partition("(")[0]: dict(setting.split("=", 1) for setting in cells[8].split("; ")) for cells in lines
             if cells[0].startswith(("baseline_digest(", "baseline_pass("))}
    assert len(found) == 2 and all(settings.pop("search_path") for settings in found.values())
    return found


def test_verify_pins_what_the_driver_pins():
    pinned, _ = driver()
    assert len(pinned) > 15
    assert {name: value for name, value in pinned.items() if name not in OF_THE_DRIVER} == {
        name: value for name, value in verify().items() if name not in OF_SESSIONS}


def test_the_driver_sets_elsewhere_what_else_verify_pins():
    _, text = driver()
    for name in OF_SESSIONS & verify().keys():
        assert f'"{name}"' in text or f" {name} " in text, name


def test_baselines_pin_what_verify_pins():
    for name, settings in baselines().items():
        assert settings == {name: value for name, value in verify().items() if name not in OF_TWO_SIDES}, name
