"""A table that fails for want of memory, time or a feature: it is read again in a less demanding way, and the answer is the right one."""

import re
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, findings, mismatch, missing_on_target
from support.proxy import Proxy, refusal

pytestmark = pytest.mark.matrix(sample=1)

DATA = ["equal", "planted"]
RIGHT = {"equal": IDENTICAL, "planted": DIVERGENT}
TABLE = """CREATE TABLE big (id int PRIMARY KEY, v text, doc jsonb);
    INSERT INTO big SELECT n, 'value ' || n, jsonb_build_object('n', n) FROM generate_series(1, 4000) n; ANALYZE"""
PLANTED = """UPDATE big SET v = 'planted' WHERE id = 7; UPDATE big SET doc = '{"n": 0}' WHERE id = 9; DELETE FROM big WHERE id = 3999"""
FOUND = {mismatch("v", id="7"), mismatch("doc", id="9"), missing_on_target(id="3999")}

# What standard error says of each step, and what the report says in a note. The target is the side that fails.
STEPS = [
    "falls back on the target: at most 1 parallel worker",
    "falls back on the target: 2 instead of 16 ranges on both sides",
    "falls back on the target: no parallel workers",
    "falls back on the target: the server's executor reads, without the extension's scan (aggregate)",
    "falls back on the target: rows are streamed (--fall-back-to-stream)",
]
EVERY_STEP = (0, 1, 2, 3, 4)
OTHER_WAYS = (3, 4)
STREAM = (4,)


@pytest.fixture(params=DATA)
def data(request):
    return request.param


@pytest.fixture
def sides(pair, data):
    pair.both(TABLE)
    if data == "planted":
        pair.target.execute(PLANTED)
    pair.data = data
    return pair


def failing(sqlstate, times, message="made up", after=0):
    """For a proxy: a server that fails the first so many calls for digests."""
    def on_request(number, request):
        if b"range_digests" not in request or len(seen) == times:
            return None
        seen.append(request)
        time.sleep(after)
        return refusal(sqlstate, message)
    seen = []
    on_request.seen = seen
    return on_request


def compare(pair, *arguments, act=None, **options):
    """With a proxy before the target where it is to act."""
    arguments = ["--no-progress", *([] if "--ranges" in arguments else ["--ranges", "16"]), *([] if "--snapshot" in arguments else ["--snapshot", "table"]), *arguments]
    if act is None:
        return pair.compare(*arguments, **options)
    with Proxy(pair.target.cluster.port, act) as proxy:
        return pair.compare(*arguments, target=pair.target.tcp_conninfo(proxy.port), **options)


def check_right(run, data, table="public.big", found=None):
    run.expect(RIGHT[data])
    assert run.report["incomplete"] is False, run
    assert findings(run.table(table)) == ((found or FOUND) if data == "planted" else set()), run


def steps_told(run):
    return [line.split(": ", 2)[2] if line.startswith("pgparity: warning: ") else line for line in run.stderr.splitlines() if "falls back" in line]


def check_steps(run, steps, table="public.big"):
    """Said aloud: each step once, in this order, on standard error and in the report."""
    wanted = [STEPS[step] for step in steps]
    assert [line.split(": ", 1)[1] if line.startswith(table) else line for line in steps_told(run)] == wanted, run
    notes = [note for note in run.table(table)["notes"] if note.startswith("fell back")]
    assert [note.split("; before that: ")[0] for note in notes] == [line.replace("falls", "fell") for line in wanted], run


PATHS = {3: "scan, aggregate", 4: "scan, aggregate, stream"}


@pytest.mark.parametrize("number", range(1, 6))
def test_each_step_is_taken_in_turn(sides, number):
    act = failing("53200", number)
    arguments = ["--fall-back-to-stream"] if number == 5 else []
    run = compare(sides, "--verbose", *arguments, act=act)
    assert len(act.seen) == number, run
    check_right(run, sides.data)
    check_steps(run, EVERY_STEP[:number])
    table = run.table("public.big")
    assert table["attempts"] == number + 1
    assert table["path"] == {"source": "scan", "target": PATHS.get(number - 1, "scan")}, run
    assert table["ranges"]["compared"] == (16 if number == 1 else 2)
    # what the server was really asked for
    if number < 4:
        assert re.search(rf"on the target: scan, \d of {1 if number < 3 else 0} workers", run.stderr), run
    if number == 4:
        assert "on the target: aggregate" in run.stderr, run
    assert (b"path => 'aggregate'" in act.seen[-1]) == (number == 5)


def test_nothing_is_asked_for_twice(sides):
    """Without --fall-back-to-stream the chain ends at the aggregate. What the source is asked for stays the same."""
    act = failing("53200", 99)
    run = compare(sides, "--verbose", act=act).expect(ERROR)
    assert len(act.seen) == 5 and len(steps_told(run)) == 4, run
    table = run.table("public.big")
    assert table["sqlstate"] == "53200" and "after 5 attempts" in table["error"], run
    assert [note for note in table["notes"] if note.startswith("fell back on the source")] == []


def test_the_stream_is_the_last_step(sides):
    def on_request(number, request):
        return refusal("53200", "made up") if b"range_digests" in request or b"COPY (SELECT" in request else None
    run = compare(sides, "--fall-back-to-stream", act=on_request).expect(ERROR)
    check_steps(run, EVERY_STEP)


def test_retry_for_limits_the_attempts(sides):
    act = failing("53200", 99)
    run = compare(sides, "--retry-for", "0", act=act).expect(ERROR)
    assert len(act.seen) == 1 and steps_told(run) == [], run
    assert [note for note in run.table("public.big")["notes"] if note.startswith("fell back")] == []


@pytest.mark.parametrize("sqlstate,steps", [("53000", EVERY_STEP), ("53400", EVERY_STEP), ("54000", EVERY_STEP), ("0A000", OTHER_WAYS)])
def test_the_sqlstate_decides_which_steps_there_are(sides, sqlstate, steps):
    act = failing(sqlstate, len(steps))
    run = compare(sides, "--fall-back-to-stream", act=act)
    check_right(run, sides.data)
    check_steps(run, steps)
    assert run.table("public.big")["path"]["target"] == "scan, aggregate, stream"


@pytest.mark.parametrize("sqlstate", ["XX000", "42501", "42P01", "55000", "57014", "54001"])
def test_no_step_hides_another_failure(sides, sqlstate):
    """Not our checks, rights, the guard of the planner, nor what somebody cancelled."""
    act = failing(sqlstate, 1)
    run = compare(sides, "--fall-back-to-stream", act=act).expect(ERROR)
    assert steps_told(run) == [] and run.table("public.big")["sqlstate"] == sqlstate, run


def test_engine_extension_never_streams(sides):
    run = compare(sides, "--engine", "extension", "--fall-back-to-stream").expect(ERROR)
    assert "--engine extension never streams" in run.stderr
    run = compare(sides, "--engine", "stream", "--fall-back-to-stream").expect(ERROR)
    assert "has no use" in run.stderr
    act = failing("0A000", 99)
    run = compare(sides, "--engine", "extension", act=act).expect(ERROR)
    check_steps(run, (3,))


def test_a_stream_has_fewer_connections(sides):
    """A stream has no other way to be read, and no parallel workers."""
    def on_request(number, request):
        if b"COPY (SELECT" in request and len(seen) < 3:
            seen.append(number)
            return refusal("53200", "made up")
        return None
    seen = []
    run = compare(sides, "--engine", "stream", "--workers", "4", act=on_request)
    check_right(run, sides.data)
    told = steps_told(run)
    assert [line.split("target: ")[1] for line in told[:2]] == ["at most 2 connections read", "2 instead of 16 ranges on both sides"], run
    assert run.table("public.big")["path"] == {"source": "stream", "target": "stream"}


def test_memory_for_the_digests(sides):
    """54000 of the extension itself: fewer workers need no more than there is."""
    sides.target.execute(f"ALTER DATABASE {sides.target.name} SET parity.max_digest_memory = '64kB'; ALTER DATABASE {sides.target.name} SET min_parallel_table_scan_size = 0")
    run = compare(sides, "--ranges", "512", "--workers", "4", "--verbose")
    check_right(run, sides.data)
    told = steps_told(run)
    assert told and "at most 2 parallel workers" in told[0], run
    assert "max_digest_memory" in run.table("public.big")["notes"][0] + "".join(run.table("public.big")["notes"]), run


# A view whose expression fails, or takes its time, for who calls the extension alone.
VIEW = """CREATE FUNCTION expensive() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
        IF pg_catalog.current_query() LIKE '%range_digests%' THEN {} END IF; RETURN ''; END $$;
    CREATE VIEW seen AS SELECT id, v || CASE WHEN id = 1 THEN expensive() ELSE '' END AS v FROM big"""
VIEW_FOUND = {mismatch("v", id="7"), missing_on_target(id="3999")}


@pytest.mark.parametrize("sqlstate,steps", [("53200", (0, 1, 2, 4)), ("0A000", STREAM)])
def test_a_view_that_fails(sides, sqlstate, steps):
    """Its rows come from the executor already."""
    sides.source.execute(VIEW.format("NULL;"))
    sides.target.execute(VIEW.format(f"RAISE EXCEPTION 'made up' USING ERRCODE = '{sqlstate}';"))
    run = compare(sides, "--table", "seen", "--key", "id", "--fall-back-to-stream")
    check_right(run, sides.data, "public.seen", VIEW_FOUND)
    check_steps(run, steps, "public.seen")
    assert run.table()["path"] == {"source": "aggregate", "target": "aggregate, stream"}


def test_a_statement_timeout_of_ours(sides):
    sides.source.execute(VIEW.format("NULL;"))
    sides.target.execute(VIEW.format("PERFORM pg_sleep(30);"))
    arguments = ["--table", "seen", "--key", "id", "--statement-timeout", "2s"]
    run = compare(sides, *arguments, "--fall-back-to-stream")
    check_right(run, sides.data, "public.seen", VIEW_FOUND)
    check_steps(run, STREAM, "public.seen")
    run = compare(sides, *arguments).expect(ERROR)
    assert run.table()["sqlstate"] == "57014" and "(--statement-timeout)" in run.table()["error"] and steps_told(run) == [], run


def test_a_statement_timeout_of_the_role_is_none_of_ours(sides):
    """pgparity does not let it count."""
    sides.source.execute(VIEW.format("NULL;"))
    sides.target.execute(VIEW.format("PERFORM pg_sleep(2);"))
    sides.target.execute(f"ALTER ROLE postgres IN DATABASE {sides.target.name} SET statement_timeout = '1s'")
    run = compare(sides, "--table", "seen", "--key", "id", "--fall-back-to-stream")
    check_right(run, sides.data, "public.seen", VIEW_FOUND)
    assert steps_told(run) == [] and run.table()["path"] == {"source": "aggregate", "target": "aggregate"}


def test_a_query_that_somebody_cancels(sides):
    sides.source.execute(VIEW.format("NULL;"))
    sides.target.execute(VIEW.format("PERFORM pg_sleep(60);"))
    cancelled = []

    def cancel():
        while not cancelled:
            cancelled.extend(beside.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"))
            time.sleep(0.05)
    beside = sides.target.cluster.database(sides.target.name)
    canceller = threading.Thread(target=cancel)
    canceller.start()
    try:
        run = compare(sides, "--table", "seen", "--key", "id", "--fall-back-to-stream", "--statement-timeout", "50s").expect(ERROR)
    finally:
        cancelled.append("enough")
        canceller.join()
        beside.close()
    assert run.table()["sqlstate"] == "57014" and "pgparity did not cancel it" in run.table()["error"] and steps_told(run) == [], run


OWNER = """DO $$ BEGIN CREATE ROLE mallory LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT ALL ON SCHEMA public TO mallory;
    ALTER TABLE big OWNER TO mallory; SET ROLE mallory;
    CREATE FUNCTION evil(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
        IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN RAISE LOG 'owner''s code ran as %', current_user; END IF;
        RETURN n; END $$;
    CREATE INDEX ON big ((evil(1) + id)); RESET ROLE"""


@pytest.mark.parametrize("steps", [1, 2], ids=["aggregate", "stream"])
def test_the_code_of_an_owner_is_not_run_by_a_step(sides, steps):
    """The scan of the extension is planned as the owner. What is planned as the superuser is not read."""
    sides.target.execute(OWNER)
    act = failing("0A000", 1)

    def on_request(number, request):  # the aggregate is left out
        return refusal("0A000", "made up") if steps == 2 and b"LOCK TABLE" in request and b'"big"' in request and len(act.seen) == 1 and not left_out.append(1) and len(left_out) == 1 else act(number, request)
    left_out = []
    traces = sides.target.cluster.log().count("owner's code ran")
    run = compare(sides, "--fall-back-to-stream", act=on_request).expect(ERROR)
    assert run.table("public.big")["sqlstate"] == "42501" and "function public.evil(integer)" in run.table("public.big")["error"], run
    check_steps(run, OTHER_WAYS[:steps])
    assert sides.target.cluster.log().count("owner's code ran") == traces
    run = compare(sides, "--fall-back-to-stream", "--run-owners-code", act=failing("0A000", steps))
    check_right(run, sides.data)
    if steps == 2:
        assert sides.target.cluster.log().count("owner's code ran") > traces  # it would have


def test_shared_memory_of_parallel_workers(sides):
    """Its file system is full where a container has few MB of /dev/shm. That is no disk, and without workers nobody needs it."""
    act = failing("53100", 2, 'could not resize shared memory segment "/PostgreSQL.1804289383" to 8388608 bytes: No space left on device')
    run = compare(sides, act=act)
    check_right(run, sides.data)
    check_steps(run, (0, 2))


@contextmanager
def small_disk(cluster, size):
    """A file system of its own, for the temporary files of a database."""
    folder = Path(cluster.installation.root or "/") / "tmp" / f"pgparity-disk-{cluster.port}"
    folder.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no file system can be mounted: {done.stderr}")
        try:
            subprocess.run(["chown", "postgres:postgres", str(folder)], check=True)
            yield cluster.installation.inside(str(folder))
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        folder.rmdir()


@pytest.mark.parametrize("size", ["1m", "200m"], ids=["full", "large enough"])
@pytest.mark.parametrize("planted", [False, True], ids=DATA)
def test_a_disk_that_is_full(pair, size, planted):
    """The rows of a table that differs are sorted on it. What is full is named, and no other table is begun."""
    pair.both("CREATE TABLE first (id int PRIMARY KEY, v text); INSERT INTO first SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 20000) n;"
              "CREATE TABLE second (id int PRIMARY KEY, v text); INSERT INTO second SELECT n, 'v' FROM generate_series(1, 10) n; ANALYZE")
    pair.target.execute("UPDATE first SET v = v || '.'")
    if planted:
        pair.target.execute("DELETE FROM second WHERE id = 3")
    cluster = pair.target.cluster
    with small_disk(cluster, size) as folder:
        pair.target.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
        try:
            pair.target.execute(f"ALTER DATABASE {pair.target.name} SET temp_tablespaces = 'small'; ALTER DATABASE {pair.target.name} SET work_mem = '64kB'")
            run = pair.compare("--no-progress").expect(DIVERGENT)
        finally:
            pair.target.execute(f"ALTER DATABASE {pair.target.name} RESET temp_tablespaces")
            pair.target.close()
            cluster.drop_database(pair.target)
            cluster.execute("DROP TABLESPACE small")
    first, second = run.table("public.first"), run.table("public.second")
    assert first["result"] == "divergent"
    if size != "1m":
        assert len(first["divergences"]) == 1000 and second["result"] == ("divergent" if planted else "identical") and not run.report["incomplete"]
        return
    assert first["sqlstate"] == "53100" and first["incomplete"], run
    assert f'a disk of the target is full, of temporary files in tablespace "small" ({folder})' in first["error"], run
    assert second["result"] == "error" and second["never_begun"] and 'tablespace "small"' in second["error"] and second["error"].startswith("not compared: "), run
    assert "no other table is begun" in run.stderr and steps_told(run) == []


SPANS = "falls back on the target: read in spans, if it can be"


def test_a_unit_that_takes_too_much_memory_becomes_smaller(sides):
    """The table is read in two spans. Where it is to take even less, fewer ranges are asked for, as for a table that cannot be divided."""
    act = failing("53200", 2)
    run = compare(sides, "--snapshot", "unit", act=act)
    assert len(act.seen) == 2, run
    check_right(run, sides.data)
    assert [line.split(": ", 1)[1] for line in steps_told(run)] == [STEPS[0], SPANS], run
    table = run.table("public.big")
    assert (table["claim"], len(table["spans"]), table["attempts"]) == ("spans", 2, 3), run
    assert [note.split("; before that: ")[0] for note in table["notes"] if note.startswith("fell back")] == [STEPS[0].replace("falls", "fell"), SPANS.replace("falls", "fell")]


def test_a_unit_that_cannot_be_divided_has_fewer_ranges(sides):
    """What a server can do, only it tells: the attempt after the step is the table as a whole again."""
    sides.both("ALTER TABLE big DROP CONSTRAINT big_pkey; CREATE UNIQUE INDEX ON big ((id + 0)); ALTER TABLE big ALTER id SET NOT NULL")
    act = failing("53200", 3)
    run = compare(sides, "--snapshot", "unit", "--key", "big=id", act=act)
    assert len(act.seen) == 3, run
    check_right(run, sides.data)
    assert run.table("public.big")["claim"] == "table" and STEPS[1] in [line.split(": ", 1)[1] for line in steps_told(run)], run
