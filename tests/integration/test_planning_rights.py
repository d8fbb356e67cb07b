"""Planning evaluates functions of a table's owner. Reading pages must not do it with the caller's rights."""

import contextlib
import threading
import time

import psycopg2
import pytest

from support.standin import install_standin

OWNERS = """
DO $$ BEGIN CREATE ROLE mallory LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE eve LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE onlooker LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE SCHEMA pub; GRANT ALL ON SCHEMA pub TO mallory, eve; GRANT USAGE ON SCHEMA pub TO onlooker;
GRANT USAGE ON SCHEMA parity TO PUBLIC;
CREATE FUNCTION pub.told(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    RAISE LOG 'planned code ran as % in %', current_user, current_database(); RETURN n; END $$;
ALTER FUNCTION pub.told OWNER TO mallory;
CREATE FUNCTION pub.told(n int, m int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT pub.told(n) = m';
ALTER FUNCTION pub.told(int, int) OWNER TO mallory;
CREATE FUNCTION pub.spelled(n int, m int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    RAISE LOG 'planned code ran as % in %', current_user, current_database(); RETURN n = m; END $$;
ALTER FUNCTION pub.spelled OWNER TO mallory;
CREATE OPERATOR pub.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = pub.spelled);
CREATE TYPE pub.pair AS (a int, b int); ALTER TYPE pub.pair OWNER TO mallory;
CREATE FUNCTION pub.paired(n int) RETURNS pub.pair LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    RAISE LOG 'planned code ran as % in %', current_user, current_database(); RETURN (n, n); END $$;
ALTER FUNCTION pub.paired OWNER TO mallory;
CREATE CAST (int AS pub.pair) WITH FUNCTION pub.paired(int);
SET ROLE mallory
"""
TABLE = "CREATE TABLE pub.t (id int PRIMARY KEY, v text); INSERT INTO pub.t SELECT g, 'x' FROM generate_series(1, 3000) g;"
# What the planner evaluates for a plain SELECT, so that the twin shows that it would.
FOLDED = {
    "index expression": TABLE + "CREATE INDEX ON pub.t ((pub.told(11) + id))",
    "index predicate": TABLE + "CREATE INDEX ON pub.t (v) WHERE pub.told(22) = 22",
    "unique index": "CREATE TABLE pub.t (id int NOT NULL, v text); INSERT INTO pub.t SELECT g, 'x' FROM generate_series(1, 3000) g;"
                    "CREATE UNIQUE INDEX ON pub.t (id) WHERE pub.told(23) = 23; CREATE UNIQUE INDEX ON pub.t (id)",
    "inlined": TABLE + "CREATE INDEX ON pub.t (v) WHERE pub.told(44, 44)",
    "operator": TABLE + "CREATE INDEX ON pub.t (v) WHERE 5 OPERATOR(pub.===) 5",
    "cast": TABLE + "CREATE INDEX ON pub.t (((7::pub.pair).a + id))",
    "partition key": "CREATE TABLE pub.t (id int NOT NULL, v text) PARTITION BY RANGE ((id + pub.told(55)));"
                     "CREATE TABLE pub.t1 PARTITION OF pub.t DEFAULT; INSERT INTO pub.t SELECT g, 'x' FROM generate_series(1, 3000) g",
    "partition's index": "CREATE TABLE pub.t (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);"
                         "CREATE TABLE pub.t1 PARTITION OF pub.t DEFAULT; INSERT INTO pub.t SELECT g, 'x' FROM generate_series(1, 3000) g;"
                         "CREATE INDEX ON pub.t1 ((pub.told(66) + id)); RESET ROLE; ALTER TABLE pub.t OWNER TO postgres",
    "statistics": TABLE + "CREATE STATISTICS pub.st ON (pub.told(77) + id), v FROM pub.t",
}
# Evaluated only for queries with conditions.
CHECKED = "CREATE TABLE pub.t (id int, v text); CREATE TABLE pub.c (CHECK (pub.told(33) = 33)) INHERITS (pub.t);" \
          "INSERT INTO pub.c SELECT g, 'x' FROM generate_series(1, 3000) g"

CALLS = {
    "range_digests": "SELECT count(*) FROM parity.range_digests('pub.t', ranges => 4)",
    "range_totals": "SELECT count(*) FROM parity.range_totals('pub.t', ranges => 4)",
    "slice_digests": "SELECT count(*) FROM parity.slice_digests('pub.t', ranges => 4)",
    "buckets": "BEGIN; SELECT count(*) FROM parity.range_totals('pub.t', ranges => 4, buckets => 8); SELECT count(*) FROM parity.last_buckets(); COMMIT",
    "split_keys": "SELECT count(*) FROM parity.split_keys('pub.t', 5)",
    "row_digests": "SELECT count(*) FROM parity.row_digests('pub.t')",
    "values": "SELECT count(*) FROM parity.row_digests('pub.t', with_values => true)",
    "by key": "SELECT count(*) FROM parity.row_digests('pub.t', keys => ARRAY['\\x0105000000'::bytea, '\\x0105000001'::bytea], columns => '{v}', key_columns => '{id}')",
    "few ranges": "SELECT count(*) FROM parity.row_digests('pub.t', bounds => (SELECT array_agg(bound ORDER BY bound_no) FROM "
                  "parity.split_keys('pub.t', 8)), only_ranges => '{2}', with_values => true)",
    "row_records": "SELECT count(*) FROM parity.row_records('pub.t')",
    "own rows": "SELECT count(*) FROM parity.range_digests('pub.t', ranges => 4, without_children => true)",
    "own slice_digests": "SELECT count(*) FROM parity.slice_digests('pub.t', ranges => 4, without_children => true)",
    "own split_keys": "SELECT count(*) FROM parity.split_keys('pub.t', 5, without_children => true)",
    "own row_digests": "SELECT count(*) FROM parity.row_digests('pub.t', without_children => true)",
    "own row_records": "SELECT count(*) FROM parity.row_records('pub.t', without_children => true)",
    "key": "SELECT parity.key('pub.t')",
    "forms": "SELECT count(*) FROM parity.forms('pub.t')",
}
VERSIONS = {
    "row_versions": "SELECT count(*) FROM parity.row_versions('pub.t', ARRAY['\\x0105000000'::bytea], key_columns => '{id}')",
    "fresh_rows": "SELECT count(*) FROM parity.fresh_rows('pub.t', pg_current_xact_id())",
}


def ran_as(database, act):
    """The roles as which planned code ran meanwhile."""
    marker = f"in {database.name}\n"
    before = database.cluster.log().count(marker)
    act()
    lines = [line for line in (database.cluster.log() + "\n").splitlines(keepends=True) if line.endswith(marker)]
    return {line.split("ran as ")[1].split()[0] for line in lines[before:]}


@pytest.fixture
def database(pair):
    yield pair.source


def fresh(database, sql, user="postgres"):
    """In a session of its own, whose caches hold nothing that was evaluated before."""
    with database.connect(user=user) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
    connection.close()


@pytest.mark.matrix(sample=3)
@pytest.mark.since(14, kind="statistics")
@pytest.mark.parametrize("kind", FOLDED)
def test_no_code_of_an_owner_runs_as_the_caller(database, kind):
    database.execute(OWNERS)
    database.execute(FOLDED[kind])
    database.execute("RESET ROLE")
    assert "postgres" in ran_as(database, lambda: fresh(database, "EXPLAIN SELECT * FROM pub.t")), "the planner evaluates nothing of it"
    for name, sql in {**CALLS, **VERSIONS}.items():
        assert ran_as(database, lambda sql=sql: fresh(database, sql)) <= {"mallory"}, name
    for own in ("false", "true"):
        assert database.query(f"SELECT DISTINCT path_taken FROM parity.range_digests('pub.t', without_children => {own})") == [("scan",)]


def make_unfound(database, table):
    """Code that is not looked for, in an index of the table."""
    database.execute(OWNERS)
    database.execute("RESET ROLE; CREATE FUNCTION pg_catalog.told_by_server(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN "
                     "RAISE LOG 'planned code ran as % in %', current_user, current_database();"
                     "IF current_setting('pub.wait', true) = 'on' THEN PERFORM pg_advisory_lock_shared(77); END IF; RETURN n; END $$; SET ROLE mallory;"
                     + table + "CREATE INDEX ON pub.t ((told_by_server(11) + 0 * length(v))); RESET ROLE; GRANT SELECT ON pub.t TO onlooker;"
                     "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA parity TO onlooker")


def test_superusers_lend_no_rights_where_no_code_was_found(database):
    """What was not found may be there when the planner looks, as an index that was made in between. Here it is a function of the server."""
    make_unfound(database, TABLE)
    assert ran_as(database, lambda: fresh(database, CALLS["range_digests"])) == {"mallory"}
    assert ran_as(database, lambda: fresh(database, CALLS["range_digests"], user="onlooker")) == {"onlooker"}
    database.execute("ALTER TABLE pub.t OWNER TO postgres")
    assert ran_as(database, lambda: fresh(database, CALLS["range_digests"])) == {"postgres"}


@contextlib.contextmanager
def while_planned(database, statement):
    """Runs a statement when the planner has looked at the table once: it waits for that in whatever session is told to wait."""
    with contextlib.closing(database.connect()) as watcher, watcher.cursor() as watching:
        watcher.autocommit = True
        watching.execute("SELECT pg_advisory_lock(77)")

        def run():
            for _ in range(3000):
                watching.execute("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND database = "
                                 "(SELECT oid FROM pg_database WHERE datname = current_database()) AND NOT granted")
                if watching.fetchone()[0]:
                    watching.execute(statement)
                    break
                time.sleep(0.01)
            watching.execute("SELECT pg_advisory_unlock(77)")
        thread = threading.Thread(target=run)
        thread.start()
        yield
        thread.join()


KEYS = "SELECT array_agg(key)::text FROM parity.row_digests('pub.t', key_columns => '{id}') WHERE key_text LIKE '%77'"
EIGHT, SIXTY = [f"SELECT array_agg(bound ORDER BY bound_no)::text FROM parity.split_keys('pub.t', {n})" for n in (8, 60)]
KEYLESS = "CREATE TABLE pub.t (id int NOT NULL, v text); INSERT INTO pub.t SELECT g, 'x' FROM generate_series(1, 3000) g;"
# No index is in the order of the key: the planner alone could find a use for it.
OTHER_ORDER = ("CREATE TABLE pub.t (id text COLLATE \"C\" NOT NULL, v text); CREATE UNIQUE INDEX ON pub.t (id text_pattern_ops);"
               "INSERT INTO pub.t SELECT to_char(g, 'FM0000'), 'x' FROM generate_series(1, 3000) g;")
LEFT_TO_THE_PLANNER = {  # the table, what an argument is made by, the call with it, and about how many rows that gives
    "keys without an index": (TABLE, KEYS, "SET enable_indexscan = off; SET enable_bitmapscan = off; "
                              "SELECT count(*) FROM parity.row_digests('pub.t', keys => {})", 30),
    "keys of no index": (KEYLESS, KEYS, "SELECT count(*) FROM parity.row_digests('pub.t', key_columns => '{{id}}', keys => {})", 30),
    "a stretch": (TABLE, EIGHT, "SELECT count(*) FROM parity.row_digests('pub.t', bounds => {}, only_ranges => '{{2,3}}')", 750),
    "values": (TABLE, EIGHT, "SELECT count(*) FROM parity.row_digests('pub.t', bounds => {}, only_ranges => '{{2,3}}', with_values => true)", 750),
    "records": (TABLE, EIGHT, "SELECT sum(row_count) FROM parity.row_records('pub.t', bounds => {}, only_ranges => '{{2,3}}')", 750),
    "another order": (OTHER_ORDER, SIXTY, "SELECT sum(row_count) FROM parity.range_digests('pub.t', bounds => {}, only_ranges => '{{7,30}}')", 100),
    "values in another order": (OTHER_ORDER, SIXTY, "SELECT count(*) FROM parity.row_digests('pub.t', bounds => {}, only_ranges => '{{7,30}}',"
                                " with_values => true)", 100),
    "records in another order": (OTHER_ORDER, SIXTY, "SELECT sum(row_count) FROM parity.row_records('pub.t', bounds => {}, only_ranges => '{{7,30}}')", 100),
}


RANGES_OF_OTHER_ORDER = "SELECT sum(row_count) FROM parity.range_digests('pub.t', bounds => '{}'::bytea[], only_ranges => '{{7}}', workers => 2)"


@pytest.mark.parametrize("later, path, launched", [("", "scan", 2), ("CREATE UNIQUE INDEX ON pub.t (id);", "index", 0)], ids=["none", "a later one"])
def test_an_index_that_serves_without_a_plan(database, later, path, launched):
    """Any index of the key that serves is taken. Where none does, all that may be read in parallel is."""
    make_unfound(database, OTHER_ORDER + later)
    database.execute("ALTER TABLE pub.t SET (parallel_workers = 2)")
    bounds = database.value(SIXTY)
    with database.connection.cursor() as cursor:
        cursor.execute(RANGES_OF_OTHER_ORDER.format(bounds))
        assert 45 <= cursor.fetchone()[0] <= 55
        cursor.execute("SELECT path, workers_launched FROM parity.last_digest()")
        assert cursor.fetchone() == (path, launched)
    keys = database.value(KEYS)
    database.execute(f"SELECT count(*) FROM parity.row_digests('pub.t', key_columns => '{{id}}', keys => '{keys}'::bytea[])")
    assert database.value("SELECT path FROM parity.last_digest()") == path


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("case", LEFT_TO_THE_PLANNER)
def test_superusers_leave_no_reading_to_the_planner(database, case):
    """An owner may add code until the planner looks, which is after pages were allowed to be read. What pages tell without a plan is read so."""
    table, argument, call, rows = LEFT_TO_THE_PLANNER[case]
    make_unfound(database, table)
    call = call.format(f"'{database.value(argument)}'::bytea[]")
    seen = []

    def read(user="postgres", before=""):
        with database.connect(user=user) as connection, connection.cursor() as cursor:
            cursor.execute(before + call)
            count = cursor.fetchone()[0]
            cursor.execute("SELECT path FROM parity.last_digest()")
            seen.append((count, cursor.fetchone()[0]))
        connection.close()

    def read_while_code_appears():
        with while_planned(database, "SET max_parallel_maintenance_workers = 0; CREATE INDEX t_j ON pub.t ((pub.told(99) + length(v)))"):
            read(before="SET pub.wait = 'on'; ")
    assert ran_as(database, lambda: read("onlooker")) == {"onlooker"}
    assert ran_as(database, read_while_code_appears) == {"mallory"}
    database.execute("DROP INDEX pub.t_j; ALTER TABLE pub.t OWNER TO postgres")
    assert ran_as(database, read) == {"postgres"}
    (count, path), other, owners = seen
    assert other == (count, "scan") and owners == (count, path) and path in ("query", "index")
    assert abs(count - rows) <= rows // 10


def test_checks_run_as_their_owner(database):
    database.execute(OWNERS + ";" + CHECKED)
    database.execute("RESET ROLE")
    assert "postgres" in ran_as(database, lambda: fresh(database, "SET constraint_exclusion = on; EXPLAIN SELECT * FROM pub.t WHERE id > 7"))
    for name, sql in {**CALLS, **VERSIONS}.items():
        assert ran_as(database, lambda sql=sql: fresh(database, "SET constraint_exclusion = on; " + sql)) <= {"mallory"}, name


def test_an_ordinary_caller(database):
    database.execute(OWNERS + ";" + FOLDED["index expression"] + "; GRANT SELECT ON pub.t TO onlooker")
    database.execute("RESET ROLE; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA parity TO onlooker")
    assert ran_as(database, lambda: fresh(database, "EXPLAIN SELECT * FROM pub.t", user="onlooker")) == {"onlooker"}
    assert ran_as(database, lambda: fresh(database, CALLS["range_digests"], user="onlooker")) == {"mallory"}
    # Temporary objects of the caller could be taken for what the owner's function names: nothing runs as the owner then.
    assert "mallory" not in ran_as(database, lambda: fresh(database, "CREATE TEMP TABLE x (); " + CALLS["range_digests"], user="onlooker"))


def test_the_owners_functions_find_nothing_of_the_callers(database):
    database.execute(OWNERS)
    database.execute("CREATE FUNCTION pub.lured() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN "
                     "RETURN abs(-5) + (CASE WHEN current_setting('search_path') = 'pg_catalog, pg_temp' THEN 0 ELSE 1 END); END $$;"
                     + TABLE + "CREATE INDEX ON pub.t ((pub.lured() + id)); GRANT SELECT ON pub.t TO onlooker; RESET ROLE;"
                     "CREATE SCHEMA bait AUTHORIZATION onlooker; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA parity TO onlooker")
    bait = ("CREATE FUNCTION bait.abs(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE LOG 'planned code ran as % in %', current_user, current_database(); RETURN 1; END $$; SET search_path = bait, pg_catalog;")
    assert ran_as(database, lambda: fresh(database, bait + "EXPLAIN SELECT * FROM pub.t", user="onlooker")) == {"onlooker"}
    assert ran_as(database, lambda: fresh(database, "SET search_path = bait, pg_catalog;" + CALLS["range_digests"], user="onlooker")) == set()


def test_an_empty_table_is_looked_at_as_its_owner(database):
    database.execute(OWNERS + ";" + FOLDED["index expression"] + "; TRUNCATE pub.t")
    database.execute("RESET ROLE")
    for name in ("range_digests", "range_totals", "row_digests", "row_records"):
        assert ran_as(database, lambda sql=CALLS[name]: fresh(database, sql)) == {"mallory"}, name


def test_superusers_are_warned_of_what_a_query_would_run(database):
    database.execute(OWNERS + ";" + FOLDED["index expression"])
    database.execute("RESET ROLE")
    connection = database.connect()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM parity.range_digests('pub.t')")
        assert connection.notices == []
        cursor.execute("SELECT count(*) FROM parity.range_digests('pub.t', path => 'aggregate')")
    assert len(connection.notices) == 1
    assert "pub.told(integer)" in connection.notices[0] and '"mallory"' in connection.notices[0]
    connection.close()


def test_a_hook_of_the_planner_sees_the_caller(database):
    """Nothing is planned as the owner then: the executor reads, as the caller."""
    install_standin(database.cluster.installation)
    database.execute(OWNERS + ";" + FOLDED["index expression"] + "; GRANT SELECT ON pub.t TO onlooker; RESET ROLE;"
                     "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA parity TO onlooker;"
                     f"ALTER DATABASE {database.name} SET session_preload_libraries = 'standin'")
    for user, warnings in (("postgres", 1), ("onlooker", 0)):
        connection = database.connect(user=user)
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT path_taken FROM parity.range_digests('pub.t')")
            assert cursor.fetchall() == [("aggregate",)]
            assert len(connection.notices) == warnings and all("pub.told(integer)" in notice for notice in connection.notices)
            cursor.execute("SELECT obstacle FROM parity.last_digest()")
            obstacle = cursor.fetchone()[0]
            assert "function pub.told(integer)" in obstacle and obstacle.endswith("while a hook of the planner is set")
        connection.close()
    for name, sql in CALLS.items():
        assert ran_as(database, lambda sql=sql: fresh(database, sql, user="onlooker")) <= {"onlooker"}, name


def test_functions_of_several_owners_get_no_superusers_rights(database):
    database.execute(OWNERS + "; GRANT USAGE ON SCHEMA pub TO PUBLIC;" + FOLDED["partition's index"].split("RESET ROLE")[0])
    database.execute("CREATE INDEX ON pub.t ((pub.told(1) + id)); RESET ROLE; ALTER TABLE pub.t1 OWNER TO eve; GRANT SELECT ON pub.t TO onlooker;"
                     "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA parity TO onlooker")
    for name, call in CALLS.items():
        assert "postgres" not in ran_as(database, lambda sql=call: fresh(database, sql)), name
    connection = database.connect(user="onlooker")
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT path_taken FROM parity.range_digests('pub.t')")
        assert cursor.fetchall() == [("aggregate",)]
        cursor.execute("SELECT obstacle FROM parity.last_digest()")
        assert "several roles" in cursor.fetchone()[0]
    connection.close()


def test_an_error_of_the_owners_function_gives_the_caller_its_rights_back(database):
    database.execute(OWNERS + ";" + TABLE)
    database.execute("CREATE FUNCTION pub.fails() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN "
                     "IF current_user = 'mallory' AND current_setting('pub.fail', true) = 'on' THEN RAISE EXCEPTION 'failed'; END IF; RETURN 1; END $$;"
                     "CREATE INDEX ON pub.t ((pub.fails() + id)); RESET ROLE")
    database.close()  # a session that has planned on the table knows what the function gave
    database.execute("SET pub.fail = 'on'")
    with pytest.raises(psycopg2.Error, match="failed") as caught:
        database.query(CALLS["range_digests"])
    assert 'as the role "mallory"' in caught.value.diag.context
    assert database.query("SELECT current_user, current_setting('search_path')") == [("postgres", '"$user", public')]
    database.execute("DO $$ BEGIN PERFORM parity.range_digests('pub.t'); EXCEPTION WHEN raise_exception THEN "
                     "IF current_user <> 'postgres' THEN RAISE 'still another'; END IF; END $$")
