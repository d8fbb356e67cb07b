"""Spans of keys whose index or table is broken on disk, and those of a standby: what is there is read as a scan reads it, rows that the index lacks
are noticed, broken pages are an error, and no server crashes."""

import os
import random
import struct
import threading

import psycopg2
import pytest

from support.cluster import Cluster
from support.random_values import SEED

PAGE = 8192
LACKS_ROWS, BROKEN_INDEX, BROKEN_PAGE = "PP004", "XX002", "XX001"
ROWS = 30000
# Fields of the end of a B-tree's page: neighbours, level, flags, cycle.
END = struct.Struct("<IIIHH")
LEAF, HALF_DEAD, INCOMPLETE_SPLIT = 1, 16, 128


class Pages:
    """The pages of a file, to be changed in it."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.bytes = bytearray(file.read())

    def __len__(self):
        return len(self.bytes) // PAGE

    def page(self, number):
        return self.bytes[number * PAGE:(number + 1) * PAGE]

    def put(self, number, page):
        self.bytes[number * PAGE:(number + 1) * PAGE] = page

    def end(self, number):
        return END.unpack_from(self.bytes, (number + 1) * PAGE - END.size)

    def set_end(self, number, **changes):
        fields = dict(zip(("previous", "next", "level", "flags", "cycle"), self.end(number)))
        END.pack_into(self.bytes, (number + 1) * PAGE - END.size, *{**fields, **changes}.values())

    def write(self):
        with open(self.path, "wb") as file:
            file.write(self.bytes)


def middle_leaf(index):
    """A leaf in the midst of the others."""
    leaves = [number for number in range(1, len(index)) if index.end(number)[3] == LEAF and index.end(number)[0] and index.end(number)[1]]
    return leaves[len(leaves) // 2]


def zero(index, heap):
    index.put(middle_leaf(index), bytes(PAGE))


def put_random_bytes(index, heap):
    index.put(middle_leaf(index), random.Random(SEED).randbytes(PAGE))


def put_page_of_table(index, heap):
    index.put(middle_leaf(index), heap.page(0))


def put_inner_page(index, heap):
    inner = next(number for number in range(1, len(index)) if index.end(number)[2] == 1)
    index.put(middle_leaf(index), index.page(inner))


def break_line_pointers(index, heap):
    """All but the first, which the search for the page looks at: behind the page's end."""
    leaf = middle_leaf(index)
    page = index.page(leaf)
    for at in range(24 + 4 * 2, struct.unpack_from("<H", page, 12)[0], 4):
        struct.pack_into("<I", page, at, 8184 | 1 << 15 | 4000 << 17)
    index.put(leaf, page)


def make_circle(index, heap):
    leaf = middle_leaf(index)
    index.set_end(leaf, next=index.end(leaf)[0])


def lead_behind_the_end(index, heap):
    index.set_end(middle_leaf(index), next=len(index) + 100)


def make_half_dead(index, heap):
    index.set_end(middle_leaf(index), flags=LEAF | HALF_DEAD)


def leave_split_incomplete(index, heap):
    index.set_end(middle_leaf(index), flags=LEAF | INCOMPLETE_SPLIT)


def cut_table(index, heap):
    del heap.bytes[-5 * PAGE:]


def change_nothing(index, heap):
    pass


# How a table's files are damaged, and what reading it in spans then ends in: nothing where all rows are read.
DAMAGES = {
    change_nothing: None, leave_split_incomplete: None, zero: BROKEN_INDEX, put_random_bytes: BROKEN_PAGE, put_page_of_table: BROKEN_INDEX, put_inner_page: BROKEN_INDEX,
    break_line_pointers: BROKEN_INDEX, make_circle: BROKEN_INDEX, lead_behind_the_end: BROKEN_PAGE, make_half_dead: LACKS_ROWS, cut_table: BROKEN_INDEX,
}


@pytest.fixture(scope="module")
def damaged():
    """A database with a table for each damage, named as that, whose files have it."""
    with Cluster("broken") as cluster:
        database = cluster.create_database()
        for damage in DAMAGES:
            table = damage.__name__
            database.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = off); INSERT INTO {table} SELECT i, md5(i::text) FROM generate_series(1, {ROWS}) i;")
        database.execute("VACUUM")
        database.execute("CHECKPOINT")
        files = {damage: [os.path.join(cluster.data_directory, database.value("SELECT pg_relation_filepath(%s)", [name])) for name in (f"{damage.__name__}_pkey", damage.__name__)]
                 for damage in DAMAGES}
        database.close()
        cluster.stop()
        for damage, (index_file, heap_file) in files.items():
            index, heap = Pages(index_file), Pages(heap_file)
            damage(index, heap)
            index.write()
            heap.write()
        cluster.start()
        yield cluster.database(database.name)


def read_all(connection, table, *, spans, workers, ranges=20):
    """How many rows are in spans of a table, and how many elsewhere."""
    before, rows = b"", 0
    with connection.cursor() as cursor:
        bounds = [b"k\x01" + struct.pack("<q", ROWS * i // ranges) for i in range(1, ranges)]
        for span in range(spans):
            numbers = list(range(ranges * span // spans + 1, ranges * (span + 1) // spans + 1))
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            try:
                cursor.execute("SELECT parity_internal.read_by_blocks(%s)", (before,))
                cursor.execute("SELECT sum(n)::int, min(path_taken) FROM (SELECT unnest(row_counts), path_taken FROM parity.range_totals(%s, bounds => %s, only_ranges => %s, workers => %s)) r (n, path_taken)",
                               (table, bounds, numbers, workers))
                count, path = cursor.fetchone()
                assert path == "blocks"
                rows += count
                cursor.execute("SELECT parity_internal.last_blocks()")
                before += bytes(cursor.fetchone()[0])
            finally:
                cursor.execute("ROLLBACK")
        cursor.execute("SELECT rows FROM parity_internal.check_other_blocks(%s, blocks_read => %s)", (table, before))
        return rows, cursor.fetchone()[0]


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("spans", [1, 5])
@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.__name__ for damage in DAMAGES])
def test_files_that_are_broken(damaged, damage, spans, workers):
    if DAMAGES[damage] is None:
        assert read_all(damaged.connection, damage.__name__, spans=spans, workers=workers) == (ROWS, 0)
        return
    with pytest.raises(psycopg2.Error) as caught:
        read_all(damaged.connection, damage.__name__, spans=spans, workers=workers)
    assert caught.value.pgcode == DAMAGES[damage], caught.value
    assert damaged.value("SELECT 1") == 1


# ---- standbys ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standby(source_cluster):
    with Cluster("standby", standby_of=source_cluster, settings={"hot_standby_feedback": "on", "max_standby_streaming_delay": "10min"}) as cluster:
        yield cluster


@pytest.fixture
def database(source_cluster):
    made = source_cluster.create_database()
    yield made
    source_cluster.drop_database(made)


MAKE = "CREATE TABLE t (id int PRIMARY KEY, v text) WITH (fillfactor = 80); INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, %d) i" % ROWS


def compare_with_scan(connection, rng):
    """A span of a standby's table by blocks and by a scan, under the same snapshot."""
    bounds = [b"k\x01" + struct.pack("<q", ROWS * i // 20) for i in range(1, 20)]
    first = rng.randrange(1, 21)
    numbers = list(range(first, rng.randrange(first, 21) + 1))
    said = []
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT parity_internal.read_by_blocks()")
        for path in "auto", "scan":
            cursor.execute("SELECT range_no, row_count, key_digest::text, row_digest::text, path_taken FROM parity.range_digests('t', bounds => %s, only_ranges => %s, path => %s, workers => %s) ORDER BY 1",
                           (bounds, numbers, path, rng.choice([0, 1])))
            said.append(cursor.fetchall())
        cursor.execute("ROLLBACK")
        assert {row[-1] for row in said[0]} == {"blocks"}
        cursor.execute("SELECT rows FROM parity_internal.check_other_blocks('t')")
        assert cursor.fetchone()[0] > 0
    assert [row[:-1] for row in said[0]] == [row[:-1] for row in said[1]]


def test_a_standby_that_replays_meanwhile(source_cluster, standby, database):
    database.execute(MAKE)
    standby.catch_up()
    copy = standby.database(database.name)
    rng = random.Random(SEED)
    stopped, failures = threading.Event(), []

    def write(connection):
        try:
            with connection.cursor() as cursor:
                while not stopped.is_set():
                    first = rng.randrange(ROWS)
                    cursor.execute(f"UPDATE t SET v = v WHERE id BETWEEN {first} AND {first + 300}")
                    cursor.execute(f"DELETE FROM t WHERE id BETWEEN {first} AND {first + 100}")
                    cursor.execute(f"SELECT count(*) FROM t WHERE id BETWEEN {first} AND {first + 300}")  # marks items of the index as dead
                    cursor.execute(f"INSERT INTO t SELECT i, md5('new' || i) FROM generate_series({first}, {first + 100}) i ON CONFLICT DO NOTHING")
                    cursor.execute("VACUUM (TRUNCATE off) t")
        except Exception as failure:  # noqa: BLE001 - told by the test's own thread
            failures.append(failure)

    thread = threading.Thread(target=write, args=(database.connect(),))
    thread.start()
    try:
        for _ in range(12):
            compare_with_scan(copy.connection, rng)
    finally:
        stopped.set()
        thread.join()
        copy.close()
    assert not failures, failures


@pytest.mark.parametrize("planted", [False, True], ids=["whole", "lacking"])
def test_a_standby_whose_index_lacks_a_row(source_cluster, standby, database, planted):
    database.execute(MAKE)
    database.execute("DELETE FROM t WHERE id = 15000")
    database.execute("VACUUM (TRUNCATE off) t")
    off, on = [f"UPDATE pg_index SET indisready = {value}, indisvalid = {value} WHERE indrelid = 't'::regclass" for value in ("false", "true")]
    if planted:
        database.execute(off)
    database.execute("INSERT INTO t VALUES (15000, 'planted')")
    database.execute(on)
    standby.catch_up()
    copy = standby.database(database.name)
    try:
        for spans in 1, 4:
            if planted:
                with pytest.raises(psycopg2.Error) as caught:
                    read_all(copy.connection, "t", spans=spans, workers=1)
                assert caught.value.pgcode == LACKS_ROWS, caught.value
            else:
                assert read_all(copy.connection, "t", spans=spans, workers=1) == (ROWS, 0)
        assert copy.value("SELECT parity_internal.why_not_by_blocks('t')") is None
    finally:
        copy.close()
