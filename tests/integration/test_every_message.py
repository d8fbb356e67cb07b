"""A network that fails at any one message between pgparity and a server: the answer is the right one, or says what is missing."""

import collections
import concurrent.futures
import itertools
import os
import random

import pytest

from support.messages import FAULTS, MessageProxy, moments
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_target, pgparity
from support.random_values import SEED

LONG = bool(os.environ.get("PARITY_LONG"))
ENGINES = {"extension": ("--engine", "extension"), "stream": ("--engine", "stream"), "spans": ("--engine", "extension", "--unit-seconds", "0.00005")}
SIDES = ["source", "target"]
TABLES = """CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT n, 'value ' || n FROM generate_series(1, 300) n;
    CREATE TABLE small (id int PRIMARY KEY, v text); INSERT INTO small SELECT n, 'value ' || n FROM generate_series(1, 10) n; ANALYZE"""
PLANTED = "UPDATE big SET v = 'planted' WHERE id = 7; DELETE FROM small WHERE id = 3"
FOUND = {"public.big": {mismatch("v", id="7")}, "public.small": {missing_on_target(id="3")}}
LIMITS = ("--stall-timeout", "1s", "--connect-timeout", "2", "--retry-for", "20s")
# What one run may take: all limits, of which a state's server has 35 seconds, and a machine that is busy with others.
PROMPTLY = 90
AT_ONCE = 4
# How a side's first session is known to be ready: before that, the server counts as one that cannot be reached.
FIRST_TRANSACTION = b"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ"


@pytest.fixture(scope="module")
def databases(source_cluster, target_cluster):
    """For equal data and for planted differences: source, target, and a database that keeps runs."""
    made = {}
    for planted in (False, True):
        made[planted] = {"source": source_cluster.create_database(), "target": target_cluster.create_database(), "state": source_cluster.create_database()}
        for side in SIDES:
            made[planted][side].execute(TABLES)
        if planted:
            made[planted]["target"].execute(PLANTED)
    yield made
    for database in itertools.chain(*(each.values() for each in made.values())):
        database.cluster.drop_database(database)


class Runs:
    """Runs between two databases, of which one connection is disturbed: one side's, or that of the database that keeps the run."""

    def __init__(self, databases, planted, engine, disturbed):
        self.databases, self.planted, self.engine, self.disturbed = databases, planted, engine, disturbed
        self.right = DIVERGENT if planted else IDENTICAL

    def run(self, command, name, port=None):
        conninfo = {side: database.tcp_conninfo(port) if side == self.disturbed and port else database.conninfo() for side, database in self.databases.items()}
        state = ["--state", conninfo["state"], "--state-run", name] if self.disturbed == "state" else []
        return pgparity(command, "--format", "json", "--no-progress", *ENGINES[self.engine], "--workers", "1", "--source", conninfo["source"],
                        "--target", conninfo["target"], *state, *LIMITS, timeout=PROMPTLY)

    def undisturbed(self):
        """The moments of a run, and those after which the server counts as one that was met."""
        if self.disturbed == "state":  # the first run of a database makes the tables, too
            self.check_right(self.run("compare", f"{self.engine} first"))
        with MessageProxy(self.databases[self.disturbed].cluster.port) as proxy:
            run = self.run("compare", f"{self.engine} undisturbed", proxy.port)
        self.check_right(run)
        assert (run.table("public.big")["claim"] == "spans") == (self.engine == "spans")
        first = next(place for place, (_, _, message) in enumerate(proxy.seen) if FIRST_TRANSACTION in message or b"pgparity_state.unit" in message)
        return moments(proxy.seen), {moment for moment, _, _ in proxy.seen[first:]}

    def check_right(self, run):
        run.expect(self.right)
        assert run.report["incomplete"] is False, run
        assert {table["source"]: findings(table) for table in run.report["tables"]} == (FOUND if self.planted else dict.fromkeys(FOUND, set())), run

    def check(self, at, fault, is_met):
        """One run with the fault. What it is not right about, it tells; what of it is kept, it goes on with."""
        name = f"{self.engine} {fault} {at}"
        with MessageProxy(self.databases[self.disturbed].cluster.port, at, terminate(self) if fault == "terminate" else FAULTS[fault]) as proxy:
            run = self.run("compare", name, proxy.port)
        if self.disturbed == "state":
            outcome = self.check_kept(run, name)
        elif run.status == ERROR and proxy.happened and not is_met:
            assert run.stdout == "" and f"the {self.disturbed}" in run.stderr, run
            outcome = "refused"
        else:
            self.check_right(run)
            outcome = "right"
        return outcome if proxy.happened else "undisturbed"

    def check_kept(self, run, name):
        outcome = "right"
        if run.status == ERROR:
            assert run.stdout == "" and "the state database" in run.stderr, run
            outcome = "refused"
        elif "error" in run.report["state"]:
            run.expect(DIVERGENT if self.planted else INCOMPLETE)
            assert "the state database" in run.report["state"]["error"], run
            outcome = "not kept"
        else:
            self.check_right(run)
        with self.databases["state"].connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pgparity_state.run WHERE name = %s", [name])
            is_kept = cursor.fetchone() == (1,)
        connection.close()
        assert is_kept or outcome == "refused", run
        if is_kept:
            self.check_right(self.run("resume", name))
        return outcome


def terminate(runs):
    """The server ends the session before it gets a message, or before the client gets one."""
    def fault(link, sender, message):
        if link.pid:
            connection = runs.databases[runs.disturbed].connect()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [link.pid])
            connection.close()
        link.send(sender, message)
        return True
    return fault


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.parametrize("disturbed", [*SIDES, "state"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_fault_at_every_message(databases, engine, disturbed, planted):
    """At each message of an undisturbed run one of the faults, drawn by PARITY_SEED; in a short run at a few of them."""
    runs = Runs(databases[planted], planted, engine, disturbed)
    points, met = runs.undisturbed()
    rng = random.Random(f"{SEED} {engine} {disturbed}")
    faults = [*FAULTS, "terminate"]
    if disturbed == "state" and not LONG:
        faults.remove("stall")  # whose limit is 35 seconds
    cases = [(at, rng.choice(faults), at in met) for at in points]
    if not LONG:
        cases = rng.sample(cases, 8)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        checked = [(case, pool.submit(runs.check, *case)) for case in cases]
    outcomes = collections.Counter()
    failed = []
    for case, check in checked:
        if check.exception():
            failed.append((case, str(check.exception())[:4000]))
        else:
            outcomes[case[1], check.result()] += 1
    print(f"PARITY_SEED={SEED}: {len(points)} messages, {dict(outcomes)}")
    assert not failed, (SEED, len(failed), failed[:3])
    happened = sum(count for (_, outcome), count in outcomes.items() if outcome != "undisturbed")
    assert happened > len(cases) * (0.7 if LONG else 0.3), outcomes
