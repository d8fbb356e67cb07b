"""What might break the module inside the server: changes under an old snapshot, parallel workers that fail, values and arguments that
nobody should send. The answer is an error or the right digests; a crash fails the run when the cluster stops."""

import contextlib
import random
import re
import struct
import threading
from pathlib import Path

import psycopg2
import psycopg2.extensions
import pytest

from support.cluster import Cluster

PARALLEL = ("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;"
            "SET max_parallel_workers_per_gather = 4;")
DIGESTS = "SELECT range_no, row_count, key_digest::text, row_digest::text, column_digests::text FROM parity.range_digests({}) ORDER BY 1"
TOTAL = "SELECT sum(row_count) FROM parity.range_digests({})"
# A quarter of a table's rows by the hash of the key, or of all columns: no index helps to find them.
QUARTERS = r"ARRAY['\x684000000000000000', '\x688000000000000000', '\x68c000000000000000']::bytea[]"
QUARTER = f"SELECT md5(key), row_hash, cell_hashes FROM parity.row_digests('{{}}', bounds => {QUARTERS}, only_ranges => '{{{{{{}}}}}}', workers => {{}})"


@pytest.fixture
def database(source_cluster):
    made = source_cluster.create_database()
    yield made
    source_cluster.drop_database(made)


@pytest.fixture(scope="module")
def filled(source_cluster):
    """A database with the table t, for tests that only read."""
    made = source_cluster.create_database()
    made.execute("CREATE TABLE t (id bigint PRIMARY KEY, n int, s text, d numeric, j jsonb);"
                 "INSERT INTO t SELECT g, g % 100, 'text ' || g, g / 7.0, jsonb_build_object('k', g) FROM generate_series(1, 60000) g; ANALYZE t;"
                 "CREATE TABLE long_rows (v text); INSERT INTO long_rows SELECT repeat(md5(g::text), 5000) FROM generate_series(1, 20) g")
    yield made
    source_cluster.drop_database(made)


def fails_with(code, database, sql, parameters=None):
    with pytest.raises(psycopg2.Error) as caught:
        database.execute(sql, parameters)
    assert caught.value.pgcode == code, caught.value
    return caught.value


# ---- an old snapshot -------------------------------------------------------------------------------------------

PARTITIONED = ("CREATE TABLE t (id int NOT NULL, v int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
               "CREATE TABLE t2 (id int NOT NULL, v int) PARTITION BY RANGE (id); ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (100) TO (300);"
               "CREATE TABLE t21 PARTITION OF t2 FOR VALUES FROM (100) TO (200); CREATE TABLE t3 (id int NOT NULL, v int);"
               "INSERT INTO t SELECT n, n FROM generate_series(1, 199) n; INSERT INTO t3 VALUES (300, 1)")
INHERITED = ("CREATE TABLE t (id int, v int); CREATE TABLE t1 () INHERITS (t); CREATE TABLE t3 (id int, v int); CREATE TABLE t2 () INHERITS (t);"
             "INSERT INTO t SELECT n, n FROM generate_series(1, 199) n; INSERT INTO t1 VALUES (300, 1)")
FAMILY_CHANGES = [
    (PARTITIONED, "ALTER TABLE t DETACH PARTITION t1"),
    (PARTITIONED, "DROP TABLE t1"),
    (PARTITIONED, "DROP TABLE t21"),
    (PARTITIONED, "ALTER TABLE t ATTACH PARTITION t3 FOR VALUES FROM (300) TO (400)"),
    (PARTITIONED, "CREATE TABLE t22 PARTITION OF t2 FOR VALUES FROM (200) TO (300)"),
    (PARTITIONED, "ALTER TABLE t DETACH PARTITION t2; CREATE TABLE t2_new PARTITION OF t FOR VALUES FROM (100) TO (300)"),
    (PARTITIONED, "CLUSTER t21 USING t21_id_idx"),
    (INHERITED, "ALTER TABLE t1 NO INHERIT t"),
    (INHERITED, "DROP TABLE t1"),
    (INHERITED, "ALTER TABLE t3 INHERIT t"),
    (INHERITED, "CREATE TABLE t4 () INHERITS (t2)"),
]
READS = ["parity.range_digests({}, key_columns => '{{id}}', path => 'scan', workers => 1)", "parity.range_digests({}, key_columns => '{{id}}', path => 'aggregate')",
         "parity.row_digests({}, key_columns => '{{id}}')", "parity.slice_digests({}, key_columns => '{{}}')"]


@pytest.mark.parametrize("tables, change", FAMILY_CHANGES)
def test_partitions_and_children_that_come_or_go_under_an_old_snapshot(database, tables, change):
    database.execute(tables)
    database.execute("CREATE VIEW w AS SELECT * FROM t")
    if "CLUSTER" in change:
        database.execute("CREATE INDEX ON t21 (id)")
    reader = database.connect()
    reader.autocommit = False
    with reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        database.execute(change)
        for relation in ("'t'", "'w'"):
            for read in READS:
                if relation == "'w'" and "scan" in read:
                    continue
                cursor.execute("SAVEPOINT s")
                with pytest.raises(psycopg2.errors.SerializationFailure):
                    cursor.execute("SELECT * FROM " + read.format(relation))
                cursor.execute("ROLLBACK TO s")
    reader.close()
    assert database.value(TOTAL.format("'t', key_columns => '{id}'")) == database.value("SELECT count(*) FROM t")


def test_detaching_concurrently_leaves_old_snapshots_whole(database):
    database.execute(PARTITIONED)
    reader = database.connect()
    reader.autocommit = False
    other = database.connect()
    with reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t")
        detaching = threading.Thread(target=lambda: other.cursor().execute("ALTER TABLE t DETACH PARTITION t1 CONCURRENTLY"))
        detaching.start()
        database.cluster.wait_for(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE t DETACH%' AND wait_event_type = 'Lock' AND datname = '{database.name}'")
        cursor.execute(TOTAL.format("'t', key_columns => '{id}'"))
        assert cursor.fetchone()[0] == 199
        assert database.value(TOTAL.format("'t', key_columns => '{id}'")) == 100
        reader.commit()
        detaching.join()
    reader.close()
    other.close()


@pytest.mark.parametrize("call", ["parity.range_digests('w', key_columns => '{id}')", "parity.row_digests('w', key_columns => '{id}')",
                                  "parity.range_digests('p', key_columns => '{id}', filter => 'EXISTS (SELECT FROM t WHERE t.id = 1)')"])
def test_tables_behind_views_and_in_filters_truncated_under_an_old_snapshot(database, call):
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n;"
                     "CREATE VIEW inner_view AS SELECT * FROM t; CREATE VIEW w AS SELECT i.* FROM inner_view i WHERE i.id IN (SELECT id FROM t);"
                     "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p SELECT n FROM generate_series(1, 9) n")
    reader = database.connect()
    reader.autocommit = False
    with reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        database.execute("TRUNCATE t")
        with pytest.raises(psycopg2.errors.SerializationFailure):
            cursor.execute("SELECT * FROM " + call)
    reader.close()
    assert len(database.query("SELECT * FROM " + call)) >= 0


def test_a_load_of_changes_does_not_move_a_snapshot(database):
    """Updates, deletes, vacuums and pruning go on while one snapshot is digested again and again on both paths."""
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v int, s text) WITH (fillfactor = 70); INSERT INTO t SELECT n, n, repeat('x', n % 300) FROM generate_series(1, 20000) n")
    stop = threading.Event()

    def change():
        connection = database.connect()
        with connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("UPDATE t SET v = v + 1 WHERE id % 7 = (random() * 6)::int")
                cursor.execute("DELETE FROM t WHERE id IN (SELECT (random() * 20000)::int FROM generate_series(1, 20))")
                cursor.execute("INSERT INTO t SELECT max(id) + 1, 0, 'new' FROM t")
                cursor.execute("VACUUM t")
        connection.close()

    load = threading.Thread(target=change)
    load.start()
    reader = database.connect()
    reader.autocommit = False
    try:
        with reader.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('t', 10)")
            bounds = cursor.fetchone()[0]
            answers = []
            for arguments in ("path => 'scan', workers => 0", "path => 'scan', workers => 2", "path => 'aggregate'") * 4:
                cursor.execute(DIGESTS.format("'t', bounds => %s, " + arguments), [bounds])
                answers.append(cursor.fetchall())
            cursor.execute("SELECT count(*) FROM parity.row_digests('t')")
            assert cursor.fetchone()[0] == sum(row[1] for row in answers[0])
            assert all(answer == answers[0] for answer in answers)
    finally:
        stop.set()
        load.join()
        reader.close()


STANDBY_SETTINGS = {"hot_standby_feedback": "on", "max_standby_streaming_delay": "-1"}


def test_a_standby_gives_the_digests_of_its_primary(source_cluster, database):
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', n % 3000) FROM generate_series(1, 5000) n; CREATE UNLOGGED TABLE u (id int PRIMARY KEY);"
                     "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE UNLOGGED TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)")
    with Cluster("standby", standby_of=source_cluster, settings=STANDBY_SETTINGS) as standby:
        copy = standby.database(database.name)
        for change in ("SELECT 1", "UPDATE t SET v = id::text WHERE id % 3 = 0", "DELETE FROM t WHERE id % 5 = 0; VACUUM t", "ALTER TABLE t ADD w int DEFAULT 7"):
            for statement in change.split("; "):
                database.execute(statement)
            lsn = database.value("SELECT pg_switch_wal()")  # which flushes, too
            standby.wait_for(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'")
            bounds = database.value("SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('t', 5)")
            assert copy.value("SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('t', 5)") == bounds
            expected = database.query(DIGESTS.format("'t', bounds => %s"), [bounds])
            for how in ("path => 'scan', workers => 0", "path => 'scan', workers => 2", "path => 'aggregate'"):
                assert copy.query(DIGESTS.format("'t', bounds => %s, " + how), [bounds]) == expected
            assert len(copy.query("SELECT key FROM parity.row_digests('t')")) == sum(row[1] for row in expected)
        for relation in ("u", "p"):
            for function in ("range_digests", "row_digests", "split_keys"):
                fails_with("0A000", copy, f"SELECT * FROM parity.{function}('{relation}', key_columns => '{{id}}')")
        copy.close()


# ---- parallel workers ------------------------------------------------------------------------------------------

def no_workers_left(database):
    database.cluster.wait_for("SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'")


@pytest.mark.in_turn("large tables")
@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("settings", ["SET max_parallel_workers = 0", "SET max_parallel_workers = 1", "SET parallel_leader_participation = off",
                                      "SET dynamic_library_path = '/nowhere'", "SET force_parallel_mode = on", "SET jit_above_cost = 0"])
@pytest.mark.repeated(settings=["SET max_parallel_workers = 1", "SET force_parallel_mode = on", "SET jit_above_cost = 0"])
def test_the_digests_do_not_depend_on_how_many_workers_come(filled, settings):
    expected = filled.query(DIGESTS.format("'t', 7, path => 'scan', workers => 0"))
    session = filled.connect()
    with session.cursor() as cursor:
        cursor.execute(PARALLEL + settings)
        for arguments in ("path => 'scan', workers => 4", "path => 'scan'", "path => 'aggregate'", "path => 'aggregate', workers => 1", "path => 'scan', workers => 1000"):
            cursor.execute(DIGESTS.format("'t', 7, " + arguments))
            assert cursor.fetchall() == expected, arguments
        for table in ("t", "long_rows"):
            rows = [filled.query(QUARTER.format(table, number, 0)) for number in range(1, 5)]
            assert sum(map(len, rows)) == filled.value(f"SELECT count(*) FROM {table}")
            for workers in (1, 1000):
                for number in range(1, 5):
                    cursor.execute(QUARTER.format(table, number, workers))
                    assert cursor.fetchall() == rows[number - 1], (table, workers)
    session.close()


def test_a_scan_inside_a_parallel_worker_does_without_workers_of_its_own(filled):
    filled.execute("CREATE FUNCTION mislabelled(int) RETURNS numeric LANGUAGE plpgsql PARALLEL SAFE AS "
                   "'BEGIN RETURN (SELECT sum(row_count) FROM parity.range_digests(''t'', workers => 3)); END'")
    session = filled.connect()
    with session.cursor() as cursor:
        cursor.execute(PARALLEL + "SET parallel_leader_participation = off; SELECT sum(mislabelled(n)) FROM t WHERE id % 20000 = 0")
        assert cursor.fetchone()[0] == 3 * 60000
    session.close()


SLOW = "CREATE TABLE slow (id int PRIMARY KEY, v text); INSERT INTO slow SELECT n, repeat('x', 400) FROM generate_series(1, 200000) n"


@pytest.fixture(scope="module")
def slow(source_cluster):
    made = source_cluster.create_database()
    made.execute(SLOW)
    yield made
    source_cluster.drop_database(made)


RANGES = "SELECT sum(a.row_count) FROM generate_series(1, 200) g, LATERAL parity.range_digests('slow', {}, seed => g, workers => 2, path => '{}') a"
ROWS = ("SELECT sum(a.row_count) FROM generate_series(1, 200) g, LATERAL parity.row_records('slow', seed => g, workers => 2, "
        f"bounds => {QUARTERS}, only_ranges => '{{2}}') a")
MANY = {"scan": RANGES.format(1024, "scan"), "scan of many ranges": RANGES.format(20000, "scan"), "aggregate": RANGES.format(1024, "aggregate"),
        "rows": ROWS}


@pytest.mark.parametrize("path", MANY)
def test_statement_timeout_ends_leader_and_workers(slow, path):
    fails_with("57014", slow, "SET statement_timeout = '300ms'; " + MANY[path])
    slow.execute("SET statement_timeout = 0")
    no_workers_left(slow)
    assert slow.value("SELECT sum(row_count) FROM parity.range_digests('slow', workers => 2)") == 200000


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("function, code", [("pg_cancel_backend", "57014"), ("pg_terminate_backend", "57P01")])
@pytest.mark.parametrize("path", MANY)
def test_a_cancelled_or_killed_worker_is_an_error_and_no_answer(slow, path, function, code):
    slow.execute(PARALLEL)
    outcome = []

    def run():
        try:
            outcome.append(slow.query(MANY[path]))
        except psycopg2.Error as error:
            outcome.append(error)
    query = threading.Thread(target=run)
    query.start()
    # A worker that has done its part and is about to end may be hit without harm: others follow.
    with contextlib.closing(slow.connect()) as other, other.cursor() as cursor:
        while query.is_alive():
            cursor.execute(f"SELECT count({function}(pid)) FROM pg_stat_activity WHERE backend_type = 'parallel worker'")
    assert isinstance(outcome[0], psycopg2.Error) and outcome[0].pgcode in (code, "XX000", "57P01"), outcome
    no_workers_left(slow)
    assert slow.value("SELECT sum(row_count) FROM parity.range_digests('slow', workers => 2)") == 200000


def test_many_results_in_one_query_do_not_add_up_in_memory(database):
    """A result of so many ranges takes some megabytes."""
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n")
    with contextlib.closing(database.connect()) as session, session.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(a.row_count) FROM generate_series(1, 100) g, "
                       "LATERAL parity.range_digests('t', 10000, key_columns => '{}', seed => g, workers => 0) a")
        assert cursor.fetchone() == (1000000, 10000)
        status = Path(f"/proc/{session.info.backend_pid}/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
    assert peak < 150 * 1024, f"{peak} kB"


def test_an_error_inside_a_parallel_scan_can_be_caught(database):
    """A stored numeric that is too short makes whoever reads it fail, worker or leader."""
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v json); INSERT INTO t SELECT n, '{}' FROM generate_series(1, 5000) n;"
                     "INSERT INTO t VALUES (5001, '\"\\u0000\"'); INSERT INTO t SELECT n, '{}' FROM generate_series(5002, 9000) n")
    for workers in (0, 1, 3):
        database.execute(
            "DO $$ BEGIN FOR i IN 1 .. 5 LOOP"
            f" BEGIN PERFORM * FROM parity.range_digests('t', forms => '{{\"v\": \"json\"}}', workers => {workers}); RAISE 'no error';"
            "  EXCEPTION WHEN untranslatable_character THEN NULL; END;"
            " IF (SELECT sum(row_count) FROM parity.range_digests('t', workers => 2)) <> 9000 THEN RAISE 'wrong'; END IF;"
            " END LOOP; END $$")
    no_workers_left(database)


def test_cursors_prepared_statements_and_read_only_transactions(filled):
    expected = filled.query(DIGESTS.format("'t', 5, workers => 0"))
    session = filled.connect()
    session.autocommit = False
    with session.cursor() as cursor:
        cursor.execute("DECLARE c CURSOR WITH HOLD FOR " + DIGESTS.format("'t', 5, workers => 2"))
        session.commit()
        cursor.execute("FETCH 2 FROM c")
        first = cursor.fetchall()
        cursor.execute("FETCH ALL FROM c")
        assert first + cursor.fetchall() == expected
        cursor.execute("CLOSE c; PREPARE p (regclass, int) AS " + DIGESTS.format("$1, $2, workers => 2"))
        for _ in range(7):
            cursor.execute("EXECUTE p ('t', 5)")
            assert cursor.fetchall() == expected
        session.commit()
        cursor.execute("SET TRANSACTION READ ONLY; " + DIGESTS.format("'t', 5, workers => 2"))
        assert cursor.fetchall() == expected
        cursor.execute("SELECT parity.range_digests('t', 5, workers => 2), parity.range_digests('t', 3)")
        assert len(cursor.fetchall()) == 5
    session.rollback()
    session.close()


# ---- shapes of tables ------------------------------------------------------------------------------------------

def both_paths_agree(database, arguments, rows):
    """The digests of all paths, which must be the same, and add up to the rows."""
    database.execute(PARALLEL)
    answers = [database.query(DIGESTS.format(f"{arguments}, {how}"))
               for how in ("path => 'scan', workers => 0", "path => 'scan', workers => 2", "path => 'aggregate'", "path => 'aggregate', workers => 0")]
    assert all(answer == answers[0] for answer in answers)
    assert sum(row[1] for row in answers[0]) == rows
    return answers[0]


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("columns", [98, 99, 100, 101, 300, 1500, 1599])
def test_wide_tables(database, columns):
    names = [f"c{n}" for n in range(columns)]
    database.execute("CREATE TABLE t (id int PRIMARY KEY, " + ", ".join(f"{name} int" for name in names) + ")")
    database.execute(f"INSERT INTO t (id, c0, {names[-1]}) SELECT n, n, n FROM generate_series(1, 2000) n")
    database.execute("INSERT INTO t SELECT 3000 + n FROM generate_series(1, 10) n")
    for width in (64, 128):
        answer = both_paths_agree(database, f"'t', 3, width => {width}", 2010)
        assert answer[0][4].count(":int:") == columns
    assert len(database.query("SELECT * FROM parity.row_digests('t')")) == 2010


def test_tables_without_columns_are_counted(database):
    database.execute("CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; CREATE TABLE u (a int); INSERT INTO u VALUES (1), (2); ALTER TABLE u DROP a")
    for relation, rows in (("t", 1), ("u", 2)):
        for path in ("scan", "aggregate"):
            counted = database.value(f"SELECT sum(row_count) FROM parity.range_digests('{relation}', path => '{path}')")
            assert counted == rows, (relation, path)
        assert database.value(f"SELECT count(*) FROM parity.row_digests('{relation}')") == rows


def test_domains_and_arrays_of_domains_and_enums(database):
    database.execute("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN posint AS int CHECK (value > 0); CREATE DOMAIN small AS posint; CREATE DOMAIN moods AS mood[];"
                     "CREATE DOMAIN ints AS int[]; CREATE TABLE t (id small PRIMARY KEY, a small[], m mood, ms mood[], mm moods, i ints)")
    database.execute("INSERT INTO t SELECT n, ARRAY[n, NULL, n + 1]::small[], 'ok', ARRAY['sad', NULL, 'ok']::mood[], ARRAY['ok']::mood[], '[3:4]={1,2}' FROM generate_series(1, 3000) n")
    domains = both_paths_agree(database, "'t', 4", 3000)
    database.execute("CREATE TABLE plain (id int PRIMARY KEY, a bigint[], m text, ms text[], mm varchar(9)[], i smallint[]); INSERT INTO plain SELECT id, a::int[]::bigint[], m, ms::text[], mm::mood[]::text[], i::smallint[] FROM t")
    bounds = database.value("SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('t', 4)")
    assert database.query(DIGESTS.format("'plain', bounds => %s"), [bounds]) == domains
    assert database.query("SELECT column_name, form FROM parity.forms('t')") == [
        ("id", "int"), ("a", "int[]"), ("m", "text"), ("ms", "text[]"), ("mm", "text[]"), ("i", "int[]")]


def test_deep_documents_and_long_arrays(database):
    database.execute("CREATE TABLE t (id int PRIMARY KEY, j jsonb, a int[], t text[], big text)")
    database.execute("INSERT INTO t SELECT n, (repeat('[', 500 * n) || repeat(']', 500 * n))::jsonb, array_agg(g), array_agg(repeat('x', g % 50)), repeat('y', 2000000)"
                     " FROM generate_series(1, 3) n, generate_series(1, 20000) g GROUP BY n")
    both_paths_agree(database, "'t', 2", 3)
    assert len(database.query("SELECT key FROM parity.row_digests('t', key_columns => '{}')")) == 3
    database.execute("SET max_stack_depth = '100kB'")
    for how in ("path => 'scan', workers => 0", "path => 'scan', workers => 1", "path => 'aggregate'"):
        fails_with("54001", database, f"SELECT * FROM parity.range_digests('t', {how})")


def test_more_key_columns_than_an_index_can_have(database):
    names = [f"c{n}" for n in range(60)]
    database.execute("CREATE TABLE t (" + ", ".join(f"{name} int" for name in names) + ")")
    database.execute("INSERT INTO t SELECT " + ", ".join(["n"] * 60) + " FROM generate_series(1, 20) n")
    key = "{" + ",".join(names) + "}"
    keys = [row[0] for row in database.query(f"SELECT key FROM parity.row_digests('t', key_columns => '{key}')")]
    chosen = [bytes(k) for k in keys[3:7]]
    found = database.query(f"SELECT key FROM parity.row_digests('t', key_columns => '{key}', keys => %s)", [chosen])
    assert [bytes(row[0]) for row in found] == chosen
    both_paths_agree(database, f"'t', key_columns => '{key}'", 20)


KEY_TYPES = {
    "smallint": "(n - 50)::smallint", "int": "n - 50", "bigint": "n * 10000000000 - 5", "oid": "(4294967295 - n)::oid", "numeric": "(n - 50) / 7.0", "real": "((n - 50) / 7.0)::real",
    "double precision": "(n - 50) / 7.0", "text": "chr(300 + n % 60) || n", "varchar(20)": "'v' || n", "text COLLATE \"C\"": "chr(300 + n % 60) || n", "char(9)": "'c' || n", "name": "'n' || n",
    "bytea": "decode(md5(n::text), 'hex')", "uuid": "md5(n::text)::uuid", "date": "date '2000-01-10' - n", "time": "time '00:00' + n * interval '1 minute'", "timetz": "('00:' || n % 60 || ':00+0' || n % 9)::timetz",
    "timestamp": "timestamp '2000-01-01' + n * interval '1 day'", "timestamptz": "timestamptz '2000-01-01+00' - n * interval '1 day'", "interval": "n * interval '1 hour'", "boolean": "n % 2 = 0", "jsonb": "to_jsonb(n)", "int[]": "ARRAY[n, n]",
}
SPECIAL = {"numeric": ["'NaN'", "'Infinity'", "'-Infinity'", "0"], "real": ["'NaN'", "'Infinity'", "'-Infinity'", "'-0'"], "double precision": ["'NaN'", "'Infinity'", "'-0'"], "date": ["'infinity'", "'-infinity'"],
           "timestamp": ["'infinity'", "'-infinity'"], "timestamptz": ["'infinity'", "'-infinity'"], "text": ["''", "'NULL'"], "bytea": ["''"], "time": ["'24:00'"], "smallint": ["32767", "-32768"]}


@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_rows_by_range_and_by_key_are_all_there(scratch, key_type, nullable):
    """However they are read, through the index or past it: every row is in exactly one range, and can be asked for by its key."""
    database = scratch.source
    constraint = "UNIQUE" if key_type not in ("boolean",) else ""
    not_null = "" if nullable else "NOT NULL"
    database.execute(f"CREATE TABLE t (k {key_type} {not_null} {constraint}, v int); INSERT INTO t SELECT {KEY_TYPES[key_type]}, n FROM generate_series(1, 400) n ON CONFLICT DO NOTHING")
    for value in SPECIAL.get(key_type, []):
        database.execute(f"INSERT INTO t VALUES ({value}, 1000) ON CONFLICT DO NOTHING")
    if nullable:
        database.execute("INSERT INTO t VALUES (NULL, 1), (NULL, 2)")
    rows = database.query("SELECT key, row_hash FROM parity.row_digests('t', key_columns => '{k}')")
    assert len(rows) == database.value("SELECT count(*) FROM t")
    bounds = database.value("SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('t', 30, key_columns => '{k}')")
    found = []
    digests = database.query(DIGESTS.format("'t', bounds => %s, key_columns => '{k}'"), [bounds])
    for number in range(1, len(bounds) + 2):
        part = database.query("SELECT key, row_hash FROM parity.row_digests('t', key_columns => '{k}', bounds => %s, only_ranges => %s)", [bounds, [number]])
        assert len(part) == digests[number - 1][1]
        found += part
    edges = [1, len(bounds) // 2, len(bounds) + 1]
    several = database.query("SELECT count(*) FROM parity.row_digests('t', key_columns => '{k}', bounds => %s, only_ranges => %s)", [bounds, edges])
    assert several[0][0] == sum(digests[n - 1][1] for n in edges)
    assert sorted((bytes(k), bytes(h)) for k, h in found) == sorted((bytes(k), bytes(h)) for k, h in rows)
    keys = [bytes(row[0]) for row in rows]
    for chosen in (keys[:1], keys[-3:], keys[::40]):
        answer = database.query("SELECT key FROM parity.row_digests('t', key_columns => '{k}', keys => %s)", [chosen])
        assert {bytes(row[0]) for row in answer} == set(chosen)


def test_null_keys_of_a_child_are_found(database):
    """A child may have NULLs where its parent may not: its rows must not be lost on the way through an index."""
    database.execute("CREATE TABLE t (id int, v int); CREATE TABLE child () INHERITS (t); CREATE INDEX ON t (id); CREATE INDEX ON child (id);"
                     "ALTER TABLE ONLY t ALTER id SET NOT NULL; ALTER TABLE child ALTER id DROP NOT NULL;"
                     "INSERT INTO t SELECT n, n FROM generate_series(1, 1000) n; INSERT INTO child VALUES (NULL, 1), (2000, 2)")
    bounds = database.value("SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('t', 50, key_columns => '{id}')")
    last = database.query("SELECT key_text FROM parity.row_digests('t', lower_bound => %s, key_columns => '{id}')", [bounds[-1]])
    assert ("NULL",) in last and ("2000",) in last


@pytest.mark.parametrize("level", ["leaf", *(pytest.param(level, marks=pytest.mark.repeated) for level in ("inner", "meta"))])
def test_bounds_are_not_read_from_pages_that_are_no_btree_pages(level):
    """A page of zeros, as a crash may leave it, and one of another relation."""
    with Cluster("damaged") as cluster:
        database = cluster.create_database()
        database.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', 50) FROM generate_series(1, 200000) n; CHECKPOINT")
        root = {"meta": 0, "leaf": 1, "inner": 3}[level]
        index, heap = (f"{cluster.data_directory}/{database.value(f'SELECT pg_relation_filepath({name!r})')}" for name in ("t_pkey", "t"))
        expected = database.query("SELECT * FROM parity.split_keys('t', 64)")
        database.close()
        for damage in (bytes(8192), open(heap, "rb").read(8192)):
            cluster.stop()
            with open(index, "r+b") as file:
                file.seek(root * 8192)
                good = file.read(8192)
                file.seek(root * 8192)
                file.write(damage)
            cluster.start()
            ranges = 5000 if level == "leaf" else 64
            fails_with("XX002", database, f"SELECT * FROM parity.split_keys('t', {ranges})")
            digests = "SELECT sum(row_count) FROM parity.range_digests('t', bounds => '{}')"
            if level == "meta":  # the server plans no query of the table: it looks there for the index's height
                fails_with("XX002", database, digests)
                fails_with("XX002", database, "SELECT count(*) FROM t WHERE id = 7")
            else:
                assert database.value(digests) == 200000
            database.close()
            cluster.stop()
            with open(index, "r+b") as file:
                file.seek(root * 8192)
                file.write(good)
            cluster.start()
        assert database.query("SELECT * FROM parity.split_keys('t', 64)") == expected
        database.close()


# ---- arguments that nobody should send -------------------------------------------------------------------------

def packed(key_forms, column_forms, bounds=(), kept=b"", wide=0, seed=0, asked=None, buckets=1, kept_buckets=()):
    """A specification as range_digests() hands it to its aggregate; `asked` is the form that readers are made for, if another one."""
    head = struct.pack("<IIIIQIIII", 0x50475032, wide, buckets, len(kept_buckets), seed, len(key_forms), len(column_forms), len(bounds), len(kept))
    names = {2: b"int", 5: b"text", 65: b"row"}
    forms = [names.get(code, b"nope") for code in [*key_forms, *column_forms]]
    inputs = [part for form in forms for part in (form if asked is None else asked, b"a column")]

    def counted(parts):
        return b"".join(struct.pack("<I", len(part)) + part for part in parts)
    return head + counted(forms) + counted(inputs) + kept + struct.pack(f"<{len(kept_buckets)}Q", *kept_buckets) + counted(bounds)


AGGREGATE = "SELECT parity_internal.range_digest_agg(%s, g, g::text) FROM generate_series(1, 20) g"


def test_only_whole_specifications_are_taken(filled):
    bounds = [b"k\1" + struct.pack("<q", n) for n in (5, 10)]
    good = packed([2], [5], bounds, b"\1\0\1")
    assert len(filled.value(AGGREGATE, [good])) == 3 * 4 * 8
    assert len(filled.value(AGGREGATE, [packed([2], [5], bounds, b"\1\0\1", buckets=4, kept_buckets=(1, 0, 2))])) == 3 * (4 + 4) * 8
    for bad in ({"buckets": 0}, {"buckets": 3}, {"buckets": 128}, {"buckets": 2, "kept_buckets": (1, 0)}, {"buckets": 2, "kept_buckets": (1, 0, 1, 1)}):
        fails_with("22023", filled, AGGREGATE, [packed([2], [5], bounds, b"\1\0\1", **bad)])
    for bad in (b"", good[:-1], good + b"\0", packed([2], [5], bounds[::-1]), packed([2], [5], [b"k"]), packed([2], [5], [b"x\0"]), packed([2], [5], bounds, b"\1"),
                packed([], [2, 5], bounds), packed([2], [99]), packed([2], [5], wide=2)):
        fails_with("22023", filled, AGGREGATE, [bad])
    fails_with("22023", filled, AGGREGATE, [packed([2], [5, 5])])
    fails_with("22023", filled, AGGREGATE, [packed([5], [5], asked=b"int")])
    fails_with("0A000", filled, AGGREGATE, [packed([2], [65])])
    fails_with("0A000", filled, AGGREGATE, [packed([5], [2])])
    fails_with("22004", filled, AGGREGATE, [None])
    huge = packed([2], [5], [b"h" + struct.pack(">Q", n) for n in range(10000)])
    fails_with("54000", filled, "SET parity.max_digest_memory = '64kB'; " + AGGREGATE, [huge])
    many = packed([2], [5], [b"h" + struct.pack(">Q", n) for n in range(500)], buckets=64)
    fails_with("54000", filled, "SET parity.max_digest_memory = '64kB'; " + AGGREGATE, [many])
    filled.execute("RESET parity.max_digest_memory")


def test_damaged_specifications_never_crash(filled):
    chance = random.Random(20260101)
    good = packed([2], [5], [b"k\1" + struct.pack("<q", n) for n in (5, 10, 15)], b"\1\0\1\1", buckets=2, kept_buckets=(1, 2, 3, 0))
    for _ in range(1500):
        damaged = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 2, 127, 128, 255, chance.randrange(256)))
        try:
            filled.value(AGGREGATE, [bytes(damaged)])
        except psycopg2.Error as error:
            assert error.pgcode in ("22023", "0A000", "54000"), (bytes(damaged).hex(), error)


def test_damaged_bounds_never_crash(database):
    database.execute("CREATE TABLE t (a numeric, b text, c int[], d jsonb, e float8, f timestamptz, g interval, h timetz, i uuid, j date, k bytea); INSERT INTO t (a) VALUES (1)")
    database.execute("SET statement_timeout = '20s'")
    chance = random.Random(7)
    columns = ["{a,b,c,d}", "{a}", "{c}", "{d}", "{e,f,g}", "{h,i,j}", "{k,a}", "{j}"]
    for _ in range(1200):
        bound = b"k" + b"".join(
            b"\1" + (struct.pack("<I", chance.randrange(12)) if chance.random() < 0.6 else b"") + chance.randbytes(chance.randrange(17)) for _ in range(chance.randrange(1, 4)))
        if chance.random() < 0.3:
            bound = b"k\1" + struct.pack("<I", 4 + 8 * 3 + 5) + struct.pack("<I", 3) + b"".join(struct.pack("<Ii", chance.choice((0, 1, 2, 2**32 - 1)), chance.choice((1, -2**31))) for _ in range(3)) + b"\0" * 5
        for function in ("range_digests('t', bounds => ARRAY[%s::bytea], ", "row_digests('t', upper_bound => %s, "):
            try:
                database.query(f"SELECT * FROM parity.{function}key_columns => '{chance.choice(columns)}')", [bound])
            except psycopg2.Error as error:
                assert error.pgcode == "22023", (bound.hex(), error)


def test_damaged_keys_are_not_found(database):
    database.execute("CREATE TABLE t (a int, b text, c numeric, PRIMARY KEY (a, b, c)); INSERT INTO t SELECT n, n::text, n FROM generate_series(1, 100) n; ANALYZE t")
    key = bytes(database.value("SELECT key FROM parity.row_digests('t') LIMIT 1"))
    chance = random.Random(8)
    for _ in range(500):
        damaged = bytearray(key)
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        damaged = bytes(damaged[:chance.choice((len(key), chance.randrange(len(key))))])
        rows = database.query("SELECT key FROM parity.row_digests('t', keys => ARRAY[%s, %s]::bytea[])", [key, damaged])
        assert key in [bytes(row[0]) for row in rows] and len(rows) <= 2


@pytest.mark.parametrize("call", [
    "parity_internal.digest_agg_transition(NULL, '{}', 1)", "parity_internal.range_digest_agg_transition(NULL, '\\x00', 1)", "parity_internal.digest_agg_combine(NULL, NULL)",
    "parity_internal.digest_agg_serialize(NULL)", "parity_internal.digest_agg_deserialize('\\x00', NULL)", "parity_internal.digest_agg_final(NULL)", "parity_internal.range_digest_agg_final(NULL)",
    "parity_internal.digest_agg_final(parity_internal.digest_agg_transition(NULL, '{}', 1))", "parity_internal.digest_agg_deserialize('\\x00000000', parity_internal.digest_agg_transition(NULL, '{}', 1))",
    "parity_internal.digest_recv(NULL)"])
def test_the_parts_of_the_aggregates_cannot_be_called_alone(filled, call):
    try:
        assert filled.value("SELECT " + call) is None
    except psycopg2.Error as error:
        assert error.pgcode in ("XX000", "0A000", "42883"), error


def test_every_record_of_an_aggregate_has_the_same_columns(filled):
    sql = "SELECT parity_internal.range_digest_agg(%s, CASE WHEN g < 3 THEN {} ELSE {} END) FROM generate_series(1, 5) g"
    assert filled.value(sql.format("ROW(g, 'a'::text)", "ROW(g + 1, 'b'::text)"), [packed([2], [5])])
    fails_with("42804", filled, sql.format("ROW(g, 'a'::text)", "ROW('a'::text, g)"), [packed([2], [5])])
    fails_with("22004", filled, sql.format("ROW(g, 'a'::text)", "NULL"), [packed([2], [5])])
    fails_with("22004", filled, sql.format("NULL", "ROW(g, 'a'::text)"), [packed([2], [5])])
    fails_with("22023", filled, sql.format("ROW(g)", "ROW(g, 1)"), [packed([2], [5])])


def test_options_of_an_aggregate_are_the_same_for_all_rows(filled):
    sql = "SELECT parity.digest_agg({}, id, n) FROM t"
    constant = filled.value(sql.format("'{\"seed\": 5}'"))
    assert filled.value(sql.format("(SELECT '{\"seed\": 5}'::jsonb)")) == constant
    session = filled.connect()
    with session.cursor() as cursor:
        for settings in ("", PARALLEL):
            cursor.execute(settings + "SELECT 1")
            for options in ("jsonb_build_object('seed', id % 2)", "jsonb_build_object('forms', jsonb_build_array(CASE WHEN id < 30000 THEN 'int' ELSE 'decimal' END, NULL))",
                            "CASE WHEN id < 59999 THEN jsonb '{}' END"):
                with pytest.raises(psycopg2.Error) as caught:
                    cursor.execute(sql.format(options))
                assert caught.value.pgcode in ("22023", "22004")
    session.close()
