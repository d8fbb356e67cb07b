"""A run that is kept and killed again and again, while the sides change in the pauses: each table is told as it was when it was compared."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from support.kept import InDatabase, KilledRun, command, has_run, run
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, popen
from support.proxy import Proxy
from support.random_values import SEED
from test_state import RIGHT, answer, equal, fault_points, keep, kept_until_last, other, shape, sides, states, undisturbed  # noqa: F401 (fixtures)

LONG = bool(os.environ.get("PARITY_LONG"))
# How the sides are read.
WAYS = {"extension": ("--engine", "extension"), "stream": ("--engine", "stream"), "spans": ("--engine", "extension", "--unit-seconds", "0.0002"),
        "streamed spans": ("--engine", "stream", "--unit-seconds", "0.002")}

# ---- changes in the pauses -----------------------------------------------------------------------------------------

# Of each table a change that makes one row differ, and one that makes it equal again. Rows without a key are told by hashes.
CHANGES = {
    "plain": ("UPDATE plain SET v = 'planted' WHERE id = 77", "UPDATE plain SET v = 'value 77' WHERE id = 77"),
    "binary_key": ("DELETE FROM binary_key WHERE id = sha256('5')", "INSERT INTO binary_key VALUES (sha256('5'), 'value 5')"),
    "composite": ("UPDATE composite SET v = 'planted' WHERE b = 'b7'", "UPDATE composite SET v = 'value 7' WHERE b = 'b7'"),
    "icu_key": ("DELETE FROM icu_key WHERE v = 'value 3'", "INSERT INTO icu_key VALUES ('d3', 'value 3')"),
    "keyless": ("DELETE FROM keyless WHERE a = 4", "INSERT INTO keyless VALUES (4, 'confidential 4')"),
    "last": ("UPDATE last SET v = 'planted' WHERE id = 3", "UPDATE last SET v = 'value 3' WHERE id = 3"),
}
FOUND = {
    "plain": {("mismatch", '{"id": "77"}')}, "binary_key": {("missing_on_target", '{"id": "\\\\xef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d"}')},
    "composite": {("mismatch", '{"a": "7", "b": "b7"}')}, "icu_key": {("missing_on_target", '{"id": "d3"}')}, "keyless": {("missing_on_target", "null")},
    "last": {("mismatch", '{"id": "3"}')},
}
# What makes a table be compared again and changes no row.
NEUTRAL = ["VACUUM FULL {0}", "CREATE TABLE copied AS TABLE {0}; TRUNCATE {0}; INSERT INTO {0} SELECT * FROM copied; DROP TABLE copied"]


class Target:
    """The target of a run, and what of each table differs from which position of its log on."""

    def __init__(self, source, database, rng):
        self.source, self.database, self.rng = source, database, rng
        self.differs = dict.fromkeys(CHANGES, False)
        self.history = {table: [(0, False)] for table in CHANGES}
        self.columns = 0

    def execute(self, sql, side=None):
        """What is committed is in the log, so that a crash of the server takes nothing."""
        (side or self.database).execute("SET synchronous_commit = on")
        (side or self.database).execute(sql)

    def change(self, table):
        self.execute(CHANGES[table][self.differs[table]])
        self.differs[table] = not self.differs[table]
        self.history[table].append((bytes_of(self.database.value("SELECT pg_current_wal_insert_lsn()::text")), self.differs[table]))

    def rewrite(self, table):
        self.execute(self.rng.choice(NEUTRAL).format(table))

    def alter(self, table):
        """The same on both sides."""
        self.columns += 1
        for side in (self.source, self.database):
            self.execute(f"ALTER TABLE {table} ADD c{self.columns} int", side)

    def restart(self, mode):
        self.database.close()
        self.database.cluster.stop(mode)
        self.database.cluster.start()

    def differed_at(self, table, position):
        return [differs for since, differs in self.history[table] if since <= position][-1]


def bytes_of(lsn):
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def report_of(ended):
    """Of a run that came to its end."""
    status, stdout, stderr = ended
    assert status in (IDENTICAL, DIVERGENT), (SEED, status, stderr)
    report = json.loads(stdout)
    assert report["exit_status"] == status and not report["incomplete"] and "error" not in report["state"], (SEED, report)
    return report


def told(table):
    return {(divergence["kind"], json.dumps(divergence.get("key"), sort_keys=True)) for divergence in table["divergences"]}


def key_of(name, key):
    """In the order of keys; a bound may lack columns behind the first."""
    if name == "composite":
        return (int(key["a"]), *([key["b"]] if "b" in key else []))
    return int(key["id"]) if name in ("plain", "last") else key["id"]


def position_of(table, name):
    """That of the snapshot under which the row was read that may differ."""
    (_, key), = FOUND[name]
    for span in table.get("spans", []):
        lower, upper = span["lower"], span["upper"]
        at = key_of(name, json.loads(key))
        if (lower is None or key_of(name, lower) <= at) and (upper is None or at < key_of(name, upper)):
            return bytes_of(span["lsn"]["target"])
    assert table["claim"] == "table", table
    return bytes_of(table["lsn"]["target"])


def check_as_compared(report, target, where):
    """Each table as it was at the position of its snapshot."""
    assert sorted(table["source"] for table in report["tables"]) == sorted(f"public.{table}" for table in CHANGES), where
    differing = 0
    for table in report["tables"]:
        name = table["source"].removeprefix("public.")
        differs = target.differed_at(name, position_of(table, name))
        differing += differs
        assert (table["result"], told(table)) == (("divergent", FOUND[name]) if differs else ("identical", set())), (where, name, table, target.history[name])
    assert report["result"] == ("divergent" if differing else "identical"), where


def seconds_of(source, target, *options):
    began = time.monotonic()
    undisturbed(source, target, *options)
    return time.monotonic() - began


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("planted", [False, True])
def test_killed_while_the_target_changes(equal, keep, way, planted):  # noqa: F811
    """In each pause one of the tables is rewritten, altered, or changed; or the server is restarted, or crashes. `planted`: rows are made to
    differ and to be equal again; otherwise no change is one of rows."""
    source, database = equal
    rng = random.Random(f"{SEED} {way} {planted}")
    options = (*WAYS[way], "--jobs", rng.choice("13"))
    seconds = seconds_of(source, database, *options)
    target = Target(source, database, rng)
    if planted:
        target.change(rng.choice(list(CHANGES)))
    kills = rounds = 0
    while kills < (50 if LONG else 3):
        killed = KilledRun(keep(str(rounds)), source, database, rng, seconds, *options)
        while not (ended := killed.part()):
            for _ in range(rng.randrange(3)):
                acts = [target.rewrite, target.alter] + [target.change] * 3 * planted
                rng.choice(acts)(rng.choice(list(CHANGES)))
            if rng.random() < 0.15:
                target.restart(rng.choice(["fast", "immediate"]))
        check_as_compared(report_of(ended), target, (SEED, way, planted, rounds))
        kills += killed.kills
        rounds += 1
    # What is there at the end is told by a run that begins then.
    end = bytes_of(database.value("SELECT pg_current_wal_insert_lsn()::text"))
    differing = any(target.differed_at(table, end) for table in CHANGES)
    undisturbed(source, database).expect(DIVERGENT if differing else IDENTICAL)


# ---- between two writes --------------------------------------------------------------------------------------------

def copied(state, tmp_path, number):
    """The file of a run, as a process left it that was killed."""
    made = tmp_path / f"{number}.state"
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(f"{state}{suffix}"):
            shutil.copy(f"{state}{suffix}", f"{made}{suffix}")
    return made


@pytest.mark.in_turn("kept")
@pytest.mark.matrix(sample=1)
def test_a_part_that_goes_on_is_killed_between_every_two_writes(sides, shim, tmp_path):  # noqa: F811
    """One table is to be compared again, and the last one for the first time. What was written before the kill counts once."""
    source, target, data = sides
    began = tmp_path / "began.state"
    kept_until_last(began, source, target)
    target.execute("VACUUM FULL plain")
    right = undisturbed(source, target).expect(RIGHT[data])
    killed_at = []
    for number in fault_points(17):
        state = copied(began, tmp_path, number)
        killed = run("resume", state, source, target, env={"LD_PRELOAD": shim, "FAULT_KILL": str(number), "FAULT_FILE": ".state"})
        if killed.status == RIGHT[data]:
            break
        assert killed.status == -signal.SIGKILL, killed
        killed_at.append(number)
        resumed = run("resume", state, source, target).expect(RIGHT[data])
        assert shape(resumed.report) == shape(right.report), number
    assert len(killed_at) > (20 if LONG else 1), killed_at


@pytest.mark.in_turn("kept")
@pytest.mark.matrix(sample=1)
def test_a_part_that_goes_on_is_killed_before_every_statement(sides, states):  # noqa: F811
    source, target, data = sides
    began = InDatabase(states)
    kept_until_last(began, source, target)
    target.execute("VACUUM FULL plain")
    right = undisturbed(source, target).expect(RIGHT[data])
    states.close()
    killed_at = []
    for number in fault_points(23):
        copy = states.cluster.create_database(extension=False, name=f"copied_{number}", options=f"TEMPLATE {states.name}")
        with Proxy(states.cluster.port, lambda request, _: process.kill() if request == number else None) as proxy:
            process = popen(*command("resume", InDatabase(copy, conninfo=copy.tcp_conninfo(proxy.port)), source, target))
            _, stderr = process.communicate(timeout=60)
        if process.returncode == RIGHT[data]:
            states.cluster.drop_database(copy)
            break
        assert process.returncode == -signal.SIGKILL, stderr
        killed_at.append(number)
        resumed = run("resume", InDatabase(copy), source, target).expect(RIGHT[data])
        assert shape(resumed.report) == shape(right.report), number
        states.cluster.drop_database(copy)
    assert len(killed_at) > (20 if LONG else 1), killed_at


# ---- who has the run, and where it has no room ---------------------------------------------------------------------

@pytest.mark.in_turn("kept")
@pytest.mark.matrix(sample=1)
def test_several_that_go_on_at_once(sides, keep):  # noqa: F811
    """One has the run; who comes meanwhile is refused. A process that was killed has it no more."""
    source, target, data = sides
    state = keep("run")
    kept_until_last(state, source, target)
    for _ in range(3 if LONG else 1):
        target.execute("VACUUM FULL plain")
        processes = [popen(*command("resume", state, source, target)) for _ in range(4)]
        processes[0].kill()
        outputs = [process.communicate(timeout=60) for process in processes]
        for process, (stdout, stderr) in zip(processes[1:], outputs[1:]):
            if process.returncode == ERROR:
                assert "is held by process" in stderr and not stdout, stderr
            else:
                assert process.returncode == RIGHT[data] and not json.loads(stdout)["incomplete"], stderr
        assert any(process.returncode == RIGHT[data] for process in processes[1:]), outputs
    last = run("resume", state, source, target).expect(RIGHT[data])
    assert shape(last.report) == shape(undisturbed(source, target).report)


@contextlib.contextmanager
def small_disk(kilobytes):
    """A folder on a disk of its own, if this process may make one. Otherwise nothing."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=755", "none", folder], capture_output=True, check=False)
        if made.returncode != 0:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


@pytest.mark.in_turn("kept")
@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("kilobytes", [40, 72, 150, 4000])
def test_a_disk_that_fills_up(sides, shim, tmp_path, kilobytes):  # noqa: F811
    """The comparison goes on. What is not kept is said, and compared when the run goes on elsewhere. Who may not make a small disk has a process
    that may not write more."""
    source, target, data = sides
    with small_disk(kilobytes) as disk:
        state = (disk or tmp_path) / "run.state"
        limit = {} if disk else {"LD_PRELOAD": shim, "FAULT_ROOM": str(kilobytes * 1024), "TMPDIR": "/dev/shm"}
        full = run("compare", state, source, target, "--state-values", env=limit)
        if full.status == ERROR:
            assert "run.state" in full.stderr and not has_run(state), full
            return
        if kilobytes > 1000:
            assert "error" not in full.report["state"], full
        if "error" in full.report["state"]:
            assert "run.state" in full.report["state"]["error"] and full.status == (DIVERGENT if data == "planted" else INCOMPLETE), full
        elsewhere = copied(state, tmp_path, "elsewhere")
        resumed = run("resume", elsewhere, source, target, "--state-values").expect(RIGHT[data])
        assert answer(resumed.report) == answer(undisturbed(source, target).report)


FULL = """CREATE FUNCTION pgparity_state.full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file "base/5/16400": No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON pgparity_state.unit FOR EACH ROW EXECUTE FUNCTION pgparity_state.full_disk()"""


@pytest.mark.in_turn("kept")
@pytest.mark.matrix(sample=1)
def test_a_server_of_the_state_whose_disk_fills_up(sides, states):  # noqa: F811
    """In the middle of the run, until somebody makes room."""
    source, target, data = sides
    done = []

    def fill(_, request):
        if b"WITH mine" in request and not done:
            done.append(states.execute(FULL))
    with Proxy(states.cluster.port, fill) as proxy:
        full = run("compare", InDatabase(states, conninfo=states.tcp_conninfo(proxy.port)), source, target).expect(DIVERGENT if data == "planted" else INCOMPLETE)
    assert done and "No space left on device" in full.report["state"]["error"], full
    assert {table["result"] for table in full.report["tables"]} == ({"divergent"} if data == "planted" else {"identical"})
    still_full = run("resume", InDatabase(states), source, target)
    assert still_full.status in (ERROR, DIVERGENT if data == "planted" else INCOMPLETE) and "No space left on device" in still_full.stderr, still_full
    states.execute("DROP FUNCTION pgparity_state.full_disk CASCADE")
    assert run("resume", InDatabase(states), source, target).expect(RIGHT[data]).report["state"]["tables_kept"] == 0
