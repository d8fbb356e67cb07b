"""A model of what parity.verify and the rechecks of `pgparity compare` prove under replication (docs/architecture.md, "What is proof").

There are a source, a replica that follows it, some transactions, and a run that looks at one row or range several times. `explore` tries
every order in which the steps of the transactions, of replay and of the looks can follow each other, and gives the first in which the
run judges wrongly.

The rule by which the run judges is data (`Rule`). `RULE` is the rule of extension/sql: `judge`, `open_writers` and `range_version` take and
give what the SQL functions of these names take and give, so that both can be asked the same (tests/integration/test_proof.py). `DRIVER_RULE`
is for rechecks of `pgparity compare`, and also clears what has arrived. The tests in tests/model show that neither is ever wrong, and that each is wrong
without any one of its conditions.

What is modelled of a transaction:
    begin     it takes its number
    write     it locks the relation, takes rows away (xmax) and adds rows (xmin); who wants a row that it has waits until it has ended
    commit    its place in the WAL: from here on the replica may show it
    end       it is seen on the source, and lets go of its locks; a synchronous standby may have it wait for long before that
What is modelled of a look: the steps of Rule.look, each at a moment of its own.
"""

import dataclasses
import itertools
import json
import typing

IDLE, BEGUN, WRITTEN, COMMITTED, ENDED = range(5)
FIRST = -1  # the writer of the rows that are there at the start


@dataclasses.dataclass(frozen=True)
class Rule:
    """Sets of conditions, all of which must hold. A condition is a name in CONDITIONS."""

    # What a look does, in this order. A snapshot lists as in progress only numbers below one more than the highest that has ended.
    look: tuple = ("target snapshot", "own transaction", "source snapshot", "position", "versions")
    # The target has replayed: it shows what was committed before the position of which look?
    replayed_up_to: str = "the last look"
    # Who was in progress for the source's snapshot and yet is no writer.
    no_writer: frozenset = frozenset({"has no lock", "is in progress"})
    # Which looks' lists of writers lose who is not a writer any more.
    writers_end: str = "of every look"
    # Which rows are new: whose writer is not older than the oldest transaction in progress at which look?
    fresh_since: str = "the last look"
    # The proofs. The first is for a target that does not follow the source.
    divergent: tuple = (
        frozenset({"follows not", "same hashes"}),
        frozenset({"replayed", "source stays", "target has not more", "free"}),
        frozenset({"writers since source_since ended"}),
        frozenset({"replayed", "target stays", "target was sure"}))
    # A version that stays has been there, on the way to a proof, since a look.
    source_since_begins: frozenset = frozenset({"source stays", "replayed", "target has not more"})
    source_since_stays: frozenset = frozenset({"source stays"})
    target_since_stays: frozenset = frozenset({"target stays"})
    target_sure: frozenset = frozenset({"source has not more", "writers since target_since ended"})
    # What is not looked at any more, and does not differ: by one of these.
    cleared: tuple = (frozenset({"equal now"}),)


RULE = Rule()
DRIVER_RULE = dataclasses.replace(RULE, cleared=(*RULE.cleared, frozenset({"has replayed a look", "the target as the last look that it may have replayed, or later"})))

CONDITIONS = {
    "follows not": lambda line: line["follows"] == "no",
    "replayed": lambda line: line["follows"] == "replayed",
    "same hashes": lambda line: line["again"] and all(line[side] == line["before"][side] for side in ("source", "target")),
    "source stays": lambda line: stays(line, "source_version"),
    "target stays": lambda line: stays(line, "target_version"),
    "target has not more": lambda line: line["target_rows"] <= line["source_rows"],
    "source has not more": lambda line: line["source_rows"] <= line["target_rows"],
    "free": lambda line: line.get("free") is True,
    "writers since source_since ended": lambda line: line["open"].get(line["source_since"]) == [],
    "writers since target_since ended": lambda line: line["open"].get(line["target_since"]) == [],
    "target was sure": lambda line: line["before"].get("target_sure") is True,
}

# Of what does not differ, or does no more. A line's `history` is what the source had at each look up to this one. `replayed` is the number of
# the last look that the target had replayed before its snapshot was taken, `may_have_replayed` the same afterwards; 0 for none.
CLEARING = {
    "equal now": lambda line: line["source"] == line["target"],
    "has replayed a look": lambda line: line["replayed"] > 0,
    "the target as the last look that it may have replayed, or later": lambda line: line["target"] in line["history"][max(line["may_have_replayed"] - 1, 0):],
    "the target as the last look that it has replayed, or later": lambda line: line["target"] in line["history"][max(line["replayed"] - 1, 0):],
    "the target as any look": lambda line: line["target"] in line["history"],
}


def stays(line, version):
    return line["again"] and line.get(version) is not None and line[version] == line["before"].get(version)


def holds(conditions, line):
    return all(CONDITIONS[condition](line) for condition in conditions)


def judge(rule, found, follows):
    """What parity's verify_judge gives."""
    return {**found, **{name: [judge_line(rule, found, follows, value) for value in found[name]] for name in ("rows", "ranges")}}


def judge_line(rule, found, follows, value):
    look = str(found["look"])
    line = {**value, "again": "before" in value, "before": value.get("before", {}), "follows": follows, "open": found["open"],
            "source_rows": value.get("source_extra", value.get("source_rows")), "target_rows": value.get("target_extra", value.get("target_rows"))}
    before = line["before"]
    line["source_since"] = line["target_since"] = None
    if holds(rule.source_since_stays, line) and before.get("source_since"):
        line["source_since"] = before["source_since"]
    elif holds(rule.source_since_begins, line):
        line["source_since"] = look
    if value.get("target_version") is not None:
        line["target_since"] = before.get("target_since") if line["again"] and holds(rule.target_since_stays, line) else look
    confirmed = value["state"] == "divergent" or any(holds(proof, line) for proof in rule.divergent)
    return {**{key: kept for key, kept in value.items() if key != "before"},
            "source_since": line["source_since"], "target_since": line["target_since"], "target_sure": holds(rule.target_sure, line),
            "state": "divergent" if confirmed else "moving"}


def open_writers(rule, found, writers):
    """What parity's verify_open_writers gives."""
    look = found.get("look", 0) + 1
    older = found.get("open", {})
    if rule.writers_end == "of every look":
        older = {key: [x for x in kept if x in writers] for key, kept in older.items()}
    elif rule.writers_end == "of every look at once":
        older = {key: [] for key in older}
    return {"look": look, "open": {str(look): writers, **older}}


def range_version(side, value, fresh, look):
    """What parity's verify_range_version gives, of a side whose rows have versions."""
    before = value.get("before")
    if before is not None and value[side] == before[side] and not fresh:
        return before.get(side + "_version") or look
    return look


#
# scenarios
#

@dataclasses.dataclass(frozen=True)
class Scenario:
    """What the sides have at the start, what the transactions do, and what goes wrong.

    rows: the ids and values that the source has.
    transactions: of each what it does: ("update", id, value), ("insert", id, value), ("delete", id), ("elsewhere",) in the same relation,
        or one of these after "abort", after "late" if it takes its number earlier than its lock, or after "hangs" if it never ends.
    kind: "key": the rows under one key, told apart by their values alone; "range": rows with keys.
    replica: "physical": it has the source's versions; "logical": a transaction there has a number of its own.
    target_rows: what the replica has at the start, if not the same. dropped: the transactions that it swallows.
    """

    rows: tuple
    transactions: tuple
    kind: str = "key"
    replica: str = "physical"
    looks: int = 2
    target_rows: tuple = None
    dropped: tuple = ()

    @property
    def faithful(self):
        return self.target_rows is None and not self.dropped


@dataclasses.dataclass(frozen=True)
class Mistake:
    what: str
    scenario: Scenario
    steps: tuple

    def __str__(self):
        return "\n".join([self.what, f"  {self.scenario}", *(f"  {number}. {step}" for number, step in enumerate(self.steps, 1))])


class Entry(typing.NamedTuple):
    """What the run knows of the row or range after a look."""

    source: tuple
    target: tuple
    source_version: str
    target_version: str
    source_since: str
    target_since: str
    target_sure: bool
    state: str
    history: tuple = ()  # what the source had at each look; and whether something of that was lost


class State(typing.NamedTuple):
    phases: tuple
    numbers: tuple = ()       # the transactions in the order of their numbers
    below: int = 0            # how many of them are below one more than the highest number that has ended
    commits: tuple = ()       # in the order of the WAL
    versions: tuple = ()      # on the source's pages: (id, value, who wrote it, who removed it or None)
    effects: tuple = ()       # of each transaction what it did
    applied: int = 0          # how many commits the replica shows
    look: int = 1
    step: int = 0
    follows: str = None
    shown: int = None         # commits that the target's snapshot shows
    target_horizon: int = None
    seen: frozenset = None    # by the source's snapshot
    in_progress: tuple = ()
    source_horizon: int = None
    position: int = 0         # of the last look: how many commits were in the WAL
    read: int = 0             # the same of this look
    horizons: tuple = (None, None)
    open: tuple = ()
    entry: Entry = None
    positions: tuple = ()     # of all looks before, if the rule asks for them
    replayed: tuple = (0, 0)  # the last look that the target had replayed before its snapshot was taken, and afterwards


def asks_for_history(rule):
    return len(rule.cleared) > 1


def start(scenario):
    count = len(scenario.transactions)
    return State(phases=(IDLE,) * count, versions=tuple((i, value, FIRST, None) for i, value in scenario.rows), effects=(None,) * count)


def plain(operation):
    """The operation without the word before it, and that word."""
    return (operation[1], operation[0]) if operation[0] in ("abort", "late", "hangs") else (operation, None)


def replaced(items, index, value):
    return (*items[:index], value, *items[index + 1:])


def transaction_steps(scenario, state):
    """Every next step of a transaction: what happens, and the state after it."""
    for index, phase in enumerate(state.phases):
        operation, how = plain(scenario.transactions[index])
        name = f"T{index + 1}"
        if phase == IDLE:
            begun = state._replace(phases=replaced(state.phases, index, BEGUN), numbers=(*state.numbers, index))
            if how == "late":
                yield f"{name} begins", begun
            elif can_write(state, operation):
                yield f"{name} writes: {operation}", write(begun, index, operation)
        elif phase == BEGUN and can_write(state, operation):
            yield f"{name} writes: {operation}", write(state, index, operation)
        elif phase == WRITTEN and how not in ("abort", "hangs"):
            yield f"{name} commits", state._replace(phases=replaced(state.phases, index, COMMITTED), commits=(*state.commits, index))
        elif phase == COMMITTED or (phase == WRITTEN and how == "abort"):
            yield f"{name} {'is seen' if phase == COMMITTED else 'is rolled back'}", state._replace(phases=replaced(state.phases, index, ENDED), below=max(state.below, state.numbers.index(index) + 1))


def has_ended(state, writer):
    return writer == FIRST or state.phases[writer] == ENDED


def committed(state, writer):
    return writer == FIRST or writer in state.commits


def can_write(state, operation):
    """Who wants a row waits for whoever has it in hand."""
    return operation[0] == "elsewhere" or all(
        has_ended(state, writer) and (remover is None or has_ended(state, remover))
        for row, _, writer, remover in state.versions if row == operation[1])


def write(state, index, operation):
    versions, effect = state.versions, None
    if operation[0] != "elsewhere":
        row = operation[1]
        live = [place for place, (other, _, writer, remover) in enumerate(versions)
                if other == row and committed(state, writer) and (remover is None or not committed(state, remover))]
        if operation[0] in ("update", "delete") and live:
            old = versions[live[0]]
            versions = replaced(versions, live[0], (*old[:3], index))
        if operation[0] == ("update" if live else "insert"):
            versions = (*versions, (row, operation[2], index, None))
            effect = ("set", row, operation[2])
        elif operation[0] == "delete" and live:
            effect = ("delete", row)
    return state._replace(phases=replaced(state.phases, index, WRITTEN), versions=versions, effects=replaced(state.effects, index, effect))


def on_target(scenario, state, applied):
    """The rows that the replica has after so many commits: (id, value, who wrote it)."""
    return with_commits(scenario, state, state.commits[:applied])


def with_commits(scenario, state, commits):
    rows = {i: (value, FIRST) for i, value in (scenario.rows if scenario.target_rows is None else scenario.target_rows)}
    for index in commits:
        effect = state.effects[index]
        if effect is None or index in scenario.dropped:
            continue
        if effect[0] == "delete":
            rows.pop(effect[1], None)
        elif effect[1] in rows or not is_update(scenario, index):
            rows[effect[1]] = (effect[2], index)
    return tuple((i, value, writer) for i, (value, writer) in sorted(rows.items()))


def is_update(scenario, index):
    return plain(scenario.transactions[index])[0][0] == "update"


def on_source(state, seen):
    """The rows that a snapshot shows: (id, value, who wrote it), and whether nobody has touched them up to now."""
    def shows(writer):
        return writer == FIRST or writer in seen
    rows = [(i, value, writer, remover) for i, value, writer, remover in state.versions if shows(writer) and (remover is None or not shows(remover))]
    return tuple(sorted(row[:3] for row in rows)), all(remover is None for *_, remover in rows)


def contents(scenario, rows):
    return tuple(sorted(((i, value) for i, value, _ in rows) if scenario.kind == "range" else ((value,) for _, value, _ in rows)))


def look_steps(rule, scenario, state):
    """Every next step of the run: what it does, the state after it, and what is wrong with that, if anything. The state is None at the end."""
    what = rule.look[state.step]
    after = state._replace(step=state.step + 1)
    if what == "target snapshot":
        for shown in range(state.applied, len(state.commits) + 1):
            horizon = oldest_on_target(scenario, state, shown)
            taken = after._replace(applied=shown, shown=shown, target_horizon=horizon)
            for follows in (["first"] if state.look == 1 else ["late"] + ["replayed"] * (shown >= state.position)):
                for replayed in looks_replayed(rule, state, shown, follows):
                    yield f"look {state.look}: the target's snapshot shows {shown} commits ({follows})", taken._replace(follows=follows, replayed=replayed), None
    elif what == "own transaction":
        yield f"look {state.look}: a transaction of the run's own ends", after._replace(below=len(state.numbers)), None
    elif what == "source snapshot":
        listed = state.numbers[:state.below]
        in_progress = tuple(index for index in listed if state.phases[index] != ENDED)
        seen = frozenset(index for index, phase in enumerate(state.phases) if phase == ENDED and index in state.commits)
        horizon = min((listed.index(index) for index in in_progress), default=state.below)
        yield f"look {state.look}: the source's snapshot", after._replace(seen=seen, in_progress=in_progress, source_horizon=horizon), None
    elif what == "position":
        read = len(state.commits) if rule.replayed_up_to == "the last look" or state.look == 1 else state.position
        yield f"look {state.look}: the position is {read}", after._replace(read=read), None
    else:
        yield from judged(rule, scenario, state)


def looks_replayed(rule, state, shown, follows):
    """What the run may read of how far the target is, before and after its snapshot."""
    if not asks_for_history(rule):
        return [(0, 0)]
    last = state.look - 1
    true = last_replayed(state, shown)
    before = [last] if follows == "replayed" else range(min(true, last - 1) + 1) if last else [0]
    return [(known, later) for known in before for later in range(true, last + 1)]


def last_replayed(state, shown):
    return max((look for look, position in enumerate(state.positions, 1) if position <= shown), default=0)


def oldest_on_target(scenario, state, shown):
    if scenario.replica == "logical":
        return shown
    return min((place for place, index in enumerate(state.numbers) if index not in state.commits[:shown]), default=len(state.numbers))


def writers_now(rule, state):
    """The lists of writers that this look may come to. A transaction that is ending lets its locks go one after the other, so that it may be
    seen with the one on its own number alone."""
    sure, unsure = [], []
    for index in state.in_progress:
        ending = state.phases[index] == ENDED
        if state.phases[index] == BEGUN:
            met = {"has no lock", "is in progress"}
        else:
            met = {"has no lock"} if ending else {"is in progress"}
        if not rule.no_writer <= met:
            sure.append(index)
        elif ending:
            unsure.append(index)
    for some in itertools.chain.from_iterable(itertools.combinations(unsure, count) for count in range(len(unsure) + 1)):
        yield tuple(sorted([*sure, *some]))


def is_fresh(order, index, horizon):
    return index != FIRST and order.index(index) >= horizon


def versions_of(rule, scenario, state, source_rows, target_rows, value):
    """What identifies the versions of both sides, as verify_versions has it."""
    look = f"look {state.look}"
    if scenario.kind == "key":
        return tuple(",".join(f"{100 + writer}" for writer in sorted(writer for *_, writer in rows)) or look for rows in (source_rows, target_rows))
    horizons = state.horizons if rule.fresh_since == "the last look" else (state.source_horizon, state.target_horizon)
    order = state.numbers if scenario.replica == "physical" else state.commits
    fresh = (state.look > 1 and any(is_fresh(state.numbers, writer, horizons[0]) for *_, writer in source_rows),
             state.look > 1 and any(is_fresh(order, writer, horizons[1]) for *_, writer in target_rows))
    return tuple(range_version(side, value, is_new, look) for side, is_new in zip(("source", "target"), fresh))


def as_line(scenario, entry):
    """An entry as one of found's rows or ranges."""
    names = ("source_extra", "target_extra") if scenario.kind == "key" else ("source_rows", "target_rows")
    line = {"source": text_of(entry.source), "target": text_of(entry.target), "source_version": entry.source_version,
            "target_version": entry.target_version, "source_since": entry.source_since, "target_since": entry.target_since,
            "target_sure": entry.target_sure, "state": entry.state}
    return line | dict(zip(names, sizes(scenario, entry.source, entry.target)))


def text_of(content):
    return ",".join("=".join(str(part) for part in row) for row in content) or None


def sizes(scenario, source, target):
    if scenario.kind == "range":
        return len(source), len(target)
    left, right = list(source), list(target)
    for row in source:
        if row in right:
            right.remove(row)
            left.remove(row)
    return len(left), len(right)


def question(rule, scenario, state, writers):
    """What verify_judge is asked at the end of a look: found and follows. None where the sides are equal. A rule that clears what has arrived
    is asked for more (CLEARING)."""
    source_rows, free = on_source(state, state.seen)
    target_rows = on_target(scenario, state, state.shown)
    source, target = contents(scenario, source_rows), contents(scenario, target_rows)
    value = {"source": text_of(source), "target": text_of(target)}
    if state.entry is not None:
        value["before"] = as_line(scenario, state.entry)
    if source == target and any("equal now" in way for way in rule.cleared):
        return None, source, target
    if asks_for_history(rule):
        before = state.entry.history if state.entry else ()
        value["history"] = [*(text_of(content) for content, _ in before), text_of(source)]
        value["replayed"], value["may_have_replayed"] = state.replayed
    value["source_version"], value["target_version"] = versions_of(rule, scenario, state, source_rows, target_rows, value)
    value["state"] = state.entry.state if state.entry else "new"
    if scenario.kind == "key":
        value["free"] = free and bool(source_rows)
        value["source_extra"], value["target_extra"] = sizes(scenario, source, target)
    else:
        value["source_rows"], value["target_rows"] = sizes(scenario, source, target)
    named = [str(700 + index) for index in writers]
    before = {} if state.look == 1 else {"look": state.look - 1, "open": {str(look): [str(700 + i) for i in kept] for look, kept in state.open}}
    found = open_writers(rule, before, named) | {"rows": [value] if scenario.kind == "key" else [], "ranges": [value] if scenario.kind == "range" else []}
    return found, source, target


def has_cleared(rule, value):
    return any(all(CLEARING[condition](value) for condition in way) for way in rule.cleared)


def is_lost(scenario, state, source):
    """Whether the target would not have what the source's snapshot shows if it had replayed just that."""
    return contents(scenario, with_commits(scenario, state, [index for index in state.commits if index in state.seen])) != source


def history_of(rule, scenario, state, source):
    if not asks_for_history(rule):
        return ()
    return (*(state.entry.history if state.entry else ()), (source, is_lost(scenario, state, source)))


def is_cleared_wrongly(scenario, state, history, target):
    """Whether something was lost of what the last look saw that the target has replayed (of what the first saw, if it has replayed none), and the
    target still lacks it. What is lost after that look is not what was found."""
    was_lost = not history or history[max(last_replayed(state, state.shown) - 1, 0)][1]
    faithful = dataclasses.replace(scenario, target_rows=None, dropped=())
    return was_lost and contents(scenario, on_target(faithful, state, state.shown)) != target


def judged(rule, scenario, state):
    for writers in writers_now(rule, state):
        found, source, target = question(rule, scenario, state, writers)
        name = f"look {state.look}: source {text_of(source)}, target {text_of(target)}"
        if found is None:
            wrong = None if source == target else "a row that is lost was cleared"
            yield f"{name}: cleared", None, wrong
            continue
        given = judge(rule, found, state.follows)
        if rule in (RULE, DRIVER_RULE):
            (QUESTIONS if rule is RULE else DRIVER_QUESTIONS)[json.dumps(found), state.follows] = None
        line = (given["rows"] + given["ranges"])[0]
        name += f", writers {[f'T{i + 1}' for i in writers]}: {line['state']}"
        if line["state"] == "divergent":
            yield name, None, "a row that is only in flight was confirmed" if scenario.faithful else None
            continue
        seen = history_of(rule, scenario, state, source)
        if has_cleared(rule, line):
            yield f"{name}, cleared", None, "a row that is lost was cleared" if is_cleared_wrongly(scenario, state, seen, target) else None
            continue
        entry = Entry(source, target, line["source_version"], line["target_version"], line["source_since"], line["target_since"], line["target_sure"],
                      line["state"], seen)
        still_open = tuple((int(look), tuple(int(x) - 700 for x in kept)) for look, kept in sorted(given["open"].items()))
        yield name, state._replace(look=state.look + 1, step=0, position=state.read, read=0, follows=None, shown=None, target_horizon=None, seen=None, in_progress=(), source_horizon=None,
            horizons=(state.source_horizon, state.target_horizon), open=still_open, entry=entry,
            positions=(*state.positions, state.read) if asks_for_history(rule) else (), replayed=(0, 0)), None


QUESTIONS = {}  # what RULE was asked: found, as JSON, and follows. Tests ask it of a server.
DRIVER_QUESTIONS = {}  # what DRIVER_RULE was asked


#
# exploring
#

def settled(rule, scenario, state):
    """What is wrong once nothing happens any more, and how it came to that: all transactions end, all is replayed, and two more looks are
    taken."""
    steps = []
    while following := next(transaction_steps(scenario, state), None):
        steps.append(following[0])
        state = following[1]
    for _ in range(2 * len(rule.look)):
        name, state, wrong = list(look_steps(rule, scenario, state))[-1]
        steps.append(name)
        if state is None:
            return wrong, steps
    return "a row that was in flight is never cleared" if scenario.faithful else "a row that is lost is never confirmed", steps


def explore(rule, scenario):
    """The first mistake that the rule makes in a scenario, or None; and how many states there are."""
    first = start(scenario)
    came_from = {first: None}
    waiting = [first]
    while waiting:
        state = waiting.pop()
        if state.look > scenario.looks:
            wrong, steps = settled(rule, scenario, state)
            if wrong:
                return Mistake(wrong, scenario, (*history(came_from, state), *steps)), len(came_from)
            continue
        following = [(name, after, None) for name, after in transaction_steps(scenario, state)]
        for name, after, wrong in itertools.chain(following, look_steps(rule, scenario, state)):
            if wrong:
                return Mistake(wrong, scenario, (*history(came_from, state), name)), len(came_from)
            if after is not None and after not in came_from:
                came_from[after] = (state, name)
                waiting.append(after)
    return None, len(came_from)


def history(came_from, state):
    steps = []
    while came_from[state]:
        state, name = came_from[state]
        steps.append(name)
    return steps[::-1]


#
# what the tests explore
#

ONE = ((1, "a"),)
TWO = ((1, "a"), (2, "b"))
TO_B, TO_A, REMOVED = ("update", 1, "b"), ("update", 1, "a"), ("delete", 1)

# From small to large, so that a wrong rule is caught soon.
SCENARIOS = [
    # Nothing happens, and something is lost.
    *(Scenario(rows, (), kind, target_rows=target_rows) for kind in ("key", "range")
      for rows, target_rows in [(ONE, ()), ((), ONE), (ONE, ((1, "b"),)), (ONE, TWO), (TWO, ONE)]),
    Scenario(ONE, (TO_B,), dropped=(0,)),
    Scenario(ONE, (("abort", REMOVED),), target_rows=()),
    Scenario(ONE, (("hangs", ("elsewhere",)),), target_rows=()),
    # One transaction.
    *(Scenario(ONE, (operation,), kind, replica) for kind, replica in [("key", "physical"), ("range", "physical"), ("range", "logical")]
      for operation in [TO_B, TO_A, REMOVED, ("insert", 2, "a"), ("late", TO_B), ("abort", TO_B), ("hangs", TO_B)]),
    Scenario((), (("insert", 1, "a"),)),
    # Two, which change a row and change it back, or move it.
    *(Scenario(ONE, operations, kind, replica) for kind, replica in [("key", "physical"), ("range", "physical"), ("range", "logical")]
      for operations in [(TO_B, TO_A), (TO_B, REMOVED), (REMOVED, ("insert", 1, "a")), (("insert", 2, "b"), ("delete", 2)),
                         (("abort", REMOVED), TO_B)]),
    Scenario((), (("insert", 1, "a"), REMOVED)),
    Scenario(ONE, (TO_B, TO_A), target_rows=()),
    Scenario(ONE, (("late", TO_B), TO_A)),
    Scenario(ONE, (TO_B, TO_A), looks=3),
    Scenario(ONE, (TO_B, TO_A), "range", looks=3),
    Scenario(ONE, (TO_B, TO_A), "range", "logical", looks=3),
    Scenario(ONE, (("insert", 2, "b"), ("delete", 2)), looks=3),
    Scenario(ONE, (("late", TO_B), ("elsewhere",))),
    Scenario(ONE, (TO_B, ("insert", 2, "b"))),
    Scenario(ONE, (REMOVED, ("insert", 2, "a"))),
    Scenario(ONE, (REMOVED, ("insert", 2, "b")), "range", "logical"),
    Scenario(ONE, (REMOVED, ("insert", 2, "a")), looks=3),
    # Three.
    Scenario(ONE, (TO_B, TO_A, TO_B), dropped=(1,)),
    Scenario(ONE, (TO_B, TO_A, REMOVED)),
    Scenario(ONE, (TO_B, TO_A, TO_B), "range", "logical"),
    Scenario(ONE, (TO_B, TO_A, ("hangs", ("elsewhere",)))),
    Scenario(ONE, (TO_B, TO_A, ("insert", 2, "b"))),
    Scenario(ONE, (TO_B, TO_A, ("insert", 2, "b")), "range"),
    Scenario(ONE, (TO_B, TO_A, REMOVED), looks=3),
]

# What is lost while the source changes a row and changes it back.
LOSSES = [
    Scenario(ONE, (TO_B, TO_A), looks=3, dropped=(1,)),
    Scenario(ONE, (TO_B, TO_A), looks=3, dropped=(0,)),
    Scenario(ONE, (TO_B, TO_A), looks=3, dropped=(0, 1)),
    Scenario(ONE, (TO_B, TO_A, TO_B), dropped=(0,)),
    Scenario(ONE, (TO_B, TO_A, TO_B), dropped=(0, 1, 2)),
    Scenario(ONE, (TO_B, TO_A, REMOVED), dropped=(1, 2)),
]
DRIVER_SCENARIOS = [scenario for scenario in SCENARIOS if scenario.kind == "key"] + LOSSES


def without(field, condition):
    return dataclasses.replace(RULE, **{field: getattr(RULE, field) - {condition}})


def with_proofs(proofs):
    return dataclasses.replace(RULE, divergent=tuple(proofs))


def wrong_rules():
    """Each rule that lacks one condition, one proof or one step of RULE, or has it otherwise; and what must go wrong with it."""
    flight, lost, cleared = "a row that is only in flight was confirmed", "a row that is lost is never confirmed", "a row that is lost was cleared"
    for number, proof in enumerate(RULE.divergent):
        if number > 0:
            yield f"no proof {number}", with_proofs(p for p in RULE.divergent if p != proof), lost
            for condition in sorted(proof):
                yield f"proof {number} without: {condition}", with_proofs(p - {condition} if p == proof else p for p in RULE.divergent), flight
    for field in ("no_writer", "source_since_begins", "source_since_stays", "target_since_stays", "target_sure"):
        for condition in sorted(getattr(RULE, field)):
            yield f"{field} without: {condition}", without(field, condition), flight
    yield "equal hashes prove", with_proofs([*RULE.divergent, frozenset({"replayed", "same hashes"})]), flight
    steps = {"own transaction first": ("own transaction", "target snapshot", "source snapshot", "position", "versions"),
             "no own transaction": ("target snapshot", "source snapshot", "position", "versions"),
             "the source's snapshot first": ("source snapshot", "own transaction", "target snapshot", "position", "versions"),
             "the position first": ("position", "target snapshot", "own transaction", "source snapshot", "versions")}
    for name, look in steps.items():
        yield name, dataclasses.replace(RULE, look=look), flight
    yield "replayed up to the first look", dataclasses.replace(RULE, replayed_up_to="the first look"), flight
    yield "fresh since this look", dataclasses.replace(RULE, fresh_since="this look"), flight
    yield "writers end at once", dataclasses.replace(RULE, writers_end="of every look at once"), flight
    yield "writers never end", dataclasses.replace(RULE, writers_end="never"), lost
    yield "everything is cleared", dataclasses.replace(RULE, cleared=(frozenset(),)), cleared


def wrong_driver_rules():
    """The same of what DRIVER_RULE has besides."""
    cleared = "a row that is lost was cleared"
    for name, way in {"an older version clears": {"has replayed a look", "the target as any look"},
                      "what has arrived is held against what was replayed before the snapshot": {"has replayed a look", "the target as the last look that it has replayed, or later"},
                      "what is replayed is cleared": {"has replayed a look"}}.items():
        yield name, dataclasses.replace(DRIVER_RULE, cleared=(*RULE.cleared, frozenset(way))), cleared


WRONG_RULES = {name: (rule, what) for name, rule, what in wrong_rules()}
WRONG_DRIVER_RULES = {name: (rule, what) for name, rule, what in wrong_driver_rules()}
