"""Spans of a table's keys that are read by the blocks which the key's index lists, while others write: each has the digests of a scan under
the same snapshot, and no index that is whole is said to lack rows. Of one that does, a span tells, or the look at the other blocks.
PARITY_SEED repeats a run."""

import random
import threading

import psycopg2
import pytest

from support.random_values import SEED

LACKS_ROWS = "PP004"
WIDE = "repeat(md5(random()::text), (random() * 8)::int)"

# Of each table: how it is made, and its key as an expression of a random integer n.
SHAPES = {
    "one column": ("CREATE TABLE t (id bigint PRIMARY KEY, n int, v text)", "id", "{n}"),
    "uuid": ("CREATE TABLE t (id uuid PRIMARY KEY, n int, v text)", "id", "md5({n}::text)::uuid"),
    "text": ("""CREATE TABLE t (id text COLLATE "C" PRIMARY KEY, n int, v text) WITH (fillfactor = 70)""", "id", "'k' || lpad(({n})::text, 7, '0')"),
    "descending": ("CREATE TABLE t (id numeric NOT NULL, n int, v text); CREATE UNIQUE INDEX ON t (id DESC)", "id", "{n} / 3.0"),
    "pair": ("CREATE TABLE t (a int, b int, n int, v text, PRIMARY KEY (a, b)) WITH (fillfactor = 50)", "a, b", "({n}) / 700, ({n}) % 700"),
    "range partitions": ("CREATE TABLE t (id int PRIMARY KEY, n int, v text) PARTITION BY RANGE (id); CREATE TABLE t_low PARTITION OF t FOR VALUES FROM (0) TO (1000);"
                         "CREATE TABLE t_high (v text, n int, id int NOT NULL); ALTER TABLE t ATTACH PARTITION t_high FOR VALUES FROM (1000) TO (2500);"
                         "CREATE TABLE t_else PARTITION OF t DEFAULT", "id", "{n}"),
    "hash partitions": ("CREATE TABLE t (id int PRIMARY KEY, n int, v text) PARTITION BY HASH (id); CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
                        "CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)", "id", "{n}"),
}
KEYS = 4000


@pytest.fixture
def database(source_cluster):
    made = source_cluster.create_database()
    yield made
    source_cluster.drop_database(made)


class Changes:
    """Random changes of t: in place, elsewhere, under another key, some of which are rolled back."""

    def __init__(self, shape, rng):
        self.columns, self.key = SHAPES[shape][1:]
        self.rng = rng

    def keys(self, first, last):
        """A query for the keys of so many integers."""
        return f"SELECT {self.key.format(n='i')} FROM generate_series({first}, {last}) i"

    def stretch(self, most):
        first = self.rng.randrange(KEYS)
        return first, first + self.rng.randrange(1, most)

    def statement(self):
        of_stretch = f"({self.columns}) IN ({self.keys(*self.stretch(60))})"
        first, last = self.stretch(200)
        return self.rng.choice([
            f"INSERT INTO t ({self.columns}, n, v) SELECT k.*, 1, {WIDE} FROM ({self.keys(first, last)}) k ON CONFLICT DO NOTHING",
            f"DELETE FROM t WHERE {of_stretch}",
            f"UPDATE t SET n = n + 1 WHERE {of_stretch}",
            f"UPDATE t SET v = {WIDE} WHERE {of_stretch}",
            f"UPDATE t SET ({self.columns}) = ROW({self.key.format(n=KEYS + self.rng.randrange(KEYS))}) WHERE ({self.columns}) IN ({self.keys(first, first)})"])

    def run(self, connection):
        """One transaction."""
        with connection.cursor() as cursor:
            try:
                cursor.execute("BEGIN")
                for _ in range(self.rng.randrange(1, 4)):
                    cursor.execute(self.statement())
                cursor.execute(self.rng.choice(["COMMIT", "COMMIT", "ROLLBACK"]))
                if self.rng.random() < 0.15:
                    cursor.execute("VACUUM (TRUNCATE off) t")
            except (psycopg2.errors.UniqueViolation, psycopg2.errors.DeadlockDetected, psycopg2.errors.SerializationFailure):  # moved to another partition
                cursor.execute("ROLLBACK")


class Writers:
    """Threads that change t until the end of the block, where what failed in them is raised."""

    def __init__(self, database, shape, rng, count):
        self.stopped = threading.Event()
        self.failures = []
        self.changed = 0
        self.threads = [threading.Thread(target=self.work, args=(database.connect(), Changes(shape, random.Random(rng.random())))) for _ in range(count)]

    def work(self, connection, changes):
        try:
            while not self.stopped.is_set():
                changes.run(connection)
                self.changed += 1
        except Exception as failure:  # noqa: BLE001 - told by the test's own thread
            self.failures.append(failure)
        finally:
            connection.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures


def some_bounds(database, rng):
    return database.value("SELECT array_agg(bound ORDER BY bound_no)::text FROM parity.split_keys('t', %s)", (rng.choice([3, 12, 50, 200]),))


def divided(rng, ranges):
    """1 … ranges in spans of random lengths."""
    ends = sorted({*rng.sample(range(1, ranges + 1), min(ranges, rng.randrange(1, 7))), ranges})
    return [list(range(first + 1, last + 1)) for first, last in zip([0, *ends], ends)]


def digests(cursor, bounds, span, path, workers):
    cursor.execute("SELECT range_no, row_count, key_digest::text, row_digest::text, column_digests::text, path_taken "
                   "FROM parity.range_digests('t', bounds => %s::bytea[], only_ranges => %s, path => %s, workers => %s) ORDER BY 1", (bounds, span, path, workers))
    rows = cursor.fetchall()
    assert {row[-1] for row in rows} == {"blocks" if path == "auto" else path}
    return [row[:-1] for row in rows]


def read_span(connection, bounds, span, before, workers):
    """One span in a transaction of its own. Returns its digests by blocks and by a scan, and the blocks that were read."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        try:
            cursor.execute("SELECT parity_internal.read_by_blocks(%s)", (before,))
            by_blocks = digests(cursor, bounds, span, "auto", workers)
            by_scan = digests(cursor, bounds, span, "scan", 0)
            cursor.execute("SELECT parity_internal.last_blocks()")
            return by_blocks, by_scan, bytes(cursor.fetchone()[0])
        finally:
            cursor.execute("ROLLBACK")


def read_in_spans(connection, rng, bounds, whole=True):
    """The table, each span under a snapshot of its own. Where its index is not whole, a span may miss rows of which only what follows can tell.
    Returns how many rows were in spans, and how many elsewhere."""
    before, rows = b"", 0
    for span in divided(rng, bounds.count("x") + 1):
        by_blocks, by_scan, blocks = read_span(connection, bounds, span, before, rng.choice([0, 0, 1, 2]))
        assert not whole or by_blocks == by_scan
        rows += sum(row[1] for row in by_blocks)
        before += blocks
    with connection.cursor() as cursor:
        cursor.execute("SELECT rows FROM parity_internal.check_other_blocks('t', blocks_read => %s)", (before,))
        return rows, cursor.fetchone()[0]


def fill(database, shape, rng):
    database.execute(SHAPES[shape][0])
    changes = Changes(shape, rng)
    database.execute(f"INSERT INTO t ({changes.columns}, n, v) SELECT k.*, 0, {WIDE} FROM ({changes.keys(0, KEYS - 1)}) k")
    for _ in range(10):
        changes.run(database.connection)
    database.execute("ANALYZE t")
    return changes


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("shape", SHAPES)
def test_spans_are_what_a_scan_says_while_others_write(database, shape):
    rng = random.Random(f"{SEED} {shape}")
    fill(database, shape, rng)
    passes, rows = 0, 0
    with Writers(database, shape, rng, 2) as writers:
        while (passes < 6 or writers.changed < 10) and not writers.failures:
            rows += read_in_spans(database.connection, rng, some_bounds(database, rng))[0]
            passes += 1
    assert rows > KEYS


def insert_behind_the_indexes(database, changes, first, last):
    """Rows that no index lists."""
    leaves = "(SELECT relid FROM pg_partition_tree('t') UNION SELECT 't'::regclass)"
    database.execute(f"UPDATE pg_index SET indisready = false, indisvalid = false WHERE indrelid IN {leaves}")
    insert(database, changes, first, last)
    database.execute(f"UPDATE pg_index SET indisready = true, indisvalid = true WHERE indrelid IN {leaves}")


def reindex(database):
    """PostgreSQL 13 skips a partitioned table."""
    for (leaf,) in database.query("SELECT oid::regclass::text FROM pg_class WHERE relname ~ '^t' AND relkind = 'r' AND relnamespace = 'public'::regnamespace"):
        database.execute(f"REINDEX TABLE {leaf}")


def insert(database, changes, first, last):
    database.execute(f"INSERT INTO t ({changes.columns}, n, v) SELECT k.*, 2, {WIDE} FROM ({changes.keys(first, last)}) k")


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("planted", [False, True], ids=["whole", "lacking"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_index_that_lacks_rows_is_noticed(database, shape, planted):
    rng = random.Random(f"{SEED} {shape}")
    changes = fill(database, shape, rng)
    for _ in range(8):
        first = rng.randrange(KEYS)
        last = first + rng.choice([0, 0, 3, 100])
        database.execute(f"DELETE FROM t WHERE ({changes.columns}) IN ({changes.keys(first, last)})")
        if rng.random() < 0.7:
            database.execute("VACUUM (TRUNCATE off) t")
        bounds = some_bounds(database, rng)
        (insert_behind_the_indexes if planted else insert)(database, changes, first, last)
        if planted:
            with pytest.raises(psycopg2.Error) as caught:
                read_in_spans(database.connection, rng, bounds, whole=False)
            assert caught.value.pgcode == LACKS_ROWS, caught.value
            reindex(database)
        in_spans, elsewhere = read_in_spans(database.connection, rng, bounds)
        assert (in_spans, elsewhere) == (database.value("SELECT count(*) FROM t"), 0)


# As a CREATE INDEX CONCURRENTLY of 14.0 to 14.3 left it: rows 2001 to 2030 are in places that others had, and no index lists them; two were changed since.
AS_LEFT = ["DELETE FROM t WHERE n BETWEEN 2001 AND 2030", "VACUUM t", "UPDATE pg_index SET indisready = {0}, indisvalid = {0} WHERE indexrelid = 't_pkey'::regclass",
           "INSERT INTO t SELECT 'k' || lpad(i::text, 6, '0'), 'body ' || i, i FROM generate_series(2001, 2030) i", "{1}",
           "UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 't_pkey'::regclass", "SET enable_indexscan = off", "SET enable_bitmapscan = off",
           "UPDATE t SET v = 'X' WHERE n = 2010", "UPDATE t SET v = 'Y' WHERE n = 77", "RESET enable_indexscan", "RESET enable_bitmapscan"]
EXTRA = {"none": "SELECT 1", "among others": "INSERT INTO t VALUES ('k000000', 'extra', 5000)", "alone": "INSERT INTO t VALUES ('k999999', repeat('extra', 1500), 5000)"}


@pytest.mark.parametrize("planted", [False, True], ids=["whole", "lacking"])
@pytest.mark.parametrize("extra", EXTRA)
def test_an_index_that_was_made_while_rows_came(database, extra, planted):
    database.execute("CREATE TABLE t (id text COLLATE \"C\" PRIMARY KEY, v text, n int) WITH (autovacuum_enabled = off); ALTER TABLE t ALTER v SET STORAGE PLAIN")
    database.execute("INSERT INTO t SELECT 'k' || lpad(i::text, 6, '0'), 'body ' || i, i FROM generate_series(1, 4000) i")
    for statement in AS_LEFT:
        database.execute(statement.format(str(not planted).lower(), EXTRA[extra]))
    rows = database.value("SELECT count(*) FROM t")
    rng = random.Random(f"{SEED} {extra}")
    for _ in range(5):
        bounds = some_bounds(database, rng)
        if not planted:
            assert read_in_spans(database.connection, rng, bounds) == (rows, 0)
            continue
        with pytest.raises(psycopg2.Error) as caught:
            read_in_spans(database.connection, rng, bounds, whole=False)
        assert caught.value.pgcode == LACKS_ROWS, caught.value
