"""The scan reads pages while others change, prune and truncate the table. Under one snapshot it must see what the executor sees,
every time."""

import contextlib
import subprocess
import threading
import time

import psycopg2
import pytest

from support.cluster import Cluster, binary, clean_environment

PARALLEL = "SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2"
BOUNDS = "SELECT coalesce(array_agg(bound ORDER BY bound_no), '{{}}')::text FROM parity.split_keys('{}', 16)"
# A filter takes the way through the executor.
WAYS = {"serial scan": "path => 'scan', workers => 0", "parallel scan": "path => 'scan', workers => 2", "aggregate": "filter => 'true'"}
DIGESTS = """SELECT sum(row_count), array_agg((row_count, key_digest, row_digest, column_digests)::text ORDER BY range_no)::text
             FROM parity.range_digests('{}', bounds => '{}'::bytea[], {})"""

SETUP = """ALTER TABLE pgbench_history ADD COLUMN id serial PRIMARY KEY;
CREATE TABLE churn (id serial PRIMARY KEY, v int, s text, long_text text);"""
# Rows that come, change and go again, so that pages are pruned and the table's end is cut off; some values are out of line.
CHURN = """\\set n random(1, 1000000)
INSERT INTO churn (v, s, long_text) SELECT :n, repeat('s', :n % 200), (SELECT string_agg(md5((:n + i)::text), '') FROM generate_series(1, :n % 300) i) FROM generate_series(1, 5);
UPDATE churn SET v = v + 1 WHERE id % 50 = :n % 50;
DELETE FROM churn WHERE id < (SELECT max(id) - 1500 FROM churn) OR v % 10 = 0;
"""
# What makes the next snapshot differ from the last one, whatever the load does.
MARK = "UPDATE pgbench_accounts SET abalance = abalance + 1000000 WHERE aid = 1; INSERT INTO pgbench_history (tid) VALUES (0); INSERT INTO churn (v) VALUES (1)"
TABLES = ["pgbench_accounts", "pgbench_history", "churn"]


def program(database, name, *arguments):
    installation = database.cluster.installation
    return installation.command(installation.binary(name), *arguments, database.inside_conninfo())


@contextlib.contextmanager
def vacuuming(database):
    """VACUUM, over and over, in a session of its own. Gives a list with an entry for each time."""
    rounds, stop = [], threading.Event()

    def run():
        connection = database.connect()
        with connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("VACUUM pgbench_accounts, pgbench_history, churn")
                rounds.append(len(rounds))
        connection.close()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield rounds
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def busy_database(source_cluster, tmp_path):
    """A database that pgbench -N, CHURN and VACUUM work on; all of them must be at it until the end."""
    database = source_cluster.create_database()
    subprocess.run(program(database, "pgbench", "-i", "-q", "-s", "1"), check=True, capture_output=True, env=clean_environment())
    database.execute(SETUP)
    script = tmp_path / "churn.sql"
    script.write_text(CHURN)
    writer = subprocess.Popen([binary("pgbench"), "-n", "-c", "2", "-T", "3600", "-b", "simple-update@4", "-f", f"{script}@1", database.conninfo()],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=clean_environment())
    try:
        with vacuuming(database) as vacuums:
            yield database
            assert writer.poll() is None, writer.stderr.read()
        assert vacuums
    finally:
        writer.terminate()
        writer.communicate()
        source_cluster.drop_database(database)


def read_snapshot(database):
    """The answer of each way for each table, under one snapshot. A standby that must go on replaying cancels that, or ends the session."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with (contextlib.suppress(psycopg2.OperationalError),  # SerializationFailure and DeadlockDetected among them; also while connecting
              contextlib.closing(database.connect()) as connection, connection.cursor() as cursor):
            def ask(query):
                cursor.execute(query)
                return cursor.fetchone()
            cursor.execute(PARALLEL)
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            bounds = {table: ask(BOUNDS.format(table))[0] for table in TABLES}
            return {table: {way: ask(DIGESTS.format(table, bounds[table], WAYS[way])) for way in WAYS} for table in TABLES}
        time.sleep(0.5)  # replay that is late ends whatever stands in its way at once, until it has caught up
    raise AssertionError("replay never let a snapshot be read")


def check_snapshots(database, reader, count, before_each=lambda: None):
    """Reads `count` snapshots of `reader`: the database under load, or a copy of it that follows."""
    seen = {table: [] for table in TABLES}
    for _ in range(count):
        database.execute(MARK)
        before_each()
        for table, answers in read_snapshot(reader).items():
            assert len(set(answers.values())) == 1, (table, {way: answer[0] for way, answer in answers.items()})
            seen[table].append(answers["aggregate"])
    for table, answers in seen.items():
        assert len(set(answers)) == count, table
    history = [answer[0] for answer in seen["pgbench_history"]]
    assert history[-1] - history[0] > count, "nobody wrote but this test"


@pytest.mark.in_turn("large tables")
@pytest.mark.parametrize("count", [10, pytest.param(50, marks=pytest.mark.long)])
def test_scan_and_executor_see_the_same_under_load(busy_database, count):
    check_snapshots(busy_database, busy_database, count)


# The delay must have an end: replay may hold a table's lock for the end of a VACUUM while it waits for the reader's snapshot, and the reader
# for that lock. No deadlock detector sees this.
STANDBY_SETTINGS = {"hot_standby_feedback": "off", "max_standby_streaming_delay": "5s"}


@pytest.mark.in_turn("large tables")
@pytest.mark.parametrize("count", [5, pytest.param(30, marks=pytest.mark.long)])
def test_scan_and_executor_see_the_same_on_a_standby_that_replays(source_cluster, busy_database, count):
    with Cluster("standby", standby_of=source_cluster, settings=STANDBY_SETTINGS) as standby:
        reader = standby.database(busy_database.name)
        check_snapshots(busy_database, reader, count, before_each=standby.catch_up)
        reader.close()
