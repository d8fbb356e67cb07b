"""A run that is kept (--state) and continued (pgparity resume): the answer is the one of an undisturbed run, and never a milder one."""

import contextlib
import fcntl
import json
import os
import random
import re
import signal
import sqlite3
import stat
import time
from datetime import UTC, datetime

import pytest

from support.cluster import Cluster, fresh_databases
from support.held import HeldRun, locked
from support.kept import InDatabase, KilledRun, command, conninfo, has_run, named, run
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, pgparity, popen
from support.random_values import SEED

ENGINES = ["extension", "stream"]
DATA = ["equal", "planted"]
RIGHT = {"equal": IDENTICAL, "planted": DIVERGENT}

# "last" is the smallest, and compared last.
TABLES = """
CREATE COLLATION icu (provider = icu, locale = 'de');
CREATE TABLE plain (id int PRIMARY KEY, v text); INSERT INTO plain SELECT n, 'value ' || n FROM generate_series(1, 3000) n;
CREATE TABLE binary_key (id bytea PRIMARY KEY, v text); INSERT INTO binary_key SELECT sha256(n::text::bytea), 'value ' || n FROM generate_series(1, 1500) n;
CREATE TABLE composite (a int, b text, v text); INSERT INTO composite SELECT n % 20, 'b' || n, 'value ' || n FROM generate_series(1, 1200) n;
CREATE UNIQUE INDEX ON composite (a DESC, b); ALTER TABLE composite ALTER a SET NOT NULL, ALTER b SET NOT NULL;
CREATE TABLE icu_key (id text COLLATE icu PRIMARY KEY, v text); INSERT INTO icu_key SELECT chr(97 + n % 26) || n, 'value ' || n FROM generate_series(1, 900) n;
CREATE TABLE keyless (a int, v text); INSERT INTO keyless SELECT n, 'confidential ' || n FROM generate_series(1, 600) n;
CREATE TABLE last (id int PRIMARY KEY, v text); INSERT INTO last SELECT n, 'value ' || n FROM generate_series(1, 10) n; ANALYZE"""
PLANTED = ["UPDATE plain SET v = 'planted' WHERE id = 77", "DELETE FROM binary_key WHERE id = sha256('5')", "UPDATE composite SET v = 'planted' WHERE b = 'b7'",
           "DELETE FROM icu_key WHERE v = 'value 3'", "DELETE FROM keyless WHERE a = 4", "UPDATE last SET v = 'planted' WHERE id = 3"]


@pytest.fixture(scope="module")
def other(source_cluster):
    """A server of this module's own, which may be stopped."""
    with Cluster("other", installation=source_cluster.installation) as cluster:
        yield cluster


@pytest.fixture
def equal(source_cluster, other):
    with fresh_databases(source_cluster, other, sql=TABLES) as databases:
        yield databases


@pytest.fixture(params=DATA)
def sides(request, equal):
    """(source, target, whether they differ)"""
    if request.param == "planted":
        for statement in PLANTED:
            equal[1].execute(statement)
    return *equal, request.param


@pytest.fixture
def states(source_cluster):
    """A database that keeps runs."""
    database = source_cluster.create_database()
    yield database
    database.close()
    source_cluster.drop_database(database)


@pytest.fixture(params=["file", "database"])
def keep(request, tmp_path):
    """Gives the place of a run of that name, where nothing is yet."""
    if request.param == "file":
        return lambda name: tmp_path / f"{name}.state"
    database = request.getfixturevalue("states")
    return lambda name: InDatabase(database, name)


def answer(report):
    """What a report says but for when, how long and how."""
    def plain(value, name=""):
        if isinstance(value, dict):
            left_out = ("elapsed_seconds", "started_at", "seed", "lsn", "verified_through", "as_of", "as_of_last", "options", "state", "attempts", "log")
            return {key: plain(member, key) for key, member in value.items() if key not in left_out}
        return [plain(member) for member in value] if isinstance(value, list) else value
    return plain(report)


def undisturbed(source, target, *arguments):
    return pgparity("compare", "--format", "json", "--no-progress", "--source", conninfo(source), "--target", conninfo(target), *arguments)


class Held(HeldRun):
    """A run that is kept, and held as soon as everything but the table "last" is done."""

    def __init__(self, state, source, target, *arguments, blocked=0, name="compare"):
        self.state = state
        # The tests may run under nohup, where SIGHUP is ignored.
        super().__init__(lambda *sides: popen(*command(name, state, *sides, "--lock-timeout", "0", *arguments),
                                              preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)), source, target, blocked=blocked)

    def __enter__(self):
        deadline = time.monotonic() + 60
        while self.blocker is None or not done_tables(self.state) >= {"plain", "binary_key", "composite", "icu_key", "keyless"}:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError(self.process.communicate())
            time.sleep(0.02)
        return self


def kept_until_last(state, source, target, *arguments, blocked=0):
    """Keeps a run of which everything but the table "last" is done, and kills it."""
    with Held(state, source, target, *arguments, blocked=blocked):
        pass


def done_tables(state):
    """The tables that count as compared, as `report` has them while the run goes on."""
    told = pgparity("report", *named("from", state), "--format", "json")
    if told.status == ERROR and not told.stdout:
        return set()
    return {table["source"].removeprefix("public.") for table in told.report["tables"] if not table.get("never_begun")}


# ---- killed and continued ------------------------------------------------------------------------------------------

@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_killed_run_is_continued_to_the_same_answer(sides, tmp_path, keep, engine, jobs):
    """Killed at random moments, several times, until it comes to its end."""
    source, target, data = sides
    options = ["--engine", engine, "--jobs", jobs]
    right = undisturbed(source, target, *options).expect(RIGHT[data])
    rng = random.Random(SEED)
    began = time.monotonic()
    undisturbed(source, target, *options)
    seconds = time.monotonic() - began
    for round_no in range(4):
        killed = KilledRun(keep(str(round_no)), source, target, rng, seconds, "--state-values", *options)
        while not (ended := killed.part()):
            pass
        status, stdout, stderr = ended
        assert status == RIGHT[data], (round_no, stderr)
        assert answer(json.loads(stdout)) == answer(right.report), (SEED, round_no)


def fault_points(step):
    """Numbers of writes before which a process is killed: all in a long run, every `step`-th in a short one."""
    return range(1, 1000) if os.environ.get("PARITY_LONG") else range(1 + SEED % step, 1000, step)


@pytest.mark.in_turn("kept")
@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("values", [(), ("--state-values",)], ids=["keys only", "with values"])
def test_killed_between_every_two_writes(sides, shim, tmp_path, values):
    """Whatever was written last, the run that goes on gives the answer of one that was not disturbed."""
    source, target, data = sides
    right = undisturbed(source, target).expect(RIGHT[data])
    for number in fault_points(29):
        state = tmp_path / f"{number}.state"
        killed = run("compare", state, source, target, *values, env={"LD_PRELOAD": shim, "FAULT_KILL": str(number), "FAULT_FILE": ".state"})
        if killed.status == RIGHT[data]:
            break
        assert killed.status == -signal.SIGKILL, killed
        if not has_run(state):
            continue
        resumed = run("resume", state, source, target, *values).expect(RIGHT[data])
        assert shape(resumed.report) == shape(right.report), number
        if values:
            assert answer(resumed.report) == answer(right.report), number
    assert number > 30, "there are more writes than that"


def shape(report):
    """Which rows of which tables differ; rows without a key are only counted, as they are not kept."""
    return {table["source"]: (table["result"], table["counts"], findings(table)) for table in report["tables"]}


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_done_is_not_compared_again(sides, keep, engine):
    source, target, data = sides
    state = keep("run")
    kept_until_last(state, source, target, "--engine", engine)
    kept = pgparity("report", *named("from", state), "--format", "json")
    kept.expect(DIVERGENT if data == "planted" else INCOMPLETE)
    assert [table["source"] for table in kept.report["tables"] if table.get("never_begun")] == ["public.last"]
    [error] = kept.report["errors"]
    [kept_at] = re.findall("^the run has not ended, and was kept last at (.*): not all of it is here$", error["message"])
    assert 0 <= (datetime.now(UTC) - datetime.fromisoformat(kept_at)).total_seconds() < 60
    before = {table["source"]: table.get("lsn") for table in kept.report["tables"]}
    target.execute("CHECKPOINT")
    resumed = run("resume", state, source, target, "--engine", engine).expect(RIGHT[data])
    assert resumed.report["state"] == {"continued": 1, "tables_kept": 5, "compared_again": []}
    for table in resumed.report["tables"]:
        assert (table["lsn"] == before[table["source"]]) == (table["source"] != "public.last"), table


def test_a_difference_that_comes_in_the_pause(equal, keep):
    """In a table that is not done it is found; one that is done was compared as of then, and the report says as of when."""
    source, target = equal
    state = keep("run")
    kept_until_last(state, source, target)
    target.execute("UPDATE last SET v = 'planted' WHERE id = 3")
    target.execute("UPDATE plain SET v = 'planted' WHERE id = 3")
    resumed = run("resume", state, source, target).expect(DIVERGENT)
    assert findings(resumed.table("public.last")) == {mismatch("v", id="3")}
    assert resumed.table("public.plain")["result"] == "identical"
    assert resumed.table("public.plain")["lsn"]["target"] < resumed.table("public.last")["lsn"]["target"]


# ---- what changed in the pause -------------------------------------------------------------------------------------

CHANGES = {
    "TRUNCATE plain; INSERT INTO plain SELECT n, 'value ' || n FROM generate_series(1, 3000) n": "truncated or rewritten on target",
    "VACUUM FULL plain": "truncated or rewritten on target",
    "ALTER TABLE plain ADD c int": "its columns changed on target",
    "ALTER TABLE plain ALTER v TYPE varchar(100)": "its columns changed on target",
    "ALTER TABLE plain DROP CONSTRAINT plain_pkey": "its key changed",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("data", DATA)
def test_a_table_that_changed_is_compared_again(equal, tmp_path, change, data):
    """It alone, and by name; what differs in it is told by the pair of snapshots that came later."""
    source, target = equal
    state = tmp_path / "run.state"
    kept_until_last(state, source, target)
    target.execute(change)
    if data == "planted":
        target.execute("UPDATE plain SET v = 'planted' WHERE id = 3")
    resumed = run("resume", state, source, target)
    [again] = resumed.report["state"]["compared_again"]
    assert again["source"] == "public.plain" and CHANGES[change] in again["reason"]
    assert resumed.report["state"]["tables_kept"] == 4
    assert (resumed.table("public.plain")["result"] == "divergent") == (data == "planted"), resumed
    if data == "planted":
        resumed.expect(DIVERGENT)


def test_tables_that_come_and_go(equal, keep):
    source, target = equal
    state = keep("run")
    kept_until_last(state, source, target)
    for side in equal:
        side.execute("CREATE TABLE later (id int PRIMARY KEY); DROP TABLE keyless; DROP TABLE icu_key; CREATE TABLE icu_key (id text PRIMARY KEY, v text)")
    target.execute("CREATE TABLE lone (id int)")
    resumed = run("resume", state, source, target).expect(INCOMPLETE)
    told = {table.get("source") or table["target"]: table.get("not_compared") for table in resumed.report["tables"]}
    assert told["public.later"] == told["public.lone"] == "created after the run began"
    assert told["public.keyless"] == "dropped, renamed or no longer chosen after the run began"
    assert told["public.icu_key"] == "dropped and created anew after the run began"
    assert told["public.plain"] is None and told["public.last"] is None


def test_a_table_that_comes_while_the_run_goes_on(equal, tmp_path):
    source, target = equal
    state = tmp_path / "run.state"
    with Held(state, source, target) as run:
        for side in equal:
            side.execute("CREATE TABLE later (id int PRIMARY KEY)")
        stdout, stderr = run.let_go()
        assert run.process.returncode == INCOMPLETE, stderr
    [later] = [table for table in json.loads(stdout)["tables"] if table["source"] == "public.later"]
    assert later["not_compared"] == "created after the run began"


def test_what_was_seen_to_differ_is_not_forgotten(equal, keep):
    """The table changed, so that it has to be compared again, and cannot be read any more: that clears nothing."""
    source, target = equal
    state = keep("run")
    target.execute("UPDATE plain SET v = 'planted' WHERE id = 77")
    kept_until_last(state, source, target)
    target.execute("VACUUM FULL plain")
    target.execute("VACUUM FULL composite")
    blocker = locked(target, "plain, composite")
    try:
        resumed = run("resume", state, source, target, "--lock-timeout", "100ms", "--retry-for", "0").expect(DIVERGENT)
    finally:
        blocker.close()
    plain = [table for table in resumed.report["tables"] if table["source"] == "public.plain"]
    assert [table["result"] for table in plain if "not_compared" not in table] == ["divergent"], resumed
    again = run("resume", state, source, target).expect(DIVERGENT)
    assert findings(again.table("public.plain")) == {mismatch("v", id="77")}
    target.execute("UPDATE plain SET v = 'value 77' WHERE id = 77")
    target.execute("VACUUM FULL plain")
    run("resume", state, source, target).expect(IDENTICAL)


COVERED_LESS = {
    "a partition that is detached": ("", "ALTER TABLE parted DETACH PARTITION parted_2", "left out now: a partition or child that it had on source"),
    "a partition that is dropped": ("", "DROP TABLE parted_2", "left out now: a partition or child that it had on source"),
    "a column that is dropped": ("", "ALTER TABLE parted DROP v", "left out now: its column v"),
    "a column that may not be read": ("", "REVOKE SELECT ON parted FROM state_reader; GRANT SELECT (id) ON parted TO state_reader", "left out now: its column v"),
    "rows that are hidden": ("--enable-row-security", "ALTER TABLE parted ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON parted USING (id <> 77)", "rows that row security hides now"),
    "rows that may not be looked at": ("", "ALTER TABLE parted ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON parted USING (true)", "row security applies"),
    "the table itself": ("", "DROP TABLE parted", "dropped, renamed or no longer chosen after the run began"),
}
PARTED = """
CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (50); CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (50) TO (200);
INSERT INTO parted SELECT n, 'value ' || n FROM generate_series(1, 100) n; GRANT SELECT ON parted TO state_reader;
CREATE TABLE beside (id int PRIMARY KEY); GRANT SELECT ON beside TO state_reader"""


@pytest.fixture(scope="module")
def reader(source_cluster, other):
    """A role that may read what it was granted."""
    for cluster in (source_cluster, other):
        cluster.execute("CREATE ROLE state_reader LOGIN IN ROLE pg_read_all_stats")
    return "state_reader"


@pytest.mark.parametrize("what", COVERED_LESS)
@pytest.mark.parametrize("planted", [True, False])
def test_what_is_not_looked_at_any_more_clears_nothing(source_cluster, other, reader, tmp_path, what, planted):
    option, change, reason = COVERED_LESS[what]
    databases = [source_cluster.create_database(), other.create_database()]
    for database in databases:
        database.execute(PARTED)
    if planted:
        databases[1].execute("UPDATE parted SET v = 'planted' WHERE id = 77")
    state = tmp_path / "run.state"
    sides = [database.conninfo(user=reader) for database in databases]
    run("compare", state, *sides, *option.split()).expect(DIVERGENT if planted else IDENTICAL)
    for database in databases:
        database.execute(change)
    for _ in range(2):
        resumed = run("resume", state, *sides)
        told = pgparity("report", "--from", state, "--format", "json")
        assert told.status == resumed.status == DIVERGENT if planted else resumed.status in (IDENTICAL, INCOMPLETE), resumed
        if planted:
            for report in (resumed, told):
                [parted] = [table for table in report.report["tables"] if table["source"] == "public.parted"]
                assert parted["result"] == "divergent" and parted["incomplete"] and reason in parted["error"], report
                assert findings(parted) == {mismatch("v", id="77")}
    for database, cluster in zip(databases, (source_cluster, other)):
        database.close()
        cluster.drop_database(database)


def test_what_counts_no_more_is_written_down_before_anything_else(equal, tmp_path):
    """A part of a run that is killed has said why tables are to be compared again: that is not forgotten, and no report calls them compared."""
    source, target = equal
    state = tmp_path / "run.state"
    run("compare", state, source, target).expect(IDENTICAL)
    pgparity("report", "--from", state).expect(IDENTICAL)
    target.execute("TRUNCATE last; INSERT INTO last SELECT n, 'value ' || n FROM generate_series(1, 10) n")
    with Held(state, source, target, name="resume"):
        told = pgparity("report", "--from", state, "--format", "json").expect(INCOMPLETE)
        assert [table["source"] for table in told.report["tables"] if table.get("never_begun")] == ["public.last"]
        assert told.report["state"]["compared_again"][0]["source"] == "public.last"
    pgparity("report", "--from", state).expect(INCOMPLETE)
    resumed = run("resume", state, source, target).expect(IDENTICAL)
    assert resumed.report["state"] == {"continued": 2, "tables_kept": 5, "compared_again": []}


@pytest.mark.parametrize("planted", [False, True])
def test_what_could_not_be_compared_at_first(equal, tmp_path, planted):
    """It is neither new nor forgotten: as soon as it can be compared, it is."""
    source, target = equal
    state = tmp_path / "run.state"
    if planted:
        target.execute("UPDATE plain SET v = 'planted' WHERE id = 77")
    with contextlib.closing(locked(target, "plain")):
        run("compare", state, source, target, "--lock-timeout", "100ms").expect(INCOMPLETE)
    resumed = run("resume", state, source, target).expect(DIVERGENT if planted else IDENTICAL)
    assert findings(resumed.table("public.plain")) == ({mismatch("v", id="77")} if planted else set())
    assert run("resume", state, source, target).expect(resumed.status).report["state"]["tables_kept"] == 6


# ---- the servers' history ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_what_a_restart_leaves(equal, other, tmp_path, mode):
    """What was on disk counts. Rows of an unlogged table go with a crash, whatever the clocks say."""
    source, target = equal
    for side in equal:
        side.execute("CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY); INSERT INTO fleeting SELECT generate_series(1, 500)")
    other.execute("CHECKPOINT")
    state = tmp_path / "run.state"
    kept_until_last(state, source, target)
    target.close()
    other.stop(mode)
    other.start()
    resumed = run("resume", state, source, target)
    [again] = [table for table in resumed.report["state"]["compared_again"] if table["source"] == "public.fleeting"]
    assert "unlogged" in again["reason"] or mode == "immediate" and "the log of the target ends at" in again["reason"]
    resumed.expect(IDENTICAL if mode == "fast" else DIVERGENT)
    fleeting = resumed.table("public.fleeting")
    assert (fleeting["result"] == "divergent") == (mode == "immediate")


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_what_a_crash_took_is_compared_again_in_the_same_run(source_cluster, tmp_path, form):
    """The target crashes when all tables but one are done, of which one was equal only by a commit that was not on disk, and another is unlogged.
    The run goes on, and does not end with what the target does not have any more."""
    quiet = {"wal_writer_delay": "10s", "wal_writer_flush_after": "0", "bgwriter_delay": "10s"}
    with Cluster("crashing", installation=source_cluster.installation, settings=quiet) as crashing:
        source, target = source_cluster.create_database(), crashing.create_database()
        for side in (source, target):
            side.execute(TABLES)
            side.execute("CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY); INSERT INTO fleeting SELECT generate_series(1, 500)")
        target.execute("UPDATE plain SET v = 'planted' WHERE id = 77; DELETE FROM binary_key WHERE id = sha256('5')")
        crashing.execute("CHECKPOINT")
        target.execute("SET synchronous_commit = off; UPDATE plain SET v = 'value 77' WHERE id = 77")
        with Held(tmp_path / "run.state", source, target, "--jobs", "1", "--record", source.conninfo(), "--format", form, blocked=1) as held:
            target.close()
            crashing.stop("immediate")
            crashing.start()
            stdout, stderr = held.let_go()
        if form == "ndjson":  # the later lines of a table count
            lines = [json.loads(line) for line in stdout.splitlines()]
            assert [line["result"] for line in lines if line["record"] == "table" and line["source"] == "public.fleeting"] == ["identical", "divergent"]
            (tmp_path / "run.ndjson").write_text(stdout)
            stdout = pgparity("report", "--from", str(tmp_path / "run.ndjson"), "--format", "json").stdout
        report = json.loads(stdout)
        assert held.process.returncode == DIVERGENT and report["incomplete"] is False, stderr
        tables = {table["source"]: table for table in report["tables"]}
        assert len(tables) == len(report["tables"]) == 7
        assert tables["public.fleeting"]["result"] == "divergent"
        assert findings(tables["public.plain"]) == {mismatch("v", id="77")}
        assert len(findings(tables["public.binary_key"])) == 1
        assert "it is begun again" in stderr and "error" not in report["record"], stderr
        recorded = "SELECT t.relation, t.status, count(d) FROM parity.run_table t LEFT JOIN parity.divergence d ON d.run_table_id = t.id GROUP BY t.id HAVING count(d) > 0 ORDER BY 1"
        assert source.query(recorded) == [("public.binary_key", "divergent", 1), ("public.fleeting", "divergent", 500), ("public.plain", "divergent", 1)]
        run("resume", tmp_path / "run.state", source, target).expect(DIVERGENT)
        source.close()
        target.close()
        source_cluster.drop_database(source)


def test_what_a_crash_took_is_not_called_the_same_if_the_run_ends(source_cluster, tmp_path):
    """The target crashes, and the run is ended before it can compare again what may be lost: that has no answer."""
    with Cluster("crashing", installation=source_cluster.installation) as crashing:
        source, target = source_cluster.create_database(), crashing.create_database()
        for side in (source, target):
            side.execute(TABLES)
            side.execute("CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY); INSERT INTO fleeting SELECT generate_series(1, 500)")
        crashing.execute("CHECKPOINT")
        with Held(tmp_path / "run.state", source, target, "--jobs", "1", blocked=1) as held:
            target.close()
            ended, held.blocker = held.blocker, None  # it ends with the server; the table is locked anew when it is begun again
            crashing.stop("immediate")
            ended.close()
            crashing.start()
            deadline = time.monotonic() + 60
            while held.blocker is None and time.monotonic() < deadline:
                time.sleep(0.02)
            stdout, stderr = held.end(signal.SIGTERM)
        tables = {table["source"]: table for table in json.loads(stdout)["tables"]}
        assert tables["public.fleeting"]["result"] == "error" and "target" in tables["public.fleeting"]["error"], stderr
        assert held.process.returncode != IDENTICAL
        resumed = run("resume", tmp_path / "run.state", source, target).expect(DIVERGENT)
        assert resumed.table("public.fleeting")["result"] == "divergent"
        source.close()
        target.close()
        source_cluster.drop_database(source)


def test_another_primary_of_the_cluster(source_cluster, tmp_path):
    """Two servers that were one once, and are both on one timeline: what was compared with one of them says nothing of the other, whose log is longer."""
    with Cluster("first", installation=source_cluster.installation) as first:
        source, target = source_cluster.create_database(), first.create_database()
        for side in (source, target):
            side.execute(TABLES)
        target.execute("UPDATE plain SET v = 'planted' WHERE id = 77")
        first.execute("CHECKPOINT")
        with Cluster("second", restored_from=first) as second:
            target.execute("UPDATE plain SET v = 'value 77' WHERE id = 77")
            first.execute("CHECKPOINT")
            state = tmp_path / "run.state"
            run("compare", state, source, target).expect(IDENTICAL)
            other_target = second.database(target.name)
            other_target.execute("CREATE TABLE much AS SELECT repeat('x', 100) FROM generate_series(1, 20000); DROP TABLE much; SELECT pg_switch_wal()")
            second.execute("CHECKPOINT")
            resumed = run("resume", state, source, other_target).expect(DIVERGENT)
            assert "ran beside" in resumed.report["state"]["compared_again"][0]["reason"], resumed
            assert findings(resumed.table("public.plain")) == {mismatch("v", id="77")}
            other_target.close()
        source.close()
        target.close()
        source_cluster.drop_database(source)


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("data", DATA)
def test_commits_that_a_promotion_lost(source_cluster, keep, data):
    """The old primary committed what its standby never received; then the standby takes over. What was compared with that counts no more."""
    with Cluster("primary", installation=source_cluster.installation, settings={"wal_keep_size": "64MB"}) as primary, Cluster("heir", standby_of=primary) as heir:
        source, target = source_cluster.create_database(), primary.create_database()
        for side in (source, target):
            side.execute(TABLES)
        target.execute("UPDATE plain SET v = 'planted' WHERE id = 77")
        heir.catch_up()
        heir_target = heir.database(target.name)
        heir.execute("ALTER SYSTEM SET primary_conninfo = ''")
        heir.execute("SELECT pg_reload_conf()")
        heir.wait_for("SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")
        # On the old primary alone. It hides the difference, or makes the only one.
        target.execute("UPDATE plain SET v = 'value 77' WHERE id = 77")
        if data == "equal":
            source.execute("UPDATE plain SET v = 'planted' WHERE id = 77")
        state = keep("run")
        kept_until_last(state, source, target)
        target.close()
        primary.stop("immediate")
        heir.execute("SELECT pg_promote()")
        resumed = run("resume", state, source, heir_target)
        reasons = {table["source"]: table["reason"] for table in resumed.report["state"]["compared_again"]}
        assert "left timeline 1" in reasons["public.plain"], resumed
        assert findings(resumed.table("public.plain")) == (set() if data == "equal" else {mismatch("v", id="77")})
        resumed.expect(RIGHT[data])
        source.close()
        heir_target.close()
        source_cluster.drop_database(source)


# ---- what the file holds, and who may have it ----------------------------------------------------------------------

def test_the_file_holds_keys_and_no_values(sides, tmp_path):
    source, target, _ = sides
    state = tmp_path / "run.state"
    run("compare", state, source, target)
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["run.state"]
    kept = state.read_bytes()
    assert b"confidential" not in kept and b"planted" not in kept and b"password" not in kept and source.conninfo().encode() not in kept
    with_values = tmp_path / "values.state"
    run("compare", with_values, source, target, "--state-values")
    assert (b"planted" in with_values.read_bytes()) == (sides[2] == "planted")


def test_a_row_without_a_key_is_told_by_its_hash(equal, keep):
    source, target = equal
    state = keep("run")
    target.execute("DELETE FROM keyless WHERE a = 4")
    first = run("compare", state, source, target).expect(DIVERGENT)
    [whole] = first.table("public.keyless")["divergences"]
    assert whole["row"] == {"a": "4", "v": "confidential 4"}
    told = run("resume", state, source, target).expect(DIVERGENT)
    [hashed] = told.table("public.keyless")["divergences"]
    assert hashed == {"kind": "missing_on_target", "row_hash": hashed["row_hash"], "occurrences": "1"} and len(hashed["row_hash"]) == 32


def refused(run, *words):
    assert run.status == ERROR and run.stdout == "", run
    for word in words:
        assert word in run.stderr, run
    assert run.stderr.count("error:") == 1


def test_refusals(equal, source_cluster, tmp_path):
    """Each has a text of its own, and leaves the file as it is."""
    source, target = equal
    state = tmp_path / "run.state"
    target.execute("UPDATE last SET v = 'planted' WHERE id = 3")
    run("compare", state, source, target, "--table", "last", "--table", "plain").expect(DIVERGENT)
    kept = state.read_bytes()
    refused(run("compare", state, source, target), "exists already", f"pgparity resume --state {state}")
    refused(run("resume", tmp_path / "none.state", source, target), "cannot be opened: No such file")
    refused(run("resume", state, source, target, "--table", "plain"), 'began with --table "last", "plain"', 'cannot go on with --table "plain"')
    refused(run("resume", state, source, target, "--where", "id > 5"), "began without --where", "id > 5")
    refused(run("resume", state, source, source_cluster.database("postgres")), "target is another database than the run began with")
    for name in ("resume", "compare"):
        refused(run(name, state, source, target, "--output", tmp_path / "." / "run.state"), "--output", "would overwrite state file")
    refused(pgparity("report", "--from", state, "--output", f"{state}-wal"), "would overwrite state file")
    assert state.read_bytes() == kept or run("resume", state, source, target).status == DIVERGENT
    text = tmp_path / "text.state"
    text.write_text("no database")
    refused(run("resume", text, source, target), "is no state of a run")
    refused(run("compare", text, source, target), "exists already")
    foreign = tmp_path / "foreign.state"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE precious (id)")
    before = foreign.read_bytes()
    for name in ("resume", "compare"):
        refused(run(name, foreign, source, target), "is no state of a run")
    assert foreign.read_bytes() == before
    newer = tmp_path / "newer.state"
    newer.write_bytes(kept)
    with sqlite3.connect(newer) as database:
        database.execute("PRAGMA user_version = 99")
    refused(run("resume", newer, source, target), "newer pgparity", "version 99")
    old = tmp_path / "old.state"
    old.write_bytes(kept)
    with sqlite3.connect(old) as database:
        database.execute("UPDATE run SET began_us = began_us - 8 * 86400 * 1000000")
    old.chmod(0o600)
    refused(run("resume", old, source, target), "began 192 h", "--max-age")
    refused(run("resume", state, source, target, "--max-age", "1ms"), "began 0 h 0 min ago", "--max-age")
    run("resume", old, source, target, "--max-age", "30d").expect(DIVERGENT)
    damaged = tmp_path / "damaged.state"
    for cut in (100, 4096, 4096 * 3 + 50):
        damaged.write_bytes(kept[:cut] + b"\xa5" * (len(kept) - cut))
        refused(run("resume", damaged, source, target), "damaged.state")


def test_only_one_goes_on_with_a_run(equal, tmp_path):
    source, target = equal
    state = tmp_path / "run.state"
    run("compare", state, source, target).expect(IDENTICAL)
    with open(state) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused(run("resume", state, source, target), "is held by process ", " on host ", "pgparity report --from")
        pgparity("report", "--from", state).expect(IDENTICAL)
    run("resume", state, source, target).expect(IDENTICAL)


def test_a_run_that_plans_nothing_leaves_no_file(equal, tmp_path):
    source, target = equal
    state = tmp_path / "run.state"
    refused(run("compare", state, source, target, "--table", "nothing"), "nothing")
    refused(run("compare", state, source, "host=/nowhere dbname=x"), "target")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_beside_a_file_that_was_removed(sides, tmp_path):
    """The log of another file is none of a new one."""
    source, target, data = sides
    state = tmp_path / "run.state"
    kept_until_last(state, source, target)
    assert (tmp_path / "run.state-wal").stat().st_size > 0
    state.unlink()
    made = run("compare", state, source, target).expect(RIGHT[data])
    assert "error" not in made.report["state"] and [path.name for path in tmp_path.iterdir()] == ["run.state"]
    assert run("resume", state, source, target).expect(RIGHT[data]).report["state"]["tables_kept"] == 6


@pytest.mark.parametrize("room", [0, 15_000, 30_000, 60_000])
def test_a_full_disk(sides, shim, tmp_path, room):
    """The comparison goes on. What is not kept is said, and compared when the run goes on."""
    source, target, data = sides
    state = tmp_path / "run.state"
    full = run("compare", state, source, target, env={"LD_PRELOAD": shim, "FAULT_ROOM": str(room), "TMPDIR": "/dev/shm"})
    if full.status == ERROR:
        assert ("run.state" in full.stderr or "temporary file for findings" in full.stderr) and not has_run(state)
        return
    if "error" in full.report["state"]:
        assert "run.state" in full.report["state"]["error"]
        assert full.status == (DIVERGENT if data == "planted" else INCOMPLETE)
    run("resume", state, source, target).expect(RIGHT[data])


def test_a_signal_leaves_what_was_done(equal, keep):
    """SIGTERM and SIGHUP report, with a status that says whether something was compared."""
    source, target = equal
    for number in (signal.SIGTERM, signal.SIGHUP):
        state = keep(str(int(number)))
        with Held(state, source, target) as held:
            stdout, stderr = held.end(number)
        assert held.process.returncode == INCOMPLETE, stderr
        assert json.loads(stdout)["interrupted"] is True
        run("resume", state, source, target).expect(IDENTICAL)
