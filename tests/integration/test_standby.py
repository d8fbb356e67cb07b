"""A hot standby as a side: what it does not have, and what its replay does to those who read it."""

import contextlib
import itertools
import json
import signal
import threading
import time

import jsonschema
import psycopg2
import pytest

from conftest import SCHEMA
from support.cluster import Cluster
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source, missing_on_target, pgparity, popen
from support.proxy import Proxy
from support.verified import InBackground, Verified

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]


def compare(source, target, *arguments, **options):
    """pgparity between two connection strings, with a JSON report that is as its schema says."""
    run = pgparity("compare", "--format", "json", "--source", source, "--target", target, *arguments, **options)
    if run.stdout:
        jsonschema.validate(run.report, json.loads(SCHEMA.read_text()))
    return run


@contextlib.contextmanager
def copied(source_cluster, standby, sql):
    """A database of the primary, and its copy."""
    database = source_cluster.create_database()
    database.execute(sql)
    database.execute("VACUUM")  # else reading prunes pages; an idle primary does not flush that, and pgparity waits for it
    standby.catch_up()
    copy = standby.database(database.name)
    try:
        yield database, copy
    finally:
        copy.close()
        source_cluster.drop_database(database)


# ---- what is not replicated --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standby(source_cluster):
    with Cluster("standby", standby_of=source_cluster) as cluster:
        yield cluster


UNLOGGED = """CREATE TABLE orders (id serial PRIMARY KEY, v int); INSERT INTO orders (v) SELECT n FROM generate_series(1, 100) n;
    CREATE UNLOGGED TABLE sessions (id serial PRIMARY KEY, v text); INSERT INTO sessions (v) VALUES ('a')"""
REASON = "table public.sessions: unlogged, its rows are not replicated to the {}, which is in recovery"


@pytest.mark.in_turn("standbys")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("role", ["source", "target"])
def test_unlogged_tables_are_left_out(source_cluster, target_cluster, standby, engine, role):
    """By what they are, a standby does not have their rows: that is no reason for an alarm, unless somebody asks for just them."""
    unlogged_sequences = standby.installation.major >= 15
    with copied(source_cluster, standby, UNLOGGED) as (primary, copy):
        sides = [copy.conninfo(), primary.conninfo()] if role == "source" else [primary.conninfo(), copy.conninfo()]
        run = compare(*sides, "--engine", engine).expect(IDENTICAL)
        assert [t["source"] for t in run.report["tables"]] == ["public.orders"]
        assert REASON.format(role) in run.report["not_compared"]
        left_out = f"sequence public.sessions_id_seq: unlogged, its value is not replicated to the {role}, which is in recovery"
        assert (left_out in run.report["not_compared"]) == unlogged_sequences
        assert [s["source"] for s in run.report["sequences"]] == ["public.orders_id_seq"] + ["public.sessions_id_seq"] * (not unlogged_sequences)
        assert REASON.format(role) in pgparity("compare", "--source", sides[0], "--target", sides[1]).stdout
        assert REASON.format(role) in compare(*sides, "--engine", engine, "--dry-run").report["not_compared"]

        run = compare(*sides, "--engine", engine, "--table", "public.sessions", "--table", "orders").expect(INCOMPLETE)
        assert run.table("public.sessions")["skipped"] == [f"unlogged: its rows are not replicated to the {role}, which is in recovery"]
        compare(*sides, "--engine", engine, "--table", "public.*").expect(IDENTICAL)

        # a replica that differs, against the same standby
        other = target_cluster.create_database()
        try:
            other.execute(UNLOGGED + "; UPDATE orders SET v = 0 WHERE id = 3")
            against = [copy.conninfo(), other.conninfo()] if role == "source" else [other.conninfo(), copy.conninfo()]
            run = compare(*against, "--engine", engine, "--no-sequences").expect(DIVERGENT)
            assert run.table("public.orders")["result"] == "divergent" and REASON.format(role) in run.report["not_compared"]
        finally:
            target_cluster.drop_database(other)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_with_an_unlogged_partition_is_incomplete(source_cluster, standby, engine):
    with copied(source_cluster, standby, """CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE kept PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE UNLOGGED TABLE lost PARTITION OF t FOR VALUES FROM (10) TO (20);
            INSERT INTO t SELECT n FROM generate_series(0, 19) n; CREATE TABLE other (id int PRIMARY KEY)""") as (primary, copy):
        run = compare(primary.conninfo(), copy.conninfo(), "--engine", engine).expect(INCOMPLETE)
        assert "a part of it is unlogged" in run.table("public.t")["skipped"][0] and run.table("public.other")["result"] == "identical"
        run = compare(primary.conninfo(), copy.conninfo(), "--engine", engine, "--exclude-table", "t").expect(IDENTICAL)
        assert sorted(t["source"] for t in run.report["tables"]) == ["public.kept", "public.other"]
        assert any(s.startswith("table public.lost: unlogged") for s in run.report["not_compared"])
        standby.execute("SELECT pg_wal_replay_pause()")
        try:
            primary.execute("DELETE FROM kept WHERE id = 7; INSERT INTO other VALUES (7)")
            run = compare(primary.conninfo(), copy.conninfo(), "--engine", engine, "--no-sequences").expect(DIVERGENT)
            assert findings(run.table("public.other")) == {missing_on_target(id="7")} and run.table("public.t")["result"] == "incomplete"
            run = compare(primary.conninfo(), copy.conninfo(), "--engine", engine, "--no-sequences", "--exclude-table", "t").expect(DIVERGENT)
            assert findings(run.table("public.kept")) == {missing_on_source(id="7")}
        finally:
            standby.execute("SELECT pg_wal_replay_resume()")


def test_nothing_but_unlogged_tables_is_no_answer(source_cluster, standby):
    with copied(source_cluster, standby, "CREATE UNLOGGED TABLE sessions (id int PRIMARY KEY)") as (primary, copy):
        assert compare(primary.conninfo(), copy.conninfo()).status == 2


# ---- replay that cancels ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hasty(source_cluster):
    """A standby that lets nobody stand in the way of replay for long."""
    with Cluster("hasty", standby_of=source_cluster, settings={"hot_standby_feedback": "off", "max_standby_streaming_delay": "1s"}) as cluster:
        yield cluster


ROWS = "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 2000) n"


@pytest.fixture
def replayed(source_cluster, target_cluster, hasty):
    """(primary, its copy on a hasty standby, a database elsewhere with the same rows)."""
    with copied(source_cluster, hasty, ROWS) as (primary, copy):
        primary.execute("VACUUM")
        hasty.catch_up()
        other = target_cluster.create_database()
        other.execute(ROWS)
        yield primary, copy, other
        target_cluster.drop_database(other)


class Remover:
    """Has replay remove rows that the reader of the standby may still see, whenever it asks for what `marks` tell, `times` times. The other
    side loses the same rows."""

    def __init__(self, replayed, *, times, marks=(b"range_digests(", b"COPY (SELECT"), after=lambda count: None):
        self.primary, self.copy, self.other = replayed
        self.times, self.marks, self.after = times, marks, after
        self.count = 0

    def __call__(self, number, data):
        if self.count == self.times or not any(mark in data for mark in self.marks):
            return
        self.count += 1
        self.remove()
        self.after(self.count)

    def remove(self):
        for side in (self.primary, self.other):
            side.execute("DELETE FROM t WHERE id = (SELECT max(id) FROM t)")
        self.primary.execute("VACUUM t")
        self.copy.cluster.catch_up()


def conflicts(standby, database):
    return standby.value(f"SELECT sum(confl_snapshot + confl_lock + confl_bufferpin + confl_deadlock) FROM pg_stat_database_conflicts WHERE datname = '{database.name}'")


@pytest.mark.in_turn("replay")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("planted", [False, True])
def test_a_session_that_replay_ends_is_begun_again(hasty, replayed, engine, planted):
    """The transaction is idle when replay meets it: the server closes the connection."""
    primary, copy, other = replayed
    if planted:
        other.execute("UPDATE t SET v = 0 WHERE id = 3")
    remover = Remover(replayed, times=1)
    with Proxy(hasty.port, remover) as proxy:
        run = compare(other.conninfo(), copy.tcp_conninfo(proxy.port), "--engine", engine).expect(DIVERGENT if planted else IDENTICAL)
    assert remover.count == 1 and conflicts(hasty, primary) > 0
    assert run.table()["rows"] == {"source": "1999", "target": "1999"}
    assert findings(run.table()) == ({mismatch("v", id="3")} if planted else set())
    assert (run.table()["claim"], len(run.table()["spans"])) == ("spans", 2), run


@pytest.mark.in_turn("replay")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("planted", [False, True])
def test_a_query_that_replay_cancels_is_begun_again(hasty, replayed, engine, planted):
    """The query waits for a lock of the test's when replay meets it."""
    primary, copy, other = replayed
    for side in (primary, other):
        side.execute("CREATE FUNCTION gate(id int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM pg_advisory_lock_shared(7); RETURN id > 0; END'")
    hasty.catch_up()
    if planted:
        other.execute("UPDATE t SET v = 0 WHERE id = 3")
    with contextlib.closing(copy.connect()) as holder, holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7)")
        process = popen("compare", "--format", "json", "--engine", engine, "--source", other.conninfo(), "--target", copy.conninfo(), "--no-sequences",
                        "--workers", "1", "--where", "public.gate(id)")
        hasty.wait_for("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        Remover(replayed, times=1).remove()
        cursor.execute("SELECT pg_advisory_unlock(7)")
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == (DIVERGENT if planted else IDENTICAL), stdout + stderr
    assert "canceling statement due to conflict with recovery" in hasty.log()


@pytest.mark.in_turn("replay")
@pytest.mark.parametrize("engine", ["extension", pytest.param("stream", marks=pytest.mark.long)])
@pytest.mark.parametrize("others", [pytest.param("equal", marks=pytest.mark.long), "equal and not"])
def test_a_table_that_replay_never_lets_be_read(hasty, replayed, engine, others):
    """The other tables are compared: of one that is equal and one that is not, that is found of each."""
    primary, copy, other = replayed
    for side in (primary, other):
        side.execute("CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE w (id int PRIMARY KEY)")
    differ = others != "equal"
    if differ:
        other.execute("INSERT INTO w VALUES (7)")
    hasty.catch_up()
    # t is larger, so that it comes first; once it is given up, nothing is removed any more.
    remover = Remover(replayed, times=1)
    with Proxy(hasty.port, remover) as proxy:
        run = compare(other.conninfo(), copy.tcp_conninfo(proxy.port), "--engine", engine, "--retry-for", "0").expect(DIVERGENT if differ else INCOMPLETE)
    assert run.report["incomplete"]
    error = run.table("public.t")["error"]
    assert 'gave table "public.t" up after 1 attempt: the target is a standby, whose replay ended each of them' in error
    assert "max_standby_streaming_delay is 1s there, hot_standby_feedback is off" in error and "set hot_standby_feedback = on on the target" in error
    assert run.table("public.u")["result"] == "identical"
    assert run.table("public.w")["result"] == ("divergent" if differ else "identical")
    assert findings(run.table("public.w")) == ({missing_on_target(id="7")} if differ else set())


class CatalogVacuum:
    """As a proxy's hook: replay ends the first statement that holds `text`, as the primary removes versions of catalog rows."""

    def __init__(self, primary, standby, text):
        self.primary, self.standby, self.text, self.done = primary, standby, text, False

    def __call__(self, number, data):
        if self.text in data and not self.done:
            self.done = True
            self.primary.execute("CREATE TABLE gone (id int)")
            self.primary.execute("DROP TABLE gone")
            self.primary.execute("VACUUM pg_class")
            self.standby.catch_up()


@pytest.mark.in_turn("replay")
@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.parametrize("engine", ENGINES)
def test_catalogs_that_replay_ends(hasty, replayed, engine, planted):
    primary, copy, other = replayed
    if planted:
        other.execute("UPDATE t SET v = 0 WHERE id = 3")
    vacuum = CatalogVacuum(primary, hasty, b"pg_partition_ancestors")
    with Proxy(hasty.port, vacuum) as proxy:
        compare(other.conninfo(), copy.tcp_conninfo(proxy.port), "--engine", engine).expect(DIVERGENT if planted else IDENTICAL)
    assert vacuum.done and conflicts(hasty, primary) > 0


@pytest.mark.in_turn("replay")
def test_a_signal_ends_the_pause(hasty, replayed):
    primary, copy, other = replayed
    process = []

    def stop(count):
        if count == 3:  # four seconds follow
            threading.Timer(0.5, lambda: process[0].send_signal(signal.SIGTERM)).start()
    with Proxy(hasty.port, Remover(replayed, times=100, after=stop)) as proxy:
        process.append(popen("compare", "--engine", "stream", "--source", other.conninfo(), "--target", copy.tcp_conninfo(proxy.port)))
        process[0].communicate(timeout=60)
    assert process[0].returncode == ERROR


# ---- replay that cancels parity.verify ------------------------------------------------------------------------------------


@contextlib.contextmanager
def verified_through(source, copy, port):
    """What a database elsewhere verifies against the copy on the standby, through a proxy, in a session that the proxy does not wait for."""
    made = Verified(source, copy)
    made.make_server(port=port)
    with contextlib.closing(source.connect()) as connection:
        verify = made.verify
        made.verify = lambda *relation, **options: verify(*relation, connection=options.pop("connection", connection), **options)
        yield made


@pytest.mark.in_turn("replay")
@pytest.mark.parametrize("times, planted", [(1, False), (1, True), (3, False)])
def test_verify_begins_a_session_again_that_replay_ended(hasty, replayed, times, planted):
    """Three times in a row are no reason to give up, since replay gets more time with each."""
    primary, copy, other = replayed
    if planted:
        other.execute("UPDATE t SET v = 0 WHERE id = 3")
    asked = []
    remover = Remover(replayed, times=times, marks=(b"range_digests(",), after=lambda count: asked.append(time.monotonic()))
    with Proxy(hasty.port, remover) as proxy, verified_through(other, copy, proxy.port) as made:
        assert made.verify() == ("divergent" if planted else "identical"), made.part
    assert remover.count == times and conflicts(hasty, primary) > 0
    assert (made.part["source_rows"], made.part["target_rows"], made.part["details"]["conflicts"]) == (2000 - times,) * 2 + (times,)
    assert made.divergences() == ([("mismatch", {"id": "3"}, ["v"])] if planted else [])
    assert [later - earlier > 2 ** n for n, (earlier, later) in enumerate(itertools.pairwise(asked))] == [True] * (times - 1)


@pytest.mark.in_turn("replay")
@pytest.mark.parametrize("planted", [False, True])
def test_verify_plans_anew_after_replay_has_ended_it_often(hasty, replayed, planted):
    """A table that is changed once was not exchanged again and again, however often replay ended its reading before."""
    primary, copy, other = replayed
    if planted:
        other.execute("UPDATE t SET v = 0 WHERE id = 3")

    def change(count):
        if count == 3:  # four seconds follow
            threading.Timer(1, other.execute, ["ALTER TABLE t ALTER v TYPE bigint"]).start()
    remover = Remover(replayed, times=3, marks=(b"range_digests(",), after=change)
    with Proxy(hasty.port, remover) as proxy, verified_through(other, copy, proxy.port) as made:
        assert made.verify() == ("divergent" if planted else "identical"), made.part
    assert remover.count == 3 and made.part["details"]["conflicts"] == 4
    assert made.divergences() == ([("mismatch", {"id": "3"}, ["v"])] if planted else [])


@pytest.mark.in_turn("replay")
@pytest.mark.parametrize("planted", [False, True])
def test_verify_begins_a_query_again_that_replay_cancelled(hasty, replayed, planted):
    primary, copy, other = replayed
    for side in (primary, other):
        side.execute("CREATE FUNCTION gate(id int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN PERFORM pg_advisory_lock_shared(7); RETURN id > 0; END'")
    hasty.catch_up()
    if planted:
        other.execute("UPDATE t SET v = 0 WHERE id = 3")
    with contextlib.closing(copy.connect()) as holder, holder.cursor() as cursor, verified_through(other, copy, hasty.port) as made:
        cursor.execute("SELECT pg_advisory_lock(7)")
        with InBackground(made, filter="public.gate(id)") as background:
            hasty.wait_for("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            Remover(replayed, times=1).remove()
            cursor.execute("SELECT pg_advisory_unlock(7)")
            background.join(60)
        assert background.result == ("divergent" if planted else "identical"), made.part
        assert made.part["details"]["conflicts"] == 1


@pytest.mark.in_turn("replay")
def test_verify_gives_a_table_up_that_replay_never_lets_be_read(hasty, replayed):
    primary, copy, other = replayed
    for side in (primary, other):
        side.execute("CREATE TABLE u (id int PRIMARY KEY)")
    hasty.catch_up()
    remover = Remover(replayed, times=5, marks=(b"range_digests(",))
    with Proxy(hasty.port, remover) as proxy, verified_through(other, copy, proxy.port) as made:
        assert made.verify() == "incomplete", made.part
        assert made.part["sqlstate"] == "40001" and "given up after 5 attempts: the target is a standby, whose replay ended each of them" in made.part["message"]
        assert "max_standby_streaming_delay is 1s there, hot_standby_feedback is off" in made.part["message"]
        assert "set hot_standby_feedback = on there" in made.part["message"]
        assert "max_standby_streaming_delay is 1s there" in made.warnings
        assert made.verify("u") == "identical"
        other.execute("INSERT INTO u VALUES (7)")
        assert made.verify("u") == "divergent" and made.divergences() == [("missing_on_target", {"id": "7"}, None)]
    assert remover.count == 5


@pytest.mark.in_turn("replay")
@pytest.mark.parametrize("planted", [False, True])
def test_verify_reads_catalogs_again_that_replay_ended(hasty, replayed, planted):
    primary, copy, other = replayed
    if planted:
        other.execute("UPDATE t SET v = 0 WHERE id = 3")
    vacuum = CatalogVacuum(primary, hasty, b"parity.forms(")
    with Proxy(hasty.port, vacuum) as proxy, verified_through(other, copy, proxy.port) as made:
        assert made.verify() == ("divergent" if planted else "identical"), made.part
    assert vacuum.done and made.part["details"]["conflicts"] == 1


@pytest.mark.parametrize("planted", [False, True])
def test_a_table_that_is_rewritten_is_no_conflict_with_replay(replayed, hasty, planted):
    """On a standby, too: it is read again at once."""
    primary, copy, other = replayed
    rewritten = []

    def rewrite(number, data):
        """After the snapshot and before the lock."""
        if b"parity.hold_relation(" in data and not rewritten:
            rewritten.append(number)
            for side in (primary, other):
                side.execute("TRUNCATE t; INSERT INTO t VALUES (1, 1)")
            if planted:
                other.execute("UPDATE t SET v = 0")
            hasty.catch_up()
    with Proxy(hasty.port, rewrite) as proxy, verified_through(other, copy, proxy.port) as made:
        started = time.monotonic()
        assert made.verify() == ("divergent" if planted else "identical"), made.part
        assert time.monotonic() - started < 60 and rewritten and made.part["target_rows"] == 1
        assert made.divergences() == ([("mismatch", {"id": "1"}, ["v"])] if planted else [])


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("call", ["CALL parity.verify('t', 'replica')", "CALL parity.verify_schema('replica')", "CALL parity.verify_baseline('t', 'b')",
                                  "SELECT parity.capture('t', 'b')"])
def test_a_standby_keeps_no_records(hasty, replayed, call):
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction) as error:
        replayed[1].execute(call)
    assert "a standby cannot keep the records of a verification" in str(error.value) and "Call it on the primary" in str(error.value)
