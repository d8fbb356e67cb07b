"""Which tests a short run takes: of a group a third, of a matrix a few variants, chosen by the run's seed, so that over many runs all are taken.

A matrix is a test function with many variants, one for each combination of its parameters. A group is tests about one topic that take long.
"""

import collections
import hashlib
from dataclasses import dataclass

# Parameters whose values are taken together: a case, and the same case with a planted difference.
TWINS = ("planted", "differ")
# Parameters of which each run has every value in every module that has it.
ENGINES = ("engine", "engines")


@dataclass(frozen=True)
class Variant:
    name: str
    module: str
    test: str
    parameters: dict  # what each is, as text
    wanted: int | None  # how many a run takes, where twins are one; all, if None
    group: str | None = None  # of whose tests a run takes a third

    def case(self):
        """What twins have in common."""
        return tuple(sorted((name, value) for name, value in self.parameters.items() if name not in TWINS))


def variant_of(item):
    """The variant that a test of pytest is."""
    marker = item.get_closest_marker("matrix")
    group = item.get_closest_marker("in_turn")
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return Variant(item.nodeid, item.module.__name__, item.nodeid.partition("[")[0], {name: repr(value) for name, value in given.items()},
                   marker and marker.kwargs["sample"], group and group.args[0])


def grouped(variants, key):
    groups = collections.defaultdict(list)
    for variant in variants:
        groups[key(variant)].append(variant)
    return groups


def choose(variants, seed):
    """The names of the variants that a run with this seed takes: of each test whose turn it is at least one, and of each module each engine that
    these tests have.

    One after the other, the case is taken whose values were taken least often so far: of engines by the module, of other parameters by this
    test. The seed decides between cases that are equal in that, and in which order the tests of a module have their turn.
    """
    taken = set()
    variants = list(variants)
    waiting = out_of_turn(variants, seed)
    in_turn = [variant for variant in variants if variant.test not in waiting]
    for of_module in grouped(in_turn, lambda variant: variant.module).values():
        taken |= choose_of_module(of_module, seed)
    return taken


def out_of_turn(variants, seed):
    """The tests of which this run takes no variant: of each group two thirds, rounded down."""
    tests = {variant.test: variant.group for variant in variants if variant.group}
    found = set()
    for of_group in grouped(tests, tests.get).values():
        drawn = sorted(of_group, key=lambda test: lot(seed, test))
        found.update(drawn[:len(drawn) * 2 // 3])
    return found


def lot(seed, name):
    return hashlib.sha256(f"{seed} {name}".encode()).digest()


def choose_of_module(variants, seed):
    taken, left = [], []
    engines = collections.Counter()
    tests = grouped(variants, lambda variant: variant.test)
    for test in sorted(tests, key=lambda test: lot(seed, test)):
        cases = grouped(tests[test], Variant.case)
        drawn = sorted(cases, key=lambda case: lot(seed, cases[case][0].name))
        wanted = tests[test][0].wanted
        if wanted is None or wanted >= len(cases):
            taken += tests[test]
            continue
        others = collections.Counter()
        for _ in range(max(wanted, 1)):
            case = min(drawn, key=lambda case: sum((engines if value[0] in ENGINES else others)[value] for value in case))
            drawn.remove(case)
            engines.update(value for value in case if value[0] in ENGINES)
            others.update(case)
            taken += cases[case]
        left += [cases[case] for case in drawn]
    met = {value for variant in taken for value in variant.parameters.items() if value[0] in ENGINES}
    for twins in left:
        of_engines = {value for value in twins[0].case() if value[0] in ENGINES}
        if not of_engines <= met:
            taken += twins
            met |= of_engines
    return {variant.name for variant in taken}
