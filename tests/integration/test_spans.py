"""A large table that is compared in spans of its key, each under a pair of snapshots of its own: the rows that differ are those of a comparison as a
whole, nothing is hidden by an index that lacks rows, and each span is claimed by itself."""

import contextlib
import json
import os
import signal
import sqlite3
import time

import jsonschema
import pytest

from conftest import SCHEMA, insert_unindexed
from support.cluster import Cluster, fresh_databases
from support.held import locked
from support.kept import InDatabase, command, has_run, named, run
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, pgparity, popen
from support.proxy import Proxy, refusal
from test_state import keep, states  # noqa: F401 (fixtures)

ROWS = 60_000
MAKE = f"""
CREATE TABLE t (id bigint PRIMARY KEY, v text, n int);
INSERT INTO t SELECT i, 'value ' || i, i % 7 FROM generate_series(1, {ROWS}) i;
ANALYZE t"""
# So that it is divided into several: by the guess before anything was read.
IN_SPANS = ["--unit-seconds", "0.004"]


@pytest.fixture
def sides(source_cluster, target_cluster):
    with fresh_databases(source_cluster, target_cluster, sql=MAKE) as databases:
        yield databases


@pytest.fixture(params=["extension", "stream"])
def compare(request, sides):
    """Compares them by an engine. The report is as its schema says."""
    def made(*arguments):
        done = pgparity("compare", "--source", sides[0].conninfo(), "--target", sides[1].conninfo(), "--format", "json", "--engine", request.param, *IN_SPANS,
                        *arguments)
        jsonschema.validate(done.report, json.loads(SCHEMA.read_text()))
        return done
    return made


def test_each_span_is_claimed_by_itself(compare):
    table = compare().expect(IDENTICAL).table()
    assert table["claim"] == "spans"
    assert len(table["spans"]) == table["spans_planned"] >= 3
    assert set(table["path"].values()) <= {"blocks", "stream"}
    assert table["rows"] == {"source": str(ROWS), "target": str(ROWS)}
    assert table["spans"][0]["lower"] is None and table["spans"][-1]["upper"] is None
    for before, after in zip(table["spans"], table["spans"][1:]):
        assert before["upper"] == after["lower"]


def test_what_differs_is_found_in_every_span(sides, compare):
    sides[1].execute("UPDATE t SET v = 'planted' WHERE id IN (1, 30000); DELETE FROM t WHERE id = 60000; INSERT INTO t VALUES (70000, 'new', 1)")
    run = compare().expect(DIVERGENT)
    assert run.table()["claim"] == "spans"
    whole = compare("--snapshot", "table").expect(DIVERGENT)
    assert whole.table()["claim"] == "table"
    assert run.table()["divergences"] == whole.table()["divergences"]
    assert run.table()["counts"] == whole.table()["counts"]


# ---- indexes that lack rows ----------------------------------------------------------------------------------------

def hide(database, rows):
    """Takes rows out of the index, which are in the table still: as a damaged index has it, or one under a changed collation."""
    insert_unindexed(database, rows)


@pytest.mark.matrix(sample=4)
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("where", ["(30000000, 'hidden', 1)", "(0, 'hidden', 1)", "(-5, 'hidden', 1), (99, 'twice', 1)"])
def test_an_index_that_lacks_rows_hides_nothing(sides, compare, side, where):
    hide(sides[side], where)
    table = compare().expect(DIVERGENT).table()
    assert table["claim"] == "table"
    assert any("read as a whole and not in spans" in note and "lacks" in note for note in table["notes"]), table["notes"]
    whole = compare("--snapshot", "table").expect(DIVERGENT).table()
    assert (table["counts"], table["divergences"]) == (whole["counts"], whole["divergences"])


def test_rows_that_both_indexes_lack(sides, compare):
    for side in sides:
        hide(side, "(30000000, 'hidden', 1)")
    assert compare().expect(IDENTICAL).table()["claim"] == "table"
    sides[1].execute("SET enable_indexscan = off; SET enable_bitmapscan = off; UPDATE t SET v = 'planted' WHERE id = 30000000")
    assert len(compare().expect(DIVERGENT).table()["divergences"]) == 1


def test_a_stream_is_not_divided_where_the_server_may_choose_an_index(sides):
    """The index that is counted through need not be the one that a span is read through."""
    sides[1].execute("CREATE INDEX ON t USING hash (id)")  # serves no part of the key
    arguments = ["--source", sides[0].conninfo(), "--target", sides[1].conninfo(), "--format", "json", "--engine", "stream", *MANY]
    assert pgparity("compare", *arguments).expect(IDENTICAL).table()["claim"] == "spans"
    sides[1].execute("CREATE INDEX beside ON t USING brin (id) WITH (pages_per_range = 8)")
    assert pgparity("compare", *arguments).expect(IDENTICAL).table()["claim"] == "table"
    hide(sides[1], "(30000000, 'hidden', 1)")
    sides[1].execute("SELECT brin_summarize_new_values('beside'); ANALYZE t")
    assert [finding["key"]["id"] for finding in pgparity("compare", *arguments).expect(DIVERGENT).table()["divergences"]] == ["30000000"]


# ---- kept and continued --------------------------------------------------------------------------------------------

MANY = ["--unit-seconds", "0.0004"]  # some tens of spans


def spans_kept(state):
    """How many spans count as compared, and how many there are."""
    if isinstance(state, InDatabase):
        if not state.has_run():
            return 0, 0
        [counts] = state.database.query("SELECT count(*) FILTER (WHERE state = 1), count(*) FROM pgparity_state.unit WHERE unit > 0")
        return counts
    try:
        with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as database:
            return database.execute("SELECT count(*) FILTER (WHERE state = 1), count(*) FROM unit WHERE unit > 0").fetchone()
    except sqlite3.Error:
        return 0, 0


def killed_after(spans, state, sides, *arguments):
    """A run that is kept, and is killed when so many spans of it are done. Gives what the state says then."""
    process = popen(*command("compare", state, *sides, *MANY, *arguments))
    while process.poll() is None and spans_kept(state)[0] < spans:
        pass
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    done, planned = spans_kept(state)
    assert spans <= done < planned, "it was killed too late"
    return pgparity("report", *named("from", state), "--format", "json")


def resumed(state, sides, *arguments):
    return run("resume", state, *sides, *arguments)


@pytest.mark.parametrize("data", ["equal", "planted"])
def test_a_killed_run_goes_on_with_the_next_span(sides, keep, data):
    state = keep("run")
    if data == "planted":
        sides[1].execute("DELETE FROM t WHERE id = 5")
    half = killed_after(4, state, sides).expect(DIVERGENT if data == "planted" else INCOMPLETE)
    before = half.table()
    assert before["error"] == f"{len(before['spans'])} of {before['spans_planned']} spans compared"
    assert [finding["key"]["id"] for finding in before["divergences"]] == (["5"] if data == "planted" else [])
    if data == "planted":
        sides[1].execute("UPDATE t SET v = 'planted' WHERE id = 59999")
    after = resumed(state, sides).expect(DIVERGENT if data == "planted" else IDENTICAL).table()
    assert after["spans_planned"] == before["spans_planned"] == len(after["spans"])
    assert [span for span in after["spans"] if span in before["spans"]] == before["spans"], "they were compared again"
    assert [finding["key"]["id"] for finding in after["divergences"]] == (["5", "59999"] if data == "planted" else [])
    again = pgparity("report", *named("from", state), "--format", "json").expect(DIVERGENT if data == "planted" else IDENTICAL).table()
    assert again["spans"] == after["spans"]
    assert [finding["key"] for finding in again["divergences"]] == [finding["key"] for finding in after["divergences"]]


def test_a_span_that_is_done_is_as_of_its_own_snapshots(sides, tmp_path):
    """What differed stays, and what changed since is for the next run."""
    state = tmp_path / "state"
    sides[1].execute("DELETE FROM t WHERE id = 5")
    killed_after(2, state, sides).expect(DIVERGENT)
    sides[1].execute("INSERT INTO t VALUES (5, 'value 5', 5); UPDATE t SET v = 'later' WHERE id = 7")
    table = resumed(state, sides).expect(DIVERGENT).table()
    assert [finding["key"]["id"] for finding in table["divergences"]] == ["5"]
    assert any("may have been in no span" in note for note in table["notes"])


@pytest.mark.matrix(sample=4)
@pytest.mark.parametrize("change", ["VACUUM FULL t", "TRUNCATE t; INSERT INTO t SELECT i, 'value ' || i, i % 7 FROM generate_series(1, 60000) i",
                                    "ALTER TABLE t ADD w int DEFAULT 3"])
@pytest.mark.parametrize("data", ["equal", "planted", "mended"])
def test_spans_of_a_table_that_changed_are_compared_again(sides, keep, change, data):
    state = keep("run")
    if data != "equal":
        sides[1].execute("DELETE FROM t WHERE id = 5")
    killed_after(3, state, sides).expect(INCOMPLETE if data == "equal" else DIVERGENT)
    for side in sides:
        with contextlib.closing(side.connect()) as connection:
            for statement in change.split("; "):
                connection.cursor().execute(statement)
    if data == "planted":
        sides[1].execute("DELETE FROM t WHERE id = 5")
    if data == "mended":
        sides[1].execute("INSERT INTO t VALUES (5, 'value 5', 5) ON CONFLICT DO NOTHING")
    run_again = resumed(state, sides).expect(DIVERGENT if data == "planted" else IDENTICAL)
    assert run_again.report["state"]["compared_again"][0]["source"] == "public.t"
    assert len(run_again.table()["divergences"]) == (data == "planted")


def test_a_run_that_breaks_goes_on_with_the_next_span(sides):
    """In the same run: a session is ended while spans are compared."""
    process = popen("compare", "--source", sides[0].conninfo(), "--target", sides[1].conninfo(), "--format", "json", *MANY)
    ended = 0
    while process.poll() is None and ended < 3:
        ended += len(sides[1].query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%range_digests%' AND pid <> pg_backend_pid()"))
    stdout, stderr = process.communicate()
    assert ended > 0
    table, = json.loads(stdout)["tables"]
    assert (process.returncode, table["result"]) == (IDENTICAL, "identical"), stderr
    assert table["claim"] == "spans" and table["attempts"] > 1


class Replay:
    """As a proxy's hook: replay on a standby ends the third and the fifth reading of spans, and at the eighth the run is killed."""

    def __init__(self, mark):
        self.mark, self.read, self.process = mark, 0, None

    def __call__(self, number, request):
        self.read += self.mark in request
        if self.mark not in request or self.read not in (3, 5, 8):
            return None
        if self.read == 8 and self.process:
            self.process.kill()
            self.process.wait()
        return refusal("40001", "canceling statement due to conflict with recovery") if self.read < 8 else None


@pytest.mark.parametrize("engine,mark", [("extension", b"range_digests"), ("stream", b"pg_catalog.int8))) TO STDOUT")])
@pytest.mark.parametrize("data", ["equal", "planted"])
def test_spans_that_replay_ends_are_halved(sides, keep, data, engine, mark):
    """Those that are done stay. The halves are kept as the others are."""
    planted = ["5", "20000", "31000", "59999"] if data == "planted" else []
    if planted:
        sides[1].execute(f"UPDATE t SET v = 'planted' WHERE id IN ({', '.join(planted)})")
    right = DIVERGENT if planted else IDENTICAL
    arguments = ["--engine", engine, "--unit-seconds", "0.004" if engine == "extension" else "0.03", "--workers", "1"]
    made = pgparity("compare", "--source", sides[0].conninfo(), "--target", sides[1].conninfo(), "--format", "json", *arguments).expect(right).table()
    state, replay = keep("run"), Replay(mark)
    with Proxy(sides[1].cluster.port, replay) as proxy:
        replay.process = popen(*command("compare", state, sides[0].conninfo(), sides[1].tcp_conninfo(proxy.port), *arguments))
        _, stderr = replay.process.communicate(timeout=60)
    assert replay.process.returncode == -signal.SIGKILL, stderr
    assert stderr.count(" spans") >= 2 and "read in " in stderr, stderr
    half = pgparity("report", *named("from", state), "--format", "json").table()
    assert half["spans_planned"] > made["spans_planned"] and 0 < len(half["spans"]) < half["spans_planned"]
    table = resumed(state, sides, *arguments).expect(right).table()
    assert table["claim"] == "spans" and len(table["spans"]) == table["spans_planned"] == half["spans_planned"]
    assert [span["upper"] for span in table["spans"][:-1]] == [span["lower"] for span in table["spans"][1:]]
    assert table["spans"][0]["upper"] == made["spans"][0]["upper"], "one that was done was halved"
    assert table["rows"] == {"source": str(ROWS), "target": str(ROWS)}
    assert sorted((finding["key"]["id"] for finding in table["divergences"]), key=int) == planted
    reported = pgparity("report", *named("from", state), "--format", "json").expect(right).table()
    assert [finding["key"] for finding in reported["divergences"]] == [finding["key"] for finding in table["divergences"]]


@pytest.mark.parametrize("engines", [("extension", "stream"), ("stream", "extension")])
@pytest.mark.parametrize("side", [0, 1])
def test_a_run_goes_on_with_another_engine(sides, tmp_path, engines, side):
    """What one engine has held against the index is nothing to the other one: an index that lacks a row is noticed."""
    state = tmp_path / "state"
    killed_after(3, state, sides, "--engine", engines[0]).expect(INCOMPLETE)
    insert_unindexed(sides[side], "(30000000, 'hidden', 1)")
    table = resumed(state, sides, "--engine", engines[1], *MANY).expect(DIVERGENT).table()
    assert [finding["key"]["id"] for finding in table["divergences"]] == ["30000000"]
    assert table["claim"] == "table" and any("lacks" in note for note in table["notes"])


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("killed", [True, False])
def test_rows_that_differed_stay_listed(sides, keep, killed):
    """The column that differed is gone when the run goes on."""
    state = keep("run")
    sides[1].execute("UPDATE t SET v = 'planted' WHERE id = 5")
    if killed:
        killed_after(3, state, sides).expect(DIVERGENT)
    else:
        run("compare", state, *sides, *MANY).expect(DIVERGENT)
    for side in sides:
        side.execute("ALTER TABLE t DROP COLUMN v")
    for again in (resumed(state, sides), pgparity("report", *named("from", state), "--format", "json"), resumed(state, sides)):
        assert [finding["key"]["id"] for finding in again.expect(DIVERGENT).table()["divergences"]] == ["5"]
        assert "left out now: its column v" in again.table()["error"]


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("planted", [False, True])
def test_spans_that_count_no_more_are_written_down(sides, keep, planted):
    """No report calls the table compared while it is compared again."""
    state = keep("run")
    run("compare", state, *sides, *MANY).expect(IDENTICAL)
    if planted:
        sides[1].execute("DELETE FROM t WHERE id = 59999")
    sides[1].execute("VACUUM FULL t")
    locks = []

    def lock(number, request):
        if b'LOCK TABLE "public"."t"' in request and not locks:
            locks.append(locked(sides[1], "t"))

    with Proxy(sides[1].cluster.port, lock) as proxy:
        process = popen(*command("resume", state, sides[0], sides[1].tcp_conninfo(proxy.port), "--lock-timeout", "0"))
        while process.poll() is None and not locks:
            time.sleep(0.01)
        told = pgparity("report", *named("from", state), "--format", "json").expect(ERROR)
        process.kill()
        process.communicate()
    locks[0].close()
    assert told.report["state"]["compared_again"][0]["source"] == "public.t"
    assert told.table()["result"] == "error" and told.table().get("spans", []) == []
    assert resumed(state, sides).expect(DIVERGENT if planted else IDENTICAL).table()["result"] == ("divergent" if planted else "identical")


def test_no_report_calls_a_table_compared_whose_index_is_not_checked(sides, tmp_path):
    """The run is killed between the last span and the look at what no span has read."""
    state = tmp_path / "state"
    run("compare", state, *sides, *MANY).expect(IDENTICAL)
    with contextlib.closing(sqlite3.connect(state)) as database:
        database.execute("UPDATE unit SET state = 0, position = x'', result = x'' WHERE unit = 0")
        database.commit()
    hide(sides[1], ", ".join(f"({-number}, 'hidden', 1)" for number in range(400)))  # on blocks that no span has read, too
    table = pgparity("report", "--from", str(state), "--format", "json").expect(INCOMPLETE).table()
    assert (table["result"], table["error"]) == ("error", "the rest of the table was not held against its index yet")
    assert len(table["spans"]) == table["spans_planned"]
    resumed(state, sides).expect(DIVERGENT)


# Where a row's entry in the index comes and goes: one that is in the first span and on the last block, and one the other way round.
FIRST_ON_LAST_BLOCK, LAST_ON_FIRST_BLOCK = 0, 30000000


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("remake", ["REINDEX TABLE t", "REINDEX TABLE CONCURRENTLY t"])
@pytest.mark.parametrize("data", ["equal", "hidden"])
def test_spans_that_were_read_through_another_index(sides, tmp_path, side, remake, data):
    """The index that lacked a row is gone when the last span is done, and the new one has it."""
    state = tmp_path / "state"
    if data == "hidden":
        hide(sides[side], f"({FIRST_ON_LAST_BLOCK}, 'hidden', 1)")
    before = killed_after(3, state, sides).expect(INCOMPLETE).table()
    sides[side].execute(remake)
    run_again = resumed(state, sides).expect(DIVERGENT if data == "hidden" else IDENTICAL)
    table = run_again.table()
    assert table["claim"] == "spans"
    assert [finding["key"]["id"] for finding in table["divergences"]] == ([str(FIRST_ON_LAST_BLOCK)] if data == "hidden" else [])
    assert not [span for span in table["spans"] if span in before["spans"]], "they were kept"
    assert any("spans of it were compared again" in note and "is not the one through which" in note for note in table["notes"]), table["notes"]


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("engine", ["extension", "stream"])
@pytest.mark.parametrize("data", ["equal", "hidden"])
def test_spans_to_come_are_read_through_another_index(sides, tmp_path, engine, data):
    """The block is read when the index lacks the row that a later span has there."""
    state = tmp_path / "state"
    for database in sides:
        database.execute("DELETE FROM t WHERE id BETWEEN 10 AND 100")
        database.execute("INSERT INTO t SELECT i, 'value ' || i, 1 FROM generate_series(60001, 60131) i")  # no room on the last block
        database.execute("VACUUM (INDEX_CLEANUP ON) t")
    killed_after(3, state, sides, "--engine", engine).expect(INCOMPLETE)
    sides[1].execute("CREATE UNIQUE INDEX later ON t (id)")
    if data == "hidden":
        with contextlib.closing(sides[1].connect()) as connection, connection.cursor() as cursor:
            cursor.execute("UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'later'::regclass")
            cursor.execute(f"INSERT INTO t VALUES ({LAST_ON_FIRST_BLOCK}, 'hidden', 1) RETURNING ctid")
            assert cursor.fetchone()[0].startswith("(0,")
            cursor.execute("UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 'later'::regclass")
    sides[1].execute("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX later")
    table = resumed(state, sides, "--engine", engine).expect(DIVERGENT if data == "hidden" else IDENTICAL).table()
    assert [finding["key"]["id"] for finding in table["divergences"]] == ([str(LAST_ON_FIRST_BLOCK)] if data == "hidden" else [])


def test_a_stream_counts_again_when_it_goes_on(sides, tmp_path):
    state = tmp_path / "state"
    killed_after(3, state, sides, "--engine", "stream").expect(INCOMPLETE)
    hide(sides[1], "(30000000, 'hidden', 1)")
    table = resumed(state, sides, "--engine", "stream").expect(DIVERGENT).table()
    assert [finding["key"]["id"] for finding in table["divergences"]] == ["30000000"]


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("engine, data", [("extension", "equal"), ("extension", "hidden"), ("stream", "equal")])
def test_spans_that_were_read_on_another_server(source_cluster, tmp_path, engine, data):
    """The index of the standby on which the first spans were read is broken on its disk, and that of the primary lists all rows."""
    state = tmp_path / "state"
    with Cluster("whole", installation=source_cluster.installation, settings={"autovacuum": "off"}) as primary, contextlib.ExitStack() as stack:
        source, target = source_cluster.create_database(), primary.create_database()
        stack.callback(lambda: (source.close(), source_cluster.drop_database(source)))
        stack.callback(target.close)
        for database in (source, target):
            database.execute(MAKE)
        standby = stack.enter_context(Cluster("broken", standby_of=primary))
        target.execute("CHECKPOINT")
        standby.catch_up()
        file = os.path.join(standby.data_directory, target.value("SELECT pg_relation_filepath('t_pkey')"))
        standby.stop()
        with open(file, "rb") as index:
            before = index.read()
        standby.start()
        if data == "hidden":
            target.execute(f"INSERT INTO t VALUES ({FIRST_ON_LAST_BLOCK}, 'hidden', 1)")
        target.execute("CHECKPOINT")
        standby.catch_up()
        standby.execute("CHECKPOINT")
        standby.stop()
        with open(file, "wb") as index:
            index.write(before)
        standby.start()
        there = standby.database(target.name)
        killed_after(3, state, [source, there], "--engine", engine).expect(INCOMPLETE)
        table = resumed(state, [source, target], "--engine", engine).expect(DIVERGENT if data == "hidden" else IDENTICAL).table()
        assert [finding["key"]["id"] for finding in table["divergences"]] == ([str(FIRST_ON_LAST_BLOCK)] if data == "hidden" else [])
        assert any("the target is another server now" in note for note in table["notes"]) == (engine == "extension"), table["notes"]
        there.close()


@pytest.mark.long
@pytest.mark.parametrize("data", ["equal", "planted"])
def test_spans_killed_between_every_two_writes(sides, shim, tmp_path, data):
    if data == "planted":
        sides[1].execute("DELETE FROM t WHERE id IN (5, 59999)")
    right = DIVERGENT if data == "planted" else IDENTICAL
    for number in range(1, 1000):
        state = tmp_path / f"{number}.state"
        killed = run("compare", state, *sides, *IN_SPANS, env={"LD_PRELOAD": shim, "FAULT_KILL": str(number), "FAULT_FILE": ".state"})
        if killed.status == right:
            break
        assert killed.status == -signal.SIGKILL, killed
        if not has_run(state):
            continue
        table = resumed(state, sides).expect(right).table()
        assert [finding["key"]["id"] for finding in table["divergences"]] == (["5", "59999"] if data == "planted" else []), number
    assert number > 10, "there are more writes than that"
