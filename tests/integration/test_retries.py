"""A failure that may pass: the table is begun again, and the answer is the one of an undisturbed run."""

import os
import re
import threading
import time

import pytest

from support.cluster import Cluster, fresh_databases
from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, PGPARITY, Run, findings, mismatch, missing_on_target, pgparity, popen
from support.proxy import Proxy
from support.random_values import SEED

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]
DATA = ["equal", "planted"]
RIGHT = {"equal": IDENTICAL, "planted": DIVERGENT}

TABLES = """CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT n, 'value ' || n FROM generate_series(1, 4000) n;
    CREATE TABLE small (id int PRIMARY KEY, v text); INSERT INTO small SELECT n, 'value ' || n FROM generate_series(1, 10) n; ANALYZE"""
PLANTED = "UPDATE big SET v = 'planted' WHERE id = 7; DELETE FROM small WHERE id = 3"
FOUND = {"public.big": {mismatch("v", id="7")}, "public.small": {missing_on_target(id="3")}}


@pytest.fixture(scope="module")
def other(source_cluster):
    """A server of this module's own, which may be stopped."""
    with Cluster("other", installation=source_cluster.installation) as cluster:
        yield cluster


@pytest.fixture(params=DATA)
def sides(request, source_cluster, other):
    """(source, target, whether they differ)"""
    with fresh_databases(source_cluster, other, sql=TABLES) as databases:
        if request.param == "planted":
            databases[1].execute(PLANTED)
        other.execute("CHECKPOINT")  # what is there survives a server that is killed
        yield *databases, request.param


def compare(source, target, *arguments, **options):
    return pgparity("compare", "--format", "json", "--no-progress", "--source", source, "--target", target, *arguments, **options)


def check_right(run, data):
    """The answer of a run that nothing disturbed."""
    run.expect(RIGHT[data])
    assert run.report["incomplete"] is False, run
    for table in run.report["tables"]:
        assert findings(table) == (FOUND[table["source"]] if data == "planted" else set()), run


def check_begun_again(run, moment):
    """At that moment the connection to the target was lost."""
    again = run.table("public.small" if moment == "second table" else "public.big")
    assert again["attempts"] > 1 and any("lost the connection to the target" in note for note in again["notes"]), run


def once(words, act):
    """For a proxy: acts before the first request with these words."""
    def on_request(number, data):
        if words in data and not done:
            done.append(number)
            return act()
        return None
    done = []
    on_request.done = done
    return on_request


class Beside:
    """Acts in a thread of its own while the proxy goes on forwarding: a connection that nobody forwards would keep a server from stopping."""

    def __init__(self, *acts):
        self.thread = threading.Thread(target=lambda: [act() for act in acts])

    def __call__(self):
        self.thread.start()
        time.sleep(0.1)  # until sessions are ended


MOMENTS = {"lock": b'LOCK TABLE "public"."big"', "second table": b'LOCK TABLE "public"."small"', "digests": b"range_digests", "copy": b"COPY (SELECT"}


@pytest.mark.parametrize("engine,moment", [("extension", "lock"), ("extension", "second table"), ("extension", "digests"), ("stream", "second table"), ("stream", "copy")])
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_is_restarted(sides, other, engine, moment, mode):
    source, target, data = sides
    restart = Beside(lambda: other.stop(mode), other.start)
    disturbed = once(MOMENTS[moment], restart)
    with Proxy(other.port, disturbed) as proxy:
        run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", engine)
    assert disturbed.done, run
    restart.thread.join()
    check_right(run, data)
    check_begun_again(run, moment)
    assert "begun again" in run.stderr, run


@pytest.mark.parametrize("engine", ENGINES)
def test_every_connection_that_breaks(sides, engine, other):
    """Before each request in turn the connection breaks, once."""
    source, target, data = sides
    with Proxy(other.port) as proxy:
        check_right(compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", engine), data)
    requests = proxy.requests
    first = next_request_of_tables(source, target, other, engine)
    step = 1 if os.environ.get("PARITY_LONG") else 5
    for at in range(first + SEED % step, requests, step):
        with Proxy(other.port, lambda number, request: 0 if number == at else None) as proxy:
            run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", engine)
        assert run.status == RIGHT[data], f"request {at} of {requests}: {run}"
        check_right(run, data)


def next_request_of_tables(source, target, other, engine):
    """The number of the first request of the connections that read tables."""
    numbers = []

    def look(number, request):
        if b"LOCK TABLE" in request and MOMENTS["lock"] in request and not numbers:
            numbers.append(number)
    with Proxy(other.port, look) as proxy:
        compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", engine)
    return numbers[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_session_that_is_ended(sides, engine, other):
    source, target, data = sides
    disturbed = once(MOMENTS["digests" if engine == "extension" else "copy"],
                     lambda: target.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = current_database()") and None)
    with Proxy(other.port, disturbed) as proxy:
        run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", engine)
    assert disturbed.done
    check_right(run, data)


def test_a_snapshot_that_is_gone_with_its_session(sides, other):
    """The session that has it is ended just before another one is to read under it: what the server says of the snapshot is not what happened."""
    source, target, data = sides
    ended = []

    def end():
        ended.append(target.value("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE query LIKE '%pg_export_snapshot%' AND pid <> pg_backend_pid()"))
    disturbed = once(b"SET TRANSACTION SNAPSHOT", end)
    with Proxy(other.port, disturbed) as proxy:
        run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", "stream", "--workers", "1")
    assert ended == [1], run
    check_right(run, data)
    assert any("lost the connection to the target" in note for table in run.report["tables"] for note in table["notes"]), run


def test_a_server_that_does_not_come_back(sides, other):
    """It is asked by one connection at a time, until --retry-for is over. What was found before counts."""
    source, target, data = sides
    stop = Beside(other.stop)
    disturbed = once(MOMENTS["second table"], stop)
    try:
        with Proxy(other.port, disturbed) as proxy:
            started = time.monotonic()
            run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--retry-for", "4s")
            assert time.monotonic() - started < 30
            connections = proxy.connections
    finally:
        stop.thread.join()
        other.start()
    run.expect(DIVERGENT if data == "planted" else INCOMPLETE)
    assert run.report["incomplete"] is True and run.table("public.big")["result"] == ("divergent" if data == "planted" else "identical")
    small = run.table("public.small")
    assert small["result"] == "error" and "target" in small["error"], run
    assert "trying again in" in run.stderr and connections < 20, run


def test_nothing_is_tried_again_with_0(sides, other):
    source, target, data = sides
    disturbed = once(MOMENTS["second table"], lambda: 0)
    with Proxy(other.port, disturbed) as proxy:
        run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--retry-for", "0")
    run.expect(DIVERGENT if data == "planted" else INCOMPLETE)
    assert "lost the connection to the target" in run.table("public.small")["error"] and "attempts" not in run.table("public.small"), run


@pytest.mark.parametrize("sides", ["planted"], indirect=True)
@pytest.mark.parametrize("engine,words", [("extension", b"column_values"), ("stream", b".ctid = ANY")])
def test_what_was_seen_to_differ_is_not_lost_with_a_later_attempt(sides, engine, words, other):
    """The connection breaks at the last request with these words, where values are fetched, and from then on nobody answers."""
    source, target, _ = sides
    arguments = (source.conninfo(), "--engine", engine, "--retry-for", "3s", "--table", "public.big")
    asked, gone = [], []

    def count(number, request):
        asked.extend([number] if words in request else [])

    def on_request(number, request):
        count(number, request)
        gone.extend([number] if gone or len(asked) == most else [])
        return 0 if gone else None
    with Proxy(other.port, count) as proxy:
        compare(*arguments[:1], target.tcp_conninfo(proxy.port), *arguments[1:]).expect(DIVERGENT)
    most = len(asked)
    asked.clear()
    with Proxy(other.port, on_request) as proxy:
        run = compare(*arguments[:1], target.tcp_conninfo(proxy.port), *arguments[1:])
    assert gone, run
    run.expect(DIVERGENT)
    table = run.table()
    assert run.report["incomplete"] is True and table["result"] == "divergent" and table["error"], run
    assert table["counts"]["mismatch"] == "1" and [d["key"] for d in table["divergences"]] == [{"id": "7"}], run


def test_other_tables_are_compared_while_one_is_locked(sides, other):
    """The locked one is the first; it is begun again when the lock is gone."""
    source, target, data = sides
    holder = target.connect()
    holder.autocommit = False
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE small IN ACCESS SHARE MODE")  # keeps the transaction open
        process = None
        disturbed = once(MOMENTS["lock"], lambda: cursor.execute("LOCK TABLE big IN ACCESS EXCLUSIVE MODE"))
        with Proxy(other.port, disturbed) as proxy:
            process = popen("compare", "--format", "json", "--no-progress", "--lock-timeout", "200ms", "--source", source.conninfo(), "--target",
                            target.tcp_conninfo(proxy.port))
            lines = []
            for line in process.stderr:
                lines.append(line)
                if "begun again" in line:
                    break
            holder.rollback()
            stdout, stderr = process.communicate(timeout=60)
    holder.close()
    assert re.search(r"public\.big.*locked by pid \d+ .*; it is begun again in \d+\.\d s", "".join(lines)), lines
    run = Run([PGPARITY], process.returncode, stdout, "".join(lines) + stderr)
    check_right(run, data)
    assert run.table("public.big")["attempts"] > 1


def run_until_begun_again(process, release):
    """Releases what holds the run up once the run has told of it. Returns the run and what it told of that."""
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "begun again" in line:
            break
    release()
    stdout, stderr = process.communicate(timeout=60)
    return Run([PGPARITY], process.returncode, stdout, "".join(lines) + stderr), "".join(lines)


def test_who_locks_an_index_of_a_table_that_is_being_read(sides, other):
    """The lock of the table is had. Who plans a query waits for those of its indexes."""
    source, target, data = sides
    holder = target.connect()
    holder.autocommit = False
    with holder.cursor() as cursor:
        cursor.execute("SET application_name = 'a repair'")
        disturbed = once(MOMENTS["copy"], lambda: cursor.execute("REINDEX INDEX big_pkey"))
        with Proxy(other.port, disturbed) as proxy:
            run, told = run_until_begun_again(
                popen("compare", "--format", "json", "--no-progress", "--engine", "stream", "--lock-timeout", "200ms", "--table", "big", "--source",
                      source.conninfo(), "--target", target.tcp_conninfo(proxy.port)), holder.rollback)
    pid = holder.info.backend_pid
    holder.close()
    assert disturbed.done, run
    assert re.search(rf"public\.big.*: it is locked by pid {pid} \(user postgres, a repair\), in a transaction of \d+ s: REINDEX INDEX big_pkey", told), run
    check_right(run, data)
    assert run.table("public.big")["attempts"] == 2, run


PARTS = """CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE part_1 PARTITION OF parted FOR VALUES FROM (1) TO (100);
    CREATE TABLE part_2 PARTITION OF parted FOR VALUES FROM (100) TO (200); INSERT INTO parted SELECT n, 'value ' || n FROM generate_series(1, 199) n; ANALYZE parted"""


@pytest.mark.parametrize("engine", ENGINES)
def test_who_is_in_a_deadlock_with_a_run(sides, engine, other):
    """The run has the first partition and waits for the second one, which somebody has who then waits for the first one."""
    source, target, data = sides
    for database in (source, target):
        database.execute(PARTS)
    if data == "planted":
        target.execute("UPDATE parted SET v = 'planted' WHERE id = 150")
    target.execute(f"ALTER DATABASE {target.name} SET deadlock_timeout = '1s'")
    holder = target.connect()
    holder.autocommit = False
    with holder.cursor() as cursor:
        pid = holder.info.backend_pid
        with Proxy(other.port, once(b'LOCK TABLE "public"."parted"', lambda: cursor.execute("SET deadlock_timeout = '1min'; LOCK TABLE part_2"))) as proxy:
            process = popen("compare", "--format", "json", "--no-progress", "--engine", engine, "--table", "parted", "--source", source.conninfo(),
                            "--target", target.tcp_conninfo(proxy.port))
            other.wait_for(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid))")
            cursor.execute("LOCK TABLE part_1")  # is had once the run has lost
            run, told = run_until_begun_again(process, holder.rollback)
    holder.close()
    assert re.search(rf"public\.parted.*deadlock detected.*: with pid {pid} \(user postgres\), in a transaction of \d+ s: LOCK TABLE part_", told), run
    run.expect(RIGHT[data])
    assert findings(run.table()) == ({mismatch("v", id="150")} if data == "planted" else set()), run
    assert run.table()["attempts"] == 2 and run.report["incomplete"] is False, run
