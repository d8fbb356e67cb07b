"""The SQL judges as the rule does that tests/model shows to be right: whatever the model asks, both give the same answer."""

import json

import pytest

from support.proof import QUESTIONS, RULE, SCENARIOS, WRONG_RULES, explore, judge, open_writers, range_version


@pytest.fixture(scope="module")
def questions():
    """Those of the scenarios that are explored soon, and the same with what the model never meets as `follows`."""
    for scenario in SCENARIOS:
        if len(scenario.transactions) < 3:
            explore(RULE, scenario)
    asked = [(json.loads(found), follows) for found, follows in QUESTIONS]
    assert len(asked) > 800
    return asked + [(found, other) for found, _ in asked[::5] for other in ("no", "unknown", "at once")]


@pytest.fixture(scope="module")
def database(source_cluster):
    made = source_cluster.create_database()
    yield made
    source_cluster.drop_database(made)


def answers(database, call, asked):
    """What the server gives for each, in this order; `call` is about q.value."""
    return database.value(f"SELECT coalesce(jsonb_agg({call} ORDER BY q.no), '[]') FROM jsonb_array_elements(%s) WITH ORDINALITY AS q(value, no)",
                          [json.dumps(asked)])


@pytest.fixture(scope="module")
def verdicts(database, questions):
    return answers(database, "parity_internal.verify_judge(q.value -> 0, q.value ->> 1)", questions)


def test_each_question_is_answered_as_by_the_rule(questions, verdicts):
    states = set()
    for (found, follows), verdict in zip(questions, verdicts, strict=True):
        assert verdict == judge(RULE, found, follows), (found, follows)
        states |= {line["state"] for line in verdict["rows"] + verdict["ranges"]}
    assert states == {"moving", "divergent"}


@pytest.mark.parametrize("name", [name for name, (rule, _) in WRONG_RULES.items() if rule.divergent != RULE.divergent or rule.source_since_begins
                                  != RULE.source_since_begins or rule.source_since_stays != RULE.source_since_stays
                                  or rule.target_since_stays != RULE.target_since_stays or rule.target_sure != RULE.target_sure])
def test_a_wrong_rule_answers_otherwise(questions, verdicts, name):
    rule, _ = WRONG_RULES[name]
    assert any(verdict != judge(rule, found, follows) for (found, follows), verdict in zip(questions, verdicts, strict=True))


def test_writers_that_have_ended_are_dropped_as_in_the_model(database):
    asked = [({}, []), ({}, ["7"])] + [
        ({"look": 2, "open": {"1": first, "2": second}}, now) for first in ([], ["7"], ["7", "8"]) for second in ([], ["8"], ["8", "9"])
        for now in ([], ["7"], ["8"], ["9", "8"], ["10"])]
    given = answers(database, "parity_internal.verify_open_writers(q.value -> 0, q.value -> 1)", asked)
    for (found, writers), answer in zip(asked, given, strict=True):
        assert answer == open_writers(RULE, found, writers), (found, writers)
        assert (found == {}) or answer != open_writers(WRONG_RULES["writers end at once"][0], found, writers) or not any(answer["open"][k] for k in "12")


@pytest.mark.parametrize("side", ["source", "target"])
def test_versions_of_ranges_are_as_in_the_model(database, side):
    lines = [{side: now, "no": 3, **before} for now in ("x", "y")
             for before in ({}, {"before": {side: "x", "no": 3, f"{side}_version": "look 1"}}, {"before": {side: "x", "no": 3, f"{side}_version": None}})]
    asked = [(line, fresh) for line in lines for fresh in ([], [3], [2, 4])]
    given = answers(database, f"parity_internal.verify_range_version('{side}', q.value -> 0, true, q.value -> 1, 'look 2')", asked)
    for (line, fresh), answer in zip(asked, given, strict=True):
        assert answer == range_version(side, line, 3 in fresh, "look 2"), (line, fresh)
    assert set(given) == {"look 1", "look 2"}
