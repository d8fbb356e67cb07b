"""A schema's owner may rename it while somebody reads a table of it: the name is another relation's then, and that one is not read."""

import contextlib
import threading

import psycopg2
import pytest

pytestmark = pytest.mark.matrix(sample=1)

SETUP = """DO $$ BEGIN CREATE ROLE mallory LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    CREATE SEQUENCE public.ran_as_superuser; CREATE SCHEMA app AUTHORIZATION mallory; CREATE SCHEMA evil AUTHORIZATION mallory; SET ROLE mallory;
    CREATE FUNCTION evil.evil(n int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN
        IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN PERFORM nextval('public.ran_as_superuser'); END IF;
        RETURN n; END $$;
    CREATE TABLE app.t (id int PRIMARY KEY, v text); INSERT INTO app.t SELECT n, 'v' FROM generate_series(1, 100) n;
    CREATE VIEW evil.t AS SELECT evil.evil(id) AS id, v FROM app.t WHERE id < 10;
    CREATE TABLE app.bare (); INSERT INTO app.bare SELECT FROM generate_series(1, 100); CREATE VIEW evil.bare AS SELECT FROM app.bare WHERE evil.evil(1) = 1 LIMIT 3;
    RESET ROLE"""
SWAP = "BEGIN; ALTER SCHEMA app RENAME TO aside; ALTER SCHEMA evil RENAME TO app; ALTER SCHEMA aside RENAME TO evil; COMMIT"
# Parsing it takes a while, which lies between writing the name of the relation and looking it up.
LONG = f"id NOT IN ({', '.join(map(str, range(1000, 50_000)))})"
CALLS = {
    "digests": ("t", "SELECT sum(row_count) FROM parity.range_digests({}::oid::regclass, filter => %s)", LONG),
    "totals": ("t", "SELECT sum(n) FROM parity.range_totals({}::oid::regclass, filter => %s) t, unnest(t.row_counts) n", LONG),
    "rows": ("t", "SELECT count(*) FROM parity.row_digests({}::oid::regclass, filter => %s)", LONG),
    "rows without columns": ("bare", "SELECT count(*) FROM parity.row_digests({}::oid::regclass, filter => %s)", LONG.replace("id", "1")),
}


class Swapper:
    """Exchanges the names of the two schemas again and again."""

    def __init__(self, database):
        self._connection = database.connect(user="mallory")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._swap)

    def _swap(self):
        with self._connection.cursor() as cursor:
            while not self._stop.is_set():
                cursor.execute(SWAP)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, kind, value, trace):
        self._stop.set()
        self._thread.join(30)
        self._connection.close()


def read(database, call):
    """How many rows a new session finds, or the error's class."""
    relation, query, condition = CALLS[call]
    oid = database.value(f"SELECT oid FROM pg_class WHERE relkind = 'r' AND relname = '{relation}'")
    with contextlib.closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET log_min_error_statement = panic")  # of that length
        try:
            cursor.execute(query.format(oid), [condition])
            return int(cursor.fetchone()[0])
        except psycopg2.Error as error:
            return type(error)


@pytest.mark.parametrize("call", CALLS)
def test_a_relation_that_has_the_name_meanwhile_is_not_read(pair, call):
    database = pair.source
    database.execute(SETUP)
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO mallory")
    assert read(database, call) == 100
    with Swapper(database):
        results = {read(database, call) for _ in range(15)}
    assert not database.value("SELECT is_called FROM public.ran_as_superuser")
    assert results <= {100, psycopg2.errors.SerializationFailure, psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidSchemaName}
    assert 100 in results and psycopg2.errors.SerializationFailure in results  # so that names were exchanged at the moment that is meant
