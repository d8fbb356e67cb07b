"""The rules by which parity.verify and the rechecks of `pgparity compare` confirm and clear what differs are never wrong in the model of
tests/support/proof.py, and each of their conditions is needed. A condition that can be left out without a mistake would mean that the model is too small, or the rule too long."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.proof import (  # noqa: E402
    DRIVER_RULE, DRIVER_SCENARIOS, RULE, SCENARIOS, WRONG_DRIVER_RULES, WRONG_RULES, Scenario, explore)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_no_order_of_events_is_judged_wrongly(scenario):
    mistake, states = explore(RULE, scenario)
    assert mistake is None, str(mistake)
    assert states > 5 ** len(scenario.transactions)


@pytest.mark.parametrize("scenario", DRIVER_SCENARIOS, ids=str)
def test_the_driver_judges_no_order_of_events_wrongly(scenario):
    mistake, states = explore(DRIVER_RULE, scenario)
    assert mistake is None, str(mistake)
    assert states > 5 ** len(scenario.transactions)


def assert_is_caught(rule, what, scenarios):
    mistakes = (explore(rule, scenario)[0] for scenario in scenarios)
    mistake = next((mistake for mistake in mistakes if mistake), None)
    assert mistake is not None
    assert mistake.what == what, str(mistake)


@pytest.mark.parametrize("name", WRONG_RULES)
def test_a_wrong_rule_is_caught(name):
    assert_is_caught(*WRONG_RULES[name], SCENARIOS)


@pytest.mark.parametrize("name", WRONG_DRIVER_RULES)
def test_a_wrong_rule_of_the_driver_is_caught(name):
    assert_is_caught(*WRONG_DRIVER_RULES[name], DRIVER_SCENARIOS)


def test_the_first_mistake_of_a_wrong_rule_is_told_with_its_steps():
    rule, _ = WRONG_RULES["proof 1 without: replayed"]
    mistake, _ = explore(rule, Scenario(((1, "a"),), (("update", 1, "b"),)))
    assert str(mistake).splitlines()[0] == "a row that is only in flight was confirmed"
    assert any("T1 commits" in step for step in mistake.steps)
