"""What can go wrong while rows are streamed. None of it may end in "identical"."""

import collections
import signal
import time

import pytest

from support.cluster import PASSWORD, Cluster, binary
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, missing_on_source, popen
from support.proxy import Proxy
from test_faults import ACTIVE, CHANGES, FIRST, Interloper, check_answer

pytestmark = pytest.mark.matrix(sample=1)

STREAM = ("--engine", "stream")
# Few rows in many blocks, so that several connections read them.
SPREAD = ("CREATE TABLE t (id int PRIMARY KEY, v int, filler text) WITH (fillfactor = 10);"
          "INSERT INTO t SELECT n, n, repeat('x', 200) FROM generate_series(1, 6000) n; ANALYZE t")

# How the first statement of each pass is known.


def is_copy_of_digests(data):
    return b"COPY (SELECT" in data and not any(is_pass(data) for name, is_pass in PASSES.items() if name != "digests")


PASSES = {
    "sample": lambda data: b"TABLESAMPLE" in data,
    "digests": is_copy_of_digests,
    "rows": lambda data: b".ctid FROM" in data or b"NULL::pg_catalog.tid FROM" in data,
    "values": lambda data: b"pg_catalog.format('%s'" in data,
}


def diverging(pair):
    pair.both(SPREAD)
    pair.target.execute("UPDATE t SET v = 0 WHERE id % 700 = 0; DELETE FROM t WHERE id = 6000")


def run_with(pair, on_request, *arguments):
    with Proxy(pair.source.cluster.port, on_request) as proxy:
        return pair.compare(*STREAM, "--workers", "3", "--ranges", "50", "--retry-for", "0", *arguments, source=pair.source.tcp_conninfo(proxy.port))


def check_failure(run, name):
    """Where the digests had come through, the divergence is known; otherwise nothing is."""
    if name in ("sample", "digests"):
        assert run.status in (ERROR, INCOMPLETE), run
    else:
        assert run.status in (ERROR, DIVERGENT, INCOMPLETE), run
    assert run.report["incomplete"] is True and run.report["tables"][0]["result"] != "identical", run
    assert len(run.stderr.strip().splitlines()) <= 12, run.stderr


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("name", PASSES)
def test_connection_that_breaks_in_a_copy(pair, name):
    """Before the statement, and after so many bytes of its answer: in the header, in the first row, in a later one."""
    diverging(pair)
    for allowance in (0, 1, 25, 60, 3000):
        cut = []

        def drop(number, data, allowance=allowance, cut=cut):
            if cut or not PASSES[name](data):
                return None
            cut.append(number)
            return allowance
        run = run_with(pair, drop)
        assert cut, "the statement never came"
        check_failure(run, name)
        assert "connection" in run.stdout and "source" in run.stdout, run


@pytest.mark.parametrize("name", PASSES)
def test_backends_that_are_terminated_in_a_copy(pair, name):
    diverging(pair)
    done = []

    def terminate(number, data):
        if not done and PASSES[name](data):
            done.append(number)
            pair.source.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = current_database()")
    run = run_with(pair, terminate)
    assert done
    check_failure(run, name)


def has_ended(pid):
    """Whether a process is gone, or waits for nothing but to be reaped."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def stop_at_once(source):
    """Stops a server without a checkpoint and waits until the backends that pgparity uses have ended."""
    pids = [pid for pid, in source.query("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pgparity%'")]
    source.close()
    source.cluster._run(binary("pg_ctl"), "stop", "-W", "-s", "-m", "immediate", "-D", source.cluster.data_directory)
    deadline = time.monotonic() + 20
    while not all(map(has_ended, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_server_that_is_stopped_at_once(pair):
    with Cluster("stopped") as cluster:
        source = cluster.create_database(extension=False)
        for side in (source, pair.target):
            side.execute(SPREAD)
        done = []

        def stop(number, data):
            if not done and PASSES["digests"](data):
                done.append(number)
                stop_at_once(source)
        with Proxy(cluster.port, stop) as proxy:
            run = pair.compare(*STREAM, "--workers", "3", "--retry-for", "2s", source=source.tcp_conninfo(proxy.port))
        assert done
        check_failure(run, "digests")


def test_role_without_room_for_more_connections(pair):
    """One connection that reads is enough; the others are a matter of speed."""
    diverging(pair)
    for side in (pair.source, pair.target):
        side.execute(f"DO $$ BEGIN CREATE ROLE narrow LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT SELECT ON t TO narrow; ALTER ROLE narrow CONNECTION LIMIT 2")
    sides = {"source": pair.source.conninfo(user="narrow"), "target": pair.target.conninfo(user="narrow")}
    table = pair.compare(*STREAM, "--workers", "3", **sides).expect(DIVERGENT).table()
    assert table["counts"] == {"mismatch": "8", "missing_on_target": "1", "missing_on_source": "0"}
    assert any("connections" in note for note in table["notes"]), table["notes"]
    for side in (pair.source, pair.target):
        side.execute("ALTER ROLE narrow CONNECTION LIMIT 1")
    run = pair.compare(*STREAM, "--retry-for", "0", **sides)
    assert run.status in (ERROR, INCOMPLETE) and "too many connections" in run.stdout, run


SLOW = ("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 2000);"
        "CREATE VIEW slow AS SELECT id, pg_sleep(0.05)::text AS v FROM t")


def test_statement_timeout(pair):
    pair.both(SLOW)
    run = pair.compare(*STREAM, "--table", "public.slow", "--key", "id", "--statement-timeout", "300ms")
    assert run.status in (ERROR, INCOMPLETE), run
    assert "timeout" in run.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_cancels_on_both_servers(pair, number):
    pair.both(SLOW)
    logs = {side: len(side.cluster.log()) for side in (pair.source, pair.target)}
    process = popen("compare", *STREAM, "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--table", "public.slow", "--key", "id")
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
    assert "interrupt" in stderr and "identical" not in stdout
    for side in (pair.source, pair.target):
        side.cluster.wait_for(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = '{side.name}'")
        assert "canceling statement due to user request" in side.cluster.log()[logs[side]:], side.cluster.name


GRANT = "GRANT SELECT (id, v) ON t TO streamer"


def without_locks(pair):
    """A role that may read the columns of t, but may not lock it."""
    for side in (pair.source, pair.target):
        side.execute(f"DO $$ BEGIN CREATE ROLE streamer LOGIN NOINHERIT PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    return pair.target.conninfo(user="streamer")


@pytest.mark.parametrize("change", ["truncate", *(pytest.param(change, marks=pytest.mark.long) for change in ("rewrite", "drop and create", "drop"))])
@pytest.mark.repeated
def test_table_changed_at_any_moment(pair, change):
    """The change comes just before each of the driver's requests in turn, at a table that is not locked. Rows as before or rows
    as after are both right answers, and so is a refusal; no rows at all, which an old snapshot sees in a rewritten table, is none."""
    target = without_locks(pair)
    again = f"DROP TABLE IF EXISTS t; {FIRST}; {GRANT}"
    pair.both(again)
    arguments = (*STREAM, "--table", "t", "--lock-timeout", "2s", "--max-divergences", "0", "--workers", "2")

    def run_through(on_request):
        with Proxy(pair.source.cluster.port, on_request) as proxy:
            return proxy, pair.compare(*arguments, source=pair.source.tcp_conninfo(proxy.port, user="streamer"), target=target)
    proxy, run = run_through(None)
    run.expect(IDENTICAL)
    outcomes = collections.Counter()
    changed = CHANGES[change] if change == "drop" else f"{CHANGES[change]}; {GRANT}"
    for at in range(proxy.requests):
        pair.both(again)
        interloper = Interloper([pair.source], changed, at)
        _, run = run_through(interloper)
        outcomes[run.status, bool(interloper.changed)] += 1
        check_answer(run, interloper.changed == [], f"request {at} of {proxy.requests}: {run}")
    print(f"(status, changed): {dict(outcomes)}")
    kept_out = outcomes[IDENTICAL, False]
    assert kept_out < proxy.requests / 2, "the table was locked"


@pytest.mark.parametrize("name", ["digests", "rows"])
def test_partition_truncated_before_a_copy(pair, name):
    """After the snapshot, and filled anew with a frozen row, which even an old snapshot sees. The role may lock nothing; while values
    are read the connections that read the rows still hold their locks."""
    target = without_locks(pair)
    partitioned = ("DROP TABLE IF EXISTS t; CREATE TABLE t (id int, v int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000);"
                   f"CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (1000) TO (2000); INSERT INTO t SELECT n, n FROM generate_series(0, 1999) n; {GRANT}")
    pair.both(partitioned)
    pair.target.execute("UPDATE t SET v = -1 WHERE id IN (5, 1500)")
    done = []

    def change(number, data):
        if not done and PASSES[name](data):
            done.append(number)
            pair.source.psql("BEGIN; TRUNCATE t2; COPY t2 FROM STDIN (FREEZE);\n1500\t-7\n\\.\nCOMMIT;")
    with Proxy(pair.source.cluster.port, change) as proxy:
        run = pair.compare(*STREAM, "--table", "t", "--key", "t=id", "--ranges", "8", "--max-divergences", "0", source=pair.source.tcp_conninfo(proxy.port, user="streamer"), target=target)
    assert done
    if run.status == ERROR:
        return
    table = run.expect(DIVERGENT).table()
    # Nothing of the change, or all of it under new snapshots.
    found = findings(table)
    assert {mismatch("v", id="5"), mismatch("v", id="1500")} <= found
    if table["rows"]["source"] == "2000":
        assert len(found) == 2
    else:
        assert table["rows"]["source"] == "1001" and found >= {missing_on_source(id=str(n)) for n in range(1000, 2000) if n != 1500}
