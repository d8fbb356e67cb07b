"""What a short run takes of the matrices: by synthetic ones, and by those that the integration tests have."""

import collections
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))

from support.sampling import ENGINES, TWINS, Variant, choose  # noqa: E402

PLUGIN = """
import json, os
from support.sampling import variant_of

def pytest_collection_finish(session):
    with open(os.environ["PARITY_VARIANTS"], "w") as file:
        json.dump([vars(variant_of(item)) for item in session.items], file)
"""


def matrix(test, wanted, **parameters):
    return [Variant(f"{test}[{'-'.join(values)}]", "module", test, dict(zip(parameters, values)), wanted) for values in itertools.product(*parameters.values())]


WIDE = {"path": ["scan", "stream"], "type": [f"type {n}" for n in range(9)], "planted": ["False", "True"]}


def collect(folder, seed, *arguments):
    """The integration tests that pytest would run, as variants."""
    (folder / "variants_plugin.py").write_text(PLUGIN)
    file = folder / "variants.json"
    path = os.pathsep.join([str(folder), str(TOP / "tests")])
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "variants_plugin", "--collect-only", "-m", "not long", *arguments,
                    "tests/integration"], cwd=TOP, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path, "PARITY_SEED": seed, "PARITY_VARIANTS": str(file)})
    return [Variant(**fields) for fields in json.loads(file.read_text())]


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    return collect(tmp_path_factory.mktemp("all"), "1")


@pytest.fixture(scope="module")
def samples(variants):
    return [choose(variants, seed) for seed in range(300)]


def values_of(variants, parameter):
    """The values that a parameter has in each module."""
    found = collections.defaultdict(set)
    for variant in variants:
        if parameter in variant.parameters:
            found[variant.module].add(variant.parameters[parameter])
    return found


def test_as_many_as_the_marker_says():
    for wanted, expected in ((1, 2), (4, 8), (18, 36), (30, 36), (None, 36), (0, 2)):
        assert len(choose(matrix("t", wanted, **WIDE), 7)) == expected


def test_twins_are_together():
    for seed in range(50):
        taken = choose(matrix("t", 3, **WIDE), seed)
        assert {name.replace("True", "False") for name in taken} == {name for name in taken if "False" in name} and len(taken) == 6


def test_the_sample_is_spread_over_the_values():
    for seed in range(50):
        taken = [name[2:-1].split("-") for name in choose(matrix("t", 9, **WIDE), seed)]
        assert len({kind for _, kind, _ in taken}) == 9
        assert abs(sum(1 if engine == "scan" else -1 for engine, _, _ in taken)) == 2  # nine pairs of twins: five and four


def test_the_tests_of_a_module_take_turns():
    both = matrix("a", 1, engine=["scan", "stream"]) + matrix("b", 1, engine=["scan", "stream"])
    samples = {tuple(sorted(choose(both, seed))) for seed in range(50)}
    assert samples == {("a[scan]", "b[stream]"), ("a[stream]", "b[scan]")}


def test_each_engine_has_its_turn_where_a_test_has_one_alone():
    for seed in range(50):
        taken = choose(matrix("t", 1, engine=["scan", "stream"], type=["a", "b", "c"]), seed)
        assert sorted(name[2:-3] for name in taken) == ["scan", "stream"]


def test_another_order_of_other_tests_changes_nothing():
    """What is new or gone elsewhere in the matrix does not deal the rest anew: the lots are drawn by name."""
    few = matrix("t", 1, type=[f"type {n}" for n in range(20)])
    same = sum(choose(few, seed) == choose(few[:-1], seed) for seed in range(100))
    assert same > 80


def test_the_same_seed_has_the_same_sample(variants, samples, tmp_path):
    """In another process, too, as the workers of one run are."""
    taken = {variant.name for variant in collect(tmp_path, "3", "--sample")}
    assert taken == choose(variants, "3") == samples[3] != samples[4]


def test_each_test_has_a_variant_in_each_run(variants, samples):
    """Of the tests that take turns it is a third of each group."""
    groups = {variant.test: variant.group for variant in variants}
    for sample in samples:
        taken = {name.partition("[")[0] for name in sample}
        assert all(test in taken for test, group in groups.items() if not group)
        for group in set(groups.values()) - {None}:
            tests = {test for test in groups if groups[test] == group}
            assert len(tests) > 1 and len(tests & taken) == len(tests) - len(tests) * 2 // 3


def test_all_variants_have_their_run(variants, samples):
    never = {variant.name for variant in variants} - set().union(*samples)
    assert not never
    assert all(len(sample) < 0.7 * len(variants) for sample in samples)


@pytest.mark.parametrize("parameter", ENGINES)
def test_each_engine_has_a_variant_in_each_module(variants, samples, parameter):
    """Of tests whose turn it is; each module has others with the same engines, but for those where all take turns."""
    assert values_of(variants, parameter)
    for sample in samples:
        tests = {name.partition("[")[0] for name in sample}
        of_turn = values_of((variant for variant in variants if variant.test in tests), parameter)
        assert values_of((variant for variant in variants if variant.name in sample), parameter) == of_turn


def test_twins_of_the_real_tests_are_together(variants, samples):
    cases = collections.defaultdict(set)
    for variant in variants:
        if set(variant.parameters) & set(TWINS):
            cases[variant.test, variant.case()].add(variant.name)
    assert len(cases) > 30
    for sample in samples:
        assert all(twins <= sample or not twins & sample for twins in cases.values())
