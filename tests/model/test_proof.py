"""The rule by which parity.verify confirms and clears what differs is never wrong in the model of tests/support/proof.py, and each of its
conditions is needed. A condition that can be left out without a mistake would mean that the model is too small, or the rule too long."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.proof import RULE, SCENARIOS, WRONG_RULES, Scenario, explore  # noqa: E402


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_no_order_of_events_is_judged_wrongly(scenario):
    mistake, states = explore(RULE, scenario)
    assert mistake is None, str(mistake)
    assert states > 5 ** len(scenario.transactions)


@pytest.mark.parametrize("name", WRONG_RULES)
def test_a_wrong_rule_is_caught(name):
    rule, what = WRONG_RULES[name]
    mistakes = (explore(rule, scenario)[0] for scenario in SCENARIOS)
    mistake = next((mistake for mistake in mistakes if mistake), None)
    assert mistake is not None
    assert mistake.what == what, str(mistake)


def test_the_first_mistake_of_a_wrong_rule_is_told_with_its_steps():
    rule, _ = WRONG_RULES["proof 1 without: replayed"]
    mistake, _ = explore(rule, Scenario(((1, "a"),), (("update", 1, "b"),)))
    assert str(mistake).splitlines()[0] == "a row that is only in flight was confirmed"
    assert any("T1 commits" in step for step in mistake.steps)
