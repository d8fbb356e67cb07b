"""What can go wrong in the middle of a run. None of it may end in "identical"."""

import collections
import os
import re
import signal
import threading
import time

import psycopg2
import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source, missing_on_target, pgparity, popen
from support.proxy import Proxy
from support.random_values import SEED

FIRST = "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 400) n"

# What another session does to the table, once, in one transaction. Afterwards it holds 60 rows, or is not there, or is no table.
CHANGES = {
    "truncate": "TRUNCATE t; INSERT INTO t SELECT n, n FROM generate_series(1, 60) n",
    "rewrite": "DELETE FROM t WHERE id > 60; ALTER TABLE t ALTER v TYPE bigint USING v + 0",
    "drop and create": "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 60) n",
    "drop": "DROP TABLE t",
    "view": "DROP TABLE t; CREATE VIEW t AS SELECT n AS id, planted(n) AS v FROM generate_series(1, 400) n",
}
PLANTED = "CREATE FUNCTION planted(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'planted function ran'; RETURN n; END $$"


class Interloper:
    """Runs a change on chosen databases when the proxy sees a given request, unless a lock keeps it out."""

    def __init__(self, databases, change, at):
        self.databases = databases
        self.change = change
        self.at = at
        self.changed = []

    def __call__(self, number, data):
        if number != self.at:
            return
        for database in self.databases:
            connection = database.connect()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = '30ms'; BEGIN; " + self.change + "; COMMIT")
                self.changed.append(database)
            except psycopg2.errors.LockNotAvailable:
                pass
            finally:
                connection.close()


def sampled(requests):
    """The requests before which something happens: all in a long run, every second in a short one."""
    return range(requests) if os.environ.get("PARITY_LONG") else range(SEED % 2, requests, 2)


def count_requests(pair, *arguments):
    """How many requests a run sends to its source."""
    with Proxy(pair.source.cluster.port) as proxy:
        pair.compare(*arguments, source=pair.source.tcp_conninfo(proxy.port)).expect(IDENTICAL)
        return proxy.requests


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("sides", [pytest.param("source", marks=pytest.mark.long), pytest.param("target", marks=pytest.mark.long), "both"])
@pytest.mark.parametrize("change", [pytest.param(change, marks=() if change == "truncate" else pytest.mark.repeated) for change in CHANGES])
def test_table_changed_at_any_moment(pair, change, sides):
    """The change comes just before each of the driver's requests in turn. Rows as before or rows as after are both right answers, and
    so is a refusal; anything else is not: above all no rows at all, which is what an old snapshot sees in a rewritten table."""
    pair.both(PLANTED)
    pair.both(FIRST)
    arguments = ("--lock-timeout", "2s", "--max-divergences", "0")
    requests = count_requests(pair, *arguments)
    assert requests > 5
    databases = {"source": [pair.source], "target": [pair.target], "both": [pair.source, pair.target]}[sides]
    outcomes = collections.Counter()
    for at in sampled(requests):
        pair.both("DO $$ BEGIN EXECUTE (SELECT 'DROP ' || CASE relkind WHEN 'v' THEN 'VIEW t' ELSE 'TABLE t' END FROM pg_class WHERE oid = to_regclass('t')); EXCEPTION WHEN null_value_not_allowed THEN NULL; END $$")
        pair.both(FIRST)
        interloper = Interloper(databases, CHANGES[change], at)
        with Proxy(pair.source.cluster.port, interloper) as proxy:
            run = pair.compare(*arguments, source=pair.source.tcp_conninfo(proxy.port))
        where = f"request {at} of {requests}, changed {[d.cluster.name for d in interloper.changed]}: {run}"
        outcomes[run.status, bool(interloper.changed)] += 1
        check_answer(run, interloper.changed == [], where)
    print(f"(status, changed): {dict(outcomes)}")
    assert any(changed for _, changed in outcomes), "no request came before the locks were taken"
    for side in (pair.source, pair.target):
        assert "planted function ran" not in side.cluster.log()


@pytest.mark.in_turn("faults")
def test_column_added_at_any_moment(pair):
    """A column that both sides get after the plan was made, with other values, must not be left out silently: the run compares it,
    or refuses, or is through with the table."""
    pair.both(FIRST)
    requests = count_requests(pair)
    change = "ALTER TABLE t ADD COLUMN extra int; UPDATE t SET extra = current_setting('port')::int"
    statuses = []
    for at in sampled(requests):
        pair.both("DROP TABLE t")
        pair.both(FIRST)
        interloper = Interloper([pair.source, pair.target], change, at)
        with Proxy(pair.source.cluster.port, interloper) as proxy:
            run = pair.compare("--lock-timeout", "2s", source=pair.source.tcp_conninfo(proxy.port))
        if len(interloper.changed) == 2:
            statuses.append(run.status)
        if run.status in (ERROR, INCOMPLETE):
            assert "got other columns" in str(run.report["errors"]), str(run)
    assert {DIVERGENT, ERROR} <= set(statuses), statuses
    first_refusal = statuses.index(ERROR)
    assert IDENTICAL not in statuses[:first_refusal], statuses


def check_answer(run, untouched, where):
    if untouched:
        assert run.status == IDENTICAL, where
    if run.status == ERROR:
        return
    for table in run.report["tables"]:
        if table["result"] not in ("identical", "divergent") or table.get("rows") is None:
            continue
        rows = (int(table["rows"]["source"]), int(table["rows"]["target"]))
        assert set(rows) <= {400, 60}, where
        assert (table["result"] == "identical") == (rows[0] == rows[1]), where
        if rows == (400, 60):
            assert findings(table) == {missing_on_target(id=str(n)) for n in range(61, 401)}, where
    if run.status == IDENTICAL:
        assert run.report["tables"], where


@pytest.mark.parametrize("change", ["truncate", "rewrite", "drop and create", "drop"])
@pytest.mark.parametrize("function", [
    "parity.range_digests('t', path => 'scan')", "parity.range_digests('t', path => 'aggregate')",
    "parity.range_digests('t', bounds => '{}', workers => 2)", "parity.row_digests('t')", "parity.slice_digests('t')",
])
def test_sql_functions_under_a_snapshot_older_than_the_change(pair, change, function):
    """[S] After a TRUNCATE or a rewrite an old snapshot sees no rows; that must be 40001 and never an empty answer."""
    pair.source.execute(FIRST)
    connection = pair.source.connect()
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        if change.startswith("drop"):
            cursor.execute("SELECT oid FROM pg_class WHERE relname = 't'")
            function = function.replace("'t'", f"{cursor.fetchone()[0]}::regclass")
        pair.source.execute(CHANGES[change])
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute(f"SELECT * FROM {function}")
    assert caught.value.pgcode == ("40001" if not change.startswith("drop") else caught.value.pgcode)
    assert caught.value.pgcode in ("40001", "42P01", "42704")
    connection.close()


def test_partition_truncated_under_an_old_snapshot(pair):
    pair.source.execute("CREATE TABLE t (id int, v int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
                        "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200); INSERT INTO t SELECT n, n FROM generate_series(1, 199) n")
    connection = pair.source.connect()
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        pair.source.execute("TRUNCATE t2")
        with pytest.raises(psycopg2.errors.SerializationFailure):
            cursor.execute("SELECT * FROM parity.range_digests('t', key_columns => '{id}')")
    connection.close()


def test_truncate_in_the_same_transaction_is_seen(pair):
    pair.source.execute(FIRST)
    connection = pair.source.connect()
    connection.autocommit = False
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1; TRUNCATE t; INSERT INTO t VALUES (1, 1)")
        cursor.execute("SELECT sum(row_count) FROM parity.range_digests('t')")
        assert cursor.fetchone()[0] == 1
    connection.close()


def test_lock_timeout(pair):
    """A table that stays locked cannot be compared; the others can."""
    pair.both(FIRST)
    pair.both("CREATE TABLE other (id int PRIMARY KEY)")
    holder = pair.source.connect()
    holder.autocommit = False
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        run = pair.compare("--lock-timeout", "100ms", "--retry-for", "1s")
        pair.target.execute("INSERT INTO other VALUES (1)")
        found = pair.compare("--lock-timeout", "100ms", "--retry-for", "1s").expect(DIVERGENT)
    holder.close()
    run.expect(INCOMPLETE)
    assert "public.t" in run.stdout and run.table("public.other")["result"] == "identical"
    assert found.report["incomplete"] is True and findings(found.table("public.other")) == {missing_on_source(id="1")}


def test_lock_that_is_released_in_time(pair):
    pair.both(FIRST)
    holder = pair.source.connect()
    holder.autocommit = False
    with holder.cursor() as cursor:
        cursor.execute("TRUNCATE t; INSERT INTO t SELECT n, n FROM generate_series(1, 60) n")
        timer = threading.Timer(1, holder.commit)
        timer.start()
        run = pair.compare("--lock-timeout", "20s", "--max-divergences", "0").expect(DIVERGENT)
        timer.join()
    holder.close()
    assert run.table()["rows"] == {"source": "60", "target": "400"}


def test_changes_after_the_snapshot_are_not_seen_half(pair):
    """Rows written while the run reads belong to neither answer."""
    pair.both(FIRST)

    def write(number, data):
        if b"range_digests" in data or b"row_records" in data:
            pair.source.execute("UPDATE t SET v = v + 1; UPDATE t SET v = v - 1")
    with Proxy(pair.source.cluster.port, write) as proxy:
        pair.compare(source=pair.source.tcp_conninfo(proxy.port)).expect(IDENTICAL)
        pair.target.execute("UPDATE t SET v = 0 WHERE id = 77")
        table = pair.compare(source=pair.source.tcp_conninfo(proxy.port)).expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="77")}


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("allowance", [0, 1, 40, 400])
@pytest.mark.parametrize("request_text", [b"pg_namespace", b"range_digests", b"row_records", b"column_values"])
def test_dropped_connection(pair, request_text, allowance):
    """The connection breaks just before a request, or after so many bytes of its answer."""
    pair.both(FIRST)
    pair.target.execute("UPDATE t SET v = 0 WHERE id % 7 = 0; DELETE FROM t WHERE id = 400")
    seen = []

    def drop(number, data):
        if request_text in data:
            seen.append(number)
            return allowance
        return None
    with Proxy(pair.source.cluster.port, drop) as proxy:
        run = pair.compare("--retry-for", "0", source=pair.source.tcp_conninfo(proxy.port))
    assert seen, "the request never came"
    # Where the digests had come through, the divergence is known.
    assert run.status in (ERROR, DIVERGENT, INCOMPLETE), run
    if request_text == b"pg_namespace" or (request_text == b"range_digests" and allowance < 100):
        assert run.status in (ERROR, INCOMPLETE), run
    assert run.status == ERROR or run.report["incomplete"] is True
    assert "source" in run.stderr + run.stdout and "connection" in run.stderr + run.stdout
    assert "Traceback" not in run.stderr and len(run.stderr.strip().splitlines()) <= 12


def test_server_that_goes_away(pair):
    """Terminated by its administrator in mid-run."""
    pair.both(FIRST)

    def terminate(number, data):
        if b"range_digests" in data:
            pair.source.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = current_database()")
    with Proxy(pair.source.cluster.port, terminate) as proxy:
        run = pair.compare("--retry-for", "2s", source=pair.source.tcp_conninfo(proxy.port))
    assert run.status in (ERROR, INCOMPLETE) and re.search("up after [2-9] attempts", run.table()["error"]), run


def test_statement_timeout(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100); CREATE VIEW slow AS SELECT id, pg_sleep(0.05)::text AS v FROM t")
    run = pair.compare("--table", "public.slow", "--key", "id", "--statement-timeout", "300ms")
    assert run.status in (ERROR, INCOMPLETE), run
    assert "timeout" in run.stdout + run.stderr


ACTIVE = ("SELECT count(*) = {} FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND state = 'active' AND datname = '{}' AND wait_event = 'PgSleep'")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_in_mid_run_cancels_both_servers(pair, number):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 2000); CREATE VIEW slow AS SELECT id, pg_sleep(0.05)::text AS v FROM t")
    logs = {side: len(side.cluster.log()) for side in (pair.source, pair.target)}
    process = popen("compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--table", "public.slow", "--key", "id")
    try:
        for side in (pair.source, pair.target):
            side.cluster.wait_for(ACTIVE.format(1, side.name))
        started = time.monotonic()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
        assert time.monotonic() - started < 10
    finally:
        process.kill()
    assert process.returncode == ERROR, (stdout, stderr)
    assert "cancel" in stderr or "interrupt" in stderr
    assert "identical" not in stdout
    for side in (pair.source, pair.target):
        side.cluster.wait_for(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = '{side.name}'")
        assert "canceling statement due to user request" in side.cluster.log()[logs[side]:], side.cluster.name


def test_servers_stop_when_pgparity_is_killed(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 2000); CREATE VIEW slow AS SELECT id, pg_sleep(0.05)::text AS v FROM t")
    process = popen("compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--table", "public.slow", "--key", "id")
    try:
        for side in (pair.source, pair.target):
            side.cluster.wait_for(ACTIVE.format(1, side.name))
    finally:
        process.kill()
        process.communicate()
    for side in (pair.source, pair.target):
        side.cluster.wait_for(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = '{side.name}'")


def test_server_without_the_extension(pair, target_cluster):
    bare = target_cluster.create_database(extension=False)
    try:
        run = pair.run("--engine", "extension", target=bare.conninfo()).expect(ERROR)
        assert "pg_parity" in run.stderr and "target" in run.stderr and "CREATE EXTENSION" in run.stderr
        assert run.stdout == ""
    finally:
        target_cluster.drop_database(bare)


def test_extension_of_another_format_version(pair):
    pair.both(FIRST)
    pair.target.execute("CREATE OR REPLACE FUNCTION parity.format_version() RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT 2'")
    run = pair.run("--engine", "extension").expect(ERROR)
    assert "format" in run.stderr and "1" in run.stderr and "2" in run.stderr
    pair.source.execute("CREATE OR REPLACE FUNCTION parity.format_version() RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT 2'")
    pair.run("--engine", "extension").expect(ERROR)


def test_both_connections_to_one_database(pair):
    pair.both(FIRST)
    run = pgparity("compare", "--source", pair.source.conninfo(), "--target", pair.source.tcp_conninfo()).expect(ERROR)
    assert "--allow-same-server" in run.stderr
    sides = ["--source", pair.source.conninfo(), "--target", pair.source.tcp_conninfo(), "--allow-same-server"]
    pgparity("compare", *sides).expect(IDENTICAL)
    # What one database shows otherwise to the other connection.
    pair.source.execute("CREATE VIEW seen AS SELECT 1 AS id, inet_server_addr() IS NULL AS by_socket")
    table = pgparity("compare", *sides, "--format", "json", "--table", "seen", "--key", "id").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("by_socket", id="1")}


def test_two_databases_of_one_server(pair, source_cluster):
    """Only the same database twice is refused."""
    pair.source.execute(FIRST)
    other = source_cluster.create_database()
    try:
        other.execute(FIRST)
        pair.compare(target=other.conninfo()).expect(IDENTICAL)
        other.execute("UPDATE t SET v = 0 WHERE id = 77")
        assert findings(pair.compare(target=other.conninfo()).expect(DIVERGENT).table()) == {mismatch("v", id="77")}
    finally:
        source_cluster.drop_database(other)
